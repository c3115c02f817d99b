/*
 * savings: what one copy of equal contents would save, and what containers keep that their entries do
 * not need; both from rows that the runtimes made (runtime/savings.c), with what is known by now: only
 * what a root leads to and no collector would free counts, and how it is held is told.
 *
 *	duplicate	a row for each contents: all its copies less the largest, each with its buffers
 *	slack		a row for each type (form, where there is none) and way to be held (retention):
 *			the bytes that containers made anew would not have
 *
 * Of each kind ROWS_MOST rows, the most bytes first, and one that has the sum of all others. Cost:
 * linear in the rows, but for sorting groups by their bytes.
 */
#include "analysis/analysis.h"

#include "base/bits.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS_MOST = 1000 };

struct savings {
	struct snapshot *s;
	VEC(struct saving_row) row; /* of one kind */
};

static bool counts(const struct object_table *o, uint32_t i)
{
	return (!o->reachable || o->reachable[i]) &&
	       !(o->flags && o->flags[i] & (OBJECT_GARBAGE | OBJECT_DEAD));
}

static int saving_order(const void *pa, const void *pb)
{
	const struct saving_row *a = pa, *b = pb;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	if (a->object_id != b->object_id)
		return a->object_id < b->object_id ? -1 : 1;
	return 0;
}

/* The rows of one kind, sorted, into the snapshot. */
static struct error *savings_keep(struct savings *v, enum saving_kind kind)
{
	struct saving_row rest = {.kind = (uint8_t)kind};
	struct error *err = NULL;
	if (v->row.n)
		qsort(v->row.at, v->row.n, sizeof(*v->row.at), saving_order);
	for (uint64_t i = 0; i < v->row.n && !err; i++) {
		const struct saving_row *r = &v->row.at[i];
		if (i < ROWS_MOST) {
			err = vec_push(&v->s->saving, *r);
			continue;
		}
		rest.folded++;
		rest.objects += r->objects;
		rest.bytes += r->bytes;
		rest.capacity += r->capacity;
		rest.used += r->used;
	}
	v->row.n = 0;
	return err || !rest.folded ? err : vec_push(&v->s->saving, rest);
}

/* ---- duplicates ---- */

