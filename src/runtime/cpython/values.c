/*
 * values: what is said of an object in a line. Numbers in full up to some 80 digits, text and bytes
 * cut at PY_VALUE_MOST, containers by their length, functions and modules by their names.
 */
#include "runtime/cpython/values_impl.h"

#include "base/checked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define py_value_none NULL
const struct py_kind_row py_kind_table[PY_KINDS] = {
	[PY_KIND_NONE] = {"", NULL},
#define PY_KIND(id, name, value) [PY_KIND_##id] = {name, py_value_##value},
#include "runtime/cpython/kinds.def"
#undef PY_KIND
};

__attribute__((format(printf, 2, 3))) bool py_value_print(struct py_value *v, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	v->len = (size_t)n < sizeof(v->text) ? (size_t)n : sizeof(v->text) - 1;
	return true;
}

bool py_value_type(const struct py *py, const struct py_type *type, uint64_t at,
		   struct py_value *ret)
{
	(void)type;
	const struct py_type *t = py_type_at(py, at);
	return t && t->name &&
	       py_value_print(ret, "%.*s", PY_VALUE_MOST,
			      intern_text(&py->snapshot->strings, t->name));
}

bool py_value_none_object(const struct py *py, const struct py_type *type, uint64_t at,
			  struct py_value *ret)
{
	(void)py;
	(void)type;
	(void)at;
	return py_value_print(ret, "None");
}

/* ---- lengths ---- */

static bool value_items(struct py_value *ret, uint64_t n)
{
	return n >> 48 == 0 && py_value_print(ret, "%" PRIu64 " item%s", n, n == 1 ? "" : "s");
}

bool py_value_size_items(const struct py *py, const struct py_type *type, uint64_t at,
			 struct py_value *ret)
{
	(void)type;
	uint64_t n;
	return py_word(py, at + py->layout->object.size, &n) && value_items(ret, n);
}

bool py_value_dict(const struct py *py, const struct py_type *type, uint64_t at,
		   struct py_value *ret)
{
	(void)type;
	uint64_t n;
	return py_word(py, at + py->layout->mapping.used, &n) && value_items(ret, n);
}

bool py_value_set(const struct py *py, const struct py_type *type, uint64_t at,
		  struct py_value *ret)
{
	(void)type;
	uint64_t n;
	return py_word(py, at + py->layout->mapping.set_used, &n) && value_items(ret, n);
}

/* ---- names ---- */

static bool value_text_at(const struct py *py, uint64_t word_at, struct py_value *ret)
{
	uint64_t at;
	char text[PY_VALUE_MOST + 1];
	return py_word(py, word_at, &at) && py_text(py, at, text, sizeof(text)) &&
	       py_value_print(ret, "%s", text);
}

bool py_value_function(const struct py *py, const struct py_type *type, uint64_t at,
		       struct py_value *ret)
{
	(void)type;
	const struct cpython_function_layout *l = &py->layout->function;
	return (l->qualname != CPYTHON_NONE && value_text_at(py, at + l->qualname, ret)) ||
	       value_text_at(py, at + l->name, ret);
}

/* struct PyMethodDef begins with its name: Include/methodobject.h. */
bool py_value_builtin(const struct py *py, const struct py_type *type, uint64_t at,
		      struct py_value *ret)
{
	(void)type;
	uint64_t def, name;
	char text[PY_VALUE_MOST + 1];
	return py_word(py, at + py->layout->function.builtin_ml, &def) && py_word(py, def, &name) &&
	       image_try_string(py->image, name, text, PY_VALUE_MOST) &&
	       py_value_print(ret, "%s", text);
}

bool py_value_method(const struct py *py, const struct py_type *type, uint64_t at,
		     struct py_value *ret)
{
	uint64_t function;
	if (!py_word(py, at + py->layout->function.method_func, &function))
		return false;
	uint32_t id = py_object_id(py, function);
	const struct py_type *t = py_type_of(py, id);
	if (!t || t->kind == type->kind)
		return false;
	return t->kind == PY_KIND_function && py_value_function(py, t, function, ret);
}

