/* shape: see clusters_impl.h. */
#include "analysis/clusters_impl.h"

#include "base/cleanup.h"
#include "base/short_name.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	SHAPE_SLOTS = 4 * SHAPE_EDGES,
	SHAPE_KNOWN = 1 << 12,
	LABEL_TEXT = 64, /* bytes of a type's name that a signature shows */
};

/* Offsets that are none. */
enum { OFFSET_FAR = -1, OFFSET_BUFFER = -2 };

struct shape_known {
	uint64_t hash;
	uint32_t string; /* 0: free */
};

/* Spreads; the constants are those of splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) + UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

/* Of the text, as ids differ from dump to dump. */
static uint64_t mix_string(uint64_t h, const struct intern *in, uint32_t id)
{
	const char *text = intern_text(in, id);
	for (; *text; text++)
		h = mix(h, (unsigned char)*text);
	return mix(h, 256);
}

struct error *shape_init(struct shape *sh, struct snapshot *s)
{
	*sh = (struct shape){.s = s, .word_size = s->image ? s->image->word_size : 8};
	sh->type_hash = calloc(s->type.n + 1, sizeof(*sh->type_hash));
	sh->slot = calloc(SHAPE_SLOTS, sizeof(*sh->slot));
	sh->used = calloc(SHAPE_EDGES + 1, sizeof(*sh->used));
	sh->known = calloc(SHAPE_KNOWN, sizeof(*sh->known));
	if (!sh->type_hash || !sh->slot || !sh->used || !sh->known) {
		shape_deinit(sh);
		return &error_nomem;
	}
	for (uint64_t i = 0; i < s->type.n; i++) {
		const struct type_row *t = &s->type.at[i];
		uint64_t h = mix_string(1, &s->strings, t->language);
		h = mix_string(h, &s->strings, t->module);
		sh->type_hash[i + 1] = mix_string(h, &s->strings, t->name);
	}
	return NULL;
}

void shape_deinit(struct shape *sh)
{
	free(sh->type_hash);
	free(sh->slot);
	free(sh->used);
	free(sh->known);
	*sh = (struct shape){0};
}

/* ---- labels ---- */

static uint32_t label_owner(const struct shape *sh, uint32_t id)
{
	return sh->s->object.owner_id ? sh->s->object.owner_id[id - 1] : 0;
}

static uint64_t label_hash(const struct shape *sh, uint32_t id)
{
	const struct object_table *o = &sh->s->object;
	uint32_t owner = label_owner(sh, id), main = owner ? owner : id;
	uint32_t type = cluster_type(sh->s, main);
	uint64_t h = type ? sh->type_hash[type] : mix(2, o->size[main - 1]);
	return owner ? mix(3, h) : h;
}

/* Answers whether the text says all there is. */
static bool label_print(const struct shape *sh, uint32_t id, FILE *f)
{
	const struct object_table *o = &sh->s->object;
	uint32_t owner = label_owner(sh, id), main = owner ? owner : id;
	uint32_t type = cluster_type(sh->s, main);
	bool all = true;
	if (type) {
		char said[SHORT_NAME_MAX + 1];
		const char *name = intern_text(&sh->s->strings, sh->s->type.at[type - 1].name);
		/* two names may be one when shortened */
		all = !short_name(name, said);
		name = all ? name : said;
		size_t len = strlen(name), shown = len;
		const char *cut = "";
		if (len > LABEL_TEXT) {
			/* Not inside a character of UTF-8. */
			for (shown = LABEL_TEXT; shown && (name[shown] & 0xc0) == 0x80;)
				shown--;
			all = false;
			cut = "...";
		}
		fprintf(f, "%.*s%s", (int)shown, name, cut);
	} else {
		fprintf(f, "%" PRIu64, o->size[main - 1]);
	}
	if (owner)
		fputs(" buffer", f);
	return all;
}

/* ---- the set of distinct references ---- */

static bool shape_keeps(const struct shape *sh, uint64_t h)
{
	return !sh->zeroes || !(h >> (64 - sh->zeroes));
}

static uint32_t shape_slot(const struct shape *sh, uint64_t h)
{
	uint32_t i = (uint32_t)h & (SHAPE_SLOTS - 1);
	while (sh->slot[i] && sh->slot[i] != h)
		i = (i + 1) & (SHAPE_SLOTS - 1);
	return i;
}

/* Halves the set, until it fits: asks for one more zero. */
static struct error *shape_halve(struct shape *sh)
{
	_cleanup_free_ uint64_t *kept = malloc(sh->nused * sizeof(*kept));
	if (!kept)
		return &error_nomem;
	while (sh->nused > SHAPE_EDGES) {
		sh->zeroes++;
		uint32_t n = 0;
		for (uint32_t k = 0; k < sh->nused; k++) {
			uint64_t h = sh->slot[sh->used[k]];
			sh->slot[sh->used[k]] = 0;
			if (shape_keeps(sh, h))
				kept[n++] = h;
		}
		for (uint32_t k = 0; k < n; k++) {
			sh->used[k] = shape_slot(sh, kept[k]);
			sh->slot[sh->used[k]] = kept[k];
		}
		sh->nused = n;
	}
	return NULL;
}

