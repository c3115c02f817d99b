#include "store/tables/values_impl.h"

/* A figure of a trace; SQLite's integers are signed. */
static inline struct store_value value_figure(uint64_t i)
{
	if (i == SITE_UNKNOWN)
		return value_null();
	return value_int(i > INT64_MAX ? INT64_MAX : (int64_t)i);
}

static inline struct store_value value_real(double real)
{
	return (struct store_value){.type = STORE_REAL, .real = real};
}

static uint64_t site_rows(const struct snapshot *s)
{
	return s->site.n;
}

static void site_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct site_row *r = &s->site.at[i];
	struct store_value *v = out->v;
	v[0] = value_int((int64_t)i + 1);
	v[1] = value_nonzero(r->parent_id);
	v[2] = value_string_known(s, r->function);
	v[3] = value_string_known(s, r->file);
	v[4] = value_nonzero(r->line);
	v[5] = value_string_known(s, r->module);
	v[6] = value_nonzero(r->address);
	v[7] = value_figure(r->allocations);
	v[8] = value_figure(r->temporary);
	v[9] = value_figure(r->allocated_bytes);
	v[10] = value_figure(r->live_objects);
	v[11] = value_figure(r->live_bytes);
	v[12] = value_figure(r->peak_bytes);
	v[13] = r->own_peak_bytes ? value_figure(r->own_peak_bytes) : value_null();
	v[14] = r->lifetime > 0 ? value_real(r->lifetime) : value_null();
	v[15] = value_nonzero(r->suppressed);
}

static uint64_t timeline_rows(const struct snapshot *s)
{
	return s->timeline.n;
}

static void timeline_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct timeline_row *r = &s->timeline.at[i];
	out->v[0] = value_real(r->time);
	out->v[1] = value_figure(r->live_bytes);
	out->v[2] = value_figure(r->live_objects);
}

const struct store_table store_table_site = {
	.name = "site",
	.rows = site_rows,
	.row = site_row,
	.column = {"id", "parent_id", "function", "file", "line", "module", "address",
		   "allocations", "temporary", "allocated_bytes", "live_objects", "live_bytes",
		   "peak_bytes", "own_peak_bytes", "lifetime", "suppressed"},
	.bulk = true,
	.rowid_alias = true,
};

const struct store_table store_table_timeline = {
	.name = "timeline",
	.rows = timeline_rows,
	.row = timeline_row,
	.column = {"time", "live_bytes", "live_objects"},
};
