/*
 * snapshot: the waist. The database's tables as arrays in memory.
 *
 * Everything before it appends rows (inputs, allocators, runtimes), everything after it reads them
 * (graph, analysis, store). Plug-ins meet only here. Strings are ids of `strings`; rows are named
 *by dense 32-bit ids from 1 (array index + 1), 0 for none, in memory as in the database. Blocks are
 * in address order. The same input gives the same rows.
 *
 * Phases, in the order that scan/scan.c runs them; each table is const once its phase is sealed:
 *
 *	facts       meta, segments, modules, threads, frames            (input, image, debuginfo)
 *	trace       site, timeline; without an image objects, too       (input/trace_seal.c)
 *	blocks      arena, extent, free_block, block                    (heap/: block sinks)
 *	            snapshot_seal_blocks(): merges, sorts, proves       -> object rows
 *	objects     type, object.type_id, value                         (runtime/)
 *	roots       root ranges -> root rows; references -> CSR         (runtime/native.c)
 *	            snapshot_seal_references()                          -> reverse CSR
 *	savings     which objects say the same, what containers keep    (runtime/savings.c)
 *	analysis    reachable, grade, dominator, retained, retention,
 *	            held, clusters                                            (analysis/)
 *	census      objects counted by type, size, ...                  (analysis/census.c)
 *	biggest     of each type and size what retains the most         (analysis/biggest.c)
 *	shapes      clusters folded by signature                        (analysis/shapes.c)
 *	ledger      every byte of every segment in one row              (analysis/ledger.c)
 *	trim, pin   what could go back to the system, and what keeps it (analysis/trim.c)
 *	saving      bytes that could be saved                           (analysis/savings.c)
 *	findings    damage, conclusions
 *
 * Cost per object (10 million: 760 MB): address 8, size 8, arena 2, type 4, reachable 1, grade 1,
 * dominator 4, retained 8, retention 4, held 4, first 8, reverse first 8; per reference 8 forward, 4 backward.
 * A column that nobody filled is NULL (for instance `block`, when every object is its block), and
 * its getter says what that means.
 */
#pragma once

#include "base/damage.h"
#include "base/error.h"
#include "base/intern.h"
#include "base/vec.h"
#include "image/image.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- facts ---- */

struct meta_row {
	uint32_t key, value; /* strings */
};

struct frame_row {
	uint32_t thread_id;
	uint32_t depth;				      /* 0: innermost */
	uint32_t language, function, file, module_id; /* strings but module_id; 0 unknown */
	uint32_t line;				      /* 0 unknown */
	uint64_t pc;
	uint64_t sp, cfa; /* the frame's stack is [sp, cfa); 0 unknown */
};

/* ---- blocks ---- */

/*
 * What an allocator can give back to the system, for analysis/trim.c. Sizes are bytes.
 *
 *	| header | usable ........ | overlap |	a free block; overlap is the next one's header
 *	| lead      | pages ......      |	what is kept at the start of a free run
 */
enum trim_kind {
	TRIM_NONE,  /* nothing is held free, or nothing is known of it */
	TRIM_PAGES, /* whole pages inside runs of free blocks, but for the top */
	TRIM_BREAK, /* those, and the top, from its end */
	TRIM_WHOLE, /* an extent of the arena once nothing in it is live; never a part of it */
};

struct arena_trim {
	uint8_t kind; /* enum trim_kind */
	uint8_t header, overlap, lead;
	uint8_t top_keep; /* of the top */
};

struct arena_row {
	uint32_t allocator;    /* string: "glibc", "pymalloc" */
	uint64_t address;      /* malloc_state, or the arena's first byte */
	uint64_t system_bytes; /* what the allocator itself says it holds; 0 unknown */
	uint64_t used_bytes, free_bytes, overhead_bytes; /* by the walk; overhead has rounding */
	uint32_t name;					 /* string: "main", "thread 7" */
	struct arena_trim trim;
};

/* Places of free memory, in free_block.kind and in the ledger. Add a row to snapshot.c's names,
 * too. */
enum free_kind {
	FREE_TCACHE,
	FREE_FASTBIN,
	FREE_UNSORTED,
	FREE_SMALL,
	FREE_LARGE,
	FREE_TOP,
	FREE_LAST_REMAINDER,
	FREE_UNLINKED,	    /* free by its neighbour's mark, in no list that could be read */
	FREE_PYMALLOC,	    /* a block of a pool in use: in its list, or never used */
	FREE_PYMALLOC_POOL, /* a whole pool of an arena: no size class has it now */
	FREE_OBJECTS,	    /* kept by a runtime, inside a block of its own, for its next object */
	FREE_KINDS,
};

