/*
 * age: dicts by their last write. Each write to a dict (and its making) gives it the next number of one
 * clock, ma_version_tag (PEP 509, Objects/dictobject.c, 3.6 to 3.13). From 3.12 on each interpreter has a
 * clock of its own: with several there is no order; nor is there between two CPythons in a process.
 *
 * A write to an attribute that lies in the instance, not in a dict, is not seen (3.11).
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

#include <stdlib.h>

struct stamp {
	uint64_t version;
	uint32_t object_id;
};

static int stamp_compare(const void *a, const void *b)
{
	const struct stamp *x = a, *y = b;
	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return x->object_id < y->object_id ? -1 : x->object_id > y->object_id;
}

struct error *py_age_find(struct py *py, uint64_t interpreters)
{
	const struct cpython_mapping_layout *l = &py->layout->mapping;
	struct snapshot *s = py->snapshot;
	if (py->ctx->state[RUNTIME_cpython_second])
		return NULL;
	if (l->version == CPYTHON_NONE || (l->version_by_interpreter && interpreters > 1))
		return NULL;
	uint64_t n = 0;
	for (uint32_t id = 1; id <= s->object.n; id++)
		n += py_is(py, id, PY_KIND_dict);
	_cleanup_free_ struct stamp *stamp = calloc(n + 1, sizeof(*stamp));
	if (!stamp)
		return &error_nomem;
	n = 0;
	for (uint32_t id = 1; id <= s->object.n; id++) {
		uint64_t version;
		if (!py_is(py, id, PY_KIND_dict) ||
		    !py_word(py, s->object.address[id - 1] + l->version, &version) ||
		    !(version >> l->version_shift))
			continue;
		stamp[n++] = (struct stamp){version >> l->version_shift, id};
	}
	qsort(stamp, n, sizeof(*stamp), stamp_compare);
	struct error *err = NULL;
	for (uint64_t i = 0; i < n && !err; i++)
		err = vec_push(&s->written, stamp[i].object_id);
	return err;
}
