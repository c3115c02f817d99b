/*
 * path: why an object is alive.
 *
 * The search goes backwards from the object over the references of the database, nearest first, and
 * bounded: an object that a million others refer to is left by STEPS_MOST. Each vertex with roots
 * makes a candidate; the best ones are shown: named roots before words, typed references before
 * words that look like pointers, short before long. Behind a named root the search does not go on:
 * what leads there would only say the same in more words.
 */
#include "cmd/cmd.h"

#include "base/vec.h"
#include "graph/path.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATHS = 3,		/* without --max */
	STEPS_MOST = 300000,	/* objects looked at */
	REFERRERS_MOST = 20000, /* of one object */
	CANDIDATES_MOST = 4096,
	ROOTS_EACH = 4,	  /* of one object */
	MODULES = 0,	  /* quality, see path_roots.sql: a chain from here begins with a module, */
	MODULE_STEPS = 3, /* and reads shorter by these than it is */
	NAMED = 1,
};

struct candidate {
	uint32_t step; /* where it begins */
	int64_t root;  /* 0: it begins at an object of --to-type */
	uint32_t quality, words, depth;
};

struct search {
	struct cmd_context *ctx;
	struct path path;
	VEC(uint8_t) word; /* by step: references on the way to the goal that are not typed */
	VEC(uint8_t) wanted;
	VEC(struct candidate) found;
	uint64_t max;	/* how many are asked for */
	uint64_t good;	/* of these, how many have a name all the way */
	uint32_t until; /* no deeper than that: enough was found; UINT32_MAX: not yet */
	sqlite3_stmt *referrers, *roots;
	bool cut; /* not everything was looked at */
};

static void search_deinit(struct search *s)
{
	path_deinit(&s->path);
	vec_deinit(&s->word);
	vec_deinit(&s->wanted);
	vec_deinit(&s->found);
	sqlite3_finalize(s->referrers);
	sqlite3_finalize(s->roots);
}

static struct error *sql_error(struct search *s)
{
	return error_new(ERROR_SYSTEM, "path: %s", sqlite3_errmsg(sqlite3_db_handle(s->roots)));
}

static struct error *candidate_add(struct search *s, uint32_t at, int64_t root, uint32_t quality)
{
	struct candidate c = {at, root, quality, s->word.at[at], s->path.step.at[at].depth};
	if (quality == MODULES) {
		c.quality = NAMED;
		c.depth -= c.depth < MODULE_STEPS ? c.depth : MODULE_STEPS;
	}
	s->good += c.quality == NAMED && !c.words;
	if (s->good == s->max && s->until == UINT32_MAX)
		s->until = s->path.step.at[at].depth + MODULE_STEPS;
	return vec_push(&s->found, c);
}

/* *stop: a root with a name, behind which there is nothing to learn. */
static struct error *search_roots(struct search *s, uint32_t at, bool *stop)
{
	struct error *err = NULL;
	sqlite3_reset(s->roots);
	cmd_bind_int(s->roots, ":id", s->path.step.at[at].vertex);
	int rc;
	unsigned best = 9;
	while (!err && (rc = sqlite3_step(s->roots)) == SQLITE_ROW) {
		unsigned quality = (unsigned)sqlite3_column_int(s->roots, 1);
		/* Words say nothing new beside a name, and one of them says all of them. */
		if (best != 9 && quality > NAMED)
			continue;
		best = quality < best ? quality : best;
		err = candidate_add(s, at, sqlite3_column_int64(s->roots, 0), quality);
	}
	*stop = best <= NAMED && s->path.step.at[at].depth > 0;
	return err || rc == SQLITE_DONE ? err : sql_error(s);
}

