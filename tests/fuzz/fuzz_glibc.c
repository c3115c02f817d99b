/*
 * fuzz_glibc: a sound heap of some release, overwritten as the input says; found, walked, sealed
 *and proved.
 *
 *	byte 0	release and word size	bytes 1, 2	seed of the heap	byte 3	how much is
 *cut off then, 8 bytes each: place (area, 3 bytes of offset), operation, 3 bytes of operand
 */
#include "../unit/heapwriter.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct allocator allocator_glibc;

static uint32_t three(const uint8_t *p)
{
	return (uint32_t)(p[0] | p[1] << 8 | p[2] << 16);
}

static void overwrite(struct heapwriter *h, const uint8_t *op)
{
	const struct hw_area *a = &h->area[op[0] % 5];
	uint64_t at = a->start + three(op + 1) % a->len / h->w * h->w;
	uint64_t word = hw_get(h, at), x = three(op + 5);
	/* Half of the time at a header, a link, or in an arena: there it hurts. */
	if (op[0] & 0x80)
		at = h->truth[x % h->n].address + h->w * (op[0] >> 4 & 3) - 2 * h->w;
	else if (op[0] & 0x40)
		at = h->state[x & 1] + x / 2 % h->spec.state->size / h->w * h->w;
	switch (op[4] & 7) {
	case 0:
		word = x;
		break;
	case 1:
		word ^= UINT64_C(1) << (x & 63);
		break;
	case 2:
		word = h->truth[x % h->n].address;
		break;
	case 3:
		word = h->truth[x % h->n].address - 2 * h->w;
		break;
	case 4:
		word += x * 16;
		break;
	case 5:
		word -= x * 16;
		break;
	case 6:
		word = hw_link(h, at, h->truth[x % h->n].address);
		break;
	default:
		word = x << 40 | x;
		break;
	}
	hw_put(h, at, word);
}

static struct hw_spec spec_of(unsigned choice)
{
	struct hw_spec s = {.safe_linking = choice >> 1 & 1, .new_mmap = choice >> 2 & 1};
	s.state = &glibc_state_layout[choice / 8 % glibc_state_layouts];
	for (unsigned i = 0, n = choice & 1; i < glibc_tcache_layouts; i++)
		if (glibc_tcache_layout[i].word_size == s.state->word_size &&
		    (!s.tcache || n-- > 0))
			s.tcache = &glibc_tcache_layout[i];
	for (unsigned i = 0; i < glibc_heap_layouts; i++)
		if (glibc_heap_layout[i].word_size == s.state->word_size)
			s.heap_info = glibc_heap_layout[i].size;
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	struct hw_spec spec = spec_of(data[0]);
	struct heapwriter h;
	struct snapshot *s = NULL;
	uint32_t arenas;
	hw_make(&h, &spec, three(data + 1) & 0xffff);
	for (size_t i = 4; i + 8 <= size && i < 4 + 8 * 256; i += 8)
		overwrite(&h, data + i);
	struct error *err = hw_seal(&h, (uint64_t)data[3] * 1024);
	if (!err)
		err = snapshot_create(h.img, &h.damage, &s);
	if (!err) {
		struct heap_context ctx = {
			.image = h.img, .snapshot = s, .damage = &h.damage, .log = &h.log};
		err = allocator_glibc.scan(&ctx, &arenas);
		if (!err)
			err = snapshot_seal_blocks(s);
		if (!err)
			err = snapshot_check(s);
	}
	if (err && err->kind != ERROR_MEMORY) {
		fprintf(stderr, "%s\n", err->message);
		abort();
	}
	snapshot_destroy(s);
	hw_free(&h);
	return 0;
}
