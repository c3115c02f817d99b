/*
 * trace_heap_profile: heap profiles of jemalloc and gperftools (and of what writes their text).
 *
 * jemalloc 5.3 src/prof_data.c (prof_dump):
 *
 *	heap_v2/RATE
 *	  t*: LIVE: BYTES [ALL: BYTES]		all; then a line for each thread
 *	@ 0x7fee584a2630 0x7fee58495f24 ...	a stack, innermost first
 *	  t*: LIVE: BYTES [ALL: BYTES]		its figures; then by thread
 *
 * gperftools 2.10 src/heap-profile-table.cc (UnparseBucket), jemalloc 3:
 *
 *	heap profile: LIVE: BYTES [ALL: BYTES] @ KIND[/RATE]
 *	LIVE: BYTES [ALL: BYTES] @ 0x55619ade2272 ...
 *
 * Both end with an empty line, "MAPPED_LIBRARIES:" and /proc/PID/maps. Sampled profiles are scaled
 * stack by stack, as jeprof does (AdjustSamples): "_v2" is a Poisson process of RATE bytes, an
 * average block of n bytes is met with 1 - exp(-n / RATE); "heap/RATE" without _v2 is the older
 * way, half of RATE on average. "heapprofile" is exact. The file's own sums are of the samples.
 */
#include "input/input.h"
#include "input/stack_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAPPINGS_MAX = 1 << 16, FRAMES_MAX = 1 << 12 };

struct mapping {
	uint64_t start, end;
	uint32_t module; /* 0: too many */
	bool recorder;	 /* its frames are in front of all */
};

struct counts {
	uint64_t live, bytes, all, all_bytes;
};

struct profile {
	struct trace *t;
	struct lines l;
	VEC(struct mapping) mapping; /* by start */
	VEC(uint32_t) frame;
	unsigned algorithm; /* 0: exact, 1, 2 */
	double rate;
	double left[4]; /* of what was scaled: live blocks and bytes, all */
	bool all_known; /* what was freed was counted, too */
	bool open;	/* jemalloc: a stack waits for its figures */
};

/* ---- mapped files ---- */

static int mapping_compare(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;
	return (x->start > y->start) - (x->start < y->start);
}

/* "55619ade1000-55619ade2000 r--p 00000000 08:01 1234   /path" */
static bool map_line(struct word w, uint64_t *start, uint64_t *end, uint64_t *offset,
		     struct word *path)
{
	struct word perms, device;
	uint64_t inode;
	if (!word_hex(&w, start) || !word_skip(&w, "-") || !word_hex(&w, end) || *end <= *start)
		return false;
	word_blanks(&w);
	if (!word_until(&w, ' ', &perms) || !word_hex(&w, offset))
		return false;
	word_blanks(&w);
	if (!word_until(&w, ' ', &device) || !word_dec(&w, false, &inode))
		return false;
	word_trim(&w);
	*path = w;
	return word_len(&w) && *w.at == '/' && word_len(&w) < STACK_TEXT_NAME;
}

static bool is_recorder(struct word path)
{
	return memmem(path.at, word_len(&path), "/libjemalloc.", 13) ||
	       memmem(path.at, word_len(&path), "/libtcmalloc", 12);
}

static struct error *module_end(struct profile *p, struct trace_module *m, struct mapping *at)
{
	struct error *err = NULL;
	if (m->start >= m->end || p->mapping.n >= MAPPINGS_MAX)
		return NULL;
	if (trace_modules(p->t) < STACK_TEXT_MODULES)
		err = trace_module(p->t, m, &at->module);
	at->start = m->start;
	at->end = m->end;
	m->end = 0;
	return err ? err : vec_push(&p->mapping, *at);
}

/* Mappings of one file in a row are a module. */
static struct error *read_maps(struct profile *p, struct lines l)
{
	struct trace_module m = {.extent_unknown = true};
	struct mapping at = {0};
	struct error *err = NULL;
	bool any = false;
	while (!err && lines_next(&l)) {
		uint64_t start, end, offset;
		struct word path;
		uint32_t id;
		if (!map_line(l.line, &start, &end, &offset, &path))
			continue;
		err = trace_string(p->t, path.at, word_len(&path), &id);
		if (!err && m.end && id == m.path && start >= m.end && offset) {
			m.end = end;
			continue;
		}
		if (!err)
			err = module_end(p, &m, &at);
		m.path = id;
		m.start = start;
		m.end = end;
		/* A program that is no PIE lies where it was linked to, below all else. */
		m.bias = start < 0x8000000 ? 0 : start - offset;
		if (offset > start)
			m.bias = start;
		m.is_exe = !any;
		any = true;
		at.recorder = is_recorder(path);
	}
	if (!err)
		err = module_end(p, &m, &at);
	if (p->mapping.n)
		qsort(p->mapping.at, p->mapping.n, sizeof(*p->mapping.at), mapping_compare);
	return err;
}

