/*
 * retention: for each object a path that says what holds it, with what differs from object to object
 * left out, so that the paths of two dumps can be compared: app.CACHE['sessions'][*].user.
 *
 * The paths are those of a breadth first search from the roots, the most telling roots first:
 * modules of an interpreter, named globals, unnamed data, thread-local storage, static objects,
 * variables of frames, stack words, registers, words that may be stale. Within one kind of root the
 * shortest chain wins. The search is the one that finds what START words reach, see graph.c, so the
 * paths cost little beside it.
 *
 * A trie has all paths. A node is a parent, a step and a type (cluster_type) of what is there:
 *
 *	app					module
 *	    .CACHE				dict
 *	        ['sessions']			dict
 *	            [*]				app.Session
 *	                .user			app.User
 *
 * Steps are made the same for what is alike, and never depend on addresses, ids or sizes:
 *
 *	[3]				[*]
 *	['k'] of a dict			as it is when it is a name that the program's text has (an
 *					interned identifier) and the dict has at most KEYS_NAMED entries,
 *					else [*]; in a namespace (a __dict__) .k
 *	functions in a namespace	.<function>, but .f.__defaults__ and .f.__closure__: these leak
 *	__doc__, __mro__, names of keys	.<names>, of no type
 *	a class's, a module's __dict__	the class or module itself
 *	specs and loaders of modules	one node for all modules
 *	what a code object has		the code object's node
 *	an unnamed word			+16; [*] in a block of many references (an array)
 *	->next->next->next		->next*: steps that lead to the type they come from stay where
 *					the first one led; of what has no type, to the size.
 *					Without names ->*
 *	a buffer			its owner's node
 *
 * A list that is reached from both of its ends has one name, that of the first end: see retention_meet.c.
 *
 * A list is one step however long it is: once three of its objects are known (the same step has led twice to what
 * has the same type, or size) the search goes to its end at once. Else any stale word in some buffer that still
 * points to the 200th of a thousand would be nearer to all that follow than the list's own head is. What is met in
 * the middle of a list, so that another link leads there that was not met yet, waits until all else from roots of
 * this rank has been looked at: the list may be found from its head. What it mistakes: words at the same place in
 * blocks of one size that are no list. Of a ring each object is in the middle.
 *
 * A static table of many pointers is table[*]. Behind WORDS_NAMED unnamed words, or DEPTH_MOST
 * steps, one node has all the rest ("..."). So has node RETENTION_OTHER when there are more than the trie
 * may have: the first are the nearest to the roots. What no root leads to is in RETENTION_LOST.
 *
 * Of the nodes, RETENTION_ROWS at most become rows of the database: see retention_rows.c for which.
 *
 * The search leaves in object.held by which reference it came to each object: a chain of those is a path
 * of its own, to be followed at once in a graph of any size.
 *
 * Memory: 4 bytes per object for the node, 4 for the reference, up to 4 for those that wait in the queue (those
 * that had their turn take none); 20 per node and some 50 while the search runs. Nodes are at most one for 512
 * objects, or RETENTION_FEW; of a Python process, whose program has as many names as objects while there is no
 * data, as many as it takes, up to RETENTION_MOST. Half of them are kept for what is neither a program nor its
 * names.
 */
#pragma once

#include "base/bits.h"
#include "base/error.h"
#include "snapshot/snapshot.h"

enum {
	RETENTION_LOST = 1, /* ids of nodes that always are */
	RETENTION_OTHER = 2,
	RETENTION_FEW = 8192,	  /* nodes that there may be in any case */
	RETENTION_MOST = 1 << 22, /* ... and in no case more */
	RETENTION_ROWS = 1 << 18, /* of which so many, the biggest, have a row */
};

/* A step before it is text: 3 bits of kind, 29 of number. */
enum step_kind {
	STEP_WORD,  /* offset in words; STEP_ANY */
	STEP_TEXT,  /* string */
	STEP_INDEX, /* 0 */
	STEP_KEY,   /* string of the key; 0: any */
	STEP_ATTR,  /* string of the name */
	STEP_KEYOF, /* 0: the key itself */
	STEP_REST,  /* 0: whatever is below */
	STEP_DONE,  /* string: is a step already */
};
#define STEP_ANY ((UINT32_C(1) << 29) - 1)

static inline uint32_t step_pack(enum step_kind kind, uint32_t number)
{
	return (uint32_t)kind << 29 | (number & STEP_ANY);
}

enum trie_flags {
	TRIE_STAR = 1,	    /* the last step may have been taken again */
	TRIE_NAMESPACE = 2, /* a __dict__: its keys are attributes of the parent */
	TRIE_MODULES = 4,   /* sys.modules: its keys are modules */
	TRIE_ABSORBS = 8,   /* all that hangs off it is in it */
	TRIE_REST = 16,	    /* what hangs off it is one node */
	TRIE_WORD = 32,	    /* the last step is an unnamed word */
	TRIE_PROGRAM = 64,  /* stands for all functions (descriptors, ...) of a namespace */
	TRIE_OWNER = 128,   /* a class or module: its __dict__ is in the same node */
};

struct trie_node {
	uint32_t step; /* string */
	uint32_t type; /* id; 0 unknown, or no matter */
	uint32_t
		size; /* of the first object that was met there: what is untyped is told apart by it */
	uint32_t parent;
	uint8_t depth, words; /* steps from the root; of these unnamed ones at the end */
	uint8_t flags;	      /* enum trie_flags */
	uint8_t rank;	      /* enum root_rank: what it was first met from */
};

/*
 * Blocks that may have been asked for as one size: malloc leaves a block 16 bytes too big where the rest would be
 * too small for one of its own (glibc malloc/malloc.c, MINSIZE). Small sizes are told apart.
 */
