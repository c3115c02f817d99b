/* check: proves the tables. What it finds broken is our mistake, whatever the dump was like. */
#include "snapshot/snapshot.h"

#include "base/bits.h"
#include "base/cleanup.h"

#include <inttypes.h>

#define broken(...) error_new(ERROR_SYSTEM, "snapshot_check: " __VA_ARGS__)

static struct error *check_extents(const struct snapshot *s)
{
	for (uint64_t i = 0; i < s->extent.n; i++) {
		const struct extent_row *e = &s->extent.at[i];
		if (e->start >= e->end || (i && e->start < s->extent.at[i - 1].end))
			return broken("extent at 0x%" PRIx64 " is empty or overlaps", e->start);
		if (e->kind >= EXTENT_KINDS || e->arena_id > s->arena.n)
			return broken("extent at 0x%" PRIx64 " has a bad kind or arena", e->start);
	}
	for (uint64_t i = 1; i < s->opaque.n; i++)
		if (s->opaque.at[i].start < s->opaque.at[i - 1].end)
			return broken("opaque range at 0x%" PRIx64 " overlaps",
				      s->opaque.at[i].start);
	return NULL;
}

/* Is [addr, addr + size) in extents of an allocator that touch each other? *k moves forward. */
static bool check_inside(const struct snapshot *s, uint64_t *k, uint64_t addr, uint64_t size)
{
	uint64_t end = addr + size;
	while (*k < s->extent.n && s->extent.at[*k].end <= addr)
		++*k;
	for (uint64_t i = *k; i < s->extent.n && s->extent.at[i].start <= addr; i++) {
		if (s->extent.at[i].kind != EXTENT_HEAP)
			return false;
		if (s->extent.at[i].end >= end)
			return true;
		addr = s->extent.at[i].end;
	}
	return false;
}

static struct error *check_blocks(const struct snapshot *s)
{
	const struct object_table *o = &s->object;
	uint64_t k = 0;
	for (uint32_t i = 0; i < o->n; i++) {
		if (i && object_block(o, i) < object_block(o, i - 1) + o->size[i - 1])
			return broken("object %u overlaps the one before", i + 1);
		if (o->arena_id[i] > s->arena.n)
			return broken("object %u is in arena %u", i + 1, o->arena_id[i]);
		if (o->type_id && o->type_id[i] > s->type.n)
			return broken("object %u has type %u", i + 1, o->type_id[i]);
		if (o->arena_id[i] && !check_inside(s, &k, object_block(o, i), o->size[i]))
			return broken("object %u at 0x%" PRIx64 " lies in no heap extent", i + 1,
				      object_block(o, i));
		if (snapshot_object_find(s, object_block(o, i)) != i + 1 ||
		    (o->size[i] &&
		     snapshot_object_find(s, object_block(o, i) + o->size[i] - 1) != i + 1))
			return broken("object %u is not found by its address", i + 1);
	}
	k = 0;
	for (uint64_t i = 0; i < s->free.n; i++) {
		const struct free_row *f = &s->free.at[i];
		if (i && f->address < s->free.at[i - 1].address + s->free.at[i - 1].size)
			return broken("free block at 0x%" PRIx64 " overlaps the one before",
				      f->address);
		if (f->arena_id > s->arena.n || f->kind >= FREE_KINDS)
			return broken("free block at 0x%" PRIx64 " has a bad arena or kind",
				      f->address);
		if (f->arena_id && !check_inside(s, &k, f->address, f->size))
			return broken("free block at 0x%" PRIx64 " lies in no heap extent",
				      f->address);
		if (snapshot_object_find(s, f->address))
			return broken("free block at 0x%" PRIx64 " is live, too", f->address);
	}
	return NULL;
}

