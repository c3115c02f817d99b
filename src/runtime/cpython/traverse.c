/*
 * traverse: a machine for the part of x86-64 that compilers make of functions without floating
 * point. Encodings: Intel's Software Developer's Manual, volume 2, chapter 2 and appendix A.
 *
 *	[prefixes] [REX] opcode [ModRM [SIB] [displacement]] [immediate]
 */
#include "runtime/cpython/traverse.h"

#include <string.h>

enum {
	RAX,
	RCX,
	RDX,
	RSP = 4,
	RBP,
	RSI,
	RDI,
	REGISTERS = 16,
	STACK_BYTES = 8192,
	INSTRUCTION_MOST = 15,
};

/* Places where no user memory can be: above the lower half of the address space. */
#define STACK_AT UINT64_C(0xffff900000000000)
#define VISIT_AT UINT64_C(0xffffa00000000000)
#define RETURN_AT UINT64_C(0xffffb00000000000)
#define ARG_AT UINT64_C(0xffffc00000000000)

struct machine {
	const struct image *image;
	struct image_cursor code_cursor, data_cursor;
	uint64_t reg[REGISTERS];
	uint64_t rip;
	bool zf, sf, cf, of;
	bool stop; /* something that is not known, or not allowed */
	struct traverse *visits;
	uint8_t stack[STACK_BYTES];

	/* the instruction that is being run */
	uint8_t byte[INSTRUCTION_MOST];
	unsigned len, at; /* bytes that are there; the next one to look at */
	uint8_t rex;
	bool word, repeat, thread_local;
	unsigned size; /* of the operands: 1, 4, 8 */
	/* ModRM */
	uint8_t mod, reg_field, rm;
	uint64_t address; /* of the operand in memory, when mod is not 3 */
};

/* ---- memory ---- */

static bool in_stack(uint64_t at, unsigned n)
{
	return at >= STACK_AT && at - STACK_AT <= STACK_BYTES - n;
}

static uint64_t load(struct machine *m, uint64_t at, unsigned n)
{
	uint64_t v = 0;
	if (in_stack(at, n)) {
		memcpy(&v, m->stack + (at - STACK_AT), n);
		return v;
	}
	const uint8_t *p = image_view_all(m->image, &m->data_cursor, at, n);
	if (p)
		memcpy(&v, p, n);
	else
		m->stop = true;
	return v;
}

static void store(struct machine *m, uint64_t at, unsigned n, uint64_t v)
{
	if (in_stack(at, n))
		memcpy(m->stack + (at - STACK_AT), &v, n);
	else
		m->stop = true;
}

static void push(struct machine *m, uint64_t v)
{
	m->reg[RSP] -= 8;
	store(m, m->reg[RSP], 8, v);
}

static uint64_t pop(struct machine *m)
{
	uint64_t v = load(m, m->reg[RSP], 8);
	m->reg[RSP] += 8;
	return v;
}

/* ---- the instruction's bytes ---- */

static uint8_t next_byte(struct machine *m)
{
	if (m->at >= m->len) {
		m->stop = true;
		return 0;
	}
	return m->byte[m->at++];
}

/* Sign-extended. */
static uint64_t immediate(struct machine *m, unsigned n)
{
	uint64_t v = 0;
	if (m->len - m->at < n) {
		m->stop = true;
		return 0;
	}
	memcpy(&v, m->byte + m->at, n);
	m->at += n;
	return n == 1 ? (uint64_t)(int8_t)v : n == 4 ? (uint64_t)(int32_t)v : v;
}

static void fetch(struct machine *m)
{
	uint64_t avail;
	m->len = m->at = 0;
	while (m->len < INSTRUCTION_MOST) {
		const uint8_t *p = image_view(m->image, &m->code_cursor, m->rip + m->len, &avail);
		if (!p)
			break;
		unsigned n = INSTRUCTION_MOST - m->len;
		if (avail < n)
			n = (unsigned)avail;
		memcpy(m->byte + m->len, p, n);
		m->len += n;
	}
}

