/*
 * layout/cpython: where CPython keeps its fields, by minor version. Data, not code.
 *
 * One `const struct cpython_layout` for each minor version (cpython_3_11.c, ...), written out in
 * full. Offsets and sizes are bytes; a field that a version does not have is CPYTHON_NONE.
 * Behaviour that changed is an enum in the same row: walkers switch on it, and nobody outside
 * layout/ asks for a version number. 64-bit little-endian processes with the GIL; what else there
 * is (32 bits, free-threaded, --with-trace-refs) is recognised by cpython_resolve and refused.
 *
 * Each line names the source file of its release. scripts/layouts compiles tests/layouts/cpython.c
 * with the headers of each interpreter that is present and compares.
 *
 * To add a version: a file with its row, its line in cpython_resolve.c, `make layouts`.
 */
#pragma once

#include "base/damage.h"
#include "debuginfo/debuginfo.h"
#include "image/image.h"

#include <stdbool.h>
#include <stdint.h>

/* An offset of a field that this version does not have. */
enum { CPYTHON_NONE = 0xffff };
/* A micro version that has not come. */
enum { CPYTHON_NEVER = 0xff };

/* How the count word is to be read. */
enum cpython_refcount {
	CPYTHON_REFCOUNT_WORD,	    /* Py_ssize_t; nothing is immortal */
	CPYTHON_REFCOUNT_999999999, /* the same; what was made by the compiler begins there (3.11)
				     */
	CPYTHON_REFCOUNT_HALF,	    /* low 32 bits; immortal when they are negative (3.12) */
	CPYTHON_REFCOUNT_FLAGS,	    /* the same, and flags in bits 48 to 63 (3.14) */
};

/* What a type's flags say about words before the object (and before its GC head: none there). */
enum cpython_preheader {
	CPYTHON_PREHEADER_NONE,
	CPYTHON_PREHEADER_VALUES, /* 3.11: managed dict: values at -4 words, dict at -3 */
	CPYTHON_PREHEADER_TAGGED, /* 3.12: weak list at -4 words, dict at -3 or (bit 0) values */
	CPYTHON_PREHEADER_INLINE, /* 3.13: weak list at -4 words, dict at -3; values in the object
				   */
};

struct cpython_object_layout {
	uint16_t refcnt, type, size; /* size: of PyVarObject, Py_ssize_t */
	uint16_t head, var_head;     /* sizeof PyObject, PyVarObject */
	enum cpython_refcount refcount;
	/* Freed ones that are kept: the count is a link to the next (pycore_freelist.h, 3.14); 0 */
	bool freed_links;
	enum cpython_preheader preheader;
	uint16_t managed_dict, managed_values, managed_weakref; /* bytes *before* the object */
};

enum cpython_gc_head {
	CPYTHON_GC_REFS,	 /* next, prev, gc_refs: -2 untracked (2.7) */
	CPYTHON_GC_REFS_SHIFTED, /* the same, one bit higher; bit 0: finalized (3.6, 3.7) */
	CPYTHON_GC_PREV_BITS,	 /* next (0: untracked), prev with flags in its low bits (3.8) */
};

struct cpython_gc_layout {
	uint16_t head_size; /* before the object */
	uint16_t next, prev, refs;
	enum cpython_gc_head head;
	uint16_t prev_shift;	 /* link = prev & ~((1 << shift) - 1) */
	uint16_t prev_finalized; /* bit */
};

/* What tp_flags of this version mean; 0: no such flag. */
struct cpython_type_flags {
	uint32_t heap, ready, have_gc, base_exc, type, dict, tuple, list, unicode, bytes, integer;
	uint32_t managed_dict, managed_weakref, inline_values, items_at_end;
};

/* Where a static builtin type keeps its tp_dict, tp_subclasses and tp_weaklist. */
enum cpython_builtin_types {
	CPYTHON_TYPES_OWN_DICT, /* in itself */
	CPYTHON_TYPES_BY_INDEX, /* in the interpreter, at (word in tp_subclasses) - 1 (3.12) */
};

