/* src/graph against slow and obvious ways to the same answers, on random graphs and on odd shapes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "graph/dominator.h"
#include "graph/reach.h"
#include "graph/scc.h"
#include "random_graph.h"

enum { ROUNDS = 400, LONG = 1000000 };

static void bits_make(struct bits *b, uint64_t n)
{
	assert_null(bits_init(b, n));
}

/* ---- reach ---- */

static void test_reach_random(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (int round = 0; round < ROUNDS; round++) {
		struct random_graph g;
		uint32_t n = 1 + (uint32_t)random_below(&seed, 60);
		random_graph_make(&g, n, random_below(&seed, 2 * n + 1), &seed);
		struct bits skip, from, none;
		bits_make(&skip, g.m + 1);
		bits_make(&from, n + 1);
		bits_make(&none, n + 1);
		for (uint64_t e = 0; e < g.m && round % 2; e++)
			if (random_below(&seed, 3) == 0)
				bits_set(&skip, e);
		struct csr csr = random_graph_forward(&g);
		csr.skip = round % 2 ? &skip : NULL;
		struct reach r;
		assert_null(reach_init(&r, &csr, n));
		uint8_t before[64] = {0}, now[64];
		/* Several floods: each finds exactly what its seeds add. */
		for (int flood = 0; flood < 3; flood++) {
			uint32_t v = (uint32_t)random_below(&seed, n) + 1;
			bits_set(&from, v);
			reach_seed(&r, v);
			uint32_t at = reach_run(&r);
			naive_reach(&g, &skip, &from, 0, now);
			uint32_t fresh = 0;
			for (uint32_t w = 1; w <= n; w++) {
				fresh += now[w] && !before[w];
				assert_int_equal(now[w], bits_test(&r.seen, w));
			}
			assert_int_equal(fresh, r.n - at);
			for (uint32_t i = at; i < r.n; i++)
				assert_true(now[r.queue[i]] && !before[r.queue[i]]);
			memcpy(before, now, sizeof(now));
		}
		reach_deinit(&r);
		bits_deinit(&skip);
		bits_deinit(&from);
		bits_deinit(&none);
		random_graph_deinit(&g);
	}
}

static void test_reach_stays_out_of_seen(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 2}, {2, 3}, {1, 4}, {4, 3}};
	struct random_graph g;
	random_graph_build(&g, 4, 4, edge);
	struct csr csr = random_graph_forward(&g);
	struct reach r;
	assert_null(reach_init(&r, &csr, 3));
	bits_set(&r.seen, 2);
	assert_true(reach_seed(&r, 1));
	assert_false(reach_seed(&r, 2));
	assert_int_equal(reach_run(&r), 0);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.queue[0], 1);
	assert_int_equal(r.queue[1], 4);
	assert_int_equal(r.queue[2], 3);
	reach_deinit(&r);
	random_graph_deinit(&g);
}

/* ---- strongly connected components ---- */

static void check_scc(const struct random_graph *g, const struct bits *skip, const struct bits *in,
		      const uint32_t *extra)
{
	uint32_t n = g->n, count;
	struct csr csr = random_graph_forward(g);
	csr.skip = skip;
	uint32_t *comp = calloc(n + 1, sizeof(*comp));
	uint8_t(*leads)[64] = calloc(n + 1, sizeof(*leads));
	assert_null(scc_compute(&csr, in, extra, comp, &count));
	for (uint32_t v = 1; v <= n; v++)
		leads[v][v] = 1;
	for (uint32_t v = 1; v <= n; v++) {
		for (uint64_t e = g->first[v - 1]; e < g->first[v]; e++)
			if (!skip || !bits_test(skip, e))
				leads[v][g->dst[e]] = 1;
		if (extra && extra[v - 1])
			leads[v][extra[v - 1]] = 1;
	}
	for (uint32_t k = 1; k <= n; k++)
		for (uint32_t v = 1; v <= n; v++)
			for (uint32_t w = 1; w <= n; w++)
				if (bits_test(in, k) && leads[v][k] && leads[k][w])
					leads[v][w] = 1;
	uint32_t most = 0;
	for (uint32_t v = 1; v <= n; v++) {
		if (!bits_test(in, v)) {
			assert_int_equal(comp[v - 1], 0);
			continue;
		}
		assert_in_range(comp[v - 1], 1, count);
		most = comp[v - 1] > most ? comp[v - 1] : most;
		for (uint32_t w = 1; w <= n; w++) {
			if (!bits_test(in, w))
				continue;
			assert_int_equal(comp[v - 1] == comp[w - 1], leads[v][w] && leads[w][v]);
			/* Numbered in the order of completion: successors first. */
			if (leads[v][w])
				assert_true(comp[v - 1] >= comp[w - 1]);
		}
	}
	assert_int_equal(most, count);
	free(comp);
	free(leads);
}

