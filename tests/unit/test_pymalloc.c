/*
 * Tests of heap/pymalloc: heaps made by an allocator of our own that does what Objects/obmalloc.c
 * does (written down here once more, so that a slip in the walker does not agree with itself), of
 * every geometry, sound and damaged.
 */
#include "base/vec.h"
#include "heap/heap.h"
#include "layout/pymalloc.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "assert_ok.h"

extern const struct allocator allocator_pymalloc;

enum {
	DATA = 0x08100000,   /* a module's data */
	MALLOC = 0x09000000, /* what malloc gave */
	MAPPED = 0x10000000, /* arenas */
	DATA_SIZE = 0x8000,
	MALLOC_SIZE = 0x10000,
	ARENAS = 20, /* more than an array has at first */
	AREAS = 3,
};

struct area {
	uint64_t start, len;
	uint8_t *data;
	enum segment_kind kind;
};

/* One state of the allocator. */
struct state {
	const struct pymalloc_geometry *geo;
	uint64_t used;	/* usedpools */
	uint64_t array; /* of arena_objects */
	uint32_t arenas, elements;
};

struct process {
	uint64_t seed;
	uint32_t w;
	const struct pymalloc_layout *l;
	struct area area[AREAS];
	uint64_t mapped; /* next arena */
	struct state state[2];
	unsigned states;
	VEC(uint64_t) live;
	VEC(uint32_t) size;
	struct damage_log damage;
	struct log log;
	struct image *img;
};

static uint64_t random_below(struct process *p, uint64_t n)
{
	p->seed ^= p->seed << 13;
	p->seed ^= p->seed >> 7;
	p->seed ^= p->seed << 17;
	return p->seed % n;
}

static uint8_t *at(struct process *p, uint64_t addr, uint64_t len)
{
	for (unsigned i = 0; i < AREAS; i++) {
		struct area *a = &p->area[i];
		if (addr >= a->start && addr - a->start + len <= a->len)
			return a->data + (addr - a->start);
	}
	fail_msg("the test has no address 0x%" PRIx64, addr);
	return NULL;
}

static uint64_t get(struct process *p, uint64_t addr)
{
	uint64_t v = 0;
	memcpy(&v, at(p, addr, p->w), p->w);
	return v;
}

static void put(struct process *p, uint64_t addr, uint64_t v)
{
	memcpy(at(p, addr, p->w), &v, p->w);
}

static uint32_t get32(struct process *p, uint64_t addr)
{
	uint32_t v;
	memcpy(&v, at(p, addr, 4), 4);
	return v;
}

static void put32(struct process *p, uint64_t addr, uint32_t v)
{
	memcpy(at(p, addr, 4), &v, 4);
}

/* ---- the allocator ---- */

static uint32_t head_size(const struct process *p, const struct state *s)
{
	return p->l->pool.size % s->geo->alignment ? p->l->pool.size + 8 : p->l->pool.size;
}

static uint64_t element(const struct process *p, const struct state *s, uint32_t i)
{
	return s->array + (uint64_t)i * p->l->arena.size;
}

static void link_pool(struct process *p, uint64_t before, uint64_t pool)
{
	uint64_t next = get(p, before + p->l->pool.nextpool);
	put(p, pool + p->l->pool.nextpool, next);
	put(p, pool + p->l->pool.prevpool, before);
	put(p, next + p->l->pool.prevpool, pool);
	put(p, before + p->l->pool.nextpool, pool);
}

static void unlink_pool(struct process *p, uint64_t pool)
{
	uint64_t next = get(p, pool + p->l->pool.nextpool);
	uint64_t prev = get(p, pool + p->l->pool.prevpool);
	put(p, next + p->l->pool.prevpool, prev);
	put(p, prev + p->l->pool.nextpool, next);
}

static uint64_t ring(const struct process *p, const struct state *s, uint32_t szidx)
{
	return s->used + (uint64_t)szidx * 2 * p->w - p->l->pool.nextpool;
}

