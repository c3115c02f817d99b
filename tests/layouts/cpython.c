/*
 * Compares one row of src/layout/cpython_*.c with the headers it is compiled against. Run by
 * scripts/layouts for each interpreter that is present. Prints what differs, in the form of a row.
 */
/* Before signal.h, whose si_addr is a macro. */
#include "layout/cpython.h"

#define Py_BUILD_CORE 1
#include <Python.h>

#include <frameobject.h>
#include <stddef.h>
#include <stdio.h>
#include <structmember.h>
#if PY_VERSION_HEX >= 0x03080000
#include <internal/pycore_object.h>
#include <internal/pycore_pystate.h>
#endif
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_gc.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_runtime.h>
#endif
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_dict.h>
#include <internal/pycore_frame.h>
#endif
#if PY_MAJOR_VERSION == 2
#include <longintrepr.h>
#elif PY_VERSION_HEX < 0x030b0000
#include <longintrepr.h>
#endif
#if PY_VERSION_HEX >= 0x030d0000
#define FREE_LISTS object_state.freelists.lists.items
#define FREE_DICTS object_state.freelists.dicts.items
#elif PY_VERSION_HEX >= 0x030a0000
#define FREE_LISTS list.free_list
#define FREE_DICTS dict_state.free_list
#endif
#if PY_VERSION_HEX >= 0x030c0000
#define TYPE_CACHE types.type_cache
#elif PY_VERSION_HEX >= 0x030a0000
#define TYPE_CACHE type_cache
#endif
static int wrong;

static void check(const char *field, unsigned long have, unsigned long want)
{
	if (have == want)
		return;
	wrong++;
	printf("\t\t%s = %lu, /* row has %lu */\n", field, want, have);
}

#define SAME(field, value) check(#field, L->field, (unsigned long)(value))
#define AT(field, type, member) check(#field, L->field, offsetof(type, member))
#define ABSENT(field) check(#field, L->field, CPYTHON_NONE)

static void check_object(const struct cpython_layout *L)
{
	AT(object.refcnt, PyObject, ob_refcnt);
	AT(object.type, PyObject, ob_type);
	AT(object.size, PyVarObject, ob_size);
	SAME(object.head, sizeof(PyObject));
	SAME(object.var_head, sizeof(PyVarObject));
	SAME(gc.head_size, sizeof(PyGC_Head));
}

static void check_type(const struct cpython_layout *L)
{
	AT(type.name, PyTypeObject, tp_name);
	AT(type.basicsize, PyTypeObject, tp_basicsize);
	AT(type.itemsize, PyTypeObject, tp_itemsize);
	AT(type.dealloc, PyTypeObject, tp_dealloc);
	AT(type.flags, PyTypeObject, tp_flags);
	AT(type.doc, PyTypeObject, tp_doc);
	AT(type.traverse, PyTypeObject, tp_traverse);
	AT(type.clear, PyTypeObject, tp_clear);
	AT(type.weaklistoffset, PyTypeObject, tp_weaklistoffset);
	AT(type.methods, PyTypeObject, tp_methods);
	AT(type.members, PyTypeObject, tp_members);
	AT(type.getset, PyTypeObject, tp_getset);
	AT(type.base, PyTypeObject, tp_base);
	AT(type.dict, PyTypeObject, tp_dict);
	AT(type.descr_get, PyTypeObject, tp_descr_get);
	AT(type.dictoffset, PyTypeObject, tp_dictoffset);
	AT(type.init, PyTypeObject, tp_init);
	AT(type.new_, PyTypeObject, tp_new);
	AT(type.bases, PyTypeObject, tp_bases);
	AT(type.mro, PyTypeObject, tp_mro);
	AT(type.cache, PyTypeObject, tp_cache);
	AT(type.subclasses, PyTypeObject, tp_subclasses);
	AT(type.weaklist, PyTypeObject, tp_weaklist);
	AT(type.del, PyTypeObject, tp_del);
#if PY_MAJOR_VERSION >= 3
	AT(type.finalize, PyTypeObject, tp_finalize);
	AT(type.heap_qualname, PyHeapTypeObject, ht_qualname);
	AT(type.heap_cached_keys, PyHeapTypeObject, ht_cached_keys);
#else
	ABSENT(type.finalize);
	ABSENT(type.heap_qualname);
	ABSENT(type.heap_cached_keys);
#endif
#if PY_VERSION_HEX >= 0x03090000
	AT(type.heap_module, PyHeapTypeObject, ht_module);
#else
	ABSENT(type.heap_module);
#endif
	SAME(type.size, sizeof(PyTypeObject));
	AT(type.heap_name, PyHeapTypeObject, ht_name);
	AT(type.heap_slots, PyHeapTypeObject, ht_slots);
	SAME(type.heap_size, sizeof(PyHeapTypeObject));
	SAME(type_basicsize, sizeof(PyHeapTypeObject));
	SAME(type.flag.heap, Py_TPFLAGS_HEAPTYPE);
	SAME(type.flag.ready, Py_TPFLAGS_READY);
	SAME(type.flag.have_gc, Py_TPFLAGS_HAVE_GC);
	SAME(type.flag.base_exc, Py_TPFLAGS_BASE_EXC_SUBCLASS);
	SAME(type.flag.type, (unsigned)Py_TPFLAGS_TYPE_SUBCLASS);
	SAME(type.flag.dict, Py_TPFLAGS_DICT_SUBCLASS);
	SAME(type.flag.tuple, Py_TPFLAGS_TUPLE_SUBCLASS);
	SAME(type.flag.list, Py_TPFLAGS_LIST_SUBCLASS);
	SAME(type.flag.unicode, Py_TPFLAGS_UNICODE_SUBCLASS);
#if PY_MAJOR_VERSION >= 3
	SAME(type.flag.bytes, Py_TPFLAGS_BYTES_SUBCLASS);
#else
	SAME(type.flag.bytes, Py_TPFLAGS_STRING_SUBCLASS);
#endif
	SAME(type.flag.integer, Py_TPFLAGS_LONG_SUBCLASS);
#ifdef Py_TPFLAGS_MANAGED_DICT
	SAME(type.flag.managed_dict, Py_TPFLAGS_MANAGED_DICT);
#else
	SAME(type.flag.managed_dict, 0);
#endif
#ifdef Py_TPFLAGS_MANAGED_WEAKREF
	SAME(type.flag.managed_weakref, Py_TPFLAGS_MANAGED_WEAKREF);
#else
	SAME(type.flag.managed_weakref, 0);
#endif
#ifdef Py_TPFLAGS_INLINE_VALUES
	SAME(type.flag.inline_values, Py_TPFLAGS_INLINE_VALUES);
#else
	SAME(type.flag.inline_values, 0);
#endif
#ifdef Py_TPFLAGS_ITEMS_AT_END
	SAME(type.flag.items_at_end, Py_TPFLAGS_ITEMS_AT_END);
#else
	SAME(type.flag.items_at_end, 0);
#endif
}

