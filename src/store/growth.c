#include "store/growth.h"

#include "base/cleanup.h"
#include "store/embed.h"
#include "store/functions.h"
#include "store/write_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char growth_pragmas[] =
	"PRAGMA application_id = 1213417298; PRAGMA user_version = 1; PRAGMA temp_store = MEMORY;"
	"PRAGMA cache_size = -65536";
_Static_assert(GROWTH_APPLICATION_ID == 1213417298 && GROWTH_SCHEMA_VERSION == 1,
	       "as in the pragma");

struct error *growth_create(struct store **ret)
{
	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return &error_nomem;
	s->path = strdup("growth");
	struct error *err = s->path ? NULL : &error_nomem;
	const int flags =
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
	if (!err && sqlite3_open_v2(":memory:", &s->db, flags, NULL))
		err = store_error(s->db, "growth");
	if (!err) {
		/* Files that are attached may come from someone else. */
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		err = store_functions(s->db);
	}
	if (!err && sqlite3_exec(s->db, growth_pragmas, NULL, NULL, NULL))
		err = store_error(s->db, "growth");
	if (!err)
		err = growth_script(s, "growth/tables.sql", 0);
	if (err) {
		store_close(s);
		return err;
	}
	*ret = s;
	return NULL;
}

/* A file name as SQLite's URI, which has signs of its own. NULL: no memory. */
static char *uri_of(const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	_cleanup_free_ char *real = realpath(path, NULL);
	fputs("file:", f);
	for (const char *at = real ? real : path; *at; at++) {
		if (strchr("%?# ", *at))
			fprintf(f, "%%%02X", (unsigned char)*at);
		else
			fputc(*at, f);
	}
	fputs("?mode=ro", f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static struct error *run_with_text(struct store *st, const char *sql, const char *text)
{
	sqlite3_stmt *stmt = NULL;
	struct error *err = NULL;
	if (sqlite3_prepare_v2(st->db, sql, -1, &stmt, NULL))
		return store_error(st->db, sql);
	if (text)
		sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) != SQLITE_DONE)
		err = store_error(st->db, text ? text : sql);
	sqlite3_finalize(stmt);
	return err;
}

struct error *growth_attach(struct store *st, const char *path, const char *name)
{
	struct store *look = NULL;
	struct error *err = store_open(path, &look);
	if (err)
		return err;
	store_close(look);
	char sql[96];
	_cleanup_free_ char *uri = uri_of(path);
	if (!uri)
		return &error_nomem;
	snprintf(sql, sizeof(sql), "ATTACH ? AS %s", name);
	err = run_with_text(st, sql, uri);
	snprintf(sql, sizeof(sql), "PRAGMA %s.mmap_size = 1099511627776", name);
	if (!err)
		sqlite3_exec(st->db, sql, NULL, NULL, NULL);
	return err;
}

struct error *growth_detach(struct store *st, const char *name)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "DETACH %s", name);
	return run_with_text(st, sql, NULL);
}

struct error *growth_script(struct store *st, const char *script, int64_t step)
{
	const char *sql = embed_find(script);
	assert(sql);
	while (*sql) {
		sqlite3_stmt *stmt = NULL;
		if (sqlite3_prepare_v2(st->db, sql, -1, &stmt, &sql))
			return error_note(store_error(st->db, script), "comparing");
		if (!stmt)
			break; /* a comment at the end */
		int i = sqlite3_bind_parameter_index(stmt, ":step"), rc;
		if (i)
			sqlite3_bind_int64(stmt, i, step);
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
			;
		sqlite3_finalize(stmt);
		if (rc != SQLITE_DONE)
			return error_new(ERROR_INPUT, "comparing: %s (%s)", sqlite3_errmsg(st->db),
					 script);
	}
	return NULL;
}

struct error *growth_check_target(const char *path)
{
	struct stat st;
	if (stat(path, &st) || !st.st_size)
		return NULL;
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t id = 0;
	if (!sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) &&
	    !sqlite3_prepare_v2(db, "PRAGMA application_id", -1, &stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		id = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	if (id == GROWTH_APPLICATION_ID)
		return NULL;
	return error_new(ERROR_USAGE,
			 "%s: is there, and is not what diff writes: it will not be replaced",
			 path);
}

struct error *growth_save(struct store *st, const char *path)
{
	_cleanup_free_ char *temp = NULL;
	if (asprintf(&temp, "%s.tmp-%ld", path, (long)getpid()) < 0)
		return &error_nomem;
	/* SQLite takes an empty file of ours for a new database: readable by its owner only. */
	unlink(temp);
	mode_t mask = umask(0077);
	struct error *err = run_with_text(st, "VACUUM INTO ?", temp);
	umask(mask);
	if (!err && rename(temp, path))
		err = error_errno(ERROR_SYSTEM, errno, "%s: cannot rename to it", path);
	if (err)
		unlink(temp);
	return err ? error_note(err, "writing %s", path) : NULL;
}
