/*
 * tracemalloc: where the process itself recorded who allocated what (Modules/_tracemalloc.c; 3.13:
 * Python/tracemalloc.c).
 *
 *	traces ──► table ──► buckets ──► entry ──► entry       one for each block of its domain
 *	                                   │ key: the block's address
 *	                                   ▼
 *	                                 size, traceback ──► { hash, nframe, frames: { filename, line } }
 *
 * frames are packed, the newest first. The table (Modules/hashtable.h, Python/hashtable.h):
 *
 *	3.6   buckets, entries, buckets*, key size, data size, hash, compare, malloc, free
 *	      entry: next, hash, key (8 bytes; 12 with a domain), data (size, traceback), packed
 *	3.9   entries, buckets, buckets*, get, hash, compare, two destructors, malloc, free
 *	      entry: next, hash, key, value: pointer to { size, traceback }
 *
 * The variable that leads there is static and has no symbol in most builds, but nothing else in the
 * interpreter's data looks like it: a table whose entries have tracebacks whose file names are text.
 * A table of tables is that of the domains (3.8).
 *
 * A key is bookkeeping, no reference: else tracemalloc kept alive all that it watches.
 */
#include "runtime/cpython/py.h"

#include "base/checked.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS_LEAST = 16, /* HASHTABLE_MIN_SIZE */
	BUCKETS_MOST_BITS = 36,
	FRAMES_MOST = 65535, /* MAX_NFRAME */
	FRAME_SIZE = 12,
	FRAMES_AT = 12,
	ENTRY_KEY = 16,
	SAMPLES = 4,
	TABLES_MOST = 4096,
	PATH_ROOM = 1024,
	SLOTS_LEAST = 1 << 10,
};

struct table {
	uint64_t entries, buckets, at; /* how many, how many, where the buckets are */
	uint64_t key_size, data_size;  /* of what is in an entry; 3.9: 8 and 8 */
};

static bool is_code(const struct py *py, uint64_t addr)
{
	return addr >= 4096 && image_module_find(py->image, addr);
}

static bool table_read(const struct py *py, uint64_t at, struct table *ret)
{
	uint64_t w[10], last;
	const bool sized = py->layout->hashtable == CPYTHON_HASHTABLE_SIZED;
	const unsigned words = sized ? 9 : 10;
	if (at % 8 || at < 4096)
		return false;
	for (unsigned i = 0; i < words; i++)
		if (!py_word(py, at + 8 * i, &w[i]))
			return false;
	ret->entries = sized ? w[1] : w[0];
	ret->buckets = sized ? w[0] : w[1];
	ret->at = w[2];
	ret->key_size = sized ? w[3] : 8;
	ret->data_size = sized ? w[4] : 8;
	return ret->buckets >= BUCKETS_LEAST && !(ret->buckets & (ret->buckets - 1)) &&
	       ret->buckets >> BUCKETS_MOST_BITS == 0 && ret->entries &&
	       ret->entries <= 2 * ret->buckets && ret->at % 8 == 0 &&
	       (ret->key_size == 4 || ret->key_size == 8 || ret->key_size == 12) &&
	       (ret->data_size == 8 || ret->data_size == 16) && is_code(py, w[sized ? 5 : 4]) &&
	       is_code(py, w[sized ? 6 : 5]) && is_code(py, w[words - 2]) &&
	       is_code(py, w[words - 1]) && py_word(py, ret->at + 8 * (ret->buckets - 1), &last);
}

/* ---- what an entry has ---- */

static uint32_t traceback_frames(const struct py *py, uint64_t at)
{
	uint32_t n = 0;
	if (!image_try_u32(py->image, at + 8, &n))
		return 0;
	if (py->layout->hashtable != CPYTHON_HASHTABLE_SIZED)
		n &= 0xffff; /* and the length before it was cut: 3.9 */
	return n <= FRAMES_MOST ? n : 0;
}

static bool traceback_frame(const struct py *py, uint64_t at, uint32_t i, uint64_t *file,
			    uint32_t *line)
{
	at += FRAMES_AT + FRAME_SIZE * (uint64_t)i;
	return py_word(py, at, file) && image_try_u32(py->image, at + 8, line);
}

