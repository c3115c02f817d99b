#include "scan/scan_impl.h"

#include "analysis/analysis.h"
#include "base/cleanup.h"
#include "heap/heap.h"
#include "runtime/runtime.h"
#include "store/store.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	OPAQUE_SHOWN = 1000, /* ranges, with -v */
	SCAN_MMAP_THRESHOLD = 256 << 10,
};

static void scan_deinit(struct scan *sc)
{
	snapshot_destroy(sc->snapshot);
	trace_destroy(sc->trace);
	image_destroy(sc->image);
	debuginfo_destroy(sc->debuginfo); /* lent pages to the image */
	input_close(&sc->input);
	input_close(&sc->trace_input);
	damage_deinit(&sc->damage);
}

static uint64_t scan_clock(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Anonymous resident memory in KiB: the mapped dump is not ours. 0 unknown. */
static uint64_t scan_anon_kib(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	uint64_t kib = 0;
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "RssAnon: %" SCNu64, &kib) == 1)
			return kib;
	return 0;
}

/* Ends a phase: its cost to stderr when asked for, the invariants when asked for. */
static struct error *scan_phase(struct scan *sc, const char *name, struct error *err)
{
	if (err)
		return err;
	uint64_t wall = scan_clock(CLOCK_MONOTONIC), cpu = scan_clock(CLOCK_PROCESS_CPUTIME_ID);
	if (sc->opt->timing)
		fprintf(stderr, "timing: %-13s wall %8.3f s  cpu %8.3f s  anon %8" PRIu64 " KiB\n",
			name, (double)(wall - sc->wall) / 1e9, (double)(cpu - sc->cpu) / 1e9,
			scan_anon_kib());
	if (sc->opt->check && sc->snapshot) {
		err = snapshot_check(sc->snapshot);
		if (err)
			return error_note(err, "after phase \"%s\"", name);
	}
	sc->wall = scan_clock(CLOCK_MONOTONIC);
	sc->cpu = scan_clock(CLOCK_PROCESS_CPUTIME_ID);
	return NULL;
}

static struct error *scan_open_file(struct scan *sc, const char *name, struct input_file *in,
				    const struct input_format **format)
{
	const struct input_options options = {.tmpdir = sc->opt->tmpdir};
	struct error *err = input_open(name, &options, sc->log, in);
	if (err)
		return err;
	in->trace_pattern = sc->opt->trace_pattern;
	*format = input_format_find(in);
	if (!*format)
		return error_new(ERROR_INPUT, "%s is %s", name, input_foreign(in));
	return NULL;
}

static struct error *scan_open(struct scan *sc)
{
	struct error *err = scan_open_file(sc, sc->opt->input, &sc->input, &sc->format);
	if (!err && sc->format->read_image && sc->opt->trace_pattern && !sc->opt->trace)
		return error_new(ERROR_USAGE,
				 "--trace-pattern: %s is a core file, and there is no "
				 "--trace",
				 sc->opt->input);
	if (err || !sc->opt->trace)
		return err;
	if (!sc->format->read_image)
		return error_new(ERROR_USAGE, "--trace: %s is no core file", sc->opt->input);
	const struct input_format *format;
	err = scan_open_file(sc, sc->opt->trace, &sc->trace_input, &format);
	if (!err && !format->read_trace)
		err = error_new(ERROR_USAGE, "--trace: %s is no allocation trace", sc->opt->trace);
	sc->trace_format = format;
	return err;
}

static struct error *scan_image(struct scan *sc)
{
	struct error *err = sc->format->read_image(&sc->input, &sc->damage, sc->log, &sc->image);
	if (err)
		return error_note(err, "%s", sc->opt->input);
	return image_find_modules(sc->image);
}

/* What no scan read: a block that is lost because only such a range points to it can be explained. */
static void scan_tell_opaque(const struct scan *sc)
{
	const struct snapshot *s = sc->snapshot;
	uint64_t shown = s->opaque.n < OPAQUE_SHOWN ? s->opaque.n : OPAQUE_SHOWN;
	for (uint64_t i = 0; i < shown; i++)
		log_info(sc->log, "not read for pointers: 0x%" PRIx64 "-0x%" PRIx64 ", %s",
			 s->opaque.at[i].start, s->opaque.at[i].end, s->opaque.at[i].why);
	if (s->opaque.n > shown)
		log_info(sc->log, "not read for pointers: %" PRIu64 " more ranges",
			 s->opaque.n - shown);
}

static struct error *scan_blocks(struct scan *sc)
{
	struct runtime_context rt = {
		.image = sc->image,
		.debuginfo = sc->debuginfo,
		.snapshot = sc->snapshot,
		.damage = &sc->damage,
		.log = sc->log,
	};
	struct heap_context heap = {sc->image, sc->debuginfo, sc->snapshot, &sc->damage, sc->log};
	struct error *err = scan_phase(sc, "threads", runtime_prepare(&rt));
	if (!err)
		err = scan_phase(sc, "heap", heap_scan(&heap));
	if (!err)
		err = scan_phase(sc, "blocks", snapshot_seal_blocks(sc->snapshot));
	if (!err)
		err = scan_phase(sc, "names", runtime_objects(&rt));
	if (!err)
		err = scan_phase(sc, "references", runtime_references(&rt));
	if (!err)
		err = scan_phase(sc, "kept counts", runtime_counts(&rt));
	if (!err)
		err = scan_phase(sc, "contents", runtime_savings(&rt));
	if (!err)
		scan_tell_opaque(sc);
	runtime_finish(&rt);
	return err;
}

