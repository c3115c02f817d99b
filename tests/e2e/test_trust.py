"""The trust card: its figures, recounted; and that an answer says what weakens it."""

import pytest

from heapscan import command, scan


def facts(db):
    return {k: v for k, v in db.meta().items() if k.startswith("trust_")}


def check(db):
    f = facts(db)
    live, typed = db.rows("SELECT sum(size), sum(size) FILTER (WHERE type_id IS NOT NULL) FROM object")[0]
    assert float(f["trust_typed_share"]) == pytest.approx((typed or 0) / live, abs=1e-4)
    roots, named = db.rows("SELECT count(*), count(name) FROM root WHERE grade < 6")[0]
    assert float(f["trust_named_roots_share"]) == pytest.approx(named / roots, abs=1e-4)
    missing = db.one("""SELECT coalesce(sum("end" - start - present), 0) FROM segment
                        WHERE perms LIKE '_w_'""")
    # A binary lends what the process had not written to; guard pages hold nothing.
    assert int(f["trust_missing_bytes"]) <= missing
    if int(f["trust_missing_bytes"]) == 0:
        assert not db.rows("SELECT 1 FROM trust WHERE aspect = 'missing' AND weakens IS NOT NULL")
    whole = db.one("SELECT count(*) FROM arena WHERE system_bytes = used_bytes + free_bytes + overhead_bytes")
    assert int(f["trust_arenas_agree"]) == whole
    return f


def test_whole(dumps, db_path):
    db = scan(dumps("random_heap", args=["3", "5"]).core, db_path)
    f = check(db)
    assert f["trust_missing_bytes"] == "0" and "trust_damage" not in f
    assert f["trust_arenas_agree"] == f["trust_arenas"]
    out = command(db_path).out
    assert "\nTrust     no writable memory is missing from the dump; " in out
    for name in ("leaks", "cycles", "refs"):
        assert "Note:" not in command(name, db_path).out


def test_cut(dumps, db_path, tmp_path):
    core = dumps("random_heap", args=["3", "5"]).core.read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(core[: len(core) // 2])
    db = scan(cut, db_path)
    assert int(facts(db)["trust_missing_bytes"]) > 0
    for args in (["leaks"], ["cycles"], ["path", "#1"]):
        out = command(args[0], db_path, *args[1:]).out
        assert "Note: the dump ends early: weakens everything" in out
        assert "of writable memory are missing from the dump: weakens leaks and paths" in out
    assert "the dump ends early" in command(db_path).out


def test_filtered(dumps, db_path):
    """A dump without anonymous memory: nothing of the heap is there, and that is said first."""
    db = scan(dumps("random_heap", args=["3", "0"], coredump_filter=0x20).core, db_path)
    assert int(facts(db)["trust_missing_bytes"]) > 100_000
    assert "weakens leaks and paths" in command(db_path).out
