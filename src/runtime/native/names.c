#include "runtime/native/native.h"

struct error *native_names(struct runtime_context *ctx)
{
	(void)ctx;
	return NULL;
}
