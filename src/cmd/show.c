#include "cmd/cmd.h"
#include "cmd/hexdump.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 10, HEX = 256 };

static const struct report_column dominator_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},	    {"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},	    {"retained", "RETAINED", REPORT_BYTES, NULL},
	{"type", "TYPE", REPORT_TEXT, "(untyped)"}, {"value", "VALUE", REPORT_TEXT, ""},
	{"step", NULL, REPORT_COUNT, NULL},	    {0},
};

static const struct report_column edge_columns[] = {
	{"offset", "OFFSET", REPORT_COUNT, "far"},
	{"how", "POINTS TO", REPORT_WORD, NULL},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"name", "NAME", REPORT_TEXT, ""},
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{0},
};

static const struct report_column root_columns[] = {
	{"kind", "KIND", REPORT_WORD, NULL},
	{"address", "WORD AT", REPORT_ADDRESS, "register"},
	{"how", "POINTS TO", REPORT_WORD, NULL},
	{"tid", "THREAD", REPORT_COUNT, ""},
	{"name", "NAME", REPORT_TEXT, ""},
	{"function", "FRAME", REPORT_TEXT, ""},
	{"module", "MODULE", REPORT_TEXT, ""},
	{"grade", NULL, REPORT_COUNT, NULL},
	{0},
};

static const struct report_column site_columns[] = {
	{"file", "FILE", REPORT_TEXT, ""},
	{"line", "LINE", REPORT_COUNT, ""},
	{"function", "FUNCTION", REPORT_TEXT, ""},
	{"module", "MODULE", REPORT_TEXT, ""},
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

static const struct report_column neighbour_columns[] = {
	{"place", "", REPORT_WORD, NULL},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"type", "TYPE", REPORT_TEXT, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{0},
};

static const struct report_column buffer_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},    {"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL}, {"type", "TYPE", REPORT_TEXT, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},  {0},
};

static const struct report_column type_columns[] = {
	{"type", "TYPE", REPORT_TEXT, NULL},	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL}, {"unreachable", "UNREACHABLE", REPORT_COUNT, NULL},
	{"module", "MODULE", REPORT_TEXT, ""},	{"language", NULL, REPORT_TEXT, NULL},
	{"id", NULL, REPORT_ID, NULL},		{0},
};

static const struct report_column instance_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"retained", "RETAINED", REPORT_BYTES, NULL},
	{"reachable_name", "REACHABLE", REPORT_WORD, NULL},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"reachable", NULL, REPORT_COUNT, NULL},
	{0},
};

/* ---- rows about one thing ---- */

static struct error *one_row(struct cmd_context *ctx, const char *query, const char *parameter,
			     int64_t value, struct cmd_row *row, bool *found)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, query, ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, parameter, value);
	return cmd_row(ctx, stmt, row, found);
}

/* A table about one thing under a heading that is printed only when there are rows. */
static struct error *table(struct cmd_context *ctx, const char *query, const char *parameter,
			   int64_t value, const char *section, const struct report_column *columns,
			   const char *heading, int64_t count)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, query, ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, parameter, value);
	if (count)
		report_heading(&ctx->report, "%s", heading);
	uint64_t n = 0;
	err = report_rows(&ctx->report, section, columns, stmt, &n);
	if (!err && count > (int64_t)n && n)
		report_line(&ctx->report, "... and %s more (--limit 0 shows all)",
			    cmd_count(ctx, count - (int64_t)n));
	return err;
}

/* ---- an object ---- */

static const char *reachable_text(struct cmd_context *ctx, const struct cmd_row *o)
{
	const char *grade = cmd_row_text(o, "grade_name");
	if (!cmd_row_text(o, "reachable"))
		return "not known";
	if (!cmd_row_int(o, "reachable"))
		return "no: nothing in the dump leads to it";
	return region_printf(&ctx->region, "%s; the surest root that leads to it: %s%s",
			     cmd_row_int(o, "reachable") == 2
				     ? "only with the help of pointers into "
				       "the middle of blocks"
				     : "yes",
			     grade ? grade : "?",
			     cmd_row_int(o, "grade") >= 6 ? " (weak: may be a stale word)" : "");
}

static struct error *show_clusters(struct cmd_context *ctx, int64_t id)
{
	if (ctx->report.json)
		return table(ctx, "show_clusters.sql", ":id", id, "clusters", cluster_columns, "",
			     0);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "show_clusters.sql", ROWS, &stmt);
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

static struct error *show_site(struct cmd_context *ctx, int64_t id)
{
	if (ctx->report.json)
		return table(ctx, "show_site.sql", ":id", id, "site", site_columns, "", 0);
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "show_site.sql", ROWS, &stmt);
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

