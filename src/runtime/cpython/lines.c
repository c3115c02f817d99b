/*
 * lines: which line an instruction is of.
 *
 * To 3.9, co_lnotab (Objects/lnotab_notes.txt): pairs of bytes: so many bytes of code, then so many
 * lines. The line of an instruction is what the pairs before it add up to.
 *
 * 3.10, co_linetable (the same file): pairs of bytes: how far a range of code goes, how many lines it
 * is behind the one before; -128: it is of no line.
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
static uint32_t line_by_locations(struct line_cursor c, uint32_t first_line, uint64_t unit)
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

static uint32_t line_by_pairs(struct line_cursor c, uint32_t first_line, uint64_t offset,
			      bool rising)
{
	int64_t line = first_line;
	uint64_t upto = 0;
	while (c.end - c.at >= 2) {
		upto += next_byte(&c);
		if (upto > offset)
			break;
		uint8_t lines = next_byte(&c);
		line += rising ? lines : (int8_t)lines;
	}
	return line > 0 && line <= INT32_MAX ? (uint32_t)line : 0;
}

static uint32_t line_by_ranges(struct line_cursor c, uint32_t first_line, uint64_t offset)
{
	int64_t line = first_line;
	uint64_t upto = 0;
	while (c.end - c.at >= 2) {
		upto += next_byte(&c);
		int8_t lines = (int8_t)next_byte(&c);
		if (lines != INT8_MIN)
			line += lines;
		if (offset < upto)
			return lines == INT8_MIN || line <= 0 || line > INT32_MAX ? 0
										  : (uint32_t)line;
	}
	return 0;
}

uint32_t py_code_line(const struct py *py, uint64_t code, int64_t offset)
{
	const struct cpython_code_layout *l = &py->layout->code;
	uint64_t table, size;
	uint32_t first;
	if (!image_try_u32(py->image, code + l->firstlineno, &first) || first > INT32_MAX)
		return 0;
	if (offset < 0)
		return first; /* it has not begun */
	if (l->lines == CPYTHON_LINES_UNKNOWN || !py_word(py, code + l->linetable, &table) ||
	    !py_word(py, table + py->layout->object.size, &size) || size > LINETABLE_MOST)
		return 0;
	_cleanup_free_ uint8_t *bytes = malloc(size + 1);
	if (!bytes ||
	    !image_try_read(py->image, table + py->layout->sequence.bytes_items, bytes, size))
		return 0;
	const struct line_cursor c = {bytes, bytes + size};
	switch (l->lines) {
	case CPYTHON_LINES_UNKNOWN:
		break;
	case CPYTHON_LINES_RISING:
	case CPYTHON_LINES_PAIRS:
		return line_by_pairs(c, first, (uint64_t)offset, l->lines == CPYTHON_LINES_RISING);
	case CPYTHON_LINES_RANGES:
		return line_by_ranges(c, first, (uint64_t)offset);
	case CPYTHON_LINES_LOCATIONS:
		return line_by_locations(c, first, (uint64_t)offset / 2);
	}
	return 0;
}

/* f_lasti: bytes, from 3.10 on code units of 2 bytes. */
uint32_t py_frame_object_line(const struct py *py, uint64_t frame, uint64_t code)
{
	uint32_t last;
	if (!image_try_u32(py->image, frame + py->layout->frame.lasti, &last))
		return 0;
	int64_t offset = (int32_t)last;
	return py_code_line(py, code,
			    py->layout->code.lines == CPYTHON_LINES_RANGES ? 2 * offset : offset);
}

uint32_t py_interpreter_frame_line(const struct py *py, uint64_t frame, uint64_t code)
{
	uint64_t instr;
	if (!py->layout->code.code || !py_word(py, frame + py->layout->frame.instr, &instr))
		return 0;
	return py_code_line(py, code, (int64_t)(instr - (code + py->layout->code.code)));
}

uint32_t py_frame_line(const struct py *py, const struct py_frame *frame)
{
	return frame->object_id ? py_frame_object_line(py, frame->address, frame->code)
				: py_interpreter_frame_line(py, frame->address, frame->code);
}
