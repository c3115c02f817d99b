#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

size_t utf8_decode(const char *s, size_t len, int32_t *cp)
{
	const unsigned char *p = (const unsigned char *)s;
	if (p[0] < 0x80) {
		*cp = p[0];
		return 1;
	}
	size_t n = p[0] >= 0xf0 && p[0] < 0xf5	 ? 4
		   : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
						 : 0;
	*cp = -1;
	if (!n || n > len)
		return 1;
	int32_t v = p[0] & (0xff >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		v = v << 6 | (p[i] & 0x3f);
	}
	/* Overlong forms and surrogates are no UTF-8 (Unicode 15, table 3-7). */
	if ((n == 3 && v < 0x800) || (n == 4 && (v < 0x10000 || v > 0x10ffff)) ||
	    (v >= 0xd800 && v < 0xe000))
		return 1;
	*cp = v;
	return n;
}

bool utf8_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (!((unsigned char)s[i] & 0x80)) {
			i++;
			continue;
		}
		int32_t cp;
		i += utf8_decode(s + i, len - i, &cp);
		if (cp < 0)
			return false;
	}
	return true;
}

size_t utf8_cut(const char *s, size_t len, size_t most)
{
	if (len <= most)
		return len;
	/* A character has at most three bytes behind its first. */
	size_t end = most;
	while (end && most - end < 3 && ((unsigned char)s[end] & 0xc0) == 0x80)
		end--;
	return ((unsigned char)s[end] & 0xc0) == 0x80 ? most : end;
}

size_t utf8_clean(char *buf, size_t room, const char *s, size_t len)
{
	size_t used = 0;
	for (size_t i = 0; i < len;) {
		char hex[8];
		int32_t cp;
		size_t n = utf8_decode(s + i, len - i, &cp), put = n;
		const char *from = s + i;
		if (cp < 0) {
			put = (size_t)snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)s[i]);
			from = hex;
		}
		if (put >= room - used)
			break;
		memcpy(buf + used, from, put);
		used += put;
		i += n;
	}
	buf[used] = 0;
	return used;
}
