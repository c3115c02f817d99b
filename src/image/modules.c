#include "base/checked.h"
#include "base/cleanup.h"
#include "image/image_impl.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
	HEAP_GAP_MAX = 1 << 30,	  /* arch_randomize_brk: 32 MiB on x86, 1 GiB on arm64 */
	BSS_GUESS_MAX = 16 << 20, /* of a module without headers */
	LINK_NAME_MAX = 4096,
	MODULE_BYTES_MAX = 1 << 30, /* where only parts of one are known */
};

static const char unknown_path[] = "[unknown]";

/* A module on trial: what speaks for it being one, and not just a file that someone mapped. */
struct candidate {
	struct image_module m;
	uint64_t last_offset; /* of the mappings seen so far */
	uint32_t mappings;
	bool executable; /* some mapping is */
	bool certain;	 /* the loader, or the kernel, says so */
};

struct finder {
	struct image *img;
	VEC(struct candidate) found;
	uint32_t *of_segment; /* index + 1 into found, by segment */
	bool any_names;
	link_entries links;
};

/* ---- names ---- */

/* Does the name come from the dump, and not from us ("[heap]")? */
static bool name_is_path(const char *name)
{
	return name && name[0] != '[';
}

static bool starts_with(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/*
 * Names that the kernel gives to memory that is no file: mm/shmem.c, mm/hugetlb.c (private huge
 * pages too), ipc/shm.c, fs/aio.c.
 */
static enum segment_kind kind_of_name(const char *name)
{
	static const struct {
		const char *prefix;
		enum segment_kind kind;
	} kinds[] = {
		{"/anon_hugepage", SEGMENT_ANON},   {"/dev/zero (deleted)", SEGMENT_SHARED},
		{"/dev/shm/", SEGMENT_SHARED},	    {"/memfd:", SEGMENT_SHARED},
		{"/SYSV", SEGMENT_SHARED},	    {"/[aio]", SEGMENT_SHARED},
		{"/drm mm object", SEGMENT_SHARED}, {"/i915", SEGMENT_SHARED},
		{"/dev/ashmem", SEGMENT_SHARED},
	};
	/* A private mapping of /dev/zero is anonymous memory by another name. */
	if (!strcmp(name, "/dev/zero"))
		return SEGMENT_ANON;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (starts_with(name, kinds[i].prefix))
			return kinds[i].kind;
	return SEGMENT_FILE;
}

/* ---- candidates ---- */

static struct error *candidate_add(struct finder *f, const struct image_module *m, uint32_t *ret)
{
	*ret = 0;
	if (f->found.n >= MODULES_MAX)
		return NULL;
	struct candidate c = {.m = *m};
	image_module_read_headers(f->img, &c.m);
	struct error *err = vec_push(&f->found, c);
	if (!err)
		*ret = (uint32_t)f->found.n;
	return err;
}

/* Is the mapping one of this candidate's? It has the same name. */
static bool candidate_takes(const struct candidate *c, const struct image_segment *s)
{
	if (c->m.has_headers)
		return s->start >= c->m.start && s->start < c->m.end;
	return s->file_offset && s->file_offset >= c->last_offset;
}

static void candidate_note(struct candidate *c, const struct image_segment *s)
{
	c->last_offset = s->file_offset;
	c->mappings++;
	c->executable |= (s->perms & PERM_X) != 0;
	if (!c->m.has_headers && s->end > c->m.end)
		c->m.end = s->end;
}

/*
 * Goes through the mappings once, in address order. A named one that begins its file starts a
 * candidate, the following ones of that name belong to it: a library that is mapped twice is two.
 * Where the dump has no names at all (qemu-user; more than 4 MiB of them, and the kernel leaves
 * them out), an ELF header at the start of a mapping does.
 */
static struct error *find_by_segments(struct finder *f)
{
	const struct image *img = f->img;
	uint32_t current = 0;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		struct candidate *c = current ? &f->found.at[current - 1] : NULL;
		bool vdso = s->start == img->process.at_sysinfo_ehdr && !s->name;
		struct elf_table t;
		if (s->name && c && c->m.path && !strcmp(c->m.path, s->name) &&
		    candidate_takes(c, s)) {
			f->of_segment[i] = current;
			candidate_note(c, s);
			continue;
		}
		if (!(s->name && !s->file_offset) &&
		    !(!s->name && (vdso || !f->any_names) && elf_table_find(img, s->start, &t)))
			continue;
		struct image_module m = {.start = s->start, .end = s->end, .path = s->name};
		if (vdso)
			m.path = "[vdso]";
		struct error *err = candidate_add(f, &m, &current);
		if (err)
			return err;
		if (!current)
			continue;
		c = &f->found.at[current - 1];
		c->certain = vdso;
		f->of_segment[i] = current;
		candidate_note(c, s);
	}
	return NULL;
}

