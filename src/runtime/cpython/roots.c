/*
 * roots: what frames and interpreters hold, by name.
 *
 * Rows of kind REFERENCE_OWNING count (refcounts.c). Those of REFERENCE_WORD are stack words of a
 * frame that runs: between the ones in use and those left over nobody can tell. A frame in a
 * generator or in a frame object is that object's, which has references of its own.
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>

enum { TEXT_ROOM = 256, PREFIX_ROOM = 96 };

struct roots {
	struct py *py;
	uint32_t thread_id;
	int32_t depth;
	uint32_t scope; /* string before a name, where there are several interpreters */
};

static struct error *root_add_word(struct roots *r, uint64_t word, uint64_t at,
				   enum root_grade grade, enum reference_kind kind,
				   const char *name)
{
	struct snapshot *s = r->py->snapshot;
	if (!word)
		return NULL;
	struct root_row row = {
		.object_id = py_object_id(r->py, word),
		.address = at,
		.grade = (uint8_t)grade,
		.how = EDGE_START,
		.kind = (uint8_t)kind,
		.found = ROOT_BY_RUNTIME,
		.thread_id = r->thread_id,
		.depth = r->depth,
	};
	if (!row.object_id)
		return NULL;
	struct error *err = name ? intern_str(&s->strings, name, &row.name) : NULL;
	return err ? err : vec_push(&s->root, row);
}

static struct error *root_add(struct roots *r, uint64_t at, enum root_grade grade,
			      enum reference_kind kind, const char *name)
{
	uint64_t word;
	return py_word(r->py, at, &word) ? root_add_word(r, word, at, grade, kind, name) : NULL;
}

/*
 * A word of an _PyInterpreterFrame. A borrowed one keeps nothing alive: a variable or the code of a
 * frame further out does. (Those of immortal objects are marked so, whoever holds them.)
 */
static struct error *frame_root_add(struct roots *r, uint64_t at, enum reference_kind kind,
				    const char *name)
{
	uint64_t word;
	bool borrowed;
	if (!py_word(r->py, at, &word))
		return NULL;
	word = py_frame_word(r->py, word, &borrowed);
	uint32_t id = borrowed ? py_object_id(r->py, word) : 0;
	if (borrowed && (!id || !(r->py->snapshot->object.flags[id - 1] & OBJECT_IMMORTAL)))
		return NULL;
	return root_add_word(r, word, at, ROOT_FRAME, kind, name);
}

/* ---- frames ---- */

static struct error *frame_row_add(struct roots *r, const struct py_frame *f)
{
	struct snapshot *s = r->py->snapshot;
	struct frame_row row = {
		.thread_id = r->thread_id,
		.depth = (uint32_t)r->depth,
		.line = py_frame_line(r->py, f),
	};
	char text[TEXT_ROOM];
	struct error *err = intern_str(&s->strings, "python", &row.language);
	if (!err && py_code_function(r->py, f->code, text, sizeof(text)))
		err = intern_str(&s->strings, text, &row.function);
	if (!err && py_code_file(r->py, f->code, text, sizeof(text)))
		err = intern_str(&s->strings, text, &row.file);
	return err ? err : vec_push(&s->frame, row);
}

static struct error *stack_roots(struct roots *r, const struct py_frame *f)
{
	struct error *err = NULL;
	for (uint32_t i = 0; i < f->stack && !err; i++)
		err = frame_root_add(r, f->stack_at + 8 * (uint64_t)i,
				     f->running ? REFERENCE_WORD : REFERENCE_OWNING, "(stack)");
	return err;
}

static struct error *interpreter_frame_roots(struct roots *r, const struct py_frame *f)
{
	const struct cpython_frame_layout *l = &r->py->layout->frame;
	const struct {
		uint16_t field;
		const char *name;
	} own[] = {{l->func, "(function)"},
		   {l->code, "(code)"},
		   {l->locals, "(locals)"},
		   {l->frame_obj, "(frame object)"}};
	struct error *err = NULL;
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]) && !err; i++)
		err = frame_root_add(r, f->address + own[i].field, REFERENCE_OWNING, own[i].name);
	uint64_t at = f->address + l->localsplus;
	char name[TEXT_ROOM];
	for (uint32_t i = 0; i < f->nlocals && !err; i++, at += 8) {
		bool named = py_code_local(r->py, f->code, i, name, sizeof(name));
		err = frame_root_add(r, at, REFERENCE_OWNING, named ? name : NULL);
	}
	return err ? err : stack_roots(r, f);
}

/*
 * To 3.10: what runs a frame has a count of it, but for those of generators (Objects/genobject.c,
 * gen_send_ex). Its variables are the frame object's references; the words of its stack are roots, which
 * the object then does not tell again.
 */
static struct error *object_frame_roots(struct roots *r, const struct py_frame *f)
{
	struct snapshot *s = r->py->snapshot;
	struct root_row row = {
		.object_id = f->object_id,
		.grade = ROOT_FRAME,
		.how = EDGE_START,
		.kind = f->borrowed ? REFERENCE_WORD : REFERENCE_OWNING,
		.found = ROOT_BY_RUNTIME,
		.thread_id = r->thread_id,
		.depth = r->depth,
	};
	struct error *err = intern_str(&s->strings, "(frame)", &row.name);
	if (!err)
		err = vec_push(&s->root, row);
	if (!err && f->running) {
		bits_set(&r->py->on_thread, f->object_id);
		err = stack_roots(r, f);
	}
	return err;
}

