/* Extents, pages and levels of the bulk writer: see bulk_impl.h. */
#include "store/bulk_impl.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- file ---- */

static struct error *space_write(struct bulk_space *space, uint64_t number, const uint8_t *from,
				 uint64_t pages)
{
	uint64_t at = (number - 1) * space->page_size, left = pages * space->page_size;
	while (left) {
		ssize_t n = pwrite(space->fd, from, left, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(ERROR_SYSTEM, n ? errno : ENOSPC, "cannot write");
		from += n;
		at += (uint64_t)n;
		left -= (uint64_t)n;
	}
	return NULL;
}

struct error *bulk_write_page(struct bulk_space *space, uint32_t number, const uint8_t *page)
{
	return space_write(space, number, page, 1);
}

struct error *bulk_out_init(struct bulk_out *out, struct bulk_space *space)
{
	*out = (struct bulk_out){.space = space};
	out->buf = calloc(space->extent, space->page_size);
	return out->buf ? NULL : &error_nomem;
}

void bulk_out_deinit(struct bulk_out *out)
{
	free(out->buf);
	out->buf = NULL;
}

struct error *bulk_out_flush(struct bulk_out *out)
{
	struct bulk_space *space = out->space;
	if (!out->used)
		return NULL;
	struct error *err = space_write(space, out->first, out->buf, out->used);
	/* Only begins to write; where it cannot, the fsync at the end does it all. */
	if (!err && space->sync)
		sync_file_range(space->fd, (off_t)((out->first - 1) * space->page_size),
				(off_t)out->used * space->page_size, SYNC_FILE_RANGE_WRITE);
	return err;
}

/* Page numbers are 32 bits, and 2^32 - 1 is none (1.3.8). */
static struct error *out_reserve(struct bulk_out *out)
{
	if (out->next_first)
		return NULL;
	uint64_t first = atomic_fetch_add(&out->space->next, out->space->extent);
	if (first + out->space->extent >= UINT32_MAX)
		return error_new(ERROR_SYSTEM, "more pages than an SQLite database can have");
	out->next_first = first;
	return NULL;
}

struct error *bulk_out_peek(struct bulk_out *out, uint32_t *number)
{
	const struct bulk_space *space = out->space;
	uint32_t used = out->used;
	if (out->first && out->first + used == space->lock_page)
		used++;
	uint64_t next = out->first + used;
	if (!out->first || used >= space->extent) {
		struct error *err = out_reserve(out);
		if (err)
			return err;
		next = out->next_first + (out->next_first == space->lock_page);
	}
	*number = (uint32_t)next;
	return NULL;
}

struct error *bulk_out_page(struct bulk_out *out, uint8_t **page, uint32_t *number)
{
	const struct bulk_space *space = out->space;
	struct error *err = bulk_out_peek(out, number);
	if (err)
		return err;
	if (!out->first || *number < out->first || *number - out->first >= space->extent) {
		err = bulk_out_flush(out);
		if (err)
			return err;
		out->first = out->next_first;
		out->next_first = 0;
		memset(out->buf, 0, (size_t)space->extent * space->page_size);
	}
	*page = out->buf + (uint64_t)(*number - out->first) * space->page_size;
	out->used = (uint32_t)(*number - out->first + 1);
	return NULL;
}

/* ---- levels ---- */

void bulk_level_deinit(struct bulk_level *l)
{
	vec_deinit(&l->child);
	vec_deinit(&l->end);
	vec_deinit(&l->bytes);
}

static struct error *level_bytes(struct bulk_level *l, const uint8_t *bytes, size_t len)
{
	struct error *err = NULL;
	if (l->bytes.room - l->bytes.n < len)
		err = vec_reserve(&l->bytes, l->bytes.n + len);
	if (err)
		return err;
	memcpy(l->bytes.at + l->bytes.n, bytes, len);
	l->bytes.n += len;
	return NULL;
}

struct error *bulk_level_divide(struct bulk_level *l, const uint8_t *bytes, size_t len)
{
	struct error *err = level_bytes(l, bytes, len);
	return err ? err : vec_push(&l->end, l->bytes.n);
}

struct error *bulk_level_join(struct bulk_level *l, const struct bulk_level *from)
{
	struct error *err = NULL;
	uint64_t base = l->bytes.n;
	if (from->bytes.n)
		err = level_bytes(l, from->bytes.at, from->bytes.n);
	for (uint64_t i = 0; i < from->end.n && !err; i++)
		err = vec_push(&l->end, base + from->end.at[i]);
	for (uint64_t i = 0; i < from->child.n && !err; i++)
		err = vec_push(&l->child, from->child.at[i]);
	return err;
}

/* ---- pages ---- */

/*
 * 1.6:	0  type	  1  first free block: 0	3  cells   5  where their content starts
 *	7  fragmented bytes: 0			8  right child, on interior pages
 */
void bulk_page_begin(struct bulk_page *p, enum bulk_page_type type, uint32_t usable)
{
	p->type = (uint8_t)type;
	p->header = type == BULK_INDEX_INTERIOR || type == BULK_TABLE_INTERIOR ? 12 : 8;
	p->cells = 0;
	p->top = p->usable = usable;
}

const uint8_t *bulk_page_pop(struct bulk_page *p, uint32_t *len)
{
	assert(p->cells);
	const uint8_t *cell = p->data + p->top;
	const uint8_t *before = p->data + p->header + 2 * (p->cells - 2);
	uint32_t top = p->cells > 1 ? (uint32_t)before[0] << 8 | before[1] : p->usable;
	*len = top - p->top;
	p->cells--;
	p->top = top;
	return cell;
}

void bulk_page_end(struct bulk_page *p, uint32_t right_child)
{
	p->data[0] = p->type;
	bulk_put16(p->data + 1, 0);
	bulk_put16(p->data + 3, p->cells);
	bulk_put16(p->data + 5, p->top); /* 65536 is 0 */
	p->data[7] = 0;
	if (p->header == 12)
		bulk_put32(p->data + 8, right_child);
	uint32_t gap = p->header + 2 * p->cells;
	memset(p->data + gap, 0, p->top - gap);
}

/* ---- above the leaves ---- */

/* A divider as a cell of an interior page: the child on its left goes before it. */
static bool interior_add(struct bulk_page *p, const struct bulk_level *in, uint64_t i)
{
	uint64_t from = i ? in->end.at[i - 1] : 0;
	uint32_t len = (uint32_t)(in->end.at[i] - from);
	uint8_t *cell = bulk_page_add(p, 4 + len);
	if (!cell)
		return false;
	bulk_put32(cell, in->child.at[i]);
	memcpy(cell + 4, in->bytes.at + from, len);
	return true;
}

/* Child `right` is the page's last one; its divider, if any, goes up. */
static struct error *interior_close(struct bulk_page *p, struct bulk_out *out,
				    const struct bulk_level *in, uint64_t right,
				    struct bulk_level *up)
{
	uint8_t *page;
	uint32_t number;
	bulk_page_end(p, in->child.at[right]);
	struct error *err = bulk_out_page(out, &page, &number);
	if (err)
		return err;
	memcpy(page, p->data, p->usable);
	err = vec_push(&up->child, number);
	if (!err && right < in->end.n) {
		uint64_t from = right ? in->end.at[right - 1] : 0;
		err = bulk_level_divide(up, in->bytes.at + from, in->end.at[right] - from);
	}
	bulk_page_begin(p, p->type, p->usable);
	return err;
}

/* One level up. Sets *done when one page held it all: that is the root. */
static struct error *interior_level(struct bulk_page *p, struct bulk_out *out,
				    const struct bulk_level *in, struct bulk_level *up,
				    uint32_t root, bool *done)
{
	uint64_t last = in->child.n - 1;
	struct error *err = NULL;
	for (uint64_t i = 0; i < last && !err;) {
		if (interior_add(p, in, i)) {
			i++;
		} else if (i + 1 < last) {
			err = interior_close(p, out, in, i++, up);
		} else {
			/* The last child would be alone on its page, which needs a cell, too. */
			uint32_t len;
			bulk_page_pop(p, &len);
			err = interior_close(p, out, in, i - 1, up);
		}
	}
	if (err)
		return err;
	*done = !up->child.n;
	if (!*done)
		return interior_close(p, out, in, last, up);
	bulk_page_end(p, in->child.at[last]);
	return bulk_write_page(out->space, root, p->data);
}

struct error *bulk_interior(struct bulk_out *out, struct bulk_level *leaves, bool table,
			    uint32_t root)
{
	assert(leaves->child.n == leaves->end.n + 1 && leaves->child.n > 1);
	struct bulk_page *p = calloc(1, sizeof(*p));
	if (!p)
		return &error_nomem;
	struct error *err = NULL;
	for (bool done = false; !done && !err;) {
		struct bulk_level up = {.child.n = 0};
		bulk_page_begin(p, table ? BULK_TABLE_INTERIOR : BULK_INDEX_INTERIOR,
				out->space->usable);
		err = interior_level(p, out, leaves, &up, root, &done);
		bulk_level_deinit(leaves);
		*leaves = up;
	}
	free(p);
	return err;
}
