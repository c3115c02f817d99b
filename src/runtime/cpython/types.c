/*
 * types: which types there are. A fixed point: `type` is known; what has a known metatype and looks
 * like a type is one; some of those are metatypes.
 *
 * Static types lie in module data, the others in blocks of their own, behind a GC head. Types that a
 * library fills in by itself (numpy's dtypes) say that they are static, and begin their block. A
 * candidate must have sane sizes, a name that can be read, and a chain of bases that ends at `object`.
 * Mistakes to expect: a dead heap type whose block was not reused would still look like one, but a
 * free block is none of ours.
 */
#include "runtime/cpython/py.h"

#include "base/checked.h"
#include "base/cleanup.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	NAME_MOST = 1000,
	SIZE_MOST = 1 << 24, /* of an instance without items; and of an item */
	BASES_MOST = 1000,   /* length of a chain */
	ROUNDS_MOST = 16,    /* metatypes of metatypes of ... */
	TYPES_MOST = 1 << 22,
};

/* ---- one type ---- */

static bool name_plausible(const char *name)
{
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	return *name != 0;
}

static bool type_name_read(const struct py *py, uint64_t addr, char *name)
{
	uint64_t at;
	return py_word(py, addr + py->layout->type.name, &at) &&
	       image_try_string(py->image, at, name, NAME_MOST) && name_plausible(name);
}

bool py_type_name(const struct py *py, const struct py_type *t, char *buf, size_t room)
{
	uint64_t at;
	if (py_word(py, t->address + py->layout->type.name, &at) &&
	    image_try_string(py->image, at, buf, room - 1) && name_plausible(buf))
		return true;
	if (!t->told)
		return false;
	snprintf(buf, room, "%s", intern_text(&py->snapshot->strings, t->told));
	return true;
}

/* Names of static types are in the binary, which may be gone. */
static bool type_name_missing(const struct py *py, uint64_t addr)
{
	uint64_t at;
	uint8_t byte;
	return py_word(py, addr + py->layout->type.name, &at) && image_module_find(py->image, at) &&
	       !image_try_u8(py->image, at, &byte);
}

/* type("", (), {}) is a class, too. */
static bool type_name_empty(const struct py *py, uint64_t addr)
{
	uint64_t at;
	uint8_t byte;
	return py_word(py, addr + py->layout->type.name, &at) &&
	       image_try_u8(py->image, at, &byte) && !byte;
}

/* What has a known metatype at its type word: is it a type? */
static bool type_read(const struct py *py, uint64_t addr, struct py_type *ret)
{
	const struct cpython_type_layout *l = &py->layout->type;
	uint64_t count, dictoffset, weaklistoffset, base, last = 0;
	int64_t refcount;
	bool immortal;
	char name[NAME_MOST + 1];
	*ret = (struct py_type){.address = addr};
	if (addr % 8 || !py_word(py, addr + py->layout->object.refcnt, &count) ||
	    !py_refcount(py, count, &refcount, &immortal) ||
	    !py_word(py, addr + l->basicsize, &ret->basicsize) ||
	    !py_word(py, addr + l->itemsize, &ret->itemsize) ||
	    !py_word(py, addr + l->flags, &ret->flags) ||
	    !py_word(py, addr + l->dictoffset, &dictoffset) ||
	    !py_word(py, addr + l->weaklistoffset, &weaklistoffset) ||
	    !py_word(py, addr + l->dealloc, &ret->dealloc) ||
	    !py_word(py, addr + l->traverse, &ret->traverse) || !py_word(py, addr + l->base, &base))
		return false;
	ret->dictoffset = (int64_t)dictoffset;
	ret->weaklistoffset = (int64_t)weaklistoffset;
	if (ret->basicsize > SIZE_MOST || ret->itemsize > SIZE_MOST || base % 8 ||
	    ret->dictoffset > SIZE_MOST || ret->dictoffset < -SIZE_MOST ||
	    ret->weaklistoffset > SIZE_MOST || ret->weaklistoffset < -SIZE_MOST)
		return false;
	if (ret->basicsize < py->layout->object.head && ret->flags & l->flag.ready)
		return false;
	if (l->finalize != CPYTHON_NONE && py_word(py, addr + l->finalize, &last) && last)
		ret->finalizer = true;
	if (py_word(py, addr + l->del, &last) && last)
		ret->finalizer = true;
	ret->is_metatype = ret->flags & l->flag.type;
	if (ret->flags & l->flag.have_gc)
		ret->head = py->layout->gc.head_size;
	if (ret->flags & (l->flag.managed_dict | l->flag.managed_weakref))
		ret->head = (uint16_t)(ret->head + 16);
	if (type_name_read(py, addr, name))
		return true;
	/* To 3.8 some builtin types are in use that nobody made ready: they bring what frees them. */
	if (type_name_missing(py, addr))
		return ret->flags & l->flag.ready ||
		       (refcount < PY_COUNT_CLEAR && ret->basicsize >= py->layout->object.head &&
			ret->dealloc && image_module_find(py->image, ret->dealloc));
	return ret->flags & l->flag.ready && ret->flags & l->flag.heap && type_name_empty(py, addr);
}

