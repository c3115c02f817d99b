#include "cmd/diff_side.h"

#include "base/cleanup.h"
#include "cmd/cmd.h"
#include "store/embed.h"
#include "store/rows.h"

#include <assert.h>
#include <stdlib.h>

enum { NODE_LOST = 1 }; /* retention.id of what nothing leads to */
enum { AHEAD = 24 };	/* references */

void side_deinit(struct side *s)
{
	store_close(s->store);
	free(s->type);
	free(s->key);
	free(s->parent);
	free(s->flags);
	free(s->of);
	free(s->size);
	free(s->node);
	free(s->address);
	free(s->lead);
	free(s->type_id);
	free(s->degree);
	free(s->holder);
	free(s->queue);
	vec_deinit(&s->edge);
	free(s->gain);
	free(s->top);
	*s = (struct side){0};
}

/* ---- reading ---- */

static struct error *side_prepare(struct side *s, const char *query, sqlite3_stmt **ret)
{
	const char *sql = embed_find(query);
	assert(sql);
	if (sqlite3_prepare_v2(s->store->db, sql, -1, ret, NULL))
		return error_new(ERROR_INPUT, "%s", sqlite3_errmsg(s->store->db));
	return NULL;
}

static struct error *side_ids(struct side *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	uint32_t *const most[] = {&s->n, &s->ntype, &s->nnode};
	struct error *err = side_prepare(s, "growth/ids.sql", &stmt);
	if (err)
		return err;
	if (sqlite3_step(stmt) != SQLITE_ROW)
		return error_new(ERROR_INPUT, "%s", sqlite3_errmsg(s->store->db));
	for (int i = 0; i < 3; i++) {
		int64_t n = sqlite3_column_int64(stmt, i);
		/* Ids are dense: a file that has others was not made by us. */
		if (n < 0 || n >= INT32_MAX || n != sqlite3_column_int64(stmt, i + 3))
			return error_new(ERROR_INPUT, "ids are not dense");
		*most[i] = (uint32_t)n;
	}
	return NULL;
}

static struct error *side_types(struct side *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	s->type = calloc((size_t)s->ntype + 1, sizeof(*s->type));
	struct error *err = s->type ? side_prepare(s, "growth/types.sql", &stmt) : &error_nomem;
	while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		if (id > 0 && id <= s->ntype)
			s->type[id] = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	return err;
}

static struct error *side_nodes(struct side *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const size_t n = (size_t)s->nnode + 1;
	s->key = calloc(n, sizeof(*s->key));
	s->parent = calloc(n, sizeof(*s->parent));
	s->flags = calloc(n, sizeof(*s->flags));
	if (!s->key || !s->parent || !s->flags)
		return &error_nomem;
	struct error *err = side_prepare(s, "growth/nodes.sql", &stmt);
	while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0), up = sqlite3_column_int64(stmt, 1);
		if (id <= 0 || id > s->nnode || up < 0 || up >= id)
			continue;
		s->parent[id] = (uint32_t)up;
		s->key[id] = (uint64_t)sqlite3_column_int64(stmt, 3);
		s->flags[id] = (uint8_t)((sqlite3_column_int(stmt, 2) ? NODE_SPACE : 0) |
					 (!up ? NODE_TOP : 0));
	}
	return err;
}

enum {
	OBJECT_ID,
	OBJECT_ADDRESS,
	OBJECT_BLOCK,
	OBJECT_SIZE,
	OBJECT_TYPE,
	OBJECT_OWNER,
	OBJECT_NODE,
	OBJECT_COLUMNS
};
static const struct rows_column object_columns[OBJECT_COLUMNS] = {
	[OBJECT_ID] = {.name = "id"},
	[OBJECT_ADDRESS] = {.name = "address"},
	[OBJECT_BLOCK] = {.name = "block"},
	[OBJECT_SIZE] = {.name = "size"},
	[OBJECT_TYPE] = {.name = "type_id"},
	[OBJECT_OWNER] = {.name = "owner_id"},
	[OBJECT_NODE] = {.name = "retention_id"},
};

