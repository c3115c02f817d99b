/*
 * bigheap COUNT [MORE]: dies with COUNT live blocks of 16 to 400 bytes. Two references lead to each: one
 * from a random block that was linked before it (so nearly all can be reached, over some ten or
 * twenty steps), one from a random block anywhere. One block in a thousand has no holder of the
 * first kind. A static table of ROOTS blocks is where it all hangs; what this program itself keeps
 * about the blocks is unmapped at the end, so no word but these leads to any. The core is the
 * yardstick's input (bench.py).
 *
 * With MORE, a fork of it dies first, in the folder `old`; then MORE blocks come, each held by a random one of
 * those before, and as many of the others as make one in fifty are freed and made anew.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOTS = 64, LOST_EVERY = 1000, TRIES = 1000 };

void **root[ROOTS];

static uint64_t state = 42;

static uint64_t below(uint64_t n) /* splitmix64 */
{
	uint64_t z = (state += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % n;
}

/* A free word in a random one of the first n blocks. */
static void **place(void ***block, uint64_t n)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		void **p = block[below(n)];
		size_t words = malloc_usable_size(p) / sizeof(*p);
		void **at = &p[below(words)];
		if (!*at)
			return at;
	}
	fprintf(stderr, "bigheap: no room for a reference\n");
	exit(1);
}

static void grow(void ***block, uint64_t n, uint64_t more)
{
	pid_t child = fork();
	if (!child) {
		munmap(block, (n + more) * sizeof(*block));
		if (!mkdir("old", 0700) && !chdir("old"))
			abort();
		_exit(1);
	}
	int status = 0;
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
		exit(1);
	for (uint64_t i = ROOTS; i < n; i += 50) {
		size_t bytes = malloc_usable_size(block[i]);
		free(block[i]);
		block[i] = calloc(1, bytes);
		if (!block[i])
			exit(1);
		*place(block, n) = block[i];
	}
	for (uint64_t i = n; i < n + more; i++) {
		block[i] = calloc(1, 16 + below(385));
		if (!block[i])
			exit(1);
		*place(block, i) = block[i];
	}
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t more = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	if (n < 2 * ROOTS || n > 1000000000 || more > n) {
		fprintf(stderr, "usage: bigheap COUNT [MORE] (from %d on)\n", 2 * ROOTS);
		return 1;
	}
	void ***block = mmap(NULL, (n + more) * sizeof(*block), PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (block == MAP_FAILED)
		return 1;
	for (uint64_t i = 0; i < n; i++) {
		block[i] = calloc(1, 16 + below(385));
		if (!block[i])
			return 1;
	}
	/* In an order that has nothing to do with addresses. */
	for (uint64_t i = n - 1; i > 0; i--) {
		uint64_t k = below(i + 1);
		void **swap = block[i];
		block[i] = block[k];
		block[k] = swap;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (i < ROOTS)
			root[i] = block[i];
		else if (i % LOST_EVERY)
			*place(block, i) = block[i];
	}
	for (uint64_t i = 0; i < n; i++)
		*place(block, n) = block[i];
	if (more)
		grow(block, n, more);
	munmap(block, (n + more) * sizeof(*block));
	abort();
}
