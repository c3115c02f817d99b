#include "runtime/cpython/damaged.h"
#include "runtime/cpython/py.h"
#include "runtime/cpython/states.h"

#include <inttypes.h>
#include <stdlib.h>

uint32_t py_object_id(const struct py *py, uint64_t addr)
{
	uint32_t id = snapshot_object_find(py->snapshot, addr);
	return id && py->object_type[id - 1] && py->snapshot->object.address[id - 1] == addr ? id
											     : 0;
}

static struct py *py_state(const struct runtime_context *ctx)
{
	return ctx->state[RUNTIME_cpython];
}

static struct error *cpython_prepare(struct runtime_context *ctx)
{
	struct py *py = calloc(1, sizeof(*py));
	if (!py)
		return &error_nomem;
	if (!cpython_resolve(ctx->image, ctx->debuginfo, ctx->damage, &py->cpython) &&
	    !py->cpython.newer) {
		free(py);
		return NULL;
	}
	ctx->state[RUNTIME_cpython] = py;
	py->damage = calloc(PY_DAMAGES, sizeof(*py->damage));
	if (!py->damage)
		return &error_nomem;
	py->ctx = ctx;
	py->image = ctx->image;
	py->debuginfo = ctx->debuginfo;
	py->snapshot = ctx->snapshot;
	py->layout = py->cpython.layout;
	ctx->snapshot->interpreter_module_id = py->cpython.module_id;
	log_info(ctx->log, "CPython %s, by %s", py->cpython.version, py->cpython.how);
	struct error *err =
		snapshot_meta(ctx->snapshot, "python_version", "%s", py->cpython.version);
	if (err || py->cpython.newer)
		return err;
	if (py->cpython.debug)
		err = snapshot_meta(ctx->snapshot, "python_build", "debug");
	if (!err)
		err = py_types_static(py);
	if (!err) {
		py_runtime_find(py);
		err = py_threads_prepare(py);
		if (!err)
			err = py_tracemalloc_find(py);
	}
	if (!err)
		err = py_freelists_hide(py);
	if (!err)
		err = py_collector_hide(py);
	return err ? err : py_statics_find(py);
}

static struct error *cpython_objects(struct runtime_context *ctx)
{
	struct py *py = py_state(ctx);
	if (!py || py->cpython.newer)
		return NULL;
	struct error *err = py_pads_place(py);
	if (!err)
		err = py_builtin_types_find(py);
	if (!err)
		err = py_types_heap(py);
	if (!err)
		err = py_objects_claim(py);
	/* Says which blocks are buffers, and so no objects. */
	if (!err)
		err = py_visit_prepare(py);
	if (!err)
		err = py_values(py);
	if (!err)
		err = py_tracemalloc_sites(py);
	if (!err)
		err = snapshot_meta(ctx->snapshot, "python_objects", "%" PRIu64, py->objects);
	if (!err)
		err = py_type_names_missing(py);
	return err;
}

static struct error *cpython_references(struct runtime_context *ctx)
{
	struct py *py = py_state(ctx);
	if (!py)
		return NULL;
	if (py->cpython.newer)
		return py_newer_frames(py);
	struct error *err = py_damaged_links(py);
	if (!err)
		err = py_interned_find(py);
	if (!err)
		err = py_own_counts(py);
	if (!err)
		err = py_statics_roots(py);
	if (!err)
		err = py_suspended_find(py);
	return err ? err : py_states_roots(py);
}

static void cpython_visit(const struct runtime_context *ctx, uint32_t object_id,
			  struct edge_sink *sink)
{
	py_visit(py_state(ctx), object_id, sink);
}

static bool cpython_contents(const struct runtime_context *ctx, uint32_t object_id,
			     struct object_contents *ret)
{
	return py_contents(py_state(ctx), object_id, ret);
}

static bool cpython_spare(const struct runtime_context *ctx, uint32_t object_id,
			  struct object_spare *ret)
{
	return py_spare(py_state(ctx), object_id, ret);
}

static void cpython_finish(struct runtime_context *ctx)
{
	struct py *py = py_state(ctx);
	if (!py)
		return;
	if (py->image)
		py_damaged_tell(py);
	free(py->damage);
	py_visit_finish(py);
	vec_deinit(&py->type);
	vec_deinit(&py->fixed);
	vec_deinit(&py->trace);
	vec_deinit(&py->trace_block);
	bits_deinit(&py->interned);
	bits_deinit(&py->on_thread);
	free(py->type_slot);
	free(py->object_type);
	free(py);
	ctx->state[RUNTIME_cpython] = NULL;
}

const struct runtime runtime_cpython = {
	.name = "cpython",
	.prepare = cpython_prepare,
	.objects = cpython_objects,
	.references = cpython_references,
	.visit = cpython_visit,
	.contents = cpython_contents,
	.spare = cpython_spare,
	.finish = cpython_finish,
};
