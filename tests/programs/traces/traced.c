/*
 * traced: every call that a recorder of allocations sees, failed ones too; some blocks are lost, some
 * stay pointed to. With an argument a child of a fork goes on allocating. For scripts/make-trace-samples.
 */
#include <mcheck.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct node {
	struct node *next;
	char pad[40];
};
static void *kept[20];
static __attribute__((noinline)) struct node *chain(int n)
{
	struct node *head = NULL;
	while (n--) {
		struct node *x = malloc(sizeof(*x));
		x->next = head;
		head = x;
	}
	return head;
}
static __attribute__((noinline)) void lose(void)
{
	struct node *volatile h = chain(30);
	h = NULL;
	(void)h;
}
static __attribute__((noinline)) void keep(void)
{
	for (int i = 0; i < 20; i++)
		kept[i] = calloc(3, 100);
	for (int i = 0; i < 10; i++)
		kept[i] = realloc(kept[i], 1000 + i);
	for (int i = 0; i < 5; i++) {
		free(kept[i]);
		kept[i] = NULL;
	}
	for (int i = 0; i < 50; i++)
		free(malloc((size_t)i));
	void *p;
	if (!posix_memalign(&p, 64, 777))
		kept[0] = p;
	kept[1] = aligned_alloc(128, 256);
	volatile size_t huge = (size_t)1 << 60;
	void *volatile none = malloc(huge);
	p = realloc(kept[1], huge);
	(void)none;
	p = malloc(33);
	p = realloc(p, 0);
}
int main(int argc, char **argv)
{
	mtrace();
	keep();
	lose();
	if (argc > 1) {
		if (!fork()) {
			kept[2] = malloc(4321);
			free(kept[7]);
			_exit(0);
		}
		wait(NULL);
	}
	memset(kept + 10, 0, sizeof(void *));
	return 0;
}