struct free_row {
	uint64_t address; /* as malloc would have returned it */
	uint64_t size;	  /* usable bytes */
	uint16_t arena_id;
	uint8_t kind; /* enum free_kind */
};

/*
 * What a range of a segment is, where someone knows better than the segment's kind. Extents never
 * overlap. Inside HEAP, live and free blocks have their own ledger rows and the rest is overhead.
 */
enum extent_kind {
	EXTENT_HEAP,	   /* an allocator's: blocks, free blocks, and overhead between them */
	EXTENT_ROUNDING,   /* an allocator's: alignment slack that no block can use */
	EXTENT_RESERVED,   /* an allocator's: address space reserved, not yet in use (PROT_NONE) */
	EXTENT_DAMAGED,	   /* an allocator's: its walk could not make sense of it */
	EXTENT_STACK_USED, /* red zone below sp up to the base */
	EXTENT_STACK_UNUSED, /* below that */
	EXTENT_STACK_CACHED, /* stack of an exited thread, kept for the next one */
	EXTENT_GUARD,
	EXTENT_TLS,    /* thread control block and static TLS */
	EXTENT_LOADER, /* the dynamic loader's own minimal malloc */
	EXTENT_OTHER,  /* named by `name`: "JIT code", "io_uring", ... */
	EXTENT_KINDS,
};

struct extent_row {
	uint64_t start, end;
	uint8_t kind;	   /* enum extent_kind */
	uint16_t arena_id; /* 0 none */
	uint32_t thread_id;
	uint32_t name; /* string, 0 none */
};

/*
 * Ranges that no scan reads: an allocator's lists, a collector's links, a loader's copy of them. A
 * pointer there keeps nothing alive. One list; -v prints it, so that a wrong leak can be explained.
 */
struct opaque_row {
	uint64_t start, end;
	const char *why; /* static text */
};

struct block_row {
	uint64_t address, size; /* first usable byte, usable bytes */
	uint16_t arena_id;
	uint16_t container; /* 1: this block is carved up by another allocator; not an object */
};

/* ---- objects ---- */

struct type_row {
	uint32_t language, name, module; /* strings; "C++", "C", "" */
	uint64_t retained; /* what goes with all of its objects, at the least (analysis/types.c) */
};

/*
 * Columns by object id - 1. Owned by the snapshot.
 */
enum object_flags {
	OBJECT_TEXT = 1,	  /* value is the text itself: as a key it is printed in quotes */
	OBJECT_GC = 2,		  /* in one of its collector's lists now (CPython: tracked) */
	OBJECT_IMMORTAL = 4,	  /* its count says nothing */
	OBJECT_FINALIZER = 8,	  /* has a finalizer (__del__) */
	OBJECT_STATIC = 16,	  /* lives in a module's data */
	OBJECT_BUFFER = 32,	  /* part of owner_id's object, which names what is in it */
	OBJECT_CONSERVATIVE = 64, /* typed, but of unknown layout: its words were scanned */
	OBJECT_UNCLEARABLE = 128, /* a finalizer of the kind that keeps a collector from clearing
				     cycles (tp_del) */
	OBJECT_NAME =
		2048, /* a text of the program's own (interned): a key that it is, is a name */
	OBJECT_UNTRAVERSED = 4096, /* which of its references its collector visits is not known */
	OBJECT_FROZEN = 8192, /* out of its collector's lists by the program's will (gc.freeze) */
	OBJECT_DEFINITION = 16384, /* a class, a module or its variables: the program itself */
	/* set by analysis/pygc.c */
	OBJECT_GARBAGE = 256,	    /* its runtime's collector would find it unreachable */
	OBJECT_UNCOLLECTABLE = 512, /* garbage that the collector would not free */
	OBJECT_DEAD = 1024,	    /* garbage, or all its counts are garbage's, or a buffer of such
				     */
};

