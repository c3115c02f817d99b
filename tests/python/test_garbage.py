"""Cyclic garbage: what heapscan finds in a core is what gc.collect() found in a fork just before it."""

import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

ZOO = HERE / "programs" / "garbage_zoo.py"
KNOWN = [i for i in interpreters()
         if i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]


def told(path):
    """What the zoo wrote: addresses and types by what they are; the thresholds."""
    found = {"garbage": {}, "kept": {}, "behind": {}, "alive": {}, "frozen": {}, "thresholds": None}
    for line in path.read_text().splitlines():
        what, rest = line.split(None, 1)
        if what == "thresholds":
            found[what] = rest
            continue
        address, *kind = rest.split()
        found[what][int(address)] = " ".join(kind)
    assert len(found["garbage"]) > 1000
    return found


def run(python, folder, *args):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*python.command, ZOO, *args], python.path, env=env)
    found = told(made.truth)
    db = scan(made.core, folder / "zoo.db")
    made.core.unlink()
    return db, found


@pytest.fixture(scope="module", params=KNOWN, ids=str)
def zoo(request, tmp_path_factory):
    db, found = run(request.param, tmp_path_factory.mktemp("garbage") / "run")
    yield db, found
    db.close()


def died_in_finalizers(db, extra):
    """What hangs on the cycle of a suspended generator. Its finalizer closes it, which takes its frame
    apart: the collector finds the cycle, and then it is gone before DEBUG_SAVEALL could keep it."""
    seen = {a for a, name in extra.items() if name == "generator"}
    pending = list(seen)
    while pending:
        held = db.column("SELECT d.address FROM object s JOIN referent r ON r.src = s.id "
                         "JOIN object d ON d.id = r.dst WHERE s.address = ?", pending.pop())
        new = {a for a in held if a in extra} - seen
        seen |= new
        pending += new
    return seen


def compare(db, truth):
    rows = dict(db.rows("SELECT o.address, t.name FROM garbage g JOIN object o ON o.id = g.object_id "
                        "LEFT JOIN type t ON t.id = o.type_id"))
    missing = Counter(truth["garbage"][a] for a in truth["garbage"].keys() - rows.keys())
    extra = {a: rows[a] for a in rows.keys() - truth["garbage"].keys()}
    extra = Counter(extra[a] for a in extra.keys() - died_in_finalizers(db, extra))
    assert (missing, extra) == (Counter(), Counter())
    assert not truth["alive"].keys() & rows.keys()


def test_identical(zoo):
    compare(*zoo)


@pytest.mark.parametrize("python", [i for i in KNOWN if i.version >= (3, 7)], ids=str)
def test_frozen(python, tmp_path):
    """Objects that gc.freeze() took out of the collector's lists are not what it looks for."""
    db, truth = run(python, tmp_path / "run", "freeze")
    compare(db, truth)
    lost = db.column("SELECT address FROM object WHERE NOT reachable")
    assert len(truth["frozen"].keys() & set(lost)) >= 18  # but for what stale words lead to
    assert db.rows("SELECT 1 FROM finding WHERE kind = 'cycle-unseen' AND detail LIKE '%gc.freeze()%'")
    db.close()


def test_uncollectable(zoo):
    """Python 2's finalizers, of classes of both kinds and of generators, and what they lead to."""
    db, truth = zoo
    rows = set(db.column("SELECT o.address FROM garbage g JOIN object o ON o.id = g.object_id "
                         "WHERE g.uncollectable"))
    assert rows == (truth["kept"].keys() | truth["behind"].keys()) & truth["garbage"].keys()
    assert bool(rows) == (db.meta()["python_version"] < "3")


def test_nothing_leads_to_it(zoo):
    db, truth = zoo
    assert db.rows("SELECT o.id FROM garbage g JOIN object o ON o.id = g.object_id "
                   "WHERE o.reachable IS NOT 0") == []
    alive = db.column("SELECT reachable FROM object WHERE address IN (%s)"
                      % ",".join(str(a) for a in truth["alive"]))
    assert len(alive) == len(truth["alive"]) and all(alive)


def test_clusters(zoo):
    """The big ring is one cluster; the facts of the collector are told."""
    db, truth = zoo
    assert db.rows("SELECT 1 FROM cluster WHERE kind = 'cycle' AND NOT reachable AND objects >= 1000")
    meta = db.meta()
    assert meta["gc_enabled"] == "0"
    assert meta["gc_thresholds"] == truth["thresholds"] == "701 11 12"
    assert len(meta["gc_counts"].split()) == 3 and int(meta["gc_counts"].split()[0]) > 1000
    titles, details = zip(*db.rows("SELECT title, detail FROM finding WHERE kind = 'garbage'"))
    assert all("cyclic garbage" in title for title in titles)
    assert len(titles) == (2 if truth["kept"] else 1)
    assert any("switched off" in detail for detail in details)
    command("cycles", db.path, "--fail-on", "cycles", status=3)


def test_alive_by_a_local(zoo):
    """Only a blocked thread's local leads there: thread, function and variable are named."""
    db, _ = zoo
    ids = db.column("SELECT r.dst FROM reference r JOIN root x ON x.object_id = r.src "
                    "WHERE x.name = 'table' AND r.name = '[''ring'']'")
    if not ids:  # to 3.10 a frame is an object and names its locals itself
        ids = db.column("SELECT r.dst FROM reference r JOIN reference f ON f.dst = r.src "
                        "WHERE r.name = '[''ring'']' AND f.name LIKE '%table'")
    assert len(ids) == 1
    out = command("path", db.path, f"#{ids[0]}").out
    assert "table" in out and "['ring']" in out and re.search(r"thread \d+, blocked\(\)", out)
