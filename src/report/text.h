/*
 * text: what may be printed, and how wide it is.
 *
 * Names and values come from a dump that may be hostile, and end on a terminal: control characters
 * (C0, C1), bytes that are no UTF-8, and invisible characters that reorder or hide text are written
 * as \n, \t, \xNN or \u{N}, a backslash as itself. Width is counted in terminal columns (wide
 * characters are two, combining ones none).
 */
#pragma once

#include "base/region.h"

#include <stddef.h>
#include <stdint.h>

/* Escaped, in the region. NULL: out of memory. */
char *text_escape(struct region *region, const char *s, size_t len);

/* Columns that an escaped text takes. */
size_t text_width(const char *s);
size_t text_width_n(const char *s, size_t len);

/* Cut to at most `width` columns (>= 1), an ellipsis in the last one when something was cut. */
char *text_cut(struct region *region, const char *s, size_t width);

/* "0 B", "999 B", "12.3 KiB", "1.50 GiB": three digits at least from KiB on. buf: 24 bytes. */
enum { TEXT_NUMBER_MAX = 32 };
const char *text_bytes(char *buf, uint64_t bytes);
/* "-12", "0x1f": as printf writes them, which takes ten times as long. */
const char *text_integer(char *buf, int64_t n);
const char *text_address(char *buf, uint64_t v);
/* "1,234,567" */
const char *text_count(char *buf, int64_t n);
/* part of whole: "12.3 %", "<0.1 %", "" where whole is 0 */
const char *text_share(char *buf, double part, double whole);
