"""However CPython is built, started and embedded: the same objects, referents, garbage and counts."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import builds  # noqa: E402
import dump as dumper  # noqa: E402
import test_garbage  # noqa: E402
import test_refs  # noqa: E402
from heapscan import check_sound, command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402
from test_referents import MISSED, SCANNED, Truth, compare  # noqa: E402

SHORT = bool(os.environ.get("SHORT"))
# Headers, libpython, venv: of what is installed here.
EVERY = [i for i in interpreters() if i.home and not (i.free_threaded or i.debug) and i.word == 8]


def newest(version):
    """The interpreter of this version that is here; None: there is none."""
    found = [i for i in EVERY if i.version == version]
    return found[-1] if found else None


def exact(db, truth):
    """Objects, types and referents as the process itself told them."""
    lost, missed, extra = compare(truth, db)
    assert len(truth.type) > 2000
    assert not lost
    # faulthandler, which -X dev switches on, visits a variable of C.
    assert not missed.keys() - MISSED - {("module", "stderrprinter")}
    assert not [kind for kind in extra if kind[0] not in SCANNED]
    found = dict(db.rows("SELECT o.address, t.name FROM object o JOIN type t ON t.id = o.type_id "
                         "WHERE o.refcount IS NOT NULL"))
    wrong = Counter((kind, found[a]) for a, kind in truth.type.items()
                    if a in found and found[a].split(".")[-1].replace(" ", "_") != kind.split(".")[-1])
    assert not wrong


# ---- allocators: what PYTHONMALLOC and -X dev choose ----

HOOKS = [((3, 6), "pymalloc_debug"), ((3, 7), "malloc_debug"), ((3, 8), "pymalloc_debug"),
         ((3, 9), "malloc"), ((3, 10), "dev"), ((3, 11), "dev"), ((3, 11), "malloc"),
         ((3, 12), "debug"), ((3, 13), "debug"), ((3, 13), "malloc_debug")]
if SHORT:
    HOOKS = [((3, 11), "dev")]
ALLOCATOR = {"dev": "pymalloc_debug", "debug": "pymalloc_debug"}


def hooked(version, how):
    python = newest(version)
    if not python:
        pytest.skip(f"no CPython {version} here")
    if how == "dev":
        return [*python.command, "-X", "dev"], python, builds.environment(PYTHONHASHSEED="0")
    return [*python.command], python, builds.environment(PYTHONMALLOC=how)


@pytest.mark.parametrize("version,how", HOOKS, ids=lambda x: x if isinstance(x, str) else "%d.%d" % x)
def test_allocator(tmp_path, version, how):
    command, python, env = hooked(version, how)
    truth = tmp_path / "objects"
    dump = dumper.run(tmp_path / "run", [*command, "-B", HERE / "programs" / "referents.py", truth],
                      python.path, env=env)
    with scan(dump.core, tmp_path / "x.db") as db:
        assert db.meta()["python_allocator"] == ALLOCATOR.get(how, how)
        exact(db, Truth(truth))
        check_sound(db)
    builds.clean(dump.folder)


def test_hooks_garbage(tmp_path):
    """Behind the marks of the debug hooks: cyclic garbage, counts, sizes."""
    command, python, env = hooked((3, 12), "debug")
    dump = dumper.run(tmp_path / "run", [*command, test_garbage.ZOO], python.path, env=env)
    found = test_garbage.told(dump.truth)
    with scan(dump.core, tmp_path / "x.db") as db:
        test_garbage.test_identical((db, found))
        test_garbage.test_nothing_leads_to_it((db, found))
        # A block is the allocator's: it begins with the marks, and holds them.
        wrong = db.rows("SELECT address FROM object WHERE refcount IS NOT NULL AND arena_id "
                        "AND (address - block < 16 OR block + size < address + 24)")
        assert not wrong
    builds.clean(dump.folder)


def test_hooks_counts(tmp_path):
    command, python, env = hooked((3, 12), "debug")
    dump = dumper.run(tmp_path / "run", [*command, test_refs.ZOO], python.path, env=env)
    truth = [line.split() for line in dump.truth.read_text().splitlines()]
    with scan(dump.core, tmp_path / "x.db") as db:
        test_refs.test_found((db, [(what, int(a), int(n)) for what, a, n in truth]), python)
    builds.clean(dump.folder)


def test_counts_near_the_heap(tmp_path):
    """A program that is not PIE has its heap where counts are numbers, too: Debian's, with malloc."""
    python = next((i for i in EVERY if i.id.startswith("system") and i.version >= (3, 9)), None)
    if not python:
        pytest.skip("no interpreter of the system's")
    env = builds.environment(PYTHONMALLOC="malloc")
    dump = dumper.run(tmp_path / "run", [python.path, test_refs.ZOO, "healthy"], python.path, env=env)
    with scan(dump.core, tmp_path / "x.db") as db:
        assert test_refs.errors_of(db, python) == {}
        assert db.meta()["python_allocator"] == "malloc"
    builds.clean(dump.folder)


