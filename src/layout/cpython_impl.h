/* The rows of cpython.h, one file each. */
#pragma once

#include "layout/cpython.h"

extern const struct cpython_layout cpython_2_7, cpython_3_6, cpython_3_7, cpython_3_8, cpython_3_9,
	cpython_3_10, cpython_3_11, cpython_3_12, cpython_3_13, cpython_3_14, cpython_3_15;
