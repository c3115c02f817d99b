/*
 * emit: the second pass. Goes through the notes of the sound pieces in address order, beside the
 * sorted list of what is parked: a parked chunk is free by its list, another one by the next
 * chunk's PREV_INUSE.
 */
#include "heap/glibc/glibc_impl.h"

#include "base/cleanup.h"

#include <stdio.h>

/* ---- the parked, in address order ---- */

enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS, RADIX_FROM = 4096 };

static int parked_compare(const void *a, const void *b)
{
	const struct glibc_parked *x = a, *y = b;
	if (x->chunk != y->chunk)
		return x->chunk < y->chunk ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

/* Stable, so that of equal chunks the first stays first. Linear: lists hold millions. */
static struct error *parked_radix(struct glibc_parked *at, uint64_t n)
{
	uint64_t low = UINT64_MAX, high = 0;
	for (uint64_t i = 0; i < n; i++) {
		low = at[i].chunk < low ? at[i].chunk : low;
		high = at[i].chunk > high ? at[i].chunk : high;
	}
	struct glibc_parked *other = malloc(n * sizeof(*other)), *from = at, *to = other;
	if (!other)
		return &error_nomem;
	/* Chunks are aligned alike: the lowest four bits of the distance tell nothing. */
	for (unsigned shift = 4; shift < 64 && (high - low) >> shift; shift += RADIX_BITS) {
		uint64_t count[RADIX] = {0}, sum = 0;
		for (uint64_t i = 0; i < n; i++)
			count[(from[i].chunk - low) >> shift & (RADIX - 1)]++;
		for (unsigned i = 0; i < RADIX; i++) {
			uint64_t c = count[i];
			count[i] = sum;
			sum += c;
		}
		for (uint64_t i = 0; i < n; i++)
			to[count[(from[i].chunk - low) >> shift & (RADIX - 1)]++] = from[i];
		struct glibc_parked *t = from;
		from = to;
		to = t;
	}
	if (from != at)
		memcpy(at, from, n * sizeof(*at));
	free(other);
	return NULL;
}

static const char *parked_name(uint8_t kind)
{
	return kind == PARKED_TCACHE_ITSELF ? "thread cache" : free_kind_name[kind];
}

struct error *glibc_sort_parked(struct glibc *g, bool report)
{
	struct glibc_parked *p = g->parked.at;
	uint64_t n = g->parked.n, k = 0;
	bool sorted = true;
	for (uint64_t i = 1; i < n && sorted; i++)
		sorted = p[i - 1].chunk <= p[i].chunk;
	if (!sorted && n < RADIX_FROM) {
		qsort(p, n, sizeof(*p), parked_compare);
	} else if (!sorted) {
		struct error *err = parked_radix(p, n);
		if (err)
			return err;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (k && p[k - 1].chunk == p[i].chunk) {
			if (report)
				damage_add_culprit(g->ctx->damage, DAMAGE_HEAP,
						   p[i].chunk + g->header, p[i].chunk + g->header,
						   "the block at 0x%" PRIx64
						   " is in two free lists (%s, %s): it was freed "
						   "twice",
						   p[i].chunk + g->header,
						   parked_name(p[k - 1].kind),
						   parked_name(p[i].kind));
			if (p[i].kind == PARKED_TCACHE_ITSELF)
				p[k - 1] = p[i];
			continue;
		}
		p[k++] = p[i];
	}
	g->parked.n = k;
	return NULL;
}

/* ---- arenas ---- */

/* The threads whose TLS has an arena's address (malloc/arena.c, thread_arena). */
struct arena_users {
	uint64_t address;
	uint64_t index;	      /* in glibc.arena */
	uint32_t users, last; /* how many threads; 1 + the last one seen */
	int32_t tid;	      /* of the first */
};

static int users_compare(const void *a, const void *b)
{
	const struct arena_users *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

static int users_by_index(const void *a, const void *b)
{
	const struct arena_users *x = a, *y = b;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* One look at each thread's words, whatever the number of arenas. */
static void users_of_thread(struct glibc *g, uint32_t thread, struct arena_users *users)
{
	enum { NEAR = 4096 }; /* libc's variables lie near the thread pointer */
	const struct image_thread *t = &g->img->thread[thread];
	const struct image_segment *s = t->tp ? image_segment_find(g->img, t->tp) : NULL;
	if (!s || t->tp % g->w)
		return;
	uint64_t from = t->tp - s->start > NEAR ? t->tp - NEAR : s->start;
	uint64_t end = s->end - t->tp > NEAR ? t->tp + NEAR : s->end;
	from = (from + g->w - 1) / g->w * g->w;
	const uint64_t low = users[0].address, high = users[g->arena.n - 1].address;
	for (uint64_t at = from; at < end; at += g->w) {
		struct arena_users key;
		if (!glibc_word(g, at, &key.address) || key.address < low || key.address > high)
			continue;
		struct arena_users *u =
			bsearch(&key, users, g->arena.n, sizeof(*users), users_compare);
		if (!u || u->last == thread + 1)
			continue;
		u->last = thread + 1;
		if (!u->users++)
			u->tid = t->tid;
	}
}

/* One for each arena, in their order. Malloc'ed; NULL: out of memory. */
static struct arena_users *arena_users_find(struct glibc *g)
{
	struct arena_users *users = calloc(g->arena.n + 1, sizeof(*users));
	if (!users || !g->arena.n)
		return users;
	for (uint64_t i = 0; i < g->arena.n; i++)
		users[i] = (struct arena_users){.address = g->arena.at[i].address, .index = i};
	qsort(users, g->arena.n, sizeof(*users), users_compare);
	for (uint32_t i = 0; i < g->img->nthread; i++)
		users_of_thread(g, i, users);
	qsort(users, g->arena.n, sizeof(*users), users_by_index);
	return users;
}

static void arena_name(const struct glibc_arena *a, const struct arena_users *u, char *buf,
		       size_t room)
{
	if (a->main)
		snprintf(buf, room, "main");
	else if (!u->users)
		snprintf(buf, room, "thread arena, no thread uses it");
	else if (u->users == 1)
		snprintf(buf, room, "thread %d", u->tid);
	else
		snprintf(buf, room, "thread %d and %u more", u->tid, u->users - 1);
}

/*
 * What malloc_trim(0) can give back (malloc/malloc.c, mtrim() and systrim()): of every arena the
 * pages inside its free chunks; of the main arena's top what is at the break. A thread arena's top
 * is left alone.
 */
static struct arena_trim arena_trim(const struct glibc *g, const struct glibc_arena *a)
{
	struct arena_trim t = {
		.kind = TRIM_PAGES,
		.header = (uint8_t)g->header,
		.overlap = (uint8_t)g->w,
		.lead = (uint8_t)(GLIBC_CHUNK_WORDS * g->w),
		.top_keep = (uint8_t)(GLIBC_MIN_WORDS * g->w + 1),
	};
	const struct image_segment *seg =
		a->main && a->top ? image_segment_find(g->img, a->top) : NULL;
	if (seg && seg->kind == SEGMENT_HEAP) {
		/* The break's mappings may be several that touch. */
		const struct image_segment *end = g->img->segment + g->img->nsegment;
		while (seg + 1 < end && seg[1].start == seg->end && seg[1].kind == SEGMENT_HEAP)
			seg++;
		if (a->top_end == seg->end)
			t.kind = TRIM_BREAK;
	}
	return t;
}

static struct error *arena_rows(struct glibc *g, uint32_t *mapped_row)
{
	struct snapshot *s = g->ctx->snapshot;
	uint32_t glibc_id, name_id;
	_cleanup_free_ struct arena_users *users = arena_users_find(g);
	if (!users)
		return &error_nomem;
	struct error *err = intern_str(&s->strings, "glibc", &glibc_id);
	for (uint64_t i = 0; i < g->arena.n && !err; i++) {
		struct glibc_arena *a = &g->arena.at[i];
		char name[64];
		arena_name(a, &users[i], name, sizeof(name));
		err = intern_str(&s->strings, name, &name_id);
		if (err)
			break;
		err = snapshot_add_arena(s,
					 &(struct arena_row){.allocator = glibc_id,
							     .address = a->address,
							     .system_bytes = a->system_mem,
							     .name = name_id,
							     .trim = arena_trim(g, a)},
					 &a->row);
		if (!err)
			err = snapshot_add_opaque(s, a->address, a->address + a->layout->size,
						  "glibc arena");
	}
	*mapped_row = 0;
	if (err || !g->mapped.n)
		return err;
	uint64_t bytes = 0;
	for (uint64_t i = 0; i < g->mapped.n; i++)
		bytes += g->mapped.at[i].end - g->mapped.at[i].start;
	err = intern_str(&s->strings, "mmapped chunks", &name_id);
	if (!err)
		err = snapshot_add_arena(s,
					 &(struct arena_row){.allocator = glibc_id,
							     .system_bytes = bytes,
							     .name = name_id},
					 mapped_row);
	return err;
}

/* ---- extents ---- */

static struct error *extent_add(struct glibc *g, uint64_t start, uint64_t end,
				enum extent_kind kind, uint32_t row)
{
	return snapshot_add_extent(g->ctx->snapshot, &(struct extent_row){
							     .start = start,
							     .end = end,
							     .kind = (uint8_t)kind,
							     .arena_id = (uint16_t)row,
						     });
}

/* A heap's address space behind what is in use, and its header. */
static struct error *heap_frame(struct glibc *g, const struct glibc_heap *h)
{
	uint32_t row = g->arena.at[h->arena].row;
	uint64_t limit;
	struct error *err = snapshot_add_opaque(
		g->ctx->snapshot, h->start, h->start + (g->heap_info ? g->heap_info : g->header),
		"glibc heap header");
	if (err || !checked_add(h->start, h->reserved, &limit))
		return err;
	/*
	 * Only what still is as new_heap left it: inaccessible, or trimmed from this heap. gdb's
	 * gcore writes inaccessible mappings as readable zeroes, so "r--" counts as inaccessible.
	 */
	for (uint64_t at = h->start + h->size; at < limit && !err;) {
		const struct image_segment *s = image_segment_find(g->img, at);
		if (!s || s->name || (s->perms & (PERM_W | PERM_X) && s->start > h->start))
			break;
		uint64_t end = s->end < limit ? s->end : limit;
		err = extent_add(g, at, end, EXTENT_RESERVED, row);
		at = end;
	}
	return err;
}

/* ---- blocks ---- */

struct emit {
	struct glibc *g;
	struct snapshot *s;
	struct glibc_window win;
	uint64_t parked; /* the next one */
};

/* A list names an address that is no chunk's: the size before it, or the list, is wrong. */
static void emit_stray(struct emit *e, uint64_t before)
{
	struct glibc *g = e->g;
	const struct glibc_parked *p = &g->parked.at[e->parked];
	uint32_t arena = p->arena;
	if (arena != UINT32_MAX && glibc_forgive(g, arena, "free list", p->chunk))
		return;
	damage_add_culprit(g->ctx->damage, DAMAGE_HEAP, p->chunk + g->header,
			   before ? before + g->header : 0,
			   "a %s list names 0x%" PRIx64 ", where by the sizes no block begins",
			   parked_name(p->kind), p->chunk + g->header);
}

/* The size of the chunk that note `i` is about, and whether the chunk before it is in use. */
static bool emit_head(struct emit *e, uint64_t i, uint64_t at, uint64_t *size, bool *prev_in_use)
{
	const struct glibc *g = e->g;
	uint64_t head;
	uint32_t note = g->note.at[i];
	if (note) {
		*size = (uint64_t)(note >> 1) * GLIBC_ALIGNMENT;
		*prev_in_use = note & 1;
		return true;
	}
	if (!glibc_window_word(g, &e->win, at + g->w, &head))
		return false;
	*size = glibc_chunk_size(head);
	*prev_in_use = head & GLIBC_PREV_INUSE;
	return true;
}

static struct error *emit_top(struct emit *e, uint64_t chunk, uint64_t end, uint32_t row)
{
	uint64_t header = e->g->header;
	return end - chunk > header ? snapshot_add_free(e->s, chunk + header, end - chunk - header,
							row, FREE_TOP)
				    : NULL;
}

static struct error *emit_piece(struct emit *e, const struct glibc_piece *piece)
{
	struct glibc *g = e->g;
	const struct glibc_arena *a = &g->arena.at[g->region.at[piece->region].arena];
	const struct glibc_parked *p = g->parked.at;
	uint64_t n = g->parked.n, at = piece->start, before = 0, size, next_size, head;
	uint64_t region_end = g->region.at[piece->region].end;
	uint64_t last = piece->first_note + piece->notes;
	bool in_use, ignored;
	struct error *err = NULL;
	while (e->parked < n && p[e->parked].chunk < at) {
		emit_stray(e, 0);
		e->parked++;
	}
	for (uint64_t i = piece->first_note; i < last && !err; i++) {
		if (!emit_head(e, i, at, &size, &ignored))
			return NULL;
		uint64_t behind = at + size;
		/* A top that its arena lost: nothing but one ends its region. */
		if (behind == region_end)
			return emit_top(e, at, behind, a->row);
		bool parked = false;
		uint8_t kind = FREE_UNLINKED;
		while (e->parked < n && p[e->parked].chunk <= at) {
			if (p[e->parked].chunk == at) {
				parked = true;
				kind = p[e->parked].kind;
			} else {
				emit_stray(e, before);
			}
			e->parked++;
		}
		if (i + 1 == last || !emit_head(e, i + 1, behind, &next_size, &in_use))
			in_use = piece->open ||
				 !glibc_window_word(g, &e->win, behind + g->w, &head) ||
				 (head & GLIBC_PREV_INUSE);
		if (!parked && in_use)
			err = snapshot_add_block(e->s, at + g->header, size - g->w, a->row);
		else if (kind != PARKED_TCACHE_ITSELF)
			err = snapshot_add_free(e->s, at + g->header, size - g->w, a->row,
						(enum free_kind)kind);
		before = at;
		at = behind;
	}
	if (!err && at < piece->end && at == a->top)
		err = emit_top(e, at, a->top_end < region_end ? a->top_end : region_end, a->row);
	return err;
}

/* What lists name in a damaged piece is no news. */
static void emit_over_damage(struct emit *e, const struct glibc_piece *piece)
{
	const struct glibc *g = e->g;
	while (e->parked < g->parked.n && g->parked.at[e->parked].chunk < piece->start) {
		emit_stray(e, 0);
		e->parked++;
	}
	while (e->parked < g->parked.n && g->parked.at[e->parked].chunk < piece->end)
		e->parked++;
}

static enum extent_kind piece_extent(const struct glibc_piece *p)
{
	return p->kind == PIECE_DAMAGED ? EXTENT_DAMAGED : EXTENT_HEAP;
}

/* The region's extents: what lies before its first chunk, then its pieces, like ones joined. */
static struct error *region_extents(struct glibc *g, uint64_t first, uint64_t end)
{
	const struct glibc_region *r = &g->region.at[g->piece.at[first].region];
	uint32_t row = g->arena.at[r->arena].row;
	uint64_t start = r->extent;
	enum extent_kind kind = EXTENT_HEAP;
	struct error *err = NULL;
	for (uint64_t i = first; i < end && !err; i++) {
		const struct glibc_piece *p = &g->piece.at[i];
		if (p->kind == PIECE_FOREIGN) {
			err = extent_add(g, start, p->start, kind, row);
			start = p->end;
			kind = EXTENT_HEAP;
		} else if (piece_extent(p) != kind) {
			/* The last block before damage may use the first word of it. */
			uint64_t at = p->kind == PIECE_DAMAGED && p->start > start ? p->start + g->w
										   : p->start;
			err = extent_add(g, start, at, kind, row);
			start = at;
			kind = piece_extent(p);
		}
	}
	return err ? err : extent_add(g, start, r->end, kind, row);
}

static struct error *emit_mapped(struct emit *e, const struct glibc_mapped *m, uint32_t row)
{
	struct glibc *g = e->g;
	const struct glibc_parked *p = g->parked.at;
	/* The header of a chunk that memalign moved begins behind the slack. */
	uint64_t first = glibc_chunk_align(g, m->start);
	uint64_t slack = m->chunk > first ? m->chunk : m->start;
	struct error *err = extent_add(g, m->start, slack, EXTENT_ROUNDING, row);
	if (!err)
		err = extent_add(g, slack, m->end, EXTENT_HEAP, row);
	while (e->parked < g->parked.n && p[e->parked].chunk < m->chunk) {
		emit_stray(e, 0);
		e->parked++;
	}
	if (err)
		return err;
	if (e->parked < g->parked.n && p[e->parked].chunk == m->chunk)
		return snapshot_add_free(e->s, m->chunk + g->header, m->usable, row,
					 (enum free_kind)p[e->parked++].kind);
	return snapshot_add_block(e->s, m->chunk + g->header, m->usable, row);
}

struct error *glibc_emit(struct glibc *g)
{
	struct emit e = {.g = g, .s = g->ctx->snapshot};
	uint32_t mapped_row;
	uint64_t m = 0;
	struct error *err = arena_rows(g, &mapped_row);
	for (uint64_t i = 0; i < g->heap.n && !err; i++)
		err = heap_frame(g, &g->heap.at[i]);
	/* Pieces and mmapped chunks, merged by address. */
	for (uint64_t i = 0, k; i < g->piece.n && !err; i = k) {
		uint32_t region = g->piece.at[i].region;
		while (m < g->mapped.n && g->mapped.at[m].start < g->region.at[region].start &&
		       !err)
			err = emit_mapped(&e, &g->mapped.at[m++], mapped_row);
		for (k = i; k < g->piece.n && g->piece.at[k].region == region; k++) {
			if (!err && g->piece.at[k].kind == PIECE_CHUNKS)
				err = emit_piece(&e, &g->piece.at[k]);
			else if (!err && g->piece.at[k].kind == PIECE_DAMAGED)
				emit_over_damage(&e, &g->piece.at[k]);
		}
		if (!err)
			err = region_extents(g, i, k);
	}
	while (m < g->mapped.n && !err)
		err = emit_mapped(&e, &g->mapped.at[m++], mapped_row);
	while (e.parked < g->parked.n && !err) {
		emit_stray(&e, 0);
		e.parked++;
	}
	return err;
}
