/*
 * trace_memleak: what eBPF tools print: memleak of bcc and of libbpf-tools, maps of bpftrace.
 *
 * bcc tools/memleak.py (0.26), print_outstanding; libbpf-tools/memleak.c, print_outstanding_allocs:
 *
 *	[11:16:33] Top 10 stacks with outstanding allocations:
 *		addr = 948cd0 size = 16			-a
 *		80 bytes in 5 allocations from stack	libbpf-tools: without the tab
 *			main+0x6d [allocs]		newer: 0x000055d7050e62a0 and a tab before
 *			0 [<000055d7050e62a0>] main+0x6d [allocs]	libbpf-tools
 *
 * Every few seconds again: the last report is what is live, all of them are the curve. Only the
 * first N stacks are in it, and what is younger than half a second is not.
 *
 * bpftrace 0.17, src/output.cpp, a map whose key is a stack, at the end of the run or at intervals:
 *
 *	@bytes[
 *	    malloc+0
 *	    main+20
 *	]: 80				or ", NAME]: 80"
 *
 * Its number is bytes, or with "count" in the map's name, blocks. The last one of each stack counts.
 */
#include "input/input.h"
#include "input/stack_text.h"

#include <inttypes.h>
#include <stdio.h>

struct sums {
	uint64_t bytes, blocks; /* TRACE_UNKNOWN */
};

struct memleak {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	uint64_t last; /* line of the last report's head */
	uint64_t time, first, reports;
	uint64_t sum_bytes, sum_blocks; /* of the report that is read */
	bool in_stack;
	struct sums at;
	/* bpftrace */
	bool counts;
	VEC(struct sums) of; /* by stack */
};

/* "[11:16:33] Top 10 stacks with outstanding allocations:" */
static bool report_head(struct word w, uint64_t *seconds)
{
	uint64_t h, m, s;
	word_trim(&w);
	bool clock = word_skip(&w, "[") && word_dec(&w, false, &h) && word_skip(&w, ":") &&
		     word_dec(&w, false, &m) && word_skip(&w, ":") && word_dec(&w, false, &s) &&
		     word_skip(&w, "]");
	if (!clock || h > 23 || m > 59 || s > 60)
		return false;
	*seconds = h * 3600 + m * 60 + s;
	return word_find(&w, "Top ") && word_find(&w, "stacks with outstanding allocations");
}

/* "main+0x6d [allocs]", an address or a number in front */
static struct error *frame(struct memleak *m, struct word w)
{
	struct word module = {0}, none = {0};
	uint64_t address = 0, n;
	word_trim(&w);
	word_skip(&w, "#");
	struct word v = w;
	if (word_dec(&v, false, &n) && word_skip(&v, " [<")) {
		word_skip(&v, "0x");
		if (word_hex(&v, &address) && word_skip(&v, ">]"))
			w = v;
	} else if (word_address(&w, &address)) {
		;
	}
	word_trim(&w);
	if (word_len(&w) && w.end[-1] == ']') {
		const uint8_t *open = memrchr(w.at, '[', word_len(&w));
		/* [unknown] alone is no module. */
		if (open && open > w.at) {
			module = (struct word){open + 1, w.end - 1};
			w.end = open;
		}
	}
	word_trim(&w);
	const uint8_t *plus = word_len(&w) ? memrchr(w.at, '+', word_len(&w)) : NULL;
	if (plus && plus > w.at)
		w.end = plus;
	if (word_is(&w, "[unknown]"))
		w.end = w.at;
	return stack_text_add(&m->s, w, none, 0, module, address);
}

static struct error *stack_end(struct memleak *m)
{
	struct trace_totals f = trace_totals_unknown();
	uint32_t stack;
	if (!m->in_stack)
		return NULL;
	m->in_stack = false;
	struct error *err = stack_text_end(&m->s, 0, &stack);
	f.live_bytes = m->at.bytes;
	f.live_objects = m->at.blocks;
	return err ? err : trace_total(m->t, stack, &f);
}

/* "80 bytes in 5 allocations from stack" */
static bool sum_line(struct word w, struct sums *ret)
{
	word_trim(&w);
	return word_dec(&w, false, &ret->bytes) && word_skip(&w, " bytes in ") &&
	       word_dec(&w, false, &ret->blocks) && word_skip(&w, " allocations from stack") &&
	       !(ret->bytes >> 56) && !(ret->blocks >> 56);
}

static struct error *report_end(struct memleak *m)
{
	if (!m->reports)
		return NULL;
	return trace_sample(m->t, m->time, m->sum_bytes, m->sum_blocks);
}

