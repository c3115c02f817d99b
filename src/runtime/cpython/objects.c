/*
 * objects: which block is an object. At the block's first byte plus what its type's flags demand
 * before an instance there must be a plausible count and the address of a type, a GC head where the
 * type says so, and room for the size that the type and the item count tell.
 *
 * Free-list residents have a count of 0, or a link where the count or the type was. Mistakes to
 * expect: a C structure that begins with a small number and a pointer to a type; raw memory of one
 * small number with the rest of a dead object behind it, unless an object says that it is its buffer.
 */
#include "runtime/cpython/py.h"

#include "base/checked.h"
#include "base/parallel.h"

#include <stdlib.h>
#include <string.h>

enum {
	SLICE_GRAIN = 1 << 14,
	HEADS_MOST = 8,
	HEAD_BYTES = 64, /* of a block that are looked at */
	COUNT_NEAR = 1 << 20,
	ADDRESS_BITS = 56, /* no address has more, eight letters of text have */
};

struct claim_job {
	struct py *py;
	uint16_t head[HEADS_MOST]; /* what precedes instances of any type, each once */
	unsigned heads;
	struct {
		uint64_t objects;
	} slice[64];
};

bool py_refcount(const struct py *py, uint64_t word, int64_t *ret, bool *immortal)
{
	uint64_t count = word;
	*immortal = false;
	switch (py->layout->object.refcount) {
	case CPYTHON_REFCOUNT_WORD:
		break;
	case CPYTHON_REFCOUNT_999999999:
		/* Include/internal/pycore_object.h, _PyObject_IMMORTAL_REFCNT, 3.11 */
		*immortal = count > 999999999 / 2 && count < 2 * UINT64_C(999999999);
		break;
	case CPYTHON_REFCOUNT_HALF:
		if (word >> 32)
			return false;
		*immortal = word >> 31;
		break;
	case CPYTHON_REFCOUNT_FLAGS:
		if ((word >> 32 & 0xffff) || word >> 56)
			return false;
		count = word & UINT32_MAX;
		*immortal = count >> 31;
		break;
	}
	*ret = (int64_t)count;
	return count && count >> 40 == 0;
}

/*
 * Text in one piece is as long as its characters are; tp_basicsize is for text in two (a subclass,
 * the old API). Include/cpython/unicodeobject.h.
 */
static bool text_size(const struct py *py, const struct py_type *type, uint64_t at, uint64_t *ret)
{
	const struct cpython_text_layout *l = &py->layout->text;
	uint64_t length;
	uint32_t state;
	*ret = type->basicsize;
	if (l->forms == CPYTHON_TEXT_POINTER)
		return true;
	if (!image_try_u32(py->image, at + l->state, &state) ||
	    !py_word(py, at + l->length, &length))
		return false;
	unsigned width = state >> l->kind_shift & ((1u << l->kind_bits) - 1);
	bool ascii = state >> l->ascii_bit & 1;
	if (!(state >> l->compact_bit & 1))
		return width <= 4;
	if ((width != 1 && width != 2 && width != 4) || (ascii && width != 1))
		return false;
	*ret = ascii ? l->ascii_size : l->compact_size;
	return checked_add(length, 1, &length) && checked_mul(length, width, &length) &&
	       checked_add(*ret, length, ret);
}

/* Without a time zone, the word for it is left out: Modules/_datetimemodule.c, time_alloc. */
static bool datetime_size(const struct py *py, const struct py_type *type, uint64_t at,
			  uint64_t *ret)
{
	uint8_t has_zone;
	if (type->basicsize < 32 || !image_try_u8(py->image, at + 24, &has_zone))
		return false;
	*ret = type->basicsize - (has_zone ? 0 : 8);
	return true;
}

