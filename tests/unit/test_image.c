/* src/image/image.c against a plain array of bytes, on random segments, spans and backing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "image/image_impl.h"

#include <stdlib.h>

enum { ROUNDS = 600, SPACE = 2048, BASE = 0x10000 };

/* What each address should answer. */
struct model {
	int32_t segment[SPACE]; /* which one, in order of adding; -1: none */
	int16_t byte[SPACE];	/* -1: missing */
	uint8_t origin[SPACE];
};

static uint64_t random_below(uint64_t *seed, uint64_t n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (*seed >> 33) % n;
}

static struct image *image_make(struct damage_log *damage)
{
	static struct log log;
	struct image *img;
	assert_null(image_create(damage, &log, &img));
	return img;
}

static void check_reads(const struct image *img, const struct model *m)
{
	for (uint32_t i = 0; i < SPACE; i++) {
		uint64_t addr = BASE + i, avail;
		uint8_t v;
		assert_int_equal(image_try_u8(img, addr, &v), m->byte[i] >= 0);
		const uint8_t *p = image_view(img, NULL, addr, &avail);
		assert_int_equal(p != NULL, m->byte[i] >= 0);
		if (!p)
			continue;
		assert_int_equal(v, m->byte[i]);
		assert_true(avail >= 1 && avail <= SPACE - i);
		for (uint64_t k = 0; k < avail; k++)
			assert_int_equal(p[k], m->byte[i + k]);
		assert_ptr_equal(image_view_all(img, NULL, addr, avail), p);
		assert_null(image_view_all(img, NULL, addr, avail + 1));
	}
}

/* Words and strings at random places, over the borders of spans. */
static void check_long_reads(const struct image *img, const struct model *m, uint64_t *seed)
{
	for (int n = 0; n < 200; n++) {
		uint64_t at = random_below(seed, SPACE), len = 1 + random_below(seed, 40);
		uint8_t buf[64], want[64];
		bool there = at + len <= SPACE;
		for (uint64_t k = 0; there && k < len; k++) {
			there = m->byte[at + k] >= 0;
			want[k] = (uint8_t)m->byte[at + k];
		}
		assert_int_equal(image_try_read(img, BASE + at, buf, len), there);
		if (there)
			assert_memory_equal(buf, want, len);
		struct error *err = image_read(img, BASE + at, buf, len);
		assert_int_equal(err == NULL, there);
		error_free(err);
		char text[33];
		if (image_try_string(img, BASE + at, text, 32))
			for (size_t k = 0; k <= strlen(text) && k < 32; k++)
				assert_int_equal((uint8_t)text[k], m->byte[at + k]);
		uint64_t word;
		uint32_t size = img->word_size;
		bool whole = at + size <= SPACE;
		uint64_t value = 0;
		for (uint32_t k = 0; whole && k < size; k++) {
			whole = m->byte[at + k] >= 0;
			value |= (uint64_t)(uint8_t)m->byte[at + k] << 8 * k;
		}
		assert_int_equal(image_try_word(img, BASE + at, &word), whole);
		if (whole)
			assert_int_equal(word, value);
	}
}

static void check_scan(const struct image *img, const struct model *m, uint64_t *seed)
{
	uint64_t from = random_below(seed, SPACE), to = from + random_below(seed, SPACE - from + 1);
	uint64_t at = BASE + from, len, done = from;
	const uint8_t *p;
	for (; (p = image_next_data(img, &at, BASE + to, &len)); at += len) {
		uint64_t start = at - BASE;
		for (; done < start; done++)
			assert_true(m->byte[done] < 0 || m->origin[done] == SPAN_ZERO);
		for (uint64_t k = 0; k < len; k++, done++) {
			assert_true(done < to && m->origin[done] != SPAN_ZERO);
			assert_int_equal(p[k], m->byte[done]);
		}
	}
	for (; done < to; done++)
		assert_true(m->byte[done] < 0 || m->origin[done] == SPAN_ZERO);
}

