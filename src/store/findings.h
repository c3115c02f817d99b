/*
 * findings: conclusions that SQL can draw, drawn while the database is written.
 *
 * Each file of schema/finding/ inserts rows into the temporary table `draft`, which has the columns of
 * `finding` but id. What the snapshot brought (damage) is there already. At the end they are numbered,
 * most important first: severity, then bytes. To add one: write schema/finding/NAME.sql.
 * Then schema/trust.sql writes what the trust card needs to meta.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"

#include <sqlite3.h>

/*
 * The tables are complete and indexed; heapscan's SQL functions are registered on db. A rule that fails
 * is a warning: the others are drawn.
 */
struct error *findings_write(sqlite3 *db, struct log *log) _must_check_;
