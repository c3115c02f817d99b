/*
 * cxx: objects that begin with a vtable.
 *
 * Itanium C++ ABI 2.5.2 and 2.9.5: a polymorphic object begins with the address point of its
 *class's vtable. Before the address point lie
 *
 *	[-2] offset to top	0 in the primary vtable: the object begins here
 *	[-1] typeinfo		NULL without RTTI, else
 *					[0] vtable of the typeinfo's own class
 *					[1] name: mangled, "3Foo"; "*3Foo" where it is local
 *	[ 0] first virtual function (or NULL: pure, or left out)
 *
 * The name is read from the dump or from the binary; where neither has it (a dump without file
 *pages, no binary), a symbol "vtable for Foo" at the place says the same. Mistakes to expect: a
 *block that was freed and reused without being written still begins with its last object's vtable.
 */
#include "base/base_name.h"
#include "runtime/runtime.h"

#include "base/cleanup.h"
#include "runtime/native/firstword.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

enum { NAME_MOST = 1024 };

/* "N3zoo4birdE" -> "zoo::bird"; malloc'ed, NULL: it is no type's name. */
static char *type_name(const char *mangled)
{
	static const char prefix[] = "typeinfo name for ";
	char raw[NAME_MOST + 8];
	if (*mangled == '*')
		mangled++;
	/* A mangled type begins with a length, N (nested), S (std::) or a builtin's letter. */
	if (!isalnum((unsigned char)*mangled))
		return NULL;
	for (const char *p = mangled; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_.$", *p))
			return NULL;
	snprintf(raw, sizeof(raw), "_ZTS%s", mangled);
	_cleanup_free_ char *shown = debuginfo_demangle(raw);
	if (!shown || strncmp(shown, prefix, sizeof(prefix) - 1))
		return NULL;
	return strdup(shown + sizeof(prefix) - 1);
}

static bool in_module(const struct image *img, uint64_t addr)
{
	const struct image_segment *seg = image_segment_find(img, addr);
	return seg && seg->module_id;
}

/* By RTTI. */
static char *class_by_typeinfo(const struct image *img, uint64_t vtable)
{
	const uint64_t ws = img->word_size;
	uint64_t top, info, meta, at, function;
	if (vtable % ws || vtable < 2 * ws || !image_try_word(img, vtable - 2 * ws, &top) || top ||
	    !image_try_word(img, vtable - ws, &info) || info % ws || !in_module(img, info))
		return NULL;
	if (!image_try_word(img, info, &meta) || meta % ws || !in_module(img, meta) ||
	    !image_try_word(img, info + ws, &at) || !in_module(img, at))
		return NULL;
	if (image_try_word(img, vtable, &function) && function && !in_module(img, function))
		return NULL;
	char mangled[NAME_MOST + 1];
	if (!image_try_string(img, at, mangled, NAME_MOST) || strlen(mangled) == NAME_MOST)
		return NULL;
	return type_name(mangled);
}

/* By symbol: "vtable for X" begins two words before the address point. */
static char *class_by_symbol(const struct runtime_context *ctx, uint64_t vtable)
{
	static const char prefix[] = "vtable for ";
	struct debuginfo_symbol sym;
	if (!ctx->debuginfo || !debuginfo_symbol_at(ctx->debuginfo, vtable, &sym) || !sym.name ||
	    strncmp(sym.name, prefix, sizeof(prefix) - 1) ||
	    vtable - sym.start != 2 * (uint64_t)ctx->image->word_size)
		return NULL;
	return strdup(sym.name + sizeof(prefix) - 1);
}

static struct error *cxx_objects(struct runtime_context *ctx)
{
	struct snapshot *s = ctx->snapshot;
	struct first_words fw;
	struct error *err = first_words_find(ctx, &fw);
	if (err)
		return err;
	_cleanup_free_ uint32_t *type = calloc((size_t)fw.n + 1, sizeof(*type));
	if (!type)
		err = &error_nomem;
	uint32_t classes = 0;
	for (uint32_t i = 0; i < fw.n && !err; i++) {
		_cleanup_free_ char *name = class_by_typeinfo(ctx->image, fw.value[i]);
		if (!name)
			name = class_by_symbol(ctx, fw.value[i]);
		if (!name)
			continue;
		uint32_t module = image_module_find(ctx->image, fw.value[i]);
		err = snapshot_add_type(
			s, "C++", name,
			module ? base_name(image_module_get(ctx->image, module)->path) : "",
			&type[i]);
		classes++;
	}
	uint64_t typed = 0;
	for (uint32_t i = 0; i < s->object.n && !err; i++) {
		if (!fw.of[i] || !type[fw.of[i] - 1] || s->object.type_id[i])
			continue;
		s->object.type_id[i] = type[fw.of[i] - 1];
		typed++;
	}
	first_words_deinit(&fw);
	if (!err)
		log_info(ctx->log, "C++: %" PRIu32 " classes, %" PRIu64 " objects", classes, typed);
	return err;
}

const struct runtime runtime_cxx = {.name = "cxx", .objects = cxx_objects};
