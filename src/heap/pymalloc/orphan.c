/*
 * orphan: pools outside the arenas found so far.
 *
 * Since 3.12 each interpreter has a state of its own, inside it or in a block of its own, where no
 * module's data leads. A pool of it with room left is in a ring through that state's usedpools,
 * behind which the pointer to its array lies. What is still an orphan then is believed only where
 * an array has a broken record of its index, or where there is no array at all: memory that went
 * back to malloc keeps the headers of pools that once were.
 */
#include "heap/pymalloc/pymalloc_impl.h"

enum {
	ORPHANS_MOST = 1 << 24,
	RING_STEPS = 1 << 22, /* for all orphans together */
};

static struct error *orphan_probe(struct pymalloc *py, uint64_t at, uint32_t usable)
{
	for (unsigned i = 0; i < pymalloc_geometries; i++) {
		const struct pymalloc_geometry *geo = &pymalloc_geometry[i];
		struct pymalloc_pool pool;
		if (!(usable >> i & 1) || at % geo->pool_size ||
		    pymalloc_pool_read(py, geo, at, &pool) != HEADER_SOUND)
			continue;
		return vec_push(&py->orphan,
				((struct pymalloc_orphan){at, pool.arenaindex, (uint8_t)i}));
	}
	return NULL;
}

/* One look at each place where a pool may begin. */
static struct error *orphan_collect(struct pymalloc *py, uint32_t usable)
{
	const struct image *img = py->img;
	uint64_t step = PYMALLOC_POOL_MOST;
	struct error *err = NULL;
	for (unsigned i = 0; i < pymalloc_geometries; i++)
		if (usable >> i & 1 && pymalloc_geometry[i].pool_size < step)
			step = pymalloc_geometry[i].pool_size;
	for (uint32_t i = 0; i < img->nsegment && !err; i++) {
		const struct image_segment *s = &img->segment[i];
		uint64_t at = s->start, len;
		if ((s->kind != SEGMENT_ANON && s->kind != SEGMENT_HEAP) || !(s->perms & PERM_W))
			continue;
		for (; !err && image_next_data(img, &at, s->end, &len); at += len) {
			uint64_t from;
			if (!checked_align_up(at, step, &from))
				break;
			for (uint64_t k = from; k < at + len && !err; k += step) {
				const struct pymalloc_arena *a = pymalloc_arena_at(py, k);
				if (a)
					k = align_down(a->end - 1, step);
				else if (py->orphan.n < ORPHANS_MOST)
					err = orphan_probe(py, k, usable);
			}
		}
	}
	return err;
}

/* The state whose ring this pool is in, if its array confirms it. */
static struct error *orphan_state(struct pymalloc *py, const struct pymalloc_orphan *o,
				  uint64_t *steps)
{
	const struct pymalloc_geometry *geo = &pymalloc_geometry[o->geometry];
	const uint32_t words = 2 * ((pymalloc_classes(geo) + 7) / 8) * 8;
	struct pymalloc_pool pool;
	struct pymalloc_arena a;
	uint64_t used, at, array, before;
	uint32_t id;
	bool sure;
	if (pymalloc_pool_read(py, geo, o->address, &pool) != HEADER_SOUND || !pool.count ||
	    !(used = pymalloc_find_usedpools(py, geo, &pool, steps)) ||
	    !checked_add(used, (uint64_t)words * py->w, &at) ||
	    !image_try_word(py->img, at, &array) || !array)
		return NULL;
	/* Rows that cut pools alike differ in what an arena is. */
	for (unsigned i = 0; i < pymalloc_geometries; i++) {
		geo = &pymalloc_geometry[i];
		if (geo->word_size != py->w ||
		    !checked_mul(pool.arenaindex, py->layout->arena.size, &before) ||
		    !checked_add(array, before, &at) ||
		    !pymalloc_arena_object(py, geo, at, &a, &sure) || !sure ||
		    a.index != pool.arenaindex || o->address < a.first || o->address >= a.carved)
			continue;
		struct error *err = pymalloc_add_state(py, array, geo, &id);
		if (!err && id != UINT32_MAX)
			py->state.at[id].usedpools = used;
		return err;
	}
	return NULL;
}