static inline bool id_is_sound(int64_t id, uint32_t most)
{
	return id >= 0 && id <= most;
}

static struct error *objects_take(void *arg, const struct rows_batch *b)
{
	struct side *s = arg;
	for (uint32_t i = 0; i < b->n; i++) {
		const uint32_t id = ++s->got;
		const int64_t owner = b->value[OBJECT_OWNER][i], type = b->value[OBJECT_TYPE][i];
		const int64_t node = b->value[OBJECT_NODE][i];
		if (id > s->n || b->value[OBJECT_ID][i] != id || !id_is_sound(owner, s->n) ||
		    !id_is_sound(type, s->ntype) || !id_is_sound(node, s->nnode))
			return error_new(ERROR_INPUT, "object %lld is not sound",
					 (long long)b->value[OBJECT_ID][i]);
		const uint64_t address = (uint64_t)b->value[OBJECT_ADDRESS][i];
		const uint64_t lead = address - (uint64_t)b->value[OBJECT_BLOCK][i];
		s->address[id] = address;
		s->lead[id] = lead < UINT32_MAX ? (uint32_t)lead : UINT32_MAX;
		s->size[id] = (uint64_t)b->value[OBJECT_SIZE][i];
		s->type_id[id] = (uint32_t)type;
		s->node[id] = (uint32_t)node;
		s->of[id].owner = (uint32_t)owner;
	}
	return NULL;
}

static struct error *side_parts(struct side *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = side_prepare(s, "growth/parts.sql", &stmt);
	while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
		const int64_t id = sqlite3_column_int64(stmt, 0);
		if (id > 0 && id <= s->n)
			s->of[id].owner = 0;
	}
	return err;
}

static struct error *side_objects(struct side *s)
{
	const size_t n = (size_t)s->n + 1;
	s->of = calloc(n, sizeof(*s->of));
	s->size = calloc(n, sizeof(*s->size));
	s->node = calloc(n, sizeof(*s->node));
	s->address = calloc(n, sizeof(*s->address));
	s->lead = calloc(n, sizeof(*s->lead));
	s->type_id = calloc(n, sizeof(*s->type_id));
	if (!s->of || !s->size || !s->node || !s->address || !s->lead || !s->type_id)
		return &error_nomem;
	struct error *err = rows_read(s->store->db, "object", object_columns, OBJECT_COLUMNS, false,
				      objects_take, s);
	if (!err && s->got != s->n)
		err = error_new(ERROR_INPUT, "ids are not dense");
	return err ? err : side_parts(s);
}

struct error *side_open(struct side *s, const char *path)
{
	struct error *err = store_open(path, &s->store);
	if (err)
		return err;
	err = side_ids(s);
	if (!err)
		err = side_types(s);
	if (!err)
		err = side_nodes(s);
	if (!err)
		err = side_objects(s);
	return err ? error_note(err, "comparing objects: %s", path) : NULL;
}

void side_paired(struct side *s)
{
	free(s->address);
	free(s->lead);
	free(s->type_id);
	free(s->type);
	s->address = NULL;
	s->lead = s->type_id = NULL;
	s->type = NULL;
}

/* ---- references ---- */

enum { REFERENCE_SRC, REFERENCE_DST, REFERENCE_KIND, REFERENCE_KEY, REFERENCE_COLUMNS };
static const struct rows_column reference_columns[REFERENCE_COLUMNS] = {
	[REFERENCE_SRC] = {.name = "src"},
	[REFERENCE_DST] = {.name = "dst"},
	[REFERENCE_KIND] = {.name = "kind"},
	[REFERENCE_KEY] = {.name = "name", .prefix = "<key "},
};
enum { KIND_WEAK = 2 };

