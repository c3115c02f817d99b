/* whatif_cut: what goes with references that are cut, against plain reachability, in random graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "random_graph.h"
#include "store/embed.h"
#include "store/whatif_cut.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 150, CUTS = 25, MOST = 40, EDGES_MOST = 200, ROOTS_MOST = 8 };

struct edge {
	unsigned src, dst, kind; /* numbers from 1; row i is reference i + 1 */
	bool key;
};

struct graph {
	unsigned n, edges, roots;
	struct edge edge[EDGES_MOST];
	unsigned root[ROOTS_MOST];
	bool head[MOST + 1]; /* of what no root leads to */
	bool from_roots[MOST + 1];
	unsigned idom[MOST + 1], held_by[MOST + 1], size[MOST + 1];
	bool block[MOST + 1]; /* an allocator's */
};

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* What is reached when these references and roots (by row, from 0) are not there, nor object `without`. */
static void reach(const struct graph *g, const bool *no_edge, const bool *no_root, bool heads,
		  unsigned without, bool *seen)
{
	memset(seen, 0, (MOST + 1) * sizeof(*seen));
	for (unsigned i = 0; i < g->roots; i++)
		if (!no_root || !no_root[i])
			seen[g->root[i]] = true;
	for (unsigned v = 1; v <= g->n && heads; v++)
		seen[v] |= g->head[v];
	seen[without] = false;
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < g->edges; i++) {
			const struct edge *e = &g->edge[i];
			if (e->kind == 2 || (no_edge && no_edge[i]) || !seen[e->src] ||
			    seen[e->dst] || e->dst == without)
				continue;
			seen[e->dst] = more = true;
		}
	}
}

/* Heads: one of each group that nothing outside leads to; then all is reached. */
static void graph_heads(struct graph *g)
{
	bool seen[MOST + 1], from[MOST + 1][MOST + 1];
	reach(g, NULL, NULL, false, 0, g->from_roots);
	struct graph one = *g;
	one.roots = 1;
	for (unsigned v = 1; v <= g->n; v++) {
		one.root[0] = v;
		reach(&one, NULL, NULL, false, 0, from[v]);
	}
	for (unsigned v = 1; v <= g->n; v++) {
		reach(g, NULL, NULL, true, 0, seen);
		bool source = !seen[v];
		for (unsigned u = 1; u <= g->n; u++)
			source &= !from[u][v] || from[v][u];
		g->head[v] = source;
	}
}

/* v goes with u: no chain without u leads to v. The nearest such u is the one that all others go with, too. */
static void graph_dominators(struct graph *g)
{
	bool seen[MOST + 1], with[MOST + 1][MOST + 1];
	for (unsigned u = 1; u <= g->n; u++) {
		reach(g, NULL, NULL, true, u, seen);
		for (unsigned v = 1; v <= g->n; v++)
			with[u][v] = u != v && !seen[v];
	}
	for (unsigned v = 1; v <= g->n; v++)
		for (unsigned u = 1; u <= g->n; u++)
			if (with[u][v] && (!g->idom[v] || with[g->idom[v]][u]))
				g->idom[v] = u;
}

/* The reference by which a search from the roots came to each object. */
static void graph_held(struct graph *g)
{
	bool seen[MOST + 1] = {0};
	for (unsigned i = 0; i < g->roots; i++)
		seen[g->root[i]] = true;
	for (bool more = true; more;) {
		more = false;
		for (unsigned i = 0; i < g->edges; i++) {
			const struct edge *e = &g->edge[i];
			if (e->kind == 2 || !seen[e->src] || seen[e->dst])
				continue;
			seen[e->dst] = more = true;
			g->held_by[e->dst] = i + 1;
		}
	}
}

