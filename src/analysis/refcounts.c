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
 *	count > found + words	more counts than holders anywhere in the dump: somebody forgot a
 *				Py_DECREF. The row's `found` has the words in it
 *	count < found		fewer counts than holders: a Py_INCREF forgotten, or a Py_DECREF too
 *				many: the object will be freed while it is in use
 *	else			explained: no row
 *
 * A stale word on a stack hides the leak of one object; a thousand of a kind are not hidden by it.
 * No rows for: immortal objects; objects in module data with counts to spare (nothing is lost with
 * them, and the interpreter's own modules take such counts when they begin), or with one less than their
 * holders (the one that they were compiled with: PyModule_AddObject gives it to the module's dict, where
 * an INCREF was forgotten, as in matplotlib 3.6; they live as long as that dict has them); those whose type has no
 * count; and objects without a runtime that names references (their words are all that is known).
 *
 * Linear; 8 bytes per object while it runs.
 */
#include "analysis/analysis.h"

#include <inttypes.h>

/* Rows, and meta.counts_audited. */
static struct error *audit(struct snapshot *s, const struct count_holders *held, struct log *log)
{
	const struct object_table *o = &s->object;
	uint64_t audited = 0, more = 0;
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->refcount[i] == INT64_MIN || held->owning[i] == UINT32_MAX ||
		    (o->flags && (o->flags[i] & OBJECT_IMMORTAL)))
			continue;
		audited++;
		int64_t found = held->owning[i];
		if (o->refcount[i] > found) {
			int64_t missing = o->refcount[i] - found;
			found += missing < held->words[i] ? missing : held->words[i];
		}
		bool compiled = o->flags && (o->flags[i] & OBJECT_STATIC);
		if (o->refcount[i] == found || (compiled && o->refcount[i] + 1 >= found))
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

struct error *analysis_refcounts(struct snapshot *s, struct log *log)
{
	const struct object_table *o = &s->object;
	s->refcount_error.n = 0;
	if (!o->refcount || !s->edge.kind)
		return NULL;
	if (s->counts_doubtful)
		return snapshot_meta(s, "counts_doubtful", "1");
	struct count_holders held = {0};
	struct error *err = snapshot_count_holders(s, &held);
	if (!err)
		err = audit(s, &held, log);
	count_holders_deinit(&held);
	return err;
}
