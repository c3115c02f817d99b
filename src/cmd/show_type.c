#include "cmd/show_impl.h"

static const struct report_column type_columns[] = {
	{"type", "TYPE", REPORT_NAME, NULL},	{"objects", "BLOCKS", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL}, {"unreachable", "UNREACHABLE", REPORT_COUNT, NULL},
	{"module", "?MODULE", REPORT_TEXT, ""}, {"language", NULL, REPORT_TEXT, NULL},
	{"id", NULL, REPORT_ID, NULL},		{0},
};

static const struct report_column instance_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"retained", "RETAINED", REPORT_BYTES, NULL},
	{"reachable_name", "REACHABLE", REPORT_WORD, NULL},
	{"value", "?VALUE", REPORT_TEXT, ""},
	{"reachable", NULL, REPORT_COUNT, NULL},
	{0},
};

struct error *show_type(struct cmd_context *ctx, const char *name, bool *known)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "show_types.sql", SHOW_ROWS, &stmt);
	struct cmd_row row;
	bool found = false;
	if (!err) {
		cmd_bind_text(stmt, ":name", name);
		err = cmd_row(ctx, stmt, &row, &found);
	}
	*known = found;
	if (err || !found)
		return err;
	sqlite3_reset(stmt);
	report_string(&ctx->report, "what", "type");
	uint64_t n = 0;
	err = report_rows(&ctx->report, "types", type_columns, stmt, &n);
	if (err)
		return err;
	bool biggest = cmd_has_biggest(ctx, SHOW_ROWS);
	return show_table(ctx, biggest ? "show_instances_biggest.sql" : "show_instances.sql",
			  ":type_id", cmd_row_int(&row, "id"), "objects", instance_columns,
			  n > 1 ? "Objects of the first one, those that hold the most first"
				: "Its objects, those that hold the most first",
			  cmd_row_int(&row, "objects"));
}
