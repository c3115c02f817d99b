/*
 * trace_massif: massif.out files (valgrind), also those that heaptrack_print -M writes.
 *
 *	desc: --time-unit=B
 *	cmd: ./leaky
 *	time_unit: B			i: instructions, ms, B: bytes allocated and freed
 *	#-----------
 *	snapshot=0
 *	#-----------
 *	time=0
 *	mem_heap_B=0			what was asked for
 *	mem_heap_extra_B=0		headers, rounding
 *	mem_stacks_B=0
 *	heap_tree=empty | detailed | peak
 *	n2: 10045 (heap allocation functions) malloc/new/new[], --alloc-fns, etc.
 *	 n1: 9045 0x109271: keep (leaky.c:26)
 *	  n0: 9045 0x109347: main (leaky.c:42)
 *	 n0: 1000 in 3 places, all below massif's threshold (1.00%)
 *
 * valgrind 3.19 massif/ms_main.c (write_snapshots_to_file), coregrind/m_xtree.c (VG_(XT_massif_print)).
 * heaptrack's times are seconds with a fraction, its unit "s". Blanks are the depth; below the root
 * come the callers from the inside out, and a node's bytes are those of its children and of what was
 * cut. What the tree of the peak says is peak_bytes; the end of the run is in no file, so what was
 * live then is not known.
 */
#include "input/input.h"
#include "input/stack_text.h"

enum { DEPTH_MAX = 1 << 12 };

struct massif {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	VEC(uint64_t) rest; /* by depth: bytes of the node that its children do not explain */
	VEC(uint64_t) had;  /* by depth: frames of the node's stack */
	uint64_t time, heap, extra, stacks;
	uint64_t peak, peak_time;
	uint64_t tree_heap; /* bytes of the tree that is taken; it begins at line `tree_line` */
	uint64_t tree_line; /* 0: none */
	const uint8_t *tree_at;
	bool tree_is_peak;
	bool seconds; /* heaptrack's times: with a fraction */
};

static bool number_of(struct word w, const char *key, uint64_t *ret)
{
	return word_skip(&w, key) && word_dec(&w, false, ret) && !word_len(&w);
}

/* ---- the tree ---- */

/* The node that is deepest now is complete. */
static struct error *pop(struct massif *m)
{
	struct trace_totals f = trace_totals_unknown();
	uint32_t stack;
	uint64_t own = m->rest.at[m->rest.n - 1];
	struct error *err = NULL;
	m->s.frame.n = m->had.at[m->had.n - 1];
	if (own) {
		f.peak_bytes = own;
		err = stack_text_end(&m->s, 0, &stack);
		if (!err)
			err = trace_total(m->t, stack, &f);
	}
	m->rest.n--;
	m->had.n--;
	m->s.frame.n = m->had.n ? m->had.at[m->had.n - 1] : 0;
	return err;
}

/* "n2: 9045 0x109271: keep (leaky.c:26)"; false in *ret: the tree is over. */
static struct error *node(struct massif *m, struct word w, bool *ret)
{
	uint64_t depth = 0, children, bytes;
	bool known;
	*ret = false;
	while (w.at < w.end && *w.at == ' ') {
		w.at++;
		depth++;
	}
	if (!word_skip(&w, "n") || !word_dec(&w, false, &children) || !word_skip(&w, ": ") ||
	    !word_dec(&w, false, &bytes))
		return NULL;
	*ret = true;
	if (depth > m->rest.n || depth >= DEPTH_MAX || bytes >> 60) {
		trace_damage(m->t, "a node of a tree that is in no place", m->l.number);
		return NULL;
	}
	struct error *err = NULL;
	while (m->rest.n > depth && !err)
		err = pop(m);
	if (err)
		return err;
	if (depth) {
		uint64_t *above = &m->rest.at[depth - 1];
		if (bytes > *above) {
			trace_damage(m->t, "a node with more than its parent has", m->l.number);
			bytes = *above;
		}
		*above -= bytes;
		word_blanks(&w);
		err = stack_text_valgrind(&m->s, w, &known);
	}
	if (!err)
		err = vec_push(&m->rest, bytes);
	return err ? err : vec_push(&m->had, m->s.frame.n);
}

static struct error *read_tree(struct massif *m, const struct input_file *in)
{
	struct error *err = NULL;
	bool more = true;
	if (!m->tree_line)
		return NULL;
	lines_init(&m->l, m->tree_at, (uint64_t)(in->data + in->size - m->tree_at));
	m->l.number = m->tree_line;
	stack_text_begin(&m->s);
	while (!err && more && lines_next(&m->l) && !m->l.cut)
		err = node(m, m->l.line, &more);
	while (!err && m->rest.n)
		err = pop(m);
	return err;
}

