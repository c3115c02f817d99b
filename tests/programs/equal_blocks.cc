// Blocks that say the same, in C and in strings, and some that nearly do.
#include "oracle.h"

#include <string>
#include <vector>

enum { TEXTS = 50, STRINGS = 40, NUMBERS = 60, BIG = 2, OTHERS = 30, BIG_BYTES = 1 << 20 };

static void *kept[TEXTS + NUMBERS + BIG + 3 * OTHERS];
static unsigned nkept;
static std::vector<std::string> *strings;
static std::vector<int> *roomy;

static noinline_ char *keep(size_t n, int fill)
{
	char *p = (char *)malloc(n);
	memset(p, fill, malloc_usable_size(p));
	kept[nkept++] = p;
	return p;
}

static noinline_ void fill()
{
	static const char text[] = "a line of text that many blocks have, word for word";
	for (unsigned i = 0; i < TEXTS; i++)
		oracle_equal(strcpy(keep(sizeof(text), 0), text), 1);
	// The same characters with room behind them: a string grows.
	strings = new std::vector<std::string>;
	strings->reserve(STRINGS);
	for (unsigned i = 0; i < STRINGS; i++) {
		std::string s;
		s.reserve(60 + i);
		s = "what the strings of this program have, in one copy each";
		strings->push_back(std::move(s));
		oracle_equal(strings->back().data(), 2);
	}
	for (unsigned i = 0; i < NUMBERS; i++) {
		char *p = keep(100, 0xfe);
		p[40] = p[70] = (char)0xc1;
		oracle_equal(p, 3);
	}
	for (unsigned i = 0; i < BIG; i++) {
		char *p = keep(BIG_BYTES, 0xfb);
		p[BIG_BYTES / 2] = 1;
		oracle_equal(p, 4);
	}
	// Not the same: each another byte; zeroes, which are no copy of anything; pointers.
	for (unsigned i = 0; i < OTHERS; i++) {
		keep(100, 0xfe)[90] = (char)(0x80 + i);
		keep(64, 0);
		*(void **)keep(48, 0xfe) = kept[0];
	}
	// Room that no one can tell from what is in use.
	roomy = new std::vector<int>;
	roomy->reserve(1000);
	roomy->push_back(-2);
	// Lost ones are leaks, and no savings.
	for (unsigned i = 0; i < 5; i++) {
		char *p = (char *)malloc(sizeof(text));
		memset(p, 0, malloc_usable_size(p));
		oracle_leak(strcpy(p, text), 1 + i);
	}
}

static void situation(int, char **)
{
	fill();
}
