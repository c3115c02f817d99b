/*
 * cpython_numbers: Python 2's int and float objects, which come out of malloc blocks by the dozen.
 *
 *	malloc block: [ next block | object 0 | object 1 | ... ]	Objects/intobject.c, PyIntBlock
 *
 * An object in use has a count and the type; the type word of a free one links to the next free one,
 * or is 0. A block is known by its size, by one object in use at least, and by the others being
 * plausible; or by the link of a known one, as all of its objects may be free. It becomes a container,
 * each object a block. Mistakes to expect: a block all of whose objects are free and which is the
 * first of the list stays raw.
 */
#include "heap/heap.h"

#include "layout/cpython.h"

#include <string.h>

enum { SLACK = 32, COUNT_MOST = 1 << 30 }; /* bytes that malloc may add; a plausible count */

struct numbers {
	struct heap_context *ctx;
	struct cpython cpython;
	const struct cpython_number_layout *l;
	uint64_t type[2]; /* int, float; 0 not seen yet */
	VEC(uint64_t) pending;
	uint32_t blocks;
};

static const char *const number_name[2] = {"int", "float"};

static bool word_at(const struct numbers *w, uint64_t addr, uint64_t *ret)
{
	return image_try_u64(w->ctx->image, addr, ret);
}

/*
 * Names may be in a binary that is gone. int is the only direct child of `object` with its flag, float
 * the only one of its size that has numbers' slots, no others' and no flag. Include/object.h of 2.7.
 */
static bool is_number_by_slots(const struct numbers *w, uint64_t addr, unsigned i)
{
	enum { AS_NUMBER = 96, AS_SEQUENCE = 104, AS_MAPPING = 112, INT_SUBCLASS = 1 << 23 };
	const struct cpython_type_layout *l = &w->cpython.layout->type;
	const uint64_t subclass = UINT64_C(0xff800000), heap_or_gc = l->flag.heap | l->flag.have_gc;
	uint64_t basicsize, itemsize, flags, base, number, sequence, mapping;
	if (!word_at(w, addr + l->basicsize, &basicsize) || basicsize != w->l->block_item_size ||
	    !word_at(w, addr + l->itemsize, &itemsize) || itemsize ||
	    !word_at(w, addr + l->flags, &flags) || flags & heap_or_gc ||
	    !word_at(w, addr + l->base, &base) || !base || !word_at(w, base + l->base, &base) ||
	    base || !word_at(w, addr + AS_NUMBER, &number) || !number)
		return false;
	if (!i)
		return (flags & subclass) == INT_SUBCLASS;
	return !(flags & subclass) && word_at(w, addr + AS_SEQUENCE, &sequence) && !sequence &&
	       word_at(w, addr + AS_MAPPING, &mapping) && !mapping;
}

/* Is this the address of type int or float? Remembers where they are. */
static bool is_number_type(struct numbers *w, uint64_t addr)
{
	const struct cpython_layout *l = w->cpython.layout;
	uint64_t meta, at;
	char name[8];
	if (!addr || addr % 8)
		return false;
	if (addr == w->type[0] || addr == w->type[1])
		return true;
	if ((w->type[0] && w->type[1]) || !word_at(w, addr + l->object.type, &meta) ||
	    meta != w->cpython.type_type || !word_at(w, addr + l->type.name, &at))
		return false;
	const bool named = image_try_string(w->ctx->image, at, name, sizeof(name) - 1);
	for (unsigned i = 0; i < 2; i++) {
		if (!w->type[i] &&
		    (named ? !strcmp(name, number_name[i]) : is_number_by_slots(w, addr, i))) {
			w->type[i] = addr;
			return true;
		}
	}
	return false;
}

static uint64_t item_address(const struct numbers *w, uint64_t block, unsigned i)
{
	return block + w->l->block_first + (uint64_t)i * w->l->block_item_size;
}

/* In use, as far as the words tell. */
static bool item_used(struct numbers *w, uint64_t item)
{
	const struct cpython_object_layout *l = &w->cpython.layout->object;
	uint64_t count, type;
	return word_at(w, item + l->refcnt, &count) && count && count < COUNT_MOST &&
	       word_at(w, item + l->type, &type) && is_number_type(w, type);
}

