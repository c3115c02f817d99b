/* container_shapes: what the files that know one library's containers share; see containers.h. */
#pragma once

#include "runtime/native/containers.h"

/* No container is larger: sizes cannot overflow. */
#define CONTAINER_SIZE_MOST (UINT64_C(1) << 40)

enum { CONTAINER_ROUNDED = 32 }; /* a request and a block differ by less */

/* A block, and the words that may be those of a container whose memory it is. */
struct block {
	const struct runtime_context *ctx;
	const struct container_place *at;
	uint32_t id;
	uint64_t start, room;
	bool alone; /* a chunk of its own: whole pages */
	bool whole; /* look at all that there is */
};

static inline uint64_t block_word(const struct block *b, int64_t i)
{
	const int64_t ws = b->ctx->image->word_size;
	return image_word_at(b->ctx->image, b->at->p + i * ws);
}

/* False: it is none of malloc's, or an object of some runtime. */
bool block_init(struct block *b, const struct runtime_context *ctx,
		const struct container_place *at, uint32_t id);
/* Could a request for so many bytes have made the block? */
bool block_fills(const struct block *b, uint64_t bytes);
/* What the block has too much when so many bytes are needed. */
uint64_t block_too_much(const struct block *b, uint64_t need);
/* `length` characters at `at`, then a NUL, and none among the first few. */
bool block_is_text(const struct block *b, uint64_t at, uint64_t length, uint64_t width);

/* container_libcxx.c: the words are those of a container of LLVM's libc++. */
bool libcxx_string(const struct block *b, struct container_shape *ret);
bool libcxx_deque(const struct block *b, struct container_shape *ret);
bool libcxx_hash(const struct block *b, struct container_shape *ret);
bool libcxx_bits(const struct block *b, struct container_shape *ret);
