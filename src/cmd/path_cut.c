#include "cmd/path_cut.h"

#include "store/whatif.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUDGET = 800 * 1000, /* objects looked at, over all cuts: about a second */
	HOLDERS = 12,	     /* that share an object: shown */
};

static const struct report_column cut_columns[] = {
	{"path", "PATH", REPORT_COUNT, NULL},
	{"step", NULL, REPORT_COUNT, NULL},
	{"name", "CUT", REPORT_TEXT, "(root)"},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"objects", "FREES", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"returned", "GIVEN BACK", REPORT_BYTES, NULL},
	{"others", NULL, REPORT_COUNT, NULL},
	{"complete", NULL, REPORT_COUNT, NULL},
	{"note", "", REPORT_TEXT, ""},
	{"at_once", NULL, REPORT_BYTES, NULL},
	{"address", NULL, REPORT_ADDRESS, NULL},
	{"reference_id", NULL, REPORT_COUNT, NULL},
	{"root_id", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column shared_columns[] = {
	{"holder", "HELD BY", REPORT_TEXT, "?"},
	{"expression", "AS", REPORT_TEXT, ""},
	{"steps", NULL, REPORT_COUNT, NULL},
	{0},
};

/* ---- --cut ---- */

/* Was this reference (or root) of path i, step k on a path before it? */
static bool cut_seen(const struct paths *p, uint64_t i, uint64_t k)
{
	const struct paths_row *row = &p->row.at[i];
	const struct paths_step *step = &p->step.at[row->first + k];
	for (uint64_t a = 0; a < i; a++) {
		const struct paths_row *r = &p->row.at[a];
		if (!k && r->root_id == row->root_id)
			return true;
		for (uint64_t b = 1; k && b < r->n; b++)
			if (p->step.at[r->first + b].reference == step->reference)
				return true;
	}
	return false;
}

/* What is known so far; goes on where the budget lets it. */
struct cuts {
	struct whatif *w;
	const struct paths *p;
	uint64_t budget;
	int64_t goal;
	struct whatif_result self; /* of the goal */
	uint64_t left_out;	   /* references in the middle of long paths */
	uint32_t src, dst;	   /* a reference whose object something else holds, too; 0: none */
};

static struct error *cut_one(struct cuts *c, uint64_t i, uint64_t k, FILE *f)
{
	const struct paths_row *row = &c->p->row.at[i];
	const struct paths_step *step = &c->p->step.at[row->first + k];
	struct whatif_result r;
	/* What goes with the object itself is known. */
	bool goal = step->object_id == c->goal;
	struct error *err = whatif_edge(c->w, step->object_id, k ? step->reference : 0,
					k ? 0 : row->root_id, goal ? 1 : c->budget, &r);
	if (err)
		return err;
	c->budget -= r.looked_at < c->budget ? r.looked_at : c->budget;
	if (goal && !r.others && r.objects)
		r = c->self;
	fprintf(f,
		"%s[%" PRIu64 ",%" PRIu64 ",%u,%" PRId64 ",%" PRId64 ",%" PRIu64 ",%" PRIu64
		",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d,",
		ftell(f) > 1 ? "," : "", i + 1, k, step->object_id, k ? step->reference : 0,
		k ? 0 : row->root_id, r.objects, r.bytes, r.returned, r.at_once, r.others,
		r.complete);
	path_json_text(f, "\"", k ? "" : row->holder);
	fputs("\"]", f);
	/* The nearest to the object whose other holders there is a question for. */
	if (k && r.others) {
		c->src = c->p->step.at[row->first + k - 1].object_id;
		c->dst = step->object_id;
	}
	return NULL;
}

/* [[path, step, object, reference, root, objects, bytes, returned, at_once, others, complete, holder]] */
static struct error *cuts_json(struct cuts *c, char **ret)
{
	const struct paths *p = c->p;
	size_t len;
	FILE *f = open_memstream(ret, &len);
	if (!f)
		return &error_nomem;
	struct error *err = NULL;
	fputc('[', f);
	for (uint64_t i = 0; i < p->row.n && !err; i++)
		for (uint64_t k = p->row.at[i].root_id ? 0 : 1; k < p->row.at[i].n && !err; k++) {
			if (!path_told(p->row.at[i].n, k))
				c->left_out++;
			else if (!cut_seen(p, i, k))
				err = cut_one(c, i, k, f);
		}
	fputc(']', f);
	if (fclose(f) && !err)
		err = &error_nomem;
	return err;
}

void path_freed(struct cmd_context *ctx, const char *what, const struct whatif_result *r)
{
	const char *least = r->complete ? "" : "at least ", *given = "nothing", *how = "";
	if (r->returned || !r->complete)
		given = region_printf(&ctx->region, "%s%s", least,
				      cmd_bytes(ctx, (int64_t)r->returned));
	if (r->at_once && r->at_once < r->returned)
		how = region_printf(&ctx->region, ", %s%s of it without a trim", least,
				    cmd_bytes(ctx, (int64_t)r->at_once));
	else if (r->returned)
		how = r->at_once ? ", without a trim" : ", by a trim";
	report_line(&ctx->report,
		    "Without %s, %s%s (%s) would be free; the system would get %s of that%s.", what,
		    least, cmd_plural(ctx, (int64_t)r->objects, "block", "blocks"),
		    cmd_bytes(ctx, (int64_t)r->bytes), given ? given : "?", how ? how : "");
}

static void cut_object(struct cmd_context *ctx, int64_t goal, const struct whatif_result *r)
{
	struct report *rep = &ctx->report;
	report_int(rep, "freed_objects", (int64_t)r->objects);
	report_int(rep, "freed_bytes", (int64_t)r->bytes);
	report_int(rep, "returned", (int64_t)r->returned);
	report_int(rep, "at_once", (int64_t)r->at_once);
	report_int(rep, "cut_complete", r->complete);
	report_heading(rep, "If it were gone");
	const char *what = region_printf(&ctx->region, "#%" PRId64, goal);
	path_freed(ctx, what ? what : "it", r);
}

struct error *path_cuts(struct cmd_context *ctx, int64_t goal, const struct paths *found)
{
	_cleanup_(whatif_destroyp) struct whatif *w = NULL;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ char *json = NULL;
	struct error *err = whatif_create(ctx->store->db, &w);
	struct cuts cuts = {.w = w, .p = found, .goal = goal};
	if (!err)
		err = whatif_object(w, goal, BUDGET / 2, &cuts.self);
	if (err)
		return err;
	cut_object(ctx, goal, &cuts.self);
	cuts.budget = BUDGET - cuts.self.looked_at;
	err = cuts_json(&cuts, &json);
	if (!err)
		err = cmd_prepare(ctx, "path_cuts.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":cuts", json);
	if (found->row.n)
		report_heading(&ctx->report, "If one reference were cut");
	report_int(&ctx->report, "cuts_left_out", (int64_t)cuts.left_out);
	err = report_rows(&ctx->report, "cuts", cut_columns, stmt, NULL);
	if (!err && cuts.left_out)
		report_line(&ctx->report,
			    "Left out: %s in the middle of paths of more than %d steps.",
			    cmd_plural(ctx, (int64_t)cuts.left_out, "reference", "references"),
			    PATH_TOLD);
	if (!err && cuts.src)
		report_line(&ctx->report, "What else holds such an object: --cut='#%u->#%u'",
			    cuts.src, cuts.dst);
	return err;
}

/* ---- who shares it ---- */

/* The row lives as long as the statement, which is the caller's. */
static struct error *dominator_row(struct cmd_context *ctx, int64_t goal, sqlite3_stmt **stmt,
				   struct cmd_row *row, bool *found)
{
	struct error *err = cmd_prepare(ctx, "path_dominator.sql", 0, stmt);
	if (err)
		return err;
	cmd_bind_int(*stmt, ":id", goal);
	return cmd_row(ctx, *stmt, row, found);
}

static struct error *dominator_line(struct cmd_context *ctx, int64_t goal, bool *has)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	bool found = false;
	struct error *err = dominator_row(ctx, goal, &stmt, &row, &found);
	*has = true;
	if (err || !found)
		return err;
	const char *module = cmd_row_text(&row, "in_module");
	*has = cmd_row_text(&row, "dominator_id") || module;
	report_string(&ctx->report, "in_module", module);
	if (!cmd_row_text(&row, "dominator_id"))
		report_string(&ctx->report, "dominator_id", NULL);
	if (module)
		report_line(&ctx->report,
			    "\nIt is part of the data of %s: nothing needs to hold it.",
			    report_safe(&ctx->region, module, "?"));
	if (!cmd_row_text(&row, "dominator_id"))
		return NULL;
	report_int(&ctx->report, "dominator_id", cmd_row_int(&row, "dominator_id"));
	report_line(&ctx->report,
		    "\nAll ways to it lead through #%" PRId64 " %s at 0x%" PRIx64
		    ", which retains %s.",
		    cmd_row_int(&row, "dominator_id"),
		    report_safe(&ctx->region, cmd_row_text(&row, "type"), "(untyped)"),
		    (uint64_t)cmd_row_int(&row, "address"),
		    cmd_bytes(ctx, cmd_row_int(&row, "retained")));
	return NULL;
}

struct error *path_dominated(struct cmd_context *ctx, int64_t goal, bool *ret)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	bool found = false;
	struct error *err = dominator_row(ctx, goal, &stmt, &row, &found);
	*ret = !err &&
	       (!found || cmd_row_text(&row, "dominator_id") || cmd_row_text(&row, "in_module"));
	return err;
}

