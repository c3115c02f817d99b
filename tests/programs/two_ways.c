/*
 * Records that a table has and a list, too: what was taken from the table's slots has not been wiped there. The one
 * of 5000 bytes is the last of its list, 2000 links behind the first.
 */
#include "oracle.h"

enum { RECORDS = 2001 };

struct link {
	struct link *next;
	char **record;
};

struct queue {
	char *name;
	long size;
	struct link *first;
};

char ***volatile slots;
struct queue *volatile queue;

static noinline_ void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	struct link **end;
	slots = malloc(RECORDS * sizeof(*slots));
	queue = calloc(1, sizeof(*queue));
	queue->name = malloc(40);
	strcpy(queue->name, "what waits to be sent");
	end = (struct link **)&queue->first;
	for (long i = 0; i < RECORDS; i++) {
		slots[i] = calloc(1, i + 1 == RECORDS ? 5000 : 600);
		*end = malloc(sizeof(**end));
		(*end)->next = NULL;
		(*end)->record = slots[i];
		end = &(*end)->next;
		queue->size++;
	}
}
