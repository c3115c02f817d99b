/* reachability, retained sizes and clusters of snapshots made by hand, against naive answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analysis/analysis.h"
#include "random_graph.h"
#include "snapshot/snapshot.h"

#include <stdio.h>

enum { ROUNDS = 300, MOST = 64, WEAK = 2, OWNING = 1 };

struct fixture {
	struct snapshot *s;
	struct damage_log damage;
	struct log log;
	struct random_graph g;
};

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

/* n objects of 16 bytes; the edges' words point to starts, the k-th of a row at offset 8 k. */
static void begin(struct fixture *f, uint32_t n, uint64_t m, const uint32_t (*edge)[2])
{
	*f = (struct fixture){0};
	log_init(&f->log, LOG_ERROR);
	check(snapshot_create(NULL, &f->damage, &f->s));
	random_graph_build(&f->g, n, m, edge);
	struct object_table *o = &f->s->object;
	struct edge_table *e = &f->s->edge;
	o->n = n;
	o->address = calloc((size_t)n + 1, sizeof(*o->address));
	o->size = calloc((size_t)n + 1, sizeof(*o->size));
	o->arena_id = calloc((size_t)n + 1, sizeof(*o->arena_id));
	o->type_id = calloc((size_t)n + 1, sizeof(*o->type_id));
	e->n = m;
	e->first = calloc((size_t)n + 1, sizeof(*e->first));
	e->dst = calloc(m + 1, sizeof(*e->dst));
	e->where = calloc(m + 1, sizeof(*e->where));
	memcpy(e->first, f->g.first, ((size_t)n + 1) * sizeof(*e->first));
	memcpy(e->dst, f->g.dst, m * sizeof(*e->dst));
	for (uint32_t i = 0; i < n; i++) {
		o->address[i] = 0x1000 + (uint64_t)i * 1024;
		o->size[i] = 16;
		for (uint64_t k = e->first[i]; k < e->first[i + 1]; k++)
			e->where[k] = edge_where_pack(EDGE_START, 8 * (k - e->first[i]), 8);
	}
}

static void add_root(struct fixture *f, uint32_t id, enum root_grade grade, enum edge_how how)
{
	check(vec_push(&f->s->root, ((struct root_row){.object_id = id,
						       .grade = (uint8_t)grade,
						       .how = (uint8_t)how,
						       .depth = -1})));
}

static uint32_t add_type(struct fixture *f, const char *name)
{
	uint32_t id;
	check(snapshot_add_type(f->s, "C++", name, "", &id));
	return id;
}

static void run(struct fixture *f)
{
	check(analysis_graph(f->s, &f->log));
	check(snapshot_check(f->s));
}

static void end(struct fixture *f)
{
	snapshot_destroy(f->s);
	damage_deinit(&f->damage);
	random_graph_deinit(&f->g);
}

static const char *signature(const struct fixture *f, uint64_t cluster)
{
	return intern_text(&f->s->strings, f->s->cluster.at[cluster].signature);
}

/* The cluster of this kind that has the object; NULL: none. */
static const struct cluster_row *cluster_of(const struct fixture *f, enum cluster_kind kind,
					    uint32_t id)
{
	for (uint64_t c = 0; c < f->s->cluster.n; c++) {
		const struct cluster_row *r = &f->s->cluster.at[c];
		for (uint64_t m = r->first_member;
		     r->kind == kind && m < r->first_member + r->objects; m++)
			if (f->s->member.at[m] == id)
				return r;
	}
	return NULL;
}

/* ---- random snapshots ---- */

static void begin_random(struct fixture *f, uint64_t *seed, bool kinds)
{
	uint32_t n = (uint32_t)random_below(seed, MOST), edge[3 * MOST][2];
	uint64_t m = n ? random_below(seed, 2 * n + 1) : 0;
	for (uint64_t e = 0; e < m; e++) {
		edge[e][0] = (uint32_t)random_below(seed, n) + 1;
		edge[e][1] = (uint32_t)random_below(seed, n) + 1;
	}
	begin(f, n, m, (const uint32_t(*)[2])edge);
	for (uint32_t i = 0; i < n; i++)
		f->s->object.size[i] = 16 * (1 + random_below(seed, 4));
	for (uint64_t k = 0; k < m; k++)
		f->s->edge.where[k] =
			edge_where_pack((enum edge_how)(random_below(seed, 6) % 4), 8, 8);
	for (uint64_t r = n ? random_below(seed, 6) : 0; r; r--)
		add_root(f, (uint32_t)random_below(seed, n) + 1,
			 (enum root_grade)(1 + random_below(seed, ROOT_GRADES - 1)),
			 (enum edge_how)(random_below(seed, 6) % 4));
	if (!kinds)
		return;
	uint32_t type[] = {0, add_type(f, "a"), add_type(f, "b")};
	f->s->edge.kind = calloc(m + 1, 1);
	for (uint64_t k = 0; k < m; k++)
		f->s->edge.kind[k] = (uint8_t)random_below(seed, 3);
	for (uint32_t i = 0; i < n; i++)
		f->s->object.type_id[i] = type[random_below(seed, 3)];
}

