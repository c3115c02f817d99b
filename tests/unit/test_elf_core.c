/* src/input/elf_*.c on cores made by hand: what they say, and what becomes of them when damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "elfwriter.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static const enum image_machine machines[] = {MACHINE_X86_64, MACHINE_AARCH64, MACHINE_I386};

struct opened {
	struct damage_log damage;
	struct log log;
	struct error *err;
	struct image *img;
};

static void open_bytes(struct opened *o, const uint8_t *bytes, size_t len)
{
	memset(o, 0, sizeof(*o));
	o->img = ew_open(bytes, len, &o->damage, &o->log, &o->err);
	assert_int_equal(o->img == NULL, o->err != NULL);
	for (uint64_t i = 0; getenv("SHOW") && i < o->damage.n; i++)
		fprintf(stderr, "%s\n", o->damage.at[i].text);
}

static void open_writer(struct opened *o, struct elfwriter *w)
{
	size_t len;
	const uint8_t *bytes = ew_finish(w, &len);
	open_bytes(o, bytes, len);
}

static void close_opened(struct opened *o)
{
	image_destroy(o->img);
	error_free(o->err);
	damage_deinit(&o->damage);
}

static bool damage_says(const struct opened *o, const char *text)
{
	for (uint64_t i = 0; i < o->damage.n; i++)
		if (strstr(o->damage.at[i].text, text))
			return true;
	return false;
}

static void regs_make(uint64_t *reg, uint64_t seed)
{
	for (unsigned i = 0; i < IMAGE_REGS_MAX; i++)
		reg[i] = (seed << 16 | i) + 0x1000;
}

/* A small process: two threads, three mappings, one of them half in the file. */
static void writer_fill(struct elfwriter *w, enum image_machine machine)
{
	static uint8_t page[3 * 4096];
	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)(i * 7 + i / 256 + 1);
	uint64_t reg[IMAGE_REGS_MAX];
	ew_init(w, machine);
	regs_make(reg, 1);
	ew_prstatus(w, 100, 11, reg, 0x7000);
	ew_prpsinfo(w, 100, 99, 1000, "program", "program --flag ");
	ew_siginfo(w, 11, 1, 0xdead0);
	uint64_t auxv[] = {AT_PAGESZ, 4096,   AT_PHDR,	0x400040, AT_PHNUM,  5,
			   AT_BASE,   0x5000, AT_ENTRY, 0x401000, AT_EXECFN, 0x9ff0};
	ew_auxv(w, auxv, 6);
	struct ew_file files[] = {
		{0x400000, 0x401000, 0, "/bin/program"},
		{0x401000, 0x403000, 1, "/bin/program"},
		{0x500000, 0x501000, 16, "/data/file (deleted)"},
	};
	ew_files(w, files, 3);
	uint8_t fp[64];
	memset(fp, 0xf1, sizeof(fp));
	ew_note(w, "CORE", NT_FPREGSET, fp, sizeof(fp));
	regs_make(reg, 2);
	ew_prstatus(w, 101, 0, reg, 0x8000);
	ew_segment(w, 0x400000, PF_R, page, 4096, 4096);
	ew_segment(w, 0x401000, PF_R | PF_X, page + 4096, 4096, 8192);
	ew_segment(w, 0x410000, PF_R | PF_W, page + 4096, 8192, 8192);
}

