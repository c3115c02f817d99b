/*
 * type_names: what static types are called whose tp_name is in a binary that is gone.
 *
 * A core of another machine has no read-only pages of files (coredump_filter 0x33): tp_name of a type
 * in C leads nowhere. But the heap knows what types are called:
 *
 *	sys.modules['types'].__dict__['CodeType']	──► a type		BINDING
 *	sys.modules['builtins'].__dict__['None']	──► an object of it	VALUE
 *	its own tp_dict: 'co_argcount', 'co_stacksize' ...			KEYS
 *	a module of C has it as 'deque'			──► module.deque
 *	a heap type has __module__ and ht_name
 *
 * layout/cpython_names.c has the rows; the first that fits wins. Only types that come with CPython are told by
 * them, as foreign ones imitate those (Cython's functions, lxml's elements). Mistakes to expect: an
 * extension's type that calls itself otherwise than its module calls it. What nothing tells stays without a
 * name, and is scanned as any other unknown type.
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAME_MOST = 200,
	KEY_MOST = 64,
	PATH_MOST = 1024,
	KEYS_MOST = 1024,	 /* of a type's dict */
	DICT_MOST = 1 << 16,	 /* of the other dicts that are searched */
	BINDINGS_MOST = 1 << 20, /* of all modules together */
	NAMELESS_MOST = 1 << 14, /* whose keys are looked at */
	INTERPRETERS_ASKED = 16,
	DOUBTFUL_PART = 16, /* one of so many is of a type of the interpreter itself: no audit */
};

/* The keys of a type's dict, by hash. */
struct type_keys {
	VEC(uint64_t) hash;
};

struct teller {
	struct py *py;
	/* The dicts sys.modules of the interpreters, and the one that is asked; 0: none is found. */
	uint64_t each[INTERPRETERS_ASKED], modules;
	unsigned n;
	uint16_t version;
	unsigned bindings; /* looked at */
};

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return h;
}

static bool is_nameless(const struct py *py, const struct py_type *t)
{
	char name[NAME_MOST];
	return !py_type_name(py, t, name, sizeof(name));
}

static bool is_dict(const struct py *py, uint64_t at)
{
	const struct py_type *t;
	uint64_t word;
	return at && at % 8 == 0 && py_word(py, at + py->layout->object.type, &word) &&
	       (t = py_type_at(py, word)) && t->flags & py->layout->type.flag.dict;
}

static bool type_dict(const struct py *py, uint64_t type, uint64_t *ret)
{
	uint64_t at;
	if (py_builtin_type_state(py, type, &at))
		at += py->layout->type.builtin_dict;
	else
		at = type + py->layout->type.dict;
	return py_word(py, at, ret) && is_dict(py, *ret);
}

static bool dict_begin(const struct py *py, uint64_t at, struct py_dict_cursor *ret)
{
	if (!py_dict_begin(py, at, ret))
		return false;
	if (ret->n > DICT_MOST)
		ret->n = DICT_MOST;
	return true;
}

static bool dict_get(const struct py *py, uint64_t at, const char *key, uint64_t *ret)
{
	struct py_dict_cursor c;
	struct py_dict_entry e;
	char text[KEY_MOST];
	if (!dict_begin(py, at, &c))
		return false;
	while (py_dict_next(py, &c, &e)) {
		if (py_text(py, e.key, text, sizeof(text)) && !strcmp(text, key)) {
			*ret = e.value;
			return true;
		}
	}
	return false;
}

static const char *file_of(const struct py *py, uint64_t at)
{
	uint32_t id = image_module_find(py->image, at);
	const char *path = id ? image_module_get(py->image, id)->path : NULL;
	const char *base = path ? strrchr(path, '/') : NULL;
	return base ? base + 1 : "";
}

/* _datetime.cpython-311-x86_64-linux-gnu.so */
static bool is_file_of(const struct py *py, uint64_t type, const char *module)
{
	const char *file = file_of(py, type);
	size_t len = strlen(module);
	return !strncmp(file, module, len) && file[len] == '.';
}

/*
 * Does this type come with CPython? It is in the interpreter, or in a file of its library: of
 * lib-dynload, or called as the module.
 */
