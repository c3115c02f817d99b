"""CPython's own allocator: what heapscan finds in a core is what the interpreter says of itself."""

import os
import random
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from build import run_compiler  # noqa: E402
from elfcore import Core  # noqa: E402
from heapscan import check_sound, command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

LOAD = HERE / "programs" / "pymalloc_load.py"
SHORT = bool(os.environ.get("SHORT"))
EVERY = [i for i in interpreters() if not i.free_threaded]
if SHORT:
    EVERY = EVERY[-1:]


def since(*version):
    return [i for i in EVERY if i.version >= version]


# Pools became bigger in 3.10: the oldest and the newest with each size. (Objects behind all kinds of hooks, in
# the other versions, too: test_builds.py.)
def of_each_size(*version):
    kinds = [[i for i in since(*version) if (i.version >= (3, 10)) == bigger] for bigger in (False, True)]
    return [i for kind in kinds for n, i in enumerate(kind) if n in (0, len(kind) - 1)]


class Truth:
    """What sys._debugmallocstats printed just before the core, and where some objects lie."""

    def __init__(self, text):
        self.objects = {int(a) for a in re.findall(r"^object (\d+)$", text, re.M)}
        self.classes = {}
        rows = re.findall(r"^ *\d+ +(\d+) +(\d+) +(\d+) +(\d+) *$", text, re.M)
        for size, pools, used, free in rows:
            if int(pools):
                self.classes[int(size)] = (int(used), int(free))
        self.pools = sum(int(pools) for _, pools, _, _ in rows)
        self.arenas = self._number(r"# arenas allocated current += +([\d,]+)", text)
        self.unused = self._number(r"([\d,]+) unused pools", text)
        self.arena_bytes = self._number(r"\* (\d+) bytes/arena", text)

    @staticmethod
    def _number(pattern, text):
        found = re.search(pattern, text)
        return int(found.group(1).replace(",", "")) if found else None


@pytest.fixture
def dump(tmp_path):
    """Runs the load until it dies; the core goes when the test ends."""
    made = []

    def run(interpreter, *args, malloc=None):
        folder = tmp_path / f"run{len(made)}"
        made.append(folder)
        env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        env["PYTHONHASHSEED"] = "0"
        if malloc:
            env["PYTHONMALLOC"] = malloc
        d = dumper.run(folder, [*interpreter.command, LOAD, *args], interpreter.path, env=env)
        d.text = d.truth.read_text()
        return d

    yield run
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


def counts(db, arenas="a.allocator = 'pymalloc'"):
    used = Counter(dict(db.rows(f"""SELECT o.size, count(*) FROM object o JOIN arena a
                                    ON a.id = o.arena_id WHERE {arenas} GROUP BY 1""")))
    free = Counter(dict(db.rows(f"""SELECT f.size, count(*) FROM free_block f JOIN arena a
                                    ON a.id = f.arena_id
                                    WHERE {arenas} AND f.kind = 'pymalloc free' GROUP BY 1""")))
    return {size: (used[size], free[size]) for size in used | free}


def check_objects(db, truth):
    """object() is two words, without a collector's header: its block begins where it does."""
    assert truth.objects
    sizes = dict(db.rows("""SELECT coalesce(o.block, o.address), o.size FROM object o JOIN arena a
                            ON a.id = o.arena_id WHERE a.allocator = 'pymalloc'"""))
    missed = [hex(a) for a in truth.objects if sizes.get(a) != 16]
    assert not missed, f"{len(missed)} live objects are no blocks of 16 bytes: {missed[:5]}"


def check_exact(db, truth):
    meta = db.meta()
    check_objects(db, truth)
    wrong = db.rows("""SELECT id FROM arena WHERE allocator = 'pymalloc'
                       AND used_bytes + free_bytes + overhead_bytes != system_bytes""")
    assert wrong == []
    check_sound(db)
    if truth.arenas is None:
        return
    found = counts(db)
    assert found == truth.classes, {
        size: (found.get(size), truth.classes.get(size))
        for size in found.keys() | truth.classes.keys()
        if found.get(size) != truth.classes.get(size)}
    assert int(meta["pymalloc_arenas"]) == truth.arenas
    assert int(meta["pymalloc_arena_size"]) == truth.arena_bytes
    assert int(meta["pymalloc_pools_used"]) == truth.pools
    assert int(meta["pymalloc_pools_empty"]) == truth.unused


@pytest.mark.parametrize("interpreter", EVERY, ids=str)
def test_every_block(dump, db_path, interpreter):
    d = dump(interpreter, "load", 9000)
    db = scan(d.core, db_path, "--check")
    check_exact(db, Truth(d.text))
    assert db.meta()["python_allocator"] == "pymalloc"
    assert "cannot be read yet" not in db.meta()["warnings"]


@pytest.mark.parametrize("interpreter", of_each_size(3, 6), ids=str)
def test_debug_hooks(dump, db_path, interpreter):
    d = dump(interpreter, "load", 2000, malloc="pymalloc_debug")
    db = scan(d.core, db_path, "--check")
    truth = Truth(d.text)
    # Two words of padding come before each object, and more behind it.
    truth.objects = {a - 16 for a in truth.objects}
    assert counts(db) == truth.classes
    assert db.meta()["python_allocator"] == "pymalloc_debug"
    blocks = set(db.column("SELECT coalesce(block, address) FROM object"))
    assert truth.objects <= blocks


@pytest.mark.parametrize("interpreter,allocator", [(i, "malloc") for i in since(3, 6)] +
                         [(i, "malloc_debug") for i in of_each_size(3, 6)], ids=str)
