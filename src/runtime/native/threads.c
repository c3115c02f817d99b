#include "runtime/native/threads.h"

#include "base/checked.h"

#include <stdlib.h>

enum {
	DESCRIPTOR_MOST = 4096, /* struct pthread is 1.1 (i386) to 2.4 KiB (x86-64, 2.36) */
	DESCRIPTOR_LEAST = 1024,
	DTV_MOST = 1 << 16,  /* modules with TLS */
	RING_MOST = 1 << 20, /* threads */
	HEADS_MOST = 8,
	HEAD_SEARCH = 4 << 20, /* bytes of a module's data looked through for ring heads */
	HEADER_WORDS = 24, /* before the links: struct pthread, void *__padding[24] (not x86-64) */
	/* sizeof(struct pthread), glibc 2.36; only for a process that never made a thread. */
	DESCRIPTOR_X86_64 = 2368,
	DESCRIPTOR_I386 = 1248,
};

#define STATIC_TLS_MOST (UINT64_C(256) << 20)
#define STATIC_TLS_NEAR (UINT64_C(64) << 10)
#define STACK_MOST (UINT64_C(1) << 40)

uint64_t native_red_zone(const struct image *img)
{
	/* x86-64 psABI 3.2.2. i386 has none; AAPCS64 has none on Linux. */
	return img->machine == MACHINE_X86_64 ? 128 : 0;
}

void native_threads_deinit(struct native_threads *t)
{
	vec_deinit(&t->thread);
}

/* Does the thread pointer sit on top of the descriptor (and of TLS), or below TLS? */
static bool tls_below_tp(const struct image *img)
{
	return img->machine != MACHINE_AARCH64;
}

/* The part of memory around tp that holds the descriptor, wherever its fields are. */
static void descriptor_window(const struct image *img, uint64_t tp, uint64_t *lo, uint64_t *hi)
{
	*lo = tls_below_tp(img) ? tp : tp < DESCRIPTOR_MOST ? 0 : tp - DESCRIPTOR_MOST;
	*hi = tls_below_tp(img) ? tp + DESCRIPTOR_MOST : tp;
}

static bool word_is(const struct image *img, uint64_t addr, uint64_t want)
{
	uint64_t v;
	return image_try_word(img, addr, &v) && v == want;
}

/* Is there a ring's link at `node`: are both neighbours linked back? */
static bool is_link(const struct image *img, uint64_t node, uint64_t *next)
{
	const uint32_t ws = img->word_size;
	uint64_t prev;
	return image_try_word(img, node, next) && image_try_word(img, node + ws, &prev) &&
	       *next != node && *next % ws == 0 && prev % ws == 0 &&
	       word_is(img, *next + ws, node) && word_is(img, prev, node);
}

/* glibc's x86 TCB begins with its own address, and has it again two words on (tcb, self). */
static bool is_tcb(const struct image *img, uint64_t tp)
{
	if (!tp || tp % img->word_size)
		return false;
	if (!tls_below_tp(img))
		return true;
	return word_is(img, tp, tp) && word_is(img, tp + 2 * (uint64_t)img->word_size, tp);
}

static bool list_offset_find(const struct image *img, int64_t *ret)
{
	uint64_t lo, hi, next;
	const struct image_thread *first = NULL;
	for (uint32_t i = 0; i < img->nthread && !first; i++)
		if (is_tcb(img, img->thread[i].tp))
			first = &img->thread[i];
	if (!first)
		return false;
	descriptor_window(img, first->tp, &lo, &hi);
	for (uint64_t at = lo; at < hi; at += img->word_size) {
		if (!is_link(img, at, &next))
			continue;
		int64_t off = (int64_t)(at - first->tp);
		bool all = true;
		for (uint32_t i = 0; i < img->nthread && all; i++)
			if (is_tcb(img, img->thread[i].tp))
				all = is_link(img, img->thread[i].tp + (uint64_t)off, &next);
		if (all) {
			*ret = off;
			return true;
		}
	}
	return false;
}

/* Is all of [lo, hi) memory that a stack can be in? */
static bool is_stack_memory(const struct image *img, uint64_t lo, uint64_t hi)
{
	for (uint64_t at = lo; at < hi;) {
		const struct image_segment *seg = image_segment_find(img, at);
		if (!seg || !(seg->perms & PERM_W) || seg->module_id)
			return false;
		at = seg->end;
	}
	return true;
}

