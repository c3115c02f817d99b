/*
 * visit: what an object refers to, as its type's tp_traverse would tell the collector, and what it
 * holds besides.
 *
 * A plan a type, made once (visit_plan.c): going up its bases as subtype_traverse does
 * (Objects/typeobject.c), it collects
 *
 *	slots     words at fixed places: __slots__ by their member descriptors, the fields of builtin
 *	          and standard types by layout/cpython_slots_*.c
 *	walkers   functions for what is at no fixed place: tables, items, frames (walkers.def)
 *	unknown   ranges that belong to a type in C that nobody here knows: scanned as native does, and
 *	          the type's own tp_traverse asked what of it is visited (visit_unknown.c)
 *	rest      words of known types that are none of the above: they may point to memory of C (a
 *	          stream's buffer, a lock), never to objects
 *
 * Owning references that tp_traverse does not visit have EDGE_NAME_UNSEEN. So have all of a type
 * without Py_TPFLAGS_HAVE_GC, and of static types.
 *
 * Buffers (visit_buffers.c): blocks that are part of an object become its own in the objects phase,
 * before anything is visited, by one thread, types first, then in order of address: the first that
 * claims a table has it. What is in them is named by the owner; such an edge has no offset. Others
 * that share the table (instances of a class share its keys) refer to it weakly.
 */
#pragma once

#include "base/region.h"
#include "runtime/cpython/damaged.h"
#include "runtime/cpython/py.h"

enum {
	PLAN_WALKERS_MOST = 4,
	PLAN_UNKNOWN_MOST = 8,
	PLAN_SLOTS_MOST = 4096,
};

struct visitor;
struct owner;

struct py_walker {
	const char *type; /* tp_name */
	void (*walk)(struct visitor *v);
	/* Claims buffers; NULL: it has none. */
	void (*own)(struct owner *o);
	/* Nothing else in such an object could point to memory of C. */
	bool whole;
};

struct plan_slot {
	uint32_t offset; /* from the object's address */
	uint8_t how;	 /* enum cpython_slot_how */
	uint32_t name;	 /* edge_name_pack */
};

/* Which references of the unknown part the collector is shown. */
enum plan_traverse {
	PLAN_TRAVERSE_UNKNOWN, /* its function's code is not there, or cannot be followed */
	PLAN_TRAVERSE_NONE,    /* none: there is no such function, or nobody calls it */
	PLAN_TRAVERSE_RUN,     /* those that traverse_run tells */
};

struct plan_range {
	uint32_t start, end; /* from the object's address */
};

struct py_plan {
	struct plan_slot *slot;
	uint32_t nslot;
	const struct py_walker *walker[PLAN_WALKERS_MOST];
	unsigned nwalker;
	struct plan_range unknown[PLAN_UNKNOWN_MOST];
	unsigned nunknown;
	bool unknown_items;  /* items of unknown layout behind basicsize */
	uint8_t tried;	     /* instances that the function was run on */
	uint8_t traversed;   /* enum plan_traverse: what is known of the unknown part */
	bool traverse_alone; /* all that its function visits is in the unknown part, or behind it */
	uint64_t traverse;   /* the function: its C type's own */
	uint32_t rest_end;   /* words of [head, rest_end) may point to C's memory; 0: none do */
	uint32_t unseen;     /* EDGE_NAME_UNSEEN when the collector does not traverse instances */
	uint32_t type_unseen; /* the same for the reference to the type, if counts_type */
	bool counts_type;     /* instances hold their type */
	bool dict_behind;     /* tp_dictoffset is negative: behind the items */
	bool managed;	      /* dict and values before the object, or values behind it */
	bool owns;	      /* may have buffers */
	uint64_t items;	      /* of a struct sequence: how many; UINT64_MAX: by ob_size */
	uint32_t hidden;      /* of a struct sequence, then: items behind these */
};

/* Names of edges, packed, made before visit. */
struct py_names {
	uint32_t class, dict, table, values, items, block, doc, cache, mro, bases, base, module,
		name, qualname, slots, subclasses, cached_keys, frame_obj, locals, function, code,
		globals, builtins, text, link, stack, proto, co_code, co_varnames, co_cellvars,
		co_freevars;
	/* strings: "StgDict", "_ctypes.PyCPointerType" */
	uint32_t stgdict, ctypes_pointer;
};

struct py_visit {
	struct region region;
	struct py_plan *plan; /* by type index */
	struct py_names name;
};

/* One object on its way. */
struct visitor {
	const struct py *py;
	const struct cpython_layout *l;
	const struct py_names *name;
	const struct py_type *type;
	const struct py_plan *plan;
	struct edge_sink *sink;
	uint32_t id;
	uint64_t at, block, end; /* address; the block is [block, end) */
	const uint8_t *bytes;	 /* of the block; NULL: they do not lie together */
	uint32_t unseen;	 /* for edges that the traverse function would visit */
	bool borrows; /* it does not own what it refers to: a table of interned strings */
	bool lent;    /* a dict that may not count its values */
};

