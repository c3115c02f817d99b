/* pools: one pool at a time. */
#include "heap/pymalloc/pymalloc_impl.h"

static uint32_t pool_u32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

enum pymalloc_header pymalloc_pool_read(struct pymalloc *py, const struct pymalloc_geometry *geo,
					uint64_t address, struct pymalloc_pool *ret)
{
	const struct pymalloc_layout *l = py->layout;
	uint8_t copy[64];
	const uint8_t *p = image_view_all(py->img, &py->pool, address, l->pool.size);
	if (!p) {
		if (!image_try_read(py->img, address, copy, l->pool.size))
			return HEADER_MISSING;
		p = copy;
	}
	struct pymalloc_pool r = {
		.address = address,
		.count = pool_u32(p + l->pool.count),
		.freeblock = image_word_at(py->img, p + l->pool.freeblock),
		.nextpool = image_word_at(py->img, p + l->pool.nextpool),
		.prevpool = image_word_at(py->img, p + l->pool.prevpool),
		.arenaindex = pool_u32(p + l->pool.arenaindex),
		.szidx = pool_u32(p + l->pool.szidx),
		.nextoffset = pool_u32(p + l->pool.nextoffset),
		.maxnextoffset = pool_u32(p + l->pool.maxnextoffset),
	};
	if (r.szidx >= pymalloc_classes(geo))
		return HEADER_BROKEN;
	uint32_t head = pymalloc_overhead(py, geo);
	r.size = (r.szidx + 1) * geo->alignment;
	r.blocks = (geo->pool_size - head) / r.size;
	/* init_pool: two blocks are carved at once. */
	if (r.maxnextoffset != geo->pool_size - r.size || r.nextoffset < head + 2 * r.size ||
	    r.nextoffset > head + r.blocks * r.size || (r.nextoffset - head) % r.size)
		return HEADER_BROKEN;
	r.carved = (r.nextoffset - head) / r.size;
	if (r.count > r.carved)
		return HEADER_BROKEN;
	*ret = r;
	return HEADER_SOUND;
}

void pymalloc_pool_free_map(struct pymalloc *py, const struct pymalloc_geometry *geo,
			    const struct pymalloc_pool *pool, struct pymalloc_free_map *ret)
{
	uint64_t start = pool->address + pymalloc_overhead(py, geo), link = pool->freeblock;
	memset(ret, 0, sizeof(*ret));
	while (link) {
		uint64_t off = link - start;
		if (link < start || off >= (uint64_t)pool->carved * pool->size ||
		    off % pool->size) {
			ret->bad = link;
			return;
		}
		uint64_t i = off / pool->size;
		/* A list that comes back to where it was. */
		if (ret->word[i / 64] >> (i % 64) & 1) {
			ret->bad = link;
			return;
		}
		ret->word[i / 64] |= UINT64_C(1) << (i % 64);
		ret->n++;
		const uint8_t *p = image_view_all(py->img, &py->pool, link, py->w);
		if (!p) {
			ret->bad = link;
			return;
		}
		link = image_word_at(py->img, p);
	}
}

bool pymalloc_block_padded(struct pymalloc *py, uint64_t block, uint32_t size)
{
	const uint8_t *p = size < pymalloc_pad(py->w)
				   ? NULL
				   : image_view_all(py->img, &py->pool, block, pymalloc_pad(py->w));
	return p && pymalloc_is_padded(p, py->w, size);
}