static void new_arena(struct process *p, struct state *s)
{
	const struct pymalloc_geometry *g = s->geo;
	uint32_t i = s->arenas++;
	assert_true(i < s->elements);
	uint64_t address = p->mapped, e = element(p, s, i);
	p->mapped += g->arena_size + 4096 * random_below(p, 3);
	uint64_t first = (address + g->pool_size - 1) / g->pool_size * g->pool_size;
	uint32_t pools = g->arena_size / g->pool_size - (first != address);
	put(p, e + p->l->arena.address, address);
	put(p, e + p->l->arena.pool_address, first);
	put32(p, e + p->l->arena.nfreepools, pools);
	put32(p, e + p->l->arena.ntotalpools, pools);
	put(p, e + p->l->arena.freepools, 0);
}

static uint64_t new_pool(struct process *p, struct state *s, uint32_t szidx)
{
	uint32_t i = 0, size = (szidx + 1) * s->geo->alignment;
	while (i < s->arenas && !get32(p, element(p, s, i) + p->l->arena.nfreepools))
		i++;
	if (i == s->arenas)
		new_arena(p, s);
	uint64_t e = element(p, s, i), pool = get(p, e + p->l->arena.freepools);
	uint32_t n = get32(p, e + p->l->arena.nfreepools);
	put32(p, e + p->l->arena.nfreepools, n - 1);
	if (pool) {
		put(p, e + p->l->arena.freepools, get(p, pool + p->l->pool.nextpool));
	} else {
		pool = get(p, e + p->l->arena.pool_address);
		put(p, e + p->l->arena.pool_address, pool + s->geo->pool_size);
		put32(p, pool + p->l->pool.arenaindex, i);
		put32(p, pool + p->l->pool.szidx, 0xffff);
	}
	link_pool(p, ring(p, s, szidx), pool);
	put32(p, pool + p->l->pool.count, 0);
	if (get32(p, pool + p->l->pool.szidx) == szidx)
		return pool; /* its list is still good */
	uint64_t block = pool + head_size(p, s);
	put32(p, pool + p->l->pool.szidx, szidx);
	put32(p, pool + p->l->pool.nextoffset, head_size(p, s) + 2 * size);
	put32(p, pool + p->l->pool.maxnextoffset, s->geo->pool_size - size);
	put(p, pool + p->l->pool.freeblock, block);
	put(p, block, block + size);
	put(p, block + size, 0);
	return pool;
}

static void allocate(struct process *p, struct state *s, uint32_t szidx)
{
	uint32_t size = (szidx + 1) * s->geo->alignment;
	uint64_t pool = get(p, ring(p, s, szidx) + p->l->pool.nextpool);
	if (pool == ring(p, s, szidx))
		pool = new_pool(p, s, szidx);
	uint64_t block = get(p, pool + p->l->pool.freeblock), next = get(p, block);
	put32(p, pool + p->l->pool.count, get32(p, pool + p->l->pool.count) + 1);
	if (!next) {
		uint32_t virgin = get32(p, pool + p->l->pool.nextoffset);
		if (virgin <= get32(p, pool + p->l->pool.maxnextoffset)) {
			next = pool + virgin;
			put32(p, pool + p->l->pool.nextoffset, virgin + size);
			put(p, next, 0);
		} else {
			unlink_pool(p, pool);
		}
	}
	put(p, pool + p->l->pool.freeblock, next);
	put(p, block, random_below(p, UINT32_MAX));
	assert_ok(vec_push(&p->live, block));
	assert_ok(vec_push(&p->size, size));
}

