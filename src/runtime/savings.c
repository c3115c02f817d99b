/*
 * savings: which objects say the same, byte for byte, and what containers keep unused. What that
 * is worth, analysis/savings.c adds up.
 *
 *	1  a hash of every object's contents, in parallel: each byte is read once, since contents
 *	   lie in the object's own memory
 *	2  a filter of two bits for each hash drops nearly all that are alone with theirs
 *	3  the others in a table by hash: groups, each with its first object
 *	4  each member is compared with the first of its group, in parallel; what has the same hash
 *	   and is not the same, is in no group
 *
 * Cost: 8 bytes an object for the hashes, two bytes for the filter, while this runs; linear.
 */
#include "runtime/runtime.h"

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/huge.h"
#include "base/parallel.h"

#include <inttypes.h>
#include <string.h>

enum {
	SLICE_GRAIN = 1 << 14,
	CHUNK = 4096, /* bytes hashed at a time */
	FILTER = 8,   /* bits of a filter for each object */
	SLICES = 64,
};

#define MIX UINT64_C(0x9e3779b97f4a7c15)

struct savings_job {
	const struct runtime_context *ctx;
	uint64_t *hash; /* by object id - 1; 0: no contents */
	struct equal_row *member;
	const uint32_t *first; /* by group - 1: object id */
	VEC(struct spare_row) spare[SLICES];
};

/* ---- contents ---- */

static const struct runtime *runtime_of(const struct runtime_context *ctx, uint32_t id)
{
	const uint8_t *runtime = ctx->snapshot->object.runtime;
	return runtime && runtime[id - 1] ? runtime_table[runtime[id - 1] - 1]
					  : runtime_table[RUNTIME_native];
}

static bool contents_of(const struct runtime_context *ctx, uint32_t id, struct object_contents *ret)
{
	const struct runtime *r = runtime_of(ctx, id);
	*ret = (struct object_contents){.form = 0};
	return r->contents && r->contents(ctx, id, ret) && ret->bytes;
}

/* The next bytes of the contents, at most CHUNK: where they are, or a copy. NULL: missing. */
static const uint8_t *contents_next(const struct image *img, struct image_cursor *cursor,
				    uint64_t at, uint64_t len, uint8_t *copy)
{
	const uint8_t *p = image_view_all(img, cursor, at, len);
	if (p)
		return p;
	return image_try_read(img, at, copy, len) ? copy : NULL;
}

static inline uint64_t word_at(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w;
}

static inline uint64_t hash_mix(uint64_t h, uint64_t w)
{
	h = (h ^ w) * MIX;
	return h ^ h >> 29;
}

/* Four words side by side: the multiplications of one do not wait for the others'. *any: all bits. */
static uint64_t hash_bytes(uint64_t seed, const uint8_t *p, uint64_t len, uint64_t *any)
{
	uint64_t a = seed, b = seed + MIX, c = seed + 2 * MIX, d = seed + 3 * MIX, i = 0, all = 0;
	for (; i + 32 <= len; i += 32) {
		uint64_t w0 = word_at(p + i), w1 = word_at(p + i + 8);
		uint64_t w2 = word_at(p + i + 16), w3 = word_at(p + i + 24);
		all |= w0 | w1 | w2 | w3;
		a = hash_mix(a, w0);
		b = hash_mix(b, w1);
		c = hash_mix(c, w2);
		d = hash_mix(d, w3);
	}
	for (; i + 8 <= len; i += 8) {
		all |= word_at(p + i);
		a = hash_mix(a, word_at(p + i));
	}
	if (i < len) {
		uint64_t w = 0;
		memcpy(&w, p + i, len - i);
		all |= w;
		b = hash_mix(b, w);
	}
	*any |= all;
	return hash_mix(hash_mix(hash_mix(a, b), c), d);
}

/* 0: all zeroes, or not all of it is in the dump. */
static uint64_t contents_hash(const struct image *img, struct image_cursor *cursor,
			      const struct object_contents *c)
{
	uint8_t copy[CHUNK];
	uint64_t h = hash_mix(c->form * MIX, c->bytes), any = 0;
	for (uint64_t at = 0; at < c->bytes; at += CHUNK) {
		uint64_t len = c->bytes - at < CHUNK ? c->bytes - at : CHUNK;
		const uint8_t *p = contents_next(img, cursor, c->address + at, len, copy);
		if (!p)
			return 0;
		h = hash_bytes(h, p, len, &any);
	}
	return !any ? 0 : h ? h : 1;
}

