/* diff: the databases' figures become one small database, and what grew in it. */
#include "cmd/diff_impl.h"

#include "store/growth.h"

#include <string.h>

static struct error *diff_add(struct diff *d, const char *path, int64_t step)
{
	struct cmd_context *ctx = d->ctx;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = growth_attach(ctx->store, path, "dump");
	if (err)
		return err;
	err = cmd_prepare(ctx, "growth/add.sql", 0, &stmt);
	if (err)
		return error_note(err, "%s", path);
	cmd_bind_int(stmt, ":step", step);
	cmd_bind_text(stmt, ":path", path);
	if (sqlite3_step(stmt) != SQLITE_DONE)
		return error_new(ERROR_INPUT, "%s: %s", path, sqlite3_errmsg(ctx->store->db));
	sqlite3_finalize(stmt);
	stmt = NULL;
	struct cmd_row row;
	err = cmd_totals(ctx, "growth/kind.sql", &row);
	if (err)
		return error_note(err, "%s", path);
	d->trace = cmd_row_int(&row, "trace") != 0;
	err = growth_script(ctx->store, "growth/load.sql", step);
	if (!err && !d->trace)
		err = growth_script(ctx->store, "growth/load_path.sql", step);
	if (!err)
		err = growth_script(ctx->store, "growth/load_site.sql", step);
	if (!err)
		err = growth_detach(ctx->store, "dump");
	return err ? error_note(err, "%s", path) : NULL;
}

static bool texts_differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b) != 0;
}

/* What cannot be compared is an error; what can be, with care, a warning. */
static struct error *diff_compare(struct diff *d, const struct cmd_row *first,
				  const struct cmd_row *row)
{
	struct cmd_context *ctx = d->ctx;
	const char *a = cmd_row_text(first, "path"), *b = cmd_row_text(row, "path");
	const char *relation = cmd_row_text(row, "relation");
	static const struct {
		const char *name;
		enum diff_relation relation;
	} names[] = {{"process", RELATION_PROCESS},
		     {"fork", RELATION_FORK},
		     {"likely", RELATION_LIKELY}};
	if (texts_differ(cmd_row_text(first, "kind"), cmd_row_text(row, "kind")))
		return error_new(ERROR_INPUT,
				 "%s is of a %s, %s of a %s: only two dumps, or two traces, can be "
				 "compared",
				 a, cmd_row_text(first, "kind"), b, cmd_row_text(row, "kind"));
	if (texts_differ(cmd_row_text(first, "machine"), cmd_row_text(row, "machine")))
		return error_new(ERROR_INPUT,
				 "%s is of %s, %s of %s: sizes of one machine say nothing of the "
				 "other's",
				 a, cmd_row_text(first, "machine"), b,
				 cmd_row_text(row, "machine"));
	if (texts_differ(cmd_row_text(first, "exe"), cmd_row_text(row, "exe")))
		log_warning(&ctx->log, "%s is of %s, %s of %s: another program?", a,
			    cmd_row_text(first, "exe"), b, cmd_row_text(row, "exe"));
	else if (texts_differ(cmd_row_text(first, "build_id"), cmd_row_text(row, "build_id")))
		log_warning(&ctx->log,
			    "%s and %s are of two builds of the program: unnamed data and types "
			    "that changed do not match",
			    a, b);
	if (cmd_row_int(row, "reversed"))
		log_warning(&ctx->log,
			    "%s is older than the database before it, going by the dump's file: "
			    "is the order right?",
			    b);
	enum diff_relation is = RELATION_RUN;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (relation && !strcmp(relation, names[i].name))
			is = names[i].relation;
	d->relation = is < d->relation ? is : d->relation;
	d->pair = is != RELATION_RUN && !d->trace; /* the last one counts */
	return NULL;
}

static struct error *diff_relate(struct diff *d)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row first = {0}, row;
	bool found = true;
	struct error *err = cmd_prepare(d->ctx, "growth/dumps.sql", 0, &stmt);
	d->relation = RELATION_PROCESS;
	for (unsigned n = 0; !err; n++) {
		err = cmd_row(d->ctx, stmt, &row, &found);
		if (err || !found)
			break;
		if (n)
			err = diff_compare(d, &first, &row);
		else
			first = row;
		d->new_bytes = cmd_row_int(&row, "bytes");
		d->new_objects = cmd_row_int(&row, "objects");
		d->old_bytes = cmd_row_int(&first, "bytes");
		d->old_objects = cmd_row_int(&first, "objects");
	}
	return err;
}

struct error *diff_read(struct diff *d, int n, char **path)
{
	struct cmd_context *ctx = d->ctx;
	struct error *err = NULL;
	d->steps = n - 1;
	for (int i = 0; i < n && !err; i++) {
		log_progress(&ctx->log, "reading", (uint64_t)i, (uint64_t)n);
		err = diff_add(d, path[i], i + 1);
	}
	if (!err)
		err = diff_relate(d);
	if (!err)
		err = growth_script(ctx->store, "growth/growth.sql", 0);
	if (!err && d->pair) {
		log_progress(&ctx->log, "objects", 0, 1);
		err = growth_attach(ctx->store, path[n - 1], "new");
		if (!err)
			err = diff_pair(ctx, path[0], path[n - 1], ctx->opt.output != NULL);
		if (!err)
			err = growth_detach(ctx->store, "new");
	}
	log_progress_end(&ctx->log);
	return err;
}
