/*
 * json_words: JSON piece by piece, from a mapped file of any size, without a tree.
 *
 *	struct json_words j = {.rest = {data, data + size}};
 *	while (json_words_next(&j)) switch (j.kind) ...
 *
 * Nothing is built, nothing recurses: depth is a number. A key is told from a string. What is no
 * JSON ends it with `bad`; the end of the bytes within something with `depth` left over. Commas are
 * not checked: bytes that lack some mean the same.
 */
#pragma once

#include "input/lines.h"

enum json_kind {
	JSON_OPEN,  /* { or [, as in `what`; depth is already that inside */
	JSON_CLOSE, /* } or ] */
	JSON_KEY,
	JSON_STRING, /* `text`, between its quotes, escapes as they are */
	JSON_NUMBER,
	JSON_LITERAL, /* true, false, null */
};

struct json_words {
	struct word rest;
	enum json_kind kind;
	uint8_t what;
	struct word text;
	uint32_t depth;
	bool bad;
};

static inline void json_words_blanks(struct json_words *j)
{
	while (j->rest.at < j->rest.end && (*j->rest.at <= ' ' || *j->rest.at == ','))
		j->rest.at++;
}

static inline bool json_words_string(struct json_words *j)
{
	struct word *w = &j->rest;
	const uint8_t *from = ++w->at;
	for (; w->at < w->end && *w->at != '"'; w->at++)
		if (*w->at == '\\' && w->end - w->at > 1)
			w->at++;
	if (w->at == w->end)
		return false;
	j->text = (struct word){from, w->at++};
	json_words_blanks(j);
	j->kind = JSON_STRING;
	if (w->at < w->end && *w->at == ':') {
		j->kind = JSON_KEY;
		w->at++;
	}
	return true;
}

static inline bool json_words_next(struct json_words *j)
{
	struct word *w = &j->rest;
	json_words_blanks(j);
	if (w->at == w->end || j->bad)
		return false;
	uint8_t c = *w->at;
	j->what = c;
	if (c == '"')
		return json_words_string(j);
	if (c == '{' || c == '[') {
		w->at++;
		j->depth++;
		j->kind = JSON_OPEN;
		j->bad = !j->depth;
		return !j->bad;
	}
	if (c == '}' || c == ']') {
		w->at++;
		j->bad = !j->depth;
		j->depth -= !j->bad;
		j->kind = JSON_CLOSE;
		return !j->bad;
	}
	const uint8_t *from = w->at;
	while (w->at<w->end && * w->at> ' ' && !strchr(",:{}[]\"", *w->at))
		w->at++;
	j->text = (struct word){from, w->at};
	j->kind = c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_LITERAL;
	j->bad = w->at == from;
	return !j->bad;
}

/* A whole number that is not negative, and nothing else. */
static inline bool json_words_number(const struct json_words *j, uint64_t *ret)
{
	struct word w = j->text;
	return j->kind == JSON_NUMBER && word_dec(&w, false, ret) && !word_len(&w);
}
