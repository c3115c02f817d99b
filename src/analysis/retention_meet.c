/*
 * Lists that are reached from both of their ends: each half has a node of its own, named after its end, and
 * how long the halves are says only how fast the search was on either side. The two are made one.
 *
 *	queue.first.next*	-> -> -> ->
 *	                    a <-> b <-> c <-> d <-> e <-> f
 *	queue.last.prev*	                    <- <- <-
 *
 * Where the halves meet, one reference leads from the first to the second and one back; so there are no more of
 * either kind than there are such lists, which is how many objects stand before the first of each half. Lists
 * whose members know members of another list have more, and stay two.
 */
#include "analysis/retention_impl.h"

#include "base/cleanup.h"
#include "graph/csr.h"

#include <stdlib.h>

enum { MEETS_SLOTS = 1 << 12, MEETS_MOST = MEETS_SLOTS / 2 }; /* pairs of nodes */

struct meet {
	uint32_t from, to; /* 0: free */
	uint64_t edges;
};

struct meets {
	struct meet slot[MEETS_SLOTS];
	uint32_t used;
};

static struct meet *meet_find(struct meets *m, uint32_t from, uint32_t to)
{
	uint64_t h = ((uint64_t)from << 32 | to) * UINT64_C(0x9e3779b97f4a7c15) >> 40;
	while (m->slot[h % MEETS_SLOTS].from &&
	       (m->slot[h % MEETS_SLOTS].from != from || m->slot[h % MEETS_SLOTS].to != to))
		h++;
	return &m->slot[h % MEETS_SLOTS];
}

/* Of one type, or of one size where nothing has a type; both links that may be taken again. */
static bool meet_may_be(const struct trie_node *a, const struct trie_node *b)
{
	return a->flags & b->flags & TRIE_STAR && !((a->flags | b->flags) & TRIE_ABSORBS) &&
	       a->type == b->type && (a->type || size_like(a->size, b->size));
}

void trie_meets(struct trie *t, uint32_t node)
{
	struct trie_node *n = &t->node.at[node];
	const struct trie_node *p = &t->node.at[n->parent];
	if (n->depth > 1 && !(n->flags & TRIE_ABSORBS) && n->type == p->type &&
	    (n->type || size_like(n->size, p->size)))
		n->flags |= TRIE_STAR;
}

struct error *meet_add(struct trie *t, uint32_t from, uint32_t to)
{
	if (!meet_may_be(&t->node.at[from], &t->node.at[to]))
		return NULL;
	if (!t->meets) {
		t->meets = calloc(1, sizeof(*t->meets));
		if (!t->meets)
			return &error_nomem;
	}
	struct meet *m = meet_find(t->meets, from, to);
	if (!m->from) {
		if (t->meets->used == MEETS_MOST)
			return NULL;
		t->meets->used++;
		m->from = from;
		m->to = to;
	}
	m->edges++;
	return NULL;
}

/* Which node each is now: parents first, so that what hangs off one that went finds its place. */
static struct error *meet_move(struct trie *t, uint32_t *into)
{
	for (uint32_t i = 1; i < t->node.n; i++) {
		struct trie_node *node = &t->node.at[i];
		if (into[i] != i) { /* lower than i: it is where it will be */
			into[i] = into[into[i]];
			t->node.at[into[i]].flags |= node->flags & TRIE_STAR;
			continue;
		}
		if (into[node->parent] == node->parent)
			continue;
		node->parent = into[node->parent];
		uint32_t there = trie_find(t, node->parent, node->step, node->type);
		if (there && there != RETENTION_OTHER && into[there] < i) {
			into[i] = into[there];
			t->node.at[into[i]].flags |= node->flags & TRIE_STAR;
		} else {
			struct error *err = trie_remember(t, i);
			if (err)
				return err;
		}
	}
	return NULL;
}

/* What hangs off a chain is no other end of it. */
static bool meet_hangs_off(const struct trie *t, uint32_t node, uint32_t from)
{
	while (node > from)
		node = t->node.at[node].parent;
	return node == from;
}

struct error *meets_join(struct trie *t, uint32_t **ret)
{
	const struct object_table *o = &t->s->object;
	struct meets *const m = t->meets;
	*ret = NULL;
	if (!m)
		return NULL;
	_cleanup_free_ uint32_t *objects = csr_zalloc(t->node.n, sizeof(*objects));
	_cleanup_free_ uint32_t *into = csr_alloc(t->node.n, sizeof(*into));
	bool any = false;
	if (!objects || !into)
		return &error_nomem;
	for (uint32_t i = 0; i < o->n; i++)
		objects[o->retention[i]]++;
	for (uint32_t i = 0; i < t->node.n; i++)
		into[i] = i;
	for (uint32_t i = 0; i < MEETS_SLOTS; i++) {
		const struct meet *there = &m->slot[i];
		if (!there->from || there->from > there->to)
			continue;
		const struct meet *back = meet_find(m, there->to, there->from);
		if (!back->from || meet_hangs_off(t, there->to, there->from) ||
		    there->edges > objects[t->node.at[there->from].parent] ||
		    back->edges > objects[t->node.at[there->to].parent])
			continue;
		uint32_t to = there->from;
		while (into[to] != to)
			to = into[to];
		if (to < into[there->to])
			into[there->to] = to;
		any = true;
	}
	struct error *err = any ? meet_move(t, into) : NULL;
	if (!err && any)
		*ret = take_ptr(into);
	return err;
}