static void check_segments(const struct image *img, const struct model *m)
{
	uint64_t end = 0;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		assert_true(s->start < s->end && s->start >= end);
		end = s->end;
		uint64_t present = 0;
		for (uint64_t a = s->start; a < s->end; a++) {
			assert_int_equal(m->segment[a - BASE], s->file_offset >> 32);
			present += m->byte[a - BASE] >= 0 && m->origin[a - BASE] != SPAN_BINARY;
		}
		assert_int_equal(present, s->present);
	}
	for (uint32_t i = 0; i < SPACE; i++)
		assert_int_equal(image_segment_find(img, BASE + i) != NULL, m->segment[i] >= 0);
	assert_null(image_segment_find(img, 0));
	assert_null(image_segment_find(img, UINT64_MAX));
}

static void model_lay(struct model *m, uint64_t at, uint64_t len, const uint8_t *data,
		      uint8_t origin)
{
	for (uint64_t k = 0; k < len; k++) {
		if (m->byte[at + k] >= 0)
			continue;
		m->byte[at + k] = data[k];
		m->origin[at + k] = origin;
	}
}

static void test_random(void **state)
{
	(void)state;
	uint64_t seed = 7;
	uint8_t data[2 * SPACE], zero[SPACE] = {0};
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(1 + random_below(&seed, 255) * random_below(&seed, 2));
	for (int round = 0; round < ROUNDS; round++) {
		struct damage_log damage = {0};
		struct image *img = image_make(&damage);
		struct model m;
		memset(&m, 0xff, sizeof(m));
		img->word_size = round % 2 ? 8 : 4;
		uint64_t nsegment = 1 + random_below(&seed, 12);
		for (uint64_t i = 0; i < nsegment; i++) {
			uint64_t at = random_below(&seed, SPACE);
			uint64_t len = random_below(&seed, (SPACE - at) / (1 + round % 4) + 1);
			struct image_segment s = {
				.start = BASE + at, .end = BASE + at + len, .file_offset = i << 32};
			assert_null(image_add_segment(img, &s));
			for (uint64_t k = 0; k < len; k++)
				if (m.segment[at + k] < 0)
					m.segment[at + k] = (int32_t)i;
			/* Bytes: some whole, some cut, some in pieces with holes. */
			for (uint64_t from = 0; from < len;) {
				uint64_t n = 1 + random_below(&seed, len - from);
				uint8_t origin = (uint8_t)random_below(&seed, 3);
				const uint8_t *p = origin == SPAN_ZERO ? zero : data + at + from;
				struct image_span span = {.start = BASE + at + from,
							  .end = BASE + at + from + n,
							  .data = p,
							  .origin = origin};
				if (origin != SPAN_BINARY) {
					assert_null(image_add_span(img, &span));
					model_lay(&m, at + from, n, p, origin);
				}
				from += n;
			}
		}
		assert_null(image_seal(img));
		check_segments(img, &m);
		check_reads(img, &m);
		check_long_reads(img, &m, &seed);
		for (int pass = 0; pass < 3; pass++) {
			uint64_t at = random_below(&seed, SPACE);
			uint64_t len = random_below(&seed, SPACE - at + 1);
			assert_null(image_add_backing(img, BASE + at, data + SPACE, len));
			check_reads(img, &m); /* nothing is lent before the seal */
			assert_null(image_seal_backing(img));
			for (uint64_t k = 0; k < len; k++)
				if (m.segment[at + k] >= 0)
					model_lay(&m, at + k, 1, data + SPACE + k, SPAN_BINARY);
			check_segments(img, &m);
			check_reads(img, &m);
			check_scan(img, &m, &seed);
		}
		image_destroy(img);
		damage_deinit(&damage);
	}
}

/* What lies together in the file lies together in views, and is one span; holes do not hide that.
 */
static void test_merge(void **state)
{
	(void)state;
	struct damage_log damage = {0};
	struct image *img = image_make(&damage);
	static uint8_t bytes[4 * 4096];
	for (uint64_t i = 0; i < 4; i++) {
		struct image_segment s = {.start = BASE + i * 4096, .end = BASE + (i + 1) * 4096};
		struct image_span span = {s.start, s.end, bytes + i * 4096,
					  i == 2 ? SPAN_ZERO : SPAN_DUMP, 0};
		assert_null(image_add_segment(img, &s));
		assert_null(image_add_span(img, &span));
	}
	assert_null(image_seal(img));
	assert_int_equal(img->nspan, 3);
	assert_int_equal(img->nsegment, 4);
	uint64_t avail, at = BASE, len;
	assert_ptr_equal(image_view(img, NULL, BASE + 100, &avail), bytes + 100);
	assert_int_equal(avail, 4 * 4096 - 100);
	assert_ptr_equal(image_next_data(img, &at, BASE + 4 * 4096, &len), bytes);
	assert_int_equal(len, 2 * 4096);
	at += len;
	assert_ptr_equal(image_next_data(img, &at, BASE + 4 * 4096, &len), bytes + 3 * 4096);
	assert_int_equal(at, BASE + 3 * 4096);
	assert_int_equal(damage.n, 0);
	image_destroy(img);
	damage_deinit(&damage);
}

