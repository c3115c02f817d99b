/*
 * replay: events into live blocks, totals by stack, the peak and the timeline.
 *
 * What each stack had at the overall peak is known after one pass. The state at the peak so far is
 * never copied; instead a stack's bytes are noted when they first change after it:
 *
 *	epoch      number of the peak so far; a new peak begins a new one
 *	stamp      epoch in which the stack's bytes at the peak were noted (peak_bytes)
 *	           another epoch: they have not changed since the peak, so live_bytes it is
 *	at_peak    nothing at all has changed since the peak: growth that goes on notes nothing
 */
#include "input/trace.h"
#include "input/trace_impl.h"

#include "base/huge.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct error *replay_stat(struct trace *t, uint32_t stack, uint32_t *ret)
{
	assert(stack <= t->stack.n);
	struct error *err = NULL;
	if (stack >= t->stat_of.n) {
		/* Stacks and their first use come in turn: few are missing at a time. */
		while (t->stat_of.n <= t->stack.n && !err)
			err = vec_push(&t->stat_of, 0);
		if (err)
			return err;
	}
	uint32_t *at = &t->stat_of.at[stack];
	if (!*at) {
		err = vec_push(&t->stat, ((struct stat){0}));
		if (!err)
			err = vec_push(&t->stat_stack, stack);
		if (err)
			return err;
		*at = (uint32_t)t->stat.n;
	}
	*ret = *at - 1;
	return NULL;
}

/* ---- totals ---- */

/* Before s changes. */
static inline void note_peak(const struct trace *t, struct stat *s)
{
	if (s->stamp != t->epoch) {
		s->peak_bytes = s->live_bytes;
		s->stamp = t->epoch;
	}
}

static void new_epoch(struct trace *t)
{
	t->at_peak = true;
	if (++t->epoch)
		return;
	for (uint64_t i = 0; i < t->stat.n; i++)
		t->stat.at[i].stamp = 0;
	t->epoch = 1;
}

static inline void count_alloc(struct trace *t, struct stat *s, uint64_t size)
{
	if (!t->at_peak)
		note_peak(t, s);
	s->allocations++;
	s->allocated_bytes += size;
	s->live_bytes += size;
	s->live_objects++;
	s->lifetime -= t->now;
	if (s->live_bytes > s->own_peak_bytes)
		s->own_peak_bytes = s->live_bytes;
	t->live_objects++;
	t->live_bytes += size;
	if (t->live_bytes > t->peak_bytes) {
		if (!t->at_peak)
			new_epoch(t);
		t->peak_bytes = t->live_bytes;
		t->peak_ticks = t->now;
		t->peak_objects = t->live_objects;
	}
}

static inline void count_free(struct trace *t, struct stat *s, uint64_t size)
{
	/* A block of no bytes changes no sum; noting it does no harm. */
	t->at_peak = false;
	note_peak(t, s);
	s->live_bytes -= size;
	s->live_objects--;
	s->lifetime += t->now;
	t->live_objects--;
	t->live_bytes -= size;
}

/* Sums of hostile sizes must not wrap: no process has so much. */
static inline bool size_fits(const struct trace *t, uint64_t size)
{
	return size < UINT64_C(1) << 48 && t->live_bytes < UINT64_C(1) << 60 &&
	       t->live_objects < UINT32_MAX - 2;
}

static void refuse(struct trace *t)
{
	bool many = t->live_objects >= UINT32_MAX - 2;
	trace_damage(t, many ? "too many live blocks" : "an impossible size", 0);
}

/* ---- blocks without an address ---- */

struct error *trace_kind(struct trace *t, uint64_t size, uint32_t stack, uint32_t *ret)
{
	struct kind k = {.size = size};
	struct error *err = replay_stat(t, stack, &k.stat);
	if (!err)
		err = vec_push(&t->kind, k);
	if (!err)
		*ret = (uint32_t)t->kind.n;
	return err;
}

bool trace_kind_alloc(struct trace *t, uint32_t id)
{
	if (!id || id > t->kind.n)
		return false;
	struct kind *k = &t->kind.at[id - 1];
	if (__builtin_expect(!size_fits(t, k->size), 0)) {
		refuse(t);
		return true;
	}
	t->events = true;
	k->live++;
	count_alloc(t, &t->stat.at[k->stat], k->size);
	t->last_kind = id;
	return true;
}

bool trace_kind_free(struct trace *t, uint32_t id)
{
	uint32_t last = t->last_kind;
	t->last_kind = 0;
	if (!id || id > t->kind.n)
		return false;
	struct kind *k = &t->kind.at[id - 1];
	if (!k->live)
		return false;
	k->live--;
	struct stat *s = &t->stat.at[k->stat];
	s->temporary += last == id;
	count_free(t, s, k->size);
	return true;
}