struct object_table {
	uint32_t n;
	uint64_t *address; /* NULL: those of a trace that has none */
	uint64_t *size;
	uint16_t *arena_id;
	uint64_t *block;    /* first usable byte; NULL: block = address for all. See object_block */
	uint8_t *runtime;   /* index in runtimes.def + 1 of who traverses it; NULL or 0: native */
	uint16_t *flags;    /* enum object_flags; NULL: none */
	uint32_t *type_id;  /* 0 unknown */
	uint32_t *owner_id; /* NULL: nobody owns anything */
	int64_t *refcount;  /* NULL: none has one; INT64_MIN: this one has none */
	uint32_t *value;    /* string: short preview; NULL: none; 0 none */
	uint32_t *shown;    /* what may be told of it (analysis/redact.c); NULL: value */
	uint32_t *site_id;  /* NULL: nobody recorded sites; 0 unknown */
	uint8_t *reachable; /* 0, 1, 2 as INTERFACE says; 255 unknown */
	uint8_t *grade;	    /* enum root_grade of the best root that leads here; 0 none does */
	uint32_t *dominator; /* object id; 0 under the virtual root */
	uint64_t *retained;  /* bytes */
	uint32_t *retention; /* id of a retention row: how it is held; NULL: not known */
	uint32_t *held; /* that way's last reference: edge + 1; 0: none, or not to be counted so */
};

/* First usable byte of the block that holds object i (id - 1): address less what precedes it. */
static inline uint64_t object_block(const struct object_table *o, uint64_t i)
{
	return o->block ? o->block[i] : o->address[i];
}

/* Bytes from its address to the end of its block. */
static inline uint64_t object_room(const struct object_table *o, uint64_t i)
{
	return o->size[i] - (o->address[i] - object_block(o, i));
}

/* What may be told of object i's contents: a string; 0 nothing, or nothing is known. */
static inline uint32_t object_shown(const struct object_table *o, uint64_t i)
{
	return o->shown ? o->shown[i] : o->value ? o->value[i] : 0;
}

/* ---- references ---- */

/* reference.kind. */
enum reference_kind {
	REFERENCE_WORD = 0,   /* a word that looks like a pointer */
	REFERENCE_OWNING = 1, /* typed and counted */
	REFERENCE_WEAK = 2,   /* typed, weak or borrowed: keeps nothing alive */
};

/*
 * An edge's name is a pair until it is printed: 3 bits of kind, a bit that says that the source's
 * collector does not see this edge (an owning one; or a word of which that is known), 28 bits of
 * number.
 */
enum edge_name_kind {
	EDGE_NAME_NONE,
	EDGE_NAME_TEXT,	 /* number: string, printed as it is: ".func_code", "->next" */
	EDGE_NAME_INDEX, /* number: [3] */
	EDGE_NAME_KEY,	 /* number: object id of the key: ['sessions'], [17], [<tuple>] */
	EDGE_NAME_ATTR,	 /* number: object id of a text: .user */
	EDGE_NAME_KEYOF, /* number: position of the key itself: <key 3> */
};

#define EDGE_NAME_UNSEEN (UINT32_C(1) << 28)
#define EDGE_NAME_NUMBER (EDGE_NAME_UNSEEN - 1)

/* A number that does not fit leaves the edge without a name. */
static inline uint32_t edge_name_pack(enum edge_name_kind kind, uint64_t number)
{
	return number <= EDGE_NAME_NUMBER ? (uint32_t)kind << 29 | (uint32_t)number : 0;
}

/* How a word points. Only START is certain enough for reachable = 1. */
enum edge_how {
	EDGE_START = 0,	     /* aligned word, first byte of the block */
	EDGE_INTERIOR = 1,   /* aligned word, further inside */
	EDGE_TAGGED = 2,     /* aligned word that points once tag bits are masked off */
	EDGE_MISALIGNED = 3, /* found at an address that is no multiple of the word */
};

/*
 * Compressed rows: edges of object i (id i + 1) are [first[i], first[i + 1]). `dst` holds object
 * ids. `where` packs how (2 bits, high) and where in the source: a word index, for MISALIGNED a
 * byte offset; EDGE_WHERE_FAR when it does not fit 30 bits.
 */
enum { EDGE_WHERE_FAR = 0x3fffffff };

struct edge_table {
	uint64_t n;
	uint64_t *first;
	uint32_t *dst;
	uint32_t *where;
	uint8_t *kind;	/* enum reference_kind per edge; NULL: all 0 (untyped words) */
	uint32_t *name; /* edge_name_pack, per edge; NULL: no edge has a name */
	/* backwards, by snapshot_seal_references: sources in id order */
	uint64_t *rfirst;
	uint32_t *rsrc;
};

