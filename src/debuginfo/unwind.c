/*
 * Frame after frame. A step, from the surest to the weakest:
 *
 *	call frame information      certain
 *	a signal's frame            certain: the kernel's own layout, known by the code at pc
 *	a call to nowhere           pc holds no code: the return address is where the call put it;
 *	                            certain when a call can be seen before it
 *	frame pointer               a guess: code may use that register for anything
 *
 * What comes after a guess is a guess; one that leads to code without a call before it is dropped.
 * Bounded by the caller's `max`; besides, the stack must be
 *left behind at every step (only signals may switch stacks), so that nothing repeats.
 */
#include "debuginfo/debuginfo_impl.h"

#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

/* ---- machines ---- */

struct machine {
	unsigned nreg;
	unsigned sp, fp;
	unsigned
		ra; /* DWARF number of pc's own column; where it is a register, the link register */
	bool link;  /* a call leaves its return address in `ra`, not on the stack */
	uint64_t preserved; /* registers that a function hands back as they were */
};

#define BIT(n) (UINT64_C(1) << (n))

/* DWARF numbers and preserved registers: System V psABI x86-64 1.0 figures 3.4 and 3.36; i386 psABI
 * 1.1 tables 2.3 and 2.14; AAPCS64 6.1.1 and AADWARF64 4.1. */
static const struct machine machine_x86_64 = {
	.nreg = 17,
	.sp = 7,
	.fp = 6,
	.ra = 16,
	.preserved = BIT(3) | BIT(6) | BIT(12) | BIT(13) | BIT(14) | BIT(15),
};
static const struct machine machine_i386 = {
	.nreg = 9,
	.sp = 4,
	.fp = 5,
	.ra = 8,
	.preserved = BIT(3) | BIT(5) | BIT(6) | BIT(7),
};
static const struct machine machine_aarch64 = {
	.nreg = 32,
	.sp = 31,
	.fp = 29,
	.ra = 30,
	.link = true,
	.preserved = BIT(19) | BIT(20) | BIT(21) | BIT(22) | BIT(23) | BIT(24) | BIT(25) | BIT(26) |
		     BIT(27) | BIT(28) | BIT(29) | BIT(30),
};

static const struct machine *machine_of(const struct image *img)
{
	switch (img->machine) {
	case MACHINE_X86_64:
		return &machine_x86_64;
	case MACHINE_I386:
		return &machine_i386;
	case MACHINE_AARCH64:
		return &machine_aarch64;
	}
	return &machine_x86_64;
}

/* ---- where call frame information is ---- */

static uint64_t module_eh_frame_hdr(const struct image *img, const struct image_module *mod)
{
	uint64_t size = img->word_size == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	for (uint32_t i = 0; mod->phdr && i < mod->phnum && i < PN_XNUM; i++) {
		uint64_t at = mod->phdr + i * size, vaddr = 0;
		uint32_t type;
		if (!image_try_u32(img, at, &type))
			break;
		if (type != PT_GNU_EH_FRAME)
			continue;
		uint64_t field = img->word_size == 8 ? offsetof(Elf64_Phdr, p_vaddr)
						     : offsetof(Elf32_Phdr, p_vaddr);
		if (!image_try_word(img, at + field, &vaddr))
			break;
		return mod->bias + vaddr;
	}
	return 0;
}

static void file_eh_frame(const struct module_info *m, uint64_t *addr, uint64_t *size)
{
	size_t names;
	*addr = *size = 0;
	if (!m->file.elf || elf_getshdrstrndx(m->file.elf, &names))
		return;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(m->file.elf, scn));) {
		GElf_Shdr sh;
		const char *name;
		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS ||
		    !(name = elf_strptr(m->file.elf, names, sh.sh_name)))
			continue;
		if (!strcmp(name, ".eh_frame")) {
			*addr = sh.sh_addr + m->module->bias;
			*size = sh.sh_size;
			return;
		}
	}
}

