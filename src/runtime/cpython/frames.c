#include "runtime/cpython/states.h"

#include <inttypes.h>

enum {
	FRAMES_MOST = 1 << 20,
	LOCALS_MOST = 1 << 16,
	/* Include/code.h: CO_GENERATOR, CO_COROUTINE (3.5), CO_ASYNC_GENERATOR (3.6) */
	CODE_GENERATORS = 0x20 | 0x80 | 0x200,
};

/* ---- code objects ---- */

static bool code_text(const struct py *py, uint64_t code, uint16_t field, char *buf, size_t room)
{
	uint64_t text;
	return field && field != CPYTHON_NONE && py_word(py, code + field, &text) &&
	       py_text(py, text, buf, room);
}

bool py_code_function(const struct py *py, uint64_t code, char *buf, size_t room)
{
	const struct cpython_code_layout *l = &py->layout->code;
	return code_text(py, code, l->qualname, buf, room) ||
	       code_text(py, code, l->name, buf, room);
}

bool py_code_file(const struct py *py, uint64_t code, char *buf, size_t room)
{
	return code_text(py, code, py->layout->code.filename, buf, room);
}

bool py_code_local(const struct py *py, uint64_t code, uint32_t i, char *buf, size_t room)
{
	uint64_t names, size, text;
	return py_word(py, code + py->layout->code.localsplusnames, &names) &&
	       py_word(py, names + py->layout->object.size, &size) && i < size &&
	       py_word(py, names + py->layout->sequence.tuple_items + 8 * (uint64_t)i, &text) &&
	       py_text(py, text, buf, room);
}

/* ---- frames ---- */

static bool is_code(const struct py *py, uint64_t addr)
{
	uint32_t id = py_object_id(py, addr);
	return id && py_is(py, id, PY_KIND_code);
}

uint64_t py_frame_word(const struct py *py, uint64_t word, bool *borrowed)
{
	*borrowed = false;
	if (!py->layout->visit->iframe_tagged)
		return word;
	/* Include/internal/pycore_stackref.h: Py_TAG_REFCNT 1, Py_INT_TAG 3; 1 alone is NULL. */
	if ((word & 3) == 3)
		return 0;
	*borrowed = word & 1;
	return word & ~UINT64_C(3);
}

/* What the words in use are, behind the variables; false: nobody saved that. */
static bool stack_depth(const struct py *py, uint64_t at, uint32_t nlocals, uint32_t *ret)
{
	const struct cpython_frame_layout *l = &py->layout->frame;
	const uint64_t stack = at + l->localsplus + 8 * (uint64_t)nlocals;
	uint32_t top;
	uint64_t end;
	*ret = 0;
	if (l->stackpointer != CPYTHON_NONE) {
		if (!py_word(py, at + l->stackpointer, &end) || end < at + l->localsplus)
			return false;
		if (end > stack)
			*ret = end - stack < 8 * (uint64_t)LOCALS_MOST
				       ? (uint32_t)((end - stack) / 8)
				       : LOCALS_MOST + 1;
		return true;
	}
	if (!image_try_u32(py->image, at + l->stacktop, &top) || top == UINT32_MAX)
		return false;
	if (top > nlocals)
		*ret = top - nlocals;
	return true;
}

/*
 * localsplus has the variables, then the evaluation stack. stacktop counts both; while a frame
 * runs, or waits for a C function, it is -1 and only the C stack knows (3.11 to 3.13; likewise to 3.10,
 * f_stacktop of PyFrameObject). Since 3.14 stackpointer is saved before each call that may come back.
 */
static bool interpreter_frame(const struct py *py, uint64_t at, struct py_frame *ret)
{
	const struct cpython_frame_layout *l = &py->layout->frame;
	const struct cpython_code_layout *c = &py->layout->code;
	uint32_t nlocals, room, depth;
	if (!is_code(py, ret->code) || !image_try_u8(py->image, at + l->owner, &ret->owner) ||
	    !image_try_u32(py->image, ret->code + c->nlocalsplus, &nlocals) ||
	    !image_try_u32(py->image, ret->code + c->stacksize, &room) || nlocals > LOCALS_MOST ||
	    room > LOCALS_MOST)
		return false;
	ret->nlocals = nlocals;
	ret->stack_at = at + l->localsplus + 8 * (uint64_t)nlocals;
	ret->running = !stack_depth(py, at, nlocals, &depth);
	ret->stack = ret->running ? room : depth <= room ? depth : 0;
	return true;
}