static void test_all_facts(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct elfwriter w;
		struct opened o;
		writer_fill(&w, machines[k]);
		open_writer(&o, &w);
		assert_null(o.err);
		const struct image *img = o.img;
		const struct image_process *p = &img->process;
		assert_int_equal(o.damage.n, 0);
		assert_int_equal(img->machine, machines[k]);
		assert_int_equal(img->word_size, ew_word(&w));
		assert_int_equal(img->page_size, 4096);
		assert_false(img->truncated);
		assert_int_equal(p->pid, 100);
		assert_int_equal(p->ppid, 99);
		assert_int_equal(p->uid, 1000);
		assert_int_equal(p->gid, 1001);
		assert_int_equal(p->signal, 11);
		assert_int_equal(p->si_code, 1);
		assert_int_equal(p->si_addr, 0xdead0);
		assert_string_equal(p->comm, "program");
		assert_string_equal(p->args, "program --flag");
		assert_int_equal(p->at_phdr, 0x400040);
		assert_int_equal(p->at_phnum, 5);
		assert_int_equal(p->at_base, 0x5000);
		assert_int_equal(p->at_entry, 0x401000);
		assert_int_equal(p->at_execfn, 0x9ff0);

		unsigned n = machines[k] == MACHINE_X86_64 ? 17
			     : machines[k] == MACHINE_I386 ? 9
							   : 33;
		unsigned sp = machines[k] == MACHINE_X86_64 ? 7
			      : machines[k] == MACHINE_I386 ? 4
							    : 31;
		unsigned fp = machines[k] == MACHINE_X86_64 ? 6
			      : machines[k] == MACHINE_I386 ? 5
							    : 29;
		assert_int_equal(img->nthread, 2);
		for (uint32_t t = 0; t < 2; t++) {
			const struct image_thread *th = &img->thread[t];
			uint64_t reg[IMAGE_REGS_MAX];
			regs_make(reg, t + 1);
			assert_int_equal(th->tid, 100 + t);
			assert_int_equal(th->nreg, n);
			assert_memory_equal(th->reg, reg, n * sizeof(reg[0]));
			assert_int_equal(th->pc, reg[n - 1]);
			assert_int_equal(th->sp, reg[sp]);
			assert_int_equal(th->fp, reg[fp]);
			assert_int_equal(th->tp, t ? 0x8000 : 0x7000);
		}
		assert_string_equal(img->thread[0].name, "program");
		assert_string_equal(img->thread[1].name, "");
		assert_int_equal(img->thread[0].vector_len, 64);
		assert_int_equal(img->thread[0].vector[63], 0xf1);
		assert_int_equal(img->thread[1].vector_len, 0);

		/* The third file has no program header, as in a core of gcore. */
		assert_int_equal(img->nsegment, 4);
		assert_int_equal(img->segment[1].present, 4096);
		assert_int_equal(img->segment[1].end - img->segment[1].start, 8192);
		assert_int_equal(img->segment[1].perms, PERM_R | PERM_X);
		assert_int_equal(img->segment[1].file_offset, 4096);
		assert_string_equal(img->segment[1].name, "/bin/program");
		assert_null(img->segment[2].name);
		assert_int_equal(img->segment[3].start, 0x500000);
		assert_int_equal(img->segment[3].present, 0);
		assert_int_equal(img->segment[3].file_offset, 0x10000);
		uint8_t v;
		assert_true(image_try_u8(img, 0x401fff, &v));
		assert_int_equal(v, (uint8_t)(8191 * 7 + 8191 / 256 + 1));
		assert_false(image_try_u8(img, 0x402000, &v));
		close_opened(&o);
		ew_deinit(&w);
	}
}

