/* Held by the stacks of three other threads alone. */
#include "oracle.h"

static void *thread(void *arg)
{
	struct node *volatile held[4] = {0};
	held[2] = new_node();
	held[2]->b = new_node();
	oracle_expect(held[2], 1);
	oracle_expect(held[2]->b, 1);
	oracle_wait_forever();
	return held[2]->a ? arg : NULL;
}

static noinline_ void lose(void)
{
	oracle_head(new_node(), 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
	for (unsigned i = 0; i < 3; i++) {
		pthread_t t;
		pthread_create(&t, NULL, thread, NULL);
	}
	oracle_wait_ready(3);
}
