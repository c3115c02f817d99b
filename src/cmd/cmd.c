#include "cmd/cmd.h"

#include "base/cleanup.h"
#include "cmd/known.h"
#include "report/text.h"
#include "store/embed.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/commands.def"
#undef COMMAND

const struct command *const command_table[] = {
#define COMMAND(name) &command_##name,
#include "cmd/commands.def"
#undef COMMAND
	NULL,
};

#define FIELD(name) offsetof(struct cmd_options, name)

static const char *const format_choices[] = {"text", "json", NULL};
static const char *const color_choices[] = {"auto", "always", "never", NULL};
static const char *const fail_choices[] = {"leaks", "cycles", "refcount", NULL};

/* What each command takes, however it prints. */
/* clang-format off */
#define GENERAL_ROWS                                                                               \
	{0, "color", OPTION_CHOICE, FIELD(color), "auto|always|never",                             \
	 "colors; auto (the default) minds NO_COLOR", color_choices, false},                       \
	{'v', "verbose", OPTION_COUNT, FIELD(verbose), NULL,                                       \
	 "say more on stderr; -vv: still more", NULL, false},                                      \
	{'q', "quiet", OPTION_FLAG, FIELD(quiet), NULL,                                            \
	 "no progress, no warnings on stderr; of a scan, no screen", NULL, false},                 \
	{'h', "help", OPTION_FLAG, FIELD(help), NULL, "print this help", NULL, false},             \
	{0}
/* clang-format on */

const struct option options_common[] = {
	{0, "format", OPTION_CHOICE, FIELD(format), "text|json", "how to print (text)",
	 format_choices, false},
	GENERAL_ROWS,
};

const struct option options_general[] = {GENERAL_ROWS};

const struct option options_rows[] = {
	{'n', "limit", OPTION_NUMBER, FIELD(limit), "N", "at most N rows; 0: all", NULL, false},
	{'t', "type", OPTION_STRING, FIELD(type), "REGEX", "only types whose name matches (PCRE2)",
	 NULL, false},
	{0},
};

const struct option options_binaries[] = {
	{0, "sysroot", OPTION_LIST, FIELD(sysroot), "DIR",
	 "look for the process's binaries below DIR, too (repeatable)", NULL, false},
	{0, "exe", OPTION_STRING, FIELD(exe), "FILE", "the executable, when it has moved", NULL,
	 false},
	{0},
};

const struct option options_fail[] = {
	{0, "fail-on", OPTION_SET, FIELD(fail_on), "leaks,cycles,refcount",
	 "exit with status 3 when there are any", fail_choices, false},
	{0},
};

/* ---- the database ---- */

static bool is_sqlite(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[sizeof(magic)];
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, head, sizeof(head)) == sizeof(head) &&
	       !memcmp(head, magic, sizeof(magic));
}

/* Before any query uses it: what is wrong with it is then no fault of the database. */
static struct error *regex_check(struct cmd_context *ctx, const char *option, const char *pattern)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	if (!pattern)
		return NULL;
	struct error *err = cmd_prepare(ctx, "regex_check.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":pattern", pattern);
	if (sqlite3_step(stmt) == SQLITE_ERROR)
		err = error_new(ERROR_USAGE, "--%s: %s", option, sqlite3_errmsg(ctx->store->db));
	return err;
}

struct error *cmd_check_type(struct cmd_context *ctx)
{
	return regex_check(ctx, "type", ctx->opt.type);
}

/* A core file there, or what else is none. */
static struct error *check_is_database(struct cmd_context *ctx, const char *path)
{
	if (access(path, R_OK))
		return error_errno(ERROR_INPUT, errno, "%s", path);
	if (is_sqlite(path))
		return NULL;
	const char *beside = region_printf(&ctx->region, "%s.db", path);
	if (beside && is_sqlite(beside))
		return error_new(ERROR_INPUT, "%s: is no database; try %s", path, beside);
	return error_new(ERROR_INPUT,
			 "%s: is no database; if it is a core file, make one first: heapscan %s",
			 path, path);
}

struct error *cmd_open(struct cmd_context *ctx, const char *path)
{
	struct error *err = check_is_database(ctx, path);
	if (!err)
		err = store_open(path, &ctx->store);
	if (!err)
		err = known_load(ctx);
	if (!err)
		err = cmd_check_type(ctx);
	if (!err)
		err = regex_check(ctx, "avoid", ctx->opt.avoid);
	if (!err)
		err = regex_check(ctx, "to-type", ctx->opt.to_type);
	if (!err)
		err = regex_check(ctx, "skip-frames", ctx->opt.skip_frames);
	return err;
}

