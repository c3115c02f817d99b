/*
 * Tests of debuginfo on images made by hand: files below a sysroot, names, expressions, call frame
 * information, symbols out of a dump; each also with bytes that mean harm.
 */
#include "base/cleanup.h"
#include "base/damage.h"
#include "base/log.h"
#include "debuginfo/debuginfo_impl.h"

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "assert_ok.h"
#include "random.h"

static uint64_t random_state = 88172645463325252u;

/* ---- files ---- */

static void make_file(const char *root, const char *path, const char *text)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", root, path);
	FILE *f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void make_link(const char *root, const char *path, const char *target)
{
	char full[512];
	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(symlink(target, full), 0);
}

/* Opens below root and compares the content; NULL: must not open. */
static void expect_file(const char *root, const char *path, const char *text)
{
	_cleanup_close_ int fd = file_open_in_root(root, path);
	if (!text) {
		assert_int_equal(fd, -1);
		return;
	}
	char there[64] = "";
	assert_true(fd >= 0);
	assert_int_equal(read(fd, there, sizeof(there)), strlen(text));
	assert_string_equal(there, text);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void test_open_in_root(void **state)
{
	(void)state;
	char top[] = "/tmp/heapscan-test-XXXXXX";
	assert_non_null(mkdtemp(top));
	char root[64], path[256], full[512];
	snprintf(root, sizeof(root), "%s/root", top);
	assert_int_equal(mkdir(root, 0700), 0);
	for (const char *const *d = (const char *const[]){"usr", "usr/lib", NULL}; *d; d++) {
		snprintf(full, sizeof(full), "%s/%s", root, *d);
		assert_int_equal(mkdir(full, 0700), 0);
	}
	make_file(top, "outside", "outside");
	make_file(root, "usr/lib/libx.so.1", "inside");
	make_link(root, "lib", "/usr/lib");
	make_link(root, "usr/lib/libx.so", "libx.so.1");
	make_link(root, "usr/lib/abs.so", "/lib/libx.so");
	make_link(root, "usr/lib/out.so", "../../../outside");
	make_link(root, "usr/lib/host.so", "/../../etc/passwd");
	make_link(root, "loop", "loop");
	make_link(root, "a", "b");
	make_link(root, "b", "/a/b");
	snprintf(full, sizeof(full), "%s/pipe", root);
	assert_int_equal(mkfifo(full, 0600), 0);

	expect_file(root, "/usr/lib/libx.so.1", "inside");
	expect_file(root, "usr//lib/./libx.so", "inside");
	expect_file(root, "/lib/abs.so", "inside");
	expect_file(root, "/lib/../lib/../../../usr/lib/libx.so.1", "inside");
	expect_file(root, "/usr/lib/out.so", NULL);
	expect_file(root, "/usr/lib/host.so", NULL);
	expect_file(root, "/../outside", NULL);
	expect_file(root, "/loop", NULL);
	expect_file(root, "/a/x", NULL);
	expect_file(root, "/pipe", NULL);
	expect_file(root, "/usr/lib", NULL);
	expect_file(root, "/", NULL);
	expect_file(root, "", NULL);
	expect_file(root, "/usr/lib/libx.so.1/more", NULL);
	expect_file("/no/such/root", "/usr", NULL);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	expect_file(root, path, NULL);
	char *longest = malloc(1 << 20);
	assert_non_null(longest);
	memset(longest, '/', (1 << 20) - 1);
	longest[(1 << 20) - 1] = '\0';
	expect_file(root, longest, NULL);
	free(longest);
	assert_int_equal(file_open("/dev/null"), -1);
	snprintf(full, sizeof(full), "rm -rf %s", top);
	assert_int_equal(system(full), 0);
}

/* ---- names ---- */

static void expect_demangled(const char *raw, const char *want)
{
	_cleanup_free_ char *text = demangle(raw);
	if (!want)
		assert_null(text);
	else
		assert_string_equal(text, want);
}

static void test_demangle(void **state)
{
	(void)state;
	expect_demangled("main", NULL);
	expect_demangled("", NULL);
	expect_demangled("_Z", NULL);
	expect_demangled("_Znot a name", NULL);
	expect_demangled("_ZN3foo3barEi", "foo::bar(int)");
	expect_demangled("_ZTV3Foo", "vtable for Foo");
	expect_demangled("_ZNSt6vectorIiSaIiEE9push_backERKi",
			 "std::vector<int, std::allocator<int> >::push_back(int const&)");
	expect_demangled("_ZN4core3fmt9Formatter3pad17h8c5a1f6a0a1b2c3dE",
			 "core::fmt::Formatter::pad");
	/* f(pair<A,A>...) where each parameter is a pair of the one before: doubles each time. */
	char laughs[1024] = "_Z1f4pairI1AS0_E";
	size_t n = strlen(laughs);
	for (unsigned i = 1; i < 100 && n + 16 < sizeof(laughs); i++)
		n += (size_t)snprintf(laughs + n, sizeof(laughs) - n, "S_IS%c_S%c_E",
				      i < 10 ? '0' + i : 'A' + i % 26,
				      i < 10 ? '0' + i : 'A' + i % 26);
	_cleanup_free_ char *text = demangle(laughs);
	assert_true(!text || strlen(text) <= 4096);
	for (unsigned i = 0; i < 3000; i++) {
		static const char alphabet[] = "_ZNKSIEtTLJ0123456789abcPRFvidDpX";
		char name[64] = "_Z";
		if (i & 1)
			strcpy(name, "_R");
		size_t len = 2 + random_next(&random_state) % (sizeof(name) - 3);
		for (size_t k = 2; k < len; k++)
			name[k] = alphabet[random_next(&random_state) % (sizeof(alphabet) - 1)];
		name[len] = '\0';
		free(demangle(name));
	}
}

/* ---- an image by hand ---- */

enum { BASE = 0x400000, ROOM = 0x10000 };

struct hand {
	struct log log;
	struct damage_log damage;
	struct image *img;
	uint8_t *mem; /* [BASE, BASE + ROOM) */
};

static void hand_make(struct hand *h)
{
	memset(h, 0, sizeof(*h));
	log_init(&h->log, LOG_ERROR);
	assert_ok(image_create(&h->damage, &h->log, &h->img));
	h->mem = calloc(1, ROOM);
	assert_non_null(h->mem);
	assert_ok(
		image_add_segment(h->img, &(struct image_segment){.start = BASE,
								  .end = BASE + ROOM,
								  .perms = PERM_R | PERM_W | PERM_X,
								  .kind = SEGMENT_MODULE,
								  .module_id = 1}));
	assert_ok(image_add_span(h->img, &(struct image_span){.start = BASE,
							      .end = BASE + ROOM,
							      .data = h->mem,
							      .origin = SPAN_DUMP}));
	assert_ok(image_seal(h->img));
	assert_ok(image_add_module(h->img, &(struct image_module){.start = BASE,
								  .end = BASE + ROOM,
								  .bias = BASE,
								  .path = "[hand]",
								  .dynamic = BASE + 0x100}));
	h->img->segment[0].module_id = 1;
}

static void hand_drop(struct hand *h)
{
	image_destroy(h->img);
	damage_deinit(&h->damage);
	free(h->mem);
}

/* ---- expressions ---- */

static bool eval(const struct hand *h, const uint8_t *expr, size_t len, uint64_t *ret)
{
	struct cfi_regs regs = {.valid = 1 << 7 | 1 << 16};
	regs.reg[7] = BASE + 0x20;
	regs.reg[16] = 0x40100b;
	return expr_eval(h->img, expr, (uint32_t)len, &regs, NULL, ret);
}

#define EVAL(...)                                                                                  \
	eval(&h, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), &v)

