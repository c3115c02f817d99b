#include "store/table_impl.h"

#include "base/utf8.h"

#include <assert.h>
#include <string.h>

/* ---- values ---- */

static inline struct store_value value_null(void)
{
	return (struct store_value){.type = STORE_NULL};
}

static inline struct store_value value_int(int64_t i)
{
	return (struct store_value){.type = STORE_INT, .i = i};
}

/* Ids, addresses and counts whose 0 stands for "not known". */
static inline struct store_value value_nonzero(uint64_t i)
{
	return i ? value_int((int64_t)i) : value_null();
}

static inline struct store_value value_text_len(const char *text, uint32_t len)
{
	return (struct store_value){.type = STORE_TEXT, .len = len, .text = text};
}

static inline struct store_value value_text(const char *text)
{
	return value_text_len(text, (uint32_t)strlen(text));
}

/* A string of the image, which is bytes: absent or empty is unknown. At most one a row. */
static inline struct store_value value_known(struct store_row *out, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	if (!len)
		return value_null();
	if (utf8_valid(text, len) && len <= UINT32_MAX)
		return value_text_len(text, (uint32_t)len);
	return value_text_len(out->name,
			      (uint32_t)utf8_clean(out->name, sizeof(out->name), text, len));
}

/* A string of the snapshot; id 0 is unknown. */
static inline struct store_value value_string(const struct snapshot *s, uint32_t id)
{
	if (!id)
		return value_null();
	const struct intern_entry *e = &s->strings.entry[id];
	return value_text_len(e->text, e->len);
}

/* For NOT NULL columns: an unknown string is the empty one. */
static inline struct store_value value_string_or_empty(const struct snapshot *s, uint32_t id)
{
	return id ? value_string(s, id) : value_text_len("", 0);
}

/* For columns where an empty string says nothing: a language, a module. */
static inline struct store_value value_string_known(const struct snapshot *s, uint32_t id)
{
	struct store_value v = value_string(s, id);
	return v.len ? v : value_null();
}

/* ---- facts ---- */

static uint64_t meta_rows(const struct snapshot *s)
{
	return s->meta.n;
}

static void meta_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct meta_row *r = &s->meta.at[i];
	out->v[0] = value_string_or_empty(s, r->key);
	out->v[1] = value_string(s, r->value);
}

static uint64_t module_rows(const struct snapshot *s)
{
	return s->image ? s->image->nmodule : 0;
}

static void module_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct image_module *m = &s->image->module[i];
	static const char digit[] = "0123456789abcdef";
	uint32_t len = m->build_id_len < BUILD_ID_MAX ? m->build_id_len : BUILD_ID_MAX;
	_Static_assert(2 * BUILD_ID_MAX <= sizeof(out->scratch), "a build id in hex fits");
	for (uint32_t b = 0; b < len; b++) {
		out->scratch[2 * b] = digit[m->build_id[b] >> 4];
		out->scratch[2 * b + 1] = digit[m->build_id[b] & 15];
	}
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_known(out, m->path);
	out->v[2] = len ? value_text_len(out->scratch, 2 * len) : value_null();
	out->v[3] = value_int((int64_t)m->start);
	uint32_t symbols = i < s->module_symbols.n ? s->module_symbols.at[i] : 0;
	out->v[4] = value_string_known(s, symbols);
}

static uint64_t segment_rows(const struct snapshot *s)
{
	return s->image ? s->image->nsegment : 0;
}

static void segment_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct image_segment *seg = &s->image->segment[i];
	out->scratch[0] = seg->perms & PERM_R ? 'r' : '-';
	out->scratch[1] = seg->perms & PERM_W ? 'w' : '-';
	out->scratch[2] = seg->perms & PERM_X ? 'x' : '-';
	assert(seg->kind < SEGMENT_KINDS);
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_int((int64_t)seg->start);
	out->v[2] = value_int((int64_t)seg->end);
	out->v[3] = value_int((int64_t)seg->present);
	out->v[4] = value_text_len(out->scratch, 3);
	out->v[5] = value_text(segment_kind_name[seg->kind]);
	out->v[6] = value_nonzero(seg->module_id);
	out->v[7] = value_known(out, seg->name);
}

