/*
 * heap/glibc: finds and walks glibc's malloc (ptmalloc with tcache, 2.26 to the newest) without
 * debug symbols. What is where is data: layout/glibc_malloc.h.
 *
 *	find.c     arenas: thread arenas by their heaps, the ring, main_arena by symbol or structure
 *	region.c   which memory holds chunks: heaps, the main heap, what mmap gave instead of sbrk,
 *	           and single mmapped chunks
 *	survey.c   first pass over the sizes: proves every chunk, finds damage, picks up the trail
 *	lists.c    fastbins and bins: what is parked there, with every link checked
 *	tcache.c   each thread's cache, and what is parked in it
 *	emit.c     second pass: live or free, in address order, against the sorted list of the
 *parked
 *
 *	arena ──> heap_info        heap_info               one thread arena with two heaps
 *	          malloc_state     chunk ... chunk fence
 *	          chunk ... top
 *
 * "Chunk" is the address of the header, as in glibc; "block" is what malloc returned, two words
 * later. Nothing here trusts a word of the dump: reads are bounded, sizes are checked before they
 * are followed, lists end at what they cannot name twice. Cost: one sequential look at each chunk's
 * header, one random look at each parked chunk; 4 bytes per chunk, 16 per parked chunk, while it
 *runs.
 */
#pragma once

#include "base/checked.h"
#include "base/vec.h"
#include "heap/heap.h"
#include "layout/glibc_malloc.h"

#include <inttypes.h>

struct glibc_arena {
	uint64_t address; /* malloc_state */
	const struct glibc_state_layout *layout;
	bool main;
	bool locked;   /* somebody held its lock: lists may be half changed */
	bool forgiven; /* one list was */
	uint64_t top;  /* chunk; 0: nothing allocated yet, or not to be trusted */
	uint64_t top_end;
	uint64_t last_remainder, system_mem;
	bool contiguous;
	uint32_t attached; /* threads */
	uint32_t row;	   /* its id in the snapshot */
};

/* One heap of a thread arena: a piece of address space of fixed alignment. */
struct glibc_heap {
	uint64_t start, size; /* size: in use, up to the top or the fence */
	uint64_t reserved;    /* of address space, from start */
	uint64_t first;	      /* its first chunk */
	uint32_t arena;
};

/* Memory that is cut into chunks, without a gap unless something is wrong. */
struct glibc_region {
	uint64_t extent; /* what the arena owns begins here: headers, alignment */
	uint64_t start;	 /* first chunk */
	uint64_t end;
	uint32_t arena;
};

/* A mapping of its own for one block. */
struct glibc_mapped {
	uint64_t start, end; /* of the mapping */
	uint64_t chunk, size;
	uint64_t usable;
};

enum glibc_piece_kind {
	PIECE_CHUNKS,  /* sound: every size leads to the next chunk */
	PIECE_FENCE,   /* headers that only mark an end */
	PIECE_DAMAGED, /* no sense could be made of it */
	PIECE_FOREIGN, /* inside the main heap's range, but somebody else took it from sbrk */
};

struct glibc_piece {
	uint64_t start, end;
	uint64_t first_note, notes; /* of its chunks, without a top */
	uint32_t region;
	uint8_t kind; /* enum glibc_piece_kind */
	bool open;    /* the last chunk's successor is not to be believed */
};

/*
 * What the first pass notes of each chunk, so that the second need not look at the dump again: its
 * size in units of GLIBC_ALIGNMENT, shifted left by one, and its PREV_INUSE. 0: too large to note.
 */
static inline uint32_t glibc_note(uint64_t head)
{
	uint64_t units = (head & ~(uint64_t)GLIBC_SIZE_BITS) / GLIBC_ALIGNMENT;
	return units > INT32_MAX ? 0 : (uint32_t)(units << 1 | (head & GLIBC_PREV_INUSE));
}

/* Past the kinds of free memory: a chunk that holds a thread's cache. */
enum { PARKED_TCACHE_ITSELF = FREE_KINDS };

struct glibc_parked {
	uint64_t chunk;
	uint32_t arena; /* that has it in a list; of a cache: UINT32_MAX */
	uint8_t kind;	/* enum free_kind, or PARKED_TCACHE_ITSELF */
};

/* A chunk that could be some thread's cache, by its size. */
struct glibc_tcache_candidate {
	uint64_t chunk, size;
	const struct glibc_tcache_layout *layout;
	bool first; /* in its region */
};

/* A moving view of the dump: sequential words without a search each. */
struct glibc_window {
	uint64_t start, end;
	const uint8_t *data;
	struct image_cursor cursor;
};

struct glibc {
	struct heap_context *ctx;
	const struct image *img;
	uint32_t w;		  /* bytes in a word */
	uint64_t header;	  /* two words: from a chunk to its block */
	uint64_t minsize;	  /* of a chunk */
	struct glibc_window list; /* random reads */
	uint64_t heap_info;	  /* size of struct heap_info; 0 not known (no thread arenas) */
	bool safe_linking;
	uint64_t steps; /* left for trying where the main arena's chunks begin */
	VEC(struct glibc_arena) arena;
	VEC(struct glibc_heap) heap;
	VEC(struct glibc_region) region;
	VEC(struct glibc_mapped) mapped;
	VEC(struct glibc_piece) piece;
	VEC(uint32_t) note;
	VEC(struct glibc_parked) parked;
	VEC(struct glibc_tcache_candidate) candidate;
};

