/*
 * names: first names for blocks that no runtime knows. Cheap and honest: a guess that may be wrong
 * more than now and then is not made.
 *
 *	zeroes		every byte of it is zero
 *	-> symbol	its first word is the address of a named function or object (a table of
 *			operations, a callback); value says in which module
 *	pointer array	four words at least, each (but the last, which may be slack) 0 or the start
 *			of a block, half of them pointers. Of a large one 256 words are looked at.
 *			Mistakes: a struct of nothing but pointers.
 *	text (UTF-8)	begins with four characters at least, up to a NUL or to the block's end;
 *			what follows the NUL is slack, or little against the text, and holds no
 *			pointers. Mistakes: a small struct that begins with a name; numbers that
 *happen to be four letters.
 *	text (UTF-16)	the same for characters of two bytes, little-endian, of the scripts that
 *			people write in. Mistakes: an array of small 16-bit numbers from 32 up.
 *
 * The blocks are looked at in parallel, one byte of verdict each; values are made afterwards, in
 * address order, so that the same input gives the same string ids. Of VALUES_MOST texts a preview
 *is kept.
 */
#include "base/base_name.h"
#include "runtime/native/native.h"

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/huge.h"
#include "base/parallel.h"
#include "runtime/native/firstword.h"
#include "runtime/native/words.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	TEXT_LEAST = 4,	   /* characters */
	TEXT_CLEAR = 8,	   /* so many in a row are no accident */
	TEXT_LOOK = 256,   /* bytes of a block that are looked at for text */
	TEXT_PREVIEW = 80, /* bytes of a preview */
	POINTERS_LEAST = 4,
	POINTERS_LOOK = 256,
	SLICE_GRAIN = 1 << 14,
	NAMES_AHEAD = 16, /* blocks */
	VALUES_MOST = 1 << 20,
};

enum name_kind {
	NAME_NONE,
	NAME_ZEROES,
	NAME_POINTERS,
	NAME_UTF8,
	NAME_UTF16,
	NAME_KINDS,
};

struct names_job {
	struct runtime_context *ctx;
	const uint32_t *first_word; /* of first_words */
	uint8_t *kind;		    /* enum name_kind of each object */
	uint64_t lo, hi;	    /* all blocks are in [lo, hi) */
};

/* ---- text ---- */

static bool is_plain(uint32_t c)
{
	return (c >= 0x20 && c < 0x7f) || (c >= '\t' && c <= '\r') || c == 0x1b;
}

/* Length of the character at p, at most `len` bytes; 0: none that a text has. */
static unsigned utf8_char(const uint8_t *p, uint64_t len, uint32_t *ret)
{
	uint32_t c = p[0];
	if (c < 0x80) {
		*ret = c;
		return is_plain(c);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = c >= 0xc2 && c < 0xe0   ? 2
		     : c >= 0xe0 && c < 0xf0 ? 3
		     : c >= 0xf0 && c < 0xf5 ? 4
					     : 0;
	if (!n || n > len)
		return 0;
	c &= 0x7fu >> n;
	for (unsigned i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) || (c >= 0x80 && c < 0xa0))
		return 0;
	*ret = c;
	return n;
}

/* Bytes of the text that p begins with, up to a NUL or the end; *chars. 0: it is none. */
static uint64_t utf8_text(const uint8_t *p, uint64_t len, uint64_t *chars)
{
	uint64_t at = 0;
	*chars = 0;
	while (at < len && p[at]) {
		uint32_t c;
		unsigned n = utf8_char(p + at, len - at, &c);
		if (!n) {
			/* Cut in the middle of a character by our own limit. */
			if (len == TEXT_LOOK && len - at < 4 && p[at] >= 0xc2)
				break;
			return 0;
		}
		at += n;
		++*chars;
	}
	return at;
}

/* Scripts; what a random word rarely is. */
static bool utf16_unit(uint32_t c)
{
	return is_plain(c) || (c >= 0xa0 && c < 0x250) || (c >= 0x370 && c < 0x600) ||
	       (c >= 0x2010 && c < 0x2028) || c == 0x20ac || (c >= 0x3000 && c < 0x3100) ||
	       (c >= 0x4e00 && c < 0xa000) || (c >= 0xac00 && c < 0xd7a4);
}

