/*
 * findings: damage as rows. What was odd about the dump, said by whoever met it.
 *
 * Conclusions that a query can draw from the tables are files in schema/finding/, run by store.
 */
#include "analysis/analysis.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *kind;
	uint8_t severity;
	const char *more; /* a sentence for what was counted and not kept */
} finding_of[DAMAGE_KINDS] = {
	[DAMAGE_HEAP] = {"heap-damage", SEVERITY_ERROR, "more places of the heap are damaged"},
	[DAMAGE_DUMP] = {"dump-damage", SEVERITY_WARNING, "more places of the dump are damaged"},
	[DAMAGE_RUNTIME] = {"runtime-damage", SEVERITY_WARNING,
			    "more of a runtime's structures are damaged"},
	[DAMAGE_MISSING] = {"missing", SEVERITY_INFO, "more files or tables were missed"},
	/* binaries_missed */
	[DAMAGE_BINARY] = {"missing", SEVERITY_INFO, ""},
};

static const char remedy[] =
	"names of functions, variables and classes get fewer; say where they are: "
	"--sysroot DIR, --exe FILE";

static struct error *finding_damage(struct snapshot *s, const struct damage *d)
{
	struct finding_row row = {
		.severity = finding_of[d->kind].severity,
		.address = d->address,
		.objects = 1,
	};
	struct error *err = intern_str(&s->strings, finding_of[d->kind].kind, &row.kind);
	if (!err)
		err = intern_str(&s->strings, d->text, &row.title);
	if (!err && d->culprit) {
		char text[160];
		row.object_id = snapshot_object_find(s, d->culprit);
		int n = snprintf(text, sizeof(text),
				 "the block before, at 0x%" PRIx64
				 ", probably wrote past its end: heapscan show DB 0x%" PRIx64,
				 d->culprit, d->culprit);
		err = intern_add(&s->strings, text, (size_t)n, &row.detail);
	}
	return err ? err : vec_push(&s->finding, row);
}

/* A core of another machine lacks all of them: that is one thing to know, not many. */
static struct error *binaries_missed(struct snapshot *s)
{
	uint64_t n = s->damage->count[DAMAGE_BINARY], told = 0;
	struct finding_row row = {.severity = finding_of[DAMAGE_BINARY].severity, .objects = n};
	if (!n)
		return NULL;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return &error_nomem;
	fprintf(f, "%s: ", remedy);
	const char *first = "";
	for (uint64_t i = 0; i < s->damage->n; i++) {
		if (s->damage->at[i].kind != DAMAGE_BINARY)
			continue;
		first = told ? first : s->damage->at[i].text;
		fprintf(f, "%s%s", told++ ? ", " : "", s->damage->at[i].text);
	}
	if (n > told)
		fprintf(f, ", %" PRIu64 " more (meta, missing_files)", n - told);
	if (fclose(f))
		return &error_nomem;
	char many[64];
	snprintf(many, sizeof(many), "%" PRIu64 " binaries: not found", n);
	struct error *err = intern_str(&s->strings, finding_of[DAMAGE_BINARY].kind, &row.kind);
	if (!err)
		err = intern_str(&s->strings, n == 1 && told ? first : many, &row.title);
	if (!err)
		err = intern_str(&s->strings, n == 1 ? remedy : text, &row.detail);
	return err ? err : vec_push(&s->finding, row);
}

struct error *analysis_findings(struct snapshot *s, struct log *log)
{
	(void)log;
	static const enum damage_kind order[] = {DAMAGE_HEAP, DAMAGE_DUMP, DAMAGE_RUNTIME,
						 DAMAGE_MISSING};
	for (unsigned k = 0; k < sizeof(order) / sizeof(order[0]); k++) {
		uint64_t kept = 0;
		for (uint64_t i = 0; i < s->damage->n; i++) {
			if (s->damage->at[i].kind != order[k])
				continue;
			struct error *err = finding_damage(s, &s->damage->at[i]);
			if (err)
				return err;
			kept++;
		}
		uint64_t more = s->damage->count[order[k]] - kept;
		if (!more)
			continue;
		struct finding_row row = {.severity = finding_of[order[k]].severity,
					  .objects = more};
		char text[128];
		int n = snprintf(text, sizeof(text), "%" PRIu64 " %s", more,
				 finding_of[order[k]].more);
		struct error *err = intern_str(&s->strings, finding_of[order[k]].kind, &row.kind);
		if (!err)
			err = intern_add(&s->strings, text, (size_t)n, &row.title);
		if (!err)
			err = vec_push(&s->finding, row);
		if (err)
			return err;
	}
	return binaries_missed(s);
}