static inline uint32_t edge_where_pack(enum edge_how how, uint64_t offset, uint32_t word_size)
{
	uint64_t at = how == EDGE_MISALIGNED ? offset : offset / word_size;
	return (uint32_t)how << 30 | (uint32_t)(at < EDGE_WHERE_FAR ? at : EDGE_WHERE_FAR);
}

static inline enum edge_how edge_how(uint32_t where)
{
	return (enum edge_how)(where >> 30);
}

/* Byte offset in the source; -1: too far to record. */
static inline int64_t edge_offset(uint32_t where, uint32_t word_size)
{
	uint32_t at = where & EDGE_WHERE_FAR;
	if (at == EDGE_WHERE_FAR)
		return -1;
	return edge_how(where) == EDGE_MISALIGNED ? at : (int64_t)at * word_size;
}

/* ---- roots ---- */

/* From the most to the least trustworthy. The weak ones may be stale words. */
enum root_grade {
	ROOT_NONE = 0,
	ROOT_GLOBAL,	  /* module data that a symbol names */
	ROOT_DATA,	  /* module data without a symbol (stripped) */
	ROOT_TLS,	  /* static or dynamic thread-local storage, thread control block */
	ROOT_FRAME,	  /* stack word inside a frame that the unwinder found */
	ROOT_REGISTER,	  /* general or vector register */
	ROOT_STACK,	  /* stack word that no frame explains: weak from here on */
	ROOT_UNEXPLAINED, /* word in a mapping that no allocator owns */
	ROOT_GRADES,
};

#define ROOT_WEAK_FROM ROOT_STACK

/* Who says so. */
enum root_found {
	ROOT_BY_SCAN,	/* a word that looks like a pointer */
	ROOT_BY_VECTOR, /* of a vector register: mostly what the last copy left there */
	ROOT_BY_RUNTIME,
};

struct root_row {
	uint32_t object_id;
	uint64_t address; /* of the word; 0 for a register */
	uint8_t grade;	  /* enum root_grade */
	uint8_t how;	  /* enum edge_how */
	uint32_t thread_id;
	int32_t depth; /* of the frame; -1 none */
	uint32_t module_id;
	uint32_t name; /* string: symbol+offset, register; 0 */
	uint8_t kind;  /* enum reference_kind: a runtime knows of its roots whether they count */
	uint8_t found; /* enum root_found */
};

/* ---- counts that are kept for good ---- */

/*
 * Counts of an object that a binary took when it began, and will never give back: nothing in memory
 * holds them, but the runtime can tell whose they are. An object that has no other holder gets a root.
 */
struct kept_row {
	uint32_t object_id;
	uint32_t counts;    /* how many */
	uint32_t cause;	    /* string: why */
	uint32_t module_id; /* whose; 0: one of several */
	bool rooted;	    /* there is a root, which stands for one of them */
};

/* ---- work that has not ended ---- */

/* Add a name in snapshot.c, too. */
enum suspended_kind {
	SUSPENDED_GENERATOR,
	SUSPENDED_COROUTINE,
	SUSPENDED_ASYNC_GENERATOR,
	SUSPENDED_TASK,
	SUSPENDED_FUTURE,
	SUSPENDED_AWAITABLE, /* only passes on what it waits for: an iterator of a future */
	SUSPENDED_KINDS,
};

enum suspended_state {
	SUSPENDED_UNKNOWN,
	SUSPENDED_CREATED, /* has not begun */
	SUSPENDED_WAITS,   /* at an await or a yield */
	SUSPENDED_RUNS,
	SUSPENDED_ENDED,
	SUSPENDED_PENDING, /* of tasks and futures */
	SUSPENDED_DONE,
	SUSPENDED_CANCELLED,
	SUSPENDED_STATES,
};

/* In order of object_id. */
struct suspended_row {
	uint32_t object_id;
	uint32_t awaits_id; /* what it waits for; a task: its coroutine; 0 nothing, or not known */
	uint32_t future_id; /* a task: the future that will wake it */
	uint32_t within_id; /* its nearest dominator of the same kind, state and line */
	uint32_t function, file; /* strings; a task: of the line that is told of it */
	uint32_t line;	/* where it waits; not begun, or ended: where the function begins */
	uint32_t chain; /* string: what a task waits for, from its coroutine on */
	uint8_t kind, state;
};

