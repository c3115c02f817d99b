/* diff_pair: see diff_impl.h. */
#include "cmd/diff_impl.h"

#include "base/cleanup.h"
#include "base/parallel.h"
#include "cmd/diff_side.h"

#include <stdlib.h>

struct pair {
	struct cmd_context *ctx;
	const char *old_path, *new_path;
	struct side old, new;
	uint32_t *
		twin; /* by retention.id of the new side: of the same path on the old one; 0: none */
	uint64_t same_objects, same_bytes;
	uint64_t grew_objects, grew_bytes; /* of another size: that was changed in place */
};

static void pair_deinit(struct pair *p)
{
	side_deinit(&p->old);
	side_deinit(&p->new);
	free(p->twin);
}

static struct error *pair_error(const struct pair *p)
{
	return error_new(ERROR_INPUT, "comparing objects: %s", sqlite3_errmsg(p->ctx->store->db));
}

/* ---- both sides at a time ---- */

static struct error *open_old(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct pair *p = arg;
	(void)slice, (void)first, (void)end;
	return side_open(&p->old, p->old_path);
}

static struct error *open_new(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct pair *p = arg;
	(void)slice, (void)first, (void)end;
	return side_open(&p->new, p->new_path);
}

static struct error *hold_old(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct pair *p = arg;
	(void)slice, (void)first, (void)end;
	return side_hold(&p->old);
}

static struct error *hold_new(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct pair *p = arg;
	(void)slice, (void)first, (void)end;
	return side_hold(&p->new);
}

/* ---- pairing ---- */

static bool object_is_same(const struct side *old, uint32_t a, const struct side *new, uint32_t b)
{
	const uint64_t type = old->type[old->type_id[a]];
	return old->lead[a] == new->lead[b] &&
	       old->lead[a] != UINT32_MAX &&type == new->type[new->type_id[b]] &&
	       (type || old->size[a] == new->size[b]);
}

/* Both sides are in the order of addresses. */
static void pair_merge(struct pair *p)
{
	struct side *old = &p->old, *new = &p->new;
	for (uint32_t a = 1, b = 1; a <= old->n && b <= new->n;) {
		const uint64_t x = old->address[a], y = new->address[b];
		if (x == y && object_is_same(old, a, new, b)) {
			old->of[a].same = b;
			new->of[b].same = a;
			p->same_objects++;
			p->same_bytes += new->size[b];
			p->grew_objects += new->size[b] != old->size[a];
			p->grew_bytes += new->size[b] - old->size[a];
		}
		a += x <= y;
		b += y <= x;
	}
	for (uint32_t a = 1; a <= old->n; a++)
		if (!old->of[a].same) {
			old->objects++;
			old->bytes += old->size[a];
		}
	for (uint32_t b = 1; b <= new->n; b++)
		if (!new->of[b].same) {
			new->objects++;
			new->bytes += new->size[b];
		}
	side_paired(old);
	side_paired(new);
}

struct key {
	uint64_t key;
	uint32_t id;
};

static int key_compare(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	return x->key < y->key ? -1 : x->key > y->key;
}

static struct key *keys_sorted(const struct side *s)
{
	struct key *k = malloc(((size_t)s->nnode + 1) * sizeof(*k));
	for (uint32_t i = 0; k && i < s->nnode; i++)
		k[i] = (struct key){s->key[i + 1], i + 1};
	if (k)
		qsort(k, s->nnode, sizeof(*k), key_compare);
	return k;
}

static struct error *pair_nodes(struct pair *p)
{
	_cleanup_free_ struct key *old = keys_sorted(&p->old), *new = keys_sorted(&p->new);
	p->twin = calloc((size_t)p->new.nnode + 1, sizeof(*p->twin));
	if (!old || !new || !p->twin)
		return &error_nomem;
	for (uint32_t a = 0, b = 0; a < p->old.nnode && b < p->new.nnode;) {
		const uint64_t x = old[a].key, y = new[b].key;
		if (x == y)
			p->twin[new[b].id] = old[a].id;
		a += x <= y;
		b += y <= x;
	}
	return NULL;
}

/* ---- rows ---- */

static struct error *insert(struct pair *p, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? NULL : pair_error(p);
}

