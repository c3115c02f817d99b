/*
 * image_impl: between the files of image/.
 *
 *	image.c		finding and reading
 *	fill.c		segments, spans, threads, modules: added, sealed, backed
 *	modules.c	which modules there are
 *	kinds.c		kinds of segments
 *	module_elf.c	ELF headers in the process's memory
 *	link_map.c	the dynamic loader's list
 *	thread_pointer.c  thread pointers that the dump does not tell
 */
#pragma once

#include "base/vec.h"
#include "image/image.h"

enum {
	MODULES_MAX = 1 << 16,
	/* The kernel refuses a program header table above 64 KiB (fs/binfmt_elf.c, load_elf_phdrs).
	 */
	PHDR_BYTES_MAX = 1 << 16,
};

/* Addresses of the process wrap at its word size, as the loader's sums do. */
static inline uint64_t image_wrap(const struct image *img, uint64_t addr)
{
	return img->word_size == 4 ? (uint32_t)addr : addr;
}

/* ---- fill.c ---- */

/*
 * Splits nameless segments at the n addresses (sorted) that lie strictly inside one. Ids of
 * segments change.
 */
struct error *image_split_segments(struct image *img, const uint64_t *at, uint64_t n) _must_check_;

/* ---- kinds.c ---- */

/* Does the name come from the dump, and not from us ("[heap]")? */
static inline bool image_name_is_path(const char *name)
{
	return name && name[0] != '[';
}

/* What a file of that name is. */
enum segment_kind image_kind_of_name(const char *name);
/* Sets the kinds of all segments, names those that have none, and gives .bss to its module: modules are known. */
struct error *image_find_kinds(struct image *img) _must_check_;

/* ---- module_elf.c ---- */

/* A program header table in memory. */
struct elf_table {
	uint16_t type;	 /* ET_EXEC, ET_DYN */
	uint64_t header; /* address of the ELF header; 0: only the table is known */
	uint64_t phdr;
	uint32_t phnum, phentsize;
};

struct elf_phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};

/* Is there an ELF header of this machine at addr, of an executable or library? */
bool elf_table_find(const struct image *img, uint64_t addr, struct elf_table *ret);
bool elf_table_get(const struct image *img, const struct elf_table *t, uint32_t i,
		   struct elf_phdr *ret);

/* ---- link_map.c ---- */

struct link_entry {
	uint64_t node;		 /* address of struct link_map */
	uint64_t addr, name, ld; /* l_addr, l_name, l_ld */
};

typedef VEC(struct link_entry) link_entries;

/* The value of one entry of a dynamic section in memory. False: no such entry. */
bool dynamic_find(const struct image *img, uint64_t dynamic, int64_t tag, uint64_t *ret);

/*
 * Where struct r_debug is, by its content and AT_BASE: for dumps that lack the headers which lead
 * to DT_DEBUG. 0: not found.
 */
uint64_t r_debug_search(const struct image *img);

/* The loader's list, all namespaces, from the address that DT_DEBUG holds. */
struct error *link_map_read(struct image *img, uint64_t r_debug, link_entries *ret) _must_check_;

/* TLS fields of a module whose headers were read, from its link_map. */
void link_map_read_tls(const struct image *img, uint64_t node, struct image_module *module);

/* ---- thread_pointer.c ---- */

/* Fills the tp of threads whose dump did not tell it, where TLS facts of modules allow it. */
void image_find_thread_pointers(struct image *img);
