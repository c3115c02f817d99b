/*
 * kept_cython: what modules made by Cython up to 0.29 leave in memory.
 *
 * Such a module makes its constants when it is imported, each into a static variable of its own
 * (Cython/Compiler/Code.py, generate_object_constant_decls). Where the module's code never reads a
 * variable, the C compiler leaves it out, and the count has no holder any more. (From 3.0 on they are
 * fields of one structure, __pyx_mstate, of which none is left out.)
 *
 *	code		a code object without bytecode, for tracebacks, for each function
 *			(__pyx_codeobj_). Whose: the text of its file's name is one that the data of a
 *			module holds; which by that, or by the name of a switch that all have
 *			(cline_in_traceback), is known to be made by Cython
 *	names		the tuple of a code object's variables' names (co_varnames). From 3.11 on, code
 *			objects have a copy. No more than there are code objects with these names
 *	constant	a tuple of what one such module's data holds. One for each module
 *	default		what is the default of arguments (__pyx_k_): a variable for each of them, and
 *			for each wrapper and specialisation of the function; never more are left out
 *			than are there (two at least)
 *	builtin		a builtin function that was looked up (__pyx_builtin_). No more than there are
 *			such modules that hold its name, and not it. (2.7's functions do not tell their
 *			module)
 *
 * And two counts that Cython's code forgets:
 *
 *	super		a method that uses super(): ExprNodes.py, PyCFunctionNode.generate_cyfunction_code:
 *			an INCREF before PyList_Append, which does its own. One for each code object: a class
 *			that is made again and again has methods that are leaked
 *	wrapper		a special method with documentation: Nodes.py, CClassDefNode.
 *			generate_type_ready_code: `wrapper`. Its d_base points into the module's data.
 *			(Cython 3 does it, too; there it may find a method, whose d_method does)
 *
 * Seen in 0.29.32. What a rule can mistake: a leak of a few of a module's own constants; a code object
 * or tuple that something else leaks, and that is one of Cython's, letter for letter.
 */
#include "runtime/cpython/kept_impl.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

enum {
	TEXT_MOST = 256,
	ITEMS_MOST = 1024,
	WORDS_MOST = 64, /* of a function */
};

#define MIX UINT64_C(0x9e3779b97f4a7c15)
#define CONSTANT "made by Cython: a constant in a variable that the compiler left out"
#define DEFAULT "made by Cython: a default argument in variables that the compiler left out"
#define BUILTIN "made by Cython: a builtin in a variable that the compiler left out"
#define SUPER "made by Cython: a method with super(), counted once too often"
#define WRAPPER "made by Cython: the wrapper of a special method with documentation"

/* A code object without bytecode. */
struct made {
	uint64_t file, same,
		names; /* hashes: of its file's name; with name and line; of its names */
	uint32_t id;
};

struct file_of {
	uint64_t file;
	uint32_t module_id;
};

/* Module data holds the object. One for each word. */
struct word_of {
	uint32_t object_id, module_id;
};

struct hashed {
	uint64_t hash;
	uint32_t id; /* names: module, 0 one of several; tuples: object */
	uint32_t used;
};

struct cython {
	struct kept *k;
	const struct py *py;
	VEC(struct made) made;	  /* by `same`; then those of Cython only */
	VEC(uint64_t) names_file; /* distinct hashes of files' names, in order */
	VEC(struct file_of) file; /* by both */
	VEC(struct word_of) word; /* by both */
	VEC(struct hashed) names; /* by hash */
	struct bits module;	  /* made by Cython */
	bool any;		  /* there is one */
	struct bits code;	  /* object ids of `made` */
};

static uint64_t mix(uint64_t h, uint64_t word)
{
	return (h ^ word) * MIX ^ (h ^ word) >> 29;
}

static int u64_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static int made_compare(const void *a, const void *b)
{
	const struct made *x = a, *y = b;
	return x->same != y->same ? (x->same < y->same ? -1 : 1)
	       : x->id < y->id	  ? -1
				  : x->id > y->id;
}