static struct error *holder_insert(struct pair *p, sqlite3_stmt *stmt, int64_t id, uint32_t old,
				   const struct side_gain *fresh, const struct side_gain *gone)
{
	cmd_bind_int(stmt, ":new_id", id);
	cmd_bind_int(stmt, ":old_id", old);
	cmd_bind_int(stmt, ":old_members", old ? p->old.degree[old] : 0);
	cmd_bind_int(stmt, ":new_members", old ? p->new.degree[id] : 0);
	cmd_bind_int(stmt, ":new_objects", (int64_t)fresh->objects);
	cmd_bind_int(stmt, ":new_bytes", (int64_t)fresh->bytes);
	cmd_bind_int(stmt, ":gone_objects", (int64_t)gone->objects);
	cmd_bind_int(stmt, ":gone_bytes", (int64_t)gone->bytes);
	cmd_bind_int(stmt, ":sample_id", fresh->sample);
	return insert(p, stmt);
}

static struct error *pair_holders(struct pair *p)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	static const struct side_gain none = {0};
	struct side *s = &p->new;
	struct error *err = cmd_prepare(p->ctx, "growth/holder.sql", 0, &stmt);
	for (uint32_t id = 1; id <= s->n && !err; id++) {
		uint32_t old = s->of[id].same;
		/* a buffer's are its owner's */
		if (old && !(s->of[id].owner && s->of[s->of[id].owner].same) &&
		    (s->gain[id].bytes || s->degree[id] > p->old.degree[old]))
			err = holder_insert(p, stmt, id, old, &s->gain[id], &p->old.gain[old]);
	}
	for (uint32_t node = 1; node <= s->nnode && !err; node++) {
		uint32_t twin = p->twin[node];
		if (s->top[node].bytes)
			err = holder_insert(p, stmt, -(int64_t)node, 0, &s->top[node],
					    twin ? &p->old.top[twin] : &none);
	}
	return err;
}

static struct error *pair_states(struct pair *p)
{
	const struct {
		const char *name;
		uint64_t objects, bytes;
	} state[] = {{"new", p->new.objects, p->new.bytes},
		     {"gone", p->old.objects, p->old.bytes},
		     {"same", p->same_objects, p->same_bytes},
		     {"grew", p->grew_objects, p->grew_bytes}};
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(p->ctx, "growth/pairing.sql", 0, &stmt);
	for (unsigned i = 0; i < sizeof(state) / sizeof(*state) && !err; i++) {
		cmd_bind_text(stmt, ":state", state[i].name);
		cmd_bind_int(stmt, ":objects", (int64_t)state[i].objects);
		cmd_bind_int(stmt, ":bytes", (int64_t)state[i].bytes);
		err = insert(p, stmt);
	}
	return err;
}

static struct error *pair_sets(struct pair *p)
{
	_cleanup_stmt_ sqlite3_stmt *news = NULL, *olds = NULL;
	struct error *err = cmd_prepare(p->ctx, "growth/new_object.sql", 0, &news);
	if (!err)
		err = cmd_prepare(p->ctx, "growth/gone_object.sql", 0, &olds);
	for (uint32_t id = 1; id <= p->new.n && !err; id++) {
		if (p->new.of[id].same)
			continue;
		cmd_bind_int(news, ":id", id);
		cmd_bind_int(news, ":holder_id", p->new.holder[id]);
		err = insert(p, news);
	}
	for (uint32_t id = 1; id <= p->old.n && !err; id++) {
		if (p->old.of[id].same)
			continue;
		cmd_bind_int(olds, ":id", id);
		err = insert(p, olds);
	}
	return err;
}

static struct error *pair_names(struct pair *p, bool all)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(p->ctx, "growth/holder_names.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":all", all);
	cmd_bind_int(stmt, ":least", LEAST_BYTES);
	cmd_bind_int(stmt, ":few", LEAST_OBJECTS);
	return insert(p, stmt);
}

static struct error *pair_rows(struct pair *p, bool sets)
{
	sqlite3 *db = p->ctx->store->db;
	/* One lock on the files that are attached, not one for each row. */
	if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL))
		return pair_error(p);
	struct error *err = pair_states(p);
	if (!err)
		err = pair_holders(p);
	if (!err)
		err = pair_names(p, sets || p->ctx->opt.all);
	if (!err)
		err = diff_rooms(p->ctx, &p->old, &p->new, sets || p->ctx->opt.all);
	if (!err && sets)
		err = pair_sets(p);
	if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) && !err)
		err = pair_error(p);
	return err;
}

struct error *diff_pair(struct cmd_context *ctx, const char *old, const char *new, bool sets)
{
	_cleanup_(pair_deinit) struct pair p = {.ctx = ctx, .old_path = old, .new_path = new};
	void *const arg[] = {&p, &p};
	struct error *err = parallel_jobs(2, (const parallel_fn[]){open_old, open_new}, arg);
	if (err)
		return err;
	pair_merge(&p);
	err = pair_nodes(&p);
	if (!err)
		err = parallel_jobs(2, (const parallel_fn[]){hold_old, hold_new}, arg);
	return err ? err : pair_rows(&p, sets);
}
