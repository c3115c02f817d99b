#include "store/paths_sets.h"

#include "base/cleanup.h"
#include "store/embed.h"

#include <assert.h>

enum {
	SET_MOST = 50000, /* members that are read; more cost what they save */
};

static struct error *set_error(sqlite3 *db)
{
	return error_new(ERROR_INPUT, "path: %s", sqlite3_errmsg(db));
}

static struct error *set_prepare(sqlite3 *db, const char *query, sqlite3_stmt **ret)
{
	const char *sql = embed_find(query);
	assert(sql);
	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL))
		return set_error(db);
	sqlite3_bind_int64(*ret, sqlite3_bind_parameter_index(*ret, ":most"), SET_MOST);
	return NULL;
}

/* `size`: how many rows the set has, and the highest number of an object; NULL: too many. */
static struct error *set_load(sqlite3 *db, const char *size, const char *members,
			      struct paths_set *ret)
{
	_cleanup_stmt_ sqlite3_stmt *count = NULL, *row = NULL;
	struct error *err = set_prepare(db, size, &count);
	if (!err)
		err = set_prepare(db, members, &row);
	if (err)
		return err;
	int rc = sqlite3_step(count);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? NULL : set_error(db);
	const int64_t rows = sqlite3_column_int64(count, 0), most = sqlite3_column_int64(count, 1);
	if (sqlite3_column_type(count, 0) == SQLITE_NULL || rows < 0 || rows > SET_MOST ||
	    most < 0 || most > UINT32_MAX)
		return NULL;
	err = bits_init(&ret->bits, (uint64_t)most + 1);
	if (err)
		return err;
	int64_t n = 0;
	while (n < rows && (rc = sqlite3_step(row)) == SQLITE_ROW) {
		const int64_t id = sqlite3_column_int64(row, 0);
		if (id >= 0 && id <= most)
			bits_set(&ret->bits, (uint64_t)id);
		n++;
	}
	if (n < rows && rc != SQLITE_DONE)
		return set_error(db);
	/* Another number of them than was said: the database has been changed, and is asked each time. */
	ret->known = n == rows;
	return NULL;
}

struct error *paths_sets_load(sqlite3 *db, struct paths_sets *ret)
{
	struct error *err =
		set_load(db, "query/path_rooted_count.sql", "query/path_rooted.sql", &ret->rooted);
	return err ? err
		   : set_load(db, "query/path_unreachable_count.sql", "query/path_unreachable.sql",
			      &ret->unreachable);
}

void paths_sets_deinit(struct paths_sets *s)
{
	bits_deinit(&s->rooted.bits);
	bits_deinit(&s->unreachable.bits);
}
