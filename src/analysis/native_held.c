/*
 * native_held: objects that only native code keeps alive, and by what.
 *
 *	Python's own	what the roots that a runtime names lead to (frames' variables, sys.modules,
 *			static objects): over owning references, through buffers, and over words of
 *			objects whose layout is not known, which a member of theirs may be
 *	native		what is not Python's own and is led to by
 *			- a word of a module's data, of thread-local storage, a stack, a register
 *			- a block of C memory behind one of Python's own objects (a capsule's)
 *
 *	(global cache) --> [ C block ] --> [ C block ] --> "kept"		held by `cache`
 *	(sys.modules) --> module --> capsule --> [ C block ] --> {...}		by C memory of capsules
 *	                                                          '--> [1]	with it
 *
 * An object is counted to the nearest holder: all holders of a class are searched from together,
 * breadth first, and a class comes only to what the classes before it left:
 *
 *	1  global, data, tls, and C memory behind objects
 *	2  frames and registers
 *	3  stack words of no frame, words of unexplained mappings: these may be stale
 *
 * all by words that point to the start of a block or object, first; then the same again by words
 * into the middle, which are numbers, or left over, more often than others; these do not make C memory
 * that of an object.
 *
 * Holders are one row for each symbol, or module without symbols, thread, mapping, and for each type
 * of objects with C memory. What nothing leads to is no matter of this: clusters and refcounts.c.
 *
 * Mistakes to expect: those of words (a number that looks like an address). A count that C holds
 * beside Python's own is not told here: such an object does not live by C alone.
 *
 * Linear but for sorting the holders' words; 12 bytes and 2 bits per object and 1 bit per reference
 * while it runs.
 */
#include "analysis/analysis.h"

#include "analysis/edges_impl.h"
#include "base/cleanup.h"
#include "graph/reach.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 3 };

/* A word or an object of Python's own, that leads to something which is not. */
struct seed {
	uint8_t kind;		 /* enum root_grade; ROOT_NONE: C memory behind an object */
	bool interior;		 /* into the middle of a block */
	uint32_t module_id,	 /* the rest of what makes two of them one holder: */
		thread_id, name; /* string; of an object: its type */
	uint64_t place;		 /* start of the mapping, where nothing else tells */
	uint64_t address;	 /* of the word */
	uint32_t target, source; /* objects; no source: a root */
};

struct held {
	struct snapshot *s;
	struct bits weak, not_own; /* edges that do not count; that are not Python's */
	struct reach flood;
	uint32_t first; /* in the queue: what is not Python's own */
	VEC(struct seed) seed;
	VEC(uint32_t) of;		 /* by holder: its first seed's index */
	uint32_t class_end[CLASSES + 1]; /* of the holders; the first is 0 */
	uint32_t *holder, *from;	 /* by object: row of its holder; who led to it, 0 a root */
};

static void held_deinit(struct held *h)
{
	bits_deinit(&h->weak);
	bits_deinit(&h->not_own);
	reach_deinit(&h->flood);
	vec_deinit(&h->seed);
	vec_deinit(&h->of);
	free(h->holder);
	free(h->from);
}

static uint32_t fold(const struct object_table *o, uint32_t id)
{
	uint32_t owner = o->owner_id ? o->owner_id[id - 1] : 0;
	return owner ? owner : id;
}

/* An object of the runtime's, or a buffer of one. */
static bool is_object(const struct object_table *o, uint32_t id)
{
	return o->refcount[fold(o, id) - 1] != INT64_MIN;
}

/* ---- what is Python's own ---- */

static bool own_counts(const struct snapshot *s, uint32_t id, uint64_t k)
{
	const struct object_table *o = &s->object;
	uint32_t dst = s->edge.dst[k];
	if (o->owner_id && o->owner_id[dst - 1] == fold(o, id))
		return true;
	if (s->edge.kind[k] == REFERENCE_WEAK || !is_object(o, id) || !is_object(o, dst))
		return false;
	return s->edge.kind[k] == REFERENCE_OWNING || edge_how(s->edge.where[k]) == EDGE_START;
}

static struct error *own_flood(struct held *h)
{
	struct snapshot *s = h->s;
	struct error *err = bits_init(&h->not_own, s->edge.n);
	for (uint32_t id = 1; !err && id <= s->object.n; id++)
		for (uint64_t k = s->edge.first[id - 1]; k < s->edge.first[id]; k++)
			if (!own_counts(s, id, k))
				bits_set(&h->not_own, k);
	struct csr graph = edges_forward(s);
	graph.skip = &h->not_own;
	if (!err)
		err = reach_init(&h->flood, &graph, s->object.n);
	if (err)
		return err;
	for (uint64_t i = 0; i < s->root.n; i++)
		if (s->root.at[i].found == ROOT_BY_RUNTIME && s->root.at[i].kind != REFERENCE_WEAK)
			reach_seed(&h->flood, s->root.at[i].object_id);
	reach_run(&h->flood);
	h->flood.graph = NULL; /* `graph` ends here; what was seen stays */
	return NULL;
}

