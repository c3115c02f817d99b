/*
 * clusters: what is lost, in heaps that belong together; and what holds itself.
 *
 * leak	Every unreachable object is in exactly one. A cluster has a head: an object that no other
 *	points to, or of a cycle that nothing outside leads to, one member (head_is_better: a typed
 *	one, of the program's types rather than its language's, then the biggest, then the first).
 *	Heads are taken in address order, each with all that it leads to and that no earlier head
 *	took. As valgrind and LeakSanitizer say it, the head is
 *	lost directly, the rest through it; an object behind two heads counts with the first.
 *
 *	 A -> B -> C	one: head A, members A B C	A -> C <- B	two: A with C; B alone
 *	 A <-> B -> C	one: A or B, members A B C	A -> B <-> C	one: head A
 *
 * cycle	Strongly connected components with more than one object, or with one that refers to
 *	itself. Among unreachable objects any reference counts that is not weak; among reachable
 *	ones those that own, from a typed object to a typed one. A buffer counts with its owner.
 *	Where classes or modules are in a reachable one, what is strongly connected without them is
 *	one, too, behind the others: what the program's own objects do.
 *
 * Rows of the first kind are in the order of their heads' addresses, of the second of their first
 * members'; members are in address order. Memory per object while it runs: 4 bytes and 4 more per
 * unreachable one (leak), 16 bytes (cycle); none if all is reachable and no reference is typed.
 */
#include "analysis/clusters_impl.h"

#include "analysis/edges_impl.h"
#include "base/cleanup.h"
#include "graph/reach.h"
#include "graph/scc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

/* ---- shared by both kinds ---- */

/*
 * Fills the member lists of the clusters from `from` on: group[id - 1] is 1 for the first of these,
 * and so on, 0 for no member. Their rows' first_member must be set; members come out in id order.
 */
static void members_place(struct snapshot *s, const uint32_t *group, uint64_t from)
{
	if (from == s->cluster.n)
		return;
	struct cluster_row *row = s->cluster.at + from;
	for (uint32_t i = 0; i < s->object.n; i++)
		if (group[i])
			s->member.at[row[group[i] - 1].first_member++] = i + 1;
	for (uint64_t c = from; c < s->cluster.n; c++)
		s->cluster.at[c].first_member -= s->cluster.at[c].objects;
}

/* ---- leaks ---- */

static struct error *leak_add(struct snapshot *s, struct shape *shape, struct reach *flood,
			      uint32_t *group, uint32_t head, uint32_t number)
{
	reach_seed(flood, head);
	uint32_t from = reach_run(flood), n = flood->n - from;
	const uint32_t *member = flood->queue + from;
	struct cluster_row row = {
		.kind = CLUSTER_LEAK,
		.objects = n,
		.direct_bytes = s->object.size[head - 1],
		.head_id = head,
		.first_member = s->member.n,
	};
	for (uint32_t k = 0; k < n; k++) {
		if (n - k > 16)
			__builtin_prefetch(&s->object.size[member[k + 16] - 1]);
		group[member[k] - 1] = number;
		row.bytes += s->object.size[member[k] - 1];
	}
	struct error *err = shape_signature(shape, flood->graph, member, n, group, number, head,
					    &row.signature);
	if (err)
		return err;
	s->member.n += n;
	return vec_push(&s->cluster, row);
}

static struct error *clusters_leaks(struct snapshot *s, const struct csr *forward,
				    const struct bits *head, struct shape *shape)
{
	uint32_t n = s->object.n, unreachable = 0, heads = 0;
	for (uint32_t i = 0; i < n; i++)
		unreachable += !s->object.reachable[i];
	if (!unreachable)
		return NULL;
	for (uint64_t k = 0; k < head->n / 64 + 1; k++)
		heads += (uint32_t)__builtin_popcountll(head->word[k]);
	_cleanup_free_ uint32_t *group = csr_zalloc(n, sizeof(*group));
	_cleanup_(reach_deinit) struct reach flood = {0};
	struct error *err = group ? reach_init(&flood, forward, unreachable) : &error_nomem;
	if (!err)
		err = vec_reserve(&s->cluster, s->cluster.n + heads);
	if (!err)
		err = vec_reserve(&s->member, s->member.n + unreachable);
	if (err)
		return err;
	for (uint32_t i = 0; i < n; i++)
		if (s->object.reachable[i])
			bits_set(&flood.seen, i + 1);
	uint64_t from = s->cluster.n;
	uint32_t number = 0;
	for (uint32_t v = 1; v <= n && !err; v++)
		if (bits_test(head, v))
			err = leak_add(s, shape, &flood, group, v, ++number);
	if (err)
		return err;
	assert(flood.n == unreachable);
	members_place(s, group, from);
	return NULL;
}