bool py_value_code(const struct py *py, const struct py_type *type, uint64_t at,
		   struct py_value *ret)
{
	(void)type;
	const struct cpython_code_layout *l = &py->layout->code;
	char name[64], file[256];
	uint64_t word;
	uint32_t line;
	if (!py_word(py, at + l->name, &word) || !py_text(py, word, name, sizeof(name)))
		return false;
	if (!py_word(py, at + l->filename, &word) || !py_text(py, word, file, sizeof(file)) ||
	    !image_try_u32(py->image, at + l->firstlineno, &line))
		return py_value_print(ret, "%s", name);
	const char *slash = strrchr(file, '/');
	return py_value_print(ret, "%s (%s:%" PRIu32 ")", name, slash ? slash + 1 : file, line);
}

/* PyModuleObject.md_dict is its first field: Objects/moduleobject.c, 2.7 to 3.14. */
bool py_value_module(const struct py *py, const struct py_type *type, uint64_t at,
		     struct py_value *ret)
{
	(void)type;
	uint64_t dict, name;
	char text[PY_VALUE_MOST + 1];
	return py_word(py, at + py->layout->object.head, &dict) &&
	       py_dict_get(py, dict, "__name__", &name) && py_text(py, name, text, sizeof(text)) &&
	       py_value_print(ret, "%s", text);
}

bool py_value_descr(const struct py *py, const struct py_type *type, uint64_t at,
		    struct py_value *ret)
{
	(void)type;
	return value_text_at(py, at + py->layout->function.descr_name, ret);
}

/* ---- all of them ---- */

/* Where functions have the namespace that they run in; 0: this version's row does not tell. */
static uint64_t globals_offset(const struct py *py)
{
	const struct cpython_slot *slot = py->layout->slots;
	while (slot && slot->type &&
	       (strcmp(slot->type, "function") || strcmp(slot->name, ".__globals__")))
		slot++;
	return slot && slot->type ? slot->offset : 0;
}

static void namespace_mark(struct py *py, uint64_t word)
{
	struct object_table *o = &py->snapshot->object;
	uint64_t dict;
	uint32_t id = py_word(py, word, &dict) ? snapshot_object_find(py->snapshot, dict) : 0;
	if (id && o->address[id - 1] == dict)
		o->flags[id - 1] |= OBJECT_DEFINITION;
}

/* Classes, modules, and the namespaces that functions run in: a module's, or that of an exec(). */
static void definition_mark(struct py *py, uint32_t i, const struct py_type *t, uint64_t globals)
{
	struct object_table *o = &py->snapshot->object;
	if (t->kind == PY_KIND_type || t->kind == PY_KIND_classobj || t->kind == PY_KIND_module)
		o->flags[i] |= OBJECT_DEFINITION;
	if (t->kind == PY_KIND_module)
		namespace_mark(py, o->address[i] + py->layout->object.head);
	else if (t->kind == PY_KIND_function && globals)
		namespace_mark(py, o->address[i] + globals);
}

struct error *py_values(struct py *py)
{
	struct snapshot *s = py->snapshot;
	struct object_table *o = &s->object;
	if (!o->value)
		o->value = calloc(o->n ? o->n : 1, sizeof(*o->value));
	if (!o->value)
		return &error_nomem;
	const uint64_t globals = globals_offset(py);
	for (uint32_t i = 0; i < o->n; i++) {
		const struct py_type *t = py_type_of(py, i + 1);
		if (t)
			definition_mark(py, i, t, globals);
		py_value_fn *value = t ? py_kind_table[t->kind].value : NULL;
		struct py_value v = {.len = 0};
		if (!value || !value(py, t, o->address[i], &v))
			continue;
		struct error *err = intern_add(&s->strings, v.text, v.len, &o->value[i]);
		if (err)
			return err;
		if (v.is_text)
			o->flags[i] |= OBJECT_TEXT;
		if (v.is_name)
			o->flags[i] |= OBJECT_NAME;
	}
	return NULL;
}
