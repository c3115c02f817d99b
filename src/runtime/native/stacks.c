/*
 * stacks: extents for what threads.c found, and the frames of every thread.
 *
 * A stack whose bounds are known (its thread's descriptor tells them, or it is the kernel's
 * [stack]) is divided into what is in use, from the red zone below sp up, and what is not. Of a
 * stack whose bounds are not known (another C library's thread, a signal stack, a coroutine in
 * mapped memory), only the part above sp is claimed; what lies below it in the same mapping may be
 * anything, and is read as a weak root. A stack inside a heap block stays the allocator's: the
 * block is an object, and its dead part is opaque.
 *
 * A thread whose sp is not in its own stack (a signal handler on its own stack, a coroutine) left
 * that stack somewhere: at the lowest frame that the unwinder finds in it, else all of it counts.
 */
#include "runtime/native/native.h"

#include "base/checked.h"
#include "base/cleanup.h"
#include "runtime/native/threads.h"

#include <inttypes.h>

enum {
	FRAMES_MAX = 256,
	LINK_MAPS_MOST = 1 << 12,
	LOADER_MOST = 256 << 10, /* a mapping of at most so many bytes is the loader's as a whole */
};

struct stacks {
	struct runtime_context *ctx;
	struct native_threads threads;
	VEC(uint64_t) sp;	       /* of all threads, ascending */
	VEC(uint64_t) bound;	       /* where known stacks and TLS begin, ascending */
	struct debuginfo_frame *frame; /* FRAMES_MAX, of the thread at hand */
	unsigned frames;
};

static struct error *claim(struct stacks *st, uint64_t start, uint64_t end, enum extent_kind kind,
			   uint32_t thread_id)
{
	/* Not all of it need be mapped: stacks of glibc begin with their guard, which a dump may leave out. */
	return snapshot_add_extent(st->ctx->snapshot, &(struct extent_row){
							      .start = start,
							      .end = end,
							      .kind = (uint8_t)kind,
							      .thread_id = thread_id,
						      });
}

/* ---- frames ---- */

static struct error *frames_read(struct stacks *st, uint32_t thread_id)
{
	struct runtime_context *ctx = st->ctx;
	struct snapshot *s = ctx->snapshot;
	st->frames = 0;
	if (!ctx->debuginfo)
		return NULL;
	struct error *err = debuginfo_unwind(ctx->debuginfo, &ctx->image->thread[thread_id - 1],
					     st->frame, FRAMES_MAX, &st->frames);
	for (unsigned i = 0; i < st->frames && !err; i++) {
		const struct debuginfo_frame *f = &st->frame[i];
		struct frame_row row = {
			.thread_id = thread_id,
			.depth = i,
			.module_id = image_module_find(ctx->image, f->pc),
			.pc = f->pc,
			.sp = f->sp,
			.cfa = f->cfa,
		};
		struct debuginfo_symbol sym;
		const char *file;
		err = intern_str(&s->strings, "native", &row.language);
		if (!err && debuginfo_symbol_at(ctx->debuginfo, f->pc, &sym))
			err = intern_str(&s->strings, sym.name, &row.function);
		if (!err && debuginfo_line_at(ctx->debuginfo, f->pc, &file, &row.line))
			err = intern_str(&s->strings, file, &row.file);
		if (!err)
			err = vec_push(&s->frame, row);
	}
	return err;
}

/* ---- one thread's stack ---- */

static uint64_t below(uint64_t sp, uint64_t zone, uint64_t floor)
{
	return sp - floor > zone ? sp - zone : floor;
}

/* [lo, hi) is a stack. Where does its live part begin? */
static uint64_t live_from(const struct stacks *st, const struct image_thread *th, uint64_t lo,
			  uint64_t hi)
{
	uint64_t zone = native_red_zone(st->ctx->image);
	if (th->sp >= lo && th->sp < hi)
		return below(th->sp, zone, lo);
	uint64_t from = UINT64_MAX;
	for (unsigned i = 0; i < st->frames; i++)
		if (st->frame[i].sp >= lo && st->frame[i].sp < hi && st->frame[i].sp < from)
			from = st->frame[i].sp;
	return from == UINT64_MAX ? lo : below(from, zone, lo);
}

static struct error *known_stack(struct stacks *st, const struct native_thread *t, uint64_t lo,
				 uint64_t hi)
{
	const struct image_thread *th = &st->ctx->image->thread[t->thread_id - 1];
	uint64_t live = live_from(st, th, lo, hi);
	struct error *err = claim(st, lo, live, EXTENT_STACK_UNUSED, t->thread_id);
	if (!err)
		err = claim(st, live, hi, EXTENT_STACK_USED, t->thread_id);
	/* A stack that the program brought may be a heap block: the extents yield, this does not.
	 */
	if (!err && t->block < t->block_end && !t->guard && lo < live)
		err = snapshot_add_opaque(st->ctx->snapshot, lo, live, "unused part of a stack");
	return err;
}

