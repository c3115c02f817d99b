#include "cmd/cmd.h"
#include "cmd/known.h"

enum { GROUPS = 20 };

static const struct report_column shape_columns[] = {
	{"state", "STATE", REPORT_WORD, NULL},
	{"clusters", "CYCLES", REPORT_COUNT, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"address", "EXAMPLE", REPORT_ADDRESS, NULL},
	{"head_size", "SIZE", REPORT_COUNT, NULL},
	{"type", NULL, REPORT_TEXT, NULL},
	{"cluster_id", NULL, REPORT_ID, NULL},
	{"head_id", NULL, REPORT_ID, NULL},
	{"culprit", "AT FAULT", REPORT_TEXT, ""},
	{"shape", "SHAPE", REPORT_TEXT, "(unknown)"},
	{"signature", NULL, REPORT_TEXT, NULL},
	{"collectable", NULL, REPORT_COUNT, NULL},
	{"culprit_id", NULL, REPORT_ID, NULL},
	{"normal", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column cluster_columns[] = {
	{"state", "STATE", REPORT_WORD, NULL},
	{"cluster_id", "CLUSTER", REPORT_ID, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"address", "HEAD", REPORT_ADDRESS, NULL},
	{"head_size", NULL, REPORT_COUNT, NULL},
	{"type", NULL, REPORT_TEXT, NULL},
	{"value", NULL, REPORT_TEXT, NULL},
	{"head_id", NULL, REPORT_ID, NULL},
	{"culprit", "AT FAULT", REPORT_TEXT, ""},
	{"shape", "SHAPE", REPORT_TEXT, "(unknown)"},
	{"signature", NULL, REPORT_TEXT, NULL},
	{"collectable", NULL, REPORT_COUNT, NULL},
	{"culprit_id", NULL, REPORT_ID, NULL},
	{"normal", NULL, REPORT_COUNT, NULL},
	{0},
};

static struct error *cycles_rows(struct cmd_context *ctx, const char *query, uint64_t limit,
				 const struct report_column *columns, bool normal, uint64_t *n)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, query, limit, &stmt);
	if (err)
		return err;
	if (normal)
		cmd_bind_int(stmt, ":definitions", 1);
	return report_rows(&ctx->report, "rows", columns, stmt, n);
}

static struct error *cycles_print(struct cmd_context *ctx)
{
	struct report *rep = &ctx->report;
	struct cmd_row total;
	struct error *err = cmd_totals(ctx, "cycles_total.sql", &total);
	if (err)
		return err;
	int64_t clusters = cmd_row_int(&total, "clusters"),
		garbage = cmd_row_int(&total, "garbage"), unseen = cmd_row_int(&total, "unseen"),
		unclear = cmd_row_int(&total, "unclear");
	report_int(rep, "clusters", clusters);
	report_int(rep, "garbage", garbage);
	report_int(rep, "garbage_bytes", cmd_row_int(&total, "garbage_bytes"));
	report_int(rep, "unseen", unseen);
	report_int(rep, "unclear", unclear);
	if (clusters)
		report_line(rep, "%s; %s garbage (%s).\n",
			    cmd_plural(ctx, clusters, "cycle", "cycles"), cmd_count(ctx, garbage),
			    cmd_bytes(ctx, cmd_row_int(&total, "garbage_bytes")));
	if (unseen)
		report_line(rep,
			    "%s of these Python's collector never frees: a type written in C does "
			    "not show it all its references.\n",
			    cmd_count(ctx, unseen));
	if (unclear)
		report_line(rep,
			    "Of %s it cannot be known: the code of a type's traverse function is "
			    "not there.\n",
			    cmd_count(ctx, unclear));
	/* Whoever asks for types is told of all of them. */
	bool normal = ctx->opt.definitions || ctx->opt.type;
	int64_t hidden = normal ? 0 : cmd_row_int(&total, "normal");
	report_int(rep, "definitions", cmd_row_int(&total, "normal"));
	report_int(rep, "definitions_bytes", cmd_row_int(&total, "normal_bytes"));
	report_int(rep, "definitions_shown", normal);
	if (!clusters)
		report_line(rep, "No cycles%s.", ctx->opt.type ? " with such a head" : "");
	uint64_t n = 0;
	err = ctx->opt.all ? cycles_rows(ctx, "cycles_all.sql", 0, cluster_columns, normal, &n)
			   : cycles_rows(ctx, "cycles.sql", GROUPS, shape_columns, normal, &n);
	int64_t more = ctx->opt.all ? clusters - hidden
				    : cmd_row_int(&total, "shapes") -
					      (normal ? 0 : cmd_row_int(&total, "normal_shapes"));
	if (!err)
		cmd_more(ctx, more - (int64_t)n);
	if (!err && hidden)
		report_line(
			rep,
			"%s%s %s alive in which classes and modules hold what is theirs, as in "
			"every "
			"program (%s, %s): --definitions shows them.",
			n ? "\n" : "", cmd_plural(ctx, hidden, "cycle", "cycles"),
			hidden == 1 ? "is" : "are",
			cmd_plural(ctx, cmd_row_int(&total, "normal_objects"), "object", "objects"),
			cmd_bytes(ctx, cmd_row_int(&total, "normal_bytes")));
	if (!err && n && !ctx->opt.all) {
		report_heading(rep, "What the first ones are made of");
		err = cmd_members(ctx, "cycle");
	}
	return err;
}

static struct error *cycles_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_open_core(ctx, operand[0]);
	return err ? err : known_report(ctx, "cycles", cycles_print);
}

static const struct option cycles_options[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct cmd_options, all), NULL,
	 "one row for each cycle, not for each shape", NULL, false},
	{0, "definitions", OPTION_FLAG, offsetof(struct cmd_options, definitions), NULL,
	 "also the living ones of classes and modules with what is theirs", NULL, false},
	{0},
};

static const struct option *const cycles_groups[] = {cycles_options, options_rows,   options_known,
						     options_fail,   options_common, NULL};

const struct command command_cycles = {
	.name = "cycles",
	.operands = "DB",
	.summary = "blocks that lead to each other, garbage first",
	.description = "Blocks that lead to each other in a ring, or to themselves. Those that "
		       "nothing else leads\n"
		       "to are garbage and come first; those that are alive are listed where types "
		       "are known,\n"
		       "but for those in which a class or module holds what is its own: its "
		       "functions, its "
		       "tables.\n"
		       "Cycles of one shape are one row. unseen: garbage that Python's collector "
		       "never frees, for the\n"
		       "type at fault does not show it all its references; unclear: that type's "
		       "code is not there to tell.",
	.options = cycles_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = cycles_run,
};
