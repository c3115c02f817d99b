#include "cmd/cmd.h"

#include "store/embed.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUERY_MAX = 1 << 20 };

/* Asked for objects, functions that need them, or tables that are in the databases which were compared. */
static struct error *sql_explain(struct cmd_context *ctx, struct error *err)
{
	if (!ctx->store->growth || !strstr(err->message, "no such table"))
		return err;
	return error_note(err,
			  "%s is what 'heapscan diff -o' wrote: .tables says what it has; objects "
			  "are in the databases that its table dump names",
			  ctx->store->path);
}

/*
 * All statements of a text. Text output: one table after the other. JSON: {"command": "sql",
 * "rows":
 * [...]}, each further statement that has columns as "rows_2", ...
 */
static struct error *sql_statements(struct cmd_context *ctx, const char *sql, unsigned *count)
{
	while (*sql) {
		_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
		if (sqlite3_prepare_v2(ctx->store->db, sql, -1, &stmt, &sql))
			return sql_explain(
				ctx, error_new(ERROR_USAGE, "%s", sqlite3_errmsg(ctx->store->db)));
		if (!stmt) /* a comment, or blanks */
			continue;
		char section[32] = "rows";
		if (sqlite3_column_count(stmt)) {
			if (++*count > 1)
				snprintf(section, sizeof(section), "rows_%u", *count);
			if (*count > 1)
				report_line(&ctx->report, "%s", "");
		}
		struct error *err = report_rows(&ctx->report, section, NULL, stmt, NULL);
		if (err)
			return sql_explain(ctx, err);
	}
	return NULL;
}

/*
 * A text that is no SQL but begins with a dot, as in the sqlite3 program: .tables, .schema. The schema
 * is printed as it was written, since SQLite keeps no comment that stands before a definition.
 */
static struct error *sql_text(struct cmd_context *ctx, const char *sql, unsigned *count)
{
	static const char *const snapshot[] = {"tables.sql", "views.sql", "indexes.sql", NULL};
	static const char *const growth[] = {"growth/tables.sql", NULL};
	const char *const *schema = ctx->store->growth ? growth : snapshot;
	size_t word = strcspn(sql, " \t\r\n;");
	if (sql[0] != '.')
		return sql_statements(ctx, sql, count);
	if (word == strlen(".tables") && !strncmp(sql, ".tables", word))
		return sql_statements(ctx, embed_find("query/tables.sql"), count);
	if (word != strlen(".schema") || strncmp(sql, ".schema", word))
		return error_new(ERROR_USAGE, "'%.*s' is neither SQL nor one of .tables, .schema",
				 (int)(word < 40 ? word : 40), sql);
	if (ctx->report.json)
		return sql_statements(ctx, embed_find("query/definitions.sql"), count);
	for (; *schema; schema++) {
		const char *text = embed_find(*schema);
		assert(text);
		fputs(text, ctx->report.out);
	}
	return NULL;
}

/* On a terminal: complete statements as they come; an error is told, and the next one asked for. */
static struct error *sql_interactive(struct cmd_context *ctx)
{
	_cleanup_free_ char *line = NULL, *text = NULL;
	size_t room = 0, used = 0;
	fprintf(stderr, "SQL on %s; end statements with ; (.tables, .schema, .quit)\n",
		ctx->store->path);
	for (;;) {
		fputs(used ? "   ...> " : "heapscan> ", stderr);
		ssize_t n = getline(&line, &room, stdin);
		if (n < 0 || (!used && !strncmp(line, ".quit", 5)))
			break;
		const char *query = NULL;
		if (!used && line[0] == '.') {
			query = line;
		} else {
			char *more = realloc(text, used + (size_t)n + 1);
			if (!more || used + (size_t)n > QUERY_MAX)
				return &error_nomem;
			text = more;
			memcpy(text + used, line, (size_t)n + 1);
			used += (size_t)n;
			if (!sqlite3_complete(text))
				continue;
			query = text;
		}
		unsigned count = 0;
		struct error *err = sql_text(ctx, query, &count);
		if (err)
			fprintf(stderr, "%s\n", err->message);
		error_free(err);
		used = 0;
		fflush(stdout);
	}
	fputc('\n', stderr);
	return NULL;
}

