#include "cmd/spelled.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NAMED = 4,	    /* of the objects that a text may mean, in a message */
	BETWEEN_MOST = 999, /* references of one pair that are cut together */
};

/* "#12, #15, #20 and more"; *n: how many objects it leads to. In the region. */
static const char *objects_named(struct cmd_context *ctx, const struct spelling *s, uint64_t *n)
{
	const char *text = "";
	*n = 0;
	for (uint64_t i = 0; i < s->match.n; i++) {
		const int64_t id = s->match.at[i].object_id;
		bool seen = false;
		for (uint64_t k = 0; k < i && !seen; k++)
			seen = s->match.at[k].object_id == id;
		if (seen || ++*n > NAMED + 1)
			continue;
		if (*n > NAMED)
			text = region_printf(&ctx->region, "%s and more", text);
		else
			text = region_printf(&ctx->region, "%s%s#%" PRId64, text,
					     *n > 1 ? ", " : "", id);
		if (!text)
			text = "";
	}
	return text;
}

/* Why an expression names nothing. */
static struct error *unknown(struct cmd_context *ctx, const char *what, const struct spelling *s)
{
	if (!s->complete)
		return error_new(ERROR_USAGE,
				 "'%s': too much is called so to find it; an object's number in "
				 "front ('#12%s') is quicker",
				 what, what + s->known);
	const char *many = strchr(what, '{');
	if (many && many[1] >= '0' && many[1] <= '9')
		return error_new(ERROR_USAGE,
				 "'%s': steps that are written once for many (%.*s) are not read "
				 "back; begin at an object ('#12->next')",
				 what, (int)(strcspn(many, "}") + 1), many);
	if (!s->known)
		return error_new(ERROR_USAGE,
				 "nothing here is called '%s'; write it as heapscan path prints it "
				 "(app.CACHE['key'], cache->next), or with an object in front "
				 "(#12['key'], #12->#15)",
				 what);
	const char *known = region_printf(&ctx->region, "%.*s", (int)s->known, what);
	return error_new(ERROR_USAGE, "'%s': there is '%s', but it has no '%s'", what,
			 known ? known : "?", what + s->known);
}

struct error *spelled_object(struct cmd_context *ctx, const char *what, int64_t *ret)
{
	_cleanup_(spelling_deinit) struct spelling s = {0};
	uint64_t n;
	struct error *err = spelling_find(ctx->store->db, what, &s);
	*ret = 0;
	if (err || !s.match.n)
		return err;
	const char *named = objects_named(ctx, &s, &n);
	if (n > 1)
		return error_new(ERROR_USAGE, "'%s' are several objects: %s", what, named);
	*ret = s.match.at[0].object_id;
	return NULL;
}

void spelled_ways_deinit(struct spelled_ways *w)
{
	vec_deinit(&w->way);
}

static struct error *between(struct cmd_context *ctx, int64_t src, int64_t dst,
			     struct spelled_ways *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "path_between.sql", BETWEEN_MOST, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":limit", BETWEEN_MOST);
	cmd_bind_int(stmt, ":src", src);
	cmd_bind_int(stmt, ":dst", dst);
	int rc;
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		err = vec_push(&ret->way,
			       ((struct whatif_way){.reference = sqlite3_column_int64(stmt, 0)}));
	if (!err && rc != SQLITE_DONE)
		err = error_new(ERROR_INPUT, "path: %s", sqlite3_errmsg(ctx->store->db));
	return err;
}

/* FROM of a goal: the goal's own expression, or that of what holds it. */
static struct error *ways_to(struct cmd_context *ctx, const struct spelling *s, const char *text,
			     int64_t goal, struct spelled_ways *ret)
{
	struct error *err = NULL;
	for (uint64_t i = 0; i < s->match.n && !err; i++) {
		const struct spelling_match *m = &s->match.at[i];
		if (m->object_id == goal && (m->way.reference || m->way.root))
			err = vec_push(&ret->way, m->way);
	}
	for (uint64_t i = 0; i < s->match.n && !err && !ret->way.n; i++)
		err = between(ctx, s->match.at[i].object_id, goal, ret);
	if (!err && !ret->way.n && s->match.n)
		err = error_new(ERROR_USAGE,
				"'%s' (#%" PRId64 ") does not refer to #%" PRId64
				" (what does: heapscan show)",
				text, s->match.at[0].object_id, goal);
	return err;
}

/* An expression alone: all ways that are called so, if they lead to one object. */
static struct error *ways_called(struct cmd_context *ctx, const struct spelling *s,
				 const char *text, int64_t *goal, struct spelled_ways *ret)
{
	struct error *err = NULL;
	uint64_t n;
	const char *named = objects_named(ctx, s, &n);
	if (n > 1)
		return error_new(ERROR_USAGE,
				 "'%s' are several references, to %s: say which of these objects "
				 "it is about",
				 text, named);
	for (uint64_t i = 0; i < s->match.n && !err; i++) {
		const struct spelling_match *m = &s->match.at[i];
		if (!m->way.reference && !m->way.root)
			return error_new(ERROR_USAGE,
					 "'%s' is an object and no reference: name the last step, "
					 "too ('%s.next', '%s->#15'), or the object and what "
					 "refers to it (path DB OBJECT --cut='%s')",
					 text, text, text, text);
		*goal = m->object_id;
		err = vec_push(&ret->way, m->way);
	}
	return err;
}

struct error *spelled_reference(struct cmd_context *ctx, const char *text, int64_t *goal,
				struct spelled_ways *ret)
{
	_cleanup_(spelling_deinit) struct spelling s = {0};
	struct error *err = NULL;
	/* A bare number is an object's, as everywhere. */
	const bool bare =
		spelling_is_number(text) && *text != '#' && text[1] != 'x' && text[1] != 'X';
	const char *spelled = bare ? region_printf(&ctx->region, "#%s", text) : text;
	if (!spelled)
		return &error_nomem;
	err = spelling_find(ctx->store->db, spelled, &s);
	if (err)
		return err;
	if (!s.match.n)
		return unknown(ctx, text, &s);
	return *goal ? ways_to(ctx, &s, text, *goal, ret) : ways_called(ctx, &s, text, goal, ret);
}
