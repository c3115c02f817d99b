/* Held by pointers at odd addresses only, in module data and in a block. */
#include "oracle.h"

char packed[64];

static noinline_ void fill(void)
{
	struct node *x = new_node(), *y = new_node(), *lost = new_node();
	memcpy(packed + 13, &x, sizeof(x));
	memcpy((char *)x + 21, &y, sizeof(y));
	oracle_expect(x, 2);
	oracle_expect(y, 2);
	oracle_head(lost, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