static const struct mapping *mapping_at(const struct profile *p, uint64_t address)
{
	uint64_t lo = 0, hi = p->mapping.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (p->mapping.at[mid].start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || address >= p->mapping.at[lo - 1].end)
		return NULL;
	return &p->mapping.at[lo - 1];
}

/* ---- stacks ---- */

/* "0x1 0x2 ...": return addresses. */
static struct error *read_stack(struct profile *p, struct word w)
{
	struct error *err = NULL;
	uint64_t address;
	uint32_t id;
	p->frame.n = 0;
	while (!err && word_address(&w, &address)) {
		address -= address != 0;
		const struct mapping *m = mapping_at(p, address);
		if ((m && m->recorder && !p->frame.n) || p->frame.n == FRAMES_MAX)
			continue;
		err = trace_code(p->t, address, m ? m->module : 0, 0, &id);
		if (!err)
			err = vec_push(&p->frame, id);
	}
	word_trim(&w);
	if (word_len(&w))
		trace_damage(p->t, "an address that cannot be read", p->l.number);
	return err;
}

/* "LIVE: BYTES [ALL: BYTES]" */
static bool read_counts(struct word *w, struct counts *c)
{
	if (!word_dec(w, false, &c->live) || !word_skip(w, ":") || !word_dec(w, false, &c->bytes))
		return false;
	word_blanks(w);
	if (!word_skip(w, "[") || !word_dec(w, false, &c->all) || !word_skip(w, ":") ||
	    !word_dec(w, false, &c->all_bytes) || !word_skip(w, "]"))
		return false;
	return !((c->live | c->bytes | c->all | c->all_bytes) >> 56);
}

/*
 * Whole blocks and bytes, what is left over going to the next stack: 1 / (1 - exp(-x)) is 1 / x + 0.5,
 * near zero, so that rounding each would always go up.
 */
static uint64_t whole(double value, double *left)
{
	double n = floor(value + *left + 0.5);
	n = n < 0 ? 0 : n;
	*left += value - n;
	return (uint64_t)n;
}

static void scale(const struct profile *p, uint64_t *n, uint64_t *bytes, double left[2])
{
	double factor = 1;
	if (!p->algorithm || !*n)
		return;
	double ratio = (double)*bytes / (double)*n / p->rate;
	if (p->algorithm == 2)
		factor = 1 / -expm1(-ratio);
	else if (ratio < 1)
		factor = 1 / ratio;
	/* Blocks of no bytes are never met. */
	if (!isfinite(factor) || (double)*bytes * factor > 0x1p58 || (double)*n * factor > 0x1p58)
		return;
	*n = whole((double)*n * factor, &left[0]);
	*bytes = whole((double)*bytes * factor, &left[1]);
}

static struct error *add(struct profile *p, struct counts c)
{
	struct trace_totals f = trace_totals_unknown();
	uint32_t stack;
	struct error *err = trace_stack_of(p->t, p->frame.at, (uint32_t)p->frame.n, &stack);
	scale(p, &c.live, &c.bytes, &p->left[0]);
	scale(p, &c.all, &c.all_bytes, &p->left[2]);
	f.live_objects = c.live;
	f.live_bytes = c.bytes;
	if (p->all_known) {
		f.allocations = c.all;
		f.allocated_bytes = c.all_bytes;
	}
	return err ? err : trace_total(p->t, stack, &f);
}

/* ---- the two texts ---- */

static struct error *jemalloc_line(struct profile *p, struct word w)
{
	struct counts c;
	if (word_skip(&w, "@")) {
		p->open = true;
		return read_stack(p, w);
	}
	word_blanks(&w);
	if (!word_skip(&w, "t*: ") || !p->open)
		return NULL;
	p->open = false;
	if (read_counts(&w, &c))
		return add(p, c);
	trace_damage(p->t, "figures that cannot be read", p->l.number);
	return NULL;
}

static struct error *gperftools_line(struct profile *p, struct word w)
{
	struct counts c;
	word_trim(&w);
	if (!word_len(&w))
		return NULL;
	if (!read_counts(&w, &c)) {
		trace_damage(p->t, "figures that cannot be read", p->l.number);
		return NULL;
	}
	word_blanks(&w);
	if (!word_skip(&w, "@"))
		return NULL;
	struct error *err = read_stack(p, w);
	return err ? err : add(p, c);
}

