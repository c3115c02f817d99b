/* Kinds of segments, by their names, by the modules and by what the process says of itself. */
#include "base/checked.h"
#include "base/cleanup.h"
#include "image/image_impl.h"

#include <elf.h>
#include <stdlib.h>

enum {
	HEAP_GAP_MAX = 1 << 30,	  /* arch_randomize_brk: 32 MiB on x86, 1 GiB on arm64 */
	BSS_GUESS_MAX = 16 << 20, /* of a module without headers */
};

static bool starts_with(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

/*
 * Names that the kernel gives to memory that is no file: mm/shmem.c, mm/hugetlb.c (private huge
 * pages too), ipc/shm.c, fs/aio.c.
 */
enum segment_kind image_kind_of_name(const char *name)
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
		if (image_name_is_path(s->name))
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
		if (s->module_id || image_name_is_path(s->name))
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

struct error *image_find_kinds(struct image *img)
{
	for (uint32_t i = 0; i < img->nsegment; i++) {
		struct image_segment *s = &img->segment[i];
		s->kind = SEGMENT_ANON;
		if (!image_name_is_path(s->name))
			s->name = NULL;
	}
	struct error *err = split_at_ends(img);
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
			s->kind = (uint8_t)image_kind_of_name(s->name);
		}
	}
	find_vdso(img);
	find_stack(img);
	find_heap(img);
	return NULL;
}
