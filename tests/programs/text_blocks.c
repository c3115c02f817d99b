/* Blocks of text, UTF-8 and UTF-16, held and lost. */
#include "oracle.h"

void *kept[8];

static noinline_ void *copy(const void *text, size_t n)
{
	void *p = new_block(n);
	memcpy(p, text, n);
	return p;
}

static noinline_ void fill(void)
{
	static const char utf8[] = "Gr\xc3\xbc\xc3\x9f Gott, wanderer: a line of text";
	static const char ascii[] = "SELECT name FROM people WHERE id = 42";
	static const uint16_t utf16[] = {'w', 'i', 'd', 'e', ' ', 't', 'e', 'x',
					 't', ' ', 'h', 'e', 'r', 'e', '!', 0};
	kept[0] = copy(utf8, sizeof(utf8));
	oracle_value(kept[0], "wanderer");
	kept[1] = copy(ascii, sizeof(ascii));
	oracle_value(kept[1], "FROM people");
	kept[2] = copy(utf16, sizeof(utf16));
	oracle_value(kept[2], "wide text");
	void *lost = copy(ascii, sizeof(ascii));
	oracle_head(lost, 1);
	oracle_value(lost, "FROM people");
}

static void situation(int argc, char **argv)
{
	(void)argc, (void)argv;
	fill();
}