# ---- embedded: libpython in a program of C or C++, several interpreters ----

EMBEDDED = [((2, 7), "shared", 2), ((2, 7), "static stripped", 1), ((2, 7), "shared c++", 3),
            ((3, 6), "shared", 2), ((3, 7), "static no-pie stripped", 2),
            ((3, 8), "static stripped", 2), ((3, 9), "shared c++", 2),
            ((3, 11), "shared", 2), ((3, 11), "static headless", 2), ((3, 11), "static no-pie", 1),
            ((3, 12), "shared c++", 2),
            ((3, 12), "static no-pie headless", 1), ((3, 13), "shared", 3),
            ((3, 13), "static stripped no-pie", 2), ((3, 6), "static stripped", 1),
            ((3, 12), "shared legacy", 2), ((3, 12), "shared mixed", 3), ((3, 13), "shared legacy", 2),
            ((3, 13), "shared mixed", 3)]
if SHORT:
    EMBEDDED = [((3, 12), "shared c++", 2)]


class Told:
    """What one interpreter said of itself: see programs/interpreter.py."""

    def __init__(self, path):
        self.type, self.referents, self.garbage, self.mark, self.builtin = {}, {}, {}, None, {}
        for line in path.read_text().splitlines():
            what, address, *rest = line.split()
            if what == "object":
                self.type[int(address)] = rest[0]
                self.referents[int(address)] = {int(r) for r in rest[1:]}
            elif what == "garbage":
                self.garbage[int(address)] = rest[0]
            elif what == "builtin":
                self.builtin[int(address)] = rest[0]
            else:
                self.mark = int(address)


@pytest.mark.parametrize("version,how,interpreters", EMBEDDED,
                         ids=lambda x: "%d.%d" % x if isinstance(x, tuple) else str(x))
