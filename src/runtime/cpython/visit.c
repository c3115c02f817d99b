/* visit: one object, by its type's plan. */
#include "runtime/cpython/visit_impl.h"

/*
 * Where an edge's word is. One in a buffer has no place in the object's own block: the number that
 * is too far to record says so.
 */
static uint64_t edge_place(const struct visitor *v, uint64_t from)
{
	return from >= v->block && from < v->end ? from - v->block : VISIT_ELSEWHERE;
}

/*
 * Since 3.12 interned strings are immortal: the table, which only repeats what others hold before
 * that, is then what keeps them.
 */
static bool is_immortal(const struct visitor *v, uint32_t id)
{
	const struct object_table *o = &v->py->snapshot->object;
	return o->flags && o->flags[id - 1] & OBJECT_IMMORTAL;
}

void visit_edge(struct visitor *v, uint64_t word, uint64_t from, enum reference_kind kind,
		uint32_t name)
{
	uint32_t dst = word ? snapshot_object_find(v->py->snapshot, word) : 0;
	if (!dst)
		return;
	if (!v->py->object_type[dst - 1] || v->py->snapshot->object.address[dst - 1] != word)
		kind = REFERENCE_WORD;
	else if (v->borrows && kind == REFERENCE_OWNING && !is_immortal(v, dst))
		kind = REFERENCE_WEAK;
	edge_sink_add(v->sink, dst, edge_place(v, from), kind, name);
}

void visit_item(struct visitor *v, uint64_t word, uint64_t from, uint32_t name)
{
	if (word && !py_object_id(v->py, word))
		py_damaged_item(v->py, word, v->at);
	visit_edge(v, word, from, REFERENCE_OWNING, name);
}

void visit_at(struct visitor *v, uint64_t from, uint32_t name)
{
	uint64_t word;
	if (visit_word(v, from, &word) && word)
		visit_edge(v, word, from, REFERENCE_OWNING, name | v->unseen);
}

void visit_unseen_at(struct visitor *v, uint64_t from, uint32_t name)
{
	uint64_t word;
	if (visit_word(v, from, &word) && word)
		visit_edge(v, word, from, REFERENCE_OWNING, name | EDGE_NAME_UNSEEN);
}

static uint32_t owner_of(const struct visitor *v, uint32_t id)
{
	const struct object_table *o = &v->py->snapshot->object;
	return o->owner_id ? o->owner_id[id - 1] : 0;
}

bool visit_owns(const struct visitor *v, uint64_t addr)
{
	uint32_t id = addr ? snapshot_object_find(v->py->snapshot, addr) : 0;
	return id && owner_of(v, id) == v->id;
}

void visit_buffer(struct visitor *v, uint64_t addr, uint64_t from, uint32_t name)
{
	uint32_t id = addr ? snapshot_object_find(v->py->snapshot, addr) : 0;
	if (!id || id == v->id || v->py->object_type[id - 1])
		return;
	edge_sink_add(v->sink, id, edge_place(v, from),
		      owner_of(v, id) == v->id ? REFERENCE_OWNING : REFERENCE_WEAK, name);
}

uint64_t visit_room(const struct py *py, uint64_t addr)
{
	const struct object_table *o = &py->snapshot->object;
	uint32_t id = addr ? snapshot_object_find(py->snapshot, addr) : 0;
	return id ? object_block(o, id - 1) + o->size[id - 1] - addr : 0;
}

static uint32_t name_of_object(const struct visitor *v, enum edge_name_kind kind, uint64_t key)
{
	uint32_t id = py_object_id(v->py, key);
	return id ? edge_name_pack(kind, id) : 0;
}

uint32_t visit_attr_name(const struct visitor *v, uint64_t key)
{
	return name_of_object(v, EDGE_NAME_ATTR, key);
}

uint32_t visit_key_name(const struct visitor *v, uint64_t key)
{
	return name_of_object(v, EDGE_NAME_KEY, key);
}

void visit_rest(struct visitor *v, uint64_t start, uint64_t end)
{
	uint64_t word;
	for (uint64_t from = start; from + 8 <= end; from += 8) {
		if (!visit_word(v, from, &word) || word < 4096)
			continue;
		uint32_t dst = snapshot_object_find(v->py->snapshot, word);
		if (dst && !v->py->object_type[dst - 1] && dst != v->id && !owner_of(v, dst))
			edge_sink_scan(v->sink, from, from + 8);
	}
}

