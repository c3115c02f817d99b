#include "input/stack_text.h"

#include <string.h>

#define CODE_MAX (UINT64_C(1) << 32) /* no binary is as long */

void stack_text_deinit(struct stack_text *s)
{
	vec_deinit(&s->frame);
	vec_deinit(&s->module_of);
}

struct error *stack_text_string(struct stack_text *s, struct word w, uint32_t *ret)
{
	size_t len = word_len(&w);
	return trace_string(s->t, w.at, len < STACK_TEXT_NAME ? len : STACK_TEXT_NAME, ret);
}

void stack_text_begin(struct stack_text *s)
{
	s->frame.n = 0;
}

/*
 * Libraries that stand between a program and its allocator: valgrind's (coregrind/m_libcvgpreload),
 * the sanitizers', jemalloc, tcmalloc.
 */
static bool is_recorder(struct word module)
{
	static const char *const part[] = {"/vgpreload_", "/libasan.", "/liblsan.", "/libjemalloc.",
					   "/libtcmalloc"};
	if (!word_len(&module) || word_len(&module) > STACK_TEXT_NAME)
		return false;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (memmem(module.at, word_len(&module), part[i], strlen(part[i])))
			return true;
	return false;
}

static struct error *push(struct stack_text *s, uint32_t id)
{
	return s->frame.n < STACK_TEXT_FRAMES ? vec_push(&s->frame, id) : NULL;
}

struct error *stack_text_add(struct stack_text *s, struct word function, struct word file,
			     uint64_t line, struct word module, uint64_t address)
{
	struct trace_frame f = {.address = address, .line = line <= INT32_MAX ? (uint32_t)line : 0};
	uint32_t id;
	if (!s->frame.n && word_len(&module) && is_recorder(module))
		return NULL;
	if (word_is(&function, "???"))
		function.end = function.at;
	/* gcc's and clang's wrappers: lib/interception/interception.h */
	if (!s->frame.n && word_skip(&function, "__interceptor_"))
		file.end = file.at;
	struct error *err = stack_text_string(s, function, &f.function);
	if (!err)
		err = stack_text_string(s, file, &f.file);
	if (!err)
		err = stack_text_string(s, module, &f.module);
	if (!err)
		err = trace_frame(s->t, &f, &id);
	return err ? err : push(s, id);
}

static const uint8_t *last(struct word w, char c)
{
	return word_len(&w) ? memrchr(w.at, c, word_len(&w)) : NULL;
}

/* Digits to the end. */
static bool all_digits(struct word w, uint64_t *ret)
{
	return word_len(&w) && *w.at >= '0' && *w.at <= '9' && word_dec(&w, false, ret) &&
	       !word_len(&w);
}

uint64_t stack_text_line(struct word *file)
{
	uint64_t line = 0, n;
	for (int i = 0; i < 2; i++) {
		const uint8_t *colon = last(*file, ':');
		if (!colon || !all_digits((struct word){colon + 1, file->end}, &n))
			break;
		line = n;
		file->end = colon;
	}
	return line;
}

struct error *stack_text_valgrind(struct stack_text *s, struct word w, bool *ret)
{
	uint64_t address;
	*ret = word_address(&w, &address) && word_skip(&w, ": ");
	return *ret ? stack_text_named(s, w, address) : NULL;
}

struct error *stack_text_named(struct stack_text *s, struct word w, uint64_t address)
{
	uint64_t line = 0;
	struct word file = {0}, module = {0};
	word_trim(&w);
	if (word_len(&w) && w.end[-1] == ')') {
		/* The last parenthesis that opens behind a blank: names of functions have some, too. */
		struct word head = w;
		const uint8_t *open;
		while ((open = last(head, '(')) && (open == w.at || open[-1] != ' '))
			head.end = open;
		if (open) {
			struct word inside = {open + 1, w.end - 1};
			if (word_skip(&inside, "in ")) {
				module = inside;
				w.end = open - 1;
			} else if ((line = stack_text_line(&inside))) {
				file = inside;
				w.end = open - 1;
			}
		}
	}
	word_trim(&w);
	return stack_text_add(s, w, file, line, module, address);
}

/* Each module gets a place of its own: where it was in the process is not known. */
static uint64_t place(uint32_t module)
{
	return ((uint64_t)module + 1) << 40;
}

static struct error *module_new(struct stack_text *s, uint32_t path, bool is_exe,
				struct word build_id, uint32_t *ret)
{
	struct trace_module m = {
		.path = path,
		.bias = place(s->modules),
		.start = place(s->modules),
		.end = place(s->modules) + CODE_MAX,
		.is_exe = is_exe,
		.anywhere = true,
		.extent_unknown = true,
	};
	size_t n = word_len(&build_id) / 2;
	for (size_t i = 0; i < n && n <= BUILD_ID_MAX; i++) {
		int hi = word_digit(build_id.at[2 * i]), lo = word_digit(build_id.at[2 * i + 1]);
		if (hi < 0 || lo < 0)
			break;
		m.build_id[i] = (uint8_t)(hi << 4 | lo);
		m.build_id_len = (uint32_t)i + 1;
	}
	s->modules++;
	return trace_module(s->t, &m, ret);
}

struct error *stack_text_code(struct stack_text *s, struct word path, uint64_t offset,
			      struct word function, struct word build_id)
{
	uint32_t string, id = 0, name, frame;
	if (!s->frame.n && is_recorder(path))
		return NULL;
	struct error *err = stack_text_string(s, path, &string);
	if (!err)
		err = stack_text_string(s, function, &name);
	while (!err && s->module_of.n <= string)
		err = vec_push(&s->module_of, 0);
	if (err)
		return err;
	/* The first that is no library is the program: --exe is meant for it. */
	struct word v = path;
	bool is_exe = !s->modules && !word_find(&v, ".so");
	if (s->module_of.at[string]) {
		id = s->module_of.at[string] - 1;
	} else if (string && s->modules < STACK_TEXT_MODULES) {
		err = module_new(s, string, is_exe, build_id, &id);
		s->module_of.at[string] = id + 1;
	}
	if (err)
		return err;
	/* What is called returns behind the call. */
	offset -= offset != 0;
	if (id && offset < CODE_MAX)
		err = trace_code(s->t, trace_module_get(s->t, id)->bias + offset, id, name, &frame);
	else
		err = trace_frame(s->t,
				  &(struct trace_frame){
					  .function = name, .module = string, .address = offset},
				  &frame);
	return err ? err : push(s, frame);
}

struct error *stack_text_end(struct stack_text *s, uint32_t outermost, uint32_t *ret)
{
	struct error *err = NULL;
	*ret = outermost;
	for (uint64_t n = s->frame.n; n-- && !err;)
		err = trace_stack(s->t, s->frame.at[n], *ret, ret);
	return err;
}