struct cpython_type_layout {
	uint16_t name, basicsize, itemsize, dealloc, flags, doc, traverse, clear, weaklistoffset;
	uint16_t methods, members, getset, base, dict, descr_get, dictoffset, init, new_, bases,
		mro;
	uint16_t cache, subclasses, weaklist, del, finalize;
	uint16_t size; /* sizeof PyTypeObject */
	/* PyHeapTypeObject */
	uint16_t heap_name, heap_slots, heap_qualname, heap_cached_keys, heap_module;
	uint16_t heap_size;
	struct cpython_type_flags flag;
	enum cpython_builtin_types builtin;
	/* An entry of the interpreter's array: its bytes, tp_dict, tp_subclasses in it; 0: not known */
	uint16_t builtin_size, builtin_dict, builtin_subclasses;
};

enum cpython_text_forms {
	CPYTHON_TEXT_POINTER, /* unicode: UCS-4 (or 2: cpython.narrow) in a malloc of its own (2.7)
			       */
	CPYTHON_TEXT_WSTR,    /* PEP 393 with wstr and `ready` (3.3 to 3.11) */
	CPYTHON_TEXT_COMPACT  /* without (3.12) */
};

/* str of Python 3, unicode of Python 2. */
struct cpython_text_layout {
	enum cpython_text_forms forms;
	uint16_t length, hash, state;
	uint16_t wstr, wstr_length;	   /* WSTR */
	uint16_t utf8_length, utf8;	   /* PyCompactUnicodeObject */
	uint16_t ascii_size, compact_size; /* where the characters begin */
	uint16_t data;			   /* PyUnicodeObject: pointer to them; 2.7: str */
	uint16_t encoded;		   /* 2.7: defenc, a cached str */
	/* bits of state (4 bytes) */
	uint8_t interned_bits, kind_shift, kind_bits, compact_bit, ascii_bit, ready_bit;
};

enum cpython_integer {
	CPYTHON_INTEGER_SIZE, /* sign and number of digits in ob_size */
	CPYTHON_INTEGER_TAG,  /* lv_tag: digits << 3 | sign, 1 zero, 2 negative (3.12) */
};

struct cpython_number_layout {
	enum cpython_integer integer;
	uint16_t digits_at; /* ob_digit: uint32_t each */
	uint16_t tag;	    /* lv_tag */
	uint16_t digit_bits;
	uint16_t int_value; /* 2.7: PyIntObject.ob_ival, a long; bool as well */
	uint16_t float_value, complex_value;
	/*
	 * 2.7: int and float come from malloc blocks of so many, behind a link to the next block; 0:
	 * each has a block of its own. The type word of one that is free links to the next free one.
	 */
	uint16_t block_items, block_first, block_item_size;
};

enum cpython_dict_keys {
	CPYTHON_DICT_TABLE,   /* 2.7: table of {hash, key, value}, a small one inside */
	CPYTHON_DICT_KEYS_40, /* keys: refcnt, size, lookup, usable, nentries; indices; entries */
	CPYTHON_DICT_KEYS_32, /* keys: refcnt, log2s, kind, version, usable, nentries (3.11) */
};

enum cpython_dict_values {
	CPYTHON_VALUES_NONE,   /* 2.7 */
	CPYTHON_VALUES_BARE,   /* pointers (3.3 to 3.10) */
	CPYTHON_VALUES_PREFIX, /* bytes before the pointers: order; size at -2, prefix size at -1
				  (3.11) */
	CPYTHON_VALUES_HEADER, /* capacity, size, embedded, valid, then pointers, then order (3.13)
				*/
};

/* Objects/dictobject.c, Objects/setobject.c */
struct cpython_mapping_layout {
	enum cpython_dict_keys keys_form;
	enum cpython_dict_values values_form;
	uint16_t used, version, keys, values; /* PyDictObject; version: CPYTHON_NONE or uint64_t */
	/* The low bits of version that are no part of the clock; and each interpreter has its own (3.12). */
	uint8_t version_shift;
	bool version_by_interpreter;
	uint16_t fill, mask, table, smalltable; /* 2.7: ma_* */
	uint16_t keys_refcnt, keys_size, keys_lookup, keys_log2_size, keys_log2_index, keys_kind;
	uint16_t keys_usable, keys_nentries, keys_indices;
	uint16_t set_fill, set_used, set_mask, set_table, set_smalltable, set_weakrefs;
};

