/* pygc and refcounts: snapshots made by hand, and random ones against plain definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analysis/analysis.h"
#include "random_graph.h"
#include "snapshot/snapshot.h"

enum { ROUNDS = 2000, MOST = 24, EDGES = 3 * MOST };

struct link {
	uint32_t src, dst;
	uint8_t kind;
	bool unseen;
};

struct fixture {
	struct snapshot *s;
	struct damage_log damage;
	struct log log;
};

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

/* Objects of 64 bytes, all in the collector's lists with count 0; links in order of src. */
static void begin(struct fixture *f, uint32_t n, const struct link *link, uint64_t m)
{
	*f = (struct fixture){0};
	log_init(&f->log, LOG_ERROR);
	check(snapshot_create(NULL, &f->damage, &f->s));
	struct object_table *o = &f->s->object;
	struct edge_table *e = &f->s->edge;
	o->n = n;
	o->address = calloc((size_t)n + 1, sizeof(*o->address));
	o->size = calloc((size_t)n + 1, sizeof(*o->size));
	o->arena_id = calloc((size_t)n + 1, sizeof(*o->arena_id));
	o->type_id = calloc((size_t)n + 1, sizeof(*o->type_id));
	o->flags = calloc((size_t)n + 1, sizeof(*o->flags));
	o->refcount = calloc((size_t)n + 1, sizeof(*o->refcount));
	o->owner_id = calloc((size_t)n + 1, sizeof(*o->owner_id));
	e->n = m;
	e->first = calloc((size_t)n + 1, sizeof(*e->first));
	e->dst = calloc(m + 1, sizeof(*e->dst));
	e->where = calloc(m + 1, sizeof(*e->where));
	e->kind = calloc(m + 1, sizeof(*e->kind));
	e->name = calloc(m + 1, sizeof(*e->name));
	uint32_t type;
	check(snapshot_add_type(f->s, "python", "node", "zoo", &type));
	for (uint32_t i = 0; i < n; i++) {
		o->address[i] = 0x1000 + (uint64_t)i * 1024;
		o->size[i] = 64;
		o->flags[i] = OBJECT_GC;
		o->type_id[i] = type;
	}
	uint64_t k = 0;
	for (uint32_t i = 0; i < n; i++) {
		e->first[i] = k;
		for (; k < m && link[k].src == i + 1; k++) {
			e->dst[k] = link[k].dst;
			e->where[k] = edge_where_pack(EDGE_START, 8 * (k - e->first[i]), 8);
			e->kind[k] = link[k].kind;
			e->name[k] = link[k].unseen ? EDGE_NAME_UNSEEN : 0;
		}
	}
	assert_int_equal(k, m);
	e->first[n] = m;
}

static void end(struct fixture *f)
{
	snapshot_destroy(f->s);
	damage_deinit(&f->damage);
}

static void count(struct fixture *f, uint32_t id, int64_t refcount)
{
	f->s->object.refcount[id - 1] = refcount;
}

static void root(struct fixture *f, uint32_t id, enum reference_kind kind)
{
	check(vec_push(&f->s->root, ((struct root_row){.object_id = id,
						       .grade = ROOT_STACK,
						       .how = EDGE_START,
						       .kind = (uint8_t)kind,
						       .depth = -1})));
}

static void run(struct fixture *f)
{
	check(analysis_pygc(f->s, &f->log));
	check(analysis_graph(f->s, &f->log));
	check(analysis_pygc_unseen(f->s, &f->log));
	check(analysis_refcounts(f->s, &f->log));
	check(snapshot_check(f->s));
}

static bool has(const struct fixture *f, uint32_t id, unsigned flag)
{
	return f->s->object.flags[id - 1] & flag;
}

#define BEGIN(f, n, link) begin(f, n, link, sizeof(link) / sizeof(link[0]))

/* ---- garbage ---- */

