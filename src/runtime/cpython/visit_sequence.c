/* visit_sequence: text, lists, tuples, deques, and what else keeps items in a row. */
#include "runtime/cpython/visit_impl.h"

enum {
	ITEMS_MOST = 1 << 30,
	DEQUE_FREE_MOST = 16, /* MAXFREEBLOCKS */
	TEE_CELLS = 57,	      /* Modules/itertoolsmodule.c, LINKCELLS */
	HAMT_ARRAY = 32,      /* internal/pycore_hamt.h, HAMT_ARRAY_NODE_SIZE */
};

static void visit_row(struct visitor *v, uint64_t at, uint64_t n, uint64_t index)
{
	uint64_t word;
	for (uint64_t i = 0; i < n; i++) {
		if (!visit_word(v, at + 8 * i, &word))
			return;
		visit_item(v, word, at + 8 * i,
			   edge_name_pack(EDGE_NAME_INDEX, index + i) | v->unseen);
	}
}

/* ---- text ---- */

void walk_str(struct visitor *v)
{
	const struct cpython_text_layout *l = &v->l->text;
	const bool python2 = l->forms == CPYTHON_TEXT_POINTER;
	const uint16_t at[] = {python2 ? l->data : l->utf8, l->wstr, l->data};
	uint32_t state = 0;
	uint64_t word;
	if (python2 && !(v->type->flags & v->l->type.flag.unicode))
		return; /* a str of bytes */
	if (!python2 && !image_try_u32(v->py->image, v->at + l->state, &state))
		return;
	bool compact = state >> l->compact_bit & 1, ascii = state >> l->ascii_bit & 1;
	for (unsigned i = 0; i < 3; i++) {
		/* An ASCII one has no more than wstr, one that is not compact has its data elsewhere. */
		if (at[i] == CPYTHON_NONE || (python2 && i) ||
		    (!python2 && ((i == 0 && compact && ascii) || (i == 2 && compact) ||
				  (i == 1 && l->forms != CPYTHON_TEXT_WSTR))))
			continue;
		if (visit_word(v, v->at + at[i], &word) && word &&
		    (word < v->block || word >= v->end))
			visit_buffer(v, word, v->at + at[i], v->name->text);
	}
	if (python2 && l->encoded != CPYTHON_NONE)
		visit_unseen_at(v, v->at + l->encoded, v->name->text);
}

void own_str(struct owner *o)
{
	const struct cpython_text_layout *l = &o->py->layout->text;
	const bool python2 = l->forms == CPYTHON_TEXT_POINTER;
	uint32_t state = 0;
	uint64_t word;
	if (python2) {
		if (o->type->flags & o->py->layout->type.flag.unicode &&
		    py_word(o->py, o->at + l->data, &word))
			own_block(o, word, false);
		return;
	}
	if (!image_try_u32(o->py->image, o->at + l->state, &state))
		return;
	bool compact = state >> l->compact_bit & 1, ascii = state >> l->ascii_bit & 1;
	if (!(compact && ascii) && py_word(o->py, o->at + l->utf8, &word) && word)
		own_block(o, word, false);
	if (l->forms == CPYTHON_TEXT_WSTR && py_word(o->py, o->at + l->wstr, &word) && word)
		own_block(o, word, false);
	if (!compact && py_word(o->py, o->at + l->data, &word) && word)
		own_block(o, word, false);
}

/*
 * Where a bytearray's memory begins: since 3.15 it is that of a bytes object, which it hands out when it
 * is done with it (take_bytes()), and nobody else has until then.
 */
static uint16_t bytearray_memory(const struct cpython_sequence_layout *l)
{
	return l->bytearray_object ? l->bytearray_object : l->bytearray_bytes;
}

void walk_bytearray(struct visitor *v)
{
	const uint64_t from = v->at + bytearray_memory(&v->l->sequence);
	uint64_t word;
	if (visit_word(v, from, &word) && word)
		visit_buffer(v, word, from, v->name->items);
}

void own_bytearray(struct owner *o)
{
	uint64_t word;
	if (py_word(o->py, o->at + bytearray_memory(&o->py->layout->sequence), &word) && word)
		own_block(o, word, false);
}

