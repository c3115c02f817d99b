/*
 * report: one self-contained page. The queries of the other commands, as JSON, inside
 * report/page.html, whose script draws them. Nothing is fetched: the page may be mailed.
 */
#include "cmd/cmd.h"

#include "store/embed.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the data goes in the page. */
static const char report_marker[] = "@DATA@";

static const struct {
	const char *section, *query;
	uint64_t limit;
} report_section[] = {
	{"meta", "report_meta.sql", 0},
	{"summary", "summary.sql", 0},
	{"trust", "trust.sql", 0},
	{"findings", "findings.sql", 100},
	{"timeline", "report_timeline.sql", 2000},
	{"ledger", "ledger_category.sql", 0},
	{"places", "ledger_place.sql", 100},
	{"retention", "report_retention.sql", 100},
	{"biggest", "report_biggest.sql", 60},
	{"types", "top_type.sql", 150},
	{"leaks", "leaks.sql", 100},
	{"cycles", "cycles.sql", 100},
	{"refs", "refs.sql", 100},
	{"sites", "report_sites.sql", 150},
	{"arenas", "arenas.sql", 100},
	{"trim", "trim.sql", 100},
	{"pins", "pin.sql", 60},
	{"savings", "savings.sql", 100},
	{"frames", "report_frames.sql", 1000},
	{"modules", "report_modules.sql", 500},
	{"names", "report_names.sql", 5000},
};

/* One JSON object into memory; malloc'ed. */
static struct error *report_data(struct cmd_context *ctx, const char *db, char **ret)
{
	size_t len;
	struct report rep = {.out = open_memstream(ret, &len), .json = true};
	struct error *err = NULL;
	if (!rep.out)
		return &error_nomem;
	report_begin(&rep, "report");
	/* as the commands that the findings suggest want it */
	report_string(&rep, "database", cmd_shell(ctx, db));
	for (unsigned i = 0; i < sizeof(report_section) / sizeof(*report_section) && !err; i++) {
		_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
		err = cmd_prepare(ctx, report_section[i].query, report_section[i].limit, &stmt);
		if (!err)
			cmd_bind_int(stmt, ":odd", 0); /* findings.sql: all of them */
		if (!err)
			err = report_rows(&rep, report_section[i].section, NULL, stmt, NULL);
	}
	struct error *end = report_end(&rep);
	if (fclose(rep.out) && !err)
		err = &error_nomem;
	if (err)
		error_free(end);
	return err ? err : end;
}

/* JSON inside a script element: nothing in it may look like markup. */
static void report_write_data(FILE *out, const char *data)
{
	for (const char *p = data; *p; p++) {
		if (*p == '<' || *p == '>' || *p == '&')
			fprintf(out, "\\u%04x", *p);
		else
			fputc(*p, out);
	}
}

static struct error *report_open(const char *path, FILE **ret)
{
	if (!strcmp(path, "-")) {
		*ret = stdout;
		return NULL;
	}
	/* Like the database: it holds contents of the process's memory. */
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	*ret = fd < 0 ? NULL : fdopen(fd, "w");
	if (!*ret && fd >= 0)
		close(fd);
	return *ret ? NULL : error_errno(ERROR_SYSTEM, errno, "%s", path);
}

static struct error *report_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	_cleanup_free_ char *data = NULL;
	const char *path = ctx->opt.output;
	const char *page = embed_find("page.html");
	assert(page);
	const char *marker = strstr(page, report_marker);
	assert(marker);
	struct error *err = cmd_open(ctx, operand[0]);
	if (!err && !path) {
		path = region_printf(&ctx->region, "%s.html", operand[0]);
		err = path ? NULL : &error_nomem;
	}
	if (!err)
		err = report_data(ctx, operand[0], &data);
	FILE *out = NULL;
	if (!err)
		err = report_open(path, &out);
	if (err)
		return err;
	fwrite(page, 1, (size_t)(marker - page), out);
	report_write_data(out, data);
	fputs(marker + strlen(report_marker), out);
	bool bad = ferror(out);
	bad |= out == stdout ? fflush(out) : fclose(out);
	if (bad)
		return error_errno(ERROR_SYSTEM, errno, "%s", path);
	if (out != stdout)
		log_info(&ctx->log, "%s: written", path);
	return NULL;
}

static const struct option report_options[] = {
	{'o', "output", OPTION_STRING, offsetof(struct cmd_options, output), "F.html",
	 "the page to write (DB.html); '-': standard output", NULL, false},
	{0},
};

static const struct option *const report_groups[] = {report_options, options_common, NULL};

const struct command command_report = {
	.name = "report",
	.operands = "DB",
	.summary = "one self-contained page to look at instead of reading",
	.description = "Writes an HTML page with the findings, where the memory is, what holds it, "
		       "what is lost, types,\n"
		       "arenas and threads; tables can be sorted and filtered. It needs nothing "
		       "but a browser, and\n"
		       "fetches nothing.",
	.options = report_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = report_run,
};
