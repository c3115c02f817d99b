/* Tests of the census: sums and rows against counting one by one. */
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
			for (uint32_t i = 0; i < n; i++) {
				o->size[i] = 8 + random_below(sizes);
				o->type_id[i] = (uint32_t)random_below(3);
				o->arena_id[i] = (uint16_t)random_below(2);
				o->reachable[i] = (uint8_t)random_below(3);
				o->grade[i] = (uint8_t)random_below(3);
			}
			assert_null(analysis_census(s, &log));
			uint64_t objects = 0;
			for (uint64_t r = 0; r < s->census.n; r++) {
				uint32_t found = 0;
				for (uint32_t i = 0; i < n; i++)
					found += is_of(&s->census.at[r], o, i);
				assert_int_equal(found, s->census.at[r].objects);
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

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