/* ---- cycles ---- */

/* An owned buffer stands for its owner. */
static uint32_t cycle_fold(const struct snapshot *s, uint32_t id)
{
	uint32_t owner = s->object.owner_id ? s->object.owner_id[id - 1] : 0;
	return owner ? owner : id;
}

static bool cycle_is_typed(const struct snapshot *s, uint32_t id)
{
	return cluster_type(s, cycle_fold(s, id));
}

/* Which objects can be on a cycle; *ret tells how many. */
static struct error *cycle_objects(const struct snapshot *s, struct bits *in, uint32_t *ret)
{
	struct error *err = bits_init(in, (uint64_t)s->object.n + 1);
	*ret = 0;
	for (uint32_t id = 1; !err && id <= s->object.n; id++) {
		if (s->object.reachable[cycle_fold(s, id) - 1] &&
		    (!s->edge.kind || !cycle_is_typed(s, id)))
			continue;
		bits_set(in, id);
		++*ret;
	}
	return err;
}

static bool cycle_counts(const struct snapshot *s, uint32_t src, uint64_t edge)
{
	uint32_t dst = s->edge.dst[edge];
	uint8_t kind = s->edge.kind[edge];
	if (cycle_fold(s, dst) == src && dst != src)
		return true; /* its own buffer */
	if (kind == REFERENCE_WEAK)
		return false;
	if (!s->object.reachable[src - 1])
		return true;
	return kind == REFERENCE_OWNING && cycle_is_typed(s, src) && cycle_is_typed(s, dst);
}

/* The references that do not make cycles. Without kinds, all do that join objects of the set. */
static struct error *cycle_skip(const struct snapshot *s, struct bits *skip)
{
	if (!s->edge.kind)
		return NULL;
	struct error *err = bits_init(skip, s->edge.n);
	for (uint32_t id = 1; !err && id <= s->object.n; id++)
		for (uint64_t e = s->edge.first[id - 1]; e < s->edge.first[id]; e++)
			if (!cycle_counts(s, id, e))
				bits_set(skip, e);
	return err;
}

/*
 * Turns components into clusters, numbered from 1 by their first member: group[id - 1] goes from
 * component to cluster, 0 for what is on no cycle. *ret gets how many, *members their members.
 */
static struct error *cycle_number(const struct snapshot *s, const struct csr *graph,
				  uint32_t components, uint32_t *group, uint32_t *ret,
				  uint64_t *members)
{
	/* By component: how many objects, buffers not counted, up to 2; then the cluster's number.
	 */
	_cleanup_free_ uint32_t *number = csr_zalloc((uint64_t)components + 1, sizeof(*number));
	_cleanup_(bits_deinit) struct bits cycle = {0};
	struct error *err = number ? bits_init(&cycle, (uint64_t)components + 1) : &error_nomem;
	if (err)
		return err;
	for (uint32_t id = 1; id <= graph->n; id++) {
		uint32_t c = group[id - 1];
		if (!c || bits_test(&cycle, c))
			continue;
		uint32_t main = cycle_fold(s, id);
		if (group[main - 1] != c)
			continue;
		if (main == id && ++number[c] > 1)
			bits_set(&cycle, c);
		for (uint64_t e = graph->first[id - 1]; e < graph->first[id]; e++)
			if (graph->dst[e] == main && csr_counts(graph, e))
				bits_set(&cycle, c);
	}
	for (uint32_t c = 0; c <= components; c++)
		number[c] = 0;
	*ret = 0;
	*members = 0;
	for (uint32_t i = 0; i < graph->n; i++) {
		uint32_t c = group[i];
		if (!c || !bits_test(&cycle, c)) {
			group[i] = 0;
			continue;
		}
		if (!number[c])
			number[c] = ++*ret;
		group[i] = number[c];
		++*members;
	}
	return NULL;
}

