/* kept: see kept_impl.h. */
#include "runtime/cpython/kept_impl.h"

#include "runtime/cpython/states.h"

#include <stdlib.h>

int64_t kept_spare(const struct kept *k, uint32_t id)
{
	const struct object_table *o = &k->py->snapshot->object;
	const uint32_t owning = k->held.owning[id - 1], words = k->held.words[id - 1];
	if (o->refcount[id - 1] == INT64_MIN || owning == UINT32_MAX ||
	    o->flags[id - 1] & (OBJECT_IMMORTAL | OBJECT_STATIC))
		return 0;
	const int64_t held = (int64_t)owning + words;
	return o->refcount[id - 1] > held ? o->refcount[id - 1] - held : 0;
}

struct error *kept_add(struct kept *k, uint32_t id, uint32_t most, const char *cause,
		       uint32_t module_id)
{
	struct snapshot *s = k->py->snapshot;
	const int64_t spare = kept_spare(k, id);
	struct kept_row row = {.object_id = id, .module_id = module_id};
	if (!spare || spare > most)
		return NULL;
	struct error *err = intern_str(&s->strings, cause, &row.cause);
	row.counts = (uint32_t)spare;
	row.rooted = !k->held.owning[id - 1] && !k->held.words[id - 1];
	if (!err)
		err = vec_push(&s->kept, row);
	const struct root_row root = {
		.object_id = id,
		.grade = ROOT_DATA,
		.how = EDGE_START,
		.kind = REFERENCE_WORD,
		.found = ROOT_BY_RUNTIME,
		.depth = -1,
		.module_id = module_id,
		.name = row.cause,
	};
	/* What else holds an object says more of why it is alive. */
	if (!err && row.rooted)
		err = vec_push(&s->root, root);
	k->held.words[id - 1] += row.counts;
	return err;
}

static struct error *odd_find(struct kept *k)
{
	struct error *err = NULL;
	for (uint32_t id = 1; id <= k->py->snapshot->object.n && !err; id++)
		if (k->py->object_type[id - 1] && kept_spare(k, id))
			err = vec_push(&k->odd, id);
	return err;
}

static int kept_compare(const void *a, const void *b)
{
	const struct kept_row *x = a, *y = b;
	return x->object_id < y->object_id ? -1 : x->object_id > y->object_id;
}

struct error *py_kept_counts(struct py *py)
{
	struct snapshot *s = py->snapshot;
	if (s->counts_doubtful || !s->object.refcount || !s->object.flags || !s->edge.kind)
		return NULL;
	struct kept k = {.py = py};
	struct error *err = snapshot_count_holders(s, &k.held);
	if (!err)
		err = odd_find(&k);
	if (!err && k.odd.n)
		err = kept_known(&k);
	if (!err && k.odd.n)
		err = kept_f2py(&k);
	if (!err && k.odd.n)
		err = kept_cython(&k);
	if (s->kept.n)
		qsort(s->kept.at, s->kept.n, sizeof(*s->kept.at), kept_compare);
	count_holders_deinit(&k.held);
	vec_deinit(&k.odd);
	return err;
}
