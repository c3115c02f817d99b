/* Aligned blocks of every kind; what alignment leaves over in front and behind is free. */
#include "oracle.h"

void *kept[64];

static noinline_ void fill(void)
{
	for (unsigned i = 0; i < 48; i++) {
		void *p = NULL;
		size_t align = (size_t)32 << i % 12, size = 8 + 37 * (size_t)i;
		if (i % 2)
			p = aligned_alloc(align, size);
		else if (posix_memalign(&p, align, size))
			abort();
		memset(p, 0, malloc_usable_size(p));
		kept[i] = p;
		if (i % 5 == 0) {
			oracle_head(p, i);
			kept[i] = NULL;
		} else {
			oracle_expect(p, 1);
		}
	}
	/* mmapped and aligned: its header says how far in it starts */
	void *p = aligned_alloc(1 << 16, 1 << 20);
	kept[48] = p;
	oracle_expect(p, 1);
	oracle_head(aligned_alloc(1 << 16, 1 << 20), 99);
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
