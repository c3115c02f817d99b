/* clusters: what its files share. clusters.c says what a cluster is. */
#pragma once

#include "base/bits.h"
#include "base/error.h"
#include "graph/csr.h"
#include "snapshot/snapshot.h"

/*
 * The type of an object, if that says more than what its bytes look like ("text (UTF-8)", "zeroes",
 * "pointer array": names without language and module, which like objects need not share); else 0.
 */
static inline uint32_t cluster_type(const struct snapshot *s, uint32_t id)
{
	uint32_t type = s->object.type_id ? s->object.type_id[id - 1] : 0;
	if (!type)
		return 0;
	const struct type_row *t = &s->type.at[type - 1];
	bool named = *intern_text(&s->strings, t->language) || *intern_text(&s->strings, t->module);
	return named ? type : 0;
}

/*
 * heads.c: the heads of the leak clusters, as bits by object id (the caller's to deinit). The
 * graphs must leave weak references out. Needs object.reachable. At most 4 bytes per unreachable
 * object and a few bits per object.
 */
struct error *leak_heads(const struct snapshot *s, const struct csr *forward,
			 const struct csr *backward, struct bits *ret) _must_check_;

/*
 * clusters.c: the rows of both kinds, and their members, from the heads. `forward` must leave weak
 * references out. Needs object.reachable, where 1 and 2 are the same.
 */
struct error *clusters_find(struct snapshot *s, const struct csr *forward,
			    const struct bits *head) _must_check_;

/* Which of two objects on a cycle is the better one to start looking at: a, rather than b? */
bool head_is_better(const struct snapshot *s, uint32_t a, uint32_t b);

/*
 * shape.c: signatures. A signature is text that is equal for clusters of one shape, such as
 *
 *	48				one object of 48 bytes and no reference
 *	48 -> 32[+16] (a1b2c3d4)	48 bytes; the word at 16 points to an object of 32
 *	conn -> conn[+0], 64[+8], ... (0badcafe)
 *
 * An object's label is its type's name (cluster_type), else its size in bytes; a buffer that
 * another object owns has its owner's label and "buffer". The shape is the label of the head and
 * the set of distinct (label, offset, label) of the references inside the cluster: how often one
 * occurs does not matter, so lists of 3 and of 3000 nodes have one shape. Offsets in buffers do not
 * matter either. Behind the arrow stand the first SHAPE_HINTS different references that objects
 * with the head's label have, by offset; the digits are a hash of the whole shape, equal in every
 * run and dump. Without digits the text says all there is.
 *
 * Of a cluster with more than SHAPE_EDGES distinct references only those count whose own hash
 * begins with enough zeroes, so that the work and memory are bounded; the choice depends on the set
 * alone.
 */
enum { SHAPE_EDGES = 1 << 15, SHAPE_HINTS = 3 };

struct shape_hint {
	int64_t offset;
	uint32_t to;   /* an object with the label */
	uint64_t hash; /* of the label */
};

struct shape {
	struct snapshot *s;
	uint32_t word_size;
	uint64_t *type_hash; /* by type id */
	uint64_t *slot;	     /* set of edge hashes; 0 is free */
	uint32_t *used;	     /* the slots in use */
	uint32_t nused, zeroes;
	struct shape_hint hint[SHAPE_HINTS + 1]; /* one more, to know that there are more */
	uint32_t nhint;
	struct shape_known *known; /* texts made before, by hash */
};

struct error *shape_init(struct shape *sh, struct snapshot *s) _must_check_;
void shape_deinit(struct shape *sh);

/*
 * Of the cluster `number`: its members, and group[id - 1] = number for these only. `graph` has the
 * references that count. *ret is a string id.
 */
struct error *shape_signature(struct shape *sh, const struct csr *graph, const uint32_t *member,
			      uint32_t n, const uint32_t *group, uint32_t number, uint32_t head,
			      uint32_t *ret) _must_check_;
