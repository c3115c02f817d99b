/*
 * planted WHAT [BYTES]: a process with one fault, or one thing that weighs, and around it BYTES of memory that is
 * in use as it should be (64 blocks that are never written to, hence cost nothing). It dies of SIGABRT.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OTHERS = 64, MANY = 20000 };

void *others[OTHERS];
void **cache;
struct list {
	struct list *next;
	char text[56];
} * lists[512];
char *texts[3000];
struct room {
	char *begin, *end, *limit;
} rooms[400];

static void *filled(size_t size)
{
	void *p = malloc(size);
	if (!p)
		exit(1);
	return memset(p, 0xf5, size); /* no text, no pointer */
}

static __attribute__((noinline)) void lose(size_t size, int n)
{
	for (int i = 0; i < n; i++)
		filled(size);
}

static void many(void)
{
	lose(64, MANY);
}

/* 40 shapes, 100 of each. */
static void shapes(void)
{
	for (size_t i = 0; i < 40; i++)
		lose(24 + 16 * i, 100);
}

static void held(void)
{
	cache = calloc(MANY, sizeof(*cache));
	for (int i = 0; i < MANY; i++)
		cache[i] = filled(136);
}

/* Blocks of one size all over the place. */
static void scattered(void)
{
	for (int i = 0; i < 100000; i++) {
		struct list *l = filled(sizeof(*l));
		l->next = lists[i % 512];
		lists[i % 512] = l;
	}
}

/* Much is freed, but one block in ten. */
static void fragments(void)
{
	enum { ALL = 300000 };
	void **all = calloc(ALL, sizeof(*all));
	cache = calloc(ALL / 10, sizeof(*cache));
	for (int i = 0; i < ALL; i++)
		all[i] = filled(200);
	for (int i = 0; i < ALL; i++)
		if (i % 10)
			free(all[i]);
		else
			cache[i / 10] = all[i];
	free(all);
}

/* All of it is freed, but for the last. */
static void freed(void)
{
	enum { ALL = 300 };
	void *all[ALL];
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	for (int i = 0; i < ALL; i++)
		all[i] = filled(100000);
	cache = filled(100);
	for (int i = 0; i < ALL; i++)
		free(all[i]);
}

static pthread_barrier_t deep;

static __attribute__((noinline)) int descend(int n)
{
	char here[4096];
	memset(here, n, sizeof(here));
	if (n)
		return descend(n - 1) + here[n];
	pthread_barrier_wait(&deep);
	while (pause())
		;
	return 0;
}

static void *diver(void *arg)
{
	(void)arg;
	return (void *)(long)descend(900);
}

static void stacks(void)
{
	pthread_t t;
	pthread_barrier_init(&deep, NULL, 2);
	pthread_create(&t, NULL, diver, NULL);
	pthread_barrier_wait(&deep);
}

enum { THREADS = 200, STACK = 65536 };
static pthread_barrier_t together;

static void *sinker(void *arg)
{
	char here[STACK / 2];
	memset(here, 0x5a, sizeof(here));
	__asm__ volatile("" : : "r"(here) : "memory");
	pthread_barrier_wait(&together); /* each has a stack of its own */
	return arg;
}

static void start(pthread_t *t)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_barrier_init(&together, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], &attr, sinker, NULL))
			exit(1);
	pthread_barrier_wait(&together);
}

/* Threads that have ended: the C library keeps their stacks for the next ones. */
static void cached(void)
{
	static pthread_t t[THREADS];
	start(t);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

/* Threads that nobody joins, but ended they have. */
static void unjoined(void)
{
	static pthread_t t[THREADS];
	start(t);
	for (;;) {
		int here = 0;
		FILE *f = fopen("/proc/self/status", "r");
		char line[256];
		while (f && fgets(line, sizeof(line), f))
			sscanf(line, "Threads: %d", &here);
		if (f)
			fclose(f);
		if (here == 1)
			return;
		usleep(1000);
	}
}

/* A block's user writes past its end, into the size of the next one. */
static void overrun(void)
{
	cache = calloc(100, sizeof(*cache));
	for (int i = 0; i < 100; i++)
		cache[i] = filled(104);
	memset(cache[50], 'A', 112);
}

static void equal(void)
{
	for (int i = 0; i < 3000; i++) {
		texts[i] = malloc(2048);
		memset(texts[i], 'x', 2047);
		texts[i][2047] = 0;
	}
}

/* Room for 16 KiB each, of which 100 bytes are used. */
static void sparse(void)
{
	for (int i = 0; i < 400; i++) {
		rooms[i].begin = malloc(16384);
		memset(rooms[i].begin, 'a' + i % 20, 100);
		snprintf(rooms[i].begin, 100, "text number %d", i);
		rooms[i].end = rooms[i].begin + 100;
		rooms[i].limit = rooms[i].begin + malloc_usable_size(rooms[i].begin);
	}
}

static void nothing(void)
{
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*plant)(void);
	} plants[] = {{"many", many},		{"shapes", shapes},	  {"held", held},
		      {"scattered", scattered}, {"fragments", fragments}, {"freed", freed},
		      {"stacks", stacks},	{"cached", cached},	  {"unjoined", unjoined},
		      {"overrun", overrun},	{"equal", equal},	  {"sparse", sparse},
		      {"nothing", nothing}};
	for (int i = 0; argc > 2 && i < OTHERS; i++)
		others[i] = malloc(strtoul(argv[2], NULL, 0) / OTHERS);
	for (unsigned i = 0; argc > 1 && i < sizeof(plants) / sizeof(*plants); i++)
		if (!strcmp(argv[1], plants[i].name))
			plants[i].plant();
	abort();
}