struct cpython_sequence_layout {
	uint16_t list_items, list_allocated; /* PyListObject.ob_item: pointer */
	uint16_t tuple_items;		     /* PyTupleObject.ob_item[] */
	uint16_t bytes_items;		     /* PyBytesObject.ob_sval[] (2.7: PyStringObject) */
	uint16_t bytearray_alloc, bytearray_start, bytearray_bytes; /* PyByteArrayObject */
	uint16_t bytearray_object; /* of whose memory that is a part, if of any (3.15); 0: none */
};

/* Which line an instruction is of. */
enum cpython_lines {
	CPYTHON_LINES_UNKNOWN, /* this row does not tell */
	CPYTHON_LINES_RISING, /* co_lnotab: pairs of bytes, instructions and lines that pass (2.7) */
	CPYTHON_LINES_PAIRS,  /* the same; lines may go back (3.6) */
	CPYTHON_LINES_RANGES, /* co_linetable: pairs of the same, lines first; -128: none (3.10) */
	CPYTHON_LINES_LOCATIONS, /* co_linetable: Objects/locations.md (3.11) */
};

struct cpython_code_layout {
	enum cpython_lines lines;
	uint16_t bytecode; /* co_code: a bytes object (to 3.10) */
	uint16_t argcount, kwonlyargcount, nlocals, flags, firstlineno;
	uint16_t consts, names, varnames, freevars, cellvars, localsplusnames, localspluskinds;
	uint16_t nlocalsplus, stacksize;
	uint16_t filename, name, qualname, linetable,
		code; /* linetable: or co_lnotab; code: co_code_adaptive[], or an object */
};

struct cpython_function_layout {
	uint16_t globals, builtins, name, qualname, code, defaults, kwdefaults, closure, doc, dict;
	uint16_t module;
	uint16_t builtin_ml, builtin_self, builtin_module; /* PyCFunctionObject */
	uint16_t method_func, method_self;		   /* PyMethodObject */
	uint16_t module_dict, module_def, module_state, module_weaklist, module_name;
	uint16_t property_get, descr_type, descr_name; /* PyDescrObject d_type, d_name */
	uint16_t wrapper_base;			       /* PyWrapperDescrObject d_base */
};

enum cpython_frames {
	CPYTHON_FRAMES_UNKNOWN, /* this row does not tell */
	CPYTHON_FRAMES_OBJECTS, /* tstate->frame: PyFrameObject, linked by f_back (to 3.10) */
	CPYTHON_FRAMES_CFRAME, /* tstate->cframe->current_frame: _PyInterpreterFrame (3.11, 3.12) */
	CPYTHON_FRAMES_CURRENT, /* tstate->current_frame: the same (3.13) */
};

/* _PyInterpreterFrame.owner (3.11). */
enum cpython_frame_owner {
	CPYTHON_FRAME_THREAD = 0,     /* in a chunk of its thread's data stack */
	CPYTHON_FRAME_GENERATOR = 1,  /* in a generator, which shows its references */
	CPYTHON_FRAME_OBJECT = 2,     /* in a frame object, likewise */
	CPYTHON_FRAME_CSTACK = 3,     /* no code: marks an entry from C (3.12) */
	CPYTHON_FRAME_CSTACK_TOO = 4, /* likewise (3.14) */
};

/*
 * Frames as PyFrameObject (code, previous, ... are f_code, f_back, ...) or as _PyInterpreterFrame;
 * a field that this kind does not have is CPYTHON_NONE.
 */
