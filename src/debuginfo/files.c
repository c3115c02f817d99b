/*
 * Which file is whose. Candidates for a binary, the first that fits is taken:
 *
 *	--exe                                   the executable only
 *	SYSROOT/path                            also with /usr put before it or taken off (merged
 * /usr) SYSROOT/basename                        a folder of collected files
 *	SYSROOT/.build-id/ab/cdef...            also SYSROOT/usr/lib/debug/.build-id/...
 *	path                                    as the process knew it, " (deleted)" taken off
 *	/usr/lib/debug/.build-id/ab/cdef...
 *	debuginfod                              when asked for
 *
 * Fits: the build ids are equal; or one side has none and the program headers in memory are the
 * file's; or those cannot be read either and each mapping lies in a segment of the file (where the
 * dump names no mapping: and the entry point is where the auxiliary vector says).
 *
 * Candidates for a separate debug file: the same folders' .build-id/ab/cdef....debug; the name in
 * .gnu_debuglink beside the binary, in .debug below it and below /usr/lib/debug, under each sysroot
 * and on the host; debuginfod. Fits: the build ids are equal; or one has none and the CRC is right.
 */
#include "debuginfo/debuginfo_impl.h"

#include "base/checked.h"
#include "base/cleanup.h"

#include <elf.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PHDRS_MAX = 4096 };

struct search {
	struct module_info *m;
	const struct debuginfo_options *opt;
	char *differs; /* the first file that is there and is another */
};

enum match { MATCH_SAME, MATCH_UNCHECKED, MATCH_DIFFERS };

static bool same_build_id(const struct elf_file *f, const struct image_module *mod)
{
	return f->build_id_len == mod->build_id_len &&
	       !memcmp(f->build_id, mod->build_id, mod->build_id_len);
}

/* Are the program headers in the dump the file's? False in *known: the dump has none to compare. */
static bool same_headers(const struct image *img, const struct image_module *mod,
			 const struct elf_file *f, bool *known)
{
	*known = false;
	GElf_Ehdr h;
	size_t n;
	if (!gelf_getehdr(f->elf, &h) || elf_getphdrnum(f->elf, &n) || !n || n > PHDRS_MAX)
		return false;
	uint64_t size = n * h.e_phentsize;
	if (!checked_within(h.e_phoff, size, 0, f->size))
		return false;
	if (!mod->phdr || !mod->phnum)
		return true;
	_cleanup_free_ uint8_t *there = malloc(size);
	if (!there || !image_try_read(img, mod->phdr, there, size))
		return true;
	*known = true;
	return n == mod->phnum && !memcmp(there, f->map + h.e_phoff, size);
}

/* Does each mapping of the file's name lie in one of its segments, code where there is code? */
static bool mappings_fit(const struct image *img, const struct module_info *m,
			 const struct elf_file *f)
{
	size_t n;
	if (elf_getphdrnum(f->elf, &n) || n > PHDRS_MAX)
		return false;
	uint64_t page = img->page_size;
	unsigned mapped = 0;
	for (uint32_t i = module_first_segment(m); i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		if (s->start >= m->module->end)
			break;
		if (s->module_id != m->id || !s->name || !m->module->path ||
		    strcmp(s->name, m->module->path))
			continue;
		bool fits = false;
		for (size_t k = 0; k < n && !fits; k++) {
			GElf_Phdr p;
			uint64_t end;
			if (!gelf_getphdr(f->elf, (int)k, &p) || p.p_type != PT_LOAD ||
			    !checked_add(p.p_offset, p.p_filesz, &end) ||
			    !checked_align_up(end, page, &end))
				continue;
			/* The loader leaves reserved gaps between segments mapped without rights.
			 */
			if (s->perms & PERM_X && !(p.p_flags & PF_X))
				continue;
			fits = checked_within(s->file_offset, s->end - s->start,
					      align_down(p.p_offset, page), end) ||
			       !s->perms; /* a gap that the loader reserved */
		}
		if (!fits)
			return false;
		mapped++;
	}
	return mapped;
}