static void release(struct process *p, uint64_t i)
{
	uint64_t block = p->live.at[i];
	struct state *s = &p->state[0];
	p->live.at[i] = p->live.at[--p->live.n];
	p->size.at[i] = p->size.at[--p->size.n];
	/* Which state's? Pools of both have the same size in these tests. */
	uint64_t pool = block / s->geo->pool_size * s->geo->pool_size;
	uint32_t index = get32(p, pool + p->l->pool.arenaindex);
	for (unsigned k = 0; k < p->states; k++) {
		s = &p->state[k];
		uint64_t a = index < s->elements
				     ? get(p, element(p, s, index) + p->l->arena.address)
				     : 0;
		if (a && pool >= a && pool < a + s->geo->arena_size)
			break;
	}
	uint64_t last = get(p, pool + p->l->pool.freeblock), e = element(p, s, index);
	uint32_t count = get32(p, pool + p->l->pool.count) - 1;
	put(p, block, last);
	put(p, pool + p->l->pool.freeblock, block);
	put32(p, pool + p->l->pool.count, count);
	if (!last)
		link_pool(p, ring(p, s, get32(p, pool + p->l->pool.szidx)), pool);
	if (count)
		return;
	unlink_pool(p, pool);
	put(p, pool + p->l->pool.nextpool, get(p, e + p->l->arena.freepools));
	put(p, e + p->l->arena.freepools, pool);
	put32(p, e + p->l->arena.nfreepools, get32(p, e + p->l->arena.nfreepools) + 1);
}

/* ---- processes ---- */

/*
 * The array lies in malloc's memory. The first state's usedpools lie in the module's data, with one
 * word somewhere that points into the array; the second one is a struct _obmalloc_state in malloc's
 * memory.
 */
static void add_state(struct process *p, const struct pymalloc_geometry *geo, uint32_t elements)
{
	struct state *s = &p->state[p->states];
	uint32_t classes = PYMALLOC_SMALL_MOST / geo->alignment;
	uint64_t base = MALLOC + 0x100 + p->states * 0x4000;
	*s = (struct state){.geo = geo, .elements = elements, .array = base + 0x1000};
	s->used = p->states ? base : DATA + 0x1000 + 16 * random_below(p, 64);
	p->states++;
	for (uint32_t i = 0; i < classes; i++) {
		put(p, s->used + (uint64_t)i * 2 * p->w, ring(p, s, i));
		put(p, s->used + (uint64_t)(i * 2 + 1) * p->w, ring(p, s, i));
	}
	for (uint32_t i = 0; i < elements; i++) {
		/* realloc clears nothing. */
		for (uint32_t k = 0; k + p->w <= p->l->arena.size; k += p->w)
			put(p, element(p, s, i) + k, random_below(p, UINT32_MAX));
		put(p, element(p, s, i) + p->l->arena.address, 0);
		put(p, element(p, s, i) + p->l->arena.nextarena,
		    i + 1 < elements ? element(p, s, i + 1) : 0);
	}
	if (p->states == 1)
		put(p, DATA + 0x4000 + p->w * random_below(p, 512), element(p, s, 0));
	else
		put(p, s->used + (uint64_t)2 * classes * p->w, s->array);
}

static void make(struct process *p, const struct pymalloc_geometry *geo, uint64_t seed)
{
	*p = (struct process){.seed = seed * 7919 + 1, .w = geo->word_size, .mapped = MAPPED};
	p->l = pymalloc_layout_find(p->w);
	static const struct area area[AREAS] = {
		{DATA, DATA_SIZE, NULL, SEGMENT_MODULE},
		{MALLOC, MALLOC_SIZE, NULL, SEGMENT_HEAP},
		{MAPPED, 0, NULL, SEGMENT_ANON},
	};
	for (unsigned i = 0; i < AREAS; i++) {
		p->area[i] = area[i];
		if (!p->area[i].len)
			p->area[i].len = (uint64_t)ARENAS * (geo->arena_size + 8192);
		p->area[i].data = calloc(1, p->area[i].len);
		assert_non_null(p->area[i].data);
	}
	p->mapped += 4096 * random_below(p, 4);
	add_state(p, geo, PYMALLOC_ARENAS_FIRST);
}

