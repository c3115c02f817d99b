#include "store/findings.h"

#include "store/embed.h"

#include <assert.h>
#include <string.h>

static const char findings_before[] = "CREATE TEMP TABLE draft AS SELECT kind, severity, title, "
				      "detail, objects, bytes, object_id,"
				      " cluster_id, type_id, address FROM finding;"
				      "DELETE FROM finding;";

static const char findings_after[] =
	"INSERT INTO finding SELECT row_number() OVER (ORDER BY CASE severity WHEN 'error' THEN 0"
	/* a switch that is off weighs nothing yet: not last for that */
	" WHEN 'warning' THEN 1 ELSE 2 END,"
	" coalesce(bytes, iif(kind = 'garbage', 1048576, NULL)) DESC, draft.rowid), kind, "
	"severity, title, "
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

/*
 * A rule that fails (a sum beyond 2^63 in a damaged dump, say) must not cost the user the rest.
 * Rows that it had inserted before are sound; there is no journal to take them back.
 */
static void findings_rule(sqlite3 *db, const struct embed *rule, struct log *log)
{
	struct error *err = findings_run(db, rule->name, rule->text);
	if (err)
		log_warning(log, "findings of one kind are not complete: %s", err->message);
	error_free(err);
}

/* The facts of schema/trust.sql. One that cannot be told is not known; the rest is. */
static void findings_trust(sqlite3 *db, struct log *log)
{
	const char *sql = embed_find("trust.sql");
	assert(sql);
	struct error *err = findings_run(db, "trust.sql", sql);
	if (err)
		log_warning(log, "how far the figures can be trusted is not known: %s",
			    err->message);
	error_free(err);
}

struct error *findings_write(sqlite3 *db, struct log *log)
{
	struct error *err = findings_run(db, "finding", findings_before);
	for (const struct embed *e = embed_table; e->name && !err; e++)
		if (!strncmp(e->name, "finding/", 8))
			findings_rule(db, e, log);
	if (!err)
		err = findings_run(db, "finding", findings_after);
	if (!err)
		findings_trust(db, log);
	return err;
}
