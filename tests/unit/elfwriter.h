/*
 * elfwriter: ELF cores made by hand, for tests.
 *
 *	struct elfwriter w;
 *	ew_init(&w, MACHINE_X86_64);
 *	ew_prstatus(&w, 42, 11, reg);		registers in DWARF order, then the thread pointer
 *	ew_segment(&w, 0x1000, PF_R | PF_W, data, 4096, 8192);
 *	bytes = ew_finish(&w, &len);		valid until ew_deinit
 *	ew_deinit(&w);
 *
 * The layouts of the notes are written down here once more, so that a slip in the reader's tables
 * does not agree with itself. Segments lie in the file in the order of the calls, page-aligned.
 */
#pragma once

#include "image/image.h"
#include "input/input.h"

#include <assert.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

struct ew_bytes {
	uint8_t *at;
	size_t n, room;
};

struct ew_segment {
	uint64_t vaddr, memsz, filesz;
	uint32_t flags;
	size_t data;	 /* in elfwriter.data */
	uint64_t offset; /* in the file; 0: where it comes */
};

struct ew_file {
	uint64_t start, end, page; /* page: offset in pages */
	const char *name;
};

struct elfwriter {
	enum image_machine machine;
	bool wide;
	uint16_t type, e_machine;
	struct ew_bytes notes, data, out;
	struct ew_segment *segment;
	size_t nsegment, room;
	bool force_xnum;
	bool no_tls; /* leave NT_ARM_TLS and NT_386_TLS out, as qemu-user does */
};

static inline void *ew_put(struct ew_bytes *b, const void *p, size_t n)
{
	if (!b->at || b->n + n > b->room) {
		b->room = (b->n + n) * 2 + 256;
		b->at = realloc(b->at, b->room);
		assert(b->at);
	}
	if (p)
		memcpy(b->at + b->n, p, n);
	else
		memset(b->at + b->n, 0, n);
	b->n += n;
	return b->at + b->n - n;
}

static inline void ew_pad(struct ew_bytes *b, size_t to)
{
	while (b->n % to)
		ew_put(b, NULL, to - b->n % to);
}

/* A little-endian number of `size` bytes at p. */
static inline void ew_set(uint8_t *p, uint64_t v, size_t size)
{
	memcpy(p, &v, size);
}

static inline void ew_init(struct elfwriter *w, enum image_machine machine)
{
	memset(w, 0, sizeof(*w));
	w->machine = machine;
	w->wide = machine != MACHINE_I386;
	w->type = ET_CORE;
	w->e_machine = machine == MACHINE_X86_64    ? EM_X86_64
		       : machine == MACHINE_AARCH64 ? EM_AARCH64
						    : EM_386;
}

static inline void ew_deinit(struct elfwriter *w)
{
	free(w->notes.at);
	free(w->data.at);
	free(w->out.at);
	free(w->segment);
	memset(w, 0, sizeof(*w));
}

static inline size_t ew_word(const struct elfwriter *w)
{
	return w->wide ? 8 : 4;
}

static inline struct ew_segment *ew_segment(struct elfwriter *w, uint64_t vaddr, uint32_t flags,
					    const void *data, uint64_t filesz, uint64_t memsz)
{
	if (w->nsegment == w->room) {
		w->room = w->room ? w->room * 2 : 16;
		w->segment = realloc(w->segment, w->room * sizeof(*w->segment));
		assert(w->segment);
	}
	struct ew_segment *s = &w->segment[w->nsegment++];
	*s = (struct ew_segment){vaddr, memsz, filesz, flags, w->data.n, 0};
	ew_put(&w->data, data, filesz);
	return s;
}

/* `claim` is what the note says of its size. */
static inline void ew_note_claim(struct elfwriter *w, const char *name, uint32_t type,
				 const void *desc, size_t len, uint32_t claim)
{
	uint32_t head[3] = {(uint32_t)strlen(name) + 1, claim, type};
	ew_put(&w->notes, head, sizeof(head));
	ew_put(&w->notes, name, head[0]);
	ew_pad(&w->notes, 4);
	ew_put(&w->notes, desc, len);
	ew_pad(&w->notes, 4);
}

static inline void ew_note(struct elfwriter *w, const char *name, uint32_t type, const void *desc,
			   size_t len)
{
	ew_note_claim(w, name, type, desc, len, (uint32_t)len);
}

