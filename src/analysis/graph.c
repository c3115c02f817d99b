/*
 * graph: the analyses of the reference graph, in an order that keeps two processors busy. Most of
 * their time they wait for memory, so what does not need each other runs side by side:
 *
 *	1  depth first search from the roots   |  the references turned around
 *	2  the heads of what is unreachable; the search goes on from there
 *	3  dominators and retained sizes       |  what START words reach, and on which paths; clusters
 *
 * The search takes the roots by grade: those of grade 1 first, then those of grade 2, ... What it
 * takes while it is at a grade has that grade, so no other flood is needed for it.
 *
 * Memory per object at the peak, beside the columns: 21 bytes in step 1 (and sum and idom, not
 * results yet, in use); 4 to 8 in step 3, and there 4 at most for the flood, or what clusters.c says. The
 * references turned around are used up by the dominators: they are gone afterwards.
 */
#include "analysis/analysis.h"

#include "analysis/clusters_impl.h"
#include "analysis/edges_impl.h"
#include "analysis/retention_impl.h"
#include "base/cleanup.h"
#include "base/parallel.h"
#include "graph/dominator.h"
#include "graph/reach.h"

#include <inttypes.h>
#include <stdlib.h>

struct graph {
	struct snapshot *s;
	struct csr forward, backward;
	struct bits weak, weak_backward; /* edges that keep nothing alive */
	struct bits heads;
	struct dominator *dominator;
};

static void graph_deinit(struct graph *g)
{
	bits_deinit(&g->weak);
	bits_deinit(&g->weak_backward);
	bits_deinit(&g->heads);
	dominator_destroy(g->dominator);
}

/* ---- step 1 ---- */

static struct error *graph_columns(struct snapshot *s)
{
	struct object_table *o = &s->object;
	free(o->reachable);
	free(o->grade);
	free(o->dominator);
	free(o->retained);
	o->reachable = csr_zalloc((uint64_t)o->n + 1, 1);
	o->grade = csr_zalloc((uint64_t)o->n + 1, 1);
	o->dominator = csr_alloc(o->n, sizeof(*o->dominator));
	o->retained = csr_alloc(o->n, sizeof(*o->retained));
	if (!o->reachable || !o->grade || !o->dominator || !o->retained)
		return &error_nomem;
	return NULL;
}

static bool graph_root_holds(const struct snapshot *s, const struct root_row *r)
{
	return r->kind != REFERENCE_WEAK && !edges_is_dead(s, r->object_id);
}

static struct error *graph_search(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct graph *g = arg;
	struct snapshot *s = g->s;
	(void)slice, (void)first, (void)end;
	uint32_t from = 0;
	const uint32_t *order = dominator_order(g->dominator);
	for (unsigned grade = ROOT_NONE + 1; grade < ROOT_GRADES; grade++) {
		_cleanup_(bits_deinit) struct bits seed = {0};
		struct error *err = bits_init(&seed, (uint64_t)s->object.n + 1);
		if (err)
			return err;
		for (uint64_t i = 0; i < s->root.n; i++)
			if (s->root.at[i].grade == grade && graph_root_holds(s, &s->root.at[i]))
				bits_set(&seed, s->root.at[i].object_id);
		uint32_t to = dominator_search(g->dominator, &seed);
		for (; from < to; from++)
			s->object.grade[order[from] - 1] = (uint8_t)grade;
	}
	return NULL;
}

static struct error *graph_reverse(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct graph *g = arg;
	struct snapshot *s = g->s;
	(void)slice, (void)first, (void)end;
	struct error *err = s->edge.rfirst ? NULL : snapshot_seal_references(s);
	if (!err)
		err = edges_weak_backward(s, &g->weak, &g->weak_backward);
	g->backward = edges_backward(s);
	g->backward.skip = edges_skip(&g->weak_backward);
	return err;
}

/* ---- step 3 ---- */

static struct error *graph_dominators(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct graph *g = arg;
	(void)slice, (void)first, (void)end;
	struct error *err = dominator_tree(g->dominator, &g->backward, g->s->edge.rsrc);
	snapshot_drop_backward(g->s);
	return err ? err : dominator_sum(g->dominator, g->s->object.size);
}

static struct error *graph_clusters(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct graph *g = arg;
	(void)slice, (void)first, (void)end;
	struct error *err = retention_find(g->s, RETENTION_ROWS);
	return err ? err : clusters_find(g->s, &g->forward, &g->heads);
}

/* ---- all of it ---- */

static void graph_log(const struct snapshot *s, struct log *log)
{
	uint64_t count[3] = {0}, leaks = 0;
	for (uint32_t i = 0; i < s->object.n; i++)
		count[s->object.reachable[i]]++;
	while (leaks < s->cluster.n && s->cluster.at[leaks].kind == CLUSTER_LEAK)
		leaks++;
	log_debug(log,
		  "graph: %" PRIu64 " objects reachable, %" PRIu64
		  " only by words that do not point to a start, %" PRIu64 " not at all; %" PRIu64
		  " leak clusters, %" PRIu64 " cycles",
		  count[1], count[2], count[0], leaks, s->cluster.n - leaks);
}

struct error *analysis_graph(struct snapshot *s, struct log *log)
{
	_cleanup_(graph_deinit) struct graph g = {.s = s};
	void *const arg[] = {&g, &g};
	struct error *err = graph_columns(s);
	if (!err)
		err = edges_weak(s, &g.weak);
	if (err)
		return err;
	g.forward = edges_forward(s);
	g.forward.skip = edges_skip(&g.weak);
	err = dominator_create(&g.forward, s->object.dominator, s->object.retained, &g.dominator);
	if (!err)
		err = parallel_jobs(2, (const parallel_fn[]){graph_search, graph_reverse}, arg);
	if (err)
		return err;
	for (uint32_t i = 0; i < s->object.n; i++)
		s->object.reachable[i] = s->object.grade[i] ? 2 : 0;
	err = leak_heads(s, &g.forward, &g.backward, &g.heads);
	if (err)
		return err;
	dominator_search(g.dominator, &g.heads);
	err = parallel_jobs(2, (const parallel_fn[]){graph_dominators, graph_clusters}, arg);
	if (err)
		return err;
	graph_log(s, log);
	return NULL;
}
