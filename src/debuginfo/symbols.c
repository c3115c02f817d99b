/*
 * A module's symbols as two sorted arrays: the symbols, and the ranges of addresses in which each
 *is the answer. Symbols overlap (aliases, labels inside functions, objects inside objects); ranges
 *do not: the innermost symbol wins, among equals the friendliest name. So a lookup is one binary
 * search, and the work is done once:
 *
 *	symbols      [ f ................... ]   [ g ]   h (size unknown)
 *	                  [ f.cold ]
 *	ranges       | f | f.cold  | f       | - | g | - | h        up to the next, or the section's
 *end
 */
#include "debuginfo/debuginfo_impl.h"

#include "base/checked.h"

#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

enum {
	SYMBOL_NAMES_MAX = 64 << 20, /* bytes of names that are copied out of the dump, a module */
	SYMBOL_COUNT_MAX = 1 << 26,
};

struct symbols_reading {
	struct module_info *m;
	struct error *err;
	uint64_t names; /* bytes copied */
};

static unsigned leading_underscores(const char *s)
{
	return (unsigned)strspn(s, "_");
}

/* Does a name say the same place better than b? <0 yes. A total order: no ties but equal names. */
static int symbol_compare_names(const struct symbol *a, const struct symbol *b)
{
	int local = !!(a->flags & SYMBOL_LOCAL) - !!(b->flags & SYMBOL_LOCAL);
	if (local)
		return local;
	unsigned ua = leading_underscores(a->raw), ub = leading_underscores(b->raw);
	/* _Z is not an underscore that somebody put there to hide the name. */
	if (a->raw[ua] == 'Z' && b->raw[ub] == 'Z')
		ua = ub = 0;
	if (ua != ub)
		return ua < ub ? -1 : 1;
	size_t la = strlen(a->raw), lb = strlen(b->raw);
	if (la != lb)
		return la < lb ? -1 : 1;
	return strcmp(a->raw, b->raw);
}

static int symbol_compare(const void *pa, const void *pb)
{
	const struct symbol *a = pa, *b = pb;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	int mark = !!(a->flags & SYMBOL_MARK) - !!(b->flags & SYMBOL_MARK);
	return mark ? mark : symbol_compare_names(a, b);
}

/* ---- filling ---- */

/* Is this symbol a name for something in memory? */
static bool symbol_wanted(const char *name, uint8_t info, uint16_t shndx)
{
	if (!name || !*name || shndx == SHN_UNDEF || shndx == SHN_ABS || shndx == SHN_COMMON)
		return false;
	/* Mapping symbols of the ARM ABIs: "$x", "$d.1" mark code and data. */
	if (name[0] == '$' && name[1] && (!name[2] || name[2] == '.'))
		return false;
	switch (ELF64_ST_TYPE(info)) {
	case STT_NOTYPE:
	case STT_OBJECT:
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return true;
	default: /* sections, files; STT_TLS is an offset, no address */
		return false;
	}
}

static void symbol_add(struct symbols_reading *r, const char *raw, uint64_t start, uint64_t size,
		       uint64_t limit, uint8_t info)
{
	struct module_info *m = r->m;
	if (start < m->module->start || start > m->module->end)
		return;
	const struct image_segment *seg = image_segment_find(m->owner->image, start);
	uint64_t end;
	if (!checked_add(start, size, &end) || end > m->module->end)
		size = m->module->end - start;
	if (seg && (!limit || limit > seg->end))
		limit = seg->end;
	struct symbol s = {
		.start = start,
		.size = size,
		.limit = limit > start ? limit : start,
		.raw = raw,
	};
	bool code = seg && seg->perms & PERM_X;
	uint8_t type = ELF64_ST_TYPE(info);
	if (type == STT_OBJECT || (type == STT_NOTYPE && !code))
		s.flags |= SYMBOL_OBJECT;
	if (ELF64_ST_BIND(info) == STB_LOCAL)
		s.flags |= SYMBOL_LOCAL;
	if (type == STT_NOTYPE && !size && !code)
		s.flags |= SYMBOL_MARK;
	r->err = vec_push(&m->symbols.symbol, s);
}