static struct error *sql_read(char **ret)
{
	size_t used = 0, room = 4096;
	_cleanup_free_ char *text = malloc(room);
	while (text) {
		used += fread(text + used, 1, room - used - 1, stdin);
		text[used] = 0;
		if (used < room - 1)
			break;
		if (room >= QUERY_MAX)
			return error_new(ERROR_USAGE, "the query is longer than %d bytes",
					 QUERY_MAX);
		char *more = realloc(text, room *= 2);
		if (!more)
			return &error_nomem;
		(void)take_ptr(text);
		text = more;
	}
	if (!text)
		return &error_nomem;
	if (ferror(stdin))
		return error_errno(ERROR_SYSTEM, errno, "standard input");
	if (strlen(text) != used)
		return error_new(ERROR_USAGE, "the query has a NUL byte in it");
	*ret = take_ptr(text);
	return NULL;
}

/*
 * The loadable extension: beside the program as `make` leaves it, or in ../lib/heapscan where `make
 * install` puts it. In the region; NULL: not there.
 */
static const char *sql_extension(struct cmd_context *ctx)
{
	static const char *const place[] = {"heapscan.so", "../lib/heapscan/heapscan.so"};
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return NULL;
	exe[n] = 0;
	char *slash = strrchr(exe, '/');
	if (!slash)
		return NULL;
	slash[1] = 0;
	for (unsigned i = 0; i < sizeof(place) / sizeof(*place); i++) {
		const char *path = region_printf(&ctx->region, "%s%s", exe, place[i]);
		/* The shell reads it inside quotes of its own. */
		if (path && !access(path, R_OK) && !strpbrk(path, "\"\\'\n"))
			return path;
	}
	return NULL;
}

/* Becomes the sqlite3 program. Comes back when there is none, or no extension for it. */
static void sql_shell(struct cmd_context *ctx)
{
	const char *extension = sql_extension(ctx);
	const char *load = region_printf(&ctx->region, ".load \"%s\"", extension);
	/* What begins with a dash is no option. */
	const char *path = region_printf(&ctx->region, "%s%s", *ctx->store->path == '-' ? "./" : "",
					 ctx->store->path);
	if (!extension || !load || !path)
		return;
	execlp("sqlite3", "sqlite3", "-cmd", load, "-cmd", ".headers on", "-cmd", ".mode column",
	       ctx->opt.write ? "-header" : "-readonly", path, (char *)NULL);
}

static struct error *sql_run(struct cmd_context *ctx, int n, char **operand)
{
	_cleanup_free_ char *text = NULL;
	struct error *err = cmd_open_any(ctx, operand[0]);
	if (err)
		return err;
	if (n == 1 && isatty(STDIN_FILENO) && !ctx->report.json) {
		sql_shell(ctx);
		return sql_interactive(ctx);
	}
	if (n == 1)
		err = sql_read(&text);
	if (err)
		return err;
	unsigned count = 0;
	report_begin(&ctx->report, "sql");
	err = sql_text(ctx, n == 1 ? text : operand[1], &count);
	return err ? err : report_end(&ctx->report);
}

static const struct option sql_options[] = {
	{'w', "write", OPTION_FLAG, offsetof(struct cmd_options, write), NULL,
	 "statements may change the database", NULL, false},
	{0},
};

static const struct option *const sql_groups[] = {sql_options, options_common, NULL};

const struct command command_sql = {
	.name = "sql",
	.operands = "DB [QUERY]",
	.summary = "ask the database in SQL",
	.description =
		"Runs the statements read-only and prints their rows. Without QUERY they come from "
		"standard\n"
		"input; on a terminal the sqlite3 program takes over, with these functions loaded. "
		"Beside\n"
		"SQLite's own there are\n"
		"  X REGEXP Y             does X match the regular expression Y (PCRE2)\n"
		"  hex(N), addr(N)        an address as 0x and hex\n"
		"  human(N)               bytes as 1.2 MiB\n"
		"  object_at(N)           the object whose block holds the address N\n"
		"  FROM path_to(ID)       why an object is alive, step by step\n"
		"  FROM retained_set(ID)  what would go with it\n"
		"  FROM referrers_of(ID, DEPTH)  what holds it\n"
		"Tables and columns, with comments: heapscan sql DB .schema\n"
		"DB may also be what diff -o wrote, which has tables of its own.",
	.options = sql_groups,
	.min_operands = 1,
	.max_operands = 2,
	.run = sql_run,
};
