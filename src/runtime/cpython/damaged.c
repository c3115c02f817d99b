/* damaged: see damaged.h. */
#include "runtime/cpython/damaged.h"

#include "base/parallel.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	SLICE_GRAIN = 1 << 14,
	HEAD_NEAR = 64, /* bytes of a block that may precede a GC head */
	GC_COLLECTING = 1 << 1 /* Include/internal/pycore_gc.h, PREV_MASK_COLLECTING, 3.8 */,
};

/* One sentence for all of a kind, whatever their number. */
static const struct {
	const char *one, *many, *what;
} text_of[PY_DAMAGES] = {
	[PY_DAMAGE_LIST] = {"list", "lists", "more items than there is room for"},
	[PY_DAMAGE_DICT_TABLE] = {"dict", "dicts", "a table that cannot be one"},
	[PY_DAMAGE_DICT_COUNT] = {"dict", "dicts", "another number of entries than it says"},
	[PY_DAMAGE_SET] = {"set", "sets", "a table that cannot be one"},
	[PY_DAMAGE_SET_COUNT] = {"set", "sets", "another number of members than it says"},
	[PY_DAMAGE_DEQUE] = {"deque", "deques", "a chain of blocks that ends too early"},
	[PY_DAMAGE_ORDER] = {"OrderedDict", "OrderedDicts", "a list of keys that is broken"},
	[PY_DAMAGE_ITEM_NOWHERE] = {"container", "containers",
				    "an item at an address where nothing is"},
	[PY_DAMAGE_ITEM_FREED] = {"container", "containers", "an item in memory that was freed"},
	[PY_DAMAGE_ITEM_LOST] = {"container", "containers", "an item that is no object any more"},
	[PY_DAMAGE_GC_LINK] = {"object", "objects",
			       "a wrong link in the collector's list of all objects"},
	[PY_DAMAGE_GC_LOST] =
		{"block", "blocks",
		 "a place in the collector's list, but is no object any more: its type, "
		 "count or size"},
};

void py_damaged(const struct py *py, enum py_damage what, uint64_t at)
{
	/* Of a file that is cut, much is missing that was never damaged. */
	if (py->image->truncated || !py->damage)
		return;
	struct py_damage_count *c = &py->damage[what];
	uint64_t low = __atomic_load_n(&c->lowest, __ATOMIC_RELAXED);
	__atomic_fetch_add(&c->n, 1, __ATOMIC_RELAXED);
	/* The lowest, so that any order of the threads tells the same. */
	while ((!low || at < low) &&
	       !__atomic_compare_exchange_n(&c->lowest, &low, at, true, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED))
		;
}

void py_damaged_tell(const struct py *py)
{
	for (unsigned i = 0; py->damage && i < PY_DAMAGES; i++) {
		const struct py_damage_count *c = &py->damage[i];
		if (!c->n)
			continue;
		char number[64];
		if (c->n == 1)
			snprintf(number, sizeof(number), "the %s at 0x%" PRIx64 " has",
				 text_of[i].one, c->lowest);
		else
			snprintf(number, sizeof(number),
				 "%" PRIu64 " %s, the first at 0x%" PRIx64 ", have", c->n,
				 text_of[i].many, c->lowest);
		damage_add(py->ctx->damage, DAMAGE_RUNTIME, c->lowest,
			   "%s %s: something wrote over it, and references are missing", number,
			   text_of[i].what);
	}
}

void py_damaged_item(const struct py *py, uint64_t word, uint64_t container)
{
	enum py_damage what = PY_DAMAGE_ITEM_LOST;
	if (!snapshot_object_find(py->snapshot, word)) {
		if (snapshot_free_find(py->snapshot, word))
			what = PY_DAMAGE_ITEM_FREED;
		else if (!image_segment_find(py->image, word))
			what = PY_DAMAGE_ITEM_NOWHERE;
		else
			return; /* in a binary, or where no allocator is known */
	}
	py_damaged(py, what, container);
}

/* ---- the collector's lists ---- */

static void link_check(const struct py *py, uint64_t head)
{
	const struct cpython_gc_layout *l = &py->layout->gc;
	const struct object_table *o = &py->snapshot->object;
	const uint64_t flags =
		(UINT64_C(1) << (l->head == CPYTHON_GC_PREV_BITS ? l->prev_shift : 0)) - 1;
	uint64_t next, back;
	if (!py_word(py, head + l->next, &next))
		return;
	if (l->head == CPYTHON_GC_PREV_BITS)
		next &= ~UINT64_C(3);
	/* In the midst of a collection a count stands in the place of the link. */
	if (py_word(py, next + l->prev, &back)) {
		if ((back & ~flags) == head || (flags && back & GC_COLLECTING))
			return;
	} else if (image_segment_find(py->image, next)) {
		return; /* not in the dump */
	}
	const uint32_t id = snapshot_object_find(py->snapshot, next);
	const uint64_t address = next + l->head_size;
	if (id && !py->object_type[id - 1] && next - object_block(o, id - 1) < HEAD_NEAR)
		py_damaged(py, PY_DAMAGE_GC_LOST, address);
	else
		py_damaged(py, PY_DAMAGE_GC_LINK, head + l->head_size);
}

static void lost_check(const struct py *py, uint64_t head)
{
	const struct cpython_gc_layout *l = &py->layout->gc;
	const struct object_table *o = &py->snapshot->object;
	uint64_t next;
	if (!py_word(py, head + l->next, &next))
		return;
	if (l->head == CPYTHON_GC_PREV_BITS)
		next &= ~UINT64_C(3);
	const uint32_t id = snapshot_object_find(py->snapshot, next);
	/* Where it begins its block, it is no list's own head: these are in an interpreter's state. */
	if (id && !py->object_type[id - 1] && o->arena_id[id - 1] &&
	    next - object_block(o, id - 1) < HEAD_NEAR)
		py_damaged(py, PY_DAMAGE_GC_LOST, next + l->head_size);
}

static struct error *links_slice(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	const struct py *py = arg;
	const struct object_table *o = &py->snapshot->object;
	(void)slice;
	for (uint64_t i = first; i < end; i++) {
		if (!py->object_type[i] || !(o->flags[i] & OBJECT_GC) ||
		    o->flags[i] & OBJECT_STATIC)
			continue;
		link_check(py, o->address[i] - py->layout->gc.head_size);
		lost_check(py, o->address[i] - py->layout->gc.head_size);
	}
	return NULL;
}

struct error *py_damaged_links(struct py *py)
{
	const uint64_t n = py->snapshot->object.n;
	if (!py->snapshot->object.flags)
		return NULL;
	return parallel_for(n, parallel_slices(n, SLICE_GRAIN), links_slice, py);
}
