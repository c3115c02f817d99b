/*
 * containers: see containers.h.
 *
 *	1  claims: every place that a reference or a root comes from, and whose words are those of a
 *	   container; in parallel over the objects
 *	2  chains, by the blocks that they speak of: the few most believable
 *	3  those that lie in the unused part of a vector are dropped, in rounds: a vector that was dropped
 *	   itself makes no other one stale
 *	4  the first that is left of each block becomes a row, in the order of the blocks
 */
#include "runtime/native/containers.h"

#include "base/base_name.h"
#include "base/cleanup.h"
#include "base/huge.h"
#include "base/parallel.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLICE_GRAIN = 1 << 14, /* objects */
	SLICES_MAX = 64,
	ROUNDS = 8,
	CHAIN_MOST = 8,
	AHEAD = 16, /* objects whose words are asked for ahead */
	AHEAD_WORDS = 4,
	LENGTH_LEAST = 4, /* no string in a block of its own has less room */
};

#define SIZE_MOST (UINT64_C(1) << 40)

struct claim {
	uint64_t capacity, used,
		bytes; /* as in container_shape; of a part: 0, where it ends, begins */
	uint64_t at;   /* address of the words */
	uint32_t dst;  /* the block that they speak of */
	uint32_t src;  /* the block that they lie in; 0: a root */
	uint8_t form;  /* enum container_form; CONTAINER_TYPED: a deque's part */
	uint8_t certain;
	uint8_t grade; /* enum root_grade; ROOT_NONE: a block */
	bool stale;
	struct claim *next; /* of the same block, less believable */
};

struct claims {
	VEC(struct claim) row;
};

struct chain {
	struct claim *first; /* the surest */
};

struct containers_job {
	const struct runtime_context *ctx;
	unsigned slices;
	struct claims slice[SLICES_MAX + 1]; /* the last: of roots */
	struct chain *chain;		     /* by object id - 1 */
	bool cxx;			     /* something says that there is C++ in the process */
	bool libcxx;			     /* it may be LLVM's */
	bool shared_text;		     /* it may be GCC's */
};

/* ---- whose containers may be in the process ---- */

static bool has_symbol(const struct runtime_context *ctx, const char *name)
{
	struct debuginfo_symbol symbol;
	return ctx->debuginfo && debuginfo_symbol_find(ctx->debuginfo, 0, name, &symbol);
}

static void job_begin(struct containers_job *job)
{
	const struct runtime_context *ctx = job->ctx;
	const struct snapshot *s = ctx->snapshot;
	bool gcc = false, llvm = false, typed = false;
	for (uint32_t id = 1; id <= ctx->image->nmodule; id++) {
		const char *name = base_name(image_module_get(ctx->image, id)->path);
		gcc |= !strncmp(name, "libstdc++.so", 12);
		llvm |= !strncmp(name, "libc++.so", 9);
	}
	for (uint64_t i = 0; i < s->type.n && !typed; i++)
		typed = !strcmp(intern_text(&s->strings, s->type.at[i].language), "C++");
	/* Linked statically: what an unordered container or a stream brings with it. */
	llvm = llvm || has_symbol(ctx, "_ZNSt3__112__next_primeEm") ||
	       has_symbol(ctx, "_ZNSt3__16locale7classicEv");
	job->cxx = gcc || llvm || typed || has_symbol(ctx, "__gxx_personality_v0");
	job->libcxx = llvm;
	job->shared_text = gcc || (job->cxx && !llvm);
}

/* ---- 1 ---- */

/* What the next word is, as far as the references tell. */
enum next_word { NEXT_NONE, NEXT_SAME, NEXT_OTHER, NEXT_UNKNOWN };

