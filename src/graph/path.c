#include "graph/path.h"

#include <assert.h>

enum { SLOTS_FIRST = 1024 };

static uint32_t path_hash(uint32_t vertex)
{
	return (uint32_t)(vertex * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* Where v stands, or would stand. */
static uint32_t path_slot(const struct path *p, uint32_t v)
{
	uint32_t at = path_hash(v) & (p->slots - 1);
	while (p->slot[at] && p->step.at[p->slot[at] - 1].vertex != v)
		at = (at + 1) & (p->slots - 1);
	return at;
}

static struct error *path_grow(struct path *p, uint32_t slots)
{
	uint32_t *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return &error_nomem;
	free(p->slot);
	p->slot = slot;
	p->slots = slots;
	for (uint64_t i = 0; i < p->step.n; i++)
		p->slot[path_slot(p, p->step.at[i].vertex)] = (uint32_t)i + 1;
	return NULL;
}

static struct error *path_push(struct path *p, const struct path_step *step)
{
	if (2 * (p->step.n + 1) > p->slots && p->slots <= UINT32_MAX / 4) {
		struct error *err = path_grow(p, p->slots * 2);
		if (err)
			return err;
	}
	uint32_t at = path_slot(p, step->vertex);
	if (p->slot[at])
		return NULL;
	struct error *err = vec_push(&p->step, *step);
	if (!err)
		p->slot[at] = (uint32_t)p->step.n;
	return err;
}

struct error *path_init(struct path *p, uint32_t goal)
{
	*p = (struct path){.step = {.max = UINT32_C(1) << 30}};
	struct error *err = path_grow(p, SLOTS_FIRST);
	return err ? err : path_push(p, &(struct path_step){.vertex = goal, .next = PATH_NONE});
}

void path_deinit(struct path *p)
{
	vec_deinit(&p->step);
	free(p->slot);
	p->slot = NULL;
}

bool path_next(struct path *p, uint32_t *ret)
{
	if (p->done == p->step.n)
		return false;
	*ret = p->done++;
	return true;
}

struct error *path_add(struct path *p, uint32_t at, uint32_t v, uint64_t edge)
{
	assert(at < p->step.n);
	return path_push(p, &(struct path_step){
				    .edge = edge,
				    .vertex = v,
				    .next = at,
				    .depth = p->step.at[at].depth + 1,
			    });
}