/* Of an address in a stack: whose frame. */
static struct error *show_frame(struct cmd_context *ctx, uint64_t address)
{
	struct cmd_row f;
	bool found;
	struct error *err =
		one_row(ctx, "show_frame.sql", ":address", (int64_t)address, &f, &found);
	if (err || !found)
		return err;
	const char *function = cmd_row_text(&f, "function"), *file = cmd_row_text(&f, "file");
	const char *line = "";
	if (file && cmd_row_text(&f, "line"))
		line = region_printf(&ctx->region, ":%" PRId64, cmd_row_int(&f, "line"));
	report_int(&ctx->report, "frame_thread", cmd_row_int(&f, "thread_id"));
	report_int(&ctx->report, "frame_depth", cmd_row_int(&f, "depth"));
	report_string(&ctx->report, "frame_function", function);
	report_line(&ctx->report, "Frame      %" PRId64 " of thread %" PRId64 ": %s%s%s%s",
		    cmd_row_int(&f, "depth"), cmd_row_int(&f, "tid"),
		    report_safe(&ctx->region, function, "?"), file ? " " : "",
		    report_safe(&ctx->region, file, ""), line);
	return NULL;
}

static struct error *show_segment(struct cmd_context *ctx, uint64_t address)
{
	struct report *rep = &ctx->report;
	struct cmd_row s;
	bool found;
	struct error *err =
		one_row(ctx, "show_segment.sql", ":address", (int64_t)address, &s, &found);
	if (err || !found)
		return err;
	uint64_t start = (uint64_t)cmd_row_int(&s, "start");
	const char *module = report_safe(&ctx->region, cmd_row_text(&s, "module"), NULL);
	report_line(rep, "Mapping    0x%" PRIx64 "-0x%" PRIx64 " %s %s%s%s%s%s", start,
		    (uint64_t)cmd_row_int(&s, "end"), cmd_row_text(&s, "perms"),
		    cmd_row_text(&s, "kind"), cmd_row_text(&s, "name") ? " " : "",
		    report_safe(&ctx->region, cmd_row_text(&s, "name"), ""),
		    cmd_row_text(&s, "contents") ? "; it has " : "",
		    report_safe(&ctx->region, cmd_row_text(&s, "contents"), ""));
	if (module)
		report_line(rep, "Module     %s+0x%" PRIx64, module,
			    address - (uint64_t)cmd_row_int(&s, "base"));
	if (cmd_row_text(&s, "tid"))
		report_line(rep, "Stack of   thread %" PRId64, cmd_row_int(&s, "tid"));
	err = show_frame(ctx, address);
	if (err)
		return err;
	report_int(rep, "segment_id", cmd_row_int(&s, "id"));
	report_string(rep, "segment_kind", cmd_row_text(&s, "kind"));
	report_string(rep, "segment_name", cmd_row_text(&s, "name"));
	return NULL;
}

static void object_facts(struct cmd_context *ctx, const struct cmd_row *o, uint64_t address)
{
	struct report *rep = &ctx->report;
	uint64_t start = (uint64_t)cmd_row_int(o, "address"),
		 block = (uint64_t)cmd_row_int(o, "block");
	const char *type = cmd_row_text(o, "type"), *value = cmd_row_text(o, "value");
	report_string(rep, "what", "object");
	report_int(rep, "id", cmd_row_int(o, "id"));
	bool placed = cmd_row_text(o, "address"); /* a trace may tell no addresses */
	if (placed)
		report_address(rep, "address", start);
	else
		report_string(rep, "address", NULL);
	report_int(rep, "offset", (int64_t)(address - start));
	static const char *const numbers[] = {"size",		"reachable",	  "grade",
					      "retained",	"dominator_id",	  "owner_id",
					      "site_id",	"refcount",	  "arena_id",
					      "referent_count", "referrer_count", "root_count"};
	static const char *const texts[] = {"type", "value", "allocator", "arena"};
	for (unsigned i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		report_string(rep, texts[i], cmd_row_text(o, texts[i]));
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (cmd_row_text(o, numbers[i]))
			report_int(rep, numbers[i], cmd_row_int(o, numbers[i]));
		else
			report_string(rep, numbers[i], NULL);
	}
	char at[24] = "";
	if (placed)
		snprintf(at, sizeof(at), " at 0x%" PRIx64, start);
	report_line(rep, "Object     #%" PRId64 "%s, %s bytes%s%s", cmd_row_int(o, "id"), at,
		    cmd_count(ctx, cmd_row_int(o, "size")), type ? ", " : ", type not known",
		    report_safe(&ctx->region, type, ""));
	if (block != start)
		report_line(rep, "Block      0x%" PRIx64, block);
	if (address != start)
		report_line(rep, "Address    0x%" PRIx64 " is %+" PRId64 " in it", address,
			    (int64_t)(address - start));
	if (value)
		report_line(rep, "Value      %s", report_safe(&ctx->region, value, ""));
	report_line(rep, "Reachable  %s", reachable_text(ctx, o));
	if (cmd_row_text(o, "retained"))
		report_line(rep, "Retains    %s with all that would go with it",
			    cmd_bytes(ctx, cmd_row_int(o, "retained")));
	if (cmd_row_text(o, "written")) {
		int64_t rank = cmd_row_int(o, "written"), of = cmd_row_int(o, "writes");
		report_int(rep, "written", rank);
		report_int(rep, "dicts_written", of);
		report_line(rep, "Written    later than %.1f %% of the %s dicts",
			    100.0 * (double)(rank - 1) / (double)(of ? of : 1), cmd_count(ctx, of));
	}
	if (cmd_row_text(o, "arena_id"))
		report_line(rep, "Arena      #%" PRId64 " %s %s", cmd_row_int(o, "arena_id"),
			    report_safe(&ctx->region, cmd_row_text(o, "allocator"), ""),
			    report_safe(&ctx->region, cmd_row_text(o, "arena"), ""));
}

