#include "runtime/runtime.h"

#define RUNTIME(name) extern const struct runtime runtime_##name;
#include "runtime/runtimes.def"
#undef RUNTIME

const struct runtime *const runtime_table[RUNTIMES] = {
#define RUNTIME(name) &runtime_##name,
#include "runtime/runtimes.def"
#undef RUNTIME
};

struct error *runtime_prepare(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++) {
		if (!runtime_table[i]->prepare)
			continue;
		struct error *err = runtime_table[i]->prepare(ctx);
		if (err)
			return error_note(err, "%s, before the heap", runtime_table[i]->name);
	}
	return NULL;
}

struct error *runtime_objects(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++) {
		if (!runtime_table[i]->objects)
			continue;
		struct error *err = runtime_table[i]->objects(ctx);
		if (err)
			return error_note(err, "%s objects", runtime_table[i]->name);
	}
	return NULL;
}

struct error *runtime_references(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++) {
		if (!runtime_table[i]->references)
			continue;
		struct error *err = runtime_table[i]->references(ctx);
		if (err)
			return error_note(err, "%s references", runtime_table[i]->name);
	}
	return NULL;
}

struct error *runtime_counts(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++) {
		if (!runtime_table[i]->counts)
			continue;
		struct error *err = runtime_table[i]->counts(ctx);
		if (err)
			return error_note(err, "%s counts", runtime_table[i]->name);
	}
	return NULL;
}

void runtime_finish(struct runtime_context *ctx)
{
	for (unsigned i = 0; i < RUNTIMES; i++)
		if (runtime_table[i]->finish)
			runtime_table[i]->finish(ctx);
}
