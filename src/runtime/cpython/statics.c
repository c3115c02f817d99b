/*
 * statics: objects that were compiled into the interpreter or an extension: type objects, None,
 * True, small ints and texts of _PyRuntime, frozen code. They have no block: prepare gives each
 * one, in arena 0, and references roots it, as it can never go away.
 *
 * Looked for are words of writable module data that are the address of a static type, behind a
 * plausible count, with contents as that type's should be. Types that the collector knows have a GC
 * head, and what is compiled has none, but for tuples and what is immortal. Mistakes to expect: a C structure of an
 * unknown type's address behind a small number. {Py_tp_base, &type}, the most common, is told.
 */
#include "runtime/cpython/py.h"

#include "base/checked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TP_BASE = 48, /* Include/typeslots.h: Py_tp_base, Py_tp_bases; since 3.2 */
	TP_BASES = 49,
	ITEMS_MOST = 1 << 16,
	DIGITS_MOST = 1 << 12,
	FIXED_MOST = 1 << 24,
};

static bool items_plausible(const struct py *py, uint64_t at, uint64_t n)
{
	uint64_t word;
	if (n > ITEMS_MOST)
		return false;
	for (uint64_t i = 0; i < n; i++)
		if (!py_word(py, at + 8 * i, &word) || word % 8 ||
		    !image_segment_find(py->image, word))
			return false;
	return true;
}

/* Bytes of the object, 0: it is none. */
static uint64_t fixed_size(const struct py *py, const struct py_type *t, uint64_t at,
			   uint64_t count, bool immortal)
{
	const struct cpython_layout *l = py->layout;
	uint64_t size, n;
	if (t->is_metatype) {
		if (!py_type_at(py, at))
			return 0;
		/* Static types are no PyHeapTypeObject; what is derived from it adds at its end. */
		return t->basicsize > l->type.heap_size ? t->basicsize : l->type.size;
	}
	if (!py_object_size(py, t, at, &size))
		return 0;
	if (t->flags & l->type.flag.unicode)
		return size <= ITEMS_MOST * 4 ? size : 0;
	if (t->flags & l->type.flag.integer)
		return size <= t->basicsize + 4 * DIGITS_MOST ? size : 0;
	if (t->flags & l->type.flag.bytes)
		return size - t->basicsize <= ITEMS_MOST ? size : 0;
	if (t->flags & l->type.flag.tuple)
		return py_word(py, at + l->object.size, &n) &&
				       items_plausible(py, at + l->sequence.tuple_items, n)
			       ? size
			       : 0;
	/* hamt_empty, last_resort_memory_error, ... : internal/pycore_global_objects.h, 3.12 */
	if ((t->flags & l->type.flag.have_gc && !immortal) || t->basicsize < l->object.head)
		return 0;
	if (count == TP_BASE || count == TP_BASES)
		return 0;
	/* Only where counts tell: `object` itself is what many a structure points to. */
	uint64_t base;
	if (!immortal && py_word(py, t->address + l->type.base, &base) && !base &&
	    t->basicsize == l->object.head)
		return 0;
	return size <= ITEMS_MOST * 8 ? size : 0;
}

/* counts_tell: what was compiled into this module is immortal. */
static struct error *fixed_scan(struct py *py, uint64_t start, uint64_t end, bool counts_tell)
{
	const struct cpython_object_layout *l = &py->layout->object;
	const uint8_t *p;
	uint64_t at = align_down(start + 7, 8), len;
	for (; at < end && (p = image_next_data(py->image, &at, end, &len)); at += len) {
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len; i += 8) {
			const struct py_type *t = py_type_at(py, image_word_at(py->image, p + i));
			if (!t)
				continue;
			uint64_t addr = at + i - l->type, word, size;
			int64_t count;
			bool immortal;
			if (addr < start || !py_word(py, addr + l->refcnt, &word) ||
			    !py_refcount(py, word, &count, &immortal) ||
			    py_count_is_static(py, word) ||
			    (counts_tell && !immortal && !t->is_metatype) ||
			    !(size = fixed_size(py, t, addr, word, immortal)) || size > end - addr)
				continue;
			struct error *err = vec_push(&py->fixed, ((struct py_static){addr, size}));
			if (err)
				return err;
		}
	}
	return NULL;
}

static int fixed_compare(const void *a, const void *b)
{
	const struct py_static *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* One object a place: what begins inside another one is none, but a type always is. */
static void fixed_separate(struct py *py)
{
	uint64_t n = 0;
	for (uint64_t i = 0; i < py->fixed.n; i++) {
		struct py_static f = py->fixed.at[i];
		struct py_static *last = n ? &py->fixed.at[n - 1] : NULL;
		if (last && f.address < last->address + last->size) {
			if (!py_type_at(py, f.address) || py_type_at(py, last->address))
				continue;
			n--;
		}
		py->fixed.at[n++] = f;
	}
	py->fixed.n = n;
}

struct error *py_statics_find(struct py *py)
{
	const struct image *img = py->image;
	struct error *err = NULL;
	const bool immortal = py->layout->object.refcount == CPYTHON_REFCOUNT_HALF ||
			      py->layout->object.refcount == CPYTHON_REFCOUNT_FLAGS;
	py->fixed.max = FIXED_MOST;
	if (!py->type.n)
		return NULL;
	for (uint32_t m = 0; m < img->nmodule && !err; m++)
		err = fixed_scan(py, img->module[m].data_start, img->module[m].data_end,
				 immortal && m + 1 == py->cpython.module_id);
	if (err)
		return err;
	if (py->fixed.n)
		qsort(py->fixed.at, py->fixed.n, sizeof(*py->fixed.at), fixed_compare);
	fixed_separate(py);
	for (uint64_t i = 0; i < py->fixed.n && !err; i++)
		err = snapshot_add_block(py->snapshot, py->fixed.at[i].address,
					 py->fixed.at[i].size, 0);
	log_info(py->ctx->log, "CPython: %" PRIu64 " static types, %" PRIu64 " static objects",
		 py->type.n, py->fixed.n);
	return err;
}

struct error *py_statics_roots(struct py *py)
{
	struct snapshot *s = py->snapshot;
	struct error *err = NULL;
	for (uint64_t i = 0; i < py->fixed.n && !err; i++) {
		uint64_t at = py->fixed.at[i].address;
		struct debuginfo_symbol sym;
		struct root_row row = {
			.object_id = py_object_id(py, at),
			.address = at,
			.grade = ROOT_GLOBAL,
			.how = EDGE_START,
			.found = ROOT_BY_RUNTIME,
			.depth = -1,
			.module_id = image_module_find(py->image, at),
		};
		if (!row.object_id)
			continue;
		if (py->debuginfo && debuginfo_symbol_at(py->debuginfo, at, &sym) && sym.name) {
			char text[256];
			uint64_t inside = at - sym.start;
			if (inside)
				snprintf(text, sizeof(text), "%.200s+0x%" PRIx64, sym.name, inside);
			else
				snprintf(text, sizeof(text), "%.200s", sym.name);
			err = intern_str(&s->strings, text, &row.name);
		}
		if (!err)
			err = vec_push(&s->root, row);
	}
	return err;
}
