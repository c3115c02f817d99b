/*
 * image: the address space of a process that is no more.
 *
 * It knows segments, modules, threads and bytes; it knows no file format (input/ fills it) and
 * reads no binaries (debuginfo/ adds their pages with image_add_backing). It does not relocate, does
 * not follow anything, and never writes.
 *
 *	segment   one mapping of the process, [start, end), in address order, never overlapping.
 *	          "present" bytes are in the dump; the rest is missing, or lent by a binary.
 *	span      where bytes come from: a run of addresses backed by one run of file bytes.
 *
 *	   segment  |---------------------------------------------|
 *	   spans    |#### dump ####|      |... hole: zeroes ...|## binary ##|
 *	                            ^ missing: no read succeeds here
 *
 * Life: image_create, filled by one input, image_seal (sorts, checks, cuts overlaps: damage), then
 * const for everyone but debuginfo, which may add backing and module facts before the heap is
 * looked at. The bytes of the dump stay mmapped; the image owns the mapping.
 *
 * Addresses are uint64_t, never pointers. Bytes are little-endian: on a big-endian host this
 * program does not build. Reads are bounded: image_read_* treats absence as an error, image_try_*
 * as an answer that costs nothing. Finding a span is a binary search, helped by a cache that the
 * caller may pass (struct image_cursor).
 */
#pragma once

#include "base/damage.h"
#include "base/error.h"
#include "base/log.h"
#include "base/region.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

enum image_machine {
	MACHINE_X86_64,
	MACHINE_AARCH64,
	MACHINE_I386,
};

enum segment_perms { PERM_R = 4, PERM_W = 2, PERM_X = 1 };

enum segment_kind {
	SEGMENT_ANON,	/* anonymous memory, purpose not known (yet) */
	SEGMENT_STACK,	/* a thread's or the process's stack */
	SEGMENT_MODULE, /* mapped from an executable or library */
	SEGMENT_FILE,	/* mapped from some other file */
	SEGMENT_SHARED, /* shared memory: /dev/shm, memfd, SysV, /dev/zero */
	SEGMENT_VDSO,	/* vdso, vvar, vsyscall */
	SEGMENT_HEAP,	/* the break: the kernel's [heap] */
	SEGMENT_KINDS,
};

struct image_segment {
	uint64_t start, end;
	uint64_t present;   /* bytes found in the dump (holes of the file count: they are zeroes) */
	uint8_t perms;	    /* enum segment_perms */
	uint8_t kind;	    /* enum segment_kind */
	uint32_t module_id; /* 0: none */
	uint64_t file_offset; /* of start within `name`, for MODULE and FILE */
	/*
	 * Path from NT_FILE, or what /proc/PID/maps would call it ("[heap]", "[stack]", "[vdso]",
	 * "[vvar]", "[vsyscall]"), or NULL. Lives as long as the image.
	 */
	const char *name;
};

enum span_origin {
	SPAN_DUMP,
	SPAN_ZERO,   /* a hole in the dump's file: zeroes, readable, not worth scanning */
	SPAN_BINARY, /* lent by a binary: the process had not changed it */
};

struct image_span {
	uint64_t start, end;
	const uint8_t *data; /* end - start bytes; valid for SPAN_ZERO too */
	uint8_t origin;	     /* enum span_origin */
	uint64_t run_end;    /* views may go on to here, over the spans behind it; set by sealing */
};

enum { BUILD_ID_MAX = 64 };

/*
 * One executable or library. What the dump alone tells is filled by image_find_modules; what needs
 * the binary (exe missing its headers, symbols) by debuginfo.
 */
struct image_module {
	uint64_t start, end; /* lowest and highest address of its mappings */
	uint64_t bias;	     /* add to the file's addresses; 0 for a non-PIE */
	const char *path;    /* as the process knew it; "[vdso]" */
	uint8_t build_id[BUILD_ID_MAX];
	uint32_t build_id_len; /* 0: not known */
	bool is_exe;
	bool extent_unknown; /* of files_only: start and end are made up */
	bool has_headers;    /* ELF header and program headers were read */
	uint64_t phdr;	     /* address of its program headers in memory, 0 unknown */
	uint32_t phnum;
	uint64_t dynamic;		 /* PT_DYNAMIC in memory, 0: none (static) */
	uint64_t relro_start, relro_end; /* PT_GNU_RELRO in memory; equal: none */
	uint64_t data_start, data_end;	 /* union of writable PT_LOADs in memory; equal: none */
					 /* (a guess from the mappings when !has_headers) */
	uint64_t tls_image, tls_image_size, tls_size, tls_align; /* PT_TLS; size 0: none */
	bool tls_static;     /* its block has the same place in every thread: image_tls_block */
	uint64_t tls_offset; /* glibc's l_tls_offset: that place, from the thread pointer */
	uint32_t tls_modid;  /* the loader's number for it; 0 unknown or none */
};

