#include "base/utf8.h"
#include "cmd/cmd.h"
#include "report/report.h"
#include "report/text.h"
#include "store/embed.h"
#include "store/growth.h"

#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- text ---- */

static void escaping(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} cases[] = {
		{"plain", 5, "plain"},
		{"tab\tnew\nline\r", 13, "tab\\tnew\\nline\\r"},
		{"\033[31m", 5, "\\x1b[31m"},
		{"a\0b", 3, "a\\x00b"},
		{"\x7f", 1, "\\x7f"},
		{"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f"},
		{"\xc2\x9b"
		 "31m",
		 5, "\\xc2\\x9b31m"}, /* C1: CSI in one character */
		{"\xe2\x80\xae"
		 "abc",
		 6, "\\u{202e}abc"}, /* right-to-left override */
		{"\xff\xfe", 2, "\\xff\\xfe"},
		{"\xc0\xaf", 2, "\\xc0\\xaf"},			 /* overlong */
		{"\xed\xa0\x80", 3, "\\xed\\xa0\\x80"},		 /* surrogate */
		{"\xe6\x97", 2, "\\xe6\\x97"},			 /* cut short */
		{"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"}, /* beyond Unicode */
		{"back\\slash", 10, "back\\slash"},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct region r = {0};
		assert_string_equal(text_escape(&r, cases[i].in, cases[i].len), cases[i].out);
		region_deinit(&r);
	}
}

/* Whatever the bytes are: nothing that a terminal obeys comes out, and it is UTF-8. */
static void escaping_random(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (int round = 0; round < 5000; round++) {
		struct region r = {0};
		char in[24];
		for (unsigned i = 0; i < sizeof(in); i++) {
			seed = seed * 1664525 + 1013904223;
			in[i] = (char)(seed >> 24);
		}
		size_t len = seed % sizeof(in);
		const char *out = text_escape(&r, in, len);
		size_t out_len = strlen(out);
		for (size_t i = 0; i < out_len;) {
			int32_t cp;
			i += utf8_decode(out + i, out_len - i, &cp);
			assert_true(cp >= 0x20 && cp != 0x7f && !(cp >= 0x80 && cp < 0xa0));
		}
		for (size_t width = 1; width < 30; width++) {
			const char *cut = text_cut(&r, out, width);
			assert_true(text_width(cut) <= width);
			if (text_width(out) <= width)
				assert_string_equal(cut, out);
		}
		char valid[UTF8_CLEAN_MOST * sizeof(in) + 1];
		size_t valid_len = utf8_clean(valid, sizeof(valid), in, len);
		assert_true(utf8_valid(valid, valid_len));
		assert_int_equal(utf8_valid(in, len), valid_len == len && !memcmp(in, valid, len));
		/* with less room: a beginning of it, still whole characters */
		char part[20];
		size_t part_len = utf8_clean(part, sizeof(part), in, len);
		assert_true(part_len < sizeof(part) && part_len <= valid_len);
		assert_memory_equal(part, valid, part_len);
		assert_true(utf8_valid(part, part_len));
		for (size_t most = 0; most <= valid_len; most++) {
			size_t cut = utf8_cut(valid, valid_len, most);
			assert_true(cut <= most && most - cut < 4 && utf8_valid(valid, cut));
		}
		json_t *v = json_stringn(valid, valid_len); /* checks UTF-8 */
		assert_non_null(v);
		json_decref(v);
		region_deinit(&r);
	}
}

