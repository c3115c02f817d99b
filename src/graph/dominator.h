/*
 * dominator: who keeps whom alive, and how much would go with each.
 *
 * Vertex d dominates v when every way from the virtual root to v leads through d; v's immediate
 * dominator is the nearest such d but v itself. The immediate dominators make a tree; the weights
 * in v's subtree are what would be gone without v: its retained bytes.
 *
 * Semi-NCA (Georgiadis, "Linear-time algorithms for dominators and related problems", 2005, ch. 2):
 * a depth first tree, semidominators with path compression, then for each vertex the nearest common
 * ancestor of its parent and its semidominator. The textbook's last step climbs one ancestor at a
 * time, which is quadratic on a long list whose last node leads to many vertices that the root
 * leads to as well; here it climbs by jump pointers (Myers, "An applicative random-access stack",
 * 1983), log(n) steps at most. No recursion; path compression reverses the path in place.
 *
 * Cost: O((vertices + edges) log(vertices)), nearly linear in practice. 21 bytes per vertex at the
 * peak, beside the two results, which serve as working memory until then. Some steps use all
 * processors; the result does not depend on how many.
 */
#pragma once

#include "base/error.h"
#include "graph/csr.h"

/*
 * `backward` has the edges of `forward` turned around (its own `skip`, by its own numbering, if
 * any). The virtual root has an edge to each vertex in `seed` (bits by vertex id).
 *
 * idom[v - 1] gets the immediate dominator of v, 0 when that is the virtual root or v cannot be
 * reached; sum[v - 1] the weight of v and all that it dominates (weight[v - 1], if v cannot be
 * reached). Sums wrap around at 2^64.
 */
struct error *dominator_compute(const struct csr *forward, const struct csr *backward,
				const struct bits *seed, const uint64_t *weight, uint32_t *idom,
				uint64_t *sum) _must_check_;
