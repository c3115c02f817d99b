/* The bulk writer: its parts, its threads, and the database's header. See bulk_impl.h. */
#include "store/bulk_impl.h"

#include "base/parallel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PART_ROWS = 1 << 18, /* of one part of a tree: a fraction of a second's work */
	EXTENT_BYTES = 1 << 20,
	EXTENT_PAGES_MIN = 8,
	THREADS_MAX = 64,
	HEADER_BYTES = 100,
};

/* A share of a tree that one thread writes. */
struct bulk_part {
	uint32_t tree;
	uint64_t first, end;		/* rows */
	const struct bulk_range *range; /* of keys, instead; NULL */
	unsigned ranges;		/* that many, one after the other */
	bool only;			/* the tree has no other */
	struct bulk_level level;
};

struct bulk {
	const struct snapshot *s;
	const struct bulk_tree *tree;
	unsigned ntree;
	struct log *log;
	struct bulk_space space;
	struct bulk_plan *plan;	    /* per tree; for indexes */
	VEC(struct bulk_part) part; /* tree after tree, in key order */
	_Atomic uint64_t next_plan, next_part;
	_Atomic bool failed;
	uint64_t part_rows, rows_all;
	_Atomic uint64_t rows_done;
	struct bulk_out out[THREADS_MAX];
	unsigned threads;
};

/* ---- may a table go this way? ---- */

bool bulk_can(const struct store_table *t, const struct snapshot *s)
{
	uint64_t rows = t->rows(s);
	if (rows > UINT32_MAX)
		return false; /* rows are sorted as 32-bit numbers */
	if (!t->without_rowid)
		return true;
	/* One page of keys at a time, plus the one before. */
	int64_t key[256], key2[256] = {0}, last = 0, last2 = 0;
	uint64_t hint = 0, hint2 = 0;
	for (uint64_t at = 0; at < rows; at += 256) {
		uint64_t n = rows - at < 256 ? rows - at : 256;
		t->key(s, at, n, &hint, key);
		if (t->key2)
			t->key2(s, at, n, &hint2, key2);
		for (uint64_t i = 0; i < n; i++) {
			bool rises = key[i] > last || (key[i] == last && key2[i] > last2);
			if ((at || i) && !rises)
				return false;
			last = key[i];
			last2 = key2[i];
		}
	}
	return true;
}

/* ---- parts ---- */

static struct error *bulk_plan_worker(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct bulk *b = arg;
	(void)slice, (void)first, (void)end;
	for (uint64_t t; (t = atomic_fetch_add(&b->next_plan, 1)) < b->ntree;) {
		b->plan[t] = (struct bulk_plan){
			.s = b->s,
			.index = b->tree[t].index,
			.rows = b->tree[t].table->rows(b->s),
			.part = b->part_rows,
			.sorted = true,
		};
		struct error *err = b->plan[t].index ? bulk_plan_make(&b->plan[t]) : NULL;
		if (err)
			return err;
	}
	return NULL;
}

static struct error *bulk_cut_tree(struct bulk *b, uint32_t t)
{
	const struct bulk_plan *p = &b->plan[t];
	struct error *err = NULL;
	uint64_t before = b->part.n;
	if (p->sorted)
		b->rows_all += p->rows;
	if (!p->sorted) {
		/* A part needs two entries: one may be what divides it from the part before. */
		uint64_t open = 0;
		for (uint64_t i = 0; i < p->range.n && !err; i++) {
			const struct bulk_range *r = &p->range.at[i];
			b->rows_all += r->count;
			bool joins = b->part.n > before && (open < 2 || r->count < 2);
			if (joins) {
				b->part.at[b->part.n - 1].ranges++;
				open += r->count;
			} else {
				err = vec_push(
					&b->part,
					((struct bulk_part){.tree = t, .range = r, .ranges = 1}));
				open = r->count;
			}
		}
	} else {
		uint64_t parts = p->rows / b->part_rows + 1;
		for (uint64_t i = 0; i < parts && !err; i++)
			err = vec_push(
				&b->part,
				((struct bulk_part){
					.tree = t,
					.first = p->rows / parts * i,
					.end = i + 1 < parts ? p->rows / parts * (i + 1) : p->rows,
				}));
	}
	if (!err && b->part.n == before + 1)
		b->part.at[before].only = true;
	return err;
}

