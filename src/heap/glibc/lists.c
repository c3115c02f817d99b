/*
 * lists: what fastbins and bins hold. Every link is checked before it is followed; a list that
 * is circular where it must not be, leaves the heap, or names chunks of a wrong size ends there, as
 * damage. An arena whose lock was held may have one list half changed: that one is forgiven, and
 * said.
 */
#include "heap/glibc/glibc_impl.h"

/* malloc/malloc.c, PROTECT_PTR (2.32): the address of the link, without the offset in its page. */
uint64_t glibc_reveal(const struct glibc *g, uint64_t link, uint64_t stored)
{
	return g->safe_linking ? stored ^ link >> 12 : stored;
}

static bool link_sound(struct glibc *g, uint64_t next, uint64_t link_offset)
{
	if (!next)
		return true;
	uint64_t chunk = next - link_offset;
	return glibc_chunk_aligned(g, chunk) &&
	       (glibc_region_find(g, chunk) != UINT32_MAX || glibc_mapped_at(g, chunk));
}

int glibc_link_vote(struct glibc *g, uint64_t link, uint64_t link_offset)
{
	uint64_t stored;
	if (!glibc_word(g, link, &stored))
		return 0;
	bool plain = link_sound(g, stored, link_offset);
	bool safe = link_sound(g, stored ^ link >> 12, link_offset);
	return (int)safe - (int)plain;
}

bool glibc_forgive(struct glibc *g, uint32_t arena, const char *what, uint64_t addr)
{
	if (arena == UINT32_MAX)
		return false;
	struct glibc_arena *a = &g->arena.at[arena];
	if (!a->locked || a->forgiven)
		return false;
	a->forgiven = true;
	/* Not for -v alone: when malloc itself stopped the program, this is what it found. */
	log_warning(g->ctx->log,
		    "glibc's arena at 0x%" PRIx64
		    " was locked, and its %s is half changed at 0x%" PRIx64
		    ": a thread was at work there, or malloc had just found it damaged",
		    a->address, what, addr);
	return true;
}

static struct error *park(struct glibc *g, uint64_t chunk, uint32_t arena, enum free_kind kind)
{
	return vec_push(&g->parked, ((struct glibc_parked){chunk, arena, (uint8_t)kind}));
}

/* A chunk that a list may hold: in a heap, aligned, of a size in bounds. NULL: it is. */
static const char *chunk_objection(struct glibc *g, uint64_t chunk, uint32_t arena, uint64_t low,
				   uint64_t high, uint64_t *size)
{
	if (!glibc_chunk_aligned(g, chunk))
		return "is not aligned";
	uint32_t r = glibc_region_find(g, chunk);
	if (r == UINT32_MAX) {
		/* Since 2.42 a cache takes mmapped blocks, too. */
		const struct glibc_mapped *m = glibc_mapped_at(g, chunk);
		if (!m || arena != UINT32_MAX)
			return "lies in no heap";
		*size = m->size;
		return m->size < low || m->size > high ? "has a size that does not belong there"
						       : NULL;
	}
	if (arena != UINT32_MAX && g->region.at[r].arena != arena)
		return "belongs to another arena";
	uint64_t head;
	if (!glibc_word(g, chunk + g->w, &head))
		return "is missing from the dump";
	*size = glibc_chunk_size(head);
	if (!glibc_size_ok(g, head))
		return "has no sound size";
	if (*size < low || *size > high)
		return "has a size that does not belong there";
	if (*size > g->region.at[r].end - chunk)
		return "reaches beyond its heap";
	return NULL;
}

/* What the link of a chunk that is not sound names, if that is sound; 0: no. */
static uint64_t chunk_behind(struct glibc *g, const struct glibc_chain *c, uint64_t chunk)
{
	uint64_t link = chunk + g->header, stored, size;
	if (!glibc_chunk_aligned(g, chunk) || glibc_region_find(g, chunk) == UINT32_MAX ||
	    !glibc_word(g, link, &stored))
		return 0;
	uint64_t next = glibc_reveal(g, link, stored);
	return next && !chunk_objection(g, next - c->link_offset, c->arena, c->size_low,
					c->size_high, &size)
		       ? next
		       : 0;
}

