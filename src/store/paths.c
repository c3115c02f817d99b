#include "store/paths.h"

#include "base/cleanup.h"
#include "graph/path.h"
#include "store/embed.h"
#include "store/paths_sets.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	STEPS_MOST = 150000,	 /* objects looked at: a second, of ten million */
	STEPS_NAMED = 80000,	 /* where names are asked for, which costs more */
	REFERRERS_MOST = 20000,	 /* of one object */
	REFERRERS_READ = 200000, /* where types are to be avoided, with those */
	CANDIDATES_MOST = 4096,
	TYPES_MOST = 1 << 24, /* ids of types that are told apart */
	HELD_MOST = 100000,   /* steps of the scan's own path */
	WAYS_MOST = 2,	/* paths by other referrers than those on the ways that the search found */
	ROOTS_EACH = 4, /* of one object */
	SPARE = 2,	/* paths looked for, for each that is wanted: some say the same */
	ALSO_MOST = 3,	/* of the roots that say no more than a path: described */
	MODULES = 0,	/* quality, see path_roots.sql: a chain from here begins with a module, */
	MODULE_STEPS = 3, /* and reads shorter by these than it is */
	NAMED = 1,
	SURE = 2, /* the last quality of words that are not stale */
};

enum { TYPE_AVOID = 1, TYPE_WANTED = 2 };

struct candidate {
	const struct path *
		held; /* the path is one that the scan found, not one of the search's; NULL: is not */
	bool modules;  /* its root is sys.modules */
	uint32_t step; /* where it begins */
	int64_t root;  /* 0: it begins at an object of to_type */
	uint32_t quality, words, depth;
	uint32_t of;	   /* the one (from 1) that says what it says; 0: none */
	int64_t retention; /* see candidate_retention */
};

struct search {
	sqlite3 *db;
	const struct paths_query *query;
	struct path path;
	struct path held;	    /* the scan's own path, see search_held */
	struct path way[WAYS_MOST]; /* its paths to other referrers of the goal, see search_ways */
	unsigned ways;
	struct paths_sets sets;
	VEC(uint8_t) word; /* by step: references on the way to the goal that are not typed */
	VEC(uint8_t) wanted;
	VEC(uint8_t) type; /* by id: TYPE_AVOID, TYPE_WANTED */
	VEC(struct candidate) found;
	uint64_t max;	/* how many are asked for */
	uint64_t good;	/* of these, how many have a name all the way */
	uint32_t until; /* no deeper than that: enough was found; UINT32_MAX: not yet */
	sqlite3_stmt *referrers, *roots;
	sqlite3_stmt *hold; /* in the middle of its rows: no query locks the file anew */
	bool cut;	    /* not everything was looked at */
};

static void search_deinit(struct search *s)
{
	path_deinit(&s->path);
	path_deinit(&s->held);
	for (unsigned i = 0; i < s->ways; i++)
		path_deinit(&s->way[i]);
	paths_sets_deinit(&s->sets);
	vec_deinit(&s->word);
	vec_deinit(&s->wanted);
	vec_deinit(&s->type);
	vec_deinit(&s->found);
	sqlite3_finalize(s->referrers);
	sqlite3_finalize(s->roots);
	sqlite3_finalize(s->hold);
}

static struct error *search_error(const struct search *s)
{
	return error_new(ERROR_INPUT, "path: %s", sqlite3_errmsg(s->db));
}

static void candidate_rank(struct candidate *c)
{
	if (c->quality != MODULES)
		return;
	c->quality = NAMED;
	c->modules = true;
	c->depth -= c->depth < MODULE_STEPS ? c->depth : MODULE_STEPS;
}

