/* build: dynamic dlopen=lib_tls.c */
/*
 * Held by dynamic thread-local storage alone: a library opened at run time, main's and a thread's
 * instance. The instances are blocks that the thread's table (dtv) leads to.
 */
#include "oracle.h"

#include <dlfcn.h>

static void (*keep)(void *);

static noinline_ void fill(unsigned cluster)
{
	struct node *x = new_node(), *lost = new_node();
	keep(x);
	oracle_head(lost, cluster);
}

static void *thread(void *arg)
{
	fill(2);
	oracle_wait_forever();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	void *lib = dlopen(ORACLE_LIB, RTLD_NOW);
	if (!lib)
		abort();
	*(void **)&keep = dlsym(lib, "lib_tls_keep");
	fill(1);
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	oracle_wait_ready(1);
}
