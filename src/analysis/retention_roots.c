/*
 * The first steps of retention paths: what a root is called, in words that are the same in another
 * dump of the program.
 */
#include "analysis/retention_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SYMBOL_WORDS = 16,  /* of a symbol that point to something: more are an array */
	MODULE_WORDS = 256, /* unnamed ones of a module that have a step of their own */
};

static bool ends_with(const char *text, const char *tail)
{
	size_t len = strlen(text), n = strlen(tail);
	return len >= n && !strcmp(text + len - n, tail);
}

static uint8_t root_rank(const struct snapshot *s, const struct root_row *r)
{
	const char *name = intern_text(&s->strings, r->name);
	switch ((enum root_grade)r->grade) {
	case ROOT_GLOBAL:
	case ROOT_DATA:
		if (r->kind == REFERENCE_OWNING && !r->thread_id)
			return ends_with(name, "sys.modules") ? RANK_MODULES : RANK_RUNTIME;
		if (r->address && r->address == s->object.address[r->object_id - 1])
			return RANK_STATIC;
		return *name ? RANK_GLOBAL : RANK_DATA;
	case ROOT_TLS:
		return RANK_TLS;
	case ROOT_FRAME:
		return *name ? RANK_LOCAL : RANK_FRAME;
	case ROOT_REGISTER:
		return RANK_REGISTER;
	case ROOT_STACK:
		return RANK_STACK;
	case ROOT_UNEXPLAINED:
	case ROOT_NONE:
	case ROOT_GRADES:
		break;
	}
	return RANK_UNEXPLAINED;
}

/* The length of a name without its offset: "table+0x18" */
static size_t symbol_length(const char *name)
{
	const char *plus = strstr(name, "+0x");
	return plus ? (size_t)(plus - name) : strlen(name);
}

/* Words of one symbol stand side by side. */
static void find_arrays(struct retention_roots *r)
{
	const struct snapshot *s = r->s;
	for (uint64_t i = 0, k; i < s->root.n; i = k) {
		const char *name = intern_text(&s->strings, s->root.at[i].name);
		size_t len = symbol_length(name);
		for (k = i + 1; k < s->root.n && r->rank[k] == r->rank[i]; k++) {
			const char *other = intern_text(&s->strings, s->root.at[k].name);
			if (symbol_length(other) != len || strncmp(name, other, len))
				break;
		}
		if (r->rank[i] == RANK_GLOBAL && k - i > SYMBOL_WORDS)
			for (uint64_t w = i; w < k; w++)
				bits_set(&r->array, w);
	}
}

static int frame_compare(const void *a, const void *b, void *arg)
{
	const struct snapshot *s = arg;
	const struct frame_row *x = &s->frame.at[*(const uint32_t *)a];
	const struct frame_row *y = &s->frame.at[*(const uint32_t *)b];
	if (x->thread_id != y->thread_id)
		return x->thread_id < y->thread_id ? -1 : 1;
	return x->depth < y->depth ? -1 : x->depth > y->depth;
}

struct error *retention_roots_init(struct retention_roots *r, struct snapshot *s)
{
	uint32_t modules = s->image ? s->image->nmodule : 0;
	*r = (struct retention_roots){.s = s};
	r->frame = calloc(s->frame.n + 1, sizeof(*r->frame));
	r->rank = calloc(s->root.n + 1, sizeof(*r->rank));
	r->left = calloc((size_t)modules + 1, sizeof(*r->left));
	if (!r->frame || !r->rank || !r->left)
		return &error_nomem;
	struct error *err = bits_init(&r->array, s->root.n + 1);
	if (err)
		return err;
	for (uint32_t i = 0; i <= modules; i++)
		r->left[i] = MODULE_WORDS;
	for (uint32_t i = 0; i < s->frame.n; i++)
		r->frame[i] = i;
	qsort_r(r->frame, s->frame.n, sizeof(*r->frame), frame_compare, s);
	for (uint64_t i = 0; i < s->root.n; i++)
		r->rank[i] = root_rank(s, &s->root.at[i]);
	find_arrays(r);
	return NULL;
}

