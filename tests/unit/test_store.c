/* The store: both writers against each other and against SQLite, what store_open refuses,
 * functions. */
#include "store/functions.h"
#include "store/store.h"
#include "store/table_impl.h"

#include "store_gen.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "assert_ok.h"

static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[4][200];
	static unsigned next;
	char *p = path[next++ % 4];
	snprintf(p, 200, "%s/%s", folder, name);
	return p;
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_store.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	char command[100];
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void must_fail(struct error *err, enum error_kind kind, const char *part)
{
	assert_non_null(err);
	if (!strstr(err->message, part))
		fail_msg("\"%s\" is not in: %s", part, err->message);
	assert_int_equal(err->kind, kind);
	error_free(err);
}

static unsigned files_in_folder(void)
{
	char command[100];
	snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
	FILE *f = popen(command, "r");
	unsigned n = 0;
	assert_int_equal(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

/* The one value of a query, as text. */
static const char *ask(sqlite3 *db, const char *sql)
{
	static char text[4][500];
	static unsigned next;
	char *t = text[next++ % 4];
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_ERROR)
		snprintf(t, 500, "error: %s", sqlite3_errmsg(db));
	else
		snprintf(t, 500, "%s",
			 rc == SQLITE_DONE ? "(no rows)"
			 : sqlite3_column_type(stmt, 0) == SQLITE_NULL
				 ? "(null)"
				 : (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	return t;
}

static sqlite3 *open_plain(const char *path)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void check_sound(const char *path)
{
	sqlite3 *db = open_plain(path);
	assert_string_equal(ask(db, "PRAGMA integrity_check"), "ok");
	assert_string_equal(ask(db, "PRAGMA foreign_key_check"), "(no rows)");
	/* What is left of the bulk writer's last extents. */
	long pages = atol(ask(db, "PRAGMA page_count")),
	     unused = atol(ask(db, "PRAGMA freelist_count"));
	assert_true(unused * 20 <= pages + 400);
	sqlite3_close(db);
}

/* Every row of a table in both databases, every column by type and bytes. Returns how many. */
static uint64_t compare_table(sqlite3 *a, sqlite3 *b, const char *table, bool rowid)
{
	char sql[100];
	snprintf(sql, sizeof(sql), "SELECT %s* FROM \"%s\"", rowid ? "rowid, " : "", table);
	sqlite3_stmt *sa, *sb;
	assert_int_equal(sqlite3_prepare_v2(a, sql, -1, &sa, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(b, sql, -1, &sb, NULL), SQLITE_OK);
	uint64_t rows = 0;
	for (;; rows++) {
		int ra = sqlite3_step(sa), rb = sqlite3_step(sb);
		assert_int_equal(ra, rb);
		if (ra != SQLITE_ROW) {
			assert_int_equal(ra, SQLITE_DONE);
			break;
		}
		for (int c = 0; c < sqlite3_column_count(sa); c++) {
			int type = sqlite3_column_type(sa, c);
			assert_int_equal(type, sqlite3_column_type(sb, c));
			int len = sqlite3_column_bytes(sa, c);
			assert_int_equal(len, sqlite3_column_bytes(sb, c));
			if (type != SQLITE_NULL && len)
				assert_memory_equal(sqlite3_column_blob(sa, c),
						    sqlite3_column_blob(sb, c), (size_t)len);
		}
	}
	sqlite3_finalize(sa);
	sqlite3_finalize(sb);
	return rows;
}

static void compare(const char *path_a, const char *path_b, const struct snapshot *s)
{
	sqlite3 *a = open_plain(path_a), *b = open_plain(path_b);
	for (const struct store_table *const *at = store_tables; *at; at++) {
		const struct store_table *t = *at;
		bool rowid =
			!t->without_rowid && strcmp(t->name, "meta") && strcmp(t->name, "frame");
		uint64_t rows = compare_table(a, b, t->name, rowid);
		/* SQL adds findings of its own, and facts for the trust card. */
		if (strcmp(t->name, "finding") && strcmp(t->name, "meta"))
			assert_int_equal(rows, t->rows(s));
		else
			assert_true(rows >= t->rows(s));
	}
	static const char schema[] = "SELECT group_concat(type || name || coalesce(sql, '')) FROM "
				     "(SELECT * FROM sqlite_schema ORDER BY type, name)";
	assert_string_equal(ask(a, schema), ask(b, schema));
	sqlite3_close(a);
	sqlite3_close(b);
}

static void both_paths(const struct gen_options *o)
{
	struct image img = {.word_size = 8};
	struct snapshot *s = gen_snapshot(o, &img);
	const char *ordinary = in_folder("ordinary.db"), *bulk = in_folder("bulk.db");
	assert_ok(store_write(s, ordinary,
			      &(struct store_options){.ordinary = true, .no_sync = true}, NULL));
	/* Trees of one part and of many. */
	struct store_options opt = {
		.bulk_from = 1, .no_sync = true, .bulk_part = 7 + o->seed % 5 * 500};
	assert_ok(store_write(s, bulk, &opt, NULL));
	check_sound(ordinary);
	check_sound(bulk);
	compare(ordinary, bulk, s);
	gen_destroy(s, &img);
}

static void test_empty(void **state)
{
	(void)state;
	both_paths(&(struct gen_options){.seed = 1});
}

static void test_sizes(void **state)
{
	(void)state;
	/* Around the numbers of rows at which trees of every height begin. */
	for (uint32_t n = 1; n < 400; n += 1 + n / 8)
		both_paths(&(struct gen_options){.seed = n,
						 .objects = n,
						 .references = 2 * n,
						 .roots = n,
						 .frees = n,
						 .types = n / 3,
						 .clusters = 3,
						 .text_max = 100});
}

static void test_wide(void **state)
{
	(void)state;
	for (uint32_t seed = 100; seed < 106; seed++)
		both_paths(&(struct gen_options){.seed = seed,
						 .objects = 3000,
						 .references = 9000,
						 .roots = 500,
						 .frees = 700,
						 .types = 40,
						 .clusters = 30,
						 .high = seed % 2,
						 .text_max = seed % 3 ? 6000 : 60000});
}

static void test_plain(void **state)
{
	(void)state;
	both_paths(&(struct gen_options){.seed = 7,
					 .objects = 150000,
					 .references = 400000,
					 .roots = 20000,
					 .frees = 30000,
					 .types = 100,
					 .clusters = 200,
					 .text_max = 40,
					 .plain = true});
}

/* Columns that nobody knows: the rows of both ways are the same, and have no index but such without NULL. */
static void test_unknown(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 2; way++) {
		struct damage_log damage = {0};
		struct snapshot *s;
		uint32_t n = 60000;
		assert_ok(snapshot_create(NULL, &damage, &s));
		assert_ok(snapshot_traced(s, n, way));
		for (uint32_t i = 0; i < n; i++) {
			/* Sizes of all lengths that numbers are written in. */
			s->object.size[i] = i % 5 ? i % 40 * 8 : UINT64_C(1) << i % 62;
			s->object.site_id[i] = 0;
			if (way)
				s->object.address[i] = UINT64_C(0x7f0000000000) + 16 * i;
		}
		const char *ordinary = in_folder("ordinary.db"), *bulk = in_folder("bulk.db");
		struct store_options opt = {.ordinary = true, .no_sync = true};
		assert_ok(store_write(s, ordinary, &opt, NULL));
		opt = (struct store_options){.bulk_from = 1, .no_sync = true, .bulk_part = 900};
		assert_ok(store_write(s, bulk, &opt, NULL));
		check_sound(ordinary);
		check_sound(bulk);
		compare(ordinary, bulk, s);
		sqlite3 *db = open_plain(bulk);
		assert_string_equal(ask(db, "SELECT group_concat(name) FROM (SELECT name FROM "
					    "sqlite_schema WHERE type = 'index' AND tbl_name = "
					    "'object' ORDER BY name)"),
				    way ? "object_address,object_dominator,object_owner,object_size"
					: "object_dominator,object_owner,object_size");
		assert_string_equal(ask(db, "SELECT count(*) FROM object WHERE type_id IS NULL AND "
					    "retained IS NULL"),
				    "60000");
		sqlite3_close(db);
		snapshot_destroy(s);
		damage_deinit(&damage);
	}
}

/* SQLite goes on writing to what the bulk writer made: every tree is split, merged, freed. */
static void test_goes_on(void **state)
{
	(void)state;
	struct image img = {.word_size = 8};
	struct snapshot *s = gen_snapshot(&(struct gen_options){.seed = 11,
								.objects = 5000,
								.references = 20000,
								.roots = 3000,
								.frees = 3000,
								.types = 20,
								.clusters = 30,
								.text_max = 9000},
					  &img);
	const char *path = in_folder("goes-on.db");
	struct store_options opt = {.bulk_from = 1, .no_sync = true};
	assert_ok(store_write(s, path, &opt, NULL));
	static const char *const step[] = {
		"INSERT INTO object (size, address) SELECT size, address + 1 FROM object",
		"UPDATE object SET value = printf('%.*c', id % 9000, 'x') WHERE id % 7 = 0",
		"DELETE FROM reference WHERE rowid % 3 = 1",
		"INSERT INTO reference SELECT dst, offset, src, kind, how, name, unseen FROM "
		"reference",
		"DELETE FROM free_block WHERE size % 2 = 0",
		("INSERT OR IGNORE INTO free_block"
		 " SELECT address + 8, size, NULL, kind FROM free_block"),
		"UPDATE cluster_member SET object_id = object_id + 10000",
		"DELETE FROM root WHERE object_id % 5 <> 0",
		"CREATE INDEX more ON reference (offset, dst)",
		"DELETE FROM object WHERE id % 4 = 0",
		"VACUUM",
		"DELETE FROM reference",
	};
	sqlite3 *db = open_plain(path);
	for (unsigned i = 0; i < sizeof(step) / sizeof(*step); i++) {
		if (sqlite3_exec(db, step[i], NULL, NULL, NULL))
			fail_msg("%s: %s", step[i], sqlite3_errmsg(db));
		assert_string_equal(ask(db, "PRAGMA integrity_check"), "ok");
	}
	sqlite3_close(db);
	gen_destroy(s, &img);
}

/* The descriptions name every column of the schema, in its order. */
static void test_columns(void **state)
{
	(void)state;
	struct image img = {.word_size = 8};
	struct snapshot *s = gen_snapshot(&(struct gen_options){.seed = 1}, &img);
	const char *path = in_folder("columns.db");
	assert_ok(store_write(s, path, NULL, NULL));
	sqlite3 *db = open_plain(path);
	for (const struct store_table *const *at = store_tables; *at; at++) {
		const struct store_table *t = *at;
		char want[500] = "", sql[200];
		for (unsigned c = 0; t->column[c]; c++) {
			strcat(want, c ? "," : "");
			strcat(want, t->column[c]);
		}
		snprintf(sql, sizeof(sql), "SELECT group_concat(name) FROM pragma_table_info('%s')",
			 t->name);
		assert_string_equal(ask(db, sql), want);
		for (const struct store_index *x = t->index; x->name; x++) {
			snprintf(sql, sizeof(sql),
				 "SELECT name FROM pragma_index_xinfo('%s') WHERE key AND NOT desc",
				 x->name);
			assert_string_equal(ask(db, sql), x->column);
		}
	}
	sqlite3_close(db);
	gen_destroy(s, &img);
}

/* The views can be read by SQLite alone, and say what they promise. */
static void test_views(void **state)
{
	(void)state;
	struct image img = {.word_size = 8};
	struct gen_options o = {.seed = 12,
				.objects = 400,
				.references = 900,
				.roots = 100,
				.frees = 100,
				.types = 9,
				.clusters = 50,
				.text_max = 30};
	struct snapshot *s = gen_snapshot(&o, &img);
	/* No owner is owned, and half of the objects are buffers. */
	for (uint32_t i = 0; i < o.objects; i++)
		s->object.owner_id[i] = i % 2 ? 1 + (i & ~31u) : 0;
	const char *path = in_folder("views.db");
	assert_ok(store_write(s, path, &(struct store_options){.no_sync = true}, NULL));
	sqlite3 *db = open_plain(path);
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT name FROM sqlite_master WHERE type = 'view'",
					    -1, &stmt, NULL),
			 SQLITE_OK);
	unsigned views = 0;
	for (; sqlite3_step(stmt) == SQLITE_ROW; views++) {
		char sql[100];
		snprintf(sql, sizeof(sql), "SELECT count(*) || '' FROM (SELECT * FROM %s)",
			 (const char *)sqlite3_column_text(stmt, 0));
		if (!strcmp(ask(db, sql), "0"))
			fail_msg("no rows: %s", sql);
	}
	sqlite3_finalize(stmt);
	assert_true(views > 10);
	assert_string_equal(ask(db, "SELECT sum(objects) FROM type_summary"),
			    ask(db, "SELECT sum(objects) FROM census"));
	assert_string_equal(
		ask(db, "SELECT sum(bytes) FROM leak_summary"),
		ask(db, "SELECT sum(bytes) FROM cluster WHERE kind = 'leak' AND NOT reachable"));
	assert_string_equal(ask(db, "SELECT address FROM object_view WHERE id = 1"),
			    "0x555555550010");
	assert_string_equal(ask(db, "SELECT sum(bytes) FROM ledger_summary"), "81920");
	/* referent, by its definition */
	assert_string_equal(
		ask(db,
		    "WITH fold(id, owner) AS (SELECT id, coalesce(owner_id, id) FROM object) "
		    "SELECT count(*) FROM reference r JOIN fold a ON a.id = r.src JOIN fold b ON "
		    "b.id = r.dst WHERE r.kind <> 2 AND NOT (b.owner <> b.id AND b.owner = "
		    "a.owner)"),
		ask(db, "SELECT count(*) FROM referent"));
	assert_string_equal(ask(db,
				"SELECT count(*) FROM referent JOIN object o ON o.id IN (src, dst) "
				"WHERE o.owner_id IS NOT NULL"),
			    "0");
	/* A question about one object reads that object alone. */
	static const char *const quick[] = {
		"SELECT * FROM referent WHERE src = 5",
		"SELECT * FROM reference_view WHERE dst = 5",
		"SELECT * FROM root_view WHERE object_id = 5",
		"SELECT * FROM cluster_view WHERE object_id = 5",
		"SELECT * FROM object_view WHERE id = 5",
		"SELECT id FROM object ORDER BY retained DESC LIMIT 9",
		"SELECT id FROM object WHERE address <= 99 ORDER BY address DESC LIMIT 1",
	};
	for (unsigned i = 0; i < sizeof(quick) / sizeof(*quick); i++) {
		char sql[200];
		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", quick[i]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *detail = (const char *)sqlite3_column_text(stmt, 3);
			if (!strncmp(detail, "SCAN", 4) && !strstr(detail, "USING"))
				fail_msg("%s: %s", quick[i], detail);
		}
		sqlite3_finalize(stmt);
	}
	sqlite3_close(db);
	gen_destroy(s, &img);
}