struct error *glibc_follow_chain(struct glibc *g, const struct glibc_chain *c, uint64_t *length)
{
	uint64_t next = c->head, prev = 0, n = 0;
	/* Brent: a marker that jumps ahead; meeting it again is a circle. */
	uint64_t marker = 0, power = 1, since = 0;
	uint64_t skipped_at = 0;
	const char *objection = NULL, *skipped = NULL;
	struct error *err = NULL;
	while (next && !err) {
		uint64_t chunk = next - c->link_offset, size = 0, link, stored;
		objection = n == c->max ? "is one too many" : NULL;
		if (!objection && next == marker)
			objection = "was there before: the list is circular";
		if (!objection)
			objection = chunk_objection(g, chunk, c->arena, c->size_low, c->size_high,
						    &size);
		/* A chunk whose size was overwritten may still lead to the next. */
		if (objection && !skipped && n < c->max && next != marker) {
			uint64_t over = chunk_behind(g, c, chunk);
			if (over) {
				skipped = objection;
				skipped_at = next;
				next = over;
				continue;
			}
		}
		if (objection)
			break;
		err = park(g, chunk, c->arena, c->kind);
		n++;
		if (++since == power) {
			marker = next;
			power *= 2;
			since = 0;
		}
		prev = chunk + g->header;
		link = prev;
		if (!glibc_word(g, link, &stored)) {
			objection = "is missing from the dump";
			break;
		}
		next = glibc_reveal(g, link, stored);
	}
	*length = n + (skipped ? 1 : 0);
	if (!objection && skipped) {
		objection = skipped;
		next = skipped_at;
	}
	if (objection && !glibc_forgive(g, c->arena, c->what, next))
		damage_add_culprit(g->ctx->damage, DAMAGE_HEAP, prev ? prev : c->owner, prev,
				   "%s of 0x%" PRIx64 " is broken after %" PRIu64
				   " blocks: 0x%" PRIx64 " %s",
				   c->what, c->owner, n, next, objection);
	return err;
}

/* malloc/malloc.c, fastbin_index: which sizes a fastbin holds. */
static struct error *read_fastbins(struct glibc *g, uint32_t index)
{
	const struct glibc_arena a = g->arena.at[index];
	unsigned shift = g->w == 8 ? 4 : 3;
	for (uint32_t i = 0; i < a.layout->nfastbins; i++) {
		uint64_t head, length;
		if (!glibc_word(g, a.address + a.layout->fastbins + (uint64_t)i * g->w, &head))
			return NULL;
		struct glibc_chain c = {
			.head = head,
			.size_low = (uint64_t)(i + 2) << shift,
			.size_high = ((uint64_t)(i + 3) << shift) - 1,
			.max = UINT64_MAX,
			.arena = index,
			.kind = FREE_FASTBIN,
			.what = "fastbin",
			.owner = a.address,
		};
		struct error *err = glibc_follow_chain(g, &c, &length);
		if (err)
			return err;
	}
	return NULL;
}

/* malloc/malloc.c, bin_index with MALLOC_ALIGNMENT 16: largebin_index_64, largebin_index_32_big. */
static unsigned bin_index(const struct glibc *g, uint64_t size)
{
	unsigned correction = g->w == 4;
	if (size < (GLIBC_NSMALLBINS - correction) * UINT64_C(16))
		return (unsigned)(size >> 4) + correction;
	if (g->w == 8 ? size >> 6 <= 48 : size >> 6 <= 45)
		return (g->w == 8 ? 48 : 49) + (unsigned)(size >> 6);
	if (size >> 9 <= 20)
		return 91 + (unsigned)(size >> 9);
	if (size >> 12 <= 10)
		return 110 + (unsigned)(size >> 12);
	if (size >> 15 <= 4)
		return 119 + (unsigned)(size >> 15);
	return size >> 18 <= 2 ? 124 + (unsigned)(size >> 18) : 126;
}