static void test_vectors(void **state)
{
	(void)state;
	struct elfwriter w;
	struct opened o;
	uint64_t reg[IMAGE_REGS_MAX] = {0};
	uint8_t a[520], b[832];
	memset(a, 1, sizeof(a));
	memset(b, 2, sizeof(b));
	/* The state that xsave writes says everything. */
	ew_init(&w, MACHINE_X86_64);
	ew_prstatus(&w, 1, 0, reg, 0);
	ew_note(&w, "CORE", NT_FPREGSET, a, 512);
	ew_note(&w, "LINUX", NT_X86_XSTATE, b, sizeof(b));
	open_writer(&o, &w);
	assert_int_equal(o.img->thread[0].vector_len, sizeof(b));
	assert_memory_equal(o.img->thread[0].vector, b, sizeof(b));
	close_opened(&o);
	ew_deinit(&w);
	/* On aarch64 nothing does: all of them, each at a multiple of 8. */
	ew_init(&w, MACHINE_AARCH64);
	ew_prstatus(&w, 1, 0, reg, 0);
	ew_note(&w, "CORE", NT_FPREGSET, a, 516);
	ew_note(&w, "LINUX", NT_ARM_SVE, b, sizeof(b));
	open_writer(&o, &w);
	assert_int_equal(o.img->thread[0].vector_len, 520 + sizeof(b));
	assert_memory_equal(o.img->thread[0].vector, a, 516);
	assert_memory_equal(o.img->thread[0].vector + 520, b, sizeof(b));
	close_opened(&o);
	ew_deinit(&w);
}

static void test_refusals(void **state)
{
	(void)state;
	struct elfwriter w;
	struct opened o;
	size_t len;
	writer_fill(&w, MACHINE_X86_64);
	ew_finish(&w, &len);
	struct {
		size_t at;
		uint8_t value;
		const char *says;
	} bad[] = {
		{16, ET_EXEC, "an executable"},	   {16, ET_DYN, "shared library"},
		{16, ET_REL, "object file"},	   {EI_DATA, ELFDATA2MSB, "big-endian"},
		{18, EM_RISCV, "not supported"},   {EI_CLASS, ELFCLASS32, "not supported"},
		{54, 12, "program header has 12"}, {EI_DATA, 9, "byte order"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t was = w.out.at[bad[i].at];
		w.out.at[bad[i].at] = bad[i].value;
		open_bytes(&o, w.out.at, len);
		assert_non_null(o.err);
		assert_int_equal(o.err->kind, ERROR_INPUT);
		assert_non_null(strstr(o.err->message, bad[i].says));
		close_opened(&o);
		w.out.at[bad[i].at] = was;
	}
	open_bytes(&o, (const uint8_t *)"no dump at all, this", 20);
	assert_non_null(o.err);
	close_opened(&o);
	ew_deinit(&w);
}

/* Asks an image everything, so that a sanitizer sees every byte that it leads to. */
static void visit(struct image *img)
{
	assert_null(image_find_modules(img));
	uint64_t sum = 0, end = 0, len;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		assert_true(s->start < s->end && s->start >= end);
		assert_true(s->present <= s->end - s->start);
		assert_true(s->module_id <= img->nmodule);
		end = s->end;
		const uint8_t *p;
		for (uint64_t at = s->start; (p = image_next_data(img, &at, end, &len)); at += len)
			for (uint64_t k = 0; k < len; k++)
				sum += p[k];
		if (s->name)
			sum += strlen(s->name);
	}
	for (uint32_t i = 0; i < img->nthread; i++) {
		const struct image_thread *t = &img->thread[i];
		for (uint64_t k = 0; k < t->vector_len; k++)
			sum += t->vector[k];
		assert_true(t->stack_segment == UINT32_MAX || t->stack_segment < img->nsegment);
		for (uint32_t m = 0; m < img->nmodule; m++)
			sum += image_tls_block(img, &img->module[m], t);
	}
	volatile uint64_t keep = sum;
	(void)keep;
}

/* Cut at every place in headers and notes, and around every page: an image or a clear error. */
static void test_cuts(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct elfwriter w;
		struct opened o;
		size_t len;
		writer_fill(&w, machines[k]);
		const uint8_t *bytes = ew_finish(&w, &len);
		for (size_t n = 1; n < len;
		     n += n < 4096 || n % 4096 >= 4090 || n % 4096 < 6 ? 1 : 97) {
			/* The bytes end at the end of the block, where a sanitizer watches. */
			uint8_t *copy = malloc(n);
			assert_non_null(copy);
			memcpy(copy, bytes, n);
			open_bytes(&o, copy, n);
			free(copy);
			if (o.img) {
				assert_true(o.img->truncated || o.damage.n);
				visit(o.img);
			} else {
				assert_int_equal(o.err->kind, ERROR_INPUT);
			}
			close_opened(&o);
		}
		open_bytes(&o, bytes, len - 100);
		assert_true(o.img->truncated);
		assert_true(damage_says(&o, "100 bytes of 1 segments are missing"));
		assert_int_equal(o.img->nthread, 2);
		close_opened(&o);
		ew_deinit(&w);
	}
}