static struct error *search_expand(struct search *s, uint32_t at)
{
	struct error *err = NULL;
	unsigned n = 0;
	int rc;
	sqlite3_reset(s->referrers);
	cmd_bind_int(s->referrers, ":id", s->path.step.at[at].vertex);
	while (!err && (rc = sqlite3_step(s->referrers)) == SQLITE_ROW) {
		uint64_t before = s->path.step.n;
		err = path_add(&s->path, at, (uint32_t)sqlite3_column_int64(s->referrers, 1),
			       (uint64_t)sqlite3_column_int64(s->referrers, 0));
		n++;
		if (err || s->path.step.n == before)
			continue;
		unsigned word = s->word.at[at] + (sqlite3_column_int(s->referrers, 2) != 1);
		err = vec_push(&s->word, (uint8_t)(word > 255 ? 255 : word));
		if (!err)
			err = vec_push(&s->wanted, (uint8_t)sqlite3_column_int(s->referrers, 3));
	}
	s->cut |= n == REFERRERS_MOST;
	return err || rc == SQLITE_DONE ? err : sql_error(s);
}

static struct error *search_prepare(struct search *s)
{
	struct cmd_context *ctx = s->ctx;
	uint64_t limit = ctx->opt.limit;
	ctx->opt.limit = LIMIT_UNSET; /* no bound on what is looked at */
	struct error *err = cmd_prepare(ctx, "path_referrers.sql", REFERRERS_MOST, &s->referrers);
	if (!err)
		err = cmd_prepare(ctx, "path_roots.sql", ROOTS_EACH, &s->roots);
	ctx->opt.limit = limit;
	if (err)
		return err;
	cmd_bind_text(s->referrers, ":avoid", ctx->opt.avoid);
	cmd_bind_text(s->referrers, ":to_type", ctx->opt.to_type);
	cmd_bind_text(s->roots, ":avoid", ctx->opt.avoid);
	return NULL;
}

static int candidate_compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->quality != y->quality)
		return x->quality < y->quality ? -1 : 1;
	if (!x->words != !y->words)
		return x->words ? 1 : -1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

static struct error *search_run(struct search *s, uint32_t goal, uint64_t max)
{
	uint32_t at;
	struct error *err = path_init(&s->path, goal);
	if (!err)
		err = vec_push(&s->word, 0);
	if (!err)
		err = vec_push(&s->wanted, 0);
	s->max = max;
	s->until = UINT32_MAX;
	while (!err && s->found.n < CANDIDATES_MOST && path_next(&s->path, &at)) {
		bool stop = false;
		if (s->path.step.at[at].depth > s->until)
			break;
		if (s->ctx->opt.to_type) {
			stop = s->wanted.at[at];
			if (stop)
				err = candidate_add(s, at, 0, NAMED);
		} else {
			err = search_roots(s, at, &stop);
		}
		if (!err && !stop)
			err = search_expand(s, at);
		if (s->path.step.n > STEPS_MOST) {
			s->cut = true;
			break;
		}
	}
	if (s->found.n)
		qsort(s->found.at, s->found.n, sizeof(*s->found.at), candidate_compare);
	if (s->found.n > max)
		s->found.n = max;
	return err;
}

/* ---- how a programmer would write it ---- */

static bool is_identifier(const char *text, size_t len)
{
	if (!len || isdigit((unsigned char)*text))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' && !(text[i] & 0x80))
			return false;
	return true;
}

/* ['name'] without what is around it; 0: it is no such key. */
static size_t key_of(const char *name, const char **ret)
{
	size_t len = strlen(name);
	if (len < 5 || strncmp(name, "['", 2) || strcmp(name + len - 2, "']"))
		return 0;
	*ret = name + 2;
	return len - 4;
}

struct expression {
	FILE *out;
	bool frame;   /* so far it is a frame object (to 3.10): its attributes are variables */
	bool modules; /* so far it is sys.modules: a key is a module's name */
	bool namespace; /* so far it ends in .__dict__, which was not written: a key is an attribute */
};

static void expression_root(struct expression *e, const struct cmd_row *row)
{
	const char *name = cmd_row_text(row, "root_name"), *type = cmd_row_text(row, "type");
	const char *kind = cmd_row_text(row, "root_kind");
	size_t len = name ? strlen(name) : 0, tail = strlen("sys.modules");
	if (len >= tail && !strcmp(name + len - tail, "sys.modules")) {
		e->modules = true;
		fwrite(name, 1, len - tail, e->out);
	} else if (name && !strcmp(name, "(frame)")) {
		e->frame = true;
	} else if (name) {
		fputs(name, e->out);
	} else {
		fprintf(e->out, "<%s>", kind ? kind : type ? type : "object");
	}
}

