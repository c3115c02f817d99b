"""What if a key were gone: against a forked child that deletes it (programs/whatif.py)."""

import json
import os
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, Database  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "whatif.py"
EVERY = [i for i in interpreters()
         if i.word == 8 and i.version >= (3, 5) and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    EVERY = EVERY[-1:]
else:
    EVERY = [i for n, i in enumerate(EVERY) if n % 4 == 0 or i is EVERY[-1]]
ARENA = {True: 1 << 20, False: 256 << 10}  # 3.10 made them bigger
# One arena stays for the next object, and free lists keep a few objects of each type.
ARENAS_KEPT = 2


@pytest.fixture(scope="module", params=EVERY, ids=repr)
def process(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whatif") / "run"
    truth = folder.parent / "truth.txt"
    python = request.param
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*python.command, "-B", PROGRAM, truth], python.path, env=env)
    command(made.core, "-o", folder.parent / "x.db")
    made.core.unlink()
    db = Database(folder.parent / "x.db")
    lines = truth.read_text().split("\n")[:-1]
    arenas = int(lines.pop().split()[1])
    assert len(lines) > 15000
    yield python, db, {int(line, 16) for line in lines}, arenas
    db.close()
    shutil.rmtree(folder.parent)


def test_deleted_key(process):
    python, db, gone, arenas = process
    (cut, sessions) = cut_of(db, "['sessions']")
    assert cut["others"] == 0 and cut["complete"] == 1
    rows = json.loads(command("sql", db.path, f"""
        SELECT o.address FROM retained_set({sessions}) r JOIN object o ON o.id = r.object_id
        JOIN type t ON t.id = o.type_id WHERE t.name IN ('__main__.User', '__main__.Tags')""",
                              "--format", "json").out)["rows"]
    found = {row["address"] for row in rows}
    assert not found - gone
    assert not gone - found - held_by_words(db, gone - found)
    assert len(gone - found) < len(gone) / 20
    assert cut["bytes"] == db.one("SELECT retained FROM object WHERE id = ?", sessions)
    size = ARENA[python.version >= (3, 10)]
    own = db.one("""SELECT coalesce(sum(o.size), 0) FROM object o JOIN arena a ON a.id = o.arena_id
                    WHERE a.name = 'mmapped chunks' AND o.owner_id = ?""", sessions)
    pinned = arenas_held_by_words(db, sessions)
    assert -pinned <= (cut["at_once"] - own) // size - arenas <= ARENAS_KEPT


def arenas_held_by_words(db, id_):
    """Arenas that are empty without it but for what only words lead to, which are stale: how many those are is
    chance. Of all that it leads to, what nothing else owns."""
    gone = {row["object_id"] for row in
            json.loads(command("sql", db.path, f"SELECT object_id FROM retained_set({id_})",
                               "--format", "json").out)["rows"]}
    owned, owners = defaultdict(set), defaultdict(set)
    for src, dst in db.rows("SELECT src, dst FROM reference WHERE kind = 1"):
        owned[src].add(dst)
        owners[dst].add(src)
    rooted = set(db.column("SELECT object_id FROM root WHERE kind NOT IN ('frame', 'stack', 'register')"))
    inside, pending = set(gone), list(gone)
    while pending:
        new = owned[pending.pop()] - inside
        inside |= new
        pending += new
    pending = [i for i in inside - gone if i in rooted or not owners[i] <= inside]
    while pending:
        i = pending.pop()
        if i in inside:
            inside.discard(i)
            pending += (d for d in owned[i] if d in inside and d not in gone)
    arenas = defaultdict(set)
    for i, arena in db.rows("""SELECT o.id, a.id FROM object o JOIN arena a ON a.id = o.arena_id
                               WHERE a.allocator = 'pymalloc'"""):
        arenas[arena].add(i)
    return sum(1 for objects in arenas.values() if objects <= inside and objects - gone)


def held_by_words(db, addresses):
    """Of these, what a word in memory of C or on the stack leads to: a search can only believe it."""
    seen = set()
    pending = [i for a in addresses for i in db.column("""
        SELECT o.id FROM object o WHERE o.address = ?1 AND
               (EXISTS (SELECT 1 FROM reference r WHERE r.dst = o.id AND r.kind = 0) OR
                EXISTS (SELECT 1 FROM root r WHERE r.object_id = o.id
                                              AND r.kind IN ('frame', 'stack', 'register')))""", a)]
    while pending:
        id_ = pending.pop()
        if id_ not in seen:
            seen.add(id_)
            pending += db.column("SELECT dst FROM reference WHERE src = ?", id_)
    return set(db.column(f"SELECT address FROM object WHERE id IN ({','.join(map(str, seen)) or 0})"))


def test_shared(process):
    """What two variables hold, no cut frees; both are named."""
    _, db, gone, _ = process
    (first,) = db.column("""SELECT r.dst FROM reference r JOIN object o ON o.id = r.dst
                            JOIN type t ON t.id = o.type_id
                            WHERE r.name = '[''FIRST'']' AND t.name = '__main__.User'""")
    address = db.one("SELECT address FROM object WHERE id = ?", first)
    assert address not in gone
    report = json.loads(command("path", db.path, first, "--cut", "--format", "json").out)
    (cut,) = [c for c in report["cuts"] if c["name"] == "['FIRST']"]
    assert cut["others"] > 0 and cut["objects"] == cut["bytes"] == cut["returned"] == 0
    assert report["freed_objects"] > 1


