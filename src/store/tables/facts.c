#include "store/tables/values_impl.h"

#include <assert.h>

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

const struct store_table store_table_meta = {
	.name = "meta",
	.rows = meta_rows,
	.row = meta_row,
	.column = {"key", "value"},
};

const struct store_table store_table_module = {
	.name = "module",
	.rows = module_rows,
	.row = module_row,
	.column = {"id", "path", "build_id", "base", "symbols"},
};

const struct store_table store_table_segment = {
	.name = "segment",
	.rows = segment_rows,
	.row = segment_row,
	.column = {"id", "start", "end", "present", "perms", "kind", "module_id", "name"},
};

const struct store_table store_table_thread = {
	.name = "thread",
	.rows = thread_rows,
	.row = thread_row,
	.column = {"id", "tid", "name", "signal", "pc", "sp"},
};

const struct store_table store_table_frame = {
	.name = "frame",
	.rows = frame_rows,
	.row = frame_row,
	.column = {"thread_id", "depth", "language", "function", "file", "line", "module_id", "pc",
		   "sp", "cfa"},
};