/* The first --hex bytes of a block, or those about `address`, when it lies behind them. */
static struct error *show_bytes(struct cmd_context *ctx, int64_t id, uint64_t block, uint64_t size,
				uint64_t address)
{
	uint64_t want = ctx->opt.hex == LIMIT_UNSET ? HEX : ctx->opt.hex, skip = 0;
	if (!want || !size)
		return NULL;
	if (address > block && address - block >= want)
		skip = (address - block) & ~(uint64_t)15;
	return cmd_hexdump(ctx, &(struct hexdump_range){
					.block = block,
					.skip = skip,
					.len = size - skip < want ? size - skip : want,
					.address = address,
					.id = id,
				});
}

/* Where native code alone keeps it alive: which. */
static struct error *show_held(struct cmd_context *ctx, int64_t id)
{
	struct cmd_row h;
	bool found;
	struct error *err = one_row(ctx, "show_held.sql", ":id", id, &h, &found);
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

/* Who accounts for its count. */
static struct error *show_count(struct cmd_context *ctx, int64_t id)
{
	struct cmd_row c;
	bool found;
	struct error *err = one_row(ctx, "show_count.sql", ":id", id, &c, &found);
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
	report_line(&ctx->report, "Count      %s: %s of %s%s",
		    cmd_count(ctx, cmd_row_int(&c, "refcount")),
		    cmd_plural(ctx, cmd_row_int(&c, "references"), "reference", "references"),
		    cmd_plural(ctx, cmd_row_int(&c, "holders"), "object", "objects"), rest);
	return NULL;
}

static struct error *show_pool(struct cmd_context *ctx, const struct cmd_row *o)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row p;
	bool found = false;
	struct error *err = cmd_prepare(ctx, "show_pool.sql", ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":arena_id", cmd_row_int(o, "arena_id"));
	cmd_bind_int(stmt, ":address", cmd_row_int(o, "block"));
	err = cmd_row(ctx, stmt, &p, &found);
	if (err || !found)
		return err;
	report_address(&ctx->report, "pool", (uint64_t)cmd_row_int(&p, "start"));
	report_int(&ctx->report, "pool_live", cmd_row_int(&p, "live"));
	report_int(&ctx->report, "pool_free", cmd_row_int(&p, "free"));
	report_line(&ctx->report, "Pool       0x%" PRIx64 ", %s: %s live, %s free",
		    (uint64_t)cmd_row_int(&p, "start"), cmd_bytes(ctx, cmd_row_int(&p, "size")),
		    cmd_plural(ctx, cmd_row_int(&p, "live"), "block", "blocks"),
		    cmd_count(ctx, cmd_row_int(&p, "free")));
	return NULL;
}

static struct error *show_owner(struct cmd_context *ctx, int64_t id)
{
	struct cmd_row w;
	bool found;
	struct error *err = one_row(ctx, "show_owner.sql", ":id", id, &w, &found);
	if (err || !found)
		return err;
	report_line(&ctx->report, "Part of    #%" PRId64 " at 0x%" PRIx64 " %s %s",
		    cmd_row_int(&w, "id"), (uint64_t)cmd_row_int(&w, "address"),
		    report_safe(&ctx->region, cmd_row_text(&w, "type"), "(untyped)"),
		    report_safe(&ctx->region, cmd_row_text(&w, "value"), ""));
	return NULL;
}

