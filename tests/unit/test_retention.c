/* Retention paths of snapshots made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "analysis/analysis.h"
#include "analysis/retention_impl.h"
#include "snapshot/snapshot.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 3000, EDGES = 6000 };

struct fixture {
	struct snapshot *s;
	struct damage_log damage;
	struct log log;
	uint32_t n, m;
	struct {
		uint32_t src, dst, name;
		uint64_t offset;
	} edge[EDGES];
};

static void check(struct error *err)
{
	if (err)
		fail_msg("%s", err->message);
}

static void begin(struct fixture *f)
{
	*f = (struct fixture){0};
	log_init(&f->log, LOG_ERROR);
	check(snapshot_create(NULL, &f->damage, &f->s));
	struct object_table *o = &f->s->object;
	o->address = calloc(MOST, sizeof(*o->address));
	o->size = calloc(MOST, sizeof(*o->size));
	o->arena_id = calloc(MOST, sizeof(*o->arena_id));
	o->type_id = calloc(MOST, sizeof(*o->type_id));
	o->flags = calloc(MOST, sizeof(*o->flags));
	o->value = calloc(MOST, sizeof(*o->value));
	o->owner_id = calloc(MOST, sizeof(*o->owner_id));
}

static uint32_t type(struct fixture *f, const char *language, const char *name)
{
	for (uint32_t i = 0; i < f->s->type.n; i++)
		if (!strcmp(intern_text(&f->s->strings, f->s->type.at[i].name), name))
			return i + 1;
	uint32_t id;
	check(snapshot_add_type(f->s, language, name, "", &id));
	return id;
}

static uint32_t object(struct fixture *f, uint32_t type_id, uint64_t size)
{
	struct object_table *o = &f->s->object;
	assert_true(f->n < MOST);
	o->address[f->n] = 0x1000 + (uint64_t)f->n * 1024;
	o->size[f->n] = size;
	o->type_id[f->n] = type_id;
	return ++f->n;
}

/* A str that is a key. */
static uint32_t text(struct fixture *f, const char *value, bool name)
{
	uint32_t id = object(f, type(f, "python", "str"), 64);
	check(intern_str(&f->s->strings, value, &f->s->object.value[id - 1]));
	f->s->object.flags[id - 1] = (uint16_t)(OBJECT_TEXT | (name ? OBJECT_NAME : 0));
	return id;
}

static void edge(struct fixture *f, uint32_t src, uint32_t dst, uint64_t offset, uint32_t name)
{
	assert_true(f->m < EDGES);
	f->edge[f->m].src = src;
	f->edge[f->m].dst = dst;
	f->edge[f->m].offset = offset;
	f->edge[f->m++].name = name;
}

static uint32_t named(struct fixture *f, const char *name)
{
	uint32_t string;
	check(intern_str(&f->s->strings, name, &string));
	return edge_name_pack(EDGE_NAME_TEXT, string);
}

static void root(struct fixture *f, uint32_t id, enum root_grade grade, const char *name)
{
	struct root_row row = {.object_id = id, .grade = (uint8_t)grade, .depth = -1};
	row.kind = !strcmp(name, "sys.modules") ? REFERENCE_OWNING : REFERENCE_WORD;
	check(intern_str(&f->s->strings, name, &row.name));
	check(vec_push(&f->s->root, row));
}

static void run(struct fixture *f)
{
	struct edge_table *e = &f->s->edge;
	uint32_t at = 0;
	f->s->object.n = f->n;
	e->n = f->m;
	e->first = calloc((size_t)f->n + 1, sizeof(*e->first));
	e->dst = calloc(EDGES, sizeof(*e->dst));
	e->where = calloc(EDGES, sizeof(*e->where));
	e->name = calloc(EDGES, sizeof(*e->name));
	for (uint32_t src = 1; src <= f->n; src++) {
		for (uint32_t i = 0; i < f->m; i++) {
			if (f->edge[i].src != src)
				continue;
			e->dst[at] = f->edge[i].dst;
			e->where[at] = edge_where_pack(EDGE_START, f->edge[i].offset, 8);
			e->name[at++] = f->edge[i].name;
		}
		e->first[src] = at;
	}
	check(analysis_graph(f->s, &f->log));
	check(snapshot_check(f->s));
}

