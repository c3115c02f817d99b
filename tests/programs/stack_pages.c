/*
 * Of three stacks of a mebibyte a quarter was written to once: of one thread that waits, its frames
 * gone from there, and of two that ended together, whose stacks are kept for the next ones, but for
 * what the C library gives back of them.
 */
#include "oracle.h"

enum { STACK = 1 << 20, USED = STACK / 4 };

static pthread_barrier_t both;

static noinline_ void deep(void)
{
	volatile char room[USED];
	for (unsigned i = 0; i < USED; i += 64)
		room[i] = 'x';
	__asm__ volatile("" : : "r"(room) : "memory");
}

static void *ends(void *arg)
{
	deep();
	pthread_barrier_wait(&both);
	return arg;
}

static void *stays(void *arg)
{
	(void)arg;
	deep();
	oracle_wait_forever();
	return NULL;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	pthread_t t[3];
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_barrier_init(&both, NULL, 2);
	for (unsigned i = 0; i < 3; i++)
		pthread_create(&t[i], &attr, i < 2 ? ends : stays, NULL);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	oracle_wait_ready(1);
}
