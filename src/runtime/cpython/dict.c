/*
 * dict: the entries of a dict. Objects/dictobject.c; the forms are in layout/cpython.h.
 *
 *	table	{hash, key, value} * (mask + 1); dead ones have value 0	(2.7)
 *	keys	header, indices (1, 2, 4 or 8 bytes, as many as the table has slots), entries:
 *		{hash, key, value}, or {key, value} where all keys are str (3.11, kinds 1 and 2);
 *		split: the values are elsewhere, by entry number
 */
#include "runtime/cpython/py.h"

#include <string.h>

enum { ENTRIES_MOST = 1 << 28, LOG2_MOST = 32 };

enum { KEYS_GENERAL, KEYS_UNICODE, KEYS_SPLIT }; /* internal/pycore_dict.h, DICT_KEYS_*, 3.11 */

static bool keys_begin(const struct py *py, uint64_t keys, struct py_dict_cursor *ret)
{
	const struct cpython_mapping_layout *l = &py->layout->mapping;
	uint64_t indices;
	if (l->keys_form == CPYTHON_DICT_KEYS_40) {
		uint64_t size;
		if (!py_word(py, keys + l->keys_size, &size) || size > ENTRIES_MOST)
			return false;
		/* Objects/dict-common.h, DK_IXSIZE: int8_t up to 255 slots, ... */
		indices = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
		ret->entry_size = 24;
	} else {
		uint8_t log2_index, kind;
		if (!image_try_u8(py->image, keys + l->keys_log2_index, &log2_index) ||
		    !image_try_u8(py->image, keys + l->keys_kind, &kind) ||
		    log2_index > LOG2_MOST || kind > KEYS_SPLIT)
			return false;
		indices = UINT64_C(1) << log2_index;
		ret->entry_size = kind == KEYS_GENERAL ? 24 : 16;
	}
	ret->key_offset = ret->entry_size - 16;
	ret->value_offset = ret->entry_size - 8;
	ret->entries = keys + l->keys_indices + indices;
	return py_word(py, keys + l->keys_nentries, &ret->n) && ret->n <= ENTRIES_MOST;
}

bool py_dict_begin(const struct py *py, uint64_t at, struct py_dict_cursor *ret)
{
	const struct cpython_mapping_layout *l = &py->layout->mapping;
	*ret = (struct py_dict_cursor){.entries = 0};
	if (!at)
		return false;
	if (l->keys_form == CPYTHON_DICT_TABLE) {
		uint64_t mask;
		if (!py_word(py, at + l->mask, &mask) || mask > ENTRIES_MOST ||
		    !py_word(py, at + l->table, &ret->entries))
			return false;
		ret->n = mask + 1;
		ret->entry_size = 24;
		ret->key_offset = 8;
		ret->value_offset = 16;
		return true;
	}
	uint64_t keys, values;
	if (!py_word(py, at + l->keys, &keys) || !py_word(py, at + l->values, &values) || !keys ||
	    !keys_begin(py, keys, ret))
		return false;
	if (!values)
		return true;
	ret->values = values;
	if (l->values_form == CPYTHON_VALUES_HEADER) {
		uint8_t capacity;
		if (!image_try_u8(py->image, values, &capacity))
			return false;
		ret->values += 8;
		if (ret->n > capacity)
			ret->n = capacity;
	}
	return true;
}

bool py_dict_next(const struct py *py, struct py_dict_cursor *c, struct py_dict_entry *ret)
{
	while (c->i < c->n) {
		uint64_t entry = c->entries + c->i * c->entry_size;
		ret->index = (uint32_t)c->i;
		ret->key_at = entry + c->key_offset;
		ret->value_at = c->values ? c->values + 8 * c->i : entry + c->value_offset;
		c->i++;
		/* Where a word is missing from the dump, more will be: a hostile size ends here. */
		if (!py_word(py, ret->key_at, &ret->key) ||
		    !py_word(py, ret->value_at, &ret->value))
			return false;
		if (ret->key && ret->value)
			return true;
	}
	return false;
}

bool py_dict_get(const struct py *py, uint64_t at, const char *key, uint64_t *ret)
{
	struct py_dict_cursor c;
	struct py_dict_entry e;
	char text[64];
	if (!py_dict_begin(py, at, &c))
		return false;
	while (py_dict_next(py, &c, &e)) {
		if (py_text(py, e.key, text, sizeof(text)) && !strcmp(text, key)) {
			*ret = e.value;
			return true;
		}
	}
	return false;
}

/* ---- size ---- */

enum { SLOTS_LEAST = 8 }; /* Objects/dictobject.c, PyDict_MINSIZE */

bool py_dict_table(const struct py *py, uint64_t at, struct py_dict_table *ret)
{
	const struct cpython_mapping_layout *l = &py->layout->mapping;
	uint64_t values;
	uint8_t log2_size, kind;
	*ret = (struct py_dict_table){.entry_size = 24};
	if (l->keys_form == CPYTHON_DICT_TABLE) {
		uint64_t mask;
		if (!py_word(py, at + l->mask, &mask) || mask >= ENTRIES_MOST ||
		    mask & (mask + 1) || !py_word(py, at + l->table, &ret->at) ||
		    !py_word(py, at + l->used, &ret->used))
			return false;
		ret->slots = mask + 1;
		return ret->used <= mask;
	}
	if (!py_word(py, at + l->used, &ret->used) || !py_word(py, at + l->keys, &ret->at) ||
	    !py_word(py, at + l->values, &values) || values || !ret->at)
		return false;
	if (l->keys_form == CPYTHON_DICT_KEYS_40) {
		if (!py_word(py, ret->at + l->keys_size, &ret->slots))
			return false;
	} else {
		if (!image_try_u8(py->image, ret->at + l->keys_log2_size, &log2_size) ||
		    log2_size > LOG2_MOST ||
		    !image_try_u8(py->image, ret->at + l->keys_kind, &kind) || kind > KEYS_UNICODE)
			return false;
		ret->slots = UINT64_C(1) << log2_size;
		if (kind == KEYS_UNICODE)
			ret->entry_size = 16;
	}
	return ret->slots <= ENTRIES_MOST && !(ret->slots & (ret->slots - 1)) &&
	       ret->used <= ret->slots;
}

/*
 * Objects/dictobject.c: USABLE_FRACTION; DK_IXSIZE, signed: up to 255 slots a byte to 3.10;
 * estimate_log2_keysize and new_keys_object, up to 128 from 3.11 on.
 */
uint64_t py_dict_table_size(const struct py *py, const struct py_dict_table *table, uint64_t slots)
{
	const struct cpython_mapping_layout *l = &py->layout->mapping;
	if (!slots)
		return 0;
	if (l->keys_form == CPYTHON_DICT_TABLE)
		return slots * table->entry_size;
	const bool old = l->keys_form == CPYTHON_DICT_KEYS_40;
	uint64_t width = slots <= (old ? 0xff : 0x80)	    ? 1
			 : slots <= (old ? 0xffff : 0x8000) ? 2
							    : 4;
	return l->keys_indices + width * slots + (slots * 2 / 3) * table->entry_size;
}

uint64_t py_dict_slots(const struct py *py, uint64_t used)
{
	uint64_t slots = SLOTS_LEAST;
	if (!used)
		return 0;
	const bool table = py->layout->mapping.keys_form == CPYTHON_DICT_TABLE;
	while (slots < ENTRIES_MOST && (table ? slots <= used * 2 : slots * 2 / 3 < used))
		slots *= 2;
	return slots;
}
