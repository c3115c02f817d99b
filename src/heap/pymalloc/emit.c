/* emit: arenas in address order, and pools in each; what is neither live nor free is overhead. */
#include "heap/pymalloc/pymalloc_impl.h"

#include <stdio.h>

enum {
	/* Ids of arenas are 16 bits; other allocators have some, too. */
	ROWS_MOST = UINT16_MAX - 4096,
	PAD_SAMPLES = 4096,
	RING_STEPS = 1 << 16, /* to find one state's usedpools */
};

static struct error *extent_add(struct pymalloc *py, uint64_t start, uint64_t end,
				enum extent_kind kind, uint32_t row)
{
	return snapshot_add_extent(py->ctx->snapshot, &(struct extent_row){
							      .start = start,
							      .end = end,
							      .kind = (uint8_t)kind,
							      .arena_id = (uint16_t)row,
						      });
}

/* ---- rows ---- */

static struct error *arena_row(struct pymalloc *py, uint64_t address, uint64_t bytes,
			       const char *name, uint32_t *ret)
{
	struct snapshot *s = py->ctx->snapshot;
	struct arena_row row = {
		.address = address, .system_bytes = bytes, .trim = {.kind = TRIM_WHOLE}};
	struct error *err = intern_str(&s->strings, "pymalloc", &row.allocator);
	if (!err)
		err = intern_str(&s->strings, name, &row.name);
	return err ? err : snapshot_add_arena(s, &row, ret);
}

static struct error *arena_rename(struct pymalloc *py, const struct pymalloc_arena *a)
{
	struct snapshot *s = py->ctx->snapshot;
	char name[80];
	int n = snprintf(name, sizeof(name), "%u of %u pools used", a->used, a->pools);
	if (py->state.n > 1)
		snprintf(name + n, sizeof(name) - (size_t)n, ", interpreter state %u",
			 a->state + 1);
	return intern_str(&s->strings, name, &s->arena.at[a->row - 1].name);
}

/* One row for each arena; for each state, where there would be too many. */
static struct error *arena_rows(struct pymalloc *py, bool *folded)
{
	struct snapshot *s = py->ctx->snapshot;
	struct error *err = NULL;
	*folded = s->arena.n + py->arena.n > ROWS_MOST;
	for (uint64_t i = 0; i < py->arena.n && !err; i++) {
		struct pymalloc_arena *a = &py->arena.at[i];
		struct pymalloc_state *st = &py->state.at[a->state];
		if (!*folded) {
			err = arena_row(py, a->address, a->end - a->address, "", &a->row);
			continue;
		}
		if (!st->row)
			err = arena_row(py, st->array, 0, "all arenas of an interpreter", &st->row);
		if (err)
			break;
		a->row = st->row;
		s->arena.at[a->row - 1].system_bytes += a->end - a->address;
	}
	return err;
}

/* ---- pools ---- */

static struct error *emit_blocks(struct pymalloc *py, struct pymalloc_arena *a,
				 const struct pymalloc_pool *pool)
{
	struct snapshot *s = py->ctx->snapshot;
	struct pymalloc_state *st = &py->state.at[a->state];
	struct pymalloc_free_map map;
	pymalloc_pool_free_map(py, st->geo, pool, &map);
	uint32_t live = pool->carved - map.n;
	if (map.bad) {
		damage_add(py->ctx->damage, DAMAGE_HEAP, map.bad,
			   "the free list of the pool at 0x%" PRIx64
			   " (blocks of %u bytes) leads to "
			   "0x%" PRIx64 " after %u blocks: what is free behind that counts as live",
			   pool->address, pool->size, map.bad, map.n);
	} else if (live != pool->count) {
		/* obmalloc.c takes the block from the list and counts it in two steps. */
		bool inside = !st->forgiven && live + 1 >= pool->count && pool->count + 1 >= live;
		if (!inside)
			damage_add(py->ctx->damage, DAMAGE_HEAP, pool->address,
				   "the pool at 0x%" PRIx64 " counts %u blocks in use, its free "
				   "list leaves %u",
				   pool->address, pool->count, live);
		st->forgiven = st->forgiven || inside;
	}
	uint64_t at = pool->address + pymalloc_overhead(py, st->geo);
	struct error *err = NULL;
	for (uint32_t i = 0; i < pool->blocks && !err; i++, at += pool->size) {
		bool listed = map.word[i / 64] >> (i % 64) & 1;
		if (listed || i >= pool->carved) {
			err = snapshot_add_free(s, at, pool->size, a->row, FREE_PYMALLOC);
			py->blocks_free++;
			continue;
		}
		err = snapshot_add_block(s, at, pool->size, a->row);
		py->blocks_used++;
		if (py->sampled < PAD_SAMPLES) {
			py->sampled++;
			py->padded += pymalloc_block_padded(py, at, pool->size);
		}
	}
	return err;
}

