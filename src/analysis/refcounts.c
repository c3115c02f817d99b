/*
 * refcounts: each object's count against the references that own.
 *
 *	found	references of kind REFERENCE_OWNING from objects and their buffers, and roots of that
 *		kind (a frame's local, the interpreter's own pointers)
 *	words	what looks like a pointer to the object or, not on stacks, into it (libev's watchers lie
 *		inside gevent's): in C blocks, in the data of modules, on stacks, in objects of types
 *		whose layout is not known. They explain counts that are missing ("held by C memory");
 *		they prove none
 *
 * No code keeps a count in a vector register alone; a copy (of a list, say) leaves addresses there.
 *
 *	count > found + words	more counts than holders anywhere in the dump: somebody forgot a
 *				Py_DECREF. The row's `found` has the words in it
 *	count < found		fewer counts than holders: a Py_INCREF forgotten, or a Py_DECREF too
 *				many: the object will be freed while it is in use
 *	else			explained: no row
 *
 * A stale word on a stack hides the leak of one object; a thousand of a kind are not hidden by it.
 * No rows for: immortal objects; objects in module data with counts to spare (nothing is lost with
 * them, and the interpreter's own modules take such counts when they begin); those whose type has no
 * count; and objects without a runtime that names references (their words are all that is known).
 *
 * Linear; 8 bytes per object while it runs.
 */
#include "analysis/analysis.h"

#include "base/cleanup.h"
#include "graph/csr.h"

#include <inttypes.h>

/* Counts by object; they stop at the top, and what stands there is no longer compared. */
static inline void count_up(uint32_t *n)
{
	*n += *n != UINT32_MAX;
}

/*
 * Does this word of a root point the way a holder's does? Module data may keep what is inside an object
 * that it was given (the text of a str that it leaves to be its documentation, as numpy does); what is
 * on stacks points to everything that was worked on.
 */
static inline bool root_holds(const struct root_row *r)
{
	return r->found != ROOT_BY_VECTOR && (r->grade <= ROOT_TLS || r->how != EDGE_INTERIOR);
}

static void count_references(const struct snapshot *s, uint32_t *owning, uint32_t *words)
{
	const struct object_table *o = &s->object;
	const struct edge_table *e = &s->edge;
	for (uint32_t id = 1; id <= o->n; id++) {
		bool compiled = o->flags && (o->flags[id - 1] & OBJECT_STATIC);
		for (uint64_t k = e->first[id - 1]; k < e->first[id]; k++) {
			uint32_t dst = e->dst[k];
			if (o->refcount[dst - 1] == INT64_MIN)
				continue;
			if (e->kind[k] == REFERENCE_OWNING)
				count_up(compiled ? &words[dst - 1] : &owning[dst - 1]);
			else if (e->kind[k] == REFERENCE_WORD)
				count_up(&words[dst - 1]);
		}
	}
	for (uint64_t i = 0; i < s->root.n; i++) {
		const struct root_row *r = &s->root.at[i];
		if (o->refcount[r->object_id - 1] == INT64_MIN)
			continue;
		if (r->kind == REFERENCE_OWNING)
			count_up(&owning[r->object_id - 1]);
		else if (r->kind == REFERENCE_WORD && root_holds(r))
			count_up(&words[r->object_id - 1]);
	}
}

struct error *analysis_refcounts(struct snapshot *s, struct log *log)
{
	const struct object_table *o = &s->object;
	s->refcount_error.n = 0;
	if (!o->refcount || !s->edge.kind)
		return NULL;
	if (s->counts_doubtful)
		return snapshot_meta(s, "counts_doubtful", "1");
	_cleanup_free_ uint32_t *owning = csr_zalloc(o->n, sizeof(*owning));
	_cleanup_free_ uint32_t *words = csr_zalloc(o->n, sizeof(*words));
	if (!owning || !words)
		return &error_nomem;
	count_references(s, owning, words);
	uint64_t audited = 0, more = 0;
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->refcount[i] == INT64_MIN || owning[i] == UINT32_MAX ||
		    (o->flags && (o->flags[i] & OBJECT_IMMORTAL)))
			continue;
		audited++;
		int64_t found = owning[i];
		if (o->refcount[i] > found) {
			int64_t missing = o->refcount[i] - found;
			found += missing < words[i] ? missing : words[i];
		}
		bool compiled = o->flags && (o->flags[i] & OBJECT_STATIC);
		if (o->refcount[i] == found || (compiled && o->refcount[i] > found))
			continue;
		more += o->refcount[i] > found;
		struct error *err = vec_push(&s->refcount_error,
					     ((struct refcount_row){i + 1, o->refcount[i], found}));
		if (err)
			return err;
	}
	log_info(log,
		 "counts: %" PRIu64 " of %" PRIu64 " have counts that nothing holds, %" PRIu64
		 " fewer counts than holders",
		 more, audited, s->refcount_error.n - more);
	return snapshot_meta(s, "counts_audited", "%" PRIu64, audited);
}
