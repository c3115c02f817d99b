/* random_graph: graphs from a seed, for tests. Vertices are 1 to n. */
#pragma once

#include "base/bits.h"
#include "graph/csr.h"
#include "random.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct random_graph {
	uint32_t n;
	uint64_t m;
	uint64_t *first, *rfirst;
	uint32_t *dst, *rsrc;
};

static inline void random_graph_deinit(struct random_graph *g)
{
	free(g->first);
	free(g->rfirst);
	free(g->dst);
	free(g->rsrc);
	*g = (struct random_graph){0};
}

/* From pairs (src, dst), in any order; rows keep the order of the pairs. */
static inline void random_graph_build(struct random_graph *g, uint32_t n, uint64_t m,
				      const uint32_t (*edge)[2])
{
	g->n = n;
	g->m = m;
	g->first = calloc((size_t)n + 2, sizeof(*g->first));
	g->rfirst = calloc((size_t)n + 2, sizeof(*g->rfirst));
	g->dst = calloc(m + 1, sizeof(*g->dst));
	g->rsrc = calloc(m + 1, sizeof(*g->rsrc));
	for (uint64_t e = 0; e < m; e++)
		g->first[edge[e][0] + 1]++;
	for (uint32_t v = 1; v <= n + 1; v++)
		g->first[v] += g->first[v - 1];
	for (uint64_t e = 0; e < m; e++)
		g->dst[g->first[edge[e][0]]++] = edge[e][1];
	/* first[v] is now where v's row ends: as it should be, first[v - 1] being where it starts.
	 */
	for (uint64_t e = 0; e < m; e++)
		g->rfirst[g->dst[e] + 1]++;
	for (uint32_t v = 1; v <= n + 1; v++)
		g->rfirst[v] += g->rfirst[v - 1];
	for (uint32_t v = 1; v <= n; v++)
		for (uint64_t e = g->first[v - 1]; e < g->first[v]; e++)
			g->rsrc[g->rfirst[g->dst[e]]++] = v;
}

/* n vertices and m edges, anywhere; self-loops and parallel edges as they come. */
static inline void random_graph_make(struct random_graph *g, uint32_t n, uint64_t m, uint64_t *seed)
{
	uint32_t(*edge)[2] = calloc(m + 1, sizeof(*edge));
	for (uint64_t e = 0; e < m && n; e++) {
		edge[e][0] = (uint32_t)random_below(seed, n) + 1;
		edge[e][1] = (uint32_t)random_below(seed, n) + 1;
	}
	random_graph_build(g, n, n ? m : 0, (const uint32_t(*)[2])edge);
	free(edge);
}

static inline struct csr random_graph_forward(const struct random_graph *g)
{
	return (struct csr){.n = g->n, .first = g->first, .dst = g->dst};
}

static inline struct csr random_graph_backward(const struct random_graph *g)
{
	return (struct csr){.n = g->n, .first = g->rfirst, .dst = g->rsrc};
}

/*
 * What `from` leads to, itself included, not through `without` (0: through any): the slow way, a
 * fixed point over all edges. `skip` as in struct csr. out[v] for v from 1 to n.
 */
static inline void naive_reach(const struct random_graph *g, const struct bits *skip,
			       const struct bits *from, uint32_t without, uint8_t *out)
{
	for (uint32_t v = 0; v <= g->n; v++)
		out[v] = v && bits_test(from, v) && v != without;
	for (int again = 1; again;) {
		again = 0;
		for (uint32_t v = 1; v <= g->n; v++)
			for (uint64_t e = g->first[v - 1]; out[v] && e < g->first[v]; e++) {
				uint32_t w = g->dst[e];
				if (w == without || out[w] || (skip && bits_test(skip, e)))
					continue;
				out[w] = 1;
				again = 1;
			}
	}
}
