/*
 * thread_pointer: where a thread's control block is, when the dump does not say.
 *
 * qemu-user writes no NT_ARM_TLS, gdb's gcore of an i386 program no NT_386_TLS. On aarch64 the
 *thread pointer points to two words, the first of which is the thread's DTV; entry number modid of
 *that, two words each, begins with the address of the module's TLS block, and that of a module with
 *static TLS lies at a fixed offset from the thread pointer (glibc 2.36 sysdeps/aarch64/nptl/tls.h,
 *elf/dl-tls.c _dl_allocate_tls_init):
 *
 *	tp ---> dtv ---> [0] generation  [1] block of module 1  [2] block of module 2 ...
 *	 '---------------- tls_offset of the module ---------------'
 *
 * On x86 (nptl/tls.h: tcbhead_t) the first and third words are the thread pointer itself, the
 *second is the DTV, and blocks lie below.
 *
 * A place where this holds for every module with static TLS is a thread pointer. It can be mistaken
 * for one that a thread left behind in memory that nobody used again. Words are only searched where
 * they are expected: above the stack pointer of a thread that was created, since its control block
 * is at the top of its stack, and for the first thread at the beginning of anonymous mappings.
 */
#include "image/image_impl.h"

enum {
	SEARCH_BYTES_MAX = 1 << 20, /* of each mapping; the loader's own are far smaller */
	SEARCH_MAPPINGS_MAX = 4096,
	ANCHORS_MAX = 4, /* modules with static TLS that are asked */
};

/* Of all threads together. One is found some KiB above its stack pointer as a rule. */
#define SEARCH_BYTES_ALL (UINT64_C(4) << 30)

struct anchors {
	uint32_t modid[ANCHORS_MAX];
	uint64_t offset[ANCHORS_MAX];
	unsigned n;
	uint64_t budget; /* bytes to search still */
};

/* Is tp, whose first word is `first`, a thread pointer? */
static bool holds(const struct image *img, const struct anchors *a, uint64_t tp, uint64_t first)
{
	uint64_t word = img->word_size, block, dtv = first, self;
	bool x86 = img->machine != MACHINE_AARCH64;
	if (x86 && (first != tp || !image_try_word(img, tp + 2 * word, &self) || self != tp ||
		    !image_try_word(img, tp + word, &dtv)))
		return false;
	if (!dtv || dtv & (word - 1))
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!image_try_word(img, dtv + 2 * word * a->modid[i], &block) ||
		    block != image_wrap(img, x86 ? tp - a->offset[i] : tp + a->offset[i]))
			return false;
	return true;
}

/* The first thread pointer in [from, to) that no thread has yet; 0: none. */
static uint64_t search(const struct image *img, struct anchors *a, uint64_t from, uint64_t to)
{
	uint64_t len, step = 2 * (uint64_t)img->word_size;
	const uint8_t *p;
	from = (from + step - 1) & ~(step - 1);
	for (uint64_t at = from; a->budget && (p = image_next_data(img, &at, to, &len));
	     at += len) {
		a->budget -= len < a->budget ? len : a->budget;
		for (uint64_t i = -at & (step - 1); i + img->word_size <= len; i += step) {
			if (!holds(img, a, at + i, image_word_at(img, p + i)))
				continue;
			bool taken = false;
			for (uint32_t t = 0; t < img->nthread; t++)
				taken |= img->thread[t].tp == at + i;
			if (!taken)
				return at + i;
		}
	}
	return 0;
}

static uint64_t search_mappings(const struct image *img, struct anchors *a)
{
	unsigned searched = 0;
	for (uint32_t i = 0; i < img->nsegment && searched < SEARCH_MAPPINGS_MAX; i++) {
		const struct image_segment *s = &img->segment[i];
		if ((s->kind != SEGMENT_ANON && s->kind != SEGMENT_HEAP) || !(s->perms & PERM_W))
			continue;
		bool stack = false;
		for (uint32_t t = 0; t < img->nthread && img->nthread < 256; t++)
			stack |= img->thread[t].stack_segment == i;
		if (stack)
			continue;
		searched++;
		uint64_t size = s->end - s->start;
		uint64_t end = size < SEARCH_BYTES_MAX ? s->end : s->start + SEARCH_BYTES_MAX;
		uint64_t tp = search(img, a, s->start, end);
		if (tp)
			return tp;
	}
	return 0;
}

void image_find_thread_pointers(struct image *img)
{
	struct anchors a = {.budget = SEARCH_BYTES_ALL};
	for (uint32_t i = 0; i < img->nmodule && a.n < ANCHORS_MAX; i++) {
		const struct image_module *m = &img->module[i];
		if (!m->tls_static || !m->tls_modid)
			continue;
		a.modid[a.n] = m->tls_modid;
		a.offset[a.n++] = m->tls_offset;
	}
	bool first_done = false;
	for (uint32_t i = 0; a.n && i < img->nthread; i++) {
		struct image_thread *t = &img->thread[i];
		const struct image_segment *s =
			t->stack_segment == UINT32_MAX ? NULL : &img->segment[t->stack_segment];
		if (t->tp)
			continue;
		if (s && s->kind != SEGMENT_STACK) {
			uint64_t size = s->end - t->sp;
			t->tp = search(img, &a, t->sp,
				       size < SEARCH_BYTES_MAX ? s->end : t->sp + SEARCH_BYTES_MAX);
		} else if (!first_done) {
			first_done = true;
			t->tp = search_mappings(img, &a);
		}
	}
}
