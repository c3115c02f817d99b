/*
 * A thread on a stack that the program brought: in a block, and in a mapping. What is above its
 * stack pointer counts, what is below does not.
 */
#include "oracle.h"

enum { SIZE = 256 << 10 };

void *stacks[2];

static noinline_ void leave(unsigned cluster)
{
	struct node *volatile held[64];
	for (unsigned i = 0; i < 64; i++)
		held[i] = NULL;
	held[30] = new_node();
	oracle_head(held[30], cluster);
	__asm__ volatile("" : : "r"(held) : "memory");
}

/* What later calls left near the stack pointer; the depths stay as they are. */
static noinline_ void clear_near(void)
{
	volatile char near[8 << 10];
	for (unsigned i = 0; i < sizeof(near); i += sizeof(long))
		*(volatile long *)(near + i) = 0;
}

static noinline_ void wait_here(struct node *volatile *held)
{
	__asm__ volatile("" : : "r"(held) : "memory");
	__atomic_add_fetch(&oracle_ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
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
	struct node *volatile held[1];
	deep((unsigned)(uintptr_t)arg);
	held[0] = new_node();
	oracle_expect(held[0], 1);
	clear_near();
	oracle_scrub_registers();
	wait_here(held);
	return arg;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	stacks[0] = aligned_alloc(4096, SIZE);
	memset(stacks[0], 0, SIZE);
	stacks[1] = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < 2; i++) {
		pthread_attr_t a;
		pthread_t t;
		pthread_attr_init(&a);
		pthread_attr_setstack(&a, stacks[i], SIZE);
		pthread_create(&t, &a, thread, (void *)(uintptr_t)(i + 1));
		pthread_attr_destroy(&a);
	}
	oracle_wait_ready(2);
}
