"""Reference counts: what leaks and what was given back too often is found; a healthy process has none."""

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

ZOO = HERE / "programs" / "refs_zoo.py"
KNOWN = [i for i in interpreters()
         if i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]


# Counts that the interpreter's own modules leak when they begin: true, and of no weight.
ITS_OWN = {
    (3, 9): {"select.poll"},       # Modules/selectmodule.c, _select_exec: an INCREF, no AddObject
    (3, 11): {"decimal.Context"},  # Modules/_decimal/_decimal.c: 3.11.7; not 3.11.2 nor 3.12.1
}


def run(interpreter, folder, *args):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*interpreter.command, ZOO, *args], interpreter.path, env=env)
    truth = [line.split() for line in made.truth.read_text().splitlines()]
    db = scan(made.core, folder / "refs.db")
    made.core.unlink()
    return db, [(what, int(address), int(excess)) for what, address, excess in truth]


@pytest.fixture(scope="module", params=KNOWN, ids=str)
def interpreter(request):
    return request.param


@pytest.fixture(scope="module")
def zoo(interpreter, tmp_path_factory):
    db, truth = run(interpreter, tmp_path_factory.mktemp("refs") / "run")
    yield db, truth
    db.close()


ERRORS = ("SELECT o.address, e.excess FROM refcount_error e JOIN object o ON o.id = e.object_id "
          "LEFT JOIN type t ON t.id = o.type_id "
          "WHERE iif(t.name = 'type', o.value, coalesce(t.name, '')) NOT IN (%s)")


def errors_of(db, interpreter):
    own = ",".join(f"'{name}'" for name in ITS_OWN.get(interpreter.version, ()))
    return dict(db.rows(ERRORS % own))


def test_found(zoo, interpreter):
    """All that leaked, but for the few whose address a stale word holds; nothing that C holds."""
    db, truth = zoo
    errors = errors_of(db, interpreter)
    leaked = {a: n for what, a, n in truth if what == "leaked"}
    over = {a: n for what, a, n in truth if what == "over"}
    found = {a: n for a, n in errors.items() if a in leaked}
    assert len(found) >= len(leaked) - 8
    assert sum(found[a] != leaked[a] for a in found) <= 8
    assert {a: n for a, n in errors.items() if a in over} == over
    assert not errors.keys() & {a for what, a, _ in truth if what == "held"}
    assert errors.keys() - leaked.keys() - over.keys() == set()


def test_healthy(interpreter, tmp_path):
    db, _ = run(interpreter, tmp_path / "run", "healthy")
    assert errors_of(db, interpreter) == {}
    assert int(db.meta()["counts_audited"]) > 1000
    if interpreter.version not in ITS_OWN:
        assert "Every count is explained" in command("refs", db.path, "--fail-on", "refcount").out
    db.close()


def test_command(zoo):
    db, truth = zoo
    out = json.loads(command("refs", db.path, "--format", "json", "--fail-on", "refcount",
                             status=3).out)
    assert out["over_released"] == 5
    assert out["leaked"] >= 210
    assert [r["state"] for r in out["rows"]][0] == "over-released"
    every = json.loads(command("refs", db.path, "--all", "--limit", "0", "--format", "json").out)
    assert len(every["rows"]) == db.one("SELECT count(*) FROM refcount_error")
    assert db.rows("SELECT 1 FROM finding WHERE kind = 'refcount' AND severity = 'error'")


def test_keeps(zoo, interpreter):
    """What hangs on leaked counts, where they alone keep it; a word that was left over may hold some."""
    db, truth = zoo
    errors = errors_of(db, interpreter)
    loaded = {a: inner for what, a, inner in truth if what == "loaded"}
    lost = set(db.column("SELECT address FROM object WHERE reachable = 0"))
    alone = [a for a, inner in loaded.items() if a in errors and {a, inner} <= lost]
    assert len(alone) >= len(loaded) - 4
    least = 2000000 * len(alone)
    (title, severity, size) = db.rows("SELECT f.title, f.severity, f.bytes FROM finding f JOIN type t ON t.id = f.type_id "
                                      "WHERE f.kind = 'refcount' AND t.name = 'list'")[0]
    assert least <= size <= 2100000 * len(loaded)
    assert ", with what hangs on them " in title and severity in ("warning", "error")
    out = json.loads(command("refs", db.path, "--format", "json").out)
    rows = {r["type"]: r for r in out["rows"] if r["state"] == "leaked"}
    assert least <= rows["list"]["keeps"] == size
    assert out["leaked_keeps"] >= size
    assert [r for r in out["rows"] if r["state"] == "leaked"][0]["type"] == "list"
    share, whole = db.rows("SELECT sum(c.bytes) FILTER (WHERE c.reachable = 0), sum(c.bytes) FROM census c JOIN type t "
                           "ON t.id = c.type_id WHERE t.name = ?", "bytes" if interpreter.version >= (3,) else "str")[0]
    (detail,) = db.column("SELECT f.detail FROM finding f JOIN type t ON t.id = f.type_id WHERE f.kind = 'type' AND "
                          "t.name IN ('str', 'bytes')")
    assert detail.startswith(f"nothing leads to {100 * share // whole} % of these bytes: heapscan leaks DB")


def test_path(zoo):
    """Modules, keys, items and attributes as a programmer would write them."""
    db, truth = zoo
    (address,) = [a for what, a, _ in truth if what == "session"]
    out = json.loads(command("path", db.path, hex(address), "--format", "json").out)
    assert out["paths"][0]["expression"] == "__main__.KEPT['sessions'][17]"
    assert "sys.modules" in out["paths"][0]["root"]
    text = command("path", db.path, hex(address)).out
    assert "__main__.KEPT['sessions'][17]" in text
    assert "digraph" in command("path", db.path, hex(address), "--dot").out
    other = json.loads(command("path", db.path, hex(address), "--avoid", "sessions",
                               "--format", "json").out)
    assert not [p for p in other["paths"] if "sessions" in p["expression"]]
