/* Ten thousand leaks of one shape (a node that holds a small buffer), to be folded into one line.
 */
#include "oracle.h"

static noinline_ void lose(unsigned i)
{
	struct node *x = new_node();
	x->b = (struct node *)new_block(40);
	oracle_head(x, i);
	oracle_leak(x->b, i);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (unsigned i = 0; i < 10000; i++)
		lose(i);
}
