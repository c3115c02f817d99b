#include "heap/heap.h"

#define ALLOCATOR(name) extern const struct allocator allocator_##name;
#include "heap/allocators.def"
#undef ALLOCATOR

static const struct allocator *const heap_allocator[] = {
#define ALLOCATOR(name) &allocator_##name,
#include "heap/allocators.def"
#undef ALLOCATOR
};

struct error *heap_scan(struct heap_context *ctx)
{
	for (unsigned i = 0; i < sizeof(heap_allocator) / sizeof(heap_allocator[0]); i++) {
		const struct allocator *a = heap_allocator[i];
		uint32_t arenas = 0;
		struct error *err = a->scan(ctx, &arenas);
		if (err)
			return error_note(err, "%s heap", a->name);
		log_info(ctx->log, "%s: %u arenas", a->name, arenas);
	}
	return NULL;
}
