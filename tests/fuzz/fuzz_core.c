/*
 * fuzz_core: any bytes as a core file: open, find the modules, read here and there.
 *
 * By hand: clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc -D_GNU_SOURCE
 *	tests/fuzz/fuzz_core.c src/base/[a-z]*.c src/image/[a-z]*.c src/input/[a-z]*.c
 *	-larchive -lpthread -o fuzz_core && ./fuzz_core -max_len=16384 CORPUS
 */
#include "image/image.h"
#include "input/input.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every image, however bad its file was. */
static void check(const struct image *img)
{
	uint64_t end = 0;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		assert(s->start < s->end && s->start >= end);
		assert(s->present <= s->end - s->start);
		assert(s->module_id <= img->nmodule && s->kind < SEGMENT_KINDS);
		assert(image_segment_find(img, s->start) == s);
		assert(image_segment_find(img, s->end - 1) == s);
		end = s->end;
	}
	for (uint32_t i = 0; i < img->nmodule; i++) {
		const struct image_module *m = &img->module[i];
		assert(m->start < m->end && m->path && m->build_id_len <= BUILD_ID_MAX);
		assert(m->data_start <= m->data_end && m->relro_start <= m->relro_end);
	}
	end = 0;
	for (uint32_t i = 0; i < img->nspan; i++) {
		const struct image_span *s = &img->span[i];
		assert(s->start < s->end && s->start >= end && s->run_end >= s->end);
		end = s->end;
	}
}

static uint64_t visit(const struct image *img)
{
	uint64_t sum = 0, len, word;
	const uint8_t *p;
	for (uint64_t at = 0; (p = image_next_data(img, &at, UINT64_MAX, &len)); at += len)
		sum += p[0] + (uint64_t)p[len - 1];
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		char text[65];
		sum += s->name ? strlen(s->name) : 0;
		sum += image_try_string(img, s->end - 20, text, sizeof(text) - 1);
		/* Bytes of the dump as addresses: what a walker of pointers does. */
		uint64_t addr = s->start;
		for (int hop = 0; hop < 8 && image_try_word(img, addr, &word); hop++)
			addr = word;
		sum += addr;
	}
	for (uint32_t i = 0; i < img->nthread; i++) {
		const struct image_thread *t = &img->thread[i];
		for (uint64_t k = 0; k < t->vector_len; k++)
			sum += t->vector[k];
		sum += strlen(t->name);
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log log = {.level = LOG_ERROR};
	struct damage_log damage = {0};
	struct input_file in;
	struct error *err = input_open_memory("fuzz", data, size, &in);
	if (err) {
		error_free(err);
		return 0;
	}
	const struct input_format *f = input_format_find(&in);
	struct image *img = NULL;
	err = f && f->read_image ? f->read_image(&in, &damage, &log, &img) : NULL;
	if (img) {
		check(img);
		err = image_find_modules(img);
		assert(!err);
		check(img);
		/* As debuginfo does: lend bytes, look again. */
		err = image_add_backing(img, img->nsegment ? img->segment[0].start : 0, data, size);
		if (!err)
			err = image_seal_backing(img);
		if (!err)
			err = image_find_modules(img);
		assert(!err);
		check(img);
		volatile uint64_t keep = visit(img);
		(void)keep;
	}
	error_free(err);
	input_close(&in);
	image_destroy(img);
	damage_deinit(&damage);
	return 0;
}
