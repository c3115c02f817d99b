#include "cmd/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct values {
	bool flag, other;
	unsigned count, choice, set;
	uint64_t number;
	const char *text, *maybe;
	struct option_list list;
};

#define AT(field) offsetof(struct values, field)

static const char *const colors[] = {"red", "green", "blue", NULL};

static const struct option first[] = {
	{'f', "flag", OPTION_FLAG, AT(flag), NULL, "a flag", NULL, false},
	{'g', "other", OPTION_FLAG, AT(other), NULL, "another", NULL, false},
	{'v', "verbose", OPTION_COUNT, AT(count), NULL, "more", NULL, false},
	{'n', "number", OPTION_NUMBER, AT(number), "N", "a number", NULL, false},
	{0, "size", OPTION_SIZE, AT(number), "SIZE", "bytes", NULL, false},
	{0},
};
static const struct option second[] = {
	{'t', "text", OPTION_STRING, AT(text), "TEXT", "a text", NULL, false},
	{'m', "maybe", OPTION_MAYBE, AT(maybe), "TEXT", "a text or none", NULL, false},
	{'l', "list", OPTION_LIST, AT(list), "DIR", "many", NULL, false},
	{0, "color", OPTION_CHOICE, AT(choice), "COLOR", "one", colors, false},
	{0, "colors", OPTION_SET, AT(set), "COLORS", "some", colors, false},
	{0, "secret", OPTION_FLAG, AT(other), NULL, "for tests", NULL, true},
	{0},
};
static const struct option *const groups[] = {first, second, NULL};

/* Parses the words of a line; the operands come back joined by '|'. */
struct parsed {
	struct values v;
	char line[256], operands[256], error[256];
	char *argv[32];
	int argc;
};

static void parse(struct parsed *p, const char *line)
{
	*p = (struct parsed){0};
	snprintf(p->line, sizeof(p->line), "%s", line);
	char *save = NULL;
	for (char *w = strtok_r(p->line, " ", &save); w; w = strtok_r(NULL, " ", &save))
		p->argv[p->argc++] = strcmp(w, "EMPTY") ? w : w + strlen(w);
	int n = 0;
	struct error *err = options_parse(groups, p->argc, p->argv, &p->v, &n);
	if (err) {
		assert_int_equal(err->kind, ERROR_USAGE);
		snprintf(p->error, sizeof(p->error), "%s", err->message);
		error_free(err);
		return;
	}
	for (int i = 0; i < n; i++) {
		strcat(p->operands, i ? "|" : "");
		strcat(p->operands, p->argv[i]);
	}
}

static void kinds(void **state)
{
	(void)state;
	struct parsed p;
	parse(&p,
	      "a --flag -vv -n 12 --text=x=y -l one --list two --color blue b --colors red,blue");
	assert_string_equal(p.error, "");
	assert_string_equal(p.operands, "a|b");
	assert_true(p.v.flag);
	assert_false(p.v.other);
	assert_int_equal(p.v.count, 2);
	assert_int_equal(p.v.number, 12);
	assert_string_equal(p.v.text, "x=y");
	assert_int_equal(p.v.list.n, 2);
	assert_string_equal(p.v.list.at[1], "two");
	assert_int_equal(p.v.choice, 2);
	assert_int_equal(p.v.set, 1 << 0 | 1 << 2);
}

static void forms(void **state)
{
	(void)state;
	static const struct {
		const char *line, *operands, *text;
	} good[] = {
		{"-tabc", "", "abc"},
		{"-t abc", "", "abc"},
		{"--text abc", "", "abc"},
		{"--text=abc", "", "abc"},
		{"-fgt abc", "", "abc"},
		{"--text=", "", ""},
		{"--text --flag", "", "--flag"},
		{"-- --text", "--text", NULL},
		{"- -f", "-", NULL},
		{"x -- -f", "x|-f", NULL},
		{"-t a -t b", "", "b"},
	};
	for (unsigned i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct parsed p;
		parse(&p, good[i].line);
		assert_string_equal(p.error, "");
		assert_string_equal(p.operands, good[i].operands);
		if (good[i].text)
			assert_string_equal(p.v.text, good[i].text);
		else
			assert_null(p.v.text);
	}
	struct parsed p;
	parse(&p, "--maybe a");
	assert_string_equal(p.v.maybe, "");
	assert_string_equal(p.operands, "a");
	parse(&p, "--maybe=a=b c");
	assert_string_equal(p.v.maybe, "a=b");
	assert_string_equal(p.operands, "c");
	parse(&p, "--maybe=a --no-maybe");
	assert_null(p.v.maybe);
	parse(&p, "--flag --no-flag --no-other");
	assert_false(p.v.flag);
	assert_false(p.v.other);
}

