/*
 * suspended: what the runtime's rows of generators, tasks and futures say together: the chain of what a
 * task waits for, the line that is told of it, and which of them lie within others of their kind.
 *
 * A task's line is the innermost one of its chain outside asyncio's own files: where sleep() waits is
 * known; of interest is who called it.
 *
 * Tasks and futures that are written in Python have attributes: references by name.
 */
#include "analysis/analysis.h"

#include "base/cleanup.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHAIN_STEPS = 1000, CHAIN_SHOWN = 8, CHAIN_ROOM = 1000, NAME_ROOM = 64 };

static struct suspended_row *row_find(const struct snapshot *s, uint32_t id)
{
	uint64_t lo = 0, hi = s->suspended.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (s->suspended.at[mid].object_id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return id && lo < s->suspended.n && s->suspended.at[lo].object_id == id
		       ? &s->suspended.at[lo]
		       : NULL;
}

/* ---- attributes ---- */

static uint32_t edge_named(const struct snapshot *s, uint32_t id, const char *name)
{
	char text[NAME_ROOM];
	if (!id || !s->edge.name)
		return 0;
	for (uint64_t k = s->edge.first[id - 1]; k < s->edge.first[id]; k++)
		if (s->edge.name[k] && snapshot_edge_name(s, s->edge.name[k], text, sizeof(text)) &&
		    !strcmp(text, name))
			return s->edge.dst[k];
	return 0;
}

/* Of an instance: inline, or in its dict. */
static uint32_t attribute(const struct snapshot *s, uint32_t id, const char *name)
{
	char text[NAME_ROOM];
	snprintf(text, sizeof(text), ".%s", name);
	uint32_t found = edge_named(s, id, text);
	if (found)
		return found;
	snprintf(text, sizeof(text), "['%s']", name);
	return edge_named(s, edge_named(s, id, ".__dict__"), text);
}

/* Lib/asyncio/futures.py, base_futures.py: a future without a _state of its own has its class's. */
static void attributes_read(const struct snapshot *s, struct suspended_row *row)
{
	static const struct {
		const char *text;
		uint8_t state;
	} states[] = {{"PENDING", SUSPENDED_PENDING},
		      {"CANCELLED", SUSPENDED_CANCELLED},
		      {"FINISHED", SUSPENDED_DONE}};
	uint32_t state = attribute(s, row->object_id, "_state");
	if (!row->state && !state)
		row->state = SUSPENDED_PENDING;
	const char *text = state && s->object.value
				   ? intern_text(&s->strings, s->object.value[state - 1])
				   : "";
	for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!row->state && !strcmp(states[i].text, text))
			row->state = states[i].state;
	if (row->kind != SUSPENDED_TASK)
		return;
	row->awaits_id = attribute(s, row->object_id, "_coro");
	uint32_t waiter = attribute(s, row->object_id, "_fut_waiter");
	row->future_id = row_find(s, waiter) ? waiter : 0;
}

/* ---- chains ---- */

