/*
 * heads: where the unreachable begins.
 *
 * A source component of the unreachable graph is a strongly connected component that nothing
 * outside it leads to. Most are one object that nothing points to. The others are found without
 * computing components: flood from each object not yet taken, in id order, and remember where the
 * floods began. The last beginning is in a source component, as no flood before came there; so is,
 * going backwards, each one that the floods from the later beginnings do not come to. And as
 * nothing outside leads to a source component, it is all that leads back to one of its members.
 */
#include "analysis/clusters_impl.h"

#include "base/cleanup.h"
#include "graph/reach.h"

#include <string.h>

/* A type of the program, not one of those that its language brings: dict, list, std::vector. */
static bool type_is_own(const struct snapshot *s, uint32_t type)
{
	const struct type_row *t = &s->type.at[type - 1];
	const char *name = intern_text(&s->strings, t->name);
	if (!strcmp(intern_text(&s->strings, t->language), "python"))
		return strchr(name, '.');
	return strncmp(name, "std::", 5) != 0;
}

bool head_is_better(const struct snapshot *s, uint32_t a, uint32_t b)
{
	const struct object_table *o = &s->object;
	bool owned_a = o->owner_id && o->owner_id[a - 1];
	bool owned_b = o->owner_id && o->owner_id[b - 1];
	if (owned_a != owned_b)
		return owned_b;
	uint32_t type_a = cluster_type(s, a);
	uint32_t type_b = cluster_type(s, b);
	if (!type_a != !type_b)
		return type_a;
	if (type_a != type_b) {
		bool own_a = type_is_own(s, type_a), own_b = type_is_own(s, type_b);
		if (own_a != own_b)
			return own_a;
	}
	if (o->size[a - 1] != o->size[b - 1])
		return o->size[a - 1] > o->size[b - 1];
	if (type_a != type_b) {
		/* Names rather than ids, so that like cycles have like heads. */
		int order = strcmp(intern_text(&s->strings, s->type.at[type_a - 1].name),
				   intern_text(&s->strings, s->type.at[type_b - 1].name));
		if (order)
			return order < 0;
	}
	return a < b;
}

/* Does nothing but itself point to v? Objects that lead to an unreachable one are unreachable. */
static bool head_is_alone(const struct csr *backward, uint32_t v)
{
	for (uint64_t e = backward->first[v - 1]; e < backward->first[v]; e++)
		if (backward->dst[e] != v && csr_counts(backward, e))
			return false;
	return true;
}

/* The best head of v's source component. `back` floods backwards, over all calls once at most. */
static uint32_t head_of_component(const struct snapshot *s, struct reach *back, uint32_t v)
{
	uint32_t best = v;
	reach_seed(back, v);
	for (uint32_t i = reach_run(back); i < back->n; i++)
		if (head_is_better(s, back->queue[i], best))
			best = back->queue[i];
	return best;
}

/* Source components with a cycle: what `flood` has not taken leads out of these only. */
static struct error *heads_of_cycles(const struct snapshot *s, struct reach *flood,
				     const struct csr *backward, uint32_t left, struct bits *ret)
{
	uint32_t n = s->object.n;
	_cleanup_(bits_deinit) struct bits start = {0};
	_cleanup_(reach_deinit) struct reach again = {0}, back = {0};
	struct error *err = bits_init(&start, (uint64_t)n + 1);
	if (!err)
		err = reach_init(&again, flood->graph, left);
	if (err)
		return err;
	memcpy(again.seen.word, flood->seen.word,
	       (again.seen.n / 64 + 1) * sizeof(*again.seen.word));
	for (uint32_t v = 1; v <= n; v++) {
		if (!reach_seed(flood, v))
			continue;
		bits_set(&start, v);
		reach_run(flood);
	}
	err = reach_init(&back, backward, left);
	if (err)
		return err;
	for (uint32_t v = n; v; v--) {
		if (!bits_test(&start, v) || !reach_seed(&again, v))
			continue;
		reach_run(&again);
		bits_set(ret, head_of_component(s, &back, v));
	}
	return NULL;
}

struct error *leak_heads(const struct snapshot *s, const struct csr *forward,
			 const struct csr *backward, struct bits *ret)
{
	uint32_t n = s->object.n, unreachable = 0;
	*ret = (struct bits){0};
	for (uint32_t i = 0; i < n; i++)
		unreachable += !s->object.reachable[i];
	_cleanup_(reach_deinit) struct reach flood = {0};
	struct error *err = reach_init(&flood, forward, unreachable);
	if (!err)
		err = bits_init(ret, (uint64_t)n + 1);
	if (err)
		return err;
	bits_set(&flood.seen, 0);
	for (uint32_t i = 0; i < n; i++)
		if (s->object.reachable[i])
			bits_set(&flood.seen, i + 1);
	for (uint32_t v = 1; v <= n && unreachable; v++) {
		if (s->object.reachable[v - 1] || !head_is_alone(backward, v))
			continue;
		bits_set(ret, v);
		reach_seed(&flood, v);
		reach_run(&flood);
	}
	if (flood.n == unreachable)
		return NULL;
	err = heads_of_cycles(s, &flood, backward, unreachable - flood.n, ret);
	if (err)
		bits_deinit(ret);
	return err;
}
