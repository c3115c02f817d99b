"""Why something is alive: each way once. What only repeats a path in another frame, or by way of a module that every
function leads to, is told with it."""

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

PROGRAM = HERE / "programs" / "held.py"
THREADS = 4
# Frames are objects to 3.10.
KNOWN = [i for i in interpreters()
         if i.word == 8 and not (i.free_threaded or i.debug) and i.version in ((2, 7), (3, 10), (3, 11), (3, 13))]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]


@pytest.fixture(scope="module", params=KNOWN, ids=str)
def held(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("held") / "run"
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(folder, [*request.param.command, PROGRAM], request.param.path, env=env)
    db = scan(made.core, folder / "held.db")
    made.core.unlink()
    yield db, [int(a) for a in made.truth.read_text().split()]
    db.close()


def paths(db, address):
    found = json.loads(command("path", db.path, hex(address), "--format", "json").out)
    return found["paths"]


def test_module(held):
    """What a module's variable holds, every function of the module leads to: that is no other path."""
    db, (cached, _, _) = held
    rows = paths(db, cached)
    assert rows[0]["expression"] == "__main__.CACHE[0]"
    assert not [r for r in rows if "__globals__" in r["expression"] or "CACHE" in r["expression"]][1:]
    assert rows[0]["also"] >= 1  # worker's and start's functions, the frames' own variables
    assert "also by " + rows[0]["also_by"][:20] in command("path", db.path, hex(cached)).out


def test_frames(held):
    """The same local of one function in all threads, of one object and of objects alike."""
    db, (_, item, inside) = held
    rows = [r for r in paths(db, item) if r["expression"] == "item"]
    assert len(rows) == 1 and "worker()" in rows[0]["root"]
    assert rows[0]["also"] >= THREADS - 1
    rows = [r for r in paths(db, inside) if r["expression"] == "wrap.box"]
    assert len(rows) == 1 and rows[0]["also"] >= THREADS - 1
    assert "worker()" in rows[0]["also_by"]
    # Who shares it is still told of each thread.
    text = command("path", db.path, hex(inside)).out
    assert len([line for line in text.splitlines() if "worker()" in line and "wrap.box" in line]) >= 3


def test_cycles(held):
    """What the program's own objects make comes first; what every class and module has by itself is counted."""
    db, _ = held
    found = json.loads(command("cycles", db.path, "--format", "json").out)
    alive = [r for r in found["rows"] if r["state"] == "alive"]
    families = [r for r in alive if r["type"] == "__main__.Node"]
    assert alive[0]["type"] in ("__main__.Node", "threading.Thread", "threading._MainThread")
    assert sum(r["clusters"] for r in families) == 30 and not families[0]["normal"]
    assert not [r for r in alive if r["type"] in ("type", "module")]
    assert found["definitions"] >= 50 and not found["definitions_shown"]
    assert sum(r["clusters"] for r in found["rows"]) == found["clusters"] - found["definitions"]
    assert "--definitions shows them" in command("cycles", db.path).out
    # And all of them, those last.
    for more in ([], ["--all"]):
        every = json.loads(command("cycles", db.path, "--definitions", "--limit", "0", "--format", "json", *more).out)
        normal = [r["normal"] for r in every["rows"]]
        assert normal == sorted(normal) and 1 in normal
        assert sum(r.get("clusters", 1) for r in every["rows"]) == every["clusters"] == found["clusters"]
    # Who asks for types gets them.
    assert json.loads(command("cycles", db.path, "--type", "^type$", "--format", "json").out)["rows"]


def test_type(held):
    """Of a type's name: which of its objects it is."""
    db, _ = held
    assert "holds the most of 3 of this type" in command("path", db.path, "__main__.Box").out