static bool is_interior(enum edge_how how)
{
	return how == EDGE_INTERIOR;
}

/* ---- holders ---- */

/* "cache+0x10" is a word of `cache`. */
static struct error *symbol_of(struct snapshot *s, uint32_t name, uint32_t *ret)
{
	const char *text = intern_text(&s->strings, name), *plus = strrchr(text, '+');
	*ret = name;
	return plus && plus != text ? intern_add(&s->strings, text, (size_t)(plus - text), ret)
				    : NULL;
}

static struct error *seeds_of_roots(struct held *h)
{
	struct snapshot *s = h->s;
	struct error *err = NULL;
	uint32_t before = 0, symbol = 0;
	for (uint64_t i = 0; i < s->root.n && !err; i++) {
		const struct root_row *r = &s->root.at[i];
		if (r->found != ROOT_BY_SCAN || bits_test(&h->flood.seen, r->object_id) ||
		    edges_is_dead(s, r->object_id))
			continue;
		struct seed seed = {
			.kind = r->grade,
			.interior = is_interior((enum edge_how)r->how),
			.module_id = r->module_id,
			.thread_id = r->thread_id,
			.address = r->address,
			.target = r->object_id,
		};
		if (r->grade == ROOT_GLOBAL && r->name) {
			if (r->name != before)
				err = symbol_of(s, r->name, &symbol);
			before = r->name;
			seed.name = symbol;
		}
		const struct image_segment *seg =
			s->image && !seed.module_id && !seed.thread_id && r->address
				? image_segment_find(s->image, r->address)
				: NULL;
		seed.place = seg ? seg->start : 0;
		if (!err)
			err = vec_push(&h->seed, seed);
	}
	return err;
}

static struct error *seeds_of_objects(struct held *h)
{
	const struct snapshot *s = h->s;
	const struct object_table *o = &s->object;
	const struct edge_table *e = &s->edge;
	struct error *err = NULL;
	for (uint32_t id = 1; id <= o->n && !err; id++) {
		uint32_t src = fold(o, id);
		if (!bits_test(&h->flood.seen, id) || o->refcount[src - 1] == INT64_MIN)
			continue;
		for (uint64_t k = e->first[id - 1]; k < e->first[id] && !err; k++) {
			if (bits_test(&h->flood.seen, e->dst[k]) ||
			    (h->weak.word && bits_test(&h->weak, k)) ||
			    is_interior(edge_how(e->where[k])))
				continue;
			err = vec_push(&h->seed,
				       ((struct seed){
					       .name = o->type_id ? o->type_id[src - 1] : 0,
					       .target = e->dst[k],
					       .source = id,
				       }));
		}
	}
	return err;
}

static int class_of(const struct seed *seed)
{
	static const uint8_t group[ROOT_GRADES] = {
		[ROOT_FRAME] = 1, [ROOT_REGISTER] = 1, [ROOT_STACK] = 2, [ROOT_UNEXPLAINED] = 2};
	return group[seed->kind] + (seed->interior ? CLASSES : 0);
}

#define COMPARE(field)                                                                             \
	if (a->field != b->field)                                                                  \
	return a->field < b->field ? -1 : 1

static int holder_compare(const struct seed *a, const struct seed *b)
{
	/* C memory behind objects comes last of its class. */
	if (a->kind != b->kind)
		return !a->kind ? 1 : !b->kind ? -1 : a->kind - b->kind;
	COMPARE(module_id);
	COMPARE(thread_id);
	COMPARE(place);
	COMPARE(name);
	return 0;
}

static int seed_compare(const void *pa, const void *pb)
{
	const struct seed *a = pa, *b = pb;
	int c = class_of(a) - class_of(b);
	if (!c)
		c = holder_compare(a, b);
	if (c)
		return c;
	COMPARE(address);
	COMPARE(source);
	COMPARE(target);
	return 0;
}

/* The holder of a seed: one of those before it in its class, or, of words into the middle, of the
 * class of the same kinds; 0: none yet. */
