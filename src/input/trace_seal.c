/*
 * trace_seal: from stacks, totals and live blocks to the snapshot's rows.
 *
 * Stacks become sites: only those that allocate and their callers; inlined functions get nodes of
 * their own; frames of allocation functions at the inner end are left out; equal paths of names are
 * one site, whatever their addresses. Callers come first, so one pass in id order does it.
 */
#include "input/trace.h"
#include "input/trace_impl.h"

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/huge.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INLINED_MAX = 256 }; /* of one address; deeper ones lose the innermost */

/* What makes a site: nodes that agree in all of it are one. */
struct site_key {
	uint32_t parent, function, file, line, module, pad;
	uint64_t address;
};

struct seal {
	struct trace *t;
	struct snapshot *s;
	bool joined;		/* to a core, which says itself what process it was */
	uint32_t base;		/* sites that the process recorded itself: ours come behind them */
	uint32_t *string;	/* by the trace's string: the snapshot's; 0: not copied yet */
	uint32_t *caller;	/* by stack: it, or the caller that is no allocation function */
	uint32_t *site;		/* by stack, 0 too: the site; 0: not needed */
	uint8_t *is_allocator;	/* by the trace's string */
	uint8_t *is_suppressed; /* the same */
	VEC(struct site_key) key; /* by site - 1 */
	VEC(uint8_t) own;	  /* by site - 1: stacks that have their own peak here, to 2 */
	VEC(uint32_t) stat_site;  /* by stat: its site */
	struct record_index sites;
};

static void seal_deinit(struct seal *c)
{
	free(c->string);
	free(c->site);
	free(c->caller);
	free(c->is_allocator);
	free(c->is_suppressed);
	vec_deinit(&c->key);
	vec_deinit(&c->own);
	vec_deinit(&c->stat_site);
	record_index_deinit(&c->sites);
}

/* ---- texts ---- */

/*
 * Functions whose callers are who allocated: C's and C++'s, and what stands in for them. Text in
 * front of a parenthesis must be equal.
 */
static bool names_allocator(const char *text)
{
	static const char *const name[] = {
		"malloc",	   "calloc",	     "realloc",	       "reallocarray",
		"memalign",	   "posix_memalign", "aligned_alloc",  "valloc",
		"pvalloc",	   "__libc_malloc",  "__libc_calloc",  "__libc_realloc",
		"__libc_memalign", "operator new",   "operator new[]", "_Znwm",
		"_Znam",	   "_Znwj",	     "_Znaj",
	};
	size_t len = strcspn(text, "(");
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (strlen(name[i]) == len && !memcmp(name[i], text, len))
			return true;
	return false;
}

/*
 * LeakSanitizer's patterns: compiler-rt lib/sanitizer_common/sanitizer_common.cpp, TemplateMatch
 * (LLVM 14): the parts between `*` are looked for one behind the other.
 */
static bool pattern_matches(const char *pattern, const char *text)
{
	bool start = *pattern == '^', star = false;
	pattern += start;
	if (!*text)
		return false;
	while (*pattern) {
		if (*pattern == '*') {
			pattern++;
			star = true;
			start = false;
			continue;
		}
		if (*pattern == '$')
			return !*text || star;
		size_t len = strcspn(pattern, "*$");
		const char *found = memmem(text, strlen(text), pattern, len);
		if (!found || (start && found != text))
			return false;
		text = found + len;
		pattern += len;
		start = star = false;
	}
	return true;
}

static struct error *seal_texts(struct seal *c)
{
	const struct intern *in = &c->t->strings;
	uint64_t n = (uint64_t)intern_count(in) + 1;
	c->string = calloc(n, sizeof(*c->string));
	c->is_allocator = calloc(n, 1);
	c->is_suppressed = calloc(n, 1);
	if (!c->string || !c->is_allocator || !c->is_suppressed)
		return &error_nomem;
	for (uint32_t id = 1; id < n; id++) {
		const char *text = intern_text(in, id);
		c->is_allocator[id] = names_allocator(text);
		for (uint64_t k = 0; k < c->t->suppression.n && !c->is_suppressed[id]; k++)
			c->is_suppressed[id] =
				pattern_matches(intern_text(in, c->t->suppression.at[k]), text);
	}
	/* A pattern is no name, even if it is the text of one. */
	return NULL;
}

