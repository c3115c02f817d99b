#include "cmd/hexdump.h"
#include "cmd/show_impl.h"

#include <inttypes.h>

enum { HEX = 256 };

static const struct report_column neighbour_columns[] = {
	{"place", "", REPORT_WORD, NULL},
	{"id", "OBJECT", REPORT_ID, NULL},
	{"address", "ADDRESS", REPORT_ADDRESS, NULL},
	{"size", "SIZE", REPORT_COUNT, NULL},
	{"type", "TYPE", REPORT_NAME, "(untyped)"},
	{"value", "?VALUE", REPORT_TEXT, ""},
	{0},
};

/* Of an address in a stack: whose frame. */
static struct error *show_frame(struct cmd_context *ctx, uint64_t address)
{
	struct cmd_row f;
	bool found;
	struct error *err =
		show_row(ctx, "show_frame.sql", ":address", (int64_t)address, &f, &found);
	if (err || !found)
		return err;
	const char *function = cmd_row_text(&f, "function"), *file = cmd_row_text(&f, "file");
	const char *line = "";
	if (file && cmd_row_text(&f, "line"))
		line = region_printf(&ctx->region, ":%" PRId64, cmd_row_int(&f, "line"));
	report_int(&ctx->report, "frame_thread", cmd_row_int(&f, "thread_id"));
	report_int(&ctx->report, "frame_depth", cmd_row_int(&f, "depth"));
	report_string(&ctx->report, "frame_function", function);
	report_line(&ctx->report, "Frame      %" PRId64 " of thread %" PRId64 ": %s%s%s%s",
		    cmd_row_int(&f, "depth"), cmd_row_int(&f, "tid"),
		    report_safe(&ctx->region, function, "?"), file ? " " : "",
		    report_safe(&ctx->region, file, ""), line);
	return NULL;
}

struct error *show_segment(struct cmd_context *ctx, uint64_t address)
{
	struct report *rep = &ctx->report;
	struct cmd_row s;
	bool found;
	struct error *err =
		show_row(ctx, "show_segment.sql", ":address", (int64_t)address, &s, &found);
	if (err || !found)
		return err;
	uint64_t start = (uint64_t)cmd_row_int(&s, "start");
	const char *module = report_safe(&ctx->region, cmd_row_text(&s, "module"), NULL);
	report_line(rep, "Mapping    0x%" PRIx64 "-0x%" PRIx64 " %s %s%s%s%s%s", start,
		    (uint64_t)cmd_row_int(&s, "end"), cmd_row_text(&s, "perms"),
		    cmd_row_text(&s, "kind"), cmd_row_text(&s, "name") ? " " : "",
		    report_safe(&ctx->region, cmd_row_text(&s, "name"), ""),
		    cmd_row_text(&s, "contents") ? "; it has " : "",
		    report_safe(&ctx->region, cmd_row_text(&s, "contents"), ""));
	if (module)
		report_line(rep, "Module     %s+0x%" PRIx64, module,
			    address - (uint64_t)cmd_row_int(&s, "base"));
	if (cmd_row_text(&s, "tid"))
		report_line(rep, "Stack of   thread %" PRId64, cmd_row_int(&s, "tid"));
	err = show_frame(ctx, address);
	if (err)
		return err;
	report_int(rep, "segment_id", cmd_row_int(&s, "id"));
	report_string(rep, "segment_kind", cmd_row_text(&s, "kind"));
	report_string(rep, "segment_name", cmd_row_text(&s, "name"));
	return NULL;
}

struct error *show_pool(struct cmd_context *ctx, const struct cmd_row *o)
{
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct cmd_row p;
	bool found = false;
	struct error *err = cmd_prepare(ctx, "show_pool.sql", SHOW_ROWS, &stmt);
	if (err)
		return err;
	cmd_bind_int(stmt, ":arena_id", cmd_row_int(o, "arena_id"));
	cmd_bind_int(stmt, ":address", cmd_row_int(o, "block"));
	err = cmd_row(ctx, stmt, &p, &found);
	if (err || !found)
		return err;
	report_address(&ctx->report, "pool", (uint64_t)cmd_row_int(&p, "start"));
	report_int(&ctx->report, "pool_live", cmd_row_int(&p, "live"));
	report_int(&ctx->report, "pool_free", cmd_row_int(&p, "free"));
	report_line(&ctx->report, "Pool       0x%" PRIx64 ", %s: %s live, %s free",
		    (uint64_t)cmd_row_int(&p, "start"), cmd_bytes(ctx, cmd_row_int(&p, "size")),
		    cmd_plural(ctx, cmd_row_int(&p, "live"), "block", "blocks"),
		    cmd_count(ctx, cmd_row_int(&p, "free")));
	return NULL;
}