static uint32_t holder_find(const struct held *h, const struct seed *seed)
{
	uint32_t lo = h->class_end[class_of(seed) % CLASSES];
	uint32_t hi = h->class_end[class_of(seed) % CLASSES + 1];
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		int c = holder_compare(&h->seed.at[h->of.at[mid]], seed);
		if (!c)
			return mid + 1;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

static struct error *holder_add(struct held *h, const struct seed *seed)
{
	struct snapshot *s = h->s;
	struct error *err = vec_push(&h->of, (uint32_t)(seed - h->seed.at));
	if (err)
		return err;
	return vec_push(&s->holder, ((struct holder_row){
					    .kind = seed->kind,
					    .module_id = seed->module_id,
					    .thread_id = seed->thread_id,
					    .type_id = seed->kind ? 0 : seed->name,
					    .name = seed->kind ? seed->name : 0,
					    .address = seed->address,
					    .object_id = seed->source,
				    }));
}

/* ---- the search ---- */

static void held_take(struct held *h, uint32_t id, uint32_t holder, uint32_t from)
{
	if (bits_test(&h->flood.seen, id))
		return;
	reach_seed(&h->flood, id);
	h->holder[id - 1] = holder;
	h->from[id - 1] = from;
}

/* On from what the class's words lead to; the queue has them in the order of nearness. */
static void held_search(struct held *h, const struct csr *graph, bool interior)
{
	const uint32_t *where = h->s->edge.where;
	for (uint32_t at = h->flood.done; at < h->flood.n; at++) {
		uint32_t id = h->flood.queue[at];
		bool behind = !h->s->holder.at[h->holder[id - 1] - 1].kind;
		for (uint64_t k = graph->first[id - 1]; k < graph->first[id]; k++)
			if (csr_counts(graph, k) &&
			    (!is_interior(edge_how(where[k])) || (interior && !behind)))
				held_take(h, graph->dst[k], h->holder[id - 1], id);
	}
	h->flood.done = h->flood.n;
}

/* A class ends. Before the first that may go by words into the middle, those so far go on by them. */
static void held_class(struct held *h, const struct csr *graph, int now, int next)
{
	held_search(h, graph, now >= CLASSES);
	if (now >= CLASSES || next < CLASSES)
		return;
	h->flood.done = h->first;
	held_search(h, graph, true);
}

static struct error *held_find(struct held *h)
{
	struct snapshot *s = h->s;
	struct csr graph = edges_forward(s);
	graph.skip = edges_skip(&h->weak);
	struct error *err = NULL;
	int now = 0;
	uint32_t holder = 0;
	h->first = h->flood.n;
	if (h->seed.n)
		qsort(h->seed.at, h->seed.n, sizeof(*h->seed.at), seed_compare);
	for (uint64_t i = 0; i < h->seed.n && !err; i++) {
		const struct seed *seed = &h->seed.at[i];
		if (class_of(seed) != now)
			held_class(h, &graph, now, class_of(seed));
		for (; now < class_of(seed); now++)
			if (now < CLASSES)
				h->class_end[now + 1] = (uint32_t)s->holder.n;
		bool same = i && class_of(seed - 1) == now && !holder_compare(seed - 1, seed);
		if (!same)
			holder = now < CLASSES ? 0 : holder_find(h, seed);
		if (!holder) {
			err = holder_add(h, seed);
			holder = (uint32_t)s->holder.n;
		}
		if (!err)
			held_take(h, seed->target, holder, seed->source);
	}
	held_class(h, &graph, now, 2 * CLASSES);
	return err;
}

/* ---- rows ---- */

static struct error *held_rows(struct held *h)
{
	struct snapshot *s = h->s;
	const struct object_table *o = &s->object;
	struct error *err = NULL;
	for (uint32_t id = 1; id <= o->n && !err; id++) {
		uint32_t holder = h->holder[id - 1], from = h->from[id - 1];
		if (!holder || !is_object(o, id))
			continue;
		struct holder_row *r = &s->holder.at[holder - 1];
		r->bytes += o->size[id - 1];
		if (o->refcount[id - 1] == INT64_MIN)
			continue; /* a buffer: counted in bytes */
		bool direct = !from || !is_object(o, from);
		r->objects++;
		r->direct += direct;
		err = vec_push(&s->held,
			       ((struct held_row){id, holder, direct ? from : 0, direct}));
	}
	return err;
}

/* Holders of nothing but C memory go; the others are numbered anew. */
static struct error *held_compact(struct snapshot *s)
{
	_cleanup_free_ uint32_t *number = csr_zalloc(s->holder.n + 1, sizeof(*number));
	uint64_t n = 0;
	if (!number)
		return &error_nomem;
	for (uint64_t i = 0; i < s->holder.n; i++) {
		if (!s->holder.at[i].objects)
			continue;
		s->holder.at[n++] = s->holder.at[i];
		number[i + 1] = (uint32_t)n;
	}
	s->holder.n = n;
	for (uint64_t i = 0; i < s->held.n; i++)
		s->held.at[i].holder_id = number[s->held.at[i].holder_id];
	return NULL;
}

struct error *analysis_native_held(struct snapshot *s, struct log *log)
{
	_cleanup_(held_deinit) struct held h = {.s = s};
	s->holder.n = s->held.n = 0;
	if (!s->object.refcount || !s->edge.kind)
		return NULL;
	h.holder = csr_zalloc(s->object.n, sizeof(*h.holder));
	h.from = csr_zalloc(s->object.n, sizeof(*h.from));
	struct error *err = h.holder && h.from ? edges_weak(s, &h.weak) : &error_nomem;
	if (!err)
		err = own_flood(&h);
	if (!err)
		err = seeds_of_roots(&h);
	if (!err)
		err = seeds_of_objects(&h);
	if (!err)
		err = held_find(&h);
	if (!err)
		err = held_rows(&h);
	if (!err)
		err = held_compact(s);
	if (!err)
		log_info(log,
			 "native: %" PRIu64 " objects live by %" PRIu64 " native holders alone",
			 s->held.n, s->holder.n);
	return err;
}
