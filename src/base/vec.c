#include "base/vec.h"

#include "base/checked.h"

struct error *vec_reserve_(void **at, uint64_t *room, uint64_t want, uint64_t max, size_t size)
{
	if (want <= *room)
		return NULL;
	if (!max)
		max = UINT32_MAX;
	if (want > max)
		return error_new(ERROR_INPUT, "more than %llu entries in a table",
				 (unsigned long long)max);
	uint64_t n = *room < 8 ? 8 : *room * 2;
	if (n < want)
		n = want;
	if (n > max)
		n = max;
	uint64_t bytes;
	if (!checked_mul(n, size, &bytes) || bytes > SIZE_MAX)
		return &error_nomem;
	void *p = realloc(*at, bytes);
	if (!p)
		return &error_nomem;
	*at = p;
	*room = n;
	return NULL;
}

void vec_trim_(void **at, uint64_t n, uint64_t *room, size_t size)
{
	if (n == *room || !n)
		return;
	void *p = realloc(*at, n * size);
	if (p) {
		*at = p;
		*room = n;
	}
}
