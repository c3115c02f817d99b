/*
 * contents: blocks that nobody claimed, as contents that others may have, too. Only what holds no
 * pointer to a block: what does is part of a structure, and so are instances of classes.
 *
 *	text	its characters, when the rest of the block is no more than a growing string leaves
 *		unused (as much again) or malloc rounds up to
 *	other	the whole block, from CONTENTS_LEAST bytes on, unless it is all zeroes: memory that
 *		was never written to is no copy of anything
 *
 * Mistakes: unused bytes at the end of a block, which hold what was there before, tell two blocks
 * apart that say the same; rounding that nothing ever was in does not.
 */
#include "runtime/native/native.h"

#include <string.h>

enum { CONTENTS_LEAST = 32, ROUNDING = 24 };

/* A name that names.c gave. */
static bool is_text(const struct snapshot *s, uint32_t type, bool *wide)
{
	static const char text[] = "text (UTF-";
	const char *name = intern_text(&s->strings, s->type.at[type - 1].name);
	if (strncmp(name, text, sizeof(text) - 1))
		return false;
	*wide = name[sizeof(text) - 1] == '1';
	return true;
}

/* Bytes up to a NUL; `room` when there is none. */
static uint64_t text_length(const struct image *img, uint64_t at, uint64_t room, bool wide)
{
	uint64_t avail;
	const uint8_t *p = image_view(img, NULL, at, &avail);
	if (!p || avail < room)
		return room;
	if (!wide) {
		const uint8_t *end = memchr(p, 0, room);
		return end ? (uint64_t)(end - p) : room;
	}
	for (uint64_t n = 0; n + 2 <= room; n += 2)
		if (!p[n] && !p[n + 1])
			return n;
	return room;
}

bool native_contents(const struct runtime_context *ctx, uint32_t object_id,
		     struct object_contents *ret)
{
	const struct snapshot *s = ctx->snapshot;
	const struct object_table *o = &s->object;
	const uint32_t i = object_id - 1;
	bool wide = false, text = false;
	if ((o->owner_id && o->owner_id[i]) || !o->arena_id[i] ||
	    s->edge.first[i] != s->edge.first[i + 1])
		return false;
	if (o->type_id[i]) {
		text = is_text(s, o->type_id[i], &wide);
		if (!text)
			return false;
	} else if (o->size[i] < CONTENTS_LEAST) {
		return false;
	}
	*ret = (struct object_contents){.address = o->address[i], .bytes = object_room(o, i)};
	if (!text)
		return true;
	uint64_t length = text_length(ctx->image, ret->address, ret->bytes, wide);
	if (ret->bytes - length <= length + ROUNDING) {
		ret->bytes = length;
		ret->form = o->type_id[i];
	}
	return ret->bytes != 0;
}
