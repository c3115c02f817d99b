#include "store/functions.h"
#include "store/store.h"
#include "store/write_impl.h"

#include "base/cleanup.h"
#include "base/region.h"
#include "store/embed.h"
#include "store/findings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	STORE_PAGE_SIZE = 4096,
	/* Below this the ordinary path is as fast, and leaves pages as SQLite would. */
	STORE_BULK_FROM = 5000,
	STORE_TREES_MAX = 32,
	STORE_LATER_MAX = 32,
};

/* The half-made file, for store_abort: see store.h. */
static char abort_path[PATH_MAX];
static volatile sig_atomic_t abort_armed;

void store_abort(void)
{
	if (abort_armed)
		unlink(abort_path);
}

struct error *store_error(sqlite3 *db, const char *what)
{
	int rc = sqlite3_extended_errcode(db);
	if (rc == SQLITE_NOMEM)
		return &error_nomem;
	return error_new(ERROR_SYSTEM, "%s: %s", what, sqlite3_errmsg(db));
}

/* ---- the file and its name ---- */

/* The folder of a path, "." included, and the name in it. */
static struct error *split_path(struct region *r, const char *path, const char **dir,
				const char **name)
{
	const char *slash = strrchr(path, '/');
	*name = slash ? slash + 1 : path;
	*dir = !slash ? "." : slash == path ? "/" : region_strndup(r, path, (size_t)(slash - path));
	if (!**name || !strcmp(*name, ".") || !strcmp(*name, ".."))
		return error_new(ERROR_USAGE, "%s: names no file to write", path);
	return *dir ? NULL : &error_nomem;
}

/* Never fails to decide: what cannot be read is not ours. */
static bool is_our_database(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t head[72];
	if (fd < 0 || pread(fd, head, sizeof(head), 0) != sizeof(head))
		return false;
	/* https://www.sqlite.org/fileformat2.html, 1.3: magic at 0, application id at 68 */
	uint32_t id = (uint32_t)head[68] << 24 | (uint32_t)head[69] << 16 |
		      (uint32_t)head[70] << 8 | head[71];
	return !memcmp(head, "SQLite format 3", 16) && id == STORE_APPLICATION_ID;
}

/*
 * Journals belong to a file's name, not to the file: one that lies there now would be played back
 * into the new database (https://www.sqlite.org/howtocorrupt.html, 1.4 and 2.5).
 */
static struct error *check_journals(const char *path)
{
	static const char *const suffix[] = {"-journal", "-wal"};
	for (unsigned i = 0; i < 2; i++) {
		_cleanup_free_ char *journal = NULL;
		struct stat st;
		if (asprintf(&journal, "%s%s", path, suffix[i]) < 0)
			return &error_nomem;
		if (!stat(journal, &st) && st.st_size)
			return error_new(ERROR_USAGE,
					 "%s: in the way: another program is writing to %s, or "
					 "died while it "
					 "did; open that once with sqlite3, or remove both",
					 journal, path);
	}
	return NULL;
}

struct error *store_check_target(const char *path)
{
	struct region r = {.chunk = NULL};
	const char *dir, *name;
	struct error *err = split_path(&r, path, &dir, &name);
	struct stat st;
	if (!err && access(dir, W_OK | X_OK))
		err = error_errno(ERROR_SYSTEM, errno, "%s: cannot write there", dir);
	if (!err && !lstat(path, &st)) {
		if (S_ISLNK(st.st_mode) && stat(path, &st))
			st.st_size = 0; /* leads nowhere: the link is replaced */
		else if (!S_ISREG(st.st_mode))
			err = error_new(ERROR_USAGE, "%s: exists and is no file", path);
		if (!err && st.st_size && !is_our_database(path))
			err = error_new(ERROR_USAGE,
					"%s: exists and is no heapscan database: not overwritten",
					path);
	}
	if (!err)
		err = check_journals(path);
	region_deinit(&r);
	return err;
}

static struct error *sync_folder(const char *dir)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Some file systems cannot sync a folder: the rename is as good as it gets there. */
	if (fd >= 0 && fsync(fd) && errno != EINVAL && errno != ENOTSUP)
		return error_errno(ERROR_SYSTEM, errno, "%s: cannot sync", dir);
	return NULL;
}

/* ---- the database ---- */

struct store_writer {
	const struct snapshot *s;
	const struct store_options *opt;
	struct log *log;
	const char *temp;
	sqlite3 *db;
	char made_index[64],
		made_on[64]; /* what the statement just prepared makes, on what table */
	const char *later[STORE_LATER_MAX]; /* statements (of indexes.sql) to run after the bulk */
	unsigned nlater;
	struct bulk_tree tree[STORE_TREES_MAX];
	unsigned ntree;
};

static struct error *writer_exec(struct store_writer *w, const char *sql, const char *what)
{
	return sqlite3_exec(w->db, sql, NULL, NULL, NULL) ? store_error(w->db, what) : NULL;
}