/* ---- what could be saved ---- */

/* An object that says the same, byte for byte, as the others of its group. In id order. */
struct equal_row {
	uint32_t object_id;
	uint32_t
		group; /* from 1, in the order of their first objects; each has two members at least */
};

/* What a container is. Add a name in snapshot.c, too. */
enum container_form {
	CONTAINER_TYPED, /* what its type says */
	CONTAINER_VECTOR,
	CONTAINER_STRING,
	CONTAINER_DEQUE,
	CONTAINER_HASH,
	CONTAINER_BUFFER,      /* a vector's or string's words, in C */
	CONTAINER_BLOCK_TABLE, /* of libc++'s deque */
	CONTAINER_FORMS,
};

/*
 * A container whose room is known; of those that a runtime types, only such that keep more than their
 * entries need. In id order. A container that has no type is the block that its entries are in (a
 * deque: its table of nodes; a hash table: its buckets).
 */
struct spare_row {
	uint64_t capacity, used; /* entries; of a text, and of all forms but hash tables: bytes */
	uint64_t bytes;		 /* that it would not need, were it made anew */
	uint64_t header; /* address of the words that say so; 0: they are the object's own */
	uint32_t object_id;
	uint32_t
		holder_id; /* the object that the header lies in; 0: a root, or the object itself */
	uint8_t form;	   /* enum container_form */
};

/* Add a name in snapshot.c, too. */
enum saving_kind { SAVING_DUPLICATE, SAVING_SLACK, SAVING_KINDS };

/*
 * Bytes that could be saved: contents that several objects have, or containers of one type and
 * held in one way. The most bytes first within a kind; then one row for all that are smaller.
 */
struct saving_row {
	uint8_t kind;	    /* enum saving_kind */
	uint8_t form;	    /* enum container_form */
	uint32_t type_id;   /* 0 unknown, or various */
	uint32_t object_id; /* an example; 0: various */
	uint32_t folded;    /* how many smaller ones this row stands for; 0: it is one itself */
	uint64_t objects, bytes; /* how many; what would be saved */
	uint64_t size;		 /* of one of the duplicates, the largest; 0: no matter */
	uint64_t capacity, used; /* of containers, in entries */
	uint64_t there;		 /* how many of them are held as retention_id says */
	uint32_t retention_id;	 /* how most of them are held; 0 not known */
};

/* ---- conclusions ---- */

enum cluster_kind { CLUSTER_LEAK, CLUSTER_CYCLE };

/* Would its runtime's collector free a cluster that nothing leads to? */
enum cluster_collectable {
	COLLECTABLE_UNKNOWN, /* there is no collector, or its part in it cannot be known */
	COLLECTABLE_NO,
	COLLECTABLE_YES,
};

struct cluster_row {
	uint8_t kind;	   /* enum cluster_kind */
	uint8_t reachable; /* 1, 0 */
	uint32_t objects;
	uint64_t bytes;	       /* all members */
	uint64_t direct_bytes; /* the head alone */
	uint32_t head_id;
	uint32_t signature;  /* string: like ones have the same */
	uint32_t culprit_id; /* the object whose references its collector does not visit; 0 none */
	uint8_t collectable; /* enum cluster_collectable */
	uint8_t definitions; /* 1: a class or module is in it (OBJECT_DEFINITION) */
	uint64_t first_member; /* members: member[first_member .. + objects) */
};

/* Clusters of one kind, reachability and signature: the most bytes first within their kind. */
struct shape_row {
	uint64_t objects, bytes, direct_bytes; /* of all of them */
	uint32_t clusters;		       /* how many */
	uint32_t cluster_id;		       /* an example: the biggest, the first of such */
	uint32_t signature;		       /* string; 0: a cluster by itself */
	uint8_t kind, reachable;	       /* as in cluster_row */
	uint8_t definitions;		       /* as in cluster_row, of all of them */
};

/*
 * A way to be held, with what differs from object to object left out (analysis/retention_impl.h).
 * Parents come before their children. Buffers, and the __dict__ of a class or module, are counted in
 * bytes, but not in objects.
 */
