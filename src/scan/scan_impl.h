/* scan: what its files share. */
#pragma once

#include "base/damage.h"
#include "image/image.h"
#include "input/input.h"
#include "input/trace.h"
#include "scan/scan.h"
#include "snapshot/snapshot.h"

/* What the phases share. Members are destroyed in the order that scan_deinit shows. */
struct scan {
	const struct scan_options *opt;
	struct log *log;
	struct damage_log damage;
	struct input_file input, trace_input;
	const struct input_format *format, *trace_format;
	struct image *image;
	struct trace *trace;
	struct debuginfo *debuginfo;
	struct snapshot *snapshot;
	uint64_t wall, cpu; /* nanoseconds at the last phase's end */
};

/*
 * meta.c: facts as rows of meta; one that is not known has no row. Of the file, whatever is in it (`kind`: core,
 * trace); of the process and its dump; which binaries were wanted and found, which says also what symbols a module
 * has; at the end of all, the damage that was met, which stderr hears of, too.
 */
struct error *scan_meta_file(struct scan *sc, const char *kind) _must_check_;
struct error *scan_meta_process(struct scan *sc) _must_check_;
struct error *scan_meta_binaries(struct scan *sc) _must_check_;
struct error *scan_meta_warnings(struct scan *sc) _must_check_;
/* Takes out what may be secret (--redact), and says so. */
struct error *scan_meta_redact(struct scan *sc) _must_check_;

/*
 * trace_names.c: functions and lines of a trace's code that it has by address only. By the files that the trace
 * names (sc->debuginfo is made for it), or, where the trace is of the core's process, by the core's modules.
 */
struct error *scan_names_of_trace(struct scan *sc) _must_check_;
struct error *scan_names_of_core(struct scan *sc) _must_check_;
