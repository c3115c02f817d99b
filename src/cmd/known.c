#include "cmd/known.h"

#include "store/embed.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FILE_MOST = 16 << 20,  /* bytes of a file of suppressions */
	REGEX_MOST = 12 << 10, /* of one expression: patterns beyond go to the next */
};

#define FIELD(name) offsetof(struct cmd_options, name)

const struct option options_known[] = {
	{0, "suppress", OPTION_STRING, FIELD(suppress), "FILE",
	 "leave out what matches its lines (leak:PATTERN, as LSan has them)", NULL, false},
	{0, "baseline", OPTION_STRING, FIELD(baseline), "OLD.db",
	 "leave out what this older database has, too", NULL, false},
	{0},
};

static struct error *sql_error(struct cmd_context *ctx, const char *what)
{
	return error_new(ERROR_INPUT, "%s: %s", what, sqlite3_errmsg(ctx->store->db));
}

/* All statements of a file of schema/temp/; :re is bound where they have it. */
static struct error *run(struct cmd_context *ctx, const char *name, const char *re)
{
	const char *sql = embed_find(name);
	assert(sql);
	while (*sql) {
		_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
		if (sqlite3_prepare_v2(ctx->store->db, sql, -1, &stmt, &sql))
			return sql_error(ctx, name);
		if (!stmt)
			continue;
		cmd_bind_text(stmt, ":re", re);
		int rc;
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
			;
		if (rc != SQLITE_DONE)
			return sql_error(ctx, name);
	}
	return NULL;
}

/* ---- suppressions ---- */

/* LeakSanitizer's template as a regular expression. */
static void write_pattern(FILE *out, const char *text, size_t len)
{
	fputs("(?:", out);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '*')
			fputs(".*", out);
		else if ((c == '^' && !i) || (c == '$' && i + 1 == len) || isalnum(c) || c >= 0x80)
			fputc(c, out);
		else
			fprintf(out, "\\x%02x", c);
	}
	fputc(')', out);
}

struct suppressions {
	struct cmd_context *ctx;
	FILE *out;
	char *text;
	size_t len;
};

static struct error *suppressions_run(struct suppressions *s)
{
	struct error *err = NULL;
	if (s->out && !fclose(s->out) && s->len)
		err = run(s->ctx, "temp/known_suppress.sql", s->text);
	free(s->text);
	*s = (struct suppressions){.ctx = s->ctx};
	return err;
}

static struct error *suppressions_add(struct suppressions *s, const char *pattern, size_t len)
{
	if (!s->out)
		s->out = open_memstream(&s->text, &s->len);
	if (!s->out)
		return &error_nomem;
	if (fflush(s->out))
		return &error_nomem;
	if (s->len)
		fputc('|', s->out);
	write_pattern(s->out, pattern, len);
	fflush(s->out);
	return s->len > REGEX_MOST ? suppressions_run(s) : NULL;
}

static struct error *suppressions_line(struct suppressions *s, const char *path, unsigned number,
				       char *line)
{
	while (isspace((unsigned char)*line))
		line++;
	size_t len = strlen(line);
	while (len && isspace((unsigned char)line[len - 1]))
		len--;
	if (!len || *line == '#')
		return NULL;
	if (len <= strlen("leak:") || strncmp(line, "leak:", strlen("leak:")))
		return error_new(ERROR_USAGE, "--suppress %s: line %u is no leak:PATTERN", path,
				 number);
	if (len > REGEX_MOST / 8)
		return error_new(ERROR_USAGE, "--suppress %s: line %u is too long", path, number);
	return suppressions_add(s, line + strlen("leak:"), len - strlen("leak:"));
}

static struct error *suppress(struct cmd_context *ctx, const char *path)
{
	struct suppressions s = {.ctx = ctx};
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0, read = 0;
	struct error *err = NULL;
	if (!f)
		return error_errno(ERROR_USAGE, errno, "--suppress %s", path);
	ssize_t n;
	for (unsigned number = 1; !err && (n = getline(&line, &room, f)) >= 0; number++) {
		read += (size_t)n;
		if (read > FILE_MOST)
			err = error_new(ERROR_USAGE, "--suppress %s: too long", path);
		else
			err = suppressions_line(&s, path, number, line);
	}
	struct error *end = suppressions_run(&s);
	if (err)
		error_free(end);
	return err ? err : end;
}

