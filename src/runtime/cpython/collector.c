/*
 * collector: what the cyclic garbage collector says of itself, and of objects.
 *
 *	to 2.7, 3.6	static variables of Modules/gcmodule.c: generations[] is what the exported
 *			_PyGC_generation0 points to; `enabled` has no symbol, but gc.isenabled() does
 *			nothing else than tell it (x86-64: movslq disp32(%rip),%rdi, and a jump)
 *	3.7, 3.8	_PyRuntime.gc
 *	3.9 on		PyInterpreterState.gc
 */
#include "runtime/cpython/states.h"

#include "base/checked.h"
#include "base/cleanup.h"

#include <inttypes.h>
#include <string.h>

/* ---- facts ---- */

enum {
	METHOD_CALL = 8, /* Include/methodobject.h: PyMethodDef {name, meth, flags, doc} */
	METHOD_FLAGS = 16,
	METHOD_NOARGS = 4,
};

/* The function of gc.isenabled(), from the table of that module's functions. */
static uint64_t isenabled_code(const struct py *py)
{
	static const char name[] = "isenabled";
	const struct image_module *m = image_module_get(py->image, py->cpython.module_id);
	uint64_t at = align_down(m->data_start + 7, 8), len, code;
	uint32_t flags;
	char text[sizeof(name)];
	const uint8_t *p;
	for (; at < m->data_end && (p = image_next_data(py->image, &at, m->data_end, &len));
	     at += len) {
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len; i += 8) {
			uint64_t word = image_word_at(py->image, p + i);
			if (word >= PY_COUNT_CLEAR &&
			    image_module_find(py->image, word) == py->cpython.module_id &&
			    image_try_read(py->image, word, text, sizeof(text)) &&
			    !memcmp(text, name, sizeof(text)) &&
			    py_word(py, at + i + METHOD_CALL, &code) &&
			    image_try_u32(py->image, at + i + METHOD_FLAGS, &flags) &&
			    flags == METHOD_NOARGS)
				return code;
		}
	}
	return 0;
}

static bool static_enabled(const struct py *py, uint32_t *ret)
{
	static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa}, sub[] = {0x48, 0x83, 0xec, 8},
			     load[] = {0x48, 0x63, 0x3d};
	uint8_t code[16];
	int32_t away;
	unsigned i = 0;
	if (py->image->machine != MACHINE_X86_64)
		return false;
	uint64_t at = isenabled_code(py);
	if (!at || !image_try_read(py->image, at, code, sizeof(code)))
		return false;
	if (!memcmp(code, endbr64, sizeof(endbr64)))
		i += sizeof(endbr64);
	if (!memcmp(code + i, sub, sizeof(sub)))
		i += sizeof(sub);
	if (memcmp(code + i, load, sizeof(load)))
		return false;
	i += sizeof(load);
	memcpy(&away, code + i, sizeof(away));
	return image_try_u32(py->image, at + i + 4 + (uint64_t)(int64_t)away, ret);
}

/* A generation begins with the head of a list. */
static bool is_generation(const struct py *py, uint64_t at)
{
	const struct cpython_gc_layout *l = &py->layout->gc;
	uint64_t next, back;
	if (!py_word(py, at + l->next, &next))
		return false;
	next &= ~UINT64_C(3); /* flags of 3.14.0 */
	return py_word(py, next + l->prev, &back) &&
	       (back == at ||
		(l->head == CPYTHON_GC_PREV_BITS && back >> l->prev_shift == at >> l->prev_shift));
}

/*
 * Where generations[] is; false: not known. Before the permanent generation is a pointer to it
 * (generation0, to 3.13). In some builds of 3.13 the array is aligned to 4 bytes only, and lies 4 bytes
 * before where the row has it (Debian's 3.13.5).
 */
static bool generations_find(const struct py *py, uint64_t interpreter, uint64_t *ret)
{
	const struct cpython_state_layout *l = &py->layout->state;
	const uint64_t base = l->gc_in_runtime ? py->cpython.runtime : interpreter;
	uint64_t word;
	if (l->gc_generations == CPYTHON_NONE) {
		uint64_t at = cpython_symbol(&py->cpython, py->debuginfo, "_PyGC_generation0");
		return l->generation_size != CPYTHON_NONE && at && py_word(py, at, ret);
	}
	*ret = base + l->gc_generations;
	if (l->gc_permanent != CPYTHON_NONE && py_word(py, base + l->gc_permanent - 8, &word) &&
	    word == *ret - 4)
		*ret = word;
	return is_generation(py, *ret);
}