static void mistakes(void **state)
{
	(void)state;
	static const struct {
		const char *line, *error;
	} bad[] = {
		{"--flga", "unknown option '--flga' (did you mean --flag?)"},
		{"--numbre=3", "unknown option '--numbre' (did you mean --number?)"},
		{"--something", "unknown option '--something'"},
		{"--secrte", "unknown option '--secrte'"},
		{"-z", "unknown option '-z'"},
		{"-fz", "unknown option '-z'"},
		{"--flag=1", "--flag takes no value"},
		{"--no-maybe=1", "--no-maybe takes no value"},
		{"--no-text", "unknown option '--no-text' (did you mean --text?)"},
		{"--text", "--text wants a value (TEXT)"},
		{"-t", "-t wants a value (TEXT)"},
		{"--size x", "--size: 'x' is no size (4096, 4K, 1.5M)"},
		{"--size -1", "--size: '-1' is no size (4096, 4K, 1.5M)"},
		{"--size 4X", "--size: '4X' is no size (4096, 4K, 1.5M)"},
		{"--size 4KK", "--size: '4KK' is no size (4096, 4K, 1.5M)"},
		{"--size 8388608T", "--size: '8388608T' is no size (4096, 4K, 1.5M)"},
		{"-n x", "--number: 'x' is no number"},
		{"-n -1", "--number: '-1' is no number"},
		{"-n 1x", "--number: '1x' is no number"},
		{"-n EMPTY", "--number: '' is no number"},
		{"-n 99999999999999999999", "--number: '99999999999999999999' is no number"},
		{"--color pink", "--color: 'pink' is none of: red, green, blue"},
		{"--color re", "--color: 're' is none of: red, green, blue"},
		{"--colors red,pink", "--colors: 'pink' is none of: red, green, blue"},
		{"--colors ,", "--colors: '' is none of: red, green, blue"},
	};
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct parsed p;
		parse(&p, bad[i].line);
		assert_string_equal(p.error, bad[i].error);
	}
}

static void lists_end(void **state)
{
	(void)state;
	struct values v = {0};
	char word[] = "--list=x", *argv[OPTION_LIST_MAX + 1];
	for (int i = 0; i <= OPTION_LIST_MAX; i++)
		argv[i] = word;
	int n;
	assert_null(options_parse(groups, OPTION_LIST_MAX, argv, &v, &n));
	assert_int_equal(n, 0);
	assert_int_equal(v.list.n, OPTION_LIST_MAX);
	struct error *err = options_parse(groups, 1, argv, &v, &n);
	assert_non_null(err);
	error_free(err);
}

static void help_and_completion(void **state)
{
	(void)state;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	options_help(first, f);
	options_help(second, f);
	options_complete(groups, f);
	fclose(f);
	assert_non_null(strstr(text, "  -n, --number N            a number\n"));
	assert_non_null(strstr(text, "      --color COLOR         one\n"));
	assert_non_null(strstr(text, "  -m, --maybe[=TEXT]        a text or none\n"));
	assert_non_null(strstr(text, "\n--color=green\n"));
	assert_non_null(strstr(text, "\n--number=\n"));
	assert_non_null(strstr(text, "\n--maybe\n"));
	assert_null(strstr(text, "secret"));
	free(text);
}

static void nearest(void **state)
{
	(void)state;
	static const char *const words[] = {"leaks", "cycles", "top", "memory", NULL};
	assert_string_equal(options_nearest("leeks", words), "leaks");
	assert_string_equal(options_nearest("cycle", words), "cycles");
	assert_string_equal(options_nearest("leaks", words), "leaks");
	assert_null(options_nearest("core.1234", words));
	assert_null(options_nearest("a-word-that-is-longer-than-any-option-will-ever-be", words));
}

static void sizes(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		uint64_t bytes;
	} known[] = {
		{"--size 0", 0},
		{"--size 4096", 4096},
		{"--size 4096B", 4096},
		{"--size 4K", 4096},
		{"--size 4k", 4096},
		{"--size 4KiB", 4096},
		{"--size 1.5M", 3 << 19},
		{"--size=2GiB", UINT64_C(2) << 30},
		{"--size 8388607T", UINT64_C(8388607) << 40},
	};
	for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
		struct parsed p;
		parse(&p, known[i].line);
		assert_string_equal(p.error, "");
		assert_int_equal(p.v.number, known[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),     cmocka_unit_test(kinds),
		cmocka_unit_test(forms),     cmocka_unit_test(mistakes),
		cmocka_unit_test(lists_end), cmocka_unit_test(help_and_completion),
		cmocka_unit_test(nearest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
