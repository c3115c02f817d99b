"""heaptrack's files: figures against heaptrack_print and heaptrack_interpret, on real recordings."""

import gzip
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import heaptrack
from build import BUILD, TOP, run_compiler
from heapscan import SANITIZED, command, scan

pytestmark = pytest.mark.skipif(not heaptrack.PRESENT, reason="heaptrack is not installed")

PYTHON = """
import json, re
kept = [json.dumps({str(i): [i] * 9}) for i in range(3000)]
names = {re.sub("a", "b", str(i)) for i in range(3000)}
"""
PROGRAMS = {
    "churn": lambda d: [churn(), "60000", "3000"],
    "python": lambda d: ["/usr/bin/python3", "-c", PYTHON.replace("\n", ";").strip(";")],
    "sqlite": lambda d: ["sqlite3", ":memory:",
                         "WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM c LIMIT 9000)"
                         " SELECT count(DISTINCT hex(i)) FROM c"],
    "gdb": lambda d: ["gdb", "-batch", "-nx", "-ex", "info line main", churn()],
    "clang": lambda d: ["clang", "-c", "-O1", "-o", d / "o", TOP / "tests/bench/churn.c"],
}


def churn():
    out = BUILD / "bench" / "churn-traced"
    source = TOP / "tests/bench/churn.c"
    if not out.exists() or out.stat().st_mtime < source.stat().st_mtime:
        out.parent.mkdir(parents=True, exist_ok=True)
        run_compiler(["gcc", "-O1", "-g", "-o", str(out), str(source)])
    return out


@pytest.fixture(scope="module", params=PROGRAMS)
def recorded(request, tmp_path_factory):
    """(raw, interpreted, what the interpreter told) of one program."""
    if SANITIZED and request.param in ("clang", "gdb"):
        pytest.skip("the same code on fewer events will do")
    folder = tmp_path_factory.mktemp(request.param)
    raw = heaptrack.record(folder, *PROGRAMS[request.param](folder))
    interpreted = folder / "interpreted"
    told = heaptrack.interpret(raw, interpreted)
    yield request.param, raw, interpreted, told
    shutil.rmtree(folder)


def test_interpreted(recorded, tmp_path, db_path):
    _, raw, interpreted, told = recorded
    db = scan(interpreted, db_path)
    meta = db.meta()
    theirs = heaptrack.summary(interpreted)
    assert meta["kind"] == "trace"
    assert int(meta["allocations"]) == int(theirs["allocations"]) == told["allocations"]
    # heaptrack_print forgets that 0 is a kind of block, too, and takes some frees of it for temporary.
    wrong = heaptrack.mistaken(interpreted)
    assert int(meta["temporary"]) == int(theirs["temporary"]) - wrong
    assert heaptrack.human(int(meta["peak_bytes"])) == theirs["peak"]
    leaked = int(meta["live_bytes"]) - int(meta["suppressed_bytes"])
    assert heaptrack.human(leaked) == theirs["leaked"]
    # Every call path, not only the first ten.
    for cost, column in (("allocations", "allocations"), ("peak", "peak_bytes"),
                         ("leaked", "live_bytes")):
        mine = heaptrack.own_paths(db, column, leaks=cost == "leaked")
        assert mine == heaptrack.paths(interpreted, cost, tmp_path), cost
    mine = heaptrack.own_paths(db, "temporary")
    their = heaptrack.paths(interpreted, "temporary", tmp_path)
    assert {k: v for k, v in mine.items() if v != their.get(k)} == {} or wrong
    assert sum(their.values()) - sum(mine.values()) == wrong
    db.close()


