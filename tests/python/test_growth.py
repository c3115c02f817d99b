"""Growth: programs that know what they add, and where, leave a core after each round (of a fork, so that the
addresses are the same). What they add is the first line of `diff`; what only comes and goes is not there."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import build as builder  # noqa: E402
import dump as dumper  # noqa: E402
from heapscan import command  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "growth.py"
SOURCES = builder.PROGRAMS / "growth"
KNOWN = [i for i in interpreters()
         if (2, 7) < i.version <= (3, 13) and i.word == 8 and not (i.free_threaded or i.debug)]
# The system's own; where only those of other suites are asked for, the newest of them.
DEBIAN = next((i for i in interpreters() if i.path.parts[:2] == ("/", "usr")), KNOWN[-1] if KNOWN else None)
SHORT = bool(os.environ.get("SHORT"))
EACH_PYTHON, EACH_C = 3000, 2000


def read(core, db):
    """What scan does, without its proofs: other tests have them."""
    command(core, "-o", db)
    core.unlink()


def rounds(folder, program, args, n):
    """Databases of the cores that n rounds left, oldest first."""
    folder.mkdir(parents=True)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    subprocess.run([str(a) for a in [*program, *args, n]], cwd=folder, env={**env, "PYTHONHASHSEED": "1"},
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False,
                   preexec_fn=dumper._child(folder / "truth", None))
    made = []
    for i in range(n):
        cores = [f for f in (folder / f"dump{i}").glob("*") if dumper._elf_head(f)]
        if len(cores) != 1:
            pytest.skip("the kernel leaves no cores in the current folder")
        read(cores[0], folder / f"{i}.db")
        made.append(folder / f"{i}.db")
    return made


def diff(*dbs, status=0, args=()):
    return json.loads(command("diff", *dbs, "--format", "json", "--limit", "0", *args, status=status).out)


# ---- Python ----

# grower: its path; the objects that it adds there
PYTHON = {
    "cache": ("__main__.CACHE['sessions'][*]", EACH_PYTHON),
    "queue": ("__main__.QUEUE", EACH_PYTHON),
    "set": ("__main__.SEEN", EACH_PYTHON),
    "table": ("__main__.TABLE[*]", EACH_PYTHON),
    "chain": ("__main__.HEAD.next*", EACH_PYTHON),
    "default": ("__main__.remember.__defaults__[*]", EACH_PYTHON),
    "closure": ("__main__.counter.<locals>.count.__closure__[*].cell_contents[*]", EACH_PYTHON),
    "ends": ("__main__.ENDS.first.next*", EACH_PYTHON),
    "class": ("__main__.Registry.instances[*]", EACH_PYTHON),
    "nothing": ("__main__.NOTHING", 0),
}


@pytest.mark.parametrize("grower", ["cache"] if SHORT else ["cache", "closure", "ends", "nothing"])
def test_python(grower, tmp_path):
    check_python(DEBIAN, grower, tmp_path)


@pytest.mark.parametrize("interpreter", KNOWN[-1:] if SHORT else KNOWN,
                         ids=str)
def test_versions(interpreter, tmp_path):
    """All growers at a time: each has its line, with what it added, and those are the first."""
    out = diff(*rounds(tmp_path / "run", [*interpreter.command, PROGRAM], ["all"], 2))
    for path, objects in PYTHON.values():
        found = [r["objects"] for r in out["paths"][:20] if r["path"].startswith(path)]
        assert objects in found, (path, out["paths"][:20])


def check_python(interpreter, grower, folder):
    dbs = rounds(folder / "run", [*interpreter.command, PROGRAM], [grower], 2)
    out = diff(*dbs)
    path, objects = PYTHON[grower]
    first = out["paths"][0]
    assert first["path"].startswith(path), out["paths"][:3]
    # a set's table may weigh more than its members
    assert objects in [r["objects"] for r in out["paths"] if r["path"].startswith(path)], out["paths"]
    # what fluctuates comes after it, and is less
    others = sum(r["bytes"] for r in out["paths"] if not r["path"].startswith(path.rstrip("[*]")))
    assert others < first["bytes"] or grower == "nothing", out["paths"]
    # the sets agree with the totals; a large table may have grown where it is
    growth = out["new_bytes"] - out["old_bytes"]
    assert out["new_set_bytes"] - out["gone_set_bytes"] + out["grew_set_bytes"] == growth
    # members, keys and the container's own table are one line
    assert len([r for r in out["paths"] if r["path"].startswith(path)]) == 1, out["paths"]
    if grower in ("cache", "table", "class"):
        member = out["containers"][0]
        assert member["members"] == EACH_PYTHON
        assert member["path"] == path.removesuffix("[*]")
        holder = out["holders"][0]
        assert holder["path"] == member["path"]
        assert holder["objects"] >= EACH_PYTHON


def balanced(db):
    """Every object is in one row of `retention`, whose bytes are those of its objects; parents have their children's."""
    sql = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    rows = {r[0]: r[1:] for r in sql.execute("SELECT id, parent_id, objects, bytes, all_bytes, all_objects FROM retention")}
    assert sorted(rows) == list(range(1, len(rows) + 1))
    held = {r[0]: r[1:] for r in sql.execute(
        "SELECT retention_id, sum(size), count(*) FILTER (WHERE owner_id IS NULL) FROM object GROUP BY 1")}
    assert None not in held and set(held) <= set(rows)
    below = dict.fromkeys(rows, (0, 0))
    for node in sorted(rows, reverse=True):
        parent, objects, size, all_bytes, all_objects = rows[node]
        assert (size, objects <= held.get(node, (0, 0))[1]) == (held.get(node, (0, 0))[0], True), node
        assert (all_bytes, all_objects) == (below[node][0] + size, below[node][1] + objects), node
        if parent:
            assert parent < node
            below[parent] = (below[parent][0] + all_bytes, below[parent][1] + all_objects)
    assert sum(r[2] for r in rows.values()) == sql.execute("SELECT sum(size) FROM object").fetchone()[0]
    assert sql.execute("SELECT count(*) FROM (SELECT 1 FROM retention GROUP BY key HAVING count(*) > 1)").fetchone() == (0,)
    return len(rows)