static void end(struct fixture *f)
{
	snapshot_destroy(f->s);
	damage_deinit(&f->damage);
}

static void assert_path(const struct fixture *f, uint32_t id, const char *path)
{
	const struct snapshot *s = f->s;
	assert_string_equal(
		intern_text(&s->strings, s->retention.at[s->object.retention[id - 1] - 1].path),
		path);
}

/* ---- CPython ---- */

/* app.CACHE['sessions'][n].user, with the dicts' tables as buffers. */
static void test_python(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	uint32_t dict = type(&f, "python", "dict"), session = type(&f, "python", "app.Session");
	uint32_t modules = object(&f, dict, 100),
		 module = object(&f, type(&f, "python", "module"), 80);
	uint32_t space = object(&f, dict, 100), cache = object(&f, dict, 100);
	uint32_t sessions = object(&f, dict, 100), table = object(&f, 0, 4096), key, user = 0,
		 each = 0;
	f.s->object.owner_id[table - 1] = sessions;
	root(&f, modules, ROOT_GLOBAL, "sys.modules");
	edge(&f, modules, module, 0, edge_name_pack(EDGE_NAME_KEY, text(&f, "app", true)));
	edge(&f, module, space, 0, named(&f, ".__dict__"));
	edge(&f, space, cache, 0, edge_name_pack(EDGE_NAME_KEY, text(&f, "CACHE", true)));
	key = text(&f, "sessions", true);
	edge(&f, cache, sessions, 0, edge_name_pack(EDGE_NAME_KEY, key));
	edge(&f, cache, key, 0, edge_name_pack(EDGE_NAME_KEYOF, 0));
	edge(&f, sessions, table, 0, named(&f, ".<table>"));
	for (unsigned i = 0; i < 40; i++) {
		char buf[16];
		snprintf(buf, sizeof(buf), "user%u", i);
		each = object(&f, session, 48);
		user = object(&f, type(&f, "python", "app.User"), 48);
		edge(&f, table, each, 0, edge_name_pack(EDGE_NAME_KEY, text(&f, buf, false)));
		edge(&f, each, user, 0, edge_name_pack(EDGE_NAME_ATTR, text(&f, "user", true)));
	}
	/* functions of a module are one node, what leaks through one is not */
	uint32_t function = object(&f, type(&f, "python", "function"), 160);
	uint32_t defaults = object(&f, type(&f, "python", "tuple"), 64);
	check(intern_str(&f.s->strings, "view", &f.s->object.value[function - 1]));
	edge(&f, space, function, 0, edge_name_pack(EDGE_NAME_KEY, text(&f, "view", true)));
	edge(&f, function, defaults, 0, named(&f, ".__defaults__"));
	run(&f);
	assert_path(&f, module, "app");
	assert_path(&f, space, "app");
	assert_path(&f, sessions, "app.CACHE['sessions']");
	assert_path(&f, table, "app.CACHE['sessions']");
	assert_path(&f, key, "app.CACHE<key>");
	assert_path(&f, each, "app.CACHE['sessions'][*]");
	assert_path(&f, user, "app.CACHE['sessions'][*].user");
	assert_path(&f, function, "app.<function>");
	assert_path(&f, defaults, "app.view.__defaults__");
	const struct retention_row *r = &f.s->retention.at[f.s->object.retention[each - 1] - 1];
	assert_int_equal(r->objects, 40);
	assert_int_equal(r->all_bytes, 40 * 96);
	assert_int_equal(r->type_id, session);
	end(&f);
}

/* ---- C ---- */

