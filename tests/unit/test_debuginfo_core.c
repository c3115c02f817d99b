/*
 * Tests of debuginfo on real cores: a small program is compiled, writes down what it knows of its
 * own stack (return addresses, canonical frame addresses), and dumps core; then its binaries are
 * stripped, split, moved, exchanged and removed.
 *
 * Without a compiler, or where the kernel gives cores to another program, they are skipped.
 */
#include "base/cleanup.h"
#include "base/damage.h"
#include "base/log.h"
#include "debuginfo/debuginfo.h"
#include "input/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "assert_ok.h"

/*
 * argv[1]: where to write the truth; argv[2]: how to end. For each of its functions, outermost
 * last: name, canonical frame address, the address that it will return to.
 */
static const char victim[] =
	"#include <errno.h>\n#include <fcntl.h>\n#include <pthread.h>\n#include <signal.h>\n"
	"#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n"
	"#include <semaphore.h>\n"
	"int a_global = 42; int a_table[100] = {1};\n"
	"static volatile int sink; static FILE *truth; static const char *how;\n"
	"static volatile int *nowhere; static sem_t ready, never;\n"
	"#define TELL(name) do { fprintf(truth, \"%s %lx %lx\\n\", name, "
	"(unsigned long)__builtin_dwarf_cfa(), (unsigned long)__builtin_return_address(0)); "
	"} while (0)\n"
	"#define NOINLINE __attribute__((noinline, noclone))\n"
	"static NOINLINE void handler(int sig) { TELL(\"handler\"); fclose(truth); abort(); "
	"sink = sig; }\n"
	"static NOINLINE int innermost(int n) { TELL(\"innermost\"); fflush(truth);\n"
	"  if (!strcmp(how, \"abort\") || !strcmp(how, \"thread\")) abort();\n"
	"  if (!strcmp(how, \"null\")) { void (*f)(void) = (void (*)(void))(long)nowhere; f(); }\n"
	"  *nowhere = n; return n + sink; }\n"
	"static NOINLINE int middle(int n) { TELL(\"middle\"); volatile char room[3000]; "
	"room[n] = 1; int r = innermost(n + room[n]); sink += r; return r + room[1]; }\n"
	"NOINLINE int outer(int n) { TELL(\"outer\"); char *p = __builtin_alloca(n * 100); "
	"memset(p, n, n * 100); int r = middle(n); sink += p[5]; return r + p[3]; }\n"
	"static void *worker(void *arg) { sem_post(&ready); sem_wait(&never); return arg; }\n"
	"int main(int argc, char **argv) { if (argc < 3) return 1; truth = fopen(argv[1], \"w\"); "
	"how = argv[2];\n"
	"  static char stack[65536]; stack_t ss = {.ss_sp = stack, .ss_size = sizeof(stack)};\n"
	"  if (!strcmp(how, \"altstack\")) sigaltstack(&ss, 0);\n"
	"  struct sigaction sa = {.sa_handler = handler}; "
	"if (!strcmp(how, \"altstack\")) sa.sa_flags = SA_ONSTACK;\n"
	"  if (!strcmp(how, \"altstack\") || !strcmp(how, \"signal\")) "
	"sigaction(SIGSEGV, &sa, 0);\n"
	"  if (!strcmp(how, \"thread\")) { pthread_t t; sem_init(&ready, 0, 0); "
	"sem_init(&never, 0, 0); pthread_create(&t, 0, worker, 0); sem_wait(&ready); "
	"usleep(20000); }\n"
	"  TELL(\"main\"); int r = outer(argc); sink = r; return r + a_global + a_table[r & 7]; "
	"}\n";

static char dir[] = "/tmp/heapscan-test-XXXXXX";
static char *core_path;

#define run(...) run_(dir, __VA_ARGS__, (char *)NULL)

