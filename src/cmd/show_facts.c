#include "cmd/show_impl.h"

#include <inttypes.h>

static const struct report_column site_columns[] = {
	{"file", "FILE", REPORT_TEXT, ""},
	{"line", "LINE", REPORT_COUNT, ""},
	{"function", "FUNCTION", REPORT_NAME, ""},
	{"module", "?MODULE", REPORT_TEXT, ""},
	{"site_id", NULL, REPORT_ID, NULL},
	{"step", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column cluster_columns[] = {
	{"id", NULL, REPORT_ID, NULL},
	{"kind", NULL, REPORT_WORD, NULL},
	{"reachable", NULL, REPORT_COUNT, NULL},
	{"objects", NULL, REPORT_COUNT, NULL},
	{"bytes", NULL, REPORT_BYTES, NULL},
	{"head_id", NULL, REPORT_ID, NULL},
	{"head_address", NULL, REPORT_ADDRESS, NULL},
	{0},
};

struct error *show_clusters(struct cmd_context *ctx, int64_t id)
{
	if (ctx->report.json)
		return show_table(ctx, "show_clusters.sql", ":id", id, "clusters", cluster_columns,
				  "", 0);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "show_clusters.sql", SHOW_ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":id", id);
	for (;;) {
		struct cmd_row row;
		bool found;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			return err;
		int64_t head = cmd_row_int(&row, "head_id");
		report_line(&ctx->report, "Cluster    %s #%" PRId64 ": %s, %s, %s 0x%" PRIx64 "%s",
			    cmd_row_text(&row, "kind"), cmd_row_int(&row, "id"),
			    cmd_plural(ctx, cmd_row_int(&row, "objects"), "block", "blocks"),
			    cmd_bytes(ctx, cmd_row_int(&row, "bytes")),
			    cmd_row_int(&row, "reachable") ? "alive, head" : "unreachable, head",
			    (uint64_t)cmd_row_int(&row, "head_address"),
			    head == id ? " (this one)" : "");
	}
}

struct error *show_site(struct cmd_context *ctx, int64_t id)
{
	if (ctx->report.json)
		return show_table(ctx, "show_site.sql", ":id", id, "site", site_columns, "", 0);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "show_site.sql", SHOW_ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":id", id);
	for (bool first = true;; first = false) {
		struct cmd_row row;
		bool found;
		err = cmd_row(ctx, stmt, &row, &found);
		if (err || !found)
			return err;
		const char *function = cmd_row_text(&row, "function");
		const char *file = cmd_row_text(&row, "file");
		const char *line = "";
		if (cmd_row_text(&row, "line"))
			line = region_printf(&ctx->region, ":%" PRId64, cmd_row_int(&row, "line"));
		report_line(&ctx->report, "%s%s%s%s%s",
			    first ? "Allocated  at " : "           called from ",
			    report_safe(&ctx->region, function, ""), function && file ? " " : "",
			    report_safe(&ctx->region, file ? file : cmd_row_text(&row, "module"),
					function ? "" : "?"),
			    line);
	}
}

struct error *show_held(struct cmd_context *ctx, int64_t id)
{
	struct cmd_row h;
	bool found;
	struct error *err = show_row(ctx, "show_held.sql", ":id", id, &h, &found);
	if (err || !found)
		return err;
	const char *module = cmd_row_text(&h, "module_name");
	const char *holder = cmd_row_text(&h, "holder");
	report_string(&ctx->report, "native_holder", holder);
	report_string(&ctx->report, "native_kind", cmd_row_text(&h, "kind"));
	report_string(&ctx->report, "native_module", module);
	report_line(&ctx->report, "Native     only native code keeps it alive: %s%s%s%s",
		    report_safe(&ctx->region, holder, "?"), module ? " of " : "",
		    report_safe(&ctx->region, module, ""),
		    cmd_row_int(&h, "direct") ? "" : ", by way of other objects");
	if (cmd_row_text(&h, "via_id"))
		report_line(&ctx->report,
			    "           the word is in block #%" PRId64 " at 0x%" PRIx64,
			    cmd_row_int(&h, "via_id"), (uint64_t)cmd_row_int(&h, "via"));
	return NULL;
}

