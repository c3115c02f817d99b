/* diff: what its files share. diff.c says what it does. */
#pragma once

#include "cmd/cmd.h"

enum {
	LEAST_BYTES = 4096,    /* what grew by less, */
	LEAST_OBJECTS = 64,    /* and by fewer, is not listed */
	LEAST_MAPPING = 65536, /* nor are mappings, as a whole, that grew by less */
};

/* What the databases are to each other, the weakest first. */
enum diff_relation { RELATION_RUN, RELATION_LIKELY, RELATION_FORK, RELATION_PROCESS };

struct diff {
	struct cmd_context *ctx;
	/* diff_read */
	int64_t steps; /* from one dump to the next */
	enum diff_relation relation;
	bool trace; /* they are allocation traces: nothing holds anything */
	bool pair;  /* the first and the last are cores of one execution */
	int64_t old_bytes, new_bytes, old_objects, new_objects;
	/* diff_print */
	int64_t grown; /* bytes of the places that are listed */
	/* where no allocator is read: in pages that hold more than zeroes */
	int64_t old_unread, new_unread;
	bool unread_grew; /* by enough to be told, in every step */
};

/*
 * diff_read.c: the figures of `n` databases, in the order of their paths, in the database at ctx->store
 * (growth_create), and what grew. ERROR_INPUT: one cannot be read, or cannot be compared with the first; what can be
 * compared, but with care, is warned of.
 */
struct error *diff_read(struct diff *d, int n, char **path) _must_check_;

/* diff_print.c: all of it to ctx->report, between report_begin and report_end. */
struct error *diff_print(struct diff *d) _must_check_;

/* What --fail-on names. */
struct diff_limit {
	bool growth, leaks, cycles, refcount;
	bool percent; /* of what there was */
	double value; /* of growth: bytes, or per cent; 0: any that is listed */
};

/* diff_limit.c: NULL is no limit; ERROR_USAGE says what may be in the text. */
struct error *diff_limit_parse(struct cmd_context *ctx, const char *text,
			       struct diff_limit *ret) _must_check_;
/* After diff_print: ctx->condition says whether it is beyond the limit. */
struct error *diff_limit_check(struct diff *d, const struct diff_limit *limit) _must_check_;

/*
 * diff_pair.c: the objects of two dumps of one execution: an object is the same when address, block and type
 * are; one of unknown type, when its size is, too. Fills the tables pairing, holder and filled, with `sets`
 * also new_object and gone_object. The new database must be attached as `new`: what is printed of a holder comes
 * from there.
 *
 * Object and reference tables are read once, in the order in which they lie, both files at the same time; what
 * is gone is counted to what held it as what is new is to what holds it (diff_side.h).
 */
struct error *diff_pair(struct cmd_context *ctx, const char *old, const char *new,
			bool sets) _must_check_;