static struct error *part_rows(struct bulk *b, const struct bulk_part *part, struct bulk_leaves *l)
{
	const struct store_table *t = b->tree[part->tree].table;
	struct bulk_columns columns;
	unsigned n = 0;
	while (t->column[n])
		n++;
	/* 2.3: the rowid's alias is stored as NULL; the value is the rowid */
	bulk_columns_init(&columns, n, t->rowid_alias | (t->unknown ? t->unknown(b->s) : 0));
	struct store_row row = {.hint = 0};
	struct error *err = NULL;
	for (uint64_t i = part->first; i < part->end && !err; i++) {
		t->row(b->s, i, &row);
		err = bulk_leaves_row(l, (int64_t)i + 1, row.v, &columns, i + 1 == part->end);
	}
	return err;
}

static struct error *part_ranges(struct bulk *b, const struct bulk_part *part,
				 struct bulk_leaves *l, uint64_t *rows)
{
	struct error *err = NULL;
	for (unsigned i = 0; i < part->ranges && !err; i++) {
		err = bulk_range_entries(&b->plan[part->tree], &part->range[i],
					 i + 1 == part->ranges, l);
		*rows += part->range[i].count;
	}
	return err;
}

static struct error *bulk_write_part(struct bulk *b, struct bulk_part *part, struct bulk_out *out)
{
	const struct bulk_tree *tree = &b->tree[part->tree];
	bool table = !tree->index && !tree->table->without_rowid;
	bool first = part == b->part.at || part[-1].tree != part->tree;
	struct bulk_leaves *l = calloc(1, sizeof(*l));
	if (!l)
		return &error_nomem;
	bulk_leaves_init(l, out, &part->level, table, first, part->only ? tree->root : 0);
	struct error *err;
	uint64_t rows = part->end - part->first;
	if (part->range)
		err = part_ranges(b, part, l, &rows);
	else if (tree->index)
		err = bulk_sorted_entries(&b->plan[part->tree], part->first, part->end, l);
	else
		err = part_rows(b, part, l);
	if (!err)
		err = bulk_leaves_end(l);
	bulk_leaves_deinit(l);
	free(l);
	uint64_t done = atomic_fetch_add(&b->rows_done, rows) + rows;
	if (b->log)
		log_progress(b->log, "storing", done, b->rows_all);
	return err;
}

static struct error *bulk_part_worker(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct bulk *b = arg;
	(void)first, (void)end;
	struct error *err = NULL;
	for (uint64_t i;
	     !err && !b->failed && (i = atomic_fetch_add(&b->next_part, 1)) < b->part.n;)
		err = bulk_write_part(b, &b->part.at[i], &b->out[slice]);
	if (err)
		b->failed = true;
	return err;
}

/* ---- joining ---- */

static struct error *bulk_join_tree(struct bulk *b, uint32_t t, uint64_t *part)
{
	bool table = !b->tree[t].index && !b->tree[t].table->without_rowid;
	struct bulk_level all = {.child.n = 0};
	struct error *err = NULL;
	for (; *part < b->part.n && b->part.at[*part].tree == t && !err; ++*part) {
		err = bulk_level_join(&all, &b->part.at[*part].level);
		bulk_level_deinit(&b->part.at[*part].level);
	}
	/* A table's last leaf has nothing on its right. */
	if (table && all.end.n && all.end.n == all.child.n)
		all.end.n--;
	/* No children: the one leaf is in the root already. */
	if (!err && all.child.n == 1)
		err = error_new(ERROR_SYSTEM, "%s: a tree of one leaf", b->tree[t].table->name);
	if (!err && all.child.n)
		err = bulk_interior(&b->out[t % b->threads], &all, table, b->tree[t].root);
	bulk_level_deinit(&all);
	return err;
}

