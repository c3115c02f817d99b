/*
 * scc: strongly connected components, by Pearce's algorithm ("A space-efficient algorithm for
 * finding strongly connected components", 2016), without recursion.
 *
 * Two vertices are in one component when each leads to the other; a vertex on no cycle is one of
 * its own. Components are numbered from 1 in the order in which they are completed: a component's
 * successors have lower numbers than it has.
 *
 * Cost: O(vertices + edges); 16 bytes per vertex of the graph: 4 of these are the result.
 */
#pragma once

#include "base/error.h"
#include "graph/csr.h"

/*
 * Of the subgraph of the vertices in `in` (bits by vertex id; NULL: all). `extra` (NULL: none)
 * gives each vertex v one more edge, to extra[v - 1] (0: none). comp[v - 1] gets the component of
 * v, 0 if v is not in the subgraph; *ret their count.
 */
struct error *scc_compute(const struct csr *graph, const struct bits *in, const uint32_t *extra,
			  uint32_t *comp, uint32_t *ret) _must_check_;
