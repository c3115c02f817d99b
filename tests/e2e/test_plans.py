"""How SQLite goes about the questions of commands. A table with a row for each object or reference is not read from
end to end by one that wants a few of its rows: of ten million that takes a second. Which table leads, SQLite guesses,
without having counted anything: what it guesses here, it does of every database."""

import re
import sqlite3
from pathlib import Path

import pytest

from heapscan import scan

SCHEMA = Path(__file__).resolve().parents[2] / "schema"
MANY = "object", "reference", "cluster_member"
WHOLE = {"query/top_retained.sql": "object"}  # one by one, in the order of an index, as far as they are wanted


def statements(text):
    text = re.sub(r"^\s*--.*", "", text, flags=re.M)
    while text.strip():
        at = 0
        while not sqlite3.complete_statement(text[:at + 1]) and at < len(text):
            at += 1
        yield text[:at + 1]
        text = text[at + 1:]


def prepared(db, *scripts):
    connection = sqlite3.connect(db)
    for script in scripts:
        connection.executescript((SCHEMA / script).read_text())
    return connection


def scanned(connection, statement):
    """The big tables that it reads from end to end. A table that it makes is there afterwards."""
    names = {name: name for name in MANY}
    for table, alias in re.findall(r"(?:FROM|JOIN|,)\s+(?:\w+\.)?(\w+) (?:AS )?([a-z]\w*)", statement):
        # One that stands for several tables tells nothing.
        names[alias] = table if names.get(alias, table) == table else None
    bare = re.sub("--.*", "", re.sub("'[^']*'", "", statement))
    values = ({name: None for name in re.findall(r":(\w+)", bare)}
              or (None,) * len(set(re.findall(r"\?\d", bare)) or bare.split("?")[1:]))
    rows = None
    while rows is None:
        try:
            rows = connection.execute("EXPLAIN QUERY PLAN " + statement, values).fetchall()
        except sqlite3.OperationalError as error:
            function = re.fullmatch(r"no such function: (\w+)", str(error))
            if not function:
                raise
            connection.create_function(function[1], -1, lambda *args: None)  # what it gives matters not
    if re.search(r"^\s*(CREATE|DROP)", statement, re.M):
        connection.execute(statement, values)
    return {names.get(word) for row in rows for word in re.findall(r"^SCAN (\w+)", row[3])} & set(MANY)


@pytest.fixture(scope="module")
def db(dumps, tmp_path_factory):
    with scan(dumps("leak_direct", "gcc-O2").core, tmp_path_factory.mktemp("plans") / "x.db") as db:
        yield db.path


def test_the_test(db):
    connection = prepared(db)
    assert scanned(connection, "SELECT sum(o.size) FROM object o WHERE o.value = 'x'") == {"object"}
    assert scanned(connection, "SELECT sum(offset) FROM reference") == {"reference"}
    assert not scanned(connection, "SELECT * FROM object o WHERE o.id = :id")


def test_questions(db):
    connection = prepared(db, "temp/known_tables.sql", "temp/site_table.sql", "temp/function_table.sql")
    seen = 0
    for folder in "query", "temp":
        for path in sorted((SCHEMA / folder).glob("*.sql")):
            name = f"{folder}/{path.name}"
            for statement in statements(path.read_text()):
                if path.parent.name == "temp" and "_table" in name:
                    continue  # they are there
                seen += 1
                assert scanned(connection, statement) <= {WHOLE.get(name)}, name
    assert seen > 130


def test_findings(db):
    connection = prepared(db)
    connection.execute("CREATE TEMP TABLE draft AS SELECT * FROM finding")
    for path in sorted((SCHEMA / "finding").glob("*.sql")):
        for statement in statements(path.read_text()):
            assert not scanned(connection, statement), path.name


def test_growth(db):
    connection = prepared(":memory:", "growth/tables.sql")
    connection.execute("ATTACH ? AS dump", (str(db),))
    for name in "load.sql", "load_path.sql":
        for statement in statements((SCHEMA / "growth" / name).read_text()):
            assert not scanned(connection, statement), statement
