/*
 * trace: where the readers of allocation traces put what they read.
 *
 *	bytes -> a format's read_trace -> trace (this) -> replay -> trace_seal -> SNAPSHOT
 *
 * A format knows lines and records; here nobody does. It names strings, modules, frames and stacks
 * once and gets dense 32-bit ids from 1 (0: none), then reports events, or ready-made totals where
 * its file has no events. The replay keeps live blocks, totals by stack, the peak and a bounded
 * timeline: memory follows stacks and live blocks, never events. Sizes are what the program asked
 * for, in bytes.
 *
 *	      frame 3: "main", main.c:7        stack 1: frame 3, under 0     main
 *	      frame 4: "get", get.c:20         stack 2: frame 4, under 1      └ get
 *
 *	blocks with an address		trace_alloc, trace_free, trace_realloc
 *	blocks without			trace_kind (a size and a stack), trace_kind_alloc, _free
 *	no events at all		trace_total for each stack, trace_peak, trace_sample
 *
 * Stacks are a tree: a stack is a frame and the stack of its caller, so that it can only be made
 * after its caller: no cycles. Equal frames, and equal stacks, get the same id.
 *
 * Owner: the caller of trace_create. Strings are copied. Not thread-safe. Errors are out of memory,
 * or more things than 32 bits can name (ERROR_INPUT); a bad record is damage: the format calls
 * trace_damage and goes on.
 *
 * Cost: an event is one look at its stack's totals (64 bytes), with an address one look at an open
 * table of 16 bytes a slot, at most five eighths full.
 *
 * To add a format: input/trace_NAME.c with `const struct input_format input_trace_NAME` (probe,
 * read_trace), a line INPUT(trace_NAME) in inputs.def, samples with expected figures. Bytes are
 * read with the cursor of input/lines.h.
 */
#pragma once

#include "base/damage.h"
#include "base/error.h"
#include "base/log.h"
#include "snapshot/snapshot.h"

#include <stdbool.h>
#include <stdint.h>

struct trace;

struct error *trace_create(struct damage_log *damage, struct log *log,
			   struct trace **ret) _must_check_;
void trace_destroy(struct trace *t);

/* ---- facts ---- */

/* A row of `meta`: exe, args, pid, format, ... The last one of a key stays. */
struct error *trace_fact(struct trace *t, const char *key, const char *text,
			 size_t len) _must_check_;
/*
 * What is wrong with the file: counted by `what` (static text: "an id out of range"), told once
 * each with the first place (a line's number) and how many there were, when the trace is sealed.
 */
void trace_damage(struct trace *t, const char *what, uint64_t line);
/* The file ends before it should: told as such. */
void trace_cut(struct trace *t);
/*
 * What a tick of trace_time is: "s" with 0.001 for milliseconds. Other units than seconds
 * ("instructions", "bytes", "events") stay what they are, with 1. Default: "s", 1.
 */
void trace_unit(struct trace *t, const char *unit, double ticks);

/* ---- names ---- */

/* Text of any bytes. */
struct error *trace_string(struct trace *t, const void *text, size_t len,
			   uint32_t *ret) _must_check_;

struct trace_frame {
	uint32_t function, file, module; /* strings, 0 unknown */
	uint32_t line;			 /* 0 unknown */
	uint32_t outer;			 /* frame that this one was inlined into; 0: a real call */
	uint64_t address; /* of the code, where function is not known: tells such frames apart */
};

struct error *trace_frame(struct trace *t, const struct trace_frame *f, uint32_t *ret) _must_check_;
/*
 * A frame that is only an address yet: symbols are looked up after the last event, see
 * trace_codes_walk. `module` is an id of trace_module, 0: in none. `function` (a string, 0: none) is
 * its name as long as nothing better is found.
 */
struct error *trace_code(struct trace *t, uint64_t address, uint32_t module, uint32_t function,
			 uint32_t *ret) _must_check_;

struct trace_module {
	uint32_t path;	     /* string */
	uint64_t bias;	     /* address in the process - address in the file */
	uint64_t start, end; /* of its loaded parts */
	uint8_t build_id[BUILD_ID_MAX];
	uint32_t build_id_len; /* 0 unknown */
	bool is_exe;
	bool anywhere; /* its place in the process is not known: bias, start, end are made up */
	bool extent_unknown; /* any file of that path will do; start = bias, end: as far as codes reach */
};

/* The same path at the same place again is the same module. *ret 0: there are too many (damage). */
struct error *trace_module(struct trace *t, const struct trace_module *m,
			   uint32_t *ret) _must_check_;

/* caller: the stack it was called from, 0: the outermost. Ids must be ones that were given out. */
struct error *trace_stack(struct trace *t, uint32_t frame, uint32_t caller,
			  uint32_t *ret) _must_check_;
