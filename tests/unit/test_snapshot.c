/* Tests of snapshot: sealing and finding against naive answers, on generated tables. */
#include "snapshot/snapshot.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "assert_ok.h"
#include "random.h"

static uint64_t seed = 1;

struct fixture {
	struct damage_log damage;
	struct snapshot *s;
};

static void make(struct fixture *f)
{
	*f = (struct fixture){0};
	assert_ok(snapshot_create(NULL, &f->damage, &f->s));
}

static void unmake(struct fixture *f)
{
	snapshot_destroy(f->s);
	damage_deinit(&f->damage);
}

static uint32_t add_arena(struct snapshot *s, const char *allocator)
{
	struct arena_row row = {.address = 1};
	uint32_t id;
	assert_ok(intern_str(&s->strings, allocator, &row.allocator));
	assert_ok(snapshot_add_arena(s, &row, &id));
	return id;
}

static void add_extent(struct snapshot *s, uint64_t start, uint64_t end, enum extent_kind kind,
		       uint32_t arena)
{
	struct extent_row row = {
		.start = start, .end = end, .kind = (uint8_t)kind, .arena_id = (uint16_t)arena};
	assert_ok(snapshot_add_extent(s, &row));
}

struct truth {
	uint64_t address, size;
	bool live;
};

struct heap {
	uint64_t start, end, first, count;
	uint32_t arena;
};

/* Heaps at far and near places, added in any order, blocks and free blocks mixed. */
static void test_random_heaps(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		struct fixture f;
		make(&f);
		VEC(struct truth) truth = {0};
		struct heap heap[6];
		uint64_t heaps = 1 + random_below(&seed, 6),
			 at = 0x10000 + random_below(&seed, 1 << 20) * 16;
		for (uint64_t h = 0; h < heaps; h++) {
			heap[h].start = at;
			heap[h].first = truth.n;
			heap[h].arena = add_arena(f.s, "glibc");
			for (uint64_t n = random_below(&seed, 300); n > 0; n--) {
				uint64_t most = random_below(&seed, 20) ? 20 : 60000;
				uint64_t size = 16 + random_below(&seed, most) * 16 + 8;
				struct truth t = {at + 16, size, random_below(&seed, 3) != 0};
				assert_ok(vec_push(&truth, t));
				at += size + 8;
			}
			heap[h].count = truth.n - heap[h].first;
			at += 64;
			heap[h].end = at;
			at += random_below(&seed, 2) ? random_below(&seed, 1 << 16) * 16
						     : random_below(&seed, 1 << 20) << 20;
		}
		for (uint64_t h = heaps; h > 0; h--) {
			struct heap *pick = &heap[random_below(&seed, h)];
			add_extent(f.s, pick->start, pick->end, EXTENT_HEAP, pick->arena);
			for (uint64_t i = pick->first; i < pick->first + pick->count; i++) {
				const struct truth *t = &truth.at[i];
				if (t->live)
					assert_ok(snapshot_add_block(f.s, t->address, t->size,
								     pick->arena));
				else
					assert_ok(snapshot_add_free(f.s, t->address, t->size,
								    pick->arena, FREE_SMALL));
			}
			*pick = heap[h - 1];
		}
		assert_ok(snapshot_seal_blocks(f.s));
		assert_ok(snapshot_check(f.s));
		assert_int_equal(f.damage.count[DAMAGE_HEAP], 0);
		uint32_t id = 0;
		for (uint64_t i = 0; i < truth.n; i++) {
			const struct truth *t = &truth.at[i];
			if (t->live) {
				id++;
				assert_int_equal(f.s->object.address[id - 1], t->address);
			}
			uint64_t inside = t->address + random_below(&seed, t->size);
			assert_int_equal(snapshot_object_find(f.s, inside), t->live ? id : 0);
			assert_int_equal(snapshot_object_find(f.s, t->address), t->live ? id : 0);
			assert_int_equal(snapshot_object_find(f.s, t->address + t->size), 0);
			assert_int_equal(snapshot_object_find(f.s, t->address - 1), 0);
			const struct free_row *fr = snapshot_free_find(f.s, inside);
			assert_int_equal(fr ? fr->address : 0, t->live ? 0 : t->address);
		}
		assert_int_equal(id, f.s->object.n);
		vec_deinit(&truth);
		unmake(&f);
	}
}

