/* kept_known: the rows of layout/cpython_kept.c, each at most one count of one object. */
#include "runtime/cpython/kept_impl.h"

#include "base/base_name.h"

#include <string.h>

enum { NAME_MOST = 128 };

struct known {
	struct kept *k;
	const struct cpython_kept *row;
	uint32_t module_id; /* the binary that is at fault */
};

/* The module whose file's name begins so: _imaging.cpython-311-x86_64-linux-gnu.so. 0: none. */
static uint32_t binary_find(const struct image *img, const char *name)
{
	const size_t len = strlen(name);
	for (uint32_t id = 1; id <= img->nmodule; id++) {
		const char *base = base_name(image_module_get(img, id)->path);
		if (!strncmp(base, name, len) && base[len] == '.')
			return id;
	}
	return 0;
}

static bool text_is(const struct py *py, uint64_t at, const char *text)
{
	char buf[NAME_MOST];
	return py_text(py, at, buf, sizeof(buf)) && !strcmp(buf, text);
}

static bool module_dict(const struct py *py, uint32_t id, const char *name, uint64_t *ret)
{
	uint64_t text;
	return py_is(py, id, PY_KIND_module) &&
	       py_word(py, py->snapshot->object.address[id - 1] + py->layout->object.head, ret) &&
	       py_dict_get(py, *ret, "__name__", &text) && text_is(py, text, name);
}

static struct error *known_add(const struct known *w, uint32_t id)
{
	return id ? kept_add(w->k, id, 1, w->row->cause, w->module_id) : NULL;
}

static struct error *known_member(const struct known *w, uint64_t dict)
{
	uint64_t at;
	return py_dict_get(w->k->py, dict, w->row->key, &at)
		       ? known_add(w, py_object_id(w->k->py, at))
		       : NULL;
}

/* In all modules of that name, and in static types. */
static struct error *known_members(const struct known *w)
{
	const struct py *py = w->k->py;
	struct error *err = NULL;
	char buf[NAME_MOST];
	uint64_t dict;
	for (uint64_t i = 0; i < py->type.n && !err; i++) {
		const struct py_type *t = &py->type.at[i];
		if (!t->is_class && py_type_name(py, t, buf, sizeof(buf)) &&
		    !strcmp(buf, w->row->name) &&
		    py_word(py, t->address + py->layout->type.dict, &dict))
			err = known_member(w, dict);
	}
	for (uint32_t id = 1; id <= py->snapshot->object.n && !err; id++)
		if (module_dict(py, id, w->row->name, &dict))
			err = known_member(w, dict);
	return err;
}

static struct error *known_items(const struct known *w, uint32_t list)
{
	const struct edge_table *e = &w->k->py->snapshot->edge;
	struct error *err = NULL;
	for (uint64_t i = e->first[list - 1]; i < e->first[list] && !err; i++)
		if (py_is(w->k->py, e->dst[i], PY_KIND_tuple))
			err = known_add(w, e->dst[i]);
	return err;
}

/* Tuples in lists of objects of that type. */
static struct error *known_listed(const struct known *w)
{
	const struct py *py = w->k->py;
	const struct edge_table *e = &py->snapshot->edge;
	struct error *err = NULL;
	char buf[NAME_MOST];
	const struct py_type *type = NULL;
	for (uint64_t i = 0; i < py->type.n && !type; i++)
		if (!py->type.at[i].is_class &&
		    py_type_name(py, &py->type.at[i], buf, sizeof(buf)) &&
		    !strcmp(buf, w->row->name))
			type = &py->type.at[i];
	for (uint32_t id = 1; type && id <= py->snapshot->object.n && !err; id++) {
		if (py_type_of(py, id) != type)
			continue;
		for (uint64_t i = e->first[id - 1]; i < e->first[id] && !err; i++)
			if (py_is(py, e->dst[i], PY_KIND_list))
				err = known_items(w, e->dst[i]);
	}
	return err;
}

static bool number_is(const struct py *py, uint32_t id, const char *text)
{
	const struct py_type *t = py_type_of(py, id);
	struct py_value v;
	return t && t->own_kind && (t->kind == PY_KIND_int || t->kind == PY_KIND_long) &&
	       py_kind_table[t->kind].value(py, t, py->snapshot->object.address[id - 1], &v) &&
	       !strcmp(v.text, text);
}

/* Weak references to what has died refer to None. */
static bool is_dead(const struct py *py, uint32_t id, const char *type)
{
	const struct edge_table *e = &py->snapshot->edge;
	const struct py_type *t = py_type_of(py, id);
	char buf[NAME_MOST];
	return !t->is_class && py_type_name(py, t, buf, sizeof(buf)) && !strcmp(buf, type) &&
	       e->first[id] == e->first[id - 1] + 1 &&
	       py_is(py, e->dst[e->first[id - 1]], PY_KIND_none);
}

static struct error *known_odd(const struct known *w)
{
	const struct py *py = w->k->py;
	struct error *err = NULL;
	uint64_t dict;
	for (uint64_t i = 0; i < w->k->odd.n && !err; i++) {
		const uint32_t id = w->k->odd.at[i];
		const uint64_t at = py->snapshot->object.address[id - 1];
		const bool alone = !w->k->held.owning[id - 1] && !w->k->held.words[id - 1];
		switch ((enum cpython_kept_how)w->row->how) {
		case CPYTHON_KEPT_MODULE:
			if (module_dict(py, id, w->row->name, &dict))
				err = known_add(w, id);
			break;
		case CPYTHON_KEPT_TEXT:
			if (alone && py_is(py, id, PY_KIND_str) && text_is(py, at, w->row->name))
				return known_add(w, id);
			break;
		case CPYTHON_KEPT_NUMBER:
			if (alone && number_is(py, id, w->row->name))
				return known_add(w, id);
			break;
		case CPYTHON_KEPT_DEAD:
			if (alone && is_dead(py, id, w->row->name))
				return known_add(w, id);
			break;
		case CPYTHON_KEPT_MEMBER:
		case CPYTHON_KEPT_LISTED:
			return NULL; /* from the other end */
		}
	}
	return err;
}

struct error *kept_known(struct kept *k)
{
	struct error *err = NULL;
	for (unsigned i = 0; i < cpython_nkept && !err; i++) {
		struct known w = {k, &cpython_kept[i], 0};
		w.module_id = binary_find(k->py->image, w.row->binary);
		if (!w.module_id)
			continue;
		if (w.row->how == CPYTHON_KEPT_MEMBER)
			err = known_members(&w);
		else if (w.row->how == CPYTHON_KEPT_LISTED)
			err = known_listed(&w);
		else
			err = known_odd(&w);
	}
	return err;
}
