/*
 * visit_mapping: dicts in every form, attributes of instances, sets, ordered dicts.
 *
 * Who names what (Objects/dictobject.c, dict_traverse and its kin):
 *
 *	a dict with its own table	values; keys, which its traverse function visits only where
 *					they need not all be str
 *	a dict with split values	values that are its own; the keys belong to whose table it is
 *	an instance with values		its values; a dict made of them names none (3.13)
 *	a class				the keys that its instances share
 */
#include "runtime/cpython/visit_impl.h"

enum {
	ENTRIES_MOST = 1 << 28,
	LOG2_MOST = 32,
	VALUES_DATA = 8, /* 3.13: capacity, size, embedded, valid, pad */
	VALUES_EMBEDDED = 2,
	VALUES_VALID = 3,
};

enum { KEYS_GENERAL, KEYS_UNICODE, KEYS_SPLIT }; /* internal/pycore_dict.h, 3.11 */

/* A table: where its entries are. */
struct keys {
	uint64_t at, entries, n;
	uint32_t entry_size;
	bool str;    /* all keys are; the collector does not visit them */
	bool broken; /* it says that it has more than there is room for */
};

/* To 3.10: the lookup function tells, but which is which is not known; keys that are all str do. */
static bool keys_all_str(const struct visitor *v, const struct keys *k)
{
	uint64_t key;
	for (uint64_t i = 0; i < k->n; i++) {
		if (!image_try_u64(v->py->image, k->entries + i * k->entry_size + 8, &key))
			return false;
		if (!key)
			continue;
		const struct py_type *t = py_type_of(v->py, py_object_id(v->py, key));
		if (t && !(t->kind == PY_KIND_str && t->own_kind))
			return false;
	}
	return true;
}

static bool keys_read(const struct visitor *v, uint64_t at, struct keys *ret)
{
	const struct cpython_mapping_layout *l = &v->l->mapping;
	const struct image *img = v->py->image;
	uint64_t indices;
	*ret = (struct keys){.at = at, .entry_size = 24};
	if (!at)
		return false;
	if (l->keys_form == CPYTHON_DICT_KEYS_40) {
		uint64_t size;
		if (!image_try_u64(img, at + l->keys_size, &size) || size > ENTRIES_MOST)
			return false;
		indices = size * (size <= 0xff ? 1 : size <= 0xffff ? 2 : 4);
	} else {
		uint8_t log2_index, kind;
		if (!image_try_u8(img, at + l->keys_log2_index, &log2_index) ||
		    !image_try_u8(img, at + l->keys_kind, &kind) || log2_index > LOG2_MOST ||
		    kind > KEYS_SPLIT)
			return false;
		indices = UINT64_C(1) << log2_index;
		ret->str = kind != KEYS_GENERAL;
		ret->entry_size = ret->str ? 16 : 24;
	}
	ret->entries = at + l->keys_indices + indices;
	if (!image_try_u64(img, at + l->keys_nentries, &ret->n))
		return false;
	/* Within the table's own block: a wrong size of the indices leads out of it. */
	const uint64_t whole = visit_room(v->py, at), before = ret->entries - at;
	const uint64_t room = before < whole ? (whole - before) / ret->entry_size : 0;
	if (ret->n > room) {
		ret->broken = whole != 0;
		ret->n = room;
	}
	if (l->keys_form == CPYTHON_DICT_KEYS_40)
		ret->str = keys_all_str(v, ret);
	return true;
}

static uint64_t keys_key(const struct keys *k, uint64_t i)
{
	return k->entries + i * k->entry_size + k->entry_size - 16;
}

static bool read(const struct visitor *v, uint64_t addr, uint64_t *ret)
{
	return image_try_u64(v->py->image, addr, ret);
}

/* The keys of a table that is this object's. `values`: those of dead entries have none, or 0. */
static void visit_keys(struct visitor *v, const struct keys *k, uint32_t unseen)
{
	uint64_t key;
	for (uint64_t i = 0; i < k->n && read(v, keys_key(k, i), &key); i++)
		if (key)
			visit_edge(v, key, VISIT_ELSEWHERE, REFERENCE_OWNING,
				   edge_name_pack(EDGE_NAME_KEYOF, i) | unseen | v->unseen);
}

