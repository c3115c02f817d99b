/* diff: the report. Each section is a query of schema/growth/ and its columns. */
#include "cmd/diff_impl.h"

#include <inttypes.h>
#include <string.h>

enum {
	ROWS = 20,
	ROWS_MORE = 10, /* of what only explains the first ones */
};

static const struct report_column dump_columns[] = {
	{"step", "DUMP", REPORT_COUNT, NULL},
	{"objects", "OBJECTS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"taken_at", "TAKEN AT", REPORT_WORD, NULL},
	{"pid", "PID", REPORT_ANY, "-"},
	{"path", "DATABASE", REPORT_TEXT, NULL},
	{"relation", NULL, REPORT_TEXT, NULL},
	{"exe", NULL, REPORT_TEXT, NULL},
	{"build_id", NULL, REPORT_TEXT, NULL},
	{"machine", NULL, REPORT_TEXT, NULL},
	{0},
};

static const struct report_column path_columns[] = {
	{"bytes", "BYTES", REPORT_GREW, NULL},
	{"objects", "OBJECTS", REPORT_MORE, NULL},
	{"new_objects", "NOW", REPORT_COUNT, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"path", "HELD BY", REPORT_TEXT, NULL},
	{"heaviest_step", "MOST OF IT", REPORT_TEXT, ""},
	{"heaviest", NULL, REPORT_TEXT, NULL},
	{"all_objects", NULL, REPORT_COUNT, NULL},
	{"old_objects", NULL, REPORT_COUNT, NULL},
	{"own_bytes", NULL, REPORT_BYTES, NULL},
	{"rises", NULL, REPORT_COUNT, NULL},
	{"falls", NULL, REPORT_COUNT, NULL},
	{"swing_bytes", NULL, REPORT_BYTES, NULL},
	{"slope", NULL, REPORT_BYTES, NULL},
	{0},
};

static const struct report_column path_columns_steps[] = {
	{"bytes", "BYTES", REPORT_GREW, NULL},
	{"slope", "A STEP", REPORT_GREW, NULL},
	{"objects", "OBJECTS", REPORT_MORE, NULL},
	{"new_objects", "NOW", REPORT_COUNT, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"path", "HELD BY", REPORT_TEXT, NULL},
	{"heaviest_step", "MOST OF IT", REPORT_TEXT, ""},
	{"heaviest", NULL, REPORT_TEXT, NULL},
	{"all_objects", NULL, REPORT_COUNT, NULL},
	{"old_objects", NULL, REPORT_COUNT, NULL},
	{"own_bytes", NULL, REPORT_BYTES, NULL},
	{"rises", NULL, REPORT_COUNT, NULL},
	{"falls", NULL, REPORT_COUNT, NULL},
	{"swing_bytes", NULL, REPORT_BYTES, NULL},
	{0},
};

static const struct report_column holder_columns[] = {
	{"bytes", "BYTES", REPORT_GREW, NULL},
	{"objects", "OBJECTS", REPORT_MORE, NULL},
	{"new_objects", "NEW", REPORT_COUNT, NULL},
	{"gone_objects", "GONE", REPORT_COUNT, NULL},
	{"members", "MEMBERS", REPORT_MORE, NULL},
	{"address", "HOLDER", REPORT_ADDRESS, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"path", "HELD BY", REPORT_TEXT, NULL},
	{"sample_path", "A NEW ONE", REPORT_TEXT, NULL},
	{"old_members", NULL, REPORT_COUNT, NULL},
	{"new_members", NULL, REPORT_COUNT, NULL},
	{"object_id", NULL, REPORT_ID, NULL},
	{"old_object_id", NULL, REPORT_ID, NULL},
	{"sample_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column container_columns[] = {
	{"members", "MEMBERS", REPORT_MORE, NULL},
	{"old_members", "BEFORE", REPORT_COUNT, NULL},
	{"new_members", "NOW", REPORT_COUNT, NULL},
	{"address", "CONTAINER", REPORT_ADDRESS, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"path", "HELD BY", REPORT_TEXT, NULL},
	{"object_id", NULL, REPORT_ID, NULL},
	{"old_object_id", NULL, REPORT_ID, NULL},
	{0},
};

static const struct report_column filled_columns[] = {
	{"gained", "GAINED", REPORT_MORE, NULL},
	{"unit", "", REPORT_WORD, NULL},
	{"old_used", "BEFORE", REPORT_COUNT, NULL},
	{"new_used", "NOW", REPORT_COUNT, NULL},
	{"new_capacity", "ROOM FOR", REPORT_COUNT, NULL},
	{"form", "CONTAINER", REPORT_WORD, NULL},
	{"header", "AT", REPORT_ADDRESS, NULL},
	{"path", "HELD BY", REPORT_TEXT, NULL},
	{"old_capacity", NULL, REPORT_COUNT, NULL},
	{"object_id", NULL, REPORT_ID, NULL},
	{"old_object_id", NULL, REPORT_ID, NULL},
	{"holder_id", NULL, REPORT_ID, NULL},
	{0},
};

#define ITEM_COLUMNS(title)                                                                        \
	{                                                                                          \
		{"bytes", "BYTES", REPORT_GREW, NULL}, {"objects", "OBJECTS", REPORT_MORE, NULL},  \
			{"new_objects", "NOW", REPORT_COUNT, NULL},                                \
			{"name", title, REPORT_NAME, NULL},                                        \
			{"old_objects", NULL, REPORT_COUNT, NULL},                                 \
			{"old_bytes", NULL, REPORT_BYTES, NULL},                                   \
			{"new_bytes", NULL, REPORT_BYTES, NULL},                                   \
			{"rises", NULL, REPORT_COUNT, NULL}, {"falls", NULL, REPORT_COUNT, NULL},  \
			{"swing_bytes", NULL, REPORT_BYTES, NULL},                                 \
			{"slope", NULL, REPORT_BYTES, NULL},                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

static const struct report_column type_columns[] = ITEM_COLUMNS("TYPE");
static const struct report_column leak_columns[] = ITEM_COLUMNS("SHAPE");
static const struct report_column site_columns[] = {
	{"bytes", "BYTES", REPORT_GREW, NULL},
	{"objects", "OBJECTS", REPORT_MORE, NULL},
	{"new_objects", "NOW", REPORT_COUNT, NULL},
	{"name", "ALLOCATED BY", REPORT_NAME, NULL},
	{"caller", "CALLED BY", REPORT_NAME, ""},
	{"old_objects", NULL, REPORT_COUNT, NULL},
	{"old_bytes", NULL, REPORT_BYTES, NULL},
	{"new_bytes", NULL, REPORT_BYTES, NULL},
	{"rises", NULL, REPORT_COUNT, NULL},
	{"falls", NULL, REPORT_COUNT, NULL},
	{"swing_bytes", NULL, REPORT_BYTES, NULL},
	{"slope", NULL, REPORT_BYTES, NULL},
	{0},
};

static const struct report_column arena_columns[] = {
	{"bytes", "BYTES", REPORT_GREW, NULL},
	{"used_bytes", "LIVE", REPORT_GREW, NULL},
	{"free_bytes", "FREE", REPORT_GREW, NULL},
	{"old_free_share", "FREE WAS", REPORT_SHARE, NULL},
	{"new_free_share", "FREE IS", REPORT_SHARE, NULL},
	{"high_bytes", "HIGH", REPORT_BYTES, NULL},
	{"arenas", "ARENAS", REPORT_MORE, NULL},
	{"allocator", "ALLOCATOR", REPORT_WORD, NULL},
	{"name", "NAME", REPORT_TEXT, ""},
	{"old_bytes", NULL, REPORT_BYTES, NULL},
	{"new_bytes", NULL, REPORT_BYTES, NULL},
	{0},
};

static const struct report_column memory_columns[] = {
	{"bytes", "BYTES", REPORT_GREW, NULL},
	{"old_bytes", "BEFORE", REPORT_BYTES, NULL},
	{"new_bytes", "NOW", REPORT_BYTES, NULL},
	{"name", "WHERE", REPORT_TEXT, NULL},
	{"rises", NULL, REPORT_COUNT, NULL},
	{"falls", NULL, REPORT_COUNT, NULL},
	{"swing_bytes", NULL, REPORT_BYTES, NULL},
	{"slope", NULL, REPORT_BYTES, NULL},
	{0},
};

static const struct report_column mapping_columns[] = {
	{"bytes", "BYTES", REPORT_GREW, NULL},
	{"old_bytes", "BEFORE", REPORT_BYTES, NULL},
	{"new_bytes", "NOW", REPORT_BYTES, NULL},
	{"what", "", REPORT_WORD, NULL},
	{"start", "FROM", REPORT_ADDRESS, NULL},
	{"end", "TO", REPORT_ADDRESS, NULL},
	{"perms", "PERMS", REPORT_WORD, NULL},
	{"name", "NAME", REPORT_TEXT, ""},
	{0},
};

static const char *bytes_signed(struct cmd_context *ctx, int64_t bytes)
{
	const char *text = region_printf(&ctx->region, "%s%s",
					 bytes > 0   ? "+"
					 : bytes < 0 ? "-"
						     : "",
					 cmd_bytes(ctx, bytes < 0 ? -bytes : bytes));
	return text ? text : "?";
}

static void print_relation(struct diff *d)
{
	static const char *const sentence[] = {
		[RELATION_PROCESS] =
			"Dumps of one process: objects are matched by their addresses.",
		[RELATION_FORK] =
			"Dumps of one execution and its forks: objects are matched by their "
			"addresses, which they share.",
		[RELATION_LIKELY] =
			"Taken for dumps of one process, as pid, program and the places of "
			"all binaries agree:\nobjects are matched by their addresses.",
		[RELATION_RUN] = "Different runs: addresses mean nothing here. Compared are types, "
				 "paths and sites.",
	};
	static const char *const word[] = {"runs", "likely", "forks", "process"};
	report_string(&d->ctx->report, "relation", word[d->relation]);
	report_int(&d->ctx->report, "paths_known", !d->trace);
	report_line(&d->ctx->report, "%s",
		    d->trace ? "Allocation traces: compared are allocation sites and types."
			     : sentence[d->relation]);
}

/* The whole process, and what of it is out of sight. */
static struct error *print_memory(struct diff *d)
{
	struct cmd_context *ctx = d->ctx;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	bool found;
	struct error *err = cmd_prepare(ctx, "growth/unread.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":steps", d->steps);
	err = cmd_row(ctx, stmt, &row, &found);
	if (err)
		return err;
	for (int i = 0; i < 4; i++)
		report_int(&ctx->report, region_printf(&ctx->region, "%s_bytes", row.name[i]),
			   row.integer[i]);
	const int64_t old = cmd_row_int(&row, "old_memory"), new = cmd_row_int(&row, "new_memory");
	d->old_unread = cmd_row_int(&row, "old_unread");
	d->new_unread = cmd_row_int(&row, "new_unread");
	const int64_t more = d->new_unread - d->old_unread;
	d->unread_grew = more >= LEAST_MAPPING && cmd_row_int(&row, "steady");
	report_line(&ctx->report,
		    "Memory of the process: %s, now %s (%s), binaries' code left out.",
		    cmd_bytes(ctx, old), cmd_bytes(ctx, new), bytes_signed(ctx, new - old));
	if (d->old_unread >= LEAST_MAPPING || d->new_unread >= LEAST_MAPPING)
		report_line(&ctx->report,
			    "  where no allocator is read, so that no object is seen: %s, now %s "
			    "(%s)",
			    cmd_bytes(ctx, d->old_unread), cmd_bytes(ctx, d->new_unread),
			    bytes_signed(ctx, more));
	return NULL;
}

static struct error *print_totals(struct diff *d)
{
	struct report *rep = &d->ctx->report;
	report_int(rep, "old_objects", d->old_objects);
	report_int(rep, "new_objects", d->new_objects);
	report_int(rep, "old_bytes", d->old_bytes);
	report_int(rep, "new_bytes", d->new_bytes);
	report_line(rep, "Live: %s in %s, now %s in %s (%s).", cmd_bytes(d->ctx, d->old_bytes),
		    cmd_plural(d->ctx, d->old_objects, "object", "objects"),
		    cmd_bytes(d->ctx, d->new_bytes),
		    cmd_plural(d->ctx, d->new_objects, "object", "objects"),
		    bytes_signed(d->ctx, d->new_bytes - d->old_bytes));
	/* No growth, and nothing that could be seen to grow, are two things. */
	if (!d->trace && (!d->old_objects || !d->new_objects))
		report_line(rep,
			    "No heap was found in %s: which blocks grew is not seen. The summary "
			    "of a dump (heapscan DB) says why.",
			    d->old_objects || d->new_objects ? "one of the dumps" : "these dumps");
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(d->ctx, "growth/states.sql", 0, &stmt);
	bool found = true;
	while (!err && d->pair) {
		struct cmd_row row;
		err = cmd_row(d->ctx, stmt, &row, &found);
		if (err || !found)
			break;
		const char *state = cmd_row_text(&row, "state");
		int64_t objects = cmd_row_int(&row, "objects"), bytes = cmd_row_int(&row, "bytes");
		report_int(rep, region_printf(&d->ctx->region, "%s_set_objects", state), objects);
		report_int(rep, region_printf(&d->ctx->region, "%s_set_bytes", state), bytes);
		const char *blocks = cmd_plural(d->ctx, objects, "block", "blocks");
		if (!d->old_objects && !d->new_objects)
			continue;
		if (strcmp(state, "grew"))
			report_line(rep, "  %-4s  %s, %s", state, blocks, cmd_bytes(d->ctx, bytes));
		else if (objects)
			report_line(rep, "  %-4s  %s of those, %s", state, blocks,
				    bytes_signed(d->ctx, bytes));
	}
	return err || d->trace ? err : print_memory(d);
}

static struct error *prepare_bounded(struct diff *d, const char *query, uint64_t limit,
				     int64_t least, sqlite3_stmt **ret)
{
	struct error *err = cmd_prepare(d->ctx, query, limit, ret);
	if (err)
		return err;
	bool all = d->ctx->opt.all;
	cmd_bind_int(*ret, ":least", all ? 1 : least);
	cmd_bind_int(*ret, ":few", all ? 1 : LEAST_OBJECTS);
	cmd_bind_int(*ret, ":steps", d->steps);
	return NULL;
}

static struct error *print_paths(struct diff *d)
{
	struct cmd_context *ctx = d->ctx;
	struct report *rep = &ctx->report;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *totals = NULL;
	struct cmd_row total;
	bool found;
	if (d->trace) {
		/* then there is nothing but the whole to go by */
		d->grown = d->new_bytes > d->old_bytes ? d->new_bytes - d->old_bytes : 0;
		return NULL;
	}
	struct error *err = prepare_bounded(d, "growth/paths_total.sql", 0, LEAST_BYTES, &totals);
	if (!err)
		err = cmd_row(ctx, totals, &total, &found);
	if (!err)
		err = prepare_bounded(d, "growth/paths.sql", ROWS, LEAST_BYTES, &stmt);
	if (err)
		return err;
	int64_t places = cmd_row_int(&total, "places"), small = cmd_row_int(&total, "small");
	int64_t unsteady = cmd_row_int(&total, "unsteady");
	d->grown = cmd_row_int(&total, "bytes");
	for (int i = 0; i < total.n; i++)
		report_int(rep, total.name[i], total.integer[i]);
	report_heading(rep, d->steps > 1 ? "What grew in every step, by what holds it"
					 : "What grew, by what holds it");
	uint64_t n = 0;
	err = report_rows(rep, "paths", d->steps > 1 ? path_columns_steps : path_columns, stmt, &n);
	if (err)
		return err;
	if (!places)
		report_line(rep, "Nothing%s%s.", d->steps > 1 ? " did" : "",
			    !d->trace && !d->new_objects ? " that can be read" : "");
	cmd_more(ctx, places - (int64_t)n);
	if (small)
		report_line(rep,
			    "%s grew by less than %s and fewer than %d objects each, %s in all "
			    "(--all).",
			    cmd_plural(ctx, small, "place", "places"), cmd_bytes(ctx, LEAST_BYTES),
			    LEAST_OBJECTS, cmd_bytes(ctx, cmd_row_int(&total, "small_bytes")));
	if (d->steps > 1 && unsteady)
		report_line(rep, "%s only fluctuated, or grew once and stayed: by %s at most.",
			    cmd_plural(ctx, unsteady, "place", "places"),
			    cmd_bytes(ctx, cmd_row_int(&total, "swing")));
	return NULL;
}

struct diff_section {
	const char *heading, *name, *query, *kind;
	const struct report_column *columns;
	uint64_t limit;
	bool paired, memory; /* of one execution only; of mappings */
};

static struct error *print_query(struct diff *d, const struct diff_section *sec)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = prepare_bounded(d, sec->query, sec->limit,
					    sec->memory ? LEAST_MAPPING : LEAST_BYTES, &stmt);
	if (err)
		return err;
	if (sec->kind)
		cmd_bind_text(stmt, ":kind", sec->kind);
	/* No heading of nothing. */
	int rc = sqlite3_step(stmt);
	bool any = rc == SQLITE_ROW;
	sqlite3_reset(stmt);
	if (any)
		report_heading(&d->ctx->report, "%s", sec->heading);
	return report_rows(&d->ctx->report, sec->name, sec->columns, stmt, NULL);
}

/* What to look at next: one of the new objects that the first row is about. */
static struct error *print_sample(struct diff *d)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	bool found = false;
	struct error *err = cmd_prepare(d->ctx, "growth/sample.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":least", LEAST_BYTES);
	cmd_bind_int(stmt, ":few", LEAST_OBJECTS);
	err = cmd_row(d->ctx, stmt, &row, &found);
	if (!err && found && !d->ctx->report.json)
		report_line(&d->ctx->report, "Why one of these is there: heapscan path %s %" PRId64,
			    cmd_shell(d->ctx, cmd_row_text(&row, "path")),
			    cmd_row_int(&row, "sample_id"));
	return err;
}

/* The sections of mappings, or all others. */
static struct error *print_sections(struct diff *d, bool memory)
{
	static const struct diff_section section[] = {
		{"Where the process's memory grew (heapscan memory), live and free blocks included",
		 "memory", "growth/items.sql", "memory", memory_columns, ROWS_MORE, false, true},
		{"Mappings that no allocator reads, new or with more in them than at first",
		 "mappings", "growth/mappings.sql", NULL, mapping_columns, ROWS_MORE, true, true},
		{"New objects, by what survived and holds them", "holders", "growth/holders.sql",
		 NULL, holder_columns, ROWS_MORE, true, false},
		{"Surviving objects that have more members", "containers", "growth/containers.sql",
		 NULL, container_columns, ROWS_MORE, true, false},
		{"Containers and buffers of C++ and C that have more in them", "filled",
		 "growth/filled.sql", NULL, filled_columns, ROWS_MORE, true, false},
		{"By allocation site", "sites", "growth/items.sql", "site", site_columns, ROWS,
		 false, false},
		{"By type", "types", "growth/items.sql", "type", type_columns, ROWS_MORE, false,
		 false},
		{"New leaks, by shape", "leaks", "growth/items.sql", "leak", leak_columns,
		 ROWS_MORE, false, false},
		{"New garbage, by type", "garbage", "growth/items.sql", "garbage", type_columns,
		 ROWS_MORE, false, false},
		{"New counts that nothing explains, by type", "counts", "growth/items.sql", "count",
		 type_columns, ROWS_MORE, false, false},
		{"By arena", "arenas", "growth/arenas.sql", NULL, arena_columns, ROWS_MORE, false,
		 false},
	};
	struct error *err = NULL;
	for (unsigned i = 0; i < sizeof(section) / sizeof(*section) && !err; i++)
		if (section[i].memory == memory && (!section[i].paired || d->pair)) {
			err = print_query(d, &section[i]);
			if (!err && !strcmp(section[i].name, "holders"))
				err = print_sample(d);
		}
	return err;
}

struct error *diff_print(struct diff *d)
{
	struct report *rep = &d->ctx->report;
	_cleanup_stmt_ sqlite3_stmt *dumps = NULL;
	print_relation(d);
	struct error *err = cmd_prepare(d->ctx, "growth/dumps.sql", 0, &dumps);
	if (!err && (rep->json || d->steps > 1))
		err = report_rows(rep, "dumps", dump_columns, dumps, NULL);
	if (!err)
		err = print_totals(d);
	/* What grew most comes first. */
	const bool first =
		d->unread_grew && d->new_unread - d->old_unread > d->new_bytes - d->old_bytes;
	if (!err && first)
		err = print_sections(d, true);
	if (!err)
		err = print_paths(d);
	if (!err)
		err = print_sections(d, false);
	if (!err && !first)
		err = print_sections(d, true);
	return err;
}
