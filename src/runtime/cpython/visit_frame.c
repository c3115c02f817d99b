/*
 * visit_frame: frames, and the generators and coroutines that have one inside.
 *
 *	to 3.10		PyFrameObject: locals, cells and free variables, then the evaluation stack
 *	3.11 on		_PyInterpreterFrame: in a generator, in a frame object that outlived its call,
 *			in a thread's own memory, where it is a root and none of ours, or in memory
 *			that a library keeps for a stack it has switched away from (greenlets):
 *			then the frame object that it has, or a later frame of that stack has, holds it
 *
 * How deep the stack of a running function is, only its registers know (or its code, to who follows every
 * path through it to the instruction; we do not). So all that there is room for is read: each word that
 * leads to an object may be a count of it, REFERENCE_WORD, and may be stale. Those of a thread's frames are
 * roots, (stack), by roots.c; those of others are scanned here.
 */
#include "runtime/cpython/states.h"
#include "runtime/cpython/visit_impl.h"

enum { LOCALS_MOST = 1 << 20, STACK_MOST = 1 << 20, PARKED_MOST = 1 << 14 };

/* The names of locals: tuples of text, one after the other. */
struct local_names {
	struct {
		uint64_t items, n;
	} part[3];
	unsigned parts;
};

static void names_add(const struct visitor *v, struct local_names *names, uint64_t tuple)
{
	uint64_t n;
	if (!py_word(v->py, tuple + v->l->object.size, &n) || n > LOCALS_MOST)
		n = 0;
	names->part[names->parts].items = tuple + v->l->sequence.tuple_items;
	names->part[names->parts++].n = n;
}

static uint64_t names_count(const struct local_names *names)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < names->parts; i++)
		n += names->part[i].n;
	return n;
}

static void names_read(const struct visitor *v, uint64_t code, struct local_names *names)
{
	const struct cpython_visit_layout *l = v->l->visit;
	const uint16_t at[] = {l->code_localsplusnames, l->code_varnames, l->code_cellvars,
			       l->code_freevars};
	uint64_t tuple;
	names->parts = 0;
	for (unsigned i = 0; i < 4 && names->parts < 3; i++)
		if (at[i] != CPYTHON_NONE && py_word(v->py, code + at[i], &tuple) && tuple)
			names_add(v, names, tuple);
}

static uint32_t names_edge(const struct visitor *v, const struct local_names *names, uint64_t i)
{
	uint64_t word;
	for (unsigned k = 0; k < names->parts; k++) {
		if (i < names->part[k].n)
			return py_word(v->py, names->part[k].items + 8 * i, &word)
				       ? visit_attr_name(v, word)
				       : 0;
		i -= names->part[k].n;
	}
	return edge_name_pack(EDGE_NAME_INDEX, i);
}

/* Words of locals and stack. */
static void visit_locals(struct visitor *v, const struct local_names *names, uint64_t at,
			 uint64_t first, uint64_t end)
{
	uint64_t word;
	for (uint64_t i = first; i < end; i++) {
		if (!visit_word(v, at + 8 * i, &word))
			return;
		enum reference_kind kind = REFERENCE_OWNING;
		bool borrowed;
		word = py_frame_word(v->py, word, &borrowed);
		if (borrowed) {
			/* What is immortal is marked so, whoever holds it. */
			uint32_t id = py_object_id(v->py, word);
			kind = id && v->py->snapshot->object.flags[id - 1] & OBJECT_IMMORTAL
				       ? REFERENCE_OWNING
				       : REFERENCE_WEAK;
		}
		if (word)
			visit_edge(v, word, at + 8 * i, kind, names_edge(v, names, i) | v->unseen);
	}
}

static uint64_t rest_of(uint64_t end, uint64_t at, uint64_t n)
{
	uint64_t room = at < end ? (end - at) / 8 : 0;
	return n < room ? n : room;
}

/* ---- PyFrameObject, to 3.10 ---- */

static void walk_frame_object(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	struct local_names names = {.parts = 0};
	uint64_t code, stack, at = v->at + l->frame_localsplus;
	uint32_t depth;
	bool running;
	if (!visit_word(v, v->at + l->frame_code, &code))
		return;
	names_read(v, code, &names);
	uint64_t locals = rest_of(v->end, at, names_count(&names));
	visit_locals(v, &names, at, 0, locals);
	if (!py_frame_object_stack(v->py, v->id, &stack, &depth, &running) ||
	    stack != at + 8 * locals)
		return;
	if (!running)
		visit_locals(v, &names, at, locals, locals + depth);
	else if (!bits_test(&v->py->on_thread, v->id))
		edge_sink_scan(v->sink, stack, stack + 8 * (uint64_t)depth);
}

/* ---- _PyInterpreterFrame, 3.11 on ---- */