def test_python_modules(tmp_path):
    """Among thousands of modules, of which each has a cache, the one that grows is named, however deep it is."""
    dbs = rounds(tmp_path / "run", [*DEBIAN.command, HERE / "programs" / "growth_modules.py"], [2100, 2050, 1500], 2)
    first = diff(*dbs)["paths"][0]
    assert first["path"] == "shop_2050.STORE.tables['cache'].rows[*]"
    assert (first["objects"], first["type"].rpartition(".")[2]) == (1500, "Entry")
    assert balanced(dbs[1]) > 100_000
    sql = sqlite3.connect(f"file:{dbs[1]}?mode=ro", uri=True)
    assert sql.execute("SELECT all_objects FROM retention WHERE path = '(other paths)'").fetchone() == (0,)
    assert sql.execute("SELECT count(*) FROM retention WHERE path LIKE 'shop_%.STORE.tables[''cache''].rows[*]'"
                       ).fetchone() == (2100,)


def test_python_fluctuates(tmp_path):
    """Rounds in which as much goes as comes: nothing grew."""
    dbs = rounds(tmp_path / "run", [*DEBIAN.command, PROGRAM], ["none"], 4)
    out = diff(*dbs)
    assert out["paths"] == [] and out["places"] == 0 and out["unsteady"] > 0
    assert out["holders"] == [] and out["containers"] == []
    said = command("diff", *dbs).out
    assert "Nothing did." in said and "only fluctuated" in said
    command("diff", *dbs, "--fail-on", "growth,leaks,cycles,refcount", status=0)