struct cpython_frame_layout {
	enum cpython_frames frames;
	uint16_t cframe_current; /* _PyCFrame.current_frame */
	uint16_t previous, code, locals, localsplus;
	uint16_t func, frame_obj;   /* f_func, f_funcobj */
	uint16_t instr, owner;	    /* prev_instr, instr_ptr; owner: char */
	uint16_t stacktop;	    /* int: variables and stack words in use; -1: it runs */
	uint16_t stackpointer;	    /* address behind the words in use (3.14) */
	uint16_t lasti, valuestack; /* PyFrameObject to 3.10 */
	uint16_t iblock;	    /* 2.7: f_iblock, and behind it f_blockstack; 0: no matter */
	uint16_t object_frame, object_own; /* PyFrameObject.f_frame, ._f_frame_data (3.11) */
};

/* PyList_MAXFREELIST, PyDict_MAXFREELIST: Objects/listobject.c, dictobject.c; pycore_*.h from 3.10 */
enum { CPYTHON_FREE_MOST = 80 };

/*
 * struct type_cache_entry: Objects/typeobject.c, internal/pycore_typeobject.h from 3.11,
 * pycore_interp_structs.h from 3.14. 1 << MCACHE_SIZE_EXP of them.
 */
enum {
	CPYTHON_CACHE_ENTRIES = 1 << 12,
	CPYTHON_CACHE_ENTRY = 24,
	CPYTHON_CACHE_NAME = 8, /* counted; value, at 16, is borrowed */
};

/* _PyRuntimeState, PyInterpreterState, PyThreadState. Offsets above 64 KiB are no use to us. */
struct cpython_state_layout {
	/* interpreters.head; CPYTHON_NONE: PyInterpreterState_Head() knows (to 3.6) */
	uint16_t runtime_interpreters;
	bool gc_in_runtime; /* gc_* are in _PyRuntimeState (3.7, 3.8), not in the interpreter */
	uint16_t interp_next, interp_threads, interp_modules, interp_sysdict, interp_builtins;
	uint16_t interp_gc; /* 3.14; what is in it is given from the interpreter's start, as ever */
	uint16_t gc_enabled, gc_generations, gc_permanent;		  /* interp->gc */
	uint16_t generation_size, generation_threshold, generation_count; /* struct gc_generation */
	/*
	 * Arrays of CPYTHON_FREE_MOST freed objects, and of what was in them before, inside the
	 * interpreter (3.10 to 3.13); 0: statics that are called free_list, or not known.
	 */
	uint32_t interp_free_lists, interp_free_dicts;
	/* struct type_cache of the interpreter (3.10); 0: a static that is called method_cache */
	uint32_t interp_type_cache;
	uint16_t thread_next, thread_interp, thread_frame, thread_id, thread_native_id;
	uint16_t thread_chunk, chunk_previous, chunk_size; /* datastack_chunk, _PyStackChunk */
};

/* How a word of a builtin type's instances refers. */
enum cpython_slot_how {
	CPYTHON_SLOT_OWNING, /* counted, and visited by tp_traverse */
	CPYTHON_SLOT_UNSEEN, /* counted, not visited */
	CPYTHON_SLOT_TAGGED, /* counted and visited; bit 0 is a flag */
	CPYTHON_SLOT_WEAK,   /* not counted */
	CPYTHON_SLOT_ITEMS,  /* here begin ob_size words that are counted and visited */
	CPYTHON_SLOT_BUFFER, /* memory of the object's own, nothing to read in it */
	CPYTHON_SLOT_STATE,  /* memory of the object's own, of unknown layout */
	CPYTHON_SLOT_WORD,   /* counted or not, as whoever made it likes; not visited */
};

/* A field of a type's instances. The file that the type is in has its tp_traverse as well. */
struct cpython_slot {
	const char *type; /* tp_name; NULL ends the list */
	const char *name; /* ".__code__" */
	uint16_t offset;
	uint16_t how; /* enum cpython_slot_how */
};

/* How a generator tells whether it waits, and for what (Objects/genobject.c, _PyGen_yf). */
enum cpython_waiting {
	CPYTHON_WAITING_UNKNOWN, /* this row does not tell */
	CPYTHON_WAITING_NOTHING, /* no generator waits for another (2.7) */
	CPYTHON_WAITING_LASTI, /* a frame object; the next instruction is YIELD_FROM (3.6 to 3.9) */
	CPYTHON_WAITING_STATE, /* the same; the frame has a state (3.10) */
	CPYTHON_WAITING_RESUME, /* a frame inside; the next one is RESUME, its argument 2 or 3 (3.11) */
	CPYTHON_WAITING_YIELD_FROM, /* a frame inside; a state of its own says so (3.13) */
};