/* ---- the table ---- */

static int type_compare(const void *a, const void *b)
{
	const struct py_type *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

struct error *py_types_index(struct py *py)
{
	uint64_t n = 0;
	if (py->type.n)
		qsort(py->type.at, py->type.n, sizeof(*py->type.at), type_compare);
	for (uint64_t i = 0; i < py->type.n; i++)
		if (!n || py->type.at[n - 1].address != py->type.at[i].address)
			py->type.at[n++] = py->type.at[i];
	py->type.n = n;
	uint32_t slots = 64;
	while (slots < 4 * n)
		slots *= 2;
	free(py->type_slot);
	py->type_slot = calloc(slots, sizeof(*py->type_slot));
	if (!py->type_slot)
		return &error_nomem;
	py->type_slots = slots;
	py->type_lo = n ? py->type.at[0].address : 1;
	py->type_span = n ? py->type.at[n - 1].address - py->type_lo : 0;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t h =
			(uint32_t)(py->type.at[i].address * UINT64_C(0x9e3779b97f4a7c15) >> 40) &
			(slots - 1);
		while (py->type_slot[h])
			h = (h + 1) & (slots - 1);
		py->type_slot[h] = i + 1;
	}
	return NULL;
}

static uint32_t type_index(const struct py *py, uint64_t addr)
{
	const struct py_type *t = py_type_at(py, addr);
	return t ? (uint32_t)(t - py->type.at) + 1 : 0;
}

/* Drops types whose chain of bases leaves the table. */
static struct error *types_prune(struct py *py)
{
	const struct cpython_layout *l = py->layout;
	_cleanup_free_ bool *keep = malloc(py->type.n + 1);
	if (!keep)
		return &error_nomem;
	for (unsigned round = 0; round < BASES_MOST; round++) {
		uint64_t n = 0;
		/* The index is of the table as it is: all are looked up before any is moved. */
		for (uint64_t i = 0; i < py->type.n; i++) {
			uint64_t base = 0;
			py_word(py, py->type.at[i].address + l->type.base, &base);
			keep[i] = !base || type_index(py, base);
		}
		for (uint64_t i = 0; i < py->type.n; i++)
			if (keep[i])
				py->type.at[n++] = py->type.at[i];
		if (n == py->type.n)
			return NULL;
		py->type.n = n;
		struct error *err = py_types_index(py);
		if (err)
			return err;
	}
	return NULL;
}

/* ---- names ---- */

/*
 * What a class statement made is torn down by subtype_dealloc (Objects/typeobject.c), which has no
 * symbol: the commonest tp_dealloc among heap types that have no module in their tp_name. Of the
 * interpreter's own functions: a program in which most types are not of Python has its own for them
 * (mypyc makes one for each).
 */
