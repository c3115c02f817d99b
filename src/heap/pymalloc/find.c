/* find: the arrays of arena_objects, from any word in a module's data that points into one. */
#include "heap/pymalloc/pymalloc_impl.h"

#include "base/cleanup.h"

enum {
	ELEMENTS_MOST = 1 << 24, /* 16 TiB of arenas */
	STATES_MOST = 4096,	 /* interpreters */
	BROKEN_MOST = 1024,	 /* records that are remembered */
};

struct element {
	uint64_t address, pool_address, nextarena;
	uint32_t nfreepools, ntotalpools;
};

static bool element_read(struct pymalloc *py, uint64_t at, struct element *ret)
{
	const struct pymalloc_layout *l = py->layout;
	uint8_t copy[64];
	const uint8_t *p = image_view_all(py->img, &py->array, at, l->arena.size);
	if (!p) {
		if (!image_try_read(py->img, at, copy, l->arena.size))
			return false;
		p = copy;
	}
	ret->address = image_word_at(py->img, p + l->arena.address);
	ret->pool_address = image_word_at(py->img, p + l->arena.pool_address);
	ret->nextarena = image_word_at(py->img, p + l->arena.nextarena);
	memcpy(&ret->nfreepools, p + l->arena.nfreepools, 4);
	memcpy(&ret->ntotalpools, p + l->arena.ntotalpools, 4);
	return true;
}

bool pymalloc_arena_object(struct pymalloc *py, const struct pymalloc_geometry *geo, uint64_t at,
			   struct pymalloc_arena *ret, bool *sure)
{
	struct element e;
	uint64_t first, end;
	uint32_t most = geo->arena_size / geo->pool_size;
	if (!element_read(py, at, &e) || !e.address || e.address % (2 * py->w) ||
	    !checked_align_up(e.address, geo->pool_size, &first) ||
	    !checked_add(e.address, geo->arena_size, &end) || end < first)
		return false;
	/* What does not begin at a multiple of the pool size has room for one pool less. */
	uint32_t fits = first == e.address ? most : most - 1;
	if (e.ntotalpools != fits || e.nfreepools > fits || e.pool_address < first ||
	    e.pool_address > first + (uint64_t)fits * geo->pool_size ||
	    e.pool_address % geo->pool_size)
		return false;
	uint64_t carved = (e.pool_address - first) / geo->pool_size;
	if (e.nfreepools < fits - carved)
		return false;
	*ret = (struct pymalloc_arena){
		.address = e.address,
		.end = end,
		.first = first,
		.carved = e.pool_address,
		.last = first + (uint64_t)fits * geo->pool_size,
		.index = UINT32_MAX,
		.pools = fits,
	};
	*sure = false;
	bool readable = false;
	for (uint64_t i = 0; i < carved; i++) {
		struct pymalloc_pool pool;
		switch (pymalloc_pool_read(py, geo, first + i * geo->pool_size, &pool)) {
		case HEADER_SOUND:
			ret->index = pool.arenaindex;
			*sure = true;
			return true;
		case HEADER_BROKEN:
			readable = true;
			break;
		case HEADER_MISSING:
			break;
		}
	}
	return !readable;
}

/* Not in use: on the list of such elements, which stays in the array. */
static bool element_unused(struct pymalloc *py, const struct pymalloc_state *s, uint64_t at,
			   bool *linked)
{
	struct element e;
	uint32_t size = py->layout->arena.size;
	if (!element_read(py, at, &e) || e.address)
		return false;
	*linked = e.nextarena;
	if (!e.nextarena)
		return true;
	uint64_t off = e.nextarena - s->array;
	return e.nextarena >= s->array && off % size == 0 && off / size < ELEMENTS_MOST;
}

/* Does the array go on to twice n elements? It grows by doubling, the new half linked up. */
static bool array_goes_on(struct pymalloc *py, const struct pymalloc_state *s, uint32_t n)
{
	uint32_t size = py->layout->arena.size, linked = 0;
	bool unused = true;
	for (uint32_t i = n; i < 2 * n; i++) {
		uint64_t at = s->array + (uint64_t)i * size;
		struct pymalloc_arena a;
		bool sure, link = false;
		if (pymalloc_arena_object(py, s->geo, at, &a, &sure) && sure && a.index == i)
			return true;
		unused = unused && element_unused(py, s, at, &link);
		linked += link;
	}
	return unused && linked + 1 >= n;
}

/* Its pools may be found without it. What a dump that was cut lacks is no damage to the heap. */
static struct error *broken_add(struct pymalloc *py, uint32_t state, uint32_t index, uint64_t at)
{
	struct element e;
	damage_add(py->ctx->damage, element_read(py, at, &e) ? DAMAGE_HEAP : DAMAGE_MISSING, at,
		   "pymalloc's record of its arena %u, at 0x%" PRIx64
		   ", makes no sense or is not in the dump: the arena is known by its pools, if "
		   "at all",
		   index, at);
	if (py->broken.n == BROKEN_MOST)
		return NULL;
	return vec_push(&py->broken, ((struct pymalloc_broken){state, index}));
}

