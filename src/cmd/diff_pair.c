/* diff_pair: see diff_impl.h. */
#include "cmd/diff_impl.h"

#include "base/cleanup.h"
#include "base/vec.h"

#include <stdlib.h>
#include <string.h>

enum { NODE_LOST = 1 }; /* retention.id of what nothing leads to */

enum { NODE_SPACE = 1, NODE_TOP = 2 }; /* a __dict__, whose keys are its parent's; a root's own */

struct edge {
	uint32_t src, dst;
};

struct gain {
	uint64_t objects, bytes;
	uint32_t sample;
	bool buffer; /* the sample is one */
};

struct side {
	uint32_t n; /* the highest id */
	uint32_t ntype, nnode;
	uint64_t *type;	       /* by type id: content key; 0: a guess, or none */
	uint64_t *size;	       /* by object id */
	uint32_t *owner;       /* by object id */
	uint32_t *degree;      /* by object id: references of it and its buffers */
	uint32_t *same;	       /* by object id: its id on the other side; 0: it is not there */
	uint32_t *node;	       /* by object id: retention.id */
	uint32_t *parent;      /* by retention.id */
	uint32_t *twin;	       /* by retention.id: of the same path on the other side */
	uint8_t *flags;	       /* by retention.id */
	VEC(struct edge) edge; /* to objects that are not the same, in the order of src */
	int32_t *holder; /* by object id: that of the holder; negative: retention.id; 0: none */
	uint32_t *queue;
	uint32_t nqueue;
	struct gain *gain,
		*top; /* by object id, by retention.id: what hangs off it and is not the same */
	uint64_t objects, bytes; /* that are not the same */
};

/* Where a side's rows come from. */
struct side_queries {
	const char *ids, *types, *nodes, *objects, *references;
};

struct pair {
	struct cmd_context *ctx;
	struct side old, new;
	uint64_t same_objects, same_bytes;
};

static void side_deinit(struct side *s)
{
	free(s->type);
	free(s->size);
	free(s->owner);
	free(s->degree);
	free(s->same);
	free(s->node);
	free(s->parent);
	free(s->twin);
	free(s->flags);
	vec_deinit(&s->edge);
	free(s->holder);
	free(s->queue);
	free(s->gain);
	free(s->top);
}

static void pair_deinit(struct pair *p)
{
	side_deinit(&p->old);
	side_deinit(&p->new);
}

static const struct side_queries queries_old = {"growth/ids_old.sql", "growth/types_old.sql",
						"growth/nodes_old.sql", "growth/objects_old.sql",
						"growth/references_old.sql"};
static const struct side_queries queries_new = {"growth/ids_new.sql", "growth/types_new.sql",
						"growth/nodes_new.sql", "growth/objects_new.sql",
						"growth/references_new.sql"};

/* ---- reading ---- */

static struct error *pair_prepare(struct pair *p, const char *query, sqlite3_stmt **ret)
{
	return cmd_prepare(p->ctx, query, 0, ret);
}

static struct error *pair_error(const struct pair *p)
{
	return error_new(ERROR_INPUT, "comparing objects: %s", sqlite3_errmsg(p->ctx->store->db));
}

static struct error *side_ids(struct pair *p, struct side *s, const char *query)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = pair_prepare(p, query, &stmt);
	if (err)
		return err;
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return pair_error(p);
	uint32_t *const most[] = {&s->n, &s->ntype, &s->nnode};
	for (int i = 0; i < 3; i++) {
		int64_t n = sqlite3_column_int64(stmt, i);
		/* Ids are dense: a file that has others was not made by us. */
		if (n < 0 || n >= INT32_MAX || n != sqlite3_column_int64(stmt, i + 3))
			return error_new(ERROR_INPUT, "comparing objects: ids are not dense");
		*most[i] = (uint32_t)n;
	}
	return NULL;
}

static struct error *side_nodes(struct pair *p, struct side *s, const char *query)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const uint32_t most = s->nnode;
	s->parent = calloc((size_t)most + 1, sizeof(*s->parent));
	s->twin = calloc((size_t)most + 1, sizeof(*s->twin));
	s->flags = calloc((size_t)most + 1, sizeof(*s->flags));
	if (!s->parent || !s->twin || !s->flags)
		return &error_nomem;
	struct error *err = pair_prepare(p, query, &stmt);
	while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0), up = sqlite3_column_int64(stmt, 1);
		int64_t twin = sqlite3_column_int64(stmt, 3);
		if (id <= 0 || id > most || up < 0 || up >= id || twin < 0 || twin > INT32_MAX)
			continue;
		s->parent[id] = (uint32_t)up;
		s->twin[id] = (uint32_t)twin;
		s->flags[id] = (uint8_t)((sqlite3_column_int(stmt, 2) ? NODE_SPACE : 0) |
					 (!up ? NODE_TOP : 0));
	}
	return err;
}

