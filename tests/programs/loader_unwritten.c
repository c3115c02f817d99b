/* build: dynamic dlopen=lib_root.c */
/*
 * Lost, although memory that the dynamic loader took over has their addresses still: of what it
 * allocates for _dl_find_object (glibc 2.35) it writes the first part only. That is more than 2,000 bytes
 * on machines of 64 bits: freed blocks of about that size are full of addresses when it asks, but for
 * their ends, where its share of the block ends, too. Smaller ones are zeroed, and serve everybody else.
 */
#include "oracle.h"

#include <dlfcn.h>

enum { NODES = 32, LEAST = 2100, MOST = 2800, FROM = 700, TO = 1500 };

static uintptr_t hidden[NODES]; /* ^ ORACLE_KEY */
void *kept[200];		/* between freed blocks, so that they stay what they are */
static unsigned nkept;

static noinline_ void lose(unsigned i)
{
	struct node *x = new_node();
	oracle_head(x, i);
	hidden[i] = (uintptr_t)x ^ ORACLE_KEY;
}

static noinline_ void leave(size_t size, bool full)
{
	char *p = (char *)calloc(1, size);
	kept[nkept++] = calloc(1, 24);
	for (size_t at = FROM; full && at < TO; at += sizeof(uintptr_t))
		*(volatile uintptr_t *)(void *)(p + at) = hidden[at / 8 % NODES] ^ ORACLE_KEY;
	free(p);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (unsigned i = 0; i < NODES; i++)
		lose(i);
	for (unsigned i = 0; i < 20; i++)
		leave(1900, false);
	for (size_t size = LEAST; size < MOST; size += 16)
		leave(size, true);
	if (!dlopen(ORACLE_LIB, RTLD_NOW))
		abort();
	if (!dlopen("libm.so.6", RTLD_NOW))
		abort();
}
