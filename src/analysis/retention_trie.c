/* The trie of retention paths: see retention_impl.h. */
#include "analysis/retention_impl.h"

#include "analysis/clusters_impl.h"
#include "base/cleanup.h"
#include "graph/csr.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OBJECTS_A_NODE = 512,
	KEYS_NAMED = 128,   /* entries of a dict whose keys are names; more are data */
	KEY_TEXT = 64,	    /* bytes of such a name */
	WORDS_NAMED = 3,    /* unnamed steps in a row */
	WORDS_ARRAY = 16,   /* references of a block: more are an array */
	WORD_FAR = 64,	    /* words: what is further inside is [*], too */
	DEPTH_MOST = 48,    /* steps */
	FOLD_ANCESTORS = 8, /* how far back a step is looked for that was taken before */
	SLOTS_FIRST = 1 << 12,
};

/* ---- types ---- */

/*
 * What a program's text makes, CPython's names for it: there are thousands in any process, each under a
 * name of its own, and they do not grow.
 */
static bool is_program_type(const char *name)
{
	static const char *const names[] = {
		"function",	     "builtin_function_or_method",
		"method_descriptor", "wrapper_descriptor",
		"getset_descriptor", "member_descriptor",
		"classmethod",	     "classmethod_descriptor",
		"staticmethod",	     "property",
		"builtin_method",    "instancemethod",
	};
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static uint8_t type_flags(const struct snapshot *s, const struct type_row *row)
{
	const char *name = intern_text(&s->strings, row->name);
	const char *language = intern_text(&s->strings, row->language);
	if (!*language && !*intern_text(&s->strings, row->module))
		return 0;
	uint8_t flags = TYPE_NAMED;
	if (strcmp(language, "python"))
		return flags;
	flags |= TYPE_PYTHON;
	if (is_program_type(name))
		flags |= TYPE_PROGRAM;
	if (!strcmp(name, "function"))
		flags |= TYPE_FUNCTION;
	if (!strcmp(name, "type"))
		flags |= TYPE_CLASS;
	if (!strcmp(name, "module"))
		flags |= TYPE_MODULE;
	if (!strcmp(name, "code"))
		flags |= TYPE_CODE;
	if (!strcmp(name, "str") || !strcmp(name, "unicode"))
		flags |= TYPE_TEXT;
	return flags;
}

/* ---- nodes ---- */

struct error *trie_init(struct trie *t, struct snapshot *s)
{
	*t = (struct trie){.s = s};
	bool names = false;
	t->slots = SLOTS_FIRST;
	t->slot = calloc(t->slots, sizeof(*t->slot));
	t->type = calloc(s->type.n + 1, sizeof(*t->type));
	struct error *err = t->slot && t->type ? NULL : &error_nomem;
	for (uint64_t i = 0; i < s->type.n && !err; i++) {
		t->type[i + 1] = type_flags(s, &s->type.at[i]);
		if (t->type[i + 1] & TYPE_PYTHON)
			names = true;
	}
	t->most = names ? s->object.n : s->object.n / OBJECTS_A_NODE;
	t->most = t->most < RETENTION_FEW    ? RETENTION_FEW
		  : t->most > RETENTION_MOST ? RETENTION_MOST
					     : t->most;
	if (!err)
		err = intern_str(&s->strings, ".__dict__", &t->dict);
	if (!err)
		err = intern_str(&s->strings, "...", &t->rest);
	if (!err)
		err = intern_str(&s->strings, "[*]", &t->any);
	uint32_t id;
	if (!err)
		err = vec_push(&t->node, (struct trie_node){.step = 0});
	if (!err)
		err = trie_root(t, "(unreachable)", TRIE_ABSORBS, 0, &id);
	if (!err)
		err = trie_root(t, "(other paths)", TRIE_ABSORBS, 0, &id);
	return err;
}

void trie_forget(struct trie *t)
{
	free(t->slot);
	t->slot = NULL;
	t->slots = t->used = 0;
}

void trie_deinit(struct trie *t)
{
	vec_deinit(&t->node);
	free(t->meets);
	free(t->slot);
	free(t->type);
	*t = (struct trie){0};
}

static inline uint32_t slot_hash(uint32_t parent, uint32_t step, uint32_t type)
{
	uint64_t h = ((uint64_t)step << 32 | type) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 29 ^ parent) * UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h >> 32);
}