static void check_reachability(const struct fixture *f, const struct bits *weak)
{
	const struct snapshot *s = f->s;
	uint32_t n = s->object.n;
	struct bits from, skip;
	uint8_t got[MOST + 1], sure[MOST + 1], grade[MOST + 1] = {0};
	check(bits_init(&from, n + 1));
	for (int g = ROOT_GRADES - 1; g > ROOT_NONE; g--) {
		memset(from.word, 0, (n / 64 + 1) * 8);
		for (uint64_t i = 0; i < s->root.n; i++)
			if (s->root.at[i].grade <= g)
				bits_set(&from, s->root.at[i].object_id);
		naive_reach(&f->g, weak, &from, 0, got);
		for (uint32_t v = 1; v <= n; v++)
			if (got[v])
				grade[v] = (uint8_t)g;
	}
	memset(from.word, 0, (n / 64 + 1) * 8);
	for (uint64_t i = 0; i < s->root.n; i++)
		if (s->root.at[i].how == EDGE_START)
			bits_set(&from, s->root.at[i].object_id);
	check(bits_init(&skip, s->edge.n + 1));
	for (uint64_t k = 0; k < s->edge.n; k++)
		if (bits_test(weak, k) || edge_how(s->edge.where[k]) != EDGE_START)
			bits_set(&skip, k);
	naive_reach(&f->g, &skip, &from, 0, sure);
	for (uint32_t v = 1; v <= n; v++) {
		assert_int_equal(s->object.grade[v - 1], grade[v]);
		assert_int_equal(s->object.reachable[v - 1], sure[v] ? 1 : grade[v] ? 2 : 0);
	}
	bits_deinit(&from);
	bits_deinit(&skip);
}

/* leads[v][w]: v leads to w over references that are not in skip, both in `in`. */
static void closure(const struct fixture *f, const struct bits *skip, const struct bits *in,
		    uint8_t leads[MOST + 1][MOST + 1])
{
	uint32_t n = f->s->object.n;
	memset(leads, 0, sizeof(*leads) * (MOST + 1));
	for (uint32_t v = 1; v <= n; v++)
		for (uint64_t k = f->g.first[v - 1]; k < f->g.first[v]; k++) {
			uint32_t w = f->g.dst[k];
			if (!bits_test(skip, k) && bits_test(in, v) && bits_test(in, w))
				leads[v][w] = 1;
		}
	for (uint32_t k = 1; k <= n; k++)
		for (uint32_t v = 1; v <= n; v++)
			for (uint32_t w = 1; w <= n; w++)
				leads[v][w] |= leads[v][k] && leads[k][w];
}

static void check_leaks(const struct fixture *f, const struct bits *weak, struct bits *heads)
{
	const struct snapshot *s = f->s;
	uint32_t n = s->object.n;
	static uint8_t leads[MOST + 1][MOST + 1];
	uint8_t taken[MOST + 1] = {0};
	struct bits lost;
	check(bits_init(&lost, n + 1));
	for (uint32_t v = 1; v <= n; v++)
		if (!s->object.reachable[v - 1])
			bits_set(&lost, v);
	closure(f, weak, &lost, leads);
	uint32_t head = 0;
	for (uint64_t c = 0; c < s->cluster.n && s->cluster.at[c].kind == CLUSTER_LEAK; c++) {
		const struct cluster_row *r = &s->cluster.at[c];
		/* In id order; nothing leads to a head but what it leads to itself. */
		assert_true(r->head_id > head);
		head = r->head_id;
		bits_set(heads, head);
		assert_int_equal(r->reachable, 0);
		assert_int_equal(r->direct_bytes, s->object.size[head - 1]);
		for (uint32_t v = 1; v <= n; v++)
			assert_true(!leads[v][head] || leads[head][v]);
		/* It has what it leads to and no earlier one took, in id order. */
		uint32_t at = 0;
		for (uint32_t v = 1; v <= n; v++) {
			if ((v != head && !leads[head][v]) || taken[v])
				continue;
			taken[v] = 1;
			assert_true(at < r->objects);
			assert_int_equal(s->member.at[r->first_member + at++], v);
		}
		assert_int_equal(at, r->objects);
	}
	for (uint32_t v = 1; v <= n; v++)
		assert_int_equal(taken[v], bits_test(&lost, v));
	bits_deinit(&lost);
}

