/*
 * pygc_unseen: cycles that no root leads to, and that the collector would not free either.
 *
 * What pygc.c found to be garbage the collector frees. Any other unreachable cycle with an object in
 * it that counts its references is kept by a count that the collector cannot explain: a reference
 * that it is not shown, or one that somebody took and never gave back (refcounts.c). On the way
 * round the cycle the first of these is at fault:
 *
 *	an object that is in none of the collector's lists: of a type without Py_TPFLAGS_HAVE_GC,
 *		or never given to it (PyObject_GC_Track)
 *	one with a reference to a member that its tp_traverse is known not to visit
 *	one with a block of C memory that leads on, whose tp_traverse visits nothing there
 *
 * Where no such object is and a type's function could not be followed (OBJECT_UNTRAVERSED), it may
 * be a cycle that a collection would free, or not: collectable is not known then, whether pygc.c took it
 * to be garbage or not.
 *
 * Linear in members and their references; 4 bytes per object while it runs.
 */
#include "analysis/analysis.h"

#include "analysis/edges_impl.h"
#include "base/cleanup.h"
#include "graph/csr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNSEEN_FINDINGS = 16 };

/* Why: in the order of how little it takes to be sure. */
enum unseen_why {
	UNSEEN_NOT,
	UNSEEN_UNKNOWN,	  /* a function that could not be followed */
	UNSEEN_BLOCK,	  /* by way of C memory */
	UNSEEN_REFERENCE, /* not visited */
	UNSEEN_UNTRACKED, /* has the collector's header, and is in none of its lists */
	UNSEEN_FROZEN,	  /* taken out of them by the program */
	UNSEEN_NO_GC,
	UNSEEN_WHYS,
};

struct unseen {
	enum unseen_why why;
	uint32_t culprit;
};

struct cycles {
	struct snapshot *s;
	uint32_t *cluster; /* by object: number of its cycle; 0: of none */
};

static void cycles_deinit(struct cycles *c)
{
	free(c->cluster);
}

static uint32_t fold(const struct object_table *o, uint32_t id)
{
	uint32_t owner = o->owner_id ? o->owner_id[id - 1] : 0;
	return owner ? owner : id;
}

static bool counted(const struct object_table *o, uint32_t id)
{
	return o->refcount[id - 1] != INT64_MIN;
}

static void suspect(struct unseen *u, enum unseen_why why, uint32_t id)
{
	if (why > u->why)
		*u = (struct unseen){why, id};
}

/* The references of one member that stay in the cycle. `src` is it, or who owns it. */
static void unseen_references(const struct cycles *c, uint32_t id, uint32_t src, struct unseen *u)
{
	const struct object_table *o = &c->s->object;
	const struct edge_table *e = &c->s->edge;
	for (uint64_t k = e->first[id - 1]; k < e->first[id]; k++) {
		uint32_t dst = e->dst[k];
		if (c->cluster[dst - 1] != c->cluster[id - 1] || e->kind[k] == REFERENCE_WEAK ||
		    fold(o, dst) == src)
			continue;
		bool unseen = e->name && (e->name[k] & EDGE_NAME_UNSEEN);
		if (unseen && counted(o, dst))
			suspect(u, UNSEEN_REFERENCE, src);
		else if (e->kind[k] == REFERENCE_WORD)
			suspect(u,
				o->flags[src - 1] & OBJECT_UNTRAVERSED ? UNSEEN_UNKNOWN
				: counted(o, fold(o, dst))	       ? UNSEEN_NOT
								       : UNSEEN_BLOCK,
				src);
	}
}

