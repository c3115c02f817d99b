/*
 * trace_heaptrack: heaptrack's data files, raw and interpreted, file versions 0 to 3.
 *
 * Text, a record a line: a letter, a blank, numbers in lower-case hex without 0x. heaptrack 1.4,
 * src/track/libheaptrack.cpp (writes raw), src/interpret/heaptrack_interpret.cpp (raw to
 * interpreted), src/analyze/accumulatedtracedata.cpp (reads interpreted).
 *
 *	v TOOL FILE             versions; FILE is missing in betas of 1.0 (TOOL 10200): 1
 *	x [LEN] PATH            raw: the executable. A LEN stands before texts from version 3 on
 *	X ARGS                  command line; its line breaks are not escaped: the record goes on
 *	                        until the I record
 *	I PAGE PAGES            page size, physical pages
 *	S [LEN] TEXT            a line of embedded suppressions
 *	A                       attached: frees of unknown blocks follow
 *	m [LEN] PATH BASE (VADDR SIZE)*   raw: a module; PATH x: the executable; "m [1] -": forget all
 *	s [LEN] TEXT            string, numbered from 1
 *	i IP MOD [FN [FILE LINE (FN FILE LINE)*]]   code, numbered from 1; innermost function first
 *	t IP PARENT             raw: stack, numbered from 1
 *	t I PARENT              interpreted: the same, I is the number of an i
 *	a SIZE T                kind of block, numbered from 0
 *	+ SIZE T ADDRESS        raw, and interpreted version 0; else + A
 *	- ADDRESS               the same; else - A
 *	c MS, R PAGES           time since the start, resident pages
 *	# ...                   comment
 *
 * What a number of a bad record would have named is named by something unknown: later numbers stay
 * right.
 */
#include "input/input.h"
#include "input/lines.h"
#include "input/trace.h"

#include "base/vec.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	HEAPTRACK_FILE_VERSION = 3,
	HEAPTRACK_ARGS_MAX = 4096, /* libheaptrack.cpp, writeCommandLine */
	HEAPTRACK_INLINED_MAX = 128,
	HEAPTRACK_MODULES_MAX = 1 << 14, /* at a time */
	HOT_ROOM = 64,			 /* no event is as long */
	HOT_BATCH = 64,
	HOT_EVENTS = 1 << 16, /* events between looks at the clock */
};

struct heaptrack {
	struct trace *t;
	struct log *log;
	struct lines l;
	uint64_t version;
	bool raw;
	uint32_t exe; /* string, 0 unknown */
	uint64_t peak_rss, page_size;
	VEC(uint32_t) string, ip, stack; /* ids of the trace, by the file's number - 1 */
	uint64_t kinds;
	/* raw: what is loaded now, and which code is where */
	VEC(uint32_t) module;
};

static void bad(struct heaptrack *h, const char *what)
{
	trace_damage(h->t, what, h->l.number);
}

/* ---- texts ---- */

/* A text with its length in front, from version 3 on. It is the rest of the line, unless `inside`. */
static bool sized_text(struct heaptrack *h, struct word *w, bool inside, struct word *ret)
{
	uint64_t len;
	if (h->version < 3) {
		word_blanks(w);
		*ret = *w;
		if (inside && !word_until(w, ' ', ret)) {
			ret->at = w->at;
			w->at = w->end;
		} else if (!inside) {
			w->at = w->end;
		}
		return true;
	}
	if (!word_hex(w, &len) || w->at == w->end || *w->at != ' ' || len > word_len(w) - 1)
		return false;
	w->at++;
	*ret = (struct word){w->at, w->at + len};
	w->at += len;
	return true;
}

static struct error *read_string(struct heaptrack *h, struct word *w)
{
	struct word text = {0};
	uint32_t id = 0;
	if (!sized_text(h, w, false, &text))
		bad(h, "a string that is shorter than it says");
	else if (word_len(w))
		bad(h, "a string that is longer than it says");
	struct error *err = trace_string(h->t, text.at, word_len(&text), &id);
	return err ? err : vec_push(&h->string, id);
}