static uint64_t utf16_text(const uint8_t *p, uint64_t len, uint64_t *chars)
{
	uint64_t at = 0, latin = 0;
	for (; at + 2 <= len; at += 2) {
		uint32_t c = p[at] | (uint32_t)p[at + 1] << 8;
		if (!c)
			break;
		if (!utf16_unit(c))
			return 0;
		latin += c < 0x250;
	}
	*chars = at / 2;
	/* Every second byte of 8-bit text, too, may be a character of some script. */
	return latin * 2 >= *chars || *chars >= TEXT_CLEAR * 2 ? at : 0;
}

/* Is what follows the text slack, as far as one can tell? */
static bool text_ends_block(const struct names_job *job, const uint8_t *p, uint64_t len,
			    uint64_t used, uint64_t chars)
{
	const struct snapshot *s = job->ctx->snapshot;
	const uint32_t ws = job->ctx->image->word_size;
	if (used >= len)
		return true;
	if (chars < TEXT_CLEAR && used * 4 < len && len > 32)
		return false;
	uint64_t at = align_down(used + ws, ws);
	/* The last word is the next chunk's prev_size, half the time: never looked at. */
	for (; at + 2 * (uint64_t)ws <= len; at += ws)
		if (snapshot_object_find(s, image_word_at(job->ctx->image, p + at)))
			return false;
	return true;
}

static enum name_kind text_kind(const struct names_job *job, const uint8_t *p, uint64_t len)
{
	if (len > TEXT_LOOK)
		len = TEXT_LOOK;
	uint64_t chars, used = utf8_text(p, len, &chars);
	enum name_kind kind = NAME_UTF8;
	if (chars < TEXT_LEAST || !used) {
		used = utf16_text(p, len, &chars);
		kind = NAME_UTF16;
	}
	if (chars < TEXT_LEAST || !used)
		return NAME_NONE;
	/* A pointer may look like six letters. */
	if (used < TEXT_CLEAR) {
		uint64_t word = image_word_at(job->ctx->image, p);
		if (image_segment_find(job->ctx->image, word))
			return NAME_NONE;
	}
	return text_ends_block(job, p, len, used + 1, chars) ? kind : NAME_NONE;
}

/* ---- pointers and zeroes ---- */

/* Holes are zeroes; what is missing is not known. */
static bool all_zero(const struct names_job *job, uint64_t at, uint64_t end)
{
	uint32_t span = 0;
	while (at < end) {
		const struct image_span *s = words_span_at(job->ctx->image, &span, at);
		if (!s)
			return false;
		uint64_t stop = s->end < end ? s->end : end;
		const uint8_t *p = s->data + (at - s->start);
		if (s->origin != SPAN_ZERO && (p[0] || memcmp(p, p + 1, stop - at - 1)))
			return false;
		at = stop;
	}
	return true;
}

/* Without looking anything up, which would cost a cache miss or two for every other block. */
static bool may_be_element(const struct names_job *job, const uint8_t *p)
{
	uint64_t word = image_word_at(job->ctx->image, p);
	return !word ||
	       (word % job->ctx->image->word_size == 0 && word - job->lo < job->hi - job->lo);
}

/* A word of an array: 0, or the start of a block. */
static bool is_element(const struct names_job *job, const uint8_t *p, uint64_t *pointers)
{
	const struct snapshot *s = job->ctx->snapshot;
	uint64_t word = image_word_at(job->ctx->image, p);
	if (!word)
		return true;
	uint32_t id = snapshot_object_find(s, word);
	if (!id || s->object.address[id - 1] != word)
		return false;
	++*pointers;
	return true;
}

static bool enough_pointers(uint64_t pointers, uint64_t looked)
{
	return pointers >= POINTERS_LEAST && pointers * 2 >= looked;
}

static bool is_pointer_array(const struct names_job *job, const uint8_t *p, uint64_t len)
{
	const uint32_t ws = job->ctx->image->word_size;
	uint64_t n = len / ws, pointers = 0, looked = 0;
	if (n < POINTERS_LEAST)
		return false;
	/* All but the last; of many, evenly spread ones. */
	uint64_t step = n > POINTERS_LOOK ? n / POINTERS_LOOK : 1;
	for (unsigned i = 0; i + 1 < POINTERS_LEAST; i++)
		if (!may_be_element(job, p + i * ws))
			return false;
	for (uint64_t i = 0; i + 1 < n; i += step, looked++) {
		if (!may_be_element(job, p + i * ws))
			return false;
		pointers += image_word_at(job->ctx->image, p + i * ws) != 0;
	}
	if (!enough_pointers(pointers + 1, looked))
		return false;
	pointers = 0;
	for (uint64_t i = 0; i + 1 < n; i += step)
		if (!is_element(job, p + i * ws, &pointers))
			return false;
	uint64_t last = pointers;
	if (!is_element(job, p + (n - 1) * ws, &last))
		last = pointers;
	return enough_pointers(last, looked);
}