/* Registers in DWARF order: x86-64 16 and rip; aarch64 x0 to x30, sp, pc; i386 8 and eip. */
static inline void ew_prstatus(struct elfwriter *w, int32_t tid, int16_t sig, const uint64_t *reg,
			       uint64_t tp)
{
	uint8_t d[392] = {0};
	static const uint8_t x86[17] = {80, 96, 88, 40, 104, 112, 32, 152, 72,
					64, 56, 48, 24, 16,  8,	  0,  128};
	static const uint8_t i386[9] = {24, 4, 8, 0, 60, 20, 12, 16, 48};
	ew_set(d, (uint64_t)sig, 4);
	ew_set(d + 12, (uint64_t)sig, 2);
	ew_set(d + (w->wide ? 32 : 24), (uint64_t)tid, 4);
	switch (w->machine) {
	case MACHINE_X86_64:
		for (int i = 0; i < 17; i++)
			ew_set(d + 112 + x86[i], reg[i], 8);
		ew_set(d + 112 + 168, tp, 8);
		ew_note(w, "CORE", NT_PRSTATUS, d, 336);
		break;
	case MACHINE_AARCH64:
		for (int i = 0; i < 33; i++)
			ew_set(d + 112 + 8 * i, reg[i], 8);
		ew_note(w, "CORE", NT_PRSTATUS, d, 392);
		if (!w->no_tls)
			ew_note(w, "LINUX", NT_ARM_TLS, &tp, 8);
		break;
	case MACHINE_I386:
		for (int i = 0; i < 9; i++)
			ew_set(d + 72 + i386[i], reg[i], 4);
		ew_set(d + 72 + 40, 12 << 3 | 3, 4); /* gs */
		ew_note(w, "CORE", NT_PRSTATUS, d, 144);
		uint32_t tls[12] = {13, 0x1111, 0, 0, 12, (uint32_t)tp, 0xfffff, 0x51, 14};
		if (!w->no_tls)
			ew_note(w, "LINUX", NT_386_TLS, tls, sizeof(tls));
		break;
	}
}

static inline void ew_prpsinfo(struct elfwriter *w, int32_t pid, int32_t ppid, uint32_t uid,
			       const char *fname, const char *args)
{
	uint8_t d[136] = {0};
	size_t size = w->wide ? 136 : 124, id = w->wide ? 16 : 8, idsz = w->wide ? 4 : 2;
	ew_set(d + id, uid, idsz);
	ew_set(d + id + idsz, uid + 1, idsz);
	ew_set(d + id + 2 * idsz, (uint64_t)pid, 4);
	ew_set(d + id + 2 * idsz + 4, (uint64_t)ppid, 4);
	size_t name = size - 96;
	size_t fname_len = strlen(fname), args_len = strlen(args);
	memcpy(d + name, fname, fname_len < 16 ? fname_len : 16);
	memcpy(d + name + 16, args, args_len < 80 ? args_len : 80);
	ew_note(w, "CORE", NT_PRPSINFO, d, size);
}

static inline void ew_siginfo(struct elfwriter *w, int32_t sig, int32_t code, uint64_t addr)
{
	uint8_t d[128] = {0};
	ew_set(d, (uint64_t)sig, 4);
	ew_set(d + 8, (uint64_t)code, 4);
	ew_set(d + (w->wide ? 16 : 12), addr, ew_word(w));
	ew_note(w, "CORE", NT_SIGINFO, d, sizeof(d));
}

/* n pairs of tag and value; AT_NULL is added. */
static inline void ew_auxv(struct elfwriter *w, const uint64_t *pair, size_t n)
{
	struct ew_bytes b = {0};
	for (size_t i = 0; i < 2 * n; i++)
		ew_put(&b, &pair[i], ew_word(w));
	ew_put(&b, NULL, 2 * ew_word(w));
	ew_note(w, "CORE", NT_AUXV, b.at, b.n);
	free(b.at);
}

static inline void ew_files(struct elfwriter *w, const struct ew_file *file, size_t n)
{
	struct ew_bytes b = {0};
	uint64_t count = n, page = 4096;
	ew_put(&b, &count, ew_word(w));
	ew_put(&b, &page, ew_word(w));
	for (size_t i = 0; i < n; i++) {
		ew_put(&b, &file[i].start, ew_word(w));
		ew_put(&b, &file[i].end, ew_word(w));
		ew_put(&b, &file[i].page, ew_word(w));
	}
	for (size_t i = 0; i < n; i++)
		ew_put(&b, file[i].name, strlen(file[i].name) + 1);
	ew_note(w, "CORE", NT_FILE, b.at, b.n);
	free(b.at);
}