static void check_retained(const struct fixture *f, const struct bits *weak,
			   const struct bits *heads)
{
	const struct snapshot *s = f->s;
	uint32_t n = s->object.n;
	struct bits from;
	uint8_t without[MOST + 1];
	check(bits_init(&from, n + 1));
	for (uint32_t v = 1; v <= n; v++)
		if (bits_test(heads, v))
			bits_set(&from, v);
	for (uint64_t i = 0; i < s->root.n; i++)
		bits_set(&from, s->root.at[i].object_id);
	for (uint32_t d = 1; d <= n; d++) {
		naive_reach(&f->g, weak, &from, d, without);
		uint64_t bytes = 0;
		for (uint32_t v = 1; v <= n; v++)
			bytes += without[v] ? 0 : s->object.size[v - 1];
		assert_int_equal(s->object.retained[d - 1], bytes);
		/* What it dominates goes with it; and so does it, with its own dominator. */
		for (uint32_t v = 1; v <= n; v++)
			if (s->object.dominator[v - 1] == d)
				assert_false(without[v]);
	}
	bits_deinit(&from);
}

static void check_cycles(const struct fixture *f)
{
	const struct snapshot *s = f->s;
	const struct object_table *o = &s->object;
	uint32_t n = o->n;
	static uint8_t leads[MOST + 1][MOST + 1];
	struct bits skip, all;
	check(bits_init(&skip, s->edge.n + 1));
	check(bits_init(&all, n + 1));
	for (uint32_t v = 1; v <= n; v++) {
		bits_set(&all, v);
		for (uint64_t k = f->g.first[v - 1]; k < f->g.first[v]; k++) {
			uint8_t kind = s->edge.kind ? s->edge.kind[k] : 0;
			uint32_t w = f->g.dst[k];
			bool owning = kind == OWNING && o->type_id[v - 1] && o->type_id[w - 1];
			if (kind == WEAK || (o->reachable[v - 1] && !owning))
				bits_set(&skip, k);
		}
	}
	closure(f, &skip, &all, leads);
	uint64_t members = 0, cyclic = 0;
	for (uint64_t c = 0; c < s->cluster.n; c++) {
		const struct cluster_row *r = &s->cluster.at[c];
		if (r->kind != CLUSTER_CYCLE)
			continue;
		members += r->objects;
		assert_int_equal(r->reachable, o->reachable[r->head_id - 1] != 0);
		assert_ptr_equal(cluster_of(f, CLUSTER_CYCLE, r->head_id), r);
		for (uint64_t a = r->first_member; a < r->first_member + r->objects; a++) {
			assert_true(leads[s->member.at[a]][r->head_id] &&
				    leads[r->head_id][s->member.at[a]]);
			if (a > r->first_member)
				assert_true(s->member.at[a] > s->member.at[a - 1]);
		}
	}
	for (uint32_t v = 1; v <= n; v++)
		cyclic += leads[v][v];
	assert_int_equal(members, cyclic);
	bits_deinit(&skip);
	bits_deinit(&all);
}

static void test_random(void **state)
{
	(void)state;
	uint64_t seed = 11;
	for (int round = 0; round < ROUNDS; round++) {
		struct fixture f;
		begin_random(&f, &seed, round % 2);
		run(&f);
		struct bits weak, heads;
		check(bits_init(&weak, f.s->edge.n + 1));
		check(bits_init(&heads, (uint64_t)f.s->object.n + 1));
		for (uint64_t k = 0; k < f.s->edge.n; k++)
			if (f.s->edge.kind && f.s->edge.kind[k] == WEAK)
				bits_set(&weak, k);
		check_reachability(&f, &weak);
		check_leaks(&f, &weak, &heads);
		check_retained(&f, &weak, &heads);
		check_cycles(&f);
		bits_deinit(&weak);
		bits_deinit(&heads);
		end(&f);
	}
}

