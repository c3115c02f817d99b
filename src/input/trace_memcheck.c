/*
 * trace_memcheck: leak reports of valgrind's memcheck, as XML and as the text log.
 *
 * XML: docs/internals/xml-output-protocol4.txt (valgrind 3.19). An <error> whose <kind> begins with
 * Leak_ is a loss record: <xwhat> has text, leakedbytes, leakedblocks, then a <stack> of <frame>s
 * with ip, obj, fn, dir, file, line. leakedbytes of a definite loss has in it what hangs on the
 * block, which has records of its own; the text says "(48 direct, 1,392 indirect)".
 *
 * Text, "==PID== " before each line (memcheck/mc_leakcheck.c, print_results and pp_LossRecord):
 *
 *	total heap usage: 64 allocs, 17 frees, 18,551 bytes allocated
 *	1,440 (48 direct, 1,392 indirect) bytes in 1 blocks are definitely lost in loss record 5 of 7
 *	   at 0x48417B4: malloc (vg_replace_malloc.c:381)
 *	   by 0x1091E7: chain (leaky.c:14)
 *	LEAK SUMMARY:
 *	   definitely lost: 348 bytes in 2 blocks
 *
 * One file may hold several processes, and several reports of one (leak checks on request): the last
 * one of each process counts. Each kind of loss is a root of the tree of its own: what is merely
 * still reachable is known to be no leak. What only the summary has (records that were not asked
 * for) is added without a stack.
 */
#include "base/cleanup.h"
#include "input/input.h"
#include "input/stack_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { KINDS = 4, PROCESSES_MAX = 1 << 16, TAG_TEXT = 1 << 14 };

static const char *const kind_name[KINDS] = {
	"definitely lost",
	"indirectly lost",
	"possibly lost",
	"still reachable",
};
static const char *const kind_key[KINDS] = {
	"definitely_lost_bytes",
	"indirectly_lost_bytes",
	"possibly_lost_bytes",
	"still_reachable_bytes",
};
/* memcheck/mc_errors.c, xml_leak_kind */
static const char *const kind_xml[KINDS] = {
	"Leak_DefinitelyLost",
	"Leak_IndirectlyLost",
	"Leak_PossiblyLost",
	"Leak_StillReachable",
};

struct record {
	uint32_t process, report, kind, frames; /* report: of the process, from 1 */
	uint64_t first;				/* of its frames */
	uint64_t bytes, blocks;
};

struct process {
	uint64_t pid;
	uint32_t report;
	bool summed; /* the summary of the report has been read */
	bool usage;
	uint64_t allocs, allocated;	      /* total heap usage */
	uint64_t indirect;		      /* that its definite losses tell of */
	uint64_t bytes[KINDS], blocks[KINDS]; /* of the summary */
};

struct memcheck {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	VEC(struct record) record;
	VEC(struct process) process;
	VEC(uint32_t) frame;
	uint32_t current;   /* process */
	bool open;	    /* the record before may get more frames */
	bool command_known; /* of the first process */
};

static void memcheck_deinit(struct memcheck *m)
{
	stack_text_deinit(&m->s);
	vec_deinit(&m->record);
	vec_deinit(&m->process);
	vec_deinit(&m->frame);
}

static struct process *process(struct memcheck *m)
{
	return &m->process.at[m->current];
}

/* Makes `pid` the current one. */
static struct error *process_set(struct memcheck *m, uint64_t pid, bool anew)
{
	if (m->process.n && process(m)->pid == pid && !anew)
		return NULL;
	m->open = false;
	for (uint64_t i = m->process.n; i-- && !anew;)
		if (m->process.at[i].pid == pid) {
			m->current = (uint32_t)i;
			return NULL;
		}
	if (m->process.n == PROCESSES_MAX) {
		trace_damage(m->t, "too many processes", m->l.number);
		return NULL;
	}
	struct error *err = vec_push(&m->process, ((struct process){.pid = pid, .report = 1}));
	m->current = (uint32_t)m->process.n - 1;
	return err;
}

/* A new report of the current process begins, if one is complete. */
static void report_begin(struct memcheck *m)
{
	struct process *p = process(m);
	if (!p->summed)
		return;
	p->report++;
	p->summed = false;
	p->indirect = 0;
	memset(p->bytes, 0, sizeof(p->bytes));
	memset(p->blocks, 0, sizeof(p->blocks));
}