/* A block that another allocator carves up is no object; an overlap in one allocator is damage. */
static void test_containers_and_overlaps(void **state)
{
	(void)state;
	struct fixture f;
	make(&f);
	uint32_t outer = add_arena(f.s, "glibc"), inner = add_arena(f.s, "pymalloc");
	add_extent(f.s, 0x1000, 0x9000, EXTENT_HEAP, outer);
	assert_ok(snapshot_add_block(f.s, 0x2000, 0x1000, outer));
	assert_ok(snapshot_add_block(f.s, 0x4000, 0x100, outer));
	assert_ok(snapshot_add_block(f.s, 0x4080, 0x100, outer));
	assert_ok(snapshot_add_block(f.s, 0x2000, 0x20, 0));
	assert_ok(snapshot_add_block(f.s, 0x2040, 0x20, 0));
	(void)inner;
	assert_ok(snapshot_seal_blocks(f.s));
	assert_int_equal(f.s->object.n, 3);
	assert_int_equal(f.s->object.address[0], 0x2000);
	assert_int_equal(f.s->object.size[0], 0x20);
	assert_int_equal(f.s->object.address[1], 0x2040);
	assert_int_equal(f.s->object.address[2], 0x4000);
	assert_int_equal(f.damage.count[DAMAGE_HEAP], 1);
	assert_int_equal(f.damage.at[0].culprit, 0x4000);
	unmake(&f);
}

/* What two allocators claim is the later one's: it carves up a block, or was mistaken for one. */
static void test_nested_arenas(void **state)
{
	(void)state;
	struct fixture f;
	make(&f);
	uint32_t outer = add_arena(f.s, "glibc"), mapped = add_arena(f.s, "glibc");
	uint32_t inner = add_arena(f.s, "pymalloc"), apart = add_arena(f.s, "pymalloc");
	add_extent(f.s, 0x10000, 0x90000, EXTENT_HEAP, outer);
	assert_ok(snapshot_add_block(f.s, 0x10010, 0x18, outer));
	assert_ok(snapshot_add_block(f.s, 0x20010, 0x40ff8, outer)); /* the container */
	assert_ok(snapshot_add_block(f.s, 0x61010, 0x18, outer));
	add_extent(f.s, 0xa2000, 0xa3000, EXTENT_HEAP, mapped); /* looks like a chunk of its own */
	assert_ok(snapshot_add_block(f.s, 0xa2010, 0xfe8, mapped));
	/* Nothing is live in the arena inside the block. */
	add_extent(f.s, 0x20010, 0x60010, EXTENT_HEAP, inner);
	assert_ok(snapshot_add_free(f.s, 0x21000, 0x1000, inner, FREE_PYMALLOC_POOL));
	add_extent(f.s, 0xa0000, 0xb0000, EXTENT_HEAP, apart);
	assert_ok(snapshot_add_block(f.s, 0xa1ff0, 0x40, apart));
	assert_ok(snapshot_seal_blocks(f.s));
	assert_ok(snapshot_check(f.s));
	assert_int_equal(f.damage.n, 0);
	assert_int_equal(f.s->object.n, 3);
	assert_int_equal(f.s->object.address[1], 0x61010);
	assert_int_equal(f.s->object.address[2], 0xa1ff0);
	assert_int_equal(f.s->arena.at[outer - 1].overhead_bytes, 0x40000 - 0x30);
	assert_int_equal(f.s->arena.at[mapped - 1].overhead_bytes, 0);
	assert_int_equal(f.s->arena.at[inner - 1].overhead_bytes, 0x3f000);
	assert_int_equal(f.s->extent.n, 4);
	unmake(&f);
}

/* Blocks of several arenas between each other, and rows in no order at all. */
static void test_merging(void **state)
{
	(void)state;
	for (int round = 0; round < 60; round++) {
		struct fixture f;
		make(&f);
		uint32_t arena = add_arena(f.s, "glibc"), n = (uint32_t)random_below(&seed, 2000);
		add_extent(f.s, 0x10000, 0x10000 + UINT64_C(32) * (n + 1), EXTENT_HEAP, arena);
		uint64_t runs = 1 + random_below(&seed, round % 3 ? 20 : 2000);
		for (uint64_t r = 0; r < runs; r++)
			for (uint64_t i = r; i < n; i += runs) {
				uint64_t at = 0x10000 + 32 * i;
				if (i % 3)
					assert_ok(snapshot_add_block(f.s, at, 24, arena));
				else
					assert_ok(snapshot_add_free(f.s, at, 24, arena, FREE_TOP));
			}
		assert_ok(snapshot_seal_blocks(f.s));
		assert_ok(snapshot_check(f.s));
		assert_int_equal(f.damage.n, 0);
		assert_int_equal(f.s->object.n + f.s->free.n, n);
		unmake(&f);
	}
}

