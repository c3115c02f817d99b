"""The reference table against a second reading of the same bytes: every word of every live block."""

from bisect import bisect_right

import pytest

from elfcore import Core
from heapscan import scan

CASES = [("leak_cycle_tail", "gcc-O2"), ("leak_tree", "static"), ("cxx_containers", "gcc-O2"),
         ("free_prev_size", "i686"), ("threads_arenas", "gcc-O2"), ("random_heap", "gcc-O0"),
         ("mmapped_blocks", "no-pie"), ("pointer_interior", "aarch64")]


@pytest.mark.parametrize("name,variant", CASES, ids=[f"{n}-{v}" for n, v in CASES])
def test_words(dumps, db_path, name, variant):
    dump = dumps(name, variant)
    core, live = Core(dump.core), sorted(dump.oracle.live.items())
    starts = [a for a, _ in live]

    def target(word):
        i = bisect_right(starts, word) - 1
        return starts[i] if i >= 0 and word < starts[i] + live[i][1] else None

    wanted = set()
    for address, size in live:
        for i, word in enumerate(core.words(address, size)):
            dst = target(word)
            if dst is not None:
                wanted.add((address, i * core.word, dst, int(word != dst)))
    db = scan(dump.core, db_path)
    found = set(db.rows("""SELECT s.address, r.offset, d.address, r.how FROM reference r
                           JOIN object s ON s.id = r.src JOIN object d ON d.id = r.dst
                           WHERE r.how IN (0, 1)"""))
    assert found == wanted, (
        f"missed {sorted(wanted - found)[:5]}, invented {sorted(found - wanted)[:5]}")
