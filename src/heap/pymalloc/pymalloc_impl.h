/*
 * heap/pymalloc: finds and walks CPython's small-object allocator without symbols.
 *
 *	find.c     states: an array of arena_objects each, and the arenas that it names
 *	orphan.c   pools that no such array explains: other interpreters' states, damaged arrays
 *	pools.c    one pool: its header, which of its blocks are free, which were never used
 *	emit.c     arenas in address order: rows, extents, blocks, free blocks
 *
 *	statics, or        array of arena_object          arena
 *	_obmalloc_state    +--------------------+         +------+------+------+------+ -  -+
 *	  arenas --------> | address            | ------> | pool | pool | full | free | never|
 *	  usedpools        | pool_address       | ---.    +------+------+------+------+ -  -+
 *	   |     ^         | nfree, ntotalpools |    '---------------------------------^
 *	   v     |         +--------------------+            header: count, free list, links,
 *	  pool - pool      | ...                |            arenaindex, szidx, nextoffset
 *
 * The proof is mutual: an arena_object names an arena, whose pools' headers name the arena_object
 *by its index. So any word that points to any element of an array gives the array away, and where
 *the words lie does not matter: 2.7's statics and 3.13's obmalloc_state_main look the same.
 *
 * Without an array (a wild write, a state in an interpreter that nothing in a module's data leads
 * to) pools are recognised at multiples of the pool size: szidx, nextoffset and maxnextoffset of a
 * header depend on each other, which no other memory does by chance.
 *
 * An arena may lie in a block of another allocator (2.7 without mmap): sealing makes that block a
 * container. Full pools are in no list, so pools are walked by address, never by links. Cost: one
 * look at each header and each free block.
 */
#pragma once

#include "base/checked.h"
#include "base/vec.h"
#include "heap/heap.h"
#include "layout/pymalloc.h"

#include <inttypes.h>

/* One array of arenas: one interpreter, or all of them before 3.12. */
struct pymalloc_state {
	uint64_t array; /* address of element 0; 0: arenas known by their pools alone */
	uint32_t elements;
	const struct pymalloc_geometry *geo;
	uint64_t usedpools; /* 0 not found */
	uint32_t row;	    /* arena row, where all its arenas share one */
	bool forgiven;	    /* one count was off by one: a thread was inside the allocator */
};

struct pymalloc_arena {
	uint64_t address, end;
	uint64_t first, carved; /* pools that ever were: [first, carved) */
	uint64_t last;		/* end of the last pool */
	uint32_t index;		/* in its state's array; UINT32_MAX unknown */
	uint32_t state;
	uint32_t row;
	/* by the walk */
	uint32_t pools, used, empty;
};

/* An element of an array that makes no sense: its pools may still be there. */
struct pymalloc_broken {
	uint32_t state, index;
};

/* A pool that no array explains. */
struct pymalloc_orphan {
	uint64_t address;
	uint32_t index;
	uint8_t geometry;
};

struct pymalloc_pool {
	uint64_t address;
	uint64_t freeblock, nextpool, prevpool;
	uint32_t count, arenaindex, szidx, nextoffset, maxnextoffset;
	uint32_t size;	 /* of its blocks */
	uint32_t blocks; /* that fit */
	uint32_t carved; /* that were ever handed out, or are in the free list */
};

struct pymalloc {
	struct heap_context *ctx;
	const struct image *img;
	const struct pymalloc_layout *layout;
	uint32_t w;
	struct image_cursor data, array, pool; /* three walks, each near its last read */
	VEC(struct pymalloc_state) state;
	VEC(struct pymalloc_arena) arena; /* in address order after pymalloc_sort_arenas */
	VEC(struct pymalloc_broken) broken;
	VEC(struct pymalloc_orphan) orphan;
	/* sums of the walk */
	uint64_t pools, pools_used, pools_empty, blocks_used, blocks_free;
	uint64_t pools_missing; /* not in the dump */
	uint64_t sampled,
		padded; /* live blocks looked at for, and with, a debug allocator's pads */
};

/* ---- pools.c ---- */

enum pymalloc_header {
	HEADER_MISSING, /* not in the dump */
	HEADER_BROKEN,
	HEADER_SOUND,
};

/* Reads and proves the header of the pool at `address`. */
enum pymalloc_header pymalloc_pool_read(struct pymalloc *py, const struct pymalloc_geometry *geo,
					uint64_t address, struct pymalloc_pool *ret);

/* Bit i: block i is in the pool's free list. */
struct pymalloc_free_map {
	uint64_t word[PYMALLOC_POOL_MOST / 8 / 64];
	uint32_t n;   /* bits that are set */
	uint64_t bad; /* a link that leads nowhere sensible; 0 none */
};
void pymalloc_pool_free_map(struct pymalloc *py, const struct pymalloc_geometry *geo,
			    const struct pymalloc_pool *pool, struct pymalloc_free_map *ret);

/* Does a debug allocator's pad precede the data in this block of `size` bytes? */
bool pymalloc_block_padded(struct pymalloc *py, uint64_t block, uint32_t size);

/* Header of a pool, rounded up: where its first block begins. */
static inline uint32_t pymalloc_overhead(const struct pymalloc *py,
					 const struct pymalloc_geometry *geo)
{
	return (py->layout->pool.size + geo->alignment - 1) & ~(geo->alignment - 1);
}

/* ---- find.c ---- */

/* States that a word in a module's data leads to. */
struct error *pymalloc_find_states(struct pymalloc *py) _must_check_;
/*
 * The state that has this array, added with all its arenas where it is new. *ret is UINT32_MAX when
 * there are more than any process has.
 */
struct error *pymalloc_add_state(struct pymalloc *py, uint64_t array,
				 const struct pymalloc_geometry *geo, uint32_t *ret) _must_check_;
/*
 * Is this an arena_object in use, that its pools confirm? Unconfirmed, but possible, when none of
 * its pools was carved or is in the dump: *sure says. ret->index is what its pools say.
 */
bool pymalloc_arena_object(struct pymalloc *py, const struct pymalloc_geometry *geo, uint64_t at,
			   struct pymalloc_arena *ret, bool *sure);
/* The head of this pool's list in usedpools, as the address of the array; 0: it is in none. */
uint64_t pymalloc_find_usedpools(struct pymalloc *py, const struct pymalloc_geometry *geo,
				 const struct pymalloc_pool *pool, uint64_t *steps);
static inline uint32_t pymalloc_classes(const struct pymalloc_geometry *geo)
{
	return PYMALLOC_SMALL_MOST / geo->alignment;
}
/* Sorts by address; drops what overlaps (damage). */
void pymalloc_sort_arenas(struct pymalloc *py);
/* Needs sorted arenas; NULL: none. */
const struct pymalloc_arena *pymalloc_arena_at(const struct pymalloc *py, uint64_t addr);

/* ---- orphan.c ---- */

struct error *pymalloc_find_orphans(struct pymalloc *py) _must_check_;

/* ---- emit.c ---- */

struct error *pymalloc_emit(struct pymalloc *py) _must_check_;
