#include "debuginfo/cfi.h"

#include "debuginfo/dwarf_cursor.h"

#include <dwarf.h>

enum {
	EXPR_STACK = 64,
	EXPR_STEPS = 10000, /* branches may go back */
};

struct expr {
	const struct image *img;
	const struct cfi_regs *regs;
	uint64_t stack[EXPR_STACK];
	unsigned n;
	bool bad;
};

static void expr_push(struct expr *e, uint64_t v)
{
	if (e->n == EXPR_STACK) {
		e->bad = true;
		return;
	}
	e->stack[e->n++] = e->img->word_size == 4 ? (uint32_t)v : v;
}

static uint64_t expr_pop(struct expr *e)
{
	if (!e->n) {
		e->bad = true;
		return 0;
	}
	return e->stack[--e->n];
}

static int64_t expr_signed(const struct expr *e, uint64_t v)
{
	return e->img->word_size == 4 ? (int32_t)v : (int64_t)v;
}

static void expr_pick(struct expr *e, uint64_t depth)
{
	if (depth >= e->n)
		e->bad = true;
	else
		expr_push(e, e->stack[e->n - 1 - depth]);
}

static void expr_deref(struct expr *e, uint64_t size)
{
	uint64_t addr = expr_pop(e), v = 0;
	if (size < 1 || size > 8 || e->bad || !image_try_read(e->img, addr, &v, size))
		e->bad = true;
	else
		expr_push(e, v);
}

static void expr_breg(struct expr *e, uint64_t reg, int64_t offset)
{
	uint64_t v;
	if (cfi_regs_get(e->regs, reg, &v))
		expr_push(e, v + (uint64_t)offset);
	else
		e->bad = true;
}

static void expr_binary(struct expr *e, uint8_t op)
{
	uint64_t b = expr_pop(e), a = expr_pop(e);
	int64_t sa = expr_signed(e, a), sb = expr_signed(e, b);
	unsigned bits = 8 * e->img->word_size;
	uint64_t v = 0;
	switch (op) {
	case DW_OP_and:
		v = a & b;
		break;
	case DW_OP_or:
		v = a | b;
		break;
	case DW_OP_xor:
		v = a ^ b;
		break;
	case DW_OP_plus:
		v = a + b;
		break;
	case DW_OP_minus:
		v = a - b;
		break;
	case DW_OP_mul:
		v = a * b;
		break;
	case DW_OP_shl:
		v = b < bits ? a << b : 0;
		break;
	case DW_OP_shr:
		v = b < bits ? a >> b : 0;
		break;
	case DW_OP_shra:
		v = (uint64_t)(sa >> (b < bits ? b : bits - 1));
		break;
	case DW_OP_div:
		/* The one quotient that does not fit is its own negative. */
		if (!sb)
			e->bad = true;
		else
			v = sb == -1 ? 0 - a : (uint64_t)(sa / sb);
		break;
	case DW_OP_mod:
		if (!b)
			e->bad = true;
		else
			v = a % b;
		break;
	case DW_OP_eq:
		v = sa == sb;
		break;
	case DW_OP_ne:
		v = sa != sb;
		break;
	case DW_OP_lt:
		v = sa < sb;
		break;
	case DW_OP_le:
		v = sa <= sb;
		break;
	case DW_OP_gt:
		v = sa > sb;
		break;
	case DW_OP_ge:
		v = sa >= sb;
		break;
	default:
		e->bad = true;
		break;
	}
	expr_push(e, v);
}

static void expr_unary(struct expr *e, uint8_t op)
{
	uint64_t a = expr_pop(e);
	if (op == DW_OP_neg)
		a = 0 - a;
	else if (op == DW_OP_not)
		a = ~a;
	else if (op == DW_OP_abs && expr_signed(e, a) < 0)
		a = 0 - a;
	expr_push(e, a);
}

static void expr_shuffle(struct expr *e, uint8_t op)
{
	uint64_t a = expr_pop(e), b = expr_pop(e);
	if (op == DW_OP_swap) {
		expr_push(e, a);
		expr_push(e, b);
		return;
	}
	uint64_t c = expr_pop(e); /* DW_OP_rot: the top goes third */
	expr_push(e, a);
	expr_push(e, c);
	expr_push(e, b);
}

