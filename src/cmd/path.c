/* path: the chains that store/paths.h finds, printed. */
#include "cmd/cmd.h"
#include "cmd/path_cut.h"
#include "cmd/path_reference.h"
#include "cmd/spelled.h"

#include "store/paths.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALSO = 3, /* roots that say no more than a path, told with it */
};

/* ---- results ---- */

void path_json_text(FILE *f, const char *lead, const char *text)
{
	fputs(lead, f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(f, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(f, "\\u%04x", *text);
		else
			fputc(*text, f);
	}
}

static void dot_text(FILE *f, const char *text)
{
	path_json_text(f, "\"", text);
	fputc('"', f);
}

/* Who else holds it along row i: "thread 1, main(), local 'x'; thread 2, ...; 3 more". */
static void json_also(FILE *f, const struct paths *p, uint64_t i)
{
	uint64_t told = 0, also = p->row.at[i].also;
	for (uint64_t k = 0; k < p->also.n && told < ALSO; k++) {
		if (p->also.at[k].of != i + 1)
			continue;
		path_json_text(f, told++ ? "; " : "", p->also.at[k].holder);
	}
	if (also > told)
		fprintf(f, "%s%" PRIu64 " more", told ? "; " : "", also - told);
}

static void list_row(FILE *f, const struct paths *p, const struct paths_row *row, uint64_t number)
{
	fprintf(f, "%s[%" PRIu64 ",\"", ftell(f) > 1 ? "," : "", number);
	path_json_text(f, "", row->expression);
	fputs("\",\"", f);
	path_json_text(f, "", row->holder);
	fprintf(f, "\",%" PRIu64 ",%" PRIu64 ",", row->n - 1, row->also);
	fputs(row->also ? "\"" : "null", f);
	if (row->also) {
		json_also(f, p, number - 1);
		fputc('"', f);
	}
	fputc(']', f);
}

char *path_list_json(const struct paths *p, bool flat)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputc('[', f);
	for (uint64_t i = 0; i < p->row.n; i++) {
		list_row(f, p, &p->row.at[i], i + 1);
		for (uint64_t k = 0; k < p->also.n && flat; k++)
			if (p->also.at[k].of == i + 1)
				list_row(f, p, &p->also.at[k], i + 1);
	}
	fputc(']', f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static const struct report_column list_columns[] = {
	{"path", NULL, REPORT_COUNT, NULL},
	{"expression", NULL, REPORT_TEXT, NULL},
	{"root", NULL, REPORT_TEXT, NULL},
	{"steps", NULL, REPORT_COUNT, NULL},
	{"also", NULL, REPORT_COUNT, NULL},
	{"also_by", NULL, REPORT_TEXT, NULL},
	{0},
};

static const struct report_column step_columns[] = {
	{"path", NULL, REPORT_COUNT, NULL},
	{"step", NULL, REPORT_COUNT, NULL},
	{"written", "?BY", REPORT_TEXT, ""},
	{"name", NULL, REPORT_TEXT, NULL},
	{"offset", NULL, REPORT_COUNT, NULL},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"value", "?VALUE", REPORT_TEXT, ""},
	{"has", "?HAS TEXT", REPORT_TEXT, ""},
	{"kind", NULL, REPORT_COUNT, NULL},
	{"root_kind", NULL, REPORT_TEXT, NULL},
	{"root_name", NULL, REPORT_TEXT, NULL},
	{"root_thread", NULL, REPORT_ID, NULL},
	{"root_function", NULL, REPORT_TEXT, NULL},
	{0},
};

/* The steps of path `only`, 0: of all, from step `from` on and before `till`, 0: to the last. */
static struct error *print_steps(struct cmd_context *ctx, const char *steps, int64_t only,
				 int64_t from, int64_t till)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "path_steps.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":steps", steps);
	if (only)
		cmd_bind_int(stmt, ":only", only);
	cmd_bind_int(stmt, ":from", from);
	cmd_bind_int(stmt, ":texts", 1);
	if (till)
		cmd_bind_int(stmt, ":till", till);
	return report_rows(&ctx->report, "steps", step_columns, stmt, NULL);
}

