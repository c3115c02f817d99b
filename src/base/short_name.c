#include "base/short_name.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_MAX = 64, COMMAS_MAX = 256 };

/* The beginnings of arguments that libstdc++ and libc++ give themselves. */
static const char *const defaults[] = {
	"std::allocator<",
	"std::less<",
	"std::hash<",
	"std::equal_to<",
	"std::char_traits<",
	"std::default_delete<",
	"std::pmr::polymorphic_allocator<",
	"(__gnu_cxx::_Lock_policy)",
};

static const char *const namespaces[] = {"std::__cxx11::", "std::__1::", "std::__ndk1::"};

static const struct {
	const char *is, *said;
} typedefs[] = {
	{"std::basic_string<char>", "std::string"},
	{"std::basic_string<wchar_t>", "std::wstring"},
	{"std::basic_string_view<char>", "std::string_view"},
	{"std::basic_ostream<char>", "std::ostream"},
	{"std::basic_istream<char>", "std::istream"},
	{"std::basic_iostream<char>", "std::iostream"},
};

struct shortening {
	char *buf;
	size_t len;
	/* open brackets, outermost first: '<' or '(', and how many commas were known before */
	char bracket[DEPTH_MAX];
	unsigned char commas[DEPTH_MAX + 1];
	unsigned depth;
	size_t comma[COMMAS_MAX]; /* where they are in buf, of all open lists */
	unsigned ncomma;
};

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool in_word(const char *buf, size_t len)
{
	return len && (isalnum((unsigned char)buf[len - 1]) || strchr("_:", buf[len - 1]));
}

static bool is_default(const char *arg)
{
	while (*arg == ' ')
		arg++;
	for (unsigned i = 0; i < sizeof(defaults) / sizeof(*defaults); i++)
		if (begins(arg, defaults[i]))
			return true;
	return false;
}

/* The list of arguments ends here: its last ones go where they are defaults; the first one stays. */
static void close_list(struct shortening *s)
{
	s->depth--;
	while (s->ncomma > s->commas[s->depth]) {
		size_t at = s->comma[s->ncomma - 1];
		s->buf[s->len] = '\0';
		if (!is_default(s->buf + at + 1))
			break;
		s->len = at;
		s->ncomma--;
	}
	s->ncomma = s->commas[s->depth];
	while (s->len && s->buf[s->len - 1] == ' ')
		s->len--;
	s->buf[s->len++] = '>';
	s->buf[s->len] = '\0';
	for (unsigned i = 0; i < sizeof(typedefs) / sizeof(*typedefs); i++) {
		size_t n = strlen(typedefs[i].is), m = strlen(typedefs[i].said);
		if (s->len < n || strcmp(s->buf + s->len - n, typedefs[i].is) != 0)
			continue;
		if (in_word(s->buf, s->len - n))
			continue;
		memcpy(s->buf + s->len - n, typedefs[i].said, m);
		s->len += m - n;
		break;
	}
}

/* "operator<", "operator->": those are no brackets. */
static size_t operator_length(const char *p)
{
	static const char word[] = "operator";
	if (!begins(p, word))
		return 0;
	size_t n = sizeof(word) - 1;
	return strchr("<>-", p[n]) && p[n] ? n + strspn(p + n, "<>-=") : 0;
}

bool short_name(const char *name, char *buf)
{
	struct shortening s = {.buf = buf};
	size_t len = strnlen(name, SHORT_NAME_MAX + 1);
	if (len > SHORT_NAME_MAX || !strstr(name, "::") || !strchr(name, '<'))
		return false;
	for (const char *p = name; *p;) {
		size_t verbatim =
			in_word(buf, s.len) && buf[s.len - 1] != ':' ? 0 : operator_length(p);
		for (unsigned i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
			if (begins(p, namespaces[i]) && !in_word(s.buf, s.len)) {
				memcpy(buf + s.len, "std::", 5);
				s.len += 5;
				p += strlen(namespaces[i]);
				verbatim = 0;
			}
		if (verbatim) {
			memcpy(buf + s.len, p, verbatim);
			s.len += verbatim;
			p += verbatim;
			continue;
		}
		char c = *p++;
		bool arrow = c == '>' && s.len && buf[s.len - 1] == '-';
		if ((c == '<' || c == '(') && s.depth < DEPTH_MAX) {
			s.commas[s.depth] = (unsigned char)s.ncomma;
			s.bracket[s.depth++] = c;
		} else if (c == '<' || c == '(') {
			return false;
		} else if (c == '>' && !arrow) {
			if (!s.depth || s.bracket[s.depth - 1] != '<')
				return false;
			close_list(&s);
			continue;
		} else if (c == ')') {
			if (!s.depth || s.bracket[s.depth - 1] != '(')
				return false;
			s.ncomma = s.commas[--s.depth];
		} else if (c == ',' && s.depth) {
			if (s.ncomma == COMMAS_MAX - 1)
				return false;
			s.comma[s.ncomma++] = s.len;
		} else if (!c) {
			break;
		}
		buf[s.len++] = c;
	}
	buf[s.len] = '\0';
	return !s.depth && s.len < len;
}
