/*
 * trace_dhat: dhat.out files of valgrind's DHAT, and of Rust's dhat crate.
 *
 * JSON, dhat/dh_main.c (valgrind 3.19, dh_fini), format version 2 (3.15 and 3.16: 1):
 *
 *	{"dhatFileVersion":2, "mode":"heap", "verb":"Allocated", "bklt":true, "tu":"instrs",
 *	 "cmd":"./leaky", "pid":1, "te":END, "tg":TIME OF THE PEAK,
 *	 "pps":[{"tb":BYTES,"tbk":BLOCKS,		in all
 *		 "tl":LIFETIMES,			of all blocks together
 *		 "mb":BYTES,"mbk":BLOCKS,		at its own peak
 *		 "gb":BYTES,"gbk":BLOCKS,		at the global peak
 *		 "eb":BYTES,"ebk":BLOCKS,		at the end
 *		 "fs":[1,2,3]}, ...],			frames, innermost first
 *	 "ftbl":["[root]","0x48465EF: calloc (in FILE)","0x10924D: keep (leaky.c:25)", ...]}
 *
 * The table of frames is at the end: a cut file has totals, but no stacks. It is read piece by
 * piece; memory follows the stacks. A block of 0 bytes counts as one of 1.
 */
#include "input/input.h"
#include "input/json_words.h"
#include "input/stack_text.h"

#include <inttypes.h>
#include <stdio.h>

struct point_totals {
	struct trace_totals f;
	uint64_t first;
	uint32_t frames;
};

struct dhat {
	struct trace *t;
	struct stack_text s;
	struct json_words j;
	VEC(struct point_totals) point;
	VEC(uint64_t) number; /* of frames, of all points */
	VEC(uint32_t) frame;  /* by number: id + 1; 0: left out */
	uint64_t version, peak, peak_time, end, pid;
	double tick;
	bool heap, lives;
};

static bool key_is(const struct dhat *d, const char *key)
{
	return word_is(&d->j.text, key);
}

/* The value of `key` at the top. */
static struct error *top_value(struct dhat *d, struct word key)
{
	const struct json_words *j = &d->j;
	uint64_t n = 0;
	bool number = json_words_number(j, &n);
	if (word_is(&key, "dhatFileVersion") && number)
		d->version = n;
	else if (word_is(&key, "te") && number)
		d->end = n;
	else if (word_is(&key, "tg") && number)
		d->peak_time = n;
	else if (word_is(&key, "pid") && number)
		d->pid = n;
	else if (word_is(&key, "mode"))
		d->heap = key_is(d, "heap");
	else if (word_is(&key, "bklt"))
		d->lives = key_is(d, "true");
	else if (word_is(&key, "cmd") && j->kind == JSON_STRING)
		return trace_fact(d->t, "args", (const char *)j->text.at, word_len(&j->text));
	else if (word_is(&key, "tu") && key_is(d, "instrs"))
		trace_unit(d->t, "instructions", 1);
	else if (word_is(&key, "tu") && key_is(d, "\xc2\xb5s"))
		trace_unit(d->t, "s", d->tick = 1e-6);
	else if (word_is(&key, "tu"))
		trace_unit(d->t, "units", 1);
	return NULL;
}

/* Skips what was opened last. */
static void skip(struct dhat *d)
{
	uint32_t outside = d->j.depth - 1;
	while (d->j.depth > outside && json_words_next(&d->j))
		;
}

static struct error *read_frame_numbers(struct dhat *d, struct point_totals *p)
{
	uint32_t outside = d->j.depth - 1;
	struct error *err = NULL;
	uint64_t n;
	while (!err && json_words_next(&d->j) && d->j.depth > outside) {
		if (!json_words_number(&d->j, &n)) {
			trace_damage(d->t, "a frame number that cannot be read", 0);
			continue;
		}
		err = p->frames < STACK_TEXT_FRAMES ? vec_push(&d->number, n) : NULL;
		p->frames += p->frames < STACK_TEXT_FRAMES;
	}
	return err;
}

static void point_value(struct dhat *d, struct point_totals *p, struct word key)
{
	struct {
		const char *key;
		uint64_t *to;
	} field[] = {
		{"tb", &p->f.allocated_bytes}, {"tbk", &p->f.allocations}, {"tl", &p->f.lifetime},
		{"mb", &p->f.own_peak_bytes},  {"gb", &p->f.peak_bytes},   {"eb", &p->f.live_bytes},
		{"ebk", &p->f.live_objects},
	};
	uint64_t n;
	for (size_t i = 0; i < sizeof(field) / sizeof(*field); i++) {
		if (!word_is(&key, field[i].key))
			continue;
		if (json_words_number(&d->j, &n) && !(n >> 60))
			*field[i].to = n;
		else
			trace_damage(d->t, "a total that cannot be read", 0);
	}
}

