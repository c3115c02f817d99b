"""Native blocks that say the same: against the program that made them."""

import pytest

from conftest import short
from heapscan import command, scan, verify


@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O2", "clang-O2", "i686"])
def test_equal_blocks(dumps, db_path, variant):
    dump = dumps("equal_blocks", variant)
    db = scan(dump.core, db_path)
    verify(db, dump.oracle)
    assert len(dump.oracle.equal) == 4
    for group, members in dump.oracle.equal.items():
        sizes = [dump.oracle.live[a] for a in members]
        rows = db.rows("SELECT s.objects, s.bytes, s.size FROM saving s JOIN object o ON o.id = s.object_id "
                       "WHERE s.kind = 'duplicate' AND o.address IN (%s)" % ",".join(map(str, members)))
        assert rows == [(len(members), sum(sizes) - max(sizes), max(sizes))], group
    # Nothing else of the program's own is there twice.
    assert db.one("SELECT count(*) FROM saving WHERE kind = 'duplicate' AND objects > 10") == 3
    assert db.rows("SELECT objects, capacity, used FROM savings WHERE type = 'vector' AND path LIKE 'roomy%'") == \
        [(1, 4000, 4)]
    titles = db.column("SELECT title FROM finding WHERE kind = 'duplicate'")
    assert any(t.startswith("2 copies of a block of 1,0") for t in titles), titles
    assert "a line of text that many" in command("memory", db.path).out
