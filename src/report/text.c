#include "report/text.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* Characters that print nothing themselves, but move or hide what stands around them. */
static bool is_trickster(int32_t cp)
{
	return (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || cp == 0xad || cp == 0x61c ||
	       (cp >= 0xfff9 && cp <= 0xfffb) || (cp >= 0xe0000 && cp <= 0xe0fff);
}

static bool is_wide(int32_t cp)
{
	return (cp >= 0x1100 && cp <= 0x115f) || (cp >= 0x2e80 && cp <= 0xa4cf && cp != 0x303f) ||
	       (cp >= 0xac00 && cp <= 0xd7a3) || (cp >= 0xf900 && cp <= 0xfaff) ||
	       (cp >= 0xfe30 && cp <= 0xfe6f) || (cp >= 0xff00 && cp <= 0xff60) ||
	       (cp >= 0xffe0 && cp <= 0xffe6) || (cp >= 0x1f300 && cp <= 0x1faff) ||
	       (cp >= 0x20000 && cp <= 0x3fffd);
}

static bool is_combining(int32_t cp)
{
	return (cp >= 0x300 && cp <= 0x36f) || (cp >= 0x483 && cp <= 0x489) ||
	       (cp >= 0x591 && cp <= 0x5bd) || (cp >= 0x64b && cp <= 0x65f) ||
	       (cp >= 0x1ab0 && cp <= 0x1aff) || (cp >= 0x1dc0 && cp <= 0x1dff) ||
	       (cp >= 0x20d0 && cp <= 0x20ff) || (cp >= 0xfe00 && cp <= 0xfe0f) ||
	       (cp >= 0xfe20 && cp <= 0xfe2f);
}

/* The locale's tables where they know the character (the user may run in C, which knows none). */
static size_t char_width(int32_t cp)
{
	if (cp < 0x7f)
		return 1;
	if (is_combining(cp))
		return 0;
	int w = wcwidth((wchar_t)cp);
	if (w >= 0)
		return (size_t)w;
	return is_wide(cp) ? 2 : 1;
}

/* Every byte becomes at most 4 (\xNN), a character of 3 or 4 bytes at most 10 (\u{10ffff}). */
static char *escape_room(struct region *region, size_t len)
{
	size_t room;
	if (__builtin_mul_overflow(len, 4, &room) || __builtin_add_overflow(room, 1, &room))
		return NULL;
	return region_alloc(region, room);
}

/* How many bytes from the beginning are printed as they are, one column each: nearly always all. */
static size_t plain_bytes(const char *s, size_t len)
{
	size_t n = 0;
	while (n < len && s[n] >= 0x20 && s[n] < 0x7f)
		n++;
	return n;
}

char *text_escape(struct region *region, const char *s, size_t len)
{
	if (plain_bytes(s, len) == len)
		return region_strndup(region, s, len);
	char *out = escape_room(region, len);
	if (!out)
		return NULL;
	char *o = out;
	for (size_t i = 0; i < len;) {
		int32_t cp;
		size_t n = utf8_decode(s + i, len - i, &cp);
		if (cp == '\n' || cp == '\t' || cp == '\r') {
			*o++ = '\\';
			*o++ = cp == '\n' ? 'n' : cp == '\t' ? 't' : 'r';
		} else if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0)) {
			/* U+0080 to U+009F take two bytes: they are escaped one by one */
			for (size_t k = 0; k < n; k++)
				o += sprintf(o, "\\x%02x", (unsigned char)s[i + k]);
		} else if (is_trickster(cp)) {
			o += sprintf(o, "\\u{%x}", (unsigned)cp);
		} else {
			memcpy(o, s + i, n);
			o += n;
		}
		i += n;
	}
	*o = 0;
	return out;
}

size_t text_width(const char *s)
{
	return text_width_n(s, strlen(s));
}

size_t text_width_n(const char *s, size_t len)
{
	size_t width = plain_bytes(s, len);
	for (size_t i = width; i < len;) {
		int32_t cp;
		i += utf8_decode(s + i, len - i, &cp);
		width += cp < 0 ? 1 : char_width(cp);
	}
	return width;
}

char *text_cut(struct region *region, const char *s, size_t width)
{
	size_t len = strlen(s);
	if (text_width(s) <= width)
		return region_strndup(region, s, len);
	size_t used = 0, end = 0;
	while (end < len) {
		int32_t cp;
		size_t n = utf8_decode(s + end, len - end, &cp);
		size_t w = cp < 0 ? 1 : char_width(cp);
		if (used + w + 1 > width)
			break;
		used += w;
		end += n;
	}
	return region_printf(region, "%.*s…", (int)end, s);
}

const char *text_integer(char *buf, int64_t n)
{
	char digits[20];
	unsigned len = 0;
	uint64_t v = n < 0 ? -(uint64_t)n : (uint64_t)n;
	do {
		digits[len++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	char *o = buf;
	if (n < 0)
		*o++ = '-';
	while (len)
		*o++ = digits[--len];
	*o = 0;
	return buf;
}

const char *text_address(char *buf, uint64_t v)
{
	unsigned shift = v ? (63 - (unsigned)__builtin_clzll(v)) / 4 * 4 : 0;
	char *o = buf;
	*o++ = '0';
	*o++ = 'x';
	for (;; shift -= 4) {
		*o++ = "0123456789abcdef"[v >> shift & 15];
		if (!shift)
			break;
	}
	*o = 0;
	return buf;
}

const char *text_bytes(char *buf, uint64_t bytes)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	if (bytes < 1024) {
		text_integer(buf, (int64_t)bytes);
		strcat(buf, " B");
		return buf;
	}
	double v = (double)bytes;
	unsigned u = 0;
	/* 1023.95 would be printed as 1024.0 */
	while (v >= 1023.95 && u < 6) {
		v /= 1024;
		u++;
	}
	const bool two = v < 9.995;
	/* From here on it is the same number in whole hundredths or tenths: an exact one, so that a half goes to
	 * the even side, as printf has it. */
	const uint64_t scale = two ? 100 : 10;
	if (bytes >> 53) {
		snprintf(buf, TEXT_NUMBER_MAX, two ? "%.2f %s" : "%.1f %s", v, unit[u]);
		return buf;
	}
	const uint64_t exact = bytes * scale, rest = exact & ((UINT64_C(1) << 10 * u) - 1);
	const uint64_t half = UINT64_C(1) << (10 * u - 1);
	uint64_t n = exact >> 10 * u;
	n += rest > half || (rest == half && n & 1);
	text_integer(buf, (int64_t)(n / scale));
	char *o = buf + strlen(buf);
	*o++ = '.';
	if (two)
		*o++ = (char)('0' + n / 10 % 10);
	*o++ = (char)('0' + n % 10);
	*o++ = ' ';
	strcpy(o, unit[u]);
	return buf;
}

const char *text_count(char *buf, int64_t n)
{
	char digits[24];
	text_integer(digits, n);
	size_t len = strlen(digits);
	char *o = buf;
	for (size_t i = 0; i < len; i++) {
		*o++ = digits[i];
		size_t left = len - 1 - i;
		if (left && left % 3 == 0 && digits[i] != '-')
			*o++ = ',';
	}
	*o = 0;
	return buf;
}

const char *text_share(char *buf, double part, double whole)
{
	buf[0] = 0;
	if (whole <= 0)
		return buf;
	double v = 100 * part / whole;
	if (v > 0 && v < 0.05)
		snprintf(buf, TEXT_NUMBER_MAX, "<0.1 %%");
	else
		snprintf(buf, TEXT_NUMBER_MAX, "%.1f %%", v);
	return buf;
}
