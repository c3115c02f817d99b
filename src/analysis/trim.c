/*
 * trim: "leak, or held by the allocator?" What would go back to the system if the allocator were
 * asked, and which live blocks keep the rest.
 *
 *	pages     |........|........|........|........|........|
 *	blocks    [live][free......................][live]
 *	          |  kept  |   returnable    |  kept  |
 *
 * A run is free blocks that touch and that the allocator would join: for glibc those of its bins
 * and fastbins, which malloc_trim(0) consolidates first; blocks in a thread's cache count as used
 * there. Of a run whole pages go back, behind what the allocator keeps at its start. What is left
 * of free memory stays because it shares a page (an extent, where only whole ones go back) with
 * something in use: that is shared out, in equal parts, to the live blocks there.
 *
 * One sweep over free blocks and objects in address order; a row a type, and for blocks of unknown
 * type a row a size. What the process's resident memory loses is between `written` and
 * `returnable`: a page of zeroes in the dump may never have been touched.
 */
#include "analysis/analysis.h"

#include "base/checked.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

enum {
	SIZE_STEP = 8,	       /* untyped blocks are told apart by size up to ... */
	SIZE_CLASSES = 8192,   /* ... this many steps; the last class is the rest */
	TRIM_KINDS_PINNED = 2, /* by page (glibc), by extent (pymalloc): rows apart */
};

struct pin {
	uint64_t objects, units, bytes;
	uint64_t best;		     /* bytes kept by `example` in one unit */
	uint32_t example, last_seen; /* object ids */
	uint32_t last_unit;
};

/* A page or an extent that is being filled with free bytes. */
struct unit {
	uint64_t start, end, free;
	uint32_t arena_id, number;
};

struct trim {
	struct snapshot *s;
	struct trim_row *row;		       /* by arena id - 1 */
	struct pin *pin[TRIM_KINDS_PINNED];    /* by type id, then by size class */
	uint32_t allocator[TRIM_KINDS_PINNED]; /* string */
	uint64_t types;
	struct unit unit;
	uint64_t object; /* the first that may reach into the unit */
	struct image_cursor cursor;
};

/* Free blocks that touch: rows [first, last], memory [start, end), and what of it goes back. */
struct run {
	uint64_t first, last;
	uint64_t start, end;
	uint64_t out_start, out_end;
	bool top; /* its last block is the arena's top */
};

static const struct arena_trim *trim_of(const struct snapshot *s, const struct free_row *f)
{
	static const struct arena_trim none;
	return f->arena_id ? &s->arena.at[f->arena_id - 1].trim : &none;
}

static bool trim_joins(const struct free_row *f)
{
	return f->kind != FREE_TCACHE && f->kind < FREE_PYMALLOC;
}

static uint64_t run_end_of(const struct free_row *f, const struct arena_trim *t)
{
	return f->address + f->size - (f->kind == FREE_TOP ? 0 : t->overlap);
}

static struct run run_from(const struct snapshot *s, uint64_t first)
{
	const struct free_row *f = &s->free.at[first];
	const struct arena_trim *t = trim_of(s, f);
	struct run r = {
		.first = first,
		.last = first,
		.start = f->address - t->header,
		.end = run_end_of(f, t),
		.top = f->kind == FREE_TOP,
	};
	if (!trim_joins(f) || t->kind == TRIM_WHOLE || t->kind == TRIM_NONE)
		return r;
	while (r.last + 1 < s->free.n && !r.top) {
		const struct free_row *next = &s->free.at[r.last + 1];
		if (next->arena_id != f->arena_id || !trim_joins(next) ||
		    next->address - t->header != r.end)
			break;
		r.last++;
		r.end = run_end_of(next, t);
		r.top = next->kind == FREE_TOP;
	}
	const uint64_t page = s->image->page_size;
	uint64_t from;
	if (r.top && t->kind == TRIM_BREAK && r.end - r.start > t->top_keep) {
		r.out_start = r.end - align_down(r.end - r.start - t->top_keep, page);
		r.out_end = r.end;
	} else if (!r.top && checked_align_up(r.start + t->lead, page, &from) && from < r.end) {
		r.out_start = from;
		r.out_end = from + align_down(r.end - from, page);
	}
	return r;
}

/* Of [start, end), the bytes in pages that hold something else than zeroes. */
static uint64_t trim_written(struct trim *t, uint64_t start, uint64_t end)
{
	const struct image *img = t->s->image;
	uint64_t bytes = 0, page = img->page_size;
	for (uint64_t at = start; at < end; at += page) {
		uint64_t avail;
		const uint8_t *p = image_view(img, &t->cursor, at, &avail);
		if (!p)
			continue;
		if (avail > page)
			avail = page;
		if (*p || memcmp(p, p + 1, avail - 1))
			bytes += page;
	}
	return bytes;
}

static struct pin *trim_pin(struct trim *t, unsigned kind, uint32_t id)
{
	if (!id)
		return &t->pin[kind][t->types + SIZE_CLASSES];
	const struct object_table *o = &t->s->object;
	uint32_t type = o->type_id ? o->type_id[id - 1] : 0;
	uint64_t class = o->size[id - 1] / SIZE_STEP;
	if (type)
		return &t->pin[kind][type - 1];
	return &t->pin[kind][t->types + (class < SIZE_CLASSES ? class : SIZE_CLASSES - 1)];
}

static void pin_add(struct pin *p, uint32_t id, const struct unit *u, uint64_t bytes)
{
	if (id && p->last_seen != id) {
		p->objects++;
		p->last_seen = id;
	}
	if (p->last_unit != u->number && u->free * 2 >= u->end - u->start) {
		p->units++;
		p->last_unit = u->number;
	}
	p->bytes += bytes;
	if (bytes > p->best) {
		p->best = bytes;
		p->example = id;
	}
}

