#include "cmd/path_reference.h"

#include "cmd/path_cut.h"
#include "cmd/spelled.h"
#include "store/paths.h"
#include "store/whatif_cut.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BUDGET = 800 * 1000, /* objects looked at: about a second */
	HOLDERS = 12,	     /* shown in text */
};

static const struct report_column reference_columns[] = {
	{"src", "?FROM", REPORT_ID, ""},
	{"src_type", "?TYPE", REPORT_NAME, ""},
	{"name", "CUT", REPORT_TEXT, NULL},
	{"id", "TO", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "?VALUE", REPORT_TEXT, ""},
	{"offset", NULL, REPORT_COUNT, NULL},
	{"src_address", NULL, REPORT_ADDRESS, NULL},
	{"src_value", NULL, REPORT_TEXT, NULL},
	{"kind", NULL, REPORT_COUNT, NULL},
	{"reference_id", NULL, REPORT_COUNT, NULL},
	{"root_id", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column holder_columns[] = {
	{"src", "?OBJECT", REPORT_ID, ""},
	{"src_address", "?ADDRESS", REPORT_ADDRESS, ""},
	{"src_type", "?TYPE", REPORT_NAME, ""},
	{"name", "BY", REPORT_TEXT, NULL},
	{"held_as", "?ITSELF HELD AS", REPORT_TEXT, ""},
	{"src_value", NULL, REPORT_TEXT, NULL},
	{"offset", NULL, REPORT_COUNT, NULL},
	{"id", NULL, REPORT_ID, NULL},
	{"kind", NULL, REPORT_COUNT, NULL},
	{"reference_id", NULL, REPORT_COUNT, NULL},
	{"root_id", NULL, REPORT_COUNT, NULL},
	{0},
};

struct way_row {
	struct whatif_way way;
	int64_t object_id;
};

/* The roots among them as `path` would say it: "thread 1, main(), local 'x'". One row of p for each. */
static struct error *roots_describe(struct cmd_context *ctx, const struct way_row *row, uint64_t n,
				    struct paths *p)
{
	struct error *err = NULL;
	for (uint64_t i = 0; i < n && !err; i++) {
		if (!row[i].way.root)
			continue;
		err = vec_push(&p->row, ((struct paths_row){
						.root_id = row[i].way.root,
						.first = p->step.n,
						.n = 1,
					}));
		if (!err)
			err = vec_push(&p->step, ((struct paths_step){
							 .object_id = (uint32_t)row[i].object_id}));
	}
	return err ? err : paths_describe(ctx->store->db, p);
}

/* [[reference, root, text of the root], ...] for path_links.sql */
static struct error *ways_json(struct cmd_context *ctx, const struct way_row *row, uint64_t n,
			       char **ret)
{
	_cleanup_(paths_deinit) struct paths p = {0};
	uint64_t root = 0;
	size_t len;
	struct error *err = roots_describe(ctx, row, n, &p);
	FILE *f = err ? NULL : open_memstream(ret, &len);
	if (!f)
		return err ? err : &error_nomem;
	fputc('[', f);
	for (uint64_t i = 0; i < n; i++) {
		const struct whatif_way *w = &row[i].way;
		fprintf(f, "%s[%" PRId64 ",%" PRId64 ",", i ? "," : "", w->reference, w->root);
		if (w->root) {
			path_json_text(f, "\"", p.row.at[root++].holder);
			fputc('"', f);
		} else {
			fputs("null", f);
		}
		fputc(']', f);
	}
	fputc(']', f);
	return fclose(f) ? &error_nomem : NULL;
}

static struct error *print_ways(struct cmd_context *ctx, const struct way_row *row, uint64_t n,
				const char *section, const struct report_column *columns)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ char *json = NULL;
	struct error *err = ways_json(ctx, row, n, &json);
	if (!err)
		err = cmd_prepare(ctx, "path_links.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":ways", json);
	return report_rows(&ctx->report, section, columns, stmt, NULL);
}

static void print_free(struct cmd_context *ctx, const struct whatif_cut *c, bool many)
{
	struct report *rep = &ctx->report;
	const struct whatif_result *r = &c->r;
	const char *it = many ? "them" : "it";
	report_heading(rep, many ? "If they were cut" : "If it were cut");
	if (!r->objects) {
		report_line(rep,
			    r->complete || r->others
				    ? "Nothing would be free."
				    : "Too many hold it to tell whether anything would be free.");
		return;
	}
	path_freed(ctx, it, r);
	if (c->counted && c->waiting_objects)
		report_line(rep,
			    "Of these, %s (%s) only when the cyclic collector runs: they are in "
			    "rings, or held by such.",
			    cmd_plural(ctx, (int64_t)c->waiting_objects, "block", "blocks"),
			    cmd_bytes(ctx, (int64_t)c->waiting_bytes));
}

static struct error *print_holders(struct cmd_context *ctx, int64_t goal,
				   const struct whatif_cut *c)
{
	struct report *rep = &ctx->report;
	struct way_row row[WHATIF_TOLD];
	uint64_t n = c->holder.n;
	for (uint64_t i = 0; i < n; i++)
		row[i] = (struct way_row){c->holder.at[i].way, c->holder.at[i].object_id};
	if (!rep->json && n > HOLDERS)
		n = HOLDERS;
	if (c->r.others)
		report_heading(rep, "#%" PRId64 " stays: %s%s %s it", goal,
			       c->r.complete ? "" : "at least ",
			       cmd_plural(ctx, (int64_t)c->r.others, "other reference",
					  "other references"),
			       c->r.others == 1 ? "holds" : "hold");
	struct error *err = print_ways(ctx, row, n, "holders", holder_columns);
	if (!err && c->r.others > n)
		report_line(rep, "... and %s more", cmd_count(ctx, (int64_t)(c->r.others - n)));
	return err;
}

/* What is cut: the ways that were named, and the keys that go along. */
static struct error *print_cut(struct cmd_context *ctx, int64_t goal,
			       const struct spelled_ways *ways, const struct whatif_cut *c)
{
	const uint64_t n = ways->way.n + c->taken.n;
	_cleanup_free_ struct way_row *row = calloc(n + 1, sizeof(*row));
	if (!row)
		return &error_nomem;
	for (uint64_t i = 0; i < ways->way.n; i++)
		row[i] = (struct way_row){ways->way.at[i], goal};
	for (uint64_t i = 0; i < c->taken.n; i++)
		row[ways->way.n + i] = (struct way_row){.way = c->taken.at[i]};
	report_heading(&ctx->report, "%s",
		       ways->way.n > 1 ? "References that are cut together"
		       : c->taken.n    ? "An entry that is cut"
				       : "A reference that is cut");
	return print_ways(ctx, row, n, "references", reference_columns);
}

static void facts(struct report *rep, int64_t goal, const struct whatif_cut *c)
{
	report_int(rep, "object_id", goal);
	report_int(rep, "freed_objects", (int64_t)c->r.objects);
	report_int(rep, "freed_bytes", (int64_t)c->r.bytes);
	report_int(rep, "returned", (int64_t)c->r.returned);
	report_int(rep, "at_once", (int64_t)c->r.at_once);
	report_int(rep, "others", (int64_t)c->r.others);
	report_int(rep, "cut_complete", c->r.complete);
	if (c->counted) {
		report_int(rep, "waiting_objects", (int64_t)c->waiting_objects);
		report_int(rep, "waiting_bytes", (int64_t)c->waiting_bytes);
	} else {
		report_string(rep, "waiting_objects", NULL);
		report_string(rep, "waiting_bytes", NULL);
	}
}

struct error *path_reference(struct cmd_context *ctx, int64_t goal)
{
	_cleanup_(spelled_ways_deinit) struct spelled_ways ways = {0};
	_cleanup_(whatif_destroyp) struct whatif *w = NULL;
	_cleanup_(whatif_cut_deinit) struct whatif_cut c = {0};
	struct error *err = spelled_reference(ctx, ctx->opt.cut, &goal, &ways);
	if (!err)
		err = whatif_create(ctx->store->db, &w);
	if (!err)
		err = whatif_cut(w, ways.way.at, ways.way.n, BUDGET, &c);
	if (err)
		return err;
	facts(&ctx->report, goal, &c);
	err = print_cut(ctx, goal, &ways, &c);
	if (err)
		return err;
	print_free(ctx, &c, ways.way.n > 1);
	return print_holders(ctx, goal, &c);
}
