/*
 * ledger: where the process's memory went. Every byte of every mapping is in exactly one row.
 *
 * One sweep in address order per segment. Nobody's opinion is added up twice:
 *
 *	segment   |------------------------------------------------------------------|
 *	present   |########################################          ################|
 *	extents       |====== heap ======|    |stack unused|stack used|
 *	blocks          [live] [free]
 *	row       seg. |ov|live|o|free|o| seg.|unused     | missing ..| seg. kind ....
 *
 * What neither the dump nor a binary has is `missing`, whatever else is known of it; but for
 *address space that nobody can read (reserved, guard), which holds no memory and would be in no
 *dump.
 *
 * A page of a stack's unused part that is all zero was never written to: a stack is 8 MiB of
 * addresses, and costs what was used of it. Such a page is `reserved`. (One that a frame filled
 * with zeroes is taken for one of these.)
 *
 * Pages of zeroes in what nobody explains have a place of their own: a pool that maps more than it
 * uses has no memory there, but one that clears what it is given back has.
 */
#include "analysis/analysis.h"

#include "base/checked.h"
#include "base/cleanup.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

/* Rows of one segment, folded by (category, place); few, so a linear search does. */
struct ledger {
	struct snapshot *s;
	uint32_t segment_id;
	uint64_t first;		     /* first row of this segment */
	uint64_t object, free, span; /* next ones to look at, in address order */
	struct image_cursor cursor;
};

static struct error *ledger_add(struct ledger *l, const char *category, const char *place,
				uint64_t bytes)
{
	if (!bytes)
		return NULL;
	struct ledger_row row = {.segment_id = l->segment_id, .bytes = bytes};
	struct error *err = intern_str(&l->s->strings, category, &row.category);
	if (!err && place)
		err = intern_str(&l->s->strings, place, &row.place);
	if (err)
		return err;
	for (uint64_t i = l->first; i < l->s->ledger.n; i++) {
		struct ledger_row *r = &l->s->ledger.at[i];
		if (r->category == row.category && r->place == row.place) {
			r->bytes += bytes;
			return NULL;
		}
	}
	return vec_push(&l->s->ledger, row);
}

/* How much of [start, end) overlaps [a, b). */
static uint64_t ledger_overlap(uint64_t start, uint64_t end, uint64_t a, uint64_t b)
{
	uint64_t lo = start > a ? start : a, hi = end < b ? end : b;
	return lo < hi ? hi - lo : 0;
}

/*
 * Bytes of [start, end), all present, in a heap extent: live blocks, free blocks by place, and what
 * is left over.
 */
static struct error *ledger_heap(struct ledger *l, uint64_t start, uint64_t end,
				 const char *allocator)
{
	const struct snapshot *s = l->s;
	const struct object_table *o = &s->object;
	uint64_t live = 0, taken[FREE_KINDS] = {0}, rest = end - start;
	while (l->object < o->n && object_block(o, l->object) + o->size[l->object] <= start)
		l->object++;
	for (uint64_t i = l->object; i < o->n && object_block(o, i) < end; i++) {
		uint64_t n = ledger_overlap(start, end, object_block(o, i),
					    object_block(o, i) + o->size[i]);
		live += n;
		rest -= n;
		l->object = i;
	}
	while (l->free < s->free.n &&
	       s->free.at[l->free].address + s->free.at[l->free].size <= start)
		l->free++;
	for (uint64_t i = l->free; i < s->free.n && s->free.at[i].address < end; i++) {
		const struct free_row *f = &s->free.at[i];
		uint64_t n = ledger_overlap(start, end, f->address, f->address + f->size);
		taken[f->kind] += n;
		rest -= n;
		l->free = i;
	}
	struct error *err = ledger_add(l, "live", allocator, live);
	for (int k = 0; k < FREE_KINDS && !err; k++)
		err = ledger_add(l, "free", free_kind_name[k], taken[k]);
	return err ? err : ledger_add(l, "overhead", allocator, rest);
}

/* Bytes of whole pages of [start, end), all present, that are all zero. */
static uint64_t ledger_zeroes(struct ledger *l, uint64_t start, uint64_t end)
{
	const struct image *img = l->s->image;
	const uint64_t page = img->page_size;
	uint64_t zeroes = 0, at = align_down(start, page);
	bool hole = img->span[l->span].origin == SPAN_ZERO; /* the whole run is of this span */
	for (at += at < start ? page : 0; at < end && end - at >= page; at += page) {
		if (hole)
			return zeroes + align_down(end - at, page);
		const uint8_t *p = image_view_all(img, &l->cursor, at, page);
		if (p && !*p && !memcmp(p, p + 1, page - 1))
			zeroes += page;
	}
	return zeroes;
}

/* [start, end), all present, of a stack's unused part. */
static struct error *ledger_stack(struct ledger *l, const char *place, uint64_t start, uint64_t end)
{
	const uint64_t never = ledger_zeroes(l, start, end);
	struct error *err = ledger_add(l, "stack", place, end - start - never);
	return err ? err : ledger_add(l, "reserved", "stack, never written to", never);
}

static const char *ledger_allocator(const struct snapshot *s, const struct extent_row *e)
{
	return e->arena_id ? intern_text(&s->strings, s->arena.at[e->arena_id - 1].allocator)
			   : NULL;
}

