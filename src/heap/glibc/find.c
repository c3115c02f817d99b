/*
 * find: the arenas.
 *
 * A thread arena's malloc_state lies behind the heap_info of its first heap, at a boundary of the
 * heap's size. main_arena lies in a module's data; its symbol is rarely there, but 127 circular
 * list heads in a row are unmistakable: an empty one points at itself, a full one is confirmed by
 * its first and last chunk. Which release it is follows from where `next` closes the ring.
 */
#include "heap/glibc/glibc_impl.h"

enum {
	BINS_SOUND = 100, /* of 127: the rest may be damaged or half changed */
	RING_MAX = 65536, /* arenas; glibc's limit is 8 per processor */
	HEAPS_PER_ARENA = 1 << 20,
};

/* malloc/arena.c, HEAP_MAX_SIZE; since 2.35 four huge pages where glibc.malloc.hugetlb says so. */
static const uint64_t heap_sizes_64[] = {64 << 20,  8 << 20,	       UINT64_C(4) << 30, 1 << 20,
					 128 << 20, UINT64_C(2) << 30, 256 << 10,	  0};
static const uint64_t heap_sizes_32[] = {1 << 20, 8 << 20, 64 << 20, 2 << 20, 0};

static const uint64_t *heap_sizes(const struct glibc *g)
{
	return g->w == 8 ? heap_sizes_64 : heap_sizes_32;
}

/* The list head whose two words lie at `at`: bin_at() pretends that a chunk lies two words before.
 */
static bool bin_sound(struct glibc *g, uint64_t at)
{
	uint64_t fd, bk, back, forth;
	uint64_t bin = at - g->header;
	if (!glibc_word(g, at, &fd) || !glibc_word(g, at + g->w, &bk))
		return false;
	if (fd == bin && bk == bin)
		return true;
	if (fd == bin || bk == bin || !glibc_chunk_aligned(g, fd) || !glibc_chunk_aligned(g, bk))
		return false;
	return glibc_word(g, fd + 3 * g->w, &back) && back == bin &&
	       glibc_word(g, bk + 2 * g->w, &forth) && forth == bin;
}

unsigned glibc_bins_score(struct glibc *g, uint64_t bins)
{
	unsigned n = 0;
	for (unsigned i = 0; i < GLIBC_BINS; i++) {
		/* Not worth going on: most of what is asked about is no arena. */
		if (i == 32 && n < 8)
			return n;
		n += bin_sound(g, bins + i * g->header);
	}
	return n;
}

/* What lies before the first list head is none: another release's offsets would be off by a few. */
static bool state_at(struct glibc *g, const struct glibc_state_layout *l, uint64_t addr)
{
	return l->word_size == g->w && addr % g->w == 0 &&
	       !bin_sound(g, addr + l->bins - g->header) &&
	       glibc_bins_score(g, addr + l->bins) >= BINS_SOUND;
}

static struct glibc_arena *arena_known(struct glibc *g, uint64_t addr)
{
	for (uint64_t i = 0; i < g->arena.n; i++)
		if (g->arena.at[i].address == addr)
			return &g->arena.at[i];
	return NULL;
}

/* The top ends with its page: where blocks are aligned to more than two words, it is not. */
static bool top_size_ok(const struct glibc *g, uint64_t head)
{
	uint64_t size = glibc_chunk_size(head);
	return size >= g->minsize && size % g->header == 0 && !(head & GLIBC_IS_MMAPPED);
}

