/*
 * lines: a bounded cursor over a mapped text, line by line.
 *
 *	struct lines l;
 *	lines_init(&l, in->data, in->size);
 *	while (lines_next(&l)) {
 *		struct word w = l.line;			[at, end): without the line feed
 *		uint64_t size;
 *		if (!word_hex(&w, &size)) ...		moves w behind what it took
 *	}
 *
 * Nothing here reads past `end`, copies or allocates; a line may be as long as the file. Bytes are
 * bytes: NULs and what is no UTF-8 come through (the database's strings are cleaned when they are
 * sealed). A carriage return before the line feed belongs to the line; word_trim takes it off.
 *
 * What has been passed is given back to the system every LINES_BEHIND bytes, so that a file of many
 * gigabytes takes no memory: `forget` says whether the bytes are a private mapping of a file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { LINES_BEHIND = 64 << 20 };

/* A part of a line: what is left to read of it. */
struct word {
	const uint8_t *at, *end;
};

struct lines {
	const uint8_t *start, *at, *end; /* at: first byte of the line that comes next */
	const uint8_t *kept;		 /* nothing before it is needed any more */
	struct word line;
	uint64_t number; /* of `line`, from 1 */
	bool cut;	 /* `line` has no line feed: it is the last one and may lack its end */
	bool forget;
};

static inline void lines_init(struct lines *l, const uint8_t *data, uint64_t len)
{
	*l = (struct lines){.start = data, .at = data, .end = data + len, .kept = data};
}

/* Gives the pages behind the cursor back. Only for mappings of files that nobody reads again. */
static inline void lines_forget(struct lines *l)
{
	if (!l->forget || l->at - l->kept < LINES_BEHIND)
		return;
	size_t len = (size_t)(l->at - l->kept) & ~(size_t)(LINES_BEHIND - 1);
	madvise((void *)(uintptr_t)l->kept, len, MADV_DONTNEED);
	l->kept += len;
}

static inline bool lines_next(struct lines *l)
{
	if (l->at == l->end)
		return false;
	const uint8_t *stop = memchr(l->at, '\n', (size_t)(l->end - l->at));
	l->cut = !stop;
	l->line = (struct word){l->at, stop ? stop : l->end};
	l->at = stop ? stop + 1 : l->end;
	l->number++;
	lines_forget(l);
	return true;
}

static inline size_t word_len(const struct word *w)
{
	return (size_t)(w->end - w->at);
}

/* -1: no digit. */
static inline int word_digit(uint8_t c)
{
	uint8_t d = (uint8_t)(c - '0');
	if (d <= 9)
		return d;
	d = (uint8_t)((c | 0x20) - 'a');
	return d <= 5 ? d + 10 : -1;
}

static inline void word_blanks(struct word *w)
{
	while (w->at < w->end && (*w->at == ' ' || *w->at == '\t'))
		w->at++;
}

/* Hex digits without 0x, blanks before them. False: none there, or more than 64 bits; w stays. */
static inline bool word_hex(struct word *w, uint64_t *ret)
{
	struct word v = *w;
	word_blanks(&v);
	uint64_t n = 0;
	const uint8_t *first = v.at;
	for (int d; v.at < v.end && (d = word_digit(*v.at)) >= 0; v.at++) {
		if (n >> 60)
			return false;
		n = n << 4 | (unsigned)d;
	}
	if (v.at == first)
		return false;
	*w = v;
	*ret = n;
	return true;
}

/* Decimal digits, blanks before them; separators (1,234) where `commas` says so. */
static inline bool word_dec(struct word *w, bool commas, uint64_t *ret)
{
	struct word v = *w;
	word_blanks(&v);
	uint64_t n = 0;
	const uint8_t *first = v.at;
	for (; v.at < v.end; v.at++) {
		uint8_t d = (uint8_t)(*v.at - '0');
		if (commas && *v.at == ',' && v.at > first)
			continue;
		if (d > 9)
			break;
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, d, &n))
			return false;
	}
	if (v.at == first)
		return false;
	*w = v;
	*ret = n;
	return true;
}

/* 0x and hex digits. */
static inline bool word_address(struct word *w, uint64_t *ret)
{
	struct word v = *w;
	word_blanks(&v);
	if (word_len(&v) < 3 || v.at[0] != '0' || (v.at[1] | 0x20) != 'x')
		return false;
	v.at += 2;
	if (word_digit(*v.at) < 0 || !word_hex(&v, ret))
		return false;
	*w = v;
	return true;
}

/* Takes `text` if the rest begins with it. */
static inline bool word_skip(struct word *w, const char *text)
{
	size_t n = strlen(text);
	if (word_len(w) < n || memcmp(w->at, text, n))
		return false;
	w->at += n;
	return true;
}

/* Moves behind the next `text`, wherever it is. False: there is none; w stays. */
static inline bool word_find(struct word *w, const char *text)
{
	size_t n = strlen(text);
	const uint8_t *p = w->at < w->end ? memmem(w->at, word_len(w), text, n) : NULL;
	if (!p)
		return false;
	w->at = p + n;
	return true;
}

/* Moves behind the next `c` and gives what stood before it. False: there is none; w stays. */
static inline bool word_until(struct word *w, char c, struct word *ret)
{
	const uint8_t *p = w->at < w->end ? memchr(w->at, c, word_len(w)) : NULL;
	if (!p)
		return false;
	*ret = (struct word){w->at, p};
	w->at = p + 1;
	return true;
}

/* Blanks and carriage returns off both ends. */
static inline void word_trim(struct word *w)
{
	word_blanks(w);
	while (w->at < w->end && (w->end[-1] == ' ' || w->end[-1] == '\t' || w->end[-1] == '\r'))
		w->end--;
}

static inline bool word_is(const struct word *w, const char *text)
{
	size_t n = strlen(text);
	return word_len(w) == n && !memcmp(w->at, text, n);
}