/* The frame ends at `end`, with the object's own block or with the memory that it lies in. */
static void visit_iframe(struct visitor *v, uint64_t frame, uint64_t end)
{
	const struct cpython_visit_layout *l = v->l->visit;
	struct local_names names = {.parts = 0};
	uint64_t code = 0, word, n = 0, nlocals;
	uint32_t count;
	const uint64_t locals = frame + l->iframe_localsplus;
	if (locals > end)
		return;
	if (end == v->end)
		visit_at(v, frame + l->iframe_object, v->name->frame_obj);
	visit_at(v, frame + l->iframe_locals, v->name->locals);
	const uint16_t held[] = {l->iframe_function, l->iframe_code};
	const uint32_t name[] = {v->name->function, v->name->code};
	for (unsigned i = 0; i < 2; i++) {
		if (!visit_word(v, frame + held[i], &word))
			return;
		bool borrowed;
		word = py_frame_word(v->py, word, &borrowed);
		enum reference_kind kind = borrowed ? REFERENCE_WEAK : REFERENCE_OWNING;
		visit_edge(v, word, frame + held[i], kind,
			   name[i] | (kind == REFERENCE_OWNING ? v->unseen : 0));
		code = word;
	}
	if (visit_word(v, frame + l->iframe_globals, &word))
		visit_edge(v, word, frame + l->iframe_globals, REFERENCE_WEAK, v->name->globals);
	if (visit_word(v, frame + l->iframe_builtins, &word))
		visit_edge(v, word, frame + l->iframe_builtins, REFERENCE_WEAK, v->name->builtins);
	names_read(v, code, &names);
	if (!image_try_u32(v->py->image, code + l->code_nlocalsplus, &count))
		return;
	nlocals = rest_of(end, locals, count);
	bool running;
	if (l->iframe_stackpointer != CPYTHON_NONE) {
		if (!visit_word(v, frame + l->iframe_stackpointer, &word))
			return;
		running = word < locals;
		n = running ? 0 : (word - locals) / 8;
	} else {
		uint32_t top;
		if (!image_try_u32(v->py->image, frame + l->iframe_stacktop, &top))
			return;
		running = (int32_t)top < 0;
		n = running ? 0 : top;
	}
	if (!running) {
		visit_locals(v, &names, locals, 0, rest_of(end, locals, n));
		return;
	}
	/* While it runs the collector sees nothing of it. */
	const uint32_t unseen = v->unseen;
	v->unseen = EDGE_NAME_UNSEEN;
	visit_locals(v, &names, locals, 0, nlocals);
	v->unseen = unseen;
	const uint64_t stack = locals + 8 * nlocals;
	if (stack < end && end == v->end)
		edge_sink_scan(v->sink, stack, end);
	else if (stack < end)
		edge_sink_scan_elsewhere(v->sink, stack, end);
}

/* How far a frame outside any block goes: its variables, and the stack that its code asks for. */
static uint64_t iframe_end(const struct visitor *v, uint64_t frame)
{
	const struct cpython_visit_layout *l = v->l->visit;
	const struct cpython_code_layout *c = &v->l->code;
	uint64_t code;
	uint32_t nlocals, room;
	if (!py_word(v->py, frame + l->iframe_code, &code) ||
	    !py_is(v->py, py_object_id(v->py, code), PY_KIND_code) ||
	    !image_try_u32(v->py->image, code + c->nlocalsplus, &nlocals) ||
	    !image_try_u32(v->py->image, code + c->stacksize, &room) || nlocals > LOCALS_MOST ||
	    room > STACK_MOST)
		return 0;
	return frame + l->iframe_localsplus + 8 * ((uint64_t)nlocals + room);
}

/* In memory of a thread: opaque, "Python frames" (threads.c). Its frames are roots. */
static bool iframe_of_thread(const struct visitor *v, uint64_t frame)
{
	uint64_t end;
	return snapshot_is_opaque(v->py->snapshot, frame, &end);
}

/*
 * A stack that no thread runs: frames from the object's own down to the next that has an object, which
 * then tells the rest. The collector sees nothing of them.
 */
static void visit_parked(struct visitor *v, uint64_t frame)
{
	const struct cpython_visit_layout *l = v->l->visit;
	const uint32_t unseen = v->unseen;
	uint64_t end, object;
	v->unseen = EDGE_NAME_UNSEEN;
	for (unsigned n = 0; n < PARKED_MOST && frame % 8 == 0 && !iframe_of_thread(v, frame);
	     n++) {
		if (!py_word(v->py, frame + l->iframe_object, &object) ||
		    (n ? object != 0 : object != v->at) || !(end = iframe_end(v, frame)))
			break;
		visit_iframe(v, frame, end);
		if (!py_word(v->py, frame + v->l->frame.previous, &frame) || !frame)
			break;
	}
	v->unseen = unseen;
}

void walk_frame(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint64_t frame;
	uint8_t owner;
	if (l->frame_iframe == CPYTHON_NONE) {
		walk_frame_object(v);
		return;
	}
	if (!visit_word(v, v->at + l->frame_iframe, &frame) ||
	    !image_try_u8(v->py->image, frame + l->iframe_owner, &owner))
		return;
	if (frame >= v->at && frame < v->end && owner == l->iframe_owner_object)
		visit_iframe(v, frame, v->end);
	else if (owner == CPYTHON_FRAME_THREAD)
		visit_parked(v, frame);
}

void walk_generator(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint64_t code;
	uint8_t state;
	bool borrowed;
	if (l->generator_iframe == CPYTHON_NONE)
		return;
	if (!image_try_u8(v->py->image, v->at + l->generator_state, &state))
		return;
	if ((int8_t)state < l->generator_cleared) {
		visit_iframe(v, v->at + l->generator_iframe, v->end);
		return;
	}
	/* It has ended; the collector is not shown what it keeps. */
	const uint64_t at = v->at + l->generator_iframe + l->iframe_code;
	if (!l->generator_keeps_code || !visit_word(v, at, &code))
		return;
	code = py_frame_word(v->py, code, &borrowed);
	if (!borrowed)
		visit_edge(v, code, at, REFERENCE_OWNING, v->name->code | EDGE_NAME_UNSEEN);
}
