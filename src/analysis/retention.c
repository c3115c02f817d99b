/* The search that finds what holds each object: see retention_impl.h. */
#include "analysis/retention_impl.h"

#include "analysis/edges_impl.h"
#include "base/cleanup.h"
#include "graph/csr.h"

#include <stdlib.h>
#include <string.h>

/* As in reach.c: how many vertices ahead in the queue their rows and then their edges are asked for. */
enum { AHEAD_ROW = 24, AHEAD_EDGES = 12 };

enum { CHUNK_IDS = (1 << 16) - 8 };

enum {
	LINKS_PASSED = 16, /* of a list that are somebody else's already: in a row */
	LINK_EDGES = 256,  /* of an object that are looked through for the one to the next */
};

/* A reference from one object of a list to the next. */
struct link {
	uint64_t edge;
	uint32_t from;
};

/* Objects that wait for their turn, in pieces: those that had theirs take no memory. */
struct chunk {
	struct chunk *next;
	uint32_t n;
	uint32_t id[CHUNK_IDS];
};

struct retention {
	struct snapshot *s;
	struct csr forward;
	struct trie trie;
	struct retention_roots roots;
	struct bits seen;
	struct chunk *head, *tail, *spare;
	uint32_t taken;	       /* of objects */
	struct bits middle;    /* by id: a link leads there, and one leads on */
	VEC(struct link) wait; /* links that begin in the middle of a list */
};