/*
 * Generators, coroutines, asynchronous generators (they begin alike) and asyncio's futures. States of
 * a frame: Include/internal/pycore_frame.h, enum _framestate. What a generator waits for is the top
 * word of its frame's stack.
 */
struct cpython_wait_layout {
	enum cpython_waiting waiting;
	uint16_t generator_frame;   /* gi_frame, 0 when it has ended (to 3.10) */
	uint16_t generator_running; /* gi_running: a byte (to 3.9) */
	uint16_t generator_code;    /* gi_code (to 3.11) */
	uint16_t frame_state;	    /* PyFrameObject.f_state (3.10) */
	int8_t created, yield_from; /* states; all above executing has ended */
	int8_t executing;	    /* 0; 4 in 3.15 */
	uint16_t
		future_state; /* Modules/_asynciomodule.c, FutureObj: 0 pending 1 cancelled 2 done */
};

/* The interpreter's own hash tables (_Py_hashtable_t), which tracemalloc uses: tracemalloc.c. */
enum cpython_hashtable {
	CPYTHON_HASHTABLE_NONE,
	CPYTHON_HASHTABLE_SIZED,    /* keys and data of any size in the entries (3.6) */
	CPYTHON_HASHTABLE_POINTERS, /* two pointers in each entry (3.9) */
	CPYTHON_HASHTABLE_C_NAMES,  /* the same; tracemalloc's file names are text of C (3.15) */
};

/* Fields of objects whose references are not all at fixed places. */
struct cpython_visit_layout {
	/* tp_traverse of a heap type in C visits the type (3.9); that of classes always did */
	bool instances_visit_type;
	/*
	 * From this micro version on an instance with a dict visits that, and the dict what is
	 * inline; before, the instance visited its inline values, and nobody the dict. See
	 * struct cpython, which has what a build does.
	 */
	uint8_t dict_visits_inline_since;
	bool lru_visits_links;	     /* lru_cache_tp_traverse visits links, not keys and results */
	bool iframe_tagged;	     /* bit 0 of a word in a frame: borrowed (3.14) */
	uint8_t iframe_owner_object; /* iframe_owner: FRAME_OWNED_BY_FRAME_OBJECT */
	int8_t generator_cleared;    /* generator_state: FRAME_CLEARED */
	bool generator_keeps_code;   /* until the generator dies (genobject.c, gen_dealloc, 3.12) */
	/* PyCodeObject */
	uint16_t code_nlocals, code_varnames, code_cellvars, code_freevars; /* to 3.10 */
	uint16_t code_nlocalsplus, code_localsplusnames;
	uint16_t code_cached; /* to four objects made on demand (3.12) */
	/* PyFrameObject */
	uint16_t frame_code, frame_valuestack, frame_stacktop, frame_stackdepth, frame_localsplus;
	uint16_t frame_iframe; /* 3.11 */
	/* _PyInterpreterFrame */
	uint16_t iframe_code, iframe_function, iframe_globals, iframe_builtins, iframe_locals;
	uint16_t iframe_object, iframe_stacktop, iframe_stackpointer, iframe_owner;
	uint16_t iframe_localsplus;
	/* PyGenObject; the frame of 3.11 and later is inside */
	uint16_t generator_state, generator_iframe;
	/* Modules/_collectionsmodule.c: dequeobject, BLOCK */
	uint16_t deque_left, deque_leftindex, deque_nfree, deque_free, deque_weakrefs;
	uint16_t deque_length;
	uint16_t block_data, block_right, block_items; /* items: BLOCKLEN */
	/* Objects/odictobject.c */
	uint16_t odict_first, odict_node_key, odict_node_next;
	/* Modules/_functoolsmodule.c: the ring begins with lru_root, a link without an object */
	uint16_t lru_root, lru_next, lru_key, lru_result;
	uint16_t tee_values, tee_numread; /* Modules/itertoolsmodule.c, teedataobject */
	uint16_t hamt_array;		  /* Python/hamt.c, PyHamtNode_Array */
	/* Modules/_elementtree.c: ElementObject, ElementObjectExtra */
	uint16_t element_extra, extra_attrib, extra_length, extra_children;
	/* Modules/_ctypes/stgdict.c: a class's dict; that of pointers visits proto (to 3.12) */
	uint16_t stgdict_proto;
};

