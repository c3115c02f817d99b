/*
 * bigheap COUNT: dies with COUNT live blocks of 16 to 400 bytes, about two references each to other
 * blocks in random order, held by one table of roots. The core is the yardstick's input (bench.py).
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t next(uint64_t *state) /* splitmix64 */
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void **block; /* the one table: every tenth entry stays and is a root */

int main(int argc, char **argv)
{
	uint64_t state = 42, n = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	if (!n || n > 1000000000) {
		fprintf(stderr, "usage: bigheap COUNT\n");
		return 1;
	}
	block = calloc(n, sizeof(void *));
	if (!block)
		abort();
	for (uint64_t i = 0; i < n; i++) {
		size_t size = 16 + next(&state) % 385;
		block[i] = calloc(1, size);
		if (!block[i])
			abort();
	}
	for (uint64_t i = 0; i < n; i++) {
		/* none to four references in a block that has room for them: two on average */
		void **p = block[i];
		size_t words = malloc_usable_size(p) / sizeof(void *);
		for (uint64_t k = next(&state) % 5; k > 0; k--)
			p[next(&state) % words] = block[next(&state) % n];
	}
	for (uint64_t i = 0; i < n; i++)
		if (i % 10)
			block[i] = NULL;
	abort();
}
