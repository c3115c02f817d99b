/*
 * table_functions: tables that take arguments. Each is a row of functions[]: its columns, its
 * arguments (hidden columns at the end, as SQLite wants them), and a function that makes all rows at
 * once when the table is asked for.
 */
#include "store/functions.h"

#include "base/cleanup.h"
#include "base/vec.h"
#include "graph/path.h"
#include "store/embed.h"
#include "store/paths.h"
#include "store/whatif_cut.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	ARGUMENTS_MAX = 2,
	PATHS_MOST = 1000,
	DEPTH_MOST = 1000000,
	REFERRERS_MOST = 10 * 1000 * 1000, /* rows */
	WHATIF_MOST = 1000 * 1000,	   /* objects looked at, where no one says how many */
};

/* Rows, column after column within a row. A row's texts are `texts` pointers, NULL for NULL. */
struct rows {
	VEC(int64_t) number;
	VEC(char *) text; /* malloc'ed */
	uint64_t n;
};

struct function {
	const char *name, *columns;
	unsigned numbers, texts;      /* columns that are numbers come first; -1 is NULL */
	unsigned arguments, required; /* behind them */
	struct error *(*fill)(sqlite3 *db, const int64_t argument[ARGUMENTS_MAX], struct rows *ret);
};

static void rows_deinit(struct rows *r)
{
	for (uint64_t i = 0; i < r->text.n; i++)
		free(r->text.at[i]);
	vec_deinit(&r->number);
	vec_deinit(&r->text);
	r->n = 0;
}

static struct error *rows_number(struct rows *r, int64_t value)
{
	return vec_push(&r->number, value);
}

static struct error *rows_text(struct rows *r, const char *value)
{
	char *copy = value ? strdup(value) : NULL;
	if (value && !copy)
		return &error_nomem;
	struct error *err = vec_push(&r->text, copy);
	if (err)
		free(copy);
	return err;
}

static struct error *prepare(sqlite3 *db, const char *query, sqlite3_stmt **ret)
{
	const char *sql = embed_find(query);
	assert(sql);
	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL))
		return error_new(ERROR_INPUT, "%s: %s", query, sqlite3_errmsg(db));
	return NULL;
}

/* ---- path_to ---- */

static struct error *path_to_row(sqlite3_stmt *name, const struct paths *p, uint64_t i, uint64_t k,
				 struct rows *ret)
{
	const struct paths_row *row = &p->row.at[i];
	const struct paths_step *step = &p->step.at[row->first + k];
	int64_t number[] = {(int64_t)i + 1, (int64_t)k, step->object_id,
			    step->reference ? step->reference : -1,
			    !k && row->root_id ? row->root_id : -1};
	struct error *err = NULL;
	for (unsigned c = 0; c < sizeof(number) / sizeof(*number) && !err; c++)
		err = rows_number(ret, number[c]);
	const char *text = NULL;
	sqlite3_reset(name);
	sqlite3_bind_int64(name, 1, step->reference);
	if (step->reference && sqlite3_step(name) == SQLITE_ROW)
		text = (const char *)sqlite3_column_text(name, 0);
	if (!err)
		err = rows_text(ret, text);
	if (!err)
		err = rows_text(ret, row->expression);
	if (!err)
		err = rows_text(ret, row->holder);
	ret->n++;
	return err;
}

static struct error *path_to_fill(sqlite3 *db, const int64_t argument[ARGUMENTS_MAX],
				  struct rows *ret)
{
	_cleanup_(paths_deinit) struct paths p = {0};
	_cleanup_stmt_ sqlite3_stmt *name = NULL;
	struct paths_query query = {.goal = (uint32_t)argument[0]};
	if (argument[0] < 1 || argument[0] > UINT32_MAX)
		return NULL;
	if (argument[1] > 0)
		query.max = argument[1] < PATHS_MOST ? (uint64_t)argument[1] : PATHS_MOST;
	struct error *err = prepare(db, "query/reference_name.sql", &name);
	if (!err)
		err = paths_find(db, &query, &p);
	for (uint64_t i = 0; i < p.row.n && !err; i++)
		for (uint64_t k = 0; k < p.row.at[i].n && !err; k++)
			err = path_to_row(name, &p, i, k, ret);
	return err;
}

