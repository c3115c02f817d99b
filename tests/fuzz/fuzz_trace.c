/*
 * fuzz_trace: any bytes as an allocation trace: read, replay, seal, prove the tables.
 */
#include "base/damage.h"
#include "input/input.h"
#include "input/trace.h"
#include "snapshot/snapshot.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names of some codes, so that sites with inlined functions are made, too. */
static struct error *name_code(void *arg, uint32_t module, uint64_t address, uint32_t code)
{
	(void)module;
	struct error *err = NULL;
	for (uint64_t i = 0; i < address % 4 && !err; i++)
		err = trace_code_name(arg, code, address % 3 ? "f" : "operator new(unsigned long)",
				      i ? "f.h" : NULL, (uint32_t)i);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log log = {.level = LOG_ERROR};
	struct damage_log damage = {0};
	struct input_file in;
	struct trace *t = NULL;
	struct snapshot *s = NULL;
	struct error *err = input_open_memory("fuzz", data, size, &in);
	if (err) {
		error_free(err);
		return 0;
	}
	/* A first byte of its own: lines by a pattern. */
	if (*data == 1)
		in.trace_pattern =
			"(?<op>[a-z+-]+)\\((?<size>\\w+)(?:, (?<old>\\w+))?\\)=(?<ptr>\\w+)"
			"(?: @(?<time>[\\d:.]+))?(?: (?<tid>\\d+))?(?: <(?<stack>.*)>)?"
			"|(?<ptr>\\d+)\\.";
	const struct input_format *f = input_format_find(&in);
	if (f && f->read_trace) {
		err = trace_create(&damage, &log, &t);
		if (!err)
			err = f->read_trace(&in, t, &log);
		if (!err)
			err = trace_codes_walk(t, name_code, t);
		if (!err)
			err = snapshot_create(NULL, &damage, &s);
		if (!err)
			err = trace_seal(t, s);
		if (!err)
			err = snapshot_seal_strings(s);
		if (!err) {
			struct error *broken = snapshot_check(s);
			if (broken) {
				fprintf(stderr, "%s\n", broken->message);
				abort();
			}
		}
	}
	error_free(err);
	trace_destroy(t);
	snapshot_destroy(s);
	input_close(&in);
	damage_deinit(&damage);
	return 0;
}
