/*
 * known: leaks that are known already, taken out of sight.
 *
 * --suppress FILE has LeakSanitizer's syntax: lines `leak:PATTERN`, in which * stands for anything, ^
 * and $ for the ends; # begins a comment. A pattern is matched against the type of a cluster's head,
 * its module, the cluster's shape, the path that holds it, and the functions, files and binaries of
 * who allocated it. --baseline OLD.db takes what an older database has by content: so many clusters
 * of a shape, so many counts of a type, size and excess.
 *
 * Temporary tables and views (schema/temp/known*.sql) say what is left; the queries of leaks, cycles,
 * refs, --fail-on and the first screen read the views.
 */
#pragma once

#include "cmd/cmd.h"

/* By cmd_open: makes the tables, and fills them when the options say so. */
struct error *known_load(struct cmd_context *ctx) _must_check_;
/* A line of text, and facts in JSON, when something was taken out of sight. */
struct error *known_tell(struct cmd_context *ctx) _must_check_;
/*
 * The report of a command that lists what may be known: leaks, cycles, refs. Its database is open; --fail-on,
 * caveats and known_tell go before what `print` has to say.
 */
struct error *known_report(struct cmd_context *ctx, const char *name,
			   struct error *(*print)(struct cmd_context *ctx)) _must_check_;

extern const struct option options_known[]; /* --suppress --baseline */