/* A program in the test's folder; its exit status. */
static int run_(const char *where, const char *prog, ...)
{
	char *argv[32] = {(char *)prog};
	va_list ap;
	va_start(ap, prog);
	for (unsigned n = 1; n < 31 && (argv[n] = va_arg(ap, char *)); n++)
		;
	va_end(ap);
	fflush(NULL);
	pid_t pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDWR);
		struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
		if (chdir(where) || dup2(null, 1) < 0 || dup2(null, 2) < 0)
			_exit(126);
		setrlimit(RLIMIT_CORE, &unlimited);
		execvp(prog, argv);
		_exit(127);
	}
	int status = -1;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static char *in_dir(const char *name)
{
	char *path;
	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	_cleanup_free_ char *source = in_dir("v.c");
	FILE *f = fopen(source, "w");
	if (!f)
		return -1;
	fputs(victim, f);
	core_path = in_dir("core");
	return fclose(f);
}

static int teardown(void **state)
{
	(void)state;
	free(core_path);
	return run_("/", "rm", "-rf", dir, (char *)NULL);
}

/* Compiles to `name`; false: cannot be done here. */
static bool compile(const char *name, const char *flag1, const char *flag2, const char *flag3)
{
	return !run("cc", "-o", name, "-w", "-Wl,--build-id", "v.c", "-pthread", flag1, flag2,
		    flag3);
}

static void dump_core(const char *name, const char *how)
{
	/* A pid may be part of the name, core_uses_pid. */
	run("sh", "-c", "rm -f core core.*");
	char *exe = in_dir(name);
	run(exe, "truth", how);
	run("sh", "-c", "test -e core || mv core.* core");
	/* Where the kernel writes none (a limit, a core_pattern that is a program), gdb does. */
	if (access(core_path, R_OK))
		run("gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex",
		    "set startup-with-shell off", "-ex", "run", "-ex", "generate-core-file core",
		    "-ex", "kill", "--args", exe, "truth", how);
	free(exe); /* skip() does not come back */
	if (access(core_path, R_OK))
		skip();
}

struct frame_truth {
	char name[32];
	uint64_t cfa, ret;
};

struct world {
	struct log log;
	struct damage_log damage;
	struct input_file in;
	struct image *img;
	struct debuginfo *di;
	struct frame_truth truth[8];
	unsigned ntruth;
};

static void open_core(struct world *w, const struct debuginfo_options *opt)
{
	memset(w, 0, sizeof(*w));
	log_init(&w->log, LOG_ERROR);
	assert_ok(input_open(core_path, &(struct input_options){0}, &w->log, &w->in));
	const struct input_format *format = input_format_find(&w->in);
	assert_non_null(format);
	assert_ok(format->read_image(&w->in, &w->damage, &w->log, &w->img));
	assert_ok(image_find_modules(w->img));
	assert_ok(debuginfo_create(w->img, opt, &w->log, &w->di));
	_cleanup_free_ char *path = in_dir("truth");
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	while (w->ntruth < 8 && fscanf(f, "%31s %" SCNx64 " %" SCNx64, w->truth[w->ntruth].name,
				       &w->truth[w->ntruth].cfa, &w->truth[w->ntruth].ret) == 3)
		w->ntruth++;
	fclose(f);
	assert_true(w->ntruth >= 4);
}

static void close_core(struct world *w)
{
	image_destroy(w->img);
	debuginfo_destroy(w->di);
	input_close(&w->in);
	damage_deinit(&w->damage);
}

static uint32_t exe_id(const struct world *w)
{
	for (uint32_t id = 1; id <= w->img->nmodule; id++)
		if (image_module_get(w->img, id)->is_exe)
			return id;
	fail_msg("no executable among %u modules", w->img->nmodule);
	return 0;
}

/*
 * Frames of the thread that dumped must hold the truth's, in order; by unwind information, or,
 * where there is none, by a chain of frame pointers.
 */
