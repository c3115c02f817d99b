/*
 * native: what can be said of memory that no better informed runtime has claimed.
 *
 *	threads.c   prepare: whose stack is which mapping, and how much of it is alive; thread-local
 *	            storage; stacks of threads that are gone; the loader's memory
 *	roots.c     references: what outside the heap is read as a root, and the words found there
 *	edges.c     references: the words of every block
 *	names.c     objects: text, zeroes, arrays of pointers
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

/* Types and values of objects that nobody has typed. */
struct error *native_names(struct runtime_context *ctx) _must_check_;

/* Root rows. Adds to the books what it scanned. */
struct error *native_roots(struct runtime_context *ctx, const struct locator *l,
			   struct word_books *books) _must_check_;

/* The edge table, forward. Adds to the books what it scanned. */
struct error *native_edges(struct runtime_context *ctx, const struct locator *l,
			   struct word_books *books) _must_check_;
