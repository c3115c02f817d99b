/*
 * resolve: which CPython is in a process.
 *
 *	where	the exported PyType_Type; else, in a module's writable data, an object whose type is
 *		itself, of a size and with flags that only `type` has
 *	which	Py_Version (3.11), the interpreter's own debug offsets (3.13), the text that
 *		Py_GetVersion made in .bss, else the size of type objects, which all but two
 *		versions have for themselves
 *
 * A process may have several: a program with one in it loads a library that is linked with another.
 *
 * Whatever says which version it is, `type` must be as big as that version's row says.
 */
#include "layout/cpython_impl.h"

#include "base/checked.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	COOKIE_VERSION = 8, /* Include/internal/pycore_debug_offsets.h, _Py_DebugOffsets */
	COOKIE_FREE_THREADED = 16,
	/* In words, of PyTypeObject: 2.7 to 3.15 */
	TYPE_BASICSIZE = 4,
	TYPE_ITEMSIZE = 5,
	TYPE_FLAGS = 21,
	MEMBER_DEF = 5,	       /* tp_itemsize of `type`: sizeof PyMemberDef */
	TYPE_SIZE_LEAST = 100, /* of a heap type; what `type` says of its instances */
	TYPE_SIZE_MOST = 250,
	DATA_MOST = 64 << 20, /* bytes of a module's data that are looked through */
};

/* READY, TYPE_SUBCLASS */
#define TYPE_FLAGS_MUST (UINT32_C(1) << 31 | UINT32_C(1) << 12)

/*
 * What precedes the count, in words: nothing; links to all other objects (--with-trace-refs, to
 * 3.12); with the count, what a thread owns, its locks and a second count (--disable-gil, 3.13).
 */
enum head { HEAD_PLAIN = 0, HEAD_LONG = 2 };

struct type_type {
	uint32_t module_id;
	uint64_t address, basicsize;
	enum head head;
};

struct version {
	unsigned major, minor, micro;
	const char *how;
};

static bool is_type_type(const struct image *img, uint64_t addr, enum head head,
			 struct type_type *ret)
{
	const uint64_t w = img->word_size, at = addr + head * w;
	uint64_t type, itemsize, flags;
	ret->address = addr;
	ret->head = head;
	return image_try_word(img, at + w, &type) && type == addr &&
	       image_try_word(img, at + TYPE_ITEMSIZE * w, &itemsize) &&
	       itemsize == MEMBER_DEF * w && image_try_word(img, at + TYPE_FLAGS * w, &flags) &&
	       (flags & TYPE_FLAGS_MUST) == TYPE_FLAGS_MUST &&
	       image_try_word(img, at + TYPE_BASICSIZE * w, &ret->basicsize) &&
	       ret->basicsize >= TYPE_SIZE_LEAST * w && ret->basicsize <= TYPE_SIZE_MOST * w;
}

static bool data_range(const struct image_module *m, uint64_t *start, uint64_t *end)
{
	*start = align_down(m->data_start + 7, 8);
	*end = m->data_end;
	if (*start >= *end)
		return false;
	if (*end - *start > DATA_MOST)
		*end = *start + DATA_MOST;
	return true;
}

/* By structure: a word that is its own address less a head. */
static bool type_type_search(const struct image *img, const struct image_module *m,
			     struct type_type *ret)
{
	const uint64_t w = img->word_size;
	uint64_t at, end, len;
	if (!data_range(m, &at, &end))
		return false;
	const uint8_t *p;
	for (; (p = image_next_data(img, &at, end, &len)); at += len) {
		for (uint64_t i = (w - at % w) % w; i + w <= len; i += w) {
			const uint64_t before = at + i - image_word_at(img, p + i);
			if ((before == (HEAD_PLAIN + 1) * w &&
			     is_type_type(img, at + i - before, HEAD_PLAIN, ret)) ||
			    (before == (HEAD_LONG + 1) * w &&
			     is_type_type(img, at + i - before, HEAD_LONG, ret)))
				return true;
		}
	}
	return false;
}

static uint64_t module_symbol(const struct debuginfo *di, uint32_t module_id, const char *name)
{
	struct debuginfo_symbol sym;
	return di && debuginfo_symbol_find(di, module_id, name, &sym) ? sym.start : 0;
}

uint64_t cpython_symbol(const struct cpython *py, const struct debuginfo *di, const char *name)
{
	return module_symbol(di, py->module_id, name);
}

static bool version_of_hex(uint64_t hex, const char *how, struct version *ret)
{
	*ret = (struct version){hex >> 24 & 0xff, hex >> 16 & 0xff, hex >> 8 & 0xff, how};
	return hex >> 32 == 0 && ret->major >= 2 && ret->major <= 9;
}

/* _PyRuntime begins with its own description. */
static bool is_cookie(const struct image *img, uint64_t addr)
{
	char cookie[8];
	return image_try_read(img, addr, cookie, 8) && !memcmp(cookie, "xdebugpy", 8);
}

