/*
 * trace_bpftrace: maps of bpftrace that have a stack in their key, as text or as JSON (-f json).
 *
 * bpftrace 0.17, src/output.cpp and BPFtrace::get_stack, at the end of the run or at intervals:
 *
 *	@bytes[
 *	    malloc+0
 *	    0x7f4abc4ae7e0			no symbol
 *	]: 80				or ", NAME]: 80"; the map may begin "@bytes[NAME, "
 *	@all[
 *	<tab>7f6096b97109 main+20 (/usr/bin/app)	ustack(perf)
 *	]: count 5, average 16, total 80	stats()
 *
 * The same in JSON, a line for each map that is printed (JsonOutput::map, map_stats, map_key_to_str): the parts of a
 * key stand in one string, a comma between them, and a stack has a line feed at either end:
 *
 *	{"type": "attached_probes", "data": {"probes": 2}}
 *	{"type": "map", "data": {"@bytes": {"\n    malloc+0\n    main+94\n,NAME": 80, ...}}}
 *	{"type": "stats", "data": {"@all": {"NAME,\n\t7f60 main+20 (/usr/bin/app)\n": {"count": 5, "average": 16, "total": 80}}}}
 *
 * A number is bytes, or with "count" in the map's name, blocks. The last one of each key counts; keys of a map that
 * differ in something else than the stack add up. Where several maps tell the same, the last one is believed.
 */
#include "input/ebpf_text.h"
#include "input/input.h"
#include "input/json_words.h"

#include "base/intern.h"

struct sums {
	uint64_t bytes, blocks; /* TRACE_UNKNOWN */
};

struct key {
	uint32_t map, stack, rest;
};

struct bpftrace {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	bool in_stack, counts;
	uint32_t map; /* the name of the one that is read */
	VEC(uint8_t)
	piece; /* of a key: what is not its stack, or a line of JSON's without escapes */
	struct intern text; /* names of maps, what is not the stack of a key */
	struct intern key;  /* struct key: its id is the place of its value, from 1 */
	VEC(struct sums) value;
};

static struct error *piece_add(struct bpftrace *b, struct word w)
{
	struct error *err = NULL;
	for (; w.at < w.end && b->piece.n < STACK_TEXT_NAME && !err; w.at++)
		err = vec_push(&b->piece, *w.at);
	return err;
}

static struct error *piece_intern(struct bpftrace *b, uint32_t *ret)
{
	*ret = 0;
	if (!b->piece.n)
		return NULL;
	return intern_add(&b->text, (const char *)b->piece.at, b->piece.n, ret);
}

static struct error *map_begin(struct bpftrace *b, struct word name)
{
	struct word v = name;
	b->counts = word_find(&v, "count");
	b->piece.n = 0;
	struct error *err = piece_add(b, name);
	return err ? err : piece_intern(b, &b->map);
}

/* The key whose frames were read, with `rest` beside them, has this value. */
static struct error *key_end(struct bpftrace *b, uint32_t rest, const struct sums *value)
{
	struct key key = {.map = b->map, .rest = rest};
	uint32_t id = 0;
	struct error *err = stack_text_end(&b->s, 0, &key.stack);
	if (!err)
		err = intern_add(&b->key, (const char *)&key, sizeof(key), &id);
	while (!err && b->value.n < id)
		err = vec_push(&b->value, ((struct sums){TRACE_UNKNOWN, TRACE_UNKNOWN}));
	if (err)
		return err;
	struct sums *to = &b->value.at[id - 1];
	to->bytes = value->bytes != TRACE_UNKNOWN ? value->bytes : to->bytes;
	to->blocks = value->blocks != TRACE_UNKNOWN ? value->blocks : to->blocks;
	return NULL;
}

/* ---- text ---- */

/* "80", "count 5, average 16, total 80" */
static bool text_value(const struct bpftrace *b, struct word w, struct sums *ret)
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
	uint64_t *to = b->counts ? &ret->blocks : &ret->bytes;
	return word_dec(&v, false, to) && !word_len(&v) && !(*to >> 56);
}

/* "]: 80", ", NAME]: 80"; ", " alone or with a name comes before another stack. */
static struct error *text_end(struct bpftrace *b, struct word w)
{
	struct sums value;
	uint32_t rest;
	const uint8_t *colon = memrchr(w.at, ':', word_len(&w));
	const bool last = colon && colon > w.at && colon[-1] == ']';
	struct error *err = piece_add(b, (struct word){w.at, last ? colon - 1 : w.end});
	if (err || (*w.at == ',' && !last))
		return err;
	b->in_stack = false;
	if (!last || !text_value(b, (struct word){colon + 1, w.end}, &value)) {
		trace_damage(b->t, "a map whose value is no size", b->l.number);
		return NULL;
	}
	err = piece_intern(b, &rest);
	return err ? err : key_end(b, rest, &value);
}

