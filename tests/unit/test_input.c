/* src/input/input.c and decompress.c: files, pipes, every compression, streams that break off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "elfwriter.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BIG = 5 << 20 };

static const struct {
	const char *name;
	int (*add)(struct archive *);
} filters[] = {
	{"gzip", archive_write_add_filter_gzip}, {"xz", archive_write_add_filter_xz},
	{"zstd", archive_write_add_filter_zstd}, {"bzip2", archive_write_add_filter_bzip2},
	{"lz4", archive_write_add_filter_lz4},	 {"lzma", archive_write_add_filter_lzma},
};
enum { NFILTERS = sizeof(filters) / sizeof(filters[0]) };

/* A plain dump: noise that does not compress, a long run of zeroes, noise again; odd at its end. */
struct plain {
	uint8_t *bytes;
	size_t len;
	char dir[64];
	struct log log;
};

static int setup(void **state)
{
	struct plain *p = calloc(1, sizeof(*p));
	p->len = BIG + 1234;
	p->bytes = calloc(1, p->len);
	uint64_t seed = 11;
	for (size_t i = 0; i < p->len; i++) {
		seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		if (i < 1000000 || i > BIG - 300000)
			p->bytes[i] = (uint8_t)(seed >> 40);
	}
	ew_ehdr(p->bytes, true, ET_CORE, EM_X86_64, 0, 0);
	strcpy(p->dir, "/tmp/test_input.XXXXXX");
	assert_non_null(mkdtemp(p->dir));
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct plain *p = *state;
	assert_int_equal(rmdir(p->dir), 0); /* nothing is left behind */
	free(p->bytes);
	free(p);
	return 0;
}

static void path_make(const struct plain *p, char *path, const char *name)
{
	snprintf(path, 128, "%s/%s", p->dir, name);
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

/* The plain dump through a filter; *len bytes, to be freed. */
static uint8_t *pack(const struct plain *p, int filter, size_t *len)
{
	uint8_t *out = malloc(p->len + 65536);
	struct archive *a = archive_write_new();
	assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
	assert_int_equal(filters[filter].add(a), ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, out, p->len + 65536, len), ARCHIVE_OK);
	struct archive_entry *e = archive_entry_new();
	archive_entry_set_filetype(e, AE_IFREG);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, p->bytes, p->len), p->len);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_entry_free(e);
	archive_write_free(a);
	return out;
}

static void check_whole(const struct plain *p, struct input_file *in, const char *compression)
{
	assert_int_equal(in->size, p->len);
	assert_memory_equal(in->data, p->bytes, p->len);
	assert_false(in->cut);
	if (compression)
		assert_string_equal(in->compression, compression);
	else
		assert_null(in->compression);
	assert_string_equal(input_format_find(in)->name, "ELF core");
	input_close(in);
}

static void test_plain(void **state)
{
	struct plain *p = *state;
	char path[128];
	struct input_file in;
	path_make(p, path, "core");
	write_file(path, p->bytes, p->len);
	assert_null(input_open(path, NULL, &p->log, &in));
	assert_true(in.mtime > 0);
	check_whole(p, &in, NULL);
	unlink(path);
}

static void test_compressed(void **state)
{
	struct plain *p = *state;
	struct input_options opt = {.tmpdir = p->dir};
	for (int i = 0; i < NFILTERS; i++) {
		char path[128];
		struct input_file in;
		size_t len;
		uint8_t *packed = pack(p, i, &len);
		path_make(p, path, filters[i].name);
		write_file(path, packed, len);
		assert_null(input_open(path, &opt, &p->log, &in));
		struct stat st;
		assert_int_equal(fstat(in.fd, &st), 0);
		assert_int_equal(st.st_nlink, 0);
		/* The zeroes in the middle are a hole again. */
		assert_true(st.st_blocks * 512 < 3 << 19);
		check_whole(p, &in, filters[i].name);
		/* Cut in its last block (of up to 4 MiB with lz4): what is before it is used. */
		write_file(path, packed, len / 10 * 9);
		assert_null(input_open(path, &opt, &p->log, &in));
		assert_true(in.cut);
		assert_true(in.size > 0 && in.size < p->len);
		assert_memory_equal(in.data, p->bytes, in.size);
		input_close(&in);
		/* Only its header, or rubbish behind it: a clear error. */
		for (int rubbish = 0; rubbish < 2; rubbish++) {
			if (rubbish)
				memset(packed + 16, 0xa5, 4096);
			write_file(path, packed, rubbish ? 4096 : 14);
			struct error *err = input_open(path, &opt, &p->log, &in);
			if (err)
				assert_int_equal(err->kind, ERROR_INPUT);
			else
				input_close(&in);
			error_free(err);
		}
		unlink(path);
		free(packed);
	}
}