static void retention_deinit(struct retention *r)
{
	trie_deinit(&r->trie);
	retention_roots_deinit(&r->roots);
	bits_deinit(&r->seen);
	bits_deinit(&r->middle);
	vec_deinit(&r->wait);
	for (struct chunk *c = r->head, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(r->spare);
}

static struct error *retention_init(struct retention *r, struct snapshot *s)
{
	struct object_table *o = &s->object;
	r->s = s;
	r->forward = edges_forward(s);
	free(o->retention);
	free(o->held);
	o->retention = csr_zalloc((uint64_t)o->n + 1, sizeof(*o->retention));
	o->held = csr_zalloc((uint64_t)o->n + 1, sizeof(*o->held));
	if (!o->retention || !o->held)
		return &error_nomem;
	struct error *err = bits_init(&r->seen, (uint64_t)o->n + 1);
	if (!err)
		err = trie_init(&r->trie, s);
	return err ? err : retention_roots_init(&r->roots, s);
}

/* ---- the queue ---- */

static struct error *queue_grow(struct retention *r)
{
	struct chunk *c = r->spare ? r->spare : malloc(sizeof(*c));
	if (!c)
		return &error_nomem;
	r->spare = NULL;
	c->next = NULL;
	c->n = 0;
	if (r->tail)
		r->tail->next = c;
	else
		r->head = c;
	r->tail = c;
	return NULL;
}

/* The object waits for its turn. */
static inline struct error *queue_take(struct retention *r, uint32_t id)
{
	if (!r->tail || r->tail->n == CHUNK_IDS) {
		struct error *err = queue_grow(r);
		if (err)
			return err;
	}
	r->tail->id[r->tail->n++] = id;
	r->taken++;
	return NULL;
}

static void queue_shift(struct retention *r)
{
	struct chunk *c = r->head;
	r->head = c->next;
	if (!r->head)
		r->tail = NULL;
	if (r->spare)
		free(c);
	else
		r->spare = c;
}

/* ---- the search ---- */

/* Roots of one rank: those whose word points to a start, or the others. */
static struct error *retention_seed(struct retention *r, enum root_rank rank, bool start)
{
	struct snapshot *s = r->s;
	r->trie.rank = (uint8_t)rank;
	for (uint64_t i = 0; i < s->root.n; i++) {
		const struct root_row *root = &s->root.at[i];
		if (r->roots.rank[i] != rank || (root->how == EDGE_START) != start ||
		    root->kind == REFERENCE_WEAK || edges_is_dead(s, root->object_id) ||
		    bits_test_set(&r->seen, root->object_id))
			continue;
		struct error *err = queue_take(r, root->object_id);
		if (!err)
			err = retention_root(&r->roots, &r->trie, i,
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

/* ---- lists ---- */

/* Of one type, or of one size where nothing has a type. */
static bool link_like(const struct retention *r, uint32_t v, uint32_t w)
{
	const struct object_table *o = &r->s->object;
	uint32_t type = trie_type(&r->trie, v);
	return v != w && trie_type(&r->trie, w) == type &&
	       (type || size_like(o->size[v - 1], o->size[w - 1]));
}

/* Is it the same step, from another object? */
static inline bool link_same(const struct snapshot *s, uint64_t a, uint64_t b)
{
	return s->edge.where[a] == s->edge.where[b] &&
	       (!s->edge.name || s->edge.name[a] == s->edge.name[b]);
}

/* The object's reference by the same step as e, to one that is like it; UINT64_MAX: it has none. */
static uint64_t link_next(const struct retention *r, uint32_t v, uint64_t e, bool start)
{
	const struct csr *g = &r->forward;
	uint64_t from = g->first[v - 1], end = g->first[v];
	if (end - from > LINK_EDGES)
		end = from + LINK_EDGES;
	for (uint64_t i = from; i < end; i++)
		if (link_same(r->s, e, i))
			return edge_leads(r->s, i, start) && link_like(r, v, g->dst[i])
				       ? i
				       : UINT64_MAX;
	return UINT64_MAX;
}

/* Marks what is in the middle of a list. */
static struct error *middle_find(struct retention *r)
{
	const struct snapshot *s = r->s;
	const struct csr *g = &r->forward;
	struct error *err = bits_init(&r->middle, (uint64_t)s->object.n + 1);
	for (uint32_t v = 1; v <= s->object.n && !err; v++) {
		uint64_t end = g->first[v];
		for (uint64_t e = g->first[v - 1]; e < end; e++) {
			if ((s->edge.name && s->edge.name[e]) ||
			    edge_how(s->edge.where[e]) != EDGE_START)
				continue;
			uint32_t w = g->dst[e];
			if (link_like(r, v, w) && !bits_test(&r->middle, w) &&
			    link_next(r, w, e, true) != UINT64_MAX)
				bits_set(&r->middle, w);
		}
	}
	return err;
}

/* Whose reference it is. */
static uint32_t edge_source(const struct csr *g, uint64_t e)
{
	uint32_t low = 1, high = g->n;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (g->first[mid] > e)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Does e from v to w only repeat the step that led to v? *head: the first object of that list that was met. */
static bool link_is(const struct retention *r, uint32_t v, uint32_t w, uint64_t e, uint32_t *head)
{
	uint32_t held = r->s->object.held[v - 1];
	if (!held || !link_same(r->s, e, held - 1) || !link_like(r, v, w))
		return false;
	uint32_t before = edge_source(&r->forward, held - 1);
	*head = link_like(r, before, v) ? before : v;
	return true;
}

static inline struct error *object_take(struct retention *r, uint32_t v, uint32_t at, uint64_t e)
{
	struct snapshot *s = r->s;
	const struct csr *g = &r->forward;
	uint32_t w = g->dst[e], *node = &s->object.retention[w - 1];
	bits_set(&r->seen, w);
	*node = at;
	s->object.held[w - 1] = e < UINT32_MAX ? (uint32_t)e + 1 : 0;
	struct error *err = queue_take(r, w);
	if (!err && !(r->trie.node.at[at].flags & TRIE_ABSORBS))
		err = trie_edge(&r->trie, at, v, e, g->first[v] - g->first[v - 1], node);
	return err;
}

/* The rest of the list of which v is, as far as it goes on by steps like e. */
static struct error *list_follow(struct retention *r, uint32_t v, uint64_t e, bool start)
{
	const struct object_table *o = &r->s->object;
	unsigned passed = 0;
	uint32_t at = o->retention[v - 1];
	while (passed <= LINKS_PASSED && (e = link_next(r, v, e, start)) != UINT64_MAX) {
		uint32_t w = r->forward.dst[e];
		if (bits_test(&r->seen, w)) {
			trie_meets(&r->trie, o->retention[w - 1]);
			passed++;
		} else {
			struct error *err = object_take(r, v, at, e);
			if (err)
				return err;
			at = o->retention[w - 1];
			passed = 0;
		}
		v = w;
	}
	return NULL;
}

/* ---- */

/* Takes what object v leads to; `start`: only over words that point to one. */
static inline struct error *retention_follow(struct retention *r, uint32_t v, bool start)
{
	struct snapshot *s = r->s;
	uint32_t *node = s->object.retention;
	const struct csr *g = &r->forward;
	uint64_t from = g->first[v - 1], end = g->first[v];
	uint32_t at = node[v - 1];
	/* Where chains meet is counted once: see retention_meet.c. */
	const uint32_t link = start ? trie_link(&r->trie, at) : 0;
	for (uint64_t e = from; e < end; e++) {
		uint32_t w = g->dst[e];
		if (bits_test(&r->seen, w)) {
			if (!link || node[w - 1] == link || !edge_leads(s, e, start))
				continue;
			struct error *err = meet_add(&r->trie, link, node[w - 1]);
			if (err)
				return err;
			continue;
		}
		if (!edge_leads(s, e, start))
			continue;
		uint32_t head = 0;
		const bool list = link_is(r, v, w, e, &head);
		if (list && start && r->middle.word && bits_test(&r->middle, head)) {
			struct error *err = vec_push(&r->wait, ((struct link){e, v}));
			if (err)
				return err;
			continue;
		}
		struct error *err = object_take(r, v, at, e);
		if (!err && list)
			err = list_follow(r, w, e, start);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *retention_run(struct retention *r, bool start)
{
	const struct snapshot *s = r->s;
	const struct csr *g = &r->forward;
	for (; r->head; queue_shift(r)) {
		const struct chunk *c = r->head;
		/* more may come while they are read */
		for (uint32_t i = 0; i < c->n; i++) {
			if (c->n - i > AHEAD_ROW) {
				csr_prefetch_row(g, c->id[i + AHEAD_ROW]);
				__builtin_prefetch(&s->object.retention[c->id[i + AHEAD_ROW] - 1]);
			}
			if (c->n - i > AHEAD_EDGES) {
				uint32_t next = c->id[i + AHEAD_EDGES];
				csr_prefetch_edges(g, next);
				__builtin_prefetch(&s->edge.where[g->first[next - 1]]);
			}
			struct error *err = retention_follow(r, c->id[i], start);
			if (err)
				return err;
		}
	}
	return NULL;
}

/* What lists were met in the middle, and not from their heads. */
static struct error *retention_wait(struct retention *r)
{
	struct bits middle = r->middle;
	struct error *err = NULL;
	r->middle.word = NULL; /* no more of them wait */
	for (uint64_t i = 0; i < r->wait.n && !err; i++) {
		struct link link = r->wait.at[i];
		uint32_t w = r->forward.dst[link.edge], at = r->s->object.retention[link.from - 1];
		if (bits_test(&r->seen, w))
			continue;
		err = object_take(r, link.from, at, link.edge);
		if (!err)
			err = list_follow(r, w, link.edge, true);
	}
	r->wait.n = 0;
	if (!err)
		err = retention_run(r, true);
	r->middle = middle;
	return err;
}

/*
 * Once more from all that was taken, over any word: from what the most telling roots lead to before the
 * rest.
 */
static struct error *retention_again(struct retention *r)
{
	const struct snapshot *s = r->s;
	_cleanup_(bits_deinit) struct bits taken = {0};
	struct error *err = bits_init(&taken, (uint64_t)s->object.n + 1);
	if (err)
		return err;
	memcpy(taken.word, r->seen.word, (taken.n / 64 + 1) * sizeof(*taken.word));
	for (unsigned rank = 0; rank < RANKS && !err; rank++)
		err = retention_seed(r, rank, false);
	for (unsigned rank = 0; rank < RANKS && !err; rank++) {
		r->trie.rank = (uint8_t)rank;
		for (uint32_t v = 1; v <= s->object.n && !err; v++)
			if (bits_test(&taken, v) &&
			    r->trie.node.at[s->object.retention[v - 1]].rank == rank)
				err = retention_follow(r, v, false);
	}
	return err ? err : retention_run(r, false);
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
		if (!err && r->wait.n)
			err = retention_wait(r);
	}
	if (err)
		return err;
	for (uint32_t i = 0; i < o->n; i++) {
		reachable += o->reachable[i] != 0;
		if (bits_test(&r->seen, i + 1))
			o->reachable[i] = 1;
	}
	return r->taken == reachable ? NULL : retention_again(r);
}

struct error *retention_find(struct snapshot *s, uint32_t rows_most)
{
	struct retention r = {.s = s};
	struct error *err = retention_init(&r, s);
	if (!err)
		err = middle_find(&r);
	if (!err)
		err = retention_search(&r);
	for (uint32_t i = 0; i < s->object.n && !err; i++)
		if (!s->object.retention[i])
			s->object.retention[i] = RETENTION_LOST;
	if (!err)
		err = trie_rows(&r.trie, rows_most);
	retention_deinit(&r);
	return err;
}
