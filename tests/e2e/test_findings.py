"""The diagnosis: what was planted in a dump is what its first screen says first."""

import re
import shlex
import subprocess

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


@pytest.mark.parametrize("name, cyclic", [("leak_ring", True), ("leak_chain", False)])
def test_leak_by_a_cycle(dumps, db_path, name, cyclic):
    """Blocks that hold each other are lost for that: the finding says so."""
    db = scan(dumps(name).core, db_path)
    details = db.column("SELECT detail FROM finding WHERE kind = 'leak'")
    assert details and any("by a cycle they hold themselves" in d for d in details) == cyclic


def test_leak_beside_a_cycle(dumps, db_path):
    """Of two leaks the one that is a cycle is said to be one, and the other is not."""
    dump = dumps("leak_beside_ring")
    db = scan(dump.core, db_path)
    said = dict(db.rows("""SELECT o.address, f.detail LIKE '%by a cycle they hold themselves%' FROM finding f
                           JOIN object o ON o.id = f.object_id WHERE f.kind = 'leak'"""))
    rings = {a for members in dump.oracle.cycles.values() for a in members}
    assert len(said) == 2 and {a for a, cyclic in said.items() if cyclic} == set(said) & rings
    assert sum(said.values()) == 1


def test_holder_is_exact(dumps, db_path):
    """The table that holds everything: its members, and all that hangs on them."""
    dump = dumps("holder_table")
    db = scan(dump.core, db_path)
    (objects, bytes_) = db.rows("SELECT objects, bytes FROM finding WHERE kind = 'holder'")[0]
    held = {a for a, r in dump.oracle.reachable.items() if r == 1}
    live = dict(db.rows("SELECT address, size FROM object"))
    assert objects == len(held)
    assert bytes_ == sum(live[a] for a in held)


def test_big_blocks_are_named_once(dumps, db_path):
    """Each by one path, whoever else leads to it; and what is a container's own table with the container."""
    dump = dumps("big_blocks")
    db = scan(dump.core, db_path)
    rows = db.rows("""SELECT f.kind, o.address, f.objects, f.bytes, f.title FROM finding f
                      JOIN object o ON o.id = f.object_id WHERE f.kind IN ('big', 'holder')""")
    named = [row[1] for row in rows]
    assert len(set(named)) == len(named)
    live = dump.oracle.live
    biggest = sorted(live, key=live.get)[-3:]
    users, sessions, buffer = biggest
    truth = {buffer: ("big", 1, live[buffer]), sessions: ("big", 1, live[sessions]),
             users: ("holder", 20001, live[users] + 20000 * min(live[a] for a in live if live[a] > 110))}
    assert {row[1]: row[:1] + row[2:4] for row in rows} == truth
    titles = {row[1]: row[4] for row in rows}
    assert re.search(r"% of what is live, at frame_buffer$", titles[buffer])
    assert re.search(r"% of what is live, at (alias|sessions->\+8)$", titles[sessions])
    assert re.search(r"^users->\+8 \(.*20,000 members\) holds ", titles[users])
    total = sum(live.values())
    assert f"{100 * live[buffer] / total:.3g} %" in titles[buffer]


def test_blocks_of_one_size(dumps, db_path):
    """Records without a type in tables that share them, beside others: how many, where, and what hangs on them."""
    dump = dumps("shards")
    db = scan(dump.core, db_path)
    live = dump.oracle.live
    records = [a for a, size in live.items() if size == 2008]
    assert len(records) == 64 * 64
    ((title, detail, objects, bytes_),) = db.rows("""SELECT title, detail, objects, bytes FROM finding
                                                     WHERE kind = 'type' AND title LIKE '%blocks of 2,008 bytes%'""")
    assert (objects, bytes_) == (len(records), sum(live[a] for a in records))
    share = 100 * bytes_ / sum(live.values())
    hang = 100 * (1 - sum(size for size in live.values() if size not in (2008, 2408, 1000)) / sum(live.values()))
    assert title.startswith(f"4,096 blocks of 2,008 bytes are {share:.3g} % of what is live")
    assert abs(float(re.search(r", ([\d.]+) % with what hangs on them$", title)[1]) - hang) < 1
    assert re.match(r"100 % of them at shards\[\*\]", detail)


def test_memory_of_php(dumps, db_path):
    """Whose the memory is that no allocator reads, and how to have it read after all."""
    db = scan(dumps("zend_pool").core, db_path)
    title, detail, bytes_ = db.rows("SELECT title, detail, bytes FROM finding WHERE kind = 'unread'")[0]
    assert bytes_ == 8 << 20 and "most likely of PHP (" in title and "USE_ZEND_ALLOC=0" in detail


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


@pytest.mark.parametrize("name", ["holder_table", "leak_tree"])
def test_commands_are_there_to_be_copied(dumps, tmp_path, name):
    """What the first screen says to run does so in a shell, whatever the file is called."""
    db_path = tmp_path / "it's a heap.db"
    scan(dumps(name).core, db_path)
    screen = command(db_path).out
    said = re.findall(r"""heapscan \w+ (?:'[^']*'|\\')+(?: (?:\d+|--[-\w]+(?: \w+)?|"[^"]*"|'[^']*'))*""", screen)
    assert len(said) >= 2
    for line in said:
        assert "it'\\''s a heap.db'" in line
        done = subprocess.run(["sh", "-c", line.replace("heapscan", shlex.quote(str(heapscan.HEAPSCAN)), 1)],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=heapscan.TIMEOUT,
                              env=heapscan.ENV)
        assert done.returncode == 0 and done.stdout, (line, done.stderr)
