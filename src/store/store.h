/*
 * store: the snapshot to SQLite and back.
 *
 * Writing. The database is built beside its final name (`.NAME.tmp-XXXXXX` in the same folder) and
 * renamed when complete; an interrupted run leaves the old one untouched and nothing behind. Two
 * paths give the same rows: the bulk writer (bulk.c: pages of SQLite's documented file format, in
 * order, straight to the file) for the big tables and their indexes, and ordinary INSERTs for the
 * small ones; store_options.ordinary forces the latter for all, which is how the former is tested
 * and measured. Like a core file, a new database is readable by its owner only; one that replaces
 * another takes over its mode.
 *
 * Reading. store_open checks application_id and schema version and registers heapscan's SQL
 * functions (functions.h). The commands ask their questions with SQL from
 * schema/query/.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "snapshot/snapshot.h"

#include <sqlite3.h>
#include <stdbool.h>

#define STORE_APPLICATION_ID 0x48534442 /* "HSDB" */
#define STORE_SCHEMA_VERSION 3
#define GROWTH_APPLICATION_ID 0x48534752 /* "HSGR": what diff -o writes (growth.h) */
#define GROWTH_SCHEMA_VERSION 1

struct store_options {
	bool ordinary; /* no bulk writer: INSERT everything */
	bool no_sync;  /* tests: do not wait for the disk */
	/* For tests; 0: the usual numbers. */
	uint64_t bulk_from; /* tables of at least so many rows go the bulk way */
	uint64_t bulk_part; /* rows of a thread's share of a table */
};

/*
 * Writes the whole snapshot to `path`. On error nothing of it is left. NULL `opt`: the usual;
 * NULL `log`: silence. One at a time in a process (see store_abort).
 */
struct error *store_write(const struct snapshot *s, const char *path,
			  const struct store_options *opt, struct log *log) _must_check_;

/*
 * May `path` be written to? To be asked before the work begins. ERROR_USAGE: it is something else
 * than a heapscan database (a core file, a picture), or another program is in the middle of writing
 * to it; ERROR_SYSTEM: the folder is not writable.
 */
struct error *store_check_target(const char *path) _must_check_;

/*
 * For a handler of SIGINT and SIGTERM that ends the process: removes the half-made file, if there
 * is one. Async-signal-safe. The only state of this module outside its arguments, since a handler
 * gets none.
 */
void store_abort(void);

struct store {
	sqlite3 *db;
	char *path;
	bool growth; /* it is what diff -o wrote: other tables */
};

/* Read-only. ERROR_INPUT: no file, no SQLite, not ours, or a newer schema (says which). */
struct error *store_open(const char *path, struct store **ret) _must_check_;
/* The same, of either kind: see store.growth. `write`: SQL may change it. */
struct error *store_open_any(const char *path, bool write, struct store **ret) _must_check_;
void store_close(struct store *st);
