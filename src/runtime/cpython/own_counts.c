/*
 * own_counts: what CPython's own code, and cffi, do with counts that the rules forbid.
 *
 *	lent	a tuple whose items are borrowed: property_descr_get keeps one in a static variable to
 *		call with (cached_args; 3.5 to 3.7), cPickle of 2.7 another (two_tuple). What was in it
 *		last stays in it without a count. To keep it from the collector it is untracked, which
 *		the collector itself does to no tuple that has an item in its lists but tuples.
 *	lent	a dict likewise: cffi keeps each of its types once in a dict that does not count them
 *		(c/_cffi_backend.c, get_unique_type: "the 'value' in unique_cache doesn't count as 1") and
 *		untracks the dict after each addition. CPython tracks a dict as soon as a value comes in
 *		that the collector knows (MAINTAIN_TRACKING, up to 3.13; from 3.14 on every dict), and
 *		untracks none that has one. Whether such a dict counts its values cannot be told: they
 *		are words.
 *	lost	counts that are never given back: layout/cpython_lost.c. A root of kind REFERENCE_WORD
 *		each: it explains a count that nothing else does, and proves none.
 *
 * Both are found by the words of module data, each looked at once.
 */
#include "runtime/cpython/states.h"

#include "base/checked.h"

#include <stdio.h>
#include <string.h>

enum { LENT_MOST = 8, NAME_MOST = 64 };

/* ---- lent ---- */

/* In the collector's lists, and no tuple: what has it is in them, too. */
static bool is_tracked(const struct py *py, uint64_t at)
{
	uint32_t id = py_object_id(py, at);
	return id && py->snapshot->object.flags[id - 1] & OBJECT_GC &&
	       !py_is(py, id, PY_KIND_tuple);
}

static bool is_lent(const struct py *py, uint32_t id)
{
	const struct object_table *o = &py->snapshot->object;
	const struct py_type *t = py_type_of(py, id);
	uint64_t n, item;
	if (!t || t->kind != PY_KIND_tuple || !t->own_kind || o->refcount[id - 1] != 1 ||
	    o->flags[id - 1] & (OBJECT_GC | OBJECT_STATIC))
		return false;
	const uint64_t at = o->address[id - 1];
	if (!py_word(py, at + py->layout->object.size, &n) || n > LENT_MOST)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		if (!py_word(py, at + py->layout->sequence.tuple_items + 8 * i, &item))
			return false;
		if (is_tracked(py, item))
			return true;
	}
	return false;
}

/* All its values are of a kind, if any is lent: a few tell. */
static bool is_lent_dict(const struct py *py, uint32_t id)
{
	const struct object_table *o = &py->snapshot->object;
	const struct py_type *t = py_type_of(py, id);
	struct py_dict_cursor c;
	struct py_dict_entry e;
	if (!t || !t->own_kind || o->flags[id - 1] & (OBJECT_GC | OBJECT_FROZEN | OBJECT_STATIC) ||
	    bits_test(&py->interned, id) || !py_dict_begin(py, o->address[id - 1], &c))
		return false;
	for (unsigned i = 0; i < LENT_MOST && py_dict_next(py, &c, &e); i++)
		if (is_tracked(py, e.value))
			return true;
	return false;
}

static void lent_add(struct py *py, uint32_t id, bool (*lent)(const struct py *py, uint32_t id))
{
	for (unsigned i = 0; i < py->nlent; i++)
		if (py->lent[i] == id)
			return;
	if (py->nlent < PY_LENT_MOST && lent(py, id))
		py->lent[py->nlent++] = id;
}

/* ---- lost ---- */

static struct error *lost_root(struct py *py, uint32_t id)
{
	struct snapshot *s = py->snapshot;
	struct root_row row = {
		.object_id = id,
		.grade = ROOT_GLOBAL,
		.how = EDGE_START,
		.kind = REFERENCE_WORD,
		.found = ROOT_BY_RUNTIME,
		.depth = -1,
	};
	if (!id)
		return NULL;
	struct error *err = intern_str(&s->strings, "(never given back by CPython)", &row.name);
	return err ? err : vec_push(&s->root, row);
}

static bool text_is(const struct py *py, uint64_t at, const char *text)
{
	char buf[NAME_MOST];
	return py_text(py, at, buf, sizeof(buf)) && !strcmp(buf, text);
}

static const struct py_type *type_named(const struct py *py, const char *name)
{
	char buf[NAME_MOST];
	for (uint64_t i = 0; i < py->type.n; i++) {
		const struct py_type *t = &py->type.at[i];
		if (!t->is_class && py_type_name(py, t, buf, sizeof(buf)) && !strcmp(buf, name))
			return t;
	}
	return NULL;
}

