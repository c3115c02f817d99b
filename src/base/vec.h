/*
 * vec: a growing array of one type, with a maximum told at birth.
 *
 *	VEC(struct range) ranges = {.max = 1 << 20};
 *	err = vec_push(&ranges, ((struct range){...}));
 *	... ranges.at[i], ranges.n ...
 *	vec_deinit(&ranges);
 *
 * A push that would exceed max (0: no more than 2^32 - 1 elements) is an ERROR_INPUT: no input
 * needs that many. Growth doubles, through realloc, so big columns can grow in place.
 */
#pragma once

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define VEC(type)                                                                                  \
	struct {                                                                                   \
		type *at;                                                                          \
		uint64_t n, room, max;                                                             \
	}

#define vec_reserve(v, want)                                                                       \
	vec_reserve_((void **)&(v)->at, &(v)->room, (want), (v)->max, sizeof(*(v)->at))

#define vec_push(v, ...)                                                                           \
	({                                                                                         \
		struct error *vec_err_ = NULL;                                                     \
		if ((v)->n == (v)->room)                                                           \
			vec_err_ = vec_reserve((v), (v)->n + 1);                                   \
		if (!vec_err_)                                                                     \
			(v)->at[(v)->n++] = (__VA_ARGS__);                                         \
		vec_err_;                                                                          \
	})

/* Gives unused room back to the system. Never fails: at worst nothing changes. */
#define vec_trim(v) vec_trim_((void **)&(v)->at, (v)->n, &(v)->room, sizeof(*(v)->at))

#define vec_deinit(v)                                                                              \
	do {                                                                                       \
		free((v)->at);                                                                     \
		(v)->at = NULL;                                                                    \
		(v)->n = (v)->room = 0;                                                            \
	} while (0)

struct error *vec_reserve_(void **at, uint64_t *room, uint64_t want, uint64_t max,
			   size_t size) _must_check_;
void vec_trim_(void **at, uint64_t n, uint64_t *room, size_t size);