/*
 * One direction of a bin. A link is believed when the next chunk points back, so a circle cannot
 * close: some chunk would have two predecessors. Stops at `stop` (the head, or where the other
 * direction ended). *last: the last chunk that was sound.
 */
static struct error *walk_bin(struct glibc *g, uint32_t index, unsigned i, uint64_t bin,
			      bool forward, uint64_t stop, uint64_t *last, const char **objection)
{
	uint64_t there = (forward ? 2 : 3) * g->w, back = (forward ? 3 : 2) * g->w;
	uint64_t at = bin, next, behind, size;
	*objection = NULL;
	for (;;) {
		*last = at;
		if (!glibc_word(g, at + there, &next)) {
			*objection = "is missing from the dump";
			return NULL;
		}
		if (next == bin || next == stop)
			return NULL;
		*objection = chunk_objection(g, next, index, g->minsize, UINT64_MAX, &size);
		if (!*objection && i > 1 && bin_index(g, size) != i)
			*objection = "has a size that does not belong there";
		if (!*objection && (!glibc_word(g, next + back, &behind) || behind != at))
			*objection = "does not point back";
		if (*objection)
			return NULL;
		enum free_kind kind = i == 1		     ? FREE_UNSORTED
				      : i < GLIBC_NSMALLBINS ? FREE_SMALL
							     : FREE_LARGE;
		if (next == g->arena.at[index].last_remainder && i < GLIBC_NSMALLBINS)
			kind = FREE_LAST_REMAINDER;
		struct error *err = park(g, next, index, kind);
		if (err)
			return err;
		at = next;
	}
}

static struct error *read_bins(struct glibc *g, uint32_t index)
{
	const struct glibc_arena a = g->arena.at[index];
	for (unsigned i = 1; i < GLIBC_NBINS; i++) {
		uint64_t bin = a.address + a.layout->bins + (i - 1) * g->header - g->header;
		uint64_t ahead, behind;
		const char *objection, *again;
		struct error *err = walk_bin(g, index, i, bin, true, bin, &ahead, &objection);
		if (err)
			return err;
		if (!objection)
			continue;
		if (!glibc_forgive(g, index, "bin", ahead))
			damage_add_culprit(g->ctx->damage, DAMAGE_HEAP, ahead + g->header,
					   ahead == bin ? 0 : ahead + g->header,
					   "bin %u of the arena at 0x%" PRIx64
					   " is broken: what follows 0x%" PRIx64 " %s",
					   i, a.address, ahead, objection);
		/* What still hangs at the other end. */
		err = walk_bin(g, index, i, bin, false, ahead, &behind, &again);
		if (err)
			return err;
	}
	return NULL;
}

/* Do links show their neighbour plainly, or as since 2.32? Asked of the first link of each fastbin.
 */
static int fastbins_vote(struct glibc *g, uint32_t index)
{
	const struct glibc_arena *a = &g->arena.at[index];
	int vote = 0;
	for (uint32_t i = 0; i < a->layout->nfastbins; i++) {
		uint64_t head;
		if (glibc_word(g, a->address + a->layout->fastbins + (uint64_t)i * g->w, &head) &&
		    head && glibc_region_find(g, head) != UINT32_MAX)
			vote += glibc_link_vote(g, head + g->header, 0);
	}
	return vote;
}

struct error *glibc_read_bins(struct glibc *g)
{
	int vote = 0;
	for (uint32_t i = 0; i < g->arena.n; i++)
		vote += fastbins_vote(g, i);
	/* Where fastbins do not tell, heap_info grew in 2.35; the caches are asked again. */
	g->safe_linking = vote ? vote > 0 : true;
	for (uint32_t i = 0; i < g->arena.n; i++) {
		struct error *err = read_fastbins(g, i);
		if (!err)
			err = read_bins(g, i);
		if (err)
			return err;
	}
	return glibc_sort_parked(g, false);
}
