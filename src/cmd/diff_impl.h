/* diff: what its files share. diff.c says what it does. */
#pragma once

#include "cmd/cmd.h"

/*
 * diff_pair.c: the objects of two dumps of one execution, attached as `old` and `new`: an object is the
 * same when address, block and type are; one of unknown type, when its size is, too. Fills the tables
 * pairing and holder, with `sets` also new_object and gone_object.
 *
 * What holds a new object is the surviving object from which it is reached without passing another
 * one; of several the one on the object's retention path. What no surviving object leads to hangs off a
 * root.
 *
 * In the same way what is gone is counted to what held it. Both object tables and both reference tables are
 * read once, in the order in which they lie. Memory: about 60 bytes per object of either dump, and 8 per
 * reference to what the other one has not.
 */
struct error *diff_pair(struct cmd_context *ctx, bool sets) _must_check_;
