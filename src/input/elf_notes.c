#include "base/checked.h"
#include "input/elf_core_impl.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
	NOTE_HEADER = 12,
	PATH_BYTES_MAX = 4096, /* PATH_MAX, which d_path() in the kernel keeps to */
	THREADS_MAX = 1 << 22, /* PID_MAX_LIMIT of a 64-bit kernel */
	/* Linux 5.19 include/uapi/linux/elf.h; younger than glibc 2.36's elf.h. */
	NOTE_ARM_SSVE = 0x40b,
	NOTE_ARM_ZA = 0x40c,
	USER_DESC = 16, /* struct user_desc: entry_number, base_addr, limit, flags */
};

/* A note's descriptor and what it says of itself. */
struct note {
	uint32_t type;
	const char *name;
	uint32_t namesz;
	const uint8_t *desc;
	uint64_t len;  /* bytes that are there */
	uint64_t want; /* bytes it claims */
};

static uint64_t get_word(const struct elf_core *core, const uint8_t *p)
{
	return core->m->word == 8 ? get64(p) : get32(p);
}

/* A name of fixed room, NUL or not; control bytes become '?', since people will look at it. */
static void get_text(char *to, const uint8_t *from, size_t max)
{
	size_t n = strnlen((const char *)from, max);
	for (size_t i = 0; i < n; i++)
		to[i] = from[i] < 0x20 || from[i] == 0x7f ? '?' : (char)from[i];
	while (n && to[n - 1] == ' ')
		n--;
	to[n] = 0;
}

/* ---- threads ---- */

static const struct core_vector *vector_find(const struct elf_core *core, uint32_t type)
{
	for (unsigned i = 0; i < core->nvector; i++)
		if (core->vector[i].type == type)
			return &core->vector[i];
	return NULL;
}

/*
 * Gives the open thread its vector bytes. NT_X86_XSTATE begins with the FXSAVE area that
 * NT_FPREGSET (x86-64) and NT_PRXFPREG (i386) repeat, and NT_PRXFPREG tells all that i386's
 * NT_FPREGSET does (Linux arch/x86/kernel/fpu/regset.c), so one note is enough there and need not
 * be copied.
 */
static struct error *thread_set_vector(struct elf_core *core)
{
	static const uint32_t complete[] = {NT_X86_XSTATE, NT_PRXFPREG};
	if (!core->nvector)
		return NULL;
	const struct core_vector *one = core->nvector == 1 ? &core->vector[0] : NULL;
	for (unsigned i = 0; !one && i < sizeof(complete) / sizeof(complete[0]); i++)
		one = vector_find(core, complete[i]);
	if (one) {
		core->thread.vector = one->bytes;
		core->thread.vector_len = one->len;
		return NULL;
	}
	uint64_t len = 0;
	for (unsigned i = 0; i < core->nvector; i++)
		len += align_down(core->vector[i].len + 7, 8); /* each is below 2^32 */
	uint8_t *all = region_alloc(&core->img->region, len);
	if (!all)
		return &error_nomem;
	core->thread.vector = all;
	core->thread.vector_len = len;
	for (unsigned i = 0; i < core->nvector; i++) {
		memcpy(all, core->vector[i].bytes, core->vector[i].len);
		all += align_down(core->vector[i].len + 7, 8);
	}
	return NULL;
}

static struct error *thread_end(struct elf_core *core)
{
	if (!core->in_thread)
		return NULL;
	core->in_thread = false;
	struct error *err = thread_set_vector(core);
	if (!err)
		err = image_add_thread(core->img, &core->thread);
	return err;
}

