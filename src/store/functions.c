#include "store/functions.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/short_name.h"
#include "store/embed.h"

#include <assert.h>
#include <inttypes.h>
#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- REGEXP ---- */

enum {
	REGEXP_PATTERN_MAX = 64 << 10, /* bytes of an expression */
	/* Steps of one match: far above what sane ones need, well below a second. */
	REGEXP_MATCH_LIMIT = 1000 * 1000,
	REGEXP_HEAP_KIB = 16 << 10,
	REGEXP_JIT_STACK = 512 << 10,
	REGEXP_SHOWN = 200, /* bytes, in a message */
};

/* An expression ready to run; SQLite keeps it as long as the statement uses the same pattern. */
struct regexp {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

static void regexp_destroy(void *p)
{
	struct regexp *re = p;
	if (!re)
		return;
	pcre2_match_data_free(re->match);
	pcre2_match_context_free(re->context);
	pcre2_jit_stack_free(re->stack);
	pcre2_code_free(re->code);
	free(re);
}

/* NULL: the SQL error is set. */
static struct regexp *regexp_create(sqlite3_context *ctx, const char *pattern, size_t len)
{
	if (len > REGEXP_PATTERN_MAX) {
		sqlite3_result_error(ctx, "regular expression: too long", -1);
		return NULL;
	}
	struct regexp *re = calloc(1, sizeof(*re));
	if (!re) {
		sqlite3_result_error_nomem(ctx);
		return NULL;
	}
	int code = 0;
	PCRE2_SIZE at = 0;
	/* Previews of memory are not always UTF-8. */
	re->code = pcre2_compile((PCRE2_SPTR)pattern, len, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
				 &code, &at, NULL);
	if (!re->code) {
		PCRE2_UCHAR why[128] = "";
		pcre2_get_error_message(code, why, sizeof(why));
		char *text = sqlite3_mprintf("regular expression: %s, at offset %llu of %.*s%s",
					     (const char *)why, (unsigned long long)at,
					     (int)(len < REGEXP_SHOWN ? len : REGEXP_SHOWN),
					     pattern, len < REGEXP_SHOWN ? "" : "...");
		sqlite3_result_error(ctx, text ? text : "regular expression", -1);
		sqlite3_free(text);
		regexp_destroy(re);
		return NULL;
	}
	re->match = pcre2_match_data_create_from_pattern(re->code, NULL);
	re->context = pcre2_match_context_create(NULL);
	if (!re->match || !re->context) {
		sqlite3_result_error_nomem(ctx);
		regexp_destroy(re);
		return NULL;
	}
	pcre2_set_match_limit(re->context, REGEXP_MATCH_LIMIT);
	pcre2_set_heap_limit(re->context, REGEXP_HEAP_KIB);
	/* Where there is no JIT the interpreter does it. */
	if (!pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE)) {
		re->stack = pcre2_jit_stack_create(32 << 10, REGEXP_JIT_STACK, NULL);
		pcre2_jit_stack_assign(re->context, NULL, re->stack);
	}
	return re;
}

static void regexp_fail(sqlite3_context *ctx, int rc)
{
	if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT ||
	    rc == PCRE2_ERROR_HEAPLIMIT || rc == PCRE2_ERROR_JIT_STACKLIMIT) {
		sqlite3_result_error(ctx, "regular expression: too expensive for this text", -1);
		return;
	}
	PCRE2_UCHAR why[128] = "";
	pcre2_get_error_message(rc, why, sizeof(why));
	sqlite3_result_error(ctx, (const char *)why, -1);
}

/* regexp(pattern, text): SQLite turns `text REGEXP pattern` into it. NULL in, NULL out. */
static void regexp_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	const char *pattern = (const char *)sqlite3_value_text(argv[0]);
	const char *text = (const char *)sqlite3_value_text(argv[1]);
	if (!pattern || !text)
		return;
	struct regexp *re = sqlite3_get_auxdata(ctx, 0);
	bool fresh = !re;
	if (fresh)
		re = regexp_create(ctx, pattern, (size_t)sqlite3_value_bytes(argv[0]));
	if (!re)
		return;
	int rc = pcre2_match(re->code, (PCRE2_SPTR)text, (size_t)sqlite3_value_bytes(argv[1]), 0, 0,
			     re->match, re->context);
	if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
		sqlite3_result_int(ctx, rc >= 0);
	else
		regexp_fail(ctx, rc);
	/* Last: SQLite may destroy it at once. */
	if (fresh)
		sqlite3_set_auxdata(ctx, 0, re, regexp_destroy);
}

/* ---- numbers for people ---- */

static void addr_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	if (sqlite3_value_numeric_type(argv[0]) != SQLITE_INTEGER)
		return;
	char text[24];
	int len =
		snprintf(text, sizeof(text), "0x%" PRIx64, (uint64_t)sqlite3_value_int64(argv[0]));
	sqlite3_result_text(ctx, text, len, SQLITE_TRANSIENT);
}