def test_shared_by_one(process):
    """Who shares an object are several; one in a binary's data needs nobody."""
    python, db, _, _ = process
    for id_, static in db.rows("""
            SELECT o.id, r.id IS NOT NULL FROM object o JOIN type t ON t.id = o.type_id
                   LEFT JOIN root r ON r.object_id = o.id AND r.address = o.address
            WHERE o.dominator_id IS NULL AND o.reachable = 1 AND o.id % 400 = 0 GROUP BY o.id LIMIT 12"""):
        out = command("path", db.path, id_).out
        assert ("nothing needs to hold it" in out) == bool(static), id_
        if "these share it" in out:
            rows = out.split("these share it\n")[1].splitlines()
            assert len({row for row in rows[1:] if not row.startswith("There may")}) > 1, out
    if python.version >= (3, 11):
        id_ = db.column("""SELECT o.id FROM object o JOIN root r ON r.object_id = o.id AND r.address = o.address
                           WHERE r.kind = 'global' AND r.name IS NULL LIMIT 1""")
        for i in id_:
            report = json.loads(command("path", db.path, i, "--format", "json").out)
            assert report["in_module"] and report["shared_by"] == []


def cut_of(db, name):
    (row,) = db.rows("""SELECT r.dst FROM reference r JOIN object o ON o.id = r.dst
                        WHERE r.name = ? AND o.value = '10000 items'""", name)
    out = command("path", db.path, row[0], "--cut", "--format", "json").out
    (cut,) = [c for c in json.loads(out)["cuts"] if c["name"] == name]
    return cut, row[0]


@pytest.fixture(scope="module", params=EVERY, ids=repr)
def cuts(request, tmp_path_factory):
    """(database, {expression: (ids that went at once, those that waited for a collection)})"""
    folder = tmp_path_factory.mktemp("cuts") / "run"
    truth = folder.parent / "truth.txt"
    python = request.param
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*python.command, "-B", HERE / "programs" / "whatif_cut.py", truth], python.path, env=env)
    command(made.core, "-o", folder.parent / "x.db")
    made.core.unlink()
    db = Database(folder.parent / "x.db")
    told = {}
    for line in truth.read_text().splitlines():
        word, rest = line.split(" ", 1)
        if word == "case":
            told[rest] = now, later = set(), set()
        else:
            (now if word == "now" else later).add(int(rest, 16))
    yield db, told
    db.close()
    shutil.rmtree(folder.parent)


def test_references(cuts):
    """One entry, place, attribute or variable: what went when it was dropped, and what of that only by a collection."""
    db, told = cuts
    assert len(told) == 8 and sum(len(later) for _, later in told.values()) == 13
    for expression, (now, later) in told.items():
        cut = json.loads(command("path", db.path, f"--cut={expression}", "--format", "json").out)
        items = now | later
        blocks = {r[0]: r[1] for a in items for r in db.rows("""
            SELECT o.address, o.size FROM object i JOIN reference r ON r.src = i.id AND r.name = '.name'
            JOIN object o ON o.id IN (i.id, r.dst) WHERE i.address = ?""", a)}
        assert len(blocks) == 2 * len(items)
        assert cut["cut_complete"] == 1
        assert cut["freed_objects"] <= len(blocks), expression
        if not held_by_words(db, blocks):  # which are stale: the last things that were made
            assert cut["freed_objects"] == len(blocks), expression
            assert cut["freed_bytes"] == sum(blocks.values())
            assert cut["waiting_objects"] == 2 * len(later), expression
            assert (cut["others"] > 0) == (not items), expression
        if not items:
            assert {h["name"] for h in cut["holders"]} >= {".other"}


def test_show(process):
    """The count of an object and who accounts for it, its buffers, its pool."""
    _, db, _, _ = process
    sessions = cut_of(db, "['sessions']")[1]
    report = json.loads(command("show", db.path, sessions, "--format", "json").out)
    assert report["refcount"] == 1 and report["owning_references"] == 1 and report["refcount_excess"] == 0
    assert len(report["buffers"]) == 1
    buffer = report["buffers"][0]["id"]
    assert "Part of    #%d " % sessions in command("show", db.path, buffer).out
    size = 16384 if db.one("SELECT max(system_bytes) FROM arena WHERE allocator = 'pymalloc'") > 300000 else 4096
    pool = int(report["pool"], 16)
    assert pool % size == 0 and 0 <= int(report["address"], 16) - pool < size
    # Blocks of a pool have one size: with its header they fill it.
    each = db.one("SELECT size FROM object WHERE id = ?", sessions)
    assert (report["pool_live"] + report["pool_free"]) * each <= size - 48
    assert (report["pool_live"] + report["pool_free"] + 1) * each > size - 48 - each
