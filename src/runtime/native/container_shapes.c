/* container_shapes: see containers.h for what must hold of each. */
#include "runtime/native/container_impl.h"

#include "base/checked.h"

#include <math.h>
#include <string.h>

enum {
	ALLOCATED_ALONE = 64 << 10, /* chunks of their own are not smaller, or hardly ever */
	TEXT_LOOKED_AT = 16,
	SHORT_BYTES =
		16, /* bits/basic_string.h: of _M_local_buf, _S_local_capacity + 1 characters */
	NODE_MORE_THAN = 256, /* bytes: 512 less what is over, or one element that is larger */
	NODES_LOOKED_AT = 64,
	MAP_LEAST = 8,		 /* bits/stl_deque.h, _M_initialize_map: _S_initial_map_size */
	SHARED_TEXT_PAGE = 4096, /* bits/cow_string.h, _S_create: __pagesize */
	SHARED_MOST = 1 << 24,	 /* strings with one text */
};

/* libio/libioP.h */
#define FILE_MAGIC UINT64_C(0xfbad0000)
#define FILE_MAGIC_MASK UINT64_C(0xffff0000)

bool block_init(struct block *b, const struct runtime_context *ctx,
		const struct container_place *at, uint32_t id)
{
	const struct object_table *o = &ctx->snapshot->object;
	*b = (struct block){
		.ctx = ctx,
		.at = at,
		.id = id,
		.start = o->address[id - 1],
		.room = object_room(o, id - 1),
	};
	b->alone = b->room >= ALLOCATED_ALONE && (b->start + b->room) % ctx->image->page_size == 0;
	return o->arena_id[id - 1] && !(o->runtime && o->runtime[id - 1]);
}

/* Usable bytes that malloc makes of a request: malloc/malloc.c, checked_request2size. */
static uint64_t malloc_usable(const struct runtime_context *ctx, uint64_t bytes)
{
	const uint64_t ws = ctx->image->word_size;
	const uint64_t chunk = (bytes + ws + 15) & ~UINT64_C(15);
	return (chunk > 4 * ws ? chunk : 4 * ws) - ws;
}

/* malloc gives no rest that is too small to be a chunk: of 32 bytes. */
bool block_fills(const struct block *b, uint64_t bytes)
{
	if (!bytes || bytes > b->room)
		return false;
	return b->room - bytes < (b->alone ? b->ctx->image->page_size : CONTAINER_ROUNDED) ||
	       b->room < malloc_usable(b->ctx, bytes) + CONTAINER_ROUNDED;
}

uint64_t block_too_much(const struct block *b, uint64_t need)
{
	if (!need)
		return b->room;
	const uint64_t usable = malloc_usable(b->ctx, need);
	return b->room > usable ? b->room - usable : 0;
}

/* ---- vectors ---- */

/* The flags of a FILE are before its buffers. A word that is an address of the dump is none, whatever its bits. */
static bool is_file(const struct block *b)
{
	for (int64_t i = 1; i <= CONTAINER_WORDS_BEFORE && (uint64_t)i <= b->at->before; i++) {
		const uint64_t word = block_word(b, -i);
		uint8_t byte;
		if ((word & UINT32_MAX & FILE_MAGIC_MASK) == FILE_MAGIC &&
		    !image_try_u8(b->ctx->image, word, &byte))
			return true;
	}
	return false;
}

/* {at, first, last, node}: the node's first word is where `first` came from. */
static bool is_iterator(const struct block *b)
{
	uint64_t node, first;
	if (b->at->after < 4 || block_word(b, 1) != b->start)
		return false;
	node = block_word(b, 3);
	return node % b->ctx->image->word_size == 0 &&
	       snapshot_object_find(b->ctx->snapshot, node) &&
	       image_try_word(b->ctx->image, node, &first) && first == b->start;
}

