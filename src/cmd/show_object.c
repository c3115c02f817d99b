#include "cmd/show_impl.h"

#include <inttypes.h>

static const struct report_column dominator_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},	    {"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},	    {"retained", "RETAINED", REPORT_BYTES, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"}, {"value", "?VALUE", REPORT_TEXT, ""},
	{"step", NULL, REPORT_COUNT, NULL},	    {0},
};

static const struct report_column edge_columns[] = {
	{"offset", "OFFSET", REPORT_COUNT, "far"},
	{"how", "POINTS TO", REPORT_WORD, NULL},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"name", "?NAME", REPORT_TEXT, ""},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "?VALUE", REPORT_TEXT, ""},
	{0},
};

static const struct report_column root_columns[] = {
	{"kind", "KIND", REPORT_WORD, NULL},	 {"address", "WORD AT", REPORT_ADDRESS, NULL},
	{"how", "POINTS TO", REPORT_WORD, NULL}, {"thread_id", "?THREAD", REPORT_ANY, ""},
	{"tid", NULL, REPORT_COUNT, NULL},	 {"name", "?NAME", REPORT_TEXT, ""},
	{"function", "?FRAME", REPORT_NAME, ""}, {"module", "?MODULE", REPORT_TEXT, ""},
	{"grade", NULL, REPORT_COUNT, NULL},	 {0},
};

static const struct report_column buffer_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},    {"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL}, {"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "?VALUE", REPORT_TEXT, ""}, {0},
};

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

struct error *show_object(struct cmd_context *ctx, int64_t id, uint64_t address, bool has_address)
{
	struct cmd_row o;
	bool found;
	struct error *err = show_row(ctx, "show_object.sql", ":id", id, &o, &found);
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
		err = show_container(ctx, id);
	if (!err)
		err = show_clusters(ctx, id);
	if (!err)
		err = show_table(ctx, "show_roots.sql", ":id", id, "roots", root_columns,
				 "Roots that point to it", cmd_row_int(&o, "root_count"));
	if (!err)
		err = show_table(ctx, "show_referrers.sql", ":id", id, "referrers", edge_columns,
				 "Referrers: blocks that point to it",
				 cmd_row_int(&o, "referrer_count"));
	if (!err)
		err = show_table(ctx, "show_referents.sql", ":id", id, "referents", edge_columns,
				 "Referents: blocks that it points to",
				 cmd_row_int(&o, "referent_count"));
	if (!err)
		err = show_table(ctx, "show_dominators.sql", ":id", id, "dominators",
				 dominator_columns,
				 "Dominators: it goes when one of these goes, the nearest first",
				 cmd_row_text(&o, "dominator_id") ? 1 : 0);
	if (!err)
		err = show_table(ctx, "show_buffers.sql", ":id", id, "buffers", buffer_columns,
				 "Buffers that are part of it", cmd_row_int(&o, "buffer_count"));
	if (!err)
		err = show_neighbours(ctx, start);
	return err ? err
		   : show_bytes(ctx, id, (uint64_t)cmd_row_int(&o, "block"),
				(uint64_t)cmd_row_int(&o, "size"), has_address ? address : start);
}