bool module_bias_by_entry(const struct module_info *m, const struct elf_file *f, uint64_t *ret)
{
	const struct image_process *p = &m->owner->image->process;
	GElf_Ehdr h;
	size_t n;
	if (!m->module->is_exe || !p->at_entry || !gelf_getehdr(f->elf, &h) ||
	    elf_getphdrnum(f->elf, &n) || n != p->at_phnum)
		return false;
	uint64_t bias = p->at_entry - h.e_entry;
	if (bias & (m->owner->image->page_size - 1) || (h.e_type == ET_EXEC && bias))
		return false;
	*ret = bias;
	return true;
}

/* Have the file's loaded parts the extent that the trace saw, to the byte or to the page? */
static bool extent_fits(const struct module_info *m, const struct elf_file *f)
{
	const struct image_module *mod = m->module;
	uint64_t lo = UINT64_MAX, hi = 0, page = m->owner->image->page_size;
	size_t n;
	if (elf_getphdrnum(f->elf, &n) || n > PHDRS_MAX)
		return false;
	for (size_t k = 0; k < n; k++) {
		GElf_Phdr p;
		uint64_t end;
		if (!gelf_getphdr(f->elf, (int)k, &p) || p.p_type != PT_LOAD ||
		    !checked_add(p.p_vaddr, p.p_memsz, &end))
			continue;
		lo = p.p_vaddr < lo ? p.p_vaddr : lo;
		hi = end > hi ? end : hi;
	}
	uint64_t start = mod->start - mod->bias, end = mod->end - mod->bias, up;
	return lo < hi && (start == lo || start == align_down(lo, page)) &&
	       (end == hi || (checked_align_up(hi, page, &up) && end == up));
}

static enum match match_binary(const struct module_info *m, const struct elf_file *f)
{
	const struct image *img = m->owner->image;
	if (f->build_id_len && m->module->build_id_len)
		return same_build_id(f, m->module) ? MATCH_SAME : MATCH_DIFFERS;
	if (img->files_only)
		return m->module->extent_unknown || extent_fits(m, f) ? MATCH_UNCHECKED
								      : MATCH_DIFFERS;
	bool known;
	uint64_t bias;
	bool same = same_headers(img, m->module, f, &known);
	if (!known && same)
		same = image_names_mappings(img) ? mappings_fit(img, m, f)
						 : module_bias_by_entry(m, f, &bias);
	return same ? MATCH_UNCHECKED : MATCH_DIFFERS;
}

static bool take_binary(struct search *s, int fd, const char *path)
{
	struct module_info *m = s->m;
	struct elf_file f;
	if (!elf_file_open(fd, path, m->owner->image->machine, &f))
		return false;
	enum match match = match_binary(m, &f);
	if (match == MATCH_DIFFERS) {
		log_debug(m->owner->log, "%s: not the file that the process had mapped", path);
		if (!s->differs)
			s->differs = strdup(path);
		elf_file_close(&f);
		return false;
	}
	if (f.debug_only) {
		if (match == MATCH_SAME && !m->debug.elf)
			m->debug = f;
		else
			elf_file_close(&f);
		return false;
	}
	m->file = f;
	m->pub.state = match == MATCH_SAME ? MODULE_FILE_FOUND : MODULE_FILE_UNCHECKED;
	return true;
}

static bool try_host(struct search *s, const char *path)
{
	int fd = file_open(path);
	return fd >= 0 && take_binary(s, fd, path);
}

static bool try_root(struct search *s, const char *root, const char *path)
{
	int fd = file_open_in_root(root, path);
	if (fd < 0)
		return false;
	_cleanup_free_ char *shown = NULL;
	if (asprintf(&shown, "%s%s%s", root, *path == '/' ? "" : "/", path) < 0) {
		shown = NULL;
		close(fd);
		return false;
	}
	return take_binary(s, fd, shown);
}

