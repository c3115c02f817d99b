#include "base/huge.h"

#include "base/checked.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	HUGE_PAGE = 2 << 20,
	/* malloc takes what is as large as this from the system (mallopt(3), M_MMAP_THRESHOLD). */
	HUGE_FRESH = 32 << 20,
};

static void huge_advise(void *p, size_t bytes)
{
	uintptr_t start, end = align_down((uintptr_t)p + bytes, HUGE_PAGE);
	/* The partial pages at both ends stay small: no memory is used that was not asked for. */
	if (checked_align_up((uintptr_t)p, HUGE_PAGE, &start) && start < end)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
}

void *huge_alloc(uint64_t n, size_t size)
{
	uint64_t bytes;
	if (!checked_mul(n ? n : 1, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	if (bytes < 2 * HUGE_PAGE)
		return malloc(bytes);
	void *p = NULL;
	if (posix_memalign(&p, HUGE_PAGE, bytes))
		return NULL;
	huge_advise(p, bytes);
	return p;
}

void *huge_zalloc(uint64_t n, size_t size)
{
	uint64_t bytes;
	if (!checked_mul(n ? n : 1, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	void *p;
	if (bytes > HUGE_FRESH) {
		/* Fresh from the system it is zeroes already. */
		p = calloc(1, bytes);
		if (p)
			huge_advise(p, bytes);
		return p;
	}
	p = huge_alloc(n, size);
	if (p)
		memset(p, 0, bytes);
	return p;
}
