/*
 * elf_core_impl: what the two halves of the core reader share. elf_core.c reads headers and
 * segments, elf_notes.c reads notes.
 *
 * An ELF core, as the kernel writes it (Linux fs/binfmt_elf.c, elf_core_dump):
 *
 *	ELF header, e_type ET_CORE
 *	program headers: one PT_NOTE, then one PT_LOAD for each mapping
 *	notes: for the thread that died PRSTATUS, PRPSINFO, SIGINFO, AUXV, FILE, its other
 *registers; for every other thread PRSTATUS and its other registers bytes of the mappings,
 *page-aligned; pages that nobody ever touched are holes with more than 65,534 mappings: one section
 *header, whose sh_info is their number, last
 *
 * gdb's gcore and qemu-user put the same things into another order. All numbers in the file are
 * checked against what the file can hold before they are used.
 */
#pragma once

#include "base/vec.h"
#include "image/image.h"
#include "input/input.h"

#include <endian.h>
#include <string.h>

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "the dump's words are read as the host's");

static inline uint16_t get16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t get64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * Where a machine keeps things in its notes. Offsets are bytes from the start of the note's
 * descriptor; registers are indices into pr_reg. Source: Linux 6.1 include/linux/elfcore.h (struct
 * elf_prstatus, elf_prpsinfo; include/linux/elfcore-compat.h for i386), and the struct of pr_reg
 * named at each row of elf_core_machines.
 */
struct core_machine {
	const char *name;
	enum image_machine machine;
	uint16_t e_machine;
	uint8_t e_class;
	uint8_t word; /* bytes of a word, also of a register in pr_reg */

	uint16_t cursig, tid, regs; /* in NT_PRSTATUS */
	uint8_t nregs;		    /* words in pr_reg */

	uint16_t uid, uid_size, pid, fname, psargs, psinfo_size; /* in NT_PRPSINFO; gid after uid */

	uint16_t si_addr; /* in NT_SIGINFO */

	uint8_t dwarf[IMAGE_REGS_MAX]; /* DWARF number -> index in pr_reg */
	uint8_t ndwarf;
	uint8_t pc, sp, fp;
	int8_t tp;	/* index of the thread pointer; -1: a note of its own */
	int8_t tls_sel; /* index of the selector that names an NT_386_TLS entry; -1: none */
};

/* One entry of NT_FILE. */
struct core_file {
	uint64_t start, end;
	uint64_t offset;  /* bytes */
	const char *name; /* in the dump's mapping or the image's region */
};

/* A note with registers that the words of NT_PRSTATUS do not hold. */
struct core_vector {
	uint32_t type;
	const uint8_t *bytes;
	uint64_t len;
};

enum { CORE_VECTORS_MAX = 8 };

struct elf_core {
	const uint8_t *data;
	uint64_t size;
	int fd; /* for holes; -1: none can be told */
	const struct core_machine *m;
	struct image *img;

	uint64_t phoff, phnum, phentsize;

	VEC(struct core_file) files; /* sorted, empty ranges left out */

	/* Of the thread whose notes are being read. */
	bool in_thread;
	struct image_thread thread;
	const uint8_t *pr_reg;
	struct core_vector vector[CORE_VECTORS_MAX];
	unsigned nvector;

	bool seen_psinfo, seen_siginfo, seen_auxv, seen_file;
	int32_t siginfo_signal;
	uint64_t note_bytes; /* read so far, for the bound */
};

/* Reads the notes in [offset, offset + len) of the file, which need not all be there. */
struct error *elf_notes_read(struct elf_core *core, uint64_t offset, uint64_t len) _must_check_;

/* After the last: adds the thread that is still open, settles what needs all notes. */
struct error *elf_notes_end(struct elf_core *core) _must_check_;