struct feed {
	int fd;
	const uint8_t *bytes;
	size_t len;
};

static void *feed_run(void *arg)
{
	struct feed *f = arg;
	for (size_t at = 0; at < f->len;) {
		/* Sizes that fit no block of the reader's. */
		size_t n = f->len - at < 7777 ? f->len - at : 7777;
		ssize_t done = write(f->fd, f->bytes + at, n);
		if (done <= 0)
			break;
		at += (size_t)done;
	}
	close(f->fd);
	return NULL;
}

static void check_pipe(struct plain *p, const uint8_t *bytes, size_t len, const char *compression)
{
	int fd[2], saved = dup(STDIN_FILENO);
	assert_int_equal(pipe(fd), 0);
	dup2(fd[0], STDIN_FILENO);
	close(fd[0]);
	struct feed feed = {fd[1], bytes, len};
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, feed_run, &feed), 0);
	struct input_options opt = {.tmpdir = p->dir};
	struct input_file in;
	struct error *err = input_open("-", &opt, &p->log, &in);
	pthread_join(thread, NULL);
	dup2(saved, STDIN_FILENO);
	close(saved);
	if (len) {
		assert_null(err);
		assert_string_equal(in.name, "-");
		assert_int_equal(in.mtime, 0);
		check_whole(p, &in, compression);
	} else {
		assert_non_null(strstr(err->message, "empty"));
		error_free(err);
	}
}

static void test_pipe(void **state)
{
	struct plain *p = *state;
	check_pipe(p, p->bytes, p->len, NULL);
	check_pipe(p, p->bytes, 0, NULL);
	for (int i = 0; i < NFILTERS; i += 2) {
		size_t len;
		uint8_t *packed = pack(p, i, &len);
		check_pipe(p, packed, len, filters[i].name);
		free(packed);
	}
}

/* A file on standard input is mapped; one that was read from already, from there on. */
static void test_redirected(void **state)
{
	struct plain *p = *state;
	char path[128];
	path_make(p, path, "core");
	write_file(path, (const uint8_t *)"junk", 4);
	int fd = open(path, O_RDWR | O_APPEND);
	assert_int_equal(write(fd, p->bytes, p->len), p->len);
	int saved = dup(STDIN_FILENO);
	dup2(fd, STDIN_FILENO);
	close(fd);
	struct input_options opt = {.tmpdir = p->dir};
	struct input_file in;
	assert_int_equal(lseek(STDIN_FILENO, 4, SEEK_SET), 4);
	assert_null(input_open("-", &opt, &p->log, &in));
	check_whole(p, &in, NULL);
	lseek(STDIN_FILENO, 0, SEEK_SET);
	assert_null(input_open("-", &opt, &p->log, &in));
	assert_int_equal(in.size, p->len + 4);
	assert_null(input_format_find(&in));
	input_close(&in);
	dup2(saved, STDIN_FILENO);
	close(saved);
	unlink(path);
}

static void check_error(const char *path, const struct input_options *opt, struct log *log,
			enum error_kind kind, const char *says)
{
	struct input_file in;
	struct error *err = input_open(path, opt, log, &in);
	assert_non_null(err);
	assert_int_equal(err->kind, kind);
	if (!strstr(err->message, says))
		fail_msg("\"%s\" does not say \"%s\"", err->message, says);
	error_free(err);
}

static void test_errors(void **state)
{
	struct plain *p = *state;
	char path[128];
	path_make(p, path, "x");
	check_error(path, NULL, &p->log, ERROR_INPUT, "No such file");
	check_error(p->dir, NULL, &p->log, ERROR_INPUT, "is a directory");
	write_file(path, p->bytes, 0);
	check_error(path, NULL, &p->log, ERROR_INPUT, "is empty");
	size_t len;
	uint8_t *packed = pack(p, 0, &len);
	write_file(path, packed, len);
	struct input_options opt = {.tmpdir = "/nonexistent"};
	check_error(path, &opt, &p->log, ERROR_SYSTEM, "set TMPDIR");
	/* As if the disk were full. */
	struct rlimit was, few = {1 << 16, 1 << 16};
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	few.rlim_max = was.rlim_max;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &few);
	opt.tmpdir = p->dir;
	check_error(path, &opt, &p->log, ERROR_SYSTEM, "more room");
	setrlimit(RLIMIT_FSIZE, &was);
	signal(SIGXFSZ, handler);
	free(packed);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),  cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_pipe),   cmocka_unit_test(test_redirected),
		cmocka_unit_test(test_errors),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
