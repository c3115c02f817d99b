/*
 * listed: of the objects that say they are in the collector's lists, which are.
 *
 *	| next, prev | object |  <->  | next, prev | object |  <->  ...
 *
 * What was written into a block where an object died, or from where one was moved, may leave a count
 * and a type behind two words that could be links. In a list, the next one points back, or the one
 * before does; where something wrote over a head, its neighbours still lead to it. What says that it
 * is in a list, and is in none of these ways, is no object.
 *
 * Most often there is none: one pass in parallel, two words an object. Else a second one looks for
 * neighbours.
 */
#include "runtime/cpython/py.h"

#include "base/parallel.h"

#include <stdlib.h>

enum {
	SLICE_GRAIN = 1 << 14,
	SLICES = 64,
	GC_COLLECTING = 1 << 1, /* Include/internal/pycore_gc.h, PREV_MASK_COLLECTING, 3.8 */
};

struct listed_job {
	struct py *py;
	VEC(uint64_t) alone[SLICES]; /* heads that no list has, as it seems */
};

struct links {
	uint64_t next, prev;
	bool collecting; /* a count stands in the place of prev */
};

/* Objects are not placed yet: their address is where the block begins, behind the marks of debug hooks. */
static uint64_t head_of(const struct py *py, uint64_t i)
{
	const struct py_type *t = &py->type.at[py->object_type[i] - 1];
	return py->snapshot->object.address[i] + t->head - py->layout->gc.head_size;
}

static bool says_listed(const struct py *py, uint64_t i)
{
	const struct object_table *o = &py->snapshot->object;
	return py->object_type[i] && o->flags[i] & OBJECT_GC && !(o->flags[i] & OBJECT_STATIC);
}

static bool links_read(const struct py *py, uint64_t head, struct links *ret)
{
	const struct cpython_gc_layout *l = &py->layout->gc;
	*ret = (struct links){0};
	if (!py_word(py, head + l->next, &ret->next) || !py_word(py, head + l->prev, &ret->prev))
		return false;
	if (l->head == CPYTHON_GC_PREV_BITS) {
		ret->collecting = ret->prev & GC_COLLECTING;
		ret->next &= ~UINT64_C(3);
		ret->prev &= ~((UINT64_C(1) << l->prev_shift) - 1);
	}
	return true;
}

/* Does the neighbour at `at` lead back? Yes, too, where the dump does not have it. */
static bool leads_back(const struct py *py, uint64_t at, uint64_t head, bool forward)
{
	struct links there;
	if (!links_read(py, at, &there))
		return image_segment_find(py->image, at) != NULL;
	return (forward ? there.prev : there.next) == head;
}

static struct error *listed_slice(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct listed_job *job = arg;
	const struct py *py = job->py;
	struct error *err = NULL;
	for (uint64_t i = first; i < end && !err; i++) {
		struct links here;
		if (!says_listed(py, i))
			continue;
		const uint64_t head = head_of(py, i);
		if (!links_read(py, head, &here) || here.collecting ||
		    leads_back(py, here.next, head, true) || leads_back(py, here.prev, head, false))
			continue;
		err = vec_push(&job->alone[slice], head);
	}
	return err;
}

static int head_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Index + 1 in `alone`, which is in order; 0: it is not there. */
static uint64_t alone_find(const uint64_t *alone, uint64_t n, uint64_t head)
{
	const uint64_t *found = bsearch(&head, alone, n, sizeof(*alone), head_compare);
	return found ? (uint64_t)(found - alone) + 1 : 0;
}

/* Those that a neighbour leads to: a wild write made them look alone. */
static struct error *neighbours_find(const struct py *py, const uint64_t *alone, uint64_t n,
				     struct bits *led_to)
{
	const struct object_table *o = &py->snapshot->object;
	struct error *err = bits_init(led_to, n + 1);
	for (uint64_t i = 0; i < o->n && !err; i++) {
		struct links here;
		uint64_t found;
		if (!says_listed(py, i) || !links_read(py, head_of(py, i), &here) ||
		    alone_find(alone, n, head_of(py, i)))
			continue;
		if ((found = alone_find(alone, n, here.next)))
			bits_set(led_to, found);
		if (!here.collecting && (found = alone_find(alone, n, here.prev)))
			bits_set(led_to, found);
	}
	return err;
}

static struct error *alone_disclaim(struct py *py, const uint64_t *alone, uint64_t n)
{
	struct bits led_to = {0};
	struct error *err = neighbours_find(py, alone, n, &led_to);
	for (uint64_t k = 0; k < n && !err; k++) {
		uint32_t id = snapshot_object_find(py->snapshot, alone[k]);
		if (id && py->object_type[id - 1] && !bits_test(&led_to, k + 1))
			py_object_unclaim(py, id);
	}
	bits_deinit(&led_to);
	return err;
}

struct error *py_objects_listed(struct py *py)
{
	const uint64_t n = py->snapshot->object.n;
	struct listed_job *job = calloc(1, sizeof(*job));
	if (!job)
		return &error_nomem;
	job->py = py;
	const unsigned slices = parallel_slices(n, SLICE_GRAIN);
	struct error *err = parallel_for(n, slices, listed_slice, job);
	for (unsigned i = 1; i < slices && !err; i++)
		for (uint64_t k = 0; k < job->alone[i].n && !err; k++)
			err = vec_push(&job->alone[0], job->alone[i].at[k]);
	/* In the order of their blocks, but for what precedes the heads. */
	if (!err && job->alone[0].n) {
		qsort(job->alone[0].at, job->alone[0].n, sizeof(*job->alone[0].at), head_compare);
		err = alone_disclaim(py, job->alone[0].at, job->alone[0].n);
	}
	for (unsigned i = 0; i < slices; i++)
		vec_deinit(&job->alone[i]);
	free(job);
	return err;
}
