#include "cmd/sites.h"

#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

const char *const site_cost_choices[] = {"live",      "objects",   "peak", "allocations",
					 "temporary", "allocated", NULL};

enum { CALLERS_SHOWN = 5, UNKNOWN = -1 };

struct site_node {
	int64_t own[SITE_FIGURES], total[SITE_FIGURES]; /* UNKNOWN */
	int64_t id, address;
	uint32_t parent;		 /* number of a node + 1, less than this one's */
	uint32_t function, file, module; /* strings */
	int64_t line;
	uint32_t child, sibling; /* + 1 */
	uint32_t function_id;	 /* number of function + 1 */
};

struct site_function {
	int64_t own[SITE_FIGURES], total[SITE_FIGURES];
	uint32_t function, module; /* strings */
	uint32_t file;		   /* as line and address: only where the function is unknown */
	int64_t line, address;
	uint32_t active; /* while walking: how often it is in the path */
};

struct sites {
	struct intern text;
	VEC(struct site_node) node;
	VEC(struct site_function) function;
	VEC(uint32_t) map; /* by the table's id - 1: node + 1; 0: folded away with all callers */
	uint32_t *slot;	   /* of nodes or functions, by key: + 1 */
	uint64_t slots;
	uint32_t roots; /* first outermost node + 1 */
};

void sites_free(struct sites *s)
{
	if (!s)
		return;
	intern_deinit(&s->text);
	vec_deinit(&s->node);
	vec_deinit(&s->function);
	vec_deinit(&s->map);
	free(s->slot);
	free(s);
}

uint32_t sites_count(const struct sites *s)
{
	return (uint32_t)s->node.n;
}

/* ---- sums ---- */

static void figures_add(int64_t *to, const int64_t *from)
{
	for (int k = 0; k < SITE_FIGURES; k++)
		if (to[k] == UNKNOWN || from[k] == UNKNOWN ||
		    __builtin_add_overflow(to[k], from[k], &to[k]))
			to[k] = UNKNOWN;
}

/* ---- loading ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 32;
}

static uint64_t node_hash(const struct site_node *n)
{
	uint64_t h = mix(n->parent, n->function);
	h = mix(h, (uint64_t)n->file << 32 | n->module);
	return mix(mix(h, (uint64_t)n->line), (uint64_t)n->address);
}

static bool node_same(const struct site_node *a, const struct site_node *b)
{
	return a->parent == b->parent && a->function == b->function && a->file == b->file &&
	       a->module == b->module && a->line == b->line && a->address == b->address;
}

/* Slots for twice as many as there are, from the start: the table's rows are counted first. */
static struct error *slots_make(struct sites *s, uint64_t n)
{
	free(s->slot);
	for (s->slots = 64; s->slots < 2 * n + 2;)
		s->slots *= 2;
	s->slot = calloc(s->slots, sizeof(*s->slot));
	return s->slot ? NULL : &error_nomem;
}

static struct error *node_add(struct sites *s, const struct site_node *n, uint32_t *ret)
{
	uint32_t *slot;
	for (uint64_t i = node_hash(n);; i++) {
		slot = &s->slot[i & (s->slots - 1)];
		if (!*slot || node_same(&s->node.at[*slot - 1], n))
			break;
	}
	if (*slot) {
		figures_add(s->node.at[*slot - 1].own, n->own);
		*ret = *slot;
		return NULL;
	}
	struct error *err = vec_push(&s->node, *n);
	if (!err)
		*ret = *slot = (uint32_t)s->node.n;
	return err;
}

static struct error *text_of(struct sites *s, sqlite3_stmt *stmt, int column, uint32_t *ret)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	*ret = 0;
	return text ? intern_str(&s->text, text, ret) : NULL;
}