/* Counts the members of each object (a key is none); keeps the references to what is not the same. */
static struct error *references_take(void *arg, const struct rows_batch *b)
{
	struct side *s = arg;
	const int64_t *to = b->value[REFERENCE_DST];
	for (uint32_t i = 0; i < b->n; i++) {
		const int64_t from = b->value[REFERENCE_SRC][i];
		if (from < s->before || !from || from > s->n || to[i] <= 0 || to[i] > s->n)
			return error_new(ERROR_INPUT, "a reference is not sound");
		/* Any id may stand there: asking for what is not there costs nothing. */
		if (b->n - i > AHEAD)
			__builtin_prefetch(
				(const void *)((uintptr_t)s->of +
					       (uint64_t)to[i + AHEAD] * sizeof(*s->of)));
		if (b->value[REFERENCE_KIND][i] == KIND_WEAK)
			continue;
		const uint32_t src = (uint32_t)from, dst = (uint32_t)to[i];
		s->before = src;
		const struct side_object of = s->of[dst];
		const uint32_t owner = side_owner(s, src);
		if (!b->value[REFERENCE_KEY][i] && owner != (of.owner ? of.owner : dst))
			s->degree[owner]++;
		if (of.same)
			continue;
		struct error *err = vec_push(&s->edge, ((struct side_edge){src, dst}));
		if (err)
			return err;
	}
	return NULL;
}

/* ---- what holds what is not the same ---- */

/* Is this reference the last step of dst's retention path? */
static bool edge_is_on_path(const struct side *s, const struct side_edge *e)
{
	uint32_t src = s->node[e->src], dst = s->node[e->dst];
	if (!src || !dst)
		return false;
	return src == dst || s->parent[dst] == src ||
	       (s->flags[src] & NODE_SPACE && s->parent[dst] == s->parent[src]);
}

static void side_take(struct side *s, uint32_t id, int32_t holder)
{
	s->holder[id] = holder;
	s->queue[s->nqueue++] = id;
}

/* Hands on what holds them to what hangs off the objects in the queue. */
static void side_spread(struct side *s, bool on_path)
{
	for (uint32_t done = 0; done < s->nqueue; done++) {
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
			const struct side_edge *e = &s->edge.at[lo];
			if (!s->holder[e->dst] && (!on_path || edge_is_on_path(s, e)))
				side_take(s, e->dst, s->holder[id]);
		}
	}
}

/* First along retention paths; then, of what is left, along any reference. */
static void side_attach(struct side *s)
{
	for (int on_path = 1; on_path >= 0; on_path--) {
		for (uint64_t i = 0; i < s->edge.n; i++) {
			const struct side_edge *e = &s->edge.at[i];
			if (s->of[e->src].same && !s->holder[e->dst] &&
			    s->node[e->dst] != NODE_LOST && s->node[e->src] != NODE_LOST &&
			    (!on_path || edge_is_on_path(s, e)))
				side_take(s, e->dst, (int32_t)side_owner(s, e->src));
		}
		for (uint32_t id = 1; id <= s->n && on_path; id++) {
			uint32_t node = s->node[id];
			if (!s->of[id].same && !s->holder[id] && node > NODE_LOST &&
			    s->flags[node] & NODE_TOP)
				side_take(s, id, -(int32_t)node);
		}
		side_spread(s, on_path);
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
		struct side_gain *g = holder > 0 ? &s->gain[holder] : &s->top[-holder];
		bool buffer = s->of[id].owner;
		g->objects += !buffer;
		g->bytes += s->size[id];
		if (!g->sample || (g->buffer && !buffer)) {
			g->sample = id;
			g->buffer = buffer;
		}
	}
	return NULL;
}

struct error *side_hold(struct side *s)
{
	const size_t n = (size_t)s->n + 1;
	s->degree = calloc(n, sizeof(*s->degree));
	s->holder = calloc(n, sizeof(*s->holder));
	s->queue = calloc(n, sizeof(*s->queue));
	if (!s->degree || !s->holder || !s->queue)
		return &error_nomem;
	struct error *err = rows_read(s->store->db, "reference", reference_columns,
				      REFERENCE_COLUMNS, false, references_take, s);
	if (err)
		return error_note(err, "comparing objects: %s", s->store->path);
	side_attach(s);
	return side_gains(s);
}
