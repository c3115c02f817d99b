/* traced: the object table of a trace, whose blocks have no bytes and maybe no address. */
#include "snapshot/snapshot.h"

#include "base/cleanup.h"
#include "base/huge.h"

#include <stdlib.h>
#include <string.h>

static int traced_order(const void *pa, const void *pb)
{
	const struct traced_block *a = pa, *b = pb;
	if (a->address != b->address)
		return a->address < b->address ? -1 : 1;
	if (a->site_id != b->site_id)
		return a->site_id < b->site_id ? -1 : 1;
	return (a->size > b->size) - (a->size < b->size);
}

static bool traced_sorted(const struct traced_block *b, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++)
		if (traced_order(&b[i - 1], &b[i]) > 0)
			return false;
	return true;
}

struct error *snapshot_seal_traced(struct snapshot *s, struct traced_block *block, uint32_t n)
{
	struct object_table *o = &s->object;
	if (!traced_sorted(block, n))
		qsort(block, n, sizeof(*block), traced_order);
	o->n = n;
	o->address = huge_alloc(n, sizeof(*o->address));
	o->size = huge_alloc(n, sizeof(*o->size));
	o->site_id = huge_alloc(n, sizeof(*o->site_id));
	if (!o->address || !o->size || !o->site_id)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++) {
		o->address[i] = block[i].address;
		o->size[i] = block[i].size;
		o->site_id[i] = block[i].site_id;
	}
	return NULL;
}