static struct error *side_init(struct pair *p, struct side *s, const struct side_queries *q)
{
	struct error *err = side_ids(p, s, q->ids);
	if (err)
		return err;
	size_t n = (size_t)s->n + 1;
	s->type = calloc((size_t)s->ntype + 1, sizeof(*s->type));
	s->size = calloc(n, sizeof(*s->size));
	s->owner = calloc(n, sizeof(*s->owner));
	s->degree = calloc(n, sizeof(*s->degree));
	s->same = calloc(n, sizeof(*s->same));
	s->node = calloc(n, sizeof(*s->node));
	s->holder = calloc(n, sizeof(*s->holder));
	s->queue = calloc(n, sizeof(*s->queue));
	if (!s->type || !s->size || !s->owner || !s->degree || !s->same || !s->node || !s->holder ||
	    !s->queue)
		return &error_nomem;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	err = pair_prepare(p, q->types, &stmt);
	while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		if (id > 0 && id <= s->ntype)
			s->type[id] = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	return err ? err : side_nodes(p, s, q->nodes);
}

/* A row of a query of objects; id 0: there are no more. */
struct object {
	uint32_t id, owner, node;
	uint64_t address, block, size, type;
};

static struct error *object_next(struct pair *p, const struct side *s, sqlite3_stmt *stmt,
				 struct object *o)
{
	uint32_t before = o->id;
	int rc = sqlite3_step(stmt);
	*o = (struct object){.address = UINT64_MAX};
	if (rc == SQLITE_DONE)
		return NULL;
	if (rc != SQLITE_ROW)
		return pair_error(p);
	int64_t id = sqlite3_column_int64(stmt, 0), type = sqlite3_column_int64(stmt, 4);
	int64_t owner = sqlite3_column_int64(stmt, 5), node = sqlite3_column_int64(stmt, 6);
	if (id <= before || id > s->n || owner < 0 || owner > s->n || type < 0 || type > s->ntype ||
	    node < 0 || node > s->nnode)
		return error_new(ERROR_INPUT, "comparing objects: object %lld is not sound",
				 (long long)id);
	o->id = (uint32_t)id;
	o->address = (uint64_t)sqlite3_column_int64(stmt, 1);
	o->block = (uint64_t)sqlite3_column_int64(stmt, 2);
	o->size = (uint64_t)sqlite3_column_int64(stmt, 3);
	o->type = s->type[type];
	o->owner = (uint32_t)owner;
	o->node = (uint32_t)node;
	return NULL;
}

static bool object_is_same(const struct object *a, const struct object *b)
{
	return a->address == b->address && a->block == b->block && a->type == b->type &&
	       (a->type || a->size == b->size);
}

static void side_take(struct side *s, const struct object *o, uint32_t same)
{
	s->owner[o->id] = o->owner;
	s->node[o->id] = o->node;
	s->size[o->id] = o->size;
	s->same[o->id] = same;
	s->objects += !same;
	s->bytes += same ? 0 : o->size;
}

/* Both sides are in the order of addresses. */
static struct error *pair_merge(struct pair *p)
{
	_cleanup_stmt_ sqlite3_stmt *olds = NULL, *news = NULL;
	struct object a = {0}, b = {0};
	struct error *err = pair_prepare(p, queries_old.objects, &olds);
	if (!err)
		err = pair_prepare(p, queries_new.objects, &news);
	if (!err)
		err = object_next(p, &p->old, olds, &a);
	if (!err)
		err = object_next(p, &p->new, news, &b);
	while (!err && (a.id || b.id)) {
		bool take_old = a.id && (!b.id || a.address <= b.address);
		bool take_new = b.id && (!a.id || b.address <= a.address);
		bool same = take_old && take_new && object_is_same(&a, &b);
		if (take_old)
			side_take(&p->old, &a, same ? b.id : 0);
		if (take_new)
			side_take(&p->new, &b, same ? a.id : 0);
		p->same_objects += same;
		p->same_bytes += same ? b.size : 0;
		if (take_old)
			err = object_next(p, &p->old, olds, &a);
		if (take_new && !err)
			err = object_next(p, &p->new, news, &b);
	}
	return err;
}