static void test_scc_random(void **state)
{
	(void)state;
	uint64_t seed = 2;
	for (int round = 0; round < ROUNDS; round++) {
		struct random_graph g;
		uint32_t n = (uint32_t)random_below(&seed, 40), extra[64] = {0};
		random_graph_make(&g, n, random_below(&seed, 3 * n + 1), &seed);
		struct bits skip, in;
		bits_make(&skip, g.m + 1);
		bits_make(&in, n + 1);
		for (uint64_t e = 0; e < g.m; e++)
			if (random_below(&seed, 4) == 0)
				bits_set(&skip, e);
		for (uint32_t v = 1; v <= n; v++) {
			if (round % 3 == 0 || random_below(&seed, 5))
				bits_set(&in, v);
			if (random_below(&seed, 4) == 0)
				extra[v - 1] = (uint32_t)random_below(&seed, n + 1);
		}
		check_scc(&g, round % 2 ? &skip : NULL, &in, round % 5 == 0 ? extra : NULL);
		bits_deinit(&skip);
		bits_deinit(&in);
		random_graph_deinit(&g);
	}
}

/* ---- dominators ---- */

static void dominators(const struct random_graph *g, const struct bits *skip,
		       const struct bits *rskip, const struct bits *seed, const uint64_t *weight,
		       uint32_t *idom, uint64_t *sum)
{
	struct csr forward = random_graph_forward(g), backward = random_graph_backward(g);
	forward.skip = skip;
	backward.skip = rskip;
	struct dominator *d;
	assert_null(dominator_create(&forward, idom, sum, &d));
	/* Half of the seeds first: how they are split must not matter. */
	struct bits half;
	bits_make(&half, (uint64_t)g->n + 1);
	for (uint32_t v = 2; v <= g->n; v += 2)
		if (bits_test(seed, v))
			bits_set(&half, v);
	dominator_search(d, &half);
	dominator_search(d, seed);
	/* They are used up; the graph is the caller's. */
	uint64_t edges = g->n ? g->rfirst[g->n] : 0;
	uint32_t *source = malloc((edges + 1) * sizeof(*source));
	memcpy(source, g->rsrc, edges * sizeof(*source));
	backward.dst = source;
	assert_null(dominator_tree(d, &backward, source));
	free(source);
	assert_null(dominator_sum(d, weight));
	dominator_destroy(d);
	bits_deinit(&half);
}

/* By removal: d dominates v when v cannot be reached without d. */
static void check_dominators(const struct random_graph *g, const struct bits *skip,
			     const struct bits *rskip, const struct bits *seed,
			     const uint64_t *weight)
{
	uint32_t n = g->n;
	uint32_t *idom = calloc(n + 1, sizeof(*idom)), *depth = calloc(n + 1, sizeof(*depth));
	uint64_t *sum = calloc(n + 1, sizeof(*sum));
	uint8_t *all = calloc(n + 1, 1);
	uint8_t(*dom)[128] = calloc(n + 1, sizeof(*dom)); /* dom[d][v] */
	uint8_t without[128];
	assert_true(n < 128);
	dominators(g, skip, rskip, seed, weight, idom, sum);
	naive_reach(g, skip, seed, 0, all);
	for (uint32_t d = 1; d <= n; d++) {
		naive_reach(g, skip, seed, d, without);
		uint64_t bytes = 0;
		for (uint32_t v = 1; v <= n; v++) {
			dom[d][v] = all[v] && !without[v];
			depth[v] += dom[d][v];
			bytes += dom[d][v] ? weight[v - 1] : 0;
		}
		assert_int_equal(sum[d - 1], all[d] ? bytes : weight[d - 1]);
	}
	for (uint32_t v = 1; v <= n; v++) {
		uint32_t want = 0;
		for (uint32_t d = 1; d <= n; d++)
			if (d != v && dom[d][v] && depth[d] + 1 == depth[v])
				want = d;
		assert_int_equal(idom[v - 1], want);
	}
	free(idom);
	free(depth);
	free(sum);
	free(all);
	free(dom);
}

