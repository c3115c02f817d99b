/*
 * tcache: each thread's cache, whose blocks look live but are free.
 *
 * The structure is a chunk of its own, of a size that the layout gives away (a user's block may
 * have it, too), and the thread's static TLS points to it, at one distance from the thread pointer
 * that is the same in all threads: the distance with the most threads, then with the most lists
 * that prove themselves, wins. A structure whose lists prove themselves counts without a thread,
 * too: that of a thread which fork left behind holds what was freed all the same. Without any of
 * that, the first chunk of an arena is one (until 2.41 the first malloc of a thread makes its
 * cache).
 */
#include "heap/glibc/glibc_impl.h"

enum {
	TLS_WINDOW = 64 << 10, /* bytes looked at on each side of the thread pointer */
	CACHE_LIST_MAX = 65535,
};

/* How a candidate's content speaks for it. */
struct evidence {
	unsigned sound;	 /* lists that name a free block of the right size */
	unsigned broken; /* lists that do not */
	bool clean;	 /* otherwise as an empty cache would be */
};

struct vote {
	int64_t distance; /* from the thread pointer */
	uint32_t candidate;
	uint32_t thread;
};

/* malloc/malloc.c, tidx2csize; large_csize2tidx (2.42). */
static void bin_sizes(const struct glibc *g, const struct glibc_tcache_layout *l, uint32_t bin,
		      uint64_t *low, uint64_t *high)
{
	uint64_t largest = (uint64_t)(l->small_bins - 1) * GLIBC_ALIGNMENT + g->minsize;
	if (bin < l->small_bins) {
		*low = *high = (uint64_t)bin * GLIBC_ALIGNMENT + g->minsize;
		return;
	}
	unsigned log = 63u - (unsigned)__builtin_clzll(largest) + (bin - l->small_bins);
	*low = UINT64_C(1) << log;
	*high = (UINT64_C(2) << log) - 1;
	if (*low <= largest)
		*low = largest + 1;
}

static bool read_count(struct glibc *g, uint64_t at, uint32_t size, uint32_t *ret)
{
	uint8_t c8;
	uint16_t c16;
	if (size == 1) {
		if (!image_try_u8(g->img, at, &c8))
			return false;
		*ret = c8;
		return true;
	}
	if (!image_try_u16(g->img, at, &c16))
		return false;
	*ret = c16;
	return true;
}

static bool entry_sound(struct glibc *g, const struct glibc_tcache_layout *l, uint32_t bin,
			uint64_t entry)
{
	uint64_t low, high, head, chunk = entry - g->header;
	bin_sizes(g, l, bin, &low, &high);
	const struct glibc_mapped *m = glibc_mapped_at(g, chunk);
	if (m)
		return m->size >= low && m->size <= high;
	return glibc_chunk_aligned(g, chunk) && glibc_region_find(g, chunk) != UINT32_MAX &&
	       glibc_word(g, chunk + g->w, &head) && glibc_size_ok(g, head) &&
	       glibc_chunk_size(head) >= low && glibc_chunk_size(head) <= high;
}

static struct evidence weigh(struct glibc *g, const struct glibc_tcache_candidate *c)
{
	const struct glibc_tcache_layout *l = c->layout;
	uint64_t at = c->chunk + g->header, entry;
	struct evidence e = {.clean = true};
	uint32_t room = 0;
	/* A free chunk is no cache, whatever is left in it. */
	if (glibc_word(g, c->chunk + c->size + g->w, &entry) && !(entry & GLIBC_PREV_INUSE))
		return (struct evidence){.broken = 1};
	for (uint32_t i = 0; i < l->bins; i++) {
		uint32_t count;
		if (!read_count(g, at + (uint64_t)i * l->count_size, l->count_size, &count) ||
		    !glibc_word(g, at + l->entries + (uint64_t)i * g->w, &entry)) {
			e.clean = false;
			return e;
		}
		if (entry) {
			bool ok = entry_sound(g, l, i, entry) &&
				  (l->counts == GLIBC_TCACHE_ROOM || count);
			e.sound += ok;
			e.broken += !ok;
		} else if (l->counts == GLIBC_TCACHE_TAKEN) {
			e.clean = e.clean && !count;
		} else {
			/* Empty lists have room for the same number each: the tunable's. */
			e.clean = e.clean && count && (!room || count == room);
			room = count;
		}
	}
	return e;
}

