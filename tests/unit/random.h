/* Numbers for tests: xorshift64* (Vigna 2016), the same ones everywhere and in every run. */
#pragma once

#include <stdint.h>

/* *state is not 0. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * UINT64_C(0x2545f4914f6cdd1d);
}

static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	return (random_next(state) >> 11) % n;
}
