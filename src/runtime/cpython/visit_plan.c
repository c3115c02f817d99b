/*
 * plan: how the instances of a type are visited, made once a type. Follows what subtype_traverse
 * (Objects/typeobject.c) does for a class: the __slots__ of each class on the way to the first base
 * that is written in C, attributes, and then that base's own traverse function, whose fields are in
 * the layout's list of slots.
 */
#include "runtime/cpython/visit_impl.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

enum {
	BASES_MOST = 1000,
	MEMBERS_MOST = 4096,
	NAME_MOST = 200,
	/* Include/structmember.h, Include/descrobject.h: PyMemberDef {name, type, offset, ...} */
	MEMBER_SIZE = 40,
	MEMBER_TYPE = 8,
	MEMBER_OFFSET = 16,
	MEMBER_OBJECT_EX = 16, /* T_OBJECT_EX */
};

void walk_none(struct visitor *v)
{
	(void)v;
}

void own_none(struct owner *o)
{
	(void)o;
}

const struct py_walker py_walkers[] = {
#define WALKER(name, walk_fn, own_fn, all) {name, walk_##walk_fn, own_##own_fn, all},
#include "runtime/cpython/walkers.def"
#undef WALKER
};

struct plan_maker {
	struct py *py;
	struct py_visit *visit;
	VEC(struct plan_slot) slot; /* of the plan that is being made */
	struct py_plan plan;
	bool known_base; /* a base whose references others tell than the function */
};

static struct error *name_text(struct py *py, const char *text, uint32_t *ret)
{
	uint32_t id;
	struct error *err = intern_str(&py->snapshot->strings, text, &id);
	*ret = err ? 0 : edge_name_pack(EDGE_NAME_TEXT, id);
	return err;
}

static bool plan_has_slot(const struct plan_maker *m, uint32_t offset)
{
	for (uint64_t i = 0; i < m->slot.n; i++)
		if (m->slot.at[i].offset == offset)
			return true;
	return false;
}

static struct error *plan_slot(struct plan_maker *m, uint32_t offset, enum cpython_slot_how how,
			       const char *text)
{
	struct plan_slot slot = {.offset = offset, .how = (uint8_t)how};
	if (plan_has_slot(m, offset) || m->slot.n == PLAN_SLOTS_MOST)
		return NULL;
	if (how == CPYTHON_SLOT_BUFFER || how == CPYTHON_SLOT_STATE)
		m->plan.owns = true;
	struct error *err = name_text(m->py, text, &slot.name);
	return err ? err : vec_push(&m->slot, slot);
}

/* The member descriptors of __slots__ lie behind the heap type. */
static struct error *plan_members(struct plan_maker *m, const struct py_type *t)
{
	const struct py *py = m->py;
	uint64_t n, at = t->address + py->layout->type.heap_size;
	if (!py_word(py, t->address + py->layout->object.size, &n) || n > MEMBERS_MOST)
		return NULL;
	const struct py_type *meta = t->metatype ? &py->type.at[t->metatype - 1] : NULL;
	if (meta && meta->basicsize > py->layout->type.heap_size)
		at = t->address + meta->basicsize;
	struct error *err = NULL;
	for (uint64_t i = 0; i < n && !err; i++, at += MEMBER_SIZE) {
		uint64_t name, offset;
		uint32_t type;
		char text[NAME_MOST + 2] = ".";
		if (!py_word(py, at, &name) || !image_try_u32(py->image, at + MEMBER_TYPE, &type) ||
		    !py_word(py, at + MEMBER_OFFSET, &offset) || !name)
			return NULL;
		if (type != MEMBER_OBJECT_EX || offset > t->basicsize || offset % 8)
			continue;
		if (!image_try_string(py->image, name, text + 1, NAME_MOST))
			continue;
		err = plan_slot(m, (uint32_t)offset, CPYTHON_SLOT_OWNING, text);
	}
	return err;
}

static int slot_name_compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct cpython_slot *)row)->type);
}

/* The layout's slots of a type; true: there are some. */
static bool plan_fields(struct plan_maker *m, const char *name, struct error **err)
{
	const struct cpython_slot *s = m->py->layout->slots;
	bool found = false;
	for (; s && s->type && !*err; s++) {
		if (slot_name_compare(name, s))
			continue;
		found = true;
		*err = plan_slot(m, s->offset, (enum cpython_slot_how)s->how, s->name);
	}
	return found;
}

static const struct py_walker *walker_find(const char *name)
{
	for (unsigned i = 0; i < sizeof(py_walkers) / sizeof(py_walkers[0]); i++)
		if (!strcmp(py_walkers[i].type, name))
			return &py_walkers[i];
	return NULL;
}

