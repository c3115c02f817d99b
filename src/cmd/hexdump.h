/*
 * hexdump: bytes of the dump that a database was made from, if it is still there.
 *
 * The database has no bytes: the dump named in `meta` is opened again. That it is the same one is
 * checked as well as can be (process, mappings); a dump that is gone, has changed or was a pipe is
 * said in a line, and is no error. The only part of cmd/ that reads a dump.
 */
#pragma once

#include "cmd/cmd.h"

struct hexdump_range {
	uint64_t block;	  /* offsets count from here */
	uint64_t skip;	  /* of the first byte */
	uint64_t len;	  /* bytes */
	uint64_t address; /* that was asked for; 0: none */
	int64_t id;	  /* the object whose block it is; 0: none */
};

/*
 * Section "bytes": 16 a line with text. In JSON: "bytes" (hex) and "bytes_offset" (skip); "bytes" is
 * null with "bytes_missing" (why) when they cannot be had. Then section "words": what each word is:
 * a pointer to an object, into a free block, a stack (whose frame), a module (its symbol), another
 * mapping; text; a small number. Before it, for an address in no block, "symbol" where it has one.
 */
struct error *cmd_hexdump(struct cmd_context *ctx, const struct hexdump_range *range) _must_check_;
