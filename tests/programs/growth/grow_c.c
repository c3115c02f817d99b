/*
 * grow_c GROWER ROUNDS: leaves a core of a fork in dumpN after each round; between the rounds GROWER adds
 * EACH things to one place, and other things come and go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EACH = 2000, BUCKETS = 256, CHURN = 3000 };

struct item {
	struct item *next;
	char *name;
	long number;
	char padding[40];
};

struct tree {
	long key;
	struct tree *left, *right;
	char *value;
};

struct service {
	long id;
	struct item *first, *last;
	char *log;
	size_t length;
};

/* A list that is reached from both of its ends. */
struct link {
	struct link *next, *prev;
	char *name;
};

struct ends {
	long id;
	struct link *first, *last;
};

/* Comes when the first dump has been made; from then on more and more hangs off it. */
struct late {
	long id[9];
	struct item *first;
};

struct late *late;
struct item *chain;
struct ends *ends;
struct link *head, *tail;
struct item *bucket[BUCKETS];
struct item **array;
size_t array_length;
struct tree *tree;
struct service *service;
char *pool;
char *churn[CHURN];

static char *text(long n)
{
	char *s = malloc(48);
	snprintf(s, 48, "the name of item number %ld", n);
	return s;
}

static struct item *item(long n, struct item *next)
{
	struct item *i = calloc(1, sizeof(*i));
	i->next = next;
	i->name = text(n);
	i->number = n;
	return i;
}

static void grow_chain(long n)
{
	chain = item(n, chain);
}

static void grow_table(long n)
{
	struct item **b = &bucket[(unsigned long)n * 2654435761u % BUCKETS];
	*b = item(n, *b);
}

static void grow_array(long n)
{
	array = realloc(array, (array_length + 1) * sizeof(*array));
	array[array_length++] = item(n, NULL);
}

static void grow_tree(long n)
{
	struct tree **at = &tree;
	long key = (long)((unsigned long)n * 2654435761u % 1000003);
	while (*at)
		at = key < (*at)->key ? &(*at)->left : &(*at)->right;
	*at = calloc(1, sizeof(**at));
	(*at)->key = key;
	(*at)->value = text(n);
}

/* A queue inside a struct that was there before. */
static void grow_queue(long n)
{
	struct item *i = item(n, NULL);
	if (service->last)
		service->last->next = i;
	else
		service->first = i;
	service->last = i;
}

static void append(struct link **first, struct link **last, long n)
{
	struct link *l = calloc(1, sizeof(*l));
	l->name = text(n);
	l->prev = *last;
	if (*last)
		(*last)->next = l;
	else
		*first = l;
	*last = l;
}

static void grow_ends(long n)
{
	append(&ends->first, &ends->last, n);
}

static void grow_globals(long n)
{
	append(&head, &tail, n);
}

static void grow_late(long n)
{
	if (n == EACH)
		late = calloc(1, sizeof(*late));
	if (late)
		late->first = item(n, late->first);
}

/* One block, ever bigger. */
static void grow_buffer(long n)
{
	(void)n;
	service->log = realloc(service->log, service->length + 100);
	memset(service->log + service->length, 'x', 100);
	service->length += 100;
}

static __attribute__((noinline)) void grow_leak(long n)
{
	item(n, NULL);
}

/*
 * A pool of its own, which no allocator knows: 64 MiB of addresses, of which each thing takes 1 KiB; each round
 * also maps 1 MiB more. Between both is a page that nobody may touch, so that they stay two mappings.
 */
static void *map(size_t size)
{
	char *p = mmap(NULL, size + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);
	if (p == MAP_FAILED || mprotect(p + 4096, size, PROT_READ | PROT_WRITE))
		exit(1);
	return p + 4096;
}

static void grow_pool(long n)
{
	if (!pool)
		pool = map(64 << 20);
	memset(pool + 1024 * n, 0x5a, 1024);
	if (n % EACH == 0)
		memset(map(1 << 20), 0x5a, 1 << 20);
}

/* A list of blocks that weigh something. */
static void grow_heavy(long n)
{
	struct item **i = malloc(4000);
	memset(i, 0x5a, 4000);
	*i = chain;
	chain = (struct item *)i;
	(void)n;
}

static void grow_none(long n)
{
	(void)n;
}

static void come_and_go(int round)
{
	for (int i = 0; i < CHURN; i++) {
		free(churn[i]);
		churn[i] = NULL;
	}
	for (int i = 0; i < CHURN - 100 * (round * 2 % 3); i++) {
		churn[i] = malloc(32 + (size_t)(i * 7 + round) % 200);
		memset(churn[i], 1, 32 + (size_t)(i * 7 + round) % 200);
	}
}

static void dump(int round)
{
	char name[32];
	snprintf(name, sizeof(name), "dump%d", round);
	if (mkdir(name, 0700))
		exit(1);
	pid_t pid = fork();
	if (!pid) {
		if (chdir(name))
			_exit(1);
		abort();
	}
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*grow)(long);
	} grower[] = {{"chain", grow_chain},	 {"table", grow_table}, {"array", grow_array},
		      {"tree", grow_tree},	 {"queue", grow_queue}, {"buffer", grow_buffer},
		      {"leak", grow_leak},	 {"none", grow_none},	{"ends", grow_ends},
		      {"globals", grow_globals}, {"late", grow_late},	{"pool", grow_pool},
		      {"heavy", grow_heavy}};
	long n = 0;
	service = calloc(1, sizeof(*service));
	ends = calloc(1, sizeof(*ends));
	for (int i = 0; i < 5; i++) {
		grow_ends(i);
		grow_globals(i);
	}
	for (int round = 0; argc > 2 && round < atoi(argv[2]); round++) {
		for (unsigned g = 0; g < sizeof(grower) / sizeof(*grower); g++)
			for (int i = 0; !strcmp(grower[g].name, argv[1]) && i < EACH; i++)
				grower[g].grow(n++);
		come_and_go(round);
		dump(round);
	}
	return 0;
}
