/*
 * A list that begins at its highest address: whoever searches back from what all its links refer to
 * meets the far end of the list first. That is the one block of 1000 bytes.
 */
#include "oracle.h"

enum { LINKS = 200000 };

struct link {
	struct link *next;
	void *common;
	long number;
};

struct link *volatile list;

static noinline_ void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	void *common = malloc(1000);
	for (long i = 0; i < LINKS; i++) {
		struct link *l = malloc(sizeof(*l));
		*l = (struct link){list, common, i};
		list = l;
	}
}
