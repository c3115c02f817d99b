"""Every call path of traces recorded here from real programs, against what the recorder's own program, or its own
report, says of that path: memcheck's records, ms_print's tree of the peak, DHAT's points, LeakSanitizer's records,
mtrace's list of blocks. (heaptrack: test_heaptrack.py; jemalloc and gperftools: test_profiles.py.)"""

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

import profiles
from build import run_compiler
from heapscan import SANITIZED, scan

ENV = {**os.environ, "PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0", "LC_ALL": "C", "DEBUGINFOD_URLS": ""}
PERL = ["perl", "-e", 'my %h = map { $_ => [$_, "x" x ($_ % 99)] } 1 .. 300; delete @h{1 .. 99};'
                      ' for (1 .. 20) { my $x = {}; $x->{me} = $x; }']


def run(command, **env):
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
                          env={**ENV, **env})
    return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"no {program}")


def number(text):
    return int(text.replace(",", ""))


def own_paths(db, column, frame=lambda function, line: (function, line)):
    """{frames from the outside in: our figure}"""
    node, found = {}, Counter()
    for i, parent, function, line, own in db.rows(
            f"SELECT id, parent_id, function, line, {column} FROM site ORDER BY id"):
        node[i] = (*node.get(parent, ()), frame(function, line))
        if own:
            found[node[i]] += own
    return found


def valgrind_frame(text):
    """(function, line) of "0x1091E7: chain (traced.c:21)" or "0x1091E7: ??? (in /bin/x)"; None: the recorder's"""
    function, place = re.fullmatch(r"0x[0-9A-F]+: (.*?)(?: \(([^()]*)\))?", text).groups()
    if place and ("vgpreload" in place or "vg_replace_malloc" in place):
        return None
    line = re.search(r":(\d+)$", place or "")
    return None if function == "???" else function, int(line[1]) if line else None


def outside_in(frames):
    """Frames from the inside out, without the recorder's own."""
    while frames and frames[0] is None:
        frames = frames[1:]
    return tuple(reversed(frames))


def check(db, columns):
    """columns: {column: {path: figure}}"""
    for column, theirs in columns.items():
        theirs = {k: v for k, v in theirs.items() if v}
        assert len(theirs) >= 3, column
        assert own_paths(db, column) == theirs, column


KINDS = {"Leak_DefinitelyLost": "definitely lost", "Leak_IndirectlyLost": "indirectly lost",
         "Leak_PossiblyLost": "possibly lost", "Leak_StillReachable": "still reachable"}


def memcheck_text(log):
    bytes_, blocks = Counter(), Counter()
    for size, direct, n, kind, frames in re.findall(
            r"== ([\d,]+) (?:\(([\d,]+) direct, [\d,]+ indirect\) )?bytes in ([\d,]+) blocks are "
            r"(definitely lost|indirectly lost|possibly lost|still reachable) in loss record .*\n"
            r"((?:==\d+==    (?:at|by) .*\n)+)", log):
        path = outside_in([valgrind_frame(f) for f in re.findall(r"(?:at|by) (.*)\n", frames)])
        bytes_[((f"[{kind}]", None), *path)] += number(direct or size)
        blocks[((f"[{kind}]", None), *path)] += number(n)
    return {"live_bytes": bytes_, "live_objects": blocks}


def memcheck_xml(path):
    bytes_, blocks = Counter(), Counter()
    for error in ElementTree.parse(path).iter("error"):
        kind = KINDS.get(error.findtext("kind"))
        if not kind:
            continue
        frames = []
        for f in error.find("stack").iter("frame"):
            own = "vgpreload" in f.findtext("obj", "")
            line = f.findtext("line")
            frames.append(None if own else (f.findtext("fn"), int(line) if line else None))
        what = error.find("xwhat")
        direct = re.search(r"\(([\d,]+) direct", what.findtext("text"))
        key = ((f"[{kind}]", None), *outside_in(frames))
        bytes_[key] += number(direct[1]) if direct else int(what.findtext("leakedbytes"))
        blocks[key] += int(what.findtext("leakedblocks"))
    return {"live_bytes": bytes_, "live_objects": blocks}


@pytest.mark.parametrize("xml", [False, True])
def test_memcheck(xml, tmp_path, db_path):
    """Every loss record, and the summary."""
    need("valgrind", "perl")
    if SANITIZED and xml:
        pytest.skip("the samples will do")
    out = tmp_path / "out"
    how = ["--xml=yes", f"--xml-file={out}"] if xml else [f"--log-file={out}"]
    run(["valgrind", "--leak-check=full", "--show-leak-kinds=all", "--num-callers=40", *how, *PERL])
    with scan(out, db_path) as db:
        theirs = memcheck_xml(out) if xml else memcheck_text(out.read_text())
        check(db, theirs)
        if xml:
            return
        said = re.findall(r"(?:lost|reachable): ([\d,]+) bytes in ([\d,]+) blocks", out.read_text())
        assert len(said) == 4
        meta = db.meta()
        assert int(meta["live_bytes"]) == sum(number(b) for b, _ in said)
        assert int(meta["live_objects"]) == sum(number(n) for _, n in said)