static void expression_flush(struct expression *e)
{
	if (e->frame)
		fputs("(frame)", e->out);
	if (e->modules)
		fputs("sys.modules", e->out);
	if (e->namespace)
		fputs(".__dict__", e->out);
	e->frame = e->modules = e->namespace = false;
}

static void expression_step(struct expression *e, const struct cmd_row *row)
{
	const char *name = cmd_row_text(row, "name"), *key = NULL;
	size_t len = name ? key_of(name, &key) : 0;
	if (cmd_row_int(row, "own_buffer") && !name)
		return;
	if (e->frame && name && *name == '.') {
		fputs(name + 1, e->out);
		e->frame = false;
	} else if (e->modules && len) {
		fwrite(key, 1, len, e->out);
		e->modules = false;
	} else if (e->namespace && len && is_identifier(key, len)) {
		fputc('.', e->out);
		fwrite(key, 1, len, e->out);
		e->namespace = false;
	} else if (name && !strcmp(name, ".__dict__")) {
		expression_flush(e);
		e->namespace = true;
	} else {
		expression_flush(e);
		if (name)
			fputs(name, e->out);
		else if (cmd_row_text(row, "offset"))
			fprintf(e->out, "->+%" PRId64, cmd_row_int(row, "offset"));
		else
			fputs("->?", e->out);
	}
}

static const char *root_sentence(struct cmd_context *ctx, const struct cmd_row *row)
{
	const char *kind = cmd_row_text(row, "root_kind"), *name = cmd_row_text(row, "root_name");
	const char *function = cmd_row_text(row, "root_function");
	const char *module = cmd_row_text(row, "root_module");
	const char *language = cmd_row_text(row, "root_language");
	if (!kind)
		return region_printf(&ctx->region, "an object of the type that was asked for");
	const char *thread = "";
	if (cmd_row_text(row, "root_thread"))
		thread = region_printf(&ctx->region, "thread %" PRId64 ", ",
				       cmd_row_int(row, "root_thread"));
	if (language && !strcmp(language, "python")) {
		const char *line = "";
		if (cmd_row_text(row, "root_line"))
			line = region_printf(&ctx->region, " (%s:%" PRId64 ")",
					     cmd_row_text(row, "root_file")
						     ? cmd_row_text(row, "root_file")
						     : "?",
					     cmd_row_int(row, "root_line"));
		bool local = name && *name != '(';
		return region_printf(&ctx->region, "%s%s()%s, %s%s%s", thread,
				     function ? function : "?", line, local ? "local '" : "its ",
				     local  ? name
				     : name ? name
					    : "frame",
				     local ? "'" : "");
	}
	if (function)
		return region_printf(&ctx->region, "%s%s(), %s word%s", thread, function, kind,
				     cmd_row_int(row, "root_grade") >= 6 ? " (may be stale)" : "");
	const char *base = module && strrchr(module, '/') ? strrchr(module, '/') + 1 : module;
	return region_printf(&ctx->region, "%s%s %s%s%s%s", thread, kind, name ? name : "word",
			     base ? " in " : "", base ? base : "",
			     cmd_row_int(row, "root_grade") >= 6 ? " (may be stale)" : "");
}

/* ---- results ---- */

/* [[path, step, object, reference, root], ...] */
static char *steps_json(const struct search *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputc('[', f);
	for (uint64_t i = 0; i < s->found.n; i++) {
		const struct candidate *c = &s->found.at[i];
		uint64_t edge = 0, step = 0;
		for (uint32_t at = c->step; at != PATH_NONE; at = s->path.step.at[at].next) {
			const struct path_step *p = &s->path.step.at[at];
			fprintf(f, "%s[%" PRIu64 ",%" PRIu64 ",%u,%" PRIu64 ",%" PRId64 "]",
				i || step ? "," : "", i + 1, step, p->vertex, edge,
				step ? 0 : c->root);
			edge = p->edge;
			step++;
		}
	}
	fputc(']', f);
	return fclose(f) ? NULL : text;
}