/* One row of the table. Columns: see site_load.sql. */
static struct error *site_add(struct sites *s, sqlite3_stmt *stmt)
{
	int64_t id = sqlite3_column_int64(stmt, 0), parent = sqlite3_column_int64(stmt, 1);
	/* Another's file: what is not in order has no caller. */
	if (parent < 0 || (uint64_t)parent > s->map.n)
		parent = 0;
	uint32_t above = parent ? s->map.at[parent - 1] : 0, node = above;
	struct site_node n = {
		.id = id,
		.parent = above,
		.line = sqlite3_column_int64(stmt, 4),
		.address = sqlite3_column_int64(stmt, 6),
	};
	for (int k = 0; k < SITE_FIGURES; k++) {
		bool known = sqlite3_column_type(stmt, 7 + k) != SQLITE_NULL;
		n.own[k] = known ? sqlite3_column_int64(stmt, 7 + k) : UNKNOWN;
	}
	struct error *err = NULL;
	if (sqlite3_column_int64(stmt, 7 + SITE_FIGURES)) {
		/* Folded: its caller's, or, if there is none, nobody's. */
		if (above) {
			figures_add(s->node.at[above - 1].own, n.own);
			return vec_push(&s->map, node);
		}
		bool any = false;
		for (int k = 0; k < SITE_FIGURES; k++)
			any |= n.own[k] > 0;
		if (!any)
			return vec_push(&s->map, 0);
		n.line = n.address = 0;
		err = node_add(s, &n, &node);
		/* What it called is an outermost call now. */
		return err ? err : vec_push(&s->map, 0);
	}
	err = text_of(s, stmt, 2, &n.function);
	if (!err)
		err = text_of(s, stmt, 3, &n.file);
	if (!err)
		err = text_of(s, stmt, 5, &n.module);
	if (!err)
		err = node_add(s, &n, &node);
	return err ? err : vec_push(&s->map, node);
}

static struct error *sites_read(struct cmd_context *ctx, struct sites *s, bool leaks)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row row;
	struct error *err = cmd_totals(ctx, "site_count.sql", &row);
	if (!err)
		err = slots_make(s, (uint64_t)cmd_row_int(&row, "sites"));
	if (!err)
		err = cmd_prepare(ctx, "site_load.sql", 0, &stmt);
	if (err)
		return err;
	cmd_bind_text(stmt, ":skip", ctx->opt.skip_frames);
	cmd_bind_int(stmt, ":leaks", leaks);
	int rc;
	while (!err && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		err = site_add(s, stmt);
	if (!err && rc != SQLITE_DONE)
		err = error_new(ERROR_INPUT, "%s: %s", ctx->store->path,
				sqlite3_errmsg(ctx->store->db));
	return err;
}

/* ---- the tree ---- */

static void sites_link(struct sites *s)
{
	/* From the end, so that callees come in the order of their numbers. */
	for (uint64_t i = s->node.n; i--;) {
		struct site_node *n = &s->node.at[i];
		memcpy(n->total, n->own, sizeof(n->own));
		uint32_t *list = n->parent ? &s->node.at[n->parent - 1].child : &s->roots;
		n->sibling = *list;
		*list = (uint32_t)i + 1;
	}
	for (uint64_t i = s->node.n; i--;)
		if (s->node.at[i].parent)
			figures_add(s->node.at[s->node.at[i].parent - 1].total,
				    s->node.at[i].total);
}

static struct error *function_add(struct sites *s, struct site_node *n)
{
	const struct site_function f = {.function = n->function,
					.module = n->module,
					.file = n->function ? 0 : n->file,
					.line = n->function ? 0 : n->line,
					.address = n->function ? 0 : n->address};
	uint64_t h = mix(mix(f.function, f.module), (uint64_t)f.address);
	h = mix(mix(h, f.file), (uint64_t)f.line);
	for (;; h++) {
		uint32_t *slot = &s->slot[h & (s->slots - 1)];
		if (!*slot) {
			struct error *err = vec_push(&s->function, f);
			if (err)
				return err;
			*slot = (uint32_t)s->function.n;
		}
		const struct site_function *g = &s->function.at[*slot - 1];
		if (g->function != f.function || g->module != f.module || g->file != f.file ||
		    g->line != f.line || g->address != f.address)
			continue;
		n->function_id = *slot;
		return NULL;
	}
}

