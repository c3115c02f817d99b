/*
 * words: walks over the words of a stretch of memory and hands on those that may point to a block.
 *
 * Two questions are asked of each stretch. Aligned words: one load, one mask, one compare each.
 * Words between them (a pointer in a packed struct): all seven other places of every word would
 * cost seven times as much, so 16 bytes are looked at together. The upper bytes of a user address
 * are nearly constant (0x0000_7f.., 0x0000_55..): where no place holds such a byte sequence, no
 * pointer is stored at an odd address. What passes is then looked at byte by byte.
 *
 * In 32-bit processes an odd place looks like an address by chance far too often: only words that a
 * malloc could have returned (a multiple of 8) are handed on there, and none that overlaps an
 * aligned word which looks like an address itself.
 */
#pragma once

#include "image/image.h"
#include "runtime/native/locator.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The word at addr is in the locator's range. aligned: a word of its own. */
typedef void word_hit_fn(void *arg, uint64_t addr, uint64_t word, bool aligned);

typedef uint32_t words_lanes __attribute__((vector_size(16)));

static inline words_lanes words_load(const uint8_t *p)
{
	words_lanes v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline bool words_any(words_lanes v)
{
	uint64_t half[2];
	memcpy(half, &v, sizeof(half));
	return half[0] | half[1];
}

/*
 * Does one of the 16 places p[0] to p[15] (p is 4 modulo 8) begin the upper half of an address?
 * Reads p[-4] to p[18].
 */
static inline __attribute__((always_inline)) bool
words_odd_test(const struct locator *l, unsigned nhigh, bool low, const uint8_t *p)
{
	const words_lanes even_out = {0, UINT32_MAX, 0, UINT32_MAX};
	words_lanes found = {0};
	for (unsigned phase = 0; phase < 4; phase++) {
		words_lanes upper = words_load(p + phase);
		words_lanes high = upper & 0xffffff00, hit = {0};
		for (unsigned i = 0; i < nhigh; i++)
			hit |= (words_lanes)(high == l->high[i]);
		if (low) {
			words_lanes lower = words_load(p + phase - 4) - (uint32_t)l->low_lo;
			hit |= (words_lanes)(upper == (uint32_t)(l->low_lo >> 32)) &
			       (words_lanes)(lower < (uint32_t)l->low_span);
		}
		/* The places that are 4 modulo 8 belong to aligned words. */
		found |= phase ? hit : hit & even_out;
	}
	return words_any(found);
}

/* The first group at or behind `upper` that passes the test; `end` is the last place of all. */
static inline __attribute__((always_inline)) uint64_t
words_odd_group(const struct locator *l, unsigned nhigh, bool low, const uint8_t *p, uint64_t upper,
		uint64_t end, uint64_t avail)
{
	while (upper <= end && upper + 19 <= avail && !words_odd_test(l, nhigh, low, p + upper))
		upper += 16;
	return upper;
}

/* The test above is exact for: few upper halves, and low blocks all in one 4 GiB page. */
static inline bool words_odd_testable(const struct locator *l)
{
	if (l->low_span && (l->low_lo >> 32) != ((l->low_lo + l->low_span - 1) >> 32))
		return false;
	return l->nhigh || l->low_span;
}

static inline __attribute__((always_inline)) void words_odd_place(const struct locator *l,
								  const uint8_t *p, uint64_t addr,
								  word_hit_fn *hit, void *arg)
{
	uint64_t w;
	memcpy(&w, p, 8);
	if (w - l->lo < l->span)
		hit(arg, addr, w, false);
}

/* Places k with k % 8 != 0 of p[0, len); p[0, avail) may be read. */
static inline __attribute__((always_inline)) void words_odd_scan64(const struct locator *l,
								   const uint8_t *p, uint64_t len,
								   uint64_t avail, uint64_t addr,
								   word_hit_fn *hit, void *arg)
{
	if (len <= 8)
		return;
	/* `upper` is where a word's upper half is: from k + 4. */
	uint64_t upper = 4, end = len - 4;
	while (words_odd_testable(l)) {
		/* The usual cases with constants: a heap at the break, and one mapped, too. */
		if (l->nhigh == 1 && !l->low_span)
			upper = words_odd_group(l, 1, false, p, upper, end, avail);
		else if (l->nhigh == 2 && !l->low_span)
			upper = words_odd_group(l, 2, false, p, upper, end, avail);
		else
			upper = words_odd_group(l, l->nhigh, l->low_span, p, upper, end, avail);
		if (upper > end || upper + 19 > avail)
			break;
		for (uint64_t stop = upper + 16; upper < stop && upper <= end; upper++)
			if (upper % 8 != 4)
				words_odd_place(l, p + upper - 4, addr + upper - 4, hit, arg);
	}
	for (; upper <= end; upper++)
		if (upper % 8 != 4)
			words_odd_place(l, p + upper - 4, addr + upper - 4, hit, arg);
}

static inline bool words_in_range32(const struct locator *l, const uint8_t *p)
{
	uint32_t w;
	memcpy(&w, p, 4);
	return w - l->lo < l->span;
}

static inline __attribute__((always_inline)) void words_odd_scan32(const struct locator *l,
								   const uint8_t *p, uint64_t len,
								   uint64_t addr, word_hit_fn *hit,
								   void *arg)
{
	for (uint64_t k = 1; k + 4 <= len; k++) {
		uint32_t w;
		memcpy(&w, p + k, 4);
		if (w & 7 || k % 4 == 0 || w - l->lo >= l->span)
			continue;
		/* Halves of two words, one of which means something by itself, make no third. */
		uint64_t before = k & ~(uint64_t)3;
		if (words_in_range32(l, p + before) ||
		    (before + 8 <= len && words_in_range32(l, p + before + 4)))
			continue;
		hit(arg, addr + k, w, false);
	}
}

/*
 * All of p[0, len), which is at addr, a multiple of the word size. p[0, avail) may be read. Returns
 * the number of aligned words looked at.
 */
static inline __attribute__((always_inline)) uint64_t words_scan(const struct locator *l,
								 const uint8_t *p, uint64_t len,
								 uint64_t avail, uint64_t addr,
								 word_hit_fn *hit, void *arg)
{
	uint64_t n = len / l->word_size;
	if (l->word_size == 8) {
		for (uint64_t i = 0; i < n; i++) {
			uint64_t w;
			memcpy(&w, p + 8 * i, 8);
			if (locator_in_range(l, w))
				hit(arg, addr + 8 * i, w, true);
		}
		words_odd_scan64(l, p, len, avail, addr, hit, arg);
	} else {
		for (uint64_t i = 0; i < n; i++) {
			uint32_t w;
			memcpy(&w, p + 4 * i, 4);
			if (locator_in_range(l, w))
				hit(arg, addr + 4 * i, w, true);
		}
		words_odd_scan32(l, p, len, addr, hit, arg);
	}
	return n;
}

/* The span that holds addr, whatever its origin; NULL: none. *span as for words_next_run. */
const struct image_span *words_span_at(const struct image *img, uint32_t *span, uint64_t addr);

/* A stretch that can be read at a time. */
struct words_run {
	const uint8_t *data;
	uint64_t addr, len;
	uint64_t avail; /* bytes that can be read at data; >= len */
};

/*
 * The next stretch worth scanning at or behind `at`, before `end`; false: none. Skips what is
 * missing, holes (zeroes) and what a binary lent (the process never wrote there, and a file knows
 * no heap address). *span is a hint that the caller keeps; begin with 0.
 */
bool words_next_run(const struct image *img, uint32_t *span, uint64_t at, uint64_t end,
		    struct words_run *ret);
