/*
 * census: how many objects there are of each kind, so that no question about all objects has to
 * read all objects. One pass over the columns into a hash table of the distinct kinds; rows in the
 * order of their keys, so that they do not depend on the hash.
 *
 * Cost: a table lookup per object. Kinds are few as long as sizes are; never more than objects.
 */
#include "analysis/analysis.h"

#include <stdlib.h>
#include <string.h>

struct census {
	struct snapshot *s;
	uint32_t *slot; /* row number + 1; 0 empty; open addressing */
	uint64_t slots; /* power of two, at least twice the rows */
	uint32_t last;	/* row number + 1 of the object before; 0: there was none */
};

static bool same_kind(const struct census_row *a, const struct census_row *b)
{
	return a->size == b->size && a->type_id == b->type_id && a->arena_id == b->arena_id &&
	       a->reachable == b->reachable && a->grade == b->grade;
}

static uint64_t kind_hash(const struct census_row *r)
{
	uint64_t small = (uint64_t)r->arena_id << 16 | (uint64_t)r->reachable << 8 | r->grade;
	uint64_t h = r->size * UINT64_C(0x9e3779b97f4a7c15) ^
		     r->type_id * UINT64_C(0xc2b2ae3d27d4eb4f) ^
		     small * UINT64_C(0x165667b19e3779f9);
	return h ^ h >> 29;
}

/* Where the row is, or where it would go. */
static uint32_t *census_slot(const struct census *c, const struct census_row *r)
{
	uint64_t i = kind_hash(r);
	for (;; i++) {
		uint32_t *slot = &c->slot[i & (c->slots - 1)];
		if (!*slot || same_kind(&c->s->census.at[*slot - 1], r))
			return slot;
	}
}

static struct error *census_grow(struct census *c)
{
	uint64_t slots = c->slots ? c->slots * 2 : 1024;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return &error_nomem;
	free(c->slot);
	c->slot = slot;
	c->slots = slots;
	for (uint64_t i = 0; i < c->s->census.n; i++)
		*census_slot(c, &c->s->census.at[i]) = (uint32_t)i + 1;
	return NULL;
}

static struct error *census_count(struct census *c, const struct census_row *kind)
{
	uint32_t *slot = census_slot(c, kind);
	if (*slot) {
		struct census_row *row = &c->s->census.at[*slot - 1];
		row->objects++;
		row->tops += kind->tops;
		row->tops_retained += kind->tops_retained;
		c->last = *slot;
		return NULL;
	}
	struct error *err = vec_push(&c->s->census, *kind);
	if (err)
		return err;
	c->last = *slot = (uint32_t)c->s->census.n;
	return c->s->census.n * 2 > c->slots ? census_grow(c) : NULL;
}

static int census_order(const void *pa, const void *pb)
{
	const struct census_row *a = pa, *b = pb;
	if (a->type_id != b->type_id)
		return a->type_id < b->type_id ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	if (a->arena_id != b->arena_id)
		return a->arena_id < b->arena_id ? -1 : 1;
	if (a->reachable != b->reachable)
		return a->reachable < b->reachable ? -1 : 1;
	return (a->grade > b->grade) - (a->grade < b->grade);
}

struct error *analysis_census(struct snapshot *s, struct log *log)
{
	(void)log;
	const struct object_table *o = &s->object;
	struct census c = {.s = s};
	s->census.n = 0;
	struct error *err = census_grow(&c);
	/* Of a trace there are sizes alone, those of a kind together. */
	bool plain = !o->type_id && !o->arena_id && !o->reachable && !o->grade && !o->dominator;
	for (uint32_t i = 0; i < o->n && !err; i++) {
		if (plain && i && o->size[i] == o->size[i - 1]) {
			s->census.at[c.last - 1].objects++;
			continue;
		}
		bool top = o->dominator && o->retained && !o->dominator[i];
		const struct census_row kind = {
			.size = o->size[i],
			.type_id = o->type_id ? o->type_id[i] : 0,
			.arena_id = o->arena_id ? o->arena_id[i] : 0,
			.reachable = o->reachable ? o->reachable[i] : 255,
			.grade = o->grade ? o->grade[i] : 0,
			.objects = 1,
			.tops = top,
			.tops_retained = top ? o->retained[i] : 0,
		};
		err = census_count(&c, &kind);
	}
	free(c.slot);
	if (!err && s->census.n)
		qsort(s->census.at, s->census.n, sizeof(*s->census.at), census_order);
	return err;
}
