/*
 * hexdump: bytes of the dump that a database was made from, if it is still there.
 *
 * The database has no bytes: the dump named in `meta` is opened again. That it is the same one is
 * checked as well as can be (process, mappings); a dump that is gone, has changed or was a pipe is
 * said in a line, and is no error. The only part of cmd/ that reads a dump.
 */
#pragma once

#include "cmd/cmd.h"

/*
 * Section "bytes": len bytes from offset `skip` of the block, 16 a line with text. In JSON: "bytes"
 * (hex) and "bytes_offset" (skip); "bytes" is null with "bytes_missing" (why) when they cannot be
 * had.
 */
struct error *cmd_hexdump(struct cmd_context *ctx, uint64_t block, uint64_t skip,
			  uint64_t len) _must_check_;
