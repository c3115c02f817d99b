"""Allocation sites that the process recorded itself: tracemalloc's, object by object."""

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

TRACED = HERE / "programs" / "traced.py"
KNOWN = [i for i in interpreters()
         if i.version >= (3, 6) and i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]


@pytest.fixture(scope="module", params=[(i, 5) for i in KNOWN] + [(KNOWN[-1], 1)],
                ids=lambda p: f"{p[0]}-{p[1]}")
def traced(request, tmp_path_factory):
    interpreter, depth = request.param
    folder = tmp_path_factory.mktemp("traced") / "run"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*interpreter.command, TRACED, depth], interpreter.path, env=env)
    objects, sites = {}, Counter()
    for text in made.truth.read_text().splitlines():
        first, *rest = text.split("\t")
        if first == "site":
            line, count, size = map(int, rest)
            sites[line, "count"] += count
            sites[line, "size"] += size
        else:
            objects[int(first)] = [(f, int(n)) for f, n in zip(rest[::2], rest[1::2])]
    db = scan(made.core, folder / "traced.db")
    made.core.unlink()
    yield db, objects, sites
    db.close()


def tree(db):
    nodes = {id_: (parent, (file, line))
             for id_, parent, file, line in db.rows("SELECT id, parent_id, file, line FROM site")}

    def path(id_):
        found = []
        while id_:
            id_, frame = nodes[id_]
            found.append(frame)
        return found

    return path


def test_objects(traced):
    """Each object has the very traceback that tracemalloc tells of it."""
    db, objects, _ = traced
    path = tree(db)
    sites = dict(db.rows("SELECT address, site_id FROM object WHERE site_id IS NOT NULL"))
    assert len(objects) == 8000
    wrong = {a: (frames, path(sites.get(a))) for a, frames in objects.items()
             if path(sites.get(a)) != frames}
    if db.meta()["python_version"].startswith("3.11."):
        # What it asks its own table for is 16 bytes off where attributes are before the object:
        # get_object_traceback() knows nothing of an instance whose block is there.
        things = set(db.column("SELECT o.address FROM object o JOIN type t ON t.id = o.type_id "
                               "WHERE t.name = '__main__.Thing'"))
        assert {a for a, (frames, _) in wrong.items() if not frames} == things
        assert {found[0][1] for _, found in wrong.values()} == {35}
        wrong = {a: w for a, w in wrong.items() if a not in things}
    assert wrong == {}


def test_totals(traced):
    """Lines of the program that allocated before the fork: as many blocks, as many bytes. What the
    program went on to allocate by asking is at other lines."""
    db, _, sites = traced
    found = Counter()
    for line, count, size in db.rows("SELECT line, live_objects, live_bytes FROM site "
                                     "WHERE file LIKE '%/traced.py' AND live_objects > 0"):
        found[line, "count"] += count
        found[line, "size"] += size
    first, last = 17, 36  # class Thing to work()
    told = {k: n for k, n in sites.items() if first <= k[0] <= last}
    assert len(told) >= 8
    assert {k: n for k, n in found.items() if first <= k[0] <= last} == told


def test_keys_hold_nothing(traced):
    """tracemalloc has the address of all that it watches: such a word is no reference.

    An entry that its table gave back leaves its key in the block that malloc makes of it next, where
    nobody writes over it: one here and there, of blocks that are no entries."""
    db, objects, _ = traced
    some = sorted(objects)[::100]
    holders = db.rows("SELECT r.src, t.name FROM reference r JOIN object d ON d.id = r.dst JOIN object s "
                      "ON s.id = r.src LEFT JOIN type t ON t.id = s.type_id "
                      "WHERE d.address IN (%s) AND r.kind = 0 "
                      "AND coalesce(t.name, 'tracemalloc''s table') = 'tracemalloc''s table' "
                      "AND r.offset = 16 AND s.size BETWEEN 32 AND 48" % ",".join(map(str, some)))
    assert [h for h in holders if h[1]] == []
    assert len(holders) <= len(some) // 20


def test_its_own_memory_is_named(traced):
    """As many entries as traces, and the arrays of their heads."""
    db, _, _ = traced
    blocks = db.one("SELECT count(*) FROM object o JOIN type t ON t.id = o.type_id "
                    "WHERE t.name = 'tracemalloc''s table'")
    traces = int(db.meta()["tracemalloc_traces"])
    assert traces < blocks <= traces + 64


def test_commands(traced):
    db, objects, _ = traced
    out = json.loads(command("top", db.path, "--by", "site", "--limit", "5", "--format", "json").out)
    assert out["rows"][0]["file"].endswith("traced.py")
    address = next(iter(objects))
    text = command("show", db.path, hex(address)).out
    assert "Allocated  at %s:%d" % objects[address][0] in text
    if len(objects[address]) > 1:
        assert "called from %s:%d" % objects[address][1] in text
