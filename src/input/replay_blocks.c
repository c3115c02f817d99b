/* replay_blocks: the live blocks of the end, out of their table, by address. */
#include "input/trace.h"
#include "input/trace_impl.h"

#include "base/cleanup.h"
#include "base/huge.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* One pass of a radix sort by the digit at `shift`; stable. False: all have the same one. */
static bool sort_pass(const struct block_slot *from, struct block_slot *to, uint64_t n,
		      unsigned shift, uint64_t *count)
{
	memset(count, 0, DIGITS * sizeof(*count));
	for (uint64_t i = 0; i < n; i++)
		count[from[i].address >> shift & (DIGITS - 1)]++;
	if (count[from[0].address >> shift & (DIGITS - 1)] == n)
		return false;
	for (uint64_t k = 0, sum = 0; k < DIGITS; k++) {
		uint64_t here = count[k];
		count[k] = sum;
		sum += here;
	}
	for (uint64_t i = 0; i < n; i++)
		to[count[from[i].address >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

/* No two are equal. The sorted ones are at *block, the others' memory is free again. */
static struct error *sort_blocks(struct block_slot **block, uint64_t n)
{
	_cleanup_free_ uint64_t *count = malloc(DIGITS * sizeof(*count));
	struct block_slot *from = *block, *to = huge_alloc(n, sizeof(*to));
	if (!to || !count) {
		free(to);
		return &error_nomem;
	}
	uint64_t differ = 0;
	for (uint64_t i = 0; i < n; i++)
		differ |= from[i].address ^ from[0].address;
	unsigned shift = differ ? (unsigned)__builtin_ctzll(differ) : 64;
	for (; shift < 64 && differ >> shift; shift += DIGIT_BITS) {
		if (!sort_pass(from, to, n, shift, count))
			continue;
		struct block_slot *swap = from;
		from = to;
		to = swap;
	}
	free(to);
	*block = from;
	return NULL;
}

struct error *replay_blocks(struct trace *t)
{
	uint64_t n = 0;
	for (uint64_t i = 0; i < t->slots; i++)
		if (t->slot[i].address)
			t->slot[n++] = t->slot[i];
	return sort_blocks(&t->slot, n);
}