/* ---- references ---- */

static uint32_t owner_of(const struct side *s, uint32_t id)
{
	return s->owner[id] ? s->owner[id] : id;
}

/* Counts the members of each object; keeps the references to what is not the same. */
static struct error *side_references(struct pair *p, struct side *s, const char *query)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = pair_prepare(p, query, &stmt);
	int rc = SQLITE_DONE;
	uint32_t before = 0;
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t from = sqlite3_column_int64(stmt, 0), to = sqlite3_column_int64(stmt, 1);
		if (from < before || from <= 0 || from > s->n || to <= 0 || to > s->n)
			return error_new(ERROR_INPUT,
					 "comparing objects: a reference is not sound");
		uint32_t src = (uint32_t)from, dst = (uint32_t)to;
		before = src;
		if (owner_of(s, src) != owner_of(s, dst) && sqlite3_column_int(stmt, 2))
			s->degree[owner_of(s, src)]++;
		if (!s->same[dst])
			err = vec_push(&s->edge, ((struct edge){src, dst}));
	}
	return err || rc == SQLITE_DONE ? err : pair_error(p);
}

/* ---- what holds what is not the same ---- */

/* Is this reference the last step of dst's retention path? */
static bool edge_is_on_path(const struct side *s, const struct edge *e)
{
	uint32_t src = s->node[e->src], dst = s->node[e->dst];
	if (!src || !dst)
		return false;
	return src == dst || s->parent[dst] == src ||
	       (s->flags[src] & NODE_SPACE && s->parent[dst] == s->parent[src]);
}

static void side_hold(struct side *s, uint32_t id, int32_t holder)
{
	s->holder[id] = holder;
	s->queue[s->nqueue++] = id;
}

/* Hands on what holds them to what hangs off the objects in the queue, from `done` on. */
static void side_spread(struct side *s, uint32_t done, bool on_path)
{
	for (; done < s->nqueue; done++) {
		uint32_t id = s->queue[done];
		uint64_t lo = 0, hi = s->edge.n;
		while (lo < hi) {
			uint64_t mid = lo + (hi - lo) / 2;
			if (s->edge.at[mid].src < id)
				lo = mid + 1;
			else
				hi = mid;
		}
		for (; lo < s->edge.n && s->edge.at[lo].src == id; lo++) {
			const struct edge *e = &s->edge.at[lo];
			if (!s->holder[e->dst] && (!on_path || edge_is_on_path(s, e)))
				side_hold(s, e->dst, s->holder[id]);
		}
	}
}

/* First along retention paths; then, of what is left, along any reference. */
static void side_attach(struct side *s)
{
	for (int on_path = 1; on_path >= 0; on_path--) {
		for (uint64_t i = 0; i < s->edge.n; i++) {
			const struct edge *e = &s->edge.at[i];
			if (s->same[e->src] && !s->holder[e->dst] && s->node[e->dst] != NODE_LOST &&
			    s->node[e->src] != NODE_LOST && (!on_path || edge_is_on_path(s, e)))
				side_hold(s, e->dst, (int32_t)owner_of(s, e->src));
		}
		for (uint32_t id = 1; id <= s->n && on_path; id++) {
			uint32_t node = s->node[id];
			if (!s->same[id] && !s->holder[id] && node > NODE_LOST &&
			    s->flags[node] & NODE_TOP)
				side_hold(s, id, -(int32_t)node);
		}
		side_spread(s, 0, on_path);
	}
}

static struct error *side_gains(struct side *s)
{
	s->gain = calloc((size_t)s->n + 1, sizeof(*s->gain));
	s->top = calloc((size_t)s->nnode + 1, sizeof(*s->top));
	if (!s->gain || !s->top)
		return &error_nomem;
	for (uint32_t i = 0; i < s->nqueue; i++) {
		uint32_t id = s->queue[i];
		int32_t holder = s->holder[id];
		struct gain *g = holder > 0 ? &s->gain[holder] : &s->top[-holder];
		bool buffer = s->owner[id];
		g->objects += !buffer;
		g->bytes += s->size[id];
		if (!g->sample || (g->buffer && !buffer)) {
			g->sample = id;
			g->buffer = buffer;
		}
	}
	return NULL;
}

/* ---- rows ---- */

static struct error *insert(struct pair *p, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? NULL : pair_error(p);
}

