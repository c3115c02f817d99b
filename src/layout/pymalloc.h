/*
 * layout/pymalloc: where CPython's small-object allocator keeps its fields, and how it cuts memory.
 * Data, not code.
 *
 *	arena array   array of arena_object, malloc'ed, grown by doubling from 16; never shrinks
 *	arena         malloc'ed or mmapped; its pools begin at the first multiple of the pool size
 *	pool          a header, then blocks of one size class: (szidx + 1) * alignment bytes
 *
 * The two structures have not changed from 2.7 to 3.15, only who holds the array: statics up to
 * 3.11, struct _obmalloc_state of each interpreter since 3.12. What changed is the geometry: one
 * row per combination that a release (or a build option) has. heap/pymalloc chooses a row by what
 * agrees with the pools' headers; nobody needs to know the version.
 *
 * Offsets and sizes are bytes. To add a geometry: a row in pymalloc.c with its source.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Objects/obmalloc.c (2.7 to 3.11), Include/internal/pycore_obmalloc.h (3.12 on). */
struct pymalloc_layout {
	uint32_t word_size;
	/* struct pool_header: two words, two links, four unsigned ints */
	struct {
		uint32_t count; /* uint ref.count: blocks in use */
		uint32_t freeblock;
		uint32_t nextpool, prevpool;
		uint32_t arenaindex, szidx, nextoffset, maxnextoffset; /* uint */
		uint32_t size;
	} pool;
	/* struct arena_object */
	struct {
		uint32_t address; /* uintptr_t; 0: not in use */
		uint32_t pool_address;
		uint32_t nfreepools, ntotalpools; /* uint */
		uint32_t freepools, nextarena, prevarena;
		uint32_t size;
	} arena;
};

struct pymalloc_geometry {
	const char *since;
	uint32_t word_size;
	uint32_t arena_size, pool_size;
	uint32_t alignment;
};

enum {
	PYMALLOC_SMALL_MOST = 512,     /* SMALL_REQUEST_THRESHOLD */
	PYMALLOC_ARENAS_FIRST = 16,    /* INITIAL_ARENA_OBJECTS: the array's first length */
	PYMALLOC_POOL_MOST = 16 << 10, /* biggest pool of all rows */
};

/* By word size; NULL: not known. */
const struct pymalloc_layout *pymalloc_layout_find(uint32_t word_size);

/*
 * With debug hooks (PYTHONMALLOC=debug, malloc_debug; -X dev; --with-pydebug) every block that
 * Python's allocators hand out, pymalloc's and malloc's, has two words before the program's bytes:
 *
 *	size wanted, big-endian | letter of the API: r, m, o | FORBIDDENBYTE ... | the bytes | pad
 *
 * Are these two words, the first ones of a block of `size` bytes, of that kind? No memory is by
 * chance; what was freed is overwritten.
 */
bool pymalloc_is_padded(const uint8_t *p, uint32_t word_size, uint64_t size);
static inline uint32_t pymalloc_pad(uint32_t word_size)
{
	return 2 * word_size;
}

extern const struct pymalloc_geometry pymalloc_geometry[];
extern const unsigned pymalloc_geometries;
