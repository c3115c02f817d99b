/*
 * heapwriter: glibc heaps made by hand, of any release and word size, for tests.
 *
 *	struct heapwriter h;
 *	hw_make(&h, &spec, seed);	an image of a process, and the truth about its blocks
 *	hw_put(&h, address, word);	damage
 *	hw_seal(&h);			from now on h.img can be read
 *	... h.truth[i] ...
 *	hw_free(&h);
 *
 *	0x08100000  a module's data: main_arena, and what lies around it
 *	0x09000000  the break: the main heap, from somewhere inside its first page
 *	0xa0000000  thread-local storage of two threads
 *	0xb0000000  two mmapped chunks in one mapping, one of them moved by memalign
 *	0xf0000000  a thread arena in its heap
 *
 * Chunks, bins and lists are laid out as malloc/malloc.c describes them, written down here once
 *more, so that a slip in the walker does not agree with itself. Offsets come from
 *layout/glibc_malloc.
 */
#pragma once

#include "base/checked.h"
#include "heap/heap.h"
#include "layout/glibc_malloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	HW_BLOCKS = 400,
	HW_LIVE = -1,
	HW_DATA = 0x08100000,
	HW_BREAK = 0x09000000,
};

struct hw_spec {
	const struct glibc_state_layout *state;
	const struct glibc_tcache_layout *tcache;
	uint64_t heap_info;
	bool safe_linking, new_mmap;
};

struct hw_truth {
	uint64_t address, size;
	int kind; /* enum free_kind, or HW_LIVE */
};

struct hw_area {
	uint64_t start, len;
	uint8_t *data;
	enum segment_kind kind;
};

struct heapwriter {
	struct hw_spec spec;
	uint64_t w, seed;
	struct hw_area area[5];
	struct damage_log damage;
	struct log log;
	struct image *img;
	struct hw_truth truth[2 * HW_BLOCKS + 16];
	unsigned n;
	uint64_t state[2], cache[2]; /* main and thread: malloc_state, block of the thread cache */
};

static inline uint64_t hw_random(struct heapwriter *h, uint64_t below)
{
	h->seed ^= h->seed << 13;
	h->seed ^= h->seed >> 7;
	h->seed ^= h->seed << 17;
	return h->seed % below;
}

static inline uint8_t *hw_at(struct heapwriter *h, uint64_t addr, uint64_t len)
{
	for (unsigned i = 0; i < 5; i++) {
		struct hw_area *a = &h->area[i];
		if (addr >= a->start && addr - a->start + len <= a->len)
			return a->data + (addr - a->start);
	}
	return NULL;
}

/* False: there is no such place. */
static inline bool hw_put(struct heapwriter *h, uint64_t addr, uint64_t word)
{
	uint8_t *p = hw_at(h, addr, h->w);
	if (p)
		memcpy(p, &word, h->w);
	return p;
}

static inline uint64_t hw_get(struct heapwriter *h, uint64_t addr)
{
	uint64_t word = 0;
	uint8_t *p = hw_at(h, addr, h->w);
	if (p)
		memcpy(&word, p, h->w);
	return word;
}

static inline void hw_know(struct heapwriter *h, uint64_t chunk, uint64_t size, int kind)
{
	h->truth[h->n++] = (struct hw_truth){chunk + 2 * h->w, size, kind};
}

static inline uint64_t hw_link(const struct heapwriter *h, uint64_t at, uint64_t to)
{
	return h->spec.safe_linking ? to ^ at >> 12 : to;
}

/* malloc.c: bin_index; sizes of a 32-bit process are multiples of 16, too. */
static inline unsigned hw_bin(const struct heapwriter *h, uint64_t size)
{
	if (h->w == 8 && size < 1024)
		return (unsigned)(size / 16);
	if (h->w == 4 && size < 1008)
		return (unsigned)(size / 16 + 1);
	uint64_t first = h->w == 8 ? 48 : 45, plus = h->w == 8 ? 48 : 49;
	if (size / 64 <= first)
		return (unsigned)(plus + size / 64);
	return (unsigned)(size / 512 <= 20 ? 91 + size / 512 : 110 + size / 4096);
}

