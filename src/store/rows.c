/*
 * rows: reads table b-trees of SQLite's documented file format (https://www.sqlite.org/fileformat2.html; the
 * numbers of its chapters stand here and there). Interior pages come first to last with a stack of our own;
 * from a leaf's cells only what is asked for is taken out of the records.
 */
#include "store/rows.h"

#include "base/cleanup.h"
#include "store/write_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	HEADER_BYTES = 100,
	PAGE_TABLE_INTERIOR = 5, /* 1.6 */
	PAGE_TABLE_LEAF = 13,
	DEPTH_MOST = 20,  /* a tree of pages is never so deep: each has two children and more */
	FIELDS_MOST = 64, /* columns of a table */
	OWN_ROWID = -1,
};

struct rows {
	sqlite3 *db;
	const char *table;
	const struct rows_column *column;
	unsigned columns;
	rows_fn fn;
	void *arg;
	struct rows_batch *batch;
	/* by field of a record: the column that wants it, + 1; 0: none */
	uint8_t wanted[FIELDS_MOST];
	size_t prefix[ROWS_COLUMNS_MAX]; /* its length */
	unsigned fields;		 /* the last one that is wanted, + 1 */
	int rowid;			 /* the column that is the rowid; or OWN_ROWID: none */
	uint32_t root;
	/* the file */
	const uint8_t *map;
	uint64_t bytes, pages;
	uint32_t page_size, usable;
	int64_t before; /* rowid */
	bool any;
};

static void rows_deinit(struct rows *r)
{
	if (r->map)
		munmap((void *)(uintptr_t)r->map, r->bytes);
	free(r->batch);
	sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL);
}

static struct error *rows_damaged(const struct rows *r, uint64_t page)
{
	return error_new(ERROR_INPUT, "table %s: page %" PRIu64 " is damaged", r->table, page);
}

static struct error *rows_flush(struct rows *r)
{
	struct error *err = r->batch->n ? r->fn(r->arg, r->batch) : NULL;
	r->batch->n = 0;
	return err;
}

/* ---- records ---- */

/* 1.6: big-endian, seven bits a byte, the ninth byte whole. NULL: it goes beyond the end. */
static inline const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
	uint64_t v = 0;
	if (p < end && *p < 0x80) {
		*ret = *p;
		return p + 1;
	}
	for (unsigned i = 0; i < 9; i++, p++) {
		if (p >= end)
			return NULL;
		if (i == 8) {
			*ret = v << 8 | *p;
			return p + 1;
		}
		v = v << 7 | (*p & 0x7f);
		if (*p < 0x80) {
			*ret = v;
			return p + 1;
		}
	}
	return NULL;
}

/* 2.1: how many bytes a value of this serial type has. */
static inline uint64_t serial_bytes(uint64_t serial)
{
	static const uint8_t small[12] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
	return serial < 12 ? small[serial] : (serial - 12) / 2;
}

static inline int64_t serial_integer(uint64_t serial, const uint8_t *p)
{
	int64_t v;
	if (serial >= 8)
		return serial == 9;
	if (!serial || serial == 7)
		return 0;
	v = (int64_t)(p[0] ^ 0x80) - 0x80; /* the first byte has the sign */
	for (uint64_t i = 1; i < serial_bytes(serial); i++)
		v = (int64_t)((uint64_t)v << 8 | p[i]);
	return v;
}

static inline bool serial_begins(uint64_t serial, const uint8_t *p, uint64_t here,
				 const char *prefix, size_t len)
{
	return serial >= 13 && serial & 1 && serial_bytes(serial) >= len && here >= len &&
	       !memcmp(p, prefix, len);
}

/* A record, of which [p, end) is in the page. False: it makes no sense. */
static bool record_take(struct rows *r, const uint8_t *p, const uint8_t *end, int64_t rowid)
{
	const uint32_t row = r->batch->n;
	uint64_t header;
	const uint8_t *field = get_varint(p, end, &header);
	if (!field || header > (uint64_t)(end - p) || header < (uint64_t)(field - p))
		return false;
	const uint8_t *body = p + header, *const fields = body;
	for (unsigned c = 0; c < r->columns; c++)
		r->batch->value[c][row] = 0;
	if (r->rowid != OWN_ROWID)
		r->batch->value[r->rowid][row] = rowid;
	for (unsigned i = 0; i < r->fields && field < fields; i++) {
		uint64_t serial;
		field = get_varint(field, fields, &serial);
		if (!field)
			return false;
		/* The end of a long text is in other pages; what is looked for is at its beginning. */
		const uint64_t bytes = serial_bytes(serial), here = (uint64_t)(end - body);
		const unsigned c = r->wanted[i];
		if (c && r->column[c - 1].prefix)
			r->batch->value[c - 1][row] = serial_begins(
				serial, body, here, r->column[c - 1].prefix, r->prefix[c - 1]);
		else if (c && serial < 12 && bytes <= here)
			r->batch->value[c - 1][row] = serial_integer(serial, body);
		if (bytes > here && i + 1 < r->fields)
			return false;
		body += bytes <= here ? bytes : here;
	}
	r->batch->n++;
	return true;
}