/* .debug_frame of the binary or of its debug file; libdw has unpacked it when it was compressed. */
static const uint8_t *file_debug_frame(struct module_info *m, uint64_t *size, uint64_t *bias)
{
	*size = 0;
	*bias = 0;
	Dwfl_Module *mod = m->file.has_dwarf || m->debug.has_dwarf ? module_dwfl(m) : NULL;
	Dwarf_Addr by;
	Dwarf *dwarf = mod ? dwfl_module_getdwarf(mod, &by) : NULL;
	Elf *elf = dwarf ? dwarf_getelf(dwarf) : NULL;
	size_t names;
	if (!elf || elf_getshdrstrndx(elf, &names))
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr sh;
		const char *name;
		if (!gelf_getshdr(scn, &sh) || sh.sh_type == SHT_NOBITS ||
		    !(name = elf_strptr(elf, names, sh.sh_name)))
			continue;
		if (strcmp(name, ".debug_frame") && strcmp(name, ".zdebug_frame"))
			continue;
		Elf_Data *data = elf_getdata(scn, NULL);
		if (!data || !data->d_buf)
			return NULL;
		*size = data->d_size;
		*bias = by;
		return data->d_buf;
	}
	return NULL;
}

static const struct cfi *module_cfi(struct module_info *m)
{
	if (m->cfi_made)
		return &m->cfi;
	m->cfi_made = true;
	uint64_t eh_frame, eh_size, debug_size, bias;
	uint64_t hdr = module_eh_frame_hdr(m->owner->image, m->module);
	file_eh_frame(m, &eh_frame, &eh_size);
	const uint8_t *debug = file_debug_frame(m, &debug_size, &bias);
	struct error *err =
		cfi_init(&m->cfi, m->owner->image, hdr, eh_frame, eh_size, debug, debug_size, bias);
	if (err) {
		log_warning(m->owner->log, "%s: no call frame information: %s",
			    m->module->path ? m->module->path : "module", err->message);
		error_free(err);
	}
	return &m->cfi;
}

/* ---- steps ---- */

struct unwinding {
	const struct debuginfo *di;
	const struct image *img;
	const struct machine *machine;
	struct cfi_regs regs;
	bool exact;  /* pc is where the frame stopped, not behind a call */
	bool signal; /* the step just made left a signal's frame */
	struct cfi_row row;
};

static bool word_aligned(const struct unwinding *u, uint64_t addr)
{
	return !(addr & (u->img->word_size - 1));
}

static bool rule_apply(const struct unwinding *u, const struct cfi_rule *rule, unsigned reg,
		       uint64_t cfa, uint64_t *ret)
{
	const struct cfi_regs *regs = &u->regs;
	uint64_t addr;
	switch ((enum cfi_rule_kind)rule->kind) {
	case RULE_UNDEFINED:
		return false;
	case RULE_NONE:
		/* An interrupted function's registers are all there. */
		if (!u->row.signal && !(u->machine->preserved >> reg & 1))
			return false;
		return cfi_regs_get(regs, reg, ret);
	case RULE_SAME:
		return cfi_regs_get(regs, reg, ret);
	case RULE_OFFSET:
		return image_try_word(u->img, cfa + (uint64_t)rule->n, ret);
	case RULE_VAL_OFFSET:
		*ret = cfa + (uint64_t)rule->n;
		return true;
	case RULE_REGISTER:
		return cfi_regs_get(regs, rule->reg, ret);
	case RULE_EXPR:
		return expr_eval(u->img, rule->expr, rule->len, regs, &cfa, &addr) &&
		       image_try_word(u->img, addr, ret);
	case RULE_VAL_EXPR:
		return expr_eval(u->img, rule->expr, rule->len, regs, &cfa, ret);
	}
	return false;
}

static bool cfa_apply(const struct unwinding *u, uint64_t *ret)
{
	const struct cfi_rule *rule = &u->row.cfa;
	if (rule->kind == RULE_VAL_EXPR)
		return expr_eval(u->img, rule->expr, rule->len, &u->regs, NULL, ret);
	if (rule->kind != RULE_REGISTER || !cfi_regs_get(&u->regs, rule->reg, ret))
		return false;
	*ret += (uint64_t)rule->n;
	if (u->img->word_size == 4)
		*ret = (uint32_t)*ret;
	return true;
}

enum step {
	STEP_NONE, /* this way does not apply */
	STEP_END,  /* this was the outermost frame; cfa is set */
	STEP_MADE,
};

