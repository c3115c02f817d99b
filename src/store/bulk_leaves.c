/* Records, cells and leaf pages of the bulk writer: see bulk_impl.h. */
#include "store/bulk_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECORD_HEADER_MAX = 1 + 5 * STORE_COLUMNS_MAX,
	CELL_PREFIX_MAX = 9 + 9, /* payload size, rowid */
};

_Static_assert(RECORD_HEADER_MAX < 128, "the record header's size is a varint of one byte");

void bulk_leaves_init(struct bulk_leaves *l, struct bulk_out *out, struct bulk_level *level,
		      bool table, bool first, uint32_t alone_root)
{
	uint32_t u = out->space->usable;
	l->out = out;
	l->level = level;
	l->table = table;
	l->first = first;
	l->alone_root = alone_root;
	/* 1.6, "the amount of payload": X and M */
	l->max_local = table ? u - 35 : (u - 12) * 64 / 255 - 23;
	l->min_local = (u - 12) * 32 / 255 - 23;
	bulk_page_begin(&l->page, table ? BULK_TABLE_LEAF : BULK_INDEX_LEAF, u);
}

void bulk_leaves_deinit(struct bulk_leaves *l)
{
	free(l->body);
	l->body = NULL;
}

/* 1.6: big-endian, seven bits a byte, the ninth byte whole */
static inline uint8_t *put_varint(uint8_t *p, uint64_t v)
{
	if (v < 0x80) {
		*p = (uint8_t)v;
		return p + 1;
	}
	if (v < 0x4000) {
		p[0] = (uint8_t)(v >> 7 | 0x80);
		p[1] = (uint8_t)(v & 0x7f);
		return p + 2;
	}
	if (v >> 56) {
		p[8] = (uint8_t)v;
		v >>= 8;
		for (int i = 7; i >= 0; i--, v >>= 7)
			p[i] = (uint8_t)(v | 0x80);
		return p + 9;
	}
	int n = (70 - __builtin_clzll(v)) / 7;
	for (int i = n - 1; i >= 0; i--, v >>= 7)
		p[i] = (uint8_t)((v & 0x7f) | (i == n - 1 ? 0 : 0x80));
	return p + n;
}

/* What put_varint takes. */
static inline uint32_t varint_len(uint64_t v)
{
	return v >> 56 ? 9 : (70 - (uint32_t)__builtin_clzll(v | 1)) / 7;
}

/* 2.1: integers take 0, 1, 2, 3, 4, 6 or 8 bytes, and their serial type says which. */
struct integer_form {
	uint8_t serial, bytes;
};

static inline struct integer_form integer_form(int64_t v)
{
	/* By the bits without the sign's; as many bytes as hold them and the sign. */
	static const struct integer_form form[64] = {
		[0 ... 7] = {1, 1},   [8 ... 15] = {2, 2},  [16 ... 23] = {3, 3},
		[24 ... 31] = {4, 4}, [32 ... 47] = {5, 6}, [48 ... 63] = {6, 8},
	};
	if (v == 0 || v == 1)
		return (struct integer_form){(uint8_t)(8 + v), 0};
	uint64_t magnitude = (uint64_t)(v < 0 ? ~v : v);
	return form[magnitude ? 64 - (unsigned)__builtin_clzll(magnitude) : 0];
}

/* Writes 8 bytes, of which the returned number count. */
static inline uint32_t put_integer(uint8_t *p, int64_t v, uint8_t *serial)
{
	struct integer_form form = integer_form(v);
	*serial = form.serial;
	if (form.bytes) {
		uint64_t be = __builtin_bswap64((uint64_t)v << (64 - 8 * form.bytes));
		memcpy(p, &be, 8);
	}
	return form.bytes;
}

static struct error *leaves_body(struct bulk_leaves *l, uint64_t need)
{
	if (need <= l->body_room)
		return NULL;
	uint64_t room = need < 8192 ? 8192 : 2 * need;
	uint8_t *body = realloc(l->body, room);
	if (!body)
		return &error_nomem;
	l->body = body;
	l->body_room = room;
	return NULL;
}

