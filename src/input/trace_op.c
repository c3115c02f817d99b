#include "input/trace_op.h"

static bool in_list(struct word w, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word_is(&w, list[i]))
			return true;
	return false;
}

static bool begins(struct word w, const char *text)
{
	return word_skip(&w, text);
}

enum trace_op_kind trace_op_kind(struct word name)
{
	static const char *const alloc[] = {
		"malloc",
		"calloc",
		"memalign",
		"posix_memalign",
		"aligned_alloc",
		"valloc",
		"pvalloc",
		"alloc",
		"new",
		"new[]",
		"operator new",
		"strdup",
		"mmap",
		"operator new[]",
		"+",
		"a",
		"A",
		"allocate",
	};
	static const char *const gone[] = {
		"free",
		"delete",
		"delete[]",
		"operator delete",
		"operator delete[]",
		"munmap",
		"dealloc",
		"cfree",
		"-",
		"f",
		"F",
		"deallocate",
		"free_sized",
		"free_aligned_sized",
	};
	static const char *const both[] = {"realloc", "reallocarray", "reallocf", "r", "R"};
	word_trim(&name);
	if (in_list(name, alloc, sizeof(alloc) / sizeof(*alloc)) || begins(name, "_Znw") ||
	    begins(name, "_Zna"))
		return TRACE_OP_ALLOC;
	if (in_list(name, gone, sizeof(gone) / sizeof(*gone)) || begins(name, "_Zdl") ||
	    begins(name, "_Zda"))
		return TRACE_OP_FREE;
	if (in_list(name, both, sizeof(both) / sizeof(*both)))
		return TRACE_OP_REALLOC;
	return TRACE_OP_NONE;
}

bool trace_op_number(struct word *w, uint64_t *ret)
{
	word_blanks(w);
	if (word_skip(w, "(nil)") || word_skip(w, "nil") || word_skip(w, "NULL")) {
		*ret = 0;
		return true;
	}
	return word_address(w, ret) || word_dec(w, false, ret);
}

struct error *trace_op_frame(struct stack_text *s, struct word w)
{
	struct word none = {0};
	bool known;
	uint64_t address;
	word_trim(&w);
	struct error *err = stack_text_valgrind(s, w, &known);
	if (err || known)
		return err;
	struct word v = w;
	if (word_address(&v, &address) && !word_len(&v))
		return stack_text_add(s, none, none, 0, none, address);
	/* The same without an address. */
	return stack_text_named(s, w, 0);
}

struct error *trace_op_apply(struct trace *t, const struct trace_op *op, uint64_t line)
{
	switch (op->kind) {
	case TRACE_OP_ALLOC:
		if (!op->has_address || !op->has_size)
			break;
		return trace_alloc(t, op->address, op->size, op->stack);
	case TRACE_OP_FREE:
		if (!op->has_address && !op->has_old)
			break;
		trace_free(t, op->has_address ? op->address : op->old);
		return NULL;
	case TRACE_OP_REALLOC:
		if (!op->has_address || !op->has_old || !op->has_size)
			break;
		return trace_realloc(t, op->old, op->address, op->size, op->stack);
	case TRACE_OP_NONE:
	default:
		break;
	}
	trace_damage(t, "an event that lacks an address or a size", line);
	return NULL;
}
