/*
 * visit_frame: frames, and the generators and coroutines that have one inside.
 *
 *	to 3.10		PyFrameObject: locals, cells and free variables, then the evaluation stack
 *	3.11 on		_PyInterpreterFrame: in a generator, in a frame object that outlived its call,
 *			else in a thread's own memory, where it is a root and none of ours
 *
 * How deep the stack of a running function is, only its registers know: what is there is scanned.
 */
#include "runtime/cpython/states.h"
#include "runtime/cpython/visit_impl.h"

enum { LOCALS_MOST = 1 << 20, STACK_MOST = 1 << 20 };

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

static uint64_t rest_of(const struct visitor *v, uint64_t at, uint64_t n)
{
	uint64_t room = at < v->end ? (v->end - at) / 8 : 0;
	return n < room ? n : room;
}

/* ---- PyFrameObject, to 3.10 ---- */

static void walk_frame_object(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	struct local_names names = {.parts = 0};
	uint64_t code, stack, top = 0, at = v->at + l->frame_localsplus;
	if (!visit_word(v, v->at + l->frame_code, &code) ||
	    !visit_word(v, v->at + l->frame_valuestack, &stack))
		return;
	names_read(v, code, &names);
	uint64_t locals = rest_of(v, at, names_count(&names));
	visit_locals(v, &names, at, 0, locals);
	if (stack != at + 8 * locals)
		return;
	uint64_t depth = 0;
	bool running;
	if (l->frame_stacktop != CPYTHON_NONE) {
		if (!visit_word(v, v->at + l->frame_stacktop, &top))
			return;
		running = !top;
		if (top >= stack)
			depth = (top - stack) / 8;
	} else {
		uint32_t d;
		if (!image_try_u32(v->py->image, v->at + l->frame_stackdepth, &d))
			return;
		running = (int32_t)d < 0;
		depth = running ? 0 : d;
	}
	if (running)
		edge_sink_scan(v->sink, stack, v->end);
	else
		visit_locals(v, &names, at, locals, locals + rest_of(v, stack, depth));
}

/* ---- _PyInterpreterFrame, 3.11 on ---- */

/* The frame lies in the object's own block. */
static void visit_iframe(struct visitor *v, uint64_t frame)
{
	const struct cpython_visit_layout *l = v->l->visit;
	struct local_names names = {.parts = 0};
	uint64_t code = 0, word, n = 0, nlocals;
	uint32_t count;
	const uint64_t locals = frame + l->iframe_localsplus;
	if (locals > v->end)
		return;
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
	nlocals = rest_of(v, locals, count);
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
		visit_locals(v, &names, locals, 0, rest_of(v, locals, n));
		return;
	}
	/* While it runs the collector sees nothing of it. */
	const uint32_t unseen = v->unseen;
	v->unseen = EDGE_NAME_UNSEEN;
	visit_locals(v, &names, locals, 0, nlocals);
	v->unseen = unseen;
	if (locals + 8 * nlocals < v->end)
		edge_sink_scan(v->sink, locals + 8 * nlocals, v->end);
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
	if (visit_word(v, v->at + l->frame_iframe, &frame) && frame >= v->at && frame < v->end &&
	    image_try_u8(v->py->image, frame + l->iframe_owner, &owner) &&
	    owner == l->iframe_owner_object)
		visit_iframe(v, frame);
}

void walk_generator(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint8_t state;
	if (l->generator_iframe == CPYTHON_NONE)
		return;
	if (!image_try_u8(v->py->image, v->at + l->generator_state, &state))
		return;
	if ((int8_t)state < l->generator_cleared)
		visit_iframe(v, v->at + l->generator_iframe);
}
