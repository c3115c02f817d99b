#include "runtime/cpython/states.h"

#include <inttypes.h>
#include <string.h>

enum { INTERPRETERS_MOST = 4096, THREADS_MOST = 1 << 16 };

/* The threads of one interpreter. What does not point back to it is no thread. */
static struct error *threads_find(const struct py *py, uint64_t interpreter, struct py_states *ret)
{
	const struct cpython_state_layout *l = &py->layout->state;
	uint64_t at, owner;
	if (!py_word(py, interpreter + l->interp_threads, &at))
		return NULL;
	for (unsigned n = 0; at && n < THREADS_MOST; n++) {
		if (!py_word(py, at + l->thread_interp, &owner) || owner != interpreter) {
			damage_add(py->ctx->damage, DAMAGE_RUNTIME, at,
				   "the interpreter's list of threads leads to 0x%" PRIx64
				   ", which is none of its threads",
				   at);
			return NULL;
		}
		struct error *err =
			vec_push(&ret->thread,
				 ((struct py_thread){at, interpreter, py_thread_match(py, at)}));
		if (err)
			return err;
		if (!py_word(py, at + l->thread_next, &at))
			return NULL;
	}
	return NULL;
}

/*
 * Where the list begins. Up to 3.6 it is a static variable without a symbol; but a function that is
 * exported does nothing else than return it: mov disp32(%rip),%rax; ret (x86-64, any optimising
 * compiler).
 */
static bool interpreters_head(const struct py *py, uint64_t *ret)
{
	const struct cpython_state_layout *l = &py->layout->state;
	uint8_t code[8];
	int32_t away;
	if (l->runtime_interpreters != CPYTHON_NONE)
		return py->cpython.runtime &&
		       py_word(py, py->cpython.runtime + l->runtime_interpreters, ret);
	uint64_t at = cpython_symbol(&py->cpython, py->debuginfo, "PyInterpreterState_Head");
	if (!at || py->image->machine != MACHINE_X86_64 ||
	    !image_try_read(py->image, at, code, sizeof(code)) || code[0] != 0x48 ||
	    code[1] != 0x8b || code[2] != 0x05 || code[7] != 0xc3)
		return false;
	memcpy(&away, code + 3, sizeof(away));
	return py_word(py, at + 7 + (uint64_t)(int64_t)away, ret);
}

struct error *py_states_find(const struct py *py, struct py_states *ret)
{
	const struct cpython_state_layout *l = &py->layout->state;
	uint64_t at;
	if (py->layout->frame.frames == CPYTHON_FRAMES_UNKNOWN || !interpreters_head(py, &at))
		return NULL;
	for (unsigned n = 0; at && n < INTERPRETERS_MOST; n++) {
		struct error *err = vec_push(&ret->interpreter, at);
		if (!err)
			err = threads_find(py, at, ret);
		if (err)
			return err;
		if (!py_word(py, at + l->interp_next, &at))
			return NULL;
	}
	return NULL;
}

void py_states_deinit(struct py_states *s)
{
	vec_deinit(&s->interpreter);
	vec_deinit(&s->thread);
}
