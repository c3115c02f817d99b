/*
 * Counts that well-known extension modules take when they are imported and never give back: one each,
 * in every process that has them. They are leaks, of no weight; named here, they are told from those of
 * the program. A row that outlives its fault explains one count of that one object. What Cython leaves
 * behind is told by its form: runtime/cpython/kept_cython.c.
 *
 * The release after each source is the one where it was read and seen.
 */
#include "layout/cpython.h"

#define ADDED "a value that the module's start adds to a dict and does not give back"
#define UNREAD "kept in a variable that is never read, which the compiler left out"

const struct cpython_kept cpython_kept[] = {
	/* cffi 1.15.1: c/_cffi_backend.c, init__cffi_backend: v */
	{CPYTHON_KEPT_MEMBER, "_cffi_backend", "_cffi_backend._CDataBase", "__module__", ADDED},
	{CPYTHON_KEPT_MEMBER, "_cffi_backend", "_cffi_backend._CDataBase", "__name__", ADDED},
	/* cffi 1.15.1: c/file_emulator.h, init_file_emulator: io. It is the module _io */
	{CPYTHON_KEPT_MODULE, "_cffi_backend", "io", NULL, "imported by init_file_emulator"},
	/* Pillow 9.4.0: src/_imaging.c, setup_module: PyDict_SetItemString(d, ..., new text) */
	{CPYTHON_KEPT_MEMBER, "_imaging", "PIL._imaging", "jpeglib_version", ADDED},
	{CPYTHON_KEPT_MEMBER, "_imaging", "PIL._imaging", "jp2klib_version", ADDED},
	{CPYTHON_KEPT_MEMBER, "_imaging", "PIL._imaging", "libjpeg_turbo_version", ADDED},
	{CPYTHON_KEPT_MEMBER, "_imaging", "PIL._imaging", "imagequant_version", ADDED},
	{CPYTHON_KEPT_MEMBER, "_imaging", "PIL._imaging", "zlib_version", ADDED},
	{CPYTHON_KEPT_MEMBER, "_imaging", "PIL._imaging", "libtiff_version", ADDED},
	{CPYTHON_KEPT_MEMBER, "_imaging", "PIL._imaging", "PILLOW_VERSION", ADDED},
	/* multidict 6.0.4: multidict/_multilib/views.h, multidict_views_init: module, and a
	 * function that only multidict 4 called */
	{CPYTHON_KEPT_MODULE, "_multidict", "multidict._multidict_base", NULL,
	 "imported by multidict_views_init"},
	{CPYTHON_KEPT_MEMBER, "_multidict", "multidict._multidict_base", "_itemsview_isdisjoint",
	 UNREAD},
	/* zope.interface 5.5.2: src/zope/interface/_zope_interface_coptimizations.c, init:
	 * DEFINE_STRING */
	{CPYTHON_KEPT_TEXT, "_zope_interface_coptimizations", "__name__", NULL, UNREAD},
	{CPYTHON_KEPT_TEXT, "_zope_interface_coptimizations", "__module__", NULL, UNREAD},
	/* numpy 1.24.2: numpy/core/src/umath/dispatching.c, add_and_return_legacy_wrapping_ufunc_loop,
	 * PyUFunc_AddPromoter: info, which the list has by then. One for each loop that is added */
	{CPYTHON_KEPT_LISTED, "_multiarray_umath", "numpy.ufunc", NULL,
	 "a loop that the module adds to a ufunc and does not give back"},
	/* scipy 1.10.1: scipy/interpolate/src/_fitpackmodule.c, PyInit__fitpack: fitpack_error */
	{CPYTHON_KEPT_MEMBER, "_fitpack", "scipy.interpolate._fitpack", "error", UNREAD},
	/* protobuf 3.21.12: google/protobuf/pyext/map_container.cc, InitMapContainers: an INCREF
	 * beside that of the tuple */
	{CPYTHON_KEPT_MEMBER, "_message", "collections.abc", "MutableMapping",
	 "counted once too often by InitMapContainers"},
	/* protobuf 3.21.12: google/protobuf/pyext/message.cc, InitGlobals: kEmptyWeakref, to a set
	 * that is freed in the next line */
	{CPYTHON_KEPT_DEAD, "_message", "weakref.ReferenceType", NULL, UNREAD},
	{CPYTHON_KEPT_DEAD, "_message", "weakref", NULL, UNREAD}, /* to 3.9 */
	/* h5py 3.7.0: h5py/h5t.pyx, _correct_float_info: for ppc64 only. An int of Cython's does not
	 * tell whose it is; its instructions were read: both are made beside the other constants, and
	 * not stored */
	{CPYTHON_KEPT_NUMBER, "h5t", "1024", NULL, UNREAD},
	{CPYTHON_KEPT_NUMBER, "h5t", "-1022", NULL, UNREAD},
};

const unsigned cpython_nkept = sizeof(cpython_kept) / sizeof(cpython_kept[0]);