/* ---- header ---- */

/* 1.3: magic 0, page size 16, reserved bytes 20, page count 28, free pages 36 */
static struct error *bulk_open(struct bulk *b, int fd)
{
	uint8_t header[HEADER_BYTES];
	struct stat st;
	if (pread(fd, header, sizeof(header), 0) != sizeof(header) || fstat(fd, &st))
		return error_errno(ERROR_SYSTEM, errno, "cannot read back");
	uint32_t page_size = (uint32_t)header[16] << 8 | header[17];
	if (page_size == 1)
		page_size = 65536;
	uint32_t pages = bulk_get32(header + 28);
	if (memcmp(header, "SQLite format 3", 16) || page_size < 512 || !pages ||
	    (uint64_t)st.st_size != (uint64_t)pages * page_size || bulk_get32(header + 36) ||
	    bulk_get32(header + 52))
		return error_new(ERROR_SYSTEM, "SQLite made a database that cannot be appended to");
	b->space = (struct bulk_space){
		.fd = fd,
		.page_size = page_size,
		.usable = page_size - header[20],
		.lock_page = (1 << 30) / page_size + 1,
		.next = (uint64_t)pages + 1,
	};
	return NULL;
}

/* Extents of a MiB; small ones for little data, since what is left of them is wasted. */
static void bulk_size_extents(struct bulk *b)
{
	uint64_t pages = b->rows_all * 16 / b->space.page_size / 64;
	uint64_t most = EXTENT_BYTES / b->space.page_size;
	if (pages > most)
		pages = most;
	b->space.extent = (uint32_t)(pages < EXTENT_PAGES_MIN ? EXTENT_PAGES_MIN : pages);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

/* 1.5: a trunk page holds the next trunk, a count, and that many leaves of the free list. */
static struct error *write_free_list(struct bulk_space *space, const uint32_t *page, uint64_t n,
				     uint32_t *first)
{
	uint8_t *trunk = calloc(1, space->page_size);
	if (!trunk)
		return &error_nomem;
	/* The last six places stay empty, for the sake of versions before 3.6.0. */
	uint32_t most = space->usable / 4 - 2 - 6;
	struct error *err = NULL;
	*first = 0;
	while (n && !err) {
		uint32_t leaves = n - 1 < most ? (uint32_t)(n - 1) : most;
		memset(trunk, 0, space->page_size);
		bulk_put32(trunk, *first);
		bulk_put32(trunk + 4, leaves);
		for (uint32_t i = 0; i < leaves; i++)
			bulk_put32(trunk + 8 + 4 * i, page[n - 2 - i]);
		*first = page[n - 1];
		err = bulk_write_page(space, *first, trunk);
		n -= leaves + 1;
	}
	free(trunk);
	return err;
}

/* Leftover pages, in order; those at the end of the file are cut off. */
static struct error *bulk_close(struct bulk *b)
{
	VEC(uint32_t) hole = {.n = 0};
	struct error *err = NULL;
	uint64_t end = b->space.next;
	for (unsigned i = 0; i < b->threads && !err; i++) {
		const struct bulk_out *out = &b->out[i];
		for (uint64_t p = out->used; out->first && p < b->space.extent && !err; p++)
			err = vec_push(&hole, (uint32_t)(out->first + p));
		/* Peeked at, never filled. */
		for (uint64_t p = 0; out->next_first && p < b->space.extent && !err; p++)
			err = vec_push(&hole, (uint32_t)(out->next_first + p));
	}
	if (hole.n)
		qsort(hole.at, hole.n, sizeof(*hole.at), compare_numbers);
	uint64_t kept = 0;
	for (uint64_t i = 0; i < hole.n; i++)
		if (hole.at[i] != b->space.lock_page)
			hole.at[kept++] = hole.at[i];
	hole.n = kept;
	for (bool cut = true; cut;) {
		cut = true;
		if (hole.n && hole.at[hole.n - 1] == end - 1)
			hole.n--, end--;
		else if (end - 1 == b->space.lock_page)
			end--;
		else
			cut = false;
	}
	uint32_t first_free = 0;
	uint8_t header[HEADER_BYTES];
	if (!err)
		err = write_free_list(&b->space, hole.at, hole.n, &first_free);
	if (!err && ftruncate(b->space.fd, (off_t)((end - 1) * b->space.page_size)))
		err = error_errno(ERROR_SYSTEM, errno, "cannot set the length");
	if (!err && pread(b->space.fd, header, sizeof(header), 0) != sizeof(header))
		err = error_errno(ERROR_SYSTEM, errno, "cannot read back");
	if (!err) {
		/* 1.3: change counter 24, pages 28, first trunk 32, free pages 36, valid-for 92 */
		uint32_t change = bulk_get32(header + 24) + 1;
		bulk_put32(header + 24, change);
		bulk_put32(header + 28, (uint32_t)(end - 1));
		bulk_put32(header + 32, first_free);
		bulk_put32(header + 36, (uint32_t)hole.n);
		bulk_put32(header + 92, change);
		if (pwrite(b->space.fd, header, sizeof(header), 0) != sizeof(header))
			err = error_errno(ERROR_SYSTEM, errno, "cannot write the header");
	}
	vec_deinit(&hole);
	return err;
}

/* ---- all of it ---- */

static struct error *bulk_run(struct bulk *b)
{
	b->threads = parallel_slices(b->ntree, 1);
	if (b->threads > THREADS_MAX)
		b->threads = THREADS_MAX;
	struct error *err = parallel_for(b->ntree, b->threads, bulk_plan_worker, b);
	for (uint32_t t = 0; t < b->ntree && !err; t++)
		if (b->plan[t].rows)
			err = bulk_cut_tree(b, t);
	if (err)
		return err;
	b->threads = parallel_slices(b->part.n, 1);
	if (b->threads > THREADS_MAX)
		b->threads = THREADS_MAX;
	bulk_size_extents(b);
	for (unsigned i = 0; i < b->threads && !err; i++)
		err = bulk_out_init(&b->out[i], &b->space);
	if (!err)
		err = parallel_for(b->part.n, b->threads, bulk_part_worker, b);
	uint64_t part = 0;
	for (uint32_t t = 0; t < b->ntree && !err; t++)
		err = bulk_join_tree(b, t, &part);
	for (unsigned i = 0; i < b->threads && !err; i++)
		err = bulk_out_flush(&b->out[i]);
	return err ? err : bulk_close(b);
}

struct error *bulk_write(int fd, const struct snapshot *s, const struct bulk_tree *tree, unsigned n,
			 const struct store_options *opt, struct log *log)
{
	struct bulk *b = calloc(1, sizeof(*b));
	if (!b)
		return &error_nomem;
	b->s = s;
	b->tree = tree;
	b->ntree = n;
	b->log = log;
	b->part_rows = opt->bulk_part ? opt->bulk_part : PART_ROWS;
	b->plan = calloc(n, sizeof(*b->plan));
	struct error *err = b->plan ? bulk_open(b, fd) : &error_nomem;
	b->space.sync = !opt->no_sync;
	if (!err)
		err = bulk_run(b);
	if (log)
		log_progress_end(log);
	for (uint64_t i = 0; i < b->part.n; i++)
		bulk_level_deinit(&b->part.at[i].level);
	vec_deinit(&b->part);
	for (unsigned i = 0; i < THREADS_MAX; i++)
		bulk_out_deinit(&b->out[i]);
	for (unsigned t = 0; b->plan && t < n; t++)
		bulk_plan_deinit(&b->plan[t]);
	free(b->plan);
	free(b);
	return err;
}
