/*
 * shapes: clusters of one signature as one row, so that a question about leaks or cycles reads as
 * many rows as there are kinds of them, and not as there are clusters: a program may leak a million
 * times in a thousand ways.
 *
 * Memory while it runs: 4 bytes for each string of the snapshot, for each sort of cluster met.
 */
#include "analysis/analysis.h"

#include <stdlib.h>

enum { SORTS = 4 }; /* kind, and whether reachable */

/* The most bytes first; the first of equals. */
static int shape_compare(const void *pa, const void *pb)
{
	const struct shape_row *a = pa, *b = pb;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->reachable != b->reachable)
		return a->reachable < b->reachable ? -1 : 1;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return a->cluster_id < b->cluster_id ? -1 : a->cluster_id > b->cluster_id;
}

/* Adds cluster `id` to its row; *of is that row's number + 1, or 0: it has none yet. */
static struct error *shape_count(struct snapshot *s, uint32_t id, uint32_t *of)
{
	const struct cluster_row *c = &s->cluster.at[id - 1];
	if (!*of) {
		struct error *err = vec_push(&s->shape, ((struct shape_row){
								.kind = c->kind,
								.reachable = c->reachable != 0,
								.signature = c->signature,
								.cluster_id = id,
								.definitions = 1,
							}));
		if (err)
			return err;
		*of = (uint32_t)s->shape.n;
	}
	struct shape_row *r = &s->shape.at[*of - 1];
	r->clusters++;
	r->objects += c->objects;
	r->bytes += c->bytes;
	r->direct_bytes += c->direct_bytes;
	r->definitions &= c->definitions;
	if (c->bytes > s->cluster.at[r->cluster_id - 1].bytes)
		r->cluster_id = id;
	return NULL;
}

struct error *analysis_shapes(struct snapshot *s, struct log *log)
{
	(void)log;
	/* By signature: the row of that shape. */
	uint32_t *of[SORTS] = {NULL};
	struct error *err = NULL;
	s->shape.n = 0;
	for (uint64_t i = 0; i < s->cluster.n && !err; i++) {
		const struct cluster_row *c = &s->cluster.at[i];
		unsigned sort = (c->kind == CLUSTER_CYCLE) << 1 | (c->reachable != 0);
		uint32_t alone = 0;
		if (!of[sort])
			of[sort] = calloc((size_t)intern_count(&s->strings) + 1, sizeof(*of[sort]));
		if (!of[sort])
			err = &error_nomem;
		else
			err = shape_count(s, (uint32_t)i + 1,
					  c->signature ? &of[sort][c->signature] : &alone);
	}
	for (unsigned k = 0; k < SORTS; k++)
		free(of[k]);
	if (!err && s->shape.n)
		qsort(s->shape.at, s->shape.n, sizeof(*s->shape.at), shape_compare);
	return err;
}
