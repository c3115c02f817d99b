"""top: its partitions and filters against what the program says of its blocks."""

import json
from collections import Counter

import pytest

from heapscan import command, scan


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


def test_usage(table):
    db, _ = table
    for options in (["--what-if"], ["--by", "site", "--min-size", "4"], ["--min-size", "4X"],
                    ["--max-size", "-1"], ["--min-size", "99999999999999999999"]):
        command("top", db.path, *options, status=1)