static void test_expr(void **state)
{
	(void)state;
	struct hand h;
	uint64_t v;
	hand_make(&h);
	memcpy(h.mem + 0x28, &(uint64_t){0x1122334455667788}, 8);
	assert_true(EVAL(DW_OP_lit5, DW_OP_lit3, DW_OP_minus) && v == 2);
	assert_true(EVAL(DW_OP_lit3, DW_OP_lit5, DW_OP_minus, DW_OP_lit2, DW_OP_div) &&
		    v == UINT64_MAX);
	assert_true(EVAL(DW_OP_breg7, 8, DW_OP_deref) && v == 0x1122334455667788);
	assert_true(EVAL(DW_OP_breg7, 8, DW_OP_deref_size, 2) && v == 0x7788);
	assert_true(EVAL(DW_OP_breg7, 0x78) && v == BASE + 0x18);
	/* What linkers write for .plt: rsp + 8 + ((rip & 15) >= 11) * 8. */
	assert_true(EVAL(DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11,
			 DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus) &&
		    v == BASE + 0x30);
	assert_true(EVAL(DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot) && v == 2);
	assert_true(EVAL(DW_OP_lit1, DW_OP_lit2, DW_OP_swap) && v == 1);
	assert_true(EVAL(DW_OP_lit4, DW_OP_lit1, DW_OP_bra, 1, 0, DW_OP_lit9, DW_OP_nop) && v == 4);
	assert_true(EVAL(DW_OP_const1s, 0xff, DW_OP_const1u, 0xff, DW_OP_lt) && v == 1);
	/* What must end in false: nothing there, endless, division by zero, no such register. */
	assert_false(EVAL(DW_OP_plus));
	assert_false(EVAL(DW_OP_lit1, DW_OP_deref));
	assert_false(EVAL(DW_OP_skip, 0xfd, 0xff));
	assert_false(EVAL(DW_OP_skip, 0xfc, 0xff));
	assert_false(EVAL(DW_OP_lit0, DW_OP_skip, 0xfc, 0xff));
	assert_false(EVAL(DW_OP_lit1, DW_OP_lit0, DW_OP_div));
	assert_false(EVAL(DW_OP_lit1, DW_OP_lit0, DW_OP_mod));
	assert_false(EVAL(DW_OP_breg3, 0));
	assert_false(EVAL(DW_OP_bregx, 0xff, 0xff, 0xff, 0xff, 0x7f, 0));
	assert_false(EVAL(DW_OP_const8u, 1, 2));
	assert_false(EVAL(DW_OP_lit1, DW_OP_deref_size, 9));
	assert_false(EVAL(DW_OP_lit0, DW_OP_pick, 200));
	assert_false(EVAL(0xff));
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t expr[40];
		for (unsigned k = 0; k < sizeof(expr); k++)
			expr[k] = (uint8_t)(random_next(&random_state) & 1
						    ? random_next(&random_state)
						    : DW_OP_lit0 + random_next(&random_state) % 32);
		eval(&h, expr, 1 + random_next(&random_state) % sizeof(expr), &v);
	}
	hand_drop(&h);
}

