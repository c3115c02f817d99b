/*
 * pads: blocks with debug hooks. What Python calls the address of such a block lies two words into
 * it; so that is its object's address here, and `block` stays where the allocator's block begins.
 * Everything after this counts from the address.
 */
#include "runtime/cpython/py.h"

#include "layout/pymalloc.h"

enum {
	SAMPLES = 1 << 16,
	PADS_MOST = 2,
	HITS = 8, /* in a sample: there are hooks */
};

/* Bytes before the program's own. What pymalloc passes on to malloc is marked by both. */
static uint32_t block_pads(const struct py *py, struct image_cursor *cursor, uint32_t i)
{
	const struct object_table *o = &py->snapshot->object;
	const uint32_t w = py->image->word_size, pad = pymalloc_pad(w);
	uint32_t pads = 0;
	for (unsigned n = 0; n < PADS_MOST && o->arena_id[i] && o->size[i] - pads > pad; n++) {
		const uint8_t *p =
			image_view_all(py->image, cursor, object_block(o, i) + pads, pad);
		if (!p || !pymalloc_is_padded(p, w, o->size[i] - pads))
			break;
		pads += pad;
	}
	return pads;
}

struct error *py_pads_place(struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	struct image_cursor cursor = {0};
	uint32_t step = o->n / SAMPLES + 1, hits = 0, padded = 0;
	for (uint32_t i = 0; i < o->n && hits < HITS; i += step) {
		hits += block_pads(py, &cursor, i) != 0;
		if (o->n - i <= step)
			break;
	}
	if (hits < HITS)
		return NULL;
	for (uint32_t i = 0; i < o->n; i++) {
		uint32_t pads = block_pads(py, &cursor, i);
		if (!pads)
			continue;
		struct error *err =
			snapshot_object_place(py->snapshot, i + 1, object_block(o, i) + pads);
		if (err)
			return err;
		padded++;
	}
	log_info(py->ctx->log, "CPython: debug hooks, %u blocks begin with their marks", padded);
	return NULL;
}
