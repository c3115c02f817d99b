/* path_reference: `path --cut=REFERENCE`: what would be free without one reference, and who else holds it. */
#pragma once

#include "cmd/cmd.h"

/* goal: OBJECT; 0: REFERENCE says it, too. */
struct error *path_reference(struct cmd_context *ctx, int64_t goal) _must_check_;