/* Each path counts once for each function that is in it: where it is entered first. */
static void functions_sum(struct sites *s)
{
	for (uint32_t at = s->roots; at;) {
		struct site_node *n = &s->node.at[at - 1];
		struct site_function *f = &s->function.at[n->function_id - 1];
		figures_add(f->own, n->own);
		if (!f->active++)
			figures_add(f->total, n->total);
		if (n->child) {
			at = n->child;
			continue;
		}
		for (;;) {
			s->function.at[n->function_id - 1].active--;
			if (n->sibling || !n->parent)
				break;
			n = &s->node.at[n->parent - 1];
		}
		at = n->sibling;
	}
}

struct error *sites_load(struct cmd_context *ctx, bool leaks, struct sites **ret)
{
	struct sites *s = calloc(1, sizeof(*s));
	if (!s)
		return &error_nomem;
	struct error *err = sites_read(ctx, s, leaks);
	if (!err) {
		sites_link(s);
		err = slots_make(s, s->node.n);
	}
	for (uint64_t i = 0; i < s->node.n && !err; i++)
		err = function_add(s, &s->node.at[i]);
	if (err) {
		sites_free(s);
		return err;
	}
	functions_sum(s);
	*ret = s;
	return NULL;
}

/* ---- texts ---- */

/* What a frame is called: its function, else its place in the binary, in the source, the binary. */
static void frame_print(FILE *f, const struct sites *s, const struct site_node *n)
{
	uint32_t function = n->function, module = n->module;
	int64_t address = n->address;
	const char *path = intern_text(&s->text, module), *slash = strrchr(path, '/');
	const char *base = slash && slash[1] ? slash + 1 : path;
	if (function)
		fputs(intern_text(&s->text, function), f);
	else if (module && address)
		fprintf(f, "%s+0x%llx", base, (unsigned long long)address);
	else if (address)
		fprintf(f, "0x%llx", (unsigned long long)address);
	else if (n->file && !module)
		fprintf(f, "%s:%lld", intern_text(&s->text, n->file), (long long)n->line);
	else
		fputs(module ? base : "[unknown]", f);
}

