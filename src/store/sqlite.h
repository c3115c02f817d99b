/*
 * sqlite: SQLite's interface, for the files of store/ that are also built into the loadable
 * extension (heapscan.so): there every call goes through the host program's own SQLite.
 */
#pragma once

#include "base/cleanup.h"

#ifdef HEAPSCAN_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#else
#include <sqlite3.h>
#endif

static inline void cleanup_stmt_(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
}
#define _cleanup_stmt_ _cleanup_(cleanup_stmt_)