static struct error *arena_add(struct glibc *g, const struct glibc_state_layout *l, uint64_t addr,
			       bool main)
{
	if (arena_known(g, addr) || g->arena.n == g->arena.max)
		return NULL;
	struct glibc_arena a = {.address = addr, .layout = l, .main = main};
	uint64_t top = 0, head = 0, v = 0;
	uint32_t word = 0;
	a.locked = image_try_u32(g->img, addr + l->mutex, &word) && word;
	a.contiguous = image_try_u32(g->img, addr + l->flags, &word) && main &&
		       !(word & GLIBC_NONCONTIGUOUS);
	glibc_word(g, addr + l->last_remainder, &a.last_remainder);
	glibc_word(g, addr + l->system_mem, &a.system_mem);
	if (glibc_word(g, addr + l->attached_threads, &v))
		a.attached = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
	/* initial_top: the unsorted bin plays the top before the first allocation. */
	if (glibc_word(g, addr + l->top, &top) && top && top != addr + l->bins - g->header) {
		uint64_t end;
		if (glibc_chunk_aligned(g, top) && glibc_word(g, top + g->w, &head) &&
		    top_size_ok(g, head) && checked_add(top, glibc_chunk_size(head), &end) &&
		    image_segment_find(g->img, end - 1)) {
			a.top = top;
			a.top_end = end;
		} else {
			damage_add(g->ctx->damage, DAMAGE_HEAP, top,
				   "glibc arena at 0x%" PRIx64 ": its top chunk at 0x%" PRIx64
				   " has no sound size (0x%" PRIx64 ")",
				   addr, top, head);
		}
	}
	return vec_push(&g->arena, a);
}

/* ---- heaps of thread arenas ---- */

struct heap_words {
	uint64_t arena, prev, size, mprotect_size;
};

static bool heap_read(struct glibc *g, uint64_t heap, struct heap_words *ret)
{
	return glibc_word(g, heap, &ret->arena) && glibc_word(g, heap + g->w, &ret->prev) &&
	       glibc_word(g, heap + 2 * g->w, &ret->size) &&
	       glibc_word(g, heap + 3 * g->w, &ret->mprotect_size);
}

static bool heap_plausible(struct glibc *g, const struct heap_words *h, uint64_t reserved)
{
	uint64_t page = g->img->page_size;
	return h->arena && h->size && h->size % page == 0 && h->mprotect_size % page == 0 &&
	       h->size <= h->mprotect_size && h->mprotect_size <= reserved;
}

static bool heap_known(const struct glibc *g, uint64_t start)
{
	for (uint64_t i = 0; i < g->heap.n; i++)
		if (g->heap.at[i].start == start)
			return true;
	return false;
}

/* What a first heap is: its arena lies right behind its header. NULL: it is none. */
static const struct glibc_state_layout *heap_is_first(struct glibc *g, uint64_t heap,
						      uint64_t arena)
{
	for (unsigned i = 0; i < glibc_heap_layouts; i++) {
		if (glibc_heap_layout[i].word_size != g->w ||
		    arena != heap + glibc_heap_layout[i].size)
			continue;
		for (unsigned k = 0; k < glibc_state_layouts; k++)
			if (state_at(g, &glibc_state_layout[k], arena))
				return &glibc_state_layout[k];
	}
	return NULL;
}

static struct error *heap_add(struct glibc *g, uint64_t start, uint64_t size, uint64_t reserved,
			      uint64_t arena_addr)
{
	if (heap_known(g, start))
		return NULL;
	struct glibc_arena *a = arena_known(g, arena_addr);
	if (!a)
		return NULL;
	struct glibc_heap h = {.start = start,
			       .size = size,
			       .reserved = reserved,
			       .arena = (uint32_t)(a - g->arena.at)};
	if (arena_addr > start && arena_addr - start <= 64)
		h.first = glibc_chunk_align(g, arena_addr + a->layout->size);
	else
		h.first = start + g->heap_info;
	return vec_push(&g->heap, h);
}

/* The size of readable memory from here on, for a heap whose header cannot be believed. */
static uint64_t heap_mapped(const struct glibc *g, uint64_t start, uint64_t most)
{
	uint64_t at = start;
	const struct image_segment *s;
	while (at - start < most && (s = image_segment_find(g->img, at)) && (s->perms & PERM_W))
		at = s->end;
	return at - start < most ? at - start : most;
}

