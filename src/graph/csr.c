#include "graph/csr.h"

#include "base/checked.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

void *csr_alloc(uint64_t n, size_t size)
{
	uint64_t bytes;
	if (!checked_mul(n ? n : 1, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	if (bytes < 2 * HUGE_PAGE)
		return malloc(bytes);
	void *p = NULL;
	if (posix_memalign(&p, HUGE_PAGE, bytes))
		return NULL;
	/* Advice only. The last, partial page stays small: no memory is used that was not asked
	 * for. */
	madvise(p, align_down(bytes, HUGE_PAGE), MADV_HUGEPAGE);
	return p;
}

void *csr_zalloc(uint64_t n, size_t size)
{
	void *p = csr_alloc(n, size);
	if (p)
		memset(p, 0, (n ? n : 1) * size);
	return p;
}