struct error *cmd_check_places(const struct cmd_options *opt)
{
	struct stat st;
	for (unsigned i = 0; i < opt->sysroot.n; i++)
		if (stat(opt->sysroot.at[i], &st))
			return error_errno(ERROR_USAGE, errno, "--sysroot %s", opt->sysroot.at[i]);
		else if (!S_ISDIR(st.st_mode))
			return error_new(ERROR_USAGE, "--sysroot %s: is no folder",
					 opt->sysroot.at[i]);
	if (opt->exe && stat(opt->exe, &st))
		return error_errno(ERROR_USAGE, errno, "--exe %s", opt->exe);
	return NULL;
}

struct error *cmd_open_any(struct cmd_context *ctx, const char *path)
{
	struct error *err = check_is_database(ctx, path);
	if (!err)
		err = store_open_any(path, ctx->opt.write, &ctx->store);
	if (!err && !ctx->store->growth)
		err = known_load(ctx);
	return err;
}

bool cmd_has_biggest(struct cmd_context *ctx, uint64_t limit)
{
	const char *each = cmd_meta(ctx, "biggest_each");
	if (ctx->opt.limit != LIMIT_UNSET)
		limit = ctx->opt.limit;
	return each && limit && limit <= strtoull(each, NULL, 10);
}

bool cmd_is_trace(struct cmd_context *ctx)
{
	const char *kind = cmd_meta(ctx, "kind");
	return kind && !strcmp(kind, "trace");
}

struct error *cmd_open_core(struct cmd_context *ctx, const char *path)
{
	struct error *err = cmd_open(ctx, path);
	if (!err && cmd_is_trace(ctx))
		err = error_new(ERROR_USAGE,
				"%s: is of an allocation trace, which has no contents of memory: "
				"what points where is not known (top, leaks, memory, show and sql "
				"answer)",
				path);
	return err;
}

void cmd_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	int i = sqlite3_bind_parameter_index(stmt, name);
	if (i)
		sqlite3_bind_int64(stmt, i, value);
}

void cmd_bind_text(sqlite3_stmt *stmt, const char *name, const char *value)
{
	int i = sqlite3_bind_parameter_index(stmt, name);
	if (i)
		sqlite3_bind_text(stmt, i, value, -1, SQLITE_STATIC);
}

struct error *cmd_prepare(struct cmd_context *ctx, const char *query, uint64_t limit,
			  sqlite3_stmt **ret)
{
	char name[64];
	snprintf(name, sizeof(name), "%s%s", strchr(query, '/') ? "" : "query/", query);
	const char *sql = embed_find(name);
	assert(sql);
	if (sqlite3_prepare_v2(ctx->store->db, sql, -1, ret, NULL))
		return error_new(ERROR_INPUT, "%s: %s (%s)", ctx->store->path,
				 sqlite3_errmsg(ctx->store->db), query);
	if (ctx->opt.limit != LIMIT_UNSET)
		limit = ctx->opt.limit;
	cmd_bind_int(*ret, ":limit", limit && limit < INT64_MAX ? (int64_t)limit : -1);
	cmd_bind_text(*ret, ":type", ctx->opt.type);
	if (ctx->opt.min_size)
		cmd_bind_int(*ret, ":min_size", (int64_t)ctx->opt.min_size);
	if (ctx->opt.max_size)
		cmd_bind_int(*ret, ":max_size", (int64_t)ctx->opt.max_size);
	return NULL;
}

struct error *cmd_section(struct cmd_context *ctx, const char *query, uint64_t limit,
			  const char *section, const struct report_column *columns, uint64_t *nrow)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, query, limit, &stmt);
	if (!err)
		err = report_rows(&ctx->report, section, columns, stmt, nrow);
	return err;
}

struct error *cmd_row(struct cmd_context *ctx, sqlite3_stmt *stmt, struct cmd_row *ret, bool *found)
{
	*found = false;
	*ret = (struct cmd_row){0};
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE)
		return NULL;
	if (rc != SQLITE_ROW)
		return error_new(ERROR_INPUT, "%s: %s", ctx->store->path,
				 sqlite3_errmsg(ctx->store->db));
	int n = sqlite3_column_count(stmt);
	size_t room = (size_t)n;
	ret->n = n;
	ret->name = region_alloc(&ctx->region, room * sizeof(*ret->name));
	ret->integer = region_alloc(&ctx->region, room * sizeof(*ret->integer));
	ret->text = region_alloc(&ctx->region, room * sizeof(*ret->text));
	if (!ret->name || !ret->integer || !ret->text)
		return &error_nomem;
	for (int i = 0; i < n; i++) {
		ret->integer[i] = sqlite3_column_int64(stmt, i);
		ret->name[i] = region_strdup(&ctx->region, sqlite3_column_name(stmt, i));
		const char *text = (const char *)sqlite3_column_text(stmt, i);
		if (text)
			ret->text[i] = region_strdup(&ctx->region, text);
		if (!ret->name[i] || (text && !ret->text[i]))
			return &error_nomem;
	}
	*found = true;
	return NULL;
}