static struct error *ledger_segment(struct ledger *l, const struct image_segment *seg,
				    uint64_t start, uint64_t bytes)
{
	const struct snapshot *s = l->s;
	const char *module =
		seg->module_id ? image_module_get(s->image, seg->module_id)->path : NULL;
	switch ((enum segment_kind)seg->kind) {
	case SEGMENT_MODULE:
		return ledger_add(l, seg->perms & PERM_W ? "module data" : "module", module, bytes);
	case SEGMENT_FILE:
		return ledger_add(l, "file", seg->name, bytes);
	case SEGMENT_SHARED:
		return ledger_add(l, "shared memory", seg->name, bytes);
	case SEGMENT_VDSO:
		return ledger_add(l, "vdso", NULL, bytes);
	case SEGMENT_STACK:
		return ledger_stack(l, "unused", start, start + bytes);
	case SEGMENT_HEAP:
	case SEGMENT_ANON:
	case SEGMENT_KINDS:
		break;
	}
	if (!seg->perms)
		return ledger_add(l, "reserved", "no access", bytes);
	if (seg->perms & PERM_X)
		return ledger_add(l, "unexplained", "executable (JIT code?)", bytes);
	const uint64_t zeroes = ledger_zeroes(l, start, start + bytes);
	struct error *err = ledger_add(l, "unexplained", "pages of zeroes", zeroes);
	return err ? err
		   : ledger_add(l, "unexplained", seg->kind == SEGMENT_HEAP ? "break" : "anonymous",
				bytes - zeroes);
}

static struct error *ledger_extent(struct ledger *l, const struct extent_row *e, uint64_t start,
				   uint64_t end)
{
	const struct snapshot *s = l->s;
	const char *allocator = ledger_allocator(s, e);
	uint64_t bytes = end - start;
	switch ((enum extent_kind)e->kind) {
	case EXTENT_HEAP:
		return ledger_heap(l, start, end, allocator);
	case EXTENT_ROUNDING:
		return ledger_add(l, "rounding", allocator, bytes);
	case EXTENT_RESERVED:
		return ledger_add(l, "reserved", allocator, bytes);
	case EXTENT_DAMAGED:
		return ledger_add(l, "damaged", allocator, bytes);
	case EXTENT_STACK_USED:
		return ledger_add(l, "stack", "used", bytes);
	case EXTENT_STACK_UNUSED:
		/* no thread: it has ended, and waits to be joined */
		return ledger_stack(l, e->thread_id ? "unused" : "ended, not joined", start, end);
	case EXTENT_STACK_CACHED:
		return ledger_stack(l, "cached", start, end);
	case EXTENT_GUARD:
		return ledger_add(l, "reserved", "guard", bytes);
	case EXTENT_TLS:
		return ledger_add(l, "thread-local storage", NULL, bytes);
	case EXTENT_LOADER:
		return ledger_add(l, "loader", NULL, bytes);
	case EXTENT_OTHER:
	case EXTENT_KINDS:
		break;
	}
	return ledger_add(l, "other", e->name ? intern_text(&s->strings, e->name) : NULL, bytes);
}

/*
 * The end of the run at `at` in which presence does not change, up to `end`; *present says whether
 * its bytes can be read.
 */
static uint64_t ledger_run(struct ledger *l, uint64_t at, uint64_t end, bool *present)
{
	const struct image *img = l->s->image;
	while (l->span < img->nspan && img->span[l->span].end <= at)
		l->span++;
	if (l->span == img->nspan || img->span[l->span].start >= end) {
		*present = false;
		return end;
	}
	const struct image_span *span = &img->span[l->span];
	*present = span->start <= at;
	uint64_t stop = *present ? span->end : span->start;
	return stop < end ? stop : end;
}

static struct error *ledger_missing(struct ledger *l, const struct image_segment *seg,
				    const struct extent_row *e, uint64_t bytes)
{
	if (e && e->kind == EXTENT_GUARD)
		return ledger_add(l, "reserved", "guard", bytes);
	if (e && e->kind == EXTENT_RESERVED)
		return ledger_add(l, "reserved", ledger_allocator(l->s, e), bytes);
	if (!seg->perms)
		return ledger_add(l, "reserved", "no access", bytes);
	return ledger_add(l, "missing from the dump", segment_kind_name[seg->kind], bytes);
}

struct error *analysis_ledger(struct snapshot *s, struct log *log)
{
	(void)log;
	if (!s->image)
		return NULL;
	struct ledger l = {.s = s};
	uint64_t x = 0; /* next extent */
	for (uint32_t i = 0; i < s->image->nsegment; i++) {
		const struct image_segment *seg = &s->image->segment[i];
		l.segment_id = i + 1;
		l.first = s->ledger.n;
		for (uint64_t at = seg->start; at < seg->end;) {
			while (x < s->extent.n && s->extent.at[x].end <= at)
				x++;
			const struct extent_row *e = x < s->extent.n ? &s->extent.at[x] : NULL;
			uint64_t end = seg->end;
			if (e && e->start > at) {
				end = e->start < end ? e->start : end;
				e = NULL;
			} else if (e) {
				end = e->end < end ? e->end : end;
			}
			bool present;
			end = ledger_run(&l, at, end, &present);
			struct error *err;
			if (!present)
				err = ledger_missing(&l, seg, e, end - at);
			else if (e)
				err = ledger_extent(&l, e, at, end);
			else
				err = ledger_segment(&l, seg, at, end - at);
			if (err)
				return err;
			at = end;
		}
	}
	return NULL;
}
