"""C++'s containers, and what looks like them in C: how much room they have, against what they say themselves."""

import pytest

from conftest import short
from heapscan import scan, verify

NATIVE = ["gcc-O0", "gcc-O2", "clang-O2", "stripped", "static-stripped", "i686"]


def containers(db):
    return {a: (form, capacity, used, spare, header) for a, form, capacity, used, spare, header in db.rows(
        "SELECT o.address, c.form, c.capacity, c.used, c.bytes, c.header FROM container c "
        "JOIN object o ON o.id = c.object_id")}


def rooms(oracle):
    return {a: (*room, oracle.spare[a], oracle.headers[a]) for a, room in oracle.rooms.items()}


@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else NATIVE)
def test_rooms(dumps, db_path, variant):
    """Every container, to the byte, and nothing else."""
    dump = dumps("cxx_rooms", variant)
    db = scan(dump.core, db_path)
    verify(db, dump.oracle)
    told = rooms(dump.oracle)
    assert len(told) > 1000
    assert {form for form, *_ in told.values()} == {"vector", "string", "deque", "hash table"}
    assert containers(db) == told


@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O0", "clang-O2", "static-stripped", "i686"])
def test_rooms_of_c(dumps, db_path, variant):
    """No C++ in the process: the same words, by another name; and nothing that looks a bit like them."""
    dump = dumps("c_rooms", variant)
    db = scan(dump.core, db_path)
    verify(db, dump.oracle)
    assert containers(db) == rooms(dump.oracle)
