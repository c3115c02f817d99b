/* paths_text: a path as a programmer would write it, and who holds its first object. */
#include "base/base_name.h"
#include "store/paths.h"

#include "base/cleanup.h"
#include "store/embed.h"
#include "store/paths_repeat.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row of path_steps.sql. Texts live until the statement moves on. */
struct step_row {
	sqlite3_stmt *stmt;
};

static int row_column(const struct step_row *row, const char *name)
{
	int n = sqlite3_column_count(row->stmt);
	for (int i = 0; i < n; i++)
		if (!strcmp(sqlite3_column_name(row->stmt, i), name))
			return i;
	assert(n < 0); /* path_steps.sql has no such column */
	return 0;
}

static int64_t row_int(const struct step_row *row, const char *name)
{
	return sqlite3_column_int64(row->stmt, row_column(row, name));
}

/* NULL: not known */
static const char *row_text(const struct step_row *row, const char *name)
{
	return (const char *)sqlite3_column_text(row->stmt, row_column(row, name));
}

static bool is_identifier(const char *text, size_t len)
{
	if (!len || isdigit((unsigned char)*text))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' && !(text[i] & 0x80))
			return false;
	return true;
}

/* ['name'] without what is around it; 0: it is no such key. */
static size_t key_of(const char *name, const char **ret)
{
	size_t len = strlen(name);
	if (len < 5 || strncmp(name, "['", 2) || strcmp(name + len - 2, "']"))
		return 0;
	*ret = name + 2;
	return len - 4;
}

struct expression {
	FILE *out;
	bool frame;   /* so far it is a frame object (to 3.10): its attributes are variables */
	bool modules; /* so far it is sys.modules: a key is a module's name */
	bool namespace; /* so far it ends in .__dict__, which was not written: a key is an attribute */
};

/* "memcached+0x40038"; false: it is in no binary */
static bool data_write(FILE *out, const struct step_row *row)
{
	const char *module = row_text(row, "root_module");
	if (!module || !row_text(row, "root_offset"))
		return false;
	fprintf(out, "%s+0x%" PRIx64, base_name(module), (uint64_t)row_int(row, "root_offset"));
	return true;
}

/* A root without a name, in the words of analysis/retention_roots.c, from which findings have theirs. */
static void nameless_write(FILE *out, const struct step_row *row)
{
	const char *kind = row_text(row, "root_kind"), *type = row_text(row, "type");
	const char *function = row_text(row, "root_function");
	if (kind && (!strcmp(kind, "data") || !strcmp(kind, "global")) && data_write(out, row))
		return;
	if (kind && !strcmp(kind, "frame") && function)
		fprintf(out, "%s%s", function, strchr(function, '(') ? "" : "()");
	else if (kind && !strcmp(kind, "tls"))
		fputs("(thread-local)", out);
	else if (kind && row_text(row, "root_address"))
		fprintf(out, "(%s word at 0x%" PRIx64 ")", kind,
			(uint64_t)row_int(row, "root_address"));
	else
		fprintf(out, "<%s>", kind ? kind : type ? type : "object");
}

static void expression_root(struct expression *e, const struct step_row *row)
{
	const char *name = row_text(row, "root_name");
	size_t len = name ? strlen(name) : 0, tail = strlen("sys.modules");
	if (len >= tail && !strcmp(name + len - tail, "sys.modules")) {
		e->modules = true;
		fwrite(name, 1, len - tail, e->out);
	} else if (name && !strcmp(name, "(frame)")) {
		e->frame = true;
	} else if (name) {
		fputs(name, e->out);
	} else {
		nameless_write(e->out, row);
	}
}

static void expression_flush(struct expression *e)
{
	if (e->frame)
		fputs("(frame)", e->out);
	if (e->modules)
		fputs("sys.modules", e->out);
	if (e->namespace)
		fputs(".__dict__", e->out);
	e->frame = e->modules = e->namespace = false;
}

static void expression_step(struct expression *e, const struct step_row *row)
{
	const char *name = row_text(row, "name"), *key = NULL;
	size_t len = name ? key_of(name, &key) : 0;
	if (row_int(row, "own_buffer") && !name)
		return;
	if (e->frame && name && *name == '.') {
		fputs(name + 1, e->out);
		e->frame = false;
	} else if (e->modules && len) {
		fwrite(key, 1, len, e->out);
		e->modules = false;
	} else if (e->namespace && len && is_identifier(key, len)) {
		fputc('.', e->out);
		fwrite(key, 1, len, e->out);
		e->namespace = false;
	} else if (name && !strcmp(name, ".__dict__")) {
		expression_flush(e);
		e->namespace = true;
	} else {
		expression_flush(e);
		if (name)
			fputs(name, e->out);
		else if (row_text(row, "offset"))
			fprintf(e->out, "->+%" PRId64, row_int(row, "offset"));
		else
			fputs("->?", e->out);
	}
}

