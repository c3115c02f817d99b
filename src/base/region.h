/*
 * region: our bump allocator (arenas and pools are what we read, so ours is a region).
 *
 * Memory is named by its lifetime: one region for the run, one for a phase. Nothing in it is freed
 * alone; region_deinit frees all. Allocations are 16-byte aligned and zeroed. NULL: out of memory.
 */
#pragma once

#include <stddef.h>

struct region_chunk;

struct region {
	struct region_chunk *chunk;
	size_t used, room;
};

void region_deinit(struct region *r);
void *region_alloc(struct region *r, size_t bytes);
char *region_strndup(struct region *r, const char *s, size_t len);
char *region_strdup(struct region *r, const char *s);
char *region_printf(struct region *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
