/*
 * suspended: generators, coroutines, asyncio's tasks and futures: where each waits, and for what.
 *
 *	task ──_coro──► coroutine ──► coroutine ──► iterator of a future ──► future
 *	                 (frame)       (frame)
 *
 * What a generator waits for is the top word of its frame's stack, if it waits at `yield from` or
 * `await` and not at a plain `yield` (Objects/genobject.c, _PyGen_yf). Tasks and futures that are
 * written in Python have attributes, which the analysis reads from the references.
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

enum {
	TEXT_ROOM = 256,
	BASES_MOST = 1000,
	OPCODE_YIELD_FROM = 72, /* Include/opcode.h, 3.6 to 3.10 */
};

struct finder {
	struct py *py;
	/* Where the fields are; CPYTHON_NONE: not known. */
	uint16_t task_coroutine, task_waiter, qualname;
	uint8_t *
		python_kind; /* by type index: 1 + enum suspended_kind of a class written in Python */
};

static uint16_t slot_offset(const struct py *py, const char *type, const char *name)
{
	const struct cpython_slot *s = py->layout->slots;
	for (; s && s->type; s++)
		if (!strcmp(s->type, type) && !strcmp(s->name, name))
			return s->offset;
	return CPYTHON_NONE;
}

static uint32_t object_at(const struct py *py, uint64_t addr)
{
	uint64_t word;
	return py_word(py, addr, &word) ? py_object_id(py, word) : 0;
}

/* ---- generators with a frame object, to 3.10 ---- */

static bool next_is_yield_from(const struct py *py, uint64_t code, uint32_t last)
{
	const bool units = py->layout->wait.waiting == CPYTHON_WAITING_STATE;
	uint64_t at = (uint64_t)last + (units ? 1 : 2), bytes, size;
	uint8_t opcode;
	at = units ? 2 * at : at;
	return (int32_t)last >= 0 && py_word(py, code + py->layout->code.bytecode, &bytes) &&
	       py_word(py, bytes + py->layout->object.size, &size) && at < size &&
	       image_try_u8(py->image, bytes + py->layout->sequence.bytes_items + at, &opcode) &&
	       opcode == OPCODE_YIELD_FROM;
}

/* The word on top of the stack of a frame that does not run; 0: none. */
static uint64_t frame_object_top(const struct py *py, uint64_t frame)
{
	const struct cpython_visit_layout *l = py->layout->visit;
	uint64_t stack, top;
	uint32_t depth;
	if (!py_word(py, frame + l->frame_valuestack, &stack))
		return 0;
	if (l->frame_stacktop != CPYTHON_NONE) {
		if (!py_word(py, frame + l->frame_stacktop, &top))
			return 0;
	} else {
		if (!image_try_u32(py->image, frame + l->frame_stackdepth, &depth) ||
		    depth > 1 << 20)
			return 0;
		top = stack + 8 * (uint64_t)depth;
	}
	return top > stack ? top - 8 : 0;
}

static void generator_by_object(const struct py *py, uint64_t at, struct suspended_row *row,
				uint64_t *code)
{
	const struct cpython_wait_layout *l = &py->layout->wait;
	uint64_t frame;
	uint32_t last;
	uint8_t byte = 0;
	if (!py_word(py, at + l->generator_code, code) ||
	    !py_word(py, at + l->generator_frame, &frame))
		return;
	if (!frame) {
		row->state = SUSPENDED_ENDED;
		row->line = py_code_line(py, *code, -1);
		return;
	}
	if (!image_try_u32(py->image, frame + py->layout->frame.lasti, &last))
		return;
	row->line = py_frame_object_line(py, frame, *code);
	if (l->waiting == CPYTHON_WAITING_STATE) {
		if (!image_try_u8(py->image, frame + l->frame_state, &byte))
			return;
		row->state = (int8_t)byte == l->created ? SUSPENDED_CREATED
			     : (int8_t)byte < 0		? SUSPENDED_WAITS
			     : !byte			? SUSPENDED_RUNS
							: SUSPENDED_ENDED;
	} else {
		if (!image_try_u8(py->image, at + l->generator_running, &byte))
			return;
		row->state = byte		 ? SUSPENDED_RUNS
			     : (int32_t)last < 0 ? SUSPENDED_CREATED
						 : SUSPENDED_WAITS;
	}
	if (row->state == SUSPENDED_WAITS && l->waiting != CPYTHON_WAITING_NOTHING &&
	    next_is_yield_from(py, *code, last))
		row->awaits_id = object_at(py, frame_object_top(py, frame));
}

