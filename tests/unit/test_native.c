/*
 * Tests of runtime/native: the references that it finds in generated memory are those that a slow
 * and simple reader finds, word by word; and each kind of root is read, or is not.
 */
#include "runtime/native/containers.h"
#include "runtime/runtime.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "assert_ok.h"
#include "random.h"

static uint64_t seed = 1;

enum { AREA = 1 << 15, AREAS_MOST = 5, PAGE = 4096 };

struct fixture {
	struct damage_log damage;
	struct log log;
	struct image *img;
	struct snapshot *s;
	struct runtime_context ctx;
	uint8_t area[AREAS_MOST][AREA];
	uint64_t base[AREAS_MOST];
	unsigned areas;
	uint32_t arena;
};

static void add_area(struct fixture *f, uint64_t base, enum segment_kind kind)
{
	struct image_segment seg = {
		.start = base, .end = base + AREA, .perms = PERM_R | PERM_W, .kind = (uint8_t)kind};
	struct image_span span = {
		.start = base, .end = base + AREA, .data = f->area[f->areas], .origin = SPAN_DUMP};
	memset(f->area[f->areas], 0, AREA);
	f->base[f->areas++] = base;
	assert_ok(image_add_segment(f->img, &seg));
	assert_ok(image_add_span(f->img, &span));
}

static void make(struct fixture *f, enum image_machine machine)
{
	memset(f, 0, sizeof(*f));
	log_init(&f->log, LOG_ERROR);
	assert_ok(image_create(&f->damage, &f->log, &f->img));
	f->img->machine = machine;
	f->img->word_size = machine == MACHINE_I386 ? 4 : 8;
	f->img->page_size = PAGE;
}

/* The areas are there. Blocks come next. */
static void make_snapshot(struct fixture *f)
{
	assert_ok(image_seal(f->img));
	assert_ok(snapshot_create(f->img, &f->damage, &f->s));
	f->ctx = (struct runtime_context){
		.image = f->img, .snapshot = f->s, .damage = &f->damage, .log = &f->log};
	struct arena_row row = {.address = 1};
	assert_ok(intern_str(&f->s->strings, "test", &row.allocator));
	assert_ok(snapshot_add_arena(f->s, &row, &f->arena));
}

static void unmake(struct fixture *f)
{
	snapshot_destroy(f->s);
	image_destroy(f->img);
	damage_deinit(&f->damage);
}

static void add_heap(struct fixture *f, uint64_t start, uint64_t end)
{
	struct extent_row row = {
		.start = start, .end = end, .kind = EXTENT_HEAP, .arena_id = (uint16_t)f->arena};
	assert_ok(snapshot_add_extent(f->s, &row));
}

static uint8_t *at(struct fixture *f, uint64_t addr)
{
	for (unsigned i = 0; i < f->areas; i++)
		if (addr - f->base[i] < AREA)
			return f->area[i] + (addr - f->base[i]);
	fail_msg("no area");
	return NULL;
}

static void put(struct fixture *f, uint64_t addr, uint64_t word)
{
	memcpy(at(f, addr), &word, f->img->word_size);
}

static uint64_t get(struct fixture *f, uint64_t addr)
{
	uint64_t word = 0;
	memcpy(&word, at(f, addr), f->img->word_size);
	return word;
}

/* ---- references ---- */

static int64_t slow_find(const struct snapshot *s, uint64_t addr)
{
	for (uint32_t i = 0; i < s->object.n; i++)
		if (addr - s->object.address[i] < s->object.size[i])
			return i;
	return -1;
}

/* What native_edges promises, said slowly. False: no reference. */
static bool slow_reference(struct fixture *f, uint64_t start, uint64_t end, uint64_t addr,
			   uint32_t *dst, enum edge_how *how)
{
	const struct snapshot *s = f->s;
	const uint32_t ws = f->img->word_size;
	uint64_t word = get(f, addr), plain = word & ((UINT64_C(1) << 48) - 1);
	int64_t i = slow_find(s, addr % ws ? word : plain);
	if (i < 0)
		return false;
	uint64_t inside = plain - s->object.address[i];
	*dst = (uint32_t)i + 1;
	if (addr % ws) {
		*how = EDGE_MISALIGNED;
		if (word < UINT64_C(1) << 40 && inside)
			return false;
		if (ws == 8)
			return true;
		/* 32 bit: what malloc could have returned, and no halves of other pointers */
		uint64_t before = addr - addr % 4, lo, hi;
		snapshot_bounds(s, &lo, &hi);
		lo &= ~(uint64_t)0xfffff;
		(void)start;
		return word % 8 == 0 && get(f, before) - lo >= hi - lo &&
		       (before + 8 > end || get(f, before + 4) - lo >= hi - lo);
	}
	*how = !inside ? EDGE_START : inside < ws && inside % 4 ? EDGE_TAGGED : EDGE_INTERIOR;
	if (plain == word)
		return true;
	*how = EDGE_TAGGED;
	return !inside || !(word >> 48 & 0xff);
}