static struct snapshot *small(struct image *img, uint64_t seed)
{
	return gen_snapshot(&(struct gen_options){.seed = seed,
						  .objects = 20000,
						  .references = 40000,
						  .types = 10,
						  .text_max = 30},
			    img);
}

static void test_replace(void **state)
{
	(void)state;
	struct image img = {.word_size = 8};
	struct snapshot *s = small(&img, 3);
	const char *path = in_folder("replace.db");
	assert_ok(store_write(s, path, NULL, NULL));
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(path, 0640), 0);
	gen_destroy(s, &img);
	s = small(&img, 4);
	assert_ok(store_write(s, path, NULL, NULL));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	check_sound(path);
	gen_destroy(s, &img);
}

/* What is no database of ours is not overwritten, nor is one that has a journal. */
static void test_target(void **state)
{
	(void)state;
	const char *path = in_folder("target");
	FILE *f = fopen(path, "w");
	fputs("\177ELF: a core that someone still needs, and that is longer than a header is, by "
	      "far",
	      f);
	fclose(f);
	must_fail(store_check_target(path), ERROR_USAGE, "no heapscan database");
	must_fail(store_check_target("/nonexistent/x.db"), ERROR_SYSTEM, "cannot write");
	must_fail(store_check_target(folder), ERROR_USAGE, "no file");
	must_fail(store_check_target(in_folder("")), ERROR_USAGE, "names no file");
	assert_ok(store_check_target(in_folder("new.db")));
	const char *journal = in_folder("new.db-journal");
	f = fopen(journal, "w");
	fputs("hot", f);
	fclose(f);
	must_fail(store_check_target(in_folder("new.db")), ERROR_USAGE, "in the way");
	unlink(journal);
	assert_ok(store_check_target(in_folder("new.db")));
}

