/* Blocks of their own mapping, several sizes, some lost, one that holds the only pointer to small
 * ones. */
#include "oracle.h"

void *kept[4];

static noinline_ void fill(void)
{
	for (unsigned i = 0; i < 4; i++) {
		char *p = (char *)new_block(200000 + 77777 * (size_t)i);
		struct node *x = new_node();
		*(struct node **)(p + 104 + 4096 * (size_t)i) = x;
		if (i == 3)
			oracle_head(x, 100); /* its holder shrinks, below */
		else
			oracle_expect(x, 1);
		kept[i] = p;
		char *lost = (char *)new_block(300000);
		struct node *y = new_node();
		*(struct node **)(lost + 200000) = y;
		oracle_head(lost, i);
		oracle_leak(y, i);
	}
	kept[2] = realloc(kept[2], 2000000); /* mremap */
	kept[3] = realloc(kept[3], 100);     /* moves into the heap */
	memset(kept[3], 0, malloc_usable_size(kept[3]));
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
