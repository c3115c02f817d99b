/*
 * Allocates and frees N times (argument 1) from some hundred call paths, with up to LIVE blocks
 * alive (argument 2): what an allocation recorder writes its biggest files of.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define noinline_ __attribute__((noinline, noclone))

struct churn {
	uint64_t seed, left, nlive;
	void **live;
};

static uint32_t next(struct churn *c, uint32_t n)
{
	c->seed ^= c->seed << 13;
	c->seed ^= c->seed >> 7;
	c->seed ^= c->seed << 17;
	return (uint32_t)(c->seed >> 20) % n;
}

static noinline_ void churn_once(struct churn *c)
{
	static const uint16_t size[] = {8,  16, 24,  24,  32,  40,  48,	 56,
					64, 64, 100, 128, 200, 520, 4100};
	void **at = &c->live[next(c, (uint32_t)c->nlive)];
	uint64_t burst = 1 + next(c, 4);
	while (burst-- && c->left) {
		free(*at);
		*at = malloc(size[next(c, sizeof(size) / sizeof(*size))]);
		c->left--;
		at = &c->live[next(c, (uint32_t)c->nlive)];
	}
}

static noinline_ void fork_path(struct churn *c, unsigned depth);

#define PATH(name)                                                                                 \
	static noinline_ void name(struct churn *c, unsigned depth)                                \
	{                                                                                          \
		fork_path(c, depth);                                                               \
		__asm__ volatile("");                                                              \
	}
PATH(parse_item)
PATH(visit_node)
PATH(load_table)
PATH(handle_event)
PATH(format_text)
PATH(copy_value)

static noinline_ void fork_path(struct churn *c, unsigned depth)
{
	static void (*const path[])(struct churn *, unsigned) = {
		parse_item, visit_node, load_table, handle_event, format_text, copy_value,
	};
	if (depth)
		path[next(c, 6)](c, depth - 1);
	else
		churn_once(c);
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	struct churn c = {.seed = 88172645463325252u};
	c.left = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
	c.nlive = argc > 2 ? strtoull(argv[2], NULL, 10) : 10000;
	c.live = calloc(c.nlive, sizeof(*c.live));
	if (!c.live || !c.nlive)
		return 1;
	while (c.left)
		fork_path(&c, 2 + next(&c, 2));
	printf("%p\n", c.live[0]);
	return 0;
}
