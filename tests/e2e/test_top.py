"""top: its partitions and filters against what the program says of its blocks."""

import json
import re
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from heapscan import command, scan

SAMPLES = Path(__file__).resolve().parents[2] / "sample-dumps"


def top(db, *options, section="rows"):
    return json.loads(command("top", db.path, *options, "--format", "json").out)[section]


@pytest.fixture
def table(dumps, db_path):
    dump = dumps("holder_table")
    return scan(dump.core, db_path), dump.oracle


def test_histogram(dumps, db_path):
    dump = dumps("random_heap")
    db = scan(dump.core, db_path)
    truth = Counter()
    for size in dump.oracle.live.values():
        truth[0 if size < 16 else 1 << (size.bit_length() - 1)] += 1
    rows = top(db, "--histogram", section="histogram")
    assert {row["low"]: row["objects"] for row in rows} == truth
    assert sum(row["bytes"] for row in rows) == sum(dump.oracle.live.values())
    assert abs(rows[-1]["cumulative"] - 1) < 1e-9
    assert "####" in command("top", db.path, "--histogram").out


@pytest.mark.parametrize("by", ["type", "module", "arena", "dominator"])
def test_size_filters(dumps, db_path, by):
    dump = dumps("random_heap")
    db = scan(dump.core, db_path)
    live = dump.oracle.live
    tops = dict(db.rows("SELECT address, size FROM object WHERE dominator_id IS NULL"))
    counted = tops if by == "dominator" else live
    for low, high in ((0, 0), (64, 0), (0, 1000), (1 << 10, 4 << 10)):
        options = (["--min-size", low] if low else []) + (["--max-size", f"{high}B"] if high else [])
        rows = top(db, "--by", by, "-n", 0, *options)
        want = [n for n in counted.values() if n >= low and (not high or n <= high)]
        assert sum(row["objects"] for row in rows) == len(want)
        assert sum(row["bytes"] for row in rows) == sum(want)
        key = "retained" if by == "dominator" else "bytes"
        assert rows == sorted(rows, key=lambda row: -row[key])
        total, sum_ = sum(live.values()), 0
        for row in rows:
            sum_ += row[key]
            assert row["cumulative"] == pytest.approx(sum_ / total, rel=1e-5)
    rows = top(db, "--by", "size", "-n", 5, "--max-size", "1K")
    assert [row["size"] for row in rows] == sorted((n for n in live.values() if n <= 1024), reverse=True)[:5]
    for row in top(db, "--by", "retained", "-n", 5, "--min-size", "0.5K"):
        assert row["size"] >= 512


def test_dominator_is_a_partition(table):
    """What no object holds alone retains every live byte once."""
    db, oracle = table
    rows = top(db, "--by", "dominator", "-n", 0)
    assert sum(row["retained"] for row in rows) == sum(oracle.live.values())
    held = [a for a, r in oracle.reachable.items() if r == 1]
    assert rows[0]["objects"] == 1
    assert rows[0]["retained"] == sum(oracle.live[a] for a in held)


def test_referrer_is_a_partition(table):
    db, oracle = table
    rows = top(db, "--by", "referrer", "-n", 0)
    assert sum(row["bytes"] for row in rows) == sum(oracle.live.values())
    assert sum(row["objects"] for row in rows) == len(oracle.live)
    # 5,000 entries in the table, a buffer behind each.
    assert sum(row["objects"] for row in rows if (row["path"] or "").startswith("registry[")) == 10000


def test_signature(dumps, db_path):
    dump = dumps("leak_many")
    db = scan(dump.core, db_path)
    (row, *_) = top(db, "--by", "signature")
    assert row["kind"] == "leak" and row["reachable"] == "no"
    leaks = [r for r in top(db, "--by", "signature", "-n", 0) if r["kind"] == "leak"]
    assert sum(r["clusters"] for r in leaks) == len({n for c in dump.oracle.clusters.values() for n in c})
    assert sum(r["objects"] for r in leaks) == len(dump.oracle.lost)
    assert sum(r["bytes"] for r in leaks) == sum(dump.oracle.live[a] for a in dump.oracle.lost)