static struct error *shape_add(struct shape *sh, uint64_t h)
{
	if (!h)
		h = 1;
	if (!shape_keeps(sh, h))
		return NULL;
	uint32_t i = shape_slot(sh, h);
	if (sh->slot[i])
		return NULL;
	sh->slot[i] = h;
	sh->used[sh->nused++] = i;
	return sh->nused > SHAPE_EDGES ? shape_halve(sh) : NULL;
}

static void shape_clear(struct shape *sh)
{
	for (uint32_t k = 0; k < sh->nused; k++)
		sh->slot[sh->used[k]] = 0;
	sh->nused = sh->zeroes = sh->nhint = 0;
}

/* Keeps the lowest ones by (offset, label), each once. */
static void shape_add_hint(struct shape *sh, int64_t offset, uint64_t hash, uint32_t to)
{
	uint32_t at = 0;
	for (; at < sh->nhint; at++) {
		const struct shape_hint *h = &sh->hint[at];
		if (h->offset == offset && h->hash == hash)
			return;
		if (h->offset > offset || (h->offset == offset && h->hash > hash))
			break;
	}
	if (at > SHAPE_HINTS)
		return;
	uint32_t behind = sh->nhint - at;
	if (sh->nhint <= SHAPE_HINTS)
		sh->nhint++;
	else
		behind--;
	memmove(&sh->hint[at + 1], &sh->hint[at], behind * sizeof(sh->hint[0]));
	sh->hint[at] = (struct shape_hint){.offset = offset, .to = to, .hash = hash};
}

/* ---- signatures ---- */

static struct error *shape_print(const struct shape *sh, uint32_t head, uint64_t hash,
				 uint32_t *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return &error_nomem;
	bool all = label_print(sh, head, f) && !sh->nused;
	for (uint32_t k = 0; k < sh->nhint; k++) {
		fputs(k ? ", " : " -> ", f);
		if (k == SHAPE_HINTS) {
			fputs("...", f);
			break;
		}
		label_print(sh, sh->hint[k].to, f);
		if (sh->hint[k].offset == OFFSET_BUFFER)
			fputs("[]", f);
		else if (sh->hint[k].offset == OFFSET_FAR)
			fputs("[far]", f);
		else
			fprintf(f, "[+%" PRId64 "]", sh->hint[k].offset);
	}
	if (!all)
		fprintf(f, " (%08" PRIx32 ")", (uint32_t)(hash >> 32));
	if (fclose(f))
		return &error_nomem;
	return intern_add(&sh->s->strings, text, len, ret);
}

static struct error *shape_add_references(struct shape *sh, const struct csr *graph, uint32_t v,
					  const uint32_t *group, uint32_t number,
					  uint64_t head_hash)
{
	uint64_t from = 0;
	for (uint64_t e = graph->first[v - 1]; e < graph->first[v]; e++) {
		uint32_t w = graph->dst[e];
		if (group[w - 1] != number || !csr_counts(graph, e))
			continue;
		if (!from)
			from = label_hash(sh, v);
		uint64_t to = label_hash(sh, w);
		int64_t offset = label_owner(sh, v)
					 ? OFFSET_BUFFER
					 : edge_offset(sh->s->edge.where[e], sh->word_size);
		if (from == head_hash)
			shape_add_hint(sh, offset, to, w);
		struct error *err = shape_add(sh, mix(mix(from, (uint64_t)offset), to));
		if (err)
			return err;
	}
	return NULL;
}

struct error *shape_signature(struct shape *sh, const struct csr *graph, const uint32_t *member,
			      uint32_t n, const uint32_t *group, uint32_t number, uint32_t head,
			      uint32_t *ret)
{
	uint64_t head_hash = label_hash(sh, head);
	shape_clear(sh);
	for (uint32_t k = 0; k < n; k++) {
		if (n - k > 24)
			csr_prefetch_row(graph, member[k + 24]);
		if (n - k > 12)
			csr_prefetch_edges(graph, member[k + 12]);
		struct error *err =
			shape_add_references(sh, graph, member[k], group, number, head_hash);
		if (err)
			return err;
	}
	/* Sums do not depend on the order in which the references came. */
	uint64_t sum = 0;
	for (uint32_t k = 0; k < sh->nused; k++)
		sum += mix(4, sh->slot[sh->used[k]]);
	uint64_t hash = mix(mix(mix(head_hash, sum), sh->nused), sh->zeroes);
	for (uint32_t k = 0; k < sh->nhint; k++)
		hash = mix(mix(hash, (uint64_t)sh->hint[k].offset), sh->hint[k].hash);
	struct shape_known *known = &sh->known[hash & (SHAPE_KNOWN - 1)];
	if (!known->string || known->hash != hash) {
		struct error *err = shape_print(sh, head, hash, &known->string);
		if (err) {
			known->string = 0;
			return err;
		}
		known->hash = hash;
	}
	*ret = known->string;
	return NULL;
}
