/*
 * From the depth first search on, vertices are named by their preorder number, 1 to `count`; 0 is
 * the virtual root. An ancestor's number is lower than a descendant's.
 *
 * Memory per vertex, by step (idom and sum are the caller's results):
 *
 *	           search   numbers  semidominators   common ancestors   sums
 *	order 4    vertex by number ------------------------------------------->
 *	idom 4     parent by number ------------> immediate dominator, by number
 *	sum 8      stack             ancestor, label  jump, depth
 *	cell 16    first edges
 *	num 4               number by vertex
 *	above 4                                                          dominator by number
 *
 * The backward edges' sources are turned into numbers in place, so that what tells a vertex's number is gone
 * before the semidominators come; and a vertex's semidominator is put where its first backward edge was.
 */
#include "graph/dominator.h"

#include "base/parallel.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE = 1 << 16 }; /* vertices, or edges, that are worth a thread */

/* How many vertices ahead each kind of look is started; each needs the one before it done. */
enum { AHEAD_ROW = 32, AHEAD_EDGES = 16, AHEAD_PAIR = 8, AHEAD_MOST = 8 };
enum { AHEAD_SOURCE = 32 }; /* edges */

/*
 * The first edges of a vertex, in one place: the search is a chain of cache misses, and this makes
 * it one a vertex. Up to CELL_EDGES edges stand in `to`, last first, and `left` counts them down. A
 * vertex with more has left = CELL_FAR and reads its row, from edge `to[0] << 32 | to[1]` on.
 */
enum { CELL_EDGES = 3 };
#define CELL_FAR UINT32_MAX

struct cell {
	uint32_t left;
	uint32_t to[CELL_EDGES];
};

/*
 * An entry of the search's stack, packed in 64 bits: a vertex, and above it a number. Either the
 * vertex is an unfinished one and the number its own (RESUME is set), or it is the last child of an
 * otherwise finished one, and the number its parent's. So no vertex has more than one entry.
 */
#define ENTRY_RESUME (UINT32_C(1) << 31)

struct dominator {
	struct csr forward, backward;
	uint32_t *idom;
	uint64_t *sum;
	struct cell *cell;
	struct bits seed, seen;
	uint32_t *order, *num, *above;
	uint32_t *source; /* of the backward edges; then semidominators */
	uint32_t count;	  /* vertices reached */
	uint32_t top;	  /* of the stack */
};

void dominator_destroy(struct dominator *d)
{
	if (!d)
		return;
	bits_deinit(&d->seed);
	bits_deinit(&d->seen);
	free(d->cell);
	free(d->order);
	free(d->num);
	free(d->above);
	free(d);
}

static inline uint64_t pair_make(uint32_t hi, uint32_t lo)
{
	return (uint64_t)hi << 32 | lo;
}

static inline uint32_t pair_hi(uint64_t pair)
{
	return (uint32_t)(pair >> 32);
}

static inline uint32_t pair_lo(uint64_t pair)
{
	return (uint32_t)pair;
}

/* ---- depth first search ---- */

static struct error *cell_fill(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct dominator *d = arg;
	const struct csr *g = &d->forward;
	(void)slice;
	for (uint64_t v = first; v < end; v++) {
		struct cell *c = &d->cell[v];
		uint64_t e = g->first[v], row_end = g->first[v + 1];
		uint32_t n = 0, to[CELL_EDGES];
		for (; e < row_end; e++) {
			if (!csr_counts(g, e))
				continue;
			if (n == CELL_EDGES)
				break;
			to[n++] = g->dst[e];
		}
		if (e < row_end) {
			uint64_t start = g->first[v];
			*c = (struct cell){CELL_FAR, {pair_hi(start), pair_lo(start), 0}};
			continue;
		}
		c->left = n;
		for (uint32_t k = 0; k < n; k++)
			c->to[k] = to[n - 1 - k];
	}
	return NULL;
}

/* The next child of v that has not been seen, which now it is; 0: none is left. */
static uint32_t search_next_far(struct dominator *d, uint32_t v, struct cell *c)
{
	const struct csr *g = &d->forward;
	uint64_t e = pair_make(c->to[0], c->to[1]), end = g->first[v];
	uint32_t found = 0;
	while (e < end && !found) {
		uint32_t w = g->dst[e];
		if (csr_counts(g, e) && !bits_test_set(&d->seen, w))
			found = w;
		if (end - e > 8)
			__builtin_prefetch(&d->cell[g->dst[e + 8] - 1]);
		e++;
	}
	c->to[0] = pair_hi(e);
	c->to[1] = pair_lo(e);
	return found;
}

