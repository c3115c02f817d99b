/* What an interpreter does that has its objects in chunks of its own: PHP is known by its allocator's name. */
#include "oracle.h"

enum { CHUNK = 2 << 20, CHUNKS = 4 };

char *chunk[CHUNKS];
size_t used;

__attribute__((visibility("default"), used)) void *_emalloc(size_t size)
{
	void *p = chunk[used / CHUNK] + used % CHUNK;
	used += size;
	return p;
}

static noinline_ void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (unsigned i = 0; i < CHUNKS; i++)
		chunk[i] = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				-1, 0);
	for (unsigned i = 0; i < CHUNKS * (CHUNK / 4096); i++)
		memset(_emalloc(4096), 'z', 4096);
}