static bool is_cpythons(const struct py *py, uint64_t type, const char *module)
{
	uint32_t id = image_module_find(py->image, type);
	const char *path = id ? image_module_get(py->image, id)->path : NULL;
	if (id == py->cpython.module_id || (path && strstr(path, "/lib-dynload/")))
		return id;
	return module && is_file_of(py, type, module);
}

static struct error *tell(struct py *py, uint64_t type, const char *name)
{
	const struct py_type *found = py_type_at(py, type);
	if (!found || !is_nameless(py, found))
		return NULL;
	return intern_str(&py->snapshot->strings, name, &py->type.at[found - py->type.at].told);
}

/* ---- modules ---- */

/* The main interpreter, which is the last one in the list, comes first. */
static struct error *modules_find(struct teller *t)
{
	_cleanup_(py_states_deinit) struct py_states states = {0};
	const struct py *py = t->py;
	struct error *err = py_states_find(py, &states);
	uint64_t at;
	for (uint64_t i = states.interpreter.n; i-- && !err && t->n < INTERPRETERS_ASKED;)
		if (py_word(py, states.interpreter.at[i] + py->layout->state.interp_modules, &at) &&
		    is_dict(py, at))
			t->each[t->n++] = at;
	return err;
}

/* tp_dictoffset of a module is where its namespace is: Objects/moduleobject.c. */
static bool module_namespace(const struct py *py, uint64_t module, uint64_t *ret)
{
	const struct py_type *t;
	uint64_t word;
	return py_word(py, module + py->layout->object.type, &word) && (t = py_type_at(py, word)) &&
	       t->dictoffset > 0 && py_word(py, module + (uint64_t)t->dictoffset, ret) &&
	       is_dict(py, *ret);
}

static bool module_get(const struct teller *t, const char *name, uint64_t *ret)
{
	if (t->py->layout->major == 2 && !strcmp(name, "builtins"))
		name = "__builtin__";
	return t->modules && dict_get(t->py, t->modules, name, ret);
}

static bool module_dict(const struct teller *t, const char *name, uint64_t *ret)
{
	uint64_t at;
	return module_get(t, name, &at) && module_namespace(t->py, at, ret);
}

/* struct PyModuleDef is static, and an object. */
static bool module_def(const struct teller *t, const char *name, uint64_t *ret)
{
	const struct py_type *type;
	uint64_t at, word;
	return module_get(t, name, &at) && module_namespace(t->py, at, &word) &&
	       py_word(t->py, at + t->py->layout->object.type, &word) &&
	       (type = py_type_at(t->py, word)) &&
	       py_word(t->py, at + (uint64_t)type->dictoffset + 8, ret) &&
	       image_module_find(t->py->image, *ret) == t->py->cpython.module_id;
}

/* What a row's module and keys lead to. */
static bool row_value(const struct teller *t, const struct cpython_name *row, uint64_t *ret)
{
	uint64_t dict;
	char key[KEY_MOST];
	if (!module_dict(t, row->in, &dict))
		return false;
	for (const char *p = row->keys; *p;) {
		size_t len = strcspn(p, " ");
		snprintf(key, sizeof(key), "%.*s", (int)len, p);
		if (!dict_get(t->py, dict, key, ret))
			return false;
		p += len + (p[len] != 0);
		if (*p && (!py_type_at(t->py, *ret) || !type_dict(t->py, *ret, &dict)))
			return false;
	}
	return true;
}

static struct error *tell_by_module(const struct teller *t, const struct cpython_name *row)
{
	const uint16_t type = t->py->layout->object.type;
	uint64_t at;
	if (row->how == CPYTHON_NAME_DEF)
		return module_def(t, row->in, &at) && py_word(t->py, at + type, &at) &&
				       is_cpythons(t->py, at, NULL)
			       ? tell(t->py, at, row->type)
			       : NULL;
	if (!row_value(t, row, &at))
		return NULL;
	if (row->how == CPYTHON_NAME_DICT && !type_dict(t->py, at, &at))
		return NULL;
	if (row->how != CPYTHON_NAME_BINDING && !py_word(t->py, at + type, &at))
		return NULL;
	return is_cpythons(t->py, at, row->in) ? tell(t->py, at, row->type) : NULL;
}