static uint64_t random_object(const struct snapshot *s)
{
	return random_below(&seed, s->object.n);
}

/* A word of some kind: number, text, pointer with or without tags, to the start or not. */
static uint64_t random_word(struct fixture *f)
{
	const struct snapshot *s = f->s;
	uint64_t i = random_object(s);
	switch (random_below(&seed, 9)) {
	case 0:
		return random_below(&seed, 1000);
	case 1:
		return random_next(&seed);
	case 2:
		return s->object.address[i];
	case 3:
		return s->object.address[i] + random_below(&seed, s->object.size[i] + 16);
	case 4:
		return s->object.address[i] | random_below(&seed, 8);
	case 5:
		return f->img->word_size == 8
			       ? s->object.address[i] | random_below(&seed, 65536) << 48
			       : s->object.address[i];
	case 6:
		return f->img->word_size == 8 ? (s->object.address[i] + random_below(&seed, 16)) |
							random_below(&seed, 256) << 56
					      : 0x61626364;
	default:
		return 0;
	}
}

static void fill(struct fixture *f)
{
	const struct object_table *o = &f->s->object;
	const uint32_t ws = f->img->word_size;
	for (uint32_t i = 0; i < o->n; i++) {
		for (uint64_t k = 0; k + ws <= o->size[i]; k += ws)
			put(f, o->address[i] + k, random_word(f));
		if (random_below(&seed, 3) == 0 && o->size[i] > ws)
			put(f, o->address[i] + random_below(&seed, o->size[i] - ws + 1),
			    random_word(f));
	}
}

static void make_blocks(struct fixture *f)
{
	for (unsigned a = 0; a < f->areas; a++) {
		uint64_t addr = f->base[a] + 16, end = f->base[a] + AREA;
		add_heap(f, f->base[a], end);
		while (end - addr > 4096) {
			uint64_t size =
				8 + 16 * random_below(&seed, random_below(&seed, 8) ? 12 : 200);
			if (random_below(&seed, 5))
				assert_ok(snapshot_add_block(f->s, addr, size, f->arena));
			else
				assert_ok(
					snapshot_add_free(f->s, addr, size, f->arena, FREE_SMALL));
			addr += size + 8;
		}
	}
}

static void compare(struct fixture *f, uint64_t opaque_start, uint64_t opaque_end)
{
	const struct snapshot *s = f->s;
	const uint32_t ws = f->img->word_size;
	for (uint32_t i = 0; i < s->object.n; i++) {
		uint64_t start = s->object.address[i], end = start + s->object.size[i];
		uint64_t e = s->edge.first[i];
		if (start < opaque_end && opaque_start < end) {
			assert_int_equal(s->edge.first[i + 1], e);
			continue;
		}
		/* Aligned ones first, then those at odd addresses, each in order. */
		for (int pass = 0; pass < 2; pass++) {
			for (uint64_t addr = start; addr + ws <= end; addr++) {
				uint32_t dst;
				enum edge_how how;
				if ((addr % ws != 0) != pass ||
				    !slow_reference(f, start, end, addr, &dst, &how))
					continue;
				assert_true(e < s->edge.first[i + 1]);
				assert_int_equal(s->edge.dst[e], dst);
				assert_int_equal(edge_how(s->edge.where[e]), how);
				assert_int_equal(edge_offset(s->edge.where[e], ws), addr - start);
				e++;
			}
		}
		assert_int_equal(e, s->edge.first[i + 1]);
	}
}