static struct error *candidate_add(struct search *s, uint32_t at, int64_t root, uint32_t quality)
{
	struct candidate c = {
		.step = at,
		.root = root,
		.quality = quality,
		.words = s->word.at[at],
		.depth = s->path.step.at[at].depth,
	};
	candidate_rank(&c);
	/* Another root of the same object makes no other path. */
	bool other = !s->found.n || s->found.at[s->found.n - 1].step != at;
	s->good += other && c.quality == NAMED && !c.words;
	if (s->good == s->max && s->until == UINT32_MAX)
		s->until = s->path.step.at[at].depth + MODULE_STEPS;
	return vec_push(&s->found, c);
}

static void bind_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	sqlite3_bind_int64(stmt, sqlite3_bind_parameter_index(stmt, name), value);
}

static void bind_text(sqlite3_stmt *stmt, const char *name, const char *value)
{
	sqlite3_bind_text(stmt, sqlite3_bind_parameter_index(stmt, name), value, -1, SQLITE_STATIC);
}

/* *stop: a root with a name, behind which there is nothing to learn. */
static struct error *search_roots(struct search *s, uint32_t at, bool *stop)
{
	struct error *err = NULL;
	*stop = false;
	if (paths_set_lacks(&s->sets.rooted, s->path.step.at[at].vertex))
		return NULL;
	sqlite3_reset(s->roots);
	bind_int(s->roots, ":id", s->path.step.at[at].vertex);
	int rc;
	unsigned best = 9;
	while (!err && (rc = sqlite3_step(s->roots)) == SQLITE_ROW) {
		unsigned quality = (unsigned)sqlite3_column_int(s->roots, 1);
		/* Words say nothing new beside a name, and one of them says all of them. */
		if (best != 9 && quality > NAMED)
			continue;
		best = quality < best ? quality : best;
		err = candidate_add(s, at, sqlite3_column_int64(s->roots, 0), quality);
	}
	*stop = best <= NAMED && s->path.step.at[at].depth > 0;
	return err || rc == SQLITE_DONE ? err : search_error(s);
}

static struct error *search_expand(struct search *s, uint32_t at)
{
	struct error *err = NULL;
	unsigned n = 0, read = 0;
	int rc;
	/* What nothing leads to holds nothing; path_referrers_named.sql sees to that for itself. */
	if (paths_set_has(&s->sets.unreachable, s->path.step.at[at].vertex))
		return NULL;
	sqlite3_reset(s->referrers);
	bind_int(s->referrers, ":id", s->path.step.at[at].vertex);
	while (!err && (rc = sqlite3_step(s->referrers)) == SQLITE_ROW) {
		uint64_t before = s->path.step.n,
			 id = (uint64_t)sqlite3_column_int64(s->referrers, 3);
		unsigned type = id < s->type.n ? s->type.at[id] : 0;
		read++;
		if (type & TYPE_AVOID)
			continue;
		if (n == REFERRERS_MOST)
			break;
		err = path_add(&s->path, at, (uint32_t)sqlite3_column_int64(s->referrers, 1),
			       (uint64_t)sqlite3_column_int64(s->referrers, 0));
		n++;
		if (err || s->path.step.n == before)
			continue;
		unsigned word = s->word.at[at] + (sqlite3_column_int(s->referrers, 2) != 1);
		err = vec_push(&s->word, (uint8_t)(word > 255 ? 255 : word));
		if (!err)
			err = vec_push(&s->wanted, (uint8_t)(type & TYPE_WANTED));
	}
	s->cut |= n == REFERRERS_MOST || read == REFERRERS_READ;
	return err || rc == SQLITE_DONE || rc == SQLITE_ROW ? err : search_error(s);
}

/* Marks the types of such names; NULL: none. */
static struct error *search_types(struct search *s, const char *re, uint8_t mark)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	const char *sql = embed_find("query/path_types.sql");
	struct error *err = NULL;
	int rc = SQLITE_DONE;
	assert(sql);
	if (!re)
		return NULL;
	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL))
		return search_error(s);
	bind_text(stmt, ":re", re);
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		if (id < 0 || id > TYPES_MOST)
			continue;
		while (!err && s->type.n <= (uint64_t)id)
			err = vec_push(&s->type, 0);
		if (!err)
			s->type.at[id] |= mark;
	}
	return err || rc == SQLITE_DONE ? err : search_error(s);
}

