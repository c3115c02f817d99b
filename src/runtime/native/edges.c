/*
 * edges: every word of every live block that points into a live block, as compressed rows.
 *
 * One pass. A slice of objects (cut by bytes) collects its edges in chunks; the chunks are copied
 * to the final arrays in slice order, each freed once copied, so that the peak is 8 bytes an edge
 * and the same rows come out whatever the number of processors. Looking a word up is two cache
 * misses (the locator's page, the block's address): a batch of words is taken through each step
 * together, with prefetches in between.
 */
#include "runtime/native/native.h"

#include "base/cleanup.h"
#include "base/huge.h"
#include "base/parallel.h"
#include "runtime/native/words.h"

#include <assert.h>

enum {
	EDGE_BATCH = 64,
	EDGE_CHUNK = 1 << 16,
	SLICE_GRAIN = 1 << 20, /* bytes of blocks that are worth a thread */
	SLICES_MAX = 64,
	PROGRESS_EVERY = 1 << 16, /* objects */
};

#define SCAN_FAR (UINT64_C(1) << 40)

struct edge_chunk {
	struct edge_chunk *next;
	uint32_t n;
	uint32_t dst[EDGE_CHUNK], where[EDGE_CHUNK];
	/* Made when the first typed edge comes: native programs have none. */
	struct edge_typed {
		uint8_t kind[EDGE_CHUNK];
		uint32_t name[EDGE_CHUNK];
	} * typed;
};

/* A word on its way through the batch. */
struct edge_candidate {
	uint64_t word;
	uint64_t offset; /* in its source */
	const uint32_t *entry;
	uint32_t value; /* of *entry */
	uint32_t src;
	bool aligned;
};

struct edge_sink {
	const struct runtime_context *ctx;
	const struct image *image;
	const struct locator *locator;
	struct snapshot *snapshot;
	const struct native_unread *unread;
	uint32_t first, end; /* objects, by index */
	struct log *log;     /* NULL: another slice shows the progress */

	struct edge_chunk *head, *tail;
	uint64_t *count; /* edges of each object: the snapshot's first[] until it is summed up */
	struct word_books books;
	struct error *err;

	uint32_t span;	/* edge_sink_scan's place in the image */
	uint32_t src;	/* the object that is being scanned */
	uint64_t start; /* its address */
	struct edge_candidate batch[EDGE_BATCH];
	unsigned n;
};

/* Room for one more edge, or NULL. */
static struct edge_chunk *slice_room(struct edge_sink *sl)
{
	struct edge_chunk *chunk = sl->tail;
	if (!chunk || chunk->n == EDGE_CHUNK) {
		chunk = malloc(sizeof(*chunk));
		if (!chunk) {
			sl->err = &error_nomem;
			return NULL;
		}
		chunk->n = 0;
		chunk->next = NULL;
		chunk->typed = NULL;
		if (sl->tail)
			sl->tail->next = chunk;
		else
			sl->head = chunk;
		sl->tail = chunk;
	}
	return chunk;
}

static void slice_emit(struct edge_sink *sl, const struct edge_candidate *c, uint32_t dst,
		       enum word_outcome outcome)
{
	struct edge_chunk *chunk = slice_room(sl);
	if (!chunk)
		return;
	chunk->dst[chunk->n] = dst;
	chunk->where[chunk->n] =
		edge_where_pack(word_how(outcome), c->offset, sl->locator->word_size);
	if (chunk->typed) {
		chunk->typed->kind[chunk->n] = REFERENCE_WORD;
		chunk->typed->name[chunk->n] = 0;
	}
	chunk->n++;
	sl->count[c->src]++;
}

static void slice_flush(struct edge_sink *sl)
{
	const struct locator *l = sl->locator;
	for (unsigned i = 0; i < sl->n; i++) {
		struct edge_candidate *c = &sl->batch[i];
		c->value = *c->entry;
		if (c->value != LOCATOR_NONE && c->value != LOCATOR_FREE)
			__builtin_prefetch(&l->address[c->value - 1]);
	}
	for (unsigned i = 0; i < sl->n; i++) {
		const struct edge_candidate *c = &sl->batch[i];
		enum word_outcome outcome;
		uint32_t dst = c->aligned ? locator_resolve(l, c->word, c->value, &outcome)
					  : locator_resolve_odd(l, c->word, c->value, &outcome);
		sl->books.outcome[outcome]++;
		if (dst)
			slice_emit(sl, c, dst, outcome);
	}
	sl->n = 0;
}

