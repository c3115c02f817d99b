/*
 * roots: the memory outside the heap that is read as roots, and the words found there.
 *
 * A plan of ranges is made first, by going over segments and extents together; each byte is in one
 * range or in none:
 *
 *	STACK_USED		words inside a frame that unwind information found: FRAME,
 *				others: STACK (weak)
 *	TLS			TLS
 *	LOADER			DATA: link maps, slot tables
 *	DAMAGED, OTHER		UNEXPLAINED (weak)
 *	other extents		nothing
 *	no extent, in a module	what was ever writable: DATA, GLOBAL once a symbol names the word;
 *				objects that a runtime has claimed there are left out
 *	no extent, elsewhere	UNEXPLAINED (weak), but for files that are mapped read-only
 *
 * What was ever writable: mapped writable now; inside a PT_LOAD with W or PT_GNU_RELRO; and, where
 * the kernel left unwritten file pages out of the dump, whatever read-only mapping of a file it
 * kept in full (it keeps one exactly when a page of it was written: text relocations, pages
 * protected later, but also a debugger's breakpoint). gcore keeps the mapping that begins with a
 * file's ELF header in full, too, written or not (gdb/linux-tdep.c, dump_mapping_p): where each of
 * them is there in full, that says nothing.
 */
#include "runtime/native/native.h"

#include "base/bits.h"
#include "base/cleanup.h"
#include "base/parallel.h"
#include "runtime/native/words.h"

#include <assert.h>
#include <inttypes.h>

enum {
	PIECE = 4 << 20,      /* bytes that one thread takes at a time */
	PIECES_PER_SLICE = 4, /* fewer are not worth a thread */
	FRAMES_MAX = 1024,    /* of one thread */
	SLICES_MAX = 64,
};

struct root_range {
	uint64_t start, end;
	uint8_t grade; /* enum root_grade; FRAME: to be asked of the frames */
	uint32_t thread_id;
	uint32_t module_id;
};

struct root_plan {
	struct runtime_context *ctx;
	const struct locator *locator;
	const struct native_unread *unread;
	VEC(struct root_range) range;
	bool unwritten_left_out; /* the dump has no file pages that were not written */
	bool headers_cut;	 /* of a file's first pages it has but the header's */
};

static struct error *plan_add(struct root_plan *p, uint64_t start, uint64_t end,
			      enum root_grade grade, uint32_t thread_id, uint32_t module_id)
{
	if (start >= end)
		return NULL;
	return vec_push(&p->range,
			((struct root_range){start, end, (uint8_t)grade, thread_id, module_id}));
}

/* Module data, but for the objects that a runtime found there: they have references of their own. */
static struct error *plan_data(struct root_plan *p, uint64_t start, uint64_t end,
			       uint32_t module_id)
{
	const struct object_table *o = &p->ctx->snapshot->object;
	struct error *err = NULL;
	uint32_t lo = 0, hi = o->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (object_block(o, mid) + o->size[mid] <= start)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < o->n && object_block(o, lo) < end && !err; lo++) {
		if (o->arena_id[lo] || !o->runtime || !o->runtime[lo])
			continue;
		err = plan_add(p, start, object_block(o, lo), ROOT_DATA, 0, module_id);
		start = object_block(o, lo) + o->size[lo];
	}
	return err ? err : plan_add(p, start, end, ROOT_DATA, 0, module_id);
}

/* A part of a read-only module mapping: only what once could be written. */
static struct error *plan_readonly_module(struct root_plan *p, const struct image_segment *seg,
					  uint64_t start, uint64_t end)
{
	const struct image_module *m = image_module_get(p->ctx->image, seg->module_id);
	const uint64_t part[2][2] = {{m->relro_start, m->relro_end}, {m->data_start, m->data_end}};
	struct error *err = NULL;
	uint64_t done = start;
	for (unsigned i = 0; i < 2 && !err; i++) {
		uint64_t from = part[i][0] > done ? part[i][0] : done;
		uint64_t to = part[i][1] < end ? part[i][1] : end;
		if (from >= to)
			continue;
		err = plan_data(p, from, to, seg->module_id);
		done = to;
	}
	return err;
}

static bool begins_module(const struct image *img, const struct image_segment *seg)
{
	return seg->module_id && image_module_get(img, seg->module_id)->start == seg->start;
}

