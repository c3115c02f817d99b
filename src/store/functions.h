/*
 * functions: what heapscan adds to SQL. store_open registers all of it for the commands; the loadable
 * extension (src/extension.c) for any program that uses SQLite.
 *
 *	X REGEXP Y, regexp(Y, X)	does text X match the Perl-compatible regular expression Y? (UTF-8;
 *					bounded in time: an expression that explodes is an SQL error)
 *	addr(N), hex(N)			0x and lower-case hex; addresses from 2^63 on, too
 *	human(N)			bytes for people: 512 B, 1.5 KiB, 3.2 GiB
 *	object_at(ADDRESS)		id of the object whose block holds it, also in its middle
 *	content_key(K, X, ...)		a number for texts, the same in every database; K: that of what goes
 *					before them, or 0
 *
 * Tables that take arguments, for FROM (table_functions.c):
 *
 *	path_to(ID [, MAX])		why an object is alive: path, step, object_id, name, expression,
 *					holder, reference_id, root_id
 *	retained_set(ID)		what would go with it: object_id
 *	referrers_of(ID [, DEPTH])	what holds it, over so many steps (1): object_id, depth, via,
 *					reference_id
 *	what_if(ID [, MAX])		what is freed when it goes, and what the system gets back of that:
 *					objects, bytes, returned, at_once, complete (0: MAX objects were
 *					looked at, and there are more); see store/whatif.h
 *	what_if_reference(ROWID [, MAX])
 *	what_if_root(ID [, MAX])	the same when that is cut, see store/whatif_cut.h; also others (how many
 *					more hold its object), waiting_objects, waiting_bytes (of what is
 *					freed: only Python's cyclic collector finds it)
 */
#pragma once

#include "base/error.h"
#include "store/sqlite.h"

struct error *store_functions(sqlite3 *db) _must_check_;
struct error *table_functions(sqlite3 *db) _must_check_;