/* ---- pages ---- */

static inline uint32_t get_2(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t get_4(const uint8_t *p)
{
	return get_2(p) << 16 | get_2(p + 2);
}

/* NULL: there is no such page. */
static const uint8_t *page_at(const struct rows *r, uint64_t page)
{
	return page && page <= r->pages ? r->map + (page - 1) * r->page_size : NULL;
}

/* 1.6: how much of a payload is in the leaf itself. */
static uint64_t payload_local(const struct rows *r, uint64_t payload)
{
	const uint64_t u = r->usable, most = u - 35, least = (u - 12) * 32 / 255 - 23;
	if (payload <= most)
		return payload;
	const uint64_t local = least + (payload - least) % (u - 4);
	return local <= most ? local : least;
}

static struct error *leaf_read(struct rows *r, uint64_t page, const uint8_t *p)
{
	const uint32_t cells = get_2(p + 3);
	const uint8_t *const end = p + r->usable;
	if (8 + 2 * (uint64_t)cells > r->usable)
		return rows_damaged(r, page);
	for (uint32_t i = 0; i < cells; i++) {
		const uint32_t at = get_2(p + 8 + 2 * i);
		uint64_t payload, rowid;
		if (at < 8 + 2 * cells || at >= r->usable)
			return rows_damaged(r, page);
		const uint8_t *cell = get_varint(p + at, end, &payload);
		if (cell)
			cell = get_varint(cell, end, &rowid);
		if (!cell)
			return rows_damaged(r, page);
		const uint64_t local = payload_local(r, payload);
		if (local > (uint64_t)(end - cell) || (r->any && (int64_t)rowid <= r->before))
			return rows_damaged(r, page);
		r->any = true;
		r->before = (int64_t)rowid;
		if (!record_take(r, cell, cell + local, (int64_t)rowid))
			return rows_damaged(r, page);
		if (r->batch->n == ROWS_BATCH) {
			struct error *err = rows_flush(r);
			if (err)
				return err;
		}
	}
	return NULL;
}

static struct error *tree_read(struct rows *r)
{
	struct {
		uint64_t page;
		uint32_t next; /* child */
	} stack[DEPTH_MOST];
	unsigned depth = 1;
	uint64_t seen = 0;
	stack[0].page = r->root;
	stack[0].next = 0;
	while (depth) {
		const uint64_t page = stack[depth - 1].page;
		const uint8_t *p = page_at(r, page);
		/* each is there once: more steps than all pages and their children make no tree */
		if (!p || ++seen > 3 * r->pages)
			return rows_damaged(r, page);
		if (*p == PAGE_TABLE_LEAF) {
			struct error *err = leaf_read(r, page, p);
			if (err)
				return err;
			depth--;
			continue;
		}
		const uint32_t cells = get_2(p + 3), next = stack[depth - 1].next++;
		if (*p != PAGE_TABLE_INTERIOR || 12 + 2 * (uint64_t)cells > r->usable)
			return rows_damaged(r, page);
		if (next > cells) {
			depth--;
			continue;
		}
		uint64_t child = get_4(p + 8);
		if (next < cells) {
			const uint32_t at = get_2(p + 12 + 2 * next);
			if (at + 4 > r->usable)
				return rows_damaged(r, page);
			child = get_4(p + at);
		}
		if (depth == DEPTH_MOST)
			return rows_damaged(r, page);
		stack[depth].page = child;
		stack[depth].next = 0;
		depth++;
	}
	return NULL;
}

/* ---- the file ---- */

/* Maps the file. False: it is not laid out so that we read it, or cannot be mapped. */
static bool file_open(struct rows *r)
{
	const char *path = sqlite3_db_filename(r->db, "main");
	struct stat st;
	uint8_t head[HEADER_BYTES];
	_cleanup_close_ int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) || pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return false;
	/* 1.3: 1 at 18 and 19 is the old kind of journal, 1 at 56 is UTF-8 */
	if (memcmp(head, "SQLite format 3", 16) || head[18] != 1 || head[19] != 1 ||
	    get_4(head + 56) != 1)
		return false;
	r->page_size = get_2(head + 16) == 1 ? 1 << 16 : get_2(head + 16);
	r->usable = r->page_size - head[20];
	if (r->page_size < 512 || r->page_size & (r->page_size - 1) || r->usable < 480)
		return false;
	r->bytes = (uint64_t)st.st_size;
	r->pages = r->bytes / r->page_size;
	if (!r->pages)
		return false;
	void *map = mmap(NULL, r->bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return false;
	madvise(map, r->bytes, MADV_SEQUENTIAL);
	r->map = map;
	return true;
}

/* Which field of a record each column is. *plain: it is a table with rowids. */
static struct error *rows_fields(struct rows *r, bool *plain)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL, *at = NULL;
	unsigned found = 0;
	bool added = false;
	if (sqlite3_prepare_v2(r->db,
			       "SELECT cid, name, type, pk, dflt_value FROM pragma_table_xinfo(?)",
			       -1, &stmt, NULL) ||
	    sqlite3_prepare_v2(
		    r->db,
		    "SELECT rootpage FROM main.sqlite_schema WHERE type = 'table' AND name = ?", -1,
		    &at, NULL))
		return store_error(r->db, r->table);
	sqlite3_bind_text(stmt, 1, r->table, -1, SQLITE_STATIC);
	sqlite3_bind_text(at, 1, r->table, -1, SQLITE_STATIC);
	r->rowid = OWN_ROWID;
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const int field = sqlite3_column_int(stmt, 0);
		const char *name = (const char *)sqlite3_column_text(stmt, 1);
		const char *type = (const char *)sqlite3_column_text(stmt, 2);
		added |= sqlite3_column_type(stmt, 4) != SQLITE_NULL;
		for (unsigned c = 0; c < r->columns && name; c++) {
			if (strcmp(name, r->column[c].name))
				continue;
			found++;
			if (field < 0 || field >= FIELDS_MOST)
				added = true;
			else if (sqlite3_column_int(stmt, 3) && type && !strcmp(type, "INTEGER"))
				r->rowid = (int)c;
			else
				r->wanted[field] = (uint8_t)(c + 1);
			if (field >= 0 && field < FIELDS_MOST && (unsigned)field >= r->fields)
				r->fields = (unsigned)field + 1;
		}
	}
	if (found != r->columns)
		return error_new(ERROR_INPUT, "table %s is not as it should be", r->table);
	int64_t root = sqlite3_step(at) == SQLITE_ROW ? sqlite3_column_int64(at, 0) : 0;
	r->root = root > 0 && root <= UINT32_MAX ? (uint32_t)root : 0;
	/* a default value is not in the rows that are older than the column */
	*plain = r->root && !added;
	return NULL;
}

