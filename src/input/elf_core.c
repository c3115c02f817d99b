/*
 * elf_core: ELF core files, read by our own bounded parser, since a cut core must open too.
 * See elf_core_impl.h for the format.
 */
#include "base/checked.h"
#include "input/elf_core_impl.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	/*
	 * Mappings: vm.max_map_count is 65,530 as delivered and a few million on some machines.
	 * More headers than this are not read.
	 */
	PHDRS_MAX = 1 << 22,
	/* Holes smaller than this are not worth a span of their own: they are read as zeroes. */
	HOLE_MIN = 16384,
	HOLES_MAX = 1 << 22,
	/*
	 * Each byte of the file belongs to one segment. Where a damaged header has two claim the
	 * same, both get them; a file whose headers claim it over and over does not.
	 */
	CLAIMS_MAX = 4,
};

static const struct core_machine elf_core_machines[] = {
	{
		.name = "x86-64",
		.machine = MACHINE_X86_64,
		.e_machine = EM_X86_64,
		.e_class = ELFCLASS64,
		.word = 8,
		.cursig = 12,
		.tid = 32,
		.regs = 112,
		/* arch/x86/include/asm/user_64.h, struct user_regs_struct: r15 r14 r13 r12 rbp
		   rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base
		   gs_base ds es fs gs */
		.nregs = 27,
		.uid = 16,
		.uid_size = 4,
		.pid = 24,
		.fname = 40,
		.psargs = 56,
		.psinfo_size = 136,
		.si_addr = 16,
		/* System V ABI, AMD64 supplement, figure 3.36: rax rdx rcx rbx rsi rdi rbp rsp r8
		   to r15, return address */
		.dwarf = {10, 12, 11, 5, 13, 14, 4, 19, 9, 8, 7, 6, 3, 2, 1, 0, 16},
		.ndwarf = 17,
		.pc = 16,
		.sp = 19,
		.fp = 4,
		.tp = 21,
		.tls_sel = -1,
	},
	{
		.name = "aarch64",
		.machine = MACHINE_AARCH64,
		.e_machine = EM_AARCH64,
		.e_class = ELFCLASS64,
		.word = 8,
		.cursig = 12,
		.tid = 32,
		.regs = 112,
		/* arch/arm64/include/uapi/asm/ptrace.h, struct user_pt_regs: x0 to x30, sp, pc,
		   pstate */
		.nregs = 34,
		.uid = 16,
		.uid_size = 4,
		.pid = 24,
		.fname = 40,
		.psargs = 56,
		.psinfo_size = 136,
		.si_addr = 16,
		/* DWARF for the Arm 64-bit Architecture, table 1: x0 to x30, sp, pc */
		.dwarf = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
			  17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32},
		.ndwarf = 33,
		.pc = 32,
		.sp = 31,
		.fp = 29,
		.tp = -1,
		.tls_sel = -1,
	},
	{
		.name = "i386",
		.machine = MACHINE_I386,
		.e_machine = EM_386,
		.e_class = ELFCLASS32,
		.word = 4,
		.cursig = 12,
		.tid = 24,
		.regs = 72,
		/* arch/x86/include/asm/user_32.h, struct user_regs_struct: ebx ecx edx esi edi ebp
		   eax ds es fs gs orig_eax eip cs eflags esp ss */
		.nregs = 17,
		.uid = 8,
		.uid_size = 2,
		.pid = 12,
		.fname = 28,
		.psargs = 44,
		.psinfo_size = 124,
		.si_addr = 12,
		/* System V ABI, Intel386 supplement, table 2.14: eax ecx edx ebx esp ebp esi edi,
		   return address */
		.dwarf = {6, 1, 2, 0, 15, 5, 3, 4, 12},
		.ndwarf = 9,
		.pc = 12,
		.sp = 15,
		.fp = 5,
		.tp = -1,
		.tls_sel = 10,
	},
};

/* A program header, of either class. */
struct phdr {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz;
};

struct range {
	uint64_t start, end;
};

typedef VEC(struct range) ranges;

/* What reading the segments needs to know on the way. */
struct loader {
	struct elf_core *core;
	ranges holes;	       /* of the file, ascending */
	uint64_t split_budget; /* hostile files map one hole, or one name, many times */
	uint64_t byte_budget;  /* and the same bytes */
	uint64_t missing, missing_segments; /* bytes that the file ends before */
};

/* ---- headers ---- */

