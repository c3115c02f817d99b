/* visit: dispatch by kind; what has no function is scanned within the bounds that its type sets. */
#include "runtime/cpython/py.h"

static void visit_scan(const struct py *py, const struct py_type *type, uint32_t object_id,
		       struct edge_sink *sink)
{
	const struct object_table *o = &py->snapshot->object;
	uint64_t at = o->address[object_id - 1], block = object_block(o, object_id - 1);
	uint64_t end = block + o->size[object_id - 1], size;
	/* The dict and the weak list; the collector's links behind them are no references. */
	uint64_t gc = type->flags & py->layout->type.flag.have_gc ? py->layout->gc.head_size : 0;
	if (at - block > gc)
		edge_sink_scan(sink, block, at - gc);
	if (py_object_size(py, type, at, &size) && size < end - at)
		end = at + size;
	/* Inline values lie behind the object. */
	if (type->flags & py->layout->type.flag.inline_values)
		end = block + o->size[object_id - 1];
	if (end - at > py->layout->object.type)
		edge_sink_scan(sink, at + py->layout->object.type, end);
}

void py_visit(const struct py *py, uint32_t object_id, struct edge_sink *sink)
{
	const struct py_type *type = py_type_of(py, object_id);
	py_visit_fn *visit = type ? py_kind_table[type->kind].visit : NULL;
	if (visit)
		visit(py, type, object_id, sink);
	else if (type)
		visit_scan(py, type, object_id, sink);
}
