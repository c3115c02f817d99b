/*
 * trace_calls: logs of calls: valgrind --trace-malloc=yes, and ltrace.
 *
 * valgrind 3.19, coregrind/m_replacemalloc/vg_replace_malloc.c (MALLOC_TRACE; the line ends behind the
 * result), one line for each call:
 *
 *	--PID-- malloc(256) = 0x4A43040		calloc(3,100) = , memalign(al 64, size 777) = ,
 *	--PID-- realloc(0x4A43040,1000) = 0x4A44D00
 *	--PID-- realloc(0x0,55)malloc(55) = 0x4A43040	one allocation
 *	--PID-- realloc(0x4A47CC0,0)free(0x4A47CC0)	one free; " = 0" follows on a line of its own
 *	--PID-- free(0x4A44D00)
 *	--PID-- _Znwm(48) = 0x4A47D30, _ZdlPvm(0x4A47D30)	C++ by mangled names
 *
 * ltrace 0.7.3, output.c; PID with -f, a time with -t, -tt, -ttt or -r:
 *
 *	[PID] [TIME] [OBJECT->]malloc(48) = 0x55d7050eaa10
 *	calloc(3, 100) = 0x1, realloc(0x1, 1000) = 0x2, free(0x1) = <void>
 *	malloc(48 <unfinished ...>	then, perhaps after other lines: <... malloc resumed> ) = 0x1
 *
 * Neither has stacks: the site is the function that was called, and who called it where ltrace says
 * so (the object). ltrace sees only calls through a PLT, and takes other functions for malloc at
 * times: sizes that no process can have are no allocations. Threads and forked processes look alike.
 */
#include "input/input.h"
#include "input/stack_text.h"

enum call {
	CALL_NONE,
	CALL_ALLOC,    /* (SIZE) */
	CALL_CALLOC,   /* (N, SIZE) */
	CALL_REALLOC,  /* (OLD, SIZE) */
	CALL_REARRAY,  /* (OLD, N, SIZE) */
	CALL_ALIGNED,  /* (ALIGNMENT, SIZE) */
	CALL_POSIX,    /* (RESULT, ALIGNMENT, SIZE): where the block is stands in memory */
	CALL_FREE,     /* (OLD ...) */
	CALL_NO_EVENT, /* known, of no interest */
};

static const struct {
	const char *name;
	enum call call;
} calls[] = {
	{"malloc", CALL_ALLOC},
	{"calloc", CALL_CALLOC},
	{"realloc", CALL_REALLOC},
	{"free", CALL_FREE},
	{"cfree", CALL_FREE},
	{"memalign", CALL_ALIGNED},
	{"aligned_alloc", CALL_ALIGNED},
	{"valloc", CALL_ALLOC},
	{"pvalloc", CALL_ALLOC},
	{"posix_memalign", CALL_POSIX},
	{"reallocarray", CALL_REARRAY},
	{"strdup", CALL_NO_EVENT},
	{"malloc_usable_size", CALL_NO_EVENT},
};

/* What tells the two apart, and a line of a thread that waits for its end. */
enum { WAITING_MAX = 64 };

struct waiting {
	uint64_t pid;
	struct word call; /* "malloc(48 " without its end; at NULL: free */
	struct word object;
};

struct call_log {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	bool valgrind;
	uint64_t events;
	int timed; /* 1 absolute, 2 relative to the line before */
	bool time_begun;
	uint64_t first, now; /* microseconds */
	struct waiting waiting[WAITING_MAX];
	struct word name; /* stack of the call before, which the next one mostly shares */
	struct word object;
	uint32_t stack;
};

/* C++: new is _Zn[wa][mj], delete _Zd[la]Pv; what follows are variants (nothrow, aligned, sized). */
static enum call call_of(struct word name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (word_is(&name, calls[i].name))
			return calls[i].call;
	if (word_skip(&name, "_Znwm") || word_skip(&name, "_Znam") || word_skip(&name, "_Znwj") ||
	    word_skip(&name, "_Znaj"))
		return CALL_ALLOC;
	if (word_skip(&name, "_ZdlPv") || word_skip(&name, "_ZdaPv"))
		return CALL_FREE;
	return CALL_NONE;
}

