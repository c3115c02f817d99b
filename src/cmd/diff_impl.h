/* diff: what its files share. diff.c says what it does. */
#pragma once

#include "cmd/cmd.h"

enum {
	LEAST_BYTES = 4096, /* what grew by less, */
	LEAST_OBJECTS = 64, /* and by fewer, is not listed */
};

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