static void cutting(void **state)
{
	(void)state;
	struct region r = {0};
	assert_string_equal(text_cut(&r, "abcdef", 6), "abcdef");
	assert_string_equal(text_cut(&r, "abcdef", 5), "abcd\xe2\x80\xa6");
	assert_string_equal(text_cut(&r, "abcdef", 1), "\xe2\x80\xa6");
	/* two columns each */
	assert_int_equal(text_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
	assert_string_equal(text_cut(&r, "\xe6\x97\xa5\xe6\x9c\xac", 3),
			    "\xe6\x97\xa5\xe2\x80\xa6");
	assert_string_equal(text_cut(&r, "\xe6\x97\xa5\xe6\x9c\xac", 2), "\xe2\x80\xa6");
	/* a combining accent takes none */
	assert_int_equal(text_width("e\xcc\x81"), 1);
	region_deinit(&r);
}

static void numbers(void **state)
{
	(void)state;
	char buf[TEXT_NUMBER_MAX];
	assert_string_equal(text_bytes(buf, 0), "0 B");
	assert_string_equal(text_bytes(buf, 1023), "1023 B");
	assert_string_equal(text_bytes(buf, 1024), "1.00 KiB");
	assert_string_equal(text_bytes(buf, 10 * 1024), "10.0 KiB");
	assert_string_equal(text_bytes(buf, 1024 * 1024 - 1), "1.00 MiB");
	assert_string_equal(text_bytes(buf, 10234), "9.99 KiB");
	assert_string_equal(text_bytes(buf, 10236), "10.0 KiB");
	assert_string_equal(text_bytes(buf, UINT64_MAX), "16.0 EiB");
	assert_string_equal(text_count(buf, 0), "0");
	assert_string_equal(text_count(buf, 999), "999");
	assert_string_equal(text_count(buf, 1000), "1,000");
	assert_string_equal(text_count(buf, -123456), "-123,456");
	assert_string_equal(text_count(buf, INT64_MIN), "-9,223,372,036,854,775,808");
	assert_string_equal(text_share(buf, 1, 3), "33.3 %");
	assert_string_equal(text_share(buf, 1, 100000), "<0.1 %");
	assert_string_equal(text_share(buf, 0, 3), "0.0 %");
	assert_string_equal(text_share(buf, 1, 0), "");
	/* A unit never shows 1024 of itself, and sizes grow with their texts' values. */
	for (uint64_t v = 1; v < UINT64_C(1) << 62; v += v / 3 + 1)
		assert_null(strstr(text_bytes(buf, v), "1024"));
}

/* The same by printf, which rounds a double's exact value. */
static void printed(char *buf, uint64_t bytes)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	double v = (double)bytes;
	unsigned u = 0;
	for (; v >= 1023.95 && u < 6 && bytes >= 1024; u++)
		v /= 1024;
	snprintf(buf, TEXT_NUMBER_MAX,
		 bytes < 1024 ? "%.0f %s"
		 : v < 9.995  ? "%.2f %s"
			      : "%.1f %s",
		 v, unit[u]);
}

static void number(uint64_t v)
{
	char buf[TEXT_NUMBER_MAX], like[TEXT_NUMBER_MAX];
	printed(like, v);
	assert_string_equal(text_bytes(buf, v), like);
	snprintf(like, sizeof(like), "%" PRId64, (int64_t)v);
	assert_string_equal(text_integer(buf, (int64_t)v), like);
	snprintf(like, sizeof(like), "0x%" PRIx64, v);
	assert_string_equal(text_address(buf, v), like);
}

static void numbers_as_printf(void **state)
{
	(void)state;
	for (uint64_t v = 0; v < 300000; v++)
		number(v);
	/* every unit: halves of a digit, and what stands beside them; powers of two */
	for (unsigned shift = 0; shift < 64; shift++)
		for (uint64_t part = 0; part < 2200; part++)
			for (int beside = -1; beside <= 1; beside++)
				number((part << shift) / 200 + (uint64_t)(int64_t)beside);
	for (uint64_t v = 1; v < UINT64_MAX / 2; v += v / 1000 + 1)
		number(v);
	number(UINT64_MAX);
}

/* ---- tables ---- */

struct output {
	sqlite3 *db;
	struct report rep;
	char *text;
	size_t len;
};

static void output_begin(struct output *o, bool json, unsigned width)
{
	*o = (struct output){.rep = {.json = json, .width = width}};
	o->rep.out = open_memstream(&o->text, &o->len);
	assert_int_equal(sqlite3_open(":memory:", &o->db), SQLITE_OK);
	report_begin(&o->rep, "test");
}