static int file_compare(const void *a, const void *b)
{
	const struct file_of *x = a, *y = b;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->module_id < y->module_id ? -1 : x->module_id > y->module_id;
}

static int word_compare(const void *a, const void *b)
{
	const struct word_of *x = a, *y = b;
	if (x->object_id != y->object_id)
		return x->object_id < y->object_id ? -1 : 1;
	return x->module_id < y->module_id ? -1 : x->module_id > y->module_id;
}

static int hashed_compare(const void *a, const void *b)
{
	const struct hashed *x = a, *y = b;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1)
	       : x->id < y->id	  ? -1
				  : x->id > y->id;
}

#define SORT(v, compare)                                                                           \
	do {                                                                                       \
		if ((v)->n)                                                                        \
			qsort((v)->at, (v)->n, sizeof(*(v)->at), compare);                         \
	} while (0)

/* ---- what there is ---- */

static uint64_t characters_hash(const char *text)
{
	uint64_t h = MIX;
	for (; *text; text++)
		h = mix(h, (unsigned char)*text);
	return h | 1;
}

/* 0: it is no text. */
static uint64_t text_hash(const struct py *py, uint64_t at)
{
	char buf[TEXT_MOST];
	return py_text(py, at, buf, sizeof(buf)) ? characters_hash(buf) : 0;
}

/* By the addresses of its items. 0: it has none, or is no tuple. */
static uint64_t items_hash(const struct py *py, uint64_t at, uint64_t *n)
{
	uint64_t h = MIX, item;
	if (!py_is(py, py_object_id(py, at), PY_KIND_tuple) ||
	    !py_word(py, at + py->layout->object.size, n) || !*n || *n > ITEMS_MOST)
		return 0;
	for (uint64_t i = 0; i < *n; i++) {
		if (!py_word(py, at + py->layout->sequence.tuple_items + 8 * i, &item))
			return 0;
		h = mix(h, item);
	}
	return h | 1;
}

static bool has_bytecode(const struct py *py, uint64_t at)
{
	const uint16_t field = py->layout->code.bytecode;
	uint64_t bytes, n;
	if (field == CPYTHON_NONE)
		return !py_word(py, at + py->layout->object.size, &n) || n;
	return !py_word(py, at + field, &bytes) || !py_object_id(py, bytes) ||
	       !py_word(py, bytes + py->layout->object.size, &n) || n;
}

static struct error *made_add(struct cython *c, uint32_t id)
{
	const struct cpython_layout *l = c->py->layout;
	const uint16_t names = l->visit->code_localsplusnames;
	const uint64_t at = c->py->snapshot->object.address[id - 1];
	struct made m = {.id = id};
	uint64_t file, name, word, n;
	uint32_t line;
	if (!py_word(c->py, at + l->code.filename, &file) ||
	    !py_word(c->py, at + l->code.name, &name) ||
	    !image_try_u32(c->py->image, at + l->code.firstlineno, &line) ||
	    !(m.file = text_hash(c->py, file)))
		return NULL;
	m.same = mix(mix(m.file, name), line);
	/* Before, code objects keep the tuple that they were given. */
	if (names != CPYTHON_NONE && py_word(c->py, at + names, &word))
		m.names = items_hash(c->py, word, &n);
	struct error *err = vec_push(&c->made, m);
	return err ? err : vec_push(&c->names_file, m.file);
}

static struct error *made_find(struct cython *c)
{
	const struct object_table *o = &c->py->snapshot->object;
	struct error *err = NULL;
	for (uint32_t id = 1; id <= o->n && !err; id++)
		if (py_is(c->py, id, PY_KIND_code) && !(o->flags[id - 1] & OBJECT_STATIC) &&
		    !has_bytecode(c->py, o->address[id - 1]))
			err = made_add(c, id);
	SORT(&c->made, made_compare);
	SORT(&c->names_file, u64_compare);
	return err;
}

