/* build: dynamic link=lib_root.c */
/* Held by a shared library's .data and .bss alone. */
#include "oracle.h"

ORACLE_C void lib_keep(void *p, void *q);

static noinline_ void fill(void)
{
	struct node *x = new_node(), *y = new_node(), *z = new_node();
	lib_keep(x, y);
	oracle_expect(x, 1);
	oracle_expect(y, 1);
	oracle_root(x, "global");
	oracle_root(y, "global");
	oracle_head(z, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