/* Python's frames follow a thread's native ones. */
static int32_t depth_after_native(const struct snapshot *s, uint32_t thread_id)
{
	int32_t depth = 0;
	for (uint64_t i = 0; i < s->frame.n; i++)
		if (s->frame.at[i].thread_id == thread_id && (int32_t)s->frame.at[i].depth >= depth)
			depth = (int32_t)s->frame.at[i].depth + 1;
	return depth;
}

static void py_frames_deinit(struct py_frames *f)
{
	vec_deinit(&f->frame);
}

static struct error *thread_roots(struct py *py, const struct py_thread *thread)
{
	_cleanup_(py_frames_deinit) struct py_frames frames = {0};
	struct roots r = {.py = py, .thread_id = thread->thread_id, .depth = -1};
	struct error *err = py_frames_find(py, thread, &frames);
	if (!err && r.thread_id)
		r.depth = depth_after_native(py->snapshot, r.thread_id);
	for (uint64_t i = 0; i < frames.frame.n && !err; i++) {
		const struct py_frame *f = &frames.frame.at[i];
		if (r.thread_id)
			err = frame_row_add(&r, f);
		if (!err && f->object_id)
			err = object_frame_roots(&r, f);
		else if (!err && f->owner == CPYTHON_FRAME_THREAD)
			err = interpreter_frame_roots(&r, f);
		r.depth += r.thread_id != 0;
	}
	return err;
}

/* ---- interpreters ---- */

/*
 * Before the names of an interpreter's roots: "interpreter 1: ". Those of the main one, which is the last in the
 * list, are as everyone writes them; but a second CPython in the process says which it is.
 */
static void interpreter_prefix(const struct py *py, uint64_t number, char *buf, size_t room)
{
	char which[48] = "";
	if (number)
		snprintf(which, sizeof(which), "interpreter %" PRIu64, number);
	if (py->nth)
		snprintf(buf, room, "CPython %s%s%s: ", py->cpython.version, number ? ", " : "",
			 which);
	else
		snprintf(buf, room, "%s%s", which, number ? ": " : "");
}

/*
 * What an interpreter other than the main one has of builtin types (3.12). Of that they are the type
 * objects' references: visit_type.c.
 */
static struct error *builtin_type_roots(struct roots *r, uint64_t at, const char *prefix)
{
	const struct cpython_type_layout *l = &r->py->layout->type;
	const struct {
		uint16_t field;
		const char *name;
	} own[] = {{l->builtin_dict, "__dict__"}, {l->builtin_subclasses, "<subclasses>"}};
	struct error *err = NULL;
	uint64_t entry;
	for (uint64_t t = 0; t < r->py->type.n && !err; t++) {
		const struct py_type *type = &r->py->type.at[t];
		char name[TEXT_ROOM], text[TEXT_ROOM + PREFIX_ROOM + 16];
		if (type->flags & l->flag.heap ||
		    !py_builtin_type_state_in(r->py, at, type->address, &entry))
			continue;
		if (!py_type_name(r->py, type, name, sizeof(name)))
			snprintf(name, sizeof(name), "<type at 0x%" PRIx64 ">", type->address);
		for (unsigned i = 0; i < 2 && !err; i++) {
			snprintf(text, sizeof(text), "%s%s.%s", prefix, name, own[i].name);
			err = root_add(r, entry + own[i].field, ROOT_GLOBAL, REFERENCE_OWNING,
				       text);
		}
	}
	return err;
}

static struct error *interpreter_roots(struct py *py, uint64_t at, uint64_t number)
{
	const struct cpython_state_layout *l = &py->layout->state;
	const struct {
		uint16_t field;
		const char *name;
	} own[] = {{l->interp_modules, "sys.modules"},
		   {l->interp_sysdict, "sys.__dict__"},
		   {l->interp_builtins, "builtins.__dict__"}};
	struct roots r = {.py = py, .depth = -1};
	struct error *err = NULL;
	char prefix[PREFIX_ROOM], name[PREFIX_ROOM + 32];
	interpreter_prefix(py, number, prefix, sizeof(prefix));
	for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]) && !err; i++) {
		snprintf(name, sizeof(name), "%s%s", prefix, own[i].name);
		err = root_add(&r, at + own[i].field, ROOT_GLOBAL, REFERENCE_OWNING, name);
	}
	return err || !number ? err : builtin_type_roots(&r, at, prefix);
}

struct error *py_states_roots(struct py *py)
{
	_cleanup_(py_states_deinit) struct py_states states = {0};
	struct error *err = bits_init(&py->on_thread, (uint64_t)py->snapshot->object.n + 1);
	if (!err)
		err = py_states_find(py, &states);
	uint64_t n = states.interpreter.n;
	for (uint64_t i = 0; i < n && !err; i++)
		err = interpreter_roots(py, states.interpreter.at[i], n - 1 - i);
	if (!err)
		err = py_collector(py, &states);
	if (!err)
		err = py_age_find(py, n);
	for (uint64_t i = 0; i < states.thread.n && !err; i++)
		err = thread_roots(py, &states.thread.at[i]);
	if (!err && n)
		err = py_meta(py, "python_interpreters", "%" PRIu64, n);
	if (!err && n)
		err = py_meta(py, "python_threads", "%" PRIu64, states.thread.n);
	return err;
}
