/* src/layout/cpython_resolve.c without symbols: `type` by structure, versions by text, cookie, size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "layout/cpython.h"

#include <stdio.h>
#include <string.h>

enum { BASE = 0x500000, SIZE = 0x4000, TYPE = 0x1008, TEXT = 0x800, COOKIE = 0x2000 };

struct process {
	uint8_t data[SIZE];
	struct damage_log damage;
	struct log log;
	struct image *img;
};

static void put64(struct process *p, uint64_t at, uint64_t v)
{
	memcpy(p->data + at, &v, sizeof(v));
}

/* The module's data, with `type` in it as this version has it. */
static void process_init(struct process *p, uint64_t basicsize)
{
	memset(p, 0, sizeof(*p));
	put64(p, TYPE, 20);
	put64(p, TYPE + 8, BASE + TYPE);
	put64(p, TYPE + 32, basicsize);
	put64(p, TYPE + 40, 40);
	put64(p, TYPE + 168, UINT64_C(1) << 31 | 1 << 12);
	/* A word that is its own address less 8, and no type. */
	put64(p, 0x408, BASE + 0x400);
}

static void process_seal(struct process *p)
{
	assert_null(image_create(&p->damage, &p->log, &p->img));
	p->img->word_size = 8;
	assert_null(image_add_segment(p->img, &(struct image_segment){.start = BASE,
								      .end = BASE + SIZE,
								      .perms = PERM_R | PERM_W}));
	assert_null(image_add_span(
		p->img, &(struct image_span){.start = BASE, .end = BASE + SIZE, .data = p->data}));
	assert_null(image_seal(p->img));
	assert_null(image_add_module(p->img, &(struct image_module){.start = BASE,
								    .end = BASE + SIZE,
								    .data_start = BASE,
								    .data_end = BASE + SIZE}));
}

static void process_deinit(struct process *p)
{
	image_destroy(p->img);
	damage_deinit(&p->damage);
}

/* Refused, with this in the sentence. */
static void expect_refused(struct process *p, const char *why, uint32_t word_size)
{
	struct cpython py;
	process_seal(p);
	p->img->word_size = word_size;
	assert_false(cpython_resolve(p->img, NULL, &p->damage, 0, &py));
	assert_int_equal(p->damage.n, 1);
	assert_non_null(strstr(p->damage.at[0].text, why));
	process_deinit(p);
}

/* version NULL: refused, with that many sentences. */
static void expect(struct process *p, const char *version, const char *row, uint64_t sentences)
{
	struct cpython py;
	process_seal(p);
	assert_int_equal(cpython_resolve(p->img, NULL, NULL, 0, &py), version != NULL);
	assert_int_equal(p->damage.count[DAMAGE_MISSING], 0);
	assert_int_equal(cpython_resolve(p->img, NULL, &p->damage, 0, &py), version != NULL);
	assert_int_equal(p->damage.count[DAMAGE_MISSING], sentences);
	if (version) {
		assert_string_equal(py.version, version);
		assert_string_equal(py.layout->version, row);
		assert_int_equal(py.type_type, BASE + TYPE);
		assert_int_equal(py.module_id, 1);
	}
	process_deinit(p);
}

static void put_text(struct process *p, const char *text)
{
	memcpy(p->data + TEXT, text, strlen(text));
}

static void put_cookie(struct process *p, uint64_t hex, uint64_t free_threaded)
{
	memcpy(p->data + COOKIE, "xdebugpy", 8);
	put64(p, COOKIE + 8, hex);
	put64(p, COOKIE + 16, free_threaded);
}

/* Every row, by the text that its interpreter leaves in .bss. */
static void test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < cpython_nlayouts; i++) {
		const struct cpython_layout *l = cpython_layouts[i];
		struct process p;
		char text[64], version[24];
		snprintf(version, sizeof(version), "%u.%u.7", l->major, l->minor);
		snprintf(text, sizeof(text), "%s (main, Jan  1 2000, 00:00:00)", version);
		process_init(&p, l->type_basicsize);
		put_text(&p, text);
		expect(&p, version, l->version, 0);
		/* A development version. */
		snprintf(text, sizeof(text), "%src1+ (main)", version);
		process_init(&p, l->type_basicsize);
		put_text(&p, text);
		expect(&p, version, l->version, 0);
		/* Another version's types. */
		process_init(&p, l->type_basicsize + 16);
		put_text(&p, text);
		expect(&p, NULL, NULL, 1);
	}
}

