/*
 * trace_memleak: what eBPF tools print: memleak of bcc and of libbpf-tools, maps of bpftrace.
 *
 * bcc 0.26 tools/memleak.py (print_outstanding, print_outstanding_combined; frames by BPF.sym):
 *
 *	[11:16:33] Top 10 stacks with outstanding allocations:
 *		addr = 948cd0 size = 16			-a
 *		80 bytes in 5 allocations from stack
 *			0x000055d7050e62a0<tab>main+0x6d [allocs]	before 0.20 without the address
 *			0x00007f6e6d64b830<tab>[unknown] [libx.so]
 *			stack information lost		--combined-only
 *
 * libbpf-tools/memleak.c of 2023 on (print_outstanding_allocs, print_stack_frames_by_*):
 *
 *	[9:5:3] Top 2 stacks with outstanding allocations:
 *	80 bytes in 5 allocations from stack
 *		addr = 0x948cd0 size = 16		-a
 *		0 [<000055d7050e62a0>] main+0x6d [allocs]
 *		1 [<000055d7050e62a0>] main+0x6d allocs.c:12	built with blazesym
 *		2 [<00007f6e6d64b830>] [libx.so]
 *		3 [<0000000000000001>] <null sym>
 *		4 [<000055d7050e62a0>] (2 entries)
 *			get@0x55d7050e6200 get.c:7	one of them
 *
 * Every few seconds again: the last report is what is live, all of them are the curve. Only the
 * first N stacks are in it, and what is younger than half a second is not.
 *
 * bpftrace 0.17, src/output.cpp and BPFtrace::get_stack, a map with a stack in its key, at the end of the
 * run or at intervals:
 *
 *	@bytes[
 *	    malloc+0
 *	    0x7f4abc4ae7e0			no symbol
 *	]: 80				or ", NAME]: 80"; the map may begin "@bytes[NAME, "
 *	@all[
 *	<tab>7f6096b97109 main+20 (/usr/bin/app)	ustack(perf)
 *	]: count 5, average 16, total 80	stats()
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

/* What stands in front of a function: an address, a number with one. `perf`: without 0x. */
static bool frame_address(struct word *w, bool perf, uint64_t *address)
{
	struct word v = *w;
	uint64_t n;
	word_skip(&v, "#");
	if (word_dec(&v, false, &n) && word_skip(&v, " [<")) {
		word_skip(&v, "0x");
		if (!word_hex(&v, address) || !word_skip(&v, ">]"))
			return false;
		*w = v;
		return true;
	}
	return perf ? word_hex(w, address) : word_address(w, address);
}

/* "[allocs]" or, `perf`, "(/usr/bin/app)" at the end of w, which loses it. */
static void frame_module(struct word *w, bool perf, struct word *module)
{
	if (!word_len(w) || w->end[-1] != (perf ? ')' : ']'))
		return;
	const uint8_t *open = memrchr(w->at, perf ? '(' : '[', word_len(w));
	if (!open || (open > w->at && open[-1] != ' '))
		return;
	*module = (struct word){open + 1, w->end - 1};
	if (word_is(module, "[unknown]") || word_is(module, "unknown"))
		module->end = module->at;
	w->end = open;
	word_trim(w);
}

/*
 * "main+0x6d", "main+109", "get@0x55d7050e6200", a place in a file behind it: the last such offset
 * that a blank or the end follows, since names have + of their own.
 */
static void frame_offset(struct word *w, struct word *file, uint64_t *line)
{
	for (const uint8_t *p = w->end; p-- > w->at;) {
		struct word v = {p + 1, w->end};
		uint64_t n;
		if ((*p != '+' && *p != '@') || p == w->at || !word_len(&v) || *v.at < '0' ||
		    *v.at > '9')
			continue;
		if (!word_address(&v, &n) && !word_dec(&v, false, &n))
			continue;
		if (word_len(&v) && *v.at != ' ')
			continue;
		w->end = p;
		word_trim(&v);
		*line = stack_text_line(&v);
		if (*line)
			*file = v;
		return;
	}
}

/* bpftrace's ustack(perf): "7f6096b97109 main+20 (/usr/bin/app)" */
static bool frame_is_perf(struct word w)
{
	uint64_t n;
	return word_len(&w) && w.end[-1] == ')' && word_hex(&w, &n) && word_len(&w) && *w.at == ' ';
}

static struct error *frame(struct memleak *m, struct word w)
{
	struct word module = {0}, file = {0};
	uint64_t address = 0, line = 0, n;
	word_trim(&w);
	bool perf = frame_is_perf(w);
	if (frame_address(&w, perf, &address))
		word_trim(&w);
	struct word v = w;
	if (word_is(&w, "stack information lost") ||
	    (word_skip(&v, "(") && word_dec(&v, false, &n) && word_is(&v, " entries)")))
		return NULL;
	frame_module(&w, perf, &module);
	frame_offset(&w, &file, &line);
	v = w;
	if (word_is(&w, "[unknown]") || word_is(&w, "<null sym>") ||
	    (word_address(&v, &n) && !word_len(&v)))
		w.end = w.at;
	return stack_text_add(&m->s, w, file, line, module, address);
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
	/* libbpf-tools has them between the sum and the frames. */
	if (word_skip(&w, "addr = "))
		return NULL;
	if (m->in_stack && indented && word_len(&w))
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

/* "80", "count 5, average 16, total 80" */
static bool map_value(struct memleak *m, struct word w, struct sums *ret)
{
	struct word v = w;
	uint64_t average;
	*ret = (struct sums){TRACE_UNKNOWN, TRACE_UNKNOWN};
	word_blanks(&v);
	if (word_skip(&v, "count "))
		return word_dec(&v, false, &ret->blocks) && word_skip(&v, ", average ") &&
		       word_dec(&v, false, &average) && word_skip(&v, ", total ") &&
		       word_dec(&v, false, &ret->bytes) && !word_len(&v) && !(ret->blocks >> 56) &&
		       !(ret->bytes >> 56);
	uint64_t *to = m->counts ? &ret->blocks : &ret->bytes;
	return word_dec(&v, false, to) && !word_len(&v) && !(*to >> 56);
}

static struct error *map_end(struct memleak *m, struct word w)
{
	struct sums value;
	uint32_t stack;
	m->in_stack = false;
	const uint8_t *colon = memrchr(w.at, ':', word_len(&w));
	if (!colon || !map_value(m, (struct word){colon + 1, w.end}, &value)) {
		trace_damage(m->t, "a map whose value is no size", m->l.number);
		return NULL;
	}
	struct error *err = stack_text_end(&m->s, 0, &stack);
	while (!err && m->of.n <= stack)
		err = vec_push(&m->of, ((struct sums){TRACE_UNKNOWN, TRACE_UNKNOWN}));
	if (err)
		return err;
	struct sums *to = &m->of.at[stack];
	to->bytes = value.bytes != TRACE_UNKNOWN ? value.bytes : to->bytes;
	to->blocks = value.blocks != TRACE_UNKNOWN ? value.blocks : to->blocks;
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

/* A map's key that is a stack: "@name[", then a line with blanks in front, and "+" in it or an address. */
static bool is_bpftrace(const uint8_t *head, uint64_t len)
{
	struct lines l;
	bool open = false;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	while (lines_next(&l)) {
		struct word w = l.line;
		bool blank = word_len(&w) && (*w.at == ' ' || *w.at == '\t');
		word_trim(&w);
		struct word v = w;
		uint64_t n;
		if (open && blank && word_len(&w) &&
		    (memchr(w.at, '+', word_len(&w)) || word_address(&v, &n) || frame_is_perf(w)))
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