static void test_same_rows_again(void **state)
{
	(void)state;
	uint64_t seed = 12;
	for (int round = 0; round < 20; round++) {
		struct fixture a, b;
		uint64_t seed_b = seed;
		begin_random(&a, &seed, round % 2);
		begin_random(&b, &seed_b, round % 2);
		run(&a);
		run(&b);
		run(&b);
		uint32_t n = a.s->object.n;
		assert_memory_equal(a.s->object.dominator, b.s->object.dominator, n * 4);
		assert_memory_equal(a.s->object.retained, b.s->object.retained, n * 8);
		assert_int_equal(a.s->cluster.n, b.s->cluster.n);
		assert_int_equal(a.s->member.n, b.s->member.n);
		for (uint64_t c = 0; c < a.s->cluster.n; c++) {
			assert_int_equal(a.s->cluster.at[c].head_id, b.s->cluster.at[c].head_id);
			assert_string_equal(signature(&a, c), signature(&b, c));
		}
		for (uint64_t m = 0; m < a.s->member.n; m++)
			assert_int_equal(a.s->member.at[m], b.s->member.at[m]);
		end(&a);
		end(&b);
	}
}

/* ---- the shapes that people know from valgrind and LeakSanitizer ---- */

static void test_shared_child(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 3}, {2, 3}};
	struct fixture f;
	begin(&f, 3, 2, edge);
	run(&f);
	assert_int_equal(f.s->cluster.n, 2);
	assert_int_equal(f.s->cluster.at[0].head_id, 1);
	assert_int_equal(f.s->cluster.at[0].objects, 2);
	assert_int_equal(f.s->cluster.at[0].bytes, 32);
	assert_int_equal(f.s->cluster.at[0].direct_bytes, 16);
	assert_int_equal(f.s->cluster.at[1].head_id, 2);
	assert_int_equal(f.s->cluster.at[1].objects, 1);
	assert_int_equal(f.s->object.dominator[2], 0);
	assert_int_equal(f.s->object.retained[2], 16);
	end(&f);
}

static void test_cycle_with_tail(void **state)
{
	(void)state;
	/* 3 <-> 4 -> 5, and 1 -> 2 which is reachable. */
	const uint32_t edge[][2] = {{1, 2}, {3, 4}, {4, 3}, {4, 5}};
	struct fixture f;
	begin(&f, 5, 4, edge);
	add_root(&f, 1, ROOT_GLOBAL, EDGE_START);
	run(&f);
	assert_int_equal(f.s->cluster.n, 2);
	assert_int_equal(f.s->cluster.at[0].kind, CLUSTER_LEAK);
	assert_int_equal(f.s->cluster.at[0].head_id, 3);
	assert_int_equal(f.s->cluster.at[0].objects, 3);
	assert_int_equal(f.s->cluster.at[1].kind, CLUSTER_CYCLE);
	assert_int_equal(f.s->cluster.at[1].objects, 2);
	assert_int_equal(f.s->cluster.at[1].reachable, 0);
	assert_int_equal(f.s->object.dominator[4], 4);
	end(&f);
}

static void test_tail_into_cycle(void **state)
{
	(void)state;
	/* The last by address is the head, as it leads into the cycle. */
	const uint32_t edge[][2] = {{1, 2}, {2, 1}, {3, 2}};
	struct fixture f;
	begin(&f, 3, 3, edge);
	run(&f);
	assert_int_equal(f.s->cluster.n, 2);
	assert_int_equal(f.s->cluster.at[0].head_id, 3);
	assert_int_equal(f.s->cluster.at[0].objects, 3);
	assert_int_equal(f.s->object.retained[2], 48);
	end(&f);
}

static void test_self_loop(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 1}};
	struct fixture f;
	begin(&f, 2, 1, edge);
	run(&f);
	assert_int_equal(f.s->cluster.n, 3);
	assert_int_equal(f.s->cluster.at[2].kind, CLUSTER_CYCLE);
	assert_int_equal(f.s->cluster.at[2].head_id, 1);
	assert_string_equal(signature(&f, 1), "16");
	assert_int_equal(strncmp(signature(&f, 0), "16 -> 16[+0] (", 14), 0);
	end(&f);
}

