/* A binary tree of 255 nodes, lost at its root, built with a bounded work list. */
#include "oracle.h"

static noinline_ void lose(void)
{
	struct node *at[255];
	for (unsigned i = 0; i < 255; i++) {
		at[i] = new_node();
		if (i && i % 2)
			at[(i - 1) / 2]->a = at[i];
		else if (i)
			at[(i - 1) / 2]->b = at[i];
		if (i)
			oracle_leak(at[i], 1);
		else
			oracle_head(at[i], 1);
	}
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	lose();
}