static void run(struct process *p, unsigned s, unsigned steps)
{
	uint32_t classes = PYMALLOC_SMALL_MOST / p->state[s].geo->alignment;
	bool grows = true;
	for (unsigned i = 0; i < steps; i++) {
		if (i % 500 == 0)
			grows = random_below(p, 3) != 0;
		if (p->live.n && random_below(p, 8) < (grows ? 2 : 6))
			release(p, random_below(p, p->live.n));
		else
			allocate(p, &p->state[s], (uint32_t)random_below(p, classes));
	}
	for (unsigned i = 0; i < 50; i++)
		allocate(p, &p->state[s], (uint32_t)random_below(p, classes));
}

static struct snapshot *scan_after(struct process *p, unsigned others, uint32_t *arenas)
{
	struct snapshot *s;
	assert_ok(image_create(&p->damage, &p->log, &p->img));
	p->img->machine = p->w == 8 ? MACHINE_X86_64 : MACHINE_I386;
	p->img->word_size = p->w;
	p->img->page_size = 4096;
	for (unsigned i = 0; i < AREAS; i++) {
		const struct area *a = &p->area[i];
		assert_ok(image_add_segment(p->img, &(struct image_segment){
							    .start = a->start,
							    .end = a->start + a->len,
							    .perms = PERM_R | PERM_W,
							    .kind = (uint8_t)a->kind,
						    }));
		assert_ok(image_add_span(p->img, &(struct image_span){.start = a->start,
								      .end = a->start + a->len,
								      .data = a->data,
								      .origin = SPAN_DUMP}));
	}
	assert_ok(image_add_module(p->img, &(struct image_module){.start = DATA,
								  .end = DATA + DATA_SIZE,
								  .path = "python",
								  .data_start = DATA,
								  .data_end = DATA + DATA_SIZE}));
	assert_ok(image_seal(p->img));
	assert_ok(snapshot_create(p->img, &p->damage, &s));
	for (unsigned i = 0; i < others; i++)
		assert_ok(snapshot_add_arena(s, &(struct arena_row){.address = i + 1}, NULL));
	struct heap_context ctx = {
		.image = p->img, .snapshot = s, .damage = &p->damage, .log = &p->log};
	assert_ok(allocator_pymalloc.scan(&ctx, arenas));
	assert_ok(snapshot_seal_blocks(s));
	assert_ok(snapshot_check(s));
	return s;
}

static struct snapshot *scan(struct process *p, uint32_t *arenas)
{
	return scan_after(p, 0, arenas);
}

static void unmake(struct process *p, struct snapshot *s)
{
	snapshot_destroy(s);
	image_destroy(p->img);
	damage_deinit(&p->damage);
	for (unsigned i = 0; i < AREAS; i++)
		free(p->area[i].data);
	vec_deinit(&p->live);
	vec_deinit(&p->size);
}

static uint64_t count_lost(const struct process *p, const struct snapshot *s)
{
	uint64_t lost = 0;
	for (uint64_t i = 0; i < p->live.n; i++) {
		uint32_t id = snapshot_object_find(s, p->live.at[i]);
		lost += !id || s->object.address[id - 1] != p->live.at[i] ||
			s->object.size[id - 1] != p->size.at[i];
	}
	return lost;
}

