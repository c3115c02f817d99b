/* The rows that there are, oldest first. */
#include "layout/cpython_impl.h"

const struct cpython_layout *const cpython_layouts[] = {
	&cpython_2_7,  &cpython_3_6,  &cpython_3_7,  &cpython_3_8,  &cpython_3_9,
	&cpython_3_10, &cpython_3_11, &cpython_3_12, &cpython_3_13,
};
const unsigned cpython_nlayouts = sizeof(cpython_layouts) / sizeof(cpython_layouts[0]);