/* Values that lie apart from their keys. */
static void visit_values(struct visitor *v, const struct keys *k, uint64_t values, uint64_t n,
			 enum edge_name_kind kind)
{
	const uint64_t room = n ? visit_room(v->py, values) / 8 : 0;
	if (n > room)
		n = room;
	for (uint64_t i = 0; i < n; i++) {
		uint64_t key = 0, value;
		if (!read(v, values + 8 * i, &value))
			return;
		if (!value)
			continue;
		uint32_t id = 0;
		if (i < k->n && read(v, keys_key(k, i), &key))
			id = py_object_id(v->py, key);
		visit_edge(v, value, values + 8 * i, REFERENCE_OWNING,
			   (id ? edge_name_pack(kind, id) : 0) | v->unseen);
	}
}

/* ---- dict ---- */

static void visit_value(struct visitor *v, uint64_t word, uint64_t from, uint32_t name)
{
	if (v->lent)
		visit_edge(v, word, from, REFERENCE_WORD, name);
	else
		visit_item(v, word, from, name);
}

/*
 * 2.7: a table of {hash, key, value}. The key of a dead one is `dummy`, a text that counts it and that
 * nobody visits (Objects/dictobject.c, Objects/setobject.c: each has one of its own).
 */
static void walk_dict_table(struct visitor *v)
{
	const struct cpython_mapping_layout *l = &v->l->mapping;
	uint64_t mask, table, key, value, used, found = 0;
	if (!visit_word(v, v->at + l->mask, &mask) || !visit_word(v, v->at + l->table, &table) ||
	    !visit_word(v, v->at + l->used, &used))
		return;
	if (table != v->at + l->smalltable)
		visit_buffer(v, table, v->at + l->table, v->name->table);
	if (mask >= visit_room(v->py, table) / 24 || mask & (mask + 1) || mask >= ENTRIES_MOST ||
	    (table != v->at + l->smalltable && !visit_may(v, table, mask))) {
		py_damaged(v->py, PY_DAMAGE_DICT_TABLE, v->at);
		return;
	}
	for (uint64_t i = 0; i <= mask; i++) {
		const uint64_t entry = table + 24 * i;
		if (!visit_word(v, entry + 8, &key) || !visit_word(v, entry + 16, &value))
			return;
		if (!key)
			continue;
		if (!value) {
			uint32_t dummy = py_object_id(v->py, key);
			if (dummy)
				edge_sink_add(v->sink, dummy, VISIT_ELSEWHERE, REFERENCE_OWNING,
					      edge_name_pack(EDGE_NAME_KEYOF, i) |
						      EDGE_NAME_UNSEEN);
			continue;
		}
		visit_item(v, key, entry + 8, edge_name_pack(EDGE_NAME_KEYOF, i) | v->unseen);
		visit_value(v, value, entry + 16, visit_key_name(v, key) | v->unseen);
		found++;
	}
	if (found != used)
		py_damaged(v->py, PY_DAMAGE_DICT_COUNT, v->at);
}

/* The number of values that a block of them can have, by what the version writes beside them. */
static uint64_t values_count(const struct visitor *v, uint64_t *values, const struct keys *k)
{
	uint8_t capacity;
	if (v->l->mapping.values_form != CPYTHON_VALUES_HEADER)
		return k->n;
	if (!image_try_u8(v->py->image, *values, &capacity))
		return 0;
	*values += VALUES_DATA;
	return capacity;
}