/* "1,440 (48 direct, 1,392 indirect) bytes in 1 blocks are definitely lost in loss record ..." */
static bool loss(struct word w, struct record *r, uint64_t *indirect)
{
	*indirect = 0;
	if (!word_dec(&w, true, &r->bytes) || !word_skip(&w, " "))
		return false;
	if (word_skip(&w, "(") && !(word_dec(&w, true, &r->bytes) && word_skip(&w, " direct, ") &&
				    word_dec(&w, true, indirect) && word_skip(&w, " indirect) ")))
		return false;
	if (!word_skip(&w, "bytes in ") || !word_dec(&w, true, &r->blocks) ||
	    !word_skip(&w, " blocks are "))
		return false;
	for (r->kind = 0; r->kind < KINDS; r->kind++)
		if (word_skip(&w, kind_name[r->kind]))
			return true;
	return false;
}

static struct error *record_add(struct memcheck *m, struct record r, uint64_t indirect)
{
	if (r.bytes >> 60 || r.blocks >> 60 || indirect >> 60) {
		trace_damage(m->t, "an impossible size", m->l.number);
		return NULL;
	}
	report_begin(m);
	r.process = m->current;
	r.report = process(m)->report;
	r.first = m->frame.n;
	if (r.kind == 0 && process(m)->indirect >> 60 == 0)
		process(m)->indirect += indirect;
	m->open = true;
	return vec_push(&m->record, r);
}

/* The frames that stack_text has gathered are the last record's. */
static struct error *record_frames(struct memcheck *m)
{
	struct error *err = NULL;
	if (!m->record.n || !m->s.frame.n)
		return NULL;
	struct record *r = &m->record.at[m->record.n - 1];
	for (uint64_t i = 0; i < m->s.frame.n && !err; i++)
		err = vec_push(&m->frame, m->s.frame.at[i]);
	r->frames = (uint32_t)(m->frame.n - r->first);
	stack_text_begin(&m->s);
	return err;
}

/* ---- text ---- */

/* "total heap usage: 64 allocs, 17 frees, 18,551 bytes allocated", behind the colon */
static void heap_usage(struct memcheck *m, struct word w)
{
	struct process *p = process(m);
	uint64_t allocs, frees, bytes;
	if (word_dec(&w, true, &allocs) && word_skip(&w, " allocs, ") &&
	    word_dec(&w, true, &frees) && word_skip(&w, " frees, ") && word_dec(&w, true, &bytes)) {
		p->usage = true;
		p->allocs = allocs;
		p->allocated = bytes;
	} else {
		trace_damage(m->t, "a total that cannot be read", m->l.number);
	}
}

static bool summary_line(struct memcheck *m, struct word w)
{
	struct process *p = process(m);
	for (unsigned k = 0; k < KINDS; k++) {
		uint64_t bytes, blocks;
		struct word v = w;
		if (!word_skip(&v, kind_name[k]) || !word_skip(&v, ": "))
			continue;
		if (word_dec(&v, true, &bytes) && word_skip(&v, " bytes in ") &&
		    word_dec(&v, true, &blocks) && !(bytes >> 60) && !(blocks >> 60)) {
			p->bytes[k] = bytes;
			p->blocks[k] = blocks;
		}
		return true;
	}
	return false;
}

static struct error *text_line(struct memcheck *m)
{
	struct word w = m->l.line;
	uint64_t pid, indirect;
	struct record r = {0};
	word_trim(&w);
	/* What the program itself wrote to the same place. */
	if (!word_skip(&w, "==") || !word_dec(&w, false, &pid) || !word_skip(&w, "=="))
		return NULL;
	struct error *err = process_set(m, pid, false);
	if (err)
		return err;
	word_blanks(&w);
	bool known = false;
	if (m->open && (word_skip(&w, "at ") || word_skip(&w, "by "))) {
		err = stack_text_valgrind(&m->s, w, &known);
		if (known)
			return err;
	}
	if (!err && m->open)
		err = record_frames(m);
	m->open = false;
	if (err)
		return err;
	if (loss(w, &r, &indirect))
		return record_add(m, r, indirect);
	if (word_skip(&w, "total heap usage: ")) {
		heap_usage(m, w);
	} else if (word_is(&w, "LEAK SUMMARY:")) {
		report_begin(m);
		process(m)->summed = true;
	} else if (word_is(&w, "All heap blocks were freed -- no leaks are possible")) {
		report_begin(m);
		process(m)->summed = true;
	} else if (process(m)->summed && summary_line(m, w)) {
		return NULL;
	} else if (!m->command_known && word_skip(&w, "Command: ")) {
		m->command_known = true;
		return trace_fact(m->t, "args", (const char *)w.at, word_len(&w));
	}
	return NULL;
}

