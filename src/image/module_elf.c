#include "base/checked.h"
#include "image/image_impl.h"

#include <elf.h>

/* Fields of an ELF structure that was read into `p`, at the offset of either class. */
static uint64_t field(const struct image *img, const uint8_t *p, unsigned at32, unsigned at64)
{
	if (img->word_size == 4) {
		uint32_t v;
		memcpy(&v, p + at32, sizeof(v));
		return v;
	}
	uint64_t v;
	memcpy(&v, p + at64, sizeof(v));
	return v;
}

static uint16_t half(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t machine_number(enum image_machine machine)
{
	switch (machine) {
	case MACHINE_X86_64:
		return EM_X86_64;
	case MACHINE_AARCH64:
		return EM_AARCH64;
	case MACHINE_I386:
		break;
	}
	return EM_386;
}

bool elf_table_find(const struct image *img, uint64_t addr, struct elf_table *ret)
{
	bool wide = img->word_size == 8;
	uint8_t e[sizeof(Elf64_Ehdr)];
	uint8_t class = wide ? ELFCLASS64 : ELFCLASS32;
	if (!image_try_read(img, addr, e, wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return false;
	if (memcmp(e, ELFMAG, SELFMAG) || e[EI_CLASS] != class || e[EI_DATA] != ELFDATA2LSB)
		return false;
	uint16_t type = half(e + 16);
	if ((type != ET_EXEC && type != ET_DYN) || half(e + 18) != machine_number(img->machine))
		return false;
	uint64_t phoff = field(img, e, 28, 32);
	*ret = (struct elf_table){
		.type = type,
		.header = addr,
		.phdr = image_wrap(img, addr + phoff),
		.phentsize = half(e + (wide ? 54 : 42)),
		.phnum = half(e + (wide ? 56 : 44)),
	};
	/* Program headers are in the first pages, or this is no module as the loader maps them. */
	return ret->phnum && ret->phentsize >= (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) &&
	       (uint64_t)ret->phnum * ret->phentsize <= PHDR_BYTES_MAX && phoff < UINT32_MAX;
}

bool elf_table_get(const struct image *img, const struct elf_table *t, uint32_t i,
		   struct elf_phdr *ret)
{
	uint8_t p[sizeof(Elf64_Phdr)];
	uint64_t size = img->word_size == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (!image_try_read(img, t->phdr + (uint64_t)i * t->phentsize, p, size))
		return false;
	uint32_t type, flags;
	memcpy(&type, p, sizeof(type));
	memcpy(&flags, p + (img->word_size == 8 ? 4 : 24), sizeof(flags));
	*ret = (struct elf_phdr){
		.type = type,
		.flags = flags,
		.offset = field(img, p, 4, 8),
		.vaddr = field(img, p, 8, 16),
		.filesz = field(img, p, 16, 32),
		.memsz = field(img, p, 20, 40),
		.align = field(img, p, 28, 48),
	};
	return true;
}

/* The build id among the notes of [addr, addr + len), which is a PT_NOTE in memory. */
static void read_build_id(const struct image *img, uint64_t addr, uint64_t len, uint64_t align,
			  struct image_module *m)
{
	enum { NOTE_BYTES_MAX = 1 << 16 };
	uint64_t pad = align == 8 ? 8 : 4;
	if (len > NOTE_BYTES_MAX)
		len = NOTE_BYTES_MAX;
	/* Each step moves on by 12 bytes or more. */
	for (uint64_t at = 0; len >= 12 && at <= len - 12;) {
		uint32_t head[3];
		char name[4];
		if (!image_try_read(img, addr + at, head, sizeof(head)))
			return;
		uint64_t desc = at + align_down(12 + (uint64_t)head[0] + pad - 1, pad);
		uint64_t next = desc + align_down((uint64_t)head[1] + pad - 1, pad);
		if (head[2] == NT_GNU_BUILD_ID && head[0] == 4 && head[1] &&
		    head[1] <= BUILD_ID_MAX && checked_within(desc, head[1], 0, len) &&
		    image_try_read(img, addr + at + 12, name, 4) && !memcmp(name, "GNU", 4) &&
		    image_try_read(img, addr + desc, m->build_id, head[1])) {
			m->build_id_len = head[1];
			return;
		}
		at = next;
	}
}

/*
 * What to add to the file's addresses: from the PT_LOAD that maps the ELF header, or, for a table
 * that only the auxiliary vector led to, from PT_PHDR. A non-PIE has neither need.
 */
static bool find_bias(const struct image *img, const struct elf_table *t, uint64_t *ret)
{
	for (uint32_t i = 0; i < t->phnum; i++) {
		struct elf_phdr ph;
		if (!elf_table_get(img, t, i, &ph))
			return false;
		if (ph.type == PT_LOAD && t->header && ph.memsz && ph.offset < img->page_size) {
			*ret = image_wrap(img, t->header - align_down(ph.vaddr, img->page_size));
			return true;
		}
		if (ph.type == PT_PHDR && !t->header) {
			*ret = image_wrap(img, t->phdr - ph.vaddr);
			return true;
		}
	}
	if (t->header)
		return false;
	*ret = 0;
	return true;
}

static void read_tls(const struct image *img, const struct elf_phdr *ph, uint64_t addr,
		     struct image_module *m)
{
	m->tls_image = addr;
	m->tls_image_size = ph->filesz;
	m->tls_size = ph->memsz;
	m->tls_align = ph->align ? ph->align : 1;
	if (!m->is_exe || m->tls_static || !m->tls_size || m->tls_align & (m->tls_align - 1))
		return;
	/*
	 * The executable is first beside the thread pointer; the others' places only the loader
	 * knows. glibc 2.36 csu/libc-tls.c and elf/dl-tls.c (_dl_determine_tlsoffset): before the
	 * thread pointer on x86, behind a TCB of two words on aarch64.
	 */
	uint64_t least = img->machine == MACHINE_AARCH64 ? 16 : m->tls_size;
	m->tls_static = checked_align_up(least, m->tls_align, &m->tls_offset);
	m->tls_modid = 1;
}

bool image_module_read_headers(struct image *img, struct image_module *module)
{
	struct elf_table t;
	struct image_module m = *module;
	const struct image_process *p = &img->process;
	if (!elf_table_find(img, m.start, &t)) {
		if (!m.is_exe || !p->at_phdr || !p->at_phnum || p->at_phnum > 1024)
			return false;
		t = (struct elf_table){
			.phdr = p->at_phdr,
			.phnum = (uint32_t)p->at_phnum,
			.phentsize = img->word_size == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr),
		};
	}
	if (!find_bias(img, &t, &m.bias))
		return false;
	uint64_t page = img->page_size, lo = UINT64_MAX, hi = 0;
	m.data_start = m.data_end = m.relro_start = m.relro_end = m.dynamic = 0;
	uint64_t data_lo = UINT64_MAX, data_hi = 0;
	for (uint32_t i = 0; i < t.phnum; i++) {
		struct elf_phdr ph;
		uint64_t end;
		if (!elf_table_get(img, &t, i, &ph))
			return false;
		if (!checked_add(ph.vaddr, ph.memsz, &end) || !ph.memsz)
			continue;
		uint64_t addr = image_wrap(img, m.bias + ph.vaddr);
		switch (ph.type) {
		case PT_LOAD:
			lo = ph.vaddr < lo ? ph.vaddr : lo;
			hi = end > hi ? end : hi;
			if (!(ph.flags & PF_W))
				break;
			data_lo = ph.vaddr < data_lo ? ph.vaddr : data_lo;
			data_hi = end > data_hi ? end : data_hi;
			break;
		case PT_DYNAMIC:
			m.dynamic = addr;
			break;
		case PT_GNU_RELRO:
			m.relro_start = addr;
			m.relro_end = image_wrap(img, m.bias + end);
			break;
		case PT_TLS:
			read_tls(img, &ph, addr, &m);
			break;
		case PT_NOTE:
			if (!m.build_id_len)
				read_build_id(img, addr, ph.memsz, ph.align, &m);
			break;
		default:
			break;
		}
	}
	uint64_t top;
	if (lo >= hi || !checked_align_up(hi, page, &top))
		return false;
	m.start = image_wrap(img, m.bias + align_down(lo, page));
	m.end = image_wrap(img, m.bias + top);
	if (data_lo < data_hi) {
		m.data_start = image_wrap(img, m.bias + data_lo);
		m.data_end = image_wrap(img, m.bias + data_hi);
	}
	if (m.start >= m.end || m.data_start > m.data_end)
		return false;
	if (m.relro_start > m.relro_end)
		m.relro_start = m.relro_end = 0;
	m.phdr = t.phdr;
	m.phnum = t.phnum;
	m.has_headers = true;
	*module = m;
	return true;
}

uint64_t image_tls_block(const struct image *img, const struct image_module *module,
			 const struct image_thread *thread)
{
	if (!module->tls_static || !thread->tp)
		return 0;
	if (img->machine == MACHINE_AARCH64)
		return thread->tp + module->tls_offset;
	return image_wrap(img, thread->tp - module->tls_offset);
}
