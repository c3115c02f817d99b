"""SQL's functions against a plain recount, in heapscan, in the stock sqlite3 and in Python."""

import json
import os
import pty
import sqlite3
import subprocess
from collections import defaultdict

import pytest

from build import BUILD
from heapscan import SANITIZED, command, scan

EXTENSION = BUILD / "heapscan.so"


@pytest.fixture(scope="module")
def case(dumps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sql")
    db = scan(dumps("random_heap", args=["5", "0"]).core, folder / "x.db")
    yield db
    db.close()


@pytest.fixture(scope="module")
def sql(case):
    """Python's own SQLite, with our functions. A sanitizer's runtime cannot be loaded that late."""
    connection = sqlite3.connect(f"file:{case.path}?mode=ro", uri=True)
    if SANITIZED:
        yield HeapscanSql(case.path)
        return
    connection.enable_load_extension(True)
    connection.load_extension(str(EXTENSION))
    yield connection
    connection.close()


class HeapscanSql:
    """The same questions through the command."""

    def __init__(self, path):
        self.path = path

    def execute(self, query, args=()):
        for a in args:
            query = query.replace("?", str(a), 1)
        rows = json.loads(command("sql", self.path, query, "--format", "json").out)["rows"]
        return [tuple(r.values()) for r in rows]


def column(sql, query, *args):
    return [row[0] for row in sql.execute(query, args)]


def test_retained_set(case, sql):
    children = defaultdict(list)
    for id_, dominator in case.rows("SELECT id, dominator_id FROM object"):
        children[dominator].append(id_)
    for (id_, retained) in case.rows("SELECT id, retained FROM object ORDER BY retained DESC LIMIT 5"):
        pending, expected = [id_], set()
        while pending:
            expected.add(at := pending.pop())
            pending += children[at]
        found = column(sql, "SELECT object_id FROM retained_set(?)", id_)
        assert len(found) == len(set(found)) and set(found) == expected
        assert column(sql, """SELECT sum(size) FROM object
                              WHERE id IN (SELECT object_id FROM retained_set(?))""", id_) == [retained]
    assert column(sql, "SELECT object_id FROM retained_set(123456789)") == []


def test_referrers_of(case, sql):
    sources = defaultdict(set)
    for src, dst in case.rows("SELECT src, dst FROM reference WHERE kind <> 2"):
        sources[dst].add(src)
    some = case.column("SELECT dst FROM reference GROUP BY dst ORDER BY count(*) DESC LIMIT 3")
    for id_ in some:
        for depth in (1, 3, 10):
            seen, ring = {id_: 0}, {id_}
            for d in range(1, depth + 1):
                ring = {s for v in ring for s in sources[v]} - seen.keys()
                seen.update(dict.fromkeys(ring, d))
            del seen[id_]
            rows = sql.execute("SELECT object_id, depth, via FROM referrers_of(?, ?)", (id_, depth))
            found = {}
            for object_id, d, via in rows:
                assert object_id in sources[via] and object_id not in found
                found[object_id] = d
            assert found == seen
    assert set(column(sql, "SELECT object_id FROM referrers_of(?)", some[0])) == (
        sources[some[0]] - {some[0]})


def test_object_at(case, sql):
    for id_, address, size in case.rows("SELECT id, address, size FROM object ORDER BY random() LIMIT 20"):
        for offset in (0, size // 2, size - 1):
            assert column(sql, "SELECT object_at(?)", address + offset) == [id_]
    assert column(sql, "SELECT object_at(4096)") == [None]


def test_path_to(case, sql):
    """Every step is a reference of the database, the first object has the root that is named."""
    some = case.column("SELECT id FROM object WHERE reachable = 1 ORDER BY random() LIMIT 10")
    for id_ in some:
        rows = list(sql.execute("""SELECT path, step, object_id, reference_id, root_id, expression
                                   FROM path_to(?, 2)""", (id_,)))
        assert rows and len({r[0] for r in rows}) <= 2
        for before, row in zip([None, *rows], rows):
            if row[1] == 0:
                assert case.one("SELECT object_id FROM root WHERE id = ?", row[4]) == row[2]
            else:
                assert case.rows("SELECT src, dst FROM reference WHERE rowid = ?", row[3]) == [
                    (before[2], row[2])]
            assert row[5]
        ends = {r[0]: r[2] for r in rows}
        assert set(ends.values()) == {id_}


def test_numbers(sql):
    assert list(sql.execute("SELECT hex(255), addr(255), hex('ab'), human(1536)")) == [
        ("0xff", "0xff", "6162", "1.50 KiB")]


def test_an_argument_is_needed(case):
    assert "needs an object's id" in command("sql", case.path, "SELECT * FROM path_to",
                                             status=1).err


if not SANITIZED:  # its runtime cannot be loaded into another program

    def test_stock_shell(case):
        done = subprocess.run(["sqlite3", "-readonly", "-cmd", f'.load "{EXTENSION}"', case.path,
                               "SELECT count(*) FROM object WHERE hex(address) REGEXP '^0x'"],
                              capture_output=True, text=True, timeout=60)
        assert done.stdout.strip() == str(case.one("SELECT count(*) FROM object")), done.stderr

    @pytest.mark.parametrize("write", [False, True])
    def test_interactive(case, tmp_path, write):
        """On a terminal it is the sqlite3 program, with our functions, read-only unless asked."""
        copy = tmp_path / "copy.db"
        copy.write_bytes(case.path.read_bytes())
        leader, follower = pty.openpty()
        args = [BUILD / "heapscan", "sql", copy, *(["--write"] if write else [])]
        child = subprocess.Popen([str(a) for a in args], stdin=follower, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, env={**os.environ, "TERM": "dumb"})
        os.close(follower)
        os.write(leader, b"SELECT 'is ' || human(2048) AS x;\nUPDATE meta SET value = 'changed';\n.quit\n")
        out = child.communicate(timeout=60)[0].decode()
        os.close(leader)
        assert "is 2.00 KiB" in out
        assert ("readonly" in out or "read-only" in out) != write, out
        with sqlite3.connect(copy) as db:
            changed = db.execute("SELECT count(*) FROM meta WHERE value = 'changed'").fetchone()[0]
        assert bool(changed) == write


def test_write(case, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_bytes(case.path.read_bytes())
    command("sql", copy, "CREATE TABLE mine(x)", status=2)
    command("sql", copy, "--write", "CREATE TABLE mine AS SELECT 1 AS x")
    assert "1" in command("sql", copy, "SELECT x FROM mine").out