static struct error *read_prstatus(struct elf_core *core, const struct note *n)
{
	struct error *err = thread_end(core);
	if (err)
		return err;
	const struct core_machine *m = core->m;
	core->nvector = 0;
	core->pr_reg = NULL;
	core->thread = (struct image_thread){.stack_segment = UINT32_MAX};
	uint64_t need = m->regs + (uint64_t)m->nregs * m->word;
	if (n->len < need) {
		damage_add(core->img->damage, DAMAGE_DUMP, 0,
			   "the status of thread number %" PRIu32 " has %" PRIu64
			   " bytes where %s has %" PRIu64 " or more: its registers are not known",
			   core->img->nthread + 1, n->len, m->name, need);
		return NULL;
	}
	if (core->img->nthread == THREADS_MAX) {
		damage_add(core->img->damage, DAMAGE_DUMP, 0,
			   "more than %d threads: one is left out", THREADS_MAX);
		return NULL;
	}
	core->in_thread = true;
	struct image_thread *t = &core->thread;
	t->signal = get16(n->desc + m->cursig);
	t->tid = (int32_t)get32(n->desc + m->tid);
	const uint8_t *reg = n->desc + m->regs;
	for (unsigned i = 0; i < m->ndwarf; i++)
		t->reg[i] = get_word(core, reg + (size_t)m->dwarf[i] * m->word);
	t->nreg = m->ndwarf;
	t->pc = get_word(core, reg + (size_t)m->pc * m->word);
	t->sp = get_word(core, reg + (size_t)m->sp * m->word);
	t->fp = get_word(core, reg + (size_t)m->fp * m->word);
	if (m->tp >= 0)
		t->tp = get_word(core, reg + (size_t)m->tp * m->word);
	core->pr_reg = reg;
	return NULL;
}

/* i386: gs selects one of the descriptors that set_thread_area() filled in. */
static void read_386_tls(struct elf_core *core, const struct note *n)
{
	const struct core_machine *m = core->m;
	if (!core->in_thread || m->tls_sel < 0 || !core->pr_reg)
		return;
	uint32_t entry = (get32(core->pr_reg + (size_t)m->tls_sel * m->word) & 0xffff) >> 3;
	for (uint64_t at = 0; at + USER_DESC <= n->len; at += USER_DESC)
		if (entry && get32(n->desc + at) == entry)
			core->thread.tp = get32(n->desc + at + 4);
}

static void read_vector(struct elf_core *core, const struct note *n)
{
	if (!core->in_thread || !n->len || core->nvector == CORE_VECTORS_MAX ||
	    vector_find(core, n->type))
		return;
	core->vector[core->nvector++] = (struct core_vector){n->type, n->desc, n->len};
}

/* ---- the process ---- */

static void read_prpsinfo(struct elf_core *core, const struct note *n)
{
	const struct core_machine *m = core->m;
	struct image_process *p = &core->img->process;
	if (core->seen_psinfo || n->len < m->psinfo_size)
		return;
	core->seen_psinfo = true;
	if (m->uid_size == 2) {
		p->uid = get16(n->desc + m->uid);
		p->gid = get16(n->desc + m->uid + 2);
	} else {
		p->uid = get32(n->desc + m->uid);
		p->gid = get32(n->desc + m->uid + 4);
	}
	p->pid = (int32_t)get32(n->desc + m->pid);
	p->ppid = (int32_t)get32(n->desc + m->pid + 4);
	get_text(p->comm, n->desc + m->fname, 16);
	get_text(p->args, n->desc + m->psargs, 80);
}

/* gdb writes one for each thread; the first is the one that the process stopped for. */
static void read_siginfo(struct elf_core *core, const struct note *n)
{
	struct image_process *p = &core->img->process;
	if (core->seen_siginfo || n->len < (uint64_t)core->m->si_addr + core->m->word)
		return;
	core->seen_siginfo = true;
	core->siginfo_signal = (int32_t)get32(n->desc);
	p->si_code = (int32_t)get32(n->desc + 8);
	p->si_addr = get_word(core, n->desc + core->m->si_addr);
}

