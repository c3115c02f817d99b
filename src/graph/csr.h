/*
 * csr: a directed graph in compressed rows. What the algorithms of this folder read.
 *
 * Vertices are ids: 1 to n, as objects are; 0 is no vertex, or the virtual root. The row of vertex
 * v is dst[first[v - 1] .. first[v]). Edges are named by their place in dst. `skip` leaves edges
 * out: those whose bit is set do not count.
 *
 *	first   0    2    3         6            n + 1 entries of 64 bits
 *	dst     | 2 3 | 1 | 1 2 3 |              32 bits an edge
 *	vertex  1     2   3
 *
 * Nothing here is owned: a csr is a view of the caller's arrays.
 *
 * Memory of this folder: each header tells its bytes per vertex. The arrays are large and looked at
 * in no order, so that nearly every look is a cache miss; the algorithms hide that by prefetching
 * along queues and stacks, and csr_alloc asks for huge pages.
 */
#pragma once

#include "base/bits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most vertices a graph may have: the algorithms keep a flag beside an id. */
#define CSR_VERTICES_MAX (UINT32_C(0x7ffffffe))

struct csr {
	uint32_t n;
	const uint64_t *first;
	const uint32_t *dst;
	const struct bits *skip; /* by edge; NULL: every edge counts */
};

static inline bool csr_counts(const struct csr *g, uint64_t edge)
{
	return !g->skip || !bits_test(g->skip, edge);
}

/* Starts to load a vertex' place in `first`, then (once that is here) the first of its edges. */
static inline void csr_prefetch_row(const struct csr *g, uint32_t v)
{
	__builtin_prefetch(&g->first[v - 1]);
}

static inline void csr_prefetch_edges(const struct csr *g, uint32_t v)
{
	__builtin_prefetch(&g->dst[g->first[v - 1]]);
}

/*
 * n elements of `size` bytes, not zeroed; for free(). NULL: out of memory, or n * size overflows.
 * Never NULL for n = 0.
 */
void *csr_alloc(uint64_t n, size_t size);
/* The same, zeroed. */
void *csr_zalloc(uint64_t n, size_t size);
