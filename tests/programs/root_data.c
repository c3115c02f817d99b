/* Held by .data alone, static and global; and the same, but the word was cleared. */
#include "oracle.h"

struct {
	int magic;
	void *p;
} global_data = {42, (void *)1};
static void *static_data = (void *)1;
void *cleared = (void *)1;

static noinline_ void fill(void)
{
	global_data.p = new_node();
	static_data = new_node();
	cleared = new_node();
	oracle_root(global_data.p, "global");
	oracle_expect(global_data.p, 1);
	oracle_expect(static_data, 1);
	oracle_head(cleared, 1);
	cleared = (void *)1;
	__asm__ volatile("" : : "r"(&static_data) : "memory");
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
