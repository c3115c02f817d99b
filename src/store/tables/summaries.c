#include "store/tables/values_impl.h"

static uint64_t retention_rows(const struct snapshot *s)
{
	return s->retention.n;
}

static void retention_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct retention_row *r = &s->retention.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_nonzero(r->parent_id);
	out->v[2] = value_int((int64_t)r->key);
	out->v[3] = value_string_or_empty(s, r->path);
	out->v[4] = value_string_or_empty(s, r->step);
	out->v[5] = value_nonzero(r->type_id);
	out->v[6] = r->objects && r->size != RETENTION_VARIOUS ? value_int((int64_t)r->size)
							       : value_null();
	out->v[7] = value_int((int64_t)r->objects);
	out->v[8] = value_int((int64_t)r->bytes);
	out->v[9] = value_int((int64_t)r->all_objects);
	out->v[10] = value_int((int64_t)r->all_bytes);
	out->v[11] = value_nonzero(r->object_id);
}

static uint64_t census_rows(const struct snapshot *s)
{
	return s->census.n;
}

static void census_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct census_row *r = &s->census.at[i];
	out->v[0] = value_nonzero(r->type_id);
	out->v[1] = value_int((int64_t)r->size);
	out->v[2] = value_nonzero(r->arena_id);
	out->v[3] = r->reachable != 255 ? value_int(r->reachable) : value_null();
	out->v[4] = value_nonzero(r->grade);
	out->v[5] = value_int(r->objects);
	out->v[6] = value_int((int64_t)(r->size * r->objects));
	out->v[7] = s->object.dominator ? value_int(r->tops) : value_null();
	out->v[8] = s->object.dominator ? value_int((int64_t)r->tops_retained) : value_null();
}

static uint64_t biggest_rows(const struct snapshot *s)
{
	return s->biggest.n;
}

static void biggest_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	uint32_t id = s->biggest.at[i];
	out->v[0] = value_nonzero(s->object.type_id ? s->object.type_id[id - 1] : 0);
	out->v[1] = value_int((int64_t)s->object.size[id - 1]);
	out->v[2] = value_int((int64_t)s->object.retained[id - 1]);
	out->v[3] = value_int(id);
}

static void biggest_type_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			      int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->object.type_id ? s->object.type_id[s->biggest.at[first + i] - 1] : 0;
}

static uint64_t ledger_rows(const struct snapshot *s)
{
	return s->ledger.n;
}

static void ledger_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct ledger_row *r = &s->ledger.at[i];
	out->v[0] = value_int(r->segment_id);
	out->v[1] = value_string_or_empty(s, r->category);
	out->v[2] = value_string_known(s, r->place);
	out->v[3] = value_int((int64_t)r->bytes);
}

static uint64_t trim_rows(const struct snapshot *s)
{
	return s->trim.n;
}

static void trim_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct trim_row *r = &s->trim.at[i];
	out->v[0] = value_int(r->arena_id);
	out->v[1] = value_int((int64_t)r->returnable);
	out->v[2] = value_int((int64_t)r->written);
	out->v[3] = value_int((int64_t)r->top);
	out->v[4] = value_int((int64_t)r->cached);
	out->v[5] = value_int((int64_t)r->pinned);
}

static uint64_t pin_rows(const struct snapshot *s)
{
	return s->pin.n;
}

static void pin_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct pin_row *r = &s->pin.at[i];
	out->v[0] = value_string_or_empty(s, r->allocator);
	out->v[1] = value_nonzero(r->type_id);
	out->v[2] = value_nonzero(r->size);
	out->v[3] = value_int((int64_t)r->objects);
	out->v[4] = value_int((int64_t)r->units);
	out->v[5] = value_int((int64_t)r->bytes);
	out->v[6] = value_nonzero(r->object_id);
}

static uint64_t saving_rows(const struct snapshot *s)
{
	return s->saving.n;
}