struct error *show_count(struct cmd_context *ctx, int64_t id)
{
	struct cmd_row c;
	bool found;
	struct error *err = show_row(ctx, "show_count.sql", ":id", id, &c, &found);
	if (err || !found)
		return err;
	int64_t excess = cmd_row_int(&c, "excess");
	report_int(&ctx->report, "owning_references", cmd_row_int(&c, "references"));
	report_int(&ctx->report, "refcount_excess", excess);
	const char *rest = "";
	if (excess > 0)
		rest = region_printf(&ctx->region, "; nobody accounts for %s",
				     cmd_count(ctx, excess));
	else if (excess < 0)
		rest = region_printf(&ctx->region, "; %s more than it counts",
				     cmd_count(ctx, -excess));
	/* What neither references nor anything else accounts for is the roots'. */
	int64_t of_roots = cmd_row_int(&c, "refcount") - cmd_row_int(&c, "references") - excess -
			   cmd_row_int(&c, "kept");
	const char *roots = "";
	if (of_roots > 0 && of_roots <= cmd_row_int(&c, "roots"))
		roots = region_printf(&ctx->region, " and %s",
				      cmd_plural(ctx, of_roots, "root", "roots"));
	report_line(&ctx->report, "Count      %s: %s of %s%s%s",
		    cmd_count(ctx, cmd_row_int(&c, "refcount")),
		    cmd_plural(ctx, cmd_row_int(&c, "references"), "reference", "references"),
		    cmd_plural(ctx, cmd_row_int(&c, "holders"), "object", "objects"),
		    roots ? roots : "", rest);
	const char *cause = cmd_row_text(&c, "cause"), *module = cmd_row_text(&c, "module");
	if (!cause)
		return NULL;
	report_int(&ctx->report, "kept_counts", cmd_row_int(&c, "kept"));
	report_string(&ctx->report, "kept_cause", cause);
	report_string(&ctx->report, "kept_module", module);
	report_line(&ctx->report, "           %s taken at an import and kept for good: %s%s%s",
		    cmd_count(ctx, cmd_row_int(&c, "kept")), cause, module ? ", " : "",
		    report_safe(&ctx->region, module, ""));
	return NULL;
}

struct error *show_owner(struct cmd_context *ctx, int64_t id)
{
	struct cmd_row w;
	bool found;
	struct error *err = show_row(ctx, "show_owner.sql", ":id", id, &w, &found);
	if (err || !found)
		return err;
	report_line(&ctx->report, "Part of    #%" PRId64 " at 0x%" PRIx64 " %s %s",
		    cmd_row_int(&w, "id"), (uint64_t)cmd_row_int(&w, "address"),
		    report_safe(&ctx->region, cmd_row_text(&w, "type"), "(untyped)"),
		    report_safe(&ctx->region, cmd_row_text(&w, "value"), ""));
	return NULL;
}

/* A container, or the block of its entries: how full it is. */
struct error *show_container(struct cmd_context *ctx, int64_t id)
{
	struct report *rep = &ctx->report;
	struct cmd_row c;
	bool found;
	struct error *err = show_row(ctx, "show_container.sql", ":id", id, &c, &found);
	if (err || !found)
		return err;
	const bool in_block = cmd_row_text(&c, "holder_id");
	report_string(rep, "container", cmd_row_text(&c, "form"));
	report_int(rep, "capacity", cmd_row_int(&c, "capacity"));
	report_int(rep, "used", cmd_row_int(&c, "used"));
	report_int(rep, "spare_bytes", cmd_row_int(&c, "bytes"));
	report_line(rep, "Container  %s: %s of %s %s in use; made anew it takes %s less",
		    report_safe(&ctx->region, cmd_row_text(&c, "name"), "?"),
		    cmd_count(ctx, cmd_row_int(&c, "used")),
		    cmd_count(ctx, cmd_row_int(&c, "capacity")), cmd_row_text(&c, "unit"),
		    cmd_bytes(ctx, cmd_row_int(&c, "bytes")));
	if (!cmd_row_text(&c, "header"))
		return NULL;
	report_address(rep, "container_header", (uint64_t)cmd_row_int(&c, "header"));
	report_line(rep, "           its own words are at 0x%" PRIx64 "%s",
		    (uint64_t)cmd_row_int(&c, "header"),
		    in_block ? region_printf(&ctx->region, ", in #%" PRId64,
					     cmd_row_int(&c, "holder_id"))
			     : "");
	return NULL;
}
