/*
 * paths_sets: what a search asks of each object that it comes by, read at once: which have roots, and which
 * nothing leads to. Where the database has more of them than half a search has questions, the set is not `known`,
 * and each object is asked for by itself.
 *
 * Memory: a bit for each object.
 */
#pragma once

#include "base/bits.h"
#include "base/error.h"
#include "store/sqlite.h"

#include <stdbool.h>
#include <stdint.h>

struct paths_set {
	struct bits bits;
	bool known;
};

struct paths_sets {
	struct paths_set rooted;      /* objects that roots refer to */
	struct paths_set unreachable; /* object.reachable is 0 */
};

/* Zeroed memory; deinit after an error, too. */
struct error *paths_sets_load(sqlite3 *db, struct paths_sets *ret) _must_check_;
void paths_sets_deinit(struct paths_sets *s);

/* Is it for certain not in the set? */
static inline bool paths_set_lacks(const struct paths_set *s, uint32_t id)
{
	return s->known && (id >= s->bits.n || !bits_test(&s->bits, id));
}

/* Is it for certain in it? */
static inline bool paths_set_has(const struct paths_set *s, uint32_t id)
{
	return s->known && id < s->bits.n && bits_test(&s->bits, id);
}