static uint64_t subtype_dealloc_find(const struct py *py)
{
	uint64_t best = 0;
	uint32_t votes = 0;
	/* Boyer and Moore's majority vote. */
	for (uint64_t i = 0; i < py->type.n; i++) {
		const struct py_type *t = &py->type.at[i];
		char name[NAME_MOST + 1];
		if (!(t->flags & py->layout->type.flag.heap) ||
		    image_module_find(py->image, t->dealloc) != py->cpython.module_id ||
		    !py_type_name(py, t, name, sizeof(name)) || strchr(name, '.'))
			continue;
		if (!votes)
			best = t->dealloc;
		if (best == t->dealloc)
			votes++;
		else
			votes--;
	}
	return best;
}

/* module.Qualname; `tp_name` is what C calls it. *module gets where the module's part ends. */
static void class_name(const struct py *py, const struct py_type *t, const char *tp_name, char *buf,
		       size_t room)
{
	const struct cpython_type_layout *l = &py->layout->type;
	char qualname[NAME_MOST + 1], module[NAME_MOST + 1];
	uint64_t at, dict;
	if (l->heap_qualname == CPYTHON_NONE || !py_word(py, t->address + l->heap_qualname, &at) ||
	    !py_text(py, at, qualname, sizeof(qualname)) || !name_plausible(qualname))
		snprintf(qualname, sizeof(qualname), "%s", tp_name);
	if (!py_word(py, t->address + l->dict, &dict) ||
	    !py_dict_get(py, dict, "__module__", &at) || !py_text(py, at, module, sizeof(module)) ||
	    !name_plausible(module) || !strcmp(module, "builtins") ||
	    !strcmp(module, "__builtin__"))
		snprintf(buf, room, "%s", qualname);
	else
		snprintf(buf, room, "%s.%s", module, qualname);
}

static struct error *type_name_set(struct py *py, struct py_type *t)
{
	char tp_name[NAME_MOST + 1], name[2 * NAME_MOST + 3];
	if (!py_type_name(py, t, tp_name, sizeof(tp_name))) {
		if (t->own_kind)
			snprintf(tp_name, sizeof(tp_name), "%s", py_kind_table[t->kind].name);
		else
			snprintf(tp_name, sizeof(tp_name), "<type at 0x%" PRIx64 ">", t->address);
	}
	bool dotted = strchr(tp_name, '.');
	if (t->flags & py->layout->type.flag.heap && !dotted)
		class_name(py, t, tp_name, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "%s", tp_name);
	struct error *err = intern_str(&py->snapshot->strings, name, &t->name);
	return err ? err : snapshot_add_type(py->snapshot, "python", name, "", &t->type_id);
}

/* The nearest base that is in kinds.def. */
static void type_kind_inherit(struct py *py, struct py_type *t)
{
	const struct py_type *b = t;
	for (unsigned i = 0; i < BASES_MOST && !b->own_kind && b->base; i++)
		b = &py->type.at[b->base - 1];
	if (b->own_kind)
		t->kind = b->kind;
}

/* Without a name: those that flags tell, when nothing but `object` is behind them. */
static uint8_t kind_by_flags(const struct py *py, const struct py_type *t)
{
	const struct cpython_type_flags *f = &py->layout->type.flag;
	const struct {
		uint32_t flag;
		enum py_kind kind;
	} known[] = {
		{f->type, PY_KIND_type},   {f->dict, PY_KIND_dict},   {f->tuple, PY_KIND_tuple},
		{f->list, PY_KIND_list},   {f->integer, PY_KIND_int}, {f->bytes, PY_KIND_bytes},
		{f->unicode, PY_KIND_str},
	};
	uint64_t object, at;
	/* The only child of int that the interpreter has compiled in: True and False are its. */
	if (t->is_static && t->base && t->flags & f->integer &&
	    py->type.at[t->base - 1].flags & f->integer &&
	    image_module_find(py->image, t->address) == py->cpython.module_id &&
	    py_word(py, py->type.at[t->base - 1].address + py->layout->type.base, &at) &&
	    py_word(py, at + py->layout->type.base, &object) && !object)
		return PY_KIND_bool;
	if (!t->is_static || !t->base || py->layout->text.forms == CPYTHON_TEXT_POINTER ||
	    !py_word(py, py->type.at[t->base - 1].address + py->layout->type.base, &object) ||
	    object)
		return PY_KIND_NONE;
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (t->flags & known[i].flag)
			return (uint8_t)known[i].kind;
	return PY_KIND_NONE;
}

