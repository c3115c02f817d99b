/* counts: how many hold each object, by what was found; see snapshot.h. */
#include "snapshot/snapshot.h"

#include <stdlib.h>

/* They stop at the top. */
static inline void count_up(uint32_t *n)
{
	*n += *n != UINT32_MAX;
}

/*
 * Does this word of a root point the way a holder's does? Module data may keep what is inside an object
 * that it was given (the text of a str that it leaves to be its documentation, as numpy does); what is
 * on stacks points to everything that was worked on. No code keeps a count in a vector register alone;
 * a copy (of a list, say) leaves addresses there.
 */
static inline bool root_holds(const struct root_row *r)
{
	return r->found != ROOT_BY_VECTOR && (r->grade <= ROOT_TLS || r->how != EDGE_INTERIOR);
}

static void count_roots(const struct snapshot *s, struct count_holders *h)
{
	const struct object_table *o = &s->object;
	for (uint64_t i = 0; i < s->root.n; i++) {
		const struct root_row *r = &s->root.at[i];
		if (o->refcount[r->object_id - 1] == INT64_MIN)
			continue;
		if (r->kind == REFERENCE_OWNING)
			count_up(&h->owning[r->object_id - 1]);
		else if (r->kind == REFERENCE_WORD && root_holds(r))
			count_up(&h->words[r->object_id - 1]);
	}
}

static void count_edges(const struct snapshot *s, struct count_holders *h)
{
	const struct object_table *o = &s->object;
	const struct edge_table *e = &s->edge;
	for (uint32_t id = 1; id <= o->n; id++) {
		bool compiled = o->flags && (o->flags[id - 1] & OBJECT_STATIC);
		for (uint64_t k = e->first[id - 1]; k < e->first[id]; k++) {
			uint32_t dst = e->dst[k];
			if (o->refcount[dst - 1] == INT64_MIN)
				continue;
			if (e->kind[k] == REFERENCE_OWNING && !compiled)
				count_up(&h->owning[dst - 1]);
			else if (e->kind[k] != REFERENCE_WEAK)
				count_up(&h->words[dst - 1]);
		}
	}
}

struct error *snapshot_count_holders(const struct snapshot *s, struct count_holders *ret)
{
	const size_t room = s->object.n ? s->object.n : 1;
	ret->owning = calloc(room, sizeof(*ret->owning));
	ret->words = calloc(room, sizeof(*ret->words));
	if (!ret->owning || !ret->words)
		return &error_nomem;
	count_edges(s, ret);
	count_roots(s, ret);
	for (uint64_t i = 0; i < s->kept.n; i++)
		for (uint32_t n = s->kept.at[i].rooted; n < s->kept.at[i].counts; n++)
			count_up(&ret->words[s->kept.at[i].object_id - 1]);
	return NULL;
}

void count_holders_deinit(struct count_holders *h)
{
	free(h->owning);
	free(h->words);
	*h = (struct count_holders){0};
}
