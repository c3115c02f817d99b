"""A core that is analysed where none of its binaries is: the names of types in C are in read-only pages, which
the kernel leaves out. The heap tells them; all else must come out as the process itself, and the binaries, say."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
import native  # noqa: E402
import test_referents  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

EVERY = [i for i in interpreters() if i.word == 8 and not (i.free_threaded or i.debug)]
# Python 2; names of heap types in the binary; Debian's; dicts of types in the interpreter (3.12).
KNOWN = [i for i in EVERY if i.version in ((2, 7), (3, 8), (3, 13)) or i.id.startswith("system")]
ZOO_KNOWN = [i for i in EVERY if i.version == (3, 12)] or EVERY[-1:]
# Where a second interpreter may import what was not made for several.
SEVERAL_KNOWN = [i for i in EVERY if i.home and i.version in ((3, 8), (3, 11)) and native.headers(i)][:2]
# Since 3.11 sqlite3's objects are the collector's.
C_TYPES_KNOWN = [i for i in EVERY if i.home and i.version >= (3, 11)]
if os.environ.get("SHORT"):
    C_TYPES_KNOWN = C_TYPES_KNOWN[-1:]
    SEVERAL_KNOWN = []
    KNOWN = KNOWN[-1:]

DEFAULT_FILTER = 0x33
# What nothing in the heap tells: types without attributes, or with those that others have, too, which no module
# binds. Their instances are read word by word, as those of any type that is not known.
UNTOLD = {
    "Token.MISSING", "NoDefaultType", "hamt", "hamt_bitmap_node", "hamt_array_node", "hamt_collision_node", "managedbuffer",
    "_thread._localdummy", "thread._localdummy", "imp.NullImporter", "method-wrapper", "_RunningLoopHolder",
    "functools._lru_list_elem", "functools.KeyWrapper", "_sre.SRE_Scanner", "CArgObject", "_ctypes.CThunkObject",
    "_ctypes.DictRemover", "sqlite3Node", "sqlite3.Statement", "_elementtree._element_iterator",
    "TaskWakeupMethWrapper", "TaskStepMethWrapper", 
    "async_generator_asend", "async_generator_athrow", "odict_keys", "odict_items", "odict_values",
    "itertools.tee_dataobject", "itertools._grouper",
}


def untold(name):
    return name in UNTOLD or name.endswith("iterator")


def without_binaries(core, db, folder):
    """The same core, in which the paths of all files that the process mapped lead nowhere."""
    data = core.read_bytes()
    for path in db.column("SELECT DISTINCT path FROM module WHERE path LIKE '/%'"):
        data = data.replace(path.encode(), b"/?" + path[2:].encode())
    hidden = folder / "hidden.core"
    hidden.write_bytes(data)
    return hidden


OBJECTS = """SELECT o.address, o.block, o.size, o.refcount, o.reachable, w.address FROM object o
             LEFT JOIN object w ON w.id = o.owner_id"""
FRAMES = "SELECT thread_id, function, file, line FROM frame WHERE language = 'python' ORDER BY thread_id, depth"
# asend() and athrow() make objects of types that nothing tells.
SUSPENDED = """SELECT o.address, s.kind, s.state, s.line FROM suspended s JOIN object o ON o.id = s.object_id
               JOIN type t ON t.id = o.type_id WHERE t.name NOT LIKE 'async_generator_a%' ORDER BY 1"""
TYPES = """SELECT o.address, t.name FROM object o JOIN type t ON t.id = o.type_id
           WHERE o.refcount IS NOT NULL"""


def types_of(db):
    return dict(db.rows(TYPES))


def addresses(db, table, column="NULL"):
    return set(db.rows(f"SELECT o.address, {column} FROM {table} x JOIN object o ON o.id = x.object_id"))


class Pair:
    """A core scanned with its binaries, and without."""

    def __init__(self, interpreter, folder, program, *args):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        made = dumper.run(folder / "run", [*interpreter.command, "-B", program, *args], interpreter.path,
                          coredump_filter=DEFAULT_FILTER, env=env)
        self.truth = made.truth.read_text()
        self.known = scan(made.core, folder / "known.db")
        hidden = without_binaries(made.core, self.known, folder)
        self.hidden = scan(hidden, folder / "hidden.db")
        self.core = hidden
        made.core.unlink()
        assert self.hidden.one("SELECT count(*) FROM trust WHERE aspect = 'python types' "
                               "AND figure LIKE '%as binaries were not found'")
        assert not self.known.one("SELECT count(*) FROM trust WHERE aspect = 'python types'")
        missing = int(self.hidden.meta()["trust_binaries_missing"])
        assert missing == int(self.hidden.meta()["trust_binaries"]) - 1 or missing >= 3

    def close(self):
        self.known.close()
        self.hidden.close()
        self.core.unlink()

    def compare(self):
        """All objects, and what they are, but for names that nothing tells; what leaks."""
        known, hidden = types_of(self.known), types_of(self.hidden)
        wrong = Counter((known[a], hidden.get(a)) for a in known
                        if hidden.get(a) != known[a] and known[a] != "type" and not untold(known[a]))
        assert not wrong
        # A type that was never made ready, and has no instances, is no type without its name.
        assert len(known) - len(hidden) <= 2 and not hidden.keys() - known.keys()
        assert sum(name.startswith("<type") for name in hidden.values()) <= len(hidden) // 100
        rows = {r[0]: r[1:] for r in self.known.rows(OBJECTS)}
        found = {r[0]: r[1:] for r in self.hidden.rows(OBJECTS)}
        both = rows.keys() & found.keys()
        assert len(rows) - len(both) <= 2 and len(found) - len(both) == 0
        differ = [a for a in both if rows[a] != found[a]]
        # To 3.9 arrays of freed lists and dicts are found by their symbol: words in them hold a leak or two.
        assert all(rows[a][3] == 0 and found[a][3] for a in differ)
        assert len(differ) <= 50
        for sql in (FRAMES, SUSPENDED):
            assert self.hidden.rows(sql) == self.known.rows(sql)
        for table, column in (("garbage", "NULL"), ("refcount_error", "x.excess")):
            assert addresses(self.hidden, table, column) == addresses(self.known, table, column), table


def check_no_names(pair, path):
    """Where the modules' names are lost, too: no count is claimed to be leaked, and it is said why."""
    data = pair.core.read_bytes()
    for name in (b"builtins", b"_collections_abc", b"types"):
        data = data.replace(b"\0" + name + b"\0", b"\0" + name.upper() + b"\0")
    pair.core.write_bytes(data)
    db = scan(pair.core, path)
    meta = db.meta()
    assert int(meta["python_nameless_objects"]) > int(meta["python_objects"]) // 16
    assert "counts_audited" not in meta and not db.one("SELECT count(*) FROM refcount_error")
    out = command("refs", db.path, "--fail-on", "refcount").out
    assert "No counts: too many types of Python have no name" in out and "Note: " in out
    lost = [d.one("SELECT count(*) FROM object WHERE reachable = 0") for d in (pair.known, db)]
    assert lost[1] <= lost[0]
    db.close()


