#include "input/ebpf_text.h"

/* What stands in front of a function: an address, a number with one. `perf`: without 0x. */
static bool frame_address(struct word *w, bool perf, uint64_t *address)
{
	struct word v = *w;
	uint64_t n;
	word_skip(&v, "#");
	if (word_dec(&v, false, &n) && word_skip(&v, " [<")) {
		word_skip(&v, "0x");
		if (!word_hex(&v, address) || !word_skip(&v, ">]"))
			return false;
		*w = v;
		return true;
	}
	return perf ? word_hex(w, address) : word_address(w, address);
}

/* "[allocs]" or, `perf`, "(/usr/bin/app)" at the end of w, which loses it. */
static void frame_module(struct word *w, bool perf, struct word *module)
{
	if (!word_len(w) || w->end[-1] != (perf ? ')' : ']'))
		return;
	const uint8_t *open = memrchr(w->at, perf ? '(' : '[', word_len(w));
	if (!open || (open > w->at && open[-1] != ' '))
		return;
	*module = (struct word){open + 1, w->end - 1};
	if (word_is(module, "[unknown]") || word_is(module, "unknown"))
		module->end = module->at;
	w->end = open;
	word_trim(w);
}

/*
 * "main+0x6d", "main+109", "get@0x55d7050e6200", a place in a file behind it: the last such offset
 * that a blank or the end follows, since names have + of their own.
 */
static void frame_offset(struct word *w, struct word *file, uint64_t *line)
{
	for (const uint8_t *p = w->end; p-- > w->at;) {
		struct word v = {p + 1, w->end};
		uint64_t n;
		if ((*p != '+' && *p != '@') || p == w->at || !word_len(&v) || *v.at < '0' ||
		    *v.at > '9')
			continue;
		if (!word_address(&v, &n) && !word_dec(&v, false, &n))
			continue;
		if (word_len(&v) && *v.at != ' ')
			continue;
		w->end = p;
		word_trim(&v);
		*line = stack_text_line(&v);
		if (*line)
			*file = v;
		return;
	}
}

/* bpftrace's ustack(perf): "7f6096b97109 main+20 (/usr/bin/app)" */
bool ebpf_text_is_perf(struct word w)
{
	uint64_t n;
	return word_len(&w) && w.end[-1] == ')' && word_hex(&w, &n) && word_len(&w) && *w.at == ' ';
}

struct error *ebpf_text_frame(struct stack_text *s, struct word w)
{
	struct word module = {0}, file = {0};
	uint64_t address = 0, line = 0, n;
	word_trim(&w);
	bool perf = ebpf_text_is_perf(w);
	if (frame_address(&w, perf, &address))
		word_trim(&w);
	struct word v = w;
	if (word_is(&w, "stack information lost") ||
	    (word_skip(&v, "(") && word_dec(&v, false, &n) && word_is(&v, " entries)")))
		return NULL;
	frame_module(&w, perf, &module);
	frame_offset(&w, &file, &line);
	v = w;
	if (word_is(&w, "[unknown]") || word_is(&w, "<null sym>") ||
	    (word_address(&v, &n) && !word_len(&v)))
		w.end = w.at;
	return stack_text_add(s, w, file, line, module, address);
}
