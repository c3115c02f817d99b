/* Held by an area that the program mapped itself, and by one that it made read-only afterwards. */
#include "oracle.h"

#define SIZE (1 << 20)

static uintptr_t area[2]; /* ^ ORACLE_KEY: the areas are roots, whoever knows them */

static noinline_ void fill(unsigned i)
{
	char *p = (char *)mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);
	struct node *x = new_node(), *y = new_node();
	*(struct node **)(p + 77 * sizeof(long)) = x;
	*(struct node **)(p + SIZE - sizeof(long)) = y;
	oracle_expect(x, 1);
	oracle_root(x, "unexplained");
	oracle_expect(y, 1);
	oracle_root(y, "unexplained");
	oracle_head(new_node(), i);
	area[i] = (uintptr_t)p ^ ORACLE_KEY;
	/* a hole after it, so that the kernel merges it with no other mapping */
	mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (i)
		mprotect(p, SIZE, PROT_READ);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill(0);
	fill(1);
}
