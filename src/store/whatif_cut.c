#include "store/whatif_cut.h"

#include "base/bits.h"
#include "base/cleanup.h"
#include "store/embed.h"
#include "store/whatif_impl.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAYS_MOST = 1000,	 /* cut together */
	HEADS_MOST = 1000,	 /* with those that they hold together */
	ROUNDS_MOST = 100,	 /* in which heads go back */
	REFERRERS_MOST = 200000, /* of one head that are looked at: a quarter of a second */
	HELD_MOST = 20000,	 /* steps of the scan's own path */
	CLIMB_MOST = 400000,	 /* dominators, where a subtree is not whole */
	WAITING_MOST = 200000,	 /* free objects whose counts are followed: half a second */
};

struct head {
	uint32_t id;
	bool target; /* it was asked about: no key, nothing held together */
	bool free;
	bool whole;	     /* all that it dominates is in w->block: */
	uint64_t first, end; /* these; itself first */
	uint64_t retained;
};

struct cut {
	struct whatif *w;
	struct whatif_cut *ret;
	VEC(struct head) head;
	VEC(int64_t) reference, root; /* that are cut: sorted */
	struct bits in;		      /* below a head that is free */
	struct bits own;	      /* below the one head that is looked at */
	struct bits kept;	      /* the scan came to it by a way that is not cut */
	uint64_t
		asked; /* of the heads: by the caller, and the keys of those; the rest is held together */
	uint64_t budget, climbed;
	sqlite3_stmt *held; /* NULL: a database from before there was such a column */
	bool complete;
};

static void cut_deinit(struct cut *c)
{
	vec_deinit(&c->head);
	vec_deinit(&c->reference);
	vec_deinit(&c->root);
	bits_deinit(&c->in);
	bits_deinit(&c->own);
	bits_deinit(&c->kept);
	sqlite3_finalize(c->held);
}

void whatif_cut_deinit(struct whatif_cut *c)
{
	vec_deinit(&c->holder);
	vec_deinit(&c->taken);
}

static int number_compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static bool is_cut(const int64_t *list, uint64_t n, int64_t number)
{
	return n && bsearch(&number, list, n, sizeof(number), number_compare);
}

static bool reference_is_cut(const struct cut *c, int64_t rowid)
{
	return is_cut(c->reference.at, c->reference.n, rowid);
}

static bool root_is_cut(const struct cut *c, int64_t id)
{
	return is_cut(c->root.at, c->root.n, id);
}

/* ---- heads ---- */

/* What it dominates, marked; an object that is gone from the database makes none. */
static struct error *head_add(struct cut *c, int64_t id, bool target)
{
	struct whatif *w = c->w;
	struct head h = {.target = target, .free = true, .first = w->block.n};
	for (uint64_t i = 0; i < c->head.n; i++) {
		if (c->head.at[i].id == id) {
			c->head.at[i].target |= target;
			return NULL;
		}
	}
	sqlite3_stmt *row = whatif_ask(w, WHATIF_OBJECT, id);
	int rc = sqlite3_step(row);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? NULL : whatif_error(w);
	h.retained = (uint64_t)sqlite3_column_int64(row, 4);
	struct error *err = whatif_block(w, row);
	if (err)
		return err;
	h.id = w->block.at[h.first].id;
	err = whatif_subtree(w, h.first, c->budget, &h.whole);
	h.end = w->block.n;
	c->complete &= h.whole;
	return err ? err : vec_push(&c->head, h);
}

static void head_mark(const struct cut *c, const struct head *h, struct bits *in)
{
	for (uint64_t i = h->first; i < h->end; i++)
		if (c->w->block.at[i].id < in->n)
			bits_set(in, c->w->block.at[i].id);
}

/* It is not free after all. What it shares with others that are stays. */
static void head_back(struct cut *c, struct head *h)
{
	h->free = false;
	/* Of what is not whole, more was marked on the way. */
	if (!h->whole)
		memset(c->in.word, 0, (c->in.n / 64 + 1) * sizeof(*c->in.word));
	for (uint64_t i = h->first; i < h->end; i++)
		if (c->w->block.at[i].id < c->in.n)
			bits_clear(&c->in, c->w->block.at[i].id);
	for (uint64_t i = 0; i < c->head.n; i++)
		if (c->head.at[i].free)
			head_mark(c, &c->head.at[i], &c->in);
}

