/*
 * An extension module with the faults that are made in C: types whose traverse function is missing
 * or leaves a member out, functions that forget a Py_DECREF or do one too many; and, beside them,
 * counts that C holds rightly (native_holders.cc). Compiles for 2.7 and 3.6 on.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <stdlib.h>

void hold_array(void *p), hold_record(void *p), hold_list(void *p), hold_vector(void *p);
void hold_map(void *p), hold_tls(void *p), hold_table(void *p), hold_tagged(void *p);
void hold_freed(void *p);
void *hold_block(void *p);
int hold_thread(void *on_stack, void *specific);

/* ---- types: a pair of members, and an array of more ---- */

typedef struct {
	PyObject_HEAD PyObject *a, *b;
	void *block;
	PyObject **item;
	Py_ssize_t items;
} Pair;

static PyMemberDef pair_members[] = {
	{(char *)"a", T_OBJECT, offsetof(Pair, a), 0, NULL},
	{(char *)"b", T_OBJECT, offsetof(Pair, b), 0, NULL},
	{NULL, 0, 0, 0, NULL},
};

static PyObject *pair_push(PyObject *self, PyObject *o)
{
	Pair *p = (Pair *)self;
	PyObject **item = realloc(p->item, (size_t)(p->items + 1) * sizeof(*item));
	if (!item)
		return PyErr_NoMemory();
	p->item = item;
	Py_INCREF(o);
	item[p->items++] = o;
	Py_RETURN_NONE;
}

/* Keeps it in a block of memory that only a block of this object's leads to. */
static PyObject *pair_keep(PyObject *self, PyObject *o)
{
	Py_INCREF(o);
	((Pair *)self)->block = hold_block(o);
	Py_RETURN_NONE;
}

static PyMethodDef pair_methods[] = {
	{"push", pair_push, METH_O, NULL},
	{"keep", pair_keep, METH_O, NULL},
	{NULL, NULL, 0, NULL},
};

static int traverse_none(PyObject *self, visitproc visit, void *arg)
{
	(void)self, (void)visit, (void)arg;
	return 0;
}

static int traverse_half(PyObject *self, visitproc visit, void *arg)
{
	Py_VISIT(((Pair *)self)->a);
	return 0;
}

static int traverse_whole(PyObject *self, visitproc visit, void *arg)
{
	Pair *p = (Pair *)self;
	Py_VISIT(p->a);
	Py_VISIT(p->b);
	for (Py_ssize_t i = 0; i < p->items; i++)
		Py_VISIT(p->item[i]);
	return 0;
}

static int pair_clear(PyObject *self)
{
	Pair *p = (Pair *)self;
	Py_CLEAR(p->a);
	Py_CLEAR(p->b);
	while (p->items)
		Py_CLEAR(p->item[--p->items]);
	return 0;
}

static void pair_dealloc(PyObject *self)
{
	if (Py_TYPE(self)->tp_flags & Py_TPFLAGS_HAVE_GC)
		PyObject_GC_UnTrack(self);
	pair_clear(self);
	free(((Pair *)self)->item);
	Py_TYPE(self)->tp_free(self);
}

#define PAIR(c_name, py_name, gc, visit_fn)                                                        \
	static PyTypeObject c_name = {                                                             \
		PyVarObject_HEAD_INIT(NULL, 0).tp_name = "native_zoo." py_name,                    \
		.tp_basicsize = sizeof(Pair),                                                      \
		.tp_dealloc = pair_dealloc,                                                        \
		.tp_flags = Py_TPFLAGS_DEFAULT | (gc),                                             \
		.tp_traverse = visit_fn,                                                           \
		.tp_clear = (gc) ? pair_clear : NULL,                                              \
		.tp_members = pair_members,                                                        \
		.tp_methods = pair_methods,                                                        \
	}