static void test_head_of_cycle(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 2}, {2, 3}, {3, 1}};
	for (int typed = 0; typed < 3; typed++) {
		struct fixture f;
		begin(&f, 3, 3, edge);
		f.s->object.size[2] = typed ? 64 : 16;
		if (typed == 2)
			f.s->object.type_id[1] = add_type(&f, "conn");
		run(&f);
		/* The first; the biggest; the typed one. */
		assert_int_equal(f.s->cluster.at[0].head_id, typed == 2 ? 2 : typed ? 3 : 1);
		assert_int_equal(f.s->cluster.at[1].head_id, f.s->cluster.at[0].head_id);
		assert_int_equal(f.s->cluster.at[0].objects, 3);
		end(&f);
	}
}

static void test_head_is_of_the_program(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 2}, {2, 1}};
	static const char *const language[] = {"python", "C++"};
	static const char *const name[][2] = {{"dict", "app.Node"},
					      {"std::list<int>", "app::node"}};
	for (int i = 0; i < 2; i++) {
		struct fixture f;
		begin(&f, 2, 2, edge);
		for (int k = 0; k < 2; k++)
			check(snapshot_add_type(f.s, language[i], name[i][k], "",
						&f.s->object.type_id[k]));
		f.s->object.size[0] = 640;
		run(&f);
		assert_int_equal(f.s->cluster.at[0].head_id, 2);
		end(&f);
	}
}

static void test_nothing_is_lost(void **state)
{
	(void)state;
	const uint32_t edge[][2] = {{1, 2}, {2, 1}};
	struct fixture f;
	begin(&f, 2, 2, edge);
	add_root(&f, 2, ROOT_STACK, EDGE_INTERIOR);
	run(&f);
	assert_int_equal(f.s->cluster.n, 0);
	assert_int_equal(f.s->object.reachable[0], 2);
	assert_int_equal(f.s->object.grade[0], ROOT_STACK);
	assert_int_equal(f.s->object.retained[1], 32);
	end(&f);
}

static void test_empty(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f, 0, 0, NULL);
	run(&f);
	assert_int_equal(f.s->cluster.n, 0);
	end(&f);
}

/* A container whose buffer refers back to it holds itself; one whose buffer does not does not. */
static void test_owned_buffers(void **state)
{
	(void)state;
	/* 1 owns 2 owns nothing else; 2 -> 1. 3 owns 4. 5 owns 6, 6 -> 7, 7 -> 5. */
	const uint32_t edge[][2] = {{1, 2}, {2, 1}, {3, 4}, {5, 6}, {6, 7}, {7, 5}};
	for (int rooted = 0; rooted < 2; rooted++) {
		struct fixture f;
		begin(&f, 7, 6, edge);
		f.s->edge.kind = malloc(6);
		memset(f.s->edge.kind, OWNING, 6);
		f.s->object.owner_id = calloc(7, sizeof(uint32_t));
		f.s->object.owner_id[1] = 1;
		f.s->object.owner_id[3] = 3;
		f.s->object.owner_id[5] = 5;
		uint32_t list = add_type(&f, "list");
		f.s->object.type_id[0] = f.s->object.type_id[2] = list;
		f.s->object.type_id[4] = f.s->object.type_id[6] = list;
		f.s->object.size[1] = 4096;
		for (uint32_t id = 1; rooted && id <= 5; id += 2)
			add_root(&f, id, ROOT_GLOBAL, EDGE_START);
		run(&f);
		const struct cluster_row *a = cluster_of(&f, CLUSTER_CYCLE, 1);
		const struct cluster_row *b = cluster_of(&f, CLUSTER_CYCLE, 5);
		assert_non_null(a);
		assert_int_equal(a->objects, 2);
		assert_int_equal(a->head_id, 1);
		assert_int_equal(a->reachable, rooted);
		assert_null(cluster_of(&f, CLUSTER_CYCLE, 3));
		assert_non_null(b);
		assert_int_equal(b->objects, 3);
		assert_ptr_equal(b, cluster_of(&f, CLUSTER_CYCLE, 6));
		end(&f);
	}
}

/* ---- signatures ---- */

