/*
 * reach: what can be reached from a set of vertices, breadth first.
 *
 * One struct may flood several times, each time from new seeds: a vertex is taken once, by the
 * first flood that comes to it. All that was taken stands in `queue`, in the order of taking, so
 * that the slice that a flood added is what it found:
 *
 *	reach_init(&r, &graph, n);
 *	reach_seed(&r, v);
 *	uint32_t from = reach_run(&r);		queue[from .. r.n) is what v leads to, v first
 *	reach_seed(&r, w);
 *	from = reach_run(&r);			and what w leads to, and v did not
 *
 * To keep floods out of some vertices, set their bits in `seen` beforehand.
 *
 * Cost: O(vertices + edges) over all floods; 4 bytes per vertex that can be taken, and 1 bit per
 * vertex of the graph.
 */
#pragma once

#include "base/error.h"
#include "graph/csr.h"

struct reach {
	const struct csr *graph; /* not owned */
	struct bits seen;	 /* by vertex id; bit 0 is unused */
	uint32_t *queue;
	uint32_t n;    /* taken so far */
	uint32_t done; /* of these, how many have had their edges followed */
};

/* `room`: how many vertices will be taken at most (those not yet in `seen`). */
struct error *reach_init(struct reach *r, const struct csr *graph, uint32_t room) _must_check_;
void reach_deinit(struct reach *r);

/* Adds a starting point, unless it was taken already; answers whether it was added. */
static inline bool reach_seed(struct reach *r, uint32_t v)
{
	if (bits_test_set(&r->seen, v))
		return false;
	r->queue[r->n++] = v;
	return true;
}

/* Follows the edges of all seeds since the last run. Returns where their slice of `queue` starts.
 */
uint32_t reach_run(struct reach *r);