static bool is_vector(const struct block *b, struct container_shape *ret)
{
	const uint64_t end = block_word(b, 1), limit = block_word(b, 2);
	if (end < b->start || limit < end || !block_fills(b, limit - b->start) || is_file(b) ||
	    is_iterator(b))
		return false;
	*ret = (struct container_shape){
		.form = CONTAINER_VECTOR,
		.certain = 1,
		.capacity = limit - b->start,
		.used = end - b->start,
		.bytes = block_too_much(b, end - b->start),
	};
	return true;
}

static bool is_bits(const struct block *b, struct container_shape *ret)
{
	const uint64_t ws = b->ctx->image->word_size;
	if (b->at->after < 5 || block_word(b, 1) & UINT32_MAX)
		return false;
	const uint64_t end = block_word(b, 2), bit = block_word(b, 3) & UINT32_MAX,
		       limit = block_word(b, 4);
	if (bit >= ws * 8 || end < b->start || limit < end || (end - b->start) % ws ||
	    (limit - b->start) % ws || (limit == end && bit) || !block_fills(b, limit - b->start))
		return false;
	const uint64_t used = end - b->start + (bit + 7) / 8;
	*ret = (struct container_shape){
		.form = CONTAINER_VECTOR,
		.certain = 1,
		.capacity = limit - b->start,
		.used = used,
		.bytes = block_too_much(b, (used + ws - 1) / ws * ws),
	};
	return true;
}

/* ---- strings ---- */

