/*
 * spelling: from an expression, as `path` prints it, back to the references (or roots) that it ends
 * with; from an open database.
 *
 *	app.CACHE['sessions']	a module's, a global or local variable's name, then steps
 *	cache->entry[3]->+16
 *	prog+0x4010->next	a word of a binary's data; (stack word at 0x7ffd...) likewise
 *	#12['key']   0x55d0c0de.name
 *				an object by number or address, then steps
 *	#12->#15		any reference from the one to the other
 *
 * Quotes of keys may be single or double. Names are those of paths_text.c, in the same places left
 * out: an own buffer's reference, sys.modules, a frame object, a namespace's __dict__.
 *
 * Several things may be written the same: roots of one name, keys whose preview is. All of them match.
 * Bounded: SPELLING_MOST chains are followed; `complete` is false when there were more.
 */
#pragma once

#include "base/error.h"
#include "base/vec.h"
#include "store/sqlite.h"
#include "store/whatif_cut.h"

#include <stdbool.h>
#include <stdint.h>

enum { SPELLING_MOST = 5000 };

struct spelling_match {
	struct whatif_way
		way; /* the last step; neither: the expression is an object's number or address */
	int64_t src; /* 0: a root */
	int64_t object_id; /* where it leads to */
};

struct spelling {
	VEC(struct spelling_match) match; /* each way once */
	uint64_t known; /* bytes of the text, from its start, that are names of something */
	bool complete;
};

/* `ret` is to be given to spelling_deinit, also after an error. */
struct error *spelling_find(sqlite3 *db, const char *text, struct spelling *ret) _must_check_;
void spelling_deinit(struct spelling *s);

/* Is this an object's number (#12, 12) or address and nothing else? Such an object need not exist. */
bool spelling_is_number(const char *text);