enum { IMAGE_REGS_MAX = 40 };

/* General registers in DWARF order of the machine, so that an unwinder and a human agree. */
struct image_thread {
	int32_t tid;
	int32_t signal; /* pr_cursig */
	char name[32];	/* "" unknown */
	uint64_t pc, sp, fp;
	uint64_t tp; /* thread pointer: fs base, TPIDR_EL0, gs base; 0 unknown; */
		     /* image_find_modules may find it by the DTV */
	uint64_t reg[IMAGE_REGS_MAX];
	uint32_t nreg;
	const uint8_t *vector;	/* raw bytes of NT_FPREGSET, NT_X86_XSTATE, NT_PRXFPREG ...: */
	uint64_t vector_len;	/* pointers may live there; all its notes, one after the other */
	uint32_t stack_segment; /* index of the segment that holds sp; UINT32_MAX none */
};

struct image_process {
	int32_t pid, ppid;
	int64_t uid, gid; /* -1 unknown */
	int32_t signal;	  /* what killed it; 0 none (gcore) */
	int32_t si_code;
	uint64_t si_addr; /* NT_SIGINFO fault address, 0 none */
	char comm[17];	  /* pr_fname */
	char args[81];	  /* pr_psargs */
	const char *exe;  /* path of the executable, or NULL */
	uint64_t at_entry, at_phdr, at_phnum, at_base, at_sysinfo_ehdr, at_execfn, at_random;
};

struct image {
	struct region region;
	struct damage_log *damage; /* not owned */
	struct log *log;	   /* not owned */
	enum image_machine machine;
	uint32_t word_size; /* 4 or 8 */
	uint64_t page_size; /* AT_PAGESZ, else 4096 */

	struct image_segment *segment;
	uint32_t nsegment, segment_room;
	struct image_span *span;
	uint32_t nspan, span_room;
	uint64_t *span_start; /* the starts again, close together for searching; set by sealing */
	struct image_span *lent; /* backing that image_seal_backing has not merged yet */
	uint32_t nlent, lent_room;
	struct image_module *module; /* id = index + 1 */
	uint32_t nmodule, module_room;
	struct image_thread *thread; /* id = index + 1; the one that dumped first */
	uint32_t nthread, thread_room;
	struct image_process process;

	/* The dump's own mapping, unmapped by image_destroy. */
	void *map;
	uint64_t map_len;
	bool truncated; /* the file ends before its segments do */
	bool sealed;
	bool modules_found;
	bool files_only; /* no process: binaries side by side, debuginfo_create_files */
};

/* ---- reading ---- */

/* A place to remember the last span in; zero it. One per thread of ours. */
struct image_cursor {
	uint32_t span;
};

struct error *image_read(const struct image *img, uint64_t addr, void *buf,
			 uint64_t len) _must_check_;
bool image_try_read(const struct image *img, uint64_t addr, void *buf, uint64_t len);
bool image_try_u8(const struct image *img, uint64_t addr, uint8_t *ret);
bool image_try_u16(const struct image *img, uint64_t addr, uint16_t *ret);
bool image_try_u32(const struct image *img, uint64_t addr, uint32_t *ret);
bool image_try_u64(const struct image *img, uint64_t addr, uint64_t *ret);
/* A word of the process: 4 or 8 bytes, zero-extended. */
bool image_try_word(const struct image *img, uint64_t addr, uint64_t *ret);

/*
 * The bytes at addr, without copying: a pointer to *avail (>= 1) bytes that lie together, NULL if
 * there is none. Valid as long as the image. `c` may be NULL.
 */
