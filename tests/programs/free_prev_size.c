/* The last word of a block is the next chunk's header, and holds the only pointer to another. */
#include "oracle.h"

void *kept[64];

static noinline_ void fill(void)
{
	for (unsigned i = 0; i < 64; i++) {
		char *p = (char *)new_block(24 + 16 * i);
		size_t usable = malloc_usable_size(p);
		struct node *x = new_node();
		*(struct node **)(p + usable - sizeof(void *)) = x;
		kept[i] = p;
		oracle_expect(x, 1);
	}
	oracle_head(new_node(), 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
