/*
 * pygc: cyclic garbage as CPython's collector finds it, over the whole heap.
 *
 * The collector (Modules/gcmodule.c to 3.12, Python/gc.c from 3.13: deduce_unreachable) takes all
 * objects in its lists, and from a copy of each one's count subtracts one for each reference that
 * tp_traverse shows it from another of them. What is left above zero is held from outside the
 * lists; that, and what it leads to, is alive; the rest is garbage. We do the same with
 *
 *	the lists		OBJECT_GC: in one of them now. An object that the collector has
 *untracked (a tuple of numbers) is outside, as it is for the collector tp_traverse
 *references that own, but for those marked EDGE_NAME_UNSEEN
 *	a buffer		is its owner: what the table of a dict points to, the dict does
 *
 *	words of objects		OBJECT_UNTRAVERSED: of a type in C whose traverse function was
 *				not found. Such a word counts as shown where it is the only one
 *				in the dump that leads to its object: what the type owns, it
 *				shows, and nobody else could account for that count. A word
 *				anywhere else, a stale one too, leaves the object alive
 *
 * An immortal object counts as held. One whose references exceed its count (an over-release, or
 * damage) counts as held by nothing but them.
 *
 *	        +---------+
 *	  (2)   v         |		A counts 2, one of them from B: held from outside, as B is
 *	   --> [A] ----> [B] (1)	C and D: 1 - 1 = 0 both: garbage. E, which they alone lead to,
 *is (1) [C] <----> [D] (1)	garbage too; "x", of a type that is in no list, is not, but dies |
 *|		with them [E] (1)	  +--> "x" (1)
 *
 * Uncollectable are objects with a finalizer that the collector must not run in any order (tp_del:
 * __del__ of 2.7, C types with the old slot later), and what they lead to (move_legacy_finalizers).
 * From 3.4 on (PEP 442) __del__ does not prevent anything.
 *
 * Dead is more: all whose counts the garbage accounts for, as clearing it would free that too.
 *Words elsewhere that happen to hold the address of something dead (a stale stack slot, the
 *collector's own link) own nothing, since every count is explained: analysis_graph does not follow
 *them.
 *
 * What gc.collect() does beyond that, and we do not: weak references' callbacks and finalizers run
 * and may bring objects back to life.
 *
 * Linear in objects and references. Memory per object while it runs: 8 bytes and a bit; per
 * reference a bit. Nothing at all without objects of OBJECT_GC.
 */
#include "analysis/analysis.h"

#include "analysis/edges_impl.h"
#include "base/cleanup.h"
#include "graph/reach.h"

#include <inttypes.h>

struct pygc {
	struct snapshot *s;
	int32_t *refs;	  /* by object: count less what is explained; saturated */
	struct bits skip; /* edges that the collector does not follow; those to own buffers stay */
	struct reach flood;
	struct bits elsewhere; /* by object: words lead to it that are none of OBJECT_UNTRAVERSED */
	bool assumes;	       /* there are objects of OBJECT_UNTRAVERSED */
};

static void pygc_deinit(struct pygc *g)
{
	free(g->refs);
	bits_deinit(&g->skip);
	bits_deinit(&g->elsewhere);
	reach_deinit(&g->flood);
}

static inline uint32_t fold(const struct object_table *o, uint32_t id)
{
	uint32_t owner = o->owner_id ? o->owner_id[id - 1] : 0;
	return owner ? owner : id;
}

static inline bool counted(const struct object_table *o, uint32_t id)
{
	return o->refcount[id - 1] != INT64_MIN;
}

/* In the collector's lists, with a count that says something. */
static inline bool listed(const struct object_table *o, uint32_t id)
{
	return (o->flags[id - 1] & OBJECT_GC) && counted(o, id);
}

static inline bool immortal(const struct object_table *o, uint32_t id)
{
	return (o->flags[id - 1] & OBJECT_IMMORTAL) != 0;
}

static inline bool owning(const struct edge_table *e, uint64_t k)
{
	return e->kind && e->kind[k] == REFERENCE_OWNING;
}

static inline bool unseen(const struct edge_table *e, uint64_t k)
{
	return e->name && (e->name[k] & EDGE_NAME_UNSEEN);
}

/* ---- what types in C may show ---- */

enum { SAME_WORDS_MOST = 64 };

