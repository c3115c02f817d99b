#include "store/whatif.h"

#include "base/checked.h"
#include "base/cleanup.h"
#include "store/embed.h"
#include "store/whatif_impl.h"

#include <assert.h>
#include <stdlib.h>

enum {
	PAGE = 4096,	       /* image.c knows no other */
	CLIMB_MOST = 20000,    /* dominators, over all of them */
	HOLDERS_MOST = 1000,   /* references and roots to one object that are looked at */
	CHUNK_HEADER = 2,      /* words before a block: glibc 2.36 malloc/malloc.c, malloc_chunk */
	CHUNK_OVERLAP = 1,     /* words of a block that are in the next chunk */
	CHUNK_WORDS = 6,       /* sizeof(struct malloc_chunk), which mtrim() leaves alone */
	CHUNK_LEAST_WORDS = 4, /* MINSIZE; systrim() keeps that and one byte of the top */
};

enum way { WAY_NONE, WAY_PAGES, WAY_BREAK, WAY_BLOCK, WAY_WHOLE };

struct free_block {
	uint64_t start, end; /* chunk */
	int64_t arena_id;
	bool top;
};

static const char *const query_name[WHATIF_QUERIES] = {
	[WHATIF_OBJECT] = "query/whatif_object.sql",
	[WHATIF_DOMINATED] = "query/whatif_dominated.sql",
	[WHATIF_KEPT] = "query/whatif_kept.sql",
	[WHATIF_FREE] = "query/whatif_free.sql",
	[WHATIF_HOLDERS] = "query/whatif_holders.sql",
	[WHATIF_REFERENCE] = "query/whatif_reference.sql",
	[WHATIF_REFERRERS] = "query/whatif_referrers.sql",
	[WHATIF_ROOTS] = "query/whatif_roots.sql",
	[WHATIF_ROOT] = "query/whatif_root.sql",
	[WHATIF_REFERENTS] = "query/whatif_referents.sql",
};

/* ---- the database ---- */

struct error *whatif_error(const struct whatif *w)
{
	return error_new(ERROR_INPUT, "what if: %s", sqlite3_errmsg(w->db));
}

static struct error *whatif_prepare(struct whatif *w, const char *name, sqlite3_stmt **ret)
{
	const char *sql = embed_find(name);
	assert(sql);
	return sqlite3_prepare_v2(w->db, sql, -1, ret, NULL) ? whatif_error(w) : NULL;
}

sqlite3_stmt *whatif_ask(struct whatif *w, enum whatif_query q, int64_t argument)
{
	sqlite3_reset(w->query[q]);
	sqlite3_bind_int64(w->query[q], 1, argument);
	return w->query[q];
}

static uint64_t column_u64(sqlite3_stmt *stmt, int i)
{
	return (uint64_t)sqlite3_column_int64(stmt, i);
}

static struct error *whatif_arenas(struct whatif *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = whatif_prepare(w, "query/whatif_arenas.sql", &stmt);
	int rc = SQLITE_DONE;
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		w->word = column_u64(stmt, 5);
		err = vec_push(&w->arena, ((struct arena){
						  .id = sqlite3_column_int64(stmt, 0),
						  .way = sqlite3_column_int64(stmt, 1),
						  .system_bytes = column_u64(stmt, 2),
						  .used_bytes = column_u64(stmt, 3),
						  .address = column_u64(stmt, 4),
					  }));
	}
	if (w->word != 4)
		w->word = 8;
	return err || rc == SQLITE_DONE ? err : whatif_error(w);
}

static struct error *whatif_process(struct whatif *w)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = whatif_prepare(w, "query/whatif_process.sql", &stmt);
	if (err)
		return err;
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return whatif_error(w);
	w->last_id = column_u64(stmt, 0);
	w->python = sqlite3_column_int(stmt, 1);
	return NULL;
}

struct error *whatif_create(sqlite3 *db, struct whatif **ret)
{
	*ret = NULL;
	struct whatif *w = calloc(1, sizeof(*w));
	if (!w)
		return &error_nomem;
	w->db = db;
	struct error *err = whatif_arenas(w);
	if (!err)
		err = whatif_process(w);
	for (unsigned i = 0; i < WHATIF_QUERIES && !err; i++)
		err = whatif_prepare(w, query_name[i], &w->query[i]);
	if (err)
		whatif_destroy(w);
	else
		*ret = w;
	return err;
}

void whatif_destroy(struct whatif *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < WHATIF_QUERIES; i++)
		sqlite3_finalize(w->query[i]);
	vec_deinit(&w->arena);
	vec_deinit(&w->block);
	free(w);
}