static int address_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Threads may be many: what lies next above an address is looked up, not searched. */
static struct error *bounds_find(struct stacks *st)
{
	const struct image *img = st->ctx->image;
	struct error *err = NULL;
	for (uint32_t i = 0; i < img->nthread && !err; i++)
		err = vec_push(&st->sp, img->thread[i].sp);
	for (uint64_t i = 0; i < st->threads.thread.n && !err; i++) {
		const struct native_thread *t = &st->threads.thread.at[i];
		if (t->block < t->block_end)
			err = vec_push(&st->bound, t->block);
		if (!err && t->tls_start < t->tls_end)
			err = vec_push(&st->bound, t->tls_start);
	}
	if (st->sp.n)
		qsort(st->sp.at, st->sp.n, sizeof(*st->sp.at), address_compare);
	if (st->bound.n)
		qsort(st->bound.at, st->bound.n, sizeof(*st->bound.at), address_compare);
	return err;
}

/* UINT64_MAX: none is. */
static uint64_t first_above(const uint64_t *at, uint64_t n, uint64_t addr)
{
	uint64_t lo = 0, hi = n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (at[mid] <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n ? at[lo] : UINT64_MAX;
}

/* sp is in a mapping of which nothing else is known. */
static struct error *unknown_stack(struct stacks *st, const struct native_thread *t)
{
	const struct image *img = st->ctx->image;
	const struct image_thread *th = &img->thread[t->thread_id - 1];
	const struct image_segment *seg = image_segment_find(img, th->sp);
	if (!seg || seg->kind == SEGMENT_MODULE || seg->kind == SEGMENT_HEAP)
		return NULL;
	uint64_t end = seg->end;
	/* The next thread's stack in the same mapping begins at its own sp or before. */
	uint64_t next = first_above(st->sp.at, st->sp.n, th->sp);
	if (next < end)
		end = below(next, native_red_zone(img), th->sp);
	/* So does a stack whose bounds are known. */
	next = first_above(st->bound.at, st->bound.n, th->sp);
	if (next < end)
		end = next;
	return claim(st, below(th->sp, native_red_zone(img), seg->start), end, EXTENT_STACK_USED,
		     t->thread_id);
}

/* The kernel's own stack for the process: NULL when it cannot be told. */
static const struct image_segment *first_stack(const struct image *img)
{
	if (img->process.at_execfn) {
		const struct image_segment *seg = image_segment_find(img, img->process.at_execfn);
		if (seg)
			return seg;
	}
	for (uint32_t i = 0; i < img->nsegment; i++)
		if (img->segment[i].kind == SEGMENT_STACK)
			return &img->segment[i];
	return NULL;
}

/* The process's first thread: the one whose descriptor names no block. */
static bool is_first_thread(const struct stacks *st, const struct native_thread *t)
{
	const struct image *img = st->ctx->image;
	const struct image_segment *seg = first_stack(img);
	const struct image_thread *th = &img->thread[t->thread_id - 1];
	if (!seg || t->block < t->block_end)
		return false;
	return (th->sp >= seg->start && th->sp < seg->end) || th->tid == img->process.pid;
}

static struct error *live_thread(struct stacks *st, const struct native_thread *t, bool *first_done)
{
	const struct image_thread *th = &st->ctx->image->thread[t->thread_id - 1];
	struct error *err = frames_read(st, t->thread_id);
	bool inside = false;
	if (!err && t->block < t->block_end) {
		uint64_t lo = t->block + t->guard, hi = t->stack_top;
		inside = th->sp >= lo && th->sp < hi;
		err = claim(st, t->block, lo, EXTENT_GUARD, t->thread_id);
		if (!err)
			err = known_stack(st, t, lo, hi);
	} else if (!err && !*first_done && is_first_thread(st, t)) {
		const struct image_segment *seg = first_stack(st->ctx->image);
		inside = th->sp >= seg->start && th->sp < seg->end;
		*first_done = true;
		err = known_stack(st, t, seg->start, seg->end);
	}
	if (!err && !inside)
		err = unknown_stack(st, t);
	if (!err && t->tls_start < t->tls_end)
		err = claim(st, t->tls_start, t->tls_end, EXTENT_TLS, t->thread_id);
	return err;
}

/* A thread that has ended. What it returned is in its descriptor until somebody joins it. */
static struct error *dead_thread(struct stacks *st, const struct native_thread *t)
{
	uint64_t lo = t->block + t->guard;
	struct error *err = claim(st, t->block, lo, EXTENT_GUARD, 0);
	if (err || t->state == THREAD_CACHED)
		return err ? err : claim(st, lo, t->block_end, EXTENT_STACK_CACHED, 0);
	err = claim(st, lo, t->descriptor, EXTENT_STACK_UNUSED, 0);
	if (!err)
		err = claim(st, t->descriptor, t->descriptor_end, EXTENT_TLS, 0);
	if (!err)
		err = claim(st, t->descriptor_end, t->block_end, EXTENT_STACK_UNUSED, 0);
	return err;
}

/* ---- the loader's memory ---- */

/*
 * The loader allocates before malloc works, from pages of its own (elf/dl-minimal.c): TLS of the
 * first thread, link maps. Those mappings are found by what must be in them.
 */
static struct error *loader_pages(struct stacks *st, uint64_t start, uint64_t end)
{
	const struct image *img = st->ctx->image;
	const struct image_segment *seg = image_segment_find(img, start);
	if (!seg || seg->kind != SEGMENT_ANON || seg->module_id || first_stack(img) == seg)
		return NULL;
	/* The kernel joins neighbouring mappings: of a large one only the pages that we know. */
	uint64_t lo = align_down(start, img->page_size), hi;
	if (!checked_align_up(end, img->page_size, &hi) || hi > seg->end)
		hi = seg->end;
	if (lo < seg->start || seg->end - seg->start <= LOADER_MOST)
		lo = seg->start;
	if (seg->end - seg->start <= LOADER_MOST)
		hi = seg->end;
	const struct snapshot *s = st->ctx->snapshot;
	/* Around what is claimed already: the first thread's TLS, mostly. */
	while (lo < hi) {
		uint64_t from = hi, to = hi;
		for (uint64_t i = 0; i < s->extent.n; i++) {
			const struct extent_row *e = &s->extent.at[i];
			if (e->end > lo && e->start < from) {
				from = e->start > lo ? e->start : lo;
				to = e->end;
			}
		}
		struct error *err = claim(st, lo, from, EXTENT_LOADER, 0);
		if (err)
			return err;
		lo = to;
	}
	return NULL;
}

/* r_debug of the executable: DT_DEBUG. Its link maps: l_addr, l_name, l_ld, l_next, l_prev. */
static struct error *loader_link_maps(struct stacks *st)
{
	enum { DT_NULL_TAG = 0, DT_DEBUG_TAG = 21, DYNAMIC_MOST = 1 << 10 };
	const struct image *img = st->ctx->image;
	const uint32_t ws = img->word_size;
	uint64_t debug = 0, map = 0;
	for (uint32_t m = 0; m < img->nmodule && !debug; m++) {
		if (!img->module[m].is_exe || !img->module[m].dynamic)
			continue;
		uint64_t at = img->module[m].dynamic, tag, value;
		for (unsigned i = 0; i < DYNAMIC_MOST && !debug; i++, at += 2 * (uint64_t)ws) {
			if (!image_try_word(img, at, &tag) || tag == DT_NULL_TAG ||
			    !image_try_word(img, at + ws, &value))
				break;
			if (tag == DT_DEBUG_TAG)
				debug = value;
		}
	}
	/* struct r_debug: int r_version; struct link_map *r_map; ... (<link.h>) */
	if (!debug || !image_try_word(img, debug + ws, &map))
		return NULL;
	for (unsigned i = 0; i < LINK_MAPS_MOST && map; i++) {
		struct error *err = loader_pages(st, map, map + 1);
		if (err)
			return err;
		if (!image_try_word(img, map + 3 * (uint64_t)ws, &map))
			break;
	}
	return NULL;
}

/* ---- all ---- */

struct error *native_threads_prepare(struct runtime_context *ctx)
{
	_cleanup_free_ struct debuginfo_frame *frame = calloc(FRAMES_MAX, sizeof(*frame));
	if (!frame)
		return &error_nomem;
	struct stacks st = {.ctx = ctx, .frame = frame};
	struct error *err = native_threads_find(ctx, &st.threads);
	if (!err)
		err = bounds_find(&st);
	bool first_done = false;
	uint64_t count[3] = {0};
	for (uint64_t i = 0; i < st.threads.thread.n && !err; i++) {
		const struct native_thread *t = &st.threads.thread.at[i];
		count[t->state]++;
		err = t->state == THREAD_LIVE ? live_thread(&st, t, &first_done)
					      : dead_thread(&st, t);
	}
	/* The memory around the first thread's TLS is the loader's, where it is not the break. */
	for (uint64_t i = 0; i < st.threads.thread.n && !err; i++) {
		const struct native_thread *t = &st.threads.thread.at[i];
		if (t->state == THREAD_LIVE && t->tls_start < t->tls_end && is_first_thread(&st, t))
			err = loader_pages(&st, t->tls_start, t->tls_end);
	}
	if (!err)
		err = loader_link_maps(&st);
	log_info(ctx->log,
		 "threads: %" PRIu64 " live, %" PRIu64 " exited and not joined, %" PRIu64
		 " cached stacks%s",
		 count[THREAD_LIVE], count[THREAD_EXITED], count[THREAD_CACHED],
		 st.threads.list_offset ? "" : "; no list of glibc's threads was found");
	if (!err && count[THREAD_EXITED])
		err = snapshot_meta(ctx->snapshot, "threads_not_joined", "%" PRIu64,
				    count[THREAD_EXITED]);
	native_threads_deinit(&st.threads);
	vec_deinit(&st.sp);
	vec_deinit(&st.bound);
	return err;
}