/* Takes up vertex v, whose number is `pre`; answers the child to visit next, or 0. */
static uint32_t search_scan(struct dominator *d, uint32_t v, uint32_t pre)
{
	struct cell *c = &d->cell[v - 1];
	uint64_t *stack = d->sum;
	if (c->left == CELL_FAR) {
		uint32_t w = search_next_far(d, v, c);
		if (w)
			stack[d->top++] = pair_make(pre | ENTRY_RESUME, v);
		return w;
	}
	uint32_t w = 0;
	while (c->left && !w) {
		uint32_t x = c->to[--c->left];
		if (!bits_test_set(&d->seen, x))
			w = x;
	}
	while (c->left && bits_test(&d->seen, c->to[c->left - 1]))
		c->left--;
	if (!c->left)
		return w;
	/* Ways soon end once most is seen: what is pushed here is often popped next. */
	__builtin_prefetch(&d->cell[c->to[0] - 1]);
	if (c->left == 1) {
		stack[d->top++] = pair_make(pre, c->to[0]);
		return w;
	}
	stack[d->top++] = pair_make(pre | ENTRY_RESUME, v);
	return w;
}

/* Pops entries until one yields a vertex to visit (and its parent's number); 0: the stack is empty.
 */
static uint32_t search_pop(struct dominator *d, uint32_t *parent)
{
	uint64_t *stack = d->sum;
	while (d->top) {
		uint64_t entry = stack[--d->top];
		if (d->top >= 4)
			__builtin_prefetch(&d->cell[pair_lo(stack[d->top - 4]) - 1]);
		uint32_t v = pair_lo(entry), pre = pair_hi(entry);
		*parent = pre & ~ENTRY_RESUME;
		if (!(pre & ENTRY_RESUME)) {
			if (!bits_test_set(&d->seen, v))
				return v;
			continue;
		}
		uint32_t w = search_scan(d, v, *parent);
		if (w)
			return w;
	}
	return 0;
}

static void search_from(struct dominator *d, uint32_t v)
{
	uint32_t parent = 0;
	if (bits_test_set(&d->seen, v))
		return;
	while (v) {
		d->order[d->count] = v;
		d->idom[d->count] = parent;
		uint32_t pre = ++d->count;
		uint32_t w = search_scan(d, v, pre);
		if (w)
			parent = pre;
		else
			w = search_pop(d, &parent);
		v = w;
	}
}

uint32_t dominator_search(struct dominator *d, const struct bits *seed)
{
	for (uint64_t k = 0; k < d->seed.n / 64 + 1; k++) {
		d->seed.word[k] |= seed->word[k];
		for (uint64_t left = seed->word[k]; left; left &= left - 1)
			search_from(d, (uint32_t)(k * 64) + (uint32_t)__builtin_ctzll(left));
	}
	return d->count;
}

const uint32_t *dominator_order(const struct dominator *d)
{
	return d->order;
}

/* ---- semidominators ---- */

static struct error *number_vertices(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct dominator *d = arg;
	(void)slice;
	for (uint64_t i = first; i < end; i++) {
		if (end - i > 16)
			__builtin_prefetch(&d->num[d->order[i + 16] - 1], 1);
		d->num[d->order[i] - 1] = (uint32_t)i + 1;
	}
	return NULL;
}

/* An edge that does not count, or whose source was not reached, gets number 0. */
static struct error *number_sources(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct dominator *d = arg;
	uint32_t *source = d->source;
	(void)slice;
	for (uint64_t e = first; e < end; e++) {
		if (end - e > AHEAD_SOURCE)
			__builtin_prefetch(&d->num[source[e + AHEAD_SOURCE] - 1]);
		source[e] = csr_counts(&d->backward, e) ? d->num[source[e] - 1] : 0;
	}
	return NULL;
}

