/*
 * growth: a database to compare others in (schema/growth/tables.sql). It is made in memory, others are
 * attached to it read-only under a name, and it is saved to a file if asked for:
 *
 *	err = growth_create(&store);
 *	err = growth_attach(store, "old.db", "dump");	checked as store_open does
 *	err = growth_script(store, "growth/load.sql", 1);	:step is 1
 *	err = growth_detach(store, "dump");
 *	err = growth_save(store, "growth.db");
 *	store_close(store);
 */
#pragma once

#include "store/store.h"

/* Empty, with its tables. */
struct error *growth_create(struct store **ret) _must_check_;
struct error *growth_attach(struct store *st, const char *path, const char *name) _must_check_;
struct error *growth_detach(struct store *st, const char *name) _must_check_;
/* All statements of an embedded file, with :step bound. */
struct error *growth_script(struct store *st, const char *script, int64_t step) _must_check_;

/* May `path` be written to: is it nothing yet, or such a database? ERROR_USAGE if not. */
struct error *growth_check_target(const char *path) _must_check_;
/* To a file, which is there when it is complete. Nothing may be attached. */
struct error *growth_save(struct store *st, const char *path) _must_check_;
