/*
 * The replay against a plain model: every event is applied to arrays, sums are counted anew after
 * each of them. And the tree of sites: merging, inlined frames, allocation functions, suppressions.
 */
#include "base/damage.h"
#include "input/input.h"
#include "input/lines.h"
#include "input/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void ok(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

static uint32_t rnd(uint64_t *seed, uint32_t n)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % n;
}

struct fixture {
	struct damage_log damage;
	struct trace *t;
	struct snapshot *s;
};

static void begin(struct fixture *f)
{
	*f = (struct fixture){.t = NULL};
	ok(trace_create(&f->damage, NULL, &f->t));
	ok(snapshot_create(NULL, &f->damage, &f->s));
}

static void end(struct fixture *f)
{
	trace_destroy(f->t);
	snapshot_destroy(f->s);
	damage_deinit(&f->damage);
}

static uint32_t frame(struct trace *t, const char *function, const char *file, uint32_t line,
		      uint32_t outer)
{
	struct trace_frame fr = {.line = line, .outer = outer};
	uint32_t id;
	ok(trace_string(t, function, strlen(function), &fr.function));
	ok(trace_string(t, file, strlen(file), &fr.file));
	ok(trace_frame(t, &fr, &id));
	return id;
}

static uint32_t stack(struct trace *t, uint32_t fr, uint32_t caller)
{
	uint32_t id;
	ok(trace_stack(t, fr, caller, &id));
	return id;
}

static const char *site_name(const struct fixture *f, uint32_t id)
{
	return id ? intern_text(&f->s->strings, f->s->site.at[id - 1].function) : "";
}

static uint32_t find_site(const struct fixture *f, const char *name)
{
	uint32_t found = 0;
	for (uint32_t i = 1; i <= f->s->site.n; i++)
		if (!strcmp(site_name(f, i), name)) {
			assert_int_equal(found, 0);
			found = i;
		}
	return found;
}

static const char *meta(const struct fixture *f, const char *key)
{
	for (uint64_t i = 0; i < f->s->meta.n; i++)
		if (!strcmp(intern_text(&f->s->strings, f->s->meta.at[i].key), key))
			return intern_text(&f->s->strings, f->s->meta.at[i].value);
	return "";
}

/* ---- the replay ---- */

enum { STACKS = 7, PLACES = 60, EVENTS = 4000 };

struct model_block {
	uint64_t size, born;
	uint32_t stack; /* 1.. */
	bool live;
};

struct model {
	struct model_block at[PLACES];
	uint64_t allocations[STACKS], temporary[STACKS], bytes[STACKS], peak[STACKS],
		own_peak[STACKS], lifetime[STACKS];
	uint64_t top, top_time;
};

static uint64_t model_live(const struct model *m, uint32_t of)
{
	uint64_t sum = 0;
	for (int i = 0; i < PLACES; i++)
		if (m->at[i].live && (of == UINT32_MAX || m->at[i].stack == of))
			sum += m->at[i].size;
	return sum;
}

static void model_note(struct model *m, uint64_t now)
{
	bool top = model_live(m, UINT32_MAX) > m->top;
	if (top) {
		m->top = model_live(m, UINT32_MAX);
		m->top_time = now;
	}
	for (uint32_t k = 0; k < STACKS; k++) {
		uint64_t live = model_live(m, k);
		if (live > m->own_peak[k])
			m->own_peak[k] = live;
		if (top)
			m->peak[k] = live;
	}
}

