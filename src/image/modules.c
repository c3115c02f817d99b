#include "base/checked.h"
#include "base/cleanup.h"
#include "image/image_impl.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
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
	if (id || image_name_is_path(s->name))
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
	if (!c->m.path || image_kind_of_name(c->m.path) != SEGMENT_FILE)
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

struct error *image_find_modules(struct image *img)
{
	struct error *err = img->modules_found ? refine(img) : first_find(img);
	if (err)
		return err;
	img->modules_found = true;
	err = image_find_kinds(img);
	if (err)
		return err;
	image_find_thread_pointers(img);
	for (uint32_t i = 0; i < img->nmodule; i++)
		if (img->module[i].is_exe)
			img->process.exe = img->module[i].path;
	return NULL;
}
