/*
 * visit_type: what a class holds. Objects/typeobject.c, type_traverse: static types are not the
 * collector's, of heap types it visits the dict, cache, mro, bases, base and (3.9) the module.
 */
#include "runtime/cpython/visit_impl.h"

/* What the class's own dict holds besides: PyCPointerType's traverse function visits it. */
static void visit_ctypes_proto(struct visitor *v)
{
	uint64_t dict;
	if (!visit_word(v, v->at + v->l->type.dict, &dict))
		return;
	const struct py_type *t = py_type_of(v->py, py_object_id(v->py, dict));
	if (!t || t->name != v->name->stgdict)
		return;
	if (v->type->name == v->name->ctypes_pointer)
		visit_at(v, dict + v->l->visit->stgdict_proto, v->name->proto);
	else
		visit_unseen_at(v, dict + v->l->visit->stgdict_proto, v->name->proto);
}

void walk_type(struct visitor *v)
{
	const struct cpython_type_layout *l = &v->l->type;
	const struct py_type *t = py_type_at(v->py, v->at);
	uint64_t word;
	if (!t)
		return;
	const bool heap = t->flags & l->flag.heap;
	const uint32_t unseen = v->unseen;
	if (!heap)
		v->unseen = EDGE_NAME_UNSEEN;
	visit_at(v, v->at + l->dict, v->name->dict);
	if (v->l->visit->stgdict_proto != CPYTHON_NONE)
		visit_ctypes_proto(v);
	visit_at(v, v->at + l->cache, v->name->cache);
	visit_at(v, v->at + l->mro, v->name->mro);
	visit_at(v, v->at + l->bases, v->name->bases);
	visit_at(v, v->at + l->base, v->name->base);
	/* A dict (2.7: a list) of weak references. Of builtin types an index, from 3.12 on. */
	visit_unseen_at(v, v->at + l->subclasses, v->name->subclasses);
	if (!heap && py_builtin_type_state(v->py, v->at, &word)) {
		visit_at(v, word + l->builtin_dict, v->name->dict);
		visit_unseen_at(v, word + l->builtin_subclasses, v->name->subclasses);
	}
	if (heap) {
		if (l->heap_module != CPYTHON_NONE)
			visit_at(v, v->at + l->heap_module, v->name->module);
		visit_unseen_at(v, v->at + l->heap_name, v->name->name);
		visit_unseen_at(v, v->at + l->heap_slots, v->name->slots);
		if (l->heap_qualname != CPYTHON_NONE)
			visit_unseen_at(v, v->at + l->heap_qualname, v->name->qualname);
		if (l->heap_cached_keys != CPYTHON_NONE &&
		    visit_word(v, v->at + l->heap_cached_keys, &word) && word)
			visit_class_keys(v, word, v->at + l->heap_cached_keys);
		if (visit_word(v, v->at + l->doc, &word) && word)
			visit_buffer(v, word, v->at + l->doc, v->name->doc);
	} else if (visit_word(v, v->at + l->doc, &word) && word) {
		/* Text of the compiler's; or inside a str that was given away for it (numpy). */
		visit_edge(v, word, v->at + l->doc, REFERENCE_WORD,
			   v->name->doc | EDGE_NAME_UNSEEN);
	}
	v->unseen = unseen;
}

void own_type(struct owner *o)
{
	const struct cpython_type_layout *l = &o->py->layout->type;
	const struct py_type *t = py_type_at(o->py, o->at);
	uint64_t word;
	if (!t || !(t->flags & l->flag.heap))
		return;
	if (l->heap_cached_keys != CPYTHON_NONE &&
	    py_word(o->py, o->at + l->heap_cached_keys, &word) && word)
		own_block(o, word, false);
	if (py_word(o->py, o->at + l->doc, &word) && word)
		own_block(o, word, false);
}
