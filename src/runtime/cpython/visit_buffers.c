/* visit_buffers: which blocks are part of which object; see visit_impl.h for the rule. */
#include "runtime/cpython/visit_impl.h"

#include <stdlib.h>

/* `bytes`: they may have been put where an object was; who owns them is believed. */
static bool own_any(struct owner *o, uint64_t addr, bool scan, bool bytes)
{
	struct object_table *t = &o->py->snapshot->object;
	uint32_t id = addr ? snapshot_object_find(o->py->snapshot, addr) : 0;
	if (!id || id == o->id || t->owner_id[id - 1])
		return false;
	const uint8_t self = (uint8_t)(RUNTIME_cpython + o->py->nth + 1);
	if (t->runtime[id - 1] && t->runtime[id - 1] != self)
		return false; /* another CPython's */
	if (o->py->object_type[id - 1] && !(bytes && py_object_disclaim(o->py, id, addr)))
		return false;
	t->owner_id[id - 1] = o->id;
	if (scan)
		return true;
	t->flags[id - 1] |= OBJECT_BUFFER;
	t->runtime[id - 1] = self;
	return true;
}

bool own_block(struct owner *o, uint64_t addr, bool scan)
{
	const enum py_kind kind = o->type->kind;
	return own_any(o, addr, scan,
		       kind == PY_KIND_str || kind == PY_KIND_unicode || kind == PY_KIND_bytearray);
}

static void own_slots(struct owner *o)
{
	uint64_t word;
	for (uint32_t i = 0; i < o->plan->nslot; i++) {
		const struct plan_slot *s = &o->plan->slot[i];
		if ((s->how == CPYTHON_SLOT_BUFFER || s->how == CPYTHON_SLOT_STATE) &&
		    o->at + s->offset + 8 <= o->end && py_word(o->py, o->at + s->offset, &word) &&
		    word)
			own_any(o, word, s->how == CPYTHON_SLOT_STATE,
				s->how == CPYTHON_SLOT_BUFFER);
	}
}

static void own_all(struct py *py, bool types)
{
	struct object_table *t = &py->snapshot->object;
	for (uint32_t i = 0; i < t->n; i++) {
		if (!py->object_type[i])
			continue;
		const struct py_type *type = &py->type.at[py->object_type[i] - 1];
		const struct py_plan *plan = &py->visit->plan[type - py->type.at];
		if (!types && (plan->nunknown || plan->unknown_items))
			t->flags[i] |= OBJECT_CONSERVATIVE;
		if (!plan->owns || (type->kind == PY_KIND_type) != types)
			continue;
		struct owner o = {
			.py = py,
			.type = type,
			.plan = plan,
			.id = i + 1,
			.at = t->address[i],
			.end = object_block(t, i) + t->size[i],
		};
		own_slots(&o);
		if (plan->managed)
			own_managed(&o);
		for (unsigned k = 0; k < plan->nwalker; k++)
			plan->walker[k]->own(&o);
	}
}

/*
 * Python 2 keeps freed unicode objects, and short ones with the buffer of their characters:
 * Objects/unicodeobject.c, unicode_dealloc. Nobody else says that these are characters.
 */
static void disclaim_freed_text(struct py *py)
{
	const struct object_table *t = &py->snapshot->object;
	const struct cpython_layout *l = py->layout;
	uint64_t word;
	if (l->text.forms != CPYTHON_TEXT_POINTER)
		return;
	for (uint32_t i = 0; i < t->n; i++) {
		const uint64_t at = t->address[i];
		if (py->object_type[i] || t->size[i] < l->text.encoded ||
		    !py_word(py, at + l->object.type, &word))
			continue;
		const struct py_type *type = py_type_at(py, word);
		uint32_t id;
		if (type && type->flags & l->type.flag.unicode &&
		    py_word(py, at + l->text.data, &word) &&
		    (id = snapshot_object_find(py->snapshot, word)))
			py_object_disclaim(py, id, word);
	}
}

struct error *py_buffers_claim(struct py *py)
{
	struct object_table *t = &py->snapshot->object;
	if (!t->n || !py->object_type || !t->runtime || !t->flags)
		return NULL;
	if (!t->owner_id) {
		t->owner_id = calloc(t->n, sizeof(*t->owner_id));
		if (!t->owner_id)
			return &error_nomem;
	}
	own_all(py, true);
	own_all(py, false);
	disclaim_freed_text(py);
	return NULL;
}
