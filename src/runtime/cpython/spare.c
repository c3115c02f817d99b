/*
 * spare: texts and buffers, whose contents may be the same as others'; and what containers keep beyond
 * what their entries need.
 *
 *	list, array	slots allocated, items				|items.......|spare...|
 *	bytearray	bytes allocated, bytes and a NUL
 *	BytesIO		length of its bytes object, bytes written
 *	StringIO	characters allocated, those and two; while it accumulates: characters that its
 *			writer has room for, those written (before 3.12 that is a list like any other)
 *	2.7's BytesIO,	bytes allocated; what a new one allocates when as many are written at once
 *	cStringIO
 *	dict, set	slots of the table; those of the smallest one that takes as many entries when
 *			the container is made anew
 *	OrderedDict	the same, and its array of nodes, a pointer for each slot
 *	deque		blocks in use and kept, blocks that its items would fill
 *	str, bytes	bytes of the block; what the object takes, where more is left than allocators
 *			round up to
 *
 * A number that the container's own buffer has no room for is not believed.
 */
#include "runtime/cpython/visit_impl.h"

enum {
	TABLE_MOST = 1 << 28,
	SET_ENTRY = 16, /* setentry: Include/setobject.h */
	SET_LEAST = 8,	/* PySet_MINSIZE */
	POINTER = 8,
	ROUNDED = 64, /* bytes of a block that are no over-allocation: and a quarter of it */
	DEQUE_FREE_MOST = 16,	  /* Modules/_collectionsmodule.c, MAXFREEBLOCKS */
	STRINGIO_ACCUMULATES = 2, /* Modules/_io/stringio.c, STATE_ACCUMULATING */
	CSTRINGIO_LEAST = 128,	  /* Modules/cStringIO.c, newOobject */
	/* Include/internal/pycore_unicodeobject.h, _PyUnicodeWriter: buffer, data, kind, maxchar, size, pos */
	WRITER_KIND = 16,
	WRITER_SIZE = 24,
	WRITER_POS = 32,
};

struct spare {
	const struct py *py;
	const struct cpython_layout *l;
	const struct cpython_spare *rule;
	const struct py_type *type;
	uint32_t id;
	uint64_t at;
	struct object_spare *ret;
};

/* Bytes of the object's own memory from addr on; 0: that is not its own. */
static uint64_t own_room(const struct py *py, uint32_t id, uint64_t addr)
{
	const struct object_table *o = &py->snapshot->object;
	uint32_t at = addr ? snapshot_object_find(py->snapshot, addr) : 0;
	if (!at || (at != id && (!o->owner_id || o->owner_id[at - 1] != id)))
		return 0;
	return object_block(o, at - 1) + o->size[at - 1] - addr;
}

/* Of `have` entries of `size` bytes each, beginning at addr, `need` are needed. */
static bool spare_entries(const struct spare *s, uint64_t addr, uint64_t have, uint64_t need,
			  uint64_t used, uint64_t size)
{
	if (have > TABLE_MOST * UINT64_C(64) || need >= have ||
	    have * size > own_room(s->py, s->id, addr))
		return false;
	*s->ret = (struct object_spare){have, used, (have - need) * size};
	return true;
}

static bool spare_list(const struct spare *s)
{
	const struct cpython_sequence_layout *l = &s->l->sequence;
	uint64_t n, items, allocated;
	return py_word(s->py, s->at + s->l->object.size, &n) &&
	       py_word(s->py, s->at + l->list_items, &items) &&
	       py_word(s->py, s->at + l->list_allocated, &allocated) &&
	       spare_entries(s, items, allocated, n, n, POINTER);
}

static bool spare_bytearray(const struct spare *s)
{
	const struct cpython_sequence_layout *l = &s->l->sequence;
	uint64_t n, items, allocated;
	if (!py_word(s->py, s->at + s->l->object.size, &n) ||
	    !py_word(s->py, s->at + l->bytearray_bytes, &items) ||
	    !py_word(s->py, s->at + l->bytearray_alloc, &allocated) || n > allocated)
		return false;
	/* The NUL behind them counts, but not since they are a bytes object's. */
	return spare_entries(s, items, allocated, n && !l->bytearray_object ? n + 1 : n, n, 1);
}

