#include "heap/heap.h"

#include "base/base_name.h"

#include <string.h>

#define ALLOCATOR(name) extern const struct allocator allocator_##name;
#include "heap/allocators.def"
#undef ALLOCATOR

static const struct allocator *const heap_allocator[] = {
#define ALLOCATOR(name) &allocator_##name,
#include "heap/allocators.def"
#undef ALLOCATOR
};

/*
 * Allocators that cannot be read yet, by what their libraries are called and by a function that a
 * program which has one inside exports. What they hold is then said to be unknown, not absent, and who
 * can tell: jemalloc 5.3 doc/jemalloc.xml.in (opt.prof, opt.prof_final), gperftools 2.10
 * docs/heapprofile.html, mimalloc 2.0 readme.md (Environment Options).
 */
static const struct {
	const char *library, *symbol, *name, *instead;
} heap_foreign[] = {
#define JEMALLOC                                                                                   \
	"its own profiler (MALLOC_CONF=prof:true,prof_final:true in the environment, with a "      \
	"build "                                                                                   \
	"that has it, as Debian's), whose files heapscan reads; malloc_stats_print() tells live "  \
	"from "                                                                                    \
	"free (redis: MEMORY MALLOC-STATS)"
	{"libjemalloc.so", "mallctlnametomib", "jemalloc", JEMALLOC},
	{"libjemalloc.so", "je_mallctlnametomib", "jemalloc", JEMALLOC},
#undef JEMALLOC
	{"libtcmalloc", "tc_malloc", "tcmalloc",
	 "its own profiler (HEAPPROFILE=/tmp/app in the environment, with libtcmalloc and not its "
	 "minimal build), whose files heapscan reads"},
	{"libmimalloc", "mi_malloc", "mimalloc",
	 "heaptrack, whose files heapscan reads; MIMALLOC_SHOW_STATS=1 tells live from free at "
	 "exit"},
	{"ld-musl-", NULL, "musl's malloc", "bcc's memleak or ltrace, whose output heapscan reads"},
	{"libasan.so", "__asan_init", "AddressSanitizer's allocator",
	 "its own report of leaks (ASAN_OPTIONS=detect_leaks=1, at exit), which heapscan reads"},
	{"librpmalloc", "rpmalloc", "rpmalloc",
	 "heaptrack or bcc's memleak, whose output heapscan reads"},
	{"libsnmalloc", "sn_malloc", "snmalloc",
	 "heaptrack or bcc's memleak, whose output heapscan reads"},
};

/*
 * Profilers that are loaded into the process export functions of every allocator to intercept them;
 * none of them is one (heaptrack 1.4 src/track/heaptrack_preload.cpp has mi_malloc and je_mallctl).
 */
static const char *const heap_interposer[] = {"libheaptrack_", "libmemray", "_memray"};

/*
 * CPython has mimalloc inside since 3.13 (Objects/mimalloc) and uses it where pymalloc is not used:
 * in builds without the GIL, or when told to.
 */
static bool heap_is_dormant(const struct heap_context *ctx, uint32_t module_id)
{
	struct debuginfo_symbol symbol;
	if (!debuginfo_symbol_find(ctx->debuginfo, module_id, "PyObject_Malloc", &symbol))
		return false;
	for (uint64_t i = 0; i < ctx->snapshot->arena.n; i++)
		if (!strcmp(intern_text(&ctx->snapshot->strings,
					ctx->snapshot->arena.at[i].allocator),
			    "pymalloc"))
			return true;
	return false;
}

static bool heap_is_interposer(const struct heap_context *ctx, uint32_t module_id)
{
	const char *base = base_name(image_module_get(ctx->image, module_id)->path);
	for (unsigned i = 0; i < sizeof(heap_interposer) / sizeof(*heap_interposer); i++)
		if (!strncmp(base, heap_interposer[i], strlen(heap_interposer[i])))
			return true;
	return false;
}

/* The module that brings it, or 0. */
static uint32_t heap_foreign_find(const struct heap_context *ctx, unsigned i)
{
	for (uint32_t id = 1; id <= ctx->image->nmodule; id++) {
		const char *base = base_name(image_module_get(ctx->image, id)->path);
		size_t len = strlen(heap_foreign[i].library);
		if (!strncmp(base, heap_foreign[i].library, len))
			return id;
	}
	struct debuginfo_symbol symbol;
	if (!heap_foreign[i].symbol || !ctx->debuginfo ||
	    !debuginfo_symbol_find(ctx->debuginfo, 0, heap_foreign[i].symbol, &symbol))
		return 0;
	if (!heap_is_interposer(ctx, symbol.module_id))
		return heap_is_dormant(ctx, symbol.module_id) ? 0 : symbol.module_id;
	/* It hides the one that it intercepts, if there is one. */
	for (uint32_t id = 1; id <= ctx->image->nmodule; id++)
		if (!heap_is_interposer(ctx, id) &&
		    debuginfo_symbol_find(ctx->debuginfo, id, heap_foreign[i].symbol, &symbol) &&
		    !heap_is_dormant(ctx, id))
			return id;
	return 0;
}

static struct error *heap_name_foreign(struct heap_context *ctx)
{
	const char *said = NULL;
	for (unsigned i = 0; i < sizeof(heap_foreign) / sizeof(heap_foreign[0]); i++) {
		uint32_t id = heap_foreign_find(ctx, i);
		if (!id || (said && !strcmp(said, heap_foreign[i].name)))
			continue;
		said = heap_foreign[i].name;
		damage_add(
			ctx->damage, DAMAGE_MISSING, 0,
			"this process has %s (in %s), which cannot be read yet: what it allocated "
			"is unexplained memory here, and leaks in it are not seen",
			said, base_name(image_module_get(ctx->image, id)->path));
		struct error *err = snapshot_meta(ctx->snapshot, "unread_allocator", "%s", said);
		if (!err)
			err = snapshot_meta(ctx->snapshot, "unread_allocator_instead", "%s",
					    heap_foreign[i].instead);
		if (err)
			return err;
	}
	return NULL;
}

struct error *heap_scan(struct heap_context *ctx)
{
	uint32_t all = 0;
	for (unsigned i = 0; i < sizeof(heap_allocator) / sizeof(heap_allocator[0]); i++) {
		const struct allocator *a = heap_allocator[i];
		uint32_t arenas = 0;
		struct error *err = a->scan(ctx, &arenas);
		if (err)
			return error_note(err, "%s heap", a->name);
		log_info(ctx->log, "%s: %u arenas", a->name, arenas);
		all += arenas;
	}
	struct error *err = heap_name_foreign(ctx);
	if (!err && !all)
		damage_add(ctx->damage, DAMAGE_MISSING, 0,
			   "no heap was found: nothing can be said of this process's blocks");
	return err;
}