/* The data of an extension module holds it. */
static bool in_data(const struct cython *c, const struct root_row *r)
{
	return r->found == ROOT_BY_SCAN && r->how == EDGE_START && r->module_id &&
	       r->module_id != c->py->cpython.module_id &&
	       (r->grade == ROOT_GLOBAL || r->grade == ROOT_DATA);
}

static struct error *modules_find(struct cython *c)
{
	const struct snapshot *s = c->py->snapshot;
	/* Each has it among its constants: Utility/ModuleSetupCode.c, __Pyx_CLineForTraceback. */
	const uint64_t mark = characters_hash("cline_in_traceback");
	struct error *err = bits_init(&c->module, c->py->image->nmodule + 1);
	for (uint64_t i = 0; i < s->root.n && !err; i++) {
		const struct root_row *r = &s->root.at[i];
		if (!in_data(c, r) || (!py_is(c->py, r->object_id, PY_KIND_str) &&
				       !py_is(c->py, r->object_id, PY_KIND_unicode)))
			continue;
		const uint64_t h = text_hash(c->py, s->object.address[r->object_id - 1]);
		const bool file =
			h && c->names_file.n &&
			bsearch(&h, c->names_file.at, c->names_file.n, sizeof(h), u64_compare);
		if (!file && h != mark)
			continue;
		bits_set(&c->module, r->module_id);
		c->any = true;
		if (file)
			err = vec_push(&c->file, ((struct file_of){h, r->module_id}));
	}
	SORT(&c->file, file_compare);
	uint64_t n = 0;
	for (uint64_t i = 0; i < c->file.n; i++)
		if (!n || file_compare(&c->file.at[n - 1], &c->file.at[i]))
			c->file.at[n++] = c->file.at[i];
	c->file.n = n;
	return err;
}

static struct error *words_find(struct cython *c)
{
	const struct snapshot *s = c->py->snapshot;
	struct error *err = NULL;
	for (uint64_t i = 0; i < s->root.n && !err; i++) {
		const struct root_row *r = &s->root.at[i];
		if (in_data(c, r) && bits_test(&c->module, r->module_id))
			err = vec_push(&c->word, ((struct word_of){r->object_id, r->module_id}));
	}
	SORT(&c->word, word_compare);
	return err;
}

/* How many modules hold the name of this file; the first of them. */
static uint64_t modules_of_file(const struct cython *c, uint64_t file, uint32_t *first)
{
	uint64_t lo = 0, hi = c->file.n, n = 0;
	while (lo < hi) {
		const uint64_t mid = lo + (hi - lo) / 2;
		if (c->file.at[mid].file < file)
			lo = mid + 1;
		else
			hi = mid;
	}
	while (lo + n < c->file.n && c->file.at[lo + n].file == file)
		n++;
	*first = n == 1 ? c->file.at[lo].module_id : 0;
	return n;
}