/* Lists of 1 to 40 nodes, behind a head of 48 bytes each: two shapes, with and without a second
 * node. */
static void test_lists_fold(void **state)
{
	(void)state;
	enum { LISTS = 40 };
	static uint32_t edge[LISTS * LISTS][2];
	uint32_t n = 0, m = 0, head[LISTS];
	for (uint32_t l = 0; l < LISTS; l++) {
		head[l] = ++n;
		for (uint32_t k = 0; k <= l; k++, m++, n++)
			edge[m][0] = n, edge[m][1] = n + 1;
	}
	struct fixture f;
	begin(&f, n, m, (const uint32_t(*)[2])edge);
	for (uint32_t l = 0; l < LISTS; l++) {
		f.s->object.size[head[l] - 1] = 48;
		f.s->edge.where[f.s->edge.first[head[l] - 1]] = edge_where_pack(EDGE_START, 16, 8);
	}
	run(&f);
	assert_int_equal(f.s->cluster.n, LISTS);
	assert_int_equal(strncmp(signature(&f, 0), "48 -> 16[+16] (", 15), 0);
	assert_string_not_equal(signature(&f, 0), signature(&f, 1));
	for (uint32_t l = 2; l < LISTS; l++)
		assert_int_equal(f.s->cluster.at[l].signature, f.s->cluster.at[1].signature);
	end(&f);
}

static void test_signature_text(void **state)
{
	(void)state;
	/* 1 has five children; 7 is alone and typed; 8 -> 9 by an unaligned word. */
	const uint32_t edge[][2] = {{1, 2}, {1, 3}, {1, 4}, {1, 5}, {1, 6}, {8, 9}};
	struct fixture f;
	begin(&f, 9, 6, edge);
	uint32_t conn = add_type(&f, "conn");
	f.s->object.type_id[0] = f.s->object.type_id[2] = f.s->object.type_id[6] = conn;
	f.s->edge.where[5] = edge_where_pack(EDGE_MISALIGNED, 3, 8);
	/* What bytes look like is no type. */
	check(snapshot_add_type(f.s, "", "zeroes", "", &f.s->object.type_id[8]));
	run(&f);
	assert_int_equal(f.s->cluster.n, 3);
	const char *one = signature(&f, 0);
	const char *want = "conn -> 16[+0], conn[+8], 16[+16], ... (";
	assert_int_equal(strncmp(one, want, strlen(want)), 0);
	assert_int_equal(strlen(one), strlen(want) + 9);
	assert_string_equal(signature(&f, 1), "conn");
	assert_int_equal(strncmp(signature(&f, 2), "16 -> 16[+3] (", 14), 0);
	end(&f);
}

/* More distinct references than are kept: still the same for both, whatever the order. */
static void test_many_labels(void **state)
{
	(void)state;
	enum { N = 50000 };
	uint32_t(*edge)[2] = calloc(2 * N, sizeof(*edge));
	for (uint32_t k = 0; k < N; k++) {
		edge[k][0] = 1, edge[k][1] = 3 + k;
		edge[N + k][0] = 2, edge[N + k][1] = 3 + N + (N - 1 - k);
	}
	struct fixture f;
	begin(&f, 2 + 2 * N, 2 * N, (const uint32_t(*)[2])edge);
	f.s->object.size[0] = f.s->object.size[1] = 8 * N;
	for (uint32_t k = 0; k < N; k++) {
		/* The same label at the same offset, at the other end of the address order. */
		f.s->object.size[2 + k] = 16 + 8 * (uint64_t)k;
		f.s->object.size[2 + 2 * N - 1 - k] = 16 + 8 * (uint64_t)k;
	}
	run(&f);
	assert_int_equal(f.s->cluster.n, 2);
	assert_string_equal(signature(&f, 0), signature(&f, 1));
	end(&f);
	free(edge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_same_rows_again),
		cmocka_unit_test(test_shared_child),
		cmocka_unit_test(test_cycle_with_tail),
		cmocka_unit_test(test_tail_into_cycle),
		cmocka_unit_test(test_self_loop),
		cmocka_unit_test(test_head_of_cycle),
		cmocka_unit_test(test_head_is_of_the_program),
		cmocka_unit_test(test_nothing_is_lost),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_owned_buffers),
		cmocka_unit_test(test_lists_fold),
		cmocka_unit_test(test_signature_text),
		cmocka_unit_test(test_many_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
