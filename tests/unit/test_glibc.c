/* Tests of heap/glibc: heaps made by hand of every release, sound and damaged. */
#include "heapwriter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "assert_ok.h"

extern const struct allocator allocator_glibc;

/* Which structures go together, by release. */
static const struct {
	const char *state, *tcache;
	uint64_t heap_info;
	bool safe_linking, new_mmap;
} release[] = {
	{"2.26", "2.26", 32, false, false}, {"2.27", "2.26", 32, false, false},
	{"2.27", "2.30", 32, false, false}, {"2.27", "2.30", 32, true, false},
	{"2.27", "2.30", 48, true, false},  {"2.27", "2.42", 48, true, false},
	{"2.43", "2.42", 48, true, true},
};
enum { RELEASES = sizeof(release) / sizeof(release[0]) };

static struct hw_spec spec_of(unsigned i, uint32_t word_size)
{
	struct hw_spec s = {.heap_info = word_size == 8 ? release[i].heap_info : 24,
			    .safe_linking = release[i].safe_linking,
			    .new_mmap = release[i].new_mmap};
	for (unsigned k = 0; k < glibc_state_layouts; k++)
		if (glibc_state_layout[k].word_size == word_size &&
		    !strcmp(glibc_state_layout[k].since, release[i].state))
			s.state = &glibc_state_layout[k];
	for (unsigned k = 0; k < glibc_tcache_layouts; k++)
		if (glibc_tcache_layout[k].word_size == word_size &&
		    !strcmp(glibc_tcache_layout[k].since, release[i].tcache))
			s.tcache = &glibc_tcache_layout[k];
	assert_non_null(s.state);
	assert_non_null(s.tcache);
	return s;
}

static struct snapshot *scan(struct heapwriter *h, uint64_t cut, uint32_t *arenas)
{
	struct snapshot *s;
	assert_ok(hw_seal(h, cut));
	assert_ok(snapshot_create(h->img, &h->damage, &s));
	struct heap_context ctx = {
		.image = h->img, .snapshot = s, .damage = &h->damage, .log = &h->log};
	assert_ok(allocator_glibc.scan(&ctx, arenas));
	assert_ok(snapshot_seal_blocks(s));
	assert_ok(snapshot_check(s));
	return s;
}

/* How many of the true blocks were not found as they are. */
static unsigned count_lost(const struct heapwriter *h, const struct snapshot *s)
{
	unsigned lost = 0;
	for (unsigned i = 0; i < h->n; i++) {
		const struct hw_truth *t = &h->truth[i];
		if (t->kind == HW_LIVE) {
			uint32_t id = snapshot_object_find(s, t->address);
			lost += !id || s->object.address[id - 1] != t->address ||
				s->object.size[id - 1] != t->size;
		} else {
			const struct free_row *f = snapshot_free_find(s, t->address);
			lost += !f || f->address != t->address || f->size != t->size ||
				f->kind != t->kind;
		}
	}
	return lost;
}

static void test_every_release(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * RELEASES; i++) {
		for (uint64_t seed = 1; seed < 20; seed++) {
			struct hw_spec spec = spec_of(i / 2, i % 2 ? 4 : 8);
			struct heapwriter h;
			uint32_t arenas;
			hw_make(&h, &spec, seed * 7919);
			struct snapshot *s = scan(&h, 0, &arenas);
			if (h.damage.n)
				fail_msg("%s/%s, %u bytes: %s", release[i / 2].state,
					 release[i / 2].tcache, spec.state->word_size,
					 h.damage.at[0].text);
			assert_int_equal(arenas, 2);
			assert_int_equal(count_lost(&h, s), 0);
			assert_int_equal(s->object.n + s->free.n, h.n);
			/* A cache is neither a block nor read for pointers. */
			assert_int_equal(snapshot_object_find(s, h.cache[0]), 0);
			uint64_t end;
			assert_true(snapshot_is_opaque(s, h.cache[0], &end));
			assert_true(snapshot_is_opaque(s, h.state[1], &end));
			snapshot_destroy(s);
			hw_free(&h);
		}
	}
}

/* A live block with a live one behind it in the main heap. */
static unsigned pick_pair(struct heapwriter *h)
{
	for (;;) {
		unsigned i = (unsigned)hw_random(h, HW_BLOCKS - 1);
		if (h->truth[i].kind == HW_LIVE && h->truth[i + 1].kind == HW_LIVE)
			return i;
	}
}

