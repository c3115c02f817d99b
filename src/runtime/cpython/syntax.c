/*
 * syntax: memory that the compiler's syntax trees lie in. What was compiled to run at once, a program's
 * main module above all, is compiled from a tree that is freed when it ends (Python/pythonrun.c, run_mod).
 *
 *	PyArena		{a_head, a_cur, a_objects}			Python/pyarena.c, 2.7 to 3.15
 *	   │ a_head		      └► list of all objects that the tree has
 *	   ▼
 *	block		{ab_size, ab_offset, ab_next, ab_mem} bytes ──ab_next──► block
 *	                                                └► the bytes
 *
 * Nodes borrow their objects from that list. They are unions that are half written, and what the parser left
 * behind lies in the rest: addresses, of whatever has come there since. So these blocks hold other raw
 * blocks, and no object.
 */
#include "runtime/cpython/py.h"

enum {
	ARENA_BYTES = 24,
	ARENA_MOST = 64, /* as large as a block for it may be */
	HEAD_BYTES = 32,
	BYTES_LEAST = 8192, /* DEFAULT_BLOCK_SIZE */
	CHAIN_MOST = 1 << 20,
};

static uint64_t room_of(const struct object_table *o, uint32_t id)
{
	return object_block(o, id - 1) + o->size[id - 1] - o->address[id - 1];
}

/* The raw block with this address, exactly; 0: there is none. */
static uint32_t raw_at(const struct py *py, uint64_t addr)
{
	const struct object_table *o = &py->snapshot->object;
	const uint32_t id = addr ? snapshot_object_find(py->snapshot, addr) : 0;
	return id && o->address[id - 1] == addr && o->arena_id[id - 1] && !o->runtime[id - 1] ? id
											      : 0;
}

/* Its id, and the next one's address; 0: it is none. */
static uint32_t block_at(const struct py *py, uint64_t addr, uint64_t *next)
{
	const struct object_table *o = &py->snapshot->object;
	const uint32_t id = raw_at(py, addr);
	uint64_t size, used, bytes;
	return id && room_of(o, id) >= HEAD_BYTES + BYTES_LEAST && py_word(py, addr, &size) &&
			       py_word(py, addr + 8, &used) && py_word(py, addr + 16, next) &&
			       py_word(py, addr + 24, &bytes) && bytes == addr + HEAD_BYTES &&
			       size >= BYTES_LEAST && size <= room_of(o, id) - HEAD_BYTES &&
			       used <= size
		       ? id
		       : 0;
}

/* a_cur is the last of the chain, or an earlier one. */
static bool is_chain(const struct py *py, uint64_t head, uint64_t cur)
{
	bool found = false;
	uint64_t next;
	unsigned n = 0;
	for (; head && n < CHAIN_MOST; head = next, n++) {
		if (!block_at(py, head, &next))
			return false;
		found |= head == cur;
	}
	return found && !head;
}

static void chain_take(struct py *py, uint64_t head)
{
	uint64_t next;
	uint32_t id;
	/* What is taken is no raw block any more: a ring ends. */
	while ((id = block_at(py, head, &next))) {
		py->snapshot->object.runtime[id - 1] = (uint8_t)(RUNTIME_cpython + py->nth + 1);
		head = next;
	}
}

static bool any_block(const struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	uint64_t next;
	for (uint32_t id = 1; id <= o->n; id++)
		if (o->size[id - 1] >= HEAD_BYTES + BYTES_LEAST && !o->runtime[id - 1] &&
		    block_at(py, o->address[id - 1], &next))
			return true;
	return false;
}

void py_syntax_claim(struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	if (!any_block(py))
		return;
	for (uint32_t id = 1; id <= o->n; id++) {
		uint64_t head, cur, objects;
		if (o->size[id - 1] > ARENA_MOST || o->runtime[id - 1] || !o->arena_id[id - 1] ||
		    room_of(o, id) < ARENA_BYTES)
			continue;
		const uint64_t at = o->address[id - 1];
		if (py_word(py, at, &head) && py_word(py, at + 8, &cur) && cur &&
		    py_word(py, at + 16, &objects) &&
		    py_is(py, py_object_id(py, objects), PY_KIND_list) && is_chain(py, head, cur))
			chain_take(py, head);
	}
}
