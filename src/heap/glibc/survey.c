/*
 * survey: the first pass over all sizes. It proves each chunk against the next one and cuts regions
 * into pieces: sound chunks, fences, damage, and what somebody else took from sbrk.
 *
 * Behind a damaged header the walk resumes at the lowest address that can be trusted: one from
 * which chunks chain for a while or up to the region's end, or which a free list names. Old headers
 * may lie in free or reused memory, so what is trusted must lie behind the damage, and chains that
 * end in it do not count. It can mistake a table of small numbers in the damaged block for chunks.
 */
#include "heap/glibc/glibc_impl.h"

enum {
	CHAIN_TRUSTED = 8, /* chunks that chain: chance would need 8 sound sizes in a row */
	CHAIN_END = 255,   /* up to the top, or to a fence */
	WINDOW = 1 << 22,  /* bytes looked through at a time behind damage */
};

struct survey {
	struct glibc *g;
	uint64_t noted; /* notes that are in pieces */
	uint64_t ahead; /* up to here the processor was told to fetch */
	uint32_t index; /* of the region */
	const struct glibc_region *region;
	const struct glibc_arena *arena;
	uint64_t top;	 /* 0: in another region */
	uint64_t parked; /* first parked chunk that may lie ahead */
	struct glibc_window win;
	uint8_t *depth; /* WINDOW / GLIBC_ALIGNMENT, allocated at the first damage */
};

/* A sound size ends where another header fits: only a top, whose arena lost it, ends its region. */
static bool head_ok(const struct survey *s, uint64_t chunk, uint64_t head)
{
	uint64_t size = glibc_chunk_size(head), room = s->region->end - chunk;
	return glibc_size_ok(s->g, head) && size <= room &&
	       (room - size >= s->g->header || (room == size && !s->arena->top)) &&
	       !(s->arena->main && (head & GLIBC_NON_MAIN_ARENA));
}

static struct error *piece_add(struct survey *s, uint64_t start, uint64_t end,
			       enum glibc_piece_kind kind, bool open)
{
	struct glibc *g = s->g;
	uint64_t first = s->noted;
	if (start >= end)
		return NULL;
	if (kind == PIECE_CHUNKS)
		s->noted = g->note.n;
	return vec_push(&g->piece, ((struct glibc_piece){start, end, first, s->noted - first,
							 s->index, (uint8_t)kind, open}));
}

/*
 * Where the next header lies is known only from this one: the processor would wait for each. So
 * have all lines fetched some way ahead.
 */
static inline void fetch_ahead(struct survey *s, uint64_t at)
{
	enum { AHEAD = 4096, LINE = 64 };
	const struct glibc_window *w = &s->win;
	if (s->ahead < at)
		s->ahead = at;
	while (s->ahead < at + AHEAD && s->ahead < w->end) {
		__builtin_prefetch(w->data + (s->ahead - w->start));
		s->ahead += LINE;
	}
}

/* ---- picking up the trail ---- */

/* How long chunks chain from here, given how long they do further up in this window. */
static uint8_t chain_depth(struct survey *s, uint64_t chunk, uint64_t base, uint64_t limit)
{
	struct glibc *g = s->g;
	uint64_t head, next, prev;
	if (chunk == s->top)
		return CHAIN_END;
	if (!glibc_window_word(g, &s->win, chunk + g->w, &head) || !head_ok(s, chunk, head))
		return 0;
	uint64_t at = chunk + glibc_chunk_size(head);
	if (at == s->top)
		return CHAIN_END;
	if (!glibc_word(g, at + g->w, &next))
		return 0;
	if (!(next & GLIBC_PREV_INUSE) &&
	    (!glibc_word(g, at, &prev) || prev != glibc_chunk_size(head)))
		return 0;
	if (glibc_is_fence(g, next))
		return CHAIN_END;
	if (at < limit) {
		uint8_t d = s->depth[(at - base) / GLIBC_ALIGNMENT];
		return d < CHAIN_END - 1 ? d + 1 : d;
	}
	return glibc_chains_on(g, at, s->region->end, s->top, s->arena->main, CHAIN_TRUSTED)
		       ? CHAIN_TRUSTED
		       : 1;
}

