/* Tests of base: the containers and the arithmetic that everything else stands on. */
#include "base/bits.h"
#include "base/checked.h"
#include "base/damage.h"
#include "base/error.h"
#include "base/intern.h"
#include "base/parallel.h"
#include "base/region.h"
#include "base/short_name.h"
#include "base/utf8.h"
#include "base/vec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_error(void **state)
{
	(void)state;
	struct error *err = error_new(ERROR_INPUT, "bad %d", 7);
	err = error_note(err, "file %s", "x");
	assert_string_equal(err->message, "file x: bad 7");
	assert_int_equal(error_exit_status(err), 2);
	error_free(err);
	err = error_errno(ERROR_USAGE, ENOENT, "open %s", "y");
	assert_string_equal(err->message, "open y: No such file or directory");
	assert_int_equal(error_exit_status(err), 1);
	error_free(err);
	assert_ptr_equal(error_note(&error_nomem, "anything"), &error_nomem);
	error_free(&error_nomem);
}

static void test_checked(void **state)
{
	(void)state;
	uint64_t r;
	assert_true(checked_add(UINT64_MAX, 0, &r));
	assert_false(checked_add(UINT64_MAX, 1, &r));
	assert_false(checked_mul(UINT64_C(1) << 32, UINT64_C(1) << 32, &r));
	assert_false(checked_sub(1, 2, &r));
	assert_true(checked_within(10, 5, 10, 15));
	assert_false(checked_within(10, 6, 10, 15));
	assert_false(checked_within(12, UINT64_MAX, 10, 15));
	assert_true(checked_within(15, 0, 10, 15));
	assert_false(checked_align_up(UINT64_MAX - 1, 4096, &r));
	assert_true(checked_align_up(4097, 4096, &r));
	assert_int_equal(r, 8192);
}

static void test_vec(void **state)
{
	(void)state;
	VEC(uint32_t) v = {.max = 100};
	for (uint32_t i = 0; i < 100; i++)
		assert_null(vec_push(&v, i));
	struct error *err = vec_push(&v, 1);
	assert_non_null(err);
	assert_int_equal(err->kind, ERROR_INPUT);
	error_free(err);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(v.at[i], i);
	vec_deinit(&v);
	assert_int_equal(v.n, 0);
}

/* Every string gets one id, in the order of first insertion; NULs and lengths count. */
static void test_intern(void **state)
{
	(void)state;
	struct intern in = {0};
	assert_int_equal(intern_count(&in), 0);
	assert_string_equal(intern_text(&in, 0), "");
	char text[32];
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < 20000; i++) {
			uint32_t id;
			int n = snprintf(text, sizeof(text), "string %u", i);
			assert_null(intern_add(&in, text, (size_t)n, &id));
			assert_int_equal(id, i + 1);
		}
	}
	uint32_t a, b;
	assert_null(intern_add(&in, "a\0b", 3, &a));
	assert_null(intern_add(&in, "a\0c", 3, &b));
	assert_int_not_equal(a, b);
	assert_int_equal(in.entry[b].len, 3);
	assert_memory_equal(intern_text(&in, b), "a\0c", 4);
	assert_int_equal(intern_count(&in), 20002);
	intern_deinit(&in);
}

static void test_region(void **state)
{
	(void)state;
	struct region r = {0};
	for (size_t i = 1; i < 3000; i++) {
		unsigned char *p = region_alloc(&r, i * 7 % 100000);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t k = 0; k < i * 7 % 100000; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, i * 7 % 100000);
	}
	assert_string_equal(region_printf(&r, "%d-%s", 5, "x"), "5-x");
	assert_null(region_alloc(&r, SIZE_MAX));
	region_deinit(&r);
}

static void test_bits(void **state)
{
	(void)state;
	struct bits b;
	assert_null(bits_init(&b, 1000));
	for (uint64_t i = 0; i < 1000; i += 3)
		assert_false(bits_test_set(&b, i));
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(bits_test(&b, i), i % 3 == 0);
	bits_clear(&b, 3);
	assert_false(bits_test(&b, 3));
	bits_deinit(&b);
}

static struct error *add_slice(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	uint64_t *sum = arg;
	for (uint64_t i = first; i < end; i++)
		sum[slice] += i;
	return slice == 1 && end == 77 ? error_new(ERROR_INPUT, "slice") : NULL;
}

/* The slices cover the range once, whatever their number; an error comes back. */
static void test_parallel(void **state)
{
	(void)state;
	for (unsigned slices = 1; slices < 70; slices++) {
		for (uint64_t n = 0; n < 300; n += 37) {
			uint64_t sum[64] = {0}, all = 0;
			assert_null(parallel_for(n, slices, add_slice, sum));
			for (int i = 0; i < 64; i++)
				all += sum[i];
			assert_int_equal(all, n ? n * (n - 1) / 2 : 0);
		}
	}
	uint64_t sum[64] = {0};
	struct error *err = parallel_for(77, 2, add_slice, sum);
	assert_non_null(err);
	error_free(err);
	assert_int_equal(parallel_slices(10, 100), 1);
}

