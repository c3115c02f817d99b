/*
 * show: what the files of `heapscan show` share.
 *
 *	show.c         the command: which kind of thing OBJECT is
 *	show_object.c  all about one object
 *	show_place.c   any other address, and what lies at an address: mapping, frame, pool, bytes
 *	show_facts.c   single facts about an object, a line or two each
 *	show_type.c    a type and its biggest objects
 */
#pragma once

#include "cmd/cmd.h"

enum { SHOW_ROWS = 10 }; /* of each table, without --limit */

/* The only row of a query about one thing. */
struct error *show_row(struct cmd_context *ctx, const char *query, const char *parameter,
		       int64_t value, struct cmd_row *row, bool *found) _must_check_;
/*
 * A table about one thing under a heading, which is printed where `count`, the rows that there are, is
 * not 0.
 */
struct error *show_table(struct cmd_context *ctx, const char *query, const char *parameter,
			 int64_t value, const char *section, const struct report_column *columns,
			 const char *heading, int64_t count) _must_check_;

/* An object by its id; `address` is where the user pointed to, if he did. */
struct error *show_object(struct cmd_context *ctx, int64_t id, uint64_t address,
			  bool has_address) _must_check_;
/* An address, in a block or not. */
struct error *show_address(struct cmd_context *ctx, uint64_t address) _must_check_;
/* A type by its name, or what of it the user remembers; *known: there is one. */
struct error *show_type(struct cmd_context *ctx, const char *name, bool *known) _must_check_;

/* Of an object: where in the program it was allocated, which clusters it is in, ... */
struct error *show_clusters(struct cmd_context *ctx, int64_t id) _must_check_;
struct error *show_site(struct cmd_context *ctx, int64_t id) _must_check_;
/* Where native code alone keeps it alive: which. */
struct error *show_held(struct cmd_context *ctx, int64_t id) _must_check_;
/* Who accounts for its count. */
struct error *show_count(struct cmd_context *ctx, int64_t id) _must_check_;
struct error *show_owner(struct cmd_context *ctx, int64_t id) _must_check_;
/* A container, or the block of its entries: how full it is. */
struct error *show_container(struct cmd_context *ctx, int64_t id) _must_check_;

/* Of an address: its mapping, binary, stack frame. */
struct error *show_segment(struct cmd_context *ctx, uint64_t address) _must_check_;
/* Of a small Python object: pymalloc's pool. */
struct error *show_pool(struct cmd_context *ctx, const struct cmd_row *object) _must_check_;
/* The live blocks next to it. */
struct error *show_neighbours(struct cmd_context *ctx, uint64_t address) _must_check_;
/* The first --hex bytes of a block, or those about `address`, when it lies behind them. */
struct error *show_bytes(struct cmd_context *ctx, int64_t id, uint64_t block, uint64_t size,
			 uint64_t address) _must_check_;
