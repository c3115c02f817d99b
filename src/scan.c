#include "scan.h"

#include "analysis/analysis.h"
#include "base/cleanup.h"
#include "heap/heap.h"
#include "image/image.h"
#include "input/input.h"
#include "input/trace.h"
#include "runtime/runtime.h"
#include "snapshot/snapshot.h"
#include "store/store.h"

#include <inttypes.h>
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
	WARNINGS_SHOWN = 5,  /* on stderr, without -v */
	OPAQUE_SHOWN = 1000, /* ranges, with -v */
};

enum { SCAN_MMAP_THRESHOLD = 256 << 10 };

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

static struct error *scan_meta_build_id(struct scan *sc)
{
	for (uint32_t id = 1; id <= sc->image->nmodule; id++) {
		const struct image_module *m = image_module_get(sc->image, id);
		if (!m->is_exe || !m->build_id_len)
			continue;
		char hex[2 * BUILD_ID_MAX + 1];
		for (uint32_t i = 0; i < m->build_id_len; i++)
			snprintf(hex + 2 * i, 3, "%02x", m->build_id[i]);
		return snapshot_meta(sc->snapshot, "build_id", "%s", hex);
	}
	return NULL;
}

/* Facts about the file, whatever is in it. */
static struct error *scan_meta_file(struct scan *sc, const char *kind)
{
	struct snapshot *s = sc->snapshot;
	_cleanup_free_ char *source = realpath(sc->opt->input, NULL);
	struct error *err = snapshot_meta(s, "kind", "%s", kind);
	if (!err)
		err = snapshot_meta(s, "source", "%s", source ? source : sc->opt->input);
	if (!err && sc->input.compression)
		err = snapshot_meta(s, "compression", "%s", sc->input.compression);
	if (!err && sc->input.mtime) {
		time_t t = (time_t)sc->input.mtime;
		struct tm tm;
		char text[32];
		if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
			err = snapshot_meta(s, "taken_at", "%s", text);
	}
	return err;
}

/*
 * What tells one execution from all others: the kernel gives each program that it starts 16 random
 * bytes (getauxval(3), AT_RANDOM), and a fork has its parent's. As a hash, since the C library makes its
 * stack guard of them.
 */
static struct error *scan_meta_execution(struct scan *sc)
{
	uint8_t bytes[16];
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const uint64_t at = sc->image->process.at_random;
	if (!at || !image_try_read(sc->image, at, bytes, sizeof(bytes)))
		return NULL;
	/* FNV-1a, 64 bits: 16 bytes cannot be had back from 8. */
	for (unsigned i = 0; i < sizeof(bytes); i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return snapshot_meta(sc->snapshot, "execution", "%016" PRIx64, hash);
}

/* Facts about the process and the dump. A fact that is not known has no row. */
static struct error *scan_meta(struct scan *sc)
{
	static const char *const machine_name[] = {
		[MACHINE_X86_64] = "x86-64",
		[MACHINE_AARCH64] = "aarch64",
		[MACHINE_I386] = "i386",
	};
	const struct image *img = sc->image;
	const struct image_process *p = &img->process;
	struct snapshot *s = sc->snapshot;
	struct error *err = scan_meta_file(sc, "core");
	if (!err)
		err = snapshot_meta(s, "machine", "%s", machine_name[img->machine]);
	if (!err)
		err = snapshot_meta(s, "word_size", "%u", img->word_size);
	if (!err)
		err = snapshot_meta(s, "page_size", "%" PRIu64, img->page_size);
	if (!err && p->pid > 0)
		err = snapshot_meta(s, "pid", "%" PRId32, p->pid);
	if (!err && p->exe)
		err = snapshot_meta(s, "exe", "%s", p->exe);
	if (!err && p->comm[0])
		err = snapshot_meta(s, "comm", "%s", p->comm);
	if (!err && p->args[0])
		err = snapshot_meta(s, "args", "%s", p->args);
	if (!err && p->signal)
		err = snapshot_meta(s, "signal", "%" PRId32, p->signal);
	if (!err && p->si_addr)
		err = snapshot_meta(s, "fault_address", "0x%" PRIx64, p->si_addr);
	if (!err)
		err = snapshot_meta(s, "threads", "%" PRIu32, img->nthread);
	if (!err && img->truncated)
		err = snapshot_meta(s, "truncated", "1");
	if (!err)
		err = scan_meta_execution(sc);
	return err ? err : scan_meta_build_id(sc);
}

/* Where the user said that binaries are: whoever reads the dump again looks there, too. */
static struct error *scan_meta_places(struct scan *sc)
{
	const struct debuginfo_options *opt = &sc->opt->debuginfo;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	if (sc->opt->redact)
		return NULL;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return &error_nomem;
	for (unsigned i = 0; i < opt->nsysroot; i++) {
		_cleanup_free_ char *real = realpath(opt->sysroot[i], NULL);
		fprintf(f, "%s%s", i ? "\n" : "", real ? real : opt->sysroot[i]);
	}
	if (fclose(f))
		return &error_nomem;
	_cleanup_free_ char *exe = opt->exe ? realpath(opt->exe, NULL) : NULL;
	struct error *err = *text ? snapshot_meta(sc->snapshot, "sysroot", "%s", text) : NULL;
	if (!err && opt->exe)
		err = snapshot_meta(sc->snapshot, "exe_file", "%s", exe ? exe : opt->exe);
	return err;
}

/* Where names came from and which binaries were wanted: the report prints them once. */
static struct error *scan_meta_binaries(struct scan *sc)
{
	struct error *err = NULL;
	uint32_t modules = sc->image ? sc->image->nmodule : 0;
	for (uint32_t id = 1; id <= modules && !err; id++) {
		const struct debuginfo_module *m = debuginfo_module(sc->debuginfo, id);
		uint32_t symbols = 0;
		if (m && m->symbols)
			err = intern_str(&sc->snapshot->strings, m->symbols, &symbols);
		if (!err)
			err = vec_push(&sc->snapshot->module_symbols, symbols);
	}
	uint32_t n = 0;
	const char *const *missing = debuginfo_missing(sc->debuginfo, &n);
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	_cleanup_fclose_ FILE *f = open_memstream(&text, &len);
	if (!f)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++)
		fprintf(f, "%s%s", i ? "\n" : "", missing[i]);
	fflush(f);
	if (!err && n)
		err = snapshot_meta(sc->snapshot, "missing_files", "%s", text);
	return err ? err : scan_meta_places(sc);
}

