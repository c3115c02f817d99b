/* An arena that outgrew its first 64 MiB: several heaps in one arena, blocks lost in each. */
#include "oracle.h"

enum { BLOCKS = 1500 };
void *kept[BLOCKS];

static void *thread(void *arg)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		kept[i] = malloc(100000); /* never touched: the pages do not exist */
		if (i % 100 == 7) {
			oracle_head(kept[i], i);
			kept[i] = NULL;
		} else if (i % 100 == 8) {
			free(kept[i]);
			kept[i] = NULL;
		}
	}
	oracle_wait_forever();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	oracle_wait_ready(1);
}