struct retention_row {
	uint64_t key;			 /* hash of all steps and types: the same in every dump */
	uint64_t size;			 /* of each of its objects; RETENTION_VARIOUS */
	uint64_t objects, bytes;	 /* its own */
	uint64_t all_objects, all_bytes; /* with what is below */
	uint32_t parent_id;		 /* 0 none */
	uint32_t type_id;
	uint32_t step, path; /* strings */
	uint32_t object_id;  /* the first of its objects; 0: it has none of its own */
};

#define RETENTION_VARIOUS UINT64_MAX

enum { BIGGEST_EACH = 100 };

/* Objects of one kind: a question about all objects is answered from these few rows. */
struct census_row {
	uint64_t size;	  /* of one */
	uint32_t type_id; /* 0 unknown */
	uint32_t objects; /* how many */
	uint16_t arena_id;
	uint8_t reachable, grade; /* as in the object table */
	uint32_t tops;		  /* of them: those that no other object dominates */
	uint64_t tops_retained;	  /* what these retain, together */
};

/* What would go back to the system, and what of an arena's free memory would not. Bytes. */
struct trim_row {
	uint32_t arena_id;
	uint64_t
		returnable; /* pages that a trim gives back, headers between free blocks included */
	uint64_t
		written; /* of those: pages that hold more than zeroes; the rest may be untouched */
	uint64_t top;	 /* usable, free, stays: the end of the arena */
	uint64_t cached; /* usable, free, stays: in threads' caches */
	uint64_t pinned; /* usable, free, stays: shares its page (or extent) with what is in use */
};

/*
 * Who keeps free memory from going back. Free bytes of a page (TRIM_WHOLE: of an extent) are shared
 * out in equal parts to the live blocks on it, so that the rows of an allocator add up to what is
 * pinned there.
 */
struct pin_row {
	uint32_t allocator; /* string */
	uint32_t type_id;   /* 0 unknown */
	uint64_t size;	    /* of each, where the type is not known; 0: various */
	uint64_t objects;   /* 0: no live block, only headers and threads' caches */
	uint64_t units;	    /* pages or extents that one of them is on, and that are half free */
	uint64_t bytes;	    /* free ones that they keep */
	uint32_t object_id; /* an example: the one that keeps most */
};

/* An object whose count the references do not explain. */
struct refcount_row {
	uint32_t object_id;
	int64_t refcount, found; /* stored; explained */
};

/* Native code that alone keeps objects of a runtime alive: analysis/native_held.c. */
struct holder_row {
	uint8_t kind;	    /* enum root_grade; ROOT_NONE: C memory behind objects of type_id */
	uint32_t module_id; /* of module data */
	uint32_t thread_id, type_id;
	uint32_t name;		  /* string: the symbol; 0 */
	uint32_t object_id;	  /* an object with the C memory: an example; 0 */
	uint32_t objects, direct; /* how many; of these, what C memory itself refers to */
	uint64_t address;	  /* of a word: an example; 0 */
	uint64_t bytes;		  /* of the objects and their buffers */
};

/* One object that lives by a holder. */
struct held_row {
	uint32_t object_id, holder_id;
	uint32_t via_id; /* the block whose word refers to it; 0: none, or another object does */
	bool direct;	 /* C memory refers to it */
};

struct ledger_row {
	uint32_t segment_id; /* index + 1 */
	uint32_t category;   /* string: live, free, overhead, rounding, stack, ... */
	uint32_t place;	     /* string: tcache, top, path, ...; 0 none */
	uint64_t bytes;
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct finding_row {
	uint32_t kind; /* string */
	uint8_t severity;
	uint32_t title, detail; /* strings */
	uint64_t objects, bytes;
	uint32_t object_id, cluster_id, type_id;
	uint64_t address; /* 0 none */
};

/* ---- allocation sites ---- */

/* A figure that nobody told. */
#define SITE_UNKNOWN UINT64_MAX

/*
 * A node of the tree of calls that allocated: outermost first, so that a parent comes before its
 * children. The figures are the node's own, without those of its children.
 */
struct site_row {
	uint32_t parent_id;		 /* its caller; 0 none */
	uint32_t function, file, module; /* strings; 0 unknown */
	uint32_t line;			 /* 0 unknown */
	uint32_t suppressed;		 /* 1: what is live here is known to be no leak */
	uint64_t address;		 /* of the code, where function is unknown */
	uint64_t allocations, temporary, allocated_bytes;
	uint64_t live_objects, live_bytes, peak_bytes;
	uint64_t own_peak_bytes; /* 0: unknown, too */
	double lifetime; /* sum over its blocks, in seconds or meta.time_unit; <= 0: unknown */
};

/* A sample of a trace. */
struct timeline_row {
	double time;
	uint64_t live_bytes, live_objects; /* SITE_UNKNOWN */
};

struct snapshot {
	struct intern strings;
	const struct image
		*image; /* facts of segments, modules and threads live there; NULL: a trace */
	struct damage_log *damage; /* not owned */

