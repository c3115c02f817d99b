"""The commands: what they print agrees with the database, in text and in JSON, on every channel."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from elfcore import Core
from heapscan import ENV, HEAPSCAN, Database, command, scan

TOP = Path(__file__).resolve().parents[2]
COMMANDS = ["leaks", "cycles", "top", "memory", "show", "sql"]


@pytest.fixture(scope="module")
def case(dumps, tmp_path_factory):
    """A dump with leaks, cycles, text and threads' roots, and its database."""
    folder = tmp_path_factory.mktemp("cmd")
    dump = dumps("leak_cycle_tail", "gcc-O2")
    core = folder / "core"
    core.write_bytes(Path(dump.core).read_bytes())
    db = scan(core, folder / "x.db")
    db.core, db.oracle = core, dump.oracle
    yield db
    db.close()


def answer(*args, **how):
    return json.loads(command(*args, "--format", "json", **how).out)


# ---- what they say is what the database says ----


def test_screen(case):
    said = answer(case.path)
    assert said["command"] == "scan"
    assert said["objects"] == case.one("SELECT count(*) FROM object")
    assert said["bytes"] == case.one("SELECT sum(size) FROM object")
    assert said["lost_bytes"] == case.one("SELECT sum(size) FROM object WHERE reachable = 0")
    mapped = case.one('SELECT sum("end" - start) FROM segment')
    *rows, total = said["ledger"]
    assert total["category"] == "total" and total["bytes"] == mapped
    assert sum(r["bytes"] for r in rows) == mapped
    assert sum(r["share"] or 0 for r in rows) == pytest.approx(1, abs=1e-3)
    assert sum(r["bytes"] for r in said["leaks"]) == said["lost_bytes"]


def test_leaks(case):
    said = answer("leaks", case.path, "--limit", 0)
    lost = case.one("SELECT sum(size) FROM object WHERE reachable = 0")
    assert said["bytes"] == lost == sum(r["bytes"] for r in said["rows"])
    assert all(r["bytes"] == r["direct_bytes"] + r["indirect_bytes"] for r in said["rows"])
    one_by_one = answer("leaks", case.path, "--all", "--limit", 0)["rows"]
    assert len(one_by_one) == said["clusters"] == sum(r["clusters"] for r in said["rows"])
    members = {m["cluster_id"] for m in said["members"]}
    assert members <= set(case.column("SELECT id FROM cluster WHERE kind = 'leak'"))
    for m in said["members"]:
        assert case.one("SELECT count(*) FROM cluster_member WHERE cluster_id = ? AND object_id = ?",
                        m["cluster_id"], m["object_id"]) == 1


def test_cycles(case):
    said = answer("cycles", case.path, "--limit", 0)
    assert said["clusters"] == case.one("SELECT count(*) FROM cluster WHERE kind = 'cycle'")
    assert said["garbage"] == case.one(
        "SELECT count(*) FROM cluster WHERE kind = 'cycle' AND reachable = 0") > 0


def test_top(case):
    total = case.one("SELECT sum(size) FROM object")
    for by in ("type", "module", "arena"):
        rows = answer("top", case.path, "--by", by, "--limit", 0)["rows"]
        assert sum(r["bytes"] for r in rows) == total
        assert [r["bytes"] for r in rows] == sorted((r["bytes"] for r in rows), reverse=True)
    for by in ("size", "retained"):
        rows = answer("top", case.path, "--by", by, "--limit", 7)["rows"]
        assert [r[by] for r in rows] == case.column(
            f"SELECT {by} FROM object ORDER BY {by} DESC LIMIT 7")
    name = case.one("SELECT name FROM type JOIN object ON type_id = type.id LIMIT 1")
    for by in ("type", "size", "retained", "module", "arena"):
        rows = answer("top", case.path, "--by", by, "--limit", 0, "--type", f"^\\Q{name}\\E$")["rows"]
        assert rows and all(r.get("type", name) == name for r in rows)
        assert not answer("top", case.path, "--by", by, "--type", "no such type")["rows"]