/* A number as either writes it: 0x..., decimal, nil, NULL, "al 64", "size 777". */
static bool argument(struct word *w, uint64_t *ret)
{
	word_blanks(w);
	word_skip(w, ",");
	word_blanks(w);
	if (word_skip(w, "al ") || word_skip(w, "size "))
		word_blanks(w);
	if (word_skip(w, "nil") || word_skip(w, "NULL") || word_skip(w, "(nil)")) {
		*ret = 0;
		return true;
	}
	return word_address(w, ret) || word_dec(w, false, ret);
}

static bool same_word(struct word a, struct word b)
{
	return word_len(&a) == word_len(&b) && (!word_len(&a) || !memcmp(a.at, b.at, word_len(&a)));
}

/* The function that was called, under the object that called it. */
static struct error *site(struct call_log *c, struct word name, struct word object)
{
	const struct word none = {0};
	if (c->stack && same_word(name, c->name) && same_word(object, c->object))
		return NULL;
	c->name = name;
	c->object = object;
	stack_text_begin(&c->s);
	struct error *err = NULL;
	if (word_len(&object)) {
		err = stack_text_add(&c->s, name, none, 0, none, 0);
		if (!err)
			err = stack_text_add(&c->s, none, none, 0, object, 0);
	} else {
		/* In brackets: it stands for its caller, which nobody knows. */
		char text[64];
		size_t len = word_len(&name) < 60 ? word_len(&name) : 60;
		text[0] = '[';
		memcpy(text + 1, name.at, len);
		text[len + 1] = ']';
		struct word w = {(const uint8_t *)text, (const uint8_t *)text + len + 2};
		err = stack_text_add(&c->s, w, none, 0, none, 0);
	}
	return err ? err : stack_text_end(&c->s, 0, &c->stack);
}

static bool possible(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret) && !(*ret >> 47);
}

/* The result: behind the last " = ". False: there is none. */
static bool result_of(struct word w, uint64_t *ret)
{
	bool found = false;
	while (word_find(&w, "= "))
		found = true;
	if (!found)
		return false;
	if (word_skip(&w, "<void>")) {
		*ret = 0;
		return true;
	}
	return argument(&w, ret);
}

static struct error *impossible(struct call_log *c)
{
	trace_damage(c->t, "a size that no call can have", c->l.number);
	return NULL;
}

/* "malloc" and what follows its parenthesis. */
static struct error *call_one(struct call_log *c, enum call call, struct word name,
			      struct word object, struct word w)
{
	uint64_t a = 0, b = 0, size = 0, result = 0;
	bool read = argument(&w, &a), failed;
	if (call == CALL_FREE) {
		if (!read)
			trace_damage(c->t, "a call that cannot be read", c->l.number);
		else
			trace_free(c->t, a);
		return NULL;
	}
	if (read && call != CALL_ALLOC)
		read = argument(&w, &b);
	if (read && (call == CALL_REARRAY || call == CALL_POSIX))
		read = argument(&w, &size);
	/* valgrind: realloc(0x0,55)malloc(55) = , realloc(P,0)free(P) */
	bool freed = read && call == CALL_REALLOC && word_find(&w, ")free(");
	if (freed) {
		trace_free(c->t, a);
		return NULL;
	}
	if (!read || !result_of(w, &result)) {
		trace_damage(c->t, "a call that cannot be read", c->l.number);
		return NULL;
	}
	struct error *err = site(c, name, object);
	if (err)
		return err;
	failed = !result;
	switch (call) {
	case CALL_ALLOC:
		size = a;
		break;
	case CALL_CALLOC:
		if (!possible(a, b, &size) && !failed)
			return impossible(c);
		break;
	case CALL_REALLOC:
		return b >> 47 && !failed ? impossible(c)
					  : trace_realloc(c->t, a, result, b, c->stack);
	case CALL_REARRAY:
		if (!possible(b, size, &size) && !failed)
			return impossible(c);
		return trace_realloc(c->t, a, result, size, c->stack);
	case CALL_ALIGNED:
		size = b;
		break;
	case CALL_POSIX:
		trace_damage(c->t, "posix_memalign, whose block ltrace does not tell", c->l.number);
		return NULL;
	case CALL_NONE:
	case CALL_FREE:
	case CALL_NO_EVENT:
	default:
		return NULL;
	}
	if (size >> 47 && !failed)
		return impossible(c);
	return trace_alloc(c->t, result, size, c->stack);
}