static uint64_t cookie_search(const struct image *img, const struct image_module *m)
{
	uint64_t at, end, len;
	if (!data_range(m, &at, &end))
		return 0;
	const uint8_t *p;
	for (; (p = image_next_data(img, &at, end, &len)); at += len)
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len; i += 8)
			if (!memcmp(p + i, "xdebugpy", 8))
				return at + i;
	return 0;
}

static const uint8_t *number_at(const uint8_t *p, const uint8_t *end, unsigned *ret)
{
	const uint8_t *start = p;
	for (*ret = 0; p < end && *p >= '0' && *p <= '9' && p - start < 3; p++)
		*ret = *ret * 10 + (unsigned)(*p - '0');
	return p > start ? p : NULL;
}

/* "3.9.2 (default, ...": Python/getversion.c, Py_GetVersion. */
static bool version_text(const uint8_t *p, const uint8_t *end, struct version *ret)
{
	*ret = (struct version){.how = "its version text"};
	if (!(p = number_at(p, end, &ret->major)) || p == end || *p++ != '.' ||
	    !(p = number_at(p, end, &ret->minor)) || p == end || *p++ != '.' ||
	    !(p = number_at(p, end, &ret->micro)))
		return false;
	while (p < end && (*p == '+' || (*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'r')))
		p++;
	return end - p >= 2 && p[0] == ' ' && p[1] == '(';
}

static bool version_search(const struct image *img, const struct image_module *m,
			   struct version *ret)
{
	uint64_t at, end, len;
	if (!data_range(m, &at, &end))
		return false;
	const uint8_t *p;
	for (; (p = image_next_data(img, &at, end, &len)); at += len)
		for (uint64_t i = 0; i + 8 <= len; i++)
			if ((p[i] == '2' || p[i] == '3') && p[i + 1] == '.' && (!i || !p[i - 1]) &&
			    version_text(p + i, p + (len - i < 24 ? len : i + 24), ret))
				return true;
	return false;
}

static const struct cpython_layout *row_find(unsigned major, unsigned minor)
{
	for (unsigned i = 0; i < cpython_nlayouts; i++)
		if (cpython_layouts[i]->major == major && cpython_layouts[i]->minor == minor)
			return cpython_layouts[i];
	return NULL;
}

/* The only row with types of this size. */
static const struct cpython_layout *row_by_size(uint64_t basicsize)
{
	const struct cpython_layout *found = NULL;
	for (unsigned i = 0; i < cpython_nlayouts; i++) {
		if (cpython_layouts[i]->type_basicsize != basicsize)
			continue;
		if (found)
			return NULL;
		found = cpython_layouts[i];
	}
	return found;
}

static bool version_find(const struct image *img, const struct debuginfo *di,
			 const struct cpython *py, uint64_t basicsize, struct version *ret)
{
	uint64_t at, hex;
	if ((at = cpython_symbol(py, di, "Py_Version")) && image_try_word(img, at, &hex) &&
	    version_of_hex(hex, "Py_Version", ret))
		return true;
	if (py->runtime && is_cookie(img, py->runtime) &&
	    image_try_u64(img, py->runtime + COOKIE_VERSION, &hex) &&
	    version_of_hex(hex, "its debug offsets", ret))
		return true;
	if (version_search(img, image_module_get(img, py->module_id), ret))
		return true;
	const struct cpython_layout *row = row_by_size(basicsize);
	if (!row)
		return false;
	*ret = (struct version){row->major, row->minor, UINT32_MAX, "the size of its types"};
	return true;
}

__attribute__((format(printf, 3, 4))) static bool refuse(struct damage_log *damage, uint64_t addr,
							 const char *fmt, ...)
{
	char why[200];
	va_list ap;
	if (!damage)
		return false;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	damage_add(damage, DAMAGE_MISSING, addr,
		   "this process has a Python interpreter that cannot be read: %s. Its objects "
		   "stay raw blocks; what is native in the process is complete",
		   why);
	return false;
}

static bool type_type_in(const struct image *img, const struct debuginfo *di, uint32_t id,
			 bool by_structure, struct type_type *ret)
{
	uint64_t at = module_symbol(di, id, "PyType_Type");
	*ret = (struct type_type){.module_id = id, .address = at};
	if (by_structure)
		return !at && type_type_search(img, image_module_get(img, id), ret);
	return at &&
	       (is_type_type(img, at, HEAD_PLAIN, ret) || is_type_type(img, at, HEAD_LONG, ret));
}

/*
 * The nth one: first those with the exported symbol, then those by structure. Where there is none: address
 * without basicsize, for what has the symbol but is not sound (or was never made ready: that is no interpreter
 * beside another one).
 */