static struct error *read_text(struct memcheck *m, struct log *log, uint64_t size)
{
	struct error *err = NULL;
	while (!err && lines_next(&m->l)) {
		err = text_line(m);
		if (m->l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(m->l.at - m->l.start), size);
	}
	return err ? err : record_frames(m);
}

/* ---- XML ---- */

struct xml {
	uint64_t ip, line;
	char fn[TAG_TEXT], file[TAG_TEXT], obj[TAG_TEXT], kind[64];
	size_t fn_len, file_len, obj_len, kind_len;
	struct record record;
	uint64_t indirect;
	bool in_error, told, in_stack, in_args;
	unsigned stacks;
	uint64_t errors, finished;
};

/* Character data with its entities, bounded. */
static size_t unescape(struct word w, char *to, size_t room)
{
	static const struct {
		const char *name;
		char c;
	} entity[] = {
		{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};
	size_t n = 0;
	while (w.at < w.end && n < room) {
		char c = (char)*w.at;
		bool found = false;
		for (size_t i = 0; c == '&' && i < sizeof(entity) / sizeof(*entity) && !found; i++)
			if (word_skip(&w, entity[i].name)) {
				c = entity[i].c;
				found = true;
			}
		if (!found)
			w.at++;
		to[n++] = c;
	}
	return n;
}

static struct word bytes_of(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	return (struct word){p, p + len};
}

static struct error *xml_frame(struct memcheck *m, struct xml *x)
{
	return stack_text_add(&m->s, bytes_of(x->fn, x->fn_len), bytes_of(x->file, x->file_len),
			      x->line, bytes_of(x->obj, x->obj_len), x->ip);
}

static struct error *xml_error_end(struct memcheck *m, struct xml *x)
{
	x->in_error = false;
	bool leak = false;
	for (unsigned k = 0; k < KINDS; k++)
		if (x->kind_len == strlen(kind_xml[k]) &&
		    !memcmp(x->kind, kind_xml[k], x->kind_len)) {
			leak = true;
			x->record.kind = k;
		}
	if (leak && !x->told)
		trace_damage(m->t, "a loss record that cannot be read", m->l.number);
	if (!leak || !x->told || !m->process.n)
		return NULL;
	struct error *err = record_add(m, x->record, x->indirect);
	return err ? err : record_frames(m);
}

static void xml_open(struct memcheck *m, struct xml *x, struct word tag)
{
	if (word_is(&tag, "error")) {
		x->in_error = true;
		x->told = false;
		x->kind_len = 0;
		x->indirect = 0;
		x->record = (struct record){0};
		x->stacks = 0;
		x->errors++;
		stack_text_begin(&m->s);
	} else if (word_is(&tag, "stack")) {
		/* Only the first is where it was allocated. */
		x->in_stack = x->in_error && !x->stacks++;
	} else if (word_is(&tag, "frame")) {
		x->ip = x->line = 0;
		x->fn_len = x->file_len = x->obj_len = 0;
	} else if (word_is(&tag, "argv")) {
		x->in_args = true;
	}
}

/* The end of an element, with the text before it. */
static struct error *xml_close(struct memcheck *m, struct xml *x, struct word tag, struct word text)
{
	uint64_t n;
	word_trim(&text);
	if (word_is(&tag, "pid") && word_dec(&text, false, &n))
		return process_set(m, n, true);
	if (word_is(&tag, "argv"))
		x->in_args = false;
	if (word_is(&tag, "exe") && x->in_args && !m->command_known) {
		m->command_known = true;
		size_t len = unescape(text, x->fn, sizeof(x->fn));
		return trace_fact(m->t, "exe", x->fn, len);
	}
	if (word_is(&tag, "valgrindoutput"))
		x->finished++;
	if (!x->in_error)
		return NULL;
	if (word_is(&tag, "error"))
		return xml_error_end(m, x);
	if (word_is(&tag, "kind"))
		x->kind_len = unescape(text, x->kind, sizeof(x->kind));
	else if (word_is(&tag, "text") && !x->told)
		x->told = loss(text, &x->record, &x->indirect);
	else if (word_is(&tag, "stack"))
		x->in_stack = false;
	if (!x->in_stack)
		return NULL;
	if (word_is(&tag, "frame"))
		return xml_frame(m, x);
	if (word_is(&tag, "ip"))
		word_address(&text, &x->ip);
	else if (word_is(&tag, "line"))
		word_dec(&text, false, &x->line);
	else if (word_is(&tag, "fn"))
		x->fn_len = unescape(text, x->fn, sizeof(x->fn));
	else if (word_is(&tag, "file"))
		x->file_len = unescape(text, x->file, sizeof(x->file));
	else if (word_is(&tag, "obj"))
		x->obj_len = unescape(text, x->obj, sizeof(x->obj));
	return NULL;
}

static struct error *read_xml(struct memcheck *m, const struct input_file *in)
{
	_cleanup_free_ struct xml *x = calloc(1, sizeof(*x));
	if (!x)
		return &error_nomem;
	struct word w = {in->data, in->data + in->size}, text, tag;
	struct error *err = NULL;
	uint64_t opened = 0;
	while (!err && word_until(&w, '<', &text)) {
		bool comment = word_skip(&w, "!--");
		if (comment) {
			if (!word_find(&w, "-->"))
				break;
			continue;
		}
		if (!word_until(&w, '>', &tag))
			break;
		if (word_skip(&tag, "/")) {
			err = xml_close(m, x, tag, text);
		} else {
			opened += word_is(&tag, "valgrindoutput");
			xml_open(m, x, tag);
		}
	}
	/* Of a process that was killed, or runs still. */
	if (x->finished < opened || in->cut)
		trace_cut(m->t);
	return err;
}

/* ---- both ---- */

static struct error *total(struct memcheck *m, const struct record *r, uint32_t root)
{
	struct trace_totals f = trace_totals_unknown();
	uint32_t stack;
	stack_text_begin(&m->s);
	struct error *err = NULL;
	for (uint32_t i = 0; i < r->frames && !err; i++)
		err = vec_push(&m->s.frame, m->frame.at[r->first + i]);
	if (!err)
		err = stack_text_end(&m->s, root, &stack);
	f.live_bytes = r->bytes;
	f.live_objects = r->blocks;
	return err ? err : trace_total(m->t, stack, &f);
}

static struct error *roots(struct memcheck *m, uint32_t root[KINDS])
{
	struct error *err = NULL;
	for (unsigned k = 0; k < KINDS && !err; k++) {
		char text[32];
		struct trace_frame f = {0};
		uint32_t frame;
		int n = snprintf(text, sizeof(text), "[%s]", kind_name[k]);
		err = trace_string(m->t, text, (size_t)n, &f.function);
		if (!err)
			err = trace_frame(m->t, &f, &frame);
		if (!err)
			err = trace_stack(m->t, frame, 0, &root[k]);
	}
	return err ? err : trace_suppress(m->t, "^[still reachable]$", 19);
}

static struct error *fact_number(struct trace *t, const char *key, uint64_t n)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%" PRIu64, n);
	return trace_fact(t, key, text, (size_t)len);
}

