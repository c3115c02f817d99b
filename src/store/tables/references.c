#include "store/tables/values_impl.h"

#include <assert.h>

static uint64_t reference_rows(const struct snapshot *s)
{
	return s->object.n ? s->edge.n : 0;
}

/* The row of first[] that holds entry i: *hint or near it when entries are asked for in order. */
static uint64_t csr_row(const uint64_t *first, uint64_t rows, uint64_t i, uint64_t *hint)
{
	uint64_t r = *hint;
	if (r < rows && first[r] <= i) {
		for (int tries = 0; tries < 16 && r < rows; tries++, r++)
			if (i < first[r + 1])
				return *hint = r;
	}
	/* The last row that begins at or before i: empty rows before it begin there, too. */
	uint64_t lo = 0, hi = rows;
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (first[mid] <= i)
			lo = mid;
		else
			hi = mid;
	}
	return *hint = lo;
}

static void reference_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct edge_table *e = &s->edge;
	uint32_t word = s->image ? s->image->word_size : 8;
	int64_t offset = edge_offset(e->where[i], word);
	struct store_value *v = out->v;
	v[0] = value_int((int64_t)csr_row(e->first, s->object.n, i, &out->hint) + 1);
	v[1] = offset >= 0 ? value_int(offset) : value_null();
	v[2] = value_int(e->dst[i]);
	v[3] = value_int(e->kind ? e->kind[i] : 0);
	v[4] = value_int(edge_how(e->where[i]));
	v[5] = value_null();
	if (e->name && e->name[i]) {
		if (snapshot_edge_name(s, e->name[i], out->scratch, sizeof(out->scratch)))
			v[5] = value_text(out->scratch);
	}
	v[6] = e->name && e->name[i] & EDGE_NAME_UNSEEN ? value_int(1) : value_null();
}

static void reference_src_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			       int64_t *out)
{
	for (uint64_t i = 0; i < n; i++)
		out[i] = (int64_t)csr_row(s->edge.first, s->object.n, first + i, hint) + 1;
}

static void reference_dst_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			       int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->edge.dst[first + i];
}

static uint64_t root_rows(const struct snapshot *s)
{
	return s->root.n;
}

static void root_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct root_row *r = &s->root.at[i];
	assert(r->grade < ROOT_GRADES);
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_text(root_grade_name[r->grade]);
	out->v[2] = value_int(r->grade);
	out->v[3] = value_int(r->object_id);
	out->v[4] = value_nonzero(r->address);
	out->v[5] = value_int(r->how);
	out->v[6] = value_nonzero(r->thread_id);
	out->v[7] = r->depth >= 0 ? value_int(r->depth) : value_null();
	out->v[8] = value_nonzero(r->module_id);
	out->v[9] = value_string_known(s, r->name);
}

static void root_object_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			     int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->root.at[first + i].object_id;
}

const struct store_table store_table_reference = {
	.name = "reference",
	.rows = reference_rows,
	.row = reference_row,
	.column = {"src", "offset", "dst", "kind", "how", "name", "unseen"},
	.bulk = true,
	.index =
		{
			{.name = "reference_src", .column = "src", .keys = reference_src_keys},
			{.name = "reference_dst", .column = "dst", .keys = reference_dst_keys},
		},
};

const struct store_table store_table_root = {
	.name = "root",
	.rows = root_rows,
	.row = root_row,
	.column = {"id", "kind", "grade", "object_id", "address", "how", "thread_id", "depth",
		   "module_id", "name"},
	.bulk = true,
	.rowid_alias = true,
	.index =
		{
			{.name = "root_object", .column = "object_id", .keys = root_object_keys},
		},
};
