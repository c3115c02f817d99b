#include "runtime/cpython/states.h"

#include "base/cleanup.h"

enum { CHUNKS_MOST = 1 << 16, CHUNK_MOST = 1 << 28 };

/*
 * thread_id is pthread_self(): with glibc on x86-64 the thread pointer, on others an address near
 * it. The kernel's number, where it is kept (3.11), is that of the process' own pid namespace, and
 * that of the dump perhaps not: so it comes second.
 */
uint32_t py_thread_match(const struct py *py, uint64_t thread)
{
	const struct cpython_state_layout *l = &py->layout->state;
	const struct image *img = py->image;
	uint64_t self, number;
	if (py_word(py, thread + l->thread_id, &self) && self)
		for (uint32_t i = 0; i < img->nthread; i++)
			if (img->thread[i].tp == self)
				return i + 1;
	if (l->thread_native_id != CPYTHON_NONE &&
	    py_word(py, thread + l->thread_native_id, &number))
		for (uint32_t i = 0; i < img->nthread; i++)
			if (img->thread[i].tid > 0 && (uint64_t)img->thread[i].tid == number)
				return i + 1;
	return 0;
}

/* Python/pystate.c, push_chunk: mappings of the arena allocator, the newest first. */
static struct error *chunks_claim(struct py *py, const struct py_thread *thread)
{
	const struct cpython_state_layout *l = &py->layout->state;
	uint64_t at, size;
	if (l->thread_chunk == CPYTHON_NONE || !py_word(py, thread->address + l->thread_chunk, &at))
		return NULL;
	uint32_t name;
	struct error *err = intern_str(&py->snapshot->strings, "Python frames", &name);
	for (unsigned n = 0; at && n < CHUNKS_MOST && !err; n++) {
		if (!py_word(py, at + l->chunk_size, &size) || size < py->image->page_size ||
		    size > CHUNK_MOST || at + size < at)
			return NULL;
		const struct extent_row row = {
			.start = at,
			.end = at + size,
			.kind = EXTENT_OTHER,
			.thread_id = thread->thread_id,
			.name = name,
		};
		err = snapshot_add_extent(py->snapshot, &row);
		if (!err)
			err = snapshot_add_opaque(py->snapshot, row.start, row.end,
						  "Python frames, read as such");
		if (!py_word(py, at + l->chunk_previous, &at))
			return err;
	}
	return err;
}

struct error *py_threads_prepare(struct py *py)
{
	_cleanup_(py_states_deinit) struct py_states states = {0};
	struct error *err = py_states_find(py, &states);
	for (uint64_t i = 0; i < states.thread.n && !err; i++)
		err = chunks_claim(py, &states.thread.at[i]);
	return err;
}
