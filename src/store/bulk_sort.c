/*
 * Index entries in key order without a copy of the table.
 *
 * Keys that rise with the rows (addresses; the sources of references) need nothing. Others are
 * counted once into buckets, buckets joined to ranges of about an eighth of the rows (of few rows:
 * a range for all), and each range is then collected and sorted on its own, by counting where its keys lie close together
 * (types, targets of references, sizes), else by radix. Rows of equal keys keep their order, as the
 * index wants it.
 */
#include "store/bulk_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 1024, /* keys asked for at a time */
	RANGES = 8,   /* about; bounds the passes over the keys */
	PARTS = 16,   /* of the rows that a thread takes at a time are few enough for one range */
	/* Buckets: NULL, negative, then 512 for each power of two from 2^10 on. */
	EXACT = 1024,
	PER_POWER = 512,
	BUCKETS = 2 + EXACT + 53 * PER_POWER,
	RADIX_BITS = 11,
};

/* The order of an index: NULL first, then as signed numbers. */
static inline bool key_null(const struct store_index *x, int64_t key)
{
	return x->zero_is_null && !key;
}

/* Keys of rows [at, at + n): a column of the snapshot itself, or `buffer`. */
static inline const int64_t *keys_of(const struct bulk_plan *p, uint64_t at, uint64_t n,
				     uint64_t *hint, int64_t *buffer)
{
	if (p->index->array)
		return p->index->array(p->s) + at;
	p->index->keys(p->s, at, n, hint, buffer);
	return buffer;
}

static inline uint64_t key_order(int64_t key)
{
	return (uint64_t)key ^ UINT64_C(1) << 63;
}

static inline int64_t order_key(uint64_t order)
{
	return (int64_t)(order ^ UINT64_C(1) << 63);
}

static inline uint32_t bucket_of(uint64_t order)
{
	if (!(order >> 63))
		return 1;
	uint64_t v = order << 1 >> 1;
	if (v < EXACT)
		return 2 + (uint32_t)v;
	unsigned power = 63 - (unsigned)__builtin_clzll(v);
	return 2 + EXACT + (power - 10) * PER_POWER +
	       (uint32_t)(v >> (power - 9) & (PER_POWER - 1));
}

/* The lowest order in a bucket. */
static uint64_t bucket_first(uint32_t bucket)
{
	if (bucket < 2)
		return 0;
	uint64_t v = bucket - 2;
	if (v >= EXACT) {
		unsigned power = 10 + (unsigned)((v - EXACT) / PER_POWER);
		v = UINT64_C(1) << power | (v - EXACT) % PER_POWER << (power - 9);
	}
	return UINT64_C(1) << 63 | v;
}

static struct error *plan_ranges(struct bulk_plan *p, const uint64_t *count)
{
	uint64_t most = p->rows / RANGES;
	if (most < p->part * PARTS)
		most = p->part * PARTS;
	struct bulk_range r = {.null = true, .count = count[0]};
	if (r.count && !p->index->partial) {
		struct error *err = vec_push(&p->range, r);
		if (err)
			return err;
	}
	r = (struct bulk_range){.count = 0};
	for (uint32_t b = 1; b < BUCKETS; b++) {
		if (!count[b])
			continue;
		/* A bucket with the rows of several ranges is likely one key: keep it apart. */
		if (r.count && r.count + count[b] > most) {
			struct error *err = vec_push(&p->range, r);
			if (err)
				return err;
			r.count = 0;
		}
		if (!r.count)
			r.lo = bucket_first(b);
		r.hi = b + 1 < BUCKETS ? bucket_first(b + 1) - 1 : UINT64_MAX;
		r.count += count[b];
	}
	return r.count ? vec_push(&p->range, r) : NULL;
}

/* Do the entries of the index come in the order of the rows? */
static bool plan_sorted(const struct bulk_plan *p)
{
	int64_t buffer[BATCH], before = INT64_MIN;
	uint64_t hint = 0;
	bool values = false;
	for (uint64_t at = 0; at < p->rows; at += BATCH) {
		uint64_t n = p->rows - at < BATCH ? p->rows - at : BATCH;
		const int64_t *key = keys_of(p, at, n, &hint, buffer);
		for (uint64_t i = 0; i < n; i++) {
			if (key_null(p->index, key[i])) {
				if (values || p->index->partial)
					return false;
				continue;
			}
			if (key[i] < before)
				return false;
			before = key[i];
			values = true;
		}
	}
	return true;
}

