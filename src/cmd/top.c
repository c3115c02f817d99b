#include "cmd/cmd.h"

enum { ROWS = 20 };

static const struct report_column type_columns[] = {
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"unreachable_bytes", "UNREACHABLE", REPORT_BYTES, NULL},
	{"size", "SIZE", REPORT_COUNT, "various"},
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
	{"module", "MODULE", REPORT_TEXT, ""},
	{"language", NULL, REPORT_TEXT, NULL},
	{0},
};

static const struct report_column module_columns[] = {
	{"types", "TYPES", REPORT_COUNT, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"unreachable_bytes", "UNREACHABLE", REPORT_BYTES, NULL},
	{"module", "MODULE OF THE TYPE", REPORT_TEXT, "(untyped)"},
	{0},
};

static const struct report_column arena_columns[] = {
	{"arena_id", "ARENA", REPORT_ID, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"unreachable_bytes", "UNREACHABLE", REPORT_BYTES, NULL},
	{"allocator", "ALLOCATOR", REPORT_WORD, NULL},
	{"name", "NAME", REPORT_TEXT, ""},
	{0},
};

static const struct report_column object_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_BYTES, NULL},
	{"retained", "RETAINED", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"reachable", "REACHABLE", REPORT_WORD, NULL},
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{0},
};

static const struct report_column site_columns[] = {
	{"objects", "BLOCKS", REPORT_COUNT, NULL}, {"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},	   {"function", "FUNCTION", REPORT_TEXT, ""},
	{"file", "FILE", REPORT_TEXT, "?"},	   {"line", "LINE", REPORT_COUNT, ""},
	{"module", "MODULE", REPORT_TEXT, ""},	   {"caller", "CALLED FROM", REPORT_TEXT, ""},
	{"site_id", NULL, REPORT_ID, NULL},	   {0},
};

static const struct report_column waiting_columns[] = {
	{"objects", "OBJECTS", REPORT_COUNT, NULL}, {"retained", "RETAINED", REPORT_BYTES, NULL},
	{"kind", "KIND", REPORT_WORD, NULL},	    {"state", "STATE", REPORT_WORD, "?"},
	{"place", "WAITS AT", REPORT_TEXT, ""},	    {"function", "IN", REPORT_TEXT, ""},
	{"object_id", "EXAMPLE", REPORT_ID, NULL},  {"chain", "AWAITS", REPORT_TEXT, ""},
	{"file", NULL, REPORT_TEXT, NULL},	    {"line", NULL, REPORT_COUNT, NULL},
	{"bytes", NULL, REPORT_BYTES, NULL},	    {0},
};

/* Single objects come from an index; with --type from that of types. */
static const struct {
	const char *query, *typed;
	const struct report_column *columns;
} top_by[] = {
	[BY_TYPE] = {"top_type.sql", "top_type.sql", type_columns},
	[BY_SIZE] = {"top_size.sql", "top_size_typed.sql", object_columns},
	[BY_RETAINED] = {"top_retained.sql", "top_retained_typed.sql", object_columns},
	[BY_MODULE] = {"top_module.sql", "top_module.sql", module_columns},
	[BY_ARENA] = {"top_arena.sql", "top_arena.sql", arena_columns},
	[BY_WAITING] = {"top_waiting.sql", "top_waiting.sql", waiting_columns},
	[BY_SITE] = {"top_site.sql", "top_site_typed.sql", site_columns},
};

static const char *const by_choices[] = {"type",  "size", "retained", "module",
					 "arena", "site", "waiting",  NULL};

static struct error *top_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_open(ctx, operand[0]);
	if (err)
		return err;
	struct report *rep = &ctx->report;
	report_begin(rep, "top");
	report_string(rep, "by", by_choices[ctx->opt.by]);
	uint64_t rows = 0;
	const char *query = ctx->opt.type ? top_by[ctx->opt.by].typed : top_by[ctx->opt.by].query;
	err = cmd_section(ctx, query, ROWS, "rows", top_by[ctx->opt.by].columns, &rows);
	if (err)
		return err;
	if (!rows && ctx->opt.by == BY_SITE)
		report_line(rep,
			    "No allocation sites%s: nothing in the input tells where blocks were "
			    "allocated (tracemalloc, a trace).",
			    ctx->opt.type ? " of such a type" : "");
	else if (!rows && ctx->opt.by == BY_WAITING)
		report_line(rep, "No generators, coroutines, tasks or futures%s.",
			    ctx->opt.type ? " of such a type" : "");
	else if (!rows)
		report_line(rep, "No live blocks%s.", ctx->opt.type ? " of such a type" : "");
	uint64_t limit = ctx->opt.limit == LIMIT_UNSET ? ROWS : ctx->opt.limit;
	if (limit && rows == limit)
		report_line(rep, "These are the first %s; --limit 0 shows all.",
			    cmd_count(ctx, (int64_t)rows));
	return report_end(rep);
}

static const struct option top_options[] = {
	{'b', "by", OPTION_CHOICE, offsetof(struct cmd_options, by),
	 "type|size|retained|module|arena|site|waiting", "what the rows are (type)", by_choices,
	 false},
	{0},
};

static const struct option *const top_groups[] = {top_options, options_rows, options_common, NULL};

const struct command command_top = {
	.name = "top",
	.operands = "DB",
	.summary = "what takes the most: types, blocks, modules, arenas",
	.description =
		"Live blocks by type (those of unknown type by their size), by the module "
		"that the type\n"
		"comes from, or by arena; with --by size and --by retained single blocks: "
		"the biggest, and\n"
		"those that would take the most with them; with --by site by the line that "
		"allocated them,\n"
		"where tracemalloc or a trace recorded it; with --by waiting Python's "
		"generators, coroutines,\n"
		"tasks and futures by the line where they wait. SHARE is of the bytes of all "
		"live blocks. Retained\n"
		"sizes nest, so they do not add up.",
	.options = top_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = top_run,
};
