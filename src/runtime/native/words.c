#include "runtime/native/words.h"

#include "base/checked.h"

/* Index of the first span that ends behind addr; nspan: none. */
static uint32_t words_span(const struct image *img, uint32_t hint, uint64_t addr)
{
	if (hint < img->nspan && img->span[hint].start <= addr) {
		if (addr < img->span[hint].end)
			return hint;
		if (hint + 1 == img->nspan || addr < img->span[hint + 1].end)
			return hint + 1;
	}
	return image_span_from(img, addr);
}

const struct image_span *words_span_at(const struct image *img, uint32_t *span, uint64_t addr)
{
	*span = words_span(img, *span, addr);
	const struct image_span *s = *span < img->nspan ? &img->span[*span] : NULL;
	return s && s->start <= addr ? s : NULL;
}

bool words_next_run(const struct image *img, uint32_t *span, uint64_t at, uint64_t end,
		    struct words_run *ret)
{
	uint32_t i = words_span(img, *span, at);
	for (; i < img->nspan && img->span[i].start < end; i++) {
		const struct image_span *s = &img->span[i];
		if (s->origin != SPAN_DUMP)
			continue;
		uint64_t start, stop = end < s->end ? end : s->end;
		if (!checked_align_up(at > s->start ? at : s->start, img->word_size, &start))
			break;
		if (start >= stop)
			continue;
		*span = i;
		*ret = (struct words_run){
			.data = s->data + (start - s->start),
			.addr = start,
			.len = stop - start,
			.avail = s->end - start,
		};
		return true;
	}
	*span = i;
	return false;
}