void retention_roots_deinit(struct retention_roots *r)
{
	free(r->frame);
	free(r->rank);
	free(r->left);
	bits_deinit(&r->array);
	*r = (struct retention_roots){0};
}

static const char *frame_function(const struct retention_roots *r, const struct root_row *root)
{
	const struct snapshot *s = r->s;
	uint64_t lo = 0, hi = s->frame.n;
	while (root->depth >= 0 && lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		const struct frame_row *f = &s->frame.at[r->frame[mid]];
		if (f->thread_id == root->thread_id && f->depth == (uint32_t)root->depth)
			return intern_text(&s->strings, f->function);
		if (f->thread_id < root->thread_id ||
		    (f->thread_id == root->thread_id && f->depth < (uint32_t)root->depth))
			lo = mid + 1;
		else
			hi = mid;
	}
	return "";
}

static const struct image_module *root_module(const struct retention_roots *r,
					      const struct root_row *root)
{
	const struct snapshot *s = r->s;
	return s->image && root->module_id && root->module_id <= s->image->nmodule
		       ? image_module_get(s->image, root->module_id)
		       : NULL;
}

/* "libfoo.so+0x4c28": the same in each run of this build. Of a module with very many, one for all. */
static void data_label(struct retention_roots *r, const struct root_row *root, char *text,
		       size_t room)
{
	const struct image_module *m = root_module(r, root);
	const char *path = m && m->path ? m->path : "";
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	uint32_t *left = &r->left[m ? root->module_id : 0];
	if (!m || root->address < m->start)
		snprintf(text, room, "(module data)");
	else if (!*left)
		snprintf(text, room, "%s[data]", base);
	else
		snprintf(text, room, "%s+0x%" PRIx64, base, root->address - m->start);
	*left -= *left > 0;
}

static void global_label(const struct retention_roots *r, uint64_t i, char *text, size_t room)
{
	const char *name = intern_text(&r->s->strings, r->s->root.at[i].name);
	if (bits_test(&r->array, i))
		snprintf(text, room, "%.*s[*]", (int)symbol_length(name), name);
	else
		snprintf(text, room, "%s", name);
}

struct error *retention_root(struct retention_roots *r, struct trie *t, uint64_t i, uint32_t *ret)
{
	const struct root_row *root = &r->s->root.at[i];
	const char *name = intern_text(&r->s->strings, root->name), *function;
	char text[300];
	uint32_t type = trie_type(t, root->object_id);
	uint8_t flags = 0;
	switch ((enum root_rank)r->rank[i]) {
	case RANK_MODULES:
		snprintf(text, sizeof(text), "%.200s", name);
		flags = TRIE_MODULES;
		break;
	case RANK_RUNTIME:
		snprintf(text, sizeof(text), "%.200s", name);
		break;
	case RANK_GLOBAL:
		global_label(r, i, text, sizeof(text));
		break;
	case RANK_DATA:
		data_label(r, root, text, sizeof(text));
		break;
	case RANK_TLS:
		snprintf(text, sizeof(text), "(thread-local)%s%.200s", *name ? " " : "", name);
		break;
	case RANK_STATIC:
		/* types have names of their own; the rest are a frozen module's constants */
		if (*name && t->type[type] & TYPE_CLASS)
			snprintf(text, sizeof(text), "%.200s", name);
		else
			snprintf(text, sizeof(text), "(static objects)");
		break;
	case RANK_LOCAL:
	case RANK_FRAME:
		function = frame_function(r, root);
		if (!strcmp(name, "(frame)"))
			name = "";
		snprintf(text, sizeof(text), "%.200s%s%s%.60s", *function ? function : "(frame)",
			 *function && !strchr(function, '(') ? "()" : "", *name ? "." : "", name);
		break;
	case RANK_REGISTER:
		snprintf(text, sizeof(text), "(registers)");
		break;
	case RANK_STACK:
		snprintf(text, sizeof(text), "(stack words that may be stale)");
		break;
	case RANK_UNEXPLAINED:
	case RANKS:
	default:
		snprintf(text, sizeof(text), "(words in unexplained memory)");
		break;
	}
	return trie_root(t, text, flags, root->object_id, ret);
}
