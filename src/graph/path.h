/*
 * path: shortest chains of edges that lead to a goal, found from the goal backwards.
 *
 * The caller knows the graph (a table of a database, rows in memory); this keeps the order and what
 * was seen:
 *
 *	path_init(&p, goal);
 *	while (path_next(&p, &at))
 *		for (each edge e from v to p.step.at[at].vertex)
 *			path_add(&p, at, v, e);
 *
 * Steps come in the order of their distance from the goal, each vertex once. From any step, `next`
 * leads to the goal along a shortest chain. Memory: 20 bytes a step, and 8 to 16 for finding it
 * again.
 */
#pragma once

#include "base/error.h"
#include "base/vec.h"

#include <stdbool.h>
#include <stdint.h>

enum { PATH_NONE = 0xffffffff };

struct path_step {
	uint64_t edge; /* from this vertex to the next one; the caller's name for it */
	uint32_t vertex;
	uint32_t next;	/* index of the step that it leads to; PATH_NONE: this is the goal */
	uint32_t depth; /* edges from here to the goal */
};

struct path {
	VEC(struct path_step) step;
	uint32_t *slot; /* open addressing, by vertex: index in step + 1 */
	uint32_t slots; /* a power of two, at least twice the steps */
	uint32_t done;
};

struct error *path_init(struct path *p, uint32_t goal) _must_check_;
void path_deinit(struct path *p);

/* The next step whose edges are to be added; false: none is left. */
bool path_next(struct path *p, uint32_t *ret);
/* An edge from vertex v to that of step `at`. Nothing happens if v has been seen. */
struct error *path_add(struct path *p, uint32_t at, uint32_t v, uint64_t edge) _must_check_;
