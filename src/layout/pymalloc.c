#include "layout/pymalloc.h"

#include <stddef.h>

#define COUNT(a) (unsigned)(sizeof(a) / sizeof((a)[0]))

static const struct pymalloc_layout pymalloc_layout[] = {
	{
		.word_size = 8,
		.pool =
			{
				.count = 0,
				.freeblock = 8,
				.nextpool = 16,
				.prevpool = 24,
				.arenaindex = 32,
				.szidx = 36,
				.nextoffset = 40,
				.maxnextoffset = 44,
				.size = 48,
			},
		.arena =
			{
				.address = 0,
				.pool_address = 8,
				.nfreepools = 16,
				.ntotalpools = 20,
				.freepools = 24,
				.nextarena = 32,
				.prevarena = 40,
				.size = 48,
			},
	},
	{
		.word_size = 4,
		.pool =
			{
				.count = 0,
				.freeblock = 4,
				.nextpool = 8,
				.prevpool = 12,
				.arenaindex = 16,
				.szidx = 20,
				.nextoffset = 24,
				.maxnextoffset = 28,
				.size = 32,
			},
		.arena =
			{
				.address = 0,
				.pool_address = 4,
				.nfreepools = 8,
				.ntotalpools = 12,
				.freepools = 16,
				.nextarena = 20,
				.prevarena = 24,
				.size = 28,
			},
	},
};

const struct pymalloc_layout *pymalloc_layout_find(uint32_t word_size)
{
	for (unsigned i = 0; i < COUNT(pymalloc_layout); i++)
		if (pymalloc_layout[i].word_size == word_size)
			return &pymalloc_layout[i];
	return NULL;
}

/* ARENA_BITS or ARENA_SIZE, POOL_BITS or POOL_SIZE, ALIGNMENT of the same files. */
const struct pymalloc_geometry pymalloc_geometry[] = {
	{
		.since = "3.10", /* radix tree: address_in_range() needs no page-sized pools */
		.word_size = 8,
		.arena_size = 1 << 20,
		.pool_size = 16 << 10,
		.alignment = 16,
	},
	{
		.since = "3.8", /* bpo-27987: aligned for long double; late 2.7, 3.6, 3.7 too */
		.word_size = 8,
		.arena_size = 256 << 10,
		.pool_size = 4 << 10,
		.alignment = 16,
	},
	{
		.since = "2.5",
		.word_size = 8,
		.arena_size = 256 << 10,
		.pool_size = 4 << 10,
		.alignment = 8,
	},
	{
		.since = "3.10", /* built with WITH_PYMALLOC_RADIX_TREE=0 */
		.word_size = 8,
		.arena_size = 1 << 20,
		.pool_size = 4 << 10,
		.alignment = 16,
	},
	{
		.since = "3.15", /* configure --with-pymalloc-hugepages: PYMALLOC_USE_HUGEPAGES */
		.word_size = 8,
		.arena_size = 2 << 20,
		.pool_size = 16 << 10,
		.alignment = 16,
	},
	{
		.since = "2.5",
		.word_size = 4,
		.arena_size = 256 << 10,
		.pool_size = 4 << 10,
		.alignment = 8,
	},
};
const unsigned pymalloc_geometries = COUNT(pymalloc_geometry);

/* Objects/obmalloc.c, _PyMem_DebugRawAlloc; FORBIDDENBYTE is 0xfd since 3.8, 0xfb before. */
bool pymalloc_is_padded(const uint8_t *p, uint32_t word_size, uint64_t size)
{
	uint64_t wanted = 0;
	if (size < 3 * word_size)
		return false;
	for (uint32_t i = 0; i < word_size; i++)
		wanted = wanted << 8 | p[i];
	p += word_size;
	if (wanted > size - 3 * word_size || (p[0] != 'o' && p[0] != 'm' && p[0] != 'r'))
		return false;
	for (uint32_t i = 1; i < word_size; i++)
		if (p[i] != 0xfd && p[i] != 0xfb)
			return false;
	return true;
}
