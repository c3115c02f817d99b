/*
 * visit_code: what a code object made on demand and keeps (3.12 and later):
 *
 *	code ──► _PyCoCached [ co_code, co_varnames, co_cellvars, co_freevars ]
 *
 * Written by marshal, so that a process that compiled its modules itself has thousands of them. Include/
 * cpython/code.h, _PyCoCached; Objects/codeobject.c, code_dealloc: counted. In none of the versions does
 * a code object have a tp_traverse.
 */
#include "runtime/cpython/visit_impl.h"

enum { CACHED = 4 }; /* objects */

static bool cached_find(const struct py *py, uint64_t at, uint64_t *ret)
{
	const uint16_t offset = py->layout->visit->code_cached;
	return offset && offset != CPYTHON_NONE && py_word(py, at + offset, ret) && *ret;
}

void walk_code(struct visitor *v)
{
	const struct py_names *n = v->name;
	const uint32_t name[CACHED] = {n->co_code, n->co_varnames, n->co_cellvars, n->co_freevars};
	uint64_t cached;
	if (!cached_find(v->py, v->at, &cached) || visit_room(v->py, cached) < CACHED * 8)
		return;
	visit_buffer(v, cached, v->at + v->l->visit->code_cached, n->cache);
	for (unsigned i = 0; i < CACHED; i++)
		visit_unseen_at(v, cached + 8 * i, name[i]);
}

void own_code(struct owner *o)
{
	uint64_t cached;
	if (cached_find(o->py, o->at, &cached))
		own_block(o, cached, false);
}