/* What the summary has and no record. */
static struct error *rest(struct memcheck *m, uint32_t i, const uint32_t root[KINDS],
			  const struct record sum[KINDS])
{
	const struct process *p = &m->process.at[i];
	struct error *err = NULL;
	for (uint32_t k = 0; k < KINDS && !err; k++) {
		struct record r = {.kind = k};
		if (p->summed && p->bytes[k] >= sum[k].bytes && p->blocks[k] >= sum[k].blocks) {
			r.bytes = p->bytes[k] - sum[k].bytes;
			r.blocks = p->blocks[k] - sum[k].blocks;
		} else if (!p->summed && k == 1 && !sum[1].blocks && p->indirect) {
			r.bytes = p->indirect;
			r.blocks = TRACE_UNKNOWN;
		}
		if (r.bytes || r.blocks)
			err = total(m, &r, root[k]);
	}
	return err;
}

static struct error *all_totals(struct memcheck *m)
{
	uint32_t root[KINDS];
	uint64_t bytes[KINDS] = {0}, allocs = 0, allocated = 0;
	bool usage = m->process.n > 0;
	struct error *err = roots(m, root);
	_cleanup_free_ struct record *sum = calloc((m->process.n + 1) * KINDS, sizeof(*sum));
	if (!sum)
		return &error_nomem;
	for (uint64_t i = 0; i < m->record.n && !err; i++) {
		const struct record *r = &m->record.at[i];
		if (r->report != m->process.at[r->process].report)
			continue;
		struct record *s = &sum[r->process * (uint64_t)KINDS + r->kind];
		s->bytes = s->bytes >> 60 ? s->bytes : s->bytes + r->bytes;
		s->blocks = s->blocks >> 60 ? s->blocks : s->blocks + r->blocks;
		err = total(m, r, root[r->kind]);
	}
	for (uint32_t i = 0; i < m->process.n && !err; i++) {
		const struct process *p = &m->process.at[i];
		err = rest(m, i, root, &sum[i * (uint64_t)KINDS]);
		for (unsigned k = 0; k < KINDS; k++) {
			uint64_t own = p->summed ? p->bytes[k] : sum[i * (uint64_t)KINDS + k].bytes;
			bytes[k] = bytes[k] >> 60 ? bytes[k] : bytes[k] + own;
		}
		usage &= p->usage;
		allocs += p->allocs;
		if (__builtin_add_overflow(allocated, p->allocated, &allocated))
			usage = false;
	}
	for (unsigned k = 0; k < KINDS && !err; k++)
		err = fact_number(m->t, kind_key[k], bytes[k]);
	if (!err && usage)
		err = fact_number(m->t, "allocations", allocs);
	if (!err && usage && !(allocated >> 63))
		err = fact_number(m->t, "allocated_bytes", allocated);
	if (!err && m->process.n == 1)
		err = fact_number(m->t, "pid", m->process.at[0].pid);
	if (!err && m->process.n > 1)
		err = fact_number(m->t, "processes", m->process.n);
	return err;
}