static struct error *dominator_number(struct dominator *d)
{
	const struct csr *g = &d->backward;
	const uint64_t edges = g->n ? g->first[g->n] : 0;
	d->num = csr_zalloc(g->n, sizeof(*d->num));
	if (!d->num)
		return &error_nomem;
	struct error *err =
		parallel_for(d->count, parallel_slices(d->count, SLICE), number_vertices, d);
	if (!err)
		err = parallel_for(edges, parallel_slices(edges, SLICE), number_sources, d);
	free(d->num);
	d->num = NULL;
	return err;
}

static struct error *semi_start(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct dominator *d = arg;
	(void)slice;
	for (uint64_t i = first; i < end; i++)
		d->sum[i] = pair_make(d->idom[i], (uint32_t)i + 1);
	return NULL;
}

/*
 * The least label on the way from u up to, but without, the first vertex that is not linked yet
 * (the linked ones are those from `linked` on). Compresses that way: all on it now point to that
 * vertex. On the climb each vertex is made to point back to the one below; on the way down that is
 * undone. Nothing is less than label 0, so a climb that meets it goes no further (those below get
 * it for good: the way only grows upwards).
 */
static uint32_t semi_eval(uint64_t *pair, uint32_t u, uint32_t linked)
{
	uint32_t below = 0, at = u;
	uint64_t here = pair[u - 1];
	while (pair_hi(here) >= linked && pair_lo(here)) {
		pair[at - 1] = pair_make(below, pair_lo(here));
		below = at;
		at = pair_hi(here);
		here = pair[at - 1];
	}
	uint32_t label = pair_lo(here), up = pair_hi(here);
	while (below) {
		at = below;
		below = pair_hi(pair[at - 1]);
		uint32_t own = pair_lo(pair[at - 1]);
		if (own < label)
			label = own;
		pair[at - 1] = pair_make(up, label);
	}
	return label;
}

static void semi_prefetch(const struct dominator *d, uint32_t w)
{
	const struct csr *g = &d->backward;
	if (w > AHEAD_ROW)
		csr_prefetch_row(g, d->order[w - 1 - AHEAD_ROW]);
	if (w > AHEAD_EDGES)
		csr_prefetch_edges(g, d->order[w - 1 - AHEAD_EDGES]);
	if (w > AHEAD_PAIR) {
		uint32_t v = d->order[w - 1 - AHEAD_PAIR];
		uint64_t e = g->first[v - 1], end = g->first[v];
		for (; e < end && e - g->first[v - 1] < AHEAD_MOST; e++) {
			uint32_t u = d->source[e];
			if (u)
				__builtin_prefetch(&d->sum[u - 1]);
		}
	}
}

static struct error *dominator_semi(struct dominator *d)
{
	const struct csr *g = &d->backward;
	struct error *err = parallel_for(d->count, parallel_slices(d->count, SLICE), semi_start, d);
	if (err)
		return err;
	for (uint32_t w = d->count; w; w--) {
		semi_prefetch(d, w);
		uint32_t v = d->order[w - 1], least = bits_test(&d->seed, v) ? 0 : UINT32_MAX;
		for (uint64_t e = g->first[v - 1]; least && e < g->first[v]; e++) {
			uint32_t u = d->source[e];
			if (!u)
				continue;
			uint32_t label = u > w ? semi_eval(d->sum, u, w + 1) : u;
			if (label < least)
				least = label;
		}
		/* The edge from its parent at the least: a vertex that is no seed has one. */
		assert(least < w);
		/* Its edges have been looked at; without any it is a seed, and the answer 0. */
		if (g->first[v - 1] < g->first[v])
			d->source[g->first[v - 1]] = least;
		d->sum[w - 1] = pair_make(pair_hi(d->sum[w - 1]), least);
	}
	return NULL;
}

/* ---- nearest common ancestors ---- */

/*
 * In the tree of immediate dominators, as far as it stands: the jump pointer of the vertex below p.
 * It skips as far as p's and p's jump's together when these are equally far, else it is p.
 */
static uint32_t jump_below(const uint64_t *jump, uint32_t p)
{
	if (!p)
		return 0;
	uint32_t q = pair_hi(jump[p - 1]), depth = pair_lo(jump[p - 1]);
	uint32_t depth_q = q ? pair_lo(jump[q - 1]) : 0;
	uint32_t r = q ? pair_hi(jump[q - 1]) : 0;
	uint32_t depth_r = r ? pair_lo(jump[r - 1]) : 0;
	return q && depth - depth_q == depth_q - depth_r ? r : p;
}