/* Is this read-only mapping of a file in the dump because a page of it was written? */
static bool was_written(const struct root_plan *p, const struct image_segment *seg)
{
	return p->unwritten_left_out && seg->present == seg->end - seg->start &&
	       seg->present > p->ctx->image->page_size &&
	       (p->headers_cut || !begins_module(p->ctx->image, seg));
}

/* [start, end) of a segment, which no extent claims. */
static struct error *plan_gap(struct root_plan *p, const struct image_segment *seg, uint64_t start,
			      uint64_t end)
{
	const bool written = was_written(p, seg);
	switch ((enum segment_kind)seg->kind) {
	case SEGMENT_MODULE:
		if (seg->perms & PERM_W || written)
			return plan_data(p, start, end, seg->module_id);
		if (seg->module_id)
			return plan_readonly_module(p, seg, start, end);
		return NULL;
	case SEGMENT_FILE:
		if (!(seg->perms & PERM_W) && !written)
			return NULL;
		break;
	case SEGMENT_VDSO:
	case SEGMENT_KINDS:
		return NULL;
	case SEGMENT_ANON:
	case SEGMENT_STACK:
	case SEGMENT_SHARED:
	case SEGMENT_HEAP:
		break;
	}
	/* .bss runs on behind the file's last page, where the mapping has no name. */
	if (seg->module_id)
		return plan_data(p, start, end, seg->module_id);
	return plan_add(p, start, end, ROOT_UNEXPLAINED, 0, 0);
}

static struct error *plan_extent(struct root_plan *p, const struct extent_row *e, uint64_t start,
				 uint64_t end)
{
	switch ((enum extent_kind)e->kind) {
	case EXTENT_STACK_USED:
		return plan_add(p, start, end, ROOT_FRAME, e->thread_id, 0);
	case EXTENT_TLS:
		return plan_add(p, start, end, ROOT_TLS, e->thread_id, 0);
	case EXTENT_LOADER:
		return plan_add(p, start, end, ROOT_DATA, 0, 0);
	case EXTENT_DAMAGED:
	case EXTENT_OTHER:
		return plan_add(p, start, end, ROOT_UNEXPLAINED, 0, 0);
	case EXTENT_HEAP:
	case EXTENT_ROUNDING:
	case EXTENT_RESERVED:
	case EXTENT_STACK_UNUSED:
	case EXTENT_STACK_CACHED:
	case EXTENT_GUARD:
	case EXTENT_KINDS:
		return NULL;
	}
	return NULL;
}

/* A read-only file mapping of more than a page that is not in the dump: the filter is on. */
static void plan_filter(struct root_plan *p)
{
	const struct image *img = p->ctx->image;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *seg = &img->segment[i];
		if ((seg->kind != SEGMENT_MODULE && seg->kind != SEGMENT_FILE) ||
		    !(seg->perms & PERM_R) || seg->perms & PERM_W)
			continue;
		const bool cut = seg->present < seg->end - seg->start;
		p->unwritten_left_out |= cut && seg->present <= img->page_size;
		p->headers_cut |= cut && begins_module(img, seg);
	}
}