/* Killed at some point by a signal whose handler calls store_abort: the old file stays, nothing
 * else. */
static void on_signal(int sig)
{
	store_abort();
	_exit(128 + sig);
}

static void test_interrupted(void **state)
{
	(void)state;
	struct image img = {.word_size = 8};
	struct snapshot *s = small(&img, 5);
	const char *path = in_folder("interrupted.db");
	assert_ok(store_write(s, path, NULL, NULL));
	sqlite3 *db = open_plain(path);
	sqlite3_exec(db, "UPDATE meta SET value = 'old' WHERE key = 'pid'", NULL, NULL, NULL);
	sqlite3_close(db);
	unsigned before = files_in_folder(), interrupted = 0;
	for (unsigned us = 500; us < 300000 && interrupted < 12; us = us * 3 / 2) {
		pid_t pid = fork();
		if (!pid) {
			signal(SIGTERM, on_signal);
			signal(SIGALRM, on_signal);
			ualarm(us, 0);
			struct store_options opt = {.ordinary = us & 1};
			struct error *err = store_write(s, path, &opt, NULL);
			_exit(err ? 1 : 0);
		}
		int status = 0;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			break;
		assert_int_equal(WEXITSTATUS(status), 128 + SIGALRM);
		assert_int_equal(files_in_folder(), before);
		db = open_plain(path);
		assert_string_equal(ask(db, "PRAGMA quick_check"), "ok");
		bool old = !strcmp(ask(db, "SELECT value FROM meta WHERE key = 'pid'"), "old");
		sqlite3_close(db);
		/* The signal may come when all is done but the process's end. */
		if (!old)
			break;
		interrupted++;
	}
	assert_true(interrupted > 0);
	gen_destroy(s, &img);
}