/* An allocator's extent wins; another's is cut around it, into two if need be. */
static void test_extents(void **state)
{
	(void)state;
	struct fixture f;
	make(&f);
	uint32_t arena = add_arena(f.s, "glibc");
	add_extent(f.s, 0x1000, 0x9000, EXTENT_STACK_USED, 0);
	add_extent(f.s, 0x8000, 0xa000, EXTENT_GUARD, 0);
	add_extent(f.s, 0x3000, 0x4000, EXTENT_HEAP, arena);
	assert_ok(snapshot_seal_blocks(f.s));
	assert_ok(snapshot_check(f.s));
	static const uint64_t want[4][3] = {{0x1000, 0x3000, EXTENT_STACK_USED},
					    {0x3000, 0x4000, EXTENT_HEAP},
					    {0x4000, 0x9000, EXTENT_STACK_USED},
					    {0x9000, 0xa000, EXTENT_GUARD}};
	assert_int_equal(f.s->extent.n, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(f.s->extent.at[i].start, want[i][0]);
		assert_int_equal(f.s->extent.at[i].end, want[i][1]);
		assert_int_equal(f.s->extent.at[i].kind, want[i][2]);
	}
	assert_ptr_equal(snapshot_extent_find(f.s, 0x3fff), &f.s->extent.at[1]);
	assert_null(snapshot_extent_find(f.s, 0xa000));
	unmake(&f);
}

static void test_opaque(void **state)
{
	(void)state;
	struct fixture f;
	make(&f);
	assert_ok(snapshot_add_opaque(f.s, 0x3000, 0x3100, "b"));
	assert_ok(snapshot_add_opaque(f.s, 0x1000, 0x1100, "a"));
	assert_ok(snapshot_add_opaque(f.s, 0x1080, 0x1200, "c"));
	assert_ok(snapshot_seal_blocks(f.s));
	static const struct {
		uint64_t addr, end;
		bool opaque;
	} want[] = {
		{0, 0x1000, false},	{0x1000, 0x1100, true},	     {0x10ff, 0x1100, true},
		{0x1100, 0x1200, true}, {0x11ff, 0x1200, true},	     {0x1200, 0x3000, false},
		{0x3000, 0x3100, true}, {0x3100, UINT64_MAX, false},
	};
	for (unsigned i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		uint64_t end;
		assert_int_equal(snapshot_is_opaque(f.s, want[i].addr, &end), want[i].opaque);
		assert_true(end == want[i].end);
	}
	unmake(&f);
}

/* Backward rows are the forward ones, turned round: snapshot_check proves it. */
static void test_references(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 700000; n = n * 3 + 1) {
		struct fixture f;
		make(&f);
		uint32_t arena = add_arena(f.s, "glibc");
		add_extent(f.s, 0, (uint64_t)n * 32 + 64, EXTENT_HEAP, arena);
		for (uint32_t i = 0; i < n; i++)
			assert_ok(snapshot_add_block(f.s, 16 + (uint64_t)i * 32, 24, arena));
		assert_ok(snapshot_seal_blocks(f.s));
		struct edge_table *e = &f.s->edge;
		e->first = calloc((size_t)n + 1, sizeof(*e->first));
		e->dst = calloc((size_t)n * 4 + 1, sizeof(*e->dst));
		assert_non_null(e->first);
		assert_non_null(e->dst);
		for (uint32_t i = 0; i < n; i++) {
			e->first[i] = e->n;
			for (uint64_t k = random_below(&seed, 5); k > 0; k--)
				e->dst[e->n++] = (uint32_t)random_below(&seed, n) + 1;
		}
		e->first[n] = e->n;
		assert_ok(snapshot_seal_references(f.s));
		assert_ok(snapshot_check(f.s));
		unmake(&f);
	}
}

/* The packing of an edge's place: what goes in comes out, or says that it is too far. */
static void test_where(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t offset = random_next(&seed) >> random_below(&seed, 60);
		enum edge_how how = (enum edge_how)random_below(&seed, 4);
		if (how != EDGE_MISALIGNED)
			offset &= ~UINT64_C(7);
		uint32_t w = edge_where_pack(how, offset, 8);
		assert_int_equal(edge_how(w), how);
		uint64_t far = (how == EDGE_MISALIGNED ? 1 : 8) * (uint64_t)EDGE_WHERE_FAR;
		assert_int_equal(edge_offset(w, 8), offset < far ? (int64_t)offset : -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_heaps),
		cmocka_unit_test(test_containers_and_overlaps),
		cmocka_unit_test(test_nested_arenas),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_extents),
		cmocka_unit_test(test_opaque),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_where),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
