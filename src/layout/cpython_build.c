/*
 * build: what a build does that its version does not say.
 *
 * Since 3.13 an instance's values and its dict may be one memory. Who of the two shows them to the
 * collector changed by a correction (python/cpython, pull request 130469, GH-130327) that is in 3.15,
 * 3.14.4 and 3.13.13, and that distributions put into older ones: Debian's 3.13.5 has it since its
 * revision 2+deb13u3. PyObject_VisitManagedDict is exported:
 *
 *	before		if (flags & INLINE_VALUES) { ... }  visit(dict);
 *	after		dict = ...; if (dict) visit(dict); else if (flags & INLINE_VALUES) ...
 *
 * What comes first in its code, the load of the dict or the test of that flag, no compiler swaps: the
 * load may touch memory that the test guards.
 */
#include "layout/cpython_impl.h"

enum { CODE_MOST = 96 };

/* mov -0x18(reg),reg of 64 bits: REX.W 8b, a mod/rm byte with an 8-bit displacement. */
static bool loads_dict(const uint8_t *p, uint8_t away)
{
	return (p[0] & 0xf8) == 0x48 && p[1] == 0x8b && (p[2] & 0xc0) == 0x40 && (p[2] & 7) != 4 &&
	       (p[2] & 7) != 5 && p[3] == away;
}

/* test $4,%al; test $4,reg; and $4,reg */
static bool tests_inline(const uint8_t *p, uint8_t flag)
{
	return (p[0] == 0xa8 && p[1] == flag) ||
	       (p[0] == 0xf6 && (p[1] & 0xf8) == 0xc0 && p[2] == flag) ||
	       (p[0] == 0x83 && (p[1] & 0xf8) == 0xe0 && p[2] == flag);
}

bool cpython_build_visits_dict(const struct image *img, const struct debuginfo *di,
			       const struct cpython *py, const struct cpython_layout *row,
			       unsigned micro)
{
	const uint8_t since = row->visit->dict_visits_inline_since;
	const uint8_t away = (uint8_t)-row->object.managed_dict;
	const uint8_t flag = (uint8_t)row->type.flag.inline_values;
	uint8_t code[CODE_MOST];
	if (since == CPYTHON_NEVER || since == 0)
		return since == 0;
	uint64_t at = cpython_symbol(py, di, "PyObject_VisitManagedDict");
	if (at && img->machine == MACHINE_X86_64 && image_try_read(img, at, code, sizeof(code)))
		for (unsigned i = 0; i + 4 <= sizeof(code); i++) {
			if (loads_dict(code + i, away))
				return true;
			if (tests_inline(code + i, flag))
				return false;
		}
	return micro >= since;
}
