/*
 * inlined: the functions that one address of code belongs to.
 *
 * DWARF 5, 3.3.8.2: an inlined subroutine is an entry of its own in the function that has it, with
 * the place of the call (DW_AT_call_file, DW_AT_call_line). So the innermost function is where the
 * line table says, and each outer one is where the one inside it was called.
 */
#include "debuginfo/debuginfo_impl.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

enum { CODE_FUNCTIONS_MAX = 128 };

struct code_function {
	const char *raw, *file;
	uint32_t line;
};

static const char *die_name(Dwarf_Die *die)
{
	Dwarf_Attribute at;
	Dwarf_Attribute *a = dwarf_attr_integrate(die, DW_AT_linkage_name, &at);
	if (!a)
		a = dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &at);
	const char *name = a ? dwarf_formstring(a) : NULL;
	return name ? name : dwarf_diename(die);
}

static const char *call_file(Dwarf_Die *cu, Dwarf_Die *die)
{
	Dwarf_Attribute at;
	Dwarf_Word number;
	Dwarf_Files *files;
	size_t n;
	if (!dwarf_attr(die, DW_AT_call_file, &at) || dwarf_formudata(&at, &number) ||
	    dwarf_getsrcfiles(cu, &files, &n) || number >= n)
		return NULL;
	return dwarf_filesrc(files, number, NULL, NULL);
}

static uint32_t call_line(Dwarf_Die *die)
{
	Dwarf_Attribute at;
	Dwarf_Word number;
	if (!dwarf_attr(die, DW_AT_call_line, &at) || dwarf_formudata(&at, &number))
		return 0;
	return number <= INT32_MAX ? (uint32_t)number : 0;
}

/* The scopes around pc that are functions, innermost first. How many. */
static unsigned code_functions(Dwarf_Die *cu, uint64_t pc, struct code_function *f)
{
	Dwarf_Die *scope = NULL, *nested = NULL;
	int n = dwarf_getscopes(cu, pc, &scope), depth = 0;
	unsigned k = 0;
	for (int i = 0; i < n; i++) {
		int tag = dwarf_tag(&scope[i]);
		/* What is around an inlined function in the list is where it was defined. */
		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
		    tag == DW_TAG_entry_point) {
			depth = dwarf_getscopes_die(&scope[i], &nested);
			break;
		}
	}
	for (int i = 0; i < depth && k < CODE_FUNCTIONS_MAX; i++) {
		int tag = dwarf_tag(&nested[i]);
		if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine)
			continue;
		f[k].raw = die_name(&nested[i]);
		if (tag == DW_TAG_subprogram) {
			k++;
			break;
		}
		if (++k == CODE_FUNCTIONS_MAX)
			break;
		f[k].file = call_file(cu, &nested[i]);
		f[k].line = call_line(&nested[i]);
	}
	free(scope);
	free(nested);
	return k;
}

struct error *debuginfo_code_at(const struct debuginfo *di, uint64_t pc, debuginfo_code_fn fn,
				void *arg)
{
	struct code_function f[CODE_FUNCTIONS_MAX] = {{0}};
	unsigned n = 0;
	struct module_info *m = debuginfo_info(di, image_module_find(di->image, pc));
	if (!m)
		return NULL;
	bool has_dwarf = m->file.has_dwarf || m->debug.has_dwarf;
	Dwfl_Module *mod = has_dwarf ? module_dwfl(m) : NULL;
	Dwarf_Addr bias = 0;
	uint64_t unit_bias = 0;
	Dwarf_Die *cu = mod ? dwfl_module_addrdie(mod, pc, &bias) : NULL;
	if (!cu && mod) {
		cu = module_unit_at(m, mod, pc, &unit_bias);
		bias = unit_bias;
	}
	if (cu)
		n = code_functions(cu, pc - bias, f);
	const char *file;
	uint32_t line;
	if (mod && debuginfo_line_at(di, pc, &file, &line)) {
		f[0].file = file;
		f[0].line = line;
	}
	struct debuginfo_symbol sym;
	bool known = debuginfo_symbol_at(di, pc, &sym);
	if (!n && known)
		f[n++].raw = sym.raw;
	struct error *err = NULL;
	while (n-- && !err) {
		if (!f[n].raw)
			continue;
		char *shown = debuginfo_demangle(f[n].raw);
		err = fn(arg, shown ? shown : f[n].raw, f[n].file, f[n].line);
		free(shown);
	}
	return err;
}