/* The words of modules' data that hold the object: the first, and how many. */
static const struct word_of *words_of(const struct cython *c, uint32_t object_id, uint64_t *n)
{
	uint64_t lo = 0, hi = c->word.n;
	while (lo < hi) {
		const uint64_t mid = lo + (hi - lo) / 2;
		if (c->word.at[mid].object_id < object_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	*n = 0;
	while (lo + *n < c->word.n && c->word.at[lo + *n].object_id == object_id)
		++*n;
	return c->word.at + lo;
}

static bool holds(const struct cython *c, uint32_t module_id, uint32_t object_id)
{
	const struct word_of key = {object_id, module_id};
	return c->word.n &&
	       bsearch(&key, c->word.at, c->word.n, sizeof(*c->word.at), word_compare) != NULL;
}

/* ---- code, and names of variables ---- */

static struct error *code_take(struct cython *c)
{
	struct error *err = bits_init(&c->code, c->py->snapshot->object.n + 1);
	uint64_t before = 0;
	for (uint64_t i = 0; i < c->made.n && !err; i++) {
		const struct made *m = &c->made.at[i];
		uint32_t module_id;
		const uint64_t most = modules_of_file(c, m->file, &module_id);
		before = i && m[-1].same == m->same ? before + 1 : 0;
		if (before >= most)
			continue;
		bits_set(&c->code, m->id);
		if (m->names)
			err = vec_push(&c->names, ((struct hashed){m->names, module_id, 0}));
		if (!err)
			err = kept_add(c->k, m->id, 1, CONSTANT, module_id);
	}
	SORT(&c->names, hashed_compare);
	return err;
}

/* One of the code objects with these names that no tuple was given to yet. */
static const struct hashed *names_next(struct cython *c, uint64_t hash)
{
	uint64_t lo = 0, hi = c->names.n;
	while (lo < hi) {
		const uint64_t mid = lo + (hi - lo) / 2;
		if (c->names.at[mid].hash < hash)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == c->names.n || c->names.at[lo].hash != hash)
		return NULL;
	const uint64_t at = lo + c->names.at[lo].used;
	if (at == c->names.n || c->names.at[at].hash != hash)
		return NULL;
	c->names.at[lo].used++;
	return &c->names.at[at];
}

/* ---- tuples ---- */

static uint64_t item_at(const struct py *py, uint64_t tuple, uint64_t i)
{
	uint64_t item = 0;
	return py_word(py, tuple + py->layout->sequence.tuple_items + 8 * i, &item) ? item : 0;
}

/* Are all items the module's constants, or the interpreter's? */
static bool items_held(const struct cython *c, uint64_t tuple, uint64_t n, uint32_t module_id)
{
	const struct object_table *o = &c->py->snapshot->object;
	for (uint64_t i = 0; i < n; i++) {
		uint32_t id = py_object_id(c->py, item_at(c->py, tuple, i));
		if (!id || (!(o->flags[id - 1] & (OBJECT_STATIC | OBJECT_IMMORTAL)) &&
			    !holds(c, module_id, id)))
			return false;
	}
	return true;
}

/*
 * The which-th module that has all that is in it; 0: none. By the first item that some module has: what
 * is static, or immortal, has no holder that could be asked, but a module may have it, too.
 */
static uint32_t module_of_items(const struct cython *c, uint64_t tuple, uint64_t n, uint64_t which)
{
	const struct word_of *w = NULL;
	uint64_t words = 0;
	for (uint64_t i = 0; i < n && !words; i++)
		w = words_of(c, py_object_id(c->py, item_at(c->py, tuple, i)), &words);
	for (uint64_t i = 0; i < words; i++)
		if ((!i || w[i].module_id != w[i - 1].module_id) &&
		    items_held(c, tuple, n, w[i].module_id) && !which--)
			return w[i].module_id;
	return 0;
}

static struct error *tuple_take(struct cython *c, const struct hashed *t, uint64_t *constants)
{
	const uint64_t at = c->py->snapshot->object.address[t->id - 1];
	const struct hashed *names = names_next(c, t->hash);
	uint64_t n = 0;
	if (names)
		return kept_add(c->k, t->id, 1, CONSTANT, names->id);
	if (!py_word(c->py, at + c->py->layout->object.size, &n) || n > ITEMS_MOST)
		return NULL;
	const uint32_t module_id = module_of_items(c, at, n, *constants);
	++*constants;
	return module_id ? kept_add(c->k, t->id, 1, CONSTANT, module_id) : NULL;
}

static struct error *tuples_take(struct cython *c)
{
	VEC(struct hashed) tuple = {0};
	struct error *err = NULL;
	for (uint64_t i = 0; i < c->k->odd.n && !err; i++) {
		struct hashed t = {.id = c->k->odd.at[i]};
		uint64_t n;
		if (kept_spare(c->k, t.id) != 1)
			continue;
		t.hash = items_hash(c->py, c->py->snapshot->object.address[t.id - 1], &n);
		if (t.hash)
			err = vec_push(&tuple, t);
	}
	SORT(&tuple, hashed_compare);
	uint64_t constants = 0; /* of the same contents */
	for (uint64_t i = 0; i < tuple.n && !err; i++) {
		if (i && tuple.at[i].hash != tuple.at[i - 1].hash)
			constants = 0;
		err = tuple_take(c, &tuple.at[i], &constants);
	}
	vec_deinit(&tuple);
	return err;
}

/* ---- single objects ---- */

static struct error *default_take(struct cython *c, uint32_t id)
{
	uint64_t words, run = 0;
	const struct word_of *w = words_of(c, id, &words);
	for (uint64_t i = 0; i < words; i++) {
		run = i && w[i].module_id == w[i - 1].module_id ? run + 1 : 1;
		if (run >= 2 && (int64_t)run >= kept_spare(c->k, id))
			return kept_add(c->k, id, (uint32_t)run, DEFAULT, w[i].module_id);
	}
	return NULL;
}

/* What its module's dict calls it. */
static uint32_t name_of_builtin(const struct cython *c, uint32_t id)
{
	const struct cpython_layout *l = c->py->layout;
	const uint64_t at = c->py->snapshot->object.address[id - 1];
	uint64_t module, dict;
	struct py_dict_cursor cursor;
	struct py_dict_entry e;
	if (!py_word(c->py, at + l->function.builtin_self, &module) ||
	    !py_is(c->py, py_object_id(c->py, module), PY_KIND_module) ||
	    !py_word(c->py, module + l->object.head, &dict) || !py_dict_begin(c->py, dict, &cursor))
		return 0;
	while (py_dict_next(c->py, &cursor, &e))
		if (e.value == at)
			return py_object_id(c->py, e.key);
	return 0;
}

static struct error *builtin_take(struct cython *c, uint32_t id)
{
	const uint32_t name = name_of_builtin(c, id);
	uint64_t words, without = 0;
	uint32_t module_id = 0;
	const struct word_of *w = words_of(c, name, &words);
	for (uint64_t i = 0; name && i < words; i++) {
		if ((i && w[i].module_id == w[i - 1].module_id) || holds(c, w[i].module_id, id))
			continue;
		module_id = without++ ? 0 : w[i].module_id;
	}
	return without ? kept_add(c->k, id, (uint32_t)without, BUILTIN, module_id) : NULL;
}

/* func_code is Cython's, and there is a class (func_classobj), as only super() needs it. */
static struct error *method_take(struct cython *c, uint32_t id, const struct py_type *t)
{
	const struct object_table *o = &c->py->snapshot->object;
	const uint16_t head = c->py->layout->object.head;
	char name[TEXT_MOST];
	uint64_t word;
	uint32_t code = 0;
	bool class = false;
	if (!py_type_name(c->py, t, name, sizeof(name)) ||
	    !strstr(name, "cython_function_or_method"))
		return NULL;
	for (uint32_t i = 0; i < WORDS_MOST && head + 8 * (i + 1) <= t->basicsize; i++) {
		if (!py_word(c->py, o->address[id - 1] + head + 8 * i, &word))
			break;
		const uint32_t to = py_object_id(c->py, word);
		if (to && bits_test(&c->code, to))
			code = to;
		else if (to && py_type_at(c->py, word))
			class = true;
	}
	if (!code || !class)
		return NULL;
	bits_clear(&c->code, code);
	return kept_add(c->k, id, 1, SUPER, 0);
}

/* In whose data is what a descriptor of C describes? 0: in no extension's. */
static uint32_t described_in(const struct kept *k, uint32_t id)
{
	const struct py *py = k->py;
	uint64_t base;
	if (!py_word(py, py->snapshot->object.address[id - 1] + py->layout->function.wrapper_base,
		     &base))
		return 0;
	const uint32_t module_id = image_module_find(py->image, base);
	if (!module_id || module_id == py->cpython.module_id)
		return 0;
	const struct image_module *m = image_module_get(py->image, module_id);
	return base >= m->data_start && base < m->data_end ? module_id : 0;
}

static bool is_special(const struct kept *k, uint32_t id)
{
	char name[TEXT_MOST];
	uint64_t at;
	return py_word(k->py,
		       k->py->snapshot->object.address[id - 1] + k->py->layout->function.descr_name,
		       &at) &&
	       py_text(k->py, at, name, sizeof(name)) && !strncmp(name, "__", 2);
}

/* A slice in a constant tuple that a module's data holds: __pyx_slice_, made first. */
static struct error *slices_take(struct cython *c)
{
	const struct py *py = c->py;
	const struct object_table *o = &py->snapshot->object;
	struct error *err = NULL;
	char name[TEXT_MOST];
	uint64_t n;
	for (uint64_t i = 0; i < c->word.n && !err; i++) {
		const uint64_t at = o->address[c->word.at[i].object_id - 1];
		if (!py_is(py, c->word.at[i].object_id, PY_KIND_tuple) ||
		    !py_word(py, at + py->layout->object.size, &n) || n > ITEMS_MOST)
			continue;
		for (uint64_t k = 0; k < n && !err; k++) {
			const uint32_t id = py_object_id(py, item_at(py, at, k));
			const struct py_type *t = py_type_of(py, id);
			if (t && !t->is_class && kept_spare(c->k, id) == 1 &&
			    py_type_name(py, t, name, sizeof(name)) && !strcmp(name, "slice"))
				err = kept_add(c->k, id, 1, CONSTANT, c->word.at[i].module_id);
		}
	}
	return err;
}

static struct error *others_take(struct cython *c)
{
	struct error *err = NULL;
	for (uint64_t i = 0; i < c->k->odd.n && !err; i++) {
		const uint32_t id = c->k->odd.at[i];
		const struct py_type *t = py_type_of(c->py, id);
		if (!t || !kept_spare(c->k, id))
			continue;
		if (t->kind == PY_KIND_builtin)
			err = builtin_take(c, id);
		else
			err = method_take(c, id, t);
		if (!err && kept_spare(c->k, id))
			err = default_take(c, id);
	}
	return err;
}

/*
 * These tell by themselves, without code objects: older ones have them all in variables. What was asked for as
 * a wrapper is a method where the compiler lists it as one, too: in a module that has such wrappers.
 */
static struct error *wrappers_take(struct kept *k)
{
	_cleanup_(bits_deinit) struct bits module = {0};
	struct error *err = bits_init(&module, k->py->image->nmodule + 1);
	for (uint64_t i = 0; i < k->odd.n && !err; i++) {
		const uint32_t id = k->odd.at[i];
		const uint32_t in =
			py_is(k->py, id, PY_KIND_wrapper_descriptor) ? described_in(k, id) : 0;
		if (!in)
			continue;
		bits_set(&module, in);
		err = kept_add(k, id, 1, WRAPPER, in);
	}
	for (uint64_t i = 0; i < k->odd.n && !err; i++) {
		const uint32_t id = k->odd.at[i];
		const uint32_t in =
			py_is(k->py, id, PY_KIND_method_descriptor) ? described_in(k, id) : 0;
		if (in && bits_test(&module, in) && is_special(k, id))
			err = kept_add(k, id, 1, WRAPPER, in);
	}
	return err;
}

static struct error *cython_take(struct cython *c)
{
	struct error *err = made_find(c);
	if (!err)
		err = modules_find(c);
	if (err || !c->any)
		return err;
	err = words_find(c);
	if (!err)
		err = code_take(c);
	if (!err)
		err = tuples_take(c);
	if (!err)
		err = slices_take(c);
	return err ? err : others_take(c);
}

struct error *kept_cython(struct kept *k)
{
	struct cython c = {.k = k, .py = k->py};
	struct error *err = wrappers_take(k);
	if (!err)
		err = cython_take(&c);
	vec_deinit(&c.made);
	vec_deinit(&c.names_file);
	vec_deinit(&c.file);
	vec_deinit(&c.word);
	vec_deinit(&c.names);
	bits_deinit(&c.module);
	bits_deinit(&c.code);
	return err;
}