/* A word of an object in the lists that its traverse function may show. */
static bool maybe_shown(const struct snapshot *s, uint32_t id, uint64_t k)
{
	const struct object_table *o = &s->object;
	const struct edge_table *e = &s->edge;
	return (o->flags[id - 1] & OBJECT_UNTRAVERSED) && listed(o, id) &&
	       e->kind[k] == REFERENCE_WORD && !unseen(e, k) && edge_how(e->where[k]) == EDGE_START;
}

static struct error *pygc_elsewhere(struct pygc *g)
{
	const struct snapshot *s = g->s;
	const struct object_table *o = &s->object;
	for (uint32_t id = 1; id <= o->n && !g->assumes; id++)
		g->assumes = (o->flags[id - 1] & OBJECT_UNTRAVERSED) && listed(o, id);
	if (!g->assumes)
		return NULL;
	struct error *err = bits_init(&g->elsewhere, (uint64_t)o->n + 1);
	if (err)
		return err;
	for (uint32_t id = 1; id <= o->n; id++)
		for (uint64_t k = s->edge.first[id - 1]; k < s->edge.first[id]; k++)
			if (s->edge.kind[k] == REFERENCE_WORD && !maybe_shown(s, id, k))
				bits_set(&g->elsewhere, s->edge.dst[k]);
	for (uint64_t i = 0; i < s->root.n; i++)
		bits_set(&g->elsewhere, s->root.at[i].object_id);
	return NULL;
}

/* Is edge k of this object one that its type is taken to own and show? A second word to the same is not. */
static bool assumed(const struct pygc *g, uint32_t id, uint64_t k)
{
	const struct edge_table *e = &g->s->edge;
	if (!g->assumes || !maybe_shown(g->s, id, k) || !counted(&g->s->object, e->dst[k]) ||
	    bits_test(&g->elsewhere, e->dst[k]))
		return false;
	for (uint64_t i = k, n = 0; i-- > e->first[id - 1] && n < SAME_WORDS_MOST; n++)
		if (e->dst[i] == e->dst[k])
			return false;
	return true;
}

/* ---- */

static int32_t saturate(int64_t count)
{
	return count > INT32_MAX ? INT32_MAX : count < 0 ? 0 : (int32_t)count;
}

/* ---- the collector's part ---- */

static struct error *pygc_subtract(struct pygc *g)
{
	const struct object_table *o = &g->s->object;
	const struct edge_table *e = &g->s->edge;
	struct error *err = bits_init(&g->skip, e->n);
	g->refs = csr_alloc(o->n, sizeof(*g->refs));
	if (err || !g->refs)
		return &error_nomem;
	for (uint32_t id = 1; id <= o->n; id++)
		g->refs[id - 1] = counted(o, id) ? saturate(o->refcount[id - 1]) : 0;
	for (uint32_t id = 1; id <= o->n; id++) {
		uint32_t src = fold(o, id);
		bool source = listed(o, src);
		for (uint64_t k = e->first[id - 1]; k < e->first[id]; k++) {
			uint32_t dst = e->dst[k];
			bool own_buffer = o->owner_id && o->owner_id[dst - 1] == src;
			bool follows = source && listed(o, dst) &&
				       ((owning(e, k) && !unseen(e, k)) || assumed(g, id, k));
			if (follows && g->refs[dst - 1] > 0 && g->refs[dst - 1] != INT32_MAX)
				g->refs[dst - 1]--;
			if (!follows && !own_buffer)
				bits_set(&g->skip, k);
		}
	}
	return NULL;
}

static struct error *pygc_flood(struct pygc *g, struct csr *graph)
{
	const struct object_table *o = &g->s->object;
	struct error *err = reach_init(&g->flood, graph, o->n);
	if (err)
		return err;
	for (uint32_t id = 1; id <= o->n; id++)
		if (listed(o, id) && (g->refs[id - 1] > 0 || immortal(o, id)))
			reach_seed(&g->flood, id);
	reach_run(&g->flood);
	return NULL;
}

/* Marks what the flood did not reach, and lists it. */
static struct error *pygc_garbage(struct pygc *g)
{
	struct object_table *o = &g->s->object;
	for (uint32_t id = 1; id <= o->n; id++) {
		if (!listed(o, id) || bits_test(&g->flood.seen, id))
			continue;
		o->flags[id - 1] |= OBJECT_GARBAGE | OBJECT_DEAD;
		struct error *err = vec_push(&g->s->garbage, id);
		if (err)
			return err;
	}
	return NULL;
}

