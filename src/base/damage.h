/*
 * damage: what was wrong with the dump, while the analysis went on.
 *
 * A phase that meets something unsound adds one line here and continues with what is sound. The
 * first DAMAGE_KEPT of each kind are kept with their text; all are counted. They become rows of
 * `finding` (analysis/findings.c) and lines of meta.warnings.
 */
#pragma once

#include "base/error.h"

#include <stdint.h>

enum damage_kind {
	DAMAGE_DUMP,	/* the file itself: truncated, overlapping segments, absurd counts */
	DAMAGE_HEAP,	/* an allocator's structures: bad size, broken list, overlap */
	DAMAGE_RUNTIME, /* a runtime's structures */
	DAMAGE_MISSING, /* something that would have helped is not there */
	DAMAGE_BINARY,	/* a binary was not found: "PATH: not found"; one finding for all */
	DAMAGE_KINDS,
};

enum { DAMAGE_KEPT = 100 };

struct damage {
	enum damage_kind kind;
	uint64_t address; /* 0: none in particular */
	uint64_t
		culprit; /* address of the block that probably did it (the one before); 0: no guess */
	char *text;	 /* a sentence: what, where, what it means; one line, no control bytes */
};

struct damage_log {
	struct damage *at;
	uint64_t n, room;
	uint64_t count[DAMAGE_KINDS]; /* of all, kept or not */
};

/* Never fails: out of memory only means that the text is not kept. */
void damage_add(struct damage_log *log, enum damage_kind kind, uint64_t address, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
void damage_add_culprit(struct damage_log *log, enum damage_kind kind, uint64_t address,
			uint64_t culprit, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void damage_deinit(struct damage_log *log);
