/*
 * huge: arrays of many megabytes that are looked at in no order.
 *
 * Such a look misses the cache and, with pages of 4 KiB, the processor's table of pages, too, which
 * costs nearly as much again. These come on huge pages where the system has some; small ones come
 * from malloc. All are for free(). NULL: out of memory, or n * size overflows; never for n = 0.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* n elements of `size` bytes, not zeroed. */
void *huge_alloc(uint64_t n, size_t size);
/*
 * The same, zeroed. Parts that are never looked at take no memory, as with calloc, but in steps of
 * a huge page.
 */
void *huge_zalloc(uint64_t n, size_t size);
