/* The allocator's row: the steps in order. See pymalloc_impl.h. */
#include "heap/pymalloc/pymalloc_impl.h"

enum { SAMPLES = 4096 };

static void pymalloc_deinit(struct pymalloc *py)
{
	vec_deinit(&py->state);
	vec_deinit(&py->arena);
	vec_deinit(&py->broken);
	vec_deinit(&py->orphan);
}

static bool has_symbol(const struct heap_context *ctx, const char *name)
{
	struct debuginfo_symbol symbol;
	return ctx->debuginfo && debuginfo_symbol_find(ctx->debuginfo, 0, name, &symbol);
}

/* Do most of the blocks that were found so far have a debug allocator's pads? A sample tells. */
static bool others_padded(struct pymalloc *py)
{
	const struct snapshot *s = py->ctx->snapshot;
	uint64_t padded = 0, looked = 0, step = s->block.n / SAMPLES + 1;
	for (uint64_t i = 0; i < s->block.n; i += step) {
		const struct block_row *b = &s->block.at[i];
		looked++;
		padded += b->size < UINT32_MAX &&
			  pymalloc_block_padded(py, b->address, (uint32_t)b->size);
	}
	return padded * 2 > looked;
}

/* An interpreter without an arena. Include/refcount.h: only builds without the GIL export that. */
static struct error *pymalloc_absent(struct pymalloc *py)
{
	const char *what = others_padded(py) ? "malloc_debug" : "malloc";
	if (has_symbol(py->ctx, "_Py_MergeZeroLocalRefcount"))
		what = "mimalloc";
	log_info(py->ctx->log,
		 "pymalloc: this interpreter has no arenas: its allocator is %s (PYTHONMALLOC, or "
		 "how it was built)",
		 what);
	return snapshot_meta(py->ctx->snapshot, "python_allocator", "%s", what);
}

static struct error *pymalloc_facts(struct pymalloc *py)
{
	struct snapshot *s = py->ctx->snapshot;
	uint64_t bytes = 0;
	for (uint64_t i = 0; i < py->arena.n; i++)
		bytes += py->arena.at[i].end - py->arena.at[i].address;
	const struct {
		const char *key;
		uint64_t value;
	} fact[] = {
		{"pymalloc_states", py->state.n},
		{"pymalloc_arenas", py->arena.n},
		{"pymalloc_bytes", bytes},
		{"pymalloc_arena_size", py->state.at[0].geo->arena_size},
		{"pymalloc_pool_size", py->state.at[0].geo->pool_size},
		{"pymalloc_alignment", py->state.at[0].geo->alignment},
		{"pymalloc_pools", py->pools},
		{"pymalloc_pools_used", py->pools_used},
		{"pymalloc_pools_empty", py->pools_empty},
		{"pymalloc_blocks_used", py->blocks_used},
		{"pymalloc_blocks_free", py->blocks_free},
	};
	struct error *err = NULL;
	for (unsigned i = 0; i < sizeof(fact) / sizeof(fact[0]) && !err; i++)
		err = snapshot_meta(s, fact[i].key, "%" PRIu64, fact[i].value);
	if (py->pools_missing)
		damage_add(py->ctx->damage, DAMAGE_MISSING, 0,
			   "%" PRIu64 " pools of pymalloc's are not in the dump: their blocks are "
			   "unknown",
			   py->pools_missing);
	return err;
}

static struct error *pymalloc_run(struct pymalloc *py)
{
	struct snapshot *s = py->ctx->snapshot;
	struct error *err = pymalloc_find_states(py);
	if (err)
		return err;
	/* Exported by every CPython since 2.7, by libpython or by the program that has it inside. */
	if (!py->state.n && !has_symbol(py->ctx, "PyObject_Malloc"))
		return NULL;
	pymalloc_sort_arenas(py);
	err = pymalloc_find_orphans(py);
	if (err)
		return err;
	if (!py->arena.n)
		return pymalloc_absent(py);
	err = pymalloc_emit(py);
	if (!err)
		err = pymalloc_facts(py);
	/* Blocks of other allocators' have the pads then, too: their objects begin 16 bytes late.
	 */
	bool debug = py->sampled && py->padded * 2 > py->sampled;
	return err ? err
		   : snapshot_meta(s, "python_allocator", debug ? "pymalloc_debug" : "pymalloc");
}

static struct error *pymalloc_scan(struct heap_context *ctx, uint32_t *ret)
{
	struct pymalloc py = {
		.ctx = ctx,
		.img = ctx->image,
		.layout = pymalloc_layout_find(ctx->image->word_size),
		.w = ctx->image->word_size,
		.arena = {.max = UINT32_MAX - 1},
	};
	*ret = 0;
	if (!py.layout)
		return NULL;
	struct error *err = pymalloc_run(&py);
	*ret = (uint32_t)py.arena.n;
	pymalloc_deinit(&py);
	return err;
}

const struct allocator allocator_pymalloc = {.name = "pymalloc", .scan = pymalloc_scan};
