#include "runtime/runtime.h"

#define RUNTIME(name) extern const struct runtime runtime_##name;
#include "runtime/runtimes.def"
#undef RUNTIME

static const struct runtime *const runtime_all[] = {
#define RUNTIME(name) &runtime_##name,
#include "runtime/runtimes.def"
#undef RUNTIME
};

enum { RUNTIMES = sizeof(runtime_all) / sizeof(runtime_all[0]) };

struct error *runtime_prepare(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++) {
		if (!runtime_all[i]->prepare)
			continue;
		struct error *err = runtime_all[i]->prepare(ctx);
		if (err)
			return error_note(err, "%s, before the heap", runtime_all[i]->name);
	}
	return NULL;
}

struct error *runtime_objects(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++) {
		if (!runtime_all[i]->objects)
			continue;
		struct error *err = runtime_all[i]->objects(ctx);
		if (err)
			return error_note(err, "%s objects", runtime_all[i]->name);
	}
	return NULL;
}

struct error *runtime_references(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++) {
		if (!runtime_all[i]->references)
			continue;
		struct error *err = runtime_all[i]->references(ctx);
		if (err)
			return error_note(err, "%s references", runtime_all[i]->name);
	}
	return NULL;
}