/* Ends the page. What divides it from the next one is the caller's. */
static struct error *leaves_flush(struct bulk_leaves *l)
{
	uint8_t *page;
	uint32_t number;
	bulk_page_end(&l->page, 0);
	struct error *err = bulk_out_page(l->out, &page, &number);
	if (err)
		return err;
	memcpy(page, l->page.data, l->page.usable);
	bulk_page_begin(&l->page, l->page.type, l->page.usable);
	return vec_push(&l->level->child, number);
}

static struct error *leaves_divide_table(struct bulk_leaves *l)
{
	uint8_t key[9];
	uint8_t *end = put_varint(key, (uint64_t)l->rowid);
	return bulk_level_divide(l->level, key, (size_t)(end - key));
}

/*
 * Where the bytes of the next cell go: on the page, or, for an index entry that divides two pages,
 * to the level above (*ret NULL: the caller makes it elsewhere and calls bulk_level_divide).
 */
static struct error *leaves_place(struct bulk_leaves *l, uint32_t len, bool last, uint8_t **ret)
{
	if (!l->table && !l->first && !l->led) {
		l->led = true;
		*ret = NULL;
		return NULL;
	}
	*ret = bulk_page_add(&l->page, len);
	if (*ret)
		return NULL;
	struct error *err;
	if (l->table) {
		err = leaves_flush(l);
		if (!err)
			err = leaves_divide_table(l);
	} else if (!last) {
		return leaves_flush(l);
	} else {
		/* No entry would be left for a page of its own: the one before divides. */
		uint32_t before;
		const uint8_t *cell = bulk_page_pop(&l->page, &before);
		err = bulk_level_divide(l->level, cell, before);
		if (!err)
			err = leaves_flush(l);
	}
	if (err)
		return err;
	*ret = bulk_page_add(&l->page, len);
	assert(*ret);
	return NULL;
}

/* 1.7: what does not fit goes to a chain of pages, each beginning with the next one's number. */
static struct error *leaves_overflow(struct bulk_leaves *l, const uint8_t *from, uint64_t len,
				     uint32_t *ret)
{
	uint32_t room = l->out->space->usable - 4;
	struct error *err = bulk_out_peek(l->out, ret);
	while (len && !err) {
		uint8_t *page;
		uint32_t number, next = 0, take = len < room ? (uint32_t)len : room;
		err = bulk_out_page(l->out, &page, &number);
		if (err)
			return err;
		memcpy(page + 4, from, take);
		from += take;
		len -= take;
		if (len)
			err = bulk_out_peek(l->out, &next);
		bulk_put32(page, next);
	}
	return err;
}

/* The record is header + body; body has room for CELL_PREFIX_MAX + RECORD_HEADER_MAX before it. */
static struct error *leaves_cell(struct bulk_leaves *l, int64_t rowid, const uint8_t *header,
				 uint32_t header_len, uint8_t *body, uint64_t body_len, bool last)
{
	uint64_t payload = header_len + body_len;
	uint8_t prefix[CELL_PREFIX_MAX];
	uint8_t *end = put_varint(prefix, payload);
	if (l->table)
		end = put_varint(end, (uint64_t)rowid);
	uint32_t prefix_len = (uint32_t)(end - prefix), local = (uint32_t)payload, tail = 0;
	uint8_t overflow[4];
	struct error *err = NULL;
	if (payload > l->max_local) {
		uint64_t k = l->min_local + (payload - l->min_local) % (l->page.usable - 4);
		local = k <= l->max_local ? (uint32_t)k : l->min_local;
		/* Never less than the header: columns are far fewer than min_local has bytes. */
		assert(header_len <= local);
		uint32_t chain;
		err = leaves_overflow(l, body + (local - header_len), payload - local, &chain);
		if (err)
			return err;
		bulk_put32(overflow, chain);
		tail = 4;
	}
	uint32_t len = prefix_len + local + tail;
	uint8_t *cell;
	err = leaves_place(l, len, last, &cell);
	if (err)
		return err;
	l->rowid = rowid;
	uint8_t *start = cell ? cell : body - header_len - prefix_len;
	memcpy(start, prefix, prefix_len);
	memcpy(start + prefix_len, header, header_len);
	if (cell)
		memcpy(start + prefix_len + header_len, body, local - header_len);
	memcpy(start + prefix_len + local, overflow, tail);
	/* Cells shorter than 4 bytes are padded on the page (bulk_page_add); as dividers they are
	 * longer. */
	return cell ? NULL : bulk_level_divide(l->level, start, len);
}