static void expr_branch(struct expr *e, struct dwarf_cursor *c, const uint8_t *start, bool take)
{
	int64_t by = dwarf_sint(c, 2);
	int64_t at = (c->p - start) + by;
	if (!take)
		return;
	if (at < 0 || at > c->end - start)
		e->bad = true;
	else
		c->p = start + at;
}

static void expr_step(struct expr *e, struct dwarf_cursor *c, const uint8_t *start)
{
	uint8_t op = (uint8_t)dwarf_uint(c, 1);
	unsigned w = e->img->word_size;
	if (op >= DW_OP_lit0 && op <= DW_OP_lit31) {
		expr_push(e, op - DW_OP_lit0);
		return;
	}
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31) {
		expr_breg(e, op - DW_OP_breg0, dwarf_sleb(c));
		return;
	}
	switch (op) {
	case DW_OP_addr:
		expr_push(e, dwarf_uint(c, w));
		break;
	case DW_OP_const1u:
		expr_push(e, dwarf_uint(c, 1));
		break;
	case DW_OP_const1s:
		expr_push(e, (uint64_t)dwarf_sint(c, 1));
		break;
	case DW_OP_const2u:
		expr_push(e, dwarf_uint(c, 2));
		break;
	case DW_OP_const2s:
		expr_push(e, (uint64_t)dwarf_sint(c, 2));
		break;
	case DW_OP_const4u:
		expr_push(e, dwarf_uint(c, 4));
		break;
	case DW_OP_const4s:
		expr_push(e, (uint64_t)dwarf_sint(c, 4));
		break;
	case DW_OP_const8u:
		expr_push(e, dwarf_uint(c, 8));
		break;
	case DW_OP_const8s:
		expr_push(e, dwarf_uint(c, 8));
		break;
	case DW_OP_constu:
		expr_push(e, dwarf_uleb(c));
		break;
	case DW_OP_consts:
		expr_push(e, (uint64_t)dwarf_sleb(c));
		break;
	case DW_OP_bregx: {
		uint64_t reg = dwarf_uleb(c);
		expr_breg(e, reg, dwarf_sleb(c));
		break;
	}
	case DW_OP_dup:
		expr_pick(e, 0);
		break;
	case DW_OP_over:
		expr_pick(e, 1);
		break;
	case DW_OP_pick:
		expr_pick(e, dwarf_uint(c, 1));
		break;
	case DW_OP_drop:
		expr_pop(e);
		break;
	case DW_OP_swap:
	case DW_OP_rot:
		expr_shuffle(e, op);
		break;
	case DW_OP_deref:
		expr_deref(e, w);
		break;
	case DW_OP_deref_size:
		expr_deref(e, dwarf_uint(c, 1));
		break;
	case DW_OP_plus_uconst: {
		uint64_t by = dwarf_uleb(c);
		expr_push(e, expr_pop(e) + by);
		break;
	}
	case DW_OP_abs:
	case DW_OP_neg:
	case DW_OP_not:
		expr_unary(e, op);
		break;
	case DW_OP_skip:
		expr_branch(e, c, start, true);
		break;
	case DW_OP_bra:
		expr_branch(e, c, start, expr_pop(e) != 0);
		break;
	case DW_OP_nop:
		break;
	default:
		expr_binary(e, op);
		break;
	}
}

bool expr_eval(const struct image *img, const uint8_t *expr, uint32_t len,
	       const struct cfi_regs *regs, const uint64_t *push, uint64_t *ret)
{
	struct expr e = {.img = img, .regs = regs};
	struct dwarf_cursor c = {expr, expr + len, false};
	if (push)
		expr_push(&e, *push);
	for (unsigned step = 0; c.p < c.end; step++) {
		if (step == EXPR_STEPS)
			return false;
		expr_step(&e, &c, expr);
		if (e.bad || c.bad)
			return false;
	}
	*ret = expr_pop(&e);
	return !e.bad;
}