/* Climbs dominators from `id` to what is in `in`; true: it came there, and all on the way is in it, too. */
static bool climb(struct cut *c, int64_t id, struct bits *in)
{
	int64_t at = id;
	while (at > 0 && (uint64_t)at < in->n && !bits_test(in, (uint64_t)at)) {
		sqlite3_stmt *row = whatif_ask(c->w, WHATIF_OBJECT, at);
		if (++c->climbed >= CLIMB_MOST || sqlite3_step(row) != SQLITE_ROW)
			return false;
		at = sqlite3_column_int64(row, 5);
	}
	if (at <= 0 || (uint64_t)at >= in->n)
		return false;
	while (!bits_test(in, (uint64_t)id)) {
		bits_set(in, (uint64_t)id);
		sqlite3_stmt *row = whatif_ask(c->w, WHATIF_OBJECT, id);
		if (sqlite3_step(row) != SQLITE_ROW)
			break;
		id = sqlite3_column_int64(row, 5);
	}
	return true;
}

/*
 * Is the object below a head that is free, or (of) below that one, which is in c->own? Where a subtree is
 * not whole, `false` is certain only as long as c->climbed has not come to CLIMB_MOST.
 */
static bool cut_below(struct cut *c, int64_t id, const struct head *of)
{
	struct bits *in = of ? &c->own : &c->in;
	if (id <= 0 || (uint64_t)id >= in->n)
		return false;
	if (bits_test(in, (uint64_t)id))
		return true;
	for (uint64_t i = 0; i < c->head.n; i++) {
		const struct head *h = &c->head.at[i];
		if (!h->whole && (of ? h == of : h->free))
			return climb(c, id, in);
	}
	return false;
}

/*
 * Does another way lead to it: one that does not come from what is free? With a list: all such ways
 * but those from below itself are counted, the first of them told.
 */
static struct error *head_held(struct cut *c, const struct head *h, bool list, bool *ret)
{
	struct whatif *w = c->w;
	struct whatif_cut *out = c->ret;
	struct error *err = NULL;
	int64_t rows = 0;
	int rc;
	*ret = false;
	sqlite3_stmt *stmt = whatif_ask(w, WHATIF_ROOTS, h->id);
	sqlite3_bind_int64(stmt, 2, REFERRERS_MOST);
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const int64_t id = sqlite3_column_int64(stmt, 0);
		rows++;
		if (root_is_cut(c, id))
			continue;
		*ret = true;
		if (!list)
			return NULL;
		out->r.others++;
		if (out->holder.n < WHATIF_TOLD)
			err = vec_push(&out->holder, ((struct whatif_holder){{.root = id}, h->id}));
	}
	if (err || rc != SQLITE_DONE)
		return err ? err : whatif_error(w);
	stmt = whatif_ask(w, WHATIF_REFERRERS, h->id);
	sqlite3_bind_int64(stmt, 2, REFERRERS_MOST);
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const int64_t id = sqlite3_column_int64(stmt, 0),
			      src = sqlite3_column_int64(stmt, 1);
		rows++;
		if (reference_is_cut(c, id) || cut_below(c, src, list ? h : NULL))
			continue;
		if (c->climbed >= CLIMB_MOST)
			break;
		*ret = true;
		if (!list)
			return NULL;
		out->r.others++;
		if (out->holder.n < WHATIF_TOLD)
			err = vec_push(&out->holder,
				       ((struct whatif_holder){{.reference = id}, h->id}));
	}
	if (err || (rc != SQLITE_DONE && rc != SQLITE_ROW))
		return err ? err : whatif_error(w);
	/* What was not looked at may hold it: then it is not free for certain. */
	if (rows >= REFERRERS_MOST || c->climbed >= CLIMB_MOST) {
		c->complete = false;
		*ret = true;
	}
	return NULL;
}

/* What is below it, into c->own. */
static struct error *own_mark(struct cut *c, const struct head *h)
{
	bits_deinit(&c->own);
	struct error *err = bits_init(&c->own, c->in.n);
	if (!err)
		head_mark(c, h, &c->own);
	return err;
}

static struct error *head_list(struct cut *c, const struct head *h)
{
	bool held;
	struct error *err = own_mark(c, h);
	return err ? err : head_held(c, h, true, &held);
}

