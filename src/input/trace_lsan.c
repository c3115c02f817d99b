/*
 * trace_lsan: reports of LeakSanitizer, alone or within AddressSanitizer.
 *
 *	==PID==ERROR: LeakSanitizer: detected memory leaks
 *	Direct leak of 300 byte(s) in 1 object(s) allocated from:
 *	    #0 0x7f5b848b83b7 in __interceptor_calloc FILE:LINE[:COLUMN]
 *	    #1 0x55e2ebd66404 in keep FILE:LINE[:COLUMN]
 *	    #2 0x7f5b84046189 in fn (MODULE+0xOFFSET) (BuildId: 1234...)
 *	    #3 0x7f5b84046189  (MODULE+0xOFFSET)
 *	    #4 0x602000000010  (<unknown module>)
 *	Objects leaked above:				report_objects=1
 *	0x602000000010 (300 bytes)
 *	SUMMARY: AddressSanitizer: 300 byte(s) leaked in 1 allocation(s).
 *
 * compiler-rt lib/lsan/lsan_common.cpp (LeakReport::PrintReportForLeak, PrintSummary),
 * lib/sanitizer_common/sanitizer_stacktrace_printer.cpp (LLVM 14, gcc 12). Sizes are direct, they
 * add up. Lines may have terminal colours; several processes may have written one after another.
 * Addresses of frames are already return address - 1, so offsets are not lowered again.
 */
#include "input/input.h"
#include "input/stack_text.h"

#include <inttypes.h>
#include <stdio.h>

struct lsan {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	uint32_t root[2]; /* direct, indirect */
	bool open;	  /* frames of a record follow */
	uint32_t kind;
	uint64_t bytes, objects;
	uint64_t sum, said; /* by records and by SUMMARY lines */
	uint64_t reports;
};

static const char *const kind_name[2] = {"[direct leak]", "[indirect leak]"};

/* ESC [ ... m, as terminals get it: lib/sanitizer_common/sanitizer_common.h, SanitizerCommonDecorator */
static void skip_colours(struct word *w)
{
	word_blanks(w);
	while (word_len(w) > 2 && w->at[0] == 0x1b && w->at[1] == '[') {
		const uint8_t *p = w->at + 2;
		while (p < w->end && ((*p >= '0' && *p <= '9') || *p == ';'))
			p++;
		if (p == w->end || *p != 'm')
			return;
		w->at = p + 1;
	}
}

static struct error *record_end(struct lsan *m)
{
	struct trace_totals f = trace_totals_unknown();
	uint32_t stack;
	if (!m->open)
		return NULL;
	m->open = false;
	struct error *err = stack_text_end(&m->s, m->root[m->kind], &stack);
	f.live_bytes = m->bytes;
	f.live_objects = m->objects;
	return err ? err : trace_total(m->t, stack, &f);
}

/* "Direct leak of N byte(s) in M object(s) allocated from:" */
static bool leak(struct lsan *m, struct word w)
{
	uint64_t bytes, objects;
	uint32_t kind = word_skip(&w, "Indirect leak of ");
	if (!kind && !word_skip(&w, "Direct leak of "))
		return false;
	if (!word_dec(&w, false, &bytes) || !word_skip(&w, " byte(s) in ") ||
	    !word_dec(&w, false, &objects) || bytes >> 48 || objects >> 48 || m->sum >> 60) {
		trace_damage(m->t, "a leak that cannot be read", m->l.number);
		return true;
	}
	m->kind = kind;
	m->bytes = bytes;
	m->objects = objects;
	m->sum += bytes;
	m->open = true;
	stack_text_begin(&m->s);
	return true;
}

/* "(MODULE+0xOFFSET)" at the end of w, which loses it; with a build id behind it. */
static bool module_at_end(struct word *w, struct word *module, uint64_t *offset,
			  struct word *build_id)
{
	struct word v = *w;
	const uint8_t *open = memrchr(v.at, '(', word_len(&v));
	*build_id = (struct word){0};
	if (open) {
		struct word id = {open + 1, v.end - 1};
		if (word_skip(&id, "BuildId: ")) {
			*build_id = id;
			v.end = open;
			word_trim(&v);
		}
	}
	if (!word_len(&v) || v.end[-1] != ')')
		return false;
	/* Names of functions have parentheses, and paths may: a path is absolute. */
	const uint8_t *plus = memrchr(v.at, '+', word_len(&v));
	open = plus ? memmem(v.at, (size_t)(plus - v.at), "(/", 2) : NULL;
	while (open && open > v.at && open[-1] != ' ' && open[-1] != '\t')
		open = memmem(open + 1, (size_t)(plus - open - 1), "(/", 2);
	if (!open && plus)
		open = memrchr(v.at, '(', (size_t)(plus - v.at));
	if (!open)
		return false;
	struct word number = {plus + 1, v.end - 1};
	if (!word_address(&number, offset) || word_len(&number))
		return false;
	*module = (struct word){open + 1, plus};
	w->end = open;
	word_trim(w);
	return true;
}

