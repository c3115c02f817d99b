/* A list of a thousand whose head was lost: one cluster. And the same list, held: no leak. */
#include "oracle.h"

struct node *kept;

static noinline_ struct node *chain(unsigned n, bool lost)
{
	struct node *head = NULL;
	for (unsigned i = 0; i < n; i++) {
		struct node *x = new_node();
		x->a = head;
		head = x;
		if (lost)
			oracle_leak(x, 1);
	}
	return head;
}

static noinline_ void lose(void)
{
	oracle_head(chain(1000, true), 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
	kept = chain(1000, false);
}