	VEC(struct meta_row) meta;
	VEC(uint32_t) module_symbols; /* by module id - 1: string for module.symbols */
	VEC(struct frame_row) frame;
	VEC(struct arena_row) arena;
	VEC(struct extent_row) extent;
	VEC(struct opaque_row) opaque;
	VEC(struct free_row) free;
	VEC(struct block_row) block; /* gone after snapshot_seal_blocks */
	VEC(struct type_row) type;
	struct object_table object;
	struct edge_table edge;
	VEC(struct root_row) root;
	VEC(struct site_row) site;
	VEC(struct kept_row) kept; /* in id order */
	VEC(struct suspended_row) suspended;
	VEC(uint32_t) written; /* object ids of containers, by their last write, the oldest first */
	VEC(struct equal_row) equal;
	VEC(struct spare_row) spare;
	uint32_t equal_groups; /* how many; their numbers in equal are 1 to this */
	VEC(struct saving_row) saving;
	VEC(struct cluster_row) cluster;
	VEC(uint32_t) member; /* object ids */
	VEC(struct shape_row) shape;
	VEC(struct retention_row) retention;
	VEC(struct census_row) census;
	VEC(uint32_t) biggest; /* object ids, by type; of each type and size BIGGEST_EACH at most */
	VEC(struct ledger_row) ledger;
	VEC(struct trim_row) trim;
	VEC(struct pin_row) pin;
	VEC(struct refcount_row) refcount_error; /* in id order */
	VEC(struct holder_row) holder;
	VEC(struct held_row) held; /* in id order */
	VEC(uint32_t) garbage;	   /* ids of OBJECT_GARBAGE, ascending */
	VEC(struct finding_row) finding;
	VEC(struct timeline_row) timeline; /* by time */

	uint32_t interpreter_module_id[2]; /* binaries that have a runtime; 0 none, or not known */
	bool counts_doubtful; /* too many objects are of types that a runtime does not know */
	bool blocks_sealed;

