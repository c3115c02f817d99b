/*
 * region: which memory holds chunks.
 *
 * Thread arenas: their heaps. The main arena: [end of top - system_mem, end of top) as long as sbrk
 * gave all of it; a main arena that fell back on mmap, or whose books do not agree, is looked for
 * page by page, as runs of chunks that end in a fence or at the top. On the same way single mmapped
 * chunks are picked up: the kernel merges neighbouring mappings, so they may begin at any page.
 */
#include "heap/glibc/glibc_impl.h"

struct claim {
	uint64_t start, end;
};

typedef VEC(struct claim) claim_vec;

static int region_compare(const void *a, const void *b)
{
	const struct glibc_region *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

uint32_t glibc_region_find(const struct glibc *g, uint64_t addr)
{
	uint64_t lo = 0, hi = g->region.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (g->region.at[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < g->region.n && g->region.at[lo].start <= addr ? (uint32_t)lo : UINT32_MAX;
}

const struct glibc_mapped *glibc_mapped_at(const struct glibc *g, uint64_t chunk)
{
	uint64_t lo = 0, hi = g->mapped.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (g->mapped.at[mid].chunk < chunk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < g->mapped.n && g->mapped.at[lo].chunk == chunk ? &g->mapped.at[lo] : NULL;
}

bool glibc_chains_on(struct glibc *g, uint64_t chunk, uint64_t end, uint64_t top, bool main,
		     unsigned steps)
{
	uint64_t head, next, prev;
	if (!glibc_word(g, chunk + g->w, &head))
		return false;
	for (unsigned i = 0; i < steps; i++) {
		if (chunk == top)
			return true;
		if (i && glibc_is_fence(g, head))
			return true;
		if (!glibc_size_ok(g, head) || (main && (head & GLIBC_NON_MAIN_ARENA)) ||
		    !checked_within(chunk, glibc_chunk_size(head) + g->header, 0, end))
			return false;
		uint64_t at = chunk + glibc_chunk_size(head);
		if (!glibc_word(g, at + g->w, &next))
			return false;
		if (!(next & GLIBC_PREV_INUSE) &&
		    (!glibc_word(g, at, &prev) || prev != glibc_chunk_size(head)))
			return false;
		chunk = at;
		head = next;
	}
	return true;
}

/*
 * Memory of a module, or of a file? Holes between a module's parts are no part of it: mmap fills
 * them with what it likes.
 */
static bool segment_taken(const struct glibc *g, const struct image_segment *s)
{
	if (s->kind != SEGMENT_MODULE)
		return s->kind == SEGMENT_FILE || s->kind == SEGMENT_VDSO;
	if (s->name || !s->module_id)
		return true;
	const struct image_module *m = image_module_get(g->img, s->module_id);
	return m->data_start == m->data_end || (s->start < m->data_end && s->end > m->data_start);
}

static bool mapped_range(const struct glibc *g, uint64_t start, uint64_t end)
{
	while (start < end) {
		const struct image_segment *s = image_segment_find(g->img, start);
		if (!s || segment_taken(g, s))
			return false;
		start = s->end;
	}
	return true;
}

/*
 * Does a mmapped chunk's header lie at `chunk`, in a mapping that begins at `start`? Until 2.42 its
 * size runs to the end of the mapping; since 2.43 two words are left there and prev_size has a flag
 * (malloc/malloc.c, sysmalloc_mmap; mmap_set_chunk).
 */
static bool mapped_header(struct glibc *g, uint64_t start, uint64_t chunk, struct glibc_mapped *ret)
{
	uint64_t prev, head, end, page = g->img->page_size;
	if (!glibc_word(g, chunk, &prev) || !glibc_word(g, chunk + g->w, &head))
		return false;
	uint64_t size = glibc_chunk_size(head);
	if ((head & GLIBC_SIZE_BITS) != GLIBC_IS_MMAPPED || size < g->minsize ||
	    !checked_add(chunk, size, &end) || end + page < end)
		return false;
	if (prev == chunk - start && end % page == 0)
		*ret = (struct glibc_mapped){start, end, chunk, size, size - g->header};
	else if ((prev & ~(uint64_t)GLIBC_MMAP_HP) == chunk - start &&
		 (end + g->header) % page == 0)
		*ret = (struct glibc_mapped){start, end + g->header, chunk, size, size - g->w};
	else
		return false;
	return true;
}

/*
 * The chunk of the mapping at `start`. memalign moves the chunk up to the alignment, notes how far
 * in prev_size, and leaves the old header behind (its size may since have been changed by mremap).
 * Within the first page there is one place for each alignment; above, it ends with a page, any
 * page: mremap moves the mapping and does not keep the alignment.
 */
static bool mapped_find(struct glibc *g, uint64_t start, uint64_t limit, struct glibc_mapped *ret)
{
	uint64_t page = g->img->page_size, first = glibc_chunk_align(g, start), block;
	struct glibc_mapped old, moved;
	if (!mapped_header(g, start, first, &old))
		return false;
	uint64_t end = old.end < limit ? old.end : limit;
	for (uint64_t align = 2 * GLIBC_ALIGNMENT; align <= page; align *= 2) {
		if (!checked_align_up(first + g->header, align, &block))
			return false;
		/* Until 2.42 what is skipped has the size of a chunk at least. */
		for (unsigned more = 0; more < 2; more++, block += align)
			if (block - g->header > first &&
			    mapped_header(g, start, block - g->header, &moved) &&
			    mapped_range(g, start, moved.end))
				goto found;
	}
	for (block = start + 2 * page; block < end && block > start; block += page)
		if (mapped_header(g, start, block - g->header, &moved) &&
		    mapped_range(g, start, moved.end))
			goto found;
	if (!mapped_range(g, start, old.end))
		return false;
	moved = old;
found:
	*ret = moved;
	return moved.end <= limit;
}

/*
 * Follows a run of chunks of a main arena from a page that may begin one. True: it ends at the top
 * or in a fence; *end is where. Runs that come to nothing may overlap: their steps are counted in
 * all.
 */
static bool main_run(struct glibc *g, struct glibc_window *win, uint64_t chunk, uint64_t limit,
		     uint64_t top, uint64_t top_end, uint64_t *end)
{
	uint64_t head, prev, size = 0;
	bool first = true;
	while (g->steps) {
		g->steps--;
		if (chunk == top) {
			*end = top_end;
			return true;
		}
		if (!glibc_window_word(g, win, chunk, &prev) ||
		    !glibc_window_word(g, win, chunk + g->w, &head))
			return false;
		if (first && (!(head & GLIBC_PREV_INUSE) || prev))
			return false;
		if (!first && !(head & GLIBC_PREV_INUSE) && prev != size)
			return false;
		if (!first && glibc_is_fence(g, head)) {
			uint64_t second;
			*end = chunk + 2 * g->header;
			return glibc_window_word(g, win, chunk + g->header + g->w, &second) &&
			       glibc_is_fence(g, second);
		}
		size = glibc_chunk_size(head);
		if (!glibc_size_ok(g, head) || (head & GLIBC_NON_MAIN_ARENA) ||
		    !checked_within(chunk, size + g->header, 0, limit))
			return false;
		chunk += size;
		first = false;
	}
	return false;
}

static struct error *region_add(struct glibc *g, uint64_t extent, uint64_t start, uint64_t end,
				uint32_t arena)
{
	if (start >= end)
		return NULL;
	return vec_push(&g->region, ((struct glibc_region){extent, start, end, arena}));
}

/* All that lies between two addresses is mapped, writable, and no module's. */
static uint64_t writable_from(const struct glibc *g, uint64_t end)
{
	uint64_t start = end;
	const struct image_segment *s;
	while (start && (s = image_segment_find(g->img, start - 1)) && (s->perms & PERM_W) &&
	       !segment_taken(g, s))
		start = s->start;
	return start;
}

/* What sbrk gave to a main arena. *missing: bytes of system_mem that are still to be found. */
static struct error *main_region(struct glibc *g, uint32_t index, uint64_t *missing)
{
	const struct glibc_arena *a = &g->arena.at[index];
	*missing = 0;
	if (!a->top) {
		/* Never used, or its top is overwritten: then the kernel's idea of the heap. */
		if (!a->system_mem)
			return NULL;
		for (uint32_t i = 0; i < g->img->nsegment; i++) {
			const struct image_segment *s = &g->img->segment[i];
			if (s->kind == SEGMENT_HEAP)
				return region_add(g, s->start, glibc_chunk_align(g, s->start),
						  s->end, index);
		}
		*missing = a->system_mem;
		return NULL;
	}
	uint64_t low = writable_from(g, a->top_end), start, first;
	if (checked_sub(a->top_end, a->system_mem, &start) && start >= low && a->contiguous) {
		first = glibc_chunk_align(g, start);
		if (glibc_chains_on(g, first, a->top_end, a->top, true, 1))
			return region_add(g, start, first, a->top_end, index);
	}
	if (a->contiguous) {
		/* Its books are wrong, or its beginning is damaged: from where its memory begins.
		 */
		first = glibc_chunk_align(g, low);
		if (start >= low && start < a->top_end) {
			low = start;
			first = glibc_chunk_align(g, start);
		}
		damage_add(g->ctx->damage, DAMAGE_HEAP, first,
			   "glibc's main heap: no chunk begins at 0x%" PRIx64 ", %" PRIu64
			   " bytes (system_mem) below its end",
			   first, a->system_mem);
		return region_add(g, low, first, a->top_end, index);
	}
	*missing = a->system_mem;
	return NULL;
}

/* One stretch of memory that nobody claimed yet. */
struct stretch {
	uint64_t start, end;
	uint32_t main; /* arena that misses memory; UINT32_MAX none */
	uint64_t missing;
};

static struct error *stretch_region(struct glibc *g, struct stretch *st, uint64_t extent,
				    uint64_t first, uint64_t end)
{
	st->missing -= end - extent < st->missing ? end - extent : st->missing;
	return region_add(g, extent, first, end, st->main);
}

/* Page by page: what mmap gave, for one block or instead of sbrk, begins with its page. */
static struct error *stretch_pages(struct glibc *g, struct stretch *st)
{
	struct glibc_window win = {0};
	const struct glibc_arena *a = st->missing ? &g->arena.at[st->main] : NULL;
	uint64_t page = g->img->page_size, at, len, from = st->start;
	struct error *err = NULL;
	/* Holes hold zeroes, and no header is all zero: skip them a run at a time. */
	while (!err && from < st->end && image_next_data(g->img, &from, st->end, &len)) {
		uint64_t stop = from + len;
		if (!checked_align_up(from, page, &at))
			break;
		while (!err && at < stop && at < st->end) {
			struct glibc_mapped m;
			uint64_t end, next = at + page, first = glibc_chunk_align(g, at);
			if (mapped_find(g, at, st->end, &m)) {
				err = vec_push(&g->mapped, m);
				next = m.end;
			} else if (a && st->missing &&
				   main_run(g, &win, first, st->end, a->top, a->top_end, &end)) {
				err = stretch_region(g, st, at, first, end);
				if (!checked_align_up(end, page, &next))
					return err;
			}
			at = next;
		}
		from = at > stop ? at : stop;
	}
	return err;
}

/*
 * Chunk by chunk: what sbrk gave begins anywhere (a static program's thread-local storage may lie
 * before it, or what somebody else took).
 */
static struct error *stretch_chunks(struct glibc *g, struct stretch *st)
{
	struct glibc_window win = {0};
	const struct glibc_arena *a = &g->arena.at[st->main];
	uint64_t len, from = st->start;
	struct error *err = NULL;
	while (!err && st->missing && from < st->end &&
	       image_next_data(g->img, &from, st->end, &len)) {
		uint64_t stop = from + len, end, at = glibc_chunk_align(g, from);
		while (!err && at < stop && at < st->end) {
			uint64_t next = at + GLIBC_ALIGNMENT;
			if (main_run(g, &win, at, st->end, a->top, a->top_end, &end)) {
				err = stretch_region(g, st, at, at, end);
				next = glibc_chunk_align(g, end);
			}
			at = next;
		}
		from = at > stop ? at : stop;
	}
	return err;
}

static struct error *claims_make(const struct glibc *g, claim_vec *claim)
{
	struct error *err = NULL;
	claim->n = 0;
	for (uint64_t i = 0; i < g->heap.n && !err; i++) {
		const struct glibc_heap *h = &g->heap.at[i];
		err = vec_push(claim, ((struct claim){h->start, h->start + h->size}));
	}
	for (uint64_t i = 0; i < g->region.n && !err; i++) {
		const struct glibc_region *r = &g->region.at[i];
		err = vec_push(claim, ((struct claim){r->extent, r->end}));
	}
	for (uint64_t i = 0; i < g->mapped.n && !err; i++) {
		const struct glibc_mapped *m = &g->mapped.at[i];
		err = vec_push(claim, ((struct claim){m->start, m->end}));
	}
	if (claim->n)
		qsort(claim->at, claim->n, sizeof(*claim->at), claim_compare);
	return err;
}

/* Module data, too, may hold chunks: a dump that names no files joins .bss and the break. */
static bool segment_may_hold_chunks(const struct glibc *g, const struct image_segment *s,
				    bool modules)
{
	return (s->perms & PERM_W) && s->kind != SEGMENT_SHARED &&
	       (modules || !segment_taken(g, s));
}

typedef struct error *(*stretch_fn)(struct glibc *g, struct stretch *st);

/* Calls fn for each stretch of writable memory that nobody claimed. */
static struct error *stretches_walk(struct glibc *g, struct stretch *st, stretch_fn fn,
				    bool modules)
{
	claim_vec claim = {0};
	const struct image *img = g->img;
	struct error *err = claims_make(g, &claim);
	uint64_t k = 0;
	for (uint32_t i = 0; i < img->nsegment && !err; i++) {
		if (!segment_may_hold_chunks(g, &img->segment[i], modules))
			continue;
		/* Neighbours are one stretch: a chunk may span what the kernel keeps apart. */
		uint64_t at = img->segment[i].start, end = img->segment[i].end;
		while (i + 1 < img->nsegment && img->segment[i + 1].start == end &&
		       segment_may_hold_chunks(g, &img->segment[i + 1], modules))
			end = img->segment[++i].end;
		while (at < end && !err) {
			while (k < claim.n && claim.at[k].end <= at)
				k++;
			bool hit = k < claim.n && claim.at[k].start < end;
			st->start = at;
			st->end = hit ? claim.at[k].start : end;
			if (st->start < st->end)
				err = fn(g, st);
			at = hit ? claim.at[k].end : end;
		}
	}
	vec_deinit(&claim);
	return err;
}

static struct error *scan_unclaimed(struct glibc *g, uint32_t main, uint64_t missing)
{
	struct stretch st = {.main = main, .missing = missing};
	struct error *err = stretches_walk(g, &st, stretch_pages, false);
	if (!err && st.missing)
		err = stretches_walk(g, &st, stretch_chunks, true);
	if (!err && st.missing)
		log_info(g->ctx->log,
			 "glibc: of the main arena's %" PRIu64 " bytes %" PRIu64 " were not found",
			 g->arena.at[main].system_mem, st.missing);
	return err;
}

static int mapped_compare(const void *a, const void *b)
{
	const struct glibc_mapped *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Regions must lie apart: what two arenas claim goes to the first. */
static void separate(struct glibc *g)
{
	uint64_t n = 0;
	for (uint64_t i = 0; i < g->region.n; i++) {
		struct glibc_region r = g->region.at[i];
		if (n && r.extent < g->region.at[n - 1].end) {
			damage_add(g->ctx->damage, DAMAGE_HEAP, r.extent,
				   "two of glibc's heaps overlap at 0x%" PRIx64
				   ": the second is left out",
				   r.extent);
			continue;
		}
		g->region.at[n++] = r;
	}
	g->region.n = n;
}

struct error *glibc_find_regions(struct glibc *g)
{
	struct error *err = NULL;
	for (uint64_t i = 0; i < g->heap.n && !err; i++) {
		const struct glibc_heap *h = &g->heap.at[i];
		err = region_add(g, h->start, h->first, h->start + h->size, h->arena);
	}
	uint32_t short_of = 0;
	uint64_t missing = 0;
	for (uint32_t i = 0; i < g->arena.n && !err; i++) {
		uint64_t m;
		if (!g->arena.at[i].main)
			continue;
		err = main_region(g, i, &m);
		if (m) {
			short_of = i;
			missing = m;
		}
	}
	if (!err && g->region.n) {
		qsort(g->region.at, g->region.n, sizeof(*g->region.at), region_compare);
		separate(g);
	}
	if (!err)
		err = scan_unclaimed(g, short_of, missing);
	if (!err && g->region.n) {
		qsort(g->region.at, g->region.n, sizeof(*g->region.at), region_compare);
		separate(g);
	}
	if (g->mapped.n)
		qsort(g->mapped.at, g->mapped.n, sizeof(*g->mapped.at), mapped_compare);
	return err;
}
