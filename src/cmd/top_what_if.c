#include "cmd/top_what_if.h"

#include "base/vec.h"
#include "store/whatif.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 800 * 1000 }; /* objects looked at, for all rows: about a second */

static const struct report_column what_if_columns[] = {
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"retained", "RETAINED", REPORT_BYTES, NULL},
	{"note", "", REPORT_WORD, ""},
	{"objects", "FREES", REPORT_COUNT, NULL},
	{"bytes", "BYTES", REPORT_BYTES, NULL},
	{"returned", "GIVEN BACK", REPORT_BYTES, NULL},
	{"at_once", "AT ONCE", REPORT_BYTES, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "VALUE", REPORT_TEXT, ""},
	{"size", NULL, REPORT_BYTES, NULL},
	{"complete", NULL, REPORT_COUNT, NULL},
	{0},
};

struct ids {
	VEC(int64_t) at;
};

static void ids_deinit(struct ids *ids)
{
	vec_deinit(&ids->at);
}

static struct error *ids_read(struct cmd_context *ctx, sqlite3_stmt *stmt, struct ids *ret)
{
	int column = 0, rc;
	while (column < sqlite3_column_count(stmt) &&
	       strcmp(sqlite3_column_name(stmt, column), "id") != 0)
		column++;
	struct error *err = NULL;
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		err = vec_push(&ret->at, sqlite3_column_int64(stmt, column));
	if (!err && rc != SQLITE_DONE)
		err = error_new(ERROR_INPUT, "%s: %s", ctx->store->path,
				sqlite3_errmsg(ctx->store->db));
	return err;
}

/* Each row may use what those before it left over of their equal shares. */
static struct error *rows_json(struct cmd_context *ctx, const struct ids *ids, char **ret)
{
	_cleanup_(whatif_destroyp) struct whatif *w = NULL;
	struct error *err = whatif_create(ctx->store->db, &w);
	uint64_t budget = BUDGET;
	size_t len;
	FILE *f = err ? NULL : open_memstream(ret, &len);
	if (!f)
		return err ? err : &error_nomem;
	fputc('[', f);
	for (uint64_t i = 0; i < ids->at.n && !err; i++) {
		struct whatif_result r;
		uint64_t share = budget / (ids->at.n - i);
		err = whatif_object(w, ids->at.at[i], share, &r);
		if (err)
			break;
		budget -= r.looked_at < budget ? r.looked_at : budget;
		fprintf(f, "%s[%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d]",
			i ? "," : "", ids->at.at[i], r.objects, r.bytes, r.returned, r.at_once,
			r.complete);
	}
	fputc(']', f);
	if (fclose(f) && !err)
		err = &error_nomem;
	return err;
}

struct error *top_what_if(struct cmd_context *ctx, sqlite3_stmt *stmt, uint64_t *rows)
{
	_cleanup_(ids_deinit) struct ids ids = {0};
	_cleanup_stmt_ sqlite3_stmt *result = NULL;
	_cleanup_free_ char *json = NULL;
	struct error *err = ids_read(ctx, stmt, &ids);
	if (!err)
		err = rows_json(ctx, &ids, &json);
	if (!err)
		err = cmd_prepare(ctx, "top_what_if.sql", 0, &result);
	if (err)
		return err;
	cmd_bind_text(result, ":rows", json);
	err = report_rows(&ctx->report, "rows", what_if_columns, result, rows);
	if (!err && *rows)
		report_line(&ctx->report,
			    "GIVEN BACK: to the system, with a trim; AT ONCE: of that, without. "
			    "The rows nest as retained sizes do.");
	return err;
}
