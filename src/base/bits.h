/*
 * bits: a set of dense ids, one bit each.
 *
 * Owner: whoever called bits_init. Ids are not checked (assert in debug builds): they are ours.
 */
#pragma once

#include "base/error.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct bits {
	uint64_t *word;
	uint64_t n; /* ids 0 to n - 1 */
};

static inline struct error *bits_init(struct bits *b, uint64_t n)
{
	b->n = n;
	b->word = calloc(n / 64 + 1, sizeof(uint64_t));
	return b->word ? NULL : &error_nomem;
}

static inline void bits_deinit(struct bits *b)
{
	free(b->word);
	b->word = NULL;
	b->n = 0;
}

static inline bool bits_test(const struct bits *b, uint64_t i)
{
	assert(i < b->n);
	return b->word[i / 64] >> (i % 64) & 1;
}

static inline void bits_set(struct bits *b, uint64_t i)
{
	assert(i < b->n);
	b->word[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void bits_clear(struct bits *b, uint64_t i)
{
	assert(i < b->n);
	b->word[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* Sets it; answers whether it was set before. */
static inline bool bits_test_set(struct bits *b, uint64_t i)
{
	assert(i < b->n);
	uint64_t mask = UINT64_C(1) << (i % 64);
	bool was = b->word[i / 64] & mask;
	b->word[i / 64] |= mask;
	return was;
}