static void test_native(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	/* A list, long enough that a path as long would be noticed. */
	uint32_t head = object(&f, 0, 24), at = head, item = 0;
	root(&f, head, ROOT_GLOBAL, "queue+0x8");
	for (unsigned i = 0; i < 500; i++) {
		uint32_t next = object(&f, 0, 24);
		edge(&f, at, next, 0, 0);
		item = object(&f, 0, 100 + 8 * (i % 3));
		edge(&f, next, item, 16, 0);
		at = next;
	}
	/* A tree: left and right are the same. */
	uint32_t tree = object(&f, 0, 48), leaf = 0, from = f.n;
	root(&f, tree, ROOT_GLOBAL, "tree");
	for (unsigned i = 0; i < 6; i++) {
		leaf = object(&f, 0, 48);
		edge(&f, i < 2 ? tree : from + i - 1, leaf, 8 + 8 * (i % 2), 0);
	}
	/* A table of pointers in a program's data, and one in a block. */
	uint32_t slot = 0, block = object(&f, 0, 800), member = 0;
	for (unsigned i = 0; i < 20; i++) {
		char buf[32];
		snprintf(buf, sizeof(buf), "table+0x%x", i * 8);
		slot = object(&f, 0, 32);
		root(&f, slot, ROOT_GLOBAL, buf);
		member = object(&f, 0, 40);
		edge(&f, block, member, 8 * i, 0);
	}
	root(&f, block, ROOT_GLOBAL, "vector");
	uint32_t lost = object(&f, 0, 16);
	run(&f);
	assert_path(&f, head, "queue+0x8");
	assert_path(&f, at, "queue+0x8->*");
	assert_path(&f, item, "queue+0x8->*->+16");
	assert_path(&f, leaf, "tree->*");
	assert_path(&f, slot, "table[*]");
	assert_path(&f, member, "vector[*]");
	assert_path(&f, lost, "(unreachable)");
	end(&f);
}

static void test_typed_chain(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	uint32_t node = type(&f, "C++", "app::Node"), list = type(&f, "C++", "app::Children");
	uint32_t head = object(&f, node, 48), at = head, last = 0;
	root(&f, head, ROOT_GLOBAL, "head");
	for (unsigned i = 0; i < 100; i++) {
		uint32_t next = object(&f, node, 48);
		edge(&f, at, next, 8, named(&f, "->next"));
		at = next;
	}
	/* a node, its children, a node */
	for (unsigned i = 0; i < 200; i++) {
		uint32_t children = object(&f, list, 24);
		last = object(&f, node, 48);
		edge(&f, at, children, 16, named(&f, "->children"));
		edge(&f, children, last, 0, named(&f, "[7]"));
		at = last;
	}
	run(&f);
	const struct snapshot *s = f.s;
	assert_true(s->retention.n < 16);
	const char *path =
		intern_text(&s->strings, s->retention.at[s->object.retention[last - 1] - 1].path);
	assert_true(!strncmp(path, "head->next*->children", strlen("head->next*->children")));
	end(&f);
}

/*
 * A list that is reached from both ends has one name, and so has what hangs off its members. Two lists whose
 * members know each other have two.
 */
