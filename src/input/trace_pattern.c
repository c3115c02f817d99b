/*
 * trace_pattern: any log of a line per event, by a regular expression of the user's (--trace-pattern).
 *
 * PCRE2, compiled once, with JIT where there is one, applied to each line; what it does not match is
 * no event. Named groups:
 *
 *	op	what was called (trace_op.h); without it: old and new are a realloc, ptr and size an
 *		allocation, ptr alone a free
 *	ptr	the block: 0x and hex, hex, (nil)
 *	size	bytes, decimal or 0x
 *	old,new	of a realloc (new: ptr will do)
 *	stack	frames, innermost first, with ; or | between them
 *	time	seconds, or HH:MM:SS; the first one is the beginning
 *	tid	counted
 *
 * A name may be given to several groups ((?J) or not): the first that is set counts. Lines are
 * bytes, not UTF-8. A match has limits of steps and memory; a line that needs more is damage.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "input/input.h"
#include "input/stack_text.h"
#include "input/trace_op.h"

#include <inttypes.h>
#include <pcre2.h>
#include <stdio.h>

#define MATCH_LIMIT 1000000
#define HEAP_KIB 20480
#define JIT_STACK (1 << 20)

enum { LINE_BYTES_MAX = 1 << 20, NUMBERS_MAX = 64, TIDS_MAX = 1 << 20 };

enum field { OP, PTR, SIZE, OLD, NEW, STACK, TIME, TID, FIELDS };

static const char *const field_name[FIELDS] = {
	[OP] = "op",   [PTR] = "ptr",	  [SIZE] = "size", [OLD] = "old",
	[NEW] = "new", [STACK] = "stack", [TIME] = "time", [TID] = "tid",
};

struct pattern {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
	pcre2_jit_stack *jit;
	uint16_t number[FIELDS][NUMBERS_MAX]; /* groups of each name */
	unsigned numbers[FIELDS];
	uint64_t events, matched;
	uint64_t first_time;
	bool timed;
	VEC(uint8_t) tid; /* by string: seen */
	uint64_t tids;
};

static void pattern_deinit(struct pattern *p)
{
	stack_text_deinit(&p->s);
	vec_deinit(&p->tid);
	pcre2_match_data_free(p->match);
	pcre2_match_context_free(p->context);
	pcre2_jit_stack_free(p->jit);
	pcre2_code_free(p->code);
}

/* ---- the expression ---- */

static struct error *read_names(struct pattern *p)
{
	uint32_t n = 0, size = 0;
	PCRE2_SPTR table = NULL;
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &n);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *entry = table + (size_t)i * size;
		const char *name = (const char *)entry + 2;
		bool known = false;
		for (unsigned f = 0; f < FIELDS; f++) {
			if (strcmp(name, field_name[f]))
				continue;
			known = true;
			if (p->numbers[f] < NUMBERS_MAX)
				p->number[f][p->numbers[f]++] =
					(uint16_t)(entry[0] << 8 | entry[1]);
		}
		if (!known)
			return error_new(
				ERROR_USAGE,
				"--trace-pattern: no group may be called %s: known are op, "
				"ptr, size, old, new, stack, time, tid",
				name);
	}
	if (p->numbers[PTR] || p->numbers[NEW])
		return NULL;
	return error_new(ERROR_USAGE, "--trace-pattern needs a group for the address: (?<ptr>...)");
}

static struct error *compile(struct pattern *p, const char *text)
{
	int code;
	size_t where;
	p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
				PCRE2_DUPNAMES | PCRE2_NEVER_UTF, &code, &where, NULL);
	if (!p->code) {
		PCRE2_UCHAR why[256];
		pcre2_get_error_message(code, why, sizeof(why));
		return error_new(ERROR_USAGE, "--trace-pattern: %s, at %zu", (const char *)why,
				 where);
	}
	p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
	p->context = pcre2_match_context_create(NULL);
	if (!p->match || !p->context)
		return &error_nomem;
	pcre2_set_match_limit(p->context, MATCH_LIMIT);
	pcre2_set_heap_limit(p->context, HEAP_KIB);
	if (!pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE)) {
		p->jit = pcre2_jit_stack_create(32 << 10, JIT_STACK, NULL);
		pcre2_jit_stack_assign(p->context, NULL, p->jit);
	}
	return read_names(p);
}

/* ---- groups ---- */

static bool group(const struct pattern *p, enum field f, struct word *ret)
{
	const size_t *v = pcre2_get_ovector_pointer(p->match);
	for (unsigned i = 0; i < p->numbers[f]; i++) {
		size_t from = v[2 * p->number[f][i]], to = v[2 * p->number[f][i] + 1];
		/* \K in a lookahead may put an end before its beginning. */
		if (from == PCRE2_UNSET || to < from)
			continue;
		*ret = (struct word){p->l.line.at + from, p->l.line.at + to};
		word_trim(ret);
		if (word_len(ret))
			return true;
	}
	return false;
}

static bool address_group(const struct pattern *p, enum field f, uint64_t *ret)
{
	struct word w, v;
	if (!group(p, f, &w))
		return false;
	v = w;
	if (word_hex(&v, ret) && !word_len(&v))
		return true;
	return trace_op_number(&w, ret) && !word_len(&w);
}

static bool size_group(const struct pattern *p, uint64_t *ret)
{
	struct word w;
	return group(p, SIZE, &w) && trace_op_number(&w, ret) && !word_len(&w);
}

