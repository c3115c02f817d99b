#include "runtime/cpython/states.h"

#include "base/checked.h"

#include <inttypes.h>
#include <string.h>

enum {
	INTERPRETERS_MOST = 4096,
	THREADS_MOST = 1 << 16,
	STEPS_MOST = 1 << 22, /* along lists that may be some, all together */
};

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
	if (py->interpreters)
		return py_word(py, py->interpreters, ret);
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

/*
 * Does the list of interpreters begin at `at`? Each has threads that say that they are its, the last
 * one is the main one. *ret gets how many there are.
 */
static bool is_interpreter_list(const struct py *py, uint64_t at, unsigned *steps, unsigned *ret,
				uint64_t *last)
{
	const struct cpython_state_layout *l = &py->layout->state;
	uint64_t thread, owner, modules, type;
	for (*ret = 0; at && *ret < INTERPRETERS_MOST && *steps; ++*ret, --*steps) {
		*last = at;
		if (at % 8 || !py_word(py, at + l->interp_threads, &thread) || thread % 8 ||
		    thread < 4096 || !py_word(py, thread + l->thread_interp, &owner) ||
		    owner != at || !py_word(py, at + l->interp_modules, &modules) || !modules ||
		    modules % 8 || !py_word(py, modules + py->layout->object.type, &type) ||
		    !py_type_at(py, type) || !py_word(py, at + l->interp_next, &at))
			return false;
	}
	return *ret && !at;
}

/*
 * By structure, where no symbol tells: a word of the interpreter's module that leads to such a list; of
 * several the one with the most interpreters, which does not begin in its midst. In _PyRuntime
 * (Include/internal/pycore_runtime.h, struct pyinterpreters) `main` follows `head`.
 */
static uint64_t interpreters_search(const struct py *py)
{
	const struct cpython_state_layout *l = &py->layout->state;
	const struct image_module *m = image_module_get(py->image, py->cpython.module_id);
	const bool in_runtime = l->runtime_interpreters != CPYTHON_NONE;
	uint64_t at = align_down(m->data_start + 7, 8), len, found = 0, last, word, before = 0;
	unsigned n, most = 0, steps = STEPS_MOST;
	const uint8_t *p;
	for (; (p = image_next_data(py->image, &at, m->data_end, &len)); at += len) {
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len; i += 8) {
			word = image_word_at(py->image, p + i);
			if (word == before || word < 4096 || word % 8)
				continue;
			before = word;
			if (!is_interpreter_list(py, word, &steps, &n, &last) || n <= most ||
			    (in_runtime && (!py_word(py, at + i + 8, &word) || word != last)))
				continue;
			most = n;
			found = at + i;
		}
	}
	return found;
}

/* Up to 3.12 nothing in _PyRuntime says where it is; the list of interpreters does. */
void py_runtime_find(struct py *py)
{
	const struct cpython_state_layout *l = &py->layout->state;
	uint64_t at, head;
	if (py->layout->frame.frames == CPYTHON_FRAMES_UNKNOWN || interpreters_head(py, &head) ||
	    !(at = interpreters_search(py)))
		return;
	if (l->runtime_interpreters == CPYTHON_NONE)
		py->interpreters = at;
	else
		py->cpython.runtime = at - l->runtime_interpreters;
	log_debug(py->ctx->log, "CPython: the list of interpreters at 0x%" PRIx64 ", by structure",
		  at);
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