static void cycle_rows(struct snapshot *s, const uint32_t *group, uint32_t clusters)
{
	if (!clusters)
		return;
	struct cluster_row *row = s->cluster.at + s->cluster.n;
	for (uint32_t c = 0; c < clusters; c++)
		row[c] = (struct cluster_row){.kind = CLUSTER_CYCLE};
	for (uint32_t id = 1; id <= s->object.n; id++) {
		if (!group[id - 1])
			continue;
		struct cluster_row *r = &row[group[id - 1] - 1];
		r->objects++;
		r->bytes += s->object.size[id - 1];
		if (s->object.flags && s->object.flags[id - 1] & OBJECT_DEFINITION)
			r->definitions = 1;
		if (!r->head_id || head_is_better(s, id, r->head_id))
			r->head_id = id;
	}
	for (uint32_t c = 0; c < clusters; c++) {
		row[c].reachable = s->object.reachable[row[c].head_id - 1] != 0;
		row[c].direct_bytes = s->object.size[row[c].head_id - 1];
		row[c].first_member = s->member.n;
		s->member.n += row[c].objects;
	}
	uint64_t from = s->cluster.n;
	s->cluster.n += clusters;
	members_place(s, group, from);
}

/* The cycles of the objects in `in`. group: the caller's, a number for each object. */
static struct error *cycles_among(struct snapshot *s, const struct csr *graph,
				  const struct bits *in, struct shape *shape, uint32_t *group)
{
	uint32_t components, clusters;
	uint64_t members;
	struct error *err = scc_compute(graph, in, s->object.owner_id, group, &components);
	if (!err)
		err = cycle_number(s, graph, components, group, &clusters, &members);
	if (!err)
		err = vec_reserve(&s->cluster, s->cluster.n + clusters);
	if (!err)
		err = vec_reserve(&s->member, s->member.n + members);
	if (err)
		return err;
	uint64_t from = s->cluster.n;
	cycle_rows(s, group, clusters);
	for (uint32_t c = 0; c < clusters && !err; c++) {
		struct cluster_row *r = &s->cluster.at[from + c];
		err = shape_signature(shape, graph, s->member.at + r->first_member, r->objects,
				      group, c + 1, r->head_id, &r->signature);
	}
	return err;
}

/*
 * What a module's variable holds leads back to it by way of its class and that class's functions: all of it
 * is one cycle. The members, from `from` on, of such living ones without what the program is made of.
 */
static struct error *cycle_inner(const struct snapshot *s, uint64_t from, struct bits *in,
				 uint32_t *ret)
{
	struct error *err = bits_init(in, (uint64_t)s->object.n + 1);
	*ret = 0;
	for (uint64_t c = from; !err && c < s->cluster.n; c++) {
		const struct cluster_row *r = &s->cluster.at[c];
		const uint32_t *member = s->member.at + r->first_member;
		for (uint32_t k = 0; k < r->objects && r->definitions && r->reachable; k++) {
			if (s->object.flags[cycle_fold(s, member[k]) - 1] & OBJECT_DEFINITION)
				continue;
			bits_set(in, member[k]);
			++*ret;
		}
	}
	return err;
}

static struct error *clusters_cycles(struct snapshot *s, struct shape *shape)
{
	uint32_t n = s->object.n, objects, inner = 0;
	uint64_t from = s->cluster.n;
	_cleanup_(bits_deinit) struct bits in = {0}, skip = {0}, within = {0};
	struct error *err = cycle_objects(s, &in, &objects);
	if (err || !objects)
		return err;
	_cleanup_free_ uint32_t *group = csr_alloc(n, sizeof(*group));
	err = group ? cycle_skip(s, &skip) : &error_nomem;
	if (err)
		return err;
	struct csr graph = edges_forward(s);
	graph.skip = edges_skip(&skip);
	err = cycles_among(s, &graph, &in, shape, group);
	if (!err && s->object.flags)
		err = cycle_inner(s, from, &within, &inner);
	return err || !inner ? err : cycles_among(s, &graph, &within, shape, group);
}

struct error *clusters_find(struct snapshot *s, const struct csr *forward, const struct bits *head)
{
	s->cluster.n = s->member.n = 0;
	_cleanup_(shape_deinit) struct shape shape = {0};
	struct error *err = shape_init(&shape, s);
	if (!err)
		err = clusters_leaks(s, forward, head, &shape);
	if (!err)
		err = clusters_cycles(s, &shape);
	vec_trim(&s->cluster);
	return err;
}
