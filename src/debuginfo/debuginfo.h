/*
 * debuginfo: what the binaries of a dump tell. elfutils is included here only.
 *
 * Finds each module's binary by build id (the path that the process knew, --exe, every --sysroot,
 * .gnu_debuglink and .build-id folders, debuginfod only when asked for), lends its pages to the
 * image where the dump has none, and answers questions about symbols. Everything works without a
 * binary: names get fewer. A binary whose build id differs is never used. Nothing is executed; a
 * path from the dump is only opened (read-only, regular files).
 *
 * Owner: the caller destroys it, after the image (pages are lent to it). Not thread-safe.
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "image/image.h"

#include <stdbool.h>
#include <stdint.h>

struct debuginfo_options {
	const char *const *sysroot; /* folders, tried in order */
	unsigned nsysroot;
	const char *exe;	     /* the executable; NULL: where the dump says */
	bool debuginfod;	     /* may ask servers ($DEBUGINFOD_URLS) */
	unsigned debuginfod_seconds; /* most time to wait for one file; 0: 60 */
};

enum module_file_state {
	MODULE_FILE_NONE,      /* nothing to look for (vdso, deleted) or not looked for */
	MODULE_FILE_FOUND,     /* the binary, build id equal */
	MODULE_FILE_UNCHECKED, /* the binary, but dump or file has no build id; sizes agree */
	MODULE_FILE_DIFFERS,   /* a file is there, its build id is another: not used */
	MODULE_FILE_MISSING,
};

struct debuginfo_module {
	enum module_file_state state;
	const char *file;	/* what was opened, NULL */
	bool symtab;		/* full symbols: own .symtab, debug file or MiniDebugInfo */
	const char *debug_file; /* separate debug file, NULL */
	const char *symbols;	/* "symtab", "debug file", "minidebuginfo", "dynsym", "none" */
};

struct debuginfo;

/*
 * Opens what can be found and lends the pages (image_add_backing, image_seal_backing,
 * image_find_modules again). Missing files are damage (DAMAGE_BINARY), differing ones, too (DAMAGE_MISSING), one each, and
 * debuginfo_missing lists them.
 */
struct error *debuginfo_create(struct image *img, const struct debuginfo_options *opt,
			       struct log *log, struct debuginfo **ret) _must_check_;
void debuginfo_destroy(struct debuginfo *di);

/*
 * The same for binaries that a trace names, without a process: [start, end) is where the loaded
 * parts were, bias what was added to the file's own addresses; a file whose parts have another
 * extent is another build. Ids are places in the array, from 1. They may lie over one another (a
 * library that went, another that came): the addresses of debuginfo_code_at are those that
 * debuginfo_file_address gives.
 */
struct debuginfo_binary {
	const char *path; /* must outlive the debuginfo */
	uint64_t bias, start, end;
	const uint8_t *build_id;
	uint32_t build_id_len; /* 0 unknown */
	bool is_exe;
	bool extent_unknown; /* start and end say nothing: any file of that path is taken */
};
struct error *debuginfo_create_files(const struct debuginfo_binary *binary, uint32_t n,
				     const struct debuginfo_options *opt, struct damage_log *damage,
				     struct log *log, struct debuginfo **ret) _must_check_;
/* `address` as in the process of the trace. */
uint64_t debuginfo_file_address(const struct debuginfo *di, uint32_t id, uint64_t address,
				uint64_t bias);

/* module_id as in the image. */
const struct debuginfo_module *debuginfo_module(const struct debuginfo *di, uint32_t module_id);

/* Paths that were wanted and not found or not equal, as the process knew them; *n of them. */
const char *const *debuginfo_missing(const struct debuginfo *di, uint32_t *n);

struct debuginfo_symbol {
	const char *name; /* demangled; valid until debuginfo_destroy */
	const char *raw;  /* as in the symbol table, without a version ("@@GLIBC_2.34") */
	uint64_t start;	  /* address in the process */
	uint64_t size;	  /* 0 unknown */
	uint32_t module_id;
	bool is_object; /* data, not code */
};

/* The symbol that covers addr (or, where sizes are 0, precedes it in its section). */
bool debuginfo_symbol_at(const struct debuginfo *di, uint64_t addr, struct debuginfo_symbol *ret);

/* The address of a symbol by its raw name; module_id 0: any module. False: not there. */
bool debuginfo_symbol_find(const struct debuginfo *di, uint32_t module_id, const char *raw,
			   struct debuginfo_symbol *ret);

/* Source line of a code address, where DWARF is at hand. *file is valid until destroy. */
bool debuginfo_line_at(const struct debuginfo *di, uint64_t pc, const char **file, uint32_t *line);

/*
 * The functions that a code address belongs to, from the real one to the innermost one inlined
 * there: names, and where in the source each of them is at this moment. Without DWARF the symbol
 * alone. `fn` is called for each; nothing is known: not at all. Texts are valid during the call.
 */
typedef struct error *(*debuginfo_code_fn)(void *arg, const char *function, const char *file,
					   uint32_t line);
struct error *debuginfo_code_at(const struct debuginfo *di, uint64_t pc, debuginfo_code_fn fn,
				void *arg) _must_check_;

struct debuginfo_frame {
	uint64_t pc; /* of a caller: the call's own address (return address - 1); of the innermost
			frame, and of one that a signal came to: the instruction that was next */
	uint64_t sp; /* canonical frame address of the frame it called: its own stack begins here */
	uint64_t cfa; /* canonical frame address of this frame: its stack ends here; 0 unknown, also
			 where a signal came in on another stack */
	bool certain; /* this frame and its cfa, by unwind information and not by a guess */
};

/*
 * Unwinds one thread by .eh_frame or .debug_frame of the binaries, or of the dump's own copy
 * (.eh_frame is mapped: it can be read from memory when the binary is gone), frame pointers only
 * where both fail. At most `max` frames; *n is set; stops at repeats and at what cannot be read.
 */
struct error *debuginfo_unwind(const struct debuginfo *di, const struct image_thread *thread,
			       struct debuginfo_frame *frame, unsigned max,
			       unsigned *n) _must_check_;

/*
 * A C++, Rust or other mangled name as its language writes it, bounded; malloc'ed. NULL: it is none.
 * Needs no binary.
 */
char *debuginfo_demangle(const char *raw);