static void replay_random(uint64_t seed, bool kinds)
{
	struct fixture f;
	struct model m = {.top = 0};
	uint32_t st[STACKS], kind[STACKS][4];
	uint64_t now = 0;
	int last = -1;
	begin(&f);
	for (uint32_t k = 0; k < STACKS; k++) {
		char name[8] = {'f', (char)('0' + k)};
		st[k] = stack(f.t, frame(f.t, name, "x.c", k + 1, 0), 0);
		for (uint32_t z = 0; z < 4; z++)
			ok(trace_kind(f.t, z * 100, st[k], &kind[k][z]));
	}
	for (int e = 0; e < EVENTS; e++) {
		uint32_t p = rnd(&seed, PLACES);
		struct model_block *b = &m.at[p];
		uint64_t address = 0x1000 + 16 * (uint64_t)p;
		if (!rnd(&seed, 5)) {
			now += rnd(&seed, 3);
			ok(trace_time(f.t, now));
		}
		if (b->live) {
			m.lifetime[b->stack] += now - b->born;
			m.temporary[b->stack] += last == (int)p;
			b->live = false;
			last = -1;
			if (kinds)
				assert_true(trace_kind_free(f.t, kind[b->stack][b->size / 100]));
			else
				trace_free(f.t, address);
			continue;
		}
		*b = (struct model_block){rnd(&seed, 4) * 100, now, rnd(&seed, STACKS), true};
		m.allocations[b->stack]++;
		m.bytes[b->stack] += b->size;
		model_note(&m, now);
		last = (int)p;
		if (kinds)
			assert_true(trace_kind_alloc(f.t, kind[b->stack][b->size / 100]));
		else
			ok(trace_alloc(f.t, address, b->size, st[b->stack]));
	}
	for (int i = 0; i < PLACES; i++)
		if (m.at[i].live)
			m.lifetime[m.at[i].stack] += now - m.at[i].born;
	ok(trace_seal(f.t, f.s));
	ok(snapshot_check(f.s));
	assert_int_equal(f.s->site.n, STACKS);
	uint64_t live = 0;
	for (uint32_t k = 0; k < STACKS; k++) {
		const struct site_row *r = &f.s->site.at[k];
		assert_int_equal(r->allocations, m.allocations[k]);
		assert_int_equal(r->allocated_bytes, m.bytes[k]);
		assert_int_equal(r->live_bytes, model_live(&m, k));
		assert_int_equal(r->own_peak_bytes, m.own_peak[k]);
		assert_int_equal(r->peak_bytes, m.peak[k]);
		assert_int_equal((uint64_t)r->lifetime, m.lifetime[k]);
		if (!kinds) /* of kinds another block may have been meant */
			assert_int_equal(r->temporary, m.temporary[k]);
		live += r->live_bytes;
	}
	assert_int_equal(live, model_live(&m, UINT32_MAX));
	assert_int_equal(strtoull(meta(&f, "peak_bytes"), NULL, 10), m.top);
	assert_int_equal(strtoull(meta(&f, "peak_time"), NULL, 10), m.top_time);
	end(&f);
}

static void test_replay_blocks(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++)
		replay_random(seed, false);
}

static void test_replay_kinds(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 30; seed++)
		replay_random(seed, true);
}

static void test_replay_table(void **state)
{
	(void)state;
	struct fixture f;
	uint64_t size;
	uint32_t st;
	begin(&f);
	/* It grows; removals leave everything else where it is found. */
	for (uint64_t a = 1; a <= 100000; a++)
		ok(trace_alloc(f.t, a * 16, a, 0));
	for (uint64_t a = 1; a <= 100000; a += 3)
		trace_free(f.t, a * 16);
	for (uint64_t a = 1; a <= 100000; a++) {
		assert_int_equal(trace_find(f.t, a * 16, &size, &st), a % 3 != 1);
		if (a % 3 != 1)
			assert_int_equal(size, a);
	}
	trace_free(f.t, 5);
	trace_free(f.t, 0);
	ok(trace_alloc(f.t, 0, 7, 0));
	ok(trace_alloc(f.t, 32, 9, 0)); /* live already */
	ok(trace_alloc(f.t, 1 << 20, UINT64_MAX, 0));
	ok(trace_realloc(f.t, 48, 0, 100, 0)); /* failed: stays */
	ok(trace_realloc(f.t, 96, 0, 0, 0));
	ok(trace_realloc(f.t, 80, 88, 50, 0));
	assert_true(trace_find(f.t, 48, &size, &st));
	assert_false(trace_find(f.t, 96, &size, &st));
	assert_false(trace_find(f.t, 80, &size, &st));
	assert_true(trace_find(f.t, 88, &size, &st) && size == 50);
	ok(trace_seal(f.t, f.s));
	ok(snapshot_check(f.s));
	assert_string_equal(meta(&f, "unknown_frees"), "1");
	assert_string_equal(meta(&f, "failed_allocations"), "2");
	assert_string_equal(meta(&f, "replaced_blocks"), "1");
	assert_int_equal(f.damage.count[DAMAGE_DUMP], 1);
	end(&f);
}

