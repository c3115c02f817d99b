/*
 * cpython: the objects of a CPython interpreter.
 *
 *	cpython.c   the runtime's row: the phases in order
 *	types.c     finds type objects, tells their names and kinds
 *	type_names.c  names that are in binaries which are gone
 *	statics.c   objects in module data become blocks
 *	pads.c      where debug hooks were at work, objects begin late in their blocks
 *	objects.c   which block is an object: claims, counts, flags
 *	values*.c   what a short preview of an object says
 *	dict.c      the entries of a dict, in every form
 *	visit*.c    the references of an object, by its type's plan: visit_impl.h
 *	damaged.c   what something wrote over: damaged.h
 *	spare.c     texts and buffers; what containers keep unused
 *	tracemalloc.c  where blocks were allocated, by the process's own records
 *	kinds.def   the builtin types that are known: name, value
 *	walkers.def those whose references are at no fixed places
 *
 * A picture (3.8 and later; see struct cpython_layout for the others). The address of an object is
 * what id() says; its block begins before it:
 *
 *	block ──► [ size, marks ]       if there are debug hooks
 *	          [ dict, weak list ]   if the type says MANAGED_DICT or MANAGED_WEAKREF (3.11)
 *	          [ gc next, gc prev ]  if the type says HAVE_GC
 *	  address [ count, type, ... ]
 *
 * struct py lives from prepare to finish, in runtime_context.state. After the objects phase it is
 * const: visit is called from several threads. A process that has a second CPython in it (a plug-in
 * that is linked with another libpython) has a second struct py, which shares nothing with the first: each
 * claims the objects of its own types.
 */
#pragma once

#include "base/bits.h"
#include "base/vec.h"
#include "layout/cpython.h"
#include "runtime/runtime.h"

#include <stdbool.h>
#include <stdint.h>

/* PY_KIND_int, ...: what a type is, or what the nearest of its bases is that is in kinds.def. */
enum py_kind {
	PY_KIND_NONE,
#define PY_KIND(id, name, value) PY_KIND_##id,
#include "runtime/cpython/kinds.def"
#undef PY_KIND
	PY_KINDS,
};

struct py_type {
	uint64_t address;
	uint64_t basicsize, itemsize;
	uint64_t flags;
	int64_t dictoffset, weaklistoffset;
	uint64_t dealloc, traverse;
	uint32_t base;	    /* index + 1 in py.type; 0 none */
	uint32_t metatype;  /* index + 1 */
	uint32_t object_id; /* of the type object; 0 until there are objects, or lost */
	uint32_t type_id;   /* row of the snapshot */
	uint32_t name;	    /* string: module.Qualname; builtin ones without module */
	uint32_t
		told; /* string: its tp_name, by type_names.c where the word itself leads nowhere */
	uint16_t head;	  /* bytes of the block before an instance's address */
	uint8_t kind;	  /* enum py_kind: its own or its nearest base's */
	bool own_kind;	  /* it is that type itself, not derived from it */
	bool is_static;	  /* lies in module data */
	bool is_bare;	  /* begins its block: no head of the collector's before it */
	bool is_metatype; /* its instances are types */
	bool is_class;	  /* made by a class statement, not in C */
	bool finalizer;
};

/* An object in module data, found by prepare. */
struct py_static {
	uint64_t address, size;
};

/* Tuples that own none of their items, and dicts that may own none of their values: own_counts.c. */
enum { PY_LENT_MOST = 16 };
/* A block that tracemalloc watched. */
struct py_trace {
	uint64_t address, size, traceback;
};

/* The part of an array of freed objects that no scan reads: freelists.c. */
struct py_free_array {
	uint64_t start, end;
};

struct py {
	const struct runtime_context *ctx;
	unsigned nth; /* of several in the process: RUNTIME_cpython + nth is its id */
	const struct image *image;
	const struct debuginfo *debuginfo;
	struct snapshot *snapshot;
	struct cpython cpython;
	const struct cpython_layout *layout;