static void check_frames_are(struct world *w, bool names, bool certain)
{
	struct debuginfo_frame frame[64];
	unsigned n;
	assert_ok(debuginfo_unwind(w->di, &w->img->thread[0], frame, 64, &n));
	if (getenv("SHOW_FRAMES"))
		for (unsigned i = 0; i < n; i++) {
			struct debuginfo_symbol s = {.name = "?"};
			debuginfo_symbol_at(w->di, frame[i].pc, &s);
			printf("#%u %" PRIx64 " sp %" PRIx64 " cfa %" PRIx64 " %d %s\n", i,
			       frame[i].pc, frame[i].sp, frame[i].cfa, frame[i].certain, s.name);
		}
	unsigned at = 0;
	for (unsigned t = w->ntruth; t-- > 0;) { /* innermost is last in the file */
		const struct frame_truth *want = &w->truth[t];
		while (at < n && frame[at].cfa != want->cfa)
			at++;
		if (at == n)
			fail_msg("no frame of %s, whose cfa is %" PRIx64, want->name, want->cfa);
		assert_int_equal(frame[at].certain, certain);
		assert_true(at + 1 < n);
		/* A handler returns to a trampoline, which nobody called. */
		bool handler = !strcmp(want->name, "handler");
		assert_int_equal(frame[at + 1].pc, want->ret - !handler);
		if (names) {
			struct debuginfo_symbol s;
			assert_true(debuginfo_symbol_at(w->di, frame[at].pc, &s));
			char name[64]; /* gcc splits functions: "innermost.cold" */
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(s.name, "."), s.name);
			assert_string_equal(name, want->name);
			assert_false(s.is_object);
		}
		at++;
	}
	for (unsigned i = 1; i < n; i++)
		assert_true(frame[i].sp >= frame[i - 1].cfa || !frame[i - 1].cfa);
}

static void check_frames(struct world *w, bool names)
{
	check_frames_are(w, names, true);
}

/* Every word that was lent is the file's. */
static void check_truth_of_pages(const struct world *w)
{
	for (uint32_t i = 0; i < w->img->nspan; i++) {
		const struct image_span *s = &w->img->span[i];
		if (s->origin != SPAN_BINARY)
			continue;
		const struct image_segment *seg = image_segment_find(w->img, s->start);
		assert_non_null(seg);
		assert_non_null(seg->name);
		_cleanup_close_ int fd = open(seg->name, O_RDONLY);
		if (fd < 0)
			continue;
		uint8_t there[4096];
		uint64_t len = s->end - s->start < 4096 ? s->end - s->start : 4096;
		uint64_t at = seg->file_offset + (s->start - seg->start);
		assert_int_equal(pread(fd, there, len, (off_t)at), len);
		assert_memory_equal(there, s->data, len);
	}
}

static const struct debuginfo_options plain = {0};

static void check_ways_to_die(const struct debuginfo_options *opt, bool pages)
{
	static const char *const how[] = {"abort", "crash", "signal", "altstack", "null", "thread"};
	for (unsigned i = 0; i < sizeof(how) / sizeof(*how); i++) {
		dump_core("v", how[i]);
		struct world w;
		open_core(&w, opt);
		if (getenv("SHOW_FRAMES"))
			printf("-- %s\n", how[i]);
		check_frames(&w, true);
		if (pages)
			check_truth_of_pages(&w);
		close_core(&w);
	}
}

static void check_kind(const char *flag1, const char *flag2, const char *flag3)
{
	if (!compile("v", flag1, flag2, flag3))
		skip();
	check_ways_to_die(&plain, true);
}

static void test_unwind_pie_O2(void **state)
{
	(void)state;
	check_kind("-O2", "-g", "-fPIE");
}

static void test_unwind_no_pie_O0(void **state)
{
	(void)state;
	check_kind("-O0", "-no-pie", "-g0");
}

static void test_unwind_static(void **state)
{
	(void)state;
	check_kind("-O2", "-static", "-g0");
}

static void test_unwind_static_pie(void **state)
{
	(void)state;
	check_kind("-O2", "-static-pie", "-g0");
}

static void test_unwind_debug_frame(void **state)
{
	(void)state;
	check_kind("-O2", "-g", "-fno-asynchronous-unwind-tables");
}

/* Its own way to begin a stack would make main's frame begin elsewhere than gcc says. */
static void test_unwind_i386(void **state)
{
	(void)state;
	if (run("i686-linux-gnu-gcc", "-o", "v", "-w", "-O2", "-static",
		"-mpreferred-stack-boundary=2", "v.c", "-pthread"))
		skip();
	check_ways_to_die(&plain, true);
}

