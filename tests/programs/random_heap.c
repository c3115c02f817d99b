/* build: args=1 */
/*
 * random_heap SEED [THREADS [STEPS]]: a random mix of malloc, calloc, realloc, aligned_alloc and
 * free of all sizes, random pointers between the blocks (to their starts), random roots in .bss.
 * What is reachable is computed from tables in which addresses are obfuscated.
 */
#include "oracle.h"

enum { SLOTS = 3000, LINKS = 3, MAX_THREADS = 8 };

struct slot {
	uintptr_t hidden; /* ^ ORACLE_KEY; 0 empty */
	uint32_t size;
	uint32_t link[LINKS]; /* slot + 1; 0 none */
	uint32_t offset[LINKS];
	bool seen, rooted;
};

static struct slot slots[MAX_THREADS][SLOTS];
void *roots[MAX_THREADS][SLOTS];
static uint32_t pending[SLOTS];
static unsigned threads, steps;
static uint64_t seed;

static uint64_t next(uint64_t *state) /* splitmix64 */
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static noinline_ char *at(const struct slot *s)
{
	return (char *)(s->hidden ^ ORACLE_KEY);
}

static noinline_ size_t size_of(uint64_t r)
{
	switch (r >> 8 & 15) {
	case 0:
		return r >> 32 & 0x3fff;
	case 1:
		return r >> 32 & 0xffff;
	case 2:
		return (r & 63) == 0 ? (r >> 32 & 0xfffff) : 1000 + (r >> 32 & 0x3ff);
	default:
		return r >> 32 & 0x1ff;
	}
}

/* Everything from offset `from` on holds nothing that looks like a pointer. */
static noinline_ void clear(struct slot *s, size_t from)
{
	char *p = at(s);
	size_t usable = malloc_usable_size(p);
	if (from < usable)
		memset(p + from, 0, usable - from);
	s->size = (uint32_t)usable;
	/* links in what was cleared are gone */
	for (unsigned i = 0; i < LINKS; i++)
		if (s->link[i] && s->offset[i] + sizeof(void *) > from)
			s->link[i] = 0;
}

/* A link's word; another link of the same slot may have been there: it is gone then. */
static noinline_ void set_link(struct slot *t, unsigned from, unsigned i, unsigned to, uint64_t r)
{
	struct slot *s = &t[from];
	unsigned words = s->size / sizeof(void *);
	if (!words)
		return;
	if (s->link[i])
		memset(at(s) + s->offset[i], 0, sizeof(void *));
	uint32_t offset = (uint32_t)(r % words * sizeof(void *));
	for (unsigned j = 0; j < LINKS; j++)
		if (s->link[j] && s->offset[j] == offset)
			s->link[j] = 0;
	void *target = at(&t[to]);
	memcpy(at(s) + offset, &target, sizeof(target));
	s->link[i] = to + 1;
	s->offset[i] = offset;
}

/* Nobody may point to a block that goes. */
static noinline_ void forget(struct slot *t, void **root, unsigned k)
{
	for (unsigned i = 0; i < SLOTS; i++)
		for (unsigned j = 0; j < LINKS; j++)
			if (t[i].link[j] == k + 1) {
				t[i].link[j] = 0;
				memset(at(&t[i]) + t[i].offset[j], 0, sizeof(void *));
			}
	root[k] = NULL;
	t[k].rooted = false;
}

static noinline_ void grow_or_shrink(struct slot *t, void **root, unsigned k, size_t size)
{
	forget(t, root, k);
	size_t old = t[k].size;
	void *p = realloc(at(&t[k]), size);
	if (!p)
		abort();
	t[k].hidden = (uintptr_t)p ^ ORACLE_KEY;
	size_t usable = malloc_usable_size(p);
	/* The last word of what was usable may have become a header, or been one. */
	size_t sound = old < usable ? old : usable;
	clear(&t[k], sound & ~(sizeof(void *) - 1));
}

static noinline_ void step(struct slot *t, void **root, uint64_t *state)
{
	uint64_t r = next(state), r2 = next(state);
	unsigned k = (unsigned)(r2 % SLOTS);
	struct slot *s = &t[k];
	if (!s->hidden) {
		size_t size = size_of(r);
		void *p = (r & 7) == 0	  ? calloc(1, size)
			  : (r & 31) == 1 ? aligned_alloc((size_t)32 << (r >> 20 & 7), size)
					  : malloc(size);
		if (!p)
			abort();
		s->hidden = (uintptr_t)p ^ ORACLE_KEY;
		memset(s->link, 0, sizeof(s->link));
		clear(s, 0);
		if ((r >> 4 & 3) == 0) {
			root[k] = p;
			s->rooted = true;
		}
	} else if ((r & 7) < 2) {
		forget(t, root, k);
		void *p = at(s);
		s->hidden = 0;
		memset(s->link, 0, sizeof(s->link));
		free(p);
	} else if ((r & 7) == 2) {
		grow_or_shrink(t, root, k, size_of(next(state)) + 1);
	} else {
		unsigned to = (unsigned)(next(state) % SLOTS);
		if (t[to].hidden)
			set_link(t, k, (unsigned)(r >> 16) % LINKS, to, next(state));
	}
}

static noinline_ void work(unsigned me)
{
	uint64_t state = seed * 1000003 + me;
	for (unsigned i = 0; i < steps; i++)
		step(slots[me], roots[me], &state);
}

static noinline_ void judge(unsigned me)
{
	struct slot *t = slots[me];
	unsigned n = 0;
	for (unsigned i = 0; i < SLOTS; i++)
		if (t[i].hidden && t[i].rooted) {
			t[i].seen = true;
			pending[n++] = i;
		}
	while (n) {
		const struct slot *s = &t[pending[--n]];
		for (unsigned j = 0; j < LINKS; j++) {
			struct slot *d = s->link[j] ? &t[s->link[j] - 1] : NULL;
			if (d && !d->seen) {
				d->seen = true;
				pending[n++] = s->link[j] - 1;
			}
		}
	}
	for (unsigned i = 0; i < SLOTS; i++)
		if (t[i].hidden)
			oracle_expect(at(&t[i]), t[i].seen);
}

static void *thread(void *arg)
{
	work((unsigned)(uintptr_t)arg);
	oracle_wait_forever();
	return NULL;
}

static noinline_ void situation(int argc, char **argv)
{
	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	threads = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	steps = argc > 3 ? (unsigned)atoi(argv[3]) : 12000;
	if (threads >= MAX_THREADS)
		abort();
	for (unsigned i = 1; i <= threads; i++) {
		pthread_t p;
		pthread_create(&p, NULL, thread, (void *)(uintptr_t)i);
	}
	work(0);
	oracle_wait_ready((int)threads);
	for (unsigned i = 0; i <= threads; i++)
		judge(i);
	/* Small numbers side by side can look like an address where addresses are small. */
	memset(slots, 0, sizeof(slots));
	memset(pending, 0, sizeof(pending));
}
