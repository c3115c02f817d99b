#include "layout/glibc_malloc.h"

#define COUNT(a) (unsigned)(sizeof(a) / sizeof((a)[0]))

/*
 * malloc/malloc.c, struct malloc_state. NFASTBINS is 10 with words of 8 bytes; 11 with words of 4
 * where MALLOC_ALIGNMENT is 16: fastbin_index(request2size(80)) + 1.
 */
const struct glibc_state_layout glibc_state_layout[] = {
	{
		.since =
			"2.26", /* have_fastchunks is a bit of flags; attached_threads since 2.23 */
		.word_size = 8,
		.mutex = 0,
		.flags = 4,
		.fastbins = 8,
		.nfastbins = 10,
		.top = 88,
		.last_remainder = 96,
		.bins = 104,
		.next = 2152,
		.attached_threads = 2168,
		.system_mem = 2176,
		.size = 2192,
	},
	{
		.since = "2.27", /* int have_fastchunks after flags */
		.word_size = 8,
		.mutex = 0,
		.flags = 4,
		.fastbins = 16,
		.nfastbins = 10,
		.top = 96,
		.last_remainder = 104,
		.bins = 112,
		.next = 2160,
		.attached_threads = 2176,
		.system_mem = 2184,
		.size = 2200,
	},
	{
		.since = "2.43", /* no fastbins any more */
		.word_size = 8,
		.mutex = 0,
		.flags = 4,
		.fastbins = 0,
		.nfastbins = 0,
		.top = 8,
		.last_remainder = 16,
		.bins = 24,
		.next = 2072,
		.attached_threads = 2088,
		.system_mem = 2096,
		.size = 2112,
	},
	{
		.since = "2.26",
		.word_size = 4,
		.mutex = 0,
		.flags = 4,
		.fastbins = 8,
		.nfastbins = 11,
		.top = 52,
		.last_remainder = 56,
		.bins = 60,
		.next = 1092,
		.attached_threads = 1100,
		.system_mem = 1104,
		.size = 1112,
	},
	{
		.since = "2.27",
		.word_size = 4,
		.mutex = 0,
		.flags = 4,
		.fastbins = 12,
		.nfastbins = 11,
		.top = 56,
		.last_remainder = 60,
		.bins = 64,
		.next = 1096,
		.attached_threads = 1104,
		.system_mem = 1108,
		.size = 1116,
	},
	{
		.since = "2.43",
		.word_size = 4,
		.mutex = 0,
		.flags = 4,
		.fastbins = 0,
		.nfastbins = 0,
		.top = 8,
		.last_remainder = 12,
		.bins = 16,
		.next = 1048,
		.attached_threads = 1056,
		.system_mem = 1060,
		.size = 1068,
	},
};
const unsigned glibc_state_layouts = COUNT(glibc_state_layout);

/* malloc/arena.c, struct _heap_info: padded so that what follows is aligned as a chunk. */
const struct glibc_heap_layout glibc_heap_layout[] = {
	{.since = "2.26", .word_size = 8, .size = 32},
	{.since = "2.35", .word_size = 8, .size = 48}, /* size_t pagesize */
	{.since = "2.26", .word_size = 4, .size = 24}, /* pagesize fits the old padding */
};
const unsigned glibc_heap_layouts = COUNT(glibc_heap_layout);

/* malloc/malloc.c, struct tcache_perthread_struct; TCACHE_MAX_BINS. */
const struct glibc_tcache_layout glibc_tcache_layout[] = {
	{
		.since = "2.26", /* char counts[64] */
		.word_size = 8,
		.bins = 64,
		.small_bins = 64,
		.count_size = 1,
		.counts = GLIBC_TCACHE_TAKEN,
		.entries = 64,
		.chunk_size = 0x250,
	},
	{
		.since = "2.30", /* uint16_t counts[64] */
		.word_size = 8,
		.bins = 64,
		.small_bins = 64,
		.count_size = 2,
		.counts = GLIBC_TCACHE_TAKEN,
		.entries = 128,
		.chunk_size = 0x290,
	},
	{
		.since = "2.42", /* uint16_t num_slots[76]: 12 large bins; made by the first free */
		.word_size = 8,
		.bins = 76,
		.small_bins = 64,
		.count_size = 2,
		.counts = GLIBC_TCACHE_ROOM,
		.entries = 152,
		.chunk_size = 0x300,
	},
	{
		.since = "2.26",
		.word_size = 4,
		.bins = 64,
		.small_bins = 64,
		.count_size = 1,
		.counts = GLIBC_TCACHE_TAKEN,
		.entries = 64,
		.chunk_size = 0x150,
	},
	{
		.since = "2.30",
		.word_size = 4,
		.bins = 64,
		.small_bins = 64,
		.count_size = 2,
		.counts = GLIBC_TCACHE_TAKEN,
		.entries = 128,
		.chunk_size = 0x190,
	},
	{
		.since = "2.42",
		.word_size = 4,
		.bins = 76,
		.small_bins = 64,
		.count_size = 2,
		.counts = GLIBC_TCACHE_ROOM,
		.entries = 152,
		.chunk_size = 0x1d0,
	},
};
const unsigned glibc_tcache_layouts = COUNT(glibc_tcache_layout);