/* Shares the unit's free bytes out to the live blocks on it. */
static void unit_end(struct trim *t)
{
	const struct object_table *o = &t->s->object;
	struct unit *u = &t->unit;
	if (!u->free)
		return;
	unsigned kind = t->s->arena.at[u->arena_id - 1].trim.kind == TRIM_WHOLE;
	t->allocator[kind] = t->s->arena.at[u->arena_id - 1].allocator;
	while (t->object < o->n && object_block(o, t->object) + o->size[t->object] <= u->start)
		t->object++;
	uint64_t end = t->object;
	while (end < o->n && object_block(o, end) < u->end)
		end++;
	uint64_t n = end - t->object, share = n ? u->free / n : 0;
	uint64_t more = n ? u->free % n : 0; /* the first ones get a byte more */
	for (uint64_t i = t->object; i < end; i++)
		pin_add(trim_pin(t, kind, (uint32_t)(i + 1)), (uint32_t)(i + 1), u,
			share + (i - t->object < more));
	if (!n)
		pin_add(trim_pin(t, kind, 0), 0, u, u->free);
	u->free = 0;
}

static void unit_add(struct trim *t, uint64_t start, uint64_t end, uint32_t arena_id,
		     uint64_t bytes)
{
	struct unit *u = &t->unit;
	if (u->start != start || u->end != end) {
		unit_end(t);
		*u = (struct unit){
			.start = start, .end = end, .arena_id = arena_id, .number = u->number + 1};
	}
	u->free += bytes;
}

/* Free bytes [start, end) that stay because of what is beside them. */
static void trim_pinned(struct trim *t, uint64_t start, uint64_t end, uint32_t arena_id)
{
	t->row[arena_id - 1].pinned += end - start;
	if (t->s->arena.at[arena_id - 1].trim.kind == TRIM_WHOLE) {
		const struct extent_row *e = snapshot_extent_find(t->s, start);
		if (e)
			unit_add(t, e->start, e->end, arena_id, end - start);
		return;
	}
	const uint64_t page = t->s->image->page_size;
	while (start < end) {
		uint64_t first = align_down(start, page);
		uint64_t to = end - first > page ? first + page : end;
		unit_add(t, first, first + page, arena_id, to - start);
		start = to;
	}
}

static void trim_run(struct trim *t, const struct run *r)
{
	struct snapshot *s = t->s;
	uint32_t arena_id = s->free.at[r->first].arena_id;
	struct trim_row *row = &t->row[arena_id - 1];
	row->returnable += r->out_end - r->out_start;
	row->written += trim_written(t, r->out_start, r->out_end);
	for (uint64_t i = r->first; i <= r->last; i++) {
		const struct free_row *f = &s->free.at[i];
		uint64_t start = f->address, end = f->address + f->size;
		uint64_t a = r->out_start > start ? r->out_start : start;
		uint64_t b = r->out_end < end ? r->out_end : end;
		uint64_t out = a < b ? b - a : 0;
		if (f->kind == FREE_TCACHE)
			row->cached += f->size;
		else if (f->kind == FREE_TOP)
			row->top += f->size - out;
		else if (!out)
			trim_pinned(t, start, end, arena_id);
		else {
			trim_pinned(t, start, a, arena_id);
			trim_pinned(t, b, end, arena_id);
		}
	}
}

static struct error *trim_rows(struct trim *t)
{
	struct snapshot *s = t->s;
	struct error *err = NULL;
	for (uint64_t i = 0; i < s->arena.n && !err; i++) {
		t->row[i].arena_id = (uint32_t)(i + 1);
		if (s->arena.at[i].trim.kind != TRIM_NONE)
			err = vec_push(&s->trim, t->row[i]);
	}
	for (unsigned k = 0; k < TRIM_KINDS_PINNED; k++) {
		for (uint64_t i = 0; i <= t->types + SIZE_CLASSES && !err; i++) {
			const struct pin *p = &t->pin[k][i];
			if (!p->bytes)
				continue;
			bool sized = i >= t->types && i < t->types + SIZE_CLASSES - 1;
			err = vec_push(&s->pin,
				       ((struct pin_row){
					       .allocator = t->allocator[k],
					       .type_id = i < t->types ? (uint32_t)(i + 1) : 0,
					       .size = sized ? s->object.size[p->example - 1] : 0,
					       .objects = p->objects,
					       .units = p->units,
					       .bytes = p->bytes,
					       .object_id = p->example,
				       }));
		}
	}
	return err;
}

struct error *analysis_trim(struct snapshot *s, struct log *log)
{
	(void)log;
	if (!s->image || !s->arena.n)
		return NULL;
	_cleanup_free_ struct trim_row *row = calloc(s->arena.n, sizeof(*row));
	uint64_t pins = s->type.n + SIZE_CLASSES + 1;
	_cleanup_free_ struct pin *pages = calloc(pins, sizeof(*pages));
	_cleanup_free_ struct pin *extents = calloc(pins, sizeof(*extents));
	if (!row || !pages || !extents)
		return &error_nomem;
	struct trim t = {.s = s, .row = row, .pin = {pages, extents}, .types = s->type.n};
	for (uint64_t i = 0; i < s->free.n;) {
		struct run r = run_from(s, i);
		if (trim_of(s, &s->free.at[i])->kind != TRIM_NONE)
			trim_run(&t, &r);
		i = r.last + 1;
	}
	unit_end(&t);
	return trim_rows(&t);
}