/* Of a path that goes down a long list, what is at its ends. */
static struct error *print_path(struct cmd_context *ctx, const char *steps, int64_t path, int64_t n)
{
	if (n <= PATH_TOLD)
		return print_steps(ctx, steps, path, 0, 0);
	struct error *err = print_steps(ctx, steps, path, 0, PATH_FIRST);
	if (err)
		return err;
	report_line(&ctx->report, "... %s steps further (--format json has them all):",
		    cmd_count(ctx, n - PATH_FIRST - PATH_LAST));
	return print_steps(ctx, steps, path, n - PATH_LAST, 0);
}

static struct error *print_paths(struct cmd_context *ctx, const char *steps, const char *paths)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct report *rep = &ctx->report;
	struct error *err = cmd_prepare(ctx, "path_list.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":paths", paths);
	if (rep->json) {
		err = report_rows(rep, "paths", list_columns, stmt, NULL);
		return err ? err : print_steps(ctx, steps, 0, 0, 0);
	}
	bool found = true;
	while (!err) {
		struct cmd_row row;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			break;
		report_heading(rep, "%s",
			       report_safe(&ctx->region, cmd_row_text(&row, "expression"), "?"));
		report_line(rep, "held by %s",
			    report_safe(&ctx->region, cmd_row_text(&row, "root"), "?"));
		if (cmd_row_text(&row, "also_by"))
			report_text(rep, "also by ",
				    report_safe(&ctx->region, cmd_row_text(&row, "also_by"), "?"));
		err = print_path(ctx, steps, cmd_row_int(&row, "path"),
				 cmd_row_int(&row, "steps") + 1);
	}
	return err;
}

/* Graphviz: each object once, edges with their names. */
static struct error *print_dot(struct cmd_context *ctx, const struct paths *p, const char *steps)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	FILE *out = ctx->report.out;
	struct error *err = cmd_prepare(ctx, "path_steps.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":steps", steps);
	fputs("digraph path {\n\tnode [shape=box];\n", out);
	int64_t before = 0;
	for (;;) {
		struct cmd_row row;
		bool found;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			break;
		int64_t id = cmd_row_int(&row, "id");
		const char *type = cmd_row_text(&row, "type"), *name = cmd_row_text(&row, "name");
		fprintf(out, "\to%" PRId64 " [label=", id);
		dot_text(out, report_safe(&ctx->region,
					  region_printf(&ctx->region, "%s 0x%" PRIx64,
							type ? type : "(untyped)",
							(uint64_t)cmd_row_int(&row, "address")),
					  "?"));
		fputs("];\n", out);
		if (cmd_row_int(&row, "step")) {
			fprintf(out, "\to%" PRId64 " -> o%" PRId64 " [label=", before, id);
			dot_text(out, report_safe(&ctx->region, name, ""));
		} else {
			fprintf(out, "\tr%" PRId64 " [shape=plaintext, label=",
				cmd_row_int(&row, "path"));
			const char *holder = p->row.at[cmd_row_int(&row, "path") - 1].holder;
			dot_text(out, report_safe(&ctx->region, holder, "?"));
			fprintf(out, "];\n\tr%" PRId64 " -> o%" PRId64 " [",
				cmd_row_int(&row, "path"), id);
		}
		fputs("];\n", out);
		before = id;
	}
	fputs("}\n", out);
	return err;
}

/* ---- the command ---- */