/* ---- call frame information ---- */

struct writer {
	uint8_t *mem;
	uint32_t at;
};

static void put(struct writer *w, uint64_t v, unsigned n)
{
	memcpy(w->mem + w->at, &v, n);
	w->at += n;
}

static void put_code(struct writer *w, const uint8_t *code, size_t len)
{
	memcpy(w->mem + w->at, code, len);
	w->at += (uint32_t)len;
	while (w->at % 4)
		put(w, DW_CFA_nop, 1);
}

enum { EH_FRAME = 0x2000, EH_HDR = 0x4000, CODE = 0x8000, FUNCTIONS = 40, FUNCTION = 0x40 };

/*
 * FUNCTIONS functions of FUNCTION bytes each, gaps between them. Function i has at its start
 * CFA = rsp + 8, from its byte 4 on CFA = rsp + 16 + 8 i and rbp saved at CFA - 16.
 */
static void make_cfi(uint8_t *mem, bool with_table)
{
	struct writer w = {mem, EH_FRAME};
	uint32_t cie = w.at, fde[FUNCTIONS];
	put(&w, 20, 4);
	put(&w, 0, 4);
	put(&w, 1, 1);
	put(&w, 'z', 1);
	put(&w, 'R', 1);
	put(&w, 0, 1);
	put(&w, 1, 1);	  /* code alignment */
	put(&w, 0x78, 1); /* data alignment -8 */
	put(&w, 16, 1);	  /* return address */
	put(&w, 1, 1);
	put(&w, DW_EH_PE_pcrel | DW_EH_PE_sdata4, 1);
	static const uint8_t start[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};
	put_code(&w, start, sizeof(start));
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		fde[i] = w.at;
		uint32_t length = w.at;
		put(&w, 0, 4);
		put(&w, w.at - cie, 4);
		put(&w, (uint64_t)(CODE + 2 * FUNCTION * i) - w.at, 4);
		put(&w, FUNCTION, 4);
		put(&w, 0, 1);
		uint8_t code[] = {DW_CFA_advance_loc | 4,
				  DW_CFA_def_cfa_offset,
				  (uint8_t)((16 + 8 * i) | 0x80),
				  (uint8_t)((16 + 8 * i) >> 7),
				  DW_CFA_offset | 6,
				  2};
		put_code(&w, code, sizeof(code));
		uint32_t len = w.at - length - 4;
		memcpy(mem + length, &len, 4);
	}
	put(&w, 0, 4);
	assert_true(w.at <= EH_HDR);
	w.at = EH_HDR;
	put(&w, 1, 1);
	put(&w, DW_EH_PE_pcrel | DW_EH_PE_sdata4, 1);
	put(&w, with_table ? DW_EH_PE_udata4 : DW_EH_PE_omit, 1);
	put(&w, with_table ? DW_EH_PE_datarel | DW_EH_PE_sdata4 : DW_EH_PE_omit, 1);
	put(&w, (uint64_t)EH_FRAME - w.at, 4);
	if (!with_table)
		return;
	put(&w, FUNCTIONS, 4);
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		put(&w, (uint64_t)(CODE + 2 * FUNCTION * i) - EH_HDR, 4);
		put(&w, (uint64_t)fde[i] - EH_HDR, 4);
	}
}