static void read_auxv(struct elf_core *core, const struct note *n)
{
	if (core->seen_auxv)
		return;
	core->seen_auxv = true;
	struct image *img = core->img;
	struct image_process *p = &img->process;
	unsigned word = core->m->word;
	for (uint64_t at = 0; at + 2 * word <= n->len; at += 2 * word) {
		uint64_t v = get_word(core, n->desc + at + word);
		switch (get_word(core, n->desc + at)) {
		case AT_NULL:
			return;
		case AT_PAGESZ:
			if (v >= 4096 && v <= 1 << 20 && !(v & (v - 1)))
				img->page_size = v;
			else
				damage_add(img->damage, DAMAGE_DUMP, 0,
					   "the auxiliary vector says that a page has %" PRIu64
					   " bytes; 4096 are assumed",
					   v);
			break;
		case AT_PHDR:
			p->at_phdr = v;
			break;
		case AT_PHNUM:
			p->at_phnum = v;
			break;
		case AT_BASE:
			p->at_base = v;
			break;
		case AT_ENTRY:
			p->at_entry = v;
			break;
		case AT_SYSINFO_EHDR:
			p->at_sysinfo_ehdr = v;
			break;
		case AT_RANDOM:
			p->at_random = v;
			break;
		case AT_EXECFN:
			p->at_execfn = v;
			break;
		case AT_UID:
			if (p->uid < 0)
				p->uid = (int64_t)(uint32_t)v;
			break;
		case AT_GID:
			if (p->gid < 0)
				p->gid = (int64_t)(uint32_t)v;
			break;
		default:
			break;
		}
	}
}

static int file_compare(const void *a, const void *b)
{
	const struct core_file *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end < y->end ? -1 : x->end > y->end;
}

/*
 * NT_FILE (Linux fs/binfmt_elf.c, fill_files_note): count and page size; count times start, end,
 * offset in pages; count paths, each with its NUL.
 */
static struct error *read_file(struct elf_core *core, const struct note *n)
{
	struct image *img = core->img;
	unsigned word = core->m->word;
	if (core->seen_file || n->len < 2 * word)
		return NULL;
	core->seen_file = true;
	uint64_t count = get_word(core, n->desc);
	uint64_t page = get_word(core, n->desc + word);
	uint64_t most = (n->len - 2 * word) / (3 * word);
	if (count > most) {
		damage_add(img->damage, DAMAGE_DUMP, 0,
			   "the list of mapped files claims %" PRIu64
			   " entries and has room for %" PRIu64,
			   count, most);
		count = most;
	}
	const uint8_t *row = n->desc + 2 * word, *end = n->desc + n->len;
	const uint8_t *name = row + count * 3 * word;
	bool bad = false;
	for (uint64_t i = 0; i < count; i++, row += 3 * word) {
		struct core_file f = {get_word(core, row), get_word(core, row + word), 0, NULL};
		bad |= !checked_mul(get_word(core, row + 2 * word), page, &f.offset);
		uint64_t len = strnlen((const char *)name, (size_t)(end - name));
		f.name = (const char *)name;
		if (name + len == end || len > PATH_BYTES_MAX) {
			bad = true;
			f.name = region_strndup(&img->region, (const char *)name,
						len < PATH_BYTES_MAX ? len : PATH_BYTES_MAX);
			if (!f.name)
				return &error_nomem;
		}
		name += name + len == end ? len : len + 1;
		if (f.start >= f.end) {
			bad = true;
			continue;
		}
		struct error *err = f.name[0] ? vec_push(&core->files, f) : NULL;
		if (err)
			return err;
	}
	if (bad)
		damage_add(img->damage, DAMAGE_DUMP, 0,
			   "the list of mapped files is damaged: some mappings lack their names");
	if (core->files.n)
		qsort(core->files.at, core->files.n, sizeof(*core->files.at), file_compare);
	return NULL;
}

/* ---- the list ---- */

static bool name_is(const struct note *n, const char *name)
{
	size_t len = strlen(name);
	return n->namesz >= len && n->namesz <= len + 1 && !memcmp(n->name, name, len);
}

static struct error *read_core_note(struct elf_core *core, const struct note *n)
{
	switch (n->type) {
	case NT_PRSTATUS:
		return read_prstatus(core, n);
	case NT_PRPSINFO:
		read_prpsinfo(core, n);
		break;
	case NT_SIGINFO:
		read_siginfo(core, n);
		break;
	case NT_AUXV:
		read_auxv(core, n);
		break;
	case NT_FILE:
		return read_file(core, n);
	case NT_FPREGSET:
		read_vector(core, n);
		break;
	default:
		break;
	}
	return NULL;
}

