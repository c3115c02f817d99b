/*
 * biggest: of the objects of each type and size those that retain the most, so that what is biggest of a
 * type, or among sizes, need not be looked for among all of them.
 *
 * Types and sizes are few (census.c), and hardly any object gets past the one that was the least of its
 * kind's best so far. Cost: a table lookup per object.
 */
#include "analysis/analysis.h"

#include "base/cleanup.h"

#include <assert.h>
#include <stdlib.h>

/* Objects of one type and size. */
struct kind {
	uint64_t size;
	uint32_t type_id;
	uint32_t room, n; /* how many are kept; how many are there */
	uint64_t first;	  /* entry[first .. + room): a heap, the least at its top */
};

struct biggest {
	const struct object_table *o;
	struct kind *kind;
	uint32_t kinds;
	uint32_t *slot; /* number of a kind + 1; 0 empty; open addressing */
	uint64_t slots; /* a power of two, at least twice the kinds */
	uint32_t *entry;
};

static void biggest_deinit(struct biggest *b)
{
	free(b->kind);
	free(b->slot);
	free(b->entry);
}

static uint32_t *kind_slot(const struct biggest *b, uint32_t type_id, uint64_t size)
{
	uint64_t h = size * UINT64_C(0x9e3779b97f4a7c15) ^ type_id * UINT64_C(0xc2b2ae3d27d4eb4f);
	for (uint64_t i = h ^ h >> 29;; i++) {
		uint32_t *slot = &b->slot[i & (b->slots - 1)];
		const struct kind *k = *slot ? &b->kind[*slot - 1] : NULL;
		if (!k || (k->size == size && k->type_id == type_id))
			return slot;
	}
}

/* The census has the kinds in their order, each in several rows. */
static struct error *biggest_init(struct biggest *b, const struct snapshot *s)
{
	uint64_t entries = 0, rows = s->census.n;
	b->o = &s->object;
	for (b->slots = 16; b->slots < 2 * rows; b->slots *= 2)
		;
	b->kind = calloc(rows + 1, sizeof(*b->kind));
	b->slot = calloc(b->slots, sizeof(*b->slot));
	if (!b->kind || !b->slot)
		return &error_nomem;
	for (uint64_t i = 0; i < rows; i++) {
		const struct census_row *r = &s->census.at[i];
		struct kind *k = b->kinds ? &b->kind[b->kinds - 1] : NULL;
		if (!k || k->type_id != r->type_id || k->size != r->size) {
			k = &b->kind[b->kinds];
			*k = (struct kind){.size = r->size, .type_id = r->type_id};
			uint32_t *slot = kind_slot(b, r->type_id, r->size);
			assert(!*slot);
			*slot = ++b->kinds;
		}
		uint64_t room = (uint64_t)k->room + r->objects;
		k->room = room < BIGGEST_EACH ? (uint32_t)room : BIGGEST_EACH;
	}
	for (uint32_t i = 0; i < b->kinds; i++) {
		b->kind[i].first = entries;
		entries += b->kind[i].room;
	}
	b->entry = calloc(entries + 1, sizeof(*b->entry));
	return b->entry ? NULL : &error_nomem;
}

/* More is retained by x than by y; of equal ones the lower id is first. */
static bool is_before(const struct biggest *b, uint32_t x, uint32_t y)
{
	uint64_t rx = b->o->retained[x - 1], ry = b->o->retained[y - 1];
	return rx != ry ? rx > ry : x < y;
}

/* Moves an id down from the top, among the first n. */
static void heap_sink(const struct biggest *b, uint32_t *heap, uint32_t n, uint32_t id)
{
	uint32_t at = 0;
	for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && is_before(b, heap[child], heap[child + 1]))
			child++;
		if (!is_before(b, id, heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = id;
}

static void heap_rise(const struct biggest *b, uint32_t *heap, uint32_t at, uint32_t id)
{
	for (; at; at = (at - 1) / 2) {
		uint32_t above = heap[(at - 1) / 2];
		if (!is_before(b, above, id))
			break;
		heap[at] = above;
	}
	heap[at] = id;
}

static void biggest_add(struct biggest *b, uint32_t id)
{
	const struct object_table *o = b->o;
	uint32_t slot = *kind_slot(b, o->type_id ? o->type_id[id - 1] : 0, o->size[id - 1]);
	assert(slot); /* the census saw every object */
	struct kind *k = &b->kind[slot - 1];
	uint32_t *heap = &b->entry[k->first];
	if (k->n < k->room)
		heap_rise(b, heap, k->n++, id);
	else if (is_before(b, id, heap[0]))
		heap_sink(b, heap, k->n, id);
}

/* Rows by type, the biggest size first; of one kind those that retain the most first. */
static struct error *biggest_rows(const struct biggest *b, struct snapshot *s)
{
	struct error *err = NULL;
	s->biggest.n = 0;
	for (uint32_t i = 0, end; i < b->kinds && !err; i = end) {
		for (end = i; end < b->kinds && b->kind[end].type_id == b->kind[i].type_id; end++)
			;
		for (uint32_t j = end; j-- > i && !err;) {
			const struct kind *k = &b->kind[j];
			uint32_t *heap = &b->entry[k->first];
			for (uint32_t n = k->n; n > 1;) {
				uint32_t least = heap[0];
				heap_sink(b, heap, n - 1, heap[n - 1]);
				heap[--n] = least;
			}
			for (uint32_t n = 0; n < k->n && !err; n++)
				err = vec_push(&s->biggest, heap[n]);
		}
	}
	return err;
}

struct error *analysis_biggest(struct snapshot *s, struct log *log)
{
	(void)log;
	_cleanup_(biggest_deinit) struct biggest b = {0};
	if (!s->object.retained)
		return NULL;
	struct error *err = biggest_init(&b, s);
	for (uint32_t i = 0; i < s->object.n && !err; i++)
		biggest_add(&b, i + 1);
	if (!err)
		err = biggest_rows(&b, s);
	return err ? err : snapshot_meta(s, "biggest_each", "%d", BIGGEST_EACH);
}