/* A small cell: what its payload's size takes one byte for, and its rowid. */
enum { SMALL_PAYLOAD = 127, SMALL_MAX = CELL_PREFIX_MAX + SMALL_PAYLOAD };

/* len is 16 at least; nothing behind it is touched. */
static inline void small_copy(uint8_t *to, const uint8_t *from, uint32_t len)
{
	for (uint32_t i = 0; i + 16 < len; i += 16)
		memcpy(to + i, from + i, 16);
	memcpy(to + len - 16, from + len - 16, 16);
}

void bulk_columns_init(struct bulk_columns *c, unsigned n, uint32_t unknown)
{
	assert(n <= STORE_COLUMNS_MAX);
	*c = (struct bulk_columns){.n = 0};
	for (unsigned i = 0; i < n; i++)
		if (!(unknown >> i & 1)) {
			c->at[c->known++] = (uint8_t)i;
			/* 2.1: columns that a record ends before are NULL. */
			c->n = (uint8_t)(i + 1);
		}
}

/*
 * Rows without long texts, which is nearly all of them, in one pass: each serial type is a byte, so
 * that it is known where the body begins. False: not such a row.
 */
static inline bool small_row(const struct store_value *v, const struct bulk_columns *columns,
			     uint8_t *header, uint32_t *payload)
{
	uint8_t *serial = header + 1, *b = serial + columns->n;
	memset(header, 0, 1 + STORE_COLUMNS_MAX);
	*header = (uint8_t)(1 + columns->n);
	for (unsigned i = 0; i < columns->known; i++) {
		unsigned c = columns->at[i];
		switch ((enum store_type)v[c].type) {
		case STORE_NULL:
			break;
		case STORE_INT:
			b += put_integer(b, v[c].i, &serial[c]);
			break;
		case STORE_REAL:
			return false;
		case STORE_TEXT:
			if (v[c].len > 57 || (uint32_t)(b - header) + v[c].len > SMALL_PAYLOAD)
				return false;
			serial[c] = (uint8_t)(13 + 2 * v[c].len);
			memcpy(b, v[c].text, v[c].len);
			b += v[c].len;
			break;
		}
	}
	*payload = (uint32_t)(b - header);
	return *payload <= SMALL_PAYLOAD;
}

/* false in *ret: nothing was written. */
static struct error *leaves_small(struct bulk_leaves *l, int64_t rowid, const struct store_value *v,
				  const struct bulk_columns *columns, bool last, bool *ret)
{
	uint8_t cell[SMALL_MAX + 8 * STORE_COLUMNS_MAX], *header = cell + 10, *at;
	uint32_t payload;
	*ret = small_row(v, columns, header, &payload);
	if (!*ret)
		return NULL;
	uint32_t digits = varint_len((uint64_t)rowid);
	uint8_t *start = header - digits - 1;
	put_varint(start + 1, (uint64_t)rowid);
	*start = (uint8_t)payload;
	uint32_t len = 1 + digits + payload;
	struct error *err = leaves_place(l, len, last, &at);
	if (err)
		return err;
	l->rowid = rowid;
	if (len >= 16)
		small_copy(at, start, len);
	else
		memcpy(at, start, len);
	return NULL;
}

