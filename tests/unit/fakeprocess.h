/*
 * fakeprocess: the core of a whole process, made by hand: an executable, the loader and its list, a
 * library that is mapped twice, one without code, a file that somebody reads, shared memory, vdso,
 * stack, and a break that the kernel joined with .bss. For each machine.
 */
#pragma once

#include "elfwriter.h"

/* Offsets from fp_base(). Each module is 64 KiB from the next. */
enum {
	FP_EXE = 0,
	FP_HEAP = 0x6000, /* to 0x9000 */
	FP_LIB = 0x1000000,
	FP_LIB_AGAIN = 0x1010000,
	FP_DATA_LIB = 0x1020000, /* no code; only the loader's list makes it a module */
	FP_READ = 0x1030000,	 /* an ELF file mapped to be read */
	FP_SHM = 0x1040000,
	FP_HUGE = 0x1050000,
	FP_VVAR = 0x1060000,
	FP_VDSO = 0x1061000,
	FP_LD = 0x1070000,
	FP_STACK = 0x1090000,
	FP_DYNAMIC = 0x3100, /* of each module with data, from its start */
	FP_R_DEBUG = 0x3400, /* in the loader's data */
	FP_LINK_MAP = 0x3500,
	FP_LINK_SIZE = 0x200,
	FP_NAMES = 0x3f00,
	FP_MODID = 7,
};

static inline uint64_t fp_base(enum image_machine machine)
{
	return machine == MACHINE_I386 ? 0x56555000 : UINT64_C(0x555555554000);
}

struct fakeprocess {
	struct elfwriter w;
	uint64_t base;
	bool names, headers; /* are NT_FILE and first pages in the dump? */
	bool no_tls;	     /* is the thread pointer left out? */
	bool cyclic;	     /* the loader's list bites its tail */
	struct ew_file file[32];
	size_t nfile;
};

static inline void fp_word(const struct fakeprocess *p, uint8_t *at, unsigned index, uint64_t v)
{
	ew_set(at + index * ew_word(&p->w), v, ew_word(&p->w));
}

static inline void fp_map(struct fakeprocess *p, uint64_t at, uint64_t size, uint32_t flags,
			  const uint8_t *data, const char *name, uint64_t page)
{
	ew_segment(&p->w, p->base + at, flags, data, data ? size : 0, size);
	if (name)
		p->file[p->nfile++] =
			(struct ew_file){p->base + at, p->base + at + size, page, name};
}

/*
 * One module of the usual shape: header page; code at 0x1000 (left out); data at 0x3000 (offset
 * 0x2000 in the file) with .bss to 0x5800.
 */
static inline void fp_module(struct fakeprocess *p, uint64_t at, const uint8_t *data,
			     const char *name, uint8_t id)
{
	struct ew_load load[] = {
		{PT_LOAD, PF_R, 0, 0, 0x1000, 0x1000, 0x1000},
		{PT_LOAD, PF_R | PF_X, 0x1000, 0x1000, 0x1000, 0x1000, 0x1000},
		{PT_LOAD, PF_R | PF_W, 0x2000, 0x3000, 0x1000, 0x2800, 0x1000},
		{PT_DYNAMIC, PF_R | PF_W, 0x2100, FP_DYNAMIC, 0x100, 0x100, 8},
		{PT_GNU_RELRO, PF_R, 0x2000, 0x3000, 0x400, 0x400, 1},
		{PT_TLS, PF_R, 0x2040, 0x3040, 0x10, 0x30, 0x10},
	};
	uint8_t page[4096];
	ew_module_page(&p->w, page, ET_DYN, 0, load, 6, id);
	fp_map(p, at, 0x1000, PF_R, p->headers ? page : NULL, name, 0);
	fp_map(p, at + 0x1000, 0x1000, PF_R | PF_X, NULL, name, 1);
	fp_map(p, at + 0x3000, 0x1000, PF_R | PF_W, data, name, 2);
}

/* The loader's page of data: r_debug, one link_map for each of n modules, their names. */
static inline void fp_loader_data(const struct fakeprocess *p, uint8_t *data,
				  const uint64_t *module, const char *const *name, unsigned n)
{
	uint64_t here = p->base + FP_LD;
	uint8_t *debug = data + FP_R_DEBUG - 0x3000;
	fp_word(p, debug, 0, 1);
	fp_word(p, debug, 1, here + FP_LINK_MAP);
	fp_word(p, debug, 2, here + 0x1100);
	fp_word(p, debug, 4, here);
	size_t text = FP_NAMES - 0x3000;
	for (unsigned i = 0; i < n; i++) {
		uint64_t node = here + FP_LINK_MAP + (uint64_t)i * FP_LINK_SIZE;
		uint8_t *m = data + FP_LINK_MAP - 0x3000 + i * FP_LINK_SIZE;
		uint64_t start = p->base + module[i];
		fp_word(p, m, 0, start);
		fp_word(p, m, 1, here + 0x3000 + text);
		fp_word(p, m, 2, start + FP_DYNAMIC);
		fp_word(p, m, 3, i + 1 < n ? node + FP_LINK_SIZE : p->cyclic ? node : 0);
		fp_word(p, m, 4, i ? node - FP_LINK_SIZE : 0);
		/* the TLS facts, where glibc has them behind much else */
		uint64_t tls[] = {start + 0x3040,   0x10,	 0x30, 0x10, 0,
				  0x100 + i * 0x40, FP_MODID + i};
		for (unsigned k = 0; k < 7; k++)
			fp_word(p, m, 20 + k, tls[k]);
		strcpy((char *)data + text, name[i]);
		text += strlen(name[i]) + 1;
	}
}