def test_memory(case):
    said = answer("memory", case.path, "--limit", 0)
    mapped = case.one('SELECT sum("end" - start) FROM segment')
    *rows, total = said["categories"]
    assert total["bytes"] == mapped == sum(r["bytes"] for r in rows)
    assert mapped == sum(r["bytes"] for r in said["places"])
    assert sum(r["bytes"] for r in said["free"]) == case.one("SELECT sum(size) FROM free_block")
    assert sum(r["used_bytes"] for r in said["arenas"]) == case.one("SELECT sum(size) FROM object")
    segments = answer("memory", case.path, "--segments")["segments"]
    assert sum(r["bytes"] for r in segments) == mapped


# ---- show: any address ----


def test_show_object(case):
    core = Core(case.core)
    for id, address, size in case.rows("SELECT id, address, size FROM object ORDER BY id LIMIT 20"):
        for what in (str(id), f"#{id}", f"{address:#x}", f"{address + size - 1:#x}"):
            said = answer("show", case.path, what, "--hex", 100000)
            assert (said["what"], said["id"], said["size"]) == ("object", id, size)
            at = core.offset(address)
            assert said["bytes"] == core.data[at:at + size].hex()
        assert [r["offset"] for r in said["referents"]] == case.column(
            "SELECT offset FROM reference WHERE src = ? ORDER BY offset LIMIT 10", id)
        assert said["referrer_count"] == case.one(
            "SELECT count(*) FROM reference WHERE dst = ?", id)


def test_show_dominators(case):
    id = case.one("SELECT id FROM object WHERE dominator_id IS NOT NULL LIMIT 1")
    chain = answer("show", case.path, id, "--limit", 0)["dominators"]
    while id := case.one("SELECT dominator_id FROM object WHERE id = ?", id):
        assert chain.pop(0)["id"] == id
    assert not chain


def test_show_elsewhere(case):
    free, = case.rows("SELECT address, size FROM free_block ORDER BY size DESC LIMIT 1")
    assert answer("show", case.path, f"{free[0] + 1:#x}")["free_block"] == f"{free[0]:#x}"
    module = case.one("SELECT start FROM segment WHERE kind = 'module' LIMIT 1")
    assert answer("show", case.path, f"{module:#x}")["segment_kind"] == "module"
    assert answer("show", case.path, "0x10")["what"] == "nothing"
    assert answer("show", case.path, "0xffffffffffffffff")["what"] == "nothing"
    name = case.one("SELECT name FROM type JOIN object ON type_id = type.id LIMIT 1")
    assert answer("show", case.path, name)["types"][0]["type"] == name
    for what in ("#99999999", "0x", "0xzz", "#x", "no such type", "0x10000000000000000"):
        command("show", case.path, what, status=1)


def test_show_without_the_dump(dumps, tmp_path):
    core = tmp_path / "core"
    core.write_bytes(Path(dumps("leak_cycle_tail", "gcc-O2").core).read_bytes())
    db = scan(core, tmp_path / "x.db")
    other = Path(dumps("leak_ring", "gcc-O2").core).read_bytes()
    for content, why in ((None, "gone"), (b"something else", "no dump"), (other, "")):
        core.unlink(missing_ok=True)
        if content is not None:
            core.write_bytes(content)
        said = answer("show", db.path, "1")
        assert said["bytes"] is None and why in said["bytes_missing"]
        assert "No bytes to show" in command("show", db.path, "1").out
    db.close()


# ---- sql ----


