#include "runtime/native/locator.h"

#include "base/checked.h"
#include "base/huge.h"

#include <assert.h>

enum {
	PAGE_SHIFT_LEAST = 7,
	BLOCKS_PER_PAGE = 4,
	CELLS_LOG = 18, /* at most so many cells: 1 MiB */
	CELL_SHIFT_LEAST = 20,
};

void word_books_add(struct word_books *to, const struct word_books *from)
{
	to->scanned += from->scanned;
	for (unsigned i = 0; i < WORD_OUTCOMES; i++)
		to->outcome[i] += from->outcome[i];
}

static void locator_bounds(struct locator *l, const struct snapshot *s)
{
	uint64_t lo, hi;
	snapshot_bounds(s, &lo, &hi);
	if (s->free.n) {
		const struct free_row *first = &s->free.at[0], *last = &s->free.at[s->free.n - 1];
		if (lo == hi || first->address < lo)
			lo = first->address;
		if (last->address + last->size > hi)
			hi = last->address + last->size;
	}
	l->lo = align_down(lo, UINT64_C(1) << CELL_SHIFT_LEAST);
	l->span = hi - l->lo;
	unsigned bits = l->word_size == 4 ? 32 : 48;
	while (bits < 64 && hi > UINT64_C(1) << bits)
		bits++;
	l->mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* Cells that hold any byte of [start, start + size). */
static void locator_mark_cells(struct locator *l, uint64_t start, uint64_t size)
{
	if (!size)
		size = 1;
	uint64_t last = (start - l->lo + size - 1) >> l->cell_shift;
	for (uint64_t c = (start - l->lo) >> l->cell_shift; c <= last; c++) {
		if (!l->cell[c])
			l->cell[c] = (uint32_t)++l->cells;
	}
}

static void locator_fill(struct locator *l, uint64_t start, uint64_t size, uint32_t value)
{
	if (!size)
		size = 1;
	uint64_t at = align_down(start - l->lo, UINT64_C(1) << l->page_shift) + l->lo;
	uint64_t last = start + size - 1;
	for (;;) {
		uint32_t *e = (uint32_t *)locator_entry(l, at);
		if (!*e || *e == LOCATOR_FREE)
			*e = value;
		if (last - at < UINT64_C(1) << l->page_shift)
			break;
		at += UINT64_C(1) << l->page_shift;
	}
}

static void locator_note_high(struct locator *l, uint64_t start, uint64_t size)
{
	uint64_t end = start + size;
	if (start < UINT64_C(1) << 40) {
		uint64_t hi = l->low_lo + l->low_span;
		if (!l->low_span || start < l->low_lo)
			l->low_lo = start;
		if (end > hi)
			hi = end;
		l->low_span = hi - l->low_lo;
		if (end <= UINT64_C(1) << 40)
			return;
		start = UINT64_C(1) << 40;
	}
	for (uint64_t h = start >> 40; h <= (end - (end > start)) >> 40; h++) {
		uint32_t high = (uint32_t)h << 8;
		unsigned i = 0;
		while (i < l->nhigh && l->high[i] != high)
			i++;
		if (i < l->nhigh)
			continue;
		if (l->nhigh == LOCATOR_HIGH_MAX) {
			l->nhigh = LOCATOR_HIGH_MAX + 1;
			return;
		}
		l->high[l->nhigh++] = high;
	}
}

struct error *locator_init(struct locator *l, const struct snapshot *s, uint32_t word_size)
{
	*l = (struct locator){
		.snapshot = s,
		.address = s->object.block ? s->object.block : s->object.address,
		.start = s->object.address,
		.size = s->object.size,
		.n = s->object.n,
		.word_size = word_size,
	};
	locator_bounds(l, s);
	if (!l->span)
		return NULL;
	l->cell_shift = CELL_SHIFT_LEAST;
	while (l->span >> l->cell_shift >> CELLS_LOG)
		l->cell_shift++;
	l->cell = calloc((l->span >> l->cell_shift) + 1, sizeof(*l->cell));
	if (!l->cell)
		return &error_nomem;
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < l->n; i++) {
		locator_mark_cells(l, l->address[i], l->size[i]);
		bytes += l->size[i];
		if (l->nhigh <= LOCATOR_HIGH_MAX)
			locator_note_high(l, l->address[i], l->size[i]);
	}
	for (uint64_t i = 0; i < s->free.n; i++)
		locator_mark_cells(l, s->free.at[i].address, s->free.at[i].size);
	if (l->nhigh > LOCATOR_HIGH_MAX)
		l->nhigh = 0;

	/* Pages of about BLOCKS_PER_PAGE blocks; the address space of the tables stays bounded. */
	uint64_t average = l->n ? bytes / l->n + 1 : 4096;
	l->page_shift = PAGE_SHIFT_LEAST;
	while (l->page_shift < l->cell_shift &&
	       UINT64_C(1) << l->page_shift < average * BLOCKS_PER_PAGE)
		l->page_shift++;
	uint64_t most = (UINT64_C(64) << 20) + 4 * (uint64_t)l->n;
	while (l->page_shift < l->cell_shift && l->cells << (l->cell_shift - l->page_shift) > most)
		l->page_shift++;
	l->entries = l->cells << (l->cell_shift - l->page_shift);
	l->entry = huge_zalloc(l->entries, sizeof(*l->entry));
	if (!l->entry) {
		locator_deinit(l);
		return &error_nomem;
	}
	for (uint32_t i = 0; i < l->n; i++)
		locator_fill(l, l->address[i], l->size[i], i + 1);
	for (uint64_t i = 0; i < s->free.n; i++) {
		const struct free_row *f = &s->free.at[i];
		locator_fill(l, f->address, f->size, LOCATOR_FREE);
	}
	return NULL;
}