static void test_ends(void **state)
{
	(void)state;
	enum { LINKS = 101 };
	struct fixture f;
	begin(&f);
	uint32_t node = type(&f, "C++", "app::Node"), text_type = type(&f, "C++", "app::Text");
	uint32_t list = object(&f, type(&f, "C++", "app::List"), 32), link[LINKS], said[LINKS];
	root(&f, list, ROOT_GLOBAL, "list");
	for (unsigned i = 0; i < LINKS; i++) {
		link[i] = object(&f, node, 48);
		said[i] = object(&f, text_type, 24);
		edge(&f, link[i], said[i], 16, named(&f, "->text"));
	}
	for (unsigned i = 0; i < LINKS; i++) {
		if (i + 1 < LINKS)
			edge(&f, link[i], link[i + 1], 0, named(&f, "->next"));
		if (i)
			edge(&f, link[i], link[i - 1], 8, named(&f, "->prev"));
	}
	edge(&f, list, link[0], 0, named(&f, "->first"));
	edge(&f, list, link[LINKS - 1], 8, named(&f, "->last"));
	/* two chains side by side */
	uint32_t peer = type(&f, "C++", "app::Peer"), one[LINKS], other[LINKS];
	for (unsigned i = 0; i < LINKS; i++) {
		one[i] = object(&f, peer, 48);
		other[i] = object(&f, peer, 48);
		edge(&f, one[i], other[i], 24, named(&f, "->peer"));
		edge(&f, other[i], one[i], 24, named(&f, "->peer"));
		if (i) {
			edge(&f, one[i - 1], one[i], 0, named(&f, "->next"));
			edge(&f, other[i - 1], other[i], 0, named(&f, "->next"));
		}
	}
	root(&f, one[0], ROOT_GLOBAL, "one");
	root(&f, other[0], ROOT_GLOBAL, "other");
	run(&f);
	for (unsigned i = 1; i < LINKS - 1; i++) {
		assert_path(&f, link[i], "list->first->next*");
		assert_path(&f, said[i], "list->first->next*->text");
	}
	assert_path(&f, link[LINKS - 1], "list->last");
	const struct snapshot *s = f.s;
	const struct retention_row *r = &s->retention.at[s->object.retention[link[5] - 1] - 1];
	assert_int_equal(r->objects, LINKS - 2);
	assert_int_equal(r->all_objects, 2 * (LINKS - 2));
	assert_path(&f, one[50], "one->next*");
	assert_path(&f, other[50], "other->next*");
	end(&f);
}

/*
 * A long list whose head is some steps from its root, and a word in a buffer that still points to its middle: the
 * list is the registry's, from its first object to its last, whichever root comes first. Its blocks are of two
 * sizes, as malloc gives them.
 */
static void test_stale_word(void **state)
{
	enum { LINKS = 500, MET = 250 };
	for (unsigned how = 0; how < 4; how++) {
		bool first = how & 1, typed = how & 2;
		struct fixture f;
		begin(&f);
		uint32_t node = typed ? type(&f, "C++", "app::Node") : 0;
		uint32_t link[LINKS], item[LINKS];
		uint32_t registry = object(&f, 0, 64), queue = object(&f, 0, 96);
		uint32_t buffer = object(&f, 0, 4096);
		if (first)
			root(&f, buffer, ROOT_GLOBAL, "buffer");
		root(&f, registry, ROOT_GLOBAL, "registry");
		if (!first)
			root(&f, buffer, ROOT_GLOBAL, "buffer");
		edge(&f, registry, queue, 8, 0);
		for (unsigned i = 0; i < LINKS; i++) {
			link[i] = object(&f, node, i % 3 ? 232 : 248);
			item[i] = object(&f, 0, 40);
			edge(&f, link[i], item[i], 8, 0);
			if (i)
				edge(&f, link[i - 1], link[i], 0, 0);
		}
		edge(&f, queue, link[0], 16, 0);
		edge(&f, buffer, link[MET], 800, 0);
		run(&f);
		unsigned other = 0;
		for (unsigned i = 1; i < LINKS; i++) {
			const struct snapshot *s = f.s;
			uint32_t row = s->object.retention[link[i] - 1];
			const char *path = intern_text(&s->strings, s->retention.at[row - 1].path);
			if (!strncmp(path, "buffer", 6)) {
				assert_true(i == MET || i == MET + 1);
				other++;
				continue;
			}
			assert_path(&f, link[i], "registry->+8->+16->*");
			assert_path(&f, item[i], "registry->+8->+16->*->+8");
		}
		assert_true(other <= 2);
		end(&f);
	}
	(void)state;
}

