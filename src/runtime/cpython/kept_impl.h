/*
 * kept: counts that extension modules take when they are imported, and never give back.
 *
 * They look like leaks: nothing in memory holds them. They are none: there is a fixed number of them,
 * one import makes them all, and they go with the process. Each that can be told gets a row of
 * snapshot.kept, which explains the count, and, where nothing else holds the object, a root, which keeps
 * it from being called lost.
 * What one rule may explain is bounded by what the process has of such modules, so a leak that grows
 * outgrows it at once.
 *
 *	kept.c		finds objects with counts to spare, asks the others
 *	kept_cython.c	modules made by Cython, by what they leave in memory
 *	kept_f2py.c	functions in Fortran
 *	kept_known.c	single objects of well-known modules: layout/cpython_kept.c
 */
#pragma once

#include "runtime/cpython/py.h"

struct kept {
	struct py *py;
	struct count_holders held;
	VEC(uint32_t)
	odd; /* ids of objects with counts to spare, ascending; some are explained since */
};

/* How many counts nothing explains; 0 for most objects. */
int64_t kept_spare(const struct kept *k, uint32_t id);
/* All spare counts of the object are the module's (0: of one of several). No more than `most` may be. */
struct error *kept_add(struct kept *k, uint32_t id, uint32_t most, const char *cause,
		       uint32_t module_id) _must_check_;

struct error *kept_cython(struct kept *k) _must_check_;
struct error *kept_f2py(struct kept *k) _must_check_;
struct error *kept_known(struct kept *k) _must_check_;