static void check_cfi(const struct cfi *cfi, struct cfi_row *row)
{
	for (unsigned i = 0; i < FUNCTIONS; i++) {
		uint64_t f = BASE + CODE + 2 * FUNCTION * i;
		assert_true(cfi_find(cfi, f + 3, row));
		assert_int_equal(row->cfa.kind, RULE_REGISTER);
		assert_int_equal(row->cfa.reg, 7);
		assert_int_equal(row->cfa.n, 8);
		assert_int_equal(row->rule[6].kind, RULE_NONE);
		assert_int_equal(row->start, f);
		assert_int_equal(row->end, f + FUNCTION);
		assert_int_equal(row->return_column, 16);
		assert_true(cfi_find(cfi, f + 4, row));
		assert_int_equal(row->cfa.n, 16 + 8 * i);
		assert_int_equal(row->rule[6].kind, RULE_OFFSET);
		assert_int_equal(row->rule[6].n, -16);
		assert_int_equal(row->rule[16].n, -8);
		assert_true(cfi_find(cfi, f + FUNCTION - 1, row));
		assert_false(cfi_find(cfi, f + FUNCTION, row));
		assert_false(cfi_find(cfi, f - 1, row));
	}
}

static void test_cfi(void **state)
{
	(void)state;
	struct hand h;
	hand_make(&h);
	struct cfi cfi;
	struct cfi_row *row = malloc(sizeof(*row));
	assert_non_null(row);
	make_cfi(h.mem, true);
	assert_ok(cfi_init(&cfi, h.img, BASE + EH_HDR, 0, 0, NULL, 0, 0));
	assert_int_equal(cfi.ntable, FUNCTIONS);
	check_cfi(&cfi, row);
	cfi_deinit(&cfi);
	make_cfi(h.mem, false);
	assert_ok(cfi_init(&cfi, h.img, BASE + EH_HDR, 0, 0, NULL, 0, 0));
	assert_int_equal(cfi.ntable, 0);
	assert_int_equal(cfi.eh_index.entry.n, FUNCTIONS);
	check_cfi(&cfi, row);
	cfi_deinit(&cfi);
	assert_ok(cfi_init(&cfi, h.img, 0, BASE + EH_FRAME, 0x1000, NULL, 0, 0));
	check_cfi(&cfi, row);
	cfi_deinit(&cfi);
	assert_ok(cfi_init(&cfi, h.img, 0, 0, 0, NULL, 0, 0));
	assert_false(cfi_find(&cfi, BASE + CODE, row));
	cfi_deinit(&cfi);
	free(row);
	hand_drop(&h);
}

