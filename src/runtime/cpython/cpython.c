#include "runtime/cpython/damaged.h"
#include "runtime/cpython/py.h"
#include "runtime/cpython/states.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint32_t py_object_id(const struct py *py, uint64_t addr)
{
	uint32_t id = snapshot_object_find(py->snapshot, addr);
	return id && py->object_type[id - 1] && py->snapshot->object.address[id - 1] == addr ? id
											     : 0;
}

static struct py *py_state(const struct runtime_context *ctx, unsigned nth)
{
	return ctx->state[RUNTIME_cpython + nth];
}

struct error *py_meta(const struct py *py, const char *key, const char *fmt, ...)
{
	char name[64], text[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(name, sizeof(name), "%s%s", py->nth ? "second_" : "", key);
	return snapshot_meta(py->snapshot, name, "%s", text);
}

static struct error *nth_prepare(struct runtime_context *ctx, unsigned nth, bool *found)
{
	struct py *py = calloc(1, sizeof(*py));
	if (!py)
		return &error_nomem;
	bool read = cpython_resolve(ctx->image, ctx->debuginfo, ctx->damage, nth, &py->cpython);
	*found = py->cpython.module_id;
	if (!read && !py->cpython.newer) {
		free(py);
		return NULL;
	}
	ctx->state[RUNTIME_cpython + nth] = py;
	py->nth = nth;
	py->damage = calloc(PY_DAMAGES, sizeof(*py->damage));
	if (!py->damage)
		return &error_nomem;
	py->ctx = ctx;
	py->image = ctx->image;
	py->debuginfo = ctx->debuginfo;
	py->snapshot = ctx->snapshot;
	py->layout = py->cpython.layout;
	ctx->snapshot->interpreter_module_id[nth] = py->cpython.module_id;
	log_info(ctx->log, "CPython %s, by %s", py->cpython.version, py->cpython.how);
	struct error *err = py_meta(py, "python_version", "%s", py->cpython.version);
	if (err || py->cpython.newer)
		return err;
	if (py->cpython.debug)
		err = py_meta(py, "python_build", "debug");
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
		err = py_method_cache_hide(py);
	if (!err)
		err = py_collector_hide(py);
	return err ? err : py_statics_find(py);
}

/* One more than can be read: said, not read. */
static void too_many(struct runtime_context *ctx)
{
	struct cpython more;
	(void)cpython_resolve(ctx->image, ctx->debuginfo, NULL, CPYTHON_RUNTIMES_MOST, &more);
	if (more.module_id)
		damage_add(ctx->damage, DAMAGE_MISSING, more.type_type,
			   "this process has more than %d Python runtimes: CPython %s in %s is not "
			   "read. "
			   "Its objects stay raw blocks",
			   CPYTHON_RUNTIMES_MOST, more.version,
			   image_module_get(ctx->image, more.module_id)->path);
}

static struct error *cpython_prepare(struct runtime_context *ctx)
{
	struct error *err = NULL;
	bool found = true;
	for (unsigned nth = 0; nth < CPYTHON_RUNTIMES_MOST && found && !err; nth++)
		err = nth_prepare(ctx, nth, &found);
	if (!err && found)
		too_many(ctx);
	return err;
}

static struct error *nth_objects(struct py *py)
{
	/* Where debug hooks were at work is told of all blocks at once. */
	struct error *err = !py->nth || !py_state(py->ctx, 0) ? py_pads_place(py) : NULL;
	if (!err)
		err = py_builtin_types_find(py);
	if (!err)
		err = py_types_heap(py);
	if (!err)
		err = py_objects_claim(py);
	if (!err)
		py_syntax_claim(py);
	/* Says which blocks are buffers, and so no objects. */
	if (!err)
		err = py_visit_prepare(py);
	if (!err)
		err = py_values(py);
	if (!err)
		err = py_tracemalloc_sites(py);
	if (!err)
		err = py_meta(py, "python_objects", "%" PRIu64, py->objects);
	if (!err)
		err = py_type_names_missing(py);
	if (!err)
		err = py_untraversed_tell(py);
	return err;
}

static struct error *cpython_objects(struct runtime_context *ctx)
{
	struct error *err = NULL;
	for (unsigned nth = 0; nth < CPYTHON_RUNTIMES_MOST && !err; nth++)
		if (py_state(ctx, nth) && !py_state(ctx, nth)->cpython.newer)
			err = nth_objects(py_state(ctx, nth));
	return err;
}

static struct error *nth_references(struct py *py)
{
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
		err = py_freelists_roots(py);
	if (!err)
		err = py_method_cache_roots(py);
	if (!err)
		err = py_suspended_find(py);
	return err ? err : py_states_roots(py);
}

static struct error *cpython_references(struct runtime_context *ctx)
{
	struct error *err = NULL;
	for (unsigned nth = 0; nth < CPYTHON_RUNTIMES_MOST && !err; nth++)
		if (py_state(ctx, nth))
			err = nth_references(py_state(ctx, nth));
	return err;
}

static struct error *cpython_counts(struct runtime_context *ctx)
{
	struct error *err = NULL;
	for (unsigned nth = 0; nth < CPYTHON_RUNTIMES_MOST && !err; nth++) {
		struct py *py = py_state(ctx, nth);
		if (py && !py->cpython.newer)
			err = py_kept_counts(py);
	}
	return err;
}

static void nth_finish(struct py *py)
{
	if (py->image)
		py_damaged_tell(py);
	free(py->damage);
	py_visit_finish(py);
	vec_deinit(&py->type);
	vec_deinit(&py->fixed);
	vec_deinit(&py->trace);
	vec_deinit(&py->free_array);
	vec_deinit(&py->method_cache);
	vec_deinit(&py->trace_block);
	bits_deinit(&py->interned);
	bits_deinit(&py->on_thread);
	free(py->type_slot);
	free(py->object_type);
	free(py);
}

static void cpython_finish(struct runtime_context *ctx)
{
	for (unsigned nth = 0; nth < CPYTHON_RUNTIMES_MOST; nth++) {
		if (py_state(ctx, nth))
			nth_finish(py_state(ctx, nth));
		ctx->state[RUNTIME_cpython + nth] = NULL;
	}
}

/* ---- what is asked of an object: of the struct py that claimed it ---- */

static void cpython_visit(const struct runtime_context *ctx, uint32_t object_id,
			  struct edge_sink *sink)
{
	py_visit(py_state(ctx, 0), object_id, sink);
}

static bool cpython_contents(const struct runtime_context *ctx, uint32_t object_id,
			     struct object_contents *ret)
{
	return py_contents(py_state(ctx, 0), object_id, ret);
}

static bool cpython_spare(const struct runtime_context *ctx, uint32_t object_id,
			  struct object_spare *ret)
{
	return py_spare(py_state(ctx, 0), object_id, ret);
}

static void second_visit(const struct runtime_context *ctx, uint32_t object_id,
			 struct edge_sink *sink)
{
	py_visit(py_state(ctx, 1), object_id, sink);
}

static bool second_contents(const struct runtime_context *ctx, uint32_t object_id,
			    struct object_contents *ret)
{
	return py_contents(py_state(ctx, 1), object_id, ret);
}

static bool second_spare(const struct runtime_context *ctx, uint32_t object_id,
			 struct object_spare *ret)
{
	return py_spare(py_state(ctx, 1), object_id, ret);
}

const struct runtime runtime_cpython = {
	.name = "cpython",
	.prepare = cpython_prepare,
	.objects = cpython_objects,
	.references = cpython_references,
	.visit = cpython_visit,
	.counts = cpython_counts,
	.contents = cpython_contents,
	.spare = cpython_spare,
	.finish = cpython_finish,
};

/* The phases of both are the first one's. */
const struct runtime runtime_cpython_second = {
	.name = "second cpython",
	.visit = second_visit,
	.contents = second_contents,
	.spare = second_spare,
};

static_assert(RUNTIME_cpython_second == RUNTIME_cpython + CPYTHON_RUNTIMES_MOST - 1,
	      "one row of runtimes.def for each");
