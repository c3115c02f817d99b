/* src/image/modules.c, module_elf.c, link_map.c on a process made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fakeprocess.h"

static const enum image_machine machines[] = {MACHINE_X86_64, MACHINE_AARCH64, MACHINE_I386};

struct opened {
	struct fakeprocess p;
	struct damage_log damage;
	struct log log;
	struct image *img;
};

static void open_process(struct opened *o, enum image_machine machine, bool names, bool headers)
{
	memset(o, 0, sizeof(*o));
	o->p.names = names;
	o->p.headers = headers;
	size_t len;
	const uint8_t *bytes = fp_finish(&o->p, machine, &len);
	struct error *err;
	o->img = ew_open(bytes, len, &o->damage, &o->log, &err);
	assert_non_null(o->img);
	assert_null(image_find_modules(o->img));
}

static void close_process(struct opened *o)
{
	image_destroy(o->img);
	ew_deinit(&o->p.w);
	damage_deinit(&o->damage);
}

static const struct image_segment *segment_at(const struct opened *o, uint64_t offset)
{
	const struct image_segment *s = image_segment_find(o->img, o->p.base + offset);
	assert_non_null(s);
	return s;
}

static const struct image_module *module_at(const struct opened *o, uint64_t offset)
{
	uint32_t id = image_module_find(o->img, o->p.base + offset);
	return id ? image_module_get(o->img, id) : NULL;
}

static void check_usual(const struct opened *o, uint64_t at, const char *path, uint8_t id)
{
	const struct image_module *m = module_at(o, at);
	uint64_t base = o->p.base + at;
	assert_non_null(m);
	assert_string_equal(m->path, path);
	assert_int_equal(m->start, base);
	assert_int_equal(m->end, base + 0x6000);
	assert_int_equal(m->bias, base);
	assert_int_equal(m->build_id_len, 20);
	assert_int_equal(m->build_id[0], id);
	assert_int_equal(m->build_id[19], id);
	assert_int_equal(m->dynamic, base + FP_DYNAMIC);
	assert_int_equal(m->relro_start, base + 0x3000);
	assert_int_equal(m->relro_end, base + 0x3400);
	assert_int_equal(m->data_start, base + 0x3000);
	assert_int_equal(m->data_end, base + 0x5800);
	assert_int_equal(m->tls_image, base + 0x3040);
	assert_int_equal(m->tls_image_size, 0x10);
	assert_int_equal(m->tls_size, 0x30);
	assert_int_equal(m->tls_align, 0x10);
	assert_true(m->has_headers);
}

static void test_all(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct opened o;
		open_process(&o, machines[k], true, true);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(o.img->nmodule, 6);
			check_usual(&o, FP_EXE, "/bin/exe", 0xe1);
			check_usual(&o, FP_LIB, "/lib/lib.so", 0xe2);
			check_usual(&o, FP_LIB_AGAIN, "/lib/lib.so", 0xe2);
			check_usual(&o, FP_LD, "/lib/ld.so", 0xe5);
			assert_ptr_not_equal(module_at(&o, FP_LIB), module_at(&o, FP_LIB_AGAIN));
			assert_string_equal(module_at(&o, FP_DATA_LIB + 0x2000)->path,
					    "/lib/data.so");
			assert_string_equal(module_at(&o, FP_VDSO)->path, "[vdso]");
			for (uint32_t i = 0; i < o.img->nmodule; i++)
				assert_int_equal(o.img->module[i].is_exe, i == 0);
			assert_string_equal(o.img->process.exe, "/bin/exe");

			/* The list of the loader: exe, lib, data lib, ld. */
			assert_int_equal(module_at(&o, FP_EXE)->tls_modid, FP_MODID);
			assert_int_equal(module_at(&o, FP_LIB)->tls_modid, FP_MODID + 1);
			assert_int_equal(module_at(&o, FP_LD)->tls_modid, FP_MODID + 3);
			assert_int_equal(module_at(&o, FP_LIB_AGAIN)->tls_modid, 0);
			uint64_t tp = o.p.base + FP_HEAP + 0x800;
			assert_int_equal(o.img->thread[0].tp, tp);
			uint64_t block =
				image_tls_block(o.img, module_at(&o, FP_LIB), &o.img->thread[0]);
			assert_int_equal(block,
					 machines[k] == MACHINE_AARCH64 ? tp + 0x140 : tp - 0x140);
			assert_int_equal(image_tls_block(o.img, module_at(&o, FP_LIB_AGAIN),
							 &o.img->thread[0]),
					 0);

			/* Kinds; .bss and the break were one mapping. */
			assert_int_equal(segment_at(&o, FP_EXE + 0x5000)->kind, SEGMENT_MODULE);
			assert_int_equal(segment_at(&o, FP_EXE + 0x5000)->end, o.p.base + FP_HEAP);
			const struct image_segment *heap = segment_at(&o, FP_HEAP);
			assert_int_equal(heap->kind, SEGMENT_HEAP);
			assert_int_equal(heap->start, o.p.base + FP_HEAP);
			assert_int_equal(heap->present, 0x3000);
			assert_int_equal(heap->module_id, 0);
			assert_int_equal(segment_at(&o, FP_LIB + 0x4000)->kind, SEGMENT_MODULE);
			assert_int_equal(segment_at(&o, FP_READ)->kind, SEGMENT_FILE);
			assert_int_equal(segment_at(&o, FP_SHM)->kind, SEGMENT_SHARED);
			assert_int_equal(segment_at(&o, FP_HUGE)->kind, SEGMENT_ANON);
			assert_int_equal(segment_at(&o, FP_VVAR)->kind, SEGMENT_VDSO);
			assert_string_equal(segment_at(&o, FP_VVAR)->name, "[vvar]");
			assert_int_equal(segment_at(&o, FP_VDSO)->kind, SEGMENT_VDSO);
			assert_int_equal(segment_at(&o, FP_STACK)->kind, SEGMENT_STACK);
			assert_ptr_equal(&o.img->segment[o.img->thread[0].stack_segment],
					 segment_at(&o, FP_STACK));
			/* A second call changes nothing. */
			assert_null(image_find_modules(o.img));
		}
		close_process(&o);
	}
}

