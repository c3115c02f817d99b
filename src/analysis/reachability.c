/*
 * reachability: two floods, which do not need each other and run side by side.
 *
 * The sure one starts at the objects that a root's START word points to and follows START words.
 * The graded one follows every word, from the roots of grade 1 first, then from those of grade 2,
 * ...: what a flood takes has that grade. 8 bytes and a bit or three per object, a bit per
 * reference.
 */
#include "analysis/analysis.h"

#include "analysis/edges_impl.h"
#include "base/cleanup.h"
#include "base/parallel.h"
#include "graph/reach.h"

#include <inttypes.h>
#include <stdlib.h>

struct reachability {
	struct snapshot *s;
	struct reach sure;
};

static struct error *reachability_sure(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct reachability *r = arg;
	const struct snapshot *s = r->s;
	(void)slice, (void)first, (void)end;
	_cleanup_(bits_deinit) struct bits skip = {0};
	struct error *err = edges_not_start(s, &skip);
	if (err)
		return err;
	struct csr graph = edges_forward(s);
	graph.skip = edges_skip(&skip);
	err = reach_init(&r->sure, &graph, graph.n);
	if (err)
		return err;
	for (uint64_t i = 0; i < s->root.n; i++)
		if (s->root.at[i].how == EDGE_START)
			reach_seed(&r->sure, s->root.at[i].object_id);
	reach_run(&r->sure);
	r->sure.graph = NULL;
	return NULL;
}

static struct error *reachability_graded(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct reachability *r = arg;
	struct snapshot *s = r->s;
	(void)slice, (void)first, (void)end;
	_cleanup_(bits_deinit) struct bits weak = {0};
	struct error *err = edges_weak(s, &weak);
	if (err)
		return err;
	struct csr graph = edges_forward(s);
	graph.skip = edges_skip(&weak);
	_cleanup_(reach_deinit) struct reach flood = {0};
	err = reach_init(&flood, &graph, graph.n);
	if (err)
		return err;
	for (uint8_t grade = ROOT_NONE + 1; grade < ROOT_GRADES; grade++) {
		for (uint64_t i = 0; i < s->root.n; i++)
			if (s->root.at[i].grade == grade)
				reach_seed(&flood, s->root.at[i].object_id);
		for (uint32_t i = reach_run(&flood); i < flood.n; i++)
			s->object.grade[flood.queue[i] - 1] = grade;
	}
	return NULL;
}

struct error *analysis_reachability(struct snapshot *s, struct log *log)
{
	uint32_t n = s->object.n;
	free(s->object.reachable);
	free(s->object.grade);
	s->object.reachable = calloc((size_t)n + 1, 1);
	s->object.grade = calloc((size_t)n + 1, 1);
	if (!s->object.reachable || !s->object.grade)
		return &error_nomem;
	struct reachability r = {.s = s};
	const parallel_fn job[] = {reachability_graded, reachability_sure};
	void *const arg[] = {&r, &r};
	struct error *err = parallel_jobs(2, job, arg);
	uint64_t count[3] = {0};
	for (uint32_t i = 0; !err && i < n; i++) {
		uint8_t sure = bits_test(&r.sure.seen, i + 1);
		s->object.reachable[i] = sure ? 1 : s->object.grade[i] ? 2 : 0;
		count[s->object.reachable[i]]++;
	}
	reach_deinit(&r.sure);
	if (err)
		return err;
	log_debug(log,
		  "reachability: %" PRIu64 " objects reachable, %" PRIu64
		  " only by words that do not point to a start, %" PRIu64 " not at all",
		  count[1], count[2], count[0]);
	return NULL;
}
