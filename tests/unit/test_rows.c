/* Rows read from the pages of a file: the same as by SELECT, from files that SQLite itself made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/rows.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLUMNS = 5 };

static const struct rows_column column[COLUMNS] = {{.name = "id"},
						   {.name = "a"},
						   {.name = "b"},
						   {.name = "text", .prefix = "<key "},
						   {.name = "c"}};
/* The same, without what stands behind a long text. */
enum { SHORT_COLUMNS = 4 };

struct fixture {
	char folder[64], path[96];
	sqlite3 *db;
};

static void run(struct fixture *f, const char *sql)
{
	char *why = NULL;
	if (sqlite3_exec(f->db, sql, NULL, NULL, &why))
		fail_msg("%s: %s", sql, why);
}

static void begin(struct fixture *f, const char *first)
{
	strcpy(f->folder, "/tmp/test_rows.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/a.db", f->folder);
	assert_int_equal(sqlite3_open(f->path, &f->db), SQLITE_OK);
	run(f, first);
}

static void end(struct fixture *f)
{
	char other[112];
	sqlite3_close(f->db);
	static const char *const tail[] = {"", "-wal", "-shm", "-journal"};
	for (unsigned i = 0; i < sizeof(tail) / sizeof(*tail); i++) {
		snprintf(other, sizeof(other), "%s%s", f->path, tail[i]);
		unlink(other);
	}
	assert_int_equal(rmdir(f->folder), 0);
}

struct sum {
	uint64_t rows, hash;
	int64_t last;
	unsigned columns;
};

static struct error *take(void *arg, const struct rows_batch *b)
{
	struct sum *s = arg;
	for (uint32_t i = 0; i < b->n; i++) {
		s->rows++;
		for (unsigned c = 0; c < s->columns; c++)
			s->hash =
				(s->hash ^ (uint64_t)b->value[c][i]) * UINT64_C(0x100000001b3) + c;
		s->last = b->value[0][i];
	}
	return NULL;
}

/* Both ways; -1: an error that says so. */
static int64_t both(struct fixture *f, unsigned columns)
{
	struct sum page = {.columns = columns}, select = {.columns = columns};
	struct error *a = rows_read(f->db, "t", column, columns, false, take, &page);
	struct error *b = rows_read(f->db, "t", column, columns, true, take, &select);
	if (b)
		fail_msg("%s", b->message);
	if (a) {
		error_free(a);
		return -1;
	}
	assert_int_equal(page.rows, select.rows);
	assert_int_equal(page.hash, select.hash);
	return (int64_t)page.rows;
}

/* Values of all widths, texts short, with the prefix, and far longer than a page. */
static const char fill[] =
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	"INSERT INTO t (id, a, b, text, c) SELECT i * 3 - 1000,"
	" CASE i %% 9 WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN 1 ELSE (i * 7919) << (i * 5 %% "
	"60) END,"
	" -((i * 31) << (i %% 50)),"
	" CASE i %% 5 WHEN 0 THEN '<key ' || i || '>' WHEN 1 THEN NULL WHEN 2 THEN '<ke' WHEN 3 "
	"THEN"
	"  CASE WHEN i %% %d THEN '.x' ELSE printf('<key %%.*c', i * 17, 'x') END ELSE 'name' END,"
	" i FROM n WHERE i <= %d";

static void table(struct fixture *f, int rows, int long_every)
{
	char sql[1024];
	run(f,
	    "CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, text TEXT, c INTEGER)");
	snprintf(sql, sizeof(sql), fill, rows, long_every, rows);
	run(f, sql);
}

static void test_sizes(void **state)
{
	(void)state;
	static const char *const size[] = {"512", "1024", "4096", "65536"};
	static const int rows[] = {0, 1, 2, 300, 5000};
	for (unsigned s = 0; s < sizeof(size) / sizeof(*size); s++) {
		for (unsigned r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
			struct fixture f;
			char pragma[64];
			snprintf(pragma, sizeof(pragma), "PRAGMA page_size = %s", size[s]);
			begin(&f, pragma);
			/* texts that overflow: what stands behind them cannot be asked for */
			table(&f, rows[r], 8);
			assert_int_equal(both(&f, SHORT_COLUMNS), rows[r]);
			run(&f, "UPDATE t SET text = NULL WHERE length(text) > 40");
			assert_int_equal(both(&f, COLUMNS), rows[r]);
			run(&f, "DELETE FROM t WHERE id % 4 = 0");
			assert_true(both(&f, COLUMNS) >= 0);
			run(&f, "VACUUM");
			assert_true(both(&f, COLUMNS) >= 0);
			end(&f);
		}
	}
}

/* Not a table in the usual file: by SELECT, and the same. */
static void test_other(void **state)
{
	(void)state;
	static const char *const first[] = {"PRAGMA journal_mode = WAL",
					    "PRAGMA encoding = 'UTF-16le'"};
	for (unsigned i = 0; i < 2; i++) {
		struct fixture f;
		begin(&f, first[i]);
		table(&f, 700, 1000000);
		assert_int_equal(both(&f, COLUMNS), 700);
		end(&f);
	}
	struct fixture f;
	begin(&f, "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, text, c) WITHOUT ROWID");
	run(&f, "INSERT INTO t VALUES (5, 1, 2, '<key x', 3), (7, 'word', x'00', NULL, 2.5)");
	assert_int_equal(both(&f, COLUMNS), 2);
	run(&f, "DROP TABLE t; CREATE TABLE t (id INTEGER PRIMARY KEY, a, b, text); INSERT INTO t "
		"VALUES (1, 2, 3, '')");
	run(&f,
	    "ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 17; INSERT INTO t VALUES (2, 2, 3, '', 4)");
	assert_int_equal(both(&f, COLUMNS), 2);
	struct error *err = rows_read(f.db, "nothing", column, 1, false, take, &(struct sum){0});
	assert_non_null(err);
	error_free(err);
	end(&f);
}

/* No byte of the file is believed. */
static void test_damage(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, "PRAGMA page_size = 512");
	table(&f, 400, 8);
	int fd = open(f.path, O_RDWR | O_CLOEXEC);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	uint64_t seed = 1, errors = 0;
	for (unsigned i = 0; i < 4000; i++) {
		uint8_t was, now;
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* behind the header and the schema, which are SQLite's to read */
		off_t at = (off_t)(1024 + (seed >> 33) % ((uint64_t)st.st_size - 1024));
		now = (uint8_t)(seed >> 20);
		assert_int_equal(pread(fd, &was, 1, at), 1);
		assert_int_equal(pwrite(fd, &now, 1, at), 1);
		struct error *err = rows_read(f.db, "t", column, SHORT_COLUMNS, false, take,
					      &(struct sum){.columns = SHORT_COLUMNS});
		errors += err != NULL;
		error_free(err);
		assert_int_equal(pwrite(fd, &was, 1, at), 1);
	}
	assert_true(errors > 100);
	/* cut short */
	for (off_t size = st.st_size; size > 1024; size -= 512) {
		assert_int_equal(ftruncate(fd, size), 0);
		error_free(rows_read(f.db, "t", column, SHORT_COLUMNS, false, take,
				     &(struct sum){.columns = SHORT_COLUMNS}));
	}
	close(fd);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sizes),
					   cmocka_unit_test(test_other),
					   cmocka_unit_test(test_damage)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
