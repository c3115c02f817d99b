/*
 * suspended: what the runtime's rows of generators, tasks and futures say together: the chain of what a
 * task waits for, the line that is told of it, and which of them lie within others that wait at the same line.
 *
 * A task's line is the innermost one of its chain outside asyncio's own files: where sleep() waits is
 * known; of interest is who called it.
 *
 * Tasks and futures that are written in Python have attributes: references by name.
 */
#include "analysis/analysis.h"
#include "base/base_name.h"

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
 * What a row holds is counted with it, so of rows that are told as one (of one kind and state, at one
 * line) those that lie in another of them must not be counted again, whatever lies between the two.
 *
 * First up the dominators from each row to the nearest row above, marking the way, so that each object is
 * passed once. Then down the tree of rows that this makes, with the last row of each group above.
 */
struct nest {
	const struct snapshot *s;
	uint32_t *
		above; /* by object id: index + 1 of the nearest row at or above; 0 not yet known */
	/* By row; rows as index + 1, 0 none: */
	uint32_t *parent, *first, *next; /* the tree; first[0] is at its top, next[0] is 0 */
	uint32_t *group;		 /* those told as one have the same, from 0 */
	uint32_t *last;			 /* by group: its nearest row above where the walk is */
	uint32_t *within;
};

enum { NEST_NONE = UINT32_MAX };

static void nest_deinit(struct nest *n)
{
	free(n->above);
	free(n->parent);
	free(n->first);
	free(n->next);
	free(n->group);
	free(n->last);
	free(n->within);
}

static struct error *nest_init(struct nest *n, const struct snapshot *s)
{
	const size_t rows = s->suspended.n + 1;
	n->s = s;
	n->above = calloc((size_t)s->object.n + 1, sizeof(*n->above));
	n->parent = calloc(rows, sizeof(*n->parent));
	n->first = calloc(rows, sizeof(*n->first));
	n->next = calloc(rows, sizeof(*n->next));
	n->group = calloc(rows, sizeof(*n->group));
	n->last = calloc(rows, sizeof(*n->last));
	n->within = calloc(rows, sizeof(*n->within));
	bool all = n->above && n->parent && n->first && n->next && n->group && n->last && n->within;
	return all ? NULL : &error_nomem;
}

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

static void nest_tree(struct nest *n)
{
	const struct snapshot *s = n->s;
	for (uint64_t i = 0; i < s->suspended.n; i++)
		n->above[s->suspended.at[i].object_id] = (uint32_t)i + 1;
	for (uint64_t i = s->suspended.n; i; i--) {
		uint32_t up = s->object.dominator[s->suspended.at[i - 1].object_id - 1];
		uint32_t found = up ? nest_above(n, up) : NEST_NONE;
		n->parent[i] = found == NEST_NONE ? 0 : found;
		n->next[i] = n->first[n->parent[i]];
		n->first[n->parent[i]] = (uint32_t)i;
	}
}

/* The empty string is as unknown as none. */
static uint32_t known_string(const struct snapshot *s, uint32_t id)
{
	return id && s->strings.entry[id].len ? id : 0;
}

static int group_order(const void *pa, const void *pb, void *arg)
{
	const struct snapshot *s = arg;
	const struct suspended_row *a = &s->suspended.at[*(const uint32_t *)pa - 1];
	const struct suspended_row *b = &s->suspended.at[*(const uint32_t *)pb - 1];
	const uint32_t x[] = {a->kind, a->state, a->line, known_string(s, a->function),
			      known_string(s, a->file)};
	const uint32_t y[] = {b->kind, b->state, b->line, known_string(s, b->function),
			      known_string(s, b->file)};
	for (unsigned i = 0; i < sizeof(x) / sizeof(*x); i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

static struct error *nest_groups(struct nest *n, struct snapshot *s)
{
	const uint64_t rows = s->suspended.n;
	_cleanup_free_ uint32_t *order = calloc(rows, sizeof(*order));
	if (!order)
		return &error_nomem;
	for (uint64_t i = 0; i < rows; i++)
		order[i] = (uint32_t)i + 1;
	qsort_r(order, rows, sizeof(*order), group_order, s);
	for (uint64_t i = 0, group = 0; i < rows; i++) {
		group += i && group_order(&order[i - 1], &order[i], s);
		n->group[order[i]] = (uint32_t)group;
	}
	return NULL;
}

static void nest_walk(struct nest *n)
{
	for (uint32_t at = n->first[0]; at;) {
		n->within[at] = n->last[n->group[at]];
		n->last[n->group[at]] = at;
		if (n->first[at]) {
			at = n->first[at];
			continue;
		}
		for (; at; at = n->parent[at]) {
			n->last[n->group[at]] = n->within[at];
			if (n->next[at])
				break;
		}
		at = n->next[at];
	}
}

static struct error *nest_find(struct snapshot *s)
{
	_cleanup_(nest_deinit) struct nest n = {0};
	struct error *err = nest_init(&n, s);
	if (err)
		return err;
	nest_tree(&n);
	err = nest_groups(&n, s);
	if (err)
		return err;
	nest_walk(&n);
	for (uint64_t i = 0; i < s->suspended.n; i++) {
		uint32_t in = n.within[i + 1];
		s->suspended.at[i].within_id = in ? s->suspended.at[in - 1].object_id : 0;
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
