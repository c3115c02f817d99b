/*
 * Records in many tables alike, so that none of these has most of them; and one of another size in each. Behind
 * each record is a text of its own.
 */
#include "oracle.h"

enum { SHARDS = 64, RECORDS = 65, SIZE = 2008 };

struct record {
	char *text;
	long number;
	char rest[SIZE - 16];
};

struct shard {
	long lock, used;
	struct record *record[RECORDS];
};

struct shard *shards[SHARDS];

static noinline_ void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (long i = 0; i < SHARDS; i++) {
		shards[i] = calloc(1, sizeof(*shards[i]));
		for (long k = 0; k < RECORDS; k++) {
			struct record *r = calloc(1, k ? SIZE : SIZE + 400);
			shards[i]->record[k] = r;
			r->number = i * RECORDS + k;
			r->text = malloc(1000);
			memset(r->text, 'a' + (int)(i % 26), 999);
			r->text[999] = 0;
		}
	}
}