struct error *cmd_totals(struct cmd_context *ctx, const char *query, struct cmd_row *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	bool found;
	*ret = (struct cmd_row){0};
	struct error *err = cmd_prepare(ctx, query, 0, &stmt);
	return err ? err : cmd_row(ctx, stmt, ret, &found);
}

static int row_find(const struct cmd_row *row, const char *name)
{
	for (int i = 0; i < row->n; i++)
		if (!strcmp(row->name[i], name))
			return i;
	assert(!row->n); /* the query and its user disagree */
	return -1;
}

int64_t cmd_row_int(const struct cmd_row *row, const char *name)
{
	int i = row_find(row, name);
	return i < 0 ? 0 : row->integer[i];
}

const char *cmd_row_text(const struct cmd_row *row, const char *name)
{
	int i = row_find(row, name);
	return i < 0 ? NULL : row->text[i];
}

void cmd_more(struct cmd_context *ctx, int64_t more)
{
	if (more > 0)
		report_line(&ctx->report, "... and %s more (--limit 0 shows all)",
			    cmd_count(ctx, more));
}

const char *cmd_meta(struct cmd_context *ctx, const char *key)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "meta.sql", 0, &stmt);
	struct cmd_row row = {0};
	bool found = false;
	if (!err) {
		cmd_bind_text(stmt, ":key", key);
		err = cmd_row(ctx, stmt, &row, &found);
	}
	/* A fact that cannot be read is one that is not known; the next query says what is wrong.
	 */
	error_free(err);
	return found ? cmd_row_text(&row, "value") : NULL;
}

struct error *cmd_caveats(struct cmd_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	if (ctx->report.json)
		return NULL;
	struct error *err = cmd_prepare(ctx, "caveats.sql", 0, &stmt);
	bool found = true;
	while (!err) {
		struct cmd_row row;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			break;
		report_line(&ctx->report, "Note: %s: weakens %s.",
			    report_safe(&ctx->region, cmd_row_text(&row, "figure"), "?"),
			    report_safe(&ctx->region, cmd_row_text(&row, "weakens"), "?"));
	}
	return err;
}

/* ---- --fail-on ---- */

static struct error *fail_on_one(struct cmd_context *ctx, const char *query, const char *count)
{
	struct cmd_row row;
	struct error *err = cmd_totals(ctx, query, &row);
	if (!err && cmd_row_int(&row, count))
		ctx->condition = true;
	return err;
}

struct error *cmd_fail_on(struct cmd_context *ctx)
{
	struct error *err = NULL;
	if (ctx->opt.fail_on & FAIL_LEAKS)
		err = cmd_is_trace(ctx) ? fail_on_one(ctx, "leaks_trace_total.sql", "objects")
					: fail_on_one(ctx, "leaks_total.sql", "clusters");
	if (!err && (ctx->opt.fail_on & FAIL_CYCLES))
		err = fail_on_one(ctx, "cycles_total.sql", "garbage");
	if (!err && (ctx->opt.fail_on & FAIL_REFCOUNT))
		err = fail_on_one(ctx, "refs_total.sql", "leaked");
	if (!err && (ctx->opt.fail_on & FAIL_REFCOUNT))
		err = fail_on_one(ctx, "refs_total.sql", "over_released");
	return err;
}

/* ---- sentences ---- */

const char *cmd_bytes(struct cmd_context *ctx, int64_t bytes)
{
	char buf[TEXT_NUMBER_MAX];
	const char *s =
		region_strdup(&ctx->region, text_bytes(buf, bytes < 0 ? 0 : (uint64_t)bytes));
	return s ? s : "?";
}

const char *cmd_count(struct cmd_context *ctx, int64_t n)
{
	char buf[TEXT_NUMBER_MAX];
	const char *s = region_strdup(&ctx->region, text_count(buf, n));
	return s ? s : "?";
}

const char *cmd_plural(struct cmd_context *ctx, int64_t n, const char *one, const char *many)
{
	char buf[TEXT_NUMBER_MAX];
	const char *s =
		region_printf(&ctx->region, "%s %s", text_count(buf, n), n == 1 ? one : many);
	return s ? s : "?";
}

const char *cmd_shell(struct cmd_context *ctx, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_./+,:@%=-";
	const char *safe = report_safe(&ctx->region, path, "DB");
	if (*safe && !safe[strspn(safe, plain)])
		return safe;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return safe;
	fputc('\'', f);
	for (const char *p = safe; *p; p++) {
		if (*p == '\'')
			fputs("'\\''", f);
		else
			fputc(*p, f);
	}
	fputc('\'', f);
	const char *copy = fclose(f) ? NULL : region_strdup(&ctx->region, text);
	free(text);
	return copy ? copy : safe;
}