/* stackblock, stackblock_size, guardsize: three words that describe memory around the descriptor.
 */
static bool stackblock_find(const struct image *img, struct native_thread *t)
{
	const uint32_t ws = img->word_size;
	/* On x86 the descriptor is the last thing in the block; on aarch64 TLS comes behind it. */
	const uint64_t above = tls_below_tp(img) ? DESCRIPTOR_MOST : STATIC_TLS_MOST;
	uint64_t lo, hi;
	descriptor_window(img, t->tp, &lo, &hi);
	for (uint64_t at = lo; at < hi; at += ws) {
		uint64_t block, size, guard;
		if (!image_try_word(img, at, &block) || !block || block > at)
			continue;
		if (!image_try_word(img, at + ws, &size) ||
		    !image_try_word(img, at + 2 * (uint64_t)ws, &guard))
			break;
		if (size < img->page_size || size > STACK_MOST || guard >= size ||
		    guard % img->page_size || at - block >= size || t->tp - block >= size ||
		    block + size - t->tp > above || !is_stack_memory(img, block + guard, t->tp))
			continue;
		t->block = block;
		t->block_slot = at;
		t->block_end = block + size;
		t->guard = guard;
		return true;
	}
	return false;
}

uint64_t native_dtv_slot(const struct image *img, uint64_t tp)
{
	/* x86 tcbhead_t: tcb, dtv. aarch64 tcbhead_t: dtv. (sysdeps/<arch>/nptl/tls.h) */
	return tls_below_tp(img) ? tp + img->word_size : tp;
}

bool native_arg_slot(const struct image *img, const struct native_thread *t, uint64_t *ret)
{
	/* glibc 2.26 to 2.42, nptl/descr.h: 5 to 14 words lie between start_routine and stackblock.
	 */
	const uint32_t ws = img->word_size;
	if (t->block_slot < 24 * (uint64_t)ws)
		return false;
	for (unsigned back = 24; back > 5; back--) {
		uint64_t at = t->block_slot - back * (uint64_t)ws, code;
		if (!image_try_word(img, at, &code) || !code)
			continue;
		const struct image_segment *seg = image_segment_find(img, code);
		if (seg && seg->perms & PERM_X) {
			*ret = at + ws;
			return true;
		}
	}
	return false;
}

static uint64_t dtv_find(const struct image *img, uint64_t tp)
{
	uint64_t at = native_dtv_slot(img, tp);
	uint64_t dtv, length;
	const uint64_t entry = 2 * (uint64_t)img->word_size;
	if (!image_try_word(img, at, &dtv) || dtv < entry || dtv % img->word_size)
		return 0;
	/* dtv[-1].counter: how many entries there are */
	if (!image_try_word(img, dtv - entry, &length) || !length || length > DTV_MOST)
		return 0;
	return dtv;
}

/* Entry i of the DTV: struct { void *val; void *to_free; } since 2.25. val -1: not yet allocated.
 */
static bool dtv_entry(const struct image *img, uint64_t dtv, uint64_t i, uint64_t *val,
		      uint64_t *to_free)
{
	const uint64_t ws = img->word_size, at = dtv + i * 2 * ws;
	uint64_t none = ws == 8 ? UINT64_MAX : UINT32_MAX;
	return image_try_word(img, at, val) && image_try_word(img, at + ws, to_free) && *val &&
	       *val != none;
}

static uint64_t dtv_length(const struct image *img, uint64_t dtv)
{
	uint64_t n;
	return dtv && image_try_word(img, dtv - 2 * (uint64_t)img->word_size, &n) && n <= DTV_MOST
		       ? n
		       : 0;
}

struct error *native_dtv_walk(const struct runtime_context *ctx, const struct native_thread *t,
			      struct error *(*each)(void *arg, uint64_t block), void *arg)
{
	uint64_t n = dtv_length(ctx->image, t->dtv), val, to_free;
	struct error *err = NULL;
	for (uint64_t i = 1; i <= n && !err; i++)
		if (dtv_entry(ctx->image, t->dtv, i, &val, &to_free) && to_free)
			err = each(arg, to_free);
	return err;
}