def test_embedded(tmp_path, version, how, interpreters):
    program = env = None
    for python in reversed([i for i in EVERY if i.version == version]):
        program, env = builds.embed(python, how, tmp_path) or (None, None)
        if program:
            break
    else:
        pytest.skip(f"no such libpython of {version} here")
    kind = [word for word in how.split() if word in ("legacy", "mixed")]
    dump = dumper.run(tmp_path / "run", [program, str(interpreters), HERE / "programs" / "interpreter.py",
                                         tmp_path / "told", *kind], program, env=env)
    told = [Told(tmp_path / f"told.{n}") for n in range(interpreters)]
    with scan(dump.core, tmp_path / "x.db") as db:
        meta = db.meta()
        assert meta["python_version"].startswith("%d.%d" % version)
        assert meta["python_interpreters"] == str(interpreters)
        assert meta["python_threads"] == str(interpreters)
        own_state = version >= (3, 12) and kind != ["legacy"]
        assert meta["pymalloc_states"] == (str(interpreters - len(kind)) if own_state else "1")
        for one in told:
            exact(db, one)
        rows = set(db.column("SELECT o.address FROM garbage g JOIN object o ON o.id = g.object_id"))
        expected = {a for one in told for a in one.garbage}
        assert rows == expected and len(expected) >= 13
        if version >= (3, 9):
            assert all(len(one.garbage) >= 13 for one in told)
        check_sound(db)
        marks(db, told)
        builtins(db, told)
        # The program's own heap, beside Python's.
        native = [line.split() for line in dump.truth.read_text().splitlines()]
        reachable = dict(db.rows("SELECT address, reachable FROM object"))
        wrong = [(what, a) for what, a in native if reachable[int(a)] != (what == "kept")]
        # Near where numbers are: the address of one that is lost may be a number somewhere.
        if "no-pie" in how and len(wrong) <= 2:
            wrong = [(what, a) for what, a in wrong if what != "lost"]
        assert not wrong
        if version >= (3, 9) or version < (3,):
            assert db.column("SELECT object_id FROM refcount_error") == []
    builds.clean(tmp_path)


def marks(db, told):
    """A list in each interpreter's __main__: its chain begins with that interpreter's sys.modules."""
    for number, one in enumerate(told):
        out = json.loads(command("path", db.path, hex(one.mark), "--format", "json").out)
        first = out["paths"][0]
        assert first["expression"] == f"interpreter {number}: __main__.KEPT" if number else "__main__.KEPT"
        assert "sys.modules" in first["root"]


# ---- several libpythons in a process: what a program embeds, and what its plug-ins are linked with ----

TOGETHER = [((3, 11), (3, 9)), ((2, 7), (3, 12)), ((3, 8), (3, 13)), ((3, 6), (3, 10), (3, 13))]
if SHORT:
    TOGETHER = TOGETHER[:1]


def library(version):
    for python in reversed([i for i in EVERY if i.version == version]):
        config = builds.Config(python)
        found = sorted(Path(config.libdir).glob(f"libpython{config.name}.so"))
        if found:
            return found[0]
    return pytest.skip(f"no shared libpython of {version} here")


@pytest.mark.parametrize("versions", TOGETHER, ids=lambda vs: "+".join("%d.%d" % v for v in vs))
def test_together(tmp_path, versions):
    """Two are read, each with its objects, referents, garbage and roots; a third one is said not to be."""
    libraries = [library(v) for v in versions]
    dump = dumper.run(tmp_path / "run", [builds.two_pythons(), HERE / "programs" / "interpreter.py",
                                         tmp_path / "told", *libraries], builds.two_pythons(), env=builds.environment())
    told = [Told(tmp_path / f"told.{n}") for n in range(len(versions))]
    with scan(dump.core, tmp_path / "x.db") as db:
        meta = db.meta()
        read = [tuple(map(int, meta[key].split(".")[:2])) for key in ("python_version", "second_python_version")]
        assert set(read) <= set(versions) and len(set(read)) == 2
        one_of = dict(zip(versions, told))
        for version in read:
            exact(db, one_of[version])
        rows = set(db.column("SELECT o.address FROM garbage g JOIN object o ON o.id = g.object_id"))
        assert rows == {a for version in read for a in one_of[version].garbage} != set()
        for version in read:
            out = json.loads(command("path", db.path, hex(one_of[version].mark), "--format", "json").out)
            # Roots of the second one say whose they are.
            prefix = "" if version == read[0] else "CPython %s: " % meta["second_python_version"]
            assert out["paths"][0]["expression"] == prefix + "__main__.KEPT", out
            assert prefix + "sys.modules" in out["paths"][0]["root"]
        others = set(versions) - set(read)
        titles = db.column("SELECT title FROM finding WHERE title LIKE '%more than 2 Python runtimes%'")
        assert len(titles) == len(others) and all("CPython %d.%d" % v in titles[0] for v in others)
        check_sound(db)
        native = [line.split() for line in dump.truth.read_text().splitlines()]
        reachable = dict(db.rows("SELECT address, reachable FROM object"))
        assert not [(what, a) for what, a in native if bool(reachable[int(a)]) != (what == "kept")]
        if not others and min(versions) >= (3, 9):
            assert db.column("SELECT object_id FROM refcount_error") == []
    builds.clean(tmp_path)