static uint32_t character(const uint8_t *p, uint64_t width)
{
	return width == 1   ? p[0]
	       : width == 2 ? (uint32_t)(p[0] | p[1] << 8)
			    : (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
				      (uint32_t)p[3] << 24;
}

bool block_is_text(const struct block *b, uint64_t at, uint64_t length, uint64_t width)
{
	uint8_t look[TEXT_LOOKED_AT * 4];
	const uint64_t n = length < TEXT_LOOKED_AT ? length : TEXT_LOOKED_AT;
	if (!image_try_read(b->ctx->image, at + length * width, look, width) ||
	    character(look, width) || !image_try_read(b->ctx->image, at, look, n * width))
		return false;
	for (uint64_t i = 0; i < n; i++) {
		const uint32_t c = character(look + i * width, width);
		if (!c || c > 0x10ffff)
			return false;
	}
	return true;
}

static bool is_string(const struct block *b, struct container_shape *ret)
{
	const uint64_t length = block_word(b, 1), capacity = block_word(b, 2);
	if (length > capacity || capacity >= CONTAINER_SIZE_MOST)
		return false;
	for (uint64_t width = 4; width; width /= 2) {
		/* Wide ones first: where two fit, the other one has more left over. */
		/* So many lie in the string itself: _S_local_capacity. */
		const uint64_t local = SHORT_BYTES / width - 1;
		if (capacity <= local || !block_fills(b, (capacity + 1) * width) ||
		    !block_is_text(b, b->start, length, width))
			continue;
		*ret = (struct container_shape){
			.form = CONTAINER_STRING,
			.certain = 0,
			.capacity = capacity * width,
			.used = length * width,
			.bytes = block_too_much(b, length <= local ? 0 : (length + 1) * width),
		};
		return true;
	}
	return false;
}

/*
 * Do the words lie where a string would have its characters if it were short: | text | length | 16 bytes |?
 * A short one writes as many as it has, a long one the first word: its capacity. (In 32-bit processes three
 * words have room there.)
 */
static bool in_string(const struct block *b, uint64_t address)
{
	const int64_t ws = b->ctx->image->word_size;
	for (int64_t i = 2; (i + 3) * ws <= 2 * ws + SHORT_BYTES; i++) {
		if ((uint64_t)i > b->at->before)
			return false;
		const uint64_t text = block_word(b, -i);
		if (text == address - (uint64_t)((i - 2) * ws) &&
		    block_word(b, 1 - i) < SHORT_BYTES)
			return true;
		const struct container_place outer = {
			.p = b->at->p - i * ws,
			.address = address - (uint64_t)(i * ws),
			.after = 3,
		};
		struct container_shape shape;
		struct block of;
		const uint32_t id = i > 2 ? snapshot_object_find(b->ctx->snapshot, text) : 0;
		if (id && block_init(&of, b->ctx, &outer, id) && of.start == text &&
		    is_string(&of, &shape))
			return true;
	}
	return false;
}

/* ---- deques ---- */

struct deque_end {
	uint64_t at, first, last, node;
};

/* The end's node is in the table, where the table says. */
static bool deque_end_at(const struct block *b, int64_t i, uint64_t table_end, struct deque_end *e)
{
	uint64_t first;
	*e = (struct deque_end){block_word(b, i), block_word(b, i + 1), block_word(b, i + 2),
				block_word(b, i + 3)};
	return e->node >= b->start && e->node < table_end &&
	       (e->node - b->start) % b->ctx->image->word_size == 0 && e->at >= e->first &&
	       e->at < e->last && e->last - e->first > NODE_MORE_THAN &&
	       image_try_word(b->ctx->image, e->node, &first) && first == e->first;
}

/* The table's entry at `slot`: a block of `size` bytes at least. Its id; 0: it is none. */
static uint32_t deque_node(const struct block *b, uint64_t slot, uint64_t size)
{
	const struct snapshot *s = b->ctx->snapshot;
	uint64_t at;
	const uint32_t id =
		image_try_word(b->ctx->image, slot, &at) ? snapshot_object_find(s, at) : 0;
	return id && s->object.address[id - 1] == at && object_room(&s->object, id - 1) >= size ? id
												: 0;
}

static bool is_deque(const struct block *b, struct container_shape *ret)
{
	const uint64_t ws = b->ctx->image->word_size, slots = block_word(b, 1);
	struct deque_end first, last;
	if (b->at->after < 10 || slots < 3 || slots >= CONTAINER_SIZE_MOST / ws ||
	    !block_fills(b, slots * ws) || !deque_end_at(b, 2, b->start + slots * ws, &first) ||
	    !deque_end_at(b, 6, b->start + slots * ws, &last))
		return false;
	const uint64_t node = first.last - first.first;
	if (last.last - last.first != node || last.node < first.node ||
	    (last.node == first.node && last.at < first.at))
		return false;
	const uint64_t nodes = (last.node - first.node) / ws + 1;
	uint64_t had = 0;
	/* Many may claim one large table: only who is believed looks at all of it. */
	const uint64_t step = b->whole || nodes <= NODES_LOOKED_AT ? 1 : nodes / NODES_LOOKED_AT;
	for (uint64_t i = 0; i < nodes; i += step) {
		const uint32_t id = deque_node(b, first.node + i * ws, node);
		if (!id)
			return false;
		had += object_room(&b->ctx->snapshot->object, id - 1);
	}
	const uint32_t first_id = deque_node(b, first.node, node);
	const uint32_t last_id = deque_node(b, last.node, node);
	if (!first_id || !last_id)
		return false;
	const uint64_t used =
		(nodes - 1) * node + (last.at - last.first) - (first.at - first.first);
	const uint64_t need = used / node + 1;
	const uint64_t table = need + 2 > MAP_LEAST ? need + 2 : MAP_LEAST;
	const uint64_t anew =
		need * malloc_usable(b->ctx, node) + malloc_usable(b->ctx, table * ws);
	had += b->room;
	*ret = (struct container_shape){
		.form = CONTAINER_DEQUE,
		.certain = 3,
		.capacity = nodes * node,
		.used = used,
		.bytes = had > anew ? had - anew : 0,
		.parts = nodes > 1 ? 2 : 1,
		.part = {{
				 .id = first_id,
				 .from = first.at - first.first,
				 .to = nodes > 1 ? node : last.at - last.first,
			 },
			 {
				 .id = last_id,
				 .to = last.at - last.first,
			 }},
	};
	return true;
}

/* ---- hash tables ---- */

static bool is_hash(const struct block *b, struct container_shape *ret)
{
	const uint64_t ws = b->ctx->image->word_size, buckets = block_word(b, 1);
	if (b->at->after < 6 || buckets < 2 || buckets >= CONTAINER_SIZE_MOST / ws ||
	    !block_fills(b, buckets * ws))
		return false;
	const uint64_t node = block_word(b, 2), entries = block_word(b, 3),
		       grows = block_word(b, 5);
	const uint32_t bits = (uint32_t)block_word(b, 4);
	float load;
	memcpy(&load, &bits, sizeof(load));
	if (!(load >= 0.001f && load <= 1000.0f))
		return false;
	/* bits/hashtable_policy.h, _M_next_bkt: rounded up, since GCC 5 or so down */
	const double limit = (double)buckets * (double)load;
	if (fabs((double)grows - limit) > 1.0 || entries >= CONTAINER_SIZE_MOST ||
	    (node != 0) != (entries != 0))
		return false;
	if (node) {
		const uint32_t id = snapshot_object_find(b->ctx->snapshot, node);
		if (!id || b->ctx->snapshot->object.address[id - 1] != node)
			return false;
	}
	const uint64_t need = (uint64_t)ceil((double)entries / (double)load);
	*ret = (struct container_shape){
		.form = CONTAINER_HASH,
		.certain = 2,
		.capacity = entries > grows ? entries : grows,
		.used = entries,
		.bytes = block_too_much(b, need * ws),
	};
	return true;
}

/* ---- strings of GCC before 5, and of programs that ask for them: _GLIBCXX_USE_CXX11_ABI ---- */

/*
 * bits/cow_string.h, _S_create: what is larger than a page is made to end where one ends, malloc's own
 * words counted in.
 */
static uint64_t shared_text_bytes(const struct block *b, uint64_t length, uint64_t width)
{
	const uint64_t ws = b->ctx->image->word_size, page = SHARED_TEXT_PAGE;
	const uint64_t bytes = 3 * ws + (length + 1) * width, with = bytes + 4 * ws;
	return with > page && length ? bytes + (page - with % page) / width * width : bytes;
}

bool container_shared_text_at(const struct runtime_context *ctx, uint32_t dst,
			      struct container_shape *ret)
{
	const uint64_t ws = ctx->image->word_size;
	uint64_t length, capacity;
	uint32_t shared;
	struct block b;
	if (!block_init(&b, ctx, NULL, dst) || !image_try_word(ctx->image, b.start, &length) ||
	    !image_try_word(ctx->image, b.start + ws, &capacity) ||
	    !image_try_u32(ctx->image, b.start + 2 * ws, &shared) || length > capacity ||
	    !capacity || capacity >= CONTAINER_SIZE_MOST || (int32_t)shared < -1 ||
	    shared + 1 > SHARED_MOST)
		return false;
	/* One that is empty, or of one character, may be a narrow or a wide one: narrow ones are more. */
	for (uint64_t width = 1; width <= 4; width *= 2) {
		if (!block_fills(&b, 3 * ws + (capacity + 1) * width) ||
		    !block_is_text(&b, b.start + 3 * ws, length, width))
			continue;
		*ret = (struct container_shape){
			.form = CONTAINER_STRING,
			.certain = 2,
			.capacity = capacity * width,
			.used = length * width,
			.bytes = block_too_much(&b,
						length ? shared_text_bytes(&b, length, width) : 0),
		};
		return true;
	}
	return false;
}

bool container_shape_at(const struct runtime_context *ctx, const struct container_place *at,
			uint32_t dst, unsigned how, struct container_shape *ret)
{
	struct block b;
	if (!at->after || !block_init(&b, ctx, at, dst) || block_word(&b, 0) != b.start)
		return false;
	b.whole = how & CONTAINER_WHOLE;
	if (at->after >= 3) {
		if (how & CONTAINER_LIBCXX && libcxx_deque(&b, ret))
			return true;
		if (is_vector(&b, ret) || is_hash(&b, ret) || is_deque(&b, ret) ||
		    is_string(&b, ret) || is_bits(&b, ret))
			return !in_string(&b, at->address);
	}
	return how & CONTAINER_LIBCXX &&
	       ((at->after >= 3 && libcxx_hash(&b, ret)) || libcxx_string(&b, ret) ||
		(at->after >= 3 && libcxx_bits(&b, ret)));
}
