/*
 * whatif_impl: what whatif.c (an object) and whatif_cut.c (references) share.
 *
 * The blocks of the question that is asked now are w->block; ids are those of the database, and may
 * be anything in one that someone else made.
 */
#pragma once

#include "base/vec.h"
#include "store/whatif.h"

struct arena {
	int64_t id;
	int64_t way; /* enum way */
	uint64_t system_bytes, used_bytes, address;
	uint64_t gone; /* of used_bytes; of the question that is asked now */
};

struct block {
	uint32_t id;
	uint32_t arena; /* index + 1; 0: none */
	uint64_t address, size;
};

enum whatif_query {
	WHATIF_OBJECT,
	WHATIF_DOMINATED,
	WHATIF_KEPT,
	WHATIF_FREE,
	WHATIF_HOLDERS,
	WHATIF_REFERENCE,
	WHATIF_REFERRERS,
	WHATIF_ROOTS,
	WHATIF_ROOT,
	WHATIF_REFERENTS,
	WHATIF_QUERIES
};

struct whatif {
	sqlite3 *db;
	sqlite3_stmt *query[WHATIF_QUERIES];
	VEC(struct arena) arena; /* by id */
	VEC(struct block) block; /* those that go */
	uint64_t word;
	uint64_t last_id; /* of all objects */
	bool python;
};

struct error *whatif_error(const struct whatif *w) _must_check_;
/* The statement, at its start, with its first parameter bound. */
sqlite3_stmt *whatif_ask(struct whatif *w, enum whatif_query q, int64_t argument);
/* A row of WHATIF_OBJECT or WHATIF_DOMINATED into w->block. */
struct error *whatif_block(struct whatif *w, sqlite3_stmt *row) _must_check_;
/*
 * What the blocks from `first` on dominate, behind them: w->block is the queue, too. *complete is
 * false when w->block came to hold `budget` blocks before that was all.
 */
struct error *whatif_subtree(struct whatif *w, uint64_t first, uint64_t budget,
			     bool *complete) _must_check_;
/* Is `id` in the dominator subtree of `head`? Counts what it looks at: at `most` nobody knows. */
bool whatif_below(struct whatif *w, int64_t id, int64_t head, uint64_t most, uint64_t *climbed);
/* Sums up w->block, and sorts it by address. */
void whatif_sum(struct whatif *w, struct whatif_result *ret);
