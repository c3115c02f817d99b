#include "cmd/hexdump.h"

#include "base/damage.h"
#include "image/image.h"
#include "input/input.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 16, JSON_MAX = 1 << 20 };

struct hexdump {
	struct damage_log damage;
	struct input_file input;
	struct image *image;
};

static void hexdump_deinit(struct hexdump *h)
{
	image_destroy(h->image);
	input_close(&h->input);
	damage_deinit(&h->damage);
}

/* NULL: it is the dump that the database was made from. */
static const char *hexdump_differs(struct cmd_context *ctx, const struct image *img)
{
	const char *pid = cmd_meta(ctx, "pid");
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	struct error *err = cmd_prepare(ctx, "segment_bounds.sql", 0, &stmt);
	struct cmd_row row = {0};
	bool found = false;
	if (!err)
		err = cmd_row(ctx, stmt, &row, &found);
	error_free(err);
	if (pid && atoll(pid) != img->process.pid)
		return "is the dump of another process now";
	if (found && img->nsegment &&
	    ((uint64_t)cmd_row_int(&row, "lowest") != img->segment[0].start ||
	     (uint64_t)cmd_row_int(&row, "highest") != img->segment[img->nsegment - 1].end))
		return "has changed since";
	return NULL;
}

/* Why there are no bytes; NULL: h->image is open. */
static const char *hexdump_open(struct cmd_context *ctx, struct hexdump *h)
{
	const char *source = cmd_meta(ctx, "source");
	if (cmd_meta(ctx, "redacted"))
		return "the database was made with --redact";
	const char *name = report_safe(&ctx->region, source, "");
	if (!source || !strcmp(source, "-"))
		return "the dump came through a pipe";
	if (access(source, R_OK))
		return region_printf(&ctx->region, "the dump is gone: %s", name);
	/* What is odd about it was told by the scan. */
	struct log quiet = ctx->log;
	quiet.level = LOG_ERROR;
	const struct input_options options = {0};
	struct error *err = input_open(source, &options, &quiet, &h->input);
	const struct input_format *format = err ? NULL : input_format_find(&h->input);
	if (format && format->read_image)
		err = format->read_image(&h->input, &h->damage, &quiet, &h->image);
	log_progress_end(&quiet);
	const char *why = NULL;
	if (err)
		why = region_printf(&ctx->region, "the dump cannot be read: %s",
				    report_safe(&ctx->region, err->message, ""));
	else if (!h->image)
		why = region_printf(&ctx->region, "%s is no dump any more", name);
	else if (hexdump_differs(ctx, h->image))
		why = region_printf(&ctx->region, "%s %s", name, hexdump_differs(ctx, h->image));
	error_free(err);
	return why;
}

static void hexdump_line(struct cmd_context *ctx, const struct image *img, uint64_t address,
			 uint64_t offset, unsigned n)
{
	char hex[LINE * 3 + 2], text[LINE + 1];
	char *p = hex;
	for (unsigned i = 0; i < LINE; i++) {
		uint8_t byte;
		if (i == LINE / 2)
			*p++ = ' ';
		if (i >= n) {
			p += sprintf(p, "   ");
			text[i] = ' ';
		} else if (image_try_u8(img, address + i, &byte)) {
			p += sprintf(p, "%02x ", byte);
			text[i] = byte >= ' ' && byte < 0x7f ? (char)byte : '.';
		} else {
			p += sprintf(p, "?? ");
			text[i] = '?';
		}
	}
	text[n < LINE ? n : LINE] = 0;
	report_line(&ctx->report, "  0x%" PRIx64 " %+6" PRId64 "  %s |%s|", address,
		    (int64_t)offset, hex, text);
}

static struct error *hexdump_json(struct cmd_context *ctx, const struct image *img,
				  uint64_t address, uint64_t len)
{
	if (len > JSON_MAX)
		len = JSON_MAX;
	char *hex = region_alloc(&ctx->region, 2 * (size_t)len + 1);
	if (!hex)
		return &error_nomem;
	for (uint64_t i = 0; i < len; i++) {
		uint8_t byte;
		if (image_try_u8(img, address + i, &byte))
			sprintf(hex + 2 * i, "%02x", byte);
		else
			memcpy(hex + 2 * i, "??", 2);
	}
	report_string(&ctx->report, "bytes", hex);
	return NULL;
}

struct error *cmd_hexdump(struct cmd_context *ctx, uint64_t block, uint64_t skip, uint64_t len)
{
	struct hexdump h = {.input = {.fd = -1}};
	struct error *err = NULL;
	const char *why = hexdump_open(ctx, &h);
	if (why) {
		report_line(&ctx->report, "\nNo bytes to show: %s.", why);
		report_string(&ctx->report, "bytes", NULL);
		report_string(&ctx->report, "bytes_missing", why);
	} else if (ctx->report.json) {
		report_int(&ctx->report, "bytes_offset", (int64_t)skip);
		err = hexdump_json(ctx, h.image, block + skip, len);
	} else {
		report_heading(&ctx->report, "Bytes");
		for (uint64_t at = 0; at < len; at += LINE)
			hexdump_line(ctx, h.image, block + skip + at, skip + at,
				     len - at < LINE ? (unsigned)(len - at) : LINE);
	}
	hexdump_deinit(&h);
	return err;
}