/* The slot of this child, or the free one where it would be. */
static inline struct trie_slot *slot_find(const struct trie *t, uint32_t parent, uint32_t step,
					  uint32_t type)
{
	uint32_t i = slot_hash(parent, step, type) & (t->slots - 1);
	while (t->slot[i].node &&
	       (t->slot[i].step != step || t->slot[i].type != type || t->slot[i].parent != parent))
		i = (i + 1) & (t->slots - 1);
	return &t->slot[i];
}

static struct error *slot_grow(struct trie *t)
{
	struct trie_slot *old = t->slot;
	uint32_t n = t->slots;
	struct trie_slot *more = calloc((size_t)n * 2, sizeof(*more));
	if (!more)
		return &error_nomem;
	t->slot = more;
	t->slots = n * 2;
	for (uint32_t i = 0; i < n; i++)
		if (old[i].node)
			*slot_find(t, old[i].parent, old[i].step, old[i].type) = old[i];
	free(old);
	return NULL;
}

/*
 * Several steps may lead to one node: at most four times as many are remembered as there are nodes. The
 * node's own step (`done`) is remembered in any case.
 */
static struct error *slot_add(struct trie *t, uint32_t parent, uint32_t step, uint32_t type,
			      uint32_t node)
{
	bool done = step >> 29 == STEP_DONE && node != RETENTION_OTHER;
	if (!done && t->used >= 4 * t->node.n + SLOTS_FIRST)
		return NULL;
	if (t->used >= t->slots / 4 * 3) {
		struct error *err = slot_grow(t);
		if (err)
			return err;
	}
	struct trie_slot *slot = slot_find(t, parent, step, type);
	t->used += !slot->node;
	*slot = (struct trie_slot){step, type, parent, node};
	return NULL;
}

uint32_t trie_find(const struct trie *t, uint32_t parent, uint32_t step, uint32_t type)
{
	return slot_find(t, parent, step_pack(STEP_DONE, step), type)->node;
}

struct error *trie_remember(struct trie *t, uint32_t id)
{
	const struct trie_node *n = &t->node.at[id];
	return slot_add(t, n->parent, step_pack(STEP_DONE, n->step), n->type, id);
}

/* ---- steps ---- */

/* A step as text: where it hangs, and what is special about what is there. */
struct step {
	uint32_t text; /* string */
	uint32_t parent;
	uint8_t flags;
	bool word;  /* an unnamed one */
	bool mixed; /* of any type: names and the like */
};

static bool is_dunder(const char *name)
{
	size_t len = strlen(name);
	return len > 4 && !strncmp(name, "__", 2) && !strcmp(name + len - 2, "__");
}

/* Digits in brackets become a star: a name of DWARF's may have them. */
static struct error *step_text(struct trie *t, uint32_t string, uint32_t *ret)
{
	const char *text = intern_text(&t->s->strings, string);
	*ret = string;
	if (!strchr(text, '['))
		return NULL;
	char out[256];
	size_t n = 0;
	for (const char *at = text; *at && n + 4 < sizeof(out);) {
		size_t digits = at[0] == '[' ? strspn(at + 1, "0123456789") : 0;
		out[n++] = *at++;
		if (digits && at[digits] == ']') {
			out[n++] = '*';
			at += digits;
		}
	}
	return intern_add(&t->s->strings, out, n, ret);
}

/* Names and such: one node of all types for those of an object. */
static bool is_names(const struct trie *t, const char *name, uint32_t type)
{
	return (t->type[type] & TYPE_TEXT && is_dunder(name)) || !strcmp(name, "__mro__") ||
	       !strcmp(name, "__bases__");
}

static struct error *step_names(struct trie *t, struct step *ret)
{
	ret->mixed = true;
	return intern_str(&t->s->strings, ".<names>", &ret->text);
}

/* What each module has of the machinery that imported it. */
static bool is_import(const char *name)
{
	return !strcmp(name, "__spec__") || !strcmp(name, "__loader__");
}

/* An attribute of a namespace. */
static struct error *step_attribute(struct trie *t, const char *name, uint32_t type,
				    struct step *ret)
{
	const struct snapshot *s = t->s;
	char text[KEY_TEXT + 64];
	if (is_names(t, name, type))
		return step_names(t, ret);
	if (is_import(name) && t->node.at[ret->parent].depth == 1) {
		ret->parent = 0;
		ret->mixed = true;
		ret->flags |= TRIE_ABSORBS;
		return intern_str(&t->s->strings, "(modules)", &ret->text);
	}
	/* what a class knows as abstract, and what it was asked about: caches of its own */
	if (!strcmp(name, "_abc_impl"))
		ret->flags |= TRIE_ABSORBS;
	if (t->type[type] & TYPE_PROGRAM) {
		snprintf(text, sizeof(text), ".<%.80s>",
			 intern_text(&s->strings, s->type.at[type - 1].name));
		ret->flags |= TRIE_PROGRAM;
	} else {
		snprintf(text, sizeof(text), ".%.*s", KEY_TEXT, name);
	}
	return intern_str(&t->s->strings, text, &ret->text);
}

