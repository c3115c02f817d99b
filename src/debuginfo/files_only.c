/*
 * files_only: an image that holds binaries and nothing else.
 *
 * Each one gets a place of its own in it, FILES_APART bytes from the next, since those of a trace
 * may have lain over one another. One that cannot be moved (bias 0, a program that is no PIE) stays
 * where it is, below all others.
 */
#include "debuginfo/debuginfo_impl.h"

#include "base/checked.h"

#include <stdlib.h>

#define FILES_APART (UINT64_C(1) << 36)

#if defined(__aarch64__)
#define FILES_MACHINE MACHINE_AARCH64
#elif defined(__i386__)
#define FILES_MACHINE MACHINE_I386
#else
#define FILES_MACHINE MACHINE_X86_64
#endif

uint64_t debuginfo_file_address(const struct debuginfo *di, uint32_t id, uint64_t address,
				uint64_t bias)
{
	if (!id || id > di->nmodule)
		return 0;
	return address - bias + di->module[id - 1].module->bias;
}

static struct error *add_binary(struct image *img, const struct debuginfo_binary *b, uint32_t id)
{
	uint64_t bias = b->bias ? (id + 1) * FILES_APART : 0;
	struct image_module m = {
		.bias = bias,
		.start = b->start - b->bias + bias,
		.end = b->end - b->bias + bias,
		.path = b->path,
		.is_exe = b->is_exe,
		.extent_unknown = b->extent_unknown,
		.has_headers = true,
	};
	/* What is absurd gets no place; it keeps its id. */
	if (b->start < b->bias || b->end < b->start || b->end - b->bias >= FILES_APART)
		m = (struct image_module){.path = b->path};
	if (b->build_id_len <= BUILD_ID_MAX) {
		m.build_id_len = b->build_id_len;
		for (uint32_t i = 0; i < b->build_id_len; i++)
			m.build_id[i] = b->build_id[i];
	}
	struct error *err = image_add_module(img, &m);
	if (err || m.start >= m.end)
		return err;
	const struct image_segment seg = {
		.start = m.start,
		.end = m.end,
		.perms = PERM_R | PERM_X,
		.kind = SEGMENT_MODULE,
		.module_id = id,
		.name = b->path,
	};
	return image_add_segment(img, &seg);
}

struct error *debuginfo_create_files(const struct debuginfo_binary *binary, uint32_t n,
				     const struct debuginfo_options *opt, struct damage_log *damage,
				     struct log *log, struct debuginfo **ret)
{
	struct image *img = NULL;
	*ret = NULL;
	struct error *err = image_create(damage, log, &img);
	if (err)
		return err;
	img->machine = FILES_MACHINE;
	img->word_size = FILES_MACHINE == MACHINE_I386 ? 4 : 8;
	img->page_size = 4096;
	img->files_only = true;
	for (uint32_t i = 0; i < n && !err; i++)
		err = add_binary(img, &binary[i], i + 1);
	if (!err)
		err = image_seal(img);
	if (!err)
		err = debuginfo_create(img, opt, log, ret);
	if (err)
		image_destroy(img);
	else
		(*ret)->own_image = img;
	return err;
}