/* Under qemu-user, whose cores name no mapping and no path: the executable must be given. */
static void test_unwind_aarch64(void **state)
{
	(void)state;
	if (run("aarch64-linux-gnu-gcc", "-o", "va", "-w", "-O2", "-static", "v.c", "-pthread") ||
	    run("sh", "-c",
		"printf '#!/bin/sh\nqemu-aarch64 ./va \"$@\"\nrm -f core*\nmv "
		"qemu_*.core core\n' > v; chmod +x v; qemu-aarch64 --version"))
		skip();
	_cleanup_free_ char *exe = in_dir("va");
	check_ways_to_die(&(struct debuginfo_options){.exe = exe}, false);
}

static void test_symbols(void **state)
{
	(void)state;
	assert_true(compile("v", "-O1", "-g", "-no-pie"));
	dump_core("v", "thread");
	struct world w;
	open_core(&w, &plain);
	uint32_t exe = exe_id(&w);
	const struct debuginfo_module *m = debuginfo_module(w.di, exe);
	assert_int_equal(m->state, MODULE_FILE_FOUND);
	assert_string_equal(m->symbols, "symtab");
	assert_true(m->symtab);
	struct debuginfo_symbol s, t;
	assert_true(debuginfo_symbol_find(w.di, exe, "a_table", &s));
	assert_int_equal(s.size, 400);
	assert_true(s.is_object);
	for (uint64_t at = 0; at < 400; at += 7) {
		assert_true(debuginfo_symbol_at(w.di, s.start + at, &t));
		assert_string_equal(t.raw, "a_table");
		assert_int_equal(t.start, s.start);
	}
	uint32_t v;
	assert_true(image_try_u32(w.img, s.start, &v));
	assert_int_equal(v, 1);
	assert_true(debuginfo_symbol_find(w.di, 0, "outer", &s));
	assert_int_equal(s.module_id, exe);
	const char *file;
	uint32_t line;
	assert_true(debuginfo_line_at(w.di, s.start, &file, &line));
	assert_non_null(strstr(file, "v.c"));
	assert_true(line > 10);
	/* .bss is a mapping of its own, without a name. */
	assert_true(debuginfo_symbol_find(w.di, exe, "sink", &s));
	assert_true(debuginfo_symbol_at(w.di, s.start + 3, &t));
	assert_string_equal(t.raw, "sink");
	assert_false(debuginfo_symbol_find(w.di, 0, "no such symbol", &s));
	assert_false(debuginfo_symbol_at(w.di, 1, &s));
	/* libc is stripped: its .dynsym. */
	assert_true(debuginfo_symbol_find(w.di, 0, "malloc", &s));
	assert_int_not_equal(s.module_id, exe);
	assert_true(debuginfo_symbol_at(w.di, s.start + 1, &t));
	assert_string_equal(t.raw, "malloc");
	uint32_t n;
	debuginfo_missing(w.di, &n);
	assert_int_equal(n, 0);
	/* The other thread waits in libc, below worker(). */
	assert_int_equal(w.img->nthread, 2);
	struct debuginfo_frame frame[32];
	unsigned frames;
	bool found = false;
	assert_ok(debuginfo_unwind(w.di, &w.img->thread[1], frame, 32, &frames));
	for (unsigned i = 0; i < frames; i++)
		found |= debuginfo_symbol_at(w.di, frame[i].pc, &s) && !strcmp(s.raw, "worker");
	assert_true(found);
	assert_ok(debuginfo_unwind(w.di, &w.img->thread[1], frame, 2, &frames));
	assert_int_equal(frames, 2);
	close_core(&w);
}

/* Without .debug_aranges, as clang leaves it. */
static void test_lines_by_unit(void **state)
{
	(void)state;
	assert_true(compile("v", "-O1", "-g", "-no-pie"));
	if (run("objcopy", "--remove-section=.debug_aranges", "v"))
		skip();
	dump_core("v", "abort");
	struct world w;
	open_core(&w, &plain);
	struct debuginfo_symbol s;
	const char *file;
	uint32_t line;
	assert_true(debuginfo_symbol_find(w.di, 0, "outer", &s));
	assert_true(debuginfo_line_at(w.di, s.start, &file, &line));
	assert_non_null(strstr(file, "v.c"));
	close_core(&w);
}