static enum step step_cfi(struct unwinding *u, struct cfi_regs *next, uint64_t *cfa)
{
	uint64_t pc = u->exact ? u->regs.pc : u->regs.pc - 1;
	struct module_info *m = debuginfo_info(u->di, image_module_find(u->img, pc));
	if (!m || !cfi_find(module_cfi(m), pc, &u->row) || !cfa_apply(u, cfa))
		return STEP_NONE;
	*next = (struct cfi_regs){0};
	for (unsigned i = 0; i < u->machine->nreg; i++) {
		uint64_t v;
		if (rule_apply(u, &u->row.rule[i], i, *cfa, &v))
			cfi_regs_set(next, i, v);
	}
	if (!u->row.rule[u->machine->sp].kind)
		cfi_regs_set(next, u->machine->sp, *cfa);
	if (!cfi_regs_get(next, u->row.return_column, &next->pc))
		return STEP_END;
	/* AAPCS64, pointer authentication: the code sits above the 48 bits of an address. */
	if (u->row.ra_signed)
		next->pc &= BIT(48) - 1;
	u->signal = u->row.signal;
	return STEP_MADE;
}

/*
 * A handler returns into a few instructions that call sigreturn; the kernel put the interrupted
 * registers above. Linux 6.1: arch/x86/include/uapi/asm/sigcontext.h and include/asm/sigframe.h,
 * arch/arm64/kernel/signal.c, uapi/asm/sigcontext.h, uapi/asm/ucontext.h.
 */
