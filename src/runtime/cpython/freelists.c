/*
 * freelists: where CPython keeps freed dicts, tables of dicts, and lists for their next use. Arrays of
 * which the first so many are in use: objects with count 0. Behind them stands what was there before:
 * such objects may have been given out again, and the word would pass for a holder of theirs. No scan
 * reads that part. (What the objects in use refer to: visit.c, visit_dead.)
 *
 *	free_list[80]	| freed | freed | stale | stale | stale | 0 | 0 | ... | 0 |
 *
 * From 3.10 on the arrays lie in the interpreter's state. Before, they are statics: found by their
 * names and size. In a stripped binary they are found by structure:
 * a run of words half of which at least lead to such, then none up to the array's end. Mistakes to
 * expect: a run of less than RUN_LEAST, or in a place that only clang gives to an array, is not taken for
 * one and may hide a leak or two; as many dicts in variables of C side by side, and nothing behind them,
 * lose these holders.
 *
 * A table that a dict has outgrown keeps its count of 1 there (Objects/dictobject.c, dictresize, to 3.10),
 * as one that was given out again has it. They are told apart when it is known which tables dicts have:
 * what nobody has is in use, and becomes a root.
 */
#include "runtime/cpython/states.h"

#include "base/checked.h"
#include "base/cleanup.h"

#include <string.h>

static const char why[] = "objects that CPython keeps for reuse";
static const uint64_t array_size = (uint64_t)CPYTHON_FREE_MOST * 8;

enum {
	RUN_LEAST = 8,	  /* starting up alone frees more dicts and lists than that */
	ARRAY_ALIGN = 32, /* gcc's config/i386/i386.c, ix86_data_alignment: of big arrays */
	KEYS_LEAST = 8,	  /* Objects/dictobject.c, PyDict_MINSIZE: only such tables are kept */
};

/* From the first on that is in use no longer. */
static struct error *array_hide(struct py *py, uint64_t start)
{
	const uint64_t end = start + array_size;
	uint64_t at = start, object, count;
	while (at < end && py_word(py, at, &object) && object &&
	       py_word(py, object + py->layout->object.refcnt, &count) && !count)
		at += 8;
	if (at >= end)
		return NULL;
	struct error *err = vec_push(&py->free_array, ((struct py_free_array){at, end}));
	return err ? err : snapshot_add_opaque(py->snapshot, at, end, why);
}

/* "free_list", "free_list.12", "free_list.lto_priv.0" */
static bool is_free_list(const struct debuginfo_symbol *sym)
{
	static const char *const names[] = {
		"free_list",	     /* Objects/dictobject.c, listobject.c, setobject.c */
		"keys_free_list",    /* Objects/dictobject.c, from 3.6 on */
		"ag_value_freelist", /* Objects/genobject.c, from 3.6 on */
		"ag_asend_freelist",
	};
	const char *text = sym->raw ? sym->raw : sym->name;
	for (unsigned i = 0; text && i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);
		if (!strncmp(text, names[i], len) && (!text[len] || text[len] == '.'))
			return true;
	}
	return false;
}

/* Found: how many arrays. */
static struct error *statics_named(struct py *py, unsigned *found)
{
	const struct image_module *m = image_module_get(py->image, py->cpython.module_id);
	struct error *err = NULL;
	struct debuginfo_symbol sym;
	uint64_t at = align_down(m->data_start + 7, 8);
	while (at < m->data_end && !err) {
		bool covers = debuginfo_symbol_at(py->debuginfo, at, &sym) && at >= sym.start &&
			      at - sym.start < sym.size;
		uint64_t end = covers ? sym.start + sym.size : at + 8;
		if (covers && sym.size == array_size && is_free_list(&sym)) {
			err = array_hide(py, sym.start);
			++*found;
		}
		at = end > at ? align_down(end + 7, 8) : m->data_end;
	}
	return err;
}

/* A table of a dict's, as small as those that are kept, in use or not. */
static bool is_small_table(const struct py *py, const struct image_module *m, uint64_t at)
{
	const struct cpython_mapping_layout *l = &py->layout->mapping;
	uint64_t size, lookup, usable, entries;
	return l->keys_form == CPYTHON_DICT_KEYS_40 && py_word(py, at + l->keys_size, &size) &&
	       size == KEYS_LEAST && py_word(py, at + l->keys_lookup, &lookup) &&
	       lookup >= m->start && lookup < m->end && py_word(py, at + l->keys_usable, &usable) &&
	       usable <= KEYS_LEAST && py_word(py, at + l->keys_nentries, &entries) &&
	       entries <= KEYS_LEAST;
}

/*
 * A freed dict, list, set or table, or one that was there once and is again. Freed blocks of one size serve
 * all of them: an array of one may lead to others.
 */
