/*
 * error: why something could not be done.
 *
 * Every call that can fail returns `struct error *`: NULL for success, else an error that the caller
 * owns and either passes up (adding context with error_note) or ends with error_free. Only main
 * prints one. The kind gives the exit status. Damage found inside a dump is not an error: see
 * damage.h. Our own mistakes are asserts.
 *
 *	err = image_read(img, addr, buf, len);
 *	if (err)
 *		return error_note(err, "arena at 0x%" PRIx64, addr);
 *
 * Out of memory is one static object, so that reporting it allocates nothing.
 */
#pragma once

#include <stdarg.h>

enum error_kind {
	ERROR_USAGE = 1, /* the command line: exit 1 */
	ERROR_INPUT,	 /* the file cannot be read, or is not what it should be: exit 2 */
	ERROR_SYSTEM,	 /* the system refused (disk full, no permission): exit 2 */
	ERROR_MEMORY,	 /* out of memory: exit 2 */
};

struct error {
	enum error_kind kind;
	char *message; /* one line, no newline, no program name */
};

#define _must_check_ __attribute__((warn_unused_result))
#define _printf_(f, a) __attribute__((format(printf, f, a)))

extern struct error error_nomem;

struct error *error_new(enum error_kind kind, const char *fmt, ...) _must_check_ _printf_(2, 3);

/* The message is followed by ": " and the text of `errnum`. */
struct error *error_errno(enum error_kind kind, int errnum, const char *fmt, ...) _must_check_
	_printf_(3, 4);

/* "note: message". Takes ownership of `err` and returns the error to pass on. */
struct error *error_note(struct error *err, const char *fmt, ...) _must_check_ _printf_(2, 3);

void error_free(struct error *err);

/* Process exit status for an error: see INTERFACE. */
int error_exit_status(const struct error *err);