def builtins(db, told):
    """The __dict__ of each builtin type: the type's; of other interpreters (3.12) a root of theirs."""
    for number, one in enumerate(told):
        for address, name in one.builtin.items():
            by_type = db.column("SELECT s.value FROM reference r JOIN object o ON o.id = r.dst JOIN object s "
                                "ON s.id = r.src WHERE o.address = ? AND r.name = '.__dict__' AND r.kind = 1", address)
            by_root = db.column("SELECT r.name FROM root r JOIN object o ON o.id = r.object_id "
                                "WHERE o.address = ? AND r.kind = 'global'", address)
            if address in told[0].builtin:
                assert [n.split(".")[-1] for n in by_type] == [name] and not [n for n in by_root if n and name in n]
            else:
                (root,) = by_root
                assert by_type == [] and root.split(": ")[0] == f"interpreter {number}"
                assert root.split(": ")[1] in (f"{name}.__dict__", f"datetime.{name}.__dict__")
    each = len(told[0].builtin)
    assert len({a for one in told for a in one.builtin}) in (each, each * len(told))


# ---- the interpreter itself: in a virtual environment, stripped ----

def strip(python, folder, headless):
    """A copy without symbols but for those that its extension modules need."""
    copy = folder / python.path.name
    shutil.copy(python.path, copy)
    subprocess.run(["strip", "-s", copy], check=True, timeout=60)
    if headless:
        builds.headless(copy)
    return copy


def told_by(tmp_path, program, env):
    truth = tmp_path / "objects"
    dump = dumper.run(tmp_path / "run", [program, "-B", HERE / "programs" / "referents.py", truth],
                      program, env=env)
    with scan(dump.core, tmp_path / "x.db") as db:
        exact(db, Truth(truth))
        check_sound(db)
        assert db.meta()["python_threads"] == "1"
    builds.clean(dump.folder)


@pytest.mark.parametrize("headless", [False, True])
def test_stripped(tmp_path, headless):
    """Of Debian's, which has libpython inside: with its dynamic symbols, with or without sections."""
    python = next((i for i in EVERY if i.id.startswith("system")), None)
    if not python:
        pytest.skip("no interpreter of the system's")
    env = builds.environment(PYTHONHOME=python.path.parents[1])
    told_by(tmp_path, strip(python, tmp_path, headless), env)


LISTS = {(2, 7): 3, (3, 6): 3, (3, 8): 3, (3, 9): 3}  # of dicts, their tables (from 3.6 on) or sets, lists
if SHORT:
    LISTS = {(3, 9): 3}