bool py_object_size(const struct py *py, const struct py_type *type, uint64_t at, uint64_t *ret)
{
	const struct cpython_layout *l = py->layout;
	uint64_t items = 0, bytes;
	*ret = type->basicsize;
	if (type->flags & l->type.flag.unicode)
		return text_size(py, type, at, ret);
	if (type->kind == PY_KIND_datetime || type->kind == PY_KIND_time)
		return datetime_size(py, type, at, ret);
	/* Their ob_size is another field's by now: Objects/genobject.c, PyObject_GC_NewVar, 3.11. */
	if (!type->itemsize || type->kind == PY_KIND_generator || type->kind == PY_KIND_coroutine ||
	    type->kind == PY_KIND_async_generator ||
	    (type->kind == PY_KIND_frame && l->visit->frame_iframe != CPYTHON_NONE))
		return true;
	/* bool says sizeof struct _longobject, and is an int without padding. */
	if (type->kind == PY_KIND_bool && type->flags & l->type.flag.integer)
		*ret = l->number.digits_at;
	if (type->flags & l->type.flag.integer && l->number.integer == CPYTHON_INTEGER_TAG) {
		if (!py_word(py, at + l->number.tag, &items))
			return false;
		items >>= 3;
	} else {
		if (!py_word(py, at + l->object.size, &items))
			return false;
		if ((int64_t)items < 0)
			items = -items; /* the sign of an int */
	}
	/* Include/objimpl.h, _PyObject_VAR_SIZE: what a subclass adds begins at a whole word. */
	return checked_mul(items, type->itemsize, &bytes) && checked_add(*ret, bytes, ret) &&
	       checked_align_up(*ret, 8, ret);
}

bool py_count_is_static(const struct py *py, uint64_t count)
{
	if (count < PY_COUNT_CLEAR || count % 8)
		return false;
	if (image_module_find(py->image, count))
		return true;
	/*
	 * The heap is in the first few GiB, too: {name, value} of a type's method cache. What really
	 * began at 999999999 is not far from it.
	 */
	const struct image_segment *s = image_segment_find(py->image, count);
	return s && s->kind == SEGMENT_HEAP &&
	       (py->layout->object.refcount != CPYTHON_REFCOUNT_999999999 ||
		count - (999999999 - COUNT_NEAR) > 2 * COUNT_NEAR);
}

/*
 * Raw memory keeps the type word of the object that was there before when what is in it now has 8
 * bytes or less: text, mostly. Three letters and more are two million references and more.
 */
static bool count_is_text(uint64_t count)
{
	if (count < 0x202020)
		return false;
	for (; count; count >>= 8)
		if ((count & 0xff) < 0x20 || (count & 0xff) > 0x7e)
			return false;
	return true;
}

/* A count that is large enough to be the address of something is one, when something is there. */
static bool count_is_address(const struct py *py, uint64_t count)
{
	if (count < PY_COUNT_CLEAR || count % 8)
		return false;
	return snapshot_object_find(py->snapshot, count) ||
	       snapshot_free_find(py->snapshot, count) || py_count_is_static(py, count);
}

/* Links of a list, or both 0: Include/internal/pycore_gc.h, Include/objimpl.h. */
static bool gc_head_plausible(const struct py *py, const uint8_t *p, bool *tracked)
{
	const struct cpython_gc_layout *l = &py->layout->gc;
	uint64_t next = image_word_at(py->image, p + l->next);
	uint64_t prev = image_word_at(py->image, p + l->prev);
	switch (l->head) {
	case CPYTHON_GC_PREV_BITS:
		prev &= ~((UINT64_C(1) << l->prev_shift) - 1);
		*tracked = next != 0;
		/* 3.14: bit 0 of next may be a flag. */
		next &= ~UINT64_C(3);
		return (next >= 4096 || !next) && (prev >= 4096 || !prev) && (next || !prev) &&
		       !((next | prev) >> ADDRESS_BITS);
	case CPYTHON_GC_REFS:
	case CPYTHON_GC_REFS_SHIFTED: {
		int64_t refs = (int64_t)image_word_at(py->image, p + l->refs);
		if (l->head == CPYTHON_GC_REFS_SHIFTED)
			refs >>= 1;
		*tracked = refs != -2;
		/* The links of an untracked object are not set to anything. */
		return refs == -2 || (next >= 4096 && next % 8 == 0 && prev % 8 == 0 &&
				      !((next | prev) >> ADDRESS_BITS));
	}
	}
	return false;
}

static int fixed_compare(const void *a, const void *b)
{
	const uint64_t *x = a;
	const struct py_static *y = b;
	return *x < y->address ? -1 : *x > y->address;
}