/* Index + 1; 0: none. Ids are dense but for databases that someone else made. */
static uint32_t arena_index(const struct whatif *w, int64_t id)
{
	uint64_t lo = 0, hi = w->arena.n;
	while (lo < hi) {
		uint64_t mid = (lo + hi) / 2;
		if (w->arena.at[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->arena.n && w->arena.at[lo].id == id ? (uint32_t)lo + 1 : 0;
}

struct error *whatif_block(struct whatif *w, sqlite3_stmt *row)
{
	return vec_push(&w->block, ((struct block){
					   .id = (uint32_t)sqlite3_column_int64(row, 0),
					   .arena = arena_index(w, sqlite3_column_int64(row, 3)),
					   .address = column_u64(row, 1),
					   .size = column_u64(row, 2),
				   }));
}

struct error *whatif_subtree(struct whatif *w, uint64_t first, uint64_t budget, bool *complete)
{
	struct error *err = NULL;
	*complete = true;
	for (uint64_t at = first; at < w->block.n && !err; at++) {
		sqlite3_stmt *stmt = whatif_ask(w, WHATIF_DOMINATED, w->block.at[at].id);
		int rc;
		while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			if (w->block.n >= budget) {
				*complete = false;
				return NULL;
			}
			err = whatif_block(w, stmt);
		}
		if (!err && rc != SQLITE_DONE)
			err = whatif_error(w);
	}
	return err;
}

/* ---- what goes back ---- */

/* Free chunks that touch, and what a trim takes of them. */
struct run {
	uint64_t start, end;
	bool top;
};

static uint64_t run_returns(const struct whatif *w, const struct run *r, int64_t way)
{
	uint64_t from, keep = CHUNK_LEAST_WORDS * w->word + 1;
	if (r->end <= r->start)
		return 0;
	if (r->top) {
		if (way != WAY_BREAK || r->end - r->start <= keep)
			return 0;
		return align_down(r->end - r->start - keep, PAGE);
	}
	if (!checked_align_up(r->start + CHUNK_WORDS * w->word, PAGE, &from) || from >= r->end)
		return 0;
	return align_down(r->end - from, PAGE);
}

/* The free chunk that begins at `address` (a chunk's), or that ends there. */
static bool free_find(struct whatif *w, uint64_t address, bool ends, int64_t arena_id,
		      struct free_block *ret)
{
	uint64_t header = CHUNK_HEADER * w->word;
	sqlite3_stmt *row =
		whatif_ask(w, WHATIF_FREE, (int64_t)(address + header - (ends ? 1 : 0)));
	if (sqlite3_step(row) != SQLITE_ROW)
		return false;
	ret->top = sqlite3_column_int(row, 3);
	ret->start = column_u64(row, 0) - header;
	ret->end =
		ret->start + header + column_u64(row, 1) - (ret->top ? 0 : CHUNK_OVERLAP * w->word);
	ret->arena_id = sqlite3_column_int64(row, 2);
	return ret->arena_id == arena_id && sqlite3_column_int(row, 4) && ret->end > ret->start &&
	       (ends ? ret->end == address : ret->start == address);
}

/* Free chunks before `start`: it begins with them. */
static struct run run_before(struct whatif *w, uint64_t start, int64_t arena_id)
{
	struct run r = {start, start, false};
	struct free_block f;
	while (r.start && free_find(w, r.start, true, arena_id, &f) && !f.top)
		r.start = f.start;
	return r;
}

static struct run run_behind(struct whatif *w, uint64_t end, int64_t arena_id)
{
	struct run r = {end, end, false};
	struct free_block f;
	while (!r.top && free_find(w, r.end, false, arena_id, &f)) {
		r.end = f.end;
		r.top = f.top;
	}
	return r;
}

/*
 * The run that w->block.at[*at] is part of when all of them are free: what it returns more than its
 * free parts do now. *at moves behind its last block.
 */
static uint64_t whatif_run(struct whatif *w, uint64_t *at)
{
	const struct block *b = &w->block.at[*at];
	const struct arena *a = &w->arena.at[b->arena - 1];
	uint64_t header = CHUNK_HEADER * w->word, overlap = CHUNK_OVERLAP * w->word;
	struct run all = run_before(w, b->address - header, a->id);
	uint64_t now = run_returns(w, &all, a->way);
	all.end = b->address + b->size - overlap;
	for (;;) {
		const struct block *next = ++*at < w->block.n ? &w->block.at[*at] : NULL;
		if (next && next->arena != b->arena)
			next = NULL;
		if (next && next->address - header == all.end) {
			all.end = next->address + next->size - overlap;
			continue;
		}
		struct run behind = run_behind(w, all.end, a->id);
		now += run_returns(w, &behind, a->way);
		all.end = behind.end;
		all.top = behind.top;
		if (all.top || !next || next->address - header != all.end)
			break;
		all.end = next->address + next->size - overlap;
	}
	uint64_t then = run_returns(w, &all, a->way);
	return then > now ? then - now : 0;
}

static uint64_t mapping_of(const struct whatif *w, const struct block *b)
{
	uint64_t start = align_down(b->address - CHUNK_HEADER * w->word, PAGE);
	uint64_t end = b->address + b->size;
	return end > start ? align_down(end - start, PAGE) : 0;
}

static int block_compare(const void *a, const void *b)
{
	const struct block *x = a, *y = b;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void whatif_sum(struct whatif *w, struct whatif_result *ret)
{
	for (uint64_t i = 0; i < w->arena.n; i++)
		w->arena.at[i].gone = 0;
	for (uint64_t i = 0; i < w->block.n; i++) {
		const struct block *b = &w->block.at[i];
		if (!b->arena)
			continue;
		struct arena *a = &w->arena.at[b->arena - 1];
		ret->objects++;
		ret->bytes += b->size;
		a->gone += b->size;
		if (a->way == WAY_BLOCK)
			ret->at_once += mapping_of(w, b);
	}
	for (uint64_t i = 0; i < w->arena.n; i++) {
		const struct arena *a = &w->arena.at[i];
		if (a->way != WAY_WHOLE || !a->gone || a->gone != a->used_bytes)
			continue;
		sqlite3_stmt *kept = whatif_ask(w, WHATIF_KEPT, (int64_t)a->address);
		sqlite3_bind_int64(kept, 2, (int64_t)(a->address + a->system_bytes));
		if (sqlite3_step(kept) != SQLITE_ROW)
			ret->at_once += a->system_bytes;
	}
	ret->returned = ret->at_once;
	if (w->block.n)
		qsort(w->block.at, w->block.n, sizeof(*w->block.at), block_compare);
	for (uint64_t at = 0; at < w->block.n;) {
		const struct block *b = &w->block.at[at];
		int64_t way = b->arena ? w->arena.at[b->arena - 1].way : WAY_NONE;
		if (way == WAY_PAGES || way == WAY_BREAK)
			ret->returned += whatif_run(w, &at);
		else
			at++;
	}
}

struct error *whatif_object(struct whatif *w, int64_t id, uint64_t budget,
			    struct whatif_result *ret)
{
	*ret = (struct whatif_result){.complete = true};
	w->block.n = 0;
	sqlite3_stmt *row = whatif_ask(w, WHATIF_OBJECT, id);
	int rc = sqlite3_step(row);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? NULL : whatif_error(w);
	uint64_t retained = column_u64(row, 4);
	struct error *err = whatif_block(w, row);
	if (!err)
		err = whatif_subtree(w, 0, budget ? budget : 1, &ret->complete);
	if (err)
		return err;
	ret->looked_at = w->block.n;
	whatif_sum(w, ret);
	if (!ret->complete)
		ret->bytes = retained;
	return NULL;
}

/* ---- one reference ---- */

bool whatif_below(struct whatif *w, int64_t id, int64_t head, uint64_t most, uint64_t *climbed)
{
	while (id && id != head && ++*climbed < most) {
		sqlite3_stmt *row = whatif_ask(w, WHATIF_OBJECT, id);
		id = sqlite3_step(row) == SQLITE_ROW ? sqlite3_column_int64(row, 5) : 0;
	}
	return id == head;
}

struct error *whatif_edge(struct whatif *w, int64_t dst, int64_t reference, int64_t root,
			  uint64_t budget, struct whatif_result *ret)
{
	*ret = (struct whatif_result){.complete = true};
	sqlite3_stmt *stmt = whatif_ask(w, WHATIF_HOLDERS, dst);
	sqlite3_bind_int64(stmt, 2, reference);
	sqlite3_bind_int64(stmt, 3, root);
	sqlite3_bind_int64(stmt, 4, HOLDERS_MOST);
	uint64_t others = 0, rows = 0, climbed = 0;
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		rows++;
		int64_t src = sqlite3_column_int64(stmt, 0);
		others += !src || !whatif_below(w, src, dst, CLIMB_MOST, &climbed);
	}
	if (rc != SQLITE_DONE)
		return whatif_error(w);
	bool complete = rows < HOLDERS_MOST && climbed < CLIMB_MOST;
	if (!others && complete) {
		struct error *err = whatif_object(w, dst, budget, ret);
		return err;
	}
	ret->others = others;
	ret->looked_at = rows;
	ret->complete = complete;
	return NULL;
}