static struct error *path_goal(struct cmd_context *ctx, const char *what, int64_t *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	bool found = false;
	const char *digits = what + (*what == '#');
	char *end = NULL;
	errno = 0;
	bool hex = what[0] == '0' && (what[1] | 32) == 'x';
	uint64_t number = strtoull(digits, &end, hex ? 16 : 10);
	bool type = end == digits || *end || errno;
	struct error *err = cmd_prepare(ctx,
					!type			  ? "path_goal.sql"
					: cmd_has_biggest(ctx, 1) ? "path_goal_biggest.sql"
								  : "path_goal_type.sql",
					0, &stmt);
	if (err)
		return err;
	if (type)
		cmd_bind_text(stmt, ":name", what);
	else
		cmd_bind_int(stmt, hex ? ":address" : ":id", (int64_t)number);
	err = cmd_row(ctx, stmt, &row, &found);
	if (!err && !found && type)
		err = spelled_object(ctx, what, ret);
	if (!err && !found && type && *ret)
		return NULL;
	if (!err && !found)
		return error_new(ERROR_USAGE,
				 "'%s' is no object's address (0x...) or number "
				 "('#12'), no object's type has such a name, and no path "
				 "is written so",
				 what);
	if (err)
		return err;
	*ret = cmd_row_int(&row, "id");
	if (cmd_row_int(&row, "objects") > 1 && !ctx->opt.dot)
		report_line(&ctx->report,
			    "#%" PRId64 ", which holds the most of %s of this type "
			    "(all: heapscan show).",
			    *ret, cmd_count(ctx, cmd_row_int(&row, "objects")));
	return NULL;
}

/* Too far from any root for a search: what the scan wrote down of how it is held. */
static struct error *print_held(struct cmd_context *ctx, int64_t goal)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	bool found = false;
	struct error *err = cmd_prepare(ctx, "path_retention.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":id", goal);
	err = cmd_row(ctx, stmt, &row, &found);
	if (err || !found)
		return err;
	const char *path = cmd_row_text(&row, "path");
	report_string(&ctx->report, "held_by", path);
	report_line(&ctx->report,
		    "It is further away, and held by %s (a step with * is taken many times).",
		    report_safe(&ctx->region, path, "?"));
	return NULL;
}

static struct error *path_print(struct cmd_context *ctx, const char *what)
{
	_cleanup_(paths_deinit) struct paths all = {0};
	_cleanup_free_ char *steps = NULL, *paths = NULL;
	struct paths_query query = {
		.max = ctx->opt.max,
		.avoid = ctx->opt.avoid,
		.to_type = ctx->opt.to_type,
	};
	int64_t goal = 0;
	struct error *err = path_goal(ctx, what, &goal);
	if (err)
		return err;
	query.goal = (uint32_t)goal;
	/* One search for the paths that are shown and for who shares the object. */
	bool shared = !query.avoid && !query.to_type && !ctx->opt.dot, dominated = true;
	if (shared)
		err = path_dominated(ctx, goal, &dominated);
	uint64_t shown = query.max ? query.max : PATHS_WANTED;
	if (!dominated && shown < HOLDERS_SEARCH)
		query.max = HOLDERS_SEARCH;
	if (!err)
		err = paths_find(ctx->store->db, &query, &all);
	if (err)
		return err;
	struct paths found = all; /* the first of them */
	if (found.row.n > shown)
		found.row.n = shown;
	steps = paths_steps_json(&found, NULL);
	paths = path_list_json(&found, false);
	if (!steps || !paths)
		return &error_nomem;
	if (ctx->opt.dot)
		return print_dot(ctx, &found, steps);
	report_int(&ctx->report, "object_id", goal);
	report_int(&ctx->report, "looked_at", (int64_t)found.looked_at);
	report_int(&ctx->report, "complete", found.complete);
	if (!found.row.n)
		report_line(&ctx->report,
			    found.complete ? "Nothing leads to #%" PRId64 " (%s looked at)."
					   : "No path to #%" PRId64 " among the nearest %s.",
			    goal, cmd_plural(ctx, (int64_t)found.looked_at, "object", "objects"));
	if (!found.row.n && !found.complete && !query.avoid && !query.to_type)
		err = print_held(ctx, goal);
	if (!err)
		err = print_paths(ctx, steps, paths);
	if (!err)
		err = path_shared(ctx, goal, shared ? &all : NULL);
	return err || !ctx->opt.cut ? err : path_cuts(ctx, goal, &found);
}