static struct error *step_key(struct trie *t, uint32_t parent, uint32_t string, uint32_t type,
			      struct step *ret)
{
	const struct trie_node *p = &t->node.at[parent];
	const char *key = intern_text(&t->s->strings, string);
	char text[KEY_TEXT + 8];
	if (!string) {
		ret->text = t->any;
		return NULL;
	}
	if (p->flags & (TRIE_NAMESPACE | TRIE_MODULES))
		ret->parent = p->parent;
	if (p->flags & (TRIE_NAMESPACE | TRIE_OWNER))
		return step_attribute(t, key, type, ret);
	snprintf(text, sizeof(text), p->flags & TRIE_MODULES ? "%.*s" : "['%.*s']", KEY_TEXT, key);
	return intern_str(&t->s->strings, text, &ret->text);
}

static struct error *step_resolve(struct trie *t, uint32_t parent, uint32_t step, uint32_t type,
				  struct step *ret)
{
	uint32_t number = step & STEP_ANY;
	struct error *err = NULL;
	char text[32];
	const char *known;
	*ret = (struct step){.parent = parent};
	switch ((enum step_kind)(step >> 29)) {
	case STEP_WORD:
		ret->word = true;
		ret->text = t->any;
		if (number == STEP_ANY)
			break;
		snprintf(text, sizeof(text), "->+%" PRIu32, number);
		err = intern_str(&t->s->strings, text, &ret->text);
		break;
	case STEP_TEXT:
		known = intern_text(&t->s->strings, number);
		err = *known == '.' && is_names(t, known + 1, type)
			      ? step_names(t, ret)
			      : step_text(t, number, &ret->text);
		break;
	case STEP_INDEX:
		ret->text = t->any;
		break;
	case STEP_KEY:
		err = step_key(t, parent, number, type, ret);
		break;
	case STEP_ATTR:
		err = step_attribute(t, intern_text(&t->s->strings, number), 0, ret);
		break;
	case STEP_KEYOF:
		err = t->node.at[parent].flags & (TRIE_NAMESPACE | TRIE_OWNER)
			      ? step_names(t, ret)
			      : intern_str(&t->s->strings, "<key>", &ret->text);
		break;
	case STEP_REST:
		ret->text = t->rest;
		ret->flags |= TRIE_ABSORBS;
		break;
	case STEP_DONE:
		ret->text = number;
		break;
	}
	const char *done = intern_text(&t->s->strings, ret->text);
	size_t len = strlen(done), tail = strlen(".__dict__");
	if (ret->parent && len >= tail && !strcmp(done + len - tail, ".__dict__"))
		ret->flags |= TRIE_NAMESPACE;
	return err;
}

/* Is what is there of this type, or of this size where nothing has a type? */
static bool node_is(const struct trie_node *n, uint32_t type, uint32_t size)
{
	return n->depth && n->type == type && (type || size_like(n->size, size));
}

/*
 * A step that was taken before, to the same type: the node it led to then. 0: none. Lists and trees
 * have a type that leads to itself; what alternates (a node, its list of children, a node) is found
 * when it comes round.
 */
static uint32_t step_fold(const struct trie *t, const struct step *step, uint32_t type,
			  uint32_t size)
{
	uint32_t p = step->parent;
	const struct trie_node *q = &t->node.at[p];
	const char *text = intern_text(&t->s->strings, step->text);
	if (q->depth < 2 || step->flags & TRIE_ABSORBS)
		return 0;
	if (node_is(q, type, size) && *text != '[' &&
	    (q->step == step->text || node_is(&t->node.at[q->parent], type, size)))
		return p;
	for (unsigned i = 0; i < FOLD_ANCESTORS && t->node.at[p].depth > 1; i++) {
		const struct trie_node *a = &t->node.at[p], *b = &t->node.at[a->parent];
		if (a->step == step->text && a->type == type && b->type == q->type &&
		    b->step == q->step)
			return p;
		p = a->parent;
	}
	return 0;
}