static struct unseen unseen_find(const struct cycles *c, const struct cluster_row *r)
{
	const struct object_table *o = &c->s->object;
	struct unseen u = {UNSEEN_NOT, 0};
	bool unknown = false;
	for (uint64_t m = r->first_member; m < r->first_member + r->objects; m++) {
		uint32_t id = c->s->member.at[m], src = fold(o, id);
		if (!counted(o, src))
			continue;
		if (!(o->flags[src - 1] & OBJECT_GC))
			suspect(&u,
				o->flags[src - 1] & OBJECT_FROZEN		 ? UNSEEN_FROZEN
				: object_block(o, src - 1) < o->address[src - 1] ? UNSEEN_UNTRACKED
										 : UNSEEN_NO_GC,
				src);
		unknown |= (o->flags[src - 1] & OBJECT_UNTRAVERSED) != 0;
		unseen_references(c, id, src, &u);
	}
	/* A function that was not followed may show what the block hides. */
	if (unknown && u.why == UNSEEN_BLOCK)
		u.why = UNSEEN_UNKNOWN;
	return u;
}

/* ---- findings: one for each type at fault, and each reason ---- */

struct group {
	uint32_t type_id, culprit, cluster_id;
	enum unseen_why why;
	uint64_t like, objects, bytes, most;
};

static const struct {
	const char *title; /* behind the number */
	const char *detail;
} unseen_text[UNSEEN_WHYS] = {
	[UNSEEN_UNKNOWN] =
		{" that the collector may not see",
		 "nothing leads to them; whether gc.collect() would free them is in this "
		 "type's traverse function, whose code is neither in the dump nor in a "
		 "binary that was found"},
	[UNSEEN_BLOCK] = {" that the collector cannot see",
			  "nothing leads to them, and gc.collect() never frees them: they go "
			  "through memory of C that this type's traverse function does not show"},
	[UNSEEN_REFERENCE] = {" that the collector cannot see",
			      "nothing leads to them, and gc.collect() never frees them: this "
			      "type's traverse function leaves a reference out"},
	[UNSEEN_UNTRACKED] = {" that the collector cannot see",
			      "nothing leads to them, and gc.collect() never frees them: such "
			      "objects were never given to the collector, or taken from it"},
	[UNSEEN_FROZEN] = {" that the collector cannot see",
			   "nothing leads to them, and gc.collect() never frees them: gc.freeze() "
			   "took them out of its lists"},
	[UNSEEN_NO_GC] = {" that the collector cannot see",
			  "nothing leads to them, and gc.collect() never frees them: this type has "
			  "no traverse function (Py_TPFLAGS_HAVE_GC)"},
};

