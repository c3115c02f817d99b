/*
 * rows: the numbers of a big table, row by row in the order of rowids, straight from the pages of the file:
 * some ten times as fast as a SELECT, for what has to read all of it.
 *
 *	static const struct rows_column column[] = {{"id"}, {"size"}, {"name", .prefix = "<key "}};
 *	err = rows_read(db, "object", column, 3, take, arg);
 *
 * A file that is not laid out as it is usually (a journal of the WAL kind, a view or a table WITHOUT ROWID
 * under that name) is read by SELECT: the rows are the same. Nothing in the file is believed: damage is an
 * ERROR_INPUT, and reading ends. So is a column behind a text that does not fit in its page.
 *
 * The connection is kept in a read transaction meanwhile, so that nobody writes. It must be no other thread's;
 * several connections may read at the same time. No memory but a batch of rows.
 */
#pragma once

#include "base/error.h"
#include "store/sqlite.h"

#include <stdbool.h>
#include <stdint.h>

enum { ROWS_COLUMNS_MAX = 8, ROWS_BATCH = 512 };

struct rows_column {
	const char *name;
	const char
		*prefix; /* the value is 1 if a text begins so, else 0; NULL: the integer itself */
};

/* n rows; value[c][i] is column c of row i. NULL, and what is no integer, is 0. */
struct rows_batch {
	uint32_t n;
	int64_t value[ROWS_COLUMNS_MAX][ROWS_BATCH];
};

typedef struct error *(*rows_fn)(void *arg, const struct rows_batch *batch);

/* `select`: by SELECT in any case (for tests). A column that the table lacks is an error. */
struct error *rows_read(sqlite3 *db, const char *table, const struct rows_column *column,
			unsigned columns, bool select, rows_fn fn, void *arg) _must_check_;