/* Text of a type that is known already: static types are, when this is asked. */
static bool is_text(const struct py *py, uint64_t addr)
{
	uint64_t type;
	const struct py_type *t;
	return py_word(py, addr + py->layout->object.type, &type) && (t = py_type_at(py, type)) &&
	       t->flags & py->layout->type.flag.unicode;
}

static bool trace_read(const struct py *py, const struct table *t, uint64_t entry,
		       struct py_trace *ret)
{
	uint64_t data = entry + ENTRY_KEY + t->key_size;
	if (!py_word(py, entry + ENTRY_KEY, &ret->address))
		return false;
	if (py->layout->hashtable != CPYTHON_HASHTABLE_SIZED && !py_word(py, data, &data))
		return false;
	return py_word(py, data, &ret->size) && py_word(py, data + 8, &ret->traceback);
}

static bool trace_plausible(const struct py *py, const struct py_trace *trace)
{
	uint64_t file;
	uint32_t line;
	char first[2];
	return trace->address >= 4096 && trace->size >> 47 == 0 && trace->traceback >= 4096 &&
	       traceback_frames(py, trace->traceback) &&
	       traceback_frame(py, trace->traceback, 0, &file, &line) &&
	       (is_text(py, file) ||
		(py->layout->hashtable == CPYTHON_HASHTABLE_C_NAMES && line <= INT32_MAX &&
		 image_try_read(py->image, file, first, 2) && first[0] >= ' ' && first[1] >= ' '));
}

/* ---- tables ---- */

struct walk {
	struct py *py;
	VEC(uint64_t) pending; /* tables */
	VEC(uint64_t) seen;
	uint64_t budget; /* words that tables may have yet: no more than the dump has */
};

/* The first entries are all of one kind: traces, or tables of them (3.8). */
static bool table_samples(const struct py *py, const struct table *t, bool *tables)
{
	const bool sized = py->layout->hashtable == CPYTHON_HASHTABLE_SIZED;
	unsigned n = 0;
	*tables = false;
	for (uint64_t b = 0; b < t->buckets && n < SAMPLES; b++) {
		uint64_t entry, inner;
		struct py_trace trace;
		struct table other;
		if (!py_word(py, t->at + 8 * b, &entry))
			return false;
		if (!entry)
			continue;
		bool traces = (!sized || (t->data_size == 16 && t->key_size >= 8)) &&
			      trace_read(py, t, entry, &trace) && trace_plausible(py, &trace);
		bool nested = !traces && (!sized || (t->data_size == 8 && t->key_size == 4)) &&
			      py_word(py, entry + ENTRY_KEY + t->key_size, &inner) &&
			      table_read(py, inner, &other);
		if ((!traces && !nested) || (n && nested != *tables))
			return false;
		*tables = nested;
		n++;
	}
	return n;
}

static struct error *table_entry(struct walk *w, const struct table *t, uint64_t entry, bool tables)
{
	struct py *py = w->py;
	struct py_trace trace;
	uint64_t inner;
	if (tables)
		return py_word(py, entry + ENTRY_KEY + t->key_size, &inner)
			       ? vec_push(&w->pending, inner)
			       : NULL;
	struct error *err = snapshot_add_opaque(py->snapshot, entry + ENTRY_KEY,
						entry + ENTRY_KEY + 8, "tracemalloc's keys");
	if (!err)
		err = vec_push(&py->trace_block, entry);
	if (!err && trace_read(py, t, entry, &trace))
		err = vec_push(&py->trace, trace);
	return err;
}

static struct error *table_walk(struct walk *w, const struct table *t, bool tables)
{
	struct py *py = w->py;
	uint64_t n = 0, entry;
	struct error *err = vec_push(&py->trace_block, t->at);
	for (uint64_t b = 0; b < t->buckets && n < t->entries && !err; b++) {
		if (!py_word(py, t->at + 8 * b, &entry))
			break;
		while (entry && n < t->entries && !err) {
			n++;
			err = table_entry(w, t, entry, tables);
			if (!py_word(py, entry, &entry))
				break;
		}
	}
	if (!err && n < t->entries)
		damage_add(py->ctx->damage, DAMAGE_RUNTIME, t->at,
			   "tracemalloc's table has %" PRIu64 " entries, %" PRIu64
			   " were found: some allocation sites are not known",
			   t->entries, n);
	return err;
}

