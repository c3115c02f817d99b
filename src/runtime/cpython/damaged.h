/*
 * damaged: what of Python's objects something wrote over, as far as objects show it themselves.
 *
 * Whoever meets such a place counts it (from any thread) and goes on with what is sound; at the end
 * there is one sentence a kind with the number and the lowest address, however many there were. What
 * a sound process can show, too (a list while it is sorted, an object half made), is no damage.
 */
#pragma once

#include "runtime/cpython/py.h"

enum py_damage {
	PY_DAMAGE_LIST,
	PY_DAMAGE_DICT_TABLE,
	PY_DAMAGE_DICT_COUNT,
	PY_DAMAGE_SET,
	PY_DAMAGE_SET_COUNT,
	PY_DAMAGE_DEQUE,
	PY_DAMAGE_ORDER,
	PY_DAMAGE_ITEM_NOWHERE,
	PY_DAMAGE_ITEM_FREED,
	PY_DAMAGE_ITEM_LOST,
	PY_DAMAGE_GC_LINK,
	PY_DAMAGE_GC_LOST,
	PY_DAMAGES,
};

struct py_damage_count {
	uint64_t n, lowest;
};

/* `at`: the object's address. */
void py_damaged(const struct py *py, enum py_damage what, uint64_t at);
/* The word of a list, tuple, dict or set that should lead to an object, and does not. */
void py_damaged_item(const struct py *py, uint64_t word, uint64_t container);

/* The lists of the collector: each tracked object's neighbour is one, too, and leads back. */
struct error *py_damaged_links(struct py *py) _must_check_;

/* When all objects were visited. */
void py_damaged_tell(const struct py *py);