static void test_size_alone(void **state)
{
	(void)state;
	struct process p;
	process_init(&p, 904);
	put_text(&p, "3.11 is no version text, nor is 3.11.2, (or 3.x.y (z)");
	expect(&p, "3.11", "3.11", 0);
	/* 3.6 to 3.8 have the same. */
	process_init(&p, 864);
	expect(&p, NULL, NULL, 1);
	process_init(&p, 1000);
	expect(&p, NULL, NULL, 1);
}

static void test_cookie(void **state)
{
	(void)state;
	struct process p;
	process_init(&p, 928);
	put_cookie(&p, 0x030d05f0, 0);
	expect(&p, "3.13.5", "3.13", 0);
	process_init(&p, 928);
	put_cookie(&p, 0x030d05f0, 1);
	expect(&p, NULL, NULL, 1);
	/* Newer than all rows. */
	process_init(&p, 960);
	put_cookie(&p, 0x036300f0, 0);
	expect(&p, NULL, NULL, 1);
}

/* `type` behind a head that is two words longer. */
static void put_long(struct process *p, uint64_t basicsize)
{
	memset(p->data + TYPE, 0, 200);
	put64(p, TYPE + 24, BASE + TYPE);
	put64(p, TYPE + 48, basicsize);
	put64(p, TYPE + 56, 40);
	put64(p, TYPE + 184, UINT64_C(1) << 31 | 1 << 12);
}

static void put32(struct process *p, uint64_t at, uint32_t v)
{
	memcpy(p->data + at, &v, sizeof(v));
}

/* Builds whose objects are laid out otherwise: what they are is said, with their version. */
static void test_builds(void **state)
{
	(void)state;
	struct process p;
	process_init(&p, 928);
	put_long(&p, 976);
	put_cookie(&p, 0x030d05f0, 1);
	expect_refused(&p, "CPython 3.13.5 was built without the GIL (free-threaded)", 8);

	process_init(&p, 864);
	put_long(&p, 880);
	put_text(&p, "3.7.16 (default, Jan  1 2000, 00:00:00)");
	expect_refused(&p, "CPython 3.7.16 was built with --with-trace-refs", 8);

	process_init(&p, 864);
	memset(p.data + TYPE, 0, 200);
	put32(&p, TYPE + 4, BASE + TYPE);
	put32(&p, TYPE + 16, 452);
	put32(&p, TYPE + 20, 20);
	put32(&p, TYPE + 84, UINT32_C(1) << 31 | 1 << 12);
	put_text(&p, "3.11.2 (main, Jan  1 2000, 00:00:00)");
	expect_refused(&p, "CPython 3.11.2 is of 32 bits", 4);
}

static void test_none(void **state)
{
	(void)state;
	struct process p;
	process_init(&p, 904);
	put64(&p, TYPE + 168, 0); /* no type's flags */
	expect(&p, NULL, NULL, 0);
	process_init(&p, 904);
	put64(&p, TYPE + 8, BASE + TYPE + 16);
	expect(&p, NULL, NULL, 0);
}

/* What the process says of its own layout goes before the row; nonsense does not. */
static void test_described(void **state)
{
	(void)state;
	struct process p;
	struct cpython py;
	process_init(&p, 944);
	put_cookie(&p, 0x030f02f0, 0);
	put64(&p, COOKIE + 472, 8);
	put64(&p, COOKIE + 488, 24);
	put64(&p, COOKIE + 64, 8000);
	put64(&p, COOKIE + 72, UINT64_MAX);
	put64(&p, COOKIE + 88, 7400 + 64);
	process_seal(&p);
	assert_true(cpython_resolve(p.img, NULL, &p.damage, 0, &py));
	const struct cpython_state_layout *row = &cpython_layouts[cpython_nlayouts - 1]->state;
	assert_int_equal(py.layout->state.interp_next, 8000);
	assert_int_equal(py.layout->state.interp_threads, row->interp_threads);
	assert_int_equal(py.layout->state.gc_generations, row->gc_generations + 64);
	assert_string_equal(py.layout->version, "3.15");
	process_deinit(&p);
	/* Newer than the tables: refused, but what it says is there. */
	process_init(&p, 952);
	put_cookie(&p, 0x031000f0, 0);
	put64(&p, COOKIE + 472, 8);
	put64(&p, COOKIE + 488, 24);
	put64(&p, COOKIE + 64, 8008);
	process_seal(&p);
	assert_false(cpython_resolve(p.img, NULL, &p.damage, 0, &py));
	assert_true(py.newer);
	assert_int_equal(py.layout->state.interp_next, 8008);
	assert_int_equal(p.damage.count[DAMAGE_MISSING], 1);
	process_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),   cmocka_unit_test(test_size_alone),
		cmocka_unit_test(test_cookie), cmocka_unit_test(test_described),
		cmocka_unit_test(test_builds), cmocka_unit_test(test_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