static void check_generated(enum image_machine machine, const uint64_t *base, unsigned areas)
{
	for (unsigned round = 0; round < 20; round++) {
		struct fixture *f = malloc(sizeof(*f));
		make(f, machine);
		for (unsigned a = 0; a < areas; a++)
			add_area(f, base[a], SEGMENT_ANON);
		make_snapshot(f);
		make_blocks(f);
		/* One block that nobody reads. */
		uint64_t hidden = f->s->block.at[f->s->block.n / 2].address;
		uint64_t hidden_end = hidden + f->s->block.at[f->s->block.n / 2].size;
		assert_ok(snapshot_add_opaque(f->s, hidden, hidden_end, "test"));
		assert_ok(snapshot_seal_blocks(f->s));
		fill(f);
		assert_ok(runtime_references(&f->ctx));
		compare(f, hidden, hidden_end);
		assert_ok(snapshot_seal_references(f->s));
		assert_ok(snapshot_check(f->s));
		unmake(f);
		free(f);
	}
}

static void test_references_64(void **state)
{
	(void)state;
	static const uint64_t usual[] = {0x555555560000, 0x7f1234560000, 0x7f5234560000};
	static const uint64_t low[] = {0x4a8000, 0x7f1234560000};
	static const uint64_t below_40_bits[] = {0x3f4a8000, 0x10003f4a8000};
	static const uint64_t alone[] = {0x1234a8000};
	static const uint64_t apart[] = {0xfff48000, 0x110008000, 0x2110008000};
	check_generated(MACHINE_X86_64, usual, 3);
	check_generated(MACHINE_X86_64, low, 2);
	check_generated(MACHINE_AARCH64, below_40_bits, 2);
	check_generated(MACHINE_AARCH64, alone, 1);
	check_generated(MACHINE_X86_64, apart, 3);
}

static void test_references_32(void **state)
{
	(void)state;
	static const uint64_t base[] = {0x804a000, 0xf7e00000};
	static const uint64_t alone[] = {0x57654000};
	check_generated(MACHINE_I386, base, 2);
	check_generated(MACHINE_I386, alone, 1);
}

/* ---- roots ---- */

static bool has_root(const struct snapshot *s, uint32_t object, enum root_grade grade)
{
	for (uint64_t i = 0; i < s->root.n; i++)
		if (s->root.at[i].object_id == object && s->root.at[i].grade == grade)
			return true;
	return false;
}

static unsigned count_roots(const struct snapshot *s, uint32_t object)
{
	unsigned n = 0;
	for (uint64_t i = 0; i < s->root.n; i++)
		n += s->root.at[i].object_id == object;
	return n;
}

/*
 * One block for each place that may hold its address: a register, a vector register, the stack
 * above and below sp, a mapping of nobody's, a stack that is kept.
 */
static void test_roots(void **state)
{
	(void)state;
	enum { REGISTER, VECTOR, STACK, RED_ZONE, DEAD, MAPPING, CACHED, BLOCKS };
	struct fixture *f = malloc(sizeof(*f));
	uint64_t block[BLOCKS], heap = 0x555555560000, stack = 0x7ffff7f00000;
	make(f, MACHINE_X86_64);
	add_area(f, heap, SEGMENT_ANON);
	add_area(f, 0x7f1234560000, SEGMENT_ANON);
	add_area(f, 0x7f2234560000, SEGMENT_ANON);
	add_area(f, stack, SEGMENT_STACK);
	for (unsigned i = 0; i < BLOCKS; i++)
		block[i] = heap + 64 + 64 * (uint64_t)i;
	uint8_t vector[64] = {0};
	memcpy(vector + 16, &block[VECTOR], 8);
	struct image_thread t = {.tid = 7, .sp = stack + 8192, .nreg = 17, .vector = vector};
	t.vector_len = sizeof(vector);
	t.reg[12] = block[REGISTER];
	t.reg[7] = t.sp;
	f->img->process.pid = 7;
	f->img->process.at_execfn = stack + AREA - 100;
	assert_ok(image_add_thread(f->img, &t));
	make_snapshot(f);
	put(f, t.sp + 80, block[STACK]);
	put(f, t.sp - 128, block[RED_ZONE]);
	put(f, t.sp - 136, block[DEAD]);
	put(f, 0x7f1234560000 + 800, block[MAPPING]);
	put(f, 0x7f2234560000 + 800, block[CACHED]);
	assert_ok(runtime_prepare(&f->ctx));
	assert_ok(snapshot_add_extent(f->s, &(struct extent_row){.start = 0x7f2234560000,
								 .end = 0x7f2234560000 + AREA,
								 .kind = EXTENT_STACK_CACHED}));
	add_heap(f, heap, heap + AREA);
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_ok(snapshot_add_block(f->s, block[i], 48, f->arena));
	assert_ok(snapshot_seal_blocks(f->s));
	assert_ok(runtime_references(&f->ctx));
	assert_true(has_root(f->s, REGISTER + 1, ROOT_REGISTER));
	assert_true(has_root(f->s, VECTOR + 1, ROOT_REGISTER));
	/* Without unwind information nothing explains a stack word. */
	assert_true(has_root(f->s, STACK + 1, ROOT_STACK));
	assert_true(has_root(f->s, RED_ZONE + 1, ROOT_STACK));
	assert_int_equal(count_roots(f->s, DEAD + 1), 0);
	assert_true(has_root(f->s, MAPPING + 1, ROOT_UNEXPLAINED));
	assert_int_equal(count_roots(f->s, CACHED + 1), 0);
	unmake(f);
	free(f);
}