struct error *bulk_plan_make(struct bulk_plan *p)
{
	p->sorted = plan_sorted(p);
	if (p->sorted)
		return NULL;
	uint64_t *count = calloc(BUCKETS, sizeof(*count));
	if (!count)
		return &error_nomem;
	int64_t buffer[BATCH];
	uint64_t hint = 0;
	for (uint64_t at = 0; at < p->rows; at += BATCH) {
		uint64_t n = p->rows - at < BATCH ? p->rows - at : BATCH;
		const int64_t *key = keys_of(p, at, n, &hint, buffer);
		for (uint64_t i = 0; i < n; i++)
			count[key_null(p->index, key[i]) ? 0 : bucket_of(key_order(key[i]))]++;
	}
	struct error *err = plan_ranges(p, count);
	free(count);
	return err;
}

void bulk_plan_deinit(struct bulk_plan *p)
{
	vec_deinit(&p->range);
}

static struct error *add_entry(const struct bulk_plan *p, uint64_t row, int64_t key,
			       uint64_t *tail_hint, struct bulk_leaves *l, bool last)
{
	int64_t tail = (int64_t)row + 1;
	if (p->index->tail)
		p->index->tail(p->s, row, 1, tail_hint, &tail);
	return bulk_leaves_entry(l, key_null(p->index, key), key, tail, last);
}

struct error *bulk_sorted_entries(const struct bulk_plan *p, uint64_t first, uint64_t end,
				  struct bulk_leaves *l)
{
	int64_t buffer[BATCH];
	uint64_t hint = 0, tail_hint = 0;
	struct error *err = NULL;
	for (uint64_t at = first; at < end && !err; at += BATCH) {
		uint64_t n = end - at < BATCH ? end - at : BATCH;
		const int64_t *key = keys_of(p, at, n, &hint, buffer);
		for (uint64_t i = 0; i < n && !err; i++)
			err = add_entry(p, at + i, key[i], &tail_hint, l, at + i + 1 == end);
	}
	return err;
}

/* Walks the rows whose keys are in a range, but the NULL one. */
struct range_walk {
	const struct bulk_plan *plan;
	uint64_t lo, span; /* in the range: order - lo <= span */
	uint64_t at, n, i, hint;
	const int64_t *key;
	int64_t buffer[BATCH];
};

static inline bool walk_next(struct range_walk *w, uint64_t *row, uint64_t *order)
{
	for (;;) {
		while (w->i < w->n) {
			int64_t key = w->key[w->i++];
			*order = key_order(key);
			if (*order - w->lo <= w->span && !key_null(w->plan->index, key)) {
				*row = w->at + w->i - 1;
				return true;
			}
		}
		w->at += w->n;
		if (w->at >= w->plan->rows)
			return false;
		w->n = w->plan->rows - w->at < BATCH ? w->plan->rows - w->at : BATCH;
		w->key = keys_of(w->plan, w->at, w->n, &w->hint, w->buffer);
		w->i = 0;
	}
}

/* `span` numbers from `lo` on, hardly more than there are rows. */
static struct error *range_by_counting(const struct bulk_plan *p, const struct bulk_range *r,
				       uint64_t lo, uint64_t span, bool last, struct bulk_leaves *l)
{
	/* place[k]: where the next row of key lo + k goes; afterwards, where those of k + 1 begin.
	 */
	uint32_t *place = calloc(span + 2, sizeof(*place));
	uint32_t *sorted = malloc(r->count * sizeof(*sorted));
	struct error *err = place && sorted ? NULL : &error_nomem;
	if (!err) {
		struct range_walk w = {.plan = p, .lo = lo, .span = span};
		for (uint64_t row, order; walk_next(&w, &row, &order);)
			place[order - lo + 1]++;
		for (uint64_t k = 1; k <= span; k++)
			place[k] += place[k - 1];
		w = (struct range_walk){.plan = p, .lo = lo, .span = span};
		for (uint64_t row, order; walk_next(&w, &row, &order);)
			sorted[place[order - lo]++] = (uint32_t)row;
	}
	uint64_t tail_hint = 0, k = 0;
	for (uint64_t i = 0; i < r->count && !err; i++) {
		while (place[k] <= i)
			k++;
		err = add_entry(p, sorted[i], order_key(lo + k), &tail_hint, l,
				last && i + 1 == r->count);
	}
	free(place);
	free(sorted);
	return err;
}