/* An error half-way (here: no more room than a limit on file sizes gives) leaves the old file, too.
 */
static void test_no_room(void **state)
{
	(void)state;
	struct image img = {.word_size = 8};
	struct snapshot *s = small(&img, 6);
	const char *path = in_folder("room.db");
	assert_ok(store_write(s, path, NULL, NULL));
	unsigned before = files_in_folder();
	for (unsigned ordinary = 0; ordinary < 2; ordinary++) {
		pid_t pid = fork();
		if (!pid) {
			signal(SIGXFSZ, SIG_IGN);
			struct rlimit limit = {300000, 300000};
			setrlimit(RLIMIT_FSIZE, &limit);
			struct store_options opt = {.ordinary = ordinary};
			struct error *err = store_write(s, path, &opt, NULL);
			_exit(err && err->kind == ERROR_SYSTEM ? 7 : 0);
		}
		int status = 0;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 7);
		assert_int_equal(files_in_folder(), before);
		check_sound(path);
	}
	gen_destroy(s, &img);
}

static void test_open(void **state)
{
	(void)state;
	struct store *st = NULL;
	must_fail(store_open(in_folder("nothing.db"), &st), ERROR_INPUT, "No such file");
	must_fail(store_open(folder, &st), ERROR_INPUT, "no file");
	const char *path = in_folder("open.db");
	close(open(path, O_CREAT | O_WRONLY, 0600));
	must_fail(store_open(path, &st), ERROR_INPUT, "empty");
	FILE *f = fopen(path, "w");
	for (unsigned i = 0; i < 5000; i++)
		fputc((int)(i * 7 % 251), f);
	fclose(f);
	must_fail(store_open(path, &st), ERROR_INPUT, "no SQLite database");
	unlink(path);
	sqlite3 *db = open_plain(path);
	sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL);
	must_fail(store_open(path, &st), ERROR_INPUT, "not one that heapscan made");
	sqlite3_exec(db, "PRAGMA application_id = 0x48534442; PRAGMA user_version = 99", NULL, NULL,
		     NULL);
	must_fail(store_open(path, &st), ERROR_INPUT, "newer heapscan (schema 99");
	sqlite3_exec(db, "PRAGMA user_version = 0", NULL, NULL, NULL);
	must_fail(store_open(path, &st), ERROR_INPUT, "does not exist");
	sqlite3_close(db);
	unlink(path);

	struct image img = {.word_size = 8};
	struct snapshot *s = small(&img, 8);
	assert_ok(store_write(s, path, NULL, NULL));
	assert_ok(store_open(path, &st));
	assert_string_equal(ask(st->db, "SELECT count(*) FROM object"), "20000");
	assert_int_not_equal(sqlite3_exec(st->db, "DELETE FROM meta", NULL, NULL, NULL), SQLITE_OK);
	store_close(st);
	/* Cut: refused at opening or by the query, without a crash. */
	struct stat whole;
	assert_int_equal(stat(path, &whole), 0);
	for (off_t len = whole.st_size - 1; len > 0; len = len * 2 / 3) {
		assert_int_equal(truncate(path, len), 0);
		struct error *err = store_open(path, &st);
		if (!err) {
			ask(st->db, "SELECT sum(size) FROM object");
			store_close(st);
		} else {
			error_free(err);
		}
	}
	gen_destroy(s, &img);
}