/* The snapshot's string for one of the trace's. */
static struct error *seal_string(struct seal *c, uint32_t id, uint32_t *ret)
{
	*ret = id ? c->string[id] : 0;
	if (!id || *ret)
		return NULL;
	const struct intern_entry *e = &c->t->strings.entry[id];
	struct error *err = intern_add(&c->s->strings, e->text, e->len, ret);
	c->string[id] = *ret;
	return err;
}

/* ---- sites ---- */

/* Sites are numbered from 1 here, whatever was in the snapshot before. */
static struct site_row *site_row(const struct seal *c, uint32_t site)
{
	return &c->s->site.at[c->base + site - 1];
}

/* The innermost frame with a name: of a code the one that the walker gave last. */
static uint32_t frame_named(const struct trace *t, uint32_t frame)
{
	uint32_t name = frame && frame <= t->named.n ? t->named.at[frame - 1] : 0;
	return name ? name : frame;
}

/* The frame, or the one that it was inlined into, that is no allocation function; 0: all are. */
static uint32_t frame_caller(const struct seal *c, uint32_t frame)
{
	const struct trace *t = c->t;
	while (frame && c->is_allocator[t->frame.at[frame - 1].function])
		frame = t->frame.at[frame - 1].outer;
	return frame;
}

/*
 * Each stack less the allocation functions at its inner end. Callers have lower numbers: one pass,
 * however long a chain of such functions is.
 */
static struct error *seal_callers(struct seal *c)
{
	const struct trace *t = c->t;
	c->caller = calloc(t->stack.n + 1, sizeof(*c->caller));
	if (!c->caller)
		return &error_nomem;
	for (uint32_t stack = 1; stack <= t->stack.n; stack++) {
		const struct stack_record *r = &t->stack.at[stack - 1];
		uint32_t frame = frame_named(t, r->frame);
		bool keep = !frame || frame_caller(c, frame);
		c->caller[stack] = keep ? stack : c->caller[r->caller];
	}
	return NULL;
}

static struct error *site_add(struct seal *c, uint32_t parent, const struct frame_record *f,
			      uint32_t *ret)
{
	const struct trace *t = c->t;
	struct site_key key = {.parent = parent};
	bool suppressed = parent && site_row(c, parent)->suppressed;
	if (f) {
		uint32_t module = f->module;
		uint64_t address = f->address;
		if (f->code) {
			const struct trace_module *m = module ? &t->module.at[module - 1] : NULL;
			module = m ? m->path : 0;
			address -= m ? m->bias : 0;
		}
		key.function = f->function;
		key.file = f->file;
		key.line = f->line;
		key.module = module;
		key.address = f->function ? 0 : address;
		suppressed |= c->is_suppressed[f->function] | c->is_suppressed[f->file] |
			      c->is_suppressed[module];
	}
	uint32_t *slot;
	struct error *err =
		record_find(&c->sites, c->key.at, c->key.n, sizeof(key), &key, ret, &slot);
	if (err || *ret)
		return err;
	err = vec_push(&c->key, key);
	if (err)
		return err;
	*ret = *slot = (uint32_t)c->key.n;
	struct site_row row = {
		.parent_id = parent ? c->base + parent : 0,
		.line = key.line,
		.suppressed = suppressed,
		.address = key.address,
	};
	err = seal_string(c, key.function, &row.function);
	if (!err)
		err = seal_string(c, key.file, &row.file);
	if (!err)
		err = seal_string(c, key.module, &row.module);
	if (!err)
		err = vec_push(&c->own, 0);
	return err ? err : vec_push(&c->s->site, row);
}