/* Tests one boundary. With `all`, heaps that continue a known arena, too. */
static struct error *heap_test(struct glibc *g, uint64_t start, uint64_t reserved, bool all)
{
	struct heap_words h;
	if (heap_known(g, start) || !heap_read(g, start, &h) || !heap_plausible(g, &h, reserved))
		return NULL;
	if (!h.prev) {
		const struct glibc_state_layout *l = heap_is_first(g, start, h.arena);
		if (!l)
			return NULL;
		if (!g->heap_info)
			g->heap_info = h.arena - start;
		struct error *err = arena_add(g, l, h.arena, false);
		return err ? err : heap_add(g, start, h.size, reserved, h.arena);
	}
	if (!all || !arena_known(g, h.arena) || !heap_known(g, h.prev))
		return NULL;
	return heap_add(g, start, h.size, reserved, h.arena);
}

static struct error *heap_scan_boundaries(struct glibc *g, uint64_t reserved, bool all)
{
	for (uint32_t i = 0; i < g->img->nsegment; i++) {
		const struct image_segment *s = &g->img->segment[i];
		if (!(s->perms & PERM_W))
			continue;
		/* Only where there are bytes: a segment may claim any length. */
		uint64_t len;
		for (uint64_t run = s->start; image_next_data(g->img, &run, s->end, &len);
		     run += len) {
			uint64_t at;
			if (!checked_align_up(run, reserved, &at))
				continue;
			for (; at - run < len; at += reserved) {
				struct error *err = heap_test(g, at, reserved, all);
				if (err)
					return err;
			}
		}
	}
	return NULL;
}

/* Heaps link backwards, from the one that holds the top: walk that chain. */
static struct error *heap_follow_chain(struct glibc *g, struct glibc_arena a, uint64_t reserved)
{
	if (!a.top)
		return NULL;
	uint64_t at = align_down(a.top, reserved);
	for (unsigned i = 0; i < HEAPS_PER_ARENA && at && !heap_known(g, at); i++) {
		struct heap_words h;
		if (!heap_read(g, at, &h) || h.arena != a.address ||
		    !heap_plausible(g, &h, reserved) || h.prev % reserved)
			return NULL;
		struct error *err = heap_add(g, at, h.size, reserved, a.address);
		if (err)
			return err;
		at = h.prev;
	}
	return NULL;
}

/*
 * A member of the ring that no boundary of the usual size led to: some other heap size, or a header
 * that was overwritten. True: it is a thread arena.
 */
static struct error *arena_of_odd_heap(struct glibc *g, const struct glibc_state_layout *l,
				       uint64_t arena, bool *ret)
{
	*ret = false;
	for (unsigned i = 0; i < glibc_heap_layouts; i++) {
		uint64_t start = arena - glibc_heap_layout[i].size;
		struct heap_words h;
		if (glibc_heap_layout[i].word_size != g->w || start % g->img->page_size ||
		    start > arena)
			continue;
		const struct image_segment *s = image_segment_find(g->img, start);
		if (!s || s->kind == SEGMENT_MODULE || !heap_read(g, start, &h))
			continue;
		uint64_t reserved = 0;
		for (const uint64_t *size = heap_sizes(g); *size && !reserved; size++)
			if (start % *size == 0)
				reserved = *size;
		bool sound = h.arena == arena && h.prev == 0;
		if (!reserved || (!sound && !g->heap_info))
			continue;
		if (sound && !g->heap_info)
			g->heap_info = arena - start;
		uint64_t size = h.size;
		if (!sound || !heap_plausible(g, &h, reserved)) {
			size = heap_mapped(g, start, reserved);
			damage_add(g->ctx->damage, DAMAGE_HEAP, start,
				   "glibc heap at 0x%" PRIx64 ": its header is overwritten; its "
				   "arena at 0x%" PRIx64 " is sound",
				   start, arena);
		}
		struct error *err = arena_add(g, l, arena, false);
		if (!err)
			err = heap_add(g, start, size, reserved, arena);
		*ret = true;
		return err;
	}
	return NULL;
}

