/*
 * elf_file: one ELF file on disk, opened with care and mapped.
 *
 * Paths come from a dump, so a file is opened only when it is a regular one, read-only, without
 * waiting and without becoming anyone's terminal; nothing is ever executed. A path below a sysroot
 * stays below it: its symbolic links, absolute ones and "..", are resolved as that system would.
 *
 * No descriptor stays open: a process may have more libraries than we may have descriptors.
 *
 * Owner: whoever called elf_file_open; elf_file_close ends Elf handle and mapping. All zeroes is
 * a file that is not there: elf is NULL.
 */
#pragma once

#include "image/image.h"

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct elf_file {
	char *path; /* as it was asked for */
	char *real; /* where it is, for elf_file_reopen */
	struct stat st;
	const uint8_t *map; /* the whole file, read-only */
	uint64_t size;
	Elf *elf; /* NULL: no file */
	uint8_t build_id[BUILD_ID_MAX];
	uint32_t build_id_len; /* 0: it has none */
	bool has_symtab;       /* .symtab with content */
	bool has_dynsym;       /* .dynsym with content */
	bool has_dwarf;	       /* .debug_info with content */
	bool has_minidebug;    /* .gnu_debugdata */
	bool debug_only;       /* a separate debug file: its code was left out */
	char *debuglink;       /* .gnu_debuglink: name, NULL none */
	uint32_t debuglink_crc;
};

/* A regular file for reading; -1 with errno otherwise. `path` is as the host sees it. */
int file_open(const char *path);

/* The same for `path` as seen by a process whose root is the folder `root`. */
int file_open_in_root(const char *root, const char *path);

/*
 * Takes `fd` (and closes it). False: no ELF executable or library, or of another machine
 * than the image's. `path` is copied.
 */
bool elf_file_open(int fd, const char *path, enum image_machine machine, struct elf_file *ret);
void elf_file_close(struct elf_file *f);

/* A descriptor of the same file again; -1: it is gone, or has changed since. */
int elf_file_reopen(const struct elf_file *f);

/* The whole file's checksum as .gnu_debuglink has it (CRC-32, as binutils gdb/gnu_debuglink_crc32).
 */
uint32_t elf_file_crc(const struct elf_file *f);