struct error *bulk_leaves_row(struct bulk_leaves *l, int64_t rowid, const struct store_value *v,
			      const struct bulk_columns *columns, bool last)
{
	if (l->table) {
		bool done;
		struct error *err = leaves_small(l, rowid, v, columns, last, &done);
		if (err || done)
			return err;
	}
	unsigned n = columns->n;
	uint64_t known = 0, need = CELL_PREFIX_MAX + RECORD_HEADER_MAX + 8 * (uint64_t)n + 16;
	for (unsigned i = 0; i < columns->known; i++) {
		unsigned c = columns->at[i];
		known |= UINT64_C(1) << c;
		need += v[c].type == STORE_TEXT ? v[c].len : 0;
	}
	struct error *err = leaves_body(l, need);
	if (err)
		return err;
	uint8_t header[RECORD_HEADER_MAX], *h = header + 1;
	uint8_t *body = l->body + CELL_PREFIX_MAX + RECORD_HEADER_MAX, *b = body;
	for (unsigned c = 0; c < n; c++) {
		switch ((enum store_type)(known >> c & 1 ? v[c].type : STORE_NULL)) {
		case STORE_NULL:
			*h++ = 0;
			break;
		case STORE_INT:
			b += put_integer(b, v[c].i, h++);
			break;
		case STORE_REAL: {
			uint64_t bits;
			memcpy(&bits, &v[c].real, 8);
			bits = __builtin_bswap64(bits);
			memcpy(b, &bits, 8);
			b += 8;
			*h++ = 7;
			break;
		}
		case STORE_TEXT:
			h = put_varint(h, 13 + 2 * (uint64_t)v[c].len);
			memcpy(b, v[c].text, v[c].len);
			b += v[c].len;
			break;
		}
	}
	header[0] = (uint8_t)(h - header);
	return leaves_cell(l, rowid, header, (uint32_t)(h - header), body, (uint64_t)(b - body),
			   last);
}

/* The cell of an index entry: payload size, header size, two serial types, two integers. */
enum { ENTRY_MAX = 4 + 8 + 8 };

/*
 * An entry of 4 to 16 bytes, put together in registers and stored as two words that may overlap:
 * nothing behind it is touched. Index entries are most of what is written.
 */
static inline void entry_store(uint8_t *at, unsigned __int128 v, uint32_t len)
{
	unsigned __int128 left = v << 8 * (16 - len);
	if (len >= 8) {
		uint64_t head = __builtin_bswap64((uint64_t)(left >> 64));
		uint64_t tail = __builtin_bswap64((uint64_t)v);
		memcpy(at, &head, 8);
		memcpy(at + len - 8, &tail, 8);
	} else {
		uint32_t head = __builtin_bswap32((uint32_t)(left >> 96));
		uint32_t tail = __builtin_bswap32((uint32_t)v);
		memcpy(at, &head, 4);
		memcpy(at + len - 4, &tail, 4);
	}
}

static inline unsigned __int128 entry_append(unsigned __int128 v, int64_t integer, uint32_t bytes)
{
	uint64_t mask = bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * bytes) - 1;
	return v << 8 * bytes | ((uint64_t)integer & mask);
}

struct error *bulk_leaves_entry(struct bulk_leaves *l, bool null, int64_t key, int64_t tail,
				bool last)
{
	struct integer_form k = null ? (struct integer_form){0, 0} : integer_form(key);
	struct integer_form t = integer_form(tail);
	uint32_t len = 4 + k.bytes + t.bytes;
	uint8_t cell[ENTRY_MAX + 8], *at = NULL;
	if (l->table || l->first || l->led)
		at = bulk_page_add(&l->page, len);
	struct error *err = at ? NULL : leaves_place(l, len, last, &at);
	if (err)
		return err;
	uint8_t *to = at ? at : cell;
	if (len <= 16) {
		unsigned __int128 v =
			(uint32_t)(len - 1) << 24 | 3 << 16 | k.serial << 8 | t.serial;
		entry_store(to, entry_append(entry_append(v, key, k.bytes), tail, t.bytes), len);
	} else {
		/* Both integers take 6 or 8 bytes. */
		cell[0] = (uint8_t)(len - 1);
		cell[1] = 3;
		put_integer(cell + 4, key, &cell[2]);
		put_integer(cell + 4 + k.bytes, tail, &cell[3]);
		memmove(to, cell, len);
	}
	return at ? NULL : bulk_level_divide(l->level, cell, len);
}

struct error *bulk_leaves_end(struct bulk_leaves *l)
{
	if (l->alone_root && !l->level->child.n) {
		bulk_page_end(&l->page, 0);
		return bulk_write_page(l->out->space, l->alone_root, l->page.data);
	}
	assert(l->page.cells);
	struct error *err = leaves_flush(l);
	/* Joins the next part; the tree's last one is dropped again. */
	if (!err && l->table)
		err = leaves_divide_table(l);
	return err;
}
