#include "runtime/cpython/states.h"

enum { INTERNED_FEW = 32 };

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

/*
 * No symbol leads to the table of interned strings (a static variable up to 3.11, a field of the
 * interpreter's later). It is a dict of strings that are their own values, and has every interned
 * string in it: of all such dicts it is the biggest. A program's own dict of this form is smaller,
 * unless it has strings that are not interned.
 */
void py_interned_find(struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	uint64_t most = INTERNED_FEW - 1, n;
	for (uint32_t id = 1; id <= o->n; id++) {
		const struct py_type *t = py_type_of(py, id);
		if (!t || t->kind != PY_KIND_dict || !t->own_kind || o->refcount[id - 1] != 1)
			continue;
		if (!names_itself(py, o->address[id - 1], &n) || n <= most)
			continue;
		most = n;
		py->interned = id;
	}
}