def test_method_cache(tmp_path):
    """Names that are asked for and dropped stay in the interpreter's cache, which has its bound: no place of growth."""
    dbs = rounds(tmp_path / "run", [*DEBIAN.command, HERE / "programs" / "growth_names.py"], [600], 3)
    sql = sqlite3.connect(f"file:{dbs[-1]}?mode=ro", uri=True)
    kept = sql.execute("SELECT sum(objects) FROM retention WHERE path = '(method cache)'").fetchone()[0]
    assert kept > 200  # else this asks nothing
    for some in (dbs, dbs[:2]):
        out = diff(*some)
        assert out["paths"] == [], out["paths"]
        assert out["holders"] == [], out["holders"]


# ---- C and C++ ----

C = {
    "chain": (r"chain->\*", 2000),
    "table": (r"bucket\[\*\](->\*)?", 2000),
    "array": (r"array\[\*\]", 2000),
    "tree": (r"tree->\*", 2000),
    "queue": (r"service->\+8->\*", 2000),
    "buffer": (r"service->\+24", 0),
    "ends": (r"ends->\*", 2000),
    "globals": (r"(head|tail)->\*", 2000),
    "leak": (r"\(unreachable\)", 4000),
}
CXX = {
    "vector": (r"server.*\[\*\]", 2000),
    "map": (r"server.*->\*", 2000),
    "hash": (r"server.*\[\*\](->\*)?", 2000),
    "deque": (r"server.*\[\*\]", 125),  # buffers of 16 strings
    "list": (r"server.*->\*", 2000),
}
# What the container gains: pointers, entries, strings.
FILLED = {"vector": ("vector", 8 * EACH_C), "hash": ("hash table", EACH_C), "deque": ("deque", 32 * EACH_C)}
NATIVE = [("grow_c.c", g, *want) for g, want in C.items()] + [
    ("grow_cxx.cc", g, *want) for g, want in CXX.items()]


def native(name):
    program = builder.Program(SOURCES / name)
    return builder.build(program, "gcc-O2")


@pytest.mark.parametrize("source,grower,path,objects", NATIVE[:2] if SHORT else NATIVE,
                         ids=[f"{s.split('.')[0]}-{g}" for s, g, _, _ in (NATIVE[:2] if SHORT else NATIVE)])
def test_native(source, grower, path, objects, tmp_path):
    dbs = rounds(tmp_path / "run", [native(source)], [grower], 2)
    out = diff(*dbs, args=["--all"])
    assert re.fullmatch(path, out["paths"][0]["path"]), out["paths"][:3]
    # the ends of a tree count apart
    same = [r for r in out["paths"] if re.fullmatch(path + r"(->.*)?", r["path"])]
    grown = sum(r["objects"] for r in same)
    if grower == "hash":  # a bucket's first entry and those behind it; each has a name
        grown = sum(r["all_objects"] for r in same) / 2
    assert objects <= grown <= objects * 1.02 + 8, same
    if grower in FILLED:
        first = out["filled"][0]
        assert (first["form"], first["gained"]) == FILLED[grower], out["filled"]
        assert first["new_used"] == first["old_used"] + first["gained"] <= first["new_capacity"]
        assert first["path"].startswith("server")
    if grower in ("ends", "globals", "list"):  # a list that is reached from both of its ends is one
        assert len([r for r in out["paths"] if r["objects"] > 50 and not r["path"].startswith("churn")]) == 1, same
    if grower == "table":  # the next question, ready to be copied: one of what is new, and it is held by that name
        said = re.search(r"^Why one of these is there: heapscan path (\S+) (\d+)$", command("diff", *dbs).out, re.M)
        assert said[1] == str(dbs[-1])
        why = json.loads(command("path", said[1], said[2], "--format", "json").out)
        assert why["paths"][0]["expression"].startswith("bucket"), why["paths"]
    if grower == "leak":
        assert sum(r["objects"] for r in out["leaks"]) == 4000
        command("diff", *dbs, "--fail-on", "leaks", status=3)


@pytest.mark.parametrize("source", ["grow_c.c", "grow_cxx.cc"])
def test_native_fluctuates(source, tmp_path):
    dbs = rounds(tmp_path / "run", [native(source)], ["none"], 4)
    out = diff(*dbs)
    assert out["paths"] == [] and out["filled"] == []


# ---- memory that no allocator reads ----

