#include "store/tables/values_impl.h"

#include <string.h>

static uint64_t type_rows(const struct snapshot *s)
{
	return s->type.n;
}

static void type_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct type_row *r = &s->type.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_string_known(s, r->language);
	out->v[2] = value_string_or_empty(s, r->name);
	out->v[3] = value_string_known(s, r->module);
	out->v[4] = s->object.retained ? value_int((int64_t)r->retained) : value_null();
}

static uint64_t object_rows(const struct snapshot *s)
{
	return s->object.n;
}

static void object_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct object_table *o = &s->object;
	struct store_value *v = out->v;
	v[0] = value_int((int64_t)i + 1);
	v[1] = value_nonzero(o->address ? o->address[i] : 0);
	v[2] = value_nonzero(o->address ? object_block(o, i) : 0);
	v[3] = value_int((int64_t)o->size[i]);
	v[4] = value_nonzero(o->arena_id ? o->arena_id[i] : 0);
	v[5] = value_nonzero(o->type_id ? o->type_id[i] : 0);
	v[6] = value_nonzero(o->owner_id ? o->owner_id[i] : 0);
	v[7] = o->refcount && o->refcount[i] != INT64_MIN ? value_int(o->refcount[i])
							  : value_null();
	v[8] = o->reachable && o->reachable[i] != 255 ? value_int(o->reachable[i]) : value_null();
	v[9] = value_nonzero(o->grade ? o->grade[i] : 0);
	v[10] = value_nonzero(o->retained ? o->retained[i] : 0);
	v[11] = value_nonzero(o->dominator ? o->dominator[i] : 0);
	v[12] = value_nonzero(o->site_id ? o->site_id[i] : 0);
	v[13] = value_nonzero(o->retention ? o->retention[i] : 0);
	v[14] = value_nonzero(o->held ? o->held[i] : 0);
	v[15] = value_string(s, object_shown(o, i));
}

static uint32_t object_unknown(const struct snapshot *s)
{
	const struct object_table *o = &s->object;
	const bool known[] = {
		true,	      o->address,   o->address,	 o->size,
		o->arena_id,  o->type_id,   o->owner_id, o->refcount,
		o->reachable, o->grade,	    o->retained, o->dominator,
		o->site_id,   o->retention, o->held,	 o->value || o->shown,
	};
	uint32_t unknown = 0;
	for (unsigned c = 0; c < sizeof(known) / sizeof(known[0]); c++)
		unknown |= (uint32_t)!known[c] << c;
	return unknown;
}

static void object_address_keys(const struct snapshot *s, uint64_t first, uint64_t n,
				uint64_t *hint, int64_t *out)
{
	(void)hint;
	if (s->object.address)
		memcpy(out, s->object.address + first, n * sizeof(*out));
	else
		memset(out, 0, n * sizeof(*out));
}

static bool object_address_known(const struct snapshot *s)
{
	return s->object.address;
}

static void object_type_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			     int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->object.type_id ? s->object.type_id[first + i] : 0;
}

static bool object_type_known(const struct snapshot *s)
{
	return s->object.type_id;
}

static void object_size_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			     int64_t *out)
{
	(void)hint;
	memcpy(out, s->object.size + first, n * sizeof(*out));
}

static const int64_t *object_size_array(const struct snapshot *s)
{
	return (const int64_t *)s->object.size;
}

static void object_retained_keys(const struct snapshot *s, uint64_t first, uint64_t n,
				 uint64_t *hint, int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->object.retained ? (int64_t)s->object.retained[first + i] : 0;
}

static bool object_retained_known(const struct snapshot *s)
{
	return s->object.retained;
}

static void object_dominator_keys(const struct snapshot *s, uint64_t first, uint64_t n,
				  uint64_t *hint, int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->object.dominator ? s->object.dominator[first + i] : 0;
}

static void object_owner_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			      int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->object.owner_id ? s->object.owner_id[first + i] : 0;
}

static uint64_t written_rows(const struct snapshot *s)
{
	return s->written.n;
}

static void written_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_int(s->written.at[i]);
}

static void written_object_keys(const struct snapshot *s, uint64_t first, uint64_t n,
				uint64_t *hint, int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->written.at[first + i];
}

const struct store_table store_table_type = {
	.name = "type",
	.rows = type_rows,
	.row = type_row,
	.column = {"id", "language", "name", "module", "retained"},
};

const struct store_table store_table_object = {
	.name = "object",
	.rows = object_rows,
	.row = object_row,
	.unknown = object_unknown,
	.column = {"id", "address", "block", "size", "arena_id", "type_id", "owner_id", "refcount",
		   "reachable", "grade", "retained", "dominator_id", "site_id", "retention_id",
		   "held_by", "value"},
	.bulk = true,
	.rowid_alias = true,
	.index =
		{
			{.name = "object_address",
			 .column = "address",
			 .zero_is_null = true,
			 .keys = object_address_keys,
			 .known = object_address_known},
			{.name = "object_type",
			 .column = "type_id",
			 .zero_is_null = true,
			 .keys = object_type_keys,
			 .known = object_type_known},
			{.name = "object_size",
			 .column = "size",
			 .keys = object_size_keys,
			 .array = object_size_array},
			{.name = "object_retained",
			 .column = "retained",
			 .zero_is_null = true,
			 .keys = object_retained_keys,
			 .known = object_retained_known},
			{.name = "object_dominator",
			 .column = "dominator_id",
			 .zero_is_null = true,
			 .partial = true,
			 .keys = object_dominator_keys},
			{.name = "object_owner",
			 .column = "owner_id",
			 .zero_is_null = true,
			 .partial = true,
			 .keys = object_owner_keys},
		},
};

const struct store_table store_table_written = {
	.name = "written",
	.rows = written_rows,
	.row = written_row,
	.bulk = true,
	.rowid_alias = true,
	.column = {"id", "object_id"},
	.index =
		{
			{.name = "written_object",
			 .column = "object_id",
			 .keys = written_object_keys},
		},
};
