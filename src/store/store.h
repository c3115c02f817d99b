/*
 * store: the snapshot to SQLite and back.
 *
 * Writing. The database is built beside its final name and renamed when complete; an interrupted run
 * leaves the old one untouched and nothing behind. Two paths give the same rows: the bulk writer
 * (pages of SQLite's documented file format, in order, straight to the file) for the big tables and
 * their indexes, and ordinary INSERTs for the small ones; store_options.ordinary forces the latter for
 * all, which is how the former is tested and measured.
 *
 * Reading. store_open checks application_id and schema version and registers heapscan's SQL
 * functions. The commands ask their questions through store_query (SQL from schema/query/).
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "snapshot/snapshot.h"

#include <sqlite3.h>
#include <stdbool.h>

#define STORE_APPLICATION_ID 0x48534442 /* "HSDB" */
#define STORE_SCHEMA_VERSION 1

struct store_options {
	bool ordinary; /* no bulk writer: INSERT everything */
	bool no_sync;  /* tests: do not wait for the disk */
};

/* Writes the whole snapshot to `path`. On error nothing of it is left. */
struct error *store_write(const struct snapshot *s, const char *path,
			  const struct store_options *opt, struct log *log) _must_check_;

struct store {
	sqlite3 *db;
	char *path;
};

/* Read-only. ERROR_INPUT: no file, no SQLite, not ours, or a newer schema (says which). */
struct error *store_open(const char *path, struct store **ret) _must_check_;
void store_close(struct store *st);
