"""The lines of threads' frames, of tracebacks and of frames that are kept, as the process saw them."""

import os
import sqlite3
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import dump as dumper  # noqa: E402
from heapscan import command  # noqa: E402
from interpreters import interpreters  # noqa: E402

PROGRAM = HERE / "programs" / "lines.py"
KNOWN = [i for i in interpreters()
         if i.word == 8 and not (i.free_threaded or i.debug)]
if os.environ.get("SHORT"):
    KNOWN = KNOWN[:1] + KNOWN[-1:]


@pytest.mark.parametrize("python", KNOWN, ids=str)
def test_lines(python, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    made = dumper.run(tmp_path / "run", [*python.command, "-B", PROGRAM], python.path, env=env)
    command(made.core, "-o", tmp_path / "x.db")
    made.core.unlink()
    stacks, objects = Counter(), {}
    for line in made.truth.read_text().splitlines():
        what, *places = line.split()
        if what == "stack":
            stacks[tuple(places)] += 1
        else:
            function, file, number = places[1].rsplit(":", 2)
            objects[int(places[0])] = f"{function}() ({file}:{number})"
    assert sum(stacks.values()) == 60 and len(objects) > 100
    db = sqlite3.connect(tmp_path / "x.db")
    found = defaultdict(list)
    for thread, function, file, line in db.execute(
            "SELECT thread_id, function, file, line FROM frame WHERE language = 'python' "
            "ORDER BY thread_id, depth"):
        found[thread].append(f"{function}:{os.path.basename(file)}:{line}")
    found = Counter(tuple(f) for f in found.values() if f[-1].split(":")[0] != "<module>")
    assert found == stacks
    values = dict(db.execute("SELECT address, value FROM object o JOIN type t ON t.id = o.type_id "
                             "WHERE t.name IN ('frame', 'traceback')"))
    assert {a: values.get(a) for a in objects} == objects
    db.close()
