/*
 * stacks: what a tracer in the kernel would see of this process. Prints a line for each block that is
 * live in the end: "ADDRESS SIZE FUNCTION FRAME FRAME ...", the innermost frame first; then "ready", and
 * waits. With an argument it touches fresh pages instead, from two functions, until it is killed. For
 * scripts/make-trace-samples.
 */
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define way __attribute__((noinline, noclone)) static

way void *made(size_t size, const char *who)
{
	void *frame[20], *p = malloc(size);
	int n = backtrace(frame, 20);
	printf("%p %zu %s", p, size, who);
	for (int i = 1; i < n; i++)
		printf(" %p", frame[i]);
	puts("");
	return p;
}

way void *grow(size_t n)
{
	void *p = made(n, "grow");
	__asm__ volatile("" : : "r"(p) : "memory");
	return p;
}

way void *keep(size_t n)
{
	void *p = made(n * 3, "keep");
	__asm__ volatile("" : : "r"(p) : "memory");
	return n > 100 ? grow(n) : p;
}

enum { PAGES = 64, PAGE = 4096 };

way void touch_some(char *page, int n)
{
	for (int i = 0; i < n; i++)
		((volatile char *)page)[(size_t)i * PAGE] = 1;
}

way void touch_more(char *page, int n)
{
	touch_some(page, n / 2);
	for (int i = n / 2; i < n; i++)
		((volatile char *)page)[(size_t)i * PAGE] = 1;
}

int main(int argc, char **argv)
{
	(void)argv;
	while (argc > 1) {
		char *page = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (page == MAP_FAILED)
			return 1;
		touch_more(page, PAGES);
		munmap(page, PAGES * PAGE);
	}
	for (size_t i = 0; i < 12; i++)
		keep(i * 20);
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