/* A program and its names: thousands in any process, and it is seldom they that grow. */
static bool step_is_program(const struct trie *t, const struct step *step, uint32_t type)
{
	const char *text = intern_text(&t->s->strings, step->text);
	return t->type[type] & (TYPE_PROGRAM | TYPE_CODE) || !strncmp(text, ".<", 2) ||
	       (!strncmp(text, ".__", 3) && !(step->flags & TRIE_NAMESPACE));
}

static struct error *node_add(struct trie *t, const struct step *step, uint32_t type, uint32_t size,
			      uint32_t *ret)
{
	if (t->node.n > t->most || (t->node.n > t->most / 2 && step_is_program(t, step, type))) {
		*ret = RETENTION_OTHER;
		return NULL;
	}
	const struct trie_node *p = &t->node.at[step->parent];
	struct trie_node node = {
		.step = step->text,
		.type = type,
		.size = size,
		.parent = step->parent,
		.depth = (uint8_t)(p->depth + 1),
		.words = (uint8_t)(step->word ? p->words + 1 : 0),
		.flags = step->flags,
		.rank = t->rank,
	};
	if (node.depth >= DEPTH_MOST || node.words >= WORDS_NAMED)
		node.flags |= TRIE_REST;
	if (t->type[type] & TYPE_CODE)
		node.flags |= TRIE_ABSORBS;
	if (t->type[type] & (TYPE_CLASS | TYPE_MODULE))
		node.flags |= TRIE_OWNER;
	*ret = (uint32_t)t->node.n;
	return vec_push(&t->node, node);
}

/* What comes after the first look: a step that was not met here yet. */
static struct error *child_make(struct trie *t, uint32_t parent, uint32_t packed, uint32_t dst,
				uint32_t *ret)
{
	struct step step;
	uint32_t type = trie_type(t, dst);
	uint64_t bytes = dst ? t->s->object.size[dst - 1] : 0;
	uint32_t size = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
	struct error *err = step_resolve(t, parent, packed, type, &step);
	/* A list or a tree without names: which of its links it was does not matter. */
	if (!err && step.word && node_is(&t->node.at[parent], type, size)) {
		step.word = false;
		err = intern_str(&t->s->strings, "->*", &step.text);
	}
	if (err)
		return err;
	const uint32_t met = type;
	if (step.mixed)
		type = size = 0;
	uint32_t fold = step_fold(t, &step, type, size);
	if (fold) {
		t->node.at[fold].flags |= TRIE_STAR;
		*ret = fold;
	} else {
		uint32_t done = step_pack(STEP_DONE, step.text);
		*ret = slot_find(t, step.parent, done, type)->node;
		if (!*ret) {
			err = node_add(t, &step, type, size, ret);
			if (!err)
				err = slot_add(t, step.parent, done, type, *ret);
		}
	}
	return err ? err : slot_add(t, parent, packed, met, *ret);
}

struct error *trie_child(struct trie *t, uint32_t parent, uint32_t step, uint32_t dst,
			 uint32_t *ret)
{
	*ret = parent;
	uint8_t flags = t->node.at[parent].flags;
	if (flags & TRIE_ABSORBS)
		return NULL;
	if (flags & TRIE_REST) {
		step = step_pack(STEP_REST, 0);
		dst = 0;
	}
	*ret = slot_find(t, parent, step, trie_type(t, dst))->node;
	if (!*ret && t->node.n > t->most)
		*ret = RETENTION_OTHER; /* at once: there may be millions */
	return *ret ? NULL : child_make(t, parent, step, dst, ret);
}

struct error *trie_root(struct trie *t, const char *label, uint8_t flags, uint32_t dst,
			uint32_t *ret)
{
	uint32_t string;
	struct error *err = intern_str(&t->s->strings, label, &string);
	if (!err)
		err = trie_child(t, 0, step_pack(STEP_DONE, string), dst, ret);
	if (!err && *ret != RETENTION_OTHER)
		t->node.at[*ret].flags |= flags;
	return err;
}

/* ---- edges ---- */

static bool is_name(const char *text, bool dots)
{
	size_t len = strlen(text);
	if (!len || len > KEY_TEXT || isdigit((unsigned char)*text))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '_' && !(text[i] & 0x80) &&
		    !(dots && text[i] == '.'))
			return false;
	return true;
}