static inline __attribute__((always_inline)) void slice_hit(void *arg, uint64_t addr, uint64_t word,
							    bool aligned)
{
	struct edge_sink *sl = arg;
	const uint32_t *entry = locator_entry(sl->locator, word);
	if (!entry)
		return;
	__builtin_prefetch(entry);
	sl->batch[sl->n] = (struct edge_candidate){
		.word = word,
		.offset = addr - sl->start,
		.entry = entry,
		.src = sl->src,
		.aligned = aligned,
	};
	if (++sl->n == EDGE_BATCH)
		slice_flush(sl);
}

/* [at, end) holds nothing opaque. */
static void slice_scan_run(struct edge_sink *sl, struct words_run *run, uint64_t at, uint64_t end)
{
	/* Objects mostly follow one another: keep the run, cut each object from it. */
	uint64_t len = end - at, skip = at - run->addr;
	sl->books.scanned += words_scan(sl->locator, run->data + skip, len, run->avail - skip, at,
					slice_hit, sl);
}

static void slice_scan(struct edge_sink *sl, struct words_run *run, uint32_t *span, uint64_t at,
		       uint64_t end)
{
	const uint64_t mask = sl->locator->word_size - 1;
	at = (at + mask) & ~mask;
	while (at < end) {
		if (at < run->addr || at >= run->addr + run->len) {
			if (!words_next_run(sl->image, span, at, UINT64_MAX, run)) {
				run->len = 0;
				return;
			}
			if (at < run->addr)
				at = run->addr;
			if (at >= end)
				return;
		}
		uint64_t stop = run->addr + run->len < end ? run->addr + run->len : end;
		slice_scan_run(sl, run, at, stop);
		at = (stop + mask) & ~mask;
	}
}

void edge_sink_add(struct edge_sink *sl, uint32_t dst, uint64_t offset, enum reference_kind kind,
		   uint32_t name)
{
	/* Words scanned before must come before: rows are in order. */
	if (sl->n)
		slice_flush(sl);
	struct edge_chunk *chunk = slice_room(sl);
	if (chunk && !chunk->typed)
		chunk->typed = calloc(1, sizeof(*chunk->typed));
	if (!chunk || !chunk->typed) {
		sl->err = &error_nomem;
		return;
	}
	chunk->dst[chunk->n] = dst;
	chunk->where[chunk->n] = edge_where_pack(EDGE_START, offset, sl->locator->word_size);
	chunk->typed->kind[chunk->n] = (uint8_t)kind;
	chunk->typed->name[chunk->n] = name;
	chunk->n++;
	sl->count[sl->src]++;
}

/* Opaque ranges are for words that no runtime knows: what a runtime asks for is read. */
void edge_sink_scan(struct edge_sink *sl, uint64_t start, uint64_t end)
{
	struct words_run run = {0};
	slice_scan(sl, &run, &sl->span, start, end);
}

void edge_sink_scan_elsewhere(struct edge_sink *sl, uint64_t start, uint64_t end)
{
	const uint64_t block = sl->start;
	if (sl->n)
		slice_flush(sl);
	/* Offsets that are too far to record. */
	sl->start = start - SCAN_FAR;
	edge_sink_scan(sl, start, end);
	slice_flush(sl);
	sl->start = block;
}

static struct error *slice_run(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	(void)first;
	(void)end;
	struct edge_sink *sl = *((struct edge_sink **)arg + slice);
	const struct object_table *o = &sl->snapshot->object;
	const uint32_t word_size = sl->locator->word_size;
	struct words_run run = {0};
	uint32_t span = 0;
	uint64_t known = 0; /* up to here we know whether it is opaque */
	bool opaque = false;
	uint64_t skip = 0; /* the next of the objects that are not read */
	while (skip < sl->unread->object.n && sl->unread->object.at[skip] <= sl->first)
		skip++;
	for (uint32_t i = sl->first; i < sl->end && !sl->err; i++) {
		uint64_t at = o->block ? o->block[i] : o->address[i], stop = at + o->size[i];
		if (skip < sl->unread->object.n && sl->unread->object.at[skip] == i + 1) {
			uint64_t words = o->size[i] / word_size;
			sl->books.scanned += words;
			sl->books.outcome[WORD_OPAQUE] += words;
			/* The same block may be listed twice. */
			while (skip < sl->unread->object.n && sl->unread->object.at[skip] == i + 1)
				skip++;
			continue;
		}
		if (o->runtime && o->runtime[i]) {
			slice_flush(sl);
			sl->src = i;
			sl->start = at;
			runtime_table[o->runtime[i] - 1]->visit(sl->ctx, i + 1, sl);
			continue;
		}
		sl->src = i;
		sl->start = at;
		if (i % PROGRESS_EVERY == 0 && sl->log)
			log_progress(sl->log, "references", i - sl->first, sl->end - sl->first);
		while (at < stop) {
			if (at >= known)
				opaque = snapshot_is_opaque(sl->snapshot, at, &known);
			uint64_t until = stop < known ? stop : known;
			if (opaque) {
				uint64_t words = (until - at) / word_size;
				sl->books.scanned += words;
				sl->books.outcome[WORD_OPAQUE] += words;
			} else {
				slice_scan(sl, &run, &span, at, until);
			}
			at = until;
		}
	}
	slice_flush(sl);
	return sl->err;
}

