/*
 * managed: languages whose objects are not known here. Their interpreters are told by what they export, and by their
 * libraries' names, so that the report says what it cannot see, and who can: nothing is read, nothing claimed.
 *
 * What this can mistake: a program that links such a library and never uses it.
 */
#include "base/base_name.h"
#include "runtime/runtime.h"

#include <string.h>

struct managed {
	const char *name;	     /* of the language's implementation */
	const char *library;	     /* the beginning of a binary's name; NULL: there is none */
	const char *symbol;	     /* that it exports (or has in its symbol table); NULL: none */
	const char *place, *instead; /* where its objects are; who reads them */
};

static const char mappings[] = "mappings of its own, which nothing explains";
static const char blocks[] = "blocks whose words are read, and whose types are not known";

static const struct managed managed[] = {
	/* nodejs src/node_api.h, node.h: NODE_EXTERN */
	{"V8 (Node.js)", "libnode.so", "node_module_register", mappings,
	 "node --heapsnapshot-signal, and the browser's DevTools"},
	{"V8", "libv8", NULL, mappings, "a heap snapshot, and the browser's DevTools"},
	{"SpiderMonkey", "libmozjs-", NULL, mappings, "its own dumpHeap()"},
	/* OpenJDK src/java.base/share/native/include/jni.h */
	{"Java", "libjvm.so", NULL, mappings, "jmap (also of a core), and Eclipse MAT"},
	{".NET", "libcoreclr.so", NULL, mappings, "dotnet-dump (also of a core)"},
	{"Mono", "libmono", NULL, mappings, "its own profiler"},
	/* Go src/runtime/mheap.go */
	{"Go", NULL, "runtime.mheap_", mappings,
	 "viewcore (of a core), or a heap profile of pprof's"},
	{"Erlang", "beam.smp", NULL, mappings, "its own crash dump, and observer"},
	/* ruby include/ruby/internal/interpreter.h */
	{"Ruby", "libruby", "ruby_init", "pages of 64 KiB in blocks of malloc's",
	 "ObjectSpace.dump_all in the process"},
	/* php-src 8.2 Zend/zend_alloc.h, ZEND_API; USE_ZEND_ALLOC: zend_alloc.c, alloc_globals_ctor */
	{"PHP", "libphp", "_emalloc", mappings,
	 "itself with USE_ZEND_ALLOC=0 in its environment, which makes its memory malloc's, and "
	 "its extensions meminfo and memprof"},
	/* perl5 perl.c; sv.c: arenas of PERL_ARENA_SIZE, 4080 bytes */
	{"Perl", "libperl.so", "perl_construct",
	 "blocks of 4080 bytes, many in each, and their texts and tables in blocks of their own",
	 "Devel::MAT"},
	{"Guile", "libguile-", NULL, blocks, "its own statistics"},
	{"the Boehm collector", "libgc.so", NULL, mappings, "GC_dump in the process"},
};

/* The module that brings it; 0: it is not here. */
static uint32_t managed_find(const struct runtime_context *ctx, const struct managed *m)
{
	struct debuginfo_symbol symbol;
	for (uint32_t id = 1; m->library && id <= ctx->image->nmodule; id++)
		if (!strncmp(base_name(image_module_get(ctx->image, id)->path), m->library,
			     strlen(m->library)))
			return id;
	if (m->symbol && ctx->debuginfo &&
	    debuginfo_symbol_find(ctx->debuginfo, 0, m->symbol, &symbol))
		return symbol.module_id;
	return 0;
}

static struct error *managed_prepare(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < sizeof(managed) / sizeof(*managed); i++) {
		uint32_t id = managed_find(ctx, &managed[i]);
		if (!id)
			continue;
		damage_add(ctx->damage, DAMAGE_MISSING, 0,
			   "this process runs %s (in %s), whose objects are not known here: they "
			   "are in %s; who reads them: %s",
			   managed[i].name, base_name(image_module_get(ctx->image, id)->path),
			   managed[i].place, managed[i].instead);
		struct error *err =
			snapshot_meta(ctx->snapshot, "unread_runtime", "%s", managed[i].name);
		if (!err && managed[i].place == mappings)
			err = snapshot_meta(ctx->snapshot, "unread_runtime_instead", "%s",
					    managed[i].instead);
		return err;
	}
	return NULL;
}

const struct runtime runtime_managed = {
	.name = "managed",
	.prepare = managed_prepare,
};
