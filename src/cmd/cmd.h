/*
 * cmd: the commands. Rows of commands.def, one file each, over the library.
 *
 * To add one: write cmd/NAME.c with `const struct command command_NAME`, add COMMAND(NAME) to
 * commands.def. Parsing, --help and shell completion come from its tables of options. Most commands
 * are a query from schema/query/, its columns, and a few sentences:
 *
 *	err = cmd_open(ctx, path);			the database
 *	err = cmd_prepare(ctx, "leaks.sql", &stmt);	binds :type, :limit, ... by name
 *	err = report_rows(&ctx->report, "rows", columns, stmt, NULL);
 *
 * main prints errors, ends the report and gives the exit status; a command only sets `condition`
 *when what --fail-on names holds.
 */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "base/region.h"
#include "cmd/options.h"
#include "report/report.h"
#include "store/sqlite.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum cmd_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_FOLDED };
enum cmd_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
enum cmd_fail { FAIL_LEAKS = 1 << 0, FAIL_CYCLES = 1 << 1, FAIL_REFCOUNT = 1 << 2 };
enum cmd_by {
	BY_TYPE,
	BY_SIZE,
	BY_RETAINED,
	BY_MODULE,
	BY_ARENA,
	BY_SITE,
	BY_WAITING,
	BY_FUNCTION,
	BY_AGE,
	BY_DOMINATOR,
	BY_REFERRER,
	BY_SIGNATURE,
};

/* --limit was not given: each command has its own. */
#define LIMIT_UNSET UINT64_MAX

/* All options of all commands; a command's tables say which ones it takes. */
struct cmd_options {
	bool help, version, quiet;
	unsigned verbose;
	unsigned format;  /* enum cmd_format */
	unsigned color;	  /* enum cmd_color */
	uint64_t limit;	  /* 0: all */
	const char *type; /* regular expression, NULL: any */
	unsigned fail_on; /* enum cmd_fail */
	/* scan */
	const char *output, *exe, *trace, *trace_pattern;
	struct option_list sysroot;
	bool debuginfod, redact, ordinary_store, check, timing;
	/* leaks, cycles, top, memory, show */
	bool all, possible, segments, definitions;
	unsigned by;   /* enum cmd_by */
	unsigned cost; /* enum site_figure */
	const char *skip_frames;
	uint64_t hex;
	uint64_t min_size, max_size; /* 0: any */
	bool histogram, what_if;
	/* leaks, cycles, refs, scan */
	const char *suppress, *baseline;
	/* sql */
	bool write;
	/* diff */
	const char *growth_fail_on;
	/* path */
	uint64_t max;
	const char *avoid, *to_type;
	const char *cut; /* NULL: nothing; "": the object; else one reference */
	bool dot;
};

struct cmd_context {
	struct cmd_options opt;
	struct log log;
	struct report report;
	struct region region; /* for the run */
	struct store *store;  /* after cmd_open */
	bool condition;	      /* what --fail-on names holds: exit status 3 */
};

struct command {
	const char *name;		     /* "leaks"; "scan" is never typed */
	const char *operands;		     /* "DB OBJECT" */
	const char *summary;		     /* one line */
	const char *description;	     /* paragraphs, for `heapscan NAME --help` */
	const struct option *const *options; /* groups, ends with NULL */
	int min_operands, max_operands;
	struct error *(*run)(struct cmd_context *ctx, int n, char **operand);
};

/* All commands; ends with NULL. [0] is the scan. */
extern const struct command *const command_table[];

/* Groups of options that commands share. */
extern const struct option options_common[];   /* --format --color -v --quiet --help */
extern const struct option options_general[];  /* the same without --format */
extern const struct option options_rows[];     /* --limit --type */
extern const struct option options_binaries[]; /* --sysroot --exe */
extern const struct option options_fail[];     /* --fail-on */

/* ---- for commands ---- */

/*
 * Opens the database. A core file there is an error that says which command to run first, or that
 * its database lies beside it.
 */