/* Where an array's items are, how many bytes each has. */
static bool array_find(const struct py *py, const struct cpython_spare *rule, uint64_t at,
		       uint64_t *items, uint32_t *size, uint8_t *code)
{
	uint64_t descr;
	return py_word(py, at + rule->array_items, items) &&
	       py_word(py, at + rule->array_descr, &descr) &&
	       image_try_u8(py->image, descr, code) && /* struct arraydescr begins with it */
	       image_try_u32(py->image, descr + rule->array_descr_itemsize, size) && *size &&
	       *size <= 16;
}

static bool spare_array(const struct spare *s)
{
	uint64_t n, items, allocated;
	uint32_t size;
	uint8_t code;
	return array_find(s->py, s->rule, s->at, &items, &size, &code) &&
	       py_word(s->py, s->at + s->l->object.size, &n) &&
	       py_word(s->py, s->at + s->rule->array_allocated, &allocated) &&
	       spare_entries(s, items, allocated, n, n, size);
}

static bool spare_set(const struct spare *s)
{
	const struct cpython_mapping_layout *l = &s->l->mapping;
	uint64_t mask, table, used, need = 0;
	if (!py_word(s->py, s->at + l->set_mask, &mask) || mask >= TABLE_MOST ||
	    !py_word(s->py, s->at + l->set_table, &table) || table == s->at + l->set_smalltable ||
	    !py_word(s->py, s->at + l->set_used, &used) || used > mask)
		return false;
	if (used > s->rule->set_inside)
		for (need = SET_LEAST; need <= used * 2;)
			need *= 2;
	return spare_entries(s, table, mask + 1, need, used, SET_ENTRY);
}

/* OrderedDict's array of nodes: how many pointers it has. */
static uint64_t odict_slots(const struct spare *s)
{
	const struct py_plan *plan = &s->py->visit->plan[s->type - s->py->type.at];
	uint64_t nodes, slots;
	if (s->rule->odict_nodes == CPYTHON_NONE)
		return 0;
	for (uint32_t i = 0; i < plan->nslot; i++) {
		if (plan->slot[i].how != CPYTHON_SLOT_BUFFER ||
		    plan->slot[i].offset != s->rule->odict_nodes)
			continue;
		if (py_word(s->py, s->at + s->rule->odict_nodes, &nodes) &&
		    py_word(s->py, s->at + s->rule->odict_slots, &slots) && slots <= TABLE_MOST &&
		    slots * POINTER <= own_room(s->py, s->id, nodes))
			return slots;
	}
	return 0;
}

static bool spare_dict(const struct spare *s)
{
	struct py_dict_table t;
	if (!py_dict_table(s->py, s->at, &t) || (s->l->mapping.keys_form == CPYTHON_DICT_TABLE &&
						 t.at == s->at + s->l->mapping.smalltable))
		return false;
	uint64_t need = t.used <= s->rule->dict_inside ? 0 : py_dict_slots(s->py, t.used);
	if (need < s->rule->dict_least)
		need = s->rule->dict_least;
	uint64_t now = py_dict_table_size(s->py, &t, t.slots), nodes = odict_slots(s);
	/* What has no block of its own is shared by all dicts that are empty. */
	if (need >= t.slots || now > own_room(s->py, s->id, t.at))
		return false;
	*s->ret = (struct object_spare){t.slots, t.used, now - py_dict_table_size(s->py, &t, need)};
	if (nodes > need)
		s->ret->bytes += (nodes - need) * POINTER;
	return true;
}

