#include "debuginfo/debuginfo.h"

#include "base/checked.h"
#include "debuginfo/debuginfo_impl.h"

#include <dwarf.h>
#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Lending can make further modules known (their names are in the loader's list), which lend in
 * turn. */
enum {
	ROUNDS_MAX = 4,
	UNITS_MAX = 1 << 24, /* ranges of code in a module's DWARF */
};

/* ---- lending ---- */

uint32_t module_first_segment(const struct module_info *m)
{
	return image_segment_from(m->owner->image, m->module->start);
}

/*
 * [start, end) is a mapping of the file from `offset` on. What the dump has stays; what it lacks is
 * what the file holds, since the kernel leaves out only mappings that were never written to
 * (fs/coredump.c, vma_dump_size: anon_vma). A cut dump lacks written ones too: there, only mappings
 * without the right to write are safe.
 */
static struct error *lend(struct module_info *m, const struct image_segment *s, uint64_t start,
			  uint64_t end, uint64_t offset, bool *lent)
{
	struct image *img = m->owner->image;
	if (start >= end || offset >= m->file.size || (img->truncated && s->perms & PERM_W))
		return NULL;
	uint64_t len = end - start;
	if (len > m->file.size - offset)
		len = m->file.size - offset;
	*lent = true;
	return image_add_backing(img, start, m->file.map + offset, len);
}

/* By the names that the dump gives its mappings: exact. */
static struct error *lend_named(struct module_info *m, bool *lent)
{
	struct image *img = m->owner->image;
	for (uint32_t i = module_first_segment(m); i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		if (s->start >= m->module->end)
			break;
		if (s->module_id != m->id || !s->name || !m->module->path ||
		    strcmp(s->name, m->module->path) || s->present >= s->end - s->start)
			continue;
		struct error *err = lend(m, s, s->start, s->end, s->file_offset, lent);
		if (err)
			return err;
	}
	return NULL;
}

/* By the program headers, in a dump that names no mapping. Only mappings that it wholly lacks. */
static struct error *lend_by_headers(struct module_info *m, bool *lent)
{
	struct image *img = m->owner->image;
	size_t n;
	uint64_t bias = m->module->bias;
	if (elf_getphdrnum(m->file.elf, &n) ||
	    (!m->module->has_headers && !module_bias_by_entry(m, &m->file, &bias)))
		return NULL;
	for (size_t k = 0; k < n; k++) {
		GElf_Phdr p;
		if (!gelf_getphdr(m->file.elf, (int)k, &p) || p.p_type != PT_LOAD)
			continue;
		uint64_t start = bias + p.p_vaddr, end;
		if (!checked_add(start, p.p_filesz, &end))
			continue;
		for (uint32_t i = 0; i < img->nsegment; i++) {
			const struct image_segment *s = &img->segment[i];
			if (s->end <= start || s->start >= end || s->present || s->name)
				continue;
			uint64_t lo = s->start > start ? s->start : start;
			uint64_t hi = s->end < end ? s->end : end;
			struct error *err = lend(m, s, lo, hi, p.p_offset + (lo - start), lent);
			if (err)
				return err;
		}
	}
	return NULL;
}

bool image_names_mappings(const struct image *img)
{
	for (uint32_t i = 0; i < img->nsegment; i++)
		if (img->segment[i].name && *img->segment[i].name == '/')
			return true;
	return false;
}

static struct error *module_lend(struct module_info *m, bool *lent)
{
	if (!m->file.elf || m->owner->image->files_only)
		return NULL;
	return image_names_mappings(m->owner->image) ? lend_named(m, lent)
						     : lend_by_headers(m, lent);
}

/* ---- creation ---- */

static void module_deinit(struct module_info *m)
{
	symbol_table_deinit(&m->symbols);
	cfi_deinit(&m->cfi);
	vec_deinit(&m->unit);
	if (m->dwfl)
		dwfl_end(m->dwfl);
	elf_file_close(&m->file);
	elf_file_close(&m->debug);
}

static bool same_module(const struct module_info *m, const struct image_module *mod)
{
	if (!m->owner || m->known_start != mod->start || !m->known_path != !mod->path)
		return false;
	return !mod->path || !strcmp(m->known_path, mod->path);
}

/*
 * Gives each of the image's modules a record: the one that it had before, or a new one whose files
 * are looked for. *grown: there were new ones.
 */
