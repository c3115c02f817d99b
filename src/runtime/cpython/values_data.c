/* values_data: numbers, text and bytes, in every form that a version has. */
#include "runtime/cpython/values_impl.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	DIGITS_MOST = 9,  /* of 30 bits: 82 decimal digits */
	TEXT_BYTES = 400, /* of an object's characters that are looked at: 4 bytes each */
};

/* ---- numbers ---- */

/* Decimal, by long division; least significant digit of the process first. */
static bool long_print(const uint32_t *digit, unsigned n, unsigned bits, bool negative,
		       struct py_value *ret)
{
	uint32_t rest[DIGITS_MOST];
	char text[PY_VALUE_ROOM];
	size_t len = sizeof(text);
	memcpy(rest, digit, n * sizeof(*rest));
	text[--len] = 0;
	do {
		uint64_t carry = 0;
		for (unsigned i = n; i-- > 0;) {
			uint64_t v = carry << bits | rest[i];
			rest[i] = (uint32_t)(v / 10);
			carry = v % 10;
		}
		text[--len] = (char)('0' + carry);
		while (n && !rest[n - 1])
			n--;
	} while (n && len > 1);
	if (negative)
		text[--len] = '-';
	return py_value_print(ret, "%s", text + len);
}

bool py_value_long(const struct py *py, const struct py_type *type, uint64_t at,
		   struct py_value *ret)
{
	(void)type;
	const struct cpython_number_layout *l = &py->layout->number;
	uint64_t n;
	bool negative;
	if (l->integer == CPYTHON_INTEGER_TAG) {
		uint64_t tag;
		if (!py_word(py, at + l->tag, &tag))
			return false;
		n = tag >> 3;
		negative = (tag & 3) == 2;
		if ((tag & 3) == 1)
			n = 0;
	} else {
		if (!py_word(py, at + py->layout->object.size, &n))
			return false;
		negative = (int64_t)n < 0;
		n = negative ? -n : n;
	}
	if (n > UINT64_C(1) << 32)
		return false;
	uint32_t digit[DIGITS_MOST] = {0};
	if (n > DIGITS_MOST) {
		uint32_t top = 0;
		if (!image_try_u32(py->image, at + l->digits_at + 4 * (n - 1), &top) || !top)
			return false;
		uint64_t bits = (n - 1) * l->digit_bits + (32 - (unsigned)__builtin_clz(top));
		return py_value_print(ret, "%s2**%" PRIu64 " or more", negative ? "-" : "",
				      bits - 1);
	}
	if (!image_try_read(py->image, at + l->digits_at, digit, 4 * n))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (digit[i] >> l->digit_bits)
			return false;
	return long_print(digit, (unsigned)n, l->digit_bits, negative, ret);
}

/* Python 2's int is a C long; its bool is derived from it. */
bool py_value_int(const struct py *py, const struct py_type *type, uint64_t at,
		  struct py_value *ret)
{
	const struct cpython_number_layout *l = &py->layout->number;
	uint64_t v;
	if (l->int_value == CPYTHON_NONE)
		return py_value_long(py, type, at, ret);
	return py_word(py, at + l->int_value, &v) && py_value_print(ret, "%" PRId64, (int64_t)v);
}

bool py_value_bool(const struct py *py, const struct py_type *type, uint64_t at,
		   struct py_value *ret)
{
	if (!py_value_int(py, type, at, ret))
		return false;
	return py_value_print(ret, "%s", strcmp(ret->text, "0") ? "True" : "False");
}

/* The shortest text that reads back as the same number, as repr() writes it. */
static void float_text(double v, char *buf, size_t room)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, room, "%.*g", digits, v);
		if (strtod(buf, NULL) == v)
			break;
	}
	if (isfinite(v) && !strpbrk(buf, ".e") && strlen(buf) + 3 < room)
		strcat(buf, ".0");
}

static bool double_at(const struct py *py, uint64_t at, double *ret)
{
	return image_try_read(py->image, at, ret, sizeof(*ret));
}

