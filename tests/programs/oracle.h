/*
 * oracle: a program that knows the truth about its own heap, and dumps core.
 *
 * A program includes this file once, defines `situation` and makes one situation there; main
 * (below) calls it, scrubs what it left on the stack and in registers, and dies by abort().
 *
 * The truth goes to file descriptor ORACLE_FD (open it in append mode: `./prog 198>>truth`), one
 * record per event, written at once: the program keeps no table of addresses that a scan of its
 * memory could take for references. Every allocation is recorded, libc's own too: this file defines
 * malloc and its kin over __libc_malloc, so what libc or the loader asks for comes by here (a
 * static program is linked with -z muldefs). A block is recorded after it was allocated and before
 * it is freed, so the order of the records is right for several threads as well.
 *
 * What a record says beyond that is in enum oracle_op. tests/e2e/oracle.py reads them.
 *
 * Compile with -fno-builtin-malloc (and -calloc, -realloc, -free): an optimizer that sees a block's
 * whole life removes it.
 */
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __cplusplus
#define ORACLE_C extern "C"
#define ORACLE_THROW noexcept
#else
#define ORACLE_C
#define ORACLE_THROW
#endif

enum { ORACLE_FD = 198 };

/* Addresses are never stored plain, not even for the moment of writing. */
#define ORACLE_KEY ((uintptr_t)0xa5a5a5a5a5a5a5a5u)
#define noinline_ __attribute__((noinline))

enum oracle_op {
	ORACLE_ALLOC = 1,     /* address, size: usable bytes */
	ORACLE_FREE = 2,      /* address */
	ORACLE_EXPECT = 3,    /* address; arg: value of object.reachable */
	ORACLE_LEAK = 4,      /* address; arg: number of its leak cluster (repeated: one of them) */
	ORACLE_HEAD = 5,      /* address; arg: the cluster whose head it is */
	ORACLE_ISFREE = 6,    /* address, size: usable bytes; text: free_block.kind */
	ORACLE_ROOT = 7,      /* address; text: a root of this kind holds it */
	ORACLE_TYPE = 8,      /* address; text: end of its type's name */
	ORACLE_VALUE = 9,     /* address; text: its preview contains this */
	ORACLE_MALLINFO = 10, /* arg: which field of mallinfo; size: its value */
	ORACLE_CYCLE = 11,    /* address; arg: number of its cycle */
	ORACLE_TRIM = 12,     /* size: resident bytes that malloc_trim(0) gave back, in a copy */
	ORACLE_GONE = 13,     /* address; it goes when what the program is about goes */
	ORACLE_GIVEN = 14,    /* size: bytes that the system then got, in a copy */
	ORACLE_EQUAL = 15,    /* address; arg: number of the group whose members say the same */
	ORACLE_ROOM =
		16, /* address of a container's block; arg: how much of it is in use; size: capacity; text:
				 what the container is */
	ORACLE_SPARE = 17, /* address; size: bytes that the container would not have if made anew */
	ORACLE_HEADER = 18, /* address; size: address of the container itself */
	ORACLE_CUT =
		19, /* arg: its number; address: of the block, size: where in it the pointer is that is
			       cut (text "slot"; "pair": all of the block to the same one); "root": address of a
			       variable */
	ORACLE_CUT_OF = 20, /* arg: number; address: what it pointed to */
	ORACLE_CUT_FREES =
		21, /* arg: number; address: blocks that were freed for it in a copy; size: their bytes */
	ORACLE_CUT_GIVEN = 22, /* arg: number; size: bytes that the system got */
};

struct oracle_record {
	uint32_t op, arg;
	uint64_t address, size; /* ^ 0xa5a5a5a5a5a5a5a5 */
	char text[24];
};

/* No libc here: it runs inside malloc, before main, in any thread, and must leave errno alone. */
static inline long oracle_syscall3(long n, long a, long b, long c)
{
	long ret;
#if defined(__x86_64__)
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(n), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
#elif defined(__i386__)
	__asm__ volatile("int $0x80" : "=a"(ret) : "0"(n), "b"(a), "c"(b), "d"(c) : "memory");
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x8) : "memory");
	ret = x0;
