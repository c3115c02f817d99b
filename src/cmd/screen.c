/*
 * The first screen: what `heapscan FILE` says of a process, in the order in which one asks. What it
 * was, where its memory went, what is lost, what is biggest, what was odd, what to do next.
 */
#include "cmd/cmd.h"
#include "cmd/known.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	CLUSTERS = 5,
	TYPES = 6,
	BLOCKS = 4,
	FRAMES = 4,
	FINDINGS = 6,
	MISSING = 20,
	WIDTH = 100, /* where stdout is no terminal: one screen is no raw data */
};

static const struct report_column ledger_columns[] = {
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"category", "WHERE", REPORT_TEXT, NULL},
	{0},
};

static const struct report_column leak_columns[] = {
	{"clusters", "CLUSTERS", REPORT_COUNT, NULL}, {"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},	      {"address", "EXAMPLE", REPORT_ADDRESS, NULL},
	{"head_size", NULL, REPORT_COUNT, NULL},      {"type", NULL, REPORT_TEXT, NULL},
	{"shape", "SHAPE", REPORT_TEXT, "(unknown)"}, {"value", "VALUE OF HEAD", REPORT_TEXT, ""},
	{"direct_bytes", NULL, REPORT_BYTES, NULL},   {"indirect_bytes", NULL, REPORT_BYTES, NULL},
	{"cluster_id", NULL, REPORT_ID, NULL},	      {"head_id", NULL, REPORT_ID, NULL},
	{"signature", NULL, REPORT_TEXT, NULL},	      {0},
};

static const struct report_column type_columns[] = {
	{"objects", "BLOCKS", REPORT_COUNT, NULL},  {"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},	    {"size", "SIZE", REPORT_COUNT, "various"},
	{"type", "TYPE", REPORT_NAME, "(untyped)"}, {"module", NULL, REPORT_TEXT, NULL},
	{"language", NULL, REPORT_TEXT, NULL},	    {0},
};

static const struct report_column block_columns[] = {
	{"address", "BLOCK", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_BYTES, NULL},
	{"retained", "RETAINED", REPORT_BYTES, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column finding_columns[] = {
	{"severity", "SEVERITY", REPORT_WORD, NULL}, {"title", "WHAT", REPORT_TEXT, NULL},
	{"kind", NULL, REPORT_TEXT, NULL},	     {"detail", NULL, REPORT_TEXT, NULL},
	{"objects", NULL, REPORT_COUNT, NULL},	     {"bytes", NULL, REPORT_BYTES, NULL},
	{"address", NULL, REPORT_ADDRESS, NULL},     {"object_id", NULL, REPORT_ID, NULL},
	{"cluster_id", NULL, REPORT_ID, NULL},	     {0},
};

static const struct report_column frame_columns[] = {
	{"depth", NULL, REPORT_COUNT, NULL},
	{"pc", NULL, REPORT_ADDRESS, NULL},
	{"function", NULL, REPORT_TEXT, NULL},
	{"file", NULL, REPORT_TEXT, NULL},
	{"line", NULL, REPORT_COUNT, NULL},
	{"module", NULL, REPORT_TEXT, NULL},
	{0},
};

static const char *safe_meta(struct cmd_context *ctx, const char *key, const char *none)
{
	return report_safe(&ctx->region, cmd_meta(ctx, key), none);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

/* ---- what it was ---- */

static void screen_signal(struct cmd_context *ctx)
{
	const char *number = cmd_meta(ctx, "signal");
	const char *fault = cmd_meta(ctx, "fault_address");
	if (!number) {
		report_line(&ctx->report,
			    "Signal    none: the process was alive when it was dumped");
		return;
	}
	const char *name = sigdescr_np(atoi(number));
	const char *abbrev = sigabbrev_np(atoi(number));
	report_line(&ctx->report, "Signal    %s%s (%s)%s%s", abbrev ? "SIG" : "",
		    abbrev ? abbrev : report_safe(&ctx->region, number, ""),
		    name ? name : "unknown", fault ? ", fault at " : "",
		    report_safe(&ctx->region, fault, ""));
}

/* "in abort < handler < main" of the thread that dumped: as many frames as have names. */
static struct error *screen_frames(struct cmd_context *ctx)
{
	if (ctx->report.json)
		return cmd_section(ctx, "crash.sql", 0, "crash_frames", frame_columns, NULL);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "crash.sql", FRAMES, &stmt);
	const char *chain = "";
	bool found = true;
	for (unsigned i = 0; !err; i++) {
		struct cmd_row row;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			break;
		const char *function = cmd_row_text(&row, "function");
		const char *module = cmd_row_text(&row, "module");
		char pc[24];
		snprintf(pc, sizeof(pc), "0x%llx", (long long)cmd_row_int(&row, "pc"));
		if (!function && module)
			function = region_printf(&ctx->region, "%s in %s", pc, base_name(module));
		chain = region_printf(&ctx->region, "%s%s%s", chain, i ? " < " : "",
				      report_safe(&ctx->region, function, pc));
		if (!chain)
			return &error_nomem;
	}
	if (!err && *chain)
		report_text(&ctx->report, "Where     ", chain);
	return err;
}

/* The same in Python's words, where that thread runs Python. */
static struct error *screen_python(struct cmd_context *ctx)
{
	if (ctx->report.json)
		return NULL;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "crash_python.sql", FRAMES, &stmt);
	const char *chain = "";
	for (unsigned i = 0; !err; i++) {
		struct cmd_row row;
		bool found;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			break;
		const char *file = report_safe(&ctx->region, cmd_row_text(&row, "file"), "?");
		chain = region_printf(
			&ctx->region, "%s%s%s() %s:%" PRId64, chain, i ? " < " : "",
			report_safe(&ctx->region, cmd_row_text(&row, "function"), "?"), file,
			cmd_row_int(&row, "line"));
		if (!chain)
			return &error_nomem;
	}
	if (!err && *chain)
		report_text(&ctx->report, "Python    ", chain);
	return err;
}

static struct error *screen_process(struct cmd_context *ctx, const struct cmd_row *sum)
{
	struct report *rep = &ctx->report;
	const char *args = cmd_meta(ctx, "args");
	if (rep->json)
		return NULL;
	report_line(rep, "Process   %s, pid %s, %s, %s", safe_meta(ctx, "exe", "(unknown program)"),
		    safe_meta(ctx, "pid", "unknown"),
		    cmd_plural(ctx, cmd_row_int(sum, "threads"), "thread", "threads"),
		    safe_meta(ctx, "machine", "unknown machine"));
	if (args)
		report_line(rep, "Command   %s", report_safe(&ctx->region, args, ""));
	screen_signal(ctx);
	return NULL;
}

/* ---- what is lost ---- */

static struct error *screen_leaks(struct cmd_context *ctx, const struct cmd_row *sum,
				  const char *path)
{
	struct report *rep = &ctx->report;
	int64_t lost = cmd_row_int(sum, "lost_objects"), weak = cmd_row_int(sum, "weak_objects");
	if (!rep->json && !cmd_row_int(sum, "arenas"))
		return NULL;
	report_heading(rep, "Unreachable");
	if (!lost)
		report_line(rep, "Nothing: every live block can be reached.");
	else
		report_line(
			rep, "Lost for certain: %s, %s, in %s (%s of them cycles).",
			cmd_plural(ctx, lost, "block", "blocks"),
			cmd_bytes(ctx, cmd_row_int(sum, "lost_bytes")),
			cmd_plural(ctx, cmd_row_int(sum, "leak_clusters"), "cluster", "clusters"),
			cmd_count(ctx, cmd_row_int(sum, "lost_cycles")));
	if (weak)
		report_line(rep,
			    "Lost too, if stale words hold them: %s, %s "
			    "(heapscan leaks %s --possible).",
			    cmd_plural(ctx, weak, "block", "blocks"),
			    cmd_bytes(ctx, cmd_row_int(sum, "weak_bytes")), path);
	struct error *err = known_tell(ctx);
	return err ? err : cmd_section(ctx, "leaks.sql", CLUSTERS, "leaks", leak_columns, NULL);
}

/* ---- what is worth a look ---- */

/* The rules of schema/finding/ write DB where a command wants the database. */
static const char *screen_detail(struct cmd_context *ctx, const char *detail, const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return detail;
	for (const char *p = detail; *p; p++) {
		bool word = !strncmp(p, " DB", 3) && (!p[3] || strchr(" ;,)", p[3]));
		if (word)
			fprintf(f, " %s", path);
		else
			fputc(*p, f);
		p += word ? 2 : 0;
	}
	const char *copy = fclose(f) ? NULL : region_strdup(&ctx->region, text);
	free(text);
	return copy ? copy : detail;
}

/* In text a sentence each, and under it the evidence and what to do next. */
static struct error *screen_findings(struct cmd_context *ctx, const char *path)
{
	struct report *rep = &ctx->report;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *rows = NULL;
	struct cmd_row total, row;
	bool found;
	struct error *err = cmd_prepare(ctx, "findings_total.sql", 0, &stmt);
	if (!err)
		err = cmd_prepare(ctx, "findings.sql", rep->json ? 0 : FINDINGS, &rows);
	if (err)
		return err;
	cmd_bind_int(stmt, ":odd", !rep->json);
	cmd_bind_int(rows, ":odd", !rep->json);
	if (rep->json)
		return report_rows(rep, "findings", finding_columns, rows, NULL);
	err = cmd_row(ctx, stmt, &total, &found);
	if (err)
		return err;
	int64_t all = cmd_row_int(&total, "findings"), n = 0;
	if (all)
		report_heading(rep, "What to look at");
	else
		report_line(rep, "\nNothing stands out: what follows is what there is.");
	while (!err) {
		err = cmd_row(ctx, rows, &row, &found);
		if (err || !found)
			break;
		const char *detail = cmd_row_text(&row, "detail");
		const char *title =
			region_printf(&ctx->region, "%s: %s", cmd_row_text(&row, "severity"),
				      report_safe(&ctx->region, cmd_row_text(&row, "title"), "?"));
		char lead[24];
		snprintf(lead, sizeof(lead), "%2" PRId64 ". ", ++n);
		report_text(rep, lead, title ? title : "?");
		if (detail)
			report_text(
				rep, "    ",
				screen_detail(ctx, report_safe(&ctx->region, detail, ""), path));
	}
	if (!err && all > n)
		report_line(rep, "    ... and %s more: heapscan sql %s 'SELECT * FROM finding'",
			    cmd_count(ctx, all - n), path);
	return err;
}

/* One a line, as the process knew them: ready for --sysroot. */
static void screen_missing(struct cmd_context *ctx, const char *path)
{
	const char *files = cmd_meta(ctx, "missing_files");
	report_string(&ctx->report, "missing_files", files);
	if (!files || ctx->report.json)
		return;
	report_line(&ctx->report, "Binaries that were not found (names get fewer; --sysroot DIR, "
				  "--exe FILE):");
	unsigned n = 0;
	for (const char *at = files; *at;) {
		size_t len = strcspn(at, "\n");
		const char *one = region_strndup(&ctx->region, at, len);
		if (++n <= MISSING)
			report_line(&ctx->report, "  %s", report_safe(&ctx->region, one, "?"));
		at += len + (at[len] == '\n');
	}
	if (n > MISSING)
		report_line(&ctx->report,
			    "  ... and %u more: heapscan sql %s \"SELECT value FROM meta WHERE "
			    "key = 'missing_files'\"",
			    n - MISSING, path);
}

/* ---- how sure all that is ---- */

static const struct report_column trust_columns[] = {
	{"aspect", NULL, REPORT_WORD, NULL},
	{"figure", "", REPORT_WORD, NULL},
	{"weakens", "", REPORT_TEXT, ""},
	{0},
};

/* In text what is well in one line, then what weakens an answer, a line each. */
static struct error *screen_trust(struct cmd_context *ctx)
{
	struct report *rep = &ctx->report;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "trust.sql", 0, &stmt);
	if (!err && rep->json)
		return report_rows(rep, "trust", trust_columns, stmt, NULL);
	const char *well = "", *weak = "";
	bool found = true;
	while (!err) {
		struct cmd_row row;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			break;
		const char *figure = report_safe(&ctx->region, cmd_row_text(&row, "figure"), "?");
		const char *weakens = cmd_row_text(&row, "weakens");
		if (weakens)
			weak = region_printf(&ctx->region, "%s%s: weakens %s\n", weak, figure,
					     report_safe(&ctx->region, weakens, ""));
		else
			well = region_printf(&ctx->region, "%s%s%s", well, *well ? "; " : "",
					     figure);
		if (!well || !weak)
			err = &error_nomem;
	}
	if (err)
		return err;
	const char *lead = "Trust     ";
	if (*well) {
		report_text(rep, lead, well);
		lead = "          ";
	}
	while (*weak) {
		size_t len = strcspn(weak, "\n");
		const char *one = region_strndup(&ctx->region, weak, len);
		if (!one)
			return &error_nomem;
		report_text(rep, lead, one);
		lead = "          ";
		weak += len + 1;
	}
	return NULL;
}

/* ---- the screen ---- */

static void screen_facts(struct cmd_context *ctx, const struct cmd_row *sum)
{
	static const char *const meta[] = {"kind",     "source",  "exe",     "args",
					   "pid",      "signal",  "machine", "fault_address",
					   "taken_at", "build_id"};
	for (unsigned i = 0; i < sizeof(meta) / sizeof(*meta); i++)
		report_string(&ctx->report, meta[i], cmd_meta(ctx, meta[i]));
	for (int i = 0; i < sum->n; i++)
		report_int(&ctx->report, sum->name[i], sum->integer[i]);
}

static void screen_blocks(struct cmd_context *ctx, const struct cmd_row *sum)
{
	if (!cmd_row_int(sum, "arenas")) {
		report_line(&ctx->report,
			    "Blocks: none, since no heap was found that can be read.");
		return;
	}
	int64_t module = cmd_row_int(sum, "module_bytes");
	const char *said = region_printf(
		&ctx->region, "%s live (%s%s%s%s), %s free (%s), in %s.",
		cmd_count(ctx, cmd_row_int(sum, "objects")),
		cmd_bytes(ctx, cmd_row_int(sum, "bytes")), module ? ", of it " : "",
		module ? cmd_bytes(ctx, module) : "", module ? " in modules' data" : "",
		cmd_count(ctx, cmd_row_int(sum, "free_objects")),
		cmd_bytes(ctx, cmd_row_int(sum, "free_bytes")),
		cmd_plural(ctx, cmd_row_int(sum, "arenas"), "arena", "arenas"));
	report_text(&ctx->report, "Blocks: ", said ? said : "?");
}

static struct error *screen_print(struct cmd_context *ctx, const struct cmd_row *sum,
				  const char *path)
{
	struct report *rep = &ctx->report;
	struct error *err = screen_process(ctx, sum);
	if (!err)
		err = screen_frames(ctx);
	if (!err)
		err = screen_python(ctx);
	if (err)
		return err;
	report_line(rep, "Dump      %s%s%s", safe_meta(ctx, "source", "?"),
		    cmd_meta(ctx, "taken_at") ? ", " : "", safe_meta(ctx, "taken_at", ""));
	err = screen_trust(ctx);
	if (!err)
		err = screen_findings(ctx, path);
	if (err)
		return err;
	int64_t reserved = cmd_row_int(sum, "reserved_bytes");
	report_heading(rep, "Memory: %s%s in %s",
		       cmd_bytes(ctx, cmd_row_int(sum, "mapped_bytes") - reserved),
		       reserved ? " (and reserved addresses)" : "",
		       cmd_plural(ctx, cmd_row_int(sum, "segments"), "mapping", "mappings"));
	err = cmd_section(ctx, "ledger_short.sql", 0, "ledger", ledger_columns, NULL);
	if (err)
		return err;
	screen_blocks(ctx, sum);
	err = screen_leaks(ctx, sum, path);
	if (err)
		return err;
	if (cmd_row_int(sum, "arenas"))
		report_heading(rep, "Biggest types and blocks");
	err = cmd_section(ctx, "top_type.sql", TYPES, "types", type_columns, NULL);
	if (!err)
		err = cmd_section(ctx, "top_size.sql", BLOCKS, "blocks", block_columns, NULL);
	if (err)
		return err;
	screen_missing(ctx, path);
	int64_t lost = cmd_row_int(sum, "leak_clusters");
	const char *next = !cmd_row_int(sum, "arenas")		    ? "memory"
			   : !lost				    ? "top"
			   : lost > cmd_row_int(sum, "lost_cycles") ? "leaks"
								    : "cycles";
	report_line(rep, "\nNext: heapscan %s %s   (also: leaks, path, top, memory, show, sql)",
		    next, path);
	return NULL;
}

struct error *cmd_screen(struct cmd_context *ctx, const char *path)
{
	struct cmd_row sum;
	if (cmd_is_trace(ctx))
		return cmd_screen_trace(ctx, path);
	if (!ctx->report.width)
		ctx->report.width = WIDTH;
	struct error *err = cmd_totals(ctx, "summary.sql", &sum);
	if (err)
		return err;
	err = cmd_fail_on(ctx);
	if (err)
		return err;
	screen_facts(ctx, &sum);
	return screen_print(ctx, &sum, cmd_shell(ctx, path));
}