/* ---- the older database ---- */

/* Copies the rows of a query there into a table of four columns here. */
static struct error *copy(struct cmd_context *ctx, sqlite3 *old, const char *query,
			  const char *insert)
{
	_cleanup_stmt_ sqlite3_stmt *from = NULL, *to = NULL;
	const char *sql = embed_find(query);
	assert(sql);
	if (sqlite3_prepare_v2(old, sql, -1, &from, NULL))
		return error_new(ERROR_INPUT, "--baseline: %s", sqlite3_errmsg(old));
	sql = embed_find(insert);
	assert(sql);
	if (sqlite3_prepare_v2(ctx->store->db, sql, -1, &to, NULL))
		return sql_error(ctx, insert);
	int rc;
	while ((rc = sqlite3_step(from)) == SQLITE_ROW) {
		for (int i = 0; i < 4; i++)
			sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
		if (sqlite3_step(to) != SQLITE_DONE)
			return sql_error(ctx, insert);
		sqlite3_reset(to);
	}
	return rc == SQLITE_DONE ? NULL
				 : error_new(ERROR_INPUT, "--baseline: %s", sqlite3_errmsg(old));
}

static struct error *baseline(struct cmd_context *ctx, const char *path)
{
	struct store *old = NULL;
	struct error *err = store_open(path, &old);
	if (err)
		return error_note(err, "--baseline");
	err = copy(ctx, old->db, "query/known_old_shapes.sql", "temp/known_old_shape.sql");
	if (!err)
		err = copy(ctx, old->db, "query/known_old_counts.sql", "temp/known_old_count.sql");
	store_close(old);
	return err ? err : run(ctx, "temp/known_baseline.sql", NULL);
}

/* ---- both ---- */

static struct error *known_fill(struct cmd_context *ctx)
{
	struct error *err = run(ctx, "temp/known_tables.sql", NULL);
	if (!err && ctx->opt.suppress)
		err = suppress(ctx, ctx->opt.suppress);
	if (!err && ctx->opt.baseline)
		err = baseline(ctx, ctx->opt.baseline);
	if (!err && (ctx->opt.suppress || ctx->opt.baseline))
		err = run(ctx, "temp/known_shapes.sql", NULL);
	return err;
}

struct error *known_load(struct cmd_context *ctx)
{
	/* What is written here is temporary, in memory. */
	sqlite3_exec(ctx->store->db, "PRAGMA query_only = OFF", NULL, NULL, NULL);
	struct error *err = known_fill(ctx);
	if (!ctx->opt.write)
		sqlite3_exec(ctx->store->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
	return err;
}

struct error *known_tell(struct cmd_context *ctx)
{
	struct cmd_row row;
	if (!ctx->opt.suppress && !ctx->opt.baseline)
		return NULL;
	struct error *err = cmd_totals(ctx, "known_total.sql", &row);
	if (err)
		return err;
	int64_t leaks = cmd_row_int(&row, "leaks"), bytes = cmd_row_int(&row, "bytes");
	int64_t cycles = cmd_row_int(&row, "cycles"), counts = cmd_row_int(&row, "counts");
	int64_t sites = cmd_row_int(&row, "sites");
	report_int(&ctx->report, "known_leaks", leaks);
	report_int(&ctx->report, "known_bytes", bytes);
	report_int(&ctx->report, "known_cycles", cycles);
	report_int(&ctx->report, "known_counts", counts);
	report_int(&ctx->report, "known_sites", sites);
	report_line(&ctx->report, "Known and not shown: %s (%s), %s, %s%s%s.",
		    cmd_plural(ctx, leaks, "leak cluster", "leak clusters"), cmd_bytes(ctx, bytes),
		    cmd_plural(ctx, cycles, "cycle", "cycles"),
		    cmd_plural(ctx, counts, "count", "counts"), sites ? ", " : "",
		    sites ? cmd_plural(ctx, sites, "call path", "call paths") : "");
	return NULL;
}

struct error *known_report(struct cmd_context *ctx, const char *name,
			   struct error *(*print)(struct cmd_context *ctx))
{
	report_begin(&ctx->report, name);
	struct error *err = cmd_fail_on(ctx);
	if (!err)
		err = cmd_caveats(ctx);
	if (!err)
		err = known_tell(ctx);
	if (!err)
		err = print(ctx);
	return err ? err : report_end(&ctx->report);
}
