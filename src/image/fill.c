/* An image is made: segments, spans, threads and modules are added, sealed, and backed by binaries. */
#include "base/checked.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "image/image_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

/* ---- filling ---- */

struct error *image_create(struct damage_log *damage, struct log *log, struct image **ret)
{
	struct image *img = calloc(1, sizeof(*img));
	if (!img)
		return &error_nomem;
	img->damage = damage;
	img->log = log;
	img->machine = MACHINE_X86_64;
	img->word_size = 8;
	img->page_size = 4096;
	img->process.uid = img->process.gid = -1;
	*ret = img;
	return NULL;
}

void image_destroy(struct image *img)
{
	if (!img)
		return;
	if (img->map)
		munmap(img->map, img->map_len);
	free(img->segment);
	free(img->span);
	free(img->span_start);
	free(img->lent);
	free(img->module);
	free(img->thread);
	region_deinit(&img->region);
	free(img);
}

static struct error *grow(void **at, uint32_t n, uint32_t *room, size_t size)
{
	if (n < *room)
		return NULL;
	uint64_t wide = *room;
	struct error *err = vec_reserve_(at, &wide, (uint64_t)n + 1, 0, size);
	*room = (uint32_t)wide;
	return err;
}

struct error *image_add_segment(struct image *img, const struct image_segment *seg)
{
	assert(!img->sealed);
	if (seg->start >= seg->end)
		return NULL;
	struct error *err = grow((void **)&img->segment, img->nsegment, &img->segment_room,
				 sizeof(*img->segment));
	if (!err)
		img->segment[img->nsegment++] = *seg;
	return err;
}

struct error *image_add_span(struct image *img, const struct image_span *span)
{
	assert(!img->sealed);
	if (span->start >= span->end)
		return NULL;
	struct error *err =
		grow((void **)&img->span, img->nspan, &img->span_room, sizeof(*img->span));
	if (!err)
		img->span[img->nspan++] = *span;
	return err;
}

static void thread_find_stack(const struct image *img, struct image_thread *t)
{
	const struct image_segment *seg = image_segment_find(img, t->sp);
	t->stack_segment = seg ? (uint32_t)(seg - img->segment) : UINT32_MAX;
}

struct error *image_add_thread(struct image *img, const struct image_thread *thread)
{
	struct error *err =
		grow((void **)&img->thread, img->nthread, &img->thread_room, sizeof(*img->thread));
	if (err)
		return err;
	struct image_thread *t = &img->thread[img->nthread++];
	*t = *thread;
	t->stack_segment = UINT32_MAX;
	if (img->sealed)
		thread_find_stack(img, t);
	return NULL;
}

struct error *image_add_module(struct image *img, const struct image_module *module)
{
	struct error *err =
		grow((void **)&img->module, img->nmodule, &img->module_room, sizeof(*img->module));
	if (!err)
		img->module[img->nmodule++] = *module;
	return err;
}

/* ---- sealing ---- */

/* A claim on addresses; the lower `owner` wins where two overlap. */
struct claim {
	uint64_t start, end;
	uint32_t owner;
};

typedef VEC(struct claim) claims;

