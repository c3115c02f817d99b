#include "cmd/cmd.h"
#include "cmd/known.h"

#include "scan/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- interruption ---- */

/* Leaves nothing behind, then dies of the same signal, so that the shell knows. */
static void on_signal(int number)
{
	store_abort();
	signal(number, SIG_DFL);
	raise(number);
}

static void catch_signals(void)
{
	static const int number[] = {SIGINT, SIGTERM, SIGHUP};
	for (unsigned i = 0; i < sizeof(number) / sizeof(*number); i++) {
		struct sigaction old, act = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND};
		sigemptyset(&act.sa_mask);
		/* nohup and & leave a signal ignored: so it stays */
		if (!sigaction(number[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(number[i], &act, NULL);
	}
}

/* ---- the scan ---- */

/* Beside the dump, but "-" and dumps with a compressor's ending: core.1.zst -> core.1.db */
static const char *output_name(struct cmd_context *ctx, const char *input)
{
	static const char *const ending[] = {".gz", ".xz", ".zst", ".bz2", ".lz4"};
	size_t len = strlen(input);
	for (unsigned i = 0; i < sizeof(ending) / sizeof(*ending); i++) {
		size_t n = strlen(ending[i]);
		if (len > n && !strcmp(input + len - n, ending[i])) {
			len -= n;
			break;
		}
	}
	return region_printf(&ctx->region, "%.*s.db", (int)len, input);
}

static bool is_database(const char *path)
{
	static const char magic[16] = "SQLite format 3";
	char head[sizeof(magic)];
	struct stat st;
	/* A pipe must not lose its first bytes to a look. */
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is =
		read(fd, head, sizeof(head)) == sizeof(head) && !memcmp(head, magic, sizeof(magic));
	close(fd);
	return is;
}

static struct error *scan_make(struct cmd_context *ctx, const char *input, const char *output)
{
	const struct cmd_options *opt = &ctx->opt;
	const struct scan_options options = {
		.input = input,
		.output = output,
		.trace = opt->trace,
		.trace_pattern = opt->trace_pattern,
		.debuginfo =
			{
				.sysroot = opt->sysroot.at,
				.nsysroot = opt->sysroot.n,
				.exe = opt->exe,
				.debuginfod = opt->debuginfod,
			},
		.redact = opt->redact,
		.ordinary_store = opt->ordinary_store,
		.check = opt->check,
		.timing = opt->timing,
	};
	/* Before the work begins: it may take minutes. */
	struct error *err = cmd_check_places(opt);
	if (!err)
		err = store_check_target(output);
	if (err)
		return err;
	catch_signals();
	return scan_run(&options, &ctx->log);
}

/* --quiet: the database is what was asked for. What --fail-on names is looked for all the same. */
static struct error *screen_unseen(struct cmd_context *ctx, const char *output)
{
	FILE *out = ctx->report.out;
	_cleanup_fclose_ FILE *null = fopen("/dev/null", "we");
	if (!null)
		return error_errno(ERROR_SYSTEM, errno, "/dev/null");
	ctx->report.out = null;
	struct error *err = cmd_screen(ctx, output);
	ctx->report.out = out;
	return err;
}

static struct error *scan_command(struct cmd_context *ctx, int n, char **operand)
{
	(void)n;
	bool made = false;
	const char *input = operand[0], *output = ctx->opt.output;
	struct error *err = NULL;
	if (is_database(input)) {
		if (output)
			return error_new(ERROR_USAGE, "%s: is a database already; -o wants a dump",
					 input);
		output = input;
	} else {
		if (!output && !strcmp(input, "-"))
			return error_new(ERROR_USAGE, "a dump from a pipe wants -o DB");
		if (!output)
			output = output_name(ctx, input);
		if (!output)
			return &error_nomem;
		err = scan_make(ctx, input, output);
		made = true;
	}
	if (!err)
		err = cmd_open(ctx, output);
	if (err)
		return err;
	if (made && ctx->opt.quiet && !ctx->report.json)
		return screen_unseen(ctx, output);
	report_begin(&ctx->report, "scan");
	report_string(&ctx->report, "database", output);
	err = cmd_screen(ctx, output);
	return err ? err : report_end(&ctx->report);
}

#define FIELD(name) offsetof(struct cmd_options, name)

static const struct option scan_options_rows[] = {
	{'o', "output", OPTION_STRING, FIELD(output), "DB", "the database (FILE.db)", NULL, false},
	{0, "trace", OPTION_STRING, FIELD(trace), "TRACE",
	 "FILE is a core: take who allocated its blocks from this trace of the process", NULL,
	 false},
	{0, "trace-pattern", OPTION_STRING, FIELD(trace_pattern), "REGEX",
	 "the trace is lines that this matches, by groups called op, ptr, size, old, new, stack, "
	 "time, tid",
	 NULL, false},
	{0, "debuginfod", OPTION_FLAG, FIELD(debuginfod), NULL,
	 "ask the servers of $DEBUGINFOD_URLS for binaries", NULL, false},
	{0, "redact", OPTION_FLAG, FIELD(redact), NULL,
	 "no contents and no keys in the database and the report: it may be shared", NULL, false},
	{0, "ordinary-store", OPTION_FLAG, FIELD(ordinary_store), NULL, "no bulk writer", NULL,
	 true},
	{0, "check", OPTION_FLAG, FIELD(check), NULL, "prove all invariants", NULL, true},
	{0, "timing", OPTION_FLAG, FIELD(timing), NULL, "cost of each phase to stderr", NULL, true},
	{0},
};

static const struct option *const scan_groups[] = {
	scan_options_rows, options_binaries, options_known, options_fail, options_common, NULL};

const struct command command_scan = {
	.name = "scan",
	.operands = "FILE [-o DB]",
	.summary = "read a core file or an allocation trace, write FILE.db, print the report",
	.description = "",
	.options = scan_groups,
	.min_operands = 1,
	.max_operands = 1,
	.run = scan_command,
};
