/*
 * native: what can be said of memory that no better informed runtime has claimed.
 *
 *	threads.c   prepare: glibc's thread descriptors, living ones and dead ones
 *	stacks.c    prepare: the same as extents, and every thread's frames
 *	loader.c    prepare: what the dynamic loader has allocated and not written to
 *	pthreads.c  references: roots and stale words in thread descriptors
 *	roots.c     references: what outside the heap is read as a root, and the words found there
 *	edges.c     references: the words of every block
 *	names.c     objects: text, zeroes, arrays of pointers
 *	contents.c  contents that others may have, too
 *	containers.c  vectors, strings, deques and hash tables: how much of them is in use
 *	locator.c   which block does a word point to
 *	words.c     the words of a stretch of memory
 *
 * What keeps nothing alive, and why:
 *	free blocks, allocators' extents    the allocator's own; live blocks have rows of their own
 *	opaque ranges                       bookkeeping, see snapshot.h
 *	stack below the red zone            dead: the next call overwrites it
 *	cached stacks                       nobody's; but the DTV of one is libc's, no leak
 *	read-only file pages                a file holds no heap address
 * What is a root although it may look like bookkeeping: the loader's memory (EXTENT_LOADER) and
 * struct pthread, since blocks hang on them and on nothing else (link maps of dlopened libraries,
 * pthread_setspecific's second-level tables); and memory of an allocator that could not be walked
 * (EXTENT_DAMAGED), as a weak one.
 */
#pragma once

#include "runtime/native/locator.h"
#include "runtime/runtime.h"

/* Stacks, TLS and guards as extents, opaque ranges, and frame rows. */
struct error *native_threads_prepare(struct runtime_context *ctx) _must_check_;

/* Opaque ranges: what the loader has allocated and not written to. Before blocks are sealed. */
struct error *native_loader_hide(struct runtime_context *ctx) _must_check_;

/* Types and values of objects that nobody has typed. */
struct error *native_names(struct runtime_context *ctx) _must_check_;

/* runtime.h: contents. */
bool native_contents(const struct runtime_context *ctx, uint32_t object_id,
		     struct object_contents *ret);

/* runtime.h: containers. */
struct error *native_containers(struct runtime_context *ctx) _must_check_;

/* A word of a thread descriptor that is stale. */
struct native_unread_word {
	uint64_t address;
	bool weak; /* may still count, as a weak root */
};

/* What is in memory that is read, and does not count: see pthreads.c. */
struct native_unread {
	VEC(uint32_t) object; /* ids, ascending: live blocks whose words are not references */
	VEC(struct native_unread_word) word;
};

/* Roots that only who knows struct pthread can tell; fills *ret, which the caller ends. */
struct error *native_pthread_roots(struct runtime_context *ctx, const struct locator *l,
				   struct native_unread *ret) _must_check_;
/* NULL: the word at addr is like any other. */
const struct native_unread_word *native_unread_find(const struct native_unread *u, uint64_t addr);
void native_unread_deinit(struct native_unread *u);

/* Root rows. Adds to the books what it scanned. */
struct error *native_roots(struct runtime_context *ctx, const struct locator *l,
			   const struct native_unread *unread,
			   struct word_books *books) _must_check_;

/* The edge table, forward. Adds to the books what it scanned. */
struct error *native_edges(struct runtime_context *ctx, const struct locator *l,
			   const struct native_unread *unread,
			   struct word_books *books) _must_check_;