static bool believable(const struct evidence *e)
{
	return e->clean ? e->broken <= e->sound : e->sound > 2 && e->broken * 4 < e->sound;
}

/* ---- who owns it ---- */

static int vote_compare(const void *a, const void *b)
{
	const struct vote *x = a, *y = b;
	if (x->distance != y->distance)
		return x->distance < y->distance ? -1 : 1;
	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return 0;
}

static uint32_t candidate_find(const struct glibc *g, uint64_t chunk)
{
	uint64_t lo = 0, hi = g->candidate.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (g->candidate.at[mid].chunk < chunk)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < g->candidate.n && g->candidate.at[lo].chunk == chunk ? (uint32_t)lo
									 : UINT32_MAX;
}

typedef VEC(struct vote) vote_vec;

static struct error *thread_votes(struct glibc *g, uint32_t thread, vote_vec *votes)
{
	uint64_t tp = g->img->thread[thread].tp;
	const struct image_segment *s = tp ? image_segment_find(g->img, tp) : NULL;
	if (!s || tp % g->w)
		return NULL;
	uint64_t from = tp - s->start > TLS_WINDOW ? tp - TLS_WINDOW : s->start;
	uint64_t end = s->end - tp > TLS_WINDOW ? tp + TLS_WINDOW : s->end;
	uint64_t low = g->candidate.at[0].chunk;
	uint64_t high = g->candidate.at[g->candidate.n - 1].chunk, word;
	for (uint64_t at = from + (tp - from) % g->w; at < end; at += g->w) {
		if (!glibc_word(g, at, &word) || word < low || word - g->header > high)
			continue;
		uint32_t c = candidate_find(g, word - g->header);
		if (c == UINT32_MAX)
			continue;
		struct error *err = vec_push(votes, ((struct vote){(int64_t)(at - tp), c, thread}));
		if (err)
			return err;
	}
	return NULL;
}

struct tally {
	uint32_t threads;  /* that point to a believable cache at this distance */
	uint64_t evidence; /* lists that prove themselves */
	uint32_t first;	   /* of them, caches that are the first chunk of a region */
};

static bool tally_better(const struct tally *a, const struct tally *b)
{
	/* A proof outweighs numbers: nothing but a cache can have one. */
	if (!a->evidence != !b->evidence)
		return a->evidence;
	if (a->threads != b->threads)
		return a->threads > b->threads;
	if (a->evidence != b->evidence)
		return a->evidence > b->evidence;
	return a->first > b->first;
}

/* ---- taking one over ---- */

static void cache_miscounted(struct glibc *g, uint64_t cache, uint32_t bin, uint64_t length,
			     uint32_t count)
{
	damage_add(g->ctx->damage, DAMAGE_HEAP, cache,
		   "the thread cache at 0x%" PRIx64
		   " counts %u blocks in list %u, which has %" PRIu64 ": the rest looks live",
		   cache, count, bin, length);
}

static struct error *cache_take(struct glibc *g, const struct glibc_tcache_candidate *c)
{
	const struct glibc_tcache_layout *l = c->layout;
	uint64_t at = c->chunk + g->header, entry, length;
	struct error *err = vec_push(
		&g->parked, ((struct glibc_parked){c->chunk, UINT32_MAX, PARKED_TCACHE_ITSELF}));
	if (!err)
		err = snapshot_add_opaque(g->ctx->snapshot, at, c->chunk + c->size + g->w,
					  "glibc tcache");
	for (uint32_t i = 0; i < l->bins && !err; i++) {
		uint32_t count;
		if (!glibc_word(g, at + l->entries + (uint64_t)i * g->w, &entry))
			continue;
		struct glibc_chain chain = {
			.head = entry,
			.link_offset = g->header,
			.max = CACHE_LIST_MAX,
			.arena = UINT32_MAX,
			.kind = FREE_TCACHE,
			.what = "tcache list",
			.owner = at,
		};
		bin_sizes(g, l, i, &chain.size_low, &chain.size_high);
		err = glibc_follow_chain(g, &chain, &length);
		if (err || !read_count(g, at + (uint64_t)i * l->count_size, l->count_size, &count))
			break;
		/* One more or less: the thread was about to count it. */
		if (l->counts == GLIBC_TCACHE_TAKEN && count > length + 1)
			cache_miscounted(g, at, i, length, count);
	}
	return err;
}