static bool contents_equal(const struct image *img, const struct object_contents *a,
			   const struct object_contents *b)
{
	uint8_t ca[CHUNK], cb[CHUNK];
	struct image_cursor at_a = {0}, at_b = {0};
	if (a->form != b->form || a->bytes != b->bytes)
		return false;
	for (uint64_t at = 0; at < a->bytes; at += CHUNK) {
		uint64_t len = a->bytes - at < CHUNK ? a->bytes - at : CHUNK;
		const uint8_t *p = contents_next(img, &at_a, a->address + at, len, ca);
		const uint8_t *q = contents_next(img, &at_b, b->address + at, len, cb);
		if (!p || !q || memcmp(p, q, len))
			return false;
	}
	return true;
}

/* ---- 1, and what containers keep ---- */

static struct error *hash_slice(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct savings_job *job = arg;
	const struct runtime_context *ctx = job->ctx;
	struct image_cursor cursor = {0};
	for (uint64_t i = first; i < end; i++) {
		const uint32_t id = (uint32_t)i + 1;
		const struct runtime *r = runtime_of(ctx, id);
		struct object_contents c;
		struct object_spare s;
		if (contents_of(ctx, id, &c))
			job->hash[i] = contents_hash(ctx->image, &cursor, &c);
		if (!r->spare || !r->spare(ctx, id, &s))
			continue;
		struct error *err = vec_push(&job->spare[slice], ((struct spare_row){
									 .object_id = id,
									 .capacity = s.capacity,
									 .used = s.used,
									 .bytes = s.bytes,
								 }));
		if (err)
			return err;
	}
	return NULL;
}

static struct error *spare_join(struct savings_job *job, unsigned slices)
{
	struct error *err = NULL;
	for (unsigned k = 0; k < slices && !err; k++)
		for (uint64_t i = 0; i < job->spare[k].n && !err; i++)
			err = vec_push(&job->ctx->snapshot->spare, job->spare[k].at[i]);
	return err;
}

/* Two runs, each in order, the second from `middle` on, into one. */
static struct error *spare_merge(struct spare_row *row, uint64_t middle, uint64_t n)
{
	const uint64_t more = n - middle;
	_cleanup_free_ struct spare_row *second = malloc(more * sizeof(*second));
	if (!second)
		return &error_nomem;
	memcpy(second, row + middle, more * sizeof(*second));
	for (uint64_t a = middle, b = more, to = n; b;)
		row[--to] = a && row[a - 1].object_id > second[b - 1].object_id ? row[--a]
										: second[--b];
	return NULL;
}

/* Those that the runtimes know as a whole; no object is of two of them. */
static struct error *spare_native(struct runtime_context *ctx)
{
	struct snapshot *s = ctx->snapshot;
	const uint64_t before = s->spare.n;
	struct error *err = NULL;
	/* of one runtime: two runs, then */
	for (unsigned i = 0; i < RUNTIMES && !err && s->spare.n == before; i++)
		if (runtime_table[i]->containers)
			err = runtime_table[i]->containers(ctx);
	if (!err && before && s->spare.n > before)
		err = spare_merge(s->spare.at, before, s->spare.n);
	return err;
}

/* ---- 2 ---- */

static uint64_t power_of_two(uint64_t least)
{
	uint64_t n = 64;
	while (n < least)
		n *= 2;
	return n;
}

/* Drops hashes that are certainly no other's. Returns how many are left. */
static struct error *filter(uint64_t *hash, uint32_t n, uint64_t *left)
{
	struct bits once = {0}, twice = {0};
	const uint64_t mask = power_of_two((uint64_t)n * FILTER) - 1;
	struct error *err = bits_init(&once, mask + 1);
	if (!err)
		err = bits_init(&twice, mask + 1);
	*left = 0;
	for (uint32_t i = 0; i < n && !err; i++)
		if (hash[i] && bits_test_set(&once, hash[i] & mask))
			bits_set(&twice, hash[i] & mask);
	for (uint32_t i = 0; i < n && !err; i++) {
		if (hash[i] && !bits_test(&twice, hash[i] & mask))
			hash[i] = 0;
		*left += hash[i] != 0;
	}
	bits_deinit(&once);
	bits_deinit(&twice);
	return err;
}

