/*
 * sum_words FILE: the yardstick B. Seconds that one thread takes to sum the 64-bit words of the
 * mapped file once, warm (the second time).
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct stat st;
	int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
	if (fd < 0 || fstat(fd, &st)) {
		fprintf(stderr, "usage: sum_words FILE\n");
		return 1;
	}
	const uint64_t *word = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (word == MAP_FAILED)
		return 1;
	volatile uint64_t sum = 0;
	double seconds = 0;
	for (int round = 0; round < 2; round++) {
		double start = now();
		uint64_t s = 0;
		for (size_t i = 0; i < (size_t)st.st_size / 8; i++)
			s += word[i];
		sum += s;
		seconds = now() - start;
	}
	printf("%.6f\n", seconds);
	return 0;
}
