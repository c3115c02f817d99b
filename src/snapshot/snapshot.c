#include "snapshot/snapshot.h"
#include "snapshot/snapshot_impl.h"

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const free_kind_name[FREE_KINDS] = {
	[FREE_TCACHE] = "tcache",
	[FREE_FASTBIN] = "fastbin",
	[FREE_UNSORTED] = "unsorted",
	[FREE_SMALL] = "small",
	[FREE_LARGE] = "large",
	[FREE_TOP] = "top",
	[FREE_LAST_REMAINDER] = "last_remainder",
	[FREE_UNLINKED] = "unlinked",
	[FREE_PYMALLOC] = "pymalloc free",
	[FREE_PYMALLOC_POOL] = "pymalloc pool",
	[FREE_OBJECTS] = "free objects",
};

const char *const extent_kind_name[EXTENT_KINDS] = {
	[EXTENT_HEAP] = "heap",
	[EXTENT_ROUNDING] = "rounding",
	[EXTENT_RESERVED] = "reserved",
	[EXTENT_DAMAGED] = "damaged",
	[EXTENT_STACK_USED] = "stack used",
	[EXTENT_STACK_UNUSED] = "stack unused",
	[EXTENT_STACK_CACHED] = "stack cached",
	[EXTENT_GUARD] = "guard",
	[EXTENT_TLS] = "thread-local storage",
	[EXTENT_LOADER] = "loader",
	[EXTENT_OTHER] = "other",
};

const char *const suspended_kind_name[SUSPENDED_KINDS] = {
	[SUSPENDED_GENERATOR] = "generator",
	[SUSPENDED_COROUTINE] = "coroutine",
	[SUSPENDED_ASYNC_GENERATOR] = "async generator",
	[SUSPENDED_TASK] = "task",
	[SUSPENDED_FUTURE] = "future",
	[SUSPENDED_AWAITABLE] = "awaitable",
};

const char *const suspended_state_name[SUSPENDED_STATES] = {
	[SUSPENDED_UNKNOWN] = NULL,	 [SUSPENDED_CREATED] = "created",
	[SUSPENDED_WAITS] = "suspended", [SUSPENDED_RUNS] = "running",
	[SUSPENDED_ENDED] = "ended",	 [SUSPENDED_PENDING] = "pending",
	[SUSPENDED_DONE] = "done",	 [SUSPENDED_CANCELLED] = "cancelled",
};

const char *const root_grade_name[ROOT_GRADES] = {
	[ROOT_NONE] = "none",	[ROOT_GLOBAL] = "global",
	[ROOT_DATA] = "data",	[ROOT_TLS] = "tls",
	[ROOT_FRAME] = "frame", [ROOT_REGISTER] = "register",
	[ROOT_STACK] = "stack", [ROOT_UNEXPLAINED] = "unexplained",
};

const char *const saving_kind_name[SAVING_KINDS] = {
	[SAVING_DUPLICATE] = "duplicate",
	[SAVING_SLACK] = "slack",
};

const char *const container_form_name[CONTAINER_FORMS] = {
	[CONTAINER_TYPED] = NULL,
	[CONTAINER_VECTOR] = "vector",
	[CONTAINER_STRING] = "string",
	[CONTAINER_DEQUE] = "deque",
	[CONTAINER_HASH] = "hash table",
	[CONTAINER_BUFFER] = "buffer",
	[CONTAINER_BLOCK_TABLE] = "table of blocks",
};

const char *const segment_kind_name[SEGMENT_KINDS] = {
	[SEGMENT_ANON] = "anon", [SEGMENT_STACK] = "stack",   [SEGMENT_MODULE] = "module",
	[SEGMENT_FILE] = "file", [SEGMENT_SHARED] = "shared", [SEGMENT_VDSO] = "vdso",
	[SEGMENT_HEAP] = "heap",
};