/*
 * Is this module written in C? One of Python has __builtins__, which running its code put there, and a
 * file of its own kind; Cython's have the first only. *file gets what it is in: "" the interpreter.
 */
static bool is_in_c(const struct py *py, uint64_t dict, char *file, size_t room)
{
	char path[PATH_MOST];
	uint64_t at;
	*file = 0;
	if (!dict_get(py, dict, "__file__", &at) || !py_text(py, at, path, sizeof(path)))
		return !dict_get(py, dict, "__builtins__", &at);
	size_t len = strlen(path);
	if (len < 3 || strcmp(path + len - 3, ".so") != 0)
		return false;
	const char *base = strrchr(path, '/');
	snprintf(file, room, "%s", base ? base + 1 : path);
	return true;
}

/* Who binds a type, to be asked for its name. */
struct binder {
	const char *name;
	bool plain;	      /* its name is no part of the type's */
	bool shared;	      /* it binds what others have in their files */
	bool package;	      /* it binds what files of its folder have */
	char file[PATH_MOST]; /* whose types it binds; "": the interpreter's */
};

/*
 * What a module of C binds, and has in its own file, is called module.key; what builtins binds, and the
 * module that Cython's modules share (Cython/Utility/CommonStructures.c), just key.
 */
static bool binder_in_c(const struct py *py, const char *module, uint64_t dict, struct binder *ret)
{
	static const char cython[] = "_cython_";
	ret->name = module;
	ret->shared = !strncmp(module, cython, sizeof(cython) - 1);
	ret->plain = ret->shared || !strcmp(module, "builtins") || !strcmp(module, "__builtin__");
	ret->package = false;
	return is_in_c(py, dict, ret->file, sizeof(ret->file));
}

/* numpy binds ufunc, which no module of C does. */
static bool binder_package(const struct py *py, const char *module, uint64_t dict,
			   struct binder *ret)
{
	*ret = (struct binder){.name = module, .package = true};
	return !strchr(module, '.') && !is_in_c(py, dict, ret->file, sizeof(ret->file)) &&
	       (size_t)snprintf(ret->file, sizeof(ret->file), "/%s/", module) < sizeof(ret->file);
}

static bool binder_has(const struct py *py, const struct binder *b, uint64_t type)
{
	uint32_t id = image_module_find(py->image, type);
	const char *path = id ? image_module_get(py->image, id)->path : NULL;
	if (b->package)
		return path && strstr(path, b->file);
	return b->shared ||
	       (*b->file ? !strcmp(b->file, file_of(py, type)) : id == py->cpython.module_id);
}

static struct error *tell_bindings(struct teller *t, const struct binder *b, uint64_t dict)
{
	struct py *py = t->py;
	struct py_dict_cursor c;
	struct py_dict_entry e;
	char key[KEY_MOST], name[NAME_MOST + KEY_MOST + 2];
	struct error *err = NULL;
	if (!dict_begin(py, dict, &c))
		return NULL;
	for (; t->bindings < BINDINGS_MOST && !err && py_dict_next(py, &c, &e); t->bindings++) {
		const struct py_type *type = py_type_at(py, e.value);
		if (!type || type->flags & py->layout->type.flag.heap || !is_nameless(py, type) ||
		    !py_text(py, e.key, key, sizeof(key)) || !*key ||
		    !binder_has(py, b, type->address))
			continue;
		if (b->plain)
			snprintf(name, sizeof(name), "%s", key);
		else
			snprintf(name, sizeof(name), "%s.%s", b->name, key);
		err = tell(py, e.value, name);
	}
	return err;
}

static struct error *tell_module(struct teller *t, const char *module)
{
	struct binder binder;
	uint64_t dict;
	return module_dict(t, module, &dict) && binder_in_c(t->py, module, dict, &binder)
		       ? tell_bindings(t, &binder, dict)
		       : NULL;
}