/* Bytes exchanged at random: whatever it answers, it answers, and within its bounds. */
static void test_cfi_damage(void **state)
{
	(void)state;
	struct hand h;
	hand_make(&h);
	struct cfi_row *row = malloc(sizeof(*row));
	assert_non_null(row);
	for (unsigned round = 0; round < 3000; round++) {
		memset(h.mem + EH_FRAME, 0, ROOM - EH_FRAME);
		make_cfi(h.mem, round & 1);
		for (uint64_t k = random_next(&random_state) % 20 + 1; k--;) {
			static const uint8_t evil[] = {0x00, 0xff, 0x80, 0x7f, 0x0f, 0x10, 0x16};
			uint64_t at = random_next(&random_state) % 8
					      ? EH_FRAME + random_next(&random_state) % 0x200
					      : EH_HDR + random_next(&random_state) % 0x40;
			h.mem[at] = random_next(&random_state) & 1
					    ? (uint8_t)random_next(&random_state)
					    : evil[random_next(&random_state) % sizeof(evil)];
		}
		struct cfi cfi;
		/* Also as a section of its own, where the same bytes mean something else. */
		assert_ok(
			cfi_init(&cfi, h.img, BASE + EH_HDR, 0, 0, h.mem + EH_FRAME, 0x800, BASE));
		for (unsigned i = 0; i < FUNCTIONS; i++)
			cfi_find(&cfi,
				 BASE + CODE + 2 * FUNCTION * i + random_next(&random_state) % 8,
				 row);
		cfi_find(&cfi, random_next(&random_state), row);
		cfi_deinit(&cfi);
	}
	free(row);
	hand_drop(&h);
}

/* ---- symbols ---- */

enum { SYMTAB = 0x400, STRTAB = 0x6000, HASH = 0x300, SYMBOLS = 200, OBJECTS = 0xc000 };

struct want {
	uint64_t start, size;
	bool object;
	char name[16];
};

static void put_dynamic(uint8_t *mem, uint32_t count, bool gnu)
{
	struct writer w = {mem, 0x100};
	uint64_t table[][2] = {{DT_SYMTAB, BASE + SYMTAB}, /* as glibc leaves it: relocated */
			       {DT_STRTAB, STRTAB},	   /* as others do: the file's */
			       {DT_STRSZ, 0x4000},
			       {DT_SYMENT, sizeof(Elf64_Sym)},
			       {gnu ? DT_GNU_HASH : DT_HASH, BASE + HASH},
			       {DT_NULL, 0}};
	for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) {
		put(&w, table[i][0], 8);
		put(&w, table[i][1], 8);
	}
	w.at = HASH;
	if (!gnu) {
		put(&w, 1, 4);
		put(&w, count, 4);
		return;
	}
	put(&w, 1, 4);	       /* one bucket, */
	put(&w, count - 3, 4); /* whose chain has the last three symbols */
	put(&w, 1, 4);
	put(&w, 0, 4);
	put(&w, 0, 8);
	put(&w, count - 3, 4);
	put(&w, 2, 4);
	put(&w, 4, 4);
	put(&w, 7, 4);
}