static inline const uint8_t *fp_finish(struct fakeprocess *p, enum image_machine machine,
				       size_t *len)
{
	static const char *const name[] = {"", "/lib/lib.so", "/lib/data.so", "/lib/ld.so"};
	static const uint64_t module[] = {FP_EXE, FP_LIB, FP_DATA_LIB, FP_LD};
	ew_init(&p->w, machine);
	p->w.no_tls = p->no_tls;
	p->base = fp_base(machine);
	p->nfile = 0;
	uint8_t data[4096] = {0}, page[4096];
	fp_word(p, data + 0x100, 0, 1); /* DT_NEEDED, so that there is one before */
	fp_word(p, data + 0x100, 2, DT_DEBUG);
	fp_word(p, data + 0x100, 3, p->base + FP_LD + FP_R_DEBUG);
	fp_module(p, FP_EXE, data, p->names ? "/bin/exe" : NULL, 0xe1);
	uint8_t heap[0x5000] = {0};
	uint64_t tp = p->base + FP_HEAP + 0x800, dtv = tp - 0x400;
	bool arm = machine == MACHINE_AARCH64;
	fp_word(p, heap + 0x2820, 0, arm ? dtv : tp + 0x20); /* nothing else fits here */
	fp_word(p, heap + 0x2800, 0, arm ? dtv : tp);
	fp_word(p, heap + 0x2800, 1, arm ? 0 : dtv);
	fp_word(p, heap + 0x2800, 2, arm ? 0 : tp);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t offset = 0x100 + i * 0x40;
		fp_word(p, heap + 0x2400, 2 * (FP_MODID + i), arm ? tp + offset : tp - offset);
	}
	fp_map(p, FP_EXE + 0x4000, 0x5000, PF_R | PF_W, heap, NULL, 0);
	memset(data, 0, sizeof(data));
	fp_module(p, FP_LIB, data, p->names ? "/lib/lib.so" : NULL, 0xe2);
	fp_map(p, FP_LIB + 0x4000, 0x2000, PF_R | PF_W, NULL, NULL, 0); /* .bss, untouched */
	fp_module(p, FP_LIB_AGAIN, data, p->names ? "/lib/lib.so" : NULL, 0xe2);
	struct ew_load flat = {PT_LOAD, PF_R, 0, 0, 0x4000, 0x4000, 0x1000};
	ew_module_page(&p->w, page, ET_DYN, 0, &flat, 1, 0xe3);
	fp_map(p, FP_DATA_LIB, 0x1000, PF_R, p->headers ? page : NULL,
	       p->names ? "/lib/data.so" : NULL, 0);
	fp_map(p, FP_DATA_LIB + 0x1000, 0x3000, PF_R, NULL, p->names ? "/lib/data.so" : NULL, 1);
	if (p->names) {
		fp_map(p, FP_READ, 0x1000, PF_R, page, "/lib/data.so", 0);
		fp_map(p, FP_SHM, 0x1000, PF_R | PF_W, data, "/dev/shm/x", 0);
		fp_map(p, FP_HUGE, 0x1000, PF_R | PF_W, data, "/anon_hugepage (deleted)", 0);
	}
	fp_map(p, FP_VVAR, 0x1000, PF_R, NULL, NULL, 0);
	ew_module_page(&p->w, page, ET_DYN, 0, &flat, 1, 0xe4);
	fp_map(p, FP_VDSO, 0x1000, PF_R | PF_X, page, NULL, 0);
	fp_loader_data(p, data, module, name, 4);
	fp_module(p, FP_LD, data, p->names ? "/lib/ld.so" : NULL, 0xe5);
	static const uint8_t stack[0x2000];
	fp_map(p, FP_STACK, 0x2000, PF_R | PF_W, stack, NULL, 0);

	uint64_t reg[IMAGE_REGS_MAX] = {0};
	unsigned sp = machine == MACHINE_X86_64 ? 7 : machine == MACHINE_I386 ? 4 : 31;
	reg[sp] = p->base + FP_STACK + 0x1000;
	ew_prstatus(&p->w, 10, 6, reg, p->base + FP_HEAP + 0x800);
	ew_prpsinfo(&p->w, 10, 1, 0, "exe", "exe");
	uint64_t auxv[] = {AT_PHDR,	    p->base + (p->w.wide ? 64 : 52),
			   AT_PHNUM,	    7,
			   AT_BASE,	    p->base + FP_LD,
			   AT_ENTRY,	    p->base + 0x1000,
			   AT_EXECFN,	    p->base + FP_STACK + 0x1ff0,
			   AT_SYSINFO_EHDR, p->base + FP_VDSO};
	ew_auxv(&p->w, auxv, 6);
	if (p->names)
		ew_files(&p->w, p->file, p->nfile);
	return ew_finish(&p->w, len);
}
