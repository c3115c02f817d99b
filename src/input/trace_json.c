/*
 * trace_json: JSON lines, for one's own tracer. An object a line; README.md, "One's own tracer", is
 * the format's document:
 *
 *	{"op":"malloc","ptr":"0x5640867b42a0","size":300,"stack":["keep (a.c:25)","main"],"t":0.01}
 *	{"op":"free","ptr":"0x5640867b42a0","t":0.02}
 *	{"op":"realloc","old":"0x1","ptr":"0x2","size":1000}
 *	{"exe":"/usr/bin/app","pid":1234}
 *
 * Parsed by jansson, a line at a time. A line that is none of these is damage, and is left out.
 */
#include "input/input.h"
#include "input/stack_text.h"
#include "input/trace_op.h"

#include <jansson.h>
#include <math.h>

/* A record is short; what is longer is none. jansson bounds the depth itself. */
enum { LINE_MAX_BYTES = 1 << 20 };

struct json_log {
	struct trace *t;
	struct stack_text s;
	struct lines l;
	uint64_t events, first_time;
	bool timed;
};

static struct word text_of(const json_t *v)
{
	const uint8_t *at = (const uint8_t *)json_string_value(v);
	return (struct word){at, at + json_string_length(v)};
}

/* A number, or text: "0x..." or decimal. */
static bool number_of(const json_t *v, uint64_t *ret)
{
	if (json_is_integer(v)) {
		*ret = (uint64_t)json_integer_value(v);
		return json_integer_value(v) >= 0;
	}
	if (!json_is_string(v))
		return false;
	struct word w = text_of(v);
	return trace_op_number(&w, ret) && !word_len(&w);
}

/* "keep (a.c:25)", "keep (in /usr/lib/x.so)", or an object with function, file, line, module. */
static struct error *frame(struct json_log *j, const json_t *v)
{
	const struct word none = {0};
	if (json_is_string(v))
		return trace_op_frame(&j->s, text_of(v));
	if (!json_is_object(v)) {
		trace_damage(j->t, "a frame that is neither text nor an object", j->l.number);
		return NULL;
	}
	const json_t *function = json_object_get(v, "function"), *file = json_object_get(v, "file"),
		     *module = json_object_get(v, "module");
	uint64_t line = 0, address = 0;
	number_of(json_object_get(v, "line"), &line);
	number_of(json_object_get(v, "address"), &address);
	return stack_text_add(&j->s, json_is_string(function) ? text_of(function) : none,
			      json_is_string(file) ? text_of(file) : none, line,
			      json_is_string(module) ? text_of(module) : none, address);
}

static struct error *stack_of(struct json_log *j, const json_t *v, uint32_t *ret)
{
	struct error *err = NULL;
	*ret = 0;
	stack_text_begin(&j->s);
	for (size_t i = 0; i < json_array_size(v) && !err; i++)
		err = frame(j, json_array_get(v, i));
	return err ? err : stack_text_end(&j->s, 0, ret);
}

/* Seconds, as many as come: the first event is the beginning. Without any: the event's number. */
static struct error *time_of(struct json_log *j, const json_t *v)
{
	double seconds = json_is_number(v) ? json_number_value(v) : -1;
	j->events++;
	if (seconds >= 0 && seconds < 0x1p35) {
		uint64_t micros = (uint64_t)llround(seconds * 1e6);
		if (!j->timed) {
			trace_unit(j->t, "s", 1e-6);
			j->first_time = micros;
			j->timed = true;
		}
		if (micros >= j->first_time)
			return trace_time(j->t, micros - j->first_time);
		trace_damage(j->t, "a time before the one before", j->l.number);
		return NULL;
	}
	return j->timed ? NULL : trace_time(j->t, j->events);
}

static struct error *facts(struct json_log *j, const json_t *o)
{
	static const char *const key[] = {"exe", "args", "pid", "recorder"};
	struct error *err = NULL;
	bool any = false;
	for (size_t i = 0; i < sizeof(key) / sizeof(*key) && !err; i++) {
		const json_t *v = json_object_get(o, key[i]);
		char text[32];
		if (json_is_integer(v)) {
			int n = snprintf(text, sizeof(text), "%lld",
					 (long long)json_integer_value(v));
			err = trace_fact(j->t, key[i], text, (size_t)n);
		} else if (json_is_string(v)) {
			err = trace_fact(j->t, key[i], json_string_value(v), json_string_length(v));
		}
		any |= v != NULL;
	}
	if (!any)
		trace_damage(j->t, "a record without an op", j->l.number);
	return err;
}

static struct error *record(struct json_log *j, const json_t *o)
{
	struct trace_op op = {0};
	const json_t *name = json_object_get(o, "op");
	if (!json_is_string(name))
		return facts(j, o);
	op.kind = trace_op_kind(text_of(name));
	if (op.kind == TRACE_OP_NONE) {
		trace_damage(j->t, "an op that is not known", j->l.number);
		return NULL;
	}
	op.has_address = number_of(json_object_get(o, "ptr"), &op.address);
	op.has_old = number_of(json_object_get(o, "old"), &op.old);
	op.has_size = number_of(json_object_get(o, "size"), &op.size);
	struct error *err = time_of(j, json_object_get(o, "t"));
	if (!err)
		err = stack_of(j, json_object_get(o, "stack"), &op.stack);
	return err ? err : trace_op_apply(j->t, &op, j->l.number);
}

static struct error *read_line(struct json_log *j)
{
	struct word w = j->l.line;
	word_trim(&w);
	if (!word_len(&w))
		return NULL;
	json_t *o = NULL;
	if (word_len(&w) <= LINE_MAX_BYTES)
		o = json_loadb((const char *)w.at, word_len(&w), JSON_ALLOW_NUL, NULL);
	if (!json_is_object(o) && j->l.cut) {
		trace_cut(j->t);
		json_decref(o);
		return NULL;
	}
	if (!json_is_object(o)) {
		trace_damage(j->t, "a line that is no JSON object", j->l.number);
		json_decref(o);
		return NULL;
	}
	struct error *err = record(j, o);
	json_decref(o);
	return err;
}

static struct error *json_read_trace(const struct input_file *in, struct trace *t, struct log *log)
{
	struct json_log j = {.t = t, .s.t = t};
	struct error *err = trace_fact(t, "format", "JSON lines", 10);
	trace_unit(t, "events", 1);
	lines_init(&j.l, in->data, in->size);
	j.l.forget = in->fd >= 0;
	while (!err && lines_next(&j.l)) {
		err = read_line(&j);
		if (j.l.number % 65536 == 0)
			log_progress(log, "reading", (uint64_t)(j.l.at - j.l.start), in->size);
	}
	if (in->cut)
		trace_cut(t);
	stack_text_deinit(&j.s);
	return err;
}

/* An object on the first line, or one after a line of facts, with an "op". */
static bool json_probe(const uint8_t *head, uint64_t len)
{
	struct lines l;
	lines_init(&l, head, len < 1 << 16 ? len : 1 << 16);
	for (int i = 0; i < 8 && lines_next(&l); i++) {
		struct word w = l.line;
		word_trim(&w);
		if (!word_len(&w))
			continue;
		if (*w.at != '{')
			return false;
		if (word_find(&w, "\"op\"") && w.end[-1] == '}')
			return true;
	}
	return false;
}

const struct input_format input_trace_json = {
	.name = "JSON lines of allocations",
	.probe = json_probe,
	.read_trace = json_read_trace,
};
