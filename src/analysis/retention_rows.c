/*
 * The rows of snapshot.retention, from the trie. When there are more nodes than a table should have, those
 * with the fewest bytes go: all below one parent that are small, with what hangs off them, become one row
 * "...". The bound is a power of two, so that two dumps of a process seldom have different ones; and it is far
 * below what anybody would look for, since there are few big nodes.
 */
#include "analysis/retention_impl.h"

#include "base/cleanup.h"
#include "graph/csr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	PATH_TEXT = 400, /* bytes of a path; of a longer one the middle is left out */
};

struct rows {
	struct trie *t;
	uint32_t most;
	uint32_t *into;	      /* by node: which one it is (meets_join); NULL: itself */
	uint32_t *row;	      /* by node: id of its row; NULL: the node's own */
	uint32_t kept;	      /* rows of one node each; behind them, rows of small ones */
	VEC(uint32_t) parent; /* of each of the latter: the row off which they hang */
};

static void rows_deinit(struct rows *r)
{
	free(r->into);
	free(r->row);
	vec_deinit(&r->parent);
}

static inline uint32_t row_of(const struct rows *r, uint32_t node)
{
	return r->row ? r->row[node] : node;
}

/* ---- which nodes have a row ---- */

static inline uint32_t node_of(const struct rows *r, uint32_t node)
{
	return r->into ? r->into[node] : node;
}

/* Bytes of each node, with what is below. Parents come before their children. */
static uint64_t *node_bytes(const struct rows *r)
{
	const struct trie *t = r->t;
	const struct object_table *o = &t->s->object;
	uint64_t *bytes = csr_zalloc(t->node.n, sizeof(*bytes));
	if (!bytes)
		return NULL;
	for (uint32_t i = 0; i < o->n; i++)
		bytes[node_of(r, o->retention[i])] += o->size[i];
	for (uint64_t i = t->node.n; --i;)
		bytes[t->node.at[i].parent] += bytes[i];
	return bytes;
}

/* The bound: 0 when all nodes have a row. */
static uint64_t rows_least(const struct trie *t, const uint64_t *bytes, uint32_t most)
{
	uint64_t count[64] = {0}, left = t->node.n;
	for (uint64_t i = 1; i < t->node.n; i++)
		count[bytes[i] ? 63 - __builtin_clzll(bytes[i]) : 0]++;
	unsigned log = 0;
	while (log < 63 && left > most)
		left -= count[log++];
	return log ? UINT64_C(1) << log : 0;
}

static struct error *rows_choose(struct rows *r)
{
	struct trie *t = r->t;
	if (t->node.n <= r->most && !r->into) {
		r->kept = (uint32_t)t->node.n - 1;
		return NULL;
	}
	_cleanup_free_ uint64_t *bytes = node_bytes(r);
	/* By row: the one of its small children. */
	_cleanup_free_ uint32_t *small = csr_zalloc(t->node.n, sizeof(*small));
	r->row = csr_zalloc(t->node.n, sizeof(*r->row));
	if (!bytes || !small || !r->row)
		return &error_nomem;
	const uint64_t least = rows_least(t, bytes, r->most);
	for (uint32_t i = 1; i < t->node.n; i++)
		if (i <= RETENTION_OTHER || (bytes[i] >= least && node_of(r, i) == i))
			r->row[i] = ++r->kept;
	for (uint32_t i = 1; i < t->node.n; i++) {
		const uint32_t up = r->row[t->node.at[i].parent];
		if (r->row[i])
			continue;
		if (node_of(r, i) != i) { /* a lower one, which has been here */
			r->row[i] = r->row[node_of(r, i)];
			continue;
		}
		if (up > r->kept) { /* a small one's, and its parent has been here */
			r->row[i] = up;
			continue;
		}
		if (!small[up]) {
			struct error *err = vec_push(&r->parent, up);
			if (err)
				return err;
			small[up] = r->kept + (uint32_t)r->parent.n;
		}
		r->row[i] = small[up];
	}
	return NULL;
}

/* ---- what they say ---- */

