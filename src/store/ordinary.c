#include "store/write_impl.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static struct error *ordinary_prepare(sqlite3 *db, const struct store_table *t, sqlite3_stmt **ret)
{
	_cleanup_free_ char *sql = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&sql, &len);
	if (!f)
		return &error_nomem;
	fprintf(f, "INSERT INTO \"%s\" (", t->name);
	for (unsigned c = 0; t->column[c]; c++)
		fprintf(f, "%s\"%s\"", c ? ", " : "", t->column[c]);
	fprintf(f, ") VALUES (");
	for (unsigned c = 0; t->column[c]; c++)
		fprintf(f, c ? ", ?" : "?");
	fprintf(f, ")");
	if (fclose(f))
		return &error_nomem;
	if (sqlite3_prepare_v2(db, sql, -1, ret, NULL))
		return store_error(db, t->name);
	return NULL;
}

static int ordinary_bind(sqlite3_stmt *stmt, int at, const struct store_value *v)
{
	switch ((enum store_type)v->type) {
	case STORE_NULL:
		return sqlite3_bind_null(stmt, at);
	case STORE_INT:
		return sqlite3_bind_int64(stmt, at, v->i);
	case STORE_REAL:
		return sqlite3_bind_double(stmt, at, v->real);
	case STORE_TEXT:
		/* Valid until the next row: longer than the step that uses it. */
		return sqlite3_bind_text64(stmt, at, v->text, v->len, SQLITE_STATIC, SQLITE_UTF8);
	}
	return SQLITE_MISUSE;
}

struct error *ordinary_write(sqlite3 *db, const struct store_table *t, const struct snapshot *s)
{
	uint64_t rows = t->rows(s);
	if (!rows)
		return NULL;
	sqlite3_stmt *stmt = NULL;
	struct error *err = ordinary_prepare(db, t, &stmt);
	if (err)
		return err;
	struct store_row row = {.hint = 0};
	for (uint64_t i = 0; i < rows && !err; i++) {
		t->row(s, i, &row);
		int rc = SQLITE_OK;
		for (int c = 0; t->column[c] && !rc; c++)
			rc = ordinary_bind(stmt, c + 1, &row.v[c]);
		if (!rc) {
			sqlite3_step(stmt);
			rc = sqlite3_reset(stmt);
		}
		if (rc)
			err = store_error(db, t->name);
	}
	sqlite3_finalize(stmt);
	return err;
}
