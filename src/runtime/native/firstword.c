#include "runtime/native/firstword.h"

#include "base/cleanup.h"
#include "base/huge.h"
#include "base/parallel.h"
#include "runtime/native/words.h"

#include <assert.h>
#include <stdlib.h>

enum {
	SLICES_MAX = 64,
	SLICE_GRAIN = 1 << 14, /* objects */
	FIRST_AHEAD = 24,      /* objects whose first words are asked for ahead */
};

struct module_range {
	uint64_t start, end;
};

/* A growing set of words, numbered in the order of their coming. */
struct word_set {
	VEC(uint64_t) value;
	uint32_t *slot; /* number + 1; power of two */
	uint32_t slots;
};

struct first_slice {
	struct word_set set;
	uint64_t first, end; /* objects */
	uint32_t *final;     /* number in the set: index into the distinct words */
};

struct first_job {
	struct runtime_context *ctx;
	VEC(struct module_range) range; /* ascending, apart */
	uint32_t *of;
	struct first_slice slice[SLICES_MAX];
};

static inline uint32_t word_hash(uint64_t v, uint32_t slots)
{
	return (uint32_t)(v * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (slots - 1);
}

static struct error *word_set_grow(struct word_set *s)
{
	uint32_t slots = s->slots ? s->slots * 2 : 256;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return &error_nomem;
	for (uint64_t i = 0; i < s->value.n; i++) {
		uint32_t h = word_hash(s->value.at[i], slots);
		while (slot[h])
			h = (h + 1) & (slots - 1);
		slot[h] = (uint32_t)i + 1;
	}
	free(s->slot);
	s->slot = slot;
	s->slots = slots;
	return NULL;
}

/* *ret: its number, plus one. */
static struct error *word_set_add(struct word_set *s, uint64_t v, uint32_t *ret)
{
	if (s->value.n * 2 >= s->slots) {
		struct error *err = word_set_grow(s);
		if (err)
			return err;
	}
	uint32_t h = word_hash(v, s->slots);
	for (; s->slot[h]; h = (h + 1) & (s->slots - 1)) {
		if (s->value.at[s->slot[h] - 1] == v) {
			*ret = s->slot[h];
			return NULL;
		}
	}
	struct error *err = vec_push(&s->value, v);
	if (!err)
		*ret = s->slot[h] = (uint32_t)s->value.n;
	return err;
}

static bool in_module(const struct first_job *job, uint64_t addr)
{
	uint64_t lo = 0, hi = job->range.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (job->range.at[mid].end <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < job->range.n && addr >= job->range.at[lo].start;
}

static struct error *first_slice_run(void *arg, unsigned slice, uint64_t first, uint64_t end)
{
	struct first_job *job = arg;
	struct first_slice *sl = &job->slice[slice];
	const struct image *img = job->ctx->image;
	const struct object_table *o = &job->ctx->snapshot->object;
	uint32_t span = 0;
	struct words_run run = {0};
	sl->first = first;
	sl->end = end;
	for (uint64_t i = first; i < end; i++) {
		uint64_t at = o->address[i];
		if (o->type_id[i] || object_room(o, i) < img->word_size)
			continue;
		if (at < run.addr || at - run.addr >= run.len) {
			if (!words_next_run(img, &span, at, at + img->word_size, &run)) {
				run.len = 0;
				continue;
			}
			run.len = run.avail;
		}
		if (at < run.addr || run.len - (at - run.addr) < img->word_size)
			continue;
		if (end - i > FIRST_AHEAD && o->address[i + FIRST_AHEAD] - run.addr < run.len)
			__builtin_prefetch(run.data + (o->address[i + FIRST_AHEAD] - run.addr));
		uint64_t word = image_word_at(img, run.data + (at - run.addr));
		if (!in_module(job, word))
			continue;
		struct error *err = word_set_add(&sl->set, word, &job->of[i]);
		if (err)
			return err;
	}
	return NULL;
}

static int u64_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* The slices' sets into one, sorted; each slice's numbers into indexes of that. */
static struct error *first_merge(struct first_job *job, unsigned slices, struct first_words *ret)
{
	uint64_t total = 0, n = 0;
	for (unsigned k = 0; k < slices; k++)
		total += job->slice[k].set.value.n;
	ret->value = malloc((total ? total : 1) * sizeof(*ret->value));
	if (!ret->value)
		return &error_nomem;
	for (unsigned k = 0; k < slices; k++) {
		const struct word_set *s = &job->slice[k].set;
		if (s->value.n)
			memcpy(ret->value + n, s->value.at, s->value.n * sizeof(*s->value.at));
		n += s->value.n;
	}
	qsort(ret->value, n, sizeof(*ret->value), u64_compare);
	for (uint64_t i = 0; i < n; i++)
		if (!i || ret->value[i] != ret->value[i - 1])
			ret->value[ret->n++] = ret->value[i];
	for (unsigned k = 0; k < slices; k++) {
		struct first_slice *sl = &job->slice[k];
		sl->final = malloc((sl->set.value.n + 1) * sizeof(*sl->final));
		if (!sl->final)
			return &error_nomem;
		for (uint64_t i = 0; i < sl->set.value.n; i++) {
			const uint64_t *at = bsearch(&sl->set.value.at[i], ret->value, ret->n,
						     sizeof(*ret->value), u64_compare);
			sl->final[i] = (uint32_t)(at - ret->value);
		}
		for (uint64_t i = sl->first; i < sl->end; i++)
			if (job->of[i])
				job->of[i] = sl->final[job->of[i] - 1] + 1;
	}
	return NULL;
}

struct error *first_words_find(struct runtime_context *ctx, struct first_words *ret)
{
	const struct image *img = ctx->image;
	const uint32_t n = ctx->snapshot->object.n;
	*ret = (struct first_words){.n = 0};
	struct first_job *job = calloc(1, sizeof(*job));
	if (!job)
		return &error_nomem;
	job->ctx = ctx;
	struct error *err = NULL;
	for (uint32_t i = 0; i < img->nsegment && !err; i++) {
		const struct image_segment *seg = &img->segment[i];
		struct module_range *last = job->range.n ? &job->range.at[job->range.n - 1] : NULL;
		if (!seg->module_id)
			continue;
		if (last && last->end == seg->start)
			last->end = seg->end;
		else
			err = vec_push(&job->range, ((struct module_range){seg->start, seg->end}));
	}
	job->of = huge_zalloc((uint64_t)n + 1, sizeof(*job->of));
	if (!job->of)
		err = err ? err : &error_nomem;
	unsigned slices = parallel_slices(n, SLICE_GRAIN);
	assert(slices <= SLICES_MAX);
	if (!err)
		err = parallel_for(n, slices, first_slice_run, job);
	if (!err)
		err = first_merge(job, slices, ret);
	ret->of = take_ptr(job->of);
	for (unsigned k = 0; k < slices; k++) {
		vec_deinit(&job->slice[k].set.value);
		free(job->slice[k].set.slot);
		free(job->slice[k].final);
	}
	vec_deinit(&job->range);
	free(job);
	if (err)
		first_words_deinit(ret);
	return err;
}

void first_words_deinit(struct first_words *fw)
{
	free(fw->value);
	free(fw->of);
	*fw = (struct first_words){.n = 0};
}