/* ---- generators with a frame inside, from 3.11 on ---- */

/* The oparg of RESUME tells what came before: 2 yield from, 3 await (Python/compile.c). */
static bool resumes_from_other(const struct py *py, uint64_t frame)
{
	uint64_t instr;
	uint8_t arg;
	return py_word(py, frame + py->layout->frame.instr, &instr) &&
	       image_try_u8(py->image, instr + 3, &arg) && (arg & 3) >= 2;
}

static uint64_t interpreter_frame_top(const struct py *py, uint64_t frame)
{
	const struct cpython_visit_layout *l = py->layout->visit;
	uint64_t top;
	uint32_t count;
	if (l->iframe_stackpointer != CPYTHON_NONE)
		return py_word(py, frame + l->iframe_stackpointer, &top) ? top - 8 : 0;
	if (!image_try_u32(py->image, frame + l->iframe_stacktop, &count) || !count ||
	    count > 1 << 20)
		return 0;
	return frame + l->iframe_localsplus + 8 * (uint64_t)(count - 1);
}

static void generator_by_state(const struct py *py, uint64_t at, struct suspended_row *row,
			       uint64_t *code)
{
	const struct cpython_wait_layout *l = &py->layout->wait;
	const struct cpython_visit_layout *v = py->layout->visit;
	const uint64_t frame = at + v->generator_iframe;
	uint64_t top;
	uint8_t byte;
	if (!py_word(py, frame + v->iframe_code, code) ||
	    !image_try_u8(py->image, at + v->generator_state, &byte))
		return;
	if (v->iframe_tagged)
		*code &= ~UINT64_C(3);
	if (l->generator_code != CPYTHON_NONE && !py_word(py, at + l->generator_code, code))
		return;
	const int8_t state = (int8_t)byte;
	row->state = state == l->created     ? SUSPENDED_CREATED
		     : state < l->executing  ? SUSPENDED_WAITS
		     : state == l->executing ? SUSPENDED_RUNS
					     : SUSPENDED_ENDED;
	row->line = state > l->executing ? py_code_line(py, *code, -1)
					 : py_interpreter_frame_line(py, frame, *code);
	if (row->state != SUSPENDED_WAITS ||
	    (l->waiting == CPYTHON_WAITING_YIELD_FROM ? state != l->yield_from
						      : !resumes_from_other(py, frame)))
		return;
	const uint64_t at_top = interpreter_frame_top(py, frame);
	bool borrowed;
	if (py_word(py, at_top, &top))
		row->awaits_id = py_object_id(py, py_frame_word(py, top, &borrowed));
	/* A word without an object may lie on it: NULL, or an index (3.15, Python/bytecodes.c, SEND). */
	if (!row->awaits_id && v->iframe_tagged && at_top > frame + v->iframe_localsplus &&
	    py_word(py, at_top - 8, &top))
		row->awaits_id = py_object_id(py, py_frame_word(py, top, &borrowed));
}

static struct error *generator_row(const struct finder *f, uint64_t at, struct suspended_row *row)
{
	const struct py *py = f->py;
	const bool inside = py->layout->visit->generator_iframe != CPYTHON_NONE;
	uint64_t code = 0, name;
	char text[TEXT_ROOM];
	(inside ? generator_by_state : generator_by_object)(py, at, row, &code);
	if (!py_object_id(py, code) || !py_is(py, py_object_id(py, code), PY_KIND_code)) {
		row->line = 0;
		code = 0;
	}
	struct error *err = NULL;
	if (f->qualname != CPYTHON_NONE && py_word(py, at + f->qualname, &name) &&
	    py_text(py, name, text, sizeof(text)))
		err = intern_str(&py->snapshot->strings, text, &row->function);
	else if (code && py_code_function(py, code, text, sizeof(text)))
		err = intern_str(&py->snapshot->strings, text, &row->function);
	if (!err && code && py_code_file(py, code, text, sizeof(text)))
		err = intern_str(&py->snapshot->strings, text, &row->file);
	return err;
}

/* ---- tasks and futures ---- */

