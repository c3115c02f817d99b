#include "store/embed.h"

#include <stddef.h>
#include <string.h>

const char *embed_find(const char *name)
{
	for (const struct embed *e = embed_table; e->name; e++)
		if (!strcmp(e->name, name))
			return e->text;
	return NULL;
}
