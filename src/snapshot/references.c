/*
 * references: the backward rows, by counting sort.
 *
 * Each processor takes a slice of the destinations and reads all edges: the reads are in order and
 * cheap, the writes go anywhere and are what costs, and no two processors write the same line. What
 * is written is asked for ahead. One processor is left out: whoever wants backward rows has a search
 * along the forward ones to make meanwhile (analysis/graph.c).
 */
#include "snapshot/snapshot.h"

#include "base/huge.h"
#include "base/parallel.h"

#include <assert.h>

/* How many edges ahead a row's place is asked for, and then what is there. */
enum { AHEAD_ROW = 48, AHEAD_PLACE = 24 };

static struct error *references_count(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct edge_table *e = arg;
	(void)slice;
	for (uint64_t k = 0; k < e->n; k++) {
		uint64_t d = e->dst[k] - 1;
		if (e->n - k > AHEAD_PLACE) {
			uint64_t ahead = e->dst[k + AHEAD_PLACE] - 1;
			if (ahead >= first && ahead < end)
				__builtin_prefetch(&e->rfirst[ahead], 1);
		}
		if (d >= first && d < end)
			e->rfirst[d]++;
	}
	return NULL;
}

struct references_fill {
	struct edge_table *edge;
	uint32_t objects;
};

/* On entry rfirst[d] is where d's row begins, on return where it ends. */
static inline void references_ahead(const struct edge_table *e, uint64_t k, uint64_t first,
				    uint64_t end)
{
	if (e->n - k <= AHEAD_ROW)
		return;
	uint64_t d = e->dst[k + AHEAD_ROW] - 1, near = e->dst[k + AHEAD_PLACE] - 1;
	if (d >= first && d < end)
		__builtin_prefetch(&e->rfirst[d], 1);
	/* Not its own yet, perhaps, but at most AHEAD_PLACE before it. */
	if (near >= first && near < end)
		__builtin_prefetch(&e->rsrc[e->rfirst[near]], 1);
}

static struct error *references_fill(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	const struct references_fill *f = arg;
	struct edge_table *e = f->edge;
	(void)slice;
	for (uint32_t src = 0; src < f->objects; src++) {
		for (uint64_t k = e->first[src]; k < e->first[src + 1]; k++) {
			uint64_t d = e->dst[k] - 1;
			references_ahead(e, k, first, end);
			if (d >= first && d < end)
				e->rsrc[e->rfirst[d]++] = src + 1;
		}
	}
	return NULL;
}

struct error *snapshot_seal_references(struct snapshot *s)
{
	struct edge_table *e = &s->edge;
	uint32_t n = s->object.n;
	if (!e->first) {
		e->first = huge_zalloc((uint64_t)n + 1, sizeof(*e->first));
		if (!e->first)
			return &error_nomem;
	}
	assert(e->first[n] == e->n);
	e->rfirst = huge_zalloc((uint64_t)n + 1, sizeof(*e->rfirst));
	e->rsrc = huge_alloc(e->n, sizeof(*e->rsrc));
	if (!e->rfirst || !e->rsrc)
		return &error_nomem;
	unsigned slices = parallel_slices(n, 1 << 16);
	slices -= slices > 1;
	struct error *err = parallel_for(n, slices, references_count, e);
	if (err)
		return err;
	uint64_t sum = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t count = e->rfirst[i];
		e->rfirst[i] = sum;
		sum += count;
	}
	err = parallel_for(n, slices, references_fill,
			   &(struct references_fill){.edge = e, .objects = n});
	if (err)
		return err;
	for (uint32_t i = n; i > 0; i--)
		e->rfirst[i] = e->rfirst[i - 1];
	e->rfirst[0] = 0;
	assert(e->rfirst[n] == e->n);
	return NULL;
}

void snapshot_drop_backward(struct snapshot *s)
{
	free(s->edge.rfirst);
	free(s->edge.rsrc);
	s->edge.rfirst = NULL;
	s->edge.rsrc = NULL;
}
