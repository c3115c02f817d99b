/*
 * spelled: objects and references that the user names by an expression, as `path` prints them
 * (store/spelling.h).
 */
#pragma once

#include "cmd/cmd.h"
#include "store/spelling.h"

/* The one object that an expression leads to; 0: none. Several are an ERROR_USAGE that names some. */
struct error *spelled_object(struct cmd_context *ctx, const char *what, int64_t *ret) _must_check_;

/*
 * The references and roots of --cut=TEXT. goal: the object that is asked about; 0: the expression says that,
 * too, and gets it. With a goal the text may also name the holder. None or ambiguous: an ERROR_USAGE.
 */
struct spelled_ways {
	VEC(struct whatif_way) way;
};
struct error *spelled_reference(struct cmd_context *ctx, const char *text, int64_t *goal,
				struct spelled_ways *ret) _must_check_;
void spelled_ways_deinit(struct spelled_ways *w);
