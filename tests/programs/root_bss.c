/* Held by .bss alone, in the middle of a big table. */
#include "oracle.h"

void *table[100000];

static noinline_ void fill(void)
{
	for (unsigned i = 0; i < 100000; i += 9973) {
		struct node *x = new_node();
		x->a = new_node();
		table[i] = x;
		if (i == 9973 * 3) {
			oracle_head(x, 1);
			oracle_leak(x->a, 1);
			table[i] = NULL;
			continue;
		}
		oracle_expect(x, 1);
		oracle_expect(x->a, 1);
		oracle_root(x, "global");
	}
}

static noinline_ void lose(void)
{
	struct node *x = new_node();
	oracle_head(x, 2);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
	lose();
}