static bool enabled_find(const struct py *py, uint64_t interpreter, uint32_t *ret)
{
	const struct cpython_state_layout *l = &py->layout->state;
	if (l->gc_enabled == CPYTHON_NONE)
		return l->gc_generations == CPYTHON_NONE && l->generation_size != CPYTHON_NONE &&
		       static_enabled(py, ret);
	return image_try_u32(py->image,
			     (l->gc_in_runtime ? py->cpython.runtime : interpreter) + l->gc_enabled,
			     ret);
}

static struct error *collector_meta(struct py *py, uint64_t interpreter)
{
	const struct cpython_state_layout *l = &py->layout->state;
	uint32_t enabled, threshold[3], count[3];
	uint64_t generations;
	struct error *err = NULL;
	if (enabled_find(py, interpreter, &enabled))
		err = py_meta(py, "gc_enabled", "%d", enabled != 0);
	if (err || !generations_find(py, interpreter, &generations))
		return err;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at = generations + i * (uint64_t)l->generation_size;
		if (!image_try_u32(py->image, at + l->generation_threshold, &threshold[i]) ||
		    !image_try_u32(py->image, at + l->generation_count, &count[i]))
			return NULL;
	}
	err = py_meta(py, "gc_thresholds", "%u %u %u", threshold[0], threshold[1], threshold[2]);
	if (!err)
		err = py_meta(py, "gc_counts", "%u %u %u", count[0], count[1], count[2]);
	return err;
}

/* The two links of a list's head: whole words, also where the head is aligned to 4 bytes only. */
static struct error *head_hide(struct py *py, uint64_t at)
{
	return snapshot_add_opaque(py->snapshot, align_down(at, 8), align_down(at + 16 + 7, 8),
				   "heads of the collector's lists");
}

struct error *py_collector_hide(struct py *py)
{
	const struct cpython_state_layout *l = &py->layout->state;
	struct error *err = NULL;
	_cleanup_(py_states_deinit) struct py_states states = {0};
	if (l->generation_size == CPYTHON_NONE)
		return NULL;
	err = py_states_find(py, &states);
	for (uint64_t i = 0; i < states.interpreter.n && !err; i++) {
		const uint64_t base =
			l->gc_in_runtime ? py->cpython.runtime : states.interpreter.at[i];
		uint64_t at;
		if (!generations_find(py, states.interpreter.at[i], &at))
			continue;
		for (unsigned k = 0; k < 3 && !err; k++)
			err = head_hide(py, at + k * (uint64_t)l->generation_size);
		if (!err && l->gc_permanent != CPYTHON_NONE &&
		    is_generation(py, base + l->gc_permanent))
			err = head_hide(py, base + l->gc_permanent);
	}
	return err;
}

/* ---- objects ---- */

enum {
	BASES_MOST = 64,      /* of old-style classes are looked through, and tries of a frame */
	CLASS_BASES = 16,     /* Include/classobject.h: PyClassObject.cl_bases, */
	CLASS_DICT = 24,      /* .cl_dict */
	INSTANCE_CLASS = 16,  /* PyInstanceObject.in_class, */
	INSTANCE_DICT = 24,   /* .in_dict */
	GENERATOR_FRAME = 16, /* Include/genobject.h: PyGenObject.gi_frame */
	BLOCK_FIRST = 4,      /* Include/frameobject.h: f_blockstack behind f_iblock, */
	BLOCK_SIZE = 12,      /* PyTryBlock {b_type, b_handler, b_level} */
	SETUP_LOOP = 120,     /* Include/opcode.h */
};

static bool dict_has_del(const struct py *py, uint64_t dict_at)
{
	uint64_t dict, value;
	return py_word(py, dict_at, &dict) && dict && py_dict_get(py, dict, "__del__", &value);
}

