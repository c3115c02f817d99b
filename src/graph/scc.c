/*
 * Pearce's rindex, one number a vertex:
 *	0			not visited yet
 *	low numbers, growing	visited, component unknown: the lowest index that it leads back to
 *	high numbers, falling	the component
 * The two never meet, as each completed vertex gives its low number back. Two stacks share one
 * array, from both ends: vertices on the current path, and vertices left behind whose component is
 * open.
 */
#include "graph/scc.h"

#include "base/cleanup.h"

#include <string.h>

enum { AHEAD = 4 };

#define CURSOR_NOT_ROOT (UINT64_C(1) << 63)

struct scc {
	const struct csr *graph;
	const struct bits *in;
	const uint32_t *extra;
	uint32_t *rindex;
	uint32_t *stack;  /* path: [0, path); open: [open, n) */
	uint64_t *cursor; /* next edge of each vertex on the path, and CURSOR_NOT_ROOT */
	uint32_t path, open;
	uint32_t index, comp;
};

static void scc_enter(struct scc *s, uint32_t v)
{
	const struct csr *g = s->graph;
	uint64_t e = g->first[v - 1], end = g->first[v];
	s->stack[s->path] = v;
	s->cursor[s->path++] = e;
	s->rindex[v - 1] = s->index++;
	/* What scc_step looks at next, and what the next scc_enter will. */
	for (uint32_t k = 0; e + k < end && k < AHEAD; k++) {
		__builtin_prefetch(&s->rindex[g->dst[e + k] - 1]);
		csr_prefetch_row(g, g->dst[e + k]);
	}
}

/* The next vertex to enter from the top of the path, or 0 when that has no more edges. */
static uint32_t scc_step(struct scc *s)
{
	const struct csr *g = s->graph;
	uint32_t v = s->stack[s->path - 1];
	uint64_t *cursor = &s->cursor[s->path - 1];
	uint64_t e = *cursor & ~CURSOR_NOT_ROOT, not_root = *cursor & CURSOR_NOT_ROOT;
	uint64_t end = g->first[v];
	uint32_t low = s->rindex[v - 1], found = 0;
	for (; e <= end; e++) {
		uint32_t w;
		if (e == end)
			w = s->extra ? s->extra[v - 1] : 0;
		else
			w = csr_counts(g, e) ? g->dst[e] : 0;
		if (!w || (s->in && !bits_test(s->in, w)))
			continue;
		uint32_t r = s->rindex[w - 1];
		if (!r) {
			/* Looked at once more, when w is left. */
			found = w;
			break;
		}
		if (r < low) {
			low = r;
			not_root = CURSOR_NOT_ROOT;
		}
	}
	s->rindex[v - 1] = low;
	*cursor = e | not_root;
	return found;
}

static void scc_leave(struct scc *s)
{
	uint32_t v = s->stack[--s->path];
	if (s->cursor[s->path] & CURSOR_NOT_ROOT) {
		s->stack[--s->open] = v;
		return;
	}
	s->index--;
	while (s->open < s->graph->n && s->rindex[s->stack[s->open] - 1] >= s->rindex[v - 1]) {
		s->rindex[s->stack[s->open++] - 1] = s->comp;
		s->index--;
	}
	s->rindex[v - 1] = s->comp--;
}

struct error *scc_compute(const struct csr *graph, const struct bits *in, const uint32_t *extra,
			  uint32_t *comp, uint32_t *ret)
{
	uint32_t n = graph->n;
	if (n > CSR_VERTICES_MAX)
		return error_new(ERROR_INPUT, "more than %u objects", CSR_VERTICES_MAX);
	_cleanup_free_ uint32_t *stack = csr_alloc(n, sizeof(*stack));
	_cleanup_free_ uint64_t *cursor = csr_alloc(n, sizeof(*cursor));
	if (!stack || !cursor)
		return &error_nomem;
	memset(comp, 0, n * sizeof(*comp));
	struct scc s = {
		.graph = graph,
		.in = in,
		.extra = extra,
		.rindex = comp,
		.stack = stack,
		.cursor = cursor,
		.open = n,
		.index = 1,
		.comp = UINT32_MAX,
	};
	for (uint32_t v = 1; v <= n; v++) {
		if (comp[v - 1] || (in && !bits_test(in, v)))
			continue;
		scc_enter(&s, v);
		while (s.path) {
			uint32_t w = scc_step(&s);
			if (w)
				scc_enter(&s, w);
			else
				scc_leave(&s);
		}
	}
	for (uint32_t i = 0; i < n; i++)
		if (comp[i])
			comp[i] = UINT32_MAX - comp[i] + 1;
	*ret = UINT32_MAX - s.comp;
	return NULL;
}