static bool core_probe(const uint8_t *head, uint64_t len)
{
	return len >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static const char *elf_type_name(uint16_t type)
{
	switch (type) {
	case ET_REL:
		return "an object file";
	case ET_EXEC:
		return "an executable";
	case ET_DYN:
		return "an executable or a shared library";
	default:
		return "something else";
	}
}

static struct error *check_header(struct elf_core *core)
{
	const uint8_t *e = core->data;
	if (core->size < sizeof(Elf32_Ehdr) + 12)
		return error_new(ERROR_INPUT,
				 "the ELF file ends after %" PRIu64
				 " bytes, within its header: it was not written, or not copied, in "
				 "whole (a full disk, or a limit: ulimit -c)",
				 core->size);
	if (e[EI_DATA] != ELFDATA2LSB)
		return error_new(ERROR_INPUT,
				 e[EI_DATA] == ELFDATA2MSB
					 ? "this is a big-endian ELF file; only little-endian "
					   "machines are supported"
					 : "the ELF header is damaged: its byte order is unknown");
	uint16_t type = get16(e + 16), machine = get16(e + 18);
	if (type != ET_CORE)
		return error_new(ERROR_INPUT,
				 "this ELF file is no core dump, it is %s; of a process that runs, "
				 "gcore PID takes one",
				 elf_type_name(type));
	for (size_t i = 0; i < sizeof(elf_core_machines) / sizeof(elf_core_machines[0]); i++) {
		const struct core_machine *m = &elf_core_machines[i];
		if (m->e_machine == machine && m->e_class == e[EI_CLASS])
			core->m = m;
	}
	if (!core->m)
		return error_new(
			ERROR_INPUT,
			"this is a core dump of a machine that is not supported (ELF machine "
			"%u, %s); x86-64, aarch64 and i386 are",
			machine,
			e[EI_CLASS] == ELFCLASS32   ? "32-bit"
			: e[EI_CLASS] == ELFCLASS64 ? "64-bit"
						    : "of unknown width");
	bool wide = core->m->word == 8;
	core->phoff = wide ? get64(e + 32) : get32(e + 28);
	core->phentsize = get16(e + (wide ? 54 : 42));
	core->phnum = get16(e + (wide ? 56 : 44));
	uint64_t least = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (core->phentsize < least)
		return error_new(
			ERROR_INPUT,
			"the ELF header is damaged: it says that a program header has %" PRIu64
			" bytes, which must be %" PRIu64,
			core->phentsize, least);
	return NULL;
}

static void get_phdr(const struct elf_core *core, uint64_t i, struct phdr *ret)
{
	const uint8_t *p = core->data + core->phoff + i * core->phentsize;
	if (core->m->word == 8)
		*ret = (struct phdr){get32(p),	    get32(p + 4),  get64(p + 8),
				     get64(p + 16), get64(p + 32), get64(p + 40)};
	else
		*ret = (struct phdr){get32(p),	   get32(p + 24), get32(p + 4),
				     get32(p + 8), get32(p + 16), get32(p + 20)};
}

/* Program headers that the file has room for. */
static uint64_t phdrs_that_fit(const struct elf_core *core)
{
	return core->phoff < core->size ? (core->size - core->phoff) / core->phentsize : 0;
}

/*
 * The number of program headers. With PN_XNUM it is in sh_info of section header 0, which the
 * kernel writes last (fs/binfmt_elf.c, fill_extnum_info): a cut core has lost it. But there the
 * notes are the first segment, right behind the program headers, which gives it as well.
 */
static void count_phdrs(struct elf_core *core)
{
	struct damage_log *damage = core->img->damage;
	uint64_t fit = phdrs_that_fit(core);
	uint64_t usual = core->m->word == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (core->phentsize != usual)
		damage_add(damage, DAMAGE_DUMP, 0,
			   "the ELF header says that a program header has %" PRIu64
			   " bytes, which everyone makes %" PRIu64
			   ": what is read of them may make no sense",
			   core->phentsize, usual);
	if (core->phnum == PN_XNUM) {
		bool wide = core->m->word == 8;
		uint64_t shoff = wide ? get64(core->data + 40) : get32(core->data + 32);
		uint64_t size = wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
		struct phdr first;
		if (checked_within(shoff, size, sizeof(Elf32_Ehdr), core->size)) {
			core->phnum = get32(core->data + shoff + (wide ? 44 : 28));
		} else if (fit && (get_phdr(core, 0, &first), first.type == PT_NOTE) &&
			   first.offset > core->phoff) {
			core->phnum = (first.offset - core->phoff) / core->phentsize;
			damage_add(damage, DAMAGE_DUMP, 0,
				   "the number of segments is lost, as the file's end is; by the "
				   "place of the notes there are %" PRIu64,
				   core->phnum);
		}
	}
	if (core->phnum > fit) {
		damage_add(damage, DAMAGE_DUMP, 0,
			   "the file has room for %" PRIu64 " of its %" PRIu64 " program headers: "
			   "the other segments are not known",
			   fit, core->phnum);
		core->img->truncated = true;
		core->phnum = fit;
	}
	if (core->phnum > PHDRS_MAX) {
		damage_add(damage, DAMAGE_DUMP, 0,
			   "there are %" PRIu64 " program headers; %d are read", core->phnum,
			   PHDRS_MAX);
		core->phnum = PHDRS_MAX;
	}
}

/* ---- bytes ---- */

/* The file's holes. What the file system cannot tell is data. */
static struct error *find_holes(struct loader *l)
{
	const struct elf_core *core = l->core;
	off_t at = 0;
	while (core->fd >= 0 && (uint64_t)at < core->size && l->holes.n < HOLES_MAX) {
		off_t hole = lseek(core->fd, at, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole >= core->size)
			break;
		off_t data = lseek(core->fd, hole, SEEK_DATA);
		if (data < 0 || (uint64_t)data > core->size)
			data = (off_t)core->size; /* ENXIO: a hole up to the end */
		if (data <= hole)
			break;
		struct error *err = NULL;
		if (data - hole >= HOLE_MIN)
			err = vec_push(&l->holes, ((struct range){(uint64_t)hole, (uint64_t)data}));
		if (err)
			return err;
		at = data;
	}
	return NULL;
}

static struct error *add_span(struct loader *l, uint64_t addr, uint64_t from, uint64_t to,
			      enum span_origin origin)
{
	return image_add_span(l->core->img, &(struct image_span){
						    .start = addr,
						    .end = addr + (to - from),
						    .data = l->core->data + from,
						    .origin = (uint8_t)origin,
					    });
}

/* File bytes [from, to) at addr: data and holes in turn. */
static struct error *add_bytes(struct loader *l, uint64_t addr, uint64_t from, uint64_t to)
{
	uint64_t lo = 0, hi = l->holes.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (l->holes.at[mid].end <= from)
			lo = mid + 1;
		else
			hi = mid;
	}
	struct error *err = NULL;
	while (!err && from < to && l->split_budget && lo < l->holes.n &&
	       l->holes.at[lo].start < to) {
		const struct range *h = &l->holes.at[lo++];
		l->split_budget--;
		if (h->start > from) {
			err = add_span(l, addr, from, h->start, SPAN_DUMP);
			addr += h->start - from;
			from = h->start;
		}
		uint64_t end = h->end < to ? h->end : to;
		if (!err)
			err = add_span(l, addr, from, end, SPAN_ZERO);
		addr += end - from;
		from = end;
	}
	if (!err && from < to)
		err = add_span(l, addr, from, to, SPAN_DUMP);
	return err;
}

