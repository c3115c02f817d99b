/* top --what-if: what would be free without each of the first objects, and what the system would get. */
#pragma once

#include "cmd/cmd.h"

/*
 * `stmt` gives the objects, in a column "id". Section "rows": in place of the query's own columns
 * those of store/whatif.h. A bounded number of objects is looked at in all; what that ends is "at
 * least".
 */
struct error *top_what_if(struct cmd_context *ctx, sqlite3_stmt *stmt, uint64_t *rows) _must_check_;
