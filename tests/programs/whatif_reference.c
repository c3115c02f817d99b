/* build: args=1 */
/*
 * whatif_reference SEED: items that refer to each other, some from two sides, some in rings, held by a
 * global table. For some references a forked child, whose heap is the same to the byte, sets one to
 * NULL (or all from that item to the same one), marks what the table still leads to by its own record,
 * frees the rest, and counts: blocks, bytes, and pages that the system took by a trim. The threads'
 * caches are off: what they keep back is not foreseen.
 */
#include "oracle.h"

#include <sys/wait.h>

enum { ITEMS = 900, SLOTS = 4, TABLE = 12, CUTS = 24, PAGE = 4096, RESIDENT = (64 << 20) / PAGE };

struct item {
	struct item *ref[SLOTS];
	uint64_t number;
};

struct item *table[TABLE];
static uintptr_t hidden[ITEMS]; /* 0: it was nobody's, and freed */
static unsigned char seen[ITEMS], resident[RESIDENT];
static unsigned pending[ITEMS];
static uint64_t state;
static uintptr_t lowest;

static uint64_t next(void) /* splitmix64 */
{
	uint64_t z = (state += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static noinline_ struct item *item_of(unsigned i)
{
	return (struct item *)(hidden[i] ^ ORACLE_KEY);
}

static noinline_ void make(void)
{
	for (unsigned i = 0; i < ITEMS; i++) {
		uint64_t r = next();
		size_t n = sizeof(struct item) + (r % 9 == 0 ? r >> 32 & 0x3fff : r >> 32 & 0x1ff);
		struct item *t = malloc(n);
		memset(t, 0, malloc_usable_size(t));
		t->number = i;
		hidden[i] = (uintptr_t)t ^ ORACLE_KEY;
	}
	for (unsigned i = 0; i < ITEMS; i++) {
		/* A tree, with a few more references: on, back (which makes rings), twice to one. */
		struct item *t = item_of(i);
		if (i >= TABLE)
			item_of((unsigned)(next() % i))->ref[next() % SLOTS] = t;
		if (next() % 2 == 0)
			t->ref[next() % SLOTS] = item_of((unsigned)(next() % ITEMS));
		if (next() % 8 == 0)
			t->ref[0] = t->ref[1];
	}
	for (unsigned i = 0; i < TABLE; i++)
		table[i] = item_of(i);
}

static noinline_ void mark(void)
{
	unsigned n = 0;
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < TABLE; i++)
		if (table[i] && !seen[table[i]->number]) {
			seen[table[i]->number] = 1;
			pending[n++] = (unsigned)table[i]->number;
		}
	while (n) {
		struct item *t = item_of(pending[--n]);
		for (unsigned k = 0; k < SLOTS; k++)
			if (t->ref[k] && !seen[t->ref[k]->number]) {
				seen[t->ref[k]->number] = 1;
				pending[n++] = (unsigned)t->ref[k]->number;
			}
	}
}

static noinline_ void sweep(bool really, uint64_t *objects, uint64_t *bytes)
{
	for (unsigned i = 0; i < ITEMS; i++) {
		struct item *t = item_of(i);
		if (!hidden[i] || seen[i])
			continue;
		++*objects;
		*bytes += malloc_usable_size(t);
		if (really) {
			__libc_free(t);
			continue;
		}
		memset(t, 0, malloc_usable_size(t));
		free(t);
		hidden[i] = 0;
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

static noinline_ void child(unsigned cut, struct item **slot, struct item *from)
{
	struct item *to = *slot;
	uint64_t objects = 0, bytes = 0;
	malloc_trim(0);
	uint64_t before = resident_bytes();
	*slot = NULL;
	for (unsigned k = 0; from && cut % 3 == 0 && k < SLOTS; k++)
		if (from->ref[k] == to)
			from->ref[k] = NULL;
	mark();
	sweep(true, &objects, &bytes);
	malloc_trim(0);
	oracle_put(ORACLE_CUT_FREES, cut, (uintptr_t)objects, bytes, NULL);
	oracle_put(ORACLE_CUT_GIVEN, cut, 0, before - resident_bytes(), NULL);
	_exit(0);
}

static noinline_ void cut(unsigned number)
{
	struct item **slot, *from = NULL;
	do {
		unsigned i = (unsigned)(next() % (number % 6 == 1 ? TABLE : ITEMS));
		from = number % 6 == 1 || !hidden[i] ? NULL : item_of(i);
		slot = number % 6 == 1 ? &table[i] : from ? &from->ref[next() % SLOTS] : NULL;
	} while (!slot || !*slot);
	oracle_put(ORACLE_CUT, number, from ? (uintptr_t)from : (uintptr_t)slot,
		   from ? (uintptr_t)slot - (uintptr_t)from : 0,
		   !from	     ? "root"
		   : number % 3 == 0 ? "pair"
				     : "slot");
	oracle_put(ORACLE_CUT_OF, number, (uintptr_t)*slot, 0, NULL);
	pid_t pid = fork();
	if (pid == 0)
		child(number, slot, from);
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		abort();
}

static noinline_ void rest(void)
{
	uint64_t objects = 0, bytes = 0;
	mark();
	sweep(false, &objects, &bytes);
}

static void situation(int argc, char **argv)
{
	oracle_without_tcache(argv);
	state = (uint64_t)atoi(argc > 1 ? argv[1] : "1");
	make();
	lowest = (uintptr_t)item_of(0) & ~(uintptr_t)(PAGE - 1);
	rest();
	for (unsigned i = 0; i < CUTS; i++)
		cut(i);
	oracle_scrub();
}
