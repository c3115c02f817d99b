/*
 * heapscan: options, dispatch, exit status.
 *
 * 0 done; 1 bad usage; 2 the input could not be read or is no dump; 3 done, and what --fail-on
 * names holds. Every error is printed here, once, on stderr.
 */
#include "cmd/cmd.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef HEAPSCAN_VERSION
#define HEAPSCAN_VERSION "0.1"
#endif

enum { STATUS_USAGE = 1, STATUS_CONDITION = 3, NAMES_MAX = 32 };

static void help_all(FILE *out)
{
	fputs("heapscan: offline heap dump analyzer\n\nUsage:\n", out);
	for (const struct command *const *c = command_table; *c; c++) {
		char line[80];
		if (c == command_table)
			snprintf(line, sizeof(line), "heapscan %s", (*c)->operands);
		else
			snprintf(line, sizeof(line), "heapscan %s %s", (*c)->name, (*c)->operands);
		fprintf(out, "  %-30s %s\n", line, (*c)->summary);
	}
	fputs("\nOBJECT is an address (0x...), an object's number ('#12' or 12) or a type's name.\n"
	      "FILE may be compressed, or - for standard input.\n"
	      "\nOptions of heapscan FILE:\n",
	      out);
	for (const struct option *const *g = command_table[0]->options; *g; g++)
		options_help(*g, out);
	fputs("      --version             print the version\n"
	      "\n`heapscan COMMAND --help` tells the options of a command.\n",
	      out);
}

static void help_command(const struct command *c, FILE *out)
{
	fprintf(out, "Usage: heapscan %s %s [OPTION]...\n\n%s\n\nOptions:\n", c->name, c->operands,
		c->description);
	for (const struct option *const *g = c->options; *g; g++)
		options_help(*g, out);
}

static const struct command *command_find(const char *name)
{
	for (const struct command *const *c = command_table + 1; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

static const char *command_nearest(const char *word)
{
	const char *names[NAMES_MAX + 1];
	unsigned n = 0;
	for (const struct command *const *c = command_table + 1; *c && n < NAMES_MAX; c++)
		names[n++] = (*c)->name;
	names[n] = NULL;
	return options_nearest(word, names);
}

/* 0: no terminal, and nobody said how wide it should be. */
static unsigned terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	if (columns && atoi(columns) >= 40)
		return (unsigned)atoi(columns);
	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 40)
		return size.ws_col;
	return 0;
}

static void context_init(struct cmd_context *ctx)
{
	const struct cmd_options *opt = &ctx->opt;
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
	enum log_level level = opt->quiet	  ? LOG_ERROR
			       : opt->verbose > 1 ? LOG_DEBUG
			       : opt->verbose	  ? LOG_INFO
						  : LOG_WARNING;
	log_init(&ctx->log, level);
	if (opt->quiet)
		ctx->log.progress = false;
	ctx->report.out = stdout;
	ctx->report.json = opt->format == FORMAT_JSON;
	ctx->report.width = terminal_width();
	ctx->report.wrap = ctx->report.width;
	ctx->report.color =
		opt->color == COLOR_ALWAYS ||
		(opt->color == COLOR_AUTO && isatty(STDOUT_FILENO) && !(no_color && *no_color));
}

/* `heapscan leeks core.db`: two operands, and the first is nearly a command. */
static struct error *wrong_operands(const struct command *c, int n, char **operand)
{
	if (c == command_table[0] && n > 1) {
		if (command_find(operand[0]))
			return error_new(ERROR_USAGE,
					 "options come after the command: heapscan %s %s",
					 operand[0], operand[1]);
		const char *near = command_nearest(operand[0]);
		if (near)
			return error_new(ERROR_USAGE, "'%s' is no command (did you mean %s?)",
					 operand[0], near);
		if (!strpbrk(operand[0], "./") && access(operand[0], F_OK))
			return error_new(ERROR_USAGE, "'%s' is no command", operand[0]);
	}
	if (c == command_table[0])
		return error_new(ERROR_USAGE, "%s: heapscan %s",
				 n ? "one file at a time" : "which file?", c->operands);
	return error_new(ERROR_USAGE, "%s operands: heapscan %s %s",
			 n < c->min_operands ? "too few" : "too many", c->name, c->operands);
}

static struct error *command_run(const struct command *c, struct cmd_context *ctx, int argc,
				 char **argv)
{
	int n;
	struct error *err = options_parse(c->options, argc, argv, &ctx->opt, &n);
	if (err)
		return err;
	context_init(ctx);
	if (ctx->opt.help) {
		if (c == command_table[0])
			help_all(stdout);
		else
			help_command(c, stdout);
		return report_flush(&ctx->report);
	}
	if (n < c->min_operands || n > c->max_operands)
		return wrong_operands(c, n, argv);
	return c->run(ctx, n, argv);
}

/* `heapscan --complete [COMMAND]`: words for the shell, from the tables. Not for people. */
static struct error *complete(struct cmd_context *ctx, const char *name)
{
	const struct command *c = name ? command_find(name) : command_table[0];
	ctx->report.out = stdout;
	if (!name)
		for (const struct command *const *i = command_table + 1; *i; i++)
			printf("%s\n", (*i)->name);
	/* a word that is no command is the file to scan */
	options_complete(c ? c->options : command_table[0]->options, stdout);
	return report_flush(&ctx->report);
}

static struct error *dispatch(struct cmd_context *ctx, int argc, char **argv)
{
	const char *first = argv[1];
	ctx->report.out = stdout;
	if (!strcmp(first, "--version")) {
		printf("heapscan %s (database schema %d, SQLite %s)\n", HEAPSCAN_VERSION,
		       STORE_SCHEMA_VERSION, sqlite3_libversion());
		return report_flush(&ctx->report);
	}
	if (!strcmp(first, "--complete"))
		return complete(ctx, argc > 2 ? argv[2] : NULL);
	if (!strcmp(first, "help")) {
		const struct command *c = argc > 2 ? command_find(argv[2]) : NULL;
		if (argc > 2 && !c)
			return error_new(ERROR_USAGE, "'%s' is no command", argv[2]);
		if (c)
			help_command(c, stdout);
		else
			help_all(stdout);
		return report_flush(&ctx->report);
	}
	const struct command *c = command_find(first);
	if (c)
		return command_run(c, ctx, argc - 2, argv + 2);
	return command_run(command_table[0], ctx, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help_all(stderr);
		return STATUS_USAGE;
	}
	struct cmd_context ctx = {.opt = {.limit = LIMIT_UNSET, .hex = LIMIT_UNSET}};
	log_init(&ctx.log, LOG_WARNING);
	struct error *err = dispatch(&ctx, argc, argv);
	int status = err ? error_exit_status(err) : ctx.condition ? STATUS_CONDITION : 0;
	if (err) {
		fflush(stdout);
		log_error(&ctx.log, "%s", err->message);
		const struct command *c = command_find(argv[1]);
		if (err->kind == ERROR_USAGE)
			fprintf(stderr, "Try 'heapscan %s%s--help'.\n", c ? c->name : "",
				c ? " " : "");
	}
	error_free(err);
	if (ctx.store)
		store_close(ctx.store);
	region_deinit(&ctx.region);
	return status;
}
