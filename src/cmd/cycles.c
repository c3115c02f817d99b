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
	{0},
};

static struct error *cycles_print(struct cmd_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct report *rep = &ctx->report;
	struct cmd_row total;
	bool found;
	struct error *err = cmd_prepare(ctx, "cycles_total.sql", 0, &stmt);
	if (!err)
		err = cmd_row(ctx, stmt, &total, &found);
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
	if (!clusters)
		report_line(rep, "No cycles%s.", ctx->opt.type ? " with such a head" : "");
	uint64_t n = 0;
	err = ctx->opt.all ? cmd_section(ctx, "cycles_all.sql", 0, "rows", cluster_columns, &n)
			   : cmd_section(ctx, "cycles.sql", GROUPS, "rows", shape_columns, &n);
	int64_t more = cmd_row_int(&total, ctx->opt.all ? "clusters" : "shapes") - (int64_t)n;
	if (!err && more > 0)
		report_line(rep, "... and %s more (--limit 0 shows all)", cmd_count(ctx, more));
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
	if (err)
		return err;
	report_begin(&ctx->report, "cycles");
	err = cmd_fail_on(ctx);
	if (!err)
		err = cmd_caveats(ctx);
	if (!err)
		err = known_tell(ctx);
	if (!err)
		err = cycles_print(ctx);
	return err ? err : report_end(&ctx->report);
}

static const struct option cycles_options[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct cmd_options, all), NULL,
	 "one row for each cycle, not for each shape", NULL, false},
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
		       "are known.\n"
		       "Cycles of one shape are one row. unseen: garbage that Python's collector "
		       "never frees, for the\n"
		       "type at fault does not show it all its references; unclear: that type's "
		       "code is not there to tell.",
	.options = cycles_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = cycles_run,
};
