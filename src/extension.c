/*
 * extension: heapscan's SQL functions for any program that uses SQLite, as a loadable extension
 * (heapscan.so). In the sqlite3 program `.load heapscan`; in Python
 *
 *	connection.enable_load_extension(True)
 *	connection.load_extension("heapscan")
 *
 * Calls go through the host's own SQLite. What there is: store/functions.h.
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "store/functions.h"

/* SQLite derives the name from the file's: sqlite3_NAME_init. */
__attribute__((visibility("default"))) int sqlite3_heapscan_init(sqlite3 *db, char **why,
								 const sqlite3_api_routines *api);

int sqlite3_heapscan_init(sqlite3 *db, char **why, const sqlite3_api_routines *api)
{
	SQLITE_EXTENSION_INIT2(api);
	struct error *err = store_functions(db);
	if (!err)
		return SQLITE_OK;
	*why = sqlite3_mprintf("%s", err->message);
	error_free(err);
	return SQLITE_ERROR;
}