static void graph_make(struct graph *g, uint64_t *seed)
{
	*g = (struct graph){.n = 2 + (unsigned)random_below(seed, MOST - 1)};
	const unsigned edges = (unsigned)random_below(seed, 4 * g->n) + g->n / 2;
	g->roots = 1 + (unsigned)random_below(seed, ROOTS_MOST);
	for (unsigned i = 0; i < g->roots; i++)
		g->root[i] = 1 + (unsigned)random_below(seed, g->n);
	while (g->edges < edges && g->edges + 2 < EDGES_MOST) {
		struct edge e = {
			.src = 1 + (unsigned)random_below(seed, g->n),
			.dst = 1 + (unsigned)random_below(seed, g->n),
			.kind = random_below(seed, 8) ? 1 : (unsigned)random_below(seed, 2) * 2,
		};
		/* Mostly trees, else nothing ever goes. */
		if (random_below(seed, 3) && e.src > e.dst)
			e = (struct edge){e.dst, e.src, e.kind, false};
		if (!random_below(seed, 4))
			g->edge[g->edges++] = (struct edge){
				e.src, 1 + (unsigned)random_below(seed, g->n), 1, true};
		g->edge[g->edges++] = e;
	}
	for (unsigned v = 1; v <= g->n; v++) {
		g->size[v] = 16 * (1 + (unsigned)random_below(seed, 20));
		g->block[v] = random_below(seed, 8);
	}
	graph_heads(g);
	graph_dominators(g);
	graph_held(g);
}

static unsigned graph_retained(const struct graph *g, unsigned u)
{
	bool seen[MOST + 1];
	unsigned sum = 0;
	reach(g, NULL, NULL, true, u, seen);
	for (unsigned v = 1; v <= g->n; v++)
		sum += seen[v] ? 0 : g->size[v];
	return sum;
}

static void graph_write(const struct graph *g, sqlite3 *db)
{
	char sql[512];
	run(db, "BEGIN; DELETE FROM object; DELETE FROM reference; DELETE FROM root");
	for (unsigned v = 1; v <= g->n; v++) {
		snprintf(sql, sizeof(sql),
			 "INSERT INTO object (id, address, size, arena_id, reachable, retained,"
			 " dominator_id, held_by) VALUES (%u, %u, %u, %s, %d, %u, nullif(%u, 0),"
			 " nullif(%u, 0))",
			 v, 4096 + 1024 * v, g->size[v], g->block[v] ? "1" : "NULL",
			 g->from_roots[v], graph_retained(g, v), g->idom[v], g->held_by[v]);
		run(db, sql);
	}
	for (unsigned i = 0; i < g->edges; i++) {
		const struct edge *e = &g->edge[i];
		snprintf(sql, sizeof(sql),
			 "INSERT INTO reference (rowid, src, dst, kind, how, name)"
			 " VALUES (%u, %u, %u, %u, 0, '%s')",
			 i + 1, e->src, e->dst, e->kind, e->key ? "<key 1>" : "[x]");
		run(db, sql);
	}
	for (unsigned i = 0; i < g->roots; i++) {
		snprintf(sql, sizeof(sql),
			 "INSERT INTO root (id, kind, grade, object_id, how)"
			 " VALUES (%u, 'data', 1, %u, 0)",
			 i + 1, g->root[i]);
		run(db, sql);
	}
	run(db, "COMMIT");
}

/* Of what is free, what counts alone do not free: that which the free ones keep, one after the other, goes down. */
static void waiting(const struct graph *g, const bool *free_, bool *ret)
{
	memcpy(ret, free_, (MOST + 1) * sizeof(*ret));
	for (bool more = true; more;) {
		more = false;
		for (unsigned v = 1; v <= g->n; v++) {
			bool counted = false;
			for (unsigned i = 0; i < g->edges; i++)
				counted |= g->edge[i].kind == 1 && g->edge[i].dst == v &&
					   ret[g->edge[i].src];
			if (ret[v] && !counted) {
				ret[v] = false;
				more = true;
			}
		}
	}
}

static bool edge_has_key(const struct graph *g, unsigned i)
{
	return i && !g->edge[i].key && g->edge[i - 1].key && g->edge[i - 1].src == g->edge[i].src;
}

