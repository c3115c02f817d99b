/* Six threads, each with an arena: live blocks, freed blocks, and lost ones in every arena. */
#include "oracle.h"

enum { THREADS = 6, BLOCKS = 300 };
void *kept[THREADS][BLOCKS];

static noinline_ void work(unsigned t)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		kept[t][i] = new_block(16 + (i * 37 + t * 11) % 900);
	for (unsigned i = 0; i < BLOCKS; i += 3) {
		free(kept[t][i]);
		kept[t][i] = NULL;
	}
	for (unsigned i = 1; i < BLOCKS; i += 51) {
		oracle_head(kept[t][i], t * BLOCKS + i);
		kept[t][i] = NULL;
	}
	kept[t][0] = new_block(70000);
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
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_t t;
		pthread_create(&t, NULL, thread, (void *)(uintptr_t)i);
	}
	oracle_wait_ready(THREADS);
}