static const uint8_t sigreturn_x86_64[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
static const uint8_t sigreturn_aarch64[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4};
static const uint8_t sigreturn_i386_rt[] = {0xb8, 0xad, 0, 0, 0, 0xcd, 0x80};
static const uint8_t sigreturn_i386[] = {0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80};

static bool code_is(const struct unwinding *u, const uint8_t *want, size_t len)
{
	uint8_t there[16];
	return image_try_read(u->img, u->regs.pc, there, len) && !memcmp(there, want, len);
}

#define CODE_IS(u, want) code_is(u, want, sizeof(want))

/* Words at `at`, in the kernel's order, named by DWARF number; PC means pc, SKIP nothing of ours.
 */
enum { SKIP = 255, PC = 254 };

static bool read_saved(const struct unwinding *u, uint64_t at, const uint8_t *order, unsigned n,
		       struct cfi_regs *next)
{
	*next = (struct cfi_regs){0};
	for (unsigned i = 0; i < n; i++) {
		uint64_t v;
		if (!image_try_word(u->img, at + (uint64_t)i * u->img->word_size, &v))
			return false;
		if (order[i] == PC)
			next->pc = v;
		else if (order[i] != SKIP)
			cfi_regs_set(next, order[i], v);
	}
	return true;
}

static enum step step_signal(struct unwinding *u, struct cfi_regs *next, uint64_t *cfa)
{
	static const uint8_t x86_64[] = {8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, PC};
	static const uint8_t i386[] = {SKIP, SKIP, SKIP, SKIP, 7,    6,	   5, 4,
				       3,    2,	   1,	 0,    SKIP, SKIP, PC};
	static const uint8_t aarch64[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
					  11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
					  22, 23, 24, 25, 26, 27, 28, 29, 30, 31, PC};
	uint64_t sp, at = 0;
	bool read = false;
	if (!cfi_regs_get(&u->regs, u->machine->sp, &sp))
		return STEP_NONE;
	switch (u->img->machine) {
	case MACHINE_X86_64:
		/* sp is at the ucontext: flags, link, stack, then the registers. */
		if (CODE_IS(u, sigreturn_x86_64))
			read = read_saved(u, sp + 40, x86_64, sizeof(x86_64), next);
		break;
	case MACHINE_AARCH64:
		/* siginfo 128, ucontext up to its 16-aligned registers 176, fault address 8. */
		if (CODE_IS(u, sigreturn_aarch64))
			read = read_saved(u, sp + 312, aarch64, sizeof(aarch64), next);
		break;
	case MACHINE_I386:
		/* sp is at the handler's arguments: signal, siginfo *, ucontext *; or the old way.
		 */
		if (CODE_IS(u, sigreturn_i386_rt) && image_try_word(u->img, sp + 8, &at))
			read = read_saved(u, at + 20, i386, sizeof(i386), next);
		else if (CODE_IS(u, sigreturn_i386))
			read = read_saved(u, sp + 4, i386, sizeof(i386), next);
		break;
	}
	if (!read || !cfi_regs_get(next, u->machine->sp, cfa))
		return STEP_NONE;
	u->signal = true;
	return STEP_MADE;
}

/* gcore does not record the rights of what it leaves out: a module's may be code. */
static bool is_code(const struct unwinding *u, uint64_t pc)
{
	const struct image_segment *seg = image_segment_find(u->img, pc);
	return seg && (seg->perms & PERM_X || (seg->module_id && !seg->present));
}

enum call { CALL_NO, CALL_UNREADABLE, CALL_YES };

/* Does a call end at pc? Intel SDM 2A "CALL" (near; indirect ones have a ModRM byte with /2); Arm
 * ARM C6.2 BL, BLR and its authenticating kin. */
static enum call call_before(const struct unwinding *u, uint64_t pc)
{
	uint8_t b[7];
	if (u->machine->link) {
		uint32_t insn;
		if (!image_try_u32(u->img, pc - 4, &insn))
			return CALL_UNREADABLE;
		return (insn & 0xfc000000) == 0x94000000 || (insn & 0xfefff000) == 0xd63f0000
			       ? CALL_YES
			       : CALL_NO;
	}
	if (!image_try_read(u->img, pc - sizeof(b), b, sizeof(b)))
		return CALL_UNREADABLE;
	if (b[2] == 0xe8)
		return CALL_YES;
	for (unsigned len = 2; len <= 7; len++) {
		const uint8_t *p = b + sizeof(b) - len;
		if (p[0] != 0xff || (p[1] >> 3 & 7) != 2)
			continue;
		uint8_t mod = p[1] >> 6, rm = p[1] & 7;
		unsigned want = 2;
		if (mod != 3 && rm == 4)
			want++; /* SIB */
		if (mod == 1)
			want++;
		else if (mod == 2 || (mod == 0 && (rm == 5 || (rm == 4 && (p[2] & 7) == 5))))
			want += 4;
		if (want == len)
			return CALL_YES;
	}
	return CALL_NO;
}

/* Only the innermost frame can be there: a call through a bad pointer. */
static enum step step_bad_call(struct unwinding *u, struct cfi_regs *next, uint64_t *cfa)
{
	uint64_t sp;
	if (!u->exact || is_code(u, u->regs.pc) || !cfi_regs_get(&u->regs, u->machine->sp, &sp))
		return STEP_NONE;
	*next = u->regs;
	next->valid &= u->machine->preserved;
	if (u->machine->link) {
		*cfa = sp;
		if (!cfi_regs_get(&u->regs, u->machine->ra, &next->pc))
			return STEP_NONE;
	} else {
		*cfa = sp + u->img->word_size;
		if (!image_try_word(u->img, sp, &next->pc))
			return STEP_NONE;
	}
	cfi_regs_set(next, u->machine->sp, *cfa);
	if (!is_code(u, next->pc - 1) || call_before(u, next->pc) == CALL_NO)
		return STEP_NONE;
	u->signal = false;
	return STEP_MADE;
}

/* All three machines put the caller's frame pointer and the return address next to each other. */
static enum step step_frame_pointer(struct unwinding *u, struct cfi_regs *next, uint64_t *cfa)
{
	uint32_t w = u->img->word_size;
	uint64_t sp, fp, caller, pc;
	if (!cfi_regs_get(&u->regs, u->machine->fp, &fp) ||
	    !cfi_regs_get(&u->regs, u->machine->sp, &sp) || fp < sp || !word_aligned(u, fp))
		return STEP_NONE;
	const struct image_segment *stack = image_segment_find(u->img, sp);
	if (!stack || fp >= stack->end || !image_try_word(u->img, fp, &caller) ||
	    !image_try_word(u->img, fp + w, &pc))
		return STEP_NONE;
	/*
	 * A frame of a caller lies further up, on the same stack. Where it does not (the caller
	 * uses the register for something else), only a call that can be seen is believed.
	 */
	bool linked = caller > fp && caller < stack->end;
	enum call call = is_code(u, pc - 1) ? call_before(u, pc) : CALL_NO;
	if (call == CALL_NO || (!linked && call != CALL_YES))
		return STEP_NONE;
	*cfa = fp + 2 * (uint64_t)w;
	*next = (struct cfi_regs){.pc = pc};
	if (linked)
		cfi_regs_set(next, u->machine->fp, caller);
	cfi_regs_set(next, u->machine->sp, *cfa);
	u->signal = false;
	return STEP_MADE;
}

static void unwind_start(struct unwinding *u, const struct image_thread *thread)
{
	for (unsigned i = 0; i < u->machine->nreg && i < thread->nreg; i++)
		cfi_regs_set(&u->regs, i, thread->reg[i]);
	cfi_regs_set(&u->regs, u->machine->sp, thread->sp);
	cfi_regs_set(&u->regs, u->machine->fp, thread->fp);
	if (!u->machine->link)
		cfi_regs_set(&u->regs, u->machine->ra, thread->pc);
	u->regs.pc = thread->pc;
	u->exact = true;
}

/* Did the step lead on? Frames that take no stack exist only where no call has been made yet. */
static bool step_progresses(const struct unwinding *u, const struct cfi_regs *next)
{
	uint64_t sp, next_sp;
	if (!next->pc || !cfi_regs_get(&u->regs, u->machine->sp, &sp) ||
	    !cfi_regs_get(next, u->machine->sp, &next_sp))
		return false;
	if (u->signal)
		return next_sp != sp || next->pc != u->regs.pc;
	return next_sp > sp || (next_sp == sp && u->exact && next->pc != u->regs.pc);
}

/* Do mappings lie side by side from addr up to end? A stack may be cut into several. */
static bool one_stack(const struct unwinding *u, uint64_t addr, uint64_t end)
{
	const struct image_segment *s = image_segment_find(u->img, addr);
	const struct image_segment *last = u->img->segment + u->img->nsegment;
	if (!s)
		return false;
	while (s->end < end && s + 1 < last && s[1].start == s->end)
		s++;
	return s->end >= end;
}

static void unwind_frames(struct unwinding *u, struct debuginfo_frame *frame, unsigned max,
			  unsigned *n)
{
	bool certain = true;
	while (*n < max) {
		struct debuginfo_frame *f = &frame[(*n)++];
		*f = (struct debuginfo_frame){.pc = u->exact ? u->regs.pc : u->regs.pc - 1,
					      .certain = certain};
		cfi_regs_get(&u->regs, u->machine->sp, &f->sp);
		struct cfi_regs next;
		uint64_t cfa = 0;
		u->signal = false;
		enum step step = step_cfi(u, &next, &cfa);
		if (step == STEP_NONE)
			step = step_signal(u, &next, &cfa);
		if (step == STEP_NONE) {
			step = step_bad_call(u, &next, &cfa);
			certain =
				certain && step == STEP_MADE && call_before(u, next.pc) == CALL_YES;
			if (step == STEP_NONE)
				step = step_frame_pointer(u, &next, &cfa);
		}
		if (step == STEP_NONE)
			return;
		/* The instruction of a trampoline is no call: the kernel made it be next. */
		if (step == STEP_MADE && u->signal)
			f->pc = u->regs.pc;
		/* On a stack of its own, a signal's frame ends where only the kernel knows. */
		if (cfa >= f->sp && one_stack(u, f->sp, cfa))
			f->cfa = cfa;
		else if (!u->signal)
			certain = false;
		f->certain &= certain;
		if (step == STEP_END || !step_progresses(u, &next))
			return;
		u->exact = u->signal;
		u->regs = next;
		if (!u->machine->link)
			cfi_regs_set(&u->regs, u->machine->ra, next.pc);
		/* An address that no code is at was no return address. A handler's is a
		 * trampoline's first byte, which may begin a mapping. */
		if (!u->signal && !is_code(u, next.pc - 1) && !is_code(u, next.pc))
			return;
	}
}

struct error *debuginfo_unwind(const struct debuginfo *di, const struct image_thread *thread,
			       struct debuginfo_frame *frame, unsigned max, unsigned *n)
{
	*n = 0;
	struct unwinding *u = calloc(1, sizeof(*u));
	if (!u)
		return &error_nomem;
	u->di = di;
	u->img = di->image;
	u->machine = machine_of(di->image);
	unwind_start(u, thread);
	unwind_frames(u, frame, max, n);
	free(u);
	return NULL;
}