static bool is_xml(const uint8_t *head, uint64_t len)
{
	struct word w = {head, head + (len < 4096 ? len : 4096)};
	word_skip(&w, "\xef\xbb\xbf");
	word_trim(&w);
	return word_len(&w) && *w.at == '<' && word_find(&w, "<valgrindoutput>");
}

static struct error *memcheck_read_trace(const struct input_file *in, struct trace *t,
					 struct log *log)
{
	struct memcheck m = {.t = t, .s.t = t};
	bool xml = is_xml(in->data, in->size);
	const char *format = xml ? "memcheck leak report, XML" : "memcheck leak report";
	struct error *err = trace_fact(t, "format", format, strlen(format));
	lines_init(&m.l, in->data, in->size);
	m.l.forget = in->fd >= 0;
	if (!err)
		err = xml ? read_xml(&m, in) : read_text(&m, log, in->size);
	if (!err && in->cut)
		trace_cut(t);
	bool any = m.record.n > 0;
	for (uint64_t i = 0; i < m.process.n; i++)
		any |= m.process.at[i].summed || m.process.at[i].usage || xml;
	if (!err && !any)
		err = error_new(ERROR_INPUT, "a log of valgrind without a leak report "
					     "(--leak-check=full writes one)");
	if (!err)
		err = all_totals(&m);
	memcheck_deinit(&m);
	return err;
}

/* "==PID== ", then words of memcheck's, somewhere in the beginning: a program may write, too. */
static bool memcheck_probe(const uint8_t *head, uint64_t len)
{
	if (is_xml(head, len))
		return true;
	struct lines l;
	lines_init(&l, head, len < 1 << 18 ? len : 1 << 18);
	while (lines_next(&l)) {
		struct word w = l.line;
		uint64_t pid;
		word_blanks(&w);
		if (!word_skip(&w, "==") || !word_dec(&w, false, &pid) || !word_skip(&w, "== "))
			continue;
		word_trim(&w);
		if (word_skip(&w, "Memcheck, a memory error detector") ||
		    word_is(&w, "HEAP SUMMARY:") || word_is(&w, "LEAK SUMMARY:") ||
		    word_find(&w, " in loss record "))
			return true;
	}
	return false;
}

const struct input_format input_trace_memcheck = {
	.name = "memcheck leak report",
	.probe = memcheck_probe,
	.read_trace = memcheck_read_trace,
};