static void put_symbols(uint8_t *mem, const struct want *want, unsigned n)
{
	struct writer w = {mem, STRTAB + 1};
	for (unsigned i = 0; i < n; i++) {
		Elf64_Sym s = {.st_name = w.at - STRTAB,
			       .st_info = ELF64_ST_INFO(STB_GLOBAL,
							want[i].object ? STT_OBJECT : STT_FUNC),
			       .st_shndx = 5,
			       .st_value = want[i].start - BASE,
			       .st_size = want[i].size};
		memcpy(mem + SYMTAB + (i + 1) * sizeof(s), &s, sizeof(s));
		memcpy(mem + w.at, want[i].name, strlen(want[i].name) + 1);
		w.at += (uint32_t)strlen(want[i].name) + 1;
	}
}

/* The innermost: starts last, then ends first, then the first name. NULL: none. */
static const struct want *naive_at(const struct want *want, unsigned n, uint64_t addr)
{
	const struct want *best = NULL, *marker = NULL;
	uint64_t next = BASE + ROOM;
	for (unsigned i = 0; i < n; i++) {
		const struct want *c = &want[i];
		if (c->start <= addr && addr - c->start < c->size &&
		    (!best || c->start > best->start ||
		     (c->start == best->start &&
		      (c->size < best->size ||
		       (c->size == best->size && strcmp(c->name, best->name) < 0)))))
			best = c;
		if (!c->size && c->start <= addr &&
		    (!marker || c->start > marker->start ||
		     (c->start == marker->start && strcmp(c->name, marker->name) < 0)))
			marker = c;
	}
	if (best || !marker)
		return best;
	/* One without a size reaches up to the next symbol, unless it is inside of another. */
	for (unsigned i = 0; i < n; i++) {
		if (want[i].start > marker->start && want[i].start < next)
			next = want[i].start;
		if (marker->start - want[i].start < want[i].size)
			return NULL;
	}
	return addr < next ? marker : NULL;
}

static void check_symbols(bool gnu)
{
	for (unsigned round = 0; round < 20; round++) {
		struct hand h;
		hand_make(&h);
		struct want want[SYMBOLS];
		for (unsigned i = 0; i < SYMBOLS; i++) {
			want[i] = (struct want){
				.start = BASE + OBJECTS + random_next(&random_state) % 0x800,
				.size = random_next(&random_state) % 8
						? random_next(&random_state) %
							  (8u << random_next(&random_state) % 6)
						: 0,
				.object = random_next(&random_state) & 1};
			snprintf(want[i].name, sizeof(want[i].name), "s%03u", i);
		}
		put_dynamic(h.mem, SYMBOLS + 1, gnu);
		put_symbols(h.mem, want, SYMBOLS);
		struct debuginfo *di;
		assert_ok(debuginfo_create(h.img, &(struct debuginfo_options){0}, &h.log, &di));
		assert_string_equal(debuginfo_module(di, 1)->symbols, "dynsym");
		assert_int_equal(debuginfo_module(di, 1)->state, MODULE_FILE_NONE);
		for (uint64_t at = BASE + OBJECTS - 8; at < BASE + OBJECTS + 0x1000; at++) {
			const struct want *w = naive_at(want, SYMBOLS, at);
			struct debuginfo_symbol s;
			bool found = debuginfo_symbol_at(di, at, &s);
			assert_int_equal(found, w != NULL);
			if (!w)
				continue;
			assert_string_equal(s.raw, w->name);
			assert_int_equal(s.start, w->start);
			assert_int_equal(s.size, w->size);
			assert_int_equal(s.is_object, w->object);
		}
		for (unsigned i = 0; i < SYMBOLS; i++) {
			struct debuginfo_symbol s;
			assert_true(debuginfo_symbol_find(di, i & 1, want[i].name, &s));
			assert_int_equal(s.start, want[i].start);
		}
		image_destroy(h.img);
		debuginfo_destroy(di);
		damage_deinit(&h.damage);
		free(h.mem);
	}
}

static void test_dynsym_hash(void **state)
{
	(void)state;
	check_symbols(false);
}

static void test_dynsym_gnu_hash(void **state)
{
	(void)state;
	check_symbols(true);
}

