#include "cmd/cmd.h"
#include "cmd/known.h"
#include "cmd/sites.h"

#include <inttypes.h>

enum { GROUPS = 20, GROUPS_SHOWN = 5, MEMBERS_SHOWN = 3 };

static const struct report_column shape_columns[] = {
	{"clusters", "CLUSTERS", REPORT_COUNT, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"direct_bytes", "DIRECT", REPORT_BYTES, NULL},
	{"indirect_bytes", "INDIRECT", REPORT_BYTES, NULL},
	{"address", "EXAMPLE", REPORT_ADDRESS, NULL},
	{"head_size", NULL, REPORT_COUNT, NULL},
	{"type", NULL, REPORT_TEXT, NULL},
	{"value", NULL, REPORT_TEXT, NULL},
	{"cluster_id", NULL, REPORT_ID, NULL},
	{"head_id", NULL, REPORT_ID, NULL},
	{"shape", "SHAPE", REPORT_TEXT, "(unknown)"},
	{"signature", NULL, REPORT_TEXT, NULL},
	{"collectable", NULL, REPORT_COUNT, NULL},
	{"culprit", NULL, REPORT_TEXT, NULL},
	{"culprit_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column cluster_columns[] = {
	{"cluster_id", "CLUSTER", REPORT_ID, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"direct_bytes", "DIRECT", REPORT_BYTES, NULL},
	{"indirect_bytes", "INDIRECT", REPORT_BYTES, NULL},
	{"address", "HEAD", REPORT_ADDRESS, NULL},
	{"head_size", NULL, REPORT_COUNT, NULL},
	{"type", NULL, REPORT_TEXT, NULL},
	{"value", NULL, REPORT_TEXT, NULL},
	{"head_id", NULL, REPORT_ID, NULL},
	{"shape", "SHAPE", REPORT_TEXT, "(unknown)"},
	{"signature", NULL, REPORT_TEXT, NULL},
	{"collectable", NULL, REPORT_COUNT, NULL},
	{"culprit", NULL, REPORT_TEXT, NULL},
	{"culprit_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column possible_columns[] = {
	{"retained", "RETAINED", REPORT_BYTES, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"address", "BLOCK", REPORT_ADDRESS, NULL},
	{"root_kind", "HELD BY", REPORT_WORD, NULL},
	{"root_address", "WORD AT", REPORT_ADDRESS, NULL},
	{"roots", "WORDS", REPORT_COUNT, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"object_id", NULL, REPORT_ID, NULL},
	{"thread_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column member_columns[] = {
	{"cluster_id", "CLUSTER", REPORT_ID, NULL},
	{"address", "MEMBER", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"object_id", NULL, REPORT_ID, NULL},
	{0},
};

struct error *cmd_members(struct cmd_context *ctx, const char *kind)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "members.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":kind", kind);
	if (ctx->opt.definitions || ctx->opt.type)
		cmd_bind_int(stmt, ":definitions", 1);
	/* no members of a cluster that is not listed */
	uint64_t groups = GROUPS_SHOWN;
	if (ctx->opt.limit && ctx->opt.limit < groups)
		groups = ctx->opt.limit;
	cmd_bind_int(stmt, ":groups", (int64_t)groups);
	cmd_bind_int(stmt, ":members", MEMBERS_SHOWN);
	return report_rows(&ctx->report, "members", member_columns, stmt, NULL);
}

static struct error *leaks_possible(struct cmd_context *ctx)
{
	uint64_t n = 0;
	struct error *err = cmd_section(ctx, "possible.sql", GROUPS, "rows", possible_columns, &n);
	if (!err && !n)
		report_line(&ctx->report, "Nothing hangs on weak roots alone.");
	return err;
}

/* Blocks that only weak roots hold: the second bound of every leak figure. */
static struct error *leaks_weak(struct cmd_context *ctx)
{
	struct cmd_row row;
	struct error *err = cmd_totals(ctx, "summary.sql", &row);
	if (err)
		return err;
	int64_t objects = cmd_row_int(&row, "weak_objects"),
		bytes = cmd_row_int(&row, "weak_bytes");
	report_int(&ctx->report, "weak_objects", objects);
	report_int(&ctx->report, "weak_bytes", bytes);
	if (objects)
		report_line(
			&ctx->report,
			"\n%s more (%s) are held by weak roots alone, which may be stale words: "
			"heapscan leaks %s --possible",
			cmd_plural(ctx, objects, "block", "blocks"), cmd_bytes(ctx, bytes),
			cmd_shell(ctx, ctx->store->path));
	return NULL;
}

static struct error *leaks_core(struct cmd_context *ctx)
{
	struct report *rep = &ctx->report;
	if (ctx->opt.possible)
		return leaks_possible(ctx);
	struct cmd_row total;
	struct error *err = cmd_totals(ctx, "leaks_total.sql", &total);
	if (err)
		return err;
	int64_t clusters = cmd_row_int(&total, "clusters");
	report_int(rep, "clusters", clusters);
	report_int(rep, "shapes", cmd_row_int(&total, "shapes"));
	report_int(rep, "objects", cmd_row_int(&total, "objects"));
	report_int(rep, "bytes", cmd_row_int(&total, "bytes"));
	if (clusters)
		report_line(rep, "%s (%s) are unreachable, in %s of %s.\n",
			    cmd_plural(ctx, cmd_row_int(&total, "objects"), "block", "blocks"),
			    cmd_bytes(ctx, cmd_row_int(&total, "bytes")),
			    cmd_plural(ctx, clusters, "cluster", "clusters"),
			    cmd_plural(ctx, cmd_row_int(&total, "shapes"), "shape", "shapes"));
	else
		report_line(rep, "Nothing %sis unreachable%s.",
			    ctx->opt.suppress || ctx->opt.baseline ? "else " : "",
			    ctx->opt.type ? " that has such a head" : "");
	uint64_t n = 0;
	err = ctx->opt.all ? cmd_section(ctx, "leaks_all.sql", 0, "rows", cluster_columns, &n)
			   : cmd_section(ctx, "leaks.sql", GROUPS, "rows", shape_columns, &n);
	if (err)
		return err;
	cmd_more(ctx, cmd_row_int(&total, ctx->opt.all ? "clusters" : "shapes") - (int64_t)n);
	if (n && !ctx->opt.all) {
		report_heading(rep, "What the first ones are made of");
		err = cmd_members(ctx, "leak");
	}
	return err ? err : leaks_weak(ctx);
}

/* ---- of a trace: what was not freed ---- */

static const struct report_column trace_columns[] = {
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"allocations", "OF CALLS", REPORT_COUNT, NULL},
	{"name", "FUNCTION", REPORT_TEXT, "?"},
	{"function", NULL, REPORT_TEXT, NULL},
	{"file", "FILE", REPORT_TEXT, ""},
	{"line", "LINE", REPORT_COUNT, ""},
	{"module", NULL, REPORT_TEXT, NULL},
	{"caller", "CALLED FROM", REPORT_NAME, ""},
	{"peak_bytes", NULL, REPORT_BYTES, NULL},
	{"temporary", NULL, REPORT_COUNT, NULL},
	{"allocated_bytes", NULL, REPORT_BYTES, NULL},
	{"site_id", NULL, REPORT_ID, NULL},
	{0},
};

static struct error *leaks_trace(struct cmd_context *ctx)
{
	struct report *rep = &ctx->report;
	_cleanup_sites_ struct sites *sites = NULL;
	struct cmd_row total;
	if (ctx->opt.possible || ctx->opt.type)
		return error_new(ERROR_USAGE,
				 "%s: a trace knows no types and no roots: --type and "
				 "--possible say nothing here",
				 ctx->store->path);
	struct error *err = cmd_totals(ctx, "leaks_trace_total.sql", &total);
	if (!err)
		err = sites_load(ctx, true, &sites);
	if (!err)
		err = sites_tables(ctx, sites);
	if (err)
		return err;
	int64_t objects = cmd_row_int(&total, "objects"), bytes = cmd_row_int(&total, "bytes");
	for (int i = 0; i < total.n; i++)
		report_int(rep, total.name[i], total.integer[i]);
	if (!bytes && !objects && cmd_row_int(&total, "unknown"))
		report_line(rep, "This trace does not tell what was live at its end; what it holds "
				 "is at the peak: heapscan top --by site --cost peak.");
	else if (bytes || objects)
		report_line(
			rep, "%s%s%s were not freed, from %s.\n",
			objects ? cmd_plural(ctx, objects, "block, ", "blocks, ") : "",
			cmd_bytes(ctx, bytes), "",
			cmd_plural(ctx, cmd_row_int(&total, "sites"), "call path", "call paths"));
	else
		report_line(rep, "Everything was freed.");
	uint64_t n = 0;
	err = cmd_section(ctx, "top_site.sql", GROUPS, "rows", trace_columns, &n);
	if (err)
		return err;
	int64_t more = cmd_row_int(&total, "sites") - (int64_t)n;
	if (more > 0 && n)
		report_line(rep, "... and more (--limit 0 shows all)");
	if (cmd_row_int(&total, "suppressed_bytes"))
		report_line(rep, "Not counted: %s (%s) that are known to be no leaks.",
			    cmd_plural(ctx, cmd_row_int(&total, "suppressed_objects"), "block",
				       "blocks"),
			    cmd_bytes(ctx, cmd_row_int(&total, "suppressed_bytes")));
	return NULL;
}

static struct error *leaks_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_open(ctx, operand[0]);
	if (err)
		return err;
	return known_report(ctx, "leaks", cmd_is_trace(ctx) ? leaks_trace : leaks_core);
}

static const struct option leaks_options[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct cmd_options, all), NULL,
	 "one row for each cluster, not for each shape", NULL, false},
	{'p', "possible", OPTION_FLAG, offsetof(struct cmd_options, possible), NULL,
	 "what weak roots (stale stack words?) alone hold", NULL, false},
	{0},
};

static const struct option *const leaks_groups[] = {leaks_options, options_rows,   options_known,
						    options_fail,  options_common, NULL};

const struct command command_leaks = {
	.name = "leaks",
	.operands = "DB",
	.summary = "unreachable blocks, like ones folded together",
	.description = "Unreachable blocks in clusters: a head, and what only the head leads to. "
		       "Clusters of one\n"
		       "shape are one row, the most bytes first; EXAMPLE is the head of the "
		       "biggest of them.\n"
		       "DIRECT is the bytes of the heads, INDIRECT those behind them. --type looks "
		       "at the head.\n"
		       "Nothing in the dump points to these blocks. --possible shows the rest of "
		       "what may be lost:\n"
		       "blocks that only doubtful words hold (stack words of no frame, unexplained "
		       "mappings).",
	.options = leaks_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = leaks_run,
};