static void modrm(struct machine *m, unsigned immediate_bytes)
{
	uint8_t b = next_byte(m);
	m->mod = b >> 6;
	m->reg_field = (uint8_t)((b >> 3 & 7) | (m->rex & 4) << 1);
	m->rm = b & 7;
	if (m->mod == 3) {
		m->rm |= (uint8_t)((m->rex & 1) << 3);
		return;
	}
	uint64_t at = 0;
	bool from_rip = false;
	if (m->rm == 4) {
		uint8_t sib = next_byte(m);
		unsigned index = (sib >> 3 & 7) | (m->rex & 2) << 2;
		unsigned base = (sib & 7) | (m->rex & 1) << 3;
		if ((sib & 7) == 5 && !m->mod)
			at = immediate(m, 4);
		else
			at = m->reg[base];
		if (index != 4)
			at += m->reg[index] << (sib >> 6);
	} else if (m->rm == 5 && !m->mod) {
		at = immediate(m, 4);
		from_rip = true;
	} else {
		at = m->reg[m->rm | (m->rex & 1) << 3];
	}
	if (m->mod == 1)
		at += immediate(m, 1);
	else if (m->mod == 2)
		at += immediate(m, 4);
	if (from_rip) /* of the next instruction */
		at += m->rip + m->at + immediate_bytes;
	m->address = at;
}

/* ---- operands ---- */

