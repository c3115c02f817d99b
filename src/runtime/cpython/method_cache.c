/*
 * method_cache: where CPython finds again which attribute of a type a name stood for last
 * (Objects/typeobject.c, _PyType_Lookup; from 3.10 on in the interpreter's state).
 *
 *	hashtable[4096]	| version | name, counted | value, borrowed |
 *
 * The name is a str or None. Names that are made on the way (getattr(o, "visit_" + kind)) are often held
 * by nothing else: a process has more and more of them, 4,096 at most. Values are left to stand when their
 * class goes, and what has their address later would seem to be held. So no scan reads the table, and the
 * names become roots. A table that has anything else for a name is none: it is read as words.
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

static const char why[] = "CPython's cache of attributes by type and name";

enum { CACHE_BYTES = CPYTHON_CACHE_ENTRIES * CPYTHON_CACHE_ENTRY };

static uint64_t name_place(uint64_t cache, unsigned i)
{
	return cache + (uint64_t)i * CPYTHON_CACHE_ENTRY + CPYTHON_CACHE_NAME;
}

static bool is_name(const struct py *py, uint64_t word)
{
	uint64_t type;
	const struct py_type *t =
		py_word(py, word + py->layout->object.type, &type) ? py_type_at(py, type) : NULL;
	return t && t->own_kind && (t->kind == PY_KIND_str || t->kind == PY_KIND_none);
}

static bool is_cache(const struct py *py, uint64_t cache)
{
	uint64_t word;
	for (unsigned i = 0; i < CPYTHON_CACHE_ENTRIES; i++)
		if (!py_word(py, name_place(cache, i), &word) || (word && !is_name(py, word)))
			return false;
	return true;
}

struct error *py_method_cache_hide(struct py *py)
{
	const uint32_t field = py->layout->state.interp_type_cache;
	_cleanup_(py_states_deinit) struct py_states states = {0};
	struct error *err = field ? py_states_find(py, &states) : NULL;
	for (uint64_t i = 0; i < states.interpreter.n && !err; i++) {
		const uint64_t cache = states.interpreter.at[i] + field;
		if (!is_cache(py, cache))
			continue;
		err = snapshot_add_opaque(py->snapshot, cache, cache + CACHE_BYTES, why);
		if (!err)
			err = vec_push(&py->method_cache, cache);
	}
	return err;
}

struct error *py_method_cache_roots(struct py *py)
{
	struct snapshot *s = py->snapshot;
	struct root_row row = {
		.grade = ROOT_GLOBAL,
		.how = EDGE_START,
		.kind = REFERENCE_OWNING,
		.found = ROOT_BY_RUNTIME,
		.depth = -1,
	};
	struct error *err =
		py->method_cache.n ? intern_str(&s->strings, "(method cache)", &row.name) : NULL;
	for (uint64_t c = 0; c < py->method_cache.n; c++) {
		row.module_id = image_module_find(py->image, py->method_cache.at[c]);
		for (unsigned i = 0; i < CPYTHON_CACHE_ENTRIES && !err; i++) {
			uint64_t word;
			row.address = name_place(py->method_cache.at[c], i);
			row.object_id = py_word(py, row.address, &word) && word
						? py_object_id(py, word)
						: 0;
			if (row.object_id)
				err = vec_push(&s->root, row);
		}
	}
	return err;
}