/* "#1 0x55e2ebd66404 in keep /tmp/leaky.c:25" */
static struct error *frame(struct lsan *m, struct word w, bool *ret)
{
	uint64_t n, address, offset;
	struct word module = {0}, id, file = {0};
	*ret = word_skip(&w, "#") && word_dec(&w, false, &n) && word_address(&w, &address);
	if (!*ret)
		return NULL;
	word_trim(&w);
	if (word_skip(&w, "in "))
		word_trim(&w);
	if (word_len(&w) && module_at_end(&w, &module, &offset, &id))
		/* A frame of a file: what it lowers by one, the sanitizer has lowered. */
		return stack_text_code(&m->s, module, offset + 1, w, id);
	if (word_len(&w) && w.end[-1] == ')') {
		/* (<unknown module>) */
		const uint8_t *open = memrchr(w.at, '(', word_len(&w));
		if (open && w.end - open > 2 && open[1] == '<')
			w.end = open;
	} else if (word_len(&w)) {
		/* The file begins at the first " /", else behind the last blank. */
		const uint8_t *from = memmem(w.at, word_len(&w), " /", 2);
		from = from ? from : memrchr(w.at, ' ', word_len(&w));
		if (from) {
			file = (struct word){from + 1, w.end};
			w.end = from;
		}
	}
	word_trim(&w);
	uint64_t line = stack_text_line(&file);
	return stack_text_add(&m->s, w, file, line, module, address);
}

static struct error *read_line(struct lsan *m)
{
	struct word w = m->l.line;
	uint64_t n;
	bool known = false;
	struct error *err = NULL;
	skip_colours(&w);
	word_trim(&w);
	if (m->open) {
		err = frame(m, w, &known);
		if (known || err)
			return err;
		err = record_end(m);
		if (err)
			return err;
	}
	if (leak(m, w))
		return NULL;
	if (word_skip(&w, "SUMMARY: ") && word_find(&w, "Sanitizer: ") && word_dec(&w, false, &n) &&
	    word_skip(&w, " byte(s) leaked")) {
		m->said = m->said >> 60 || n >> 60 ? m->said : m->said + n;
		return NULL;
	}
	if (word_find(&w, "ERROR: LeakSanitizer: detected memory leaks"))
		m->reports++;
	return NULL;
}

static struct error *begin(struct lsan *m)
{
	struct error *err = NULL;
	for (unsigned k = 0; k < 2 && !err; k++) {
		struct trace_frame f = {0};
		uint32_t id;
		err = trace_string(m->t, kind_name[k], strlen(kind_name[k]), &f.function);
		if (!err)
			err = trace_frame(m->t, &f, &id);
		if (!err)
			err = trace_stack(m->t, id, 0, &m->root[k]);
	}
	return err ? err : trace_fact(m->t, "format", "LeakSanitizer report", 20);
}

static struct error *lsan_read_trace(const struct input_file *in, struct trace *t, struct log *log)
{
	struct lsan m = {.t = t, .s.t = t};
	struct error *err = begin(&m);
	lines_init(&m.l, in->data, in->size);
	m.l.forget = in->fd >= 0;
	while (!err && lines_next(&m.l)) {
		err = read_line(&m);
		if (m.l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(m.l.at - m.l.start), in->size);
	}
	if (!err)
		err = record_end(&m);
	/* Each report ends with its sum; limits (max_leaks) and damage leave records out. */
	if (in->cut || (!m.said && m.sum))
		trace_cut(t);
	else if (m.said != m.sum)
		trace_damage(t, "a sum that is not that of its leaks", 0);
	if (!err && m.reports > 1) {
		char text[32];
		int n = snprintf(text, sizeof(text), "%" PRIu64, m.reports);
		err = trace_fact(t, "processes", text, (size_t)n);
	}
	stack_text_deinit(&m.s);
	return err;
}

/* Anywhere in the first megabyte: the program wrote before. */
static bool lsan_probe(const uint8_t *head, uint64_t len)
{
	struct word w = {head, head + (len < 1 << 20 ? len : 1 << 20)};
	return word_find(&w, "LeakSanitizer: detected memory leaks") ||
	       word_skip(&w, "Direct leak of ");
}

const struct input_format input_trace_lsan = {
	.name = "LeakSanitizer report",
	.probe = lsan_probe,
	.read_trace = lsan_read_trace,
};
