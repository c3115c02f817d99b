"""--suppress and --baseline: what is taken out of sight, and that what is new stays in it."""

import json
import re

import pytest

from heapscan import command, scan


@pytest.fixture(scope="module")
def case(dumps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("known")
    db = scan(dumps("sample_service").core, folder / "x.db")
    yield db
    db.close()


def answer(*args, status=0):
    return json.loads(command(*args, "--format", "json", status=status).out)


def leaks(db):
    return db.rows("SELECT clusters, bytes FROM shape WHERE kind = 'leak' AND NOT reachable")


@pytest.mark.parametrize("pattern,hit", [
    ("service::session", True), ("*ession", True), ("^service::session$", True), ("serv*on", True),
    ("^session", False), ("::sess$", False), ("service.*", False), ("Service::", False)])
def test_patterns(case, tmp_path, pattern, hit):
    """Templates as LeakSanitizer has them: no regular expressions."""
    file = tmp_path / "s"
    file.write_text(f"# known\n\n  leak:{pattern}  \n")
    # The shapes of the sample all begin with the type: only $ and ^ tell type and shape apart.
    found = answer("leaks", case.path, "--suppress", file)
    all_clusters = sum(c for c, _ in leaks(case))
    assert found["known_leaks"] == (all_clusters if hit else 0)
    assert found["clusters"] == (0 if hit else all_clusters)
    assert found["known_bytes"] + found["bytes"] == sum(b for _, b in leaks(case))


def test_gate(case, tmp_path):
    file = tmp_path / "s"
    file.write_text("leak:service::*\n")
    command("leaks", case.path, "--fail-on", "leaks", status=3)
    command("leaks", case.path, "--fail-on", "leaks,cycles", "--suppress", file, status=0)
    command(case.path, "--fail-on", "leaks", "--suppress", file, status=0)
    file.write_text("leak:something else\n")
    command("leaks", case.path, "--fail-on", "leaks", "--suppress", file, status=3)
    out = command(case.path, "--baseline", case.path, "--fail-on", "leaks").out
    assert re.search(r"Known and not shown: 100 leak clusters", out)
    assert "leak: " not in out


def test_many_patterns(case, tmp_path):
    """More than one expression can hold; the last one counts as well."""
    file = tmp_path / "s"
    file.write_text("".join(f"leak:nothing_{i}_of_this_kind*\n" for i in range(5000))
                    + "leak:service::session\n")
    assert answer("leaks", case.path, "--suppress", file)["clusters"] == 0


def test_baseline_is_by_content_and_number(dumps, tmp_path):
    """The same program, other addresses: what the old run had is known, what is beyond is new."""
    old = scan(dumps("leak_many").core, tmp_path / "old.db")
    new = scan(dumps("leak_many", "gcc-O0").core, tmp_path / "new.db")
    assert answer("leaks", new.path, "--baseline", old.path)["clusters"] == 0
    half = tmp_path / "half.db"
    half.write_bytes(old.path.read_bytes())
    import sqlite3
    with sqlite3.connect(half) as sql:
        sql.execute("UPDATE shape SET clusters = clusters - 7 WHERE kind = 'leak' AND clusters > 7")
        changed = sql.execute("SELECT count(*) FROM shape WHERE kind = 'leak' AND clusters > 0").fetchone()[0]
    assert changed
    found = answer("leaks", new.path, "--baseline", half)
    assert found["clusters"] == 7 * len([1 for c, _ in leaks(old) if c > 7])
    assert found["rows"] and len(answer("leaks", new.path, "--baseline", half, "--all",
                                        "--limit", "0")["rows"]) == found["clusters"]


@pytest.mark.parametrize("text,said", [
    ("fun:main\n", "line 1 is no leak:PATTERN"), ("leak:\n", "line 1"),
    ("leak:a\nleak:b\nmore\n", "line 3"), ("leak:" + "a" * 10000 + "\n", "line 1 is too long")])
def test_bad_file(case, tmp_path, text, said):
    file = tmp_path / "s"
    file.write_text(text)
    assert said in command("leaks", case.path, "--suppress", file, status=1).err


def test_missing_files(case, tmp_path):
    command("leaks", case.path, "--suppress", tmp_path / "none", status=1)
    command("leaks", case.path, "--baseline", tmp_path / "none", status=2)
    command("leaks", case.path, "--baseline", __file__, status=2)


def test_known_and_open_add_up(dumps, tmp_path):
    """Shapes that are known in whole, with and without a baseline that knows a part of the rest: no cluster twice."""
    db = scan(dumps("leak_many").core, tmp_path / "x.db")
    old = scan(dumps("sample_service").core, tmp_path / "old.db")
    every = answer("leaks", db.path, "--all")["rows"]
    shapes = {row["signature"] for row in every}
    assert len(every) == db.one("SELECT count(*) FROM cluster WHERE kind = 'leak' AND NOT reachable")
    assert [row["bytes"] for row in every] == sorted((row["bytes"] for row in every), reverse=True)
    file = tmp_path / "s"
    one = max(shapes, key=lambda s: sum(row["signature"] == s for row in every))
    file.write_text("leak:^" + re.sub(r"[$^]", "*", one).replace(" (", "*(") + "$\n")
    for extra in ([], ["--baseline", old.path], ["--baseline", db.path]):
        options = ["--suppress", file, *extra]
        folded, listed = answer("leaks", db.path, *options), answer("leaks", db.path, "--all", *options)["rows"]
        left = [] if db.path in extra else [row for row in every if row["signature"] != one]
        assert sorted(row["cluster_id"] for row in listed) == sorted(row["cluster_id"] for row in left)
        assert folded["clusters"] == len(left) and folded["known_leaks"] == len(every) - len(left)
        assert folded["known_bytes"] + sum(row["bytes"] for row in left) == sum(row["bytes"] for row in every)
    assert answer("leaks", db.path, "--all", "-n", 3)["rows"] == every[:3]
    old.close()
    db.close()