static void cut_once(const struct graph *g, struct whatif *w, uint64_t *seed)
{
	bool no_edge[EDGES_MOST] = {0}, no_root[ROOTS_MOST] = {0}, target[MOST + 1] = {0};
	bool after[MOST + 1], free_[MOST + 1], wait[MOST + 1];
	struct whatif_way way[4];
	unsigned n = 0, keys = 0;
	const unsigned want = random_below(seed, 3) ? 1 : 2 + (unsigned)random_below(seed, 3);
	for (unsigned try = 0; try < 40 && n < want; try++) {
		const unsigned i = (unsigned)random_below(seed, g->edges);
		const unsigned r = (unsigned)random_below(seed, g->roots);
		if (!random_below(seed, 5) && !no_root[r]) {
			no_root[r] = target[g->root[r]] = true;
			way[n++] = (struct whatif_way){.root = r + 1};
		} else if (g->edge[i].kind != 2 && !no_edge[i] && g->from_roots[g->edge[i].src]) {
			no_edge[i] = target[g->edge[i].dst] = true;
			way[n++] = (struct whatif_way){.reference = i + 1};
			keys += edge_has_key(g, i);
			if (edge_has_key(g, i))
				no_edge[i - 1] = true;
		}
	}
	_cleanup_(whatif_cut_deinit) struct whatif_cut cut = {0};
	check(whatif_cut(w, way, n, 1000, &cut));
	reach(g, no_edge, no_root, true, 0, after);
	uint64_t objects = 0, bytes = 0, others = 0, wait_objects = 0, wait_bytes = 0;
	for (unsigned v = 1; v <= g->n; v++)
		free_[v] = !after[v];
	waiting(g, free_, wait);
	for (unsigned v = 1; v <= g->n; v++) {
		objects += free_[v] && g->block[v];
		bytes += free_[v] && g->block[v] ? g->size[v] : 0;
		wait_objects += wait[v] && g->block[v];
		wait_bytes += wait[v] && g->block[v] ? g->size[v] : 0;
		if (!target[v] || free_[v])
			continue;
		/* Ways to it that are not its own. */
		bool without[MOST + 1];
		reach(g, NULL, NULL, true, v, without);
		for (unsigned i = 0; i < g->edges; i++)
			others += !no_edge[i] && g->edge[i].kind != 2 && g->edge[i].dst == v &&
				  without[g->edge[i].src];
		for (unsigned i = 0; i < g->roots; i++)
			others += !no_root[i] && g->root[i] == v;
	}
	assert_true(cut.r.complete);
	assert_int_equal(cut.r.objects, objects);
	assert_int_equal(cut.r.bytes, bytes);
	assert_int_equal(cut.r.others, others);
	assert_int_equal(cut.holder.n, others < WHATIF_TOLD ? others : WHATIF_TOLD);
	assert_int_equal(cut.taken.n, keys);
	assert_true(cut.counted);
	assert_int_equal(cut.waiting_objects, wait_objects);
	assert_int_equal(cut.waiting_bytes, wait_bytes);
	/* What was stopped says no more than the truth. */
	whatif_cut_deinit(&cut);
	check(whatif_cut(w, way, n, 1 + random_below(seed, 5), &cut));
	assert_true(cut.r.objects <= objects);
	assert_true(cut.r.others <= others || objects);
	assert_true(cut.r.bytes <= bytes || !cut.r.complete);
	assert_true(!cut.r.complete || cut.r.objects == objects);
}

static sqlite3 *database(void)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	run(db, embed_find("tables.sql"));
	run(db, embed_find("indexes.sql"));
	run(db, "INSERT INTO meta (key, value) VALUES ('word_size', 8), ('python_version', '3.11');"
		"INSERT INTO arena (id, allocator, name, address, used_bytes, free_bytes, "
		"overhead_bytes)"
		" VALUES (1, 'other', 'other', 4096, 0, 0, 0)");
	return db;
}

static void test_random(void **state)
{
	(void)state;
	uint64_t seed = 20261123;
	sqlite3 *db = database();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct graph g;
		struct whatif *w = NULL;
		graph_make(&g, &seed);
		graph_write(&g, db);
		check(whatif_create(db, &w));
		for (unsigned i = 0; i < CUTS; i++)
			cut_once(&g, w, &seed);
		whatif_destroy(w);
	}
	sqlite3_close(db);
}

static void test_none(void **state)
{
	(void)state;
	sqlite3 *db = database();
	struct whatif *w = NULL;
	struct whatif_cut cut;
	check(whatif_create(db, &w));
	struct error *err = whatif_cut(w, &(struct whatif_way){.reference = 7}, 1, 10, &cut);
	assert_non_null(err);
	assert_int_equal(err->kind, ERROR_USAGE);
	error_free(err);
	whatif_cut_deinit(&cut);
	whatif_destroy(w);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