static void check_text(const struct cpython_layout *L)
{
#if PY_MAJOR_VERSION == 2
	AT(text.length, PyUnicodeObject, length);
	AT(text.hash, PyUnicodeObject, hash);
	AT(text.data, PyUnicodeObject, str);
	AT(text.encoded, PyUnicodeObject, defenc);
	SAME(text.forms, CPYTHON_TEXT_POINTER);
	AT(sequence.bytes_items, PyStringObject, ob_sval);
#else
	AT(text.length, PyASCIIObject, length);
	AT(text.hash, PyASCIIObject, hash);
	AT(text.state, PyASCIIObject, state);
	AT(text.utf8_length, PyCompactUnicodeObject, utf8_length);
	AT(text.utf8, PyCompactUnicodeObject, utf8);
	AT(text.data, PyUnicodeObject, data);
	SAME(text.ascii_size, sizeof(PyASCIIObject));
	SAME(text.compact_size, sizeof(PyCompactUnicodeObject));
	AT(sequence.bytes_items, PyBytesObject, ob_sval);
#if PY_VERSION_HEX < 0x030c0000
	SAME(text.forms, CPYTHON_TEXT_WSTR);
	AT(text.wstr, PyASCIIObject, wstr);
	AT(text.wstr_length, PyCompactUnicodeObject, wstr_length);
#else
	SAME(text.forms, CPYTHON_TEXT_COMPACT);
	ABSENT(text.wstr);
	ABSENT(text.wstr_length);
#endif
#endif
}

static void check_number(const struct cpython_layout *L)
{
#if PY_VERSION_HEX >= 0x030c0000
	SAME(number.integer, CPYTHON_INTEGER_TAG);
	AT(number.tag, PyLongObject, long_value.lv_tag);
	AT(number.digits_at, PyLongObject, long_value.ob_digit);
#else
	SAME(number.integer, CPYTHON_INTEGER_SIZE);
	ABSENT(number.tag);
	AT(number.digits_at, PyLongObject, ob_digit);
#endif
	SAME(number.digit_bits, PyLong_SHIFT);
	AT(number.float_value, PyFloatObject, ob_fval);
	AT(number.complex_value, PyComplexObject, cval);
#if PY_MAJOR_VERSION == 2
	AT(number.int_value, PyIntObject, ob_ival);
#else
	ABSENT(number.int_value);
#endif
}