	VEC(struct py_type) type; /* by address */
	uint32_t *type_slot;	  /* open addressing: index + 1; a power of two, mostly empty */
	uint32_t type_slots;
	uint64_t type_lo, type_span; /* all types' addresses are in [lo, lo + span] */
	VEC(struct py_static) fixed; /* by address */
	uint32_t *object_type;	     /* by object id - 1: index + 1 in type; 0: no Python object */
	uint64_t objects;	     /* how many */
	VEC(struct py_trace) trace;  /* from prepare to the objects phase */
	VEC(uint64_t) trace_block;   /* as long: blocks of tracemalloc's own tables */
	VEC(struct py_free_array) free_array;
	VEC(uint64_t) method_cache;	/* addresses of the tables that no scan reads */
	struct py_visit *visit;		/* visit_impl.h */
	struct py_damage_count *damage; /* damaged.h */
	uint64_t main_interpreter;
	/* builtin_types.c: bytes into an interpreter's state; 0: types have all in themselves */
	uint64_t builtin_types, builtin_more;
	uint32_t lent[PY_LENT_MOST]; /* object ids */
	unsigned nlent;
	uint64_t interpreters; /* to 3.6: the word that leads to them, by structure; 0 */
	struct bits interned;  /* by object id: dicts of interned strings, which they do not own */
	struct bits
		on_thread; /* the same: frame objects that run, whose stacks are roots (to 3.10) */
};

/* A preview being made. */
enum { PY_VALUE_MOST = 80, PY_VALUE_ROOM = PY_VALUE_MOST + 16 };

struct py_value {
	char text[PY_VALUE_ROOM];
	size_t len;
	bool is_text; /* OBJECT_TEXT */
	bool is_name; /* OBJECT_NAME */
};

/* False: no value. `at` is the object's address. */
typedef bool py_value_fn(const struct py *py, const struct py_type *type, uint64_t at,
			 struct py_value *ret);

struct py_kind_row {
	const char *name; /* tp_name */
	py_value_fn *value;
};

/* By enum py_kind. */
extern const struct py_kind_row py_kind_table[PY_KINDS];

/* A fact of the snapshot: of the second CPython in a process "second_KEY". */
__attribute__((format(printf, 3, 4))) struct error *py_meta(const struct py *py, const char *key,
							    const char *fmt, ...) _must_check_;

/* ---- reading ---- */

static inline bool py_word(const struct py *py, uint64_t addr, uint64_t *ret)
{
	return image_try_u64(py->image, addr, ret);
}

/* The type at addr, by the table; NULL: no type is there. */
static inline const struct py_type *py_type_at(const struct py *py, uint64_t addr)
{
	if (addr - py->type_lo > py->type_span)
		return NULL;
	uint32_t mask = py->type_slots - 1;
	uint32_t h = (uint32_t)(addr * UINT64_C(0x9e3779b97f4a7c15) >> 40) & mask;
	for (; py->type_slot[h]; h = (h + 1) & mask) {
		const struct py_type *t = &py->type.at[py->type_slot[h] - 1];
		if (t->address == addr)
			return t;
	}
	return NULL;
}

/* The type of an object; NULL: it is no Python object. */
static inline const struct py_type *py_type_of(const struct py *py, uint32_t object_id)
{
	uint32_t t = object_id ? py->object_type[object_id - 1] : 0;
	return t ? &py->type.at[t - 1] : NULL;
}

/* The Python object with this address, exactly; 0: there is none. */
uint32_t py_object_id(const struct py *py, uint64_t addr);

/* Is it an instance of a type of this kind, or of one derived from it? */
static inline bool py_is(const struct py *py, uint32_t object_id, enum py_kind kind)
{
	const struct py_type *t = py_type_of(py, object_id);
	return t && t->kind == kind;
}

/* The object's own size without what precedes it: tp_basicsize, and tp_itemsize for each item. */
bool py_object_size(const struct py *py, const struct py_type *type, uint64_t at, uint64_t *ret);

/* The count as the program sees it, and whether it says nothing. False: this is no count. */
bool py_refcount(const struct py *py, uint64_t word, int64_t *ret, bool *immortal);

/* Of an executable that is not PIE, addresses of its data and of the heap look like counts. */
enum { PY_COUNT_CLEAR = 1 << 16 }; /* below, no number is an address */
bool py_count_is_static(const struct py *py, uint64_t count);

/* ---- dict.c ---- */

struct py_dict_entry {
	uint64_t key, value;	   /* addresses of objects; value is never 0 */
	uint64_t key_at, value_at; /* addresses of the words that hold them */
	uint32_t index;
};

/* Goes over the entries of the dict at `at`. */
struct py_dict_cursor {
	uint64_t entries, values, n, i; /* first entry, split values or 0, how many, the next */
	uint32_t entry_size, key_offset, value_offset;
};

/* False: it cannot be read. */
bool py_dict_begin(const struct py *py, uint64_t at, struct py_dict_cursor *ret);
/* False: no more. Dummies and empty slots are passed over. */
bool py_dict_next(const struct py *py, struct py_dict_cursor *c, struct py_dict_entry *ret);
/* The value of a key that is a short ASCII text. */
bool py_dict_get(const struct py *py, uint64_t at, const char *key, uint64_t *ret);

