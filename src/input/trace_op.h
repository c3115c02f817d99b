/*
 * trace_op: events of readers that take names of calls as text: JSON lines, --trace-pattern.
 *
 * Kinds by name: malloc, calloc, memalign, new, mmap and whatever else begins so, C++ by mangled name,
 * alloc, +: an allocation; free, delete, munmap, dealloc, -: a free; realloc, reallocarray: both.
 */
#pragma once

#include "input/lines.h"
#include "input/stack_text.h"
#include "input/trace.h"

enum trace_op_kind { TRACE_OP_NONE, TRACE_OP_ALLOC, TRACE_OP_FREE, TRACE_OP_REALLOC };

struct trace_op {
	enum trace_op_kind kind;
	bool has_address, has_old, has_size;
	uint64_t address, old, size;
	uint32_t stack;
};

enum trace_op_kind trace_op_kind(struct word name);
/* Takes 0x and hex, (nil), nil or NULL, or decimal. */
bool trace_op_number(struct word *w, uint64_t *ret);
/* "FUNCTION (FILE:LINE)", "FUNCTION (in MODULE)", "0xADDRESS: ...", "FUNCTION". */
struct error *trace_op_frame(struct stack_text *s, struct word w) _must_check_;
/*
 * An event that lacks what its kind needs is damage. An allocation without an address is one that
 * failed only if it says so (0): else it cannot be told from others, and is left out.
 */
struct error *trace_op_apply(struct trace *t, const struct trace_op *op,
			     uint64_t line) _must_check_;
