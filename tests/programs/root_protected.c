/* Held by a page of .data that was made read-only once it was filled. */
#include "oracle.h"

static struct {
	char pad[65536];
	void *p;
	char pad2[65536];
} __attribute__((aligned(65536))) page = {{1}, (void *)1, {1}};

static noinline_ void fill(void)
{
	struct node *x = new_node(), *lost = new_node();
	page.p = x;
	oracle_expect(x, 1);
	oracle_head(lost, 1);
	if (mprotect(&page, sizeof(page), PROT_READ))
		abort();
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
