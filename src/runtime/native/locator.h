/*
 * locator: which block does a word point to? The hot loops' version of snapshot_object_find.
 *
 * The snapshot's own lookup is for occasional questions. Scanning asks it a few hundred million
 * times, and most answers are "none": so this one is built for saying no at once, and for
 * overlapping the cache misses of many lookups. It lives only as long as the references phase.
 *
 *	word & mask, in [lo, hi)?  -> directory of big cells -> one cell's table of pages
 *	                              0: none                   0: none
 *	                              n: table number           LOCATOR_FREE: only free blocks
 *	                                                        i + 1: first block on the page
 *
 * A page's entry names the first block that has a byte on it, so a lookup goes forward from there,
 * over as many blocks as begin on one page (about four of average size).
 *
 * Tag bits. A user address has at most 47 bits (x86-64), 48 (aarch64), 56 with five levels of page
 * tables: `mask` keeps as many as the highest block needs, at least 48. A word with other bits
 * above is no address to the processor, but programs hide tags there (NaN boxing, top byte ignore,
 * LAM, version counts of lock-free lists). It counts as TAGGED when the rest is the first byte of a
 * block, or anywhere in one when the tag is confined to the top byte. Mistakes to expect: of n
 * random words and b blocks, n * b / 2^48.
 * Low tag bits make the word point into the first word of the block, at no multiple of 4: TAGGED
 * too, rather than INTERIOR. (A pointer to byte 1 of a string is then called TAGGED, and a tag of 4
 * INTERIOR, being more often the next int of an array. All are "possible".)
 *
 * One past the end. The end of a block's usable bytes belongs to nobody in glibc (it is the next
 * chunk's size field), so an end iterator is no reference; with an allocator that has no headers
 * the same word is the next block's START, which cannot be told apart from a real one.
 */
#pragma once

#include "base/error.h"
#include "snapshot/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	LOCATOR_NONE = 0,
	LOCATOR_HIGH_MAX = 4,
};
#define LOCATOR_FREE UINT32_MAX

struct locator {
	const struct snapshot *snapshot;
	const uint64_t *address, *size; /* of the blocks */
	const uint64_t *start;		/* of the objects in them: START, too */
	uint32_t n;
	uint32_t word_size;
	uint64_t mask;
	uint64_t lo, span; /* of live and free blocks: addresses lo .. lo + span - 1 */
	unsigned cell_shift, page_shift;
	uint32_t *cell; /* table number + 1, or 0 */
	uint32_t *
		entry; /* tables one after the other, 1 << (cell_shift - page_shift) entries each */
	uint64_t cells, entries;
	/*
	 * For words at odd addresses: what bits 40 to 63 of an address of a block can be. More than
	 * LOCATOR_HIGH_MAX: nhigh is 0, and each place is looked at.
	 */
	uint32_t high[LOCATOR_HIGH_MAX]; /* address >> 40 << 8 */
	unsigned nhigh;
	/* Blocks below 2^40 have high == 0, like every small number: they get a range of their own.
	 */
	uint64_t low_lo, low_span; /* span 0: no block there */
};

/* What came of a word. The words scanned are the sum of the first six. */
enum word_outcome {
	WORD_NONE,
	WORD_START,
	WORD_INTERIOR,
	WORD_TAGGED,
	WORD_FREE,	 /* points into a free block: dangling, or stale */
	WORD_OPAQUE,	 /* not looked at */
	WORD_MISALIGNED, /* not a word of its own: a hit between two */
	WORD_OUTCOMES,
};

/* Counts of one slice; added up in the end. */
struct word_books {
	uint64_t scanned; /* aligned words */
	uint64_t outcome[WORD_OUTCOMES];
};

void word_books_add(struct word_books *to, const struct word_books *from);

struct error *locator_init(struct locator *l, const struct snapshot *s,
			   uint32_t word_size) _must_check_;
void locator_deinit(struct locator *l);

/* Is it worth asking? The test for a loop. */
static inline bool locator_in_range(const struct locator *l, uint64_t word)
{
	return (word & l->mask) - l->lo < l->span;
}

/* Where the page's entry is; NULL: no block near. The word is in range. */
static inline const uint32_t *locator_entry(const struct locator *l, uint64_t word)
{
	uint64_t off = (word & l->mask) - l->lo;
	uint32_t table = l->cell[off >> l->cell_shift];
	if (!table)
		return NULL;
	uint64_t page = (off & ((UINT64_C(1) << l->cell_shift) - 1)) >> l->page_shift;
	return &l->entry[((uint64_t)(table - 1) << (l->cell_shift - l->page_shift)) + page];
}

/* From the page's entry to the object's id; 0 none. *ret is how it points, for an aligned word. */
uint32_t locator_resolve(const struct locator *l, uint64_t word, uint32_t entry,
			 enum word_outcome *ret);

/*
 * For a word found at an odd address: WORD_MISALIGNED, or WORD_NONE. No tags there. Where addresses
 * look like everyday numbers (32-bit processes, blocks below 2^40) only the first byte of a block
 * counts.
 */
uint32_t locator_resolve_odd(const struct locator *l, uint64_t word, uint32_t entry,
			     enum word_outcome *ret);

/* All steps at once. */
uint32_t locator_find(const struct locator *l, uint64_t word, bool aligned, enum word_outcome *ret);

static inline enum edge_how word_how(enum word_outcome o)
{
	return o == WORD_START	    ? EDGE_START
	       : o == WORD_INTERIOR ? EDGE_INTERIOR
	       : o == WORD_TAGGED   ? EDGE_TAGGED
				    : EDGE_MISALIGNED;
}
