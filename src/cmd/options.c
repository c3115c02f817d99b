#include "cmd/options.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 40, COLUMN_HELP = 28 };

/* Edit distance, for words of at most WORD_MAX letters; longer ones are far from everything. */
static unsigned distance(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);
	unsigned row[WORD_MAX + 1];
	if (na > WORD_MAX || nb > WORD_MAX)
		return WORD_MAX;
	for (unsigned j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned diagonal = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

const char *options_nearest(const char *word, const char *const *list)
{
	const char *nearest = NULL;
	unsigned least = (unsigned)strlen(word) / 3 + 2; /* farther is no typing mistake */
	for (; *list; list++) {
		unsigned d = distance(word, *list);
		if (d < least) {
			least = d;
			nearest = *list;
		}
	}
	return nearest;
}

static const struct option *find_name(const struct option *const *groups, const char *name,
				      size_t len)
{
	for (; *groups; groups++)
		for (const struct option *o = *groups; o->name; o++)
			if (strlen(o->name) == len && !memcmp(o->name, name, len))
				return o;
	return NULL;
}

static const struct option *find_letter(const struct option *const *groups, char letter)
{
	for (; *groups; groups++)
		for (const struct option *o = *groups; o->name; o++)
			if (o->letter && o->letter == letter)
				return o;
	return NULL;
}

static struct error *unknown_name(const struct option *const *groups, const char *name, size_t len)
{
	enum { MAX = 64 };
	const char *list[MAX + 1];
	unsigned n = 0;
	char word[WORD_MAX + 1];
	for (; *groups; groups++)
		for (const struct option *o = *groups; o->name && n < MAX; o++)
			if (!o->hidden)
				list[n++] = o->name;
	list[n] = NULL;
	const char *nearest = NULL;
	if (len <= WORD_MAX) {
		memcpy(word, name, len);
		word[len] = 0;
		nearest = options_nearest(word, list);
	}
	if (nearest)
		return error_new(ERROR_USAGE, "unknown option '--%.*s' (did you mean --%s?)",
				 (int)len, name, nearest);
	return error_new(ERROR_USAGE, "unknown option '--%.*s'", (int)len, name);
}

static struct error *choice_find(const struct option *o, const char *text, unsigned *ret)
{
	for (unsigned i = 0; o->choices[i]; i++) {
		if (!strcmp(o->choices[i], text)) {
			*ret = i;
			return NULL;
		}
	}
	char known[256];
	size_t used = 0;
	known[0] = 0;
	for (unsigned i = 0; o->choices[i] && used < sizeof(known); i++) {
		int k = snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "",
				 o->choices[i]);
		used += k > 0 ? (size_t)k : 0;
	}
	return error_new(ERROR_USAGE, "--%s: '%s' is none of: %s", o->name, text, known);
}

static struct error *set_parse(const struct option *o, const char *text, unsigned *ret)
{
	while (*text) {
		size_t len = strcspn(text, ",");
		char word[WORD_MAX + 1];
		if (len > WORD_MAX)
			len = WORD_MAX; /* no choice is as long */
		memcpy(word, text, len);
		word[len] = 0;
		unsigned i = 0;
		struct error *err = choice_find(o, word, &i);
		if (err)
			return err;
		*ret |= 1U << i;
		text += strcspn(text, ",");
		if (*text == ',')
			text++;
	}
	return NULL;
}

static struct error *number_parse(const struct option *o, const char *text, uint64_t *ret)
{
	char *end;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return error_new(ERROR_USAGE, "--%s: '%s' is no number", o->name, text);
	*ret = v;
	return NULL;
}

/* 1024, 4K, 1.5M, 2GiB: units of 1024. */
static struct error *size_parse(const struct option *o, const char *text, uint64_t *ret)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	unsigned long long whole = strtoull(text, &end, 10);
	double part = 0;
	if (*end == '.')
		part = strtod(end, &end);
	unsigned shift = 0;
	const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end += end[1] == 'i' ? 2 : 1;
	}
	if (*end == 'B')
		end++;
	if (*text < '0' || *text > '9' || *end || errno || part >= 1 || whole >> (63 - shift))
		return error_new(ERROR_USAGE, "--%s: '%s' is no size (4096, 4K, 1.5M)", o->name,
				 text);
	*ret = ((uint64_t)whole << shift) + (uint64_t)(part * (double)(UINT64_C(1) << shift));
	return NULL;
}

