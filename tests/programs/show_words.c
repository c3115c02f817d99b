/* A block with a word of each kind, and a function that is still running. */
#include "oracle.h"

enum { WORDS = 10 };

uintptr_t *words;
char some_global[64];
void *target, *around[2];

static noinline_ void holder(void)
{
	volatile uintptr_t local[4] = {1, 2, 3, 4};
	words[1] = (uintptr_t)&local[1];
	oracle_die();
	local[0] = 5;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	words = calloc(WORDS, sizeof(*words));
	target = calloc(1, 72);
	around[0] = calloc(1, 5000);
	void *gone = calloc(1, 5000);
	around[1] = calloc(1, 5000);
	words[0] = (uintptr_t)target + 16;
	words[2] = (uintptr_t)holder;
	words[3] = (uintptr_t)&some_global[8];
	words[4] = (uintptr_t)gone;
	words[5] = 12345;
	memcpy(&words[6], "abcdefgh", sizeof(words[6]));
	words[7] = 0;
	words[8] = (uintptr_t)0xdeadbeefcafebabe;
	words[9] = (uintptr_t)-7;
	free(gone);
	holder();
}