static void test_flips(void **state)
{
	(void)state;
	uint64_t seed = 99;
	for (int round = 0; round < 3000; round++) {
		struct elfwriter w;
		struct opened o;
		size_t len;
		writer_fill(&w, machines[round % 3]);
		ew_finish(&w, &len);
		for (int i = 0; i < 1 + round % 5; i++) {
			seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
			size_t at = (seed >> 33) % (round % 2 ? len : 1200);
			uint8_t flipped = (uint8_t)(w.out.at[at] ^ 1 << (seed >> 20) % 8);
			uint8_t extreme = seed >> 25 & 1 ? 0xff : 0;
			w.out.at[at] = round % 7 ? flipped : extreme;
		}
		open_bytes(&o, w.out.at, len);
		if (o.img)
			visit(o.img);
		close_opened(&o);
		ew_deinit(&w);
	}
}

static void test_lying_notes(void **state)
{
	(void)state;
	struct elfwriter w;
	struct opened o;
	uint64_t reg[IMAGE_REGS_MAX] = {0};
	uint8_t page[4096] = {1}, few[32] = {0};
	/* A size beyond the end; the thread before it is kept. */
	ew_init(&w, MACHINE_X86_64);
	ew_prstatus(&w, 5, 6, reg, 0);
	ew_note_claim(&w, "CORE", NT_AUXV, few, sizeof(few), 0xfffffff0);
	ew_segment(&w, 0x1000, PF_R | PF_W, page, 4096, 4096);
	open_writer(&o, &w);
	assert_int_equal(o.img->nthread, 1);
	assert_true(damage_says(&o, "claims 4294967280 bytes"));
	close_opened(&o);
	ew_deinit(&w);
	/* A status too small; a list of files with too many, and a name without end. */
	ew_init(&w, MACHINE_X86_64);
	ew_note(&w, "CORE", NT_PRSTATUS, few, sizeof(few));
	uint64_t files[] = {UINT64_C(1) << 60, 4096, 0x1000, 0x2000, 0};
	uint8_t desc[sizeof(files) + 6000];
	memcpy(desc, files, sizeof(files));
	memset(desc + sizeof(files), 'x', 6000);
	ew_note(&w, "CORE", NT_FILE, desc, sizeof(desc));
	ew_segment(&w, 0x1000, PF_R | PF_W, page, 4096, 4096);
	open_writer(&o, &w);
	assert_int_equal(o.img->nthread, 0);
	assert_true(damage_says(&o, "its registers are not known"));
	assert_true(damage_says(&o, "the list of mapped files claims 1152921504606846976"));
	visit(o.img);
	close_opened(&o);
	ew_deinit(&w);
	/* One entry, name without end. */
	ew_init(&w, MACHINE_X86_64);
	files[0] = 1;
	memcpy(desc, files, sizeof(files));
	ew_note(&w, "CORE", NT_FILE, desc, sizeof(desc));
	ew_segment(&w, 0x1000, PF_R | PF_W, page, 4096, 4096);
	open_writer(&o, &w);
	assert_int_equal(strlen(o.img->segment[0].name), 4096);
	visit(o.img);
	close_opened(&o);
	ew_deinit(&w);
}