static struct error *check_references(const struct snapshot *s)
{
	const struct edge_table *e = &s->edge;
	uint32_t n = s->object.n;
	if (!e->first)
		return NULL;
	if (e->first[0] || e->first[n] != e->n)
		return broken("reference rows do not cover the references");
	for (uint32_t i = 0; i < n; i++)
		if (e->first[i] > e->first[i + 1])
			return broken("reference row of object %u", i + 1);
	for (uint64_t k = 0; k < e->n; k++)
		if (!e->dst[k] || e->dst[k] > n)
			return broken("reference %" PRIu64 " points to object %u", k, e->dst[k]);
	if (!e->rfirst)
		return NULL;
	if (e->rfirst[0] || e->rfirst[n] != e->n)
		return broken("backward rows do not cover the references");
	/* The same edges both ways: equal sums of a mix of both ends. */
	uint64_t forward = 0, backward = 0;
	for (uint32_t i = 0; i < n; i++) {
		for (uint64_t k = e->first[i]; k < e->first[i + 1]; k++)
			forward += (i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^
				   e->dst[k] * UINT64_C(0xc2b2ae3d27d4eb4f);
		for (uint64_t k = e->rfirst[i]; k < e->rfirst[i + 1]; k++) {
			if (!e->rsrc[k] || e->rsrc[k] > n ||
			    (k > e->rfirst[i] && e->rsrc[k] < e->rsrc[k - 1]))
				return broken("backward row of object %u", i + 1);
			backward += e->rsrc[k] * UINT64_C(0x9e3779b97f4a7c15) ^
				    (i + 1) * UINT64_C(0xc2b2ae3d27d4eb4f);
		}
	}
	if (forward != backward)
		return broken("backward references are not the forward ones");
	return NULL;
}

static struct error *check_roots(const struct snapshot *s)
{
	for (uint64_t i = 0; i < s->root.n; i++) {
		const struct root_row *r = &s->root.at[i];
		if (!r->object_id || r->object_id > s->object.n)
			return broken("root %" PRIu64 " points to object %u", i + 1, r->object_id);
		if (r->grade <= ROOT_NONE || r->grade >= ROOT_GRADES || r->how > EDGE_MISALIGNED)
			return broken("root %" PRIu64 " has grade %u", i + 1, r->grade);
	}
	return NULL;
}

/* Proven to be dead: what words seem to point there is chance (analysis/edges_impl.h). */
static bool check_dead(const struct snapshot *s, uint32_t id)
{
	return s->object.flags && (s->object.flags[id - 1] & OBJECT_DEAD);
}

/* Each object has a node; what hangs off the first ones is all there is. */
static struct error *check_retention(const struct snapshot *s)
{
	const struct object_table *o = &s->object;
	uint64_t bytes = 0, objects = 0, all = 0, counted = 0;
	for (uint32_t i = 0; i < o->n; i++) {
		if (!o->retention[i] || o->retention[i] > s->retention.n)
			return broken("object %u has retention %u", i + 1, o->retention[i]);
		if (o->held[i] && (o->held[i] > s->edge.n || s->edge.dst[o->held[i] - 1] != i + 1))
			return broken("object %u is held by reference %u", i + 1, o->held[i]);
		bytes += o->size[i];
		/* a container's memory is counted by itself */
		objects += !o->owner_id || !o->owner_id[i] || !o->refcount ||
			   o->refcount[o->owner_id[i] - 1] == INT64_MIN;
	}
	for (uint64_t i = 0; i < s->retention.n; i++) {
		const struct retention_row *r = &s->retention.at[i];
		if (r->parent_id > i)
			return broken("retention %" PRIu64 " comes before its parent", i + 1);
		all += r->parent_id ? 0 : r->all_bytes;
		counted += r->parent_id ? 0 : r->all_objects;
	}
	/* the __dict__ of a class is counted with the class */
	if (all != bytes || counted > objects)
		return broken("retention paths have %" PRIu64 " objects, the table %" PRIu64,
			      counted, objects);
	return NULL;
}

static struct error *check_conclusions(const struct snapshot *s)
{
	const struct object_table *o = &s->object;
	if (!o->reachable)
		return NULL;
	for (uint32_t i = 0; i < o->n; i++) {
		if (o->reachable[i] > 2)
			return broken("object %u: reachable %u", i + 1, o->reachable[i]);
		if (o->grade && !o->grade[i] != !o->reachable[i])
			return broken("object %u: reachable %u but grade %u", i + 1,
				      o->reachable[i], o->grade[i]);
		for (uint64_t k = s->edge.first[i]; o->reachable[i] && k < s->edge.first[i + 1];
		     k++)
			if (!o->reachable[s->edge.dst[k] - 1] &&
			    (!s->edge.kind || s->edge.kind[k] != REFERENCE_WEAK) &&
			    !check_dead(s, s->edge.dst[k]))
				return broken("object %u is reachable, what it points to is not",
					      i + 1);
	}
	if (o->retention) {
		struct error *bad = check_retention(s);
		if (bad)
			return bad;
	}
	if (o->retained) {
		uint64_t top = 0, all = 0;
		for (uint32_t i = 0; i < o->n; i++) {
			all += o->size[i];
			if (!o->dominator[i])
				top += o->retained[i];
			if (o->retained[i] < o->size[i] || o->dominator[i] > o->n)
				return broken("object %u retains less than itself", i + 1);
		}
		if (top != all)
			return broken("retained bytes of the top add up to %" PRIu64
				      ", all objects to %" PRIu64,
				      top, all);
	}
	_cleanup_(bits_deinit) struct bits seen = {0};
	struct error *err = bits_init(&seen, (uint64_t)o->n + 1);
	if (err)
		return err;
	uint64_t members = 0, lost = 0;
	for (uint64_t c = 0; c < s->cluster.n; c++) {
		const struct cluster_row *r = &s->cluster.at[c];
		if (r->first_member > s->member.n || r->objects > s->member.n - r->first_member)
			return broken("cluster %" PRIu64 ": members out of range", c + 1);
		uint64_t bytes = 0;
		for (uint64_t m = r->first_member; m < r->first_member + r->objects; m++) {
			uint32_t id = s->member.at[m];
			if (!id || id > o->n)
				return broken("cluster %" PRIu64 " has object %u", c + 1, id);
			bytes += o->size[id - 1];
			if (r->kind != CLUSTER_LEAK)
				continue;
			members++;
			if (o->reachable[id - 1] || bits_test_set(&seen, id))
				return broken("leak cluster %" PRIu64
					      " has object %u, reachable or in two",
					      c + 1, id);
		}
		if (bytes != r->bytes)
			return broken("cluster %" PRIu64 ": bytes do not add up", c + 1);
	}
	if (!s->cluster.n)
		return NULL;
	for (uint32_t i = 0; i < o->n; i++)
		lost += !o->reachable[i];
	if (members != lost)
		return broken("%" PRIu64 " objects are unreachable, %" PRIu64
			      " are in leak clusters",
			      lost, members);
	return NULL;
}

static struct error *check_suspended(const struct snapshot *s)
{
	for (uint64_t i = 0; i < s->written.n; i++)
		if (!s->written.at[i] || s->written.at[i] > s->object.n)
			return broken("written row %" PRIu64 ": object out of range", i + 1);
	for (uint64_t i = 0; i < s->suspended.n; i++) {
		const struct suspended_row *r = &s->suspended.at[i];
		if (!r->object_id || r->object_id > s->object.n ||
		    (i && r->object_id <= s->suspended.at[i - 1].object_id))
			return broken("suspended row %" PRIu64 " is out of order", i + 1);
		if (r->awaits_id > s->object.n || r->future_id > s->object.n ||
		    r->within_id > s->object.n || r->within_id == r->object_id)
			return broken("suspended row %" PRIu64 ": object out of range", i + 1);
	}
	return NULL;
}

static struct error *check_savings(const struct snapshot *s)
{
	for (uint64_t i = 0; i < s->equal.n; i++) {
		const struct equal_row *r = &s->equal.at[i];
		if (!r->object_id || r->object_id > s->object.n || !r->group ||
		    r->group > s->equal_groups ||
		    (i && r->object_id <= s->equal.at[i - 1].object_id))
			return broken("equal row %" PRIu64 " is out of order", i + 1);
	}
	for (uint64_t i = 0; i < s->spare.n; i++) {
		const struct spare_row *r = &s->spare.at[i];
		if (!r->object_id || r->object_id > s->object.n || r->used > r->capacity ||
		    r->holder_id > s->object.n || r->form >= CONTAINER_FORMS ||
		    (i && r->object_id <= s->spare.at[i - 1].object_id))
			return broken("spare row %" PRIu64 " is out of order", i + 1);
	}
	return NULL;
}

static struct error *check_ledger(const struct snapshot *s)
{
	if (!s->ledger.n)
		return NULL;
	const struct image *img = s->image;
	_cleanup_free_ uint64_t *sum = calloc((size_t)img->nsegment + 1, sizeof(*sum));
	if (!sum)
		return &error_nomem;
	for (uint64_t i = 0; i < s->ledger.n; i++) {
		const struct ledger_row *r = &s->ledger.at[i];
		if (!r->segment_id || r->segment_id > img->nsegment)
			return broken("ledger row %" PRIu64, i);
		sum[r->segment_id] += r->bytes;
	}
	for (uint32_t i = 0; i < img->nsegment; i++)
		if (sum[i + 1] != img->segment[i].end - img->segment[i].start)
			return broken("ledger of segment %u at 0x%" PRIx64 " is off by %" PRId64,
				      i + 1, img->segment[i].start,
				      (int64_t)(img->segment[i].end - img->segment[i].start -
						sum[i + 1]));
	return NULL;
}

static struct error *check_sites(const struct snapshot *s)
{
	const struct object_table *o = &s->object;
	for (uint64_t i = 0; i < s->site.n; i++)
		if (s->site.at[i].parent_id > i)
			return broken("site %" PRIu64 " is older than its caller", i + 1);
	for (uint64_t i = 1; i < s->timeline.n; i++)
		if (s->timeline.at[i].time < s->timeline.at[i - 1].time)
			return broken("timeline point %" PRIu64 " is out of order", i + 1);
	for (uint32_t i = 0; o->site_id && i < o->n; i++)
		if (o->site_id[i] > s->site.n)
			return broken("object %u was allocated at site %u", i + 1, o->site_id[i]);
	if (s->image || !o->site_id)
		return NULL;
	/* A trace: its live blocks are those of its sites. */
	uint64_t objects = 0, bytes = 0, own_objects = 0, own_bytes = 0;
	for (uint32_t i = 0; i < o->n; i++) {
		if (i && o->address && o->address[i] < o->address[i - 1])
			return broken("object %u is out of order", i + 1);
		objects++;
		bytes += o->size[i];
	}
	for (uint64_t i = 0; i < s->site.n; i++) {
		own_objects += s->site.at[i].live_objects;
		own_bytes += s->site.at[i].live_bytes;
	}
	if (objects != own_objects || bytes != own_bytes)
		return broken("sites have %" PRIu64 " live blocks (%" PRIu64
			      " bytes), there are %" PRIu64 " (%" PRIu64 " bytes)",
			      own_objects, own_bytes, objects, bytes);
	return NULL;
}

struct error *snapshot_check(const struct snapshot *s)
{
	struct error *err = check_sites(s);
	if (err || !s->blocks_sealed)
		return err;
	err = check_extents(s);
	if (!err)
		err = check_blocks(s);
	if (!err)
		err = check_references(s);
	if (!err)
		err = check_roots(s);
	if (!err)
		err = check_conclusions(s);
	if (!err)
		err = check_suspended(s);
	if (!err)
		err = check_savings(s);
	if (!err)
		err = check_ledger(s);
	return err;
}