def test_what_if(dumps, db_path):
    dump = dumps("whatif_cache", args=["1"])
    db = scan(dump.core, db_path)
    row = top(db, "--by", "retained", "--what-if")[0]
    assert row["objects"] == len(dump.oracle.gone) and row["complete"] == 1
    assert row["returned"] == dump.oracle.given
    assert 0 < row["at_once"] < row["returned"]
    assert "GIVEN BACK" in command("top", db.path, "--by", "size", "--what-if").out


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Of the dumps that lie beside the sources the one with the most types."""
    db = scan(SAMPLES / "python.core.xz", tmp_path_factory.mktemp("sample") / "python.db")
    yield db
    db.close()


@pytest.mark.parametrize("by", ["size", "retained"])
def test_biggest_of_types_and_sizes(sample, by):
    """From the few that the scan noted, and past their number from all: the same."""
    order = {"size": "o.size DESC, o.retained DESC, o.id", "retained": "o.retained DESC, o.id"}[by]
    for pattern, low, high in ((None, 64, 64), (None, 50, 600), ("^str$", 0, 0), ("^str$", 0, 100), (".", 0, 0),
                               ("^(dict|list|tuple)$", 57, 0), ("^shop.User$", 0, 0), ("^none such$", 0, 0)):
        where = [f"o.size >= {low}", f"o.size <= {high or 1 << 60}"]
        options = (["--min-size", f"{low}B"] if low else []) + (["--max-size", f"{high}B"] if high else [])
        if pattern:
            names = [name for name, in sample.rows("SELECT name FROM type") if re.search(pattern, name)]
            where.append("t.name IN (%s)" % ", ".join("'%s'" % name.replace("'", "''") for name in names))
            options += ["--type", pattern]
        elif by == "size":
            continue
        truth = list(sample.rows(f"""
            SELECT o.id, o.retained FROM object o LEFT JOIN type t ON t.id = o.type_id WHERE {' AND '.join(where)}
            ORDER BY {order} LIMIT 150"""))
        for limit in (3, 100, 101, 150):
            rows = top(sample, "--by", by, "-n", limit, *options)
            assert [row["retained"] for row in rows] == [retained for _, retained in truth[:limit]]
            if pattern or limit <= 100:  # of any type, from an index in which the higher of equal ones is first
                assert [row["id"] for row in rows] == [i for i, _ in truth[:limit]]


def test_biggest_are_few(sample):
    assert sample.one("SELECT max(n) FROM (SELECT count(*) AS n FROM biggest GROUP BY type_id, size)") == 100
    assert sample.one("SELECT value FROM meta WHERE key = 'biggest_each'") == "100"
    assert sample.one("""SELECT count(*) FROM (SELECT type_id, size, sum(objects) AS n FROM census GROUP BY 1, 2) c
                         LEFT JOIN (SELECT type_id, size, count(*) AS n FROM biggest GROUP BY 1, 2) b
                              ON b.type_id IS c.type_id AND b.size = c.size
                         WHERE min(c.n, 100) IS NOT b.n""") == 0


def test_path_and_show_of_a_type_begin_with_the_biggest(sample):
    for name in ("dict", "str", "shop.User"):
        first = sample.one("""SELECT o.id FROM object o JOIN type t ON t.id = o.type_id WHERE t.name = ?
                              ORDER BY o.retained DESC, o.id LIMIT 1""", name)
        assert json.loads(command("path", sample.path, name, "--format", "json").out)["object_id"] == first
        for limit in ([], ["-n", 1000]):
            shown = json.loads(command("show", sample.path, name, *limit, "--format", "json").out)
            assert shown["objects"][0]["id"] == first


def test_what_goes_with_a_type(sample):
    """Counted anew: the chain of dominators above each object, and whether its own type is on it."""
    above = {i: (d, t, r) for i, d, t, r in sample.rows("SELECT id, dominator_id, type_id, retained FROM object")}
    truth = Counter()
    for at, type_id, retained in ((d, t, r) for d, t, r in above.values() if t):
        while at and above[at][1] != type_id:
            at = above[at][0]
        if not at:
            truth[type_id] += retained
    assert {i: r for i, r in sample.rows("SELECT id, retained FROM type") if r} == truth
    assert any(r < sum(x[2] for x in above.values() if x[1] == t) for t, r in truth.items())
    rows = top(sample, "-n", 0)
    assert Counter((r["type"], r["retained"]) for r in rows if r["type"]) == Counter(
        sample.rows("SELECT name, retained FROM type t WHERE id IN (SELECT type_id FROM census)"))
    assert all(r["retained"] >= r["bytes"] if r["type"] else r["retained"] is None for r in rows)
    assert all(row["retained"] is None for row in top(sample, "--min-size", 64))


def test_an_earlier_database(sample, tmp_path):
    """Which has neither: the same answers, from all objects."""
    before = tmp_path / "before.db"
    shutil.copy(sample.path, before)
    with sqlite3.connect(before) as db:
        db.executescript("DROP TABLE biggest; ALTER TABLE type DROP COLUMN retained;"
                         "DELETE FROM meta WHERE key = 'biggest_each'")
    for options in (["top", "--by", "retained", "--type", "str"], ["top", "--by", "size", "--type", "dict"],
                    ["top", "--by", "retained", "--max-size", "64B"], ["path", "dict"], ["show", "str"]):
        was, now = (command(options[0], db, *options[1:], "--format", "json").out for db in (before, sample.path))
        assert was == now
    assert [(r["type"], r["bytes"]) for r in json.loads(command("top", before, "--format", "json").out)["rows"]] == [
        (r["type"], r["bytes"]) for r in top(sample)]


def test_sites_of_a_type(sample):
    """A call path has a name there, too."""
    rows = top(sample, "--by", "site", "--type", "^shop[.]User$")
    assert sum(row["objects"] for row in rows) == sample.one(
        "SELECT count(*) FROM object o JOIN type t ON t.id = o.type_id WHERE t.name = 'shop.User' AND o.site_id")
    assert rows and all(row["file"] and "name" in row for row in rows)
    assert "shop.py" in command("top", sample.path, "--by", "site", "--type", "^shop[.]User$").out


def test_usage(table):
    db, _ = table
    for options in (["--what-if"], ["--by", "site", "--min-size", "4"], ["--min-size", "4X"],
                    ["--max-size", "-1"], ["--min-size", "99999999999999999999"]):
        command("top", db.path, *options, status=1)
