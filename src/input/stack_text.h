/*
 * stack_text: stacks of the readers whose files tell a frame as text.
 *
 *	stack_text_begin(&s);
 *	stack_text_valgrind(&s, w);	0x109166: f (a.c:7), a frame a line, innermost first
 *	stack_text_end(&s, outermost, &stack);
 *
 * What the recorder itself put in front (frames in its preloaded library, jemalloc's own) is left
 * out: a stack begins with who called the allocator. Errors are those of trace.h. A name is cut at
 * STACK_TEXT_NAME bytes, a stack at STACK_TEXT_FRAMES.
 */
#pragma once

#include "input/lines.h"
#include "input/trace.h"

#include "base/vec.h"

enum { STACK_TEXT_NAME = 1 << 14, STACK_TEXT_FRAMES = 1 << 12, STACK_TEXT_MODULES = 1 << 12 };

struct stack_text {
	struct trace *t;
	VEC(uint32_t) frame;	 /* ids, innermost first */
	VEC(uint32_t) module_of; /* by string: the module of that path + 1, as far as it reaches */
	uint32_t modules;
};

void stack_text_deinit(struct stack_text *s);

/* Bounded. */
struct error *stack_text_string(struct stack_text *s, struct word w, uint32_t *ret) _must_check_;

void stack_text_begin(struct stack_text *s);
/* Parts may be empty: not known. */
struct error *stack_text_add(struct stack_text *s, struct word function, struct word file,
			     uint64_t line, struct word module, uint64_t address) _must_check_;
/*
 * "0xADDRESS: FUNCTION (FILE:LINE)", "... (in MODULE)", "??? (...)", as valgrind's tools write it.
 * False in *ret: it is no frame.
 */
struct error *stack_text_valgrind(struct stack_text *s, struct word w, bool *ret) _must_check_;
/* What stands behind the colon there. */
struct error *stack_text_named(struct stack_text *s, struct word w, uint64_t address) _must_check_;
/*
 * An address within a file of which only the path is known: names are looked up later, `function`
 * stays if that finds nothing. `build_id` (hex) may be empty.
 */
struct error *stack_text_code(struct stack_text *s, struct word path, uint64_t offset,
			      struct word function, struct word build_id) _must_check_;
/* outermost: a stack to hang this one under; 0: none. */
struct error *stack_text_end(struct stack_text *s, uint32_t outermost, uint32_t *ret) _must_check_;

/* "FILE:LINE" or "FILE:LINE:COLUMN": the line; 0: none, file stays whole. */
uint64_t stack_text_line(struct word *file);