/* How many bytes of TLS a module has at most, where the loader's numbers are not known. */
static uint64_t tls_size_of(const struct image *img, uint64_t modid)
{
	uint64_t most = 0;
	for (uint32_t i = 0; i < img->nmodule; i++) {
		if (img->module[i].tls_modid == modid)
			return img->module[i].tls_size;
		if (!img->module[i].tls_modid && img->module[i].tls_size > most)
			most = img->module[i].tls_size;
	}
	return most < STATIC_TLS_MOST ? most : 0;
}

/*
 * Where descriptor and static TLS begin and end. Static TLS of each module: from the DTV, where the
 * loader enters it when the thread is made. Its order in memory is nobody's promise: the extremes.
 */
static void tls_find(const struct image *img, const struct native_threads *all,
		     struct native_thread *t, uint64_t descriptor_size)
{
	const struct image_segment *seg = image_segment_find(img, t->tp);
	if (!seg)
		return;
	uint64_t lo = t->block < t->block_end ? t->block + t->guard : seg->start;
	uint64_t hi = t->block < t->block_end ? t->block_end : seg->end;
	if (tls_below_tp(img)) {
		t->descriptor = t->tp;
		t->descriptor_end = hi - t->tp > descriptor_size ? t->tp + descriptor_size : hi;
	} else {
		/* The header's padding comes before the links. */
		uint64_t header = (uint64_t)HEADER_WORDS * img->word_size;
		uint64_t back =
			all->list_offset ? (uint64_t)-all->list_offset + header : descriptor_size;
		t->descriptor = t->tp - lo > back ? t->tp - back : lo;
		t->descriptor_end = t->tp;
	}
	t->tls_start = t->descriptor;
	t->tls_end = tls_below_tp(img) ? t->descriptor_end : t->tp + 2 * (uint64_t)img->word_size;
	uint64_t n = dtv_length(img, t->dtv), val, to_free;
	for (uint64_t i = 1; i <= n; i++) {
		if (!dtv_entry(img, t->dtv, i, &val, &to_free) || to_free || val < lo || val >= hi)
			continue;
		if (tls_below_tp(img) && val < t->tls_start && t->tp - val < STATIC_TLS_MOST)
			t->tls_start = val;
		uint64_t end = val + tls_size_of(img, i);
		if (!tls_below_tp(img) && val >= t->tp && end > t->tls_end)
			t->tls_end = end < hi ? end : hi;
	}
	/* What is left of the block above the stack is room for more static TLS. */
	if (t->block < t->block_end)
		t->tls_end = t->block_end;
	t->stack_top = t->tls_start;
}

/* ---- rings ---- */

struct ring {
	uint64_t head;	      /* 0: none seen */
	bool live;	      /* a thread made by pthread_create is in it */
	bool first;	      /* the process's first thread is in it */
	bool joined;	      /* a joined one is in it */
	uint64_t dead, ndead; /* range of ring_walk.dead */
};

struct ring_walk {
	const struct image *img;
	struct native_threads *all;
	int64_t offset;			/* of the links from tp */
	VEC(struct native_thread) dead; /* without state: that depends on the ring */
	VEC(uint64_t) node;		/* buffer for one ring */
	struct live_tp *live;		/* sorted by tp */
	uint64_t nlive;
	struct ring ring[HEADS_MOST];
	unsigned rings;
};

struct live_tp {
	uint64_t tp;
	uint64_t index; /* in native_threads */
	bool seen;	/* in a ring that was read */
};

static int live_compare(const void *a, const void *b)
{
	const struct live_tp *x = a, *y = b;
	return x->tp < y->tp ? -1 : x->tp > y->tp;
}

static struct live_tp *live_find(struct ring_walk *w, uint64_t tp)
{
	const struct live_tp key = {.tp = tp};
	return w->nlive ? bsearch(&key, w->live, w->nlive, sizeof(key), live_compare) : NULL;
}

/* The heads of the rings lie in a module's data, the links of threads elsewhere. */
static const struct image_module *module_of_data(const struct image *img, uint64_t addr)
{
	for (uint32_t i = 0; i < img->nmodule; i++)
		if (addr >= img->module[i].data_start && addr < img->module[i].data_end)
			return &img->module[i];
	return NULL;
}