static uint64_t thread_rows(const struct snapshot *s)
{
	return s->image ? s->image->nthread : 0;
}

static void thread_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct image_thread *t = &s->image->thread[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_nonzero((uint64_t)t->tid);
	out->v[2] = value_known(out, t->name);
	out->v[3] = value_nonzero((uint64_t)t->signal);
	/* A program counter of 0 is a jump through NULL; without registers it is not known. */
	out->v[4] = t->nreg ? value_int((int64_t)t->pc) : value_nonzero(t->pc);
	out->v[5] = t->nreg ? value_int((int64_t)t->sp) : value_nonzero(t->sp);
}

static uint64_t frame_rows(const struct snapshot *s)
{
	return s->frame.n;
}

static void frame_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct frame_row *r = &s->frame.at[i];
	out->v[0] = value_int(r->thread_id);
	out->v[1] = value_int(r->depth);
	out->v[2] = value_string_known(s, r->language);
	out->v[3] = value_string_known(s, r->function);
	out->v[4] = value_string_known(s, r->file);
	out->v[5] = value_nonzero(r->line);
	out->v[6] = value_nonzero(r->module_id);
	out->v[7] = value_int((int64_t)r->pc);
	out->v[8] = value_nonzero(r->sp);
	out->v[9] = value_nonzero(r->cfa);
}

/* ---- blocks ---- */

static uint64_t arena_rows(const struct snapshot *s)
{
	return s->arena.n;
}

static void arena_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct arena_row *r = &s->arena.at[i];
	out->v[0] = value_int((int64_t)i + 1);
	out->v[1] = value_string_or_empty(s, r->allocator);
	out->v[2] = value_string_known(s, r->name);
	out->v[3] = value_nonzero(r->address);
	out->v[4] = value_nonzero(r->system_bytes);
	out->v[5] = value_int((int64_t)r->used_bytes);
	out->v[6] = value_int((int64_t)r->free_bytes);
	out->v[7] = value_int((int64_t)r->overhead_bytes);
}

static uint64_t free_rows(const struct snapshot *s)
{
	return s->free.n;
}

/*
 * The snapshot has free blocks by unsigned address, the database by signed one: addresses from 2^63
 * on come first. hint: 1 + the index of the first of those.
 */
static const struct free_row *free_at(const struct snapshot *s, uint64_t i, uint64_t *hint)
{
	if (!*hint) {
		uint64_t lo = 0, hi = s->free.n;
		while (lo < hi) {
			uint64_t mid = lo + (hi - lo) / 2;
			if (s->free.at[mid].address >> 63)
				hi = mid;
			else
				lo = mid + 1;
		}
		*hint = lo + 1;
	}
	uint64_t split = *hint - 1, high = s->free.n - split;
	return &s->free.at[i < high ? split + i : i - high];
}

static void free_row(const struct snapshot *s, uint64_t i, struct store_row *out)
{
	const struct free_row *r = free_at(s, i, &out->hint);
	assert(r->kind < FREE_KINDS);
	out->v[0] = value_int((int64_t)r->address);
	out->v[1] = value_int((int64_t)r->size);
	out->v[2] = value_nonzero(r->arena_id);
	out->v[3] = value_text(free_kind_name[r->kind]);
}

static void free_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
		      int64_t *out)
{
	for (uint64_t i = 0; i < n; i++)
		out[i] = (int64_t)free_at(s, first + i, hint)->address;
}

/* ---- objects ---- */

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
	v[1] = value_nonzero(o->address[i]);
	v[2] = value_nonzero(o->block ? o->block[i] : o->address[i]);
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

static void object_address_keys(const struct snapshot *s, uint64_t first, uint64_t n,
				uint64_t *hint, int64_t *out)
{
	(void)hint;
	memcpy(out, s->object.address + first, n * sizeof(*out));
}

static void object_type_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			     int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->object.type_id ? s->object.type_id[first + i] : 0;
}