/* ---- blocks with an address ---- */

enum { SLOTS_FIRST = 1 << 12 };

static inline uint64_t slot_of(const struct trace *t, uint64_t address)
{
	/* The upper bits of a product with a random odd number: multiply-shift hashing. */
	return (address * t->multiplier) >> t->shift;
}

static struct error *slots_grow(struct trace *t)
{
	uint64_t n = t->slots ? t->slots * 2 : SLOTS_FIRST;
	struct block_slot *old = t->slot, *slot = huge_zalloc(n, sizeof(*slot));
	uint64_t old_n = t->slots;
	if (!slot)
		return &error_nomem;
	t->slot = slot;
	t->slots = n;
	t->shift = 64 - (unsigned)__builtin_ctzll(n);
	for (uint64_t k = 0; k < old_n; k++) {
		if (!old[k].address)
			continue;
		uint64_t i = slot_of(t, old[k].address);
		while (slot[i].address)
			i = (i + 1) & (n - 1);
		slot[i] = old[k];
	}
	free(old);
	return NULL;
}

struct block_slot *replay_slot(const struct trace *t, uint64_t address)
{
	if (!t->used || !address)
		return NULL;
	for (uint64_t i = slot_of(t, address);; i = (i + 1) & (t->slots - 1)) {
		if (t->slot[i].address == address)
			return &t->slot[i];
		if (!t->slot[i].address)
			return NULL;
	}
}

/* What a slot has for a block. */
static struct error *slot_make(struct trace *t, uint64_t address, uint64_t size, uint32_t stat,
			       struct block_slot *ret)
{
	*ret = (struct block_slot){address, (uint32_t)size, stat};
	if (size < SLOT_BIG)
		return NULL;
	const struct block_big big = {.size = size, .stat = stat};
	ret->size = SLOT_BIG;
	if (t->big_free) {
		ret->stat = t->big_free - 1;
		t->big_free = t->big.at[ret->stat].next;
		t->big.at[ret->stat] = big;
		return NULL;
	}
	ret->stat = (uint32_t)t->big.n;
	return vec_push(&t->big, big);
}

static void slot_forget(struct trace *t, const struct block_slot *s)
{
	if (s->size != SLOT_BIG)
		return;
	t->big.at[s->stat].next = t->big_free;
	t->big_free = s->stat + 1;
}

/* Empties a slot; what was pushed behind it moves up, so that every probe still ends right. */
static void slot_remove(struct trace *t, struct block_slot *s)
{
	slot_forget(t, s);
	uint64_t mask = t->slots - 1, hole = (uint64_t)(s - t->slot);
	for (uint64_t i = hole;;) {
		i = (i + 1) & mask;
		if (!t->slot[i].address)
			break;
		uint64_t home = slot_of(t, t->slot[i].address);
		/* May it stay? Only if its home lies behind the hole, going around. */
		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		t->slot[hole] = t->slot[i];
		hole = i;
	}
	t->slot[hole].address = 0;
	t->used--;
}

struct error *trace_alloc(struct trace *t, uint64_t address, uint64_t size, uint32_t stack)
{
	t->events = true;
	if (!address) {
		t->failed++;
		t->failed_bytes += size;
		return NULL;
	}
	if (!size_fits(t, size)) {
		refuse(t);
		return NULL;
	}
	uint32_t stat;
	struct error *err = NULL;
	if (stack < t->stat_of.n && t->stat_of.at[stack])
		stat = t->stat_of.at[stack] - 1;
	else
		err = replay_stat(t, stack, &stat);
	if (!err && (t->used + 1) * 8 > t->slots * 5)
		err = slots_grow(t);
	if (err)
		return err;
	uint64_t i = slot_of(t, address);
	while (t->slot[i].address && t->slot[i].address != address)
		i = (i + 1) & (t->slots - 1);
	struct block_slot *s = &t->slot[i];
	if (s->address) {
		t->replaced++;
		count_free(t, &t->stat.at[slot_stat(t, s)], slot_size(t, s));
		slot_forget(t, s);
		s->address = 0;
		t->used--;
	}
	err = slot_make(t, address, size, stat, s);
	if (err)
		return err;
	t->used++;
	count_alloc(t, &t->stat.at[stat], size);
	t->last_address = address;
	return NULL;
}

void trace_free(struct trace *t, uint64_t address)
{
	uint64_t last = t->last_address;
	if (!address)
		return;
	t->last_address = 0;
	t->events = true;
	struct block_slot *b = replay_slot(t, address);
	if (!b) {
		t->unknown_frees++;
		return;
	}
	struct stat *s = &t->stat.at[slot_stat(t, b)];
	s->temporary += last == address;
	count_free(t, s, slot_size(t, b));
	slot_remove(t, b);
}