static int writer_note_index(void *arg, int action, const char *index, const char *table,
			     const char *db, const char *trigger)
{
	struct store_writer *w = arg;
	(void)db, (void)trigger;
	if (action == SQLITE_CREATE_INDEX) {
		snprintf(w->made_index, sizeof(w->made_index), "%s", index);
		snprintf(w->made_on, sizeof(w->made_on), "%s", table);
	}
	return SQLITE_OK;
}

static struct error *writer_open(struct store_writer *w)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	if (sqlite3_open_v2(w->temp, &w->db, flags, NULL))
		return store_error(w->db, w->temp);
	sqlite3_set_authorizer(w->db, writer_note_index, w);
	/* Nobody sees the file before it is complete: no journal, and one fsync at the end. */
	struct error *err =
		writer_exec(w,
			    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
			    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;"
			    "PRAGMA foreign_keys = OFF",
			    w->temp);
	/* KiB; beside the snapshot, which is all there still. */
	if (!err)
		err = writer_exec(w,
				  w->opt->ordinary ? "PRAGMA cache_size = -65536"
						   : "PRAGMA cache_size = -8192",
				  w->temp);
	return err;
}

static void writer_close(struct store_writer *w)
{
	sqlite3_close(w->db);
	w->db = NULL;
}

static bool writer_is_bulk(const struct store_writer *w, const struct store_table *t)
{
	uint64_t from = w->opt->bulk_from ? w->opt->bulk_from : STORE_BULK_FROM;
	return t->bulk && !w->opt->ordinary && t->rows(w->s) >= from && bulk_can(t, w->s);
}

/* Is this table (index NULL) or index one that the bulk writer fills? */
static bool writer_has_tree(const struct store_writer *w, const char *table, const char *index)
{
	for (unsigned i = 0; i < w->ntree; i++) {
		const struct bulk_tree *t = &w->tree[i];
		if (strcmp(t->table->name, table))
			continue;
		if (index ? t->index && !strcmp(t->index->name, index) : !t->index)
			return true;
	}
	return false;
}

static struct error *writer_schema(struct store_writer *w)
{
	char pragma[200];
	snprintf(pragma, sizeof(pragma),
		 "PRAGMA page_size = %d; PRAGMA auto_vacuum = NONE; PRAGMA encoding = 'UTF-8';"
		 "PRAGMA application_id = %d; PRAGMA user_version = %d; BEGIN",
		 STORE_PAGE_SIZE, STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
	struct error *err = writer_exec(w, pragma, w->temp);
	if (!err)
		err = writer_exec(w, embed_find("tables.sql"), "tables.sql");
	if (!err)
		err = writer_exec(w, embed_find("views.sql"), "views.sql");
	return err;
}

static struct error *writer_rows(struct store_writer *w)
{
	for (const struct store_table *const *at = store_tables; *at; at++) {
		const struct store_table *t = *at;
		struct error *err = NULL;
		if (writer_is_bulk(w, t)) {
			assert(w->ntree + 1 + STORE_INDEXES_MAX <= STORE_TREES_MAX);
			w->tree[w->ntree++] = (struct bulk_tree){.table = t};
			for (const struct store_index *x = t->index; x->name; x++)
				if (!x->known || x->known(w->s))
					w->tree[w->ntree++] =
						(struct bulk_tree){.table = t, .index = x};
		} else {
			err = ordinary_write(w->db, t, w->s);
		}
		if (err)
			return err;
	}
	return NULL;
}

/* An index over a column that is NULL in all rows would answer nothing: it is not made. */
static bool writer_wants_index(const struct store_writer *w, const char *table, const char *index)
{
	for (const struct store_table *const *t = store_tables; *t; t++)
		for (const struct store_index *x = (*t)->index; x->name; x++)
			if (!strcmp((*t)->name, table) && !strcmp(x->name, index) && x->known)
				return x->known(w->s);
	return true;
}

/*
 * Runs indexes.sql. An index that the bulk writer fills is made now, empty; one on a bulk table
 * that it does not know must wait for the rows; any other is made now, from the rows that are
 * there.
 */
static struct error *writer_indexes(struct store_writer *w)
{
	for (const char *sql = embed_find("indexes.sql"), *next; sql && *sql; sql = next) {
		sqlite3_stmt *stmt = NULL;
		w->made_index[0] = w->made_on[0] = 0;
		if (sqlite3_prepare_v2(w->db, sql, -1, &stmt, &next))
			return store_error(w->db, "indexes.sql");
		bool wanted = !w->made_index[0] || writer_wants_index(w, w->made_on, w->made_index);
		bool later = w->made_index[0] && writer_has_tree(w, w->made_on, NULL) &&
			     !writer_has_tree(w, w->made_on, w->made_index);
		if (later && wanted) {
			assert(w->nlater < STORE_LATER_MAX);
			w->later[w->nlater++] = sql;
		} else if (stmt && wanted) {
			sqlite3_step(stmt);
		}
		if (sqlite3_finalize(stmt))
			return store_error(w->db, "indexes.sql");
	}
	return NULL;
}

static struct error *writer_later(struct store_writer *w)
{
	for (unsigned i = 0; i < w->nlater; i++) {
		sqlite3_stmt *stmt = NULL;
		if (sqlite3_prepare_v2(w->db, w->later[i], -1, &stmt, NULL))
			return store_error(w->db, "indexes.sql");
		sqlite3_step(stmt);
		if (sqlite3_finalize(stmt))
			return store_error(w->db, "indexes.sql");
	}
	return NULL;
}

static struct error *writer_roots(struct store_writer *w)
{
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v2(w->db, "SELECT name, rootpage FROM sqlite_master", -1, &stmt, NULL))
		return store_error(w->db, w->temp);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		for (unsigned i = 0; i < w->ntree; i++) {
			struct bulk_tree *t = &w->tree[i];
			if (name && !strcmp(name, t->index ? t->index->name : t->table->name))
				t->root = (uint32_t)sqlite3_column_int64(stmt, 1);
		}
	}
	if (sqlite3_finalize(stmt))
		return store_error(w->db, w->temp);
	/* A described index that indexes.sql does not make: nothing to fill. */
	unsigned kept = 0;
	for (unsigned i = 0; i < w->ntree; i++)
		if (w->tree[i].root)
			w->tree[kept++] = w->tree[i];
	w->ntree = kept;
	return NULL;
}

