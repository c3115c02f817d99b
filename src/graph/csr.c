#include "graph/csr.h"

#include "base/huge.h"

void *csr_alloc(uint64_t n, size_t size)
{
	return huge_alloc(n, size);
}

void *csr_zalloc(uint64_t n, size_t size)
{
	return huge_zalloc(n, size);
}