struct owner {
	struct py *py;
	const struct py_type *type;
	const struct py_plan *plan;
	uint32_t id;
	uint64_t at, end;
};

/* What its items or values are, it may not count: own_counts.c. */
static inline bool visit_is_lent(const struct visitor *v)
{
	for (unsigned i = 0; i < v->py->nlent; i++)
		if (v->py->lent[i] == v->id)
			return true;
	return false;
}

/* A word of the object, or of anything else. */
static inline bool visit_word(const struct visitor *v, uint64_t addr, uint64_t *ret)
{
	if (v->bytes && addr >= v->block && addr < v->end && v->end - addr >= 8) {
		memcpy(ret, v->bytes + (addr - v->block), 8);
		return true;
	}
	return image_try_u64(v->py->image, addr, ret);
}

/* `from` of an edge whose word lies in a buffer, not in the object's own block. */
#define VISIT_ELSEWHERE UINT64_MAX

/* `word`, found at `from`, refers to an object (or to a block, where no object was recognised). */
void visit_edge(struct visitor *v, uint64_t word, uint64_t from, enum reference_kind kind,
		uint32_t name);
/* The same for an item of a container, which leads to an object wherever nothing wrote over it. */
void visit_item(struct visitor *v, uint64_t word, uint64_t from, uint32_t name);
/* Owning, for what the word at `from` says; nothing when it is not there. */
void visit_at(struct visitor *v, uint64_t from, uint32_t name);
void visit_unseen_at(struct visitor *v, uint64_t from, uint32_t name);
/* The object's own buffer, or one that it shares, at `addr`, by the word at `from`. */
void visit_buffer(struct visitor *v, uint64_t addr, uint64_t from, uint32_t name);
bool visit_owns(const struct visitor *v, uint64_t addr);
/*
 * May n items of the buffer at addr be told as the object's? One that is another's is followed only
 * where it is small: else a word that something wrote into many objects could make each of them tell
 * the largest table of all.
 */
enum { VISIT_SHARED_MOST = 1 << 12 };
static inline bool visit_may(const struct visitor *v, uint64_t addr, uint64_t n)
{
	return n <= VISIT_SHARED_MOST || visit_owns(v, addr);
}
/* .key and ['key'] by the address of the key; 0: no such object. */
uint32_t visit_attr_name(const struct visitor *v, uint64_t key);
uint32_t visit_key_name(const struct visitor *v, uint64_t key);
/* Words that point to memory of C, but for the slots of the plan. */
void visit_rest(struct visitor *v, uint64_t start, uint64_t end);

/* The parts of unknown layout: visit_unknown.c. */
void visit_unknown(struct visitor *v);
/* Follows the function of each unknown type on some of its instances: sets plan.traversed. */
void py_plan_traverse(struct py *py);

/* Bytes from addr to the end of the block that holds it: a bound for what a table can have. */
uint64_t visit_room(const struct py *py, uint64_t addr);

/* Does a chain come back to where it was? Brent's: O(1) memory, found within three rounds. */
struct trail {
	uint64_t mark, power, steps;
};

static inline bool trail_again(struct trail *t, uint64_t at)
{
	if (t->power && at == t->mark)
		return true;
	if (t->steps++ >= t->power) {
		t->mark = at;
		t->power = t->power ? 2 * t->power : 1;
		t->steps = 0;
	}
	return false;
}

/*
 * The buffer that holds addr becomes the object's; `scan`: its words are still read as C's. False:
 * it is none, or another's.
 */
bool own_block(struct owner *o, uint64_t addr, bool scan);

struct error *py_plan_make(struct py *py) _must_check_;
struct error *py_buffers_claim(struct py *py) _must_check_;

extern const struct py_walker py_walkers[];
extern const unsigned py_nwalkers;

/* Those of walkers.def; `none` is both. */
void walk_none(struct visitor *v);
void own_none(struct owner *o);
void walk_str(struct visitor *v), own_str(struct owner *o);
void walk_bytearray(struct visitor *v), own_bytearray(struct owner *o);
void walk_list(struct visitor *v), own_list(struct owner *o);
void walk_tuple(struct visitor *v);
void walk_dict(struct visitor *v), own_dict(struct owner *o);
void walk_set(struct visitor *v), own_set(struct owner *o);
void walk_type(struct visitor *v), own_type(struct owner *o);
void walk_frame(struct visitor *v);
void walk_code(struct visitor *v), own_code(struct owner *o);
void walk_generator(struct visitor *v);
void walk_deque(struct visitor *v), own_deque(struct owner *o);
void walk_odict(struct visitor *v), own_odict(struct owner *o);
void walk_lru_cache(struct visitor *v);
void walk_lru_link(struct visitor *v);
void walk_tee_data(struct visitor *v);
void walk_hamt_array(struct visitor *v);
void walk_element(struct visitor *v), own_element(struct owner *o);
/* The keys that instances share: the class has the table. */
void visit_class_keys(struct visitor *v, uint64_t keys, uint64_t from);
/* Attributes: what is before the object, or inline behind it. */
void walk_managed(struct visitor *v);
void own_managed(struct owner *o);
