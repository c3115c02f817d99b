/* M_ARENA_MAX = 1: threads share the main arena, each with a cache of its own in it. */
#include "oracle.h"

enum { THREADS = 3 };
void *kept[THREADS][40];

static noinline_ void work(unsigned t)
{
	for (unsigned i = 0; i < 40; i++)
		kept[t][i] = new_block(64);
	for (unsigned i = 0; i < 5; i++) {
		uintptr_t at = (uintptr_t)kept[t][i];
		size_t usable = malloc_usable_size(kept[t][i]);
		free(kept[t][i]);
		kept[t][i] = NULL;
		oracle_is_free(at, usable, "tcache");
	}
	oracle_head(kept[t][20], t);
	kept[t][20] = NULL;
}

static void *thread(void *arg)
{
	work((unsigned)(uintptr_t)arg);
	oracle_wait_forever();
	return NULL;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	mallopt(M_ARENA_MAX, 1);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_t t;
		pthread_create(&t, NULL, thread, (void *)(uintptr_t)i);
	}
	oracle_wait_ready(THREADS);
}
