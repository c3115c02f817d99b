#include "image/image.h"

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/vec.h"
#include "image/image_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

/* ---- finding ---- */

/*
 * Index of the last of n ascending values that is <= addr; 0 when none is: the caller checks.
 * No branch depends on the data, so that a search among random addresses does not wait for
 * mispredictions.
 */
static uint32_t last_not_above(const uint64_t *at, uint32_t n, uint64_t addr)
{
	const uint64_t *base = at;
	while (n > 1) {
		uint32_t half = n / 2;
		base += base[half] <= addr ? half : 0;
		n -= half;
	}
	return (uint32_t)(base - at);
}

static inline bool span_holds(const struct image_span *s, uint64_t addr)
{
	return addr >= s->start && addr < s->end;
}

/* UINT32_MAX: no span holds addr. */
static uint32_t span_find(const struct image *img, struct image_cursor *c, uint64_t addr)
{
	if (c && c->span < img->nspan) {
		if (span_holds(&img->span[c->span], addr))
			return c->span;
		if (c->span + 1 < img->nspan && span_holds(&img->span[c->span + 1], addr))
			return ++c->span;
	}
	if (!img->nspan)
		return UINT32_MAX;
	uint32_t i = last_not_above(img->span_start, img->nspan, addr);
	if (!span_holds(&img->span[i], addr))
		return UINT32_MAX;
	if (c)
		c->span = i;
	return i;
}

uint32_t image_segment_from(const struct image *img, uint64_t addr)
{
	uint32_t lo = 0, hi = img->nsegment;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (img->segment[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

uint32_t image_span_from(const struct image *img, uint64_t addr)
{
	uint32_t lo = 0, hi = img->nspan;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (img->span[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct image_segment *image_segment_find(const struct image *img, uint64_t addr)
{
	uint32_t i = image_segment_from(img, addr);
	return i < img->nsegment && img->segment[i].start <= addr ? &img->segment[i] : NULL;
}

uint32_t image_module_find(const struct image *img, uint64_t addr)
{
	const struct image_segment *seg = image_segment_find(img, addr);
	return seg ? seg->module_id : 0;
}

/* ---- reading ---- */

const uint8_t *image_view(const struct image *img, struct image_cursor *c, uint64_t addr,
			  uint64_t *avail)
{
	uint32_t i = span_find(img, c, addr);
	if (i == UINT32_MAX)
		return NULL;
	const struct image_span *s = &img->span[i];
	*avail = s->run_end - addr;
	return s->data + (addr - s->start);
}

const uint8_t *image_view_all(const struct image *img, struct image_cursor *c, uint64_t addr,
			      uint64_t len)
{
	uint64_t avail;
	const uint8_t *p = image_view(img, c, addr, &avail);
	return p && avail >= len ? p : NULL;
}

bool image_try_read(const struct image *img, uint64_t addr, void *buf, uint64_t len)
{
	uint8_t *to = buf;
	struct image_cursor c = {0};
	while (len) {
		uint64_t avail;
		const uint8_t *p = image_view(img, &c, addr, &avail);
		if (!p)
			return false;
		if (avail > len)
			avail = len;
		memcpy(to, p, avail);
		to += avail;
		addr += avail; /* a wrap to 0 finds no span */
		len -= avail;
	}
	return true;
}

struct error *image_read(const struct image *img, uint64_t addr, void *buf, uint64_t len)
{
	if (image_try_read(img, addr, buf, len))
		return NULL;
	return error_new(ERROR_INPUT, "the dump has not all of %" PRIu64 " bytes at 0x%" PRIx64,
			 len, addr);
}

/* Copies `size` bytes; `size` is a constant at each call, so the usual case is one load. */
static inline bool try_copy(const struct image *img, uint64_t addr, void *ret, uint64_t size)
{
	uint64_t avail;
	const uint8_t *p = image_view(img, NULL, addr, &avail);
	if (!p)
		return false;
	if (avail < size)
		return image_try_read(img, addr, ret, size);
	memcpy(ret, p, size);
	return true;
}

bool image_try_u8(const struct image *img, uint64_t addr, uint8_t *ret)
{
	return try_copy(img, addr, ret, 1);
}

bool image_try_u16(const struct image *img, uint64_t addr, uint16_t *ret)
{
	return try_copy(img, addr, ret, 2);
}

bool image_try_u32(const struct image *img, uint64_t addr, uint32_t *ret)
{
	return try_copy(img, addr, ret, 4);
}

bool image_try_u64(const struct image *img, uint64_t addr, uint64_t *ret)
{
	return try_copy(img, addr, ret, 8);
}

bool image_try_word(const struct image *img, uint64_t addr, uint64_t *ret)
{
	if (img->word_size == 8)
		return try_copy(img, addr, ret, 8);
	uint32_t v;
	if (!try_copy(img, addr, &v, 4))
		return false;
	*ret = v;
	return true;
}

bool image_try_string(const struct image *img, uint64_t addr, char *buf, size_t max)
{
	size_t n = 0;
	struct image_cursor c = {0};
	while (n < max) {
		uint64_t avail;
		const uint8_t *p = image_view(img, &c, addr, &avail);
		if (!p) {
			buf[n] = 0;
			return false;
		}
		if (avail > max - n)
			avail = max - n;
		const uint8_t *nul = memchr(p, 0, avail);
		uint64_t take = nul ? (uint64_t)(nul - p) : avail;
		memcpy(buf + n, p, take);
		n += take;
		addr += take;
		if (nul)
			break;
	}
	buf[n] = 0;
	return true;
}

const uint8_t *image_next_data(const struct image *img, uint64_t *at, uint64_t end, uint64_t *len)
{
	if (*at >= end || !img->nspan)
		return NULL;
	uint32_t i = last_not_above(img->span_start, img->nspan, *at);
	for (; i < img->nspan && img->span[i].start < end; i++) {
		const struct image_span *s = &img->span[i];
		if (s->end <= *at || s->origin == SPAN_ZERO)
			continue;
		uint64_t from = s->start > *at ? s->start : *at;
		uint64_t to = s->end < end ? s->end : end;
		*at = from;
		*len = to - from;
		return s->data + (from - s->start);
	}
	return NULL;
}

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