/* ---- reading (glibc.c) ---- */

bool glibc_window_word_slow(const struct glibc *g, struct glibc_window *win, uint64_t addr,
			    uint64_t *ret);

/* A word through a window; false: not in the dump. */
static inline bool glibc_window_word(const struct glibc *g, struct glibc_window *win, uint64_t addr,
				     uint64_t *ret)
{
	if (addr < win->start || addr >= win->end || win->end - addr < g->w)
		return glibc_window_word_slow(g, win, addr, ret);
	*ret = image_word_at(g->img, win->data + (addr - win->start));
	return true;
}

static inline bool glibc_word(struct glibc *g, uint64_t addr, uint64_t *ret)
{
	return glibc_window_word(g, &g->list, addr, ret);
}

/* Does a block at this address look like one of malloc's: aligned? */
static inline bool glibc_chunk_aligned(const struct glibc *g, uint64_t chunk)
{
	return (chunk + g->header) % GLIBC_ALIGNMENT == 0;
}

/* The lowest address from which on a chunk may begin. */
static inline uint64_t glibc_chunk_align(const struct glibc *g, uint64_t addr)
{
	return align_down(addr + g->header + GLIBC_ALIGNMENT - 1, GLIBC_ALIGNMENT) - g->header;
}

static inline uint64_t glibc_chunk_size(uint64_t head)
{
	return head & ~(uint64_t)GLIBC_SIZE_BITS;
}

/* A size that a chunk in use or free can have (a fence has less). */
static inline bool glibc_size_ok(const struct glibc *g, uint64_t head)
{
	uint64_t size = glibc_chunk_size(head);
	return size >= g->minsize && size % GLIBC_ALIGNMENT == 0 && !(head & GLIBC_IS_MMAPPED);
}

/*
 * A header of two words that marks an end: smaller than any chunk. Its PREV_INUSE is clear when the
 * old top before it became a free chunk.
 */
static inline bool glibc_is_fence(const struct glibc *g, uint64_t head)
{
	return glibc_chunk_size(head) == g->header && !(head & GLIBC_IS_MMAPPED);
}

/* ---- steps, in order ---- */

struct error *glibc_find_arenas(struct glibc *g) _must_check_;
struct error *glibc_find_regions(struct glibc *g) _must_check_;
/* Needs sorted regions; index, or UINT32_MAX. */
uint32_t glibc_region_find(const struct glibc *g, uint64_t addr);
/* The mmapped chunk at this very address; NULL: none. */
const struct glibc_mapped *glibc_mapped_at(const struct glibc *g, uint64_t chunk);
struct error *glibc_read_bins(struct glibc *g) _must_check_;
struct error *glibc_survey(struct glibc *g) _must_check_;
struct error *glibc_read_tcaches(struct glibc *g) _must_check_;
struct error *glibc_sort_parked(struct glibc *g, bool report) _must_check_;
struct error *glibc_emit(struct glibc *g) _must_check_;

/* ---- pieces that several need ---- */

/* Follows one singly linked list of blocks (tcache: links to blocks; fastbin: to chunks). */
struct glibc_chain {
	uint64_t head;		      /* as stored: a plain address, 0 none */
	uint64_t link_offset;	      /* links name chunk + this */
	uint64_t size_low, size_high; /* of the chunks that belong there */
	uint64_t max;		      /* no list of this kind is longer */
	uint32_t arena;		      /* UINT32_MAX: chunks of any */
	enum free_kind kind;
	const char *what; /* "tcache list", "fastbin" */
	uint64_t owner;	  /* arena or cache: for messages */
};
/* *length counts what was parked. A broken link is damage, unless *forgiven is there to be set. */
struct error *glibc_follow_chain(struct glibc *g, const struct glibc_chain *c,
				 uint64_t *length) _must_check_;
uint64_t glibc_reveal(const struct glibc *g, uint64_t link, uint64_t stored);
/* Decides safe_linking from one link, if it tells: -1 without, 1 with, 0 either. */
int glibc_link_vote(struct glibc *g, uint64_t link, uint64_t link_offset);
/*
 * A list or a header of this arena is broken: true when its lock was held and this is the first, so
 * that a thread was about to change it.
 */
bool glibc_forgive(struct glibc *g, uint32_t arena, const char *what, uint64_t addr);
/* Could chunks chain from here? Reads at most `steps` headers. */
bool glibc_chains_on(struct glibc *g, uint64_t chunk, uint64_t end, uint64_t top, bool main,
		     unsigned steps);
/* How many of the 127 list heads at `bins` are sound. */
unsigned glibc_bins_score(struct glibc *g, uint64_t bins);