/* Damage that was met, as lines of meta.warnings. Findings have the same, one row each. */
static struct error *scan_meta_warnings(struct scan *sc)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return &error_nomem;
	uint64_t kept[DAMAGE_KINDS] = {0};
	for (uint64_t i = 0; i < sc->damage.n; i++) {
		const struct damage *d = &sc->damage.at[i];
		fprintf(f, "%s%s", i ? "\n" : "", d->text);
		/* The report tells of all of them; that the file itself is not whole, stderr, too.
		 */
		if (d->kind == DAMAGE_DUMP && kept[d->kind] < WARNINGS_SHOWN)
			log_warning(sc->log, "%s: %s", sc->opt->input, d->text);
		else
			log_info(sc->log, "%s", d->text);
		kept[d->kind]++;
	}
	if (sc->damage.count[DAMAGE_DUMP] > WARNINGS_SHOWN)
		log_warning(sc->log, "%s: %" PRIu64 " more of this kind", sc->opt->input,
			    sc->damage.count[DAMAGE_DUMP] - WARNINGS_SHOWN);
	for (int k = 0; k < DAMAGE_KINDS; k++)
		if (sc->damage.count[k] > kept[k])
			fprintf(f, "\n... and %" PRIu64 " more of this kind",
				sc->damage.count[k] - kept[k]);
	if (fclose(f))
		return &error_nomem;
	return snapshot_meta(sc->snapshot, "warnings", "%s", text);
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

/* ---- names of a trace's code ---- */

struct scan_code {
	struct scan *sc;
	const struct debuginfo *debuginfo;
	bool same_process; /* addresses are those of the image */
	/* Of those modules of the trace that may lie anywhere: the image's id; 0: it has no such. */
	const uint32_t *module; /* by id - 1 */
	uint32_t code;
};

static struct error *scan_code_function(void *arg, const char *function, const char *file,
					uint32_t line)
{
	const struct scan_code *c = arg;
	return trace_code_name(c->sc->trace, c->code, function, file, line);
}

static struct error *scan_code(void *arg, uint32_t module, uint64_t address, uint32_t code)
{
	struct scan_code *c = arg;
	c->code = code;
	if (!c->same_process) {
		if (!module)
			return NULL;
		address = debuginfo_file_address(c->debuginfo, module, address,
						 trace_module_get(c->sc->trace, module)->bias);
	} else if (module && trace_module_get(c->sc->trace, module)->anywhere) {
		uint32_t id = c->module[module - 1];
		if (!id)
			return NULL;
		address = address - trace_module_get(c->sc->trace, module)->bias +
			  c->sc->image->module[id - 1].bias;
	}
	return debuginfo_code_at(c->debuginfo, address, scan_code_function, c);
}

