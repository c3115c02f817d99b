/* Held by pointers into the middle only (2), by what such a block holds (2); start wins (1). */
#include "oracle.h"

char *inside, *one_past_header;
struct node *plain;

static noinline_ void fill(void)
{
	struct node *x = new_node(), *below = new_node(), *both = new_node(), *lost = new_node();
	inside = (char *)x + 24;
	x->a = below;
	one_past_header = (char *)both + 16;
	plain = both;
	oracle_expect(x, 2);
	oracle_expect(below, 2);
	oracle_expect(both, 1);
	oracle_head(lost, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
