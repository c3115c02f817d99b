/*
 * foreign: what a file is that no reader takes, and what to do then. Told by its first bytes, as file(1)
 * would; a guess of text is no more than that.
 */
#include "base/utf8.h"
#include "input/input.h"

#include <string.h>

enum { LOOKED_AT = 4096 };

struct foreign {
	const char *magic;
	uint16_t at, len;
	const char *what;
};

#define MAGIC(text) (text), 0, sizeof(text) - 1

static const char container[] = "an archive; unpack it and give the dump in it";
static const char cut[] =
	"a compressed file that ends too early: nothing comes out of it; copy it again";

static const struct foreign foreigners[] = {
	/* HotSpot src/hotspot/share/services/heapDumper.cpp */
	{MAGIC("JAVA PROFILE "), "a heap dump of Java (hprof); Eclipse MAT or VisualVM read those"},
	/* V8 src/profiler/heap-snapshot-generator.cc, SerializeImpl */
	{MAGIC("{\"snapshot\":"),
	 "a heap snapshot of V8 (Node.js, Chrome); the browser's DevTools read those"},
	/* Breakpad src/google_breakpad/common/minidump_format.h */
	{MAGIC("MDMP"), "a minidump, which has no heap in it; take a whole core file (gcore PID)"},
	/* makedumpfile diskdump_mod.h, kdump-compressed format */
	{MAGIC("KDUMP   "), "a dump of a kernel; crash and drgn read those"},
	{MAGIC("DISKDUMP"), "a dump of a kernel; crash and drgn read those"},
	/* systemd src/libsystemd/sd-journal/journal-def.h */
	{MAGIC("LPKSHHRH"), "a journal of systemd's; its dumps come from: coredumpctl dump PID"},
	{MAGIC("PERFILE2"), "a recording of perf's; perf report reads it"},
	{MAGIC("SQLite format 3"), "a database already"},
	{MAGIC("\xfe\xed\xfa\xcf"), "a Mach-O file (macOS); core files of Linux are read"},
	{MAGIC("\xcf\xfa\xed\xfe"), "a Mach-O file (macOS); core files of Linux are read"},
	{MAGIC("MZ"), "a program of Windows; core files of Linux are read"},
	{MAGIC("PAGEDU64"), "a dump of Windows; core files of Linux are read"},
	{MAGIC("PK\3\4"), container},
	{MAGIC("7z\xbc\xaf\x27\x1c"), container},
	{MAGIC("Rar!"), container},
	{MAGIC("!<arch>\n"), container},
	{"ustar", 257, 5, container}, /* POSIX, pax: ustar Interchange Format */
	/* Only where nothing came out of it. */
	{MAGIC("\x1f\x8b"), cut},
	{MAGIC("\xfd"
	       "7zXZ"),
	 cut},
	{MAGIC("\x28\xb5\x2f\xfd"), cut},
};

static bool is_zero(const uint8_t *data, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		if (data[i])
			return false;
	return true;
}

static bool is_text(const uint8_t *data, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		if (data[i] < 32 && !strchr("\t\n\r\f\033", data[i]))
			return false;
	/* The last character may be cut. */
	uint64_t whole = len;
	while (whole && len - whole < 4 && !utf8_valid((const char *)data, whole))
		whole--;
	return utf8_valid((const char *)data, whole);
}

const char *input_foreign(const struct input_file *in)
{
	for (size_t i = 0; i < sizeof(foreigners) / sizeof(*foreigners); i++) {
		const struct foreign *f = &foreigners[i];
		if (in->size >= (uint64_t)f->at + f->len &&
		    !memcmp(in->data + f->at, f->magic, f->len))
			return f->what;
	}
	uint64_t len = in->size < LOOKED_AT ? in->size : LOOKED_AT;
	if (is_zero(in->data, len))
		return "nothing but zeroes where it begins: it was not written, or not copied, in "
		       "whole";
	if (is_text(in->data, len))
		return "text, of none of the formats of allocation traces that are known; "
		       "--trace-pattern "
		       "REGEX reads the lines of others (README, \"Allocation traces\")";
	return "no core file, and no allocation trace of a format that is known; a core file is "
	       "what the "
	       "kernel or gcore writes (man core)";
}
