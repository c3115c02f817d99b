#include "cmd/cmd.h"

enum { UNEXPLAINED = 20, UNREAD = 1 << 20 };

static const struct report_column category_columns[] = {
	{"bytes", "BYTES", REPORT_EXACT, NULL},	     {"bytes", "", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},	     {"segments", "MAPPINGS", REPORT_COUNT, NULL},
	{"category", "CATEGORY", REPORT_TEXT, NULL}, {0},
};

static const struct report_column place_columns[] = {
	{"bytes", "BYTES", REPORT_EXACT, NULL},
	{"bytes", "", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"segments", "MAPPINGS", REPORT_COUNT, NULL},
	{"category", "CATEGORY", REPORT_WORD, NULL},
	{"place", "PLACE", REPORT_TEXT, ""},
	{0},
};

static const struct report_column arena_columns[] = {
	{"id", "ARENA", REPORT_ID, NULL},
	{"allocator", "ALLOCATOR", REPORT_WORD, NULL},
	{"name", "NAME", REPORT_TEXT, ""},
	{"used_bytes", "LIVE", REPORT_BYTES, NULL},
	{"free_bytes", "FREE", REPORT_BYTES, NULL},
	{"free_share", "FREE %", REPORT_SHARE, NULL},
	{"overhead_bytes", "OVERHEAD", REPORT_BYTES, NULL},
	{"walked_bytes", "TOTAL", REPORT_EXACT, NULL},
	{"system_bytes", "ITS OWN COUNT", REPORT_EXACT, NULL},
	{"difference", "DIFFERENCE", REPORT_COUNT, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{0},
};

static const struct report_column free_columns[] = {
	{"kind", "PLACE", REPORT_WORD, NULL},
	{"blocks", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"biggest", "BIGGEST", REPORT_BYTES, NULL},
	{0},
};

static const struct report_column trim_columns[] = {
	{"id", "ARENA", REPORT_ID, ""},
	{"allocator", NULL, REPORT_WORD, NULL},
	{"name", "NAME", REPORT_TEXT, ""},
	{"free_bytes", "FREE", REPORT_BYTES, NULL},
	{"returnable", "RETURNABLE", REPORT_BYTES, NULL},
	{"written", "WRITTEN TO", REPORT_BYTES, NULL},
	{"pinned", "PINNED", REPORT_BYTES, NULL},
	{"top", "TOP STAYS", REPORT_BYTES, NULL},
	{"cached", "IN CACHES", REPORT_BYTES, NULL},
	{0},
};

static const struct report_column pin_columns[] = {
	{"bytes", "PINNED", REPORT_BYTES, NULL},       {"share", "SHARE", REPORT_SHARE, NULL},
	{"allocator", "ALLOCATOR", REPORT_WORD, NULL}, {"units", "PAGES", REPORT_COUNT, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},     {"size", "SIZE", REPORT_COUNT, "various"},
	{"address", "EXAMPLE", REPORT_ADDRESS, ""},    {"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"path", "HELD BY", REPORT_TEXT, ""},	       {"owner", NULL, REPORT_TEXT, NULL},
	{"owner_id", NULL, REPORT_ID, NULL},	       {0},
};

static const struct report_column savings_columns[] = {
	{"bytes", "SAVED", REPORT_BYTES, NULL}, {"share", "SHARE", REPORT_SHARE, NULL},
	{"kind", "KIND", REPORT_WORD, NULL},	{"objects", "OBJECTS", REPORT_COUNT, NULL},
	{"size", "SIZE", REPORT_COUNT, ""},	{"capacity", "ROOM FOR", REPORT_COUNT, ""},
	{"used", "USED", REPORT_COUNT, ""},	{"type", "TYPE", REPORT_WORD, NULL},
	{"path", "HELD BY", REPORT_TEXT, ""},	{"value", "VALUE", REPORT_TEXT, ""},
	{"form", NULL, REPORT_TEXT, NULL},	{0},
};

static const struct report_column unexplained_columns[] = {
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"written", "WRITTEN TO", REPORT_BYTES, NULL},
	{"start", "FROM", REPORT_ADDRESS, NULL},
	{"end", "TO", REPORT_ADDRESS, NULL},
	{"perms", "PERMS", REPORT_WORD, NULL},
	{"kind", "KIND", REPORT_WORD, NULL},
	{"place", "PLACE", REPORT_TEXT, ""},
	{"name", "NAME", REPORT_TEXT, ""},
	{0},
};

static const struct report_column segment_columns[] = {
	{"id", "ID", REPORT_ID, NULL},
	{"start", "FROM", REPORT_ADDRESS, NULL},
	{"end", "TO", REPORT_ADDRESS, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"present", "IN THE DUMP", REPORT_BYTES, NULL},
	{"perms", "PERMS", REPORT_WORD, NULL},
	{"kind", "KIND", REPORT_WORD, NULL},
	{"mostly", "MOSTLY", REPORT_TEXT, ""},
	{"name", "NAME", REPORT_TEXT, ""},
	{0},
};

static const struct {
	const char *heading, *query, *section;
	const struct report_column *columns;
	uint64_t limit;
} section[] = {
	{"Every byte of every mapping, once", "ledger_category.sql", "categories", category_columns,
	 0},
	{"The same by place", "ledger_place.sql", "places", place_columns, 40},
	{"Arenas", "arenas.sql", "arenas", arena_columns, 20},
	{"Free memory by the list that holds it", "free.sql", "free", free_columns, 0},
	{"Free memory that a trim (malloc_trim(0)) would return to the system", "trim.sql", "trim",
	 trim_columns, 20},
	{"What pins free memory: live blocks on pages (in pymalloc: arenas) that are partly free",
	 "pin.sql", "pins", pin_columns, 15},
	{"Bytes that could be saved: equal texts and buffers (one copy would do), room that "
	 "containers do "
	 "not use",
	 "savings.sql", "savings", savings_columns, 15},
	{"Mappings that nothing explains", "unexplained.sql", "unexplained", unexplained_columns,
	 UNEXPLAINED},
};

static int percent(int64_t part, int64_t whole)
{
	return whole > 0 ? (int)(100.0 * (double)part / (double)whole + 0.5) : 0;
}

/* The first question: a leak, or memory that the allocators hold? */
static struct error *memory_verdict(struct cmd_context *ctx)
{
	struct report *rep = &ctx->report;
	struct cmd_row row;
	struct error *err = cmd_totals(ctx, "memory_verdict.sql", &row);
	if (err || !row.n)
		return err;
	static const char *const figure[] = {"bytes",	      "live",	    "free",    "lost",
					     "weak",	      "returnable", "written", "pinned",
					     "thread_arenas", "thread_free"};
	int64_t bytes = cmd_row_int(&row, "bytes"), unread = cmd_row_int(&row, "unread");
	report_int(rep, "unread", unread);
	if (unread >= UNREAD)
		report_line(rep,
			    "Out of sight: %s (%d %% of the process's own memory) are in mappings "
			    "that no allocator, stack or binary accounts for%s%s.",
			    cmd_bytes(ctx, unread), percent(unread, cmd_row_int(&row, "own")),
			    cmd_meta(ctx, "unread_allocator") ? "; the process has " : "",
			    report_safe(&ctx->region, cmd_meta(ctx, "unread_allocator"), ""));
	if (!bytes) {
		if (unread >= UNREAD)
			report_line(rep, "%s", "");
		return NULL;
	}
	for (unsigned i = 0; i < sizeof(figure) / sizeof(*figure); i++)
		report_int(rep, figure[i], cmd_row_int(&row, figure[i]));
	int64_t live = cmd_row_int(&row, "live"), free_bytes = cmd_row_int(&row, "free");
	report_line(rep, "The allocators have %s of the system: %s (%d %%) live, %s (%d %%) free.",
		    cmd_bytes(ctx, bytes), cmd_bytes(ctx, live), percent(live, bytes),
		    cmd_bytes(ctx, free_bytes), percent(free_bytes, bytes));
	int64_t lost = cmd_row_int(&row, "lost"), weak = cmd_row_int(&row, "weak");
	report_line(rep,
		    "Leaked: %s of the live bytes (%d %%) for certain, %s more if stale words hold "
		    "them.",
		    cmd_bytes(ctx, lost), percent(lost, live), cmd_bytes(ctx, weak));
	int64_t out = cmd_row_int(&row, "returnable"), pinned = cmd_row_int(&row, "pinned");
	report_line(rep,
		    "Held free: a trim (malloc_trim(0)) would return %s, of it %s once written to; "
		    "%s stay, pinned by live blocks.",
		    cmd_bytes(ctx, out), cmd_bytes(ctx, cmd_row_int(&row, "written")),
		    cmd_bytes(ctx, pinned));
	int64_t arenas = cmd_row_int(&row, "thread_arenas");
	if (arenas)
		report_line(rep,
			    "Thread arenas: %s hold %s free; MALLOC_ARENA_MAX=1 would have left at "
			    "most that to be shared.",
			    cmd_count(ctx, arenas),
			    cmd_bytes(ctx, cmd_row_int(&row, "thread_free")));
	report_line(rep, "%s", "");
	return NULL;
}

static struct error *memory_print(struct cmd_context *ctx)
{
	if (ctx->opt.segments)
		return cmd_section(ctx, "segments.sql", 0, "segments", segment_columns, NULL);
	struct error *verdict = memory_verdict(ctx);
	if (verdict)
		return verdict;
	for (unsigned i = 0; i < sizeof(section) / sizeof(*section); i++) {
		if (i)
			report_heading(&ctx->report, "%s", section[i].heading);
		else
			report_line(&ctx->report, "%s", section[i].heading);
		uint64_t n = 0;
		struct error *err = cmd_section(ctx, section[i].query, section[i].limit,
						section[i].section, section[i].columns, &n);
		if (err)
			return err;
		if (!n)
			report_line(&ctx->report, "none");
	}
	return NULL;
}

/* ---- of a trace: no mappings, but how it grew ---- */

enum { POINTS = 24 };

static const struct report_column timeline_columns[] = {
	{"time", "TIME", REPORT_ANY, NULL},
	{"live_bytes", "LIVE", REPORT_BYTES, NULL},
	{"live_objects", "BLOCKS", REPORT_COUNT, NULL},
	{"share", "OF THE PEAK", REPORT_SHARE, NULL},
	{0},
};

static struct error *memory_trace(struct cmd_context *ctx)
{
	const char *unit = cmd_meta(ctx, "time_unit");
	uint64_t n = 0;
	report_string(&ctx->report, "time_unit", unit);
	report_line(&ctx->report,
		    "An allocation trace has no mappings: what was live over time (%s), the peak "
		    "among it.\n",
		    report_safe(&ctx->region, unit, "s"));
	struct error *err =
		cmd_section(ctx, "timeline.sql", POINTS, "timeline", timeline_columns, &n);
	if (!err && !n)
		report_line(&ctx->report, "This trace has no times.");
	return err;
}

static struct error *memory_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_open(ctx, operand[0]);
	if (err)
		return err;
	report_begin(&ctx->report, "memory");
	err = cmd_is_trace(ctx) ? memory_trace(ctx) : memory_print(ctx);
	return err ? err : report_end(&ctx->report);
}

static const struct option memory_options[] = {
	{'s', "segments", OPTION_FLAG, offsetof(struct cmd_options, segments), NULL,
	 "the mappings, one row each", NULL, false},
	{'n', "limit", OPTION_NUMBER, offsetof(struct cmd_options, limit), "N",
	 "at most N rows of each table; 0: all", NULL, false},
	{0},
};

static const struct option *const memory_groups[] = {memory_options, options_common, NULL};

const struct command command_memory = {
	.name = "memory",
	.operands = "DB",
	.summary = "where the process's memory went",
	.description = "A ledger: each byte of each mapping is in exactly one row, and the rows "
		       "add up to the size of\n"
		       "all mappings. Then the arenas, with what the walk found beside what the "
		       "allocator itself\n"
		       "counted; free memory by the list that holds it; equal texts and "
		       "buffers, and room that\n"
		       "containers do not use; and the mappings that nothing explains.",
	.options = memory_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = memory_run,
};
