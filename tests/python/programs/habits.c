/*
 * An extension module with habits of real ones: what they do with counts that looks like a leak, or
 * like one Py_DECREF too many, and is none; and counts that they take for good when they are imported.
 * The sources that each follows are named. Compiles for 2.7 and 3.6 on.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#ifndef Py_SET_REFCNT
#define Py_SET_REFCNT(o, n) (Py_REFCNT(o) = (n))
#endif

static int nothing_to_init(PyObject *self, PyObject *args, PyObject *named)
{
	(void)self, (void)args, (void)named;
	return 0;
}

static PyTypeObject documented_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "habits.Documented",
	.tp_basicsize = sizeof(PyObject),
	.tp_flags = Py_TPFLAGS_DEFAULT,
	.tp_init = nothing_to_init,
};

/* numpy/core/src/multiarray/compiled_base.c, arr_add_docstring: the text of a str that it keeps a count of. */
static PyObject *document(PyObject *self, PyObject *text)
{
	(void)self;
#if PY_MAJOR_VERSION >= 3
	documented_type.tp_doc = PyUnicode_AsUTF8(text);
#else
	documented_type.tp_doc = PyString_AsString(text);
#endif
	if (!documented_type.tp_doc)
		return NULL;
	Py_INCREF(text);
	Py_RETURN_NONE;
}

/* cffi, c/_cffi_backend.c, get_unique_type: a dict that has what it does not count. */
static PyObject *unique;

static PyObject *once(PyObject *self, PyObject *args)
{
	PyObject *key, *value;
	(void)self;
	if (!PyArg_ParseTuple(args, "OO", &key, &value))
		return NULL;
	if (!unique && !(unique = PyDict_New()))
		return NULL;
	if (PyDict_SetItem(unique, key, value))
		return NULL;
	PyObject_GC_UnTrack(unique);
	Py_SET_REFCNT(value, Py_REFCNT(value) - 1);
	Py_RETURN_NONE;
}

/* cffi, c/cffi1_module.c, _my_Py_InitModule: a definition in memory of its own, "but anyway it leaks". */
static PyObject *define(PyObject *self, PyObject *nothing)
{
	(void)self, (void)nothing;
#if PY_MAJOR_VERSION >= 3
	static const struct PyModuleDef empty = {
		PyModuleDef_HEAD_INIT, "habits.defined", NULL, -1, NULL, NULL, NULL, NULL, NULL};
	struct PyModuleDef *definition = PyMem_Malloc(sizeof(*definition));
	if (!definition)
		return PyErr_NoMemory();
	*definition = empty;
	return PyModule_Create(definition);
#else
	Py_RETURN_NONE;
#endif
}

/*
 * What realloc leaves behind when it moves a tuple (Objects/tupleobject.c, _PyTuple_Resize), in memory that
 * something else has by now: its address, and where the object was.
 */
void *ghosts[100];
static unsigned nghosts;

static PyObject *ghost(PyObject *self, PyObject *args)
{
	PyObject *o;
	int head;
	(void)self;
	if (!PyArg_ParseTuple(args, "O!i", &PyTuple_Type, &o, &head))
		return NULL;
	size_t size = (size_t)head + sizeof(PyVarObject) + (size_t)Py_SIZE(o) * sizeof(o);
	char *p = nghosts < 100 ? PyObject_Malloc(size) : NULL;
	if (!p)
		return PyErr_NoMemory();
	memcpy(p, (char *)o - head, size);
	ghosts[nghosts++] = p;
	return PyLong_FromVoidPtr(p + head);
}

/* Cython 0.29, Cython/Compiler/Code.py: a static variable for each constant that the code reads. */
/* Not static: nothing reads it, and the compiler would leave it out. */
PyObject *constants[1000];
static unsigned nconstants;

static PyObject *constant(PyObject *self, PyObject *o)
{
	(void)self;
	if (nconstants == 1000)
		return PyErr_NoMemory();
	Py_INCREF(o);
	constants[nconstants++] = o;
	Py_RETURN_NONE;
}

/* Cython 0.29, Nodes.py, generate_type_ready_code: `wrapper` is not given back. */
static struct wrapperbase copy;

static PyObject *wrapper(PyObject *self, PyObject *nothing)
{
	(void)self, (void)nothing;
	PyObject *w = PyObject_GetAttrString((PyObject *)&documented_type, "__init__");
	if (!w || Py_TYPE(w) != &PyWrapperDescr_Type)
		return w;
	copy = *((PyWrapperDescrObject *)w)->d_base;
	copy.doc = "what the module says of it";
	((PyWrapperDescrObject *)w)->d_base = &copy;
	return PyLong_FromVoidPtr(w);
}

