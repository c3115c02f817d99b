/*
 * newer: threads and frames of an interpreter that is newer than the tables.
 *
 * No object of it is claimed: all that is used are offsets that it tells itself, and what is found by
 * them proves itself or is left out. A thread points back to its interpreter; code is an object whose
 * type is named "code"; a name is ASCII text in one piece. The frames' memory stays what it is for the
 * native half: words.
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <string.h>

enum {
	FRAMES_MOST = 1 << 16,
	TEXT_ROOM = 256,
	NAME_ROOM = 8,
	/* Include/cpython/unicodeobject.h, PyASCIIObject.state: compact, ascii (3.12) */
	TEXT_COMPACT = 1 << 5,
	TEXT_ASCII = 1 << 6,
};

static bool type_is(const struct py *py, uint64_t at, const char *wanted)
{
	const struct cpython_layout *l = py->layout;
	char name[NAME_ROOM + 1];
	uint64_t type, text;
	return at && at % 8 == 0 && py_word(py, at + l->object.type, &type) &&
	       py_word(py, type + l->type.name, &text) &&
	       image_try_string(py->image, text, name, NAME_ROOM) && !strcmp(name, wanted);
}

static bool plain_text(const struct py *py, uint64_t code, uint16_t field, char *buf)
{
	const struct cpython_text_layout *l = &py->layout->text;
	uint64_t at, n;
	uint32_t state;
	if (!py_word(py, code + field, &at) || !type_is(py, at, "str") ||
	    !image_try_u32(py->image, at + l->state, &state) ||
	    (state & (TEXT_COMPACT | TEXT_ASCII)) != (TEXT_COMPACT | TEXT_ASCII) ||
	    !py_word(py, at + l->length, &n))
		return false;
	if (n > TEXT_ROOM - 1)
		n = TEXT_ROOM - 1;
	if (!image_try_read(py->image, at + l->ascii_size, buf, n))
		return false;
	buf[n] = 0;
	for (uint64_t i = 0; i < n; i++)
		if (buf[i] < 0x20 || buf[i] > 0x7e)
			return false;
	return n > 0;
}

static struct error *frame_add(struct py *py, uint32_t thread_id, uint32_t depth, uint64_t frame,
			       uint64_t code)
{
	const struct cpython_code_layout *l = &py->layout->code;
	struct snapshot *s = py->snapshot;
	struct frame_row row = {
		.thread_id = thread_id,
		.depth = depth,
		.line = py_interpreter_frame_line(py, frame, code),
	};
	char text[TEXT_ROOM];
	struct error *err = intern_str(&s->strings, "python", &row.language);
	if (!err &&
	    (plain_text(py, code, l->qualname, text) || plain_text(py, code, l->name, text)))
		err = intern_str(&s->strings, text, &row.function);
	if (!err && plain_text(py, code, l->filename, text))
		err = intern_str(&s->strings, text, &row.file);
	return err ? err : vec_push(&s->frame, row);
}

static uint32_t depth_after_native(const struct snapshot *s, uint32_t thread_id)
{
	uint32_t depth = 0;
	for (uint64_t i = 0; i < s->frame.n; i++)
		if (s->frame.at[i].thread_id == thread_id && s->frame.at[i].depth >= depth)
			depth = s->frame.at[i].depth + 1;
	return depth;
}

static struct error *thread_frames(struct py *py, const struct py_thread *thread)
{
	const struct cpython_frame_layout *l = &py->layout->frame;
	uint64_t at, code;
	uint32_t depth = depth_after_native(py->snapshot, thread->thread_id);
	bool borrowed;
	if (!thread->thread_id ||
	    !py_word(py, thread->address + py->layout->state.thread_frame, &at))
		return NULL;
	for (unsigned n = 0; at && n < FRAMES_MOST; n++) {
		if (at % 8 || !py_word(py, at + l->code, &code))
			return NULL;
		code = py_frame_word(py, code, &borrowed);
		/* An entry from C has none. */
		if (type_is(py, code, "code")) {
			struct error *err = frame_add(py, thread->thread_id, depth++, at, code);
			if (err)
				return err;
		}
		if (!py_word(py, at + l->previous, &at))
			return NULL;
	}
	return NULL;
}

struct error *py_newer_frames(struct py *py)
{
	_cleanup_(py_states_deinit) struct py_states states = {0};
	struct error *err = py_states_find(py, &states);
	for (uint64_t i = 0; i < states.thread.n && !err; i++)
		err = thread_frames(py, &states.thread.at[i]);
	if (!err && states.interpreter.n)
		err = py_meta(py, "python_interpreters", "%" PRIu64, states.interpreter.n);
	if (!err && states.interpreter.n)
		err = py_meta(py, "python_threads", "%" PRIu64, states.thread.n);
	return err;
}