static void output_rows(struct output *o, const char *section, const struct report_column *columns,
			const char *sql)
{
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_prepare_v2(o->db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_null(report_rows(&o->rep, section, columns, stmt, NULL));
	sqlite3_finalize(stmt);
}

static void output_end(struct output *o)
{
	assert_null(report_end(&o->rep));
	fclose(o->rep.out);
}

static void output_deinit(struct output *o)
{
	sqlite3_close(o->db);
	free(o->text);
}

static const struct report_column columns[] = {
	{"n", "COUNT", REPORT_COUNT, NULL},	{"b", "BYTES", REPORT_BYTES, NULL},
	{"a", "ADDRESS", REPORT_ADDRESS, NULL}, {"t", "TYPE", REPORT_TEXT, "(untyped)"},
	{"hidden", NULL, REPORT_COUNT, NULL},	{0},
};

static void aligned(void **state)
{
	(void)state;
	struct output o;
	output_begin(&o, false, 0);
	output_rows(&o, "rows", columns,
		    "SELECT 1 AS n, 2048 AS b, 4096 AS a, 'x' AS t, 7 AS hidden "
		    "UNION ALL SELECT 12345, 3, NULL, NULL, 8");
	output_end(&o);
	assert_string_equal(o.text, " COUNT     BYTES  ADDRESS  TYPE\n"
				    "     1  2.00 KiB  0x1000   x\n"
				    "12,345       3 B  -        (untyped)\n");
	output_deinit(&o);
}

/* A column that may be missing is there as soon as one row has something in it. */
static void optional(void **state)
{
	(void)state;
	static const struct report_column three[] = {{"a", "?A", REPORT_TEXT, ""},
						     {"n", "COUNT", REPORT_COUNT, NULL},
						     {"b", "?BEHIND", REPORT_TEXT, ""},
						     {0}};
	struct output o;
	output_begin(&o, false, 0);
	output_rows(&o, "rows", three,
		    "SELECT NULL AS a, 1 AS n, '' AS b UNION ALL SELECT NULL, 22, NULL");
	output_end(&o);
	assert_string_equal(o.text, "COUNT\n    1\n   22\n");
	output_deinit(&o);
	output_begin(&o, false, 0);
	output_rows(&o, "rows", three,
		    "SELECT NULL AS a, 1 AS n, NULL AS b UNION ALL SELECT 'x', 22, NULL");
	output_end(&o);
	assert_string_equal(o.text, "A  COUNT\n       1\nx     22\n");
	output_deinit(&o);
	output_begin(&o, true, 0);
	output_rows(&o, "rows", three, "SELECT NULL AS a, 1 AS n, NULL AS b");
	output_end(&o);
	assert_non_null(strstr(o.text, "\"a\": null, \"n\": 1, \"b\": null"));
	output_deinit(&o);
}

static void fitted(void **state)
{
	(void)state;
	for (unsigned width = 44; width < 90; width++) {
		struct output o;
		output_begin(&o, false, width);
		output_rows(&o, "rows", columns,
			    "SELECT 123 AS n, 2048 AS b, 140000000000000 AS a, "
			    "'std::vector<std::pair<int, std::string> >' AS t, 7 AS hidden");
		output_end(&o);
		for (char *line = strtok(o.text, "\n"); line; line = strtok(NULL, "\n"))
			assert_true(text_width(line) <= width);
		output_deinit(&o);
	}
}

/* Where nothing is cut, one long text moves what stands behind it on its own line, and on no other. */
static void overlong(void **state)
{
	(void)state;
	static const struct report_column two[] = {
		{"t", "TYPE", REPORT_TEXT, NULL}, {"n", "COUNT", REPORT_COUNT, NULL}, {0}};
	struct output o;
	output_begin(&o, false, 0);
	output_rows(&o, "rows", two,
		    "SELECT printf('%.*c', 200, 'x') AS t, 1 AS n UNION ALL SELECT 'short', 23456");
	output_end(&o);
	char *second = strchr(strchr(o.text, '\n') + 1, '\n') + 1;
	assert_int_equal(strcspn(strchr(o.text, '\n') + 1, "\n"), 203);
	assert_int_equal(strcspn(second, "\n"), 60 + 2 + 6);
	assert_int_equal(strcspn(o.text, "\n"), 60 + 2 + 6);
	assert_non_null(strstr(second, "  23,456\n"));
	output_deinit(&o);
}

/* More rows than widths are looked at for: all are printed. */
static void many(void **state)
{
	(void)state;
	struct output o;
	output_begin(&o, false, 0);
	output_rows(&o, "rows", NULL,
		    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 2345) "
		    "SELECT x AS number, 'row ' || x AS name FROM c");
	output_end(&o);
	unsigned lines = 0;
	for (const char *p = o.text; *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, 2346);
	assert_non_null(strstr(o.text, "2345  row 2345\n"));
	output_deinit(&o);
}