/* ---- retained_set ---- */

/* The dominator subtree: the rows made so far are the queue. */
static struct error *retained_set_fill(sqlite3 *db, const int64_t argument[ARGUMENTS_MAX],
				       struct rows *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *exists = NULL;
	struct error *err = prepare(db, "query/dominated.sql", &stmt);
	if (!err)
		err = prepare(db, "query/object_exists.sql", &exists);
	if (err)
		return err;
	sqlite3_bind_int64(exists, 1, argument[0]);
	if (sqlite3_step(exists) != SQLITE_ROW)
		return NULL;
	uint64_t objects = (uint64_t)sqlite3_column_int64(exists, 0);
	err = rows_number(ret, argument[0]);
	ret->n = 1;
	/* A database from elsewhere may have a ring there. */
	for (uint64_t at = 0; at < ret->n && ret->n <= objects && !err; at++) {
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, ret->number.at[at]);
		while (!err && sqlite3_step(stmt) == SQLITE_ROW) {
			err = rows_number(ret, sqlite3_column_int64(stmt, 0));
			ret->n++;
		}
	}
	return err;
}

/* ---- referrers_of ---- */

static struct error *referrers_search(struct path *p, sqlite3_stmt *stmt, int64_t depth)
{
	struct error *err = NULL;
	uint32_t at;
	while (!err && path_next(p, &at) && p->step.n < REFERRERS_MOST) {
		if (p->step.at[at].depth >= (uint64_t)depth)
			break;
		sqlite3_reset(stmt);
		sqlite3_bind_int64(stmt, 1, p->step.at[at].vertex);
		while (!err && sqlite3_step(stmt) == SQLITE_ROW)
			err = path_add(p, at, (uint32_t)sqlite3_column_int64(stmt, 0),
				       (uint64_t)sqlite3_column_int64(stmt, 1));
	}
	return err;
}

static struct error *referrers_of_fill(sqlite3 *db, const int64_t argument[ARGUMENTS_MAX],
				       struct rows *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_(path_deinit) struct path p = {0};
	if (argument[0] < 1 || argument[0] > UINT32_MAX)
		return NULL;
	int64_t depth = argument[1] < 0 ? 1 : argument[1] < DEPTH_MOST ? argument[1] : DEPTH_MOST;
	struct error *err = prepare(db, "query/referrers.sql", &stmt);
	if (!err)
		err = path_init(&p, (uint32_t)argument[0]);
	if (!err)
		err = referrers_search(&p, stmt, depth);
	for (uint64_t i = 1; i < p.step.n && !err; i++) {
		const struct path_step *s = &p.step.at[i];
		int64_t number[] = {s->vertex, s->depth, p.step.at[s->next].vertex,
				    (int64_t)s->edge};
		for (unsigned c = 0; c < sizeof(number) / sizeof(*number) && !err; c++)
			err = rows_number(ret, number[c]);
		ret->n++;
	}
	return err;
}

/* ---- what_if ---- */

static struct error *what_if_fill(sqlite3 *db, const int64_t argument[ARGUMENTS_MAX],
				  struct rows *ret)
{
	_cleanup_(whatif_destroyp) struct whatif *w = NULL;
	struct whatif_result r;
	uint64_t budget = argument[1] > 0 ? (uint64_t)argument[1] : WHATIF_MOST;
	struct error *err = whatif_create(db, &w);
	if (!err)
		err = whatif_object(w, argument[0], budget, &r);
	if (err || !r.looked_at)
		return err;
	int64_t number[] = {(int64_t)r.objects, (int64_t)r.bytes, (int64_t)r.returned,
			    (int64_t)r.at_once, r.complete};
	for (unsigned c = 0; c < sizeof(number) / sizeof(*number) && !err; c++)
		err = rows_number(ret, number[c]);
	ret->n = 1;
	return err;
}

/* ---- what_if_reference, what_if_root ---- */