static void plan_unknown(struct plan_maker *m, uint64_t start, uint64_t end)
{
	if (start < end && m->plan.nunknown < PLAN_UNKNOWN_MOST)
		m->plan.unknown[m->plan.nunknown++] =
			(struct plan_range){(uint32_t)start, (uint32_t)end};
}

/* The number of items of a struct sequence, hidden ones included: Objects/structseq.c. */
static uint64_t struct_sequence_items(const struct py *py, const struct py_type *t)
{
	uint64_t dict, at, digits, tag;
	uint32_t value;
	const struct cpython_number_layout *l = &py->layout->number;
	if (!py_word(py, t->address + py->layout->type.dict, &dict) ||
	    !py_dict_get(py, dict, "n_fields", &at))
		return UINT64_MAX;
	if (l->int_value != CPYTHON_NONE)
		return py_word(py, at + l->int_value, &digits) ? digits : UINT64_MAX;
	if (!py_word(py, at + py->layout->object.size, &tag) ||
	    !image_try_u32(py->image, at + l->digits_at, &value))
		return UINT64_MAX;
	digits = l->integer == CPYTHON_INTEGER_TAG ? tag >> 3 : tag;
	return digits == 1 ? value : UINT64_MAX;
}

/* A type in C: its fields, a walker, or a range that nobody knows. */
static struct error *plan_builtin(struct plan_maker *m, const struct py_type *t,
				  const struct py_type *base)
{
	struct error *err = NULL;
	char name[NAME_MOST + 1];
	uint64_t start = base ? base->basicsize : m->py->layout->object.head;
	if (!py_type_name(m->py, t, name, sizeof(name)))
		name[0] = 0;
	bool fields = plan_fields(m, name, &err);
	const struct py_walker *w = walker_find(name);
	if (w && m->plan.nwalker < PLAN_WALKERS_MOST)
		m->plan.walker[m->plan.nwalker++] = w;
	if (w && w->own != own_none)
		m->plan.owns = true;
	if (fields || (w && w->walk != walk_none))
		m->known_base = true;
	if (fields || w) {
		if (!(w && w->whole) && t->basicsize > m->plan.rest_end)
			m->plan.rest_end = (uint32_t)t->basicsize;
		return err;
	}
	if (base && base->kind == PY_KIND_tuple && t->kind == PY_KIND_tuple && !t->is_class) {
		m->known_base = true;
		m->plan.items = struct_sequence_items(m->py, t);
		/* _PyStructSequence_InitBuiltinWithFlags: hidden ones are in tp_basicsize (3.12) */
		const uint16_t first = m->py->layout->sequence.tuple_items;
		if (t->basicsize > first)
			m->plan.hidden = (uint32_t)((t->basicsize - first) / 8);
		return err;
	}
	/* The word of the weak list is bookkeeping, that of the dict a slot. */
	uint64_t cut = t->weaklistoffset > 0 ? (uint64_t)t->weaklistoffset : 0;
	uint64_t dict = t->dictoffset > 0 ? (uint64_t)t->dictoffset : 0;
	if (dict && (!cut || dict < cut)) {
		uint64_t swap = cut;
		cut = dict;
		dict = swap;
	}
	if (cut >= start && cut < t->basicsize) {
		plan_unknown(m, start, cut);
		start = cut + 8;
	}
	if (dict >= start && dict < t->basicsize) {
		plan_unknown(m, start, dict);
		start = dict + 8;
	}
	plan_unknown(m, start, t->basicsize);
	if (t->itemsize && !(base && base->itemsize))
		m->plan.unknown_items = true;
	return err;
}