static void as_json(void **state)
{
	(void)state;
	struct output o;
	output_begin(&o, true, 0);
	report_int(&o.rep, "total", 3);
	report_string(&o.rep, "path", "a\"b\\c\033\xff");
	report_string(&o.rep, "none", NULL);
	report_line(&o.rep, "no text in JSON");
	output_rows(&o, "rows", columns,
		    "SELECT 1 AS n, 2048 AS b, -1 AS a, 'x' || char(0) || 'y' AS t, 7 AS hidden "
		    "UNION ALL SELECT 12345, 3, NULL, NULL, 8");
	output_rows(&o, "empty", columns, "SELECT 1 n, 1 b, 1 a, 1 t, 1 hidden WHERE 0");
	output_rows(&o, "any", NULL,
		    "SELECT 1 AS a, 2 AS a, 1e999 AS inf, x'ff41' AS blob, 0.5 AS h");
	output_end(&o);
	json_error_t error;
	json_t *j = json_loads(o.text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "command")), "test");
	assert_string_equal(json_string_value(json_object_get(j, "path")), "a\"b\\c\033\\xff");
	assert_true(json_is_null(json_object_get(j, "none")));
	json_t *rows = json_object_get(j, "rows"), *row = json_array_get(rows, 0);
	assert_int_equal(json_array_size(rows), 2);
	assert_int_equal(json_object_size(row), 5);
	assert_int_equal(json_integer_value(json_object_get(row, "b")), 2048);
	assert_string_equal(json_string_value(json_object_get(row, "a")), "0xffffffffffffffff");
	assert_int_equal(json_string_length(json_object_get(row, "t")), 3);
	assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "t")));
	assert_int_equal(json_array_size(json_object_get(j, "empty")), 0);
	json_t *any = json_array_get(json_object_get(j, "any"), 0);
	assert_int_equal(json_integer_value(json_object_get(any, "a:1")), 2);
	assert_true(json_is_null(json_object_get(any, "inf")));
	assert_string_equal(json_string_value(json_object_get(any, "blob")), "\\xffA");
	json_decref(j);
	output_deinit(&o);
}

static void not_written(void **state)
{
	(void)state;
	struct report rep = {.out = fopen("/dev/full", "w")};
	if (!rep.out)
		skip();
	report_begin(&rep, "test");
	report_line(&rep, "some text");
	struct error *err = report_end(&rep);
	assert_non_null(err);
	assert_int_equal(error_exit_status(err), 2);
	error_free(err);
	fclose(rep.out);
}

/* ---- the commands' queries ---- */

static void accept_function(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n, (void)v;
	sqlite3_result_int(ctx, 1);
}

/* Every query compiles against the schema, and is one statement. */
static void queries(void **state)
{
	(void)state;
	sqlite3 *db;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	sqlite3_create_function(db, "regexp", 2, SQLITE_UTF8, NULL, accept_function, NULL, NULL);
	sqlite3_create_function(db, "short_name", 1, SQLITE_UTF8, NULL, accept_function, NULL,
				NULL);
	assert_int_equal(sqlite3_exec(db, embed_find("tables.sql"), NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, embed_find("views.sql"), NULL, NULL, NULL), SQLITE_OK);
	/* Tables that a command makes for its queries; what fills them compiles, too. */
	for (const struct embed *e = embed_table; e->name; e++)
		if (!strncmp(e->name, "temp/", 5) && strstr(e->name, "_table"))
			assert_int_equal(sqlite3_exec(db, e->text, NULL, NULL, NULL), SQLITE_OK);
	for (const struct embed *e = embed_table; e->name; e++) {
		sqlite3_stmt *stmt = NULL;
		if (strncmp(e->name, "temp/", 5) || strstr(e->name, "_table"))
			continue;
		assert_int_equal(sqlite3_prepare_v2(db, e->text, -1, &stmt, NULL), SQLITE_OK);
		sqlite3_finalize(stmt);
	}
	unsigned n = 0;
	for (const struct embed *e = embed_table; e->name; e++) {
		if (strncmp(e->name, "query/", 6))
			continue;
		sqlite3_stmt *stmt = NULL;
		const char *tail;
		if (sqlite3_prepare_v2(db, e->text, -1, &stmt, &tail))
			fail_msg("%s: %s", e->name, sqlite3_errmsg(db));
		assert_true(sqlite3_stmt_readonly(stmt));
		assert_true(strspn(tail, " \n") == strlen(tail));
		sqlite3_finalize(stmt);
		n++;
	}
	assert_true(n > 20);
	sqlite3_close(db);
}