static void read_linux_note(struct elf_core *core, const struct note *n)
{
	bool arm = core->m->machine == MACHINE_AARCH64;
	switch (n->type) {
	case NT_X86_XSTATE:
	case NT_PRXFPREG:
		if (!arm)
			read_vector(core, n);
		break;
	case NT_ARM_SVE:
	case NOTE_ARM_SSVE:
	case NOTE_ARM_ZA:
		if (arm)
			read_vector(core, n);
		break;
	case NT_ARM_TLS:
		if (arm && core->in_thread && n->len >= 8)
			core->thread.tp = get64(n->desc);
		break;
	case NT_386_TLS:
		read_386_tls(core, n);
		break;
	default:
		break;
	}
}

struct error *elf_notes_read(struct elf_core *core, uint64_t offset, uint64_t len)
{
	struct damage_log *damage = core->img->damage;
	uint64_t there = offset < core->size ? core->size - offset : 0;
	if (there > len)
		there = len;
	/* Notes that lie on each other would be read again and again. */
	if (there > core->size - core->note_bytes) {
		damage_add(damage, DAMAGE_DUMP, 0, "the notes claim more bytes than the file has");
		return NULL;
	}
	core->note_bytes += there;
	if (there < len) {
		core->img->truncated = true;
		damage_add(damage, DAMAGE_DUMP, 0,
			   "the file ends before its notes do: %" PRIu64 " bytes of %" PRIu64
			   " are missing",
			   len - there, len);
	}
	if (!there)
		return NULL;
	const uint8_t *p = core->data + offset;
	uint64_t at = 0;
	while (there - at >= NOTE_HEADER) {
		struct note n = {.namesz = get32(p + at),
				 .want = get32(p + at + 4),
				 .type = get32(p + at + 8)};
		if (!n.namesz && !n.want && !n.type) {
			damage_add(damage, DAMAGE_DUMP, 0,
				   "the notes end in zeroes, %" PRIu64 " bytes early", len - at);
			return NULL;
		}
		/* Both are below 2^32, so nothing here can overflow. */
		uint64_t desc = at + NOTE_HEADER + align_down((uint64_t)n.namesz + 3, 4);
		if (desc > there)
			break;
		n.name = (const char *)p + at + NOTE_HEADER;
		n.desc = p + desc;
		n.len = n.want < there - desc ? n.want : there - desc;
		at = desc + align_down(n.want + 3, 4);
		if (n.len < n.want)
			damage_add(damage, DAMAGE_DUMP, 0,
				   "note 0x%" PRIx32 " claims %" PRIu64 " bytes and has %" PRIu64,
				   n.type, n.want, n.len);
		struct error *err = NULL;
		if (name_is(&n, "CORE"))
			err = read_core_note(core, &n);
		else if (name_is(&n, "LINUX"))
			read_linux_note(core, &n);
		if (err)
			return err;
		if (at >= there)
			break;
	}
	if (at < there && there - at >= 4)
		damage_add(damage, DAMAGE_DUMP, 0,
			   "the notes are damaged, or cut, %" PRIu64 " bytes before their end",
			   len - at);
	return NULL;
}

struct error *elf_notes_end(struct elf_core *core)
{
	struct error *err = thread_end(core);
	if (err)
		return err;
	struct image *img = core->img;
	struct image_process *p = &img->process;
	if (img->nthread)
		p->signal = img->thread[0].signal;
	/* What stopped a living process for gcore is gdb's doing; a fault's facts need a fault. */
	if (core->siginfo_signal != p->signal || !p->signal)
		p->si_code = 0;
	bool fault = p->signal == 4 || p->signal == 5 || p->signal == 7 || p->signal == 8 ||
		     p->signal == 11; /* SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: have si_addr */
	if (!fault || p->si_code <= 0)
		p->si_addr = 0;
	/* The kernel gives the group leader's name (fill_psinfo), whichever thread died. */
	for (uint32_t i = 0; i < img->nthread; i++)
		if (p->pid && img->thread[i].tid == p->pid)
			memcpy(img->thread[i].name, p->comm, sizeof(p->comm));
	if (!img->nthread)
		damage_add(
			img->damage, DAMAGE_DUMP, 0,
			"no thread's registers are in the dump: stacks cannot be told apart from "
			"other memory");
	return NULL;
}