/* What relates the types of the table to one another, and to kinds.def. */
static void types_relate(struct py *py)
{
	const struct cpython_layout *l = py->layout;
	uint64_t subtype_dealloc = subtype_dealloc_find(py);
	for (uint64_t i = 0; i < py->type.n; i++) {
		struct py_type *t = &py->type.at[i];
		char name[NAME_MOST + 1];
		uint64_t word = 0;
		py_word(py, t->address + l->type.base, &word);
		t->base = type_index(py, word);
		word = 0;
		py_word(py, t->address + l->object.type, &word);
		t->metatype = type_index(py, word);
		t->is_class = t->flags & l->type.flag.heap && t->dealloc == subtype_dealloc;
		t->own_kind = false;
		if (t->is_class)
			continue;
		if (!py_type_name(py, t, name, sizeof(name))) {
			t->kind = kind_by_flags(py, t);
			t->own_kind = t->kind != PY_KIND_NONE;
			continue;
		}
		for (unsigned k = 1; k < PY_KINDS; k++) {
			if (!strcmp(py_kind_table[k].name, name)) {
				t->kind = (uint8_t)k;
				t->own_kind = true;
			}
		}
	}
	for (uint64_t i = 0; i < py->type.n; i++)
		type_kind_inherit(py, &py->type.at[i]);
}

/* ---- static types ---- */

/*
 * Types with a metatype of their own that a library filled in by itself, in memory that it
 * allocated, and of which it has instances in its data (numpy's dtypes): words there point to them.
 */
static struct error *types_behind_data(struct py *py)
{
	const struct image *img = py->image;
	bool others = false;
	for (uint64_t i = 0; i < py->type.n; i++)
		others |= py->type.at[i].is_metatype &&
			  py->type.at[i].address != py->cpython.type_type;
	uint64_t known = py->type.n;
	struct error *err = NULL;
	for (uint32_t m = 0; others && m < img->nmodule; m++) {
		uint64_t at = align_down(img->module[m].data_start + 7, 8), len;
		uint64_t end = img->module[m].data_end;
		const uint8_t *p;
		for (; at < end && (p = image_next_data(img, &at, end, &len)); at += len) {
			for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len && !err; i += 8) {
				uint64_t word = image_word_at(img, p + i), meta_at;
				const struct py_type *meta;
				struct py_type type;
				if (word < 4096 || word % 8 ||
				    !py_word(py, word + py->layout->object.type, &meta_at) ||
				    !(meta = py_type_at(py, meta_at)) || !meta->is_metatype ||
				    meta->address == py->cpython.type_type ||
				    py_type_at(py, word) || image_module_find(img, word) ||
				    !type_read(py, word, &type) ||
				    type.flags & py->layout->type.flag.heap ||
				    !(type.flags & py->layout->type.flag.ready))
					continue;
				type.is_bare = true;
				err = vec_push(&py->type, type);
			}
		}
	}
	return err || py->type.n == known ? err : py_types_index(py);
}