/* Before anything is looked up: can these be the words of a container? */
static inline bool may_be(const struct image *img, const struct container_place *at,
			  enum next_word next, bool libcxx)
{
	const uint64_t ws = img->word_size;
	const uint64_t w0 = image_word_at(img, at->p), w1 = image_word_at(img, at->p + ws);
	const uint64_t w2 = image_word_at(img, at->p + 2 * ws);
	if (next != NEXT_NONE && w1 >= w0 && w2 >= w1 && w2 - w0 - 1 < SIZE_MOST)
		return true;
	if (next == NEXT_SAME)
		return false;
	/* full to the block's last byte: neither of the two is a reference */
	if (w1 == w2 && w1 > w0 && w1 - w0 < SIZE_MOST)
		return true;
	/* string */
	if (w1 <= w2 && w2 >= LENGTH_LEAST && w2 < SIZE_MOST)
		return true;
	/* libc++: a deque's table; vector<bool> */
	if (libcxx && ((at->after >= 6 && w1 > w0 && w2 > w1 && w2 - w0 < SIZE_MOST) ||
		       (w1 > w2 && w2 && w1 <= w2 * ws * 8 && w1 < SIZE_MOST)))
		return true;
	/* vector<bool> */
	if (!(w1 & UINT32_MAX) && w2 >= w0 && w2 - w0 < SIZE_MOST)
		return at->after >= 5 && image_word_at(img, at->p + 4 * ws) - w2 < SIZE_MOST;
	if (at->after < (libcxx ? 5 : 6) || w1 < 2 || w1 >= SIZE_MOST)
		return false;
	/* hash table; deque */
	const uint64_t w3 = image_word_at(img, at->p + 3 * ws);
	if ((w2 != 0) == (w3 != 0) && w3 < SIZE_MOST)
		return true;
	return at->after >= 6 && image_word_at(img, at->p + 5 * ws) - w0 < w1 * ws;
}

/* Can it be the last word of a string of libc++? The two before it are none that point anywhere. */
static inline bool may_end_string(const struct image *img, const struct container_place *at)
{
	const uint64_t ws = img->word_size;
	const uint64_t cap = image_word_at(img, at->p - 2 * ws);
	return cap & 1 && cap < SIZE_MOST && image_word_at(img, at->p - ws) < cap;
}

static struct error *claim_at(const struct containers_job *job, struct claims *to,
			      const struct container_place *at, uint32_t dst, struct claim claim)
{
	struct container_shape shape;
	struct error *err = NULL;
	if (!container_shape_at(job->ctx, at, dst, job->libcxx ? CONTAINER_LIBCXX : 0, &shape))
		return NULL;
	claim.at -= shape.before * job->ctx->image->word_size;
	for (unsigned i = 0; i < shape.parts && !err; i++) {
		claim.dst = shape.part[i].id;
		claim.bytes = shape.part[i].from;
		claim.used = shape.part[i].to;
		claim.certain = shape.certain;
		err = vec_push(&to->row, claim);
	}
	claim.dst = dst;
	claim.form = shape.form;
	claim.certain = shape.certain;
	claim.capacity = shape.capacity;
	claim.used = shape.used;
	claim.bytes = shape.bytes;
	return err ? err : vec_push(&to->row, claim);
}

/* A word that points to `to`, into the middle of dst: is that the text that strings share? */
static struct error *claim_text(const struct containers_job *job, struct claims *claims,
				uint64_t to, uint32_t dst, uint8_t grade)
{
	const uint64_t start = job->ctx->snapshot->object.address[dst - 1];
	struct container_shape shape;
	if (to - start != 3 * job->ctx->image->word_size ||
	    !container_shared_text_at(job->ctx, dst, &shape))
		return NULL;
	return vec_push(&claims->row, ((struct claim){
					      .dst = dst,
					      .src = dst,
					      .grade = grade,
					      .form = shape.form,
					      .certain = shape.certain,
					      .capacity = shape.capacity,
					      .used = shape.used,
					      .bytes = shape.bytes,
				      }));
}

/* Bytes that lie together. */
struct run {
	const uint8_t *p;
	uint64_t start, len;
};