def test_places(recorded, db_path):
    """heaptrack_print's lists of places, which its top tens are the head of: every row, and the order."""
    _, raw, interpreted, _ = recorded
    with scan(interpreted, db_path) as db:
        for column in heaptrack.TOPS:
            if column == "temporary" and heaptrack.mistaken(interpreted):
                continue
            cost, calls = heaptrack.by_place(db, column)
            write = heaptrack.human if column in ("peak_bytes", "live_bytes") else str
            theirs = heaptrack.top(interpreted, column)
            # More of the allocation functions are none of ours: what they have there is their callers' here.
            folded = sum(n for _, n, place in theirs if heaptrack.is_allocator(place[0]))
            theirs = [row for row in theirs if not heaptrack.is_allocator(row[2][0])]
            more = {place: calls[place] - n for _, n, place in theirs if calls[place] != n}
            assert all(n > 0 for n in more.values()) and sum(more.values()) <= folded, column
            same = [(text, place) for text, _, place in theirs if place not in more]
            assert len(same) >= 1
            assert [text for text, _ in same] == [write(cost[place]) for _, place in same], column
            # The ten biggest are theirs, but for what is counted to callers.
            listed = {place for _, _, place in theirs}
            if not folded:
                assert all(n == 0 or place in listed for place, n in cost.items())
                assert [write(n) for n in sorted(cost.values(), reverse=True)[:10] if n] == \
                    [text for text, _, _ in theirs[:10] if text not in ("0", "0B")], column


def test_raw(recorded, db_path):
    name, raw, interpreted, told = recorded
    db = scan(raw, db_path)
    meta = db.meta()
    plain = heaptrack.Replay(raw)
    assert int(meta["allocations"]) == plain.allocations == told["allocations"]
    assert int(meta["temporary"]) == told["temporary"]
    assert int(meta["live_objects"]) == len(plain.live)
    if not int(meta.get("replaced_blocks", 0)):
        assert len(plain.live) == told["leaked"]
    assert int(meta["peak_bytes"]) == plain.peak
    assert {(a, n) for a, n in db.rows("SELECT address, size FROM object")} == \
        {(a, n) for a, (n, _) in plain.live.items()}
    if name == "churn":
        # Our own program: elfutils' names are libbacktrace's, inlined functions too.
        theirs = scan(interpreted, db_path.with_name("interpreted.db"))
        for column in ("allocations", "temporary", "peak_bytes", "live_bytes"):
            mine, their = (
                {k: v for k, v in heaptrack.own_paths(d, column).items() if any(f.startswith("main ") for f in k)}
                for d in (db, theirs))
            if column != "temporary":  # by address they are fewer
                assert mine == their, column
        theirs.close()
    db.close()


