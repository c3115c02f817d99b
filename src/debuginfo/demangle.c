#include "debuginfo/debuginfo_impl.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/*
 * Substitutions let a mangled name of a hundred bytes stand for gigabytes. libiberty (12.2,
 * libiberty/cp-demangle.c, rust-demangle.c) bounds recursion, not output, and cannot be told to
 * stop; in the callback form it owns no heap memory for C++ names, so that jumping out of it is
 * sound. (A Rust name with punycode may leak one small buffer then.)
 */
enum { DEMANGLED_MAX = 4096 };

struct demangling {
	jmp_buf full;
	size_t len;
	char text[DEMANGLED_MAX + 1];
};

static void demangle_put(const char *s, size_t len, void *arg)
{
	struct demangling *d = arg;
	if (len > DEMANGLED_MAX - d->len)
		longjmp(d->full, 1);
	memcpy(d->text + d->len, s, len);
	d->len += len;
}

static bool demangle_with(struct demangling *d,
			  int (*fn)(const char *, int, demangle_callbackref, void *),
			  const char *raw)
{
	d->len = 0;
	if (setjmp(d->full))
		return false;
	return fn(raw, DMGL_PARAMS | DMGL_ANSI, demangle_put, d) && d->len;
}

char *demangle(const char *raw)
{
	bool cxx = !strncmp(raw, "_Z", 2) || !strncmp(raw, "_GLOBAL_", 8);
	bool rust = !strncmp(raw, "_R", 2) || !strncmp(raw, "_ZN", 3);
	if (!cxx && !rust)
		return NULL;
	struct demangling *d = malloc(sizeof(*d));
	if (!d)
		return NULL;
	/* Rust's older names are valid C++ ones: the stricter reader first. */
	bool ok = (rust && demangle_with(d, rust_demangle_callback, raw)) ||
		  (cxx && demangle_with(d, cplus_demangle_v3_callback, raw));
	char *text = ok ? strndup(d->text, d->len) : NULL;
	free(d);
	return text;
}

char *debuginfo_demangle(const char *raw)
{
	return demangle(raw);
}