static int range_compare(const void *a, const void *b)
{
	static const uint8_t order[ROOT_GRADES] = {
		[ROOT_FRAME] = 0,
		[ROOT_DATA] = 1,
		[ROOT_TLS] = 2,
		[ROOT_UNEXPLAINED] = 3,
	};
	const struct root_range *x = a, *y = b;
	if (order[x->grade] != order[y->grade])
		return order[x->grade] < order[y->grade] ? -1 : 1;
	if (x->thread_id != y->thread_id)
		return x->thread_id < y->thread_id ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

static struct error *plan_make(struct root_plan *p)
{
	const struct image *img = p->ctx->image;
	const struct snapshot *s = p->ctx->snapshot;
	plan_filter(p);
	struct error *err = NULL;
	uint64_t e = 0;
	for (uint32_t i = 0; i < img->nsegment && !err; i++) {
		const struct image_segment *seg = &img->segment[i];
		uint64_t at = seg->start;
		while (e < s->extent.n && s->extent.at[e].end <= at)
			e++;
		for (uint64_t k = e; at < seg->end && !err; k++) {
			const struct extent_row *x = k < s->extent.n ? &s->extent.at[k] : NULL;
			if (!x || x->start >= seg->end) {
				err = plan_gap(p, seg, at, seg->end);
				break;
			}
			if (at < x->start)
				err = plan_gap(p, seg, at, x->start);
			uint64_t from = x->start > at ? x->start : at;
			uint64_t to = x->end < seg->end ? x->end : seg->end;
			if (!err)
				err = plan_extent(p, x, from, to);
			at = to;
		}
	}
	if (!err && p->range.n)
		qsort(p->range.at, p->range.n, sizeof(*p->range.at), range_compare);
	return err;
}

/* ---- words of the ranges ---- */

struct root_piece {
	uint32_t range;
	uint64_t start, end;
};

struct root_slice {
	VEC(struct root_row) row;
	struct word_books books;
	struct error *err;
	/* of the range that is being read */
	const struct locator *locator;
	const struct root_range *range;
};

struct root_job {
	const struct root_plan *plan;
	const struct root_piece *piece;
	struct root_slice slice[SLICES_MAX];
};

static void root_hit(void *arg, uint64_t addr, uint64_t word, bool aligned)
{
	struct root_slice *sl = arg;
	enum word_outcome outcome;
	uint32_t id = locator_find(sl->locator, word, aligned, &outcome);
	sl->books.outcome[outcome]++;
	if (!id || sl->err)
		return;
	sl->err = vec_push(&sl->row, ((struct root_row){
					     .object_id = id,
					     .address = addr,
					     .grade = sl->range->grade,
					     .how = (uint8_t)word_how(outcome),
					     .thread_id = sl->range->thread_id,
					     .depth = -1,
					     .module_id = sl->range->module_id,
				     }));
}

static struct error *root_slice_run(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct root_job *job = arg;
	struct root_slice *sl = &job->slice[slice];
	const struct runtime_context *ctx = job->plan->ctx;
	const uint32_t word_size = ctx->image->word_size;
	uint32_t span = 0;
	sl->locator = job->plan->locator;
	for (uint64_t i = first; i < end && !sl->err; i++) {
		const struct root_piece *p = &job->piece[i];
		uint64_t at = p->start, until;
		sl->range = &job->plan->range.at[p->range];
		while (at < p->end && !sl->err) {
			bool opaque = snapshot_is_opaque(ctx->snapshot, at, &until);
			if (until > p->end)
				until = p->end;
			struct words_run run;
			while (words_next_run(ctx->image, &span, at, until, &run)) {
				uint64_t n = run.len / word_size;
				if (opaque)
					sl->books.outcome[WORD_OPAQUE] += n;
				else
					words_scan(sl->locator, run.data, run.len, run.avail,
						   run.addr, root_hit, sl);
				sl->books.scanned += n;
				at = run.addr + run.len;
			}
			at = until;
		}
	}
	return sl->err;
}

/* ---- registers ---- */

static const char *register_name(enum image_machine machine, uint32_t i)
{
	static const char *const x86_64[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi",
					     "rbp", "rsp", "r8",  "r9",	 "r10", "r11",
					     "r12", "r13", "r14", "r15", "rip"};
	static const char *const i386[] = {"eax", "ecx", "edx", "ebx", "esp",
					   "ebp", "esi", "edi", "eip"};
	static const char *const aarch64[] = {
		"x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",	 "x7",	"x8",  "x9",  "x10",
		"x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",
		"x22", "x23", "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc"};
	switch (machine) {
	case MACHINE_X86_64:
		return i < sizeof(x86_64) / sizeof(*x86_64) ? x86_64[i] : NULL;
	case MACHINE_I386:
		return i < sizeof(i386) / sizeof(*i386) ? i386[i] : NULL;
	case MACHINE_AARCH64:
		return i < sizeof(aarch64) / sizeof(*aarch64) ? aarch64[i] : NULL;
	}
	return NULL;
}

struct register_hits {
	struct runtime_context *ctx;
	const struct locator *locator;
	struct word_books *books;
	uint32_t thread_id;
	uint64_t first_row; /* of this thread */
	struct error *err;
};

static void register_add(struct register_hits *h, uint64_t word, bool aligned,
			 enum root_found found, const char *name)
{
	struct snapshot *s = h->ctx->snapshot;
	enum word_outcome outcome;
	uint32_t id = locator_find(h->locator, word, aligned, &outcome);
	h->books->outcome[outcome]++;
	if (!id || h->err)
		return;
	struct root_row row = {
		.object_id = id,
		.grade = ROOT_REGISTER,
		.how = (uint8_t)word_how(outcome),
		.found = (uint8_t)found,
		.thread_id = h->thread_id,
		.depth = -1,
	};
	h->err = intern_str(&s->strings, name, &row.name);
	if (!h->err)
		h->err = vec_push(&s->root, row);
}

static void vector_hit(void *arg, uint64_t addr, uint64_t word, bool aligned)
{
	struct register_hits *h = arg;
	struct snapshot *s = h->ctx->snapshot;
	/* The same registers come in several notes: one row for an object is enough. */
	enum word_outcome outcome;
	uint32_t id = locator_find(h->locator, word, aligned, &outcome);
	for (uint64_t i = h->first_row; i < s->root.n; i++)
		if (s->root.at[i].object_id == id && s->root.at[i].how == word_how(outcome))
			return;
	char name[40];
	snprintf(name, sizeof(name), "vector+0x%" PRIx64, addr);
	register_add(h, word, aligned, ROOT_BY_VECTOR, name);
}

static struct error *registers_read(struct runtime_context *ctx, const struct locator *l,
				    struct word_books *books)
{
	const struct image *img = ctx->image;
	for (uint32_t t = 0; t < img->nthread; t++) {
		const struct image_thread *th = &img->thread[t];
		struct register_hits h = {
			.ctx = ctx,
			.locator = l,
			.books = books,
			.thread_id = t + 1,
			.first_row = ctx->snapshot->root.n,
		};
		for (uint32_t i = 0; i < th->nreg && i < IMAGE_REGS_MAX; i++) {
			const char *name = register_name(img->machine, i);
			register_add(&h, th->reg[i], true, ROOT_BY_SCAN, name ? name : "register");
			books->scanned++;
		}
		if (th->vector)
			books->scanned += words_scan(l, th->vector, th->vector_len, th->vector_len,
						     0, vector_hit, &h);
		if (h.err)
			return h.err;
	}
	return NULL;
}

/* ---- names and frames, once the rows are there ---- */

/* Rows of one thread's stack are in address order, and so are its frames. */
static struct error *frames_explain(struct runtime_context *ctx, struct root_row *row, uint64_t n,
				    struct debuginfo_frame *frame)
{
	const struct image_thread *th = &ctx->image->thread[row->thread_id - 1];
	unsigned frames = 0;
	if (ctx->debuginfo) {
		struct error *err =
			debuginfo_unwind(ctx->debuginfo, th, frame, FRAMES_MAX, &frames);
		if (err)
			return error_note(err, "frames of thread %d", th->tid);
	}
	for (uint64_t i = 0; i < n; i++) {
		row[i].grade = ROOT_STACK;
		/*
		 * The frames of one stack follow one another, but a signal handler's own stack
		 * may lie anywhere: look at all, from the innermost on.
		 */
		for (unsigned f = 0; f < frames; f++) {
			uint64_t lo = frame[f].sp, hi = frame[f].cfa;
			if (!f && lo >= 128)
				lo -= 128; /* the red zone is the innermost frame's */
			if (row[i].address < lo || row[i].address >= hi)
				continue;
			row[i].depth = (int32_t)f;
			if (frame[f].certain)
				row[i].grade = ROOT_FRAME;
			break;
		}
	}
	return NULL;
}

struct symbol_memo {
	struct debuginfo_symbol symbol;
	bool known;
};

static struct error *data_name(struct runtime_context *ctx, struct symbol_memo *memo,
			       struct root_row *row)
{
	const struct debuginfo_symbol *sym = &memo->symbol;
	if (!memo->known || row->address < sym->start || row->address - sym->start >= sym->size)
		memo->known = debuginfo_symbol_at(ctx->debuginfo, row->address, &memo->symbol);
	if (!memo->known || !sym->name || !*sym->name)
		return NULL;
	char text[512];
	uint64_t off = row->address - sym->start;
	int len = off ? snprintf(text, sizeof(text), "%.480s+0x%" PRIx64, sym->name, off)
		      : snprintf(text, sizeof(text), "%.480s", sym->name);
	if (len <= 0)
		return NULL;
	row->grade = ROOT_GLOBAL;
	if (!row->module_id)
		row->module_id = sym->module_id;
	return intern_add(&ctx->snapshot->strings, text, (size_t)len, &row->name);
}

static struct error *roots_explain(struct runtime_context *ctx, struct root_row *row, uint64_t n)
{
	_cleanup_free_ struct debuginfo_frame *frame = malloc(FRAMES_MAX * sizeof(*frame));
	if (!frame)
		return &error_nomem;
	struct symbol_memo memo = {.known = false};
	struct error *err = NULL;
	for (uint64_t i = 0; i < n && !err;) {
		uint64_t j = i + 1;
		if (row[i].grade == ROOT_FRAME) {
			while (j < n && row[j].grade == ROOT_FRAME &&
			       row[j].thread_id == row[i].thread_id)
				j++;
			if (row[i].thread_id && row[i].thread_id <= ctx->image->nthread)
				err = frames_explain(ctx, row + i, j - i, frame);
			else
				for (uint64_t k = i; k < j; k++)
					row[k].grade = ROOT_STACK;
		} else if (row[i].grade == ROOT_DATA && ctx->debuginfo) {
			err = data_name(ctx, &memo, &row[i]);
		}
		i = j;
	}
	return err;
}

/*
 * Memory of an allocator that we do not know may hold millions of pointers: the first to each
 * object says all there is to say.
 */
static struct error *roots_append(struct snapshot *s, struct bits *seen,
				  const struct native_unread *unread, struct root_slice *sl)
{
	struct error *err = NULL;
	for (uint64_t i = 0; i < sl->row.n && !err; i++) {
		struct root_row *r = &sl->row.at[i];
		const struct native_unread_word *stale =
			r->grade == ROOT_TLS ? native_unread_find(unread, r->address) : NULL;
		if (stale && !stale->weak)
			continue;
		if (stale)
			r->grade = ROOT_STACK;
		if (r->grade == ROOT_UNEXPLAINED &&
		    bits_test_set(seen, 2 * (uint64_t)r->object_id + (r->how != EDGE_START)))
			continue;
		err = vec_push(&s->root, *r);
	}
	return err;
}

/* Pieces begin where the dump has bytes: terabytes of reserved address space cost nothing. */
static struct error *plan_cut(const struct root_plan *p, struct root_piece **ret, uint64_t *n)
{
	VEC(struct root_piece) piece = {0};
	struct error *err = NULL;
	uint32_t span = 0;
	for (uint64_t i = 0; i < p->range.n && !err; i++) {
		const struct root_range *r = &p->range.at[i];
		struct words_run run;
		for (uint64_t at = r->start;
		     !err && words_next_run(p->ctx->image, &span, at, r->end, &run);) {
			at = r->end - run.addr > PIECE ? run.addr + PIECE : r->end;
			err = vec_push(&piece, ((struct root_piece){(uint32_t)i, run.addr, at}));
		}
	}
	*ret = piece.at;
	*n = piece.n;
	return err;
}

static struct error *ranges_read(struct root_plan *p, struct word_books *books)
{
	struct snapshot *s = p->ctx->snapshot;
	_cleanup_free_ struct root_piece *piece = NULL;
	uint64_t n = 0, first = s->root.n;
	struct error *err = plan_cut(p, &piece, &n);
	if (err)
		return err;
	_cleanup_free_ struct root_job *job = calloc(1, sizeof(*job));
	if (!job)
		return &error_nomem;
	job->plan = p;
	job->piece = piece;
	unsigned slices = parallel_slices(n, PIECES_PER_SLICE);
	assert(slices <= SLICES_MAX);
	err = parallel_for(n, slices, root_slice_run, job);
	struct bits seen = {0};
	if (!err)
		err = bits_init(&seen, 2 * ((uint64_t)s->object.n + 1));
	for (unsigned i = 0; i < slices; i++) {
		if (!err)
			err = roots_append(s, &seen, p->unread, &job->slice[i]);
		word_books_add(books, &job->slice[i].books);
		vec_deinit(&job->slice[i].row);
	}
	bits_deinit(&seen);
	if (err || s->root.n == first)
		return err;
	return roots_explain(p->ctx, s->root.at + first, s->root.n - first);
}

struct error *native_roots(struct runtime_context *ctx, const struct locator *l,
			   const struct native_unread *unread, struct word_books *books)
{
	struct root_plan plan = {.ctx = ctx, .locator = l, .unread = unread};
	struct error *err = registers_read(ctx, l, books);
	if (!err)
		err = plan_make(&plan);
	if (!err)
		err = ranges_read(&plan, books);
	vec_deinit(&plan.range);
	uint64_t seen = 0;
	for (unsigned i = WORD_START; i <= WORD_OPAQUE; i++)
		seen += books->outcome[i];
	books->outcome[WORD_NONE] = books->scanned - seen;
	return err;
}
