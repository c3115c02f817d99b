#include "store/tables/values_impl.h"

#include <assert.h>

static uint64_t arena_rows(const struct snapshot *s)
{
	return s->arena.n;
}

static void arena_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct arena_row *r = &s->arena.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_string_or_empty(s, r->allocator);
	out->v[2] = value_string_known(s, r->name);
	out->v[3] = value_nonzero(r->address);
	out->v[4] = value_nonzero(r->system_bytes);
	out->v[5] = value_int((int64_t)r->used_bytes);
	out->v[6] = value_int((int64_t)r->free_bytes);
	out->v[7] = value_int((int64_t)r->overhead_bytes);
}

static uint64_t free_rows(const struct snapshot *s)
{
	return s->free.n;
}

/*
 * The snapshot has free blocks by unsigned address, the database by signed one: addresses from 2^63
 * on come first. hint: 1 + the index of the first of those.
 */
static const struct free_row *free_at(const struct snapshot *s, uint64_t i, uint64_t *hint)
{
	if (!*hint) {
		uint64_t lo = 0, hi = s->free.n;
		while (lo < hi) {
			uint64_t mid = lo + (hi - lo) / 2;
			if (s->free.at[mid].address >> 63)
				hi = mid;
			else
				lo = mid + 1;
		}
		*hint = lo + 1;
	}
	uint64_t split = *hint - 1, high = s->free.n - split;
	return &s->free.at[i < high ? split + i : i - high];
}

static void free_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct free_row *r = free_at(s, i, &out->hint);
	assert(r->kind < FREE_KINDS);
	out->v[0] = value_int((int64_t)r->address);
	out->v[1] = value_int((int64_t)r->size);
	out->v[2] = value_nonzero(r->arena_id);
	out->v[3] = value_text(free_kind_name[r->kind]);
}

static void free_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
		      int64_t *out)
{
	for (uint64_t i = 0; i < n; i++)
		out[i] = (int64_t)free_at(s, first + i, hint)->address;
}

const struct store_table store_table_arena = {
	.name = "arena",
	.rows = arena_rows,
	.row = arena_row,
	.column = {"id", "allocator", "name", "address", "system_bytes", "used_bytes", "free_bytes",
		   "overhead_bytes"},
};

const struct store_table store_table_free_block = {
	.name = "free_block",
	.rows = free_rows,
	.row = free_row,
	.column = {"address", "size", "arena_id", "kind"},
	.bulk = true,
	.without_rowid = true,
	.key = free_keys,
};
