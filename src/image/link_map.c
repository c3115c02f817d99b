/*
 * link_map: the dynamic loader's list of what it mapped.
 *
 * The executable's DT_DEBUG holds the address of struct r_debug (elf/link.h of glibc, the same in
 * musl: an interface for debuggers):
 *
 *	r_debug   int r_version, link_map *r_map, r_brk, int r_state, r_ldbase,
 *	          and from version 2 (glibc 2.35) r_next, the next namespace
 *	link_map  l_addr, l_name, l_ld, l_next, l_prev, then what is the loader's own
 */
#include "image/image_impl.h"

#include <elf.h>
#include <inttypes.h>

enum {
	NAMESPACES_MAX = 64, /* glibc has 16 */
	DYNAMIC_MAX = 4096,
	LOADER_BYTES_MAX = 4 << 20, /* ld.so has 0.3 MiB; what is mapped right above it is near */
	LINK_MAP_WORDS = 320,	    /* struct link_map: 145 words in glibc 2.36; some to spare */
};

bool dynamic_find(const struct image *img, uint64_t dynamic, int64_t tag, uint64_t *ret)
{
	uint64_t word = img->word_size;
	for (unsigned i = 0; dynamic && i < DYNAMIC_MAX; i++) {
		uint64_t t;
		if (!image_try_word(img, dynamic + i * 2 * word, &t) || t == DT_NULL)
			return false;
		if (t == (uint64_t)tag)
			return image_try_word(img, dynamic + (i * 2 + 1) * word, ret);
	}
	return false;
}

/* Is there an r_debug whose last word is at addr? */
static bool is_r_debug(const struct image *img, uint64_t addr)
{
	uint64_t word = img->word_size, at = addr - 4 * word, base = img->process.at_base;
	uint32_t version, state;
	uint64_t map, brk, prev, name, ld;
	return image_try_u32(img, at, &version) && version >= 1 && version <= 2 &&
	       image_try_word(img, at + word, &map) && map &&
	       image_try_word(img, at + 2 * word, &brk) && brk >= base &&
	       brk - base < LOADER_BYTES_MAX && image_try_u32(img, at + 3 * word, &state) &&
	       state <= 2 && image_try_word(img, map + word, &name) &&
	       image_try_word(img, map + 2 * word, &ld) && ld &&
	       image_try_word(img, map + 4 * word, &prev) && !prev;
}

uint64_t r_debug_search(const struct image *img)
{
	uint64_t base = img->process.at_base, word = img->word_size, len;
	if (!base)
		return 0;
	/* r_ldbase is AT_BASE; a copy of that in other places is not preceded by the rest. */
	const uint8_t *p;
	for (uint64_t at = base, end = base + LOADER_BYTES_MAX;
	     (p = image_next_data(img, &at, end, &len)); at += len)
		for (uint64_t i = 0; i + word <= len; i += word)
			if (image_word_at(img, p + i) == base && is_r_debug(img, at + i))
				return at + i - 4 * word;
	return 0;
}

/* One namespace. Each node must name the one before it, so that no walk comes to a place twice. */
static struct error *read_list(struct image *img, uint64_t head, link_entries *ret)
{
	uint64_t word = img->word_size, prev = 0;
	for (uint64_t node = head; node;) {
		struct link_entry e = {.node = node};
		uint64_t next, back;
		if (!image_try_word(img, node, &e.addr) ||
		    !image_try_word(img, node + word, &e.name) ||
		    !image_try_word(img, node + 2 * word, &e.ld) ||
		    !image_try_word(img, node + 3 * word, &next) ||
		    !image_try_word(img, node + 4 * word, &back) || back != prev) {
			damage_add(img->damage, DAMAGE_DUMP, node,
				   "the loader's list of modules breaks off at 0x%" PRIx64, node);
			return NULL;
		}
		if (ret->n >= MODULES_MAX)
			return NULL;
		struct error *err = vec_push(ret, e);
		if (err)
			return err;
		prev = node;
		node = next;
	}
	return NULL;
}

struct error *link_map_read(struct image *img, uint64_t r_debug, link_entries *ret)
{
	uint64_t word = img->word_size;
	for (unsigned n = 0; r_debug && n < NAMESPACES_MAX; n++) {
		uint32_t version;
		uint64_t map;
		if (!image_try_u32(img, r_debug, &version) ||
		    !image_try_word(img, r_debug + word, &map))
			break;
		struct error *err = read_list(img, map, ret);
		if (err)
			return err;
		if (version < 2 || !image_try_word(img, r_debug + 5 * word, &r_debug))
			break;
	}
	return NULL;
}

/*
 * glibc keeps the TLS facts of a module together in its link_map (include/link.h, glibc 2.26 to
 * 2.42): l_tls_initimage, l_tls_initimage_size, l_tls_blocksize, l_tls_align,
 * l_tls_firstbyte_offset, l_tls_offset, l_tls_modid. The first four are known from PT_TLS, so
 * that the place is found by its content, whatever the release. Four such words in a row cannot be
 * met by chance inside one structure, but for a module with no initial values and an odd linker,
 * where l_tls_initimage may be 0.
 */
void link_map_read_tls(const struct image *img, uint64_t node, struct image_module *module)
{
	uint64_t word = img->word_size;
	if (!module->has_headers || !module->tls_size)
		return;
	for (uint64_t i = 5; i + 7 <= LINK_MAP_WORDS; i++) {
		uint64_t v[7];
		for (unsigned k = 0; k < 7; k++)
			if (!image_try_word(img, node + (i + k) * word, &v[k]))
				return;
		if ((v[0] != module->tls_image && (v[0] || module->tls_image_size)) ||
		    v[1] != module->tls_image_size || v[2] != module->tls_size ||
		    (v[3] ? v[3] : 1) != module->tls_align || !v[6] || v[6] > MODULES_MAX)
			continue;
		module->tls_modid = (uint32_t)v[6];
		/* NO_TLS_OFFSET and FORCED_DYNAMIC_TLS_OFFSET: 0 and -1 on x86, -1 and -2 elsewhere
		 */
		uint64_t none = word == 8 ? UINT64_MAX - 1 : UINT32_MAX - 1;
		module->tls_static = v[5] && v[5] < none;
		module->tls_offset = module->tls_static ? v[5] : 0;
		return;
	}
}