/* heap_v2/RATE, and the line of sums behind it, which may say that what was freed is not known. */
static bool jemalloc_head(struct profile *p, struct word w)
{
	struct lines ahead = p->l;
	struct counts c;
	uint64_t rate;
	p->algorithm = 2;
	if (!word_dec(&w, false, &rate) || !rate || rate >> 56)
		return false;
	p->rate = (double)rate;
	if (lines_next(&ahead)) {
		w = ahead.line;
		word_blanks(&w);
		p->all_known =
			word_skip(&w, "t*: ") && read_counts(&w, &c) && c.all && c.all >= c.live;
	}
	return true;
}

/* " LIVE: BYTES [ALL: BYTES] @ KIND/RATE" */
static bool gperftools_head(struct profile *p, struct word w)
{
	struct counts c = {0};
	uint64_t rate = 0;
	if (!read_counts(&w, &c))
		return false;
	p->all_known = c.all && c.all >= c.live;
	word_blanks(&w);
	bool kind = word_skip(&w, "@");
	word_trim(&w);
	if (!kind || !word_len(&w)) {
		/* Very old samplers wrote no kind, and the same figures twice. */
		p->algorithm = c.live == c.all && c.bytes == c.all_bytes;
		p->rate = 128 * 1024;
		return true;
	}
	struct word name = w;
	if (word_until(&w, '/', &name))
		word_dec(&w, false, &rate);
	if (word_is(&name, "heapprofile") || !memmem(name.at, word_len(&name), "heap", 4))
		return true;
	p->algorithm = memmem(name.at, word_len(&name), "_v2", 3) ? 2 : 1;
	uint64_t half = rate / 2;
	p->rate = p->algorithm == 2 ? (double)rate : (double)half;
	if (p->rate < 1)
		p->rate = 128 * 1024;
	return true;
}

static struct error *facts(struct profile *p, bool jemalloc)
{
	const char *format = jemalloc ? "jemalloc heap profile" : "gperftools heap profile";
	struct error *err = trace_fact(p->t, "format", format, strlen(format));
	char text[32];
	int n = snprintf(text, sizeof(text), "%.0f", p->rate);
	if (!err && p->algorithm)
		err = trace_fact(p->t, "sample_bytes", text, (size_t)n);
	return err;
}

static struct error *read_all(struct profile *p, const struct input_file *in, struct log *log)
{
	static const char libraries[] = "MAPPED_LIBRARIES:", memory[] = "--- Memory map:";
	struct error *err = NULL;
	const uint8_t *maps = memmem(in->data, in->size, libraries, strlen(libraries));
	if (!maps)
		maps = memmem(in->data, in->size, memory, strlen(memory));
	uint64_t body = maps ? (uint64_t)(maps - in->data) : in->size;
	if (maps) {
		struct lines l;
		lines_init(&l, maps, in->size - body);
		err = read_maps(p, l);
	}
	lines_init(&p->l, in->data, body);
	if (err || !lines_next(&p->l))
		return err;
	struct word w = p->l.line;
	word_trim(&w);
	bool jemalloc = word_skip(&w, "heap_v2/");
	if (jemalloc ? !jemalloc_head(p, w)
		     : !word_skip(&w, "heap profile:") || !gperftools_head(p, w))
		return error_new(ERROR_INPUT,
				 "a heap profile with a first line that cannot be read");
	err = facts(p, jemalloc);
	while (!err && lines_next(&p->l) && (maps || !p->l.cut)) {
		err = jemalloc ? jemalloc_line(p, p->l.line) : gperftools_line(p, p->l.line);
		if (p->l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(p->l.at - p->l.start), in->size);
	}
	/* What is mapped stands at the end: without it something is missing. */
	if (!maps || in->cut)
		trace_cut(p->t);
	return err;
}

static struct error *profile_read_trace(const struct input_file *in, struct trace *t,
					struct log *log)
{
	struct profile p = {.t = t};
	struct error *err = read_all(&p, in, log);
	vec_deinit(&p.mapping);
	vec_deinit(&p.frame);
	return err;
}

static bool profile_probe(const uint8_t *head, uint64_t len)
{
	struct word w = {head, head + (len < 64 ? len : 64)};
	return word_skip(&w, "heap_v2/") || word_skip(&w, "heap profile:");
}

const struct input_format input_trace_heap_profile = {
	.name = "heap profile",
	.probe = profile_probe,
	.read_trace = profile_read_trace,
};