/* All rows are there: what is said of them in SQL. */
static struct error *writer_conclusions(struct store_writer *w)
{
	struct error *err = store_functions(w->db);
	return err ? err : findings_write(w->db, w->log);
}

/* The ordinary part, up to the bulk; all, if there is none. */
static struct error *writer_first(struct store_writer *w)
{
	struct error *err = writer_open(w);
	if (!err)
		err = writer_schema(w);
	if (!err)
		err = writer_rows(w);
	if (!err)
		err = writer_indexes(w);
	if (!err && w->ntree)
		err = writer_roots(w);
	else if (!err)
		err = writer_conclusions(w);
	if (!err)
		err = writer_exec(w, "COMMIT", w->temp);
	writer_close(w);
	return err;
}

/* What needs the rows that the bulk writer has written. */
static struct error *writer_second(struct store_writer *w)
{
	struct error *err = writer_open(w);
	if (!err)
		err = writer_exec(w, "BEGIN", w->temp);
	if (!err)
		err = writer_later(w);
	if (!err)
		err = writer_conclusions(w);
	if (!err)
		err = writer_exec(w, "COMMIT", w->temp);
	writer_close(w);
	return err;
}

/* fd: open on w->temp. */
static struct error *writer_run(struct store_writer *w, int fd)
{
	struct error *err = writer_first(w);
	if (!err && w->ntree)
		err = bulk_write(fd, w->s, w->tree, w->ntree, w->opt, w->log);
	if (!err && w->ntree)
		err = writer_second(w);
	return err;
}

static struct error *store_write_temp(const struct snapshot *s, const char *path, const char *dir,
				      const char *name, const struct store_options *opt,
				      struct log *log)
{
	int len = snprintf(abort_path, sizeof(abort_path), "%s/.%s.tmp-XXXXXX", dir, name);
	if (len < 0 || len >= (int)sizeof(abort_path))
		return error_new(ERROR_USAGE, "%s: the path is too long", path);
	/* No signal between the file's birth and the note that it is there. */
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	_cleanup_close_ int fd = mkostemp(abort_path, O_CLOEXEC);
	int errnum = errno;
	abort_armed = fd >= 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (fd < 0)
		return error_errno(ERROR_SYSTEM, errnum, "%s: cannot make a file there", dir);
	struct store_writer w = {.s = s, .opt = opt, .log = log, .temp = abort_path};
	struct error *err = writer_run(&w, fd);
	struct stat st;
	if (!err && !stat(path, &st) && fchmod(fd, st.st_mode & 0777))
		err = error_errno(ERROR_SYSTEM, errno, "%s: cannot set its mode", abort_path);
	if (!err && !opt->no_sync && fsync(fd))
		err = error_errno(ERROR_SYSTEM, errno, "%s: cannot sync", abort_path);
	if (!err)
		err = check_journals(path);
	if (!err && rename(abort_path, path))
		err = error_errno(ERROR_SYSTEM, errno, "%s: cannot rename to it", path);
	if (err)
		unlink(abort_path);
	abort_armed = 0;
	if (!err && !opt->no_sync)
		err = sync_folder(dir);
	return err ? error_note(err, "writing %s", path) : NULL;
}

struct error *store_write(const struct snapshot *s, const char *path,
			  const struct store_options *opt, struct log *log)
{
	static const struct store_options usual = {.ordinary = false};
	struct region r = {.chunk = NULL};
	const char *dir, *name;
	struct error *err = store_check_target(path);
	if (!err)
		err = split_path(&r, path, &dir, &name);
	if (!err)
		err = store_write_temp(s, path, dir, name, opt ? opt : &usual, log);
	region_deinit(&r);
	return err;
}
