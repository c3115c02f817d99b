/*
 * parallel: one function over disjoint slices of an index range, on all processors.
 *
 * The slices are cut by number, not by who is free, so that each slice's output is the same in
 * every run; parallel_slices() tells how many there will be, so that callers can allocate one
 * output each. The first error (by slice number) is returned; the others are freed.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>

/* Work on [first, end) as slice number `slice`. */
typedef struct error *(*parallel_fn)(void *arg, unsigned slice, uint64_t first, uint64_t end);

/* At least 1; no more than processors, nor than n / grain. */
unsigned parallel_slices(uint64_t n, uint64_t grain);

struct error *parallel_for(uint64_t n, unsigned slices, parallel_fn fn, void *arg) _must_check_;

/* Several unlike jobs at a time: fn[i](arg[i], i, 0, 0). */
struct error *parallel_jobs(unsigned n, const parallel_fn *fn, void *const *arg) _must_check_;
