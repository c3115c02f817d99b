/*
 * checked: arithmetic on numbers that came from somewhere else.
 *
 * Each answers false when the result does not fit; *ret is then unspecified. All in uint64_t.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_add_overflow(a, b, ret);
}

static inline bool checked_sub(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_sub_overflow(a, b, ret);
}

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret);
}

/* Is [start, start + len) inside [lo, hi)? False on overflow, too. */
static inline bool checked_within(uint64_t start, uint64_t len, uint64_t lo, uint64_t hi)
{
	return start >= lo && start <= hi && len <= hi - start;
}

/* Rounding to a power of two. Down never fails. */
static inline uint64_t align_down(uint64_t v, uint64_t to)
{
	return v & ~(to - 1);
}

static inline bool checked_align_up(uint64_t v, uint64_t to, uint64_t *ret)
{
	if (!checked_add(v, to - 1, ret))
		return false;
	*ret = align_down(*ret, to);
	return true;
}