static bool is_fixed(const struct py *py, uint64_t at)
{
	return py->fixed.n &&
	       bsearch(&at, py->fixed.at, py->fixed.n, sizeof(*py->fixed.at), fixed_compare);
}

/*
 * What a type in C keeps in ob_size is its own affair: "Guido says we can use ob_size for any purpose we like",
 * Boost.Python, libs/python/src/object/class.cpp, instance_new. The collector's list has to vouch for the object then.
 */
static bool size_fits(const struct py *py, const struct py_type *t, uint64_t at, uint64_t room,
		      bool tracked)
{
	uint64_t size;
	if (!py_object_size(py, t, at, &size))
		return false;
	return size <= room ||
	       (tracked && t->kind == PY_KIND_NONE && t->itemsize && t->basicsize <= room);
}

/* Writes object i's columns: p are its block's first bytes. */
static bool claim_at(struct py *py, uint32_t i, const uint8_t *p, uint64_t len, uint16_t head,
		     bool fixed)
{
	struct object_table *o = &py->snapshot->object;
	const struct cpython_object_layout *l = &py->layout->object;
	if ((uint64_t)head + l->head > len)
		return false;
	const struct py_type *t = py_type_at(py, image_word_at(py->image, p + head + l->type));
	if (!t || (t->head != head && !fixed))
		return false;
	int64_t count;
	uint64_t word = image_word_at(py->image, p + head + l->refcnt);
	uint64_t at = o->address[i] + head;
	bool immortal, tracked = false;
	if (!py_refcount(py, word, &count, &immortal) ||
	    /* Only static objects begin at 999999999: such a number on the heap may be an address. */
	    (!fixed && (!immortal || l->refcount == CPYTHON_REFCOUNT_999999999) &&
	     (count_is_address(py, word) || count_is_text(word))))
		return false;
	if (t->is_metatype && !py_type_at(py, at))
		return false;
	if (t->flags & py->layout->type.flag.have_gc && !fixed &&
	    !gc_head_plausible(py, p + head - py->layout->gc.head_size, &tracked))
		return false;
	if (!fixed && !size_fits(py, t, at, object_room(o, i) - head, tracked))
		return false;
	unsigned flags = (tracked ? OBJECT_GC : 0) | (immortal ? OBJECT_IMMORTAL : 0) |
			 (t->finalizer ? OBJECT_FINALIZER : 0) | (fixed ? OBJECT_STATIC : 0);
	py->object_type[i] = (uint32_t)(t - py->type.at) + 1;
	o->runtime[i] = (uint8_t)(RUNTIME_cpython + py->nth + 1);
	o->flags[i] = (uint16_t)flags;
	o->type_id[i] = t->type_id;
	o->refcount[i] = count;
	return true;
}

/* The count of a freed object: 0, or the address of the next one, which is of its type. */
static bool count_is_freed(const struct py *py, uint64_t count, uint64_t type)
{
	uint64_t next;
	return !count || (py->layout->object.freed_links && count_is_address(py, count) &&
			  py_word(py, count + py->layout->object.type, &next) && next == type);
}

/*
 * An object that was freed and is kept to be used again, or as it is put together: no count, and a
 * type that came with the interpreter. What it referred to may still stand in it.
 */
static bool dead_at(const struct py *py, uint32_t i, const uint8_t *p, uint64_t len, uint16_t head)
{
	const struct object_table *o = &py->snapshot->object;
	const struct cpython_object_layout *l = &py->layout->object;
	if (!head || (uint64_t)head + l->head > len)
		return false;
	const uint64_t type = image_word_at(py->image, p + head + l->type);
	const struct py_type *t = py_type_at(py, type);
	return t && count_is_freed(py, image_word_at(py->image, p + head + l->refcnt), type) &&
	       t->is_static && t->head == head && t->basicsize <= object_room(o, i) - head;
}

void py_object_unclaim(struct py *py, uint32_t id)
{
	struct object_table *o = &py->snapshot->object;
	py->object_type[id - 1] = 0;
	o->runtime[id - 1] = 0;
	o->flags[id - 1] = 0;
	o->type_id[id - 1] = 0;
	o->refcount[id - 1] = INT64_MIN;
	py->objects--;
}

