#include "cmd/cmd.h"
#include "cmd/known.h"

enum { GROUPS = 20, NATIVE = 10 };

static const struct report_column fold_columns[] = {
	{"state", "STATE", REPORT_WORD, NULL},
	{"objects", "OBJECTS", REPORT_COUNT, NULL},
	{"excess", "COUNTS EACH", REPORT_COUNT, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"keeps", "KEEPS", REPORT_BYTES, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"beside", "MOST BESIDE", REPORT_TEXT, ""},
	{"address", "EXAMPLE", REPORT_ADDRESS, NULL},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"object_id", NULL, REPORT_ID, NULL},
	{"beside_type", NULL, REPORT_TEXT, NULL},
	{"beside_size", NULL, REPORT_COUNT, NULL},
	{"beside_objects", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column object_columns[] = {
	{"state", "STATE", REPORT_WORD, NULL},	      {"object_id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL}, {"size", "SIZE", REPORT_COUNT, NULL},
	{"refcount", "COUNT", REPORT_COUNT, NULL},    {"found", "HELD BY", REPORT_COUNT, NULL},
	{"excess", "EXCESS", REPORT_COUNT, NULL},     {"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},	      {0},
};

static const struct report_column kept_columns[] = {
	{"objects", "OBJECTS", REPORT_COUNT, NULL},
	{"counts", "COUNTS", REPORT_COUNT, NULL},
	{"cause", "WHY", REPORT_TEXT, NULL},
	{"module_name", "MODULE", REPORT_TEXT, ""},
	{"further", "", REPORT_TEXT, ""},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"address", "EXAMPLE", REPORT_ADDRESS, NULL},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"object_id", NULL, REPORT_ID, NULL},
	{"module", NULL, REPORT_TEXT, NULL},
	{"modules", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column native_columns[] = {
	{"objects", "OBJECTS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"direct", "BY C ITSELF", REPORT_COUNT, NULL},
	{"type", "MOSTLY", REPORT_NAME, "(untyped)"},
	{"kind", "HELD BY", REPORT_WORD, NULL},
	{"holder", "HOLDER", REPORT_TEXT, NULL},
	{"module_name", "MODULE", REPORT_TEXT, ""},
	{"via", "VIA BLOCK", REPORT_ADDRESS, ""},
	{"address", "EXAMPLE", REPORT_ADDRESS, NULL},
	{"type_objects", NULL, REPORT_COUNT, NULL},
	{"object_id", NULL, REPORT_ID, NULL},
	{"via_id", NULL, REPORT_ID, NULL},
	{"module", NULL, REPORT_TEXT, NULL},
	{"thread_id", NULL, REPORT_ID, NULL},
	{"name", NULL, REPORT_TEXT, NULL},
	{"holder_id", NULL, REPORT_ID, NULL},
	{0},
};

static void refs_sentences(struct cmd_context *ctx, const struct cmd_row *total)
{
	struct report *rep = &ctx->report;
	int64_t leaked = cmd_row_int(total, "leaked"), over = cmd_row_int(total, "over_released");
	const bool audited = cmd_row_text(total, "audited") != NULL;
	static const char *const fact[] = {"audited",	   "leaked",	    "leaked_bytes",
					   "leaked_keeps", "leaked_counts", "over_released",
					   "kept",	   "kept_counts"};
	for (unsigned i = 0; i < sizeof(fact) / sizeof(*fact); i++) {
		if (audited)
			report_int(rep, fact[i], cmd_row_int(total, fact[i]));
		else
			report_string(rep, fact[i], NULL);
	}
	if (!audited) {
		report_line(rep,
			    cmd_row_text(total, "doubtful")
				    ? "No counts: too many types of Python have no name to know "
				      "what holds a count (--sysroot DIR, --exe FILE)."
				    : "No counts: no objects of a runtime that counts "
				      "references.");
		return;
	}
	if (leaked)
		report_line(rep,
			    "%s (%s) with counts that nothing in the dump holds: a reference was "
			    "not given back. They alone keep %s.",
			    cmd_plural(ctx, leaked, "object", "objects"),
			    cmd_bytes(ctx, cmd_row_int(total, "leaked_bytes")),
			    cmd_bytes(ctx, cmd_row_int(total, "leaked_keeps")));
	if (over)
		report_line(rep, "%s with fewer counts than holders: will be freed while in use.",
			    cmd_plural(ctx, over, "object", "objects"));
	if (!leaked && !over)
		report_line(rep, "Every count is explained%s.",
			    ctx->opt.type ? " of such types" : "");
	else
		report_line(rep, "%s", "");
}

static struct error *refs_kept(struct cmd_context *ctx, const struct cmd_row *total)
{
	const int64_t kept = cmd_row_int(total, "kept");
	if (kept) {
		report_heading(&ctx->report, "Counts that modules took when they were imported");
		report_line(&ctx->report,
			    "%s of %s that nothing holds, and kept for good: no leak, and not more "
			    "for what the program does.",
			    cmd_plural(ctx, cmd_row_int(total, "kept_counts"), "count", "counts"),
			    cmd_plural(ctx, kept, "object", "objects"));
	}
	return cmd_section(ctx, "refs_kept.sql", GROUPS, "kept_rows", kept_columns, NULL);
}

/* The heading comes before rows that may not be there. */
static struct error *refs_native(struct cmd_context *ctx)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	bool found;
	struct error *err = cmd_prepare(ctx, "native.sql", NATIVE, &stmt);
	if (!err)
		err = cmd_row(ctx, stmt, &row, &found);
	if (err)
		return err;
	sqlite3_reset(stmt);
	if (found)
		report_heading(&ctx->report, "Objects that only native code keeps alive");
	return report_rows(&ctx->report, "native", native_columns, stmt, NULL);
}

static struct error *refs_print(struct cmd_context *ctx)
{
	struct cmd_row total;
	struct error *err = cmd_totals(ctx, "refs_total.sql", &total);
	if (err)
		return err;
	refs_sentences(ctx, &total);
	err = ctx->opt.all ? cmd_section(ctx, "refs_all.sql", 0, "rows", object_columns, NULL)
			   : cmd_section(ctx, "refs.sql", GROUPS, "rows", fold_columns, NULL);
	if (!err)
		err = refs_kept(ctx, &total);
	return err ? err : refs_native(ctx);
}

static struct error *refs_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_open_core(ctx, operand[0]);
	return err ? err : known_report(ctx, "refs", refs_print);
}

static const struct option refs_options[] = {
	{'a', "all", OPTION_FLAG, offsetof(struct cmd_options, all), NULL,
	 "one row for each object, not for each kind", NULL, false},
	{0},
};

static const struct option *const refs_groups[] = {refs_options, options_rows,	 options_known,
						   options_fail, options_common, NULL};

const struct command command_refs = {
	.name = "refs",
	.operands = "DB",
	.summary = "reference counts that nothing explains",
	.description =
		"Python objects whose count differs from the references that were found: "
		"from other objects,\n"
		"variables, the interpreter, and memory of C code that holds the address. "
		"More counts\n"
		"than holders: code in C took a reference and never gave it back. Fewer: it "
		"gave one back\n"
		"too many. Objects of one type, size and difference are one row; KEEPS is what "
		"nothing but\n"
		"these counts keeps alive (0: it is in use elsewhere), MOST BESIDE is what lies "
		"next to most\n"
		"of them in memory, and was allocated at about that time. Then: what only memory "
		"of C leads\n"
		"to, by who holds it (no fault by itself: a cache, a registry); the interpreter's "
		"own is left out.",
	.options = refs_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = refs_run,
};