static void symbols_from_files(struct symbols_reading *r, Dwfl_Module *mod)
{
	int n = dwfl_module_getsymtab(mod);
	for (int i = 1; i < n && !r->err; i++) {
		GElf_Sym sym;
		GElf_Addr addr, bias;
		GElf_Word shndx;
		Elf *elf;
		const char *name =
			dwfl_module_getsym_info(mod, i, &sym, &addr, &shndx, &elf, &bias);
		uint16_t plain =
			shndx == SHN_UNDEF || sym.st_shndx >= SHN_LORESERVE ? sym.st_shndx : 1;
		/* SHN_XINDEX: an ordinary section, whose number did not fit. */
		if (!symbol_wanted(name, sym.st_info, plain == SHN_XINDEX ? 1 : plain))
			continue;
		uint64_t limit = 0;
		GElf_Shdr sh;
		/* "malloc@@GLIBC_2.2.5": linkers put the version into .symtab's names. */
		const char *at = strchr(name + 1, '@');
		if (at)
			name = region_strndup(&r->m->owner->region, name, (size_t)(at - name));
		if (!name) {
			r->err = &error_nomem;
			break;
		}
		if (!sym.st_size && elf && gelf_getshdr(elf_getscn(elf, shndx), &sh) &&
		    !checked_add(sh.sh_addr + bias, sh.sh_size, &limit))
			limit = 0;
		symbol_add(r, name, addr, sym.st_size, limit, sym.st_info);
	}
}

static bool symbol_from_dump(void *arg, const char *name, uint64_t start, uint64_t size,
			     uint8_t info, uint16_t shndx)
{
	struct symbols_reading *r = arg;
	if (!symbol_wanted(name, info, shndx))
		return true;
	size_t len = strlen(name);
	if (r->names + len > SYMBOL_NAMES_MAX)
		return false;
	r->names += len;
	const char *copy = region_strndup(&r->m->owner->region, name, len);
	if (!copy) {
		r->err = &error_nomem;
		return false;
	}
	symbol_add(r, copy, start, size, 0, info);
	return !r->err;
}

/* ---- ranges ---- */

/* Where a symbol ends; one without a size before `next`, the start of what follows. */
static uint64_t symbol_end(const struct symbol *s, uint64_t next)
{
	if (s->size)
		return s->start + s->size;
	return s->limit < next ? s->limit : next;
}

static struct error *range_add(struct symbol_table *t, uint64_t start, uint32_t symbol)
{
	if (t->range.n && t->range.at[t->range.n - 1].start == start) {
		t->range.at[t->range.n - 1].symbol = symbol;
		return NULL;
	}
	if (t->range.n && t->range.at[t->range.n - 1].symbol == symbol)
		return NULL;
	return vec_push(&t->range, ((struct symbol_range){start, symbol}));
}

/* A sweep over the starts, with a stack of what is open: its top is the innermost. */
static struct error *symbols_flatten(struct symbol_table *t)
{
	struct open {
		uint64_t end;
		uint32_t symbol;
	};
	VEC(struct open) open = {0};
	struct error *err = NULL;
	uint64_t next = 0; /* index of the first symbol that starts later */
	for (uint64_t i = 0; i <= t->symbol.n && !err; i++) {
		const struct symbol *s = i < t->symbol.n ? &t->symbol.at[i] : NULL;
		uint64_t upto = s ? s->start : UINT64_MAX;
		/* What ends before this start: the next one out takes over, unless it ended first.
		 */
		while (open.n && open.at[open.n - 1].end <= upto && !err) {
			uint64_t at = open.at[--open.n].end;
			while (open.n && open.at[open.n - 1].end <= at)
				open.n--;
			err = range_add(t, at, open.n ? open.at[open.n - 1].symbol : 0);
		}
		if (!s || err || s->flags & SYMBOL_MARK)
			continue;
		while (next < t->symbol.n && t->symbol.at[next].start <= s->start)
			next++;
		uint64_t end =
			symbol_end(s, next < t->symbol.n ? t->symbol.at[next].start : UINT64_MAX);
		if (end <= s->start)
			continue;
		/* A label inside a function is no symbol of its own; an alias adds nothing. */
		if (open.n &&
		    (!s->size || (end == open.at[open.n - 1].end &&
				  t->symbol.at[open.at[open.n - 1].symbol - 1].start == s->start)))
			continue;
		err = vec_push(&open, ((struct open){end, (uint32_t)i + 1}));
		if (!err)
			err = range_add(t, s->start, (uint32_t)i + 1);
	}
	vec_deinit(&open);
	return err;
}

/* ---- names ---- */

static uint32_t name_hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3;
	return (uint32_t)(h ^ h >> 32);
}

/* Global before local, sized before not; else the first by address. */
static bool name_better(const struct symbol *a, const struct symbol *b)
{
	if ((a->flags ^ b->flags) & SYMBOL_LOCAL)
		return !(a->flags & SYMBOL_LOCAL);
	return a->size && !b->size;
}