static struct error *debuginfo_adopt(struct debuginfo *di, const struct debuginfo_options *opt,
				     bool *grown)
{
	struct image *img = di->image;
	struct module_info *module = calloc(img->nmodule + 1, sizeof(*module));
	if (!module)
		return &error_nomem;
	struct module_info *old = di->module;
	uint32_t nold = di->nmodule;
	for (uint32_t i = 0; i < img->nmodule; i++) {
		const struct image_module *mod = &img->module[i];
		struct module_info *m = &module[i];
		/* The list does not change as a rule: look in the same place first. */
		for (uint32_t n = 0; n < nold; n++) {
			struct module_info *was = &old[(i + n) % nold];
			if (!same_module(was, mod))
				continue;
			*m = *was;
			was->owner = NULL;
			break;
		}
		m->id = i + 1;
		m->module = mod;
		m->known_start = mod->start;
		m->known_path = mod->path;
	}
	for (uint32_t k = 0; k < nold; k++)
		if (old[k].owner)
			module_deinit(&old[k]);
	free(old);
	di->module = module;
	di->nmodule = img->nmodule;
	*grown = false;
	for (uint32_t i = 0; i < di->nmodule; i++) {
		struct module_info *m = &module[i];
		if (m->owner)
			continue;
		m->owner = di;
		m->pub.symbols = "none";
		struct error *err = module_find_files(m, opt);
		if (err)
			return err;
		*grown = true;
	}
	return NULL;
}

static struct error *debuginfo_fill(struct debuginfo *di, const struct debuginfo_options *opt)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
		bool grown, lent = false;
		struct error *err = debuginfo_adopt(di, opt, &grown);
		if (err || !grown)
			return err;
		for (uint32_t i = 0; i < di->nmodule && !err; i++)
			if (!di->module[i].lent) {
				di->module[i].lent = true;
				err = module_lend(&di->module[i], &lent);
			}
		if (err || !lent)
			return err;
		err = image_seal_backing(di->image);
		if (!err)
			err = image_find_modules(di->image);
		if (err)
			return err;
	}
	bool grown;
	return debuginfo_adopt(di, opt, &grown);
}

static bool dynsym_some(void *arg, const char *name, uint64_t start, uint64_t size, uint8_t info,
			uint16_t shndx)
{
	(void)start;
	(void)size;
	(void)info;
	*(bool *)arg = *name && shndx != SHN_UNDEF;
	return !*(bool *)arg;
}

/* Says where the names come from, best first. libdwfl takes them in the same order. */
static void module_describe(struct module_info *m)
{
	struct debuginfo_module *pub = &m->pub;
	pub->symtab = true;
	if (m->file.has_symtab) {
		pub->symbols = "symtab";
	} else if (m->debug.has_symtab) {
		pub->symbols = "debug file";
	} else if (m->file.has_minidebug) {
		pub->symbols = "minidebuginfo";
	} else {
		pub->symtab = false;
		bool dynsym = m->file.has_dynsym;
		if (!m->file.elf)
			dynsym_walk(m->owner->image, m->module, dynsym_some, &dynsym);
		pub->symbols = dynsym ? "dynsym" : "none";
	}
}

struct error *debuginfo_create(struct image *img, const struct debuginfo_options *opt,
			       struct log *log, struct debuginfo **ret)
{
	*ret = NULL;
	struct debuginfo *di = calloc(1, sizeof(*di));
	if (!di)
		return &error_nomem;
	di->image = img;
	di->log = log;
	elf_version(EV_CURRENT);
	if (opt->debuginfod)
		di->debuginfod = debuginfod_open(opt->debuginfod_seconds, log);
	struct error *err = debuginfo_fill(di, opt);
	debuginfod_close(di->debuginfod);
	di->debuginfod = NULL;
	if (err) {
		debuginfo_destroy(di);
		return error_note(err, "looking for binaries");
	}
	for (uint32_t i = 0; i < di->nmodule; i++)
		module_describe(&di->module[i]);
	*ret = di;
	return NULL;
}

void debuginfo_destroy(struct debuginfo *di)
{
	if (!di)
		return;
	for (uint32_t i = 0; i < di->nmodule; i++)
		module_deinit(&di->module[i]);
	free(di->module);
	vec_deinit(&di->missing);
	region_deinit(&di->region);
	image_destroy(di->own_image);
	free(di);
}

const struct debuginfo_module *debuginfo_module(const struct debuginfo *di, uint32_t module_id)
{
	static const struct debuginfo_module none = {.symbols = "none"};
	const struct module_info *m = debuginfo_info(di, module_id);
	return m ? &m->pub : &none;
}

const char *const *debuginfo_missing(const struct debuginfo *di, uint32_t *n)
{
	*n = (uint32_t)di->missing.n;
	return di->missing.at;
}

/* ---- libdwfl ---- */

/* The binary is always given along with the module: nothing is to be looked for. */
static int dwfl_no_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		       char **file_name, Elf **elfp)
{
	(void)mod;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file_name;
	(void)elfp;
	return -1;
}