/* The site of a stack whose caller has one already. */
static struct error *site_of_stack(struct seal *c, uint32_t stack)
{
	const struct trace *t = c->t;
	const struct stack_record *r = &t->stack.at[stack - 1];
	uint32_t chain[INLINED_MAX], n = 0, site = r->caller ? c->site[r->caller] : 0;
	uint32_t inner = frame_named(t, r->frame), length = 0;
	/* An allocation function that was inlined into its caller. */
	if (frame_caller(c, inner))
		inner = frame_caller(c, inner);
	/* Outer frames have lower ids than what was inlined into them: this ends. */
	for (uint32_t f = inner; f; f = t->frame.at[f - 1].outer)
		length++;
	uint32_t skip = length > INLINED_MAX ? length - INLINED_MAX : 0;
	for (uint32_t f = inner; f; f = t->frame.at[f - 1].outer)
		if (skip)
			skip--;
		else
			chain[n++] = f;
	struct error *err = n ? NULL : site_add(c, site, NULL, &site);
	while (n-- && !err)
		err = site_add(c, site, &t->frame.at[chain[n] - 1], &site);
	c->site[stack] = site;
	return err;
}

static struct error *seal_sites(struct seal *c)
{
	struct trace *t = c->t;
	_cleanup_(bits_deinit) struct bits needed = {0};
	struct error *err = bits_init(&needed, t->stack.n + 1);
	if (!err)
		err = seal_callers(c);
	c->site = calloc(t->stack.n + 1, sizeof(*c->site));
	if (err || !c->site)
		return err ? err : &error_nomem;
	for (uint64_t i = 0; i < t->stat.n; i++) {
		uint32_t stack = c->caller[t->stat_stack.at[i]];
		for (; stack && !bits_test_set(&needed, stack);)
			stack = t->stack.at[stack - 1].caller;
	}
	for (uint32_t stack = 1; stack <= t->stack.n && !err; stack++)
		if (bits_test(&needed, stack))
			err = site_of_stack(c, stack);
	for (uint64_t i = 0; i < t->stat.n && !err; i++) {
		uint32_t stack = c->caller[t->stat_stack.at[i]];
		uint32_t site = c->site[stack];
		/* Who allocated is not known: a node without any name. */
		if (!stack)
			err = site_add(c, 0, NULL, &site);
		if (!err)
			err = vec_push(&c->stat_site, site);
	}
	return err;
}

/* ---- figures ---- */