static struct error *search_prepare(struct search *s)
{
	bool named = s->query->avoid || s->query->to_type;
	const char *referrers =
		embed_find(named ? "query/path_referrers_named.sql" : "query/path_referrers.sql");
	const char *roots = embed_find("query/path_roots.sql");
	const char *hold = embed_find("query/hold.sql");
	assert(referrers && roots && hold);
	if (sqlite3_prepare_v2(s->db, referrers, -1, &s->referrers, NULL) ||
	    sqlite3_prepare_v2(s->db, roots, -1, &s->roots, NULL) ||
	    sqlite3_prepare_v2(s->db, hold, -1, &s->hold, NULL) ||
	    sqlite3_step(s->hold) != SQLITE_ROW)
		return search_error(s);
	bind_int(s->referrers, ":limit", s->query->avoid ? REFERRERS_READ : REFERRERS_MOST);
	bind_int(s->roots, ":limit", ROOTS_EACH);
	bind_text(s->referrers, ":avoid", s->query->avoid);
	bind_text(s->roots, ":avoid", s->query->avoid);
	struct error *err = paths_sets_load(s->db, &s->sets);
	if (!err && s->sets.unreachable.known)
		bind_int(s->referrers, ":known", 1);
	if (!err)
		err = search_types(s, s->query->avoid, TYPE_AVOID);
	return err ? err : search_types(s, s->query->to_type, TYPE_WANTED);
}

/*
 * The path on which the scan came to the goal, or to the last step that p has already. *ret: its root is none of
 * what may be stale, and `root` is 0 when there is no such path, or it leads through the goal.
 */
static struct error *held_follow(struct search *s, struct path *p, struct candidate *ret)
{
	_cleanup_stmt_ sqlite3_stmt *step = NULL;
	const char *sql = embed_find("query/path_held.sql");
	uint32_t at = (uint32_t)p->step.n - 1;
	struct error *err = NULL;
	assert(sql);
	*ret = (struct candidate){.held = p};
	/* A database from before there was such a column has none. */
	if (sqlite3_prepare_v2(s->db, sql, -1, &step, NULL))
		return NULL;
	while (!err && at < HELD_MOST) {
		sqlite3_reset(step);
		bind_int(step, ":id", p->step.at[at].vertex);
		if (sqlite3_step(step) != SQLITE_ROW)
			break;
		ret->words += sqlite3_column_int(step, 2) != 1;
		err = path_add(p, at, (uint32_t)sqlite3_column_int64(step, 1),
			       (uint64_t)sqlite3_column_int64(step, 0));
		if (err || p->step.n == at + 1)
			return err; /* a ring: no path of ours */
		at++;
	}
	sqlite3_reset(s->roots);
	bind_int(s->roots, ":id", p->step.at[at].vertex);
	if (err || sqlite3_step(s->roots) != SQLITE_ROW)
		return err;
	ret->step = at;
	ret->root = sqlite3_column_int64(s->roots, 0);
	ret->quality = (uint32_t)sqlite3_column_int(s->roots, 1);
	ret->depth = at;
	candidate_rank(ret);
	return NULL;
}

/*
 * The path on which the scan came to the object: from the most telling root, however many objects lie
 * around. It is asked for when the search gave up.
 */
static struct error *search_held(struct search *s)
{
	struct candidate c;
	struct error *err = path_init(&s->held, s->query->goal);
	if (!err)
		err = held_follow(s, &s->held, &c);
	if (err || !c.root)
		return err;
	uint32_t vertex = s->held.step.at[c.step].vertex;
	for (uint64_t i = 0; i < s->found.n; i++)
		if (s->path.step.at[s->found.at[i].step].vertex == vertex)
			return NULL;
	return vec_push(&s->found, c);
}

