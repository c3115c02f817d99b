/*
 * fuzz_python: a real Python process (sample-dumps/python.core.xz), written over as the input says;
 * read, walked, analysed and proved. Runs in the top folder.
 *
 *	8 bytes each: where (see place), an object's number (2 bytes), a word of it, operation, 3 bytes
 *	of operand
 */
#include "analysis/analysis.h"
#include "debuginfo/debuginfo.h"
#include "heap/heap.h"
#include "input/input.h"
#include "runtime/runtime.h"

#include <assert.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SAMPLE "sample-dumps/python.core.xz"

enum { OP = 8, OPS_MOST = 256, POOL = 1 << 14, LOADS_MOST = 1024 };

/* The sample as it is: made once. */
struct sound {
	uint8_t *byte;
	uint64_t size;
	Elf64_Phdr load[LOADS_MOST];
	unsigned nload;
	uint64_t *object; /* addresses of Python objects */
	uint64_t objects;
};

static void fail(struct error *err)
{
	fprintf(stderr, "%s\n", err->message);
	abort();
}

/* All phases up to the store; `objects` gets the snapshot's, when it is given. */
static void run(const uint8_t *byte, uint64_t size, struct sound *objects)
{
	static const char *const nothing[] = {"sample-dumps"}; /* no binary is there */
	static struct error *(*const analysis[])(struct snapshot *, struct log *) = {
		analysis_pygc,	      analysis_redact,	  analysis_graph,	analysis_suspended,
		analysis_pygc_unseen, analysis_refcounts, analysis_native_held, analysis_census,
		analysis_shapes,      analysis_ledger,	  analysis_trim,	analysis_findings,
	};
	const struct debuginfo_options options = {.sysroot = nothing, .nsysroot = 1};
	struct log log = {.level = LOG_ERROR};
	struct damage_log damage = {0};
	struct input_file in;
	struct image *img = NULL;
	struct debuginfo *di = NULL;
	struct snapshot *s = NULL;
	struct runtime_context rt = {0};
	struct error *err = input_open_memory("fuzz", byte, size, &in);
	if (err)
		fail(err);
	err = input_format_find(&in)->read_image(&in, &damage, &log, &img);
	if (!err)
		err = image_find_modules(img);
	if (!err)
		err = debuginfo_create(img, &options, &log, &di);
	if (!err)
		err = snapshot_create(img, &damage, &s);
	if (!err) {
		rt = (struct runtime_context){.image = img,
					      .debuginfo = di,
					      .snapshot = s,
					      .damage = &damage,
					      .log = &log};
		err = runtime_prepare(&rt);
	}
	struct heap_context heap = {img, di, s, &damage, &log};
	if (!err)
		err = heap_scan(&heap);
	if (!err)
		err = snapshot_seal_blocks(s);
	if (!err)
		err = runtime_objects(&rt);
	if (!err)
		err = runtime_references(&rt);
	runtime_finish(&rt);
	for (unsigned i = 0; i < sizeof(analysis) / sizeof(*analysis) && !err; i++)
		err = analysis[i](s, &log);
	if (!err)
		err = snapshot_check(s);
	if (err && err->kind != ERROR_MEMORY)
		fail(err);
	error_free(err);
	for (uint32_t i = 0; objects && i < s->object.n; i++)
		if (s->object.refcount[i] != INT64_MIN)
			objects->object[objects->objects++] = s->object.address[i];
	snapshot_destroy(s);
	debuginfo_destroy(di);
	input_close(&in);
	image_destroy(img);
	damage_deinit(&damage);
}

static const struct sound *sound_get(void)
{
	static struct sound sound;
	if (sound.byte)
		return &sound;
	const struct input_options options = {0};
	struct log log = {.level = LOG_ERROR};
	struct input_file in;
	Elf64_Ehdr head;
	struct error *err = input_open(SAMPLE, &options, &log, &in);
	if (err)
		fail(err);
	sound.byte = malloc(in.size);
	sound.object = malloc(in.size); /* an object has 16 bytes and more */
	assert(sound.byte && sound.object);
	sound.size = in.size;
	memcpy(sound.byte, in.data, in.size);
	input_close(&in);
	memcpy(&head, sound.byte, sizeof(head));
	for (unsigned i = 0; i < head.e_phnum && sound.nload < LOADS_MOST; i++) {
		Elf64_Phdr *p = &sound.load[sound.nload];
		memcpy(p, sound.byte + head.e_phoff + i * sizeof(*p), sizeof(*p));
		sound.nload += p->p_type == PT_LOAD && p->p_flags & PF_W && p->p_filesz >= 8;
	}
	run(sound.byte, sound.size, &sound);
	assert(sound.objects > 10000 && sound.nload);
	return &sound;
}

/* The file's bytes of a word; NULL: it is not in a writable segment. */
static uint8_t *word_at(const struct sound *s, uint8_t *byte, uint64_t addr)
{
	for (unsigned i = 0; i < s->nload; i++) {
		const Elf64_Phdr *p = &s->load[i];
		if (addr >= p->p_vaddr && addr - p->p_vaddr <= p->p_filesz - 8)
			return byte + p->p_offset + (addr - p->p_vaddr);
	}
	return NULL;
}

static uint64_t get(const uint8_t *p)
{
	uint64_t word = 0;
	if (p)
		memcpy(&word, p, sizeof(word));
	return word;
}

/* A word of an object or before it, of what its words lead to, of a pool's header, anywhere. */
static uint8_t *place(const struct sound *s, uint8_t *byte, const uint8_t *op)
{
	const unsigned number = op[1] | op[2] << 8;
	uint64_t at = s->object[number % s->objects];
	const int64_t offset = 8 * ((int64_t)(op[3] & 63) - 6);
	const Elf64_Phdr *p = &s->load[op[3] % s->nload];
	switch (op[0] & 7) {
	case 0:
		return word_at(s, byte, at / POOL * POOL + 8 * (op[3] & 7));
	case 1:
		at = p->p_vaddr + (number * UINT64_C(0x9e3779b9) + op[0]) % p->p_filesz / 8 * 8;
		return word_at(s, byte, at);
	case 2:
	case 3:
		at = get(word_at(s, byte, at + 8 * (op[0] >> 4)));
		return word_at(s, byte, (at & ~UINT64_C(7)) + (uint64_t)offset);
	default:
		return word_at(s, byte, at + (uint64_t)offset);
	}
}

static void overwrite(const struct sound *s, uint8_t *byte, const uint8_t *op)
{
	uint8_t *p = place(s, byte, op);
	const uint64_t x = op[5] | op[6] << 8 | (uint64_t)op[7] << 16;
	const uint64_t other = s->object[x % s->objects];
	uint64_t word = get(p);
	switch (op[4] & 7) {
	case 0:
		word = x;
		break;
	case 1:
		word ^= UINT64_C(1) << (x & 63);
		break;
	case 2:
		word = other;
		break;
	case 3:
		word = other - 16;
		break;
	case 4:
		word += x * 8;
		break;
	case 5:
		word -= x * 8;
		break;
	case 6:
		word = x << 40 | x;
		break;
	default:
		word = get(word_at(s, byte, other + 8 * (op[4] >> 4)));
		break;
	}
	if (p)
		memcpy(p, &word, sizeof(word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sound *s = sound_get();
	uint8_t *byte = malloc(s->size);
	assert(byte);
	memcpy(byte, s->byte, s->size);
	for (size_t i = 0; i + OP <= size && i < OP * OPS_MOST; i += OP)
		overwrite(s, byte, data + i);
	run(byte, s->size, NULL);
	free(byte);
	return 0;
}