/* The same as text of its own. */
static char *frame_text(const struct sites *s, const struct site_node *n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	frame_print(f, s, n);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* "get < parse < main", cut after a few. */
static char *callers_text(const struct sites *s, const struct site_node *n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	uint32_t at = n->parent;
	for (int k = 0; at && k < CALLERS_SHOWN; k++) {
		const struct site_node *c = &s->node.at[at - 1];
		fputs(k ? " < " : "", f);
		frame_print(f, s, c);
		at = c->parent;
	}
	if (at)
		fputs(" < ...", f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- tables ---- */

static struct error *run(struct cmd_context *ctx, const char *query)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, query, 0, &stmt);
	if (!err && sqlite3_step(stmt) != SQLITE_DONE)
		err = error_new(ERROR_SYSTEM, "%s: %s", query, sqlite3_errmsg(ctx->store->db));
	return err;
}

static void bind_text(sqlite3_stmt *stmt, int i, const struct sites *s, uint32_t id)
{
	if (id)
		sqlite3_bind_text(stmt, i, intern_text(&s->text, id), -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(stmt, i);
}

static void bind_known(sqlite3_stmt *stmt, int i, int64_t v, int64_t unknown)
{
	if (v == unknown)
		sqlite3_bind_null(stmt, i);
	else
		sqlite3_bind_int64(stmt, i, v);
}

static struct error *step(struct cmd_context *ctx, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	return rc == SQLITE_DONE
		       ? NULL
		       : error_new(ERROR_SYSTEM, "sites: %s", sqlite3_errmsg(ctx->store->db));
}

static struct error *fill_sites(struct cmd_context *ctx, const struct sites *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "temp/site_insert.sql", 0, &stmt);
	for (uint64_t i = 0; i < s->node.n && !err; i++) {
		const struct site_node *n = &s->node.at[i];
		_cleanup_free_ char *callers = callers_text(s, n);
		_cleanup_free_ char *name = frame_text(s, n);
		if (!callers || !name)
			return &error_nomem;
		sqlite3_bind_int64(stmt, 1, n->id);
		bind_known(stmt, 2, n->parent ? s->node.at[n->parent - 1].id : 0, 0);
		bind_text(stmt, 3, s, n->function);
		bind_text(stmt, 4, s, n->file);
		bind_known(stmt, 5, n->line, 0);
		bind_text(stmt, 6, s, n->module);
		bind_known(stmt, 7, n->address, 0);
		sqlite3_bind_text(stmt, 8, name, -1, SQLITE_STATIC);
		sqlite3_bind_text(stmt, 9, callers, -1, SQLITE_STATIC);
		for (int k = 0; k < SITE_FIGURES; k++) {
			bind_known(stmt, 10 + k, n->own[k], UNKNOWN);
			bind_known(stmt, 10 + SITE_FIGURES + k, n->total[k], UNKNOWN);
		}
		err = step(ctx, stmt);
	}
	return err;
}

static struct error *fill_functions(struct cmd_context *ctx, const struct sites *s)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "temp/function_insert.sql", 0, &stmt);
	for (uint64_t i = 0; i < s->function.n && !err; i++) {
		const struct site_function *f = &s->function.at[i];
		const struct site_node frame = {.function = f->function,
						.module = f->module,
						.file = f->file,
						.line = f->line,
						.address = f->address};
		_cleanup_free_ char *name = frame_text(s, &frame);
		if (!name)
			return &error_nomem;
		bind_text(stmt, 1, s, f->function);
		bind_text(stmt, 2, s, f->module);
		bind_known(stmt, 3, f->address, 0);
		sqlite3_bind_text(stmt, 4, name, -1, SQLITE_STATIC);
		for (int k = 0; k < SITE_FIGURES; k++) {
			bind_known(stmt, 5 + k, f->own[k], UNKNOWN);
			bind_known(stmt, 5 + SITE_FIGURES + k, f->total[k], UNKNOWN);
		}
		err = step(ctx, stmt);
	}
	return err;
}

struct error *sites_tables(struct cmd_context *ctx, const struct sites *s)
{
	/* The database is opened for reading; what is written here is temporary, in memory. */
	sqlite3_exec(ctx->store->db, "PRAGMA query_only = OFF", NULL, NULL, NULL);
	struct error *err = run(ctx, "temp/site_table.sql");
	if (!err)
		err = run(ctx, "temp/function_table.sql");
	if (!err)
		err = fill_sites(ctx, s);
	if (!err)
		err = fill_functions(ctx, s);
	sqlite3_exec(ctx->store->db, "PRAGMA query_only = ON", NULL, NULL, NULL);
	return err;
}

/* ---- folded ---- */

/* A frame must not have what divides frames, nor end the line. */
static void folded_frame(FILE *out, const struct sites *s, const struct site_node *n)
{
	char *text = frame_text(s, n);
	for (const char *p = text; p && *p; p++) {
		uint8_t c = (uint8_t)*p;
		fputc(c == ';' ? ':' : c < ' ' || c == 0x7f ? '?' : c, out);
	}
	free(text);
}

struct error *sites_folded(struct cmd_context *ctx, const struct sites *s)
{
	static uint32_t const most = SITES_FOLDED_MAX;
	_cleanup_free_ uint32_t *path = calloc(most, sizeof(*path));
	if (!path)
		return &error_nomem;
	for (uint64_t i = 0; i < s->node.n; i++) {
		int64_t cost = s->node.at[i].own[ctx->opt.cost];
		uint32_t n = 0, at = (uint32_t)i + 1;
		if (cost <= 0)
			continue;
		for (; at && n < most; at = s->node.at[at - 1].parent)
			path[n++] = at;
		if (at)
			fputs("[...];", ctx->report.out);
		while (n--) {
			folded_frame(ctx->report.out, s, &s->node.at[path[n] - 1]);
			fputc(n ? ';' : ' ', ctx->report.out);
		}
		fprintf(ctx->report.out, "%lld\n", (long long)cost);
	}
	return report_flush(&ctx->report);
}