static struct error *read_exe(struct heaptrack *h, struct word *w)
{
	struct word text;
	h->raw = true;
	if (!sized_text(h, w, false, &text)) {
		bad(h, "an x record without a path");
		return NULL;
	}
	struct error *err = trace_string(h->t, text.at, word_len(&text), &h->exe);
	return err ? err : trace_fact(h->t, "exe", (const char *)text.at, word_len(&text));
}

/* "I PAGE PAGES" and nothing behind it. */
static bool is_system_info(struct word w, uint64_t *page_size)
{
	uint64_t pages;
	return word_skip(&w, "I ") && word_hex(&w, page_size) && word_hex(&w, &pages) &&
	       !word_len(&w);
}

/* The arguments, which may have line breaks of their own: up to the I record, if one is near. */
static struct error *read_args(struct heaptrack *h, const struct word *w)
{
	struct lines ahead = h->l;
	const uint8_t *end = w->end;
	uint64_t page_size;
	ahead.forget = false;
	while (lines_next(&ahead) && ahead.line.at - w->at <= HEAPTRACK_ARGS_MAX + 1) {
		if (!is_system_info(ahead.line, &page_size))
			continue;
		end = ahead.line.at - 1;
		h->l.at = ahead.line.at;
		h->l.number = ahead.number - 1;
		break;
	}
	return trace_fact(h->t, "args", (const char *)w->at, (size_t)(end - w->at));
}

static struct error *read_suppression(struct heaptrack *h, struct word *w)
{
	struct word text;
	if (!sized_text(h, w, false, &text))
		return NULL;
	word_trim(&text);
	if (!word_skip(&text, "leak:"))
		return NULL;
	return trace_suppress(h->t, (const char *)text.at, word_len(&text));
}

/* ---- modules: raw ---- */