/* The lowest parked chunk at or above addr, inside the region; UINT64_MAX: none. */
static uint64_t parked_from(const struct survey *s, uint64_t addr)
{
	const struct glibc *g = s->g;
	uint64_t lo = 0, hi = g->parked.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (g->parked.at[mid].chunk < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	uint64_t chunk = lo < g->parked.n ? g->parked.at[lo].chunk : UINT64_MAX;
	return chunk < s->region->end ? chunk : UINT64_MAX;
}

/*
 * A chunk that a list names, is sound, and lies inside the one at [at, end)? 0: none. Called in
 * address order. Lists do not name the insides of blocks: the size of the outer one is wrong.
 */
static uint64_t parked_inside(struct survey *s, uint64_t at, uint64_t end)
{
	struct glibc *g = s->g;
	while (s->parked < g->parked.n && g->parked.at[s->parked].chunk <= at)
		s->parked++;
	for (uint64_t i = s->parked; i < g->parked.n && g->parked.at[i].chunk < end; i++)
		if (glibc_chains_on(g, g->parked.at[i].chunk, s->region->end, s->top,
				    s->arena->main, CHAIN_TRUSTED))
			return g->parked.at[i].chunk;
	return 0;
}

/* Where the dump has bytes again. UINT64_MAX: nowhere in this region. */
static uint64_t present_from(const struct survey *s, uint64_t addr)
{
	const struct image *img = s->g->img;
	const uint32_t lo = image_span_from(img, addr);
	if (lo == img->nspan || img->span[lo].start >= s->region->end)
		return UINT64_MAX;
	return img->span[lo].start > addr ? img->span[lo].start : addr;
}

/* The next chunk above addr that can be trusted; the region's end when there is none. */
static struct error *resync(struct survey *s, uint64_t addr, uint64_t *ret)
{
	struct glibc *g = s->g;
	*ret = s->region->end;
	if (!s->depth) {
		s->depth = malloc(WINDOW / GLIBC_ALIGNMENT);
		if (!s->depth)
			return &error_nomem;
	}
	uint64_t at = addr;
	while (at < s->region->end) {
		at = present_from(s, at);
		if (at == UINT64_MAX)
			return NULL;
		uint64_t base = glibc_chunk_align(g, at);
		uint64_t limit = s->region->end - base < WINDOW ? s->region->end : base + WINDOW;
		if (base >= s->region->end)
			return NULL;
		uint64_t n = (limit - base + GLIBC_ALIGNMENT - 1) / GLIBC_ALIGNMENT, best = n;
		for (uint64_t i = n; i-- > 0;) {
			uint8_t d = chain_depth(s, base + i * GLIBC_ALIGNMENT, base, limit);
			s->depth[i] = d;
			if (d >= CHAIN_TRUSTED)
				best = i;
		}
		uint64_t found = best < n ? base + best * GLIBC_ALIGNMENT : UINT64_MAX;
		/* What a list names needs less proof, but a sound size all the same. */
		for (uint64_t p = parked_from(s, base); p < found && p < limit;
		     p = parked_from(s, p + 1))
			if (s->depth[(p - base) / GLIBC_ALIGNMENT])
				found = p;
		if (found != UINT64_MAX) {
			*ret = found;
			return NULL;
		}
		at = limit;
	}
	return NULL;
}

/* ---- one region ---- */

static struct error *candidate_note(struct survey *s, uint64_t chunk, uint64_t size)
{
	for (unsigned i = 0; i < glibc_tcache_layouts; i++) {
		const struct glibc_tcache_layout *l = &glibc_tcache_layout[i];
		/* A little more where the rest would have been too small for a chunk. */
		if (l->word_size == s->g->w &&
		    (size == l->chunk_size || size == l->chunk_size + GLIBC_ALIGNMENT))
			return vec_push(&s->g->candidate,
					((struct glibc_tcache_candidate){
						chunk, size, l, chunk == s->region->start}));
	}
	return NULL;
}

struct trail {
	uint64_t start; /* of the piece */
	uint64_t prev;	/* chunk before; 0 none */
	uint64_t size;	/* its size */
};

/* Damage at `at`: ends the piece, and finds the place to go on, `from` or above. */
static struct error *survey_skip(struct survey *s, struct trail *t, uint64_t at, uint64_t from,
				 uint64_t *resume)
{
	struct error *err = resync(s, from, resume);
	if (t->prev && t->prev == at)
		s->g->note.n--; /* it was believed until now */
	s->ahead = 0;
	if (!err)
		err = piece_add(s, t->start, at, PIECE_CHUNKS, true);
	if (!err)
		err = piece_add(s, at, *resume, PIECE_DAMAGED, false);
	*t = (struct trail){.start = *resume};
	return err;
}

/* The header at `at` makes no sense: overwritten, or the size before it led astray. */
static struct error *survey_damage(struct survey *s, struct trail *t, uint64_t at, uint64_t head,
				   uint64_t *resume)
{
	struct glibc *g = s->g;
	uint64_t culprit = t->prev ? t->prev + g->header : 0;
	struct error *err = survey_skip(s, t, at, at + 1, resume);
	if (err || glibc_forgive(g, s->region->arena, "heap", at))
		return err;
	damage_add_culprit(g->ctx->damage, DAMAGE_HEAP, at + g->header, culprit,
			   "glibc heap: the block at 0x%" PRIx64 " has no sound size (0x%" PRIx64
			   "); %" PRIu64 " bytes make no sense%s",
			   at + g->header, head, *resume - at,
			   culprit ? "; the block before may have been overrun" : "");
	return NULL;
}

/* The size at `at` is sound, but covers a chunk that others vouch for. */
static struct error *survey_covers(struct survey *s, struct trail *t, uint64_t at, uint64_t prev,
				   uint64_t inner, uint64_t *resume)
{
	struct glibc *g = s->g;
	uint64_t size = 0;
	glibc_window_word(g, &s->win, at + g->w, &size);
	struct error *err = survey_skip(s, t, at, at + g->minsize, resume);
	if (err || glibc_forgive(g, s->region->arena, "heap", at))
		return err;
	damage_add_culprit(g->ctx->damage, DAMAGE_HEAP, at + g->header, prev ? prev + g->header : 0,
			   "glibc heap: the size of the block at 0x%" PRIx64 " (%" PRIu64
			   ") covers a free block at 0x%" PRIx64 "; %" PRIu64
			   " bytes make no sense%s",
			   at + g->header, glibc_chunk_size(size), inner + g->header, *resume - at,
			   prev ? "; the block before may have been overrun" : "");
	return NULL;
}

/*
 * Fences at `at`: in the main arena two headers that keep neighbours off (behind them somebody
 * else's memory may lie), in a thread's heap one with a header of size 0 behind it, at its end.
 */
static struct error *survey_fence(struct survey *s, struct trail *t, uint64_t at, uint64_t *resume)
{
	struct glibc *g = s->g;
	uint64_t head;
	struct error *err = piece_add(s, t->start, at, PIECE_CHUNKS, false);
	if (err)
		return err;
	if (!s->arena->main) {
		*resume = s->region->end;
	} else {
		uint64_t end = at + g->header;
		while (end < s->region->end && glibc_window_word(g, &s->win, end + g->w, &head) &&
		       glibc_is_fence(g, head))
			end += g->header;
		*resume = end < s->region->end ? end : s->region->end;
	}
	err = piece_add(s, at, *resume, PIECE_FENCE, false);
	if (!err && *resume < s->region->end) {
		uint64_t fence_end = *resume;
		err = resync(s, fence_end, resume);
		if (!err)
			err = piece_add(s, fence_end, *resume, PIECE_FOREIGN, false);
	}
	*t = (struct trail){.start = *resume};
	return err;
}

/* A fence is two headers: a lone one of that size is damage. */
static bool fence_at(struct survey *s, uint64_t at, uint64_t head)
{
	const struct glibc *g = s->g;
	uint64_t second;
	return glibc_is_fence(g, head) &&
	       glibc_window_word(g, &s->win, at + g->header + g->w, &second) &&
	       (s->arena->main ? glibc_is_fence(g, second) : second == GLIBC_PREV_INUSE);
}

/* Is `at` the small chunk that became a fence with its old size (malloc/malloc.c, sysmalloc)? */
static bool ends_heap(struct survey *s, uint64_t at, uint64_t size)
{
	uint64_t head;
	const struct glibc *g = s->g;
	return !s->arena->main && size <= 2 * g->minsize &&
	       s->region->end - at - size < 2 * GLIBC_ALIGNMENT + g->header &&
	       glibc_window_word(g, &s->win, at + size + g->w, &head) && head == GLIBC_PREV_INUSE;
}

/*
 * The chunk before `at` is free by its mark, but its size is not what is noted behind it. A header
 * where the note points decides: then the size covers it. 0: it does not tell.
 */
static uint64_t survey_decide(struct survey *s, const struct trail *t, uint64_t at,
			      uint64_t prev_size, uint64_t head)
{
	struct glibc *g = s->g;
	uint64_t start = at - prev_size, other;
	if (prev_size >= g->minsize && prev_size < t->size && start > t->prev &&
	    glibc_window_word(g, &s->win, start + g->w, &other) &&
	    glibc_chunk_size(other) == prev_size)
		return start;
	/* A header that is no header is said elsewhere; a locked arena may be about to write it. */
	if (!s->arena->locked && head_ok(s, at, head))
		damage_add_culprit(g->ctx->damage, DAMAGE_HEAP, at + g->header, t->prev + g->header,
				   "glibc heap: the free block at 0x%" PRIx64 " has %" PRIu64
				   " bytes, what lies behind it says %" PRIu64,
				   t->prev + g->header, t->size, prev_size);
	return 0;
}

static struct error *survey_region(struct survey *s)
{
	struct glibc *g = s->g;
	const struct glibc_region *r = s->region;
	struct trail t = {.start = r->start};
	uint64_t at = r->start, head, prev_size, inner;
	struct error *err = NULL;
	while (!err && at < r->end) {
		if (!glibc_window_word(g, &s->win, at, &prev_size) ||
		    !glibc_window_word(g, &s->win, at + g->w, &head)) {
			/* Missing from the dump. */
			err = survey_skip(s, &t, at, at + 1, &at);
			continue;
		}
		if (!(head & GLIBC_PREV_INUSE) && t.prev && prev_size != t.size &&
		    (inner = survey_decide(s, &t, at, prev_size, head))) {
			err = survey_covers(s, &t, t.prev, 0, inner, &at);
			continue;
		}
		if (at == s->top) {
			/* The top needs no proof: the arena names it. */
			uint64_t end = s->arena->top_end < r->end ? s->arena->top_end : r->end;
			err = piece_add(s, t.start, end, PIECE_CHUNKS, false);
			at = end;
			t = (struct trail){.start = at};
			continue;
		}
		if (fence_at(s, at, head) || ends_heap(s, at, glibc_chunk_size(head))) {
			err = survey_fence(s, &t, at, &at);
			continue;
		}
		if (!head_ok(s, at, head)) {
			err = survey_damage(s, &t, at, head, &at);
			continue;
		}
		uint64_t size = glibc_chunk_size(head);
		inner = parked_inside(s, at, at + size);
		if (inner) {
			err = survey_covers(s, &t, at, t.prev, inner, &at);
			continue;
		}
		t.prev = at;
		t.size = size;
		err = vec_push(&g->note, glibc_note(head));
		if (!err)
			err = candidate_note(s, at, size);
		at += size;
		fetch_ahead(s, at);
	}
	if (!err)
		err = piece_add(s, t.start, r->end, PIECE_CHUNKS, !s->top);
	return err;
}

struct error *glibc_survey(struct glibc *g)
{
	struct survey s = {.g = g};
	struct error *err = NULL;
	for (uint32_t i = 0; i < g->region.n && !err; i++) {
		s.index = i;
		s.region = &g->region.at[i];
		s.arena = &g->arena.at[s.region->arena];
		s.ahead = 0;
		s.top = s.arena->top >= s.region->start && s.arena->top < s.region->end
				? s.arena->top
				: 0;
		err = survey_region(&s);
	}
	free(s.depth);
	return err;
}
