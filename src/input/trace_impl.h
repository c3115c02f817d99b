/*
 * trace_impl: what trace.c (names), replay.c (events) and trace_seal.c (snapshot) share.
 *
 * The tables of names are arrays of records without padding, each with an index that finds a record
 * by its bytes (record_index). Totals (struct stat) belong to stacks that allocate themselves, not
 * to all nodes of the tree.
 *
 * Live blocks with an address are slots of an open-addressing table, at most five eighths full,
 * probed linearly; a removal moves what follows back, so that there are no tombstones. The multiplier
 * of its hash is drawn at random: nobody can write a trace whose addresses all meet in one place.
 * Blocks of 4 GiB and more have their sizes beside the table.
 */
#pragma once

#include "base/intern.h"
#include "base/vec.h"
#include "input/trace.h"

/* Finds records of an array by their bytes: hash -> number + 1, open addressing. */
struct record_index {
	uint32_t *slot;
	uint64_t slots; /* power of two */
};

/* As struct trace_frame; `code` is 1 for an address whose names are looked up later. */
struct frame_record {
	uint32_t function, file, module, line, outer, code;
	uint64_t address;
};

struct module_record {
	uint32_t path, pad;
	uint64_t bias, start, end;
};

struct stack_record {
	uint32_t frame, caller;
};

/*
 * Totals of one stack's own blocks: one cache line. `peak_bytes` is live_bytes at the overall peak
 * when `stamp` is the current epoch: see replay.c.
 */
struct stat {
	uint64_t allocations, temporary, allocated_bytes, live_bytes, peak_bytes, own_peak_bytes;
	uint64_t lifetime; /* ticks at frees - ticks at allocations, mod 2^64 */
	uint32_t live_objects, stamp;
};

struct kind {
	uint64_t size;
	uint32_t stat, live;
};

/* A live block; address 0: the slot is empty. See slot_size, slot_stat. */
struct block_slot {
	uint64_t address;
	uint32_t size; /* SLOT_BIG: `stat` is an index of trace.big, which has both */
	uint32_t stat; /* index */
};

#define SLOT_BIG UINT32_MAX

struct block_big {
	uint64_t size;
	uint32_t stat;
	uint32_t next; /* of those that are free: index + 1 */
};

struct damage_count {
	const char *what;
	uint64_t first_line, count;
};

struct fact {
	uint32_t key, value; /* strings */
};

struct point {
	uint64_t ticks, bytes, objects;
};

/* Points of the timeline: when full, every other one goes and the distance doubles. */
enum { TIMELINE_MAX = 2048, DAMAGE_COUNTS = 32 };

struct trace {
	struct damage_log *damage;
	struct log *log;

	/* names */
	struct intern strings;
	VEC(struct fact) fact;
	VEC(struct trace_module) module;
	VEC(struct module_record) module_key; /* the same, to be found */
	VEC(struct frame_record) frame;
	VEC(uint32_t) named; /* by frame - 1, as far as it reaches: innermost name of a code */
	VEC(struct stack_record) stack;
	VEC(uint32_t) stat_of; /* by stack, 0 too: index of its totals + 1 */
	struct record_index frames, stacks, modules;
	VEC(uint32_t) suppression; /* strings */
	const char *unit;
	double tick;
	struct damage_count wrong[DAMAGE_COUNTS];
	unsigned nwrong;
	bool cut;

	/* events */
	VEC(struct stat) stat;
	VEC(uint32_t) stat_stack; /* by stat: the stack */
	VEC(struct kind) kind;
	struct block_slot *slot;
	VEC(struct block_big) big;
	uint32_t big_free; /* first free one: index + 1 */
	uint64_t slots, used, multiplier;
	unsigned shift;
	uint64_t now, live_bytes, live_objects;
	uint64_t peak_bytes, peak_ticks, peak_objects;
	uint32_t epoch;
	bool at_peak; /* what is live now is what was live at the peak */
	bool events;  /* there were some: totals are the replay's */
	uint32_t last_kind;
	uint64_t last_address; /* of the event before, if that was an allocation */
	uint64_t unknown_frees, failed, failed_bytes, replaced, reallocs;

	/* timeline */
	VEC(struct point) point;
	uint64_t point_distance; /* ticks */

	/* totals: by stack */
	VEC(struct trace_totals) total; /* by stat index */
	bool totals;
};

/* ---- trace.c ---- */

void record_index_deinit(struct record_index *x);
/*
 * The number of an equal record among the n of `size` bytes at `at`, from 1; 0: there is none, and
 * *slot is where n + 1 is to be written once the record is appended. Size is a multiple of 4.
 */
struct error *record_find(struct record_index *x, const void *at, uint64_t n, size_t size,
			  const void *record, uint32_t *ret, uint32_t **slot) _must_check_;

/* ---- replay.c ---- */

/* Index of the totals of a stack. */
struct error *replay_stat(struct trace *t, uint32_t stack, uint32_t *ret) _must_check_;
/* After the last event: peak_bytes and lifetime become what they are called. */
void replay_end(struct trace *t);
static inline uint64_t slot_size(const struct trace *t, const struct block_slot *s)
{
	return s->size == SLOT_BIG ? t->big.at[s->stat].size : s->size;
}

static inline uint32_t slot_stat(const struct trace *t, const struct block_slot *s)
{
	return s->size == SLOT_BIG ? t->big.at[s->stat].stat : s->stat;
}

/* The slot of a live block; NULL: none. */
struct block_slot *replay_slot(const struct trace *t, uint64_t address);
/*
 * All live blocks with an address, by address: t->used of them at t->slot. The table is none any more:
 * nothing can be looked up, nothing added.
 */
struct error *replay_blocks(struct trace *t) _must_check_;
