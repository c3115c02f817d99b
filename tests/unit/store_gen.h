/*
 * store_gen: snapshots from a seed, for tests and benchmarks of the store. Every column gets values
 * of every width and kind that it may have; the rows are consistent (foreign keys hold).
 */
#pragma once

#include "analysis/analysis.h"
#include "image/image.h"
#include "snapshot/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct gen {
	uint64_t state;
};

static inline uint64_t gen_next(struct gen *g)
{
	/* splitmix64 */
	uint64_t z = (g->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline uint64_t gen_below(struct gen *g, uint64_t n)
{
	return n ? gen_next(g) % n : 0;
}

/* A number of any width, all widths alike often; the borders between them more often still. */
static inline uint64_t gen_wide(struct gen *g)
{
	uint64_t bits = gen_below(g, 65), v = gen_next(g);
	v = bits == 64 ? v : v & ((UINT64_C(1) << bits) - 1);
	if (!gen_below(g, 4))
		v = (UINT64_C(1) << gen_below(g, 64)) - gen_below(g, 2);
	return v;
}

/* Text of up to `max` bytes; mostly short. */
static inline uint32_t gen_text(struct gen *g, struct snapshot *s, uint64_t max)
{
	static char buf[70000];
	uint64_t len = gen_below(g, gen_below(g, 50) ? 24 : max);
	assert(len < sizeof(buf));
	for (uint64_t i = 0; i < len; i++)
		buf[i] = (char)('a' + gen_below(g, 26));
	uint32_t id = 0;
	struct error *err = intern_add(&s->strings, buf, len, &id);
	assert(!err);
	(void)err;
	return id;
}

static inline uint32_t gen_str(struct snapshot *s, const char *text)
{
	uint32_t id = 0;
	struct error *err = intern_str(&s->strings, text, &id);
	assert(!err);
	(void)err;
	return id;
}

struct gen_options {
	uint64_t seed;
	uint32_t objects;
	uint64_t references, roots, frees;
	uint32_t types, clusters; /* clusters hold up to 1000 members each */
	uint64_t text_max;	  /* longest name, value */
	bool plain; /* as a native dump: no names, values, owners, counts; sizes of 16 to 400 */
	bool high;  /* some addresses from 2^63 on */
};

#define gen_array(n, type) ((type *)calloc((n) ? (n) : 1, sizeof(type)))
#define gen_push(v, ...)                                                                           \
	do {                                                                                       \
		struct error *gen_err_ = vec_push(v, (__VA_ARGS__));                               \
		assert(!gen_err_);                                                                 \
		(void)gen_err_;                                                                    \
	} while (0)

static inline void gen_facts(struct gen *g, const struct gen_options *o, struct snapshot *s,
			     struct image *img)
{
	memset(img, 0, sizeof(*img));
	img->word_size = 8;
	img->nmodule = 3;
	img->module = gen_array(img->nmodule, struct image_module);
	gen_push(&s->module_symbols, gen_str(s, "symtab"));
	for (uint32_t i = 0; i < img->nmodule; i++) {
		img->module[i].start = gen_wide(g);
		img->module[i].path = i ? "/usr/lib/libgen.so" : NULL;
		img->module[i].build_id_len = i * 20;
		for (uint32_t b = 0; b < img->module[i].build_id_len; b++)
			img->module[i].build_id[b] = (uint8_t)gen_next(g);
	}
	img->nsegment = 20;
	img->segment = gen_array(img->nsegment, struct image_segment);
	for (uint32_t i = 0; i < img->nsegment; i++)
		img->segment[i] = (struct image_segment){
			.start = UINT64_C(0x1000) * i,
			.end = UINT64_C(0x1000) * (i + 1),
			.present = gen_below(g, 0x1001),
			.perms = (uint8_t)gen_below(g, 8),
			.kind = (uint8_t)gen_below(g, SEGMENT_KINDS),
			.module_id = (uint32_t)gen_below(g, 4),
			.name = gen_below(g, 2) ? "/some/file" : NULL,
		};
	img->nthread = 3;
	img->thread = gen_array(img->nthread, struct image_thread);
	for (uint32_t i = 0; i < img->nthread; i++) {
		img->thread[i].tid = (int32_t)(100 + i);
		img->thread[i].signal = i ? 0 : 11;
		img->thread[i].nreg = i < 2 ? 17 : 0;
		img->thread[i].pc = gen_wide(g);
		strcpy(img->thread[i].name, i ? "worker" : "");
		for (uint32_t d = 0; d < 5; d++)
			gen_push(&s->frame, (struct frame_row){
						    .thread_id = i + 1,
						    .depth = d,
						    .language = gen_str(s, "native"),
						    .function = gen_text(g, s, o->text_max),
						    .line = (uint32_t)gen_below(g, 3),
						    .module_id = (uint32_t)gen_below(g, 4),
						    .pc = gen_wide(g),
					    });
	}
	for (uint32_t i = 0; i < 4; i++)
		gen_push(&s->arena, (struct arena_row){
					    .allocator = gen_str(s, "glibc"),
					    .address = gen_wide(g),
					    .used_bytes = gen_wide(g) >> 20,
					    .name = gen_text(g, s, 20),
				    });
	struct error *err = snapshot_meta(s, "kind", "core");
	if (!err)
		err = snapshot_meta(s, "pid", "%d", 4711);
	assert(!err);
	(void)err;
	for (uint32_t i = 0; i < o->types; i++)
		gen_push(&s->type, (struct type_row){
					   .language = gen_str(s, i % 2 ? "C++" : ""),
					   .name = gen_text(g, s, 40),
					   .module = i % 3 ? 0 : gen_str(s, "libgen.so"),
				   });
}

static inline void gen_objects(struct gen *g, const struct gen_options *o, struct snapshot *s)
{
	struct object_table *t = &s->object;
	uint32_t n = o->objects;
	t->n = n;
	t->address = gen_array(n, uint64_t);
	t->size = gen_array(n, uint64_t);
	t->arena_id = gen_array(n, uint16_t);
	t->type_id = gen_array(n, uint32_t);
	t->reachable = gen_array(n, uint8_t);
	t->grade = gen_array(n, uint8_t);
	t->dominator = gen_array(n, uint32_t);
	t->retained = gen_array(n, uint64_t);
	if (!o->plain) {
		t->owner_id = gen_array(n, uint32_t);
		t->refcount = gen_array(n, int64_t);
		t->value = gen_array(n, uint32_t);
		t->block = gen_array(n, uint64_t);
	}
	uint64_t at = UINT64_C(0x555555550010);
	for (uint32_t i = 0; i < n; i++) {
		if (o->high && i == n / 2)
			at = UINT64_C(0x8000000000001000);
		t->size[i] = o->plain ? 16 + 8 * gen_below(g, 48) : gen_wide(g);
		t->address[i] = at;
		at += 16 + (o->plain ? t->size[i] : 16 * gen_below(g, 1000));
		t->arena_id[i] = (uint16_t)gen_below(g, 5);
		t->type_id[i] = gen_below(g, 3) ? 0 : (uint32_t)gen_below(g, o->types + 1);
		t->reachable[i] = o->plain ? 1 : (uint8_t[]){0, 1, 2, 255}[gen_below(g, 4)];
		t->grade[i] = (uint8_t)gen_below(g, ROOT_GRADES);
		t->dominator[i] = gen_below(g, 2) ? (uint32_t)gen_below(g, n + 1) : 0;
		t->retained[i] =
			o->plain ? t->size[i] + (gen_below(g, 3) ? 0 : gen_below(g, 1 << 20))
				 : gen_wide(g);
		if (o->plain)
			continue;
		t->block[i] = gen_below(g, 2) ? t->address[i] : t->address[i] - 16;
		t->owner_id[i] = gen_below(g, 5) ? 0 : (uint32_t)gen_below(g, n + 1);
		t->refcount[i] = gen_below(g, 2) ? INT64_MIN : (int64_t)gen_wide(g);
		t->value[i] = gen_below(g, 3) ? 0 : gen_text(g, s, o->text_max);
	}
}

static inline void gen_references(struct gen *g, const struct gen_options *o, struct snapshot *s)
{
	struct edge_table *e = &s->edge;
	uint32_t n = s->object.n;
	uint64_t m = n ? o->references : 0;
	e->n = m;
	e->first = gen_array((uint64_t)n + 1, uint64_t);
	e->dst = gen_array(m, uint32_t);
	e->where = gen_array(m, uint32_t);
	if (!o->plain) {
		e->kind = gen_array(m, uint8_t);
		e->name = gen_array(m, uint32_t);
	}
	/* Sources without references, and some with very many. */
	uint64_t at = 0;
	for (uint32_t i = 0; i < n; i++) {
		e->first[i] = at;
		uint64_t mean = m / n;
		uint64_t want = i + 1 == n			 ? m - at
				: !o->plain && !gen_below(g, 50) ? gen_below(g, m - at + 1)
								 : gen_below(g, 2 * mean + 2);
		at += want < m - at ? want : m - at;
	}
	e->first[n] = m;
	for (uint64_t i = 0; i < m; i++) {
		e->dst[i] = (uint32_t)gen_below(g, n) + 1;
		e->where[i] = o->plain ? edge_where_pack((enum edge_how)gen_below(g, 2),
							 8 * gen_below(g, 50), 8)
				       : (uint32_t)gen_next(g) >> gen_below(g, 30);
		if (o->plain)
			continue;
		if (!gen_below(g, 20))
			e->where[i] |= EDGE_WHERE_FAR;
		e->kind[i] = (uint8_t)gen_below(g, 3);
		e->name[i] = gen_below(g, 2)
				     ? 0
				     : edge_name_pack(EDGE_NAME_TEXT, gen_text(g, s, o->text_max));
	}
	for (uint64_t i = 0; n && i < o->roots; i++)
		gen_push(&s->root, (struct root_row){
					   .object_id = (uint32_t)gen_below(g, n) + 1,
					   .address = gen_wide(g),
					   .grade = (uint8_t)(1 + gen_below(g, ROOT_GRADES - 1)),
					   .how = (uint8_t)gen_below(g, 4),
					   .thread_id = (uint32_t)gen_below(g, 4),
					   .depth = (int32_t)gen_below(g, 4) - 1,
					   .module_id = (uint32_t)gen_below(g, 4),
					   .name = gen_text(g, s, 30),
				   });
}

static inline void gen_sites(struct gen *g, const struct gen_options *o, struct snapshot *s)
{
	uint32_t n = s->object.n;
	for (uint64_t i = 0; i < o->roots; i++)
		gen_push(&s->site,
			 (struct site_row){
				 .parent_id = (uint32_t)gen_below(g, i + 1),
				 .function = gen_text(g, s, 30),
				 .file = gen_text(g, s, 30),
				 .module = gen_text(g, s, 30),
				 .line = (uint32_t)gen_below(g, 1000),
				 .allocations = gen_wide(g),
				 .temporary = gen_below(g, 2) ? SITE_UNKNOWN : gen_wide(g),
				 .allocated_bytes = SITE_UNKNOWN,
				 .live_objects = gen_wide(g),
				 .live_bytes = gen_wide(g) >> 20,
				 .peak_bytes = gen_wide(g),
			 });
	s->object.site_id = calloc(n ? n : 1, sizeof(*s->object.site_id));
	for (uint32_t i = 0; s->object.site_id && i < n; i++)
		s->object.site_id[i] = (uint32_t)gen_below(g, s->site.n + 1);
}

static inline void gen_suspended(struct gen *g, struct snapshot *s)
{
	uint32_t n = s->object.n;
	for (uint32_t i = 0; i < n / 4; i++)
		gen_push(&s->written, 1 + (uint32_t)gen_below(g, n));
	for (uint32_t id = 1; id <= n; id += 1 + (uint32_t)gen_below(g, 20))
		gen_push(&s->suspended, (struct suspended_row){
						.object_id = id,
						.awaits_id = (uint32_t)gen_below(g, n),
						.future_id = (uint32_t)gen_below(g, n),
						.within_id = id - 1,
						.function = gen_text(g, s, 30),
						.file = gen_text(g, s, 30),
						.line = (uint32_t)gen_below(g, 1000),
						.chain = gen_text(g, s, 60),
						.kind = (uint8_t)gen_below(g, SUSPENDED_KINDS),
						.state = (uint8_t)gen_below(g, SUSPENDED_STATES),
					});
}

static inline void gen_conclusions(struct gen *g, const struct gen_options *o, struct snapshot *s)
{
	uint64_t at = UINT64_C(0x555555550000);
	for (uint64_t i = 0; i < o->frees; i++) {
		if (o->high && i == o->frees / 3)
			at = UINT64_C(0x9000000000000000);
		at += 16 + 16 * gen_below(g, 100);
		gen_push(&s->free, (struct free_row){
					   .address = at,
					   .size = gen_wide(g) >> 20,
					   .arena_id = (uint16_t)gen_below(g, 5),
					   .kind = (uint8_t)gen_below(g, FREE_KINDS),
				   });
	}
	uint32_t n = s->object.n;
	for (uint32_t c = 0; c < o->clusters && n; c++) {
		struct cluster_row row = {
			.kind = (uint8_t)gen_below(g, 2),
			.reachable = (uint8_t)gen_below(g, 2),
			.bytes = gen_wide(g) >> 20, /* SQL adds them up */
			.direct_bytes = gen_wide(g),
			.signature = gen_text(g, s, o->text_max),
			.first_member = s->member.n,
		};
		uint32_t id = 1 + (uint32_t)gen_below(g, n);
		for (uint32_t k = 0; k < 1000 && id <= n && gen_below(g, 300); k++) {
			gen_push(&s->member, id);
			row.objects++;
			id += 1 + (uint32_t)gen_below(g, 3);
		}
		row.head_id = row.objects ? s->member.at[row.first_member] : 0;
		gen_push(&s->cluster, row);
	}
	if (analysis_shapes(s, NULL))
		abort();
	for (uint32_t i = 0; i < n / 3; i++)
		gen_push(&s->census, (struct census_row){
					     .type_id = (uint32_t)gen_below(g, o->types + 1),
					     .size = gen_wide(g) >> 40,
					     .reachable = 1,
					     .grade = (uint8_t)gen_below(g, ROOT_GRADES),
					     .objects = (uint32_t)gen_below(g, 1000),
				     });
	for (uint32_t i = 0; i < 5; i++)
		gen_push(&s->saving, (struct saving_row){
					     .kind = i < 2 ? SAVING_DUPLICATE : SAVING_SLACK,
					     .object_id = i < n ? i + 1 : 0,
					     .objects = 10 - i,
					     .bytes = 1000 - i,
					     .capacity = 100,
					     .used = i,
				     });
	for (uint32_t i = 0; i < n; i += 1 + (uint32_t)gen_below(g, 3))
		gen_push(&s->spare, (struct spare_row){
					    .object_id = i + 1,
					    .form = (uint8_t)gen_below(g, CONTAINER_FORMS),
					    .capacity = 200,
					    .used = i % 200,
					    .bytes = gen_wide(g) >> 40,
					    .header = gen_below(g, 2) ? gen_wide(g) : 0,
					    .holder_id = i,
				    });
	for (uint32_t i = 0; i < 20; i++)
		gen_push(&s->ledger, (struct ledger_row){
					     .segment_id = i + 1,
					     .category = gen_str(s, "live"),
					     .place = gen_text(g, s, 10),
					     .bytes = 4096,
				     });
	gen_push(&s->finding, (struct finding_row){
				      .kind = gen_str(s, "leak"),
				      .severity = SEVERITY_WARNING,
				      .title = gen_str(s, "title"),
				      .objects = gen_wide(g),
				      .object_id = n ? 1 : 0,
			      });
}

static inline struct snapshot *gen_snapshot(const struct gen_options *o, struct image *img)
{
	struct gen g = {o->seed};
	struct snapshot *s = NULL;
	struct error *err = snapshot_create(img, NULL, &s);
	assert(!err);
	(void)err;
	gen_facts(&g, o, s, img);
	gen_objects(&g, o, s);
	gen_references(&g, o, s);
	gen_sites(&g, o, s);
	gen_suspended(&g, s);
	gen_conclusions(&g, o, s);
	return s;
}

static inline void gen_destroy(struct snapshot *s, struct image *img)
{
	snapshot_destroy(s);
	free(img->module);
	free(img->segment);
	free(img->thread);
}