@pytest.mark.parametrize("interpreter", KNOWN, ids=repr)
def test_counts(interpreter, tmp_path):
    """Leaked counts, and those that C holds: by the process itself."""
    pair = Pair(interpreter, tmp_path, HERE / "programs" / "refs_zoo.py")
    pair.compare()
    truth = [line.split() for line in pair.truth.splitlines()]
    told = {what: {int(a): int(n) for w, a, n in truth if w == what} for what in ("leaked", "over", "held")}
    errors = dict(addresses(pair.hidden, "refcount_error", "x.excess"))
    assert len(errors.keys() & told["leaked"].keys()) >= len(told["leaked"]) - 8
    assert {a: n for a, n in errors.items() if a in told["over"]} == told["over"]
    assert not errors.keys() & told["held"].keys()
    if interpreter is KNOWN[-1]:
        check_no_names(pair, tmp_path / "names.db")
    pair.close()


@pytest.mark.parametrize("interpreter", SEVERAL_KNOWN, ids=repr)
def test_second_interpreter(interpreter, tmp_path):
    """Static types of a module that only another interpreter than the main one has imported."""
    modules = native.extension(interpreter, tmp_path / "modules")
    pair = Pair(interpreter, tmp_path, HERE / "programs" / "second_interpreter.py", modules)
    told = {int(a): name for a, name in map(str.split, pair.truth.splitlines())}
    hidden = types_of(pair.hidden)
    assert len(told) == 5 and {a: hidden.get(a) for a in told} == told
    pair.compare()
    pair.close()


@pytest.mark.parametrize("interpreter", ZOO_KNOWN, ids=repr)
def test_zoo(interpreter, tmp_path):
    """One of each kind of object: gc.get_referents of the process, but for what only traverse functions know."""
    truth = tmp_path / "objects"
    pair = Pair(interpreter, tmp_path, test_referents.PROGRAM, truth, test_referents.ZOO)
    assert pair.known.rows(SUSPENDED) and pair.hidden.rows(SUSPENDED) == pair.known.rows(SUSPENDED)
    truth = test_referents.Truth(truth)
    lost, missed, _ = test_referents.compare(truth, pair.hidden)
    assert not sum(lost.values()), lost
    assert not missed.keys() - test_referents.MISSED, missed
    pair.close()


@pytest.mark.parametrize("interpreter", C_TYPES_KNOWN, ids=repr)
def test_garbage_of_c_types(interpreter, tmp_path):
    """Rings through types whose traverse function is in a binary: nothing is invented; what is not sure is said."""
    pair = Pair(interpreter, tmp_path, HERE / "programs" / "garbage_c_types.py")
    truth = [line.split() for line in pair.truth.splitlines()]
    told = {what: {int(a): name for w, a, name in truth if w == what} for what in ("garbage", "alive")}
    assert len(told["garbage"]) == 750 and len(told["alive"]) == 80
    garbage = [set(db.column("SELECT o.address FROM garbage g JOIN object o ON o.id = g.object_id"))
               for db in (pair.known, pair.hidden)]
    assert garbage[0] == told["garbage"].keys()
    # A word that was left somewhere may lead to a ring, and then it is not taken to be garbage.
    assert garbage[1] <= told["garbage"].keys() and len(garbage[1]) >= 750 // 2
    (text,) = pair.hidden.rows("SELECT title, detail FROM finding WHERE kind = 'traverse'")
    assert "is not known" in text[0] and "sqlite3.Connection (70)" in text[1] and "sqlite3.Cursor (70)" in text[1]
    assert "neither in the dump nor in a binary" in text[1]
    assert not pair.known.rows("SELECT 1 FROM finding WHERE kind = 'traverse' AND detail LIKE '%sqlite3%'")
    assert pair.hidden.one("SELECT count(*) FROM trust WHERE aspect = 'traverse functions' AND weakens LIKE 'cycles%'")
    pair.close()