/* The stack of n frames, innermost first. */
struct error *trace_stack_of(struct trace *t, const uint32_t *frame, uint32_t n,
			     uint32_t *ret) _must_check_;

/* ---- events, in the order of the file ---- */

/* In ticks since the start; what follows happens then. Backwards is damage, and does not happen. */
struct error *trace_time(struct trace *t, uint64_t ticks) _must_check_;

/*
 * stack 0: not known. A block at a live address replaces the older one, whose free was missed;
 * address 0 is an allocation that failed (counted, no block).
 */
struct error *trace_alloc(struct trace *t, uint64_t address, uint64_t size,
			  uint32_t stack) _must_check_;
/* Unknown addresses are counted and ignored (allocated before the trace began), NULL is ignored. */
void trace_free(struct trace *t, uint64_t address);
/*
 * old 0: an allocation. ret 0: `size` 0 freed the old one, else it failed and the old one stays.
 */
struct error *trace_realloc(struct trace *t, uint64_t old, uint64_t ret, uint64_t size,
			    uint32_t stack) _must_check_;
/*
 * Many at once, in order: the same, and quicker, since the places of all are fetched first. A free
 * has no size and no stack.
 */
struct trace_event {
	uint64_t address, size;
	uint32_t stack;
	bool is_free;
};
struct error *trace_events(struct trace *t, const struct trace_event *e, uint32_t n) _must_check_;

/* A block of this address that is live; false: none. */
bool trace_find(const struct trace *t, uint64_t address, uint64_t *size, uint32_t *stack);

/* Blocks that have no address are told apart by size and stack alone. Ids from 1, one a call. */
struct error *trace_kind(struct trace *t, uint64_t size, uint32_t stack,
			 uint32_t *ret) _must_check_;
/* False: no such kind (or, for a free, no block of it is live: not counted). */
bool trace_kind_alloc(struct trace *t, uint32_t kind);
bool trace_kind_free(struct trace *t, uint32_t kind);

/* ---- ready-made totals, for formats without events ---- */

#define TRACE_UNKNOWN UINT64_MAX

struct trace_totals {
	uint64_t allocations, temporary, allocated_bytes, live_objects, live_bytes;
	uint64_t peak_bytes; /* its share of the overall peak */
	uint64_t own_peak_bytes;
	uint64_t lifetime; /* ticks that all its blocks lived, together */
};

/* All fields TRACE_UNKNOWN. */
struct trace_totals trace_totals_unknown(void);
/* Adds; a field that one part of a sum does not know is not known. */
struct error *trace_total(struct trace *t, uint32_t stack,
			  const struct trace_totals *totals) _must_check_;
/* The overall peak, and its time (TRACE_UNKNOWN). */
void trace_peak(struct trace *t, uint64_t bytes, uint64_t ticks);
/* A point of the curve; objects may be TRACE_UNKNOWN. Times rise. */
struct error *trace_sample(struct trace *t, uint64_t ticks, uint64_t bytes,
			   uint64_t objects) _must_check_;

/* ---- after the last event ---- */

/*
 * Leaks that are none: each pattern is looked for in functions, files and modules of all frames of
 * a stack, as LeakSanitizer does: anywhere in the text, `*` for any text, `^` and `$` for its ends.
 * Blocks of such stacks stay live, and are marked.
 */
struct error *trace_suppress(struct trace *t, const char *pattern, size_t len) _must_check_;

/*
 * Code addresses that want names, by module and address. The walker answers with frames from the
 * outside in: it calls trace_code_name for the real function first, then for what was inlined.
 */
uint32_t trace_modules(const struct trace *t);
const struct trace_module *trace_module_get(const struct trace *t, uint32_t id);
const char *trace_text(const struct trace *t, uint32_t string);
typedef struct error *(*trace_code_fn)(void *arg, uint32_t module, uint64_t address, uint32_t code);
struct error *trace_codes_walk(struct trace *t, trace_code_fn fn, void *arg) _must_check_;
struct error *trace_code_name(struct trace *t, uint32_t code, const char *function,
			      const char *file, uint32_t line) _must_check_;

/*
 * Everything into the snapshot: site, timeline, objects (a trace's own snapshot), meta. Frames of
 * the allocation functions themselves (malloc, operator new, ...) at the inner end are left out: a
 * site is who called them. Equal paths of function, file, line and module are one site, whatever
 * the addresses. The trace is used up but for trace_destroy.
 */
struct error *trace_seal(struct trace *t, struct snapshot *s) _must_check_;
/*
 * The same for a trace of the process that a core was taken of: sites and timeline, and site_id of
 * each object that was a live block of the recorder's. *found: how many objects got one.
 */
struct error *trace_seal_joined(struct trace *t, struct snapshot *s, uint64_t *found) _must_check_;