static inline bool size_like(uint64_t a, uint64_t b)
{
	return a == b || (a >= 128 && b >= 128 && (a + 16 == b || b + 16 == a));
}

struct trie_slot {
	uint32_t step, type;
	uint32_t parent, node; /* node 0: free */
};

enum trie_type_flags {
	TYPE_NAMED = 1,	  /* says more than what the bytes look like */
	TYPE_PROGRAM = 2, /* code, not data */
	TYPE_CODE = 4,
	TYPE_TEXT = 8,
	TYPE_FUNCTION = 16,
	TYPE_PYTHON = 32,
	TYPE_CLASS = 64, /* the type of types */
	TYPE_MODULE = 128,
};

struct meets;

struct trie {
	struct snapshot *s;
	VEC(struct trie_node) node; /* [0] is the virtual root */
	struct trie_slot *slot;
	uint32_t slots, used, most; /* a power of two; slots in use; nodes */
	uint8_t *type;		    /* enum trie_type_flags by type id */
	uint32_t dict, rest;	    /* strings: .__dict__ and what stands for the rest */
	uint32_t any;		    /* string [*] */
	struct meets *meets;	    /* see retention_meet.c; NULL: none yet */
	uint8_t rank;		    /* of the roots that the search is at */
};

struct error *trie_init(struct trie *t, struct snapshot *s) _must_check_;
void trie_deinit(struct trie *t);

/* The type of an object that counts for a path; 0: none. */
static inline uint32_t trie_type(const struct trie *t, uint32_t id)
{
	uint32_t type = id && t->s->object.type_id ? t->s->object.type_id[id - 1] : 0;
	return t->type[type] & TYPE_NAMED ? type : 0;
}

/*
 * The node of object `dst` (0: of no matter), one step from `parent`; made when it is new. Never fails
 * for want of room for nodes.
 */
struct error *trie_child(struct trie *t, uint32_t parent, uint32_t step, uint32_t dst,
			 uint32_t *ret) _must_check_;
/*
 * What is reached from object `src` at node `parent` over edge e. `entries`: edges of src, for what
 * depends on their number.
 */
struct error *trie_edge(struct trie *t, uint32_t parent, uint32_t src, uint64_t e, uint64_t entries,
			uint32_t *ret) _must_check_;
/* The node of what a root called so points to. */
struct error *trie_root(struct trie *t, const char *label, uint8_t flags, uint32_t dst,
			uint32_t *ret) _must_check_;
/* The child of `parent` by this step (a string) and type; 0: there is none. */
uint32_t trie_find(const struct trie *t, uint32_t parent, uint32_t step, uint32_t type);
/* Node `id` has another parent now, and is to be found there. */
struct error *trie_remember(struct trie *t, uint32_t id) _must_check_;
/* Gives back what only serves to find nodes: there will be no more. */
void trie_forget(struct trie *t);

/* The chain of which objects of this node are links, or the attributes of links; 0: of none. */
static inline uint32_t trie_link(const struct trie *t, uint32_t node)
{
	const struct trie_node *n = &t->node.at[node];
	if (n->flags & TRIE_NAMESPACE && !(n->flags & TRIE_STAR)) {
		node = n->parent;
		n = &t->node.at[node];
	}
	return n->flags & TRIE_STAR ? node : 0;
}

/* ---- retention_meet.c ---- */

/* From an object of node `from`, a link of a chain, a reference leads to one of node `to`. */
struct error *meet_add(struct trie *t, uint32_t from, uint32_t to) _must_check_;
/* A list that was found from one end has come to what was met from its other: a link, if it is but one. */
void trie_meets(struct trie *t, uint32_t node);
/*
 * Makes one node of two that are halves of the same lists, and of what hangs off them in the same way. *ret: by
 * node, which one it is now, a lower one or itself; NULL: each is itself. For free().
 */
struct error *meets_join(struct trie *t, uint32_t **ret) _must_check_;

/* ---- retention_rows.c ---- */

/*
 * The rows of snapshot.retention: paths, keys, sums. Takes object.retention for ids of nodes, and makes them
 * ids of rows. `most`: nodes that have a row of their own.
 */
struct error *trie_rows(struct trie *t, uint32_t most) _must_check_;

/* ---- retention_roots.c ---- */

enum root_rank {
	RANK_MODULES,
	RANK_RUNTIME, /* what else an interpreter holds by name */
	RANK_GLOBAL,
	RANK_DATA,
	RANK_TLS,
	RANK_STATIC, /* an object that lives in a module's data: its own root */
	RANK_LOCAL,  /* a variable */
	RANK_FRAME,
	RANK_REGISTER,
	RANK_STACK, /* what may be stale, from here on */
	RANK_UNEXPLAINED,
	RANKS,
};

struct retention_roots {
	struct snapshot *s;
	uint32_t *frame;   /* indices in snapshot.frame, by (thread, depth) */
	struct bits array; /* by root: one of many words of a symbol */
	uint8_t *rank;	   /* by root */
	uint32_t *left;	   /* by module id: unnamed words that still get a step of their own */
};

struct error *retention_roots_init(struct retention_roots *r, struct snapshot *s) _must_check_;
void retention_roots_deinit(struct retention_roots *r);
/* The node of what root i points to. */
struct error *retention_root(struct retention_roots *r, struct trie *t, uint64_t i,
			     uint32_t *ret) _must_check_;

/* ---- retention.c ---- */

/*
 * object.reachable = 1 for what START words alone lead to, object.retention, object.held, and the trie's rows.
 * Needs object.reachable, where 1 and 2 are the same. `rows_most`: RETENTION_ROWS.
 */
struct error *retention_find(struct snapshot *s, uint32_t rows_most) _must_check_;
