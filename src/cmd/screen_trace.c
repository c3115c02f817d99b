/*
 * The first screen of an allocation trace: what it was, what it allocated, what was not freed, what
 * the peak was made of, what came and went for nothing, what was odd.
 */
#include "cmd/cmd.h"
#include "cmd/sites.h"

#include <stdlib.h>
#include <string.h>

enum { SITES = 8, WIDTH = 100, FINDINGS = 5 };

static const struct report_column leak_columns[] = {
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"name", "FUNCTION", REPORT_TEXT, "?"},
	{"function", NULL, REPORT_TEXT, NULL},
	{"caller", "CALLED FROM", REPORT_NAME, ""},
	{"file", NULL, REPORT_TEXT, NULL},
	{"line", NULL, REPORT_COUNT, NULL},
	{"module", NULL, REPORT_TEXT, NULL},
	{"site_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column peak_columns[] = {
	{"peak_bytes", "AT PEAK", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"name", "FUNCTION", REPORT_TEXT, "?"},
	{"function", NULL, REPORT_TEXT, NULL},
	{"caller", "CALLED FROM", REPORT_NAME, ""},
	{"file", NULL, REPORT_TEXT, NULL},
	{"line", NULL, REPORT_COUNT, NULL},
	{"module", NULL, REPORT_TEXT, NULL},
	{"site_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column call_columns[] = {
	{"allocations", "CALLS", REPORT_COUNT, NULL},
	{"temporary", "TEMPORARY", REPORT_COUNT, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"name", "FUNCTION", REPORT_TEXT, "?"},
	{"function", NULL, REPORT_TEXT, NULL},
	{"caller", "CALLED FROM", REPORT_NAME, ""},
	{"file", NULL, REPORT_TEXT, NULL},
	{"line", NULL, REPORT_COUNT, NULL},
	{"module", NULL, REPORT_TEXT, NULL},
	{"site_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column finding_columns[] = {
	{"severity", "SEVERITY", REPORT_WORD, NULL},
	{"title", "WHAT", REPORT_TEXT, NULL},
	{"kind", NULL, REPORT_TEXT, NULL},
	{"detail", NULL, REPORT_TEXT, NULL},
	{"objects", NULL, REPORT_COUNT, NULL},
	{"bytes", NULL, REPORT_BYTES, NULL},
	{0},
};

static const char *const figure[] = {"allocations",	   "temporary",	    "allocated_bytes",
				     "live_objects",	   "live_bytes",    "suppressed_objects",
				     "suppressed_bytes",   "peak_bytes",    "unknown_frees",
				     "failed_allocations", "peak_rss_bytes"};
static const char *const fact[] = {"kind", "source",   "format",    "recorder", "exe",	    "args",
				   "pid",  "taken_at", "peak_time", "duration", "time_unit"};

/* -1: the trace does not tell. */
static int64_t meta_int(struct cmd_context *ctx, const char *key)
{
	const char *text = cmd_meta(ctx, key);
	return text ? strtoll(text, NULL, 10) : -1;
}

static const char *safe_meta(struct cmd_context *ctx, const char *key, const char *none)
{
	return report_safe(&ctx->region, cmd_meta(ctx, key), none);
}

static const char *known_count(struct cmd_context *ctx, const char *key)
{
	int64_t n = meta_int(ctx, key);
	return n < 0 ? "?" : cmd_count(ctx, n);
}

static const char *known_bytes(struct cmd_context *ctx, const char *key)
{
	int64_t n = meta_int(ctx, key);
	return n < 0 ? "? B" : cmd_bytes(ctx, n);
}

static void trace_facts(struct cmd_context *ctx)
{
	struct report *rep = &ctx->report;
	for (unsigned i = 0; i < sizeof(fact) / sizeof(*fact); i++)
		report_string(rep, fact[i], cmd_meta(ctx, fact[i]));
	for (unsigned i = 0; i < sizeof(figure) / sizeof(*figure); i++) {
		int64_t n = meta_int(ctx, figure[i]);
		if (n >= 0)
			report_int(rep, figure[i], n);
	}
}

static void trace_head(struct cmd_context *ctx)
{
	struct report *rep = &ctx->report;
	const char *unit = safe_meta(ctx, "time_unit", "s");
	if (cmd_meta(ctx, "exe"))
		report_line(rep, "Process   %s", safe_meta(ctx, "exe", ""));
	if (cmd_meta(ctx, "args"))
		report_line(rep, "Command   %s", safe_meta(ctx, "args", ""));
	report_line(rep, "Trace     %s, %s%s%s", safe_meta(ctx, "source", "?"),
		    safe_meta(ctx, "format", "allocations"), cmd_meta(ctx, "duration") ? ", " : "",
		    cmd_meta(ctx, "duration") ? region_printf(&ctx->region, "%s %s",
							      safe_meta(ctx, "duration", ""), unit)
					      : "");
	report_heading(rep, "Allocations");
	if (meta_int(ctx, "allocations") >= 0)
		report_line(rep, "%s calls, %s in all%s.", known_count(ctx, "allocations"),
			    known_bytes(ctx, "allocated_bytes"),
			    meta_int(ctx, "temporary") < 0
				    ? ""
				    : region_printf(&ctx->region,
						    "; %s temporary: freed by the next event",
						    known_count(ctx, "temporary")));
	if (meta_int(ctx, "peak_bytes") >= 0)
		report_line(rep, "Peak: %s%s%s%s%s.", known_bytes(ctx, "peak_bytes"),
			    cmd_meta(ctx, "peak_time") ? " at " : "",
			    safe_meta(ctx, "peak_time", ""), cmd_meta(ctx, "peak_time") ? " " : "",
			    cmd_meta(ctx, "peak_time") ? unit : "");
	if (meta_int(ctx, "live_bytes") >= 0)
		report_line(rep, "Live at the end: %s in %s blocks%s.",
			    known_bytes(ctx, "live_bytes"), known_count(ctx, "live_objects"),
			    meta_int(ctx, "suppressed_objects") > 0
				    ? region_printf(&ctx->region,
						    ", of which %s are known to be no leaks",
						    known_count(ctx, "suppressed_objects"))
				    : "");
	if (meta_int(ctx, "unknown_frees") > 0)
		report_line(rep, "Frees of blocks that the trace does not know: %s.",
			    known_count(ctx, "unknown_frees"));
	if (meta_int(ctx, "failed_allocations") > 0)
		report_line(rep, "Calls that failed: %s.", known_count(ctx, "failed_allocations"));
}

/* The first few call paths by one figure. */
static struct error *trace_top(struct cmd_context *ctx, const char *cost, const char *heading,
			       const char *section, const struct report_column *columns)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *some = NULL;
	struct cmd_row row;
	bool found;
	struct error *err = cmd_prepare(ctx, "top_site.sql", 1, &some);
	if (err)
		return err;
	cmd_bind_text(some, ":cost", cost);
	err = cmd_row(ctx, some, &row, &found);
	if (!err)
		err = cmd_prepare(ctx, "top_site.sql", SITES, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":cost", cost);
	if (found)
		report_heading(&ctx->report, "%s", heading);
	return report_rows(&ctx->report, section, columns, stmt, NULL);
}

static struct error *trace_findings(struct cmd_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *count = NULL;
	struct cmd_row total;
	bool found;
	struct error *err = cmd_prepare(ctx, "findings_total.sql", 0, &count);
	if (err)
		return err;
	cmd_bind_int(count, ":odd", 1);
	err = cmd_row(ctx, count, &total, &found);
	if (!err)
		err = cmd_prepare(ctx, "findings.sql", ctx->report.json ? 0 : FINDINGS, &stmt);
	if (err)
		return err;
	if (cmd_row_int(&total, "findings"))
		report_heading(&ctx->report, "Odd");
	cmd_bind_int(stmt, ":odd", !ctx->report.json);
	return report_rows(&ctx->report, "findings", finding_columns, stmt, NULL);
}

struct error *cmd_screen_trace(struct cmd_context *ctx, const char *path)
{
	_cleanup_sites_ struct sites *sites = NULL;
	if (!ctx->report.width)
		ctx->report.width = WIDTH;
	struct error *err = cmd_fail_on(ctx);
	if (!err)
		err = sites_load(ctx, true, &sites);
	if (!err)
		err = sites_tables(ctx, sites);
	if (err)
		return err;
	trace_facts(ctx);
	if (!ctx->report.json)
		trace_head(ctx);
	err = trace_top(ctx, "live", "Not freed, by call path", "leaks", leak_columns);
	if (!err)
		err = trace_top(ctx, "peak", "At the peak", "peak", peak_columns);
	if (!err)
		err = trace_top(ctx, "allocations", "Most calls", "calls", call_columns);
	if (!err)
		err = trace_findings(ctx);
	if (err)
		return err;
	const char *db = cmd_shell(ctx, path);
	const char *missing = cmd_meta(ctx, "missing_files");
	report_string(&ctx->report, "missing_files", missing);
	if (missing)
		report_line(&ctx->report,
			    "\nBinaries that were not found (names get fewer; --sysroot DIR):\n%s",
			    report_safe(&ctx->region, missing, ""));
	report_line(&ctx->report,
		    "\nNext: heapscan leaks %s   (also: top --by site, top --by function, memory, "
		    "sql)",
		    db);
	return NULL;
}