static struct error *tell_all_bindings(struct teller *t, bool packages)
{
	struct py *py = t->py;
	struct py_dict_cursor c;
	struct py_dict_entry e;
	struct binder binder;
	char name[NAME_MOST];
	uint64_t dict;
	struct error *err = NULL;
	if (!t->modules || !dict_begin(py, t->modules, &c))
		return NULL;
	while (!err && py_dict_next(py, &c, &e))
		if (py_text(py, e.key, name, sizeof(name)) && *name &&
		    module_namespace(py, e.value, &dict) &&
		    (packages ? binder_package(py, name, dict, &binder)
			      : binder_in_c(py, name, dict, &binder)))
			err = tell_bindings(t, &binder, dict);
	return err;
}

/* ---- keys ---- */

static struct error *keys_read(const struct py *py, uint64_t type, struct type_keys *ret)
{
	struct py_dict_cursor c;
	struct py_dict_entry e;
	char key[KEY_MOST];
	uint64_t dict;
	struct error *err = NULL;
	ret->hash.n = 0;
	if (!type_dict(py, type, &dict) || !dict_begin(py, dict, &c))
		return NULL;
	while (ret->hash.n < KEYS_MOST && !err && py_dict_next(py, &c, &e))
		if (py_text(py, e.key, key, sizeof(key)))
			err = vec_push(&ret->hash, hash_of(key, strlen(key)));
	return err;
}

static bool keys_have(const struct type_keys *keys, const char *wanted)
{
	for (const char *p = wanted; *p;) {
		size_t len = strcspn(p, " ");
		const bool none = *p == '-';
		uint64_t hash = hash_of(p + none, len - none), i = 0;
		while (i < keys->hash.n && keys->hash.at[i] != hash)
			i++;
		if ((i == keys->hash.n) != none)
			return false;
		p += len + (p[len] != 0);
	}
	return true;
}

/* Several rows that fit, or several types that one row fits, tell nothing. */
static struct error *tell_by_keys(const struct teller *t)
{
	struct py *py = t->py;
	struct type_keys keys = {.hash.max = KEYS_MOST};
	struct error *err = NULL;
	unsigned looked = 0;
	_cleanup_free_ uint64_t *fits = calloc(cpython_nnames, sizeof(*fits));
	_cleanup_free_ unsigned *times = calloc(cpython_nnames, sizeof(*times));
	if (!fits || !times)
		return &error_nomem;
	for (uint64_t i = 0; i < py->type.n && !err; i++) {
		const struct py_type *type = &py->type.at[i];
		unsigned found = 0, which = 0;
		if (looked == NAMELESS_MOST)
			break;
		if (type->flags & py->layout->type.flag.heap || !is_nameless(py, type))
			continue;
		looked++;
		err = keys_read(py, type->address, &keys);
		for (unsigned k = 0; k < cpython_nnames && keys.hash.n && !err; k++) {
			const struct cpython_name *row = &cpython_names[k];
			if (row->how != CPYTHON_NAME_KEYS || t->version < row->from ||
			    t->version > row->to ||
			    !(row->in ? is_file_of(py, type->address, row->in)
				      : is_cpythons(py, type->address, NULL)) ||
			    !keys_have(&keys, row->keys))
				continue;
			found++;
			which = k;
		}
		if (found == 1) {
			fits[which] = type->address;
			times[which]++;
		}
	}
	for (unsigned k = 0; k < cpython_nnames && !err; k++)
		if (times[k] == 1)
			err = tell(py, fits[k], cpython_names[k].type);
	vec_deinit(&keys.hash);
	return err;
}

/* ---- children ---- */

static struct error *tell_child(const struct teller *t, const struct cpython_name *row)
{
	struct py *py = t->py;
	uint64_t child = 0, base;
	unsigned n = 0;
	char name[NAME_MOST];
	for (uint64_t i = 0; i < py->type.n; i++) {
		const struct py_type *type = &py->type.at[i], *b;
		if (!type->is_static || type->flags & py->layout->type.flag.heap ||
		    image_module_find(py->image, type->address) != py->cpython.module_id ||
		    !py_word(py, type->address + py->layout->type.base, &base) ||
		    !(b = py_type_at(py, base)) || !py_type_name(py, b, name, sizeof(name)) ||
		    strcmp(name, row->keys) != 0)
			continue;
		child = type->address;
		n++;
	}
	return n == 1 ? tell(py, child, row->type) : NULL;
}