/* Is the object the goal's own referrer on one of the first n paths? */
static bool way_shown(const struct search *s, uint64_t n, int64_t retention)
{
	for (uint64_t i = 0; i < n; i++)
		if (s->found.at[i].retention == retention)
			return true;
	return false;
}

/* How the goal's own referrer on this path is held: id of a retention row; 0: the goal is a root. */
static struct error *candidate_retention(struct search *s, sqlite3_stmt *stmt, struct candidate *c)
{
	const struct path *p = c->held ? c->held : &s->path;
	uint32_t at = c->step;
	while (p->step.at[at].depth > 1)
		at = p->step.at[at].next;
	c->retention = 0;
	if (!p->step.at[at].depth)
		return NULL;
	sqlite3_reset(stmt);
	bind_int(stmt, ":id", p->step.at[at].vertex);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		c->retention = sqlite3_column_int64(stmt, 0);
	return NULL;
}

/*
 * What else refers to the goal, and is itself held in another way than the referrers on the paths that were found:
 * all roots of a program may lead to one of them by short ways, and that a long list holds it, too, is still
 * another answer. They come behind the best path.
 */
static struct error *search_ways(struct search *s, uint64_t kept)
{
	_cleanup_stmt_ sqlite3_stmt *ways = NULL, *retention = NULL;
	const char *sql = embed_find("query/path_ways.sql");
	const char *of = embed_find("query/path_way.sql");
	struct error *err = NULL;
	assert(sql && of);
	/* A database from before there was such a column has none. */
	if (sqlite3_prepare_v2(s->db, sql, -1, &ways, NULL) ||
	    sqlite3_prepare_v2(s->db, of, -1, &retention, NULL))
		return NULL;
	for (uint64_t i = 0; i < kept && !err; i++)
		err = candidate_retention(s, retention, &s->found.at[i]);
	bind_int(ways, ":id", s->query->goal);
	bind_int(ways, ":limit", REFERRERS_MOST);
	while (!err && s->ways < WAYS_MOST && sqlite3_step(ways) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(ways, 3);
		if (way_shown(s, kept, id))
			continue;
		struct path *p = &s->way[s->ways];
		struct candidate c = {0};
		err = path_init(p, s->query->goal);
		if (!err)
			err = path_add(p, 0, (uint32_t)sqlite3_column_int64(ways, 1),
				       (uint64_t)sqlite3_column_int64(ways, 0));
		if (!err && p->step.n == 2)
			err = held_follow(s, p, &c);
		if (err || !c.root || c.quality > SURE) {
			path_deinit(p);
			*p = (struct path){0};
			continue;
		}
		s->ways++;
		c.retention = id;
		err = vec_push(&s->found, c);
		if (err)
			continue;
		/* Behind the best one, before the other paths and what says no more than these. */
		memmove(&s->found.at[s->ways + 1], &s->found.at[s->ways],
			(s->found.n - 1 - s->ways) * sizeof(c));
		s->found.at[s->ways] = c;
		for (uint64_t i = 0; i < s->found.n; i++)
			s->found.at[i].of += s->found.at[i].of > s->ways;
		kept++;
	}
	return err;
}

static int candidate_compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	if (x->quality != y->quality)
		return x->quality < y->quality ? -1 : 1;
	if (!x->words != !y->words)
		return x->words ? 1 : -1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->step < y->step ? -1 : x->step > y->step;
}

/*
 * The path (from 1) that says what c says; 0: none does. way[step]: the path that leads through it. Two ways
 * that have met stay together, so the first step that is marked is where they meet.
 */
static uint32_t candidate_of(const struct search *s, const uint32_t *way, const struct candidate *c)
{
	const struct path_step *step = s->path.step.at;
	uint32_t at = c->step;
	if (c->held)
		return 0;
	while (at != PATH_NONE && !way[at])
		at = step[at].next;
	if (at == PATH_NONE)
		return 0;
	const struct candidate *k = &s->found.at[way[at] - 1];
	if (at == c->step)
		return way[at]; /* the path leads through what c's root refers to */
	if (!step[at].depth)
		return 0; /* they share nothing but the goal */
	/* A word without a name, beside a chain that has one. */
	if (c->quality > NAMED && k->quality <= NAMED)
		return way[at];
	/* Every function leads to its module's variables. */
	return k->modules && step[k->step].depth - step[at].depth < MODULE_STEPS ? way[at] : 0;
}

