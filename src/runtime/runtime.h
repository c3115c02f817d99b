/*
 * runtime: from blocks to objects, references and roots. Runtimes are rows of runtimes.def.
 *
 * To add one: write runtime/NAME.c (or a folder) with `const struct runtime runtime_NAME`, add
 * RUNTIME(NAME). The order is the order of claiming: certain evidence before weak; native, which only
 * guesses, is last.
 *
 * Each runtime gets the const image, the sealed blocks, and in turn:
 *	objects     may type objects that nobody has typed yet, give values, owners, counts
 *	roots       may add root ranges or typed roots
 * References of untyped words are read by native.c for every object that no runtime traverses.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "debuginfo/debuginfo.h"
#include "image/image.h"
#include "snapshot/snapshot.h"

struct runtime_context {
	const struct image *image;
	const struct debuginfo *debuginfo;
	struct snapshot *snapshot;
	struct damage_log *damage;
	struct log *log;
};

struct runtime {
	const char *name;
	/* Is it in this process? Adds extents and opaque ranges of its own before blocks are sealed. */
	struct error *(*prepare)(struct runtime_context *ctx);
	/* Types, values, owners: after snapshot_seal_blocks. */
	struct error *(*objects)(struct runtime_context *ctx);
	/* References and roots. */
	struct error *(*references)(struct runtime_context *ctx);
};

struct error *runtime_prepare(struct runtime_context *ctx) _must_check_;
struct error *runtime_objects(struct runtime_context *ctx) _must_check_;
struct error *runtime_references(struct runtime_context *ctx) _must_check_;