def test_no_pymalloc(dump, db_path, interpreter, allocator):
    d = dump(interpreter, "load", 2000, malloc=allocator)
    db = scan(d.core, db_path, "--check")
    assert db.meta()["python_allocator"] == allocator
    assert db.one("SELECT count(*) FROM arena WHERE allocator = 'pymalloc'") == 0
    blocks = set(db.column("SELECT coalesce(block, address) FROM object"))
    pad = 16 if allocator == "malloc_debug" else 0
    assert {a - pad for a in Truth(d.text).objects} <= blocks


@pytest.mark.parametrize("interpreter", since(3, 12), ids=str)
def test_interpreters(dump, db_path, interpreter):
    """Each has a state of its own; the one that was running says what is in its."""
    d = dump(interpreter, "sub")
    db = scan(d.core, db_path, "--check")
    truth = Truth(d.text)
    check_sound(db)
    check_objects(db, truth)
    assert db.meta()["pymalloc_states"] == "3"
    states = db.column("""SELECT DISTINCT substr(name, instr(name, ', ')) FROM arena
                          WHERE allocator = 'pymalloc'""")
    assert len(states) == 3
    assert truth.classes in [counts(db, f"a.name LIKE '%{s}'") for s in states]


@pytest.mark.parametrize("interpreter", of_each_size(3, 4), ids=str)
def test_arenas_inside_blocks(dump, db_path, tmp_path, interpreter):
    library = tmp_path / "arena_by_malloc.so"
    run_compiler(["gcc", "-shared", "-fPIC", "-O2", "-Wl,-z,lazy",
                  HERE / "programs" / "arena_by_malloc.c", "-o", library])
    d = dump(interpreter, "malloc", library)
    db = scan(d.core, db_path, "--check")
    check_exact(db, Truth(d.text))
    # Some arenas lie between extents of glibc's, and no block of glibc's holds them.
    assert db.one("""SELECT count(*) FROM arena p, arena g, object o
                     WHERE p.allocator = 'pymalloc' AND g.allocator = 'glibc'
                     AND o.arena_id = g.id AND o.address < p.address
                     AND o.address + o.size > p.address""") == 0
    heap = db.column("""SELECT p.address FROM arena p JOIN segment s
                        ON p.address BETWEEN s.start AND s."end" - 1
                        WHERE p.allocator = 'pymalloc' AND s.kind = 'heap'""")
    assert heap, "no arena was inside the break: the test is void"


@pytest.mark.parametrize("interpreter", EVERY[-1:], ids=str)
def test_high_water(dump, db_path, interpreter):
    db = scan(dump(interpreter, "high_water", 150000).core, db_path, "--check")
    (title, detail, bytes_), = db.rows(
        "SELECT title, detail, bytes FROM finding WHERE kind = 'pymalloc'")
    pinned, arenas = re.search(r"\((\d+) of (\d+)\)", title).groups()
    assert int(arenas) == int(db.meta()["pymalloc_arenas"])
    assert int(pinned) == db.one("""SELECT count(*) FROM arena WHERE allocator = 'pymalloc'
                                    AND used_bytes * 20 < system_bytes""")
    assert bytes_ > 0
    assert db.rows(re.search(r'"(.*)"', detail).group(1))


@pytest.mark.parametrize("interpreter", EVERY[-1:], ids=str)
def test_damage(dump, db_path, tmp_path, interpreter):
    """Wild writes over pools, their lists, and the records of arenas: it goes on, and says so."""
    d = dump(interpreter, "high_water", 60000)
    db = scan(d.core, db_path)
    pool_size = int(db.meta()["pymalloc_pool_size"])
    arenas = db.rows("SELECT address, system_bytes FROM arena WHERE allocator = 'pymalloc'")
    blocks = db.column("""SELECT coalesce(o.block, o.address) FROM object o JOIN arena a
                          ON a.id = o.arena_id WHERE a.allocator = 'pymalloc'""")
    before = len(blocks)
    db.close()
    core = Core(d.core)
    original = bytes(core.data)
    # Where the records are: words that hold an arena's address.
    records = [at for address, _ in arenas
               for at in find_words(core, address) if core.word_at(at + 8) >= address][:64]
    damaged = tmp_path / "damaged"
    r = random.Random(1)
    for round_ in range(4 if SHORT else 15):
        core.data[:] = original
        for _ in range(r.choice((1, 5, 50, 500))):
            block = r.choice(blocks)
            pool = block - block % pool_size
            at = r.choice([pool + 8 * r.randrange(6), block, r.choice(records or [block])
                           + 8 * r.randrange(6)])
            value = r.choice([0, (1 << 64) - 1, core.word_at(at) ^ 1 << r.randrange(64), pool,
                              r.choice(blocks), block + 8])
            core.put_word(at, value)
        damaged.write_bytes(core.data)
        db = scan(damaged, db_path, "--check")
        after = db.one("""SELECT count(*) FROM object o JOIN arena a ON a.id = o.arena_id
                          WHERE a.allocator = 'pymalloc'""")
        assert after > before // 4, f"round {round_}: {after} of {before} blocks are left"
        db.close()
    # Cut in the middle of the arenas.
    for part in (0.3, 0.6, 0.9):
        damaged.write_bytes(original[:int(len(original) * part)])
        command(damaged, "-o", db_path, status=(0, 2))


def find_words(core, value):
    pattern = value.to_bytes(8, "little")
    for s in core.loads:
        at = core.data.find(pattern, s.offset, s.offset + s.filesz)
        while at >= 0:
            if (at - s.offset) % 8 == 0:
                yield s.vaddr + at - s.offset
            at = core.data.find(pattern, at + 1, s.offset + s.filesz)


@pytest.fixture
def db_path(tmp_path):
    yield tmp_path / "x.db"
    for f in tmp_path.glob("*"):
        if f.is_file():
            f.unlink()
