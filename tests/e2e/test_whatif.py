"""What if it were gone: against a copy of the process that frees it, and asks the system."""

import json

import pytest

from conftest import short
from heapscan import command, scan, verify

SEEDS = range(1, 3 if short() else 5)


# Not i686, not static: there a small number may have the value of an address, and hold what would go.
@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O2", "clang-O2"])
@pytest.mark.parametrize("seed", SEEDS)
def test_cache(dumps, db_path, seed, variant):
    dump = dumps("whatif_cache", variant, args=[str(seed)])
    oracle = dump.oracle
    db = scan(dump.core, db_path)
    verify(db, oracle)
    assert oracle.gone and oracle.given
    head = db.one("SELECT id FROM object WHERE address = ?", cache_address(db, oracle))
    rows = json.loads(command("sql", db.path, f"""
        SELECT o.address FROM retained_set({head}) r JOIN object o ON o.id = r.object_id""",
                              "--format", "json").out)["rows"]
    assert {row["address"] for row in rows} == oracle.gone
    found = what_if(db, head)
    assert found["complete"] == 1
    assert found["objects"] == len(oracle.gone)
    assert found["bytes"] == sum(oracle.live[a] for a in oracle.gone)
    assert found["returned"] == oracle.given
    # A search that was stopped says so, and no more than the truth.
    part = what_if(db, head, 100)
    assert part["complete"] == 0
    assert part["bytes"] == found["bytes"]
    assert part["objects"] <= 100 and part["returned"] <= found["returned"]


def test_cut(dumps, db_path):
    """The variable's reference frees it all; one to what another variable holds, too, frees nothing."""
    dump = dumps("whatif_cache", args=["1"])
    db = scan(dump.core, db_path)
    head = cache_address(db, dump.oracle)
    report = json.loads(command("path", db.path, hex(head), "--cut", "--format", "json").out)
    (cut,) = report["cuts"]
    assert cut["others"] == 0 and cut["complete"] == 1
    for row in (cut["objects"], report["freed_objects"]):
        assert row == len(dump.oracle.gone)
    assert cut["returned"] == report["returned"] == dump.oracle.given
    assert report["dominator_id"] is None and len(report["shared_by"]) == 1
    # Of a label in the cache and in `labels`.
    shared = db.one("""SELECT r.object_id FROM root r JOIN reference e ON e.dst = r.object_id
                       WHERE r.name LIKE 'labels%' LIMIT 1""")
    report = json.loads(command("path", db.path, shared, "--cut", "--format", "json").out)
    assert report["freed_objects"] == 1
    assert len(report["shared_by"]) == 2
    cuts = [c for c in report["cuts"] if c["id"] == shared]
    assert cuts and all(c["others"] == 1 and c["bytes"] == 0 for c in cuts)
    assert "1 more holds it" in command("path", db.path, shared, "--cut").out


def cache_address(db, oracle):
    """The one block that goes and that a root holds."""
    return db.one("""SELECT o.address FROM root r JOIN object o ON o.id = r.object_id
                     WHERE r.name = 'cache'""")


def what_if(db, id_, budget=1000000):
    out = command("sql", db.path, f"SELECT * FROM what_if({id_}, {budget})", "--format", "json").out
    (row,) = json.loads(out)["rows"]
    return row
