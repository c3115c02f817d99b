/*
 * sqlite: SQLite's interface, for the files of store/ that are also built into the loadable
 * extension (heapscan.so): there every call goes through the host program's own SQLite.
 */
#pragma once

#ifdef HEAPSCAN_EXTENSION
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#else
#include <sqlite3.h>
#endif