/* ---- by SELECT ---- */

static struct error *rows_select(struct rows *r)
{
	_cleanup_free_ char *sql = NULL;
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	size_t len;
	FILE *f = open_memstream(&sql, &len);
	if (!f)
		return &error_nomem;
	for (unsigned c = 0; c < r->columns; c++)
		fprintf(f, "%s\"%s\"", c ? ", " : "SELECT ", r->column[c].name);
	fprintf(f, " FROM main.\"%s\" ORDER BY ", r->table);
	if (r->rowid == OWN_ROWID)
		fputs("rowid", f);
	else
		fprintf(f, "\"%s\"", r->column[r->rowid].name);
	if (fclose(f))
		return &error_nomem;
	if (sqlite3_prepare_v2(r->db, sql, -1, &stmt, NULL))
		return store_error(r->db, r->table);
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const uint32_t row = r->batch->n++;
		for (unsigned c = 0; c < r->columns; c++) {
			const int type = sqlite3_column_type(stmt, (int)c);
			const char *prefix = r->column[c].prefix;
			int64_t v = 0;
			if (prefix && type == SQLITE_TEXT)
				v = !strncmp((const char *)sqlite3_column_text(stmt, (int)c),
					     prefix, strlen(prefix));
			else if (!prefix && type == SQLITE_INTEGER)
				v = sqlite3_column_int64(stmt, (int)c);
			r->batch->value[c][row] = v;
		}
		struct error *err = r->batch->n == ROWS_BATCH ? rows_flush(r) : NULL;
		if (err)
			return err;
	}
	if (rc != SQLITE_DONE)
		return error_new(ERROR_INPUT, "table %s: %s", r->table, sqlite3_errmsg(r->db));
	return rows_flush(r);
}

struct error *rows_read(sqlite3 *db, const char *table, const struct rows_column *column,
			unsigned columns, bool select, rows_fn fn, void *arg)
{
	_cleanup_(rows_deinit) struct rows r = {.db = db,
						.table = table,
						.column = column,
						.columns = columns,
						.fn = fn,
						.arg = arg};
	bool plain = false;
	r.batch = malloc(sizeof(*r.batch));
	if (!r.batch)
		return &error_nomem;
	r.batch->n = 0;
	for (unsigned c = 0; c < columns; c++)
		r.prefix[c] = column[c].prefix ? strlen(column[c].prefix) : 0;
	/* The first look at the schema takes the lock. */
	if (sqlite3_exec(db, "BEGIN; SELECT 1 FROM main.sqlite_schema LIMIT 1", NULL, NULL, NULL))
		return store_error(db, table);
	struct error *err = rows_fields(&r, &plain);
	if (err)
		return err;
	if (select || !plain || !file_open(&r))
		return rows_select(&r);
	const uint8_t *root = page_at(&r, r.root);
	if (!root || (*root != PAGE_TABLE_LEAF && *root != PAGE_TABLE_INTERIOR))
		return rows_select(&r);
	err = tree_read(&r);
	return err ? err : rows_flush(&r);
}
