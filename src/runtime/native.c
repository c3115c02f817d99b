#include "runtime/native/native.h"

#include <inttypes.h>
#include <stdio.h>

/* The books of the scan: words looked at, and what came of each. */
static struct error *native_meta(struct snapshot *s, const char *of, const struct word_books *b)
{
	static const char *const name[WORD_OUTCOMES] = {
		[WORD_NONE] = "none",
		[WORD_START] = "start",
		[WORD_INTERIOR] = "interior",
		[WORD_TAGGED] = "tagged",
		[WORD_FREE] = "free",
		[WORD_OPAQUE] = "opaque",
		[WORD_MISALIGNED] = "misaligned",
	};
	char key[64];
	snprintf(key, sizeof(key), "%s_words", of);
	struct error *err = snapshot_meta(s, key, "%" PRIu64, b->scanned);
	for (unsigned i = 0; i < WORD_OUTCOMES && !err; i++) {
		snprintf(key, sizeof(key), "%s_words_%s", of, name[i]);
		err = snapshot_meta(s, key, "%" PRIu64, b->outcome[i]);
	}
	return err;
}

static struct error *native_references(struct runtime_context *ctx)
{
	struct locator l;
	struct error *err = locator_init(&l, ctx->snapshot, ctx->image->word_size);
	if (err)
		return err;
	struct word_books roots = {0}, blocks = {0};
	struct native_unread unread = {.object = {0}};
	err = native_pthread_roots(ctx, &l, &unread);
	if (!err)
		err = native_roots(ctx, &l, &unread, &roots);
	if (!err)
		err = native_edges(ctx, &l, &unread, &blocks);
	native_unread_deinit(&unread);
	locator_deinit(&l);
	if (!err)
		err = native_meta(ctx->snapshot, "root", &roots);
	if (!err)
		err = native_meta(ctx->snapshot, "block", &blocks);
	return err;
}

static struct error *native_prepare(struct runtime_context *ctx)
{
	struct error *err = native_threads_prepare(ctx);
	return err ? err : native_loader_hide(ctx);
}

const struct runtime runtime_native = {
	.name = "native",
	.prepare = native_prepare,
	.objects = native_names,
	.references = native_references,
	.contents = native_contents,
	.containers = native_containers,
};