/* Where `len` bytes at `at` are; NULL: not in the dump, or not together. */
static inline const uint8_t *run_find(const struct image *img, struct image_cursor *cursor,
				      struct run *run, uint64_t at, uint64_t len)
{
	if (at < run->start || at - run->start >= run->len) {
		run->start = at;
		run->p = image_view(img, cursor, at, &run->len);
		if (!run->p)
			run->len = 0;
	}
	return run->len - (at - run->start) >= len ? run->p + (at - run->start) : NULL;
}

/* Blocks begin at no regular distance: the words of one that comes later are asked for ahead. */
static inline void run_prefetch(const struct snapshot *s, const struct run *run, uint64_t i,
				uint32_t word_size)
{
	const struct edge_table *e = &s->edge;
	if (s->object.n - i <= AHEAD)
		return;
	const uint64_t first = e->first[i + AHEAD], n = e->first[i + AHEAD + 1] - first;
	const uint64_t block = object_block(&s->object, i + AHEAD) - run->start;
	for (uint64_t k = 0; k < n && k < AHEAD_WORDS; k++) {
		const uint64_t at =
			block + (uint64_t)(e->where[first + k] & EDGE_WHERE_FAR) * word_size;
		if (at < run->len)
			__builtin_prefetch(run->p + at);
	}
}

/* What follows, and what came before, as far as the references tell. */
static inline enum next_word next_of(const struct edge_table *e, uint64_t k, uint64_t end,
				     uint64_t index)
{
	if (k + 1 == end || (e->where[k + 1] & EDGE_WHERE_FAR) != index + 1 ||
	    edge_how(e->where[k + 1]) == EDGE_MISALIGNED)
		return NEXT_NONE;
	return e->dst[k + 1] == e->dst[k] ? NEXT_SAME : NEXT_OTHER;
}

static inline bool two_before(const struct edge_table *e, uint64_t k, uint64_t first,
			      uint64_t index)
{
	return index >= 2 && (k == first || (e->where[k - 1] & EDGE_WHERE_FAR) + 2 < index);
}

/* The block's references, in order; words that nobody typed. */
static struct error *claims_of_object(const struct containers_job *job, struct claims *to,
				      struct image_cursor *cursor, struct run *run, uint32_t i)
{
	const struct runtime_context *ctx = job->ctx;
	const struct snapshot *s = ctx->snapshot;
	const struct edge_table *e = &s->edge;
	const uint64_t ws = ctx->image->word_size, start = object_block(&s->object, i);
	const uint64_t words = s->object.size[i] / ws, first = e->first[i], end = e->first[i + 1];
	const uint8_t *view = NULL;
	struct error *err = NULL;
	for (uint64_t k = first; k < end && !err; k++) {
		const uint32_t where = e->where[k];
		const uint64_t index = where & EDGE_WHERE_FAR;
		const enum edge_how how = edge_how(where);
		if ((how != EDGE_START && !(how == EDGE_INTERIOR && job->shared_text)) ||
		    index >= words || (e->kind && e->kind[k] != REFERENCE_WORD))
			continue;
		const enum next_word next = next_of(e, k, end, index);
		const bool before = job->libcxx && two_before(e, k, first, index);
		const bool after = index + 3 <= words && next != NEXT_OTHER;
		if (how == EDGE_START && !before && !after)
			continue;
		if (!view)
			view = run_find(ctx->image, cursor, run, start, words * ws);
		if (!view)
			return NULL;
		const struct container_place at = {view + index * ws, start + index * ws, index,
						   words - index};
		if (how == EDGE_INTERIOR)
			err = claim_text(job, to, image_word_at(ctx->image, at.p), e->dst[k],
					 ROOT_NONE);
		else if ((before && may_end_string(ctx->image, &at)) ||
			 (after && may_be(ctx->image, &at, next, job->libcxx)))
			err = claim_at(job, to, &at, e->dst[k],
				       (struct claim){
					       .at = start + index * ws,
					       .src = i + 1,
				       });
	}
	return err;
}