static void test_dominator_random(void **state)
{
	(void)state;
	uint64_t seed = 3;
	for (int round = 0; round < ROUNDS; round++) {
		struct random_graph g;
		uint32_t n = 1 + (uint32_t)random_below(&seed, 100);
		random_graph_make(&g, n, random_below(&seed, 3 * n + 1), &seed);
		struct bits from, skip, rskip;
		uint64_t weight[128];
		bits_make(&from, n + 1);
		bits_make(&skip, g.m + 1);
		bits_make(&rskip, g.m + 1);
		uint64_t roots = random_below(&seed, 5);
		for (uint64_t i = 0; i < roots; i++)
			bits_set(&from, random_below(&seed, n) + 1);
		for (uint32_t v = 1; v <= n; v++)
			weight[v - 1] = random_below(&seed, 1000);
		/* Leaves out all edges between some pairs, so that both numberings agree. */
		for (uint32_t v = 1; v <= n && round % 2; v++) {
			for (uint64_t e = g.first[v - 1]; e < g.first[v]; e++)
				if ((v * 7 + g.dst[e] * 13) % 5 == 0)
					bits_set(&skip, e);
			for (uint64_t e = g.rfirst[v - 1]; e < g.rfirst[v]; e++)
				if ((g.rsrc[e] * 7 + v * 13) % 5 == 0)
					bits_set(&rskip, e);
		}
		check_dominators(&g, round % 2 ? &skip : NULL, round % 2 ? &rskip : NULL, &from,
				 weight);
		bits_deinit(&from);
		bits_deinit(&skip);
		bits_deinit(&rskip);
		random_graph_deinit(&g);
	}
}

/* Rows longer than a cell holds, and the same vertex many times in one. */
static void test_dominator_complete(void **state)
{
	(void)state;
	enum { N = 40 };
	static uint32_t edge[N * N * 2][2];
	uint64_t m = 0;
	for (uint32_t v = 1; v <= N; v++)
		for (uint32_t w = 1; w <= N; w++)
			for (int twice = 0; twice < 2; twice++, m++)
				edge[m][0] = v, edge[m][1] = w;
	struct random_graph g;
	random_graph_build(&g, N, m, (const uint32_t(*)[2])edge);
	uint64_t weight[N];
	for (uint32_t v = 0; v < N; v++)
		weight[v] = v;
	struct bits from;
	bits_make(&from, N + 1);
	check_dominators(&g, NULL, NULL, &from, weight);
	bits_set(&from, 7);
	check_dominators(&g, NULL, NULL, &from, weight);
	struct bits in;
	bits_make(&in, N + 1);
	for (uint32_t v = 1; v <= N; v++)
		bits_set(&in, v);
	check_scc(&g, NULL, &in, NULL);
	bits_deinit(&in);
	bits_deinit(&from);
	random_graph_deinit(&g);
}

/* ---- shapes that would break recursion, or make a careless algorithm quadratic ---- */

struct shape_result {
	struct random_graph g;
	uint32_t *idom, *comp, components;
	uint64_t *sum;
};

static void shape_run(struct shape_result *r, uint32_t n, uint64_t m, const uint32_t (*edge)[2],
		      const uint32_t *seed, uint32_t nseed)
{
	random_graph_build(&r->g, n, m, edge);
	struct bits from;
	bits_make(&from, (uint64_t)n + 1);
	for (uint32_t i = 0; i < nseed; i++)
		bits_set(&from, seed[i]);
	uint64_t *weight = calloc((size_t)n + 1, sizeof(*weight));
	for (uint32_t v = 0; v < n; v++)
		weight[v] = 1;
	r->idom = calloc((size_t)n + 1, sizeof(*r->idom));
	r->comp = calloc((size_t)n + 1, sizeof(*r->comp));
	r->sum = calloc((size_t)n + 1, sizeof(*r->sum));
	dominators(&r->g, NULL, NULL, &from, weight, r->idom, r->sum);
	struct csr csr = random_graph_forward(&r->g);
	assert_null(scc_compute(&csr, NULL, NULL, r->comp, &r->components));
	bits_deinit(&from);
	free(weight);
}

static void shape_end(struct shape_result *r)
{
	random_graph_deinit(&r->g);
	free(r->idom);
	free(r->comp);
	free(r->sum);
}

static void test_empty(void **state)
{
	(void)state;
	struct shape_result r;
	shape_run(&r, 0, 0, NULL, NULL, 0);
	assert_int_equal(r.components, 0);
	shape_end(&r);
}

static void test_no_roots(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 2}, {2, 3}};
	struct shape_result r;
	shape_run(&r, 3, 2, edge, NULL, 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r.idom[i], 0);
		assert_int_equal(r.sum[i], 1);
	}
	shape_end(&r);
}

static void test_self_loop(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 1}, {1, 2}, {2, 2}, {2, 1}};
	struct shape_result r;
	shape_run(&r, 2, 4, edge, (const uint32_t[]){1}, 1);
	assert_int_equal(r.idom[0], 0);
	assert_int_equal(r.idom[1], 1);
	assert_int_equal(r.sum[0], 2);
	assert_int_equal(r.components, 1);
	shape_end(&r);
}

