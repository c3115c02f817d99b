/*
 * runtime: from blocks to objects, references and roots. Runtimes are rows of runtimes.def.
 *
 * To add one: write runtime/NAME.c (or a folder) with `const struct runtime runtime_NAME`, add
 * RUNTIME(NAME). The order is the order of claiming: certain evidence before weak; native, which
 *only guesses, is last.
 *
 * Each runtime gets the const image and in turn:
 *	prepare     before blocks are sealed: extents, opaque ranges, blocks outside any allocator
 *	objects     may type objects that nobody has typed yet; give values, owners, counts; claim
 *them (object.runtime), which promises to name their references references  may add roots visit
 *names the references of one claimed object The words of every object that nobody claimed are read
 *by native.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "debuginfo/debuginfo.h"
#include "image/image.h"
#include "snapshot/snapshot.h"

/* RUNTIME_cpython, ...: index in runtimes.def. object.runtime holds this + 1. */
enum runtime_id {
#define RUNTIME(name) RUNTIME_##name,
#include "runtime/runtimes.def"
#undef RUNTIME
	RUNTIMES,
};

struct runtime_context {
	const struct image *image;
	const struct debuginfo *debuginfo;
	struct snapshot *snapshot;
	struct damage_log *damage;
	struct log *log;
	void *state[RUNTIMES]; /* each runtime's own, from prepare to finish */
};

/* Where visit puts what it finds. Sinks of different threads are different; ctx is shared and
 * const. */
struct edge_sink;

/* The object's block points at `offset` (bytes from the block's first one) to the start of dst. */
void edge_sink_add(struct edge_sink *sl, uint32_t dst, uint64_t offset, enum reference_kind kind,
		   uint32_t name);
/* For parts of unknown layout: reads the words of [start, end) as native does. They lie in the
 * block. */
void edge_sink_scan(struct edge_sink *sl, uint64_t start, uint64_t end);
/* The same for words that are no part of the block: their edges have no offset. */
void edge_sink_scan_elsewhere(struct edge_sink *sl, uint64_t start, uint64_t end);

/* What an object says, byte for byte: one that says the same could stand in its place. */
struct object_contents {
	uint64_t address, bytes; /* in the object's block, or in one that it owns */
	uint64_t form;		 /* equal bytes of different forms are not the same contents */
};

/* What a container keeps. */
struct object_spare {
	uint64_t capacity, used; /* entries */
	uint64_t bytes;		 /* that it would not need, were it made anew */
};

struct runtime {
	const char *name;
	/* Is it in this process? Adds extents and opaque ranges of its own before blocks are
	 * sealed. */
	struct error *(*prepare)(struct runtime_context *ctx);
	/* Types, values, owners: after snapshot_seal_blocks. */
	struct error *(*objects)(struct runtime_context *ctx);
	/* Roots; native's also makes all references, with the help of everyone's visit. */
	struct error *(*references)(struct runtime_context *ctx);
	/* The references of an object that this runtime claimed. Called from several threads. */
	void (*visit)(const struct runtime_context *ctx, uint32_t object_id,
		      struct edge_sink *sink);
	/* After references: counts that nothing in memory holds, and the runtime can explain, get rows
	 * of snapshot.kept, and roots where nothing else holds the object. */
	struct error *(*counts)(struct runtime_context *ctx);
	/* After references, from several threads. False: the object is no text or buffer; or no
	 * container, or keeps nothing. */
	bool (*contents)(const struct runtime_context *ctx, uint32_t object_id,
			 struct object_contents *ret);
	bool (*spare)(const struct runtime_context *ctx, uint32_t object_id,
		      struct object_spare *ret);
	/* After references: spare rows of containers that are no objects of a runtime's own, by id. */
	struct error *(*containers)(struct runtime_context *ctx);
	/* Frees ctx->state[its id]. */
	void (*finish)(struct runtime_context *ctx);
};

/* By id. */
extern const struct runtime *const runtime_table[RUNTIMES];

struct error *runtime_prepare(struct runtime_context *ctx) _must_check_;
struct error *runtime_objects(struct runtime_context *ctx) _must_check_;
struct error *runtime_references(struct runtime_context *ctx) _must_check_;
struct error *runtime_counts(struct runtime_context *ctx) _must_check_;
/* equal and spare rows: savings.c. After references. */
struct error *runtime_savings(struct runtime_context *ctx) _must_check_;
/* Ends what prepare began, also after an error. */
void runtime_finish(struct runtime_context *ctx);
