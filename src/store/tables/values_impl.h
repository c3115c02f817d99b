/* values_impl: what the row functions of store/tables/ make the values of a row with. */
#pragma once

#include "store/table_impl.h"

#include "base/utf8.h"

#include <string.h>

static inline struct store_value value_null(void)
{
	return (struct store_value){.type = STORE_NULL};
}

static inline struct store_value value_int(int64_t i)
{
	return (struct store_value){.type = STORE_INT, .i = i};
}

/* Ids, addresses and counts whose 0 stands for "not known". */
static inline struct store_value value_nonzero(uint64_t i)
{
	return i ? value_int((int64_t)i) : value_null();
}

static inline struct store_value value_text_len(const char *text, uint32_t len)
{
	return (struct store_value){.type = STORE_TEXT, .len = len, .text = text};
}

static inline struct store_value value_text(const char *text)
{
	return value_text_len(text, (uint32_t)strlen(text));
}

/* A string of the image, which is bytes: absent or empty is unknown. At most one a row. */
static inline struct store_value value_known(struct store_row *out, const char *text)
{
	size_t len = text ? strlen(text) : 0;
	if (!len)
		return value_null();
	if (utf8_valid(text, len) && len <= UINT32_MAX)
		return value_text_len(text, (uint32_t)len);
	return value_text_len(out->name,
			      (uint32_t)utf8_clean(out->name, sizeof(out->name), text, len));
}

/* A string of the snapshot; id 0 is unknown. */
static inline struct store_value value_string(const struct snapshot *s, uint32_t id)
{
	if (!id)
		return value_null();
	const struct intern_entry *e = &s->strings.entry[id];
	return value_text_len(e->text, e->len);
}

/* For NOT NULL columns: an unknown string is the empty one. */
static inline struct store_value value_string_or_empty(const struct snapshot *s, uint32_t id)
{
	return id ? value_string(s, id) : value_text_len("", 0);
}

/* For columns where an empty string says nothing: a language, a module. */
static inline struct store_value value_string_known(const struct snapshot *s, uint32_t id)
{
	struct store_value v = value_string(s, id);
	return v.len ? v : value_null();
}
