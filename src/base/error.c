#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char error_nomem_text[] = "out of memory";

struct error error_nomem = {.kind = ERROR_MEMORY, .message = error_nomem_text};

static struct error *error_make(enum error_kind kind, char *message)
{
	struct error *err = message ? malloc(sizeof(*err)) : NULL;
	if (!err) {
		free(message);
		return &error_nomem;
	}
	err->kind = kind;
	err->message = message;
	return err;
}

struct error *error_new(enum error_kind kind, const char *fmt, ...)
{
	char *message = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	va_end(ap);
	return error_make(kind, message);
}

struct error *error_errno(enum error_kind kind, int errnum, const char *fmt, ...)
{
	char *what = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	if (!what)
		return &error_nomem;
	char *message = NULL;
	char text[128];
	if (asprintf(&message, "%s: %s", what, strerror_r(errnum, text, sizeof(text))) < 0)
		message = NULL;
	free(what);
	return error_make(kind, message);
}

struct error *error_note(struct error *err, const char *fmt, ...)
{
	if (err == &error_nomem)
		return err;
	char *note = NULL;
	va_list ap;
	va_start(ap, fmt);
	if (vasprintf(&note, fmt, ap) < 0)
		note = NULL;
	va_end(ap);
	char *message = NULL;
	if (!note || asprintf(&message, "%s: %s", note, err->message) < 0) {
		free(note);
		return err;
	}
	free(note);
	free(err->message);
	err->message = message;
	return err;
}

void error_free(struct error *err)
{
	if (!err || err == &error_nomem)
		return;
	free(err->message);
	free(err);
}

int error_exit_status(const struct error *err)
{
	return err->kind == ERROR_USAGE ? 1 : 2;
}
