/* trace: names and facts. What happened to blocks is replay.c's. */
#include "input/trace.h"
#include "input/trace_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { TRACE_MODULES_MAX = 1 << 15 };

struct error *trace_create(struct damage_log *damage, struct log *log, struct trace **ret)
{
	struct trace *t = calloc(1, sizeof(*t));
	if (!t)
		return &error_nomem;
	t->damage = damage;
	t->log = log;
	t->unit = "s";
	t->tick = 1;
	t->epoch = 1;
	t->peak_ticks = TRACE_UNKNOWN;
	/* Not there: then it is merely known. */
	if (getrandom(&t->multiplier, sizeof(t->multiplier), GRND_NONBLOCK) < 0)
		t->multiplier = UINT64_C(0x9e3779b97f4a7c15);
	t->multiplier |= 1;
	*ret = t;
	return NULL;
}

void trace_destroy(struct trace *t)
{
	if (!t)
		return;
	intern_deinit(&t->strings);
	vec_deinit(&t->fact);
	vec_deinit(&t->module);
	vec_deinit(&t->module_key);
	vec_deinit(&t->frame);
	vec_deinit(&t->named);
	vec_deinit(&t->stack);
	vec_deinit(&t->stat_of);
	vec_deinit(&t->suppression);
	vec_deinit(&t->stat);
	vec_deinit(&t->stat_stack);
	vec_deinit(&t->kind);
	vec_deinit(&t->point);
	vec_deinit(&t->total);
	vec_deinit(&t->big);
	record_index_deinit(&t->frames);
	record_index_deinit(&t->stacks);
	record_index_deinit(&t->modules);
	free(t->slot);
	free(t);
}

/* ---- records found by their bytes ---- */

void record_index_deinit(struct record_index *x)
{
	free(x->slot);
	*x = (struct record_index){0};
}