void walk_dict(struct visitor *v)
{
	const struct cpython_mapping_layout *l = &v->l->mapping;
	struct keys k;
	uint64_t keys, values, key, value, used, found = 0;
	v->lent = visit_is_lent(v);
	if (l->keys_form == CPYTHON_DICT_TABLE) {
		walk_dict_table(v);
		return;
	}
	if (!visit_word(v, v->at + l->keys, &keys) || !visit_word(v, v->at + l->values, &values) ||
	    !visit_word(v, v->at + l->used, &used))
		return;
	visit_buffer(v, keys, v->at + l->keys, v->name->table);
	if (!keys_read(v, keys, &k)) {
		py_damaged(v->py, PY_DAMAGE_DICT_TABLE, v->at);
		return;
	}
	if (k.broken || (!values && !visit_may(v, keys, k.n))) {
		py_damaged(v->py, PY_DAMAGE_DICT_TABLE, v->at);
		if (!visit_may(v, keys, k.n))
			return;
	}
	if (values) {
		uint8_t embedded = 0;
		visit_buffer(v, values, v->at + l->values, v->name->values);
		if (l->values_form == CPYTHON_VALUES_HEADER &&
		    !image_try_u8(v->py->image, values + VALUES_EMBEDDED, &embedded))
			return;
		uint64_t n = values_count(v, &values, &k);
		if (!embedded || v->py->cpython.dict_visits_inline)
			visit_values(v, &k, values, n, EDGE_NAME_KEY);
		if (visit_owns(v, keys))
			visit_keys(v, &k, EDGE_NAME_UNSEEN);
		return;
	}
	for (uint64_t i = 0; i < k.n; i++) {
		const uint64_t at = keys_key(&k, i);
		if (!read(v, at, &key) || !read(v, at + 8, &value))
			return;
		if (!key || !value)
			continue;
		visit_item(v, key, VISIT_ELSEWHERE,
			   edge_name_pack(EDGE_NAME_KEYOF, i) | v->unseen |
				   (k.str ? EDGE_NAME_UNSEEN : 0));
		visit_value(v, value, VISIT_ELSEWHERE, visit_key_name(v, key) | v->unseen);
		found++;
	}
	/* Not told of one whose table is no block: the entries of it were not looked at. */
	if (found != used && !k.broken && visit_room(v->py, keys))
		py_damaged(v->py, PY_DAMAGE_DICT_COUNT, v->at);
}

void own_dict(struct owner *o)
{
	const struct cpython_mapping_layout *l = &o->py->layout->mapping;
	uint64_t word;
	if (l->keys_form == CPYTHON_DICT_TABLE) {
		if (py_word(o->py, o->at + l->table, &word) && word != o->at + l->smalltable)
			own_block(o, word, false);
		return;
	}
	if (py_word(o->py, o->at + l->keys, &word))
		own_block(o, word, false);
	if (py_word(o->py, o->at + l->values, &word) && word)
		own_block(o, word, false);
}

/* ---- attributes ---- */

static bool class_keys(const struct visitor *v, struct keys *ret)
{
	uint64_t keys;
	*ret = (struct keys){.n = 0};
	return py_word(v->py, v->type->address + v->l->type.heap_cached_keys, &keys) &&
	       keys_read(v, keys, ret);
}

/* Where an instance's values are, and its dict; 0: it has none. */
static void managed_find(const struct py *py, const struct py_type *type, uint64_t at,
			 uint64_t *values, uint64_t *dict, uint64_t *dict_at)
{
	const struct cpython_object_layout *l = &py->layout->object;
	uint64_t word = 0;
	*values = *dict = 0;
	*dict_at = at - l->managed_dict;
	switch (l->preheader) {
	case CPYTHON_PREHEADER_NONE:
		return;
	case CPYTHON_PREHEADER_VALUES:
		if (!py_word(py, at - l->managed_values, values))
			*values = 0;
		if (!py_word(py, *dict_at, dict))
			*dict = 0;
		return;
	case CPYTHON_PREHEADER_TAGGED:
		/* internal/pycore_object.h, PyDictOrValues: values are stored as one byte less */
		if (!py_word(py, *dict_at, &word))
			return;
		if (word & 1)
			*values = word + 1;
		else
			*dict = word;
		return;
	case CPYTHON_PREHEADER_INLINE:
		if (type->flags & py->layout->type.flag.managed_dict &&
		    !py_word(py, *dict_at, dict))
			*dict = 0;
		if (type->flags & py->layout->type.flag.inline_values)
			*values = at + type->basicsize;
		return;
	}
}

void walk_managed(struct visitor *v)
{
	uint64_t values, dict, dict_at;
	uint8_t valid = 1;
	struct keys k;
	managed_find(v->py, v->type, v->at, &values, &dict, &dict_at);
	bool inside = values >= v->block && values < v->end;
	if (v->l->object.preheader == CPYTHON_PREHEADER_INLINE &&
	    (!inside || !image_try_u8(v->py->image, values + VALUES_VALID, &valid) || !valid))
		values = 0;
	if (dict && v->py->cpython.dict_visits_inline)
		values = 0;
	/* A dict that shares the values is not visited: they are (3.13, PyObject_VisitManagedDict). */
	visit_edge(v, dict, dict_at, REFERENCE_OWNING,
		   v->name->dict | v->unseen | (inside && values ? EDGE_NAME_UNSEEN : 0));
	if (!values)
		return;
	if (!inside)
		visit_buffer(v, values, VISIT_ELSEWHERE, v->name->values);
	class_keys(v, &k);
	uint64_t n = values_count(v, &values, &k);
	visit_values(v, &k, values, n, EDGE_NAME_ATTR);
}