/* ---- ltrace's beginnings of lines ---- */

/* SECONDS.MICROS, HH:MM:SS or HH:MM:SS.MICROS and a blank */
static bool clock_of(struct word *w, uint64_t *micros, bool *wall)
{
	struct word v = *w;
	uint64_t n, total = 0;
	unsigned parts = 0;
	do {
		if (!word_dec(&v, false, &n) || n >> 32)
			return false;
		total = total * 60 + n;
	} while (++parts < 3 && word_skip(&v, ":"));
	if (parts == 2 || total >> 36)
		return false;
	*wall = parts == 3;
	total *= 1000000;
	bool point = word_skip(&v, ".");
	if (point) {
		uint64_t unit = 100000;
		for (; v.at < v.end && *v.at >= '0' && *v.at <= '9'; v.at++, unit /= 10)
			total += (uint64_t)(*v.at - '0') * unit;
	}
	if ((parts == 1 && !point) || !word_skip(&v, " "))
		return false;
	*micros = total;
	*w = v;
	return true;
}

static struct error *time_at(struct call_log *c, uint64_t micros, bool wall)
{
	if (!c->time_begun) {
		c->time_begun = true;
		c->first = micros;
		trace_unit(c->t, "s", 1e-6);
		/* -r counts from the line before; seconds since 1970 and of the day are big. */
		c->timed = wall || micros > UINT64_C(1000000000) * 1000000 ? 1 : 2;
	}
	if (c->timed == 2)
		c->now += micros;
	else if (micros >= c->first)
		c->now = micros - c->first;
	else
		c->now = micros + UINT64_C(86400) * 1000000 - c->first; /* midnight */
	return trace_time(c->t, c->now);
}

/* "[PID] [TIME] [OBJECT->]NAME(" and the rest. */
static bool begin_of(struct word *w, uint64_t *pid, uint64_t *micros, bool *wall, bool *has_time,
		     struct word *object, struct word *name)
{
	struct word v = *w;
	*pid = 0;
	*object = (struct word){0};
	word_blanks(&v);
	if (word_skip(&v, "[pid ")) {
		if (!word_dec(&v, false, pid) || !word_skip(&v, "]"))
			return false;
		word_blanks(&v);
	}
	*has_time = clock_of(&v, micros, wall);
	if (!*has_time) {
		struct word u = v;
		if (word_dec(&u, false, pid) && word_skip(&u, " ")) {
			v = u;
			word_blanks(&v);
			*has_time = clock_of(&v, micros, wall);
		}
	}
	word_blanks(&v);
	*w = v;
	if (!word_until(&v, '(', name))
		return false;
	const uint8_t *arrow = memmem(name->at, word_len(name), "->", 2);
	if (arrow) {
		*object = (struct word){name->at, arrow};
		name->at = arrow + 2;
	}
	*w = v;
	return true;
}

static struct waiting *waiting_of(struct call_log *c, uint64_t pid)
{
	struct waiting *empty = NULL;
	for (unsigned i = 0; i < WAITING_MAX; i++) {
		if (c->waiting[i].call.at && c->waiting[i].pid == pid)
			return &c->waiting[i];
		if (!c->waiting[i].call.at && !empty)
			empty = &c->waiting[i];
	}
	return empty;
}

/* "<... malloc resumed> ) = 0x1": the arguments stand in the line before. */
static struct error *resumed(struct call_log *c, uint64_t pid, struct word w)
{
	struct waiting *from = waiting_of(c, pid);
	struct word name, rest = w;
	uint64_t result;
	if (!from || !from->call.at)
		return NULL;
	struct word args = from->call;
	from->call.at = NULL;
	if (!word_until(&args, '(', &name) || !word_find(&rest, "resumed>"))
		return NULL;
	enum call call = call_of(name);
	if (call == CALL_FREE || call == CALL_NONE || call == CALL_NO_EVENT)
		return NULL;
	/* Both halves as one line. */
	char text[512];
	size_t n = word_len(&args) < 200 ? word_len(&args) : 200;
	size_t m = word_len(&rest) < 200 ? word_len(&rest) : 200;
	if (!result_of(rest, &result))
		return NULL;
	memcpy(text, args.at, n);
	memcpy(text + n, rest.at, m);
	const uint8_t *at = (const uint8_t *)text;
	return call_one(c, call, name, from->object, (struct word){at, at + n + m});
}