static struct error *apply(const struct option *o, const char *text, bool off, void *values)
{
	void *field = (char *)values + o->offset;
	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)field = !off;
		return NULL;
	case OPTION_COUNT:
		++*(unsigned *)field;
		return NULL;
	case OPTION_NUMBER:
		return number_parse(o, text, field);
	case OPTION_SIZE:
		return size_parse(o, text, field);
	case OPTION_STRING:
		*(const char **)field = text;
		return NULL;
	case OPTION_MAYBE:
		*(const char **)field = off ? NULL : text ? text : "";
		return NULL;
	case OPTION_LIST: {
		struct option_list *list = field;
		if (list->n == OPTION_LIST_MAX)
			return error_new(ERROR_USAGE, "--%s: more than %d times", o->name,
					 OPTION_LIST_MAX);
		list->at[list->n++] = text;
		return NULL;
	}
	case OPTION_CHOICE:
		return choice_find(o, text, field);
	case OPTION_SET:
		return set_parse(o, text, field);
	}
	assert(false); /* a kind that the table above does not know */
	return NULL;
}

static bool wants_value(const struct option *o)
{
	return o->kind != OPTION_FLAG && o->kind != OPTION_COUNT && o->kind != OPTION_MAYBE;
}

/* argv[*at] is "--name" or "--name=value"; may take argv[*at + 1], too. */
static struct error *parse_long(const struct option *const *groups, int argc, char **argv, int *at,
				void *values)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	bool off = false;
	const struct option *o = find_name(groups, name, len);
	if (!o && len > 3 && !strncmp(name, "no-", 3)) {
		o = find_name(groups, name + 3, len - 3);
		off = true;
		if (o && o->kind != OPTION_FLAG && o->kind != OPTION_MAYBE)
			o = NULL;
	}
	if (!o)
		return unknown_name(groups, name, len);
	if (!wants_value(o)) {
		if (value && (o->kind != OPTION_MAYBE || off))
			return error_new(ERROR_USAGE, "--%s%s takes no value", off ? "no-" : "",
					 o->name);
	} else if (!value) {
		if (*at + 1 >= argc)
			return error_new(ERROR_USAGE, "--%s wants a value (%s)", o->name, o->arg);
		value = argv[++*at];
	}
	return apply(o, value, off, values);
}

/* argv[*at] is "-abc": flags together, or a letter and its value. */
static struct error *parse_short(const struct option *const *groups, int argc, char **argv, int *at,
				 void *values)
{
	for (const char *p = argv[*at] + 1; *p; p++) {
		const struct option *o = find_letter(groups, *p);
		if (!o)
			return error_new(ERROR_USAGE, "unknown option '-%c'", *p);
		const char *value = NULL;
		if (wants_value(o)) {
			if (p[1])
				value = p + 1;
			else if (*at + 1 < argc)
				value = argv[++*at];
			else
				return error_new(ERROR_USAGE, "-%c wants a value (%s)", *p, o->arg);
		}
		struct error *err = apply(o, value, false, values);
		if (err || value)
			return err;
	}
	return NULL;
}

struct error *options_parse(const struct option *const *groups, int argc, char **argv, void *values,
			    int *noperand)
{
	bool ended = false;
	int n = 0;
	for (int i = 0; i < argc; i++) {
		char *arg = argv[i];
		struct error *err = NULL;
		if (ended || arg[0] != '-' || !arg[1]) {
			argv[n++] = arg;
		} else if (!strcmp(arg, "--")) {
			ended = true;
		} else if (arg[1] == '-') {
			err = parse_long(groups, argc, argv, &i, values);
		} else {
			err = parse_short(groups, argc, argv, &i, values);
		}
		if (err)
			return err;
	}
	*noperand = n;
	return NULL;
}

void options_help(const struct option *group, FILE *out)
{
	for (const struct option *o = group; o->name; o++) {
		if (o->hidden)
			continue;
		int n = o->letter ? fprintf(out, "  -%c, --%s", o->letter, o->name)
				  : fprintf(out, "      --%s", o->name);
		if (o->arg)
			n += fprintf(out, o->kind == OPTION_MAYBE ? "[=%s]" : " %s", o->arg);
		if (n > COLUMN_HELP - 2)
			n = fprintf(out, "\n") - 1;
		fprintf(out, "%*s%s\n", COLUMN_HELP - n, "", o->help);
	}
}

void options_complete(const struct option *const *groups, FILE *out)
{
	for (; *groups; groups++) {
		for (const struct option *o = *groups; o->name; o++) {
			if (o->hidden)
				continue;
			if (o->choices)
				for (unsigned i = 0; o->choices[i]; i++)
					fprintf(out, "--%s=%s\n", o->name, o->choices[i]);
			else
				fprintf(out, "--%s%s\n", o->name, wants_value(o) ? "=" : "");
		}
	}
}