static void test_damage(void **state)
{
	(void)state;
	struct damage_log log = {0};
	for (int i = 0; i < 1000; i++)
		damage_add(&log, DAMAGE_HEAP, 1, "number %d", i);
	damage_add_culprit(&log, DAMAGE_DUMP, 5, 4, "other");
	assert_int_equal(log.count[DAMAGE_HEAP], 1000);
	assert_int_equal(log.n, DAMAGE_KEPT + 1);
	assert_string_equal(log.at[99].text, "number 99");
	assert_int_equal(log.at[100].culprit, 4);
	/* A name from the dump: one line, and nothing that a terminal obeys. */
	damage_add(&log, DAMAGE_MISSING, 0, "%s", "/bin/\033]0;x\007\nheapscan: \x7f caf\xc3\xa9");
	assert_string_equal(log.at[101].text, "/bin/?]0;x??heapscan: ? caf\xc3\xa9");
	damage_deinit(&log);
}

static void test_utf8(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
		size_t len, out_len;
	} cases[] = {
		{"", "", 0, 0},
		{"caf\xc3\xa9", "caf\xc3\xa9", 5, 5},
		{"caf\xe9", "caf\\xe9", 4, 7},		    /* Latin-1 */
		{"\xc3", "\\xc3", 1, 4},		    /* cut */
		{"\xc0\xaf", "\\xc0\\xaf", 2, 8},	    /* overlong */
		{"\xed\xa0\x80", "\\xed\\xa0\\x80", 3, 12}, /* surrogate */
		{"a\0\xff", "a\0\\xff", 3, 6},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", 4, 4},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[64];
		size_t n = utf8_clean(buf, sizeof(buf), cases[i].in, cases[i].len);
		assert_int_equal(n, cases[i].out_len);
		assert_memory_equal(buf, cases[i].out, n + 1);
		assert_int_equal(utf8_valid(cases[i].in, cases[i].len), n == cases[i].len);
	}
	assert_int_equal(utf8_cut("ab\xf0\x9f\x98\x80", 6, 5), 2);
	assert_int_equal(utf8_cut("ab\xf0\x9f\x98\x80", 6, 6), 6);
	assert_int_equal(utf8_cut("\x80\x80\x80\x80\x80\x80", 6, 4), 4); /* none anyway */
	char one[1];
	assert_int_equal(utf8_clean(one, 1, "abc", 3), 0);
	assert_int_equal(one[0], 0);
}

static void test_short_name(void **state)
{
	(void)state;
	static const struct {
		const char *name, *said; /* NULL: as it was */
	} cases[] = {
		{"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >",
		 "std::string"},
		{"std::map<int, std::__cxx11::basic_string<char, std::char_traits<char>, "
		 "std::allocator<char> >, std::less<int>, std::allocator<std::pair<int const, "
		 "std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> > "
		 "> > >",
		 "std::map<int, std::string>"},
		{"std::_Sp_counted_ptr_inplace<app::User, std::allocator<app::User>, "
		 "(__gnu_cxx::_Lock_policy)2>",
		 "std::_Sp_counted_ptr_inplace<app::User>"},
		{"std::unordered_map<long, app::X<int>, std::hash<long>, std::equal_to<long>, "
		 "std::allocator<std::pair<long const, app::X<int> > > >::find(long const&)",
		 "std::unordered_map<long, app::X<int>>::find(long const&)"},
		{"std::unique_ptr<a::B, std::default_delete<a::B> >", "std::unique_ptr<a::B>"},
		/* a list's only argument stays, as do those that are no defaults */
		{"pool::Of<std::allocator<int> >", "pool::Of<std::allocator<int>>"},
		{"std::map<int, int, app::Order, app::Alloc>", NULL},
		{"std::set<a::B, std::less<a::B>, app::Alloc<a::B> >",
		 "std::set<a::B, std::less<a::B>, app::Alloc<a::B>>"},
		{"bool std::operator< <char, std::allocator<char> >(a::B<int> const&)",
		 "bool std::operator< <char>(a::B<int> const&)"},
		{"mystd::__1::x<int, std::allocator<int> >", "mystd::__1::x<int>"},
		{"a::f(int, std::vector<int, std::allocator<int> >, char)",
		 "a::f(int, std::vector<int>, char)"},
		/* no names of that kind */
		{"service::session", NULL},
		{"a::b -> c<", NULL},
		{"a::b<(>)", NULL},
		{"a::>", NULL},
		{"std::", NULL},
		{"<std::__1::", NULL},
		{"", NULL},
	};
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char buf[512];
		bool shorter = short_name(cases[i].name, buf);
		assert_int_equal(shorter, cases[i].said != NULL);
		if (shorter)
			assert_string_equal(buf, cases[i].said);
	}
	/* too deep, too many: as it was */
	char deep[1200] = "std::", buf[1200];
	for (unsigned i = 0; i < 200; i++)
		strcat(deep, "a<b");
	for (unsigned i = 0; i < 200; i++)
		strcat(deep, " >");
	assert_false(short_name(deep, buf));
	strcpy(deep, "std::a<");
	for (unsigned i = 0; i < 500; i++)
		strcat(deep, "b,");
	strcat(deep, " >");
	assert_false(short_name(deep, buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error),	 cmocka_unit_test(test_checked),
		cmocka_unit_test(test_vec),	 cmocka_unit_test(test_intern),
		cmocka_unit_test(test_region),	 cmocka_unit_test(test_bits),
		cmocka_unit_test(test_parallel), cmocka_unit_test(test_damage),
		cmocka_unit_test(test_utf8),	 cmocka_unit_test(test_short_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
