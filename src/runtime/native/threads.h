/*
 * threads: whose stack is which mapping. glibc's thread descriptors, found by their structure.
 *
 * A thread made by pthread_create lives in one block of memory (glibc nptl/allocatestack.c):
 *
 *	x86	|guard| stack, grows down  |static TLS|struct pthread|
 *						       ^ thread pointer
 *	aarch64	|guard| stack, grows down |struct pthread|TCB|static TLS|
 *							  ^ thread pointer
 *
 * struct pthread (nptl/descr.h) differs between releases, but always has
 *	list		links of a ring: the stacks in use, those the program brought, or the cached
 *			ones of exited threads; each ring has a head in ld.so's data (since 2.34;
 *			libpthread's before; the program's own where it is static)
 *	tid		right behind the links; 0 once the thread has exited, -1 once it was joined
 *	stackblock, stackblock_size, guardsize
 * so the offsets are not looked up in a table, but found: `list` is the first place that closes a
 * ring in every live thread, `stackblock` the three words that describe a block around the
 * descriptor. Other C libraries have none of it; their threads get a stack from sp on.
 */
#pragma once

#include "base/vec.h"
#include "runtime/runtime.h"

enum thread_state {
	THREAD_LIVE,   /* in the dump's list of threads */
	THREAD_EXITED, /* has ended, waits to be joined: its result counts, its stack does not */
	THREAD_CACHED, /* has ended; stack kept for the next thread */
};

struct native_thread {
	enum thread_state state;
	uint32_t thread_id; /* 0 unless LIVE */
	uint64_t tp;
	uint64_t block, block_end;   /* stackblock; equal: none (the first thread), or not known */
	uint64_t block_slot;	     /* where the descriptor says so; 0 unknown */
	uint64_t guard;		     /* bytes of it at its start */
	uint64_t tls_start, tls_end; /* thread descriptor and static TLS; equal: not known */
	uint64_t descriptor, descriptor_end; /* struct pthread alone, as far as it is known */
	uint64_t stack_top;		     /* the stack ends here (lies below this) */
	uint64_t dtv;			     /* dynamic thread vector: &dtv[0]; 0 none */
};

struct native_threads {
	VEC(struct native_thread) thread;
	int64_t list_offset, tid_offset; /* from the thread pointer; 0: no rings found */
};

/* Reads the rings. Threads that are no glibc's have tp and nothing else. */
struct error *native_threads_find(struct runtime_context *ctx,
				  struct native_threads *ret) _must_check_;
void native_threads_deinit(struct native_threads *t);

/*
 * Calls `each` for every block of thread-local storage that the thread's DTV says was allocated for
 * it alone (dynamic TLS): the block's own address. Bounded.
 */
struct error *native_dtv_walk(const struct runtime_context *ctx, const struct native_thread *t,
			      struct error *(*each)(void *arg, uint64_t block),
			      void *arg) _must_check_;

/* The word of the descriptor that points to the DTV. */
uint64_t native_dtv_slot(const struct image *img, uint64_t tp);

/*
 * The word of the descriptor that has pthread_create's argument: behind start_routine, which is the
 * first word to point to code in the two dozen before stackblock. False: not found.
 */
bool native_arg_slot(const struct image *img, const struct native_thread *t, uint64_t *ret);

/* Bytes below sp that belong to the innermost function, by the machine's ABI. */
uint64_t native_red_zone(const struct image *img);