static struct error *holder_insert(struct pair *p, sqlite3_stmt *stmt, int64_t id, uint32_t old,
				   const struct gain *fresh, const struct gain *gone)
{
	cmd_bind_int(stmt, ":new_id", id);
	cmd_bind_int(stmt, ":old_id", old);
	cmd_bind_int(stmt, ":old_members", old ? p->old.degree[old] : 0);
	cmd_bind_int(stmt, ":new_members", old ? p->new.degree[id] : 0);
	cmd_bind_int(stmt, ":new_objects", (int64_t)fresh->objects);
	cmd_bind_int(stmt, ":new_bytes", (int64_t)fresh->bytes);
	cmd_bind_int(stmt, ":gone_objects", (int64_t)gone->objects);
	cmd_bind_int(stmt, ":gone_bytes", (int64_t)gone->bytes);
	cmd_bind_int(stmt, ":sample_id", fresh->sample);
	return insert(p, stmt);
}

static struct error *pair_holders(struct pair *p)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	static const struct gain none = {0};
	struct side *s = &p->new;
	struct error *err = side_gains(&p->old);
	if (!err)
		err = side_gains(&p->new);
	if (!err)
		err = cmd_prepare(p->ctx, "growth/holder.sql", 0, &stmt);
	for (uint32_t id = 1; id <= s->n && !err; id++) {
		uint32_t old = s->same[id];
		/* a buffer's are its owner's */
		if (old && !(s->owner[id] && s->same[s->owner[id]]) &&
		    (s->gain[id].bytes || s->degree[id] > p->old.degree[old]))
			err = holder_insert(p, stmt, id, old, &s->gain[id], &p->old.gain[old]);
	}
	for (uint32_t node = 1; node <= s->nnode && !err; node++) {
		uint32_t twin = s->twin[node] <= p->old.nnode ? s->twin[node] : 0;
		if (s->top[node].bytes)
			err = holder_insert(p, stmt, -(int64_t)node, 0, &s->top[node],
					    twin ? &p->old.top[twin] : &none);
	}
	return err;
}

static struct error *pair_states(struct pair *p)
{
	const struct {
		const char *name;
		uint64_t objects, bytes;
	} state[] = {{"new", p->new.objects, p->new.bytes},
		     {"gone", p->old.objects, p->old.bytes},
		     {"same", p->same_objects, p->same_bytes}};
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(p->ctx, "growth/pairing.sql", 0, &stmt);
	for (unsigned i = 0; i < sizeof(state) / sizeof(*state) && !err; i++) {
		cmd_bind_text(stmt, ":state", state[i].name);
		cmd_bind_int(stmt, ":objects", (int64_t)state[i].objects);
		cmd_bind_int(stmt, ":bytes", (int64_t)state[i].bytes);
		err = insert(p, stmt);
	}
	return err;
}

static struct error *pair_sets(struct pair *p)
{
	_cleanup_stmt_ sqlite3_stmt *news = NULL, *olds = NULL;
	struct error *err = cmd_prepare(p->ctx, "growth/new_object.sql", 0, &news);
	if (!err)
		err = cmd_prepare(p->ctx, "growth/gone_object.sql", 0, &olds);
	for (uint32_t id = 1; id <= p->new.n && !err; id++) {
		if (p->new.same[id])
			continue;
		cmd_bind_int(news, ":id", id);
		cmd_bind_int(news, ":holder_id", p->new.holder[id]);
		err = insert(p, news);
	}
	for (uint32_t id = 1; id <= p->old.n && !err; id++) {
		if (p->old.same[id])
			continue;
		cmd_bind_int(olds, ":id", id);
		err = insert(p, olds);
	}
	return err;
}

struct error *diff_pair(struct cmd_context *ctx, bool sets)
{
	_cleanup_(pair_deinit) struct pair p = {.ctx = ctx};
	struct error *err = side_init(&p, &p.old, &queries_old);
	if (!err)
		err = side_init(&p, &p.new, &queries_new);
	if (!err)
		err = pair_merge(&p);
	if (!err)
		err = side_references(&p, &p.old, queries_old.references);
	if (!err)
		err = side_references(&p, &p.new, queries_new.references);
	if (err)
		return err;
	side_attach(&p.old);
	side_attach(&p.new);
	err = pair_states(&p);
	if (!err)
		err = pair_holders(&p);
	if (!err && sets)
		err = pair_sets(&p);
	return err;
}