/* The picture in pygc.c. */
static void test_picture(void **state)
{
	(void)state;
	static const struct link link[] = {
		{1, 2, REFERENCE_OWNING, false}, {2, 1, REFERENCE_OWNING, false},
		{3, 4, REFERENCE_OWNING, false}, {3, 5, REFERENCE_OWNING, false},
		{4, 3, REFERENCE_OWNING, false}, {4, 6, REFERENCE_OWNING, false},
	};
	struct fixture f;
	BEGIN(&f, 6, link);
	for (uint32_t id = 1; id <= 6; id++)
		count(&f, id, id == 1 ? 2 : 1);
	f.s->object.flags[6 - 1] = 0;
	root(&f, 1, REFERENCE_OWNING);
	root(&f, 4, REFERENCE_WORD); /* a stale word keeps nothing alive */
	root(&f, 6, REFERENCE_WORD);
	run(&f);
	assert_int_equal(f.s->garbage.n, 3);
	for (uint32_t id = 1; id <= 6; id++) {
		assert_int_equal(has(&f, id, OBJECT_GARBAGE), id >= 3 && id <= 5);
		assert_int_equal(has(&f, id, OBJECT_DEAD), id >= 3);
		assert_int_equal(has(&f, id, OBJECT_UNCOLLECTABLE), false);
		assert_int_equal(f.s->object.reachable[id - 1], id < 3);
	}
	assert_int_equal(f.s->refcount_error.n, 0);
	end(&f);
}

/* What the table of a dict points to, the dict does: 1 owns buffer 2, which points to 3. */
static void test_buffers(void **state)
{
	(void)state;
	static const struct link link[] = {
		{1, 2, REFERENCE_OWNING, false},
		{2, 3, REFERENCE_OWNING, false},
		{3, 1, REFERENCE_OWNING, false},
	};
	for (int held = 0; held < 2; held++) {
		struct fixture f;
		BEGIN(&f, 3, link);
		count(&f, 1, 1 + held);
		count(&f, 2, INT64_MIN);
		count(&f, 3, 1);
		f.s->object.flags[2 - 1] = OBJECT_BUFFER;
		f.s->object.owner_id[2 - 1] = 1;
		root(&f, 2, REFERENCE_WORD); /* a stale word to the buffer of something dead */
		run(&f);
		assert_int_equal(f.s->garbage.n, held ? 0 : 2);
		assert_int_equal(has(&f, 2, OBJECT_DEAD), !held);
		assert_int_equal(f.s->object.reachable[2 - 1] != 0, held);
		end(&f);
	}
}

/* 2 has tp_del: it and what it leads to are not freed; 1, which leads to it, is. */
static void test_uncollectable(void **state)
{
	(void)state;
	static const struct link link[] = {
		{1, 1, REFERENCE_OWNING, false},
		{1, 2, REFERENCE_OWNING, false},
		{2, 3, REFERENCE_OWNING, false},
		{3, 2, REFERENCE_OWNING, false},
	};
	struct fixture f;
	BEGIN(&f, 3, link);
	count(&f, 1, 1);
	count(&f, 2, 2);
	count(&f, 3, 1);
	f.s->object.flags[2 - 1] |= OBJECT_UNCLEARABLE;
	run(&f);
	assert_int_equal(f.s->garbage.n, 3);
	assert_false(has(&f, 1, OBJECT_UNCOLLECTABLE));
	assert_true(has(&f, 2, OBJECT_UNCOLLECTABLE));
	assert_true(has(&f, 3, OBJECT_UNCOLLECTABLE));
	end(&f);
}

/* A ring through a reference that no traverse function shows, and one through an unlisted object.
 */
static void test_unseen(void **state)
{
	(void)state;
	static const struct link link[] = {
		{1, 2, REFERENCE_OWNING, true},
		{2, 1, REFERENCE_OWNING, false},
		{3, 4, REFERENCE_OWNING, false},
		{4, 3, REFERENCE_WORD, false},
	};
	struct fixture f;
	BEGIN(&f, 4, link);
	uint32_t opaque;
	check(snapshot_add_type(f.s, "python", "handle", "ext", &opaque));
	for (uint32_t id = 1; id <= 4; id++)
		count(&f, id, 1);
	f.s->object.flags[4 - 1] = OBJECT_CONSERVATIVE;
	f.s->object.type_id[4 - 1] = opaque;
	run(&f);
	assert_int_equal(f.s->garbage.n, 0);
	assert_int_equal(f.s->finding.n, 2);
	assert_int_equal(f.s->finding.at[0].object_id, 1);
	assert_int_equal(f.s->finding.at[1].object_id, 4);
	assert_int_equal(f.s->finding.at[1].type_id, opaque);
	assert_int_equal(f.s->refcount_error.n, 0);
	end(&f);
}

static void random_links(uint64_t *seed, struct link *link, uint64_t m, uint32_t n)
{
	for (uint64_t k = 0; k < m; k++) {
		link[k].src = (uint32_t)random_below(seed, n) + 1;
		link[k].dst = (uint32_t)random_below(seed, n) + 1;
		link[k].kind =
			random_below(seed, 6) ? REFERENCE_OWNING : (uint8_t)random_below(seed, 3);
		link[k].unseen = !random_below(seed, 8);
	}
	for (uint64_t k = 1; k < m; k++)
		for (uint64_t j = k; j && link[j - 1].src > link[j].src; j--) {
			struct link t = link[j];
			link[j] = link[j - 1];
			link[j - 1] = t;
		}
}