static struct error *text_line(struct bpftrace *b)
{
	struct word w = b->l.line, name;
	word_trim(&w);
	if (word_len(&w) && *w.at == '@') {
		b->in_stack = w.end[-1] == '[' || w.end[-1] == ',';
		if (!word_until(&w, '[', &name))
			return NULL;
		struct error *err = map_begin(b, name);
		stack_text_begin(&b->s);
		b->piece.n = 0;
		return err ? err : piece_add(b, w);
	}
	if (!b->in_stack || !word_len(&w))
		return NULL;
	if (*w.at == ']' || *w.at == ',')
		return text_end(b, w);
	return ebpf_text_frame(&b->s, w);
}

/* ---- JSON ---- */

/* One character of a string, which may be escaped. */
static uint8_t json_character(struct word *w)
{
	uint8_t c = *w->at++;
	uint64_t code = 0;
	if (c != '\\' || !word_len(w))
		return c;
	c = *w->at++;
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'r':
		return '\r';
	case 'u': {
		/* bpftrace writes control characters so, and no others. */
		struct word hex = {w->at, word_len(w) < 4 ? w->end : w->at + 4};
		w->at = hex.end;
		return word_hex(&hex, &code) && code < 0x80 ? (uint8_t)code : '?';
	}
	default:
		return c;
	}
}

/*
 * "\n    malloc+0\n    main+94\n,NAME": lines of which those with a blank in front are frames. The rest has to be
 * together at the end: what has been put in front of the frame that is read (`from` bytes) stays.
 */
static struct error *json_key(struct bpftrace *b, struct word w, bool *stack, uint32_t *rest)
{
	uint64_t from = 0;
	struct error *err = NULL;
	stack_text_begin(&b->s);
	b->piece.n = 0;
	*stack = false;
	while (!err) {
		bool end = !word_len(&w);
		uint8_t c = end ? '\n' : json_character(&w);
		if (c != '\n') {
			err = piece_add(b, (struct word){&c, &c + 1});
			continue;
		}
		if (b->piece.n > from && (b->piece.at[from] == ' ' || b->piece.at[from] == '\t')) {
			err = ebpf_text_frame(
				&b->s, (struct word){b->piece.at + from, b->piece.at + b->piece.n});
			b->piece.n = from;
			*stack = true;
		}
		from = b->piece.n;
		if (end)
			break;
	}
	return err ? err : piece_intern(b, rest);
}

/* A number, or the object of a stats(); all else (a histogram) is none. */
static bool json_value(const struct bpftrace *b, struct json_words *j, struct sums *ret)
{
	const uint32_t depth = j->depth;
	uint64_t *to = b->counts ? &ret->blocks : &ret->bytes;
	*ret = (struct sums){TRACE_UNKNOWN, TRACE_UNKNOWN};
	if (!json_words_next(j))
		return false;
	if (j->kind != JSON_OPEN)
		return json_words_number(j, to) && !(*to >> 56);
	bool good = j->what == '{';
	struct word key = {0};
	while (json_words_next(j) && j->depth > depth) {
		if (j->kind == JSON_KEY)
			key = j->text;
		else if (word_is(&key, "count"))
			good = good && json_words_number(j, &ret->blocks);
		else if (word_is(&key, "total"))
			good = good && json_words_number(j, &ret->bytes);
	}
	return good && ret->bytes != TRACE_UNKNOWN && ret->blocks != TRACE_UNKNOWN &&
	       !(ret->bytes >> 56) && !(ret->blocks >> 56);
}

/* "{"type": TYPE, "data": {"@NAME": {": what comes next is the first key. False: something else. */
static bool json_map(struct json_words *j, struct word *name)
{
	struct word type = {0};
	if (!json_words_next(j) || j->kind != JSON_OPEN || j->what != '{' || !json_words_next(j) ||
	    j->kind != JSON_KEY || !word_is(&j->text, "type") || !json_words_next(j) ||
	    j->kind != JSON_STRING)
		return false;
	type = j->text;
	if ((!word_is(&type, "map") && !word_is(&type, "stats")) || !json_words_next(j) ||
	    j->kind != JSON_KEY || !word_is(&j->text, "data") || !json_words_next(j) ||
	    j->kind != JSON_OPEN || j->what != '{' || !json_words_next(j) || j->kind != JSON_KEY ||
	    !word_len(&j->text) || *j->text.at != '@')
		return false;
	*name = j->text;
	return json_words_next(j) && j->kind == JSON_OPEN && j->what == '{';
}

