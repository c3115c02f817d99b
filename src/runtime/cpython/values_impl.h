/* values: the functions that kinds.def names, and what they share. */
#pragma once

#include "runtime/cpython/py.h"

bool py_value_print(struct py_value *v, const char *fmt, ...) _printf_(2, 3);

py_value_fn py_value_type, py_value_none_object, py_value_size_items, py_value_dict, py_value_set;
py_value_fn py_value_function, py_value_builtin, py_value_method, py_value_code, py_value_module;
py_value_fn py_value_descr;
/* values_frame.c */
py_value_fn py_value_frame, py_value_traceback;
/* values_data.c */
py_value_fn py_value_int, py_value_long, py_value_bool, py_value_float, py_value_complex;
py_value_fn py_value_str, py_value_bytes;
