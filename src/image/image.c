#include "image/image.h"

#include "image/image_impl.h"

#include <inttypes.h>

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