/* No NT_FILE: headers at the start of mappings, names from the loader's list. */
static void test_no_names(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct opened o;
		open_process(&o, machines[k], false, true);
		check_usual(&o, FP_LIB, "/lib/lib.so", 0xe2);
		check_usual(&o, FP_LD, "/lib/ld.so", 0xe5);
		assert_true(module_at(&o, FP_EXE)->is_exe);
		assert_string_equal(module_at(&o, FP_DATA_LIB)->path, "/lib/data.so");
		assert_int_equal(segment_at(&o, FP_HEAP)->kind, SEGMENT_HEAP);
		close_process(&o);
	}
}

/* No header page, as with coredump_filter 0x01: then binaries lend them. */
static void test_no_headers(void **state)
{
	(void)state;
	for (size_t k = 0; k < 6; k++) {
		struct opened o, whole;
		bool names = k < 3;
		open_process(&o, machines[k % 3], names, false);
		open_process(&whole, machines[k % 3], names, true);
		const struct image_module *exe = module_at(&o, FP_EXE),
					  *lib = module_at(&o, FP_LIB);
		assert_true(exe && exe->is_exe && !exe->has_headers);
		assert_true(lib && !lib->has_headers);
		assert_string_equal(lib->path, "/lib/lib.so");
		assert_int_equal(lib->bias, o.p.base + FP_LIB);
		assert_int_equal(lib->dynamic, o.p.base + FP_LIB + FP_DYNAMIC);
		assert_true(lib->data_start <= lib->dynamic && lib->data_end > lib->dynamic);
		uint32_t n = o.img->nmodule, id = image_module_find(o.img, o.p.base + FP_LIB);
		uint8_t page[2][4096];
		assert_true(image_try_read(whole.img, o.p.base, page[0], 4096));
		assert_true(image_try_read(whole.img, o.p.base + FP_LIB, page[1], 4096));
		assert_null(image_add_backing(o.img, o.p.base, page[0], 4096));
		assert_null(image_add_backing(o.img, o.p.base + FP_LIB, page[1], 4096));
		assert_null(image_seal_backing(o.img));
		assert_null(image_find_modules(o.img));
		assert_int_equal(o.img->nmodule, n);
		assert_int_equal(image_module_find(o.img, o.p.base + FP_LIB), id);
		check_usual(&o, FP_LIB, "/lib/lib.so", 0xe2);
		assert_int_equal(module_at(&o, FP_LIB)->tls_modid, FP_MODID + 1);
		assert_int_equal(segment_at(&o, FP_HEAP)->kind, SEGMENT_HEAP);
		assert_int_equal(segment_at(&o, FP_EXE + 0x5000)->kind, SEGMENT_MODULE);
		close_process(&o);
		close_process(&whole);
	}
}