static inline void hw_to_bin(struct heapwriter *h, uint64_t state, unsigned bin, uint64_t chunk)
{
	uint64_t head = state + h->spec.state->bins + (bin - 1) * 2 * h->w - 2 * h->w;
	uint64_t next = hw_get(h, head + 2 * h->w);
	hw_put(h, chunk + 2 * h->w, next);
	hw_put(h, chunk + 3 * h->w, head);
	hw_put(h, head + 2 * h->w, chunk);
	hw_put(h, next + 3 * h->w, chunk);
}

/* One arena: its state at `state`, its chunks from `at` to `end`. */
static inline void hw_arena(struct heapwriter *h, unsigned which, uint64_t state, uint64_t at,
			    uint64_t end)
{
	const struct glibc_state_layout *l = h->spec.state;
	const struct glibc_tcache_layout *t = h->spec.tcache;
	uint64_t w = h->w, flag = which ? GLIBC_NON_MAIN_ARENA : 0, prev = GLIBC_PREV_INUSE,
		 begin = at;
	uint64_t cache = at + 2 * w, taken[128] = {0};
	h->state[which] = state;
	h->cache[which] = cache;
	for (unsigned i = 1; i < 128; i++) {
		uint64_t head = state + l->bins + (i - 1) * 2 * w - 2 * w;
		hw_put(h, head + 2 * w, head);
		hw_put(h, head + 3 * w, head);
	}
	hw_put(h, at + w, t->chunk_size | prev | flag);
	at += t->chunk_size;
	for (unsigned i = 0; i < HW_BLOCKS; i++) {
		uint64_t size = 4 * w + 16 * hw_random(h, i % 8 ? 12 : 200);
		unsigned fast = (unsigned)(size >> (w == 8 ? 4 : 3)) - 2;
		unsigned bin = (unsigned)((size - 4 * w) / 16);
		int kind = HW_LIVE;
		hw_put(h, at + w, size | prev | flag);
		switch (i + 1 == HW_BLOCKS ? 0 : hw_random(h, 6)) {
		case 3:
			if (bin < t->small_bins && taken[bin] < 7) {
				uint64_t entry = cache + t->entries + bin * w;
				hw_put(h, at + 2 * w, hw_link(h, at + 2 * w, hw_get(h, entry)));
				hw_put(h, entry, at + 2 * w);
				taken[bin]++;
				kind = FREE_TCACHE;
			}
			break;
		case 4:
			if (fast < l->nfastbins) {
				uint64_t head = state + l->fastbins + fast * w;
				hw_put(h, at + 2 * w, hw_link(h, at + 2 * w, hw_get(h, head)));
				hw_put(h, head, at);
				kind = FREE_FASTBIN;
			}
			break;
		case 5:
			if (!prev)
				break; /* neighbours would have been joined */
			bin = hw_random(h, 4) ? hw_bin(h, size) : 1;
			kind = bin == 1 ? FREE_UNSORTED : bin < 64 ? FREE_SMALL : FREE_LARGE;
			hw_put(h, at + w, size | prev);
			hw_to_bin(h, state, bin, at);
			hw_put(h, at + size, size);
			break;
		default:
			/* Contents that are no header. */
			for (uint64_t k = 2 * w; k < size; k += w)
				hw_put(h, at + k, 0x4141414141414141u);
			break;
		}
		hw_know(h, at, size - w, kind);
		prev = kind == FREE_UNSORTED || kind == FREE_SMALL || kind == FREE_LARGE
			       ? 0
			       : GLIBC_PREV_INUSE;
		at += size;
	}
	for (uint32_t i = 0; i < t->bins; i++) {
		uint64_t count = t->counts == GLIBC_TCACHE_TAKEN ? taken[i] : 7 - taken[i];
		memcpy(hw_at(h, cache + i * t->count_size, t->count_size), &count, t->count_size);
	}
	assert(at + 4 * w <= end);
	hw_put(h, at + w, (end - at) | GLIBC_PREV_INUSE);
	hw_know(h, at, end - at - 2 * w, FREE_TOP);
	hw_put(h, state + l->top, at);
	hw_put(h, state + l->next, h->state[0]);
	hw_put(h, state + l->attached_threads, 1);
	hw_put(h, state + l->system_mem, which ? end - align_down(begin, 1 << 20) : end - begin);
}