static struct error *claims_slice(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct containers_job *job = arg;
	const struct snapshot *s = job->ctx->snapshot;
	struct image_cursor cursor = {0};
	struct run run = {.p = NULL};
	struct error *err = NULL;
	for (uint64_t i = first; i < end && !err; i++) {
		run_prefetch(s, &run, i, job->ctx->image->word_size);
		if (s->edge.first[i] != s->edge.first[i + 1])
			err = claims_of_object(job, &job->slice[slice], &cursor, &run, (uint32_t)i);
	}
	return err;
}

/* Module data, thread-local storage and live frames. What may be a stale word claims nothing. */
static struct error *claims_of_roots(const struct containers_job *job, struct claims *to)
{
	const struct runtime_context *ctx = job->ctx;
	const struct snapshot *s = ctx->snapshot;
	const uint64_t ws = ctx->image->word_size, before = CONTAINER_WORDS_BEFORE * ws;
	struct image_cursor cursor = {0};
	struct error *err = NULL;
	for (uint64_t i = 0; i < s->root.n && !err; i++) {
		const struct root_row *r = &s->root.at[i];
		if (!r->address || r->grade > ROOT_FRAME || r->found != ROOT_BY_SCAN ||
		    r->kind != REFERENCE_WORD || r->address % ws)
			continue;
		if (r->how == EDGE_INTERIOR && job->shared_text) {
			uint64_t word;
			if (image_try_word(ctx->image, r->address, &word))
				err = claim_text(job, to, word, r->object_id, r->grade);
			continue;
		}
		if (r->how != EDGE_START)
			continue;
		struct container_place at = {
			.address = r->address,
			.before = CONTAINER_WORDS_BEFORE,
		};
		uint64_t avail = 0;
		at.p = r->address > before
			       ? image_view(ctx->image, &cursor, r->address - before, &avail)
			       : NULL;
		if (at.p && avail > before) {
			at.p += before;
			avail -= before;
		} else {
			at.before = 0;
			at.p = image_view(ctx->image, &cursor, r->address, &avail);
		}
		at.after = at.p ? avail / ws : 0;
		if ((job->libcxx && at.after && at.before >= 2 &&
		     may_end_string(ctx->image, &at)) ||
		    (at.after >= 3 && may_be(ctx->image, &at, NEXT_UNKNOWN, job->libcxx)))
			err = claim_at(job, to, &at, r->object_id,
				       (struct claim){.at = r->address, .grade = r->grade});
	}
	return err;
}

/* ---- 2 ---- */

/* Is a more believable than b? Both speak of one block. */
static bool claim_before(const struct claim *a, const struct claim *b)
{
	if ((a->grade == ROOT_FRAME) != (b->grade == ROOT_FRAME))
		return b->grade == ROOT_FRAME;
	if (a->certain != b->certain)
		return a->certain > b->certain;
	if (a->capacity != b->capacity)
		return a->capacity > b->capacity;
	if (a->used != b->used)
		return a->used > b->used;
	return a->at < b->at;
}

/* A chain has the best few, the best of them first: in whatever order they come. */
static void chain_add(struct claim **at, struct claim *c)
{
	unsigned n = 0;
	for (; *at && n < CHAIN_MOST && claim_before(*at, c); n++)
		at = &(*at)->next;
	if (n == CHAIN_MOST)
		return;
	c->next = *at;
	*at = c;
	for (; *at && n < CHAIN_MOST; n++)
		at = &(*at)->next;
	*at = NULL;
}

/* ---- 3 ---- */

/* The claim that is believed of a block; NULL: there is none. */
static const struct claim *claim_of(const struct containers_job *job, uint32_t dst)
{
	const struct claim *c = job->chain[dst - 1].first;
	while (c && c->stale)
		c = c->next;
	return c;
}

static bool is_stale(const struct containers_job *job, const struct claim *claim)
{
	const struct claim *outer = claim->src ? claim_of(job, claim->src) : NULL;
	if (!outer || outer == claim)
		return false;
	const uint64_t inside = claim->at - job->ctx->snapshot->object.address[claim->src - 1];
	/* What is in use of a vector, or of a part of a deque. No other block has containers in it. */
	const uint64_t from = outer->form == CONTAINER_TYPED ? outer->bytes : 0;
	const uint64_t to =
		outer->form == CONTAINER_TYPED || outer->form == CONTAINER_VECTOR ? outer->used : 0;
	return inside < from || inside >= to;
}

