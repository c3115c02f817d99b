/* Tests of the census and the shapes: sums and rows against counting one by one. */
#include "analysis/analysis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t seed = 1;

static uint64_t random_below(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static bool is_of(const struct census_row *r, const struct object_table *o, uint32_t i)
{
	return r->size == o->size[i] && r->type_id == o->type_id[i] &&
	       r->arena_id == o->arena_id[i] && r->reachable == o->reachable[i] &&
	       r->grade == o->grade[i];
}

static void counts(void **state)
{
	(void)state;
	struct log log;
	log_init(&log, LOG_ERROR);
	for (uint32_t n = 0; n < 4000; n = n * 3 + 1) {
		for (uint64_t sizes = 1; sizes < 100000; sizes *= 40) {
			struct damage_log damage = {0};
			struct snapshot *s;
			assert_null(snapshot_create(NULL, &damage, &s));
			struct object_table *o = &s->object;
			o->n = n;
			o->size = calloc(n + 1, sizeof(*o->size));
			o->type_id = calloc(n + 1, sizeof(*o->type_id));
			o->arena_id = calloc(n + 1, sizeof(*o->arena_id));
			o->reachable = calloc(n + 1, sizeof(*o->reachable));
			o->grade = calloc(n + 1, sizeof(*o->grade));
			o->dominator = calloc(n + 1, sizeof(*o->dominator));
			o->retained = calloc(n + 1, sizeof(*o->retained));
			for (uint32_t i = 0; i < n; i++) {
				o->dominator[i] = (uint32_t)random_below(2);
				o->retained[i] = random_below(1000);
				o->size[i] = 8 + random_below(sizes);
				o->type_id[i] = (uint32_t)random_below(3);
				o->arena_id[i] = (uint16_t)random_below(2);
				o->reachable[i] = (uint8_t)random_below(3);
				o->grade[i] = (uint8_t)random_below(3);
			}
			assert_null(analysis_census(s, &log));
			uint64_t objects = 0;
			for (uint64_t r = 0; r < s->census.n; r++) {
				uint32_t found = 0, tops = 0;
				uint64_t retained = 0;
				for (uint32_t i = 0; i < n; i++) {
					bool is = is_of(&s->census.at[r], o, i);
					found += is;
					tops += is && !o->dominator[i];
					retained += is && !o->dominator[i] ? o->retained[i] : 0;
				}
				assert_int_equal(found, s->census.at[r].objects);
				assert_int_equal(tops, s->census.at[r].tops);
				assert_int_equal(retained, s->census.at[r].tops_retained);
				assert_true(found > 0);
				objects += found;
			}
			/* every object once: so no two rows are alike */
			assert_int_equal(objects, n);
			snapshot_destroy(s);
			damage_deinit(&damage);
		}
	}
}

/* More is retained by a, or as much and its id is lower. */
static bool before(const struct object_table *o, uint32_t a, uint32_t b)
{
	uint64_t ra = o->retained[a - 1], rb = o->retained[b - 1];
	return ra != rb ? ra > rb : a < b;
}

static bool is_like(const struct object_table *o, uint32_t a, uint32_t b)
{
	return o->type_id[a - 1] == o->type_id[b - 1] && o->size[a - 1] == o->size[b - 1];
}

/* A tree of dominators above n objects of few types and sizes, and what each retains. */
static struct snapshot *random_tree(uint32_t n, uint32_t types, uint32_t sizes,
				    struct damage_log *damage)
{
	struct snapshot *s;
	assert_null(snapshot_create(NULL, damage, &s));
	struct object_table *o = &s->object;
	o->n = n;
	o->size = calloc(n + 1, sizeof(*o->size));
	o->type_id = calloc(n + 1, sizeof(*o->type_id));
	o->dominator = calloc(n + 1, sizeof(*o->dominator));
	o->retained = calloc(n + 1, sizeof(*o->retained));
	for (uint32_t i = 0; i < types; i++)
		assert_null(vec_push(&s->type, (struct type_row){.name = 0}));
	for (uint32_t i = 0; i < n; i++) {
		o->size[i] = 8 + random_below(sizes);
		o->retained[i] = o->size[i];
		o->type_id[i] = (uint32_t)random_below(types + 1);
		/* Chains, too: now and then its dominator is the one before. */
		o->dominator[i] = random_below(2) ? i : (uint32_t)random_below(i + 1);
	}
	for (uint32_t i = n; i--;)
		if (o->dominator[i])
			o->retained[o->dominator[i] - 1] += o->retained[i];
	return s;
}

/* Each object that is not among the biggest of its kind has BIGGEST_EACH before it. */
static void biggest(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 4000; n = n * 3 + 1) {
		for (uint32_t sizes = 1; sizes < 1000; sizes *= 9) {
			struct damage_log damage = {0};
			struct snapshot *s = random_tree(n, 2, sizes, &damage);
			const struct object_table *o = &s->object;
			assert_null(analysis_census(s, NULL));
			assert_null(analysis_biggest(s, NULL));
			bool *there = calloc(n + 1, 1);
			for (uint64_t i = 0; i < s->biggest.n; i++) {
				uint32_t id = s->biggest.at[i];
				assert_true(id && id <= n && !there[id]);
				there[id] = true;
				if (!i)
					continue;
				uint32_t last = s->biggest.at[i - 1];
				const uint32_t *t = o->type_id;
				assert_true(t[last - 1] <= t[id - 1]);
				if (is_like(o, last, id))
					assert_true(before(o, last, id));
				else if (t[last - 1] == t[id - 1])
					assert_true(o->size[last - 1] > o->size[id - 1]);
			}
			for (uint32_t id = 1; id <= n; id++) {
				uint32_t more = 0;
				for (uint32_t k = 1; k <= n; k++)
					more += is_like(o, k, id) && before(o, k, id);
				assert_int_equal(there[id], more < BIGGEST_EACH);
			}
			free(there);
			snapshot_destroy(s);
			damage_deinit(&damage);
		}
	}
}