static void test_odd_segments(void **state)
{
	(void)state;
	struct elfwriter w;
	struct opened o;
	uint8_t page[4096];
	memset(page, 7, sizeof(page));
	ew_init(&w, MACHINE_X86_64);
	ew_segment(&w, 0x10000, PF_R | PF_W, page, 4096, 0x4000);
	memset(page, 8, sizeof(page));
	ew_segment(&w, 0x10800, PF_R, page, 4096, 0x8000);	      /* overlaps the first */
	ew_segment(&w, UINT64_MAX - 4095, PF_R, page, 4096, 0x10000); /* wraps */
	ew_segment(&w, 0x100000, PF_R, page, 4096, 100);
	ew_segment(&w, 0x200000, PF_R, page, 4096, 0);
	ew_segment(&w, 0x300000, PF_R, page, 16, UINT64_C(1) << 62);
	ew_segment(&w, 0x200800, PF_R, page, 0, 0);
	open_writer(&o, &w);
	assert_non_null(o.img);
	assert_true(damage_says(&o, "overlap"));
	assert_true(damage_says(&o, "does not fit into the address space"));
	assert_true(damage_says(&o, "more bytes in the file than in memory"));
	uint8_t v;
	assert_true(image_try_u8(o.img, 0x10800, &v) && v == 7);
	assert_true(image_try_u8(o.img, 0x11000, &v) && v == 8); /* the first has nothing there */
	const struct image_segment *s = image_segment_find(o.img, 0x14000);
	assert_non_null(s);
	assert_int_equal(s->perms, PERM_R);
	assert_int_equal(s->start, 0x14000);
	assert_int_equal(image_segment_find(o.img, 0x100000)->end, 0x100064);
	assert_int_equal(image_segment_find(o.img, 0x200000)->end, 0x201000);
	visit(o.img);
	close_opened(&o);
	ew_deinit(&w);
}

/*
 * Whatever the headers say: the segments lie where a process can have them (sums of their sizes are
 * integers of the database), and the bytes that they map are few times the file's.
 */
static void test_absurd_segments(void **state)
{
	(void)state;
	static uint8_t page[4096];
	const uint64_t top = UINT64_C(1) << 63, vsyscall = UINT64_C(0xffffffffff600000);
	const uint64_t place[] = {0x10000,  UINT64_C(1) << 47, UINT64_C(1) << 55,
				  top >> 7, top - 4096,	       top,
				  vsyscall, vsyscall + 4096};
	const uint64_t size[] = {0x1000,  0x8000,     UINT64_C(1) << 46, UINT64_C(1) << 56,
				 top - 1, UINT64_MAX, UINT64_MAX - 4095};
	memset(page, 7, sizeof(page));
	for (size_t p = 0; p < sizeof(place) / sizeof(place[0]); p++) {
		for (size_t k = 0; k < sizeof(size) / sizeof(size[0]); k++) {
			struct elfwriter w;
			struct opened o;
			ew_init(&w, MACHINE_X86_64);
			ew_segment(&w, place[p], PF_R | PF_W, page, sizeof(page), size[k]);
			ew_segment(&w, 0x1000, PF_R | PF_W, page, sizeof(page), sizeof(page));
			open_writer(&o, &w);
			assert_non_null(o.img);
			uint64_t sum = 0;
			for (uint32_t i = 0; i < o.img->nsegment; i++) {
				const struct image_segment *s = &o.img->segment[i];
				assert_true(s->end <= top >> 7 || s->start == vsyscall);
				sum += s->end - s->start;
			}
			assert_true(sum < top >> 6);
			bool sound = size[k] <= UINT64_C(1) << 46 && place[p] < top >> 7;
			sound |= size[k] == 4096 && place[p] == vsyscall;
			assert_int_equal(o.damage.n > 1, !sound); /* one: no registers */
			visit(o.img);
			close_opened(&o);
			ew_deinit(&w);
		}
	}
}