static bool type_type_find(const struct image *img, const struct debuginfo *di, unsigned nth,
			   struct type_type *ret)
{
	struct type_type odd = {.module_id = 0};
	bool any = false;
	for (unsigned by_structure = 0; by_structure < 2; by_structure++) {
		for (uint32_t id = 1; id <= img->nmodule; id++) {
			if (type_type_in(img, di, id, by_structure, ret)) {
				if (!nth--)
					return true;
				any = true;
				continue;
			}
			if (!by_structure && ret->address && !odd.module_id)
				odd = (struct type_type){.module_id = id, .address = ret->address};
		}
	}
	*ret = odd;
	return odd.address && !nth && !any;
}

static void version_name(struct cpython *py, const struct version *v)
{
	py->how = v->how;
	if (v->micro == UINT32_MAX)
		snprintf(py->version, sizeof(py->version), "%u.%u", v->major, v->minor);
	else
		snprintf(py->version, sizeof(py->version), "%u.%u.%u", v->major, v->minor,
			 v->micro);
}

/* Builds whose objects are of other layouts. NULL: it is none of them. */
static const char *other_build(const struct image *img, const struct cpython *py,
			       const struct type_type *type)
{
	uint64_t free_threaded = 0;
	if (img->word_size != 8)
		return "is of 32 bits";
	if (py->runtime && is_cookie(img, py->runtime))
		image_try_u64(img, py->runtime + COOKIE_FREE_THREADED, &free_threaded);
	if (free_threaded)
		return "was built without the GIL (free-threaded)";
	if (type->head == HEAD_LONG)
		return "was built with --with-trace-refs";
	return NULL;
}

/* Newer than the newest row, and telling of itself in its order? */
static bool newer_find(const struct image *img, struct cpython *ret, const struct version *v)
{
	const struct cpython_layout *newest = cpython_layouts[cpython_nlayouts - 1];
	if (v->major < newest->major || (v->major == newest->major && v->minor < newest->minor) ||
	    !ret->runtime || !is_cookie(img, ret->runtime) ||
	    !cpython_described(img, ret->runtime, newest, &ret->own))
		return false;
	ret->newer = true;
	ret->layout = &ret->own;
	return true;
}

static bool refuse_newer(struct damage_log *damage, const struct cpython *py)
{
	if (damage)
		damage_add(
			damage, DAMAGE_MISSING, py->type_type,
			"this process has a Python interpreter that is newer than what is known "
			"here: it is CPython %s. What it tells of itself is used: its threads and "
			"their frames. Its objects stay raw blocks; what is native in the process "
			"is complete",
			py->version);
	return false;
}

bool cpython_resolve(const struct image *img, const struct debuginfo *di, struct damage_log *damage,
		     unsigned nth, struct cpython *ret)
{
	struct type_type type;
	struct version v;
	const char *odd;
	*ret = (struct cpython){.layout = NULL};
	if (!type_type_find(img, di, nth, &type))
		return false;
	ret->module_id = type.module_id;
	ret->type_type = type.address;
	ret->runtime = cpython_symbol(ret, di, "_PyRuntime");
	if (!ret->runtime)
		ret->runtime = cookie_search(img, image_module_get(img, ret->module_id));
	ret->none = cpython_symbol(ret, di, "_Py_NoneStruct");
	odd = other_build(img, ret, &type);
	bool told = version_find(img, di, ret, odd ? 0 : type.basicsize, &v);
	if (told)
		version_name(ret, &v);
	if (odd)
		return refuse(damage, ret->type_type, "CPython%s%s %s", told ? " " : "",
			      ret->version, odd);
	if (!type.basicsize)
		return refuse(damage, ret->type_type,
			      "its type objects are damaged, or missing from the dump");
	if (!told)
		return refuse(damage, ret->type_type, "its version could not be told");
	const struct cpython_layout *row = row_find(v.major, v.minor);
	if (!row && newer_find(img, ret, &v))
		return refuse_newer(damage, ret);
	if (!row)
		return refuse(damage, ret->type_type,
			      "it is CPython %s, whose layout is not known here", ret->version);
	if (row->type_basicsize != type.basicsize)
		return refuse(damage, ret->type_type,
			      "it calls itself CPython %s, but its types have %" PRIu64
			      " bytes instead of %u",
			      ret->version, type.basicsize, row->type_basicsize);
	ret->narrow = cpython_symbol(ret, di, "PyUnicodeUCS2_FromUnicode") !=
		      0; /* Include/unicodeobject.h */
	/* Include/object.h: exported with Py_REF_DEBUG alone, which Py_DEBUG implies (3.8 to 3.14). */
	ret->debug = cpython_symbol(ret, di, "_Py_NegativeRefcount") != 0;
	ret->dict_visits_inline = cpython_build_visits_dict(img, di, ret, row, v.micro);
	ret->layout = row;
	if (cpython_described(img, ret->runtime, row, &ret->own))
		ret->layout = &ret->own;
	return true;
}
