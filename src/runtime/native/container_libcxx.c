/*
 * container_libcxx: containers of LLVM's libc++ that are not as in libstdc++; see containers.h for what
 * must hold of each. Layouts: libcxx/include of LLVM 14, the same in 19 but where it says so.
 */
#include "runtime/native/container_impl.h"

#include <math.h>
#include <string.h>

enum {
	SHORT_WORDS =
		3, /* a short string has its characters in the string itself, a length before */
	TEXT_UNIT = 16, /* string, __recommend: bytes; from LLVM 18 on 8 */
	TEXT_UNIT_LEAST = 8,
	NODE_LEAST =
		4096 - 255,  /* deque, __deque_block_size: 4096 bytes of entries, or 16 entries */
	NODE_ENTRIES = 4096, /* no more of them in a block */
	LOOKED_AT = 64,	     /* words of a table */
};

static uint64_t round_up(uint64_t n, uint64_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* string: | __cap_, and 1 | __size_ | __data_ |; the words are those from __data_ on. */
bool libcxx_string(const struct block *b, struct container_shape *ret)
{
	const uint64_t ws = b->ctx->image->word_size;
	if (b->at->before < 2)
		return false;
	const uint64_t cap = block_word(b, -2) - 1, length = block_word(b, -1);
	if (cap & 1 || cap >= CONTAINER_SIZE_MOST || length >= cap)
		return false;
	for (uint64_t width = 4; width; width /= 2) {
		/* __min_cap: so many lie in the string, with a NUL. */
		uint64_t local = (SHORT_WORDS * ws - 1) / width;
		if (local < 2)
			local = 2;
		const uint64_t bytes = cap * width;
		if (cap <= local || bytes % TEXT_UNIT_LEAST || !block_fills(b, bytes) ||
		    !block_is_text(b, b->start, length, width))
			continue;
		const uint64_t unit = bytes % TEXT_UNIT ? TEXT_UNIT_LEAST : TEXT_UNIT;
		*ret = (struct container_shape){
			.form = CONTAINER_STRING,
			.before = 2,
			.certain = length != 0,
			.capacity = (cap - 1) * width,
			.used = length * width,
			.bytes = block_too_much(
				b, length < local ? 0 : round_up((length + 1) * width, unit)),
		};
		return true;
	}
	return false;
}

/*
 * deque: | __first_ | __begin_ | __end_ | __end_cap_ | __start_ | __size_ |, a table of blocks; the last two
 * are numbers of entries, and nothing says how large these are. A block more at each end may be kept.
 */
bool libcxx_deque(const struct block *b, struct container_shape *ret)
{
	const struct snapshot *s = b->ctx->snapshot;
	const uint64_t ws = b->ctx->image->word_size;
	if (b->at->after < 6)
		return false;
	const uint64_t begin = block_word(b, 1), end = block_word(b, 2), limit = block_word(b, 3);
	const uint64_t from = block_word(b, 4), entries = block_word(b, 5);
	if (begin < b->start || end <= begin || limit < end || (begin - b->start) % ws ||
	    (end - begin) % ws || (limit - b->start) % ws || !block_fills(b, limit - b->start))
		return false;
	const uint64_t nodes = (end - begin) / ws;
	if (from >= CONTAINER_SIZE_MOST || entries >= CONTAINER_SIZE_MOST ||
	    from + entries > nodes * NODE_ENTRIES)
		return false;
	const uint64_t step = nodes <= LOOKED_AT ? 1 : nodes / LOOKED_AT;
	uint64_t room = 0;
	for (uint64_t i = 0; i < nodes; i += step) {
		struct block node;
		uint64_t at;
		const uint32_t id = image_try_word(b->ctx->image, begin + i * ws, &at)
					    ? snapshot_object_find(s, at)
					    : 0;
		if (!id || !block_init(&node, b->ctx, NULL, id) || node.start != at ||
		    node.room < NODE_LEAST)
			return false;
		if (!room)
			room = node.room;
		/* All were asked for with one size. */
		if (!block_fills(&node, room) && room - node.room >= CONTAINER_ROUNDED)
			return false;
	}
	*ret = (struct container_shape){
		.form = CONTAINER_BLOCK_TABLE,
		.certain = 3,
		.capacity = limit - b->start,
		.used = end - begin,
		.bytes = block_too_much(b, end - begin),
	};
	return true;
}

/* __hash_table, __constrain_hash */
static uint64_t bucket_of(uint64_t hash, uint64_t buckets)
{
	return buckets & (buckets - 1) ? hash % buckets : hash & (buckets - 1);
}

/* The first `n` words of the table are nobody's. */
static bool is_empty_table(const struct block *b, uint64_t n)
{
	const uint64_t ws = b->ctx->image->word_size;
	uint64_t word;
	for (uint64_t i = 0; i < n && i < LOOKED_AT; i++)
		if (!image_try_word(b->ctx->image, b->start + i * ws, &word) || word)
			return false;
	return true;
}

/*
 * __hash_table: | buckets | how many | first node | entries | load factor |. The bucket of the first node
 * says what is before it: the third word.
 */
bool libcxx_hash(const struct block *b, struct container_shape *ret)
{
	const struct image *img = b->ctx->image;
	const uint64_t ws = img->word_size, buckets = block_word(b, 1);
	if (b->at->after < 5 || buckets < 2 || buckets >= CONTAINER_SIZE_MOST / ws ||
	    !block_fills(b, buckets * ws))
		return false;
	const uint64_t node = block_word(b, 2), entries = block_word(b, 3);
	const uint32_t bits = (uint32_t)block_word(b, 4);
	uint64_t hash, before;
	float load;
	memcpy(&load, &bits, sizeof(load));
	if (!(load >= 0.001f && load <= 1000.0f) || entries >= CONTAINER_SIZE_MOST ||
	    (node != 0) != (entries != 0))
		return false;
	if (!node && !is_empty_table(b, buckets))
		return false;
	if (node && (!image_try_word(img, node + ws, &hash) ||
		     !image_try_word(img, b->start + bucket_of(hash, buckets) * ws, &before) ||
		     before != b->at->address + 2 * ws))
		return false;
	const uint64_t grows = (uint64_t)((double)buckets * (double)load);
	const uint64_t need = (uint64_t)ceil((double)entries / (double)load);
	*ret = (struct container_shape){
		.form = CONTAINER_HASH,
		.certain = node ? 2 : 1,
		.capacity = entries > grows ? entries : grows,
		.used = entries,
		.bytes = block_too_much(b, need * ws),
	};
	return true;
}

/*
 * vector<bool>: | words | __size_: bits | how many words |. So few bits that they could be a number of
 * words, or so many that they are the words' bytes, say nothing: many others count like that.
 */
bool libcxx_bits(const struct block *b, struct container_shape *ret)
{
	const uint64_t ws = b->ctx->image->word_size;
	const uint64_t bits = block_word(b, 1), words = block_word(b, 2);
	if (words >= CONTAINER_SIZE_MOST / ws || bits <= words || bits == words * ws ||
	    bits > words * ws * 8 || !block_fills(b, words * ws))
		return false;
	*ret = (struct container_shape){
		.form = CONTAINER_VECTOR,
		.certain = 0, /* two small numbers: old words of one will do */
		.capacity = words * ws,
		.used = (bits + 7) / 8,
		.bytes = block_too_much(b, ((bits + 7) / 8 + ws - 1) / ws * ws),
	};
	return true;
}