/* ---- 3 ---- */

/* Numbers the groups by their first objects; fills member[0, left) in id order. */
static struct error *group(const uint64_t *hash, uint32_t n, uint64_t left,
			   struct equal_row *member, uint32_t *first)
{
	const uint64_t mask = power_of_two(left * 2) - 1;
	_cleanup_free_ uint32_t *slot = huge_zalloc(mask + 1, sizeof(*slot)); /* group; 0: none */
	uint32_t groups = 0;
	uint64_t members = 0;
	if (!slot)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++) {
		if (!hash[i])
			continue;
		uint64_t at = (hash[i] >> 7) & mask;
		while (slot[at] && hash[first[slot[at] - 1] - 1] != hash[i])
			at = (at + 1) & mask;
		if (!slot[at]) {
			first[groups] = i + 1;
			slot[at] = ++groups;
		}
		member[members++] = (struct equal_row){.object_id = i + 1, .group = slot[at]};
	}
	return NULL;
}

/* ---- 4 ---- */

static struct error *verify_slice(void *arg, unsigned slice, uint64_t from, uint64_t end)
{
	struct savings_job *job = arg;
	(void)slice;
	for (uint64_t i = from; i < end; i++) {
		struct equal_row *m = &job->member[i];
		const uint32_t first = job->first[m->group - 1];
		struct object_contents a, b;
		if (m->object_id != first && (!contents_of(job->ctx, first, &a) ||
					      !contents_of(job->ctx, m->object_id, &b) ||
					      !contents_equal(job->ctx->image, &a, &b)))
			m->group = 0;
	}
	return NULL;
}

/* Groups of two and more, numbered from 1 in the order of their first objects. */
static struct error *keep(struct snapshot *s, const struct equal_row *member, uint64_t n,
			  uint32_t *number)
{
	uint32_t groups = 0;
	struct error *err = NULL;
	memset(number, 0, n * sizeof(*number));
	for (uint64_t i = 0; i < n; i++)
		if (member[i].group)
			number[member[i].group - 1]++;
	for (uint64_t i = 0; i < n; i++)
		number[i] = number[i] > 1 ? ++groups : 0;
	for (uint64_t i = 0; i < n && !err; i++)
		if (member[i].group && number[member[i].group - 1])
			err = vec_push(&s->equal,
				       ((struct equal_row){.object_id = member[i].object_id,
							   .group = number[member[i].group - 1]}));
	s->equal_groups = groups;
	return err;
}

static struct error *savings_equal(struct savings_job *job)
{
	struct snapshot *s = job->ctx->snapshot;
	uint64_t left;
	struct error *err = filter(job->hash, s->object.n, &left);
	if (err || !left)
		return err;
	_cleanup_free_ struct equal_row *member = malloc(left * sizeof(*member));
	_cleanup_free_ uint32_t *first = malloc(left * sizeof(*first));
	if (!member || !first)
		return &error_nomem;
	err = group(job->hash, s->object.n, left, member, first);
	job->member = member;
	job->first = first;
	if (!err)
		err = parallel_for(left, parallel_slices(left, SLICE_GRAIN), verify_slice, job);
	return err ? err : keep(s, member, left, first);
}

struct error *runtime_savings(struct runtime_context *ctx)
{
	struct snapshot *s = ctx->snapshot;
	if (!s->object.n || !s->edge.first)
		return NULL;
	_cleanup_free_ struct savings_job *job = calloc(1, sizeof(*job));
	_cleanup_free_ uint64_t *hash = huge_zalloc(s->object.n, sizeof(*hash));
	if (!job || !hash)
		return &error_nomem;
	job->ctx = ctx;
	job->hash = hash;
	const unsigned slices = parallel_slices(s->object.n, SLICE_GRAIN);
	struct error *err = parallel_for(s->object.n, slices, hash_slice, job);
	if (!err)
		err = spare_join(job, slices);
	if (!err)
		err = spare_native(ctx);
	if (!err)
		err = savings_equal(job);
	for (unsigned k = 0; k < SLICES; k++)
		vec_deinit(&job->spare[k]);
	if (!err)
		log_info(ctx->log,
			 "savings: %" PRIu32 " contents that several objects have (%" PRIu64
			 " of them), %" PRIu64 " containers with room to spare",
			 s->equal_groups, s->equal.n, s->spare.n);
	return err;
}
