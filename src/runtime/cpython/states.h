/*
 * states: what the interpreter itself holds: interpreters, threads, frames.
 *
 *	interpreters.c   the interpreters and their threads
 *	collector.c      facts about the collector
 *	threads.c        whose native thread is it; the memory that its frames live in
 *	frames.c         the frames of a thread, newest first; what they are called
 *	lines.c          which line an instruction is of
 *	age.c            dicts by their last write
 *	suspended.c      generators, coroutines, tasks: where each waits
 *	interned.c       the table of interned strings
 *	own_counts.c     what CPython itself counts wrongly
 *	freelists.c      where freed objects wait to be used again
 *	method_cache.c   names that the cache of attributes holds
 *	roots.c          frame rows; a root for each local, stack word and dictionary of an interpreter
 *
 *	_PyRuntime.interpreters.head ──► PyInterpreterState ──► next one
 *	                                   │ threads.head
 *	                                   ▼
 *	                                 PyThreadState ──► next one
 *	                                   │ frame; cframe->current_frame (3.11); current_frame (3.13)
 *	                                   ▼
 *	                                 newest frame ──► previous one
 *
 * Nothing is kept: both phases walk the few structures again. Every walk is bounded.
 */
#pragma once

#include "base/vec.h"
#include "runtime/cpython/py.h"

struct py_thread {
	uint64_t address, interpreter; /* PyThreadState, PyInterpreterState */
	uint32_t thread_id;	       /* of the image; 0: no native thread is known to be its */
};

struct py_states {
	VEC(uint64_t) interpreter;
	VEC(struct py_thread) thread;
};

struct py_frame {
	uint64_t address;
	uint64_t code;	    /* of the code object */
	uint32_t object_id; /* the frame object that it is; 0: an _PyInterpreterFrame */
	uint8_t owner;	    /* enum cpython_frame_owner, of an _PyInterpreterFrame */
	uint32_t nlocals;   /* words at localsplus that are variables */
	uint64_t stack_at;  /* the evaluation stack */
	uint32_t stack;	    /* words of it that are in use */
	bool running;	    /* nobody saved how many those are: all that there is room for */
	bool borrowed;	    /* a frame object that its generator has the count of, not its thread */
};

/* Where no symbol tells where the runtime is: by structure. Needs static types. */
void py_runtime_find(struct py *py);

/* Empty where the runtime's address or the version's layout is not known. */
struct error *py_states_find(const struct py *py, struct py_states *ret) _must_check_;
void py_states_deinit(struct py_states *s);

/* Frames that live in no object: their memory as extents and opaque ranges. Before blocks are sealed. */
struct error *py_threads_prepare(struct py *py) _must_check_;
/* Before blocks are sealed: the arrays of freed objects are read by no scan. */
struct error *py_freelists_hide(struct py *py) _must_check_;
/* The references phase: tables of dicts that only those arrays have. */
struct error *py_freelists_roots(struct py *py) _must_check_;
/* Likewise: the method cache, before blocks are sealed; its names, in the references phase. */
struct error *py_method_cache_hide(struct py *py) _must_check_;
struct error *py_method_cache_roots(struct py *py) _must_check_;
uint32_t py_thread_match(const struct py *py, uint64_t thread);

struct py_frames {
	VEC(struct py_frame) frame;
};

/* The frames of a thread, newest first; what cannot be read ends the list. */
struct error *py_frames_find(const struct py *py, const struct py_thread *thread,
			     struct py_frames *ret) _must_check_;

/* The object that a word of an _PyInterpreterFrame leads to; 0: none. Borrowed: not counted there. */
uint64_t py_frame_word(const struct py *py, uint64_t word, bool *borrowed);

/*
 * The evaluation stack of a PyFrameObject (to 3.10): where, how many words, and is it running? Then the
 * words are all that its code asks for (co_stacksize): those in use, and above them stale ones. False:
 * it cannot be read.
 */
bool py_frame_object_stack(const struct py *py, uint32_t object_id, uint64_t *at, uint32_t *n,
			   bool *running);

/* Of a code object; false: it does not say. */
bool py_code_function(const struct py *py, uint64_t code, char *buf, size_t room);
bool py_code_file(const struct py *py, uint64_t code, char *buf, size_t room);
/* The i-th variable of the frames of this code, arguments first. */
bool py_code_local(const struct py *py, uint64_t code, uint32_t i, char *buf, size_t room);
/* The line of the instruction so many bytes into the code; negative: the first line. 0: none is told. */
uint32_t py_code_line(const struct py *py, uint64_t code, int64_t offset);
/* The line that a PyFrameObject (to 3.10), an _PyInterpreterFrame, either of them is at. */
uint32_t py_frame_object_line(const struct py *py, uint64_t frame, uint64_t code);
uint32_t py_interpreter_frame_line(const struct py *py, uint64_t frame, uint64_t code);
uint32_t py_frame_line(const struct py *py, const struct py_frame *frame);

/* Fills py->interned: a table of interned strings owns none of them (Objects/unicodeobject.c). */
struct error *py_interned_find(struct py *py) _must_check_;

/* Rows of generators, coroutines, tasks and futures: the references phase. analysis/ has the rest. */
struct error *py_suspended_find(struct py *py) _must_check_;

/* own_counts.c: finds py->lent; roots for what layout/cpython_lost.c says. */
struct error *py_own_counts(struct py *py) _must_check_;

/* Rows of snapshot.kept, and their roots: kept_impl.h. After references. */
struct error *py_kept_counts(struct py *py) _must_check_;

/* collector.c: facts about the collector; what is frozen, and what it must not clear. */
/* The collector's own links are read by no scan: before blocks are sealed. */
struct error *py_collector_hide(struct py *py) _must_check_;
struct error *py_collector(struct py *py, const struct py_states *states) _must_check_;

/* Dicts by their last write: the references phase. */
struct error *py_age_find(struct py *py, uint64_t interpreters) _must_check_;

/* newer.c: frame rows of a version that is newer than the tables, by what it says of itself. */
struct error *py_newer_frames(struct py *py) _must_check_;

/* Frame rows and roots: the references phase. */
struct error *py_states_roots(struct py *py) _must_check_;