def test_compressed_and_cut(recorded, tmp_path, db_path):
    name, raw, interpreted, _ = recorded
    if name != "gdb":
        pytest.skip("one is enough")
    whole = scan(interpreted, db_path).meta()
    for pack in ("gzip", "zstd"):
        packed = tmp_path / f"x.{pack}"
        with packed.open("wb") as f:
            subprocess.run([pack, "-c", interpreted], check=True, stdout=f)
        meta = scan(packed, db_path).meta()
        assert meta["compression"] == pack
        assert meta["allocations"] == whole["allocations"]
        cut = tmp_path / f"cut.{pack}"
        cut.write_bytes(packed.read_bytes()[:packed.stat().st_size // 2])
        db = scan(cut, db_path)
        assert 0 < int(db.meta()["allocations"]) < int(whole["allocations"])
        assert db.one("SELECT count(*) FROM finding WHERE kind = 'dump-damage'") >= 1
        db.close()
    # Cut within a record: what is left of it is none.
    text = interpreted.read_bytes()
    at = text.rindex(b"\n+ ", 0, len(text) // 2)
    cut.write_bytes(text[:at + 4])
    lines = text[:at + 1].count(b"\n+ ")
    assert int(scan(cut, db_path).meta()["allocations"]) == lines


def test_line_breaks_in_arguments(tmp_path, db_path):
    """The interpreter stops at them; the raw file is whole."""
    raw = heaptrack.record(tmp_path, "/usr/bin/python3", "-c",
                           "x = 1\ns no string\n+ 1 2 3\ni\n".replace("s no", "#").replace(
                               "+ 1 2 3", "+1").replace("\ni\n", "\n") + "y = [str(i) for i in range(999)]")
    meta = scan(raw, db_path).meta()
    plain = heaptrack.Replay(raw)
    assert "x = 1\n" in meta["args"] and "y = [str(i)" in meta["args"]
    assert int(meta["allocations"]) == plain.allocations > 100
    assert meta["warnings"] == ""


def test_sysroot(tmp_path, db_path):
    """Binaries that lie elsewhere now; one of another build in their place is not used."""
    app, root = tmp_path / "app", tmp_path / "root"
    app.mkdir()
    shutil.copy(churn(), app / "churn")
    raw = heaptrack.record(tmp_path, app / "churn", 2000, 100)

    def functions(*options):
        db = scan(raw, db_path, *options)
        found = dict(db.rows("SELECT function, line FROM site WHERE module = ? AND function NOT NULL",
                             str(app / "churn")))
        missing = db.meta().get("missing_files", "").splitlines()
        by_place = db.one("SELECT count(*) FROM site WHERE address IS NOT NULL AND module = ?",
                          str(app / "churn"))
        db.close()
        return found, missing, by_place

    here = functions()
    assert {"main", "churn_once", "fork_path"} <= set(here[0]) and str(app / "churn") not in here[1]
    there = root / str(app).lstrip("/")
    there.mkdir(parents=True)
    (app / "churn").rename(there / "churn")
    found, missing, by_place = functions()
    assert found == {} and str(app / "churn") in missing and by_place > 3
    assert functions("--sysroot", root)[0] == here[0]
    run_compiler(["gcc", "-O0", "-DBIGGER", "-o", str(app / "churn"), str(TOP / "tests/bench/bigheap.c")])
    found, missing, _ = functions()
    assert found == {} and str(app / "churn") in missing


def sized(text):
    return f"{len(text):x} {text}"


def test_what_the_interpreter_cannot_digest(tmp_path, db_path):
    """Very many pairs of size and stack."""
    raw = tmp_path / "pairs.raw"
    with raw.open("w") as f:
        f.write(f"v 10400 3\nx {sized('/bin/none')}\nX none\nI 1000 1000\nm 1 -\n")
        for i in range(500):
            f.write(f"t {0x1000 + i:x} 0\n")
        for i in range(60000):
            f.write(f"+ {1 + i % 256:x} {1 + i * 7 % 500:x} {0x10000 + 512 * i:x}\n")
        for i in range(0, 60000, 3):
            f.write(f"- {0x10000 + 512 * i:x}\n")
    db = scan(raw, db_path)
    expected = {}
    for i in range(60000):
        n = expected.setdefault(0x1000 + i * 7 % 500, [0, 0])
        n[0] += 1
        n[1] += (1 + i % 256) if i % 3 else 0
    assert {a: [n, b] for a, n, b in db.rows(
        "SELECT address, allocations, live_bytes FROM site")} == expected
    assert int(db.meta()["peak_bytes"]) == sum(1 + i % 256 for i in range(60000))


VERSIONS = {
    0: ("v 10000\nX ./a b\ns /bin/a\ns main\ns a.c\ns get it\n"
        "i 1000 1 2 3 a\ni 1100 1 4 3 14\nt 1 0\nt 2 1\n"
        "+ 10 1 aaa0\n+ 20 2 bbb0\n- aaa0\nc 5\n+ 30 2 ccc0\n- ccc0\n- 1230\n"),
    1: ("v 10200\nX ./a b\nI 1000 99\ns /bin/a\ns main\ns a.c\ns get it\n"
        "i 1000 1 2 3 a\ni 1100 1 4 3 14\nt 1 0\nt 2 1\n"
        "a 10 1\n+ 0\na 20 2\n+ 1\n- 0\nc 5\na 30 2\n+ 2\n- 2\n"),
    2: ("v 10202 2\nX ./a b\nI 1000 99\ns /bin/a\ns main\ns a.c\ns get it\n"
        "i 1100 1 4 3 14 2 3 a\nt 1 0\ni 1000 1 2 3 a\nt 2 0\n"
        "a 10 2\n+ 0\na 20 1\n+ 1\n- 0\nc 5\na 30 1\n+ 2\n- 2\n"),
    3: ("v 10400 3\nX ./a b\nI 1000 99\nS 9 leak:nope\ns 6 /bin/a\ns 4 main\ns 3 a.c\ns 6 get it\n"
        "i 1100 1 4 3 14 2 3 a\nt 1 0\ni 1000 1 2 3 a\nt 2 0\n"
        "a 10 2\n+ 0\na 20 1\n+ 1\n- 0\nc 5\na 30 1\n+ 2\n- 2\n"),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_versions(version, tmp_path, db_path):
    trace = tmp_path / "trace"
    trace.write_text(VERSIONS[version])
    db = scan(trace, db_path)
    meta = db.meta()
    assert db.rows("""SELECT p.function, s.function, s.file, s.line, s.module, s.allocations, s.temporary,
                             s.allocated_bytes, s.live_objects, s.live_bytes, s.peak_bytes
                      FROM site s LEFT JOIN site p ON p.id = s.parent_id ORDER BY s.function""") == [
        ("main", "get it", "a.c", 20, "/bin/a", 2, 1, 80, 1, 32, 80),
        (None, "main", "a.c", 10, "/bin/a", 1, 0, 16, 0, 0, 0)]
    assert meta["args"] == "./a b" and meta["format"].endswith(f"version {version}")
    assert (meta["peak_bytes"], meta["peak_time"]) == ("80", "0.005")
    theirs = heaptrack.summary(trace)
    assert (theirs["allocations"], theirs["temporary"], theirs["peak"], theirs["leaked"]) == \
        ("3", "1", "80B", "32B")
    assert meta["warnings"] == "" and "trust_typed_share" not in meta  # not 0: a trace knows no types
    assert meta["unknown_frees"] == ("1" if version == 0 else "0")


def test_newer_version_is_refused(tmp_path):
    trace = tmp_path / "trace"
    trace.write_text("v 20000 4\nX a\n+ 0\n")
    assert "version 4" in command(trace, "-o", tmp_path / "db", status=2).err


def test_suppressions(tmp_path, db_path):
    """Built in, and embedded: with version 3 heaptrack_print itself misses those."""
    trace = tmp_path / "trace"
    lines = ["v 10400 3", "X a", "I 1000 99", "S " + sized("leak:*mine*"), "S " + sized("# no"),
             "s " + sized("main"), "s " + sized("__nss_module_allocate"), "s " + sized("a_mine_b"),
             "i 1 0 1", "i 2 0 2", "i 3 0 3", "t 1 0", "t 2 1", "t 3 1", "t 1 2",
             "a 10 1", "a 20 2", "a 40 3", "a 80 4", "+ 0", "+ 1", "+ 2", "+ 3", "c 1"]
    trace.write_text("\n".join(lines) + "\n")
    db = scan(trace, db_path)
    assert db.meta()["live_bytes"] == str(0xf0)
    assert db.meta()["suppressed_bytes"] == str(0xe0)
    shown = command("leaks", db_path).out
    assert "1 block, 16 B were not freed" in shown and "3 blocks (224 B)" in shown
    assert heaptrack.summary(trace)["leaked"] == "80B"


TRUTH = r"""
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static void *keep[3000];
#define WAY(name, n) __attribute__((noinline)) static void *name(int i) \
	{ void *p = malloc(n + i % 7 * 16); printf("%p " #name "\n", p); return p; }
WAY(first_way, 24) WAY(second_way, 100) WAY(third_way, 5000)
int main(void)
{
	for (int i = 0; i < 3000; i++) {
		keep[i] = i % 3 ? i % 2 ? first_way(i) : second_way(i) : third_way(i);
		if (i % 5 == 4) { free(keep[i - 2]); printf("%p -\n", keep[i - 2]); keep[i - 2] = 0; }
	}
	fflush(stdout);
	/* The recorder's buffer holds the last few events back: let it be these. */
	for (int i = 0; i < 2000; i++)
		if (!malloc(1))
			return 1;
	sleep(600);
}
"""


def test_core_and_trace(tmp_path, db_path):
    """Every live block of the recorder's is found in the core, and the site is who the program says."""
    (tmp_path / "t.c").write_text(TRUTH)
    run_compiler(["gcc", "-g", "-O1", "-fno-builtin-malloc", "-o", str(tmp_path / "t"),
                  str(tmp_path / "t.c")])
    with (tmp_path / "out").open("wb") as out:
        # The script's own child: kill the program, not the script.
        recorder = subprocess.Popen(["heaptrack", "-r", "-o", tmp_path / "raw", tmp_path / "t"],
                                    stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=subprocess.DEVNULL)
        try:
            pid = None
            for _ in range(200):
                time.sleep(0.05)
                found = subprocess.run(["pgrep", "-f", f"^{tmp_path}/t$"], capture_output=True)
                text = (tmp_path / "out").read_text(errors="replace")
                if found.stdout and text.count("_way\n") == 3000:
                    pid = int(found.stdout.split()[0])
                    break
            assert pid
            time.sleep(0.3)  # its writer wakes every 10 ms
            subprocess.run(["gcore", "-o", tmp_path / "core", str(pid)], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        finally:
            if pid:
                os.kill(pid, signal.SIGKILL)
            recorder.wait(timeout=30)
    core, raw = tmp_path / f"core.{pid}", next(tmp_path.glob("raw.raw.*"))
    db = scan(core, db_path, "--trace", raw)
    truth = {}
    for line in text.splitlines():
        word = line.split()
        if len(word) == 2 and word[0].startswith("0x"):
            truth[int(word[0], 16)] = None if word[1] == "-" else word[1]
    truth = {a: f for a, f in truth.items() if f}
    site = dict(db.rows("""SELECT coalesce(o.block, o.address), s.function
                           FROM object o LEFT JOIN site s ON s.id = o.site_id"""))
    recorded = heaptrack.Replay(heaptrack.unpack(raw)).live
    wrong = {hex(a): (f, site.get(a)) for a, f in truth.items() if site.get(a) != f}
    assert not wrong, dict(list(wrong.items())[:9])
    assert set(truth) <= set(recorded)
    assert {hex(a) for a in recorded if a not in site} == set(), "a live block is not in the core"
    assert int(db.meta()["trace_found"]) == len(recorded)
    # A leak says who allocated it.
    assert "first_way" in command("top", db_path, "--by", "site").out
    core.unlink()


@pytest.mark.parametrize("what", ["long", "nul", "utf8", "cycle", "numbers", "deep", "modules"])
def test_hostile(what, tmp_path, db_path):
    trace = tmp_path / "trace"
    head = b"v 10400 3\nX a\nI 1000 99\ns 4 main\ni 1 0 1\nt 1 0\na 10 1\n+ 0\n"
    more = {
        "long": b"s " + b"x" * (100 << 20) + b"\n",
        "nul": b"s 3 a\0b\ni 2 0 2\nt 2 0\na 5 2\n+ 1\n\0\0\0\n",
        "utf8": b"s 3 \xff\xfe\xc3\ni 2 0 2\nt 2 0\na 5 2\n+ 1\n",
        "cycle": b"t 1 2\nt 1 3\nt 1 ffffffff\nt 1 4\na 5 5\n+ 1\n",
        "numbers": b"a ffffffffffffffff 1\n+ 1\n- 1\na -5 1\n+ 2\n+ fffffffff\n- ffffffffff\n- 7\n"
                   b"a 5 99999\n+ 3\nc -3\nc ffffffffffffffff\ni zz\nt 77 77\n+\n-\n+ +\nQ\n",
        # as long a path of calls as there are stacks, all of them malloc
        "deep": b"s 6 malloc\ni 1 0 2\n" + b"".join(
            b"t 2 %x\na 1 %x\n+ %x\n" % (i + 1, i + 2, i + 1) for i in range(50000)),
        "modules": b"".join(b"m 2 /%c %x000 0 2000\n" % (97 + i % 9, i) for i in range(50000)),
    }[what]
    trace.write_bytes(head + more + b"+ 0\nc 5\n")
    db = scan(trace, db_path, memory=600 << 20)
    # What is sound counts.
    if what != "modules":  # with them it is taken for a raw file
        assert db.one("SELECT sum(allocations) FROM site WHERE function = 'main'") >= 2
    if what not in ("utf8", "deep"):
        assert db.one("SELECT count(*) FROM finding WHERE kind = 'dump-damage'") >= 1, what
    command("top", db_path, "--by", "site")
    command("top", db_path, "--format", "folded")
    command("top", db_path, "--by", "function", "--format", "json")


def test_functions_and_folded(tmp_path, db_path):
    """Recursion counts once; skipped frames are their callers'."""
    names = ["main", "walk", "get", "xmalloc"]
    trace = tmp_path / "trace"
    lines = ["v 10400 3", "X a", "I 1000 99", *("s " + sized(n) for n in names),
             *(f"i {k} 0 {k}" for k in range(1, 5)),
             "t 1 0", "t 2 1", "t 2 2", "t 3 3", "t 4 4", "t 4 1",  # main walk walk get xmalloc; main xmalloc
             "a 10 5", "a 3 6", "a 1 2", "+ 0", "+ 0", "+ 1", "+ 2", "c 1"]
    trace.write_text("\n".join(lines) + "\n")
    scan(trace, db_path)
    out = command("top", db_path, "--format", "folded").out.splitlines()
    assert sorted(out) == ["main;walk 1", "main;walk;walk;get;xmalloc 32", "main;xmalloc 3"]
    out = command("top", db_path, "--format", "folded", "--skip-frames", "^(xmalloc|get)$").out
    assert sorted(out.splitlines()) == ["main 3", "main;walk 1", "main;walk;walk 32"]
    out = command("top", db_path, "--format", "folded", "--cost", "allocations",
                  "--skip-frames", "main").out
    assert sorted(out.splitlines()) == ["walk 1", "walk;walk;get;xmalloc 2", "xmalloc 1"]
    import json
    rows = json.loads(command("top", db_path, "--by", "function", "--format", "json").out)["rows"]
    assert {r["function"]: (r["bytes"], r["own_bytes"], r["allocations"]) for r in rows} == {
        "main": (36, 0, 4), "walk": (33, 1, 3), "get": (32, 0, 2), "xmalloc": (35, 35, 3)}


def test_commands_say_what_a_trace_cannot_tell(tmp_path, db_path):
    trace = tmp_path / "trace.gz"
    trace.write_bytes(gzip.compress(VERSIONS[3].encode()))
    done = command(trace, "-o", db_path, "--fail-on", "leaks", status=3)
    assert "3 calls" in done.out and "get it" in done.out
    for name in ("cycles", "refs"):
        assert "allocation trace" in command(name, db_path, status=1).err
    assert "allocation trace" in command("path", db_path, "#1", status=1).err
    assert "allocation trace" in command("top", db_path, "--by", "retained", status=1).err
    assert "get it" in command("show", db_path, "#1").out
    assert "LIVE" in command("memory", db_path).out
    assert "1 block, 32 B were not freed" in command("leaks", db_path).out
    command("top", db_path)
    command("top", db_path, "--by", "size")


def test_massif_of_heaptrack(tmp_path, db_path):
    """heaptrack_print -M: the curve, its unit, and the peak as far as its snapshots have it."""
    out = tmp_path / "massif"
    subprocess.run(["heaptrack_print", "-f", TOP / "sample-dumps" / "ls.heaptrack.zst", "-M", out, "-p0",
                    "-a0", "-T0", "--massif-threshold", "0"], check=True, timeout=120,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    heap = [int(n) for n in re.findall(r"^mem_heap_B=(\d+)", out.read_text(), re.M)]
    with scan(out, db_path) as db:
        meta = db.meta()
        assert int(meta["peak_bytes"]) == max(heap) and meta["time_unit"] == "s"
        assert meta["args"] == "ls /" and "live_bytes" not in meta
        assert db.column("SELECT live_bytes FROM timeline") == heap
        assert db.one("SELECT sum(peak_bytes) FROM site") == max(heap)
