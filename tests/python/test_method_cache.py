"""The interpreter's cache of attributes: it counts names, and does not count what they stood for."""

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import scan  # noqa: E402
from interpreters import interpreters  # noqa: E402
from test_native import errors_of, hidden  # noqa: E402

PROGRAM = HERE / "programs" / "method_cache.py"
# Before, it is a static variable of the interpreter, which is read as words.
KNOWN = [i for i in interpreters() if i.word == 8 and i.version >= (3, 10) and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]


@pytest.fixture(scope="module", params=KNOWN, ids=str)
def asked(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("method_cache") / "run"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*request.param.command, PROGRAM], request.param.path, env=env)
    db = scan(made.core, folder / "x.db")
    made.core.unlink()
    yield db, json.loads(made.truth.read_text())
    db.close()


def test_names(asked):
    """A root for each count of a name; what was asked for last may have taken its place since."""
    db, truth = asked
    rows = db.rows("SELECT o.address, o.refcount, (SELECT count(*) FROM root r WHERE r.object_id = o.id "
                   "AND r.name = '(method cache)') FROM object o")
    found = {a: (count, cached) for a, count, cached in rows if a in set(truth["names"])}
    assert len(found) == len(truth["names"]) == 300
    # the list has one
    assert not {hex(a): f for a, f in found.items() if f[0] != 1 + f[1]}
    assert sum(cached for _, cached in found.values()) >= 100
    assert not found.keys() & errors_of(db).keys()


def test_values(asked):
    """A leak is found although the cache has its address still; but for words that were left over elsewhere."""
    db, truth = asked
    found = errors_of(db)
    missed = [a for a in truth["leaked"] if found.get(a) != 1]
    assert len(truth["leaked"]) == 60
    assert all(hidden(db, a) for a in missed)
    assert len(missed) <= 6
