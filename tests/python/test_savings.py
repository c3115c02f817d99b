"""Bytes that could be saved: equal contents and containers with room to spare, as a program knows them that
made the copies itself and compares sys.getsizeof with that of containers made anew."""

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "savings.py"
KNOWN = [i for i in interpreters() if i.word == 8 and not (i.free_threaded or i.debug)
         and i.version <= (3, 15)]
# The newest of each kind: dicts are tables; keys; keys that a new one lacks; keys by logarithms; StringIO has a
# writer; it has one apart; a bytearray has a bytes object.
KINDS = [[i for i in KNOWN if first <= i.version <= last][-1:] for first, last in
         (((2, 7), (2, 7)), ((3, 6), (3, 7)), ((3, 8), (3, 10)), ((3, 11), (3, 11)), ((3, 12), (3, 13)),
          ((3, 14), (3, 14)), ((3, 15), (3, 15)))]
KNOWN = [i for kind in KINDS for i in kind]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]


@pytest.fixture(scope="module", params=KNOWN, ids=str)
def saved(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("savings") / "run"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*request.param.command, PROGRAM], request.param.path, env=env)
    db = scan(made.core, folder / "savings.db")
    redacted = None
    if request.param is KNOWN[-1]:
        redacted = scan(made.core, folder / "redacted.db", "--redact")
    made.core.unlink()
    yield db, json.loads(made.truth.read_text()), request.param.version, redacted
    db.close()
    if redacted:
        redacted.close()


def usable(size, align):
    """Of a pymalloc block."""
    assert size <= 512
    return (size + align - 1) // align * align


def test_duplicates(saved):
    db, truth, version, _ = saved
    for name, (ids, parts) in truth["copies"].items():
        # The example is the one with the lowest address: it may be the constant.
        original = name in truth["constants"]
        either = ids + ([truth["constants"][name]] if original else [])
        rows = db.rows("SELECT s.objects, s.there, s.bytes, s.size, r.path FROM saving s JOIN retention r ON "
                       "r.id = s.retention_id JOIN object o ON o.id = s.object_id "
                       "WHERE s.kind = 'duplicate' AND o.address IN (%s)" % ",".join(map(str, either)))
        assert len(rows) == 1, name
        objects, there, total, size, path = rows[0]
        assert (objects, there) == (len(ids) + original, len(ids)), name
        assert path.startswith("__main__.COPIES["), path
        if version < (3,) and name in ("array", "bytearray", "latin", "wide", "astral"):
            continue  # their buffers are malloc's, or were larger once
        each = truth["big"] if name == "big" else [sum(usable(p, truth["align"]) for p in x) for x in parts]
        if original:  # in a block of any size
            assert total == sum(each) and size >= max(each), name
        else:
            assert total == sum(each) - max(each) and size == max(each), name


def test_no_duplicates(saved):
    db, _, _, _ = saved
    rows = db.rows("SELECT type, value, objects FROM savings WHERE kind = 'duplicate' AND "
                   "(type LIKE '%Text' OR value LIKE 'number % of many' OR value = 'one_1')")
    assert rows == []


def slack(db, name):
    return db.rows("SELECT sum(objects), sum(bytes), sum(used) FROM savings WHERE kind = 'slack' "
                   "AND path = '__main__.' || ?", name if name[:6] == "SPARSE" else name + "[*]")[0]


def test_slack(saved):
    db, truth, _, _ = saved
    for name, counts in truth["spare"].items():
        assert list(slack(db, name)) == counts, name
        assert counts[0]
    for name in ("FRESH_LIST", "FRESH_DICT", "FRESH_SET", "FRESH_BYTEARRAY"):
        assert list(slack(db, name)) == [None, None, None], name


def test_example(saved):
    db, truth, _, _ = saved
    for name, address in truth["sparse"].items():
        ((at, used, capacity),) = db.rows("SELECT address, used, capacity FROM savings "
                                          "WHERE path = '__main__.' || ? AND kind = 'slack'", name)
        assert int(at, 16) == address
        assert used == truth["spare"][name][2] <= capacity


def test_told(saved):
    db, truth, _, _ = saved
    out = json.loads(command("memory", db.path, "--format", "json").out)
    assert out["savings"][0]["bytes"] >= 1 << 20
    assert "Bytes that could be saved" in command("memory", db.path).out
    titles = db.column("SELECT title FROM finding WHERE kind IN ('duplicate', 'slack')")
    assert any("__main__.SPARSE_DICT: room for " in t and " 12 in it" in t for t in titles), titles
    assert any(t.startswith("3 copies of ") and "'xxx" in t for t in titles), titles
    page = db.path.with_suffix(".html")
    command("report", db.path, "-o", page)
    assert "SPARSE_DICT" in page.read_text()


def test_redacted(saved):
    db, _, _, redacted = saved
    if not redacted:
        pytest.skip("scanned once")
    # Slack is told by path, and keys that are gone may fold otherwise.
    for query in ("SELECT objects, bytes, size, object_id FROM saving WHERE kind = 'duplicate' ORDER BY 2, 4",
                  "SELECT type_id, sum(objects), sum(bytes), sum(used) FROM saving WHERE kind = 'slack' "
                  "AND bytes > 4096 GROUP BY 1"):
        assert db.rows(query) == redacted.rows(query)
    text = redacted.path.read_bytes()
    assert b"application/json" not in text and b"binary and more" not in text


def test_buffers_are_no_objects(saved):
    """What a bytearray has its bytes in, an object since 3.15, is part of it; nothing of all this is lost."""
    db, _, _, _ = saved
    ours = ("(t.name IN ('bytes', 'bytearray', '_io.StringIO', '_io.BytesIO') OR "
            "t.name IN ('str', 'unicode') AND o.value LIKE 'xxx%')")
    assert db.rows("SELECT t.name, o.size FROM refcount_error e JOIN object o ON o.id = e.object_id "
                   "JOIN type t ON t.id = o.type_id WHERE " + ours) == []
    assert db.rows("SELECT t.name, o.size FROM object o JOIN type t ON t.id = o.type_id "
                   "WHERE o.reachable = 0 AND " + ours) == []
