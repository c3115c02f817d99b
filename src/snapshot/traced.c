/* traced: the object table of a trace, whose blocks have no bytes and maybe no address. */
#include "snapshot/snapshot.h"

#include "base/cleanup.h"
#include "base/huge.h"

#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS };

/* One pass of a radix sort by the digit at `shift`; stable. False: all have the same one. */
static bool traced_pass(const struct traced_block *from, struct traced_block *to, uint32_t n,
			unsigned shift, uint32_t *count)
{
	memset(count, 0, DIGITS * sizeof(*count));
	for (uint32_t i = 0; i < n; i++)
		count[from[i].address >> shift & (DIGITS - 1)]++;
	if (count[from[0].address >> shift & (DIGITS - 1)] == n)
		return false;
	for (uint32_t k = 0, sum = 0; k < DIGITS; k++) {
		uint32_t here = count[k];
		count[k] = sum;
		sum += here;
	}
	for (uint32_t i = 0; i < n; i++)
		to[count[from[i].address >> shift & (DIGITS - 1)]++] = from[i];
	return true;
}

static bool traced_sorted(const struct traced_block *b, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (b[i - 1].address > b[i].address)
			return false;
	return true;
}

static struct error *traced_sort(struct traced_block *block, uint32_t n)
{
	if (traced_sorted(block, n))
		return NULL;
	_cleanup_free_ struct traced_block *other = huge_alloc(n, sizeof(*other));
	_cleanup_free_ uint32_t *count = malloc(DIGITS * sizeof(*count));
	struct traced_block *from = block, *to = other;
	if (!other || !count)
		return &error_nomem;
	for (unsigned shift = 0; shift < 64; shift += DIGIT_BITS) {
		if (!traced_pass(from, to, n, shift, count))
			continue;
		struct traced_block *swap = from;
		from = to;
		to = swap;
	}
	if (from != block)
		memcpy(block, from, n * sizeof(*block));
	return NULL;
}

struct error *snapshot_seal_traced(struct snapshot *s, struct traced_block *block, uint32_t n)
{
	struct object_table *o = &s->object;
	struct error *err = traced_sort(block, n);
	if (err)
		return err;
	o->n = n;
	o->address = huge_alloc(n, sizeof(*o->address));
	o->size = huge_alloc(n, sizeof(*o->size));
	o->site_id = huge_alloc(n, sizeof(*o->site_id));
	if (!o->address || !o->size || !o->site_id)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++) {
		o->address[i] = block[i].address;
		o->size[i] = block[i].size;
		o->site_id[i] = block[i].site_id;
	}
	return NULL;
}
