/*
 * embed: the files of schema/, compiled into the program by scripts/embed.
 *
 * Names are paths below schema/: "tables.sql", "query/leaks.sql", "finding/leak.sql".
 */
#pragma once

struct embed {
	const char *name, *text;
};

/* Ends with a NULL name. In the order of `ls`. */
extern const struct embed embed_table[];

/* NULL: no such file. */
const char *embed_find(const char *name);