/* ---- what two heads hold together ---- */

/*
 * Is it certain that another way leads to an object? The way on which the scan came to it says so, if
 * nothing of that is cut. It may be that none does, and yet this does not know.
 */
static bool cut_certainly_held(struct cut *c, int64_t id)
{
	if (!c->held || id <= 0 || (uint64_t)id >= c->kept.n)
		return true;
	if (bits_test(&c->kept, (uint64_t)id))
		return true;
	int64_t at = id;
	for (unsigned n = 0; n < HELD_MOST; n++) {
		sqlite3_reset(c->held);
		sqlite3_bind_int64(c->held, 1, at);
		if (sqlite3_step(c->held) != SQLITE_ROW)
			break;
		if (reference_is_cut(c, sqlite3_column_int64(c->held, 0)))
			return false;
		at = sqlite3_column_int64(c->held, 1);
	}
	bool held = false;
	sqlite3_stmt *root = whatif_ask(c->w, WHATIF_ROOTS, at);
	sqlite3_bind_int64(root, 2, REFERRERS_MOST);
	while (!held && sqlite3_step(root) == SQLITE_ROW)
		held = !root_is_cut(c, sqlite3_column_int64(root, 0));
	if (held)
		bits_set(&c->kept, (uint64_t)id);
	return held;
}

/* What the objects below a head refer to, outside: heads, if they may be free. */
static struct error *head_explore(struct cut *c, uint64_t at)
{
	struct error *err = NULL;
	for (uint64_t i = c->head.at[at].first; i < c->head.at[at].end && !err; i++) {
		int rc = SQLITE_DONE;
		sqlite3_stmt *row = whatif_ask(c->w, WHATIF_REFERENTS, c->w->block.at[i].id);
		while (!err && c->complete && (rc = sqlite3_step(row)) == SQLITE_ROW) {
			const int64_t dst = sqlite3_column_int64(row, 0);
			if (dst <= 0 || (uint64_t)dst >= c->in.n ||
			    bits_test(&c->in, (uint64_t)dst) || cut_certainly_held(c, dst))
				continue;
			if (c->head.n == HEADS_MOST) {
				c->complete = false;
				break;
			}
			const uint64_t n = c->head.n;
			err = head_add(c, dst, false);
			if (c->head.n > n)
				head_mark(c, &c->head.at[n], &c->in);
		}
		if (!err && c->complete && rc != SQLITE_DONE)
			err = whatif_error(c->w);
	}
	return err;
}

/*
 * Heads that no single one of those asked about (the first ones) holds, but only several of them. Ways to
 * such an object come from two of them at least, so the biggest need not be searched.
 */
static struct error *cut_explore(struct cut *c)
{
	struct error *err = NULL;
	uint64_t biggest = UINT64_MAX, most = 0;
	for (uint64_t i = 0; i < c->asked; i++) {
		const struct head *h = &c->head.at[i];
		if (h->free && h->end - h->first > most) {
			biggest = i;
			most = h->end - h->first;
		}
	}
	for (uint64_t i = 0; i < c->head.n && !err && c->complete; i++)
		if (i != biggest && c->head.at[i].free)
			err = head_explore(c, i);
	if (err || c->complete)
		return err;
	/* Not all was looked at: without these it is no more than the truth. */
	for (uint64_t i = c->asked; i < c->head.n; i++)
		if (c->head.at[i].free)
			head_back(c, &c->head.at[i]);
	return NULL;
}

/* ---- which heads are free ---- */

/* It goes back. If others are below it, it hid what these hold together. */
static struct error *settle_back(struct cut *c, struct head *h)
{
	bool hid = false;
	head_back(c, h);
	if (!c->complete || c->asked < 2)
		return NULL;
	struct error *err = own_mark(c, h);
	for (uint64_t i = 0; i < c->head.n && !err; i++)
		hid |= c->head.at[i].free && c->head.at[i].id < c->own.n &&
		       bits_test(&c->own, c->head.at[i].id);
	return err || !hid ? err : cut_explore(c);
}

