/*
 * A program with a heap of its own and CPython in it, by its C API alone. C, and C++ where that
 * compiler is used.
 *
 *	embed INTERPRETERS SCRIPT TRUTH [legacy | mixed]
 *
 * Each interpreter, the main one last, runs SCRIPT with sys.argv = [SCRIPT, TRUTH.number]; then each the
 * main() that SCRIPT defines. Each has a module `embedded` with fork() (the C library's) and `interpreters`,
 * how many there are. Before, the program makes blocks, keeps some and loses some: lines
 * "kept ADDRESS", "lost ADDRESS" to descriptor 198. Then it aborts, with all interpreters alive.
 *
 * From 3.12 on each but the main one has a GIL and an allocator of its own; "legacy": none has (Py_NewInterpreter);
 * "mixed": those of even numbers.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRUTH_FD = 198, BLOCKS = 200, LOST_BYTES = 72, INTERPRETERS_MOST = 16 };

struct node {
	struct node *next;
	char text[40];
};

struct node *kept;

#ifdef __cplusplus
#include <map>
#include <string>
std::map<std::string, std::string> table;
#endif

static int number, interpreters;
static PyThreadState *state[INTERPRETERS_MOST];

static PyObject *embedded_fork(PyObject *self, PyObject *args)
{
	(void)self;
	(void)args;
	return PyLong_FromLong(fork());
}

static PyMethodDef methods[] = {{"fork", embedded_fork, METH_NOARGS, NULL}, {NULL, NULL, 0, NULL}};

#if PY_MAJOR_VERSION >= 3
static int embedded_exec(PyObject *module)
{
	return PyModule_AddIntConstant(module, "interpreters", interpreters);
}

static PyModuleDef_Slot slots[] = {
	{Py_mod_exec, (void *)embedded_exec},
#if PY_VERSION_HEX >= 0x030c0000
	{Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
	{0, NULL},
};
static PyModuleDef definition = {
	PyModuleDef_HEAD_INIT, "embedded", NULL, 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_embedded(void);
PyMODINIT_FUNC PyInit_embedded(void)
{
	return PyModuleDef_Init(&definition);
}
#else
PyMODINIT_FUNC PyInit_embedded(void);
PyMODINIT_FUNC PyInit_embedded(void)
{
	PyObject *module = Py_InitModule("embedded", methods);
	PyModule_AddIntConstant(module, "interpreters", interpreters);
}
#endif

static void tell(const char *what, const void *address)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %lu\n", what, (unsigned long)address);
	if (write(TRUTH_FD, line, (size_t)n) != n)
		_exit(3);
}

/* In a frame that is gone when the core is made. */
static void __attribute__((noinline)) own_heap(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		struct node *n = (struct node *)malloc(sizeof(*n));
		snprintf(n->text, sizeof(n->text), "the program's own %d", i);
		n->next = kept;
		kept = n;
		tell("kept", n);
		void *lost = malloc(LOST_BYTES);
		memset(lost, 0x11, LOST_BYTES);
		tell("lost", lost);
	}
#ifdef __cplusplus
	for (int i = 0; i < BLOCKS; i++)
		table["a key of the program's own, number " + std::to_string(i)] = "value";
#endif
}

static int run_script(const char *script, const char *truth)
{
	char line[8192];
	snprintf(line, sizeof(line),
		 "import sys\n"
		 "sys.argv = ['%s', '%s.%d']\n"
		 "with open('%s') as f: CODE = compile(f.read(), '%s', 'exec')\n"
		 "exec(CODE)\n",
		 script, truth, number, script, script);
	return PyRun_SimpleString(line);
}

/* While a script runs, its source's tree is alive as well: the truth is told after that. */
static int run_main(void)
{
	PyObject *tell_truth =
		PyDict_GetItemString(PyModule_GetDict(PyImport_AddModule("__main__")), "main");
	PyObject *done = tell_truth ? PyObject_CallObject(tell_truth, NULL) : NULL;
	if (!done)
		PyErr_Print();
	Py_XDECREF(done);
	return done ? 0 : -1;
}

static int new_interpreter(int legacy)
{
#if PY_VERSION_HEX >= 0x030c0000
	PyInterpreterConfig config;
	if (legacy) {
		state[number] = Py_NewInterpreter();
		return state[number] ? 0 : -1;
	}
	memset(&config, 0, sizeof(config));
	config.allow_threads = 1;
	config.check_multi_interp_extensions = 1;
	config.gil = PyInterpreterConfig_OWN_GIL;
	PyStatus status = Py_NewInterpreterFromConfig(&state[number], &config);
	return PyStatus_Exception(status) ? -1 : 0;
#else
	(void)legacy;
	state[number] = Py_NewInterpreter();
	return state[number] ? 0 : -1;
#endif
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 5)
		return 2;
	const char *kind = argc == 5 ? argv[4] : "";
	own_heap();
#if PY_MAJOR_VERSION < 3
	PyImport_AppendInittab((char *)"embedded", PyInit_embedded);
#else
	PyImport_AppendInittab("embedded", PyInit_embedded);
#endif
	Py_Initialize();
	interpreters = atoi(argv[1]);
	if (interpreters > INTERPRETERS_MOST)
		return 2;
	state[0] = PyThreadState_Get();
	for (int i = 1; i <= interpreters; i++) {
		number = i % interpreters;
		if (number && new_interpreter(!strcmp(kind, "legacy") ||
					      (!strcmp(kind, "mixed") && number % 2)))
			return 4;
		if (run_script(argv[2], argv[3]))
			return 5;
		PyThreadState_Swap(state[0]);
	}
	for (int i = 1; i <= interpreters; i++) {
		number = i % interpreters;
		PyThreadState_Swap(state[number]);
		if (run_main())
			return 6;
	}
	abort();
}
