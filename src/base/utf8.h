/*
 * utf8: text from a dump, which may be any bytes.
 *
 * Paths and names are bytes to the kernel. In the database text is UTF-8, or readers of other
 * languages refuse the row: what is no UTF-8 becomes \xNN, the rest stays as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One character at `s` (len >= 1); *cp: its code point, -1 when the byte begins no valid one. */
size_t utf8_decode(const char *s, size_t len, int32_t *cp);

bool utf8_valid(const char *s, size_t len);

/* Bytes of the longest beginning of at most `most` bytes that does not end within a character. */
size_t utf8_cut(const char *s, size_t len, size_t most);

/*
 * Copies `s`, with bytes that are no UTF-8 as \xNN, into buf (room >= 1): all of it if room is above
 * UTF8_CLEAN_MOST times its length, else as many whole characters as fit. NULs may be inside; one
 * follows. Returns the length.
 */
enum { UTF8_CLEAN_MOST = 4 };
size_t utf8_clean(char *buf, size_t room, const char *s, size_t len);
