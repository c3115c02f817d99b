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
 *	dominator_create(&forward, idom, sum, &d);
 *	dominator_search(d, &seed);		once or more
 *	dominator_tree(d, &backward, source);
 *	dominator_sum(d, weight);
 *	dominator_destroy(d);
 *
 * Cost: O((vertices + edges) log(vertices)), nearly linear in practice. 21 bytes per vertex at the
 * peak, beside the two results, which serve as working memory until then. Some steps use all
 * processors; the result does not depend on how many.
 */
#pragma once

#include "base/error.h"
#include "graph/csr.h"

struct dominator;

/*
 * idom and sum (n entries each) are the caller's and must stay until dominator_sum: they are
 * working memory first and results then.
 */
struct error *dominator_create(const struct csr *forward, uint32_t *idom, uint64_t *sum,
			       struct dominator **ret) _must_check_;
void dominator_destroy(struct dominator *d);

/*
 * Gives the virtual root an edge to each vertex in `seed` (bits by vertex id) and searches from
 * there. May be called several times: each search takes what no earlier one took. `backward` is not
 * needed yet, so that it can be made meanwhile. All vertices taken so far, in the order of taking,
 * are dominator_order; their number is returned.
 */
uint32_t dominator_search(struct dominator *d, const struct bits *seed);
const uint32_t *dominator_order(const struct dominator *d);

/*
 * `backward` has the edges of the forward graph turned around (and its own `skip`, by its own
 * numbering, if any). `source` is its dst, which is used up: something else is in it afterwards. Neither is
 * needed any more when this is done.
 */
struct error *dominator_tree(struct dominator *d, const struct csr *backward,
			     uint32_t *source) _must_check_;
/*
 * idom[v - 1] gets the immediate dominator of v, 0 when that is the virtual root or v cannot be
 * reached; sum[v - 1] the weight of v and all that it dominates (weight[v - 1], if v cannot be
 * reached). Sums wrap around at 2^64. To be called once, and then dominator_destroy.
 */
struct error *dominator_sum(struct dominator *d, const uint64_t *weight) _must_check_;