static void visit_slot(struct visitor *v, const struct plan_slot *slot)
{
	const uint64_t from = v->at + slot->offset;
	uint64_t word, n;
	if (from + 8 > v->end || !visit_word(v, from, &word))
		return;
	switch ((enum cpython_slot_how)slot->how) {
	case CPYTHON_SLOT_OWNING:
		visit_edge(v, word, from, REFERENCE_OWNING, slot->name | v->unseen);
		break;
	case CPYTHON_SLOT_UNSEEN:
		visit_edge(v, word, from, REFERENCE_OWNING, slot->name | EDGE_NAME_UNSEEN);
		break;
	case CPYTHON_SLOT_TAGGED:
		visit_edge(v, word & ~UINT64_C(1), from, REFERENCE_OWNING, slot->name | v->unseen);
		break;
	case CPYTHON_SLOT_WORD:
		visit_edge(v, word, from, REFERENCE_WORD, slot->name | EDGE_NAME_UNSEEN);
		break;
	case CPYTHON_SLOT_WEAK:
		visit_edge(v, word, from, REFERENCE_WEAK, slot->name);
		break;
	case CPYTHON_SLOT_BUFFER:
	case CPYTHON_SLOT_STATE:
		visit_buffer(v, word, from, slot->name);
		break;
	case CPYTHON_SLOT_ITEMS:
		if (!visit_word(v, v->at + v->l->object.size, &n) || n > (v->end - from) / 8)
			n = (v->end - from) / 8;
		for (uint64_t i = 0; i < n; i++)
			visit_at(v, from + 8 * i, edge_name_pack(EDGE_NAME_INDEX, i));
		break;
	}
}

/* Objects/object.c, _PyObject_GetDictPtr: behind the items, rounded up to a word. */
static void visit_dict_behind(struct visitor *v)
{
	uint64_t size;
	if (!py_object_size(v->py, v->type, v->at, &size))
		return;
	uint64_t from = v->at + ((size + 7) & ~UINT64_C(7)) + (uint64_t)v->type->dictoffset;
	if (from >= v->at && from + 8 <= v->end)
		visit_at(v, from, v->name->dict);
}

/*
 * A freed object that is kept for reuse: it leads to the next one, and to memory that is kept with it;
 * the objects whose addresses are left in it are none of its own.
 */
static void visit_dead(const struct py *py, uint32_t object_id, struct edge_sink *sink)
{
	const struct object_table *o = &py->snapshot->object;
	struct visitor v = {.py = py, .sink = sink, .id = object_id};
	struct image_cursor cursor = {0};
	v.at = v.block = object_block(o, object_id - 1);
	v.end = v.block + o->size[object_id - 1];
	v.bytes = image_view_all(py->image, &cursor, v.block, v.end - v.block);
	visit_rest(&v, v.block, v.end);
}

void py_visit(const struct py *py, uint32_t object_id, struct edge_sink *sink)
{
	const struct object_table *o = &py->snapshot->object;
	const struct py_type *type = py_type_of(py, object_id);
	if (!type) {
		/* A buffer's owner names what is in it. */
		if (!o->owner_id || !o->owner_id[object_id - 1])
			visit_dead(py, object_id, sink);
		return;
	}
	const struct py_plan *plan = &py->visit->plan[type - py->type.at];
	struct visitor v = {
		.py = py,
		.l = py->layout,
		.name = &py->visit->name,
		.type = type,
		.plan = plan,
		.sink = sink,
		.id = object_id,
		.at = o->address[object_id - 1],
		.block = object_block(o, object_id - 1),
		.unseen = plan->unseen,
		.borrows = bits_test(&py->interned, object_id),
	};
	struct image_cursor cursor = {0};
	v.end = v.block + o->size[object_id - 1];
	v.bytes = image_view_all(py->image, &cursor, v.block, v.end - v.block);
	uint64_t size;
	/* Without a zone they end before it. */
	if ((type->kind == PY_KIND_datetime || type->kind == PY_KIND_time) &&
	    py_object_size(py, type, v.at, &size) && size < v.end - v.at)
		v.end = v.at + size;
	if (plan->counts_type)
		visit_edge(&v, type->address, v.at + v.l->object.type, REFERENCE_OWNING,
			   v.name->class | plan->type_unseen);
	for (uint32_t i = 0; i < plan->nslot; i++)
		visit_slot(&v, &plan->slot[i]);
	if (plan->managed)
		walk_managed(&v);
	if (plan->dict_behind)
		visit_dict_behind(&v);
	for (unsigned i = 0; i < plan->nwalker; i++)
		plan->walker[i]->walk(&v);
	if (plan->nunknown || plan->unknown_items)
		visit_unknown(&v);
	if (plan->rest_end > v.l->object.head) {
		uint64_t end = v.at + plan->rest_end;
		uint64_t at = v.at + v.l->object.head;
		for (uint32_t i = 0; i <= plan->nslot; i++) {
			uint64_t stop = i < plan->nslot ? v.at + plan->slot[i].offset : end;
			if (stop > v.end)
				stop = v.end;
			if (at < stop)
				visit_rest(&v, at, stop);
			at = stop + 8;
		}
	}
}