struct error *show_bytes(struct cmd_context *ctx, int64_t id, uint64_t block, uint64_t size,
			 uint64_t address)
{
	uint64_t want = ctx->opt.hex == LIMIT_UNSET ? HEX : ctx->opt.hex, skip = 0;
	if (!want || !size)
		return NULL;
	if (address > block && address - block >= want)
		skip = (address - block) & ~(uint64_t)15;
	return cmd_hexdump(ctx, &(struct hexdump_range){
					.block = block,
					.skip = skip,
					.len = size - skip < want ? size - skip : want,
					.address = address,
					.id = id,
				});
}

struct error *show_neighbours(struct cmd_context *ctx, uint64_t address)
{
	return show_table(ctx, "show_neighbours.sql", ":address", (int64_t)address, "neighbours",
			  neighbour_columns, "Live blocks next to it", 1);
}

/* ---- an address that is in no live block ---- */

static struct error *show_free(struct cmd_context *ctx, uint64_t address, const struct cmd_row *f)
{
	uint64_t start = (uint64_t)cmd_row_int(f, "address");
	report_string(&ctx->report, "what", "free");
	report_address(&ctx->report, "address", address);
	report_address(&ctx->report, "free_block", start);
	report_int(&ctx->report, "size", cmd_row_int(f, "size"));
	report_string(&ctx->report, "kind", cmd_row_text(f, "kind"));
	report_line(&ctx->report, "Free block at 0x%" PRIx64 ", %s bytes, in %s (%s %s)", start,
		    cmd_count(ctx, cmd_row_int(f, "size")), cmd_row_text(f, "kind"),
		    report_safe(&ctx->region, cmd_row_text(f, "allocator"), "?"),
		    report_safe(&ctx->region, cmd_row_text(f, "arena"), ""));
	if (address != start)
		report_line(&ctx->report, "Address    0x%" PRIx64 " is %+" PRId64 " in it", address,
			    (int64_t)(address - start));
	return NULL;
}

static struct error *show_root_at(struct cmd_context *ctx, uint64_t address)
{
	struct cmd_row r;
	bool found;
	struct error *err =
		show_row(ctx, "show_root_at.sql", ":address", (int64_t)address, &r, &found);
	if (err || !found)
		return err;
	report_line(&ctx->report, "Root       %s%s%s: points to #%" PRId64 " at 0x%" PRIx64 " %s",
		    cmd_row_text(&r, "kind"), cmd_row_text(&r, "name") ? " " : "",
		    report_safe(&ctx->region, cmd_row_text(&r, "name"), ""), cmd_row_int(&r, "id"),
		    (uint64_t)cmd_row_int(&r, "address"),
		    report_safe(&ctx->region, cmd_row_text(&r, "type"), ""));
	report_int(&ctx->report, "points_to", cmd_row_int(&r, "id"));
	return NULL;
}

struct error *show_address(struct cmd_context *ctx, uint64_t address)
{
	struct cmd_row row;
	bool found;
	struct error *err =
		show_row(ctx, "show_at.sql", ":address", (int64_t)address, &row, &found);
	if (err)
		return err;
	if (found)
		return show_object(ctx, cmd_row_int(&row, "id"), address, true);
	err = show_row(ctx, "show_free.sql", ":address", (int64_t)address, &row, &found);
	if (err)
		return err;
	uint64_t from = address & ~(uint64_t)15, len = 64;
	if (found) {
		from = (uint64_t)cmd_row_int(&row, "address");
		len = (uint64_t)cmd_row_int(&row, "size");
		err = show_free(ctx, address, &row);
	} else {
		err = show_row(ctx, "show_segment.sql", ":address", (int64_t)address, &row, &found);
		if (err)
			return err;
		report_string(&ctx->report, "what", found ? "mapping" : "nothing");
		report_address(&ctx->report, "address", address);
		report_line(&ctx->report, "Address    0x%" PRIx64 " is in no block%s", address,
			    found ? "" : ", nor in any mapping");
		if (!found)
			return NULL;
	}
	if (!err)
		err = show_segment(ctx, address);
	if (!err)
		err = show_root_at(ctx, address);
	if (!err)
		err = show_neighbours(ctx, address);
	return err ? err : show_bytes(ctx, 0, from, len, address);
}