static void human_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	double bytes = sqlite3_value_double(argv[0]);
	double v = bytes < 0 ? -bytes : bytes;
	unsigned u = 0;
	/* Not 1024.0 KiB: what rounds up to it goes to the next unit. */
	while (u < 6 && v >= (u ? 1023.95 : 1024)) {
		v /= 1024;
		u++;
	}
	char text[32];
	int len = snprintf(text, sizeof(text),
			   !u	       ? "%s%.0f %s"
			   : v < 9.995 ? "%s%.2f %s"
				       : "%s%.1f %s",
			   bytes < 0 ? "-" : "", v, unit[u]);
	sqlite3_result_text(ctx, text, len, SQLITE_TRANSIENT);
}

/*
 * hex(N): an address as 0x and hex. Of anything else what SQLite's own hex() gives: the bytes, in upper
 * case.
 */
static void hex_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	static const char digit[] = "0123456789ABCDEF";
	if (sqlite3_value_type(argv[0]) == SQLITE_INTEGER) {
		addr_function(ctx, argc, argv);
		return;
	}
	const uint8_t *bytes = sqlite3_value_blob(argv[0]);
	sqlite3_uint64 n = (sqlite3_uint64)sqlite3_value_bytes(argv[0]);
	char *text = sqlite3_malloc64(2 * n + 1);
	if (!text) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	for (sqlite3_uint64 i = 0; i < n; i++) {
		text[2 * i] = digit[bytes[i] >> 4];
		text[2 * i + 1] = digit[bytes[i] & 15];
	}
	sqlite3_result_text64(ctx, text, 2 * n, sqlite3_free, SQLITE_UTF8);
}

/* object_at(N): the id of the object whose block holds the address; NULL: none does. */
static void object_at_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	if (sqlite3_value_numeric_type(argv[0]) != SQLITE_INTEGER)
		return;
	sqlite3 *db = sqlite3_context_db_handle(ctx);
	const char *sql = embed_find("query/object_at.sql");
	sqlite3_stmt *stmt = NULL;
	assert(sql);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL)) {
		sqlite3_result_error(ctx, sqlite3_errmsg(db), -1);
		return;
	}
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, ":address"),
			   sqlite3_value_int64(argv[0]));
	if (sqlite3_step(stmt) == SQLITE_ROW)
		sqlite3_result_int64(ctx, sqlite3_column_int64(stmt, 0));
	sqlite3_finalize(stmt);
}

/* short_name(NAME): of a type or function, for eyes. */
static void short_name_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	(void)argc;
	const char *name = (const char *)sqlite3_value_text(argv[0]);
	char said[SHORT_NAME_MAX + 1];
	if (name && sqlite3_value_bytes(argv[0]) <= SHORT_NAME_MAX && short_name(name, said))
		sqlite3_result_text(ctx, said, -1, SQLITE_TRANSIENT);
	else
		sqlite3_result_value(ctx, argv[0]);
}

static struct error *functions_error(sqlite3 *db, const char *name)
{
	return error_new(ERROR_SYSTEM, "SQL function %s: %s", name, sqlite3_errmsg(db));
}

/* content_key(K, X, ...): FNV-1a, 64 bits, so that the order and the ends of the Xs matter. */
static void content_key_function(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	uint64_t h = argc ? (uint64_t)sqlite3_value_int64(argv[0]) : 0;
	h = h ? h : UINT64_C(0xcbf29ce484222325);
	for (int i = 1; i < argc; i++) {
		const unsigned char *text = sqlite3_value_text(argv[i]);
		int len = text ? sqlite3_value_bytes(argv[i]) : 0;
		for (int k = 0; k < len; k++)
			h = (h ^ text[k]) * UINT64_C(0x100000001b3);
		h = (h ^ (text ? 0xff : 0xfe)) * UINT64_C(0x100000001b3);
	}
	sqlite3_result_int64(ctx, (int64_t)h);
}

struct error *store_functions(sqlite3 *db)
{
	static const struct {
		const char *name;
		int argc, flags;
		void (*fn)(sqlite3_context *, int, sqlite3_value **);
	} function[] = {
		{"regexp", 2, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, regexp_function},
		{"addr", 1, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, addr_function},
		{"hex", 1, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, hex_function},
		{"human", 1, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, human_function},
		{"object_at", 1, 0, object_at_function},
		{"short_name", 1, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, short_name_function},
		{"content_key", -1, SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, content_key_function},
	};
	for (unsigned i = 0; i < sizeof(function) / sizeof(*function); i++)
		if (sqlite3_create_function(db, function[i].name, function[i].argc,
					    SQLITE_UTF8 | function[i].flags, NULL, function[i].fn,
					    NULL, NULL))
			return functions_error(db, function[i].name);
	return table_functions(db);
}