static void check_exact(const struct process *p, const struct snapshot *s)
{
	if (p->damage.n)
		fail_msg("%s", p->damage.at[0].text);
	assert_int_equal(count_lost(p, s), 0);
	assert_int_equal(s->object.n, p->live.n);
	uint64_t held = 0;
	for (uint64_t i = 0; i < s->arena.n; i++) {
		const struct arena_row *a = &s->arena.at[i];
		held += a->used_bytes + a->free_bytes + a->overhead_bytes;
		assert_int_equal(a->used_bytes + a->free_bytes + a->overhead_bytes,
				 a->system_bytes);
	}
	uint64_t true_bytes = 0, end;
	for (unsigned k = 0; k < p->states; k++) {
		const struct state *st = &p->state[k];
		true_bytes += (uint64_t)st->arenas * st->geo->arena_size;
		assert_true(snapshot_is_opaque(s, st->array, &end));
		assert_true(end >= st->array + (uint64_t)st->elements * p->l->arena.size);
		assert_true(snapshot_is_opaque(s, st->used + 8, &end));
	}
	assert_int_equal(held, true_bytes);
}

/* ---- tests ---- */

static void test_every_geometry(void **state)
{
	(void)state;
	for (unsigned i = 0; i < pymalloc_geometries; i++) {
		for (uint64_t seed = 1; seed <= 6; seed++) {
			struct process p;
			uint32_t arenas;
			make(&p, &pymalloc_geometry[i], seed + 100 * i);
			run(&p, 0, seed == 1 ? 20 : 6000);
			struct snapshot *s = scan(&p, &arenas);
			assert_int_equal(arenas, p.state[0].arenas);
			check_exact(&p, s);
			unmake(&p, s);
		}
	}
}

/* The array has grown, and the only word that is known points to some element of it. */
static void test_long_array(void **state)
{
	(void)state;
	struct process p;
	uint32_t arenas;
	make(&p, &pymalloc_geometry[1], 5);
	p.states = 0;
	memset(p.area[0].data, 0, p.area[0].len);
	add_state(&p, &pymalloc_geometry[1], 2 * PYMALLOC_ARENAS_FIRST);
	while (p.state[0].arenas < PYMALLOC_ARENAS_FIRST + 2)
		allocate(&p, &p.state[0], 31);
	memset(p.area[0].data + 0x4000, 0, 0x4000);
	put(&p, DATA + 0x5008, element(&p, &p.state[0], 11));
	struct snapshot *s = scan(&p, &arenas);
	assert_int_equal(arenas, PYMALLOC_ARENAS_FIRST + 2);
	check_exact(&p, s);
	unmake(&p, s);
}

/* An interpreter's own state, to which only its pools lead. */
static void test_two_states(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct process p;
		uint32_t arenas;
		make(&p, &pymalloc_geometry[0], seed);
		add_state(&p, &pymalloc_geometry[0], PYMALLOC_ARENAS_FIRST);
		run(&p, 0, 3000);
		run(&p, 1, 3000);
		allocate(&p, &p.state[0], 3); /* a pool with room leads to usedpools */
		struct snapshot *s = scan(&p, &arenas);
		assert_int_equal(arenas, p.state[0].arenas + p.state[1].arenas);
		check_exact(&p, s);
		unmake(&p, s);
	}
}

/* Ids of arenas run out: all arenas of a state share a row. */
static void test_many_arenas(void **state)
{
	(void)state;
	const unsigned others = 65000;
	struct process p;
	uint32_t arenas;
	make(&p, &pymalloc_geometry[0], 3);
	add_state(&p, &pymalloc_geometry[0], PYMALLOC_ARENAS_FIRST);
	run(&p, 0, 9000);
	run(&p, 1, 3000);
	struct snapshot *s = scan_after(&p, others, &arenas);
	assert_int_equal(arenas, p.state[0].arenas + p.state[1].arenas);
	assert_int_equal(s->arena.n, others + 2);
	check_exact(&p, s);
	unmake(&p, s);
}

