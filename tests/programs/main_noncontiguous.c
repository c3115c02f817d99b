/* Somebody mapped pages right behind the break: the main arena goes on by mmap. */
#include "oracle.h"

enum { BLOCKS = 400 };
void *kept[BLOCKS];

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	kept[0] = new_block(1000);
	char *end = (char *)(((uintptr_t)sbrk(0) + 65535) & ~(uintptr_t)65535);
	if (mmap(end, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) !=
	    (void *)end)
		abort();
	for (unsigned i = 1; i < BLOCKS; i++) {
		kept[i] = new_block(9000);
		if (i % 40 == 3) {
			oracle_head(kept[i], i);
			kept[i] = NULL;
		} else if (i % 40 == 4) {
			free(kept[i]);
			kept[i] = NULL;
		}
	}
}