/* 1 -> 2 -> ... -> n, and back to 1 if `ring`. */
static void check_line(bool ring)
{
	uint32_t(*edge)[2] = calloc(LONG, sizeof(*edge));
	for (uint32_t v = 1; v <= LONG; v++) {
		edge[v - 1][0] = v;
		edge[v - 1][1] = v == LONG ? 1 : v + 1;
	}
	struct shape_result r;
	shape_run(&r, LONG, ring ? LONG : LONG - 1, (const uint32_t(*)[2])edge,
		  (const uint32_t[]){1}, 1);
	for (uint32_t v = 1; v <= LONG; v++) {
		assert_true(r.idom[v - 1] == v - 1);
		assert_true(r.sum[v - 1] == LONG - v + 1);
	}
	assert_int_equal(r.components, ring ? 1 : LONG);
	shape_end(&r);
	free(edge);
}

static void test_chain(void **state)
{
	(void)state;
	check_line(false);
}

static void test_ring(void **state)
{
	(void)state;
	check_line(true);
}

static void test_star(void **state)
{
	(void)state;
	uint32_t(*edge)[2] = calloc(LONG, sizeof(*edge));
	for (uint32_t v = 2; v <= LONG; v++) {
		edge[v - 2][0] = 1;
		edge[v - 2][1] = v;
	}
	struct shape_result r;
	shape_run(&r, LONG, LONG - 1, (const uint32_t(*)[2])edge, (const uint32_t[]){1}, 1);
	for (uint32_t v = 2; v <= LONG; v++)
		assert_true(r.idom[v - 1] == 1 && r.sum[v - 1] == 1);
	assert_true(r.sum[0] == LONG);
	shape_end(&r);
	free(edge);
}

static void test_tree(void **state)
{
	(void)state;
	uint32_t(*edge)[2] = calloc(LONG, sizeof(*edge));
	for (uint32_t v = 2; v <= LONG; v++) {
		edge[v - 2][0] = v / 2;
		edge[v - 2][1] = v;
	}
	struct shape_result r;
	shape_run(&r, LONG, LONG - 1, (const uint32_t(*)[2])edge, (const uint32_t[]){1}, 1);
	uint64_t sum = 0;
	for (uint32_t v = 1; v <= LONG; v++) {
		assert_true(r.idom[v - 1] == v / 2);
		sum += r.idom[v - 1] ? 0 : r.sum[v - 1];
	}
	assert_true(sum == LONG);
	shape_end(&r);
	free(edge);
}

/*
 * A list whose last node leads to many vertices that are seeds, too, or that the first node leads
 * to: climbing from parent to semidominator one by one takes length * width steps, 2.5e11 here.
 */
static void test_list_and_table(void **state)
{
	(void)state;
	enum { HALF = LONG / 2 };
	uint32_t(*edge)[2] = calloc(2 * LONG, sizeof(*edge));
	for (int order = 0; order < 2; order++) {
		uint64_t m = 0;
		for (uint32_t v = 1; v < HALF; v++, m++)
			edge[m][0] = v, edge[m][1] = v + 1;
		for (uint32_t v = HALF + 1; v <= LONG; v++) {
			edge[m][0] = order ? HALF : 1, edge[m][1] = v, m++;
			edge[m][0] = order ? 1 : HALF, edge[m][1] = v, m++;
		}
		struct shape_result r;
		shape_run(&r, LONG, m, (const uint32_t(*)[2])edge, (const uint32_t[]){1}, 1);
		for (uint32_t v = HALF + 1; v <= LONG; v++)
			assert_true(r.idom[v - 1] == 1);
		shape_end(&r);
	}
	free(edge);
}

/* Every vertex leads to the next and back to the one before: long paths for the compression. */
static void test_ladder(void **state)
{
	(void)state;
	uint32_t(*edge)[2] = calloc(2 * LONG, sizeof(*edge));
	uint64_t m = 0;
	for (uint32_t v = 1; v < LONG; v++) {
		edge[m][0] = v, edge[m][1] = v + 1, m++;
		edge[m][0] = v + 1, edge[m][1] = v, m++;
	}
	struct shape_result r;
	shape_run(&r, LONG, m, (const uint32_t(*)[2])edge, (const uint32_t[]){1, LONG}, 2);
	assert_int_equal(r.components, 1);
	for (uint32_t v = 1; v <= LONG; v++)
		assert_true(r.idom[v - 1] == 0);
	shape_end(&r);
	free(edge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reach_random),
		cmocka_unit_test(test_reach_stays_out_of_seen),
		cmocka_unit_test(test_scc_random),
		cmocka_unit_test(test_dominator_random),
		cmocka_unit_test(test_dominator_complete),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_no_roots),
		cmocka_unit_test(test_self_loop),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_star),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_list_and_table),
		cmocka_unit_test(test_ladder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