/* What has a count that the interpreter, or a module of its library, took and never gives back. */
enum cpython_lost_how {
	CPYTHON_LOST_MODULE,   /* modules whose __name__ it is */
	CPYTHON_LOST_INTERNED, /* the interned text */
	CPYTHON_LOST_TEXT,     /* a text that a static variable of the interpreter holds */
	CPYTHON_LOST_TYPE,     /* the type of that name */
	CPYTHON_LOST_MEMBER,   /* what the dict of that type, or of such a module, has as `key` */
};

struct cpython_lost {
	uint8_t how;		 /* enum cpython_lost_how */
	uint8_t major, from, to; /* minor versions, both included */
	const char *name, *key;
};

/* cpython_kept.c: what well-known extension modules take when they begin and keep for good. */
enum cpython_kept_how {
	CPYTHON_KEPT_MODULE, /* the module that is called `name` */
	CPYTHON_KEPT_MEMBER, /* what the dict of that type, or of such a module, has as `key` */
	CPYTHON_KEPT_TEXT,   /* that text, which nothing holds */
	CPYTHON_KEPT_LISTED, /* a tuple in a list of an object of that type */
	CPYTHON_KEPT_NUMBER, /* an int of that value, which nothing holds */
	CPYTHON_KEPT_DEAD, /* a weak reference to what has died, which nothing holds; name: its type */
};

struct cpython_kept {
	uint8_t how;	    /* enum cpython_kept_how */
	const char *binary; /* whose fault it is: its file's name, up to the first dot */
	const char *name, *key;
	const char *cause; /* for people */
};

extern const struct cpython_kept cpython_kept[];
extern const unsigned cpython_nkept;

/* What tells the name of a static type whose tp_name cannot be read (it is in the binary). */
enum cpython_name_how {
	CPYTHON_NAME_BINDING, /* the module `in` calls it `keys` */
	/*
	 * It is the type of what `keys` leads to: the first key in the dict of the module `in`, each
	 * further one in the tp_dict of the type that was found there. builtins: __builtin__ in 2.7.
	 */
	CPYTHON_NAME_VALUE,
	CPYTHON_NAME_DICT,  /* it is the type of the tp_dict of what `keys` leads to */
	CPYTHON_NAME_DEF,   /* the type of md_def of the module `in`, which follows md_dict */
	CPYTHON_NAME_CHILD, /* the one static type of the interpreter whose tp_base is `keys` */
	/*
	 * Its own tp_dict has all these keys (but -keys), and no other type's; of the types in the file
	 * of the module `in`, if there is one.
	 */
	CPYTHON_NAME_KEYS,
};

struct cpython_name {
	const char *type;  /* tp_name */
	uint8_t how;	   /* enum cpython_name_how */
	const char *in;	   /* a key of sys.modules */
	const char *keys;  /* separated by blanks */
	uint16_t from, to; /* versions, both included: major << 8 | minor */
};

/* cpython_names.c. Certain ones first. */
extern const struct cpython_name cpython_names[];
extern const unsigned cpython_nnames;

/*
 * What containers keep beyond what their entries need: cpython_spare.c. A table of a set or of 2.7's
 * dict that is made anew has the least power of two of slots that is more than twice its entries.
 */