/* Sizes that are kept beside the table; the rows of what is live in the end, by address. */
static void test_replay_big(void **state)
{
	(void)state;
	static const uint64_t sizes[] = {
		0,
		100,
		UINT32_MAX - UINT64_C(1),
		UINT32_MAX,
		UINT32_MAX + UINT64_C(1),
		UINT64_C(5) << 32,
	};
	enum { SIZES = sizeof(sizes) / sizeof(*sizes) };
	struct fixture f;
	uint64_t seed = 5, live[PLACES] = {0};
	uint32_t of[PLACES] = {0}, st[2], n = 0;
	begin(&f);
	for (uint32_t k = 0; k < 2; k++)
		st[k] = stack(f.t, frame(f.t, k ? "one" : "other", "x.c", k, 0), 0);
	for (int e = 0; e < EVENTS; e++) {
		uint32_t p = rnd(&seed, PLACES), z = rnd(&seed, SIZES), k = rnd(&seed, 2);
		/* Far apart, in no order. */
		uint64_t address = UINT64_C(0x9e3779b97f4a7c15) * (p + 1), size;
		uint32_t found;
		if (!rnd(&seed, 3)) {
			trace_free(f.t, address);
			live[p] = 0;
		} else {
			ok(trace_alloc(f.t, address, sizes[z], st[k]));
			live[p] = address;
			of[p] = z * 2 + k;
		}
		assert_int_equal(trace_find(f.t, address, &size, &found), live[p] != 0);
		if (live[p])
			assert_true(size == sizes[z] && found == st[k]);
	}
	ok(trace_seal(f.t, f.s));
	ok(snapshot_check(f.s));
	for (uint32_t p = 0; p < PLACES; p++) {
		if (!live[p])
			continue;
		uint32_t i = 0;
		while (i < f.s->object.n && f.s->object.address[i] != live[p])
			i++;
		assert_true(i < f.s->object.n);
		assert_int_equal(f.s->object.size[i], sizes[of[p] / 2]);
		assert_string_equal(site_name(&f, f.s->object.site_id[i]),
				    of[p] % 2 ? "one" : "other");
		n++;
	}
	assert_int_equal(f.s->object.n, n);
	end(&f);
}

static void test_replay_timeline(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	trace_unit(f.t, "s", 0.001);
	for (uint64_t i = 0; i < 100000; i++) {
		ok(trace_time(f.t, i * 10));
		ok(trace_alloc(f.t, 16 + 16 * i, i == 70000 ? 1 << 30 : 1, 0));
		if (i == 70000)
			trace_free(f.t, 16 + 16 * i);
	}
	ok(trace_time(f.t, 3)); /* backwards */
	ok(trace_seal(f.t, f.s));
	ok(snapshot_check(f.s));
	assert_in_range(f.s->timeline.n, 500, 2100);
	uint64_t most = 0;
	for (uint64_t i = 0; i < f.s->timeline.n; i++)
		if (f.s->timeline.at[i].live_bytes > most)
			most = f.s->timeline.at[i].live_bytes;
	assert_int_equal(most, (1 << 30) + 70000);
	assert_string_equal(meta(&f, "peak_time"), "700");
	assert_string_equal(meta(&f, "duration"), "999.99");
	end(&f);
}

/* ---- sites ---- */

/* The second and third code are one line of one function; the first has no name. */
static struct error *name_code(void *arg, uint32_t module, uint64_t address, uint32_t code)
{
	struct fixture *f = arg;
	assert_int_equal(module, 1);
	if (address == 0x1100)
		return NULL;
	struct error *err = trace_code_name(f->t, code, "outer_fn", "o.c", 10);
	return err ? err : trace_code_name(f->t, code, "inlined_fn", "o.h", 20);
}

static void test_sites(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	uint32_t fr_main = frame(f.t, "main", "m.c", 1, 0);
	uint32_t get = frame(f.t, "get", "g.c", 2, 0);
	uint32_t small = frame(f.t, "small", "g.h", 3, get); /* inlined into get */
	uint32_t fr_new = frame(f.t, "operator new(unsigned long)", "", 0, 0);
	uint32_t s_main = stack(f.t, fr_main, 0), s_small = stack(f.t, small, s_main);
	uint32_t s_new = stack(f.t, fr_new, s_small);
	assert_int_equal(stack(f.t, small, s_main), s_small);
	ok(trace_alloc(f.t, 16, 10, s_small));
	ok(trace_alloc(f.t, 32, 5, s_new));
	ok(trace_alloc(f.t, 48, 1, stack(f.t, fr_new, 0)));	     /* nothing but new */
	uint32_t fr_inlined = frame(f.t, "malloc", "m.h", 9, small); /* inlined into small */
	ok(trace_alloc(f.t, 8, 0, stack(f.t, fr_inlined, s_main)));
	uint32_t path, module, code;
	ok(trace_string(f.t, "/lib/x.so", 9, &path));
	const struct trace_module m = {
		.path = path, .bias = 0x1000, .start = 0x1000, .end = 0x2000};
	ok(trace_module(f.t, &m, &module));
	for (uint64_t i = 0; i < 3; i++) {
		ok(trace_code(f.t, 0x1100 + i, module, 0, &code));
		ok(trace_alloc(f.t, 64 + 16 * i, 100, stack(f.t, code, s_main)));
	}
	ok(trace_suppress(f.t, "^inl*_fn$", 9));
	ok(trace_suppress(f.t, "^et$", 4));
	ok(trace_codes_walk(f.t, name_code, &f));
	ok(trace_seal(f.t, f.s));
	ok(snapshot_check(f.s));

	uint32_t in = find_site(&f, "small"), un = find_site(&f, "inlined_fn");
	const struct site_row *site = f.s->site.at;
	assert_string_equal(site_name(&f, site[in - 1].parent_id), "get");
	assert_string_equal(site_name(&f, site[site[in - 1].parent_id - 1].parent_id), "main");
	assert_int_equal(site[in - 1].allocations, 3);
	assert_int_equal(find_site(&f, "malloc"), 0);
	assert_int_equal(site[in - 1].live_bytes, 15);
	assert_int_equal(site[find_site(&f, "get") - 1].allocations, 0);
	assert_int_equal(find_site(&f, "operator new(unsigned long)"), 0);
	assert_string_equal(site_name(&f, site[un - 1].parent_id), "outer_fn");
	assert_int_equal(site[un - 1].live_bytes, 200);
	/* Two places of one line: when each had its most is not known to be one time. */
	assert_true(site[un - 1].own_peak_bytes == SITE_UNKNOWN);
	assert_int_equal(site[un - 1].suppressed, 1);
	assert_int_equal(site[in - 1].suppressed, 0);
	assert_string_equal(meta(&f, "suppressed_bytes"), "200");
	/* main, get, small, the code without a name, outer_fn, inlined_fn, nobody */
	assert_int_equal(f.s->site.n, 7);
	unsigned nameless = 0;
	for (uint64_t i = 0; i < f.s->site.n; i++)
		if (!site[i].function) {
			nameless++;
			assert_true(site[i].address == 0x100 || site[i].live_bytes == 1);
		}
	assert_int_equal(nameless, 2);
	end(&f);
}

