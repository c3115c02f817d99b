"""The diagnosis: what was planted in a dump is what its first screen says first."""

import re

import pytest

import heapscan
from conftest import PROGRAMS
from heapscan import command, scan

# program: what its first or second finding must name
PLANTED = {
    "leak_many": r"^leak: ",
    "leak_chain": r"^leak: ",
    "leak_tree": r"^leak: ",
    "leak_ring": r"^leak: ",
    "sample_service": r"^leak: .* behind 100 service::session objects$",
    "holder_table": r"^\S*registry.*\((.*), 5,000 members\) holds .*: 100 % of what is live$",
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_cause_comes_first(dumps, db_path, name):
    assert name in PROGRAMS
    db = scan(dumps(name).core, db_path)
    titles = db.column("SELECT title FROM finding ORDER BY id LIMIT 2")
    assert any(re.search(PLANTED[name], t) for t in titles), titles
    screen = command(db_path).out
    at = screen.index("What to look at")
    assert at < screen.index("Memory: ")
    assert titles[0] in screen.replace("\\\\", "\\")
    assert f" {db_path}" in screen[at:] and " DB" not in screen[at:]


def test_holder_is_exact(dumps, db_path):
    """The table that holds everything: its members, and all that hangs on them."""
    dump = dumps("holder_table")
    db = scan(dump.core, db_path)
    (objects, bytes_) = db.rows("SELECT objects, bytes FROM finding WHERE kind = 'holder'")[0]
    held = {a for a, r in dump.oracle.reachable.items() if r == 1}
    live = dict(db.rows("SELECT address, size FROM object"))
    assert objects == len(held)
    assert bytes_ == sum(live[a] for a in held)


def test_first_screen_fits_the_terminal(dumps, db_path, monkeypatch):
    """Sentences are broken where the terminal ends, and a pipe gets each in one line."""
    scan(dumps("holder_table").core, db_path)
    whole = command(db_path).out
    monkeypatch.setitem(heapscan.ENV, "COLUMNS", "72")
    narrow = command(db_path).out
    at = narrow.index("What to look at")
    said = narrow[at:narrow.index("Memory: ")]
    assert all(len(line) <= 72 for line in said.splitlines() if "heapscan" not in line and " " in line.strip())
    assert " ".join(said.split()) in " ".join(whole.split())
    assert len(said.splitlines()) > len(whole[whole.index("What to look at"):whole.index("Memory: ")].splitlines())