/* Opens with `opt`, expects the state and source of symbols of the executable. */
static void expect(const struct debuginfo_options *opt, enum module_file_state state,
		   const char *symbols, bool names)
{
	struct world w;
	open_core(&w, opt);
	const struct debuginfo_module *m = debuginfo_module(w.di, exe_id(&w));
	assert_int_equal(m->state, state);
	assert_string_equal(m->symbols, symbols);
	struct debuginfo_symbol s;
	assert_int_equal(debuginfo_symbol_find(w.di, 0, "middle", &s), names);
	uint32_t n;
	debuginfo_missing(w.di, &n);
	assert_int_equal(n, state == MODULE_FILE_DIFFERS || state == MODULE_FILE_MISSING);
	assert_int_equal(w.damage.count[DAMAGE_MISSING] + w.damage.count[DAMAGE_BINARY], n);
	if (state == MODULE_FILE_FOUND || state == MODULE_FILE_UNCHECKED)
		check_frames(&w, names);
	close_core(&w);
}

static void test_debug_files(void **state)
{
	(void)state;
	assert_true(compile("v", "-O2", "-g", "-fPIE"));
	if (run("objcopy", "--only-keep-debug", "v", "v.debug") || run("strip", "v"))
		skip();
	dump_core("v", "abort");
	expect(&plain, MODULE_FILE_FOUND, "dynsym", false);

	assert_int_equal(run("objcopy", "--add-gnu-debuglink=v.debug", "v"), 0);
	expect(&plain, MODULE_FILE_FOUND, "debug file", true);
	run("mkdir", ".debug");
	run("mv", "v.debug", ".debug/v.debug");
	expect(&plain, MODULE_FILE_FOUND, "debug file", true);
	/* Another file by that name, with another build id, is none. */
	run("sh", "-c", "mv .debug/v.debug kept; cc -o .debug/v.debug -O1 -g -Wl,--build-id v.c");
	expect(&plain, MODULE_FILE_FOUND, "dynsym", false);
	run("rm", "-r", ".debug");

	/* By build id, below a sysroot. */
	assert_int_equal(run("sh", "-c",
			     "id=$(readelf -n v | sed -n 's/.*Build ID: //p');"
			     "d=root/usr/lib/debug/.build-id/$(echo $id | cut -c1-2);"
			     "mkdir -p $d && mv kept $d/$(echo $id | cut -c3-).debug"),
			 0);
	_cleanup_free_ char *root = in_dir("root");
	const char *roots[] = {"/nowhere/at/all", root};
	struct debuginfo_options opt = {.sysroot = roots, .nsysroot = 2};
	expect(&opt, MODULE_FILE_FOUND, "debug file", true);

	/* The binary is gone: names stay, pages do not. */
	run("mv", "v", "gone");
	expect(&opt, MODULE_FILE_MISSING, "debug file", true);
	run("rm", "-r", "root");
}

static void test_debuglink_crc(void **state)
{
	(void)state;
	if (run("cc", "-o", "v", "-w", "-O2", "-g", "-Wl,--build-id=none", "v.c", "-pthread") ||
	    run("objcopy", "--only-keep-debug", "v", "v.debug") ||
	    run("objcopy", "--strip-all", "--add-gnu-debuglink=v.debug", "v"))
		skip();
	dump_core("v", "abort");
	expect(&plain, MODULE_FILE_UNCHECKED, "debug file", true);
	run("sh", "-c", "printf x >> v.debug");
	expect(&plain, MODULE_FILE_UNCHECKED, "dynsym", false);
	/* No build ids, and the program headers are others. */
	run("cc", "-o", "v", "-w", "-O0", "-Wl,--build-id=none", "-static", "v.c", "-pthread");
	expect(&plain, MODULE_FILE_DIFFERS, "none", false);
}