/* Dumps that do not tell the thread pointer: by the DTV. */
static void test_thread_pointer(void **state)
{
	(void)state;
	static const enum image_machine silent[] = {MACHINE_AARCH64, MACHINE_I386};
	for (size_t k = 0; k < 2; k++) {
		struct opened o = {.img = NULL};
		o.p.names = o.p.headers = o.p.no_tls = true;
		size_t len;
		const uint8_t *bytes = fp_finish(&o.p, silent[k], &len);
		struct error *err;
		o.img = ew_open(bytes, len, &o.damage, &o.log, &err);
		assert_int_equal(o.img->thread[0].tp, 0);
		assert_null(image_find_modules(o.img));
		assert_int_equal(o.img->thread[0].tp, o.p.base + FP_HEAP + 0x800);
		close_process(&o);
	}
}

static void test_cyclic_list(void **state)
{
	(void)state;
	struct opened o = {.img = NULL};
	o.p.names = o.p.headers = o.p.cyclic = true;
	size_t len;
	const uint8_t *bytes = fp_finish(&o.p, MACHINE_X86_64, &len);
	struct error *err;
	o.img = ew_open(bytes, len, &o.damage, &o.log, &err);
	assert_null(image_find_modules(o.img));
	assert_int_equal(o.img->nmodule, 6);
	assert_int_equal(o.damage.n, 1);
	assert_non_null(strstr(o.damage.at[0].text, "breaks off"));
	close_process(&o);
}

/* Any byte of the process changed: still modules that can be believed, or none. */
static void test_flips(void **state)
{
	(void)state;
	struct fakeprocess p = {.names = true, .headers = true};
	uint64_t seed = 5;
	for (int round = 0; round < 2000; round++) {
		p.names = round % 4 != 3;
		size_t len;
		fp_finish(&p, machines[round % 3], &len);
		for (int i = 0; i < 6; i++) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			size_t at = (seed >> 33) % len;
			/* Most of the file is zeroes; a change there tells little. */
			for (int hop = 0; hop < 3000 && !p.w.out.at[at]; hop++)
				at = (at + 1) % len;
			p.w.out.at[at] = (uint8_t)(seed >> 13);
		}
		struct damage_log damage = {0};
		struct log log = {0};
		struct error *err;
		struct image *img = ew_open(p.w.out.at, len, &damage, &log, &err);
		error_free(err);
		if (img) {
			assert_null(image_find_modules(img));
			assert_null(image_find_modules(img));
			uint64_t end = 0;
			for (uint32_t i = 0; i < img->nsegment; i++) {
				assert_true(img->segment[i].start >= end);
				assert_true(img->segment[i].module_id <= img->nmodule);
				end = img->segment[i].end;
			}
			for (uint32_t i = 0; i < img->nmodule; i++)
				assert_true(img->module[i].start < img->module[i].end);
		}
		image_destroy(img);
		damage_deinit(&damage);
		ew_deinit(&p.w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),	   cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_no_headers), cmocka_unit_test(test_cyclic_list),
		cmocka_unit_test(test_flips),	   cmocka_unit_test(test_thread_pointer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