/* How many of those that are loaded now begin at or before this address. */
static uint64_t modules_before(const struct heaptrack *h, uint64_t address)
{
	uint64_t lo = 0, hi = h->module.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (trace_module_get(h->t, h->module.at[mid])->start <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Into its place: the list is by address. */
static struct error *module_insert(struct heaptrack *h, uint32_t id)
{
	if (h->module.n >= HEAPTRACK_MODULES_MAX) {
		bad(h, "too many modules");
		return NULL;
	}
	uint64_t at = modules_before(h, trace_module_get(h->t, id)->start);
	struct error *err = vec_push(&h->module, id);
	if (err)
		return err;
	memmove(&h->module.at[at + 1], &h->module.at[at],
		(h->module.n - 1 - at) * sizeof(*h->module.at));
	h->module.at[at] = id;
	return NULL;
}

static uint32_t module_at(const struct heaptrack *h, uint64_t address)
{
	uint64_t n = modules_before(h, address);
	uint32_t id = n ? h->module.at[n - 1] : 0;
	return id && address < trace_module_get(h->t, id)->end ? id : 0;
}

static struct error *read_module(struct heaptrack *h, struct word *w)
{
	struct word path;
	struct trace_module m = {0};
	h->raw = true;
	if (!sized_text(h, w, true, &path)) {
		bad(h, "a module without a path");
		return NULL;
	}
	if (word_is(&path, "-")) {
		h->module.n = 0;
		return NULL;
	}
	uint64_t vaddr, size;
	if (!word_hex(w, &m.bias)) {
		bad(h, "a module without an address");
		return NULL;
	}
	struct error *err = NULL;
	m.is_exe = word_is(&path, "x");
	if (m.is_exe)
		m.path = h->exe;
	else
		err = trace_string(h->t, path.at, word_len(&path), &m.path);
	m.start = UINT64_MAX;
	while (word_hex(w, &vaddr) && word_hex(w, &size)) {
		uint64_t start, end;
		if (__builtin_add_overflow(m.bias, vaddr, &start) ||
		    __builtin_add_overflow(start, size, &end) || !size) {
			bad(h, "a module that wraps around");
			continue;
		}
		if (start < m.start)
			m.start = start;
		if (end > m.end)
			m.end = end;
	}
	if (err || m.start >= m.end)
		return err;
	uint32_t id;
	err = trace_module(h->t, &m, &id);
	return err || !id ? err : module_insert(h, id);
}

/* ---- code and stacks ---- */

static uint32_t known_string(struct heaptrack *h, uint64_t number)
{
	if (number <= h->string.n)
		return number ? h->string.at[number - 1] : 0;
	bad(h, "a string number out of range");
	return 0;
}

static struct error *read_ip(struct heaptrack *h, struct word *w)
{
	struct trace_frame frame[HEAPTRACK_INLINED_MAX];
	uint64_t address = 0, module = 0, fn, file = 0, line = 0;
	uint32_t n = 0, id = 0;
	if (!word_hex(w, &address) || !word_hex(w, &module))
		bad(h, "a code address that cannot be read");
	uint32_t path = known_string(h, module);
	while (n < HEAPTRACK_INLINED_MAX && word_hex(w, &fn)) {
		file = line = 0;
		/* The first may be a function alone. */
		if ((!word_hex(w, &file) || !word_hex(w, &line)) && n)
			break;
		frame[n++] = (struct trace_frame){
			.function = known_string(h, fn),
			.file = known_string(h, file),
			.module = path,
			.line = line <= INT32_MAX ? (uint32_t)line : 0,
			.address = address,
		};
	}
	if (!n)
		frame[n++] = (struct trace_frame){.module = path, .address = address};
	struct error *err = NULL;
	while (n-- && !err) {
		frame[n].outer = id;
		err = trace_frame(h->t, &frame[n], &id);
	}
	return err ? err : vec_push(&h->ip, id);
}

static struct error *read_stack(struct heaptrack *h, struct word *w)
{
	uint64_t ip = 0, parent = 0;
	uint32_t frame = 0, id;
	struct error *err = NULL;
	if (!word_hex(w, &ip) || !word_hex(w, &parent))
		bad(h, "a stack that cannot be read");
	/* A caller comes before what it calls: else it would be its own. */
	if (parent > h->stack.n) {
		bad(h, "a caller that comes after what it calls");
		parent = 0;
	}
	if (h->raw) {
		err = trace_code(h->t, ip, module_at(h, ip), 0, &frame);
	} else if (ip <= h->ip.n) {
		frame = ip ? h->ip.at[ip - 1] : 0;
	} else {
		bad(h, "a code number out of range");
	}
	if (!err)
		err = trace_stack(h->t, frame, parent ? h->stack.at[parent - 1] : 0, &id);
	return err ? err : vec_push(&h->stack, id);
}

static uint32_t known_stack(struct heaptrack *h, uint64_t number)
{
	if (number <= h->stack.n)
		return number ? h->stack.at[number - 1] : 0;
	bad(h, "a stack number out of range");
	return 0;
}

static struct error *read_kind(struct heaptrack *h, struct word *w)
{
	uint64_t size = 0, stack = 0;
	uint32_t id;
	if (!word_hex(w, &size) || !word_hex(w, &stack))
		bad(h, "an a record that cannot be read");
	h->kinds++;
	return trace_kind(h->t, size, known_stack(h, stack), &id);
}

/* ---- events ---- */

static bool has_addresses(const struct heaptrack *h)
{
	return h->raw || h->version == 0;
}

static struct error *read_alloc(struct heaptrack *h, struct word *w)
{
	uint64_t a, stack, address;
	if (!word_hex(w, &a)) {
		bad(h, "an allocation that cannot be read");
		return NULL;
	}
	if (!has_addresses(h)) {
		if (a >= UINT32_MAX || !trace_kind_alloc(h->t, (uint32_t)a + 1))
			bad(h, "an allocation number out of range");
		return NULL;
	}
	if (!word_hex(w, &stack) || !word_hex(w, &address)) {
		bad(h, "an allocation that cannot be read");
		return NULL;
	}
	return trace_alloc(h->t, address, a, known_stack(h, stack));
}

static void read_free(struct heaptrack *h, struct word *w)
{
	uint64_t a;
	if (!word_hex(w, &a))
		bad(h, "a free that cannot be read");
	else if (has_addresses(h))
		trace_free(h->t, a);
	else if (a >= UINT32_MAX || !trace_kind_free(h->t, (uint32_t)a + 1))
		bad(h, "a free of what is not live");
}

static const uint8_t hex_digit[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* At most 15 digits: what is longer ends at no blank, and takes the slow way. */
static inline const uint8_t *hot_hex(const uint8_t *p, uint64_t *ret)
{
	uint64_t n = 0;
	for (int i = 0; i < 15; i++, p++) {
		unsigned d = hex_digit[*p];
		if (!d)
			break;
		n = n << 4 | (d - 1);
	}
	*ret = n;
	return p;
}

/* Runs of events of interpreted files; leaves what is anything else to the slow way. */
static void hot_kinds(struct heaptrack *h)
{
	struct lines *l = &h->l;
	for (unsigned k = 0; k < HOT_EVENTS && l->end - l->at > HOT_ROOM; k++) {
		const uint8_t *p = l->at;
		uint64_t n;
		if ((p[0] != '+' && p[0] != '-') || p[1] != ' ')
			return;
		const uint8_t *q = hot_hex(p + 2, &n);
		if (q == p + 2 || *q != '\n' || n >= h->kinds)
			return;
		if (p[0] == '+')
			trace_kind_alloc(h->t, (uint32_t)n + 1);
		else if (!trace_kind_free(h->t, (uint32_t)n + 1))
			trace_damage(h->t, "a free of what is not live", l->number + 1);
		l->at = q + 1;
		l->number++;
	}
}

/* One event with an address. False: it is something else, or long; l->at stays. */
static inline bool hot_block(const struct heaptrack *h, struct lines *l, struct trace_event *e)
{
	const uint8_t *p = l->at, *q;
	uint64_t stack = 0;
	if (p[1] != ' ')
		return false;
	if (p[0] == '+') {
		q = hot_hex(p + 2, &e->size);
		if (q == p + 2 || *q != ' ')
			return false;
		p = hot_hex(q + 1, &stack);
		if (p == q + 1 || *p != ' ' || stack > h->stack.n)
			return false;
		e->stack = stack ? h->stack.at[stack - 1] : 0;
		e->is_free = false;
	} else if (p[0] == '-') {
		p++;
		e->is_free = true;
	} else {
		return false;
	}
	q = hot_hex(p + 1, &e->address);
	if (q == p + 1 || *q != '\n')
		return false;
	l->at = q + 1;
	l->number++;
	return true;
}

/* The same for those with addresses. */
static struct error *hot_blocks(struct heaptrack *h)
{
	struct trace_event event[HOT_BATCH];
	struct lines *l = &h->l;
	for (unsigned k = 0; k < HOT_EVENTS; k += HOT_BATCH) {
		uint32_t n = 0;
		while (n < HOT_BATCH && l->end - l->at > HOT_ROOM && hot_block(h, l, &event[n]))
			n++;
		struct error *err = trace_events(h->t, event, n);
		if (err || n < HOT_BATCH)
			return err;
	}
	return NULL;
}

/* ---- records ---- */

static struct error *read_version(struct heaptrack *h, struct word *w)
{
	uint64_t tool;
	if (!word_hex(w, &tool))
		return error_new(ERROR_INPUT, "a heaptrack file without a version");
	if (!word_hex(w, &h->version))
		h->version = tool == 0x10200 ? 1 : 0;
	if (h->version > HEAPTRACK_FILE_VERSION)
		return error_new(ERROR_INPUT,
				 "a heaptrack file of version %" PRIu64
				 ", from a heaptrack newer than what is known here (version %d)",
				 h->version, HEAPTRACK_FILE_VERSION);
	char text[64];
	int n = snprintf(text, sizeof(text), "heaptrack %" PRIu64 ".%" PRIu64 ".%" PRIu64,
			 tool >> 16, tool >> 8 & 0xff, tool & 0xff);
	return trace_fact(h->t, "recorder", text, (size_t)n);
}

static struct error *read_time(struct heaptrack *h, struct word *w)
{
	uint64_t ms;
	if (word_hex(w, &ms))
		return trace_time(h->t, ms);
	bad(h, "a time that cannot be read");
	return NULL;
}

static void read_rss(struct heaptrack *h, struct word *w)
{
	uint64_t pages;
	if (word_hex(w, &pages) && pages > h->peak_rss)
		h->peak_rss = pages;
}

static struct error *read_record(struct heaptrack *h)
{
	struct word w = h->l.line;
	if (!word_len(&w))
		return NULL;
	uint8_t kind = *w.at++;
	if (w.at < w.end && *w.at != ' ' && kind != '#') {
		bad(h, "a record of an unknown kind");
		return NULL;
	}
	if (w.at < w.end)
		w.at++;
	switch (kind) {
	case 'v':
		return read_version(h, &w);
	case 'x':
		return read_exe(h, &w);
	case 'X':
		return read_args(h, &w);
	case 'I':
		if (!is_system_info(h->l.line, &h->page_size))
			bad(h, "an I record that cannot be read");
		return NULL;
	case 'S':
		return read_suppression(h, &w);
	case 'A':
		return trace_fact(h->t, "attached", "1", 1);
	case 'm':
		return read_module(h, &w);
	case 's':
		return read_string(h, &w);
	case 'i':
		return read_ip(h, &w);
	case 't':
		return read_stack(h, &w);
	case 'a':
		return read_kind(h, &w);
	case '+':
		return read_alloc(h, &w);
	case '-':
		read_free(h, &w);
		return NULL;
	case 'c':
		return read_time(h, &w);
	case 'R':
		read_rss(h, &w);
		return NULL;
	case '#':
		return NULL;
	default:
		bad(h, "a record of an unknown kind");
		return NULL;
	}
}

/* heaptrack 1.4, src/analyze/suppressions.cpp, builtinSuppressions */
static struct error *builtin_suppressions(struct trace *t)
{
	static const char *const name[] = {
		"__nss_module_allocate", "__gconv_read_conf",  "__new_exitfn",	"tzset_internal",
		"dl_open_worker",	 "g_main_context_new", "g_thread_self",
	};
	struct error *err = NULL;
	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]) && !err; i++)
		err = trace_suppress(t, name[i], strlen(name[i]));
	return err;
}