static void test_dynsym_damage(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct hand h;
		hand_make(&h);
		struct want want[SYMBOLS];
		for (unsigned i = 0; i < SYMBOLS; i++) {
			want[i] = (struct want){BASE + OBJECTS + i * 8, 8, true, ""};
			snprintf(want[i].name, sizeof(want[i].name), "s%03u", i);
		}
		put_dynamic(h.mem, round & 1 ? SYMBOLS + 1 : UINT32_MAX, round & 2);
		put_symbols(h.mem, want, SYMBOLS);
		if (round & 4) /* names without end */
			memset(h.mem + STRTAB, 'x', ROOM - STRTAB);
		for (uint64_t k = random_next(&random_state) % 30; k--;) {
			static const unsigned place[] = {0x100, HASH, SYMTAB, STRTAB};
			h.mem[place[random_next(&random_state) % 4] +
			      random_next(&random_state) % 0x100] =
				(uint8_t)random_next(&random_state);
		}
		struct debuginfo *di;
		assert_ok(debuginfo_create(h.img, &(struct debuginfo_options){0}, &h.log, &di));
		struct debuginfo_symbol s;
		for (uint64_t at = BASE; at < BASE + ROOM;
		     at += 256 + random_next(&random_state) % 256)
			debuginfo_symbol_at(di, at, &s);
		debuginfo_symbol_find(di, 0, "s100", &s);
		image_destroy(h.img);
		debuginfo_destroy(di);
		damage_deinit(&h.damage);
		free(h.mem);
	}
}

/* ---- unwinding ---- */

/* Threads with registers and stacks at random: no repeats, never more than asked for. */
static void test_unwind_damage(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2000; round++) {
		struct hand h;
		hand_make(&h);
		make_cfi(h.mem, true);
		Elf64_Phdr ph = {.p_type = PT_GNU_EH_FRAME, .p_vaddr = EH_HDR};
		memcpy(h.mem + 0x40, &ph, sizeof(ph));
		h.img->module[0].phdr = BASE + 0x40;
		h.img->module[0].phnum = 1;
		h.img->module[0].has_headers = true;
		for (unsigned i = 0xe000; i < ROOM; i += 8) {
			uint64_t v = random_next(&random_state) % 3
					     ? BASE + CODE + random_next(&random_state) % 0x1800
					     : BASE + 0xe000 + random_next(&random_state) % 0x2000;
			memcpy(h.mem + i, &v, 8);
		}
		for (uint64_t k = random_next(&random_state) % 10; k--;)
			h.mem[EH_FRAME + random_next(&random_state) % 0x300] =
				(uint8_t)random_next(&random_state);
		struct image_thread t = {.pc = BASE + CODE + random_next(&random_state) % 0x1800,
					 .sp = BASE + 0xe000 + random_next(&random_state) % 0x1800,
					 .nreg = 17};
		for (unsigned i = 0; i < t.nreg; i++)
			t.reg[i] = BASE + random_next(&random_state) % ROOM;
		t.fp = t.reg[6];
		struct debuginfo *di;
		assert_ok(debuginfo_create(h.img, &(struct debuginfo_options){0}, &h.log, &di));
		struct debuginfo_frame frame[50];
		unsigned n, max = 1 + (unsigned)(random_next(&random_state) % 50);
		assert_ok(debuginfo_unwind(di, &t, frame, max, &n));
		assert_true(n >= 1 && n <= max);
		for (unsigned i = 1; i < n; i++)
			assert_true(frame[i].sp >= frame[i - 1].sp);
		image_destroy(h.img);
		debuginfo_destroy(di);
		damage_deinit(&h.damage);
		free(h.mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open_in_root),
		cmocka_unit_test(test_demangle),
		cmocka_unit_test(test_expr),
		cmocka_unit_test(test_cfi),
		cmocka_unit_test(test_cfi_damage),
		cmocka_unit_test(test_dynsym_hash),
		cmocka_unit_test(test_dynsym_gnu_hash),
		cmocka_unit_test(test_dynsym_damage),
		cmocka_unit_test(test_unwind_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
