/*
 * Few blocks that take most of it: a buffer; a table that is mostly empty, and that two variables lead to; a
 * table whose entries weigh as much as it does.
 */
#include "oracle.h"

struct entry {
	struct entry *next;
	uint64_t id;
	char data[100];
};

struct table {
	uint64_t size;
	struct entry **bucket;
};

char *frame_buffer;
struct table *sessions, *users;
struct entry **alias; /* of the sessions' table */

static struct table *table_make(uint64_t size, unsigned entries)
{
	struct table *t = calloc(1, sizeof(*t));
	t->size = size;
	t->bucket = calloc(size, sizeof(struct entry *));
	oracle_expect(t, 1);
	oracle_expect(t->bucket, 1);
	for (unsigned i = 0; i < entries; i++) {
		struct entry *e = calloc(1, sizeof(*e));
		e->id = i;
		t->bucket[i * (size / entries)] = e;
		oracle_expect(e, 1);
	}
	return t;
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	frame_buffer = malloc(6 << 20);
	memset(frame_buffer, 7, 6 << 20);
	oracle_expect(frame_buffer, 1);
	sessions = table_make(1 << 19, 2000);
	users = table_make(1 << 18, 20000);
	alias = sessions->bucket;
}
