/*
 * decompress: streams and compressed files, spooled to an unlinked sparse file.
 *
 * libarchive recognises and unwraps the filters (its "raw" format: one member, no archive). Pages
 * of zeroes become holes again: a core of many threads is mostly holes, which compression has
 * written out, and a hole need not be stored, nor scanned later.
 */
#include "base/cleanup.h"
#include "input/input_impl.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	IN_BYTES = 256 * 1024,
	SPOOL_BYTES = 1024 * 1024,
	SPOOL_PAGE = 4096, /* zeroes are looked for in pieces of this size */
};

/* The compressed side. */
struct source {
	int fd;
	uint8_t *buf;
	struct log *log;
	const char *phase;
	uint64_t done, total;
	int errnum; /* of read(); 0: none */
};

/* The plain side: bytes gather in buf, whose first one belongs at `offset` of the file. */
struct spool {
	int fd;
	const char *dir;
	uint8_t *buf;
	uint64_t offset, used;
};

/* ---- the temporary file ---- */

static struct error *spool_create(struct spool *s, const struct input_options *opt)
{
	s->dir = opt ? opt->tmpdir : NULL;
	if (!s->dir || !s->dir[0])
		s->dir = getenv("TMPDIR");
	if (!s->dir || !s->dir[0])
		s->dir = "/var/tmp";
	s->fd = open(s->dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return NULL;
	/* Some file systems (NFS, overlays of old) have no nameless files. */
	_cleanup_free_ char *path = NULL;
	if (asprintf(&path, "%s/heapscan-XXXXXX", s->dir) < 0)
		return &error_nomem;
	s->fd = mkostemp(path, O_CLOEXEC);
	if (s->fd < 0)
		return error_errno(
			ERROR_SYSTEM, errno,
			"a temporary file is needed to unpack the input into, and cannot "
			"be made in %s (set TMPDIR to another place)",
			s->dir);
	unlink(path);
	return NULL;
}

static struct error *spool_error(const struct spool *s, int errnum)
{
	bool full = errnum == ENOSPC || errnum == EDQUOT || errnum == EFBIG;
	return error_errno(
		ERROR_SYSTEM, errnum,
		"writing the unpacked input to a temporary file in %s, after %" PRIu64 " bytes%s",
		s->dir, s->offset, full ? " (set TMPDIR to a place with more room)" : "");
}

static struct error *spool_write(const struct spool *s, uint64_t from, uint64_t to)
{
	while (from < to) {
		ssize_t n = pwrite(s->fd, s->buf + from, to - from, (off_t)(s->offset + from));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return spool_error(s, n ? errno : ENOSPC);
		from += (uint64_t)n;
	}
	return NULL;
}

static bool all_zero(const uint8_t *p, uint64_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

/* Writes what has gathered, leaving pages of zeroes out. */
static struct error *spool_flush(struct spool *s)
{
	uint64_t dirty = 0; /* start of the pages that wait to be written */
	struct error *err = NULL;
	for (uint64_t at = 0; !err && at < s->used; at += SPOOL_PAGE) {
		uint64_t len = s->used - at < SPOOL_PAGE ? s->used - at : SPOOL_PAGE;
		if (!all_zero(s->buf + at, len))
			continue;
		err = spool_write(s, dirty, at);
		dirty = at + len;
	}
	if (!err)
		err = spool_write(s, dirty, s->used);
	s->offset += s->used;
	s->used = 0;
	return err;
}

static struct error *spool_add(struct spool *s, const uint8_t *p, uint64_t len)
{
	while (len) {
		uint64_t n = SPOOL_BYTES - s->used < len ? SPOOL_BYTES - s->used : len;
		memcpy(s->buf + s->used, p, n);
		s->used += n;
		p += n;
		len -= n;
		struct error *err = s->used == SPOOL_BYTES ? spool_flush(s) : NULL;
		if (err)
			return err;
	}
	return NULL;
}

static struct error *spool_end(struct spool *s)
{
	struct error *err = spool_flush(s);
	if (!err && ftruncate(s->fd, (off_t)s->offset) < 0)
		err = spool_error(s, errno);
	return err;
}

/* ---- the stream ---- */

static la_ssize_t source_read(struct archive *a, void *arg, const void **ret)
{
	struct source *src = arg;
	ssize_t n;
	do
		n = read(src->fd, src->buf, IN_BYTES);
	while (n < 0 && errno == EINTR);
	*ret = src->buf;
	if (n < 0) {
		src->errnum = errno;
		archive_set_error(a, src->errnum, "%s", strerror(src->errnum));
		return -1;
	}
	src->done += (uint64_t)n;
	log_progress(src->log, src->phase, src->done, src->total);
	return n;
}

static void archive_close_(struct archive **a)
{
	if (*a)
		archive_read_free(*a);
}

/* What libarchive calls the outermost filter; static text of ours, since its own goes with it. */
static const char *compression_name(struct archive *a)
{
	static const struct {
		int code;
		const char *name;
	} names[] = {
		{ARCHIVE_FILTER_GZIP, "gzip"},	 {ARCHIVE_FILTER_XZ, "xz"},
		{ARCHIVE_FILTER_LZMA, "lzma"},	 {ARCHIVE_FILTER_ZSTD, "zstd"},
		{ARCHIVE_FILTER_BZIP2, "bzip2"}, {ARCHIVE_FILTER_LZ4, "lz4"},
	};
	/* Filter 0 is the last to be applied; the one before "none" (the source) is the file's. */
	for (int f = archive_filter_count(a) - 1; f >= 0; f--)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (archive_filter_code(a, f) == names[i].code)
				return names[i].name;
	return NULL;
}

static struct error *stream_error(const char *name, struct archive *a)
{
	const char *why = archive_error_string(a);
	return error_new(ERROR_INPUT,
			 "%s is compressed, and nothing comes out of it: it ends too early, or is "
			 "damaged; copy it again (%s)",
			 name, why ? why : "no reason is known");
}

/* Copies until the end. A stream that breaks is `cut`, if anything came out of it. */
static struct error *stream_copy(const char *name, struct archive *a, const struct source *src,
				 struct spool *spool, struct input_file *ret)
{
	for (;;) {
		const void *p;
		size_t len;
		la_int64_t offset;
		int rc = archive_read_data_block(a, &p, &len, &offset);
		if (rc == ARCHIVE_EOF)
			return NULL;
		if (rc == ARCHIVE_RETRY)
			continue;
		if (rc < ARCHIVE_WARN) {
			uint64_t got = spool->offset + spool->used;
			if (!got)
				return stream_error(name, a);
			const char *why = archive_error_string(a);
			/* The reader of the format warns; only the reason is new. */
			log_info(src->log, "%s: the stream breaks off after %" PRIu64 " bytes: %s",
				 name, got, why ? why : "it is damaged");
			ret->cut = true;
			return NULL;
		}
		struct error *err = spool_add(spool, p, len);
		if (err)
			return err;
	}
}

static struct error *stream_unpack(const char *name, struct source *src, struct spool *spool,
				   struct input_file *ret)
{
	_cleanup_(archive_close_) struct archive *a = archive_read_new();
	if (!a)
		return &error_nomem;
	if (archive_read_support_filter_gzip(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_xz(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_lzma(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_zstd(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_bzip2(a) < ARCHIVE_WARN ||
	    archive_read_support_filter_lz4(a) < ARCHIVE_WARN ||
	    archive_read_support_format_raw(a) < ARCHIVE_WARN ||
	    archive_read_support_format_empty(a) < ARCHIVE_WARN ||
	    archive_read_open(a, src, NULL, source_read, NULL) < ARCHIVE_WARN)
		return stream_error(name, a);
	ret->compression = compression_name(a);
	struct archive_entry *entry;
	int rc = archive_read_next_header(a, &entry);
	if (rc == ARCHIVE_EOF)
		return error_new(ERROR_INPUT,
				 "%s is empty: nothing was written into it (a full disk, or a "
				 "limit: ulimit -c)",
				 name);
	if (rc < ARCHIVE_WARN)
		return stream_error(name, a);
	struct error *err = stream_copy(name, a, src, spool, ret);
	return err ? err : spool_end(spool);
}

bool input_is_packed(int fd)
{
	static const struct {
		uint8_t len;
		uint8_t bytes[6];
	} magics[] = {
		{2, {0x1f, 0x8b}},		    /* gzip */
		{6, {0xfd, '7', 'z', 'X', 'Z', 0}}, /* xz */
		{5, {0x5d, 0, 0, 0x80, 0}},	    /* lzma, dictionary of 8 MiB */
		{4, {0x28, 0xb5, 0x2f, 0xfd}},	    /* zstd */
		{3, {'B', 'Z', 'h'}},		    /* bzip2 */
		{4, {0x04, 0x22, 0x4d, 0x18}},	    /* lz4 */
		{4, {0x02, 0x21, 0x4c, 0x18}},	    /* lz4, legacy */
	};
	uint8_t head[6];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (n >= magics[i].len && !memcmp(head, magics[i].bytes, magics[i].len))
			return true;
	/* zstd and lz4 allow frames to skip in front. */
	return n >= 4 && (head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[2] == 0x4d &&
	       head[3] == 0x18;
}

struct error *input_unpack(const char *name, int fd, uint64_t total,
			   const struct input_options *opt, struct log *log, struct input_file *ret)
{
	_cleanup_free_ uint8_t *in = malloc(IN_BYTES);
	_cleanup_free_ uint8_t *out = malloc(SPOOL_BYTES);
	if (!in || !out)
		return &error_nomem;
	struct spool spool = {.buf = out};
	struct error *err = spool_create(&spool, opt);
	if (err)
		return err;
	struct source src = {.fd = fd, .buf = in, .log = log, .phase = "unpacking", .total = total};
	err = stream_unpack(name, &src, &spool, ret);
	log_progress_end(log);
	if (err) {
		close(spool.fd);
		return err;
	}
	ret->fd = spool.fd;
	return NULL;
}
