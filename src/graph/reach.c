#include "graph/reach.h"

#include <stdlib.h>

/* How many vertices ahead in the queue their rows and then their edges are asked for. */
enum { AHEAD_ROW = 24, AHEAD_EDGES = 12 };

struct error *reach_init(struct reach *r, const struct csr *graph, uint32_t room)
{
	*r = (struct reach){.graph = graph};
	struct error *err = bits_init(&r->seen, (uint64_t)graph->n + 1);
	if (err)
		return err;
	r->queue = csr_alloc(room, sizeof(*r->queue));
	if (!r->queue) {
		bits_deinit(&r->seen);
		return &error_nomem;
	}
	return NULL;
}

void reach_deinit(struct reach *r)
{
	bits_deinit(&r->seen);
	free(r->queue);
	*r = (struct reach){0};
}

uint32_t reach_run(struct reach *r)
{
	const struct csr *g = r->graph;
	uint32_t *queue = r->queue;
	uint32_t from = r->done, n = r->n;
	for (uint32_t i = from; i < n; i++) {
		if (n - i > AHEAD_ROW)
			csr_prefetch_row(g, queue[i + AHEAD_ROW]);
		if (n - i > AHEAD_EDGES)
			csr_prefetch_edges(g, queue[i + AHEAD_EDGES]);
		uint32_t v = queue[i];
		for (uint64_t e = g->first[v - 1]; e < g->first[v]; e++) {
			uint32_t w = g->dst[e];
			if (csr_counts(g, e) && !bits_test_set(&r->seen, w))
				queue[n++] = w;
		}
	}
	r->n = r->done = n;
	return from;
}
