/*
 * intern: each distinct string once, named by a dense id from 1 (0: none).
 *
 * Ids follow first insertion, so that the same input gives the same ids. Strings are bytes with a
 * length; they may hold NULs and invalid UTF-8. The table owns its copies until intern_deinit.
 */
#pragma once

#include "base/error.h"
#include "base/region.h"

#include <stddef.h>
#include <stdint.h>

struct intern_entry {
	const char *text; /* NUL behind the last byte */
	uint32_t len;
	uint32_t hash;
};

struct intern {
	struct region region;
	struct intern_entry *entry; /* [0] is unused */
	uint32_t n, room;
	uint32_t *slot; /* open addressing; power of two */
	uint32_t slots;
};

void intern_deinit(struct intern *in);
struct error *intern_add(struct intern *in, const char *text, size_t len,
			 uint32_t *ret) _must_check_;
struct error *intern_str(struct intern *in, const char *text, uint32_t *ret) _must_check_;

/* "" for id 0. */
const char *intern_text(const struct intern *in, uint32_t id);

/* How many strings; ids are 1 to this. */
static inline uint32_t intern_count(const struct intern *in)
{
	return in->n ? in->n - 1 : 0;
}
