#include "base/intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void intern_deinit(struct intern *in)
{
	region_deinit(&in->region);
	free(in->entry);
	free(in->slot);
	*in = (struct intern){0};
}

/* FNV-1a, folded; only spread matters. */
static uint32_t intern_hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325;
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3;
	return (uint32_t)(h ^ h >> 32);
}

static void intern_place(struct intern *in, uint32_t id)
{
	uint32_t i = in->entry[id].hash & (in->slots - 1);
	while (in->slot[i])
		i = (i + 1) & (in->slots - 1);
	in->slot[i] = id;
}

static struct error *intern_grow(struct intern *in)
{
	if (in->n == in->room) {
		if (in->room > UINT32_MAX / 4)
			return error_new(ERROR_INPUT, "too many distinct strings");
		uint32_t room = in->room ? in->room * 2 : 64;
		struct intern_entry *e = realloc(in->entry, room * sizeof(*e));
		if (!e)
			return &error_nomem;
		in->entry = e;
		in->room = room;
		if (!in->n) {
			in->entry[0] = (struct intern_entry){.text = ""};
			in->n = 1;
		}
	}
	if (in->n + in->n / 2 >= in->slots) {
		uint32_t slots = in->slots ? in->slots * 2 : 128;
		uint32_t *slot = calloc(slots, sizeof(*slot));
		if (!slot)
			return &error_nomem;
		free(in->slot);
		in->slot = slot;
		in->slots = slots;
		for (uint32_t id = 1; id < in->n; id++)
			intern_place(in, id);
	}
	return NULL;
}

struct error *intern_add(struct intern *in, const char *text, size_t len, uint32_t *ret)
{
	if (len > UINT32_MAX)
		return error_new(ERROR_INPUT, "string of %zu bytes", len);
	struct error *err = intern_grow(in);
	if (err)
		return err;
	uint32_t hash = intern_hash(text, len);
	for (uint32_t i = hash & (in->slots - 1); in->slot[i]; i = (i + 1) & (in->slots - 1)) {
		const struct intern_entry *e = &in->entry[in->slot[i]];
		if (e->hash == hash && e->len == len && !memcmp(e->text, text, len)) {
			*ret = in->slot[i];
			return NULL;
		}
	}
	char *copy = region_strndup(&in->region, text, len);
	if (!copy)
		return &error_nomem;
	in->entry[in->n] = (struct intern_entry){copy, (uint32_t)len, hash};
	intern_place(in, in->n);
	*ret = in->n++;
	return NULL;
}

struct error *intern_str(struct intern *in, const char *text, uint32_t *ret)
{
	return intern_add(in, text, strlen(text), ret);
}

const char *intern_text(const struct intern *in, uint32_t id)
{
	assert(!id || id < in->n);
	return id ? in->entry[id].text : "";
}