const uint8_t *image_view(const struct image *img, struct image_cursor *c, uint64_t addr,
			  uint64_t *avail);
/* As image_view, but NULL unless `len` bytes lie together. */
const uint8_t *image_view_all(const struct image *img, struct image_cursor *c, uint64_t addr,
			      uint64_t len);

/*
 * A string of at most `max` bytes into buf, which has room for max + 1: always terminated. Cut at
 * max (true); false when memory ends before the string does.
 */
bool image_try_string(const struct image *img, uint64_t addr, char *buf, size_t max);

/*
 * The next run of bytes worth scanning in [*at, end): skips what is missing and SPAN_ZERO holes.
 * Returns a view, sets *at to its address and *len to its length (cut at end); NULL: none left.
 *
 *	for (uint64_t at = start; (p = image_next_data(img, &at, end, &len)); at += len) ...
 */
const uint8_t *image_next_data(const struct image *img, uint64_t *at, uint64_t end, uint64_t *len);

/* NULL: no such place. Binary search. */
const struct image_segment *image_segment_find(const struct image *img, uint64_t addr);
/* Index of the first segment, or span, that ends above addr; nsegment, nspan: none. Binary search. */
uint32_t image_segment_from(const struct image *img, uint64_t addr);
uint32_t image_span_from(const struct image *img, uint64_t addr);
/* The module whose [start, end) holds addr and whose mapping is there; 0: none. */
uint32_t image_module_find(const struct image *img, uint64_t addr);
static inline const struct image_module *image_module_get(const struct image *img, uint32_t id)
{
	return &img->module[id - 1];
}

/* A word out of a view. No check: the caller knows that it is inside. Unaligned is fine. */
static inline uint64_t image_word_at(const struct image *img, const uint8_t *p)
{
	if (img->word_size == 8) {
		uint64_t v;
		memcpy(&v, p, 8);
		return v;
	}
	uint32_t v;
	memcpy(&v, p, 4);
	return v;
}

/* ---- filling ---- */

struct error *image_create(struct damage_log *damage, struct log *log,
			   struct image **ret) _must_check_;
void image_destroy(struct image *img);

/* seg->present is computed by image_seal. */
struct error *image_add_segment(struct image *img, const struct image_segment *seg) _must_check_;
struct error *image_add_span(struct image *img, const struct image_span *span) _must_check_;
struct error *image_add_thread(struct image *img, const struct image_thread *thread) _must_check_;
struct error *image_add_module(struct image *img, const struct image_module *module) _must_check_;

/* Sorts; cuts what overlaps (the first in the file wins; damage); merges spans that continue. */
struct error *image_seal(struct image *img) _must_check_;

/*
 * Lends bytes of a binary for [start, start + len) where the dump has none; addresses that the dump
 * has are left alone. `data` must outlive the image. Call image_seal_backing after the last.
 */
struct error *image_add_backing(struct image *img, uint64_t start, const uint8_t *data,
				uint64_t len) _must_check_;
struct error *image_seal_backing(struct image *img) _must_check_;

/*
 * modules.c: finds the modules from NT_FILE names, ELF headers in memory, the auxiliary vector and
 * the loader's link map; build ids from their notes; gives each segment its module and kind. Call
 * after image_seal; again, after backing has brought headers that were missing, refines: no module
 * comes or goes or changes its id then. Where .bss and the memory behind it are one mapping (the
 * kernel joins them), the segment is split, so indices of segments may change with each call.
 *
 * Guesses: which mapping is the break is not recorded in a dump. The first writable nameless one
 * above the executable, not more than 1 GiB away (no kernel randomises further), is called
 * SEGMENT_HEAP, and the nameless ones that touch it from above. A program that never used the break
 * and mapped memory there itself would be misread.
 */
struct error *image_find_modules(struct image *img) _must_check_;

/* Reads program headers of one module at its load address into the fields above. */
bool image_module_read_headers(struct image *img, struct image_module *module);

/*
 * Where the module's thread-local variables are for this thread, if it is one of those that the
 * loader placed beside the thread pointer: tls_size bytes. 0: none, not known, or allocated later
 * (look into the thread's DTV at tls_modid).
 */
uint64_t image_tls_block(const struct image *img, const struct image_module *module,
			 const struct image_thread *thread);
