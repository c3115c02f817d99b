#include "runtime/cpython/states.h"

#include "base/cleanup.h"

enum {
	INTERNED_FEW = 32,
	INTERPRETER_MOST = 1 << 19, /* bytes of a PyInterpreterState; 3.14 has 250,000 */
};

/* Does each key stand for itself? *ret gets how many there are. */
static bool names_itself(const struct py *py, uint64_t at, uint64_t *ret)
{
	struct py_dict_cursor c;
	struct py_dict_entry e;
	uint64_t n = 0;
	if (!py_dict_begin(py, at, &c))
		return false;
	while (py_dict_next(py, &c, &e)) {
		if (e.key != e.value)
			return false;
		if (!n++ && !py_is(py, py_object_id(py, e.key), PY_KIND_str) &&
		    !py_is(py, py_object_id(py, e.key), PY_KIND_bytes))
			return false;
	}
	*ret = n;
	return true;
}

static bool is_table(const struct py *py, uint32_t id, int64_t counts, uint64_t *ret)
{
	const struct object_table *o = &py->snapshot->object;
	const struct py_type *t = py_type_of(py, id);
	return t && t->kind == PY_KIND_dict && t->own_kind && o->refcount[id - 1] <= counts &&
	       names_itself(py, o->address[id - 1], ret);
}

/* From 3.12 on each interpreter has a table of its own, which a word of its state leads to; two in 3.14. */
static bool tables_of_interpreter(struct py *py, uint64_t at, struct bits *tried)
{
	const uint32_t module = image_module_find(py->image, at);
	uint32_t block = snapshot_object_find(py->snapshot, at);
	uint64_t end = at + INTERPRETER_MOST, len, n;
	bool found = false;
	if (block)
		end = object_block(&py->snapshot->object, block - 1) +
		      py->snapshot->object.size[block - 1];
	else if (!module)
		return false;
	else if (image_module_get(py->image, module)->data_end < end)
		end = image_module_get(py->image, module)->data_end;
	const uint8_t *p;
	for (; (p = image_next_data(py->image, &at, end, &len)); at += len) {
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len; i += 8) {
			uint64_t word = image_word_at(py->image, p + i);
			uint32_t id = word < 4096 || word % 8 ? 0 : py_object_id(py, word);
			if (!id || bits_test_set(tried, id) || !is_table(py, id, 2, &n) ||
			    n < INTERNED_FEW)
				continue;
			bits_set(&py->interned, id);
			found = true;
		}
	}
	return found;
}

/*
 * No symbol leads to the table of interned strings: a static variable up to 3.11, a field of each
 * interpreter's later. It is a dict of strings that are their own values, and has every interned
 * string in it: where no interpreter has one, it is the biggest of all such dicts. A program's own
 * dict of this form is smaller, unless it has strings that are not interned.
 */
struct error *py_interned_find(struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	_cleanup_(py_states_deinit) struct py_states states = {0};
	uint64_t most = INTERNED_FEW - 1, n;
	uint32_t biggest = 0;
	bool found = false;
	_cleanup_(bits_deinit) struct bits tried = {0};
	struct error *err = bits_init(&py->interned, (uint64_t)o->n + 1);
	if (!err)
		err = bits_init(&tried, (uint64_t)o->n + 1);
	if (!err)
		err = py_states_find(py, &states);
	if (err)
		return err;
	for (uint64_t i = 0; i < states.interpreter.n; i++)
		found |= tables_of_interpreter(py, states.interpreter.at[i], &tried);
	for (uint32_t id = 1; id <= o->n && !found; id++) {
		if (!is_table(py, id, 1, &n) || n <= most)
			continue;
		most = n;
		biggest = id;
	}
	if (biggest)
		bits_set(&py->interned, biggest);
	return NULL;
}