#else
#error "oracle.h: teach me this machine's system calls"
#endif
	return ret;
}

static noinline_ void oracle_put(enum oracle_op op, uint32_t arg, uintptr_t address, uint64_t size,
				 const char *text)
{
	struct oracle_record r;
	for (unsigned i = 0; i < sizeof(r); i++)
		((volatile char *)&r)[i] = 0;
	r.op = (uint32_t)op;
	r.arg = arg;
	r.address = (uint64_t)address ^ 0xa5a5a5a5a5a5a5a5u;
	r.size = size ^ 0xa5a5a5a5a5a5a5a5u;
	for (unsigned i = 0; text && text[i] && i < sizeof(r.text) - 1; i++)
		r.text[i] = text[i];
	if (oracle_syscall3(SYS_write, ORACLE_FD, (long)&r, sizeof(r)) != (long)sizeof(r)) {
		static const char why[] = "oracle: cannot write the truth to descriptor 198\n";
		oracle_syscall3(SYS_write, 2, (long)why, sizeof(why) - 1);
		oracle_syscall3(SYS_exit_group, 99, 0, 0);
	}
}

static inline void oracle_expect(const volatile void *p, unsigned reachable)
{
	oracle_put(ORACLE_EXPECT, reachable, (uintptr_t)p, 0, NULL);
}

/* p is lost, a member of this cluster; numbers mean nothing but same or other. */
static inline void oracle_leak(const volatile void *p, unsigned cluster)
{
	oracle_put(ORACLE_LEAK, cluster, (uintptr_t)p, 0, NULL);
}

/* p is lost, and the one to blame for this cluster. */
static inline void oracle_head(const volatile void *p, unsigned cluster)
{
	oracle_leak(p, cluster);
	oracle_put(ORACLE_HEAD, cluster, (uintptr_t)p, 0, NULL);
}

static inline void oracle_cycle(const volatile void *p, unsigned cycle)
{
	oracle_put(ORACLE_CYCLE, cycle, (uintptr_t)p, 0, NULL);
}

static inline void oracle_equal(const volatile void *p, unsigned group)
{
	oracle_put(ORACLE_EQUAL, group, (uintptr_t)p, 0, NULL);
}

static inline void oracle_room(const volatile void *p, const char *form, size_t capacity,
			       size_t used, size_t spare, const volatile void *header)
{
	oracle_put(ORACLE_ROOM, (uint32_t)used, (uintptr_t)p, capacity, form);
	oracle_put(ORACLE_SPARE, 0, (uintptr_t)p, spare, NULL);
	oracle_put(ORACLE_HEADER, 0, (uintptr_t)p, (uintptr_t)header, NULL);
}

static inline void oracle_root(const volatile void *p, const char *kind)
{
	oracle_put(ORACLE_ROOT, 0, (uintptr_t)p, 0, kind);
}

static inline void oracle_type(const volatile void *p, const char *name)
{
	oracle_put(ORACLE_TYPE, 0, (uintptr_t)p, 0, name);
}

static inline void oracle_value(const volatile void *p, const char *text)
{
	oracle_put(ORACLE_VALUE, 0, (uintptr_t)p, 0, text);
}

/* There will be a free block of this kind here when the program dies. */
static inline void oracle_is_free(uintptr_t address, size_t usable, const char *kind)
{
	oracle_put(ORACLE_ISFREE, 0, address, usable, kind);
}

/* What the allocator itself counts: an opinion independent of our own. */
static inline void oracle_mallinfo(void)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
	struct mallinfo m = mallinfo(); /* mallinfo2 came with glibc 2.33 */
#pragma GCC diagnostic pop
	int field[] = {m.arena,	  m.ordblks,  m.smblks,	  m.hblks,   m.hblkhd,
		       m.fsmblks, m.uordblks, m.fordblks, m.keepcost};
	for (unsigned i = 0; i < sizeof(field) / sizeof(field[0]); i++)
		oracle_put(ORACLE_MALLINFO, i, 0, (unsigned)field[i], NULL);
}