/* The candidate at addr; 0: none. */
static uint32_t candidate_at(const struct finder *f, uint64_t addr)
{
	const struct image_segment *s = image_segment_find(f->img, addr);
	if (!s)
		return 0;
	uint32_t id = f->of_segment[s - f->img->segment];
	if (id || name_is_path(s->name))
		return id;
	/* A nameless mapping between the named ones of a module: .bss, or a dump without names. */
	uint64_t lo = 0, hi = f->found.n; /* in address order but for the few that came later */
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (f->found.at[mid].m.start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && addr < f->found.at[lo - 1].m.end ? (uint32_t)lo : 0;
}

/* ---- the executable ---- */

static void candidate_make_exe(struct finder *f, uint32_t id)
{
	struct candidate *c = &f->found.at[id - 1];
	for (uint64_t i = 0; i < f->found.n; i++)
		f->found.at[i].m.is_exe = false;
	c->m.is_exe = c->certain = true;
	image_module_read_headers(f->img, &c->m);
}

static struct error *find_exe(struct finder *f)
{
	const struct image *img = f->img;
	const struct image_process *p = &img->process;
	uint32_t id = 0;
	if (p->at_phdr)
		id = candidate_at(f, p->at_phdr);
	if (!id && p->at_entry)
		id = candidate_at(f, p->at_entry);
	const struct image_segment *s =
		id || !p->at_phdr ? NULL : image_segment_find(img, p->at_phdr);
	if (s) {
		struct image_module m = {
			.start = s->start, .end = s->end, .is_exe = true, .path = s->name};
		/* Without names: its mappings touch each other, and the first writable is .data. */
		const struct image_segment *last = &img->segment[img->nsegment - 1];
		for (const struct image_segment *n = s; !s->name && n < last; n++) {
			if (n[1].start != n->end || n[1].perms & PERM_W || n[1].name)
				break;
			m.end = n[1].end;
		}
		struct error *err = candidate_add(f, &m, &id);
		if (err)
			return err;
		if (id)
			f->of_segment[s - img->segment] = id;
	}
	if (id)
		candidate_make_exe(f, id);
	return NULL;
}

static const struct candidate *exe_get(const struct finder *f)
{
	for (uint64_t i = 0; i < f->found.n; i++)
		if (f->found.at[i].m.is_exe)
			return &f->found.at[i];
	return NULL;
}

/* ---- the loader's list ---- */

/*
 * DT_DEBUG is in the executable's dynamic section. When ld.so was run as a command the kernel takes
 * ld.so for the executable, which has none: then it is where the value is set, and that is the
 * executable.
 */
static uint64_t find_r_debug(struct finder *f)
{
	uint64_t v;
	const struct candidate *exe = exe_get(f);
	if (exe && dynamic_find(f->img, exe->m.dynamic, DT_DEBUG, &v) && v)
		return v;
	for (uint64_t i = 0; i < f->found.n; i++) {
		const struct image_module *m = &f->found.at[i].m;
		if (!m->has_headers || !dynamic_find(f->img, m->dynamic, DT_DEBUG, &v) || !v)
			continue;
		candidate_make_exe(f, (uint32_t)i + 1);
		return v;
	}
	return r_debug_search(f->img);
}

static const char *link_name(struct image *img, uint64_t addr)
{
	char name[LINK_NAME_MAX + 1];
	if (!addr || !image_try_string(img, addr, name, LINK_NAME_MAX) || !name[0])
		return NULL;
	return region_strdup(&img->region, name);
}

/*
 * A module that only the loader knows: no names in the dump, or no header at the start. Without
 * its headers it reaches at least from its first mapping to the one with its dynamic section.
 */
static struct error *add_by_link(struct finder *f, const struct link_entry *e, uint32_t *ret)
{
	const struct image *img = f->img;
	const struct image_segment *ld = image_segment_find(img, e->ld);
	const struct image_segment *first = e->addr ? image_segment_find(img, e->addr) : ld;
	*ret = 0;
	if (!ld)
		return NULL;
	if (!first || first > ld || e->ld - e->addr > MODULE_BYTES_MAX)
		first = ld;
	struct image_module m = {.start = first->start, .end = ld->end, .path = ld->name};
	struct error *err = candidate_add(f, &m, ret);
	if (!err && *ret)
		f->of_segment[ld - img->segment] = f->of_segment[first - img->segment] = *ret;
	return err;
}

/* The first in the list is the executable, even where nothing of it but its data is in the dump. */
static uint32_t exe_of_link(struct finder *f, const struct link_entry *e)
{
	const struct image_segment *ld = image_segment_find(f->img, e->ld);
	for (uint32_t i = 0; ld && i < f->found.n; i++) {
		struct image_module *m = &f->found.at[i].m;
		if (!m->is_exe || m->has_headers || m->start > e->ld ||
		    e->ld - m->start > MODULE_BYTES_MAX)
			continue;
		if (ld->end > m->end)
			m->end = ld->end;
		return i + 1;
	}
	return 0;
}

static struct error *find_by_links(struct finder *f)
{
	struct image *img = f->img;
	struct error *err = link_map_read(img, find_r_debug(f), &f->links);
	for (uint64_t i = 0; !err && i < f->links.n; i++) {
		const struct link_entry *e = &f->links.at[i];
		uint32_t id = e->ld ? candidate_at(f, e->ld) : 0;
		if (!id && !i)
			id = exe_of_link(f, e);
		if (!id && e->ld)
			err = add_by_link(f, e, &id);
		if (err)
			break;
		if (!id)
			continue;
		struct candidate *c = &f->found.at[id - 1];
		c->certain = true;
		if (!c->m.path)
			c->m.path = link_name(img, e->name);
		if (!c->m.has_headers) {
			c->m.bias = e->addr;
			c->m.dynamic = e->ld;
		}
		link_map_read_tls(img, e->node, &c->m);
	}
	return err;
}

/* ---- the list of modules ---- */

/*
 * A file that a program mapped to read it (a debugger its target, say) is one mapping, not
 * executable. gcore does not keep the permission of mappings that it leaves out, therefore the
 * number counts too, where the headers are there.
 */
static bool candidate_holds(const struct candidate *c)
{
	if (c->certain)
		return true;
	if (!c->m.path || kind_of_name(c->m.path) != SEGMENT_FILE)
		return c->m.has_headers && c->executable;
	return c->executable || (c->m.has_headers && c->mappings > 1);
}

struct order {
	uint64_t start;
	uint32_t id;
};

static int order_compare(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Numbers those that hold in address order, and gives their segments the number. */
static struct error *keep_modules(struct finder *f)
{
	struct image *img = f->img;
	uint32_t n = 0;
	_cleanup_free_ struct order *order = calloc(f->found.n + 1, sizeof(*order));
	_cleanup_free_ uint32_t *number = calloc(f->found.n + 1, sizeof(*number));
	if (!order || !number)
		return &error_nomem;
	for (uint32_t i = 0; i < f->found.n; i++)
		if (candidate_holds(&f->found.at[i]))
			order[n++] = (struct order){f->found.at[i].m.start, i};
	qsort(order, n, sizeof(*order), order_compare);
	for (uint32_t i = 0; i < n; i++) {
		struct image_module *m = &f->found.at[order[i].id].m;
		if (!m->path && m->is_exe)
			m->path = link_name(img, img->process.at_execfn);
		if (!m->path)
			m->path = unknown_path;
		struct error *err = image_add_module(img, m);
		if (err)
			return err;
		number[order[i].id + 1] = img->nmodule;
	}
	for (uint32_t i = 0; i < img->nsegment; i++)
		img->segment[i].module_id = number[f->of_segment[i]];
	return NULL;
}

static struct error *first_find(struct image *img)
{
	struct finder f = {.img = img};
	struct error *err = NULL;
	for (uint32_t i = 0; i < img->nsegment; i++)
		f.any_names |= img->segment[i].name != NULL;
	f.of_segment = calloc(img->nsegment ? img->nsegment : 1, sizeof(*f.of_segment));
	if (!f.of_segment)
		err = &error_nomem;
	if (!err)
		err = find_by_segments(&f);
	if (!err)
		err = find_exe(&f);
	if (!err)
		err = find_by_links(&f);
	if (!err)
		err = keep_modules(&f);
	free(f.of_segment);
	vec_deinit(&f.found);
	vec_deinit(&f.links);
	return err;
}

/* Backing has come: headers that the dump lacks may be there now. */
static struct error *refine(struct image *img)
{
	link_entries links = {0};
	uint64_t r_debug = 0;
	for (uint32_t i = 0; i < img->nmodule; i++) {
		struct image_module *m = &img->module[i];
		if (!m->has_headers)
			image_module_read_headers(img, m);
		if (m->is_exe)
			dynamic_find(img, m->dynamic, DT_DEBUG, &r_debug);
	}
	if (!r_debug)
		r_debug = r_debug_search(img);
	struct error *err = link_map_read(img, r_debug, &links);
	for (uint64_t i = 0; !err && i < links.n; i++) {
		uint32_t id = image_module_find(img, links.at[i].ld);
		if (!id)
			continue;
		struct image_module *m = &img->module[id - 1];
		link_map_read_tls(img, links.at[i].node, m);
		/* The interpreter's name is in the executable's text. */
		const char *name =
			m->path == unknown_path ? link_name(img, links.at[i].name) : NULL;
		if (name)
			m->path = name;
	}
	vec_deinit(&links);
	return err;
}

/* ---- kinds ---- */

/* The last module that starts at or below addr; 0: none. The list is in address order. */
static uint32_t module_below(const struct image *img, uint64_t addr)
{
	uint32_t lo = 0, hi = img->nmodule;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (img->module[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int address_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* .bss and what was mapped behind it (the break, without randomisation) can be one mapping. */
static struct error *split_at_ends(struct image *img)
{
	uint64_t n = 0;
	_cleanup_free_ uint64_t *end = calloc(img->nmodule + (size_t)1, sizeof(*end));
	if (!end)
		return &error_nomem;
	for (uint32_t i = 0; i < img->nmodule; i++) {
		const struct image_module *m = &img->module[i];
		const struct image_segment *s = image_segment_find(img, m->end);
		if (m->has_headers && s && !s->name && s->start < m->end && s->start > m->start)
			end[n++] = m->end;
	}
	qsort(end, n, sizeof(*end), address_compare);
	return image_split_segments(img, end, n);
}

/*
 * Without a module's headers: is `s`, which touches its mapping `below` from above, its .data or
 * .bss? Taken for it if it follows what the process had written to. Behind the executable's data
 * comes the break, without randomisation at once: there only data is taken, which follows relro.
 */
static bool touches_headerless(const struct image_module *m, const struct image_segment *below,
			       const struct image_segment *s)
{
	bool written = below->perms & PERM_W || (below->present && !(below->perms & PERM_X));
	return !m->has_headers && written && below->end == s->start && s->perms & PERM_W &&
	       s->end - s->start <= BSS_GUESS_MAX && !(m->is_exe && below->perms & PERM_W);
}

/* Nameless mappings inside a module's range are its own: .bss, and all when there are no names. */
static void claim_nameless(struct image *img)
{
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct image_segment *s = &img->segment[i];
		if (name_is_path(s->name))
			continue;
		uint32_t id = module_below(img, s->start);
		const struct image_module *m = id ? image_module_get(img, id) : NULL;
		s->module_id = m && s->start < m->end ? id : 0;
		if (!s->module_id && m && i && s[-1].module_id == id &&
		    touches_headerless(m, &s[-1], s))
			s->module_id = id;
	}
}

/*
 * Of a module without headers, what is in the dump and is no code was written to, or it would have
 * been left out as its headers were.
 */
static void guess_data(struct image *img)
{
	for (uint32_t i = 0; i < img->nsegment; i++) {
		const struct image_segment *s = &img->segment[i];
		struct image_module *m = s->module_id ? &img->module[s->module_id - 1] : NULL;
		if (!m || m->has_headers || !s->present || s->perms & PERM_X)
			continue;
		if (m->data_start == m->data_end)
			m->data_start = s->start;
		m->data_end = s->end;
		if (s->end > m->end)
			m->end = s->end;
	}
}

/* gcore writes no permissions for mappings that it leaves out: the program headers know them. */
static void restore_perms(struct image *img, struct image_segment *s)
{
	const struct image_module *m = image_module_get(img, s->module_id);
	struct elf_table t;
	if (s->present || s->perms != PERM_R || !elf_table_find(img, m->start, &t))
		return;
	for (uint32_t i = 0; i < t.phnum; i++) {
		struct elf_phdr ph;
		if (!elf_table_get(img, &t, i, &ph))
			return;
		if (ph.type == PT_LOAD && ph.flags & PF_X && !(ph.flags & PF_W) &&
		    checked_within(s->start, 1,
				   image_wrap(img, m->bias + align_down(ph.vaddr, img->page_size)),
				   image_wrap(img, m->bias + ph.vaddr + ph.memsz)))
			s->perms |= PERM_X;
	}
}

static void set_kind(struct image_segment *s, enum segment_kind kind, const char *name)
{
	s->kind = (uint8_t)kind;
	if (!s->name)
		s->name = name;
}

static void find_vdso(struct image *img)
{
	/* arch/x86/entry/vsyscall: one page at a fixed address, only there */
	const uint64_t vsyscall = UINT64_C(0xffffffffff600000);
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct image_segment *s = &img->segment[i];
		const struct image_module *m =
			s->module_id ? image_module_get(img, s->module_id) : NULL;
		if (img->machine == MACHINE_X86_64 && s->start == vsyscall)
			set_kind(s, SEGMENT_VDSO, "[vsyscall]");
		if (!m || strcmp(m->path, "[vdso]"))
			continue;
		set_kind(s, SEGMENT_VDSO, "[vdso]");
		/* The data that it reads lies right before it: up to three mappings. */
		for (uint32_t k = 1; k <= 3 && k <= i; k++) {
			struct image_segment *v = s - k;
			if (v->end != v[1].start || v->perms & (PERM_W | PERM_X) ||
			    (v->name && v->name[0] != '[') || v->module_id)
				break;
			set_kind(v, SEGMENT_VDSO, "[vvar]");
		}
	}
}

/* The main thread's: the kernel puts the path that was executed at its very bottom. */
static void find_stack(struct image *img)
{
	const struct image_process *p = &img->process;
	uint64_t at = p->at_execfn;
	for (uint32_t i = 0; !image_segment_find(img, at) && i < img->nthread; i++)
		if (img->thread[i].tid == p->pid || img->nthread == 1)
			at = img->thread[i].sp;
	const struct image_segment *found = image_segment_find(img, at);
	if (found && found->kind == SEGMENT_ANON && !found->name && found->perms & PERM_W)
		set_kind(&img->segment[found - img->segment], SEGMENT_STACK, "[stack]");
}

/* A mapping that the break could be. */
static bool could_be_heap(const struct image_segment *s)
{
	return s->kind == SEGMENT_ANON && !s->name && !s->module_id && s->perms & PERM_W;
}

static void mark_heap(struct image *img, uint32_t i)
{
	set_kind(&img->segment[i], SEGMENT_HEAP, "[heap]");
	for (i++; i < img->nsegment; i++) {
		struct image_segment *s = &img->segment[i];
		if (s->start != s[-1].end || s->kind != SEGMENT_ANON || s->name || s->module_id)
			break;
		set_kind(s, SEGMENT_HEAP, "[heap]");
	}
}

/* The first that could be it in [from, from + HEAP_GAP_MAX]. */
static bool find_heap_above(struct image *img, uint64_t from)
{
	for (uint32_t i = image_segment_from(img, from);
	     i < img->nsegment && img->segment[i].start >= from &&
	     img->segment[i].start - from <= HEAP_GAP_MAX;
	     i++) {
		const struct image_segment *s = &img->segment[i];
		if (s->module_id || name_is_path(s->name))
			return false;
		if (could_be_heap(s)) {
			mark_heap(img, i);
			return true;
		}
	}
	return false;
}

/*
 * See image.h. A program without interpreter (static-pie; ld.so run as a command) is mapped among
 * the libraries, and its break starts where a PIE would have been (fs/binfmt_elf.c:
 * ELF_ET_DYN_BASE, two thirds of the address space).
 */
static void find_heap(struct image *img)
{
	static const uint64_t et_dyn_base[] = {
		[MACHINE_X86_64] = UINT64_C(0x555555554000),
		[MACHINE_AARCH64] = UINT64_C(0xaaaaaaaaa000),
		[MACHINE_I386] = UINT64_C(0x56555000),
	};
	const struct image_module *exe = NULL;
	for (uint32_t i = 0; i < img->nmodule; i++)
		if (img->module[i].is_exe)
			exe = &img->module[i];
	if (exe && find_heap_above(img, exe->end))
		return;
	find_heap_above(img, et_dyn_base[img->machine]);
}

struct error *image_find_modules(struct image *img)
{
	struct error *err = img->modules_found ? refine(img) : first_find(img);
	if (err)
		return err;
	img->modules_found = true;
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct image_segment *s = &img->segment[i];
		s->kind = SEGMENT_ANON;
		if (!name_is_path(s->name))
			s->name = NULL;
	}
	err = split_at_ends(img);
	if (err)
		return err;
	claim_nameless(img);
	guess_data(img);
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct image_segment *s = &img->segment[i];
		if (s->module_id) {
			s->kind = SEGMENT_MODULE;
			restore_perms(img, s);
		} else if (s->name) {
			s->kind = (uint8_t)kind_of_name(s->name);
		}
	}
	find_vdso(img);
	find_stack(img);
	find_heap(img);
	image_find_thread_pointers(img);
	for (uint32_t i = 0; i < img->nmodule; i++)
		if (img->module[i].is_exe)
			img->process.exe = img->module[i].path;
	return NULL;
}
