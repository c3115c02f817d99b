"""What if it were gone: against a copy of the process that frees it, and asks the system."""

import json

import pytest

from conftest import short
from heapscan import command, scan, verify

SEEDS = range(1, 3 if short() else 5)


@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O2", "static", "i686"])
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


def cache_address(db, oracle):
    """The one block that goes and that a root holds."""
    return db.one("""SELECT o.address FROM root r JOIN object o ON o.id = r.object_id
                     WHERE r.name = 'cache'""")


def what_if(db, id_, budget=1000000):
    out = command("sql", db.path, f"SELECT * FROM what_if({id_}, {budget})", "--format", "json").out
    (row,) = json.loads(out)["rows"]
    return row