/* diff's, against databases attached under the names that they use. */
static void growth_queries(void **state)
{
	(void)state;
	struct store *st;
	assert_null(growth_create(&st));
	static const char *const names[] = {"dump", "new"};
	char *tables = strdup(embed_find("tables.sql"));
	for (unsigned i = 0; i < 2; i++) {
		char sql[64];
		snprintf(sql, sizeof(sql), "ATTACH ':memory:' AS %s", names[i]);
		assert_int_equal(sqlite3_exec(st->db, sql, NULL, NULL, NULL), SQLITE_OK);
	}
	/* "CREATE TABLE x" -> "CREATE TABLE dump.x" */
	for (unsigned i = 0; i < 2; i++) {
		for (const char *at = tables; (at = strstr(at, "CREATE TABLE "));) {
			const char *name = at + strlen("CREATE TABLE "), *end = strchr(at, ';');
			while (end && strncmp(end, ";\n", 2))
				end = strchr(end + 1, ';');
			assert_non_null(end);
			char *sql = NULL;
			assert_true(asprintf(&sql, "CREATE TABLE %s.%.*s", names[i],
					     (int)(end - name), name) > 0);
			assert_int_equal(sqlite3_exec(st->db, sql, NULL, NULL, NULL), SQLITE_OK);
			free(sql);
			at = end;
		}
	}
	free(tables);
	unsigned n = 0;
	for (const struct embed *e = embed_table; e->name; e++) {
		if (strncmp(e->name, "growth/", 7) || !strcmp(e->name, "growth/tables.sql"))
			continue;
		if (!strncmp(e->name, "growth/load", 11) || !strcmp(e->name, "growth/growth.sql")) {
			assert_null(growth_script(st, e->name, 1));
			continue;
		}
		sqlite3_stmt *stmt = NULL;
		const char *tail;
		if (sqlite3_prepare_v2(st->db, e->text, -1, &stmt, &tail))
			fail_msg("%s: %s", e->name, sqlite3_errmsg(st->db));
		assert_true(strspn(tail, " \n") == strlen(tail));
		sqlite3_finalize(stmt);
		n++;
	}
	assert_true(n > 12);
	store_close(st);
}

/* Every command has what --help and completion print. */
static void commands(void **state)
{
	(void)state;
	for (const struct command *const *c = command_table; *c; c++) {
		assert_non_null((*c)->name);
		assert_non_null((*c)->run);
		assert_true(strlen((*c)->summary) > 10);
		assert_true((*c)->min_operands <= (*c)->max_operands);
		/* no letter and no name twice in one command */
		for (const struct option *const *g = (*c)->options; *g; g++)
			for (const struct option *o = *g; o->name; o++)
				for (const struct option *const *h = (*c)->options; *h; h++)
					for (const struct option *p = *h; p->name; p++) {
						assert_true(o == p || strcmp(o->name, p->name));
						assert_true(o == p || !o->letter ||
							    o->letter != p->letter);
					}
	}
}

/* ---- sentences ---- */

static void wrapped(void **state)
{
	(void)state;
	static const struct {
		unsigned wrap;
		const char *in, *out;
	} cases[] = {
		{0, "one two three", "  one two three\n"},
		{11, "one two three", "  one two\n  three\n"},
		{11, "onetwothreefour five",
		 "  onetwothreefour\n  five\n"}, /* has no room at all */
		{12, "", "  \n"},
		{12, "it is at 54 %, or so", "  it is at\n  54 %, or\n  so\n"},
		/* a command is there to be copied, when a line has room for it */
		{27, "all: heapscan sql DB \"1; 2\", or",
		 "  all:\n  heapscan sql DB \"1; 2\",\n  or\n"},
		{16, "all: heapscan sql DB", "  all: heapscan\n  sql DB\n"},
		{12, "gr\xc3\xbc\xc3\x9f gr\xc3\xbc\xc3\x9f x",
		 "  gr\xc3\xbc\xc3\x9f gr\xc3\xbc\xc3\x9f\n  x\n"},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = NULL;
		size_t len;
		struct report rep = {.out = open_memstream(&text, &len), .wrap = cases[i].wrap};
		assert_non_null(rep.out);
		report_text(&rep, "  ", cases[i].in);
		fclose(rep.out);
		assert_string_equal(text, cases[i].out);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escaping),
		cmocka_unit_test(escaping_random),
		cmocka_unit_test(cutting),
		cmocka_unit_test(numbers),
		cmocka_unit_test(numbers_as_printf),
		cmocka_unit_test(aligned),
		cmocka_unit_test(overlong),
		cmocka_unit_test(optional),
		cmocka_unit_test(fitted),
		cmocka_unit_test(many),
		cmocka_unit_test(as_json),
		cmocka_unit_test(wrapped),
		cmocka_unit_test(not_written),
		cmocka_unit_test(queries),
		cmocka_unit_test(growth_queries),
		cmocka_unit_test(commands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