/* Every segment claims the same bytes of the file. */
static void test_bytes_claimed_often(void **state)
{
	(void)state;
	static uint8_t page[4096];
	struct elfwriter w;
	struct opened o;
	memset(page, 7, sizeof(page));
	ew_init(&w, MACHINE_X86_64);
	ew_segment(&w, 0x10000000, PF_R, page, sizeof(page), UINT64_C(1) << 20);
	for (uint64_t i = 1; i < 1000; i++)
		ew_segment(&w, 0x10000000 + (i << 20), PF_R, page, 0, UINT64_C(1) << 20);
	size_t len;
	uint8_t *bytes = (uint8_t *)ew_finish(&w, &len);
	for (size_t i = 0; i < 1000; i++) {
		uint8_t *phdr = bytes + sizeof(Elf64_Ehdr) + (i + 1) * sizeof(Elf64_Phdr);
		ew_set(phdr + offsetof(Elf64_Phdr, p_offset), 64, 8);
		ew_set(phdr + offsetof(Elf64_Phdr, p_filesz), 32768, 8);
	}
	open_bytes(&o, bytes, len);
	assert_non_null(o.img);
	assert_true(damage_says(&o, "claim more bytes than the file has"));
	uint64_t present = 0;
	for (uint32_t i = 0; i < o.img->nsegment; i++)
		present += o.img->segment[i].present;
	assert_true(present && present < UINT64_C(1) << 20);
	close_opened(&o);
	ew_deinit(&w);
}

/* Offsets that point anywhere: every segment reads what is there, or says that it is missing. */
static void test_far_offsets(void **state)
{
	(void)state;
	struct elfwriter w;
	struct opened o;
	uint8_t page[4096];
	memset(page, 7, sizeof(page));
	ew_init(&w, MACHINE_X86_64);
	ew_segment(&w, 0x10000, PF_R, page, 4096, 4096);
	ew_segment(&w, 0x20000, PF_R, page, 4096, 4096)->offset = UINT64_MAX - 10;
	ew_segment(&w, 0x30000, PF_R, page, 4096, 4096)->offset = UINT64_C(1) << 40;
	open_writer(&o, &w);
	assert_true(o.img->truncated);
	assert_true(damage_says(&o, "8192 bytes of 2 segments are missing"));
	visit(o.img);
	close_opened(&o);
	/* The notes, too. */
	ew_set(w.out.at + 64 + 8, UINT64_MAX - 5, 8);
	ew_set(w.out.at + 64 + 32, 4096, 8);
	open_bytes(&o, w.out.at, w.out.n);
	assert_true(damage_says(&o, "the file ends before its notes do"));
	visit(o.img);
	close_opened(&o);
	ew_deinit(&w);
}

/* More segments than e_phnum can say; and the same when the end, with the number, is lost. */
static void test_many_segments(void **state)
{
	(void)state;
	for (size_t k = 0; k < 3; k++) {
		enum { MANY = 70000 };
		struct elfwriter w;
		struct opened o;
		size_t len;
		ew_init(&w, machines[k]);
		uint64_t reg[IMAGE_REGS_MAX] = {0};
		ew_prstatus(&w, 1, 6, reg, 0);
		for (uint32_t i = 0; i < MANY; i++)
			ew_segment(&w, 0x10000 + (uint64_t)i * 0x2000, PF_R | PF_W, &i,
				   i % 1000 ? 0 : 4, 0x1000);
		const uint8_t *bytes = ew_finish(&w, &len);
		for (int cut = 0; cut < 2; cut++) {
			open_bytes(&o, bytes, len - (cut ? 30 : 0));
			assert_int_equal(o.img->nsegment, MANY);
			assert_int_equal(o.damage.n, cut ? 1 : 0);
			uint32_t v;
			assert_true(image_try_u32(o.img, 0x10000 + UINT64_C(69000) * 0x2000, &v));
			assert_int_equal(v, 69000);
			close_opened(&o);
		}
		ew_deinit(&w);
	}
}

