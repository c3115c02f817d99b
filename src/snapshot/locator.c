/* locator: which block holds an address? See the picture in snapshot_impl.h. */
#include "snapshot/snapshot.h"
#include "snapshot/snapshot_impl.h"

#include "base/huge.h"

#include <assert.h>

enum {
	PAGE_SHIFT_LEAST = 7,
	PAGE_SHIFT_MOST = 30,
	BLOCKS_PER_PAGE = 4, /* at least, so that the pages take a byte a block */
};

/* A gap of this many bytes between two blocks starts a new range. */
#define RANGE_GAP (UINT64_C(1) << 20)

void snapshot_locator_deinit(struct snapshot *s)
{
	for (uint32_t i = 0; i < s->npage_range; i++)
		free(s->page_range[i].first);
	free(s->page_range);
	s->page_range = NULL;
	s->npage_range = 0;
}

struct error *snapshot_locator_init(struct snapshot *s)
{
	const struct object_table *o = &s->object;
	VEC(struct snapshot_page_range) range = {0};
	struct error *err = NULL;
	uint64_t covered = 0;
	for (uint32_t i = 0; i < o->n && !err; i++) {
		uint64_t end = object_block(o, i) + o->size[i];
		struct snapshot_page_range *last = range.n ? &range.at[range.n - 1] : NULL;
		if (last && object_block(o, i) - last->end < RANGE_GAP) {
			covered += end - last->end;
			last->end = end;
		} else {
			covered += end - object_block(o, i);
			err = vec_push(&range, ((struct snapshot_page_range){object_block(o, i),
									     end, NULL}));
		}
	}
	s->page_range = range.at;
	s->npage_range = (uint32_t)range.n;
	if (err)
		return err;
	s->page_shift = PAGE_SHIFT_LEAST;
	while (s->page_shift < PAGE_SHIFT_MOST &&
	       (covered >> s->page_shift) > (uint64_t)o->n / BLOCKS_PER_PAGE + 4096)
		s->page_shift++;
	uint32_t b = 0;
	for (uint32_t r = 0; r < s->npage_range; r++) {
		struct snapshot_page_range *p = &s->page_range[r];
		uint64_t pages = ((p->end - p->start) >> s->page_shift) + 1;
		p->first = huge_alloc(pages + 1, sizeof(*p->first));
		if (!p->first)
			return &error_nomem;
		for (uint64_t i = 0; i < pages; i++) {
			uint64_t start = p->start + (i << s->page_shift);
			while (b < o->n && object_block(o, b) < start)
				b++;
			p->first[i] = b;
		}
		while (b < o->n && object_block(o, b) < p->end)
			b++;
		p->first[pages] = b;
	}
	return NULL;
}

static const struct snapshot_page_range *locator_range(const struct snapshot *s, uint64_t addr)
{
	uint32_t lo = 0, hi = s->npage_range;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (s->page_range[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->npage_range || s->page_range[lo].start > addr)
		return NULL;
	return &s->page_range[lo];
}

uint32_t snapshot_object_find(const struct snapshot *s, uint64_t addr)
{
	const struct snapshot_page_range *r = locator_range(s, addr);
	if (!r)
		return 0;
	uint64_t page = (addr - r->start) >> s->page_shift;
	uint32_t lo = r->first[page], hi = r->first[page + 1];
	/* The last block at or before addr: in this page, or the one that runs into it. */
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (object_block(&s->object, mid) <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return 0;
	uint64_t inside = addr - object_block(&s->object, lo - 1);
	return inside < s->object.size[lo - 1] || !inside ? lo : 0;
}

void snapshot_bounds(const struct snapshot *s, uint64_t *lo, uint64_t *hi)
{
	*lo = *hi = 0;
	if (s->object.n) {
		*lo = object_block(&s->object, 0);
		*hi = object_block(&s->object, s->object.n - 1) + s->object.size[s->object.n - 1];
	}
}

const struct free_row *snapshot_free_find(const struct snapshot *s, uint64_t addr)
{
	uint64_t lo = 0, hi = s->free.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (s->free.at[mid].address <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	const struct free_row *f = &s->free.at[lo - 1];
	return addr - f->address < f->size ? f : NULL;
}

const struct extent_row *snapshot_extent_find(const struct snapshot *s, uint64_t addr)
{
	uint64_t lo = 0, hi = s->extent.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (s->extent.at[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->extent.n && s->extent.at[lo].start <= addr ? &s->extent.at[lo] : NULL;
}

bool snapshot_is_opaque(const struct snapshot *s, uint64_t addr, uint64_t *end)
{
	uint64_t lo = 0, hi = s->opaque.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (s->opaque.at[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == s->opaque.n) {
		*end = UINT64_MAX;
		return false;
	}
	if (s->opaque.at[lo].start > addr) {
		*end = s->opaque.at[lo].start;
		return false;
	}
	*end = s->opaque.at[lo].end;
	return true;
}
