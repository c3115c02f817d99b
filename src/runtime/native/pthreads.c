/*
 * pthreads: what glibc's thread descriptors hold, where reading them word by word says the wrong
 * thing.
 *
 *	dtv		points to the second entry of a block of libc's own, the dynamic thread
 *			vector: a root to its start, not a chance word to its inside. A cached stack
 *			keeps its DTV for the next thread, so that is no leak either.
 *	dynamic TLS	blocks that only the DTV holds. Those of a thread that has ended are libc's
 *			until the stack is used again, but what the program left in them is lost:
 *they are live, and not read.
 *	arg		what pthread_create was given. Once the thread runs, nobody reads it from
 *			here: weak, and of an ended thread nothing at all.
 */
#include "runtime/native/native.h"

#include "runtime/native/threads.h"

struct dead_blocks {
	const struct locator *locator;
	struct native_unread *unread;
};

static struct error *dead_block(void *arg, uint64_t block)
{
	struct dead_blocks *d = arg;
	enum word_outcome outcome;
	uint32_t id = locator_find(d->locator, block, true, &outcome);
	if (outcome != WORD_START)
		return NULL;
	return vec_push(&d->unread->object, id);
}

static int id_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static int word_compare(const void *a, const void *b)
{
	const struct native_unread_word *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

const struct native_unread_word *native_unread_find(const struct native_unread *u, uint64_t addr)
{
	const struct native_unread_word key = {.address = addr};
	return u->word.n ? bsearch(&key, u->word.at, u->word.n, sizeof(key), word_compare) : NULL;
}

static struct error *dtv_root(struct runtime_context *ctx, const struct locator *l,
			      const struct native_thread *t)
{
	/* calloc returned &dtv[-1] (elf/dl-tls.c, allocate_dtv and _dl_resize_dtv). */
	uint64_t block = t->dtv - 2 * (uint64_t)ctx->image->word_size;
	enum word_outcome outcome;
	struct root_row row = {
		.object_id = locator_find(l, block, true, &outcome),
		.address = native_dtv_slot(ctx->image, t->tp),
		.grade = ROOT_TLS,
		.how = EDGE_START,
		.thread_id = t->thread_id,
		.depth = -1,
	};
	if (outcome != WORD_START)
		return NULL; /* the first thread's: in the loader's memory */
	struct error *err = intern_str(&ctx->snapshot->strings, "dtv", &row.name);
	return err ? err : vec_push(&ctx->snapshot->root, row);
}

struct error *native_pthread_roots(struct runtime_context *ctx, const struct locator *l,
				   struct native_unread *ret)
{
	struct native_threads threads;
	struct dead_blocks dead = {.locator = l, .unread = ret};
	struct error *err = native_threads_find(ctx, &threads);
	for (uint64_t i = 0; i < threads.thread.n && !err; i++) {
		const struct native_thread *t = &threads.thread.at[i];
		if (t->dtv)
			err = dtv_root(ctx, l, t);
		if (!err && t->state != THREAD_LIVE)
			err = native_dtv_walk(ctx, t, dead_block, &dead);
		uint64_t arg;
		if (!err && native_arg_slot(ctx->image, t, &arg))
			err = vec_push(&ret->word,
				       ((struct native_unread_word){arg, t->state == THREAD_LIVE}));
	}
	native_threads_deinit(&threads);
	if (ret->object.n)
		qsort(ret->object.at, ret->object.n, sizeof(*ret->object.at), id_compare);
	if (ret->word.n)
		qsort(ret->word.at, ret->word.n, sizeof(*ret->word.at), word_compare);
	return err;
}

void native_unread_deinit(struct native_unread *u)
{
	vec_deinit(&u->object);
	vec_deinit(&u->word);
}
