/* Held by words with tag bits only: low bits, and high ones where addresses leave room. */
#include "oracle.h"

uintptr_t low, high;

static noinline_ void fill(void)
{
	struct node *x = new_node(), *lost = new_node();
	low = (uintptr_t)x | 1;
	oracle_expect(x, 2);
#if UINTPTR_MAX > 0xffffffff
	struct node *y = new_node();
	high = (uintptr_t)y | (uintptr_t)0xabcd << 48;
	oracle_expect(y, 2);
#endif
	oracle_head(lost, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