/* A leak; or the constant of a variable that the compiler left out. */
static PyObject *forget(PyObject *self, PyObject *o)
{
	(void)self;
	Py_INCREF(o);
	Py_RETURN_NONE;
}

/* Python/pyarena.c: what a syntax tree lies in, two blocks of it, and the list that has the tree's objects. */
struct block {
	size_t size, used;
	struct block *next;
	void *bytes;
	PyObject *item[1024];
};

struct arena {
	struct block *head, *cur;
	PyObject *objects;
};

struct arena *trees[10];
static unsigned ntrees;

static struct block *block_new(struct block *next)
{
	struct block *b = calloc(1, sizeof(*b));
	if (b) {
		b->size = sizeof(b->item);
		b->next = next;
		b->bytes = b->item;
	}
	return b;
}

/* A tree with these leaves, which it does not count. */
static PyObject *tree(PyObject *self, PyObject *args)
{
	PyObject *objects, *leaves;
	(void)self;
	if (!PyArg_ParseTuple(args, "OO!", &objects, &PyList_Type, &leaves))
		return NULL;
	struct arena *a = ntrees < 10 ? malloc(sizeof(*a)) : NULL;
	if (!a || !(a->cur = block_new(NULL)) || !(a->head = block_new(a->cur)))
		return PyErr_NoMemory();
	Py_INCREF(objects);
	a->objects = objects;
	trees[ntrees++] = a;
	for (Py_ssize_t i = 0; i < PyList_GET_SIZE(leaves) && i < 1024; i++) {
		a->cur->item[i] = PyList_GET_ITEM(leaves, i);
		a->cur->used += sizeof(a->cur->item[i]);
	}
	Py_RETURN_NONE;
}

/* A binary of that name is in the process. */
static PyObject *load(PyObject *self, PyObject *args)
{
	const char *path;
	(void)self;
	if (!PyArg_ParseTuple(args, "s", &path))
		return NULL;
	if (!dlopen(path, RTLD_NOW))
		return PyErr_Format(PyExc_ImportError, "%s", dlerror());
	Py_RETURN_NONE;
}

/*
 * Boost.Python, libs/python/src/object/class.cpp, instance_new: ob_size is negative where the C++ object is not in the
 * instance itself.
 */
static int sized_traverse(PyObject *self, visitproc visit, void *arg)
{
	(void)self, (void)visit, (void)arg;
	return 0;
}

static PyTypeObject sized_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "habits.Sized",
	.tp_basicsize = 48,
	.tp_itemsize = 1,
	.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
	.tp_traverse = sized_traverse,
};

static PyObject *sized(PyObject *self, PyObject *nothing)
{
	(void)self, (void)nothing;
	PyVarObject *o = (PyVarObject *)PyType_GenericAlloc(&sized_type, 0);
	if (o)
		o->ob_size = -48;
	return (PyObject *)o;
}

/* mypyc, mypyc/codegen/emitclass.py: heap types without a module in their name, freed by functions of the module's. */
#if PY_MAJOR_VERSION >= 3
static void compiled_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	type->tp_free(self);
	Py_DECREF(type);
}
#endif

static PyObject *compile(PyObject *self, PyObject *nothing)
{
	(void)self, (void)nothing;
#if PY_MAJOR_VERSION >= 3
	static PyType_Slot slots[] = {{Py_tp_dealloc, compiled_dealloc}, {0, NULL}};
	static PyType_Spec spec = {"Compiled", sizeof(PyObject), 0, Py_TPFLAGS_DEFAULT, slots};
	return PyType_FromSpec(&spec);
#else
	Py_RETURN_NONE;
#endif
}

static PyMethodDef functions[] = {
	{"document", document, METH_O, NULL},	 {"once", once, METH_VARARGS, NULL},
	{"define", define, METH_NOARGS, NULL},	 {"forget", forget, METH_O, NULL},
	{"ghost", ghost, METH_VARARGS, NULL},	 {"constant", constant, METH_O, NULL},
	{"wrapper", wrapper, METH_NOARGS, NULL}, {"load", load, METH_VARARGS, NULL},
	{"tree", tree, METH_VARARGS, NULL},	 {"sized", sized, METH_NOARGS, NULL},
	{"compile", compile, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL},
};

static int fill(PyObject *module)
{
	if (PyType_Ready(&documented_type) || PyType_Ready(&sized_type))
		return -1;
	Py_INCREF(&documented_type);
	return PyModule_AddObject(module, "Documented", (PyObject *)&documented_type);
}

#if PY_MAJOR_VERSION >= 3
static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "habits", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_habits(void)
{
	PyObject *module = PyModule_Create(&definition);
	return module && fill(module) ? NULL : module;
}
#else
PyMODINIT_FUNC inithabits(void)
{
	PyObject *module = Py_InitModule("habits", functions);
	if (module)
		fill(module);
}
#endif