static struct error *stack_group(struct pattern *p, uint32_t *ret)
{
	struct word w;
	struct error *err = NULL;
	*ret = 0;
	if (!group(p, STACK, &w))
		return NULL;
	stack_text_begin(&p->s);
	while (word_len(&w) && !err) {
		struct word frame = w;
		while (w.at < w.end && *w.at != ';' && *w.at != '|')
			w.at++;
		frame.end = w.at;
		w.at += w.at < w.end;
		word_trim(&frame);
		if (word_len(&frame))
			err = trace_op_frame(&p->s, frame);
	}
	return err ? err : stack_text_end(&p->s, 0, ret);
}

/* Seconds, or HH:MM:SS, with a fraction or none, in microseconds. */
static bool seconds(struct word w, uint64_t *ret)
{
	uint64_t n, total = 0;
	unsigned parts = 0;
	do {
		if (!word_dec(&w, false, &n) || n >> 36 || total >> 30)
			return false;
		total = total * 60 + n;
	} while (++parts < 3 && word_skip(&w, ":"));
	total *= 1000000;
	if (word_skip(&w, ".") || word_skip(&w, ",")) {
		uint64_t unit = 100000;
		for (; w.at < w.end && *w.at >= '0' && *w.at <= '9'; w.at++, unit /= 10)
			total += (uint64_t)(*w.at - '0') * unit;
	}
	*ret = total;
	return !word_len(&w);
}

static struct error *time_group(struct pattern *p)
{
	struct word w;
	uint64_t micros;
	p->events++;
	if (!group(p, TIME, &w))
		return p->timed ? NULL : trace_time(p->t, p->events);
	if (!seconds(w, &micros)) {
		trace_damage(p->t, "a time that cannot be read", p->l.number);
		return NULL;
	}
	if (!p->timed) {
		/* Numbers of events that came before are no seconds. */
		if (p->events > 1)
			return NULL;
		trace_unit(p->t, "s", 1e-6);
		p->first_time = micros;
		p->timed = true;
	}
	if (micros >= p->first_time)
		return trace_time(p->t, micros - p->first_time);
	trace_damage(p->t, "a time before the one before", p->l.number);
	return NULL;
}

static struct error *tid_group(struct pattern *p)
{
	struct word w;
	uint32_t id;
	if (!group(p, TID, &w) || p->tids >= TIDS_MAX)
		return NULL;
	struct error *err = stack_text_string(&p->s, w, &id);
	while (!err && p->tid.n <= id)
		err = vec_push(&p->tid, 0);
	if (err)
		return err;
	p->tids += !p->tid.at[id];
	p->tid.at[id] = 1;
	return NULL;
}

/* ---- lines ---- */

static struct error *event(struct pattern *p)
{
	struct trace_op op = {0};
	struct word name;
	uint64_t fresh;
	op.has_address = address_group(p, PTR, &op.address);
	op.has_old = address_group(p, OLD, &op.old);
	op.has_size = size_group(p, &op.size);
	bool has_new = address_group(p, NEW, &fresh);
	if (group(p, OP, &name))
		op.kind = trace_op_kind(name);
	else if (op.has_old && (has_new || op.has_address) && op.has_size)
		op.kind = TRACE_OP_REALLOC;
	else
		op.kind = op.has_size ? TRACE_OP_ALLOC : TRACE_OP_FREE;
	if (op.kind == TRACE_OP_NONE) {
		trace_damage(p->t, "an op that is not known", p->l.number);
		return NULL;
	}
	if (has_new) {
		if (!op.has_old && op.kind == TRACE_OP_REALLOC) {
			op.old = op.address;
			op.has_old = op.has_address;
		}
		op.address = fresh;
		op.has_address = true;
	}
	struct error *err = time_group(p);
	if (!err)
		err = tid_group(p);
	if (!err)
		err = stack_group(p, &op.stack);
	return err ? err : trace_op_apply(p->t, &op, p->l.number);
}

static struct error *read_line(struct pattern *p)
{
	const struct word *w = &p->l.line;
	if (word_len(w) > LINE_BYTES_MAX) {
		trace_damage(p->t, "a line of more than a megabyte", p->l.number);
		return NULL;
	}
	int rc = pcre2_match(p->code, w->at, word_len(w), 0, 0, p->match, p->context);
	if (rc > 0) {
		p->matched++;
		return event(p);
	}
	if (rc != PCRE2_ERROR_NOMATCH)
		trace_damage(p->t, "a line that the pattern takes too long for", p->l.number);
	return NULL;
}

static struct error *facts(struct pattern *p)
{
	char text[32];
	struct error *err = trace_fact(p->t, "format", "lines by --trace-pattern", 24);
	int n = snprintf(text, sizeof(text), "%" PRIu64, p->tids);
	if (!err && p->tids)
		err = trace_fact(p->t, "threads", text, (size_t)n);
	return err;
}

static struct error *pattern_read_trace(const struct input_file *in, struct trace *t,
					struct log *log)
{
	struct pattern p = {.t = t, .s.t = t};
	struct error *err = compile(&p, in->trace_pattern ? in->trace_pattern : "");
	trace_unit(t, "events", 1);
	lines_init(&p.l, in->data, in->size);
	p.l.forget = in->fd >= 0;
	while (!err && lines_next(&p.l) && !p.l.cut) {
		err = read_line(&p);
		if (p.l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(p.l.at - p.l.start), in->size);
	}
	if (in->cut || p.l.cut)
		trace_cut(t);
	if (!err && !p.matched)
		err = error_new(ERROR_INPUT, "no line matches --trace-pattern");
	if (!err)
		err = facts(&p);
	pattern_deinit(&p);
	return err;
}

/* Only when it is asked for: input_format_find. */
static bool pattern_probe(const uint8_t *head, uint64_t len)
{
	(void)head;
	(void)len;
	return false;
}

const struct input_format input_trace_pattern = {
	.name = "lines by --trace-pattern",
	.probe = pattern_probe,
	.read_trace = pattern_read_trace,
};
