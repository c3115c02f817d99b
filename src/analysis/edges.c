#include "analysis/edges_impl.h"

#include "base/cleanup.h"

/* Adds the edges from what is alive to what is proven to be dead. */
static struct error *edges_to_dead(const struct snapshot *s, struct bits *skip)
{
	const struct edge_table *e = &s->edge;
	if (!s->garbage.n)
		return NULL;
	struct error *err = skip->word ? NULL : bits_init(skip, e->n);
	for (uint32_t id = 1; id <= s->object.n && !err; id++) {
		if (edges_is_dead(s, id))
			continue;
		for (uint64_t k = e->first[id - 1]; k < e->first[id]; k++)
			if (edges_is_dead(s, e->dst[k]))
				bits_set(skip, k);
	}
	return err;
}

struct error *edges_weak(const struct snapshot *s, struct bits *skip)
{
	const struct edge_table *e = &s->edge;
	*skip = (struct bits){0};
	for (uint64_t k = 0; e->kind && k < e->n; k++) {
		if (e->kind[k] != REFERENCE_WEAK)
			continue;
		struct error *err = skip->word ? NULL : bits_init(skip, e->n);
		if (err)
			return err;
		bits_set(skip, k);
	}
	return edges_to_dead(s, skip);
}

/*
 * Backward rows have their sources in id order, as a walk over the forward rows meets them; so one
 * counter per object tells where in its row an edge stands. Where a source has several edges to one
 * object they stand side by side, and it does not matter which of them is taken for the weak one.
 */
struct error *edges_weak_backward(const struct snapshot *s, const struct bits *weak,
				  struct bits *skip)
{
	const struct edge_table *e = &s->edge;
	*skip = (struct bits){0};
	if (!weak->word)
		return NULL;
	_cleanup_free_ uint32_t *seen = csr_zalloc(s->object.n, sizeof(*seen));
	struct error *err = seen ? bits_init(skip, e->n) : &error_nomem;
	if (err)
		return err;
	for (uint64_t k = 0; k < e->n; k++) {
		uint32_t i = e->dst[k] - 1;
		uint64_t at = e->rfirst[i] + seen[i]++;
		if (bits_test(weak, k))
			bits_set(skip, at);
	}
	return NULL;
}