/* A descriptor that is in no ring with a head is none of ours: is this one sound? */
static bool dead_thread(struct ring_walk *w, uint64_t tp, struct native_thread *ret, int32_t *tid)
{
	*ret = (struct native_thread){.state = THREAD_EXITED, .tp = tp};
	uint32_t id;
	if (!is_tcb(w->img, tp) || !stackblock_find(w->img, ret) ||
	    !image_try_u32(w->img, tp + (uint64_t)w->all->tid_offset, &id))
		return false;
	*tid = (int32_t)id;
	ret->dtv = dtv_find(w->img, tp);
	return true;
}

/* Reads the ring that `start` is in. Not one of threads: nothing happens. */
static struct error *ring_read(struct ring_walk *w, uint64_t start)
{
	const uint32_t ws = w->img->word_size;
	struct ring ring = {.dead = w->dead.n};
	uint64_t at = start, next;
	bool sound = w->rings < HEADS_MOST;
	w->node.n = 0;
	do {
		if (!sound || w->node.n == RING_MOST || !image_try_word(w->img, at, &next) ||
		    !word_is(w->img, next + ws, at)) {
			w->dead.n = ring.dead;
			return NULL;
		}
		struct error *err = vec_push(&w->node, at);
		if (err)
			return err;
		uint64_t tp = at - (uint64_t)w->offset;
		struct live_tp *live = live_find(w, tp);
		struct native_thread t;
		int32_t tid;
		if (live) {
			live->seen = true;
			const struct native_thread *known = &w->all->thread.at[live->index];
			if (known->block < known->block_end)
				ring.live = true;
			else
				ring.first = true;
		} else if (dead_thread(w, tp, &t, &tid)) {
			/* A thread that runs but is not in the dump's list: leave it alone. */
			if (tid <= 0)
				err = vec_push(&w->dead, t);
			ring.live |= tid > 0;
			ring.joined |= tid < 0;
		} else if (!ring.head && module_of_data(w->img, at)) {
			ring.head = at;
		} else {
			sound = false;
		}
		if (err)
			return err;
		at = next;
	} while (at != start);
	ring.ndead = w->dead.n - ring.dead;
	w->ring[w->rings++] = ring;
	return NULL;
}

/* Heads of other rings (the cached stacks') lie in the same module's data as the heads known. */
static struct error *ring_search(struct ring_walk *w)
{
	const uint32_t ws = w->img->word_size;
	const struct image_module *m = NULL;
	for (unsigned i = 0; i < w->rings && !m; i++)
		if (w->ring[i].head)
			m = module_of_data(w->img, w->ring[i].head);
	if (!m)
		return NULL;
	uint64_t lo = m->data_start, hi = m->data_end, known = w->ring[0].head;
	if (hi - lo > HEAD_SEARCH) {
		lo = known - lo > HEAD_SEARCH / 2 ? known - HEAD_SEARCH / 2 : lo;
		hi = hi - known > HEAD_SEARCH / 2 ? known + HEAD_SEARCH / 2 : hi;
	}
	for (uint64_t at = align_down(lo + ws - 1, ws); at < hi; at += ws) {
		uint64_t next;
		bool old = false;
		for (unsigned i = 0; i < w->rings; i++)
			old |= w->ring[i].head == at;
		/* Full, and its first member is a descriptor. */
		struct native_thread t;
		int32_t tid;
		if (old || !is_link(w->img, at, &next) || module_of_data(w->img, next) ||
		    !dead_thread(w, next - (uint64_t)w->offset, &t, &tid))
			continue;
		struct error *err = ring_read(w, at);
		if (err)
			return err;
	}
	return NULL;
}

/* joinid of a detached thread is the thread itself; on x86 the TCB says so twice already. */
static bool is_detached(const struct image *img, const struct native_threads *all,
			const struct native_thread *t)
{
	uint64_t lo, hi, v;
	descriptor_window(img, t->tp, &lo, &hi);
	uint64_t descriptor = tls_below_tp(img) ? t->tp
						: t->tp + (uint64_t)all->list_offset -
							  (uint64_t)HEADER_WORDS * img->word_size;
	if (hi > t->block_end)
		hi = t->block_end;
	for (uint64_t at = t->tp + (uint64_t)all->tid_offset; at < hi; at += img->word_size)
		if (at % img->word_size == 0 && image_try_word(img, at, &v) && v == descriptor)
			return true;
	return false;
}

