/*
 * debuginfo_impl: what the files of debuginfo share.
 *
 *	elf_file.c    opens one file, with care
 *	debuginfod.c  asks servers
 *	files.c       which file is whose: candidates in order, build ids, debug files
 *	debuginfo.c   creation, lending of pages, the public state of modules
 *	dynsym.c      .dynsym out of the dump, where there is no file
 *	symbols.c     a module's table of symbols: ranges, names
 *	demangle.c    bounded demangling
 *	cfi.c         call frame information: from an address to the rules of its frame
 *	expr.c        DWARF expressions of such rules
 *	unwind.c      frame after frame
 *	files_only.c  binaries without a process: those that a trace names
 *	inlined.c     all functions that one address of code belongs to
 *
 * The struct is const for the outside after creation. Inside, tables of symbols and of call frame
 * information are made when the first question for a module comes (hence not thread-safe); a table
 * that could not be made stays empty, and is not tried again.
 */
#pragma once

#include "base/error.h"
#include "base/region.h"
#include "base/vec.h"
#include "debuginfo/cfi.h"
#include "debuginfo/debuginfo.h"
#include "debuginfo/debuginfod.h"
#include "debuginfo/elf_file.h"

#include <elfutils/libdwfl.h>
#include <stdbool.h>
#include <stdint.h>

enum symbol_flags {
	SYMBOL_OBJECT = 1, /* data */
	SYMBOL_LOCAL = 2,
	SYMBOL_MARK = 4, /* names a place, no thing: an untyped symbol of size 0 in data (_end) */
};

struct symbol {
	uint64_t start;
	uint64_t size;	   /* as in the table; 0 unknown */
	uint64_t limit;	   /* end of its section or mapping: size 0 reaches no further */
	const char *raw;   /* owned by libdwfl or the debuginfo's region */
	const char *shown; /* demangled; NULL: nobody asked yet */
	uint8_t flags;	   /* enum symbol_flags */
};

/* From start up to the next range's start, the symbol; 0: no symbol. */
struct symbol_range {
	uint64_t start;
	uint32_t symbol; /* index + 1 */
};

struct symbol_table {
	VEC(struct symbol) symbol;	/* by start, the best of equal ones first */
	VEC(struct symbol_range) range; /* by start, apart */
	uint32_t *slot;			/* hash of raw names: index + 1 */
	uint32_t slots;			/* a power of two */
};

/* Code that a unit of DWARF describes. */
struct unit_range {
	uint64_t start, end;
	uint64_t bias;
	Dwarf_Die *cu; /* libdwfl's */
};

struct module_info {
	struct debuginfo *owner;
	struct debuginfo_module pub;
	uint32_t id;
	const struct image_module *module;
	uint64_t known_start; /* by which the record is found again after image_find_modules */
	const char *known_path;
	bool lent;	       /* its pages went to the image, as far as it lacked them */
	struct elf_file file;  /* the binary */
	struct elf_file debug; /* the separate debug file */
	bool symbols_made, dwfl_made, cfi_made, units_made;
	struct symbol_table symbols;
	Dwfl *dwfl;
	Dwfl_Module *dwfl_module;
	struct cfi cfi;
	VEC(struct unit_range) unit; /* by start */
};

struct debuginfo {
	struct image *image;
	struct image *own_image; /* debuginfo_create_files made it; NULL */
	struct log *log;
	struct region region; /* names */
	struct debuginfod *debuginfod;
	struct module_info *module; /* by id - 1 */
	uint32_t nmodule;
	VEC(const char *) missing;
};

/* The id's record; id must be one of the image's. */
static inline struct module_info *debuginfo_info(const struct debuginfo *di, uint32_t id)
{
	return id && id <= di->nmodule ? &di->module[id - 1] : NULL;
}

/* files.c: fills file, debug, pub.state, pub.file, pub.debug_file. Damage where it is not found. */
struct error *module_find_files(struct module_info *m,
				const struct debuginfo_options *opt) _must_check_;

/* files.c: an executable's bias by its entry point and the auxiliary vector, where both agree. */
bool module_bias_by_entry(const struct module_info *m, const struct elf_file *f, uint64_t *ret);

/* debuginfo.c: index of the first segment that ends above the module's start. */
uint32_t module_first_segment(const struct module_info *m);

/* debuginfo.c: does the dump say which files its mappings are of? */
bool image_names_mappings(const struct image *img);

/* debuginfo.c: the libdwfl module over the files; NULL: there is none. */
Dwfl_Module *module_dwfl(struct module_info *m);

/* debuginfo.c: the unit of DWARF that describes this code; NULL: none. */
Dwarf_Die *module_unit_at(struct module_info *m, Dwfl_Module *mod, uint64_t pc, uint64_t *bias);

/*
 * dynsym.c: calls back for each symbol of the module's .dynsym as the dump has it, in table order,
 * until the table, its memory or `fn` ends. name is valid during the call. How many there were.
 */
typedef bool (*dynsym_fn)(void *arg, const char *name, uint64_t start, uint64_t size, uint8_t info,
			  uint16_t shndx);
uint32_t dynsym_walk(const struct image *img, const struct image_module *module, dynsym_fn fn,
		     void *arg);

/* symbols.c */
const struct symbol_table *module_symbols(struct module_info *m);
void symbol_table_deinit(struct symbol_table *t);

/*
 * demangle.c: a C++, Rust or other name as its language writes it, malloc'ed; NULL: it is no
 * mangled name, or too long a one when written out.
 */
char *demangle(const char *raw);