static int claim_compare(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static int u64_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* A binary heap of indices into claims, the lowest owner on top. */
static void heap_push(uint32_t *heap, uint32_t *n, const struct claim *claim, uint32_t v)
{
	uint32_t i = (*n)++;
	while (i && claim[heap[(i - 1) / 2]].owner > claim[v].owner) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = v;
}

static void heap_pop(uint32_t *heap, uint32_t *n, const struct claim *claim)
{
	uint32_t v = heap[--*n], i = 0;
	for (;;) {
		uint64_t child = 2 * (uint64_t)i + 1;
		if (child >= *n)
			break;
		if (child + 1 < *n && claim[heap[child + 1]].owner < claim[heap[child]].owner)
			child++;
		if (claim[heap[child]].owner > claim[v].owner)
			break;
		heap[i] = heap[child];
		i = (uint32_t)child;
	}
	if (*n)
		heap[i] = v;
}

/*
 * Sorts the claims and replaces them by pieces that do not overlap. With n claims there are at most
 * 2n - 1 pieces, found in one sweep over the sorted borders. *overlaps: bytes claimed twice or
 * more.
 */
static struct error *claims_settle(claims *in, uint64_t *overlaps)
{
	*overlaps = 0;
	uint32_t n = (uint32_t)in->n;
	if (n < 2)
		return NULL;
	qsort(in->at, n, sizeof(*in->at), claim_compare);
	uint64_t top = in->at[0].end;
	for (uint32_t i = 1; i < n; i++) {
		if (in->at[i].start < top)
			*overlaps += (in->at[i].end < top ? in->at[i].end : top) - in->at[i].start;
		if (in->at[i].end > top)
			top = in->at[i].end;
	}
	if (!*overlaps)
		return NULL;

	_cleanup_free_ uint64_t *border = calloc(n, 2 * sizeof(*border));
	_cleanup_free_ uint32_t *heap = calloc(n, sizeof(*heap));
	if (!border || !heap)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++) {
		border[2 * (uint64_t)i] = in->at[i].start;
		border[2 * (uint64_t)i + 1] = in->at[i].end;
	}
	uint64_t nborder = 2 * (uint64_t)n;
	qsort(border, nborder, sizeof(*border), u64_compare);

	claims out = {0};
	uint32_t nheap = 0, next = 0;
	for (uint64_t b = 0; b + 1 < nborder; b++) {
		if (border[b] == border[b + 1])
			continue;
		while (next < n && in->at[next].start <= border[b])
			heap_push(heap, &nheap, in->at, next++);
		while (nheap && in->at[heap[0]].end <= border[b])
			heap_pop(heap, &nheap, in->at);
		if (!nheap)
			continue;
		uint32_t owner = in->at[heap[0]].owner;
		struct claim *last = out.n ? &out.at[out.n - 1] : NULL;
		if (last && last->owner == owner && last->end == border[b]) {
			last->end = border[b + 1];
			continue;
		}
		struct error *err =
			vec_push(&out, ((struct claim){border[b], border[b + 1], owner}));
		if (err) {
			vec_deinit(&out);
			return err;
		}
	}
	vec_deinit(in);
	*in = out;
	return NULL;
}

static struct error *segments_settle(struct image *img)
{
	claims c = {0};
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct error *err = vec_push(
			&c, ((struct claim){img->segment[i].start, img->segment[i].end, i}));
		if (err) {
			vec_deinit(&c);
			return err;
		}
	}
	uint64_t overlaps;
	struct error *err = claims_settle(&c, &overlaps);
	struct image_segment *out = err ? NULL : calloc(c.n ? c.n : 1, sizeof(*out));
	if (!err && !out)
		err = &error_nomem;
	if (err) {
		vec_deinit(&c);
		return err;
	}
	for (uint64_t i = 0; i < c.n; i++) {
		const struct image_segment *from = &img->segment[c.at[i].owner];
		out[i] = *from;
		out[i].start = c.at[i].start;
		out[i].end = c.at[i].end;
		out[i].file_offset += c.at[i].start - from->start;
	}
	if (overlaps)
		damage_add(img->damage, DAMAGE_DUMP, 0,
			   "segments overlap by %" PRIu64
			   " bytes; the first one in the file is believed",
			   overlaps);
	free(img->segment);
	img->segment = out;
	img->nsegment = img->segment_room = (uint32_t)c.n;
	vec_deinit(&c);
	return NULL;
}

/* Is b the continuation of a, in addresses and in our memory? */
static bool span_continues(const struct image_span *a, const struct image_span *b)
{
	return a->end == b->start && a->data + (a->end - a->start) == b->data;
}

/* Sorts, settles overlaps, merges; then the search array and the ends of the runs. */
static struct error *spans_settle(struct image *img)
{
	claims c = {0};
	struct error *err = NULL;
	for (uint32_t i = 0; !err && i < img->nspan; i++)
		err = vec_push(&c, ((struct claim){img->span[i].start, img->span[i].end, i}));
	uint64_t overlaps; /* of segments: reported there; of binaries: meant so */
	if (!err)
		err = claims_settle(&c, &overlaps);
	struct image_span *out = err ? NULL : calloc(c.n ? c.n : 1, sizeof(*out));
	if (!err && !out)
		err = &error_nomem;
	if (err) {
		vec_deinit(&c);
		return err;
	}
	uint32_t n = 0;
	for (uint64_t i = 0; i < c.n; i++) {
		const struct image_span *from = &img->span[c.at[i].owner];
		struct image_span s = *from;
		s.start = c.at[i].start;
		s.end = c.at[i].end;
		s.data += c.at[i].start - from->start;
		struct image_span *last = n ? &out[n - 1] : NULL;
		if (last && last->origin == s.origin && span_continues(last, &s))
			last->end = s.end;
		else
			out[n++] = s;
	}
	vec_deinit(&c);