void own_managed(struct owner *o)
{
	uint64_t values, dict, dict_at;
	managed_find(o->py, o->type, o->at, &values, &dict, &dict_at);
	if (values && (values < o->at || values >= o->end))
		own_block(o, values, false);
}

/* The keys that instances share: the class has the table. */
void visit_class_keys(struct visitor *v, uint64_t keys, uint64_t from)
{
	struct keys k;
	visit_buffer(v, keys, from, v->name->cached_keys);
	uint64_t key;
	if (!visit_owns(v, keys) || !keys_read(v, keys, &k))
		return;
	for (uint64_t i = 0; i < k.n && read(v, keys_key(&k, i), &key); i++)
		visit_edge(v, key, VISIT_ELSEWHERE, REFERENCE_OWNING,
			   v->name->cached_keys | EDGE_NAME_UNSEEN);
}

/* ---- set ---- */

void walk_set(struct visitor *v)
{
	const struct cpython_mapping_layout *l = &v->l->mapping;
	const bool hash_first = l->keys_form == CPYTHON_DICT_TABLE; /* 2.7: {hash, key} */
	uint64_t mask, table, key, hash, left, found = 0;
	if (!visit_word(v, v->at + l->set_mask, &mask) ||
	    !visit_word(v, v->at + l->set_table, &table) ||
	    !visit_word(v, v->at + l->set_used, &left))
		return;
	if (table != v->at + l->set_smalltable)
		visit_buffer(v, table, v->at + l->set_table, v->name->table);
	if (mask >= visit_room(v->py, table) / 16 || mask & (mask + 1) || mask >= ENTRIES_MOST ||
	    (table != v->at + l->set_smalltable && !visit_may(v, table, mask))) {
		py_damaged(v->py, PY_DAMAGE_SET, v->at);
		return;
	}
	for (uint64_t i = 0; i <= mask; i++) {
		const uint64_t at = table + 16 * i;
		if (!visit_word(v, at + (hash_first ? 8 : 0), &key) ||
		    !visit_word(v, at + (hash_first ? 0 : 8), &hash))
			return;
		/* A deleted one: `dummy`, whose hash is -1. */
		if (!key || (!hash_first && hash == UINT64_MAX))
			continue;
		/* 2.7: the key of a deleted one is `dummy`, as in a dict; its hash is what it was. */
		found++;
		visit_item(v, key, at, edge_name_pack(EDGE_NAME_KEYOF, i) | v->unseen);
	}
	if (!hash_first && found != left)
		py_damaged(v->py, PY_DAMAGE_SET_COUNT, v->at);
}

void own_set(struct owner *o)
{
	const struct cpython_mapping_layout *l = &o->py->layout->mapping;
	uint64_t table;
	if (py_word(o->py, o->at + l->set_table, &table) && table != o->at + l->set_smalltable)
		own_block(o, table, false);
}

/* ---- OrderedDict: a dict, and a list of nodes in malloc'ed blocks ---- */

void walk_odict(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint64_t node, key;
	struct trail trail = {0};
	if (l->odict_first == CPYTHON_NONE || !visit_word(v, v->at + l->odict_first, &node))
		return;
	while (node && !trail_again(&trail, node)) {
		if (!visit_owns(v, node)) {
			py_damaged(v->py, PY_DAMAGE_ORDER, v->at);
			return;
		}
		visit_buffer(v, node, VISIT_ELSEWHERE, v->name->link);
		if (read(v, node + l->odict_node_key, &key))
			visit_edge(v, key, VISIT_ELSEWHERE, REFERENCE_OWNING,
				   v->name->link | EDGE_NAME_UNSEEN);
		if (!read(v, node + l->odict_node_next, &node))
			return;
	}
}

void own_odict(struct owner *o)
{
	const struct cpython_visit_layout *l = o->py->layout->visit;
	uint64_t node;
	if (l->odict_first == CPYTHON_NONE || !py_word(o->py, o->at + l->odict_first, &node))
		return;
	while (node && own_block(o, node, false))
		if (!py_word(o->py, node + l->odict_node_next, &node))
			return;
}
