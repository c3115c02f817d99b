/*
 * cfi: call frame information, from a code address to the rules of its frame.
 *
 * It reads .eh_frame where the process had it: in memory, as the image tells it (the dump's own
 * bytes, or a binary's that were lent to it), found through the sorted table of .eh_frame_hdr;
 *where there is no such table (static programs), through an index that it makes of all entries.
 *Then .debug_frame, which was never in memory, out of the file.
 *
 *	.eh_frame_hdr  | version, encodings | .eh_frame | n | (code, entry) ... sorted
 *	.eh_frame      | CIE: what a group of functions shares | FDE: one function | FDE | ...
 *	FDE            length, distance to the CIE, code start, code size, instructions
 *
 * Formats: DWARF 5, 6.4; LSB Core 5.0, "Exception Frames". All of it is foreign: an entry is copied
 * into a bounded buffer and read through a cursor that knows its end.
 *
 * Owner: cfi_deinit frees the indexes; image and section bytes belong to the caller.
 */
#pragma once

#include "base/error.h"
#include "base/vec.h"
#include "image/image.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	CFI_REGS = 33, /* DWARF numbers that are followed: aarch64 has the most, up to sp = 31 */
	CFI_CIE_MAX = 4096,  /* bytes of an entry; real ones have some twenty */
	CFI_FDE_MAX = 65536, /* the largest functions need a few thousand */
};

enum cfi_rule_kind {
	RULE_NONE,	/* nothing said: the machine's convention decides */
	RULE_UNDEFINED, /* lost; for the return address: the outermost frame */
	RULE_SAME,
	RULE_OFFSET,	 /* saved at CFA + n */
	RULE_VAL_OFFSET, /* is CFA + n */
	RULE_REGISTER,	 /* is in register n; as the CFA's rule: register + n */
	RULE_EXPR,	 /* saved at the result of an expression */
	RULE_VAL_EXPR,	 /* is the result of an expression */
};

struct cfi_rule {
	uint8_t kind; /* enum cfi_rule_kind */
	uint16_t reg; /* RULE_REGISTER */
	int64_t n;
	const uint8_t *expr; /* in the row's buffers */
	uint32_t len;
};

/* The rules at one address. Large: it holds the entry that the expressions are part of. */
struct cfi_row {
	struct cfi_rule cfa;
	struct cfi_rule rule[CFI_REGS];
	uint32_t return_column;
	bool signal;	/* the frame of a signal handler's return: its caller was interrupted */
	bool ra_signed; /* aarch64: the return address carries an authentication code */
	uint64_t start, end; /* of the function */
	uint8_t cie[CFI_CIE_MAX];
	uint8_t fde[CFI_FDE_MAX];
};

/* Where entries lie: in the process's memory (data NULL; places are addresses) or in a section. */
struct cfi_source {
	const struct image *img;
	const uint8_t *data;
	uint64_t size;
	uint64_t bias; /* to be added to addresses in the section; 0 in memory */
	bool eh;       /* .eh_frame, not .debug_frame */
};

struct cfi_entry {
	uint64_t start, end;
	uint64_t at; /* place of the FDE */
};

struct cfi_index {
	VEC(struct cfi_entry) entry; /* by start */
};

struct cfi {
	struct cfi_source eh, debug;
	uint64_t hdr;		/* address of .eh_frame_hdr, 0 none */
	uint64_t table, ntable; /* its sorted table, 0 none */
	struct cfi_index eh_index, debug_index;
};

/*
 * hdr: address of .eh_frame_hdr; eh_frame: address and size of .eh_frame when known from elsewhere
 * (size 0: up to its end mark); 0: none. debug_frame: NULL none. Never fails for what is foreign.
 */
struct error *cfi_init(struct cfi *cfi, const struct image *img, uint64_t hdr, uint64_t eh_frame,
		       uint64_t eh_frame_size, const uint8_t *debug_frame,
		       uint64_t debug_frame_size, uint64_t debug_bias) _must_check_;
void cfi_deinit(struct cfi *cfi);

/* The rules at pc; false: no entry covers it, or it cannot be read. */
bool cfi_find(const struct cfi *cfi, uint64_t pc, struct cfi_row *row);

/* Registers by DWARF number; a bit in `valid` for each that is known. */
struct cfi_regs {
	uint64_t reg[CFI_REGS];
	uint64_t valid;
	uint64_t pc;
};

static inline bool cfi_regs_get(const struct cfi_regs *r, uint64_t n, uint64_t *ret)
{
	if (n >= CFI_REGS || !(r->valid >> n & 1))
		return false;
	*ret = r->reg[n];
	return true;
}

static inline void cfi_regs_set(struct cfi_regs *r, uint64_t n, uint64_t v)
{
	if (n < CFI_REGS) {
		r->reg[n] = v;
		r->valid |= UINT64_C(1) << n;
	}
}

/*
 * expr.c: evaluates a DWARF expression over registers and memory. `push` (may be NULL) is on the
 * stack at first. Bounded in stack and steps. False: it cannot be evaluated here.
 */
bool expr_eval(const struct image *img, const uint8_t *expr, uint32_t len,
	       const struct cfi_regs *regs, const uint64_t *push, uint64_t *ret);
