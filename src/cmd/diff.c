/*
 * diff: what grew from one database to the next, and what holds it.
 *
 * Each database is attached in turn and its figures go into one small database by keys that do not
 * depend on ids (schema/growth/load*.sql): retention paths, types, call paths, leak signatures. SQL
 * subtracts (growth.sql). Objects themselves are paired where addresses mean the same: in two dumps of
 * one execution (diff_pair.c), which AT_RANDOM's bytes prove; where they are not known, pid, program
 * and the places of all binaries make it likely.
 */
#include "cmd/diff_impl.h"

#include "store/growth.h"

#include <stddef.h>

enum { DUMPS_MOST = 1000 };

static struct error *diff_run(struct cmd_context *ctx, int n, char **operand)
{
	struct diff d = {.ctx = ctx};
	struct diff_limit limit;
	struct error *err = diff_limit_parse(ctx, ctx->opt.growth_fail_on, &limit);
	if (!err && ctx->opt.output)
		err = growth_check_target(ctx->opt.output);
	if (!err)
		err = growth_create(&ctx->store);
	if (!err)
		err = cmd_check_type(ctx);
	if (!err)
		err = diff_read(&d, n, operand);
	if (!err && ctx->opt.output)
		err = growth_save(ctx->store, ctx->opt.output);
	if (err)
		return err;
	report_begin(&ctx->report, "diff");
	err = diff_print(&d);
	if (!err)
		err = diff_limit_check(&d, &limit);
	return err ? err : report_end(&ctx->report);
}

#define FIELD(name) offsetof(struct cmd_options, name)

static const struct option diff_options[] = {
	{'o', "output", OPTION_STRING, FIELD(output), "DB",
	 "write all of it to a database, objects too", NULL, false},
	{'a', "all", OPTION_FLAG, FIELD(all), NULL, "what grew by next to nothing, too", NULL,
	 false},
	{0, "fail-on", OPTION_STRING, FIELD(growth_fail_on), "WHAT",
	 "exit with status 3 at growth=SIZE (10M), growth=PERCENT (5%), or new leaks, cycles, "
	 "refcount",
	 NULL, false},
	{0},
};

static const struct option *const diff_groups[] = {diff_options, options_rows, options_common,
						   NULL};

const struct command command_diff = {
	.name = "diff",
	.operands = "OLD.db NEW.db [MORE.db...]",
	.summary = "what grew between dumps of a program, and what holds it",
	.description =
		"What there is more of in the last database than in the first: by retention path "
		"(what holds it,\n"
		"with indices and keys left out), by the surviving object that holds what is "
		"new, by type, by\n"
		"allocation site, leaks, garbage and arenas. Of more than two only what grew in "
		"every step is\n"
		"listed. Two dumps of one process are matched object by object; two runs by "
		"content alone.",
	.options = diff_groups,
	.min_operands = 2,
	.max_operands = DUMPS_MOST,
	.run = diff_run,
};
