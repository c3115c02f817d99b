#include "base/region.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct region_chunk {
	struct region_chunk *next;
	uint64_t pad;
	unsigned char bytes[];
};

enum { REGION_CHUNK = 64 * 1024 };

void region_deinit(struct region *r)
{
	struct region_chunk *c = r->chunk;
	while (c) {
		struct region_chunk *next = c->next;
		free(c);
		c = next;
	}
	*r = (struct region){0};
}

void *region_alloc(struct region *r, size_t bytes)
{
	if (bytes > SIZE_MAX / 2)
		return NULL;
	bytes = (bytes + 15) & ~(size_t)15;
	if (bytes > r->room - r->used) {
		size_t room = bytes > REGION_CHUNK ? bytes : REGION_CHUNK;
		struct region_chunk *c = calloc(1, sizeof(*c) + room);
		if (!c)
			return NULL;
		c->next = r->chunk;
		r->chunk = c;
		r->room = room;
		r->used = 0;
	}
	void *p = r->chunk->bytes + r->used;
	r->used += bytes;
	return p;
}

char *region_strndup(struct region *r, const char *s, size_t len)
{
	char *p = region_alloc(r, len + 1);
	if (p)
		memcpy(p, s, len);
	return p;
}

char *region_strdup(struct region *r, const char *s)
{
	return region_strndup(r, s, strlen(s));
}

char *region_printf(struct region *r, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	int n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	char *p = region_strndup(r, text, (size_t)n);
	free(text);
	return p;
}