MIB = 1 << 20


def pages(n):
    return -(-n // 4096) * 4096


def unread(db):
    """Title, detail, severity and bytes of the first finding, which is of what cannot be read."""
    sql = sqlite3.connect(f"file:{db}?mode=ro", uri=True)
    kind, *rest = sql.execute("SELECT kind, title, detail, severity, bytes FROM finding ORDER BY id LIMIT 1").fetchone()
    assert kind == "unread", (kind, rest)
    return rest


def test_pool(tmp_path):
    """A program's own pool: how much is in it, and that it grows, is told to the page."""
    dbs = rounds(tmp_path / "run", [native("grow_c.c")], ["pool"], 3)
    for i, db in enumerate(dbs):
        size = pages(1024 * EACH_C * (i + 1)) + MIB * (i + 1)
        title, detail, severity, bytes_ = unread(db)
        assert (bytes_, severity) == (size, "warning")
        assert f"are in {i + 2} mappings that no known allocator accounts for" in title
        assert "pages of zeroes" in detail and "strace" in detail
    out = diff(dbs[0], dbs[2])
    grown = pages(3 * 1024 * EACH_C) - pages(1024 * EACH_C)
    assert out["new_unread_bytes"] - out["old_unread_bytes"] == grown + 2 * MIB
    assert [(r["what"], r["bytes"]) for r in out["mappings"]] == [("grew", grown), ("new", MIB), ("new", MIB)]
    assert (out["memory"][0]["name"], out["memory"][0]["bytes"]) == ("unexplained", grown + 2 * MIB)
    said = command("diff", *dbs).out
    assert said.index("Mappings that no allocator reads") < said.index("What grew in every step")
    for condition, status in (("growth", 3), ("growth=1M", 3), ("growth=100%", 3), ("growth=100M", 0)):
        command("diff", *dbs, "--fail-on", condition, status=status)
    command("diff", dbs[1], dbs[1], "--fail-on", "growth", status=0)


@pytest.mark.parametrize("library,name,instead", [("libjemalloc.so.2", "jemalloc", "prof:true"),
                                                  ("libtcmalloc.so.4", "tcmalloc", "HEAPPROFILE")])
def test_foreign_allocator(library, name, instead, tmp_path):
    """Its name, who can tell more, and that what it has grows: by what the program added, at the least."""
    if not any(Path(d, library).exists() for d in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")):
        pytest.skip(f"no {library}")
    dbs = rounds(tmp_path / "run", ["env", f"LD_PRELOAD={library}", native("grow_c.c")], ["heavy"], 2)
    for db in dbs:
        title, detail, severity, _ = unread(db)
        assert f"most likely of {name} (" in title and instead in detail and severity == "warning"
    out = diff(*dbs)
    grown = {r["name"]: r["bytes"] for r in out["memory"]}["unexplained"]
    assert out["new_objects"] == 0 and grown >= 4000 * EACH_C
    command("diff", *dbs, "--fail-on", "growth=7M", status=3)


# ---- the command ----


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """Three dumps of a chain that grows."""
    return rounds(tmp_path_factory.mktemp("growth") / "run", [native("grow_c.c")], ["chain"], 3)


def test_several(case):
    out = diff(*case)
    for db in case:
        balanced(db)
    (row,) = out["paths"]
    assert row["objects"] == 2 * EACH_C and row["rises"] == 2 and row["falls"] == 0
    # the slope is of all that the line stands for: a node and its name
    assert row["slope"] == pytest.approx(row["bytes"] / 2, rel=0.01)
    assert [d["step"] for d in out["dumps"]] == [1, 2, 3]


def test_several_late(tmp_path):
    """What grows in every step may hang off something that came in the first and stayed as it is."""
    out = diff(*rounds(tmp_path / "run", [native("grow_c.c")], ["late"], 3))
    (row,) = out["paths"]
    assert row["path"] == "late" and row["heaviest"].startswith("late->"), out["paths"]
    assert row["all_objects"] >= 4 * EACH_C and (row["rises"], row["falls"]) == (2, 0)
    assert row["slope"] == pytest.approx(row["bytes"] / 2, rel=0.05)


def test_sets(case, tmp_path):
    """New, gone and surviving objects are what the two tables say."""
    made = tmp_path / "growth.db"
    out = diff(case[0], case[2], args=["-o", made])
    sql = sqlite3.connect(f"file:{made}?mode=ro", uri=True)
    sql.execute("ATTACH ? AS old", (str(case[0]),))
    sql.execute("ATTACH ? AS new", (str(case[2]),))
    # typed by guess alone: an object is the same when address, block and size are
    blocks = {tuple(r[1:]): r[0] for r in sql.execute("SELECT id, address, block, size FROM old.object")}
    news = sql.execute("SELECT id, address, block, size FROM new.object").fetchall()
    same = {(r[0], blocks[tuple(r[1:])]) for r in news if tuple(r[1:]) in blocks}
    every = {row[0] for row in sql.execute("SELECT id FROM new.object")}
    was = {row[0] for row in sql.execute("SELECT id FROM old.object")}
    assert {r[0] for r in sql.execute("SELECT id FROM new_object")} == every - {n for n, _ in same}
    assert {r[0] for r in sql.execute("SELECT id FROM gone_object")} == was - {o for _, o in same}
    assert out["same_set_objects"] == len(same)
    growth = out["new_bytes"] - out["old_bytes"]
    assert out["new_set_bytes"] - out["gone_set_bytes"] + out["grew_set_bytes"] == growth
    assert sql.execute("SELECT sum(new_bytes - old_bytes) FROM growth WHERE kind = 'path'").fetchone() == (growth,)
    assert sql.execute("PRAGMA foreign_key_check").fetchall() == []
    command("diff", case[0], case[2], "-o", made)  # replaced
    other = tmp_path / "other.db"
    other.write_bytes(case[0].read_bytes())
    assert "will not be replaced" in command("diff", case[0], case[2], "-o", other, status=1).err


def test_sql(case, tmp_path):
    """What diff -o wrote is asked in SQL; for anything else the message says what it is."""
    made = tmp_path / "growth.db"
    out = diff(case[0], case[2], args=["-o", made])
    asked = json.loads(command("sql", made, "SELECT name, all_bytes, human(all_bytes) AS words, addr(255) AS hex"
                               " FROM growth_view WHERE place AND name REGEXP '^chain' ORDER BY all_bytes DESC",
                               "--format", "json").out)["rows"]
    assert (asked[0]["name"], asked[0]["all_bytes"]) == (out["paths"][0]["path"], out["paths"][0]["bytes"])
    assert asked[0]["words"].endswith("iB") and asked[0]["hex"] == "0xff"
    assert "CREATE TABLE holder" in command("sql", made, ".schema").out
    tables = command("sql", made, ".tables").out
    assert "arena_sample" in tables and "growth_view" in tables
    for query in ("SELECT * FROM object", "SELECT object_at(4096)", "SELECT * FROM path_to(1)"):
        said = command("sql", made, query, status=(1, 2)).err
        assert "diff -o" in said and "no such table" in said
    for use in (["leaks", made], [made], ["diff", made, case[0]], ["diff", case[0], made], ["report", made],
                ["leaks", case[0], "--baseline", made]):
        said = command(*use, status=2).err
        assert "heapscan sql" in said and said.count(str(made)) == (2 if "--baseline" not in use else 2), said
    command("sql", made, "SELECT count(*) FROM dump")
    command("sql", "--write", made, "DELETE FROM gone_object")


def test_fail_on(case):
    for condition, status in (("growth", 3), ("growth=1K", 3), ("growth=1G", 0), ("growth=1%", 3),
                              ("growth=900%", 0), ("leaks", 0), ("cycles,refcount", 0), ("growth=", 1),
                              ("growth=-1", 1), ("growth=1X", 1), ("nonsense", 1)):
        command("diff", case[0], case[1], "--fail-on", condition,
                status=status if condition != "growth=" else (0, 3))
    command("diff", case[1], case[1], "--fail-on", "growth", status=0)


def test_order_and_kinds(case, tmp_path):
    def variant(name, sql):
        path = tmp_path / name
        path.write_bytes(case[0].read_bytes())
        with sqlite3.connect(path) as db:
            db.executescript(sql)
        db.close()
        return path

    early = variant("early.db", "UPDATE meta SET value = '2001-01-01T00:00:00Z' WHERE key = 'taken_at'")
    assert "older" in command("diff", case[0], early).err
    arm = variant("arm.db", "UPDATE meta SET value = 'aarch64' WHERE key = 'machine'")
    assert "aarch64" in command("diff", case[0], arm, status=2).err
    trace = variant("trace.db", "UPDATE meta SET value = 'trace' WHERE key = 'kind'")
    assert "trace" in command("diff", case[0], trace, status=2).err
    newer = variant("newer.db", "PRAGMA user_version = 99")
    assert "newer heapscan" in command("diff", case[0], newer, status=2).err
    exe = variant("exe.db", "UPDATE meta SET value = '/bin/other' WHERE key = 'exe'")
    assert "another program?" in command("diff", case[0], exe).err
    empty = variant("empty.db", "DELETE FROM object; DELETE FROM census; DELETE FROM reference; DELETE FROM retention")
    assert "No heap was found in one of the dumps" in command("diff", empty, case[1]).out
    run = variant("run.db", "UPDATE meta SET value = 'feed' WHERE key = 'execution'")
    out = diff(run, case[1])
    assert out["relation"] == "runs" and "holders" not in out
    assert out["paths"][0]["path"] == "chain->*"
    before = variant("before.db", "PRAGMA user_version = 1")
    assert "read the dump again" in command("diff", before, case[1], status=2).err
    for cut in (100, 5000, 100000):
        short = tmp_path / "short.db"
        short.write_bytes(case[1].read_bytes()[:cut])
        command("diff", case[0], short, status=(0, 2))
    command("diff", case[0], status=1)


def test_another_run(tmp_path):
    """Other addresses, the same paths."""
    a = rounds(tmp_path / "a", [*DEBIAN.command, PROGRAM], ["cache"], 1)
    b = rounds(tmp_path / "b", [*DEBIAN.command, PROGRAM], ["cache"], 2)
    out = diff(a[0], b[1])
    assert out["relation"] == "runs"
    assert out["paths"][0]["path"] == "__main__.CACHE['sessions'][*]"
    assert out["paths"][0]["objects"] == EACH_PYTHON
    same = diff(a[0], b[0])
    assert sum(r["bytes"] for r in same["paths"]) < 64 << 10, same["paths"]


# ---- traces ----


def test_traces(tmp_path):
    """By call path: what one function forgets more often in the second run."""
    if not shutil.which("heaptrack"):
        pytest.skip("no heaptrack")
    source, program = tmp_path / "forget.c", tmp_path / "forget"
    source.write_text("""#include <stdlib.h>
static __attribute__((noinline)) void *forgets(void) { return malloc(100); }
static __attribute__((noinline)) void *uses(void) { return malloc(50); }
int main(int argc, char **argv) {
    for (int i = 0; i < atoi(argv[argc - 1]); i++) { forgets(); free(uses()); }
}""")
    builder.run_compiler(["gcc", "-g", "-O1", "-fno-builtin", source, "-o", program])
    dbs = []
    for times in (100, 3000):
        subprocess.run(["heaptrack", "-r", "-o", tmp_path / f"{times}", program, str(times)], check=True,
                       capture_output=True, timeout=60)
        (trace,) = tmp_path.glob(f"{times}.*")
        dbs.append(tmp_path / f"{times}.db")
        read(trace, dbs[-1])
    out = diff(*dbs)
    assert out["sites"][0]["name"].startswith("forgets")
    assert out["sites"][0]["caller"].startswith("main")
    assert (out["sites"][0]["objects"], out["sites"][0]["bytes"]) == (2900, 290000)
    assert "paths" not in out
    command("diff", *dbs, "--fail-on", "growth=100K", status=3)


# ---- a live process ----


def gcore(pid, out):
    done = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-ex", f"attach {pid}",
                           "-ex", f"generate-core-file {out}", "-ex", "detach"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    if not Path(out).exists():
        pytest.skip(f"gdb wrote no core: {done.stderr[-200:]}")


class Broker:
    """A client of an MQTT broker; when `publish` returns, all has been dealt with."""

    def __init__(self, port):
        for _ in range(600):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
                break
            except OSError:
                time.sleep(0.05)
        self.say(b"\x10", b"\0\4MQTT\4\2\0\0\0\1c", 4)

    def say(self, kind, body, answer):
        self.socket.sendall(kind + bytes([len(body)]) + body)
        while answer:
            got = self.socket.recv(answer)
            assert got
            answer -= len(got)

    def publish(self, topics, kind):
        for topic in topics:
            name = topic.encode()
            self.say(kind, len(name).to_bytes(2, "big") + name + b"x" * 60, 0)
        self.say(b"\xc0", b"", 2)  # a ping is answered in its turn


# Where it is found; `make daemons` installs it.
@pytest.mark.parametrize("program", ["mosquitto"] if os.environ.get("DAEMONS") or shutil.which("mosquitto") else [])
def test_daemon(program, tmp_path):
    """A daemon that we did not write: nothing grows while it serves, then what it has to keep comes first."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nsys_interval 0\n")
    server = subprocess.Popen([program, "-c", tmp_path / "conf"], cwd=tmp_path,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    dbs = []

    def dump():
        gcore(server.pid, tmp_path / "core")
        dbs.append(tmp_path / f"{len(dbs)}.db")
        read(tmp_path / "core", dbs[-1])

    try:
        broker = Broker(port)
        for _ in range(3):
            broker.publish([f"seen/{i}" for i in range(200)], b"\x30")
            dump()
        idle = diff(*dbs)
        assert idle["relation"] == "process" and idle["paths"] == [], idle["paths"]
        for step in range(2):
            broker.publish([f"kept/{step}/{i}" for i in range(300)], b"\x31")  # to be retained
            dump()
        out = diff(*dbs[2:])
        # All messages are in one list, with their topics and what they say; a tree of topics leads there, too.
        first = out["paths"][:2]
        assert all(r["rises"] == 2 for r in first), out["paths"]
        assert sum(r["bytes"] for r in first) > 0.9 * (out["new_bytes"] - out["old_bytes"]), out["paths"]
        assert sum(r["all_objects"] for r in first) >= 2 * 300 * 3  # for each a node, a message, a text
    finally:
        server.kill()
        server.wait()


SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"hello" * 100
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if self.path == "/leak":
            SEEN.append({"path": self.path, "headers": dict(self.headers)})
    def log_message(self, *args):
        pass
SEEN = []
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def test_server(tmp_path):
    """A real server under constant load shows no growth in ten dumps; then a leak is the first line."""
    server = subprocess.Popen([*DEBIAN.command, "-c", SERVER], stdout=subprocess.PIPE, text=True,
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    dbs = []
    try:
        port = int(server.stdout.readline())

        def load(path, n):
            for _ in range(n):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
                    answer.read()

        def dump():
            time.sleep(0.05)  # the last handler ends
            core = tmp_path / "core"
            gcore(server.pid, core)
            dbs.append(tmp_path / f"{len(dbs)}.db")
            read(core, dbs[-1])

        load("/", 100 if SHORT else 800)  # until what the interpreter keeps for itself (free lists) has its size
        for _ in range(2 if SHORT else 10):
            load("/", 50)
            dump()
        if not SHORT:  # one step says nothing
            out = diff(*dbs)
            assert out["relation"] == "process"
            assert out["paths"] == [], out["paths"]
        load("/leak", 200)
        dump()
        out = diff(*dbs[-2:])
        assert out["paths"][0]["path"] == "__main__.SEEN[*]"
        assert out["paths"][0]["objects"] == 200
        assert out["containers"][0]["members"] == 200
    finally:
        server.kill()
        server.wait()
