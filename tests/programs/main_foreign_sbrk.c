/* Somebody else moved the break between two of malloc's moves: the main arena has a gap. */
#include "oracle.h"

enum { BLOCKS = 300 };
void *kept[BLOCKS];

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (unsigned i = 0; i < BLOCKS; i++) {
		kept[i] = new_block(5000);
		if (i % 100 == 50)
			memset(sbrk(40000), 0, 40000);
		if (i % 40 == 3) {
			oracle_head(kept[i], i);
			kept[i] = NULL;
		} else if (i % 40 == 4) {
			free(kept[i]);
			kept[i] = NULL;
		}
	}
}
