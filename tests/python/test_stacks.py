"""What only the value stack of a running function holds: a root names thread and function, its count is right."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command, scan  # noqa: E402
from interpreters import interpreters  # noqa: E402

KNOWN = [i for i in interpreters() if i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[-1:]

ROOTS = """SELECT f.function FROM root r JOIN object o ON o.id = r.object_id
           JOIN frame f ON f.thread_id = r.thread_id AND f.depth = r.depth
           WHERE o.address = ? AND r.kind = 'frame' AND r.name = '(stack)' AND f.language = 'python'"""


@pytest.mark.parametrize("python", KNOWN, ids=str)
def test_stacks(python, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(tmp_path / "run", [*python.command, HERE / "programs" / "stacks.py"], python.path, env=env)
    truth = [(how, int(a), function) for how, a, function in map(str.split, made.truth.read_text().splitlines())]
    assert len(truth) == 27
    with scan(made.core, tmp_path / "x.db") as db:
        made.core.unlink()
        for how, address, function in truth:
            reachable, count = db.rows("SELECT reachable, refcount FROM object WHERE address = ?", address)[0]
            assert reachable == 1 and count == 1, (how, function)
            # A generator has its frame inside (3.11), which names what it holds as its own.
            if how == "stack" or how == "generator" and python.version < (3, 11):
                assert function in [name.split(".")[-1] for name in db.column(ROOTS, address)], function
            out = command("path", db.path, hex(address)).out
            if how != "generator":
                assert f", {function}() (" in out and "(stack)" in out, out
        wrong = db.rows("SELECT o.address, e.excess FROM refcount_error e JOIN object o ON o.id = e.object_id "
                        "JOIN type t ON t.id = o.type_id WHERE t.name = '__main__.Node'")
        assert not wrong