static void check_containers(const struct cpython_layout *L)
{
	AT(sequence.list_items, PyListObject, ob_item);
	AT(sequence.list_allocated, PyListObject, allocated);
	AT(sequence.tuple_items, PyTupleObject, ob_item);
	AT(sequence.bytearray_alloc, PyByteArrayObject, ob_alloc);
	AT(sequence.bytearray_bytes, PyByteArrayObject, ob_bytes);
#if PY_VERSION_HEX >= 0x030f0000
	AT(sequence.bytearray_object, PyByteArrayObject, ob_bytes_object);
#endif
#if PY_MAJOR_VERSION == 2
	ABSENT(sequence.bytearray_start);
	AT(mapping.used, PyDictObject, ma_used);
	AT(mapping.fill, PyDictObject, ma_fill);
	AT(mapping.mask, PyDictObject, ma_mask);
	AT(mapping.table, PyDictObject, ma_table);
	AT(mapping.smalltable, PyDictObject, ma_smalltable);
#else
	AT(sequence.bytearray_start, PyByteArrayObject, ob_start);
	AT(mapping.used, PyDictObject, ma_used);
	AT(mapping.keys, PyDictObject, ma_keys);
	AT(mapping.values, PyDictObject, ma_values);
#endif
	AT(mapping.set_fill, PySetObject, fill);
	AT(mapping.set_used, PySetObject, used);
	AT(mapping.set_mask, PySetObject, mask);
	AT(mapping.set_table, PySetObject, table);
	AT(mapping.set_smalltable, PySetObject, smalltable);
	AT(mapping.set_weakrefs, PySetObject, weakreflist);
}

static void check_free_lists(const struct cpython_layout *L)
{
#ifdef FREE_LISTS
	AT(state.interp_free_lists, PyInterpreterState, FREE_LISTS);
	AT(state.interp_free_dicts, PyInterpreterState, FREE_DICTS);
#else
	SAME(state.interp_free_lists, 0);
#endif
#ifdef TYPE_CACHE
	AT(state.interp_type_cache, PyInterpreterState, TYPE_CACHE);
	check("CPYTHON_CACHE_ENTRY", CPYTHON_CACHE_ENTRY, sizeof(struct type_cache_entry));
	check("CPYTHON_CACHE_NAME", CPYTHON_CACHE_NAME, offsetof(struct type_cache_entry, name));
	check("CPYTHON_CACHE_ENTRIES", CPYTHON_CACHE_ENTRIES,
	      sizeof(struct type_cache) / sizeof(struct type_cache_entry));
#else
	SAME(state.interp_type_cache, 0);
#endif
}

static void check_code(const struct cpython_layout *L)
{
	AT(code.name, PyCodeObject, co_name);
	AT(code.filename, PyCodeObject, co_filename);
	AT(code.firstlineno, PyCodeObject, co_firstlineno);
	AT(code.stacksize, PyCodeObject, co_stacksize);
#if PY_VERSION_HEX < 0x030a0000
	AT(code.bytecode, PyCodeObject, co_code);
	AT(code.linetable, PyCodeObject, co_lnotab);
	AT(wait.generator_running, PyGenObject, gi_running);
#elif PY_VERSION_HEX < 0x030b0000
	AT(code.bytecode, PyCodeObject, co_code);
	AT(code.linetable, PyCodeObject, co_linetable);
	ABSENT(wait.generator_running);
#else
	AT(code.linetable, PyCodeObject, co_linetable);
#endif
#if PY_VERSION_HEX < 0x030b0000
	AT(wait.generator_frame, PyGenObject, gi_frame);
	AT(wait.generator_code, PyGenObject, gi_code);
#endif
	AT(function.code, PyFunctionObject, func_code);
	AT(function.name, PyFunctionObject, func_name);
#if PY_MAJOR_VERSION >= 3
	AT(function.qualname, PyFunctionObject, func_qualname);
#else
	ABSENT(function.qualname);
#endif
	AT(function.module, PyFunctionObject, func_module);
	AT(function.builtin_ml, PyCFunctionObject, m_ml);
	AT(function.builtin_self, PyCFunctionObject, m_self);
	AT(function.builtin_module, PyCFunctionObject, m_module);
	AT(function.method_func, PyMethodObject, im_func);
	AT(function.method_self, PyMethodObject, im_self);
	AT(function.descr_type, PyDescrObject, d_type);
	AT(function.descr_name, PyDescrObject, d_name);
	AT(function.wrapper_base, PyWrapperDescrObject, d_base);
}

int main(void)
{
	const struct cpython_layout *L = NULL;
	for (unsigned i = 0; i < cpython_nlayouts; i++)
		if (cpython_layouts[i]->major == PY_MAJOR_VERSION &&
		    cpython_layouts[i]->minor == PY_MINOR_VERSION)
			L = cpython_layouts[i];
	if (!L) {
		printf("no row for %s\n", PY_VERSION);
		return 2;
	}
	check_object(L);
	check_type(L);
	check_text(L);
	check_number(L);
	check_containers(L);
	check_free_lists(L);
	check_code(L);
	printf("%s: %d differences\n", PY_VERSION, wrong);
	return wrong ? 1 : 0;
}
