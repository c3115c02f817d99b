/*
 * retained: dominators of everything, below one virtual root: the objects that roots point to, and
 * the heads of the leak clusters, so that unreachable objects have an account as well.
 */
#include "analysis/analysis.h"

#include "analysis/clusters_impl.h"
#include "analysis/edges_impl.h"
#include "base/cleanup.h"
#include "graph/dominator.h"

#include <inttypes.h>
#include <stdlib.h>

struct error *analysis_retained(struct snapshot *s, struct log *log)
{
	uint32_t n = s->object.n;
	free(s->object.dominator);
	free(s->object.retained);
	s->object.dominator = csr_alloc((uint64_t)n + 1, sizeof(*s->object.dominator));
	s->object.retained = csr_alloc((uint64_t)n + 1, sizeof(*s->object.retained));
	if (!s->object.dominator || !s->object.retained)
		return &error_nomem;
	_cleanup_(bits_deinit) struct bits weak = {0}, weak_backward = {0}, seed = {0};
	struct error *err = edges_weak(s, &weak);
	if (!err)
		err = edges_weak_backward(s, &weak, &weak_backward);
	struct csr forward = edges_forward(s), backward = edges_backward(s);
	forward.skip = edges_skip(&weak);
	backward.skip = edges_skip(&weak_backward);
	if (!err)
		err = leak_heads(s, &forward, &backward, &seed);
	if (err)
		return err;
	for (uint64_t i = 0; i < s->root.n; i++)
		bits_set(&seed, s->root.at[i].object_id);
	err = dominator_compute(&forward, &backward, &seed, s->object.size, s->object.dominator,
				s->object.retained);
	if (err)
		return err;
	log_debug(log, "retained: %" PRIu32 " objects", n);
	return NULL;
}