static uint64_t mask(unsigned size)
{
	return size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* Without REX, byte registers 4 to 7 are the second bytes of 0 to 3. */
static uint64_t register_get(struct machine *m, unsigned r, unsigned size)
{
	if (size == 1 && !m->rex && r >= 4)
		return m->reg[r - 4] >> 8 & 0xff;
	return m->reg[r] & mask(size);
}

/* 32 bits clear the rest, fewer keep it. */
static void register_set(struct machine *m, unsigned r, unsigned size, uint64_t v)
{
	if (size == 1 && !m->rex && r >= 4)
		m->reg[r - 4] = (m->reg[r - 4] & ~UINT64_C(0xff00)) | (v & 0xff) << 8;
	else if (size >= 4)
		m->reg[r] = v & mask(size);
	else
		m->reg[r] = (m->reg[r] & ~mask(size)) | (v & mask(size));
}

static uint64_t rm_get(struct machine *m, unsigned size)
{
	if (m->mod == 3)
		return register_get(m, m->rm, size);
	/* What the thread has of its own: the stack protector's number, and any will do. */
	return m->thread_local ? 0 : load(m, m->address, size);
}

static void rm_set(struct machine *m, unsigned size, uint64_t v)
{
	if (m->mod == 3)
		register_set(m, m->rm, size, v);
	else if (m->thread_local)
		m->stop = true;
	else
		store(m, m->address, size, v);
}

/* ---- arithmetic ---- */

enum { ADD, OR, ADC, SBB, AND, SUB, XOR, CMP };

static bool negative(uint64_t v, unsigned size)
{
	return v >> (8 * size - 1) & 1;
}

static void flags_of(struct machine *m, uint64_t v, unsigned size)
{
	m->zf = !(v & mask(size));
	m->sf = negative(v, size);
}

static uint64_t arithmetic(struct machine *m, unsigned op, uint64_t a, uint64_t b, unsigned size)
{
	uint64_t v = 0, carry = (op == ADC || op == SBB) && m->cf;
	a &= mask(size);
	b &= mask(size);
	switch (op) {
	case ADD:
	case ADC:
		v = (a + b + carry) & mask(size);
		m->cf = carry ? v <= a : v < a;
		m->of = negative(~(a ^ b) & (a ^ v), size);
		break;
	case SUB:
	case SBB:
	case CMP:
		v = (a - b - carry) & mask(size);
		m->cf = carry ? a <= b : a < b;
		m->of = negative((a ^ b) & (a ^ v), size);
		break;
	default:
		v = op == OR ? a | b : op == AND ? a & b : a ^ b;
		m->cf = m->of = false;
		break;
	}
	flags_of(m, v, size);
	return v;
}

/* Those that a condition may ask for next: of OF and CF only what compilers use. */
static uint64_t shift(struct machine *m, unsigned op, uint64_t v, unsigned by, unsigned size)
{
	by &= size == 8 ? 63 : 31;
	v &= mask(size);
	if (!by)
		return v;
	if (by >= 8 * size || (op != 4 && op != 5 && op != 7)) {
		m->stop = true; /* rotations */
		return v;
	}
	m->of = false;
	if (op == 4) {
		m->cf = v >> (8 * size - by) & 1;
		v = v << by & mask(size);
	} else {
		bool sign = op == 7 && negative(v, size);
		m->cf = v >> (by - 1) & 1;
		v >>= by;
		if (sign)
			v |= mask(size) & ~(mask(size) >> by);
	}
	flags_of(m, v, size);
	return v;
}

/* Signed. ZF and SF are left undefined by the processor, too. */
static uint64_t multiply(struct machine *m, uint64_t a, uint64_t b)
{
	int64_t v;
	if (m->size == 8) {
		m->of = __builtin_mul_overflow((int64_t)a, (int64_t)b, &v);
	} else {
		v = (int64_t)(int32_t)a * (int32_t)b;
		m->of = v != (int32_t)v;
	}
	m->cf = m->of;
	return (uint64_t)v;
}

static bool condition(struct machine *m, unsigned code)
{
	bool is = false;
	switch (code >> 1) {
	case 0:
		is = m->of;
		break;
	case 1:
		is = m->cf;
		break;
	case 2:
		is = m->zf;
		break;
	case 3:
		is = m->cf || m->zf;
		break;
	case 4:
		is = m->sf;
		break;
	case 5:
		m->stop = true; /* parity */
		break;
	case 6:
		is = m->sf != m->of;
		break;
	default:
		is = m->zf || m->sf != m->of;
		break;
	}
	return is != (code & 1);
}

/* ---- jumps ---- */

static void jump(struct machine *m, uint64_t to)
{
	if (to == VISIT_AT) {
		struct traverse *t = m->visits;
		if (t->n == TRAVERSE_VISITS || m->reg[RSI] != ARG_AT)
			m->stop = true;
		else
			t->visit[t->n++] = m->reg[RDI];
		m->reg[RAX] = 0;
		to = pop(m);
	}
	m->rip = to;
}

/* ---- opcodes ---- */

static void two_bytes(struct machine *m)
{
	uint8_t op = next_byte(m);
	uint64_t v;
	unsigned size;
	switch (op) {
	case 0x1e: /* endbr64 and other hints */
	case 0x1f:
		modrm(m, 0);
		return;
	case 0xaf:
		modrm(m, 0);
		v = multiply(m, rm_get(m, m->size), register_get(m, m->reg_field, m->size));
		register_set(m, m->reg_field, m->size, v);
		return;
	case 0xb6:
	case 0xb7:
	case 0xbe:
	case 0xbf:
		modrm(m, 0);
		size = op & 1 ? 2 : 1;
		v = rm_get(m, size);
		if (op >= 0xbe)
			v = size == 1 ? (uint64_t)(int8_t)v : (uint64_t)(int16_t)v;
		register_set(m, m->reg_field, m->size, v);
		return;
	case 0xba: /* bt with a number */
		modrm(m, 1);
		v = rm_get(m, m->size);
		if ((m->reg_field & 7) != 4)
			m->stop = true;
		m->cf = v >> (immediate(m, 1) & (8 * m->size - 1)) & 1;
		return;
	default:
		break;
	}
	if (op >= 0x40 && op <= 0x4f) {
		modrm(m, 0);
		v = rm_get(m, m->size);
		if (!condition(m, op & 15))
			v = register_get(m, m->reg_field, m->size);
		register_set(m, m->reg_field, m->size, v);
	} else if (op >= 0x80 && op <= 0x8f) {
		v = immediate(m, 4);
		m->rip += m->at;
		m->at = 0;
		if (condition(m, op & 15))
			jump(m, m->rip + v);
	} else if (op >= 0x90 && op <= 0x9f) {
		modrm(m, 0);
		rm_set(m, 1, condition(m, op & 15));
	} else {
		m->stop = true;
	}
}

/* 0x00 to 0x3f: eight operations in six forms each. */
static void arithmetic_opcode(struct machine *m, uint8_t op)
{
	unsigned what = op >> 3, form = op & 7, size = form & 1 ? m->size : 1;
	uint64_t v;
	if (form >= 6) {
		m->stop = true;
		return;
	}
	if (form >= 4) {
		v = immediate(m, form == 4 ? 1 : 4);
		v = arithmetic(m, what, register_get(m, RAX, size), v, size);
		if (what != CMP)
			register_set(m, RAX, size, v);
		return;
	}
	modrm(m, 0);
	uint64_t rm = rm_get(m, size), r = register_get(m, m->reg_field, size);
	if (form < 2) {
		v = arithmetic(m, what, rm, r, size);
		if (what != CMP)
			rm_set(m, size, v);
	} else {
		v = arithmetic(m, what, r, rm, size);
		if (what != CMP)
			register_set(m, m->reg_field, size, v);
	}
}

static void group_3(struct machine *m, unsigned size)
{
	/* Only the first two have a number behind them; which one it is stands in ModRM. */
	bool test = m->at < m->len && (m->byte[m->at] >> 3 & 7) < 2;
	modrm(m, !test ? 0 : size == 1 ? 1 : 4);
	uint64_t v = rm_get(m, size);
	switch (m->reg_field & 7) {
	case 0:
	case 1:
		arithmetic(m, AND, v, immediate(m, size == 1 ? 1 : 4), size);
		break;
	case 2:
		rm_set(m, size, ~v);
		break;
	case 3:
		rm_set(m, size, arithmetic(m, SUB, 0, v, size));
		break;
	default:
		m->stop = true;
		break;
	}
}

static void group_5(struct machine *m, unsigned size)
{
	modrm(m, 0);
	unsigned what = m->reg_field & 7;
	bool carry = m->cf;
	if (what < 2) {
		rm_set(m, size, arithmetic(m, what ? SUB : ADD, rm_get(m, size), 1, size));
		m->cf = carry;
		return;
	}
	uint64_t to = rm_get(m, 8);
	m->rip += m->at;
	m->at = 0;
	if (size == 1 || (what != 2 && what != 4 && what != 6)) {
		m->stop = true;
	} else if (what == 6) {
		push(m, to);
	} else {
		if (what == 2)
			push(m, m->rip);
		jump(m, to);
	}
}

static void one_byte(struct machine *m, uint8_t op)
{
	unsigned size = op & 1 ? m->size : 1, low = (op & 7) | (m->rex & 1) << 3;
	uint64_t v;
	if (op < 0x40) {
		arithmetic_opcode(m, op);
		return;
	}
	if (op >= 0x50 && op <= 0x5f) {
		if (op < 0x58)
			push(m, m->reg[low]);
		else
			m->reg[low] = pop(m);
		return;
	}
	if ((op >= 0x70 && op <= 0x7f) || op == 0xeb || op == 0xe9 || op == 0xe8) {
		v = immediate(m, op == 0xe9 || op == 0xe8 ? 4 : 1);
		m->rip += m->at;
		m->at = 0;
		if (op == 0xe8)
			push(m, m->rip);
		if (op >= 0x80 || condition(m, op & 15))
			jump(m, m->rip + v);
		return;
	}
	if (op >= 0xb0 && op <= 0xbf) {
		size = op < 0xb8 ? 1 : m->size;
		register_set(m, low, size, immediate(m, size));
		return;
	}
	switch (op) {
	case 0x63: /* movsxd */
		modrm(m, 0);
		register_set(m, m->reg_field, m->size, (uint64_t)(int32_t)rm_get(m, 4));
		break;
	case 0x68:
	case 0x6a:
		push(m, immediate(m, op == 0x68 ? 4 : 1));
		break;
	case 0x69:
	case 0x6b:
		modrm(m, op == 0x69 ? 4 : 1);
		v = rm_get(m, m->size);
		v = multiply(m, v, immediate(m, op == 0x69 ? 4 : 1));
		register_set(m, m->reg_field, m->size, v);
		break;
	case 0x80:
	case 0x81:
	case 0x83:
		modrm(m, op == 0x81 ? 4 : 1);
		v = rm_get(m, size);
		v = arithmetic(m, m->reg_field & 7, v, immediate(m, op == 0x81 ? 4 : 1), size);
		if ((m->reg_field & 7) != CMP)
			rm_set(m, size, v);
		break;
	case 0x84:
	case 0x85:
		modrm(m, 0);
		arithmetic(m, AND, rm_get(m, size), register_get(m, m->reg_field, size), size);
		break;
	case 0x86:
	case 0x87:
		modrm(m, 0);
		v = rm_get(m, size);
		rm_set(m, size, register_get(m, m->reg_field, size));
		register_set(m, m->reg_field, size, v);
		break;
	case 0x88:
	case 0x89:
		modrm(m, 0);
		rm_set(m, size, register_get(m, m->reg_field, size));
		break;
	case 0x8a:
	case 0x8b:
		modrm(m, 0);
		register_set(m, m->reg_field, size, rm_get(m, size));
		break;
	case 0x8d:
		modrm(m, 0);
		if (m->mod == 3)
			m->stop = true;
		register_set(m, m->reg_field, m->size, m->address);
		break;
	case 0x90:
		break;
	case 0x98: /* cdqe, cwde */
		register_set(m, RAX, m->size,
			     m->size == 8 ? (uint64_t)(int32_t)m->reg[RAX]
					  : (uint64_t)(int16_t)m->reg[RAX]);
		break;
	case 0xa8:
	case 0xa9:
		v = immediate(m, op == 0xa8 ? 1 : 4);
		arithmetic(m, AND, register_get(m, RAX, size), v, size);
		break;
	case 0xc0:
	case 0xc1:
	case 0xd0:
	case 0xd1:
	case 0xd2:
	case 0xd3:
		modrm(m, op < 0xd0);
		v = rm_get(m, size);
		v = shift(m, m->reg_field & 7, v,
			  op < 0xd0   ? (unsigned)(immediate(m, 1) & 0xff)
			  : op < 0xd2 ? 1
				      : (unsigned)(m->reg[RCX] & 0xff),
			  size);
		rm_set(m, size, v);
		break;
	case 0xc3:
		m->at = 0;
		jump(m, pop(m));
		break;
	case 0xc6:
	case 0xc7:
		modrm(m, op == 0xc6 ? 1 : 4);
		rm_set(m, size, immediate(m, op == 0xc6 ? 1 : 4));
		break;
	case 0xc9:
		m->reg[RSP] = m->reg[RBP];
		m->reg[RBP] = pop(m);
		break;
	case 0xf6:
	case 0xf7:
		group_3(m, size);
		break;
	case 0xfe:
	case 0xff:
		group_5(m, size);
		break;
	default:
		m->stop = true;
		break;
	}
}

/* A store or a jump sets m->at to 0 when it has set rip. */
static void step(struct machine *m)
{
	uint8_t op;
	fetch(m);
	m->rex = 0;
	m->word = m->repeat = m->thread_local = false;
	for (;;) {
		op = next_byte(m);
		if (op == 0x66)
			m->word = true;
		else if (op == 0xf3 || op == 0xf2)
			m->repeat = true;
		else if (op == 0x64)
			m->thread_local = true;
		else if (op != 0x2e && op != 0x3e)
			break;
		if (m->stop)
			return;
	}
	if (op >> 4 == 4) {
		m->rex = op;
		op = next_byte(m);
	}
	m->size = m->rex & 8 ? 8 : 4;
	/* Prefixes change what an instruction is; only hints and returns may have them. */
	bool hint = op == 0x90 || (op == 0x0f && m->at < m->len &&
				   (m->byte[m->at] == 0x1e || m->byte[m->at] == 0x1f));
	bool branch = op == 0xc3 || op == 0xe8 || op == 0xe9 || op == 0xeb || op == 0xff ||
		      (op >= 0x70 && op <= 0x7f);
	if ((m->word && !hint) || (m->repeat && !hint && !branch))
		m->stop = true;
	if (m->stop)
		return;
	if (op == 0x0f)
		two_bytes(m);
	else
		one_byte(m, op);
	m->rip += m->at;
}

bool traverse_run(const struct image *img, uint64_t code, uint64_t self, struct traverse *ret)
{
	ret->n = 0;
	if (img->machine != MACHINE_X86_64)
		return false;
	struct machine m = {.image = img, .rip = code, .visits = ret};
	m.reg[RSP] = STACK_AT + STACK_BYTES - 64;
	push(&m, RETURN_AT);
	m.reg[RDI] = self;
	m.reg[RSI] = VISIT_AT;
	m.reg[RDX] = ARG_AT;
	for (unsigned i = 0; i < TRAVERSE_STEPS && !m.stop; i++) {
		if (m.rip == RETURN_AT)
			return !(uint32_t)m.reg[RAX];
		step(&m);
	}
	return false;
}