/* Functions and lines of a trace that has only addresses of code. */
static struct error *scan_trace_names(struct scan *sc)
{
	uint32_t n = trace_modules(sc->trace);
	if (!n)
		return NULL;
	_cleanup_free_ struct debuginfo_binary *binary = calloc(n, sizeof(*binary));
	if (!binary)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++) {
		const struct trace_module *m = trace_module_get(sc->trace, i + 1);
		binary[i] = (struct debuginfo_binary){
			.path = trace_text(sc->trace, m->path),
			.bias = m->bias,
			.start = m->start,
			.end = m->end,
			.build_id = m->build_id,
			.build_id_len = m->build_id_len,
			.is_exe = m->is_exe,
			.extent_unknown = m->extent_unknown,
		};
	}
	struct error *err = debuginfo_create_files(binary, n, &sc->opt->debuginfo, &sc->damage,
						   sc->log, &sc->debuginfo);
	struct scan_code c = {.sc = sc, .debuginfo = sc->debuginfo};
	return err ? err : trace_codes_walk(sc->trace, scan_code, &c);
}

/* A trace has no bytes: nothing can be walked, and nothing is known to be reachable or not. */
static struct error *scan_trace(struct scan *sc)
{
	struct error *err =
		scan_phase(sc, "events", scan_events(sc, sc->opt->input, &sc->input, sc->format));
	if (!err)
		err = scan_phase(sc, "names", scan_trace_names(sc));
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

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/*
 * What a trace tells by path alone is the module of that path, else (it was called by a relative one)
 * the only one of that name.
 */
static uint32_t scan_module_like(const struct image *img, const struct trace_module *t,
				 const char *path)
{
	uint32_t like = 0, n = 0;
	for (uint32_t i = 0; i < img->nmodule; i++) {
		const struct image_module *m = &img->module[i];
		if (t->build_id_len && m->build_id_len &&
		    (t->build_id_len != m->build_id_len ||
		     memcmp(t->build_id, m->build_id, m->build_id_len)))
			continue;
		if (!m->path || strcmp(base_name(m->path), base_name(path)))
			continue;
		if (!strcmp(m->path, path))
			return i + 1;
		like = i + 1;
		n++;
	}
	return n == 1 ? like : 0;
}

/* Names of a trace of the core's process, by the core's modules. */
static struct error *scan_join_names(struct scan *sc)
{
	uint32_t n = trace_modules(sc->trace);
	_cleanup_free_ uint32_t *module = calloc(n + UINT64_C(1), sizeof(*module));
	if (!module)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++) {
		const struct trace_module *t = trace_module_get(sc->trace, i + 1);
		if (t->anywhere)
			module[i] = scan_module_like(sc->image, t, trace_text(sc->trace, t->path));
	}
	struct scan_code c = {
		.sc = sc, .debuginfo = sc->debuginfo, .same_process = true, .module = module};
	return trace_codes_walk(sc->trace, scan_code, &c);
}

/* Who allocated the core's blocks, by a trace of the same process: blocks meet by address. */
static struct error *scan_join(struct scan *sc)
{
	struct error *err = scan_events(sc, sc->opt->trace, &sc->trace_input, sc->trace_format);
	if (!err)
		err = scan_join_names(sc);
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
		err = scan_meta(sc);
	if (!err)
		err = scan_meta_binaries(sc);
	if (!err)
		err = scan_blocks(sc);
	if (!err && sc->opt->trace)
		err = scan_phase(sc, "trace", scan_join(sc));
	return err ? err : scan_analyse(sc);
}

/* Command lines hold passwords. */
static struct error *scan_redact_meta(struct scan *sc)
{
	struct snapshot *s = sc->snapshot;
	uint64_t kept = 0;
	for (uint64_t i = 0; i < s->meta.n; i++)
		if (strcmp(intern_text(&s->strings, s->meta.at[i].key), "args"))
			s->meta.at[kept++] = s->meta.at[i];
	s->meta.n = kept;
	return snapshot_meta(s, "redacted", "1");
}

static struct error *scan_all(struct scan *sc)
{
	struct error *err = scan_phase(sc, "open", scan_open(sc));
	if (!err)
		err = sc->format->read_trace ? scan_trace(sc) : scan_core(sc);
	if (!err)
		err = scan_meta_warnings(sc);
	if (!err && sc->opt->redact)
		err = scan_redact_meta(sc);
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