static void saving_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct saving_row *r = &s->saving.at[i];
	const bool slack = r->kind == SAVING_SLACK;
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_text(saving_kind_name[r->kind]);
	out->v[2] = value_nonzero(r->type_id);
	out->v[3] = value_int((int64_t)r->objects);
	out->v[4] = value_int((int64_t)r->bytes);
	out->v[5] = value_nonzero(r->size);
	out->v[6] = slack ? value_int((int64_t)r->capacity) : value_null();
	out->v[7] = slack ? value_int((int64_t)r->used) : value_null();
	out->v[8] = value_nonzero(r->object_id);
	out->v[9] = value_nonzero(r->retention_id);
	out->v[10] = value_nonzero(r->there);
	out->v[11] = value_nonzero(r->folded);
	out->v[12] = r->form ? value_text(container_form_name[r->form]) : value_null();
}

static const char *const severity_name[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
};

static uint64_t container_rows(const struct snapshot *s)
{
	return s->spare.n;
}

static void container_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct spare_row *r = &s->spare.at[i];
	out->v[0] = value_int(r->object_id);
	out->v[1] = r->form ? value_text(container_form_name[r->form]) : value_null();
	out->v[2] = value_int((int64_t)r->capacity);
	out->v[3] = value_int((int64_t)r->used);
	out->v[4] = value_int((int64_t)r->bytes);
	out->v[5] = value_nonzero(r->header);
	out->v[6] = value_nonzero(r->holder_id);
}

static void container_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			   int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->spare.at[first + i].object_id;
}

static uint64_t finding_rows(const struct snapshot *s)
{
	return s->finding.n;
}

static void finding_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct finding_row *r = &s->finding.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_string_or_empty(s, r->kind);
	out->v[2] = value_text(severity_name[r->severity]);
	out->v[3] = value_string_or_empty(s, r->title);
	out->v[4] = value_string_known(s, r->detail);
	out->v[5] = value_nonzero(r->objects);
	out->v[6] = value_nonzero(r->bytes);
	out->v[7] = value_nonzero(r->object_id);
	out->v[8] = value_nonzero(r->cluster_id);
	out->v[9] = value_nonzero(r->type_id);
	out->v[10] = value_nonzero(r->address);
}

const struct store_table store_table_retention = {
	.name = "retention",
	.rows = retention_rows,
	.row = retention_row,
	.bulk = true,
	.rowid_alias = true,
	.column = {"id", "parent_id", "key", "path", "step", "type_id", "size", "objects", "bytes",
		   "all_objects", "all_bytes", "object_id"},
};

const struct store_table store_table_census = {
	.name = "census",
	.rows = census_rows,
	.row = census_row,
	.bulk = true,
	.column = {"type_id", "size", "arena_id", "reachable", "grade", "objects", "bytes", "tops",
		   "tops_retained"},
};

const struct store_table store_table_biggest = {
	.name = "biggest",
	.rows = biggest_rows,
	.row = biggest_row,
	.bulk = true,
	.column = {"type_id", "size", "retained", "object_id"},
	.index =
		{
			{.name = "biggest_type",
			 .column = "type_id",
			 .zero_is_null = true,
			 .keys = biggest_type_keys},
		},
};

const struct store_table store_table_ledger = {
	.name = "ledger",
	.rows = ledger_rows,
	.row = ledger_row,
	.column = {"segment_id", "category", "place", "bytes"},
};

const struct store_table store_table_trim = {
	.name = "trim",
	.rows = trim_rows,
	.row = trim_row,
	.column = {"arena_id", "returnable", "written", "top", "cached", "pinned"},
};

const struct store_table store_table_pin = {
	.name = "pin",
	.rows = pin_rows,
	.row = pin_row,
	.column = {"allocator", "type_id", "size", "objects", "units", "bytes", "object_id"},
};

const struct store_table store_table_saving = {
	.name = "saving",
	.rows = saving_rows,
	.row = saving_row,
	.column = {"id", "kind", "type_id", "objects", "bytes", "size", "capacity", "used",
		   "object_id", "retention_id", "there", "folded", "form"},
};

const struct store_table store_table_container = {
	.name = "container",
	.rows = container_rows,
	.row = container_row,
	.bulk = true,
	.without_rowid = true,
	.key = container_keys,
	.column = {"object_id", "form", "capacity", "used", "bytes", "header", "holder_id"},
};

const struct store_table store_table_finding = {
	.name = "finding",
	.rows = finding_rows,
	.row = finding_row,
	.column = {"id", "kind", "severity", "title", "detail", "objects", "bytes", "object_id",
		   "cluster_id", "type_id", "address"},
};
