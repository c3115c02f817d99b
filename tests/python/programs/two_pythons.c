/*
 * A program that loads several libpythons, each with its own symbols, as plug-ins do.
 *
 *	two_pythons SCRIPT TRUTH LIBRARY...
 *
 * Each library's interpreter runs SCRIPT, which finds [SCRIPT, TRUTH.number] in sys.argv and a module
 * `embedded` as that of embed.c; then each the main() that SCRIPT defined. Before, the program makes
 * blocks, keeps some and loses some: lines "kept ADDRESS", "lost ADDRESS" to descriptor 198. Then it aborts.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRUTH_FD = 198, BLOCKS = 200, LOST_BYTES = 72, LIBRARIES_MOST = 4 };

struct node {
	struct node *next;
	char text[40];
};

struct node *kept;

static void tell(const char *what, const void *address)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %lu\n", what, (unsigned long)address);
	if (write(TRUTH_FD, line, (size_t)n) != n)
		_exit(3);
}

static void __attribute__((noinline)) own_heap(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		struct node *n = malloc(sizeof(*n));
		snprintf(n->text, sizeof(n->text), "the program's own %d", i);
		n->next = kept;
		kept = n;
		tell("kept", n);
		void *lost = malloc(LOST_BYTES);
		memset(lost, 0x11, LOST_BYTES);
		tell("lost", lost);
	}
}

struct library {
	void (*initialize)(void);
	int (*run)(const char *);
	void *(*save)(void);
	void (*restore)(void *);
	void *(*module)(const char *), *(*dict)(void *), *(*get)(void *, const char *);
	void *(*call)(void *, void *);
	void *state;
};

static void *symbol(void *handle, const char *name)
{
	void *found = dlsym(handle, name);
	if (!found) {
		fprintf(stderr, "no %s\n", name);
		exit(4);
	}
	return found;
}

int main(int argc, char **argv)
{
	static struct library library[LIBRARIES_MOST];
	static char line[8192];
	if (argc < 4 || argc - 3 > LIBRARIES_MOST)
		return 2;
	own_heap();
	for (int i = 0; i < argc - 3; i++) {
		struct library *l = &library[i];
		void *handle = dlopen(argv[i + 3], RTLD_NOW | RTLD_LOCAL);
		if (!handle) {
			fprintf(stderr, "%s\n", dlerror());
			return 5;
		}
		l->initialize = (void (*)(void))symbol(handle, "Py_Initialize");
		l->run = (int (*)(const char *))symbol(handle, "PyRun_SimpleString");
		l->save = (void *(*)(void))symbol(handle, "PyEval_SaveThread");
		l->restore = (void (*)(void *))symbol(handle, "PyEval_RestoreThread");
		l->module = (void *(*)(const char *))symbol(handle, "PyImport_AddModule");
		l->dict = (void *(*)(void *))symbol(handle, "PyModule_GetDict");
		l->get = (void *(*)(void *, const char *))symbol(handle, "PyDict_GetItemString");
		l->call = (void *(*)(void *, void *))symbol(handle, "PyObject_CallObject");
		*(int *)symbol(handle, "Py_NoSiteFlag") = 1;
		l->initialize();
		/* No module of C can be loaded: it would look for the symbols of another libpython. */
		snprintf(line, sizeof(line),
			 "import sys\n"
			 "sys.argv = ['%s', '%s.%d']\n"
			 "import os\n"
			 "embedded = sys.modules['embedded'] = type(sys)('embedded')\n"
			 "embedded.fork, embedded.interpreter, embedded.interpreters = os.fork, "
			 "%d, 1\n"
			 "with open('%s') as f: CODE = compile(f.read(), '%s', 'exec')\n"
			 "exec(CODE)\n",
			 argv[1], argv[2], i, i, argv[1], argv[1]);
		if (l->run(line))
			return 6;
		l->state = l->save();
	}
	for (int i = 0; i < argc - 3; i++) {
		struct library *l = &library[i];
		l->restore(l->state);
		/* Not by a script: its code would be alive as well when the truth is told. */
		if (!l->call(l->get(l->dict(l->module("__main__")), "main"), NULL))
			return 7;
		l->state = l->save();
	}
	abort();
}
