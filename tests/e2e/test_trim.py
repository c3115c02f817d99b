"""The trim forecast: against what the system says once malloc_trim(0) was called."""

import pytest

from conftest import short
from heapscan import command, scan, verify

SEEDS = range(1, 3 if short() else 5)


@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O2", "static", "i686"])
@pytest.mark.parametrize("threads", [0, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_forecast(dumps, db_path, seed, threads, variant):
    dump = dumps("trim_fragments", variant, args=[str(seed), str(threads)])
    db = scan(dump.core, db_path)
    verify(db, dump.oracle)
    assert dump.oracle.trim > 0
    # Every page of a freed block was written to, so what was resident is not all zeroes.
    assert db.one("SELECT sum(written) FROM trim") == dump.oracle.trim
    check_balance(db)


def check_balance(db):
    """What the free memory of each arena is, and who pins it: everything once."""
    for arena, free, returnable, written, top, cached, pinned in db.rows(
            """SELECT a.id, a.free_bytes, t.returnable, t.written, t.top, t.cached, t.pinned
               FROM arena a JOIN trim t ON t.arena_id = a.id"""):
        inside = free - top - cached - pinned  # free bytes in pages that go back
        assert written <= returnable, arena
        assert inside <= returnable, arena
        assert (returnable == 0) == (inside == 0), arena
        assert returnable % 4096 == 0, arena
        assert cached == db.one("""SELECT coalesce(sum(size), 0) FROM free_block
                                   WHERE arena_id = ? AND kind = 'tcache'""", arena)
    assert db.rows("""SELECT a.allocator, sum(t.pinned) FROM trim t JOIN arena a ON a.id = t.arena_id
                      GROUP BY 1 HAVING sum(t.pinned) > 0 ORDER BY 1""") == db.rows(
        "SELECT allocator, sum(bytes) FROM pin GROUP BY 1 ORDER BY 1")


def test_pins(dumps, db_path):
    """One live block in the middle of much that was freed: it is named as what pins the pages."""
    dump = dumps("trim_fragments", args=["1", "0"])
    db = scan(dump.core, db_path)
    live = db.rows("SELECT address, size FROM object")
    for address, objects, pages in db.rows("""SELECT o.address, p.objects, p.units FROM pin p
                                               JOIN object o ON o.id = p.object_id"""):
        assert 0 < objects <= len(live)
        assert pages <= 2 * objects
        first = address & ~4095
        assert db.one("""SELECT count(*) FROM free_block
                         WHERE address < ? AND address + size > ?""",
                      (address + 4095 + 40000) & ~4095, first), hex(address)
    out = command("memory", db.path).out
    assert "malloc_trim(0)" in out and "What pins free memory" in out
