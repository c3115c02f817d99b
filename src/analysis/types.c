/*
 * types: what goes with all objects of a type, at the least: the retained bytes of those that no other
 * object of the type holds, each byte once. Two objects that only together hold a third hold it as a type,
 * too: that is not in it.
 *
 * One walk over the dominator tree; on the way down it is counted how many objects of each type are above.
 * Cost: linear. Memory: 8 bytes per object.
 */
#include "analysis/analysis.h"

#include "base/cleanup.h"

#include <stdlib.h>

/* The dominators' tree, downwards: 0 is the virtual root, and none. */
struct tree {
	uint32_t *first, *next;
};

static void tree_deinit(struct tree *t)
{
	free(t->first);
	free(t->next);
}

static struct error *tree_init(struct tree *t, const struct object_table *o)
{
	t->first = calloc((uint64_t)o->n + 1, sizeof(*t->first));
	t->next = calloc((uint64_t)o->n + 1, sizeof(*t->next));
	if (!t->first || !t->next)
		return &error_nomem;
	for (uint32_t id = o->n; id; id--) {
		uint32_t above = o->dominator[id - 1];
		t->next[id] = t->first[above];
		t->first[above] = id;
	}
	return NULL;
}

struct error *analysis_types(struct snapshot *s, struct log *log)
{
	(void)log;
	const struct object_table *o = &s->object;
	_cleanup_(tree_deinit) struct tree t = {0};
	_cleanup_free_ uint32_t *above = NULL; /* objects of a type that hold where the walk is */
	if (!o->dominator || !o->retained || !o->type_id || !s->type.n)
		return NULL;
	above = calloc(s->type.n + 1, sizeof(*above));
	struct error *err = above ? tree_init(&t, o) : &error_nomem;
	if (err)
		return err;
	for (uint64_t i = 0; i < s->type.n; i++)
		s->type.at[i].retained = 0;
	for (uint32_t at = t.first[0]; at;) {
		uint32_t type = o->type_id[at - 1];
		if (type && !above[type]++)
			s->type.at[type - 1].retained += o->retained[at - 1];
		if (t.first[at]) {
			at = t.first[at];
			continue;
		}
		for (;;) {
			type = o->type_id[at - 1];
			if (type)
				above[type]--;
			if (t.next[at]) {
				at = t.next[at];
				break;
			}
			at = o->dominator[at - 1];
			if (!at)
				break;
		}
	}
	return NULL;
}
