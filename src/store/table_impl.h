/*
 * table_impl: what each table of the database holds, row by row. For store/ alone.
 *
 * One description per table: its columns in the order of schema/tables.sql, how many rows the
 * snapshot has for it, and a function that produces row i. Both writers (ordinary.c, bulk.c) take
 * their rows from here, so that they cannot disagree.
 *
 * To add a table: its DDL in schema/tables.sql, a row function and a `const struct store_table
 * store_table_NAME` in the file of tables/ where it belongs, a line of tables/tables.def. To have an
 * index written by the bulk writer: CREATE INDEX in schema/indexes.sql, a line in the table's `index`.
 * An index without such a line is made by SQLite itself when all rows are there, which is slower and as
 * right.
 */
#pragma once

#include "snapshot/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

enum store_type { STORE_NULL, STORE_INT, STORE_REAL, STORE_TEXT };

struct store_value {
	uint8_t type; /* enum store_type */
	uint32_t len; /* of text */
	union {
		int64_t i;
		double real;
		const char *text; /* valid until the next row of the same reader */
	};
};

enum { STORE_COLUMNS_MAX = 16 };

/*
 * One reader's place in a table. Zero it. Rows may be asked for in any order; rising order is cheap
 * for the tables that are compressed rows in the snapshot.
 */
struct store_row {
	struct store_value v[STORE_COLUMNS_MAX];
	uint64_t hint;	   /* reference: the source; cluster_member: the cluster; as an index */
	char scratch[160]; /* texts that are made up: perms, build id */
	char name[4096];   /* a path or name of the image that is no UTF-8 */
};

typedef void (*store_row_fn)(const struct snapshot *s, uint64_t i, struct store_row *out);

/*
 * Keys of one integer column for rows [first, first + n), in batches because it is asked for often.
 * 0 means NULL where the index says zero_is_null.
 */
typedef void (*store_keys_fn)(const struct snapshot *s, uint64_t first, uint64_t n, uint64_t *hint,
			      int64_t *out);

/* An index over one integer column (and the rowid, or the primary key of a WITHOUT ROWID table). */
struct store_index {
	const char *name, *column;
	bool zero_is_null;
	bool partial; /* WHERE column IS NOT NULL */
	store_keys_fn keys;
	/* The same as an array, where the snapshot has one; else NULL. */
	const int64_t *(*array)(const struct snapshot *s);
	bool (*known)(
		const struct snapshot *s); /* false: NULL in all rows: no index. NULL: always */
	store_keys_fn tail;		   /* what follows the key; NULL: the rowid, i + 1 */
};

enum { STORE_INDEXES_MAX = 8 };

struct store_table {
	const char *name;
	const char *column[STORE_COLUMNS_MAX + 1]; /* ends with NULL */
	uint64_t (*rows)(const struct snapshot *s);
	store_row_fn row;
	/* Columns that are NULL in all rows, by bit: they need not be looked at. NULL: nothing is known
	 * of that. */
	uint32_t (*unknown)(const struct snapshot *s);
	/* For the bulk writer. Rows come in key order, keys rise. */
	bool bulk;	    /* may grow big */
	bool rowid_alias;   /* column 0 is INTEGER PRIMARY KEY, and is i + 1 */
	bool without_rowid; /* column 0 and, with `key2`, column 1 are the primary key */
	store_keys_fn key,
		key2; /* of a WITHOUT ROWID table: to prove the order before relying on it */
	struct store_index index[STORE_INDEXES_MAX]; /* ends with a NULL name */
};

#define TABLE(name) extern const struct store_table store_table_##name;
#include "store/tables/tables.def"
#undef TABLE

/* In the order of tables.def. Ends with NULL. */
extern const struct store_table *const store_tables[];
