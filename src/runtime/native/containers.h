/*
 * containers: C++'s standard containers, and what looks like them, by the words that they consist of.
 * No debug information is needed, and none is used: the words say how much room there is, how much of it
 * is in use, and lie where a scan has found a reference to the block that they speak of.
 *
 * All of these must hold. `room` is the block's usable bytes, and "fills" means: is no more than room,
 * and room is no more than what malloc makes of such a request (rounding, or a rest too small to be a
 * chunk; a page for chunks of their own).
 *
 *	vector		| begin | end | limit |		libstdc++ bits/stl_vector.h; libc++, too
 *			begin is the block's first byte; begin <= end <= limit; limit - begin fills.
 *			No part of a FILE (glibc's own buffers), and no iterator of a deque, whose
 *			next word is where its first one came from
 *	vector<bool>	| begin | 0 | end | bit | limit |	bits/stl_bvector.h
 *	string		| text | length | room | or the text itself		bits/basic_string.h
 *			length <= capacity; (capacity + 1) characters of 1, 2 or 4 bytes fill; a NUL
 *			at length, and none before it in the first few. Short ones have no block
 *	deque		| table | its size | first: at, node, its end, in the table | last: the same |
 *			bits/stl_deque.h. The table fills; both nodes are where the table says, and of
 *			one size; all from the one to the other are blocks that have room for it
 *	hash table	| buckets | how many | first node | entries | load factor | grows at |
 *			bits/hashtable.h, from GCC 4.7 on. The buckets fill; the number to grow at is
 *			buckets times load factor; a first node exactly where there are entries
 *
 * LLVM's libc++ (container_libcxx.c), where that is in the process (if linked statically, by its symbols):
 *
 *	string		| capacity and a NUL, odd | length | text |	a long one's; short ones have no block
 *	deque		| table | first used | last | limit | start | entries |	the table fills; its used
 *			words are blocks of one size. Called "table of blocks": how large an entry is
 *			nothing tells, so it is the table's own room. (Of blocks it keeps two too many at most.)
 *	hash table	| buckets | how many | first node | entries | load factor |	the first node's bucket
 *			says that the third word is before it; of an empty one, all buckets are
 *	vector<bool>	| words | bits | how many words |	more bits than words, and not as many
 *			as they have bytes
 *
 * Strings of GCC before 5, and of programs built for them (libstdc++, _GLIBCXX_USE_CXX11_ABI=0): a word points
 * to the fourth word of a block | length | capacity | shared by | text|; capacity fills, and a NUL at length.
 *
 * Where nothing says that C++ is in the process, vectors and strings are called buffers: structures of C
 * that keep {begin, at, end}, or {text, length, room}, are the same in effect.
 *
 * Mistakes to expect: a copy of the words that is no longer in use (in a frame's dead part, in memory that
 * a program keeps for later, in bytes that an object never wrote) and still fits, because a block of the same size was given out at the same
 * place. Copies in the unused part of a vector or deque that was found, or where a string
 * would have its characters if it were short, are known to be dead; of several that speak
 * of one block, those on a stack count least, and then those that leave less unused count more.
 *
 * Found nowhere: std::list and trees (they keep no room), libc++'s alternate string layout, objects whose
 * header lies in memory that is not read for roots.
 *
 * Cost: one pass over the references, in order; bytes of a source are looked at only where a reference
 * to a block's first byte is not followed at once by one to another block. 48 bytes for each that is found
 * (spare rows), as many again while this runs.
 */
#pragma once

#include "runtime/native/native.h"

/* How container_shape_at looks. */
enum {
	CONTAINER_WHOLE = 1,
	CONTAINER_LIBCXX = 2, /* for libc++'s, too */
};

/* Where the words lie: `before` and `after` are how many there are on both sides of p. */
struct container_place {
	const uint8_t *p;
	uint64_t address;
	uint64_t before, after;
};

enum {
	CONTAINER_WORDS_BEFORE = 8, /* that a shape looks at */
	CONTAINER_WORDS_AFTER = 10,
};

/* A block of a deque's, and which bytes of it are entries. */
struct container_part {
	uint32_t id;
	uint64_t from, to;
};

/* What the words say of the block that they begin with. */
struct container_shape {
	uint64_t capacity, used; /* bytes; of a hash table: entries */
	uint64_t bytes;		 /* that made anew it would not have */
	uint8_t form;		 /* enum container_form */
	uint8_t certain;	 /* the more the better */
	uint8_t before; /* words of the container before the one that says where the block is */
	uint8_t parts;
	struct container_part
		part[2]; /* those that may be in use in part: a deque's first and last */
};

/*
 * The words are such of a container whose block is object `dst`: its first is the block's address. Takes
 * bounded time; with CONTAINER_WHOLE it looks at all blocks of a deque, without, at some of them, and `bytes` is not
 * right then.
 */
bool container_shape_at(const struct runtime_context *ctx, const struct container_place *at,
			uint32_t dst, unsigned how, struct container_shape *ret);

/* The block has a text that strings of GCC before 5 share, and its length: | length | capacity | shared | text. */
bool container_shared_text_at(const struct runtime_context *ctx, uint32_t dst,
			      struct container_shape *ret);
