/*
 * report: rows to text tables or to JSON, from the same calls.
 *
 * A command begins a report, adds facts and sections in order, and ends it:
 *
 *	report_begin(rep, "leaks");
 *	report_rows(rep, "rows", columns, stmt, &n);	a section: one table, one JSON array
 *	report_line(rep, "...");			a sentence, in text only
 *	report_int(rep, "unreachable_bytes", 123);	a fact, in JSON only
 *	err = report_end(rep);				ERROR_SYSTEM: stdout could not be written
 *
 * JSON is one object:
 *
 *	{"command": "leaks", "unreachable_bytes": 123, "rows": [{"bytes": 64, ...}, ...]}
 *
 * Keys are the names of the query's columns. Bytes and counts are integers, addresses strings of
 *hex
 * ("0x55d0c0"), unknown is null. Text that is no UTF-8 has its bad bytes as \xNN.
 *
 * Text is aligned: numbers to the right, the last column unpadded; a table wider than the terminal
 * has its widest TEXT columns cut with an ellipsis. Where stdout is no terminal nothing is cut,
 * unless COLUMNS says how wide it is; a long text then pushes what stands behind it on its own line. Control characters are escaped (text.h).
 *
 * Rows stream: the first REPORT_AHEAD of a table decide its widths, later ones that do not fit push
 * their line to the right. Memory is theirs alone, whatever the number of rows.
 */
#pragma once

#include "base/error.h"
#include "base/region.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { REPORT_AHEAD = 500 };

enum report_kind {
	REPORT_TEXT, /* as it is; may be cut */
	REPORT_NAME, /* of a type or function: as REPORT_TEXT, in text shortened (base/short_name.h) */
	REPORT_WORD,	/* text that is never cut */
	REPORT_COUNT,	/* 1,234 */
	REPORT_BYTES,	/* 1.21 KiB; raw in JSON */
	REPORT_MORE,	/* a difference of counts: +1,234 */
	REPORT_GREW,	/* of bytes: +1.21 KiB; raw in JSON */
	REPORT_EXACT,	/* bytes to the last one: 1,234,567 */
	REPORT_ADDRESS, /* 0x7f.. */
	REPORT_ID,	/* #12; a number in JSON */
	REPORT_SHARE,	/* a fraction of 1, as per cent */
	REPORT_ANY,	/* by the value's own type, numbers bare: `sql` */
};

/* One column of a section; an array of them ends with a NULL name. */
struct report_column {
	const char *name; /* of the query's column; the JSON key */
	const char *
		title; /* heading; NULL: in JSON only; behind a '?': only if some row has text there */
	enum report_kind kind;
	const char *null; /* text for NULL; NULL: "-" */
};

struct report {
	FILE *out;
	bool json;
	bool color;
	unsigned width; /* of the terminal; 0: do not cut */
	unsigned wrap;	/* where sentences are broken; 0: nowhere */
	/* private: */
	unsigned fields; /* of the JSON object so far */
};

void report_begin(struct report *rep, const char *command);
struct error *report_end(struct report *rep) _must_check_;
/* What was printed has been written, or an ERROR_SYSTEM. report_end does it. */
struct error *report_flush(struct report *rep) _must_check_;

/* ---- text only ---- */

/* One line; arguments from the dump must have gone through report_safe. */
void report_line(struct report *rep, const char *fmt, ...) _printf_(2, 3);
/* A heading: an empty line before, bold on a terminal. */
void report_heading(struct report *rep, const char *fmt, ...) _printf_(2, 3);
/*
 * A sentence behind `lead` (" 1. "), broken between words where the line would be wider than
 * `wrap`, what follows set in as far. A command, from "heapscan" to the next ; or ,
 * that is not quoted, stays in one piece where a line has room for it: it is there to be copied.
 */
void report_text(struct report *rep, const char *lead, const char *text);
/* Escaped for a terminal; in the region; "?" when memory is short, `none` for NULL. */
const char *report_safe(struct region *region, const char *text, const char *none);

/* ---- JSON only ---- */

void report_int(struct report *rep, const char *key, int64_t value);
void report_string(struct report *rep, const char *key, const char *value); /* NULL: null */
void report_address(struct report *rep, const char *key, uint64_t value);

/* ---- both ---- */

/*
 * The rows of a statement, to its end. Columns may be NULL: then they are those of the statement,
 * all REPORT_ANY. *nrow may be NULL. A table without rows prints nothing in text, [] in JSON.
 */
struct error *report_rows(struct report *rep, const char *section,
			  const struct report_column *columns, sqlite3_stmt *stmt,
			  uint64_t *nrow) _must_check_;
