#include "cmd/show_impl.h"

#include "cmd/spelled.h"

#include <errno.h>
#include <stdlib.h>

struct error *show_row(struct cmd_context *ctx, const char *query, const char *parameter,
		       int64_t value, struct cmd_row *row, bool *found)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, query, SHOW_ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, parameter, value);
	return cmd_row(ctx, stmt, row, found);
}

struct error *show_table(struct cmd_context *ctx, const char *query, const char *parameter,
			 int64_t value, const char *section, const struct report_column *columns,
			 const char *heading, int64_t count)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, query, SHOW_ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, parameter, value);
	if (count)
		report_heading(&ctx->report, "%s", heading);
	uint64_t n = 0;
	err = report_rows(&ctx->report, section, columns, stmt, &n);
	if (!err && n)
		cmd_more(ctx, count - (int64_t)n);
	return err;
}

/* ---- the command ---- */

/* As path prints it: app.CACHE['key'], #12->next. */
static struct error *show_spelled(struct cmd_context *ctx, const char *what, const char *otherwise)
{
	int64_t id;
	struct error *err = spelled_object(ctx, what, &id);
	if (!err && id)
		return show_object(ctx, id, 0, false);
	return err ? err : error_new(ERROR_USAGE, "'%s' is %s", what, otherwise);
}

static struct error *show_what(struct cmd_context *ctx, const char *what)
{
	char *end;
	errno = 0;
	if (what[0] == '0' && (what[1] == 'x' || what[1] == 'X')) {
		unsigned long long address = strtoull(what, &end, 16);
		if (*end || errno || end == what + 1)
			return show_spelled(ctx, what, "no address");
		return show_address(ctx, address);
	}
	const char *digits = what[0] == '#' ? what + 1 : what;
	if (*digits >= '0' && *digits <= '9') {
		long long id = strtoll(digits, &end, 10);
		if (!*end && !errno)
			return show_object(ctx, id, 0, false);
	}
	if (what[0] == '#' || !*what)
		return show_spelled(ctx, what, "no object");
	bool known;
	struct error *err = show_type(ctx, what, &known);
	return err || known
		       ? err
		       : show_spelled(ctx, what,
				      "no address (0x...), no object ('#12'), no type has such "
				      "a name, and no path is written so");
}

static struct error *show_run(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	struct error *err = cmd_check_places(&ctx->opt);
	if (!err)
		err = cmd_open(ctx, operand[0]);
	if (err)
		return err;
	report_begin(&ctx->report, "show");
	err = show_what(ctx, operand[1]);
	return err ? err : report_end(&ctx->report);
}

static const struct option show_options[] = {
	{0, "hex", OPTION_NUMBER, offsetof(struct cmd_options, hex), "N",
	 "at most N bytes of the dump (256); 0: none", NULL, false},
	{'n', "limit", OPTION_NUMBER, offsetof(struct cmd_options, limit), "N",
	 "at most N rows of each table; 0: all", NULL, false},
	{0},
};

static const struct option *const show_groups[] = {show_options, options_binaries, options_common,
						   NULL};

const struct command command_show = {
	.name = "show",
	.operands = "DB OBJECT",
	.summary = "all about one block, address or type",
	.description = "OBJECT is an address (0x55d0c0de: any address, not only of a block), an "
		       "object's number\n"
		       "('#12', or 12 where the shell takes # for a comment), a type's name, or a "
		       "path as `heapscan path`\n"
		       "prints it (\"app.CACHE['key']\"). Tells what it is,\n"
		       "where it lies, whether and by what it is reachable, what goes with it, "
		       "what points to it and\n"
		       "what it points to, and its bytes, if the dump is still where it was.",
	.options = show_groups,
	.min_operands = 2,
	.max_operands = 2,
	.run = show_run,
};