/* A cursor changes no answer. */
static void test_cursor(void **state)
{
	(void)state;
	struct damage_log damage = {0};
	struct image *img = image_make(&damage);
	static uint8_t bytes[SPACE];
	uint64_t seed = 3;
	for (uint64_t i = 0; i < 100; i++) {
		struct image_span span = {BASE + i * 20, BASE + i * 20 + 15, bytes + i * 16,
					  SPAN_DUMP, 0};
		assert_null(image_add_span(img, &span));
	}
	assert_null(image_seal(img));
	struct image_cursor c = {0};
	for (int i = 0; i < 100000; i++) {
		uint64_t addr = BASE - 30 + random_below(&seed, 2100), a = 0, b = 0;
		const uint8_t *p = image_view(img, &c, addr, &a);
		assert_ptr_equal(p, image_view(img, NULL, addr, &b));
		assert_int_equal(a, b);
	}
	image_destroy(img);
	damage_deinit(&damage);
}

static void test_ends_of_space(void **state)
{
	(void)state;
	struct damage_log damage = {0};
	struct image *img = image_make(&damage);
	static uint8_t bytes[4096] = {1};
	uint64_t start = UINT64_MAX - 4096, v;
	struct image_segment s = {.start = start, .end = UINT64_MAX};
	struct image_span span = {start, UINT64_MAX, bytes, SPAN_DUMP, 0};
	assert_null(image_add_segment(img, &s));
	assert_null(image_add_span(img, &span));
	assert_null(image_seal(img));
	assert_true(image_try_u64(img, start, &v));
	assert_true(image_try_u64(img, UINT64_MAX - 8, &v));
	assert_false(image_try_u64(img, UINT64_MAX - 7, &v));
	assert_false(image_try_u64(img, UINT64_MAX, &v));
	uint8_t buf[64];
	assert_false(image_try_read(img, UINT64_MAX - 10, buf, 64));
	assert_null(image_add_backing(img, UINT64_MAX - 100, bytes, 4096));
	assert_null(image_seal_backing(img));
	image_destroy(img);
	damage_deinit(&damage);
}

static void test_empty(void **state)
{
	(void)state;
	struct damage_log damage = {0};
	struct image *img = image_make(&damage);
	assert_null(image_seal(img));
	uint64_t v, at = 0, len;
	assert_false(image_try_word(img, 0, &v));
	assert_null(image_next_data(img, &at, UINT64_MAX, &len));
	assert_null(image_segment_find(img, 0));
	assert_int_equal(image_module_find(img, 0), 0);
	assert_null(image_find_modules(img));
	assert_null(image_find_modules(img));
	assert_int_equal(img->nmodule, 0);
	image_destroy(img);
}

/* 100,000 segments that all lie on each other must not take quadratic time. */
static void test_many_overlaps(void **state)
{
	(void)state;
	struct damage_log damage = {0};
	struct image *img = image_make(&damage);
	static uint8_t bytes[1];
	for (uint64_t i = 0; i < 100000; i++) {
		struct image_segment s = {.start = BASE + i, .end = BASE + 400000 - i};
		struct image_span span = {s.start, s.start + 1, bytes, SPAN_DUMP, 0};
		assert_null(image_add_segment(img, &s));
		assert_null(image_add_span(img, &span));
	}
	assert_null(image_seal(img));
	assert_int_equal(img->nsegment, 1);
	assert_int_equal(damage.count[DAMAGE_DUMP], 1);
	image_destroy(img);
	damage_deinit(&damage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_merge),
		cmocka_unit_test(test_cursor), cmocka_unit_test(test_ends_of_space),
		cmocka_unit_test(test_empty),  cmocka_unit_test(test_many_overlaps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