/* The key of a dict of texts. */
static uint64_t key_find(const struct py *py, uint64_t dict, const char *text)
{
	struct py_dict_cursor c;
	struct py_dict_entry e;
	if (!py_dict_begin(py, dict, &c))
		return 0;
	while (py_dict_next(py, &c, &e))
		if (text_is(py, e.key, text))
			return e.key;
	return 0;
}

static struct error *member_root(struct py *py, uint64_t dict_at, const char *key)
{
	uint64_t dict, at;
	return py_word(py, dict_at, &dict) && py_dict_get(py, dict, key, &at)
		       ? lost_root(py, py_object_id(py, at))
		       : NULL;
}

/* All of that name: what was made first may be in no list of modules any more. */
static struct error *lost_module(struct py *py, const char *name, const char *key)
{
	const struct object_table *o = &py->snapshot->object;
	struct error *err = NULL;
	for (uint32_t id = 1; id <= o->n && !err; id++) {
		if (!py_is(py, id, PY_KIND_module))
			continue;
		uint64_t dict_at = o->address[id - 1] + py->layout->object.head, dict, text;
		if (py_word(py, dict_at, &dict) && py_dict_get(py, dict, "__name__", &text) &&
		    text_is(py, text, name))
			err = key ? member_root(py, dict_at, key) : lost_root(py, id);
	}
	return err;
}

static struct error *lost_interned(struct py *py, const char *name)
{
	const struct object_table *o = &py->snapshot->object;
	struct error *err = NULL;
	for (uint32_t id = 1; id <= o->n && !err; id++)
		if (bits_test(&py->interned, id))
			err = lost_root(py,
					py_object_id(py, key_find(py, o->address[id - 1], name)));
	return err;
}

static struct error *lost_find(struct py *py, const struct cpython_lost *row)
{
	const struct py_type *t = type_named(py, row->name);
	switch ((enum cpython_lost_how)row->how) {
	case CPYTHON_LOST_MODULE:
		return lost_module(py, row->name, NULL);
	case CPYTHON_LOST_INTERNED:
		return lost_interned(py, row->name);
	case CPYTHON_LOST_TEXT:
		return NULL; /* by the words of module data */
	case CPYTHON_LOST_TYPE:
		return lost_root(py, t ? t->object_id : 0);
	case CPYTHON_LOST_MEMBER:
		return t ? member_root(py, t->address + py->layout->type.dict, row->key)
			 : lost_module(py, row->name, row->key);
	}
	return NULL;
}

static struct error *lost_text(struct py *py, uint32_t id)
{
	const struct cpython_lost *row;
	for (unsigned i = 0; (row = cpython_lost_next(py->layout, &i));)
		if (row->how == CPYTHON_LOST_TEXT &&
		    text_is(py, py->snapshot->object.address[id - 1], row->name))
			return lost_root(py, id);
	return NULL;
}

/* ---- both ---- */

static bool text_is_lost(const struct py *py)
{
	const struct cpython_lost *row;
	for (unsigned i = 0; (row = cpython_lost_next(py->layout, &i));)
		if (row->how == CPYTHON_LOST_TEXT)
			return true;
	return false;
}

static struct error *module_scan(struct py *py, uint32_t module_id, bool texts)
{
	const struct image_module *m = image_module_get(py->image, module_id);
	uint64_t at = align_down(m->data_start + 7, 8), len;
	const uint8_t *p;
	struct error *err = NULL;
	texts = texts && module_id == py->cpython.module_id;
	for (; !err && at < m->data_end && (p = image_next_data(py->image, &at, m->data_end, &len));
	     at += len) {
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len && !err; i += 8) {
			uint64_t word = image_word_at(py->image, p + i);
			uint32_t id =
				word % 8 || word < PY_COUNT_CLEAR ? 0 : py_object_id(py, word);
			if (py_is(py, id, PY_KIND_tuple))
				lent_add(py, id, is_lent);
			else if (py_is(py, id, PY_KIND_dict))
				lent_add(py, id, is_lent_dict);
			else if (texts && py_is(py, id, PY_KIND_str))
				err = lost_text(py, id);
		}
	}
	return err;
}

struct error *py_own_counts(struct py *py)
{
	struct error *err = NULL;
	const struct cpython_lost *row;
	const bool texts = text_is_lost(py);
	for (unsigned i = 0; !err && (row = cpython_lost_next(py->layout, &i));)
		err = lost_find(py, row);
	for (uint32_t id = 1; id <= py->image->nmodule && !err; id++)
		err = module_scan(py, id, texts);
	return err;
}