struct error *py_types_static(struct py *py)
{
	const struct image *img = py->image;
	const uint16_t at_type = py->layout->object.type;
	struct py_type type;
	py->type.max = TYPES_MOST;
	if (!type_read(py, py->cpython.type_type, &type)) {
		damage_add(py->ctx->damage, DAMAGE_RUNTIME, py->cpython.type_type,
			   "CPython's `type` at 0x%" PRIx64
			   " cannot be read: its objects stay raw blocks",
			   py->cpython.type_type);
		return NULL;
	}
	type.is_static = true;
	struct error *err = vec_push(&py->type, type);
	if (!err)
		err = py_types_index(py);
	bool again = true;
	for (unsigned round = 0; again && round < ROUNDS_MOST && !err; round++) {
		again = false;
		uint64_t known = py->type.n;
		for (uint32_t m = 0; m < img->nmodule && !err; m++) {
			uint64_t at = align_down(img->module[m].data_start + 7, 8), len;
			uint64_t end = img->module[m].data_end;
			const uint8_t *p;
			for (; at < end && (p = image_next_data(img, &at, end, &len)); at += len) {
				for (uint64_t i = (8 - at % 8) % 8; i + 8 <= len && !err; i += 8) {
					const struct py_type *meta =
						py_type_at(py, image_word_at(img, p + i));
					uint64_t addr = at + i - at_type;
					if (!meta || !meta->is_metatype || py_type_at(py, addr) ||
					    !type_read(py, addr, &type))
						continue;
					type.is_static = true;
					again |= type.is_metatype;
					err = vec_push(&py->type, type);
				}
			}
		}
		again = again && py->type.n > known;
		if (!err)
			err = py_types_index(py);
	}
	if (!err)
		err = types_behind_data(py);
	if (!err)
		types_relate(py);
	return err;
}

/* ---- heap types ---- */

/* A class that was made its own type, as h11 does (`made.__class__ = made`): its base is a metatype that is known. */
static bool type_of_itself(const struct py *py, uint64_t addr)
{
	uint64_t base;
	const struct py_type *t;
	return py_word(py, addr + py->layout->type.base, &base) && (t = py_type_at(py, base)) &&
	       t->is_metatype;
}

/* A type in a block: behind a head of the collector's if it is a heap type, else at its first byte. */
static bool type_in_block(const struct py *py, uint64_t block, uint64_t size, bool heap,
			  struct py_type *ret)
{
	const struct cpython_type_layout *l = &py->layout->type;
	const uint64_t head = heap ? py->layout->gc.head_size : 0, addr = block + head;
	const struct py_type *meta;
	uint64_t word;
	if (size < head + (heap ? l->heap_size : l->size) ||
	    !py_word(py, addr + py->layout->object.type, &word))
		return false;
	const bool own = heap && word == addr;
	if (own ? !type_of_itself(py, addr) : !(meta = py_type_at(py, word)) || !meta->is_metatype)
		return false;
	if (py_type_at(py, addr) || !type_read(py, addr, ret))
		return false;
	ret->is_bare = !heap;
	if (own && !ret->is_metatype)
		return false;
	/* One that the collector does not own was made ready, or it would have no instances. */
	return heap ? ret->flags & l->flag.heap
		    : !(ret->flags & l->flag.heap) && ret->flags & l->flag.ready;
}

static struct error *types_in_blocks(struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	bool again = true;
	struct error *err = NULL;
	for (unsigned round = 0; again && round < ROUNDS_MOST && !err; round++) {
		again = false;
		for (uint32_t i = 0; i < o->n && !err; i++) {
			const uint64_t room = object_room(o, i);
			struct py_type type;
			if (room < py->layout->type.size || !o->arena_id[i] ||
			    (!type_in_block(py, o->address[i], room, true, &type) &&
			     !type_in_block(py, o->address[i], room, false, &type)))
				continue;
			again |= type.is_metatype;
			err = vec_push(&py->type, type);
		}
		if (!err)
			err = py_types_index(py);
	}
	return err;
}

struct error *py_types_heap(struct py *py)
{
	if (!py->type.n)
		return NULL;
	struct error *err = types_in_blocks(py);
	if (!err)
		err = types_prune(py);
	if (!err)
		err = py_type_names_tell(py);
	if (err)
		return err;
	types_relate(py);
	for (uint64_t i = 0; i < py->type.n && !err; i++)
		err = type_name_set(py, &py->type.at[i]);
	if (!err)
		log_info(py->ctx->log, "CPython: %" PRIu64 " types", py->type.n);
	return err;
}