/* What goes with a type, by walking up from each object. */
static void types(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 3000; n = n * 3 + 1) {
		struct damage_log damage = {0};
		struct snapshot *s = random_tree(n, 5, 100, &damage);
		const struct object_table *o = &s->object;
		uint64_t truth[6] = {0};
		for (uint32_t i = 0; i < n; i++) {
			uint32_t at = o->dominator[i];
			while (at && o->type_id[at - 1] != o->type_id[i])
				at = o->dominator[at - 1];
			truth[o->type_id[i]] += at ? 0 : o->retained[i];
		}
		assert_null(analysis_types(s, NULL));
		for (unsigned t = 1; t <= 5; t++)
			assert_int_equal(s->type.at[t - 1].retained, truth[t]);
		snapshot_destroy(s);
		damage_deinit(&damage);
	}
}

/* Every cluster in exactly one row, with its like; the example is the first of the biggest. */
static void shapes(void **state)
{
	(void)state;
	for (uint32_t n = 0; n < 2000; n = n * 3 + 1) {
		struct damage_log damage = {0};
		struct snapshot *s;
		assert_null(snapshot_create(NULL, &damage, &s));
		uint32_t text[3];
		assert_null(intern_str(&s->strings, "a", &text[0]));
		assert_null(intern_str(&s->strings, "b", &text[1]));
		text[2] = 0;
		for (uint32_t i = 0; i < n; i++) {
			struct cluster_row row = {
				.kind = (uint8_t)random_below(2),
				.reachable = (uint8_t)random_below(2),
				.objects = (uint32_t)random_below(5),
				.bytes = random_below(1000),
				.signature = text[random_below(3)],
			};
			assert_null(vec_push(&s->cluster, row));
		}
		assert_null(analysis_shapes(s, NULL));
		uint64_t clusters = 0, last = UINT64_MAX;
		for (uint64_t r = 0; r < s->shape.n; r++) {
			const struct shape_row *h = &s->shape.at[r], *before = r ? h - 1 : h;
			uint64_t found = 0, objects = 0, bytes = 0, best = 0, example = 0;
			for (uint32_t i = 0; i < n; i++) {
				const struct cluster_row *c = &s->cluster.at[i];
				if (c->kind != h->kind || c->reachable != h->reachable ||
				    c->signature != h->signature ||
				    (!c->signature && i + 1 != h->cluster_id))
					continue;
				if (!found++ || c->bytes > best) {
					best = c->bytes;
					example = i + 1;
				}
				objects += c->objects;
				bytes += c->bytes;
			}
			assert_int_equal(h->clusters, found);
			assert_int_equal(h->objects, objects);
			assert_int_equal(h->bytes, bytes);
			assert_int_equal(h->cluster_id, example);
			clusters += found;
			if (h->kind != before->kind || h->reachable != before->reachable)
				last = UINT64_MAX;
			assert_true(h->bytes <= last);
			last = h->bytes;
		}
		assert_int_equal(clusters, n);
		snapshot_destroy(s);
		damage_deinit(&damage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counts), cmocka_unit_test(biggest),
					   cmocka_unit_test(types), cmocka_unit_test(shapes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
