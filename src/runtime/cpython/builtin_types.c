/*
 * builtin_types: where static builtin types keep what differs between interpreters (3.12).
 *
 *	type.tp_subclasses ──► n + 1, a number
 *	PyInterpreterState.types: ... [ type | flags | tp_dict | tp_subclasses | tp_weaklist ] ...
 *	                               entry n
 *
 * Include/internal/pycore_typeobject.h. The array is found by structure: an entry begins with the
 * address of a type that has its number, the first two are there, and what should be a dict is one.
 * From 3.13 on types of extension modules of CPython's own (_datetime) have an array of their own
 * behind it, with numbers of their own (for_extensions). In each interpreter both are at the same place.
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

enum {
	NUMBER_MOST = 512,	    /* _Py_MAX_MANAGED_STATIC_BUILTIN_TYPES: 200 */
	INTERPRETER_MOST = 1 << 19, /* bytes of a PyInterpreterState */
};

/* The number that a type has, from 1 on; 0: none. */
static uint64_t number_of(const struct py *py, uint64_t type)
{
	uint64_t n;
	return py_word(py, type + py->layout->type.subclasses, &n) && n <= NUMBER_MOST ? n : 0;
}

static bool is_entry(const struct py *py, uint64_t at, uint64_t number)
{
	const struct cpython_type_layout *l = &py->layout->type;
	const struct py_type *t;
	uint64_t type, dict;
	return py_word(py, at, &type) && py_type_at(py, type) && number_of(py, type) == number &&
	       py_word(py, at + l->builtin_dict, &dict) && dict % 8 == 0 &&
	       py_word(py, dict + py->layout->object.type, &type) && (t = py_type_at(py, type)) &&
	       t->flags & l->flag.dict;
}

/*
 * The first array in [at, end) with `least` entries that are sound. A type that has its entry in the array
 * at `but`, if that is not 0, has none in another.
 */
static uint64_t entries_find(const struct py *py, uint64_t at, uint64_t end, unsigned least,
			     uint64_t but)
{
	const uint16_t size = py->layout->type.builtin_size;
	uint64_t len, other;
	const uint8_t *p;
	for (; at < end && (p = image_next_data(py->image, &at, end, &len)); at += len) {
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len; i += 8) {
			uint64_t word = image_word_at(py->image, p + i), n;
			if (!py_type_at(py, word) || !(n = number_of(py, word)) ||
			    (n - 1) * size > at + i ||
			    (but && py_word(py, but + (n - 1) * size, &other) && other == word))
				continue;
			uint64_t first = at + i - (n - 1) * size;
			unsigned sound = 0;
			while (sound < least && is_entry(py, first + sound * size, sound + 1))
				sound++;
			if (sound == least)
				return first;
		}
	}
	return 0;
}

struct error *py_builtin_types_find(struct py *py)
{
	_cleanup_(py_states_deinit) struct py_states states = {0};
	if (!py->layout->type.builtin_size)
		return NULL;
	struct error *err = py_states_find(py, &states);
	if (err || !states.interpreter.n)
		return err;
	const uint64_t at = states.interpreter.at[states.interpreter.n - 1];
	const uint64_t end = at + INTERPRETER_MOST;
	uint64_t more, found = entries_find(py, at, end, 2, 0);
	if (!found)
		return NULL;
	py->main_interpreter = at;
	py->builtin_types = found - at;
	more = entries_find(py, found, end, 1, found);
	if (more > found)
		py->builtin_more = more - at;
	return NULL;
}

bool py_builtin_type_state_in(const struct py *py, uint64_t interpreter, uint64_t type,
			      uint64_t *ret)
{
	const uint64_t array[] = {py->builtin_types, py->builtin_more};
	uint64_t n, word;
	if (!py->builtin_types || !(n = number_of(py, type)))
		return false;
	for (unsigned i = 0; i < 2 && array[i]; i++) {
		*ret = interpreter + array[i] + (n - 1) * py->layout->type.builtin_size;
		if (py_word(py, *ret, &word) && word == type)
			return true;
	}
	return false;
}

bool py_builtin_type_state(const struct py *py, uint64_t type, uint64_t *ret)
{
	return py_builtin_type_state_in(py, py->main_interpreter, type, ret);
}