static void claims_drop_stale(struct containers_job *job)
{
	bool changed = true;
	for (unsigned round = 0; round < ROUNDS && changed; round++) {
		changed = false;
		for (unsigned k = 0; k <= job->slices; k++) {
			for (uint64_t i = 0; i < job->slice[k].row.n; i++) {
				struct claim *c = &job->slice[k].row.at[i];
				const bool stale = is_stale(job, c);
				changed |= stale != c->stale;
				c->stale = stale;
			}
		}
	}
}

/* ---- 4 ---- */

/* What a deque would not have if made anew, by all of its blocks; false: it is none. */
static bool deque_bytes(const struct runtime_context *ctx, const struct claim *c, uint64_t *bytes)
{
	const uint64_t ws = ctx->image->word_size;
	struct container_shape shape;
	const struct container_place at = {
		.p = image_view_all(ctx->image, NULL, c->at, CONTAINER_WORDS_AFTER * ws),
		.address = c->at,
		.after = CONTAINER_WORDS_AFTER,
	};
	if (!at.p || !container_shape_at(ctx, &at, c->dst, CONTAINER_WHOLE, &shape) ||
	    shape.form != c->form)
		return false;
	*bytes = shape.bytes;
	return true;
}

static struct error *claims_keep(struct runtime_context *ctx, const struct containers_job *job)
{
	struct snapshot *s = ctx->snapshot;
	const bool cxx = job->cxx;
	struct error *err = NULL;
	for (uint32_t id = 1; id <= s->object.n && !err; id++) {
		const struct claim *r = claim_of(job, id);
		/* An empty string is little to go by: a pointer, nothing, and a size. */
		if (!r || r->form == CONTAINER_TYPED ||
		    (!cxx && r->form == CONTAINER_STRING && !r->used))
			continue;
		uint64_t bytes = r->bytes;
		uint8_t form = r->form;
		if (form == CONTAINER_DEQUE && !deque_bytes(ctx, r, &bytes))
			continue;
		if (!cxx && (form == CONTAINER_VECTOR || form == CONTAINER_STRING))
			form = CONTAINER_BUFFER;
		err = vec_push(&s->spare, ((struct spare_row){
						  .object_id = id,
						  .form = form,
						  .header = r->at,
						  .holder_id = r->src == id ? 0 : r->src,
						  .capacity = r->capacity,
						  .used = r->used,
						  .bytes = bytes,
					  }));
	}
	return err;
}

struct error *native_containers(struct runtime_context *ctx)
{
	const uint32_t n = ctx->snapshot->object.n;
	struct containers_job *job = calloc(1, sizeof(*job));
	if (!job)
		return &error_nomem;
	job->ctx = ctx;
	job->slices = parallel_slices(n, SLICE_GRAIN);
	assert(job->slices <= SLICES_MAX);
	job_begin(job);
	struct error *err = parallel_for(n, job->slices, claims_slice, job);
	if (!err)
		err = claims_of_roots(job, &job->slice[job->slices]);
	uint64_t claims = 0;
	for (unsigned k = 0; k <= job->slices; k++)
		claims += job->slice[k].row.n;
	job->chain = huge_zalloc(n, sizeof(*job->chain));
	if (!err && !job->chain)
		err = &error_nomem;
	if (!err && claims) {
		for (unsigned k = 0; k <= job->slices; k++)
			for (uint64_t i = 0; i < job->slice[k].row.n; i++) {
				struct claim *c = &job->slice[k].row.at[i];
				chain_add(&job->chain[c->dst - 1].first, c);
			}
		claims_drop_stale(job);
		err = claims_keep(ctx, job);
	}
	for (unsigned k = 0; k <= job->slices; k++)
		vec_deinit(&job->slice[k].row);
	free(job->chain);
	free(job);
	return err;
}