/* Objects/classobject.c, _PyInstance_Lookup: the instance, its class, all of the class's bases. */
static bool instance_finalizes(const struct py *py, uint64_t at)
{
	uint64_t pending[BASES_MOST], bases, n;
	unsigned end = 1;
	if (dict_has_del(py, at + INSTANCE_DICT))
		return true;
	if (!py_word(py, at + INSTANCE_CLASS, &pending[0]))
		return false;
	for (unsigned i = 0; i < end; i++) {
		if (!py_is(py, py_object_id(py, pending[i]), PY_KIND_classobj))
			continue;
		if (dict_has_del(py, pending[i] + CLASS_DICT))
			return true;
		if (!py_word(py, pending[i] + CLASS_BASES, &bases) ||
		    !py_is(py, py_object_id(py, bases), PY_KIND_tuple) ||
		    !py_word(py, bases + py->layout->object.size, &n))
			continue;
		for (uint64_t k = 0; k < n && end < BASES_MOST; k++)
			if (py_word(py, bases + py->layout->sequence.tuple_items + 8 * k,
				    &pending[end]))
				end++;
	}
	return false;
}

/* Objects/genobject.c, PyGen_NeedsFinalizing: it waits inside of a try or with. */
static bool generator_finalizes(const struct py *py, uint64_t at)
{
	const struct cpython_frame_layout *l = &py->layout->frame;
	uint64_t frame, top;
	uint32_t blocks, type;
	if (!py_word(py, at + GENERATOR_FRAME, &frame) ||
	    !py_is(py, py_object_id(py, frame), PY_KIND_frame) ||
	    !py_word(py, frame + l->valuestack + 8, &top) || !top ||
	    !image_try_u32(py->image, frame + l->iblock, &blocks) || blocks > BASES_MOST)
		return false;
	for (uint32_t i = 0; i < blocks; i++)
		if (image_try_u32(py->image,
				  frame + l->iblock + BLOCK_FIRST + i * (uint64_t)BLOCK_SIZE,
				  &type) &&
		    type != SETUP_LOOP)
			return true;
	return false;
}

/*
 * Objects that keep the collector from clearing the cycle (Modules/gcmodule.c, has_finalizer;
 * has_legacy_finalizer): those with tp_del, which is __del__ in 2.7 (and only asked of classes there),
 * and C types that still fill the slot later; in 2.7 also instances of old classes, and generators.
 */
static void unclearable_mark(struct py *py)
{
	struct object_table *o = &py->snapshot->object;
	const bool python2 = py->layout->frame.iblock != 0;
	const struct py_type *before = NULL;
	bool has = false;
	for (uint32_t id = 1; o->flags && id <= o->n; id++) {
		const struct py_type *t = py_type_of(py, id);
		uint64_t del;
		bool unclearable;
		if (!t || !(o->flags[id - 1] & OBJECT_GC))
			continue;
		if (t != before)
			has = py_word(py, t->address + py->layout->type.del, &del) && del &&
			      (!python2 || t->flags & py->layout->type.flag.heap);
		before = t;
		unclearable = has;
		if (python2 && t->kind == PY_KIND_instance)
			unclearable = instance_finalizes(py, o->address[id - 1]);
		else if (python2 && t->kind == PY_KIND_generator)
			unclearable = generator_finalizes(py, o->address[id - 1]);
		if (unclearable)
			o->flags[id - 1] |= OBJECT_UNCLEARABLE;
	}
}

/*
 * Frozen objects (gc.freeze) are in a list that no collection looks at: for the collector they are
 * as good as untracked.
 */
static void frozen_untrack(struct py *py, uint64_t interpreter)
{
	const struct cpython_state_layout *l = &py->layout->state;
	struct object_table *o = &py->snapshot->object;
	const uint64_t head =
		(l->gc_in_runtime ? py->cpython.runtime : interpreter) + l->gc_permanent;
	uint64_t at = head;
	if (l->gc_permanent == CPYTHON_NONE || !o->flags)
		return;
	for (uint32_t n = 0; n <= o->n; n++) {
		if (!py_word(py, at + py->layout->gc.next, &at))
			return;
		at &= ~UINT64_C(3); /* bit 0: which of its spaces it is in (3.14.0) */
		if (at == head)
			return;
		uint32_t id = py_object_id(py, at + py->layout->gc.head_size);
		if (!id || !(o->flags[id - 1] & OBJECT_GC))
			continue;
		o->flags[id - 1] &= (uint16_t)~OBJECT_GC;
		o->flags[id - 1] |= OBJECT_FROZEN;
	}
}

struct error *py_collector(struct py *py, const struct py_states *states)
{
	const uint64_t n = states->interpreter.n;
	unclearable_mark(py);
	for (uint64_t i = 0; i < n; i++)
		frozen_untrack(py, states->interpreter.at[i]);
	return n ? collector_meta(py, states->interpreter.at[n - 1]) : NULL;
}