static struct error *ltrace_line(struct call_log *c)
{
	struct word w = c->l.line, name, object, whole;
	uint64_t pid, micros = 0;
	bool wall = false, has_time = false;
	word_trim(&w);
	bool call_begins = begin_of(&w, &pid, &micros, &wall, &has_time, &object, &name);
	struct error *err = has_time ? time_at(c, micros, wall) : NULL;
	if (err)
		return err;
	whole = call_begins ? (struct word){name.at, w.end} : w;
	struct word start = call_begins ? name : w;
	if (word_skip(&start, "<... "))
		return resumed(c, pid, whole);
	enum call call = call_begins ? call_of(name) : CALL_NONE;
	if (call == CALL_NONE || call == CALL_NO_EVENT)
		return NULL;
	if (!c->time_begun)
		err = trace_time(c->t, ++c->events);
	if (err)
		return err;
	struct word v = w;
	if (word_find(&v, "<unfinished ...>")) {
		if (call == CALL_FREE)
			return call_one(c, call, name, object, w);
		struct waiting *to = waiting_of(c, pid);
		if (to)
			*to = (struct waiting){pid, {name.at, v.at - 16}, object};
		return NULL;
	}
	return call_one(c, call, name, object, w);
}

static struct error *valgrind_line(struct call_log *c)
{
	struct word w = c->l.line, name;
	uint64_t pid;
	word_trim(&w);
	if (!word_skip(&w, "--") || !word_dec(&w, false, &pid) || !word_skip(&w, "-- ") ||
	    !word_until(&w, '(', &name))
		return NULL;
	enum call call = call_of(name);
	if (call == CALL_NONE || call == CALL_NO_EVENT)
		return NULL;
	struct error *err = trace_time(c->t, ++c->events);
	return err ? err : call_one(c, call, name, (struct word){0}, w);
}

/* ---- both ---- */

static bool valgrind_event(struct word w)
{
	uint64_t pid;
	struct word name;
	return word_skip(&w, "--") && word_dec(&w, false, &pid) && word_skip(&w, "-- ") &&
	       word_until(&w, '(', &name) && call_of(name) != CALL_NONE;
}

static bool ltrace_event(struct word w)
{
	struct word name, object;
	uint64_t pid, micros, result;
	bool wall, has_time;
	word_trim(&w);
	if (!begin_of(&w, &pid, &micros, &wall, &has_time, &object, &name))
		return false;
	enum call call = call_of(name);
	if (call == CALL_NONE || call == CALL_NO_EVENT || !argument(&w, &micros))
		return false;
	struct word v = w;
	return word_find(&v, "<unfinished ...>") || result_of(w, &result);
}

/* One of the first lines is an event; 1 valgrind's, 2 ltrace's, 0 none. */
static int find_event(const uint8_t *head, uint64_t len)
{
	struct lines l;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	while (lines_next(&l)) {
		if (valgrind_event(l.line))
			return 1;
		if (ltrace_event(l.line))
			return 2;
	}
	return 0;
}

static struct error *calls_read_trace(const struct input_file *in, struct trace *t, struct log *log)
{
	struct call_log c = {.t = t, .s.t = t};
	struct error *err;
	c.valgrind = find_event(in->data, in->size) == 1;
	err = c.valgrind ? trace_fact(t, "format", "valgrind --trace-malloc", 23)
			 : trace_fact(t, "format", "ltrace", 6);
	trace_unit(t, "events", 1);
	lines_init(&c.l, in->data, in->size);
	while (!err && lines_next(&c.l) && !c.l.cut) {
		err = c.valgrind ? valgrind_line(&c) : ltrace_line(&c);
		if (c.l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(c.l.at - c.l.start), in->size);
	}
	if (in->cut || c.l.cut)
		trace_cut(t);
	stack_text_deinit(&c.s);
	return err;
}

static bool calls_probe(const uint8_t *head, uint64_t len)
{
	return find_event(head, len) != 0;
}

const struct input_format input_trace_calls = {
	.name = "log of calls",
	.probe = calls_probe,
	.read_trace = calls_read_trace,
};