static inline void hw_mapped(struct heapwriter *h, uint64_t start, uint64_t len, uint64_t lead)
{
	uint64_t w = h->w, chunk = start + (16 - 2 * w) % 16, tail = h->spec.new_mmap ? 2 * w : 0;
	hw_put(h, chunk, chunk - start);
	hw_put(h, chunk + w, (start + len - tail - chunk) | GLIBC_IS_MMAPPED);
	chunk += lead;
	hw_put(h, chunk, chunk - start);
	uint64_t size = start + len - tail - chunk;
	hw_put(h, chunk + w, size | GLIBC_IS_MMAPPED);
	hw_know(h, chunk, size - (tail ? w : 2 * w), HW_LIVE);
}

static inline void hw_area(struct heapwriter *h, unsigned i, uint64_t start, uint64_t len,
			   enum segment_kind kind)
{
	h->area[i] = (struct hw_area){start, len, calloc(1, len), kind};
	assert(h->area[i].data);
}

static inline void hw_make(struct heapwriter *h, const struct hw_spec *spec, uint64_t seed)
{
	*h = (struct heapwriter){.spec = *spec, .w = spec->state->word_size, .seed = seed | 1};
	log_init(&h->log, LOG_ERROR);
	uint64_t w = h->w, heap = UINT64_C(0xf0000000), begin = HW_BREAK + 0x340;
	hw_area(h, 0, HW_DATA, 0x4000, SEGMENT_MODULE);
	hw_area(h, 1, HW_BREAK, 0x40000, SEGMENT_HEAP);
	hw_area(h, 2, UINT64_C(0xa0000000), 0x2000, SEGMENT_ANON);
	hw_area(h, 3, UINT64_C(0xb0000000), 0x30000, SEGMENT_ANON);
	hw_area(h, 4, heap, 0x41000, SEGMENT_ANON);
	h->state[0] = HW_DATA + 0x1240;
	/* Blocks, not chunks, are aligned. */
	hw_arena(h, 0, h->state[0], begin + (16 - 2 * w) % 16, HW_BREAK + 0x40000);
	uint64_t state = heap + spec->heap_info;
	uint64_t first = align_down(state + spec->state->size + 2 * w + 15, 16) - 2 * w;
	hw_put(h, heap, state);
	hw_put(h, heap + 2 * w, 0x41000);
	hw_put(h, heap + 3 * w, 0x41000);
	hw_arena(h, 1, state, first, heap + 0x41000);
	memcpy(hw_at(h, state + spec->state->flags, 4), &(uint32_t){GLIBC_NONCONTIGUOUS}, 4);
	hw_put(h, h->state[0] + spec->state->next, state);
	hw_mapped(h, UINT64_C(0xb0000000), 0x10000, 0);
	hw_mapped(h, UINT64_C(0xb0010000), 0x20000, 0x2000 - 2 * w - (16 - 2 * w) % 16);
	for (unsigned i = 0; i < 2; i++)
		hw_put(h, UINT64_C(0xa0000000) + 0x800 + i * 0x1000 - 9 * w, h->cache[i]);
}

/* NULL, or what went wrong. `cut`: so many bytes at the end of the break are not in the dump. */
static inline struct error *hw_seal(struct heapwriter *h, uint64_t cut)
{
	struct error *err = image_create(&h->damage, &h->log, &h->img);
	if (err)
		return err;
	h->img->machine = h->w == 8 ? MACHINE_X86_64 : MACHINE_I386;
	h->img->word_size = (uint32_t)h->w;
	h->img->page_size = 4096;
	for (unsigned i = 0; i < 5 && !err; i++) {
		const struct hw_area *a = &h->area[i];
		uint64_t end = a->start + a->len, have = i == 1 && cut < a->len ? end - cut : end;
		err = image_add_segment(h->img, &(struct image_segment){
							.start = a->start,
							.end = end,
							.perms = PERM_R | PERM_W,
							.kind = (uint8_t)a->kind,
						});
		if (!err)
			err = image_add_span(h->img, &(struct image_span){.start = a->start,
									  .end = have,
									  .data = a->data,
									  .origin = SPAN_DUMP});
	}
	for (unsigned i = 0; i < 2 && !err; i++)
		err = image_add_thread(h->img,
				       &(struct image_thread){
					       .tid = 100 + (int32_t)i,
					       .tp = UINT64_C(0xa0000000) + 0x800 + i * 0x1000,
				       });
	return err ? err : image_seal(h->img);
}

static inline void hw_free(struct heapwriter *h)
{
	image_destroy(h->img);
	damage_deinit(&h->damage);
	for (unsigned i = 0; i < 5; i++)
		free(h->area[i].data);
}