static uint64_t figure_add(uint64_t a, uint64_t b)
{
	uint64_t sum;
	if (a == TRACE_UNKNOWN || b == TRACE_UNKNOWN)
		return TRACE_UNKNOWN;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static struct trace_totals stat_totals(const struct stat *s)
{
	return (struct trace_totals){s->allocations,	s->temporary,  s->allocated_bytes,
				     s->live_objects,	s->live_bytes, s->peak_bytes,
				     s->own_peak_bytes, s->lifetime};
}

/* Figures of stacks to their sites; *sum: of all of them. */
static void seal_figures(struct seal *c, struct trace_totals *sum)
{
	const struct trace *t = c->t;
	double tick = t->tick;
	for (uint64_t i = 0; i < t->stat.n; i++) {
		struct trace_totals f =
			i < t->total.n ? t->total.at[i] : stat_totals(&t->stat.at[i]);
		uint32_t site = c->stat_site.at[i];
		struct site_row *r = site_row(c, site);
		r->allocations = figure_add(r->allocations, f.allocations);
		r->temporary = figure_add(r->temporary, f.temporary);
		r->allocated_bytes = figure_add(r->allocated_bytes, f.allocated_bytes);
		r->live_objects = figure_add(r->live_objects, f.live_objects);
		r->live_bytes = figure_add(r->live_bytes, f.live_bytes);
		r->peak_bytes = figure_add(r->peak_bytes, f.peak_bytes);
		if (f.lifetime == TRACE_UNKNOWN)
			r->lifetime = -1;
		else if (r->lifetime >= 0)
			r->lifetime += (double)f.lifetime * tick;
		/* Several call places of one line: their peaks need not have been at one time. */
		if (f.own_peak_bytes && c->own.at[site - 1]++)
			r->own_peak_bytes = TRACE_UNKNOWN;
		else
			r->own_peak_bytes = figure_add(r->own_peak_bytes, f.own_peak_bytes);
		if (c->own.at[site - 1] > 1)
			c->own.at[site - 1] = 2;
		sum->allocations = figure_add(sum->allocations, f.allocations);
		sum->temporary = figure_add(sum->temporary, f.temporary);
		sum->allocated_bytes = figure_add(sum->allocated_bytes, f.allocated_bytes);
		sum->live_objects = figure_add(sum->live_objects, f.live_objects);
		sum->live_bytes = figure_add(sum->live_bytes, f.live_bytes);
	}
}

static struct error *meta_figure(struct snapshot *s, const char *key, uint64_t figure)
{
	if (figure == TRACE_UNKNOWN)
		return NULL;
	return snapshot_meta(s, key, "%" PRIu64, figure);
}

static struct error *seal_meta(struct seal *c, const struct trace_totals *sum)
{
	const struct trace *t = c->t;
	struct snapshot *s = c->s;
	struct error *err = NULL;
	for (uint64_t i = 0; i < t->fact.n && !err && !c->joined; i++)
		err = snapshot_meta(s, intern_text(&t->strings, t->fact.at[i].key), "%s",
				    intern_text(&t->strings, t->fact.at[i].value));
	if (!err)
		err = meta_figure(s, "allocations", sum->allocations);
	if (!err)
		err = meta_figure(s, "temporary", sum->temporary);
	if (!err)
		err = meta_figure(s, "allocated_bytes", sum->allocated_bytes);
	if (!err)
		err = meta_figure(s, "live_objects", sum->live_objects);
	if (!err)
		err = meta_figure(s, "live_bytes", sum->live_bytes);
	if (!err && (t->events || t->peak_bytes))
		err = meta_figure(s, "peak_bytes", t->peak_bytes);
	if (!err && t->peak_ticks != TRACE_UNKNOWN)
		err = snapshot_meta(s, "peak_time", "%g", (double)t->peak_ticks * t->tick);
	if (!err)
		err = snapshot_meta(s, "time_unit", "%s", t->unit);
	if (err || !t->events)
		return err;
	err = snapshot_meta(s, "duration", "%.10g", (double)t->now * t->tick);
	if (!err)
		err = meta_figure(s, "unknown_frees", t->unknown_frees);
	if (!err && t->failed)
		err = meta_figure(s, "failed_allocations", t->failed);
	if (!err && t->replaced)
		err = meta_figure(s, "replaced_blocks", t->replaced);
	return err;
}

/* What the leaks have that are none. */
static struct error *seal_suppressed(struct seal *c)
{
	uint64_t objects = 0, bytes = 0;
	for (uint32_t i = 1; i <= c->key.n; i++) {
		const struct site_row *r = site_row(c, i);
		if (!r->suppressed)
			continue;
		objects = figure_add(objects, r->live_objects);
		bytes = figure_add(bytes, r->live_bytes);
	}
	if (!c->t->suppression.n)
		return NULL;
	struct error *err = meta_figure(c->s, "suppressed_objects", objects);
	return err ? err : meta_figure(c->s, "suppressed_bytes", bytes);
}

static struct error *timeline_add(struct seal *c, const struct point *p)
{
	const struct timeline_row row = {(double)p->ticks * c->t->tick, p->bytes, p->objects};
	return vec_push(&c->s->timeline, row);
}

/* The samples, with the peak between them, and the end. */
static struct error *seal_timeline(struct seal *c)
{
	const struct trace *t = c->t;
	const struct point peak = {t->peak_ticks, t->peak_bytes, t->peak_objects};
	const struct point end = {t->now, t->live_bytes, t->live_objects};
	bool told = !t->events || !t->now || t->peak_ticks == TRACE_UNKNOWN;
	struct error *err = NULL;
	for (uint64_t i = 0; i < t->point.n && !err; i++) {
		if (!told && t->point.at[i].ticks >= peak.ticks) {
			told = true;
			err = timeline_add(c, &peak);
		}
		if (!err)
			err = timeline_add(c, &t->point.at[i]);
	}
	if (!err && !told)
		err = timeline_add(c, &peak);
	if (!err && t->events && t->now)
		err = timeline_add(c, &end);
	return err;
}

/* ---- live blocks ---- */

struct kind_order {
	uint64_t size;
	uint32_t site, live;
};

static int kind_compare(const void *pa, const void *pb)
{
	const struct kind_order *a = pa, *b = pb;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return (a->site > b->site) - (a->site < b->site);
}

/*
 * Kinds are few: their blocks come in order of size and site without sorting them. Sizes that rise
 * spare the index over them its sorting.
 */
static struct error *seal_kinds(const struct seal *c, uint32_t *k)
{
	const struct trace *t = c->t;
	const struct object_table *o = &c->s->object;
	_cleanup_free_ struct kind_order *order = huge_alloc(t->kind.n, sizeof(*order));
	if (!order)
		return &error_nomem;
	for (uint64_t i = 0; i < t->kind.n; i++)
		order[i] =
			(struct kind_order){t->kind.at[i].size, c->stat_site.at[t->kind.at[i].stat],
					    t->kind.at[i].live};
	if (t->kind.n)
		qsort(order, t->kind.n, sizeof(*order), kind_compare);
	for (uint64_t i = 0; i < t->kind.n; i++)
		for (uint32_t j = 0; j < order[i].live; j++, ++*k) {
			o->size[*k] = order[i].size;
			o->site_id[*k] = order[i].site;
		}
	return NULL;
}

/* Those without an address first. */
static struct error *seal_objects(const struct seal *c)
{
	struct trace *t = c->t;
	const struct object_table *o = &c->s->object;
	uint64_t n = t->used;
	uint32_t k = 0;
	for (uint64_t i = 0; i < t->kind.n; i++)
		n += t->kind.at[i].live;
	assert(n < UINT32_MAX);
	struct error *err = snapshot_traced(c->s, (uint32_t)n, t->used != 0);
	if (!err)
		err = seal_kinds(c, &k);
	if (!err && t->used)
		err = replay_blocks(t);
	if (err)
		return err;
	for (uint32_t i = 0; i < k && o->address; i++)
		o->address[i] = 0;
	for (uint64_t i = 0; i < t->used; i++, k++) {
		o->address[k] = t->slot[i].address;
		o->size[k] = slot_size(t, &t->slot[i]);
		o->site_id[k] = c->stat_site.at[slot_stat(t, &t->slot[i])];
	}
	assert(k == n);
	return NULL;
}

static void seal_damage(const struct trace *t)
{
	for (unsigned i = 0; i < t->nwrong; i++) {
		const struct damage_count *w = &t->wrong[i];
		char where[64] = "", times[48] = "";
		if (w->first_line)
			snprintf(where, sizeof(where), " (line %" PRIu64 ")", w->first_line);
		if (w->count > 1)
			snprintf(times, sizeof(times), ", %" PRIu64 " times", w->count);
		damage_add(t->damage, DAMAGE_DUMP, 0, "the trace has %s%s%s: left out", w->what,
			   where, times);
	}
	if (t->cut)
		damage_add(t->damage, DAMAGE_DUMP, 0,
			   "the trace breaks off: what came after is not in the figures");
}

/* ---- the whole ---- */

static struct error *seal_both(struct seal *c)
{
	struct trace_totals sum = {0};
	replay_end(c->t);
	seal_damage(c->t);
	struct error *err = seal_texts(c);
	if (!err)
		err = seal_sites(c);
	if (err)
		return err;
	seal_figures(c, &sum);
	err = seal_suppressed(c);
	if (!err)
		err = seal_meta(c, &sum);
	return err ? err : seal_timeline(c);
}

struct error *trace_seal(struct trace *t, struct snapshot *s)
{
	struct seal c = {.t = t, .s = s};
	struct error *err = seal_both(&c);
	if (!err && t->events)
		err = seal_objects(&c);
	seal_deinit(&c);
	return err;
}

struct error *trace_seal_joined(struct trace *t, struct snapshot *s, uint64_t *found)
{
	struct seal c = {.t = t, .s = s, .joined = true, .base = (uint32_t)s->site.n};
	struct object_table *o = &s->object;
	*found = 0;
	struct error *err = seal_both(&c);
	if (!err && !o->site_id) {
		o->site_id = huge_zalloc(o->n, sizeof(*o->site_id));
		err = o->site_id ? NULL : &error_nomem;
	}
	for (uint32_t i = 0; i < o->n && !err; i++) {
		const struct block_slot *b = replay_slot(t, object_block(o, i));
		if (!b)
			continue;
		++*found;
		/* What the process recorded itself is closer to its source. */
		if (!o->site_id[i])
			o->site_id[i] = c.base + c.stat_site.at[slot_stat(t, b)];
	}
	seal_deinit(&c);
	return err;
}
