/*
 * input: from a file (or a pipe) to an image, or to a trace. Formats are rows of inputs.def, one file each.
 *
 * The file is opened, decompressed if its content says so (gzip, xz, zstd, bzip2, lz4 through
 * libarchive, streamed to an unlinked sparse temporary file with progress; never all in memory),
 * recognised by content, and handed to the one format that claims it. "-" is standard input.
 *
 * To add a format: write input/NAME.c with `const struct input_format input_NAME`, add INPUT(NAME).
 */
#pragma once

#include "base/error.h"
#include "base/log.h"
#include "image/image.h"

#include <stdbool.h>
#include <stdint.h>

/* An opened input: plain bytes, mapped read-only. */
struct input_file {
	const char *name; /* as given; "-" for standard input */
	int fd;		  /* of the plain bytes: the file, or the temporary one */
	const uint8_t
		*data; /* the mapping; image_destroy unmaps it once an image has taken it over */
	uint64_t size;
	const char *compression; /* "gzip", ...; NULL: plain */
	bool cut;      /* the compressed stream ended early: what came out of it is used */
	int64_t mtime; /* of the file as given; 0 unknown */
	const char *trace_pattern; /* what is no dump is lines of this pattern; NULL */
};

struct input_options {
	const char *tmpdir; /* NULL: $TMPDIR, else /var/tmp */
};

struct error *input_open(const char *name, const struct input_options *opt, struct log *log,
			 struct input_file *ret) _must_check_;
/* The same from bytes of ours, which are copied: for tests and fuzzing. */
struct error *input_open_memory(const char *name, const void *bytes, uint64_t len,
				struct input_file *ret) _must_check_;
void input_close(struct input_file *in);

struct trace;

struct input_format {
	const char *name; /* "ELF core" */
	/* Looks at the first bytes only. */
	bool (*probe)(const uint8_t *head, uint64_t len);
	/*
	 * Fills and seals an image; the mapping of `in` passes to it (in->data becomes NULL). An
	 * ERROR_INPUT only when nothing at all can be used; else damage. NULL: format is no image.
	 */
	struct error *(*read_image)(struct input_file *in, struct damage_log *damage,
				    struct log *log, struct image **ret);
	/*
	 * Reports what an allocation trace holds: see input/trace.h. `in` stays the caller's. An
	 * ERROR_INPUT only when nothing at all can be used; else damage. NULL: format is no trace.
	 */
	struct error *(*read_trace)(const struct input_file *in, struct trace *t, struct log *log);
};

/* foreign.c: what a file is that has no format, and what to do then: "a heap dump of Java (hprof); ...". */
const char *input_foreign(const struct input_file *in);

/* NULL: nobody knows this content. */
const struct input_format *input_format_find(const struct input_file *in);