/* More paths than the trie may have: all objects are somewhere, as snapshot_check proves. */
static void test_too_many(void **state)
{
	(void)state;
	struct fixture f;
	begin(&f);
	uint32_t dict = type(&f, "python", "dict"), top = object(&f, dict, 64);
	root(&f, top, ROOT_GLOBAL, "sys.modules");
	uint32_t deep = top;
	for (unsigned i = 0; i < 200; i++) {
		char buf[32];
		snprintf(buf, sizeof(buf), ".field%u", i);
		uint32_t next = object(&f, 0, 32 + 8 * (i % 7));
		edge(&f, deep, next, 0, named(&f, buf));
		deep = next;
	}
	run(&f);
	const struct retention_row *r = &f.s->retention.at[f.s->object.retention[deep - 1] - 1];
	assert_true(strlen(intern_text(&f.s->strings, r->path)) < 900);
	end(&f);
}

/*
 * More paths than the table may have: the small ones of one parent, and what hangs off these, become one row;
 * the big ones keep their names, however deep they are.
 */
static void test_small(void **state)
{
	(void)state;
	enum { MODULES = 200 };
	struct fixture f;
	begin(&f);
	uint32_t dict = type(&f, "python", "dict"), module_type = type(&f, "python", "module");
	uint32_t list = type(&f, "python", "list"), modules = object(&f, dict, 64);
	uint32_t cache[MODULES], item[MODULES];
	uint64_t all = 64;
	root(&f, modules, ROOT_GLOBAL, "sys.modules");
	for (unsigned i = 0; i < MODULES; i++) {
		char buf[16];
		snprintf(buf, sizeof(buf), "m%u", i);
		uint32_t key = text(&f, buf, true), module = object(&f, module_type, 40);
		cache[i] = object(&f, dict, 64);
		item[i] = object(&f, list, i == 150 ? 100000 : 32);
		all += 40 + 64 + 32 + 64 + (i == 150 ? 100000 - 32 : 0);
		edge(&f, modules, module, 0, edge_name_pack(EDGE_NAME_KEY, key));
		edge(&f, modules, key, 0, edge_name_pack(EDGE_NAME_KEYOF, 0));
		edge(&f, module, cache[i], 0, named(&f, ".CACHE"));
		edge(&f, cache[i], item[i], 0, edge_name_pack(EDGE_NAME_KEY, 0));
	}
	run(&f);
	assert_path(&f, item[149], "m149.CACHE[*]");
	assert_true(f.s->retention.n > 3 * MODULES);
	check(retention_find(f.s, 20));
	check(snapshot_check(f.s));
	const struct snapshot *s = f.s;
	assert_true(s->retention.n < 30);
	assert_path(&f, item[150], "m150.CACHE[*]");
	assert_path(&f, item[149], "...");
	assert_path(&f, cache[149], "...");
	uint64_t bytes = 0, objects = 0, top = 0;
	for (uint64_t i = 0; i < s->retention.n; i++) {
		const struct retention_row *r = &s->retention.at[i];
		bytes += r->bytes;
		objects += r->objects;
		top += r->parent_id ? 0 : r->all_bytes;
	}
	assert_int_equal(objects, f.n);
	assert_int_equal(bytes, all);
	assert_int_equal(top, all);
	end(&f);
}

/* The same program in another dump: other ids, other order, the same keys. */
static void test_keys(void **state)
{
	(void)state;
	uint64_t key[2];
	for (unsigned round = 0; round < 2; round++) {
		struct fixture f;
		begin(&f);
		for (unsigned i = 0; i < round * 7; i++)
			root(&f, object(&f, 0, 24), ROOT_STACK, "");
		uint32_t a = object(&f, type(&f, "C++", "app::A"), 48), b = object(&f, 0, 64);
		root(&f, a, ROOT_GLOBAL, "the_a");
		edge(&f, a, b, 24, named(&f, "->b"));
		run(&f);
		assert_path(&f, b, "the_a->b");
		key[round] = f.s->retention.at[f.s->object.retention[b - 1] - 1].key;
		end(&f);
	}
	assert_true(key[0] == key[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_python),	    cmocka_unit_test(test_native),
		cmocka_unit_test(test_typed_chain), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_small),	    cmocka_unit_test(test_keys),
		cmocka_unit_test(test_ends),	    cmocka_unit_test(test_stale_word),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
