/*
 * whatif_cut: what would be free if references and roots were cut, all of them together; from an open
 * database. For `path --cut=REFERENCE`, and what_if_reference() and what_if_root() in SQL.
 *
 * Free is what every chain from the roots to it leads over one of them. A reference to the value of a
 * dict's entry takes that to the entry's key along, as `del d[key]` does. As in all of heapscan an
 * object that nothing leads to is not free: what it refers to stays.
 *
 *	heads	the objects cut off, and what two of them hold together
 *	free	the dominator subtrees of those heads that no other way leads to. It is asked of all
 *		heads as if they were free; each that is not goes back, until no more do.
 *
 * One object cut off needs no more than its dominator subtree and what refers to it. Of several
 * (a key, its value) the smaller ones are searched for what the others hold, too.
 *
 * Bounded as whatif.h says: `complete` is false where a bound ended it, and then it is at least so
 * much. Memory: one bit for each object of the database, 24 bytes for each that is free.
 */
#pragma once

#include "base/vec.h"
#include "store/whatif.h"

/* One of both. */
struct whatif_way {
	int64_t reference; /* rowid, or 0 */
	int64_t root;	   /* id, or 0 */
};

/* What else leads to an object that was cut off and is not free. */
struct whatif_holder {
	struct whatif_way way;
	int64_t object_id; /* what it leads to */
};

enum { WHATIF_TOLD = 100 }; /* of these, told */

struct whatif_cut {
	struct whatif_result r; /* r.others: of the objects cut off, of keys not */
	VEC(struct whatif_holder) holder;
	VEC(struct whatif_way) taken; /* references that go along: to keys */
	bool counted;		      /* somebody counts references: the next two are known */
	uint64_t waiting_objects, waiting_bytes; /* of the free ones: only a collector finds them */
};

/* One that does not exist is an ERROR_USAGE. `ret` is to be given to whatif_cut_deinit, also after an error. */
struct error *whatif_cut(struct whatif *w, const struct whatif_way *way, uint64_t n,
			 uint64_t budget, struct whatif_cut *ret) _must_check_;
void whatif_cut_deinit(struct whatif_cut *c);