static bool spare_deque(const struct spare *s)
{
	const struct cpython_visit_layout *l = s->l->visit;
	uint64_t n, left, index, nfree = 0;
	if (l->deque_left == CPYTHON_NONE || !l->block_items ||
	    !py_word(s->py, s->at + l->deque_length, &n) || n > TABLE_MOST ||
	    !py_word(s->py, s->at + l->deque_left, &left) ||
	    !py_word(s->py, s->at + l->deque_leftindex, &index) || index > l->block_items)
		return false;
	/* BLOCK: leftlink, data, rightlink in some order */
	const uint64_t size = (l->block_items + 2) * POINTER;
	if (size > own_room(s->py, s->id, left))
		return false;
	if (l->deque_free != CPYTHON_NONE && !py_word(s->py, s->at + l->deque_nfree, &nfree))
		return false;
	if (nfree > DEQUE_FREE_MOST)
		return false;
	uint64_t held = n ? (index + n + l->block_items - 1) / l->block_items : 1;
	uint64_t need = n ? (n + l->block_items - 1) / l->block_items : 1;
	if (held + nfree <= need)
		return false;
	*s->ret = (struct object_spare){(held + nfree) * l->block_items, n,
					(held + nfree - need) * size};
	return true;
}

static bool spare_bytesio(const struct spare *s)
{
	uint64_t buffer, have, used;
	if (s->rule->bytesio_buffer == CPYTHON_NONE ||
	    !py_word(s->py, s->at + s->rule->bytesio_buffer, &buffer) ||
	    !py_word(s->py, s->at + s->rule->bytesio_used, &used))
		return false;
	/* The buffer is an object: a bytes, which nobody else has while it is larger. */
	uint32_t id = py_object_id(s->py, buffer);
	return py_is(s->py, id, PY_KIND_bytes) &&
	       py_word(s->py, buffer + s->l->object.size, &have) && have > used &&
	       have <= own_room(s->py, id, buffer) &&
	       (*s->ret = (struct object_spare){have, used, have - used}, true);
}

/* The buffer of a StringIO, of which a new one has `need` characters; and of what is like it in 2.7. */
static bool spare_buffer(const struct spare *s, uint64_t have, uint64_t need, uint64_t used,
			 unsigned width)
{
	uint64_t buffer;
	return py_word(s->py, s->at + s->rule->stringio_buffer, &buffer) &&
	       spare_entries(s, buffer, have, need, used, width);
}

/* The text that is being written, a str: nobody else has it. */
static bool spare_writer(const struct spare *s)
{
	uint64_t at = s->at + s->rule->stringio_writer, text, have, used;
	uint32_t width;
	if (s->rule->stringio_writer_apart && (!py_word(s->py, at, &at) || !at))
		return false;
	if (!py_word(s->py, at, &text) || !image_try_u32(s->py->image, at + WRITER_KIND, &width) ||
	    !py_word(s->py, at + WRITER_SIZE, &have) || !py_word(s->py, at + WRITER_POS, &used) ||
	    (width != 1 && width != 2 && width != 4))
		return false;
	const uint32_t id = py_object_id(s->py, text);
	if (!py_is(s->py, id, PY_KIND_str) || have <= used || have > TABLE_MOST * UINT64_C(64) ||
	    have * width > own_room(s->py, id, text))
		return false;
	*s->ret = (struct object_spare){have, used, (have - used) * width};
	return true;
}

static bool spare_stringio(const struct spare *s)
{
	const bool narrow = s->l->major == 2 && s->py->cpython.narrow;
	uint64_t used, have;
	uint32_t state;
	if (s->rule->stringio_state != CPYTHON_NONE) {
		if (!image_try_u32(s->py->image, s->at + s->rule->stringio_state, &state))
			return false;
		if (state == STRINGIO_ACCUMULATES)
			return s->rule->stringio_writer != CPYTHON_NONE && spare_writer(s);
	}
	if (!py_word(s->py, s->at + s->rule->stringio_used, &used) ||
	    !py_word(s->py, s->at + s->rule->stringio_room, &have) || used > have)
		return false;
	/* resize_buffer: one for the end of a line, one more; the first growth is from two to five. */
	return spare_buffer(s, have, used == 1 ? 5 : used + 2, used, narrow ? 2 : 4);
}