def test_sql(case):
    rows = answer("sql", case.path, "SELECT id, addr(address) AS a, human(size) AS h FROM object "
                                    "WHERE size > 16 ORDER BY id LIMIT 3")["rows"]
    assert [r["id"] for r in rows] == case.column(
        "SELECT id FROM object WHERE size > 16 ORDER BY id LIMIT 3")
    assert all(re.fullmatch("0x[0-9a-f]+", r["a"]) for r in rows)
    two = answer("sql", case.path, "SELECT 1 AS a; -- more\nSELECT 2 AS b;")
    assert (two["rows"], two["rows_2"]) == ([{"a": 1}], [{"b": 2}])
    for wrong in ("SELEC 1", "SELECT nothing FROM object", "DELETE FROM object",
                  "CREATE TABLE t (a)"):
        assert command("sql", case.path, wrong, status=(1, 2)).err
    assert case.one("SELECT count(*) FROM object") > 0


def test_sql_from_stdin(case, tmp_path):
    query = tmp_path / "q.sql"
    query.write_text("SELECT count(*) AS n\nFROM object;\n")
    with open(query) as f:
        assert json.loads(command("sql", case.path, "--format", "json", stdin=f).out)[
            "rows"] == [{"n": case.one("SELECT count(*) FROM object")}]


def readme_queries():
    return re.findall(r"```sql\n(.*?)```", (TOP / "README.md").read_text(), re.DOTALL)


def test_root_without_address(case, tmp_path):
    """Only what is a register is called one."""
    copy = tmp_path / "x.db"
    copy.write_bytes(Path(case.path).read_bytes())
    with sqlite3.connect(copy) as sql:
        sql.executemany("INSERT INTO root (id, kind, grade, object_id, how, name) VALUES (?, ?, 1, 1, 0, ?)",
                        [(1000001, "global", "nowhere"), (1000002, "register", "rbx")])
    lines = [line.split()[:2] for line in command("show", copy, "#1").out.splitlines()]
    assert ["global", "-"] in lines and ["register", "-"] in lines


def test_quiet(case, tmp_path):
    """A scan says nothing, not even of a dump cut short; what is asked for is answered."""
    part = tmp_path / "part"
    part.write_bytes(case.core.read_bytes()[:-20000])
    assert "warning" in command(part, "-o", tmp_path / "a.db").err
    done = command(part, "-o", tmp_path / "b.db", "--quiet")
    assert (done.out, done.err) == ("", "")
    assert command("top", tmp_path / "a.db").out == command("top", tmp_path / "b.db").out
    done = command(case.core, "-o", tmp_path / "c.db", "-q", "--fail-on", "leaks", status=3)
    assert (done.out, done.err) == ("", "")
    said = answer(case.core, "-o", tmp_path / "d.db", "-q")
    assert said["command"] == "scan"
    for words in ([tmp_path / "c.db"], ["leaks", tmp_path / "c.db"], ["show", tmp_path / "c.db", "1"]):
        assert command(*words, "-q").out == command(*words).out != ""


@pytest.mark.parametrize("query", readme_queries())
def test_readme_queries(case, query):
    command("sql", case.path, query)


def test_readme_has_queries():
    assert len(readme_queries()) >= 5


# ---- the command line ----