static void json_text(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(f, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(f, "\\u%04x", *text);
		else
			fputc(*text, f);
	}
	fputc('"', f);
}

/* [[path, expression, root, steps], ...] from the rows of path_steps.sql */
static struct error *paths_json(struct cmd_context *ctx, const char *steps, char **ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "path_steps.sql", 0, &stmt);
	size_t len, expression_len;
	char *expression_text = NULL;
	FILE *f = open_memstream(ret, &len);
	struct expression e = {.out = open_memstream(&expression_text, &expression_len)};
	const char *root = "";
	int64_t path = 0, n = 0;
	bool found = true;
	if (!f || !e.out)
		err = &error_nomem;
	if (!err)
		cmd_bind_text(stmt, ":steps", steps);
	if (!err)
		fputc('[', f);
	while (!err) {
		struct cmd_row row;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found || cmd_row_int(&row, "path") != path) {
			if (path && !err) {
				expression_flush(&e);
				fputc(0, e.out);
				fflush(e.out);
				fprintf(f, "%s[%" PRId64 ",", path > 1 ? "," : "", path);
				json_text(f, expression_text);
				fputc(',', f);
				json_text(f, root ? root : "");
				fprintf(f, ",%" PRId64 "]", n);
				rewind(e.out);
			}
			if (err || !found)
				break;
			path = cmd_row_int(&row, "path");
			n = 0;
			e.frame = e.modules = e.namespace = false;
			expression_root(&e, &row);
			root = root_sentence(ctx, &row);
		} else {
			expression_step(&e, &row);
			n++;
		}
	}
	if (f) {
		fputc(']', f);
		if (fclose(f) && !err)
			err = &error_nomem;
	}
	if (e.out)
		fclose(e.out);
	free(expression_text);
	return err;
}

static const struct report_column list_columns[] = {
	{"path", NULL, REPORT_COUNT, NULL},
	{"expression", NULL, REPORT_TEXT, NULL},
	{"root", NULL, REPORT_TEXT, NULL},
	{"steps", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column step_columns[] = {
	{"path", NULL, REPORT_COUNT, NULL},
	{"step", NULL, REPORT_COUNT, NULL},
	{"name", "BY", REPORT_TEXT, ""},
	{"offset", NULL, REPORT_COUNT, NULL},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"kind", NULL, REPORT_COUNT, NULL},
	{"root_kind", NULL, REPORT_TEXT, NULL},
	{"root_name", NULL, REPORT_TEXT, NULL},
	{"root_thread", NULL, REPORT_ID, NULL},
	{"root_function", NULL, REPORT_TEXT, NULL},
	{0},
};

static struct error *print_steps(struct cmd_context *ctx, const char *steps, int64_t only)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "path_steps.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":steps", steps);
	if (only)
		cmd_bind_int(stmt, ":only", only);
	return report_rows(&ctx->report, "steps", step_columns, stmt, NULL);
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
		return err ? err : print_steps(ctx, steps, 0);
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
		err = print_steps(ctx, steps, cmd_row_int(&row, "path"));
	}
	return err;
}

