/*
 * layout/glibc_malloc: where glibc's malloc keeps its fields, by release. Data, not code.
 *
 * One row per change and word size, from the oldest release to the newest; `since` is the first
 * release that has it. Three structures changed at different times and are chosen apart, by what
 * agrees with the dump (see heap/glibc): nobody needs to know the version.
 *
 * Offsets and sizes are bytes. To add a release: a row at the end of its table with file, release
 * and what changed; nothing else knows about it.
 *
 * The same in all of them (malloc/malloc.c, struct malloc_chunk): prev_size, size | flags, fd, bk,
 * fd_nextsize, bk_nextsize, a word each; a chunk's block begins after two words. 127 bins in use of
 * two words each; bins, last_remainder and top lie together.
 */
#pragma once

#include <stdint.h>

enum {
	GLIBC_PREV_INUSE = 1, /* malloc/malloc.c: flags in the low bits of a chunk's size */
	GLIBC_IS_MMAPPED = 2,
	GLIBC_NON_MAIN_ARENA = 4,
	GLIBC_SIZE_BITS = 7,
	GLIBC_ALIGNMENT =
		16, /* MALLOC_ALIGNMENT; i386 too since 2.26 (sysdeps/i386/malloc-alignment.h) */
	GLIBC_NBINS = 128, /* bin 0 does not exist; 1 is the unsorted one, 2 to 63 small */
	GLIBC_BINS = 127,  /* list heads in malloc_state.bins, with the last, which is never used */
	GLIBC_NSMALLBINS = 64,
	GLIBC_NONCONTIGUOUS = 2, /* malloc_state.flags */
	GLIBC_MMAP_HP = 1,	 /* 2.43: flag in a mmapped chunk's prev_size */
	GLIBC_CHUNK_WORDS = 6,	 /* sizeof(struct malloc_chunk) in words: what mtrim() keeps */
	GLIBC_MIN_WORDS = 4,	 /* MINSIZE in words: what systrim() keeps of the top */
};

/* malloc/malloc.c, struct malloc_state. */
struct glibc_state_layout {
	const char *since;
	uint32_t word_size;
	uint32_t mutex, flags; /* int each */
	uint32_t fastbins, nfastbins;
	uint32_t top, last_remainder, bins, next, attached_threads, system_mem;
	uint32_t size;
};

/* malloc/arena.c, struct _heap_info: ar_ptr, prev, size, mprotect_size, a word each; then padding.
 */
struct glibc_heap_layout {
	const char *since;
	uint32_t word_size;
	uint32_t size;
};

enum glibc_tcache_counts {
	GLIBC_TCACHE_TAKEN, /* how many chunks a list has */
	GLIBC_TCACHE_ROOM,  /* how many more it would take */
};

/* malloc/malloc.c, struct tcache_perthread_struct: counts, then the heads of lists. */
struct glibc_tcache_layout {
	const char *since;
	uint32_t word_size;
	uint32_t bins, small_bins; /* the rest: powers of two above the small ones */
	uint32_t count_size;
	enum glibc_tcache_counts counts;
	uint32_t entries;
	uint32_t chunk_size; /* of the chunk that holds the structure */
};

extern const struct glibc_state_layout glibc_state_layout[];
extern const unsigned glibc_state_layouts;
extern const struct glibc_heap_layout glibc_heap_layout[];
extern const unsigned glibc_heap_layouts;
extern const struct glibc_tcache_layout glibc_tcache_layout[];
extern const unsigned glibc_tcache_layouts;
