#include "store/paths_repeat.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { PERIOD_MOST = 4, REPEATS_LEAST = 4 };

static size_t step_begin(const struct paths_ends *ends, size_t from, uint64_t i)
{
	return i ? ends->at.at[i - 1] : from;
}

static bool step_same(const char *text, size_t from, const struct paths_ends *ends, uint64_t i,
		      uint64_t k)
{
	size_t a = step_begin(ends, from, i), b = step_begin(ends, from, k);
	size_t len = ends->at.at[i] - a;
	return len == ends->at.at[k] - b && !memcmp(text + a, text + b, len);
}

/* How many times the `period` steps from i on come one after the other. */
static uint64_t repeats(const char *text, size_t from, const struct paths_ends *ends, uint64_t i,
			uint64_t period)
{
	uint64_t k = i + period;
	while (k < ends->at.n && step_same(text, from, ends, k - period, k))
		k++;
	return (k - i) / period;
}

static void steps_write(FILE *out, const char *text, size_t from, const struct paths_ends *ends,
			uint64_t i, uint64_t n)
{
	size_t begin = step_begin(ends, from, i);
	fwrite(text + begin, 1, ends->at.at[i + n - 1] - begin, out);
}

void paths_repeat(FILE *out, const char *text, size_t from, const struct paths_ends *ends)
{
	fwrite(text, 1, from, out);
	for (uint64_t i = 0; i < ends->at.n;) {
		uint64_t period = 1, n = 0;
		for (; period <= PERIOD_MOST; period++) {
			n = repeats(text, from, ends, i, period);
			if (n >= REPEATS_LEAST)
				break;
		}
		if (period > PERIOD_MOST) {
			steps_write(out, text, from, ends, i++, 1);
			continue;
		}
		if (period > 1)
			fputc('(', out);
		steps_write(out, text, from, ends, i, period);
		fprintf(out, "%s{%" PRIu64 "}", period > 1 ? ")" : "", n);
		i += period * n;
	}
}