struct error *snapshot_create(const struct image *img, struct damage_log *damage,
			      struct snapshot **ret)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	if (!s)
		return &error_nomem;
	s->image = img;
	s->damage = damage;
	*ret = s;
	return NULL;
}

void snapshot_destroy(struct snapshot *s)
{
	if (!s)
		return;
	intern_deinit(&s->strings);
	vec_deinit(&s->meta);
	vec_deinit(&s->module_symbols);
	vec_deinit(&s->frame);
	vec_deinit(&s->arena);
	vec_deinit(&s->extent);
	vec_deinit(&s->opaque);
	vec_deinit(&s->free);
	vec_deinit(&s->block);
	vec_deinit(&s->type);
	vec_deinit(&s->root);
	vec_deinit(&s->site);
	vec_deinit(&s->suspended);
	vec_deinit(&s->written);
	vec_deinit(&s->equal);
	vec_deinit(&s->spare);
	vec_deinit(&s->saving);
	vec_deinit(&s->cluster);
	vec_deinit(&s->member);
	vec_deinit(&s->shape);
	vec_deinit(&s->retention);
	vec_deinit(&s->census);
	vec_deinit(&s->biggest);
	vec_deinit(&s->ledger);
	vec_deinit(&s->trim);
	vec_deinit(&s->pin);
	vec_deinit(&s->kept);
	vec_deinit(&s->refcount_error);
	vec_deinit(&s->holder);
	vec_deinit(&s->held);
	vec_deinit(&s->garbage);
	vec_deinit(&s->finding);
	vec_deinit(&s->timeline);
	free(s->object.address);
	free(s->object.size);
	free(s->object.arena_id);
	free(s->object.block);
	free(s->object.runtime);
	free(s->object.flags);
	free(s->object.type_id);
	free(s->object.owner_id);
	free(s->object.refcount);
	free(s->object.value);
	free(s->object.shown);
	free(s->object.site_id);
	free(s->object.reachable);
	free(s->object.grade);
	free(s->object.dominator);
	free(s->object.retained);
	free(s->object.retention);
	free(s->object.held);
	free(s->edge.first);
	free(s->edge.dst);
	free(s->edge.where);
	free(s->edge.kind);
	free(s->edge.name);
	free(s->edge.rfirst);
	free(s->edge.rsrc);
	snapshot_locator_deinit(s);
	free(s);
}

struct error *snapshot_seal_strings(struct snapshot *s)
{
	struct intern *in = &s->strings;
	for (uint32_t id = 1; id < in->n; id++) {
		struct intern_entry *e = &in->entry[id];
		if (utf8_valid(e->text, e->len))
			continue;
		uint64_t room;
		if (!checked_mul(e->len + UINT64_C(1), UTF8_CLEAN_MOST, &room) || room > UINT32_MAX)
			return &error_nomem;
		char *text = region_alloc(&in->region, room);
		if (!text)
			return &error_nomem;
		e->len = (uint32_t)utf8_clean(text, room, e->text, e->len);
		e->text = text;
	}
	return NULL;
}

/* ---- writers ---- */

struct error *snapshot_meta(struct snapshot *s, const char *key, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		return &error_nomem;
	struct meta_row row;
	struct error *err = intern_str(&s->strings, key, &row.key);
	if (!err)
		err = intern_add(&s->strings, text, (size_t)len, &row.value);
	if (err)
		return err;
	for (uint64_t i = 0; i < s->meta.n; i++) {
		if (s->meta.at[i].key == row.key) {
			s->meta.at[i].value = row.value;
			return NULL;
		}
	}
	return vec_push(&s->meta, row);
}

struct error *snapshot_add_arena(struct snapshot *s, const struct arena_row *row, uint32_t *ret)
{
	/* Ids of arenas are 16 bits in the object table. */
	s->arena.max = UINT16_MAX - 1;
	struct error *err = vec_push(&s->arena, *row);
	if (!err && ret)
		*ret = (uint32_t)s->arena.n;
	return err;
}