/* Ours, found and checked already, in place of libdwfl's own search (which would ask servers). */
static int dwfl_our_debug_file(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			       const char *file_name, const char *link, GElf_Word crc,
			       char **debug_name)
{
	(void)mod;
	(void)name;
	(void)base;
	(void)file_name;
	(void)link;
	(void)crc;
	const struct module_info *m = *userdata;
	if (!m || !m->file.elf || !m->debug.elf)
		return -1;
	*debug_name = strdup(m->debug.path);
	return elf_file_reopen(&m->debug);
}

Dwfl_Module *module_dwfl(struct module_info *m)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_no_elf,
		.find_debuginfo = dwfl_our_debug_file,
	};
	if (m->dwfl_made)
		return m->dwfl_module;
	m->dwfl_made = true;
	/* A debug file alone has the program headers and the symbols, too. */
	const struct elf_file *f = m->file.elf ? &m->file : &m->debug;
	if (!f->elf || !m->module->has_headers)
		return NULL;
	m->dwfl = dwfl_begin(&callbacks);
	int fd = m->dwfl ? elf_file_reopen(f) : -1;
	if (fd < 0)
		return NULL;
	m->dwfl_module = dwfl_report_elf(m->dwfl, "module", f->path, fd, m->module->bias, true);
	if (!m->dwfl_module) {
		log_debug(m->owner->log, "%s: %s", f->path, dwfl_errmsg(-1));
		close(fd);
	} else {
		void **userdata;
		dwfl_module_info(m->dwfl_module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
		*userdata = m;
	}
	if (dwfl_report_end(m->dwfl, NULL, NULL))
		m->dwfl_module = NULL;
	return m->dwfl_module;
}

/* ---- lines ---- */

static int unit_compare(const void *pa, const void *pb)
{
	const struct unit_range *a = pa, *b = pb;
	return a->start < b->start ? -1 : a->start > b->start;
}

/* Which unit describes which code, by the units' own ranges. Damage ends the list early. */
static struct error *units_make(struct module_info *m, Dwfl_Module *mod)
{
	struct error *err = NULL;
	Dwarf_Addr bias, base, start, end;
	m->unit.max = UNITS_MAX;
	for (Dwarf_Die *cu = NULL; !err && (cu = dwfl_module_nextcu(mod, cu, &bias));) {
		ptrdiff_t at = 0;
		while (!err && (at = dwarf_ranges(cu, at, &base, &start, &end)) > 0)
			if (start < end)
				err = vec_push(
					&m->unit,
					((struct unit_range){start + bias, end + bias, bias, cu}));
	}
	if (m->unit.n)
		qsort(m->unit.at, m->unit.n, sizeof(*m->unit.at), unit_compare);
	return err;
}

/* clang writes no .debug_aranges, through which libdwfl searches. */
Dwarf_Die *module_unit_at(struct module_info *m, Dwfl_Module *mod, uint64_t pc, uint64_t *bias)
{
	if (!m->units_made) {
		m->units_made = true;
		struct error *err = units_make(m, mod);
		if (err)
			log_debug(m->owner->log, "%s: lines: %s", m->pub.file, err->message);
		error_free(err);
	}
	uint64_t lo = 0, hi = m->unit.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (m->unit.at[mid].start <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	const struct unit_range *u = lo ? &m->unit.at[lo - 1] : NULL;
	if (!u || pc >= u->end)
		return NULL;
	*bias = u->bias;
	return u->cu;
}

static const char *line_by_unit(struct module_info *m, Dwfl_Module *mod, uint64_t pc, int *line)
{
	uint64_t bias;
	Dwarf_Die *cu = module_unit_at(m, mod, pc, &bias);
	Dwarf_Line *at = cu ? dwarf_getsrc_die(cu, pc - bias) : NULL;
	return at && !dwarf_lineno(at, line) ? dwarf_linesrc(at, NULL, NULL) : NULL;
}

bool debuginfo_line_at(const struct debuginfo *di, uint64_t pc, const char **file, uint32_t *line)
{
	struct module_info *m = debuginfo_info(di, image_module_find(di->image, pc));
	if (!m || !(m->file.has_dwarf || m->debug.has_dwarf))
		return false;
	Dwfl_Module *mod = module_dwfl(m);
	if (!mod)
		return false;
	int n = 0;
	Dwfl_Line *at = dwfl_module_getsrc(mod, pc);
	const char *name =
		at ? dwfl_lineinfo(at, NULL, &n, NULL, NULL, NULL) : line_by_unit(m, mod, pc, &n);
	if (!name || n <= 0)
		return false;
	*file = name;
	*line = (uint32_t)n;
	return true;
}
