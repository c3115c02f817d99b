/* Two nodes that hold each other, and nobody holds them. Another such pair is held. */
#include "oracle.h"

struct node *kept;

static noinline_ struct node *pair(void)
{
	struct node *x = new_node(), *y = new_node();
	x->a = y;
	y->a = x;
	return x;
}

static noinline_ void lose(void)
{
	struct node *x = pair();
	oracle_leak(x, 1);
	oracle_leak(x->a, 1);
	oracle_cycle(x, 1);
	oracle_cycle(x->a, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
	kept = pair();
}
