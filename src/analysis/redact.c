/*
 * redact: what of the contents may be told when a database is to be shared with strangers.
 *
 * The graph, types, sizes and counts stay. Values go: texts, numbers, bytes. Names that a programmer
 * gave stay, or no answer could be read: attributes and slots, the variables of modules and classes
 * (keys of dicts that are somebody's namespace), names of functions, classes and modules. Every other
 * key of a dict gets a name that says nothing but which object it is: `key_123`, or `key 123` where
 * the key is no identifier either, so that paths generalise as they would have.
 *
 * What it can mistake: an attribute or global whose name was made from data (setattr with a user's
 * input) stays.
 */
#include "analysis/analysis.h"

#include "base/cleanup.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP = 1, NAMESPACE = 2, KEY = 4 }; /* of an object */

/* Edges that lead to a namespace, and types whose value is a name of the program. */
static const char *const namespace_edge[] = {
	".__dict__",   ".__globals__",	".func_globals", ".f_globals",
	".f_builtins", ".__builtins__", ".tp_dict",	 ".func_dict",
};
static const char *const named_type[] = {
	"function",
	"module",
	"type",
	"code",
	"builtin_function_or_method",
	"method_descriptor",
	"wrapper_descriptor",
	"getset_descriptor",
	"member_descriptor",
	"classmethod_descriptor",
	"generator",
	"coroutine",
	"async_generator",
	"frame",
	"classobj",
	"abc.ABCMeta",
	"ABCMeta",
};

/* Which strings of the snapshot are in the list: a byte a string, malloc'ed. */
static uint8_t *strings_in(const struct snapshot *s, const char *const *list, size_t n)
{
	uint8_t *in = calloc(s->strings.n + 1, 1);
	for (uint32_t id = 1; in && id < s->strings.n; id++)
		for (size_t i = 0; i < n && !in[id]; i++)
			in[id] = !strcmp(intern_text(&s->strings, id), list[i]);
	return in;
}

static void mark_namespaces(const struct snapshot *s, const uint8_t *is_edge, uint8_t *mark)
{
	for (uint64_t e = 0; s->edge.name && e < s->edge.n; e++) {
		uint32_t name = s->edge.name[e];
		if (name >> 29 == EDGE_NAME_TEXT && is_edge[name & EDGE_NAME_NUMBER])
			mark[s->edge.dst[e] - 1] |= NAMESPACE;
	}
	for (uint64_t i = 0; i < s->root.n; i++) {
		const struct root_row *r = &s->root.at[i];
		const char *name = r->name ? intern_text(&s->strings, r->name) : "";
		if (strstr(name, "sys.modules") || strstr(name, "builtins"))
			mark[r->object_id - 1] |= NAMESPACE;
	}
}

static void mark_keys(const struct snapshot *s, uint8_t *mark)
{
	const struct object_table *o = &s->object;
	for (uint64_t i = 0; s->edge.name && i < o->n; i++) {
		uint32_t owner = o->owner_id ? o->owner_id[i] : 0;
		bool space = (mark[i] | (owner ? mark[owner - 1] : 0)) & NAMESPACE;
		for (uint64_t e = s->edge.first[i]; e < s->edge.first[i + 1]; e++) {
			uint32_t kind = s->edge.name[e] >> 29;
			uint32_t key = s->edge.name[e] & EDGE_NAME_NUMBER;
			if (!key || key > o->n)
				continue;
			if (kind == EDGE_NAME_ATTR || (kind == EDGE_NAME_KEY && space))
				mark[key - 1] |= KEEP;
			else if (kind == EDGE_NAME_KEY)
				mark[key - 1] |= KEY;
		}
	}
}

static void mark_named(const struct snapshot *s, const uint8_t *is_type, uint8_t *mark)
{
	const struct object_table *o = &s->object;
	for (uint64_t i = 0; i < o->n; i++)
		if (o->type_id[i] && is_type[s->type.at[o->type_id[i] - 1].name])
			mark[i] |= KEEP;
}

static bool is_identifier(const char *text)
{
	if (!*text || isdigit((unsigned char)*text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '_' && !(*text & 0x80))
			return false;
	return true;
}

struct error *analysis_redact(struct snapshot *s, struct log *log)
{
	(void)log;
	struct object_table *o = &s->object;
	const size_t edges = sizeof(namespace_edge) / sizeof(*namespace_edge);
	const size_t types = sizeof(named_type) / sizeof(*named_type);
	_cleanup_free_ uint8_t *is_edge = strings_in(s, namespace_edge, edges);
	_cleanup_free_ uint8_t *is_type = strings_in(s, named_type, types);
	_cleanup_free_ uint8_t *mark = calloc(o->n + 1, 1);
	free(o->shown);
	o->shown = calloc((uint64_t)o->n + 1, sizeof(*o->shown));
	if (!is_edge || !is_type || !mark || !o->shown)
		return &error_nomem;
	if (!o->value)
		return NULL;
	mark_namespaces(s, is_edge, mark);
	mark_keys(s, mark);
	mark_named(s, is_type, mark);
	for (uint32_t i = 0; i < o->n; i++) {
		if (!o->value[i] || !(mark[i] & (KEEP | KEY)))
			continue;
		o->shown[i] = o->value[i];
		if (mark[i] & KEEP)
			continue;
		char text[32];
		bool name = is_identifier(intern_text(&s->strings, o->value[i]));
		snprintf(text, sizeof(text), name ? "key_%u" : "key %u", i + 1);
		struct error *err = intern_str(&s->strings, text, &o->shown[i]);
		if (err)
			return err;
	}
	return NULL;
}
