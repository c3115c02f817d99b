/*
 * paths_repeat: a path as text, with steps that are taken again and again written once.
 *
 *	list->next->next->next->next->+8		list->next{4}->+8
 *	list.first->+16[3]->+16[3]->+16[3]->+16[3]	list.first(->+16[3]){4}
 *
 * Runs of one step to PERIOD_MOST steps; what comes fewer than REPEATS_LEAST times is left as it is.
 */
#pragma once

#include "base/error.h"
#include "base/vec.h"

#include <stddef.h>
#include <stdio.h>

/* Where each step of a text ends; none is empty. */
struct paths_ends {
	VEC(size_t) at;
};

/* `text` up to `from`, then its steps, to `out`. */
void paths_repeat(FILE *out, const char *text, size_t from, const struct paths_ends *ends);
