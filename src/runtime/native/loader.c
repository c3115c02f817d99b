/*
 * loader: what the dynamic loader has allocated and not written to yet (glibc 2.35 on). For _dl_find_object
 * it keeps the mappings of what was loaded later in blocks of malloc, twice as large each time. Behind
 * those in use stands what was in that memory before, which would seem to be held.
 *
 *	_dlfo_loaded_mappings[2]			elf/dl-find_object.c
 *	   ▼
 *	previous, to_free, size, allocated; objects[allocated] of which `size` are in use:
 *	   │	     └► the block			map_start, map_end, map, eh_frame, ...
 *	   ▼
 *	the same for lower addresses
 *
 * It begins on a line of the cache, some way into the block. An element has four words, more where
 * DLFO_STRUCT_HAS_EH_DBASE and its kin are set (dl-find_object.h): how many is told by those in use, which
 * are sorted, and mappings of modules.
 */
#include "base/base_name.h"
#include "runtime/native/native.h"

#include "base/checked.h"

#include <string.h>

enum {
	HEAD_WORDS = 4,
	ELEMENT_LEAST = 4, /* words */
	ELEMENT_MOST = 6,
	ALIGN_MOST = 128, /* cache_line_size_estimate */
	ALLOCATED_MOST = 1 << 16,
	CHAIN_MOST = 64,
};

static const char why[] = "what the dynamic loader has not written to yet";

struct segment {
	uint64_t address, previous, to_free, size, allocated;
};

static bool segment_read(const struct image *img, uint64_t at, struct segment *ret)
{
	const uint32_t ws = img->word_size;
	ret->address = at;
	return at % ws == 0 && image_try_word(img, at, &ret->previous) &&
	       image_try_word(img, at + ws, &ret->to_free) &&
	       image_try_word(img, at + 2 * ws, &ret->size) &&
	       image_try_word(img, at + 3 * ws, &ret->allocated) && ret->to_free &&
	       ret->to_free <= at && at - ret->to_free <= ALIGN_MOST &&
	       ret->allocated <= ALLOCATED_MOST && ret->size <= ret->allocated;
}

static bool elements_plausible(const struct image *img, const struct segment *s, uint32_t words)
{
	const uint32_t ws = img->word_size;
	uint64_t at = s->address + HEAD_WORDS * ws, before = 0, start, end, map;
	bool loaded = false;
	for (uint64_t i = 0; i < s->size; i++, at += (uint64_t)words * ws) {
		if (!image_try_word(img, at, &start) || !image_try_word(img, at + ws, &end) ||
		    !image_try_word(img, at + 2 * ws, &map) || start < before || end < start)
			return false;
		/* One that was unloaded has no map, and its place may be something else's. */
		if (map && (end == start || !image_module_find(img, start)))
			return false;
		loaded |= map != 0;
		before = end;
	}
	return loaded;
}

static uint32_t element_words(const struct image *img, const struct segment *s)
{
	for (uint32_t words = ELEMENT_LEAST; words <= ELEMENT_MOST; words++)
		if (elements_plausible(img, s, words))
			return words;
	return 0;
}

static struct error *chain_hide(struct runtime_context *ctx, struct segment s, uint32_t words)
{
	const uint32_t ws = ctx->image->word_size;
	struct error *err = NULL;
	for (unsigned n = 0; n < CHAIN_MOST && !err; n++) {
		const uint64_t objects = s.address + HEAD_WORDS * ws,
			       element = (uint64_t)words * ws;
		err = snapshot_add_opaque(ctx->snapshot, objects + s.size * element,
					  objects + s.allocated * element, why);
		if (!err)
			err = snapshot_add_opaque(ctx->snapshot, s.to_free, s.address, why);
		if (!s.previous || !segment_read(ctx->image, s.previous, &s))
			break;
	}
	return err;
}

static bool is_loader(const struct image_module *m)
{
	const char *name = base_name(m->path);
	return !strncmp(name, "ld-", 3) || !strncmp(name, "ld.so", 5) || !strncmp(name, "ld64", 4);
}

struct error *native_loader_hide(struct runtime_context *ctx)
{
	const struct image *img = ctx->image;
	struct error *err = NULL;
	for (uint32_t id = 1; id <= img->nmodule && !err; id++) {
		const struct image_module *m = image_module_get(img, id);
		if (!is_loader(m))
			continue;
		uint64_t at = align_down(m->data_start + img->word_size - 1, img->word_size), word;
		uint64_t known = 0;
		for (; at < m->data_end && !err; at += img->word_size) {
			struct segment s;
			uint32_t words;
			/* Two copies, of which one may be the other's. */
			if (!image_try_word(img, at, &word) || !word || word == known ||
			    !segment_read(img, word, &s) || !s.size ||
			    !(words = element_words(img, &s)))
				continue;
			known = word;
			err = chain_hide(ctx, s, words);
		}
	}
	return err;
}
