/* values_frame: where a frame, or a place of a traceback, is: "handle() (app.py:17)". */
#include "runtime/cpython/states.h"
#include "runtime/cpython/values_impl.h"

#include <inttypes.h>
#include <string.h>

enum {
	/* Include/traceback.h, 2.7 to 3.15 */
	TRACEBACK_FRAME = 24,
	TRACEBACK_LAST = 32,
	TRACEBACK_LINE = 36, /* -1: by tb_lasti, when somebody asks (3.12) */
};

/* The code of a frame object, and the line that it is at. */
static bool frame_place(const struct py *py, uint64_t at, uint64_t *code, uint32_t *line)
{
	const struct cpython_visit_layout *l = py->layout->visit;
	uint64_t frame = at;
	bool inside = l->frame_iframe != CPYTHON_NONE, borrowed;
	if (inside) {
		if (!py_word(py, at + l->frame_iframe, &frame) || !frame ||
		    l->iframe_code == CPYTHON_NONE || !py_word(py, frame + l->iframe_code, code))
			return false;
		*code = py_frame_word(py, *code, &borrowed);
	} else if (l->frame_code == CPYTHON_NONE || !py_word(py, at + l->frame_code, code)) {
		return false;
	}
	if (!py_is(py, py_object_id(py, *code), PY_KIND_code))
		return false;
	*line = (inside ? py_interpreter_frame_line : py_frame_object_line)(py, frame, *code);
	return true;
}

static bool value_place(const struct py *py, uint64_t code, uint32_t line, struct py_value *ret)
{
	char name[64], file[256];
	if (!py_code_function(py, code, name, sizeof(name)))
		return false;
	if (!py_code_file(py, code, file, sizeof(file)))
		return py_value_print(ret, "%s()", name);
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	return line ? py_value_print(ret, "%s() (%s:%" PRIu32 ")", name, base, line)
		    : py_value_print(ret, "%s() (%s)", name, base);
}

bool py_value_frame(const struct py *py, const struct py_type *type, uint64_t at,
		    struct py_value *ret)
{
	(void)type;
	uint64_t code;
	uint32_t line;
	return frame_place(py, at, &code, &line) && value_place(py, code, line, ret);
}

bool py_value_traceback(const struct py *py, const struct py_type *type, uint64_t at,
			struct py_value *ret)
{
	(void)type;
	uint64_t frame, code;
	uint32_t line, last, now;
	if (!py_word(py, at + TRACEBACK_FRAME, &frame) ||
	    !py_is(py, py_object_id(py, frame), PY_KIND_frame) ||
	    !frame_place(py, frame, &code, &now) ||
	    !image_try_u32(py->image, at + TRACEBACK_LAST, &last) ||
	    !image_try_u32(py->image, at + TRACEBACK_LINE, &line))
		return false;
	if ((int32_t)line <= 0)
		line = py_code_line(py, code, (int32_t)last);
	return value_place(py, code, line, ret);
}