static struct error *plan_type(struct plan_maker *m, const struct py_type *type)
{
	const struct py *py = m->py;
	const struct cpython_type_flags *flag = &py->layout->type.flag;
	const struct py_type *t = type;
	struct error *err = NULL;
	m->plan = (struct py_plan){.items = UINT64_MAX};
	m->slot.n = 0;
	m->known_base = false;
	bool seen = type->flags & flag->have_gc, in_c = true;
	m->plan.unseen = seen ? 0 : EDGE_NAME_UNSEEN;
	for (unsigned i = 0; t && i < BASES_MOST && !err; i++) {
		const struct py_type *base = t->base ? &py->type.at[t->base - 1] : NULL;
		err = t->is_class ? plan_members(m, t) : plan_builtin(m, t, base);
		/* The first in C has the function that speaks for all below it. */
		if (!t->is_class && in_c) {
			in_c = false;
			m->plan.traverse = t->traverse;
		}
		t = base;
	}
	m->plan.traversed = seen && m->plan.traverse ? PLAN_TRAVERSE_UNKNOWN : PLAN_TRAVERSE_NONE;
	m->plan.traverse_alone =
		!m->known_base &&
		(type->is_class || !(type->flags & (flag->managed_dict | flag->inline_values)));
	m->plan.counts_type = type->flags & flag->heap;
	m->plan.type_unseen = seen && (type->is_class || py->layout->visit->instances_visit_type)
				      ? 0
				      : EDGE_NAME_UNSEEN;
	if (type->flags & (flag->managed_dict | flag->inline_values))
		m->plan.managed = true;
	else if (type->dictoffset > 0 && type->kind != PY_KIND_type && !err)
		err = plan_slot(m, (uint32_t)type->dictoffset, CPYTHON_SLOT_OWNING, ".__dict__");
	else if (type->dictoffset < 0)
		m->plan.dict_behind = true;
	if (m->plan.managed)
		m->plan.owns = true;
	return err;
}

static int slot_compare(const void *a, const void *b)
{
	const struct plan_slot *x = a, *y = b;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static struct error *names_make(struct py *py, struct py_names *n)
{
	const struct {
		uint32_t *at;
		const char *text;
	} name[] = {
		{&n->class, ".__class__"},
		{&n->dict, ".__dict__"},
		{&n->table, ".<table>"},
		{&n->values, ".<values>"},
		{&n->items, ".<items>"},
		{&n->co_code, ".co_code"},
		{&n->co_varnames, ".co_varnames"},
		{&n->co_cellvars, ".co_cellvars"},
		{&n->co_freevars, ".co_freevars"},
		{&n->block, ".<block>"},
		{&n->doc, ".__doc__"},
		{&n->cache, ".<cache>"},
		{&n->mro, ".__mro__"},
		{&n->bases, ".__bases__"},
		{&n->base, ".__base__"},
		{&n->module, ".<module>"},
		{&n->name, ".__name__"},
		{&n->qualname, ".__qualname__"},
		{&n->slots, ".__slots__"},
		{&n->subclasses, ".<subclasses>"},
		{&n->cached_keys, ".<cached_keys>"},
		{&n->frame_obj, ".<frame>"},
		{&n->locals, ".f_locals"},
		{&n->function, ".<function>"},
		{&n->code, ".f_code"},
		{&n->globals, ".f_globals"},
		{&n->builtins, ".f_builtins"},
		{&n->text, ".<text>"},
		{&n->link, ".<link>"},
		{&n->stack, ".<stack>"},
		{&n->proto, ".<proto>"},
	};
	struct error *err = NULL;
	for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]) && !err; i++)
		err = name_text(py, name[i].text, name[i].at);
	if (!err)
		err = intern_str(&py->snapshot->strings, "StgDict", &n->stgdict);
	if (!err)
		err = intern_str(&py->snapshot->strings, "_ctypes.PyCPointerType",
				 &n->ctypes_pointer);
	return err;
}

struct error *py_plan_make(struct py *py)
{
	struct plan_maker m = {.py = py, .slot.max = PLAN_SLOTS_MOST};
	py->visit = calloc(1, sizeof(*py->visit));
	if (!py->visit)
		return &error_nomem;
	m.visit = py->visit;
	m.visit->plan = region_alloc(&m.visit->region, (py->type.n + 1) * sizeof(*m.visit->plan));
	struct error *err = m.visit->plan ? names_make(py, &m.visit->name) : &error_nomem;
	for (uint64_t i = 0; i < py->type.n && !err; i++) {
		err = plan_type(&m, &py->type.at[i]);
		if (err)
			break;
		m.plan.nslot = (uint32_t)m.slot.n;
		if (m.slot.n) {
			qsort(m.slot.at, m.slot.n, sizeof(*m.slot.at), slot_compare);
			m.plan.slot =
				region_alloc(&m.visit->region, m.slot.n * sizeof(*m.plan.slot));
			if (!m.plan.slot)
				err = &error_nomem;
			else
				memcpy(m.plan.slot, m.slot.at, m.slot.n * sizeof(*m.plan.slot));
		}
		m.visit->plan[i] = m.plan;
	}
	vec_deinit(&m.slot);
	return err;
}

void py_visit_finish(struct py *py)
{
	if (!py->visit)
		return;
	region_deinit(&py->visit->region);
	free(py->visit);
	py->visit = NULL;
}

struct error *py_visit_prepare(struct py *py)
{
	struct error *err = py_plan_make(py);
	if (!err)
		py_plan_traverse(py);
	return err ? err : py_buffers_claim(py);
}