struct error *trace_realloc(struct trace *t, uint64_t old, uint64_t ret, uint64_t size,
			    uint32_t stack)
{
	t->events = true;
	if (!ret && size && old) {
		t->failed++;
		t->failed_bytes += size;
		return NULL;
	}
	t->reallocs += old != 0;
	trace_free(t, old);
	if (!ret && !size)
		return NULL;
	return trace_alloc(t, ret, size, stack);
}

struct error *trace_events(struct trace *t, const struct trace_event *e, uint32_t n)
{
	struct error *err = NULL;
	for (uint32_t i = 0; i < n && t->slots; i++)
		__builtin_prefetch(&t->slot[slot_of(t, e[i].address)]);
	for (uint32_t i = 0; i < n && !err; i++)
		if (e[i].is_free)
			trace_free(t, e[i].address);
		else
			err = trace_alloc(t, e[i].address, e[i].size, e[i].stack);
	return err;
}

bool trace_find(const struct trace *t, uint64_t address, uint64_t *size, uint32_t *stack)
{
	const struct block_slot *b = replay_slot(t, address);
	if (!b)
		return false;
	*size = slot_size(t, b);
	*stack = t->stat_stack.at[slot_stat(t, b)];
	return true;
}

/* ---- time ---- */

static struct error *point_add(struct trace *t, uint64_t ticks, uint64_t bytes, uint64_t objects)
{
	struct point *last = t->point.n ? &t->point.at[t->point.n - 1] : NULL;
	if (last && ticks - last->ticks < t->point_distance)
		return NULL;
	if (t->point.n == TIMELINE_MAX) {
		for (uint64_t i = 0; i < TIMELINE_MAX / 2; i++)
			t->point.at[i] = t->point.at[2 * i];
		t->point.n = TIMELINE_MAX / 2;
		uint64_t span = t->point.at[t->point.n - 1].ticks - t->point.at[0].ticks;
		t->point_distance = span / (TIMELINE_MAX / 2) + 1;
	}
	return vec_push(&t->point, ((struct point){ticks, bytes, objects}));
}

struct error *trace_time(struct trace *t, uint64_t ticks)
{
	if (ticks < t->now) {
		trace_damage(t, "a time before the one before", 0);
		return NULL;
	}
	if (ticks >> 56) {
		trace_damage(t, "an impossible time", 0);
		return NULL;
	}
	/* What was live until now. */
	struct error *err = NULL;
	if (ticks > t->now)
		err = point_add(t, t->now, t->live_bytes, t->live_objects);
	t->now = ticks;
	return err;
}

/* ---- ready-made totals ---- */

struct trace_totals trace_totals_unknown(void)
{
	struct trace_totals r;
	memset(&r, 0xff, sizeof(r));
	return r;
}

struct error *trace_total(struct trace *t, uint32_t stack, const struct trace_totals *totals)
{
	uint32_t stat;
	t->totals = true;
	struct error *err = replay_stat(t, stack, &stat);
	if (err)
		return err;
	if (stat == t->total.n)
		return vec_push(&t->total, *totals);
	assert(stat < t->total.n); /* events and totals are never mixed */
	const uint64_t *from = (const uint64_t *)totals;
	uint64_t *to = (uint64_t *)&t->total.at[stat];
	for (size_t i = 0; i < sizeof(*totals) / sizeof(*from); i++)
		if (to[i] == TRACE_UNKNOWN || from[i] == TRACE_UNKNOWN ||
		    __builtin_add_overflow(to[i], from[i], &to[i]))
			to[i] = TRACE_UNKNOWN;
	/* Peaks of their own need not have been at one time. */
	t->total.at[stat].own_peak_bytes = TRACE_UNKNOWN;
	return NULL;
}

void trace_peak(struct trace *t, uint64_t bytes, uint64_t ticks)
{
	t->peak_bytes = bytes;
	t->peak_ticks = ticks;
}

struct error *trace_sample(struct trace *t, uint64_t ticks, uint64_t bytes, uint64_t objects)
{
	if (t->point.n && ticks < t->point.at[t->point.n - 1].ticks) {
		trace_damage(t, "a time before the one before", 0);
		return NULL;
	}
	t->now = ticks;
	return point_add(t, ticks, bytes, objects);
}

/* ---- the end ---- */

void replay_end(struct trace *t)
{
	for (uint64_t i = 0; i < t->stat.n; i++) {
		struct stat *s = &t->stat.at[i];
		if (t->at_peak || s->stamp != t->epoch)
			s->peak_bytes = s->live_bytes;
		s->stamp = t->epoch;
		s->lifetime += s->live_objects * t->now;
	}
}