static void future_row(const struct finder *f, uint64_t at, struct suspended_row *row)
{
	static const uint8_t state_of[] = {SUSPENDED_PENDING, SUSPENDED_CANCELLED, SUSPENDED_DONE};
	const struct py *py = f->py;
	const uint16_t state_at = py->layout->wait.future_state;
	uint32_t state;
	if (state_at != CPYTHON_NONE && image_try_u32(py->image, at + state_at, &state) &&
	    state < sizeof(state_of))
		row->state = state_of[state];
	if (f->py->type.at[f->py->object_type[row->object_id - 1] - 1].kind != PY_KIND_task)
		return;
	if (f->task_coroutine != CPYTHON_NONE)
		row->awaits_id = object_at(py, at + f->task_coroutine);
	if (f->task_waiter != CPYTHON_NONE)
		row->future_id = object_at(py, at + f->task_waiter);
}

/* Classes that derive from asyncio's own ones in Python, which the ones in C replace. */
static struct error *python_kinds(struct finder *f)
{
	struct py *py = f->py;
	uint32_t task, future;
	struct error *err = intern_str(&py->snapshot->strings, "asyncio.tasks.Task", &task);
	if (!err)
		err = intern_str(&py->snapshot->strings, "asyncio.futures.Future", &future);
	f->python_kind = calloc(py->type.n + 1, 1);
	if (err || !f->python_kind)
		return err ? err : &error_nomem;
	for (uint64_t i = 0; i < py->type.n; i++) {
		const struct py_type *t = &py->type.at[i];
		for (unsigned k = 0; k < BASES_MOST && !f->python_kind[i]; k++) {
			if (t->is_class && t->name == task)
				f->python_kind[i] = 1 + SUSPENDED_TASK;
			else if (t->is_class && t->name == future)
				f->python_kind[i] = 1 + SUSPENDED_FUTURE;
			if (!t->base)
				break;
			t = &py->type.at[t->base - 1];
		}
	}
	return NULL;
}

static struct error *suspended_row(const struct finder *f, uint32_t id)
{
	struct py *py = f->py;
	const uint32_t type = py->object_type[id - 1];
	const uint64_t at = py->snapshot->object.address[id - 1];
	struct suspended_row row = {.object_id = id};
	struct error *err = NULL;
	switch ((unsigned)py->type.at[type - 1].kind) {
	case PY_KIND_generator:
		row.kind = SUSPENDED_GENERATOR;
		err = generator_row(f, at, &row);
		break;
	case PY_KIND_coroutine:
		row.kind = SUSPENDED_COROUTINE;
		err = generator_row(f, at, &row);
		break;
	case PY_KIND_async_generator:
		row.kind = SUSPENDED_ASYNC_GENERATOR;
		err = generator_row(f, at, &row);
		break;
	case PY_KIND_task:
		row.kind = SUSPENDED_TASK;
		future_row(f, at, &row);
		break;
	case PY_KIND_future:
		/* 3.6: a task in Python is derived from the future in C. */
		row.kind = f->python_kind[type - 1] ? (uint8_t)(f->python_kind[type - 1] - 1)
						    : SUSPENDED_FUTURE;
		future_row(f, at, &row);
		break;
	case PY_KIND_future_iter:
	case PY_KIND_coroutine_wrapper:
	case PY_KIND_async_generator_asend:
	case PY_KIND_async_generator_athrow:
	case PY_KIND_anext_awaitable:
		/* Their first field is what they wait for, in all versions. */
		row.kind = SUSPENDED_AWAITABLE;
		row.awaits_id = object_at(py, at + py->layout->object.head);
		break;
	default:
		if (!f->python_kind[type - 1])
			return NULL;
		row.kind = (uint8_t)(f->python_kind[type - 1] - 1);
		break;
	}
	return err ? err : vec_push(&py->snapshot->suspended, row);
}

struct error *py_suspended_find(struct py *py)
{
	struct finder f = {
		.py = py,
		.task_coroutine = slot_offset(py, "_asyncio.Task", "._coro"),
		.task_waiter = slot_offset(py, "_asyncio.Task", "._fut_waiter"),
		.qualname = slot_offset(py, "generator", ".__qualname__"),
	};
	if (py->layout->wait.waiting == CPYTHON_WAITING_UNKNOWN || !py->layout->visit)
		return NULL;
	struct error *err = python_kinds(&f);
	for (uint32_t id = 1; id <= py->snapshot->object.n && !err; id++)
		if (py->object_type[id - 1])
			err = suspended_row(&f, id);
	free(f.python_kind);
	return err;
}