/* Blocks begin at no regular distance, which is what processors fetch ahead by themselves. */
static inline void names_prefetch(const struct object_table *o, uint32_t i,
				  const struct image_span *span)
{
	if (o->n - i <= NAMES_AHEAD)
		return;
	uint64_t ahead = o->address[i + NAMES_AHEAD] - span->start;
	if (ahead < span->end - span->start)
		__builtin_prefetch(span->data + ahead);
}

static enum name_kind name_kind_of(const struct names_job *job, uint32_t *span, uint32_t i)
{
	const struct image *img = job->ctx->image;
	const struct object_table *o = &job->ctx->snapshot->object;
	const uint64_t at = o->address[i], size = object_room(o, i);
	const struct image_span *s = words_span_at(img, span, at);
	if (!s || size < img->word_size)
		return NAME_NONE;
	const uint8_t *p = s->data + (at - s->start);
	uint64_t len = s->end - at < size ? s->end - at : size;
	names_prefetch(o, i, s);
	if (len < img->word_size)
		return NAME_NONE;
	if (!image_word_at(img, p)) {
		if (all_zero(job, at, at + size))
			return NAME_ZEROES;
		return is_pointer_array(job, p, len) ? NAME_POINTERS : NAME_NONE;
	}
	if (p[0] && (is_plain(p[0]) || p[0] >= 0x80)) {
		enum name_kind kind = text_kind(job, p, len);
		if (kind != NAME_NONE)
			return kind;
	}
	return is_pointer_array(job, p, len) ? NAME_POINTERS : NAME_NONE;
}

static struct error *names_slice(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	const struct names_job *job = arg;
	const struct object_table *o = &job->ctx->snapshot->object;
	uint32_t span = 0;
	(void)slice;
	for (uint64_t i = first; i < end; i++)
		if (!o->type_id[i] && !job->first_word[i])
			job->kind[i] = (uint8_t)name_kind_of(job, &span, (uint32_t)i);
	return NULL;
}

/* ---- values ---- */

/* Text as it is, control characters as C writes them, cut at a whole character. */
struct preview {
	char text[TEXT_PREVIEW + 8];
	size_t len;
};

static bool preview_char(struct preview *v, uint32_t c)
{
	char out[8];
	size_t n = 0;
	if (c == '\n' || c == '\t' || c == '\r' || c == '\\') {
		out[n++] = '\\';
		out[n++] = c == '\n' ? 'n' : c == '\t' ? 't' : c == '\r' ? 'r' : '\\';
	} else if (c < 0x20) {
		n = (size_t)snprintf(out, sizeof(out), "\\x%02x", c);
	} else if (c < 0x80) {
		out[n++] = (char)c;
	} else if (c < 0x800) {
		out[n++] = (char)(0xc0 | c >> 6);
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[n++] = (char)(0xe0 | c >> 12);
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		out[n++] = (char)(0xf0 | c >> 18);
		out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (c & 0x3f));
	}
	if (v->len + n > TEXT_PREVIEW - 3)
		return false;
	memcpy(v->text + v->len, out, n);
	v->len += n;
	return true;
}

static void preview_text(struct preview *v, enum name_kind kind, const uint8_t *p, uint64_t len)
{
	bool whole = true;
	v->len = 0;
	for (uint64_t at = 0; at < len && whole;) {
		uint32_t c = 0;
		unsigned n = 2;
		if (kind == NAME_UTF8)
			n = p[at] ? utf8_char(p + at, len - at, &c) : 0;
		else if (at + 2 <= len)
			c = p[at] | (uint32_t)p[at + 1] << 8;
		if (!n || !c)
			break;
		at += n;
		whole = preview_char(v, c);
	}
	if (!whole) {
		memcpy(v->text + v->len, "...", 3);
		v->len += 3;
	}
}

static struct error *value_set(struct snapshot *s, uint32_t i, const char *text, size_t len)
{
	if (!s->object.value) {
		s->object.value = huge_zalloc(s->object.n, sizeof(*s->object.value));
		if (!s->object.value)
			return &error_nomem;
	}
	return intern_add(&s->strings, text, len, &s->object.value[i]);
}

