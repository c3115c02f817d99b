/* A chain that was lost, and beside it a ring that was: each is what it is, whatever the other. */
#include "oracle.h"

static noinline_ void lose(void)
{
	struct node *head = new_node(), *next = new_node();
	head->a = next;
	oracle_head(head, 1);
	oracle_leak(next, 1);
	void **one = (void **)new_block(2000), **other = (void **)new_block(2000);
	memset(one, 0, 2000);
	memset(other, 0, 2000);
	one[3] = other;
	other[3] = one;
	oracle_leak(one, 2);
	oracle_leak(other, 2);
	oracle_cycle(one, 1);
	oracle_cycle(other, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
}