static uint32_t edge_key(const struct trie *t, uint32_t parent, uint32_t key, uint64_t entries)
{
	const struct object_table *o = &t->s->object;
	uint8_t flags = t->node.at[parent].flags;
	if (!key || key > o->n || !o->value || !o->flags || !(o->flags[key - 1] & OBJECT_TEXT))
		return step_pack(STEP_KEY, 0);
	bool space = flags & (TRIE_NAMESPACE | TRIE_MODULES | TRIE_OWNER);
	/* An entry has two edges: key and value. */
	if (!space && (entries > 2 * KEYS_NAMED || !(o->flags[key - 1] & OBJECT_NAME)))
		return step_pack(STEP_KEY, 0);
	uint32_t string = object_shown(o, key - 1);
	/* Redacted: what stands for a key is another one in each dump. */
	if (string != o->value[key - 1])
		return step_pack(STEP_KEY, 0);
	bool name = is_name(intern_text(&t->s->strings, string), flags & TRIE_MODULES);
	return step_pack(STEP_KEY, name ? string : 0);
}

/* .f.__defaults__ rather than .<function>.__defaults__: see the header. */
static struct error *edge_of_function(struct trie *t, uint32_t *parent, uint32_t src,
				      uint32_t *step)
{
	static const char *const own[] = {".__defaults__", ".__kwdefaults__", ".__closure__",
					  ".__dict__",	   ".func_defaults",  ".func_closure",
					  ".func_dict"};
	const struct object_table *o = &t->s->object;
	const struct trie_node *p = &t->node.at[*parent];
	const char *name = intern_text(&t->s->strings, *step & STEP_ANY);
	bool is = false;
	for (unsigned i = 0; i < sizeof(own) / sizeof(*own); i++)
		is |= !strcmp(name, own[i]);
	if (!is || !(p->flags & TRIE_PROGRAM) || !object_shown(o, src - 1))
		return NULL;
	char text[KEY_TEXT + 40];
	uint32_t string;
	snprintf(text, sizeof(text), ".%.*s%s", KEY_TEXT,
		 intern_text(&t->s->strings, object_shown(o, src - 1)), name);
	struct error *err = intern_str(&t->s->strings, text, &string);
	if (err)
		return err;
	*parent = p->parent;
	*step = step_pack(STEP_DONE, string);
	return NULL;
}

static uint32_t edge_word(const struct snapshot *s, uint64_t e, uint64_t entries)
{
	uint32_t word = s->image ? s->image->word_size : 8;
	int64_t offset = edge_offset(s->edge.where[e], word);
	if (entries > WORDS_ARRAY || offset < 0 || offset >= WORD_FAR * (int64_t)word ||
	    edge_how(s->edge.where[e]) == EDGE_MISALIGNED)
		return step_pack(STEP_WORD, STEP_ANY);
	return step_pack(STEP_WORD, (uint32_t)offset);
}

struct error *trie_edge(struct trie *t, uint32_t parent, uint32_t src, uint64_t e, uint64_t entries,
			uint32_t *ret)
{
	const struct snapshot *s = t->s;
	const struct object_table *o = &s->object;
	uint32_t dst = s->edge.dst[e], step, name = s->edge.name ? s->edge.name[e] : 0;
	uint32_t number = name & EDGE_NAME_NUMBER;
	*ret = parent;
	/* A buffer is its owner's; several buffers of one owner may hang off each other. */
	if (o->owner_id && o->owner_id[dst - 1] &&
	    (o->owner_id[dst - 1] == src || o->owner_id[dst - 1] == o->owner_id[src - 1]))
		return NULL;
	switch ((enum edge_name_kind)(name >> 29)) {
	case EDGE_NAME_NONE:
		step = edge_word(s, e, entries);
		break;
	case EDGE_NAME_TEXT:
		if (t->node.at[parent].flags & TRIE_OWNER && number == t->dict)
			return NULL;
		step = step_pack(STEP_TEXT, number);
		if (t->type[trie_type(t, src)] & TYPE_FUNCTION) {
			struct error *err = edge_of_function(t, &parent, src, &step);
			if (err)
				return err;
		}
		break;
	case EDGE_NAME_INDEX:
		step = step_pack(STEP_INDEX, 0);
		break;
	case EDGE_NAME_KEY:
		step = edge_key(t, parent, number, entries);
		break;
	case EDGE_NAME_ATTR:
		step = number && number <= o->n && object_shown(o, number - 1)
			       ? step_pack(STEP_ATTR, object_shown(o, number - 1))
			       : step_pack(STEP_WORD, STEP_ANY);
		break;
	case EDGE_NAME_KEYOF:
	default:
		step = step_pack(STEP_KEYOF, 0);
		break;
	}
	return trie_child(t, parent, step, dst, ret);
}