static inline void ew_ehdr(uint8_t *e, bool wide, uint16_t type, uint16_t machine, uint16_t phnum,
			   uint64_t shoff)
{
	memset(e, 0, wide ? 64 : 52);
	memcpy(e, ELFMAG, SELFMAG);
	e[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
	e[EI_DATA] = ELFDATA2LSB;
	e[EI_VERSION] = EV_CURRENT;
	ew_set(e + 16, type, 2);
	ew_set(e + 18, machine, 2);
	ew_set(e + 20, EV_CURRENT, 4);
	ew_set(e + (wide ? 32 : 28), wide ? 64 : 52, wide ? 8 : 4);
	ew_set(e + (wide ? 40 : 32), shoff, wide ? 8 : 4);
	ew_set(e + (wide ? 52 : 40), wide ? 64 : 52, 2);
	ew_set(e + (wide ? 54 : 42), wide ? 56 : 32, 2);
	ew_set(e + (wide ? 56 : 44), phnum, 2);
	ew_set(e + (wide ? 58 : 46), wide ? 64 : 40, 2);
	ew_set(e + (wide ? 60 : 48), shoff ? 1 : 0, 2);
}

/* One program header into p: 56 bytes, or 32. */
static inline void ew_phdr(uint8_t *p, bool wide, uint32_t type, uint32_t flags, uint64_t offset,
			   uint64_t vaddr, uint64_t filesz, uint64_t memsz, uint64_t align)
{
	size_t word = wide ? 8 : 4;
	memset(p, 0, wide ? 56 : 32);
	ew_set(p, type, 4);
	ew_set(p + (wide ? 4 : 24), flags, 4);
	ew_set(p + (wide ? 8 : 4), offset, word);
	ew_set(p + (wide ? 16 : 8), vaddr, word);
	ew_set(p + (wide ? 32 : 16), filesz, word);
	ew_set(p + (wide ? 40 : 20), memsz, word);
	ew_set(p + (wide ? 48 : 28), align, word);
}

static inline const uint8_t *ew_finish(struct elfwriter *w, size_t *len)
{
	size_t ehsize = w->wide ? 64 : 52, phsize = w->wide ? 56 : 32;
	size_t phnum = w->nsegment + 1;
	bool xnum = w->force_xnum || phnum >= PN_XNUM;
	uint64_t notes = ehsize + phnum * phsize;
	uint64_t data = (notes + w->notes.n + 4095) / 4096 * 4096;
	w->out.n = 0;
	uint8_t *head = ew_put(&w->out, NULL, data);
	memcpy(head + notes, w->notes.at ? w->notes.at : head, w->notes.n);
	ew_phdr(head + ehsize, w->wide, PT_NOTE, 0, notes, 0, w->notes.n, 0, 0);
	uint64_t at = data;
	for (size_t i = 0; i < w->nsegment; i++) {
		struct ew_segment *s = &w->segment[i];
		ew_phdr(head + ehsize + (i + 1) * phsize, w->wide, PT_LOAD, s->flags,
			s->offset ? s->offset : at, s->vaddr, s->filesz, s->memsz, 4096);
		at += (s->filesz + 4095) / 4096 * 4096;
	}
	for (size_t i = 0; i < w->nsegment; i++) {
		ew_put(&w->out, w->data.at + w->segment[i].data, w->segment[i].filesz);
		ew_pad(&w->out, 4096);
	}
	ew_ehdr(w->out.at, w->wide, w->type, w->e_machine, xnum ? PN_XNUM : (uint16_t)phnum,
		xnum ? w->out.n : 0);
	if (xnum) {
		uint8_t *sh = ew_put(&w->out, NULL, w->wide ? 64 : 40);
		ew_set(sh + (w->wide ? 44 : 28), phnum, 4);
	}
	*len = w->out.n;
	return w->out.at;
}

/*
 * The first page of a library or executable as it lies in memory: ELF header, program headers, and
 * a build id of 20 bytes `id` in a PT_NOTE at 0x800. `page` has 4096 bytes.
 */
struct ew_load {
	uint32_t type, flags;
	uint64_t offset, vaddr, filesz, memsz, align;
};

static inline void ew_module_page(const struct elfwriter *w, uint8_t *page, uint16_t type,
				  uint64_t base, const struct ew_load *load, size_t n, uint8_t id)
{
	size_t ehsize = w->wide ? 64 : 52, phsize = w->wide ? 56 : 32;
	memset(page, 0, 4096);
	ew_ehdr(page, w->wide, type, w->e_machine, (uint16_t)(n + 1), 0);
	for (size_t i = 0; i < n; i++)
		ew_phdr(page + ehsize + i * phsize, w->wide, load[i].type, load[i].flags,
			load[i].offset, load[i].vaddr, load[i].filesz, load[i].memsz,
			load[i].align);
	ew_phdr(page + ehsize + n * phsize, w->wide, PT_NOTE, PF_R, 0x800, base + 0x800, 36, 36, 4);
	uint32_t head[3] = {4, 20, NT_GNU_BUILD_ID};
	memcpy(page + 0x800, head, 12);
	memcpy(page + 0x80c, "GNU", 4);
	memset(page + 0x810, id, 20);
}

/* Bytes of a core to an image; NULL with *err set, if it is refused. */
static inline struct image *ew_open(const uint8_t *bytes, size_t len, struct damage_log *damage,
				    struct log *log, struct error **err)
{
	struct input_file in;
	struct image *img = NULL;
	*err = input_open_memory("test", bytes, len, &in);
	if (*err)
		return NULL;
	const struct input_format *f = input_format_find(&in);
	*err = f ? f->read_image(&in, damage, log, &img) : error_new(ERROR_INPUT, "no format");
	input_close(&in);
	return img;
}
