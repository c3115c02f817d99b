/*
 * lines: which line a frame is at.
 *
 * co_linetable of 3.11 and later (Objects/locations.md). An entry tells about 1 to 8 code units of 2
 * bytes each:
 *
 *	1 cccc lll	first byte: kind c, length l + 1 in code units; then
 *	c = 0 .. 9	1 byte (columns); the same line
 *	c = 10 .. 12	2 bytes (columns); line += c - 10
 *	c = 13		signed varint: line += it; no columns
 *	c = 14		signed varint: line += it; 3 varints (end line, columns)
 *	c = 15		no location
 *
 * A varint has 6 bits in each byte, low ones first, and 0x40 in all but the last.
 */
#include "runtime/cpython/states.h"

#include "base/cleanup.h"

enum { LINETABLE_MOST = 1 << 24 };

struct line_cursor {
	const uint8_t *at, *end;
};

static uint8_t next_byte(struct line_cursor *c)
{
	return c->at < c->end ? *c->at++ : 0;
}

static uint32_t next_varint(struct line_cursor *c)
{
	uint32_t value = 0;
	for (unsigned shift = 0; c->at < c->end; shift += 6) {
		uint8_t b = next_byte(c);
		if (shift < 32)
			value |= (uint32_t)(b & 0x3f) << shift;
		if (!(b & 0x40))
			break;
	}
	return value;
}

static int64_t next_signed(struct line_cursor *c)
{
	uint32_t value = next_varint(c);
	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

/* The line of a code unit; 0: none is told. */
static uint32_t line_of(struct line_cursor c, uint32_t first_line, uint64_t unit)
{
	int64_t line = first_line;
	uint64_t upto = 0;
	while (c.at < c.end) {
		uint8_t head = next_byte(&c);
		unsigned kind = head >> 3 & 15;
		upto += (head & 7) + 1u;
		if (kind < 10) {
			next_byte(&c);
		} else if (kind < 13) {
			line += kind - 10;
			next_byte(&c);
			next_byte(&c);
		} else if (kind < 15) {
			line += next_signed(&c);
			for (unsigned i = 0; kind == 14 && i < 3; i++)
				next_varint(&c);
		}
		if (unit < upto)
			return kind == 15 || line <= 0 || line > INT32_MAX ? 0 : (uint32_t)line;
	}
	return 0;
}

uint32_t py_frame_line(const struct py *py, const struct py_frame *frame)
{
	const struct cpython_code_layout *l = &py->layout->code;
	uint64_t instr, table, size;
	uint32_t first;
	if (frame->object_id || !l->code ||
	    !py_word(py, frame->address + py->layout->frame.instr, &instr) ||
	    !py_word(py, frame->code + l->linetable, &table) ||
	    !image_try_u32(py->image, frame->code + l->firstlineno, &first) ||
	    !py_word(py, table + py->layout->object.size, &size) || size > LINETABLE_MOST)
		return 0;
	uint64_t start = frame->code + l->code;
	if (instr < start)
		return first; /* it has not begun */
	_cleanup_free_ uint8_t *bytes = malloc(size + 1);
	if (!bytes ||
	    !image_try_read(py->image, table + py->layout->sequence.bytes_items, bytes, size))
		return 0;
	return line_of((struct line_cursor){bytes, bytes + size}, first, (instr - start) / 2);
}
