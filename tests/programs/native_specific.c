/*
 * Held by pthread_setspecific alone: keys in the thread descriptor itself, and keys so many that
 * their table is a block of its own; main's and another thread's. A deleted key holds nothing.
 */
#include "oracle.h"

enum { KEYS = 100 };

static pthread_key_t key[KEYS];

static noinline_ void fill(unsigned cluster)
{
	struct node *x = new_node(), *y = new_node(), *lost = new_node();
	pthread_setspecific(key[3], x);
	pthread_setspecific(key[KEYS - 1], y);
	oracle_expect(x, 1);
	oracle_root(x, "tls");
	oracle_expect(y, 1);
	oracle_head(lost, cluster);
}

static void *thread(void *arg)
{
	fill(2);
	oracle_wait_forever();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (unsigned i = 0; i < KEYS; i++)
		pthread_key_create(&key[i], NULL);
	fill(1);
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	oracle_wait_ready(1);
}
