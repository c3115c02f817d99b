/*
 * traverse: what a type's tp_traverse shows the collector, for types in C that nobody here knows.
 *
 * Whether such a type's function visits all that its instances hold is written nowhere but in its
 * code. Where the dump or a binary has that code, it is run: on the object as it lies in the dump,
 * with a `visit` that notes what it is given and answers 0. The machine is as small as such
 * functions are:
 *
 *	reads     the dump, through image_*, and a stack of its own
 *	writes    that stack alone; a store anywhere else ends the run
 *	calls     what it calls runs, too (a base's tp_traverse, a function of the interpreter's)
 *	ends      by returning to where it was called from; after TRAVERSE_STEPS instructions; at an
 *	          instruction that is not known, or at code that is not there
 *
 * Only a run that ended by itself with 0 in eax says something; all else is "not known", and never
 * "not visited". x86-64 only: elsewhere nothing is known.
 *
 * Pure: the same answer for whoever asks, from any thread.
 */
#pragma once

#include "image/image.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	TRAVERSE_STEPS = 1 << 15,
	TRAVERSE_VISITS = 4096,
};

struct traverse {
	uint64_t visit[TRAVERSE_VISITS]; /* addresses, in the order of the calls */
	uint32_t n;
};

/* Runs the function at `code` on the object at `self`. False: not known. */
bool traverse_run(const struct image *img, uint64_t code, uint64_t self, struct traverse *ret);
