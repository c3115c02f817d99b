"""A Python heap that something wrote over: heapscan says what is damaged where objects show it, tells the
rest, and ends in time, with a sound database or a message."""

import os
import random
import resource
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from elfcore import Core  # noqa: E402
from heapscan import command, Database  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "damage_zoo.py"
KNOWN = [i for i in interpreters() if i.word == 8 and not (i.free_threaded or i.debug)]
SHORT = bool(os.environ.get("SHORT"))
if SHORT:
    KNOWN = KNOWN[:1] + KNOWN[-1:]
# Of random writes, a version and a kind of place; 0: one, and of a third of the kinds.
ROUNDS = int(os.environ.get("DAMAGE_ROUNDS", "0"))
KINDS = ["objects", "types", "frames", "pools", "pointed", "statics", "anywhere"]
MEMORY = 3 << 30
SLOWER, SECONDS = 3, 1  # times the processor time of the undamaged one, and what a busy machine adds
TYPE, SIZE, ITEMS = 8, 16, 24  # PyVarObject.ob_type, .ob_size, PyListObject.ob_item
NOWHERE = 0x5A5A5A5A50
DAMAGE = "SELECT title FROM finding WHERE kind IN ('runtime-damage', 'heap-damage')"


class Victim:
    def __init__(self, python, folder):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        made = dumper.run(folder / "run", [*python.command, "-B", "-S", "-E", PROGRAM], python.path,
                          env={**env, "PYTHONHASHSEED": "0"})
        self.python, self.folder = python, folder
        self.core = Core(made.core)
        made.core.unlink()
        self.at = {}
        for line in made.truth.read_text().splitlines():
            name, address = line.split()
            self.at[name] = int(address, 16)
        self.most = None
        self.sound = self.scan("undamaged")
        self.sound_objects, self.most = self.objects, SLOWER * self.took + SECONDS

    def scan(self, what):
        """What the findings say of damage; None: heapscan refused, with a message."""
        core, db = self.folder / "core", self.folder / "x.db"
        core.write_bytes(self.core.data)
        db.unlink(missing_ok=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            done = command(core, "-o", db, status=(0, 2), memory=MEMORY)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if done.returncode == 2:
                assert done.err.startswith("heapscan:") and not db.exists()
                return None
            with Database(db) as found:
                said = found.column(DAMAGE)
                self.objects = found.one("SELECT count(refcount) FROM object")
        except AssertionError as e:
            raise AssertionError(f"{what}: {e}") from None
        assert not self.most or self.took < self.most, f"{what}: {self.took:.1f} s of the processor"
        assert len(said) < 250, f"{what}: {len(said)} sentences"
        return said

    def damaged(self, what, writes):
        """Words put at addresses for the time of one scan."""
        old = bytes(self.core.data)
        for address, value in writes:
            if self.core.offset(address) is not None:
                self.core.put_word(address, value)
        try:
            return self.scan(what)
        finally:
            self.core.data[:] = old


@pytest.fixture(scope="module", params=KNOWN, ids=repr)
def victim(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    yield Victim(request.param, folder)
    shutil.rmtree(folder)


def told_cases(v):
    """What is written where, and what must be said about it."""
    at, old, word = v.at, v.python.version < (3,), v.core.word_at
    gc_head = 32 if v.python.version < (3, 8) else 16  # a long double in the union made it longer
    yield "room", at["list0"] + SIZE, 1 << 20, "the list at", at["list0"]
    yield "room", at["list1"] + ITEMS, NOWHERE, "lists, the first", None
    yield "negative", at["list2"] + SIZE, (1 << 64) - 5, "more items than there is room for", None
    used = 24 if old else 16
    yield "ma_used", at["dict0"] + used, 7, "another number of entries", at["dict0"]
    yield "table", at["dict1"] + (40 if old else 32), NOWHERE, "a table that cannot be one", None
    yield "set used", at["set0"] + 24, 7, None if old else "another number of members", at["set0"]
    yield "set mask", at["set1"] + 32, 1 << 40, "set at", at["set1"]
    yield "deque", at["deque0"] + (16 if old else 24), NOWHERE, "chain of blocks", at["deque0"]
    yield "item", word(at["holder0"] + ITEMS), NOWHERE, "address where nothing is", at["holder0"]
    yield "text type", at["item1"] + TYPE, NOWHERE, "no object any more", at["holder1"]
    yield "gc next", at["plain0"] - gc_head, NOWHERE, "collector's list", None
    yield "instance's type", at["doubtful"] + TYPE, NOWHERE, "is no object any more: its type", None
    yield "tuple size", at["tuple0"] + SIZE, 1 << 50, "is no object any more: its type", None
    yield "basicsize", at["doomed_class"] + 32, 1 << 40, "is no object any more: its type", None


def test_undamaged(victim):
    assert victim.sound == []


def test_told(victim):
    """All at once; then, of the oldest and the newest version, each alone."""
    cases = list(told_cases(victim))
    objects = victim.sound_objects
    every = victim.damaged("all", [(a, value) for _, a, value, _, _ in cases])
    assert every is not None and victim.objects > objects * 0.9
    said = "\n".join(every)
    for what, _, _, text, _ in cases:
        assert not text or text.replace("the list at", "lists").replace("set at", "set") in said, what
    if not (ROUNDS or victim.python in (KNOWN[0], KNOWN[-1])):
        return
    for what, address, value, text, where in cases[::5 if SHORT else 1]:
        alone = victim.damaged(what, [(address, value)])
        if not text:
            continue
        text = text.replace("lists, the first", "the list")
        found = [t for t in alone if text in t]
        assert found, f"{what}: {alone}"
        assert where is None or any(f"{where:#x}" in t for t in found), f"{what}: {found}"
        assert victim.objects > objects * 0.95, what


VALUES = (0, 1, 2, 7, 8, 255, 1 << 16, 1 << 31, 1 << 32, 1 << 47, 1 << 62, 1 << 63, (1 << 64) - 1, (1 << 64) - 8,
          NOWHERE, 0x4141414141414141)


def values(r, v):
    """A wild value; often an address, which is worse."""
    if r.random() < 0.5:
        return r.choice(VALUES)
    return r.choice(list(v.at.values())) + r.choice((0, 0, 0, 8, -16, -32, 1, 3, 24))


def writable(v):
    return [s for s in v.core.loads if s.flags & 2 and s.filesz]


def places_of(kind, v, r):
    core, at = v.core, v.at
    if kind == "objects":
        return at[r.choice(list(at))] + 8 * r.randrange(-4, 24)
    if kind == "types":
        names = [n for n in at if n.startswith(("type_", "class", "doomed_"))]
        return at[r.choice(names)] + 8 * r.randrange(-2, 60)
    if kind == "frames":
        names = ["frame", "code", "generator0", "generator1", "function0", "globals", "builtins", "modules"]
        return at[r.choice(names)] + 8 * r.randrange(-2, 40)
    if kind == "pools":
        size = 1 << (14 if v.python.version >= (3, 10) else 12)
        return at[r.choice(list(at))] // size * size + 8 * r.randrange(8)
    if kind == "pointed":  # what an object's words lead to: tables, buffers, nodes, frames
        word = core.word_at(at[r.choice(list(at))] // 8 * 8 + 8 * r.randrange(2, 8))
        return word // 8 * 8 + 8 * r.randrange(-2, 8)
    if kind == "statics":  # arenas, interned texts, the interpreter's state, static types
        s = r.choice([s for s in writable(v) if s.vaddr < at["type_type"] + (4 << 20)
                      and s.vaddr + s.filesz > at["type_type"] - (4 << 20)] or writable(v))
        return s.vaddr + r.randrange(s.filesz) // 8 * 8
    s = r.choice(writable(v))
    return s.vaddr + r.randrange(s.filesz) // 8 * 8


@pytest.mark.parametrize("kind", KINDS)
def test_wild_writes(victim, kind):
    if not ROUNDS and (KINDS.index(kind) + victim.python.version[1]) % 3:
        return
    for i in range(ROUNDS or 1):
        seed = f"{kind} {i}"
        r = random.Random(seed)
        writes = []
        for _ in range(r.choice((1, 4, 30, 300))):
            place = places_of(kind, victim, r)
            if victim.core.offset(place) is not None and victim.core.offset(place + 7) is not None:
                writes.append((place, values(r, victim)))
        victim.damaged(f"{victim.python}: {seed}", writes)