static struct error *names_assign(struct names_job *job)
{
	static const char *const name[NAME_KINDS] = {
		[NAME_ZEROES] = "zeroes",
		[NAME_POINTERS] = "pointer array",
		[NAME_UTF8] = "text (UTF-8)",
		[NAME_UTF16] = "text (UTF-16)",
	};
	struct snapshot *s = job->ctx->snapshot;
	const struct image *img = job->ctx->image;
	uint32_t type[NAME_KINDS] = {0}, span = 0, values = 0;
	struct error *err = NULL;
	for (uint32_t i = 0; i < s->object.n && !err; i++) {
		enum name_kind kind = job->kind[i];
		if (kind == NAME_NONE)
			continue;
		if (!type[kind])
			err = snapshot_add_type(s, "", name[kind], "", &type[kind]);
		s->object.type_id[i] = type[kind];
		if (err || (kind != NAME_UTF8 && kind != NAME_UTF16) || values == VALUES_MOST)
			continue;
		uint64_t at = s->object.address[i];
		const struct image_span *from = words_span_at(img, &span, at);
		if (!from)
			continue;
		uint64_t len = from->end - at;
		if (len > object_room(&s->object, i))
			len = object_room(&s->object, i);
		struct preview v;
		preview_text(&v, kind, from->data + (at - from->start), len);
		err = value_set(s, i, v.text, v.len);
		values++;
	}
	if (values == VALUES_MOST)
		log_info(job->ctx->log, "names: previews of the first %u texts only", values);
	return err;
}

/* ---- first words that are symbols ---- */

struct symbol_name {
	uint32_t type, value; /* type id, string */
};

static struct error *symbol_name(struct runtime_context *ctx, uint64_t word,
				 struct symbol_name *ret)
{
	struct debuginfo_symbol sym;
	/* Only what the symbol names exactly: the middle of a function is a return address. */
	if (!debuginfo_symbol_at(ctx->debuginfo, word, &sym) || sym.start != word || !sym.name ||
	    !*sym.name || !sym.module_id)
		return NULL;
	const char *module = base_name(image_module_get(ctx->image, sym.module_id)->path);
	char text[512];
	snprintf(text, sizeof(text), "-> %.500s", sym.name);
	struct error *err = snapshot_add_type(ctx->snapshot, "", text, module, &ret->type);
	if (err)
		return err;
	snprintf(text, sizeof(text), "-> %.200s!%.300s", module, sym.name);
	return intern_str(&ctx->snapshot->strings, text, &ret->value);
}

static struct error *names_symbols(struct runtime_context *ctx, const struct first_words *fw)
{
	struct snapshot *s = ctx->snapshot;
	if (!ctx->debuginfo || !fw->n)
		return NULL;
	_cleanup_free_ struct symbol_name *name = calloc(fw->n, sizeof(*name));
	if (!name)
		return &error_nomem;
	struct error *err = NULL;
	for (uint32_t i = 0; i < fw->n && !err; i++)
		err = symbol_name(ctx, fw->value[i], &name[i]);
	for (uint32_t i = 0; i < s->object.n && !err; i++) {
		if (!fw->of[i] || s->object.type_id[i])
			continue;
		const struct symbol_name *n = &name[fw->of[i] - 1];
		if (!n->type)
			continue;
		s->object.type_id[i] = n->type;
		if (!s->object.value) {
			s->object.value = huge_zalloc(s->object.n, sizeof(*s->object.value));
			if (!s->object.value)
				return &error_nomem;
		}
		s->object.value[i] = n->value;
	}
	return err;
}

struct error *native_names(struct runtime_context *ctx)
{
	const uint32_t n = ctx->snapshot->object.n;
	struct first_words fw;
	struct error *err = first_words_find(ctx, &fw);
	if (err)
		return err;
	_cleanup_free_ uint8_t *kind = huge_zalloc((uint64_t)n + 1, sizeof(*kind));
	struct names_job job = {.ctx = ctx, .first_word = fw.of, .kind = kind};
	snapshot_bounds(ctx->snapshot, &job.lo, &job.hi);
	if (!kind)
		err = &error_nomem;
	if (!err)
		err = parallel_for(n, parallel_slices(n, SLICE_GRAIN), names_slice, &job);
	if (!err)
		err = names_symbols(ctx, &fw);
	if (!err)
		err = names_assign(&job);
	first_words_deinit(&fw);
	return err;
}
