/* Two lost heads share a child (and its child): two clusters, the shared part in one of them. */
#include "oracle.h"

static noinline_ void lose(void)
{
	struct node *x = new_node(), *y = new_node(), *shared = new_node(), *below = new_node();
	x->a = shared;
	y->b = shared;
	shared->a = below;
	oracle_head(x, 1);
	oracle_head(y, 2);
	oracle_leak(shared, 1);
	oracle_leak(shared, 2);
	oracle_leak(below, 1);
	oracle_leak(below, 2);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
}