/* A read-only mapping of a file; its first `present` bytes are in the dump. */
static void add_file_area(struct fixture *f, uint64_t base, uint64_t file_offset, uint32_t module,
			  uint64_t present)
{
	struct image_segment seg = {.start = base,
				    .end = base + AREA,
				    .perms = PERM_R,
				    .kind = SEGMENT_MODULE,
				    .module_id = module,
				    .file_offset = file_offset};
	struct image_span span = {.start = base,
				  .end = base + present,
				  .data = f->area[f->areas],
				  .origin = SPAN_DUMP};
	memset(f->area[f->areas], 0, AREA);
	f->base[f->areas++] = base;
	assert_ok(image_add_segment(f->img, &seg));
	if (present)
		assert_ok(image_add_span(f->img, &span));
}

/*
 * What is in the dump of read-only mappings. The kernel leaves out what was not written, and keeps the page of a file's
 * header; gcore keeps the whole mapping that the header is in, written or not.
 */
static void test_written_files(void **state)
{
	(void)state;
	enum { FIRST, SECOND, BLOCKS };
	const uint64_t heap = 0x555555560000, file = 0x7f1234560000, other = 0x7f2234560000;
	for (unsigned by_kernel = 0; by_kernel < 2; by_kernel++) {
		struct fixture *f = malloc(sizeof(*f));
		make(f, MACHINE_X86_64);
		add_area(f, heap, SEGMENT_ANON);
		add_file_area(f, file, 0, 1, AREA);
		add_file_area(f, file + AREA, AREA, 1, AREA);
		add_file_area(f, other, 0, 2, by_kernel ? PAGE : AREA);
		add_file_area(f, other + AREA, AREA, 2, 0);
		struct image_module module = {
			.start = file, .end = file + 2 * AREA, .path = "/a.so"};
		assert_ok(image_add_module(f->img, &module));
		module = (struct image_module){
			.start = other, .end = other + 2 * AREA, .path = "/b.so"};
		assert_ok(image_add_module(f->img, &module));
		make_snapshot(f);
		put(f, file + 800, heap + 64);
		put(f, file + 1001, heap + 64);
		put(f, file + AREA + 800, heap + 128);
		add_heap(f, heap, heap + AREA);
		for (uint64_t i = 0; i < BLOCKS; i++)
			assert_ok(snapshot_add_block(f->s, heap + 64 + 64 * i, 48, f->arena));
		assert_ok(snapshot_seal_blocks(f->s));
		assert_ok(runtime_references(&f->ctx));
		assert_int_equal(count_roots(f->s, FIRST + 1), by_kernel ? 2 : 0);
		assert_int_equal(count_roots(f->s, SECOND + 1), 1);
		unmake(f);
		free(f);
	}
}

/* ---- names ---- */

static const char *type_of(const struct snapshot *s, uint32_t object)
{
	uint32_t t = s->object.type_id[object];
	return t ? intern_text(&s->strings, s->type.at[t - 1].name) : "";
}

#define TEN "0123456789"