/* ---- every allocation of the process ---- */

ORACLE_C void *__libc_malloc(size_t);
ORACLE_C void *__libc_calloc(size_t, size_t);
ORACLE_C void *__libc_realloc(void *, size_t);
ORACLE_C void *__libc_memalign(size_t, size_t);
ORACLE_C void __libc_free(void *);

static inline void *oracle_alloc(void *p)
{
	if (p)
		oracle_put(ORACLE_ALLOC, 0, (uintptr_t)p, malloc_usable_size(p), NULL);
	return p;
}

ORACLE_C void *malloc(size_t n) ORACLE_THROW
{
	return oracle_alloc(__libc_malloc(n));
}

ORACLE_C void *calloc(size_t n, size_t size) ORACLE_THROW
{
	return oracle_alloc(__libc_calloc(n, size));
}

ORACLE_C void free(void *p) ORACLE_THROW
{
	if (!p)
		return;
	oracle_put(ORACLE_FREE, 0, (uintptr_t)p, 0, NULL);
	__libc_free(p);
}

ORACLE_C void *realloc(void *p, size_t n) ORACLE_THROW
{
	uintptr_t old = (uintptr_t)p;
	size_t size = p ? malloc_usable_size(p) : 0;
	if (p)
		oracle_put(ORACLE_FREE, 0, old, 0, NULL);
	void *q = __libc_realloc(p, n);
	if (!q && old && n) /* refused: the old one lives on */
		oracle_put(ORACLE_ALLOC, 0, old, size, NULL);
	return oracle_alloc(q);
}

ORACLE_C void *memalign(size_t align, size_t n) ORACLE_THROW
{
	return oracle_alloc(__libc_memalign(align, n));
}

ORACLE_C void *aligned_alloc(size_t align, size_t n) ORACLE_THROW
{
	return oracle_alloc(__libc_memalign(align, n));
}

ORACLE_C int posix_memalign(void **ret, size_t align, size_t n) ORACLE_THROW
{
	void *p = oracle_alloc(__libc_memalign(align, n));
	if (!p)
		return ENOMEM;
	*ret = p;
	return 0;
}

/* ---- leaving no traces ---- */

static noinline_ void oracle_scrub_stack(void)
{
	volatile char dead[1 << 17];
	for (unsigned i = 0; i < sizeof(dead); i += sizeof(long))
		*(volatile long *)(dead + i) = 0;
}

