/* A ring of 500, linked both ways, lost. */
#include "oracle.h"

static noinline_ void lose(void)
{
	struct node *first = new_node(), *last = first;
	oracle_leak(first, 1);
	oracle_cycle(first, 1);
	for (unsigned i = 1; i < 500; i++) {
		struct node *x = new_node();
		last->a = x;
		x->b = last;
		last = x;
		oracle_leak(x, 1);
		oracle_cycle(x, 1);
	}
	last->a = first;
	first->b = last;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
}