static void test_functions(void **state)
{
	(void)state;
	sqlite3 *db = open_plain(":memory:");
	assert_ok(store_functions(db));
	assert_string_equal(ask(db, "SELECT addr(0x7fff12345678)"), "0x7fff12345678");
	assert_string_equal(ask(db, "SELECT addr(-1)"), "0xffffffffffffffff");
	assert_string_equal(ask(db, "SELECT addr(0)"), "0x0");
	assert_string_equal(ask(db, "SELECT addr(NULL)"), "(null)");
	assert_string_equal(ask(db, "SELECT addr('abc')"), "(null)");
	assert_string_equal(ask(db, "SELECT human(0)"), "0 B");
	assert_string_equal(ask(db, "SELECT human(1023)"), "1023 B");
	assert_string_equal(ask(db, "SELECT human(1024)"), "1.00 KiB");
	assert_string_equal(ask(db, "SELECT human(1048575)"), "1.00 MiB");
	assert_string_equal(ask(db, "SELECT human(3435973837)"), "3.20 GiB");
	assert_string_equal(ask(db, "SELECT human(-1536)"), "-1.50 KiB");
	assert_string_equal(ask(db, "SELECT human(NULL)"), "(null)");
	assert_string_equal(ask(db, "SELECT 'std::vector<int>' REGEXP '^std::(vector|list)<'"),
			    "1");
	assert_string_equal(ask(db, "SELECT 'abc' REGEXP 'd'"), "0");
	assert_string_equal(ask(db, "SELECT NULL REGEXP 'd'"), "(null)");
	assert_string_equal(ask(db, "SELECT 'x' REGEXP NULL"), "(null)");
	assert_string_equal(ask(db, "SELECT 'n\xc3\xa9' REGEXP '^n.$'"), "1");
	assert_string_equal(ask(db, "SELECT CAST(x'ff61' AS TEXT) REGEXP 'a'"), "1");
	assert_non_null(strstr(ask(db, "SELECT 'x' REGEXP '(a'"), "missing closing parenthesis"));
	assert_string_equal(ask(db, "SELECT sum(x REGEXP '^a') FROM (SELECT 'ab' AS x UNION ALL "
				    "SELECT 'b' UNION ALL SELECT 'a')"),
			    "2");
	/* The pattern may change from row to row. */
	assert_string_equal(ask(db, "SELECT sum('ab' REGEXP x) FROM (SELECT '^a' AS x UNION ALL "
				    "SELECT 'z' UNION ALL SELECT 'b$')"),
			    "2");
	/* Exponential for a backtracking matcher: stopped, not waited for. */
	assert_non_null(strstr(ask(db, "SELECT printf('%.5000c', 'a') || 'b' REGEXP '^(a+)+$'"),
			       "too expensive"));
	assert_non_null(strstr(ask(db, "SELECT 'x' REGEXP printf('%.70000c', 'a')"), "too long"));
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),	  cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_wide),	  cmocka_unit_test(test_plain),
		cmocka_unit_test(test_unknown),	  cmocka_unit_test(test_goes_on),
		cmocka_unit_test(test_columns),	  cmocka_unit_test(test_replace),
		cmocka_unit_test(test_target),	  cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_no_room),	  cmocka_unit_test(test_open),
		cmocka_unit_test(test_functions), cmocka_unit_test(test_views),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
