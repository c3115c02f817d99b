/*
 * sites: the tree of calls that allocated, with sums: for top, leaks and the first screen.
 *
 * The table `site` has each node's own figures. Here frames are folded away (--skip-frames: what they
 * allocated is their caller's), equal paths that come of it merged, and what each node called added
 * up. The result goes into two temporary tables that queries of schema/query/ read:
 *
 *	site_row      a row for each call path: own figures and totals, names, callers as text
 *	function_row  a row for each function: own figures, and totals of all paths that it is in,
 *	              each counted once, however often the function is in it
 *
 * Memory: some 200 bytes a site. Nothing recurses: a tree may be as deep as it has nodes.
 */
#pragma once

#include "cmd/cmd.h"

struct sites;

/* leaks: what is live only where it is not known to be no leak. */
struct error *sites_load(struct cmd_context *ctx, bool leaks, struct sites **ret) _must_check_;
void sites_free(struct sites *s);
static inline void sites_cleanup(struct sites **s)
{
	sites_free(*s);
}
#define _cleanup_sites_ _cleanup_(sites_cleanup)

/* How many nodes. */
uint32_t sites_count(const struct sites *s);
/* Makes and fills site_row and function_row. */
struct error *sites_tables(struct cmd_context *ctx, const struct sites *s) _must_check_;
/*
 * "main;get;alloc 1234" for each path, outermost first: what flamegraph.pl and speedscope read. By
 * --cost; paths deeper than SITES_FOLDED_MAX lose their outer end to "[...]".
 */
enum { SITES_FOLDED_MAX = 1024 };
struct error *sites_folded(struct cmd_context *ctx, const struct sites *s) _must_check_;

/* Names of --cost, in the order of enum site_figure. */
enum site_figure {
	SITE_LIVE,
	SITE_OBJECTS,
	SITE_PEAK,
	SITE_ALLOCATIONS,
	SITE_TEMPORARY,
	SITE_ALLOCATED,
	SITE_FIGURES
};
extern const char *const site_cost_choices[];