static uint64_t member_find(const struct snapshot *s, uint32_t object_id)
{
	uint64_t lo = 0, hi = s->equal.n;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (s->equal.at[mid].object_id < object_id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Bytes of each member, with the buffers that it owns. */
static struct error *member_bytes(const struct snapshot *s, uint64_t *bytes)
{
	const struct object_table *o = &s->object;
	struct bits is_member;
	struct error *err = bits_init(&is_member, (uint64_t)o->n + 1);
	if (err)
		return err;
	for (uint64_t i = 0; i < s->equal.n; i++) {
		bytes[i] = o->size[s->equal.at[i].object_id - 1];
		bits_set(&is_member, s->equal.at[i].object_id);
	}
	for (uint32_t i = 0; o->owner_id && i < o->n; i++)
		if (o->owner_id[i] && bits_test(&is_member, o->owner_id[i]))
			bytes[member_find(s, o->owner_id[i])] += o->size[i];
	bits_deinit(&is_member);
	return NULL;
}

static struct error *duplicates_count(struct savings *v)
{
	const struct snapshot *s = v->s;
	const struct object_table *o = &s->object;
	_cleanup_free_ uint64_t *bytes = malloc(s->equal.n * sizeof(*bytes));
	_cleanup_free_ struct saving_row *group = calloc(s->equal_groups, sizeof(*group));
	if (!bytes || !group)
		return &error_nomem;
	struct error *err = member_bytes(s, bytes);
	for (uint64_t i = 0; i < s->equal.n && !err; i++) {
		const uint32_t at = s->equal.at[i].object_id - 1;
		struct saving_row *r = &group[s->equal.at[i].group - 1];
		if (!counts(o, at))
			continue;
		if (!r->objects++) {
			r->object_id = at + 1;
			r->type_id = o->type_id ? o->type_id[at] : 0;
		}
		r->bytes += bytes[i];
		if (bytes[i] > r->size)
			r->size = bytes[i];
	}
	for (uint32_t i = 0; i < s->equal_groups && !err; i++) {
		struct saving_row *r = &group[i];
		r->kind = SAVING_DUPLICATE;
		r->bytes -= r->size;
		if (r->objects > 1 && r->bytes)
			err = vec_push(&v->row, *r);
	}
	return err;
}

static int key_order(const void *pa, const void *pb)
{
	const uint64_t *a = pa, *b = pb;
	return *a < *b ? -1 : *a > *b;
}

/* How most members of each row are held: of as many, the first. */
static struct error *duplicates_hold(struct snapshot *s)
{
	const struct object_table *o = &s->object;
	_cleanup_free_ uint64_t *key = malloc(s->equal.n * sizeof(*key));
	_cleanup_free_ uint32_t *row_of = calloc((size_t)s->equal_groups + 1, sizeof(*row_of));
	uint64_t n = 0;
	if (!key || !row_of)
		return &error_nomem;
	if (!o->retention)
		return NULL;
	for (uint64_t i = 0; i < s->saving.n; i++)
		if (s->saving.at[i].object_id)
			row_of[s->equal.at[member_find(s, s->saving.at[i].object_id)].group] =
				(uint32_t)i + 1;
	for (uint64_t i = 0; i < s->equal.n; i++) {
		const uint32_t at = s->equal.at[i].object_id - 1;
		const uint32_t row = row_of[s->equal.at[i].group];
		if (row && counts(o, at))
			key[n++] = (uint64_t)row << 32 | o->retention[at];
	}
	qsort(key, n, sizeof(*key), key_order);
	for (uint64_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && key[end] == key[i];)
			end++;
		struct saving_row *r = &s->saving.at[(key[i] >> 32) - 1];
		if (end - i > r->there) {
			r->there = end - i;
			r->retention_id = (uint32_t)key[i];
		}
	}
	return NULL;
}

/* ---- slack ---- */

static struct error *slack_count(struct savings *v)
{
	const struct snapshot *s = v->s;
	const struct object_table *o = &s->object;
	uint64_t slots = 64;
	while (slots < 2 * s->spare.n)
		slots *= 2;
	/* Row number + 1 by type and retention; open addressing. */
	_cleanup_free_ uint32_t *slot = calloc(slots, sizeof(*slot));
	/* Of each row: the bytes of its example. */
	_cleanup_free_ uint64_t *best = calloc(s->spare.n, sizeof(*best));
	if (!slot || !best)
		return &error_nomem;
	for (uint64_t i = 0; i < s->spare.n; i++) {
		const struct spare_row *p = &s->spare.at[i];
		const uint32_t at = p->object_id - 1;
		/* What a block is called that is some container's memory, says nothing of that. */
		const uint32_t type = o->type_id && !p->form ? o->type_id[at] : 0;
		const uint32_t held = o->retention ? o->retention[at] : 0;
		if (!counts(o, at) || !p->bytes)
			continue;
		uint64_t h = (((uint64_t)type << 32 | held) ^ (uint64_t)p->form << 56) *
				     UINT64_C(0x9e3779b97f4a7c15) >>
			     20;
		struct saving_row *r = NULL;
		for (;; h++) {
			uint32_t row = slot[h & (slots - 1)];
			r = row ? &v->row.at[row - 1] : NULL;
			if (!r ||
			    (r->type_id == type && r->retention_id == held && r->form == p->form))
				break;
		}
		if (!r) {
			struct error *err = vec_push(&v->row, ((struct saving_row){
								      .kind = SAVING_SLACK,
								      .form = p->form,
								      .type_id = type,
								      .retention_id = held,
							      }));
			if (err)
				return err;
			slot[h & (slots - 1)] = (uint32_t)v->row.n;
			r = &v->row.at[v->row.n - 1];
		}
		r->objects++;
		r->there++;
		r->bytes += p->bytes;
		r->capacity += p->capacity;
		r->used += p->used;
		uint64_t *most = &best[r - v->row.at];
		if (p->bytes > *most) {
			*most = p->bytes;
			r->object_id = p->object_id;
		}
	}
	return NULL;
}

struct error *analysis_savings(struct snapshot *s, struct log *log)
{
	(void)log;
	struct savings v = {.s = s};
	struct error *err = NULL;
	if (s->equal.n) {
		err = duplicates_count(&v);
		if (!err)
			err = savings_keep(&v, SAVING_DUPLICATE);
		if (!err)
			err = duplicates_hold(s);
	}
	if (!err && s->spare.n)
		err = slack_count(&v);
	if (!err)
		err = savings_keep(&v, SAVING_SLACK);
	vec_deinit(&v.row);
	return err;
}
