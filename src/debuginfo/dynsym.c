/*
 * The dynamic symbols as they lie in the dump: PT_DYNAMIC names the symbol table and its strings, a
 * hash table tells how many there are (System V gABI chapter 5; DT_GNU_HASH as in binutils 2.40
 * bfd/elflink.c). All of it is foreign: each symbol is read on its own, the walk ends with the
 * first that cannot be read.
 */
#include "debuginfo/debuginfo_impl.h"

#include "base/checked.h"

#include <elf.h>
#include <string.h>

enum {
	DYNAMIC_MAX = 4096, /* entries; the largest libraries have some forty */
	SYMBOLS_MAX = 1 << 22,
	NAME_MAX_BYTES = 4096,
};

struct dynsym {
	uint64_t symtab, strtab, strsz, syment, hash, gnu_hash;
};

/* glibc relocates the table's addresses in place (elf/get-dynamic-info.h); the vdso's and musl's
 * stay the file's. */
static uint64_t dynsym_address(const struct image_module *mod, uint64_t v)
{
	if (!v || (v >= mod->start && v < mod->end))
		return v;
	return v + mod->bias;
}

static bool dynsym_find(const struct image *img, const struct image_module *mod, struct dynsym *d)
{
	*d = (struct dynsym){0};
	if (!mod->dynamic)
		return false;
	uint32_t w = img->word_size;
	for (unsigned i = 0; i < DYNAMIC_MAX; i++) {
		uint64_t tag, v, at = mod->dynamic + 2 * (uint64_t)w * i;
		if (!image_try_word(img, at, &tag) || !image_try_word(img, at + w, &v))
			break;
		if (tag == DT_NULL)
			break;
		if (tag == DT_SYMTAB)
			d->symtab = dynsym_address(mod, v);
		else if (tag == DT_STRTAB)
			d->strtab = dynsym_address(mod, v);
		else if (tag == DT_STRSZ)
			d->strsz = v;
		else if (tag == DT_SYMENT)
			d->syment = v;
		else if (tag == DT_HASH)
			d->hash = dynsym_address(mod, v);
		else if (tag == DT_GNU_HASH)
			d->gnu_hash = dynsym_address(mod, v);
	}
	uint64_t size = w == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	return d->symtab && d->strtab && d->strsz && d->syment == size;
}

/*
 * DT_GNU_HASH: nbuckets, first symbol, words of the filter, shift; the filter; the buckets; chains.
 * The last symbol is at the end of the chain that begins last.
 */
static uint32_t dynsym_gnu_count(const struct image *img, uint64_t at)
{
	uint32_t nbucket, first, filter, last = 0;
	if (!image_try_u32(img, at, &nbucket) || !image_try_u32(img, at + 4, &first) ||
	    !image_try_u32(img, at + 8, &filter) || nbucket > SYMBOLS_MAX || filter > SYMBOLS_MAX)
		return 0;
	uint64_t bucket = at + 16 + (uint64_t)filter * img->word_size;
	for (uint32_t i = 0; i < nbucket; i++) {
		uint32_t v;
		if (!image_try_u32(img, bucket + 4 * (uint64_t)i, &v))
			return 0;
		if (v > last)
			last = v;
	}
	if (last < first)
		return first; /* nothing is exported; what comes before is imported */
	uint64_t chain = bucket + 4 * (uint64_t)nbucket;
	for (; last < SYMBOLS_MAX; last++) {
		uint32_t v;
		if (!image_try_u32(img, chain + 4 * (uint64_t)(last - first), &v))
			return last;
		if (v & 1)
			return last + 1;
	}
	return SYMBOLS_MAX;
}

static uint32_t dynsym_count(const struct image *img, const struct dynsym *d)
{
	uint32_t n = 0;
	if (d->hash && image_try_u32(img, d->hash + 4, &n) && n)
		return n < SYMBOLS_MAX ? n : SYMBOLS_MAX;
	return d->gnu_hash ? dynsym_gnu_count(img, d->gnu_hash) : 0;
}

uint32_t dynsym_walk(const struct image *img, const struct image_module *mod, dynsym_fn fn,
		     void *arg)
{
	struct dynsym d;
	if (!dynsym_find(img, mod, &d))
		return 0;
	uint32_t n = dynsym_count(img, &d), seen = 0;
	for (uint32_t i = 1; i < n; i++) {
		uint64_t at = d.symtab + i * d.syment, value, size;
		uint32_t name;
		uint8_t info;
		uint16_t shndx;
		if (img->word_size == 8) {
			Elf64_Sym s;
			if (!image_try_read(img, at, &s, sizeof(s)))
				break;
			name = s.st_name, info = s.st_info, shndx = s.st_shndx;
			value = s.st_value, size = s.st_size;
		} else {
			Elf32_Sym s;
			if (!image_try_read(img, at, &s, sizeof(s)))
				break;
			name = s.st_name, info = s.st_info, shndx = s.st_shndx;
			value = s.st_value, size = s.st_size;
		}
		char text[NAME_MAX_BYTES];
		if (name >= d.strsz ||
		    !image_try_string(img, d.strtab + name, text, sizeof(text) - 1))
			continue;
		seen++;
		if (!fn(arg, text, mod->bias + value, size, info, shndx))
			break;
	}
	return seen;
}