static bool has_frame(const struct suspended_row *r)
{
	return r->kind == SUSPENDED_COROUTINE || r->kind == SUSPENDED_GENERATOR ||
	       r->kind == SUSPENDED_ASYNC_GENERATOR;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static bool of_asyncio(const struct snapshot *s, uint32_t file)
{
	return file && strstr(intern_text(&s->strings, file), "/asyncio/");
}

struct chain {
	char text[CHAIN_ROOM];
	size_t len;
	unsigned links;
};

static void chain_add(struct chain *c, const char *text)
{
	const char *before = c->links ? " > " : "";
	if (c->links == CHAIN_SHOWN)
		text = "...";
	if (c->links++ > CHAIN_SHOWN || c->len >= sizeof(c->text))
		return;
	int n = snprintf(c->text + c->len, sizeof(c->text) - c->len, "%s%s", before, text);
	c->len += n > 0 ? (size_t)n : 0;
	if (c->len >= sizeof(c->text))
		c->len = sizeof(c->text) - 1;
}

static void chain_add_frame(const struct snapshot *s, struct chain *c,
			    const struct suspended_row *r)
{
	char text[CHAIN_ROOM / 2];
	int n = snprintf(text, sizeof(text), "%s()",
			 r->function ? intern_text(&s->strings, r->function) : "?");
	if (r->file && r->line && n > 0 && (size_t)n < sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, " %s:%u",
			 base_name(intern_text(&s->strings, r->file)), r->line);
	chain_add(c, text);
}

static struct error *task_finish(struct snapshot *s, struct suspended_row *task)
{
	struct chain chain = {.len = 0};
	const struct suspended_row *told = NULL;
	uint32_t id = task->awaits_id;
	for (unsigned n = 0; id && n < CHAIN_STEPS; n++) {
		const struct suspended_row *r = row_find(s, id);
		if (!r || r->kind == SUSPENDED_TASK || r->kind == SUSPENDED_FUTURE) {
			uint32_t type = s->object.type_id ? s->object.type_id[id - 1] : 0;
			if (type)
				chain_add(&chain,
					  intern_text(&s->strings, s->type.at[type - 1].name));
			break;
		}
		if (has_frame(r)) {
			chain_add_frame(s, &chain, r);
			if (!told || !of_asyncio(s, r->file))
				told = r;
		}
		id = r->awaits_id;
	}
	if (told) {
		task->function = told->function;
		task->file = told->file;
		task->line = told->line;
	}
	return chain.links ? intern_str(&s->strings, chain.text, &task->chain) : NULL;
}

/* ---- what lies within what ---- */

/*
 * Two passes. Up the dominators from each row to the nearest row above, marking the way, so that each
 * object is passed once. Then, parents before children, the nearest row above of each kind.
 */
struct nest {
	const struct snapshot *s;
	uint32_t *
		above; /* by object id: index + 1 of the nearest row at or above; 0 not yet known */
	uint32_t *nearest; /* by row and kind: index + 1 of the nearest row above; 0 none */
	uint32_t *parent;  /* by row: index + 1 */
	uint32_t *stack;   /* of rows */
	uint8_t *done;
};

enum { NEST_NONE = UINT32_MAX };

/* The nearest row at or above the object. */
static uint32_t nest_above(struct nest *n, uint32_t id)
{
	uint32_t end = id, found;
	while (end && !n->above[end])
		end = n->s->object.dominator[end - 1];
	found = end ? n->above[end] : NEST_NONE;
	for (uint32_t at = id; at != end; at = n->s->object.dominator[at - 1])
		n->above[at] = found;
	return found;
}

/* Rows above come first: `stack` has room for all. */
static void nest_row(struct nest *n, uint32_t row)
{
	uint32_t depth = 0;
	for (uint32_t at = row + 1; at && !n->done[at - 1]; at = n->parent[at - 1]) {
		n->done[at - 1] = 1;
		n->stack[depth++] = at - 1;
	}
	while (depth) {
		const uint32_t at = n->stack[--depth], up = n->parent[at];
		for (unsigned k = 0; k < SUSPENDED_KINDS && up; k++)
			n->nearest[(size_t)at * SUSPENDED_KINDS + k] =
				n->s->suspended.at[up - 1].kind == k
					? up
					: n->nearest[(size_t)(up - 1) * SUSPENDED_KINDS + k];
	}
}

static struct error *nest_find(struct snapshot *s)
{
	const uint64_t rows = s->suspended.n;
	_cleanup_free_ uint32_t *above = calloc((size_t)s->object.n + 1, sizeof(*above));
	_cleanup_free_ uint32_t *nearest = calloc(rows * SUSPENDED_KINDS, sizeof(*nearest));
	_cleanup_free_ uint32_t *parent = calloc(rows, sizeof(*parent));
	_cleanup_free_ uint32_t *stack = calloc(rows, sizeof(*stack));
	_cleanup_free_ uint8_t *done = calloc(rows, 1);
	if (!above || !nearest || !parent || !stack || !done)
		return &error_nomem;
	struct nest n = {s, above, nearest, parent, stack, done};
	for (uint64_t i = 0; i < rows; i++)
		above[s->suspended.at[i].object_id] = (uint32_t)i + 1;
	for (uint64_t i = 0; i < rows; i++) {
		uint32_t up = s->object.dominator[s->suspended.at[i].object_id - 1];
		uint32_t found = up ? nest_above(&n, up) : NEST_NONE;
		parent[i] = found == NEST_NONE ? 0 : found;
	}
	for (uint64_t i = 0; i < rows; i++)
		if (!done[i])
			nest_row(&n, (uint32_t)i);
	for (uint64_t i = 0; i < rows; i++) {
		struct suspended_row *r = &s->suspended.at[i];
		uint32_t in = nearest[i * SUSPENDED_KINDS + r->kind];
		r->within_id = in ? s->suspended.at[in - 1].object_id : 0;
	}
	return NULL;
}

struct error *analysis_suspended(struct snapshot *s, struct log *log)
{
	(void)log;
	if (!s->suspended.n || !s->edge.first)
		return NULL;
	for (uint64_t i = 0; i < s->suspended.n; i++) {
		struct suspended_row *r = &s->suspended.at[i];
		if ((!r->state && r->kind == SUSPENDED_FUTURE) ||
		    (r->kind == SUSPENDED_TASK && (!r->state || !r->awaits_id)))
			attributes_read(s, r);
	}
	struct error *err = NULL;
	for (uint64_t i = 0; i < s->suspended.n && !err; i++)
		if (s->suspended.at[i].kind == SUSPENDED_TASK)
			err = task_finish(s, &s->suspended.at[i]);
	return err || !s->object.dominator ? err : nest_find(s);
}