static bool blamed(const struct heapwriter *h, uint64_t address, uint64_t culprit)
{
	for (uint64_t i = 0; i < h->damage.n; i++)
		if (h->damage.at[i].kind == DAMAGE_HEAP && h->damage.at[i].address == address &&
		    h->damage.at[i].culprit == culprit)
			return true;
	return false;
}

/* A block is overrun: the next one's size is nonsense. That is said, and only that block is lost.
 */
static void test_overrun(void **state)
{
	(void)state;
	static const uint64_t nonsense[] = {0,		1, 0x4141414141414141, UINT64_C(1) << 63,
					    UINT64_MAX, 8, 0x7fffffff0};
	for (unsigned i = 0; i < 2 * RELEASES; i++) {
		for (unsigned k = 0; k < sizeof(nonsense) / sizeof(nonsense[0]); k++) {
			struct hw_spec spec = spec_of(i / 2, i % 2 ? 4 : 8);
			struct heapwriter h;
			uint32_t arenas;
			hw_make(&h, &spec, i * 31 + k + 1);
			unsigned hit = pick_pair(&h);
			hw_put(&h, h.truth[hit + 1].address - h.w, nonsense[k]);
			struct snapshot *s = scan(&h, 0, &arenas);
			assert_int_equal(count_lost(&h, s), 1);
			assert_true(blamed(&h, h.truth[hit + 1].address, h.truth[hit].address));
			snapshot_destroy(s);
			hw_free(&h);
		}
	}
}

static unsigned pick_kind(struct heapwriter *h, int kind)
{
	for (unsigned tries = 0; tries < 100000; tries++) {
		unsigned i = (unsigned)hw_random(h, HW_BLOCKS);
		if (h->truth[i].kind == kind)
			return i;
	}
	fail();
	return 0;
}

/* Lists that go in circles end, and no block is lost by sizes: what hung on the list looks live. */
static void test_circles(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * RELEASES; i++) {
		for (unsigned k = 0; k < 2; k++) {
			struct hw_spec spec = spec_of(i / 2, i % 2 ? 4 : 8);
			struct heapwriter h;
			uint32_t arenas;
			if (k && !spec.state->nfastbins)
				continue;
			hw_make(&h, &spec, i + 77);
			const struct hw_truth *t =
				&h.truth[pick_kind(&h, k ? FREE_FASTBIN : FREE_TCACHE)];
			uint64_t to = k ? t->address - 2 * h.w : t->address;
			hw_put(&h, t->address, hw_link(&h, t->address, to));
			struct snapshot *s = scan(&h, 0, &arenas);
			assert_true(h.damage.count[DAMAGE_HEAP] > 0);
			assert_int_equal(s->object.n + s->free.n, h.n);
			const struct free_row *f = snapshot_free_find(s, t->address);
			assert_non_null(f);
			assert_int_equal(f->kind, t->kind);
			snapshot_destroy(s);
			hw_free(&h);
		}
	}
}

/* Any words overwritten, any part missing: it ends, the books balance, little is lost. */
static void test_random_damage(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1500; i++) {
		struct hw_spec spec = spec_of(i % RELEASES, i % 2 ? 4 : 8);
		struct heapwriter h;
		uint32_t arenas;
		hw_make(&h, &spec, i + 1);
		unsigned hits = 1u << hw_random(&h, 6);
		for (unsigned k = 0; k < hits; k++) {
			const struct hw_truth *t = &h.truth[hw_random(&h, h.n)];
			uint64_t at = t->address + h.w * (hw_random(&h, 6) - 2);
			uint64_t word = hw_get(&h, at), r = hw_random(&h, UINT64_MAX);
			if (hw_random(&h, 8) == 0)
				at = h.state[r & 1] + r / 2 % spec.state->size / h.w * h.w;
			else if (hw_random(&h, 8) == 0)
				at = h.cache[r & 1] + r / 2 % 0x240 / h.w * h.w;
			uint64_t choice[] = {0, word ^ UINT64_C(1) << r % 64, word + 16,
					     r, h.truth[r % h.n].address,     UINT64_MAX};
			hw_put(&h, at, choice[hw_random(&h, 6)]);
		}
		uint64_t cut = i % 10 ? 0 : hw_random(&h, 0x40000);
		struct snapshot *s = scan(&h, cut, &arenas);
		if (!cut && hits == 1 && arenas == 2)
			assert_true(count_lost(&h, s) <= 40);
		snapshot_destroy(s);
		hw_free(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_release),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_random_damage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