static uint64_t key_mix(uint64_t h, const char *text)
{
	/* FNV-1a, 64 bits: equal in every run, which is all that is asked of it. */
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t row_key(const struct snapshot *s, const struct retention_row *row)
{
	uint64_t h = key_mix(row->parent_id ? s->retention.at[row->parent_id - 1].key
					    : UINT64_C(0xcbf29ce484222325),
			     intern_text(&s->strings, row->step));
	if (!row->type_id)
		return h;
	const struct type_row *type = &s->type.at[row->type_id - 1];
	h = key_mix(h, intern_text(&s->strings, type->language));
	h = key_mix(h, intern_text(&s->strings, type->module));
	return key_mix(h, intern_text(&s->strings, type->name));
}

/* The parents' text is there: they come first. */
static struct error *row_path(struct snapshot *s, struct retention_row *row, bool star)
{
	const char *before =
		row->parent_id ? intern_text(&s->strings, s->retention.at[row->parent_id - 1].path)
			       : "";
	const char *step = intern_text(&s->strings, row->step);
	size_t len = strlen(before);
	char text[2 * PATH_TEXT];
	int n;
	if (len > PATH_TEXT) {
		size_t from = len - PATH_TEXT / 2, to = PATH_TEXT / 4;
		while (from < len && (before[from] & 0xc0) == 0x80)
			from++;
		while (to && (before[to] & 0xc0) == 0x80)
			to--;
		n = snprintf(text, sizeof(text), "%.*s~%s%s", (int)to, before, before + from, step);
	} else {
		n = snprintf(text, sizeof(text), "%s%s", before, step);
	}
	size_t at = (size_t)n < sizeof(text) - 2 ? (size_t)n : sizeof(text) - 2;
	if (star && text[at - 1] != '*')
		text[at++] = '*';
	return intern_add(&s->strings, text, at, &row->path);
}

static struct error *row_add(struct snapshot *s, struct retention_row row, bool star)
{
	row.key = row_key(s, &row);
	struct error *err = row_path(s, &row, star);
	return err ? err : vec_push(&s->retention, row);
}

/* ---- what is there ---- */

static void rows_count(const struct rows *rows)
{
	const struct trie *t = rows->t;
	struct snapshot *s = t->s;
	const struct object_table *o = &s->object;
	struct retention_row *row = s->retention.at;
	for (uint32_t i = 0; i < o->n; i++) {
		const struct trie_node *node = &t->node.at[node_of(rows, o->retention[i])];
		struct retention_row *r;
		o->retention[i] = row_of(rows, o->retention[i]);
		r = &row[o->retention[i] - 1];
		r->bytes += o->size[i];
		if ((o->owner_id && o->owner_id[i]) ||
		    (node->flags & TRIE_OWNER && trie_type(t, i + 1) != node->type))
			continue;
		if (!r->object_id)
			r->object_id = i + 1;
		r->size = !r->objects || r->size == o->size[i] ? o->size[i] : RETENTION_VARIOUS;
		r->objects++;
	}
	for (uint64_t i = s->retention.n; i--;) {
		row[i].all_objects += row[i].objects;
		row[i].all_bytes += row[i].bytes;
		if (!row[i].parent_id)
			continue;
		row[row[i].parent_id - 1].all_objects += row[i].all_objects;
		row[row[i].parent_id - 1].all_bytes += row[i].all_bytes;
	}
}

struct error *trie_rows(struct trie *t, uint32_t most)
{
	struct snapshot *s = t->s;
	_cleanup_(rows_deinit) struct rows r = {.t = t, .most = most};
	struct error *err = meets_join(t, &r.into);
	trie_forget(t);
	if (!err)
		err = rows_choose(&r);
	s->retention.n = 0;
	if (!err)
		err = vec_reserve(&s->retention, r.kept + r.parent.n);
	for (uint32_t i = 1; i < t->node.n && !err; i++) {
		const struct trie_node *node = &t->node.at[i];
		struct retention_row row = {.step = node->step, .type_id = node->type};
		row.parent_id = node->parent ? row_of(&r, node->parent) : 0;
		if (row_of(&r, i) <= r.kept && node_of(&r, i) == i)
			err = row_add(s, row, node->flags & TRIE_STAR);
	}
	for (uint64_t i = 0; i < r.parent.n && !err; i++)
		err = row_add(s,
			      (struct retention_row){.parent_id = r.parent.at[i], .step = t->rest},
			      false);
	if (!err)
		rows_count(&r);
	return err;
}
