"""What an object refers to, by the view `referent`, is what gc.get_referents says in the process."""

import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from elfcore import Core  # noqa: E402
from heapscan import command, Database  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "referents.py"
ZOO = HERE / "zoo.py"
EVERY = [i for i in interpreters() if not i.free_threaded and i.word == 8]

# What cannot be told from outside, and why.
#
# A module written in C keeps what it likes in its state; its traverse function alone knows what of it it
# visits. The state's words are there; atexit's (to 3.9) hold callbacks in blocks one further away.
MISSED = {("module", "tuple"), ("module", "function"), ("module", "method"),
          # A capsule's owner says what to visit (3.13).
          ("PyCapsule", "type")}
# Types in C whose layout is not known: words that look like pointers, whether the type's traverse
# function visits them or not (or is not there). A running function's stack is of this kind, too.
SCANNED = {"module", "Connection", "Cursor", "Row", "Cache", "Statement", "DictRemover", "CThunkObject",
           "CArgObject", "_RunningLoopHolder", "socket", "frame", "lock", "methodcaller"}


class Truth:
    def __init__(self, path):
        self.type, self.referents = {}, {}
        for line in path.read_text().splitlines():
            address, kind, *referents = line.split()
            self.type[int(address, 16)] = kind
            self.referents[int(address, 16)] = {int(r, 16) for r in referents}


def is_freed(core, address):
    """Is the count there 0, or the address of the next free block?"""
    return any(not count or core.offset(count) is not None for count in core.words(address, 8))


def compare(truth, db, core=None):
    """Objects that were not found; referents not found; referents that are none. Counted by types."""
    address = dict(db.rows("SELECT id, address FROM object WHERE refcount IS NOT NULL"))
    ids = {a: i for i, a in address.items()}
    got, keys = defaultdict(set), defaultdict(set)
    for src, dst, name in db.sql.execute("SELECT src, dst, name FROM referent"):
        if src in address and dst in address:
            got[address[src]].add(address[dst])
            if name and name.startswith("<key "):
                keys[address[src]].add(address[dst])
    lost, missed, extra = Counter(), Counter(), Counter()
    # Tables of interned strings own none of them (in 3.14 the process can see them).
    tables = set(db.column("SELECT o.address FROM reference r JOIN object o ON o.id = r.src "
                           "JOIN type t ON t.id = o.type_id AND t.name = 'dict' "
                           "WHERE r.kind = 2 GROUP BY r.src HAVING count(*) > 100"))
    segments = db.rows('SELECT start, "end" FROM segment')
    # What such a table alone leads to, the child may have interned as it told: the process has a free block there, then.
    held = set().union(*(r for a, r in truth.referents.items() if a not in tables))
    for a, referents in truth.referents.items():
        kind = truth.type[a]
        if a not in ids:
            # Memory that the child mapped holds what only the child has.
            if any(start <= a < end for start, end in segments):
                lost[kind] += a in held or kind != "str" or (core is not None and not is_freed(core, a))
            continue
        for r in referents - got[a]:
            if r in ids and not (a in tables and truth.type.get(r) == "str"):
                missed[kind, truth.type.get(r)] += 1
        for r in got[a] - referents - keys[a]:
            extra[kind, truth.type.get(r)] += 1
    return lost, missed, extra


@pytest.mark.parametrize("python", EVERY, ids=repr)
def test_referents(python, tmp_path):
    truth = tmp_path / "objects"
    dump = dumper.run(tmp_path / "dump", [*python.command, "-B", PROGRAM, truth, ZOO], python.path)
    db_path = tmp_path / "x.db"
    command(dump.core, "-o", db_path)
    db = Database(db_path)
    truth = Truth(truth)
    assert len(truth.type) > 10000
    lost, missed, extra = compare(truth, db, Core(dump.core))
    db.close()
    for kind, n in missed.items():
        assert kind in MISSED, f"{n} referents of {kind} are missing; all: {missed}"
    for kind, n in extra.items():
        assert kind[0] in SCANNED, f"{n} referents of {kind} are none; all: {extra}"
    assert sum(missed.values()) <= 10
    assert sum(extra.values()) <= 200
    assert not sum(lost.values()), lost