def test_exit_statuses(case, tmp_path):
    command("leaks", case.path, "--fail-on", "leaks", status=3)
    command("leaks", case.path, "--fail-on", "leaks", "--type", "no such type")
    command("cycles", case.path, "--fail-on", "leaks,cycles", status=3)
    command(case.path, "--fail-on", "cycles", status=3)
    command(case.path)
    command(status=1)
    for wrong in (["--nonsense"], ["leaks"], ["leaks", case.path, "more"], ["leeks", case.path],
                  ["top", case.path, "--by", "color"], ["top", case.path, "--limit", "x"],
                  [case.path, "-o", tmp_path / "y.db"], ["-"], ["help", "nothing"]):
        done = command(*wrong, status=1)
        assert not done.out and done.err.startswith("heapscan: error: ")
    for wrong in (tmp_path / "no.db", tmp_path, case.core, "/dev/null"):
        command("top", wrong, status=2)
    (tmp_path / "foreign.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    command("top", tmp_path / "foreign.db", status=2)


def test_type_that_is_no_expression(case):
    assert "regular expression" in command("top", case.path, "--type", "(", status=(1, 2)).err


@pytest.mark.parametrize("args", [["top"], ["leaks"], ["memory"], ["show", "1"], ["sql", "SELECT 1"],
                                  [], ["--help"]])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_output_that_cannot_be_written(case, args):
    args = args if args == ["--help"] else [*args[:1], str(case.path), *args[1:]]
    with open("/dev/full", "w") as full:
        done = subprocess.run([HEAPSCAN, *args], stdout=full, stderr=subprocess.PIPE, env=ENV)
    assert done.returncode == 2 and b"cannot write" in done.stderr


def test_widths(case):
    for columns in (40, 80, 120):
        env = {**ENV, "COLUMNS": str(columns)}
        done = subprocess.run([HEAPSCAN, "leaks", case.path], capture_output=True, env=env, text=True)
        table = [line for line in done.stdout.splitlines() if re.match(r" *\d+ +\d+ ", line)]
        assert table
        if columns >= 80:
            assert all(len(line) <= columns for line in table)


def test_no_color_unless_asked(case):
    assert "\033" not in command(case.path).out
    assert "\033" in command(case.path, "--color", "always").out


def test_hostile_names(case, tmp_path):
    """What comes from a dump reaches no terminal as a command, and JSON stays JSON."""
    import shutil
    import sqlite3
    path = tmp_path / "hostile.db"
    shutil.copy(case.path, path)
    evil = "\033]0;owned\007\u202e\u009b31m\n\t\"\\"
    with sqlite3.connect(path) as sql:
        sql.execute("UPDATE meta SET value = ? WHERE key IN ('exe', 'args', 'source')", [evil])
        sql.execute("UPDATE object SET value = ?, type_id = (SELECT min(id) FROM type)", [evil])
        sql.execute("UPDATE type SET name = ?", [evil])
        sql.execute("UPDATE module SET path = CAST(x'ff1b5b41' AS TEXT)")
        sql.execute("UPDATE segment SET name = ?", [evil])
        sql.execute("UPDATE finding SET title = ?", [evil])
        sql.execute("UPDATE root SET name = ?", [evil])
        sql.execute("UPDATE frame SET function = ?", [evil])
        sql.execute("UPDATE cluster SET signature = ?", [evil])
    module = case.one("SELECT start FROM segment WHERE kind = 'module' LIMIT 1")
    for args in ([path], ["leaks", path], ["cycles", path], ["top", path], ["memory", path],
                 ["memory", path, "--segments"], ["show", path, "1"], ["show", path, hex(module)],
                 ["top", path, "--by", "size"], ["sql", path, "SELECT * FROM meta"]):
        done = command(*args)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.out), args
        json.loads(command(*args, "--format", "json").out)


def test_man_page_and_help_know_all_options():
    man = (TOP / "src" / "heapscan.1").read_text().replace("\\-", "-")
    for name in ["", *COMMANDS]:
        options = [o.split("=")[0] for o in command("--complete", *filter(None, [name])).out.split()
                   if o.startswith("--")]
        text = command(*filter(None, [name]), "--help").out
        assert len(options) > 4
        for option in options:
            assert option in text
            assert re.search(rf"Fl (\w , )?-{option[2:]}\b", man), f"{option} is not in the man page"
    for name in COMMANDS:
        assert f".It Cm {name}" in man


# ---- interruption ----


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(dumps, tmp_path, number):
    """Whenever the signal comes: the process dies of it, or is done; no half-made file is left."""
    core = dumps("leak_many", "gcc-O2").core
    for delay in (0.0, 0.01, 0.02, 0.04, 0.08, 0.2):
        with subprocess.Popen([HEAPSCAN, core, "-o", tmp_path / "x.db"], env=ENV,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as p:
            time.sleep(delay)
            p.send_signal(number)
            status = p.wait(timeout=60)
        assert status in (0, -number)
        assert {f.name for f in tmp_path.iterdir()} <= {"x.db"}
        if (tmp_path / "x.db").exists():
            Database(tmp_path / "x.db").close()
            (tmp_path / "x.db").unlink()