/* Headers that claim what the file cannot hold must cost neither time nor memory. */
static void test_absurd_counts(void **state)
{
	(void)state;
	struct elfwriter w;
	struct opened o;
	size_t len;
	uint8_t page[4096] = {1};
	ew_init(&w, MACHINE_X86_64);
	uint64_t reg[IMAGE_REGS_MAX] = {0};
	ew_prstatus(&w, 1, 6, reg, 0);
	ew_segment(&w, 0x1000, PF_R, page, 4096, 4096);
	w.force_xnum = true;
	ew_finish(&w, &len);
	ew_set(w.out.at + len - 64 + 44, UINT32_MAX, 4);
	open_bytes(&o, w.out.at, len);
	assert_non_null(o.img);
	assert_true(damage_says(&o, "4294967295 program headers"));
	close_opened(&o);
	/* The same note area again and again. */
	ew_deinit(&w);
	ew_init(&w, MACHINE_X86_64);
	for (int i = 0; i < 300; i++)
		ew_prstatus(&w, i + 1, 6, reg, 0);
	for (int i = 0; i < 1000; i++)
		ew_segment(&w, 0x1000, PF_R, page, 0, 4096);
	ew_finish(&w, &len);
	for (int i = 1; i <= 1000; i++)
		memcpy(w.out.at + 64 + i * 56, w.out.at + 64, 56);
	open_bytes(&o, w.out.at, len);
	assert_non_null(o.img);
	assert_true(damage_says(&o, "the notes claim more bytes"));
	assert_true(o.img->nthread < 1000);
	close_opened(&o);
	ew_deinit(&w);
}

/* Holes of a sparse file are readable, and no scan meets them. */
static void test_holes(void **state)
{
	(void)state;
	enum { BIG = 1 << 20 };
	struct elfwriter w;
	struct opened o = {.img = NULL};
	size_t len;
	uint8_t page[4096];
	memset(page, 7, sizeof(page));
	ew_init(&w, MACHINE_X86_64);
	ew_segment(&w, 0x100000, PF_R | PF_W, page, 4096, 4096);
	const uint8_t *bytes = ew_finish(&w, &len);
	int fd = memfd_create("core", MFD_CLOEXEC);
	assert_true(fd >= 0);
	uint8_t head[64 + 2 * 56];
	memcpy(head, bytes, sizeof(head));
	ew_set(head + 64 + 56 + 32, BIG, 8);
	ew_set(head + 64 + 56 + 40, BIG, 8);
	uint64_t offset;
	memcpy(&offset, head + 64 + 56 + 8, 8);
	assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(fd, page, 4096, (off_t)offset), 4096);
	assert_int_equal(pwrite(fd, page, 4096, (off_t)offset + BIG / 2), 4096);
	assert_int_equal(ftruncate(fd, (off_t)offset + BIG), 0);
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	struct input_file in;
	assert_null(input_open(name, NULL, &o.log, &in));
	o.err = input_format_find(&in)->read_image(&in, &o.damage, &o.log, &o.img);
	assert_null(o.err);
	input_close(&in);
	close(fd);
	assert_int_equal(o.img->segment[0].present, BIG);
	uint64_t at = 0, l, total = 0, v;
	for (; image_next_data(o.img, &at, UINT64_MAX, &l); at += l)
		total += l;
	assert_int_equal(total, 2 * 4096);
	assert_true(image_try_u64(o.img, 0x100000 + 4096 + 16, &v) && !v);
	assert_non_null(image_view_all(o.img, NULL, 0x100000, BIG));
	close_opened(&o);
	ew_deinit(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_facts),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_lying_notes),
		cmocka_unit_test(test_odd_segments),
		cmocka_unit_test(test_far_offsets),
		cmocka_unit_test(test_many_segments),
		cmocka_unit_test(test_absurd_counts),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_absurd_segments),
		cmocka_unit_test(test_bytes_claimed_often),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