/* A record of an arena is overwritten: its pools are found without it, and that is said. */
static void test_lost_record(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct process p;
		uint32_t arenas;
		make(&p, &pymalloc_geometry[1], seed);
		while (p.state[0].arenas < 4)
			allocate(&p, &p.state[0], (uint32_t)random_below(&p, 32));
		uint32_t victim = (uint32_t)random_below(&p, 4);
		uint64_t e = element(&p, &p.state[0], victim);
		/* What the data pointed to may be the victim. */
		put(&p, DATA + 0x7000, element(&p, &p.state[0], (victim + 1) % 4));
		for (uint32_t k = 0; k < p.l->arena.size; k += 8)
			put(&p, e + k, UINT64_C(0x4141414141414141));
		struct snapshot *s = scan(&p, &arenas);
		assert_int_equal(arenas, 4);
		assert_int_equal(count_lost(&p, s), 0);
		assert_int_equal(s->object.n, p.live.n);
		assert_true(p.damage.count[DAMAGE_HEAP] >= 2);
		unmake(&p, s);
	}
}

/* A free list that leads into itself, out of its pool, or between blocks. */
static void test_broken_list(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++) {
		struct process p;
		uint32_t arenas;
		make(&p, &pymalloc_geometry[seed % pymalloc_geometries], seed);
		run(&p, 0, 4000);
		uint64_t i = random_below(&p, p.live.n), block = p.live.at[i];
		release(&p, i);
		const uint64_t to[] = {block, block + 4, block - 1, 0x41414141, MALLOC};
		uint64_t pool = block / p.state[0].geo->pool_size * p.state[0].geo->pool_size;
		bool empty = !get32(&p, pool + p.l->pool.count);
		put(&p, block, to[seed % 5]);
		struct snapshot *s = scan(&p, &arenas);
		assert_int_equal(count_lost(&p, s), 0);
		assert_int_equal(p.damage.count[DAMAGE_HEAP], !empty);
		unmake(&p, s);
	}
}

/* Any words overwritten: it ends, the books balance, and one hit costs at most one pool. */
static void test_random_damage(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 300; i++) {
		struct process p;
		uint32_t arenas;
		make(&p, &pymalloc_geometry[1 + i % 2], i);
		run(&p, 0, 1500);
		unsigned hits = 1u << random_below(&p, 8);
		const uint32_t pool_size = p.state[0].geo->pool_size;
		for (unsigned k = 0; k < hits; k++) {
			uint64_t block = p.live.at[random_below(&p, p.live.n)];
			uint64_t pool = block / pool_size * pool_size;
			uint64_t where[] = {
				pool + 8 * random_below(&p, 6),
				p.state[0].array + 8 * random_below(&p, 96),
				p.state[0].used + 8 * random_below(&p, 64),
				block,
			};
			uint64_t a = where[hits == 1 ? 0 : random_below(&p, 4)];
			uint64_t choice[] = {0,
					     UINT64_MAX,
					     get(&p, a) ^ UINT64_C(1) << random_below(&p, 64),
					     get(&p, a) + 16,
					     p.live.at[random_below(&p, p.live.n)],
					     pool};
			put(&p, a, choice[random_below(&p, 6)]);
		}
		struct snapshot *s = scan(&p, &arenas);
		if (hits == 1)
			assert_true(count_lost(&p, s) <= pool_size / 8);
		unmake(&p, s);
	}
}

/* A process that has no Python inside. */
static void test_absent(void **state)
{
	(void)state;
	struct process p;
	uint32_t arenas;
	make(&p, &pymalloc_geometry[0], 1);
	for (uint64_t k = 0; k < DATA_SIZE; k += 8)
		put(&p, DATA + k, MALLOC + 16 * random_below(&p, MALLOC_SIZE / 16));
	struct snapshot *s = scan(&p, &arenas);
	assert_int_equal(arenas, 0);
	assert_int_equal(s->arena.n, 0);
	assert_int_equal(p.damage.n, 0);
	unmake(&p, s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_geometry), cmocka_unit_test(test_long_array),
		cmocka_unit_test(test_two_states),     cmocka_unit_test(test_many_arenas),
		cmocka_unit_test(test_lost_record),    cmocka_unit_test(test_broken_list),
		cmocka_unit_test(test_random_damage),  cmocka_unit_test(test_absent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
