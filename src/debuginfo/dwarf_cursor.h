/*
 * dwarf_cursor: reads DWARF's primitive values out of a buffer. A value that does not fit in what
 * is left makes it bad: everything it reads from then on is 0, so that one check at the end
 * suffices.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct dwarf_cursor {
	const uint8_t *p, *end;
	bool bad;
};

static inline uint64_t dwarf_left(const struct dwarf_cursor *c)
{
	return (uint64_t)(c->end - c->p);
}

static inline const uint8_t *dwarf_bytes(struct dwarf_cursor *c, uint64_t n)
{
	if (c->bad || n > dwarf_left(c)) {
		c->bad = true;
		return NULL;
	}
	const uint8_t *p = c->p;
	c->p += n;
	return p;
}

/* An unsigned little-endian value of n <= 8 bytes. */
static inline uint64_t dwarf_uint(struct dwarf_cursor *c, unsigned n)
{
	uint64_t v = 0;
	const uint8_t *p = dwarf_bytes(c, n);
	if (p)
		memcpy(&v, p, n);
	return v;
}

static inline int64_t dwarf_sint(struct dwarf_cursor *c, unsigned n)
{
	unsigned unused = 64 - 8 * n;
	return (int64_t)(dwarf_uint(c, n) << unused) >> unused;
}

/* A LEB128, `sign`: a signed one. Bits beyond the 64th are dropped, as every reader does. */
static inline uint64_t dwarf_leb(struct dwarf_cursor *c, bool sign)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;
	do {
		b = (uint8_t)dwarf_uint(c, 1);
		if (shift < 64)
			v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80);
	if (sign && shift < 64 && b & 0x40)
		v |= ~UINT64_C(0) << shift;
	return v;
}

static inline uint64_t dwarf_uleb(struct dwarf_cursor *c)
{
	return dwarf_leb(c, false);
}

static inline int64_t dwarf_sleb(struct dwarf_cursor *c)
{
	return (int64_t)dwarf_leb(c, true);
}
