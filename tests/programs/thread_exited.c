/*
 * A thread ended. Its stack is kept for the next one, and with it the only pointer to a block: that
 * is a leak. What it left in a global is none, though its arena has no owner any more.
 */
#include "oracle.h"

void *kept[100];

static noinline_ void leave(void)
{
	struct node *volatile held[64];
	for (unsigned i = 0; i < 64; i++)
		held[i] = NULL;
	held[30] = new_node();
	oracle_head(held[30], 1);
	for (unsigned i = 0; i < 100; i++) {
		kept[i] = new_block(64 + i);
		oracle_expect(kept[i], 1);
	}
	__asm__ volatile("" : : "r"(held) : "memory");
}

static void *thread(void *arg)
{
	leave();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
}
