"""Every object of a process: none missing, none invented, each with its type, size and count, as a forked
child of the process tells (programs/objects.py)."""

import os
import shutil
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, Database  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "objects.py"
ZOO = HERE / "zoo.py"
EVERY = [i for i in interpreters() if i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    EVERY = EVERY[-1:]

# What the child itself uses while it reads the counts: functions that run, the class of a word, the stream.
BUSY = {"function", "code", "builtin_function_or_method", "getset_descriptor", "PyCSimpleType", "NoneType",
        "TextIOWrapper", "file", "array", "dict", "str", "int", "long", "set", "frame"}
BUSY_MOST = 30

# Objects that no question to the process leads to, with a reason each.
#
# Compiled into the interpreter, and held by nothing: characters, frozen names, definitions of modules.
# Parts of code objects that have no attribute: co_localsplusnames, co_localspluskinds, co_code.
CODE_PARTS = {"tuple", "bytes", "str"}
# Interned text that is in the interpreter's table, or that C keeps in a variable, alone; names that the
# instances of a class share the keys of. More of them where the process itself compiled its modules.
INTERNED, INTERNED_MOST = {"str"}, 1200
# Atoms and untracked containers that only C code holds: module state, ht_slots, caches of re, _struct and
# sqlite3 (to 3.9 these are not tracked), the frames that the child runs in.
HELD_BY_C = {"int", "long", "float", "bytes", "unicode", "tuple", "dict", "object", "code", "frame", "file",
             "str", "datetime.timedelta", "datetime.datetime", "Struct", "_struct.Struct", "sqlite3Node",
             "sqlite3.Cache", "sqlite3.Statement", "_thread._localdummy"}
HELD_MOST = 250


class Truth:
    def __init__(self, path):
        self.count, self.size, self.type = {}, {}, {}
        for line in path.read_text().splitlines():
            address, count, size, kind = line.split()
            a = int(address, 16)
            self.count[a], self.size[a], self.type[a] = int(count), int(size), kind


def short(name):
    return (name or "").rsplit(".", 1)[-1].replace(" ", "_")


class Found:
    """The typed objects of a dump, by address."""

    def __init__(self, db):
        self.db = db
        self.id, self.type, self.count, self.block, self.static = {}, {}, {}, {}, set()
        for i, a, kind, count, block, size, arena in db.rows(
                "SELECT o.id, o.address, t.name, o.refcount, coalesce(o.block, o.address), o.size, o.arena_id "
                "FROM object o LEFT JOIN type t ON t.id = o.type_id WHERE o.refcount IS NOT NULL"):
            self.id[a], self.type[a], self.count[a], self.block[a] = i, kind, count, (block, size)
            if arena is None:
                self.static.add(a)

    def holders(self):
        kinds = {i: self.type[a] for a, i in self.id.items()}
        holders = defaultdict(set)
        for src, dst in self.db.rows("SELECT src, dst FROM reference WHERE kind = 1"):
            holders[dst].add(kinds.get(src))
        return {a: holders[i] for a, i in self.id.items()}


@pytest.fixture(scope="module", params=EVERY, ids=repr)
def process(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects") / "run"
    path = folder.parent / "objects"
    python = request.param
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*python.command, "-B", PROGRAM, path, ZOO], python.path, env=env)
    command(made.core, "-o", folder.parent / "x.db")
    made.core.unlink()
    db = Database(folder.parent / "x.db")
    truth = Truth(path)
    assert len(truth.type) > 20000
    yield truth, Found(db)
    db.close()
    shutil.rmtree(folder.parent)


def test_none_is_missing(process):
    truth, found = process
    segments = found.db.rows('SELECT start, "end" FROM segment')
    # Memory that the child mapped is the child's.
    missing = [a for a in truth.type.keys() - found.id.keys()
               if any(start <= a < end for start, end in segments)]
    assert not missing, Counter(truth.type[a] for a in missing)


def test_types(process):
    truth, found = process
    wrong = Counter((truth.type[a], found.type[a]) for a in truth.type.keys() & found.id.keys()
                    if short(found.type[a]) != short(truth.type[a]))
    assert not wrong


def test_counts(process):
    truth, found = process
    wrong = Counter((truth.type[a], found.count[a] - truth.count[a])
                    for a in truth.type.keys() & found.id.keys()
                    # Immortal ones have none to speak of (3.12).
                    if truth.count[a] < 1 << 30 and found.count[a] != truth.count[a])
    assert {kind for kind, _ in wrong} <= BUSY, wrong
    assert sum(wrong.values()) <= BUSY_MOST, wrong
    assert all(abs(n) <= 2 for _, n in wrong), wrong


def test_sizes(process):
    """The block holds all of the object, and little else: what was made shorter in its place may leave a
    fourth of it unused (Objects/obmalloc.c, pymalloc_realloc)."""
    truth, found = process
    wrong, told = [], 0
    for a in truth.type.keys() & found.id.keys():
        if truth.size[a] < 0:
            continue
        told += 1
        block, size = found.block[a]
        need = a - block + truth.size[a]
        if not need <= size <= need * 4 / 3 + 32:
            wrong.append((truth.type[a], hex(a), need, size))
    assert not wrong
    assert told > 10000


def test_none_is_invented(process):
    truth, found = process
    holders = found.holders()
    interned, held = 0, Counter()
    for a in found.id.keys() - truth.type.keys():
        kind = found.type[a]
        if a in found.static or (kind in CODE_PARTS and holders[a] == {"code"}):
            continue
        if kind in INTERNED:
            interned += 1
        else:
            held[kind] += 1
    assert held.keys() <= HELD_BY_C
    assert sum(held.values()) <= HELD_MOST, held
    assert interned <= INTERNED_MOST
