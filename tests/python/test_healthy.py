"""A process without a fault in its counts shows none: not an idle interpreter, and not one that has the
standard library in use and threads blocked in every way."""

import os
import sqlite3
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "healthy.py"
KNOWN = [i for i in interpreters()
         if i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[:1] + KNOWN[-1:]

ERRORS = """SELECT t.name, o.value, e.refcount, e.excess FROM refcount_error e
            JOIN object o ON o.id = e.object_id LEFT JOIN type t ON t.id = o.type_id"""


@pytest.mark.parametrize("what", ["idle", "busy"])
@pytest.mark.parametrize("python", KNOWN, ids=str)
def test_healthy(python, what, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(tmp_path / "run", [*python.command, PROGRAM, what], python.path, env=env)
    command(made.core, "-o", tmp_path / "x.db", "--fail-on", "refcount", status=(0, 3))
    made.core.unlink()
    db = sqlite3.connect(tmp_path / "x.db")
    assert db.execute(ERRORS).fetchall() == []
    assert db.execute("SELECT title FROM finding WHERE kind IN ('heap-damage', 'runtime-damage')").fetchall() == []
    (audited,) = db.execute("SELECT value FROM meta WHERE key = 'counts_audited'").fetchone()
    assert int(audited) > (50000 if what == "busy" else 3000)
    db.close()
    command("refs", tmp_path / "x.db", "--fail-on", "refcount")


@pytest.mark.parametrize("python", KNOWN, ids=str)
def test_builtin_types(python, tmp_path):
    """A builtin type's own dict is its `.__dict__`, wherever the interpreter keeps it."""
    made = dumper.run(tmp_path / "run", [*python.command, PROGRAM, "idle"], python.path)
    command(made.core, "-o", tmp_path / "x.db")
    made.core.unlink()
    db = sqlite3.connect(tmp_path / "x.db")
    found = dict(db.execute(
        """SELECT o.value, count(*) FROM object o JOIN type t ON t.id = o.type_id
           JOIN reference r ON r.src = o.id AND r.name = '.__dict__' AND r.kind = 1
           JOIN object d ON d.id = r.dst JOIN type dt ON dt.id = d.type_id AND dt.name = 'dict'
           WHERE t.name = 'type' GROUP BY o.value"""))
    names = ["object", "type", "int", "dict", "list", "tuple", "function"]
    assert {n: found.get(n) for n in names} == dict.fromkeys(names, 1)
    db.close()


@pytest.mark.parametrize("python", [i for i in KNOWN if i.version >= (3, 6)], ids=str)
def test_reused(python, tmp_path):
    """A buffer is its owner's, whatever died in its block before."""
    made = dumper.run(tmp_path / "run", [*python.command, HERE / "programs" / "reused.py"], python.path)
    command(made.core, "-o", tmp_path / "x.db")
    made.core.unlink()
    db = sqlite3.connect(tmp_path / "x.db")
    owners = {a for (a,) in db.execute("SELECT w.address FROM object o JOIN object w ON w.id = o.owner_id "
                                       "WHERE o.size >= 528")}
    assert {int(a) for a in made.truth.read_text().split()} <= owners
    assert db.execute("SELECT count(*) FROM object WHERE reachable = 0 AND type_id IS NULL AND "
                      "size BETWEEN 528 AND 560").fetchone() == (0,)
    db.close()
