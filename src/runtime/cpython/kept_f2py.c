/*
 * kept_f2py: the names of functions that f2py wrapped.
 *
 * fortranobject.c, PyFortranObject_NewAsAttr and PyFortranObject_New: the text "function NAME" ("scalar",
 * "array") is added to the dict of a fortran object as its __name__, and not given back. Modules that
 * f2py makes may give the object another __name__, NAME alone, afterwards: then nothing holds the first
 * one. One for each fortran object. numpy 1.24.2, numpy/f2py/src.
 */
#include "runtime/cpython/kept_impl.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 128 };

#define CAUSE "made by f2py: the name of a function, counted once too often"

/* A function with a later name, whose first one is somewhere. */
struct renamed {
	char name[NAME_MOST];
	bool used;
};

struct f2py {
	struct kept *k;
	VEC(struct renamed) renamed; /* by name */
};

static int renamed_compare(const void *a, const void *b)
{
	return strcmp(((const struct renamed *)a)->name, ((const struct renamed *)b)->name);
}

/* PyObject_HEAD; Py_ssize_t len; FortranDataDef *defs; PyObject *dict: numpy/f2py/src/fortranobject.h */
static struct error *fortran_take(struct f2py *f, uint32_t id)
{
	const struct py *py = f->k->py;
	const uint64_t at = py->snapshot->object.address[id - 1];
	const struct py_type *type = py_type_of(py, id);
	uint64_t dict, name;
	struct renamed r = {.used = false};
	if (!py_word(py, at + py->layout->object.head + 16, &dict) ||
	    !py_is(py, py_object_id(py, dict), PY_KIND_dict) ||
	    !py_dict_get(py, dict, "__name__", &name) || !py_object_id(py, name))
		return NULL;
	if (kept_spare(f->k, py_object_id(py, name)) == 1)
		return kept_add(f->k, py_object_id(py, name), 1, CAUSE,
				image_module_find(py->image, type->address));
	return py_text(py, name, r.name, sizeof(r.name)) ? vec_push(&f->renamed, r) : NULL;
}

static struct error *alone_take(struct f2py *f, uint32_t id)
{
	static const char first[] = "function ";
	struct renamed key = {.used = false}, *found;
	char text[NAME_MOST];
	if (f->k->held.owning[id - 1] || f->k->held.words[id - 1] ||
	    !py_text(f->k->py, f->k->py->snapshot->object.address[id - 1], text, sizeof(text)) ||
	    strncmp(text, first, sizeof(first) - 1) != 0)
		return NULL;
	memcpy(key.name, text + sizeof(first) - 1, strlen(text) - sizeof(first) + 2);
	const struct renamed *end = f->renamed.at + f->renamed.n;
	found = bsearch(&key, f->renamed.at, f->renamed.n, sizeof(key), renamed_compare);
	/* Several modules have functions of one name. */
	while (found && found > f->renamed.at && !renamed_compare(found - 1, &key))
		found--;
	while (found && found < end && found->used && !renamed_compare(found, &key))
		found++;
	if (!found || found == end || renamed_compare(found, &key))
		return NULL;
	found->used = true;
	return kept_add(f->k, id, 1, CAUSE, 0);
}

/* Each module has a static type of its own that is called so. */
static struct error *types_find(const struct py *py, struct bits *fortran, bool *any)
{
	char name[NAME_MOST];
	struct error *err = bits_init(fortran, py->type.n + 1);
	for (uint64_t i = 0; i < py->type.n && !err; i++)
		if (py->type.at[i].is_static &&
		    py_type_name(py, &py->type.at[i], name, sizeof(name)) &&
		    !strcmp(name, "fortran")) {
			bits_set(fortran, i + 1);
			*any = true;
		}
	return err;
}

struct error *kept_f2py(struct kept *k)
{
	struct f2py f = {.k = k};
	struct bits fortran = {0};
	bool any = false;
	struct error *err = types_find(k->py, &fortran, &any);
	for (uint32_t id = 1; any && id <= k->py->snapshot->object.n && !err; id++)
		if (bits_test(&fortran, k->py->object_type[id - 1]))
			err = fortran_take(&f, id);
	if (f.renamed.n)
		qsort(f.renamed.at, f.renamed.n, sizeof(*f.renamed.at), renamed_compare);
	for (uint64_t i = 0; f.renamed.n && i < k->odd.n && !err; i++)
		if (py_is(k->py, k->odd.at[i], PY_KIND_str) && kept_spare(k, k->odd.at[i]) == 1)
			err = alone_take(&f, k->odd.at[i]);
	vec_deinit(&f.renamed);
	bits_deinit(&fortran);
	return err;
}