/*
 * Garbage is the greatest set of listed objects each of whose counts is references from the set.
 * With counts that are what points there, and one more now and then.
 */
static void test_random(void **state)
{
	(void)state;
	uint64_t seed = 20260801;
	for (int round = 0; round < ROUNDS; round++) {
		struct link link[EDGES];
		uint32_t n = (uint32_t)random_below(&seed, MOST) + 1;
		uint64_t m = random_below(&seed, EDGES);
		struct fixture f;
		random_links(&seed, link, m, n);
		begin(&f, n, link, m);
		struct object_table *o = &f.s->object;
		bool extra[MOST + 1] = {0}, in[MOST + 1] = {0};
		for (uint64_t k = 0; k < m; k++)
			o->refcount[link[k].dst - 1] += link[k].kind == REFERENCE_OWNING;
		for (uint32_t id = 1; id <= n; id++) {
			extra[id] = !random_below(&seed, 5);
			o->refcount[id - 1] += extra[id];
			in[id] = random_below(&seed, 4) != 0;
			o->flags[id - 1] = in[id] ? OBJECT_GC : 0;
		}
		for (bool changed = true; changed;) {
			changed = false;
			for (uint32_t id = 1; id <= n; id++) {
				int64_t from_set = 0;
				for (uint64_t k = 0; k < m; k++)
					from_set += link[k].dst == id && in[link[k].src] &&
						    link[k].kind == REFERENCE_OWNING &&
						    !link[k].unseen;
				if (in[id] && o->refcount[id - 1] > from_set) {
					in[id] = false;
					changed = true;
				}
			}
		}
		run(&f);
		uint64_t expected = 0;
		for (uint32_t id = 1; id <= n; id++) {
			assert_int_equal(has(&f, id, OBJECT_GARBAGE), in[id]);
			expected += in[id];
			if (has(&f, id, OBJECT_DEAD))
				assert_int_equal(o->reachable[id - 1], 0);
		}
		assert_int_equal(f.s->garbage.n, expected);
		uint64_t row = 0;
		for (uint32_t id = 1; id <= n; id++) {
			bool word = false;
			for (uint64_t k = 0; k < m; k++)
				word |= link[k].dst == id && link[k].kind == REFERENCE_WORD;
			if (!extra[id] || word)
				continue;
			assert_in_range(row, 0, f.s->refcount_error.n - 1);
			assert_int_equal(f.s->refcount_error.at[row++].object_id, id);
		}
		assert_int_equal(row, f.s->refcount_error.n);
		end(&f);
	}
}

/* ---- counts ---- */

static void test_counts(void **state)
{
	(void)state;
	static const struct link link[] = {
		{1, 2, REFERENCE_OWNING, false}, {1, 3, REFERENCE_OWNING, false},
		{1, 4, REFERENCE_OWNING, false}, {1, 5, REFERENCE_WEAK, false},
		{1, 6, REFERENCE_WORD, false},	 {1, 7, REFERENCE_OWNING, false},
	};
	static const int64_t refcount[] = {1, 1, 5, 0, 1, 1, 9, INT64_MIN};
	struct fixture f;
	BEGIN(&f, 8, link);
	for (uint32_t id = 1; id <= 8; id++)
		count(&f, id, refcount[id - 1]);
	f.s->object.flags[7 - 1] |= OBJECT_IMMORTAL;
	root(&f, 1, REFERENCE_OWNING);
	root(&f, 3, REFERENCE_WORD);
	run(&f);
	/* 3: one owner, one word, five counts; 4: an owner, no count; 5: a weak reference only */
	assert_int_equal(f.s->refcount_error.n, 3);
	static const int64_t row[][3] = {{3, 5, 2}, {4, 0, 1}, {5, 1, 0}};
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(f.s->refcount_error.at[i].object_id, row[i][0]);
		assert_int_equal(f.s->refcount_error.at[i].refcount, row[i][1]);
		assert_int_equal(f.s->refcount_error.at[i].found, row[i][2]);
	}
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_picture),	      cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_uncollectable), cmocka_unit_test(test_unseen),
		cmocka_unit_test(test_random),	      cmocka_unit_test(test_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