struct error *snapshot_add_extent(struct snapshot *s, const struct extent_row *row)
{
	struct extent_row part = *row;
	struct error *err = NULL;
	if (!s->image)
		return row->start < row->end ? vec_push(&s->extent, *row) : NULL;
	for (uint32_t i = image_segment_from(s->image, row->start); i < s->image->nsegment && !err;
	     i++) {
		const struct image_segment *seg = &s->image->segment[i];
		if (seg->start >= row->end)
			break;
		part.start = row->start > seg->start ? row->start : seg->start;
		part.end = row->end < seg->end ? row->end : seg->end;
		if (part.start < part.end)
			err = vec_push(&s->extent, part);
	}
	return err;
}

struct error *snapshot_add_opaque(struct snapshot *s, uint64_t start, uint64_t end, const char *why)
{
	if (start >= end)
		return NULL;
	return vec_push(&s->opaque, ((struct opaque_row){start, end, why}));
}

struct error *snapshot_add_type(struct snapshot *s, const char *language, const char *name,
				const char *module, uint32_t *ret)
{
	struct type_row row;
	struct error *err = intern_str(&s->strings, language, &row.language);
	if (!err)
		err = intern_str(&s->strings, name, &row.name);
	if (!err)
		err = intern_str(&s->strings, module, &row.module);
	if (!err)
		err = vec_push(&s->type, row);
	if (!err && ret)
		*ret = (uint32_t)s->type.n;
	return err;
}

struct error *snapshot_object_place(struct snapshot *s, uint32_t id, uint64_t address)
{
	struct object_table *o = &s->object;
	if (!o->block) {
		o->block = malloc((o->n ? o->n : 1) * sizeof(*o->block));
		if (!o->block)
			return &error_nomem;
		memcpy(o->block, o->address, o->n * sizeof(*o->block));
	}
	assert(address >= o->block[id - 1] && address - o->block[id - 1] < o->size[id - 1]);
	o->address[id - 1] = address;
	return NULL;
}

static size_t edge_name_key(const struct snapshot *s, uint32_t id, char *buf, size_t room)
{
	const struct object_table *o = &s->object;
	if (!id || id > o->n)
		return 0;
	size_t most = room > 24 ? room - 16 : 8;
	uint32_t value = object_shown(o, id - 1), type = o->type_id[id - 1];
	const char *text = value  ? intern_text(&s->strings, value)
			   : type ? intern_text(&s->strings, s->type.at[type - 1].name)
				  : "?";
	int len = (int)utf8_cut(text, strlen(text), most);
	if (value && o->flags && o->flags[id - 1] & OBJECT_TEXT)
		return (size_t)snprintf(buf, room, "['%.*s']", len, text);
	return (size_t)snprintf(buf, room, value ? "[%.*s]" : "[<%.*s>]", len, text);
}

size_t snapshot_edge_name(const struct snapshot *s, uint32_t name, char *buf, size_t room)
{
	uint32_t number = name & EDGE_NAME_NUMBER;
	buf[0] = 0;
	switch ((enum edge_name_kind)(name >> 29)) {
	case EDGE_NAME_TEXT:
		return (size_t)snprintf(buf, room, "%s", intern_text(&s->strings, number));
	case EDGE_NAME_INDEX:
		return (size_t)snprintf(buf, room, "[%u]", number);
	case EDGE_NAME_KEY:
		return edge_name_key(s, number, buf, room);
	case EDGE_NAME_ATTR:
		if (!number || number > s->object.n)
			return 0;
		return (size_t)snprintf(
			buf, room, ".%s",
			intern_text(&s->strings, object_shown(&s->object, number - 1)));
	case EDGE_NAME_KEYOF:
		return (size_t)snprintf(buf, room, "<key %u>", number);
	case EDGE_NAME_NONE:
		break;
	}
	return 0;
}
