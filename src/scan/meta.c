/* Facts about the dump, its process and what was met on the way: the rows of meta. */
#include "scan/scan_impl.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WARNINGS_SHOWN = 5 }; /* on stderr, without -v */

static struct error *meta_build_id(struct scan *sc)
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
struct error *scan_meta_file(struct scan *sc, const char *kind)
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
static struct error *meta_execution(struct scan *sc)
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
struct error *scan_meta_process(struct scan *sc)
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
		err = meta_execution(sc);
	return err ? err : meta_build_id(sc);
}

/* Where the user said that binaries are: whoever reads the dump again looks there, too. */
static struct error *meta_places(struct scan *sc)
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
struct error *scan_meta_binaries(struct scan *sc)
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
	return err ? err : meta_places(sc);
}

/* Damage that was met, as lines of meta.warnings. Findings have the same, one row each. */
struct error *scan_meta_warnings(struct scan *sc)
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

/* Command lines hold passwords. */
struct error *scan_meta_redact(struct scan *sc)
{
	struct snapshot *s = sc->snapshot;
	uint64_t kept = 0;
	for (uint64_t i = 0; i < s->meta.n; i++)
		if (strcmp(intern_text(&s->strings, s->meta.at[i].key), "args"))
			s->meta.at[kept++] = s->meta.at[i];
	s->meta.n = kept;
	return snapshot_meta(s, "redacted", "1");
}