/*
 * Which ring holds the cached stacks? The one with a joined thread (tid -1), else not the one with
 * living threads. Left is a process all of whose threads have exited, none of them joined: glibc
 * 2.34 and later has the heads in a row in ld.so (_rtld_global: _dl_stack_used, _dl_stack_user,
 * _dl_stack_cache), the first thread being in the middle one; before that, and in a static program,
 * detached threads (joinid is the thread itself) go to the cache by themselves, others wait to be
 * joined.
 */
static enum thread_state dead_state(struct ring_walk *w, const struct ring *r,
				    const struct native_thread *t)
{
	const uint64_t list = 2 * (uint64_t)w->img->word_size;
	if (r->joined)
		return THREAD_CACHED;
	if (r->live || r->first)
		return THREAD_EXITED;
	for (unsigned i = 0; i < w->rings; i++)
		if (&w->ring[i] != r && w->ring[i].live)
			return THREAD_CACHED;
	const struct image_module *m = module_of_data(w->img, r->head);
	for (unsigned i = 0; m && !m->is_exe && i < w->rings; i++) {
		if (!w->ring[i].first || !w->ring[i].head)
			continue;
		if (r->head == w->ring[i].head + list)
			return THREAD_CACHED;
		if (r->head == w->ring[i].head - list)
			return THREAD_EXITED;
	}
	return is_detached(w->img, w->all, t) ? THREAD_CACHED : THREAD_EXITED;
}

static struct error *rings_read(struct ring_walk *w)
{
	struct native_threads *all = w->all;
	w->live = calloc(all->thread.n, sizeof(*w->live));
	if (!w->live)
		return &error_nomem;
	for (uint64_t i = 0; i < all->thread.n; i++)
		w->live[w->nlive++] = (struct live_tp){.tp = all->thread.at[i].tp, .index = i};
	qsort(w->live, w->nlive, sizeof(*w->live), live_compare);
	struct error *err = NULL;
	for (uint64_t i = 0; i < w->nlive && !err; i++)
		if (!w->live[i].seen && is_tcb(w->img, w->live[i].tp))
			err = ring_read(w, w->live[i].tp + (uint64_t)w->offset);
	if (!err)
		err = ring_search(w);
	for (unsigned i = 0; i < w->rings; i++) {
		const struct ring *r = &w->ring[i];
		for (uint64_t k = 0; k < r->ndead && !err; k++) {
			struct native_thread t = w->dead.at[r->dead + k];
			t.state = dead_state(w, r, &t);
			err = vec_push(&all->thread, t);
		}
	}
	return err;
}

/* ---- aarch64 without a thread pointer ---- */

/*
 * Some dumps have no NT_ARM_TLS (qemu's user mode emulation writes none). The rings are still
 * there: a head in a module's data, a link whose word behind is the number of a thread of the dump.
 * The thread pointer is then the first place behind the descriptor that has a DTV, one of whose
 * entries lies just above the place itself: static TLS.
 */
static uint64_t tp_behind(const struct image *img, uint64_t node)
{
	uint64_t descriptor = node - (uint64_t)HEADER_WORDS * img->word_size;
	for (uint64_t tp = align_down(descriptor, 16) + DESCRIPTOR_LEAST;
	     tp < descriptor + DESCRIPTOR_MOST; tp += 16) {
		uint64_t dtv = dtv_find(img, tp), n = dtv_length(img, dtv), val, to_free;
		/* A list head in the descriptor, which leads into the descriptor. */
		if (dtv >= descriptor && dtv < tp)
			continue;
		for (uint64_t i = 1; i <= n; i++)
			if (dtv_entry(img, dtv, i, &val, &to_free) && !to_free && val > tp &&
			    val - tp < STATIC_TLS_NEAR)
				return tp;
	}
	return 0;
}

/* Threads of the dump by number: there may be as many as a ring has links. */
struct tid_index {
	const struct image *img;
	struct native_threads *all;
	struct tid_entry {
		int32_t tid;
		uint32_t index; /* in native_threads */
	} * at;
};

