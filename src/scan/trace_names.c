/* Names of a trace's code. */
#include "scan/scan_impl.h"

#include "base/base_name.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

struct code_names {
	struct scan *sc;
	const struct debuginfo *debuginfo;
	bool same_process; /* addresses are those of the image */
	/* Of those modules of the trace that may lie anywhere: the image's id; 0: it has no such. */
	const uint32_t *module; /* by id - 1 */
	uint32_t code;
};

static struct error *code_function(void *arg, const char *function, const char *file, uint32_t line)
{
	const struct code_names *c = arg;
	return trace_code_name(c->sc->trace, c->code, function, file, line);
}

static struct error *code_name(void *arg, uint32_t module, uint64_t address, uint32_t code)
{
	struct code_names *c = arg;
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
	return debuginfo_code_at(c->debuginfo, address, code_function, c);
}

/* Functions and lines of a trace that has only addresses of code. */
struct error *scan_names_of_trace(struct scan *sc)
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
	struct code_names c = {.sc = sc, .debuginfo = sc->debuginfo};
	return err ? err : trace_codes_walk(sc->trace, code_name, &c);
}

/*
 * What a trace tells by path alone is the module of that path, else (it was called by a relative one)
 * the only one of that name.
 */
static uint32_t module_like(const struct image *img, const struct trace_module *t, const char *path)
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
struct error *scan_names_of_core(struct scan *sc)
{
	uint32_t n = trace_modules(sc->trace);
	_cleanup_free_ uint32_t *module = calloc(n + UINT64_C(1), sizeof(*module));
	if (!module)
		return &error_nomem;
	for (uint32_t i = 0; i < n; i++) {
		const struct trace_module *t = trace_module_get(sc->trace, i + 1);
		if (t->anywhere)
			module[i] = module_like(sc->image, t, trace_text(sc->trace, t->path));
	}
	struct code_names c = {
		.sc = sc, .debuginfo = sc->debuginfo, .same_process = true, .module = module};
	return trace_codes_walk(sc->trace, code_name, &c);
}