static bool holders_alike(const struct paths *p)
{
	for (uint64_t i = 1; i < p->row.n; i++)
		if (strcmp(p->row.at[i].holder, p->row.at[0].holder))
			return false;
	for (uint64_t i = 0; i < p->also.n; i++)
		if (strcmp(p->also.at[i].holder, p->row.at[0].holder))
			return false;
	return true;
}

struct error *path_shared(struct cmd_context *ctx, int64_t goal, const struct paths *all)
{
	const struct paths none = {.complete = true};
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ char *json = NULL;
	bool has;
	struct error *err = dominator_line(ctx, goal, &has);
	if (err)
		return err;
	const struct paths *p = has || !all ? &none : all;
	json = path_list_json(p, true);
	if (!json)
		return &error_nomem;
	err = cmd_prepare(ctx, "path_shared.sql", HOLDERS, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":paths", json);
	uint64_t n = 0;
	if (p->row.n == 1 && !p->also.n && p->complete && !ctx->report.json) {
		report_line(&ctx->report, "\nNothing else holds it.");
		return NULL;
	}
	/* One holder, in several ways: they are printed above, with how often each is repeated. */
	if (holders_alike(p) && !ctx->report.json) {
		if (p->row.n)
			report_line(&ctx->report,
				    "\nNo object holds it alone: the ways above share it.");
		return NULL;
	}
	report_heading(&ctx->report, "No object holds it alone: these share it");
	err = report_rows(&ctx->report, "shared_by", shared_columns, stmt, &n);
	if (!err && n && (!p->complete || n == HOLDERS || p->row.n >= HOLDERS_SEARCH))
		report_line(&ctx->report, "There may be more: these are the nearest.");
	return err;
}
