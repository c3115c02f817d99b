#include "store/functions.h"
#include "store/store.h"
#include "store/write_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct error *open_pragma(sqlite3 *db, const char *path, const char *sql, int64_t *ret)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (!rc && sqlite3_step(stmt) == SQLITE_ROW)
		*ret = sqlite3_column_int64(stmt, 0);
	int end = sqlite3_finalize(stmt);
	rc = rc ? rc : end;
	if (rc == SQLITE_NOTADB)
		return error_new(ERROR_INPUT, "%s: no SQLite database", path);
	if (rc)
		return error_new(ERROR_INPUT, "%s: cannot be read: %s", path, sqlite3_errmsg(db));
	return NULL;
}

/* What diff -o wrote, where a snapshot is wanted. */
static struct error *open_is_growth(const char *path)
{
	return error_new(ERROR_INPUT,
			 "%s: what 'heapscan diff -o' wrote, of how much there was in other "
			 "databases; ask it with 'heapscan sql %s', and those for the rest",
			 path, path);
}

static struct error *open_check(sqlite3 *db, const char *path, bool any, bool *growth)
{
	int64_t id = 0, version = 0;
	struct error *err = open_pragma(db, path, "PRAGMA application_id", &id);
	*growth = id == GROWTH_APPLICATION_ID;
	if (!err && *growth && !any)
		err = open_is_growth(path);
	if (!err && id != STORE_APPLICATION_ID && !*growth)
		err = error_new(
			ERROR_INPUT,
			"%s: a database, but not one that heapscan made (application id 0x%x)",
			path, (unsigned)id);
	const int known = *growth ? GROWTH_SCHEMA_VERSION : STORE_SCHEMA_VERSION;
	if (!err)
		err = open_pragma(db, path, "PRAGMA user_version", &version);
	if (!err && version > known)
		err = error_new(
			ERROR_INPUT,
			"%s: made by a newer heapscan (schema %lld, this one reads up to %d)", path,
			(long long)version, known);
	if (!err && version < 1)
		err = error_new(ERROR_INPUT, "%s: schema version %lld does not exist", path,
				(long long)version);
	if (!err && version < known)
		err = error_new(
			ERROR_INPUT,
			"%s: made by an older heapscan (schema %lld, this one reads %d): read the "
			"dump again",
			path, (long long)version, known);
	return err;
}

static struct error *open_database(const char *path, bool any, bool write, struct store **ret)
{
	struct stat st;
	if (stat(path, &st))
		return error_errno(ERROR_INPUT, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_new(ERROR_INPUT, "%s: no file", path);
	if (!st.st_size)
		return error_new(ERROR_INPUT, "%s: empty", path);
	struct store *s = calloc(1, sizeof(*s));
	if (!s)
		return &error_nomem;
	s->path = strdup(path);
	struct error *err = s->path ? NULL : &error_nomem;
	int mode = write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
	if (!err && sqlite3_open_v2(path, &s->db, mode | SQLITE_OPEN_NOMUTEX, NULL))
		err = error_new(ERROR_INPUT, "%s: %s", path, sqlite3_errmsg(s->db));
	if (!err) {
		/* The file may come from someone else: its schema gets no say beyond reading. */
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		err = open_check(s->db, path, any, &s->growth);
	}
	if (!err && !write && sqlite3_exec(s->db, "PRAGMA query_only = ON", NULL, NULL, NULL))
		err = store_error(s->db, path);
	if (!err && sqlite3_exec(s->db,
				 "PRAGMA temp_store = MEMORY;"
				 "PRAGMA cache_size = -65536; PRAGMA mmap_size = 1099511627776",
				 NULL, NULL, NULL))
		err = store_error(s->db, path);
	if (!err)
		err = store_functions(s->db);
	if (err) {
		store_close(s);
		return err;
	}
	*ret = s;
	return NULL;
}

struct error *store_open(const char *path, struct store **ret)
{
	return open_database(path, false, false, ret);
}

struct error *store_open_any(const char *path, bool write, struct store **ret)
{
	return open_database(path, true, write, ret);
}

void store_close(struct store *st)
{
	if (!st)
		return;
	sqlite3_close_v2(st->db);
	free(st->path);
	free(st);
}
