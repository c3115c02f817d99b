/* build: dynamic dlopen=lib_tls.c */
/*
 * A thread ended that had dynamic thread-local storage. The instance is libc's until its stack is
 * used again, and no leak; what it pointed to is one.
 */
#include "oracle.h"

#include <dlfcn.h>

static void (*keep)(void *);

static noinline_ void fill(void)
{
	struct node *x = new_node();
	keep(x);
	oracle_head(x, 1);
}

static void *thread(void *arg)
{
	fill();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	void *lib = dlopen(ORACLE_LIB, RTLD_NOW);
	if (!lib)
		abort();
	*(void **)&keep = dlsym(lib, "lib_tls_keep");
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
}