struct error *cmd_open(struct cmd_context *ctx, const char *path) _must_check_;
/* A folder or file that was named and is not there is a typing mistake, to be told at once. */
struct error *cmd_check_places(const struct cmd_options *opt) _must_check_;
/* Of either kind (store.growth), to be written to if --write says so. */
struct error *cmd_open_any(struct cmd_context *ctx, const char *path) _must_check_;

/*
 * Does the table `biggest` have as many objects of each type and size as are asked for: --limit, else
 * `limit`? A trace has none.
 */
bool cmd_has_biggest(struct cmd_context *ctx, uint64_t limit);
/* Of an allocation trace, which has no contents of memory? */
bool cmd_is_trace(struct cmd_context *ctx);
/* The same, for commands that need to know what points where: a trace is an ERROR_USAGE. */
struct error *cmd_open_core(struct cmd_context *ctx, const char *path) _must_check_;
/* Is --type a regular expression? ERROR_USAGE says what is wrong with it. cmd_open has asked. */
struct error *cmd_check_type(struct cmd_context *ctx) _must_check_;

/*
 * A statement of schema/query/ (of another folder, where the name has one: "temp/x.sql"); the caller finalizes it. The parameters :limit (--limit, or
 * `limit` when it was not given; -1: all) and :type (--type), :min_size, :max_size are bound where the query has them.
 */
struct error *cmd_prepare(struct cmd_context *ctx, const char *query, uint64_t limit,
			  sqlite3_stmt **ret) _must_check_;
void cmd_bind_int(sqlite3_stmt *stmt, const char *name, int64_t value);
void cmd_bind_text(sqlite3_stmt *stmt, const char *name, const char *value);

/* prepare, report_rows, finalize: a section that is nothing but a query. */
struct error *cmd_section(struct cmd_context *ctx, const char *query, uint64_t limit,
			  const char *section, const struct report_column *columns,
			  uint64_t *nrow) _must_check_;

/*
 * The one row of a query into the region: integers, or texts. *found is false when there is none.
 * Unknown integers are `absent`.
 */
struct cmd_row {
	int n;
	const char **name;
	int64_t *integer;
	const char **text; /* NULL for NULL */
};
struct error *cmd_row(struct cmd_context *ctx, sqlite3_stmt *stmt, struct cmd_row *ret,
		      bool *found) _must_check_;
/* The same of a query that asks for nothing but --type: totals, mostly. No row: nothing is in it, as in {0}. */
struct error *cmd_totals(struct cmd_context *ctx, const char *query,
			 struct cmd_row *ret) _must_check_;
int64_t cmd_row_int(const struct cmd_row *row, const char *name);
const char *cmd_row_text(const struct cmd_row *row, const char *name);

/* "... and 12 more": rows that --limit left out. Nothing where there are none. */
void cmd_more(struct cmd_context *ctx, int64_t more);

/* A fact of `meta`, in the region; NULL: not known. */
const char *cmd_meta(struct cmd_context *ctx, const char *key);

/* Human sizes and counts in the region, for sentences. */
const char *cmd_bytes(struct cmd_context *ctx, int64_t bytes);
const char *cmd_count(struct cmd_context *ctx, int64_t n);
/* "1 block", "2,345 blocks" */
const char *cmd_plural(struct cmd_context *ctx, int64_t n, const char *one, const char *many);
/* A file's name as a shell takes it, in quotes where it must be: for commands that are there to be copied. */
const char *cmd_shell(struct cmd_context *ctx, const char *path);

/* The first screen, from an open database that lies at `path`. */
struct error *cmd_screen(struct cmd_context *ctx, const char *path) _must_check_;

/* The same of an allocation trace. */
struct error *cmd_screen_trace(struct cmd_context *ctx, const char *path) _must_check_;

/*
 * At the top of an answer: what of the dump is missing or damaged so that the answer is weaker for it.
 * A line each, in text; nothing when all is well.
 */
struct error *cmd_caveats(struct cmd_context *ctx) _must_check_;

/* Sets ctx->condition when what --fail-on names is there, of the types that --type lets through. */
struct error *cmd_fail_on(struct cmd_context *ctx) _must_check_;

/* Section "members": the first ones of the clusters that leaks or cycles ("leak", "cycle") list. */
struct error *cmd_members(struct cmd_context *ctx, const char *kind) _must_check_;