static void dominator_ancestors(struct dominator *d)
{
	const struct csr *g = &d->backward;
	uint64_t *jump = d->sum;
	for (uint32_t w = 1; w <= d->count; w++) {
		if (d->count - w > AHEAD_EDGES)
			csr_prefetch_row(g, d->order[w - 1 + AHEAD_EDGES]);
		if (d->count - w > AHEAD_PAIR)
			csr_prefetch_edges(g, d->order[w - 1 + AHEAD_PAIR]);
		const uint32_t v = d->order[w - 1];
		const bool edges = g->first[v - 1] < g->first[v];
		uint32_t p = d->idom[w - 1], semi = edges ? d->source[g->first[v - 1]] : 0;
		while (p > semi) {
			uint32_t far = pair_hi(jump[p - 1]);
			p = far >= semi ? far : d->idom[p - 1];
		}
		d->idom[w - 1] = p;
		uint32_t depth = p ? pair_lo(jump[p - 1]) + 1 : 1;
		jump[w - 1] = pair_make(jump_below(jump, p), depth);
	}
}

/* ---- sums, and back to vertices ---- */

static void sum_prefetch(const struct dominator *d, uint32_t w)
{
	if (w > 2 * AHEAD_PAIR && d->above[w - 1 - 2 * AHEAD_PAIR])
		__builtin_prefetch(&d->order[d->above[w - 1 - 2 * AHEAD_PAIR] - 1]);
	if (w <= AHEAD_PAIR)
		return;
	uint32_t v = d->order[w - 1 - AHEAD_PAIR], p = d->above[w - 1 - AHEAD_PAIR];
	__builtin_prefetch(&d->sum[v - 1], 1);
	__builtin_prefetch(&d->idom[v - 1], 1);
	if (p)
		__builtin_prefetch(&d->sum[d->order[p - 1] - 1], 1);
}

/* ---- all of it ---- */

struct error *dominator_create(const struct csr *forward, uint32_t *idom, uint64_t *sum,
			       struct dominator **ret)
{
	uint32_t n = forward->n;
	if (n > CSR_VERTICES_MAX)
		return error_new(ERROR_INPUT, "more than %u objects", CSR_VERTICES_MAX);
	struct dominator *d = calloc(1, sizeof(*d));
	if (!d)
		return &error_nomem;
	d->forward = *forward;
	d->idom = idom;
	d->sum = sum;
	d->cell = csr_alloc(n, sizeof(*d->cell));
	d->order = csr_alloc(n, sizeof(*d->order));
	struct error *err = d->cell && d->order ? NULL : &error_nomem;
	if (!err)
		err = bits_init(&d->seed, (uint64_t)n + 1);
	if (!err)
		err = bits_init(&d->seen, (uint64_t)n + 1);
	if (!err)
		err = parallel_for(n, parallel_slices(n, SLICE), cell_fill, d);
	if (err) {
		dominator_destroy(d);
		return err;
	}
	*ret = d;
	return NULL;
}

struct error *dominator_tree(struct dominator *d, const struct csr *backward, uint32_t *source)
{
	assert(backward->dst == source);
	d->backward = *backward;
	d->source = source;
	free(d->cell);
	d->cell = NULL;
	bits_deinit(&d->seen);
	struct error *err = dominator_number(d);
	if (!err)
		err = dominator_semi(d);
	if (err)
		return err;
	dominator_ancestors(d);
	d->backward = (struct csr){0};
	d->source = NULL;
	return NULL;
}

/* From the last number down, so that each sum is complete when it is added to the next. */
struct error *dominator_sum(struct dominator *d, const uint64_t *weight)
{
	uint32_t n = d->forward.n;
	d->above = csr_alloc(d->count, sizeof(*d->above));
	if (!d->above)
		return &error_nomem;
	memcpy(d->above, d->idom, d->count * sizeof(*d->above));
	if (d->count < n)
		memset(d->idom, 0, n * sizeof(*d->idom));
	memcpy(d->sum, weight, n * sizeof(*d->sum));
	for (uint32_t w = d->count; w; w--) {
		sum_prefetch(d, w);
		uint32_t v = d->order[w - 1], p = d->above[w - 1];
		uint32_t dominator = p ? d->order[p - 1] : 0;
		d->idom[v - 1] = dominator;
		if (p)
			d->sum[dominator - 1] += d->sum[v - 1];
	}
	return NULL;
}
