#include "store/findings.h"

#include "store/embed.h"

#include <string.h>

static const char findings_before[] = "CREATE TEMP TABLE draft AS SELECT kind, severity, title, "
				      "detail, objects, bytes, object_id,"
				      " cluster_id, type_id, address FROM finding;"
				      "DELETE FROM finding;";

static const char findings_after[] =
	"INSERT INTO finding SELECT row_number() OVER (ORDER BY CASE severity WHEN 'error' THEN 0"
	" WHEN 'warning' THEN 1 ELSE 2 END, bytes DESC, draft.rowid), kind, severity, title, "
	"detail,"
	" objects, bytes, object_id, cluster_id, type_id, address FROM draft;"
	"DROP TABLE draft;";

static struct error *findings_run(sqlite3 *db, const char *name, const char *sql)
{
	char *text = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &text) == SQLITE_OK)
		return NULL;
	struct error *err = error_new(ERROR_SYSTEM, "%s: %s", name, text ? text : "?");
	sqlite3_free(text);
	return err;
}

struct error *findings_write(sqlite3 *db)
{
	struct error *err = findings_run(db, "finding", findings_before);
	for (const struct embed *e = embed_table; e->name && !err; e++)
		if (!strncmp(e->name, "finding/", 8))
			err = findings_run(db, e->name, e->text);
	return err ? err : findings_run(db, "finding", findings_after);
}
