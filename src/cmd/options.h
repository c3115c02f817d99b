/*
 * options: the command line by table.
 *
 * A group of options is an array of rows that ends with a row without a name; a command has a few
 * groups. Parsing, --help and completion all read the same rows. A row names a field of the values
 * structure by its offset, so that nothing is at file scope:
 *
 *	static const struct option rows[] = {
 *		{'o', "output", OPTION_STRING, offsetof(struct v, output), .arg = "DB", .help =
 *"..."}, {0},
 *	};
 *
 *	kind	field			on the command line
 *	FLAG	bool			--name, --no-name
 *	COUNT	unsigned		-v -vv: adds one each time
 *	NUMBER	uint64_t		--name N, --name=N; decimal
 *	SIZE	uint64_t		the same in bytes; 4K, 1.5M, 2GiB, too
 *	STRING	const char *		--name TEXT, -o TEXT, -oTEXT
 *	MAYBE	const char *		--name, --name=TEXT (never the next word); --no-name; "": no text
 *	LIST	struct option_list	as STRING, repeatable
 *	CHOICE	unsigned		the index in `choices`
 *	SET	unsigned		comma-separated, repeatable; bit 1 << index
 *
 * Options and operands may be mixed; "--" ends the options; "-" is an operand. Strings stay in
 *argv. Errors: ERROR_USAGE, with the nearest name that there is ("did you mean").
 */
#pragma once

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_kind {
	OPTION_FLAG,
	OPTION_COUNT,
	OPTION_NUMBER,
	OPTION_SIZE,
	OPTION_STRING,
	OPTION_MAYBE,
	OPTION_LIST,
	OPTION_CHOICE,
	OPTION_SET,
};

struct option {
	char letter;	  /* 0: none */
	const char *name; /* without the dashes; NULL: end of the group */
	enum option_kind kind;
	size_t offset;		    /* of the field */
	const char *arg;	    /* what --help calls the value */
	const char *help;	    /* one line */
	const char *const *choices; /* CHOICE, SET: NULL-terminated */
	bool hidden;		    /* for tests and developers: not in --help */
};

enum { OPTION_LIST_MAX = 256 };

struct option_list {
	const char *at[OPTION_LIST_MAX];
	unsigned n;
};

/*
 * Fills `values` from argv[0 .. argc). `groups` ends with NULL. Operands are moved to the front of
 * argv, in order; *noperand gets their number.
 */
struct error *options_parse(const struct option *const *groups, int argc, char **argv, void *values,
			    int *noperand) _must_check_;

/* The rows of one group as --help shows them. */
void options_help(const struct option *group, FILE *out);

/* One word a line: --name, or --name=CHOICE for each choice. For shell completion. */
void options_complete(const struct option *const *groups, FILE *out);

/* The word of the NULL-terminated list that is nearest to `word`; NULL: none is near. */
const char *options_nearest(const char *word, const char *const *list);