PAIR(blind_type, "Blind", 0, NULL);
PAIR(empty_type, "Empty", Py_TPFLAGS_HAVE_GC, traverse_none);
PAIR(half_type, "Half", Py_TPFLAGS_HAVE_GC, traverse_half);
PAIR(whole_type, "Whole", Py_TPFLAGS_HAVE_GC, traverse_whole);
/* Complete, but what is made of it is never given to the collector. */
PAIR(untracked_type, "Untracked", Py_TPFLAGS_HAVE_GC, traverse_whole);

static PyObject *untracked_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
	(void)args, (void)kwargs;
	PyObject *o = PyType_GenericAlloc(type, 0);
	if (o)
		PyObject_GC_UnTrack(o);
	return o;
}

/* ---- counts ---- */

/* The length of what it is given: takes a reference and forgets it. */
static PyObject *forget(PyObject *self, PyObject *o)
{
	(void)self;
	Py_INCREF(o);
	return PyLong_FromSsize_t(PyObject_Length(o));
}

/* Gives back a reference that it was never given. */
static PyObject *too_many(PyObject *self, PyObject *o)
{
	(void)self;
	Py_DECREF(o);
	Py_RETURN_NONE;
}

#define HOLD(place)                                                                                \
	static PyObject *place(PyObject *self, PyObject *o)                                        \
	{                                                                                          \
		(void)self;                                                                        \
		Py_INCREF(o);                                                                      \
		hold_##place(o);                                                                   \
		Py_RETURN_NONE;                                                                    \
	}

HOLD(array)
HOLD(record)
HOLD(list)
HOLD(vector)
HOLD(map)
HOLD(tls)
HOLD(table)
HOLD(tagged)
HOLD(freed)

static PyObject *volatile module_global;

static PyObject *global(PyObject *self, PyObject *o)
{
	(void)self;
	Py_INCREF(o);
	module_global = o;
	Py_RETURN_NONE;
}

static PyObject *capsule(PyObject *self, PyObject *o)
{
	(void)self;
	Py_INCREF(o);
	return PyCapsule_New(hold_block(o), "native_zoo", NULL);
}

static PyObject *thread(PyObject *self, PyObject *args)
{
	PyObject *on_stack, *specific;
	(void)self;
	if (!PyArg_ParseTuple(args, "OO", &on_stack, &specific))
		return NULL;
	Py_INCREF(on_stack);
	Py_INCREF(specific);
	if (hold_thread(on_stack, specific))
		return PyErr_SetFromErrno(PyExc_OSError);
	Py_RETURN_NONE;
}

#define O(name)                                                                                    \
	{                                                                                          \
#name, name, METH_O, NULL                                                          \
	}
static PyMethodDef functions[] = {
	O(forget),
	O(too_many),
	O(array),
	O(record),
	O(list),
	O(vector),
	O(map),
	O(tls),
	O(table),
	O(tagged),
	O(freed),
	O(global),
	O(capsule),
	{"thread", thread, METH_VARARGS, NULL},
	{NULL, NULL, 0, NULL},
};

static int fill(PyObject *module)
{
	const struct {
		const char *name;
		PyTypeObject *type;
	} types[] = {{"Blind", &blind_type},
		     {"Empty", &empty_type},
		     {"Half", &half_type},
		     {"Whole", &whole_type},
		     {"Untracked", &untracked_type}};
	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		types[i].type->tp_new = PyType_GenericNew;
		if (types[i].type == &untracked_type)
			types[i].type->tp_new = untracked_new;
		if (PyType_Ready(types[i].type))
			return -1;
		Py_INCREF(types[i].type);
		PyModule_AddObject(module, types[i].name, (PyObject *)types[i].type);
	}
	return 0;
}

#if PY_MAJOR_VERSION >= 3
static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "native_zoo", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_native_zoo(void)
{
	PyObject *module = PyModule_Create(&definition);
	if (module && fill(module))
		return NULL;
	return module;
}
#else
PyMODINIT_FUNC initnative_zoo(void)
{
	PyObject *module = Py_InitModule("native_zoo", functions);
	if (module)
		fill(module);
}
#endif
