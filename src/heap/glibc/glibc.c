/* The allocator's row: the steps in order. See glibc_impl.h. */
#include "heap/glibc/glibc_impl.h"

bool glibc_window_word_slow(const struct glibc *g, struct glibc_window *win, uint64_t addr,
			    uint64_t *ret)
{
	uint64_t avail = 0;
	const uint8_t *p = image_view(g->img, &win->cursor, addr, &avail);
	if (!p)
		return false;
	if (avail < g->w)
		return image_try_word(g->img, addr, ret);
	win->start = addr;
	win->end = addr + avail;
	win->data = p;
	*ret = image_word_at(g->img, p);
	return true;
}

static void glibc_deinit(struct glibc *g)
{
	vec_deinit(&g->arena);
	vec_deinit(&g->heap);
	vec_deinit(&g->region);
	vec_deinit(&g->mapped);
	vec_deinit(&g->piece);
	vec_deinit(&g->note);
	vec_deinit(&g->parked);
	vec_deinit(&g->candidate);
}

static struct error *glibc_run(struct glibc *g)
{
	struct error *err = glibc_find_arenas(g);
	if (err || !g->arena.n)
		return err;
	err = glibc_find_regions(g);
	if (!err)
		err = glibc_read_bins(g);
	if (!err)
		err = glibc_survey(g);
	if (!err)
		err = glibc_read_tcaches(g);
	if (!err)
		err = glibc_emit(g);
	return err;
}

static struct error *glibc_scan(struct heap_context *ctx, uint32_t *ret)
{
	struct glibc g = {
		.ctx = ctx,
		.img = ctx->image,
		.w = ctx->image->word_size,
		.header = 2 * ctx->image->word_size,
		.minsize = 4 * ctx->image->word_size,
		.arena = {.max = UINT16_MAX - 1},
		.region = {.max = UINT32_MAX - 1},
		.note = {.max = UINT64_MAX},
	};
	/* Twice what all of the dump's memory could hold of the smallest chunks. */
	for (uint32_t i = 0; i < g.img->nsegment; i++)
		g.steps += g.img->segment[i].present / GLIBC_ALIGNMENT;
	struct error *err = glibc_run(&g);
	*ret = (uint32_t)g.arena.n;
	glibc_deinit(&g);
	return err;
}

const struct allocator allocator_glibc = {.name = "glibc", .scan = glibc_scan};
