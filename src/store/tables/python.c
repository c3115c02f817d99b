#include "store/tables/values_impl.h"

#include <assert.h>

static uint64_t suspended_rows(const struct snapshot *s)
{
	return s->suspended.n;
}

static void suspended_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct suspended_row *r = &s->suspended.at[i];
	assert(r->kind < SUSPENDED_KINDS && r->state < SUSPENDED_STATES);
	out->v[0] = value_int(r->object_id);
	out->v[1] = value_text(suspended_kind_name[r->kind]);
	out->v[2] = r->state ? value_text(suspended_state_name[r->state]) : value_null();
	out->v[3] = value_string_known(s, r->function);
	out->v[4] = value_string_known(s, r->file);
	out->v[5] = value_nonzero(r->line);
	out->v[6] = value_nonzero(r->awaits_id);
	out->v[7] = value_nonzero(r->future_id);
	out->v[8] = value_string_known(s, r->chain);
	out->v[9] = value_nonzero(r->within_id);
}

static uint64_t garbage_rows(const struct snapshot *s)
{
	return s->garbage.n;
}

static void garbage_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	uint32_t id = s->garbage.at[i];
	out->v[0] = value_int(id);
	out->v[1] = value_int((s->object.flags[id - 1] & OBJECT_UNCOLLECTABLE) != 0);
}

static uint64_t refcount_rows(const struct snapshot *s)
{
	return s->refcount_error.n;
}

static void refcount_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct refcount_row *r = &s->refcount_error.at[i];
	out->v[0] = value_int(r->object_id);
	out->v[1] = value_int(r->refcount);
	out->v[2] = value_int(r->found);
	out->v[3] = value_int(r->refcount - r->found);
}

static uint64_t kept_rows(const struct snapshot *s)
{
	return s->kept.n;
}

static void kept_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct kept_row *r = &s->kept.at[i];
	out->v[0] = value_int(r->object_id);
	out->v[1] = value_int(r->counts);
	out->v[2] = value_string_known(s, r->cause);
	out->v[3] = value_nonzero(r->module_id);
}

static uint64_t holder_rows(const struct snapshot *s)
{
	return s->holder.n;
}

static void holder_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct holder_row *r = &s->holder.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_text(r->kind ? root_grade_name[r->kind] : "object");
	out->v[2] = value_nonzero(r->module_id);
	out->v[3] = value_nonzero(r->thread_id);
	out->v[4] = value_nonzero(r->type_id);
	out->v[5] = value_string_known(s, r->name);
	out->v[6] = value_nonzero(r->address);
	out->v[7] = value_nonzero(r->object_id);
	out->v[8] = value_int(r->module_id && (r->module_id == s->interpreter_module_id[0] ||
					       r->module_id == s->interpreter_module_id[1]));
	out->v[9] = value_int(r->objects);
	out->v[10] = value_int(r->direct);
	out->v[11] = value_int((int64_t)r->bytes);
}

static uint64_t held_rows(const struct snapshot *s)
{
	return s->held.n;
}

static void held_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct held_row *r = &s->held.at[i];
	out->v[0] = value_int(r->object_id);
	out->v[1] = value_int(r->holder_id);
	out->v[2] = value_nonzero(r->via_id);
	out->v[3] = value_int(r->direct);
}

const struct store_table store_table_suspended = {
	.name = "suspended",
	.rows = suspended_rows,
	.row = suspended_row,
	.column = {"object_id", "kind", "state", "function", "file", "line", "awaits_id",
		   "future_id", "chain", "within_id"},
};

const struct store_table store_table_garbage = {
	.name = "garbage",
	.rows = garbage_rows,
	.row = garbage_row,
	.column = {"object_id", "uncollectable"},
};

const struct store_table store_table_refcount_error = {
	.name = "refcount_error",
	.rows = refcount_rows,
	.row = refcount_row,
	.column = {"object_id", "refcount", "found", "excess"},
};

const struct store_table store_table_kept_count = {
	.name = "kept_count",
	.rows = kept_rows,
	.row = kept_row,
	.column = {"object_id", "counts", "cause", "module_id"},
};

const struct store_table store_table_native_holder = {
	.name = "native_holder",
	.rows = holder_rows,
	.row = holder_row,
	.column = {"id", "kind", "module_id", "thread_id", "type_id", "name", "address",
		   "object_id", "interpreter", "objects", "direct", "bytes"},
};

const struct store_table store_table_native_held = {
	.name = "native_held",
	.rows = held_rows,
	.row = held_row,
	.column = {"object_id", "holder_id", "via_id", "direct"},
};