static void test_minidebuginfo(void **state)
{
	(void)state;
	assert_true(compile("v", "-O2", "-g0", "-fPIE"));
	if (run("sh", "-c",
		"cp v full && strip v && objcopy -S --remove-section .gdb_index"
		" --remove-section .comment --keep-symbols=/dev/null full mini 2>/dev/null;"
		"nm full | awk '$2==\"t\"||$2==\"T\" {print $3}' > keep &&"
		"objcopy --only-keep-debug full dbg &&"
		"objcopy -S --keep-symbols=keep dbg mini && rm -f mini.xz && xz mini &&"
		"objcopy --add-section .gnu_debugdata=mini.xz v"))
		skip();
	dump_core("v", "abort");
	expect(&plain, MODULE_FILE_FOUND, "minidebuginfo", true);
}

static void test_moved(void **state)
{
	(void)state;
	assert_true(compile("v", "-O2", "-g0", "-fPIE"));
	dump_core("v", "abort");
	run("mv", "v", "moved");
	expect(&plain, MODULE_FILE_MISSING, "none", false);
	_cleanup_free_ char *moved = in_dir("moved");
	expect(&(struct debuginfo_options){.exe = moved}, MODULE_FILE_FOUND, "symtab", true);
	/* A sysroot: by path, through links that are absolute there. */
	_cleanup_free_ char *root = in_dir("root");
	const char *roots[] = {root};
	struct debuginfo_options opt = {.sysroot = roots, .nsysroot = 1};
	_cleanup_free_ char *script = NULL;
	assert_true(asprintf(&script,
			     "mkdir -p root%s root/real && cp moved root/real/v &&"
			     "ln -s /real/../../../real/v root%s/v",
			     dir, dir) > 0);
	assert_int_equal(run("sh", "-c", script), 0);
	expect(&opt, MODULE_FILE_FOUND, "symtab", true);
	/* By its base name. */
	run("sh", "-c", "rm -rf root && mkdir root && cp moved root/v");
	expect(&opt, MODULE_FILE_FOUND, "symtab", true);
	/* By build id. */
	run("sh", "-c",
	    "rm root/v; id=$(readelf -n moved | sed -n 's/.*Build ID: //p');"
	    "d=root/.build-id/$(echo $id | cut -c1-2); mkdir -p $d;"
	    "cp moved $d/$(echo $id | cut -c3-)");
	expect(&opt, MODULE_FILE_FOUND, "symtab", true);
	run("rm", "-r", "root");
	/* A pipe in its place is neither waited for nor read. */
	run("mkfifo", "v");
	expect(&plain, MODULE_FILE_MISSING, "none", false);
	run("rm", "v");
	/* Another build. */
	assert_true(compile("v", "-O0", "-g0", "-fPIE"));
	expect(&plain, MODULE_FILE_DIFFERS, "none", false);
	expect(&(struct debuginfo_options){.exe = moved}, MODULE_FILE_FOUND, "symtab", true);
}

/* Servers are asked when the user says so, never else; one that says nothing is waited for once. */
static void test_debuginfod(void **state)
{
	(void)state;
	assert_true(compile("v", "-O2", "-g0", "-fPIE"));
	dump_core("v", "abort");
	if (run("sh", "-c",
		"id=$(readelf -n v | sed -n 's/.*Build ID: //p');"
		"mkdir -p served/buildid/$id && mv v served/buildid/$id/executable"))
		skip();
	_cleanup_free_ char *served = in_dir("served"), *cache = in_dir("cache"), *url = NULL;
	assert_true(asprintf(&url, "file://%s", served) > 0);
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("DEBUGINFOD_CACHE_PATH", cache, 1);
	expect(&plain, MODULE_FILE_MISSING, "none", false);
	assert_int_equal(access(cache, F_OK), -1);

	const struct debuginfo_options ask = {.debuginfod = true, .debuginfod_seconds = 1};
	struct world w;
	open_core(&w, &ask);
	bool found = debuginfo_module(w.di, exe_id(&w))->state == MODULE_FILE_FOUND;
	if (found)
		check_frames(&w, true);
	close_core(&w);
	run("rm", "-rf", "cache");

	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(here);
	assert_true(server >= 0);
	if (found && !bind(server, (struct sockaddr *)&here, len) && !listen(server, 8) &&
	    !getsockname(server, (struct sockaddr *)&here, &len)) {
		free(url);
		assert_true(asprintf(&url, "http://127.0.0.1:%u/", ntohs(here.sin_port)) > 0);
		setenv("DEBUGINFOD_URLS", url, 1);
		time_t start = time(NULL);
		expect(&ask, MODULE_FILE_MISSING, "none", false);
		assert_true(time(NULL) - start < 20);
	}
	close(server);
	unsetenv("DEBUGINFOD_URLS");
	unsetenv("DEBUGINFOD_CACHE_PATH");
	if (!found)
		skip(); /* no libdebuginfod here */
}