static void vote_on_linking(struct glibc *g, const bool *taken)
{
	int vote = 0;
	for (uint64_t i = 0; i < g->candidate.n; i++) {
		const struct glibc_tcache_candidate *c = &g->candidate.at[i];
		uint64_t entry;
		for (uint32_t k = 0; taken[i] && k < c->layout->bins; k++) {
			uint64_t at = c->chunk + g->header + c->layout->entries;
			if (glibc_word(g, at + (uint64_t)k * g->w, &entry) && entry &&
			    entry_sound(g, c->layout, k, entry))
				vote += glibc_link_vote(g, entry, g->header);
		}
	}
	if (vote)
		g->safe_linking = vote > 0;
}

/* Marks what the threads own by TLS. False: no thread told. */
static struct error *choose_by_threads(struct glibc *g, const struct evidence *ev, bool *taken,
				       bool *ret)
{
	vote_vec votes = {0};
	struct error *err = NULL;
	struct tally best = {0};
	uint64_t best_from = 0, best_to = 0;
	*ret = false;
	for (uint32_t i = 0; i < g->img->nthread && !err; i++)
		err = thread_votes(g, i, &votes);
	if (err)
		goto out;
	if (votes.n)
		qsort(votes.at, votes.n, sizeof(*votes.at), vote_compare);
	for (uint64_t i = 0, k; i < votes.n; i = k) {
		struct tally t = {0};
		for (k = i; k < votes.n && votes.at[k].distance == votes.at[i].distance; k++) {
			uint32_t c = votes.at[k].candidate;
			if (!believable(&ev[c]))
				continue;
			t.threads++;
			t.evidence += ev[c].sound;
			t.first += g->candidate.at[c].first;
		}
		if (t.threads && (best_to == 0 || tally_better(&t, &best))) {
			best = t;
			best_from = i;
			best_to = k;
		}
	}
	for (uint64_t i = best_from; i < best_to; i++)
		taken[votes.at[i].candidate] = true;
	*ret = best_to > best_from;
out:
	vec_deinit(&votes);
	return err;
}

struct error *glibc_read_tcaches(struct glibc *g)
{
	uint64_t n = g->candidate.n;
	struct error *err = NULL;
	struct evidence *ev = NULL;
	bool *taken = NULL, told = false;
	unsigned caches = 0;
	if (!n)
		return glibc_sort_parked(g, true);
	ev = calloc(n, sizeof(*ev));
	taken = calloc(n, sizeof(*taken));
	if (!ev || !taken) {
		err = &error_nomem;
		goto out;
	}
	for (uint64_t i = 0; i < n; i++)
		ev[i] = weigh(g, &g->candidate.at[i]);
	err = choose_by_threads(g, ev, taken, &told);
	if (err)
		goto out;
	for (uint64_t i = 0; i < n; i++) {
		const struct glibc_tcache_candidate *c = &g->candidate.at[i];
		if (ev[i].sound && ev[i].clean && !ev[i].broken)
			taken[i] = true;
		else if (!told && c->first && believable(&ev[i]))
			taken[i] = true;
	}
	vote_on_linking(g, taken);
	for (uint64_t i = 0; i < n && !err; i++) {
		if (!taken[i])
			continue;
		caches++;
		err = cache_take(g, &g->candidate.at[i]);
	}
	log_debug(g->ctx->log, "glibc: %u thread caches%s, links %s", caches,
		  told ? "" : " (no thread's TLS points to one)",
		  g->safe_linking ? "since 2.32" : "before 2.32");
	if (!err)
		err = glibc_sort_parked(g, true);
out:
	free(ev);
	free(taken);
	return err;
}
