/*
 * bulk_impl: the parts of the bulk writer. For store/ alone.
 *
 * The writer takes a database that SQLite has just made, with the big tables and their indexes
 *still empty, and appends their b-trees, page by page and in key order, as the file format is
 *documented (https://www.sqlite.org/fileformat2.html; section numbers below are of that page).
 *Roots stay where SQLite put them, so that no row of sqlite_schema changes; only the header's page
 *count, change counters and free list do.
 *
 *	page 1..P        made by SQLite: schema, small tables, empty roots of the big trees
 *	P+1 ..           extents: runs of pages that one thread fills and writes with one pwrite()
 *
 * Each tree is cut into parts (bulk_part): ranges of rows, or, for an index whose keys do not rise
 * with the rows, ranges of keys. The number of parts depends on the rows, not on the processors. A
 * part makes leaf pages and notes their numbers and what divides them (bulk_level). When all parts
 * of all trees are done, the interior pages are built bottom-up from the joined lists, into what is
 * left of the extents; pages that nobody needed go to the free list (at most an extent per thread).
 *
 *	table tree   leaves hold rows; a divider is the largest rowid on its left
 *	index tree   a divider is an entry of its own, which is in no leaf
 *
 * Memory: two extents a thread, 4 bytes per row of one part for the parts that sort (an eighth of
 *the table at most, unless half the table has one key; 16 MiB for a small one), some 20 bytes a leaf page.
 */
#pragma once

#include "store/write_impl.h"

#include "base/vec.h"

#include <stdatomic.h>
#include <string.h>

enum { BULK_PAGE_MAX = 65536 };

/* Big-endian numbers, as everywhere in the format. */
static inline void bulk_put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void bulk_put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static inline uint32_t bulk_get32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, 4);
	return __builtin_bswap32(v);
}

/* 1.6: the first byte of a b-tree page */
enum bulk_page_type {
	BULK_INDEX_INTERIOR = 2,
	BULK_TABLE_INTERIOR = 5,
	BULK_INDEX_LEAF = 10,
	BULK_TABLE_LEAF = 13,
};

/* The file, and who gets which pages of it. */
struct bulk_space {
	int fd;
	uint32_t page_size;
	uint32_t usable;       /* page_size less the bytes reserved at its end */
	uint32_t lock_page;    /* 1.4: never used; holds byte 2^30 of the file */
	uint32_t extent;       /* pages */
	bool sync;	       /* the file is waited for in the end: let the disk begin now */
	_Atomic uint64_t next; /* first page that no extent has */
};

/* One thread's output: an extent being filled. */
struct bulk_out {
	struct bulk_space *space;
	uint8_t *buf;
	uint64_t first;	     /* page number of buf[0]; 0: no extent yet */
	uint32_t used;	     /* pages of it handed out */
	uint64_t next_first; /* the extent after it, if it is already known; else 0 */
};

struct error *bulk_out_init(struct bulk_out *out, struct bulk_space *space) _must_check_;
void bulk_out_deinit(struct bulk_out *out);
/* A page to fill, zeroed; valid until the next call. *number is its page number. */
struct error *bulk_out_page(struct bulk_out *out, uint8_t **page, uint32_t *number) _must_check_;
/* The number that the next bulk_out_page will give. */
struct error *bulk_out_peek(struct bulk_out *out, uint32_t *number) _must_check_;
/* Writes what is filled; the rest of the extent can still be handed out. */
struct error *bulk_out_flush(struct bulk_out *out) _must_check_;
struct error *bulk_write_page(struct bulk_space *space, uint32_t number,
			      const uint8_t *page) _must_check_;

/* Pages of one level of a tree, from left to right, and what divides them. */
struct bulk_level {
	VEC(uint32_t) child;
	VEC(uint64_t) end; /* divider i is bytes [end[i - 1], end[i]), cell content as on a leaf */
	VEC(uint8_t) bytes;
};

void bulk_level_deinit(struct bulk_level *l);
struct error *bulk_level_divide(struct bulk_level *l, const uint8_t *bytes,
				size_t len) _must_check_;
/* Appends all of `from`. */
struct error *bulk_level_join(struct bulk_level *l, const struct bulk_level *from) _must_check_;

