/*
 * untraversed: says of which types in C it is not known what their tp_traverse shows the collector, as its code is
 * neither in the dump nor in a binary that was found, or does what traverse.h does not follow. analysis/pygc.c then
 * takes it to show what only the object's own words lead to.
 */
#include "runtime/cpython/py.h"
#include "runtime/cpython/traverse.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAMED_MOST = 8, TEXT_ROOM = 1024, NAME_ROOM = 96 };

/* Those with the most objects first; as many as fit. */
static void types_write(const struct py *py, uint64_t *instances, char *buf, size_t room)
{
	size_t len = 0;
	unsigned n = 0;
	for (; n < NAMED_MOST; n++) {
		uint64_t most = 0, which = 0;
		char name[NAME_ROOM];
		for (uint64_t i = 0; i < py->type.n; i++) {
			if (instances[i] > most) {
				most = instances[i];
				which = i;
			}
		}
		if (!most)
			return;
		instances[which] = 0;
		const struct py_type *t = &py->type.at[which];
		const char *text = t->name ? intern_text(&py->snapshot->strings, t->name) : "";
		if (*text)
			snprintf(name, sizeof(name), "%s", text);
		else
			snprintf(name, sizeof(name), "the type at 0x%" PRIx64, t->address);
		int wrote = snprintf(buf + len, room - len, "%s%s (%" PRIu64 ")", n ? ", " : "",
				     name, most);
		if (wrote < 0 || (size_t)wrote >= room - len)
			return;
		len += (size_t)wrote;
	}
	for (uint64_t i = 0; i < py->type.n; i++) {
		if (instances[i]) {
			snprintf(buf + len, room - len, " and others");
			return;
		}
	}
}

static struct error *finding_add(const struct py *py, uint64_t types, uint64_t objects,
				 uint64_t gone, uint64_t *instances)
{
	struct snapshot *s = py->snapshot;
	struct finding_row row = {.severity = SEVERITY_INFO, .objects = objects};
	char title[160], names[TEXT_ROOM / 2] = "", detail[TEXT_ROOM];
	snprintf(title, sizeof(title),
		 "What the collector sees of %" PRIu64 " object%s of %" PRIu64
		 " type%s in C is not known",
		 objects, objects == 1 ? "" : "s", types, types == 1 ? "" : "s");
	types_write(py, instances, names, sizeof(names));
	snprintf(detail, sizeof(detail),
		 "%s. %s. Each object that only a word of theirs leads to is taken to be theirs "
		 "and shown "
		 "to it; garbage behind any other word of theirs is not listed",
		 names,
		 gone == types
			 ? "The code of their traverse functions is neither in the dump nor in "
			   "a binary that was found (--sysroot DIR, --exe FILE)"
		 : gone ? "The code of some traverse functions was not found (--sysroot DIR, --exe "
			  "FILE), "
			  "that of others cannot be followed"
			: "Their traverse functions cannot be followed");
	struct error *err = intern_str(&s->strings, "traverse", &row.kind);
	if (!err)
		err = intern_str(&s->strings, title, &row.title);
	if (!err)
		err = intern_str(&s->strings, detail, &row.detail);
	return err ? err : vec_push(&s->finding, row);
}

struct error *py_untraversed_tell(const struct py *py)
{
	const struct object_table *o = &py->snapshot->object;
	uint64_t types = 0, objects = 0, gone = 0;
	uint8_t byte;
	_cleanup_free_ uint64_t *instances = calloc(py->type.n + 1, sizeof(*instances));
	if (!instances)
		return &error_nomem;
	for (uint32_t i = 0; i < o->n; i++)
		if (py->object_type[i] && (o->flags[i] & OBJECT_UNTRAVERSED))
			instances[py->object_type[i] - 1]++;
	for (uint64_t i = 0; i < py->type.n; i++) {
		if (!instances[i])
			continue;
		types++;
		objects += instances[i];
		gone += !image_try_u8(py->image, py->type.at[i].traverse, &byte);
	}
	if (!types)
		return NULL;
	struct error *err = finding_add(py, types, objects, gone, instances);
	if (!err)
		err = py_meta(py, "python_untraversed_types", "%" PRIu64, types);
	return err ? err : py_meta(py, "python_untraversed_objects", "%" PRIu64, objects);
}
