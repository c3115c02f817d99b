/*
 * freelists: where CPython keeps freed dicts and lists for their next use. Arrays of
 * which the first so many are in use: objects with count 0. Behind them stands what was there before:
 * such objects may have been given out again, and the word would pass for a holder of theirs. No scan
 * reads that part. (What the objects in use refer to: visit.c, visit_dead.)
 *
 * From 3.10 on the arrays lie in the interpreter's state. Before, they are statics: found by their
 * name, `free_list`, and size; in a stripped binary they are not found, and may hide a leak or two.
 */
#include "runtime/cpython/states.h"

#include "base/checked.h"
#include "base/cleanup.h"

#include <string.h>

static const char why[] = "objects that CPython keeps for reuse";
static const uint64_t array_size = (uint64_t)CPYTHON_FREE_MOST * 8;

/* From the first on that is in use no longer. */
static struct error *array_hide(struct py *py, uint64_t start)
{
	const uint64_t end = start + array_size;
	uint64_t at = start, object, count;
	while (at < end && py_word(py, at, &object) && object &&
	       py_word(py, object + py->layout->object.refcnt, &count) && !count)
		at += 8;
	return at < end ? snapshot_add_opaque(py->snapshot, at, end, why) : NULL;
}

/* "free_list", "free_list.12", "free_list.lto_priv.0" */
static bool is_free_list(const struct debuginfo_symbol *sym)
{
	static const char name[] = "free_list";
	const char *text = sym->raw ? sym->raw : sym->name;
	if (!text || strncmp(text, name, sizeof(name) - 1))
		return false;
	return !text[sizeof(name) - 1] || text[sizeof(name) - 1] == '.';
}

static struct error *statics_hide(struct py *py)
{
	const struct image_module *m = image_module_get(py->image, py->cpython.module_id);
	struct error *err = NULL;
	struct debuginfo_symbol sym;
	uint64_t at = align_down(m->data_start + 7, 8);
	while (at < m->data_end && !err) {
		bool covers = debuginfo_symbol_at(py->debuginfo, at, &sym) && at >= sym.start &&
			      at - sym.start < sym.size;
		uint64_t end = covers ? sym.start + sym.size : at + 8;
		if (covers && sym.size == array_size && is_free_list(&sym))
			err = array_hide(py, sym.start);
		at = end > at ? align_down(end + 7, 8) : m->data_end;
	}
	return err;
}

struct error *py_freelists_hide(struct py *py)
{
	const struct cpython_state_layout *l = &py->layout->state;
	const uint32_t field[] = {l->interp_free_lists, l->interp_free_dicts};
	if (!field[0])
		return py->debuginfo ? statics_hide(py) : NULL;
	_cleanup_(py_states_deinit) struct py_states states = {0};
	struct error *err = py_states_find(py, &states);
	for (uint64_t i = 0; i < states.interpreter.n && !err; i++)
		for (unsigned k = 0; k < sizeof(field) / sizeof(field[0]) && !err; k++)
			err = array_hide(py, states.interpreter.at[i] + field[k]);
	return err;
}
