/*
 * Counts that CPython's own code takes and never gives back: one each, in every process that runs that
 * code. They are leaks, of no weight; named here, they are told from those of the program. Found by
 * the audit of healthy processes (tests/python/programs/healthy.py); a row that goes too far hides one
 * count of that one object.
 */
#include "layout/cpython.h"

static const struct cpython_lost lost[] = {
	/* Python/pylifecycle.c: the module that Python/sysmodule.c makes (_PySys_Init,
	 * _PySys_BeginInit; 3.8: _PySys_Create) is also put into sys.modules */
	{CPYTHON_LOST_MODULE, 3, 6, 8, "sys", NULL},
	/* the same: Python/bltinmodule.c, _PyBuiltin_Init */
	{CPYTHON_LOST_MODULE, 3, 6, 6, "builtins", NULL},
	/* the same: Python/_warnings.c, _PyWarnings_Init */
	{CPYTHON_LOST_MODULE, 3, 6, 8, "_warnings", NULL},
	/* Python/import.c, _PyImport_Init: initstr, which nothing reads: the compiler leaves it out */
	{CPYTHON_LOST_INTERNED, 3, 6, 6, "__init__", NULL},
	/* Python/_warnings.c, create_filter: modname_obj */
	{CPYTHON_LOST_INTERNED, 3, 7, 8, "__main__", NULL},
	/* Python/_warnings.c, is_internal_frame: an INCREF of what is its own */
	{CPYTHON_LOST_TEXT, 3, 6, 10, "importlib", NULL},
	{CPYTHON_LOST_TEXT, 3, 6, 10, "_bootstrap", NULL},
	/* Modules/cPickle.c, init_stuff: t */
	{CPYTHON_LOST_MODULE, 2, 7, 7, "__builtin__", NULL},
	/* Modules/_multiprocessing/multiprocessing.c, init_multiprocessing: value */
	{CPYTHON_LOST_MEMBER, 2, 7, 7, "_multiprocessing.SemLock", "SEM_VALUE_MAX"},
	{CPYTHON_LOST_MEMBER, 3, 6, 9, "_multiprocessing.SemLock", "SEM_VALUE_MAX"},
	/* Modules/selectmodule.c, _select_exec: an INCREF for PyModule_AddObject that is not there */
	{CPYTHON_LOST_TYPE, 3, 9, 9, "select.poll", NULL},
	/* Modules/_decimal/_decimal.c, PyInit__decimal (seen in 3.11.7, not in 3.11.2) */
	{CPYTHON_LOST_MEMBER, 3, 11, 11, "decimal", "ExtendedContext"},
};

const struct cpython_lost *cpython_lost_next(const struct cpython_layout *layout, unsigned *i)
{
	while (*i < sizeof(lost) / sizeof(lost[0])) {
		const struct cpython_lost *row = &lost[(*i)++];
		if (row->major == layout->major && row->from <= layout->minor &&
		    layout->minor <= row->to)
			return row;
	}
	return NULL;
}