struct keyed_row {
	uint64_t order;
	uint32_t row;
};

/* Stable, by the bits of order - lo that can differ. */
static struct keyed_row *radix_sort(struct keyed_row *from, struct keyed_row *to, uint64_t n,
				    uint64_t lo, uint64_t span)
{
	for (unsigned shift = 0; shift < 64 && span >> shift; shift += RADIX_BITS) {
		uint64_t place[(1 << RADIX_BITS) + 1] = {0};
		const uint64_t mask = (1 << RADIX_BITS) - 1;
		for (uint64_t i = 0; i < n; i++)
			place[((from[i].order - lo) >> shift & mask) + 1]++;
		for (unsigned k = 1; k <= mask; k++)
			place[k] += place[k - 1];
		for (uint64_t i = 0; i < n; i++)
			to[place[(from[i].order - lo) >> shift & mask]++] = from[i];
		struct keyed_row *swap = from;
		from = to;
		to = swap;
	}
	return from;
}

static struct error *range_by_radix(const struct bulk_plan *p, const struct bulk_range *r,
				    uint64_t lo, uint64_t span, bool last, struct bulk_leaves *l)
{
	struct keyed_row *a = malloc(r->count * sizeof(*a)), *b = malloc(r->count * sizeof(*b));
	struct error *err = a && b ? NULL : &error_nomem;
	if (!err) {
		struct range_walk w = {.plan = p, .lo = lo, .span = span};
		uint64_t n = 0;
		for (uint64_t row, order; walk_next(&w, &row, &order);)
			a[n++] = (struct keyed_row){order, (uint32_t)row};
		assert(n == r->count);
		const struct keyed_row *sorted = radix_sort(a, b, n, lo, span);
		uint64_t tail_hint = 0;
		for (uint64_t i = 0; i < n && !err; i++)
			err = add_entry(p, sorted[i].row, order_key(sorted[i].order), &tail_hint, l,
					last && i + 1 == n);
	}
	free(a);
	free(b);
	return err;
}

/* All rows of one key: in order as they are. */
static struct error *range_of_one_key(const struct bulk_plan *p, const struct bulk_range *r,
				      int64_t one, bool last, struct bulk_leaves *l)
{
	struct error *err = NULL;
	int64_t buffer[BATCH];
	uint64_t hint = 0, tail_hint = 0, done = 0;
	for (uint64_t at = 0; at < p->rows && !err; at += BATCH) {
		uint64_t n = p->rows - at < BATCH ? p->rows - at : BATCH;
		const int64_t *key = keys_of(p, at, n, &hint, buffer);
		for (uint64_t i = 0; i < n && !err; i++)
			if (key[i] == one)
				err = add_entry(p, at + i, one, &tail_hint, l,
						++done == r->count && last);
	}
	assert(err || done == r->count);
	return err;
}

struct error *bulk_range_entries(const struct bulk_plan *p, const struct bulk_range *r, bool last,
				 struct bulk_leaves *l)
{
	if (r->null)
		return range_of_one_key(p, r, 0, last, l);
	uint64_t lo = r->lo, hi = r->hi, dense = 2 * r->count + 4096;
	if (hi - lo > dense) {
		/* What the keys really are may lie closer together than their buckets. */
		struct range_walk w = {.plan = p, .lo = lo, .span = hi - lo};
		lo = UINT64_MAX, hi = 0;
		for (uint64_t row, order; walk_next(&w, &row, &order);) {
			lo = order < lo ? order : lo;
			hi = order > hi ? order : hi;
		}
	}
	if (lo == hi)
		return range_of_one_key(p, r, order_key(lo), last, l);
	return hi - lo <= dense ? range_by_counting(p, r, lo, hi - lo, last, l)
				: range_by_radix(p, r, lo, hi - lo, last, l);
}
