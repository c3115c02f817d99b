/* The rows of cpython.h, one file each. */
#pragma once

#include "layout/cpython.h"

extern const struct cpython_layout cpython_2_7, cpython_3_6, cpython_3_7, cpython_3_8, cpython_3_9,
	cpython_3_10, cpython_3_11, cpython_3_12, cpython_3_13, cpython_3_14, cpython_3_15;

/* cpython_slots_*.c */
extern const struct cpython_slot cpython_slots_2_7[];
extern const struct cpython_visit_layout cpython_visit_2_7;
extern const struct cpython_slot cpython_slots_3_6[];
extern const struct cpython_visit_layout cpython_visit_3_6;
extern const struct cpython_slot cpython_slots_3_7[];
extern const struct cpython_visit_layout cpython_visit_3_7;
extern const struct cpython_slot cpython_slots_3_8[];
extern const struct cpython_visit_layout cpython_visit_3_8;
extern const struct cpython_slot cpython_slots_3_9[];
extern const struct cpython_visit_layout cpython_visit_3_9;
extern const struct cpython_slot cpython_slots_3_10[];
extern const struct cpython_visit_layout cpython_visit_3_10;
extern const struct cpython_slot cpython_slots_3_11[];
extern const struct cpython_visit_layout cpython_visit_3_11;
extern const struct cpython_slot cpython_slots_3_12[];
extern const struct cpython_visit_layout cpython_visit_3_12;
extern const struct cpython_slot cpython_slots_3_13[];
extern const struct cpython_visit_layout cpython_visit_3_13;
extern const struct cpython_slot cpython_slots_3_14[];
extern const struct cpython_visit_layout cpython_visit_3_14;
extern const struct cpython_slot cpython_slots_3_15[];
extern const struct cpython_visit_layout cpython_visit_3_15;

/*
 * cpython_build.c: does an instance with a dict visit that, and the dict what is inline? The code of
 * the build says so where it can be read; else its version.
 */
bool cpython_build_visits_dict(const struct image *img, const struct debuginfo *di,
			       const struct cpython *py, const struct cpython_layout *row,
			       unsigned micro);

/*
 * cpython_described.c: the row with what the process says of its own layout (3.13). False: it says
 * nothing, or in an order that is not this version's; *ret is then the row.
 */
bool cpython_described(const struct image *img, uint64_t runtime, const struct cpython_layout *row,
		       struct cpython_layout *ret);

extern const struct cpython_slot cpython_slots_unknown[];
extern const struct cpython_visit_layout cpython_visit_unknown;
