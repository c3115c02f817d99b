/*
 * paths: why an object is alive, from an open database. For `heapscan path` and for path_to() in SQL.
 *
 * The search goes backwards from the object over the references of the database, nearest first, and
 * bounded, so that an answer takes a second at most: an object that a million others refer to is left
 * early, and `complete` says so. Each
 * vertex with roots makes a candidate; the best ones are kept: named roots before words, typed
 * references before words that look like pointers, short before long. Behind a named root the search
 * does not go on: what leads there would only say the same in more words. What a search that gave up may
 * have missed is the path on which the scan came to the object (object.held_by): it is one more candidate.
 *
 * What would only repeat a path is told with it (`also`), not as one more: other roots of an object that the
 * path leads through, and the same names in another frame of the same kind.
 */
#pragma once

#include "base/error.h"
#include "base/vec.h"
#include "store/sqlite.h"

#include <stdbool.h>
#include <stdint.h>

enum { PATHS_WANTED = 3 }; /* when nobody says how many */

struct paths_query {
	uint32_t goal; /* object id */
	uint64_t max;  /* paths wanted; 0: PATHS_WANTED */
	const char
		*avoid; /* not through types, names and functions that match; NULL: anything goes */
	const char
		*to_type; /* from the nearest objects of such types, not from roots; NULL: roots */
};

struct paths_step {
	uint32_t object_id;
	int64_t reference; /* rowid of the reference that leads here; 0: the first of a path */
};

struct paths_row {
	int64_t root_id;   /* 0: it begins at an object of to_type */
	char *expression;  /* as a programmer would write it: app.CACHE['sessions'][17]; of many
			      like steps one with their number: list->next{800} */
	char *holder;	   /* a sentence's end: "thread 2, main() (app.py:7), local 'x'" */
	uint64_t first, n; /* its steps: step[first .. + n) */
	uint64_t also;	   /* of a row of `row`: roots that say no more than it */
	uint64_t
		of; /* of a row of `also`: the row (from 1) it says no more than; 0: of none that is told */
};

struct paths {
	VEC(struct paths_row) row;
	VEC(struct paths_row) also; /* a few for each row */
	VEC(struct paths_step) step;
	uint64_t looked_at; /* objects */
	bool complete;	    /* false: there may be more than was looked at */
};

/* `ret` is to be given to paths_deinit, also after an error. */
struct error *paths_find(sqlite3 *db, const struct paths_query *query,
			 struct paths *ret) _must_check_;
void paths_deinit(struct paths *p);

/* [[path, step, object, reference, root], ...] for path_steps.sql, of one path (then 1), or of all of
 * `row` (NULL). Malloc'ed; NULL: out of memory. */
char *paths_steps_json(const struct paths *p, const struct paths_row *only);

/* paths_text.c: fills expression and holder of each row. */
struct error *paths_describe(sqlite3 *db, struct paths *p) _must_check_;
