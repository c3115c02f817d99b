/* edges: the snapshot's references as graphs, with the edges left out that a question does not
 * mean. */
#pragma once

#include "base/bits.h"
#include "base/error.h"
#include "graph/csr.h"
#include "snapshot/snapshot.h"

/* reference.kind, as INTERFACE has it. */

/* The references forward and backward; references.c makes sure that both exist. */
static inline struct csr edges_forward(const struct snapshot *s)
{
	return (struct csr){.n = s->object.n, .first = s->edge.first, .dst = s->edge.dst};
}

static inline struct csr edges_backward(const struct snapshot *s)
{
	return (struct csr){.n = s->object.n, .first = s->edge.rfirst, .dst = s->edge.rsrc};
}

/*
 * Is this proven to be dead, and that not? A word from there to here is a chance likeness: see
 * pygc.c. Without CPython nothing is dead.
 */
static inline bool edges_is_dead(const struct snapshot *s, uint32_t id)
{
	return s->object.flags && (s->object.flags[id - 1] & OBJECT_DEAD);
}

/*
 * Weak and borrowed references keep nothing alive, nor does what points from the living to the
 * dead. skip->word stays NULL when there is none.
 */
struct error *edges_weak(const struct snapshot *s, struct bits *skip) _must_check_;

/* The same by the numbering of the backward rows. 4 bytes per object while it runs. */
struct error *edges_weak_backward(const struct snapshot *s, const struct bits *weak,
				  struct bits *skip) _must_check_;

/* For csr.skip: NULL when nothing is left out. */
static inline const struct bits *edges_skip(const struct bits *skip)
{
	return skip->word ? skip : NULL;
}
