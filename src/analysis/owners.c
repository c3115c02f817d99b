/*
 * owners: the memory of a C++ container is part of the block that the container's own words lie in
 * (runtime/native/containers.h): object.owner_id, as for the buffers that runtimes claim.
 *
 *	| ... begin end limit ... | ──► | items |		items' owner is the first block
 *	| ... begin end limit ... | ──► | {begin end limit} ... | ──► | items |		of both
 *
 * Only where no other block refers to that memory: the words are a guess, and two that have them are two
 * guesses. What a variable or a stack has besides is borrowed. Objects of a runtime have no such parts: it
 * says itself what they refer to.
 *
 * Last of all: a block stays a block in every count, size and path before this, as malloc gave it. Cost: a
 * bit of each reference's block looked at, where there are such containers at all.
 */
#include "analysis/analysis.h"

#include "base/bits.h"

#include <stdlib.h>

enum { DEEP_MOST = 64 }; /* vectors of vectors of ... */

/* Is the block an object of some runtime, which says itself what its parts are? */
static bool is_object(const struct object_table *o, uint32_t id)
{
	return (o->runtime && o->runtime[id - 1]) ||
	       (o->refcount && o->refcount[id - 1] != INT64_MIN);
}

/* A container whose words lie in another block, of which its memory may be a part. */
static bool is_candidate(const struct object_table *o, const struct spare_row *r)
{
	return r->form != CONTAINER_TYPED && r->header && r->holder_id &&
	       r->holder_id != r->object_id && !is_object(o, r->holder_id) &&
	       !(o->owner_id && (o->owner_id[r->object_id - 1] || o->owner_id[r->holder_id - 1]));
}

/* Candidates that another block refers to, besides their own and their holder, are none. */
static void shared_drop(const struct snapshot *s, struct bits *in)
{
	const struct edge_table *e = &s->edge;
	uint32_t *owner = s->object.owner_id;
	for (uint32_t i = 0; i < s->object.n; i++) {
		for (uint64_t k = e->first[i]; k < e->first[i + 1]; k++) {
			const uint32_t dst = e->dst[k];
			if (dst == i + 1 || !bits_test(in, dst) || owner[dst - 1] == i + 1)
				continue;
			bits_clear(in, dst);
			owner[dst - 1] = 0;
		}
	}
}

/* From the block that the words lie in to the one that is nobody's part; 0: they are part of each other. */
static uint32_t owner_of(const struct snapshot *s, const struct bits *in, uint32_t id)
{
	for (unsigned i = 0; i < DEEP_MOST; i++) {
		id = s->object.owner_id[id - 1];
		if (!bits_test(in, id))
			return id;
	}
	return 0;
}

struct error *analysis_owners(struct snapshot *s, struct log *log)
{
	struct object_table *o = &s->object;
	uint64_t candidates = 0;
	struct bits in;
	(void)log;
	for (uint64_t i = 0; i < s->spare.n; i++)
		candidates += is_candidate(o, &s->spare.at[i]);
	if (!candidates || !s->edge.first)
		return NULL;
	if (!o->owner_id)
		o->owner_id = calloc(o->n, sizeof(*o->owner_id));
	if (!o->owner_id)
		return &error_nomem;
	struct error *err = bits_init(&in, (uint64_t)o->n + 1);
	if (err)
		return err;
	for (uint64_t i = 0; i < s->spare.n; i++)
		if (is_candidate(o, &s->spare.at[i]))
			bits_set(&in, s->spare.at[i].object_id);
	for (uint64_t i = 0; i < s->spare.n; i++)
		if (bits_test(&in, s->spare.at[i].object_id))
			o->owner_id[s->spare.at[i].object_id - 1] = s->spare.at[i].holder_id;
	shared_drop(s, &in);
	for (uint64_t i = 0; i < s->spare.n; i++) {
		const uint32_t id = s->spare.at[i].object_id;
		if (!bits_test(&in, id))
			continue;
		o->owner_id[id - 1] = owner_of(s, &in, id);
		if (!o->owner_id[id - 1])
			bits_clear(&in, id);
	}
	bits_deinit(&in);
	return NULL;
}
