/*
 * scan: the pipeline. The only place that knows the order of the phases.
 *
 *	core file -> image -> heap -> runtime -> SNAPSHOT -> analysis -> store
 *	trace -> events -> replay -----------> SNAPSHOT -> census ---> store
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "debuginfo/debuginfo.h"

#include <stdbool.h>

struct scan_options {
	const char *input;	   /* path, or "-" */
	const char *output;	   /* path of the database */
	const char *trace;	   /* of the process that the core is of; NULL */
	const char *trace_pattern; /* of the lines of a trace that has no known format; NULL */
	const char *tmpdir;	   /* for decompression; NULL: the usual */
	struct debuginfo_options debuginfo;
	bool redact; /* no contents, no keys: the database may be shared */
	bool ordinary_store;
	bool check;  /* prove all invariants after each phase (tests) */
	bool timing; /* print each phase's seconds and memory to stderr */
};

struct error *scan_run(const struct scan_options *opt, struct log *log) _must_check_;