	uint64_t *start = calloc(n ? n : 1, sizeof(*start));
	if (!start) {
		free(out);
		return &error_nomem;
	}
	for (uint32_t i = n; i-- > 0;) {
		start[i] = out[i].start;
		/* A dump's bytes lie in one mapping; next to a binary's they lie by chance. */
		bool on = i + 1 < n && span_continues(&out[i], &out[i + 1]) &&
			  (out[i].origin == SPAN_BINARY) == (out[i + 1].origin == SPAN_BINARY);
		out[i].run_end = on ? out[i + 1].run_end : out[i].end;
	}
	free(img->span);
	free(img->span_start);
	img->span = out;
	img->nspan = img->span_room = n;
	img->span_start = start;
	return NULL;
}

static void segments_count_present(struct image *img)
{
	uint32_t s = 0;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct image_segment *seg = &img->segment[i];
		seg->present = 0;
		while (s < img->nspan && img->span[s].end <= seg->start)
			s++;
		for (uint32_t k = s; k < img->nspan && img->span[k].start < seg->end; k++) {
			const struct image_span *sp = &img->span[k];
			if (sp->origin == SPAN_BINARY)
				continue;
			uint64_t from = sp->start > seg->start ? sp->start : seg->start;
			uint64_t to = sp->end < seg->end ? sp->end : seg->end;
			seg->present += to - from;
		}
	}
}

struct error *image_seal(struct image *img)
{
	assert(!img->sealed);
	struct error *err = segments_settle(img);
	if (!err)
		err = spans_settle(img);
	if (err)
		return err;
	segments_count_present(img);
	img->sealed = true;
	for (uint32_t i = 0; i < img->nthread; i++)
		thread_find_stack(img, &img->thread[i]);
	return NULL;
}

struct error *image_split_segments(struct image *img, const uint64_t *at, uint64_t n)
{
	if (!n)
		return NULL;
	struct image_segment *out = NULL;
	uint64_t room = 0;
	struct error *err = vec_reserve_((void **)&out, &room, img->nsegment + n, 0, sizeof(*out));
	if (err)
		return err;
	uint32_t count = 0;
	uint64_t k = 0;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct image_segment s = img->segment[i];
		while (k < n && at[k] <= s.start)
			k++;
		for (; k < n && at[k] < s.end; k++) {
			if (s.name || at[k] == s.start)
				continue;
			out[count] = s;
			out[count++].end = at[k];
			s.start = at[k];
		}
		out[count++] = s;
	}
	free(img->segment);
	img->segment = out;
	img->nsegment = count;
	img->segment_room = (uint32_t)room;
	segments_count_present(img);
	for (uint32_t i = 0; i < img->nthread; i++)
		thread_find_stack(img, &img->thread[i]);
	return NULL;
}

/* ---- backing ---- */

struct error *image_add_backing(struct image *img, uint64_t start, const uint8_t *data,
				uint64_t len)
{
	assert(img->sealed);
	uint64_t end;
	if (!checked_add(start, len, &end))
		end = UINT64_MAX;
	/* Only where the process had memory: an address outside must stay unreadable. */
	for (uint32_t i = image_segment_from(img, start);
	     i < img->nsegment && img->segment[i].start < end; i++) {
		const struct image_segment *seg = &img->segment[i];
		uint64_t from = seg->start > start ? seg->start : start;
		uint64_t to = seg->end < end ? seg->end : end;
		struct error *err =
			grow((void **)&img->lent, img->nlent, &img->lent_room, sizeof(*img->lent));
		if (err)
			return err;
		img->lent[img->nlent++] = (struct image_span){
			.start = from,
			.end = to,
			.data = data + (from - start),
			.origin = SPAN_BINARY,
		};
	}
	return NULL;
}

struct error *image_seal_backing(struct image *img)
{
	if (!img->nlent)
		return NULL;
	uint64_t room = img->span_room;
	struct error *err = vec_reserve_((void **)&img->span, &room,
					 (uint64_t)img->nspan + img->nlent, 0, sizeof(*img->span));
	img->span_room = (uint32_t)room;
	if (err)
		return err;
	/* Behind the dump's spans, which therefore win. */
	memcpy(img->span + img->nspan, img->lent, img->nlent * sizeof(*img->lent));
	img->nspan += img->nlent;
	img->nlent = 0;
	return spans_settle(img);
}
