/* build: args=1 */
/*
 * whatif_cache SEED: a cache behind one global, its blocks among others that stay. A forked child,
 * whose heap is the same to the byte, trims, frees the cache, trims again, and counts the pages that
 * the system took for that. The threads' caches are off: what they keep back is not foreseen.
 */
#include "oracle.h"

#include <sys/wait.h>

enum { ENTRIES = 1500, PAGE = 4096, BIG = 300000, RESIDENT = (64 << 20) / PAGE };

struct entry {
	struct entry *next;
	char *payload;
	char *label; /* of some: shared with `labels` */
};

struct cache {
	struct entry *entry[ENTRIES];
	char *big;
};

struct cache *cache;
void *stays[ENTRIES];
char *labels[ENTRIES];
static uint64_t state;
void *first_block;
static uintptr_t lowest;
static unsigned char resident[RESIDENT];

static uint64_t next(void) /* splitmix64 */
{
	uint64_t z = (state += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static noinline_ void *make(size_t n)
{
	void *p = malloc(n);
	memset(p, 0, malloc_usable_size(p));
	return p;
}

static noinline_ size_t some_size(void)
{
	uint64_t r = next();
	return r % 16 == 0 ? r >> 32 & 0x7fff : r % 4 == 0 ? r >> 32 & 0xfff : r >> 32 & 0x1ff;
}

static noinline_ void fill(void)
{
	cache = make(sizeof(*cache));
	unsigned keep = 0;
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct entry *e = cache->entry[i] = make(sizeof(*e));
		e->next = i ? cache->entry[i - 1] : NULL;
		e->payload = make(some_size());
		if (next() % 8 == 0)
			e->label = make(some_size());
		if (e->label && next() % 2)
			labels[i] = e->label;
		if (!keep && next() % 4 == 0)
			keep = 1 + (unsigned)(next() % 20);
		if (keep && keep--)
			stays[i] = make(some_size());
	}
	cache->big = make(BIG);
	for (unsigned i = 0; i < ENTRIES; i += 3) {
		free(stays[i]);
		stays[i] = NULL;
	}
}

static uint64_t resident_bytes(void)
{
	size_t n = ((uintptr_t)sbrk(0) - lowest) / PAGE;
	uint64_t pages = 0;
	if (n > RESIDENT || mincore((void *)lowest, n * PAGE, resident))
		_exit(3);
	for (size_t i = 0; i < n; i++)
		pages += resident[i] & 1;
	return pages * PAGE;
}

static noinline_ void gone(void *p, bool really)
{
	if (!p)
		return;
	if (really)
		__libc_free(p);
	else
		oracle_put(ORACLE_GONE, 0, (uintptr_t)p, 0, NULL);
}

/* All that goes with the cache. */
static noinline_ void drop(bool really)
{
	for (unsigned i = 0; i < ENTRIES; i++) {
		struct entry *e = cache->entry[i];
		gone(e->payload, really);
		if (!labels[i])
			gone(e->label, really);
		gone(e, really);
	}
	gone(cache->big, really);
	gone(cache, really);
}

static noinline_ uint64_t child(void)
{
	uint64_t mapped = (malloc_usable_size(cache->big) + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	malloc_trim(0);
	uint64_t before = resident_bytes();
	drop(true);
	malloc_trim(0);
	return before - resident_bytes() + mapped;
}

static void situation(int argc, char **argv)
{
	oracle_without_tcache(argv);
	state = (uint64_t)atoi(argc > 1 ? argv[1] : "1");
	first_block = malloc(24);
	lowest = (uintptr_t)first_block & ~(uintptr_t)(PAGE - 1);
	fill();
	drop(false);
	pid_t pid = fork();
	if (pid == 0) {
		oracle_put(ORACLE_GIVEN, 0, 0, child(), NULL);
		_exit(0);
	}
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		abort();
}
