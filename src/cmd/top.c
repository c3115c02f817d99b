#include "cmd/cmd.h"
#include "cmd/sites.h"
#include "cmd/top_what_if.h"

#include <string.h>

enum { ROWS = 20 };

static const struct report_column type_columns[] = {
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"cumulative", "SUM", REPORT_SHARE, NULL},
	{"retained", "RETAINED", REPORT_BYTES, ""},
	{"unreachable_bytes", "UNREACHABLE", REPORT_BYTES, NULL},
	{"size", "SIZE", REPORT_COUNT, "various"},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"module", "MODULE", REPORT_TEXT, ""},
	{"language", NULL, REPORT_TEXT, NULL},
	{0},
};

static const struct report_column module_columns[] = {
	{"types", "TYPES", REPORT_COUNT, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"cumulative", "SUM", REPORT_SHARE, NULL},
	{"unreachable_bytes", "UNREACHABLE", REPORT_BYTES, NULL},
	{"module", "MODULE OF THE TYPE", REPORT_TEXT, "(untyped)"},
	{0},
};

static const struct report_column arena_columns[] = {
	{"arena_id", "ARENA", REPORT_ID, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"cumulative", "SUM", REPORT_SHARE, NULL},
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
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{0},
};

static const struct report_column site_columns[] = {
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"name", "FUNCTION", REPORT_TEXT, ""},
	{"function", NULL, REPORT_TEXT, NULL},
	{"file", "FILE", REPORT_TEXT, "?"},
	{"line", "LINE", REPORT_COUNT, ""},
	{"module", "MODULE", REPORT_TEXT, ""},
	{"caller", "CALLED FROM", REPORT_NAME, ""},
	{"site_id", NULL, REPORT_ID, NULL},
	{0},
};

