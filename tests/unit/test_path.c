/* path: distances and chains against a plain search of random graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "graph/path.h"
#include "random_graph.h"

enum { ROUNDS = 300, MOST = 3000 };

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

/* Distances to the goal by relaxing every edge until nothing changes. */
static void distances(const struct random_graph *g, uint32_t goal, uint32_t *far)
{
	for (uint32_t v = 0; v <= g->n; v++)
		far[v] = UINT32_MAX;
	far[goal] = 0;
	for (bool changed = true; changed;) {
		changed = false;
		for (uint32_t v = 1; v <= g->n; v++)
			for (uint64_t e = g->first[v - 1]; e < g->first[v]; e++) {
				uint32_t d = far[g->dst[e]];
				if (d != UINT32_MAX && d + 1 < far[v]) {
					far[v] = d + 1;
					changed = true;
				}
			}
	}
}

static void test_random(void **state)
{
	(void)state;
	uint64_t seed = 20260803;
	for (int round = 0; round < ROUNDS; round++) {
		struct random_graph g;
		uint32_t n = (uint32_t)random_below(&seed, round ? 60 : MOST) + 1, at, reached = 0;
		random_graph_make(&g, n, random_below(&seed, 2 * (uint64_t)n), &seed);
		uint32_t *far = calloc((size_t)n + 1, sizeof(*far));
		uint32_t goal = (uint32_t)random_below(&seed, n) + 1, before = 0;
		distances(&g, goal, far);
		struct path p;
		check(path_init(&p, goal));
		while (path_next(&p, &at)) {
			const struct path_step step = p.step.at[at];
			assert_int_equal(step.depth, far[step.vertex]);
			assert_true(step.depth >= before);
			before = step.depth;
			reached++;
			if (step.next == PATH_NONE) {
				assert_int_equal(step.vertex, goal);
			} else {
				assert_int_equal(g.dst[step.edge], p.step.at[step.next].vertex);
				assert_true(g.first[step.vertex - 1] <= step.edge &&
					    step.edge < g.first[step.vertex]);
			}
			for (uint32_t v = 1; v <= n; v++)
				for (uint64_t e = g.first[v - 1]; e < g.first[v]; e++)
					if (g.dst[e] == step.vertex)
						check(path_add(&p, at, v, e));
		}
		for (uint32_t v = 1; v <= n; v++)
			reached -= far[v] != UINT32_MAX;
		assert_int_equal(reached, 0);
		path_deinit(&p);
		free(far);
		random_graph_deinit(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
