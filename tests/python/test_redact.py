"""--redact: the same answers, and no planted secret in the database, the report or any command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import dump as dumper  # noqa: E402
from heapscan import command, scan  # noqa: E402

PROGRAM = Path(__file__).parent / "programs" / "redact.py"
SECRETS = ["hunter2topsecret", "correct-horse-battery", "S3cretK3yOfMine"]
NUMBER = 73194682
SAME = {
    "object": "id, address, block, size, arena_id, type_id, owner_id, refcount, reachable, grade, retained,"
              " dominator_id",
    "reference": "src, offset, dst, kind, how",
    "root": "id, kind, grade, object_id, address, thread_id, depth",
    "type": "id, language, name, module",
    "cluster": "id, kind, reachable, objects, bytes, head_id, signature",
    "garbage": "object_id",
    "refcount_error": "object_id, refcount, found, excess",
    "census": "*", "arena": "*", "free_block": "*", "ledger": "*", "segment": "*", "frame": "*",
    "finding": "kind, severity, title, objects, bytes, object_id, cluster_id",
}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redact")
    env = {**os.environ, "PLANTED": ",".join(SECRETS), "PLANTED_NUMBER": str(NUMBER)}
    dump = dumper.run(folder / "run", [sys.executable, "-S", PROGRAM, "--password=" + SECRETS[1]],
                      sys.executable, env=env)
    plain = scan(dump.core, folder / "plain.db")
    redacted = scan(dump.core, folder / "redacted.db", "--redact")
    yield plain, redacted
    plain.close()
    redacted.close()


def secrets():
    for s in SECRETS:
        for form in (s, s.upper(), s + "-name", s[:8]):
            yield form.encode()
    yield str(NUMBER).encode()


def test_plain_has_them(both):
    """The test would notice: without --redact they are all there."""
    data = both[0].path.read_bytes()
    assert not [s for s in SECRETS if s.encode() not in data]
    assert str(NUMBER).encode() in data


def test_no_secret_in_the_database(both):
    data = both[1].path.read_bytes()
    assert not [s for s in secrets() if s in data]


def test_no_secret_in_any_answer(both, tmp_path):
    db = both[1]
    user = db.one("SELECT o.id FROM object o JOIN type t ON t.id = o.type_id WHERE t.name LIKE '%User'"
                  " LIMIT 1")
    page = tmp_path / "page.html"
    command("report", db.path, "-o", page)
    out = page.read_text() + db.done.out
    for args in (["leaks"], ["cycles", "--all"], ["refs"], ["top", "--by", "size"], ["memory"],
                 ["top", "--by", "retained"], ["path", f"#{user}"], ["show", f"#{user}"]):
        for form in ("text", "json"):
            out += command(args[0], db.path, *args[1:], "--format", form).out
    assert not [s for s in secrets() if s.decode() in out]
    assert "made with --redact" in command("show", db.path, f"#{user}").out


@pytest.mark.parametrize("table", SAME)
def test_same_rows(both, table):
    plain, redacted = (db.rows(f"SELECT {SAME[table]} FROM {table} ORDER BY 1, 2, 3"
                               if "," in SAME[table] else f"SELECT {SAME[table]} FROM {table}")
                       for db in both)
    assert sorted(plain, key=repr) == sorted(redacted, key=repr)


def test_names_of_the_program_stay(both):
    """Paths still read as the program was written; only keys that are data are gone."""
    plain, redacted = both
    user = plain.one("SELECT o.id FROM object o JOIN type t ON t.id = o.type_id"
                     " WHERE t.name LIKE '%User' LIMIT 1")
    out = command("path", redacted.path, f"#{user}").out
    assert "__main__.REGISTRY['key" in out
    names = set(redacted.column("SELECT DISTINCT name FROM reference WHERE name LIKE '.%'"))
    assert {".name", ".password"} <= names
    assert names == set(plain.column("SELECT DISTINCT name FROM reference WHERE name LIKE '.%'"))
    paths = [set(db.column("SELECT path FROM retention")) for db in both]
    assert "__main__.REGISTRY" in paths[1]