/* Of a trace, which knows what came and went, too. */
static const struct report_column trace_site_columns[] = {
	{"bytes", "LIVE", REPORT_BYTES, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"peak_bytes", "AT PEAK", REPORT_BYTES, NULL},
	{"allocations", "CALLS", REPORT_COUNT, NULL},
	{"temporary", "TEMPORARY", REPORT_COUNT, NULL},
	{"allocated_bytes", "ALLOCATED", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"name", "FUNCTION", REPORT_TEXT, "?"},
	{"function", NULL, REPORT_TEXT, NULL},
	{"file", "FILE", REPORT_TEXT, ""},
	{"line", "LINE", REPORT_COUNT, ""},
	{"module", NULL, REPORT_TEXT, NULL},
	{"caller", "CALLED FROM", REPORT_NAME, ""},
	{"site_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column function_columns[] = {
	{"bytes", "LIVE", REPORT_BYTES, NULL},
	{"own_bytes", "OWN", REPORT_BYTES, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"peak_bytes", "AT PEAK", REPORT_BYTES, NULL},
	{"own_peak_bytes", "OWN", REPORT_BYTES, NULL},
	{"allocations", "CALLS", REPORT_COUNT, NULL},
	{"own_allocations", "OWN", REPORT_COUNT, NULL},
	{"temporary", "TEMPORARY", REPORT_COUNT, NULL},
	{"own_temporary", NULL, REPORT_COUNT, NULL},
	{"allocated_bytes", NULL, REPORT_BYTES, NULL},
	{"own_allocated_bytes", NULL, REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"name", "FUNCTION", REPORT_TEXT, "?"},
	{"function", NULL, REPORT_TEXT, NULL},
	{"module", "MODULE", REPORT_TEXT, ""},
	{0},
};

static const struct report_column age_columns[] = {
	{"age", "AGE", REPORT_SHARE, NULL},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"retained", "RETAINED", REPORT_BYTES, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"path", "HELD AS", REPORT_TEXT, ""},
	{"written", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column waiting_columns[] = {
	{"objects", "OBJECTS", REPORT_COUNT, NULL}, {"retained", "RETAINED", REPORT_BYTES, NULL},
	{"kind", "KIND", REPORT_WORD, NULL},	    {"state", "STATE", REPORT_WORD, "?"},
	{"place", "WAITS AT", REPORT_TEXT, ""},	    {"function", "IN", REPORT_NAME, ""},
	{"object_id", "EXAMPLE", REPORT_ID, NULL},  {"chain", "AWAITS", REPORT_TEXT, ""},
	{"file", NULL, REPORT_TEXT, NULL},	    {"line", NULL, REPORT_COUNT, NULL},
	{"bytes", NULL, REPORT_BYTES, NULL},	    {0},
};

static const struct report_column dominator_columns[] = {
	{"objects", "OBJECTS", REPORT_COUNT, NULL},   {"bytes", "BYTES", REPORT_BYTES, NULL},
	{"retained", "RETAINED", REPORT_BYTES, NULL}, {"share", "SHARE", REPORT_SHARE, NULL},
	{"cumulative", "SUM", REPORT_SHARE, NULL},    {"size", "SIZE", REPORT_COUNT, "various"},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},   {"module", "MODULE", REPORT_TEXT, ""},
	{"language", NULL, REPORT_TEXT, NULL},	      {0},
};

static const struct report_column referrer_columns[] = {
	{"objects", "OBJECTS", REPORT_COUNT, NULL},  {"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},	     {"cumulative", "SUM", REPORT_SHARE, NULL},
	{"holder", "HELD BY", REPORT_TEXT, "?"},     {"step", "AS", REPORT_TEXT, ""},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},  {"object_id", "EXAMPLE", REPORT_ID, NULL},
	{"path", "WHERE MOST ARE", REPORT_TEXT, ""}, {0},
};

static const struct report_column signature_columns[] = {
	{"kind", "KIND", REPORT_WORD, NULL},
	{"reachable", "REACHABLE", REPORT_WORD, NULL},
	{"clusters", "CLUSTERS", REPORT_COUNT, NULL},
	{"objects", "OBJECTS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"head_id", "EXAMPLE", REPORT_ID, NULL},
	{"signature", "SHAPE", REPORT_TEXT, "(one by itself)"},
	{"type", NULL, REPORT_TEXT, NULL},
	{"address", NULL, REPORT_ADDRESS, NULL},
	{"cluster_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column histogram_columns[] = {
	{"low", "FROM", REPORT_COUNT, NULL},
	{"high", "TO", REPORT_COUNT, NULL},
	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"share", "SHARE", REPORT_SHARE, NULL},
	{"cumulative", "SUM", REPORT_SHARE, NULL},
	{"bar", "", REPORT_WORD, ""},
	{0},
};

/*
 * Single objects come from an index; with --type from that of types. Where the scan noted as many of the
 * biggest as are asked for, from those: by --type, or among sizes.
 */
static const struct {
	const char *query, *typed;
	const struct report_column *columns;
	const char *biggest;
} top_by[] = {
	[BY_TYPE] = {"top_type.sql", "top_type.sql", type_columns, NULL},
	[BY_SIZE] = {"top_size.sql", "top_size_typed.sql", object_columns, "top_size_biggest.sql"},
	[BY_RETAINED] = {"top_retained.sql", "top_retained_typed.sql", object_columns,
			 "top_retained_biggest.sql"},
	[BY_MODULE] = {"top_module.sql", "top_module.sql", module_columns, NULL},
	[BY_ARENA] = {"top_arena.sql", "top_arena.sql", arena_columns, NULL},
	[BY_AGE] = {"top_age.sql", "top_age.sql", age_columns, NULL},
	[BY_WAITING] = {"top_waiting.sql", "top_waiting.sql", waiting_columns, NULL},
	[BY_SITE] = {"top_site.sql", "top_site_typed.sql", site_columns, NULL},
	[BY_FUNCTION] = {"top_function.sql", NULL, function_columns, NULL},
	[BY_DOMINATOR] = {"top_dominator.sql", "top_dominator.sql", dominator_columns, NULL},
	[BY_REFERRER] = {"top_referrer.sql", "top_referrer.sql", referrer_columns, NULL},
	[BY_SIGNATURE] = {"top_signature.sql", "top_signature.sql", signature_columns, NULL},
};

/* What goes together with what. */
enum {
	BY_OBJECTS = 1 << BY_SIZE | 1 << BY_RETAINED | 1 << BY_AGE, /* a row is an object */
	BY_SIZED = 1 << BY_TYPE | 1 << BY_SIZE | 1 << BY_RETAINED | 1 << BY_MODULE | 1 << BY_ARENA |
		   1 << BY_DOMINATOR,
	BY_MEMORY = 1 << BY_RETAINED | 1 << BY_MODULE | 1 << BY_ARENA | 1 << BY_DOMINATOR |
		    1 << BY_REFERRER | 1 << BY_SIGNATURE, /* nothing that a trace could tell */
};

static unsigned by_bit(unsigned by)
{
	return 1U << by;
}

static const char *const by_choices[] = {"type",     "size",	  "retained", "module", "arena",
					 "site",     "waiting",	  "function", "age",	"dominator",
					 "referrer", "signature", NULL};
static const char *const format_choices[] = {"text", "json", "folded", NULL};

/* Questions that need the tree of calls. */
static struct error *top_sites(struct cmd_context *ctx)
{
	_cleanup_sites_ struct sites *sites = NULL;
	if (ctx->opt.by == BY_FUNCTION && ctx->opt.type)
		return error_new(ERROR_USAGE, "--by function: goes without --type");
	struct error *err = sites_load(ctx, false, &sites);
	return err ? err : sites_tables(ctx, sites);
}

static struct error *top_folded(struct cmd_context *ctx)
{
	_cleanup_sites_ struct sites *sites = NULL;
	struct error *err = sites_load(ctx, false, &sites);
	if (!err && !sites_count(sites))
		err = error_new(ERROR_INPUT, "%s: nothing in it tells where blocks were allocated",
				ctx->store->path);
	return err ? err : sites_folded(ctx, sites);
}

static struct error *top_rows(struct cmd_context *ctx, uint64_t *rows)
{
	unsigned by = ctx->opt.by;
	const char *query = ctx->opt.type ? top_by[by].typed : top_by[by].query;
	const struct report_column *columns = top_by[by].columns;
	struct error *err = NULL;
	bool sized = by == BY_RETAINED && (ctx->opt.min_size || ctx->opt.max_size);
	if (top_by[by].biggest && (ctx->opt.type || sized) && cmd_has_biggest(ctx, ROWS))
		query = top_by[by].biggest;
	if ((by_bit(by) & BY_MEMORY || ctx->opt.what_if) && cmd_is_trace(ctx))
		return error_new(ERROR_USAGE,
				 "%s: is of an allocation trace, which knows no types, no arenas "
				 "and not what holds what: --by site, function or size",
				 ctx->store->path);
	if (by == BY_FUNCTION || (by == BY_SITE && !ctx->opt.type))
		err = top_sites(ctx);
	if (err)
		return err;
	if (by == BY_SITE && !ctx->opt.type && cmd_is_trace(ctx))
		columns = trace_site_columns;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	err = cmd_prepare(ctx, query, ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":cost", site_cost_choices[ctx->opt.cost]);
	if (ctx->opt.what_if)
		return top_what_if(ctx, stmt, rows);
	return report_rows(&ctx->report, "rows", columns, stmt, rows);
}

static struct error *top_usage(struct cmd_context *ctx)
{
	unsigned by = ctx->opt.by;
	if (ctx->opt.what_if && !(by_bit(by) & BY_OBJECTS))
		return error_new(ERROR_USAGE, "--what-if goes with --by retained, size or age");
	if ((ctx->opt.min_size || ctx->opt.max_size) && !(by_bit(by) & BY_SIZED) &&
	    !ctx->opt.histogram)
		return error_new(ERROR_USAGE,
				 "--min-size and --max-size go with --by type, size, retained, "
				 "module, arena and dominator");
	return NULL;
}

static struct error *top_histogram(struct cmd_context *ctx)
{
	report_heading(&ctx->report, "Live blocks by size");
	return cmd_section(ctx, "top_histogram.sql", 0, "histogram", histogram_columns, NULL);
}

static struct error *top_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = top_usage(ctx);
	if (!err)
		err = cmd_open(ctx, operand[0]);
	if (err)
		return err;
	struct report *rep = &ctx->report;
	if (ctx->opt.format == FORMAT_FOLDED)
		return top_folded(ctx);
	report_begin(rep, "top");
	report_string(rep, "by", by_choices[ctx->opt.by]);
	uint64_t rows = 0;
	err = top_rows(ctx, &rows);
	if (err)
		return err;
	if (!rows && (ctx->opt.by == BY_SITE || ctx->opt.by == BY_FUNCTION))
		report_line(rep,
			    "No allocation sites%s: nothing in the input tells where blocks were "
			    "allocated (tracemalloc, a trace).",
			    ctx->opt.type ? " of such a type" : "");
	else if (!rows && ctx->opt.by == BY_AGE)
		report_line(
			rep,
			"No dicts%s of which the dump tells when they were written to (CPython 3.6 "
			"to 3.13).",
			ctx->opt.type ? " of such a type" : "");
	else if (!rows && ctx->opt.by == BY_WAITING)
		report_line(rep, "No generators, coroutines, tasks or futures%s.",
			    ctx->opt.type ? " of such a type" : "");
	else if (!rows && ctx->opt.by == BY_SIGNATURE)
		report_line(rep, "No leaks and no cycles%s.",
			    ctx->opt.type ? " with such a head" : "");
	else if (!rows)
		report_line(rep, "No live blocks%s.", ctx->opt.type ? " of such a type" : "");
	uint64_t limit = ctx->opt.limit == LIMIT_UNSET ? ROWS : ctx->opt.limit;
	if (limit && rows == limit)
		report_line(rep, "These are the first %s; --limit 0 shows all.",
			    cmd_count(ctx, (int64_t)rows));
	err = ctx->opt.histogram ? top_histogram(ctx) : NULL;
	return err ? err : report_end(rep);
}

static const struct option top_options[] = {
	{'b', "by", OPTION_CHOICE, offsetof(struct cmd_options, by),
	 "type|size|retained|dominator|referrer|signature|module|arena|site|function|waiting|age",
	 "what the rows are (type)", by_choices, false},
	{'c', "cost", OPTION_CHOICE, offsetof(struct cmd_options, cost),
	 "live|objects|peak|allocations|temporary|allocated",
	 "of sites and functions: what counts (live)", site_cost_choices, false},
	{0, "min-size", OPTION_SIZE, offsetof(struct cmd_options, min_size), "SIZE",
	 "only blocks of so many bytes or more (4096, 4K, 1.5M)", NULL, false},
	{0, "max-size", OPTION_SIZE, offsetof(struct cmd_options, max_size), "SIZE",
	 "only blocks of no more bytes", NULL, false},
	{0, "histogram", OPTION_FLAG, offsetof(struct cmd_options, histogram), NULL,
	 "and the live blocks by size, in powers of two", NULL, false},
	{0, "what-if", OPTION_FLAG, offsetof(struct cmd_options, what_if), NULL,
	 "of single blocks: what would be free without each, and given back", NULL, false},
	{0, "skip-frames", OPTION_STRING, offsetof(struct cmd_options, skip_frames), "REGEX",
	 "leave such functions out: their callers have it (PCRE2)", NULL, false},
	{0, "format", OPTION_CHOICE, offsetof(struct cmd_options, format), "text|json|folded",
	 "folded: call paths for flame graphs", format_choices, false},
	{0},
};

static const struct option *const top_groups[] = {top_options, options_rows, options_general, NULL};

const struct command command_top = {
	.name = "top",
	.operands = "DB",
	.summary = "what takes the most: types, blocks, holders, modules, arenas",
	.description =
		"Live blocks by type (those of unknown type by their size), by the module "
		"that the type\n"
		"comes from, or by arena; with --by size and --by retained single blocks: "
		"the biggest, and\n"
		"those that would take the most with them; with --by site by the call path that "
		"allocated them,\n"
		"where tracemalloc or a trace recorded it, and with --by function by the "
		"functions, "
		"each with\n"
		"all that it called (OWN: without); with --by waiting Python's generators, "
		"coroutines,\n"
		"tasks and futures by the line where they wait; with --by age its dicts, what was "
		"written to last\n"
		"first (AGE: the share of them that was written to later). SHARE is of the bytes "
		"of "
		"all live blocks.\n"
		"RETAINED of a type is what would go with all its objects, at the least.\n"
		"Retained sizes nest, so they do not add up; with --by dominator they do: those "
		"blocks by type\n"
		"that no other block holds alone. --by referrer parts the live blocks by the type "
		"of what holds them,\n"
		"--by signature shows the shapes of leaks and cycles. SUM is of a row and those "
		"above it.",
	.options = top_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = top_run,
};