static bool is_kept(const struct py *py, const struct image_module *m, uint64_t at)
{
	const struct cpython_type_flags *flag = &py->layout->type.flag;
	const struct py_type *t;
	uint64_t word;
	char name[8];
	if (!at || at % 8 || !py_word(py, at + py->layout->object.type, &word))
		return false;
	if (!(t = py_type_at(py, word)))
		return is_small_table(py, m, at);
	if (t->flags & (flag->dict | flag->list))
		return true;
	/* 2.7's Objects/setobject.c has one, too */
	return py->layout->mapping.keys_form == CPYTHON_DICT_TABLE &&
	       py_type_name(py, t, name, sizeof(name)) && !strcmp(name, "set");
}

static bool is_free_array(const struct py *py, const struct image_module *m, uint64_t start)
{
	uint64_t word, n = 0, kept = 0, type;
	/* The first may be another's, an object all the same: what precedes an array need not be. */
	if (!py_word(py, start, &word) || !word ||
	    !(is_kept(py, m, word) ||
	      (py_word(py, word + py->layout->object.type, &type) && py_type_at(py, type))))
		return false;
	for (; n < CPYTHON_FREE_MOST && py_word(py, start + 8 * n, &word) && word; n++) {
		if (word % 8 || word - m->start < m->end - m->start ||
		    !image_segment_find(py->image, word))
			return false;
		kept += is_kept(py, m, word);
	}
	if (n < RUN_LEAST || kept < n / 2)
		return false;
	for (; n < CPYTHON_FREE_MOST; n++)
		if (!py_word(py, start + 8 * n, &word) || word)
			return false;
	return true;
}

static struct error *statics_by_structure(struct py *py)
{
	const struct image_module *m = image_module_get(py->image, py->cpython.module_id);
	struct error *err = NULL;
	uint64_t at = align_down(m->data_start + ARRAY_ALIGN - 1, ARRAY_ALIGN);
	while (!err && at < m->data_end && m->data_end - at >= array_size) {
		bool found = is_free_array(py, m, at);
		if (found)
			err = array_hide(py, at);
		at += found ? array_size : ARRAY_ALIGN;
	}
	return err;
}

struct error *py_freelists_hide(struct py *py)
{
	const struct cpython_state_layout *l = &py->layout->state;
	const uint32_t field[] = {l->interp_free_lists, l->interp_free_dicts};
	const enum cpython_dict_keys form = py->layout->mapping.keys_form;
	struct error *err = NULL;
	if (!field[0]) {
		unsigned found = 0;
		/* Later ones keep chains, which have nothing stale. */
		if (form != CPYTHON_DICT_TABLE && form != CPYTHON_DICT_KEYS_40)
			return NULL;
		if (py->debuginfo)
			err = statics_named(py, &found);
		return err || found ? err : statics_by_structure(py);
	}
	_cleanup_(py_states_deinit) struct py_states states = {0};
	err = py_states_find(py, &states);
	for (uint64_t i = 0; i < states.interpreter.n && !err; i++)
		for (unsigned k = 0; k < sizeof(field) / sizeof(field[0]) && !err; k++)
			err = array_hide(py, states.interpreter.at[i] + field[k]);
	return err;
}

/* Has CPython kept it? Then its address, and its id. */
static bool is_kept_table(const struct py *py, uint64_t at, uint32_t *id)
{
	const struct image_module *m = image_module_get(py->image, py->cpython.module_id);
	const struct object_table *o = &py->snapshot->object;
	uint64_t word;
	if (!py_word(py, at, &word) || !word || word % 8 || !is_small_table(py, m, word))
		return false;
	*id = snapshot_object_find(py->snapshot, word);
	return *id && !py->object_type[*id - 1] && !(o->owner_id && o->owner_id[*id - 1]);
}

struct error *py_freelists_roots(struct py *py)
{
	struct error *err = NULL;
	uint32_t id;
	for (uint64_t i = 0; i < py->free_array.n && !err && py->object_type; i++) {
		const struct py_free_array *a = &py->free_array.at[i];
		for (uint64_t at = a->start; at < a->end && !err && is_kept_table(py, at, &id);
		     at += 8) {
			struct root_row row = {
				.object_id = id,
				.address = at,
				.grade = ROOT_GLOBAL,
				.how = EDGE_START,
				.found = ROOT_BY_RUNTIME,
				.depth = -1,
				.module_id = image_module_find(py->image, at),
			};
			err = intern_str(&py->snapshot->strings, "keys_free_list", &row.name);
			if (!err)
				err = vec_push(&py->snapshot->root, row);
		}
	}
	return err;
}
