/* One global table that nobody empties: 5,000 entries, each with a buffer behind it. */
#include "oracle.h"

enum { ENTRIES = 5000 };

struct entry {
	char *buffer;
	uint64_t id;
};

struct entry **registry;

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	registry = calloc(ENTRIES, sizeof(*registry));
	oracle_expect(registry, 1);
	for (unsigned i = 0; i < ENTRIES; i++) {
		registry[i] = calloc(1, sizeof(**registry));
		registry[i]->id = i;
		registry[i]->buffer = calloc(1, 100 + i % 50);
		oracle_expect(registry[i], 1);
		oracle_expect(registry[i]->buffer, 1);
	}
}
