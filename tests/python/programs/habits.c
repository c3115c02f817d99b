/*
 * An extension module with habits of real ones: what they do with counts that looks like a leak, or
 * like one Py_DECREF too many, and is none; and counts that they take for good when they are imported.
 * The sources that each follows are named. Compiles for 2.7 and 3.6 on.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#ifndef Py_SET_REFCNT
#define Py_SET_REFCNT(o, n) (Py_REFCNT(o) = (n))
#endif

static PyTypeObject documented_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "habits.Documented",
	.tp_basicsize = sizeof(PyObject),
	.tp_flags = Py_TPFLAGS_DEFAULT,
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
static void *ghosts[100];
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

/* A leak. */
static PyObject *forget(PyObject *self, PyObject *o)
{
	(void)self;
	Py_INCREF(o);
	Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
	{"document", document, METH_O, NULL},  {"once", once, METH_VARARGS, NULL},
	{"define", define, METH_NOARGS, NULL}, {"forget", forget, METH_O, NULL},
	{"ghost", ghost, METH_VARARGS, NULL},  {NULL, NULL, 0, NULL},
};

static int fill(PyObject *module)
{
	if (PyType_Ready(&documented_type))
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