static struct error *cut_fill(sqlite3 *db, struct whatif_way way, int64_t budget, struct rows *ret)
{
	_cleanup_(whatif_destroyp) struct whatif *w = NULL;
	_cleanup_(whatif_cut_deinit) struct whatif_cut c = {0};
	struct error *err = whatif_create(db, &w);
	if (!err)
		err = whatif_cut(w, &way, 1, budget > 0 ? (uint64_t)budget : WHATIF_MOST, &c);
	if (err && err->kind == ERROR_USAGE) { /* there is none: no row */
		error_free(err);
		return NULL;
	}
	int64_t number[] = {(int64_t)c.r.objects,
			    (int64_t)c.r.bytes,
			    (int64_t)c.r.returned,
			    (int64_t)c.r.at_once,
			    c.r.complete,
			    (int64_t)c.r.others,
			    c.counted ? (int64_t)c.waiting_objects : -1,
			    c.counted ? (int64_t)c.waiting_bytes : -1};
	for (unsigned i = 0; i < sizeof(number) / sizeof(*number) && !err; i++)
		err = rows_number(ret, number[i]);
	ret->n = !err;
	return err;
}

static struct error *what_if_reference_fill(sqlite3 *db, const int64_t argument[ARGUMENTS_MAX],
					    struct rows *ret)
{
	if (argument[0] < 1)
		return NULL;
	return cut_fill(db, (struct whatif_way){.reference = argument[0]}, argument[1], ret);
}

static struct error *what_if_root_fill(sqlite3 *db, const int64_t argument[ARGUMENTS_MAX],
				       struct rows *ret)
{
	if (argument[0] < 1)
		return NULL;
	return cut_fill(db, (struct whatif_way){.root = argument[0]}, argument[1], ret);
}

#define CUT_COLUMNS                                                                                \
	"objects INTEGER, bytes INTEGER, returned INTEGER, at_once INTEGER, complete INTEGER,"     \
	" others INTEGER, waiting_objects INTEGER, waiting_bytes INTEGER, way HIDDEN, budget "     \
	"HIDDEN"

static const struct function functions[] = {
	{"path_to",
	 "CREATE TABLE x(path INTEGER, step INTEGER, object_id INTEGER, reference_id INTEGER,"
	 " root_id INTEGER, name TEXT, expression TEXT, holder TEXT, goal HIDDEN, paths HIDDEN)",
	 5, 3, 2, 1, path_to_fill},
	{"retained_set", "CREATE TABLE x(object_id INTEGER, head HIDDEN)", 1, 0, 1, 1,
	 retained_set_fill},
	{"referrers_of",
	 "CREATE TABLE x(object_id INTEGER, depth INTEGER, via INTEGER, reference_id INTEGER,"
	 " goal HIDDEN, levels HIDDEN)",
	 4, 0, 2, 1, referrers_of_fill},
	{"what_if",
	 "CREATE TABLE x(objects INTEGER, bytes INTEGER, returned INTEGER, at_once INTEGER,"
	 " complete INTEGER, head HIDDEN, budget HIDDEN)",
	 5, 0, 2, 1, what_if_fill},
	{"what_if_reference", "CREATE TABLE x(" CUT_COLUMNS ")", 8, 0, 2, 1,
	 what_if_reference_fill},
	{"what_if_root", "CREATE TABLE x(" CUT_COLUMNS ")", 8, 0, 2, 1, what_if_root_fill},
};

/* ---- SQLite's side ---- */

struct table {
	sqlite3_vtab base;
	sqlite3 *db;
	const struct function *function;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct rows rows;
	int64_t argument[ARGUMENTS_MAX];
	uint64_t at;
};

static int table_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			 sqlite3_vtab **ret, char **why)
{
	(void)argc, (void)argv, (void)why;
	const struct function *f = aux;
	int rc = sqlite3_declare_vtab(db, f->columns);
	if (rc)
		return rc;
	struct table *t = sqlite3_malloc(sizeof(*t));
	if (!t)
		return SQLITE_NOMEM;
	*t = (struct table){.db = db, .function = f};
	*ret = &t->base;
	return SQLITE_OK;
}

static int table_disconnect(sqlite3_vtab *t)
{
	sqlite3_free(t);
	return SQLITE_OK;
}