/* ---- the ring, and main_arena ---- */

static struct error *ring_follow(struct glibc *g, uint64_t from)
{
	const struct glibc_arena *first = arena_known(g, from);
	const struct glibc_state_layout *l = first->layout;
	uint64_t at = from;
	for (unsigned i = 0; i < RING_MAX; i++) {
		uint64_t next;
		if (!glibc_word(g, at + l->next, &next) || next == from)
			return NULL;
		if (!arena_known(g, next)) {
			if (!state_at(g, l, next)) {
				damage_add(g->ctx->damage, DAMAGE_HEAP, at + l->next,
					   "the ring of glibc's arenas breaks behind 0x%" PRIx64
					   ": 0x%" PRIx64 " is no arena",
					   at, next);
				return NULL;
			}
			bool odd;
			struct error *err = arena_of_odd_heap(g, l, next, &odd);
			if (!err && !odd)
				err = arena_add(g, l, next, true);
			if (err)
				return err;
		}
		at = next;
	}
	return NULL;
}

static struct error *ring_follow_all(struct glibc *g)
{
	/* The vector grows while we go through it. */
	for (uint64_t i = 0; i < g->arena.n && i < RING_MAX; i++) {
		struct error *err = ring_follow(g, g->arena.at[i].address);
		if (err)
			return err;
	}
	return NULL;
}

/* Which release puts an arena around these list heads? Its `next` leads to an arena: often itself.
 */
static const struct glibc_state_layout *state_around(struct glibc *g, uint64_t bins)
{
	const struct glibc_state_layout *guess = NULL, *ring = NULL;
	for (unsigned i = 0; i < glibc_state_layouts; i++) {
		const struct glibc_state_layout *l = &glibc_state_layout[i];
		uint64_t start = bins - l->bins, next;
		if (l->word_size != g->w || !glibc_word(g, start + l->next, &next))
			continue;
		if (next == start)
			return l;
		const struct glibc_arena *known = arena_known(g, next);
		if (!ring && (known ? known->layout == l : state_at(g, l, next)))
			ring = l;
		/* The ring is broken: the layout most in use. */
		if (!strcmp(l->since, "2.27"))
			guess = l;
	}
	return ring ? ring : guess;
}

/* An empty list head was seen at `at`: where does the run that it belongs to begin? 0: in none. */
static uint64_t bins_begin(struct glibc *g, uint64_t at)
{
	bool sound[2 * GLIBC_BINS];
	unsigned sum = 0, best = 0, where = 0;
	uint64_t low = at - (GLIBC_BINS - 1) * g->header;
	if (low > at)
		return 0;
	for (unsigned i = 0; i < 2 * GLIBC_BINS - 1; i++)
		sound[i] = bin_sound(g, low + i * g->header);
	/* The window of 127 that has the most; the first of equals ends where the run ends. */
	for (unsigned i = 0; i < 2 * GLIBC_BINS - 1; i++) {
		sum += sound[i];
		if (i >= GLIBC_BINS)
			sum -= sound[i - GLIBC_BINS];
		if (i >= GLIBC_BINS - 1 && sum > best) {
			best = sum;
			where = i - (GLIBC_BINS - 1);
		}
	}
	return best >= BINS_SOUND ? low + where * g->header : 0;
}

