/* Held by static thread-local storage alone: initialised and zeroed, of main and of a thread. */
#include "oracle.h"

static __thread void *tdata = (void *)1;
static __thread void *tbss[3];

static noinline_ void fill(void)
{
	struct node *lost = new_node();
	tdata = new_node();
	tbss[2] = new_node();
	oracle_expect(tdata, 1);
	oracle_expect(tbss[2], 1);
	oracle_root(tdata, "tls");
	oracle_root(tbss[2], "tls");
	oracle_head(lost, (uint32_t)(uintptr_t)&tdata);
	__asm__ volatile("" : : "r"(&tdata), "r"(&tbss) : "memory");
}

static void *thread(void *arg)
{
	fill();
	oracle_wait_forever();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	oracle_wait_ready(1);
}