/* What a call may clobber; the rest belongs to the callers. */
static noinline_ void oracle_scrub_registers(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall");
	else
		__asm__ volatile(
			"pxor %%xmm0,%%xmm0\npxor %%xmm1,%%xmm1\npxor %%xmm2,%%xmm2\n"
			"pxor %%xmm3,%%xmm3\npxor %%xmm4,%%xmm4\npxor %%xmm5,%%xmm5\n"
			"pxor %%xmm6,%%xmm6\npxor %%xmm7,%%xmm7\npxor %%xmm8,%%xmm8\n"
			"pxor %%xmm9,%%xmm9\npxor %%xmm10,%%xmm10\npxor %%xmm11,%%xmm11\n"
			"pxor %%xmm12,%%xmm12\npxor %%xmm13,%%xmm13\npxor %%xmm14,%%xmm14\n"
			"pxor %%xmm15,%%xmm15" ::
				: "memory");
		/* libc's string functions prefer these: no vzeroupper needed after them */
#define Z(n) "vpxorq %%zmm" #n ",%%zmm" #n ",%%zmm" #n "\n"
	if (__builtin_cpu_supports("avx512f"))
		__asm__ volatile(Z(16) Z(17) Z(18) Z(19) Z(20) Z(21) Z(22) Z(23) Z(24) Z(25) Z(26)
					 Z(27) Z(28) Z(29) Z(30) Z(31)::
						 : "memory");
#undef Z
	__asm__ volatile("xor %%eax,%%eax\nxor %%ecx,%%ecx\nxor %%edx,%%edx\nxor %%esi,%%esi\n"
			 "xor %%edi,%%edi\nxor %%r8d,%%r8d\nxor %%r9d,%%r9d\nxor %%r10d,%%r10d\n"
			 "xor %%r11d,%%r11d" ::
				 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
				   "cc");
#elif defined(__i386__)
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall");
	else if (__builtin_cpu_supports("sse2"))
		__asm__ volatile("pxor %%xmm0,%%xmm0\npxor %%xmm1,%%xmm1\npxor %%xmm2,%%xmm2\n"
				 "pxor %%xmm3,%%xmm3\npxor %%xmm4,%%xmm4\npxor %%xmm5,%%xmm5\n"
				 "pxor %%xmm6,%%xmm6\npxor %%xmm7,%%xmm7" ::
					 : "memory");
	__asm__ volatile("xor %%eax,%%eax\nxor %%ecx,%%ecx\nxor %%edx,%%edx" ::
				 : "eax", "ecx", "edx", "cc");
#elif defined(__aarch64__)
#define Z(n) "movi v" #n ".2d, #0\n"
	__asm__ volatile(Z(0) Z(1) Z(2) Z(3) Z(4) Z(5) Z(6) Z(7) Z(16) Z(17) Z(18) Z(19) Z(20) Z(21)
				 Z(22) Z(23) Z(24) Z(25) Z(26) Z(27) Z(28) Z(29) Z(30) Z(31)::
					 : "memory");
#undef Z
	__asm__ volatile(
		"mov x1,#0\nmov x2,#0\nmov x3,#0\nmov x4,#0\nmov x5,#0\nmov x6,#0\nmov x7,#0\n"
		"mov x9,#0\nmov x10,#0\nmov x11,#0\nmov x12,#0\nmov x13,#0\nmov x14,#0\n"
		"mov x15,#0\nmov x16,#0\nmov x17,#0" ::
			: "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x9", "x10", "x11", "x12",
			  "x13", "x14", "x15", "x16", "x17");
#endif
}

static inline void oracle_scrub(void)
{
	oracle_scrub_stack();
	oracle_scrub_registers();
}

static noinline_ __attribute__((noreturn)) void oracle_die_clean(void)
{
	oracle_mallinfo();
	oracle_scrub();
	abort();
}

/* Scrubs before that as well: its own frame comes to lie where the situation's was. */
static inline __attribute__((noreturn)) void oracle_die(void)
{
	oracle_scrub();
	oracle_die_clean();
}

/* ---- what situations are made of ---- */

struct node {
	struct node *a, *b;
	uint64_t fill[6];
};

/* Zeroed, so that no freed block's pointers live on in it. */
static noinline_ struct node *new_node(void)
{
	struct node *n = (struct node *)calloc(1, sizeof(struct node));
	if (!n)
		abort();
	return n;
}

static noinline_ void *new_block(size_t size)
{
	void *p = malloc(size);
	if (!p)
		abort();
	memset(p, 0, malloc_usable_size(p));
	return p;
}

/*
 * A thread that has done its work: counts itself ready, leaves nothing on its stack, and waits.
 * Its caller's frames stay.
 */
static int oracle_ready;

static noinline_ void oracle_wait_clean(void)
{
	oracle_scrub();
	__atomic_add_fetch(&oracle_ready, 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

static inline void oracle_wait_forever(void)
{
	oracle_scrub();
	oracle_wait_clean();
}

static noinline_ void oracle_wait_ready(int n)
{
	while (__atomic_load_n(&oracle_ready, __ATOMIC_SEQ_CST) < n)
		usleep(1000);
	usleep(20000); /* until they sleep in pause() */
}

/* The situation. May return or call oracle_die itself, when its own frame matters. */
/* The threads' caches are off: the program starts itself again for that, with nothing told yet. */
static inline void oracle_without_tcache(char **argv)
{
	if (getenv("GLIBC_TUNABLES"))
		return;
	setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
	if (ftruncate(ORACLE_FD, 0))
		abort();
	execv("/proc/self/exe", argv);
	abort();
}

static noinline_ void situation(int argc, char **argv);

int main(int argc, char **argv)
{
	situation(argc, argv);
	oracle_die();
}
