/*
 * path_cut: what `path` says beside the chains: what cutting one of their references would free
 * (--cut), and who shares an object that no single one holds.
 */
#pragma once

#include "cmd/cmd.h"
#include "store/paths.h"
#include "store/whatif.h"

#include <stdio.h>

/* Of a path of more steps than the first number so many of its first and last are told, each with a line. */
enum { PATH_TOLD = 32, PATH_FIRST = 12, PATH_LAST = 8 };

static inline bool path_told(uint64_t n, uint64_t k)
{
	return n <= PATH_TOLD || k < PATH_FIRST || k + PATH_LAST >= n;
}

/*
 * --cut: what goes with the object itself, then section "cuts": each reference and root of the
 * paths once, references to an owner's own buffer left out.
 */
struct error *path_cuts(struct cmd_context *ctx, int64_t goal,
			const struct paths *found) _must_check_;

/* "Without #12, 3 blocks (1 KiB) would be free; the system would get ... of that, by a trim." */
void path_freed(struct cmd_context *ctx, const char *what, const struct whatif_result *r);

enum { HOLDERS_SEARCH = 40 }; /* paths looked for, to find so many different ones */

/* Is there one object that all ways to `goal` lead through? */
struct error *path_dominated(struct cmd_context *ctx, int64_t goal, bool *ret) _must_check_;

/*
 * Is there one object that all ways to `goal` lead through? Says which, or names the roots that
 * share it: section "shared_by" (of one with a dominator: empty), fact "dominator_id". all: its paths,
 * HOLDERS_SEARCH if there are so many; NULL: nobody looked for them.
 */
struct error *path_shared(struct cmd_context *ctx, int64_t goal,
			  const struct paths *all) _must_check_;

/*
 * path.c: [[path, expression, root, steps, also, also by], ...] for path_list.sql; flat: also of the roots
 * that say no more than a path. Malloc'ed; NULL: out of memory.
 */
char *path_list_json(const struct paths *p, bool flat);

/* path.c: `lead`, then text as the inside of a string of JSON (and of dot). */
void path_json_text(FILE *f, const char *lead, const char *text);
