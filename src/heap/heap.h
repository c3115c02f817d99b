/*
 * heap: who allocated what. Allocators are rows of allocators.def, one file each.
 *
 * To add one: write heap/NAME.c with `const struct allocator allocator_NAME`, add ALLOCATOR(NAME)
 * to allocators.def. The order there is the order of finding: one that gets its memory from another
 * comes after it. A block that a later allocator carves up becomes a container, and what an earlier
 * one takes for a block inside a later one's arena is none (snapshot_seal_blocks).
 *
 * An allocator gets the const image and the snapshot's block phase: it adds arenas, extents, blocks,
 * free blocks and opaque ranges (its own lists), reports damage, and walks on after it. It sees no
 * other allocator and no runtime. What it cannot find it leaves out and says so (log_info: what was
 * looked for, and where).
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "debuginfo/debuginfo.h"
#include "image/image.h"
#include "snapshot/snapshot.h"

struct heap_context {
	const struct image *image;
	const struct debuginfo *debuginfo; /* symbols, if any; never needed */
	struct snapshot *snapshot;
	struct damage_log *damage;
	struct log *log;
};

struct allocator {
	const char *name;
	/*
	 * Finds its arenas and adds everything. No arenas is no error. Sets *ret to the number of
	 * arenas found.
	 */
	struct error *(*scan)(struct heap_context *ctx, uint32_t *ret);
};

/* All allocators, in order. */
struct error *heap_scan(struct heap_context *ctx) _must_check_;