static struct error *show_object(struct cmd_context *ctx, int64_t id, uint64_t address,
				 bool has_address)
{
	struct cmd_row o;
	bool found;
	struct error *err = one_row(ctx, "show_object.sql", ":id", id, &o, &found);
	if (err)
		return err;
	if (!found)
		return error_new(ERROR_USAGE, "there is no object #%" PRId64, id);
	uint64_t start = (uint64_t)cmd_row_int(&o, "address");
	object_facts(ctx, &o, has_address ? address : start);
	err = cmd_is_trace(ctx) ? NULL : show_segment(ctx, start);
	if (!err)
		err = show_site(ctx, id);
	if (!err)
		err = show_held(ctx, id);
	/* A trace has no bytes, and knows of nothing that points somewhere. */
	if (err || cmd_is_trace(ctx))
		return err;
	err = show_count(ctx, id);
	if (!err)
		err = show_pool(ctx, &o);
	if (!err)
		err = show_owner(ctx, id);
	if (!err)
		err = show_clusters(ctx, id);
	if (!err)
		err = table(ctx, "show_roots.sql", ":id", id, "roots", root_columns,
			    "Roots that point to it", cmd_row_int(&o, "root_count"));
	if (!err)
		err = table(ctx, "show_referrers.sql", ":id", id, "referrers", edge_columns,
			    "Referrers: blocks that point to it",
			    cmd_row_int(&o, "referrer_count"));
	if (!err)
		err = table(ctx, "show_referents.sql", ":id", id, "referents", edge_columns,
			    "Referents: blocks that it points to",
			    cmd_row_int(&o, "referent_count"));
	if (!err)
		err = table(ctx, "show_dominators.sql", ":id", id, "dominators", dominator_columns,
			    "Dominators: it goes when one of these goes, the nearest first",
			    cmd_row_text(&o, "dominator_id") ? 1 : 0);
	if (!err)
		err = table(ctx, "show_buffers.sql", ":id", id, "buffers", buffer_columns,
			    "Buffers that are part of it", cmd_row_int(&o, "buffer_count"));
	if (!err)
		err = table(ctx, "show_neighbours.sql", ":address", (int64_t)start, "neighbours",
			    neighbour_columns, "Live blocks next to it", 1);
	return err ? err
		   : show_bytes(ctx, id, (uint64_t)cmd_row_int(&o, "block"),
				(uint64_t)cmd_row_int(&o, "size"), has_address ? address : start);
}

/* ---- an address that is in no live block ---- */

static struct error *show_free(struct cmd_context *ctx, uint64_t address, const struct cmd_row *f)
{
	uint64_t start = (uint64_t)cmd_row_int(f, "address");
	report_string(&ctx->report, "what", "free");
	report_address(&ctx->report, "address", address);
	report_address(&ctx->report, "free_block", start);
	report_int(&ctx->report, "size", cmd_row_int(f, "size"));
	report_string(&ctx->report, "kind", cmd_row_text(f, "kind"));
	report_line(&ctx->report, "Free block at 0x%" PRIx64 ", %s bytes, in %s (%s %s)", start,
		    cmd_count(ctx, cmd_row_int(f, "size")), cmd_row_text(f, "kind"),
		    report_safe(&ctx->region, cmd_row_text(f, "allocator"), "?"),
		    report_safe(&ctx->region, cmd_row_text(f, "arena"), ""));
	if (address != start)
		report_line(&ctx->report, "Address    0x%" PRIx64 " is %+" PRId64 " in it", address,
			    (int64_t)(address - start));
	return NULL;
}

static struct error *show_root_at(struct cmd_context *ctx, uint64_t address)
{
	struct cmd_row r;
	bool found;
	struct error *err =
		one_row(ctx, "show_root_at.sql", ":address", (int64_t)address, &r, &found);
	if (err || !found)
		return err;
	report_line(&ctx->report, "Root       %s%s%s: points to #%" PRId64 " at 0x%" PRIx64 " %s",
		    cmd_row_text(&r, "kind"), cmd_row_text(&r, "name") ? " " : "",
		    report_safe(&ctx->region, cmd_row_text(&r, "name"), ""), cmd_row_int(&r, "id"),
		    (uint64_t)cmd_row_int(&r, "address"),
		    report_safe(&ctx->region, cmd_row_text(&r, "type"), ""));
	report_int(&ctx->report, "points_to", cmd_row_int(&r, "id"));
	return NULL;
}