static bool item_free(struct numbers *w, uint64_t item)
{
	uint64_t link;
	return word_at(w, item + w->cpython.layout->object.type, &link) && link % 8 == 0 &&
	       (!link || image_segment_find(w->ctx->image, link));
}

static bool size_fits(const struct numbers *w, uint64_t size)
{
	uint64_t least = w->l->block_first + (uint64_t)w->l->block_items * w->l->block_item_size;
	return size >= least && size <= least + SLACK;
}

static bool is_number_block(struct numbers *w, const struct block_row *b)
{
	uint64_t next;
	unsigned used = 0;
	if (b->container || !size_fits(w, b->size) || !word_at(w, b->address, &next) || next % 8)
		return false;
	for (unsigned i = 0; i < w->l->block_items; i++) {
		uint64_t item = item_address(w, b->address, i);
		if (item_used(w, item))
			used++;
		else if (!item_free(w, item))
			return false;
	}
	return used;
}

/* The row stays where it is: adding rows may move the array, so it is copied first. */
static struct error *block_carve(struct numbers *w, uint64_t row)
{
	struct snapshot *s = w->ctx->snapshot;
	struct block_row b = s->block.at[row];
	uint64_t next = 0;
	struct error *err = NULL;
	s->block.at[row].container = 1;
	w->blocks++;
	if (word_at(w, b.address, &next) && next)
		err = vec_push(&w->pending, next);
	for (unsigned i = 0; i < w->l->block_items && !err; i++) {
		uint64_t item = item_address(w, b.address, i);
		err = item_used(w, item)
			      ? snapshot_add_block(s, item, w->l->block_item_size, b.arena_id)
			      : snapshot_add_free(s, item, w->l->block_item_size, b.arena_id,
						  FREE_OBJECTS);
	}
	return err;
}

static int u64_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* One pass: blocks by their contents, or those that known ones link to. */
static struct error *numbers_pass(struct numbers *w, uint64_t rows, bool links)
{
	struct snapshot *s = w->ctx->snapshot;
	struct error *err = NULL;
	VEC(uint64_t) link = {0};
	link.at = w->pending.at;
	link.n = w->pending.n;
	link.room = w->pending.room;
	w->pending.at = NULL;
	w->pending.n = w->pending.room = 0;
	if (link.n)
		qsort(link.at, link.n, sizeof(*link.at), u64_compare);
	for (uint64_t i = 0; i < rows && !err; i++) {
		const struct block_row *b = &s->block.at[i];
		bool linked = links && link.n && !b->container && size_fits(w, b->size) &&
			      bsearch(&b->address, link.at, link.n, sizeof(*link.at), u64_compare);
		if (linked || (!links && is_number_block(w, b)))
			err = block_carve(w, i);
	}
	vec_deinit(&link);
	return err;
}

/* Two interpreters that keep numbers this way: the second finds what the first one's types are not in. */
static struct error *cpython_numbers_scan(struct heap_context *ctx, uint32_t *ret)
{
	struct error *err = NULL;
	*ret = 0;
	for (unsigned nth = 0; nth < CPYTHON_RUNTIMES_MOST && !err; nth++) {
		struct numbers w = {.ctx = ctx};
		bool read = cpython_resolve(ctx->image, ctx->debuginfo, NULL, nth, &w.cpython);
		if (!w.cpython.module_id)
			break;
		if (!read || !w.cpython.layout->number.block_items)
			continue;
		w.l = &w.cpython.layout->number;
		uint64_t rows = ctx->snapshot->block.n;
		err = numbers_pass(&w, rows, false);
		/* A run of blocks without a number in use is as long as it is: rarely more than one. */
		for (unsigned i = 0; w.pending.n && i < 64 && !err; i++)
			err = numbers_pass(&w, rows, true);
		vec_deinit(&w.pending);
		log_info(ctx->log, "CPython: %u blocks of int and float objects", w.blocks);
	}
	return err;
}

const struct allocator allocator_cpython_numbers = {
	.name = "cpython numbers",
	.scan = cpython_numbers_scan,
};