/* ---- segments ---- */

static uint64_t files_from(const struct elf_core *core, uint64_t addr)
{
	uint64_t lo = 0, hi = core->files.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (core->files.at[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* [start, end) as segments: cut where the name changes. Usually it is one, with one name or none.
 */
static struct error *add_segment(struct loader *l, uint64_t start, uint64_t end, uint8_t perms)
{
	struct elf_core *core = l->core;
	struct error *err = NULL;
	for (uint64_t i = files_from(core, start); !err && start < end; i++) {
		const struct core_file *f = i < core->files.n ? &core->files.at[i] : NULL;
		struct image_segment seg = {.start = start, .end = end, .perms = perms};
		if (f && f->start < end && l->split_budget) {
			l->split_budget--;
			if (f->end <= start)
				continue; /* overlapping entries */
			if (f->start > start) {
				seg.end = f->start;
				i--;
			} else {
				seg.end = f->end < end ? f->end : end;
				seg.name = f->name;
				seg.file_offset = f->offset + (start - f->start);
			}
		}
		err = image_add_segment(core->img, &seg);
		start = seg.end;
	}
	return err;
}

/*
 * Where the address space of a process ends; sums of sizes below it stay far from 2^63, which is
 * what the database's integers hold. 64-bit: 56 bits on x86-64 with five levels of page tables,
 * 52 on aarch64 (Linux Documentation/arch/x86/x86_64/mm.rst, arch/arm64/memory.rst).
 */
static uint64_t address_limit(const struct elf_core *core)
{
	return UINT64_C(1) << (core->m->word == 8 ? 56 : 32);
}

/*
 * No mapping is longer than what a process can address by default, 47 bits, whatever the machine's
 * most.
 */
static uint64_t longest(const struct elf_core *core)
{
	return UINT64_C(1) << (core->m->word == 8 ? 47 : 32);
}

/* The one page of a process above it: arch/x86/entry/vsyscall. */
static bool is_vsyscall(const struct elf_core *core, uint64_t start, uint64_t size)
{
	return core->m->machine == MACHINE_X86_64 && start == UINT64_C(0xffffffffff600000) &&
	       size <= 4096;
}

static struct error *add_load(struct loader *l, const struct phdr *ph, ranges *loads)
{
	struct elf_core *core = l->core;
	struct damage_log *damage = core->img->damage;
	uint64_t memsz = ph->memsz ? ph->memsz : ph->filesz, filesz = ph->filesz;
	if (!memsz)
		return NULL;
	if (filesz > memsz) {
		damage_add(damage, DAMAGE_DUMP, ph->vaddr,
			   "the segment at 0x%" PRIx64 " has more bytes in the file than in memory",
			   ph->vaddr);
		filesz = memsz;
	}
	uint64_t limit = address_limit(core);
	if (!is_vsyscall(core, ph->vaddr, memsz) &&
	    (ph->vaddr >= limit || memsz > limit - ph->vaddr)) {
		damage_add(damage, DAMAGE_DUMP, ph->vaddr,
			   "the segment at 0x%" PRIx64 " of 0x%" PRIx64
			   " bytes does not fit into the address space",
			   ph->vaddr, memsz);
		if (ph->vaddr >= limit)
			return NULL;
		memsz = limit - ph->vaddr;
		if (filesz > memsz)
			filesz = memsz;
	}
	if (memsz > longest(core)) {
		damage_add(damage, DAMAGE_DUMP, ph->vaddr,
			   "the segment at 0x%" PRIx64 " claims 0x%" PRIx64
			   " bytes; only what the file has of it is used",
			   ph->vaddr, memsz);
		uint64_t there = ph->offset < core->size ? core->size - ph->offset : 0;
		if (filesz > there)
			filesz = there;
		memsz = filesz = filesz < longest(core) ? filesz : longest(core);
		if (!memsz)
			return NULL;
	}
	uint8_t perms =
		(uint8_t)((ph->flags & PF_R ? PERM_R : 0) | (ph->flags & PF_W ? PERM_W : 0) |
			  (ph->flags & PF_X ? PERM_X : 0));
	struct error *err = vec_push(loads, ((struct range){ph->vaddr, ph->vaddr + memsz}));
	if (!err)
		err = add_segment(l, ph->vaddr, ph->vaddr + memsz, perms);
	if (err || !filesz)
		return err;
	uint64_t there = ph->offset < core->size ? core->size - ph->offset : 0;
	if (there < filesz) {
		l->missing += filesz - there;
		l->missing_segments++;
		filesz = there;
	}
	if (filesz > l->byte_budget) {
		damage_add(damage, DAMAGE_DUMP, ph->vaddr,
			   "the segments claim more bytes than the file has: those at 0x%" PRIx64
			   " are left out",
			   ph->vaddr);
		return NULL;
	}
	l->byte_budget -= filesz;
	return filesz ? add_bytes(l, ph->vaddr, ph->offset, ph->offset + filesz) : NULL;
}

static int range_compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/*
 * gcore leaves mappings of files that it does not dump out of the program headers, and still names
 * them in NT_FILE. They were part of the process: segments with nothing present. Their permissions
 * are not recorded anywhere; readable is the least that a mapping of a binary is.
 */
static struct error *add_unlisted(struct loader *l, ranges *loads)
{
	const struct elf_core *core = l->core;
	if (loads->n)
		qsort(loads->at, loads->n, sizeof(*loads->at), range_compare);
	uint64_t k = 0, done = 0; /* everything below `done` is dealt with */
	uint64_t limit = address_limit(core);
	for (uint64_t i = 0; i < core->files.n; i++) {
		const struct core_file *f = &core->files.at[i];
		uint64_t at = f->start > done ? f->start : done;
		uint64_t end = f->end < limit ? f->end : limit;
		if (at < end && end - at > longest(core)) {
			damage_add(core->img->damage, DAMAGE_DUMP, f->start,
				   "a file is said to be mapped from 0x%" PRIx64 " to 0x%" PRIx64
				   ": not believed",
				   f->start, f->end);
			continue;
		}
		while (at < end) {
			while (k < loads->n && loads->at[k].start <= at) {
				if (loads->at[k].end > at)
					at = loads->at[k].end;
				k++;
			}
			if (at >= end)
				break;
			uint64_t to =
				k < loads->n && loads->at[k].start < end ? loads->at[k].start : end;
			struct error *err = image_add_segment(
				core->img, &(struct image_segment){.start = at,
								   .end = to,
								   .perms = PERM_R,
								   .name = f->name,
								   .file_offset = f->offset +
										  (at - f->start)});
			if (err)
				return err;
			at = to;
		}
		if (at > done)
			done = at;
	}
	return NULL;
}

static struct error *read_segments(struct loader *l, ranges *loads)
{
	struct elf_core *core = l->core;
	struct error *err = find_holes(l);
	l->byte_budget = CLAIMS_MAX * core->size; /* a file's size is below 2^63 / 4 by far */
	l->split_budget = 4 * (l->holes.n + core->files.n + core->phnum) + 64;
	for (uint64_t i = 0; !err && i < core->phnum; i++) {
		struct phdr ph;
		get_phdr(core, i, &ph);
		if (ph.type == PT_LOAD)
			err = add_load(l, &ph, loads);
	}
	if (!err)
		err = add_unlisted(l, loads);
	if (err)
		return err;
	if (l->missing) {
		core->img->truncated = true;
		damage_add(core->img->damage, DAMAGE_DUMP, 0,
			   "the file ends too early: %" PRIu64 " bytes of %" PRIu64
			   " segments are missing",
			   l->missing, l->missing_segments);
	}
	return NULL;
}

static struct error *read_notes(struct elf_core *core)
{
	for (uint64_t i = 0; i < core->phnum; i++) {
		struct phdr ph;
		get_phdr(core, i, &ph);
		if (ph.type != PT_NOTE)
			continue;
		struct error *err = elf_notes_read(core, ph.offset, ph.filesz);
		if (err)
			return err;
	}
	return elf_notes_end(core);
}

static struct error *read_core(struct elf_core *core)
{
	count_phdrs(core);
	struct error *err = read_notes(core);
	if (err)
		return err;
	struct loader l = {.core = core};
	ranges loads = {0};
	err = read_segments(&l, &loads);
	vec_deinit(&l.holes);
	vec_deinit(&loads);
	if (!err)
		err = image_seal(core->img);
	if (!err && !core->img->nspan && !core->img->nthread)
		err = error_new(
			ERROR_INPUT,
			"the core dump of %" PRIu64
			" bytes has neither memory nor threads: nothing can be told from it; %s",
			core->size,
			core->img->truncated
				? "it ends within its headers, not written or not copied in "
				  "whole (a full disk, or a limit: ulimit -c)"
			: core->phnum ? "its program headers name no memory: damaged, or "
					"of a copy that was not finished"
				      : "it has no program headers");
	return err;
}

static struct error *core_read_image(struct input_file *in, struct damage_log *damage,
				     struct log *log, struct image **ret)
{
	struct elf_core core = {.data = in->data, .size = in->size, .fd = in->fd};
	struct error *err = check_header(&core);
	if (!err)
		err = image_create(damage, log, &core.img);
	if (err)
		return err;
	core.img->machine = core.m->machine;
	core.img->word_size = core.m->word;
	core.img->truncated = in->cut;
	if (in->cut)
		damage_add(damage, DAMAGE_DUMP, 0,
			   "the compressed stream breaks off: what came out of it, %" PRIu64
			   " bytes, is used",
			   in->size);
	err = read_core(&core);
	vec_deinit(&core.files);
	if (err) {
		image_destroy(core.img);
		return err;
	}
	core.img->map = (void *)(uintptr_t)in->data;
	core.img->map_len = in->size;
	in->data = NULL;
	*ret = core.img;
	return NULL;
}

const struct input_format input_elf_core = {
	.name = "ELF core",
	.probe = core_probe,
	.read_image = core_read_image,
};