static int tid_compare(const void *a, const void *b)
{
	const struct tid_entry *x = a, *y = b;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static struct native_thread *thread_by_tid(const struct tid_index *x, uint64_t node)
{
	uint32_t tid, lo = 0, hi = x->img->nthread;
	if (!image_try_u32(x->img, node + 2 * (uint64_t)x->img->word_size, &tid) || !tid)
		return NULL;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (x->at[mid].tid < (int32_t)tid)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == x->img->nthread || x->at[lo].tid != (int32_t)tid)
		return NULL;
	return &x->all->thread.at[x->at[lo].index];
}

/* All threads of the ring that has its head here. */
static void tp_ring(const struct tid_index *x, uint64_t head)
{
	const struct image *img = x->img;
	struct native_threads *all = x->all;
	uint64_t node;
	if (!is_link(img, head, &node))
		return;
	for (unsigned i = 0; i < RING_MOST && node != head; i++) {
		struct native_thread *t = thread_by_tid(x, node);
		uint64_t tp;
		if (t && !all->list_offset && (tp = tp_behind(img, node)))
			all->list_offset = (int64_t)(node - tp);
		if (t && all->list_offset && !t->tp)
			t->tp = node - (uint64_t)all->list_offset;
		if (!is_link(img, node, &node))
			return;
	}
}

static struct error *tp_find(const struct image *img, struct native_threads *all)
{
	if (!img->nthread)
		return NULL;
	struct tid_index x = {img, all, calloc(img->nthread, sizeof(*x.at))};
	if (!x.at)
		return &error_nomem;
	for (uint32_t i = 0; i < img->nthread; i++)
		x.at[i] = (struct tid_entry){img->thread[i].tid, i};
	qsort(x.at, img->nthread, sizeof(*x.at), tid_compare);
	for (uint32_t m = 0; m < img->nmodule; m++) {
		uint64_t lo = align_down(img->module[m].data_start, img->word_size);
		uint64_t hi = img->module[m].data_end;
		if (hi > lo && hi - lo > HEAD_SEARCH)
			hi = lo + HEAD_SEARCH;
		for (uint64_t at = lo, next; at < hi; at += img->word_size)
			if (is_link(img, at, &next) && !module_of_data(img, next) &&
			    thread_by_tid(&x, next))
				tp_ring(&x, at);
	}
	free(x.at);
	return NULL;
}

struct error *native_threads_find(struct runtime_context *ctx, struct native_threads *ret)
{
	const struct image *img = ctx->image;
	*ret = (struct native_threads){.list_offset = 0};
	struct error *err = NULL;
	bool any_tp = false;
	for (uint32_t i = 0; i < img->nthread && !err; i++) {
		err = vec_push(&ret->thread, ((struct native_thread){
						     .state = THREAD_LIVE,
						     .thread_id = i + 1,
						     .tp = img->thread[i].tp,
					     }));
		any_tp |= img->thread[i].tp != 0;
	}
	if (!err && !list_offset_find(img, &ret->list_offset) && !any_tp && !tls_below_tp(img))
		err = tp_find(img, ret);
	for (uint64_t i = 0; i < ret->thread.n && !err; i++) {
		struct native_thread *t = &ret->thread.at[i];
		if (!is_tcb(img, t->tp))
			continue;
		stackblock_find(img, t);
		t->dtv = dtv_find(img, t->tp);
	}
	if (!err && ret->thread.n && ret->list_offset) {
		struct ring_walk w = {.img = img, .all = ret, .offset = ret->list_offset};
		ret->tid_offset = ret->list_offset + 2 * (int64_t)img->word_size;
		w.node.max = RING_MOST;
		err = rings_read(&w);
		free(w.live);
		vec_deinit(&w.dead);
		vec_deinit(&w.node);
	}
	/* On x86 the descriptor ends the block: its size is what a made thread has from tp on. */
	uint64_t size = img->word_size == 8 ? DESCRIPTOR_X86_64 : DESCRIPTOR_I386;
	for (uint64_t i = 0; i < ret->thread.n; i++) {
		const struct native_thread *t = &ret->thread.at[i];
		if (tls_below_tp(img) && t->block < t->block_end &&
		    t->block_end - t->tp <= DESCRIPTOR_MOST)
			size = t->block_end - t->tp;
	}
	for (uint64_t i = 0; i < ret->thread.n && !err; i++)
		if (is_tcb(img, ret->thread.at[i].tp))
			tls_find(img, ret, &ret->thread.at[i], size);
	return err;
}