/* "FOLDER/.build-id/ab/cdef...SUFFIX", or NULL. Malloc'ed. */
static char *build_id_path(const char *folder, const uint8_t *id, uint32_t len, const char *suffix)
{
	char hex[2 * BUILD_ID_MAX + 1];
	char *path = NULL;
	if (len < 2 || len > BUILD_ID_MAX)
		return NULL;
	for (uint32_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	if (asprintf(&path, "%s/.build-id/%.2s/%s%s", folder, hex, hex + 2, suffix) < 0)
		return NULL;
	return path;
}

static bool search_sysroot(struct search *s, const char *root, const char *path)
{
	const struct image_module *mod = s->m->module;
	if (try_root(s, root, path))
		return true;
	if (!strncmp(path, "/usr/", 5)) {
		if (try_root(s, root, path + 4))
			return true;
	} else {
		_cleanup_free_ char *usr = NULL;
		if (asprintf(&usr, "/usr%s", path) < 0)
			usr = NULL;
		if (usr && try_root(s, root, usr))
			return true;
	}
	const char *base = strrchr(path, '/');
	if (base && base != path && try_root(s, root, base))
		return true;
	static const char *const folder[] = {"", "/usr/lib/debug"};
	for (unsigned i = 0; i < 2; i++) {
		_cleanup_free_ char *by_id =
			build_id_path(folder[i], mod->build_id, mod->build_id_len, "");
		if (by_id && try_root(s, root, by_id))
			return true;
	}
	return false;
}

static bool search_binary(struct search *s, const char *path)
{
	struct module_info *m = s->m;
	const struct image_module *mod = m->module;
	if (mod->is_exe && s->opt->exe && try_host(s, s->opt->exe))
		return true;
	if (!path)
		return false;
	for (unsigned i = 0; i < s->opt->nsysroot; i++)
		if (search_sysroot(s, s->opt->sysroot[i], path))
			return true;
	if (try_host(s, path))
		return true;
	_cleanup_free_ char *by_id =
		build_id_path("/usr/lib/debug", mod->build_id, mod->build_id_len, "");
	if (by_id && try_host(s, by_id))
		return true;
	_cleanup_free_ char *cached = NULL;
	int fd = debuginfod_executable(m->owner->debuginfod, mod->build_id, mod->build_id_len,
				       &cached);
	return fd >= 0 && take_binary(s, fd, cached ? cached : path);
}

/* ---- debug files ---- */

static bool take_debug(struct module_info *m, int fd, const char *path, bool by_link)
{
	struct elf_file f;
	if (fd < 0 || !elf_file_open(fd, path, m->owner->image->machine, &f))
		return false;
	const uint8_t *id = m->file.build_id_len ? m->file.build_id : m->module->build_id;
	uint32_t len = m->file.build_id_len ? m->file.build_id_len : m->module->build_id_len;
	bool fits;
	if (len && f.build_id_len)
		fits = len == f.build_id_len && !memcmp(id, f.build_id, len);
	else
		fits = by_link && elf_file_crc(&f) == m->file.debuglink_crc;
	if (!fits || !(f.has_symtab || f.has_dwarf)) {
		if (!fits)
			log_debug(m->owner->log, "%s: not the debug file of %s", path,
				  m->module->path ? m->module->path : "the executable");
		elf_file_close(&f);
		return false;
	}
	m->debug = f;
	return true;
}

static bool try_debug(struct module_info *m, const char *root, const char *path, bool by_link)
{
	if (!path)
		return false;
	if (!root)
		return take_debug(m, file_open(path), path, by_link);
	_cleanup_free_ char *shown = NULL;
	if (asprintf(&shown, "%s%s", root, path) < 0) {
		shown = NULL;
		return false;
	}
	return take_debug(m, file_open_in_root(root, path), shown, by_link);
}

/* root NULL: the host. `dir`: the folder of the binary, as seen from there, no slash at its end. */
static bool search_debuglink(struct module_info *m, const char *root, const char *dir)
{
	static const char *const form[][2] = {{"", "/"}, {"", "/.debug/"}, {"/usr/lib/debug", "/"}};
	for (unsigned i = 0; i < 3; i++) {
		_cleanup_free_ char *path = NULL;
		if (asprintf(&path, "%s%s%s%s", form[i][0], dir, form[i][1], m->file.debuglink) < 0)
			path = NULL;
		/* A debuglink may name the binary itself; that is no debug file. */
		if (path && strcmp(path, m->file.path) && try_debug(m, root, path, true))
			return true;
	}
	return false;
}

static char *path_folder(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? strndup(path, (size_t)(slash - path)) : NULL;
}

static void search_debug(struct search *s, const char *path)
{
	struct module_info *m = s->m;
	const uint8_t *id = m->file.build_id_len ? m->file.build_id : m->module->build_id;
	uint32_t len = m->file.build_id_len ? m->file.build_id_len : m->module->build_id_len;
	_cleanup_free_ char *in_root = build_id_path("", id, len, ".debug");
	_cleanup_free_ char *in_debug = build_id_path("/usr/lib/debug", id, len, ".debug");
	for (unsigned i = 0; i < s->opt->nsysroot; i++)
		if (try_debug(m, s->opt->sysroot[i], in_debug, false) ||
		    try_debug(m, s->opt->sysroot[i], in_root, false))
			return;
	if (try_debug(m, NULL, in_debug, false))
		return;
	if (m->file.elf && m->file.debuglink) {
		_cleanup_free_ char *there = path_folder(path);
		for (unsigned i = 0; i < s->opt->nsysroot && there; i++)
			if (search_debuglink(m, s->opt->sysroot[i], there))
				return;
		_cleanup_free_ char *here = path_folder(m->file.path);
		if ((here && search_debuglink(m, NULL, here)) ||
		    (there && search_debuglink(m, NULL, there)))
			return;
	}
	_cleanup_free_ char *cached = NULL;
	int fd = debuginfod_debug_file(m->owner->debuginfod, id, len, &cached);
	if (fd >= 0)
		take_debug(m, fd, cached ? cached : "debuginfod", false);
}

static struct error *add_missing(struct module_info *m, const char *path)
{
	const char *copy = region_strdup(&m->owner->region, path);
	if (!copy)
		return &error_nomem;
	return vec_push(&m->owner->missing, copy);
}

struct error *module_find_files(struct module_info *m, const struct debuginfo_options *opt)
{
	static const char deleted[] = " (deleted)";
	struct search s = {.m = m, .opt = opt};
	const struct image_module *mod = m->module;
	struct damage_log *damage = m->owner->image->damage;
	_cleanup_free_ char *path = NULL;
	bool gone = false;
	if (mod->path && *mod->path == '/') {
		path = strdup(mod->path);
		if (!path)
			return &error_nomem;
		size_t len = strlen(path), cut = sizeof(deleted) - 1;
		gone = len > cut && !strcmp(path + len - cut, deleted);
		if (gone)
			path[len - cut] = '\0';
	}
	/* An executable by a path that was relative there can be given, but not looked for. */
	bool relative = mod->is_exe && mod->path && *mod->path && !strchr("/[", *mod->path);
	if (!path && !(mod->is_exe && opt->exe) && !relative)
		return NULL;
	bool found = search_binary(&s, path);
	_cleanup_free_ char *differs = s.differs;
	if (!m->debug.elf && (found || mod->build_id_len) &&
	    !(m->file.has_symtab && m->file.has_dwarf))
		search_debug(&s, path);
	if (m->debug.elf)
		m->pub.debug_file = m->debug.path;
	if (found) {
		m->pub.file = m->file.path;
		/* What was named and not used is told, though another was found; the rest is not. */
		if (differs && mod->is_exe && opt->exe && !strcmp(differs, opt->exe))
			damage_add(damage, DAMAGE_MISSING, mod->start,
				   "%s: %s is another build than the process had mapped: not used; "
				   "%s was",
				   path ? path : m->file.path, differs, m->file.path);
		return NULL;
	}
	m->pub.state = differs ? MODULE_FILE_DIFFERS : MODULE_FILE_MISSING;
	const char *want = path ? path : relative ? mod->path : opt->exe;
	if (differs)
		damage_add(damage, DAMAGE_MISSING, mod->start,
			   "%s: %s is another build than the process had mapped: not used; what "
			   "only the binary tells of it is missing",
			   want, !strcmp(want, differs) ? "the file" : differs);
	else
		damage_add(damage, DAMAGE_BINARY, mod->start, "%s: %s", want,
			   gone ? "deleted while it ran, and not found" : "not found");
	return add_missing(m, want);
}
