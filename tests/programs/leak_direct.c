/* Three blocks of different sizes that nothing points to, beside three that live. */
#include "oracle.h"

void *kept[3];

static noinline_ void lose(size_t size, unsigned cluster)
{
	oracle_head(new_block(size), cluster);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	static const size_t size[] = {24, 200, 5000};
	for (unsigned i = 0; i < 3; i++) {
		lose(size[i], i);
		kept[i] = new_block(size[i]);
	}
}