bool py_value_float(const struct py *py, const struct py_type *type, uint64_t at,
		    struct py_value *ret)
{
	(void)type;
	double v;
	char text[40];
	if (!double_at(py, at + py->layout->number.float_value, &v))
		return false;
	float_text(v, text, sizeof(text));
	return py_value_print(ret, "%s", text);
}

bool py_value_complex(const struct py *py, const struct py_type *type, uint64_t at,
		      struct py_value *ret)
{
	(void)type;
	double re, im;
	char a[40], b[40];
	if (!double_at(py, at + py->layout->number.complex_value, &re) ||
	    !double_at(py, at + py->layout->number.complex_value + sizeof(re), &im))
		return false;
	float_text(re, a, sizeof(a));
	float_text(im, b, sizeof(b));
	return py_value_print(ret, "(%s%s%sj)", a, b[0] == '-' ? "" : "+", b);
}

/* ---- text ---- */

/* Characters of a text: where, how many, how wide. */
struct characters {
	uint64_t at, n;
	unsigned width;
	bool latin; /* one byte is one character, not UTF-8 */
};

static bool characters_find(const struct py *py, const struct py_type *type, uint64_t at,
			    struct characters *ret)
{
	const struct cpython_layout *l = py->layout;
	*ret = (struct characters){.latin = true, .width = 1};
	if (type->flags & l->type.flag.bytes) {
		ret->at = at + l->sequence.bytes_items;
		return py_word(py, at + l->object.size, &ret->n);
	}
	if (!(type->flags & l->type.flag.unicode) || !py_word(py, at + l->text.length, &ret->n))
		return false;
	uint32_t state;
	switch (l->text.forms) {
	case CPYTHON_TEXT_POINTER:
		ret->width = py->cpython.narrow ? 2 : 4;
		return py_word(py, at + l->text.data, &ret->at);
	case CPYTHON_TEXT_WSTR:
	case CPYTHON_TEXT_COMPACT:
		break;
	}
	if (!image_try_u32(py->image, at + l->text.state, &state))
		return false;
	ret->width = state >> l->text.kind_shift & ((1u << l->text.kind_bits) - 1);
	if (!ret->width && l->text.wstr != CPYTHON_NONE) {
		/* Not yet made ready: a wchar_t string, whose length is elsewhere. */
		ret->width = 4;
		return py_word(py, at + l->text.wstr, &ret->at) &&
		       py_word(py, at + l->text.wstr_length, &ret->n);
	}
	if (ret->width != 1 && ret->width != 2 && ret->width != 4)
		return false;
	if (!(state >> l->text.compact_bit & 1))
		return py_word(py, at + l->text.data, &ret->at);
	ret->at = at + (state >> l->text.ascii_bit & 1 ? l->text.ascii_size : l->text.compact_size);
	return true;
}

bool py_characters(const struct py *py, const struct py_type *type, uint64_t at, uint64_t *start,
		   uint64_t *n, unsigned *width)
{
	struct characters c;
	if (!characters_find(py, type, at, &c))
		return false;
	*start = c.at;
	*n = c.n;
	*width = c.width;
	return true;
}

