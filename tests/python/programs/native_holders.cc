/*
 * Places where C and C++ keep pointers that are none of Python's business: one function each. Knows
 * nothing of Python, so that it is compiled once for all interpreters.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <unordered_map>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

enum { MANY = 64, TABLE = 1 << 16 };

struct node {
	struct node *next;
	long number;
	void *value;
};

struct record {
	char name[24];
	void *value;
	void *tagged;
};

static void *volatile holder_array[MANY];
static unsigned holder_array_used;
static struct record *volatile holder_record;
static struct node *holder_list;
static std::vector<void *> *holder_vector;
static std::unordered_map<int, void *> *holder_map;
static __thread void *volatile holder_tls;
static void **holder_table;
static pthread_key_t holder_key;

EXPORT void hold_array(void *p)
{
	if (holder_array_used < MANY)
		holder_array[holder_array_used++] = p;
}

EXPORT void hold_record(void *p)
{
	holder_record = static_cast<struct record *>(calloc(1, sizeof(*holder_record)));
	holder_record->value = p;
}

EXPORT void hold_list(void *p)
{
	struct node *n = static_cast<struct node *>(malloc(sizeof(*n)));
	n->next = holder_list;
	n->number = holder_list ? holder_list->number + 1 : 0;
	n->value = p;
	holder_list = n;
}

EXPORT void hold_vector(void *p)
{
	if (!holder_vector)
		holder_vector = new std::vector<void *>;
	holder_vector->push_back(p);
}

EXPORT void hold_map(void *p)
{
	if (!holder_map)
		holder_map = new std::unordered_map<int, void *>;
	(*holder_map)[static_cast<int>(holder_map->size()) * 7] = p;
}

/* Of the calling thread, which is the main one. */
EXPORT void hold_tls(void *p)
{
	holder_tls = p;
}

EXPORT void hold_table(void *p)
{
	if (!holder_table)
		holder_table = static_cast<void **>(mmap(nullptr, TABLE, PROT_READ | PROT_WRITE,
							 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	size_t i = 100;
	while (holder_table[i])
		i++;
	holder_table[i] = p;
}

/* With two bits of the program's own in it. */
EXPORT void hold_tagged(void *p)
{
	if (!holder_record)
		hold_record(nullptr);
	holder_record->tagged = static_cast<char *>(p) + 3;
}

/* No holder at all: what was in a block that was freed since. */
EXPORT void hold_freed(void *p)
{
	void **block = static_cast<void **>(malloc(40 * sizeof(*block)));
	for (unsigned i = 4; i < 36; i++)
		((void *volatile *)block)[i] = p;
	free(block);
}

EXPORT void *hold_block(void *p)
{
	void **outer = static_cast<void **>(calloc(9, sizeof(*outer)));
	struct record *inner = static_cast<struct record *>(calloc(1, sizeof(*inner)));
	outer[5] = inner;
	inner->value = p;
	return outer;
}

struct blocked {
	void *on_stack, *specific;
	sem_t ready;
};

static void *blocked_thread(void *arg)
{
	struct blocked *b = static_cast<struct blocked *>(arg);
	void *volatile held[4] = {nullptr, nullptr, b->on_stack, nullptr};
	pthread_setspecific(holder_key, hold_block(b->specific));
	sem_t never;
	sem_init(&never, 0, 0);
	sem_post(&b->ready);
	while (held[2])
		sem_wait(&never);
	return nullptr;
}

/* Of a thread that sleeps: one on its stack, one in a block of its thread-specific data. */
EXPORT int hold_thread(void *on_stack, void *specific)
{
	static struct blocked b;
	pthread_t thread;
	b.on_stack = on_stack;
	b.specific = specific;
	sem_init(&b.ready, 0, 0);
	if (pthread_key_create(&holder_key, nullptr) ||
	    pthread_create(&thread, nullptr, blocked_thread, &b))
		return -1;
	while (sem_wait(&b.ready))
		;
	b.on_stack = b.specific = nullptr;
	return 0;
}