/* Heads that another way leads to go back, until all others are free for certain. */
static struct error *cut_settle(struct cut *c)
{
	bool again = true;
	for (unsigned round = 0; again; round++) {
		again = false;
		for (uint64_t i = 0; i < c->head.n; i++) {
			struct error *err = NULL;
			bool held = true;
			if (!c->head.at[i].free)
				continue;
			if (round < ROUNDS_MOST)
				err = head_held(c, &c->head.at[i], false, &held);
			else
				c->complete = false;
			if (!err && held) {
				err = settle_back(c, &c->head.at[i]);
				again = true;
			}
			if (err)
				return err;
		}
	}
	return NULL;
}

/* ---- what only a collector finds ---- */

static int id_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

struct counts {
	uint32_t *id; /* sorted */
	uint32_t *count;
	uint32_t *queue;
	uint32_t n;
};

static struct error *counts_init(struct counts *k, const struct whatif *w)
{
	k->n = (uint32_t)w->block.n;
	k->id = calloc((size_t)k->n + 1, sizeof(*k->id));
	k->count = calloc((size_t)k->n + 1, sizeof(*k->count));
	k->queue = calloc((size_t)k->n + 1, sizeof(*k->queue));
	if (!k->id || !k->count || !k->queue)
		return &error_nomem;
	for (uint32_t i = 0; i < k->n; i++)
		k->id[i] = w->block.at[i].id;
	qsort(k->id, k->n, sizeof(*k->id), id_compare);
	return NULL;
}

static void counts_deinit(struct counts *k)
{
	free(k->id);
	free(k->count);
	free(k->queue);
}

/* Adds 1 to the counts of what object i refers to, or takes 1 away; `queue` gets those that come to 0. */
static struct error *counts_step(struct counts *k, struct whatif *w, uint32_t i, bool add,
				 uint32_t *queued)
{
	int rc;
	sqlite3_stmt *row = whatif_ask(w, WHATIF_REFERENTS, k->id[i]);
	while ((rc = sqlite3_step(row)) == SQLITE_ROW) {
		const uint32_t dst = (uint32_t)sqlite3_column_int64(row, 0);
		if (!sqlite3_column_int(row, 1))
			continue;
		const uint32_t *at = bsearch(&dst, k->id, k->n, sizeof(dst), id_compare);
		if (!at)
			continue;
		uint32_t *count = &k->count[at - k->id];
		if (add)
			++*count;
		else if (*count && !--*count)
			k->queue[(*queued)++] = (uint32_t)(at - k->id);
	}
	return rc == SQLITE_DONE ? NULL : whatif_error(w);
}

/* Takes the counts of all that is free down as the interpreter would; what keeps one is left to the collector. */
static struct error *cut_waiting(struct cut *c)
{
	_cleanup_(counts_deinit) struct counts k = {0};
	struct whatif *w = c->w;
	struct error *err = NULL;
	uint32_t queued = 0;
	if (!w->python || !c->complete || w->block.n > WAITING_MOST)
		return NULL;
	err = counts_init(&k, w);
	for (uint32_t i = 0; i < k.n && !err; i++)
		err = counts_step(&k, w, i, true, &queued);
	for (uint32_t i = 0; i < k.n; i++)
		if (!k.count[i])
			k.queue[queued++] = i;
	for (uint32_t at = 0; at < queued && !err; at++)
		err = counts_step(&k, w, k.queue[at], false, &queued);
	if (err)
		return err;
	c->ret->counted = true;
	for (uint64_t i = 0; i < w->block.n; i++) {
		const struct block *b = &w->block.at[i];
		const uint32_t *at = bsearch(&b->id, k.id, k.n, sizeof(b->id), id_compare);
		assert(at);
		if (!b->arena || !k.count[at - k.id])
			continue;
		c->ret->waiting_objects++;
		c->ret->waiting_bytes += b->size;
	}
	return NULL;
}

/* ---- all of it ---- */