void locator_deinit(struct locator *l)
{
	free(l->cell);
	free(l->entry);
	l->cell = l->entry = NULL;
}

static uint32_t locator_free(const struct locator *l, uint64_t addr, bool tagged,
			     enum word_outcome *ret)
{
	*ret = !tagged && snapshot_free_find(l->snapshot, addr) ? WORD_FREE : WORD_NONE;
	return 0;
}

uint32_t locator_resolve(const struct locator *l, uint64_t word, uint32_t entry,
			 enum word_outcome *ret)
{
	*ret = WORD_NONE;
	if (entry == LOCATOR_NONE)
		return 0;
	uint64_t addr = word & l->mask;
	bool tagged = addr != word;
	if (entry == LOCATOR_FREE)
		return locator_free(l, addr, tagged, ret);
	uint32_t i = entry - 1;
	if (l->address[i] > addr)
		return locator_free(l, addr, tagged, ret);
	while (i + 1 < l->n && l->address[i + 1] <= addr)
		i++;
	uint64_t inside = addr - l->address[i];
	if (!inside || addr == l->start[i]) {
		*ret = tagged ? WORD_TAGGED : WORD_START;
		return i + 1;
	}
	if (inside >= l->size[i])
		return locator_free(l, addr, tagged, ret);
	if (tagged) {
		if (word >> 48 & 0xff)
			return 0;
		*ret = WORD_TAGGED;
		return i + 1;
	}
	/* Behind the start of the object, too, where that is not the block's. */
	if (addr - l->start[i] < inside)
		inside = addr - l->start[i];
	*ret = inside < l->word_size && inside % 4 ? WORD_TAGGED : WORD_INTERIOR;
	return i + 1;
}

uint32_t locator_resolve_odd(const struct locator *l, uint64_t word, uint32_t entry,
			     enum word_outcome *ret)
{
	enum word_outcome how = WORD_NONE;
	uint32_t id = 0;
	if (word == (word & l->mask) && entry != LOCATOR_FREE)
		id = locator_resolve(l, word, entry, &how);
	if (how != WORD_START && word < UINT64_C(1) << 40)
		id = 0;
	*ret = id ? WORD_MISALIGNED : WORD_NONE;
	return id;
}

uint32_t locator_find(const struct locator *l, uint64_t word, bool aligned, enum word_outcome *ret)
{
	*ret = WORD_NONE;
	if (!locator_in_range(l, word))
		return 0;
	const uint32_t *e = locator_entry(l, word);
	if (!e)
		return 0;
	return aligned ? locator_resolve(l, word, *e, ret) : locator_resolve_odd(l, word, *e, ret);
}
