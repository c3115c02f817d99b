#include "store/spelling.h"

#include "base/cleanup.h"
#include "store/embed.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 3000 * 1000 }; /* references looked at: about a second */

/* What stands before the next name and may not have been written, see paths_text.c. */
enum mode { MODE_PLAIN, MODE_MODULES, MODE_FRAME, MODE_NAMESPACE };

static const char *const mode_text[] = {
	[MODE_PLAIN] = "",
	[MODE_MODULES] = "sys.modules",
	[MODE_FRAME] = "(frame)",
	[MODE_NAMESPACE] = ".__dict__",
};

struct state {
	int64_t object, src;
	struct whatif_way way;
	uint32_t at; /* of the text, what is still to be explained */
	uint8_t mode;
	bool buffer; /* reached by a reference that is not written: the chain does not end here */
};

struct speller {
	sqlite3 *db;
	const char *text;
	struct spelling *ret;
	VEC(struct state) state; /* the queue, too */
	sqlite3_stmt *steps, *goal;
	uint64_t rows;
};

static void speller_deinit(struct speller *s)
{
	vec_deinit(&s->state);
	sqlite3_finalize(s->steps);
	sqlite3_finalize(s->goal);
}

void spelling_deinit(struct spelling *s)
{
	vec_deinit(&s->match);
}

static struct error *speller_error(const struct speller *s)
{
	return error_new(ERROR_INPUT, "expression: %s", sqlite3_errmsg(s->db));
}

static struct error *speller_prepare(const struct speller *s, const char *query, sqlite3_stmt **ret)
{
	const char *sql = embed_find(query);
	assert(sql);
	return sqlite3_prepare_v2(s->db, sql, -1, ret, NULL) ? speller_error(s) : NULL;
}

static void bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, name), value);
}

/* ---- numbers and addresses ---- */

/* #12, 0x55d0c0de, and (bare) 12; the text behind it, NULL: none is there. */
static const char *number_parse(const char *text, bool bare, bool *address, uint64_t *ret)
{
	char *end;
	*address = text[0] == '0' && (text[1] | 32) == 'x';
	if (!*address && *text == '#')
		text++;
	else if (!*address && !bare)
		return NULL;
	if (!isdigit((unsigned char)*text) || (*address && !isxdigit((unsigned char)text[2])))
		return NULL;
	errno = 0;
	*ret = strtoull(text, &end, *address ? 16 : 10);
	return errno ? NULL : end;
}

bool spelling_is_number(const char *text)
{
	bool address;
	uint64_t number;
	const char *end = number_parse(text, true, &address, &number);
	return end && !*end;
}

/* The object that a number or address means; 0: none. */
static int64_t speller_object(struct speller *s, bool address, uint64_t number)
{
	sqlite3_reset(s->goal);
	sqlite3_clear_bindings(s->goal);
	bind_int(s->goal, address ? ":address" : ":id", (int64_t)number);
	return sqlite3_step(s->goal) == SQLITE_ROW ? sqlite3_column_int64(s->goal, 0) : 0;
}

/* ---- chains ---- */

static struct error *state_add(struct speller *s, struct state new)
{
	struct spelling *ret = s->ret;
	if (!new.buffer &&new.at > ret->known)
		ret->known = new.at;
	for (uint64_t i = 0; i < s->state.n; i++) {
		const struct state *old = &s->state.at[i];
		if (old->object == new.object && old->at == new.at && old->mode == new.mode &&
		    old->buffer == new.buffer && old->way.reference == new.way.reference &&
		    old->way.root == new.way.root)
			return NULL;
	}
	if (s->state.n == SPELLING_MOST) {
		ret->complete = false;
		return NULL;
	}
	return vec_push(&s->state, new);
}

/* How many bytes of the text are this name? Of a key, the quotes may be others. */
static size_t name_length(const char *text, const char *name)
{
	const size_t n = strlen(name);
	if (!strncmp(text, name, n))
		return n;
	if (n < 4 || strncmp(name, "['", 2) || strcmp(name + n - 2, "']"))
		return 0;
	if (strncmp(text, "[\"", 2) || strncmp(text + 2, name + 2, n - 4) ||
	    strncmp(text + n - 2, "\"]", 2))
		return 0;
	return n;
}

/* The same, of a name that the mode leads to be written otherwise; 0: it is not. */
static size_t moded_length(enum mode mode, const char *text, const char *name)
{
	const size_t n = strlen(name);
	const bool key = n > 4 && !strncmp(name, "['", 2) && !strcmp(name + n - 2, "']");
	switch (mode) {
	case MODE_FRAME:
		return *name == '.' && n > 1 && !strncmp(text, name + 1, n - 1) ? n - 1 : 0;
	case MODE_MODULES:
		return key && !strncmp(text, name + 2, n - 4) ? n - 4 : 0;
	case MODE_NAMESPACE:
		return key && *text == '.' && !strncmp(text + 1, name + 2, n - 4) ? n - 3 : 0;
	case MODE_PLAIN:
		break;
	}
	return 0;
}