/* One pool that was used at least once; *kind is what its memory is. */
static struct error *emit_pool(struct pymalloc *py, struct pymalloc_arena *a, uint64_t at,
			       enum extent_kind *kind)
{
	const struct pymalloc_geometry *geo = py->state.at[a->state].geo;
	struct pymalloc_pool pool;
	*kind = EXTENT_HEAP;
	switch (pymalloc_pool_read(py, geo, at, &pool)) {
	case HEADER_MISSING:
		py->pools_missing++;
		return NULL;
	case HEADER_BROKEN:
		*kind = EXTENT_DAMAGED;
		damage_add(py->ctx->damage, DAMAGE_HEAP, at,
			   "the header of the pool at 0x%" PRIx64
			   " makes no sense: its %u bytes are left out",
			   at, geo->pool_size);
		return NULL;
	case HEADER_SOUND:
		break;
	}
	if (pool.arenaindex != a->index)
		damage_add(py->ctx->damage, DAMAGE_HEAP, at,
			   "the pool at 0x%" PRIx64 " says that it is in arena %u, it is in %u", at,
			   pool.arenaindex, a->index);
	if (!pool.count) {
		a->empty++;
		return snapshot_add_free(py->ctx->snapshot, at, geo->pool_size, a->row,
					 FREE_PYMALLOC_POOL);
	}
	a->used++;
	return emit_blocks(py, a, &pool);
}

static struct error *emit_arena(struct pymalloc *py, struct pymalloc_arena *a)
{
	const struct pymalloc_geometry *geo = py->state.at[a->state].geo;
	struct error *err = NULL;
	uint64_t start = a->address;
	enum extent_kind kind = EXTENT_HEAP;
	for (uint64_t at = a->first; at < a->carved && !err; at += geo->pool_size) {
		enum extent_kind now;
		err = emit_pool(py, a, at, &now);
		if (!err && now != kind) {
			err = extent_add(py, start, at, kind, a->row);
			start = at;
			kind = now;
		}
	}
	if (!err && kind == EXTENT_DAMAGED) {
		err = extent_add(py, start, a->carved, kind, a->row);
		start = a->carved;
	}
	if (!err)
		err = extent_add(py, start, a->end, EXTENT_HEAP, a->row);
	for (uint64_t at = a->carved; at < a->last && !err; at += geo->pool_size) {
		a->empty++;
		err = snapshot_add_free(py->ctx->snapshot, at, geo->pool_size, a->row,
					FREE_PYMALLOC_POOL);
	}
	py->pools += a->pools;
	py->pools_used += a->used;
	py->pools_empty += a->empty;
	return err;
}

/* ---- what is pymalloc's own ---- */

/* The state's usedpools, from any pool of it that is neither full nor empty. */
static void find_usedpools(struct pymalloc *py, uint32_t state)
{
	struct pymalloc_state *st = &py->state.at[state];
	uint64_t steps = RING_STEPS;
	for (uint64_t i = 0; i < py->arena.n && !st->usedpools && steps; i++) {
		const struct pymalloc_arena *a = &py->arena.at[i];
		if (a->state != state)
			continue;
		for (uint64_t at = a->first; at < a->carved && !st->usedpools && steps;
		     at += st->geo->pool_size) {
			struct pymalloc_pool pool;
			steps--;
			if (pymalloc_pool_read(py, st->geo, at, &pool) == HEADER_SOUND &&
			    pool.count && pool.freeblock && steps)
				st->usedpools = pymalloc_find_usedpools(py, st->geo, &pool, &steps);
		}
	}
}

static struct error *emit_opaque(struct pymalloc *py, uint32_t state)
{
	struct pymalloc_state *st = &py->state.at[state];
	struct snapshot *s = py->ctx->snapshot;
	struct error *err = NULL;
	find_usedpools(py, state);
	if (st->array)
		err = snapshot_add_opaque(
			s, st->array, st->array + (uint64_t)st->elements * py->layout->arena.size,
			"pymalloc's array of arenas");
	if (!err && st->usedpools)
		err = snapshot_add_opaque(s, st->usedpools,
					  st->usedpools +
						  (uint64_t)2 * pymalloc_classes(st->geo) * py->w,
					  "pymalloc's lists of pools");
	return err;
}

struct error *pymalloc_emit(struct pymalloc *py)
{
	bool folded;
	struct error *err = arena_rows(py, &folded);
	for (uint64_t i = 0; i < py->arena.n && !err; i++) {
		struct pymalloc_arena *a = &py->arena.at[i];
		if (!image_segment_find(py->img, a->address)) {
			damage_add(py->ctx->damage, DAMAGE_HEAP, a->address,
				   "pymalloc's arena %u at 0x%" PRIx64 " is not mapped", a->index,
				   a->address);
			continue;
		}
		err = emit_arena(py, a);
		if (!err && !folded)
			err = arena_rename(py, a);
	}
	for (uint32_t i = 0; i < py->state.n && !err; i++)
		err = emit_opaque(py, i);
	return err;
}