def ms_print_peak(text):
    """[(frames from the inside out, bytes)] of the tree below the peak's row."""
    peak = re.search(r"\[.*?(\d+) \(peak\)", text, re.S)[1]
    tree = re.search(rf"^ +{peak} +[\d,]+ +[\d,]+ .*\n((?:[^ ].*\n|  *\n)+)", text, re.M)[1]
    path, found = [], []
    for line in tree.splitlines():
        m = re.match(r"([| ]*)(->)?[\d.]+% \(([\d,]+)B\) (.*)", line)
        if not m:
            continue
        depth = len(m[1]) // 2 + 1 if m[2] else 0
        del path[max(depth - 1, 0):]
        if " below massif's threshold" in m[4]:
            continue
        if depth:
            path.append(valgrind_frame(m[4]))
        found.append((tuple(path), number(m[3])))
    return found


def test_massif(tmp_path, db_path):
    """Every node of the tree at the peak."""
    need("valgrind", "ms_print", "perl")
    out = tmp_path / "massif.out"
    run(["valgrind", "--tool=massif", "--threshold=0.1", f"--massif-out-file={out}", *PERL])
    theirs = Counter()
    for path, size in ms_print_peak(run(["ms_print", "--threshold=0", out])[0]):
        theirs[path] += size
    assert len(theirs) > 30
    with scan(out, db_path) as db:
        mine = Counter()
        for path, size in own_paths(db, "peak_bytes").items():
            inside_out = tuple(reversed(path))
            for depth in range(len(inside_out) + 1):
                mine[inside_out[:depth]] += size
        assert {p: mine[p] for p in theirs} == dict(theirs)


def test_dhat(tmp_path, db_path):
    """Every figure of every point."""
    need("valgrind", "perl")
    out = tmp_path / "dhat.out"
    run(["valgrind", "--tool=dhat", "--num-callers=30", f"--dhat-out-file={out}", *PERL])
    data = json.loads(out.read_text())
    columns = {"allocated_bytes": "tb", "allocations": "tbk", "live_bytes": "eb", "live_objects": "ebk",
               "peak_bytes": "gb", "lifetime": "tl"}
    theirs = {c: Counter() for c in columns}
    for point in data["pps"]:
        path = outside_in([valgrind_frame(data["ftbl"][i]) for i in point["fs"]])
        for column, key in columns.items():
            theirs[column][path] += point[key]
    with scan(out, db_path) as db:
        check(db, theirs)


LOSER = r"""
#include <stdlib.h>
#define way(name) __attribute__((noinline, noclone)) static void **name(unsigned path, unsigned n) \
	{ void **p = next(path, n); __asm__ volatile("" : : "r"(p)); return p; }
__attribute__((noinline, noclone)) static void **next(unsigned path, unsigned n);
way(first) way(second) way(third) way(fourth)
void **next(unsigned path, unsigned n)
{
	static void **(*const to[])(unsigned, unsigned) = {first, second, third, fourth};
	if (n)
		return to[path % 4](path / 4, n - 1);
	void **p = calloc(1, 32 + path % 3 * 8);
	/* Every other one holds another. */
	if (path % 2)
		*p = malloc(100);
	return p;
}
int main(void)
{
	for (unsigned i = 0; i < 900; i++)
		next(i * 7, 2 + i % 4);
	return 0;
}
"""


def test_lsan(tmp_path, db_path):
    """Every record of a program that loses blocks in some hundred ways."""
    (tmp_path / "x.c").write_text(LOSER)
    run_compiler(["gcc", "-g", "-O1", "-w", "-fno-omit-frame-pointer", "-fsanitize=address", "-o",
                  str(tmp_path / "x"), str(tmp_path / "x.c")])
    _, log = run([tmp_path / "x"], ASAN_OPTIONS="detect_leaks=1")
    theirs = {"live_bytes": Counter(), "live_objects": Counter()}
    for kind, size, n, frames in re.findall(r"(Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object.*\n"
                                            r"((?:    #\d+ .*\n)+)", log):
        path = []
        for function, place in re.findall(r"    #\d+ 0x\w+ (?:in (\S+) )?(.*)\n", frames):
            line = re.search(r":(\d+)(?::\d+)?$", place)
            if not (function or "").startswith("__interceptor_"):
                path.append((function or None, int(line[1]) if line else None))
        key = ((f"[{kind.lower()} leak]", None), *reversed(path))
        theirs["live_bytes"][key] += int(size)
        theirs["live_objects"][key] += int(n)
    (tmp_path / "log").write_text(log)
    with scan(tmp_path / "log", db_path) as db:
        check(db, theirs)
        said = re.search(r"SUMMARY: \w+: (\d+) byte\(s\) leaked in (\d+) alloc", log)
        assert (db.meta()["live_bytes"], db.meta()["live_objects"]) == said.groups()


STARTER = """
#include <mcheck.h>
static __attribute__((constructor)) void begin(void) { mtrace(); }
"""


