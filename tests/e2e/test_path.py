"""Paths in heaps where a search backwards would have to look at too much."""

import json
from pathlib import Path

from heapscan import command, scan


def test_far(dumps, db_path):
    """What all of a long list refers to: from the list's first node it is one step, but a search meets
    the other end first, and gives up. The scan has come by that step."""
    db = scan(dumps("far_list").core, db_path)
    common = db.one("SELECT id FROM object WHERE size = 1000")
    found = json.loads(command("path", db.path, f"#{common}", "--format", "json").out)
    assert not found["complete"]
    assert [row["expression"] for row in found["paths"]] == ["list->+8"]
    first = db.one("SELECT object_id FROM root WHERE name = 'list'")
    assert [s["id"] for s in found["steps"]] == [first, common]
    # The list's last node was allocated first. No path of 200,000 steps is
    # printed, but what holds it is told.
    last = db.one("SELECT min(id) FROM object WHERE size = 24")
    found = json.loads(command("path", db.path, f"#{last}", "--format", "json").out)
    assert not found["complete"] and not found["paths"]
    assert found["held_by"].startswith("list->") and found["held_by"].endswith("*")
    assert found["held_by"] in command("path", db.path, f"#{last}").out


def test_two_ways(dumps, db_path):
    """A table of old pointers is the short way to a record; that a list holds it, too, is the other one. Its 2,000
    links are one step in the expression, and rows at its ends alone; JSON has all of them."""
    db = scan(dumps("two_ways").core, db_path)
    record = db.one("SELECT id FROM object WHERE size BETWEEN 5000 AND 5016")
    found = json.loads(command("path", db.path, f"#{record}", "--format", "json").out)
    assert [row["expression"] for row in found["paths"]] == ["slots->+16000", "queue->+16->+0{2000}->+8"]
    assert [row["steps"] for row in found["paths"]] == [1, 2002]
    assert len(found["steps"]) == 2 + 2003
    text = command("path", db.path, f"#{record}").out
    assert "1,983 steps further" in text and len(text.splitlines()) < 50
    cut = json.loads(command("path", db.path, f"#{record}", "--cut", "--format", "json").out)
    assert cut["cuts_left_out"] == 1983 and len(cut["cuts"]) == 2 + 20
    assert [(c["name"], c["others"]) for c in cut["cuts"] if c["id"] == record] == [("->+16000", 1), ("->+8", 1)]
    assert "1,983 references in the middle" in command("path", db.path, f"#{record}", "--cut").out
    assert "+0 what waits to be sent" in text
    said = command("sql", db.path, f"SELECT DISTINCT expression FROM path_to({record})", "--format", "json").out
    assert {row["expression"] for row in json.loads(said)["rows"]} == {row["expression"] for row in found["paths"]}


def test_held_by(dumps, db_path):
    """Each reachable object has a root, or a reference from one that is nearer to a root: no rings."""
    db = scan(dumps("random_heap", args=["7", "0"]).core, db_path)
    source = {rowid: (src, dst) for rowid, src, dst in db.rows("SELECT rowid, src, dst FROM reference")}
    roots = {i for (i,) in db.rows("SELECT object_id FROM root")}
    held = dict(db.rows("SELECT id, held_by FROM object WHERE reachable <> 0"))
    sound = set()
    for start in held:
        way, at = [], start
        while at not in sound and held[at] is not None:
            src, dst = source[held[at]]
            assert dst == at and at not in way
            way.append(at)
            at = src
        assert at in sound or at in roots
        sound.update(way, [at])
    assert sound == set(held)
    assert db.one("SELECT count(held_by) FROM object WHERE reachable = 0") == 0


def test_types_to_avoid_and_to_begin_at(tmp_path):
    db = scan(Path(__file__).resolve().parents[2] / "sample-dumps" / "python.core.xz", tmp_path / "x.db")
    user = db.one("SELECT o.id FROM object o JOIN type t ON t.id = o.type_id WHERE t.name = 'shop.User' LIMIT 1")
    known = dict(db.rows("SELECT o.id, t.name FROM object o JOIN type t ON t.id = o.type_id"))

    def steps(*options):
        out = json.loads(command("path", db.path, f"#{user}", "--format", "json", *options).out)
        return out["steps"]

    on_the_way = {known.get(step["id"]) for step in steps("--max", "10")} - {"shop.User", None}
    assert len(on_the_way) > 1
    for name in on_the_way:  # there may be no other way
        assert name not in {known.get(step["id"]) for step in steps("--avoid", f"^{name}$", "--max", "10")}
        found = steps("--to-type", f"^{name}$", "--max", "10")
        assert found and all((known.get(step["id"]) == name) == (step["step"] == 0) for step in found)
    db.close()