bool py_frame_object_stack(const struct py *py, uint32_t object_id, uint64_t *at, uint32_t *n,
			   bool *running)
{
	const struct cpython_visit_layout *l = py->layout->visit;
	const struct object_table *o = &py->snapshot->object;
	const uint64_t frame = o->address[object_id - 1];
	const uint64_t end = object_block(o, object_id - 1) + o->size[object_id - 1];
	uint64_t code, top;
	uint32_t depth, most;
	if (l->frame_valuestack == CPYTHON_NONE || !py_word(py, frame + l->frame_code, &code) ||
	    !py_word(py, frame + l->frame_valuestack, at) ||
	    !image_try_u32(py->image, code + py->layout->code.stacksize, &most) ||
	    *at < frame + l->frame_localsplus || *at > end)
		return false;
	if (l->frame_stacktop != CPYTHON_NONE) {
		if (!py_word(py, frame + l->frame_stacktop, &top))
			return false;
		*running = !top;
		depth = top >= *at && top <= end ? (uint32_t)((top - *at) / 8) : 0;
	} else {
		if (!image_try_u32(py->image, frame + l->frame_stackdepth, &depth))
			return false;
		*running = (int32_t)depth < 0;
	}
	*n = *running ? most : depth;
	if (*n > (end - *at) / 8)
		*n = (uint32_t)((end - *at) / 8);
	return true;
}

/* What it holds is the object's references (visit_frame.c), but for the stack of one that runs. */
static bool object_frame(const struct py *py, uint64_t at, struct py_frame *ret)
{
	uint32_t flags;
	ret->object_id = py_object_id(py, at);
	if (!ret->object_id || !py_is(py, ret->object_id, PY_KIND_frame) || !is_code(py, ret->code))
		return false;
	if (!py_frame_object_stack(py, ret->object_id, &ret->stack_at, &ret->stack,
				   &ret->running) ||
	    !ret->running)
		ret->stack = 0;
	ret->borrowed = image_try_u32(py->image, ret->code + py->layout->code.flags, &flags) &&
			flags & CODE_GENERATORS;
	return true;
}

static bool newest_frame(const struct py *py, uint64_t thread, uint64_t *ret)
{
	const struct cpython_frame_layout *l = &py->layout->frame;
	if (!py_word(py, thread + py->layout->state.thread_frame, ret) || !*ret)
		return false;
	return l->frames != CPYTHON_FRAMES_CFRAME || py_word(py, *ret + l->cframe_current, ret);
}

struct error *py_frames_find(const struct py *py, const struct py_thread *thread,
			     struct py_frames *ret)
{
	const struct cpython_frame_layout *l = &py->layout->frame;
	uint64_t at;
	if (!newest_frame(py, thread->address, &at))
		return NULL;
	for (unsigned n = 0; at && n < FRAMES_MOST; n++) {
		struct py_frame frame = {.address = at};
		uint8_t owner = 0;
		bool borrowed;
		if (!py_word(py, at + l->code, &frame.code))
			break;
		frame.code = py_frame_word(py, frame.code, &borrowed);
		bool objects = l->frames == CPYTHON_FRAMES_OBJECTS;
		if (!objects)
			(void)image_try_u8(py->image, at + l->owner, &owner);
		if (owner != CPYTHON_FRAME_CSTACK && owner != CPYTHON_FRAME_CSTACK_TOO) {
			if (!(objects ? object_frame : interpreter_frame)(py, at, &frame)) {
				damage_add(py->ctx->damage, DAMAGE_RUNTIME, at,
					   "a list of frames leads to 0x%" PRIx64
					   ", which is no frame",
					   at);
				break;
			}
			struct error *err = vec_push(&ret->frame, frame);
			if (err)
				return err;
		}
		if (!py_word(py, at + l->previous, &at))
			break;
	}
	return NULL;
}