def test_mtrace(tmp_path, db_path):
    """Block by block what mtrace(1) lists, and the frees of what it does not know."""
    need("mtrace")
    (tmp_path / "s.c").write_text(STARTER)
    run_compiler(["gcc", "-shared", "-fPIC", "-o", str(tmp_path / "s.so"), str(tmp_path / "s.c")])
    log = tmp_path / "log"
    # Nothing is freed at such an exit, and the last line of the log is not whole.
    run(["/usr/bin/python3", "-S", "-c", "import json, os; os._exit(0)"], MALLOC_TRACE=str(log),
        LD_PRELOAD=f"libc_malloc_debug.so.0 {tmp_path / 's.so'}")
    text = log.read_text()
    log.write_text(text[:text.rindex("\n") + 1])
    said = run(["mtrace", log])[0]
    listed = {int(a, 16): (int(n, 16), place) for a, n, place in re.findall(
        r"^0x(\w+) +(?:0x)?(\w+)  at (\S+)", said, re.M)}
    assert len(listed) > 200
    with scan(log, db_path) as db:
        assert dict(db.rows("SELECT address, size FROM object")) == {a: n for a, (n, _) in listed.items()}
        assert int(db.meta()["unknown_frees"]) == said.count("was never alloc'd")
        # A place is one site (a site may be several: a function without lines).
        site = {}
        for address, at in db.rows("SELECT address, site_id FROM object"):
            assert at and site.setdefault(listed[address][1], at) == at


def test_mtrace_lines(tmp_path, db_path):
    """Whose line it is, of a program with symbols."""
    need("mtrace")
    program, log = profiles.program("traced"), tmp_path / "log"
    run([program], MALLOC_TRACE=str(log), LD_PRELOAD="libc_malloc_debug.so.0")
    theirs = Counter()
    for size, place in re.findall(r"^0x\w+ +(?:0x)?(\w+)  at 0x(\w+)$", run(["mtrace", log])[0], re.M):
        # The place is behind the call: mtrace(1) asks for its line, which may be the next one's.
        line = run(["addr2line", "-e", program, f"{int(place, 16) - 1:x}"])[0]
        theirs[int(size, 16), int(re.search(r"traced\.c:(\d+)", line)[1])] += 1
    assert len(theirs) > 5
    with scan(log, db_path) as db:
        assert Counter(db.rows("SELECT o.size, s.line FROM object o JOIN site s ON s.id = o.site_id"
                               " WHERE s.file LIKE '%/traced.c'")) == theirs


JOINED = """
#include <mcheck.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *kept[100];
__attribute__((noinline)) static void *first_way(int i) { return malloc(100 + i * 10); }
__attribute__((noinline)) static void *second_way(int i) { return calloc(3, 40 + i * 900); }
int main(void)
{
	mtrace();
	for (int i = 0; i < 100; i++)
		kept[i] = i % 2 ? first_way(i) : second_way(i);
	for (int i = 0; i < 100; i += 7) {
		free(kept[i]);
		kept[i] = NULL;
	}
	for (int i = 0; i < 100; i++)
		if (kept[i])
			printf("%p %s\\n", kept[i], i % 2 ? "first_way" : "second_way");
	/* The log's buffer holds the last few events back: let it be these. */
	for (int i = 0; i < 300; i++)
		if (!malloc(1))
			return 1;
	puts("ready");
	fflush(stdout);
	pause();
}
"""


@pytest.mark.parametrize("how", ["plain", "relative", "checked"])
def test_mtrace_and_core(how, tmp_path, db_path):
    """The library that mtrace() needs has a malloc of its own, which MALLOC_CHECK_ uses: the blocks of either are
    found in the core, and the log says who allocated them."""
    need("gdb")
    (tmp_path / "t.c").write_text(JOINED)
    run_compiler(["gcc", "-g", "-O1", "-fno-builtin", "-o", str(tmp_path / "t"), str(tmp_path / "t.c")])
    log = tmp_path / "log"
    env = {**ENV, "MALLOC_TRACE": str(log), "LD_PRELOAD": "libc_malloc_debug.so.0"}
    if how == "checked":
        env["MALLOC_CHECK_"] = "3"
    # Called by a relative path, that is how the log names it.
    program = "./t" if how == "relative" else str(tmp_path / "t")
    child = subprocess.Popen([program], env=env, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=tmp_path,
                             text=True)
    try:
        truth = {}
        for line in child.stdout:
            if line == "ready\n":
                break
            address, function = line.split()
            truth[int(address, 16)] = function
        subprocess.run(["gcore", "-o", tmp_path / "core", str(child.pid)], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, capture_output=True, env=ENV)
    finally:
        child.kill()
        child.wait(timeout=30)
        child.stdout.close()
    with scan(tmp_path / f"core.{child.pid}", db_path, "--trace", log) as db:
        site = dict(db.rows("""SELECT coalesce(o.block, o.address), s.function
                               FROM object o LEFT JOIN site s ON s.id = o.site_id"""))
        assert len(truth) == 85 and {a: site.get(a) for a in truth} == truth
        assert int(db.meta()["trace_found"]) == db.one("SELECT sum(live_objects) FROM site")
