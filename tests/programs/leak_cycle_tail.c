/* A lost cycle of three with a tail of five hanging off it; and a chain of two leading into it. */
#include "oracle.h"

static noinline_ void lose(void)
{
	struct node *tail = NULL;
	for (unsigned i = 0; i < 5; i++) {
		struct node *x = new_node();
		x->a = tail;
		tail = x;
		oracle_leak(x, 1);
	}
	struct node *x = new_node(), *y = new_node(), *z = new_node();
	x->a = y, y->a = z, z->a = x, z->b = tail;
	struct node *at[] = {x, y, z};
	for (unsigned i = 0; i < 3; i++) {
		oracle_leak(at[i], 1);
		oracle_cycle(at[i], 1);
	}
	struct node *in = new_node(), *head = new_node();
	head->b = in;
	in->b = y;
	oracle_leak(in, 1);
	oracle_head(head, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
}
