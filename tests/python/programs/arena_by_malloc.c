/* Gives Python an arena allocator that asks malloc: an arena is then part of some block. */
#include <malloc.h>
#include <stddef.h>
#include <stdlib.h>

/* Include/cpython/objimpl.h */
typedef struct {
	void *ctx;
	void *(*alloc)(void *ctx, size_t size);
	void (*free)(void *ctx, void *ptr, size_t size);
} PyObjectArenaAllocator;

void PyObject_SetArenaAllocator(PyObjectArenaAllocator *allocator);

static void *arena_alloc(void *ctx, size_t size)
{
	(void)ctx;
	/* Room before and behind it: the arena is not all of its block. */
	char *block = malloc(size + 8192);
	return block ? block + 4096 - 16 : NULL;
}

static void arena_free(void *ctx, void *ptr, size_t size)
{
	(void)ctx;
	(void)size;
	/* An arena of mmap's that was there before is not ours to free: it stays. */
	(void)ptr;
}

void install(void)
{
	PyObjectArenaAllocator a = {NULL, arena_alloc, arena_free};
	/* To glibc 2.34 the most that is accepted is 32 MiB. */
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	PyObject_SetArenaAllocator(&a);
}
