/* A node that points to itself keeps itself alive in the eyes of nobody. */
#include "oracle.h"

static noinline_ void lose(void)
{
	struct node *x = new_node();
	x->b = x;
	oracle_head(x, 1);
	oracle_cycle(x, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
}