static void test_totals(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	uint32_t s1 = stack(f.t, frame(f.t, "a", "", 0, 0), 0);
	uint32_t s2 = stack(f.t, frame(f.t, "b", "", 0, 0), s1);
	struct trace_totals t = trace_totals_unknown();
	t.live_bytes = 100;
	t.live_objects = 3;
	ok(trace_total(f.t, s1, &t));
	ok(trace_total(f.t, s1, &t));
	t.allocations = 5;
	ok(trace_total(f.t, s2, &t));
	ok(trace_sample(f.t, 1, 50, TRACE_UNKNOWN));
	ok(trace_sample(f.t, 2, 60, TRACE_UNKNOWN));
	trace_peak(f.t, 70, 2);
	ok(trace_seal(f.t, f.s));
	ok(snapshot_check(f.s));
	assert_int_equal(f.s->object.n, 0);
	assert_int_equal(f.s->timeline.n, 2);
	assert_int_equal(f.s->site.at[0].live_bytes, 200);
	assert_true(f.s->site.at[0].allocations == SITE_UNKNOWN);
	assert_int_equal(f.s->site.at[1].allocations, 5);
	assert_string_equal(meta(&f, "live_bytes"), "300");
	assert_string_equal(meta(&f, "allocations"), "");
	assert_string_equal(meta(&f, "peak_bytes"), "70");
	end(&f);
}

/* ---- lines ---- */

static void test_lines(void **state)
{
	(void)state;
	static const char text[] = "ab\n\n 1f 0x2A 1,234 z\r\nlast";
	struct lines l;
	struct word w;
	uint64_t v;
	lines_init(&l, (const uint8_t *)text, sizeof(text) - 1);
	assert_true(lines_next(&l) && word_is(&l.line, "ab") && !l.cut);
	assert_true(lines_next(&l) && word_is(&l.line, ""));
	assert_true(lines_next(&l) && l.number == 3);
	assert_true(word_hex(&l.line, &v) && v == 0x1f);
	assert_true(word_address(&l.line, &v) && v == 0x2a);
	assert_true(word_dec(&l.line, true, &v) && v == 1234);
	word_trim(&l.line);
	assert_true(word_is(&l.line, "z"));
	assert_false(word_hex(&l.line, &v) || word_dec(&l.line, false, &v));
	assert_true(lines_next(&l) && l.cut && word_until(&l.line, 's', &w) && word_is(&w, "la"));
	assert_false(lines_next(&l));
	static const char big[] = "fffffffffffffffff 99999999999999999999";
	lines_init(&l, (const uint8_t *)big, sizeof(big) - 1);
	assert_true(lines_next(&l));
	assert_false(word_hex(&l.line, &v));
	assert_true(word_until(&l.line, ' ', &w));
	assert_false(word_dec(&l.line, false, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay_blocks),	cmocka_unit_test(test_replay_kinds),
		cmocka_unit_test(test_replay_big),	cmocka_unit_test(test_replay_table),
		cmocka_unit_test(test_replay_timeline), cmocka_unit_test(test_sites),
		cmocka_unit_test(test_totals),		cmocka_unit_test(test_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