/* The table of a dict with entries of its own. False: it has none, or shares it. */
struct py_dict_table {
	uint64_t at;	      /* its first byte; 2.7: in the dict itself, for a small one */
	uint64_t slots, used; /* entries that it has */
	uint32_t entry_size;
};
bool py_dict_table(const struct py *py, uint64_t at, struct py_dict_table *ret);
/* Bytes of a table of so many slots, a power of two; and how many its entries need, 0 for none. */
uint64_t py_dict_table_size(const struct py *py, const struct py_dict_table *table, uint64_t slots);
uint64_t py_dict_slots(const struct py *py, uint64_t used);

/* ---- types.c ---- */

/* Static types, from module data: before blocks are sealed. */
struct error *py_types_static(struct py *py) _must_check_;
/* Heap types; then names, kinds, and rows of the snapshot. */
struct error *py_types_heap(struct py *py) _must_check_;
/* Sorts the table and makes its index; called after types were added. */
struct error *py_types_index(struct py *py) _must_check_;

/* Its tp_name; false: nothing tells it. */
bool py_type_name(const struct py *py, const struct py_type *t, char *buf, size_t room);

/* ---- type_names.c ---- */

/* Fills py_type.told of types whose tp_name cannot be read. Needs all types. */
struct error *py_type_names_tell(struct py *py) _must_check_;
/* Facts about the types that objects are of and nothing has told the name of. */
struct error *py_type_names_missing(const struct py *py) _must_check_;

/* ---- values_data.c: the characters of str, unicode, bytes ---- */

/* False: it is no text, or cannot be read. `width`: bytes of a character. */
bool py_characters(const struct py *py, const struct py_type *type, uint64_t at, uint64_t *start,
		   uint64_t *n, unsigned *width);

/* ---- spare.c: runtime.h says what they answer ---- */

bool py_contents(const struct py *py, uint32_t object_id, struct object_contents *ret);
bool py_spare(const struct py *py, uint32_t object_id, struct object_spare *ret);

/* ---- tracemalloc.c ---- */

/* Reads its tables, hides their keys: before blocks are sealed. */
struct error *py_tracemalloc_find(struct py *py) _must_check_;
/* Rows of site, and the sites of objects: the objects phase. */
struct error *py_tracemalloc_sites(struct py *py) _must_check_;

/* ---- statics.c ---- */

struct error *py_statics_find(struct py *py) _must_check_;
/* A root for each. */
struct error *py_statics_roots(struct py *py) _must_check_;

/* ---- pads.c ---- */

/* First of the objects phase. */
struct error *py_pads_place(struct py *py) _must_check_;

/* Where a static builtin type's dict is, that is not in itself: builtin_types.c. */
struct error *py_builtin_types_find(struct py *py) _must_check_;
bool py_builtin_type_state_in(const struct py *py, uint64_t interpreter, uint64_t type,
			      uint64_t *ret);
bool py_builtin_type_state(const struct py *py, uint64_t type, uint64_t *ret); /* of the main one */

/* ---- objects.c, values.c ---- */

struct error *py_objects_claim(struct py *py) _must_check_;
/*
 * A block whose first byte, `addr`, is where an object keeps its buffer: is it no object, or, having
 * looked like one by what was left in it, no longer? Before values are made.
 */
bool py_object_disclaim(struct py *py, uint32_t id, uint64_t addr);
void py_object_unclaim(struct py *py, uint32_t id);
/* The blocks of syntax trees hold no objects: syntax.c. Behind objects, before references. */
void py_syntax_claim(struct py *py);
/* Unclaims what says that the collector has it in a list, and is in none: listed.c. */
struct error *py_objects_listed(struct py *py) _must_check_;
struct error *py_values(struct py *py) _must_check_;

/* A text's first bytes as UTF-8, whole characters, no escapes; false: it is no text. */
bool py_text(const struct py *py, uint64_t at, char *buf, size_t room);

/* ---- untraversed.c: facts and a finding about OBJECT_UNTRAVERSED ---- */

struct error *py_untraversed_tell(const struct py *py) _must_check_;

/* ---- visit*.c ---- */

/* Last of the objects phase: how each type is visited; which blocks are part of which object. */
struct error *py_visit_prepare(struct py *py) _must_check_;
void py_visit_finish(struct py *py);

void py_visit(const struct py *py, uint32_t object_id, struct edge_sink *sink);