/* One reference: what of the text it explains, if anything. */
static struct error *step_try(struct speller *s, const struct state *from, sqlite3_stmt *row)
{
	struct state to = {
		.object = sqlite3_column_int64(row, 1),
		.src = from->object,
		.way.reference = sqlite3_column_int64(row, 0),
		.at = from->at,
	};
	const char *name = (const char *)sqlite3_column_text(row, 2), *text = s->text + from->at;
	char offset[32] = "->?";
	struct error *err = NULL;
	if (!name && sqlite3_column_int(row, 4)) {
		to.mode = from->mode;
		to.buffer = true;
		return state_add(s, to);
	}
	bool address;
	uint64_t number;
	const char *end =
		strncmp(text, "->", 2) ? NULL : number_parse(text + 2, false, &address, &number);
	if (end && from->mode == MODE_PLAIN && to.object == speller_object(s, address, number)) {
		to.at = (uint32_t)(end - s->text);
		err = state_add(s, to);
		to.at = from->at;
	}
	if (!name && sqlite3_column_type(row, 3) != SQLITE_NULL)
		snprintf(offset, sizeof(offset), "->+%lld",
			 (long long)sqlite3_column_int64(row, 3));
	if (!name)
		name = offset;
	size_t n = moded_length(from->mode, text, name);
	if (n && !err) {
		to.at = from->at + (uint32_t)n;
		err = state_add(s, to);
	}
	const size_t before = strlen(mode_text[from->mode]);
	if (err || strncmp(text, mode_text[from->mode], before))
		return err;
	to.at = from->at + (uint32_t)before;
	if (!strcmp(name, ".__dict__")) {
		to.mode = MODE_NAMESPACE; /* written with the next step, or not */
		return state_add(s, to);
	}
	n = name_length(text + before, name);
	to.at += (uint32_t)n;
	return n ? state_add(s, to) : NULL;
}

static struct error *state_expand(struct speller *s, const struct state from)
{
	struct error *err = NULL;
	int rc = SQLITE_DONE;
	sqlite3_reset(s->steps);
	bind_int(s->steps, ":id", from.object);
	while (!err && s->rows < ROWS_MOST && (rc = sqlite3_step(s->steps)) == SQLITE_ROW) {
		s->rows++;
		err = step_try(s, &from, s->steps);
	}
	s->ret->complete &= s->rows < ROWS_MOST;
	return err || rc == SQLITE_DONE || rc == SQLITE_ROW ? err : speller_error(s);
}

static struct error *match_add(struct speller *s, const struct state *from)
{
	struct spelling *ret = s->ret;
	const char *text = s->text + from->at;
	const bool ends = !*text && from->mode == MODE_PLAIN;
	if (from->buffer || (!ends && (!*text || strcmp(text, mode_text[from->mode]))))
		return NULL;
	for (uint64_t i = 0; i < ret->match.n; i++)
		if (ret->match.at[i].way.reference == from->way.reference &&
		    ret->match.at[i].way.root == from->way.root)
			return NULL;
	ret->known = strlen(s->text);
	return vec_push(&ret->match, ((struct spelling_match){from->way, from->src, from->object}));
}

/* Where chains begin: at an object, or at all roots that are called so. */
static struct error *speller_begin(struct speller *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	bool address;
	uint64_t number;
	const char *end = number_parse(s->text, false, &address, &number);
	if (end) {
		const int64_t object = speller_object(s, address, number);
		const struct state at = {.object = object, .at = (uint32_t)(end - s->text)};
		return object ? state_add(s, at) : NULL;
	}
	struct error *err = speller_prepare(s, "query/spelling_roots.sql", &stmt);
	if (err)
		return err;
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, ":text"), s->text, -1,
			  SQLITE_STATIC);
	int rc = SQLITE_DONE;
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		err = state_add(s, (struct state){
					   .way.root = sqlite3_column_int64(stmt, 0),
					   .object = sqlite3_column_int64(stmt, 1),
					   .at = (uint32_t)sqlite3_column_bytes(stmt, 2),
					   .mode = (uint8_t)(sqlite3_column_int(stmt, 3) & 3),
				   });
	return err || rc == SQLITE_DONE ? err : speller_error(s);
}

struct error *spelling_find(sqlite3 *db, const char *text, struct spelling *ret)
{
	_cleanup_(speller_deinit) struct speller s = {.db = db, .text = text, .ret = ret};
	*ret = (struct spelling){.complete = true};
	if (strlen(text) > UINT32_MAX / 2)
		return error_new(ERROR_USAGE, "the expression is too long");
	struct error *err = speller_prepare(&s, "query/path_goal.sql", &s.goal);
	if (!err)
		err = speller_prepare(&s, "query/spelling_steps.sql", &s.steps);
	if (!err)
		err = speller_begin(&s);
	for (uint64_t i = 0; i < s.state.n && !err; i++) {
		const struct state from = s.state.at[i];
		err = match_add(&s, &from);
		if (!err && text[from.at])
			err = state_expand(&s, from);
	}
	return err;
}