static struct error *table_try(struct walk *w, uint64_t at)
{
	struct table t;
	bool tables;
	if (!table_read(w->py, at, &t) || !table_samples(w->py, &t, &tables))
		return NULL;
	for (uint64_t i = 0; i < w->seen.n; i++)
		if (w->seen.at[i] == at)
			return NULL;
	if (w->seen.n == TABLES_MOST || t.buckets > w->budget)
		return NULL;
	w->budget -= t.buckets;
	struct error *err = vec_push(&w->seen, at);
	return err ? err : table_walk(w, &t, tables);
}

/* Was it on? True also where nobody can tell, false when it says no. */
static bool was_on(const struct py *py)
{
	/* Include/pymem.h, Include/internal/pycore_tracemalloc.h: initialized, tracing */
	static const char *const names[] = {"_Py_tracemalloc_config", "tracemalloc_config"};
	uint32_t tracing;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t at = cpython_symbol(&py->cpython, py->debuginfo, names[i]);
		if (at && image_try_u32(py->image, at + 4, &tracing))
			return tracing == 1;
	}
	return false;
}

static struct error *tables_find(struct walk *w)
{
	struct py *py = w->py;
	const struct image_module *m = image_module_get(py->image, py->cpython.module_id);
	uint64_t at = align_down(m->data_start + 7, 8), len;
	const uint8_t *p;
	struct error *err = NULL;
	for (; at < m->data_end && (p = image_next_data(py->image, &at, m->data_end, &len));
	     at += len)
		for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len && !err; i += 8) {
			uint64_t word = image_word_at(py->image, p + i);
			if (word)
				err = table_try(w, word);
		}
	/* What the tables of domains told. */
	for (uint64_t i = 0; i < w->pending.n && i < TABLES_MOST && !err; i++)
		err = table_try(w, w->pending.at[i]);
	return err;
}

struct error *py_tracemalloc_find(struct py *py)
{
	struct walk w = {.py = py, .pending.max = TABLES_MOST, .seen.max = TABLES_MOST};
	if (py->layout->hashtable == CPYTHON_HASHTABLE_NONE || !py->cpython.module_id ||
	    !py->type.n)
		return NULL;
	for (uint32_t i = 0; i < py->image->nsegment; i++)
		w.budget += py->image->segment[i].present / 8;
	struct error *err = tables_find(&w);
	vec_deinit(&w.pending);
	vec_deinit(&w.seen);
	if (!err && !py->trace.n && was_on(py))
		damage_add(
			py->ctx->damage, DAMAGE_MISSING, 0,
			"tracemalloc was on, but its tables were not found: allocation sites are "
			"not known");
	return err;
}

/* ---- sites ---- */

struct sites {
	struct py *py;
	uint32_t *slot; /* open addressing: site id; a power of two, at most half full */
	uint64_t slots;
};

static uint64_t site_hash(const struct site_row *r)
{
	uint64_t h = (uint64_t)r->parent_id << 32 | r->line;
	h ^= (uint64_t)r->file * UINT64_C(0xc2b2ae3d27d4eb4f);
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 29;
}

static bool site_same(const struct site_row *a, const struct site_row *b)
{
	return a->parent_id == b->parent_id && a->file == b->file && a->line == b->line;
}

static struct error *sites_grow(struct sites *c)
{
	const struct snapshot *s = c->py->snapshot;
	uint64_t slots = c->slots ? 2 * c->slots : SLOTS_LEAST;
	uint32_t *slot = calloc(slots, sizeof(*slot));
	if (!slot)
		return &error_nomem;
	for (uint64_t i = 0; i < s->site.n; i++) {
		uint64_t h = site_hash(&s->site.at[i]) & (slots - 1);
		while (slot[h])
			h = (h + 1) & (slots - 1);
		slot[h] = (uint32_t)i + 1;
	}
	free(c->slot);
	c->slot = slot;
	c->slots = slots;
	return NULL;
}