/* A dump that has everything needs no binaries to unwind. */
static void test_full_dump(void **state)
{
	(void)state;
	assert_true(compile("v", "-O2", "-rdynamic", "-fPIE"));
	run("sh", "-c", "cp v kept");
	run("sh", "-c",
	    "rm -f core core.*; echo 0x7f > /proc/self/coredump_filter;"
	    "ulimit -c unlimited; ./v truth abort; test -e core || mv core.* core");
	if (access(core_path, R_OK))
		skip();
	run("rm", "v");
	struct world w;
	open_core(&w, &plain);
	uint32_t exe = exe_id(&w);
	assert_int_equal(debuginfo_module(w.di, exe)->state, MODULE_FILE_MISSING);
	assert_string_equal(debuginfo_module(w.di, exe)->symbols, "dynsym");
	struct debuginfo_symbol s;
	assert_true(debuginfo_symbol_find(w.di, 0, "outer", &s));
	assert_int_equal(s.module_id, exe);
	check_frames(&w, false);
	close_core(&w);
}

/* Neither binary nor its unwind information: what frame pointers tell, and that it is a guess. */
static void test_frame_pointers(void **state)
{
	(void)state;
	assert_true(compile("v", "-O1", "-fno-omit-frame-pointer", "-fno-optimize-sibling-calls"));
	dump_core("v", "crash");
	run("rm", "v");
	struct world w;
	open_core(&w, &plain);
	check_frames_are(&w, false, false);
	close_core(&w);
}

/* A dump that was cut: whatever is left is used, nothing is taken for what it is not. */
static void test_cut_dump(void **state)
{
	(void)state;
	assert_true(compile("v", "-O2", "-g", "-fPIE"));
	dump_core("v", "thread");
	struct stat st;
	assert_int_equal(stat(core_path, &st), 0);
	for (unsigned part = 0; part < 8; part++) {
		if (part)
			assert_int_equal(truncate(core_path, st.st_size * (8 - part) / 8), 0);
		struct world w;
		open_core(&w, &plain);
		for (uint32_t i = 0; i < w.img->nspan; i++) {
			const struct image_span *s = &w.img->span[i];
			const struct image_segment *seg = image_segment_find(w.img, s->start);
			if (w.img->truncated && s->origin == SPAN_BINARY)
				assert_false(seg->perms & PERM_W);
		}
		for (uint32_t i = 0; i < w.img->nthread; i++) {
			struct debuginfo_frame frame[64];
			unsigned n;
			assert_ok(debuginfo_unwind(w.di, &w.img->thread[i], frame, 64, &n));
			assert_true(n >= 1);
		}
		close_core(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unwind_pie_O2),
		cmocka_unit_test(test_unwind_no_pie_O0),
		cmocka_unit_test(test_unwind_static),
		cmocka_unit_test(test_unwind_static_pie),
		cmocka_unit_test(test_unwind_debug_frame),
		cmocka_unit_test(test_unwind_i386),
		cmocka_unit_test(test_unwind_aarch64),
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_lines_by_unit),
		cmocka_unit_test(test_debug_files),
		cmocka_unit_test(test_debuglink_crc),
		cmocka_unit_test(test_minidebuginfo),
		cmocka_unit_test(test_moved),
		cmocka_unit_test(test_full_dump),
		cmocka_unit_test(test_debuginfod),
		cmocka_unit_test(test_frame_pointers),
		cmocka_unit_test(test_cut_dump),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