/* ---- list, tuple ---- */

void walk_list(struct visitor *v)
{
	const struct cpython_sequence_layout *l = &v->l->sequence;
	uint64_t n, items;
	if (!visit_word(v, v->at + v->l->object.size, &n) ||
	    !visit_word(v, v->at + l->list_items, &items))
		return;
	uint64_t room = visit_room(v->py, items) / 8;
	/* While a list is sorted, it has none. */
	if (n > room || !visit_may(v, items, n))
		py_damaged(v->py, PY_DAMAGE_LIST, v->at);
	if (!items || n > ITEMS_MOST || !visit_may(v, items, n))
		return;
	visit_buffer(v, items, v->at + l->list_items, v->name->items);
	visit_row(v, items, n < room ? n : room, 0);
}

void own_list(struct owner *o)
{
	uint64_t items;
	if (py_word(o->py, o->at + o->py->layout->sequence.list_items, &items) && items)
		own_block(o, items, false);
}

void walk_tuple(struct visitor *v)
{
	const uint64_t at = v->at + v->l->sequence.tuple_items;
	uint64_t n = v->plan->items;
	if (at > v->end)
		return;
	if (n == UINT64_MAX) {
		if (!visit_word(v, v->at + v->l->object.size, &n) || n > (v->end - at) / 8)
			n = (v->end - at) / 8;
		n += v->plan->hidden;
	}
	if (n > (v->end - at) / 8)
		n = (v->end - at) / 8;
	if (!visit_is_lent(v)) {
		visit_row(v, at, n, 0);
		return;
	}
	uint64_t word;
	for (uint64_t i = 0; i < n && visit_word(v, at + 8 * i, &word); i++)
		visit_edge(v, word, at + 8 * i, REFERENCE_WEAK, edge_name_pack(EDGE_NAME_INDEX, i));
}

/* ---- deque: a chain of blocks of 64 items, the first from leftindex on ---- */

void walk_deque(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint64_t n, block, index, from = v->at + l->deque_left;
	if (l->deque_left == CPYTHON_NONE || !visit_word(v, v->at + l->deque_length, &n) ||
	    !visit_word(v, from, &block) || !visit_word(v, v->at + l->deque_leftindex, &index))
		return;
	struct trail trail = {0};
	uint64_t i = 0;
	while (n <= ITEMS_MOST && index <= l->block_items && block && !trail_again(&trail, block)) {
		uint64_t here = l->block_items - index;
		if (here > n - i)
			here = n - i;
		visit_buffer(v, block, from, v->name->block);
		visit_row(v, block + l->block_data + 8 * index, here, i);
		i += here;
		from = VISIT_ELSEWHERE;
		if (i >= n || !image_try_u64(v->py->image, block + l->block_right, &block))
			break;
		index = 0;
	}
	if (i < n)
		py_damaged(v->py, PY_DAMAGE_DEQUE, v->at);
	if (l->deque_free == CPYTHON_NONE || !visit_word(v, v->at + l->deque_nfree, &n))
		return;
	for (i = 0; i < n && i < DEQUE_FREE_MOST; i++)
		if (visit_word(v, v->at + l->deque_free + 8 * i, &block))
			visit_buffer(v, block, v->at + l->deque_free + 8 * i, v->name->block);
}

void own_deque(struct owner *o)
{
	const struct cpython_visit_layout *l = o->py->layout->visit;
	uint64_t n, block, last;
	/* Behind leftblock comes rightblock. The link of the last block is not set to anything. */
	if (l->deque_left == CPYTHON_NONE || !py_word(o->py, o->at + l->deque_left, &block) ||
	    !py_word(o->py, o->at + l->deque_left + 8, &last))
		return;
	while (block && own_block(o, block, false) && block != last)
		if (!py_word(o->py, block + l->block_right, &block))
			break;
	if (l->deque_free == CPYTHON_NONE || !py_word(o->py, o->at + l->deque_nfree, &n))
		return;
	for (uint64_t i = 0; i < n && i < DEQUE_FREE_MOST; i++)
		if (py_word(o->py, o->at + l->deque_free + 8 * i, &block))
			own_block(o, block, false);
}