static struct error *json_line(struct bpftrace *b)
{
	enum { INSIDE = 3 }; /* depth of keys */
	struct json_words j = {.rest = b->l.line};
	struct word name;
	struct error *err = NULL;
	if (!json_map(&j, &name))
		return NULL;
	err = map_begin(b, name);
	while (!err && json_words_next(&j) && j.depth >= INSIDE) {
		struct sums value;
		uint32_t rest;
		bool stack;
		if (j.kind != JSON_KEY)
			continue;
		err = json_key(b, j.text, &stack, &rest);
		bool good = !err && json_value(b, &j, &value);
		if (err || !stack)
			continue;
		if (!good)
			trace_damage(b->t, "a map whose value is no size", b->l.number);
		else
			err = key_end(b, rest, &value);
	}
	if (!err && (j.bad || j.depth))
		while (json_words_next(&j))
			continue;
	if (!err && (j.bad || j.depth))
		trace_damage(b->t, "a line that is no JSON", b->l.number);
	return err;
}

/* ---- both ---- */

/* Keys of one map and stack add up; of several maps that have a stack, the last one counts. */
static struct error *stacks_tell(struct bpftrace *b)
{
	struct last {
		struct sums sum;
		uint32_t bytes_map, blocks_map;
	};
	VEC(struct last) of = {0};
	struct error *err = NULL;
	for (uint64_t i = 0; i < b->value.n && !err; i++) {
		const struct sums *value = &b->value.at[i];
		struct key key;
		memcpy(&key, intern_text(&b->key, (uint32_t)i + 1), sizeof(key));
		while (!err && of.n <= key.stack)
			err = vec_push(&of, ((struct last){.sum = {TRACE_UNKNOWN, TRACE_UNKNOWN}}));
		if (err)
			break;
		struct last *to = &of.at[key.stack];
		if (value->bytes != TRACE_UNKNOWN && key.map >= to->bytes_map) {
			bool more = key.map == to->bytes_map && !(to->sum.bytes >> 60);
			to->sum.bytes = value->bytes + (more ? to->sum.bytes : 0);
			to->bytes_map = key.map;
		}
		if (value->blocks != TRACE_UNKNOWN && key.map >= to->blocks_map) {
			bool more = key.map == to->blocks_map && !(to->sum.blocks >> 60);
			to->sum.blocks = value->blocks + (more ? to->sum.blocks : 0);
			to->blocks_map = key.map;
		}
	}
	for (uint64_t i = 0; i < of.n && !err; i++) {
		struct trace_totals f = trace_totals_unknown();
		f.live_bytes = of.at[i].sum.bytes;
		f.live_objects = of.at[i].sum.blocks;
		if (f.live_bytes != TRACE_UNKNOWN || f.live_objects != TRACE_UNKNOWN)
			err = trace_total(b->t, (uint32_t)i, &f);
	}
	vec_deinit(&of);
	return err;
}

/* A map's key that is a stack: "@name[", then a line with blanks in front, and "+" in it or an address. */
static bool is_text(const uint8_t *head, uint64_t len)
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
		    (memchr(w.at, '+', word_len(&w)) || word_address(&v, &n) ||
		     ebpf_text_is_perf(w)))
			return true;
		open = word_len(&w) > 1 && *w.at == '@' && (w.end[-1] == '[' || w.end[-1] == ',');
	}
	return false;
}

/* A map in JSON, or what bpftrace says first. */
static bool is_json(const uint8_t *head, uint64_t len)
{
	struct lines l;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	while (lines_next(&l)) {
		struct json_words j = {.rest = l.line};
		struct word w = l.line, name;
		if (word_skip(&w, "{\"type\": \"attached_probes\", \"data\": {\"probes\": ") ||
		    json_map(&j, &name))
			return true;
	}
	return false;
}

static struct error *bpftrace_read_trace(const struct input_file *in, struct trace *t,
					 struct log *log)
{
	struct bpftrace b = {.t = t, .s.t = t};
	(void)log;
	struct error *err = trace_fact(t, "format", "bpftrace map", 12);
	const bool json = is_json(in->data, in->size);
	lines_init(&b.l, in->data, in->size);
	while (!err && lines_next(&b.l) && !b.l.cut)
		err = json ? json_line(&b) : text_line(&b);
	if (!err)
		err = stacks_tell(&b);
	if (!err && !b.value.n)
		trace_damage(t, "no map with a stack in its key and a size as its value", 0);
	if (in->cut || b.l.cut)
		trace_cut(t);
	stack_text_deinit(&b.s);
	vec_deinit(&b.piece);
	intern_deinit(&b.text);
	intern_deinit(&b.key);
	vec_deinit(&b.value);
	return err;
}

static bool bpftrace_probe(const uint8_t *head, uint64_t len)
{
	return is_json(head, len) || is_text(head, len);
}

const struct input_format input_trace_bpftrace = {
	.name = "maps of bpftrace",
	.probe = bpftrace_probe,
	.read_trace = bpftrace_read_trace,
};
