/*
 * described: what the interpreter says of itself, before the table.
 *
 * _PyRuntime begins with _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h, 3.13: pycore_runtime.h):
 * a cookie, the version, and 8 bytes for each field that a debugger wants. A micro version or a build
 * may have moved what is in the interpreter's state: its own word goes before the row's.
 *
 * Which number is where in it is by version, too. That the order is the expected one is seen by fields
 * that never moved.
 */
#include "layout/cpython_impl.h"

#include <stddef.h>
#include <string.h>

enum {
	PLACES_MOST = 32,
	OBJECT_TYPE = 8, /* ob_type, tp_name: as ever */
	TYPE_NAME = 24,
};

/* Bytes from the cookie to what says where `field` of struct cpython_layout is. */
struct place {
	uint16_t at, field;
};

struct description {
	uint8_t major, minor;
	uint16_t object_type, type_name, gc;
	struct place place[PLACES_MOST];
};

#define AT(at, field)                                                                              \
	{                                                                                          \
		at, offsetof(struct cpython_layout, field)                                         \
	}

static const struct description descriptions[] = {
	{3,
	 13,
	 360,
	 376,
	 80,
	 {AT(40, state.runtime_interpreters),
	  AT(64, state.interp_next),
	  AT(72, state.interp_threads),
	  AT(88, state.interp_modules),
	  AT(96, state.interp_sysdict),
	  AT(104, state.interp_builtins),
	  AT(168, state.thread_next),
	  AT(176, state.thread_interp),
	  AT(184, state.thread_frame),
	  AT(192, state.thread_id),
	  AT(200, state.thread_native_id),
	  AT(208, state.thread_chunk),
	  AT(232, frame.previous),
	  AT(240, frame.code),
	  AT(248, frame.instr),
	  AT(256, frame.localsplus),
	  AT(264, frame.owner),
	  AT(280, code.filename),
	  AT(288, code.name),
	  AT(296, code.qualname),
	  AT(304, code.linetable),
	  AT(312, code.firstlineno),
	  AT(328, code.localsplusnames),
	  AT(344, code.code),
	  AT(528, sequence.bytes_items)}},
	{3,
	 14,
	 408,
	 424,
	 88,
	 {AT(40, state.runtime_interpreters),
	  AT(64, state.interp_next),
	  AT(72, state.interp_threads),
	  AT(96, state.interp_modules),
	  AT(104, state.interp_sysdict),
	  AT(112, state.interp_builtins),
	  AT(192, state.thread_next),
	  AT(200, state.thread_interp),
	  AT(208, state.thread_frame),
	  AT(216, state.thread_id),
	  AT(224, state.thread_native_id),
	  AT(232, state.thread_chunk),
	  AT(256, frame.previous),
	  AT(264, frame.code),
	  AT(272, frame.instr),
	  AT(280, frame.localsplus),
	  AT(288, frame.owner),
	  AT(296, frame.stackpointer),
	  AT(320, code.filename),
	  AT(328, code.name),
	  AT(336, code.qualname),
	  AT(344, code.linetable),
	  AT(352, code.firstlineno),
	  AT(368, code.localsplusnames),
	  AT(384, code.code),
	  AT(608, sequence.bytes_items),
	  AT(624, text.state),
	  AT(632, text.length),
	  AT(640, text.ascii_size)}},
	{3,
	 15,
	 472,
	 488,
	 88,
	 {AT(40, state.runtime_interpreters),
	  AT(64, state.interp_next),
	  AT(72, state.interp_threads),
	  AT(96, state.interp_modules),
	  AT(104, state.interp_sysdict),
	  AT(112, state.interp_builtins),
	  AT(192, state.thread_next),
	  AT(200, state.thread_interp),
	  AT(208, state.thread_frame),
	  AT(240, state.thread_id),
	  AT(248, state.thread_native_id),
	  AT(256, state.thread_chunk),
	  AT(320, frame.previous),
	  AT(328, frame.code),
	  AT(336, frame.instr),
	  AT(344, frame.localsplus),
	  AT(352, frame.owner),
	  AT(360, frame.stackpointer),
	  AT(384, code.filename),
	  AT(392, code.name),
	  AT(400, code.qualname),
	  AT(408, code.linetable),
	  AT(416, code.firstlineno),
	  AT(432, code.localsplusnames),
	  AT(448, code.code),
	  AT(704, sequence.bytes_items),
	  AT(720, text.state),
	  AT(728, text.length),
	  AT(736, text.ascii_size)}},
};

static const struct description *description_find(const struct cpython_layout *row)
{
	for (unsigned i = 0; i < sizeof(descriptions) / sizeof(descriptions[0]); i++)
		if (descriptions[i].major == row->major && descriptions[i].minor == row->minor)
			return &descriptions[i];
	return NULL;
}

static bool field_is(const struct image *img, uint64_t at, uint64_t wanted)
{
	uint64_t word;
	return image_try_u64(img, at, &word) && word == wanted;
}

/* The collector's state lies in the interpreter's: all of it goes where that went. */
static void gc_move(struct cpython_state_layout *l, uint64_t gc)
{
	if (!l->interp_gc || gc == 0 || gc >= CPYTHON_NONE - 1024 || gc == l->interp_gc)
		return;
	uint16_t *const part[] = {&l->gc_enabled, &l->gc_generations, &l->gc_permanent};
	for (unsigned i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		*part[i] = (uint16_t)(*part[i] - l->interp_gc + gc);
	l->interp_gc = (uint16_t)gc;
}

bool cpython_described(const struct image *img, uint64_t runtime, const struct cpython_layout *row,
		       struct cpython_layout *ret)
{
	const struct description *d = description_find(row);
	uint64_t word;
	*ret = *row;
	if (!d || !runtime || !field_is(img, runtime + d->object_type, OBJECT_TYPE) ||
	    !field_is(img, runtime + d->type_name, TYPE_NAME))
		return false;
	for (unsigned i = 0; i < PLACES_MOST && d->place[i].at; i++) {
		if (!image_try_u64(img, runtime + d->place[i].at, &word) || word >= CPYTHON_NONE)
			continue;
		const uint16_t value = (uint16_t)word;
		memcpy((uint8_t *)ret + d->place[i].field, &value, sizeof(value));
	}
	if (image_try_u64(img, runtime + d->gc, &word))
		gc_move(&ret->state, word);
	return true;
}