static struct error *path_print_reference(struct cmd_context *ctx, const char *what)
{
	int64_t goal = 0;
	struct error *err = what ? path_goal(ctx, what, &goal) : NULL;
	return err ? err : path_reference(ctx, goal);
}

static struct error *path_run(struct cmd_context *ctx, int n, char **operand)
{
	const struct cmd_options *opt = &ctx->opt;
	const bool reference = opt->cut && *opt->cut;
	if (n < 2 && !reference)
		return error_new(ERROR_USAGE, "too few operands: heapscan path DB OBJECT");
	if (reference && (opt->dot || opt->avoid || opt->to_type || opt->max))
		return error_new(ERROR_USAGE, "--cut=REFERENCE looks for no paths: it goes without "
					      "--dot, --avoid, --to-type and --max");
	struct error *err = cmd_open_core(ctx, operand[0]);
	if (err)
		return err;
	if (ctx->opt.dot) {
		ctx->report.json = false;
		err = path_print(ctx, operand[1]);
		return err ? err : report_flush(&ctx->report);
	}
	report_begin(&ctx->report, "path");
	err = cmd_caveats(ctx);
	if (!err)
		err = reference ? path_print_reference(ctx, n > 1 ? operand[1] : NULL)
				: path_print(ctx, operand[1]);
	return err ? err : report_end(&ctx->report);
}

#define FIELD(name) offsetof(struct cmd_options, name)

static const struct option path_options[] = {
	{'m', "max", OPTION_NUMBER, FIELD(max), "N", "at most N paths (3)", NULL, false},
	{0, "avoid", OPTION_STRING, FIELD(avoid), "REGEX",
	 "not through objects whose type, and references whose name, matches", NULL, false},
	{0, "to-type", OPTION_STRING, FIELD(to_type), "REGEX",
	 "from the nearest objects whose type matches, not from roots", NULL, false},
	{0, "cut", OPTION_MAYBE, FIELD(cut), "REFERENCE",
	 "what would be free without it, and without each reference of its paths; or without one "
	 "alone",
	 NULL, false},
	{0, "dot", OPTION_FLAG, FIELD(dot), NULL, "print a graph for dot (Graphviz)", NULL, false},
	{0},
};

static const struct option *const path_groups[] = {path_options, options_common, NULL};

const struct command command_path = {
	.name = "path",
	.operands = "DB [OBJECT]",
	.summary = "why an object is alive: what holds it, from the root on",
	.description =
		"The shortest chains of references that lead from a root to OBJECT, an "
		"address (0x55d0c0de),\n"
		"an object's number ('#12') or a type's name (then its biggest object). "
		"Those from a named\n"
		"place come first: a module's variable, a local of a function in a thread. Where "
		"no "
		"single object holds\n"
		"OBJECT, says who shares it. With --cut: what it would free if OBJECT, or one "
		"of these references,\n"
		"were gone, and how much of that the system would get back (by a trim, where "
		"malloc holds it).\n"
		"\n"
		"--cut=REFERENCE asks for one alone, and says who else holds its object. It is "
		"written as paths are\n"
		"printed (\"--cut=app.CACHE['sessions']\", '--cut=cache->next', a variable's name "
		"for the variable itself),\n"
		"may begin at an object ('#12->next', \"#12['key']\"), and '#12->#15' is whatever "
		"leads from the one to the\n"
		"other. With OBJECT, the holder is enough: --cut='#12'. OBJECT, too, may be "
		"written as a path.",
	.options = path_groups,
	.min_operands = 1,
	.max_operands = 2,
	.run = path_run,
};
