#include "input/input.h"

#include "base/cleanup.h"
#include "input/input_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT(name) extern const struct input_format input_##name;
#include "input/inputs.def"
#undef INPUT

static const struct input_format *const input_formats[] = {
#define INPUT(name) &input_##name,
#include "input/inputs.def"
#undef INPUT
};

const struct input_format *input_format_find(const struct input_file *in)
{
	const struct input_format *found = NULL;
	for (size_t i = 0; i < sizeof(input_formats) / sizeof(input_formats[0]) && !found; i++)
		if (input_formats[i]->probe(in->data, in->size))
			found = input_formats[i];
	/* What the user says of the file counts more than what it looks like. */
	bool dump = found && found->read_image;
	return in->trace_pattern && !dump ? &input_trace_pattern : found;
}

static struct error *map_whole(const char *name, int fd, struct input_file *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_errno(ERROR_SYSTEM, errno, "%s", name);
	if (!st.st_size)
		return error_new(ERROR_INPUT,
				 "%s is empty: nothing was written into it (a full disk, or a "
				 "limit: ulimit -c)",
				 name);
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return error_errno(ERROR_SYSTEM, errno, "%s cannot be mapped", name);
	ret->data = p;
	ret->size = (uint64_t)st.st_size;
	return NULL;
}

struct error *input_open(const char *name, const struct input_options *opt, struct log *log,
			 struct input_file *ret)
{
	bool standard = !strcmp(name, "-");
	const char *shown = standard ? "standard input" : name;
	_cleanup_close_ int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
					  : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return error_errno(ERROR_INPUT, errno, "%s", shown);
	struct stat st;
	if (fstat(fd, &st) < 0)
		return error_errno(ERROR_SYSTEM, errno, "%s", shown);
	if (S_ISDIR(st.st_mode))
		return error_new(ERROR_INPUT,
				 "%s is a directory; give the core file or the trace in it", shown);
	if (standard && isatty(fd))
		return error_new(
			ERROR_INPUT,
			"standard input is a terminal; give a dump with \"< FILE\" or a pipe");

	struct input_file in = {.name = name, .fd = -1};
	bool regular = S_ISREG(st.st_mode);
	struct error *err;
	if (regular)
		in.mtime = (int64_t)st.st_mtime;
	/* Someone may have read the beginning of standard input: only the rest is meant then. */
	bool plain = regular && !(standard && lseek(fd, 0, SEEK_CUR) > 0) && !input_is_packed(fd);
	if (plain) {
		err = map_whole(shown, fd, &in);
		if (!err) {
			in.fd = fd;
			fd = -1;
		}
	} else {
		uint64_t total = regular ? (uint64_t)st.st_size : 0;
		err = input_unpack(shown, fd, total, opt, log, &in);
		if (!err)
			err = map_whole(shown, in.fd, &in);
	}
	if (err) {
		input_close(&in);
		return err;
	}
	*ret = in;
	return NULL;
}

struct error *input_open_memory(const char *name, const void *bytes, uint64_t len,
				struct input_file *ret)
{
	if (!len)
		return error_new(ERROR_INPUT,
				 "%s is empty: nothing was written into it (a full disk, or a "
				 "limit: ulimit -c)",
				 name);
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return &error_nomem;
	memcpy(p, bytes, len);
	*ret = (struct input_file){.name = name, .fd = -1, .data = p, .size = len};
	return NULL;
}

void input_close(struct input_file *in)
{
	if (in->data)
		munmap((void *)(uintptr_t)in->data, in->size);
	if (in->fd >= 0)
		close(in->fd);
	in->data = NULL;
	in->fd = -1;
}
