/*
 * Threads that have ended and were not joined: what one returned can still be asked for, what was
 * on its stack cannot. Beside them one that lives, one that was joined, one that was detached.
 */
#include "oracle.h"

static noinline_ void leave(unsigned cluster)
{
	struct node *volatile held[64];
	for (unsigned i = 0; i < 64; i++)
		held[i] = NULL;
	held[30] = new_node();
	oracle_head(held[30], cluster);
	__asm__ volatile("" : : "r"(held) : "memory");
}

static void *returns(void *arg)
{
	leave((unsigned)(uintptr_t)arg);
	struct node *result = new_node();
	oracle_expect(result, 1);
	return result;
}

static void *joined(void *arg)
{
	leave((unsigned)(uintptr_t)arg);
	return NULL;
}

static void *lives(void *arg)
{
	oracle_wait_forever();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	pthread_t t[5];
	if (argc < 2) {
		pthread_create(&t[0], NULL, lives, NULL);
		pthread_create(&t[1], NULL, joined, (void *)1);
		pthread_join(t[1], NULL);
	}
	pthread_create(&t[2], NULL, returns, (void *)2);
	pthread_create(&t[3], NULL, returns, (void *)3);
	pthread_create(&t[4], NULL, joined, (void *)4);
	pthread_detach(t[4]);
	usleep(100000); /* until they have ended */
}