static struct error *memleak_line(struct memleak *m)
{
	struct word w = m->l.line;
	uint64_t seconds;
	struct error *err = NULL;
	if (report_head(w, &seconds)) {
		err = report_end(m);
		m->first = m->reports++ ? m->first : seconds;
		seconds += seconds < m->first ? 86400 : 0;
		m->time = seconds - m->first;
		m->sum_bytes = m->sum_blocks = 0;
		return err;
	}
	struct sums at;
	bool is_sum = sum_line(w, &at);
	if (is_sum && !(m->sum_bytes >> 58)) {
		m->sum_bytes += at.bytes;
		m->sum_blocks += at.blocks;
	}
	/* Only the last report has stacks that count. */
	if (m->l.number < m->last)
		return NULL;
	if (is_sum) {
		err = stack_end(m);
		m->in_stack = true;
		m->at = at;
		stack_text_begin(&m->s);
		return err;
	}
	bool indented = word_len(&w) && (*w.at == '\t' || *w.at == ' ');
	word_trim(&w);
	if (m->in_stack && indented && word_len(&w) && !word_skip(&w, "addr = "))
		return frame(m, w);
	return stack_end(m);
}

static struct error *read_memleak(struct memleak *m, const struct input_file *in)
{
	struct error *err = trace_fact(m->t, "format", "memleak (eBPF)", 14);
	uint64_t seconds;
	lines_init(&m->l, in->data, in->size);
	while (lines_next(&m->l))
		if (report_head(m->l.line, &seconds))
			m->last = m->l.number;
	lines_init(&m->l, in->data, in->size);
	while (!err && lines_next(&m->l) && !m->l.cut)
		err = memleak_line(m);
	if (!err)
		err = stack_end(m);
	return err ? err : report_end(m);
}

/* ---- bpftrace ---- */

static struct error *map_end(struct memleak *m, struct word w)
{
	uint64_t n;
	uint32_t stack;
	m->in_stack = false;
	const uint8_t *colon = memrchr(w.at, ':', word_len(&w));
	struct word number = {colon ? colon + 1 : w.end, w.end};
	if (!word_dec(&number, false, &n) || word_len(&number) || n >> 56) {
		trace_damage(m->t, "a map whose value is no size", m->l.number);
		return NULL;
	}
	struct error *err = stack_text_end(&m->s, 0, &stack);
	while (!err && m->of.n <= stack)
		err = vec_push(&m->of, ((struct sums){TRACE_UNKNOWN, TRACE_UNKNOWN}));
	if (err)
		return err;
	*(m->counts ? &m->of.at[stack].blocks : &m->of.at[stack].bytes) = n;
	return NULL;
}

static struct error *map_line(struct memleak *m)
{
	struct word w = m->l.line;
	word_trim(&w);
	if (word_len(&w) && *w.at == '@') {
		struct word v = w;
		m->in_stack = w.end[-1] == '[' || w.end[-1] == ',';
		m->counts = word_find(&v, "count");
		stack_text_begin(&m->s);
		return NULL;
	}
	if (!m->in_stack || !word_len(&w))
		return NULL;
	if (*w.at == ']' || *w.at == ',')
		return map_end(m, w);
	return frame(m, w);
}

static struct error *read_bpftrace(struct memleak *m, const struct input_file *in)
{
	struct error *err = trace_fact(m->t, "format", "bpftrace map", 12);
	lines_init(&m->l, in->data, in->size);
	while (!err && lines_next(&m->l) && !m->l.cut)
		err = map_line(m);
	for (uint64_t i = 0; i < m->of.n && !err; i++) {
		struct trace_totals f = trace_totals_unknown();
		f.live_bytes = m->of.at[i].bytes;
		f.live_objects = m->of.at[i].blocks;
		if (f.live_bytes != TRACE_UNKNOWN || f.live_objects != TRACE_UNKNOWN)
			err = trace_total(m->t, (uint32_t)i, &f);
	}
	return err;
}

/* A map's key that is a stack: "@name[", then a line with blanks in front and "+" in it. */
static bool is_bpftrace(const uint8_t *head, uint64_t len)
{
	struct lines l;
	bool open = false;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	while (lines_next(&l)) {
		struct word w = l.line;
		bool blank = word_len(&w) && *w.at == ' ';
		word_trim(&w);
		if (open && blank && word_len(&w) && memchr(w.at, '+', word_len(&w)))
			return true;
		open = word_len(&w) > 1 && *w.at == '@' && (w.end[-1] == '[' || w.end[-1] == ',');
	}
	return false;
}

static bool is_memleak(const uint8_t *head, uint64_t len)
{
	struct lines l;
	uint64_t seconds;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	while (lines_next(&l))
		if (report_head(l.line, &seconds))
			return true;
	return false;
}

static struct error *memleak_read_trace(const struct input_file *in, struct trace *t,
					struct log *log)
{
	struct memleak m = {.t = t, .s.t = t};
	(void)log;
	struct error *err =
		is_memleak(in->data, in->size) ? read_memleak(&m, in) : read_bpftrace(&m, in);
	if (in->cut || m.l.cut)
		trace_cut(t);
	stack_text_deinit(&m.s);
	vec_deinit(&m.of);
	return err;
}

static bool memleak_probe(const uint8_t *head, uint64_t len)
{
	return is_memleak(head, len) || is_bpftrace(head, len);
}

const struct input_format input_trace_memleak = {
	.name = "output of an eBPF tool",
	.probe = memleak_probe,
	.read_trace = memleak_read_trace,
};
