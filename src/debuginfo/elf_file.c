#include "debuginfo/elf_file.h"

#include "base/cleanup.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SYMLINKS_MAX = 40, /* as the kernel: include/linux/namei.h, MAXSYMLINKS */
	OPEN_FLAGS = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
};

/* The type is looked at first, since merely opening a device can do something; then once more. */
static int file_open_at(int dir, const char *path, int flags)
{
	struct stat st;
	if (fstatat(dir, path, &st, flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0))
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	int fd = openat(dir, path, OPEN_FLAGS | flags);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

int file_open(const char *path)
{
	return file_open_at(AT_FDCWD, path, 0);
}

/* Cuts the last component off; the root's parent is the root. */
static void path_pop(char *path)
{
	char *slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	else
		*path = '\0';
}

int file_open_in_root(const char *root, const char *path)
{
	_cleanup_close_ int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	/* done: resolved, relative to dir, free of links; pending: what is left of the path. */
	char done[PATH_MAX] = "", pending[PATH_MAX], next[PATH_MAX], target[PATH_MAX];
	size_t len = strlen(path);
	if (len >= sizeof(pending))
		return errno = ENAMETOOLONG, -1;
	memcpy(pending, path, len + 1);
	unsigned links = 0;
	char *at = pending;
	for (;;) {
		at += strspn(at, "/");
		if (!*at)
			break;
		size_t n = strcspn(at, "/");
		if (n == 1 && *at == '.') {
			at += n;
			continue;
		}
		if (n == 2 && !memcmp(at, "..", 2)) {
			path_pop(done);
			at += n;
			continue;
		}
		int k = snprintf(next, sizeof(next), "%s%s%.*s", done, *done ? "/" : "", (int)n,
				 at);
		if (k < 0 || (size_t)k >= sizeof(next))
			return errno = ENAMETOOLONG, -1;
		at += n;
		ssize_t got = readlinkat(dir, next, target, sizeof(target) - 1);
		if (got < 0) {
			if (errno != EINVAL) /* EINVAL: there, and no link */
				return -1;
			memcpy(done, next, (size_t)k + 1);
			continue;
		}
		if (++links > SYMLINKS_MAX)
			return errno = ELOOP, -1;
		target[got] = '\0';
		if (*target == '/')
			*done = '\0';
		size_t rest = strlen(at);
		if ((size_t)got + 1 + rest >= sizeof(pending))
			return errno = ENAMETOOLONG, -1;
		memmove(pending + got + 1, at, rest + 1);
		memcpy(pending, target, (size_t)got);
		pending[got] = '/';
		at = pending;
	}
	if (!*done)
		return errno = EISDIR, -1;
	return file_open_at(dir, done, O_NOFOLLOW);
}

static bool elf_file_machine_ok(Elf *elf, enum image_machine machine)
{
	GElf_Ehdr h;
	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &h))
		return false;
	if (h.e_ident[EI_DATA] != ELFDATA2LSB || (h.e_type != ET_EXEC && h.e_type != ET_DYN))
		return false;
	int class = h.e_ident[EI_CLASS];
	switch (machine) {
	case MACHINE_X86_64:
		return h.e_machine == EM_X86_64 && class == ELFCLASS64;
	case MACHINE_AARCH64:
		return h.e_machine == EM_AARCH64 && class == ELFCLASS64;
	case MACHINE_I386:
		return h.e_machine == EM_386 && class == ELFCLASS32;
	}
	return false;
}

static void elf_file_sections(struct elf_file *f)
{
	size_t names;
	if (elf_getshdrstrndx(f->elf, &names))
		return;
	Elf_Scn *scn = NULL;
	while ((scn = elf_nextscn(f->elf, scn))) {
		GElf_Shdr sh;
		if (!gelf_getshdr(scn, &sh) || !sh.sh_size)
			continue;
		if (sh.sh_type == SHT_NOBITS) {
			/* objcopy --only-keep-debug makes them so; .bss is never executable. */
			if (sh.sh_flags & SHF_EXECINSTR)
				f->debug_only = true;
			continue;
		}
		if (sh.sh_type == SHT_SYMTAB)
			f->has_symtab = true;
		if (sh.sh_type == SHT_DYNSYM)
			f->has_dynsym = true;
		const char *name = elf_strptr(f->elf, names, sh.sh_name);
		if (!name)
			continue;
		if (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info"))
			f->has_dwarf = true;
		if (!strcmp(name, ".gnu_debugdata"))
			f->has_minidebug = true;
	}
}

/* Where an open file is: through /proc, which has followed all links; else as it was asked for. */
static char *file_place(int fd, const char *path)
{
	char link[64], real[PATH_MAX];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, real, sizeof(real));
	return n > 0 && n < (ssize_t)sizeof(real) ? strndup(real, (size_t)n) : strdup(path);
}

bool elf_file_open(int fd_, const char *path, enum image_machine machine, struct elf_file *ret)
{
	_cleanup_close_ int fd = fd_;
	struct elf_file f = {0};
	*ret = f;
	if (fd < 0)
		return false;
	if (fstat(fd, &f.st) || !S_ISREG(f.st.st_mode) || f.st.st_size < (off_t)sizeof(Elf32_Ehdr))
		goto no;
	f.size = (uint64_t)f.st.st_size;
	char magic[SELFMAG];
	if (pread(fd, magic, SELFMAG, 0) != SELFMAG || memcmp(magic, ELFMAG, SELFMAG))
		goto no;
	void *map = mmap(NULL, f.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		goto no;
	f.map = map;
	f.path = strdup(path);
	f.real = file_place(fd, path);
	f.elf = elf_memory(map, f.size); /* for reading: it does not write there */
	if (!f.path || !f.real || !f.elf || !elf_file_machine_ok(f.elf, machine))
		goto no;
	const void *id;
	ssize_t len = dwelf_elf_gnu_build_id(f.elf, &id);
	if (len > 0 && len <= BUILD_ID_MAX) {
		memcpy(f.build_id, id, (size_t)len);
		f.build_id_len = (uint32_t)len;
	}
	GElf_Word crc;
	const char *link = dwelf_elf_gnu_debuglink(f.elf, &crc);
	if (link && *link && !strchr(link, '/')) {
		f.debuglink = strdup(link);
		f.debuglink_crc = crc;
	}
	elf_file_sections(&f);
	*ret = f;
	return true;
no:
	elf_file_close(&f);
	return false;
}

void elf_file_close(struct elf_file *f)
{
	if (f->elf)
		elf_end(f->elf);
	if (f->map)
		munmap((void *)f->map, f->size);
	free(f->path);
	free(f->real);
	free(f->debuglink);
	*f = (struct elf_file){0};
}

int elf_file_reopen(const struct elf_file *f)
{
	struct stat st;
	int fd = file_open(f->real);
	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && st.st_dev == f->st.st_dev && st.st_ino == f->st.st_ino &&
	    st.st_size == f->st.st_size && st.st_mtim.tv_sec == f->st.st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == f->st.st_mtim.tv_nsec)
		return fd;
	close(fd);
	return -1;
}

uint32_t elf_file_crc(const struct elf_file *f)
{
	uint32_t table[256];
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t c = i;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		table[i] = c;
	}
	uint32_t crc = ~(uint32_t)0;
	for (uint64_t i = 0; i < f->size; i++)
		crc = table[(crc ^ f->map[i]) & 0xff] ^ crc >> 8;
	return ~crc;
}
