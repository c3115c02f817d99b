/*
 * Killed in a signal handler that runs on a stack of its own. The interrupted stack still counts,
 * and so does what the interrupted function had in a register.
 */
#include "oracle.h"

static noinline_ void handler(int sig)
{
	(void)sig;
	oracle_die();
}

/* What is just below the stack pointer, in the red zone, counts. */
static noinline_ void clear_near(void)
{
	volatile char near[8 << 10];
	for (unsigned i = 0; i < sizeof(near); i += sizeof(long))
		*(volatile long *)(near + i) = 0;
}

static noinline_ void hold(void)
{
	struct node *volatile held[1];
	held[0] = new_node();
	oracle_expect(held[0], 1);
	clear_near();
	oracle_scrub_registers();
	syscall(SYS_kill, getpid(), SIGUSR1);
	__asm__ volatile("" : : "r"(held) : "memory");
}

static noinline_ void lose(void)
{
	struct node *lost = new_node();
	oracle_head(lost, 1);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	stack_t stack = {.ss_size = 1 << 18};
	stack.ss_sp = mmap(NULL, stack.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);
	sigaltstack(&stack, NULL);
	struct sigaction sa = {.sa_flags = SA_ONSTACK};
	sa.sa_handler = handler;
	sigaction(SIGUSR1, &sa, NULL);
	lose();
	hold();
}