static struct error *read_facts(struct heaptrack *h)
{
	char text[64];
	int n = snprintf(text, sizeof(text), "heaptrack %s, version %" PRIu64,
			 h->raw ? "raw" : "interpreted", h->version);
	struct error *err = trace_fact(h->t, "format", text, (size_t)n);
	uint64_t rss;
	if (err || !h->peak_rss || !h->page_size ||
	    __builtin_mul_overflow(h->peak_rss, h->page_size, &rss))
		return err;
	n = snprintf(text, sizeof(text), "%" PRIu64, rss);
	return trace_fact(h->t, "peak_rss_bytes", text, (size_t)n);
}

static struct error *read_all(struct heaptrack *h, const struct input_file *in)
{
	struct error *err = builtin_suppressions(h->t);
	trace_unit(h->t, "s", 0.001);
	lines_init(&h->l, in->data, in->size);
	h->l.forget = in->fd >= 0;
	for (uint64_t told = 0; !err && lines_next(&h->l);) {
		/* What a cut file ends with is no record, however it looks. */
		if (h->l.cut)
			break;
		err = read_record(h);
		if (!err && has_addresses(h))
			err = hot_blocks(h);
		else if (!err)
			hot_kinds(h);
		uint64_t done = (uint64_t)(h->l.at - h->l.start);
		if (done - told > 1 << 20) {
			told = done;
			log_progress(h->log, "reading", done, in->size);
		}
	}
	if (in->cut || h->l.cut)
		trace_cut(h->t);
	return err ? err : read_facts(h);
}

static struct error *heaptrack_read_trace(const struct input_file *in, struct trace *t,
					  struct log *log)
{
	struct heaptrack h = {.t = t, .log = log};
	struct error *err = read_all(&h, in);
	vec_deinit(&h.string);
	vec_deinit(&h.ip);
	vec_deinit(&h.stack);
	vec_deinit(&h.module);
	return err;
}

/* "v HEX [HEX]", then a record of a file's beginning. */
static bool heaptrack_probe(const uint8_t *head, uint64_t len)
{
	struct lines l;
	uint64_t v;
	lines_init(&l, head, len < 256 ? len : 256);
	if (!lines_next(&l) || !word_skip(&l.line, "v ") || !word_hex(&l.line, &v))
		return false;
	if (word_len(&l.line) && (!word_hex(&l.line, &v) || word_len(&l.line)))
		return false;
	return lines_next(&l) && (word_len(&l.line) < 2 || l.line.at[1] == ' ') &&
	       word_len(&l.line) && strchr("xXAIs#", l.line.at[0]);
}

const struct input_format input_trace_heaptrack = {
	.name = "heaptrack data",
	.probe = heaptrack_probe,
	.read_trace = heaptrack_read_trace,
};
