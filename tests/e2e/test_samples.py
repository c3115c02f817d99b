"""The cores of sample-dumps/ against the lists that lie next to them, binaries not at hand."""

import pytest

from build import TOP
from heapscan import scan

SAMPLES = sorted((TOP / "sample-dumps").glob("*.core.xz"))


def test_there_are_samples():
    assert len(SAMPLES) >= 2


@pytest.mark.parametrize("sample", SAMPLES, ids=[s.name for s in SAMPLES])
def test_sample(sample, db_path):
    db = scan(sample, db_path)
    found = {(a, n, "lost" if r == 0 else "held")
             for a, n, r in db.rows("SELECT address, size, reachable FROM object")}
    expected = set()
    for line in sample.with_name(sample.name.replace(".core.xz", ".expected")).open():
        address, size, state = line.split()
        expected.add((int(address, 16), int(size), state))
    assert found == expected


def test_demo_sample_has_class_names(db_path):
    db = scan(TOP / "sample-dumps" / "service.core.xz", db_path)
    counts = dict(db.rows("""SELECT t.name, count(*) FROM object o JOIN type t ON t.id = o.type_id
                             WHERE o.reachable = 0 GROUP BY 1"""))
    assert counts.get("service::session") == 100 and counts.get("service::timer") == 100, counts