/* The best candidates, at most `max`, and behind them those that say no more than one of these. */
static struct error *search_fold(struct search *s)
{
	uint64_t kept = 0;
	if (!s->found.n)
		return NULL;
	qsort(s->found.at, s->found.n, sizeof(*s->found.at), candidate_compare);
	_cleanup_free_ uint32_t *way = calloc(s->path.step.n, sizeof(*way));
	VEC(struct candidate) same = {0};
	struct error *err = way ? NULL : &error_nomem;
	for (uint64_t i = 0; i < s->found.n && !err; i++) {
		struct candidate c = s->found.at[i];
		c.of = candidate_of(s, way, &c);
		if (c.of)
			err = vec_push(&same, c);
		if (c.of || kept == s->max)
			continue;
		s->found.at[kept++] = c;
		for (uint32_t at = c.held ? PATH_NONE : c.step; at != PATH_NONE && !way[at];
		     at = s->path.step.at[at].next)
			way[at] = (uint32_t)kept;
	}
	s->found.n = kept;
	for (uint64_t i = 0; i < same.n && !err; i++)
		err = vec_push(&s->found, same.at[i]);
	vec_deinit(&same);
	if (!err && kept && !s->query->avoid && !s->query->to_type)
		err = search_ways(s, kept);
	return err;
}

static struct error *search_run(struct search *s)
{
	uint32_t at;
	struct error *err = path_init(&s->path, s->query->goal);
	if (!err)
		err = vec_push(&s->word, 0);
	if (!err)
		err = vec_push(&s->wanted, 0);
	s->max = SPARE * (s->query->max ? s->query->max : PATHS_WANTED);
	s->until = UINT32_MAX;
	const uint64_t most = s->query->avoid || s->query->to_type ? STEPS_NAMED : STEPS_MOST;
	while (!err && s->found.n < CANDIDATES_MOST && path_next(&s->path, &at)) {
		bool stop = false;
		if (s->path.step.at[at].depth > s->until)
			break;
		if (s->query->to_type) {
			stop = s->wanted.at[at];
			if (stop)
				err = candidate_add(s, at, 0, NAMED);
		} else {
			err = search_roots(s, at, &stop);
		}
		if (!err && !stop)
			err = search_expand(s, at);
		if (s->path.step.n > most) {
			s->cut = true;
			break;
		}
	}
	if (!err && s->cut && !s->query->avoid && !s->query->to_type)
		err = search_held(s);
	return err ? err : search_fold(s);
}

static struct error *search_row(const struct search *s, const struct candidate *c,
				struct paths *ret, struct paths_row *row)
{
	struct error *err = NULL;
	int64_t edge = 0;
	const struct path *path = c->held ? c->held : &s->path;
	*row = (struct paths_row){.root_id = c->root, .first = ret->step.n};
	for (uint32_t at = c->step; at != PATH_NONE && !err; at = path->step.at[at].next) {
		const struct path_step *p = &path->step.at[at];
		err = vec_push(&ret->step, ((struct paths_step){p->vertex, edge}));
		edge = (int64_t)p->edge;
	}
	row->n = ret->step.n - row->first;
	return err;
}

static struct error *search_result(const struct search *s, struct paths *ret)
{
	struct error *err = NULL;
	struct paths_row row;
	for (uint64_t i = 0; i < s->found.n && !err; i++) {
		const struct candidate *c = &s->found.at[i];
		struct paths_row *of = c->of ? &ret->row.at[c->of - 1] : NULL;
		if (of && of->also++ >= ALSO_MOST)
			continue;
		err = search_row(s, c, ret, &row);
		row.of = c->of;
		if (!err)
			err = of ? vec_push(&ret->also, row) : vec_push(&ret->row, row);
	}
	ret->looked_at = s->path.step.n;
	ret->complete = !s->cut;
	return err;
}