static struct error *main_search_segment(struct glibc *g, const struct image_segment *s)
{
	uint64_t len;
	const uint8_t *p;
	for (uint64_t at = s->start; (p = image_next_data(g->img, &at, s->end, &len)); at += len) {
		uint64_t skip = (g->w - at % g->w) % g->w;
		for (uint64_t i = skip; i + g->header <= len; i += g->w) {
			uint64_t bin = at + i - g->header;
			if (image_word_at(g->img, p + i) != bin ||
			    image_word_at(g->img, p + i + g->w) != bin)
				continue;
			uint64_t bins = bins_begin(g, at + i);
			const struct glibc_state_layout *l = bins ? state_around(g, bins) : NULL;
			if (!l)
				continue;
			struct error *err = arena_add(g, l, bins - l->bins, true);
			if (err)
				return err;
			uint64_t behind = bins + GLIBC_BINS * g->header - at;
			if (behind > i)
				i = behind;
		}
	}
	return NULL;
}

static struct error *main_search(struct glibc *g)
{
	const struct image *img = g->img;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		if (!(s->perms & PERM_W) || s->kind != SEGMENT_MODULE)
			continue;
		struct error *err = main_search_segment(g, s);
		if (err)
			return err;
	}
	return NULL;
}

/* No module named its data: any writable memory that belongs to no heap. */
static struct error *main_search_everywhere(struct glibc *g)
{
	const struct image *img = g->img;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		if (!(s->perms & PERM_W) || s->kind == SEGMENT_MODULE || s->kind == SEGMENT_SHARED)
			continue;
		struct error *err = main_search_segment(g, s);
		if (err)
			return err;
	}
	return NULL;
}

static bool main_found(const struct glibc *g)
{
	for (uint64_t i = 0; i < g->arena.n; i++)
		if (g->arena.at[i].main)
			return true;
	return false;
}

static struct error *main_by_symbol(struct glibc *g)
{
	struct debuginfo_symbol sym;
	if (!g->ctx->debuginfo || !debuginfo_symbol_find(g->ctx->debuginfo, 0, "main_arena", &sym))
		return NULL;
	for (unsigned i = 0; i < glibc_state_layouts; i++)
		if (state_at(g, &glibc_state_layout[i], sym.start))
			return arena_add(g, &glibc_state_layout[i], sym.start, true);
	return NULL;
}

struct error *glibc_find_arenas(struct glibc *g)
{
	uint64_t usual = heap_sizes(g)[0];
	struct error *err = heap_scan_boundaries(g, usual, false);
	if (!err)
		err = main_by_symbol(g);
	if (!err)
		err = main_search(g);
	if (!err)
		err = ring_follow_all(g);
	if (!err && !main_found(g)) {
		err = main_search_everywhere(g);
		if (!err)
			err = ring_follow_all(g);
	}
	if (err)
		return err;
	/* Each arena's further heaps: by their links, then by the boundaries of every size in use.
	 */
	for (uint64_t i = 0; i < g->arena.n && !err; i++) {
		struct glibc_arena a = g->arena.at[i];
		for (const uint64_t *size = heap_sizes(g); *size && !a.main && !err; size++)
			err = heap_follow_chain(g, a, *size);
	}
	for (const uint64_t *size = heap_sizes(g); *size && !err; size++) {
		bool used = *size == usual && g->heap.n;
		for (uint64_t i = 0; i < g->heap.n && !used; i++)
			used = g->heap.at[i].reserved == *size;
		if (used)
			err = heap_scan_boundaries(g, *size, true);
	}
	if (!g->arena.n)
		log_info(g->ctx->log,
			 "glibc: no arena: no heap at a boundary of %" PRIu64
			 " bytes, no list heads in any module's data",
			 usual);
	else if (!main_found(g))
		damage_add(g->ctx->damage, DAMAGE_MISSING, 0,
			   "glibc's main arena was not found: blocks of the main heap are missing");
	for (uint64_t i = 0; i < g->arena.n; i++)
		log_debug(g->ctx->log, "glibc: %s arena at 0x%" PRIx64 " as since %s",
			  g->arena.at[i].main ? "main" : "thread", g->arena.at[i].address,
			  g->arena.at[i].layout->since);
	return err;
}