static struct error *scan_analyse(struct scan *sc)
{
	static const struct {
		const char *name;
		struct error *(*run)(struct snapshot *s, struct log *log);
	} step[] = {
		{"garbage", analysis_pygc},
		{"redaction", analysis_redact},
		{"graph", analysis_graph},
		{"waiting", analysis_suspended},
		{"unseen cycles", analysis_pygc_unseen},
		{"counts", analysis_refcounts},
		{"native holders", analysis_native_held},
		{"census", analysis_census},
		{"biggest", analysis_biggest},
		{"types", analysis_types},
		{"shapes", analysis_shapes},
		{"ledger", analysis_ledger},
		{"trim", analysis_trim},
		{"savings", analysis_savings},
		{"findings", analysis_findings},
		{"owners", analysis_owners},
	};
	const unsigned steps = sizeof(step) / sizeof(step[0]);
	for (unsigned i = 0; i < steps; i++) {
		if (step[i].run == analysis_redact && !sc->opt->redact)
			continue;
		log_progress(sc->log, step[i].name, i, steps);
		struct error *err =
			scan_phase(sc, step[i].name, step[i].run(sc->snapshot, sc->log));
		if (err)
			return err;
	}
	return NULL;
}

static struct error *scan_events(struct scan *sc, const char *name, const struct input_file *in,
				 const struct input_format *format)
{
	struct error *err = trace_create(&sc->damage, sc->log, &sc->trace);
	if (err)
		return err;
	err = format->read_trace(in, sc->trace, sc->log);
	log_progress_end(sc->log);
	return err ? error_note(err, "%s", name) : NULL;
}

/* A trace has no bytes: nothing can be walked, and nothing is known to be reachable or not. */
static struct error *scan_trace(struct scan *sc)
{
	struct error *err =
		scan_phase(sc, "events", scan_events(sc, sc->opt->input, &sc->input, sc->format));
	if (!err)
		err = scan_phase(sc, "names", scan_names_of_trace(sc));
	if (!err)
		err = snapshot_create(NULL, &sc->damage, &sc->snapshot);
	if (!err)
		err = scan_meta_file(sc, "trace");
	if (!err && sc->debuginfo)
		err = scan_meta_binaries(sc);
	if (!err)
		err = scan_phase(sc, "sites", trace_seal(sc->trace, sc->snapshot));
	if (!err)
		err = scan_phase(sc, "census", analysis_census(sc->snapshot, sc->log));
	if (!err)
		err = scan_phase(sc, "findings", analysis_findings(sc->snapshot, sc->log));
	return err;
}

/* Who allocated the core's blocks, by a trace of the same process: blocks meet by address. */
static struct error *scan_join(struct scan *sc)
{
	struct error *err = scan_events(sc, sc->opt->trace, &sc->trace_input, sc->trace_format);
	if (!err)
		err = scan_names_of_core(sc);
	uint64_t found = 0;
	if (!err)
		err = trace_seal_joined(sc->trace, sc->snapshot, &found);
	_cleanup_free_ char *source = realpath(sc->opt->trace, NULL);
	if (!err)
		err = snapshot_meta(sc->snapshot, "trace", "%s", source ? source : sc->opt->trace);
	if (!err)
		err = snapshot_meta(sc->snapshot, "trace_found", "%" PRIu64, found);
	if (!err && !found)
		log_warning(sc->log,
			    "%s: none of its blocks is in the core: it is of another process, "
			    "or tells no addresses",
			    sc->opt->trace);
	return err;
}

static struct error *scan_core(struct scan *sc)
{
	struct error *err = scan_phase(sc, "image", scan_image(sc));
	if (!err)
		err = scan_phase(
			sc, "binaries",
			debuginfo_create(sc->image, &sc->opt->debuginfo, sc->log, &sc->debuginfo));
	if (!err)
		err = snapshot_create(sc->image, &sc->damage, &sc->snapshot);
	if (!err)
		err = scan_meta_process(sc);
	if (!err)
		err = scan_meta_binaries(sc);
	if (!err)
		err = scan_blocks(sc);
	if (!err && sc->opt->trace)
		err = scan_phase(sc, "trace", scan_join(sc));
	return err ? err : scan_analyse(sc);
}

static struct error *scan_all(struct scan *sc)
{
	struct error *err = scan_phase(sc, "open", scan_open(sc));
	if (!err)
		err = sc->format->read_trace ? scan_trace(sc) : scan_core(sc);
	if (!err)
		err = scan_meta_warnings(sc);
	if (!err && sc->opt->redact)
		err = scan_meta_redact(sc);
	if (!err)
		err = snapshot_seal_strings(sc->snapshot);
	if (err)
		return err;
	const struct store_options options = {.ordinary = sc->opt->ordinary_store};
	return scan_phase(sc, "store",
			  store_write(sc->snapshot, sc->opt->output, &options, sc->log));
}

struct error *scan_run(const struct scan_options *opt, struct log *log)
{
	struct scan sc = {.opt = opt, .log = log, .input = {.fd = -1}, .trace_input = {.fd = -1}};
	/*
	 * malloc would raise this with the first large array that is freed, and then keep what
	 * each phase frees for itself. A number that is set stays (mallopt(3)).
	 */
	mallopt(M_MMAP_THRESHOLD, SCAN_MMAP_THRESHOLD);
	sc.wall = scan_clock(CLOCK_MONOTONIC);
	sc.cpu = scan_clock(CLOCK_PROCESS_CPUTIME_ID);
	struct error *err = scan_all(&sc);
	log_progress_end(log);
	scan_deinit(&sc);
	return err;
}