static struct error *read_point(struct dhat *d)
{
	struct point_totals p = {.f = trace_totals_unknown(), .first = d->number.n};
	uint32_t outside = d->j.depth - 1;
	struct word key = {0};
	struct error *err = NULL;
	while (!err && json_words_next(&d->j) && d->j.depth > outside) {
		if (d->j.kind == JSON_KEY)
			key = d->j.text;
		else if (d->j.kind == JSON_OPEN && word_is(&key, "fs"))
			err = read_frame_numbers(d, &p);
		else if (d->j.kind == JSON_OPEN)
			skip(d);
		else
			point_value(d, &p, key);
	}
	/* One that is cut has not all of its figures. */
	if (err || d->j.depth > outside)
		return err;
	if (p.f.peak_bytes != TRACE_UNKNOWN && !(d->peak >> 60))
		d->peak += p.f.peak_bytes;
	return vec_push(&d->point, p);
}

static struct error *read_points(struct dhat *d)
{
	uint32_t outside = d->j.depth - 1;
	struct error *err = NULL;
	while (!err && json_words_next(&d->j) && d->j.depth > outside)
		if (d->j.kind == JSON_OPEN)
			err = read_point(d);
	return err;
}

static struct error *read_frames(struct dhat *d)
{
	uint32_t outside = d->j.depth - 1;
	struct error *err = NULL;
	while (!err && json_words_next(&d->j) && d->j.depth > outside) {
		bool known;
		if (d->j.kind == JSON_OPEN) {
			skip(d);
			continue;
		}
		stack_text_begin(&d->s);
		err = stack_text_valgrind(&d->s, d->j.text, &known);
		if (!err)
			err = vec_push(&d->frame, d->s.frame.n ? d->s.frame.at[0] + 1 : 0);
	}
	return err;
}

static struct error *read_top(struct dhat *d)
{
	struct word key = {0};
	struct error *err = NULL;
	while (!err && json_words_next(&d->j) && d->j.depth) {
		if (d->j.kind == JSON_KEY)
			key = d->j.text;
		else if (d->j.kind == JSON_OPEN && d->j.depth == 1)
			continue;
		else if (d->j.kind == JSON_OPEN && word_is(&key, "pps"))
			err = read_points(d);
		else if (d->j.kind == JSON_OPEN && word_is(&key, "ftbl"))
			err = read_frames(d);
		else if (d->j.kind == JSON_OPEN)
			skip(d);
		else
			err = top_value(d, key);
	}
	return err;
}

static struct error *add_points(struct dhat *d)
{
	struct error *err = NULL;
	for (uint64_t i = 0; i < d->point.n && !err; i++) {
		const struct point_totals *p = &d->point.at[i];
		uint32_t stack;
		stack_text_begin(&d->s);
		for (uint32_t k = 0; k < p->frames && !err; k++) {
			uint64_t n = d->number.at[p->first + k];
			if (n >= d->frame.n) {
				/* Without any table the file is cut: that is told. */
				if (d->frame.n)
					trace_damage(d->t, "a frame number out of range", 0);
			} else if (d->frame.at[n]) {
				err = vec_push(&d->s.frame, d->frame.at[n] - 1);
			}
		}
		if (!err)
			err = stack_text_end(&d->s, 0, &stack);
		if (!err)
			err = trace_total(d->t, stack, &p->f);
	}
	return err;
}

static struct error *facts(struct dhat *d)
{
	char text[48];
	int n = snprintf(text, sizeof(text), "DHAT, version %" PRIu64, d->version);
	struct error *err = trace_fact(d->t, "format", text, (size_t)n);
	n = snprintf(text, sizeof(text), "%" PRIu64, d->pid);
	if (!err && d->pid)
		err = trace_fact(d->t, "pid", text, (size_t)n);
	n = snprintf(text, sizeof(text), "%.10g", (double)d->end * d->tick);
	if (!err && d->end)
		err = trace_fact(d->t, "duration", text, (size_t)n);
	return err;
}

static struct error *dhat_read_trace(const struct input_file *in, struct trace *t, struct log *log)
{
	struct dhat d = {.t = t, .s.t = t, .tick = 1, .j.rest = {in->data, in->data + in->size}};
	(void)log;
	struct error *err = read_top(&d);
	if (!err && (!d.heap || !d.lives))
		err = error_new(ERROR_INPUT, "a DHAT file of another mode than heap: it knows no "
					     "live blocks");
	if (!err && (d.version < 1 || d.version > 2))
		err = error_new(ERROR_INPUT,
				"a DHAT file of version %" PRIu64 ", known here are 1 and 2",
				d.version);
	if (!err)
		err = add_points(&d);
	if (!err)
		err = facts(&d);
	if (d.peak)
		trace_peak(t, d.peak, d.peak_time >> 56 ? TRACE_UNKNOWN : d.peak_time);
	if (d.j.depth || d.j.bad || in->cut)
		trace_cut(t);
	stack_text_deinit(&d.s);
	vec_deinit(&d.point);
	vec_deinit(&d.number);
	vec_deinit(&d.frame);
	return err;
}

static bool dhat_probe(const uint8_t *head, uint64_t len)
{
	struct word w = {head, head + (len < 4096 ? len : 4096)};
	while (w.at < w.end && *w.at <= ' ')
		w.at++;
	return word_skip(&w, "{") && word_find(&w, "\"dhatFileVersion\"");
}

const struct input_format input_trace_dhat = {
	.name = "DHAT data",
	.probe = dhat_probe,
	.read_trace = dhat_read_trace,
};