static void object_size_keys(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			     int64_t *out)
{
	(void)hint;
	memcpy(out, s->object.size + first, n * sizeof(*out));
}

static void object_retained_keys(const struct snapshot *s, uint64_t first, uint64_t n,
				 uint64_t *hint, int64_t *out)
{
	(void)hint;
	for (uint64_t i = 0; i < n; i++)
		out[i] = s->object.retained ? (int64_t)s->object.retained[first + i] : 0;
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

/* ---- references ---- */

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

/* ---- age ---- */

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

/* ---- work that has not ended ---- */

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

/* ---- conclusions ---- */

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
}

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
	out->v[8] = value_int(r->module_id && r->module_id == s->interpreter_module_id);
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
}

static const char *const severity_name[] = {
	[SEVERITY_INFO] = "info",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_ERROR] = "error",
};

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

/* ---- traces ---- */

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

/* clang-format off */
const struct store_table store_tables[] = {
	{
		.name = "meta", .rows = meta_rows, .row = meta_row,
		.column = {"key", "value"},
	}, {
		.name = "module", .rows = module_rows, .row = module_row,
		.column = {"id", "path", "build_id", "base", "symbols"},
	}, {
		.name = "segment", .rows = segment_rows, .row = segment_row,
		.column = {"id", "start", "end", "present", "perms", "kind", "module_id", "name"},
	}, {
		.name = "thread", .rows = thread_rows, .row = thread_row,
		.column = {"id", "tid", "name", "signal", "pc", "sp"},
	}, {
		.name = "frame", .rows = frame_rows, .row = frame_row,
		.column = {"thread_id", "depth", "language", "function", "file", "line",
			   "module_id", "pc", "sp", "cfa"},
	}, {
		.name = "arena", .rows = arena_rows, .row = arena_row,
		.column = {"id", "allocator", "name", "address", "system_bytes", "used_bytes",
			   "free_bytes", "overhead_bytes"},
	}, {
		.name = "type", .rows = type_rows, .row = type_row,
		.column = {"id", "language", "name", "module"},
	}, {
		.name = "site", .rows = site_rows, .row = site_row,
		.column = {"id", "parent_id", "function", "file", "line", "module", "address",
			   "allocations", "temporary", "allocated_bytes", "live_objects",
			   "live_bytes", "peak_bytes", "own_peak_bytes", "lifetime", "suppressed"},
		.bulk = true, .rowid_alias = true,
	}, {
		.name = "timeline", .rows = timeline_rows, .row = timeline_row,
		.column = {"time", "live_bytes", "live_objects"},
	}, {
		.name = "object", .rows = object_rows, .row = object_row,
		.column = {"id", "address", "block", "size", "arena_id", "type_id", "owner_id",
			   "refcount", "reachable", "grade", "retained", "dominator_id", "site_id",
			   "retention_id", "held_by", "value"},
		.bulk = true, .rowid_alias = true,
		.index = {
			{.name = "object_address", .column = "address", .zero_is_null = true,
			 .keys = object_address_keys},
			{.name = "object_type", .column = "type_id", .zero_is_null = true,
			 .keys = object_type_keys},
			{.name = "object_size", .column = "size", .keys = object_size_keys},
			{.name = "object_retained", .column = "retained", .zero_is_null = true,
			 .keys = object_retained_keys},
			{.name = "object_dominator", .column = "dominator_id",
			 .zero_is_null = true, .partial = true, .keys = object_dominator_keys},
			{.name = "object_owner", .column = "owner_id", .zero_is_null = true,
			 .partial = true, .keys = object_owner_keys},
		},
	}, {
		.name = "free_block", .rows = free_rows, .row = free_row,
		.column = {"address", "size", "arena_id", "kind"},
		.bulk = true, .without_rowid = true, .key = free_keys,
	}, {
		.name = "reference", .rows = reference_rows, .row = reference_row,
		.column = {"src", "offset", "dst", "kind", "how", "name", "unseen"},
		.bulk = true,
		.index = {
			{.name = "reference_src", .column = "src", .keys = reference_src_keys},
			{.name = "reference_dst", .column = "dst", .keys = reference_dst_keys},
		},
	}, {
		.name = "root", .rows = root_rows, .row = root_row,
		.column = {"id", "kind", "grade", "object_id", "address", "how", "thread_id",
			   "depth", "module_id", "name"},
		.bulk = true, .rowid_alias = true,
		.index = {
			{.name = "root_object", .column = "object_id", .keys = root_object_keys},
		},
	}, {
		.name = "cluster", .rows = cluster_rows, .row = cluster_row,
		.bulk = true, .rowid_alias = true,
		.column = {"id", "kind", "reachable", "objects", "bytes", "direct_bytes",
			   "head_id", "signature", "collectable", "culprit_id"},
	}, {
		.name = "cluster_member", .rows = member_rows, .row = member_row,
		.column = {"cluster_id", "object_id"},
		.bulk = true, .without_rowid = true,
		.key = member_cluster_keys, .key2 = member_object_keys,
		.index = {
			{.name = "cluster_member_object", .column = "object_id",
			 .keys = member_object_keys, .tail = member_cluster_keys},
		},
	}, {
		.name = "written", .rows = written_rows, .row = written_row,
		.bulk = true, .rowid_alias = true,
		.column = {"id", "object_id"},
		.index = {
			{.name = "written_object", .column = "object_id",
			 .keys = written_object_keys},
		},
	}, {
		.name = "suspended", .rows = suspended_rows, .row = suspended_row,
		.column = {"object_id", "kind", "state", "function", "file", "line", "awaits_id",
			   "future_id", "chain", "within_id"},
	}, {
		.name = "garbage", .rows = garbage_rows, .row = garbage_row,
		.column = {"object_id", "uncollectable"},
	}, {
		.name = "refcount_error", .rows = refcount_rows, .row = refcount_row,
		.column = {"object_id", "refcount", "found", "excess"},
	}, {
		.name = "native_holder", .rows = holder_rows, .row = holder_row,
		.column = {"id", "kind", "module_id", "thread_id", "type_id", "name", "address",
			   "object_id", "interpreter", "objects", "direct", "bytes"},
	}, {
		.name = "native_held", .rows = held_rows, .row = held_row,
		.column = {"object_id", "holder_id", "via_id", "direct"},
	}, {
		.name = "shape", .rows = shape_rows, .row = shape_row,
		.bulk = true, .rowid_alias = true,
		.column = {"id", "kind", "reachable", "signature", "clusters", "objects", "bytes",
			   "direct_bytes", "cluster_id", "head_id"},
	}, {
		.name = "retention", .rows = retention_rows, .row = retention_row,
		.bulk = true, .rowid_alias = true,
		.column = {"id", "parent_id", "key", "path", "step", "type_id", "size", "objects",
			   "bytes", "all_objects", "all_bytes", "object_id"},
	}, {
		.name = "census", .rows = census_rows, .row = census_row, .bulk = true,
		.column = {"type_id", "size", "arena_id", "reachable", "grade", "objects", "bytes",
			   "tops", "tops_retained"},
	}, {
		.name = "ledger", .rows = ledger_rows, .row = ledger_row,
		.column = {"segment_id", "category", "place", "bytes"},
	}, {
		.name = "trim", .rows = trim_rows, .row = trim_row,
		.column = {"arena_id", "returnable", "written", "top", "cached", "pinned"},
	}, {
		.name = "pin", .rows = pin_rows, .row = pin_row,
		.column = {"allocator", "type_id", "size", "objects", "units", "bytes",
			   "object_id"},
	}, {
		.name = "saving", .rows = saving_rows, .row = saving_row,
		.column = {"id", "kind", "type_id", "objects", "bytes", "size", "capacity", "used",
			   "object_id", "retention_id", "there", "folded"},
	}, {
		.name = "finding", .rows = finding_rows, .row = finding_row,
		.column = {"id", "kind", "severity", "title", "detail", "objects", "bytes",
			   "object_id", "cluster_id", "type_id", "address"},
	},
	{.name = NULL},
};
/* clang-format on */