/* Cuts the objects into slices of about equal bytes. */
static void edges_cut(const struct object_table *o, struct edge_sink **slice, unsigned n,
		      uint64_t bytes)
{
	uint64_t sum = 0;
	uint32_t i = 0;
	for (unsigned k = 0; k < n; k++) {
		slice[k]->first = i;
		uint64_t goal = bytes / n * (k + 1);
		while (i < o->n && (sum < goal || k + 1 == n))
			sum += o->size[i++];
		slice[k]->end = i;
	}
}

static void slice_destroy(struct edge_sink *sl)
{
	if (!sl)
		return;
	while (sl->head) {
		struct edge_chunk *next = sl->head->next;
		free(sl->head->typed);
		free(sl->head);
		sl->head = next;
	}
	free(sl);
}

/* Counts to row starts; the chunks to the final arrays. */
static struct error *edges_join(struct edge_table *e, uint32_t objects, struct edge_sink **slice,
				unsigned n)
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < objects; i++) {
		uint64_t count = e->first[i];
		e->first[i] = total;
		total += count;
	}
	e->first[objects] = total;
	e->dst = huge_alloc(total, sizeof(*e->dst));
	e->where = huge_alloc(total, sizeof(*e->where));
	if (!e->dst || !e->where)
		return &error_nomem;
	bool typed = false;
	for (unsigned k = 0; k < n; k++)
		for (const struct edge_chunk *c = slice[k]->head; c; c = c->next)
			typed |= c->typed != NULL;
	if (typed) {
		e->kind = huge_zalloc(total, sizeof(*e->kind));
		e->name = huge_zalloc(total, sizeof(*e->name));
		if (!e->kind || !e->name)
			return &error_nomem;
	}
	uint64_t at = 0;
	for (unsigned k = 0; k < n; k++) {
		while (slice[k]->head) {
			struct edge_chunk *c = slice[k]->head;
			memcpy(e->dst + at, c->dst, c->n * sizeof(*c->dst));
			memcpy(e->where + at, c->where, c->n * sizeof(*c->where));
			if (c->typed) {
				memcpy(e->kind + at, c->typed->kind, c->n * sizeof(*e->kind));
				memcpy(e->name + at, c->typed->name, c->n * sizeof(*e->name));
			}
			at += c->n;
			slice[k]->head = c->next;
			free(c->typed);
			free(c);
		}
	}
	assert(at == total);
	e->n = total;
	return NULL;
}

struct error *native_edges(struct runtime_context *ctx, const struct locator *l,
			   const struct native_unread *unread, struct word_books *books)
{
	struct snapshot *s = ctx->snapshot;
	const struct object_table *o = &s->object;
	s->edge.first = huge_zalloc((uint64_t)o->n + 1, sizeof(*s->edge.first));
	if (!s->edge.first)
		return &error_nomem;
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < o->n; i++)
		bytes += o->size[i];
	unsigned n = parallel_slices(bytes, SLICE_GRAIN);
	struct edge_sink *slice[SLICES_MAX] = {0};
	struct error *err = NULL;
	assert(n <= SLICES_MAX);
	for (unsigned k = 0; k < n && !err; k++) {
		slice[k] = calloc(1, sizeof(*slice[k]));
		if (!slice[k]) {
			err = &error_nomem;
			break;
		}
		slice[k]->ctx = ctx;
		slice[k]->image = ctx->image;
		slice[k]->locator = l;
		slice[k]->snapshot = s;
		slice[k]->unread = unread;
		slice[k]->log = k ? NULL : ctx->log;
		slice[k]->count = s->edge.first;
	}
	if (!err) {
		edges_cut(o, slice, n, bytes);
		err = parallel_for(n, n, slice_run, slice);
	}
	if (!err)
		err = edges_join(&s->edge, o->n, slice, n);
	for (unsigned k = 0; k < n && slice[k]; k++) {
		struct word_books *b = &slice[k]->books;
		uint64_t seen = 0;
		for (unsigned i = WORD_START; i <= WORD_OPAQUE; i++)
			seen += b->outcome[i];
		b->outcome[WORD_NONE] = b->scanned - seen;
		word_books_add(books, b);
	}
	for (unsigned k = 0; k < n; k++)
		slice_destroy(slice[k]);
	return err;
}
