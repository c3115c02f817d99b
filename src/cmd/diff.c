/*
 * diff: what grew from one database to the next, and what holds it.
 *
 * Each database is attached in turn and its figures go into one small database by keys that do not
 * depend on ids (schema/growth/load*.sql): retention paths, types, call paths, leak signatures. SQL
 * subtracts (growth.sql). Objects themselves are paired where addresses mean the same: in two dumps of
 * one execution (diff_pair.c), which AT_RANDOM's bytes prove; where they are not known, pid, program
 * and the places of all binaries make it likely.
 */
#include "cmd/diff_impl.h"

#include "store/growth.h"

#include <stdlib.h>
#include <string.h>

enum {
	ROWS = 20,
	ROWS_MORE = 10, /* of what only explains the first ones */
	DUMPS_MOST = 1000,
};

enum relation { RELATION_RUN, RELATION_LIKELY, RELATION_FORK, RELATION_PROCESS };

struct diff {
	struct cmd_context *ctx;
	int64_t steps; /* from one dump to the next */
	enum relation relation;
	bool paths; /* all have retention paths */
	bool trace; /* they are allocation traces */
	bool pair;  /* the first and the last are of one execution */
	int64_t old_bytes, new_bytes, old_objects, new_objects;
	/* where no allocator is read: in pages that hold more than zeroes */
	int64_t old_unread, new_unread;
	bool unread_grew; /* by enough to be told, in every step */
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
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
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
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
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
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
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
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
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
			{"name", title, REPORT_TEXT, NULL},                                        \
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
	{"name", "ALLOCATED BY", REPORT_TEXT, NULL},
	{"caller", "CALLED BY", REPORT_TEXT, ""},
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

/* ---- --fail-on ---- */

static struct error *items_more(struct diff *d, const char *kind, struct cmd_row *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	bool found;
	struct error *err = cmd_prepare(d->ctx, "growth/items_total.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":kind", kind);
	return cmd_row(d->ctx, stmt, ret, &found);
}

/* `grown`: bytes of the places that are listed. */
static struct error *limit_check(struct diff *d, const struct diff_limit *limit, int64_t grown)
{
	const struct {
		bool wanted;
		const char *kind;
	} more[] = {{limit->leaks, "leak"}, {limit->cycles, "garbage"}, {limit->refcount, "count"}};
	/* what cannot be read grows, too; that it shrinks does not make up for anything */
	double unread = d->new_unread > d->old_unread ? (double)(d->new_unread - d->old_unread) : 0;
	double growth = (double)(d->new_bytes - d->old_bytes) + unread;
	double before = (double)d->old_bytes + (double)d->old_unread;
	if (limit->growth && limit->percent)
		d->ctx->condition |= growth > 0 && 100 * growth >= limit->value * before;
	else if (limit->growth && limit->value > 0)
		d->ctx->condition |= growth >= limit->value;
	else if (limit->growth)
		d->ctx->condition |= grown > 0 || d->unread_grew;
	for (unsigned i = 0; i < sizeof(more) / sizeof(*more); i++) {
		struct cmd_row row;
		if (!more[i].wanted)
			continue;
		struct error *err = items_more(d, more[i].kind, &row);
		if (err)
			return err;
		d->ctx->condition |= cmd_row_int(&row, "more") > 0;
	}
	return NULL;
}

/* ---- making it ---- */

static struct error *diff_add(struct diff *d, const char *path, int64_t step)
{
	struct cmd_context *ctx = d->ctx;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *has = NULL;
	struct error *err = growth_attach(ctx->store, path, "dump");
	if (err)
		return err;
	err = cmd_prepare(ctx, "growth/add.sql", 0, &stmt);
	if (err)
		return error_note(err, "%s", path);
	cmd_bind_int(stmt, ":step", step);
	cmd_bind_text(stmt, ":path", path);
	if (sqlite3_step(stmt) != SQLITE_DONE)
		return error_new(ERROR_INPUT, "%s: %s", path, sqlite3_errmsg(ctx->store->db));
	sqlite3_finalize(stmt);
	stmt = NULL;
	struct cmd_row row;
	bool found;
	err = cmd_prepare(ctx, "growth/has.sql", 0, &has);
	if (!err)
		err = cmd_row(ctx, has, &row, &found);
	sqlite3_finalize(has);
	has = NULL;
	if (err)
		return error_note(err, "%s", path);
	err = growth_script(ctx->store, "growth/load.sql", step);
	if (!err && cmd_row_int(&row, "retention"))
		err = growth_script(ctx->store, "growth/load_path.sql", step);
	if (!err && cmd_row_int(&row, "site"))
		err = growth_script(ctx->store, "growth/load_site.sql", step);
	d->paths &= cmd_row_int(&row, "retention") != 0;
	d->trace |= cmd_row_int(&row, "trace") != 0;
	if (!err)
		err = growth_detach(ctx->store, "dump");
	return err ? error_note(err, "%s", path) : NULL;
}

static bool texts_differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

/* What cannot be compared is an error; what can be, with care, a warning. */
static struct error *diff_compare(struct diff *d, const struct cmd_row *first,
				  const struct cmd_row *row)
{
	struct cmd_context *ctx = d->ctx;
	const char *a = cmd_row_text(first, "path"), *b = cmd_row_text(row, "path");
	const char *relation = cmd_row_text(row, "relation");
	static const struct {
		const char *name;
		enum relation relation;
	} names[] = {{"process", RELATION_PROCESS},
		     {"fork", RELATION_FORK},
		     {"likely", RELATION_LIKELY}};
	if (texts_differ(cmd_row_text(first, "kind"), cmd_row_text(row, "kind")))
		return error_new(ERROR_INPUT,
				 "%s is of a %s, %s of a %s: only two dumps, or two traces, can be "
				 "compared",
				 a, cmd_row_text(first, "kind"), b, cmd_row_text(row, "kind"));
	if (texts_differ(cmd_row_text(first, "machine"), cmd_row_text(row, "machine")))
		return error_new(ERROR_INPUT,
				 "%s is of %s, %s of %s: sizes of one machine say nothing of the "
				 "other's",
				 a, cmd_row_text(first, "machine"), b,
				 cmd_row_text(row, "machine"));
	if (texts_differ(cmd_row_text(first, "exe"), cmd_row_text(row, "exe")))
		log_warning(&ctx->log, "%s is of %s, %s of %s: another program?", a,
			    cmd_row_text(first, "exe"), b, cmd_row_text(row, "exe"));
	else if (texts_differ(cmd_row_text(first, "build_id"), cmd_row_text(row, "build_id")))
		log_warning(&ctx->log,
			    "%s and %s are of two builds of the program: unnamed data and types "
			    "that changed do not match",
			    a, b);
	if (cmd_row_int(row, "reversed"))
		log_warning(&ctx->log,
			    "%s is older than the database before it, going by the dump's file: "
			    "is the order right?",
			    b);
	enum relation is = RELATION_RUN;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (relation && !strcmp(relation, names[i].name))
			is = names[i].relation;
	d->relation = is < d->relation ? is : d->relation;
	d->pair = is != RELATION_RUN; /* the last one counts */
	return NULL;
}

static struct error *diff_relate(struct diff *d)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row first = {0}, row;
	bool found = true;
	struct error *err = cmd_prepare(d->ctx, "growth/dumps.sql", 0, &stmt);
	d->relation = RELATION_PROCESS;
	for (unsigned n = 0; !err; n++) {
		err = cmd_row(d->ctx, stmt, &row, &found);
		if (err || !found)
			break;
		if (n)
			err = diff_compare(d, &first, &row);
		else
			first = row;
		d->new_bytes = cmd_row_int(&row, "bytes");
		d->new_objects = cmd_row_int(&row, "objects");
		d->old_bytes = cmd_row_int(&first, "bytes");
		d->old_objects = cmd_row_int(&first, "objects");
	}
	return err;
}

static struct error *diff_make(struct diff *d, int n, char **path)
{
	struct cmd_context *ctx = d->ctx;
	struct error *err = NULL;
	d->paths = true;
	d->steps = n - 1;
	for (int i = 0; i < n && !err; i++) {
		log_progress(&ctx->log, "reading", (uint64_t)i, (uint64_t)n);
		err = diff_add(d, path[i], i + 1);
	}
	if (!err)
		err = diff_relate(d);
	if (!err)
		err = growth_script(ctx->store, "growth/growth.sql", 0);
	if (!err && d->pair && d->paths) {
		log_progress(&ctx->log, "objects", 0, 1);
		err = growth_attach(ctx->store, path[n - 1], "new");
		if (!err)
			err = diff_pair(ctx, path[0], path[n - 1], ctx->opt.output != NULL);
		if (!err)
			err = growth_detach(ctx->store, "new");
	}
	log_progress_end(&ctx->log);
	return err;
}

/* ---- printing it ---- */

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
	report_int(&d->ctx->report, "paths_known", d->paths);
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
	while (!err && d->pair && d->paths) {
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

static struct error *print_paths(struct diff *d, int64_t *grown)
{
	struct cmd_context *ctx = d->ctx;
	struct report *rep = &ctx->report;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *totals = NULL;
	struct cmd_row total;
	bool found;
	*grown = 0;
	if (!d->paths) {
		/* then there is nothing but the whole to go by */
		*grown = d->new_bytes > d->old_bytes ? d->new_bytes - d->old_bytes : 0;
		if (!d->trace)
			report_line(rep, "\nPaths: not known, since a database was made by an "
					 "earlier heapscan. Read its dump again.");
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
	*grown = cmd_row_int(&total, "bytes");
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
	if (places > (int64_t)n)
		report_line(rep, "... and %s more (--limit 0 shows all)",
			    cmd_count(ctx, places - (int64_t)n));
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
		if (section[i].memory == memory && (!section[i].paired || (d->pair && d->paths)))
			err = print_query(d, &section[i]);
	return err;
}

static struct error *diff_print(struct diff *d, const struct diff_limit *limit)
{
	struct report *rep = &d->ctx->report;
	_cleanup_stmt_ sqlite3_stmt *dumps = NULL;
	int64_t grown = 0;
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
		err = print_paths(d, &grown);
	if (!err)
		err = print_sections(d, false);
	if (!err && !first)
		err = print_sections(d, true);
	return err ? err : limit_check(d, limit, grown);
}

static struct error *diff_run(struct cmd_context *ctx, int n, char **operand)
{
	struct diff d = {.ctx = ctx};
	struct diff_limit limit;
	struct error *err = diff_limit_parse(ctx, ctx->opt.growth_fail_on, &limit);
	if (!err && ctx->opt.output)
		err = growth_check_target(ctx->opt.output);
	if (!err)
		err = growth_create(&ctx->store);
	if (!err)
		err = cmd_check_type(ctx);
	if (!err)
		err = diff_make(&d, n, operand);
	if (!err && ctx->opt.output)
		err = growth_save(ctx->store, ctx->opt.output);
	if (err)
		return err;
	report_begin(&ctx->report, "diff");
	err = diff_print(&d, &limit);
	return err ? err : report_end(&ctx->report);
}

#define FIELD(name) offsetof(struct cmd_options, name)

static const struct option diff_options[] = {
	{'o', "output", OPTION_STRING, FIELD(output), "DB",
	 "write all of it to a database, objects too", NULL, false},
	{'a', "all", OPTION_FLAG, FIELD(all), NULL, "what grew by next to nothing, too", NULL,
	 false},
	{0, "fail-on", OPTION_STRING, FIELD(growth_fail_on), "WHAT",
	 "exit with status 3 at growth=SIZE (10M), growth=PERCENT (5%), or new leaks, cycles, "
	 "refcount",
	 NULL, false},
	{0},
};

static const struct option *const diff_groups[] = {diff_options, options_rows, options_common,
						   NULL};

const struct command command_diff = {
	.name = "diff",
	.operands = "OLD.db NEW.db [MORE.db...]",
	.summary = "what grew between dumps of a program, and what holds it",
	.description =
		"What there is more of in the last database than in the first: by retention path "
		"(what holds it,\n"
		"with indices and keys left out), by the surviving object that holds what is "
		"new, by type, by\n"
		"allocation site, leaks, garbage and arenas. Of more than two only what grew in "
		"every step is\n"
		"listed. Two dumps of one process are matched object by object; two runs by "
		"content alone.",
	.options = diff_groups,
	.min_operands = 2,
	.max_operands = DUMPS_MOST,
	.run = diff_run,
};