	/* locator: see snapshot_object_find */
	uint64_t page_shift;
	struct snapshot_page_range *page_range;
	uint32_t npage_range;
};

struct error *snapshot_create(const struct image *img, struct damage_log *damage,
			      struct snapshot **ret) _must_check_;
void snapshot_destroy(struct snapshot *s);

/* ---- writers ---- */

struct error *snapshot_meta(struct snapshot *s, const char *key, const char *fmt, ...) _must_check_
	_printf_(3, 4);
/* Returns the new row's id through ret (may be NULL). */
struct error *snapshot_add_arena(struct snapshot *s, const struct arena_row *row,
				 uint32_t *ret) _must_check_;
/* Becomes a row for each segment of the image that it lies in; what no segment covers is left out. */
struct error *snapshot_add_extent(struct snapshot *s, const struct extent_row *row) _must_check_;
struct error *snapshot_add_opaque(struct snapshot *s, uint64_t start, uint64_t end,
				  const char *why) _must_check_;
struct error *snapshot_add_type(struct snapshot *s, const char *language, const char *name,
				const char *module, uint32_t *ret) _must_check_;

/*
 * Hot: one call per block; arrays grow by doubling and are in any order (address order is fastest).
 */
static inline struct error *snapshot_add_block(struct snapshot *s, uint64_t address, uint64_t size,
					       uint32_t arena_id)
{
	return vec_push(&s->block, ((struct block_row){address, size, (uint16_t)arena_id, 0}));
}

static inline struct error *snapshot_add_free(struct snapshot *s, uint64_t address, uint64_t size,
					      uint32_t arena_id, enum free_kind kind)
{
	return vec_push(&s->free,
			((struct free_row){address, size, (uint16_t)arena_id, (uint8_t)kind}));
}

/*
 * Ends the block phase: sorts blocks and free blocks by address where they are not sorted, drops
 * what overlaps (damage), makes the object table (one object a block), the locator, the sorted
 * extents and opaque ranges; fills arena_row's byte counts (used + free + overhead = extents).
 * Bytes that two allocators claim are the later one's: the earlier one's block is a container, or
 * none at all. Linear where blocks come in ascending runs (one an arena, say), which may interleave.
 */
struct error *snapshot_seal_blocks(struct snapshot *s) _must_check_;

/*
 * A trace's objects, in place of the block phase: n rows whose size, site_id (0 unknown) and, with
 * `addresses`, address (0: none) the caller fills, by address. There are no bytes: no locator, no
 * types, nothing is known to be reachable or not.
 */
struct error *snapshot_traced(struct snapshot *s, uint32_t n, bool addresses) _must_check_;

/* ---- counts, after references ---- */

/*
 * By object id - 1. owning: references of kind REFERENCE_OWNING, and roots of that kind. words: what
 * looks like a pointer to the object, or, not on stacks, into it; what objects in module data
 * refer to; and what is kept. They explain counts that are missing, and prove none. UINT32_MAX: that many, or more. For
 * objects without a count, both are 0. Linear; 8 bytes an object.
 */
struct count_holders {
	uint32_t *owning, *words;
};

/* The table has counts (refcount) and kinds of references (edge.kind). */
struct error *snapshot_count_holders(const struct snapshot *s,
				     struct count_holders *ret) _must_check_;
void count_holders_deinit(struct count_holders *h);

/* ---- lookups, after snapshot_seal_blocks ---- */

/*
 * The object whose block holds addr; 0: none. Cost: one look at a page table, then a search among
 * the few blocks of that page. Words that point nowhere are rejected by range first.
 */
uint32_t snapshot_object_find(const struct snapshot *s, uint64_t addr);
/*
 * Objects phase: object `id` begins at `address`, not at its block's first byte (CPython: behind
 * the collector's header). The address must lie in the block: then the order of ids stays that of
 * addresses.
 */
struct error *snapshot_object_place(struct snapshot *s, uint32_t id, uint64_t address) _must_check_;

/*
 * An edge's name as a programmer would write it, into buf, always terminated. Returns its length as
 * snprintf does; 0: it has none. What is shown of a key is cut to fit.
 */
size_t snapshot_edge_name(const struct snapshot *s, uint32_t name, char *buf, size_t room);

/* The free block that holds addr; NULL: none. */
const struct free_row *snapshot_free_find(const struct snapshot *s, uint64_t addr);
const struct extent_row *snapshot_extent_find(const struct snapshot *s, uint64_t addr);
/* Is addr in an opaque range? *end gets the end of that range, or of the gap that addr is in. */
bool snapshot_is_opaque(const struct snapshot *s, uint64_t addr, uint64_t *end);

/* Lowest and highest address of any block: [*lo, *hi). Empty: both 0. */
void snapshot_bounds(const struct snapshot *s, uint64_t *lo, uint64_t *hi);

/* ---- references ---- */

/* Builds rfirst and rsrc (counting sort, linear, threads). `first`, `dst`, `where` must be
 * complete. */
struct error *snapshot_seal_references(struct snapshot *s) _must_check_;
/* Gives the memory of rfirst and rsrc back: nothing behind the graph needs them. */
void snapshot_drop_backward(struct snapshot *s);

/*
 * After the last string: makes each valid UTF-8, since readers of the database rely on it. Ids stay; a
 * string that is added later and was not valid gets another id.
 */
struct error *snapshot_seal_strings(struct snapshot *s) _must_check_;

/*
 * All invariants of the tables present so far: sorted, apart, ids in range, books balanced. NULL,
 * or an ERROR_SYSTEM that names the first one broken. Debug builds and tests call it after each
 * phase.
 */
struct error *snapshot_check(const struct snapshot *s) _must_check_;

extern const char *const free_kind_name[FREE_KINDS];
extern const char *const extent_kind_name[EXTENT_KINDS];
extern const char *const root_grade_name[ROOT_GRADES];
extern const char *const saving_kind_name[SAVING_KINDS];
extern const char *const container_form_name[CONTAINER_FORMS];
extern const char *const suspended_kind_name[SUSPENDED_KINDS];
extern const char *const suspended_state_name[SUSPENDED_STATES];
extern const char *const segment_kind_name[SEGMENT_KINDS];