/* Graphviz: each object once, edges with their names. */
static struct error *print_dot(struct cmd_context *ctx, const char *steps)
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
		json_text(out, report_safe(&ctx->region,
					   region_printf(&ctx->region, "%s 0x%" PRIx64,
							 type ? type : "(untyped)",
							 (uint64_t)cmd_row_int(&row, "address")),
					   "?"));
		fputs("];\n", out);
		if (cmd_row_int(&row, "step")) {
			fprintf(out, "\to%" PRId64 " -> o%" PRId64 " [label=", before, id);
			json_text(out, report_safe(&ctx->region, name, ""));
		} else {
			fprintf(out, "\tr%" PRId64 " [shape=plaintext, label=",
				cmd_row_int(&row, "path"));
			json_text(out, report_safe(&ctx->region, root_sentence(ctx, &row), "?"));
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
	struct error *err = cmd_prepare(ctx, "path_goal.sql", 0, &stmt);
	if (err)
		return err;
	const char *digits = what + (*what == '#');
	char *end = NULL;
	errno = 0;
	bool hex = what[0] == '0' && (what[1] | 32) == 'x';
	uint64_t number = strtoull(digits, &end, hex ? 16 : 10);
	if (end == digits || *end || errno)
		cmd_bind_text(stmt, ":name", what);
	else
		cmd_bind_int(stmt, hex ? ":address" : ":id", (int64_t)number);
	err = cmd_row(ctx, stmt, &row, &found);
	if (!err && !found)
		return error_new(ERROR_USAGE,
				 "'%s' is no object's address (0x...) or number "
				 "('#12'), and no object's type has such a name",
				 what);
	if (!err)
		*ret = cmd_row_int(&row, "id");
	return err;
}

static struct error *path_print(struct cmd_context *ctx, const char *what)
{
	_cleanup_(search_deinit) struct search s = {.ctx = ctx};
	_cleanup_free_ char *steps = NULL, *paths = NULL;
	int64_t goal = 0;
	struct error *err = path_goal(ctx, what, &goal);
	if (!err)
		err = search_prepare(&s);
	if (!err)
		err = search_run(&s, (uint32_t)goal, ctx->opt.max ? ctx->opt.max : PATHS);
	if (err)
		return err;
	steps = steps_json(&s);
	if (!steps)
		return &error_nomem;
	if (ctx->opt.dot)
		return print_dot(ctx, steps);
	report_int(&ctx->report, "object_id", goal);
	report_int(&ctx->report, "looked_at", (int64_t)s.path.step.n);
	report_int(&ctx->report, "complete", !s.cut);
	if (!s.found.n)
		report_line(&ctx->report,
			    s.cut ? "No path to #%" PRId64 " among the nearest %s objects."
				  : "Nothing leads to #%" PRId64 " (%s looked at).",
			    goal, cmd_plural(ctx, (int64_t)s.path.step.n, "object", "objects"));
	err = paths_json(ctx, steps, &paths);
	return err ? err : print_paths(ctx, steps, paths);
}

static struct error *path_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_open(ctx, operand[0]);
	if (err)
		return err;
	if (ctx->opt.dot) {
		ctx->report.json = false;
		err = path_print(ctx, operand[1]);
		return err ? err : report_flush(&ctx->report);
	}
	report_begin(&ctx->report, "path");
	err = path_print(ctx, operand[1]);
	return err ? err : report_end(&ctx->report);
}

#define FIELD(name) offsetof(struct cmd_options, name)

static const struct option path_options[] = {
	{'m', "max", OPTION_NUMBER, FIELD(max), "N", "at most N paths (3)", NULL, false},
	{0, "avoid", OPTION_STRING, FIELD(avoid), "REGEX",
	 "not through objects whose type, and references whose name, matches", NULL, false},
	{0, "to-type", OPTION_STRING, FIELD(to_type), "REGEX",
	 "from the nearest objects whose type matches, not from roots", NULL, false},
	{0, "dot", OPTION_FLAG, FIELD(dot), NULL, "print a graph for dot (Graphviz)", NULL, false},
	{0},
};

static const struct option *const path_groups[] = {path_options, options_common, NULL};

const struct command command_path = {
	.name = "path",
	.operands = "DB OBJECT",
	.summary = "why an object is alive: what holds it, from the root on",
	.description = "The shortest chains of references that lead from a root to OBJECT, an "
		       "address (0x55d0c0de),\n"
		       "an object's number ('#12') or a type's name (then its biggest object). "
		       "Those from a named\n"
		       "place come first: a module's variable, a local of a function in a thread.",
	.options = path_groups,
	.min_operands = 2,
	.max_operands = 2,
	.run = path_run,
};
