/*
 * whatif: what would go if an object, or one reference to it, were gone; from an open database. For
 * `path --cut`, `top --what-if` and what_if() in SQL.
 *
 * What goes with an object is its dominator subtree. A single reference (or root) frees either all
 * of that or nothing: nothing as long as another one from outside the subtree leads to the object.
 * Of what goes only allocators' blocks count: an object in a module's data stays where it is.
 *
 * Freed is not given back. `returned` is what the system would get besides what it could have now:
 *
 *	glibc     pages inside the runs of free blocks that would then be there, as malloc_trim(0)
 *		  gives them back (analysis/trim.c has the rules); of the main arena's top, too
 *	mmapped   the whole mapping of a block that has its own
 *	pymalloc  arenas with no block in use any more
 *
 * Blocks that a thread's cache or an interpreter's free lists would keep back count as freed: of
 * each size a few.
 *
 * Bounded: `budget` objects are looked at. When that ends the search, `complete` is false, bytes are
 * the object's retained bytes, and objects, returned and at_once what was found so far: no more than
 * the truth.
 */
#pragma once

#include "base/error.h"
#include "store/sqlite.h"

#include <stdbool.h>
#include <stdint.h>

struct whatif;

struct whatif_result {
	uint64_t objects, bytes; /* blocks that would be freed */
	uint64_t returned;	 /* bytes that the system would get, after malloc_trim(0) */
	uint64_t at_once;	 /* of these: with free() itself: whole mappings */
	uint64_t looked_at;	 /* of the budget */
	uint64_t others;	 /* of an edge: other references and roots that would keep it */
	bool complete;
};

struct error *whatif_create(sqlite3 *db, struct whatif **ret) _must_check_;
void whatif_destroy(struct whatif *w);
static inline void whatif_destroyp(struct whatif **w)
{
	whatif_destroy(*w);
}

/* The object with all that it alone holds. One that does not exist frees nothing. */
struct error *whatif_object(struct whatif *w, int64_t id, uint64_t budget,
			    struct whatif_result *ret) _must_check_;

/*
 * One way to `dst`: the reference with this rowid, or (reference 0) the root of this id. It must be
 * of that dst.
 */
struct error *whatif_edge(struct whatif *w, int64_t dst, int64_t reference, int64_t root,
			  uint64_t budget, struct whatif_result *ret) _must_check_;
