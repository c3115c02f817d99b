/* diff: what its files share. diff.c says what it does. */
#pragma once

#include "cmd/cmd.h"

enum {
	LEAST_BYTES = 4096,    /* what grew by less, */
	LEAST_OBJECTS = 64,    /* and by fewer, is not listed */
	LEAST_MAPPING = 65536, /* nor are mappings, as a whole, that grew by less */
};

/* What --fail-on names. */
struct diff_limit {
	bool growth, leaks, cycles, refcount;
	bool percent; /* of what there was */
	double value; /* of growth: bytes, or per cent; 0: any that is listed */
};

/* diff_limit.c: NULL is no limit. */
struct error *diff_limit_parse(struct cmd_context *ctx, const char *text,
			       struct diff_limit *ret) _must_check_;

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