/* A page under construction: cells grow down from its end, their offsets up from its header. */
struct bulk_page {
	uint8_t data[BULK_PAGE_MAX];
	uint32_t header, cells, top, usable;
	uint8_t type;
};

void bulk_page_begin(struct bulk_page *p, enum bulk_page_type type, uint32_t usable);
/* Room for a cell of `len` bytes; NULL: the page is full. */
static inline uint8_t *bulk_page_add(struct bulk_page *p, uint32_t len)
{
	/* A cell is never shorter than the free block that it may become. */
	if (len < 4)
		len = 4;
	if (p->top < p->header + 2 * (p->cells + 1) + len)
		return NULL;
	p->top -= len;
	bulk_put16(p->data + p->header + 2 * p->cells++, p->top);
	return p->data + p->top;
}

/* Takes the last cell off again: its bytes stay where they are until the next add. */
const uint8_t *bulk_page_pop(struct bulk_page *p, uint32_t *len);
void bulk_page_end(struct bulk_page *p, uint32_t right_child);

/* Writes the leaves of one part of a tree. */
struct bulk_leaves {
	struct bulk_out *out;
	struct bulk_level *level;
	bool table;	     /* rowid table; else index or WITHOUT ROWID table */
	bool first;	     /* the tree's first part */
	uint32_t alone_root; /* not 0: the tree's only part; if one leaf is all, it goes here */
	uint32_t max_local, min_local; /* 1.6: payload bytes kept on the leaf */
	int64_t rowid;		       /* last one added */
	bool led;      /* the entry that divides this part from the one before is noted */
	uint8_t *body; /* of the record being made */
	uint64_t body_room;
	struct bulk_page page;
};

/* Zeroed memory; deinit frees what the struct owns (not out, not level). */
void bulk_leaves_init(struct bulk_leaves *l, struct bulk_out *out, struct bulk_level *level,
		      bool table, bool first, uint32_t alone_root);
void bulk_leaves_deinit(struct bulk_leaves *l);
/* The columns of a table; those that may be other than NULL. */
struct bulk_columns {
	uint8_t n, known;	       /* up to the last that is known; how many of them are */
	uint8_t at[STORE_COLUMNS_MAX]; /* numbers of those that are known */
};

/* unknown: by bit, columns that are NULL in all rows. */
void bulk_columns_init(struct bulk_columns *c, unsigned n, uint32_t unknown);

/* `last`: of this part. */
struct error *bulk_leaves_row(struct bulk_leaves *l, int64_t rowid, const struct store_value *v,
			      const struct bulk_columns *columns, bool last) _must_check_;
/* An index entry of two integers, the first one maybe NULL. */
struct error *bulk_leaves_entry(struct bulk_leaves *l, bool null, int64_t key, int64_t tail,
				bool last) _must_check_;
struct error *bulk_leaves_end(struct bulk_leaves *l) _must_check_;

/* Builds what is above the leaves; the topmost page goes to `root`. Uses `leaves` up. */
struct error *bulk_interior(struct bulk_out *out, struct bulk_level *leaves, bool table,
			    uint32_t root) _must_check_;

/* ---- sorting: bulk_sort.c ---- */

struct bulk_range {
	bool null;	 /* rows whose key is NULL; else: */
	uint64_t lo, hi; /* keys, as key_order has them; inclusive */
	uint64_t count;	 /* rows that have one of them */
};

/* How the keys of one index are cut into parts. */
struct bulk_plan {
	const struct snapshot *s;
	const struct store_index *index;
	uint64_t rows;
	uint64_t part; /* a sixteenth of the rows of a range, unless an eighth of all is more */
	bool sorted;   /* keys rise with rows: no sorting */
	VEC(struct bulk_range) range; /* in key order */
};

struct error *bulk_plan_make(struct bulk_plan *p) _must_check_;
void bulk_plan_deinit(struct bulk_plan *p);
/* Entries of rows [first, end), which rise. */
struct error *bulk_sorted_entries(const struct bulk_plan *p, uint64_t first, uint64_t end,
				  struct bulk_leaves *l) _must_check_;
/* Entries whose keys are in one range. `last`: of this part. */
struct error *bulk_range_entries(const struct bulk_plan *p, const struct bulk_range *r, bool last,
				 struct bulk_leaves *l) _must_check_;