static void holder_python(FILE *out, const struct step_row *row)
{
	const char *name = row_text(row, "root_name"), *function = row_text(row, "root_function");
	fprintf(out, "%s()", function ? function : "?");
	if (row_text(row, "root_line")) {
		const char *file = row_text(row, "root_file");
		fprintf(out, " (%s:%" PRId64 ")", file ? file : "?", row_int(row, "root_line"));
	}
	if (name && *name != '(')
		fprintf(out, ", local '%s'", name);
	else
		fprintf(out, ", its %s", name ? name : "frame");
}

static void holder_write(FILE *out, const struct step_row *row)
{
	const char *kind = row_text(row, "root_kind"), *name = row_text(row, "root_name");
	const char *function = row_text(row, "root_function");
	const char *module = row_text(row, "root_module");
	const char *language = row_text(row, "root_language");
	const char *stale = row_int(row, "root_grade") >= 6 ? " (may be stale)" : "";
	if (!kind) {
		fputs("an object of the type that was asked for", out);
		return;
	}
	if (row_text(row, "root_thread"))
		fprintf(out, "thread %" PRId64 ", ", row_int(row, "root_thread"));
	if (language && !strcmp(language, "python")) {
		holder_python(out, row);
	} else if (function) {
		fprintf(out, "%s(), %s word%s", function, kind, stale);
	} else if (!name && module && row_text(row, "root_offset") &&
		   row_int(row, "root_address") == row_int(row, "address")) {
		fprintf(out, "the data of %s, which it is in", base_name(module));
	} else if ((!strcmp(kind, "data") || !strcmp(kind, "global")) && !name && module &&
		   row_text(row, "root_offset")) {
		fprintf(out, "%s word at ", kind);
		data_write(out, row);
	} else if (!strcmp(kind, "unexplained")) {
		fprintf(out, "memory that nothing explains, word at 0x%" PRIx64 "%s",
			(uint64_t)row_int(row, "root_address"), stale);
	} else {
		const char *base = module ? base_name(module) : NULL;
		fprintf(out, "%s %s%s%s%s", kind, name ? name : "word", base ? " in " : "",
			base ? base : "", stale);
	}
}

static void ends_deinit(struct paths_ends *ends)
{
	vec_deinit(&ends->at);
}

/* The text so far, of which the next step has its own part. */
static struct error *ends_add(struct paths_ends *ends, FILE *out)
{
	long end = ftell(out);
	if (end < 0)
		return &error_nomem;
	if (ends->at.n && ends->at.at[ends->at.n - 1] == (size_t)end)
		return NULL;
	return vec_push(&ends->at, (size_t)end);
}

/* The rows of one path: its steps as text, and where each ends; first where its root does. */
static struct error *describe_steps(sqlite3_stmt *stmt, struct paths_row *path, char **text,
				    struct paths_ends *ends)
{
	size_t len;
	struct step_row row = {stmt};
	struct expression e = {.out = open_memstream(text, &len)};
	_cleanup_fclose_ FILE *out = e.out, *holder = open_memstream(&path->holder, &len);
	struct error *err = NULL;
	if (!out || !holder)
		return &error_nomem;
	int rc = SQLITE_DONE;
	for (uint64_t n = 0; !err && (rc = sqlite3_step(stmt)) == SQLITE_ROW; n++) {
		if (n) {
			expression_step(&e, &row);
		} else {
			expression_root(&e, &row);
			holder_write(holder, &row);
		}
		err = ends_add(ends, out);
	}
	expression_flush(&e);
	if (!err && rc != SQLITE_DONE)
		err = error_new(ERROR_INPUT, "path: %s", sqlite3_errmsg(sqlite3_db_handle(stmt)));
	return err ? err : ends_add(ends, out);
}

static struct error *describe_one(sqlite3_stmt *stmt, struct paths_row *path)
{
	_cleanup_(ends_deinit) struct paths_ends ends = {0};
	_cleanup_free_ char *text = NULL;
	size_t len;
	struct error *err = describe_steps(stmt, path, &text, &ends);
	if (err)
		return err;
	_cleanup_fclose_ FILE *out = open_memstream(&path->expression, &len);
	if (!out)
		return &error_nomem;
	paths_repeat(out, text, 0, &ends);
	return NULL;
}

struct error *paths_describe(sqlite3 *db, struct paths *p)
{
	const char *sql = embed_find("query/path_steps.sql");
	sqlite3_stmt *stmt = NULL;
	assert(sql);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
		return error_new(ERROR_INPUT, "path: %s", sqlite3_errmsg(db));
	struct error *err = NULL;
	for (uint64_t i = 0; i < p->row.n + p->also.n && !err; i++) {
		struct paths_row *row = i < p->row.n ? &p->row.at[i] : &p->also.at[i - p->row.n];
		_cleanup_free_ char *steps = paths_steps_json(p, row);
		if (!steps) {
			err = &error_nomem;
			break;
		}
		sqlite3_reset(stmt);
		sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, ":steps"), steps, -1,
				  SQLITE_STATIC);
		err = describe_one(stmt, row);
	}
	sqlite3_finalize(stmt);
	return err;
}