static struct error *show_address(struct cmd_context *ctx, uint64_t address)
{
	struct cmd_row row;
	bool found;
	struct error *err = one_row(ctx, "show_at.sql", ":address", (int64_t)address, &row, &found);
	if (err)
		return err;
	if (found)
		return show_object(ctx, cmd_row_int(&row, "id"), address, true);
	err = one_row(ctx, "show_free.sql", ":address", (int64_t)address, &row, &found);
	if (err)
		return err;
	uint64_t from = address & ~(uint64_t)15, len = 64;
	if (found) {
		from = (uint64_t)cmd_row_int(&row, "address");
		len = (uint64_t)cmd_row_int(&row, "size");
		err = show_free(ctx, address, &row);
	} else {
		err = one_row(ctx, "show_segment.sql", ":address", (int64_t)address, &row, &found);
		if (err)
			return err;
		report_string(&ctx->report, "what", found ? "mapping" : "nothing");
		report_address(&ctx->report, "address", address);
		report_line(&ctx->report, "Address    0x%" PRIx64 " is in no block%s", address,
			    found ? "" : ", nor in any mapping");
		if (!found)
			return NULL;
	}
	if (!err)
		err = show_segment(ctx, address);
	if (!err)
		err = show_root_at(ctx, address);
	if (!err)
		err = table(ctx, "show_neighbours.sql", ":address", (int64_t)address, "neighbours",
			    neighbour_columns, "Live blocks next to it", 1);
	return err ? err : show_bytes(ctx, 0, from, len, address);
}

/* ---- a type ---- */

static struct error *show_type(struct cmd_context *ctx, const char *name)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "show_types.sql", ROWS, &stmt);
	struct cmd_row row;
	bool found = false;
	if (!err) {
		cmd_bind_text(stmt, ":name", name);
		err = cmd_row(ctx, stmt, &row, &found);
	}
	if (err)
		return err;
	if (!found)
		return error_new(ERROR_USAGE,
				 "'%s' is no address (0x...), no object ('#12'), and no "
				 "type has such a name",
				 name);
	sqlite3_reset(stmt);
	report_string(&ctx->report, "what", "type");
	uint64_t n = 0;
	err = report_rows(&ctx->report, "types", type_columns, stmt, &n);
	if (err)
		return err;
	return table(ctx, "show_instances.sql", ":type_id", cmd_row_int(&row, "id"), "objects",
		     instance_columns,
		     n > 1 ? "Objects of the first one, those that hold the most first"
			   : "Its objects, those that hold the most first",
		     cmd_row_int(&row, "objects"));
}

/* ---- the command ---- */

static struct error *show_what(struct cmd_context *ctx, const char *what)
{
	char *end;
	errno = 0;
	if (what[0] == '0' && (what[1] == 'x' || what[1] == 'X')) {
		unsigned long long address = strtoull(what, &end, 16);
		if (*end || errno || end == what + 1)
			return error_new(ERROR_USAGE, "'%s' is no address", what);
		return show_address(ctx, address);
	}
	const char *digits = what[0] == '#' ? what + 1 : what;
	if (*digits >= '0' && *digits <= '9') {
		long long id = strtoll(digits, &end, 10);
		if (!*end && !errno)
			return show_object(ctx, id, 0, false);
	}
	if (what[0] == '#' || !*what)
		return error_new(ERROR_USAGE, "'%s' is no object", what);
	return show_type(ctx, what);
}

static struct error *show_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_open(ctx, operand[0]);
	if (err)
		return err;
	report_begin(&ctx->report, "show");
	err = show_what(ctx, operand[1]);
	return err ? err : report_end(&ctx->report);
}

static const struct option show_options[] = {
	{0, "hex", OPTION_NUMBER, offsetof(struct cmd_options, hex), "N",
	 "at most N bytes of the dump (256); 0: none", NULL, false},
	{'n', "limit", OPTION_NUMBER, offsetof(struct cmd_options, limit), "N",
	 "at most N rows of each table; 0: all", NULL, false},
	{0},
};

static const struct option *const show_groups[] = {show_options, options_common, NULL};

const struct command command_show = {
	.name = "show",
	.operands = "DB OBJECT",
	.summary = "all about one block, address or type",
	.description = "OBJECT is an address (0x55d0c0de: any address, not only of a block), an "
		       "object's number\n"
		       "('#12', or 12 where the shell takes # for a comment) or a type's name. "
		       "Tells what it is,\n"
		       "where it lies, whether and by what it is reachable, what goes with it, "
		       "what points to it and\n"
		       "what it points to, and its bytes, if the dump is still where it was.",
	.options = show_groups,
	.min_operands = 2,
	.max_operands = 2,
	.run = show_run,
};