static void test_names(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		const char *type, *value;
	} c[] = {
		{"", 0, "zeroes", ""},
		{"hello, world", 12, "text (UTF-8)", "hello, world"},
		{"a\tb\\ and so on\n", 15, "text (UTF-8)", "a\\tb\\\\ and so on\\n"},
		{"short", 5, "", ""}, /* for so large a block */
		{"abc", 3, "", ""},
		{"Gr\xc3\xbc\xc3\x9f Gott", 11, "text (UTF-8)", "Gr\xc3\xbc\xc3\x9f Gott"},
		{"bad \xc3\x28 utf", 10, "", ""},
		{"over\xc0\xaflong", 10, "", ""},
		{"w\0i\0d\0e\0r\0 \0a\0l\0l\0", 18, "text (UTF-16)", "wider all"},
		{"G\0r\0\xfc\0\xdf\0 \0G\0o\0t\0t\0", 18, "text (UTF-16)",
		 "Gr\xc3\xbc\xc3\x9f Gott"},
		{"\1\0\0\0\2\0\0\0", 8, "", ""},
		{TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN, 100, "text (UTF-8)",
		 TEN TEN TEN TEN TEN TEN TEN "0123456..."},
	};
	enum { CASES = sizeof(c) / sizeof(c[0]), SIZE = 104 };
	const uint64_t heap = 0x555555560000;
	struct fixture *f = malloc(sizeof(*f));
	make(f, MACHINE_X86_64);
	add_area(f, heap, SEGMENT_ANON);
	make_snapshot(f);
	add_heap(f, heap, heap + AREA);
	for (unsigned i = 0; i <= CASES; i++) {
		uint64_t addr = heap + 16 + 128 * (uint64_t)i;
		assert_ok(snapshot_add_block(f->s, addr, SIZE, f->arena));
		if (i < CASES)
			memcpy(at(f, addr), c[i].bytes, c[i].len);
		for (unsigned k = 0; i == CASES && k + 8 <= SIZE; k += 8)
			put(f, addr + k, heap + 16 + 128 * (uint64_t)(k / 8 % CASES));
	}
	assert_ok(snapshot_seal_blocks(f->s));
	assert_ok(runtime_objects(&f->ctx));
	for (uint32_t i = 0; i < CASES; i++) {
		assert_string_equal(type_of(f->s, i), c[i].type);
		assert_string_equal(intern_text(&f->s->strings, f->s->object.value[i]), c[i].value);
	}
	assert_string_equal(type_of(f->s, CASES), "pointer array");
	unmake(f);
	free(f);
}

/* ---- containers ---- */

/* {begin, end, limit} of a block of 40 bytes, behind the word `before`: is that a vector? */
static bool vector_behind(uint64_t heap, uint64_t before)
{
	const uint64_t holder = heap + 16, room = heap + 128;
	struct container_shape shape;
	struct fixture *f = malloc(sizeof(*f));
	make(f, MACHINE_X86_64);
	add_area(f, heap, SEGMENT_ANON);
	make_snapshot(f);
	add_heap(f, heap, heap + AREA);
	assert_ok(snapshot_add_block(f->s, holder, 72, f->arena));
	assert_ok(snapshot_add_block(f->s, room, 40, f->arena));
	assert_ok(snapshot_seal_blocks(f->s));
	put(f, holder, before);
	put(f, holder + 8, room);
	put(f, holder + 16, room + 16);
	put(f, holder + 24, room + 40);
	const struct container_place place = {
		.p = at(f, holder + 8), .address = holder + 8, .before = 1, .after = 8};
	const bool found =
		container_shape_at(&f->ctx, &place, snapshot_object_find(f->s, room), 0, &shape) &&
		shape.form == CONTAINER_VECTOR && shape.capacity == 40 && shape.used == 16;
	unmake(f);
	free(f);
	return found;
}

/* A FILE's buffers are none. An address may look like a FILE's flags. */
static void test_vector_behind_flags(void **state)
{
	(void)state;
	const uint64_t heap = 0x55d3fbad0000;
	assert_true(vector_behind(heap, 0));
	assert_true(vector_behind(heap, heap + 0x2488));
	assert_false(vector_behind(heap, 0xfbad2488));
	assert_false(
		vector_behind(heap, 0x7f00fbad2488)); /* what is behind the flags is nobody's */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_references_64), cmocka_unit_test(test_references_32),
		cmocka_unit_test(test_roots),	      cmocka_unit_test(test_written_files),
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_vector_behind_flags),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
