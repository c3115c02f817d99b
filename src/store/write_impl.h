/*
 * write_impl: what write.c and the two writers share. For store/ alone.
 */
#pragma once

#include "store/store.h"
#include "store/table_impl.h"

/* The error of a failed call: ERROR_SYSTEM with SQLite's text. */
struct error *store_error(sqlite3 *db, const char *what) _must_check_;

/* INSERTs every row of `t`. Inside a transaction of the caller. */
struct error *ordinary_write(sqlite3 *db, const struct store_table *t,
			     const struct snapshot *s) _must_check_;

/* A b-tree of the schema, empty so far, and where SQLite put its root. */
struct bulk_tree {
	const struct store_table *table;
	const struct store_index *index; /* NULL: the table itself */
	uint32_t root;			 /* page number */
};

/*
 * Fills the given b-trees of the database that `fd` is open on (nobody else has it open) and leaves
 * a complete database. Its header must say that the file is consistent and has no free pages.
 */
struct error *bulk_write(int fd, const struct snapshot *s, const struct bulk_tree *tree, unsigned n,
			 const struct store_options *opt, struct log *log) _must_check_;

/*
 * Can the bulk writer take this table: are the keys of a WITHOUT ROWID table in strictly rising
 * order, and does it have no more rows than a page of 32-bit numbers can sort?
 */
bool bulk_can(const struct store_table *t, const struct snapshot *s);