/* From the finalizers among the garbage on; the flood has not been there yet. */
static uint32_t pygc_uncollectable(struct pygc *g)
{
	struct object_table *o = &g->s->object;
	for (uint64_t i = 0; i < g->s->garbage.n; i++) {
		uint32_t id = g->s->garbage.at[i];
		if (o->flags[id - 1] & OBJECT_UNCLEARABLE)
			reach_seed(&g->flood, id);
	}
	uint32_t n = 0;
	for (uint32_t at = reach_run(&g->flood); at < g->flood.n; at++) {
		uint32_t id = g->flood.queue[at];
		if (!(o->flags[id - 1] & OBJECT_GARBAGE))
			continue;
		o->flags[id - 1] |= OBJECT_UNCOLLECTABLE;
		n++;
	}
	return n;
}

/* ---- what dies with it ---- */

/*
 * Everything whose count comes to nothing when the dead let go: the flood's queue is used again.
 * Each edge of something dead is met once, as each object is queued once.
 */
static void pygc_dead(struct pygc *g)
{
	struct object_table *o = &g->s->object;
	const struct edge_table *e = &g->s->edge;
	uint32_t *queue = g->flood.queue, n = 0;
	for (uint64_t i = 0; i < g->s->garbage.n; i++)
		queue[n++] = g->s->garbage.at[i];
	for (uint32_t id = 1; id <= o->n; id++)
		g->refs[id - 1] = counted(o, id) ? saturate(o->refcount[id - 1]) : 0;
	for (uint32_t at = 0; at < n; at++) {
		uint32_t id = queue[at], src = fold(o, id);
		for (uint64_t k = e->first[id - 1]; k < e->first[id]; k++) {
			uint32_t dst = e->dst[k];
			if (o->flags[dst - 1] & OBJECT_DEAD)
				continue;
			if (o->owner_id && o->owner_id[dst - 1] == src) {
				o->flags[dst - 1] |= OBJECT_DEAD;
				queue[n++] = dst;
				continue;
			}
			if (!(owning(e, k) || assumed(g, id, k)) || !counted(o, dst) ||
			    immortal(o, dst) || g->refs[dst - 1] <= 0 ||
			    g->refs[dst - 1] == INT32_MAX)
				continue;
			if (--g->refs[dst - 1])
				continue;
			o->flags[dst - 1] |= OBJECT_DEAD;
			queue[n++] = dst;
		}
	}
}

struct error *analysis_pygc(struct snapshot *s, struct log *log)
{
	struct object_table *o = &s->object;
	s->garbage.n = 0;
	if (!o->flags || !o->refcount || !s->edge.kind)
		return NULL;
	uint64_t in_lists = 0;
	for (uint32_t id = 1; id <= o->n; id++) {
		o->flags[id - 1] &=
			(uint16_t) ~(OBJECT_GARBAGE | OBJECT_UNCOLLECTABLE | OBJECT_DEAD);
		in_lists += listed(o, id);
	}
	if (!in_lists)
		return NULL;
	_cleanup_(pygc_deinit) struct pygc g = {.s = s};
	struct csr graph = edges_forward(s);
	struct error *err = pygc_elsewhere(&g);
	if (!err)
		err = pygc_subtract(&g);
	graph.skip = &g.skip;
	if (!err)
		err = pygc_flood(&g, &graph);
	if (!err)
		err = pygc_garbage(&g);
	if (err)
		return err;
	uint32_t uncollectable = pygc_uncollectable(&g);
	pygc_dead(&g);
	log_info(log,
		 "garbage: %" PRIu64 " of the collector's %" PRIu64
		 " objects are in cycles that nothing outside holds, %" PRIu32 " uncollectable",
		 s->garbage.n, in_lists, uncollectable);
	err = snapshot_meta(s, "gc_tracked", "%" PRIu64, in_lists);
	if (!err)
		err = snapshot_meta(s, "gc_garbage", "%" PRIu64, s->garbage.n);
	if (!err)
		err = snapshot_meta(s, "gc_uncollectable", "%" PRIu32, uncollectable);
	return err;
}
