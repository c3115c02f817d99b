/* traced: the object table of a trace, whose blocks have no bytes and maybe no address. */
#include "snapshot/snapshot.h"

#include "base/huge.h"

struct error *snapshot_traced(struct snapshot *s, uint32_t n, bool addresses)
{
	struct object_table *o = &s->object;
	if (addresses)
		o->address = huge_alloc(n, sizeof(*o->address));
	o->size = huge_alloc(n, sizeof(*o->size));
	o->site_id = huge_alloc(n, sizeof(*o->site_id));
	if ((addresses && !o->address) || !o->size || !o->site_id)
		return &error_nomem;
	o->n = n;
	return NULL;
}
