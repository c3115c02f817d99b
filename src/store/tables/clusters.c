#include "store/tables/values_impl.h"

static const char *const cluster_kind_name[] = {
	[CLUSTER_LEAK] = "leak",
	[CLUSTER_CYCLE] = "cycle",
};

static uint64_t cluster_rows(const struct snapshot *s)
{
	return s->cluster.n;
}

static void cluster_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct cluster_row *r = &s->cluster.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_text(cluster_kind_name[r->kind]);
	out->v[2] = value_int(r->reachable);
	out->v[3] = value_int(r->objects);
	out->v[4] = value_int((int64_t)r->bytes);
	out->v[5] = value_int((int64_t)r->direct_bytes);
	out->v[6] = value_nonzero(r->head_id);
	out->v[7] = value_string_known(s, r->signature);
	out->v[8] = r->collectable == COLLECTABLE_UNKNOWN
			    ? value_null()
			    : value_int(r->collectable == COLLECTABLE_YES);
	out->v[9] = value_nonzero(r->culprit_id);
	out->v[10] = value_int(r->definitions);
}

static uint64_t member_rows(const struct snapshot *s)
{
	return s->cluster.n ? s->member.n : 0;
}

/*
 * Members lie cluster after cluster (cluster_row.first_member rises), so that the cluster of entry
 * i is found as a reference's source is. hint: its index.
 */
static uint64_t member_cluster(const struct snapshot *s, uint64_t i, uint64_t *hint)
{
	uint64_t c = *hint;
	const struct cluster_row *at = s->cluster.at;
	if (c < s->cluster.n && at[c].first_member <= i) {
		for (int tries = 0; tries < 16 && c < s->cluster.n; tries++, c++)
			if (i - at[c].first_member < at[c].objects)
				return *hint = c;
	}
	uint64_t lo = 0, hi = s->cluster.n;
	while (hi - lo > 1) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (at[mid].first_member <= i)
			lo = mid;
		else
			hi = mid;
	}
	return *hint = lo;
}

static void member_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	out->v[0] = value_int((int64_t)member_cluster(s, i, &out->hint) + 1);
	out->v[1] = value_int(s->member.at[i]);
}

static void member_cluster_keys(const struct snapshot *s, uint64_t first, uint64_t n,
				uint64_t *hint, int64_t *out)
{
	for (uint64_t i = 0; i < n; i++)
		out[i] = (int64_t)member_cluster(s, first + i, hint) + 1;
}

static void member_object_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			       int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->member.at[first + i];
}

static uint64_t shape_rows(const struct snapshot *s)
{
	return s->shape.n;
}

static void shape_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct shape_row *r = &s->shape.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_text(cluster_kind_name[r->kind]);
	out->v[2] = value_int(r->reachable);
	out->v[3] = value_string_known(s, r->signature);
	out->v[4] = value_int(r->clusters);
	out->v[5] = value_int((int64_t)r->objects);
	out->v[6] = value_int((int64_t)r->bytes);
	out->v[7] = value_int((int64_t)r->direct_bytes);
	out->v[8] = value_int(r->cluster_id);
	out->v[9] = value_nonzero(s->cluster.at[r->cluster_id - 1].head_id);
	out->v[10] = value_int(r->definitions);
}

const struct store_table store_table_cluster = {
	.name = "cluster",
	.rows = cluster_rows,
	.row = cluster_row,
	.bulk = true,
	.rowid_alias = true,
	.column = {"id", "kind", "reachable", "objects", "bytes", "direct_bytes", "head_id",
		   "signature", "collectable", "culprit_id", "definitions"},
};

const struct store_table store_table_cluster_member = {
	.name = "cluster_member",
	.rows = member_rows,
	.row = member_row,
	.column = {"cluster_id", "object_id"},
	.bulk = true,
	.without_rowid = true,
	.key = member_cluster_keys,
	.key2 = member_object_keys,
	.index =
		{
			{.name = "cluster_member_object",
			 .column = "object_id",
			 .keys = member_object_keys,
			 .tail = member_cluster_keys},
		},
};

const struct store_table store_table_shape = {
	.name = "shape",
	.rows = shape_rows,
	.row = shape_row,
	.bulk = true,
	.rowid_alias = true,
	.column = {"id", "kind", "reachable", "signature", "clusters", "objects", "bytes",
		   "direct_bytes", "cluster_id", "head_id", "definitions"},
};