static void row_deinit(struct paths_row *row)
{
	free(row->expression);
	free(row->holder);
	*row = (struct paths_row){0};
}

/* The row among the first `n` that is written the same; n: none is. */
static uint64_t row_alike(const struct paths *p, uint64_t n, const struct paths_row *row)
{
	uint64_t i = 0;
	while (i < n && (!row->root_id || !p->row.at[i].root_id ||
			 strcmp(p->row.at[i].expression, row->expression)))
		i++;
	return i;
}

/*
 * Where one function holds it by the same names in several frames, the first of them says it. No more
 * than `most` are left.
 */
static struct error *paths_fold(struct paths *p, uint64_t most)
{
	struct error *err = NULL;
	uint64_t kept = 0, before = p->also.n;
	_cleanup_free_ uint64_t *became = calloc(p->row.n + 1, sizeof(*became));
	_cleanup_free_ struct paths_row *also = calloc(before + 1, sizeof(*also));
	if (!became || !also)
		return &error_nomem;
	if (before)
		memcpy(also, p->also.at, before * sizeof(*also));
	p->also.n = 0; /* what has a name comes first */
	for (uint64_t i = 0; i < p->row.n; i++) {
		struct paths_row row = p->row.at[i];
		p->row.at[i] = (struct paths_row){0};
		uint64_t alike = row_alike(p, kept, &row);
		if (alike < kept) {
			p->row.at[alike].also += 1 + row.also;
			became[i] = row.of = alike + 1;
			if (!err)
				err = vec_push(&p->also, row);
			if (err)
				row_deinit(&row);
		} else if (kept < most) {
			p->row.at[kept++] = row;
			became[i] = kept;
		} else {
			row_deinit(&row);
		}
	}
	p->row.n = kept;
	for (uint64_t i = 0; i < before; i++) {
		also[i].of = became[also[i].of - 1];
		if (!err)
			err = vec_push(&p->also, also[i]);
		if (err)
			row_deinit(&also[i]);
	}
	return err;
}

struct error *paths_find(sqlite3 *db, const struct paths_query *query, struct paths *ret)
{
	_cleanup_(search_deinit) struct search s = {.db = db, .query = query};
	*ret = (struct paths){0};
	struct error *err = search_prepare(&s);
	if (!err)
		err = search_run(&s);
	if (!err)
		err = search_result(&s, ret);
	if (!err)
		err = paths_describe(db, ret);
	return err ? err : paths_fold(ret, s.max / SPARE);
}

void paths_deinit(struct paths *p)
{
	for (uint64_t i = 0; i < p->row.n; i++)
		row_deinit(&p->row.at[i]);
	for (uint64_t i = 0; i < p->also.n; i++)
		row_deinit(&p->also.at[i]);
	vec_deinit(&p->row);
	vec_deinit(&p->also);
	vec_deinit(&p->step);
}

static void steps_write(FILE *f, const struct paths *p, const struct paths_row *row,
			uint64_t number)
{
	for (uint64_t k = 0; k < row->n; k++) {
		const struct paths_step *step = &p->step.at[row->first + k];
		fprintf(f, "%s[%" PRIu64 ",%" PRIu64 ",%u,%" PRId64 ",%" PRId64 "]",
			ftell(f) > 1 ? "," : "", number, k, step->object_id, step->reference,
			k ? 0 : row->root_id);
	}
}

char *paths_steps_json(const struct paths *p, const struct paths_row *only)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	fputc('[', f);
	if (only)
		steps_write(f, p, only, 1);
	for (uint64_t i = 0; i < p->row.n && !only; i++)
		steps_write(f, p, &p->row.at[i], i + 1);
	fputc(']', f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