/* 2.7: _io.BytesIO (Modules/_io/bytesio.c, resize_buffer), cStringIO.StringO (O_cwrite). */
static bool spare_bytes_buffer(const struct spare *s)
{
	uint64_t used, have, need;
	if (s->l->major != 2 || !py_word(s->py, s->at + s->rule->stringio_used, &used) ||
	    !py_word(s->py, s->at + s->rule->stringio_room, &have) || used > have)
		return false;
	if (s->type->kind == PY_KIND_bytesio)
		need = used ? used + 1 : 0;
	else
		need = used < CSTRINGIO_LEAST	    ? CSTRINGIO_LEAST
		       : used < 2 * CSTRINGIO_LEAST ? 2 * CSTRINGIO_LEAST
						    : used + 1;
	return spare_buffer(s, have, need, used, 1);
}

/* Grown by steps and not cut, or cut where the allocator kept the block as it was. */
static bool spare_block(const struct spare *s)
{
	const struct object_table *o = &s->py->snapshot->object;
	uint64_t need, room = object_room(o, s->id - 1);
	if (!py_object_size(s->py, s->type, s->at, &need) || need > room || room - need < ROUNDED ||
	    room - need < room / 4)
		return false;
	*s->ret = (struct object_spare){room, need, room - need};
	return true;
}

bool py_spare(const struct py *py, uint32_t object_id, struct object_spare *ret)
{
	const struct object_table *o = &py->snapshot->object;
	struct spare s = {
		.py = py,
		.l = py->layout,
		.rule = cpython_spare_find(py->layout),
		.type = py_type_of(py, object_id),
		.id = object_id,
		.at = o->address[object_id - 1],
		.ret = ret,
	};
	if (!s.type || !s.rule || o->flags[object_id - 1] & OBJECT_STATIC)
		return false;
	switch (s.type->kind) {
	case PY_KIND_list:
		return spare_list(&s);
	case PY_KIND_bytearray:
		return spare_bytearray(&s);
	case PY_KIND_array:
		return spare_array(&s);
	case PY_KIND_set:
	case PY_KIND_frozenset:
		return spare_set(&s);
	case PY_KIND_dict:
	case PY_KIND_frozendict:
		return spare_dict(&s);
	case PY_KIND_deque:
		return spare_deque(&s);
	case PY_KIND_bytesio:
		return spare_bytesio(&s) || spare_bytes_buffer(&s);
	case PY_KIND_stringio:
		return spare_stringio(&s);
	case PY_KIND_cstringio:
		return spare_bytes_buffer(&s);
	case PY_KIND_str:
	case PY_KIND_bytes:
		return spare_block(&s);
	default:
		return false;
	}
}

bool py_contents(const struct py *py, uint32_t object_id, struct object_contents *ret)
{
	const struct object_table *o = &py->snapshot->object;
	const struct cpython_spare *rule = cpython_spare_find(py->layout);
	const struct py_type *t = py_type_of(py, object_id);
	/* What is derived from them has more to it than its contents. */
	if (!t || !t->own_kind || o->flags[object_id - 1] & OBJECT_STATIC)
		return false;
	const uint64_t at = o->address[object_id - 1];
	unsigned width = 1;
	uint8_t code = 0;
	uint32_t size;
	uint64_t n;
	switch (t->kind) {
	case PY_KIND_str:
	case PY_KIND_unicode:
	case PY_KIND_bytes:
		if (!py_characters(py, t, at, &ret->address, &n, &width))
			return false;
		break;
	case PY_KIND_bytearray: {
		const struct cpython_sequence_layout *l = &py->layout->sequence;
		uint16_t start = l->bytearray_start != CPYTHON_NONE ? l->bytearray_start
								    : l->bytearray_bytes;
		if (!py_word(py, at + start, &ret->address) ||
		    !py_word(py, at + py->layout->object.size, &n))
			return false;
		break;
	}
	case PY_KIND_array:
		if (!rule || !array_find(py, rule, at, &ret->address, &size, &code) ||
		    !py_word(py, at + py->layout->object.size, &n))
			return false;
		width = size;
		break;
	default:
		return false;
	}
	if (!n || n >> 48)
		return false;
	ret->bytes = n * width;
	ret->form = (uint64_t)t->type_id << 16 | (uint64_t)code << 8 | width;
	return ret->bytes <= own_room(py, object_id, ret->address);
}
