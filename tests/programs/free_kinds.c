/* One chunk in each place that free memory has, with a live neighbour on either side. */
#include "oracle.h"

#include <gnu/libc-version.h>

/* Chunks of one size that a thread's cache takes: 7, since glibc 2.42 16 (TCACHE_FILL_COUNT). */
enum { CACHED_MAX = 16 };

void *keep[400];
static unsigned kept;

/* A block to be freed, and one behind it that stays, so that no two free ones merge. */
static noinline_ void *fenced(size_t size)
{
	void *p = new_block(size);
	keep[kept++] = new_block(24);
	return p;
}

static noinline_ void give_back(void *p, const char *kind)
{
	uintptr_t at = (uintptr_t)p;
	size_t usable = malloc_usable_size(p);
	free(p);
	oracle_is_free(at, usable, kind);
}

/*
 * Order matters: a big request sorts the unsorted list and merges the fastbins, and any request may
 * take from the unsorted list. So first what needs requests, then the frees alone.
 */
static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	const size_t fast = 40, small = 600, large = 3000;
	void *cached_small[CACHED_MAX], *cached_fast[CACHED_MAX], *in_fastbin[3], *in_unsorted[2];
	int release = atoi(strchr(gnu_get_libc_version(), '.') + 1);
	const unsigned cached = release >= 42 ? 16 : 7;
	const unsigned fastbins = release >= 43 ? 0 : 3; /* 2.43 has none */

	keep[kept++] = new_block(24);
	for (unsigned i = 0; i < cached; i++) {
		cached_small[i] = fenced(small);
		cached_fast[i] = fenced(fast);
	}
	for (unsigned i = 0; i < fastbins; i++)
		in_fastbin[i] = fenced(fast);
	in_unsorted[0] = fenced(1500);
	in_unsorted[1] = fenced(2500);
	void *in_small = fenced(small), *in_large = fenced(large);

	/* an mmapped block that is given back leaves nothing behind; one that stays is live */
	void *big = malloc(1 << 20);
	keep[kept++] = malloc(3 << 20);
	free(big);

	for (unsigned i = 0; i < cached; i++)
		give_back(cached_small[i], "tcache");
	give_back(in_small, "small");
	give_back(in_large, "large");
	keep[kept++] = new_block(20000); /* sorts the two into their bins */

	/* what borders on top becomes top, and merges the fastbins while it is at it */
	free(new_block(5000));

	give_back(in_unsorted[0], "unsorted");
	give_back(in_unsorted[1], "unsorted");
	for (unsigned i = 0; i < cached; i++)
		give_back(cached_fast[i], "tcache");
	for (unsigned i = 0; i < fastbins; i++)
		give_back(in_fastbin[i], "fastbin");
}
