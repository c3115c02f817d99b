/* build: args=1,0 */
/*
 * trim_fragments SEED THREADS: blocks of all sizes, written to, most of them freed in runs and
 * singly. A forked child, whose heap is the same to the byte, then calls malloc_trim(0) and counts
 * the pages that the system took back.
 */
#include "oracle.h"

#include <sys/wait.h>

enum {
	BLOCKS = 3000,
	MAX_THREADS = 4,
	MAX_HEAPS = 64,
	HEAP = sizeof(long) == 8 ? 64 << 20 : 1 << 20, /* malloc/arena.c, HEAP_MAX_SIZE */
	PAGE = 4096,
};

void *kept[MAX_THREADS + 1][BLOCKS];
static uint64_t state[MAX_THREADS + 1];
void *first_block;
static uintptr_t lowest;	   /* of the break's pages that are watched */
static uintptr_t heaps[MAX_HEAPS]; /* of thread arenas; ends with 0 */
static unsigned char resident[(64 << 20) / PAGE];

static uint64_t next(uint64_t *s) /* splitmix64 */
{
	uint64_t z = (*s += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static noinline_ void fragment(unsigned who)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		uint64_t r = next(&state[who]);
		size_t n = r % 16 == 0	? r >> 32 & 0x7fff
			   : r % 4 == 0 ? r >> 32 & 0xfff
					: r >> 32 & 0x1ff;
		kept[who][i] = malloc(n);
		memset(kept[who][i], 0x5a, malloc_usable_size(kept[who][i]));
	}
	for (unsigned i = 0; i < BLOCKS;) {
		uint64_t r = next(&state[who]);
		unsigned run = r % 3 ? (r >> 8) % 60 : (r >> 8) % 3, keep = 1 + (r >> 20) % 5;
		for (; run-- && i < BLOCKS; i++) {
			free(kept[who][i]);
			kept[who][i] = NULL;
		}
		i += keep;
	}
}

static void *thread(void *arg)
{
	fragment((unsigned)(uintptr_t)arg);
	oracle_wait_forever();
	return arg;
}

static void add_heap(uintptr_t heap)
{
	unsigned i = 0;
	while (i < MAX_HEAPS && heaps[i] && heaps[i] != heap)
		i++;
	if (i == MAX_HEAPS)
		abort();
	heaps[i] = heap;
}

/* Of [start, start + bytes), which is mapped. */
static uint64_t resident_bytes(uintptr_t start, size_t bytes)
{
	uint64_t n = 0;
	if (mincore((void *)start, bytes, resident))
		_exit(3);
	for (size_t i = 0; i < bytes / PAGE; i++)
		n += resident[i] & 1;
	return n * PAGE;
}

static uint64_t all_resident(void)
{
	uint64_t n = resident_bytes(lowest, (uintptr_t)sbrk(0) - lowest);
	for (unsigned i = 0; i < MAX_HEAPS && heaps[i]; i++)
		n += resident_bytes(heaps[i], HEAP);
	return n;
}

static void situation(int argc, char **argv)
{
	unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	if (threads > MAX_THREADS)
		abort();
	for (unsigned t = 0; t <= threads; t++)
		state[t] = (uint64_t)atoi(argc > 1 ? argv[1] : "1") * 1000 + t;
	first_block = malloc(24);
	lowest = (uintptr_t)first_block & ~(uintptr_t)(PAGE - 1);
	for (unsigned t = 0; t < threads; t++) {
		pthread_t id;
		pthread_create(&id, NULL, thread, (void *)(uintptr_t)(t + 1));
	}
	fragment(0);
	oracle_wait_ready(threads);
	for (unsigned t = 0; t < threads; t++)
		for (unsigned i = 0; i < BLOCKS; i++)
			add_heap((uintptr_t)kept[t + 1][i] & ~(uintptr_t)(HEAP - 1));
	pid_t child = fork();
	if (child == 0) {
		uint64_t before = all_resident();
		malloc_trim(0);
		oracle_put(ORACLE_TRIM, 0, 0, before - all_resident(), NULL);
		_exit(0);
	}
	int status;
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		abort();
}