/* ---- heap types ---- */

/*
 * PyType_FromSpec makes __module__ and ht_name of the spec's name, and to 3.10 leaves tp_name in the
 * binary. Objects/typeobject.c.
 */
static struct error *tell_heap_type(struct py *py, const struct py_type *t)
{
	char name[NAME_MOST], module[NAME_MOST], both[2 * NAME_MOST + 2];
	uint64_t at, dict;
	if (!py_word(py, t->address + py->layout->type.heap_name, &at) ||
	    !py_text(py, at, name, sizeof(name)) || !*name)
		return NULL;
	if (type_dict(py, t->address, &dict) && dict_get(py, dict, "__module__", &at) &&
	    py_text(py, at, module, sizeof(module)) && *module && strcmp(module, "builtins") != 0)
		snprintf(both, sizeof(both), "%s.%s", module, name);
	else
		snprintf(both, sizeof(both), "%s", name);
	return tell(py, t->address, both);
}

/* ---- all ---- */

/* By what an interpreter's modules call them. */
static struct error *tell_by_modules(struct teller *t)
{
	struct error *err = NULL;
	for (unsigned i = 0; i < cpython_nnames && !err; i++) {
		const struct cpython_name *row = &cpython_names[i];
		if (t->version < row->from || t->version > row->to || row->how == CPYTHON_NAME_KEYS)
			continue;
		err = row->how == CPYTHON_NAME_CHILD ? tell_child(t, row) : tell_by_module(t, row);
	}
	/* Python 2 binds exceptions twice, and calls them by this module. */
	if (!err && t->py->layout->major == 2)
		err = tell_module(t, "exceptions");
	return err ? err : tell_module(t, "builtins");
}

struct error *py_type_names_tell(struct py *py)
{
	struct teller t = {
		.py = py,
		.version = (uint16_t)(py->layout->major << 8 | py->layout->minor),
	};
	uint64_t nameless = 0;
	struct error *err = NULL;
	for (uint64_t i = 0; i < py->type.n && !err; i++) {
		if (!is_nameless(py, &py->type.at[i]))
			continue;
		if (py->type.at[i].flags & py->layout->type.flag.heap)
			err = tell_heap_type(py, &py->type.at[i]);
		nameless++;
	}
	if (err || !nameless)
		return err;
	err = modules_find(&t);
	/* Without any module some rows tell all the same. */
	for (unsigned i = 0; (!i || i < t.n) && !err; i++) {
		t.modules = t.each[i];
		err = tell_by_modules(&t);
	}
	if (!err)
		err = tell_by_keys(&t);
	for (unsigned i = 0; i < 2 * t.n && !err; i++) {
		t.modules = t.each[i % t.n];
		err = tell_all_bindings(&t, i >= t.n);
	}
	return err;
}

struct error *py_type_names_missing(const struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	uint64_t types = 0, objects = 0, own = 0;
	_cleanup_free_ uint64_t *instances = calloc(py->type.n + 1, sizeof(*instances));
	if (!instances)
		return &error_nomem;
	for (uint32_t i = 0; i < o->n; i++)
		instances[py->object_type[i]]++;
	for (uint64_t i = 0; i < py->type.n; i++) {
		const struct py_type *t = &py->type.at[i];
		if (!instances[i + 1] || t->flags & py->layout->type.flag.heap ||
		    !is_nameless(py, t))
			continue;
		types++;
		objects += instances[i + 1];
		if (image_module_find(py->image, t->address) == py->cpython.module_id)
			own += instances[i + 1];
	}
	if (!types)
		return NULL;
	py->snapshot->counts_doubtful |= own > py->objects / DOUBTFUL_PART;
	struct error *err = py_meta(py, "python_nameless_types", "%" PRIu64, types);
	return err ? err : py_meta(py, "python_nameless_objects", "%" PRIu64, objects);
}