struct cpython_spare {
	uint8_t major, from, to;	       /* minor versions, both included */
	uint8_t set_inside, dict_inside;       /* entries that the table inside the object takes */
	uint8_t dict_least;		       /* slots of a new dict's table; 0: it has none */
	uint16_t bytesio_buffer, bytesio_used; /* _io.BytesIO: a bytes object; bytes in use */
	/*
	 * Modules/_io/stringio.c, stringio: Py_UCS4 *buf (2.7: Py_UNICODE), characters in it, room for
	 * how many. 2.7's BytesIO and cStringIO.StringO, with bytes: the same.
	 */
	uint16_t stringio_buffer, stringio_used, stringio_room;
	/*
	 * While a StringIO only accumulates, its text is elsewhere: where an int says whether it does;
	 * the _PyUnicodeWriter (3.12) or a pointer to one (3.14). CPYTHON_NONE: in other objects.
	 */
	uint16_t stringio_state, stringio_writer;
	bool stringio_writer_apart;
	uint16_t array_items, array_allocated, array_descr; /* array.array */
	uint16_t array_descr_itemsize;			    /* struct arraydescr: an int */
	uint16_t odict_nodes, odict_slots; /* OrderedDict: an array of pointers; how many */
};

struct cpython_layout {
	const char *version; /* "3.11" */
	uint8_t major, minor;
	uint16_t type_basicsize; /* tp_basicsize of `type` itself: the version's fingerprint */
	struct cpython_object_layout object;
	struct cpython_gc_layout gc;
	struct cpython_type_layout type;
	struct cpython_text_layout text;
	struct cpython_number_layout number;
	struct cpython_mapping_layout mapping;
	struct cpython_sequence_layout sequence;
	struct cpython_code_layout code;
	struct cpython_function_layout function;
	struct cpython_frame_layout frame;
	struct cpython_state_layout state;
	struct cpython_wait_layout wait;
	enum cpython_hashtable
		hashtable; /* Modules/hashtable.h, 3.9: Include/internal/pycore_hashtable.h */
	const struct cpython_slot *slots; /* NULL: builtin types are scanned */
	const struct cpython_visit_layout *visit;
};

/* Rows, oldest first. */
extern const struct cpython_layout *const cpython_layouts[];
extern const unsigned cpython_nlayouts;

/* cpython_lost.c: the next row of this version from *i on; NULL: no more. */
const struct cpython_lost *cpython_lost_next(const struct cpython_layout *layout, unsigned *i);

/* cpython_spare.c: the row of this version; NULL: there is none. */
const struct cpython_spare *cpython_spare_find(const struct cpython_layout *layout);

/* The interpreter in a process. */
struct cpython {
	const struct cpython_layout *layout; /* a row, or `own`: not to be copied */
	struct cpython_layout own;	     /* the row as the process itself corrects it (3.13) */
	/*
	 * Newer than all rows, but what it says of itself is in the order of the newest: `own` has
	 * that, and else nothing that is for sure. cpython_resolve then answers false.
	 */
	bool newer;
	char version[24];	 /* "3.11.7"; "3.11" when only that is known */
	uint32_t module_id;	 /* who has it: the executable or libpython */
	uint64_t type_type;	 /* PyType_Type */
	uint64_t runtime;	 /* _PyRuntime; 0: not known, or there is none */
	uint64_t none;		 /* _Py_NoneStruct; 0 not known */
	bool debug;		 /* --with-pydebug: the same layouts, debug hooks by default */
	bool narrow;		 /* 2.7: a character of unicode has 2 bytes, not 4 */
	bool dict_visits_inline; /* cpython_visit_layout.dict_visits_inline_since */
	const char *how;	 /* what told the version: for humans */
};

/* What can be read side by side in one process: libpython of two versions, say. */
enum { CPYTHON_RUNTIMES_MOST = 2 };

/*
 * Which interpreter is in this process (the nth one, from 0 on; not to be confused with the several
 * interpreters that one libpython can run), and which row is its? False: there is none (then
 * ret->module_id is 0), or it cannot be read; in the second case damage_add says why, once if `damage` is
 * given (pass NULL to ask again). Pure: the same answer for whoever asks.
 */
bool cpython_resolve(const struct image *img, const struct debuginfo *di, struct damage_log *damage,
		     unsigned nth, struct cpython *ret);
/* An exported symbol or static of the interpreter's module; 0: there is no such name. */
uint64_t cpython_symbol(const struct cpython *py, const struct debuginfo *di, const char *name);
