/* diff_rooms: see diff_side.h. */
#include "cmd/diff_side.h"

#include "base/cleanup.h"
#include "cmd/diff_impl.h"
#include "store/embed.h"

#include <assert.h>

enum { FORM_HASH = 4 }; /* as in growth/rooms.sql */

/* A row of growth/rooms.sql. */
struct room {
	sqlite3_stmt *stmt;
	const struct side *side;
	uint64_t header;
	uint32_t id, holder;
	int64_t used, capacity, form;
	bool end;
};

static struct error *room_next(struct room *r)
{
	const int rc = sqlite3_step(r->stmt);
	r->end = rc != SQLITE_ROW;
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? NULL
					 : error_new(ERROR_INPUT, "comparing containers: %s",
						     sqlite3_errmsg(r->side->store->db));
	r->header = (uint64_t)sqlite3_column_int64(r->stmt, 0);
	const int64_t id = sqlite3_column_int64(r->stmt, 1),
		      holder = sqlite3_column_int64(r->stmt, 2);
	if (id <= 0 || id > r->side->n || holder < 0 || holder > r->side->n)
		return error_new(ERROR_INPUT, "comparing containers: container %lld is not sound",
				 (long long)id);
	r->id = (uint32_t)id;
	r->holder = (uint32_t)holder;
	r->used = sqlite3_column_int64(r->stmt, 3);
	r->capacity = sqlite3_column_int64(r->stmt, 4);
	r->form = sqlite3_column_int64(r->stmt, 5);
	return NULL;
}

static struct error *room_open(struct room *r, const struct side *side)
{
	const char *sql = embed_find("growth/rooms.sql");
	assert(sql);
	r->side = side;
	if (sqlite3_prepare_v2(side->store->db, sql, -1, &r->stmt, NULL))
		return error_new(ERROR_INPUT, "comparing containers: %s",
				 sqlite3_errmsg(side->store->db));
	return room_next(r);
}

/*
 * Do both speak of the same container? Its words lie in an object that both dumps have; or in no object, and
 * what they speak of is held in the same way: one place in a stack may be any frame's.
 */
static bool room_is_same(const struct room *a, const struct room *b)
{
	if (a->form != b->form)
		return false;
	if (b->holder)
		return b->side->of[b->holder].same && b->side->of[b->holder].same == a->holder;
	const uint32_t x = a->side->node[a->id], y = b->side->node[b->id];
	return !a->holder && x && y && x <= a->side->nnode && y <= b->side->nnode &&
	       a->side->key[x] == b->side->key[y];
}

static struct error *room_insert(struct cmd_context *ctx, sqlite3_stmt *stmt, const struct room *a,
				 const struct room *b)
{
	cmd_bind_int(stmt, ":new_id", b->id);
	cmd_bind_int(stmt, ":old_id", a->id);
	cmd_bind_int(stmt, ":old_used", a->used);
	cmd_bind_int(stmt, ":new_used", b->used);
	cmd_bind_int(stmt, ":old_capacity", a->capacity);
	cmd_bind_int(stmt, ":new_capacity", b->capacity);
	const int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? NULL
				 : error_new(ERROR_INPUT, "comparing containers: %s",
					     sqlite3_errmsg(ctx->store->db));
}

struct error *diff_rooms(struct cmd_context *ctx, const struct side *old, const struct side *new,
			 bool all)
{
	struct room a = {.stmt = NULL}, b = {.stmt = NULL};
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "growth/fill.sql", 0, &stmt);
	if (!err)
		err = room_open(&a, old);
	if (!err)
		err = room_open(&b, new);
	while (!err && !a.end && !b.end) {
		const uint64_t x = a.header, y = b.header;
		const int64_t least = all ? 1 : b.form == FORM_HASH ? LEAST_OBJECTS : LEAST_BYTES;
		if (x == y && b.used > a.used && b.used - a.used >= least && room_is_same(&a, &b))
			err = room_insert(ctx, stmt, &a, &b);
		/* addresses are signed in a database */
		if (!err && (int64_t)x <= (int64_t)y)
			err = room_next(&a);
		if (!err && (int64_t)y <= (int64_t)x)
			err = room_next(&b);
	}
	sqlite3_finalize(a.stmt);
	sqlite3_finalize(b.stmt);
	return err;
}