/* ---- snapshots ---- */

/* The tree that tells of the peak: the one that says so, else the biggest. */
static void tree_seen(struct massif *m, bool is_peak)
{
	if (m->tree_line &&
	    (m->tree_is_peak > is_peak || (m->tree_is_peak == is_peak && m->heap < m->tree_heap)))
		return;
	m->tree_is_peak = is_peak;
	m->tree_heap = m->heap;
	m->tree_line = m->l.number;
	m->tree_at = m->l.at;
}

/* Whole ticks, or seconds with a fraction. */
static void time_line(struct massif *m, struct word w)
{
	uint64_t n, milli = 0, unit = 100;
	if (!word_dec(&w, false, &n) || n >> 56 || (m->seconds && n >> 40)) {
		trace_damage(m->t, "an impossible time", m->l.number);
		return;
	}
	if (!m->seconds) {
		m->time = n;
		return;
	}
	if (word_skip(&w, "."))
		for (; w.at < w.end && *w.at >= '0' && *w.at <= '9'; w.at++, unit /= 10)
			milli += (uint64_t)(*w.at - '0') * unit;
	m->time = n * 1000 + milli;
}

static struct error *snapshot_line(struct massif *m, struct word w)
{
	uint64_t n;
	if (word_skip(&w, "time=")) {
		time_line(m, w);
	} else if (number_of(w, "mem_heap_B=", &n)) {
		if (n >> 60 || m->time >> 56) {
			trace_damage(m->t, "an impossible size", m->l.number);
			return NULL;
		}
		m->heap = n;
		if (n > m->peak) {
			m->peak = n;
			m->peak_time = m->time;
		}
		return trace_sample(m->t, m->time, n, TRACE_UNKNOWN);
	} else if (word_is(&w, "heap_tree=peak")) {
		tree_seen(m, true);
	} else if (word_is(&w, "heap_tree=detailed")) {
		tree_seen(m, false);
	}
	return NULL;
}

static struct error *head_line(struct massif *m, struct word w)
{
	if (word_skip(&w, "cmd: "))
		return trace_fact(m->t, "args", (const char *)w.at, word_len(&w));
	if (word_skip(&w, "desc: ")) {
		bool pages = word_find(&w, "--pages-as-heap=yes");
		return pages ? trace_fact(m->t, "pages_as_heap", "1", 1) : NULL;
	}
	if (!word_skip(&w, "time_unit: "))
		return NULL;
	m->seconds = word_is(&w, "s");
	if (word_is(&w, "i"))
		trace_unit(m->t, "instructions", 1);
	else if (word_is(&w, "B"))
		trace_unit(m->t, "bytes", 1);
	else if (word_is(&w, "ms"))
		trace_unit(m->t, "s", 0.001);
	return NULL;
}

static struct error *massif_read_trace(const struct input_file *in, struct trace *t,
				       struct log *log)
{
	struct massif m = {.t = t, .s.t = t, .seconds = true};
	struct error *err = trace_fact(t, "format", "massif", 6);
	trace_unit(t, "s", 0.001);
	bool head = true;
	lines_init(&m.l, in->data, in->size);
	while (!err && lines_next(&m.l) && !m.l.cut) {
		struct word w = m.l.line;
		word_trim(&w);
		head &= !word_skip(&w, "snapshot=");
		struct word v = w;
		head |= word_skip(&v, "cmd: ");
		err = head ? head_line(&m, w) : snapshot_line(&m, w);
		if (m.l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(m.l.at - m.l.start), in->size);
	}
	if (in->cut || m.l.cut)
		trace_cut(t);
	if (m.peak)
		trace_peak(t, m.peak, m.peak_time);
	if (!err)
		err = read_tree(&m, in);
	stack_text_deinit(&m.s);
	vec_deinit(&m.rest);
	vec_deinit(&m.had);
	return err;
}

static bool massif_probe(const uint8_t *head, uint64_t len)
{
	struct lines l;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	if (!lines_next(&l))
		return false;
	/* heaptrack_print 1.4 -M writes the first three lines behind the first snapshots. */
	if (word_skip(&l.line, "#-----------"))
		return lines_next(&l) && word_is(&l.line, "snapshot=0") && lines_next(&l) &&
		       lines_next(&l) && word_skip(&l.line, "time=");
	if (!word_skip(&l.line, "desc:"))
		return false;
	return lines_next(&l) && word_skip(&l.line, "cmd:") && lines_next(&l) &&
	       word_skip(&l.line, "time_unit:");
}

const struct input_format input_trace_massif = {
	.name = "massif data",
	.probe = massif_probe,
	.read_trace = massif_read_trace,
};
