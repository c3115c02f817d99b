/*
 * Room that CPython's containers keep. tests/python/test_savings.py compares with sys.getsizeof of the
 * container and of one made anew.
 */
#include "layout/cpython.h"

static const struct cpython_spare spare[] = {
	{
		.major = 2,
		.from = 7,
		.to = 7,
		/* Objects/setobject.c, set_merge; Objects/dictobject.c, PyDict_Merge:
		 * n * 3 >= 8 * 2 makes a table of more than n * 2 slots */
		.set_inside = 5,
		.dict_inside = 5,
		.dict_least = 0,
		.bytesio_buffer = CPYTHON_NONE, /* no object: Modules/_io/bytesio.c */
		.bytesio_used = CPYTHON_NONE,
		/* also Modules/_io/bytesio.c, bytesio; Modules/cStringIO.c, Oobject */
		.stringio_buffer = 16,
		.stringio_used = 32,
		.stringio_room = 40,
		.stringio_state = CPYTHON_NONE,
		.stringio_writer = CPYTHON_NONE,
		/* Modules/arraymodule.c: arrayobject, struct arraydescr */
		.array_items = 24,
		.array_allocated = 32,
		.array_descr = 40,
		.array_descr_itemsize = 4,
		.odict_nodes = CPYTHON_NONE, /* written in Python */
		.odict_slots = CPYTHON_NONE,
	},
	{
		.major = 3,
		.from = 6,
		.to = 7,
		/* Objects/setobject.c, set_merge: n * 3 >= 7 * 2; 3.7: n * 5 >= 7 * 3 */
		.set_inside = 4,
		.dict_inside = 0,
		.dict_least = 8, /* Objects/dictobject.c, PyDict_New */
		/* Modules/_io/bytesio.c, bytesio: buf, pos, string_size */
		.bytesio_buffer = 16,
		.bytesio_used = 32,
		/* Modules/_io/stringio.c, stringio: buf, pos, string_size, buf_size, state */
		.stringio_buffer = 16,
		.stringio_used = 32,
		.stringio_room = 40,
		.stringio_state = 48,
		.stringio_writer = CPYTHON_NONE,
		/* Modules/arraymodule.c: arrayobject, struct arraydescr */
		.array_items = 24,
		.array_allocated = 32,
		.array_descr = 40,
		.array_descr_itemsize = 4,
		/* Objects/odictobject.c, struct _odictobject: od_fast_nodes, od_fast_nodes_size */
		.odict_nodes = 64,
		.odict_slots = 72,
	},
	{
		.major = 3,
		.from = 8,
		.to = 11,
		/* Objects/setobject.c, set_merge: n * 5 >= 7 * 3 */
		.set_inside = 4,
		.dict_inside = 0,
		.dict_least = 0, /* Objects/dictobject.c, PyDict_New: Py_EMPTY_KEYS */
		/* Modules/_io/bytesio.c, bytesio: buf, pos, string_size */
		.bytesio_buffer = 16,
		.bytesio_used = 32,
		/* Modules/_io/stringio.c, stringio: buf, pos, string_size, buf_size, state */
		.stringio_buffer = 16,
		.stringio_used = 32,
		.stringio_room = 40,
		.stringio_state = 48,
		.stringio_writer = CPYTHON_NONE,
		/* Modules/arraymodule.c: arrayobject, struct arraydescr */
		.array_items = 24,
		.array_allocated = 32,
		.array_descr = 40,
		.array_descr_itemsize = 4,
		/* Objects/odictobject.c, struct _odictobject: od_fast_nodes, od_fast_nodes_size */
		.odict_nodes = 64,
		.odict_slots = 72,
	},
	{
		.major = 3,
		.from = 12,
		.to = 13,
		/* Objects/setobject.c, set_merge: n * 5 >= 7 * 3 */
		.set_inside = 4,
		.dict_inside = 0,
		.dict_least = 0, /* Objects/dictobject.c, PyDict_New: Py_EMPTY_KEYS */
		/* Modules/_io/bytesio.c, bytesio: buf, pos, string_size */
		.bytesio_buffer = 16,
		.bytesio_used = 32,
		/* Modules/_io/stringio.c, stringio: buf, pos, string_size, buf_size, state */
		.stringio_buffer = 16,
		.stringio_used = 32,
		.stringio_room = 40,
		.stringio_state = 48,
		.stringio_writer = 56,
		/* Modules/arraymodule.c: arrayobject, struct arraydescr */
		.array_items = 24,
		.array_allocated = 32,
		.array_descr = 40,
		.array_descr_itemsize = 4,
		/* Objects/odictobject.c, struct _odictobject: od_fast_nodes, od_fast_nodes_size */
		.odict_nodes = 64,
		.odict_slots = 72,
	},
	{
		.major = 3,
		.from = 14,
		.to = 15,
		/* Objects/setobject.c, set_merge: n * 5 >= 7 * 3 */
		.set_inside = 4,
		.dict_inside = 0,
		.dict_least = 0, /* Objects/dictobject.c, PyDict_New: Py_EMPTY_KEYS */
		/* Modules/_io/bytesio.c, bytesio: buf, pos, string_size */
		.bytesio_buffer = 16,
		.bytesio_used = 32,
		/* Modules/_io/stringio.c, stringio: buf, pos, string_size, buf_size, state */
		.stringio_buffer = 16,
		.stringio_used = 32,
		.stringio_room = 40,
		.stringio_state = 48,
		.stringio_writer = 56,
		.stringio_writer_apart = true,
		/* Modules/arraymodule.c: arrayobject, struct arraydescr */
		.array_items = 24,
		.array_allocated = 32,
		.array_descr = 40,
		.array_descr_itemsize = 4,
		/* Objects/odictobject.c, struct _odictobject: od_fast_nodes, od_fast_nodes_size */
		.odict_nodes = 64,
		.odict_slots = 72,
	},
};

const struct cpython_spare *cpython_spare_find(const struct cpython_layout *layout)
{
	for (unsigned i = 0; i < sizeof(spare) / sizeof(spare[0]); i++)
		if (spare[i].major == layout->major && spare[i].from <= layout->minor &&
		    layout->minor <= spare[i].to)
			return &spare[i];
	return NULL;
}
