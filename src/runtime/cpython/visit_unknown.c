/*
 * visit_unknown: the parts of an object whose type is written in C and known to nobody here.
 *
 * Their words are read as native does. One that is the address of an object is
 *
 *	owning			where the type's tp_traverse visits it (traverse.h)
 *	a word, and UNSEEN	where it is known not to: no such function, or it was run to its end
 *	a word			where the function cannot be run
 *
 * What the function visits besides lies in memory behind the object (an array of items): owning, at
 * no place in the object. A function that visits what its object has no count of would make the
 * collector itself go wrong.
 *
 * Mistakes to expect: none in what is owning; a word need not be a counted reference.
 */
#include "runtime/cpython/traverse.h"
#include "runtime/cpython/visit_impl.h"

#include <stdlib.h>

enum { INSTANCES_TRIED = 16 };

/* What was visited, sorted, and which of it has found its place. */
struct visited {
	struct traverse t;
	bool taken[TRAVERSE_VISITS];
};

static int address_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Each visit is worth one reference. */
static bool visited_take(struct visited *s, uint64_t addr)
{
	uint32_t lo = 0, hi = s->t.n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (s->t.visit[mid] < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < s->t.n && s->t.visit[lo] == addr; lo++) {
		if (s->taken[lo])
			continue;
		s->taken[lo] = true;
		return true;
	}
	return false;
}

/* Slots of the C type's own (its __dict__) are told by name already; so is the type. */
static void visited_named(struct visitor *v, struct visited *s)
{
	uint64_t word;
	for (uint32_t i = 0; i < v->plan->nslot; i++)
		if (visit_word(v, v->at + v->plan->slot[i].offset, &word) && word)
			visited_take(s, word);
	if (v->plan->counts_type)
		visited_take(s, v->type->address);
}

static void visit_range(struct visitor *v, struct visited *s, uint64_t start, uint64_t end)
{
	const struct object_table *o = &v->py->snapshot->object;
	uint64_t word, from = start;
	const bool known = v->plan->traversed != PLAN_TRAVERSE_UNKNOWN;
	for (uint64_t at = start; at + 8 <= end; at += 8) {
		if (!visit_word(v, at, &word) || word < 4096)
			continue;
		uint32_t dst = snapshot_object_find(v->py->snapshot, word);
		/* An object's own address, or of what is in it (its small buffer), leads nowhere new. */
		if (dst == v->id) {
			if (from < at)
				edge_sink_scan(v->sink, from, at);
			from = at + 8;
			if (s)
				visited_take(s, word);
			continue;
		}
		if (!dst || !v->py->object_type[dst - 1] || o->address[dst - 1] != word)
			continue;
		bool seen = s && visited_take(s, word);
		if (!seen && !known)
			continue;
		if (from < at)
			edge_sink_scan(v->sink, from, at);
		from = at + 8;
		if (seen)
			visit_edge(v, word, at, REFERENCE_OWNING, v->unseen);
		else
			edge_sink_add(v->sink, dst, at - v->block, REFERENCE_WORD,
				      EDGE_NAME_UNSEEN);
	}
	if (from < end)
		edge_sink_scan(v->sink, from, end);
}

void visit_unknown(struct visitor *v)
{
	const struct py_plan *plan = v->plan;
	struct visited visited, *s = NULL;
	struct py_plan unknown;
	uint64_t size;
	if (plan->traversed == PLAN_TRAVERSE_RUN) {
		if (traverse_run(v->py->image, plan->traverse, v->at, &visited.t)) {
			s = &visited;
			memset(s->taken, 0, s->t.n * sizeof(*s->taken));
			qsort(s->t.visit, s->t.n, sizeof(*s->t.visit), address_compare);
			visited_named(v, s);
		} else {
			unknown = *plan;
			unknown.traversed = PLAN_TRAVERSE_UNKNOWN;
			v->plan = &unknown;
		}
	}
	for (unsigned i = 0; i < plan->nunknown; i++) {
		uint64_t start = v->at + plan->unknown[i].start, end = v->at + plan->unknown[i].end;
		if (end > v->end)
			end = v->end;
		if (start < end)
			visit_range(v, s, start, end);
	}
	if (plan->unknown_items && py_object_size(v->py, v->type, v->at, &size)) {
		uint64_t start = v->at + v->type->basicsize;
		uint64_t end = size < v->end - v->at ? v->at + size : v->end;
		if (start < end)
			visit_range(v, s, start, end);
	}
	if (s && plan->traverse_alone)
		for (uint32_t i = 0; i < s->t.n; i++)
			if (!s->taken[i])
				visit_edge(v, s->t.visit[i], VISIT_ELSEWHERE, REFERENCE_OWNING,
					   v->unseen);
	v->plan = plan;
}

/* ---- which types' functions can be followed ---- */

/* One that fails on any of its first instances is not asked again. */
void py_plan_traverse(struct py *py)
{
	struct object_table *o = &py->snapshot->object;
	struct traverse t;
	for (uint32_t i = 0; i < o->n; i++) {
		uint32_t type = py->object_type[i];
		struct py_plan *plan = type ? &py->visit->plan[type - 1] : NULL;
		if (!plan || !(plan->nunknown || plan->unknown_items) ||
		    plan->traversed == PLAN_TRAVERSE_NONE || plan->tried == INSTANCES_TRIED)
			continue;
		bool done = traverse_run(py->image, plan->traverse, o->address[i], &t);
		plan->tried = done ? (uint8_t)(plan->tried + 1) : INSTANCES_TRIED;
		plan->traversed = done ? PLAN_TRAVERSE_RUN : PLAN_TRAVERSE_UNKNOWN;
	}
	for (uint32_t i = 0; i < o->n; i++) {
		uint32_t type = py->object_type[i];
		const struct py_plan *plan = type ? &py->visit->plan[type - 1] : NULL;
		if (plan && (plan->nunknown || plan->unknown_items) &&
		    plan->traversed == PLAN_TRAVERSE_UNKNOWN)
			o->flags[i] |= OBJECT_UNTRAVERSED;
	}
}