@pytest.mark.parametrize("stripped", [False, True])
@pytest.mark.parametrize("version", LISTS, ids=lambda v: "%d.%d" % v)
def test_free_lists(tmp_path, version, stripped):
    """Arrays of freed objects, by name and, without symbols, by structure: where nm says that they are."""
    python = newest(version)
    library = python and next((Path(line.split()[2]) for line in subprocess.run(
        ["ldd", python.path], capture_output=True, text=True, timeout=60).stdout.splitlines()
        if "libpython" in line), None)
    if not library:
        pytest.skip(f"no libpython of {version} here")
    symbols = [line.split() for line in subprocess.run(
        ["nm", "-S", library], capture_output=True, text=True, timeout=60).stdout.splitlines()]
    arrays = {int(s[0], 16): s[3] for s in symbols if len(s) == 4 and int(s[1], 16) == 640
              and s[3].endswith(("free_list", "_freelist"))}
    copy = tmp_path / library.name
    shutil.copy(library, copy)
    if stripped:
        subprocess.run(["strip", "-s", copy], check=True, timeout=60)
    env = builds.environment(LD_PRELOAD=copy, PYTHONHASHSEED="0")
    dump = dumper.run(tmp_path / "run", [python.path, "-B", HERE / "programs" / "free_lists.py"],
                      python.path, env=env)
    with scan(dump.core, tmp_path / "x.db", "-v") as db:
        (base,) = db.column("SELECT base FROM module WHERE path = ?", str(copy))
        hidden = {(int(m[1], 16) - base, int(m[2], 16) - base) for m in re.finditer(
            "(0x[0-9a-f]+)-(0x[0-9a-f]+), objects that CPython keeps for reuse", db.done.err)}
        found = {at: (start, end) for start, end in hidden for at in arrays if at <= start < end == at + 640}
        assert len(found) == len(hidden)
        used = sorted(arrays[at] for at in found if not arrays[at].startswith("ag_"))
        assert len(used) == LISTS[version], (used, arrays)
        # What is in use is read: freed lists and dicts, which the array alone leads to.
        freed = [int(line.split()[1]) for line in dump.truth.read_text().splitlines()]
        assert len(freed) == 20
        reachable = dict(db.rows("SELECT address, reachable FROM object WHERE refcount = 0"))
        assert not [a for a in freed if a in reachable and not reachable[a]]
        # So are tables that only the array leads to.
        lost = db.rows("""SELECT printf('0x%x', address), size FROM object
                          WHERE NOT reachable AND refcount IS NULL AND owner_id IS NULL""")
        assert not lost, lost
    builds.clean(tmp_path)


@pytest.mark.parametrize("version", [(3, 8), (3, 13)], ids=lambda v: "%d.%d" % v)
def test_virtual_environment(tmp_path, version):
    python = newest(version)
    if not python:
        pytest.skip(f"no CPython {version} here")
    subprocess.run([python.path, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True,
                   timeout=60)
    told_by(tmp_path, tmp_path / "venv" / "bin" / "python", builds.environment())


@pytest.mark.parametrize("version", [(3, 8), (3, 12), (3, 13)], ids=lambda v: "%d.%d" % v)
def test_interpreters_in_threads(tmp_path, version):
    """From 3.12 on each with a GIL and an allocator of its own."""
    python = newest(version)
    if not python:
        pytest.skip(f"no CPython {version} here")
    dump = dumper.run(tmp_path / "run", [python.path, HERE / "programs" / "interpreters_in_threads.py"],
                      python.path, env=builds.environment())
    marked = [line.split()[1:] for line in dump.truth.read_text().splitlines()]
    with scan(dump.core, tmp_path / "x.db") as db:
        meta = db.meta()
        assert (meta["python_interpreters"], int(meta["python_threads"])) >= ("3", 3)
        for address, number in marked:
            # table["ring"]: the local is the only holder.
            holder = db.column("SELECT r.src FROM reference r JOIN object o ON o.id = r.dst "
                               "WHERE o.address = ? AND r.name = '[''ring'']'", int(address))
            assert len(holder) == 1
            out = command("path", db.path, hex(int(address))).out
            assert "blocked()" in out and "table" in out and "['ring']" in out, out
            frames = db.rows("SELECT thread_id FROM frame WHERE language = 'python' "
                             "AND function = 'blocked'")
            assert len({t for t, in frames}) == 2
        assert len(marked) == 2
        counted = Counter(db.column("SELECT t.name FROM object o JOIN type t ON t.id = o.type_id "
                                    "WHERE t.name = '__main__.Request'"))
        assert counted == {"__main__.Request": 6 + 7}
        check_sound(db)
    builds.clean(dump.folder)