/* Arguments are equalities on the hidden columns; idxNum says which of them there are. */
static int table_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct function *f = ((struct table *)base)->function;
	int first = (int)(f->numbers + f->texts), place[ARGUMENTS_MAX] = {-1, -1}, next = 1;
	for (int i = 0; i < info->nConstraint; i++) {
		int argument = info->aConstraint[i].iColumn - first;
		if (argument < 0 || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!info->aConstraint[i].usable)
			return SQLITE_CONSTRAINT;
		place[argument] = i;
	}
	info->idxNum = 0;
	for (unsigned a = 0; a < f->arguments; a++) {
		if (place[a] < 0)
			continue;
		info->aConstraintUsage[place[a]].argvIndex = next++;
		info->aConstraintUsage[place[a]].omit = 1;
		info->idxNum |= 1 << a;
	}
	if (f->required && !(info->idxNum & 1)) {
		sqlite3_free(base->zErrMsg);
		base->zErrMsg =
			sqlite3_mprintf("%s needs %s: %s(123)", f->name,
					f->fill == what_if_reference_fill ? "a reference's rowid"
					: f->fill == what_if_root_fill	  ? "a root's id"
									  : "an object's id",
					f->name);
		return SQLITE_ERROR;
	}
	info->estimatedCost = 1000;
	info->estimatedRows = 100;
	return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *t, sqlite3_vtab_cursor **ret)
{
	(void)t;
	struct cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor){0};
	*ret = &c->base;
	return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;
	rows_deinit(&c->rows);
	sqlite3_free(c);
	return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *base, int which, const char *text, int argc,
			 sqlite3_value **argv)
{
	(void)text;
	struct cursor *c = (struct cursor *)base;
	struct table *t = (struct table *)base->pVtab;
	int next = 0;
	bool known = true;
	rows_deinit(&c->rows);
	c->at = 0;
	for (unsigned a = 0; a < ARGUMENTS_MAX; a++) {
		c->argument[a] = -1;
		if (!(which & 1 << a) || next >= argc)
			continue;
		known &= sqlite3_value_type(argv[next]) != SQLITE_NULL;
		c->argument[a] = sqlite3_value_int64(argv[next++]);
	}
	if (!known)
		return SQLITE_OK;
	struct error *err = t->function->fill(t->db, c->argument, &c->rows);
	if (!err)
		return SQLITE_OK;
	sqlite3_free(t->base.zErrMsg);
	t->base.zErrMsg = sqlite3_mprintf("%s: %s", t->function->name, err->message);
	error_free(err);
	return SQLITE_ERROR;
}

static int cursor_next(sqlite3_vtab_cursor *base)
{
	((struct cursor *)base)->at++;
	return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *c = (struct cursor *)base;
	return c->at >= c->rows.n;
}

static int cursor_column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int column)
{
	const struct cursor *c = (struct cursor *)base;
	const struct function *f = ((struct table *)base->pVtab)->function;
	unsigned i = (unsigned)column;
	if (i < f->numbers) {
		int64_t v = c->rows.number.at[c->at * f->numbers + i];
		if (v >= 0)
			sqlite3_result_int64(ctx, v);
	} else if (i < f->numbers + f->texts) {
		const char *text = c->rows.text.at[c->at * f->texts + i - f->numbers];
		if (text)
			sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
	} else {
		sqlite3_result_int64(ctx, c->argument[i - f->numbers - f->texts]);
	}
	return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = (sqlite3_int64)((struct cursor *)base)->at;
	return SQLITE_OK;
}

/* No xCreate: the tables are just there. */
static const sqlite3_module table_module = {
	.xConnect = table_connect,
	.xBestIndex = table_best_index,
	.xDisconnect = table_disconnect,
	.xOpen = cursor_open,
	.xClose = cursor_close,
	.xFilter = cursor_filter,
	.xNext = cursor_next,
	.xEof = cursor_eof,
	.xColumn = cursor_column,
	.xRowid = cursor_rowid,
};

struct error *table_functions(sqlite3 *db)
{
	for (unsigned i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (sqlite3_create_module(db, functions[i].name, &table_module,
					  (void *)&functions[i]))
			return error_new(ERROR_SYSTEM, "SQL table %s: %s", functions[i].name,
					 sqlite3_errmsg(db));
	return NULL;
}