static struct error *unseen_finding(struct snapshot *s, const struct group *g)
{
	struct finding_row row = {
		.severity = g->why == UNSEEN_UNKNOWN ? SEVERITY_INFO : SEVERITY_WARNING,
		.objects = g->objects,
		.bytes = g->bytes,
		.object_id = g->culprit,
		.cluster_id = g->cluster_id,
		.type_id = g->type_id,
	};
	const char *type = "?", *module = "";
	if (row.type_id) {
		const struct type_row *t = &s->type.at[row.type_id - 1];
		type = intern_text(&s->strings, t->name);
		module = intern_text(&s->strings, t->module);
	}
	char text[512];
	int n = snprintf(text, sizeof(text), "%" PRIu64 " cycle%s%s, through %s%s%.200s", g->like,
			 g->like == 1 ? "" : "s", unseen_text[g->why].title, module,
			 *module ? "." : "", type);
	struct error *err = intern_str(&s->strings, "cycle-unseen", &row.kind);
	if (!err)
		err = intern_add(&s->strings, text,
				 (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1,
				 &row.title);
	n = snprintf(text, sizeof(text), "%s; heapscan show DB %" PRIu32,
		     unseen_text[g->why].detail, g->culprit);
	if (!err)
		err = intern_add(&s->strings, text, (size_t)n, &row.detail);
	return err ? err : vec_push(&s->finding, row);
}

static void group_add(struct group *group, unsigned *n, const struct cycles *c, uint64_t number,
		      const struct unseen *u)
{
	const struct cluster_row *r = &c->s->cluster.at[number];
	const uint32_t type = c->s->object.type_id[u->culprit - 1];
	unsigned i = 0;
	while (i < *n && (group[i].type_id != type || group[i].why != u->why))
		i++;
	if (i == UNSEEN_FINDINGS)
		return;
	struct group *g = &group[i];
	*n += i == *n;
	g->type_id = type;
	g->why = u->why;
	g->like++;
	g->objects += r->objects;
	g->bytes += r->bytes;
	if (r->bytes > g->most) {
		g->most = r->bytes;
		g->culprit = u->culprit;
		g->cluster_id = (uint32_t)number + 1;
	}
}

/* ---- all of it ---- */

static struct error *cycles_number(struct cycles *c)
{
	struct snapshot *s = c->s;
	c->cluster = csr_zalloc(s->object.n, sizeof(*c->cluster));
	if (!c->cluster)
		return &error_nomem;
	for (uint64_t i = 0; i < s->cluster.n; i++) {
		const struct cluster_row *r = &s->cluster.at[i];
		for (uint64_t m = 0; r->kind == CLUSTER_CYCLE && m < r->objects; m++)
			c->cluster[s->member.at[r->first_member + m] - 1] = (uint32_t)i + 1;
	}
	return NULL;
}

/* A leak behind a cycle is of the cycle's kind. */
static void leaks_mark(const struct cycles *c)
{
	struct snapshot *s = c->s;
	for (uint64_t i = 0; i < s->cluster.n; i++) {
		struct cluster_row *r = &s->cluster.at[i];
		uint32_t cycle = r->kind == CLUSTER_LEAK ? c->cluster[r->head_id - 1] : 0;
		if (!cycle)
			continue;
		r->collectable = s->cluster.at[cycle - 1].collectable;
		r->culprit_id = s->cluster.at[cycle - 1].culprit_id;
	}
}

/* Garbage only if a type's function shows what pygc.c takes it to show. */
static bool assumed_dead(const struct snapshot *s, const struct cluster_row *r)
{
	for (uint64_t m = 0; m < r->objects; m++)
		if (s->object.flags[s->member.at[r->first_member + m] - 1] & OBJECT_UNTRAVERSED)
			return true;
	return false;
}

struct error *analysis_pygc_unseen(struct snapshot *s, struct log *log)
{
	const struct object_table *o = &s->object;
	struct group group[UNSEEN_FINDINGS] = {0};
	_cleanup_(cycles_deinit) struct cycles c = {.s = s};
	unsigned n = 0;
	if (!o->flags || !o->refcount || !s->edge.kind)
		return NULL;
	struct error *err = cycles_number(&c);
	for (uint64_t i = 0; i < s->cluster.n && !err; i++) {
		struct cluster_row *r = &s->cluster.at[i];
		if (r->kind != CLUSTER_CYCLE || r->reachable)
			continue;
		const bool dead = o->flags[r->head_id - 1] & OBJECT_DEAD;
		struct unseen u = {.why = UNSEEN_NOT};
		if (!dead || assumed_dead(s, r))
			u = unseen_find(&c, r);
		if (dead && u.why == UNSEEN_NOT) {
			bool stays = o->flags[r->head_id - 1] & OBJECT_UNCOLLECTABLE;
			r->collectable = stays ? COLLECTABLE_NO : COLLECTABLE_YES;
		}
		if (u.why == UNSEEN_NOT)
			continue;
		r->culprit_id = u.culprit;
		r->collectable = u.why == UNSEEN_UNKNOWN ? COLLECTABLE_UNKNOWN : COLLECTABLE_NO;
		group_add(group, &n, &c, i, &u);
	}
	if (!err)
		leaks_mark(&c);
	for (unsigned i = 0; i < n && !err; i++)
		err = unseen_finding(s, &group[i]);
	log_debug(log, "garbage: cycles of %u types that the collector cannot see", n);
	return err;
}
