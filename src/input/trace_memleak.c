/*
 * trace_memleak: what memleak prints, that of bcc and that of libbpf-tools.
 *
 * bcc 0.26 tools/memleak.py (print_outstanding, print_outstanding_combined; frames by BPF.sym):
 *
 *	[11:16:33] Top 10 stacks with outstanding allocations:
 *		addr = 948cd0 size = 16			-a
 *		80 bytes in 5 allocations from stack
 *			0x000055d7050e62a0<tab>main+0x6d [allocs]	before 0.20 without the address
 *			stack information lost		--combined-only
 *
 * libbpf-tools/memleak.c of 2023 on (print_outstanding_allocs, print_stack_frames_by_*):
 *
 *	[9:5:3] Top 2 stacks with outstanding allocations:
 *	80 bytes in 5 allocations from stack
 *		addr = 0x948cd0 size = 16		-a
 *		0 [<000055d7050e62a0>] main+0x6d [allocs]
 *
 * Every few seconds again: the last report is what is live, all of them are the curve. Only the
 * first N stacks are in it, and what is younger than half a second is not.
 *
 * -t prints each call in place of reports. bcc: the tuple of BPF.trace_fields (task, thread, cpu, flags, seconds
 * since the machine started, message), of Python 2 without b; libbpf-tools: to the kernel's trace_pipe
 * (kernel/trace/trace_output.c), seconds before a colon:
 *
 *	(b'allocs', 5193, 0, b'd..31', 1234.567891, b'alloc entered, size = 16')
 *	(b'allocs', 5193, 0, b'd..31', 1234.567893, b'alloc exited, size = 16, result = 948cd0')
 *	          allocs-5193    [000] d..31  1234.567895: bpf_trace_printk: free entered, address = 948cd0, size = 16
 *
 * The exit has all of an allocation. A realloc is a free and an allocation, also if it fails. A free that memleak
 * knows no allocation of has no line. No stacks; what else writes to the same pipe may lie between.
 */
#include "input/ebpf_text.h"
#include "input/input.h"

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
		return ebpf_text_frame(&m->s, w);
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

/* ---- -t: each call ---- */

struct call {
	bool is_free;
	uint64_t address, size;
	uint64_t time; /* microseconds; 0: not told */
};

/* The last "SECONDS.MICROSECONDS" in front of the message. */
static uint64_t call_time(struct word w)
{
	for (const uint8_t *dot = w.end; dot-- > w.at + 1;) {
		struct word to = {dot + 1, w.end}, from = {dot, dot};
		uint64_t seconds, part;
		if (*dot != '.' || word_len(&to) < 1)
			continue;
		while (from.at > w.at && from.at[-1] >= '0' && from.at[-1] <= '9')
			from.at--;
		const uint8_t *begin = to.at;
		if (!word_dec(&from, false, &seconds) || !word_dec(&to, false, &part) ||
		    seconds >> 40)
			continue;
		/* Python leaves out noughts at the end. */
		ptrdiff_t digits = to.at - begin;
		if (digits > 6)
			continue;
		for (; digits < 6; digits++)
			part *= 10;
		return seconds * 1000000 + part;
	}
	return 0;
}

static bool call_line(struct word w, struct call *ret)
{
	static const char alloc[] = "alloc exited, size = ", gone[] = "free entered, address = ";
	struct word v = w;
	size_t text = sizeof(alloc) - 1;
	*ret = (struct call){0};
	if (word_find(&v, alloc)) {
		w.end = v.at - text;
		if (!word_dec(&v, false, &ret->size) || !word_skip(&v, ", result = "))
			return false;
	} else {
		text = sizeof(gone) - 1;
		if (!word_find(&v, gone))
			return false;
		w.end = v.at - text;
		ret->is_free = true;
	}
	ret->time = call_time(w);
	return word_hex(&v, &ret->address) && (!ret->is_free || word_skip(&v, ", size = "));
}

static struct error *read_calls(struct memleak *m, const struct input_file *in, struct log *log)
{
	struct error *err = trace_fact(m->t, "format", "memleak -t (eBPF)", 17);
	struct call c;
	trace_unit(m->t, "s", 1e-6);
	lines_init(&m->l, in->data, in->size);
	m->l.forget = in->fd >= 0;
	while (!err && lines_next(&m->l) && !m->l.cut) {
		if (m->l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(m->l.at - m->l.start), in->size);
		if (!call_line(m->l.line, &c))
			continue;
		m->first = m->first ? m->first : c.time;
		if (c.time >= m->first && c.time)
			err = trace_time(m->t, c.time - m->first);
		if (!err && c.is_free)
			trace_free(m->t, c.address);
		else if (!err)
			err = trace_alloc(m->t, c.address, c.size, 0);
	}
	return err;
}

/* ---- which of them it is ---- */

static bool has_report(const uint8_t *head, uint64_t len)
{
	struct lines l;
	uint64_t seconds;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	while (lines_next(&l))
		if (report_head(l.line, &seconds))
			return true;
	return false;
}

static bool has_call(const uint8_t *head, uint64_t len)
{
	struct lines l;
	struct call c;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	while (lines_next(&l))
		if (call_line(l.line, &c))
			return true;
	return false;
}

static struct error *memleak_read_trace(const struct input_file *in, struct trace *t,
					struct log *log)
{
	struct memleak m = {.t = t, .s.t = t};
	struct error *err =
		has_report(in->data, in->size) ? read_memleak(&m, in) : read_calls(&m, in, log);
	if (in->cut || m.l.cut)
		trace_cut(t);
	stack_text_deinit(&m.s);
	return err;
}

static bool memleak_probe(const uint8_t *head, uint64_t len)
{
	return has_report(head, len) || has_call(head, len);
}

const struct input_format input_trace_memleak = {
	.name = "output of memleak (eBPF)",
	.probe = memleak_probe,
	.read_trace = memleak_read_trace,
};