static bool orphan_expected(const struct pymalloc *py, const struct pymalloc_orphan *o,
			    uint32_t *state)
{
	for (uint64_t i = 0; i < py->broken.n; i++) {
		*state = py->broken.at[i].state;
		if (py->broken.at[i].index == o->index &&
		    py->state.at[*state].geo->pool_size == pymalloc_geometry[o->geometry].pool_size)
			return true;
	}
	return false;
}

/* A run of orphans of one index, no longer than an arena, becomes one. */
static struct error *orphan_arena(struct pymalloc *py, uint64_t first, uint64_t end, uint32_t state)
{
	const struct pymalloc_orphan *o = py->orphan.at;
	const struct pymalloc_geometry *geo = &pymalloc_geometry[o[first].geometry];
	struct pymalloc_arena a = {
		.address = o[first].address,
		.first = o[first].address,
		.carved = o[end - 1].address + geo->pool_size,
		.index = o[first].index,
		.state = state,
	};
	a.end = a.last = a.carved;
	a.pools = (uint32_t)((a.carved - a.first) / geo->pool_size);
	damage_add(py->ctx->damage, py->img->truncated ? DAMAGE_MISSING : DAMAGE_HEAP, a.address,
		   "no record of pymalloc's leads to its arena %u at 0x%" PRIx64
		   ": %u pools of it are known by their headers alone",
		   a.index, a.address, (unsigned)(end - first));
	return vec_push(&py->arena, a);
}

static struct error *orphan_recover(struct pymalloc *py)
{
	const struct pymalloc_orphan *o = py->orphan.at;
	bool lost = !py->state.n;
	struct error *err = NULL;
	if (lost && py->orphan.n)
		err = vec_push(&py->state, ((struct pymalloc_state){
						   .geo = &pymalloc_geometry[o[0].geometry],
					   }));
	for (uint64_t i = 0, k; i < py->orphan.n && !err; i = k) {
		const struct pymalloc_geometry *geo = &pymalloc_geometry[o[i].geometry];
		uint32_t state = 0;
		for (k = i + 1; k < py->orphan.n && o[k].index == o[i].index &&
				o[k].geometry == o[i].geometry &&
				o[k].address - o[i].address < geo->arena_size;
		     k++)
			;
		if (!pymalloc_arena_at(py, o[i].address) &&
		    (lost ? geo == py->state.at[0].geo : orphan_expected(py, &o[i], &state)))
			err = orphan_arena(py, i, k, state);
	}
	return err;
}

struct error *pymalloc_find_orphans(struct pymalloc *py)
{
	uint32_t usable = 0;
	for (unsigned i = 0; i < pymalloc_geometries; i++) {
		const struct pymalloc_geometry *geo = &pymalloc_geometry[i];
		bool wanted = geo->word_size == py->w && !py->state.n;
		for (uint64_t k = 0; k < py->state.n; k++)
			wanted = wanted || py->state.at[k].geo == geo;
		usable |= (uint32_t)wanted << i;
	}
	struct error *err = orphan_collect(py, usable);
	uint64_t steps = RING_STEPS;
	for (uint64_t i = 0; i < py->orphan.n && !err && steps; i++) {
		uint64_t states = py->state.n;
		if (pymalloc_arena_at(py, py->orphan.at[i].address))
			continue;
		err = orphan_state(py, &py->orphan.at[i], &steps);
		if (py->state.n > states)
			pymalloc_sort_arenas(py);
	}
	if (!err)
		err = orphan_recover(py);
	if (!err)
		pymalloc_sort_arenas(py);
	return err;
}
