#include "cmd/hexdump.h"

#include "base/damage.h"
#include "debuginfo/debuginfo.h"
#include "image/image.h"
#include "input/input.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 16, JSON_MAX = 1 << 20, WORDS_MOST = 4096 };

struct hexdump {
	struct damage_log damage;
	struct input_file input;
	struct image *image;
	struct debuginfo *debuginfo; /* NULL: no symbols */
};

static void hexdump_deinit(struct hexdump *h)
{
	image_destroy(h->image);
	debuginfo_destroy(h->debuginfo); /* lent pages to the image */
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

/* ---- what the words are ---- */

static const struct report_column word_columns[] = {
	{"offset", "OFFSET", REPORT_COUNT, NULL}, {"word", "WORD", REPORT_ADDRESS, NULL},
	{"meaning", "WHICH IS", REPORT_TEXT, ""}, {"kind", NULL, REPORT_WORD, NULL},
	{"object_id", NULL, REPORT_ID, NULL},	  {"name", NULL, REPORT_TEXT, NULL},
	{"symbol", NULL, REPORT_TEXT, NULL},	  {0},
};

/* Where the binaries are: as said now, else as the scan was told. */
static void hexdump_places(struct cmd_context *ctx, struct option_list *sysroot, const char **exe)
{
	*sysroot = ctx->opt.sysroot;
	*exe = ctx->opt.exe;
	if (!*exe && !sysroot->n) {
		const char *folders = cmd_meta(ctx, "sysroot");
		*exe = cmd_meta(ctx, "exe_file");
		while (folders && *folders && sysroot->n < OPTION_LIST_MAX) {
			size_t len = strcspn(folders, "\n");
			const char *one = region_strndup(&ctx->region, folders, len);
			if (one)
				sysroot->at[sysroot->n++] = one;
			folders += len + (folders[len] == '\n');
		}
	}
}

/* Symbols help, but nothing needs them: what is odd about the binaries was told by the scan. */
static void hexdump_symbols(struct cmd_context *ctx, struct hexdump *h)
{
	struct option_list sysroot;
	const char *exe;
	hexdump_places(ctx, &sysroot, &exe);
	const struct debuginfo_options options = {
		.sysroot = sysroot.at,
		.nsysroot = sysroot.n,
		.exe = exe,
	};
	struct log quiet = ctx->log;
	quiet.level = LOG_ERROR;
	struct error *err = image_find_modules(h->image);
	if (!err)
		err = debuginfo_create(h->image, &options, &quiet, &h->debuginfo);
	log_progress_end(&quiet);
	error_free(err);
}

/* "symbol+0x10 in libc.so.6"; NULL: none, or no module there. */
static const char *hexdump_symbol(struct cmd_context *ctx, const struct hexdump *h,
				  uint64_t address)
{
	struct debuginfo_symbol sym;
	if (!h->debuginfo || !debuginfo_symbol_at(h->debuginfo, address, &sym) ||
	    address < sym.start || (sym.size && address - sym.start >= sym.size))
		return NULL;
	const char *name = report_safe(&ctx->region, sym.name, "?");
	if (address == sym.start)
		return name;
	return region_printf(&ctx->region, "%s+0x%" PRIx64, name, address - sym.start);
}

/* Four characters at least, then nothing but zeroes. */
static bool word_text(uint64_t word, unsigned size, char *ret)
{
	unsigned n = 0;
	for (; n < size && (uint8_t)(word >> 8 * n); n++) {
		char c = (char)(uint8_t)(word >> 8 * n);
		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			return false;
		ret[n] = c;
	}
	ret[n] = 0;
	return n >= 4 && (n == size || !(word >> 8 * n));
}

static bool word_read(const struct image *img, uint64_t address, unsigned size, uint64_t *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte;
		if (!image_try_u8(img, address + i, &byte))
			return false;
		*ret |= (uint64_t)byte << 8 * i;
	}
	return true;
}

static void json_quoted(FILE *f, const char *text)
{
	if (!text) {
		fputs("null", f);
		return;
	}
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

/* [[offset, value, symbol, text], ...] of aligned words. */
static char *words_json(struct cmd_context *ctx, const struct hexdump *h,
			const struct hexdump_range *r, unsigned size)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	if (!f)
		return NULL;
	uint64_t skip = -(r->block + r->skip) & (size - 1), n = 0;
	fputc('[', f);
	for (uint64_t at = skip; at < r->len && r->len - at >= size && n < WORDS_MOST; at += size) {
		uint64_t word;
		char plain[sizeof(word) + 1];
		if (!word_read(h->image, r->block + r->skip + at, size, &word))
			continue;
		fprintf(f, "%s[%" PRIu64 ",%" PRId64 ",", n++ ? "," : "", r->skip + at,
			(int64_t)word);
		json_quoted(f, hexdump_symbol(ctx, h, word));
		fputc(',', f);
		json_quoted(f, word_text(word, size, plain) ? plain : NULL);
		fputc(']', f);
	}
	fputc(']', f);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

static struct error *hexdump_words(struct cmd_context *ctx, const struct hexdump *h,
				   const struct hexdump_range *r)
{
	const char *bits = cmd_meta(ctx, "word_size");
	_cleanup_stmt_ sqlite3_stmt *stmt = NULL;
	_cleanup_free_ char *json = words_json(ctx, h, r, bits && !strcmp(bits, "4") ? 4 : 8);
	struct error *err = json ? cmd_prepare(ctx, "show_words.sql", 0, &stmt) : &error_nomem;
	if (err)
		return err;
	cmd_bind_text(stmt, ":words", json);
	cmd_bind_int(stmt, ":id", r->id);
	report_heading(&ctx->report, "Words");
	return report_rows(&ctx->report, "words", word_columns, stmt, NULL);
}

struct error *cmd_hexdump(struct cmd_context *ctx, const struct hexdump_range *r)
{
	struct hexdump h = {.input = {.fd = -1}};
	struct error *err = NULL;
	const char *why = hexdump_open(ctx, &h);
	if (!why)
		hexdump_symbols(ctx, &h);
	const char *symbol =
		!why && !r->id && r->address ? hexdump_symbol(ctx, &h, r->address) : NULL;
	if (symbol) {
		report_string(&ctx->report, "symbol", symbol);
		report_line(&ctx->report, "\nSymbol     %s", symbol);
	}
	if (why) {
		report_line(&ctx->report, "\nNo bytes to show: %s.", why);
		report_string(&ctx->report, "bytes", NULL);
		report_string(&ctx->report, "bytes_missing", why);
	} else if (ctx->report.json) {
		report_int(&ctx->report, "bytes_offset", (int64_t)r->skip);
		err = hexdump_json(ctx, h.image, r->block + r->skip, r->len);
	} else {
		report_heading(&ctx->report, "Bytes");
		for (uint64_t at = 0; at < r->len; at += LINE)
			hexdump_line(ctx, h.image, r->block + r->skip + at, r->skip + at,
				     r->len - at < LINE ? (unsigned)(r->len - at) : LINE);
	}
	if (!why && !err)
		err = hexdump_words(ctx, &h, r);
	hexdump_deinit(&h);
	return err;
}