bool py_object_disclaim(struct py *py, uint32_t id, uint64_t addr)
{
	struct object_table *o = &py->snapshot->object;
	const struct py_type *t = py_type_of(py, id);
	if (!t)
		return true;
	/* What has a GC head, or is compiled in, has more to show for itself than a count. */
	if (t->head || o->flags[id - 1] & OBJECT_STATIC || o->address[id - 1] != addr)
		return false;
	py_object_unclaim(py, id);
	return true;
}

/* It will never be freed: as good as one that was compiled in. */
static bool is_bare_type(const struct py *py, uint64_t at)
{
	const struct py_type *t = py_type_at(py, at);
	return t && t->is_bare;
}

static struct error *claim_slice(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct claim_job *job = arg;
	struct py *py = job->py;
	struct object_table *o = &py->snapshot->object;
	struct image_cursor cursor = {0};
	for (uint64_t i = first; i < end; i++) {
		uint64_t room = object_room(o, i), len = room < HEAD_BYTES ? room : HEAD_BYTES;
		if (o->runtime[i])
			continue;
		o->refcount[i] = INT64_MIN;
		if (len < py->layout->object.head || o->type_id[i])
			continue;
		const uint8_t *p = image_view_all(py->image, &cursor, o->address[i], len);
		if (!p)
			continue;
		bool claimed = false;
		if (!o->arena_id[i])
			claimed = is_fixed(py, o->address[i]) &&
				  claim_at(py, (uint32_t)i, p, len, 0, true);
		else
			for (unsigned k = 0; k < job->heads && !claimed; k++)
				claimed = claim_at(py, (uint32_t)i, p, len, job->head[k], false);
		if (!claimed && is_bare_type(py, o->address[i]))
			claimed = claim_at(py, (uint32_t)i, p, len, 0, true);
		for (unsigned k = 0; o->arena_id[i] && k < job->heads && !claimed; k++)
			if (dead_at(py, (uint32_t)i, p, len, job->head[k]))
				o->runtime[i] = (uint8_t)(RUNTIME_cpython + py->nth + 1);
		job->slice[slice].objects += claimed;
	}
	return NULL;
}

static struct error *claim_columns(struct py *py)
{
	struct object_table *o = &py->snapshot->object;
	size_t room = o->n ? o->n : 1;
	py->object_type = calloc(room, sizeof(*py->object_type));
	if (!o->runtime)
		o->runtime = calloc(room, sizeof(*o->runtime));
	if (!o->flags)
		o->flags = calloc(room, sizeof(*o->flags));
	if (!o->refcount)
		o->refcount = malloc(room * sizeof(*o->refcount));
	return py->object_type && o->runtime && o->flags && o->refcount ? NULL : &error_nomem;
}

struct error *py_objects_claim(struct py *py)
{
	struct object_table *o = &py->snapshot->object;
	struct error *err = claim_columns(py);
	if (err)
		return err;
	struct claim_job *job = calloc(1, sizeof(*job));
	if (!job)
		return &error_nomem;
	job->py = py;
	for (uint64_t i = 0; i < py->type.n; i++) {
		unsigned k = 0;
		while (k < job->heads && job->head[k] != py->type.at[i].head)
			k++;
		if (k == job->heads && k < HEADS_MOST)
			job->head[job->heads++] = py->type.at[i].head;
	}
	unsigned slices = parallel_slices(o->n, SLICE_GRAIN);
	err = parallel_for(o->n, slices, claim_slice, job);
	for (unsigned i = 0; i < slices; i++)
		py->objects += job->slice[i].objects;
	free(job);
	if (!err)
		err = py_objects_listed(py);
	for (uint32_t i = 0; i < o->n && !err; i++) {
		if (!py->object_type[i])
			continue;
		const struct py_type *t = &py->type.at[py->object_type[i] - 1];
		if (t->head && !(o->flags[i] & OBJECT_STATIC))
			err = snapshot_object_place(py->snapshot, i + 1, o->address[i] + t->head);
	}
	for (uint64_t i = 0; i < py->type.n && !err; i++)
		py->type.at[i].object_id = py_object_id(py, py->type.at[i].address);
	return err;
}