static struct error *symbols_hash(struct symbol_table *t)
{
	uint32_t slots = 16;
	while (slots / 2 < t->symbol.n)
		slots *= 2;
	t->slot = calloc(slots, sizeof(*t->slot));
	if (!t->slot)
		return &error_nomem;
	t->slots = slots;
	for (uint32_t i = 0; i < t->symbol.n; i++) {
		const struct symbol *s = &t->symbol.at[i];
		uint32_t k = name_hash(s->raw) & (slots - 1);
		for (; t->slot[k]; k = (k + 1) & (slots - 1))
			if (!strcmp(t->symbol.at[t->slot[k] - 1].raw, s->raw))
				break;
		if (!t->slot[k] || name_better(s, &t->symbol.at[t->slot[k] - 1]))
			t->slot[k] = i + 1;
	}
	return NULL;
}

void symbol_table_deinit(struct symbol_table *t)
{
	vec_deinit(&t->symbol);
	vec_deinit(&t->range);
	free(t->slot);
	*t = (struct symbol_table){0};
}

const struct symbol_table *module_symbols(struct module_info *m)
{
	struct symbol_table *t = &m->symbols;
	if (m->symbols_made)
		return t;
	m->symbols_made = true;
	t->symbol.max = SYMBOL_COUNT_MAX;
	struct symbols_reading r = {.m = m};
	Dwfl_Module *mod = module_dwfl(m);
	if (mod)
		symbols_from_files(&r, mod);
	if (!r.err && !t->symbol.n)
		dynsym_walk(m->owner->image, m->module, symbol_from_dump, &r);
	if (!r.err && t->symbol.n) {
		qsort(t->symbol.at, t->symbol.n, sizeof(*t->symbol.at), symbol_compare);
		vec_trim(&t->symbol);
		r.err = symbols_flatten(t);
		if (!r.err)
			r.err = symbols_hash(t);
	}
	if (r.err) {
		log_warning(m->owner->log, "%s: no symbols: %s",
			    m->module->path ? m->module->path : "module", r.err->message);
		error_free(r.err);
		symbol_table_deinit(t);
	}
	return t;
}

/* ---- questions ---- */

/* Of several threads' worth of questions, each symbol is demangled once. */
static const char *symbol_shown(struct module_info *m, struct symbol *s)
{
	if (s->shown)
		return s->shown;
	char *text = demangle(s->raw);
	const char *copy = text ? region_strdup(&m->owner->region, text) : NULL;
	free(text);
	s->shown = copy ? copy : s->raw;
	return s->shown;
}

static void symbol_answer(struct module_info *m, uint32_t index, struct debuginfo_symbol *ret)
{
	struct symbol *s = &m->symbols.symbol.at[index];
	*ret = (struct debuginfo_symbol){
		.name = symbol_shown(m, s),
		.raw = s->raw,
		.start = s->start,
		.size = s->size,
		.module_id = m->id,
		.is_object = s->flags & SYMBOL_OBJECT,
	};
}

bool debuginfo_symbol_at(const struct debuginfo *di, uint64_t addr, struct debuginfo_symbol *ret)
{
	struct module_info *m = debuginfo_info(di, image_module_find(di->image, addr));
	if (!m)
		return false;
	const struct symbol_table *t = module_symbols(m);
	uint64_t lo = 0, hi = t->range.n; /* the last range that starts at or before addr */
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (t->range.at[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	uint32_t symbol = lo ? t->range.at[lo - 1].symbol : 0;
	if (!symbol)
		return false;
	symbol_answer(m, symbol - 1, ret);
	return true;
}

static bool symbol_find_in(struct module_info *m, const char *raw, struct debuginfo_symbol *ret)
{
	const struct symbol_table *t = module_symbols(m);
	if (!t->slots)
		return false;
	for (uint32_t k = name_hash(raw) & (t->slots - 1); t->slot[k];
	     k = (k + 1) & (t->slots - 1)) {
		if (strcmp(t->symbol.at[t->slot[k] - 1].raw, raw))
			continue;
		symbol_answer(m, t->slot[k] - 1, ret);
		return true;
	}
	return false;
}

bool debuginfo_symbol_find(const struct debuginfo *di, uint32_t module_id, const char *raw,
			   struct debuginfo_symbol *ret)
{
	if (module_id) {
		struct module_info *m = debuginfo_info(di, module_id);
		return m && symbol_find_in(m, raw, ret);
	}
	for (uint32_t i = 0; i < di->nmodule; i++)
		if (symbol_find_in(&di->module[i], raw, ret))
			return true;
	return false;
}