static uint64_t record_hash(const uint8_t *p, size_t size)
{
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
	for (size_t i = 0; i < size; i += 4) {
		uint32_t v;
		memcpy(&v, p + i, 4);
		h = (h ^ v) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return h;
}

static struct error *record_grow(struct record_index *x, const uint8_t *at, uint64_t n, size_t size)
{
	uint64_t slots = x->slots ? x->slots * 2 : 1024;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return &error_nomem;
	free(x->slot);
	x->slot = slot;
	x->slots = slots;
	for (uint64_t k = 0; k < n; k++) {
		uint64_t i = record_hash(at + k * size, size);
		while (slot[i & (slots - 1)])
			i++;
		slot[i & (slots - 1)] = (uint32_t)k + 1;
	}
	return NULL;
}

struct error *record_find(struct record_index *x, const void *at, uint64_t n, size_t size,
			  const void *record, uint32_t *ret, uint32_t **slot)
{
	const uint8_t *base = at;
	if (n >= UINT32_MAX - 1)
		return error_new(ERROR_INPUT, "more than 4,294,967,294 stacks or frames");
	if ((n + 1) * 2 > x->slots) {
		struct error *err = record_grow(x, base, n, size);
		if (err)
			return err;
	}
	for (uint64_t i = record_hash(record, size);; i++) {
		uint32_t *s = &x->slot[i & (x->slots - 1)];
		if (*s && memcmp(base + (*s - UINT64_C(1)) * size, record, size))
			continue;
		*ret = *s;
		*slot = s;
		return NULL;
	}
}

/* ---- facts ---- */

struct error *trace_fact(struct trace *t, const char *key, const char *text, size_t len)
{
	struct fact f;
	struct error *err = intern_str(&t->strings, key, &f.key);
	if (!err)
		err = intern_add(&t->strings, text, len, &f.value);
	for (uint64_t i = 0; !err && i < t->fact.n; i++)
		if (t->fact.at[i].key == f.key) {
			t->fact.at[i].value = f.value;
			return NULL;
		}
	return err ? err : vec_push(&t->fact, f);
}

void trace_damage(struct trace *t, const char *what, uint64_t line)
{
	for (unsigned i = 0; i < t->nwrong; i++)
		if (!strcmp(t->wrong[i].what, what)) {
			t->wrong[i].count++;
			return;
		}
	if (t->nwrong < DAMAGE_COUNTS)
		t->wrong[t->nwrong++] = (struct damage_count){what, line, 1};
}

void trace_cut(struct trace *t)
{
	t->cut = true;
}

void trace_unit(struct trace *t, const char *unit, double tick)
{
	t->unit = unit;
	t->tick = tick;
}

/* ---- names ---- */

struct error *trace_string(struct trace *t, const void *text, size_t len, uint32_t *ret)
{
	if (len)
		return intern_add(&t->strings, text, len, ret);
	*ret = 0;
	return NULL;
}

const char *trace_text(const struct trace *t, uint32_t string)
{
	return intern_text(&t->strings, string);
}

static struct error *frame_add(struct trace *t, const struct frame_record *f, uint32_t *ret)
{
	uint32_t *slot;
	struct error *err =
		record_find(&t->frames, t->frame.at, t->frame.n, sizeof(*f), f, ret, &slot);
	if (err || *ret)
		return err;
	err = vec_push(&t->frame, *f);
	if (!err)
		*ret = *slot = (uint32_t)t->frame.n;
	return err;
}

struct error *trace_frame(struct trace *t, const struct trace_frame *f, uint32_t *ret)
{
	assert(f->outer <= t->frame.n);
	const struct frame_record r = {
		.function = f->function,
		.file = f->file,
		.module = f->module,
		.line = f->line,
		.outer = f->outer,
		.address = f->function ? 0 : f->address,
	};
	return frame_add(t, &r, ret);
}

struct error *trace_code(struct trace *t, uint64_t address, uint32_t module, uint32_t function,
			 uint32_t *ret)
{
	assert(module <= t->module.n);
	const struct frame_record r = {
		.function = function, .module = module, .code = 1, .address = address};
	return frame_add(t, &r, ret);
}

struct error *trace_module(struct trace *t, const struct trace_module *m, uint32_t *ret)
{
	const struct module_record r = {
		.path = m->path, .bias = m->bias, .start = m->start, .end = m->end};
	uint32_t *slot;
	struct error *err = record_find(&t->modules, t->module_key.at, t->module_key.n, sizeof(r),
					&r, ret, &slot);
	if (err || *ret)
		return err;
	/* For each of them a file will be looked for. */
	if (t->module.n >= TRACE_MODULES_MAX) {
		trace_damage(t, "too many modules", 0);
		return NULL;
	}
	err = vec_push(&t->module_key, r);
	if (!err)
		err = vec_push(&t->module, *m);
	if (!err)
		*ret = *slot = (uint32_t)t->module.n;
	return err;
}

uint32_t trace_modules(const struct trace *t)
{
	return (uint32_t)t->module.n;
}

const struct trace_module *trace_module_get(const struct trace *t, uint32_t id)
{
	assert(id && id <= t->module.n);
	return &t->module.at[id - 1];
}

struct error *trace_stack(struct trace *t, uint32_t frame, uint32_t caller, uint32_t *ret)
{
	assert(frame <= t->frame.n && caller <= t->stack.n);
	const struct stack_record r = {frame, caller};
	uint32_t *slot;
	struct error *err =
		record_find(&t->stacks, t->stack.at, t->stack.n, sizeof(r), &r, ret, &slot);
	if (err || *ret)
		return err;
	err = vec_push(&t->stack, r);
	if (!err)
		*ret = *slot = (uint32_t)t->stack.n;
	return err;
}

struct error *trace_stack_of(struct trace *t, const uint32_t *frame, uint32_t n, uint32_t *ret)
{
	struct error *err = NULL;
	*ret = 0;
	while (n-- && !err)
		err = trace_stack(t, frame[n], *ret, ret);
	return err;
}

struct error *trace_suppress(struct trace *t, const char *pattern, size_t len)
{
	uint32_t id;
	if (!len)
		return NULL;
	struct error *err = intern_add(&t->strings, pattern, len, &id);
	return err ? err : vec_push(&t->suppression, id);
}

/* ---- codes ---- */

struct error *trace_codes_walk(struct trace *t, trace_code_fn fn, void *arg)
{
	struct error *err = NULL;
	uint64_t n = t->frame.n; /* names that the walker gives are appended */
	while (t->named.n < n && !err)
		err = vec_push(&t->named, 0);
	for (uint64_t i = 0; i < n && !err; i++) {
		struct frame_record f = t->frame.at[i];
		if (f.code)
			err = fn(arg, f.module, f.address, (uint32_t)i + 1);
	}
	return err;
}

struct error *trace_code_name(struct trace *t, uint32_t code, const char *function,
			      const char *file, uint32_t line)
{
	assert(code && code <= t->named.n && t->frame.at[code - 1].code);
	uint32_t module = t->frame.at[code - 1].module;
	struct frame_record f = {
		.line = line,
		.module = module ? t->module.at[module - 1].path : 0,
		.outer = t->named.at[code - 1],
	};
	struct error *err = trace_string(t, function, strlen(function), &f.function);
	if (!err && file)
		err = trace_string(t, file, strlen(file), &f.file);
	if (!err)
		err = frame_add(t, &f, &t->named.at[code - 1]);
	return err;
}