struct error *pymalloc_add_state(struct pymalloc *py, uint64_t array,
				 const struct pymalloc_geometry *geo, uint32_t *ret)
{
	for (uint32_t i = 0; i < py->state.n; i++) {
		if (py->state.at[i].array == array) {
			*ret = i;
			return NULL;
		}
	}
	uint32_t id = (uint32_t)py->state.n, size = py->layout->arena.size;
	*ret = UINT32_MAX;
	if (id == STATES_MOST)
		return NULL;
	struct pymalloc_state s = {.array = array, .geo = geo};
	uint32_t n = PYMALLOC_ARENAS_FIRST;
	while (n < ELEMENTS_MOST && array_goes_on(py, &s, n))
		n *= 2;
	s.elements = n;
	*ret = id;
	struct error *err = vec_push(&py->state, s);
	for (uint32_t i = 0; i < n && !err; i++) {
		uint64_t at = array + (uint64_t)i * size;
		struct pymalloc_arena a;
		bool sure, linked;
		if (pymalloc_arena_object(py, geo, at, &a, &sure) && (!sure || a.index == i)) {
			a.index = i;
			a.state = id;
			err = vec_push(&py->arena, a);
		} else if (!element_unused(py, &s, at, &linked)) {
			err = broken_add(py, id, i, at);
		}
	}
	return err;
}

/* A word of a module's data. Almost none gets past the first test. */
static struct error *find_from_word(struct pymalloc *py, uint64_t word)
{
	struct element e;
	if (word % py->w || word < 4096 || !element_read(py, word, &e) || !e.address ||
	    e.address % (2 * py->w) || e.ntotalpools < 16 || e.nfreepools > e.ntotalpools)
		return NULL;
	for (unsigned i = 0; i < pymalloc_geometries; i++) {
		const struct pymalloc_geometry *geo = &pymalloc_geometry[i];
		struct pymalloc_arena a;
		bool sure;
		uint64_t before, array;
		uint32_t id;
		if (geo->word_size == py->w && pymalloc_arena_object(py, geo, word, &a, &sure) &&
		    sure && a.index < ELEMENTS_MOST &&
		    checked_mul(a.index, py->layout->arena.size, &before) &&
		    checked_sub(word, before, &array) && array)
			return pymalloc_add_state(py, array, geo, &id);
	}
	return NULL;
}

struct error *pymalloc_find_states(struct pymalloc *py)
{
	struct error *err = NULL;
	for (uint32_t id = 1; id <= py->img->nmodule && !err; id++) {
		const struct image_module *m = image_module_get(py->img, id);
		uint64_t len, start;
		const uint8_t *p;
		if (!checked_align_up(m->data_start, py->w, &start))
			continue;
		for (uint64_t at = start;
		     !err && (p = image_next_data(py->img, &at, m->data_end, &len)); at += len) {
			uint64_t before = 0;
			for (uint64_t k = (py->w - at % py->w) % py->w; k + py->w <= len && !err;
			     k += py->w) {
				uint64_t word = image_word_at(py->img, p + k);
				if (word && word != before)
					err = find_from_word(py, word);
				before = word;
			}
		}
	}
	return err;
}

/*
 * A pool that has both live and free blocks is in the ring of its size class, which goes through
 * usedpools[2 * szidx]: two words that stand for a pool's links, two words before which the "pool"
 * is said to be.
 */
uint64_t pymalloc_find_usedpools(struct pymalloc *py, const struct pymalloc_geometry *geo,
				 const struct pymalloc_pool *pool, uint64_t *steps)
{
	struct pymalloc_pool at = *pool;
	while (*steps) {
		--*steps;
		struct pymalloc_pool next;
		if (at.nextpool % geo->pool_size == 0 &&
		    pymalloc_pool_read(py, geo, at.nextpool, &next) == HEADER_SOUND) {
			if (next.szidx != pool->szidx || next.prevpool != at.address ||
			    next.address == pool->address)
				return 0;
			at = next;
			continue;
		}
		uint64_t slot, base, back, forth;
		if (!checked_add(at.nextpool, py->layout->pool.nextpool, &slot) ||
		    !checked_sub(slot, (uint64_t)pool->szidx * 2 * py->w, &base) ||
		    !image_try_word(py->img, slot, &forth) ||
		    !image_try_word(py->img, slot + py->w, &back) || back != at.address ||
		    pymalloc_pool_read(py, geo, forth, &next) != HEADER_SOUND ||
		    next.szidx != pool->szidx || next.prevpool != at.nextpool)
			return 0;
		return base;
	}
	return 0;
}

static int arena_compare(const void *a, const void *b)
{
	const struct pymalloc_arena *x = a, *y = b;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->state < y->state ? -1 : x->state > y->state;
}

void pymalloc_sort_arenas(struct pymalloc *py)
{
	struct pymalloc_arena *a = py->arena.at;
	uint64_t n = 0;
	if (py->arena.n)
		qsort(a, py->arena.n, sizeof(*a), arena_compare);
	for (uint64_t i = 0; i < py->arena.n; i++) {
		if (n && a[i].address < a[n - 1].end) {
			damage_add(py->ctx->damage, DAMAGE_HEAP, a[i].address,
				   "pymalloc's arenas at 0x%" PRIx64 " and 0x%" PRIx64
				   " overlap: the second one is left out",
				   a[n - 1].address, a[i].address);
			continue;
		}
		a[n++] = a[i];
	}
	py->arena.n = n;
}

const struct pymalloc_arena *pymalloc_arena_at(const struct pymalloc *py, uint64_t addr)
{
	uint64_t lo = 0, hi = py->arena.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (py->arena.at[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < py->arena.n && py->arena.at[lo].address <= addr ? &py->arena.at[lo] : NULL;
}
