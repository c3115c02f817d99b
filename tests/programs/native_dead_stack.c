/* Below the stack pointer nothing counts: the only pointers to the lost ones are in dead frames. */
#include "oracle.h"

static noinline_ void leave(unsigned cluster)
{
	struct node *volatile held[64];
	for (unsigned i = 0; i < 64; i++)
		held[i] = NULL;
	held[30] = new_node();
	oracle_head(held[30], cluster);
	__asm__ volatile("" : : "r"(held) : "memory");
}

static noinline_ void deep(unsigned cluster)
{
	volatile char room[32 << 10];
	room[0] = room[sizeof(room) - 1] = 0;
	leave(cluster);
	__asm__ volatile("" : : "r"(room) : "memory");
}

static void *thread(void *arg)
{
	deep(1);
	oracle_scrub_registers();
	__atomic_add_fetch(&oracle_ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	pthread_t t;
	pthread_create(&t, NULL, thread, NULL);
	oracle_wait_ready(1);
	deep(2);
	oracle_scrub_registers();
	syscall(SYS_tgkill, getpid(), getpid(), SIGABRT);
}