/* ---- others ---- */

/*
 * The ring of a bounded cache: each link is held by the ring and by the cache's dict, and holds a key
 * and a result, which the cache's traverse function visits in the link's place.
 */
void walk_lru_cache(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint64_t link, key;
	if (l->lru_root == CPYTHON_NONE)
		return;
	const uint64_t root = v->at + l->lru_root;
	if (!visit_word(v, root + l->lru_next, &link))
		return;
	struct trail trail = {0};
	for (uint64_t i = 0; link && link != root && !trail_again(&trail, link); i++) {
		uint32_t id = py_object_id(v->py, link);
		if (!id)
			return;
		visit_edge(v, link, i ? VISIT_ELSEWHERE : root + l->lru_next, REFERENCE_OWNING,
			   v->name->link | (l->lru_visits_links ? 0 : EDGE_NAME_UNSEEN));
		if (!l->lru_visits_links) {
			if (image_try_u64(v->py->image, link + l->lru_key, &key))
				visit_edge(v, key, VISIT_ELSEWHERE, REFERENCE_OWNING,
					   edge_name_pack(EDGE_NAME_KEYOF, i));
			uint64_t result;
			if (image_try_u64(v->py->image, link + l->lru_result, &result))
				visit_edge(v, result, VISIT_ELSEWHERE, REFERENCE_OWNING,
					   visit_key_name(v, key));
		}
		if (!image_try_u64(v->py->image, link + l->lru_next, &link))
			return;
	}
}

void walk_lru_link(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint64_t key, result;
	if (l->lru_key == CPYTHON_NONE || !visit_word(v, v->at + l->lru_key, &key) ||
	    !visit_word(v, v->at + l->lru_result, &result))
		return;
	/* What the cache visits is named, and counted, there. */
	enum reference_kind kind = l->lru_visits_links ? REFERENCE_OWNING : REFERENCE_WEAK;
	uint32_t unseen = l->lru_visits_links ? v->unseen : 0;
	visit_edge(v, key, v->at + l->lru_key, kind, edge_name_pack(EDGE_NAME_KEYOF, 0) | unseen);
	visit_edge(v, result, v->at + l->lru_result, kind, visit_key_name(v, key) | unseen);
}

void walk_tee_data(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint32_t n;
	if (l->tee_values == CPYTHON_NONE ||
	    !image_try_u32(v->py->image, v->at + l->tee_numread, &n))
		return;
	visit_row(v, v->at + l->tee_values, n < TEE_CELLS ? n : TEE_CELLS, 0);
}

void walk_hamt_array(struct visitor *v)
{
	if (v->l->visit->hamt_array != CPYTHON_NONE)
		visit_row(v, v->at + v->l->visit->hamt_array, HAMT_ARRAY, 0);
}

/* An element of a tree: its attributes and children are in a block of their own. */
void walk_element(struct visitor *v)
{
	const struct cpython_visit_layout *l = v->l->visit;
	uint64_t extra, n, children;
	if (l->element_extra == CPYTHON_NONE || !visit_word(v, v->at + l->element_extra, &extra) ||
	    !extra)
		return;
	visit_buffer(v, extra, v->at + l->element_extra, v->name->items);
	visit_at(v, extra + l->extra_attrib, v->name->dict);
	if (!visit_word(v, extra + l->extra_length, &n) ||
	    !visit_word(v, extra + l->extra_children, &children) || !children)
		return;
	if (visit_room(v->py, extra) <= children - extra)
		visit_buffer(v, children, VISIT_ELSEWHERE, v->name->items);
	uint64_t room = visit_room(v->py, children) / 8;
	visit_row(v, children, n < room ? n : room, 0);
}

void own_element(struct owner *o)
{
	const struct cpython_visit_layout *l = o->py->layout->visit;
	uint64_t extra, children;
	if (l->element_extra == CPYTHON_NONE || !py_word(o->py, o->at + l->element_extra, &extra) ||
	    !extra)
		return;
	if (own_block(o, extra, false) && py_word(o->py, extra + l->extra_children, &children))
		own_block(o, children, false);
}
