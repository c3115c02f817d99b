/* seal: ends the block phase. Sorts, proves apart, makes the object table, balances the books. */
#include "snapshot/snapshot.h"
#include "snapshot/snapshot_impl.h"

#include "base/cleanup.h"
#include "base/huge.h"

#include <assert.h>
#include <inttypes.h>

static int extent_compare(const void *a, const void *b)
{
	const struct extent_row *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

static int opaque_compare(const void *a, const void *b)
{
	const struct opaque_row *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

#define sort_unless_sorted(v, compare)                                                             \
	do {                                                                                       \
		bool sorted_ = true;                                                               \
		for (uint64_t i_ = 1; i_ < (v)->n && sorted_; i_++)                                \
			sorted_ = compare(&(v)->at[i_ - 1], &(v)->at[i_]) <= 0;                    \
		if (!sorted_)                                                                      \
			qsort((v)->at, (v)->n, sizeof(*(v)->at), compare);                         \
	} while (0)

static const char *seal_allocator(const struct snapshot *s, uint32_t arena_id)
{
	return arena_id ? intern_text(&s->strings, s->arena.at[arena_id - 1].allocator) : "";
}

/* The allocator of an extent or block as a string's id; 0: none. */
static uint32_t seal_owner(const struct snapshot *s, uint32_t arena_id)
{
	return arena_id ? s->arena.at[arena_id - 1].allocator : 0;
}

struct extents {
	VEC(struct extent_row) row;
};

/* Adds to `ret` what of `e` the sorted extents `taken` leave. *k moves forward with e. */
static struct error *extent_cut(const struct extents *taken, uint64_t *k, struct extent_row e,
				struct extents *ret)
{
	struct error *err = NULL;
	const struct extent_row *t = taken->row.at;
	while (e.start < e.end && !err) {
		while (*k < taken->row.n && t[*k].end <= e.start)
			++*k;
		struct extent_row part = e;
		if (*k < taken->row.n && t[*k].start < e.end) {
			part.end = t[*k].start;
			e.start = t[*k].end;
		} else {
			e.start = e.end;
		}
		if (part.start < part.end)
			err = vec_push(&ret->row, part);
	}
	return err;
}

/* One allocator's extents (or nobody's) around those that are taken; its own must not overlap. */
static struct error *seal_extents_of(struct snapshot *s, uint32_t owner, struct extents *taken)
{
	struct extents own = {0}, all = {0};
	struct error *err = NULL;
	for (uint64_t i = 0; i < s->extent.n && !err; i++)
		if (seal_owner(s, s->extent.at[i].arena_id) == owner)
			err = vec_push(&own.row, s->extent.at[i]);
	sort_unless_sorted(&own.row, extent_compare);
	uint64_t end = 0, k = 0;
	uint32_t last = 0;
	for (uint64_t i = 0; i < own.row.n && !err; i++) {
		struct extent_row e = own.row.at[i];
		if (e.start < end && owner)
			damage_add(s->damage, DAMAGE_HEAP, e.start,
				   "arenas %u and %u both claim 0x%" PRIx64
				   ": the second one's claim is cut",
				   last, e.arena_id, e.start);
		if (e.start < end)
			e.start = end;
		if (e.start >= e.end)
			continue;
		end = e.end;
		last = e.arena_id;
		err = extent_cut(taken, &k, e, &all);
	}
	for (uint64_t i = 0; i < taken->row.n && !err; i++)
		err = vec_push(&all.row, taken->row.at[i]);
	vec_deinit(&own.row);
	if (err) {
		vec_deinit(&all.row);
		return err;
	}
	sort_unless_sorted(&all.row, extent_compare);
	vec_deinit(&taken->row);
	*taken = all;
	return NULL;
}

/*
 * Extents must not overlap. An allocator knows its own memory best, so its extents win over what
 * others guessed for the same bytes (a stack inside a heap block, say). Of two allocators the later
 * one wins: it had the memory from the earlier one (a block that it carves up), or the earlier one
 * took for a chunk what only looks like it. Within one allocator the first wins.
 */
static struct error *seal_extents(struct snapshot *s)
{
	VEC(uint32_t) owner = {0};
	struct error *err = vec_push(&owner, 0);
	for (uint64_t i = 0; i < s->arena.n && !err; i++) {
		uint64_t k = 0;
		while (k < owner.n && owner.at[k] != s->arena.at[i].allocator)
			k++;
		if (k == owner.n)
			err = vec_push(&owner, s->arena.at[i].allocator);
	}
	struct extents taken = {0};
	for (uint64_t i = owner.n; i-- > 0 && !err;)
		err = seal_extents_of(s, owner.at[i], &taken);
	vec_deinit(&owner);
	if (err) {
		vec_deinit(&taken.row);
		return err;
	}
	vec_deinit(&s->extent);
	s->extent.at = taken.row.at;
	s->extent.n = taken.row.n;
	s->extent.room = taken.row.room;
	return NULL;
}

static void seal_opaque(struct snapshot *s)
{
	if (!s->opaque.n)
		return;
	sort_unless_sorted(&s->opaque, opaque_compare);
	uint64_t n = 1;
	for (uint64_t i = 1; i < s->opaque.n; i++) {
		struct opaque_row *last = &s->opaque.at[n - 1];
		struct opaque_row r = s->opaque.at[i];
		if (r.start < last->end)
			r.start = last->end;
		if (r.start < r.end)
			s->opaque.at[n++] = r;
	}
	s->opaque.n = n;
}

/*
 * Allocators report in address order, one arena after the other: ascending runs, a few thousand at
 * most, which interleave where the arenas of one lie between the blocks of another. A heap of runs
 * merges them: the run with the lowest head gives all that is lower than the next run's head at
 * once. Linear but for the switches from run to run.
 *
 * Blocks and free blocks both begin with address and size; that is all that is looked at.
 */
struct run {
	const uint8_t *at, *end;
};

enum { RUNS_MOST = 1 << 16 };

struct run_key {
	uint64_t address, size;
};
static_assert(offsetof(struct block_row, address) == offsetof(struct run_key, address) &&
		      offsetof(struct block_row, size) == offsetof(struct run_key, size) &&
		      offsetof(struct free_row, address) == offsetof(struct run_key, address) &&
		      offsetof(struct free_row, size) == offsetof(struct run_key, size),
	      "blocks and free blocks begin alike");

/* By address; a container before what lies in it. */
static int run_compare(const void *a, const void *b)
{
	struct run_key x, y;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (x.address != y.address)
		return x.address < y.address ? -1 : 1;
	return x.size > y.size ? -1 : x.size < y.size;
}

static bool run_before(const uint8_t *a, const uint8_t *b)
{
	return run_compare(a, b) < 0;
}

static void run_sift(struct run *heap, uint64_t n, uint64_t i)
{
	for (;;) {
		uint64_t least = i;
		for (uint64_t c = 2 * i + 1; c < n && c <= 2 * i + 2; c++)
			if (run_before(heap[c].at, heap[least].at))
				least = c;
		if (least == i)
			return;
		struct run t = heap[i];
		heap[i] = heap[least];
		heap[least] = t;
		i = least;
	}
}

/* The runs of [at, end) by rows of `width`; more than RUNS_MOST: *n is that + 1. */
static struct run *run_split(const uint8_t *at, const uint8_t *end, size_t width, uint64_t *n)
{
	VEC(struct run) run = {0};
	const uint8_t *from = at;
	struct error *err = NULL;
	for (const uint8_t *p = at + width; p <= end && run.n <= RUNS_MOST && !err; p += width) {
		if (p < end && !run_before(p, p - width))
			continue;
		err = vec_push(&run, ((struct run){from, p}));
		from = p;
	}
	*n = run.n;
	if (err)
		vec_deinit(&run);
	return run.at;
}

/* Sorts the rows *at[0 .. n) by address; false: out of memory. */
static bool seal_order(void **at, uint64_t n, uint64_t *room, size_t width)
{
	uint64_t runs = 0;
	if (n < 2)
		return true;
	_cleanup_free_ struct run *run = run_split(*at, (uint8_t *)*at + n * width, width, &runs);
	if (!run)
		return false;
	if (runs == 1)
		return true;
	if (runs > RUNS_MOST) {
		qsort(*at, n, width, run_compare);
		return true;
	}
	uint8_t *sorted = malloc(n * width), *to = sorted;
	if (!sorted)
		return false;
	for (uint64_t i = runs; i-- > 0;)
		run_sift(run, runs, i);
	while (runs) {
		struct run *r = &run[0];
		const uint8_t *from = r->at, *next = runs > 1 ? run[1].at : NULL;
		if (runs > 2 && run_before(run[2].at, next))
			next = run[2].at;
		do
			r->at += width;
		while (r->at < r->end && (!next || !run_before(next, r->at)));
		memcpy(to, from, (size_t)(r->at - from));
		to += r->at - from;
		if (r->at == r->end)
			run[0] = run[--runs];
		run_sift(run, runs, 0);
	}
	free(*at);
	*at = sorted;
	*room = n;
	return true;
}

enum seal_place {
	PLACE_OWN,	/* in heap extents of its arena, or of no arena */
	PLACE_CARVED,	/* another allocator has some of it for its own: a container */
	PLACE_MISTAKEN, /* it lies in what another allocator has for its own */
	PLACE_NOWHERE,	/* in no extent of its arena */
};

/* Where a block of this arena lies. *k moves forward with the addresses. */
static enum seal_place seal_place(const struct snapshot *s, uint64_t *k, uint64_t address,
				  uint64_t size, uint32_t arena_id)
{
	uint64_t end = address + size, at = address;
	if (!arena_id)
		return PLACE_OWN;
	const struct extent_row *e = s->extent.at;
	uint32_t owner = seal_owner(s, arena_id);
	while (*k < s->extent.n && e[*k].end <= address)
		++*k;
	for (uint64_t i = *k; i < s->extent.n && (e[i].start < end || i == *k); i++) {
		uint32_t other = seal_owner(s, e[i].arena_id);
		if (other && other != owner && e[i].start < end)
			return e[i].start <= address && e[i].end >= end ? PLACE_MISTAKEN
									: PLACE_CARVED;
		if (e[i].start > at || e[i].kind != EXTENT_HEAP || e[i].arena_id != arena_id)
			return PLACE_NOWHERE;
		at = e[i].end;
		if (at >= end)
			return PLACE_OWN;
	}
	return PLACE_NOWHERE;
}

/* Blocks that lie where they cannot be, and those that another allocator carved up. */
static void seal_place_blocks(struct snapshot *s)
{
	struct block_row *b = s->block.at;
	uint64_t n = 0, k = 0;
	for (uint64_t i = 0; i < s->block.n; i++) {
		if (b[i].address + b[i].size < b[i].address)
			continue;
		switch (seal_place(s, &k, b[i].address, b[i].size, b[i].arena_id)) {
		case PLACE_OWN:
			b[n++] = b[i];
			break;
		case PLACE_CARVED:
		case PLACE_MISTAKEN:
			break;
		case PLACE_NOWHERE:
			damage_add(s->damage, DAMAGE_HEAP, b[i].address,
				   "block at 0x%" PRIx64 " (%" PRIu64
				   " bytes) lies outside its arena: left out",
				   b[i].address, b[i].size);
			break;
		}
	}
	s->block.n = n;
}

/* Drops overlaps, leaves containers out; what stays is dense. */
static void seal_separate_blocks(struct snapshot *s)
{
	struct block_row *b = s->block.at;
	uint64_t n = 0;
	for (uint64_t i = 0; i < s->block.n; i++) {
		struct block_row r = b[i];
		if (r.address + r.size < r.address || r.container)
			continue;
		if (n && r.address < b[n - 1].address + b[n - 1].size) {
			struct block_row *last = &b[n - 1];
			bool inside = r.address + r.size <= last->address + last->size;
			if (inside && strcmp(seal_allocator(s, r.arena_id),
					     seal_allocator(s, last->arena_id))) {
				/* Carved up by another allocator: the parts are the objects. */
				*last = r;
				continue;
			}
			damage_add_culprit(s->damage, DAMAGE_HEAP, r.address, last->address,
					   "block at 0x%" PRIx64 " (%" PRIu64
					   " bytes) lies inside the one at 0x%" PRIx64 " (%" PRIu64
					   " bytes): left out",
					   r.address, r.size, last->address, last->size);
			continue;
		}
		b[n++] = r;
	}
	s->block.n = n;
}

static void seal_separate_free(struct snapshot *s)
{
	const struct block_row *b = s->block.at;
	uint64_t n = 0, k = 0, e = 0, end = 0;
	for (uint64_t i = 0; i < s->free.n; i++) {
		struct free_row f = s->free.at[i];
		if (f.address + f.size < f.address)
			continue;
		while (k < s->block.n && b[k].address + b[k].size <= f.address)
			k++;
		bool live = k < s->block.n && b[k].address < f.address + f.size;
		enum seal_place place = seal_place(s, &e, f.address, f.size, f.arena_id);
		if (place == PLACE_CARVED || place == PLACE_MISTAKEN)
			continue;
		if (place == PLACE_NOWHERE || f.address < end || live) {
			damage_add(s->damage, DAMAGE_HEAP, f.address,
				   "free block at 0x%" PRIx64 " (%" PRIu64
				   " bytes) overlaps another one, or its arena's end: left out",
				   f.address, f.size);
			continue;
		}
		end = f.address + f.size;
		s->free.at[n++] = f;
	}
	s->free.n = n;
}

static struct error *seal_objects(struct snapshot *s)
{
	if (s->block.n >= UINT32_MAX)
		return error_new(ERROR_INPUT, "more than 4,294,967,294 live blocks");
	struct object_table *o = &s->object;
	size_t n = (size_t)s->block.n;
	o->n = (uint32_t)n;
	o->address = huge_alloc(n, sizeof(*o->address));
	o->size = huge_alloc(n, sizeof(*o->size));
	o->arena_id = huge_alloc(n, sizeof(*o->arena_id));
	o->type_id = huge_zalloc(n, sizeof(*o->type_id));
	if (!o->address || !o->size || !o->arena_id || !o->type_id)
		return &error_nomem;
	for (size_t i = 0; i < n; i++) {
		o->address[i] = s->block.at[i].address;
		o->size[i] = s->block.at[i].size;
		o->arena_id[i] = s->block.at[i].arena_id;
	}
	vec_deinit(&s->block);
	return NULL;
}

/* Blocks and free blocks must lie in a HEAP extent of their arena; overhead is what is left of it.
 */
static struct error *seal_books(struct snapshot *s)
{
	for (uint64_t a = 0; a < s->arena.n; a++)
		s->arena.at[a].used_bytes = s->arena.at[a].free_bytes =
			s->arena.at[a].overhead_bytes = 0;
	for (uint64_t i = 0; i < s->extent.n; i++) {
		const struct extent_row *e = &s->extent.at[i];
		if (e->arena_id && e->kind != EXTENT_RESERVED)
			s->arena.at[e->arena_id - 1].overhead_bytes += e->end - e->start;
	}
	for (uint32_t i = 0; i < s->object.n; i++)
		if (s->object.arena_id[i])
			s->arena.at[s->object.arena_id[i] - 1].used_bytes += s->object.size[i];
	for (uint64_t i = 0; i < s->free.n; i++)
		if (s->free.at[i].arena_id)
			s->arena.at[s->free.at[i].arena_id - 1].free_bytes += s->free.at[i].size;
	for (uint64_t a = 0; a < s->arena.n; a++) {
		struct arena_row *r = &s->arena.at[a];
		uint64_t taken = r->used_bytes + r->free_bytes;
		if (taken > r->overhead_bytes)
			return error_new(ERROR_SYSTEM,
					 "arena %" PRIu64 " has %" PRIu64
					 " bytes of blocks in %" PRIu64 " bytes of extents",
					 a + 1, taken, r->overhead_bytes);
		r->overhead_bytes -= taken;
	}
	return NULL;
}

struct error *snapshot_seal_blocks(struct snapshot *s)
{
	struct error *err = seal_extents(s);
	if (err)
		return err;
	seal_opaque(s);
	if (!seal_order((void **)&s->block.at, s->block.n, &s->block.room, sizeof(*s->block.at)) ||
	    !seal_order((void **)&s->free.at, s->free.n, &s->free.room, sizeof(*s->free.at)))
		return &error_nomem;
	seal_place_blocks(s);
	seal_separate_blocks(s);
	seal_separate_free(s);
	err = seal_objects(s);
	if (!err)
		err = seal_books(s);
	if (!err)
		err = snapshot_locator_init(s);
	s->blocks_sealed = !err;
	return err;
}
