/*
 * trace_mtrace: logs of glibc's mtrace().
 *
 *	= Start
 *	@ PATH:(SYMBOL+0xOFFSET)[0xADDRESS] OP ...	PATH may have blanks, OP follows the last "] "
 *	@ PATH:[0xADDRESS] OP ...			no symbol
 *	@ [0xADDRESS] OP ...				no module, and glibc before 2.9
 *	= End						only after muntrace()
 *
 *	+ ADDRESS SIZE		malloc, calloc, memalign; ADDRESS (nil): it failed
 *	- ADDRESS		free, realloc(p, 0)
 *	< OLD, > NEW SIZE	two lines of a realloc
 *	! OLD SIZE		a realloc that failed
 *
 * glibc 2.36 malloc/mtrace-impl.c (tr_where and the hooks): addresses of code lie behind the call,
 * relative to the module (absolute in old ones); numbers are %p and %#lx. A child of a fork goes on
 * in the same file, and nothing says whose a line is: its frees of its parent's blocks count. There
 * is no time: the number of the event stands for it.
 */
#include "input/input.h"
#include "input/stack_text.h"

struct mtrace {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	uint64_t old; /* of a realloc whose second line comes next */
	uint64_t events, starts;
	bool pending, ended;
};

/* (nil), 0x..., 0. */
static bool number(struct word *w, uint64_t *ret)
{
	word_blanks(w);
	if (word_skip(w, "(nil)")) {
		*ret = 0;
		return true;
	}
	return word_address(w, ret) || word_hex(w, ret);
}

static const uint8_t *last_of(struct word w, const char *two)
{
	for (const uint8_t *p = w.end; p - w.at >= 2; p--)
		if (p[-2] == (uint8_t)two[0] && p[-1] == (uint8_t)two[1])
			return p - 2;
	return NULL;
}

/* "PATH:(SYMBOL+0xOFFSET)[0xADDRESS" */
static struct error *where(struct mtrace *m, struct word w, uint32_t *ret)
{
	struct word path = {0}, symbol = {0};
	uint64_t address = 0;
	const uint8_t *open = word_len(&w) ? memrchr(w.at, '[', word_len(&w)) : NULL;
	*ret = 0;
	if (!open)
		return NULL;
	struct word a = {open + 1, w.end};
	if (!word_address(&a, &address) || word_len(&a)) {
		trace_damage(m->t, "a caller that cannot be read", m->l.number);
		return NULL;
	}
	w.end = open;
	if (word_len(&w) && w.end[-1] == ')') {
		const uint8_t *from = last_of(w, ":(");
		if (from) {
			symbol = (struct word){from + 2, w.end - 1};
			w.end = from + 1;
			const uint8_t *plus = memrchr(symbol.at, '+', word_len(&symbol));
			if (plus)
				symbol.end = plus;
		}
	}
	if (word_len(&w) && w.end[-1] == ':')
		path = (struct word){w.at, w.end - 1};
	stack_text_begin(&m->s);
	struct error *err = stack_text_code(&m->s, path, address, symbol, (struct word){0});
	return err ? err : stack_text_end(&m->s, 0, ret);
}

/* The other line of a realloc did not come: what is known is that the block went. */
static void flush(struct mtrace *m)
{
	if (m->pending)
		trace_free(m->t, m->old);
	m->pending = false;
}

static struct error *event(struct mtrace *m, uint8_t op, struct word w, uint32_t stack)
{
	uint64_t address, size = 0;
	bool sized = op != '-' && op != '<';
	if (!number(&w, &address) || (sized && !number(&w, &size)) || word_len(&w)) {
		trace_damage(m->t, "an event that cannot be read", m->l.number);
		return NULL;
	}
	if (op == '>') {
		uint64_t old = m->pending ? m->old : 0;
		m->pending = false;
		return trace_realloc(m->t, old, address, size, stack);
	}
	flush(m);
	struct error *err = trace_time(m->t, ++m->events);
	switch (err ? 0 : op) {
	case '+':
		return trace_alloc(m->t, address, size, stack);
	case '-':
		trace_free(m->t, address);
		return NULL;
	case '<':
		m->old = address;
		m->pending = true;
		return NULL;
	case '!':
		return trace_realloc(m->t, address, 0, size, stack);
	default:
		return err;
	}
}

static struct error *read_line(struct mtrace *m)
{
	struct word w = m->l.line;
	word_trim(&w);
	if (word_is(&w, "= Start")) {
		m->starts++;
		return NULL;
	}
	if (word_is(&w, "= End")) {
		m->ended = true;
		return NULL;
	}
	if (!word_len(&w))
		return NULL;
	if (!word_skip(&w, "@ ")) {
		trace_damage(m->t, "a line that is no event", m->l.number);
		return NULL;
	}
	struct word place = {w.at, last_of(w, "] ")};
	uint32_t stack = 0;
	struct error *err = NULL;
	if (place.end) {
		w.at = place.end + 2;
		err = where(m, place, &stack);
	}
	if (err)
		return err;
	if (word_len(&w) < 3 || w.at[1] != ' ' || !strchr("+-<>!", *w.at) || !*w.at) {
		trace_damage(m->t, "an event that cannot be read", m->l.number);
		return NULL;
	}
	uint8_t op = *w.at;
	w.at += 2;
	return event(m, op, w, stack);
}

static struct error *mtrace_read_trace(const struct input_file *in, struct trace *t,
				       struct log *log)
{
	struct mtrace m = {.t = t, .s.t = t};
	struct error *err = trace_fact(t, "format", "glibc mtrace", 12);
	trace_unit(t, "events", 1);
	lines_init(&m.l, in->data, in->size);
	m.l.forget = in->fd >= 0;
	/* What a cut file ends with is no event, however it looks. */
	while (!err && lines_next(&m.l) && !m.l.cut) {
		err = read_line(&m);
		if (m.l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(m.l.at - m.l.start), in->size);
	}
	flush(&m);
	if (in->cut || m.l.cut)
		trace_cut(t);
	if (!err && m.ended)
		err = trace_fact(t, "ended", "1", 1);
	stack_text_deinit(&m.s);
	return err;
}

static bool mtrace_probe(const uint8_t *head, uint64_t len)
{
	struct lines l;
	lines_init(&l, head, len < 4096 ? len : 4096);
	if (!lines_next(&l))
		return false;
	word_trim(&l.line);
	if (word_is(&l.line, "= Start"))
		return true;
	/* One whose beginning is gone. */
	const uint8_t *op = word_skip(&l.line, "@ ") ? last_of(l.line, "] ") : NULL;
	return op && l.line.end - op > 4 && op[2] && strchr("+-<>!", op[2]) && op[3] == ' ';
}

const struct input_format input_trace_mtrace = {
	.name = "glibc mtrace log",
	.probe = mtrace_probe,
	.read_trace = mtrace_read_trace,
};
