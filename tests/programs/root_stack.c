/* Held by a local variable of a live frame alone; one lost is found only below the stack pointer.
 */
#include "oracle.h"

static noinline_ void deep(unsigned n)
{
	struct node *volatile held[8] = {0};
	held[5] = new_node();
	oracle_expect(held[5], 1);
	if (n)
		deep(n - 1);
	else
		oracle_die();
	held[5]->fill[0]++;
}

static noinline_ void lose(void)
{
	oracle_head(new_node(), 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
	deep(20);
}