/* One character as UTF-8; lone surrogates as Python writes them. */
static size_t utf8_put(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
		return (size_t)snprintf(out, 12, c > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32, c);
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static size_t escaped_put(uint32_t c, bool bytes, char *out)
{
	switch (c) {
	case '\n':
		return (size_t)snprintf(out, 12, "\\n");
	case '\r':
		return (size_t)snprintf(out, 12, "\\r");
	case '\t':
		return (size_t)snprintf(out, 12, "\\t");
	case '\\':
		return (size_t)snprintf(out, 12, "\\\\");
	default:
		break;
	}
	if (c < 0x20 || (c >= 0x7f && (bytes || c < 0xa0)))
		return (size_t)snprintf(out, 12, "\\x%02" PRIx32, c);
	return utf8_put(c, out);
}

/* Character i of those read; *i moves on. */
static uint32_t character_next(const uint8_t *p, unsigned width, uint64_t n, uint64_t *i)
{
	uint16_t h, low;
	uint32_t c;
	switch (width) {
	case 1:
		return p[(*i)++];
	case 2:
		memcpy(&h, p + 2 * *i, 2);
		++*i;
		if (h >= 0xd800 && h < 0xdc00 && *i < n) {
			memcpy(&low, p + 2 * *i, 2);
			if (low >= 0xdc00 && low < 0xe000) {
				++*i;
				return 0x10000 + ((uint32_t)(h & 0x3ff) << 10) + (low & 0x3ff);
			}
		}
		return h;
	default:
		memcpy(&c, p + 4 * *i, 4);
		++*i;
		return c;
	}
}

/* Reads at most TEXT_BYTES of them; *n gets how many characters that is. */
static bool characters_read(const struct py *py, const struct characters *c, uint8_t *buf,
			    uint64_t *n)
{
	*n = c->n < TEXT_BYTES / c->width ? c->n : TEXT_BYTES / c->width;
	return c->n >> 48 == 0 && (!*n || image_try_read(py->image, c->at, buf, *n * c->width));
}

static bool preview(const struct py *py, const struct py_type *type, uint64_t at, bool bytes,
		    const char *open, const char *close, struct py_value *ret)
{
	struct characters c;
	uint8_t buf[TEXT_BYTES];
	uint64_t n, i = 0;
	if (!characters_find(py, type, at, &c) || !characters_read(py, &c, buf, &n))
		return false;
	size_t most = PY_VALUE_MOST - strlen(close);
	py_value_print(ret, "%s", open);
	while (i < n) {
		char out[12];
		uint64_t next = i;
		size_t len = escaped_put(character_next(buf, c.width, n, &next), bytes, out);
		bool last = next == c.n;
		if (ret->len + len + (last ? 0 : 3) > most) {
			i = UINT64_MAX;
			break;
		}
		memcpy(ret->text + ret->len, out, len);
		ret->len += len;
		i = next;
	}
	ret->text[ret->len] = 0;
	size_t at_end = ret->len;
	snprintf(ret->text + at_end, sizeof(ret->text) - at_end, "%s", close);
	ret->len += strlen(close);
	if (i != c.n) {
		snprintf(ret->text + ret->len, sizeof(ret->text) - ret->len, "...");
		ret->len += 3;
	}
	return true;
}

/*
 * Is it in the table of interned strings, where names are that source texts have? 2.7 tells it in
 * Include/stringobject.h, PyStringObject: ob_sstate, an int before ob_sval.
 */
static bool is_interned(const struct py *py, const struct py_type *type, uint64_t at)
{
	const struct cpython_layout *l = py->layout;
	uint32_t state;
	if (l->text.forms == CPYTHON_TEXT_POINTER)
		return !(type->flags & l->type.flag.unicode) &&
		       image_try_u32(py->image, at + l->sequence.bytes_items - 4, &state) && state;
	return image_try_u32(py->image, at + l->text.state, &state) &&
	       state & ((1u << l->text.interned_bits) - 1);
}

bool py_value_str(const struct py *py, const struct py_type *type, uint64_t at,
		  struct py_value *ret)
{
	ret->is_text = true;
	ret->is_name = is_interned(py, type, at);
	return preview(py, type, at, !(type->flags & py->layout->type.flag.unicode), "", "", ret);
}

bool py_value_bytes(const struct py *py, const struct py_type *type, uint64_t at,
		    struct py_value *ret)
{
	return preview(py, type, at, true, "b'", "'", ret);
}

bool py_text(const struct py *py, uint64_t at, char *buf, size_t room)
{
	uint64_t word, n, i = 0;
	struct characters c;
	uint8_t raw[TEXT_BYTES];
	const struct py_type *type;
	if (!py_word(py, at + py->layout->object.type, &word) || !(type = py_type_at(py, word)) ||
	    (py->layout->text.forms != CPYTHON_TEXT_POINTER &&
	     !(type->flags & py->layout->type.flag.unicode)) ||
	    !characters_find(py, type, at, &c) || !characters_read(py, &c, raw, &n))
		return false;
	size_t len = 0;
	while (i < n) {
		char out[12];
		size_t put = utf8_put(character_next(raw, c.width, n, &i), out);
		if (len + put + 1 > room)
			break;
		memcpy(buf + len, out, put);
		len += put;
	}
	buf[len] = 0;
	return true;
}
