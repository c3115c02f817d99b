/*
 * diff_side: one of the two dumps whose objects diff_pair.c pairs. Each has a connection of its own, so that
 * two threads can read them at the same time.
 *
 *	side_open(&side, path);		objects, types, retention paths, in the order of ids, which is that
 *					of addresses
 *	... whoever pairs sets side.of[id].same ...
 *	side_hold(&side);		its references, and what holds what is not the same
 *	side_deinit(&side);
 *
 * What holds an object that the other side has not: the nearest object that both have, from which it is
 * reached without passing another such; of several the one on the object's retention path. What none leads to
 * hangs off a root.
 *
 * Memory: 36 bytes per object until side_paired, 32 from then on; 8 per reference to what is not the same; 25
 * per retention path.
 */
#pragma once

#include "base/error.h"
#include "base/vec.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct side_edge {
	uint32_t src, dst;
};

/* Of an object: looked up together, for each reference. */
struct side_object {
	uint32_t owner; /* id; 0: it is no buffer */
	uint32_t same;	/* its id on the other side; 0: it is not there */
};

struct side_gain {
	uint64_t objects, bytes;
	uint32_t sample;
	bool buffer; /* the sample is one */
};

enum side_node_flags {
	NODE_SPACE = 1,
	NODE_TOP = 2
}; /* a __dict__, whose keys are its parent's; a root's own */

struct side {
	struct store *store;
	uint32_t n, ntype, nnode; /* the highest ids */
	uint64_t *type;		  /* by type id: content key; 0: a guess, or none */
	uint64_t *key;		  /* by retention.id: of its path */
	uint32_t *parent;	  /* by retention.id */
	uint8_t *flags;		  /* by retention.id: enum side_node_flags */

	/* by object id; [0] is unused */
	struct side_object *of;
	uint64_t *size;
	uint32_t *node; /* retention.id */
	/* ... until side_paired */
	uint64_t *address;
	uint32_t *lead; /* bytes of the block before the address; UINT32_MAX: too many to tell */
	uint32_t *type_id;
	uint32_t got; /* how many were read */
	/* ... from then on */
	uint32_t *degree; /* references of it and its buffers */
	int32_t *holder;  /* id of what holds it; negative: retention.id; 0: none */
	uint32_t *queue;
	uint32_t nqueue, before;

	VEC(struct side_edge) edge; /* to objects that are not the same, in the order of src */
	/* by object id, by retention.id: what hangs off it and is not the same */
	struct side_gain *gain, *top;
	uint64_t objects, bytes; /* that are not the same */
};

struct error *side_open(struct side *s, const char *path) _must_check_;
void side_deinit(struct side *s);
/* side.of has all `same`s: what only served to find them is given back. */
void side_paired(struct side *s);
struct error *side_hold(struct side *s) _must_check_;

struct cmd_context;
/*
 * diff_rooms.c: fills the table filled. Both sides are paired; the new database is attached as `new`. `all`:
 * those, too, that have little more in them.
 */
struct error *diff_rooms(struct cmd_context *ctx, const struct side *old, const struct side *new,
			 bool all) _must_check_;

static inline uint32_t side_owner(const struct side *s, uint32_t id)
{
	return s->of[id].owner ? s->of[id].owner : id;
}
