"""C++'s containers, and what looks like them in C: how much room they have, against what they say themselves."""

import bisect
import json
import os

import pytest

from build import LIBCXX, MORE
from conftest import PROGRAMS, short
from heapscan import command, scan, verify



def containers(db):
    return {a: (form, capacity, used, spare, header) for a, form, capacity, used, spare, header in db.rows(
        "SELECT o.address, c.form, c.capacity, c.used, c.bytes, c.header FROM container c "
        "JOIN object o ON o.id = c.object_id")}


def rooms(oracle):
    return {a: (*room, oracle.spare[a], oracle.headers[a] or None) for a, room in oracle.rooms.items()}


def unless_fetched(variant):
    return pytest.param(variant, marks=pytest.mark.skipif(
        variant.startswith("libc++") and not (LIBCXX / ".complete").exists(), reason="make libcxx"))


# ROOMS=all in the environment: all builds of other libraries' containers.
OTHERS = ["libc++-O0", "libc++-gcc-stripped", "old-strings"]
if os.environ.get("ROOMS") == "all":
    OTHERS = [v for v in MORE if v != "libc++-loaded"]


@pytest.mark.parametrize("variant", ["gcc-O2", unless_fetched("libc++-O0")] if short() else
                         [*PROGRAMS["cxx_rooms"].only, *map(unless_fetched, OTHERS)])
def test_rooms(dumps, db_path, variant):
    """Every container, to the byte, and nothing else."""
    dump = dumps("cxx_rooms", variant)
    db = scan(dump.core, db_path)
    verify(db, dump.oracle)
    told = rooms(dump.oracle)
    assert len(told) > 1000
    deque = "table of blocks" if variant.startswith("libc++") else "deque"
    assert {form for form, *_ in told.values()} == {"vector", "string", deque, "hash table"}
    assert containers(db) == told
    assert len(check_owners(db, dump.oracle)) > 300


def check_owners(db, oracle):
    """A container's memory is part of the block that its words lie in, or of whose part that is."""
    blocks = dict(db.rows("SELECT address, id FROM object WHERE arena_id IS NOT NULL"))
    places = sorted((a, a + oracle.live[a]) for a in blocks if a in oracle.live)
    starts = [a for a, _ in places]
    owners = dict(db.rows("SELECT id, owner_id FROM object WHERE owner_id IS NOT NULL"))
    referrers = dict(db.rows("SELECT dst, count(DISTINCT src) FROM reference WHERE src <> dst GROUP BY dst"))

    def holder(block):
        """The block that the words lie in; None: a variable, or a stack."""
        at = bisect.bisect_right(starts, oracle.headers[block]) - 1
        return places[at][0] if at >= 0 and oracle.headers[block] < places[at][1] else None

    def owner(block):
        """By what the program says; None: nothing but variables, or several."""
        found = holder(block) if block in oracle.headers else None
        if not found or referrers.get(blocks[block], 0) != 1:
            return None
        return owner(found) or found

    expected = {blocks[a]: blocks[owner(a)] for a in oracle.rooms if owner(a)}
    assert owners == expected
    # What the block refers to is what its parts refer to, and they are nowhere else.
    assert db.one("SELECT count(*) FROM referent r JOIN object d ON d.id = r.dst WHERE d.owner_id IS NOT NULL") == 0
    assert db.one("SELECT count(*) FROM referent r JOIN object s ON s.id = r.src WHERE s.owner_id IS NOT NULL") == 0
    return expected


@pytest.mark.parametrize("variant", ["gcc-O2"] if short() else ["gcc-O0", "clang-O2", "static-stripped", "i686"])
def test_rooms_of_c(dumps, db_path, variant):
    """No C++ in the process: the same words, by another name; and nothing that looks a bit like them."""
    dump = dumps("c_rooms", variant)
    db = scan(dump.core, db_path)
    verify(db, dump.oracle)
    assert containers(db) == rooms(dump.oracle)
    check_owners(db, dump.oracle)


def test_rooms_of_c_beside_libcxx(dumps, db_path):
    """C in a process that has libc++ loaded: what looks like them is called so, and nothing else is one."""
    if not (LIBCXX / ".complete").exists():
        pytest.skip("make libcxx")
    dump = dumps("c_rooms", "libc++-loaded")
    db = scan(dump.core, db_path)
    assert {a: room[1:] for a, room in containers(db).items()} == \
        {a: room[1:] for a, room in rooms(dump.oracle).items()}


def test_told(dumps, db_path):
    """What the commands say of them."""
    dump = dumps("cxx_rooms", "gcc-O2")
    db = scan(dump.core, db_path)
    (block, spare), = db.rows("SELECT address, bytes FROM savings WHERE type = 'vector' AND path = 'big'")
    title, detail = db.rows("SELECT title, detail FROM finding WHERE kind = 'slack' AND title LIKE 'vector %'")[0]
    assert title == "vector big: room for 1,200,000 bytes, 12,000 in it: %s too much" % (
        db.one("SELECT printf('%.2f MiB', ? / 1048576.0)", spare))
    assert "shrink_to_fit()" in detail
    assert "vector" in command("memory", db.path).out
    told = json.loads(command("show", db.path, block, "--format", "json").out)
    assert (told["container"], told["capacity"], told["used"], told["spare_bytes"]) == \
        ("vector", 1200000, 12000, spare)
    assert "12,000 of 1,200,000 bytes in use" in command("show", db.path, block, "--hex", 0).out
    # Whose part one is that lies in a block; the step to it is one of the path, as to any other block.
    part, owner = db.rows("SELECT o.id, o.owner_id FROM object o JOIN container c ON c.object_id = o.id "
                          "JOIN object w ON w.id = o.owner_id WHERE c.form = 'vector' AND c.holder_id = w.id LIMIT 1")[0]
    assert f"Part of    #{owner} at 0x" in command("show", db.path, f"#{part}", "--hex", 0).out
    assert str(part) in {line.split()[0].lstrip("#") for line in
                         command("show", db.path, f"#{owner}", "--hex", 0).out.split("Buffers")[1].splitlines()[2:]
                         if line.strip().startswith("#")}
    # The words of one that lies in a block.
    holder, offset, form, used, capacity = db.rows(
        "SELECT h.id, c.header - h.address, c.form, c.used, c.capacity FROM container c "
        "JOIN object h ON h.id = c.holder_id WHERE c.form = 'hash table' AND c.used > 0 LIMIT 1")[0]
    words = json.loads(command("show", db.path, f"#{holder}", "--hex", 4096, "--format", "json").out)["words"]
    (meaning,) = [w["meaning"] for w in words if w["offset"] == offset]
    assert meaning.endswith(f"; {form}: {used:,} of {capacity:,} entries in use"), meaning
