/* Buffers of C that know how full they are; and much that looks a bit like one. */
#include "oracle.h"

#include <stdio.h>

enum { BUFFERS = 30, OTHERS = 20 };

struct growing {
	char *begin, *at, *end;
};

struct counted {
	char *text;
	size_t length, capacity; /* less one for the NUL */
};

struct both {
	int before;
	struct growing growing;
	struct counted counted;
	void *after;
};

struct other {
	char *p[6];
	size_t n[4];
};

struct both *buffer[BUFFERS];
struct growing variable;
struct other *other[OTHERS];
FILE *file[3];
static unsigned nother;

static size_t usable_of(size_t n)
{
	void *p = __libc_malloc(n);
	size_t ret = malloc_usable_size(p);
	__libc_free(p);
	return n ? ret : 0;
}

static void tell(const void *block, size_t capacity, size_t used, size_t need, const void *header)
{
	oracle_room(block, "buffer", capacity, used,
		    malloc_usable_size((void *)block) - usable_of(need), header);
}

static noinline_ void grow(struct growing *g, size_t room, size_t used)
{
	g->begin = malloc(room);
	memset(g->begin, 1, room);
	g->at = g->begin + used;
	g->end = g->begin + room;
	tell(g->begin, room, used, used, g);
}

static noinline_ void count(struct counted *c, size_t room, size_t used)
{
	c->text = malloc(room + 1);
	memset(c->text, 'x', room + 1);
	c->text[used] = 0;
	c->length = used;
	c->capacity = room;
	tell(c->text, room, used, used < 16 ? 0 : used + 1, c);
}

static noinline_ struct other *another(void)
{
	struct other *o = calloc(1, sizeof(*o));
	return other[nother++] = o;
}

static noinline_ char *block(size_t n)
{
	char *p = malloc(n);
	memset(p, 2, n);
	return p;
}

static noinline_ void fill(void)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		struct both *b = buffer[i] = calloc(1, sizeof(*b));
		grow(&b->growing, 40 + 17 * i, 3 * i);
		count(&b->counted, 30 + 100 * i, 1 + 5 * i);
	}
	grow(&variable, 100000, 7);

	/* Ends far before the block does. */
	struct other *o = another();
	o->p[0] = block(200);
	o->p[1] = o->p[0] + 20;
	o->p[2] = o->p[0] + 100;
	/* Ends behind it. */
	o = another();
	o->p[0] = block(200);
	o->p[1] = o->p[0] + 20;
	o->p[2] = o->p[0] + 300;
	/* Not in order. */
	o = another();
	o->p[0] = block(200);
	o->p[1] = o->p[0] + 100;
	o->p[2] = o->p[0] + 20;
	/* Three blocks. */
	o = another();
	for (unsigned i = 0; i < 6; i++)
		o->p[i] = block(48);
	/* Begins within the block. */
	o = another();
	o->p[0] = block(200) + 16;
	o->p[1] = o->p[0] + 30;
	o->p[2] = o->p[0] + 184;
	/* Lengths that are none: longer than the room, of another block, without a NUL. */
	o = another();
	o->p[5] = block(200);
	o->n[0] = 500;
	o->n[1] = 199;
	o = another();
	o->p[5] = block(200);
	o->n[0] = 5;
	o->n[1] = 100;
	o = another();
	o->p[5] = block(200);
	o->n[0] = 50;
	o->n[1] = 199;
	/* A table of so many, with something behind it: no load factor. */
	o = another();
	o->p[5] = calloc(50, sizeof(void *));
	o->n[0] = 50;
	o->n[1] = 0;
	o->n[2] = 0;
	o->n[3] = 50;
	/* What the C library keeps in a FILE is its own. */
	for (unsigned i = 0; i < 3; i++) {
		file[i] = fopen("/dev/zero", i ? "r" : "w");
		char line[100] = "";
		if (i == 2 && fread(line, 1, sizeof(line), file[i]) != sizeof(line))
			abort();
		if (!i)
			fwrite(line, 1, 10, file[i]);
	}
}

static void situation(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fill();
}