/* The child of row->parent_id at this line; made when it is new. */
static struct error *site_get(struct sites *c, const struct site_row *row, uint32_t *ret)
{
	struct snapshot *s = c->py->snapshot;
	if (2 * (s->site.n + 1) > c->slots) {
		struct error *err = sites_grow(c);
		if (err)
			return err;
	}
	uint64_t h = site_hash(row) & (c->slots - 1);
	for (; c->slot[h]; h = (h + 1) & (c->slots - 1)) {
		if (site_same(&s->site.at[c->slot[h] - 1], row)) {
			*ret = c->slot[h];
			return NULL;
		}
	}
	struct error *err = vec_push(&s->site, *row);
	if (err)
		return err;
	*ret = c->slot[h] = (uint32_t)s->site.n;
	return NULL;
}

/* The nodes of a traceback, outermost first; the innermost is the site. */
static struct error *traceback_site(struct sites *c, uint64_t traceback, uint32_t *ret)
{
	struct py *py = c->py;
	struct error *err = NULL;
	char path[PATH_ROOM];
	*ret = 0;
	for (uint32_t i = traceback_frames(py, traceback); i-- > 0 && !err;) {
		struct site_row row = {
			.parent_id = *ret,
			.allocations = SITE_UNKNOWN,
			.temporary = SITE_UNKNOWN,
			.allocated_bytes = SITE_UNKNOWN,
			.peak_bytes = SITE_UNKNOWN,
		};
		uint64_t file;
		if (!traceback_frame(py, traceback, i, &file, &row.line))
			break;
		if (py->layout->hashtable == CPYTHON_HASHTABLE_C_NAMES
			    ? image_try_string(py->image, file, path, sizeof(path) - 1)
			    : is_text(py, file) && py_text(py, file, path, sizeof(path)))
			err = intern_str(&py->snapshot->strings, path, &row.file);
		if (!err)
			err = site_get(c, &row, ret);
	}
	return err;
}

static int trace_compare(const void *a, const void *b)
{
	const struct py_trace *x = a, *y = b;
	if (x->traceback != y->traceback)
		return x->traceback < y->traceback ? -1 : 1;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Traces with the same traceback stand together. */
static struct error *sites_fill(struct sites *c, uint64_t *found)
{
	struct py *py = c->py;
	struct object_table *o = &py->snapshot->object;
	struct error *err = NULL;
	uint32_t site = 0;
	for (uint64_t i = 0; i < py->trace.n && !err; i++) {
		const struct py_trace *t = &py->trace.at[i];
		if (!i || t->traceback != t[-1].traceback)
			err = traceback_site(c, t->traceback, &site);
		if (err || !site)
			continue;
		py->snapshot->site.at[site - 1].live_objects++;
		py->snapshot->site.at[site - 1].live_bytes += t->size;
		uint32_t id = snapshot_object_find(py->snapshot, t->address);
		if (!id || object_block(o, id - 1) != t->address)
			continue;
		o->site_id[id - 1] = site;
		++*found;
	}
	return err;
}

/* What tracemalloc itself takes: where a leak is looked for, it is often a good part of the heap. */
static struct error *blocks_type(struct py *py)
{
	struct object_table *o = &py->snapshot->object;
	uint32_t type;
	struct error *err = snapshot_add_type(py->snapshot, "", "tracemalloc's table", "", &type);
	for (uint64_t i = 0; i < py->trace_block.n && !err; i++) {
		uint32_t id = snapshot_object_find(py->snapshot, py->trace_block.at[i]);
		if (id && !o->type_id[id - 1] && o->address[id - 1] == py->trace_block.at[i])
			o->type_id[id - 1] = type;
	}
	vec_deinit(&py->trace_block);
	return err;
}

struct error *py_tracemalloc_sites(struct py *py)
{
	struct object_table *o = &py->snapshot->object;
	struct sites c = {.py = py};
	uint64_t found = 0;
	if (!py->trace.n)
		return NULL;
	if (!o->site_id)
		o->site_id = calloc((size_t)o->n + 1, sizeof(*o->site_id));
	if (!o->site_id)
		return &error_nomem;
	qsort(py->trace.at, py->trace.n, sizeof(*py->trace.at), trace_compare);
	struct error *err = sites_fill(&c, &found);
	free(c.slot);
	if (!err)
		err = py_meta(py, "tracemalloc_traces", "%" PRIu64, py->trace.n);
	if (!err)
		err = py_meta(py, "tracemalloc_found", "%" PRIu64, found);
	vec_deinit(&py->trace);
	return err ? err : blocks_type(py);
}