/* The object that a way leads to, as a head; that of its key, too. */
static struct error *way_add(struct cut *c, const struct whatif_way *way)
{
	sqlite3_stmt *row = way->reference ? whatif_ask(c->w, WHATIF_REFERENCE, way->reference)
					   : whatif_ask(c->w, WHATIF_ROOT, way->root);
	int rc = sqlite3_step(row);
	if (rc == SQLITE_DONE)
		return error_new(ERROR_USAGE,
				 way->reference ? "no reference has number %" PRId64
						: "no root has number %" PRId64,
				 way->reference ? way->reference : way->root);
	if (rc != SQLITE_ROW)
		return whatif_error(c->w);
	if (!way->reference) {
		struct error *err = vec_push(&c->root, way->root);
		return err ? err : head_add(c, sqlite3_column_int64(row, 0), true);
	}
	const int64_t dst = sqlite3_column_int64(row, 1), key = sqlite3_column_int64(row, 2),
		      key_id = sqlite3_column_int64(row, 3);
	struct error *err = vec_push(&c->reference, way->reference);
	if (!err)
		err = head_add(c, dst, true);
	if (err || !key)
		return err;
	err = vec_push(&c->reference, key);
	if (!err)
		err = vec_push(&c->ret->taken, ((struct whatif_way){.reference = key}));
	return err ? err : head_add(c, key_id, false);
}

static struct error *cut_begin(struct cut *c, const struct whatif_way *way, uint64_t n)
{
	struct whatif *w = c->w;
	w->block.n = 0;
	const char *held = embed_find("query/path_held.sql");
	assert(held);
	if (w->last_id > UINT32_MAX)
		return error_new(ERROR_INPUT, "what if: object %" PRIu64 " is none of heapscan's",
				 w->last_id);
	if (n > WAYS_MOST)
		return error_new(ERROR_USAGE, "%" PRIu64 " references are too many to cut at once",
				 n);
	struct error *err = bits_init(&c->in, w->last_id + 1);
	if (!err)
		err = bits_init(&c->kept, w->last_id + 1);
	if (!err && sqlite3_prepare_v2(w->db, held, -1, &c->held, NULL))
		c->held = NULL;
	for (uint64_t i = 0; i < n && !err; i++)
		err = way_add(c, &way[i]);
	if (c->reference.n)
		qsort(c->reference.at, c->reference.n, sizeof(int64_t), number_compare);
	if (c->root.n)
		qsort(c->root.at, c->root.n, sizeof(int64_t), number_compare);
	for (uint64_t i = 0; i < c->head.n; i++)
		head_mark(c, &c->head.at[i], &c->in);
	return err;
}

/* What is free, each block once, into w->block. What is not whole counts as retained. */
static void cut_sum(struct cut *c)
{
	struct whatif *w = c->w;
	struct whatif_result *r = &c->ret->r;
	uint64_t n = 0, retained = 0;
	bool whole = true;
	r->looked_at = w->block.n;
	for (uint64_t k = 0; k < c->head.n; k++) {
		const struct head *h = &c->head.at[k];
		if (!h->free)
			continue;
		whole &= h->whole;
		/* Below another one it was counted, or will be. */
		bool nested = c->complete;
		for (uint64_t i = 0; i < c->head.n && !nested; i++)
			nested = i != k && c->head.at[i].free &&
				 whatif_below(w, h->id, c->head.at[i].id, CLIMB_MOST, &c->climbed);
		retained += nested ? 0 : h->retained;
		for (uint64_t i = h->first; i < h->end; i++) {
			const struct block b = w->block.at[i];
			if (b.id >= c->in.n || !bits_test(&c->in, b.id))
				continue;
			bits_clear(&c->in, b.id);
			w->block.at[n++] = b;
		}
	}
	w->block.n = n;
	whatif_sum(w, r);
	if (!whole)
		r->bytes = retained;
}

struct error *whatif_cut(struct whatif *w, const struct whatif_way *way, uint64_t n,
			 uint64_t budget, struct whatif_cut *ret)
{
	_cleanup_(cut_deinit) struct cut c = {
		.w = w, .ret = ret, .budget = budget ? budget : 1, .complete = true};
	*ret = (struct whatif_cut){0};
	struct error *err = cut_begin(&c, way, n);
	c.asked = c.head.n;
	if (!err && c.asked > 1 && c.complete)
		err = cut_explore(&c);
	if (!err)
		err = cut_settle(&c);
	/* What holds a target that is not free, by what is free or not: all that is not below itself. */
	for (uint64_t i = 0; i < c.asked && !err; i++)
		if (c.head.at[i].target && !c.head.at[i].free)
			err = head_list(&c, &c.head.at[i]);
	if (err)
		return err;
	cut_sum(&c);
	ret->r.complete = c.complete;
	return cut_waiting(&c);
}
