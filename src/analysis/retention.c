/* The search that finds what holds each object: see retention_impl.h. */
#include "analysis/retention_impl.h"

#include "analysis/edges_impl.h"
#include "graph/csr.h"

#include <stdlib.h>

/* As in reach.c: how many vertices ahead in the queue their rows and then their edges are asked for. */
enum { AHEAD_ROW = 24, AHEAD_EDGES = 12 };

struct retention {
	struct snapshot *s;
	struct trie trie;
	struct retention_roots roots;
	struct bits seen;
	uint32_t *queue;
	uint32_t n, done;
};

static void retention_deinit(struct retention *r)
{
	trie_deinit(&r->trie);
	retention_roots_deinit(&r->roots);
	bits_deinit(&r->seen);
	free(r->queue);
}

static struct error *retention_init(struct retention *r, struct snapshot *s)
{
	struct object_table *o = &s->object;
	r->s = s;
	free(o->retention);
	free(o->held);
	o->retention = csr_zalloc((uint64_t)o->n + 1, sizeof(*o->retention));
	o->held = csr_zalloc((uint64_t)o->n + 1, sizeof(*o->held));
	r->queue = csr_alloc((uint64_t)o->n + 1, sizeof(*r->queue));
	if (!o->retention || !o->held || !r->queue)
		return &error_nomem;
	struct error *err = bits_init(&r->seen, (uint64_t)o->n + 1);
	if (!err)
		err = trie_init(&r->trie, s);
	return err ? err : retention_roots_init(&r->roots, s);
}

/* Roots of one rank: those whose word points to a start, or the others. */
static struct error *retention_seed(struct retention *r, enum root_rank rank, bool start)
{
	struct snapshot *s = r->s;
	for (uint64_t i = 0; i < s->root.n; i++) {
		const struct root_row *root = &s->root.at[i];
		if (r->roots.rank[i] != rank || (root->how == EDGE_START) != start ||
		    root->kind == REFERENCE_WEAK || edges_is_dead(s, root->object_id) ||
		    bits_test_set(&r->seen, root->object_id))
			continue;
		r->queue[r->n++] = root->object_id;
		struct error *err = retention_root(&r->roots, &r->trie, i,
						   &s->object.retention[root->object_id - 1]);
		if (err)
			return err;
	}
	return NULL;
}

static inline bool edge_leads(const struct snapshot *s, uint64_t e, bool start)
{
	const struct edge_table *t = &s->edge;
	if ((start && edge_how(t->where[e]) != EDGE_START) ||
	    (t->kind && t->kind[e] == REFERENCE_WEAK))
		return false;
	return !s->garbage.n || !edges_is_dead(s, t->dst[e]);
}

/* Follows the edges of what was taken since the last run; `start`: only words that point to one. */
static struct error *retention_run(struct retention *r, bool start)
{
	struct snapshot *s = r->s;
	const struct csr g = edges_forward(s);
	uint16_t *node = s->object.retention;
	uint32_t *held = s->object.held;
	uint32_t *queue = r->queue, n = r->n;
	for (uint32_t i = r->done; i < n; i++) {
		if (n - i > AHEAD_ROW) {
			csr_prefetch_row(&g, queue[i + AHEAD_ROW]);
			__builtin_prefetch(&node[queue[i + AHEAD_ROW] - 1]);
		}
		if (n - i > AHEAD_EDGES) {
			csr_prefetch_edges(&g, queue[i + AHEAD_EDGES]);
			__builtin_prefetch(&s->edge.where[g.first[queue[i + AHEAD_EDGES] - 1]]);
		}
		uint32_t v = queue[i];
		uint64_t from = g.first[v - 1], end = g.first[v];
		uint16_t at = node[v - 1];
		bool absorbs = r->trie.node.at[at].flags & TRIE_ABSORBS;
		for (uint64_t e = from; e < end; e++) {
			uint32_t w = g.dst[e];
			if (bits_test(&r->seen, w) || !edge_leads(s, e, start))
				continue;
			bits_set(&r->seen, w);
			queue[n++] = w;
			node[w - 1] = at;
			held[w - 1] = e < UINT32_MAX ? (uint32_t)e + 1 : 0;
			if (absorbs)
				continue;
			struct error *err = trie_edge(&r->trie, at, v, e, end - from, &node[w - 1]);
			if (err)
				return err;
		}
	}
	r->n = r->done = n;
	return NULL;
}

static struct error *retention_search(struct retention *r)
{
	struct snapshot *s = r->s;
	struct object_table *o = &s->object;
	uint32_t reachable = 0;
	struct error *err = NULL;
	for (unsigned rank = 0; rank < RANKS && !err; rank++) {
		err = retention_seed(r, rank, true);
		if (!err)
			err = retention_run(r, true);
	}
	if (err)
		return err;
	for (uint32_t i = 0; i < o->n; i++)
		reachable += o->reachable[i] != 0;
	for (uint32_t i = 0; i < r->n; i++)
		o->reachable[r->queue[i] - 1] = 1;
	if (r->n == reachable)
		return NULL;
	/* The rest, by words that point inside: from what was taken, too. */
	for (unsigned rank = 0; rank < RANKS && !err; rank++)
		err = retention_seed(r, rank, false);
	r->done = 0;
	return err ? err : retention_run(r, false);
}

struct error *retention_find(struct snapshot *s)
{
	struct retention r = {.s = s};
	struct error *err = retention_init(&r, s);
	if (!err)
		err = retention_search(&r);
	free(r.queue);
	r.queue = NULL;
	for (uint32_t i = 0; i < s->object.n && !err; i++)
		if (!s->object.retention[i])
			s->object.retention[i] = RETENTION_LOST;
	if (!err)
		err = trie_rows(&r.trie);
	retention_deinit(&r);
	return err;
}
