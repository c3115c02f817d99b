/* Paths with steps that come again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store/paths_repeat.h"

#include <stdlib.h>
#include <string.h>

/* `text` has a space behind its root and behind each step. */
static void check(const char *spaced, const char *expected)
{
	struct paths_ends ends = {0};
	char text[512], *got = NULL;
	size_t len = 0, from = 0, size;
	for (const char *at = spaced; *at; at++) {
		if (*at != ' ')
			text[len++] = *at;
		else if (!from)
			from = len;
		else
			assert_null(vec_push(&ends.at, len));
	}
	FILE *out = open_memstream(&got, &size);
	assert_non_null(out);
	paths_repeat(out, text, from, &ends);
	fclose(out);
	assert_string_equal(got, expected);
	free(got);
	vec_deinit(&ends.at);
}

static void test_steps(void **state)
{
	(void)state;
	check("list ", "list");
	check("list ->a ->b ", "list->a->b");
	check("list ->a ->a ->a ", "list->a->a->a");
	check("list ->a ->a ->a ->a ", "list->a{4}");
	check("list ->b ->a ->a ->a ->a ->a ->b ->c ", "list->b->a{5}->b->c");
	check("list ->a ->ab ->a ->ab ->a ->ab ->a ->ab ", "list(->a->ab){4}");
	check("list ->x ->a ->b ->a ->b ->a ->b ->a ->b ->a ->y ", "list->x(->a->b){4}->a->y");
	check("list ->a ->a ->a ->a ->b ->b ->b ->b ", "list->a{4}->b{4}");
	check("list ->a ->b ->c ->a ->b ->c ->a ->b ->c ", "list->a->b->c->a->b->c->a->b->c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
